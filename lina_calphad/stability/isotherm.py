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
        for x, (k, end) in where_they_end(self.critical_points[self.stable], self.tie_lines):
            for side in (2 * k, 2 * k + 1):
                parts = [x[None], lines[side]] if end == 0 else [lines[side], x[None]]
                lines[side] = np.concatenate(parts)
        return lines

    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw it on a Gibbs triangle; see `lina_calphad.stability.figures.draw_isotherm`."""
        from lina_calphad.stability.figures import draw_isotherm

        return draw_isotherm(self, ax, **style)


def where_they_end(points: Array, regions: Sequence[Array]) -> list[tuple[Array, tuple[int, int]]]:
    """Plait points with the region and the end of it, 0 or -1, where each belongs."""
    ends = {
        (k, end): region[end].mean(axis=0) for k, region in enumerate(regions) for end in (0, -1)
    }
    found = []
    for x in points:
        if ends:
            near = min(ends, key=lambda key: float(np.linalg.norm(ends[key] - x)))
            found.append((x, near))
            del ends[near]
    return found
