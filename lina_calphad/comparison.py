"""Assessments of bcc Li-Na side by side: solubilities, spinodals, critical points, invariants."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pycalphad import Database

from lina_calphad.elastic_data import copy_elastic_data, has_elastic_data
from lina_calphad.errors import (
    DatabaseError,
    NoCriticalPoint,
    NoMiscibilityGap,
    OutsideAssessedRange,
    UnknownAssessment,
)
from lina_calphad.gap import SEARCH_RANGE, temperatures
from lina_calphad.mapping import Invariant, invariants
from lina_calphad.models import CoherentModel
from lina_calphad.registry import ELASTIC_FILE, MEASURED, assessments, load, read_shipped
from lina_calphad.solution import BinarySolution

if TYPE_CHECKING:
    from lina_calphad.curves import Binodal, CriticalPoint, Spinodal

COMPONENTS = ("LI", "NA")
PHASE = "BCC_A2"

#: Upper end of the diagrams in K where no eutectic is known: that of the measured one.
DIAGRAM_TOP = 365.25

KINDS = ("chemical binodal", "coherent binodal", "chemical spinodal", "coherent spinodal")


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
        The measured value, or None.
    """

    key: str
    quantity: str
    unit: str
    values: tuple[float | None, ...]
    reasons: tuple[str, ...]
    measured: float | None

    @property
    def changes(self) -> tuple[float | None, ...]:
        """Each later value against the first: a ratio of fractions, else a difference."""
        first = self.values[0]

        def change(value: float | None) -> float | None:
            if value is None or first is None:
                return None
            return value / first if self.unit == "1" else value - first

        return tuple(change(value) for value in self.values[1:])


@dataclass(frozen=True, eq=False)
class Description:
    """One assessment with its chemical and its coherent bcc solution."""

    name: str
    dbf: Database
    chemical: BinarySolution
    coherent: BinarySolution
    invariants: tuple[Invariant, ...]

    @property
    def solutions(self) -> dict[str, BinarySolution]:
        """The bcc solution by kind of equilibrium."""
        return {"chemical": self.chemical, "coherent": self.coherent}

    def invariant(self, kind: str) -> Invariant:
        """The invariant of this kind; LookupError if there is none."""
        for invariant in self.invariants:
            if invariant.kind == kind:
                return invariant
        msg = f"no {kind}"
        raise LookupError(msg)

    @property
    def liquid_top(self) -> CriticalPoint:
        """Critical point of the liquid; LookupError without one."""
        if "LIQUID" not in self.dbf.phases:
            msg = "no liquid"
            raise LookupError(msg)
        return BinarySolution(self.dbf, COMPONENTS, "LIQUID").critical_point()


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found.

    Parameters
    ----------
    T
        Temperature of the comparison in K.
    descriptions
        The assessments, in the order asked for.
    rows
        The table.
    notes
        What to know when reading it.
    """

    T: float
    descriptions: tuple[Description, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"<Comparison of {', '.join(self.names)} at {self.T:g} K: {len(self.rows)} quantities>"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the assessments."""
        return tuple(description.name for description in self.descriptions)

    def __getitem__(self, key: str) -> Row:
        return next(row for row in self.rows if row.key == key)

    def to_dict(self) -> dict[str, Any]:
        """The table for programs; missing values are None, with the reason beside them."""
        return {
            "temperature": self.T,
            "assessments": list(self.names),
            "rows": [
                {
                    "key": row.key,
                    "quantity": row.quantity,
                    "unit": row.unit,
                    "values": dict(zip(self.names, row.values, strict=True)),
                    "missing": {n: r for n, r in zip(self.names, row.reasons, strict=True) if r},
                    "change": dict(zip(self.names[1:], row.changes, strict=True)),
                    "change_is": "ratio" if row.unit == "1" else "difference",
                    "measured": row.measured,
                }
                for row in self.rows
            ],
            "notes": list(self.notes),
        }

    def to_dataframe(self) -> pd.DataFrame:
        """One row a quantity; a missing value where there is none."""
        change = [f"{name} against {self.names[0]}" for name in self.names[1:]]
        columns = ["key", "quantity", "unit", *self.names, *change, "measured"]
        rows = [(r.key, r.quantity, r.unit, *r.values, *r.changes, r.measured) for r in self.rows]
        return pd.DataFrame(rows, columns=columns)

    def ends(self, name: str, kind: str) -> list[float]:
        """Compositions at `T` of the tie-line, then of the spinodal; none where there is no gap."""
        solution = self.descriptions[self.names.index(name)].solutions[kind]
        try:
            curves = solution.binodal(self.T), solution.spinodal(self.T)
        except NoMiscibilityGap:
            return []
        return [float(x) for curve in curves for x in (curve.x_alpha, curve.x_beta)]

    @cached_property
    def top(self) -> float:
        """Temperature in K up to which the diagrams are drawn: the highest eutectic."""
        eutectics = [i.T for d in self.descriptions for i in d.invariants if i.kind == "eutectic"]
        return max(eutectics, default=DIAGRAM_TOP)

    @cached_property
    def diagram(self) -> pd.DataFrame:
        """Binodals and spinodals, chemical and coherent, from 2 K up to `top`."""
        return self._curves(np.linspace(2.0, self.top, 360), KINDS)

    @cached_property
    def arrhenius(self) -> pd.DataFrame:
        """Both solubility limits, chemical and coherent, evenly in 1/T from 100 K up to `top`."""
        return self._curves(1 / np.linspace(1 / self.top, 1 / 100, 200), KINDS[:2])

    @cached_property
    def gibbs(self) -> pd.DataFrame:
        """Gibbs energy of mixing in J/mol over composition, chemical and coherent, at `T`.

        Coherent energies are free of gauge: their endmembers are the pure elements.
        """
        x = np.linspace(0, 1, 401)
        frames = []
        for description in self.descriptions:
            for kind, solution in description.solutions.items():
                energy = solution.gibbs_energy(self.T, x)
                mixing = energy - (1 - x) * energy[0] - x * energy[-1]
                columns = {"assessment": description.name, "kind": kind, "x": x}
                frames.append(pd.DataFrame({**columns, "gibbs_energy_of_mixing": mixing}))
        return pd.concat(frames, ignore_index=True)

    def _curves(self, T: np.ndarray[Any, Any], kinds: Sequence[str]) -> pd.DataFrame:
        frames = []
        for description in self.descriptions:
            for kind in kinds:
                which, curve = kind.split()
                frame = _curve(description.solutions[which], curve, T)
                frame.insert(0, "assessment", description.name)
                frame.insert(1, "kind", kind)
                frames.append(frame)
        return pd.concat(frames, ignore_index=True)


