"""Figures of an anode: every function takes the Study and an Axes and returns the Axes."""

from __future__ import annotations

from functools import partial
from itertools import cycle, product
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from scipy import constants
from scipy.special import logit

from lina_calphad.anode.potential import STATES
from lina_calphad.anode.tables import MAP_X, VOLTAGE_END, chart_of
from lina_calphad.anode.windows import BOUNDARIES, REGIONS
from lina_calphad.plots import (
    COLOURS,
    KELVIN,
    KINDS,
    STYLES,
    colour_key,
    fraction_axis,
    kind_key,
    legend_below,
    plain,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lina_calphad.anode.diffusion import DepthProfile
    from lina_calphad.anode.summary import Study
    from lina_calphad.diagram.alloy import Alloy

#: Fill of each region: blue where strain alone holds the alloy, red where it unmixes readily.
REGION_COLOURS = {
    "single": "#f7f7f7", "held": "#cfe8f7", "held_unstable": "#9fd0ee", "nucleation": "#fde3b3",
    "incoherent_spinodal": "#f6b98c", "coherent_spinodal": "#e8846b", "liquid": "#d9d9d9",
}  # fmt: skip

_DRAWS: dict[str, Any] = {"color": "0.25", "alpha": 0.22, "linewidth": 0}
_UNITS = {"capacity_mAh_per_g": "mAh/g of alloy", "capacity_mAh_per_cm2": "mAh/cm²"}
_DASHES: dict[str, Any] = {"solution": "-", "chemical": "-", "coherent": "--"}
_WIDTHS = (1.6, 0.9, 2.4)  # of lines at each temperature
_ONSETS = ("chemical spinodal alpha", "coherent spinodal alpha")
_NEAR = 0.28  # of crossings in ln(x/(1-x)), below which they share a label
_HALO = [withStroke(linewidth=2, foreground="white", alpha=0.7)]
_SMALL: dict[str, Any] = {"fontsize": 8, "handlelength": 2.6}


def region_map(study: Study, ax: Axes) -> Axes:
    """Regions over composition and temperature, with the stripping path and its capacities."""
    fields(study.description, study.chart, ax)
    ax.secondary_yaxis("right", functions=(_celsius, _kelvin)).set_ylabel("temperature / °C")
    drawn = study.spread
    if drawn is not None:
        for kind, branch in product(KINDS, ("alpha", "beta")):
            at = _solid_up_to(study.chart, f"{kind} {branch}") >= drawn.T
            edges = drawn.x(kind)[[1, 3], 0 if branch == "alpha" else 1][:, at]
            ax.fill_betweenx(drawn.T[at], *edges, zorder=1, **_DRAWS)
    order = np.argsort(study.T)
    for point in order:
        # Of several paths the lowest has its labels below, and those in between have none.
        way = 1 if point == order[-1] else -1 if point == order[0] else 0
        _path(study, point, way, ax)
    return ax


def fields(alloy: Alloy, chart: pd.DataFrame, ax: Axes) -> None:
    """The regions of an alloy and the curves between them; `chart` is of `tables.chart`."""
    T = chart["T"].to_numpy()
    curves = {kind: alloy.curve(kind, T) for kind in KINDS}
    low, high = MAP_X
    fraction_axis(ax, "logit", limits=MAP_X)
    ax.set(ylim=(T[0], T[-1]), ylabel=KELVIN, facecolor=REGION_COLOURS["single"])

    def paint(region: str, T: Any, left: Any, right: Any, layer: float) -> None:
        left, right = (np.clip(np.asarray(x, dtype=float), low, high) for x in (left, right))
        ax.fill_betweenx(T, left, right, color=REGION_COLOURS[region], linewidth=0, zorder=layer)

    for region, kind in (
        ("held", "chemical binodal"), ("held_unstable", "chemical spinodal"),
        ("nucleation", "coherent binodal"), ("coherent_spinodal", "coherent spinodal"),
    ):  # fmt: skip
        curve = curves[kind]
        layer = 0.7 if region == "coherent_spinodal" else 0.5
        paint(region, curve["T"], curve["x_alpha"], curve["x_beta"], layer)
    both = {name: chart[name].to_numpy() for name in BOUNDARIES}
    left, right = (
        choose(both[f"coherent binodal {branch}"], both[f"chemical spinodal {branch}"])
        for choose, branch in ((np.maximum, "alpha"), (np.minimum, "beta"))
    )
    paint("incoherent_spinodal", T, left, np.fmax(left, right), 0.6)
    for i in range(sum(str(name).startswith("liquid from") for name in chart)):
        further = f" {i + 1}" if i else ""
        paint("liquid", T, chart[f"liquid from{further}"], chart[f"liquid to{further}"], 2.2)
    for kind, branch in product(KINDS, ("alpha", "beta")):
        curve = curves[kind][curves[kind]["T"] <= _solid_up_to(chart, f"{kind} {branch}")]
        ax.plot(curve[f"x_{branch}"], curve["T"], zorder=2, **style(kind, "0.25"))


def _solid_up_to(chart: pd.DataFrame, boundary: str) -> float:
    """Temperature from which on a boundary of the solid lies where there is liquid."""
    if "liquid from" not in chart:
        return np.inf
    x = chart[boundary]
    molten = chart[(chart["liquid from"] <= x) & (x <= chart["liquid to"])]
    below = chart["T"][chart["T"] < molten["T"].min()]
    return np.inf if molten.empty else float(below.max())


def _path(study: Study, point: int, way: int, ax: Axes) -> None:
    """The stripping path at one temperature, and the charge at each crossing on one side of it."""
    table = study.path.to_dataframe().query("point == @point")
    T, (left, right) = study.T[point], MAP_X
    start = float(np.clip(study.x0, left, right))
    line: dict[str, Any] = {"color": "black", "zorder": 2.5}
    ax.plot([start, right], [T, T], linewidth=1.6, **line)
    shown = table[table["x"].between(left, right)]
    ax.plot(shown["x"], np.full(len(shown), T), "o", markersize=4.5, **line)
    right_hand = start < 30 * left
    ax.annotate(
        f"x₀ = {study.x0:g}, {T:g} K", (start, T), xytext=(6 if right_hand else -6, 4),
        textcoords="offset points", ha="left" if right_hand else "right", fontsize=8.5,
        fontweight="bold", path_effects=_HALO,
    )  # fmt: skip
    labels: list[tuple[float, list[str]]] = []
    column = _charge(study)
    for row in shown[shown["q"] > 0].to_dict("records"):
        charge = row[column]
        text = f"{charge:.3g}" if charge < 100 else f"{charge:.0f}"
        if labels and text == labels[-1][1][-1]:
            continue  # no digit has changed since the last
        if labels and logit(row["x"]) - logit(labels[-1][0]) < _NEAR:
            labels[-1][1].append(text)
        else:
            labels.append((row["x"], [text]))
    for x, texts in labels if way else ():
        ax.annotate(
            ", ".join(texts), (x, T), xytext=(1, 5 * way),
            textcoords="offset points", rotation=90, ha="left", fontsize=8,
            va="bottom" if way > 0 else "top", path_effects=_HALO,
        )  # fmt: skip


def voltage(study: Study, ax: Axes, *, over: str = "x") -> Axes:
    """Potential of each state, over composition or, close to zero, over the charge taken out."""
    column = "x" if over == "x" else _charge(study)
    for (_, rows), width in zip(study.voltage.groupby("T", sort=False), cycle(_WIDTHS)):
        for state, colour in zip(STATES, COLOURS, strict=False):
            line: dict[str, Any] = {"color": colour, "linestyle": _DASHES[state]}
            ax.plot(rows[column], rows[f"E_{state}_mV"], linewidth=width, **line)
            if f"E_{state}_low_68_mV" in rows:
                edges = rows[f"E_{state}_low_68_mV"], rows[f"E_{state}_high_68_mV"]
                ax.fill_between(rows[column], *edges, color=colour, alpha=0.2, linewidth=0)
    at = study.crossed[study.crossed["boundary"].isin(["start", *_ONSETS])]
    ax.plot(at[column], at["E_solution_mV"], "k.", markersize=6, zorder=3)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    if over == "x":
        fraction_axis(ax, "logit", limits=(min(max(study.x0, MAP_X[0]), 0.9), VOLTAGE_END))
        ax.set(ylim=(-100, 60))
    else:
        for profile in study.profiles:
            charge = profile.q * study.voltage[column].max() / study.voltage["q"].max()
            rows = study.interface[study.interface["T"] == profile.T]
            ax.plot(charge, rows["E_solution_mV"], "o--", color="0.4", markersize=3)
        tops = study.hysteresis["E_strip_mV"] if len(study.hysteresis) else rows["E_solution_mV"]
        top = max(tops.max(), at["E_solution_mV"].max(), 1e-3)
        ax.set(xlabel=f"charge / {_UNITS[column]}", xlim=(0, None), ylim=(-2 * top, 1.4 * top))
    ax.set_ylabel("potential against Li/Li⁺ / mV")
    return ax


def _charge(study: Study) -> str:
    """Column of the charge: of the foil, else of a gram of the alloy."""
    return f"capacity_mAh_per_{'g' if study.thickness is None else 'cm2'}"


def depth_profiles(study: Study, ax: Axes, which: int = 0) -> Axes:
    """Composition against depth at the temperature of index `which`, over the regions there."""
    profile = study.profiles[which]
    low, top = min(profile.x0 / 3, 0.01), MAP_X[1]
    fraction_axis(ax, "logit", limits=(low, top), upright=True)
    for window in _windows(study, profile).to_dict("records"):
        ends = max(window["x_from"], low), min(window["x_to"], top)
        ax.axhspan(*ends, color=REGION_COLOURS[window["region"]], linewidth=0)
    drawn = range(0, profile.q.size, 2)  # greys of more can hardly be told apart
    for i, grey in zip(drawn, np.linspace(0.75, 0.0, len(drawn)), strict=True):
        depth, shown = profile.depth[i] / constants.micro, np.minimum(profile.x[i], top)
        label = f"{100 * profile.q[i]:.3g} %"
        ax.plot(depth, shown, color=str(grey), linewidth=1.4, label=label)
        ax.plot(depth[-1], shown[-1], "o", color=str(grey), markersize=4, clip_on=False)
    shown_from = _undisturbed(profile) / constants.micro
    ax.set(xlim=(shown_from, profile.thickness / constants.micro))
    ax.set_xlabel("distance from the current collector / µm")
    density, T = profile.current_density / 10, profile.T
    title = f"x(Na) = {profile.x0:g}, {density:g} mA/cm², {T:g} K ({_celsius(T):.0f} °C)"
    ax.set_title(title, fontsize=10)
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
    ax.legend(title="of the Li stripped\n(dot: interface)", fontsize=8, title_fontsize=8, **place)
    return ax


def _windows(study: Study, profile: DepthProfile) -> pd.DataFrame:
    """The regions at the temperature of a profile."""
    return study.windows[study.windows["T"] == profile.T]


def _undisturbed(profile: DepthProfile) -> float:
    """Depth in m up to which little happens: what lies beyond takes most of the figure."""
    disturbed = profile.depth[profile.x > 1.02 * profile.x0]
    first = float(disturbed.min()) if disturbed.size else 0.0
    return max(0.0, first - 0.5 * (profile.thickness - first))


def waves(study: Study, ax: Axes) -> Axes:
    """Wavelength that grows fastest against composition, chemical and coherent."""
    for (T, kind), rows in study.waves.groupby(["T", "kind"], sort=False):
        length = rows["wavelength_m"] / constants.nano
        colour = _colours(study)[f"{T:g} K"]
        ax.plot(rows["x"], length, color=colour, linestyle=STYLES[f"{kind} binodal"])
    fraction_axis(ax)
    ax.set(ylim=(0, 8), ylabel="wavelength / nm", title="wave that grows fastest")
    kinds = [kind for kind in ("chemical", "coherent") if (study.waves["kind"] == kind).any()]
    key = [*colour_key(_colours(study)), *kind_key([f"{kind} binodal" for kind in kinds], kinds)]
    return _key_below(ax, key)


def _colours(study: Study) -> dict[str, str]:
    return dict(zip((f"{T:g} K" for T in study.T), cycle(COLOURS), strict=False))


def _key_below(ax: Axes, entries: Iterable[Artist], **given: Any) -> Axes:
    """A legend under one panel, clear of its curves."""
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 2}
    ax.legend(handles=list(entries), frameon=False, **_SMALL, **place, **given)
    return ax


