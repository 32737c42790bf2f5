"""Every result the paper prints, beside what the package computes for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy.optimize import brentq

from lina_calphad.compare.comparison import Comparison, compare
from lina_calphad.data.assessments import HANDBOOK_ELASTICITY, MEASURED, Published, assessments
from lina_calphad.data.databases import copy_database, set_elastic_data
from lina_calphad.data.datasets import read_datasets, shipped_datasets
from lina_calphad.data.mixing_data import difference_of, mixing_data
from lina_calphad.data.sources import COMPONENTS, PHASE
from lina_calphad.errors import LinaCalphadError
from lina_calphad.phase import dilute
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.solution import BinarySolution

if TYPE_CHECKING:
    from lina_calphad.phase.alloy import Alloy

#: What "room temperature" of the paper is taken for, and what it usually is, in K.
ROOM_TEMPERATURE = 300.0
STANDARD_TEMPERATURE = 298.15

#: Whose handbook constants stand for the anisotropy of the host.
_LI = ("LI", "300 K")

_PLURAL = {
    "agrees": "agree",
    "differs": "differ",
    "in doubt": "are in doubt",
    "not computed": "could not be computed",
}

#: Digits beyond which two numbers are the same double.
_ALL_DIGITS = 15.0


@dataclass(frozen=True)
class Claim:
    """One published number, or our reading of words, and the computed one.

    Parameters
    ----------
    assessment
        Key of the assessment it is about.
    published
        What its source says.
    computed
        The same from this package, at 300 K where it is one of room temperature; None
        where it could not be computed.
    standard
        At 298.15 K, or None where it is not one of room temperature.
    reason
        Why it could not be computed, or an empty string.
    """

    assessment: str
    published: Published
    computed: float | None
    standard: float | None = None
    reason: str = ""

    @property
    def digits(self) -> float | None:
        """Decimal digits in which both agree: minus the logarithm of the relative difference."""
        if self.computed is None:
            return None
        difference = abs(self.computed / self.published.value - 1)
        return min(_ALL_DIGITS, -math.log10(difference)) if difference else _ALL_DIGITS

    @property
    def verdict(self) -> str:
        """One of "agrees", "differs", "in doubt" (see `Published.doubt`) and "not computed"."""
        if self.computed is None:
            return "not computed"
        if self.published.doubt:
            return "in doubt"
        return "agrees" if _close(self.computed, self.published) else "differs"


def _close(value: float, published: Published) -> bool:
    # The tolerance is a decimal number, and so not exact.
    return abs(value - published.value) <= published.tolerance * (1 + 1e-9)


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
        """Whether all was computed and nothing differs."""
        return all(claim.verdict in ("agrees", "in doubt") for claim in self.claims)

    @property
    def summary(self) -> str:
        """Number of claims with each verdict, printed numbers and words apart."""
        texts = []
        for name, words in (("printed numbers", False), ("statements in words", True)):
            found = Counter(c.verdict for c in self.claims if bool(c.published.reading) == words)
            counts = ", ".join(f"{n} {_PLURAL[v]}" for v, n in found.items())
            texts.append(f"of {found.total()} {name} {counts}")
        return "; ".join(texts)

    def __repr__(self) -> str:
        return f"<Reproduction: {self.summary}>"

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
                f"computed_{STANDARD_TEMPERATURE}_K": claim.standard,
                "digits": claim.digits,
                "verdict": claim.verdict,
                "where": claim.published.where,
                "our_reading": claim.published.reading,
                "doubt": claim.published.doubt,
                "reason": claim.reason,
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
    >>> result.ok
    True
    >>> result.summary.split("; ")[0]
    'of 12 printed numbers 10 agree, 2 are in doubt'
    """
    comparison = compare(tuple(assessments()), ROOM_TEMPERATURE, progress=progress)
    claims = []
    for i, (key, assessment) in enumerate(assessments().items()):
        for published in assessment.published:
            value, of_room = _COMPUTED[published.quantity]
            temperatures = [ROOM_TEMPERATURE, STANDARD_TEMPERATURE][: 1 + of_room]
            try:
                values = [float(value(comparison, i, T)) for T in temperatures]
            except (LinaCalphadError, LookupError, ValueError) as error:
                claims.append(Claim(key, published, None, reason=str(error.args[0])))
            else:
                claims.append(Claim(key, published, values[0], values[1] if of_room else None))
    return Reproduction(tuple(claims), _notes(claims, comparison), comparison)


def _of(value: Callable[[Alloy, float], Any]) -> _Value:
    """What concerns one assessment alone."""
    return lambda comparison, i, T: value(comparison.descriptions[i], T)


def _coefficient(order: int) -> _Value:
    """A bcc parameter: by eqs. 8 and 9 where there are energies, else as the TDB has it."""

    def value(description: Alloy, _: float) -> float:
        name = description.name
        if name not in shipped_datasets():
            return description.coefficients[order]
        found = difference_of(mixing_data(read_datasets([name]), PHASE, COMPONENTS))
        if found is None:
            msg = f"the dataset {name} is not of one substituted atom on each side"
            raise LookupError(msg)
        return (found.L0, found.L1)[order]

    return _of(value)


def _onset_ratio(comparison: Comparison, _: int, T: float) -> float:
    old, new = (float(d.chemical.spinodal(T).x_alpha) for d in comparison.descriptions)
    return old / new


