"""Write a coherent diagram as a plain TDB, for programs that do not have our model."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from symengine import E, Piecewise, Pow, S, exp, log

from lina_calphad.elastic_data import CONSTANTS, mixing_sublattice, remove_parameters
from lina_calphad.models import CoherentModel
from lina_calphad.output import write_text

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from pycalphad import Database

_HEADER = """\
$ COHERENT DESCRIPTION OF {phase}, EXPORTED BY LINA-CALPHAD
$
$ CAHN'S COHERENCY ENERGY IS IN THE INTERACTION PARAMETER: L0 STANDS FOR
$ L0 - B, SO THAT THE CHEMICAL MISCIBILITY GAP AND SPINODAL OF {phase} IN
$ THIS FILE ARE THE COHERENT ONES OF THE ORIGINAL. PURE ELEMENTS AND ALL OTHER
$ PHASES ARE UNCHANGED. DO NOT ADD A COHERENCY ENERGY TO THIS FILE AGAIN.
$
$ PLANE OF THE COMPOSITION WAVE: {plane}. J/MOL OF FORMULA UNITS:
{shifts}

"""
_REFERENCES = """
LIST_OF_REFERENCES
NUMBER   SOURCE
SOURCE   'AS IN THE DATABASE THIS FILE WAS MADE FROM'
COHERENT 'L0 OF THAT DATABASE LESS THE COHERENCY COEFFICIENT B;
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
    overwrite: bool = False,
) -> Path:
    """Write the coherent description of a phase as a TDB that any Calphad program reads.

    B x² and -B x (1 - x) differ by a term linear in x, and the latter is a shift
    of ⁰L by -B: the chemical gap of the exported phase is the coherent gap of the
    original.

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
    plain = copy.deepcopy(dbf)
    remove_parameters(plain, lambda p: p["parameter_type"] in CONSTANTS)
    index = mixing_sublattice(plain, phase, {*elements, "VA"})
    changed = [_shift(plain, phase, index, pair, b) for pair, b in coherency.items()]
    shifts = "\n".join(f"$   B({i},{j}) = {b}".upper()[:78] for (i, j), b in coherency.items())
    header = _HEADER.format(phase=phase, plane=" ".join(map(str, model.plane)), shifts=shifts)
    text = plain.to_string(fmt="tdb", if_incompatible="fix")
    # pycalphad opens with the date and the user's name, and gives no references.
    body = text[text.index("ELEMENT") :]
    body = re.sub(r"PARAMETER[^!]*!", lambda match: _with_reference(match[0], changed), body)
    return write_text(path, header + body + _REFERENCES, overwrite=overwrite)


def _shift(dbf: Database, phase: str, index: int, pair: tuple[str, str], b: Any) -> str:
    """Subtract `b` from the regular-solution parameter of a pair, and say how that begins."""
    array = [sorted(s.name for s in names)[:1] for names in dbf.phases[phase].constituents]
    array[index] = sorted(pair)

    def is_theirs(p: Any) -> bool:
        return bool(
            p["phase_name"] == phase
            and p["parameter_type"] in ("G", "L")
            and p["parameter_order"] == 0
            and sorted(s.name for s in p["constituent_array"][index]) == array[index]
        )

    # pycalphad adds up the parameters it finds twice, other programs take one of
    # them: so they become one.
    first, *more = [p["parameter"] for p in dbf.search(is_theirs)] or [S.Zero]
    remove_parameters(dbf, is_theirs)
    dbf.add_parameter("G", phase, array, 0, _plus(first, sum(more, S.Zero) - b))
    return f"PARAMETER G({phase},{':'.join(','.join(names) for names in array)};0)"


def _plus(parameter: Any, term: Any) -> Any:
    """Add to every branch of a parameter but the zero that pycalphad puts after the last."""
    # A TDB knows integer powers only, and the misfit is a cube root of volumes.
    powers = {p: exp(p.args[1] * log(p.args[0])) for p in term.atoms(Pow) if p.args[0] != E}
    term = term.xreplace({p: e for p, e in powers.items() if float(p.args[1]) % 1})
    if not isinstance(parameter, Piecewise):
        return parameter + term
    pairs = zip(*[iter(parameter.args)] * 2, strict=True)
    return Piecewise(*((e if c == S.true else e + term, c) for e, c in pairs))


def _with_reference(command: str, changed: Sequence[str]) -> str:
    """Close a PARAMETER with the key of its reference, within 78 characters a line."""
    key = "COHERENT" if command.startswith(tuple(changed)) else "SOURCE"
    body = command.removesuffix("!").rstrip()
    last = len(body.rsplit("\n", 1)[-1])
    return f"{body}{' ' if last + len(key) < 76 else chr(10) + '  '}{key} !"
