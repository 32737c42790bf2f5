"""The report of a comparison: its table for people, its numbers and its figures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lina_calphad.compare import uncertainty
from lina_calphad.compare.figures import FIGURES
from lina_calphad.compare.quantities import cells, label
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
    columns = [("quantity", list(map(label, comparison.quantities["quantity"], units)))]
    for name in comparison.names:
        known = zip(cells(comparison.values[name], units), reasons[name], strict=True)
        columns.append((name, [cell or why for cell, why in known]))
    for name in later:
        heading = f"{name} : {first}" if len(later) > 1 else "change"
        columns.append((heading, cells(comparison.changes[name], units, "{:+.2f}", "x {:.3g}")))
    columns.append(("measured", cells(comparison.quantities["measured"], units)))
    frame = pd.DataFrame([column for _, column in columns]).T
    frame.columns = pd.Index([heading for heading, _ in columns])
    groups = comparison.quantities.index.str.split("_").str[0]
    new = np.flatnonzero(groups[1:] != groups[:-1]) + 1
    title = f"bcc Li-Na at {comparison.T:g} K"
    return Shown(title, frame, left=("quantity",), sections=tuple(new.tolist()))
