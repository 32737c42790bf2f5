"""What a lint of a TDB file says: one finding after another, each of a rule of rules.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

_NAMED = 8  # of many lines, parameters or phases


@dataclass(frozen=True)
class Finding:
    """One thing that a TDB file says amiss, by a rule of rules.toml."""

    severity: Severity
    rule: str
    place: str  # the parameter, function, phase or element
    line: int | None  # of the file, where it has one
    text: str
    advice: str

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.severity}: {self.place}{line}: {self.text}: {self.advice}"


@cache
def rules() -> dict[str, dict[str, Any]]:
    """Severity, text and advice of each rule, by its name."""
    text = (files("lina_calphad.check") / "rules.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def found(
    rule: str, place: str, line: int | None, severity: Severity | None = None, **values: Any
) -> Finding:
    """A finding of a rule, its text filled in with the values."""
    said = rules()[rule]
    text = said["text"].format(**values)
    return Finding(
        severity or said["severity"], rule.split(",")[0], place, line, text, said["advice"]
    )


def listed(names: Sequence[object], separator: str = ", ") -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return separator.join(map(str, names[:_NAMED])) + more
