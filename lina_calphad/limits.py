"""Numbers that must lie in a range: one check, one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lina_calphad.curves import Array


def within(value: ArrayLike, limits: tuple[float, float], what: str) -> Array:
    """The value as an array; ValueError, which begins with `what`, if one is out of range.

    Examples
    --------
    >>> within(20, (1e-9, 1e-2), "thickness is in m")
    Traceback (most recent call last):
    ...
    ValueError: thickness is in m, from 1e-09 to 0.01; got 20
    """
    array = np.array(value, dtype=float)
    low, high = limits
    allowed = (array >= low) & (array <= high)
    if not allowed.all():
        msg = f"{what}, from {low:g} to {high:g}; got {array[~allowed].flat[0]:.12g}"
        raise ValueError(msg)
    return array


def inside(x: ArrayLike, what: str) -> Array:
    """The same for a mole fraction of an alloy, which is neither 0 nor 1."""
    array = np.array(x, dtype=float)
    allowed = (array > 0) & (array < 1)
    if not allowed.all():
        msg = f"{what}, lies between 0 and 1; got {array[~allowed].flat[0]:.12g}"
        raise ValueError(msg)
    return array
