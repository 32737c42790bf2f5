"""Assessments and other sources of bcc Li-Na: what is known of them, reading one, its range."""

from __future__ import annotations

import json
import os
import tomllib
import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from lina_calphad.checks import SEARCH_RANGE
from lina_calphad.data.databases import copy_elastic_data, has_elastic_data
from lina_calphad.data.datasets import shipped_datasets
from lina_calphad.data.elasticity import CubicElasticity
from lina_calphad.data.foreign_files import shipped
from lina_calphad.data.invariants import invariants_of
from lina_calphad.data.tables import HandbookConstants, LatticeConstants, MadeAnode
from lina_calphad.errors import DatabaseError, OutsideAssessedRange, UnknownAssessment
from lina_calphad.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycalphad import Database

COMPONENTS = ("LI", "NA")
PHASE = "BCC_A2"
#: What `lina-calphad export` writes at the head of a TDB.
EXPORTED = "$ COHERENT DESCRIPTION, EXPORTED BY LINA-CALPHAD"

Source = str | os.PathLike[str]


@dataclass(frozen=True)
class Published:
    """One number as its source prints it, or as we read its words.

    Parameters
    ----------
    quantity
        What it is, unique within one source.
    value
        The number, in `unit`.
    tolerance
        Half the last printed digit or the source's own uncertainty, in `unit`.
    unit
        Unit of `value` and `tolerance`; "1" for mole fractions.
    where
        Where in the source it stands, with the conditions.
    reading
        If the source has words and no number: how we read them. Value and tolerance are
        ours then.
    doubt
        Why it is not held against the computed value, if so: the source contradicts itself,
        or the result that it speaks of.
    """

    quantity: str
    value: float
    tolerance: float
    unit: str
    where: str
    reading: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Assessment:
    """A published description of Li-Na: one TDB and one block of `assessments.toml`.

    Parameters
    ----------
    key
        What `load` takes.
    title, citation, doi
        The source. `doi` is None where it is not known to us.
    files
        Names of the TDB files, Gibbs energies first, then elastic data.
    temperature_range
        Range in K the description was made for.
    basis
        What the parameters rest on, and what is not known of them.
    recommended_for
        When to use it.
    published
        Numbers its source prints.
    substitution_error
        Standard error in eV of each substitution energy that the bcc parameters rest on;
        None where we have no ground for one.
    colour
        Of its curves; None for the next one.
    """

    key: str
    title: str
    citation: str
    doi: str | None
    files: tuple[str, ...]
    temperature_range: tuple[float, float]
    basis: str
    recommended_for: str
    published: tuple[Published, ...]
    substitution_error: float | None = None
    colour: str | None = None

    def __repr__(self) -> str:
        return f"<Assessment {self.key}: {self.citation}>"


class Origin(NamedTuple):
    """Where a description comes from.

    Parameters
    ----------
    source
        In one line: key and citation of an assessment, or the name of a file.
    elastic
        A sentence where a file has no elastic data and took the shipped ones, else "".
    """

    source: str
    elastic: str = ""


def tdb_folder() -> Path:
    """Folder of the shipped TDB files."""
    return shipped("tdb")


@lru_cache(maxsize=4)
def _table(folder: Path) -> dict[str, Any]:
    """What `assessments.toml` of a folder says, its assessments made into objects."""
    file = folder / "assessments.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        table["assessments"] = MappingProxyType(
            {
                key: _assessment(key, block, table["elastic"])
                for key, block in table["assessments"].items()
            }
        )
        if unknown := set(table["compared"]) - set(table["assessments"]):
            raise ValueError(f"{', '.join(sorted(unknown))} is compared and not there")
    except (OSError, ValueError, TypeError, KeyError) as error:
        lacks = "there is no entry " if isinstance(error, KeyError) else ""
        raise DatabaseError(f"{file} cannot be used: {lacks}{error}") from error
    return table


