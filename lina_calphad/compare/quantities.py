"""What is compared: the quantities of an assessment, each with its key, name, unit and value."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lina_calphad.data.assessments import MEASURED
from lina_calphad.data.sources import PHASE
from lina_calphad.errors import LinaCalphadError, NoMiscibilityGap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lina_calphad.phase.alloy import Alloy

Quantity = tuple[str, str, str, "Callable[[Alloy], float]"]


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
    listed = [*_gap("chemical", T), *_gap("coherent", T), *_WITH_LIQUID]
    keys = pd.Index([key for key, *_ in listed], name="key")
    measured = {published.quantity: published for published in MEASURED}
    rows = []
    for _, quantity, unit, _ in listed:
        seen = measured.get(quantity)
        known = (seen.value, seen.tolerance, seen.where) if seen else (np.nan, np.nan, "")
        rows.append((quantity, unit, *known))
    columns = ["quantity", "unit", "measured", "tolerance", "measured_by"]
    quantities = pd.DataFrame(rows, keys, columns)
    found = {a.name: [_value(value, a) for *_, value in listed] for a in alloys}
    values, reasons = (
        pd.DataFrame({name: [both[i] for both in column] for name, column in found.items()}, keys)
        for i in (0, 1)
    )
    return quantities, values, reasons


def _gap(kind: str, T: float) -> list[Quantity]:
    """Quantities of the chemical or the coherent gap."""

    def of(curve: str, end: str) -> Callable[[Alloy], float]:
        return lambda a: float(getattr(getattr(a.solutions[kind], curve)(T), end))

    def solubility(end: str) -> Callable[[Alloy], float]:
        return lambda a: _fraction(of("binodal", end)(a))

    def critical(what: str) -> Callable[[Alloy], float]:
        return lambda a: float(getattr(a.solutions[kind].critical_point(), what))

    return [
        (f"{kind}_na_in_li", f"{kind} solubility, Na in bcc Li", "1", solubility("ln_x_alpha")),
        (f"{kind}_li_in_na", f"{kind} solubility, Li in bcc Na", "1",
         solubility("ln_one_minus_x_beta")),
        (f"{kind}_spinodal_li_side", f"{kind} spinodal onset, x(Na)", "1",
         of("spinodal", "x_alpha")),
        (f"{kind}_spinodal_na_side", f"{kind} spinodal end, x(Na)", "1", of("spinodal", "x_beta")),
        (f"{kind}_critical_temperature", f"{kind} critical temperature", "K", critical("T")),
        (f"{kind}_critical_x", f"{kind} critical composition, x(Na)", "1", critical("x")),
    ]  # fmt: skip


def _at(kind: str, phase: str, which: int) -> Callable[[Alloy], float]:
    """Mole fraction in a phase at an invariant, counted from the Li side."""
    return lambda a: a.invariant(kind).x(phase)[which]


# The quantities with a measured value bear the names of MEASURED.
_WITH_LIQUID: list[Quantity] = [
    ("eutectic_temperature", "eutectic temperature", "K", lambda a: a.invariant("eutectic").T),
    ("eutectic_liquid", "eutectic liquid, x(Na)", "1", _at("eutectic", "LIQUID", 0)),
    ("eutectic_bcc_li", "eutectic bcc Li, x(Na)", "1", _at("eutectic", PHASE, 0)),
    ("eutectic_bcc_na", "eutectic bcc Na, x(Na)", "1", _at("eutectic", PHASE, -1)),
    ("monotectic_temperature", "monotectic temperature", "K",
     lambda a: a.invariant("monotectic").T),
    ("monotectic_bcc", "monotectic bcc Li, x(Na)", "1", _at("monotectic", PHASE, 0)),
    ("monotectic_liquid_li", "monotectic Li-rich liquid, x(Na)", "1",
     _at("monotectic", "LIQUID", 0)),
    ("monotectic_liquid_na", "monotectic Na-rich liquid, x(Na)", "1",
     _at("monotectic", "LIQUID", -1)),
    ("liquid_critical_temperature", "liquid critical temperature", "K", lambda a: a.liquid_top.T),
    ("liquid_critical_x", "liquid critical composition, x(Na)", "1", lambda a: a.liquid_top.x),
]  # fmt: skip


def _fraction(ln: Any) -> float:
    """A mole fraction, or its power of ten as the reason why no double holds it."""
    if ln < math.log(sys.float_info.min):
        msg = f"10^{ln / math.log(10):.1f}"
        raise LookupError(msg)
    return math.exp(ln)


def _value(value: Callable[[Alloy], float], alloy: Alloy) -> tuple[float, str]:
    """A quantity of one assessment, or NaN and why there is none."""
    try:
        return value(alloy), ""
    except NoMiscibilityGap:
        return np.nan, "no gap"
    except (LinaCalphadError, LookupError) as error:
        return np.nan, str(error.args[0])
