"""Figures of an anode: every function takes the study and an Axes and returns the Axes."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from scipy import constants, ndimage
from scipy.special import logit

from lina_calphad.anode.boundaries import BOUNDARIES
from lina_calphad.anode.windows import REGIONS, Region
from lina_calphad.plots import COLOURS, STYLES, WIDTHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lina_calphad.anode.diffusion import DepthProfile
    from lina_calphad.anode.summary import Study
    from lina_calphad.checks import Array, Flags

#: Fill of each region: blue where strain alone holds the alloy, red where it unmixes readily.
REGION_COLOURS = {
    "single": "#f7f7f7", "held": "#cfe8f7", "held_unstable": "#9fd0ee", "nucleation": "#fde3b3",
    "incoherent_spinodal": "#f6b98c", "coherent_spinodal": "#e8846b", "liquid": "#d9d9d9",
}  # fmt: skip
#: Mole fractions named on an axis that shows both dilute sides.
TICKS = {
    1e-6: "10⁻⁶", 1e-5: "10⁻⁵", 1e-4: "10⁻⁴", 1e-3: "10⁻³", 0.01: "0.01", 0.1: "0.1", 0.5: "0.5",
    0.9: "0.9", 0.99: "0.99", 0.999: "0.999",
}  # fmt: skip

_PALETTE = ListedColormap([REGION_COLOURS[region.key] for region in REGIONS])
_NORM = BoundaryNorm(np.arange(len(REGIONS) + 1) - 0.5, len(REGIONS))
_MICRON = constants.micro
_HALO = [withStroke(linewidth=2, foreground="white", alpha=0.7)]


def region_map(study: Study, ax: Axes) -> Axes:
    """Regions over composition and temperature, with the stripping path and its capacities.

    Parameters
    ----------
    study
        What to draw.
    ax
        Where to draw it.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    field = study.field
    ax.set_xscale("logit")
    x, T = field.x[0], field.T[:, 0]
    ax.pcolormesh(x, T, field.code, cmap=_PALETTE, norm=_NORM, shading="nearest", rasterized=True)
    for name in BOUNDARIES:
        kind = name.rpartition(" ")[0]
        solid = np.where(_beside(field.liquid, field.boundaries[name], x), np.nan, 1)
        at = np.ma.filled(field.boundaries[name][:, 0], np.nan) * solid
        ax.plot(at, T, color="0.25", linestyle=STYLES[kind], linewidth=WIDTHS[kind] * 0.7)
    ax.set(
        xlim=(x[0], x[-1]), ylim=(T[0], T[-1]), xlabel="mole fraction of Na (both ends stretched)"
    )
    ax.set_ylabel("temperature / K")
    name_ticks(ax.xaxis)
    ax.secondary_yaxis("right", functions=(_celsius, _kelvin)).set_ylabel("temperature / °C")
    _name_fields(study, ax)
    order = np.argsort(study.T)
    for point in order:
        # Of several paths the lowest has its labels below, and those in between have none.
        way = "up" if point == order[-1] else ("down" if point == order[0] else "")
        _path(study, point, way, ax)
    return ax


