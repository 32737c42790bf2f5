"""Every number the paper prints, beside what the package computes for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy.optimize import brentq

from lina_calphad import dilute
from lina_calphad.comparison import Comparison, compare
from lina_calphad.datasets import read_datasets, shipped_datasets
from lina_calphad.mixing_data import difference_of, mixing_data
from lina_calphad.paper.beyond_tables import elastic_data
from lina_calphad.quantities import Row, rows_of
from lina_calphad.registry import HANDBOOK_ELASTICITY, MEASURED, Published, assessments
from lina_calphad.solution import BinarySolution
from lina_calphad.sources import COMPONENTS, PHASE

if TYPE_CHECKING:
    from collections.abc import Callable

#: What "room temperature" of the paper is taken for, and what it usually is, in K.
ROOM_TEMPERATURE = 300.0
STANDARD_TEMPERATURE = 298.15

#: Digits beyond which two numbers are the same double.
_ALL_DIGITS = 15.0


@dataclass(frozen=True)
class Claim:
    """One published number and the computed one.

    Parameters
    ----------
    assessment
        Key of the assessment it is about.
    published
        The number as its source prints it.
    computed
        The same from this package, at 300 K where it is one of room temperature.
    standard
        At 298.15 K, or None where it is not one of room temperature.
    """

    assessment: str
    published: Published
    computed: float
    standard: float | None = None

    @property
    def digits(self) -> float:
        """Decimal digits in which both agree: minus the logarithm of the relative difference."""
        difference = abs(self.computed / self.published.value - 1)
        return min(_ALL_DIGITS, -math.log10(difference)) if difference else _ALL_DIGITS

    @property
    def agrees(self) -> bool:
        """Whether they differ by no more than the tolerance."""
        published = self.published
        # The tolerance is a decimal number, and so not exact.
        return bool(abs(self.computed - published.value) <= published.tolerance * (1 + 1e-9))

    @property
    def verdict(self) -> str:
        """One of "agrees", "differs" and "in doubt": the source contradicts itself."""
        if self.published.doubt:
            return "in doubt"
        return "agrees" if self.agrees else "differs"


@dataclass(frozen=True, eq=False)
class Reproduction:
    """What `reproduce` found.

    Parameters
    ----------
    claims
        The numbers, old assessment first.
    notes
        What to know when reading them.
    comparison
        The comparison of both assessments at 300 K that the figures are drawn from.
    """

    claims: tuple[Claim, ...]
    notes: tuple[str, ...]
    comparison: Comparison

    @property
    def ok(self) -> bool:
        """Whether no number differs."""
        return all(claim.verdict != "differs" for claim in self.claims)

    def __repr__(self) -> str:
        count = [sum(c.verdict == v for c in self.claims) for v in ("agrees", "differs")]
        return f"<Reproduction of {len(self.claims)} numbers: {count[0]} agree, {count[1]} differ>"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a number."""
        rows = [
            {
                "assessment": claim.assessment,
                "quantity": claim.published.quantity,
                "unit": claim.published.unit,
                "published": claim.published.value,
                "tolerance": claim.published.tolerance,
                "computed": claim.computed,
                "computed_298.15_K": claim.standard,
                "digits": claim.digits,
                "verdict": claim.verdict,
                "where": claim.published.where,
                "doubt": claim.published.doubt,
            }
            for claim in self.claims
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """The same for programs; missing values are None."""
        table = self.to_dataframe().astype(object)
        rows = table.where(table.notna(), None).to_dict("records")
        return {"ok": self.ok, "numbers": rows, "notes": list(self.notes)}


def reproduce(progress: Callable[[str], None] | None = None) -> Reproduction:
    """Compute every number that the paper prints, and hold it against the printed one.

    Parameters
    ----------
    progress
        Called with a line of text as each step begins.

    Returns
    -------
    Reproduction

    Examples
    --------
    >>> result = reproduce()
    >>> result
    <Reproduction of 15 numbers: 13 agree, 0 differ>
    >>> result.ok
    True
    """
    comparison = compare(tuple(assessments()), ROOM_TEMPERATURE, progress=progress)
    at = {
        T: {row.key: row for row in rows_of(comparison.descriptions, T)}
        for T in (ROOM_TEMPERATURE, STANDARD_TEMPERATURE)
    }
    claims = []
    for i, (key, assessment) in enumerate(assessments().items()):
        for published in assessment.published:
            if published.quantity in _COMPARED:
                row, of_room = _COMPARED[published.quantity]
                values = [_found(rows[row], i) for rows in at.values()]
            else:
                value, of_room = _FURTHER[published.quantity]
                values = [value(comparison, i, T) for T in (at if of_room else [ROOM_TEMPERATURE])]
            claims.append(Claim(key, published, values[0], values[1] if of_room else None))
    return Reproduction(tuple(claims), _notes(comparison), comparison)


#: Quantities of the paper that `compare` has: key of its row, whether one of room temperature.
_COMPARED = {
    "chemical solubility of Na in Li": ("chemical_na_in_li", True),
    "chemical spinodal onset": ("chemical_spinodal_li_side", True),
    "coherent solubility of Na in Li": ("coherent_na_in_li", True),
    "coherent spinodal onset": ("coherent_spinodal_li_side", True),
    "coherent critical temperature": ("coherent_critical_temperature", False),
    "monotectic Li-rich liquid, x(Na)": ("monotectic_liquid_li", False),
    "eutectic temperature, abstract": ("eutectic_temperature", False),
    "eutectic temperature, text": ("eutectic_temperature", False),
}


def _found(row: Row, i: int) -> float:
    """Value of one assessment, which the shipped ones all have."""
    value = row.values[i]
    assert value is not None, f"{row.quantity}: {row.reasons[i]}"
    return value


def _coefficient(order: int) -> Callable[[Comparison, int, float], float]:
    """A bcc parameter: by eqs. 8 and 9 where there are energies, else as the TDB has it."""

    def value(comparison: Comparison, i: int, _: float) -> float:
        name = comparison.names[i]
        if name not in shipped_datasets():
            return comparison.descriptions[i].coefficients[order]
        found = difference_of(mixing_data(read_datasets([name]), PHASE, COMPONENTS))
        assert found is not None  # one substituted atom on each side
        return (found.L0, found.L1)[order]

    return value


def _onset_ratio(comparison: Comparison, _: int, T: float) -> float:
    old, new = (float(d.chemical.spinodal(T).x_alpha) for d in comparison.descriptions)
    return old / new


def _na_side(comparison: Comparison, _: int, T: float) -> float:
    old, new = (float(d.chemical.binodal(T).ln_one_minus_x_beta) for d in comparison.descriptions)
    return new / old


def _eq_11_fails(comparison: Comparison, i: int, _: float) -> float:
    """Temperature in K at which eq. 11 gives half as much again as the exact spinodal."""
    description = comparison.descriptions[i]
    terms = description.coefficients

    def excess(T: float) -> float:
        closed, exact = dilute.spinodal(T, terms), description.chemical.spinodal(T)
        return float((1 - closed.x_beta) / (1 - exact.x_beta)) - 1.5

    return float(brentq(excess, 1.0, 300.0))


def _close_packed(comparison: Comparison, i: int, _: float, phase: str = "HCP_A3") -> float:
    """Temperature in K at which bcc Li and close-packed Li have one Gibbs energy."""
    dbf = comparison.descriptions[i].dbf
    bcc, other = (BinarySolution(dbf, COMPONENTS, name) for name in (PHASE, phase))

    def difference(T: float) -> float:
        return float(bcc.gibbs_energy(T, 0.0) - other.gibbs_energy(T, 0.0))

    return float(brentq(difference, 20.0, 200.0))


#: The others: how each is computed from the comparison, of which assessment, at T; and
#: whether it is one of room temperature.
_FURTHER: dict[str, tuple[Callable[[Comparison, int, float], float], bool]] = {
    "bcc 0L": (_coefficient(0), False),
    "bcc 1L": (_coefficient(1), False),
    "chemical spinodal onset, old over new": (_onset_ratio, True),
    "ln of the solubility of Li in Na, new over old": (_na_side, True),
    "temperature where eq. 11 is off by half": (_eq_11_fails, False),
    "bcc Li turns close-packed (hcp)": (_close_packed, False),
}


def _notes(comparison: Comparison) -> tuple[str, ...]:
    """What the numbers do not say by themselves."""
    new = comparison.descriptions[-1]
    measured = {published.quantity: published for published in MEASURED}
    seen = measured["eutectic temperature"]
    li, (used, _) = HANDBOOK_ELASTICITY[0], elastic_data(new.dbf)
    return (
        f"room temperature is taken for {ROOM_TEMPERATURE:g} K, which the printed numbers fit; "
        f"the values at {STANDARD_TEMPERATURE} K are not judged",
        "0L and 1L close a circle: the paper prints no energies, so ours are its parameters put "
        "through eqs. 8 and 9 backwards",
        "the eutectic is given as about 350 K and as about 370 K; computed here "
        f"{new.invariant('eutectic').T:.1f} K, measured {seen.value:g} K ({seen.where})",
        f"bcc and fcc Li have one energy already at "
        f"{_close_packed(comparison, len(comparison.names) - 1, 0, 'FCC_A1'):.1f} K in the SGTE "
        "description, extrapolated from 200 K; the paper does not say which phase it means",
        f"anisotropy is called minor; the cubic constants of {li.element.title()} "
        f"({li.temperature}, {li.source}) make the biaxial modulus "
        f"{li.elasticity.biaxial_modulus():.1f} GPa along <100>, against the "
        f"{used.biaxial_modulus():.1f} GPa used: see figure 8",
    )
