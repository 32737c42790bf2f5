"""Where the curves a(s) of two phases cross: their tie-line, by Newton's method or bracketing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from lina_calphad.diagram.phases import FAR, GRID
from lina_calphad.phase.rows import lowest, take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lina_calphad.checks import Array, Flags
    from lina_calphad.diagram.phases import Phase
    from lina_calphad.phase.rows import Rows

    Indices = NDArray[np.intp]

_DEEP = 5.0  # steps down to a point from both beside it that psi may fall farther
_LADDER = np.geomspace(1e-8, 1e3, 45)
_STEPS = 40


def shallow(psi: Array) -> Flags:
    """Inner points lower than both beside them, and not by much more than there is left."""
    middle = psi[:, 1:-1]
    left, right = psi[:, :-2] - middle, psi[:, 2:] - middle
    low: Flags = (middle > 0) & (left > 0) & (right >= 0)
    return low & (middle < _DEEP * np.maximum(left, right))


def dips(phase: Phase, t: Array, psi: Array, rows: Rows, row: Indices, k: Indices) -> None:
    """Move points to where psi is lowest between both beside them: it may be negative there.

    t and psi have shape (rows, points); looked at are the inner points k of some rows. A dip lies
    beside a Curie temperature or a critical point.
    """
    if row.size == 0:
        return

    def terms(t: Array, *rows: Array) -> Array:
        return phase.terms(rows[0], expit(t), *rows[1:])

    # Of a convex curve the lowest lies above where two tangents meet; with as much to spare.
    at = np.array([t[row, k], t[row, k + 1], t[row, k + 2]])
    around = terms(at, *take(rows, row))
    height, slope = around[..., 2], around[..., 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = np.diff(slope, axis=0)
        meet = (slope[1:] * height[:-1] - slope[:-1] * height[1:]) / bend
        meet += slope[1:] * slope[:-1] * np.diff(at, axis=0) / bend
    between = (slope[:-1] < 0) & (slope[1:] > 0)
    above = np.where(between, meet, np.inf).min(axis=0) > height[1] / 2
    some = np.flatnonzero(~(above & between.any(axis=0)))
    row, k = row[some], k[some]
    if row.size == 0:
        return
    deep, height = lowest(lambda *v: terms(*v)[..., 2], tuple(at[:, some]), take(rows, row))
    lower = height < psi[row, k + 1]
    t[row, k + 1] = np.where(lower, deep, t[row, k + 1])
    psi[row, k + 1] = np.where(lower, height, psi[row, k + 1])


def newton(one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Flags]:
    """Newton's method to the crossing of two curves, and where it arrived."""
    t, good = t.copy(), np.zeros(t.shape[1], bool)
    active = np.arange(t.shape[1])
    for _ in range(_STEPS):
        step, stable, noise = _step(one, two, t[:, active], tuple(r[active] for r in rows))
        known = ~np.isnan(step)
        size = np.max(np.abs(step), axis=0, where=known, initial=0.0)
        # A step of more than 2 leaves the stretch that it starts from.
        with np.errstate(invalid="ignore"):
            t[:, active] += step * np.minimum(1, 2 / np.maximum(size, 2))
        small = size < np.maximum(1e-9, noise)
        good[active] = small & stable
        active = active[~small & stable]
        if active.size == 0:
            break
    x = [np.exp(phase.logs(at)[1]) for phase, at in zip((one, two), t, strict=True)]
    return t, good & (x[0] < x[1])


