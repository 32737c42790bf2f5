"""Finished calculations: which are, which structures count, which lattice they derive from."""

from __future__ import annotations

import gzip
import os
import signal
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk, make_supercell
from ase.io import write
from support import run
from test_supercells import STEP, STRUCTURE, counts, supercell, vasprun

from lina_calphad.data import foreign_files
from lina_calphad.data.calculations import finished
from lina_calphad.data.cells import read_calculations, read_table
from lina_calphad.data.datasets import read_datasets
from lina_calphad.data.lattices import LATTICES, check_lattice, lattice_of, neighbours
from lina_calphad.data.new_datasets import site_ratios
from lina_calphad.data.supercells import mixing_energies
from lina_calphad.errors import DatabaseError, DatasetError

NELM = '<parameters><i type="int" name="NELM"> 3</i></parameters>'
CYCLE = '<scstep><energy><i name="e_fr_energy">-3.1</i></energy></scstep>'


def step(cycles: int) -> str:
    """An ionic step of so many electronic ones."""
    return STEP.format(energy=-3.1, structure=STRUCTURE).replace(
        "<calculation>", "<calculation>" + CYCLE * (cycles - 1)
    )


# What is not finished


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_electrons_that_did_not_converge(tmp_path, suffix):
    file = tmp_path / f"vasprun.xml{suffix}"
    write_text = gzip.open if suffix else open
    with write_text(file, "wt") as out:
        out.write(vasprun(step(2), step(3), parameters=NELM))
    with pytest.raises(DatasetError, match=r"is not finished: the electrons.*3 cycles, NELM is 3"):
        read_calculations([file])
    with write_text(file, "wt") as out:
        out.write(vasprun(step(3), step(2), parameters=NELM))
    assert read_calculations([file])["energy"].tolist() == [-3.1]


def test_a_relaxation_that_was_killed(tmp_path):
    file = tmp_path / "vasprun.xml"
    for text in (
        vasprun(step(2), final=False),
        vasprun(step(2), step(2), final=False).removesuffix("</modeling>"),
        vasprun(step(2), step(2))[:-400],  # in the middle of the final positions
    ):
        file.write_text(text)
        with pytest.raises(DatasetError, match=r"vasprun\.xml"):
            read_calculations([file])


DONE = "Iteration    7(   1)\n aborting loop because EDIFF is reached\n"
OPEN = "Iteration    8(   1)\n aborting loop EDIFF was not reached (unconverged)\n"
END = " General timing and accounting informations for this job:\n"


@pytest.mark.parametrize(
    ("style", "text", "said"),
    [
        ("vasp-out", DONE + END, ""),
        ("vasp-out", DONE, "stopped before its end"),
        ("vasp-out", DONE + OPEN + END, "electrons did not converge in the last step"),
        ("vasp-out", OPEN + DONE.replace("7(", "9(") + END, ""),
        ("espresso-out", "     convergence has been achieved\n   JOB DONE.\n", ""),
        ("espresso-out", "     convergence has been achieved\n", "stopped before its end"),
        ("espresso-out", " convergence NOT achieved after 100 iterations\n   JOB DONE.", "NOT"),
        ("gpaw-out", "Converged after 13 iterations.\n", ""),
        ("gpaw-out", "Did not converge!\n", "Did not converge"),
        ("aims-output", "Self-consistency cycle converged.\n Have a nice day.\n", ""),
        ("aims-output", "Self-consistency cycle not converged.\n Have a nice day.", "not converg"),
        ("abinit-out", " Calculation completed.\n", ""),
        ("abinit-out", " scf_history: nothing\n", "stopped before its end"),
        ("extxyz", "anything", ""),
    ],
)
def test_what_other_programs_say_at_their_end(tmp_path, style, text, said):
    file = tmp_path / "output"
    file.write_text(text)
    if not said:
        finished(file, style)
        return
    with pytest.raises(DatasetError, match=f"output is not finished: .*{said}"):
        finished(file, style)


def test_forces_that_are_no_numbers(tmp_path):
    forces = np.zeros((16, 3))
    forces[0, 0] = np.nan
    write(tmp_path / "a.traj", supercell("Li", energy=-30.0, forces=forces))
    with pytest.raises(DatasetError, match=r"its forces, array.*, cannot be used"):
        read_calculations([tmp_path / "a.traj"])