def depth_profiles(study: Study, ax: Axes, which: int = 0) -> Axes:
    """Composition against depth for shares of Li stripped, over the regions at that temperature.

    Parameters
    ----------
    study
        What to draw; it has profiles.
    ax
        Where to draw it.
    which
        Index of the temperature.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    profile = study.profiles[which]
    ax.set_yscale("logit")
    windows = study.windows[study.windows["T"] == profile.T]
    low = min(profile.x0 / 3, 0.01)
    top = 0.9999
    columns = (windows[name] for name in ("region", "x_from", "x_to"))
    for region, first, last in zip(*columns, strict=True):
        colour = REGION_COLOURS[region]
        ax.axhspan(max(first, low), min(last, top), color=colour, linewidth=0)
    drawn = range(0, profile.q.size, 2)  # greys of more can hardly be told apart
    for i, grey in zip(drawn, np.linspace(0.75, 0.0, len(drawn)), strict=True):
        depth, shown = profile.depth[i] / _MICRON, np.minimum(profile.x[i], top)
        label = f"{100 * profile.q[i]:.3g} %"
        ax.plot(depth, shown, color=str(grey), linewidth=1.4, label=label)
        ax.plot(depth[-1], shown[-1], "o", color=str(grey), markersize=4)
    ax.set(xlabel="distance from the current collector / µm")
    ax.set_ylabel("mole fraction of Na (both ends stretched)")
    name_ticks(ax.yaxis)
    ax.set(ylim=(low, top), xlim=(_undisturbed(profile) / _MICRON, profile.thickness / _MICRON))
    density, T = profile.current_density / 10, profile.T
    celsius = f"{T:g} K ({_celsius(T):.0f} °C)"
    ax.set_title(f"x(Na) = {profile.x0:g}, {density:g} mA/cm², {celsius}", fontsize=10)
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
    ax.legend(title="Li stripped\n(dot: interface)", fontsize=8, title_fontsize=8, **place)
    return ax


def _undisturbed(profile: DepthProfile) -> float:
    """Depth in m up to which little happens: what lies beyond takes most of the figure."""
    disturbed = profile.depth[profile.x > 1.02 * profile.x0]
    first = float(disturbed.min()) if disturbed.size else 0.0
    start = first - 0.5 * (profile.thickness - first)
    return max(0.0, start)


def waves(study: Study, ax: Axes) -> Axes:
    """Wavelength that grows fastest against composition, chemical and coherent.

    Parameters
    ----------
    study
        What to draw.
    ax
        Where to draw it.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    for colour, T in zip(cycle(COLOURS), study.T, strict=False):
        for kind in ("chemical", "coherent"):
            rows = study.waves.query("T == @T and kind == @kind")
            if rows.empty:
                continue
            length = rows["wavelength_m"] / constants.nano
            style: dict[str, Any] = {"linestyle": STYLES[f"{kind} binodal"], "color": colour}
            ax.plot(rows["x"], length, label=f"{kind}, {T:g} K", **style)
    ax.set(xlim=(0, 1), ylim=(0, 8), xlabel="mole fraction of Na", ylabel="wavelength / nm")
    ax.set_title("wave that grows fastest")
    ax.legend(fontsize=8)
    return ax


