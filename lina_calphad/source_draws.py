"""What is known of the parameters of an assessment or a TDB file: draws, where there are any."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lina_calphad.draws import ParameterDraws
from lina_calphad.errors import DatabaseError, ParameterError
from lina_calphad.family import symbol_value
from lina_calphad.interactions import free_interactions
from lina_calphad.registry import assessments
from lina_calphad.sources import COMPONENTS, PHASE
from lina_calphad.supercells import EV_IN_J_PER_MOL, finite_difference

if TYPE_CHECKING:
    from pycalphad import Database

    from lina_calphad.sources import Source

#: Draws of a shipped assessment: enough for a figure and two digits of a factor.
DRAWS = 2000


def draws_file(source: Source) -> Path:
    """Where the draws of a TDB file are looked for: `my_draws.csv` beside `my.tdb`."""
    path = Path(source)
    return path.with_name(f"{path.stem}_draws.csv")


def source_draws(source: Source, dbf: Database) -> tuple[Database, ParameterDraws] | None:
    """A database with its uncertain parameters as symbols, and draws of them.

    Parameters
    ----------
    source
        Key of an assessment or path of a TDB file.
    dbf
        Its database.

    Returns
    -------
    (pycalphad.Database, ParameterDraws) or None
        For an assessment, 2000 draws from its `substitution_error`; for a TDB file, those
        of its `draws_file`. None where the assessment has no error, or the file is not there.

    Raises
    ------
    ParameterError
        If the file is no table of draws, or they are of symbols that are no numbers in `dbf`.

    Examples
    --------
    >>> from lina_calphad import load
    >>> dbf, draws = source_draws("santos2025", load("santos2025"))
    >>> draws
    <ParameterDraws: 2000 of BCCL0 = ...>
    >>> source_draws("zhang2003", load("zhang2003"))
    """
    known = assessments().get(os.fspath(source))
    if known:
        return _from_error(dbf, known.substitution_error) if known.substitution_error else None
    path = draws_file(source)
    if not path.is_file():
        return None
    draws = ParameterDraws.from_table(path)
    for name in draws.symbols:
        try:
            symbol_value(dbf, name)
        except DatabaseError as error:
            msg = f"{path} does not fit {os.fspath(source)}: {error}"
            raise ParameterError(msg) from error
    return dbf, draws


def draws_note(name: str, source: Source, draws: ParameterDraws | None) -> str:
    """What to know of the bands of a source called `name`, or why it has none."""
    known = assessments().get(os.fspath(source))
    if draws is None:
        why = (
            "its source states no uncertainty"
            if known
            else f"there is no table of draws {draws_file(source)}"
        )
        return f"{name} has no bands: {why}"
    if known:
        error = f"{known.substitution_error:g} eV for each substitution energy"
        return f"bands of {name}: {error}, which is our assumption; its source states none"
    return f"bands of {name}: {len(draws)} draws of {', '.join(draws.symbols)}"


def _from_error(dbf: Database, error: float) -> tuple[Database, ParameterDraws]:
    """Draws from independent errors of the two substitution energies."""
    freed, mean = free_interactions(dbf, PHASE, COMPONENTS)
    L0, L1 = mean.values()
    energies = (L0 + L1) / EV_IN_J_PER_MOL, (L0 - L1) / EV_IN_J_PER_MOL
    covariance = finite_difference(*energies).covariance(error)
    return freed, ParameterDraws.from_covariance(mean, covariance, DRAWS)
