"""What is compared: the quantities of one assessment, each with its name, unit and value."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lina_calphad.data.assessments import MEASURED, Published
from lina_calphad.data.sources import PHASE
from lina_calphad.errors import LinaCalphadError, NoMiscibilityGap
from lina_calphad.phase.alloy import Alloy

if TYPE_CHECKING:
    from lina_calphad.phase.results import Binodal, CriticalPoint, Spinodal


@dataclass(frozen=True)
class Row:
    """One quantity of every assessment.

    Parameters
    ----------
    key
        Name for programs.
    quantity
        Name for people.
    unit
        Unit; "1" for mole fractions.
    values
        One for each assessment; None where there is none.
    reasons
        Why there is none, or an empty string.
    measured
        The measured value with its source, or None.
    """

    key: str
    quantity: str
    unit: str
    values: tuple[float | None, ...]
    reasons: tuple[str, ...]
    measured: Published | None

    @property
    def changes(self) -> tuple[float | None, ...]:
        """Each later value against the first: a ratio of fractions, else a difference."""
        first = self.values[0]

        def change(value: float | None) -> float | None:
            if value is None or first is None:
                return None
            return value / first if self.unit == "1" else value - first

        return tuple(change(value) for value in self.values[1:])


def rows_of(descriptions: Sequence[Alloy], T: float) -> Iterator[Row]:
    """Every quantity of every description, solubilities and spinodals at `T`."""
    measured = {published.quantity: published for published in MEASURED}
    quantities = [*_gap("chemical", T), *_gap("coherent", T), *_WITH_LIQUID]
    for key, quantity, unit, value in quantities:
        values, reasons = zip(*(_value(value, d) for d in descriptions), strict=True)
        yield Row(key, quantity, unit, values, reasons, measured.get(quantity))


_Quantity = tuple[str, str, str, Callable[[Alloy], float]]


def _gap(kind: str, T: float) -> list[_Quantity]:
    """Quantities of the chemical or the coherent gap."""

    def binodal(d: Alloy) -> Binodal:
        return d.solutions[kind].binodal(T)

    def spinodal(d: Alloy) -> Spinodal:
        return d.solutions[kind].spinodal(T)

    def critical(d: Alloy) -> CriticalPoint:
        return d.solutions[kind].critical_point()

    return [
        (f"{kind}_na_in_li", f"{kind} solubility, Na in bcc Li", "1",
         lambda d: _fraction(binodal(d).ln_x_alpha)),
        (f"{kind}_li_in_na", f"{kind} solubility, Li in bcc Na", "1",
         lambda d: _fraction(binodal(d).ln_one_minus_x_beta)),
        (f"{kind}_spinodal_li_side", f"{kind} spinodal onset, x(Na)", "1",
         lambda d: float(spinodal(d).x_alpha)),
        (f"{kind}_spinodal_na_side", f"{kind} spinodal end, x(Na)", "1",
         lambda d: float(spinodal(d).x_beta)),
        (f"{kind}_critical_temperature", f"{kind} critical temperature", "K",
         lambda d: critical(d).T),
        (f"{kind}_critical_x", f"{kind} critical composition, x(Na)", "1",
         lambda d: critical(d).x),
    ]  # fmt: skip


# The quantities with a measured value bear the names of `registry.MEASURED`.
_WITH_LIQUID: list[_Quantity] = [
    ("eutectic_temperature", "eutectic temperature", "K", lambda d: d.invariant("eutectic").T),
    ("eutectic_liquid", "eutectic liquid, x(Na)", "1",
     lambda d: d.invariant("eutectic").x("LIQUID")[0]),
    ("eutectic_bcc_li", "eutectic bcc Li, x(Na)", "1",
     lambda d: d.invariant("eutectic").x(PHASE)[0]),
    ("eutectic_bcc_na", "eutectic bcc Na, x(Na)", "1",
     lambda d: d.invariant("eutectic").x(PHASE)[-1]),
    ("monotectic_temperature", "monotectic temperature", "K",
     lambda d: d.invariant("monotectic").T),
    ("monotectic_bcc", "monotectic bcc Li, x(Na)", "1",
     lambda d: d.invariant("monotectic").x(PHASE)[0]),
    ("monotectic_liquid_li", "monotectic Li-rich liquid, x(Na)", "1",
     lambda d: d.invariant("monotectic").x("LIQUID")[0]),
    ("monotectic_liquid_na", "monotectic Na-rich liquid, x(Na)", "1",
     lambda d: d.invariant("monotectic").x("LIQUID")[-1]),
    ("liquid_critical_temperature", "liquid critical temperature", "K", lambda d: d.liquid_top.T),
    ("liquid_critical_x", "liquid critical composition, x(Na)", "1", lambda d: d.liquid_top.x),
]  # fmt: skip


def _fraction(ln: Any) -> float:
    """A mole fraction, or its power of ten as the reason why no double holds it."""
    if ln < math.log(sys.float_info.min):
        msg = f"10^{ln / math.log(10):.1f}"
        raise LookupError(msg)
    return math.exp(ln)


def _value(value: Callable[[Alloy], float], d: Alloy) -> tuple[float | None, str]:
    """A quantity of one assessment, or None and why there is none."""
    try:
        return value(d), ""
    except NoMiscibilityGap:
        return None, "no gap"
    except (LinaCalphadError, LookupError) as error:
        return None, str(error.args[0])
