"""What the paper's drawings share: series of a table, their labels, symbols and legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

#: Column with the temperature below which bcc Li, here as cold as it gets, is not stable.
CLOSE_PACKED = "li_close_packed_below_K"


def each_series(table: pd.DataFrame, *more: str) -> Iterator[tuple[int, str, str, pd.DataFrame]]:
    """Split a table into its series.

    Parameters
    ----------
    table
        With the columns source and series.
    more
        Columns that split them further.

    Yields
    ------
    tuple
        The number of the source in order of appearance, its name, label and rows.
    """
    sources = list(table["source"].unique())
    for _, rows in table.groupby(["source", "series", *more], sort=False):
        source, series = rows.iloc[0][["source", "series"]]
        yield sources.index(source), source, label_of(source, series), rows


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


def close_packed_line(ax: Axes, table: pd.DataFrame, x: float, align: str = "left") -> None:
    """Say from where down bcc Li is metastable, at a fraction x of the panel's width."""
    T = table[CLOSE_PACKED].iloc[-1]
    ax.axhline(T, color="0.3", linewidth=0.7, zorder=0.4)
    style: dict[str, Any] = {"ha": align, "va": "top", "color": "0.25", "fontsize": "small"}
    text = f"Li close-packed below {T:.0f} K"
    ax.annotate(text, (x, T), (0, -2), ax.get_yaxis_transform(), "offset points", **style)


def legend(
    figure: Figure,
    table: pd.DataFrame,
    columns: int,
    name: Callable[[str, str], str] = label_of,
    more: Sequence[Line2D] = (),
) -> None:
    """Put one legend under the panels, source by source.

    Parameters
    ----------
    figure
        With every series of the table drawn and labelled.
    table
        What it draws.
    columns
        How many columns the legend has.
    name
        From source and series to what the legend says; what it says twice comes once.
    more
        Further entries.
    """
    drawn: dict[str, Any] = {}
    for ax in figure.axes:
        handles, labels = ax.get_legend_handles_labels()
        drawn |= zip(labels, handles, strict=True)
    entries: dict[str, Any] = {}
    for _, rows in table.groupby("source", sort=False):
        for source, series in rows[["source", "series"]].drop_duplicates().to_numpy():
            entries.setdefault(name(source, series), drawn[label_of(source, series)])
    entries |= {str(handle.get_label()): handle for handle in more}
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": columns, "frameon": False}
    figure.legend(list(entries.values()), list(entries), **place)
