"""The `lina-calphad anode` command: argument parsing, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lina_calphad.cli.options import (
    DENSITY,
    FRACTION,
    KELVIN,
    METRES,
    SECONDS,
    current_density,
    depth,
    diffusivity,
    reporting,
)

if TYPE_CHECKING:
    from lina_calphad.report import Report


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad anode --x0 0.03 --temperature 300 --thickness 100um --html\n"
    "  lina-calphad anode --x0 0.05 -T 20C -T 60C --thickness 20um\n"
    "  lina-calphad anode --x0 0.03 --thickness 100um --current 1mA/cm2 --bands\n"
    "  lina-calphad anode --x0 9wt% --thickness 100um --depth 3mAh/cm2 --cycle 0 50%\n"
    "  lina-calphad anode my.tdb --x0 0.03 --json"
)
@click.argument("source", required=False)
@click.option(
    "--x0", type=FRACTION, required=True, metavar="FRACTION",
    help="Mole fraction of Na in the anode before stripping, as in 0.03, 3%, 3 at.% or 9 wt%.",
)  # fmt: skip
@click.option(
    "-T", "--temperature", "T", type=KELVIN, multiple=True, default=(300.0,), metavar="K",
    help="Temperature, as in 300 (K) or 25C; give it again for more, such as both ends of a range. "
    "[default: 300]",
)  # fmt: skip
@click.option(
    "--thickness", type=METRES, metavar="LENGTH",
    help="Of the dense foil before stripping, as in 100um: adds capacities per area.",
)  # fmt: skip
@click.option(
    "--density", type=DENSITY, metavar="DENSITY",
    help="Of the alloy before stripping, as in 0.55g/cm3.  [default: from the molar volumes of "
    "the database; the shipped ones are of 0 K, some 8 % too dense]",
)  # fmt: skip
@click.option(
    "--current", type=current_density, metavar="CURRENT",
    help="Current density of stripping, as in 1mA/cm2, 0.5C or C/2: adds depth profiles. Needs "
    "--thickness.",
)  # fmt: skip
@click.option(
    "--stripped", type=depth, metavar="DEPTH",
    help="Depth at which the profiles end, as in 50%, 3mAh/cm2 or 1000mAh/g; an error says when "
    "the interface runs out of Li before.  [default: where it does]",
)  # fmt: skip
@click.option(
    "--cycle", "cycled", type=(depth, depth), metavar="DEPTH DEPTH",
    help="Strip and plate between two depths, as in 0 50%; with --current over the depth, too.",
)  # fmt: skip
@click.option(
    "--rest", type=SECONDS, metavar="TIME",
    help="Without current after each half of a cycle, as in 10min.  [default: none]",
)  # fmt: skip
@click.option(
    "--diffusivity", type=diffusivity, metavar="D",
    help="Interdiffusion coefficient for depths, tracer diffusivity for waves and sizes, as in "
    "1e-10cm2/s; over temperature as D0@Q, 0.4cm2/s@12kcal/mol, or at two, "
    "1e-10cm2/s@25C,4e-10cm2/s@60C.  [default: 1e-10cm2/s, the paper's order of magnitude]",
)  # fmt: skip
@click.option(
    "--depth", "depths", type=depth, multiple=True, metavar="DEPTH",
    help="Depth of stripping, as in 50%, 3mAh/cm2 or 1000mAh/g: what is there then, and which x0 "
    "unmixes by itself just there. Give it again for more.",
)  # fmt: skip
@click.option(
    "--plane", type=(float, float, float), default=(1, 0, 0), show_default=True, metavar="H K L",
    help="Miller indices of the coherent wave; matters where elastic data are anisotropic.",
)  # fmt: skip
@click.option(
    "--shipped-elastic", is_flag=True, hidden=True,  # as is done anyway, of late
    help="Take the shipped elastic data where the TDB has none.",
)  # fmt: skip
@click.option(
    "--bands", is_flag=True,
    help="Add what is known of the parameters: where 68 % of their draws cross each boundary.",
)  # fmt: skip
@click.option(
    "--details", is_flag=True,
    help="Print what lies behind the answer, too: windows, depths, potentials, lengths and times.",
)  # fmt: skip
@click.option(
    "--html", is_flag=True,
    help="Write anode.html too: a page with the map and sliders that works without a network. It "
    "starts at the first temperature.",
)  # fmt: skip
@reporting("lina-anode")
def anode(
    source: str | None, T: tuple[float, ...], plane: tuple[float, float, float], bands: bool,
    html: bool, details: bool, **given: Any,
) -> Report:  # fmt: skip
    """Composition windows of a Li-Na anode, and its way through them.

    SOURCE is the key of an assessment (see `lina-calphad list`) or the path of a TDB
    file with LI, NA and BCC_A2, which takes the shipped elastic data if it has none;
    without it the shipped assessment to predict with is taken.

    Prints whether the assessments agree, what can happen to the anode before stripping,
    when it unmixes by itself as its Li is stripped and its Na stays, its potential
    against lithium, what it is made of once it has unmixed, and the charge at each
    boundary. With --details also the windows of composition, depths, and how fine and
    how fast it unmixes and coarsens.

    Writes all of it as CSV, with a map of composition and temperature in which the
    path is drawn, and figures of potential, profiles, wavelengths and sizes.
    """
    if given["current"] is not None and given["thickness"] is None:
        raise click.UsageError(
            "--current needs the thickness of the foil: add --thickness, as in 100um"
        )
    if given["stripped"] is not None and given["current"] is None:
        raise click.UsageError(
            "--stripped ends the depth profiles, which need a current: add --current"
        )
    if given["rest"] is not None and (given["cycled"] is None or given["current"] is None):
        raise click.UsageError("--rest is part of a cycle at a current: add --cycle and --current")
    asked = click.get_current_context().params
    if html and asked["as_json"] and asked["out"] is None:
        raise click.UsageError("--json writes no page: say with --out where it goes")
    from lina_calphad.anode import describe, study
    from lina_calphad.anode.shown import report
    from lina_calphad.data.assessments import PREFERRED, assessments
    from lina_calphad.phase.coherent import CoherentModel
    from lina_calphad.phase.draws import draws_note, source_draws
    from lina_calphad.report import steps

    with steps(11 + html) as say:
        say("reading")
        source = source or PREFERRED
        model: type[CoherentModel] = type("Chosen", (CoherentModel,), {"plane": plane})
        alloy = describe(source, model)
        draws = source_draws(source, alloy.dbf) if bands else None
        if bands and draws is None:
            raise click.UsageError(draws_note(alloy.name, source, None))
        del given["shipped_elastic"]
        given["current_density"] = given.pop("current")
        shipped = [key for key in assessments() if key != source]
        options = {name: value for name, value in given.items() if value not in (None, ())}
        found = study(
            T=[*dict.fromkeys(T)],
            source=alloy,
            draws=draws,
            others=shipped,
            progress=say,
            **options,
        )
        if html:
            from lina_calphad.anode.page import page

            say("page")
            return report(found, page(found), details=details)
    return report(found, details=details)