def test_an_energy_that_is_no_number(tmp_path):
    file = tmp_path / "a.extxyz"
    write(file, supercell("Li", name="a"))
    text = file.read_text()
    file.write_text(text.replace("name=a", "name=a energy_ev=-3bc"))
    with pytest.raises(DatasetError, match="its energy, '-3bc', cannot be used"):
        read_calculations([file])


# Which structures count


def orderings() -> list:
    """Two orderings of Na2 in Li14 with the same atoms in the same order."""
    cell = bulk("Li", "bcc", a=3.45, cubic=True) * (2, 2, 2)
    found = []
    for energy, places in ((-28.9788, (0, 1)), (-28.8588, (0, 8))):
        order = [*(i for i in range(16) if i not in places), *places]
        atoms = cell[order]
        atoms.symbols[-2:] = "Na"
        atoms.info["energy"] = energy
        found.append(atoms)
    return found


@pytest.mark.parametrize("suffix", ["extxyz", "traj", "db"])
def test_orderings_without_names_are_cells_of_their_own(tmp_path, suffix):
    file = tmp_path / f"many.{suffix}"
    pure = [supercell("Li", energy=-30.4672), supercell("Na", energy=-20.96)]
    mixed = orderings()
    for atoms in mixed:
        energy = atoms.info.pop("energy")
        atoms.calc = type(pure[0].calc)(atoms, energy=energy)
    if suffix == "db":
        for atoms in (*pure, *mixed):
            write(file, atoms, append=True)
    else:
        write(file, [*pure, *mixed])
    cells = read_calculations([file])
    assert counts(cells) == [(16, 0), (0, 16), (14, 2), (14, 2)]
    assert cells.attrs["notes"] == []
    found = mixing_energies(cells)["enthalpy"]
    assert found.to_numpy() == pytest.approx([1809.10, 2532.74], abs=0.01)


def test_steps_of_a_relaxation_in_a_collection_are_one_cell(tmp_path):
    first, last = orderings()
    steps = []
    for number in range(4):
        atoms = first.copy()
        atoms.rattle(0.05, seed=number)
        atoms.set_cell(atoms.cell * (1 + 0.005 * number), scale_atoms=True)
        atoms.positions[3] += atoms.cell[0]  # over the edge of the cell
        atoms.info["energy"] = -28.0 - number
        steps.append(atoms)
    write(tmp_path / "relax.extxyz", [*steps, last])
    cells = read_calculations([tmp_path / "relax.extxyz"])
    assert cells["energy"].tolist() == [-31.0, -28.8588]
    assert cells.attrs["notes"] == [
        f"{tmp_path / 'relax.extxyz'}: 3 earlier steps of relaxation left out (cells of their own "
        "bear names, name in their info)"
    ]


def test_equal_cells_in_rows_of_a_database_are_not_taken_for_steps(tmp_path):
    for energy in (-30.4, -30.5):
        write(tmp_path / "rows.db", supercell("Li", energy=energy), append=True)
    assert read_calculations([tmp_path / "rows.db"])["energy"].tolist() == [-30.4, -30.5]


# The lattice


@pytest.mark.parametrize(
    ("phase", "lattice"),
    [
        ("BCC_A2", "bcc"), ("BCC_B2", "bcc"), ("A2", "bcc"), ("FCC_A1", "fcc"), ("FCC_L12", "fcc"),
        ("HCP_A3", "hcp"), ("LIQUID", None), ("SIGMA", None), ("ALPHA2", None),
    ],
)  # fmt: skip
def test_the_name_of_a_phase_tells_its_lattice(phase, lattice):
    assert lattice_of(phase) == lattice


