"""Assessments of bcc Li-Na side by side: solubilities, spinodals, critical points, invariants."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from lina_calphad.checks import kelvin
from lina_calphad.compare.quantities import tables
from lina_calphad.compare.uncertainty import uncertainty_frame
from lina_calphad.data.assessments import (
    Source,
    assessments,
    compared,
    range_notes,
    read,
    short_names,
)
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import (
    NoCriticalPoint,
    NoMiscibilityGap,
    NotConverged,
    SeveralMiscibilityGaps,
    UnknownAssessment,
)
from lina_calphad.plots import ARRHENIUS_BOTTOM, KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from lina_calphad.checks import Array
    from lina_calphad.phase.bands import Bands
    from lina_calphad.phase.solution import BinarySolution
    from lina_calphad.report import Report

#: Upper end of the diagrams in K where no eutectic is known: that of the measured one.
DIAGRAM_TOP = 365.25

_BAND_POINTS = 80  # temperatures of a band


class Compared(NamedTuple):
    """One quantity of every assessment: values, changes against the first, why there is none."""

    values: tuple[float | None, ...]
    changes: tuple[float | None, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found; ``comparison["chemical_na_in_li"].values`` is a row of the table."""

    T: float  #: in K
    descriptions: tuple[Alloy, ...]  #: the assessments, in the order asked for
    #: What is compared, by key: quantity, unit ("1" for mole fractions) and where it was measured
    #: measured, tolerance and measured_by.
    quantities: pd.DataFrame
    values: pd.DataFrame  #: by key and assessment, NaN where there is none
    reasons: pd.DataFrame  #: by key and assessment, why there is none
    notes: tuple[str, ...]  #: what to know when reading it
    #: By assessment, of those with known uncertainties, if bands were asked for; at temperatures
    #: that span the figures, and at `T`.
    bands: Mapping[str, Bands] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(self.names)
        return f"<Comparison of {names} at {self.T:g} K: {len(self.quantities)} quantities>"

    def _repr_html_(self) -> str:
        return self.report()._repr_html_()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the assessments."""
        return tuple(description.name for description in self.descriptions)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Each later assessment against the first: a ratio of fractions, else a difference."""
        first, later = self.values.iloc[:, 0], self.values.iloc[:, 1:]
        fractions = self.quantities["unit"] == "1"
        return later.div(first, axis=0).where(fractions, later.sub(first, axis=0), axis=0)

    def __getitem__(self, key: str) -> Compared:
        row = self.quantities.index.get_loc(key)
        values, changes = (_nones(frame.to_numpy()[row]) for frame in (self.values, self.changes))
        return Compared(values, changes, tuple(self.reasons.to_numpy()[row]))

    def to_dict(self) -> dict[str, Any]:
        """The table for programs; missing values are None, with the reason beside them."""
        rows = []
        for key, quantity, unit, *seen in self.quantities.itertuples():
            values, changes, reasons = self[key]
            measured = dict(zip(("value", "tolerance", "source"), seen, strict=True))
            rows.append(
                {
                    "key": key,
                    "quantity": quantity,
                    "unit": unit,
                    "values": dict(zip(self.names, values, strict=True)),
                    "missing": {n: r for n, r in zip(self.names, reasons, strict=True) if r},
                    "change": dict(zip(self.names[1:], changes, strict=True)),
                    "change_is": "ratio" if unit == "1" else "difference",
                    "measured": measured if measured["source"] else None,
                }
            )
        result: dict[str, Any] = {
            "temperature": self.T,
            "assessments": list(self.names),
            "rows": rows,
            "notes": list(self.notes),
        }
        if self.bands:
            known = self.uncertainty.astype(object)
            result["uncertainty"] = known.where(known.notna(), None).to_dict("records")
        return result

    def to_dataframe(self) -> pd.DataFrame:
        """One row a quantity; a missing value where there is none."""
        why = [
            "; ".join(f"{name}: {reason}" for name, reason in row.items() if reason)
            for _, row in self.reasons.iterrows()
        ]
        parts = [
            self.quantities[["quantity", "unit"]].assign(T_K=self.T),
            self.values,
            self.changes.add_suffix(f" against {self.names[0]}"),
            self.quantities[["measured", "measured_by"]].assign(missing=why),
        ]
        table = pd.concat(parts, axis=1).reset_index()
        return table[[*table.columns[:-3], "missing", "measured", "measured_by"]]

    def report(self) -> Report:
        """The table as printed, everything as numbers, and the figures."""
        from lina_calphad.compare.report import comparison_report

        return comparison_report(self)

    def plot(self, name: str = "phase_diagram") -> Figure:
        """One of the figures: "phase_diagram", "arrhenius" or "gibbs_energy"."""
        from lina_calphad.compare.figures import FIGURES

        if name not in FIGURES:
            raise ValueError(f"figures of a comparison are {', '.join(FIGURES)}; got {name!r}")
        return FIGURES[name](self)

    @cached_property
    def top(self) -> float:
        """Temperature in K up to which the diagrams are drawn: the highest eutectic."""
        return max((T for d in self.descriptions for T in _eutectics(d)), default=DIAGRAM_TOP)

    @cached_property
    def diagram(self) -> pd.DataFrame:
        """Binodals and spinodals, chemical and coherent, from 2 K up to `top`."""
        return self._curves(np.linspace(2.0, self.top, 200), KINDS)

    @cached_property
    def arrhenius(self) -> pd.DataFrame:
        """Both solubility limits, chemical and coherent, evenly in 1/T from 100 K up to `top`."""
        return self._curves(1 / np.linspace(1 / self.top, 1 / ARRHENIUS_BOTTOM, 100), KINDS[:2])

    @cached_property
    def gibbs(self) -> pd.DataFrame:
        """Gibbs energy of mixing in J/mol over composition, chemical and coherent, at `T`.

        Coherent energies are free of gauge: their endmembers are the pure elements.
        """
        x = np.linspace(0, 1, 401)
        curves = {}
        for description in self.descriptions:
            for kind, solution in description.solutions.items():
                energy = solution.gibbs_energy(self.T, x)
                mixing = energy - (1 - x) * energy[0] - x * energy[-1]
                columns = {"T": self.T, "x": x, "gibbs_energy_of_mixing": mixing}
                curves[description.name, kind] = pd.DataFrame(columns)
        return _stacked(curves, ["assessment", "kind"])

    @cached_property
    def uncertainty(self) -> pd.DataFrame:
        """How well quantities are known at `T`: one row each, of the assessments with bands."""
        return uncertainty_frame(self.bands, self.T, self.quantities["quantity"])

    @cached_property
    def band_curves(self) -> pd.DataFrame:
        """Quantiles of every curve; see `Bands.to_dataframe`."""
        frames = {name: bands.to_dataframe() for name, bands in self.bands.items()}
        return _stacked(frames, ["assessment"])

    def _curves(self, T: Array, kinds: Sequence[str]) -> pd.DataFrame:
        curves = {(d.name, kind): d.curve(kind, T) for d in self.descriptions for kind in kinds}
        return _stacked(curves, ["assessment", "kind"])


