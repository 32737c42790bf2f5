"""The `lina-calphad assess` command: argument parsing, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lina_calphad.cli.options import reporting

if TYPE_CHECKING:
    from lina_calphad.report import Report


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad assess\n"
    "  lina-calphad assess lina2026 --variants\n"
    "  lina-calphad assess mine.yaml --out mine"
)
@click.argument("recipe", default="lina2026")
@click.option(
    "--variants", is_flag=True,
    help="Fit the recipe's competing forms, and write one table of them instead.",
)  # fmt: skip
@reporting("lina-assessment", "the TDB, its draws, tables (CSV) and figures (PNG, SVG)")
def assess(recipe: str, variants: bool) -> Report:
    """Assess a binary from a recipe, in seconds.

    RECIPE is a YAML file, or the name of one that ships: lina2026 (default) makes
    that assessment again. It names the database to start from, the parameters with
    their form (constant, linear, tau, exponential, T ln T, held) and the data:
    energies, entropies and heat capacities of mixing, invariants, critical points,
    tie-lines and solubilities, as ESPEI datasets.

    All data are met by least squares on exact residuals, in T and in ln x. The
    result says how well each datum is met, what the others say of it, how well each
    parameter is known, and what is doubtful: artificial gaps, entropies beyond
    reason, equilibria that another phase hides.

    The folder gets assessment.tdb with draws of its parameters beside it, so that
    `lina-calphad diagram FOLDER/assessment.tdb --bands` shows what they mean.
    """
    from lina_calphad.fit.assess import assess as run
    from lina_calphad.fit.assess_report import forms, report
    from lina_calphad.fit.recipe import read_recipe
    from lina_calphad.report import steps

    read = read_recipe(recipe)
    with steps(len(read.variants) + 1 if variants else read.starts + 3) as say:
        return forms(read, say) if variants else report(run(read, say), say)
