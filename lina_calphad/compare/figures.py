"""Figures of a comparison: every function draws on an Axes and returns it.

Colour tells the assessment, line style the kind of curve.
"""

from __future__ import annotations

from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lina_calphad import plots
from lina_calphad.data.assessments import COMPONENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lina_calphad.compare.comparison import Comparison

_FIRST, _SECOND = (component.title() for component in COMPONENTS)
_BRANCHES = ("x_alpha", "x_beta")


def phase_diagram(comparison: Comparison, ax: Axes, branches: Sequence[str] = _BRANCHES) -> Axes:
    """Low-temperature phase diagram: binodals and spinodals, chemical and coherent (Fig. 7).

    Of `branches`, "x_alpha" is the side of the gap poor in Na, "x_beta" the one rich in it.
    """
    curves = _curves(comparison.diagram)
    for name, colour in _colours(comparison).items():
        for kind, branch in product(plots.KINDS, branches):
            if name in comparison.bands:
                comparison.bands[name].shade(ax, kind, _BRANCHES.index(branch), colour)
            curve = curves.get((name, kind))
            if curve is not None:
                ax.plot(curve[branch].astype(float), curve["T"], **plots.style(kind, colour))
    plots.fraction_axis(ax)
    ax.set(ylim=(0, comparison.top), ylabel=plots.KELVIN)
    return ax


def arrhenius(comparison: Comparison, ax: Axes, solute: str = "NA") -> Axes:
    """Arrhenius plot of one solubility limit, chemical and coherent (Figs. 3, 4 and 6).

    Of the `solute` "NA" in bcc Li or "LI" in bcc Na. A dot ends the curve of a gap that closes.
    """
    side = COMPONENTS[::-1].index(solute)
    column = ("ln_x_alpha", "ln_one_minus_x_beta")[side]
    ax.set_yscale("log")
    plots.plain_powers(ax.yaxis)
    curves = _curves(comparison.arrhenius)
    for (name, colour), kind in product(_colours(comparison).items(), plots.KINDS[:2]):
        if name in comparison.bands:
            limits = plots.ARRHENIUS_BOTTOM, comparison.top
            comparison.bands[name].shade(ax, kind, side, colour, arrhenius=True, limits=limits)
        curve = curves.get((name, kind))
        if curve is None:
            continue
        at, x = 1000 / curve["T"], np.exp(curve[column].to_numpy(dtype=float))
        ax.plot(at, x, **plots.style(kind, colour))
        if curve["x_alpha"].iloc[-1] == curve["x_beta"].iloc[-1]:
            ax.plot(at.iloc[-1], x[-1], "o", color=colour, markersize=4)
    first, second = (_SECOND, _FIRST) if side == 0 else (_FIRST, _SECOND)
    ax.set(title=f"{first} in bcc {second}", ylabel=f"mole fraction of {first}")
    ax.set_xlim(1000 / comparison.top - 0.2, 1000 / plots.ARRHENIUS_BOTTOM + 0.2)
    plots.arrhenius_axis(ax)
    return ax


def gibbs_energy(comparison: Comparison, ax: Axes) -> Axes:
    """Gibbs energy of mixing over composition; filled circles are tie-lines, open ones spinodals.

    A coherent energy is that of the homogeneous solid against coherent, so strained,
    pure elements; the gap does not depend on that choice.
    """
    curves = _curves(comparison.gibbs)
    for (name, colour), kind in product(_colours(comparison).items(), plots.KINDS[:2]):
        which = kind.split()[0]
        curve = curves[name, which]
        x, energy = curve["x"].to_numpy(), curve["gibbs_energy_of_mixing"].to_numpy() / 1000
        ax.plot(x, energy, **plots.style(kind, colour))
        found = comparison.values[name]
        tie_line = found[f"{which}_na_in_li"], 1 - found[f"{which}_li_in_na"]
        spinodal = found[f"{which}_spinodal_li_side"], found[f"{which}_spinodal_na_side"]
        marks: dict[str, Any] = {"color": colour, "markersize": 4.5, "linewidth": 0.6}
        ax.plot(tie_line, np.interp(tie_line, x, energy), "o-", **marks)
        ax.plot(spinodal, np.interp(spinodal, x, energy), "o", markerfacecolor="white", **marks)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    plots.fraction_axis(ax, limits=(-0.01, 1.01))
    ax.set_ylabel("Gibbs energy of mixing / kJ/mol")
    plots.title(ax, f"bcc Li-Na at {comparison.T:g} K")
    return ax


def figures(comparison: Comparison) -> dict[str, Figure]:
    """All figures of a comparison by name, ready for ``savefig``; see `FIGURES`."""
    return {name: draw(comparison) for name, draw in FIGURES.items()}


def _diagram_figure(comparison: Comparison) -> Figure:
    figure = Figure(figsize=(10.4, 5.4), layout="constrained")
    whole, li_side = figure.subplots(1, 2, width_ratios=(3, 2))
    plots.title(phase_diagram(comparison, whole), "bcc Li-Na, up to the eutectic")
    plots.title(phase_diagram(comparison, li_side, _BRANCHES[:1]), "its Li side")
    li_side.set_ylabel("")
    plots.fraction_axis(li_side, "log")
    _legend(figure, comparison, plots.kind_key(plots.KINDS))
    return figure


def _arrhenius_figure(comparison: Comparison) -> Figure:
    figure = Figure(figsize=(9.6, 5.0), layout="constrained")
    for ax, solute in zip(figure.subplots(1, 2, sharey=True), COMPONENTS[::-1], strict=True):
        arrhenius(comparison, ax, solute)
    _legend(figure, comparison, plots.kind_key(plots.KINDS[:2]))
    return figure


def _energy_figure(comparison: Comparison) -> Figure:
    figure = Figure(figsize=(7.2, 5.0), layout="constrained")
    gibbs_energy(comparison, figure.subplots())
    marker: dict[str, Any] = {"marker": "o", "linestyle": "", "color": "0.25", "markersize": 5}
    kinds = plots.kind_key(plots.KINDS[:2], ("chemical", "coherent, against coherent elements"))
    circles = [
        Line2D([], [], label="tie-line ends", **marker),
        Line2D([], [], label="spinodal", markerfacecolor="white", **marker),
    ]
    _legend(figure, comparison, [*kinds, *circles], bands=False)
    return figure


#: Every figure by its name.
FIGURES: Mapping[str, Callable[[Comparison], Figure]] = MappingProxyType(
    {
        "phase_diagram": _diagram_figure,
        "arrhenius": _arrhenius_figure,
        "gibbs_energy": _energy_figure,
    }
)


def _colours(comparison: Comparison) -> dict[str, str]:
    return {name: plots.COLOURS[i % len(plots.COLOURS)] for i, name in enumerate(comparison.names)}


def _curves(frame: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Curves by assessment and kind; those that there are."""
    return {(str(n), str(k)): curve for (n, k), curve in frame.groupby(["assessment", "kind"])}


def _legend(
    figure: Figure, comparison: Comparison, kinds: list[Artist], *, bands: bool = True
) -> None:
    """One legend under the panels: a column of colours for assessments, then the kinds."""
    colours = plots.colour_key(_colours(comparison))
    kinds += plots.band_key() if bands and comparison.bands else []
    columns = -(-(len(colours) + len(kinds)) // len(colours))
    plots.legend_below(figure, [*colours, *kinds], columns=columns)
