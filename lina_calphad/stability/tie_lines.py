"""Tie-lines and three-phase triangles of a ternary isotherm, from a hull and Newton's method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, QhullError

from lina_calphad.errors import NotConverged, UnsupportedPhase
from lina_calphad.phase.energy import R
from lina_calphad.stability.internal import site_fractions
from lina_calphad.stability.isotherm import Isotherm, apart, sides_of, where_they_end
from lina_calphad.stability.spinodal import TO_PLANE, critical_points, full, grid, spinodal

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lina_calphad.checks import Array, Flags
    from lina_calphad.stability.solution import Solution

    Numbers = NDArray[np.integer]

_STEPS = 200  # of the grid under the hull, along each side
_LONG = 2.6  # steps: what a facet of a convex surface does not reach across
_SHORT = 1e-3  # of tie-lines: less is as good as the plait point
_NEXT = 6  # steps between tie-lines that may belong to two regions
_FAR = 30  # steps beyond which they do
_UNDER = 1e-9  # of G/RT under a tangent plane: rounding


class Surface:
    """G of a formula unit over RT above the fractions of the one sublattice that mixes."""

    def __init__(self, solution: Solution, T: float) -> None:
        self.energy, self.T, self.pressure = solution.energy, np.array(T), solution.pressure
        energy = self.energy
        if energy.sublattices.shape != (1, 3):
            raise UnsupportedPhase(
                f"tie-lines are those of three constituents of one sublattice; {energy.phase} "
                f"mixes on {len(energy.sublattices)} of {len(energy.variables)} in all"
            )
        self._order = [energy.elements.index(name) for name in solution.components]

    def value(self, y: Array) -> Array:
        """G over RT."""
        return self.energy.gradient(self.T, y, self.pressure)[0] / (R * self.T)

    def potentials(self, y: Array) -> Array:
        """Where the tangent plane meets the corners, over RT, shape (..., 3)."""
        G, slope = self.energy.gradient(self.T, y, self.pressure)
        plane: Array = slope + (G - (y * slope).sum(axis=-1))[..., None]
        return plane / (R * self.T)

    def change(self, y: Array) -> Array:
        """Derivatives of the potentials in the logits of y, (..., 3, 3)."""
        y = np.maximum(y, 1e-300)
        hessian, _ = self.energy.scaled_hessian(self.T, y, self.pressure)
        a = self.energy.sites
        logs = np.eye(3) - y[..., None, :]  # d ln y / d logit
        bend = np.sqrt(a / y)[..., None] * (hessian @ (np.sqrt(a * y)[..., None] * logs))
        return bend - y[..., None, :] @ bend

    def fractions(self, y: Array) -> Array:
        """Mole fractions in the order of the components."""
        moles = self.energy.fixed + y @ self.energy.moles.T
        result: Array = (moles / moles.sum(axis=-1, keepdims=True))[..., self._order]
        return result

    def of(self, x: Array) -> Array:
        """Fractions of the sublattice from mole fractions of the components."""
        back = np.asarray(x)[..., np.argsort(self._order)]
        return site_fractions(self.energy, self.T, back, self.pressure)

    def tangent(self, y: Array, across: Array | None) -> tuple[Array, Flags]:
        """Phases (b, p, 3) with one tangent plane, by Newton's method in logits, and which did.

        Of two phases the mean may move only along the tie-line: not `across`, (b, 3).
        """
        b, p, _ = y.shape
        logits, y = np.log(np.maximum(y, 1e-9)), np.maximum(y, 1e-9)
        y = y / y.sum(axis=-1, keepdims=True)
        aim = None if across is None else (y.mean(axis=1) * across).sum(axis=-1)
        done = np.zeros(b, dtype=bool)
        for _ in range(80):
            plane, change = self.potentials(y), self.change(y)
            matrix, right = np.zeros((b, 3 * p, 3 * p)), np.zeros((b, 3 * p))
            for k in range(1, p):
                rows = slice(3 * k - 3, 3 * k)
                matrix[:, rows, :3] = change[:, 0]
                matrix[:, rows, 3 * k : 3 * k + 3] = -change[:, k]
                right[:, rows] = plane[:, k] - plane[:, 0]
            row = 3 * p - 3
            if aim is not None and across is not None:
                flow = y[..., :, None] * (np.eye(3) - y[..., None, :])
                matrix[:, row] = ((across[:, None, None] @ flow)[..., 0, :] / 2).reshape(b, -1)
                right[:, row] = aim - (y.mean(axis=1) * across).sum(axis=-1)
                matrix[:, row] *= 100.0
                right[:, row] *= 100.0
                row += 1
            for k in range(3 * p - row):  # logits have no common height
                matrix[:, row + k, 3 * k : 3 * k + 3] = 1.0
            miss = np.abs(right).max(axis=-1)
            step = (np.linalg.pinv(matrix, rtol=1e-13) @ right[..., None])[..., 0].reshape(b, p, 3)
            step *= np.minimum(1.0, 1.0 / np.abs(step).max(axis=(1, 2), keepdims=True).clip(1e-300))
            done = miss < 1e-10
            if done.all():
                break
            logits = logits + step
            logits -= logits.max(axis=-1, keepdims=True)
            y = np.exp(logits)
            y /= y.sum(axis=-1, keepdims=True)
        return y, done


def isotherm(solution: Solution, T: float) -> Isotherm:
    """Everything at one temperature: see `Solution.isotherm`."""
    surface = Surface(solution, T)
    curves = spinodal(solution, T)
    plaits = critical_points(solution, T, curves)
    points = full(grid(_STEPS)[0])
    heights = surface.value(points)

    def stable(y: Array) -> Flags:
        """Whether no point of the grid lies under the tangent plane of each y."""
        planes = surface.potentials(np.maximum(y, 1e-300))
        return np.array([(heights - points @ plane).min() for plane in planes]) > -_UNDER

    def tie_lines(start: Array) -> Array:
        found, good = surface.tangent(start, _across(start))
        good &= _sides(found) > _SHORT
        good[good] = stable(found[good][:, 0])
        return found[good]

    regions: list[Array] = []
    triangles = np.empty((0, 3, 3))
    if curves:
        two, three, neighbours, guesses, corners = _facets(surface, points)
        if len(corners):
            found, good = surface.tangent(corners, None)
            good &= _sides(found) > 1 / _STEPS  # less is a trace of a plait point
            good[good] = stable(found[good][:, 0])
            triangles = _different(found[good])
            two[three[~good]] = True  # no boundary between two regions
        starts = [guesses[members] for members in _regions(two, neighbours)]
        regions = [_in_order(found) for found in map(tie_lines, starts) if len(found)]

        def between(one: Array, other: Array) -> bool:
            """Whether there is a tie-line half-way from one to another."""
            turned = bool(apart(one, other[None]).argmin())
            middle = ((one + other[:: -1 if turned else 1]) / 2)[None]
            found, good = surface.tangent(middle, _across(middle))
            near = apart(found[0], middle).min() < apart(one, other[None]).min()
            return bool(good[0] and near and stable(found[:, 0])[0])

        regions = _joined(regions, between)
        if not regions:  # a gap between the points of the grid
            starts = [_through(surface.of(curve)) for curve in curves]
            regions = [_in_order(found) for found in map(tie_lines, starts) if len(found)]
        if not regions:
            raise NotConverged(f"the tie-lines of {solution.phase} at {T:g} K did not converge")
    lasting = stable(surface.of(plaits)) if len(plaits) else np.zeros(0, dtype=bool)
    centres = surface.of(plaits[lasting]) if lasting.any() else np.empty((0, 3))
    for side in sides_of(triangles):  # a region too small for the grid
        if all(apart(side, region[[0, -1]]).min() > _NEXT / _STEPS for region in regions):
            regions.append(side[None])
    for x, (k, end) in where_they_end(centres, regions, triangles):
        # Half a tie-line is as the root of the distance from the plait point.
        last, share = regions[k][end], 0.5 ** np.arange(1, 9)[:, None, None]
        middle = last.mean(axis=0)
        start = x + share * (middle - x) + np.sqrt(share) * (last - middle)
        found, good = surface.tangent(np.clip(start, 1e-12, 1), _across(start))
        good &= (_sides(found) > _SHORT) & (_sides(found) < np.abs(last[0] - last[1]).max())
        more = [found[good][::-1], regions[k]] if end == 0 else [regions[k], found[good]]
        regions[k] = np.concatenate(more)
    return Isotherm(
        T, solution.components, solution.phase, tuple(curves),
        tuple(surface.fractions(region) for region in regions), surface.fractions(triangles),
        plaits, lasting,
    )  # fmt: skip


def _sides(phases: Array) -> Array:
    """The shortest distance between two of the phases (b, p, 3), in the largest fraction."""
    p = phases.shape[1]
    pairs = [(i, j) for i in range(p) for j in range(i)]
    result: Array = np.min(
        [np.abs(phases[:, i] - phases[:, j]).max(axis=-1) for i, j in pairs], axis=0
    )
    return result


def _through(curve: Array) -> Array:
    """First guesses of tie-lines from a spinodal (k, 3): near its top it is narrower by sqrt 3."""
    centre = curve.mean(axis=0)
    _, _, (long, wide, _) = np.linalg.svd(curve - centre)
    along, level = (curve - centre) @ wide, (curve - centre) @ long
    pairs = []
    for at in np.quantile(level, np.linspace(0.1, 0.9, 9)):
        near = along[np.abs(level - at) < 0.15 * np.ptp(level)]
        middle, half = (near.max() + near.min()) / 2, np.ptp(near) / 2
        ends = middle + 3**0.5 * half * np.array([-1.0, 1.0])
        pairs.append(centre + at * long + ends[:, None] * wide)
    result: Array = np.clip(pairs, 1e-9, 1.0)
    return result


def _across(pairs: Array) -> Array:
    """Directions in the plane of compositions at right angles to tie-lines."""
    across = np.cross(np.ones(3), pairs[:, 1] - pairs[:, 0])
    result: Array = across / np.linalg.norm(across, axis=-1, keepdims=True)
    return result


def _regions(two: Flags, neighbours: tuple[Numbers, Numbers]) -> list[Numbers]:
    """Facets of each two-phase region: they share their long sides."""
    rows, others = neighbours
    kept = two[rows] & two[others]
    graph = csr_array((np.ones(kept.sum()), (rows[kept], others[kept])), shape=(len(two),) * 2)
    _, labels = connected_components(graph, directed=False)
    return [np.flatnonzero((labels == label) & two) for label in np.unique(labels[two])]


def _joined(regions: list[Array], between: Callable[[Array, Array], bool]) -> list[Array]:
    """Regions cut and joined so that `between` neighbours there are tie-lines, and nowhere else."""
    left, done = [], []
    for region in regions:
        steps = np.linalg.norm(np.diff(region, axis=0), axis=(1, 2))
        cuts = [
            k + 1
            for k in np.flatnonzero(steps > _NEXT / _STEPS)
            if not between(region[k], region[k + 1])
        ]
        left += np.split(region, cuts)
    while left:
        region = left.pop()
        for k, other in enumerate(left):
            ways = [
                (i, j)
                for i in (0, -1)
                for j in (0, -1)
                if apart(region[i], other[[j]]).min() < _FAR / _STEPS
                and between(region[i], other[j])
            ]
            if ways:
                left[k] = _in_order(np.concatenate([region, other]))
                break
        else:
            done.append(region)
    return done[::-1]


def _in_order(lines: Array) -> Array:
    """Tie-lines (m, 2, 3) one beside the other, from one end of their region, all the same way."""
    for _ in range(2):  # what a first chain has left for last is at an end
        chain, free = [lines[-1]], np.ones(len(lines), dtype=bool)
        free[-1] = False
        while free.any():
            ways = np.where(free, apart(chain[-1], lines), np.inf)
            turned, nearest = np.unravel_index(ways.argmin(), ways.shape)
            free[nearest] = False
            chain.append(lines[nearest][:: -1 if turned else 1])
        lines = np.array(chain)
    return lines


def _different(triangles: Array) -> Array:
    kept: list[Array] = []
    for triangle in triangles:
        if all(np.abs(triangle.mean(axis=0) - t.mean(axis=0)).max() > 1e-6 for t in kept):
            kept.append(triangle)
    return np.array(kept).reshape(-1, 3, 3)


def _facets(
    surface: Surface, grid: Array
) -> tuple[Flags, Numbers, tuple[Numbers, Numbers], Array, Array]:
    """First guesses from the lower hull of a grid.

    Which facets are of two phases, and the numbers of those of three; facets with a long side in
    common; a tie-line (m, 2, 3) of each facet; the corners of those of three (t, 3, 3).
    """
    heights = surface.value(grid)
    flat = heights - grid @ heights[[np.argmax(grid[:, i]) for i in range(3)]]
    plane = grid @ TO_PLANE
    try:
        hull = ConvexHull(np.column_stack([plane, flat]))
    except QhullError as error:
        raise NotConverged(
            f"the lower hull could not be built: {str(error).splitlines()[0]}"
        ) from error
    corners = hull.simplices
    # Under a gap G lies above the facet, where G is convex below.
    gap = surface.value(grid[corners].mean(axis=1)) > heights[corners].mean(axis=1)
    lower = (hull.equations[:, 2] < -1e-12) & gap
    sides = plane[corners[:, [1, 2, 0]]] - plane[corners[:, [2, 0, 1]]]
    length = np.linalg.norm(sides, axis=-1)  # opposite each corner
    long = length > _LONG / _STEPS
    rows, columns = np.nonzero(lower[:, None] & long)
    at = np.arange(len(corners))
    apex = length.argmin(axis=1)
    base = (grid[corners[at, apex - 2]] + grid[corners[at, apex - 1]]) / 2
    three = np.flatnonzero(lower & long.all(axis=1))
    return (
        lower & (long.sum(axis=1) == 2), three, (rows, hull.neighbors[rows, columns]),
        np.stack([base, grid[corners[at, apex]]], axis=1), grid[corners[three]],
    )  # fmt: skip
