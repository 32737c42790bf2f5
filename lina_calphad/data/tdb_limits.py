"""What a TDB may take to be worked out: a description that is out of bounds gets a sentence."""

from __future__ import annotations

import re
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from lina_calphad.data.databases import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lina_calphad.data.tdb_files import Command

# The 40 files that come with pycalphad, COST507 among them, stay far below each: 1 kB of text in a
# command, 32 operators in a range, 7 ranges, 807 operators and 9 functions when written out.
LONGEST = 100_000  # characters of a FUNCTION or PARAMETER
MOST_OPERATORS = 1_500  # in one range: Python's parser stops at some 3000
MOST_RANGES = 1_000
LARGEST_EXPONENT = 1_000.0
LARGEST_ENERGY = 50_000  # operators of an energy when its functions are written out
MOST_PIECEWISE = 400  # functions in several ranges, likewise: compiling takes their square
DEEPEST = 60  # brackets within brackets

_NUMBER = r"[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:E[-+]?\d+)?"
_POWER = re.compile(rf"\*\*\s*({_NUMBER}|\(\s*{_NUMBER}\s*\))?(\s*\*\*)?")
_OPERATOR = re.compile(r"[-+*/]")
_WORD = re.compile(r"[A-Z_][A-Z0-9_]*")


def excess(commands: Iterable[Command]) -> str:
    """What would take more time and memory than there is, with its line; or an empty string."""
    sizes: dict[str, tuple[int, int]] = {}
    needs: dict[str, Counter[str]] = {}
    places: dict[str, str] = {}
    for command in commands:
        if command.keyword not in ("FUNCTION", "PARAMETER"):
            continue
        place = f"line {command.line}, {command.keyword} {command.name}: "
        if reason := _too_much(command.body):
            return place + reason
        name = command.name if command.keyword == "FUNCTION" else place
        places[name] = place
        sizes[name] = len(_OPERATOR.findall(command.body)), command.body.count(";") > 1
        needs[name] = Counter(_WORD.findall(command.body.partition(")")[2] or command.body))
    for name, (operators, functions) in written_out(sizes, needs).items():
        if operators > LARGEST_ENERGY:
            whole = f"written out with its functions it has {operators:.2g} operators"
            return f"{places[name]}{whole}; {LARGEST_ENERGY} are the most"
        if functions > MOST_PIECEWISE:
            whole = f"it is made of {functions} functions in several ranges"
            return f"{places[name]}{whole}; {MOST_PIECEWISE} are the most"
    return ""


def _too_much(body: str) -> str:
    """Why an expression cannot be worked out, or an empty string."""
    if len(body) > LONGEST:  # which alone bounds the time of what follows
        return f"it is {len(body)} characters long; {LONGEST} are the most"
    ranges = body.split(";")
    depths = accumulate((1 if mark == "(" else -1 for mark in re.findall("[()]", body)), initial=0)
    for number, most, what in (
        (len(ranges), MOST_RANGES, "ranges"),
        (max(depths), DEEPEST, "brackets within each other"),
        (max(len(_OPERATOR.findall(e)) for e in ranges), MOST_OPERATORS, "operators in one range"),
    ):
        if number > most:
            return f"it has {number} {what}; {most} are the most"
    of_brackets = 1.0
    for power in _POWER.finditer(body):
        given, again = power.groups()
        if again or (given is None and body[power.end() :].lstrip()[:1] == "("):
            return "it has a power of a power; work that out"
        exponent = abs(float(re.sub(r"[\s()]", "", given))) if given else 1.0
        if body[: power.start()].rstrip()[-1:] == ")":
            of_brackets *= max(1.0, exponent)
        if max(exponent, of_brackets) > LARGEST_EXPONENT:
            worst = max(exponent, of_brackets)
            return f"it has a power of {worst:g}; {LARGEST_EXPONENT:g} is the most"
    return ""


def written_out(
    sizes: Mapping[str, tuple[int, ...]], needs: Mapping[str, Counter[str]]
) -> dict[str, tuple[int, ...]]:
    """Sizes of each entry with those of the functions in it; a circle counts once."""
    total: dict[str, tuple[int, ...]] = {}
    for name in dict.fromkeys([*in_order(needs), *sizes]):
        inner = [[n * size for size in total[e]] for e, n in needs[name].items() if e in total]
        total[name] = tuple(map(sum, zip(sizes[name], *inner, strict=True)))
    return total
