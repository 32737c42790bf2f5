"""Tie-lines and three-phase triangles of a ternary isotherm, from a hull and Newton's method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, QhullError

from lina_calphad.errors import NotConverged, UnsupportedPhase
from lina_calphad.stability.isotherm import Isotherm, apart, sides_of, where_they_end
from lina_calphad.stability.spinodal import critical_points, spinodal
from lina_calphad.stability.surface import STEPS, TO_PLANE, Surface, distinct

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lina_calphad.checks import Array, Flags
    from lina_calphad.stability.solution import Solution

    Numbers = NDArray[np.integer]

_LONG = 2.6  # steps: what a facet of a convex surface does not reach across
_SHORT = 1e-3  # of tie-lines: less is as good as the plait point
_NEXT = 0.03  # between tie-lines that may belong to two regions
_FAR = 0.15  # beyond which they do


def isotherm(solution: Solution, T: float) -> Isotherm:
    """Everything at one temperature: see `Solution.isotherm`."""
    surface = Surface(solution, T)
    if surface.energy._charge.any():
        raise UnsupportedPhase(f"{solution.phase} holds charged species: no tie-lines are found")
    curves = spinodal(surface)
    plaits = critical_points(surface, curves)

    def tie_lines(x: Array, y: Array | None = None) -> Array:
        found, planes, good = surface.tangent(x, y)
        good &= _sides(found) > _SHORT
        good[good] = surface.stable(planes[good])
        return found[good]

    regions: list[Array] = []
    triangles = np.empty((0, 3, 3))
    if curves or surface.energy.freedom:  # two states of order need no spinodal between them
        two, three, corners, neighbours, guesses, ends = _facets(surface)
        if len(three):
            found, planes, good = surface.tangent(surface.x[corners], surface.y[corners])
            good &= _sides(found) > 0.5 / STEPS  # less is a trace of a plait point
            good[good] = surface.stable(planes[good])
            triangles = distinct(found[good])
            two[three[~good]] = True  # no boundary between two regions
        starts = [tie_lines(guesses[k], surface.y[ends[k]]) for k in _regions(two, neighbours)]
        regions = [_in_order(found) for found in starts if len(found)]

        def between(one: Array, other: Array) -> bool:
            """Whether there is a tie-line half-way from one to another."""
            turned = bool(apart(one, other[None]).argmin())
            middle = ((one + other[:: -1 if turned else 1]) / 2)[None]
            found = tie_lines(middle)
            return len(found) > 0 and bool(
                apart(found[0], middle).min() < apart(one, other[None]).min()
            )

        regions = _joined(regions, between)
        if not regions:  # a gap between the points of the grid
            regions = [_in_order(x) for x in map(tie_lines, map(_through, curves)) if len(x)]
        if curves and not regions:
            raise NotConverged(f"the tie-lines of {solution.phase} at {T:g} K did not converge")
    lasting = surface.stable(surface.planes(plaits))
    for side in sides_of(triangles):  # a region too small for the grid
        if all(apart(side, region[[0, -1]]).min() > _NEXT for region in regions):
            regions.append(side[None])
    for x, (k, end) in where_they_end(plaits[lasting], regions, triangles):
        # Half a tie-line is as the root of the distance from the plait point.
        last, share = regions[k][end], 0.5 ** np.arange(1, 9)[:, None, None]
        middle = last.mean(axis=0)
        start = np.clip(x + share * (middle - x) + np.sqrt(share) * (last - middle), 1e-12, 1)
        found, _, good = surface.tangent(start / start.sum(axis=-1, keepdims=True))
        good &= (_sides(found) > _SHORT) & (_sides(found) < np.abs(last[0] - last[1]).max())
        more = [found[good][::-1], regions[k]] if end == 0 else [regions[k], found[good]]
        regions[k] = np.concatenate(more)
    return Isotherm(
        T, solution.components, solution.phase, tuple(curves), tuple(regions), triangles,
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
    result /= result.sum(axis=-1, keepdims=True)
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
            k + 1 for k in np.flatnonzero(steps > _NEXT) if not between(region[k], region[k + 1])
        ]
        left += np.split(region, cuts)
    while left:
        region = left.pop()
        for k, other in enumerate(left):
            ways = [
                (i, j)
                for i in (0, -1)
                for j in (0, -1)
                if apart(region[i], other[[j]]).min() < _FAR and between(region[i], other[j])
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


def _facets(
    surface: Surface,
) -> tuple[Flags, Numbers, Numbers, tuple[Numbers, Numbers], Array, Numbers]:
    """First guesses from the lower hull of the grid.

    Which facets are of two phases; the numbers of those of three and the points of the grid at
    their corners; facets with a long side in common; of each facet a tie-line (m, 2, 3) and which
    points of the grid are near its ends.
    """
    x, height = surface.x, surface.height
    flat = height - x @ np.linalg.lstsq(x, height)[0]
    plane = x @ TO_PLANE
    try:
        hull = ConvexHull(np.column_stack([plane, flat]))
    except QhullError as error:
        raise NotConverged(
            f"the lower hull could not be built: {str(error).splitlines()[0]}"
        ) from error
    corners = hull.simplices
    sides = plane[corners[:, [1, 2, 0]]] - plane[corners[:, [2, 0, 1]]]
    length = np.linalg.norm(sides, axis=-1)  # opposite each corner
    long = length > _LONG / surface.steps
    lower = (hull.equations[:, 2] < -1e-12) & (long.sum(axis=1) > 1)
    # Under a gap G lies above the facet, where G is convex below.
    middle = surface.value(surface.sites(x[corners[lower]].mean(axis=1)))
    lower[lower] = middle > height[corners[lower]].mean(axis=1)
    rows, columns = np.nonzero(lower[:, None] & long)
    at = np.arange(len(corners))
    apex = length.argmin(axis=1)
    first, last, top = (corners[at, apex - k] for k in (2, 1, 0))
    three = np.flatnonzero(lower & long.all(axis=1))
    return (
        lower & (long.sum(axis=1) == 2), three, corners[three],
        (rows, hull.neighbors[rows, columns]),
        np.stack([(x[first] + x[last]) / 2, x[top]], axis=1), np.stack([first, top], axis=1),
    )  # fmt: skip
