"""Lint a TDB file: what pycalphad reads without a word and other programs read differently."""

from __future__ import annotations

import math
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

from pycalphad import variables as v
from symengine import S

from lina_calphad.check.findings import SEVERITIES, Finding, found, listed
from lina_calphad.check.phase_lint import endmembers, phases, ranges, volumes
from lina_calphad.check.tdb_text import NO_LIMIT, Entry, Piece, TdbText, limits

#: A larger jump at a range boundary is a warning: J/mol, and J/(mol K) for the slope.
# Not one of the 376 boundaries of SGTE 91 (as in espei.refdata) reaches either: its printed
# digits leave 0.9 J/mol at most (hcp Fe, 1811 K) and 0.00103 J/(mol K) (bcc Am, 2183.6 K), and
# 99 of 100 stay below 0.2 and 0.0004. In the shipped files it is 0.0023 and 0.000006.
LARGEST_JUMP = 1.0
LARGEST_KINK = 0.002

_CLOSE = 1.0  # K: ranges that end at 298 and 298.15 K do meet
_NESTING = 32  # of functions, as deep as pycalphad follows them
_LETTERS = 60  # of an expression
_ONCE = ("ELEMENT", "SPECIES", "PHASE", "CONSTITUENT")


def lint_tdb(source: str | os.PathLike[str] | TdbText) -> tuple[Finding, ...]:
    """Slips in a TDB: a path, a text (recognised by its exclamation marks) or what was read of it.

    Errors first, then warnings, then notes, each in the order of the file. DatabaseError if there
    is no such file, or pycalphad cannot read it.

    Examples
    --------
    >>> from lina_calphad.data.assessments import tdb_folder
    >>> for finding in lint_tdb(tdb_folder() / "LiNa_Zhang2003.tdb"):
    ...     print(finding)
    note: BCC_A2, FCC_A1, HCP_A3, LIQUID: the parameters hold together from 200 to 2300 K:
    outside, pycalphad extrapolates without a word
    """
    tdb = source if isinstance(source, TdbText) else TdbText.read(source)
    findings = chain.from_iterable(rule(tdb) for rule in _RULES)
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.line or math.inf)))


def _reading(tdb: TdbText) -> Iterator[Finding]:
    for line, rest in tdb.lost:
        yield found("lost command", rest.split()[0], line, rest=rest)
    if tdb.unclosed:
        yield found("unclosed command", tdb.unclosed.keyword, tdb.unclosed.line)
    defined: dict[tuple[str, str], list[int]] = defaultdict(list)
    for c in tdb.commands:
        if c.keyword in _ONCE:
            defined[c.keyword, c.name].append(c.line)
    for name, lines in defined.items():
        if len(lines) > 1:
            yield found(
                "duplicate definition", " ".join(name), lines[1], count=len(lines),
                lines=listed(lines),
            )  # fmt: skip
    for text in tdb.warnings:
        yield found("reading", "pycalphad", None, said=text.rstrip("."))
    for name in sorted((tdb.components or tdb.dbf.elements) & (tdb.dbf.elements - {"VA", "/-"})):
        if (state := tdb.dbf.refstates[name]["phase"]) in ("BLANK", "VACUUM"):
            yield found("no reference state", name, tdb.lines("ELEMENT").get(name), state=state)


def _duplicates(tdb: TdbText) -> Iterator[Finding]:
    same = defaultdict(list)
    for entry in tdb.parameters:
        p = entry.parameter
        kind = "G" if entry.energy else p["parameter_type"]  # G and L are the same to pycalphad
        species, array = p["diffusing_species"], p["constituent_array"]
        same[p["phase_name"], kind, species, array, p["parameter_order"]].append(entry)
    for entries in same.values():
        if len(entries) == 1:
            continue
        values = [
            f"{', '.join(str(e) for *_, e in entry.pieces)} ({entry.span}, line {entry.line})"
            for entry in entries
        ]
        ordered = sorted(entries, key=lambda entry: entry.low)
        apart = all(one.high <= other.low for one, other in pairwise(ordered))
        yield found(
            f"duplicate parameter{', ranges' if apart else ''}", entries[0].name, entries[0].line,
            count=len(entries), values=listed(values, " and "),
        )  # fmt: skip


