"""Figures 8 to 10, beyond the paper, each drawn from its table in `beyond_tables` alone.

Colour tells the elasticity: black is the chemical gap, vermilion the paper's coherent one.
Line style tells the kind of curve, as in `plotting`.
"""

from __future__ import annotations

from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lina_calphad.paper import beyond_tables as tables
from lina_calphad.paper.beyond_tables import ASSESSMENT, CHEMICAL, CONSTANTS, HOST, ISOTROPIC
from lina_calphad.paper.series import close_packed_line
from lina_calphad.plots import COLOURS, KINDS, SHADES, STYLES, WIDTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from lina_calphad.compare.comparison import Comparison

_X_NA, _KELVIN, _B = "mole fraction of Na", "temperature / K", "B / (kJ/mol)"
_BLACK, _COHERENT = COLOURS[6], COLOURS[1]
_PLANES = dict(zip(tables.PLANES, (COLOURS[0], COLOURS[2], COLOURS[3]), strict=True))
_MARKERS = dict(zip(CONSTANTS, "^ovs", strict=True))
_LI_SIDE = (1e-6, 0.2)
# Of figure 9: what a parameter is called in words, and what a tick in a bar is.
_NAMES = {"E and ν": "E and ν together", "misfit by both": "misfit, both lattice constants"}
_TICK = "a value tried (a case of the table)"