def _na_side(comparison: Comparison, _: int, T: float) -> float:
    old, new = (float(d.chemical.binodal(T).ln_one_minus_x_beta) for d in comparison.descriptions)
    return new / old


def _eq_11_fails(description: Alloy, _: float) -> float:
    """Temperature in K at which eq. 11 gives half as much again as the exact spinodal."""
    terms = description.coefficients

    def excess(T: float) -> float:
        closed, exact = dilute.spinodal(T, terms), description.chemical.spinodal(T)
        return float((1 - closed.x_beta) / (1 - exact.x_beta)) - 1.5

    return float(brentq(excess, 1.0, 300.0))


def close_packed(description: Alloy, _: float, phase: str = "HCP_A3") -> float:
    """Temperature in K at which bcc Li and close-packed Li have one Gibbs energy."""
    other = BinarySolution(description.dbf, COMPONENTS, phase)

    def difference(T: float) -> float:
        return float(description.chemical.gibbs_energy(T, 0.0) - other.gibbs_energy(T, 0.0))

    return float(brentq(difference, 20.0, 200.0))


def _closed_over_exact(description: Alloy, _: float) -> float:
    """Coherent solubility of Li in Na at 200 K, by the closed form and exactly."""
    closed = dilute.binodal(200.0, description.coefficients, description.coherency)
    exact = description.coherent.binodal(200.0)
    return math.exp(closed.ln_one_minus_x_beta - exact.ln_one_minus_x_beta)


def _soft_over_isotropic(description: Alloy, T: float) -> float:
    """Coherent solubility of Na in Li, for waves along the soft direction and isotropic."""
    (handbook,) = (c for c in HANDBOOK_ELASTICITY if (c.element, c.temperature) == _LI)
    dbf = copy_database(description.dbf)
    set_elastic_data(dbf, PHASE, molar_volume={}, elasticity={"LI": handbook.elasticity})
    soft = BinarySolution(dbf, COMPONENTS, PHASE, model=CoherentModel)
    return math.exp(soft.binodal(T).ln_x_alpha - description.coherent.binodal(T).ln_x_alpha)


_Value = Callable[[Comparison, int, float], Any]

#: How each published quantity is computed from the comparison, for the assessment of this
#: index, at T in K; and whether it is one of room temperature.
_COMPUTED: dict[str, tuple[_Value, bool]] = {
    "bcc 0L": (_coefficient(0), False),
    "bcc 1L": (_coefficient(1), False),
    "chemical solubility of Na in Li": (_of(lambda d, T: d.chemical.binodal(T).x_alpha), True),
    "chemical spinodal onset": (_of(lambda d, T: d.chemical.spinodal(T).x_alpha), True),
    "coherent solubility of Na in Li": (_of(lambda d, T: d.coherent.binodal(T).x_alpha), True),
    "coherent spinodal onset": (_of(lambda d, T: d.coherent.spinodal(T).x_alpha), True),
    "coherent critical temperature": (_of(lambda d, _: d.coherent.critical_point().T), False),
    "bcc Li turns close-packed (hcp)": (_of(close_packed), False),
    "monotectic Li-rich liquid, x(Na)": (
        _of(lambda d, _: d.invariant("monotectic").x("LIQUID")[0]),
        False,
    ),
    "eutectic temperature, abstract": (_of(lambda d, _: d.invariant("eutectic").T), False),
    "eutectic temperature, text": (_of(lambda d, _: d.invariant("eutectic").T), False),
    "chemical spinodal onset, old over new": (_onset_ratio, True),
    "ln of the solubility of Li in Na, new over old": (_na_side, True),
    "temperature where eq. 11 is off by half": (_of(_eq_11_fails), False),
    "coherent Li in Na at 200 K, closed form over exact": (_of(_closed_over_exact), False),
    "coherent Na in Li, <100> over isotropic": (_of(_soft_over_isotropic), True),
}


def _notes(claims: list[Claim], comparison: Comparison) -> tuple[str, ...]:
    """What the numbers do not say by themselves."""
    new = comparison.descriptions[-1]
    standard = all(
        _close(claim.standard, claim.published)
        for claim in claims
        if claim.standard is not None and claim.verdict == "agrees"
    )
    fcc = close_packed(new, 0.0, "FCC_A1")
    (eutectic,) = (p for p in MEASURED if p.quantity == "eutectic temperature")
    top = assessments()[new.name].temperature_range[1]
    return (
        f"room temperature is taken for {ROOM_TEMPERATURE:g} K; "
        + ("what agrees there agrees" if standard else "not all that agrees there agrees")
        + f" at {STANDARD_TEMPERATURE} K, too",
        "0L and 1L close a circle: the paper prints no energies, so ours are its parameters put "
        "through eqs. 8 and 9 backwards",
        f"the measured eutectic is {eutectic.value:g} K ({eutectic.where})",
        f"bcc and fcc Li have one energy already at {fcc:.1f} K in the SGTE description, "
        "extrapolated from 200 K; the paper does not say which close-packed phase it means",
        f"the bcc parameters of {new.name} are meant for temperatures below {top:g} K: its "
        "monotectic is an extrapolation",
        *(f"{c.published.quantity}: {c.published.doubt}" for c in claims if c.published.doubt),
        *(f"{c.published.quantity} could not be computed: {c.reason}" for c in claims if c.reason),
    )
