"""Where a Li-Na alloy is no solid any more."""

from __future__ import annotations

from itertools import zip_longest
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
    """OutsideAssessedRange if liquid forms between x0 and pure Na, which says where."""
    levels = np.unique(T)
    for level, ranges in zip(levels, alloy.liquid_ranges(levels), strict=True):
        start = x0[level == T].min()
        x = next((max(low, start) for low, high in ranges if high > start), None)
        if x is not None:
            away = (x - start) / (x * (1 - start))
            raise OutsideAssessedRange(
                f"liquid forms on the way from x0 = {start:g} to pure Na at {level:g} K, from "
                f"x(Na) = {number(x)} on, {percent(away)} % of the Li stripped: the path is that "
                f"of a solid, which stays one below {in_kelvin(alloy.melting(start, level))}"
            )


def melting_point(alloy: Alloy, x0: float, low: float, high: float) -> float:
    """Lowest temperature of liquid between x0 and pure Na; `low` if below, infinite if above."""
    if not alloy.melts_on_the_way(np.array([x0]), np.array([high]))[0]:
        return np.inf
    return max(low, alloy.melting(x0, high))


def liquid_ranges(alloy: Alloy, T: Array) -> Array:
    """As of the alloy, shape (ranges, temperatures, 2); NaN where a temperature has fewer."""
    ranges = [*zip_longest(*alloy.liquid_ranges(T), fillvalue=(np.nan, np.nan))]
    return np.array(ranges, dtype=float).reshape(len(ranges), T.size, 2)
