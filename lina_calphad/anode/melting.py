"""Where a Li-Na alloy is no solid any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lina_calphad.anode.words import in_kelvin, number, percent
from lina_calphad.errors import OutsideAssessedRange

if TYPE_CHECKING:
    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy

#: Error of a melting temperature in K.
MELTING_ERROR = 0.01


def refuse_molten(alloy: Alloy, x0: Array, T: Array) -> None:
    """OutsideAssessedRange if liquid forms between x0 and pure Na."""
    levels = np.unique(T)
    starts = np.array([x0[level == T].min() for level in levels])
    wrong = np.flatnonzero(alloy.melts_on_the_way(starts, levels))
    if wrong.size:
        start, level = starts[wrong[0]], levels[wrong[0]]
        x = next(max(low, start) for low, high in alloy.liquid_ranges(level)[0] if high > start)
        away = (x - start) / (x * (1 - start))
        where = f"from x(Na) = {number(x)} on, {percent(away)} % of the Li stripped"
        msg = (
            f"liquid forms on the way from x0 = {start:g} to pure Na at {level:g} K, {where}: the "
            "path is that of a solid, which stays one below "
            f"{in_kelvin(alloy.melting(start, level))}"
        )
        raise OutsideAssessedRange(msg)


def melting_point(alloy: Alloy, x0: float, low: float, high: float) -> float | None:
    """Lowest temperature of liquid between x0 and pure Na; `low` or None if out of the range."""
    if not alloy.melts_on_the_way(np.array([x0]), np.array([high]))[0]:
        return None
    return max(low, alloy.melting(x0, high))


def liquid_ranges(alloy: Alloy, T: Array) -> Array:
    """As of the alloy, shape (temperatures, ranges, 2); NaN where a temperature has fewer."""
    ranges = alloy.liquid_ranges(T)
    found = np.full((T.size, max(1, *map(len, ranges)) if ranges else 1, 2), np.nan)
    for row, some in zip(found, ranges, strict=True):
        row[: len(some)] = np.reshape(some, (-1, 2))
    return found
