"""How well the quantities of a comparison are known: as a table, printed, and in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import log_expit

from lina_calphad.phase.bands import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lina_calphad.phase.alloy import Row
    from lina_calphad.phase.bands import Bands

COLUMNS = ("assessment", "key", "quantity", "unit", "T_K", "share_with_gap", *NAMES, "factor")


def uncertainty_frame(bands: Mapping[str, Bands], T: float, rows: Sequence[Row]) -> pd.DataFrame:
    """Quantiles of solubilities, spinodal onsets and critical temperatures.

    Parameters
    ----------
    bands
        By assessment; each at `T` among others.
    T
        Temperature in K.
    rows
        The table of the comparison, which names the quantities.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: among them the share of draws with a gap, the median with 68 % and 95 %
        around it, and for fractions the factor to which they are known, the square root of
        the ratio of the ends of the 68 %. NaN where so many draws have no gap; see `Bands`.
    """
    named = {row.key: row for row in rows}
    found = []
    for name, result in bands.items():
        (at,) = np.flatnonzero(result.T == T)
        for kind in result.critical:
            binodal, spinodal = (result.t[f"{kind} {c}"][..., at] for c in ("binodal", "spinodal"))
            share = result.gap[kind][at]
            top, share_of_top = result.critical[kind]
            # The fraction of one component falls as that of the other rises.
            fractions = {
                f"{kind}_na_in_li": log_expit(binodal[:, 0]),
                f"{kind}_li_in_na": log_expit(-binodal[::-1, 1]),
                f"{kind}_spinodal_li_side": log_expit(spinodal[:, 0]),
            }
            for key, logs in fractions.items():
                row = named[key]
                factor = np.exp((logs[3] - logs[1]) / 2)
                found.append((name, key, row.quantity, "1", T, share, *np.exp(logs), factor))
            row = named[f"{kind}_critical_temperature"]
            found.append((name, row.key, row.quantity, "K", T, share_of_top, *top[:, 0], np.nan))
    return pd.DataFrame(found, columns=list(COLUMNS))


def print_uncertainty(frame: pd.DataFrame) -> None:
    """Print the table, and the factor to which each assessment knows the solubility.

    Parameters
    ----------
    frame
        As of `uncertainty_frame`.
    """
    from rich.markup import escape
    from rich.table import Table

    from lina_calphad.report import table_console

    if frame.empty:
        return
    console = table_console()
    T = frame["T_K"].iloc[0]
    table = Table(title=f"uncertainty at {T:g} K", title_justify="left")
    for heading in ("assessment", "quantity"):
        table.add_column(heading)
    for heading in ("median", "68 %", "95 %", "factor"):
        table.add_column(heading, justify="right")
    for name, part in frame.groupby("assessment", sort=False):
        for row in part.to_dict("records"):
            table.add_row(escape(str(name)), *_cells(row))
        table.add_section()
    console.print(table)
    for row in frame[frame["key"] == "chemical_na_in_li"].to_dict("records"):
        if np.isfinite(row["factor"]):
            console.print(
                f"{row['assessment']}: at {T:g} K the solubility of Na in Li is known to a factor "
                f"of {row['factor']:.2g}",
                highlight=False,
                markup=False,
            )


def _cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    form = "{:.0f}" if row["unit"] == "K" else "{:.3g}"

    def value(name: str) -> str:
        return form.format(row[name]) if np.isfinite(row[name]) else "no gap"

    def span(level: int) -> str:
        return f"{value(f'low_{level}')} to {value(f'high_{level}')}"

    quantity = row["quantity"] + ("" if row["unit"] == "1" else f" / {row['unit']}")
    share = row["share_with_gap"]
    if share == 0:
        return quantity, "no gap", "", "", ""
    shown = value("median") + (f" (gap: {share:.0%} of draws)" if share < 1 else "")
    factor = f"{row['factor']:.3g}" if np.isfinite(row["factor"]) else ""
    return quantity, shown, span(68), span(95), factor
