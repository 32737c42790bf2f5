"""Lint a TDB file: what pycalphad reads without a word and other programs read differently."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pycalphad import variables as v
from symengine import S

from lina_calphad.check.findings import SEVERITIES, Finding
from lina_calphad.check.phase_lint import endmembers, phases, ranges
from lina_calphad.check.tdb_text import CLOSE, NO_LIMIT, Entry, Piece, TdbText, reachable

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

#: A larger jump at a range boundary is a warning: J/mol, and J/(mol K) for the slope.
# Not one of the 376 boundaries of SGTE 91 (as in espei.refdata) reaches either: its printed
# digits leave 0.9 J/mol at most (hcp Fe, 1811 K) and 0.00103 J/(mol K) (bcc Am, 2183.6 K), and
# 99 of 100 stay below 0.2 and 0.0004. In the shipped files it is 0.0023 and 0.000006.
LARGEST_JUMP = 1.0
LARGEST_KINK = 0.002

_NESTING = 32  # of functions, as deep as pycalphad follows them
_ONCE = ("ELEMENT", "SPECIES", "PHASE", "CONSTITUENT")
_NAMED = 8  # of many lines or phases


def lint_tdb(source: str | os.PathLike[str] | TdbText) -> tuple[Finding, ...]:
    """Look for slips in a TDB file.

    Parameters
    ----------
    source
        Path of the file, its text (recognised by its exclamation marks), or what
        `lina_calphad.check.tdb_text.TdbText` read of it.

    Returns
    -------
    tuple of Finding
        Errors first, then warnings, then notes, each in the order of the file.

    Raises
    ------
    DatabaseError
        If there is no such file, or pycalphad cannot read it.

    Examples
    --------
    >>> from lina_calphad.data.assessments import tdb_folder
    >>> for finding in lint_tdb(tdb_folder() / "LiNa_Zhang2003.tdb"):
    ...     print(finding)
    note: BCC_A2, FCC_A1, HCP_A3, LIQUID: the parameters hold together from 200 to 2300 K: \