def bracketed(one: Phase, two: Phase, t: Array, rows: Rows) -> Array:
    """The crossing of two curves by bracketing, in one row: corners and kinks do not mind it."""
    if any(np.isnan(at) and not phase.fixed for phase, at in zip((one, two), t, strict=True)):
        return np.full(2, np.nan)
    stretches: list[tuple[Any, ...]] = []
    for phase, at in zip((one, two), t, strict=True):
        if phase.fixed:
            stretches.append((-FAR, FAR, None, None))
            continue
        t_, psi = GRID[None].copy(), phase.curve(GRID, rows)[4][None]
        dips(phase, t_, psi, rows, *np.nonzero(shallow(psi)))
        sides = phase.gap.switched(rows)[1].ravel()
        points, first = np.unique(np.append(t_[0], sides), return_index=True)
        beside = phase.curve(sides, tuple(np.repeat(r, sides.size) for r in rows))[4]
        stable = np.append(psi[0], beside)[first] > 0
        if phase.curve(at[None], rows)[4] > 0:  # beside a narrow gap no point need be nearer
            k = int(np.searchsorted(points, at))
            points, stable = np.insert(points, k, at), np.insert(stable, k, True)
        joined = stable[1:] & stable[:-1] & (np.diff(phase.curve(points, rows)[0]) >= 0)
        i = j = int(np.where(stable, np.abs(points - at), np.inf).argmin())
        while i > 0 and joined[i - 1]:
            i -= 1
        while j < points.size - 1 and joined[j]:
            j += 1
        ends = [_edge(phase, points, k, step, rows) for k, step in ((i, -1), (j, 1))]
        potential = phase.curve(np.array(ends), tuple(np.repeat(r, 2) for r in rows))[0]
        stretches.append((*potential, *ends))

    def place(k: int, s: float) -> float:
        """T of a curve at s."""
        phase, (_, _, low, high) = (one, two)[k], stretches[k]
        if low is None:
            return np.nan

        def off(t: float) -> float:
            return float(phase.curve(np.array([t]), rows)[0][0]) - s

        if off(low) >= 0 or off(high) <= 0:
            return float(low if off(low) >= 0 else high)
        return float(brentq(off, low, high, xtol=1e-13, rtol=1e-15, disp=False))

    def level(k: int, s: float) -> float:
        phase = (one, two)[k]
        return float(_level(phase, np.array([place(k, s)]), np.array([s]), rows)[0])

    low, high = max(u[0] for u in stretches), min(u[1] for u in stretches)

    def difference(s: float) -> float:
        return level(0, s) - level(1, s)

    if not low < high:
        return np.full(2, np.nan)
    if difference(low) * difference(high) > 0:  # they cross twice: which is nearer?
        curves = [(p, at) for p, at in zip((one, two), t, strict=True) if not p.fixed]
        start = float(curves[0][0].curve(np.array([curves[0][1]]), rows)[0][0])
        ladder = np.clip(start + np.concatenate([-_LADDER[::-1], [0.0], _LADDER]), low, high)
        signs = np.sign([difference(s) for s in ladder])
        turns = np.flatnonzero(signs[1:] * signs[:-1] < 0)
        if turns.size == 0:
            return np.full(2, np.nan)
        k = turns[np.abs(ladder[turns] - start).argmin()]
        low, high = ladder[k], ladder[k + 1]
    s = brentq(difference, low, high, xtol=1e-13, rtol=1e-15, disp=False)
    return np.array([place(0, s), place(1, s)])


def _edge(phase: Phase, grid: Array, k: int, step: int, rows: Rows) -> float:
    """Where the stable stretch ends that reaches a point of the grid, on one side."""
    if not 0 <= k + step < grid.size:
        return float(grid[k])
    start = phase.curve(grid[[k]], rows)[0][0]
    good, bad = grid[k], grid[k + step]
    for _ in range(60):
        middle = (good + bad) / 2
        s, _, _, _, psi = (v[0] for v in phase.curve(np.array([middle]), rows))
        if psi > 0 and step * (s - start) >= 0:
            good = middle
        else:
            bad = middle
    return float(good)


def _level(phase: Phase, t: Array, s: Array, rows: Rows) -> Array:
    """A of the line through a point of a curve with the slope that s gives."""
    if phase.fixed:
        g, x = phase.line(rows)
        return g - x * s
    own, a, x, *_ = phase.curve(t, rows)
    return a + x * (own - s)


def potentials(one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Array]:
    """S and a of tie-lines, from both ends: at a corner neither curve has the slope."""
    own: Array | float = np.nan
    ends = []
    for phase, at in zip((two, one), t[::-1], strict=True):
        if phase.fixed:
            ends.append(phase.line(rows))
        else:
            own, own_a, x, *_ = phase.curve(at, rows)
            ends.append((own_a + x * own, x))
    (g2, x2), (g1, x1) = ends
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (g2 - g1) / (x2 - x1)
    if one.fixed and two.fixed:
        return s, g1 - x1 * s
    # Of a narrow gap the difference says little, and the curve all.
    s = np.where(np.abs(own - s) > 1e-6 * (1 + np.abs(own)), s, own)
    return s, own_a + x * (own - s)


def _step(one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Flags, Array]:
    """Newton's step to the crossing of two curves, whether both are stable there, its noise."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if one.fixed or two.fixed:
            solid, liquid, k = (one, two, 1) if one.fixed else (two, one, 0)
            (g, x), (s, a, y, slope, psi) = solid.line(rows), liquid.curve(t[k], rows)
            step = np.full_like(t, np.nan)
            step[k] = (g - x * s - a) / (x - y) / slope
            return step, psi > 0, _noise(g, x - y)
        s1, a1, x1, slope1, psi1 = one.curve(t[0], rows)
        s2, a2, x2, slope2, psi2 = two.curve(t[1], rows)
        ds, da = s2 - s1, a2 - a1
        step = np.array([(da + x2 * ds) / slope1, (da + x1 * ds) / slope2]) / (x2 - x1)
        return step, (psi1 > 0) & (psi2 > 0), _noise(a1, x2 - x1)


def _noise(energy: Array, width: Array) -> Array:
    """How far rounding moves the ends of a narrow tie-line in t; a thousandth of it at most."""
    return np.minimum(1e-14 * (1 + np.abs(energy)) / np.abs(width), 1e-3)