def coarsening(study: Study, ax: Axes) -> Axes:
    """Mean size against time by each law of coarsening, at the first temperature.

    Parameters
    ----------
    study
        What to draw.
    ax
        Where to draw it.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    rows = study.sizes[study.sizes["T"] == study.T[0]]
    for colour, (through, some) in zip(COLOURS, rows.groupby("through", sort=False), strict=False):
        ax.loglog(some["t_s"] / 3600, some["size_m"] / _MICRON, "o-", color=colour, label=through)
    ax.axhline(1, color="0.6", linewidth=0.8)
    ax.set(xlabel="time / h", ylabel="size / µm", title=f"coarsening at {study.T[0]:g} K")
    ax.legend(fontsize=8, title="diffusion through", title_fontsize=8)
    return ax


def figures(study: Study) -> dict[str, Figure]:
    """All figures of a study by name: map, lengths and, with a current, profile.

    Parameters
    ----------
    study
        What to draw.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        Ready for ``savefig``.
    """
    chart = Figure(figsize=(9.6, 6.2), layout="constrained")
    region_map(study, chart.subplots()).set_title(f"bcc Li-Na, {study.description.name}")
    _legend(chart)
    found = {"map": chart}
    if not study.waves.empty:
        lengths = Figure(figsize=(9.6, 4.2), layout="constrained")
        left, right = lengths.subplots(1, 2)
        waves(study, left)
        coarsening(study, right)
        found["lengths"] = lengths
    if study.profiles:
        count = len(study.profiles)
        profile = Figure(figsize=(1.6 + 5.6 * count, 4.8), layout="constrained")
        for i, ax in enumerate(np.ravel(profile.subplots(1, count, squeeze=False))):
            depth_profiles(study, ax, i)
        _legend(profile, REGIONS[:-1])
        found["profile"] = profile
    return found


def name_ticks(axis: Any) -> None:
    """Name the ticks of a logit axis of a mole fraction."""
    axis.set_ticks(list(TICKS), labels=list(TICKS.values()))
    axis.set_ticks([], minor=True)


def _legend(figure: Figure, shown: tuple[Region, ...] = REGIONS) -> None:
    handles = [Patch(color=REGION_COLOURS[region.key], label=region.name) for region in shown]
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": 4, "frameon": False}
    figure.legend(handles=handles, fontsize=8, **place)


def _beside(liquid: Flags | None, boundary: Array, x: Array) -> Flags:
    """Where a boundary of the solid lies in a field of liquid."""
    rows = np.arange(boundary.shape[0])
    if liquid is None:
        return np.zeros(rows.size, bool)
    column = np.searchsorted(x, np.ma.filled(boundary[:, 0], 0.5)).clip(0, x.size - 1)
    there: Flags = liquid[rows, column]
    return there


def _path(study: Study, point: int, way: str, ax: Axes) -> None:
    """The stripping path at one temperature, and the charge at each crossing on one side of it."""
    table = study.path.to_dataframe().query("point == @point")
    T, (left, right) = study.T[point], study.field.x[0, [0, -1]]
    start = float(np.clip(study.x0, left, right))
    ax.plot([start, right], [T, T], color="black", linewidth=1.6)
    shown = table["x"][table["x"].between(left, right)]
    ax.plot(shown, np.full(shown.size, T), "o", color="black", markersize=4.5)
    right_hand = start < 10 * left
    ax.annotate(
        f"x₀ = {study.x0:g}, {T:g} K", (start, T), xytext=(6 if right_hand else -6, 4),
        textcoords="offset points", ha="left" if right_hand else "right", fontsize=8.5,
        fontweight="bold", path_effects=_HALO,
    )  # fmt: skip
    # Labels of crossings that are close share a place, one line each.
    areal = study.path.thickness is not None
    labels: list[tuple[float, list[str]]] = []
    for row in table.iloc[1:].to_dict("records"):
        text = (
            f"{row['capacity_mAh_per_cm2']:.3g} mAh/cm²" if areal
            else f"{row['capacity_mAh_per_g']:.0f} mAh/g"
        )  # fmt: skip
        if labels and logit(row["x"]) - logit(labels[-1][0]) < 0.3:
            labels[-1][1].append(text)
        elif left < row["x"] < right:
            labels.append((row["x"], [text]))
    for x, lines in labels if way else ():
        up = way == "up"
        ax.annotate(
            "\n".join(lines), (x, T), xytext=(3, 4 if up else -4), textcoords="offset points",
            rotation=50 if up else -50, rotation_mode="anchor", fontsize=8, linespacing=1.0,
            va="bottom" if up else "top", path_effects=_HALO,
        )  # fmt: skip


def _name_fields(study: Study, ax: Axes) -> None:
    """Write the name of each region into each of its fields, where there is room."""
    field = study.field
    T = field.T[:, 0]
    rows = np.linspace(0, 1, T.size)
    # Clear of the frame, and of the paths and what is written along them.
    above = (T[:, None] - study.T) / np.ptp(T)
    below = -0.16 if study.T.size > 1 else -0.06
    top, bottom = above[:, study.T.argmax()], above[:, study.T.argmin()]
    free = (np.abs(above) > 0.06).all(axis=1) & (rows > 0.04) & (rows < 0.96)
    free &= ((top < 0) | (top > 0.16)) & ((bottom < below) | (bottom > 0))
    for code in np.unique(field.code):
        parts, count = ndimage.label(field.code == code)
        length = 0.0075 * len(REGIONS[code].name)  # of the name, in widths of the figure
        for part in range(1, count + 1):
            place = _room(parts == part, free, length)
            if place:
                row, column, turned = place
                ax.text(
                    field.x[0, column], T[row], REGIONS[code].name, ha="center", va="center",
                    rotation=90 * turned, fontsize=8.5, color="0.15",
                )  # fmt: skip


def _room(inside: Flags, free: Flags, length: float) -> tuple[int, int, bool] | None:
    """Row and column of the middle of a name, and whether it is turned; None without room."""
    rows, columns = inside.shape
    width = np.where(free, inside.sum(axis=1), 0) / columns
    if width.max() > length:
        # The middle of the rows that have room.
        fit = np.flatnonzero(width > max(length, 0.7 * width.max()))
        row = int(fit[fit.size // 2])
        return row, int(np.flatnonzero(inside[row]).mean()), False
    best = None
    for column in np.flatnonzero(inside.any(axis=0)):
        runs, count = ndimage.label(inside[:, column] & free)
        for run in range(1, count + 1):
            found = np.flatnonzero(runs == run)
            row = int(found.mean())
            room = min(inside[row].sum() / columns / 0.025, 1.0) * found.size
            clear = found.size / rows > 1.6 * length and inside[row].sum() / columns > 0.02
            if clear and (best is None or room > best[0]):
                best = (room, row, int(np.flatnonzero(inside[row]).mean()))
    return (best[1], best[2], True) if best else None


def _celsius(T: Any) -> Any:
    return T - constants.zero_Celsius


def _kelvin(T: Any) -> Any:
    return T + constants.zero_Celsius
