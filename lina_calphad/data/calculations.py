"""Whether a calculation came to its end, and which structures of a file are cells of their own.

One output of a program is one calculation, of which the last step counts. A collection
(extended XYZ, an ASE trajectory) may hold a relaxation or cells of their own: structures with
names are told apart by these, others are steps of one relaxation where the atoms are the same in
their order and none has moved as far as half the distance of its neighbours. Rows of an ASE
database are cells of their own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from lina_calphad.data.foreign_files import PACKED
from lina_calphad.errors import DatasetError

_COLLECTIONS = ("extxyz", "xyz", "traj", "bundletrajectory", "netcdftrajectory")
_DATABASES = ("db", "json", "mysql", "postgresql")
#: Of the cube root of the volume per atom; nearest neighbours are 1.09 (bcc) or 1.12 (fcc) apart.
_MOVED = 0.5

#: By ASE's name of the format: what the end of a finished output says, what an output says
#: somewhere that did not converge.
_OUTPUTS = {
    "espresso-out": ("JOB DONE", "convergence NOT achieved|maximum number of steps has been reach"),
    "gpaw-out": ("", "(?i)did not converge|convergence failed"),
    "aims-output": ("Have a nice day", "Self-consistency cycle not converged"),
    "abinit-out": ("Calculation completed", "not enough SCF cycles to converge"),
    "vasp-out": ("General timing and accounting", ""),
}


def finished(path: Path, style: str) -> None:
    """DatasetError for a calculation that was stopped, or whose electrons did not converge.

    As far as its format says: VASP, Quantum ESPRESSO, GPAW, FHI-aims and ABINIT do.
    """
    if style not in (*_OUTPUTS, "vasp-xml"):
        return
    with PACKED.get(path.suffix.lower(), open)(path, "rt", errors="replace") as file:
        text = file.read()
    ending, failed = _OUTPUTS.get(style, ("", ""))
    if style == "vasp-xml":
        reason = _vasprun(text)
    elif failed and (found := re.search(failed, text)):
        reason = f"it says {found[0]!r}"
    elif ending not in text:
        reason = f"{ending!r} is not in it, so that it was stopped before its end"
    elif style == "vasp-out" and not re.search(r"EDIFF is reached", text[_last_step(text) :]):
        reason = "the electrons did not converge in the last step"
    else:
        reason = ""
    if reason:
        raise DatasetError(f"{path} is not finished: {reason}")


def _last_step(text: str) -> int:
    """Where the last ionic step of an OUTCAR begins."""
    begun = [found.start() for found in re.finditer(r"Iteration +\d+\( +1\)", text)]
    return begun[-1] if begun else 0


def _vasprun(text: str) -> str:
    """Why a vasprun.xml is not finished, or an empty string."""
    last = text.rpartition("<calculation>")[2]
    if last == text:
        return ""  # no step at all: ASE says so
    if 'name="finalpos"' not in last:
        return "it has no final positions, so that it was stopped before its end"
    cycles, most = last.count("<scstep>"), _tag(text, "NELM", 60)
    if cycles >= most > 1:
        return (
            f"the electrons did not converge in the last step: it took {cycles} cycles, NELM is "
            f"{most:g}"
        )
    return ""


def _tag(text: str, name: str, default: float) -> float:
    found = re.findall(rf'<i[^>]* name="{name}"[^>]*>\s*([-+.\deE]+)\s*</i>', text)
    return float(found[-1]) if found else default


def steps_of(images: list[Any], style: str) -> tuple[list[Any], int]:
    """The structures of a file of this format that count, and how many earlier steps there are."""
    if style in _DATABASES:
        return images, 0
    last: dict[Any, Any] = {}
    current: dict[Any, Any] = {}
    for number, atoms in enumerate(images):
        atoms_key = (atoms.info.get("name"), tuple(atoms.numbers))
        key = current.get(atoms_key, atoms_key)
        nameless = atoms_key[0] is None and style in _COLLECTIONS
        if nameless and key in last and not _is_next_step(last[key], atoms):
            key = current[atoms_key] = (number, atoms_key)
        last[key] = atoms
    return list(last.values()), len(images) - len(last)


def _is_next_step(before: Any, after: Any) -> bool:
    """Whether no atom moved as far as half the distance of its neighbours, but for the cell."""
    if before.cell.rank < 3 or after.cell.rank < 3:
        return False
    shift = after.get_scaled_positions(wrap=False) - before.get_scaled_positions(wrap=False)
    shift -= np.round(shift)
    shift -= shift.mean(axis=0)
    moved = np.linalg.norm(shift @ after.cell.array, axis=1).max()
    grown = after.get_volume() / before.get_volume()
    return bool(moved < _MOVED * (after.get_volume() / len(after)) ** (1 / 3) and 0.7 < grown < 1.4)
