"""Figures of an anode, drawn from the tables of its study."""

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

from lina_calphad.anode.map import MAP_X, chart
from lina_calphad.anode.potential import STATES
from lina_calphad.anode.results import VOLTAGE_END
from lina_calphad.anode.windows import NAMES
from lina_calphad.plots import (
    COLOURS,
    KELVIN,
    KINDS,
    STYLES,
    band_key,
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

    from lina_calphad.anode.results import Study
    from lina_calphad.diagram.alloy import Alloy

#: Fill of each region: blue where strain alone holds the alloy, red where it unmixes readily.
REGION_COLOURS = {
    "single": "#f7f7f7", "held": "#cfe8f7", "held_unstable": "#9fd0ee", "nucleation": "#fde3b3",
    "incoherent_spinodal": "#f6b98c", "coherent_spinodal": "#e8846b", "liquid": "#d9d9d9",
}  # fmt: skip

_UNITS = {"capacity_mAh_per_g": "mAh/g of alloy", "capacity_mAh_per_cm2": "mAh/cm²"}
_LOOKS: dict[str, dict[str, Any]] = {
    state: {"color": colour, "linestyle": "--" if state == "coherent" else "-"}
    for state, colour in zip(STATES, COLOURS, strict=False)
}
_WIDTHS = (1.6, 0.9, 2.4)  # of lines at each temperature
_ONSETS = ("chemical spinodal alpha", "coherent spinodal alpha")
_NEAR = 0.28  # of crossings in ln(x/(1-x)), below which they share a label
_HALO = [withStroke(linewidth=2, foreground="white", alpha=0.7)]
_SMALL: dict[str, Any] = {"fontsize": 8, "handlelength": 2.6}


def figures(study: Study) -> dict[str, Figure]:
    """All figures of a study by name."""
    return {name: draw() for name, draw in drawings(study).items()}


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


def _panels(width: float, height: float, count: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


# -- maps --


def _map(study: Study) -> Figure:
    """Regions over composition and temperature, with the stripping path and its capacities."""
    figure, (ax,) = _panels(9.6, 6.4)
    _fields(study.description, study.chart, ax)
    celsius = (lambda T: T - constants.zero_Celsius, lambda T: T + constants.zero_Celsius)
    ax.secondary_yaxis("right", functions=celsius).set_ylabel("temperature / °C")
    drawn = study.spread
    if drawn is not None:
        for kind, (side, branch) in product(KINDS, enumerate(("alpha", "beta"))):
            top = _solid_up_to(study.chart, f"{kind} {branch}")
            drawn.shade(ax, kind, side, "0.25", limits=(0.0, top))
    order = np.argsort(study.T)
    for point in order:
        # Of several paths the lowest has its labels below, and those in between have none.
        way = 1 if point == order[-1] else -1 if point == order[0] else 0
        _path(study, point, way, ax)
    path = f"stripping path, {_UNITS[_charge(study)]}"
    key: list[Artist] = [Line2D([], [], color="black", marker="o", markersize=4, label=path)]
    key += band_key() if drawn is not None else []
    ax.set_title(f"bcc Li-Na, {plain(study.description.name)}")
    legend_below(figure, [*_region_key(NAMES), *kind_key(KINDS), *key], columns=4, **_SMALL)
    return figure


def _assessments(study: Study) -> Figure:
    """The map of every assessment, one beside the other."""
    alloys = [study.description, *study.others]
    figure, axes = _panels(1.2 + 3.6 * len(alloys), 5.2, len(alloys))
    for alloy, ax in zip(alloys, axes, strict=True):
        known = study.chart if alloy is study.description else chart(alloy, study.T, 61)
        _fields(alloy, known, ax)
        for T in study.T:
            ax.plot([max(study.x0, MAP_X[0]), MAP_X[1]], [T, T], color="black", zorder=2.5)
        ax.set_title(plain(alloy.name))
        ax.set_xticks([1e-5, 1e-3, 0.1, 0.9, 0.999], ["10⁻⁵", "10⁻³", "0.1", "0.9", "0.999"])
        if ax is not axes[0]:
            ax.set_ylabel("")
    path = Line2D([], [], color="black", label=f"stripping from x₀ = {study.x0:g}")
    legend_below(figure, [*_region_key(NAMES), *kind_key(KINDS), path], columns=3, **_SMALL)
    return figure


def _fields(alloy: Alloy, chart: pd.DataFrame, ax: Axes) -> None:
    """The regions of an alloy and the curves between them."""
    T = chart["T"].to_numpy()
    curves = {kind: alloy.curve(kind, T) for kind in KINDS}
    fraction_axis(ax, "logit", limits=MAP_X)
    ax.set(ylim=(T[0], T[-1]), ylabel=KELVIN, facecolor=REGION_COLOURS["single"])

    def paint(region: str, T: Any, left: Any, right: Any, layer: float) -> None:
        left, right = (np.clip(np.asarray(x, dtype=float), *MAP_X) for x in (left, right))
        ax.fill_betweenx(T, left, right, color=REGION_COLOURS[region], linewidth=0, zorder=layer)

    for region, kind, layer in (
        ("held", "chemical binodal", 0.1), ("held_unstable", "chemical spinodal", 0.1),
        ("nucleation", "coherent binodal", 0.1), ("coherent_spinodal", "coherent spinodal", 0.3),
    ):  # fmt: skip
        curve = curves[kind]
        paint(region, curve["T"], curve["x_alpha"], curve["x_beta"], layer)
    left = np.maximum(chart["coherent binodal alpha"], chart["chemical spinodal alpha"])
    right = np.minimum(chart["coherent binodal beta"], chart["chemical spinodal beta"])
    paint("incoherent_spinodal", T, left, np.fmax(left, right), 0.2)
    for name in chart.filter(like="liquid from"):
        paint("liquid", T, chart[name], chart[str(name).replace("from", "to")], 2.2)
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
    T, (left, right) = study.T[point], MAP_X
    start = float(np.clip(study.x0, left, right))
    line: dict[str, Any] = {"color": "black", "zorder": 2.5}
    ax.plot([start, right], [T, T], linewidth=1.6, **line)
    shown = study.crossed[(study.crossed["point"] == point) & study.crossed["x"].between(*MAP_X)]
    ax.plot(shown["x"], np.full(len(shown), T), "o", markersize=4.5, **line)
    right_hand = start < 30 * left
    text: dict[str, Any] = {"textcoords": "offset points", "path_effects": _HALO}
    ax.annotate(
        f"x₀ = {study.x0:g}, {T:g} K", (start, T), xytext=(6 if right_hand else -6, 4),
        ha="left" if right_hand else "right", fontsize=8.5, fontweight="bold", **text,
    )  # fmt: skip
    labels: list[tuple[float, list[str]]] = []
    after = shown[shown["q"] > 0] if way else shown[:0]
    for x, charge in zip(after["x"], after[_charge(study)], strict=True):
        words = f"{charge:.3g}" if charge < 100 else f"{charge:.0f}"
        if labels and words == labels[-1][1][-1]:
            continue  # no digit has changed since the last
        if labels and logit(x) - logit(labels[-1][0]) < _NEAR:
            labels[-1][1].append(words)
        else:
            labels.append((x, [words]))
    for x, several in labels:
        ax.annotate(
            ", ".join(several), (x, T), xytext=(1, 5 * way), rotation=90, ha="left", fontsize=8,
            va="bottom" if way > 0 else "top", **text,
        )  # fmt: skip


def _charge(study: Study) -> str:
    """Column of the charge: of the foil, else of a gram of the alloy."""
    return f"capacity_mAh_per_{'g' if study.thickness is None else 'cm2'}"


def _region_key(keys: Iterable[str]) -> list[Artist]:
    edge: dict[str, Any] = {"edgecolor": "0.7", "linewidth": 0.5}
    return [Patch(facecolor=REGION_COLOURS[key], label=NAMES[key], **edge) for key in keys]


# -- potential --


def _voltage(study: Study) -> Figure:
    """Potential of each state, over composition and, close to zero, over the charge taken out."""
    figure, (left, right) = _panels(9.6, 4.6, 2)
    charge = _charge(study)
    at = study.crossed[study.crossed["boundary"].isin(["start", *_ONSETS])]
    for ax, column in ((left, "x"), (right, charge)):
        for (_, rows), width in zip(study.voltage.groupby("T", sort=False), cycle(_WIDTHS)):
            for state, look in _LOOKS.items():
                ax.plot(rows[column], rows[f"E_{state}_mV"], linewidth=width, **look)
                if study.draws:
                    low, high = (rows[f"E_{state}_{end}_68_mV"] for end in ("low", "high"))
                    shade = {"color": look["color"], "alpha": 0.2, "linewidth": 0}
                    ax.fill_between(rows[column], low, high, **shade)
        ax.plot(at[column], at["E_solution_mV"], "k.", markersize=6, zorder=3)
        ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        ax.set_ylabel("potential against Li/Li⁺ / mV")
    fraction_axis(left, "logit", limits=(min(max(study.x0, MAP_X[0]), 0.9), VOLTAGE_END))
    left.set(ylim=(-100, 60), title=f"x₀ = {study.x0:g}, {plain(study.description.name)}")
    at_interface = () if study.interface is None else study.interface.groupby("T", sort=False)
    for (_, rows), full in zip(at_interface, study.path.foil.charges(1.0)[charge], strict=False):
        right.plot(full * rows["q"], rows["E_solution_mV"], "o--", color="0.4", markersize=3)
    tops = study.hysteresis.get("E_strip_mV", study.voltage["E_solution_mV"])
    top = max(tops.max(), at["E_solution_mV"].max(), 1e-3)
    right.set(xlabel=f"charge / {_UNITS[charge]}", xlim=(0, None), ylim=(-2 * top, 1.4 * top))
    right.set_title("close to zero")
    key = [Line2D([], [], label=STATES[state], **look) for state, look in _LOOKS.items()]
    key.append(Line2D([], [], color="black", marker=".", linestyle="", label="start, spinodals"))
    if study.profiles:
        key.append(Line2D([], [], color="0.4", marker="o", linestyle="--", markersize=3,
                          label="interface at the current, as a solution"))  # fmt: skip
    key += [Line2D([], [], color="0.2", linewidth=width, label=f"{T:g} K")
            for T, width in zip(study.T, cycle(_WIDTHS)) if study.T.size > 1]  # fmt: skip
    legend_below(figure, key, columns=3, **_SMALL)
    return figure


# -- depth, lengths and times --


def _profile(study: Study) -> Figure:
    """Composition against depth at each temperature, over the regions there."""
    figure, axes = _panels(1.6 + 5.6 * len(study.profiles), 5.0, len(study.profiles))
    shown = set()
    for profile, ax in zip(study.profiles, axes, strict=True):
        low, top = min(profile.x0 / 3, 0.01), MAP_X[1]
        fraction_axis(ax, "logit", limits=(low, top), upright=True)
        windows = study.windows[study.windows["T"] == profile.T]
        shown |= {*windows["region"]}
        for region, *ends in windows[["region", "x_from", "x_to"]].itertuples(index=False):
            ax.axhspan(*np.clip(ends, low, top), color=REGION_COLOURS[region], linewidth=0)
        drawn = range(0, profile.q.size, 2)  # greys of more can hardly be told apart
        for i, grey in zip(drawn, np.linspace(0.75, 0.0, len(drawn)), strict=True):
            depth, x = profile.depth[i] / constants.micro, np.minimum(profile.x[i], top)
            label = f"{100 * profile.q[i]:.3g} %"
            ax.plot(depth, x, color=str(grey), linewidth=1.4, label=label)
            ax.plot(depth[-1], x[-1], "o", color=str(grey), markersize=4, clip_on=False)
        # Where little happens the figure begins: what lies beyond takes most of it.
        disturbed = profile.depth[profile.x > 1.02 * profile.x0]
        first = disturbed.min() if disturbed.size else 0.0
        begin = max(0.0, 1.5 * first - 0.5 * profile.thickness)
        ax.set(xlim=(begin / constants.micro, profile.thickness / constants.micro))
        ax.set_xlabel("distance from the current collector / µm")
        density, T = profile.current_density / 10, profile.T
        title = f"x(Na) = {profile.x0:g}, {density:g} mA/cm², {T:g} K"
        ax.set_title(f"{title} ({T - constants.zero_Celsius:.0f} °C)", fontsize=10)
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
        title = "of the Li stripped\n(dot: interface)"
        ax.legend(title=title, fontsize=8, title_fontsize=8, **place)
    legend_below(figure, _region_key(key for key in NAMES if key in shown), **_SMALL)
    return figure


def _lengths(study: Study) -> Figure:
    """The wave that grows fastest over composition, and coarsening at the first temperature."""
    figure, (left, right) = _panels(9.6, 4.8, 2)
    colours = dict(zip((f"{T:g} K" for T in study.T), cycle(COLOURS), strict=False))
    for (T, kind), rows in study.waves.groupby(["T", "kind"], sort=False):
        length, line = rows["wavelength_m"] / constants.nano, STYLES[f"{kind} binodal"]
        left.plot(rows["x"], length, color=colours[f"{T:g} K"], linestyle=line)
    fraction_axis(left)
    left.set(ylim=(0, 8), ylabel="wavelength / nm", title="wave that grows fastest")
    kinds = [kind for kind in ("chemical", "coherent") if (study.waves["kind"] == kind).any()]
    key = [*colour_key(colours), *kind_key([f"{kind} binodal" for kind in kinds], kinds)]
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 2}
    below |= {"frameon": False, **_SMALL}
    left.legend(handles=key, **below)
    sizes = study.sizes[study.sizes["T"] == study.T[0]]
    for i, (through, some) in enumerate(sizes.groupby("through", sort=False)):
        hours, size = some["t_s"] / constants.hour, some["size_m"] / constants.micro
        look: dict[str, Any] = {"color": COLOURS[i], "linewidth": 3 - 0.6 * i}  # some may coincide
        right.loglog(hours, size, "o-", label=through, markersize=4, **look)
    right.axhline(1, color="0.6", linewidth=0.8)
    right.annotate(
        "1 µm", (0.01, 1), xycoords=("axes fraction", "data"), xytext=(0, 2),
        textcoords="offset points", fontsize=8, color="0.35", path_effects=_HALO,
    )  # fmt: skip
    right.set(xlabel="time / h", ylabel="size / µm", title=f"coarsening at {study.T[0]:g} K")
    right.legend(title="diffusion through", title_fontsize=8, **below)
    return figure
