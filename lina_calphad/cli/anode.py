"""The `lina-calphad anode` command: argument parsing and printing, nothing else."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lina_calphad.cli.options import CURRENT_DENSITY, DENSITY, DIFFUSIVITY, FRACTION, KELVIN, METRES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lina_calphad.anode.summary import Study
    from lina_calphad.phase.alloy import Alloy

DEFAULT_OUT = "lina-anode"


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad anode --x0 0.03 --temperature 300 --thickness 100um --html\n"
    "  lina-calphad anode --x0 0.05 -T 20C -T 60C --thickness 20um\n"
    "  lina-calphad anode --x0 0.03 --thickness 100um --current 1mA/cm2 --bands\n"
    "  lina-calphad anode my.tdb --x0 0.03 --shipped-elastic --json"
)
@click.argument("source", default="santos2025")
@click.option(
    "--x0", type=FRACTION, required=True, metavar="FRACTION",
    help="Mole fraction of Na in the anode before stripping, as in 0.03 or 3% (atoms).",
)  # fmt: skip
@click.option(
    "-T", "--temperature", "temperature", type=KELVIN, multiple=True, default=(300.0,),
    metavar="K",
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
    "--stripped", type=FRACTION, metavar="SHARE",
    help="Share of the Li stripped at which the depth profiles end, as in 0.5 or 50%; an error "
    "says when the interface runs out of Li before.  [default: where it does]",
)  # fmt: skip
@click.option(
    "--diffusivity", type=DIFFUSIVITY, metavar="D",
    help="Interdiffusion coefficient for depths, tracer diffusivity for waves and sizes.  "
    "[default: 1e-10cm2/s, the paper's order of magnitude]",
)  # fmt: skip
@click.option(
    "--depth", "depths", type=FRACTION, multiple=True, metavar="SHARE",
    help="Share of the Li stripped at which an alloy is to unmix by itself: its x0 is printed. "
    "Give it again for more.  [default: 0.25, 0.5, 0.75, 0.9]",
)  # fmt: skip
@click.option(
    "--plane", type=(float, float, float), default=(1, 0, 0), show_default=True, metavar="H K L",
    help="Miller indices of the coherent wave; matters where elastic data are anisotropic.",
)  # fmt: skip
@click.option(
    "--shipped-elastic", is_flag=True,
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
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER",
    help=f"Folder for tables (CSV) and figures (PNG, SVG).  [default: {DEFAULT_OUT}]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace results of an earlier run in the folder.")
@click.option(
    "--json", "as_json", is_flag=True,
    help="Print the numbers as JSON; write files only where --out is given.",
)  # fmt: skip
def anode(
    source: str, x0: float, temperature: tuple[float, ...], plane: tuple[float, float, float],
    shipped_elastic: bool, html: bool, out: Path | None, overwrite: bool, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Composition windows of a Li-Na anode, and its way through them.

    SOURCE is the key of an assessment (see `lina-calphad list`) or the path of a TDB
    file with LI, NA, BCC_A2 and elastic data; santos2025 if not given.

    Prints what can happen to the solid alloy at each composition (stable, held in
    solution by coherency, unmixing by nucleation or by itself), where an anode of
    composition x0 comes as its Li is stripped and its Na stays, with the charge at
    each boundary, which x0 enters the coherent spinodal at which depth of stripping,
    and how fine and how fast it unmixes and coarsens. With --current, how far the
    interface is ahead of the collector side.

    Writes the same as CSV, with a map of composition and temperature in which the
    path is drawn, and figures of the profiles, wavelengths and sizes.
    """
    from lina_calphad.report import results_folder, steps

    if given["current"] is not None and given["thickness"] is None:
        msg = "--current needs the thickness of the foil: add --thickness, as in 100um"
        raise click.UsageError(msg)
    if given["stripped"] is not None and given["current"] is None:
        msg = "--stripped ends the depth profiles, which need a current: add --current"
        raise click.UsageError(msg)
    if html and as_json and out is None:
        msg = "--json writes no page: say with --out where it goes"
        raise click.UsageError(msg)
    folder = out or (None if as_json else Path(DEFAULT_OUT))
    writing = results_folder(folder, overwrite=overwrite) if folder else nullcontext()
    with writing as files, steps(8 + len(temperature)) as say:
        say("reading")
        description = _describe(source, plane, shipped_elastic)
        if html:  # first: what it cannot show is soon said
            say("page")
            text = _page(description, x0, temperature[0], given)
        result = _study(source, description, x0, temperature, say, given)
        if files:
            say("writing tables and figures")
            _write(result, files)
            if html:
                (files / "anode.html").write_text(text, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False))
        return
    from lina_calphad.cli.anode_report import print_study
    from lina_calphad.report import table_console

    print_study(table_console(), result)
    if folder:
        click.echo(f"Tables and figures are in {folder}{'' if str(folder).endswith('/') else '/'}")
    if html and folder:
        click.echo(f"Open {folder / 'anode.html'} in a browser.")


def _describe(source: str, plane: tuple[float, float, float], shipped: bool) -> Alloy:
    from lina_calphad.anode import describe
    from lina_calphad.phase.coherent import CoherentModel

    model: type[CoherentModel] = type("Chosen", (CoherentModel,), {"plane": plane})
    return describe(source, model, shipped_elastic=shipped)


def _page(description: Alloy, x0: float, T: float, given: dict[str, Any]) -> str:
    from lina_calphad.anode.page import page

    foil, density = given["thickness"], given["density"]
    return page(description, x0, T, thickness=foil, density=density)


def _study(
    source: str, description: Alloy, x0: float, temperature: tuple[float, ...],
    say: Callable[[str], None], given: dict[str, Any],
) -> Study:  # fmt: skip
    from lina_calphad.anode import study
    from lina_calphad.anode.summary import DEPTHS
    from lina_calphad.phase.draws import draws_note, source_draws
    from lina_calphad.phase.kinetics import DIFFUSIVITY as USUAL

    draws = source_draws(source, description.dbf) if given["bands"] else None
    if given["bands"] and draws is None:
        raise click.UsageError(draws_note(description.name, source, None))
    return study(
        x0, list(dict.fromkeys(temperature)), description,
        thickness=given["thickness"], density=given["density"],
        current_density=given["current"], stripped=given["stripped"],
        diffusivity=USUAL.value if given["diffusivity"] is None else given["diffusivity"],
        depths=given["depths"] or DEPTHS, draws=draws, progress=say,
    )  # fmt: skip


def _write(result: Study, files: Path) -> None:
    from lina_calphad.anode.figures import figures
    from lina_calphad.report import save_figure

    for name, table in result.tables().items():
        table.to_csv(files / f"{name}.csv", index=False)
    text = json.dumps(result.to_dict(), indent=2, allow_nan=False)
    (files / "anode.json").write_text(text, encoding="utf-8")
    for name, figure in figures(result).items():
        save_figure(figure, files, name)
