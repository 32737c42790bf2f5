"""Write a coherent diagram as a plain TDB, for programs that do not have our model."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from pycalphad import Database, Model
from pycalphad import variables as v
from symengine import E, Piecewise, Pow, S, exp, log

from lina_calphad import __version__
from lina_calphad.data.databases import (
    CONSTANTS,
    copy_database,
    filling,
    mixing_sublattice,
    remove_parameters,
    tdb_body,
)
from lina_calphad.data.sources import EXPORTED
from lina_calphad.errors import DatabaseError, ElasticDataError
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.output import write_text

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

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
$ PLANE OF THE COMPOSITION WAVE: {plane}. J/MOL OF FORMULA UNITS:
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
        What `dbf` is, for the header.
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
        If the phase has two parameters ⁰L of one pair, or the file would not
        reproduce the energy of the model.
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
    coherency = model(dbf, [*elements, "VA"], phase).coherency
    plain = copy_database(dbf)
    remove_parameters(plain, lambda p: p["parameter_type"] in CONSTANTS)
    index = mixing_sublattice(plain, phase, {*elements, "VA"})
    changed = [_shift(plain, phase, index, pair, b) for pair, b in coherency.items()]
    shifts = "\n".join(f"$   B({i},{j}) = {b}".upper()[:78] for (i, j), b in coherency.items())
    header = _HEADER.format(
        exported=EXPORTED,
        version=__version__,
        source="\n".join(
            textwrap.wrap(
                f"PHASE {phase}, MADE FROM {source}".upper(),
                width=76,
                initial_indent="$ ",
                subsequent_indent="$   ",
            )
        ),
        plane=" ".join(f"{index:g}" for index in model.plane),
        shifts=shifts,
    )
    # pycalphad gives no references.
    body = re.sub(
        r"PARAMETER[^!]*!", lambda match: _with_reference(match[0], changed), tdb_body(plain)
    )
    _check(header + body + _REFERENCES, dbf, model, elements, phase)
    text = header + body + _REFERENCES
    return write_text(path, text, overwrite=overwrite, mark=EXPORTED)


def _shift(dbf: Database, phase: str, index: int, pair: tuple[str, str], b: Any) -> str:
    """Subtract `b` from the regular-solution parameter of a pair, and say how that begins."""
    array = [filling([s.name for s in names]) for names in dbf.phases[phase].constituents]
    array[index] = sorted(pair)

    def is_theirs(p: Any) -> bool:
        there = [sorted(s.name for s in names) for names in p["constituent_array"]]
        return bool(
            p["phase_name"] == phase
            and p["parameter_type"] in ("G", "L")
            and p["parameter_order"] == 0
            and there == array
        )

    old = [p["parameter"] for p in dbf.search(is_theirs)]
    if len(old) > 1:
        msg = (
            f"{phase} has {len(old)} parameters L0 of {' and '.join(pair)}: pycalphad adds them "
            "up, other programs take one. Make them one"
        )
        raise DatabaseError(msg)
    remove_parameters(dbf, is_theirs)
    dbf.add_parameter("G", phase, array, 0, _plus(old[0] if old else S.Zero, -b))
    return f"PARAMETER G({phase},{':'.join(','.join(names) for names in array)};0)"


def _plus(parameter: Any, term: Any) -> Any:
    """Add to every branch of a parameter but the zero that pycalphad puts after the last."""
    if term.atoms(Piecewise):
        msg = "the elastic data have ranges of temperature, which cannot be put into L0: give one"
        raise ElasticDataError(msg)
    # A TDB knows integer powers only, and the misfit is a cube root of volumes.
    powers = {p: exp(p.args[1] * log(p.args[0])) for p in term.atoms(Pow) if p.args[0] != E}
    term = term.xreplace({p: e for p, e in powers.items() if float(p.args[1]) % 1})
    if not isinstance(parameter, Piecewise):
        return parameter + term
    pairs = zip(*[iter(parameter.args)] * 2, strict=True)
    return Piecewise(*((e if c == S.true else e + term, c) for e, c in pairs))


def _check(
    text: str, original: Database, model: type[CoherentModel], elements: Sequence[str], phase: str
) -> None:
    """Read the file's text back, and hold its energy against the model's."""
    written = Model(Database.from_string(text, fmt="tdb"), [*elements, "VA"], phase)
    gauge = type("Endmembers", (model,), {"gauge": "endmembers"})
    wanted = gauge(original, [*elements, "VA"], phase)
    for T in (100.0, 300.0, 1000.0):
        energies = []
        for built in (written, wanted):
            # Unequal fractions, so that no term of odd order vanishes.
            fractions = {
                e: (i + 1) * 2 / (len(elements) * (len(elements) + 1))
                for i, e in enumerate(elements)
            }
            at = {y: fractions.get(y.species.name, 1.0) for y in built.site_fractions}
            energies.append(float(built.GM.xreplace(at | {v.T: T, v.P: 101325.0}).n()))
        if abs(energies[0] - energies[1]) > 1e-9 * max(1.0, abs(energies[1])):
            msg = f"{phase} cannot be exported: as a plain TDB its energy at {T:g} K would differ"
            raise DatabaseError(msg)


def _with_reference(command: str, changed: Sequence[str]) -> str:
    """Close a PARAMETER with the key of its reference, within 78 characters a line."""
    key = "COHERENT" if command.startswith(tuple(changed)) else "SOURCE"
    body = command.removesuffix("!").rstrip()
    last = len(body.rsplit("\n", 1)[-1])
    return f"{body}{' ' if last + len(key) < 76 else chr(10) + '  '}{key} !"