def _assessment(key: str, block: dict[str, Any], elastic: str) -> Assessment:
    low, high = block.pop("temperature_range")
    tdb_files = block.pop("file"), block.pop("elastic", elastic)
    published = tuple(Published(**entry) for entry in block.pop("published", ()))
    doi = block.pop("doi", None)
    return Assessment(
        key, doi=doi, files=tdb_files, temperature_range=(float(low), float(high)),
        published=published, **block,
    )  # fmt: skip


def _measured(dataset: str, row: str, what: str | int, **entry: str) -> Published:
    """A measured number with its standard error, from the dataset that has it."""
    there = json.loads(shipped_datasets()[dataset].read_text(encoding="utf-8"))
    (found,) = (one for one in invariants_of(there, COMPONENTS) if one.name == row)
    value, error = (
        (found.T, found.T_error) if isinstance(what, str) else (found.x[what], found.x_error[what])
    )
    return Published(value=value, tolerance=error, **entry)


def assessments() -> Mapping[str, Assessment]:
    """List the shipped assessments.

    Returns
    -------
    Mapping[str, Assessment]
        By key, oldest first.

    Examples
    --------
    >>> list(assessments())
    ['zhang2003', 'santos2025', 'lina2026']
    >>> assessments()["santos2025"].recommended_for
    'the results of the paper of 2025; for predictions take lina2026'
    """
    found: Mapping[str, Assessment] = _table(tdb_folder())["assessments"]
    return found


def compared() -> tuple[str, ...]:
    """Keys of what is compared where nothing is named, the reference first."""
    return tuple(_table(tdb_folder())["compared"])


#: Key of the assessment to predict with, where nothing is named.
PREFERRED: str = _table(tdb_folder())["preferred"]
#: The elastic data that assessments share.
ELASTIC_FILE: str = _table(tdb_folder())["elastic"]
#: Measured invariants of Li-Na.
MEASURED = tuple(_measured(**entry) for entry in _table(tdb_folder())["measured"])
#: Cubic constants of Li and Na, measured and computed.
HANDBOOK_ELASTICITY = tuple(
    HandbookConstants(elasticity=CubicElasticity(*entry.pop("constants")), **entry)
    for entry in _table(tdb_folder())["elasticity"]
)  # fmt: skip
#: Anodes of Li-Na that were made.
MADE_ANODES = tuple(MadeAnode(**entry) for entry in _table(tdb_folder())["anodes"])
#: Lattice constants beside those of eq. 12 of Santos 2025, which are in `ELASTIC_FILE`.
LATTICE_CONSTANTS = tuple(LatticeConstants(**entry) for entry in _table(tdb_folder())["lattice"])


