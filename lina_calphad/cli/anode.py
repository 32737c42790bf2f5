"""The `lina-calphad anode` command: argument parsing, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lina_calphad.cli.options import (
    CURRENT_DENSITY,
    DENSITY,
    DIFFUSIVITY,
    FRACTION,
    KELVIN,
    METRES,
    SHARE,
    reporting,
)

if TYPE_CHECKING:
    from lina_calphad.report import Report


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad anode --x0 0.03 --temperature 300 --thickness 100um --html\n"
    "  lina-calphad anode --x0 0.05 -T 20C -T 60C --thickness 20um\n"
    "  lina-calphad anode --x0 0.03 --thickness 100um --current 1mA/cm2 --bands\n"
    "  lina-calphad anode my.tdb --x0 0.03 --json"
)
@click.argument("source", default="santos2025")
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
    "--current", type=CURRENT_DENSITY, metavar="CURRENT",
    help="Current density of stripping, as in 1mA/cm2: adds depth profiles. Needs --thickness.",
)  # fmt: skip
@click.option(
    "--stripped", type=SHARE, metavar="SHARE",
    help="Share of the Li stripped at which the depth profiles end, as in 0.5 or 50%; an error "
    "says when the interface runs out of Li before.  [default: where it does]",
)  # fmt: skip
@click.option(
    "--diffusivity", type=DIFFUSIVITY, metavar="D",
    help="Interdiffusion coefficient for depths, tracer diffusivity for waves and sizes.  "
    "[default: 1e-10cm2/s, the paper's order of magnitude]",
)  # fmt: skip
@click.option(
    "--depth", "depths", type=SHARE, multiple=True, metavar="SHARE",
    help="Share of the Li stripped at which an alloy is to unmix by itself: its x0 is printed. "
    "Give it again for more.  [default: 0.25, 0.5, 0.75, 0.9]",
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
    "--html", is_flag=True,
    help="Write anode.html too: a page with the map and sliders that works without a network. It "
    "starts at the first temperature.",
)  # fmt: skip
@reporting("lina-anode")
def anode(
    source: str, T: tuple[float, ...], plane: tuple[float, float, float], bands: bool, html: bool,
    **given: Any,
) -> Report:  # fmt: skip
    """Composition windows of a Li-Na anode, and its way through them.

    SOURCE is the key of an assessment (see `lina-calphad list`) or the path of a TDB
    file with LI, NA and BCC_A2, which takes the shipped elastic data if it has none;
    santos2025 if not given.

    Prints what can happen to the solid alloy at each composition (stable, held in
    solution by coherency, unmixing by nucleation or by itself), where an anode of
    composition x0 comes as its Li is stripped and its Na stays, with the charge at
    each boundary, which x0 enters the coherent spinodal at which depth of stripping,
    and how fine and how fast it unmixes and coarsens. With --current, how far the
    interface is ahead of the collector side.

    Writes the same as CSV, with a map of composition and temperature in which the
    path is drawn, and figures of the profiles, wavelengths and sizes.
    """
    if given["current"] is not None and given["thickness"] is None:
        msg = "--current needs the thickness of the foil: add --thickness, as in 100um"
        raise click.UsageError(msg)
    if given["stripped"] is not None and given["current"] is None:
        msg = "--stripped ends the depth profiles, which need a current: add --current"
        raise click.UsageError(msg)
    asked = click.get_current_context().params
    if html and asked["as_json"] and asked["out"] is None:
        msg = "--json writes no page: say with --out where it goes"
        raise click.UsageError(msg)
    from lina_calphad.anode import describe, study
    from lina_calphad.anode.shown import report
    from lina_calphad.phase.coherent import CoherentModel
    from lina_calphad.phase.draws import draws_note, source_draws
    from lina_calphad.report import steps

    with steps(4 + 2 * len(T)) as say:
        say("reading")
        model: type[CoherentModel] = type("Chosen", (CoherentModel,), {"plane": plane})
        alloy = describe(source, model)
        draws = source_draws(source, alloy.dbf) if bands else None
        if bands and draws is None:
            raise click.UsageError(draws_note(alloy.name, source, None))
        del given["shipped_elastic"]
        given["current_density"] = given.pop("current")
        options = {name: value for name, value in given.items() if value not in (None, ())}
        found = study(T=[*dict.fromkeys(T)], source=alloy, draws=draws, progress=say, **options)
        if html:
            from lina_calphad.anode.page import page

            say("page")
            return report(found, page(found))
    return report(found)