def _curve(solution: BinarySolution, curve: str, T: np.ndarray[Any, Any]) -> pd.DataFrame:
    """A binodal or spinodal, closed at its critical point where that is in range."""
    columns = ["T", "x_alpha", "x_beta"]
    try:
        top = solution.critical_point()
    except NoMiscibilityGap:
        return pd.DataFrame(columns=columns)
    closed = T.max() > top.T
    if closed:
        # Even steps in T leave the flat top of a dome jagged.
        T = np.union1d(T[top.T > T], top.T * (1 - np.linspace(0.004, 0.4, 60) ** 2))
        T = T[T.min() <= T]
    try:
        result: Binodal | Spinodal = getattr(solution, curve)(T)
    except NoMiscibilityGap:
        return pd.DataFrame(columns=columns)
    frame = result.to_dataframe()
    if closed:
        logs = {"ln_x_alpha": math.log(top.x), "ln_one_minus_x_beta": math.log1p(-top.x)}
        last = {"T": top.T, "x_alpha": top.x, "x_beta": top.x, **logs}
        frame = pd.concat([frame, pd.DataFrame([last])[frame.columns]], ignore_index=True)
    return frame.sort_values("T", ignore_index=True)


def compare(
    sources: Sequence[str | os.PathLike[str]] = ("zhang2003", "santos2025"),
    T: float = 300.0,
    *,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare assessments of Li-Na, shipped ones or your own TDB files.

    Parameters
    ----------
    sources
        Keys of shipped assessments or paths of TDB files with LI, NA and BCC_A2.
        Files without elastic data take the shipped ones.
    T
        Temperature in K at which solubilities and spinodals are compared.
    progress
        Called with a line of text as each step begins.

    Returns
    -------
    Comparison

    Raises
    ------
    UnknownAssessment, DatabaseError
        If a source is not known, or its file cannot be used.
    NoMiscibilityGap
        If bcc Li-Na never unmixes in a source, or in none of them at `T`.
    OutsideAssessedRange
        If `T` lies outside the ranges of all sources; a warning if outside of some.
    ValueError
        If `T` is not positive and finite.

    Examples
    --------
    >>> comparison = compare(["zhang2003", "santos2025"], T=300.0)
    >>> comparison
    <Comparison of zhang2003, santos2025 at 300 K: 22 quantities>
    >>> comparison["chemical_na_in_li"].changes[0]  # Na in Li, new over old
    0.0186...
    """
    T = float(temperatures(T))
    say = progress or (lambda _: None)
    if not sources:
        msg = f"nothing to compare: name assessments ({', '.join(assessments())}) or TDB files"
        raise UnknownAssessment(msg)
    names = _names(sources)
    databases = [_database(source) for source in sources]
    notes = list(_range_notes(T, sources))
    descriptions = []
    for name, (dbf, own) in zip(names, databases, strict=True):
        if not own:
            notes.append(f"{name} has no elastic data: those of {ELASTIC_FILE} are used")
        say(f"{name}: bcc miscibility gap")
        chemical = BinarySolution(dbf, COMPONENTS, PHASE)
        coherent = BinarySolution(dbf, COMPONENTS, PHASE, model=CoherentModel)
        try:
            chemical.critical_point()
        except NoMiscibilityGap as error:
            msg = f"{name}: {error}"
            raise NoMiscibilityGap(msg) from error
        found: tuple[Invariant, ...] = ()
        if "LIQUID" in dbf.phases:
            say(f"{name}: invariants with the liquid (pycalphad maps the phase diagram)")
            found = invariants(dbf)
        else:
            notes.append(f"{name} has no LIQUID: no invariants")
        descriptions.append(Description(name, dbf, chemical, coherent, found))
    comparison = Comparison(T, tuple(descriptions), tuple(_rows(descriptions, T)), tuple(notes))
    if not any(comparison["chemical_na_in_li"].values):
        msg = f"bcc Li-Na has no miscibility gap at {T:g} K in {', '.join(names)}"
        raise NoMiscibilityGap(msg)
    return comparison


def _names(sources: Sequence[str | os.PathLike[str]]) -> list[str]:
    """A short name for each source, its full path where that is not unique."""
    short = [os.fspath(s) if os.fspath(s) in assessments() else Path(s).stem for s in sources]
    return [
        name if short.count(name) == 1 else os.fspath(source)
        for name, source in zip(short, sources, strict=True)
    ]


def read_source(source: str | os.PathLike[str]) -> Database:
    """A shipped assessment or a TDB file, with the shipped elastic data if it has none.

    Parameters
    ----------
    source
        Key of an assessment or path of a TDB file with LI, NA and BCC_A2.

    Returns
    -------
    pycalphad.Database

    Raises
    ------
    UnknownAssessment, DatabaseError
        If there is no such assessment or file, or it cannot be used.
    """
    return _database(source)[0]


def _database(source: str | os.PathLike[str]) -> tuple[Database, bool]:
    """The database, and whether it came with elastic data of its own."""
    key = os.fspath(source)
    if key in assessments():
        return load(key), True
    path = Path(source)
    if not path.is_file():
        if path.suffix.lower() == ".tdb" or path.name != key:
            msg = f"there is no TDB file {key}"
            raise DatabaseError(msg)
        load(key)  # says which assessments exist
    try:
        dbf = Database.from_file(str(path), fmt="tdb")
    except Exception as error:  # pycalphad's parser raises whatever its parts raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        msg = f"{key} cannot be read as a TDB: {first}"
        raise DatabaseError(msg) from error
    for kind, wanted, there in (
        ("element", COMPONENTS, dbf.elements),
        ("phase", (PHASE,), dbf.phases),
    ):
        for name in wanted:
            if name not in there:
                msg = f"{key} has no {kind} {name}; it has {', '.join(sorted(there)) or 'none'}"
                raise DatabaseError(msg)
    own = has_elastic_data(dbf, PHASE)
    if not own:
        copy_elastic_data(read_shipped(ELASTIC_FILE), dbf)
    return dbf, own


def _range_notes(T: float, sources: Sequence[str | os.PathLike[str]]) -> list[str]:
    known = assessments()
    ranges = {
        key: known[key].temperature_range if key in known else SEARCH_RANGE
        for key in [os.fspath(source) for source in sources]
    }
    outside = {key: r for key, r in ranges.items() if not r[0] <= T <= r[1]}
    texts = [
        f"{key} is assessed from {low:g} to {high:g} K" for key, (low, high) in outside.items()
    ]
    if len(outside) == len(ranges):
        msg = f"{T:g} K is outside the range of every assessment: {'; '.join(texts)}"
        raise OutsideAssessedRange(msg)
    notes = [f"{text}: its values at {T:g} K are extrapolated" for text in texts]
    for note in notes:
        warnings.warn(note, OutsideAssessedRange, stacklevel=3)
    return notes


def _rows(descriptions: Sequence[Description], T: float) -> Iterator[Row]:
    measured = {published.quantity: published.value for published in MEASURED}
    quantities = [*_gap("chemical", T), *_gap("coherent", T), *_WITH_LIQUID]
    for key, quantity, unit, value in quantities:
        values, reasons = zip(*(_value(value, d) for d in descriptions), strict=True)
        yield Row(key, quantity, unit, values, reasons, measured.get(quantity))


_Quantity = tuple[str, str, str, Callable[[Description], float]]


def _gap(kind: str, T: float) -> list[_Quantity]:
    """Quantities of the chemical or the coherent gap."""

    def binodal(d: Description) -> Binodal:
        return d.solutions[kind].binodal(T)

    def spinodal(d: Description) -> Spinodal:
        return d.solutions[kind].spinodal(T)

    def critical(d: Description) -> CriticalPoint:
        return d.solutions[kind].critical_point()

    return [
        (f"{kind}_na_in_li", f"{kind} solubility, Na in bcc Li", "1",
         lambda d: math.exp(binodal(d).ln_x_alpha)),
        (f"{kind}_li_in_na", f"{kind} solubility, Li in bcc Na", "1",
         lambda d: math.exp(binodal(d).ln_one_minus_x_beta)),
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


def _value(value: Callable[[Description], float], d: Description) -> tuple[float | None, str]:
    """A quantity of one assessment, or None and why there is none."""
    try:
        return value(d), ""
    except NoMiscibilityGap:
        return None, "no gap"
    except (NoCriticalPoint, LookupError) as error:
        return None, str(error.args[0])
