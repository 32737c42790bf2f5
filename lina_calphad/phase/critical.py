"""Critical points: where psi and its slope vanish, sought over temperature for many descriptions.

Newton's method in 1/T and t from the reference's critical point finds most of them; what it
does not find, or what is not stable above, is searched at every temperature.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from lina_calphad.checks import SEARCH_RANGE, Array, Flags
from lina_calphad.phase.gap import ROWS_AT_ONCE, Gap
from lina_calphad.phase.ranges import SCAN, STABLE, potentials
from lina_calphad.phase.rows import Rows, columns, lowest, parts, root, rows_of, take

_GRID = np.geomspace(*SEARCH_RANGE, 480)
_STEPS = 40
_HOTTER = (1.0, 1.02, 1.2, 2.0)  # times the critical temperature, where all must be stable
_H = 1e-4  # step of the differences in t, and share of that in 1/T


class Tops(NamedTuple):
    """T and t of the critical point in question of each description, and where all ends.

    T is NaN without a gap, and infinite where it is open at the end of the search; `above` is
    the temperature from which on nothing is unstable.
    """

    T: Array
    t: Array
    above: Array


class Found(NamedTuple):
    """Critical points: T, t, and whether the phase unmixes below, rather than above."""

    T: Array
    t: Array
    upper: Flags


def depth(gap: Gap, rows: Rows, sharp: bool = True) -> tuple[Array, Array]:
    """Where psi is lowest in each row, and psi there; to a point of the scan if not sharp."""
    if sharp:
        t, mixing = gap.profile(rows)
    else:
        t = np.broadcast_to(SCAN, (rows[0].size, SCAN.size))
        mixing = gap.at(t, columns(rows))
    psi = mixing[..., 2]
    at = np.arange(len(psi)), psi.argmin(axis=1)
    return t[at], psi[at]


def polish(gap: Gap, T: Array, t: Array, values: Rows) -> tuple[Array, Array, Array, Flags]:
    """Newton's method in 1/T and t: T, t, d psi/dT, and where it came to a minimum of psi."""
    tau, t = 1 / T, t.copy()
    small, bent, slope_T = np.zeros(T.size, bool), np.zeros(T.size, bool), np.zeros(T.size)
    with np.errstate(all="ignore"):  # what diverges is not small
        for _ in range(_STEPS):
            on = np.flatnonzero(~small)
            if on.size == 0:
                break
            a, b, some = tau[on], t[on], take(values, on)
            h = _H * a
            T_ = 1 / np.array([a, a, a, a - h, a + h])
            terms = gap.at(np.array([b, b - _H, b + _H, b, b]), (T_, *some))
            psi, slope = terms[0, :, 2], terms[0, :, 3]
            bend = (terms[2, :, 3] - terms[1, :, 3]) / (2 * _H)
            d_psi, d_slope = (terms[4, :, 2:] - terms[3, :, 2:]).T / (2 * h)
            det = slope * d_slope - d_psi * bend
            move = np.clip((slope * d_psi - psi * d_slope) / det, -1, 1)
            change = np.clip((bend * psi - slope**2) / det / a, -0.5, 1)
            t[on] += move
            tau[on] *= 1 + change
            # Convergence is fast: the step after this would be lost in rounding.
            small[on] = (np.abs(move) < 1e-8) & (np.abs(change) < 1e-8)
            bent[on], slope_T[on] = bend > 0, -d_psi * a**2
        T = 1 / tau
        good = small & bent & (SEARCH_RANGE[0] < T) & (SEARCH_RANGE[1] > T)
    return T, t, slope_T, good


def tops(
    gap: Gap, values: Rows, n: int, near: tuple[float, float] | None = None,
    limit: float = SEARCH_RANGE[1],
) -> Tops:  # fmt: skip
    """The highest temperature in K up to `limit` at which the gap of each of n descriptions closes.

    Where it does not close up to there, the lowest beyond at which it does. `near` are T and t of
    the critical point of a similar description.
    """
    found = Tops(*np.full((3, n), np.nan))
    rest = np.arange(n)
    if near is not None:
        T, t, slope, good = polish(gap, np.full(n, near[0]), np.full(n, near[1]), values)
        good &= (slope > 0) & (limit > T)
        at = np.flatnonzero(good)
        for factor in _HOTTER:
            good[at] &= _least(gap, (factor * T[at], *take(values, at))) > -1e-9
        for array, value in zip(found, (T, t, T), strict=True):
            array[good] = value[good]
        rest = np.flatnonzero(~good)
    if rest.size:
        searched = _search(gap, take(values, rest), rest.size, limit)
        for array, value in zip(found, searched, strict=True):
            array[rest] = value
    return found


