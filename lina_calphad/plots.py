"""What all figures share: colours, line styles, axes, bands and legends.

Colour tells the assessment, line style the kind of curve. The colours are those of
Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike

from lina_calphad.checks import Array
from lina_calphad.text import printable

#: Kinds of curve of a miscibility gap, in the order of their styles.
KINDS = ("chemical binodal", "coherent binodal", "chemical spinodal", "coherent spinodal")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES: dict[str, Any] = dict(zip(KINDS, ("-", "--", "-.", ":"), strict=True))
WIDTHS = dict(zip(KINDS, (1.6, 1.6, 1.2, 1.6), strict=True))
SHADES = {"95 % of draws": 0.13, "68 % of draws": 0.22}  # opacity; the narrow lies on the wide

KELVIN = "temperature / K"

#: Lower end of Arrhenius plots in K.
ARRHENIUS_BOTTOM = 100.0

#: Mole fractions named on an axis that shows both dilute sides.
FRACTIONS = {
    1e-6: "10⁻⁶", 1e-5: "10⁻⁵", 1e-4: "10⁻⁴", 1e-3: "10⁻³", 0.01: "0.01", 0.1: "0.1", 0.5: "0.5",
    0.9: "0.9", 0.99: "0.99", 0.999: "0.999",
}  # fmt: skip

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEAST = 1e-300  # a fraction on a logarithmic axis that takes no zero
_ENOUGH = 5  # temperatures on an Arrhenius axis
_ABOVE_KELVIN = 35  # points from a panel to its title, with such an axis between
_ROUND = (1000, 500, 100, 50, 25, 10, 5, 2, 1)  # steps of temperature, the roundest first


def plain(text: object) -> str:
    """A name from elsewhere as matplotlib shows it to the letter: without control or formulas."""
    return printable(text).replace("$", r"\$")


def title(ax: Axes, text: str, *, pad: float | None = None) -> None:
    """A title right above a panel, or `pad` points; matplotlib would lay out all ticks for that."""
    ax.set_title(text, y=1.0, pad=pad)


def style(kind: str, colour: str) -> dict[str, Any]:
    """Of the line of a kind of curve."""
    return {"color": colour, "linestyle": STYLES[kind], "linewidth": WIDTHS[kind]}


def band(
    ax: Axes,
    at: ArrayLike,
    quantiles: ArrayLike,
    colour: str,
    *,
    across: bool = False,
    closing: tuple[ArrayLike, float] | None = None,
) -> None:
    """Shade between quantiles, behind all lines: the outermost pair, and the next on it.

    Nothing is drawn where an edge is NaN, but for `closing`.

    Parameters
    ----------
    ax
        Where to draw.
    at
        Where on the x axis, shape (m,).
    quantiles
        What lies there on the y axis, in ascending order, shape (n, m).
    colour
        Of both shades; see `band_key` for a legend.
    across
        Turn it round: `at` on the y axis, the quantiles on the x axis.
    closing
        For the branch of a dome, whose draws end at different tops: quantiles of where they
        end along `at`, shape (n,), and the value there. An inner edge that has ended goes on
        at that value, and each shade ends at the quantile of the tops that is its own.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> band(ax, [300, 310], [[0.1, 0.2], [0.2, 0.3], [0.3, 0.4], [0.4, 0.5], [0.5, 0.6]], "red")
    >>> len(ax.collections)
    2
    """
    at, edges = np.asarray(at, dtype=float), np.array(quantiles, dtype=float)
    fill = ax.fill_betweenx if across else ax.fill_between
    for i, opacity in enumerate(SHADES.values()):
        place, pair = at, edges[[i, -1 - i]]
        if closing is not None and np.isnan(pair).any():
            place, pair = _closed(at, pair, np.array(closing[0], float)[[i, -1 - i]], closing[1])
        pair[pair == 0] = _LEAST
        fill(place, *pair, color=colour, alpha=opacity, linewidth=0, zorder=0.5)


def _closed(at: Array, pair: Array, ends: Array, middle: float) -> tuple[Array, Array]:
    """Edges of the branch of a dome, each rounded off at its own end: of the inner, the outer."""
    from_middle = np.nansum(np.abs(pair - middle), axis=1)
    round_off = np.linspace(0, 1, 8)[:-1]
    curves = []
    for edge, end in zip(
        pair, ends if from_middle[0] < from_middle[1] else ends[::-1], strict=True
    ):
        place, x = at[np.isfinite(edge)], edge[np.isfinite(edge)]
        if place.size and np.isfinite(end):
            k = np.abs(place - end).argmin()
            place = np.append(place, end + (place[k] - end) * round_off**2)
            x = np.append(x, middle + (x[k] - middle) * round_off)
        curves.append((place[np.argsort(place)], x[np.argsort(place)]))
    whole = np.union1d(curves[0][0], curves[1][0])
    return whole, np.array(
        [np.interp(whole, *curve) if curve[0].size else whole * 0 + middle for curve in curves]
    )


def arrhenius_axis(ax: Axes) -> None:
    """Label an x axis of 1000 K / T, and put round temperatures on top; when all is drawn."""
    ax.set_xlabel("1000 K / T")
    kelvin = ax.secondary_xaxis("top", functions=(_reciprocal, _reciprocal))
    first, last = sorted(ax.get_xlim())
    low, high = 1000 / last, 1000 / max(first, 0.1)
    marks: list[int] = []
    for step in _ROUND:
        if len(marks) >= _ENOUGH:
            break
        for T in range(step * int(np.ceil(low / step)), int(high) + 1, step):
            apart = min((abs(1000 / T - 1000 / other) for other in marks), default=np.inf)
            if apart > 0.08 * (last - first):
                marks.append(T)
        if len(marks) > 3:
            break
    kelvin.set_xticks(marks, labels=[str(mark) for mark in marks])
    kelvin.set_xlabel("T / K")
    title(ax, ax.get_title(), pad=_ABOVE_KELVIN)


def plain_powers(axis: Axis) -> None:
    """Label a logarithmic axis with powers of ten that matplotlib need not set as formulas."""

    def power(value: float, _: object) -> str:
        return "10" + f"{np.log10(value):.0f}".translate(_SUPERSCRIPTS)

    axis.set_major_formatter(power)


def _reciprocal(x: Any) -> Any:
    with np.errstate(divide="ignore"):
        return 1000 / np.asarray(x, dtype=float)


def fraction_axis(
    ax: Axes,
    scale: str = "linear",
    *,
    of: str = "Na",
    limits: tuple[float, float] | None = None,
    upright: bool = False,
) -> None:
    """Make an axis one of mole fractions.

    Parameters
    ----------
    ax
        What to change.
    scale
        "linear", "log" for one dilute side, or "logit", which stretches both.
    of
        The component.
    limits
        Of the axis.  [default: 0 and 1; 1e-7 and 0.5 of a log; 1e-6 and 0.999 of a logit]
    upright
        The y axis instead of the x axis.
    """
    label = f"mole fraction of {of}" + (" (both ends stretched)" if scale == "logit" else "")
    ends = {"linear": (0.0, 1.0), "log": (1e-7, 0.5), "logit": (1e-6, 0.999)}
    low, high = limits or ends[scale]
    if upright:
        ax.set(yscale=scale, ylim=(low, high), ylabel=label)
    else:
        ax.set(xscale=scale, xlim=(low, high), xlabel=label)
    axis = ax.yaxis if upright else ax.xaxis
    if scale == "log":
        plain_powers(axis)
        axis.set_minor_locator(LogLocator(subs=(2, 5)))
    if scale == "logit":
        shown = {x: name for x, name in FRACTIONS.items() if low <= x <= high}
        axis.set_ticks(list(shown), labels=list(shown.values()))
        axis.set_ticks([], minor=True)


def colour_key(colours: Mapping[str, str]) -> list[Artist]:
    """Entries of a legend: what each colour stands for."""
    return [Line2D([], [], color=c, linewidth=3, label=name) for name, c in colours.items()]


def kind_key(kinds: Sequence[str], labels: Sequence[str] | None = None) -> list[Artist]:
    """Entries of a legend: what each line style stands for."""
    return [
        Line2D([], [], color="0.25", linestyle=STYLES[kind], linewidth=1.6, label=label)
        for kind, label in zip(kinds, labels or kinds, strict=True)
    ]


def band_key() -> list[Artist]:
    """Entries of a legend for bands, the narrow one first and as dark as it looks on the wide."""
    wide, narrow = SHADES.items()
    both = 1 - (1 - wide[1]) * (1 - narrow[1])
    return [
        Patch(color="0.25", alpha=opacity, linewidth=0, label=name)
        for name, opacity in ((narrow[0], both), wide)
    ]


def drawn(figure: Figure) -> dict[str, Artist]:
    """What has a label in the panels, the first of each label."""
    found: dict[str, Artist] = {}
    for ax in figure.axes:
        handles, labels = ax.get_legend_handles_labels()
        found = {**dict(zip(labels, handles, strict=True)), **found}
    return found


def legend_below(
    figure: Figure,
    entries: Sequence[Artist] | None = None,
    *,
    columns: int | None = None,
    **given: Any,
) -> Legend:
    """One legend under all panels, in as many columns as the figure's width holds.

    Parameters
    ----------
    figure
        With a constrained layout, which makes room.
    entries
        What it shows; if not given, whatever has a label in the panels, each label once.
    columns
        The most to take.  [default: one for each entry]
    given
        More for the legend, such as ``fontsize=8``.
    """
    if entries is None:
        entries = list(drawn(figure).values())
    place: dict[str, Any] = {"loc": "outside lower center", "frameon": False, **given}
    for count in range(columns or len(entries) or 1, 0, -1):
        legend = figure.legend(handles=list(entries), ncols=count, **place)
        for text in legend.get_texts():
            text.set_text(printable(text.get_text()))
            text.set_parse_math(False)  # a file's name may hold dollar signs
        if count == 1 or legend.get_window_extent().width <= figure.bbox.width:
            break
        legend.remove()
    return legend
