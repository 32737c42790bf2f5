"""What a TDB may take to be worked out: a description that is out of bounds gets a sentence."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from lina_calphad.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lina_calphad.data.tdb_files import Command

# The largest public databases stay far below each: 5 kB of text in a command, 300 operators in
# an expression, 60 ranges, functions nested 8 deep that make 3000 operators when written out.
LONGEST = 100_000  # characters of a FUNCTION or PARAMETER
MOST_OPERATORS = 1_500  # in one range: Python's parser stops at some 3000
MOST_RANGES = 1_000
LARGEST_EXPONENT = 1_000.0
LARGEST_ENERGY = 50_000  # operators of an energy when its functions are written out
DEEPEST = 60  # brackets within brackets

_POWER = re.compile(r"\*\*\s*(\(?\s*[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:E[-+]?\d+)?\s*\)?)?(\s*\*\*)?")
_OPERATOR = re.compile(r"[-+*/]+")
_WORD = re.compile(r"[A-Z_][A-Z0-9_]*")


def refuse_excess(commands: Iterable[Command]) -> None:
    """Refuse expressions that would take more time and memory than there is.

    Raises
    ------
    DatabaseError
        With the line, and with what is allowed.
    """
    sizes: dict[str, int] = {}
    needs: dict[str, Counter[str]] = {}
    where: dict[str, Command] = {}
    for command in commands:
        if command.keyword not in ("FUNCTION", "PARAMETER"):
            continue
        if reason := _excess(command.body):
            raise DatabaseError(f"{_place(command)}: {reason}")
        name = command.name if command.keyword == "FUNCTION" else f"{command.line}"
        where[name] = command
        sizes[name] = len(_OPERATOR.findall(command.body))
        needs[name] = Counter(_WORD.findall(command.body.partition(")")[2] or command.body))
    for name, size in written_out(sizes, needs).items():
        if size > LARGEST_ENERGY:
            reason = (
                f"written out with its functions it has {size:.2g} operators; "
                f"{LARGEST_ENERGY} are the most"
            )
            raise DatabaseError(f"{_place(where[name])}: {reason}")


def _excess(body: str) -> str:
    """Why an expression cannot be worked out, or an empty string."""
    if len(body) > LONGEST:
        return f"it is {len(body)} characters long; {LONGEST} are the most"
    ranges = body.split(";")
    if len(ranges) > MOST_RANGES:
        return f"it has {len(ranges)} ranges; {MOST_RANGES} are the most"
    depth = deepest = 0
    for mark in re.findall(r"[()]", body):
        depth += 1 if mark == "(" else -1
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        return f"it has {deepest} brackets within each other; {DEEPEST} are the most"
    for each in ranges:
        operators = len(re.findall(r"[-+*/]", each))
        if operators > MOST_OPERATORS:
            return f"it has {operators} operators in one range; {MOST_OPERATORS} are the most"
    of_brackets = 1.0
    for power in _POWER.finditer(body):
        number, again = power.groups()
        if again or (number is None and body[power.end() :].lstrip()[:1] == "("):
            return "it has a power of a power; work that out"
        exponent = abs(float(re.sub(r"[\s()]", "", number))) if number else 1.0
        if body[: power.start()].rstrip()[-1:] == ")":
            of_brackets *= max(1.0, exponent)
        if max(exponent, of_brackets) > LARGEST_EXPONENT:
            return f"it has a power of {max(exponent, of_brackets):g}; {LARGEST_EXPONENT:g} is the most"
    return ""


def written_out(sizes: Mapping[str, int], needs: Mapping[str, Counter[str]]) -> dict[str, int]:
    """Operators of each entry with those of the functions in it; a circle counts once."""
    total: dict[str, int] = {}
    for start in sizes:
        stack = [start]
        while stack:
            name = stack[-1]
            inner = [each for each in needs[name] if each in sizes and each not in total]
            inner = [each for each in inner if each not in stack]
            if inner:
                stack += inner
                continue
            stack.pop()
            total[name] = sizes[name] + sum(
                number * total.get(each, 0) for each, number in needs[name].items()
            )
    return total


def _place(command: Command) -> str:
    return f"line {command.line}, {command.keyword} {command.name}"
