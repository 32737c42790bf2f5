"""Which lattice a relaxed cell derives from: bcc, fcc or hcp, by the neighbours of its atoms."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from lina_calphad.errors import DatasetError

#: Neighbours of every atom, and within which distance: midway to the next shell, in cube roots of
#: the volume per atom. For bcc that is 1.207 a, and the 14 are eight nearest and six second ones.
LATTICES = {
    "bcc": (14, (1 + np.sqrt(2)) / 2 * 2 ** (1 / 3)),
    "fcc": (12, (1 + np.sqrt(0.5)) / 2 * 4 ** (1 / 3)),
    "hcp": (12, (1 + np.sqrt(0.5)) / 2 * 4 ** (1 / 3)),
}
#: Vacant sites for each atom in the phases of SGTE's unary data.
VACANT = {"bcc": 3.0, "fcc": 1.0, "hcp": 0.5}
#: Parts of the names of phases.
_NAMES = {
    "bcc": ("BCC", "A2", "B2", "B32", "D03"),
    "fcc": ("FCC", "A1", "L10", "L12"),
    "hcp": ("HCP", "A3", "D019"),
}
#: Volume per atom in Å³, and the least distance in Å of opposite faces of a cell.
_VOLUMES, _THINNEST = (2.0, 300.0), 1.0


def lattice_of(phase: str) -> str | None:
    """The lattice that the name of a phase tells, such as bcc of BCC_A2.

    Examples
    --------
    >>> lattice_of("HCP_A3"), lattice_of("LIQUID")
    ('hcp', None)
    """
    parts = set(re.split(r"[_#\W]", phase.upper()))
    return next((name for name, own in _NAMES.items() if parts & set(own)), None)


def neighbours(atoms: Any, lattice: str = "bcc") -> list[int]:
    """Neighbours of each atom within the distance that is midway to the next shell.

    Every atom of bcc has 14 (8 + 6). So has every atom of every relaxed bcc cell of
    Li-Na looked at: the farthest of the 14 was at 1.11 a, the 15th beyond 1.26 a. A
    cell that slid along the Bain path to fcc has 12 or 13.

    Parameters
    ----------
    atoms
        An `ase.Atoms` with a periodic cell.
    lattice
        Whose distance to take: "bcc", "fcc" or "hcp".
    """
    within = float(LATTICES[lattice][1] * (atoms.get_volume() / len(atoms)) ** (1 / 3))
    positions, tree = _periodic(atoms, within)
    found = np.asarray(tree.query_ball_point(positions, within, return_length=True))
    return [int(number) - 1 for number in found]  # less the atom itself


def check_lattice(atoms: Any, lattice: str, origin: str) -> None:
    """DatasetError for what is no crystal or is not derived from `lattice` ("any" allows all)."""
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise DatasetError(f"{origin} has positions or a cell that are no finite numbers")
    if not (len(atoms) and atoms.pbc.all() and atoms.cell.rank == 3):
        raise DatasetError(f"{origin} is not periodic in three directions: give a supercell")
    with np.errstate(all="ignore"):  # what overflows is no crystal
        volume = atoms.cell.volume
        each, thin = volume / len(atoms), volume / max(atoms.cell.areas())
    if not (_VOLUMES[0] <= each <= _VOLUMES[1] and thin >= _THINNEST):
        raise DatasetError(
            f"{origin} has {each:.3g} Å³ an atom in a cell of {thin:.3g} Å at its thinnest; "
            f"crystals have {_VOLUMES[0]:g} to {_VOLUMES[1]:g} Å³, and {_THINNEST:g} Å or more: is "
            "the cell in Å?"
        )
    if lattice == "any" or _derives(atoms, lattice):
        return
    number, (wanted, within) = np.array(neighbours(atoms, lattice)), LATTICES[lattice]
    looks = [name for name in LATTICES if _derives(atoms, name)]
    hint = f": it looks like {looks[0]}" if looks else ""
    raise DatasetError(
        f"{origin} is not derived from {lattice}, where each atom has {wanted} neighbours "
        f"within {within:.3f} V^(1/3), packed as there: {(number != wanted).sum()} of "
        f"{len(atoms)} atoms have others, from {number.min()} to {number.max()}{hint}. Leave "
        "it out, or name the phase that it belongs to (--phase, --lattice)"
    )


def _derives(atoms: Any, lattice: str) -> bool:
    if set(neighbours(atoms, lattice)) != {LATTICES[lattice][0]}:
        return False
    return lattice == "bcc" or _close_packing(atoms) == lattice


def _close_packing(atoms: Any) -> str:
    """Of fcc's 12 neighbours six pairs stand opposite to each other, of hcp's three."""
    positions, tree = _periodic(atoms, 1.4 * (atoms.get_volume() / len(atoms)) ** (1 / 3))
    vectors = tree.data[np.asarray(tree.query(positions, 13)[1])[:, 1:]] - positions[:, None]
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    cosines = vectors @ vectors.transpose(0, 2, 1)
    # The bound is Ackland's and Jones's (Phys. Rev. B 73 (2006) 054104).
    pairs = (cosines < -0.945).sum(axis=(1, 2)).mean() / 2
    return "fcc" if pairs > 4.5 else "hcp"


def _periodic(atoms: Any, within: float) -> tuple[NDArray[np.float64], KDTree]:
    """Positions in the cell, and a tree of these and of all images as near as `within`."""
    cell = atoms.cell.array
    # ASE's own list of neighbours takes a hundred times as long in small cells.
    reach = np.ceil(within * np.linalg.norm(np.linalg.inv(cell), axis=0)).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    positions = atoms.get_scaled_positions() @ cell
    return positions, KDTree((positions[:, None] + shifts @ cell).reshape(-1, 3))
