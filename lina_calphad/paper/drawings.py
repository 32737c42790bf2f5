"""Drawings of the paper's figures 1 to 7: each function takes its table and gives a Figure.

Colour tells the source. Every artist is labelled with the source and the series it draws.
"""

from __future__ import annotations

from functools import partial
from operator import mul
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from lina_calphad import plots
from lina_calphad.data.supercells import EV_IN_J_PER_MOL
from lina_calphad.paper.alloys import METHODS, SIDES
from lina_calphad.paper.marks import Style, close_packed_line, draw, groups, hollow, legend, square
from lina_calphad.paper.tables import ENERGIES, FCC, RATIO
from lina_calphad.plots import COLOURS, KELVIN

_X_NA, _X_LI = "mole fraction of Na", "mole fraction of Li"
# In inches, for one and two columns: at a journal's width the letters have 7 points.
_ONE, _TWO = (5.0, 4.4), (10.2, 5.0)
# Fields of figure 7 from pure Li or Na inwards, between the curves of `_EDGES`, by the names that
# `lina-calphad anode` has for them.
_FIELDS = {
    "A": "single phase",
    "B": "held by coherency",
    "C": "coherent nucleation",
    "D": "spontaneous coherent unmixing",
}
_EDGES = ("chemical binodal", "coherent binodal", "coherent spinodal")
_BOUNDARIES = ("liquid", "bcc", "eutectic", "monotectic")
# Names in figure 1, by panel: text, x, T in K.
_NAMES = {
    "a": (
        ("liquid", 0.80, 565),
        ("two liquids", 0.36, 520),
        ("bcc Li + liquid", 0.45, 403),
        ("bcc Li + bcc Na", 0.45, 280),
        ("SGTE unaries begin at 200 K", 0.45, 208),
    ),
    "b": (("liquid", 0.022, 454), ("two liquids", 0.0435, 449), ("bcc Li + liquid", 0.029, 434)),
    "c": (
        ("liquid", 0.973, 370),
        ("bcc Li\n+ liquid", 0.951, 368),
        ("bcc Li + bcc Na", 0.967, 357.2),
        ("bcc\nNa", 0.9977, 357.2),
    ),
}


def phase_diagram(table: pd.DataFrame) -> Figure:
    """Figure 1: the whole diagram, and the two corners in which the assessments differ."""
    figure = Figure(figsize=(10.2, 6.6), layout="constrained")
    axes = figure.subplot_mosaic([["a", "b"], ["a", "c"]], width_ratios=(1.5, 1))
    limits = {"a": (0, 1, 200, 620), "b": (0, 0.05, 430, 458), "c": (0.945, 1, 355, 373)}
    calculated = table[table["series"].isin(_BOUNDARIES)]
    measured = table.drop(calculated.index)
    first = calculated["source"].iloc[0]
    marks = dict(zip(measured["source"].unique(), "osD^v", strict=False))

    def line(source: str, _: str, colour: str) -> dict[str, Any]:
        # The liquid is the same in both: the later line lies on the earlier.
        return {"color": colour, "linewidth": 3.0 if source == first else 1.3}

    for key, ax in axes.items():
        draw(ax, calculated, "x_na", "T_K", line, "line")
        draw(ax, measured, "x_na", "T_K", lambda who, *_: hollow(marks[who], size=6))
        x0, x1, T0, T1 = limits[key]
        ax.set(xlim=(x0, x1), ylim=(T0, T1), xlabel=_X_NA, ylabel=KELVIN)
        ax.set_title(f"({key})", loc="left")
        if key != "a":
            frame = Rectangle((x0, T0), x1 - x0, T1 - T0, fill=False, color="0.45", linewidth=0.8)
            axes["a"].add_patch(frame)
        for name, x, T in _NAMES[key]:
            ax.text(x, T, name, ha="center", va="center", color="0.25")
    # Single-phase Li of the older description, two phases in the newer.
    axes["b"].text(0.0056, 434, "bcc Li", ha="center", va="center", color=COLOURS[0])
    plain = (*_BOUNDARIES, "measured")
    legend(figure, table, 3, lambda who, what: who if what in plain else f"{who}, {what}")
    return figure


