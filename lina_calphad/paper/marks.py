"""What the paper's drawings share: series of a table, their labels, symbols and legend."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

from lina_calphad.plots import COLOURS, drawn, legend_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

#: From source, series and the colour of the source to what `Axes.plot` takes.
Style = Callable[[str, str, str], dict[str, Any]]

#: Column with the temperature below which bcc Li, here as cold as it gets, is not stable.
CLOSE_PACKED = "li_close_packed_below_K"


def draw(
    ax: Axes,
    table: pd.DataFrame,
    x: str,
    y: str,
    style: Style,
    *more: str,
) -> None:
    """Draw every series of a table, column y over x; `more` columns split the series further."""
    colours = dict(zip(table["source"].unique(), COLOURS, strict=False))
    for _, rows in table.groupby(["source", "series", *more], sort=False):
        source, series = rows.iloc[0][["source", "series"]]
        look = style(source, series, colours[source])
        ax.plot(rows[x], rows[y], label=label_of(source, series), **look)


def groups(table: pd.DataFrame, *by: str) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """Rows that agree in some columns of text, with what they agree in, in order."""
    for key, rows in table.groupby(list(by), sort=False):
        yield tuple(map(str, key)), rows


def label_of(source: str, series: str) -> str:
    """Label of a series."""
    return f"{source}, {series}"


def hollow(marker: str, colour: str = "black", size: float = 7) -> dict[str, Any]:
    """Style of hollow symbols."""
    edge = {"color": colour, "markerfacecolor": "white", "markeredgewidth": 1.4}
    return {"linestyle": "", "marker": marker, "markersize": size, "zorder": 3, **edge}


def square(colour: str, size: float = 4.5) -> dict[str, Any]:
    """Style of filled squares."""
    return {"linestyle": "", "marker": "s", "markersize": size, "color": colour}


def close_packed_line(ax: Axes, table: pd.DataFrame, x: float) -> None:
    """Say from where down bcc Li is metastable, at a fraction x of the panel's width."""
    T = table[CLOSE_PACKED].iloc[-1]
    ax.axhline(T, color="0.3", linewidth=0.7, zorder=0.4)
    style: dict[str, Any] = {"va": "top", "color": "0.25", "fontsize": "small"}
    text = f"Li close-packed below {T:.0f} K"
    ax.annotate(text, (x, T), (0, -2), ax.get_yaxis_transform(), "offset points", **style)


def legend(
    figure: Figure,
    table: pd.DataFrame,
    columns: int,
    name: Callable[[str, str], str] = label_of,
    more: Sequence[Line2D] = (),
) -> None:
    """Put one legend under the panels, source by source, in so many columns.

    `name` makes what it says from source and series; what it says twice comes once.
    """
    lines = drawn(figure)
    entries: dict[str, Any] = {}
    for (source,), rows in groups(table, "source"):
        for series in rows["series"].unique():
            entries.setdefault(name(source, series), lines[label_of(source, series)])
    entries |= {str(handle.get_label()): handle for handle in more}
    shown = []
    for label, handle in entries.items():
        shown.append(copy(handle))
        shown[-1].set_label(label)
    legend_below(figure, shown, columns=columns)
