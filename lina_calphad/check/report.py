"""check: the lint of TDB files and the identities of the solutions in them, as one report."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from pycalphad import Database, Model

from lina_calphad.check.findings import Finding
from lina_calphad.check.identities import Consistency, Identity, check_consistency
from lina_calphad.check.tdb_lint import lint_tdb
from lina_calphad.check.tdb_text import TdbText
from lina_calphad.data.assessments import COMPONENTS, assessments, load, tdb_folder
from lina_calphad.data.databases import has_elastic_data, parameter_range
from lina_calphad.errors import (
    DatabaseError,
    ElasticDataError,
    EnergyError,
    LinaCalphadError,
    MissingElasticData,
    UnsupportedPhase,
)
from lina_calphad.phase.coherent import CoherentModel, EndmemberCoherentModel
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.report import Line, Report, Shown, steps
from lina_calphad.text import counted

DEFAULT_T = (100.0, 300.0, 600.0)

_KINDS: dict[type[Model], str] = {
    Model: "chemical",
    CoherentModel: "coherent",
    EndmemberCoherentModel: "coherent, endmembers",
}
_FINDINGS_SHOWN = 5  # of one rule
_NAMES_SHOWN = 8


def check(
    source: str | None = None,
    *,
    phases: Sequence[str] = (),
    components: tuple[str, str] | None = None,
    T: Sequence[float] = (),
) -> Report:
    """Lint a TDB file and put its binary solutions to identities that every energy obeys.

    Parameters
    ----------
    source
        Path of a TDB, or the key of a shipped assessment; everything shipped if None.
    phases
        Whose consistency is checked; every binary solution by default.
    components
        The two elements; LI and NA, or the two that there are, by default.
    T
        Temperatures in K; by default 100, 300 and 600, moved into the common range of the
        parameters.

    Returns
    -------
    Report
        Not `ok` if the file has an error, an identity fails, or a solution that should have
        been checked cannot be evaluated: what is not checked is not passed.

    Raises
    ------
    LinaCalphadError, ValueError
        If there is no such file, element or phase, or a temperature is not positive.

    Examples
    --------
    >>> report = check("zhang2003", phases=["LIQUID"])
    >>> report.ok, report.content["left_out"]
    (True, {'zhang2003': {}})
    """
    databases, files = _read(source)
    if components:
        files = {name: tdb.within(components, phases) for name, tdb in files.items()}
    lint = {name: lint_tdb(tdb) for name, tdb in files.items()}
    found = {name: _Checked(name, dbf, components, phases) for name, dbf in databases.items()}
    with steps(sum(len(each.solutions) for each in found.values())) as say:
        for each in found.values():
            each.check(T, say)
    errors = sum(f.severity == "error" for some in lint.values() for f in some)
    results = [result for each in found.values() for result in each.results.values()]
    failed = {name: each.failed for name, each in found.items()}
    ok = not (errors or any(failed.values())) and all(result.ok for result in results)
    content = {
        "ok": ok,
        "consistency": {n: [r.to_dict() for r in c.results.values()] for n, c in found.items()},
        "left_out": {name: each.left_out for name, each in found.items()},
        "not_evaluated": failed,
        "warnings": {name: list(each.told) for name, each in found.items()},
        "lint": {name: [asdict(f) for f in some] for name, some in lint.items()},
    }
    agree = (
        f"{sum(result.ok for result in results)} of {len(results)} solutions agree with "
        "pycalphad and with thermodynamic identities; this says nothing of the parameters"
    )
    shown: list[Shown | Line | str] = [
        *(item for name, some in lint.items() for item in _lint_table(name, some)),
        *(item for each in found.values() for item in each.shown()),
        Line(f"lint: {counted(errors, 'error') if errors else 'no errors'} in "
             f"{counted(len(lint), 'file')}", "bold"),
        Line(f"arithmetic: {agree if results else 'no solution was checked'}", "bold"),
    ]  # fmt: skip
    return Report("check", content, shown, ok=ok)


class _Checked:
    """The solutions of a database that are checked, and what is found of them, by label."""

    def __init__(
        self, name: str, dbf: Database, components: tuple[str, str] | None, phases: Sequence[str]
    ) -> None:
        self.name = name
        self.results: dict[str, Consistency] = {}
        self.told: dict[str, None] = {}  # what the solver warns of
        if pair := components or _pair(dbf):
            self.solutions, self.left_out, self.failed = solutions(dbf, pair, phases)
            return
        elements = sorted(dbf.elements - {"VA", "/-"})
        which = ": name two with --components" if len(elements) > 2 else " alone"
        why = f"{name} has {', '.join(elements) or 'no elements'}{which}"
        if phases:
            raise DatabaseError(why)
        self.solutions, self.failed = [], {}
        self.left_out = {"": f"no check of consistency; {why}"}

    def check(self, T: Sequence[float], say: Callable[[str], None]) -> None:
        """Put every solution to the identities."""
        for solution in self.solutions:
            label = f"{solution.phase} {_KINDS[solution.model]}"
            say(f"{self.name}: {label}")
            try:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always", UserWarning)
                    self.results[label] = check_consistency(solution, T or _defaults(solution))
            except (LinaCalphadError, ValueError):
                raise
            except Exception as error:  # pycalphad raises whatever its parts raise
                self.failed[label] = f"cannot be calculated: {type(error).__name__}: {error}"
            else:
                of_user = [w.message for w in caught if issubclass(w.category, UserWarning)]
                self.told |= dict.fromkeys(f"{label}: {message}" for message in of_user)

    def shown(self) -> Iterator[Shown | Line | str]:
        """Largest deviations, what fails, and why the rest says nothing or not everywhere."""
        if self.results:
            yield self._table()
        told: dict[tuple[str, str], dict[str, None]] = {}
        for label, result in self.results.items():
            for i in result.identities:
                if i.verdict == "fails" and i.deviation is not None:
                    where = f" at {i.at}" if i.at else ""
                    sides = f"{i.lhs:.10g} against {i.rhs:.10g}{where}"
                    yield Line(f"{label}: {i.formula} fails: {sides}", "red")
                elif i.reason:
                    whose = label if i.verdict == "fails" else "note"
                    verdict = "" if i.verdict == "holds" else f" {i.verdict}"
                    told.setdefault((whose, i.reason), {})[f"{i.name}{verdict}"] = None
        for (whose, reason), of in told.items():
            text = f"{whose}: {', '.join(of)}: {reason}"
            yield text if whose == "note" else Line(text, "red")
        for place, why in self.failed.items():
            yield Line(f"not checked: {place}: {why.removeprefix(place).strip()}", "red")
        if "" in self.left_out:
            yield f"note: {self.left_out['']}"
        if rest := [place for place in self.left_out if place]:
            more = ", ..." if len(rest) > _NAMES_SHOWN else ""
            yield (
                f"note: {len(rest)} not checked ({', '.join(rest[:_NAMES_SHOWN])}{more}): "
                f"{self.left_out[rest[0]]}"
            )
        yield from (f"note: {text}" for text in self.told)

    def _table(self) -> Shown:
        results = self.results.values()
        first = next(iter(results)).identities
        rows = [{"": "tolerance"} | {
            i.name: f"{i.tolerance:.0e}{'' if i.unit == '1' else f' {i.unit}'}" for i in first
        }]  # fmt: skip
        rows += [
            {"": label} | {i.name: _cell(i) for i in result.identities}
            for label, result in self.results.items()
        ]
        styles = {i: "bold red" for i, result in enumerate(results, 1) if not result.ok}
        title = f"Consistency of {self.name}: largest deviation"
        return Shown(title, pd.DataFrame(rows), left=("",), sections=(1,), styles=styles)


def solutions(
    dbf: Database, components: Sequence[str], phases: Sequence[str] = ()
) -> tuple[list[BinarySolution], dict[str, str], dict[str, str]]:
    """What can be checked of a database; why phases are of no such kind, or cannot be evaluated.

    Every binary solution, or each of `phases`, with pycalphad's Model and, where there are elastic
    data, with both coherent ones. DatabaseError or UnsupportedPhase if the two are no elements of
    the database, or one that `phases` names is no binary solution.

    Examples
    --------
    >>> from lina_calphad import load
    >>> found, left_out, failed = solutions(load("santos2025"), ("LI", "NA"), ["BCC_A2"])
    >>> [solution.model.__name__ for solution in found]
    ['Model', 'CoherentModel', 'EndmemberCoherentModel']
    """
    if len({component.upper() for component in components}) != 2:
        raise UnsupportedPhase(
            f"a binary solution takes two different components; got {', '.join(components)}"
        )
    found: list[BinarySolution] = []
    left_out: dict[str, str] = {}
    failed: dict[str, str] = {}
    for phase in phases or sorted(dbf.phases):
        elastic = has_elastic_data(dbf, phase.upper())
        try:
            for model in _KINDS if elastic else (Model,):
                found.append(BinarySolution(dbf, components, phase, model))
        except MissingElasticData as error:
            left_out[f"{phase}, coherent"] = str(error)
        except ElasticDataError as error:
            failed[f"{phase}, coherent"] = str(error)
        except EnergyError as error:
            failed[phase] = str(error)
        except UnsupportedPhase as error:
            if phases:
                raise
            left_out[phase] = str(error)
    return found, left_out, failed


def _read(source: str | None) -> tuple[dict[str, Database], dict[str, TdbText]]:
    """The databases to check for consistency, and the files to lint."""
    known = assessments()
    if source is not None and source not in known:
        path = Path(source)
        if not path.exists() and path.suffix.lower() != ".tdb" and path.name == source:
            load(source)  # says which assessments exist
        tdb = TdbText.read(path)
        return {path.name: tdb.dbf}, {path.name: tdb}
    keys = list(known) if source is None else [source]
    names = dict.fromkeys(file for key in keys for file in known[key].files)
    folder = Path(str(tdb_folder()))
    return {key: load(key) for key in keys}, {n: TdbText.read(folder / n) for n in names}


def _pair(dbf: Database) -> tuple[str, str] | None:
    """The two elements to check where none are given."""
    elements = sorted(dbf.elements - {"VA", "/-"})
    if set(COMPONENTS) <= set(elements):
        return COMPONENTS
    return (elements[0], elements[1]) if len(elements) == 2 else None


def _defaults(solution: BinarySolution) -> tuple[float, ...]:
    """The default temperatures, within the range of the parameters where there is one."""
    low, high = parameter_range(solution.dbf, solution.phase, solution.components)
    if low >= high:
        return DEFAULT_T
    return tuple(dict.fromkeys(min(max(T, low), high) for T in DEFAULT_T))


def _lint_table(name: str, found: Sequence[Finding]) -> Iterator[Shown | Line | str]:
    severities = Counter(f.severity for f in found)
    summary = ", ".join(counted(n, s) for s, n in severities.items())
    if not found:
        yield Line(f"Lint of {name}: nothing found", "italic")
        return
    rules: Counter[str] = Counter()
    shown = []
    for f in found:
        rules[f.rule] += 1
        if rules[f.rule] <= _FINDINGS_SHOWN:
            shown.append((f.severity, str(f.line or ""), f.place, f"{f.text}: {f.advice}"))
    frame = pd.DataFrame(shown, columns=["", "line", "place", "finding"])
    colours = {"error": "red", "warning": "yellow"}
    styles = {i: colours[row[0]] for i, row in enumerate(shown) if row[0] in colours}
    title = f"Lint of {name}: {summary}"
    yield Shown(title, frame, left=("", "place", "finding"), styles=styles)
    for rule, count in rules.items():
        if count > _FINDINGS_SHOWN:
            yield f"note: {count - _FINDINGS_SHOWN} more of {rule!r}; --json lists them all"


def _cell(identity: Identity) -> str:
    if identity.verdict == "holds":
        return f"{identity.deviation:.0e}"
    if identity.verdict == "fails" and identity.deviation is not None:
        return f"fails {identity.deviation:.0e}"
    return "n/a" if identity.verdict == "not applicable" else identity.verdict
