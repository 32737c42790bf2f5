"""Every stable tie-line of a phase, where there may be several at one temperature. Numbers only.

Between unstable ranges lie stable stretches. Over each run of neighbouring ranges there is at
most one tie-line from the stretch before it to the stretch after it; which of these are stable
is decided by the lower hull through all their ends.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, log_expit

from lina_calphad.checks import Array
from lina_calphad.errors import NotConverged
from lina_calphad.phase.gap import ROWS_AT_ONCE, SCAN, Gap
from lina_calphad.phase.rows import Rows, parts, take


def tie_lines(gap: Gap, rows: Rows) -> Array:
    """Both ends in t of all tie-lines of rows, shape (2, gaps, rows); NaN where there are fewer."""
    found = [
        line
        for part in parts(rows[0].size, ROWS_AT_ONCE)
        for line in _some(gap, take(rows, part), part.start)
    ]
    most = max((k + 1 for _, k, _ in found), default=0)
    t = np.full((2, most, rows[0].size), np.nan)
    for row, k, ends in found:
        t[:, k, row] = ends
    return t


def _some(gap: Gap, rows: Rows, offset: int) -> list[tuple[int, int, Array]]:
    """The row, number within it and ends of each tie-line."""
    ranges = gap.ranges(rows)
    row, start, count = np.unique(ranges.row, return_index=True, return_counts=True)
    one = count == 1
    i = row[one]
    t = gap.around(ranges.ends[:, start[one]], take(rows, i), ranges.t[i], ranges.mixing[i])
    found = [(int(i_) + offset, 0, ends) for i_, ends in zip(i, t.T, strict=True)]
    for i_, first, n in zip(row[~one], start[~one], count[~one], strict=True):
        lines = _several(gap, ranges.ends[:, first : first + n], take(rows, [i_]))
        found += [(int(i_) + offset, k, ends) for k, ends in enumerate(lines)]
    return found


def _several(gap: Gap, ends: Array, row: Rows) -> list[Array]:
    """The stable tie-lines of a row with several unstable ranges."""
    n = ends.shape[1]
    every = {(i, j): _over(gap, ends, i, j, row) for i in range(n) for j in range(i, n)}
    known = [line for line in every.values() if line is not None]
    segment = gap.segments(ends, row, np.ravel(known))
    lines = []
    for which in np.unique(segment[segment >= 0]):
        under = np.flatnonzero(segment == which)
        line = every[int(under[0]), int(under[-1])]
        if line is None:
            raise NotConverged(
                f"{gap.name}: one of several tie-lines did not converge at {gap.where(row)}"
            )
        lines.append(line)
    return lines


def _over(gap: Gap, ends: Array, i: int, j: int, row: Rows) -> Array | None:
    """The tie-line over the unstable ranges i to j; None if it leaves the stretches beside them."""
    low = -np.inf if i == 0 else ends[1, i - 1]
    high = np.inf if j == ends.shape[1] - 1 else ends[0, j + 1]
    left, right = ends[0, i], ends[1, j]

    def inside(t: Array) -> bool:
        return bool(low < t[0] <= left and right <= t[1] < high)

    rough = _bracketed(gap, (low, left), (right, high), row)
    line, good = gap.newton("binodal", rough[:, None].copy(), row)
    # Newton's method can cycle about a kink or corner, which a bracket does not mind.
    line = line[:, 0] if good[0] and inside(line[:, 0]) else rough
    return line if inside(line) else None


def _bracketed(
    gap: Gap, before: tuple[float, float], after: tuple[float, float], row: Rows
) -> Array:
    """The tie-line between two stable stretches: the slope at which both have one grand potential.

    Where a stretch has no point of that slope its end stands for it.
    """

    def terms(t: float) -> tuple[float, float]:
        value = gap.at(np.array([t]), row)[0]
        return float(log_expit(-t) + value[0]), float(t + value[1])

    def place(mu: float, low: float, high: float) -> float:
        # Beyond the scan t goes as mu.
        if low == -np.inf and (past := mu - terms(SCAN[0])[1]) < 0:
            return float(SCAN[0] + past)
        if high == np.inf and (past := mu - terms(SCAN[-1])[1]) > 0:
            return float(SCAN[-1] + past)
        low, high = max(low, SCAN[0]), min(high, SCAN[-1])
        if terms(low)[1] >= mu:
            return low
        if terms(high)[1] <= mu:
            return high
        return float(brentq(lambda t: terms(t)[1] - mu, low, high, xtol=1e-13, rtol=1e-15))

    def ends(mu: float) -> Array:
        return np.array([place(mu, *before), place(mu, *after)])

    def difference(mu: float) -> float:  # rises with mu
        a, b = ((w + expit(t) * (f - mu)) for t in ends(mu) for w, f in [terms(t)])
        return float(a - b)

    low, high = sorted((terms(before[1])[1], terms(after[0])[1]))
    step = 1.0
    while difference(low) > 0:
        low, step = low - step, 2 * step
    while difference(high) < 0:
        high, step = high + step, 2 * step
    return ends(brentq(difference, low, high, xtol=1e-14, rtol=1e-15))
