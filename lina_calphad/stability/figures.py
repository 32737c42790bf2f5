"""Gibbs triangles of ternary isotherms, on pycalphad's triangular axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from pycalphad.plot import triangular  # noqa: F401 - registers the projection

from lina_calphad.plots import COLOURS, legend_below, plain, style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from lina_calphad.checks import Array
    from lina_calphad.stability.isotherm import Isotherm

_TIE_LINES = 14  # drawn in a region


def gibbs_triangle(figure: Figure, components: tuple[str, ...], where: Any = 111) -> Axes:
    """Triangular axes: the second component along the base, the third along the left side."""
    ax = figure.add_subplot(where, projection="triangular")
    first, second, third = (plain(name.title()) for name in components)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel(f"mole fraction of {second}")
    ax.set_ylabel(f"mole fraction of {third}", rotation=60)
    ax.yaxis.set_label_coords(0.14, 0.5)
    ticks = np.linspace(0, 1, 6)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ticks, labels=[f"{t:.1f}" for t in ticks])
    for t in ticks[1:-1]:  # a grid along all three sides
        for line in (((t, t), (0, 1 - t)), ((0, 1 - t), (t, t)), ((t, 0), (0, t))):
            ax.plot(*line, color="0.9", linewidth=0.6, zorder=0)
    for name, at, shift in (
        (first, (0, 0), (-14, -22)),
        (second, (1, 0), (14, -22)),
        (third, (0, 1), (0, 8)),
    ):
        ax.annotate(
            name, at, shift, textcoords="offset points", ha="center", weight="bold",
            annotation_clip=False,
        )  # fmt: skip
    return ax


def draw_isotherm(
    found: Isotherm, ax: Axes | None = None, *, kind: str = "chemical", colour: str = COLOURS[0]
) -> Axes:
    """Draw spinodal, binodal, tie-lines, triangles and plait points of one isotherm."""
    if ax is None:
        ax = gibbs_triangle(Figure(figsize=(7, 6.6), layout="constrained"), found.components)

    def line(x: Array, **more: Any) -> None:
        ax.plot(x[:, 1], x[:, 2], **more)

    for region in found.tie_lines:
        chosen = np.unique(np.linspace(0, len(region) - 1, _TIE_LINES).round().astype(int))
        for pair in region[chosen]:
            line(pair, color=colour, linewidth=0.5, alpha=0.55)
    for curve in found.binodals():
        line(curve, **style(f"{kind} binodal", colour))
    for corners in found.triangles:
        ax.fill(corners[:, 1], corners[:, 2], color=colour, alpha=0.15, linewidth=0)
        line(corners[[0, 1, 2, 0]], color=colour, linewidth=1.0)
    for curve in found.spinodal:
        line(curve, **style(f"{kind} spinodal", colour))
    stable = found.critical_points[found.stable]
    ax.plot(stable[:, 1], stable[:, 2], "o", color=colour, markersize=4.5)
    return ax


def isotherm_figure(found: Mapping[str, Isotherm], title: str) -> Figure:
    """Chemical and coherent isotherms on one Gibbs triangle."""
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(7.2, 6.6), layout="constrained")
    one = next(iter(found.values()))
    ax = gibbs_triangle(figure, one.components)
    key: list[Any] = []
    for (kind, isotherm), colour in zip(found.items(), COLOURS, strict=False):
        draw_isotherm(isotherm, ax, kind=kind, colour=colour)
        for curve, there in (("binodal", isotherm.tie_lines), ("spinodal", isotherm.spinodal)):
            if there:
                name = f"{kind} {curve}"
                key.append(Line2D([], [], **style(name, colour), label=name))
        if isotherm.stable.any():
            key.append(
                Line2D([], [], marker="o", ls="", ms=4.5, color=colour, label=f"{kind} plait point")
            )
    ax.set_title(plain(title), y=0.93, loc="left")
    if key:
        legend_below(figure, key)
    return figure
