"""Supercells and their energies as a DataFrame, from a table or from finished calculations."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lina_calphad.data.calculations import finished, steps_of
from lina_calphad.data.foreign_files import bounded, check_file, read_text
from lina_calphad.data.lattices import check_lattice
from lina_calphad.errors import DatasetError
from lina_calphad.text import counted, one_line

#: What is known of a cell: its name, atoms of both elements, energy (eV) of the whole cell and
#: of the pure elements (eV per atom), largest force (eV/Å), pressure (kbar), volume (Å³ per
#: atom), and where it comes from. NaN where a number is not known.
COLUMNS = (
    "name", "n_first", "n_second", "energy", "e_first", "e_second", "force", "pressure", "volume",
    "origin",
)  # fmt: skip
#: Bytes of a table.
LARGEST_TABLE = 50_000_000
_MOST_ATOMS = 1e9


def read_table(
    path: str | os.PathLike[str], components: Sequence[str] = ("LI", "NA")
) -> pd.DataFrame:
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
    pandas.DataFrame
        One row a cell, with the columns `COLUMNS`.

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
    ...     cells = read_table(file.name)
    >>> cells[["name", "n_first", "n_second", "energy"]].to_dict("records")
    [{'name': 'Na_in_Li', 'n_first': 53, 'n_second': 1, 'energy': -101.920202}]
    """
    first, second = (component.lower() for component in components)
    rows, header = _rows(Path(path))
    counted = [column for column in ("atoms", first, second) if column in header]
    if not {"name", "energy_ev"} <= set(header) or len(counted) < 2:
        raise DatasetError(
            f"{path} has the columns {', '.join(header) or 'none'}; needed are name, energy_ev "
            f"and two of atoms, {first} and {second}, separated by commas"
        )
    if "use" in header:
        rows = rows[rows["use"].str.lower() == "yes"]
    rows = rows[(rows != "").any(axis=1)]
    if rows.empty:
        raise DatasetError(f"{path} has no row to use")
    names = rows["name"].where(rows["name"] != "", [f"row {number}" for number in rows.index])
    given = [name or "no name" for name in rows["name"]]
    origin = pd.Series(
        [f"{path}, row {n} ({name})" for n, name in zip(rows.index, given, strict=True)], rows.index
    )
    _refuse_foreign(rows, origin, {first, second})
    optional = {
        "e_first": f"e_{first}_ev_per_atom",
        "e_second": f"e_{second}_ev_per_atom",
        "force": "max_force_ev_per_a",
        "pressure": "pressure_kbar",
        "volume": "volume_a3_per_atom",
    }
    n_first, n_second = _counts(rows, counted, (first, second), origin)
    cells = pd.DataFrame(
        {"name": names, "n_first": n_first, "n_second": n_second,
         "energy": _numbers(rows, "energy_ev", origin), "origin": origin}
        | {key: _numbers(rows, column, origin, needed=False) for key, column in optional.items()}
    )  # fmt: skip
    return cells[list(COLUMNS)].reset_index(drop=True)


