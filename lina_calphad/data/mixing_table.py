"""The tables that `lina-calphad dataset` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lina_calphad.data.mixing import substitution_pairs
from lina_calphad.data.supercells import finite_difference, redlich_kister

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.data.mixing import MixingEnergy


def print_energies(energies: Sequence[MixingEnergy], uncertainty: float) -> None:
    """Print energies of mixing and the interaction parameters that pairs of them give.

    Parameters
    ----------
    energies
        As of `mixing_energies`.
    uncertainty
        Standard error in eV of each substitution energy.
    """
    from rich.markup import escape
    from rich.table import Table

    from lina_calphad.report import table_console

    console = table_console()
    table = Table(title="Energies of mixing", title_justify="left")
    table.add_column("cell")
    for heading in ("x", "eV per substituted atom", "HM_MIX / (J/mol)", "standard error"):
        table.add_column(heading, justify="right")
    for energy in energies:
        table.add_row(
            escape(energy.cell.name),
            f"{energy.cell.x:.5f}",
            f"{energy.substitution_energy:.4f}",
            f"{energy.enthalpy:.1f}",
            f"{energy.standard_error:.1f}",
        )
    console.print(table)
    pairs = substitution_pairs(energies)
    if not pairs:
        return
    table = Table(title="Interaction parameters / (J/mol)", title_justify="left")
    for heading in ("atoms", "method", "0L", "1L"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for atoms, pair in pairs.items():
        for parameters in (finite_difference(*pair), redlich_kister(*pair, atoms)):
            errors = parameters.covariance(uncertainty).diagonal() ** 0.5
            found = zip((parameters.L0, parameters.L1), errors, strict=True)
            texts = [f"{value:.1f} ± {error:.0f}" for value, error in found]
            table.add_row(str(atoms), parameters.method, *texts)
    console.print(table)