def cubic_elasticity(table: pd.DataFrame) -> Figure:
    """Figure 8: coherent diagrams along three planes beside the isotropic and the chemical one.

    Parameters
    ----------
    table
        As of `beyond_tables.cubic_elasticity`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 8.8), layout="constrained")
    whole, li_side, stiffness, onset = figure.subplots(2, 2, height_ratios=(3, 2)).flat
    handles = []
    for (name, plane), series in _groups(table, "constants", "direction"):
        if name not in (CHEMICAL, ISOTROPIC, HOST):
            continue
        colour = {CHEMICAL: _BLACK, ISOTROPIC: _COHERENT}.get(name) or _PLANES[plane]
        b = series["B_J_per_mol"].iloc[0] / 1000
        for (kind,), curve in _groups(series, "curve"):
            style: dict[str, Any] = {"linestyle": STYLES[kind], "linewidth": WIDTHS[kind]}
            for ax, branch in product((whole, li_side), ("x_na_alpha", "x_na_beta")):
                ax.plot(curve[branch], curve["T_K"], color=colour, **style)
        label = _pretty(f"{name}, {plane}") if name == HOST else name
        label += f": B = {b:.2f} kJ/mol" if b else ""
        handles.append(Line2D([], [], color=colour, linewidth=3, label=label))
    whole.set(title=f"(a) bcc Li-Na, {ASSESSMENT}", xlim=(0, 1))
    li_side.set(title="(b) its Li side", xscale="log", xlim=_LI_SIDE)
    for ax, x in ((whole, 0.18), (li_side, 0.03)):
        close_packed_line(ax, table, x)
        ax.set(ylim=(0, table["T_K"].max()), xlabel=_X_NA, ylabel=_KELVIN)
    now = table[(table["T_K"] == table["at_T_K"]) & table["curve"].str.endswith("spinodal")]
    for ax, column, scale in ((stiffness, "B_J_per_mol", 1e-3), (onset, "x_na_alpha", 1)):
        for name, marker in _MARKERS.items():
            points = now[now["constants"] == name]
            face = "white" if name.startswith("Na") else "0.25"
            style = {"marker": marker, "linestyle": ":", "linewidth": 0.8, "markersize": 7}
            style |= {"color": "0.25", "markerfacecolor": face, "label": name}
            ax.plot(list(map(_pretty, points["direction"])), points[column] * scale, **style)
        for name, colour in ((ISOTROPIC, _COHERENT), (CHEMICAL, _BLACK)):
            for level in now.loc[now["constants"] == name, column] * scale:
                ax.axhline(level, color=colour, linewidth=1.6, zorder=0)
        ax.set(xlabel="direction of the composition wave", xlim=(-0.3, 2.3))
        ax.margins(y=0.08)
    stiffness.set(title="(c) coherency coefficient", ylabel=_B)
    onset.set(title=f"(d) spinodal onset at {table['at_T_K'].iloc[0]:g} K", ylabel=_X_NA)
    stiffness.legend(title="cubic constants of", frameon=False, ncols=2, loc=(0.42, 0.1))
    kinds = [Line2D([], [], color="0.25", linestyle=STYLES[k], label=k) for k in KINDS]
    whole.legend(handles=kinds, frameon=False, loc="center", bbox_to_anchor=(0.33, 0.42))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    source = table.loc[table["constants"] == HOST, "basis"].iloc[0]
    soft = "waves along the soft direction become unstable first"
    note = f"cubic constants: {source}; {soft}"
    figure.suptitle(note, fontsize="medium")
    return figure


def sensitivity(table: pd.DataFrame) -> Figure:
    """Figure 9: bars from the lowest to the highest value, and the curve all of them lie on.

    Parameters
    ----------
    table
        As of `beyond_tables.sensitivity`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 8.4), layout="constrained")
    panels = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=(4, 3))
    reference = table[table["parameter"] == "reference"].iloc[0]
    sweep = table[table["parameter"] == "B"]
    varied = table[~table["parameter"].isin(["reference", "B"])]
    span = varied.groupby("parameter")["B_J_per_mol"].agg(["min", "max"])
    order = (span["max"] - span["min"]).sort_values().index
    titles = {"solubility_x_na": "solubility of Na in Li", "onset_x_na": "spinodal onset"}
    letters = iter("acbd")
    for (bars, line), (column, title) in zip(panels.T, titles.items(), strict=True):
        labels = []
        for y, parameter in enumerate(order):
            cases = varied[varied["parameter"] == parameter].sort_values("B_J_per_mol")
            x = [*cases[column], reference[column]]
            bars.plot(
                [np.nanmin(x), np.nanmax(x)], [y, y], color=_COHERENT, linewidth=11, alpha=0.35,
                solid_capstyle="butt",
            )  # fmt: skip
            bars.plot(cases[column], [y] * len(cases), "|", color=_BLACK, markersize=11)
            low, high = cases.iloc[0], cases.iloc[-1]
            left = "case" if low["B_J_per_mol"] < reference["B_J_per_mol"] else "reference"
            right = "case" if high["B_J_per_mol"] > reference["B_J_per_mol"] else "reference"
            first, last = _pretty(low[left]), _pretty(high[right])
            # Pairs of values are too long for one line.
            gap = "\n" if len(first + last) > 30 else " "
            labels.append(f"{_NAMES.get(str(parameter), parameter)}\n{first}{gap}to {last}")
        bars.set_yticks(range(len(labels)), labels=labels)
        line.plot(sweep[column], sweep["B_J_per_mol"] / 1000, color="0.25")
        marks = [(CHEMICAL, _BLACK, sweep.iloc[0]), (ISOTROPIC, _COHERENT, reference)]
        for name, colour, row in marks:
            for ax in (bars, line):
                ax.axvline(row[column], color=colour, linestyle="--", linewidth=1, zorder=0)
            line.plot(row[column], row["B_J_per_mol"] / 1000, "o", color=colour, label=name)
        for (plane,), one in _groups(varied[varied["case"].isin(list(_PLANES))], "case"):
            style: dict[str, Any] = {"color": _PLANES[plane], "label": _pretty(f"{HOST}, {plane}")}
            line.plot(one[column], one["B_J_per_mol"] / 1000, "D", **style)
        bars.set_title(f"({next(letters)}) coherent {title}, {reference['T_K']:g} K")
        line.set_title(f"({next(letters)}) the same for every B")
        line.set(xlabel=_X_NA, ylim=(-0.8, None))
    panels[0, 0].set_xscale("log")
    panels[1, 0].set_ylabel(_B)
    panels[1, 1].legend(frameon=False, loc="lower right")
    average = varied.loc[varied["parameter"] == "E", "basis"].iloc[0].partition(" ")[2]
    note = f"{ASSESSMENT}; E and ν: between the Reuss and the Voigt {average}"
    figure.suptitle(note, fontsize="medium")
    key: list[Line2D | Patch] = [
        Line2D([], [], color=_BLACK, linestyle="", marker="|", markersize=11, label=_TICK),
        Patch(color=_COHERENT, alpha=0.35, linewidth=0, label="from lowest to highest"),
    ]
    for name, colour in ((CHEMICAL, _BLACK), (ISOTROPIC, _COHERENT)):
        label = name if name == CHEMICAL else f"{name}, the reference"
        key.append(Line2D([], [], color=colour, linestyle="--", linewidth=1, label=label))
    figure.legend(handles=key, loc="outside lower center", ncols=4, frameon=False)
    return figure