def read_calculations(
    paths: Sequence[str | os.PathLike[str]],
    components: Sequence[str] = ("LI", "NA"),
    lattice: str = "bcc",
) -> pd.DataFrame:
    """Read supercells from finished calculations in any format that ASE reads.

    Of a relaxation the last step counts; see `lina_calphad.data.calculations`.

    Parameters
    ----------
    paths
        vasprun.xml, OUTCAR, the text output of GPAW, the output of Quantum ESPRESSO,
        extended XYZ, ASE trajectories... Pure elements among them serve as
        references.
    components
        The two elements.
    lattice
        What every cell must derive from: "bcc", "fcc", "hcp", or "any".

    Returns
    -------
    pandas.DataFrame
        One row a cell, with the columns `COLUMNS`. Its ``attrs["notes"]`` say where earlier
        steps were left out.

    Raises
    ------
    DatasetError
        If a file cannot be read or is not finished, or an entry has no energy, foreign
        elements, no periodic cell or a structure that is not derived from the lattice.

    Examples
    --------
    >>> import tempfile
    >>> from ase.build import bulk
    >>> cell = bulk("Li", "bcc", a=3.437)
    >>> cell.info.update(name="Li", energy_ev=-1.9019451)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cell.write(f"{folder}/cells.extxyz")
    ...     cells = read_calculations([f"{folder}/cells.extxyz"])
    >>> cells[["name", "n_first", "n_second", "energy"]].to_dict("records")
    [{'name': 'Li', 'n_first': 1, 'n_second': 0, 'energy': -1.9019451}]
    """
    elements = [component.upper() for component in components]
    cells, notes = [], []
    for path in map(Path, paths):
        images, style = _images(path)
        entries, dropped = steps_of(images, style)
        if dropped:
            notes.append(
                f"{path}: {counted(dropped, 'earlier step')} of relaxation left out (cells of "
                "their own bear names, name in their info)"
            )
        for number, atoms in enumerate(entries, start=1):
            own = str(path) if len(entries) == 1 else f"{path}#{number}"
            name = str(atoms.info.get("name") or own)
            origin = str(path) if len(entries) == 1 else f"{path}, entry {number} ({name})"
            cells.append(_calculated(atoms, name, origin, elements, lattice))
    frame = pd.DataFrame(cells, columns=list(COLUMNS))
    frame.attrs["notes"] = notes
    return frame


def first_of(wrong: pd.Series) -> Any:
    """Index of the first row that is wrong; None if there is none."""
    return next(iter(wrong.index[wrong]), None)


