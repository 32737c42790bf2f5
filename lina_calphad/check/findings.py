"""What a lint of a TDB file says: one finding after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that a TDB file says amiss.

    Parameters
    ----------
    severity
        "error" where programs disagree, or something is lost or taken for zero; "warning"
        where it is likely to be a slip; "note" for what a user should know.
    rule
        What was looked for, in a word or two.
    place
        The parameter, function, phase or element.
    line
        Its line in the file, where it has one.
    text
        What was found, with the values.
    advice
        What to do.
    """

    severity: Severity
    rule: str
    place: str
    line: int | None
    text: str
    advice: str

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.severity}: {self.place}{line}: {self.text}: {self.advice}"