def uncertainty(table: pd.DataFrame) -> Figure:
    """Figure 10: bands of the diagram, and histograms of solubility and onset at one temperature.

    Parameters
    ----------
    table
        As of `beyond_tables.uncertainty`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 8.8), layout="constrained")
    whole, li_side, solubility, onset = figure.subplots(2, 2, height_ratios=(3, 2)).flat
    curves = table[table["x_na"].notna()]
    for (kind, _), rows in _groups(curves, "curve", "branch"):
        colour = _colour(kind)
        style: dict[str, Any] = {"linestyle": STYLES[kind], "linewidth": WIDTHS[kind]}
        for ax in (whole, li_side):
            for share, opacity in SHADES.items():
                low, high = (rows[f"x_na_{end}_{share[:2]}"] for end in ("low", "high"))
                shade: dict[str, Any] = {"alpha": opacity, "linewidth": 0, "zorder": 0.5}
                ax.fill_betweenx(rows["T_K"], low, high, color=colour, **shade)
            ax.plot(rows["x_na"], rows["T_K"], color=colour, **style)
    whole.set(title=f"(a) bcc Li-Na, {ASSESSMENT}", xlim=(0, 1))
    li_side.set(title="(b) its Li side", xscale="log", xlim=_LI_SIDE)
    for ax, x in ((whole, 0.18), (li_side, 0.03)):
        close_packed_line(ax, table, x)
        ax.set(ylim=(0, curves["T_K"].max()), xlabel=_X_NA, ylabel=_KELVIN)
    T = table["at_T_K"].iloc[0]
    for ax, curve in ((solubility, "binodal"), (onset, "spinodal")):
        for kind in (kind for kind in KINDS if kind.endswith(curve)):
            bins = table[table["share_of_draws"].notna() & (table["curve"] == kind)]
            edges = [*bins["bin_low_x_na"], bins["bin_high_x_na"].iloc[-1]]
            style = {"fill": True, "color": _colour(kind), "alpha": 0.35}
            ax.stairs(100 * bins["share_of_draws"], edges, **style)
            now = curves[(curves["curve"] == kind) & (curves["T_K"] == T)]
            now = now.loc[now["branch"] == "alpha", ["x_na", "x_na_low_68", "x_na_high_68"]]
            for x in now.to_numpy():
                value, *between = map(_number, x)
                style = {"color": _colour(kind), "linestyle": STYLES[kind], "ymax": 0.72}
                ax.axvline(x[0], label=f"{value} (68 %: {' to '.join(between)})", **style)
        ax.set(xlabel=_X_NA, ylabel="share of draws in a bin / %")
        ax.margins(y=0.45)
        ax.legend(frameon=False, loc="upper center")
    solubility.set(title=f"(c) solubility of Na in Li at {T:g} K", xscale="log")
    onset.set_title(f"(d) spinodal onset at {T:g} K")
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=_colour(k), linestyle=STYLES[k], label=k) for k in KINDS
    ]
    wide, narrow = SHADES
    shades = {narrow: 0.35, wide: 0.13}
    handles += [Patch(color="0.25", alpha=a, linewidth=0, label=n) for n, a in shades.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    note = f"{table['draws'].iloc[0]} draws; {table['basis'].iloc[0]}"
    figure.suptitle(note, fontsize="medium")
    return figure


def _groups(table: pd.DataFrame, *by: str) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """Rows that agree in some columns of text, with what they agree in, in order."""
    for key, rows in table.groupby(list(by), sort=False):
        yield tuple(map(str, key)), rows


def _colour(kind: str) -> str:
    return _BLACK if kind.startswith("chemical") else _COHERENT


def _number(x: float) -> str:
    if x >= 0.01:
        return f"{x:.4f}"
    mantissa, power = f"{x:.2e}".split("e")
    return rf"${mantissa}\times 10^{{{int(power)}}}$"


def _pretty(text: str) -> str:
    return text.replace("<", "⟨").replace(">", "⟩")


#: Name of each figure: the function that makes its table, and the one that draws that.
BEYOND: Mapping[
    str, tuple[Callable[[Comparison], pd.DataFrame], Callable[[pd.DataFrame], Figure]]
] = MappingProxyType(
    {
        "figure_8_cubic_elasticity": (tables.cubic_elasticity, cubic_elasticity),
        "figure_9_sensitivity": (tables.sensitivity, sensitivity),
        "figure_10_uncertainty": (tables.uncertainty, uncertainty),
    }
)
