"""A TDB as pycalphad reads it, beside its text: the lines and the references it forgets."""

from __future__ import annotations

import contextlib
import copy
import io
import math
import re
import warnings
from bisect import bisect
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycalphad import Database
from pycalphad import variables as v
from pycalphad.io.tdb_keywords import TDB_KEYWORDS, expand_keyword
from symengine import And, Piecewise, S

from lina_calphad.errors import DatabaseError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

#: What pycalphad takes for a lower limit that is left out.
NO_LIMIT = 0.01

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?"

#: Limits of a range in K, and what holds there.
Piece = tuple[float, float, Any]


@dataclass(frozen=True)
class Command:
    """One command of a TDB text: its keyword written out, its words, and where it begins."""

    keyword: str
    body: str
    line: int

    @property
    def name(self) -> str:
        """What it defines: its second word, less the options of a phase."""
        return (self.body.split(maxsplit=2)[1:2] or [""])[0].split(":")[0]

    @property
    def limits(self) -> tuple[float, ...]:
        """Limits in K of a FUNCTION or PARAMETER, as far as they are written."""
        rest = self.body.partition(")")[2] if self.keyword == "PARAMETER" else (
            self.body.split(maxsplit=2)[2:] or [""])[0]  # fmt: skip
        return tuple(map(float, re.findall(rf"(?:^|;)\s*({_NUMBER})(?![^\s,])", rest)))

    @property
    def reference(self) -> str:
        """The key behind the last limit of a PARAMETER, or an empty string."""
        # ; 6000 N KEY, of which each but the semicolon may be left out
        tail = re.match(r"[\s,]*[\d.E+]*[\s,]*(?:N\b)?\s*(\S*)", self.body.rpartition(";")[2])
        return tail[1] if tail else ""