def coarsening(study: Study, ax: Axes) -> Axes:
    """Mean size against time by each law of coarsening, at the first temperature."""
    rows = study.sizes[study.sizes["T"] == study.T[0]]
    for i, (through, some) in enumerate(rows.groupby("through", sort=False)):
        hours, size = some["t_s"] / constants.hour, some["size_m"] / constants.micro
        look: dict[str, Any] = {"color": COLOURS[i], "linewidth": 3 - 0.6 * i}  # some may coincide
        ax.loglog(hours, size, "o-", label=through, markersize=4, **look)
    ax.axhline(1, color="0.6", linewidth=0.8)
    ax.annotate(
        "1 µm", (0.01, 1), xycoords=("axes fraction", "data"), xytext=(0, 2),
        textcoords="offset points", fontsize=8, color="0.35", path_effects=_HALO,
    )  # fmt: skip
    ax.set(xlabel="time / h", ylabel="size / µm", title=f"coarsening at {study.T[0]:g} K")
    handles = ax.get_legend_handles_labels()[0]
    return _key_below(ax, handles, title="diffusion through", title_fontsize=8)


def _map(study: Study) -> Figure:
    figure = Figure(figsize=(9.6, 6.4), layout="constrained")
    ax = region_map(study, figure.subplots())
    ax.set_title(f"bcc Li-Na, {plain(study.description.name)}")
    unit = _UNITS[_charge(study)]
    path = Line2D([], [], color="black", marker="o", markersize=4, label=f"stripping path, {unit}")
    draws = Patch(label="68 % of draws", **_DRAWS)
    key = [*_region_key(region.key for region in REGIONS), *kind_key(KINDS), path]
    legend_below(figure, key + [draws] * (study.spread is not None), columns=4, **_SMALL)
    return figure