outside, pycalphad extrapolates without a word
    """
    tdb = source if isinstance(source, TdbText) else TdbText.read(source)
    found = [finding for rule in _RULES for finding in rule(tdb)]
    return tuple(sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.line or math.inf)))


def _reading(tdb: TdbText) -> Iterator[Finding]:
    for line, rest in tdb.lost:
        yield Finding(
            "error", "lost command", rest.split()[0], line,
            f"pycalphad drops what follows the first ! of a line: {rest[:60]}",
            "put each command on a line of its own",
        )  # fmt: skip
    if tdb.unclosed:
        yield Finding(
            "error", "unclosed command", tdb.unclosed.keyword, tdb.unclosed.line,
            "no ! closes it, and what was there to follow may be missing", "look at the end",
        )  # fmt: skip
    defined = Counter((c.keyword, c.name) for c in tdb.commands)
    for (keyword, name), count in defined.items():
        if count > 1 and keyword in _ONCE:
            lines = [c.line for c in tdb.commands if (c.keyword, c.name) == (keyword, name)]
            yield Finding(
                "error", "duplicate definition", f"{keyword} {name}", lines[1],
                f"is there {count} times, lines {', '.join(map(str, lines))}; pycalphad keeps "
                "the last, other programs may not", "leave one",
            )  # fmt: skip
    for text in tdb.warnings:
        yield Finding(
            "warning", "reading", "pycalphad", None, text.rstrip("."), "mend what it names"
        )


def _duplicates(tdb: TdbText) -> Iterator[Finding]:
    same = defaultdict(list)
    for entry in tdb.parameters:
        p = entry.parameter
        kind = "G" if p["parameter_type"] == "L" else p["parameter_type"]  # the same to pycalphad
        same[
            p["phase_name"], kind, p["diffusing_species"], p["constituent_array"],
            p["parameter_order"],
        ].append(entry)  # fmt: skip
    for entries in same.values():
        if len(entries) == 1:
            continue
        values = " and ".join(
            f"{', '.join(str(e) for *_, e in entry.pieces)} ({entry.span}, line {entry.line})"
            for entry in entries
        )
        ordered = sorted(entries, key=lambda entry: entry.low)
        apart = all(one.high <= other.low for one, other in pairwise(ordered))
        stretched = "stretches each beyond its range and " if apart else ""
        yield Finding(
            "error", "duplicate parameter", entries[0].name, entries[0].line,
            f"is there {len(entries)} times: {values}; pycalphad {stretched}adds them up, "
            "other programs do not",
            "write one PARAMETER with all ranges" if apart else "leave one",
        )  # fmt: skip


def _functions(tdb: TdbText) -> Iterator[Finding]:
    users: dict[str, list[Entry]] = defaultdict(list)
    for entry in tdb.entries:
        for name in sorted(entry.symbols):
            users[name].append(entry)
    for name, entries in users.items():
        if name not in tdb.functions:
            yield Finding(
                "error", "undefined function", name, entries[0].line,
                f"is not defined, and {entries[0].name} needs it; pycalphad takes it for zero",
                "add the FUNCTION, or mend its spelling",
            )  # fmt: skip
    for name, function in tdb.functions.items():
        if name not in users:
            yield Finding(
                "note", "unused function", function.name, function.line,
                "is defined, and nothing needs it", "leave it out, unless it is for later",
            )  # fmt: skip
        elif name in reachable(function, tdb.functions):
            yield Finding(
                "error", "circle", function.name, function.line,
                f"needs {', '.join(sorted(function.symbols))}, and in the end itself: it cannot "
                "be resolved", "break the circle",
            )  # fmt: skip
        if len(function.pieces) == 1 and S(function.pieces[0][2]).is_Number:
            continue  # a constant is the same everywhere
        for entry in (entry for entry in users[name] if _several(entry)):
            yield Finding(
                "error" if _exceeds(entry, function) else "warning", "taken for zero", entry.name,
                entry.line, f"has several ranges itself, and needs {name}, which holds "
                f"{function.span}; outside, pycalphad takes {name}, or what that needs, for zero",
                "put the ranges into a FUNCTION, and that alone into the PARAMETER",
            )  # fmt: skip
        beyond = [e for e in users[name] if _exceeds(e, function) and not _several(e)]
        if beyond:
            first, more = beyond[0], f", and {len(beyond) - 1} more" if len(beyond) > 1 else ""
            yield Finding(
                "warning", "ranges", function.name, function.line,
                f"holds {function.span}, and is needed {first.span} by {first.name}, line "
                f"{first.line}{more}; pycalphad extrapolates it without a word",
                "let the ranges meet",
            )  # fmt: skip


def _several(entry: Entry) -> bool:
    # pycalphad stretches the ranges of a FUNCTION before it looks into it, and those of a
    # PARAMETER together with those of the functions in it, of which it then loses hold.
    return entry.parameter is not None and len(entry.pieces) > 1


def _exceeds(entry: Entry, function: Entry) -> bool:
    """Whether an entry needs a function where that has no range."""
    return (entry.low > NO_LIMIT and function.low - entry.low > CLOSE) or (
        entry.high < math.inf and entry.high - function.high > CLOSE
    )


def _boundaries(tdb: TdbText) -> Iterator[Finding]:
    names = {entry.line: entry.name for entry in tdb.entries}
    for command in tdb.commands:
        if command.keyword not in ("FUNCTION", "PARAMETER") or (
            tdb.components and command.line not in names
        ):
            continue
        for low, high in pairwise(command.limits):
            if low >= high:
                yield Finding(
                    "error", "limits", names.get(command.line, command.name), command.line,
                    f"its temperatures do not rise: {low:g} K, then {high:g} K; pycalphad takes "
                    "that range for empty", "put them in order",
                )  # fmt: skip
    for entry in tdb.entries:
        if not entry.energy or not entry.symbols <= tdb.functions.keys():
            continue
        for (_, T, below), (_, _, above) in pairwise(entry.pieces):
            left = _plain(below, T, -1, tdb.functions)
            right = _plain(above, T, +1, tdb.functions)
            if left is None or right is None:
                continue  # a circle, which is a finding already
            jump = _at(right, T) - _at(left, T)
            kink = _at(right.diff(v.T), T) - _at(left.diff(v.T), T)
            if not (abs(jump) <= LARGEST_JUMP and abs(kink) <= LARGEST_KINK):
                yield Finding(
                    "warning", "jump", entry.name, entry.line,
                    f"at {T:g} K its value jumps by {jump:.3g} J/mol, its slope by {kink:.3g} "
                    f"J/(mol K); rounding, as in SGTE's, leaves less than {LARGEST_JUMP:g} and "
                    f"{LARGEST_KINK:g}", "look for a misprint on either side",
                )  # fmt: skip


def _plain(expression: Any, T: float, side: int, functions: Mapping[str, Entry]) -> Any | None:
    """What holds just below or above `T`, in T alone; None where functions run in a circle."""
    expression = S(expression)
    for _ in range(_NESTING):
        names = {s for s in expression.free_symbols if str(s) in functions}
        if not names:
            return expression
        expression = expression.xreplace(
            {s: S(_piece(functions[str(s)].pieces, T, side)) for s in names}
        )
    return None


def _piece(pieces: Sequence[Piece], T: float, side: int) -> Any:
    """What holds just below or above a temperature; beyond all ranges, the nearest of them."""
    for low, high, expression in pieces:
        if (low < T <= high) if side < 0 else (low <= T < high):
            return expression
    return pieces[0][2] if pieces[0][0] >= T else pieces[-1][2]


def _at(expression: Any, T: float) -> float:
    return float(S(expression).xreplace({v.T: S(T), v.P: S(101325.0)}).n())


def _references(tdb: TdbText) -> Iterator[Finding]:
    listed: dict[str, int] = {}
    for command in tdb.commands:
        if command.keyword in ("LIST_OF_REFERENCES", "ADD_REFERENCE"):
            keys = re.findall(r"([^\s']+)\s+'[^']*'", command.body)
            listed |= dict.fromkeys(keys, command.line)
    cited: dict[str, Entry] = {}
    without: dict[str, list[Entry]] = defaultdict(list)
    number: dict[str, int] = defaultdict(int)
    for entry in tdb.parameters:
        phase = entry.parameter["phase_name"]
        number[phase] += 1
        if entry.reference:
            cited.setdefault(entry.reference, entry)
        else:
            without[phase].append(entry)
    if without and not cited:
        yield Finding(
            "warning", "no reference", "PARAMETER", tdb.parameters[0].line,
            f"{sum(number.values())} parameters, and none says where it comes from",
            "end each with the key of a reference, and list that",
        )  # fmt: skip
    for phase, entries in without.items() if cited else ():
        lines = ", ".join(str(entry.line) for entry in entries[:_NAMED])
        more = ", ..." if len(entries) > _NAMED else ""
        yield Finding(
            "warning", "no reference", phase, entries[0].line,
            f"{len(entries)} of its {number[phase]} parameters without a reference: "
            f"line {lines}{more}", "end each with the key of a reference",
        )  # fmt: skip
    if not any(command.keyword == "REFERENCE_FILE" for command in tdb.commands):
        for key in sorted(cited.keys() - listed.keys()):
            yield Finding(
                "warning", "unlisted reference", key, cited[key].line,
                f"is cited by {cited[key].name}, and no LIST_OF_REFERENCES has it", "list it",
            )  # fmt: skip
    for key in sorted(listed.keys() - cited.keys()) if tdb.components is None else ():
        yield Finding(
            "note", "uncited reference", key, listed[key],
            "is listed, and no parameter cites it", "cite it, or leave it out",
        )  # fmt: skip


def _elements(tdb: TdbText) -> Iterator[Finding]:
    lines = tdb.lines("ELEMENT")
    for name in sorted((tdb.components or tdb.dbf.elements) & (tdb.dbf.elements - {"VA", "/-"})):
        phase = tdb.dbf.refstates[name]["phase"]
        if phase in ("BLANK", "VACUUM"):
            yield Finding(
                "note", "no reference state", name, lines.get(name),
                f"its reference state is {phase}", "name its stable phase at 298.15 K",
            )  # fmt: skip


_RULES = (
    _reading, _duplicates, phases, endmembers, _functions, _boundaries, _references, _elements,
    ranges,
)  # fmt: skip
