"""The `lina-calphad check` command: its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lina_calphad.cli.options import KELVIN, pair, reporting

if TYPE_CHECKING:
    from lina_calphad.report import Report


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad check\n"
    "  lina-calphad check my.tdb\n"
    "  lina-calphad check COST507.tdb --components AL,ZN --phase FCC_A1 -T 500 -T 600\n"
    "  lina-calphad check my.tdb --json > findings.json"
)
@click.argument("source", required=False, metavar="[TDB]")
@click.option(
    "--phase", "phases", multiple=True, metavar="PHASE",
    help="Phase whose consistency is checked; give it again for more.  [default: every binary "
    "solution]",
)  # fmt: skip
@click.option(
    "--components", type=pair, metavar="A,B",
    help="The two elements.  [default: LI,NA, or the two that there are]",
)  # fmt: skip
@click.option(
    "-T", "--temperature", "temperatures", type=KELVIN, multiple=True, metavar="K",
    help="Temperature of the check of consistency, as in 300 (K) or 25C; give it again for more.  "
    "[default: 100, 300, 600, moved into the common range of the parameters]",
)  # fmt: skip
@reporting(None)
def check(
    source: str | None, phases: tuple[str, ...], components: tuple[str, str] | None,
    temperatures: tuple[float, ...],
) -> Report:  # fmt: skip
    """Check a description for slips: of its TDB file, and of the arithmetic with it.

    TDB is a file of any alloy, or the key of a shipped assessment; without it, every
    shipped assessment and file is checked.

    Arithmetic: each binary solution is put to identities that any Gibbs energy obeys
    (S = -dG/dT, equal chemical potentials on the binodal...), what this
    package computes against pycalphad's own energy, finite differences or a plain TDB.
    The table shows the largest deviation. Where the file has elastic data, the coherent
    Models are checked, too.

    Lint: end-members without a Gibbs energy; duplicate parameters, which pycalphad adds
    up and other programs do not; functions that are undefined or circular, or that
    pycalphad takes for zero outside their range; parameters that it leaves out, and
    commands that it does not see; ranges that do not meet; jumps at a range boundary of
    more than 1 J/mol or 0.002 J/(mol K), which rounding as in the SGTE data does not
    reach. With --components, what concerns those elements alone (and the phases that
    --phase names). What is amiss for every program, `calphad-io validate` says.

    Neither says whether the parameters describe the alloy well.

    Ends with status 1 if an identity fails, a solution cannot be evaluated, or the file
    has an error.
    """
    from lina_calphad.check.report import check as run

    return run(source, phases=phases, components=components, T=temperatures)
