"""Where a Li-Na alloy is no solid any more, by pycalphad's plain Model of every phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lina_calphad.errors import OutsideAssessedRange

if TYPE_CHECKING:
    from lina_calphad.checks import Array
    from lina_calphad.phase.alloy import Alloy


def refuse_molten(alloy: Alloy, x0: Array, T: Array) -> None:
    """OutsideAssessedRange if liquid forms between x0 and pure Na."""
    levels = np.unique(T)
    starts = np.array([x0[level == T].min() for level in levels])
    wrong = np.flatnonzero(alloy.melts_on_the_way(starts, levels))
    if wrong.size:
        start, level = starts[wrong[0]], levels[wrong[0]]
        msg = (
            f"liquid forms on the way from x0 = {start:g} to pure Na at {level:g} K: the path is "
            f"that of a solid, which stays one below {alloy.melting(start, level):.2f} K"
        )
        raise OutsideAssessedRange(msg)
