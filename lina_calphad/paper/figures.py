"""All figures of the paper and beyond it, by name: each from its table."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lina_calphad.paper.beyond import BEYOND
from lina_calphad.paper.drawings import FIGURES
from lina_calphad.report import save_figure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from lina_calphad.compare.comparison import Comparison

_ALL = MappingProxyType({**FIGURES, **BEYOND})

#: Names of the figures, in their order.
NAMES = tuple(_ALL)


def figure(name: str, comparison: Comparison) -> tuple[Figure, pd.DataFrame]:
    """One figure, and the table it is drawn from.

    Parameters
    ----------
    name
        One of `NAMES`, such as "figure_3_na_in_li".
    comparison
        Of both shipped assessments; figures 8 to 10 are of santos2025.

    Returns
    -------
    matplotlib.figure.Figure
        Ready for ``savefig``.
    pandas.DataFrame

    Raises
    ------
    ValueError
        If there is no figure of this name.

    Examples
    --------
    >>> from lina_calphad import compare
    >>> drawn, table = figure("figure_3_na_in_li", compare())
    >>> drawn.axes[0].get_yscale(), sorted(set(table["source"]))
    ('log', ['santos2025', 'zhang2003'])
    """
    if name not in _ALL:
        msg = f"no figure is called {name!r}; there are {', '.join(NAMES)}"
        raise ValueError(msg)
    table_of, draw = _ALL[name]
    table = table_of(comparison)
    return draw(table), table


def write_figures(
    comparison: Comparison, folder: Path, progress: Callable[[str], None] = lambda _: None
) -> None:
    """Write every figure as PNG and SVG, and its table as CSV.

    Parameters
    ----------
    comparison
        As of `figure`.
    folder
        An existing folder; files of the same names are replaced.
    progress
        Called with a line of text as each figure begins.
    """
    for name in NAMES:
        progress(name.replace("_", " "))
        drawn, table = figure(name, comparison)
        table.to_csv(folder / f"{name}.csv", index=False)
        save_figure(drawn, folder, name)
