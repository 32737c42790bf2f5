"""The `lina-calphad anode` command: argument parsing and printing, nothing else."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lina_calphad.measure import CURRENT_DENSITY, DENSITY, DIFFUSIVITY, KELVIN, METRES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from rich.console import Console

    from lina_calphad.anode.summary import Study
    from lina_calphad.quantities import Description

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
    "--x0", type=float, required=True, metavar="FRACTION",
    help="Mole fraction of Na in the anode before stripping, between 0 and 1.",
)  # fmt: skip
@click.option(
    "-T", "--temperature", "temperature", type=KELVIN, multiple=True, default=(300.0,),
    metavar="K",
    help="Temperature, in K or as in 25C; give it again for both ends of a range.  [default: 300]",
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
    "--stripped", type=float, metavar="SHARE",
    help="Share of the Li stripped at which the depth profiles end, from 0 to 1; an error says "
    "when the interface runs out of Li before.  [default: where it does]",
)  # fmt: skip
@click.option(
    "--diffusivity", type=DIFFUSIVITY, metavar="D",
    help="Of Li and Na in the alloy.  [default: 1e-10cm2/s, the paper's order of magnitude]",
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
    help="Write anode.html too: a page with the map and sliders that works without a network.",
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
    shipped_elastic: bool, bands: bool, html: bool, out: Path | None, overwrite: bool,
    as_json: bool, **given: float | None,
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
    from lina_calphad.output import results_folder
    from lina_calphad.progress import steps

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
        result = _study(source, description, x0, temperature, bands, say, given)
        if files:
            say("writing tables and figures")
            _write(result, files)
            if html:
                (files / "anode.html").write_text(text, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False))
        return
    _print(result)
    if folder:
        click.echo(f"Tables and figures are in {folder}{'' if str(folder).endswith('/') else '/'}")
    if html and folder:
        click.echo(f"Open {folder / 'anode.html'} in a browser.")


def _describe(source: str, plane: tuple[float, float, float], shipped: bool) -> Description:
    from lina_calphad.anode import describe
    from lina_calphad.models import CoherentModel

    model: type[CoherentModel] = type("Chosen", (CoherentModel,), {"plane": plane})
    return describe(source, model, shipped_elastic=shipped)


def _page(description: Description, x0: float, T: float, given: dict[str, float | None]) -> str:
    from lina_calphad.anode.page import page

    foil, density = given["thickness"], given["density"]
    return page(description, x0, T, thickness=foil, density=density)


def _study(
    source: str, description: Description, x0: float, temperature: tuple[float, ...],
    bands: bool, say: Callable[[str], None], given: dict[str, float | None],
) -> Study:  # fmt: skip
    from lina_calphad.anode import study
    from lina_calphad.kinetics import DIFFUSIVITY as USUAL
    from lina_calphad.source_draws import draws_note, source_draws

    draws = source_draws(source, description.dbf) if bands else None
    if bands and draws is None:
        raise click.UsageError(draws_note(description.name, source, None))
    return study(
        x0, list(dict.fromkeys(temperature)), description,
        thickness=given["thickness"], density=given["density"],
        current_density=given["current"], stripped=given["stripped"],
        diffusivity=USUAL.value if given["diffusivity"] is None else given["diffusivity"],
        draws=draws, progress=say,
    )  # fmt: skip


def _write(result: Study, files: Path) -> None:
    from lina_calphad.anode.figures import figures
    from lina_calphad.output import save_figure

    for name, table in result.tables().items():
        table.to_csv(files / f"{name}.csv", index=False)
    text = json.dumps(result.to_dict(), indent=2, allow_nan=False)
    (files / "anode.json").write_text(text, encoding="utf-8")
    for name, figure in figures(result).items():
        save_figure(figure, files, name)


def _print(result: Study) -> None:
    from lina_calphad.anode.windows import REGIONS
    from lina_calphad.console import table_console

    console = table_console()
    for i, T in enumerate(result.T):
        region = REGIONS[result.start.code[i]]
        words = f"x(Na) = {result.x0:g} at {T:g} K: {region.name}. {region.meaning}"
        console.print(words, highlight=False, markup=False, style="bold")
        _print_windows(console, result, T)
        _print_path(console, result, i)
        if result.profiles:
            _print_profile(console, result, i)
        _print_lengths(console, result, T)
    for estimate in result.estimates:
        text = (
            f"estimate: {estimate.quantity} {estimate.value:.3g} {estimate.unit}, {estimate.basis}"
        )
        console.print(text, highlight=False, markup=False)
    for note in NOTES:
        console.print(f"note: {note}", highlight=False, markup=False)


#: What the numbers do not know.
NOTES = (
    "coherency is what the elastic data say, the shipped ones being the paper's upper bound; "
    "plasticity relaxes it",
    "the path is that of one homogeneous solid; no solid solubility of Li-Na was ever measured",
    "laws of coarsening are good to a factor of order one. The paper concludes that patterns stay "
    "below 1 µm: for days if both phases carry the atoms, for years otherwise; the scaffold seen "
    "after stripping measures some 10 µm",
)


def _table(title: str, *columns: str) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in _WORDS else "right")
    return table


_WORDS = ("region", "region entered", "boundary", "carried by")


def _print_windows(console: Console, result: Study, T: float) -> None:
    from rich.markup import escape

    title = f"Windows of bcc Li-Na at {T:g} K, {escape(result.description.name)}"
    table = _table(title, "region", "from x(Na)", "to x(Na)")
    for row in _rows(result.windows, T):
        table.add_row(row["name"], _number(row["x_from"]), _number(row["x_to"]))
    console.print(table)


def _print_path(console: Console, result: Study, point: int) -> None:
    from lina_calphad.anode.windows import REGIONS

    T = float(result.T[point])
    names = {region.key: region.name for region in REGIONS}
    columns = ["region entered", "x(Na)", "Li stripped", "mAh/g"]
    areal = result.path.thickness is not None
    columns += ["mAh/cm²"] * areal + ["68 % of draws"] * (result.uncertainty is not None)
    table = _table(f"Stripping from x0 = {result.x0:g} at {T:g} K", *columns)
    rows = result.path.to_dataframe()
    for row in rows[rows["point"] == point].to_dict("records"):
        cells = [names[row["region"]], _number(row["x"]), _percent(row["q"])]
        cells.append(f"{row['capacity_mAh_per_g']:.0f}")
        if areal:
            cells.append(f"{row['capacity_mAh_per_cm2']:.2f}")
        if result.uncertainty is not None:
            drawn = _rows(result.uncertainty, T, row["boundary"])
            ends = [_percent(row[f"q_{end}_68"]) for row in drawn for end in ("low", "high")]
            cells.append(" to ".join(ends))
        table.add_row(*cells)
    console.print(table)
    starts = [(r["q"], r["x0"]) for r in _rows(result.starts, T) if not math.isnan(r["x0"])]
    if starts:
        some = ", ".join(f"x0 = {x0:.4f} at {q:.0%} stripped" for q, x0 in starts)
        text = f"the coherent spinodal is entered by {some}"
    else:
        text = f"there is no coherent spinodal to enter at {T:g} K"
    console.print(text, highlight=False, markup=False)


def _print_profile(console: Console, result: Study, point: int) -> None:
    profile = result.profiles[point]
    density = profile.current_density / 10
    title = f"Depth at {density:g} mA/cm², {profile.thickness * 1e6:g} µm, {profile.T:g} K"
    table = _table(title, "boundary", "interface", "collector side")

    def cell(share: float, time: float) -> str:
        if math.isnan(share):
            return "not reached"
        return f"{share:.2%}, {time / 3600:.3g} h"

    crossings = profile.crossings_dataframe()
    ahead = crossings[crossings["q_interface"].notna()].sort_values("q_interface")
    for row in ahead.to_dict("records"):
        table.add_row(
            row["boundary"].replace("alpha", "(Li side)").replace("beta", "(Na side)"),
            cell(row["q_interface"], row["t_interface_s"]),
            cell(row["q_collector"], row["t_collector_s"]),
        )
    console.print(table)
    end = profile.exhausted_at
    hours = profile.t[-1] / 3600
    text = f"profiles end after {hours:.3g} h with {profile.q[-1]:.1%} of the Li stripped"
    if end is not None:
        text = (
            f"the interface is pure Na after {hours:.3g} h with {end:.1%} of the Li stripped: "
            f"there the current ends; the collector side is at x(Na) = {profile.x[-1, 0]:.3g}"
        )
    console.print(text, highlight=False, markup=False)


def _print_lengths(console: Console, result: Study, T: float) -> None:
    from lina_calphad.anode.summary import TIMES
    from lina_calphad.kinetics import LAWS

    for kind in ("chemical", "coherent"):
        found = [r for r in _rows(result.waves, T) if r["kind"] == kind]
        if found:
            fastest = max(found, key=lambda row: row["rate_per_s"])
            console.print(
                f"{kind} spinodal: the fastest wave, at x(Na) = {fastest['x']:.2f}, is "
                f"{fastest['wavelength_m'] * 1e9:.1f} nm long and grows by e in "
                f"{1e6 / fastest['rate_per_s']:.2g} µs",
                highlight=False, markup=False,
            )  # fmt: skip
    rows = _rows(result.sizes, T)
    if not rows:
        return
    table = _table(f"Size of the phases in µm at {T:g} K", "carried by", *TIMES, "1 µm after")
    for law in LAWS:
        sizes = [f"{row[f'{law}_m'] * 1e6:.2g}" for row in rows]
        table.add_row(_CARRIERS[law], *sizes, _duration(rows[0][f"{law}_1um_s"]))
    console.print(table)


_CARRIERS = {
    "bulk": "both phases, (d0 D t)^1/3",
    "interface": "interfaces, (d0² D t)^1/4",
    "dilute": "dilute phase, (4/9 d0 x D t)^1/3",
}


def _duration(seconds: float) -> str:
    days = seconds / 86400
    return f"{days:.2g} days" if days < 365 else f"{days / 365.25:.2g} years"


def _rows(table: pd.DataFrame, T: float, boundary: str | None = None) -> list[dict[str, Any]]:
    if table.empty:
        return []
    chosen = table["T"] == T
    if boundary is not None:
        chosen &= table["boundary"] == boundary
    return [{str(k): v for k, v in row.items()} for row in table[chosen].to_dict("records")]


def _percent(share: float) -> str:
    """A share in per cent, with more digits where little is left; the start may lie between."""
    if math.isnan(share):
        return "behind"
    return f"{share:.2%}" if share > 0.99 else f"{share:.1%}"


def _number(x: float) -> str:
    """A mole fraction with its digits, however close to 0 or 1."""
    if 0.99 < x < 1:
        return f"1 - {1 - x:.3g}"
    return f"{x:.3g}"