def _rows(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a CSV as text, numbered as in the file, and the names of its columns."""
    try:
        text = read_text(path, largest=LARGEST_TABLE)
        # Without a header of its own, pandas takes a row that is too long for the fault it is.
        table = pd.read_csv(
            io.StringIO(text), header=None, dtype=str, keep_default_na=False, skip_blank_lines=False
        ).fillna("")
    except pd.errors.EmptyDataError:
        return pd.DataFrame(), []
    except (OSError, ValueError) as error:  # pandas' errors are ValueErrors
        reason = str(getattr(error, "strerror", "") or error).rpartition("C error: ")[2]
        raise DatasetError(
            f"{path} cannot be read as a table: {' '.join(reason.split())}"
        ) from error
    table = table.apply(lambda column: column.str.strip())
    header = [name.lower() for name in table.iloc[0]]
    double = sorted({name for name in header if name and header.count(name) > 1})
    if double:
        raise DatasetError(f"{path} has more than one column {', '.join(double)}")
    table.index += 1
    return table.iloc[1:].set_axis(header, axis=1), header


def _refuse_foreign(rows: pd.DataFrame, origin: pd.Series, elements: set[str]) -> None:
    from ase.data import chemical_symbols

    # A column "no" numbers the rows rather than atoms of nobelium.
    foreign = {symbol.lower() for symbol in chemical_symbols} - {"no"} - elements
    for element in sorted(foreign & set(rows.columns)):
        held = rows[element][~rows[element].isin(["", "0"])]
        if len(held):
            raise DatasetError(
                f"{origin[held.index[0]]} holds {held.iloc[0]} atoms of {element.title()}: leave "
                "it out"
            )


def _numbers(
    rows: pd.DataFrame, column: str, origin: pd.Series, *, needed: bool = True
) -> pd.Series:
    """A column as numbers; NaN where an optional one is empty."""
    if column not in rows:
        return pd.Series(np.nan, rows.index)
    values = pd.to_numeric(rows[column], errors="coerce").astype(float)
    wrong = (values.isna() | (values.abs() == np.inf)) & ((rows[column] != "") | needed)
    if (at := first_of(wrong)) is not None:
        raise DatasetError(
            f"{origin[at]}: {column} is {rows.loc[at, column]!r}; a finite number is needed"
        )
    return values


def _counts(
    rows: pd.DataFrame, counted: Sequence[str], elements: tuple[str, str], origin: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Numbers of atoms of both elements, from any two of them and their sum."""
    given = {column: _numbers(rows, column, origin) for column in counted}
    for column, values in given.items():
        wrong = (values < 0) | (values % 1 != 0) | (values > _MOST_ATOMS)
        if (at := first_of(wrong)) is not None:
            raise DatasetError(
                f"{origin[at]}: {column} is {values[at]:g}; a number of atoms is whole and not "
                f"negative, at most {_MOST_ATOMS:g}"
            )
    first, second = elements
    n_first = given[first] if first in given else given["atoms"] - given[second]
    n_second = given[second] if second in given else given["atoms"] - given[first]
    total = given.get("atoms", n_first + n_second)
    wrong = (total == 0) | (n_first < 0) | (n_second < 0) | (n_first + n_second != total)
    if (at := first_of(wrong)) is not None:
        numbers = ", ".join(f"{column} = {values[at]:g}" for column, values in given.items())
        raise DatasetError(
            f"{origin[at]}: {numbers} do not fit: a cell holds one atom or more, of {first} and "
            f"{second} alone, and atoms is their sum"
        )
    return n_first.astype(int), n_second.astype(int)


def _images(path: Path) -> tuple[list[Any], str]:
    """All structures of a file and the name that ASE has for its format."""
    from ase.io import read
    from ase.io.formats import filetype

    if not path.exists():
        raise DatasetError(f"there is no file {path}")
    try:
        size = check_file(path)
        with bounded(10 + size / 1e6), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            style = filetype(str(path))
            finished(path, style)
            images = read(str(path), index=":", do_not_split_by_at_sign=True)
    except DatasetError:
        raise
    except Exception as error:  # its readers raise whatever their parts raise
        reason = _other_name(path) or one_line(error) or type(error).__name__
        raise DatasetError(f"{path} cannot be read as a calculation: {reason[:200]}") from error
    if not images:
        raise DatasetError(f"{path} holds no structure")
    return list(images), style


def _other_name(path: Path) -> str:
    """What to call a file that ASE knows by its name alone, if it looks like one."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        head = file.read(4000)
    for sign, name in ((b"<modeling>", "vasprun.xml"), (b" executed on ", "OUTCAR")):
        if sign in head and name not in path.name:
            return f"it looks like VASP's {name}, which ASE knows by its name alone: call it {name}"
    return ""


def _calculated(
    atoms: Any, name: str, origin: str, elements: Sequence[str], lattice: str
) -> dict[str, Any]:
    """One row of the table."""
    from ase.units import GPa

    symbols = [symbol.upper() for symbol in atoms.symbols]
    foreign = sorted(set(symbols) - set(elements))
    if foreign:
        raise DatasetError(
            f"{origin} has {', '.join(foreign)}; the elements are {' and '.join(elements)}"
        )
    check_lattice(atoms, lattice, origin)
    given = {**atoms.info, **(atoms.calc.results if atoms.calc is not None else {})}
    if given.get("energy") is None:
        given["energy"] = given.get("energy_ev")
    shapes = {"energy": ((),), "forces": ((len(atoms), 3),), "stress": ((6,), (3, 3))}
    found: dict[str, Any] = {}
    for what, allowed in shapes.items():
        if given.get(what) is not None:
            values = pd.to_numeric(np.ravel(given[what]), errors="coerce").astype(float)
            if np.shape(given[what]) not in allowed or not np.isfinite(values).all():
                shown = one_line(repr(given[what]))
                raise DatasetError(f"{origin}: its {what}, {shown[:60]}, cannot be used")
            found[what] = values.reshape(np.shape(given[what]))
    if "energy" not in found:
        raise DatasetError(
            f"{origin} has no energy: neither its calculator nor energy or energy_ev in its info"
        )
    row = {
        "name": name,
        "n_first": symbols.count(elements[0]),
        "n_second": symbols.count(elements[1]),
        "energy": float(found["energy"]),
        "volume": float(atoms.get_volume()) / len(atoms),
        "origin": origin,
    }
    if "forces" in found:
        row["force"] = float((found["forces"] ** 2).sum(axis=1).max() ** 0.5)
    if "stress" in found:
        # Voigt's or the full tensor; a positive pressure wants to expand.
        trace = np.diag(found["stress"]) if found["stress"].ndim == 2 else found["stress"][:3]
        row["pressure"] = -float(trace.sum()) / 3 / GPa * 10
    return row
