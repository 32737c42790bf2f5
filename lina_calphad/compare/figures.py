"""Figures of a comparison: every function takes the result and an Axes and returns the Axes.

Colour tells the assessment, line style the kind of curve. The colours are those of
Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import expit

from lina_calphad.compare.comparison import ARRHENIUS_BOTTOM
from lina_calphad.data.sources import COMPONENTS
from lina_calphad.plots import COLOURS, KINDS, SHADES, STYLES, WIDTHS, arrhenius_axis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from lina_calphad.checks import Array
    from lina_calphad.compare.comparison import Comparison

_FRACTION = f"mole fraction of {COMPONENTS[1].title()}"

_BEHIND: dict[str, Any] = {"linewidth": 0, "zorder": 0.5}


def phase_diagram(comparison: Comparison, ax: Axes) -> Axes:
    """Low-temperature phase diagram: binodals and spinodals, chemical and coherent (Fig. 7).

    Parameters
    ----------
    comparison
        What to draw.
    ax
        Where to draw it.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    for colour, name in _colours(comparison):
        for kind, side in product(KINDS, (0, 1)):
            for T, edges, opacity in _bands(comparison, name, kind, side):
                # A logarithmic axis takes no zero.
                x = np.maximum(expit(edges), 1e-300)
                ax.fill_betweenx(T, *x, color=colour, alpha=opacity, **_BEHIND)
        for kind in KINDS:
            curve = _select(comparison.diagram, name, kind)
            branches = curve[["x_alpha", "x_beta"]].astype(float)
            style: dict[str, Any] = {"linestyle": STYLES[kind], "linewidth": WIDTHS[kind]}
            ax.plot(branches, curve["T"], color=colour, **style)
    ax.set(xlim=(0, 1), ylim=(0, comparison.top), xlabel=_FRACTION, ylabel="temperature / K")
    return ax


def arrhenius(comparison: Comparison, ax: Axes, solute: str = "NA") -> Axes:
    """Arrhenius plot of one solubility limit, chemical and coherent (Figs. 3, 4 and 6).

    A dot ends the curve of a gap that closes.

    Parameters
    ----------
    comparison
        What to draw.
    ax
        Where to draw it.
    solute
        "NA" for Na in bcc Li, "LI" for Li in bcc Na.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    column, other = ("ln_x_alpha", "LI") if solute == "NA" else ("ln_one_minus_x_beta", "NA")
    for colour, name in _colours(comparison):
        side, sign = (0, 1) if solute == "NA" else (1, -1)
        for kind in KINDS[:2]:
            for T, edges, opacity in _bands(comparison, name, kind, side):
                shown = (T >= ARRHENIUS_BOTTOM) & (comparison.top >= T)
                x = expit(sign * edges[:, shown])
                ax.fill_between(1000 / T[shown], *x, color=colour, alpha=opacity, **_BEHIND)
        for kind in KINDS[:2]:
            curve = _select(comparison.arrhenius, name, kind)
            x = np.exp(curve[column].to_numpy(dtype=float))
            style: dict[str, Any] = {"linestyle": STYLES[kind], "linewidth": WIDTHS[kind]}
            ax.semilogy(1000 / curve["T"], x, color=colour, **style)
            if len(curve) and curve["x_alpha"].iloc[-1] == curve["x_beta"].iloc[-1]:
                ax.plot(1000 / curve["T"].iloc[-1], x[-1], "o", color=colour, markersize=4)
    title = f"{solute.title()} in bcc {other.title()}"
    ax.set(title=title, ylabel=f"mole fraction of {solute.title()}")
    arrhenius_axis(ax)
    return ax


def gibbs_energy(comparison: Comparison, ax: Axes) -> Axes:
    """Gibbs energy of mixing over composition; filled circles are tie-lines, open ones spinodals.

    A coherent energy is that of the homogeneous solid against coherent, so strained,
    pure elements; the gap does not depend on that choice.

    Parameters
    ----------
    comparison
        What to draw.
    ax
        Where to draw it.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    for colour, name in _colours(comparison):
        for kind in KINDS[:2]:
            which = kind.split()[0]
            curve = _select(comparison.gibbs, name, which)
            x, energy = curve["x"].to_numpy(), curve["gibbs_energy_of_mixing"].to_numpy() / 1000
            ax.plot(x, energy, color=colour, linestyle=STYLES[kind], linewidth=WIDTHS[kind])
            ends = comparison.ends(name, which)
            for points, face in ((ends[:2], colour), (ends[2:], "white")):
                at = np.interp(points, x, energy)
                ax.plot(points, at, "o", color=colour, markerfacecolor=face, markersize=4.5)
                if face == colour:
                    ax.plot(points, at, color=colour, linewidth=0.6)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(xlim=(-0.01, 1.01), xlabel=_FRACTION, ylabel="Gibbs energy of mixing / kJ/mol")
    ax.set_title(f"bcc Li-Na at {comparison.T:g} K")
    return ax