@pytest.mark.parametrize(
    ("lattice", "shape"),
    [
        ("bcc", {"a": 3.5}), ("fcc", {"a": 4.0}), ("hcp", {"a": 3.2, "c": 5.2}),
        ("hcp", {"a": 2.66, "c": 4.95}),  # zinc, far from ideal
    ],
)  # fmt: skip
@pytest.mark.parametrize("cell", [np.eye(3), [[1, 1, 0], [0, 2, 1], [0, 0, 3]], 3 * np.eye(3)])
def test_each_lattice_is_told_from_the_others(lattice, shape, cell):
    atoms = make_supercell(bulk("Na", lattice, **shape), cell)
    atoms.rattle(0.04, seed=1)
    check_lattice(atoms, lattice, "it")
    check_lattice(atoms, "any", "it")
    for other in LATTICES.keys() - {lattice}:
        with pytest.raises(DatasetError, match=f"it is not derived from {other}.*looks like"):
            check_lattice(atoms, other, "it")


def test_neighbours_are_those_of_ase():
    from ase.neighborlist import neighbor_list

    atoms = make_supercell(bulk("Na", "bcc", a=4.0), [[1, 1, 0], [0, 2, 1], [0, 0, 3]])
    atoms.rattle(0.3, seed=2)
    for lattice, (_, distance) in LATTICES.items():
        within = distance * (atoms.get_volume() / len(atoms)) ** (1 / 3)
        wanted = np.bincount(neighbor_list("i", atoms, within), minlength=len(atoms))
        assert neighbours(atoms, lattice) == wanted.tolist()


@pytest.mark.parametrize("cell", [(1e-9,) * 3, (1e-5, 1000.0, 2000.0), (500.0,) * 3])
def test_a_cell_of_no_crystal(cell):
    atoms = bulk("Li", cubic=True)
    atoms.set_cell(cell, scale_atoms=True)
    with pytest.raises(DatasetError, match="crystals have 2 to 300 Å³, and 1 Å or more"):
        check_lattice(atoms, "bcc", "it")


def fcc_cells(folder):
    file = folder / "fcc.extxyz"
    cells = [supercell("Al", "fcc", energy=-120.0), supercell("Zn", "fcc", energy=-40.0),
             supercell("Al+Zn", "fcc", energy=-117.45)]  # fmt: skip
    write(file, cells)
    return file


def test_calculations_of_fcc_become_a_dataset_of_an_fcc_phase(folder, capsys):
    file = fcc_cells(folder)
    arguments = ["dataset", file, "--components", "al,zn", "--phase", "FCC_A1"]
    status, out, err = run(capsys, *arguments, "--vacant", 0, "--out", "a.json")
    assert status == 0, err
    (data,) = read_datasets([folder / "a.json"], ["AL", "ZN"])
    assert np.ravel(data["values"]) == pytest.approx([150.76], abs=0.01)
    assert data["solver"]["sublattice_site_ratios"] == [1.0]
    assert "note" not in out
    # Forgotten, it is said what was taken.
    status, out, _ = run(capsys, *arguments, "--out", "b.json")
    assert "FCC_A1 is taken to have 1 vacant sites for each atom" in out
    status, _, err = run(capsys, *arguments, "--lattice", "hcp", "--out", "c.json")
    assert status == 2
    assert "not derived from hcp" in err
    arguments[-1] = "ALPHA"
    status, _, err = run(capsys, *arguments, "--out", "c.json")
    assert status == 2
    assert "tells no lattice: name it with --lattice" in err
    assert run(capsys, *arguments, "--lattice", "any", "--out", "c.json")[0] == 0


def test_the_sites_come_from_the_database_of_the_fit(tmp_path, example_tdb):
    example_tdb("alzn_mey.tdb").to_file(str(tmp_path / "alzn.tdb"))
    mine = tmp_path / "alzn.tdb"
    assert site_ratios("fcc_a1", ("AL", "ZN"), database=mine) == ((1.0,), "")
    with pytest.raises(DatasetError, match=r"\(1.0,\) sites in FCC_A1, and FCC_A1 is asked for"):
        site_ratios("FCC_A1", ("AL", "ZN"), database=mine, vacant=1)
    with pytest.raises(DatabaseError, match="no phase ALPHA"):
        site_ratios("ALPHA", ("AL", "ZN"), database=mine)
    assert site_ratios("BCC_A2", ("LI", "NA"), database="zhang2003", vacant=3)[0] == (1.0, 3.0)
    assert site_ratios("LIQUID", ("LI", "NA"))[0] == (1.0,)


# Files that are something else


