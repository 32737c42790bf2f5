"""Supercells and their energies, as read from a table or from finished calculations."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lina_calphad.errors import DatasetError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

#: Of the cubic cell's edge: midway between second and third neighbours of bcc.
NEIGHBOURHOOD = (1 + math.sqrt(2)) / 2
#: Eight nearest and six second neighbours; fcc and hcp have 12 within the same distance.
BCC_NEIGHBOURS = 14


@dataclass(frozen=True)
class Cell:
    """A supercell of two elements and its energy.

    Parameters
    ----------
    name
        What it is called in its file.
    counts
        Numbers of atoms of the first and the second element.
    energy
        Of the whole cell, in eV.
    e_first, e_second
        Energies of the pure elements by the same method, in eV per atom, if its
        file gives them.
    max_force
        Largest residual force in eV/Å, if known.
    pressure
        Residual pressure in kbar, if known.
    volume
        In Å³ per atom, if known.
    origin
        File and entry, for messages.
    """

    name: str
    counts: tuple[int, int]
    energy: float
    e_first: float | None = None
    e_second: float | None = None
    max_force: float | None = None
    pressure: float | None = None
    volume: float | None = None
    origin: str = ""

    @property
    def atoms(self) -> int:
        """Number of atoms."""
        return sum(self.counts)

    @property
    def x(self) -> float:
        """Mole fraction of the second element."""
        return self.counts[1] / self.atoms

    @property
    def minority(self) -> int:
        """Number of atoms of the rarer element; 0 in a pure element."""
        return min(self.counts)

    def __repr__(self) -> str:
        return f"<Cell {self.name}: {self.counts[0]} + {self.counts[1]} atoms, {self.energy:g} eV>"


def read_table(
    path: str | os.PathLike[str], components: Sequence[str] = ("LI", "NA")
) -> list[Cell]:
    r"""Read a CSV table of supercells and energies.

    Parameters
    ----------
    path
        Its first row names the columns. For Li and Na: ``name``; two of ``atoms``,
        ``li``, ``na`` (numbers of atoms); ``energy_ev`` (of the whole cell).
        Optional: ``e_li_ev_per_atom`` and ``e_na_ev_per_atom`` (pure elements; rows
        that are a pure element serve where they are missing),
        ``max_force_ev_per_a``, ``pressure_kbar``, ``volume_a3_per_atom``, and
        ``use``: rows that say anything but ``yes`` there are left out.
    components
        The two elements.

    Returns
    -------
    list of Cell

    Raises
    ------
    DatasetError
        If the file cannot be read, lacks columns or rows, or a row has a number that
        is none, numbers of atoms that do not fit, or neither element.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w+", suffix=".csv") as file:
    ...     print("name,li,na,energy_ev", file=file)
    ...     print("Na_in_Li,53,1,-101.920202", file=file, flush=True)
    ...     read_table(file.name)
    [<Cell Na_in_Li: 53 + 1 atoms, -101.92 eV>]
    """
    first, second = (component.lower() for component in components)
    try:
        # utf-8-sig: spreadsheets put a mark before the first column's name.
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read as a table: {error}"
        raise DatasetError(msg) from error
    rows = list(csv.reader(text.splitlines()))
    header = [column.strip().lower() for column in rows[0]] if rows else []
    counted = [column for column in ("atoms", first, second) if column in header]
    if not {"name", "energy_ev"} <= set(header) or len(counted) < 2:
        msg = (
            f"{path} has the columns {', '.join(header) or 'none'}; needed are name, energy_ev "
            f"and two of atoms, {first} and {second}, separated by commas"
        )
        raise DatasetError(msg)
    from ase.data import chemical_symbols

    # A column "no" numbers the rows rather than atoms of nobelium.
    elements = {symbol.lower() for symbol in chemical_symbols} - {"no"}
    foreign = elements & set(header) - {first, second}
    cells = []
    for number, values in enumerate(rows[1:], start=2):
        row = dict(zip(header, (value.strip() for value in values), strict=False))
        if not any(row.values()) or row.get("use", "yes").lower() != "yes":
            continue
        origin = f"{path}, row {number} ({row.get('name') or 'no name'})"
        for element in sorted(foreign):
            if row[element] not in ("", "0"):
                msg = f"{origin} holds {row[element]} atoms of {element.title()}: leave it out"
                raise DatasetError(msg)
        optional = {
            key: _number(row, column, origin) if row.get(column) else None
            for key, column in (
                ("e_first", f"e_{first}_ev_per_atom"),
                ("e_second", f"e_{second}_ev_per_atom"),
                ("max_force", "max_force_ev_per_a"),
                ("pressure", "pressure_kbar"),
                ("volume", "volume_a3_per_atom"),
            )
        }
        cells.append(
            Cell(
                name=row.get("name") or f"row {number}",
                counts=_counts(row, counted, (first, second), origin),
                energy=_number(row, "energy_ev", origin),
                origin=origin,
                **optional,
            )
        )
    if not cells:
        msg = f"{path} has no row to use"
        raise DatasetError(msg)
    return cells


def read_calculations(
    paths: Sequence[str | os.PathLike[str]], components: Sequence[str] = ("LI", "NA")
) -> list[Cell]:
    """Read supercells from finished calculations in any format that ASE reads.

    Of a relaxation the last step counts. Successive structures are steps of one
    relaxation where all their atoms are the same, unless they bear names (``name``
    in the info of extended XYZ) or are rows of an ASE database.

    Parameters
    ----------
    paths
        vasprun.xml, OUTCAR, the text output of GPAW, the output of Quantum ESPRESSO,
        extended XYZ, ASE trajectories... Pure elements among them serve as
        references.
    components
        The two elements.

    Returns
    -------
    list of Cell
        With the largest force and the pressure where the files have them.

    Raises
    ------
    DatasetError
        If a file cannot be read, or an entry has no energy, foreign elements, no
        periodic cell or a structure that is not derived from bcc.

    Examples
    --------
    >>> import tempfile
    >>> from ase.build import bulk
    >>> cell = bulk("Li", "bcc", a=3.437)
    >>> cell.info.update(name="Li", energy_ev=-1.9019451)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cell.write(f"{folder}/cells.extxyz")
    ...     read_calculations([f"{folder}/cells.extxyz"])
    [<Cell Li: 1 + 0 atoms, -1.90195 eV>]
    """
    return [
        _calculated(atoms, name, origin, tuple(component.upper() for component in components))
        for path in paths
        for atoms, name, origin in _entries(Path(path))
    ]


def bcc_neighbours(atoms: Any) -> list[int]:
    """Neighbours of each atom within 1.207 a, a³ being the volume of two atoms.

    Every atom of bcc has 14 (8 + 6). So has every atom of every relaxed bcc cell of
    Li-Na looked at: the farthest of the 14 was at 1.11 a, the 15th beyond 1.26 a. A
    cell that slid along the Bain path to fcc has 12 or 13.

    Parameters
    ----------
    atoms
        An `ase.Atoms` with a periodic cell.

    Returns
    -------
    list of int
    """
    from ase.neighborlist import neighbor_list

    edge = (2 * atoms.get_volume() / len(atoms)) ** (1 / 3)
    # ASE has types in part.
    found = neighbor_list("i", atoms, NEIGHBOURHOOD * edge)  # type: ignore[no-untyped-call]
    return [int((found == index).sum()) for index in range(len(atoms))]


def _number(row: dict[str, str], column: str, origin: str) -> float:
    try:
        value = float(row.get(column, ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = f"{origin}: {column} is {row.get(column, '')!r}; a finite number is needed"
        raise DatasetError(msg)
    return value


def _counts(
    row: dict[str, str], counted: Sequence[str], elements: tuple[str, str], origin: str
) -> tuple[int, int]:
    """Numbers of atoms of both elements, from any two of them and their sum."""
    given = {column: _number(row, column, origin) for column in counted}
    for column, value in given.items():
        if value < 0 or not value.is_integer():
            msg = f"{origin}: {column} is {value:g}; a number of atoms is whole and not negative"
            raise DatasetError(msg)
    first, second = elements
    total = given.get("atoms", given.get(first, 0) + given.get(second, 0))
    n_first = given.get(first, total - given.get(second, 0))
    n_second = given.get(second, total - given.get(first, 0))
    if total == 0 or n_first < 0 or n_second < 0 or n_first + n_second != total:
        numbers = ", ".join(f"{column} = {value:g}" for column, value in given.items())
        msg = (
            f"{origin}: {numbers} do not fit: a cell holds one atom or more, of {first} and "
            f"{second} alone, and atoms is their sum"
        )
        raise DatasetError(msg)
    return int(n_first), int(n_second)


def _entries(path: Path) -> Iterator[tuple[Any, str, str]]:
    """The structures of a file that count, each with its name and its origin."""
    from ase.io import read

    if not path.is_file():
        msg = f"there is no file {path}"
        raise DatasetError(msg)
    try:
        images = read(path, index=":")
    except Exception as error:  # its readers raise whatever their parts raise
        reason = " ".join(str(error).split()) or type(error).__name__
        msg = f"{path} cannot be read as a calculation: {reason[:200]}"
        raise DatasetError(msg) from error
    if not images:
        msg = f"{path} holds no structure"
        raise DatasetError(msg)
    # The key is what steps of one relaxation share; a dictionary keeps the last of them.
    last = {
        (atoms.info.get("name"), atoms.info.get("unique_id"), *atoms.symbols): atoms
        for atoms in images
    }
    for number, (key, atoms) in enumerate(last.items(), start=1):
        name = str(key[0] or (path if len(last) == 1 else f"{path}#{number}"))
        yield atoms, name, str(path) if len(last) == 1 else f"{path}, entry {number} ({name})"


def _calculated(atoms: Any, name: str, origin: str, components: tuple[str, ...]) -> Cell:
    from ase.units import GPa

    elements = [symbol.upper() for symbol in atoms.symbols]
    foreign = sorted(set(elements) - set(components))
    if foreign:
        msg = f"{origin} has {', '.join(foreign)}; the elements are {' and '.join(components)}"
        raise DatasetError(msg)
    if not (atoms.pbc.all() and atoms.cell.rank == 3):
        msg = f"{origin} is not periodic in three directions: give a supercell"
        raise DatasetError(msg)
    neighbours = bcc_neighbours(atoms)
    wrong = sum(number != BCC_NEIGHBOURS for number in neighbours)
    if wrong:
        msg = (
            f"{origin} is not derived from bcc, where each atom has {BCC_NEIGHBOURS} neighbours "
            f"within {NEIGHBOURHOOD:.3f} a: {wrong} of {len(atoms)} atoms have others, from "
            f"{min(neighbours)} to {max(neighbours)}. Leave it out"
        )
        raise DatasetError(msg)
    results = atoms.calc.results if atoms.calc is not None else {}
    energies = (results.get("energy"), atoms.info.get("energy"), atoms.info.get("energy_ev"))
    energy = next((float(given) for given in energies if given is not None), math.nan)
    if not math.isfinite(energy):
        msg = f"{origin} has no energy: neither its calculator nor energy or energy_ev in its info"
        raise DatasetError(msg)
    forces, stress = results.get("forces"), results.get("stress")
    return Cell(
        name=name,
        counts=(elements.count(components[0]), elements.count(components[1])),
        energy=energy,
        max_force=None if forces is None else float((forces**2).sum(axis=1).max() ** 0.5),
        # Voigt's or the full tensor; a positive pressure wants to expand.
        pressure=None
        if stress is None
        else -float(stress.trace() if stress.ndim == 2 else stress[:3].sum()) / 3 / GPa * 10,
        volume=float(atoms.get_volume()) / len(atoms),
        origin=origin,
    )
