"""The command `lina-calphad reproduce`: argument parsing and printing, nothing else."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lina_calphad.paper.claims import Reproduction

DEFAULT_OUT = "lina-paper"
_WIDE = 100  # columns of a terminal from which all of the table fits


@click.command(
    epilog="Examples: lina-calphad reproduce; lina-calphad reproduce --json > numbers.json"
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER",
    help=f"Folder for the table and the figures.  [default: {DEFAULT_OUT}]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace results of an earlier run in the folder.")
@click.option(
    "--json", "as_json", is_flag=True,
    help="Print the numbers as JSON; draw the figures only where --out is given.",
)  # fmt: skip
def reproduce(out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Reproduce the paper: every result it prints, every figure.

    Prints one table of published against computed results of Pereira dos Santos
    et al. 2025, with the decimal digits in which they agree and a verdict: it
    agrees within the tolerance shown (half the last printed digit, or what the
    notes say), it differs, or it is in doubt (the notes say why). Where the paper
    has words and no number, such as "roughly twice", the row says so and the
    notes say how we read them. Ends with status 1 if a result differs or could
    not be computed.

    Writes that table and figures 1 to 7 in the paper's panels, and beyond the
    paper 8 (cubic elasticity), 9 (sensitivity to the elastic data) and 10
    (uncertainty bands), each as PNG and SVG with its numbers as CSV.
    """
    from lina_calphad.paper.claims import reproduce as run
    from lina_calphad.report import results_folder, steps

    folder = out or (None if as_json else Path(DEFAULT_OUT))
    writing = results_folder(folder, overwrite=overwrite) if folder else nullcontext()
    with writing as files:
        with steps(4) as say:
            result = run(say)
        text = json.dumps(result.to_dict(), indent=2, allow_nan=False)
        if as_json:
            click.echo(text)
        else:
            _print(result)
        if files:
            result.to_dataframe().to_csv(files / "numbers.csv", index=False)
            (files / "numbers.json").write_text(text, encoding="utf-8")
            _draw(result, files)
    if folder and not as_json:
        click.echo(f"Figures and tables are in {folder}{'' if str(folder).endswith('/') else '/'}")
    if not result.ok:
        sys.exit(1)


def _draw(result: Reproduction, files: Path) -> None:
    from lina_calphad.paper.figures import NAMES, write_figures
    from lina_calphad.report import steps

    with steps(len(NAMES)) as say:
        write_figures(result.comparison, files, say)


def _print(result: Reproduction) -> None:
    from rich.table import Table
    from rich.text import Text

    from lina_calphad.paper.claims import STANDARD_TEMPERATURE
    from lina_calphad.report import table_console

    console = table_console()
    table = Table(title="The paper's results, published and computed", title_justify="left")
    table.add_column("quantity")
    standard = f"at {STANDARD_TEMPERATURE} K"
    numbers = ["published", "computed", standard, "digits"]
    if console.width < _WIDE:
        numbers.remove(standard)  # the files have it all the same
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    section = ""
    for claim in result.claims:
        if claim.assessment != section:
            section = claim.assessment
            table.add_section()
            table.add_row(Text(section, style="bold"))
        published = claim.published
        unit = "" if published.unit == "1" else f" / {published.unit}"
        words = "words: " if published.reading else ""
        digits = claim.digits
        row = {
            "published": f"{words}{published.value:g} ± {published.tolerance:g}",
            "computed": _number(claim.computed, published.value),
            standard: _number(claim.standard, published.value),
            "digits": "" if digits is None else f"{digits:.1f}",
        }
        failed = claim.verdict in ("differs", "not computed")
        table.add_row(
            published.quantity + unit,
            *(row[heading] for heading in numbers),
            claim.verdict,
            style="bold red" if failed else None,
        )
    console.print(table)
    for claim in result.claims:
        published = claim.published
        if published.reading:
            text = f"{published.quantity}: {published.where}; our reading: {published.reading}"
            console.print(f"words: {text}", highlight=False, markup=False)
    for note in result.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    console.print(result.summary, highlight=False, markup=False, style="bold")


def _number(value: float | None, published: float) -> str:
    """A computed number with more digits than the source may print."""
    if value is None:
        return ""
    return f"{value:.2f}" if abs(published) >= 10 else f"{value:.4g}"
