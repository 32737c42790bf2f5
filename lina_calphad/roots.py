"""Roots of many equations at once: by bracketing, and by Newton's method in two unknowns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize.elementwise import find_root

from lina_calphad.curves import Array, Flags

#: Step(t, T) returns the Newton step in both unknowns t[0] and t[1] at each temperature,
#: and where they are in the right place.
Step = Callable[[Array, Array], tuple[Array, Flags]]

_NEWTON_STEPS = 12


def bracketed_root(
    f: Callable[..., Array], bracket: tuple[Array, Array], *args: Array, tolerance: float = 0.0
) -> tuple[Array, Flags]:
    """Root of f in each bracket, and where it was reached."""
    # Without a tolerance it goes down to neighbouring doubles. The method takes
    # square roots of what may be negative by rounding, and does without them then.
    with np.errstate(invalid="ignore", divide="ignore"):
        rough: Any = {"xatol": tolerance, "xrtol": 0.0} if tolerance else None
        root = find_root(f, bracket, args=args, tolerances=rough)
    return root.x, root.success


def newton(step: Step, T: Array, t: Array) -> tuple[Array, Flags]:
    """Newton's method on both logits at once, and where it arrived in the right place."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        change, good = step(t, T)  # what diverges is not good
        t = t + change
        for _ in range(_NEWTON_STEPS):
            small = _small(change, t)
            if small.all():
                break
            active = np.flatnonzero(~small)
            now, at = t[:, active], T[active]
            change[:, active], good[active] = step(now, at)
            t[:, active] = now + change[:, active]
    return t, good & small


def _small(change: Array, t: Array) -> Flags:
    """Whether a step was so small that the next would be lost in rounding."""
    # The next is of the order of this one squared over the width of the gap.
    width, size = np.abs(t[1] - t[0]), np.abs(change).max(0)
    small: Flags = size < 1e-8 * np.minimum(1, width)
    if not small.all():
        # A step of the order of rounding over the width is as small as it gets. On a gap
        # that collapses to the trivial solution steps stay a part of the width instead.
        small |= size < np.minimum(1e-14 / width, 1e-3 * width)
    return small
