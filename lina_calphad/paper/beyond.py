"""Drawings of figures 8 to 10, beyond the paper: each function takes its table, gives a Figure.

Colour tells the elasticity: black is the chemical gap, vermilion the paper's coherent one.
"""

from __future__ import annotations

from itertools import product
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lina_calphad import plots
from lina_calphad.paper import beyond_tables as tables
from lina_calphad.paper.alloys import NEW
from lina_calphad.paper.beyond_tables import CHEMICAL, CONSTANTS, HOST, ISOTROPIC
from lina_calphad.paper.marks import close_packed_line, groups
from lina_calphad.plots import COLOURS, KELVIN, KINDS

_X_NA, _B = "mole fraction of Na", "B / (kJ/mol)"
_BLACK, _COHERENT = COLOURS[6], COLOURS[1]
_PLANES = dict(zip(tables.PLANES, (COLOURS[0], COLOURS[2], COLOURS[3]), strict=True))
_REFERENCES = {CHEMICAL: _BLACK, ISOTROPIC: _COHERENT}
_MARKERS = dict(zip(CONSTANTS, "^DPovDPs", strict=True))
# Of figure 9: what a parameter is called in words, and what a tick in a bar is.
_NAMES = {"E and ν": "E and ν together", "misfit by both": "misfit, both lattice constants"}
_LETTERS = 140  # in a line of a caption
_TICK = "a value tried (a case of the table)"


