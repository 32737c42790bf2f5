"""A TDB as pycalphad reads it, beside its text: the lines, and what it does not keep."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lina_calphad.data.databases import Piece, function_names, parameter_text, pieces, reachable
from lina_calphad.data.tdb_files import Command, parse_tdb, read_tdb_text, scan

#: What pycalphad takes for a lower limit that is left out.
NO_LIMIT = 0.01


@dataclass(frozen=True)
class Entry:
    """One FUNCTION or PARAMETER with what pycalphad made of it."""

    name: str  # as a TDB writes it
    line: int | None  # where it begins, as far as that is known
    pieces: tuple[Piece, ...]
    parameter: Any = None  # what pycalphad holds of a PARAMETER
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
    def symbols(self) -> set[str]:
        """The functions that it needs."""
        return {name for _, _, expression in self.pieces for name in function_names(expression)}


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
            name: Entry(f"FUNCTION {name}", lines.get(name), pieces(expression))
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
        needed = reachable(
            (name for e in part.parameters for name in e.symbols),
            lambda name: self.functions[name].symbols if name in self.functions else set(),
        )
        part.functions = {name: f for name, f in self.functions.items() if name in needed}
        return part

    def _parameters(self) -> list[Entry]:
        # pycalphad keeps them in order and appends those it makes up by symmetry.
        kept = self.dbf.search(lambda p: not p.get("_generated_by_symmetry_option"))
        written = [c for c in self.commands if c.keyword == "PARAMETER"]
        if len(written) != len(kept):  # an abbreviation that only its grammar understands
            return [Entry(parameter_text(p), None, pieces(p["parameter"]), p) for p in kept]
        return [
            Entry(parameter_text(p), c.line, pieces(p["parameter"]), p, _constituents(c))
            for p, c in zip(kept, written, strict=True)
        ]


def span(low: float, high: float) -> str:
    """A range of temperature in words."""
    if low <= NO_LIMIT:
        return "at every temperature" if high == math.inf else f"up to {high:g} K"
    return f"from {low:g} K on" if high == math.inf else f"from {low:g} to {high:g} K"


def _constituents(command: Command) -> tuple[tuple[str, ...], ...]:
    """The constituent array of a PARAMETER as it is written."""
    array = command.body.partition("(")[2].partition(")")[0].partition(",")[2].split(";")[0]
    return tuple(
        tuple(name.strip() for name in names.split(",")) for names in array.strip(" :").split(":")
    )
