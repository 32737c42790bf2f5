"""Write a coherent diagram as a plain TDB, for programs that do not have our model."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pycalphad import Database, Model
from pycalphad import variables as v
from symengine import And, E, Piecewise, Pow, S, exp, log

from lina_calphad import __version__
from lina_calphad.data.assessments import EXPORTED
from lina_calphad.data.databases import (
    CONSTANTS,
    array_names,
    check_expression,
    check_functions,
    constituent_array,
    copy_database,
    in_branches,
    mixing_sublattice,
    parameter_text,
    remove_parameters,
    tdb_body,
)
from lina_calphad.errors import DatabaseError, ElasticDataError
from lina_calphad.output import write_text
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import build_model
from lina_calphad.text import printable

_HEADER = """\
{exported} {version}
$
{source}
$
$ CAHN'S COHERENCY ENERGY IS IN THE INTERACTION PARAMETER: L0 STANDS FOR
$ L0 - B, SO THAT THE MISCIBILITY GAP AND THE SPINODAL WITHIN THIS PHASE ARE
$ THE COHERENT ONES. NOTHING ELSE IS: ITS EQUILIBRIA WITH OTHER PHASES ARE
$ NOT, FOR A HOMOGENEOUS SOLID CARRIES NO COHERENCY ENERGY. TAKE THE ORIGINAL
$ FOR THOSE. DO NOT ADD A COHERENCY ENERGY TO THIS FILE AGAIN.
$
$ PLANE OF THE COMPOSITION WAVE: {plane}. IN GPA AND J/MOL OF FORMULA UNITS:
{shifts}
$
$ LICENCE AND VALIDITY ARE THOSE OF THE ORIGINAL; LINA-CALPHAD'S OWN DATA ARE
$ CC-BY-4.0.

"""
_REFERENCES = """
LIST_OF_REFERENCES
NUMBER   SOURCE
SOURCE   'AS IN THE ORIGINAL, NAMED IN THE HEADER'
COHERENT 'L0 OF THE ORIGINAL LESS THE COHERENCY COEFFICIENT B;
         J.W. CAHN, ACTA METALL. 10 (1962) 179-183'
