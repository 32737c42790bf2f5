"""From energies of supercells to energies of mixing and to interaction parameters.

One atom substituted in a cell of N costs dE, and there are two ways to make the
parameters of G(x) = x (1 - x) [⁰L + ¹L (1 - 2 x)] of the two costs, one on each
side. The paper takes x = 1/N for infinitely dilute: then dE is the slope of G at
the pure element (eqs. 8 and 9). Strictly N G(1/N) = dE, and a curve through both
points has ⁰L larger by N/(N - 1) and ¹L by N²/((N - 1)(N - 2)). With N = 128 that
is 0.8 % and 2.4 %, which is why the strict parameters are not those of the paper.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import constants

from lina_calphad.data.cells import COLUMNS, first_of
from lina_calphad.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

#: J/mol of atoms in one eV per atom.
EV_IN_J_PER_MOL = constants.e * constants.N_A

#: A larger substitution energy, in eV, is no energy of one atom in a metal.
LARGEST_SUBSTITUTION_ENERGY = 5.0


class Interactions(NamedTuple):
    """⁰L and ¹L in (x_first - x_second)^k, in J/mol of atoms: numbers or arrays."""

    L0: float
    L1: float


def finite_difference(second_in_first: ArrayLike, first_in_second: ArrayLike) -> Interactions:
    """⁰L and ¹L with the substituted atom taken for infinitely dilute (eqs. 8 and 9).

    Parameters
    ----------
    second_in_first
        Substitution energy in eV of the second element in the first (Na in Li).
    first_in_second
        Substitution energy in eV of the first element in the second (Li in Na).

    Returns
    -------
    Interactions
        Its `L0` and `L1`, each of the shape of the energies.

    Raises
    ------
    ValueError
        If an energy is not finite or beyond ±5 eV.

    Examples
    --------
    >>> L0, L1 = finite_difference(25882.4 / EV_IN_J_PER_MOL, 14337.2 / EV_IN_J_PER_MOL)
    >>> round(L0, 4), round(L1, 4)
    (20109.8, 5772.6)
    """
    first, second = _joules(second_in_first), _joules(first_in_second)
    pair: Any = (first + second) / 2, (first - second) / 2
    return Interactions(*(value if np.ndim(value) else float(value) for value in pair))


def redlich_kister(
    second_in_first: ArrayLike, first_in_second: ArrayLike, atoms: int
) -> Interactions:
    """⁰L and ¹L of the curve through both energies, at x = 1/N and 1 - 1/N (eqs. 1 and 3).

    Parameters
    ----------
    second_in_first, first_in_second
        As of `finite_difference`.
    atoms
        Number N of atoms of either cell, 3 or more: with 2 both are x = 1/2.

    Returns
    -------
    Interactions

    Raises
    ------
    ValueError
        If there are fewer than 3 atoms, or an energy is not finite or beyond ±5 eV.

    Examples
    --------
    >>> found = redlich_kister(25882.4 / EV_IN_J_PER_MOL, 14337.2 / EV_IN_J_PER_MOL, 128)
    >>> round(found.L0, 1), round(found.L1, 1)
    (20268.1, 5910.4)
    """
    if not (atoms >= 3 and float(atoms).is_integer()):
        raise ValueError(f"atoms is a whole number, 3 or more; got {atoms!r}")
    L0, L1 = finite_difference(second_in_first, first_in_second)
    scale = atoms / (atoms - 1)
    return Interactions(scale * L0, scale * atoms / (atoms - 2) * L1)


def parameter_covariance(atoms: int | None = None, uncertainty: float = 0.01) -> NDArray[Any]:
    """Covariance of (⁰L, ¹L) from independent errors of the two substitution energies.

    Parameters
    ----------
    atoms
        Of either cell, for `redlich_kister`; None for `finite_difference`.
    uncertainty
        Standard error in eV of each substitution energy.

    Returns
    -------
    ndarray, shape (2, 2)
        In (J/mol)².

    Raises
    ------
    ValueError
        If the uncertainty is negative or not finite.

    Examples
    --------
    >>> (parameter_covariance(uncertainty=0.01).diagonal() ** 0.5).round(1)
    array([682.3, 682.3])
    """
    if not 0 <= uncertainty < math.inf:
        raise ValueError(f"an uncertainty is finite and not negative; got {uncertainty!r} eV")
    # Both are linear: their values at unit energies are the derivatives.
    one, other = np.eye(2)
    jacobian = np.array(
        finite_difference(one, other) if atoms is None else redlich_kister(one, other, atoms)
    )
    jacobian /= EV_IN_J_PER_MOL
    return np.asarray((uncertainty * EV_IN_J_PER_MOL) ** 2 * jacobian @ jacobian.T)


def mixing_energies(
    cells: pd.DataFrame,
    *,
    components: Sequence[str] = ("LI", "NA"),
    uncertainty: float = 0.01,
    max_force: float = 0.05,
    max_pressure: float = 2.0,
) -> pd.DataFrame:
    """Energies of mixing of the cells that hold both elements.

    Parameters
    ----------
    cells
        As of `read_table` or `read_calculations`; of the columns, `name`, `n_first`,
        `n_second` and `energy` must be there. Cells of a pure element serve as references
        of those that bring none; one with as many atoms goes first, for its k-point error
        is that of the alloy (the paper's E(N, 0)/N).
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
    pandas.DataFrame
        The cells that hold both elements, in their order, and further columns: `atoms`,
        mole fraction `x` of the second element, `enthalpy` of formation from the pure
        elements (the paper's eq. 1) and its standard `error` in J/mol of atoms, and
        `substitution`, the same in eV for each atom of the rarer element.

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
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"name": ["Na_in_Li"], "n_first": 53, "n_second": 1,
    ...                       "energy": -101.920202, "e_first": -1.9019451, "e_second": -1.3223448})
    >>> mixing_energies(cells)[["x", "enthalpy", "error"]].round(4).to_dict("records")
    [{'x': 0.0185, 'enthalpy': 366.7034, 'error': 17.8677}]
    """
    if not 0 < uncertainty < math.inf:
        raise ValueError(f"the uncertainty is positive and finite, in eV; got {uncertainty!r}")
    if "origin" not in cells:
        cells = cells.assign(origin=cells["name"])
    cells = cells.reindex(columns=list(COLUMNS)).reset_index(drop=True)
    cells["atoms"] = cells["n_first"] + cells["n_second"]
    _check_distinct(cells)
    for column, what, limit, unit in (
        ("force", "residual force", max_force, "eV/Å"),
        ("pressure", "pressure", max_pressure, "kbar"),
    ):
        # What is not known is NaN, and not larger.
        if (at := first_of(cells[column].abs() > limit)) is not None:
            raise DatasetError(
                f"{cells.loc[at, 'origin']}: the {what} is {cells.loc[at, column]:g} {unit}, more "
                f"than the {limit:g} {unit} allowed: relax it further, or raise the limit"
            )
    mixed = cells[(cells["n_first"] > 0) & (cells["n_second"] > 0)].copy()
    if mixed.empty:
        names = ", ".join(cells["name"]) or "none"
        raise DatasetError(f"no cell holds both {' and '.join(components)}; the cells are: {names}")
    for own, other, element in (
        ("first", "second", components[0]),
        ("second", "first", components[1]),
    ):
        pure = cells[cells[f"n_{other}"] == 0]
        mixed[f"e_{own}"] = _references(mixed, f"e_{own}", pure, element)
    rare = mixed[["n_first", "n_second"]].min(axis=1)
    # The paper's eq. 1, over N.
    pure_energy = mixed["n_first"] * mixed["e_first"] + mixed["n_second"] * mixed["e_second"]
    per_atom = (mixed["energy"] - pure_energy) / mixed["atoms"]
    mixed["x"] = mixed["n_second"] / mixed["atoms"]
    mixed["enthalpy"] = per_atom * EV_IN_J_PER_MOL
    mixed["error"] = uncertainty * rare / mixed["atoms"] * EV_IN_J_PER_MOL
    mixed["substitution"] = per_atom * mixed["atoms"] / rare
    most = LARGEST_SUBSTITUTION_ENERGY
    if (at := first_of(~(mixed["substitution"].abs() <= most))) is not None:
        raise DatasetError(
            f"{mixed.loc[at, 'origin']}: an energy of formation of "
            f"{mixed.loc[at, 'substitution']:g} eV for each atom of the rarer element is beyond "
            f"±{most:g} eV: are all energies in eV, that of the whole cell and those of the pure "
            "elements per atom, by the same method?"
        )
    return mixed.reset_index(drop=True)


def substitution_pairs(energies: pd.DataFrame) -> dict[int, tuple[float, float]]:
    """Substitution energies of both sides, where a size of cell has exactly one of each.

    Parameters
    ----------
    energies
        As of `mixing_energies`.

    Returns
    -------
    dict of int to tuple of two floats
        Atoms of the cell to the energies in eV of the second element in the first and back.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"name": ["Na_in_Li", "Li_in_Na"], "n_first": [15, 1],
    ...                       "n_second": [1, 15], "energy": [0.19, 0.15], "e_first": 0.0,
    ...                       "e_second": 0.0})
    >>> substitution_pairs(mixing_energies(cells))
    {16: (0.19, 0.15)}
    """
    pairs = {}
    for atoms, some in energies[energies["atoms"] > 2].groupby("atoms", sort=False):
        sides = [some.loc[some[f"n_{rare}"] == 1, "substitution"] for rare in ("second", "first")]
        if [len(side) for side in sides] == [1, 1]:
            pairs[int(str(atoms))] = (float(sides[0].iloc[0]), float(sides[1].iloc[0]))
    return pairs


def _references(mixed: pd.DataFrame, own: str, pure: pd.DataFrame, element: str) -> pd.Series:
    """Energy of a pure element for each cell, in eV per atom: its own, or of a pure cell."""
    by_size = (pure["energy"] / pure["atoms"]).groupby(pure["atoms"])
    count = mixed["atoms"].map(by_size.size())
    found = mixed["atoms"].map(by_size.first())
    if len(pure) == 1:
        found = found.fillna((pure["energy"] / pure["atoms"]).iloc[0])
        count = count.fillna(1)
    if (at := first_of(mixed[own].isna() & (count != 1))) is not None:
        atoms = mixed.loc[at, "atoms"]
        there = pure[pure["atoms"] == atoms] if (pure["atoms"] == atoms).any() else pure
        names = ", ".join(there["name"])
        what = f"several energies of pure {element} ({names})" if names else f"no pure {element}"
        raise DatasetError(
            f"{mixed.loc[at, 'origin']} has {what} to refer to: give one cell of {element} alone, "
            f"best of {atoms} atoms, or e_{element.lower()}_ev_per_atom in a table"
        )
    return mixed[own].fillna(found)


def _check_distinct(cells: pd.DataFrame) -> None:
    for what, columns in (
        ("name", ["name"]),
        ("atoms and energy", ["n_first", "n_second", "energy", "e_first", "e_second"]),
    ):
        if (at := first_of(cells.duplicated(columns))) is not None:
            same = (cells[columns].fillna(0) == cells.loc[at, columns].fillna(0)).all(axis=1)
            raise DatasetError(
                f"{cells.loc[at, 'origin']} is there already as "
                f"{cells.loc[first_of(same), 'origin']}: the same {what}. Keep one of them"
            )


def _joules(energies: ArrayLike) -> NDArray[Any]:
    """Substitution energies in J/mol, if they are such in eV."""
    found, most = np.asarray(energies, dtype=float), LARGEST_SUBSTITUTION_ENERGY
    wrong = ~(np.abs(found) <= most)
    if wrong.any():
        raise ValueError(
            f"a substitution energy is between {-most:g} and {most:g} eV; "
            f"got {found[wrong].flat[0]:g}: is it in J/mol, or the energy of the whole cell?"
        )
    return np.asarray(found * EV_IN_J_PER_MOL)
