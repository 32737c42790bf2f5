"""The report of a comparison: its table for people, its numbers and its figures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lina_calphad.compare import uncertainty
from lina_calphad.compare.figures import FIGURES
from lina_calphad.report import Report, Shown

if TYPE_CHECKING:
    from lina_calphad.compare.comparison import Comparison


def comparison_report(comparison: Comparison) -> Report:
    """What `lina-calphad compare` prints and writes."""
    measured = comparison.quantities["measured_by"]
    tables = {
        "comparison": comparison.to_dataframe,
        "phase_diagram": lambda: comparison.diagram,
        "arrhenius": lambda: comparison.arrhenius,
        "gibbs_energy": lambda: comparison.gibbs,
    }
    if comparison.bands:
        tables |= {
            "bands": lambda: comparison.band_curves,
            "uncertainty": lambda: comparison.uncertainty,
        }
    return Report(
        "comparison",
        comparison.to_dict(),
        [_table(comparison), *uncertainty.shown(comparison.uncertainty)],
        [*comparison.notes, f"measured by {', '.join(dict.fromkeys(measured[measured != '']))}"],
        tables,
        {name: partial(draw, comparison) for name, draw in FIGURES.items()},
    )


def _table(comparison: Comparison) -> Shown:
    first, *later = comparison.names
    units, reasons = comparison.quantities["unit"], comparison.reasons
    names = comparison.quantities["quantity"] + units.map(lambda u: "" if u == "1" else f" / {u}")

    def cells(values: pd.Series[float], temperature: str, fraction: str) -> list[str]:
        forms = (temperature if unit == "K" else fraction for unit in units)
        pairs = zip(forms, values.astype(float), strict=True)
        return ["" if np.isnan(value) else form.format(value) for form, value in pairs]

    columns: list[tuple[str, list[str]]] = [("quantity", list(names))]
    for name in comparison.names:
        known = cells(comparison.values[name], "{:.2f}", "{:.4g}")
        shown = [cell or why for cell, why in zip(known, reasons[name], strict=True)]
        columns.append((name, shown))
    for name in later:
        heading = f"{name} : {first}" if len(later) > 1 else "change"
        columns.append((heading, cells(comparison.changes[name], "{:+.2f}", "x {:.3g}")))
    columns.append(("measured", cells(comparison.quantities["measured"], "{:.2f}", "{:.4g}")))
    frame = pd.DataFrame([cells for _, cells in columns]).T
    frame.columns = pd.Index([heading for heading, _ in columns])
    groups = comparison.quantities.index.str.split("_").str[0]
    new = np.flatnonzero(groups[1:] != groups[:-1]) + 1
    title = f"bcc Li-Na at {comparison.T:g} K"
    return Shown(title, frame, left=("quantity",), sections=tuple(new.tolist()))