def cubic_elasticity(table: pd.DataFrame) -> Figure:
    """Figure 8: coherent diagrams along three planes beside the isotropic and the chemical one."""
    figure, diagrams, (stiffness, onset) = _diagrams_over_panels(table)
    handles = []
    for (name, plane), series in groups(table, "constants", "direction"):
        if name not in (CHEMICAL, ISOTROPIC, HOST):
            continue
        colour = _REFERENCES.get(name) or _PLANES[plane]
        for (kind,), curve in groups(series, "curve"):
            for ax, branch in product(diagrams, ("x_na_alpha", "x_na_beta")):
                ax.plot(curve[branch], curve["T_K"], **plots.style(kind, colour))
        b = series["B_J_per_mol"].iloc[0] / 1000
        label = _pretty(f"{name}, {plane}") if name == HOST else name
        label += f": B = {b:.2f} kJ/mol" if b else ""
        handles += plots.colour_key({label: colour})
    now = table[(table["T_K"] == table["at_T_K"]) & table["curve"].str.endswith("spinodal")]
    for ax, column, scale in ((stiffness, "B_J_per_mol", 1e-3), (onset, "x_na_alpha", 1)):
        for name, marker in _MARKERS.items():
            points = now[now["constants"] == name]
            face = "white" if name.startswith("Na") else "0.25"
            look: dict[str, Any] = {
                "marker": marker,
                "linestyle": ":",
                "linewidth": 0.8,
                "markersize": 7,
            }
            look |= {"color": "0.25", "markerfacecolor": face, "label": name}
            ax.plot(list(map(_pretty, points["direction"])), points[column] * scale, **look)
        for name, colour in _REFERENCES.items():
            for level in now.loc[now["constants"] == name, column] * scale:
                ax.axhline(level, color=colour, linewidth=1.6, zorder=0)
        ax.set(xlabel="direction of the composition wave", xlim=(-0.3, 2.3))
        ax.margins(y=0.08)
    stiffness.set(title="(c) coherency coefficient", ylabel=_B)
    onset.set(title=f"(d) spinodal onset at {table['at_T_K'].iloc[0]:g} K", ylabel=_X_NA)
    stiffness.legend(
        title="cubic constants of", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    diagrams[0].legend(
        handles=plots.kind_key(KINDS), frameon=False, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    plots.legend_below(figure, handles, columns=3)
    cited = table[["constants", "source"]].drop_duplicates().query("constants != @CHEMICAL")
    told = [f"{' and '.join(who['constants'])}: {what}" for (what,), who in groups(cited, "source")]
    _caption(figure, *told, "waves along the soft direction become unstable first")
    return figure


def sensitivity(table: pd.DataFrame) -> Figure:
    """Figure 9: bars from the lowest to the highest value, and the curve all of them lie on."""
    figure = Figure(figsize=(10.2, 8.4), layout="constrained")
    panels = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=(4, 3))
    reference = table[table["parameter"] == "reference"].iloc[0]
    sweep = table[table["parameter"] == "B"]
    varied = table[~table["parameter"].isin(["reference", "B"])]
    span = varied.groupby("parameter")["B_J_per_mol"].agg(["min", "max"])
    order = list(map(str, (span["max"] - span["min"]).sort_values().index))
    titles = {"solubility_x_na": "solubility of Na in Li", "onset_x_na": "spinodal onset"}
    for i, (column, title) in enumerate(titles.items()):
        bars, line = panels[:, i]
        for y, parameter in enumerate(order):
            cases = varied[varied["parameter"] == parameter]
            x = [*cases[column], reference[column]]
            style: dict[str, Any] = {"linewidth": 11, "alpha": 0.35, "solid_capstyle": "butt"}
            bars.plot([np.nanmin(x), np.nanmax(x)], [y, y], color=_COHERENT, **style)
            bars.plot(cases[column], [y] * len(cases), "|", color=_BLACK, markersize=11)
        line.plot(sweep[column], sweep["B_J_per_mol"] / 1000, color="0.25")
        for (name, colour), row in zip(
            _REFERENCES.items(), (sweep.iloc[0], reference), strict=True
        ):
            for ax in (bars, line):
                ax.axvline(row[column], color=colour, linestyle="--", linewidth=1, zorder=0)
            line.plot(row[column], row["B_J_per_mol"] / 1000, "o", color=colour, label=name)
        for (plane,), one in groups(varied[varied["case"].isin(list(_PLANES))], "case"):
            look = {"color": _PLANES[plane], "label": _pretty(f"{HOST}, {plane}")}
            line.plot(one[column], one["B_J_per_mol"] / 1000, "D", **look)
        bars.set_title(f"({'ab'[i]}) coherent {title}, {reference['T_K']:g} K")
        line.set_title(f"({'cd'[i]}) the same for every B")
        line.set(xlabel=_X_NA, ylim=(-0.8, None))
    labels = [_extremes(varied[varied["parameter"] == name], reference) for name in order]
    panels[0, 0].set_yticks(range(len(order)), labels=labels)
    panels[0, 0].set_xscale("log")
    panels[1, 0].set_ylabel(_B)
    panels[1, 1].legend(frameon=False, loc="lower right")
    average = varied.loc[varied["parameter"] == "E", "basis"].iloc[0].partition(" ")[2]
    lattices = varied.loc[varied["parameter"] == "misfit by both", "basis"]
    _caption(
        figure,
        f"{NEW}; reference: {reference['source']}",
        f"E and ν: between the Reuss and the Voigt {average}",
        *(f"lattice constants, {basis}" for basis in lattices),
    )
    key: list[Line2D | Patch] = [
        Line2D([], [], color=_BLACK, linestyle="", marker="|", markersize=11, label=_TICK),
        Patch(color=_COHERENT, alpha=0.35, linewidth=0, label="from lowest to highest"),
    ]
    for name, colour in _REFERENCES.items():
        label = name if name == CHEMICAL else f"{name}, the reference"
        key.append(Line2D([], [], color=colour, linestyle="--", linewidth=1, label=label))
    plots.legend_below(figure, key)
    return figure


def _extremes(cases: pd.DataFrame, reference: pd.Series[Any]) -> str:
    """What was varied in words, and between which values."""
    ordered = cases.sort_values("B_J_per_mol")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    at = reference["B_J_per_mol"]
    first = _pretty(low["case" if low["B_J_per_mol"] < at else "reference"])
    last = _pretty(high["case" if high["B_J_per_mol"] > at else "reference"])
    # Pairs of values are too long for one line.
    gap = "\n" if len(first + last) > 30 else " "
    return f"{_NAMES.get(low['parameter'], low['parameter'])}\n{first}{gap}to {last}"


def uncertainty(table: pd.DataFrame) -> Figure:
    """Figure 10: bands of the diagram, and histograms of solubility and onset."""
    curves = table[table["x_na"].notna()]
    figure, diagrams, (solubility, onset) = _diagrams_over_panels(curves)
    names = [f"x_na_{end}" for end in ("low_95", "low_68", "high_68", "high_95")]
    for (kind, _), rows in groups(curves, "curve", "branch"):
        for ax in diagrams:
            plots.band(ax, rows["T_K"], rows[names].T, _colour(kind), across=True)
            ax.plot(rows["x_na"], rows["T_K"], **plots.style(kind, _colour(kind)))
    T = table["at_T_K"].iloc[0]
    for ax, curve in ((solubility, "binodal"), (onset, "spinodal")):
        for kind in (kind for kind in KINDS if kind.endswith(curve)):
            bins = table[table["share_of_draws"].notna() & (table["curve"] == kind)]
            edges = [*bins["bin_low_x_na"], bins["bin_high_x_na"].iloc[-1]]
            ax.stairs(
                100 * bins["share_of_draws"], edges, fill=True, color=_colour(kind), alpha=0.35
            )
            now = curves[(curves["curve"] == kind) & (curves["T_K"] == T)]
            now = now.loc[now["branch"] == "alpha", ["x_na", "x_na_low_68", "x_na_high_68"]]
            for x in now.to_numpy():
                value, low, high = map(_number, x)
                look = plots.style(kind, _colour(kind)) | {"ymax": 0.72}
                ax.axvline(x[0], label=f"{value} (68 %: {low} to {high})", **look)
        ax.set(xlabel=_X_NA, ylabel="share of draws in a bin / %")
        ax.margins(y=0.45)
        ax.legend(frameon=False, loc="upper center")
    solubility.set(title=f"(c) solubility of Na in Li at {T:g} K", xscale="log")
    onset.set_title(f"(d) spinodal onset at {T:g} K")
    kinds = [Line2D([], [], label=kind, **plots.style(kind, _colour(kind))) for kind in KINDS]
    plots.legend_below(figure, [*kinds, *plots.band_key()], columns=3)
    _caption(figure, f"{table['draws'].iloc[0]} draws; {table['basis'].iloc[0]}")
    return figure


def _caption(figure: Figure, *sentences: str) -> None:
    """What the numbers rest on, above the panels, a line for each sentence or two."""
    lines = [
        line for sentence in sentences for line in wrap(sentence, _LETTERS, break_on_hyphens=False)
    ]
    figure.suptitle("\n".join(lines), fontsize="small" if len(lines) > 1 else "medium")


def _diagrams_over_panels(
    table: pd.DataFrame,
) -> tuple[Figure, list[Axes], list[Axes]]:
    """A figure with the whole diagram and its Li side above two other panels."""
    figure = Figure(figsize=(10.2, 8.8), layout="constrained")
    whole, li_side, *below = figure.subplots(2, 2, height_ratios=(3, 2)).flat
    plots.fraction_axis(whole)
    plots.fraction_axis(li_side, "log", limits=(1e-6, 0.2))
    whole.set_title(f"(a) bcc Li-Na, {NEW}")
    li_side.set_title("(b) its Li side")
    for ax, x in ((whole, 0.18), (li_side, 0.03)):
        close_packed_line(ax, table, x)
        ax.set(ylim=(0, table["T_K"].max()), ylabel=KELVIN)
    return figure, [whole, li_side], below


def _colour(kind: str) -> str:
    return _BLACK if kind.startswith("chemical") else _COHERENT


def _number(x: float) -> str:
    if x >= 0.01:
        return f"{x:.4f}"
    mantissa, power = f"{x:.2e}".split("e")
    return rf"${mantissa}\times 10^{{{int(power)}}}$"


def _pretty(text: str) -> str:
    return text.replace("<", "⟨").replace(">", "⟩")
