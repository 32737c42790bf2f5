"""Lint a TDB file: what pycalphad reads without a word and other programs read differently."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise, product
from math import prod
from statistics import median
from typing import Any

from pycalphad import variables as v
from symengine import S

from lina_calphad.check.findings import SEVERITIES, Finding, found, listed
from lina_calphad.check.tdb_text import NO_LIMIT, Entry, TdbText, span
from lina_calphad.data.databases import array_names, has_elastic_data, in_order

#: A larger jump at a range boundary is a warning: J/mol, and J/(mol K) for the slope.
# Not one of the 376 boundaries of SGTE 91 (as in espei.refdata) reaches either: its printed
# digits leave 0.9 J/mol at most (hcp Fe, 1811 K) and 0.00103 J/(mol K) (bcc Am, 2183.6 K), and
# 99 of 100 stay below 0.2 and 0.0004. In the shipped files it is 0.0023 and 0.000006.
LARGEST_JUMP = 1.0
LARGEST_KINK = 0.002

_CLOSE = 1.0  # K: ranges that end at 298 and 298.15 K do meet
_NESTING = 32  # of functions, as deep as pycalphad follows them
_LETTERS = 60  # of an expression
_MOST_ENDMEMBERS = 300_000  # of one phase


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
        if c.keyword in ("SPECIES", "CONSTITUENT"):
            defined[c.keyword, c.name].append(c.line)
    for name, lines in defined.items():
        if len(lines) > 1:
            count, told = len(lines), listed(lines)
            yield found("duplicate definition", " ".join(name), lines[1], count=count, lines=told)
    for text in tdb.warnings:
        yield found("reading", "pycalphad", None, said=text.rstrip("."))


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


def _without_effect(tdb: TdbText) -> Iterator[Finding]:
    """Phases and parameters of which pycalphad makes nothing."""
    for name, phase in tdb.phases.items():
        if phase.constituents is None:
            yield found("no constituents", name, tdb.lines("PHASE").get(name))
    for entry in tdb.parameters:
        name, array = entry.parameter["phase_name"], entry.parameter["constituent_array"]
        phase = tdb.dbf.phases.get(name)
        sublattices = phase.constituents if phase else ()
        if phase and len(array) == 1 and phase.model_hints.get("ionic_liquid_2SL"):
            sublattices = sublattices[1:]  # a neutral species stands without the cations
        if phase is None:
            reason = f"there is no PHASE {name}"
        elif sublattices is None:
            continue
        elif len(array) != len(sublattices):
            reason = f"{name} has {len(sublattices)} sublattices, not {len(array)}"
        else:
            pairs = zip(array, sublattices, strict=True)
            strange = {s.name for given, known in pairs for s in set(given) - known} - {"*"}
            if not strange:
                continue
            reason = f"{name} has no {', '.join(sorted(strange))} there"
        yield found("no effect", entry.name, entry.line, reason=reason)


def _endmembers(tdb: TdbText) -> Iterator[Finding]:
    """End-members without a Gibbs energy, which pycalphad takes for zero."""
    lines = tdb.lines("PHASE")
    described = {entry.parameter["phase_name"] for entry in tdb.parameters if entry.energy}
    arrays = defaultdict(list)
    for p in tdb.dbf.search(lambda p: p["parameter_type"] == "G" and p["parameter_order"] == 0):
        arrays[p["phase_name"]].append(array_names(p))
    for name, phase in tdb.phases.items():
        # An ordered phase may leave its energy to the disordered one.
        if name not in described or not phase.constituents \
                or phase.model_hints.get("ordered_phase") == name:  # fmt: skip
            continue
        known = None if tdb.components is None else tdb.components | {"VA"}
        sublattices = [
            {s.name: s for s in sorted(names) if known is None or set(s.constituents) <= known}
            for names in phase.constituents
        ]
        if (count := prod(map(len, sublattices))) > _MOST_ENDMEMBERS:
            yield found("too many end-members", name, lines.get(name), count=count)
            continue
        missing = _missing(sublattices, arrays[name])
        if missing:
            total = count - all("VA" in names for names in sublattices)
            pure = sum(missing.values())
            names = sorted(missing, key=lambda end: not missing[end])
            yield found(
                "missing end-member", name, lines.get(name), "error" if pure else None,
                count=len(missing), total=total, names=listed(names),
                pure=f", {pure} of them of a pure element" if pure else "",
            )  # fmt: skip


def _missing(sublattices: list[dict[str, Any]], arrays: list[list[list[str]]]) -> dict[str, bool]:
    """End-members that no array describes, and whether each is of a pure element."""
    missing = dict.fromkeys(product(*sublattices))
    for array in [*arrays, [["VA"]] * len(sublattices)]:  # nothing but vacancies has no energy
        # A neutral species of an ionic liquid stands alone.
        ends = [["*"], *array] if len(array) == len(sublattices) - 1 == 1 else array
        if len(ends) == len(sublattices) and all(len(end) == 1 for end in ends):
            pairs = zip(ends, sublattices, strict=True)
            for described in product(*(known if end == ["*"] else end for end, known in pairs)):
                missing.pop(described, None)
    found = {}
    for names in missing:
        species = [known[name] for known, name in zip(sublattices, names, strict=True)]
        elements = {element for s in species for element in s.constituents} - {"VA"}
        # Charges beside each other are no element, but cations with vacancies are.
        neutral = len(names) == 2 or not any(s.charge for s in species if s.name != "VA")
        found[":".join(names)] = len(elements) == 1 and neutral
    return found


def _volumes(tdb: TdbText) -> Iterator[Finding]:
    """Thermal expansions, which the coherent model refuses to leave out."""
    for entry in tdb.parameters:
        p = entry.parameter
        if p["parameter_type"] == "VA" and has_elastic_data(tdb.dbf, p["phase_name"]):
            yield found("not in the coherency", entry.name, entry.line)


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
    """Functions that pycalphad cannot resolve, or takes for zero, or extrapolates."""
    users: dict[str, list[Entry]] = defaultdict(list)
    for entry in tdb.entries:
        for name in sorted(entry.symbols):
            users[name].append(entry)
    for name, entries in users.items():
        if name not in tdb.functions:
            yield found("undefined function", name, entries[0].line, user=entries[0].name)
    depths = _depths(tdb.functions)
    seen = set(depths)
    for name in tdb.functions:
        path: list[str] = []
        while name not in seen:
            seen.add(name)
            path.append(name)
            name = min((tdb.functions[name].symbols & tdb.functions.keys()) - depths.keys())
        if name in path:
            first, *others = path[path.index(name) :]
            function = tdb.functions[first]
            yield found("circle", function.name, function.line, names=listed([*others, first]))
    for entry in tdb.parameters:
        depth = max((depths.get(name, 0) for name in entry.symbols), default=0)
        if depth > _NESTING:
            yield found("nested too deep", entry.name, entry.line, depth=depth, most=_NESTING)
    for name, function in tdb.functions.items():
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
    depths: dict[str, int] = {}
    for name in in_order({name: function.symbols for name, function in functions.items()}):
        depths[name] = 1 + max((depths.get(n, 0) for n in functions[name].symbols), default=0)
    return depths


def _boundaries(tdb: TdbText) -> Iterator[Finding]:
    """Limits in disorder, and what happens at them."""
    values = _Values(tdb.functions)
    for entry in tdb.entries:
        limits = [entry.low, *(high for _, high, _ in entry.pieces)]
        for low, high in pairwise(limits):
            if low >= high:
                yield found("limits", entry.name, entry.line, low=low, high=high)
        ends = [
            (T, values(expression, T, side)) for low, high, expression in entry.pieces
            for T, side in ((low, 1), (high, -1)) if NO_LIMIT < T < math.inf
        ]  # fmt: skip
        if bad := [T for T, (value, _) in ends if math.isinf(value)]:
            yield found("not finite", entry.name, entry.line, T=bad[0])
        for (_, T, below), (_, _, above) in pairwise(entry.pieces) if entry.energy else ():
            left, right = values(below, T, -1), values(above, T, 1)
            jump, kink = right[0] - left[0], right[1] - left[1]
            # No number where there is a finding already.
            if math.isfinite(jump) and (abs(jump) > LARGEST_JUMP or abs(kink) > LARGEST_KINK):
                yield found(
                    "jump", entry.name, entry.line, T=T, jump=jump, kink=kink,
                    most_jump=LARGEST_JUMP, most_kink=LARGEST_KINK,
                )  # fmt: skip


class _Values:
    """Value and slope of expressions just below or above a temperature.

    NaN where a function is undefined, in a circle or not finite; infinity where the expression
    itself is not finite and real.
    """

    def __init__(self, functions: Mapping[str, Entry]) -> None:
        depths = _depths(functions)
        self.functions = {n: functions[n] for n, depth in depths.items() if depth <= _NESTING}
        self.known: dict[tuple[str, float, int], tuple[float, float]] = {}

    def __call__(self, expression: Any, T: float, side: int) -> tuple[float, float]:
        expression = S(expression)
        at, slopes = {v.T: S(T), v.P: S(101325.0)}, {v.T: 1.0}
        for symbol in expression.free_symbols - at.keys():
            value, slope = self._of(str(symbol), T, side)
            if not math.isfinite(value):
                return math.nan, math.nan
            at[symbol], slopes[symbol] = S(value), slope
        try:
            value = float(expression.xreplace(at).n())
            slope = sum(float(expression.diff(s).xreplace(at).n()) * k for s, k in slopes.items())
        except (RuntimeError, TypeError, ValueError):  # complex, or worse
            return math.inf, math.inf
        return (value, slope) if math.isfinite(value + slope) else (math.inf, math.inf)

    def _of(self, name: str, T: float, side: int) -> tuple[float, float]:
        if name not in self.functions:
            return math.nan, math.nan
        if (name, T, side) not in self.known:
            pieces = self.functions[name].pieces
            holds = [
                expression for low, high, expression in pieces
                if ((low < T <= high) if side < 0 else (low <= T < high))
            ]  # fmt: skip
            # Beyond all ranges, the nearest of them.
            nearest = pieces[0][2] if pieces[0][0] >= T else pieces[-1][2]
            self.known[name, T, side] = self([*holds, nearest][0], T, side)
        return self.known[name, T, side]


def _ranges(tdb: TdbText) -> Iterator[Finding]:
    """Where the parameters of a phase hold, and which of them spoil that."""
    described: dict[str, list[Entry]] = defaultdict(list)
    for entry in tdb.parameters:
        if entry.energy:
            described[entry.parameter["phase_name"]].append(entry)
    together = defaultdict(list)
    for phase, entries in sorted(described.items()):
        lows, highs = [e.low for e in entries], [e.high for e in entries]
        common = max(NO_LIMIT, *lows), min(math.inf, *highs)
        # Well inside: more than the difference between 200 or 1 K and 298.15 K below, and
        # above nothing that ends where an element has its last SGTE range.
        start = max(299.15, median(lows) + 100)
        end = min(1000.0, median(highs) / 2)
        odd = [e for e in entries if e.low > start or e.high < end]
        what = "what follows begins or ends well inside the range of the others"
        if common[0] >= common[1]:
            odd = [max(entries, key=lambda e: e.low), min(entries, key=lambda e: e.high)]
            what = "the common range of all parameters is empty"
        elif common != (NO_LIMIT, math.inf):
            together[common].append(phase)
        if odd:
            names = listed([f"{e.name} {e.span}" for e in odd])
            yield found("range of a parameter", phase, odd[0].line, what=what, names=names)
    for common, phases in together.items():
        yield found("range", listed(phases), None, span=span(*common))


_RULES = (
    _reading, _duplicates, _without_effect, _endmembers, _volumes, _reversed, _functions,
    _boundaries, _ranges,
)  # fmt: skip
