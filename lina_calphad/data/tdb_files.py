"""TDB files: their text, their commands with line numbers, and a Database or the true culprit."""

from __future__ import annotations

import contextlib
import io
import os
import re
import warnings
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycalphad import Database
from pycalphad.io import tdb as pycalphad_tdb
from pycalphad.io.tdb_keywords import TDB_KEYWORDS, expand_keyword

from lina_calphad.data.foreign_files import bounded, read_text
from lina_calphad.data.tdb_limits import excess
from lina_calphad.errors import DatabaseError
from lina_calphad.text import one_line

#: Bytes of a TDB; the largest public ones have three million.
LARGEST_TDB = 20_000_000
#: What it may take to parse one.
SECONDS = 25.0

#: What pycalphad makes nothing of.
_PROSE = (
    "LIST_OF_REFERENCES", "ADD_REFERENCES", "DATABASE_INFO", "ASSESSED_SYSTEMS", "VERSION_DATE",
)  # fmt: skip
#: What is read after everything else.
_LAST = ("TYPE_DEFINITION", "PARAMETER")
#: A command within another.
_SWALLOWED = re.compile(r" (?:ELEMENT|FUNCTION|PHASE|CONSTITUENT|PARAMETER) ")
_FORTRAN = re.compile(r"(?<![\w.])\d*\.?\d+D[+-]?\d+(?!\w)")


@dataclass(frozen=True)
class Command:
    """One command of a TDB text: its keyword written out, its words, and where it begins."""

    keyword: str
    body: str
    line: int

    @property
    def name(self) -> str:
        """What it defines: its second word, less the options of a phase."""
        return (self.body.split()[1:] or [""])[0].split(":")[0]


def read_tdb(path: str | os.PathLike[str]) -> Database:
    """The Database of a TDB file, in UTF-8, UTF-16 or an old encoding of eight bits.

    DatabaseError if it cannot be read; with the line at fault, where it is in a command.
    """
    return parse_tdb(read_tdb_text(path), str(path))[0]


def read_tdb_text(path: str | os.PathLike[str]) -> str:
    """The text of a TDB file; DatabaseError if it is none, or says what it is instead."""
    try:
        text = read_text(Path(path), strict=False, largest=LARGEST_TDB)
    except (OSError, ValueError) as error:
        raise DatabaseError(_cannot(str(path), getattr(error, "strerror", "") or error)) from error
    lines = text.split("\n", 2)
    if "!" not in text and len(lines) > 1 and re.fullmatch(r"[\s\d]+", lines[1]):
        what = "it is a ChemSage data file (.dat), which pycalphad reads with fmt='dat'"
        raise DatabaseError(_cannot(str(path), f"{what}: write it as TDB first"))
    return text


def parse_tdb(text: str, name: str = "the text") -> tuple[Database, list[str]]:
    """What pycalphad makes of a text, and what it warns of; `name` is for messages.

    DatabaseError if pycalphad cannot read it, or there is nothing in it.
    """
    commands = scan(text)[0]
    if reason := excess(commands):
        raise DatabaseError(_cannot(name, reason))
    try:
        with bounded(SECONDS):
            dbf, told = _parse(commands)
    except (TimeoutError, MemoryError) as error:
        raise DatabaseError(_cannot(name, error)) from error
    except Exception as error:  # pycalphad's parser raises whatever its parts raise
        raise DatabaseError(_cannot(name, _culprit(commands, error))) from error
    if not (dbf.elements or dbf.phases or dbf.symbols):
        raise DatabaseError(_cannot(name, "there is no ELEMENT, PHASE or FUNCTION in it"))
    return dbf, told


def scan(text: str) -> tuple[list[Command], list[tuple[int, str]], Command | None]:
    """The commands of a TDB, cut as pycalphad cuts them.

    Then line and text of every command that it does not see, behind another on its line; and the
    last command, if no exclamation mark closes it.
    """
    commands: list[Command] = []
    lost = []
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.upper().replace("\t", " ").split("\n"), 1):
        said, mark, rest = line.split("$", 1)[0].partition("!")
        if not parts:
            first = number
        if said.strip():
            parts.append(said)
        if mark:
            body = " " + " ".join(parts)
            commands += [Command(keyword(body), body, first)] if parts else []
            parts = []
            if "!" in rest and keyword(rest):
                lost.append((number, rest.strip()))
    if not parts:
        return commands, lost, None
    body = " " + " ".join(parts)
    unclosed = Command(keyword(body), body, first)
    return [*commands, unclosed], lost, unclosed


def keyword(text: str) -> str:
    """The TDB keyword that a text begins with, or an empty string."""
    word = re.split(r"[ ():,]", text.strip(), maxsplit=1)[0]
    try:
        (found,) = expand_keyword(TDB_KEYWORDS, word)
    except ValueError:  # none, or more than one
        return ""
    return str(found)


def _parse(commands: Sequence[Command]) -> tuple[Database, list[str]]:
    # pycalphad skips prose, and takes minutes over five megabytes of it.
    text = "".join(f"{c.keyword if c.keyword in _PROSE else c.body}!\n" for c in commands)
    # What it prints is in the way.
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        dbf = Database.from_string(text, fmt="tdb")
    return dbf, [str(w.message) for w in caught]


def _culprit(commands: Sequence[Command], error: Exception) -> str:
    """Line and words of the command at fault, and what is wrong with it.

    pycalphad reads commands one by one, parameters and type definitions last; it often does
    not say where it stopped.
    """
    grammar, dbf = pycalphad_tdb._tdb_grammar(), Database()
    dbf._typechar_map, dbf._typedefs_queue = pycalphad_tdb.defaultdict(list), []
    for command in commands:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                tokens = grammar.parse_string(command.body)
                pycalphad_tdb._TDB_PROCESSOR[tokens[0]](dbf, *tokens[1:])
        except Exception as found:
            return _told(command, found)
    rest = [c for c in commands if c.keyword not in _LAST]
    last = [c for c in commands if c.keyword in _LAST]

    def fails(count: int) -> bool:
        try:
            _parse([*rest, *last[:count]])
        except Exception:
            return True
        return False

    first = bisect(range(len(last) + 1), 0, key=fails)
    return _told(last[first - 1], error) if 0 < first <= len(last) else _reason(error)


def _told(command: Command, error: Exception) -> str:
    """Where the fault is, and what it is."""
    if not command.keyword:
        return f"line {command.line}: {command.body.strip()[:40]!r} is no command of a TDB"
    where = f"line {command.line}, {command.keyword} {command.name}"
    if fortran := _FORTRAN.search(command.body):
        number = fortran[0]
        return f"{where}: {number} is Fortran's; in a TDB it is {number.replace('D', 'E')}"
    if _SWALLOWED.search(command.body, len(command.keyword) + 1):
        return f"{where}: another command begins in it: the ! that closes it is missing"
    if isinstance(error, pycalphad_tdb.ParseException):
        behind = error.pstr[error.loc :].split("  ")[0].strip()[:40]
        wanted = "a number is expected" if "[0-9]" in error.msg else error.msg.lower()
        return f"{where}: {wanted}, found {behind!r}" if behind else f"{where}: {wanted}"
    return f"{where}: {_reason(error)}"


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is not defined where it is needed"
    return one_line(error) or type(error).__name__


def _cannot(name: str, reason: Any) -> str:
    text = re.sub("[^ -~]", "?", str(reason))
    return f"{name} cannot be read as a TDB: {text[:300]}"