def compare(
    sources: Source | Sequence[Source] | None = None,
    T: float = 300.0,
    *,
    bands: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare assessments of Li-Na, shipped ones or your own TDB files.

    Parameters
    ----------
    sources
        Keys of shipped assessments or paths of TDB files with LI, NA and BCC_A2; the
        shipped ones if not given. Files without elastic data take the shipped ones.
    T
        Temperature in K at which solubilities and spinodals are compared.
    bands
        Whether to compute bands from what is known of the parameters: of an assessment
        with a `substitution_error`, and of a TDB `my.tdb` with `my_draws.csv` beside it,
        a table with one column a symbol of the TDB and one row a draw.
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
    ParameterError
        If a table of draws cannot be used.
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
    T = float(kelvin(T))
    sources = compared() if sources is None else sources
    sources = [sources] if isinstance(sources, str | os.PathLike) else sources
    say = progress or (lambda _: None)
    if not sources:
        raise UnknownAssessment(
            f"nothing to compare: name assessments ({', '.join(assessments())}) or TDB files"
        )
    names = short_names(sources)
    databases = [read(source) for source in sources]
    notes = list(range_notes(T, sources))
    descriptions = []
    for name, (dbf, origin) in zip(names, databases, strict=True):
        say(f"{name}: bcc miscibility gap")
        descriptions.append(Alloy.of(name, dbf))
        notes += [*filter(None, [origin.elastic]), *_look_at(descriptions[-1], T, say)]
    notes.append("critical points of bcc above the eutectic are those of the metastable solid")
    comparison = Comparison(T, tuple(descriptions), *tables(descriptions, T), tuple(notes))
    if set(comparison["chemical_na_in_li"].reasons) == {"no gap"}:
        raise NoMiscibilityGap(f"bcc Li-Na has no miscibility gap at {T:g} K in {', '.join(names)}")
    return _with_bands(comparison, sources, say) if bands else comparison


def _look_at(alloy: Alloy, T: float, say: Callable[[str], None]) -> list[str]:
    """What to know of an alloy; NoMiscibilityGap if there is nothing to compare."""
    if not _ever_unmixes(alloy.chemical, T):
        raise NoMiscibilityGap(
            f"{alloy.name}: BCC_A2 has no miscibility gap at any temperature searched"
        )
    if alloy.system is None:
        return [f"{alloy.name} has no LIQUID: no invariants"]
    say(f"{alloy.name}: invariants")
    molten = min(_eutectics(alloy), default=T)
    if molten >= T:
        return []
    return [f"bcc is metastable at {T:g} K in {alloy.name}: liquid forms above {molten:.1f} K"]


def _eutectics(alloy: Alloy) -> list[float]:
    """Temperatures of the eutectics; none where they cannot be computed, the table says why."""
    try:
        return [i.T for i in alloy.invariants if i.kind == "eutectic"]
    except SeveralMiscibilityGaps:
        return []


def _with_bands(
    comparison: Comparison, sources: Sequence[Source], say: Callable[[str], None]
) -> Comparison:
    """The comparison with the bands of the assessments that have draws."""
    from lina_calphad.phase.bands import bands as bands_of
    from lina_calphad.phase.draws import draws_note, source_draws

    draws = [source_draws(s, d.dbf) for s, d in zip(sources, comparison.descriptions, strict=True)]
    T = np.linspace(2.0, comparison.top, _BAND_POINTS)
    T = np.union1d(T, [ARRHENIUS_BOTTOM, comparison.T])
    notes, found = list(comparison.notes), {}
    for name, source, known in zip(comparison.names, sources, draws, strict=True):
        if known is None:
            notes.append(draws_note(name, source, None))
            continue
        dbf, values = known

        def told(done: int, name: str = name, total: int = len(values)) -> None:
            say(f"{name}: bands, {done} of {total} draws")

        try:
            found[name] = bands_of(dbf, values, T, progress=told)
        except (NoCriticalPoint, SeveralMiscibilityGaps, NotConverged) as error:
            notes.append(f"{name} has no bands: {error}")
        else:
            notes.append(draws_note(name, source, values))
            if left := found[name].left_out:
                notes.append(
                    f"{name}: {left} of {len(values)} draws have more than one gap at some "
                    "temperature and are left out"
                )
    return replace(comparison, notes=tuple(notes), bands=found)


def _ever_unmixes(solution: BinarySolution, T: float) -> bool:
    """Whether there is a gap below some critical point, or one with no such point at `T`."""
    try:
        solution.critical_point()
    except NoCriticalPoint:
        return True
    except NoMiscibilityGap:
        return bool(np.isfinite(solution.ends("spinodal", T)).all())
    return True


def _stacked(frames: Mapping[Any, pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """Frames one under another, with columns in front that say which each is."""
    if not frames:
        return pd.DataFrame(columns=names)
    whole: pd.DataFrame = pd.concat(frames, names=names).reset_index(names)
    return whole.reset_index(drop=True)


def _nones(row: Array) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in row)
