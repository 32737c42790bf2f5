"""Where a Li-Na alloy is no solid any more, by pycalphad's plain Model of every phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import constants
from scipy.optimize import bisect
from scipy.special import expit

from lina_calphad.errors import OutsideAssessedRange

if TYPE_CHECKING:
    from lina_calphad.checks import Array, Flags
    from lina_calphad.diagram.alloy import Alloy

#: Error of a melting temperature in K.
MELTING_ERROR = 0.01

_TAIL = np.arange(16.0, 41.0)
_EDGE = np.concatenate([-_TAIL[::-1], np.linspace(-15, 15, 601), _TAIL])  # ln(x/(1-x))
_PARTS = 16  # of a bracket at once: most of the time goes into the gaps at all temperatures


def in_kelvin(T: float) -> str:
    """A temperature in both units, since either may be the reader's."""
    return f"{round(T, 2):g} K ({T - constants.zero_Celsius:.1f} °C)"


def refuse_molten(alloy: Alloy, x0: Array, T: Array) -> None:
    """OutsideAssessedRange if liquid forms between x0 and pure Na."""
    levels = np.unique(T)
    starts = np.array([x0[level == T].min() for level in levels])
    wrong = np.flatnonzero(alloy.melts_on_the_way(starts, levels))
    if wrong.size:
        start, level = starts[wrong[0]], levels[wrong[0]]
        msg = (
            f"liquid forms on the way from x0 = {start:g} to pure Na at {level:g} K: the "
            f"path is that of a solid, which stays one below "
            f"{in_kelvin(alloy.melting(start, level))}"
        )
        raise OutsideAssessedRange(msg)


def melting_point(alloy: Alloy, x0: float, low: float, high: float) -> float | None:
    """Lowest temperature of liquid between x0 and pure Na; `low` or None if out of the range."""

    def solid(T: float) -> float:
        return 0.5 - float(alloy.melts_on_the_way(np.array([x0]), np.array([T]))[0])

    if solid(high) > 0:
        return None
    return float(bisect(solid, low, high, xtol=MELTING_ERROR)) if solid(low) > 0 else low


def liquid_ranges(alloy: Alloy, T: Array) -> Array:
    """Mole fractions between which liquid takes part, shape (temperatures, ranges, 2).

    To some 1e-9 in ln(x/(1-x)); NaN where a temperature has fewer ranges.
    """

    def molten(t: Array, T: Array) -> Flags:
        found = alloy.liquid_present(expit(t), T)
        return np.zeros(t.shape, bool) if found is None else found

    t, levels = (np.ravel(a) for a in np.meshgrid(_EDGE, T))
    flags = molten(t, levels).reshape(T.size, _EDGE.size)
    row, column = np.nonzero(np.diff(flags, axis=1, prepend=False, append=False))
    inner = (column > 0) & (column < _EDGE.size)
    low, high = _EDGE[column[inner] - 1], _EDGE[column[inner]]
    before = flags[row[inner], column[inner] - 1]
    for _ in range(6 if low.size else 0):
        part = (high - low) / _PARTS
        between = low + part * np.arange(1, _PARTS)[:, None]
        same = molten(between, np.broadcast_to(T[row[inner]], between.shape)) == before
        low = low + part * same.sum(axis=0)
        high = low + part
    x = np.where(column == 0, 0.0, 1.0)  # a pure element that melts
    x[inner] = expit((low + high) / 2)
    count = np.bincount(row, minlength=T.size)
    found = np.full((T.size, max(1, count.max(initial=0) // 2) * 2), np.nan)
    found[np.arange(found.shape[1]) < count[:, None]] = x
    return found.reshape(T.size, -1, 2)