def _least(gap: Gap, rows: Rows, sharp: bool = False) -> Array:
    """The lowest psi of each row."""
    pieces = [take(rows, part) for part in parts(rows[0].size, ROWS_AT_ONCE)]
    return np.concatenate([np.zeros(0), *(depth(gap, piece, sharp)[1] for piece in pieces)])


def _search(gap: Gap, values: Rows, n: int, limit: float) -> Tops:
    """Critical points by a look at every temperature."""

    def level(T: Array, *values: Array) -> Array:
        flat = depth(gap, (np.ravel(T), *map(np.ravel, values)))[1]
        return flat.reshape(np.shape(T))

    grid = _GRID if n == 1 else _GRID[::4]
    grid = np.append(grid[:-1], _GRID[-1])
    rows = np.repeat(grid, n), *(np.tile(value, grid.size) for value in values)
    psi = _least(gap, rows, sharp=n == 1).reshape(grid.size, n)
    T = np.repeat(grid[:, None], n, axis=1)
    # A narrow closed loop shows as a dip between two temperatures of the search.
    i, j = np.nonzero((psi[1:-1] > 0) & (psi[1:-1] < np.minimum(psi[:-2], psi[2:])))
    if i.size:
        dip, bottom = lowest(level, tuple(grid[i + k] for k in range(3)), take(values, j))
        inside = bottom < STABLE
        T[i[inside] + 1, j[inside]], psi[i[inside] + 1, j[inside]] = dip[inside], -1.0
    open_at = psi < STABLE
    closes = open_at[:-1] & ~open_at[1:]
    k = np.arange(grid.size - 1)[:, None]
    within = np.where(closes & (T[1:] <= limit), k, -1).max(axis=0)
    beyond = np.where(closes, k, grid.size).min(axis=0)
    at = np.where(within >= 0, within, beyond)
    found = Tops(*np.full((3, n), np.nan))
    last = np.where(open_at, T, 0.0).max(axis=0)
    found.above[:] = np.where(open_at[-1], np.inf, last)
    found.T[open_at.any(axis=0)] = np.inf
    some = np.flatnonzero(at < grid.size)
    if some.size:
        here, low, high = take(values, some), T[at[some], some], T[at[some] + 1, some]
        top, t, _, good = polish(gap, low, depth(gap, (low, *here), sharp=False)[0], here)
        good &= (low <= top) & (top <= high)
        good &= _least(gap, (np.where(good, top, high), *here), sharp=True) > -1e-9
        if not good.all():  # a kink, or another minimum is deeper
            bad = np.flatnonzero(~good)
            rest = take(here, bad)
            top[bad] = root(level, (low[bad], high[bad]), rest)[0]
            t[bad] = depth(gap, (top[bad], *rest))[0]
        found.T[some], found.t[some] = top, t
        found.above[some] = np.where(last[some] <= low, top, found.above[some])
    return found


def every(gap: Gap, values: Array) -> Found:
    """All critical points of one description, by temperature."""
    rows = rows_of(_GRID, values)
    psi = gap.at(np.broadcast_to(SCAN, (_GRID.size, SCAN.size)), columns(rows))[..., 2]
    middle = psi[:, 1:-1]
    i, j = np.nonzero((middle < psi[:, :-2]) & (middle <= psi[:, 2:]))
    T, t, slope, good = polish(gap, _GRID[i], SCAN[j + 1], take(rows[1:], i))
    T, t, upper = T[good], t[good], slope[good] > 0
    same = np.abs(T - T[:, None]) < 1e-8 * T
    same &= np.abs(t - t[:, None]) < 1e-4
    first = np.flatnonzero(~np.tril(same, -1).any(axis=1))
    order = first[np.argsort(T[first])]
    return Found(T[order], t[order], upper[order])


def on_the_hull(gap: Gap, T: Array, t: Array, values: Array) -> Flags:
    """Whether no composition lies below the tangent at t: the point is not metastable."""
    rows = rows_of(T, values)
    slope, w = potentials(t, gap.at(t, rows))

    def above(t: Array, rows: Rows, slope: Array, w: Array) -> Flags:
        f, w_ = potentials(t, gap.at(t, rows))
        height = (w_ - w) + expit(t) * (f - slope)
        return np.asarray(height > -1e-9)

    scan = np.broadcast_to(SCAN, (T.size, SCAN.size))
    good = np.array(above(scan, columns(rows), slope[:, None], w[:, None]).all(axis=1))
    row, sides, _ = gap.corners(rows)
    good[row[~above(sides, take(rows, row), slope[row], w[row]).all(axis=0)]] = False
    return good


def has_corners(gap: Gap, values: Array) -> bool:
    """Whether the slope of G falls or G jumps anywhere, at any temperature of the search."""
    return bool(gap.corners(rows_of(_GRID, values))[0].size)
