"""The command `lina-calphad reproduce`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lina_calphad.cli.options import reporting

if TYPE_CHECKING:
    from lina_calphad.report import Report


@click.command(
    epilog="Examples: lina-calphad reproduce; lina-calphad reproduce --json > numbers.json"
)
@reporting("lina-paper", "the table and the figures")
def reproduce() -> Report:
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
    from lina_calphad.report import steps

    with steps(2) as say:
        return run(say)
