"""The curves that enclose a Li-Na alloy: both ends of every binodal and spinodal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lina_calphad.plots import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lina_calphad.checks import Array
    from lina_calphad.phase.alloy import Alloy

#: Ends of every curve, such as "coherent spinodal alpha": alpha is the Li-rich end.
BOUNDARIES = tuple(f"{kind} {branch}" for kind in KINDS for branch in ("alpha", "beta"))


def curve_ends(description: Alloy, T: Array) -> dict[str, Array]:
    """Both ends of every curve by kind, shape (2, *T.shape); NaN where there is no gap."""
    levels, back = np.unique(T, return_inverse=True)
    return {
        kind: description.solutions[kind.split()[0]].ends(kind.split()[1], levels)[
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