def _reversed(tdb: TdbText) -> Iterator[Finding]:
    for entry in tdb.parameters:
        turned = [names for names in entry.written if len(names) == 2 and names[0] > names[1]]
        if turned and entry.parameter["parameter_order"] % 2:
            written = ":".join(map(",".join, entry.written))
            sorted_, reversed_ = (
                "; ".join(str(sign * S(e))[:_LETTERS] for *_, e in entry.pieces) for sign in (1, -1)
            )
            yield found(
                "reversed pair", entry.name, entry.line, written=written, name=entry.name,
                sorted=sorted_, reversed=reversed_,
            )  # fmt: skip


def _functions(tdb: TdbText) -> Iterator[Finding]:
    users: dict[str, list[Entry]] = defaultdict(list)
    for entry in tdb.entries:
        for name in sorted(entry.symbols):
            users[name].append(entry)
    for name, entries in users.items():
        if name not in tdb.functions:
            yield found("undefined function", name, entries[0].line, user=entries[0].name)
    depths = _depths(tdb.functions)
    seen: set[str] = set()
    for name in tdb.functions:
        path: list[str] = []
        while name not in depths and name not in seen:
            seen.add(name)
            path.append(name)
            name = min((tdb.functions[name].symbols & tdb.functions.keys()) - depths.keys())
        if name in path:
            circle = path[path.index(name) :]
            first = tdb.functions[name]
            yield found("circle", first.name, first.line, names=listed([*circle[1:], name]))
    for entry in tdb.parameters:
        depth = max((depths.get(name, 0) for name in entry.symbols), default=0)
        if depth > _NESTING:
            yield found("nested too deep", entry.name, entry.line, depth=depth, most=_NESTING)
    for name, function in tdb.functions.items():
        if name not in users:
            yield found("unused function", function.name, function.line)
        if len(function.pieces) == 1 and S(function.pieces[0][2]).is_Number:
            continue  # a constant is the same everywhere
        beyond = []
        for entry in users[name]:
            exceeds = (entry.low > NO_LIMIT and function.low - entry.low > _CLOSE) or (
                entry.high < math.inf and entry.high - function.high > _CLOSE
            )
            # pycalphad stretches the ranges of a FUNCTION before it looks into it, and those of
            # a PARAMETER together with those of the functions in it, of which it then loses hold.
            if entry.parameter is not None and len(entry.pieces) > 1:
                yield found(
                    "taken for zero", entry.name, entry.line, "error" if exceeds else "warning",
                    name=name, span=function.span,
                )  # fmt: skip
            elif exceeds:
                beyond.append(entry)
        if beyond:
            more = f", and {len(beyond) - 1} more" if len(beyond) > 1 else ""
            yield found(
                "ranges", function.name, function.line, span=function.span, more=more,
                needed=beyond[0].span, user=beyond[0].name, there=beyond[0].line,
            )  # fmt: skip


def _depths(functions: Mapping[str, Entry]) -> dict[str, int]:
    """How many functions deep each is, itself counted, but for those that need a circle."""
    users: dict[str, list[str]] = defaultdict(list)
    for name, function in functions.items():
        for needed in function.symbols & functions.keys():
            users[needed].append(name)
    waiting = {name: len(f.symbols & functions.keys()) for name, f in functions.items()}
    depths = {name: 1 for name, number in waiting.items() if not number}
    for name in (ready := list(depths)):  # which grows
        for user in users[name]:
            depths[user] = max(depths.get(user, 0), depths[name] + 1)
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return {name: depths[name] for name in ready}


