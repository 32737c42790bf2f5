"""Where descriptions of bcc Li-Na come from: assessments and TDB files, read and checked."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from pycalphad import Database

from lina_calphad.checks import SEARCH_RANGE
from lina_calphad.data.assessments import ELASTIC_FILE, assessments, load, read_shipped
from lina_calphad.data.databases import copy_elastic_data, has_elastic_data
from lina_calphad.errors import DatabaseError, OutsideAssessedRange

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPONENTS = ("LI", "NA")
PHASE = "BCC_A2"

#: What `lina-calphad export` writes at the head of a TDB.
EXPORTED = "$ COHERENT DESCRIPTION, EXPORTED BY LINA-CALPHAD"

Source = str | os.PathLike[str]


def short_names(sources: Sequence[Source]) -> list[str]:
    """A short name for each source, its full path where that is not unique."""
    given = [os.fspath(source) for source in sources]
    for name in given:
        if given.count(name) > 1:
            msg = f"{name} is named twice"
            raise DatabaseError(msg)
    short = [name if name in assessments() else Path(name).stem for name in given]
    return [
        name if short.count(name) == 1 else full for name, full in zip(short, given, strict=True)
    ]


def read_source(source: Source) -> Database:
    """A shipped assessment or a TDB file, with the shipped elastic data if it has none.

    Parameters
    ----------
    source
        Key of an assessment or path of a TDB file with LI, NA and BCC_A2.

    Returns
    -------
    pycalphad.Database

    Raises
    ------
    UnknownAssessment, DatabaseError
        If there is no such assessment or file, or it cannot be used.
    """
    return read_with_origin(source)[0]


def read_with_origin(
    source: Source, components: Sequence[str] = COMPONENTS, phases: Sequence[str] = (PHASE,)
) -> tuple[Database, bool]:
    """The database, and whether it came with elastic data of its own.

    Other components and phases than those of bcc Li-Na get no elastic data from us.
    """
    key = os.fspath(source)
    if key in assessments():
        return _checked(load(key), key, components, phases), True
    path = Path(source)
    if not path.is_file():
        if path.suffix.lower() == ".tdb" or path.name != key:
            msg = f"there is no TDB file {key}"
            raise DatabaseError(msg)
        load(key)  # says which assessments exist
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        dbf = Database.from_string(text, fmt="tdb")
    except Exception as error:  # pycalphad's parser raises whatever its parts raise
        reason = " ".join(str(error).split()) or type(error).__name__
        msg = f"{key} cannot be read as a TDB: {reason[:300]}"
        raise DatabaseError(msg) from error
    if EXPORTED in text:
        msg = f"{key} is an export and has coherency in it already: name what it was made from"
        raise DatabaseError(msg)
    _checked(dbf, key, components, phases)
    own = any(has_elastic_data(dbf, phase) for phase in phases)
    if not own and set(components) == set(COMPONENTS) and PHASE in dbf.phases:
        copy_elastic_data(read_shipped(ELASTIC_FILE), dbf)
    return dbf, own


def _checked(
    dbf: Database, name: str, components: Sequence[str], phases: Sequence[str]
) -> Database:
    for kind, wanted, there in (
        ("element", components, dbf.elements),
        ("phase", phases, dbf.phases),
    ):
        for each in wanted:
            if each not in there:
                msg = f"{name} has no {kind} {each}; it has {', '.join(sorted(there)) or 'none'}"
                raise DatabaseError(msg)
    return dbf


def range_notes(T: float, sources: Sequence[Source]) -> list[str]:
    """Warn of extrapolation, and say it in words; an error where `T` is outside every range."""
    known = assessments()
    ranges = {
        key: known[key].temperature_range if key in known else SEARCH_RANGE
        for key in [os.fspath(source) for source in sources]
    }
    outside = {key: r for key, r in ranges.items() if not r[0] <= T <= r[1]}
    texts = [
        f"{key} is assessed from {low:g} to {high:g} K" for key, (low, high) in outside.items()
    ]
    if len(outside) == len(ranges):
        msg = f"{T:g} K is outside the range of every assessment: {'; '.join(texts)}"
        raise OutsideAssessedRange(msg)
    notes = [f"{text}: its values at {T:g} K are extrapolated" for text in texts]
    for note in notes:
        warnings.warn(note, OutsideAssessedRange, stacklevel=4)
    return notes