def formation_energy(table: pd.DataFrame) -> Figure:
    """Figure 2: energies of formation, and the same over x_Li x_Na, where the sources part."""
    figure = Figure(figsize=(10.2, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    paper, own = ENERGIES["santos2025"][0], FCC[0]
    energies = ["energy_J_per_mol", RATIO]
    table = table.assign(**{column: table[column] / 1000 for column in energies})
    points = table[table["source"].isin((paper, own))]
    marks = dict(
        zip((key for key, _ in groups(points, "source", "series")), "DPos^xv", strict=False)
    )

    def symbol(source: str, series: str, _: str) -> dict[str, Any]:
        return hollow(marks[source, series], COLOURS[1] if source == paper else COLOURS[-1])

    for ax, column in zip((left, right), energies, strict=True):
        draw(ax, table.drop(points.index), "x_na", column, lambda _a, _b, c: {"color": c})
        draw(ax, points, "x_na", column, symbol)
    one = 1e6 / EV_IN_J_PER_MOL  # kJ/mol in meV
    ratio = r"$E_f\,/\,(x_\mathrm{Li}\,x_\mathrm{Na})$"
    left.set(ylabel=r"$E_f$ / (kJ/mol of atoms)", ylim=(0, None), title="(a) formation energy")
    right.set(ylabel=f"{ratio} / (kJ/mol)", ylim=(13.5, 28.5), title=f"(b) {ratio}")
    for ax, unit, factor in ((left, "meV/atom", one), (right, f"{ratio} / (eV/atom)", one / 1e3)):
        ax.set(xlabel=_X_NA, xlim=(-0.02, 1.02))
        axis = ax.secondary_yaxis(
            "right", functions=(partial(mul, factor), partial(mul, 1 / factor))
        )
        axis.set_ylabel(unit)
    for source, kind in ((paper, "santos2025"), (own, "gpaw2026-128")):
        dilute = points[(points["source"] == source) & (points["series"] == ENERGIES[kind][1])]
        first = dilute.sort_values("x_na").iloc[0]
        # The axis has E_f/(x_Li x_Na), one atom in a cell of N costs N E_f: (N - 1)/N of that.
        cells, read = round(1 / first["x_na"]), first[RATIO] * 1000 / EV_IN_J_PER_MOL
        right.annotate(
            f"one Na in Li:\n{read:.3f} × {cells - 1}/{cells}\n= {read * (1 - 1 / cells):.3f} eV",
            (first["x_na"], first[RATIO]),
            (0.07, first[RATIO] + 0.4),
            arrowprops={"arrowstyle": "-", "color": "0.5", "shrinkB": 5},
            va="center",
            fontsize="small",
        )
    legend(figure, table, 2)
    return figure


def one_side(table: pd.DataFrame, side: int) -> Figure:
    """Figures 3 and 4: Arrhenius plot of the chemical solubilities of one of `SIDES`."""
    figure = Figure(figsize=_ONE, layout="constrained")

    def style(_: str, method: str, colour: str) -> dict[str, Any]:
        return square(colour) if method == METHODS[1] else {"color": colour}

    _arrhenius(figure.subplots(), table, SIDES[side], style)
    limit = f"limit, eq. {6 + side}"
    legend(figure, table, 2, lambda who, how: f"{who}, {limit if how == METHODS[0] else how}")
    return figure


def spinodals(table: pd.DataFrame) -> Figure:
    """Figure 5: onset of the chemical spinodal on both sides over temperature."""
    figure = Figure(figsize=_TWO, layout="constrained")
    left, right = figure.subplots(1, 2)
    inset = right.inset_axes((0.14, 0.60, 0.36, 0.37))

    def style(_: str, method: str, colour: str) -> dict[str, Any]:
        exact = method == METHODS[1]
        return hollow("s", colour, 4) if exact else {"color": colour, "linewidth": 1.8}

    for ax, side in ((left, SIDES[0]), (right, SIDES[1]), (inset, SIDES[1])):
        draw(ax, table[table["side"] == side], "T_K", "x_solute", style)
        ax.set(xlim=(0, 1.02 * table["T_K"].max()), ylim=(0, None), xlabel=KELVIN)
    inset.set(xlim=(0, 64), ylim=(0, 0.1))
    inset.set_xlabel(KELVIN, fontsize="small", labelpad=1)
    inset.set_ylabel(_X_LI, fontsize="small")
    inset.tick_params(labelsize="small")
    left.set(title="(a) spinodal onset, Li side (eq. 10)", ylabel=_X_NA)
    right.set(title="(b) spinodal onset, Na side (eq. 11)", ylabel=_X_LI)
    legend(figure, table, 2)
    return figure


def binodals(table: pd.DataFrame) -> Figure:
    """Figure 6: Arrhenius plots of chemical and coherent solubilities on both sides."""
    figure = Figure(figsize=(10.2, 5.8), layout="constrained")
    newest = table["source"].iloc[-1]

    def style(source: str, series: str, colour: str) -> dict[str, Any]:
        kind, method = series.split(", ")
        if method == METHODS[0]:
            width = 2.6 if kind == "coherent" else 1.0
            dashes = "-" if source == newest else "--"
            return {"linestyle": dashes, "color": colour, "linewidth": width}
        if kind == "chemical":
            return square(colour)
        return hollow("o", colour, 5.5) if method == METHODS[1] else hollow("*", colour, 9)

    for ax, side in zip(figure.subplots(1, 2), SIDES, strict=True):
        rows = table[table["side"] == side]
        _arrhenius(ax, rows, side, style)
        ax.text(0.03, 0.03, _poorest(rows), transform=ax.transAxes)
    legend(figure, table, table["source"].nunique())
    return figure


def _poorest(table: pd.DataFrame) -> str:
    """Where on one side the closed form is farthest from the exact solubility."""
    rows = table.copy()
    rows[["kind", "method"]] = table["series"].str.split(", ", expand=True)
    both = rows.pivot(index=["source", "kind", "T_K"], columns="method", values="ln_x_solute")
    off = (both[METHODS[0]] - both[METHODS[1]]).reset_index(name="ln")
    worst = off.iloc[int(np.nanargmax(off["ln"].abs()))]
    times = f"{np.exp(worst['ln']):.1f} times the exact one at {worst['T_K']:.0f} K"
    return f"limit poorest for {worst['source']}, {worst['kind']}:\n{times}"


def low_temperature(table: pd.DataFrame) -> Figure:
    """Figure 7: phase diagram up to the eutectic, and its Li side; fields of the last source."""
    figure = Figure(figsize=(10.2, 6.2), layout="constrained")
    axes = figure.subplots(1, 2, width_ratios=(1.4, 1))
    last = table["source"].iloc[-1]
    newest = table[table["source"] == last]

    def style(source: str, kind: str, colour: str) -> dict[str, Any]:
        faint = {} if source == last else {"alpha": 0.55, "linewidth": 1.0}
        return plots.style(kind, colour) | faint

    for ax in axes:
        draw(ax, table, "x_na", "T_K", style, "side")
        for kind in ("coherent binodal", "coherent spinodal"):
            curve = newest[newest["series"] == kind].set_index("T_K")
            edges = [curve.loc[curve["side"] == side, "x_na"] for side in SIDES]
            colour = COLOURS[table["source"].nunique() - 1]
            shade = {"color": colour, "alpha": 0.10, "linewidth": 0, "zorder": 0}
            ax.fill_betweenx(edges[0].index, *edges, **shade)
        close_packed_line(ax, newest, 0.03 if ax is axes[1] else 0.16)
        ax.set(xlabel=_X_NA, ylabel=KELVIN, ylim=(table["T_K"].min(), table["T_K"].max()))
    axes[0].set(xlim=(0, 1), title=f"bcc Li-Na; fields of {last}")
    axes[1].set(xlim=(1e-7, 0.5), xscale="log", title="its Li side", ylabel="")
    top = newest["T_K"].max()
    _letters(axes[0], newest, SIDES[1], 0.93 * top, (1.0, 0.0))
    _letters(axes[1], newest, SIDES[0], 0.73 * top, axes[1].get_xlim())
    key = [
        Line2D([], [], linestyle="", marker=rf"$\mathrm{{{letter}}}$", color="black", label=meaning)
        for letter, meaning in _FIELDS.items()
    ]
    legend(figure, table, table["source"].nunique() + 1, more=key)
    return figure


def _letters(ax: Axes, table: pd.DataFrame, side: str, T: float, ends: tuple[float, float]) -> None:
    """Put the letters of the fields on one side of the gap between its curves at T."""
    branch = table[table["side"] == side]
    rows = [branch[branch["series"] == kind] for kind in _EDGES]
    if not all(curve["T_K"].max() >= T for curve in rows):  # nor where there is no curve
        return
    at = [np.interp(T, curve["T_K"], curve["x_na"]) for curve in rows]
    edges = np.array([ends[0], *at, ends[1]])
    log = ax.get_xscale() == "log"
    middle = np.sqrt(edges[1:] * edges[:-1]) if log else (edges[1:] + edges[:-1]) / 2
    for letter, x, width in zip(_FIELDS, middle, abs(np.diff(edges)), strict=True):
        if log or width > 0.05:
            ax.text(x, T, letter, ha="center", va="center", weight="bold")


def _arrhenius(ax: Axes, table: pd.DataFrame, side: str, style: Style) -> None:
    """Solubilities of one side over the reciprocal temperature."""
    solute, _, host = side.split()
    draw(ax, table.assign(reciprocal=1000 / table["T_K"]), "reciprocal", "x_solute", style)
    ax.set(yscale="log", title=f"{solute} in bcc {host}", ylabel=f"mole fraction of {solute}")
    plots.arrhenius_axis(ax)
