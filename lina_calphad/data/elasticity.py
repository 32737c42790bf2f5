"""Elastic constants and misfit of a cubic crystal: the coherency coefficient B."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.constants import N_A

from lina_calphad.errors import ElasticDataError


def biaxial_modulus(c11: Any, c12: Any, c44: Any, direction: Sequence[float] = (1, 0, 0)) -> Any:
    r"""Biaxial modulus of a cubic crystal for a plane wave along any direction.

    :math:`Y(n) = \frac12 [3K - K^2\, n\cdot\Gamma^{-1} n]` with
    :math:`K = C_{11} + 2 C_{12}` and the acoustic tensor
    :math:`\Gamma_{ik} = C_{ijkl} n_j n_l` (Khachaturyan, Theory of Structural
    Transformations in Solids, 1983). It contains Cahn's
    :math:`Y_{100} = C_{11} + C_{12} - 2 C_{12}^2/C_{11}` and :math:`Y_{111}`
    (Acta Metall. 10 (1962) 179). It has the unit of the constants, which may be numbers,
    arrays or symbolic expressions.

    Raises
    ------
    ElasticDataError
        If `direction` is not three Miller indices, finite and not all zero.

    Examples
    --------
    >>> round(biaxial_modulus(13.5, 11.4, 8.8, (1, 0, 0)), 6)
    5.646667
    """
    try:
        h, k, l = (float(index) for index in direction)  # noqa: E741 - Miller's own letters
        length = math.hypot(h, k, l)
    except (TypeError, ValueError):
        length = math.nan
    if not (math.isfinite(length) and length > 0):
        raise ElasticDataError(
            f"a direction is three Miller indices, not all zero; got {direction!r}"
        )
    n = h / length, k / length, l / length
    # The acoustic tensor of a cubic crystal is diag(d1, d2, d3) + (C12 + C44) n n^T;
    # written with its cofactors, the inverse has no pole but det = 0.
    d1, d2, d3 = (c44 + (c11 - c12 - 2 * c44) * component**2 for component in n)
    cofactors = n[0] ** 2 * d2 * d3 + n[1] ** 2 * d3 * d1 + n[2] ** 2 * d1 * d2
    compliance = cofactors / (d1 * d2 * d3 + (c12 + c44) * cofactors)
    trace = c11 + 2 * c12
    return trace * (3 - trace * compliance) / 2


@dataclass(frozen=True)
class CubicElasticity:
    r"""Elastic constants of a cubic crystal, checked for mechanical stability.

    Parameters
    ----------
    c11, c12, c44
        Elastic constants in GPa.

    Raises
    ------
    ElasticDataError
        If Born's conditions for a cubic crystal do not hold (C44 > 0,
        C11 > \\|C12\\|, C11 + 2 C12 > 0), or a constant is above 5000 GPa.

    Examples
    --------
    >>> li = CubicElasticity.isotropic(youngs_modulus=13.8, poisson_ratio=0.33)
    >>> round(li.biaxial_modulus((1, 1, 1)), 6)  # E / (1 - nu) in every direction
    20.597015
    >>> round(CubicElasticity(7.4, 6.2, 4.2).zener_ratio, 6)
    7.0
    """

    c11: float
    c12: float
    c44: float

    def __post_init__(self) -> None:
        c11, c12, c44 = self.c11, self.c12, self.c44
        if max(abs(c11), abs(c12), abs(c44)) > 5000:
            raise ElasticDataError(
                f"elastic constants are in GPa, none above 5000; got {c11}, {c12}, {c44}: "
                "are they in Pa?"
            )
        if not (c44 > 0 and c11 > abs(c12) and c11 + 2 * c12 > 0 and math.isfinite(c11 + c12)):
            raise ElasticDataError(
                f"a cubic crystal with C11 = {c11}, C12 = {c12}, C44 = {c44} GPa is mechanically "
                "unstable: Born's conditions are C44 > 0, C11 > |C12|, C11 + 2 C12 > 0"
            )

    @classmethod
    def isotropic(cls, youngs_modulus: float, poisson_ratio: float) -> CubicElasticity:
        """Make an isotropic body from Young's modulus (GPa) and Poisson's ratio.

        Examples
        --------
        >>> CubicElasticity.isotropic(13.8, 0.33).c44
        5.18796992481203
        """
        if not -1 < poisson_ratio < 0.5:
            raise ElasticDataError(f"Poisson's ratio lies between -1 and 0.5; got {poisson_ratio}")
        scale = youngs_modulus / ((1 + poisson_ratio) * (1 - 2 * poisson_ratio))
        shear = youngs_modulus / (2 * (1 + poisson_ratio))
        return cls(scale * (1 - poisson_ratio), scale * poisson_ratio, shear)

    @property
    def zener_ratio(self) -> float:
        """Zener's anisotropy ratio 2 C44/(C11 - C12): 1 for an isotropic body."""
        return 2 * self.c44 / (self.c11 - self.c12)

    def biaxial_modulus(self, direction: Sequence[float] = (1, 0, 0)) -> float:
        """Biaxial modulus in GPa for a modulation along `direction`; see `biaxial_modulus`."""
        return float(biaxial_modulus(self.c11, self.c12, self.c44, direction))


def coherency_coefficient(
    elasticity: CubicElasticity,
    a_host: float,
    a_solute: float,
    direction: Sequence[float] = (1, 0, 0),
    *,
    atoms_per_cell: int = 2,
) -> float:
    r"""Cahn's coherency coefficient B of :math:`G_{el} = B x^2` (the paper's eq. 12), in J/mol.

    :math:`B = Y \chi^2 a_\mathrm{host}^3 N_A / N_0` with the Vegard
    coefficient :math:`\chi = a_\mathrm{solute}/a_\mathrm{host} - 1`.

    Parameters
    ----------
    elasticity
        Elastic constants of the host.
    a_host, a_solute
        Lattice constants of host and solute in ångström, in the same structure.
    direction
        Miller indices of the modulation.
    atoms_per_cell
        Atoms in the cell whose edge is `a_host`: 2 for bcc, 4 for fcc.

    Raises
    ------
    ElasticDataError
        If a lattice constant is not between 1 and 100 Å.

    Examples
    --------
    The value the paper uses for Li-Na:

    >>> coherency_coefficient(CubicElasticity.isotropic(13.8, 0.33), 3.42, 4.19)
    12575.716746468...
    """
    for name, value in (("a_host", a_host), ("a_solute", a_solute)):
        if not 1 <= value <= 100:
            raise ElasticDataError(
                f"{name} is a lattice constant in ångström, between 1 and 100; got {value!r}"
            )
    misfit = a_solute / a_host - 1
    molar_volume = (a_host * 1e-10) ** 3 * N_A / atoms_per_cell
    return elasticity.biaxial_modulus(direction) * 1e9 * molar_volume * misfit**2