def _voltage(study: Study) -> Figure:
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    voltage(study, left).set_title(f"x₀ = {study.x0:g}, {plain(study.description.name)}")
    voltage(study, right, over="charge").set_title("close to zero")
    key = [
        Line2D([], [], color=c, linestyle=_DASHES[state], label=STATES[state])
        for state, c in zip(STATES, COLOURS, strict=False)
    ]
    key.append(Line2D([], [], color="black", marker=".", linestyle="", label="start, spinodals"))
    if study.profiles:
        key.append(Line2D([], [], color="0.4", marker="o", linestyle="--", markersize=3,
                          label="interface at the current, as a solution"))  # fmt: skip
    key += [Line2D([], [], color="0.2", linewidth=width, label=f"{T:g} K")
            for T, width in zip(study.T, cycle(_WIDTHS)) if study.T.size > 1]  # fmt: skip
    legend_below(figure, key, columns=3, **_SMALL)
    return figure


def _assessments(study: Study) -> Figure:
    """The map of every assessment, one beside the other."""
    alloys = [study.description, *study.others]
    figure = Figure(figsize=(1.2 + 3.6 * len(alloys), 5.2), layout="constrained")
    for alloy, ax in zip(alloys, figure.subplots(1, len(alloys), squeeze=False)[0], strict=True):
        known = study.chart if alloy is study.description else chart_of(alloy, study.T, 61)
        fields(alloy, known, ax)
        for T in study.T:
            ax.plot([max(study.x0, MAP_X[0]), MAP_X[1]], [T, T], color="black", zorder=2.5)
        ax.set_title(plain(alloy.name))
        ax.set_xticks([1e-5, 1e-3, 0.1, 0.9, 0.999], ["10⁻⁵", "10⁻³", "0.1", "0.9", "0.999"])
        if ax is not figure.axes[0]:
            ax.set_ylabel("")
    key = [*_region_key(region.key for region in REGIONS), *kind_key(KINDS)]
    path = Line2D([], [], color="black", label=f"stripping from x₀ = {study.x0:g}")
    legend_below(figure, [*key, path], columns=3, **_SMALL)
    return figure


