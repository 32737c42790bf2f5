"""From energies of supercells to interaction parameters; numbers only.

One atom substituted in a cell of N costs dE, and there are two ways to make the
parameters of G(x) = x (1 - x) [⁰L + ¹L (1 - 2 x)] of the two costs, one on each
side. The paper takes x = 1/N for infinitely dilute: then dE is the slope of G at
the pure element (eqs. 8 and 9). Strictly N G(1/N) = dE, and a curve through both
points has ⁰L larger by N/(N - 1) and ¹L by N²/((N - 1)(N - 2)). With N = 128 that
is 0.8 % and 2.4 %, which is why the strict parameters are not those of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import constants

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: J/mol of atoms in one eV per atom.
EV_IN_J_PER_MOL = constants.e * constants.N_A

#: A larger substitution energy, in eV, is no energy of one atom in a metal.
LARGEST_SUBSTITUTION_ENERGY = 5.0


@dataclass(frozen=True, eq=False)
class InteractionParameters:
    """Two Redlich-Kister parameters, and how they follow from two substitution energies.

    Parameters
    ----------
    method
        "finite difference" or "Redlich-Kister".
    L0, L1
        ⁰L and ¹L in (x_first - x_second)^k, in J/mol of atoms.
    jacobian
        Shape (2, 2): derivatives of (⁰L, ¹L) with respect to the substitution
        energies (second in first, first in second) in J/mol.
    """

    method: str
    L0: float
    L1: float
    jacobian: NDArray[np.float64]

    def covariance(self, uncertainty: float = 0.01) -> NDArray[np.float64]:
        """Covariance of (⁰L, ¹L) from independent errors of the two energies.

        Parameters
        ----------
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
        >>> errors = finite_difference(0.268, 0.149).covariance(0.01).diagonal() ** 0.5
        >>> [round(float(error), 1) for error in errors]
        [682.3, 682.3]
        """
        if not 0 <= uncertainty < np.inf:
            msg = f"an uncertainty is finite and not negative; got {uncertainty!r} eV"
            raise ValueError(msg)
        return (uncertainty * EV_IN_J_PER_MOL) ** 2 * self.jacobian @ self.jacobian.T

    def __repr__(self) -> str:
        return f"<InteractionParameters by {self.method}: L0 = {self.L0:.1f}, L1 = {self.L1:.1f}>"


def formation_energy(
    energy: ArrayLike,
    n_first: ArrayLike,
    n_second: ArrayLike,
    first_energy: ArrayLike,
    second_energy: ArrayLike,
) -> NDArray[np.float64]:
    """Energy of formation from the pure elements, per atom (the paper's eq. 1, over N).

    Parameters
    ----------
    energy
        Energy of the whole cell in eV; everything broadcasts.
    n_first, n_second
        Numbers of atoms of the two elements.
    first_energy, second_energy
        Energies of the pure elements in eV per atom.

    Returns
    -------
    ndarray
        In eV per atom.

    Raises
    ------
    ValueError
        If a cell is without atoms, or a number is not finite.

    Examples
    --------
    >>> round(float(formation_energy(-101.920202, 53, 1, -1.9019451, -1.3223448)), 6)
    0.003801
    """
    e, n1, n2, e1, e2 = (
        np.asarray(given, dtype=float)
        for given in (energy, n_first, n_second, first_energy, second_energy)
    )
    for name, numbers in (("numbers of atoms", n1 + n2), ("energies", e + e1 + e2)):
        if not np.isfinite(numbers).all():
            msg = f"{name} must be finite; got {numbers}"
            raise ValueError(msg)
    if ((n1 < 0) | (n2 < 0) | (n1 + n2 < 1)).any():
        msg = f"a cell has at least one atom and no negative number of them; got {n1} and {n2}"
        raise ValueError(msg)
    return np.asarray((e - n1 * e1 - n2 * e2) / (n1 + n2))


def substitution_energy(
    energy: float, atoms: int, host_energy: float, solute_energy: float
) -> float:
    """Energy of one substituted atom, the bracket of the paper's eqs. 8 and 9.

    Parameters
    ----------
    energy
        Energy in eV of the cell with one atom substituted.
    atoms
        Number N of its atoms, 2 or more.
    host_energy, solute_energy
        Energies of the pure elements in eV per atom.

    Returns
    -------
    float
        E(N-1; 1) - (N-1) E_host - E_solute, in eV.

    Raises
    ------
    ValueError
        If there are fewer than 2 atoms, or an energy is not finite or, as a
        substitution energy, beyond ±5 eV.

    Examples
    --------
    >>> round(substitution_energy(-101.920202, 54, -1.9019451, -1.3223448), 4)
    0.2052
    """
    _check_atoms(atoms, 2)
    (found,) = _check_energies(energy - (atoms - 1) * host_energy - solute_energy)
    return found


def finite_difference(second_in_first: float, first_in_second: float) -> InteractionParameters:
    """⁰L and ¹L with the substituted atom taken for infinitely dilute (eqs. 8 and 9).

    Parameters
    ----------
    second_in_first
        Substitution energy in eV of the second element in the first (Na in Li).
    first_in_second
        Substitution energy in eV of the first element in the second (Li in Na).

    Returns
    -------
    InteractionParameters

    Raises
    ------
    ValueError
        If an energy is not finite or beyond ±5 eV.

    Examples
    --------
    >>> finite_difference(25882.4 / EV_IN_J_PER_MOL, 14337.2 / EV_IN_J_PER_MOL)
    <InteractionParameters by finite difference: L0 = 20109.8, L1 = 5772.6>
    """
    jacobian = np.array([[0.5, 0.5], [0.5, -0.5]])
    return _parameters("finite difference", jacobian, second_in_first, first_in_second)


def redlich_kister(
    second_in_first: float, first_in_second: float, atoms: int
) -> InteractionParameters:
    """⁰L and ¹L of the curve through both energies, at x = 1/N and 1 - 1/N (eqs. 1 and 3).

    Parameters
    ----------
    second_in_first
        Substitution energy in eV of the second element in the first (Na in Li).
    first_in_second
        Substitution energy in eV of the first element in the second (Li in Na).
    atoms
        Number N of atoms of either cell, 3 or more: with 2 both are x = 1/2.

    Returns
    -------
    InteractionParameters

    Raises
    ------
    ValueError
        If there are fewer than 3 atoms, or an energy is not finite or beyond ±5 eV.

    Examples
    --------
    >>> redlich_kister(25882.4 / EV_IN_J_PER_MOL, 14337.2 / EV_IN_J_PER_MOL, 128)
    <InteractionParameters by Redlich-Kister: L0 = 20268.1, L1 = 5910.4>
    """
    _check_atoms(atoms, 3)
    scale = atoms / (atoms - 1)
    jacobian = scale * np.array([[0.5, 0.5], np.array([0.5, -0.5]) * atoms / (atoms - 2)])
    return _parameters("Redlich-Kister", jacobian, second_in_first, first_in_second)


def _parameters(
    method: str, jacobian: NDArray[np.float64], second_in_first: float, first_in_second: float
) -> InteractionParameters:
    energies = np.array(_check_energies(second_in_first, first_in_second)) * EV_IN_J_PER_MOL
    L0, L1 = (float(parameter) for parameter in jacobian @ energies)
    return InteractionParameters(method, L0, L1, jacobian)


def _check_atoms(atoms: int, fewest: int) -> None:
    if not (atoms >= fewest and float(atoms).is_integer()):
        msg = f"atoms is a whole number, {fewest} or more; got {atoms!r}"
        raise ValueError(msg)


def _check_energies(*energies: float) -> list[float]:
    most = LARGEST_SUBSTITUTION_ENERGY
    for energy in energies:
        if not abs(energy) <= most:
            msg = (
                f"a substitution energy is between {-most:g} and {most:g} eV; "
                f"got {energy:g}: is it in J/mol, or the energy of the whole cell?"
            )
            raise ValueError(msg)
    return [float(energy) for energy in energies]
