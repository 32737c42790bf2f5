"""What an isotherm of a ternary phase looks like, as a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from lina_calphad.checks import Array, Flags

_BESIDE = 0.03  # from a tie-line to the side of a triangle where its region ends


@dataclass(frozen=True, eq=False)
class Isotherm:
    """What a ternary phase does at one temperature; compositions are mole fractions.

    Parameters
    ----------
    T
        Temperature in K.
    components, phase
        The components in the order of the fractions, and the phase.
    spinodal
        Polylines, each (k, 3).
    tie_lines
        Of each two-phase region in their order, each (m, 2, 3).
    triangles
        Three-phase triangles, shape (t, 3, 3).
    critical_points
        Plait points, shape (p, 3).
    stable
        Which of them no other phase lies under, shape (p,).
    """

    T: float
    components: tuple[str, ...]
    phase: str
    spinodal: tuple[Array, ...]
    tie_lines: tuple[Array, ...]
    triangles: Array
    critical_points: Array
    stable: Flags

    def __repr__(self) -> str:
        return (
            f"<Isotherm of {self.phase} at {self.T:g} K: {len(self.spinodal)} spinodals, "
            f"{len(self.tie_lines)} two-phase regions, {len(self.triangles)} triangles, "
            f"{int(self.stable.sum())} stable plait points>"
        )

    def to_dataframe(self) -> pd.DataFrame:
        """One row a point: its kind, the curve or region, the tie-line or vertex, fractions."""
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for kind, curves in (
            ("spinodal", self.spinodal),
            ("tie-line", self.tie_lines),
            ("triangle", self.triangles),
        ):
            for number, curve in enumerate(curves):
                for i, point in enumerate(curve):
                    rows += [(kind, number, i, "", *x) for x in np.atleast_2d(point)]
        for i, (x, stable) in enumerate(zip(self.critical_points, self.stable, strict=True)):
            rows.append(("plait point", i, 0, "stable" if stable else "metastable", *x))
        names = [f"x_{name}" for name in self.components]
        return pd.DataFrame(rows, columns=["kind", "region", "number", "state", *names])

    def binodals(self) -> list[Array]:
        """Both branches of each two-phase region, joined at stable plait points, each (k, 3)."""
        lines = [region[:, side] for region in self.tie_lines for side in (0, 1)]
        plaits = self.critical_points[self.stable]
        for x, (k, end) in where_they_end(plaits, self.tie_lines, self.triangles):
            for side in (2 * k, 2 * k + 1):
                parts = [x[None], lines[side]] if end == 0 else [lines[side], x[None]]
                lines[side] = np.concatenate(parts)
        return lines

    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw it on a Gibbs triangle; see `lina_calphad.stability.figures.draw_isotherm`."""
        from lina_calphad.stability.figures import draw_isotherm

        return draw_isotherm(self, ax, **style)


def apart(one: Array, others: Array) -> Array:
    """Distances of a tie-line from others, as they are and turned round, shape (2, m)."""
    ways = ((0, 1), (1, 0))
    return np.stack([np.linalg.norm(others[:, way] - one, axis=(1, 2)) for way in ways])


def sides_of(triangles: Array) -> Array:
    """The three sides of each triangle (t, 3, 3) as tie-lines (3 t, 2, 3)."""
    return triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2, 3)


def where_they_end(
    points: Array, regions: Sequence[Array], triangles: Array
) -> list[tuple[Array, tuple[int, int]]]:
    """Plait points with the region and the end of it, 0 or -1, where each belongs."""
    sides = sides_of(triangles)
    ends = {
        (k, end): region[end].mean(axis=0)
        for k, region in enumerate(regions)
        for end in ((0, -1) if len(region) > 1 else (-1,))
        # A triangle lies beyond the others; a region of its side alone goes the other way.
        if len(region) == 1 or not len(sides) or apart(region[end], sides).min() > _BESIDE
    }
    found = []
    for x in points:
        if ends:
            near = min(ends, key=lambda key: float(np.linalg.norm(ends[key] - x)))
            found.append((x, near))
            del ends[near]
    return found
