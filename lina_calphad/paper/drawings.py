"""Drawings of the paper's figures 1 to 7, each from its table in `curves` alone.

Colour tells the source. Every artist is labelled with the source and the series it draws.
"""

from __future__ import annotations

from functools import partial
from operator import mul
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from lina_calphad.data.supercells import EV_IN_J_PER_MOL
from lina_calphad.paper import tables as curves
from lina_calphad.paper.series import close_packed_line, each_series, hollow, legend, square
from lina_calphad.paper.tables import ENERGIES, FCC, METHODS, RATIO, SIDES
from lina_calphad.plots import COLOURS, STYLES, WIDTHS, arrhenius_axis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from lina_calphad.compare.comparison import Comparison

_X_NA, _X_LI, _KELVIN = "mole fraction of Na", "mole fraction of Li", "temperature / K"
# In inches, for one and two columns: at a journal's width the letters have 7 points.
_ONE, _TWO = (5.0, 4.4), (10.2, 5.0)
# Fields of figure 7 from pure Li or Na inwards, between the curves of `_EDGES`.
_FIELDS = {
    "A": "stable solid solution",
    "B": "unmixes only incoherently",
    "C": "coherent nucleation",
    "D": "coherent spinodal decomposition",
}
_EDGES = ("chemical binodal", "coherent binodal", "coherent spinodal")
_BOUNDARIES = ("liquid", "bcc", "eutectic", "monotectic")


def phase_diagram(table: pd.DataFrame) -> Figure:
    """Figure 1: the whole diagram, and the two corners in which the assessments differ.

    Parameters
    ----------
    table
        As of `curves.phase_diagram`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 6.6), layout="constrained")
    axes = figure.subplot_mosaic([["a", "b"], ["a", "c"]], width_ratios=(1.5, 1))
    limits = {"a": (0, 1, 200, 620), "b": (0, 0.05, 430, 458), "c": (0.945, 1, 355, 373)}
    calculated = table[table["series"].isin(_BOUNDARIES)]
    measured = table.drop(calculated.index)
    for key, ax in axes.items():
        for i, source, label, rows in each_series(calculated, "line"):
            # The liquid is the same in both: the later line lies on the earlier.
            width = 3.0 if source == calculated["source"].iloc[0] else 1.3
            ax.plot(rows["x_na"], rows["T_K"], color=COLOURS[i], linewidth=width, label=label)
        for i, _, label, rows in each_series(measured):
            ax.plot(rows["x_na"], rows["T_K"], label=label, **hollow("osD^v"[i], size=6))
        x0, x1, T0, T1 = limits[key]
        ax.set(xlim=(x0, x1), ylim=(T0, T1), xlabel=_X_NA, ylabel=_KELVIN)
        ax.set_title(f"({key})", loc="left")
        if key != "a":
            frame = Rectangle((x0, T0), x1 - x0, T1 - T0, fill=False, color="0.45", linewidth=0.8)
            axes["a"].add_patch(frame)
    fields: dict[str, dict[str, tuple[float, float]]] = {
        "a": {
            "liquid": (0.80, 565),
            "two liquids": (0.36, 520),
            "bcc Li + liquid": (0.45, 403),
            "bcc Li + bcc Na": (0.45, 280),
            "SGTE unaries begin at 200 K": (0.45, 208),
        },
        "b": {
            "liquid": (0.022, 454),
            "two liquids": (0.0435, 449),
            "bcc Li + liquid": (0.029, 434),
        },
        "c": {
            "liquid": (0.973, 370),
            "bcc Li\n+ liquid": (0.951, 368),
            "bcc Li + bcc Na": (0.967, 357.2),
            "bcc\nNa": (0.9977, 357.2),
        },
    }
    for key, names in fields.items():
        for name, (x, T) in names.items():
            axes[key].text(x, T, name, ha="center", va="center", color="0.25")
    # Single-phase Li of the older description, two phases in the newer.
    axes["b"].text(0.0056, 434, "bcc Li", ha="center", va="center", color=COLOURS[0])
    plain = (*_BOUNDARIES, "measured")
    legend(figure, table, 3, lambda who, what: who if what in plain else f"{who}, {what}")
    return figure


def formation_energy(table: pd.DataFrame) -> Figure:
    """Figure 2: energies of formation, and the same over x_Li x_Na, where the sources part.

    Parameters
    ----------
    table
        As of `curves.formation_energy`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    paper, own = ENERGIES["santos2025"][0], FCC[0]
    points = table[table["source"].isin((paper, own))]
    for ax, column in ((left, "energy_J_per_mol"), (right, RATIO)):
        for i, _, label, rows in each_series(table.drop(points.index)):
            ax.plot(rows["x_na"], rows[column] / 1000, color=COLOURS[i], label=label)
        markers = iter("Dos^xv")
        for _, source, label, rows in each_series(points):
            style = hollow(next(markers), COLOURS[1] if source == paper else COLOURS[-1])
            ax.plot(rows["x_na"], rows[column] / 1000, label=label, **style)
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
    for source, kind in ((paper, "santos2025"), (own, "gpaw2026-54")):
        dilute = points[(points["source"] == source) & (points["series"] == ENERGIES[kind][1])]
        first = dilute.sort_values("x_na").iloc[0]
        # The axis has E_f/(x_Li x_Na), one atom in a cell of N costs N E_f: (N - 1)/N of that.
        cells, read = round(1 / first["x_na"]), first[RATIO] / EV_IN_J_PER_MOL
        cost = first["energy_J_per_mol"] / first["x_na"] / EV_IN_J_PER_MOL
        right.annotate(
            f"one Na in Li:\n{read:.3f} × {cells - 1}/{cells}\n= {cost:.3f} eV",
            (first["x_na"], first[RATIO] / 1000),
            (0.07, first[RATIO] / 1000 + 0.9),
            arrowprops={"arrowstyle": "-", "color": "0.5", "shrinkB": 5},
            va="center",
        )
    legend(figure, table, 2)
    return figure


