"""A TDB as pycalphad reads it, beside its text: the lines and the references it forgets."""

from __future__ import annotations

import copy
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pycalphad import variables as v
from symengine import And, Piecewise, S

from lina_calphad.data.tdb_files import Command, parse_tdb, read_tdb_text, scan

#: What pycalphad takes for a lower limit that is left out.
NO_LIMIT = 0.01

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?"

#: Limits of a range in K, and what holds there.
Piece = tuple[float, float, Any]


@dataclass(frozen=True)
class Entry:
    """One FUNCTION or PARAMETER with what pycalphad made of it."""

    name: str  # as a TDB writes it
    line: int | None  # where it begins, as far as that is known
    pieces: tuple[Piece, ...]  # its ranges in the order of the file
    parameter: Any = None  # what pycalphad holds of a PARAMETER
    reference: str = ""  # key at the end of a PARAMETER
    written: tuple[tuple[str, ...], ...] = ()  # its constituents in the order of the file

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
    """A TDB, read: its commands, and what pycalphad made of them and warned of.

    `lost` are line and text of commands that pycalphad does not see, `components` the elements
    that count (upper case), or None for all. DatabaseError if pycalphad cannot read it.
    """

    def __init__(self, text: str, name: str = "the text") -> None:
        self.commands, self.lost, self.unclosed = scan(text)
        self.dbf, self.warnings = parse_tdb(text, name)
        lines = self.lines("FUNCTION")
        self.functions = {
            name: Entry(f"FUNCTION {name}", lines.get(name), _pieces(expression))
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
        return cls(read_tdb_text(source), str(source))

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
        entries = []
        for p, c in zip(kept, written, strict=True):
            name, pieces, line = label_of(p), _pieces(p["parameter"]), c.line if c else None
            entries.append(Entry(name, line, pieces, p, _reference(c), _constituents(c)))
        return entries


def reachable(entries: Iterable[Entry], functions: Mapping[str, Entry]) -> set[str]:
    """The functions that some entries need, and those that these need."""
    found: set[str] = set()
    fresh = {name for entry in entries for name in entry.symbols}
    while fresh:
        found |= fresh
        fresh = {s for name in fresh if name in functions for s in functions[name].symbols} - found
    return found


def span(low: float, high: float) -> str:
    """A range of temperature in words."""
    if low <= NO_LIMIT:
        return "at every temperature" if high == math.inf else f"up to {high:g} K"
    return f"from {low:g} K on" if high == math.inf else f"from {low:g} to {high:g} K"


def limits(command: Command) -> tuple[float, ...]:
    """Limits in K of a FUNCTION or PARAMETER, as far as they are written."""
    rest = command.body.partition(")")[2] if command.keyword == "PARAMETER" else (
        command.body.split(maxsplit=2)[2:] or [""])[0]  # fmt: skip
    return tuple(map(float, re.findall(rf"(?:^|;)\s*({_NUMBER})(?![^\s,])", rest)))


def _reference(command: Command | None) -> str:
    """The key behind the last limit of a PARAMETER, or an empty string."""
    # ; 6000 N KEY, of which each but the semicolon may be left out
    tail = command and re.match(
        r"[\s,]*[\d.E+]*[\s,]*(?:N\b)?\s*(\S*)", command.body.rpartition(";")[2]
    )
    return tail[1] if tail else ""


def _constituents(command: Command | None) -> tuple[tuple[str, ...], ...]:
    """The constituent array of a PARAMETER as it is written."""
    if command is None:
        return ()
    array = command.body.partition("(")[2].partition(")")[0].partition(",")[2].split(";")[0]
    return tuple(
        tuple(name.strip() for name in names.split(",")) for names in array.strip(" :").split(":")
    )


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


def label_of(p: Any) -> str:
    """A parameter as a TDB writes it."""
    array = ":".join(",".join(s.name for s in sublattice) for sublattice in p["constituent_array"])
    diffusing = p["diffusing_species"].name
    of = p["phase_name"] + (f"&{diffusing}" if diffusing else "")
    return f"{p['parameter_type']}({of},{array};{p['parameter_order']})"
