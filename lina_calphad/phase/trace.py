"""Where Newton's method starts on many rows: the reference's curves over reduced temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from lina_calphad.checks import SEARCH_RANGE, Array
from lina_calphad.errors import NotConverged
from lina_calphad.phase.gap import Gap
from lina_calphad.phase.ranges import Ranges
from lina_calphad.phase.rows import Rows, rows_of, take

RESOLVED = 1 - 1e-13  # doubles resolve no gap closer than this to its critical temperature
_NEAR = 1 - 1e-5  # of the critical temperature, from where another gap is no start
_POINTS = 300
_STRIDE = 10  # of them, the tie-lines that the others start between


class Trace:
    """Binodal and spinodal of one description at some hundred temperatures, and between them.

    Over s with T = Tc/cosh(s)^2: near the critical point s^2 = 1 - T/Tc, in which the curves are
    smooth, and at low temperature the points are evenly spaced in ln T, with T t smooth.
    `T` is the critical temperature, `t` its logit; NaN where the gap is open at the end.
    """

    def __init__(self, gap: Gap, T: float, t: float, values: Array) -> None:
        closed = bool(np.isfinite(T))
        self.T = T if closed else SEARCH_RANGE[1]
        self.low, self.high = np.inf, -np.inf
        s = np.linspace(0, np.arccosh(np.sqrt(self.T / SEARCH_RANGE[0])), _POINTS)[1:]
        level = self.T / np.cosh(s) ** 2
        rows = rows_of(level, values)
        try:
            found = gap.ranges(rows)
            first, last = _longest_run(np.bincount(found.row, minlength=s.size) == 1)
            # Beside temperatures with several gaps there may be more of them unseen.
            first, last = first + 3 * (first > 0), last - 3 * (last < s.size)
            if last - first < 3:
                return
            some = np.flatnonzero((found.row >= first) & (found.row < last))
            spinodal, binodal = found.ends[:, some], _binodal(gap, found, rows, some, s)
        except NotConverged:
            return  # the row itself will say where, if it is asked
        if np.isnan(binodal).any():
            return
        run = slice(first, last)
        s, curves = s[run], [level[run] * binodal, level[run] * spinodal]
        if first == 0 and closed:
            s, curves = np.insert(s, 0, 0.0), [np.insert(c, 0, T * t, axis=1) for c in curves]
        self._curves = {
            name: CubicSpline(s, curve.T)
            for name, curve in zip(("binodal", "spinodal"), curves, strict=True)
        }
        # Below the trace T t hardly changes any more.
        self.low = 0.0 if last == level.size else float(level[run][-1]) / self.T
        self.high = 1.0 if first == 0 else float(level[first]) / self.T
        self._end = s[-1]

    def at(self, curve: str, ratio: Array, similar: bool) -> Array:
        """Both logits at T/Tc; NaN outside the trace."""
        t = np.full((2, ratio.size), np.nan)
        high = min(self.high, _NEAR) if similar else min(self.high, RESOLVED)
        some = np.flatnonzero((ratio > self.low) & (ratio < high))
        if some.size:
            s = np.minimum(np.arccosh(np.sqrt(1 / ratio[some])), self._end)
            t[:, some] = self._curves[curve](s).T / (self.T * ratio[some])
        return t


def _binodal(gap: Gap, found: Ranges, rows: Rows, some: Any, s: Array) -> Array:
    """The tie-line over each of some unstable ranges; most start between those of a few."""
    at = found.row[some]
    few = np.unique(np.append(np.arange(0, some.size, _STRIDE), some.size - 1))
    known = gap.around(found, rows, some[few], some[few])
    if np.isnan(known).any():  # of the few alone, but then there is no trace
        return known
    t = CubicSpline(s[at[few]], rows[0][at[few]] * known, axis=1)(s[at]) / rows[0][at]
    t, good = gap.newton("binodal", t, take(rows, at))
    spinodal = found.ends[:, some]
    good &= (t[0] <= spinodal[0]) & (spinodal[1] <= t[1])
    t[:, ~good] = gap.around(found, rows, some[~good], some[~good])
    return t


def _longest_run(flags: Array) -> tuple[int, int]:
    """Start and end of the longest run of True."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    if starts.size == 0:
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])