def load(key: str, *, elastic: bool = True) -> Database:
    """Load a shipped assessment as a pycalphad Database.

    Parameters
    ----------
    key
        Key of an assessment; see `assessments`.
    elastic
        Whether to add the elastic data of BCC_A2 (V0, C11, C12, C44), which
        `CoherentModel` reads and every other model ignores.

    Returns
    -------
    pycalphad.Database
        A database of its own: change it as you like.

    Raises
    ------
    UnknownAssessment
        If no assessment has this key.

    Examples
    --------
    >>> dbf = load("santos2025")
    >>> sorted(dbf.phases)
    ['BCC_A2', 'FCC_A1', 'HCP_A3', 'LIQUID']
    """
    known = assessments()
    if key not in known:
        near = get_close_matches(key.lower(), known, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        if key.lower().endswith(".tdb"):
            hint = "; a TDB file of your own is read by pycalphad.Database"
        raise UnknownAssessment(
            f"no assessment is called {key!r}; there are {', '.join(known)}{hint}"
        )
    gibbs, elastic_file = known[key].files
    dbf = read_shipped(gibbs)
    if elastic:
        copy_elastic_data(_elastic(elastic_file), dbf)
    return dbf


def read_shipped(name: str) -> Database:
    """Read one of the shipped TDB files by its name."""
    from lina_calphad.data.tdb_files import read_tdb

    return read_tdb(tdb_folder() / name)


@cache
def _elastic(name: str) -> Database:
    """Elastic data that assessments share; to be read from, not changed."""
    return read_shipped(name)


def read(
    source: Source, components: Sequence[str] = COMPONENTS, phases: Sequence[str] = (PHASE,)
) -> tuple[Database, Origin]:
    """An assessment or a TDB file, checked for what is used of it.

    A file of bcc Li-Na without elastic data takes the shipped ones.

    Parameters
    ----------
    source
        Key of an assessment or path of a TDB file.
    components, phases
        What it must hold. The functions that these phases and LIQUID need must be there.

    Returns
    -------
    Database
    Origin
        Where it comes from, and whether the elastic data are the shipped ones.

    Raises
    ------
    UnknownAssessment, DatabaseError, UnsupportedPhase
        If there is no such assessment or file, or it cannot be used.

    Examples
    --------
    >>> read("zhang2003")[1].source
    'zhang2003: S. Zhang, D. Shin, Z.-K. Liu, Calphad 27 (2003) 235-241'
    """
    from lina_calphad.data.databases import check_functions
    from lina_calphad.data.tdb_files import read_tdb, read_tdb_text

    key, path = os.fspath(source), Path(source)
    if key in assessments():
        dbf, origin = load(key), Origin(f"{key}: {assessments()[key].citation}")
    else:
        if not path.exists():
            if path.suffix.lower() == ".tdb" or path.name != key:
                raise DatabaseError(f"there is no TDB file {key}")
            load(key)  # says which assessments exist
        if EXPORTED in read_tdb_text(path):
            raise DatabaseError(
                f"{key} is an export and has coherency in it already: name what it was made from"
            )
        dbf, origin = read_tdb(path), Origin(path.name)
    for kind, wanted, there in (
        ("element", components, dbf.elements - {"/-"}),
        ("phase", phases, dbf.phases),
    ):
        for each in wanted:
            if each not in there:
                raise DatabaseError(
                    f"{key} has no {kind} {each}; it has {', '.join(sorted(there)) or 'none'}"
                )
    check_functions(dbf, [*phases, *{"LIQUID"} & dbf.phases.keys()], components)
    own = any(has_elastic_data(dbf, phase) for phase in phases)
    if not own and set(components) == set(COMPONENTS) and PHASE in dbf.phases:
        copy_elastic_data(_elastic(ELASTIC_FILE), dbf)
        short = path.stem if path.suffix else key
        note = f"{short} has no elastic constants: all of {ELASTIC_FILE} is used"
        origin = origin._replace(elastic=note)
    return dbf, origin


def read_source(source: Source) -> Database:
    """The database alone; see `read`."""
    return read(source)[0]


def read_with_origin(
    source: Source, components: Sequence[str] = COMPONENTS, phases: Sequence[str] = (PHASE,)
) -> tuple[Database, bool]:
    """The database, and whether it came with elastic data of its own; see `read`."""
    dbf, origin = read(source, components, phases)
    return dbf, any(has_elastic_data(dbf, phase) for phase in phases) and not origin.elastic


def short_names(sources: Sequence[Source]) -> list[str]:
    """A short name for each source, its full path where that is not unique; fit to be shown."""
    given = [os.fspath(source) for source in sources]
    for name in given:
        if given.count(name) > 1:
            raise DatabaseError(f"{name} is named twice")
    short = [name if name in assessments() else Path(name).stem for name in given]
    names = [
        printable(name if short.count(name) == 1 else full)
        for name, full in zip(short, given, strict=True)
    ]
    # Bytes that are no characters look alike.
    return [
        name if names.count(name) == 1 else f"{name} {i}" for i, name in enumerate(names, start=1)
    ]


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
        raise OutsideAssessedRange(
            f"{T:g} K is outside the range of every assessment: {'; '.join(texts)}"
        )
    notes = [f"{text}: its values at {T:g} K are extrapolated" for text in texts]
    for note in notes:
        warnings.warn(note, OutsideAssessedRange, stacklevel=4)
    return notes
