"""Energies of mixing from supercells, checked one against the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lina_calphad.data.supercells import (
    EV_IN_J_PER_MOL,
    LARGEST_SUBSTITUTION_ENERGY,
    formation_energy,
)
from lina_calphad.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.data.cells import Cell


@dataclass(frozen=True)
class MixingEnergy:
    """Energy of mixing of one supercell.

    Parameters
    ----------
    cell
        The supercell.
    enthalpy
        Energy of formation from the pure elements (the paper's eq. 1), in J/mol of atoms.
    standard_error
        Of the enthalpy, in J/mol of atoms.
    """

    cell: Cell
    enthalpy: float
    standard_error: float

    @property
    def substitution_energy(self) -> float:
        """Energy of formation of the cell per atom of the rarer element, in eV."""
        return self.enthalpy / EV_IN_J_PER_MOL * self.cell.atoms / self.cell.minority

    def __repr__(self) -> str:
        return (
            f"<MixingEnergy {self.cell.name}: x = {self.cell.x:.5g}, "
            f"{self.enthalpy:.1f} ± {self.standard_error:.1f} J/mol>"
        )


def mixing_energies(
    cells: Sequence[Cell],
    *,
    components: Sequence[str] = ("LI", "NA"),
    uncertainty: float = 0.01,
    max_force: float = 0.05,
    max_pressure: float = 2.0,
) -> list[MixingEnergy]:
    """Energies of mixing of the cells that hold both elements.

    Parameters
    ----------
    cells
        As of `read_table` or `read_calculations`. Cells of a pure element serve as
        references of those that bring none; one with as many atoms goes first, for
        its k-point error is that of the alloy (the paper's E(N, 0)/N).
    components
        The two elements, for messages.
    uncertainty
        Standard error in eV of each substituted atom. The atoms of one cell err
        together: n of N atoms give n/N times as much per atom.
    max_force
        Largest residual force allowed, in eV/Å.
    max_pressure
        Largest residual pressure allowed, in kbar, of either sign.

    Returns
    -------
    list of MixingEnergy
        In the order of the cells.

    Raises
    ------
    DatasetError
        If no cell holds both elements, one is there twice or is not relaxed, a
        pure element has no energy or several, or an energy of formation is beyond
        ±5 eV for each atom of the rarer element.
    ValueError
        If the uncertainty is not positive.

    Examples
    --------
    >>> from lina_calphad.data.cells import Cell
    >>> cell = Cell("Na_in_Li", (53, 1), -101.920202, e_first=-1.9019451, e_second=-1.3223448)
    >>> mixing_energies([cell])
    [<MixingEnergy Na_in_Li: x = 0.018519, 366.7 ± 17.9 J/mol>]
    """
    if not 0 < uncertainty < math.inf:
        msg = f"the uncertainty is positive and finite, in eV; got {uncertainty!r}"
        raise ValueError(msg)
    _check_distinct(cells)
    for cell in cells:
        for what, value, limit, unit in (
            ("residual force", cell.max_force, max_force, "eV/Å"),
            ("pressure", cell.pressure, max_pressure, "kbar"),
        ):
            if value is not None and not abs(value) <= limit:
                msg = (
                    f"{_origin(cell)}: the {what} is {value:g} {unit}, more than the {limit:g} "
                    f"{unit} allowed: relax it further, or raise the limit"
                )
                raise DatasetError(msg)
    mixed = [cell for cell in cells if cell.minority]
    if not mixed:
        names = ", ".join(cell.name for cell in cells) or "none"
        msg = f"no cell holds both {' and '.join(components)}; the cells are: {names}"
        raise DatasetError(msg)
    return [_mixing_energy(cell, cells, components, uncertainty) for cell in mixed]


def substitution_pairs(energies: Sequence[MixingEnergy]) -> dict[int, tuple[float, float]]:
    """Substitution energies of both sides, where a size of cell has exactly one of each.

    Parameters
    ----------
    energies
        As of `mixing_energies`.

    Returns
    -------
    dict of int to tuple of two floats
        Number of atoms of the cell to the energies in eV of the second element in
        the first and of the first in the second.

    Examples
    --------
    >>> from lina_calphad.data.cells import Cell
    >>> cells = [Cell("Na_in_Li", (15, 1), 0.19, 0, 0), Cell("Li_in_Na", (1, 15), 0.15, 0, 0)]
    >>> {n: [round(e, 6) for e in pair] for n, pair in substitution_pairs(
    ...     mixing_energies(cells)).items()}
    {16: [0.19, 0.15]}
    """
    found: dict[tuple[int, bool], list[float]] = {}
    for energy in energies:
        # With two atoms both sides are the same cell.
        if energy.cell.minority == 1 and energy.cell.atoms > 2:
            key = (energy.cell.atoms, energy.cell.counts[1] == 1)
            found.setdefault(key, []).append(energy.substitution_energy)
    single = {key: values[0] for key, values in found.items() if len(values) == 1}
    return {
        atoms: (value, single[atoms, False])
        for (atoms, second_is_rare), value in single.items()
        if second_is_rare and (atoms, False) in single
    }


def _mixing_energy(
    cell: Cell, cells: Sequence[Cell], components: Sequence[str], uncertainty: float
) -> MixingEnergy:
    references = [_reference(cell, cells, index, components[index]) for index in (0, 1)]
    per_atom = float(formation_energy(cell.energy, *cell.counts, *references))
    each = per_atom * cell.atoms / cell.minority
    if not abs(each) <= LARGEST_SUBSTITUTION_ENERGY:
        msg = (
            f"{_origin(cell)}: an energy of formation of {each:g} eV for each atom of the rarer "
            f"element is beyond ±{LARGEST_SUBSTITUTION_ENERGY:g} eV: are all energies in eV, "
            "that of the whole cell and those of the pure elements per atom, by the same method?"
        )
        raise DatasetError(msg)
    error = uncertainty * cell.minority / cell.atoms
    return MixingEnergy(cell, per_atom * EV_IN_J_PER_MOL, error * EV_IN_J_PER_MOL)


def _reference(cell: Cell, cells: Sequence[Cell], index: int, element: str) -> float:
    """Energy of a pure element for `cell`, in eV per atom."""
    own = (cell.e_first, cell.e_second)[index]
    if own is not None:
        return own
    pure = [other for other in cells if other.counts[index] == other.atoms]
    there = [other for other in pure if other.atoms == cell.atoms] or pure
    if len(there) != 1:
        names = ", ".join(other.name for other in there)
        what = f"several energies of pure {element} ({names})" if there else f"no pure {element}"
        msg = (
            f"{_origin(cell)} has {what} to refer to: give one cell of {element} alone, best of "
            f"{cell.atoms} atoms, or e_{element.lower()}_ev_per_atom in a table"
        )
        raise DatasetError(msg)
    return there[0].energy / there[0].atoms


def _check_distinct(cells: Sequence[Cell]) -> None:
    seen: dict[object, Cell] = {}
    for cell in cells:
        for key in (cell.name, (cell.counts, cell.energy, cell.e_first, cell.e_second)):
            if key in seen:
                msg = (
                    f"{_origin(cell)} is there already as {_origin(seen[key])}: the same "
                    f"{'name' if key == cell.name else 'atoms and energy'}. Keep one of them"
                )
                raise DatasetError(msg)
            seen[key] = cell


def _origin(cell: Cell) -> str:
    return cell.origin or cell.name