def _region_key(keys: Iterable[str]) -> list[Artist]:
    names = {region.key: region.name for region in REGIONS}
    edge: dict[str, Any] = {"edgecolor": "0.7", "linewidth": 0.5}
    return [Patch(facecolor=REGION_COLOURS[key], label=names[key], **edge) for key in keys]


def _lengths(study: Study) -> Figure:
    figure = Figure(figsize=(9.6, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    waves(study, left)
    coarsening(study, right)
    return figure


def _profile(study: Study) -> Figure:
    count = len(study.profiles)
    figure = Figure(figsize=(1.6 + 5.6 * count, 5.0), layout="constrained")
    for i, ax in enumerate(np.ravel(figure.subplots(1, count, squeeze=False))):
        depth_profiles(study, ax, i)
    shown = set().union(*(_windows(study, profile)["region"] for profile in study.profiles))
    legend_below(figure, _region_key(r.key for r in REGIONS if r.key in shown), **_SMALL)
    return figure


def drawings(study: Study) -> dict[str, Callable[[], Figure]]:
    """What draws each figure of a study by name."""
    found = {"map": _map, "voltage": _voltage}
    if study.others:
        found["assessments"] = _assessments
    if not study.waves.empty:
        found["lengths"] = _lengths
    if study.profiles:
        found["profile"] = _profile
    return {name: partial(draw, study) for name, draw in found.items()}


def figures(study: Study) -> dict[str, Figure]:
    """All figures of a study by name."""
    return {name: draw() for name, draw in drawings(study).items()}


def _celsius(T: Any) -> Any:
    return T - constants.zero_Celsius


def _kelvin(T: Any) -> Any:
    return T + constants.zero_Celsius