@dataclass(frozen=True)
class Entry:
    """One FUNCTION or PARAMETER with what pycalphad made of it.

    Parameters
    ----------
    name
        As a TDB writes it.
    command
        Its text, where that is known.
    pieces
        Its ranges in the order of the file.
    parameter
        What pycalphad holds of a PARAMETER; None of a FUNCTION.
    """

    name: str
    command: Command | None
    pieces: tuple[Piece, ...]
    parameter: Any = None

    @property
    def line(self) -> int | None:
        """Where it begins."""
        return self.command.line if self.command else None

    @property
    def energy(self) -> bool:
        """Whether it is in J/mol, for all we know."""
        return self.parameter is None or self.parameter["parameter_type"] in ("G", "L")

    @property
    def low(self) -> float:
        """Lowest temperature in K; minus infinity where none is given."""
        return self.pieces[0][0]

    @property
    def high(self) -> float:
        """Highest temperature in K; infinity where none is given."""
        return self.pieces[-1][1]

    @property
    def span(self) -> str:
        """Its range in words."""
        return span(self.low, self.high)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The functions that it needs."""
        found = {s for _, _, expression in self.pieces for s in S(expression).free_symbols}
        return frozenset(str(s) for s in found if not isinstance(s, v.StateVariable))


class TdbText:
    """A TDB, read.

    Parameters
    ----------
    text
        The text.
    name
        What to call it in messages.

    Attributes
    ----------
    dbf
        The database.
    commands, lost, unclosed
        Every command that pycalphad sees; line and text of those that it does not see;
        and the last one, if no exclamation mark closes it.
    warnings
        What pycalphad warned of.
    functions, parameters, phases
        Every FUNCTION by its name, PARAMETER in the order of the file, and phase.
    components
        The elements that count, upper case, or None for all.

    Raises
    ------
    DatabaseError
        If pycalphad cannot read it, or there is nothing in it.
    """

    def __init__(self, text: str, name: str = "the text") -> None:
        self.commands, self.lost, self.unclosed = _scan(text)
        if "\0" in text:
            msg = f"{name} cannot be read as a TDB: it is no text"
            raise DatabaseError(msg)
        try:
            self.dbf, self.warnings = _parse(text)
        except Exception as error:  # pycalphad's parser raises whatever its parts raise
            lacks = isinstance(error, KeyError)
            reason = f"{error} is not defined where it is needed" if lacks else str(error)
            reason = re.sub("[^ -~]", "?", " ".join(reason.split())) or type(error).__name__
            reason = _culprit(self.commands) + reason
            msg = f"{name} cannot be read as a TDB: {reason[:300]}"
            raise DatabaseError(msg) from error
        if not (self.dbf.elements or self.dbf.phases or self.dbf.symbols):
            msg = f"{name} cannot be read as a TDB: there is no ELEMENT, PHASE or FUNCTION in it"
            raise DatabaseError(msg)
        written = {c.name: c for c in self.commands if c.keyword == "FUNCTION"}
        self.functions = {
            name: Entry(f"FUNCTION {name}", written.get(name), _pieces(expression))
            for name, expression in self.dbf.symbols.items()
        }
        self.parameters = self._parameters()
        self.phases = dict(self.dbf.phases)
        self.components: frozenset[str] | None = None

    @classmethod
    def read(cls, source: str | os.PathLike[str]) -> TdbText:
        """Read a file, or a text (recognised by its exclamation marks)."""
        if isinstance(source, str) and "!" in source:
            return cls(source)
        try:
            text = Path(source).read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            msg = f"{source} cannot be read as a TDB: {error.strerror or error}"
            raise DatabaseError(msg) from error
        return cls(text, str(source))

    @property
    def entries(self) -> list[Entry]:
        """Every FUNCTION and PARAMETER."""
        return [*self.functions.values(), *self.parameters]

    def lines(self, keyword: str) -> dict[str, int]:
        """Where each name is defined."""
        return {c.name: c.line for c in self.commands if c.keyword == keyword}

    def within(self, components: Sequence[str], phases: Sequence[str] = ()) -> TdbText:
        """What concerns some elements, and some phases if any are named."""
        part = copy.copy(self)
        part.components = frozenset(c.upper() for c in components)
        wanted = {phase.upper() for phase in phases} or self.phases
        known = part.components | {"VA", "*", "/-"}
        part.phases = {
            name: phase for name, phase in self.phases.items()
            if name in wanted and (not phase.constituents or all(
                any(set(s.constituents) <= known for s in subl) for subl in phase.constituents))
        }  # fmt: skip
        part.parameters = [
            e for e in self.parameters
            if e.parameter["phase_name"] in part.phases and {
                c for subl in e.parameter["constituent_array"] for s in subl
                for c in (s.constituents or [s.name])} <= known
        ]  # fmt: skip
        needed = reachable(part.parameters, self.functions)
        part.functions = {name: f for name, f in self.functions.items() if name in needed}
        return part

    def _parameters(self) -> list[Entry]:
        # pycalphad keeps them in order and appends those it makes up by symmetry.
        kept = self.dbf.search(lambda p: not p.get("_generated_by_symmetry_option"))
        written: Sequence[Command | None]
        written = [c for c in self.commands if c.keyword == "PARAMETER"]
        if len(written) != len(kept):  # an abbreviation that only its grammar understands
            written = [None] * len(kept)
        return [
            Entry(_label(p), c, _pieces(p["parameter"]), p)
            for p, c in zip(kept, written, strict=True)
        ]


def reachable(entries: Iterable[Entry], functions: Mapping[str, Entry]) -> set[str]:
    """The functions that some entries need, and those that these need."""
    found: set[str] = set()
    fresh = {name for entry in entries for name in entry.symbols}
    while fresh:
        found |= fresh
        fresh = {s for name in fresh if name in functions for s in functions[name].symbols} - found
    return found


def common_range(dbf: Database, phase: str, components: Sequence[str]) -> tuple[float, float]:
    """Temperatures in K at which every energy of a phase holds, with the functions in it."""
    known = {c.upper() for c in components} | {"VA", "*"}
    functions = {name: Entry(name, None, _pieces(e)) for name, e in dbf.symbols.items()}
    own = [
        Entry("", None, _pieces(p["parameter"]))
        for p in dbf.search(lambda p: p["phase_name"] == phase and {
            s.name for subl in p["constituent_array"] for s in subl} <= known)
    ]  # fmt: skip
    own += [functions[name] for name in reachable(own, functions) & functions.keys()]
    return max([0.0, *(e.low for e in own)]), min([math.inf, *(e.high for e in own)])


def span(low: float, high: float) -> str:
    """A range of temperature in words."""
    if low <= NO_LIMIT:
        return "at every temperature" if high == math.inf else f"up to {high:g} K"
    return f"from {low:g} K on" if high == math.inf else f"from {low:g} to {high:g} K"


def _scan(text: str) -> tuple[list[Command], list[tuple[int, str]], Command | None]:
    """The commands, cut as pycalphad cuts them, and what it loses by that."""
    commands: list[Command] = []
    lost = []
    words: list[str] = []
    first = 0
    for number, line in enumerate(text.upper().replace("\t", " ").split("\n"), 1):
        said, mark, rest = line.split("$", 1)[0].partition("!")
        if said.strip():
            first = first if words else number
            words.append(said)
        if mark:
            body, words = " ".join(words), []
            commands += [Command(_keyword(body), body, first)] if body else []
            if "!" in rest and _keyword(rest):
                lost.append((number, rest.strip()))
    if not words:
        return commands, lost, None
    body = " ".join(words)
    unclosed = Command(_keyword(body), body, first)
    return [*commands, unclosed], lost, unclosed


def _keyword(text: str) -> str:
    """The TDB keyword that a text begins with, or an empty string."""
    word = re.split(r"[ ():,]", text.strip(), maxsplit=1)[0]
    try:
        (keyword,) = expand_keyword(TDB_KEYWORDS, word)
    except ValueError:  # none, or more than one
        return ""
    return str(keyword)


def _parse(text: str) -> tuple[Database, list[str]]:
    """What pycalphad makes of a text, and what it warns of."""
    # What it prints is in the way.
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        dbf = Database.from_string(text, fmt="tdb")
    return dbf, [str(w.message) for w in caught]


def _culprit(commands: Sequence[Command]) -> str:
    """The first FUNCTION or PARAMETER that cannot be read; often pycalphad does not say which."""
    some = [c for c in commands if c.keyword in ("FUNCTION", "PARAMETER")]

    def fails(count: int) -> bool:
        try:
            _parse("".join(f"{c.body} !\n" for c in some[:count]))
        except Exception:
            return True
        return False

    first = bisect(range(len(some) + 1), 0, key=fails)
    if first > len(some):
        return ""
    return f"line {some[first - 1].line}, {some[first - 1].keyword} {some[first - 1].name}: "


def _pieces(expression: Any) -> tuple[Piece, ...]:
    """Each range of an expression, in the order of the file."""
    if not isinstance(expression, Piecewise):
        return ((-math.inf, math.inf, expression),)
    pairs = zip(*[iter(expression.args)] * 2, strict=True)
    # pycalphad closes with a zero that holds everywhere else.
    return tuple((*_limits(condition), e) for e, condition in pairs if condition != S.true)


def _limits(condition: Any) -> tuple[float, float]:
    low, high = -math.inf, math.inf
    for relation in condition.args if isinstance(condition, And) else (condition,):
        left, right = relation.args
        if right == v.T:
            low = float(left)
        else:
            high = float(right)
    return low, high


def _label(p: Any) -> str:
    """A parameter as a TDB writes it."""
    array = ":".join(",".join(s.name for s in sublattice) for sublattice in p["constituent_array"])
    diffusing = p["diffusing_species"].name
    of = p["phase_name"] + (f"&{diffusing}" if diffusing else "")
    return f"{p['parameter_type']}({of},{array};{p['parameter_order']})"
