"""The curves that enclose a Li-Na alloy: both ends of every binodal and spinodal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lina_calphad.comparison import KINDS
from lina_calphad.errors import NoMiscibilityGap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lina_calphad.curves import Array
    from lina_calphad.family import SolutionFamily
    from lina_calphad.quantities import Description
    from lina_calphad.solution import BinarySolution

#: Ends of every curve, such as "coherent spinodal alpha": alpha is the Li-rich end.
BOUNDARIES = tuple(f"{kind} {branch}" for kind in KINDS for branch in ("alpha", "beta"))


def curve_ends(description: Description, T: Array) -> dict[str, Array]:
    """Both ends of every curve by kind, shape (2, *T.shape); NaN where there is no gap."""
    levels, back = np.unique(T, return_inverse=True)
    return {
        kind: ends_of(description.solutions[kind.split()[0]], kind, levels)[
            :, back.reshape(T.shape)
        ]
        for kind in KINDS
    }


def named_boundaries(ends: Mapping[str, Array]) -> dict[str, Array]:
    """The same by `BOUNDARIES`, masked where there is no gap."""
    both = (branch for kind in KINDS for branch in ends[kind])
    return {
        name: np.ma.masked_invalid(branch) for name, branch in zip(BOUNDARIES, both, strict=True)
    }


def ends_of(
    solution: BinarySolution | SolutionFamily, kind: str, T: Array, *values: Array
) -> Array:
    """Both ends of a curve on a first axis; NaN where there is no gap."""
    try:
        found = getattr(solution, kind.split()[1])(T, *values)
    except NoMiscibilityGap:
        return np.full((2, *(len(v) for v in values), *T.shape), np.nan)
    ends: Array = np.ma.filled(np.ma.stack([found.x_alpha, found.x_beta]), np.nan)
    return ends