def _boundaries(tdb: TdbText) -> Iterator[Finding]:
    names = {entry.line: entry.name for entry in tdb.entries}
    for command in tdb.commands:
        if command.keyword in ("FUNCTION", "PARAMETER") and (
            command.line in names or not tdb.components
        ):
            for low, high in pairwise(limits(command)):
                if low >= high:
                    place = names.get(command.line, command.name)
                    yield found("limits", place, command.line, low=low, high=high)
    values = _Values(tdb.functions)
    for entry in tdb.entries:
        for low, high, expression in entry.pieces:
            bad = [
                T for T, side in ((max(low, NO_LIMIT), 1), (high, -1))
                if NO_LIMIT < T < math.inf and values(expression, T, side, own=True) is _BAD
            ]  # fmt: skip
            if bad:
                yield found("not finite", entry.name, entry.line, T=bad[0])
                break
        for (_, T, below), (_, _, above) in pairwise(entry.pieces) if entry.energy else ():
            left, right = values(below, T, -1), values(above, T, 1)
            if not left or not right:
                continue  # undefined, in a circle or not finite: a finding already
            jump, kink = right[0] - left[0], right[1] - left[1]
            if abs(jump) > LARGEST_JUMP or abs(kink) > LARGEST_KINK:
                yield found(
                    "jump", entry.name, entry.line, T=T, jump=jump, kink=kink,
                    most_jump=LARGEST_JUMP, most_kink=LARGEST_KINK,
                )  # fmt: skip


_BAD = ()  # what has no finite, real value


class _Values:
    """Value and slope of expressions just below or above a temperature."""

    def __init__(self, functions: Mapping[str, Entry]) -> None:
        self.functions = functions
        self.known: dict[tuple[str, float, int], tuple[float, ...] | None] = {}

    def __call__(
        self, expression: Any, T: float, side: int, depth: int = 0, *, own: bool = False
    ) -> tuple[float, ...] | None:
        """None where functions are undefined or in a circle; `own`: or not finite themselves."""
        expression = S(expression)
        at = {v.T: S(T), v.P: S(101325.0)}
        slopes = {v.T: 1.0, v.P: 0.0}
        for symbol in expression.free_symbols - at.keys():
            inner = self._of(str(symbol), T, side, depth + 1)
            if not inner:
                return None if own else inner
            at[symbol], slopes[symbol] = S(inner[0]), inner[1]
        try:
            value = float(expression.xreplace(at).n())
            slope = sum(
                float(expression.diff(s).xreplace(at).n()) * k for s, k in slopes.items() if k
            )
        except (RuntimeError, TypeError, ValueError):  # complex, or worse
            return _BAD
        return (value, slope) if math.isfinite(value) and math.isfinite(slope) else _BAD

    def _of(self, name: str, T: float, side: int, depth: int) -> tuple[float, ...] | None:
        if name not in self.functions or depth > _NESTING:
            return None
        if (name, T, side) not in self.known:
            piece = _piece(self.functions[name].pieces, T, side)
            self.known[name, T, side] = self(piece, T, side, depth)
        return self.known[name, T, side]


def _piece(pieces: Sequence[Piece], T: float, side: int) -> Any:
    """What holds just below or above a temperature; beyond all ranges, the nearest of them."""
    for low, high, expression in pieces:
        if (low < T <= high) if side < 0 else (low <= T < high):
            return expression
    return pieces[0][2] if pieces[0][0] >= T else pieces[-1][2]


def _references(tdb: TdbText) -> Iterator[Finding]:
    keys: dict[str, int] = {}
    for c in tdb.commands:
        if c.keyword in ("LIST_OF_REFERENCES", "ADD_REFERENCES"):
            keys |= dict.fromkeys(re.findall(r"(?<![^\s'])([^\s']+)\s+'[^']*'", c.body), c.line)
    cited: dict[str, Entry] = {}
    of_phase: dict[str, list[Entry]] = defaultdict(list)
    for entry in tdb.parameters:
        if entry.reference:
            cited.setdefault(entry.reference, entry)
        of_phase[entry.parameter["phase_name"]].append(entry)
    if not cited:
        of_phase = {"PARAMETER": tdb.parameters}
    for place, entries in of_phase.items():
        without = [e.line for e in entries if not e.reference]
        if without:
            yield found(
                "no reference", place, without[0], count=len(without), total=len(entries),
                lines=listed(without),
            )  # fmt: skip
    if not any(command.keyword == "REFERENCE_FILE" for command in tdb.commands):
        for key in sorted(cited.keys() - keys.keys()):
            yield found("unlisted reference", key, cited[key].line, user=cited[key].name)
    for key in sorted(keys.keys() - cited.keys()) if tdb.components is None else ():
        yield found("uncited reference", key, keys[key])


_RULES = (
    _reading, _duplicates, phases, endmembers, volumes, _reversed, _functions, _boundaries,
    _references, ranges,
)  # fmt: skip
