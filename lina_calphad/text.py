"""Text from elsewhere (names of files and cells, lines of a TDB), made fit to be shown."""

from __future__ import annotations

import unicodedata

_ASCII = str.maketrans({
    "±": "+/-", "µ": "u", "μ": "u", "ν": "nu", "°": "deg ", "×": "x", "–": "-", "−": "-",
    "…": "...", "⟨": "<", "⟩": ">", "Å": "A", "→": "->", "≤": "<=", "≥": ">=", "·": ".",
})  # fmt: skip

_LONGEST = 1000


def printable(text: object) -> str:
    r"""The text without control characters, and with a mark for bytes that are no characters.

    A terminal obeys what follows an escape, and no encoding writes half a character.

    Examples
    --------
    >>> printable("a\x1b[2Jb\udcff.tdb")
    'a[2Jb�.tdb'
    """
    kept = (c for c in str(text) if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in kept)


def one_line(text: object) -> str:
    """The text, printable, on one line of a thousand letters at most."""
    line = " ".join(printable(text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 4]} ..."


def counted(number: int, what: str) -> str:
    """Such as 1 note, 2 notes."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def spelled_in_ascii(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks; an error handler of `codecs`."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end].translate(_ASCII)
    plain = unicodedata.normalize("NFKD", lacking)
    return "".join(c if c.isascii() else "?" for c in plain), error.end
