"""Every result the paper prints, beside what the package computes for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from lina_calphad.data.assessments import (
    COMPONENTS,
    HANDBOOK_ELASTICITY,
    MEASURED,
    PHASE,
    assessments,
)
from lina_calphad.data.databases import copy_database, set_elastic_data
from lina_calphad.data.datasets import read_datasets, shipped_datasets
from lina_calphad.data.mixing_data import difference_of, mixing_data
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import LinaCalphadError
from lina_calphad.paper.alloys import NEW, OLD, STANDARD_TEMPERATURE, Paper, close_packed
from lina_calphad.paper.figures import drawings_of
from lina_calphad.phase import dilute
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.report import Line, Report, Shown

#: Whose handbook constants stand for the anisotropy of the host.
_LI = ("LI", "300 K")
_PLURAL = {
    "agrees": "agree",
    "differs": "differ",
    "in doubt": "are in doubt",
    "not computed": "could not be computed",
}
_STANDARD = f"computed_{STANDARD_TEMPERATURE}_K"
#: Digits beyond which two numbers are the same double.
_ALL_DIGITS = 15.0


def reproduce(progress: Callable[[str], None] = lambda _: None) -> Report:
    """Compute every result that the paper prints, and hold it against the printed one.

    Parameters
    ----------
    progress
        Called with a line of text as each step begins.

    Returns
    -------
    Report
        The table "numbers", and the paper's figures with their tables: see `figures`. A number
        is computed at 300 K if it is one of room temperature, and at 298.15 K beside.

    Examples
    --------
    >>> result = reproduce()
    >>> result.ok
    True
    >>> result.content["summary"].split("; ")[0]
    'of 12 printed numbers 10 agree, 2 are in doubt'
    >>> result.figures["figure_3_na_in_li"]().axes[0].get_yscale()
    'log'
    """
    paper = Paper.shipped()
    return report(compute(paper, progress), paper)


def compute(paper: Paper, progress: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
    """The table "numbers" of `reproduce`: one row a published number, or our reading of words."""
    rows = []
    for key, alloy in paper.alloys.items():
        progress(key)
        for published in assessments()[key].published:
            computed, standard, reason = _computed(paper, alloy, published.quantity)
            row = {"assessment": key, **asdict(published), "computed": computed}
            rows.append(row | {_STANDARD: standard, "reason": reason})
    names = {"value": "published", "reading": "our_reading"}
    order = ["computed", _STANDARD, "digits", "verdict", "where", "our_reading", "doubt", "reason"]
    first = ["assessment", "quantity", "unit", "published", "tolerance"]
    return judged(pd.DataFrame(rows).rename(columns=names))[first + order]


def judged(numbers: pd.DataFrame) -> pd.DataFrame:
    """The numbers with their verdicts, and the decimal digits in which both agree.

    Those are minus the logarithm of the relative difference. A number "agrees", "differs", is "in
    doubt" (see `Published.doubt`) or "not computed".
    """
    computed, published = numbers["computed"].astype(float), numbers["published"]
    relative = (computed / published - 1).abs().clip(lower=10**-_ALL_DIGITS)
    verdicts = {
        "not computed": computed.isna(),
        "in doubt": numbers["doubt"] != "",
        "agrees": _close(computed, numbers),
    }
    return numbers.assign(
        digits=-np.log10(relative), verdict=np.select([*verdicts.values()], [*verdicts], "differs")
    )


def _close(computed: pd.Series[float], numbers: pd.DataFrame) -> pd.Series[bool]:
    # The tolerance is a decimal number, and so not exact.
    return (computed - numbers["published"]).abs() <= numbers["tolerance"] * (1 + 1e-9)


def report(numbers: pd.DataFrame, paper: Paper) -> Report:
    """What `reproduce` returns for these numbers."""
    notes, summary = _notes(numbers, paper), _summary(numbers)
    ok = bool(numbers["verdict"].isin(["agrees", "in doubt"]).all())
    plain = numbers.astype(object)
    records = plain.where(plain.notna(), None).to_dict("records")
    read = numbers[numbers["our_reading"] != ""]
    words = "words: " + read["quantity"] + ": " + read["where"] + "; our reading: "
    tables, figures = drawings_of(paper)
    return Report(
        "numbers",
        {"ok": ok, "summary": summary, "numbers": records, "notes": notes},
        [_shown(numbers), *(words + read["our_reading"]), Line(summary, "bold")],
        notes,
        {"numbers": numbers, **tables},
        figures,
        ok=ok,
    )


def _computed(paper: Paper, alloy: Alloy, quantity: str) -> tuple[float | None, float | None, str]:
    """A published quantity at room temperature and at 298.15 K, or why there is none."""
    value, of_room = _COMPUTED[quantity]
    try:
        computed = float(value(alloy, paper.T, paper))
        standard = float(value(alloy, STANDARD_TEMPERATURE, paper)) if of_room else None
    except (LinaCalphadError, LookupError, ValueError) as error:
        return None, None, str(error.args[0])
    return computed, standard, ""


# -- how each published quantity is computed: from an alloy, at T in K --

_Value = Callable[["Alloy", float, Paper], Any]


def _coefficient(order: int) -> _Value:
    """A bcc parameter: by eqs. 8 and 9 where there are energies, else as the TDB has it."""

    def value(alloy: Alloy, *_: Any) -> float:
        if alloy.name not in shipped_datasets():
            return alloy.coefficients[order]
        found = difference_of(mixing_data(read_datasets([alloy.name]), PHASE, COMPONENTS))
        if found is None:
            raise LookupError(
                f"the dataset {alloy.name} is not of one substituted atom on each side"
            )
        return (found.L0, found.L1)[order]

    return value


def _onset_ratio(alloy: Alloy, T: float, paper: Paper) -> float:
    old, new = (float(d.chemical.spinodal(T).x_alpha) for d in (paper.alloys[OLD], alloy))
    return old / new


def _na_side(alloy: Alloy, T: float, paper: Paper) -> float:
    pair = (paper.alloys[OLD], alloy)
    old, new = (float(d.chemical.binodal(T).ln_one_minus_x_beta) for d in pair)
    return new / old


def _eq_11_fails(alloy: Alloy, *_: Any) -> float:
    """Temperature in K at which eq. 11 gives half as much again as the exact spinodal."""
    terms = alloy.coefficients

    def excess(T: float) -> float:
        closed, exact = dilute.spinodal(T, terms), alloy.chemical.spinodal(T)
        return float((1 - closed.x_beta) / (1 - exact.x_beta)) - 1.5

    return float(brentq(excess, 1.0, 300.0))


def _closed_over_exact(alloy: Alloy, *_: Any) -> float:
    """Coherent solubility of Li in Na at 200 K, by the closed form and exactly."""
    closed = dilute.binodal(200.0, alloy.coefficients, alloy.coherency)
    return math.exp(closed.ln_one_minus_x_beta - alloy.coherent.binodal(200.0).ln_one_minus_x_beta)


def _soft_over_isotropic(alloy: Alloy, T: float, _: Paper) -> float:
    """Coherent solubility of Na in Li, for waves along the soft direction and isotropic."""
    (handbook,) = (c for c in HANDBOOK_ELASTICITY if (c.element, c.temperature) == _LI)
    dbf = copy_database(alloy.dbf)
    set_elastic_data(dbf, PHASE, molar_volume={}, elasticity={"LI": handbook.elasticity})
    soft = BinarySolution(dbf, COMPONENTS, PHASE, model=CoherentModel)
    return math.exp(soft.binodal(T).ln_x_alpha - alloy.coherent.binodal(T).ln_x_alpha)


#: By name of the published quantity; and whether it is one of room temperature.
_COMPUTED: dict[str, tuple[_Value, bool]] = {
    "bcc 0L": (_coefficient(0), False),
    "bcc 1L": (_coefficient(1), False),
    "chemical solubility of Na in Li": (lambda d, T, _: d.chemical.binodal(T).x_alpha, True),
    "chemical spinodal onset": (lambda d, T, _: d.chemical.spinodal(T).x_alpha, True),
    "coherent solubility of Na in Li": (lambda d, T, _: d.coherent.binodal(T).x_alpha, True),
    "coherent spinodal onset": (lambda d, T, _: d.coherent.spinodal(T).x_alpha, True),
    "coherent critical temperature": (lambda d, *_: d.coherent.critical_point().T, False),
    "bcc Li turns close-packed (hcp)": (lambda d, *_: close_packed(d), False),
    "monotectic Li-rich liquid, x(Na)": (
        lambda d, *_: d.invariant("monotectic").x("LIQUID")[0],
        False,
    ),
    "eutectic temperature, abstract": (lambda d, *_: d.invariant("eutectic").T, False),
    "eutectic temperature, text": (lambda d, *_: d.invariant("eutectic").T, False),
    "chemical spinodal onset, old over new": (_onset_ratio, True),
    "ln of the solubility of Li in Na, new over old": (_na_side, True),
    "temperature where eq. 11 is off by half": (_eq_11_fails, False),
    "coherent Li in Na at 200 K, closed form over exact": (_closed_over_exact, False),
    "coherent Na in Li, <100> over isotropic": (_soft_over_isotropic, True),
}


# -- what to say of the numbers --


def _shown(numbers: pd.DataFrame) -> Shown:
    """The table of the terminal, in a section for each assessment."""
    wrong = numbers["verdict"].isin(["differs", "not computed"])
    words = np.where(numbers["our_reading"] != "", "words: ", "")
    big = numbers["published"].abs() >= 10
    cells = pd.DataFrame(
        {
            "quantity": numbers["quantity"] + (" / " + numbers["unit"]).replace(" / 1", ""),
            "published": words + numbers["published"].map("{:g}".format),
            "computed": _written(numbers["computed"], big),
            f"at {STANDARD_TEMPERATURE} K": _written(numbers[_STANDARD], big),
            "digits": numbers["digits"].map("{:.1f}".format, na_action="ignore").fillna(""),
            "verdict": numbers["verdict"],
        }
    )
    cells["published"] += " ± " + numbers["tolerance"].map("{:g}".format)
    frames, sections, styles, row = [], [], {}, 0
    for name, part in cells.groupby(numbers["assessment"], sort=False):
        frames += [pd.DataFrame({"quantity": [str(name)]}), part]
        sections.append(row)
        styles[row] = "bold"
        styles |= {row + 1 + i: "bold red" for i, bad in enumerate(wrong[part.index]) if bad}
        row += 1 + len(part)
    return Shown(
        "The paper's results, published and computed",
        pd.concat(frames, ignore_index=True).fillna(""),
        left=("quantity", "verdict"),
        sections=tuple(sections),
        styles=styles,
        whole=tuple(cells.columns[1:]),
        roomy=(f"at {STANDARD_TEMPERATURE} K",),
    )


def _written(values: pd.Series[float], big: pd.Series[bool]) -> pd.Series[str]:
    """Computed numbers with more digits than the source may print."""
    fine, coarse = (
        values.map(form.format, na_action="ignore").fillna("") for form in ("{:.4g}", "{:.2f}")
    )
    return fine.where(~big, coarse)


def _summary(numbers: pd.DataFrame) -> str:
    """How many have each verdict, printed numbers and words apart."""
    texts = []
    words = numbers["our_reading"] != ""
    for name, of in (("printed numbers", ~words), ("statements in words", words)):
        counts = Counter(numbers.loc[of, "verdict"])
        found = ", ".join(f"{n} {_PLURAL[verdict]}" for verdict, n in counts.items())
        texts.append(f"of {of.sum()} {name} {found}")
    return "; ".join(texts)


def _notes(numbers: pd.DataFrame, paper: Paper) -> list[str]:
    """What the numbers do not say by themselves."""
    agreeing = numbers[(numbers["verdict"] == "agrees") & numbers[_STANDARD].notna()]
    standard = bool(_close(agreeing[_STANDARD], agreeing).all())
    fcc = close_packed(paper.alloys[NEW], "FCC_A1")
    (eutectic,) = (p for p in MEASURED if p.quantity == "eutectic temperature")
    top = assessments()[NEW].temperature_range[1]
    doubtful, failed = numbers[numbers["doubt"] != ""], numbers[numbers["reason"] != ""]
    return [
        f"room temperature is taken for {paper.T:g} K; "
        + ("what agrees there agrees" if standard else "not all that agrees there agrees")
        + f" at {STANDARD_TEMPERATURE} K, too",
        "0L and 1L close a circle: the paper prints no energies, so ours are its parameters put "
        "through eqs. 8 and 9 backwards",
        f"the measured eutectic is {eutectic.value:g} K ({eutectic.where})",
        f"bcc and fcc Li have one energy already at {fcc:.1f} K in the SGTE description, "
        "extrapolated from 200 K; the paper does not say which close-packed phase it means",
        f"the bcc parameters of {NEW} are meant for temperatures below {top:g} K: its "
        "monotectic is an extrapolation",
        *(doubtful["quantity"] + ": " + doubtful["doubt"]),
        *(failed["quantity"] + " could not be computed: " + failed["reason"]),
    ]
