"""The `lina-calphad check` command: argument parsing and printing, nothing else."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lina_calphad.report import table_console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycalphad import Database
    from rich.console import Console
    from rich.table import Table

    from lina_calphad.check.findings import Finding
    from lina_calphad.check.identities import Consistency, Identity
    from lina_calphad.check.tdb_text import TdbText
    from lina_calphad.phase.solution import BinarySolution

    Checked = list[tuple[BinarySolution, Consistency]]

DEFAULT_T = (100.0, 300.0, 600.0)
_FINDINGS_SHOWN = 5  # of one rule
_NAMES_SHOWN = 8
_KINDS = {
    "Model": "chemical",
    "CoherentModel": "coherent",
    "EndmemberCoherentModel": "coherent, endmembers",
}


@click.command(
    epilog="\b\nExamples:\n"
    "  lina-calphad check\n"
    "  lina-calphad check my.tdb\n"
    "  lina-calphad check COST507.tdb --components AL ZN --phase FCC_A1 -T 500 -T 600\n"
    "  lina-calphad check my.tdb --json > findings.json"
)
@click.argument("source", required=False, metavar="[TDB]")
@click.option(
    "--phase", "phases", multiple=True, metavar="PHASE",
    help="Phase whose consistency is checked; give it again for more.  [default: every binary "
    "solution]",
)  # fmt: skip
@click.option(
    "--components", type=(str, str), metavar="A B",
    help="The two elements.  [default: LI NA, or the two that there are]",
)  # fmt: skip
@click.option(
    "-T", "--temperature", "temperatures", type=float, multiple=True, metavar="K",
    help="Temperature of the check of consistency; give it again for more.  [default: "
    f"{', '.join(f'{T:g}' for T in DEFAULT_T)}, moved into the common range of the parameters]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print every number and finding as JSON.")
def check(
    source: str | None, phases: tuple[str, ...], components: tuple[str, str] | None,
    temperatures: tuple[float, ...], as_json: bool,
) -> None:  # fmt: skip
    """Check a description for slips: of its TDB file, and of the arithmetic with it.

    TDB is a file of any alloy, or the key of a shipped assessment; without it, every
    shipped assessment and file is checked.

    Arithmetic: each binary solution is put to identities that any Gibbs energy obeys
    (G = H - TS, Gibbs-Duhem, equal chemical potentials on the binodal...), what this
    package computes against pycalphad's own energy, finite differences or a closed form.
    The table shows the largest deviation. Where the file has elastic data, the coherent
    Models are checked, too.

    Lint: duplicate definitions; end-members without a Gibbs energy; duplicate
    parameters, which pycalphad adds up and other programs do not; functions that are
    undefined, unused or circular, or that pycalphad takes for zero outside their range;
    parameters that it leaves out; ranges that do not meet; jumps at a range boundary of
    more than 1 J/mol or 0.002 J/(mol K), which rounding as in the SGTE data does not
    reach; missing references. With --components, what concerns those elements alone (and
    the phases that --phase names).

    Neither says whether the parameters describe the alloy well.

    Ends with status 1 if an identity fails or the file has an error.
    """
    from lina_calphad.check.consistency import check_consistency, solutions
    from lina_calphad.check.tdb_lint import lint_tdb
    from lina_calphad.errors import LinaCalphadError
    from lina_calphad.report import steps

    databases, files = _read(source)
    if components:
        files = {name: tdb.within(components, phases) for name, tdb in files.items()}
    findings = {name: lint_tdb(tdb) for name, tdb in files.items()}
    sound = not any(f.severity == "error" for found in findings.values() for f in found)
    chosen: dict[str, list[BinarySolution]] = {}
    left_out: dict[str, dict[str, str]] = {}
    for name, dbf in databases.items():
        pair = components or _pair(dbf)
        if pair is None:
            elements = sorted(dbf.elements - {"VA", "/-"})
            message = f"{name} has {', '.join(elements) or 'no elements'}" + (
                ": name two with --components" if len(elements) > 2 else " alone"
            )
            if phases:
                raise click.UsageError(message)
            chosen[name], left_out[name] = [], {"": f"no check of consistency; {message}"}
        else:
            try:
                chosen[name], left_out[name] = solutions(dbf, pair, phases)
            except LinaCalphadError:
                if not (sound or as_json):  # which may be why
                    _print({}, {}, findings)
                raise
    checked: dict[str, Checked] = {name: [] for name in databases}
    broken = False
    with steps(sum(map(len, chosen.values()))) as say:
        for name, some in chosen.items():
            for solution in some:
                say(f"{name}: {_label(solution)}")
                try:
                    result = check_consistency(solution, temperatures or _defaults(solution))
                except (LinaCalphadError, ValueError):
                    raise
                except Exception as error:  # pycalphad raises whatever its parts raise
                    why = f"cannot be calculated: {type(error).__name__}: {error}; see the lint"
                    left_out[name][_label(solution)] = why
                    broken = True
                else:
                    checked[name].append((solution, result))

    consistent = not broken and all(result.ok for some in checked.values() for _, result in some)
    if as_json:
        content = {
            "ok": consistent and sound,
            "consistency": {
                name: [result.to_dict() for _, result in some] for name, some in checked.items()
            },
            "left_out": left_out,
            "lint": {name: [asdict(f) for f in found] for name, found in findings.items()},
        }
        with suppress(SystemExit):
            table_console().out(json.dumps(content, indent=2, allow_nan=False), highlight=False)
    else:
        _print(checked, left_out, findings)
    if not (consistent and sound):
        sys.exit(1)


def _read(source: str | None) -> tuple[dict[str, Database], dict[str, TdbText]]:
    """The databases to check for consistency, and the files to lint."""
    from lina_calphad.check.tdb_text import TdbText
    from lina_calphad.data.assessments import assessments, load, tdb_folder

    known = assessments()
    keys = list(known) if source is None else [source]
    if source is not None and source not in known:
        path = Path(source)
        if not path.exists() and path.suffix.lower() != ".tdb" and path.name == source:
            load(source)  # says which assessments exist
        tdb = TdbText.read(path)
        return {path.name: tdb.dbf}, {path.name: tdb}
    names = dict.fromkeys(file for key in keys for file in known[key].files)
    folder = Path(str(tdb_folder()))
    return {key: load(key) for key in keys}, {n: TdbText.read(folder / n) for n in names}


def _pair(dbf: Database) -> tuple[str, str] | None:
    """The two elements to check where none are given."""
    from lina_calphad.data.sources import COMPONENTS

    elements = sorted(dbf.elements - {"VA", "/-"})
    if set(COMPONENTS) <= set(elements):
        return COMPONENTS
    return (elements[0], elements[1]) if len(elements) == 2 else None


def _label(solution: BinarySolution) -> str:
    model = solution.model.__name__
    return f"{solution.phase} {_KINDS.get(model, model)}"


def _print(
    checked: Mapping[str, Checked],
    left_out: Mapping[str, Mapping[str, str]],
    findings: Mapping[str, Sequence[Finding]],
) -> None:
    console = table_console()
    with suppress(SystemExit):  # rich's, where the reader has gone: no finding
        for name, found in findings.items():
            _print_findings(console, name, found)
        for name, some in checked.items():
            _print_identities(console, name, some)
            _print_reasons(console, some, left_out[name])
        solutions = [result for some in checked.values() for _, result in some]
        errors = sum(f.severity == "error" for found in findings.values() for f in found)
        console.print(
            f"lint: {errors or 'no'} error{'' if errors == 1 else 's'} in {len(findings)} "
            f"file{'' if len(findings) == 1 else 's'}",
            highlight=False, style="bold",
        )  # fmt: skip
        agree = (
            f"{sum(result.ok for result in solutions)} of {len(solutions)} solutions agree with "
            "pycalphad and with thermodynamic identities; this says nothing of the parameters"
        )
        console.print(
            f"arithmetic: {agree if solutions else 'no solution was checked'}",
            highlight=False, style="bold",
        )  # fmt: skip


def _defaults(solution: BinarySolution) -> tuple[float, ...]:
    """The default temperatures, within the range of the parameters where there is one."""
    from lina_calphad.check.tdb_text import common_range

    low, high = common_range(solution.dbf, solution.phase, solution.components)
    if low >= high:
        return DEFAULT_T
    return tuple(dict.fromkeys(min(max(T, low), high) for T in DEFAULT_T))


def _print_identities(console: Console, name: str, some: Checked) -> None:
    """Largest deviations, a column for each solution, in as many tables as it takes."""
    from rich.measure import Measurement

    start = 0
    while start < len(some):
        for end in range(len(some), start, -1):
            table = _table(name, some[start:end])
            needed = Measurement.get(console, console.options.update(width=1000), table).maximum
            if needed <= console.width or end == start + 1:
                break
        console.print(table)
        start = end


def _table(name: str, some: Checked) -> Table:
    from rich.markup import escape
    from rich.table import Table

    title = f"Consistency of {escape(name)}: largest deviation"
    table = Table(title=title, title_justify="left")
    table.add_column("identity", no_wrap=True)
    table.add_column("tolerance", justify="right", no_wrap=True)
    for solution, _ in some:
        table.add_column(escape(_label(solution)).replace(" ", "\n"), justify="right", no_wrap=True)
    for row in zip(*(result.identities for _, result in some), strict=True):
        unit = "" if row[0].unit == "1" else f" {row[0].unit}"
        cells = [_cell(identity) for identity in row]
        table.add_row(row[0].name, f"{row[0].tolerance:.0e}{unit}", *cells)
    return table


def _not_finite(identity: Identity) -> bool:
    sides = (identity.lhs, identity.rhs)
    return any(side is not None and not math.isfinite(side) for side in sides)


def _cell(identity: Identity) -> str:
    if identity.verdict == "holds":
        return f"{identity.deviation:.0e}"
    if identity.verdict == "fails":
        deviation = (
            ""
            if identity.deviation is None or _not_finite(identity)
            else f" {identity.deviation:.0e}"
        )
        return f"[bold red]fails{deviation}[/]"
    return "n/a" if identity.verdict == "not applicable" else identity.verdict


def _print_reasons(console: Console, some: Checked, left_out: Mapping[str, str]) -> None:
    """What fails, and why the rest says nothing or not at every temperature."""
    notes: dict[str, list[str]] = {}
    for solution, result in some:
        lost = [i for i in result.identities if i.verdict == "fails" and _not_finite(i)]
        if lost:
            text = f"{_label(solution)}: no finite number at {lost[0].at}: "
            text += ", ".join(i.name for i in lost)
            console.print(text, style="red", highlight=False, markup=False)
        for i in result.identities:
            if i in lost:
                continue
            if i.verdict == "fails":
                sides = "" if i.lhs is None else f": {i.lhs:.10g} against {i.rhs:.10g}"
                where = f" at {i.at}" if i.at else ""
                why = f" ({i.reason})" if i.reason else ""
                text = f"{_label(solution)}: {i.formula} fails{sides}{where}{why}"
                console.print(text, style="red", highlight=False, markup=False)
            elif i.reason:
                verdict = "" if i.verdict == "holds" else f" {i.verdict}"
                notes.setdefault(i.reason, []).append(f"{i.name}{verdict}")
    for reason, names in notes.items():
        _note(console, f"{', '.join(dict.fromkeys(names))}: {reason}")
    if "" in left_out:
        _note(console, left_out[""])
    for phase, why in left_out.items():
        if "cannot be" in why:
            _note(console, f"not checked: {phase}: {why.removeprefix(phase).strip()}")
    rest = {phase: why for phase, why in left_out.items() if phase and "cannot be" not in why}
    if rest:
        names = [*list(rest)[:_NAMES_SHOWN], *(["..."] if len(rest) > _NAMES_SHOWN else [])]
        reason = next(iter(rest.values()))
        _note(console, f"{len(rest)} not checked ({', '.join(names)}): {reason}")


def _note(console: Console, text: str) -> None:
    console.print(f"note: {text}", highlight=False, markup=False)


def _print_findings(console: Console, name: str, found: Sequence[Finding]) -> None:
    from rich.markup import escape
    from rich.table import Table

    severities = Counter(f.severity for f in found)
    summary = ", ".join(f"{n} {s}{'' if n == 1 else 's'}" for s, n in severities.items())
    title = f"Lint of {escape(name)}: {summary or 'nothing found'}"
    if not found:
        console.print(title, style="italic", highlight=False)
        return
    table = Table(title=title, title_justify="left")
    for heading in ("", "line", "place", "finding"):
        table.add_column(heading, justify="right" if heading == "line" else "left")
    colours = {"error": "bold red", "warning": "yellow", "note": ""}
    shown: Counter[str] = Counter()
    for f in found:
        shown[f.rule] += 1
        if shown[f.rule] <= _FINDINGS_SHOWN:
            cells = (str(f.line or ""), escape(f.place), escape(f"{f.text}: {f.advice}"))
            table.add_row(f"[{colours[f.severity]}]{f.severity}[/]" if colours[f.severity]
                          else f.severity, *cells)  # fmt: skip
    console.print(table)
    for rule, count in shown.items():
        if count > _FINDINGS_SHOWN:
            _note(console, f"{count - _FINDINGS_SHOWN} more of {rule!r}; --json lists them all")
