"""Where a Li-Na alloy is no solid any more, by pycalphad's plain Model of every phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import bisect
from scipy.special import expit

from lina_calphad.anode.boundaries import ends_of
from lina_calphad.errors import OutsideAssessedRange
from lina_calphad.gap import SEARCH_RANGE

if TYPE_CHECKING:
    from lina_calphad.curves import Array, Flags
    from lina_calphad.quantities import Description

# Liquids tried against the solid. Steps of 0.02 in ln(x/(1-x)) miss the lowest by less than
# 0.05 J/mol, a hundredth of a kelvin in a melting temperature.
_LIQUIDS = np.concatenate([[0.0], expit(np.linspace(-20, 20, 2001)), [1.0]])

# All alloys inside the chemical binodal melt at one temperature: few points see all liquid.
_WAY = expit(np.linspace(-15, 15, 61))
_VALUES_AT_ONCE = 2_000_000
_LEAST, _MOST = 1e-300, np.nextafter(1, 0)  # mole fractions that are not quite 0 and 1
_MINUS_INFINITY = -1e30  # in J/mol; zero times it is still zero


def liquid_present(description: Description, x: Array, T: Array) -> Flags | None:
    """Whether liquid takes part in the equilibrium of stress-free phases.

    It does where some liquid lies below the tangent to the stable bcc: that at x, or the
    common one inside the chemical binodal. Both energies are those of pycalphad's plain
    Model; melting temperatures come out to a hundredth of a kelvin.

    Parameters
    ----------
    description
        As from `describe`.
    x, T
        Mole fraction of Na, from 0 to 1, and temperature in K, of one shape.

    Returns
    -------
    ndarray of bool, or None
        None if the database has no LIQUID.
    """
    solid, liquid = description.chemical, description.liquid
    if liquid is None:
        return None
    present = np.zeros(x.size, bool)
    flat, levels = x.ravel(), T.ravel()
    for level in np.unique(levels):
        energies = liquid.gibbs_energy(level, _LIQUIDS)
        low, high = ends_of(solid, "chemical binodal", np.array(level))
        rows = np.flatnonzero(levels == level)
        for part in np.array_split(rows, 1 + rows.size * _LIQUIDS.size // _VALUES_AT_ONCE):
            within = (low <= flat[part]) & (flat[part] < high)
            # At a pure element the chemical potential of the other diverges.
            ends = [
                np.clip(np.where(within, end, flat[part]), _LEAST, _MOST) for end in (low, high)
            ]
            # All alloys inside the gap have one tangent.
            (a, b), back = np.unique(ends, axis=1, return_inverse=True)
            first = solid.gibbs_energy(level, a) - a * solid.diffusion_potential(level, a)
            second = solid.gibbs_energy(level, b) + (1 - b) * solid.diffusion_potential(level, b)
            first[a == _MOST] = second[b == _LEAST] = _MINUS_INFINITY
            tangent = np.outer(first, 1 - _LIQUIDS) + np.outer(second, _LIQUIDS)
            below: Flags = np.any(energies < tangent, axis=1)
            present[part] = below[back]
    return present.reshape(x.shape)


def refuse_molten(description: Description, x0: Array, T: Array) -> None:
    """OutsideAssessedRange if liquid forms between x0 and pure Na."""

    def molten(x0: Array, T: Array) -> Flags:
        way = np.maximum(_WAY, x0[:, None])
        liquid = liquid_present(description, way, np.broadcast_to(T[:, None], way.shape))
        return np.zeros(T.shape, bool) if liquid is None else np.asarray(liquid.any(axis=1))

    levels = np.unique(T)
    starts = np.array([x0[level == T].min() for level in levels])
    wrong = np.flatnonzero(molten(starts, levels))
    if wrong.size:
        start, level = starts[wrong[0]], levels[wrong[0]]

        def sign(T: float) -> float:
            return 0.5 - float(molten(np.array([start]), np.array([T]))[0])

        low = SEARCH_RANGE[0]
        top = bisect(sign, low, level, xtol=0.01) if sign(low) > 0 else low
        msg = (
            f"liquid forms on the way from x0 = {start:g} to pure Na at {level:g} K: the path is "
            f"that of a solid, which stays one below {top:.2f} K"
        )
        raise OutsideAssessedRange(msg)
