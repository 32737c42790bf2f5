"""The map of an anode as tables: its boundaries over temperature, its windows at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lina_calphad.anode.melting import MELTING_ERROR, liquid_ranges, melting_point
from lina_calphad.anode.windows import NAMES, classify, curve_ends, keys

if TYPE_CHECKING:
    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy

#: Temperatures in K and compositions that the map shows; SGTE's unaries begin at 200 K.
MAP_T = (200.0, 400.0)
MAP_X = (1e-6, 0.9999)


def chart(alloy: Alloy, T: Array, count: int = 201) -> pd.DataFrame:
    """Boundaries, and between which compositions is liquid: a row a temperature, around all T."""
    rows = np.linspace(min(MAP_T[0], T.min()), max(MAP_T[1], T.max()), count)
    melting = melting_point(alloy, MAP_X[0], rows[0], rows[-1])
    if np.isfinite(melting):  # its row just below, and the first with liquid
        rows = np.union1d(rows, melting + np.array([-1, 1]) * MELTING_ERROR)
    table, hot = pd.DataFrame({"T": rows, **curve_ends(alloy, rows)}), rows > melting
    for i, ends in enumerate(liquid_ranges(alloy, rows[hot])):
        further = f" {i + 1}" if i else ""
        table.loc[hot, [f"liquid from{further}", f"liquid to{further}"]] = ends
    return table


def solid_rows(chart: pd.DataFrame) -> pd.Series:
    """Rows of a chart in which nothing is liquid."""
    return chart.filter(like="liquid").isna().all(axis=1)


def windows(alloy: Alloy, T: Array) -> pd.DataFrame:
    """Regions from pure Li to pure Na: a row a temperature and range of composition."""
    rows, ends = [], curve_ends(alloy, T)
    for i, (level, melts) in enumerate(zip(T, alloy.liquid_ranges(T), strict=True)):
        here = {name: at[i] for name, at in ends.items()}
        edges = np.unique([0.0, *here.values(), *np.ravel(melts), 1.0])
        edges = edges[~np.isnan(edges)]
        middle = (edges[1:] + edges[:-1]) / 2
        code = classify(middle, here, alloy.liquid_present(middle, np.full_like(middle, level)))
        first = np.flatnonzero(np.diff(code, prepend=-1))
        table = pd.DataFrame({"T": level, "region": keys(code[first])})
        table["name"] = table["region"].map(NAMES)
        rows.append(table.assign(x_from=edges[first], x_to=[*edges[first[1:]], 1.0]))
    return pd.concat(rows, ignore_index=True)
