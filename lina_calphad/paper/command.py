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
    """Reproduce the paper: every number it prints, every figure.

    Prints one table of published against computed numbers of Pereira dos Santos
    et al. 2025, with the decimal digits in which they agree and a verdict: it
    agrees within the last printed digit (or the tolerance stated), it differs,
    or the paper is in doubt because it says two things. Ends with status 1 if
    any number differs.

    Writes that table and figures 1 to 7 in the paper's panels, and beyond the
    paper 8 (cubic elasticity), 9 (sensitivity to the elastic data) and 10
    (uncertainty bands), each as PNG and SVG with its numbers as CSV.
    """
    from lina_calphad.output import results_folder

    folder = out or (None if as_json else Path(DEFAULT_OUT))
    writing = results_folder(folder, overwrite=overwrite) if folder else nullcontext()
    with writing as files:
        result = _reproduce(files)
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False))
    else:
        _print(result)
    if folder and not as_json:
        click.echo(f"Figures and tables are in {folder}{'' if str(folder).endswith('/') else '/'}")
    if not result.ok:
        sys.exit(1)


def _reproduce(files: Path | None) -> Reproduction:
    """Compute under a progress bar, and write what there is into `files`."""
    from lina_calphad.paper.beyond import BEYOND
    from lina_calphad.paper.claims import reproduce as run
    from lina_calphad.paper.drawings import FIGURES
    from lina_calphad.progress import steps

    figures = {**FIGURES, **BEYOND} if files else {}
    with steps(6 + len(figures)) as say:
        result = run(say)
        if files:
            result.to_dataframe().to_csv(files / "numbers.csv", index=False)
            text = json.dumps(result.to_dict(), indent=2, allow_nan=False)
            (files / "numbers.json").write_text(text, encoding="utf-8")
            for name, (table_of, draw) in figures.items():
                say(name.replace("_", " "))
                table = table_of(result.comparison)
                table.to_csv(files / f"{name}.csv", index=False)
                figure = draw(table)
                for suffix in ("png", "svg"):
                    figure.savefig(files / f"{name}.{suffix}", dpi=200)
    return result


def _print(result: Reproduction) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The paper's numbers, published and computed", title_justify="left")
    for heading in ("assessment", "quantity"):
        table.add_column(heading)
    for heading in ("published", "computed", "at 298.15 K", "digits"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for claim in result.claims:
        published = claim.published
        unit = "" if published.unit == "1" else f" / {published.unit}"
        table.add_row(
            claim.assessment,
            published.quantity + unit,
            f"{published.value:g}",
            _number(claim.computed, published.value),
            "" if claim.standard is None else _number(claim.standard, published.value),
            f"{claim.digits:.1f}",
            claim.verdict,
            style="bold red" if claim.verdict == "differs" else None,
        )
    # Wide enough not to cut names off where the output is no terminal.
    console = Console() if sys.stdout.isatty() else Console(width=120)
    console.print(table)
    for note in result.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    console.print(_summary(result), highlight=False, markup=False)


def _number(value: float, published: float) -> str:
    """A computed number with two digits more than the source may print, never fewer than it."""
    return f"{value:.2f}" if abs(published) >= 10 else f"{value:.4g}"


def _summary(result: Reproduction) -> str:
    count = {v: sum(c.verdict == v for c in result.claims) for v in ("agrees", "differs")}
    doubtful = len(result.claims) - sum(count.values())
    return (
        f"{count['agrees']} of {len(result.claims)} numbers agree, {count['differs']} differ, "
        f"{doubtful} are in doubt"
    )
