"""The `lina-calphad diagram` command: argument parsing, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lina_calphad.cli.options import names, reporting, span

if TYPE_CHECKING:
    from lina_calphad.report import Report


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad diagram\n"
    "  lina-calphad diagram --bands --phases LIQUID,BCC_A2 -T 200:700\n"
    "  lina-calphad diagram alzn.tdb --components AL,ZN\n"
    "  lina-calphad diagram COST507.tdb --components CU,MG --phases LIQUID,FCC_A1,HCP_A3"
)
@click.argument("source", default="lina2026")
@click.option(
    "--components", type=names, default="LI,NA", show_default=True, metavar="A,B",
    help="The two components; further ones are held by sublattices of their own.",
)  # fmt: skip
@click.option(
    "--phases", type=names, metavar="NAMES", help="Phases.  [default: all of the database]"
)
@click.option(
    "--coherent",
    metavar="PHASE",
    help="A phase that stays coherent with itself; needs elastic data.",
)
@click.option(
    "-T", "--temperature", "span", type=span, default="200:", metavar="FROM:TO",
    help="Range of temperature, as in 200:700 or 20C:.  [default: from 200 K to a tenth above all "
    "that happens]",
)  # fmt: skip
@click.option("--bands", is_flag=True, help="Add what is known of the parameters.")
@reporting("lina-diagram")
def diagram(
    source: str, components: tuple[str, ...], phases: tuple[str, ...] | None, coherent: str | None,
    span: tuple[float, float | None], bands: bool,
) -> Report:  # fmt: skip
    """Draw the whole phase diagram of two components, exactly.

    SOURCE is the key of an assessment (see `lina-calphad list`) or the path of a TDB
    file of any alloy; lina2026 if not given.

    Prints every three-phase equilibrium, critical point, congruent point and
    transition of a component, and writes them as CSV with all boundaries and the
    figure. Phases with one mixing sublattice of the two components (or of one and
    vacancies) and compounds are treated; of a database with others, name the phases
    wanted.

    With --bands the figure shows where 68 % and 95 % of the draws of the parameters
    lie (see `lina-calphad compare --help`), the table how well each temperature is
    known, and a second figure which phases are likely where.
    """
    from lina_calphad.compare.diagram import diagram_report
    from lina_calphad.report import steps

    with steps(2 + 4 * bands) as say:
        return diagram_report(
            source, components, phases, coherent=coherent.upper() if coherent else None,
            span=span, bands=bands, progress=say,
        )  # fmt: skip