def figures(comparison: Comparison) -> dict[str, Figure]:
    """All figures of a comparison by name: phase_diagram, arrhenius, gibbs_energy.

    Parameters
    ----------
    comparison
        What to draw.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        Ready for ``savefig``.
    """
    diagram = Figure(figsize=(10.4, 5.4), layout="constrained")
    whole, li_side = diagram.subplots(1, 2, width_ratios=(3, 2))
    phase_diagram(comparison, whole).set(title="bcc Li-Na, up to the eutectic")
    phase_diagram(comparison, li_side).set(title="its Li side", xscale="log", ylabel="")
    li_side.set_xlim(1e-7, 0.5)
    _legend(diagram, comparison, [*_lines(KINDS), *_patches(comparison)])

    limits = Figure(figsize=(9.6, 5.0), layout="constrained")
    left, right = limits.subplots(1, 2, sharey=True)
    arrhenius(comparison, left, "NA")
    arrhenius(comparison, right, "LI")
    _legend(limits, comparison, [*_lines(KINDS[:2]), *_patches(comparison)])

    energy = Figure(figsize=(7.2, 5.0), layout="constrained")
    gibbs_energy(comparison, energy.subplots())
    marker: dict[str, Any] = {"marker": "o", "linestyle": "", "color": "0.25", "markersize": 5}
    circles = [
        Line2D([], [], label="tie-line ends", **marker),
        Line2D([], [], label="spinodal", markerfacecolor="white", **marker),
    ]
    _legend(
        energy,
        comparison,
        [*_lines(KINDS[:2], ("chemical", "coherent, against coherent elements")), *circles],
    )
    return {"phase_diagram": diagram, "arrhenius": limits, "gibbs_energy": energy}


def _colours(comparison: Comparison) -> list[tuple[str, str]]:
    return [(COLOURS[i % len(COLOURS)], name) for i, name in enumerate(comparison.names)]


def _select(frame: pd.DataFrame, name: str, kind: str) -> pd.DataFrame:
    return frame[(frame["assessment"] == name) & (frame["kind"] == kind)]


def _lines(kinds: Sequence[str], labels: Sequence[str] | None = None) -> list[Line2D]:
    return [
        Line2D([], [], color="0.25", linestyle=STYLES[kind], linewidth=1.6, label=label)
        for kind, label in zip(kinds, labels or kinds, strict=True)
    ]


def _bands(
    comparison: Comparison, name: str, kind: str, side: int
) -> Iterator[tuple[Array, Array, float]]:
    """Bands of one branch, wide first: temperatures, logits of both edges, opacity."""
    if name not in comparison.bands:
        return
    result = comparison.bands[name]
    top = result.critical[kind.split()[0]][0]
    for i, opacity in enumerate(SHADES.values()):
        outer, inner = result.t[kind][[i, -1 - i] if side == 0 else [-1 - i, i], side]
        there = np.isfinite(outer)
        # Draws without a gap leave an inner edge in the middle; there the dome closes, too.
        edges = np.array([outer, np.where(np.isfinite(inner), inner, top[2, 1])])[:, there]
        T = result.T[there]
        if 0 < T.size < result.T.size:
            T, edges = np.append(T, top[-1 - i, 0]), np.insert(edges, T.size, top[2, 1], axis=1)
        yield T, edges, opacity


def _patches(comparison: Comparison) -> list[Patch]:
    """What to say of the bands in a legend, narrow first."""
    wide, narrow = SHADES
    shades = {narrow: 0.35, wide: 0.13} if comparison.bands else {}
    return [Patch(color="0.25", alpha=a, linewidth=0, label=name) for name, a in shades.items()]


def _legend(figure: Figure, comparison: Comparison, kinds: Sequence[Line2D | Patch]) -> None:
    """One legend under the panels: a column of colours for assessments, then the kinds."""
    colours = [Line2D([], [], color=c, linewidth=3, label=n) for c, n in _colours(comparison)]
    columns = -(-(len(colours) + len(kinds)) // len(colours))
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": columns, "frameon": False}
    legend = figure.legend(handles=[*colours, *kinds], **place)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a file's name may hold dollar signs
