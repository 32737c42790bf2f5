"""What is compared: the quantities of an assessment, each with its key, name, unit and value."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from lina_calphad.data.assessments import MEASURED, PHASE
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import LinaCalphadError, NoMiscibilityGap

#: Of a gap: key and name behind its kind, unit, curve (or critical point) and attribute of that.
_OF_A_GAP = (
    ("na_in_li", "solubility, Na in bcc Li", "1", "binodal", "ln_x_alpha"),
    ("li_in_na", "solubility, Li in bcc Na", "1", "binodal", "ln_one_minus_x_beta"),
    ("spinodal_li_side", "spinodal onset, x(Na)", "1", "spinodal", "x_alpha"),
    ("spinodal_na_side", "spinodal end, x(Na)", "1", "spinodal", "x_beta"),
    ("critical_temperature", "critical temperature", "K", "critical_point", "T"),
    ("critical_x", "critical composition, x(Na)", "1", "critical_point", "x"),
)

#: With the liquid: key, name (that of MEASURED where there is one), unit, invariant (or "top",
#: the liquid's critical point) and what of it: T, x, or a phase and which of its compositions.
_WITH_LIQUID: tuple[tuple[str, str, str, str, Any], ...] = (
    ("eutectic_temperature", "eutectic temperature", "K", "eutectic", "T"),
    ("eutectic_liquid", "eutectic liquid, x(Na)", "1", "eutectic", ("LIQUID", 0)),
    ("eutectic_bcc_li", "eutectic bcc Li, x(Na)", "1", "eutectic", (PHASE, 0)),
    ("eutectic_bcc_na", "eutectic bcc Na, x(Na)", "1", "eutectic", (PHASE, -1)),
    ("monotectic_temperature", "monotectic temperature", "K", "monotectic", "T"),
    ("monotectic_bcc", "monotectic bcc Li, x(Na)", "1", "monotectic", (PHASE, 0)),
    ("monotectic_liquid_li", "monotectic Li-rich liquid, x(Na)", "1", "monotectic", ("LIQUID", 0)),
    ("monotectic_liquid_na", "monotectic Na-rich liquid, x(Na)", "1", "monotectic", ("LIQUID", -1)),
    ("liquid_critical_temperature", "liquid critical temperature", "K", "top", "T"),
    ("liquid_critical_x", "liquid critical composition, x(Na)", "1", "top", "x"),
)


def tables(alloys: Sequence[Alloy], T: float) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Every quantity of every alloy, solubilities and spinodals at `T`.

    Returns
    -------
    quantities : pandas.DataFrame
        By key: quantity (for people), unit ("1" for mole fractions), and where it was measured
        the measured value with its tolerance and source.
    values, reasons : pandas.DataFrame
        By key and name of the alloy: the number, or NaN and why there is none.
    """

    @cache
    def point(alloy: Alloy, kind: str, curve: str) -> Any:
        asked = getattr(alloy.solutions[kind], curve)
        return asked() if curve == "critical_point" else asked(T)

    def of_gap(kind: str, curve: str, end: str, alloy: Alloy) -> float:
        value = float(getattr(point(alloy, kind, curve), end))
        return _fraction(value) if end.startswith("ln_") else value

    listed: list[tuple[str, str, str, Callable[[Alloy], float]]] = [
        (f"{kind}_{key}", f"{kind} {name}", unit, partial(of_gap, kind, curve, end))
        for kind in ("chemical", "coherent")
        for key, name, unit, curve, end in _OF_A_GAP
    ]
    listed += [
        (key, name, unit, partial(_with_liquid, point, what))
        for key, name, unit, point, what in _WITH_LIQUID
    ]
    keys = pd.Index([key for key, *_ in listed], name="key")
    quantities = pd.DataFrame([row[1:3] for row in listed], keys, ["quantity", "unit"])
    seen = {p.quantity: (p.value, p.tolerance, p.where) for p in MEASURED}
    none = (np.nan, np.nan, "")
    quantities[["measured", "tolerance", "measured_by"]] = [
        seen.get(name, none) for name in quantities["quantity"]
    ]
    found = {a.name: [_value(value, a) for *_, value in listed] for a in alloys}
    values, reasons = (
        pd.DataFrame({name: [both[i] for both in column] for name, column in found.items()}, keys)
        for i in (0, 1)
    )
    return quantities, values, reasons


def label(quantity: str, unit: str) -> str:
    """What a quantity is called in a table."""
    return quantity if unit == "1" else f"{quantity} / {unit}"


def cells(
    values: Iterable[float], units: Iterable[str], kelvin: str = "{:.2f}", fraction: str = "{:.4g}"
) -> list[str]:
    """Numbers of these units as text; nothing where there is none."""
    return [
        "" if np.isnan(value) else (kelvin if unit == "K" else fraction).format(value)
        for value, unit in zip(values, units, strict=True)
    ]


def _with_liquid(point: str, what: Any, alloy: Alloy) -> float:
    if point == "top":
        return float(getattr(alloy.liquid_top, what))
    invariant = alloy.invariant(point)
    return invariant.T if what == "T" else invariant.x(what[0])[what[1]]


def _fraction(ln: Any) -> float:
    """A mole fraction, or its power of ten as the reason why no double holds it."""
    if ln < math.log(sys.float_info.min):
        raise LookupError(f"10^{ln / math.log(10):.1f}")
    return math.exp(ln)


def _value(value: Callable[[Alloy], float], alloy: Alloy) -> tuple[float, str]:
    """A quantity of one assessment, or NaN and why there is none."""
    try:
        return value(alloy), ""
    except NoMiscibilityGap:
        return np.nan, "no gap"
    except (LinaCalphadError, LookupError) as error:
        return np.nan, str(error.args[0])
