"""The `lina-calphad stability` command: argument parsing, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lina_calphad.cli.options import KELVIN, composition, names, reporting

if TYPE_CHECKING:
    from lina_calphad.report import Report


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad stability santos2025 --components LI,NA --phase BCC_A2 --coherent\n"
    "  lina-calphad stability crtiv.tdb --components CR,TI,V --phase BCC_A2 -T 800\n"
    "  lina-calphad stability alloy.tdb --components FE,CR,CO,NI --phase BCC_A2 -x 0.4,0.2,0.2"
)
@click.argument("source")
@click.option(
    "--components", type=names, required=True, metavar="A,B,...", help="Two or more components."
)
@click.option("--phase", required=True, metavar="PHASE", help="The phase that may unmix.")
@click.option("--coherent", is_flag=True, help="Add the coherent limits; needs elastic data.")
@click.option(
    "-T", "--temperature", type=KELVIN, metavar="TEMPERATURE",
    help="Of the isotherm of three components, and of the stability at -x; as in 800 or 20C.",
)  # fmt: skip
@click.option(
    "-x", "--composition", type=composition, metavar="X,X,...",
    help="Mole fractions of all components, or of all but the first.  [default: a section from "
    "the first component to equal parts of the others]",
)  # fmt: skip
@reporting("lina-stability")
def stability(
    source: str, components: tuple[str, ...], phase: str, coherent: bool,
    temperature: float | None, composition: tuple[float, ...] | None,
) -> Report:  # fmt: skip
    """Find where a phase of any number of components unmixes by itself.

    SOURCE is the key of an assessment (see `lina-calphad list`) or the path of a TDB
    file of any alloy. The phase may have several sublattices, vacancies and order.

    Prints the highest spinodal temperature along a section, and of one composition
    every spinodal temperature. With -T and three components it draws the isotherm on
    a Gibbs triangle: spinodal, tie-lines, three-phase triangles and plait points.
    """
    from lina_calphad.report import steps
    from lina_calphad.stability.report import stability_report

    with steps(4) as say:
        return stability_report(
            source, components, phase, coherent=coherent, T=temperature, x=composition,
            progress=say,
        )  # fmt: skip
