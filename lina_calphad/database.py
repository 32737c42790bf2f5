"""What pycalphad's Database lacks: a copy, taking parameters out, the sublattice that mixes."""

from __future__ import annotations

import pickle
import re
from typing import TYPE_CHECKING, Any

from lina_calphad.errors import DatabaseError, UnsupportedPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pycalphad import Database


def copy_database(dbf: Database) -> Database:
    """A copy that shares nothing with the original."""
    # deepcopy of a pycalphad Database shares its phases and functions with the original.
    return pickle.loads(pickle.dumps(dbf))  # noqa: S301 - our own bytes


def tdb_body(dbf: Database) -> str:
    """A database as TDB text, from its first ELEMENT on."""
    text: str = dbf.to_string(fmt="tdb", if_incompatible="fix")
    # pycalphad opens with the date and the user's name.
    start = re.search(r"(?m)^ELEMENT ", text)
    return text[start.start() if start else 0 :]


def mixing_sublattice(dbf: Database, phase: str, active: set[str] | None = None) -> int:
    """Index of the one sublattice of `phase` that holds more than one species.

    Parameters
    ----------
    dbf
        The database.
    phase
        Name of a phase of it.
    active
        Names of the species to consider; all by default.

    Returns
    -------
    int
        The index; of the first sublattice with an element where nothing mixes.

    Raises
    ------
    DatabaseError
        If the database has no such phase.
    UnsupportedPhase
        If more than one sublattice mixes, or if the mixing one holds vacancies.
    """
    if phase not in dbf.phases:
        msg = f"the database has no phase {phase}; it has {', '.join(sorted(dbf.phases)) or 'none'}"
        raise DatabaseError(msg)
    if dbf.phases[phase].constituents is None:
        msg = f"{phase} has no CONSTITUENT line: nothing is in it"
        raise UnsupportedPhase(msg)
    sublattices = [
        {species.name for species in sublattice if active is None or species.name in active}
        for sublattice in dbf.phases[phase].constituents
    ]
    if not all(sublattices):
        msg = f"a sublattice of {phase} holds nothing of {', '.join(sorted(active or ()))}"
        raise UnsupportedPhase(msg)
    mixing = [index for index, names in enumerate(sublattices) if len(names) > 1]
    text = " : ".join(", ".join(sorted(names)) for names in sublattices)
    if len(mixing) > 1:
        msg = f"{phase} mixes on {len(mixing)} sublattices ({text}); one is supported"
        raise UnsupportedPhase(msg)
    if mixing and "VA" in sublattices[mixing[0]]:
        msg = f"{phase} mixes vacancies with atoms ({text}); a substitutional solution is supported"
        raise UnsupportedPhase(msg)
    occupied = [index for index, names in enumerate(sublattices) if names != {"VA"}]
    if not occupied:
        msg = f"{phase} holds nothing but vacancies"
        raise UnsupportedPhase(msg)
    return (mixing or occupied)[0]


def filling(names: Sequence[str]) -> list[str]:
    """What stands for a sublattice that does not mix: vacancies, or else its first species."""
    return ["VA"] if "VA" in names else sorted(names)[:1]


def remove_parameters(dbf: Database, condition: Callable[[Mapping[str, Any]], bool]) -> None:
    """Take the parameters that meet a condition out of a database."""
    # pycalphad has no public way to do this; its own Model reaches in here too.
    dbf._parameters.remove(condition)