!
"""


def export_coherent_tdb(
    dbf: Database,
    path: str | os.PathLike[str],
    *,
    phase: str = "BCC_A2",
    components: Sequence[str] = ("LI", "NA"),
    model: type[CoherentModel] = CoherentModel,
    source: str = "A DATABASE",
    overwrite: bool = False,
) -> Path:
    """Write the coherent description of a phase as a TDB that any Calphad program reads.

    B x² and -B x (1 - x) differ by a term linear in x, and the latter is a shift
    of ⁰L by -B: the chemical gap of the exported phase is the coherent gap of the
    original. Its equilibria with other phases have no meaning; see `CoherentModel`.

    Parameters
    ----------
    dbf
        A database with elastic data of `phase`. It is not changed.
    path
        The file to write.
    phase
        The phase to make coherent.
    components
        Its elements.
    model
        `CoherentModel` or a subclass of it (another plane, another host).
    source
        What `dbf` is and where its elastic data come from, for the header.
    overwrite
        Replace an existing file.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    ElasticDataError, UnsupportedPhase
        As of `CoherentModel`.
    DatabaseError
        If the phase has two parameters ⁰L of one pair, the database holds what a TDB cannot,
        or the file would not reproduce the energy of the model.
    OutputError
        If the file exists and `overwrite` is not set, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from lina_calphad import BinarySolution, load
    >>> from pycalphad import Database
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plain = Database(str(export_coherent_tdb(load("santos2025"), f"{folder}/coherent.tdb")))
    >>> BinarySolution(plain, ("LI", "NA"), "BCC_A2").spinodal(300.0)
    <Spinodal at 300 K: x = 0.0579521 and 0.570563>
    """
    phase = phase.upper()
    elements = [element.upper() for element in components]
    mixing_sublattice(dbf, phase, {*elements, "VA"})
    check_functions(dbf, [phase], elements)
    built = build_model(model, dbf, elements, phase)
    plain = copy_database(dbf)
    remove_parameters(plain, lambda p: p["parameter_type"] in (*CONSTANTS, "LPX"))
    changed = tuple(_shift(plain, phase, pair, b) for pair, b in built.coherency.items())
    used = {**built.constants, **{f"B({i},{j})": b for (i, j), b in built.coherency.items()}}
    text = printable(f"PHASE {phase}, MADE FROM {source}".upper())
    header = _HEADER.format(
        exported=EXPORTED,
        version=__version__,
        source=textwrap.fill(text, 76, initial_indent="$ ", subsequent_indent="$   "),
        plane=" ".join(f"{index:g}" for index in model.plane),
        shifts="\n".join(f"$   {name} = {value}".upper()[:78] for name, value in used.items()),
    )
    # pycalphad gives no references.
    body = re.sub(
        r"PARAMETER[^!]*!", lambda match: _with_reference(match[0], changed), _written(plain)
    )
    _check(header + body + _REFERENCES, dbf, model, elements, phase)
    text = header + body + _REFERENCES
    return write_text(path, text, overwrite=overwrite, mark=EXPORTED)


def _shift(dbf: Database, phase: str, pair: tuple[str, str], b: Any) -> str:
    """Subtract `b` from the regular-solution parameter of a pair, and say how that begins."""
    array = constituent_array(dbf, phase, pair)

    def is_theirs(p: Any) -> bool:
        return bool(
            p["phase_name"] == phase
            and p["parameter_type"] in ("G", "L")
            and p["parameter_order"] == 0
            and array_names(p) == array
        )

    old = [p["parameter"] for p in dbf.search(is_theirs)]
    if len(old) > 1:
        raise DatabaseError(
            f"{phase} has {len(old)} parameters L0 of {' and '.join(pair)}: pycalphad adds them "
            "up, other programs take one. Make them one"
        )
    if b.atoms(Piecewise):
        raise ElasticDataError(
            "the elastic data have ranges of temperature, which cannot be put into L0: give one"
        )
    # A TDB knows integer powers only, and the misfit is a cube root of volumes.
    powers = {p: exp(p.args[1] * log(p.args[0])) for p in b.atoms(Pow) if p.args[0] != E}
    b = b.xreplace({p: e for p, e in powers.items() if float(p.args[1]) % 1})
    remove_parameters(dbf, is_theirs)
    dbf.add_parameter("G", phase, array, 0, in_branches(old[0] if old else S.Zero, lambda e: e - b))
    return f"PARAMETER G({phase},{':'.join(','.join(names) for names in array)};0)"


def _written(dbf: Database) -> str:
    """The text of a database; an error that says what a TDB cannot hold."""
    for name, phase in dbf.phases.items():
        if phase.constituents is None:
            raise DatabaseError(
                f"{name} has no CONSTITUENT line: give it one, or take the phase out"
            )
    everything = [(f"FUNCTION {name}", e) for name, e in dbf.symbols.items()]
    everything += [(parameter_text(p), p["parameter"]) for p in dbf.search(lambda _: True)]
    for name, expression in everything:
        check_expression(name, expression)
        ranges = expression.args[1::2] if isinstance(expression, Piecewise) else ()
        if not all(isinstance(limits, And) or limits == S.true for limits in ranges):
            raise DatabaseError(
                f"{name} has a range of temperature that lacks a limit: {str(expression)[:100]}"
            )
    try:
        return tdb_body(dbf)
    except Exception as error:  # pycalphad's writer raises whatever its parts raise
        raise DatabaseError(
            f"pycalphad cannot write this database as a TDB: {type(error).__name__}: {error}"
        ) from error


def _check(
    text: str, original: Database, model: type[CoherentModel], elements: Sequence[str], phase: str
) -> None:
    """Read the file's text back, and hold its energy against the model's."""
    try:
        read = Database.from_string(text, fmt="tdb")
    except Exception as error:  # so does its parser
        raise DatabaseError(
            f"{phase} cannot be exported: what pycalphad writes it cannot read: {error}"
        ) from error
    gauge = type("Endmembers", (model,), {"gauge": "endmembers"})
    # Unequal fractions, so that no term of odd order vanishes.
    total = len(elements) * (len(elements) + 1) / 2
    fractions = {element: (i + 1) / total for i, element in enumerate(elements)}
    for T in (100.0, 300.0, 1000.0):
        energies = []
        for kind, dbf in ((Model, read), (gauge, original)):
            built = kind(dbf, [*elements, "VA"], phase)
            at = {y: fractions.get(y.species.name, 1.0) for y in built.site_fractions}
            energies.append(float(built.GM.xreplace(at | {v.T: T, v.P: 101325.0}).n()))
        # A comparison with NaN is false.
        if not abs(energies[0] - energies[1]) <= 1e-9 * max(1.0, abs(energies[1])):
            raise DatabaseError(
                f"{phase} cannot be exported: at {T:g} K its energy would be {energies[0]:g} "
                f"J/mol as a plain TDB, not {energies[1]:g}"
            )


def _with_reference(command: str, changed: tuple[str, ...]) -> str:
    """Close a PARAMETER with the key of its reference, within 78 characters a line."""
    key = "COHERENT" if command.startswith(changed) else "SOURCE"
    body = command.removesuffix("!").rstrip()
    last = len(body.rsplit("\n", 1)[-1])
    return f"{body}{' ' if last + len(key) < 76 else chr(10) + '  '}{key} !"
