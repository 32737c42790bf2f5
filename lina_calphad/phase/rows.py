"""Rows of numbers, one a description at one temperature: parts of them, roots of all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize.elementwise import find_minimum, find_root

from lina_calphad.checks import Array, Flags

Rows = tuple[Array, ...]  # T, and one array for each free symbol


def rows_of(T: Array, values: Any) -> Rows:
    """Rows of one description at many temperatures."""
    return T, *(np.full(T.shape, value) for value in values)


def take(rows: Rows, index: Any) -> Rows:
    """Some of the rows."""
    return tuple(r[index] for r in rows)


def columns(rows: Rows) -> Rows:
    """Rows with a last axis for compositions."""
    return tuple(r[..., None] for r in rows)


def parts(size: int, at_once: int) -> list[slice]:
    """Pieces of so many rows that they fit in memory."""
    return [slice(start, start + at_once) for start in range(0, size, at_once)]


def root(f: Any, bracket: Any, args: Rows = (), tolerance: float = 0.0) -> tuple[Array, Flags]:
    """Root in each bracket, to neighbouring doubles if not said otherwise; where it converged."""
    if np.size(bracket[0]) == 0:
        return np.zeros(0), np.zeros(0, bool)
    rough: Any = {"xatol": tolerance, "xrtol": 0.0} if tolerance else None
    # The method takes square roots of what may be negative by rounding, and does without.
    with np.errstate(invalid="ignore", divide="ignore"):
        found = find_root(f, bracket, args=args, tolerances=rough)
    return found.x, found.success


def lowest(f: Any, bracket: Any, args: Any = ()) -> tuple[Array, Array]:
    """Where f is lowest in each bracket of three points, and what it is there."""
    with np.errstate(invalid="ignore"):
        found = find_minimum(f, bracket, args=args)
    return np.asarray(found.x), np.asarray(found.f_x)
