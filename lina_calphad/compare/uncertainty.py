"""How well the quantities of a comparison are known: as numbers, as a table, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import log_expit

from lina_calphad.compare.quantities import label
from lina_calphad.phase.tally import NAMES
from lina_calphad.report import Shown

if TYPE_CHECKING:
    from lina_calphad.phase.bands import Bands

COLUMNS = ("assessment", "key", "quantity", "unit", "T_K", "share_with_gap", *NAMES, "factor")


def uncertainty_frame(bands: Mapping[str, Bands], T: float, named: pd.Series[str]) -> pd.DataFrame:
    """How well the quantities, named by key, are known at a temperature in K: a row each.

    `COLUMNS`: among them the share of draws with a gap, the median with 68 % and 95 % around it,
    and for fractions the factor to which they are known, the square root of the ratio of the ends
    of the 68 %. NaN where so many draws have no gap; see `Bands`.
    """
    found: list[tuple[Any, ...]] = []
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
                factor = np.exp((logs[3] - logs[1]) / 2)
                found.append((name, key, named[key], "1", T, share, *np.exp(logs), factor))
            key = f"{kind}_critical_temperature"
            found.append((name, key, named[key], "K", T, share_of_top, *top[:, 0], np.nan))
    return pd.DataFrame(found, columns=list(COLUMNS))


def shown(frame: pd.DataFrame) -> Iterator[Shown | str]:
    """The table for people, and the factor to which each assessment knows the solubility."""
    if frame.empty:
        return
    T = frame["T_K"].iloc[0]
    headings = ["assessment", "quantity", "median", "68 %", "95 %", "factor"]
    cells = pd.DataFrame([_cells(row) for row in frame.to_dict("records")], columns=headings)
    new = np.flatnonzero(cells["assessment"] != cells["assessment"].shift())
    title = f"uncertainty at {T:g} K"
    yield Shown(title, cells, left=tuple(headings[:2]), sections=tuple(new[1:].tolist()))
    for row in frame[frame["key"] == "chemical_na_in_li"].to_dict("records"):
        if np.isfinite(row["factor"]):
            yield (
                f"{row['assessment']}: at {T:g} K the solubility of Na in Li is known to a factor "
                f"of {row['factor']:.2g}"
            )


def _cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    form = "{:.0f}" if row["unit"] == "K" else "{:.3g}"

    def value(name: str) -> str:
        return form.format(row[name]) if np.isfinite(row[name]) else "no gap"

    def span(level: int) -> str:
        return f"{value(f'low_{level}')} to {value(f'high_{level}')}"

    quantity = label(row["quantity"], row["unit"])
    share = row["share_with_gap"]
    if share == 0:
        return row["assessment"], quantity, "no gap", "", "", ""
    median = value("median") + (f" (gap: {share:.0%} of draws)" if share < 1 else "")
    factor = f"{row['factor']:.3g}" if np.isfinite(row["factor"]) else ""
    return row["assessment"], quantity, median, span(68), span(95), factor