def test_a_vasprun_under_another_name(tmp_path):
    file = tmp_path / "Li16.xml"
    file.write_text(vasprun(step(2)))
    with pytest.raises(DatasetError, match=r"Li16\.xml cannot be read.*call it vasprun\.xml"):
        read_calculations([file])


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.extxyz")
    return tmp_path / "pipe.extxyz"


def test_pipes_and_devices_are_not_opened(pipe):
    for file in (pipe, "/dev/zero"):
        with pytest.raises(DatasetError, match="no regular file, but a device or a pipe"):
            read_calculations([file])
        with pytest.raises(DatasetError, match="no regular file, but a device or a pipe"):
            read_table(file)
        with pytest.raises(DatasetError, match="no regular file, but a device or a pipe"):
            read_datasets([file])


def test_an_archive_is_unpacked_no_further_than_it_may_be_large(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign_files.check_file, "__defaults__", (2_000_000,))
    file = tmp_path / "bomb.extxyz.gz"
    with gzip.open(file, "wb") as out:
        out.write(bytes(3_000_000))
    assert file.stat().st_size < 10_000
    with pytest.raises(DatasetError, match="more than the 2 MB that are read"):
        read_calculations([file])
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DatasetError, match="the archive is broken"):
        read_calculations([file])


def test_what_takes_too_long_ends():
    def endless():
        with foreign_files.bounded(0.2), foreign_files.bounded(30):  # the first alarm counts
            with suppress(OSError):  # as a reader may do
                while True:
                    pass
            while True:
                pass

    with pytest.raises(TimeoutError, match=r"more than 0\.2 s to read"):
        endless()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_what_takes_too_much_ends():
    with pytest.raises(MemoryError, match=r"0\.05 GB"), foreign_files.bounded(60, 50_000_000):
        np.ones(20_000_000)
    assert np.ones(20_000_000)[0] == 1  # and is allowed again


def test_a_few_bytes_that_claim_a_billion_atoms(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "lina_calphad.data.cells.bounded", lambda seconds: foreign_files.bounded(seconds / 10)
    )
    file = tmp_path / "big.extxyz"
    file.write_text('1000000000\nLattice="3 0 0 0 3 0 0 0 3" energy=1\nLi 0 0 0\n')
    with pytest.raises(DatasetError, match=r"big\.extxyz cannot be read.*takes more than"):
        read_calculations([file])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_tables_of_any_encoding(tmp_path, encoding):
    file = tmp_path / "cells.csv"
    file.write_text("name,li,na,energy_ev\nä,15,1,-29.6\n", encoding=encoding)
    assert read_table(file)["name"].tolist() == ["ä"]


def test_a_field_of_any_length_and_a_row_that_is_too_long(tmp_path):
    file = tmp_path / "cells.csv"
    file.write_text("name,li,na,energy_ev\n" + "x" * 200_000 + ",15,1,-29.6\n")
    assert len(read_table(file)["name"][0]) == 200_000
    file.write_text("name,li,na,energy_ev\na,15,1,-29.6\nb,15,1,-29.6,7\n")
    with pytest.raises(DatasetError, match=r"cannot be read as a table: Expected 4 .* line 3"):
        read_table(file)
    file.write_text("name,li,li,energy_ev\na,15,1,-29.6\n")
    with pytest.raises(DatasetError, match="more than one column li"):
        read_table(file)


def test_many_cells_are_read_and_mixed_at_once(tmp_path):
    """Ten thousand took two minutes when each looked through all the others."""
    n = 10_000
    frame = pd.DataFrame(
        {"name": [f"c{i}" for i in range(n)], "li": 15, "na": 1,
         "energy_ev": -29.6 + 1e-7 * np.arange(n)}
    )  # fmt: skip
    pure = pd.DataFrame(
        {"name": ["Li", "Na"], "li": [16, 0], "na": [0, 16], "energy_ev": [-30.4, -20.8]}
    )
    pd.concat([pure, frame]).to_csv(tmp_path / "cells.csv", index=False)
    found = mixing_energies(read_table(tmp_path / "cells.csv"))
    assert len(found) == n
    assert found["substitution"].iloc[-1] == pytest.approx(0.2 + 1e-7 * (n - 1))
