"""The spinodal of a ternary isotherm as polylines, and the plait points on it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from contourpy import LineType, contour_generator
from scipy.optimize import elementwise, root

from lina_calphad.stability.surface import STEPS, TO_PLANE, distinct, full, grid

if TYPE_CHECKING:
    from lina_calphad.checks import Array
    from lina_calphad.stability.surface import Surface

_BEND = np.radians(4.0)  # between two pieces of a spinodal
_SHORTEST = 2e-4
_ZERO = 1e-9


def spinodal(surface: Surface) -> list[Array]:
    """Contours of stability zero: of a grid, put on the curve, and refined where they bend."""
    points, inside = grid()
    psi = np.full(inside.shape, np.nan)
    psi[inside] = surface.curvature(full(points))[0]
    generator = contour_generator(
        z=np.ma.masked_invalid(psi.T), corner_mask=True, line_type=LineType.Separate
    )
    lines = []
    for found in generator.lines(0.0):
        line = np.asarray(found, dtype=float)
        # Each vertex lies on an edge of the grid: upright, level, or along the third side.
        low, high = np.floor(line + 1e-9), np.ceil(line - 1e-9)
        slant = (high > low).all(axis=-1)
        low[slant, 1], high[slant, 1] = high[slant, 1], low[slant, 1]
        curve = _between(surface, low / STEPS, high / STEPS)
        lost = np.isnan(curve).any(axis=-1)
        for piece in np.split(curve, np.flatnonzero(lost)):
            kept = piece[~np.isnan(piece).any(axis=-1)]
            if len(kept) > 2:
                lines.append(full(_refined(surface, kept)))
    return lines


def _between(surface: Surface, one: Array, other: Array) -> Array:
    """Points of the spinodal on lines between two points, one stable and one not; else NaN.

    Where another state of order takes over, stability jumps, and there is none.
    """
    ends = surface.curvature(full(np.stack([one, other])))[0]
    good = np.sign(ends[0]) != np.sign(ends[1])
    good &= np.isfinite(ends).all(axis=0)
    rows, curve = np.flatnonzero(good), np.full(one.shape, np.nan)
    if rows.size:

        def at(s: Array, row: Array) -> Array:
            return surface.curvature(full(one[row] + s[..., None] * (other[row] - one[row])))[0]

        found = elementwise.find_root(at, (np.zeros(rows.size), np.ones(rows.size)), args=(rows,))
        on, x = np.abs(found.f_x) < _ZERO, found.x[:, None]
        curve[rows[on]] = (one[rows] + x * (other[rows] - one[rows]))[on]
    return curve


def _refined(surface: Surface, curve: Array) -> Array:
    """The curve with points between where it turns."""
    plane = TO_PLANE[1:]
    for _ in range(6):
        steps = np.diff(curve, axis=0) @ plane
        length = np.linalg.norm(steps, axis=-1)
        closed = len(curve) > 3 and np.allclose(curve[0], curve[-1])
        after = np.roll(steps, -1, axis=0)
        cross = steps[:, 0] * after[:, 1] - steps[:, 1] * after[:, 0]
        turn = np.abs(np.arctan2(cross, (steps * after).sum(axis=-1)))
        if not closed:
            turn[-1:] = 0.0
        wanted = (np.maximum(turn, np.roll(turn, 1)) > _BEND) & (length > _SHORTEST)
        rows = np.flatnonzero(wanted)
        if not rows.size:
            break
        middle = (curve[rows] + curve[rows + 1]) / 2
        normal = np.stack([-steps[rows, 1], steps[rows, 0]], axis=-1) @ np.linalg.inv(plane)
        inside = (middle >= 0).all(axis=-1) & (middle.sum(axis=-1) <= 1)
        sides = [middle + sign * 0.4 * normal for sign in (-1.0, 1.0)]
        for side in sides:
            inside &= (side >= 0).all(axis=-1) & (side.sum(axis=-1) <= 1)
        found = np.full(middle.shape, np.nan)
        found[inside] = _between(surface, *(side[inside] for side in sides))
        good = ~np.isnan(found).any(axis=-1)
        if not good.any():
            break
        curve = np.insert(curve, rows[good] + 1, found[good], axis=0)
    return curve


def critical_points(surface: Surface, spinodals: list[Array]) -> Array:
    """Points of the spinodal whose direction of unmixing runs along it, shape (k, 3)."""

    def along(pair: Array, like: Array) -> tuple[Array, Array]:
        """Stability, and its change along the direction of unmixing, turned like another."""
        step = 1e-5
        psi, direction = surface.curvature(full(pair))
        direction = direction[..., 1:]
        turned = np.sign((direction * like).sum(axis=-1, keepdims=True))
        direction = direction * np.where(turned == 0, 1.0, turned)
        ahead, behind = (surface.curvature(full(pair + s * step * direction))[0] for s in (1, -1))
        return np.stack([psi, (ahead - behind) / (2 * step)], axis=-1), direction

    def turned_change(pair: Array, like: Array) -> Array:
        return along(pair, like)[0]

    points: list[Array] = []
    for line in spinodals:
        pairs = line[:, 1:]
        directions = surface.curvature(line)[1][:, 1:]
        for before, now in itertools.pairwise(directions):  # one and the same way along the line
            now *= -1.0 if before @ now < 0 else 1.0
        change = along(pairs, directions)[0][:, 1]
        for k in np.flatnonzero(change[1:] * change[:-1] < 0):
            share = change[k] / (change[k] - change[k + 1])
            start = pairs[k] + share * (pairs[k + 1] - pairs[k])
            found = root(turned_change, start, args=(directions[k],), tol=1e-12)
            x = full(found.x)
            near = np.linalg.norm(found.x - start) < 2 * np.linalg.norm(pairs[k + 1] - pairs[k])
            if near and np.abs(found.fun).max() < 1e-6:
                points.append(x)
    return distinct(np.array(points).reshape(-1, 3))
