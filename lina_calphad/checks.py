"""Numbers that must lie in a range: one check and one message for each kind of number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Temperatures in K between which critical points are searched.
SEARCH_RANGE = (1.0, 10_000.0)


def kelvin(T: ArrayLike) -> Array:
    """`T` as a new array of floats; ValueError if one is not a positive, finite number.

    Examples
    --------
    >>> kelvin([300, -1])
    Traceback (most recent call last):
    ...
    ValueError: a temperature is a positive, finite number of kelvin; got -1
    """
    array = np.array(T, dtype=float)  # a copy: results must not change with their input
    bad = ~(np.isfinite(array) & (array > 0))
    if bad.any():
        raise ValueError(
            f"a temperature is a positive, finite number of kelvin; got {array[bad].flat[0]:.12g}"
        )
    return array


def pascal(pressure: float) -> float:
    """The pressure; ValueError if it is not a positive, finite number."""
    if not 0 < float(pressure) < np.inf:
        raise ValueError(f"a pressure is a positive, finite number of pascal; got {pressure}")
    return float(pressure)


def fraction(x: ArrayLike, what: str = "a mole fraction", *, ends: bool = True) -> Array:
    """`x` as a new array of floats; ValueError, which begins with `what`, if not from 0 to 1.

    An alloy (`ends=False`) is neither pure element: 0 and 1 are refused, too.

    Examples
    --------
    >>> fraction(1.2)
    Traceback (most recent call last):
    ...
    ValueError: a mole fraction lies between 0 and 1; got 1.2
    """
    array = np.array(x, dtype=float)
    good = (array >= 0) & (array <= 1) if ends else (array > 0) & (array < 1)
    if not good.all():
        raise ValueError(f"{what} lies between 0 and 1; got {array[~good].flat[0]:.12g}")
    return array


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
        raise ValueError(f"{what}, from {low:g} to {high:g}; got {array[~allowed].flat[0]:.12g}")
    return array


def list_temperatures(T: Array) -> str:
    """Temperatures for a message, each or their range."""
    T = np.unique(T)
    if T.size <= 3:
        return f"{', '.join(f'{value:g}' for value in T)} K"
    return f"{T.size} temperatures from {T[0]:g} to {T[-1]:g} K"