def na_in_li(table: pd.DataFrame) -> Figure:
    """Figure 3: Arrhenius plot of the solubility of Na in bcc Li.

    Parameters
    ----------
    table
        As of `curves.na_in_li`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return _one_side(table, 0)


def li_in_na(table: pd.DataFrame) -> Figure:
    """Figure 4: Arrhenius plot of the solubility of Li in bcc Na.

    Parameters
    ----------
    table
        As of `curves.li_in_na`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return _one_side(table, 1)


def spinodals(table: pd.DataFrame) -> Figure:
    """Figure 5: onset of the chemical spinodal on both sides over temperature.

    Parameters
    ----------
    table
        As of `curves.spinodals`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=_TWO, layout="constrained")
    left, right = figure.subplots(1, 2)
    inset = right.inset_axes((0.14, 0.60, 0.36, 0.37))
    for ax, side in ((left, 0), (right, 1), (inset, 1)):
        for i, _, label, rows in each_series(table[table["side"] == SIDES[side]]):
            exact = label.endswith(METHODS[1])
            colour = COLOURS[i]
            style = hollow("s", colour, 4) if exact else {"color": colour, "linewidth": 1.8}
            ax.plot(rows["T_K"], rows["x_solute"], label=label, **style)
        ax.set(xlim=(0, 1.02 * table["T_K"].max()), ylim=(0, None), xlabel=_KELVIN)
    inset.set(xlim=(0, 64), ylim=(0, 0.1))
    inset.set_xlabel(_KELVIN, fontsize="small", labelpad=1)
    inset.set_ylabel(_X_LI, fontsize="small")
    inset.tick_params(labelsize="small")
    left.set(title="(a) spinodal onset, Li side (eq. 10)", ylabel=_X_NA)
    right.set(title="(b) spinodal onset, Na side (eq. 11)", ylabel=_X_LI)
    legend(figure, table, 2)
    return figure


def binodals(table: pd.DataFrame) -> Figure:
    """Figure 6: Arrhenius plots of chemical and coherent solubilities on both sides.

    Parameters
    ----------
    table
        As of `curves.binodals`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 5.8), layout="constrained")
    newest = table["source"].iloc[-1]
    for ax, side in zip(figure.subplots(1, 2), SIDES, strict=True):
        for i, source, label, rows in each_series(table[table["side"] == side]):
            colour = COLOURS[i]
            if label.endswith(METHODS[0]):
                style: dict[str, Any] = {"linestyle": "-" if source == newest else "--"}
                style |= {"color": colour, "linewidth": 2.6 if "coherent" in label else 1.0}
            elif "coherent" in label:
                closed = label.endswith("critical point")
                style = hollow("*" if closed else "o", colour, 9 if closed else 5.5)
            else:
                style = square(colour)
            ax.semilogy(1000 / rows["T_K"], rows["x_solute"], label=label, **style)
        _arrhenius(ax, side)
        ax.text(0.03, 0.03, _poorest(table[table["side"] == side]), transform=ax.transAxes)
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
    """Figure 7: phase diagram up to the eutectic, and its Li side; fields of the last source.

    Parameters
    ----------
    table
        As of `curves.low_temperature`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 6.2), layout="constrained")
    axes = figure.subplots(1, 2, width_ratios=(1.4, 1))
    last = table["source"].iloc[-1]
    newest = table[table["source"] == last]
    for ax in axes:
        for i, source, label, rows in each_series(table, "side"):
            kind = rows["series"].iloc[0]
            style = {"color": COLOURS[i], "linestyle": STYLES[kind], "linewidth": WIDTHS[kind]}
            if source != last:
                style |= {"alpha": 0.55, "linewidth": 1.0}
            ax.plot(rows["x_na"], rows["T_K"], label=label, **style)
        for kind in ("coherent binodal", "coherent spinodal"):
            curve = newest[newest["series"] == kind].set_index("T_K")
            edges = [curve.loc[curve["side"] == side, "x_na"] for side in SIDES]
            # The last series drawn is one of the last source.
            shade = {"color": COLOURS[i], "alpha": 0.10, "linewidth": 0, "zorder": 0}
            ax.fill_betweenx(edges[0].index, *edges, **shade)
        close_packed_line(ax, newest, 0.03 if ax is axes[1] else 0.16)
        ax.set(xlabel=_X_NA, ylabel=_KELVIN, ylim=(table["T_K"].min(), table["T_K"].max()))
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


def _one_side(table: pd.DataFrame, side: int) -> Figure:
    figure = Figure(figsize=_ONE, layout="constrained")
    ax = figure.subplots()
    for i, _, label, rows in each_series(table):
        style = square(COLOURS[i]) if label.endswith(METHODS[1]) else {"color": COLOURS[i]}
        ax.semilogy(1000 / rows["T_K"], rows["x_solute"], label=label, **style)
    _arrhenius(ax, SIDES[side])
    limit = f"limit, eq. {6 + side}"
    legend(figure, table, 2, lambda who, how: f"{who}, {limit if how == METHODS[0] else how}")
    return figure


def _arrhenius(ax: Axes, side: str) -> None:
    solute, _, host = side.split()
    ax.set(title=f"{solute} in bcc {host}", ylabel=f"mole fraction of {solute}")
    arrhenius_axis(ax)


#: Name of each figure: the function that makes its table, and the one that draws that.
FIGURES: Mapping[
    str, tuple[Callable[[Comparison], pd.DataFrame], Callable[[pd.DataFrame], Figure]]
] = MappingProxyType(
    {
        "figure_1_phase_diagram": (curves.phase_diagram, phase_diagram),
        "figure_2_formation_energy": (curves.formation_energy, formation_energy),
        "figure_3_na_in_li": (curves.na_in_li, na_in_li),
        "figure_4_li_in_na": (curves.li_in_na, li_in_na),
        "figure_5_spinodals": (curves.spinodals, spinodals),
        "figure_6_binodals": (curves.binodals, binodals),
        "figure_7_low_temperature": (curves.low_temperature, low_temperature),
    }
)
