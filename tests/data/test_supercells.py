"""Energies of supercells: how they are read, checked and turned into parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from ase.units import GPa
from computed_datasets import STRUCTURES, TABLE
from hypothesis import given
from hypothesis import strategies as st

from lina_calphad.data.cells import COLUMNS, read_calculations, read_table
from lina_calphad.data.lattices import neighbours
from lina_calphad.data.supercells import (
    EV_IN_J_PER_MOL,
    finite_difference,
    mixing_energies,
    parameter_covariance,
    redlich_kister,
    substitution_pairs,
)
from lina_calphad.errors import DatasetError

#: The paper's substitution energies, from its ⁰L and ¹L.
NA_IN_LI, LI_IN_NA = 25882.4 / EV_IN_J_PER_MOL, 14337.2 / EV_IN_J_PER_MOL
energies = st.floats(-5, 5)
sizes = st.integers(3, 10**6)

VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <kpoints>
  <varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1</v></varray>
 </kpoints>
 <atominfo><array name="atoms"><set>
  <rc><c>Li</c><c>1</c></rc><rc><c>Na</c><c>2</c></rc>
 </set></array></atominfo>
 {parameters}{initial}{steps}{final}
</modeling>"""
STRUCTURE = """<structure name="{name}"><crystal>
 <varray name="basis"><v>3.86 0 0</v><v>0 3.86 0</v><v>0 0 3.86</v></varray></crystal>
 <varray name="positions"><v>0 0 0</v><v>0.5 0.5 0.5</v></varray></structure>"""
STEP = """<calculation>
 <scstep><energy><i name="e_fr_energy">{energy}</i><i name="e_0_energy">{energy}</i></energy>
 </scstep>{structure}
 <varray name="forces"><v>0 0 0.01</v><v>0 0 -0.01</v></varray>
 <varray name="stress"><v>1.5 0 0</v><v>0 1.5 0</v><v>0 0 1.5</v></varray>
 <energy><i name="e_fr_energy">{energy}</i></energy></calculation>"""


def vasprun(*steps: str, parameters: str = "", final: bool = True) -> str:
    initial, end = (STRUCTURE.format(name=f"{name}pos") for name in ("initial", "final"))
    return VASPRUN.format(
        parameters=parameters, initial=initial, steps="".join(steps), final=end if final else ""
    )


def counts(cells: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(cells["n_first"], cells["n_second"], strict=True))


def supercell(symbol="Li", lattice="bcc", n=2, energy=None, name="", **results) -> Atoms:
    """n x n x n cubic cells with one Na in place of an atom where `symbol` is Li+Na."""
    cell = bulk(symbol.split("+")[0], lattice, a=3.5, cubic=True) * (n, n, n)
    if "+" in symbol:
        cell.symbols[0] = symbol.split("+")[1]
    if energy is not None:
        cell.calc = SinglePointCalculator(cell, energy=energy, **results)
    if name:
        cell.info["name"] = name
    return cell


# Parameters from energies


def test_the_papers_parameters_follow_by_finite_difference():
    found = finite_difference(NA_IN_LI, LI_IN_NA)
    assert (found.L0, found.L1) == pytest.approx((20109.8, 5772.6), abs=1e-9)
    several = finite_difference([NA_IN_LI, 0.2, 0.0], LI_IN_NA)
    assert several.L0.shape == (3,)
    assert (several.L0[0], several.L1[0]) == pytest.approx(found)


def test_the_strict_curve_differs_by_0_8_and_2_4_percent():
    found = redlich_kister(NA_IN_LI, LI_IN_NA, 128)
    assert (found.L0, found.L1) == pytest.approx((20268.1449, 5910.4036), abs=1e-4)
    assert (found.L0 / 20109.8, found.L1 / 5772.6) == pytest.approx((1.008, 1.024), abs=5e-4)


@given(energies, energies, sizes)
def test_the_strict_curve_passes_through_both_energies(first, second, atoms):
    found = redlich_kister(first, second, atoms)
    for x, energy in ((1 / atoms, first), (1 - 1 / atoms, second)):
        g = x * (1 - x) * (found.L0 + found.L1 * (1 - 2 * x))
        assert g * atoms / EV_IN_J_PER_MOL == pytest.approx(energy, rel=1e-9, abs=1e-9)


@given(energies, energies)
def test_both_methods_agree_in_a_large_cell(first, second):
    loose, strict = finite_difference(first, second), redlich_kister(first, second, 10**9)
    assert (strict.L0, strict.L1) == pytest.approx((loose.L0, loose.L1), rel=1e-8, abs=1e-6)


@given(energies, energies, sizes)
def test_exchanging_the_elements_changes_the_sign_of_1l(first, second, atoms):
    for one, other in (
        (finite_difference(first, second), finite_difference(second, first)),
        (redlich_kister(first, second, atoms), redlich_kister(second, first, atoms)),
    ):
        assert (one.L0, one.L1) == pytest.approx((other.L0, -other.L1), rel=1e-12, abs=1e-9)


@given(sizes)
def test_the_covariance_follows_from_the_derivatives_of_the_parameters(atoms):
    h = 1e-2
    for make in (finite_difference, lambda a, b: redlich_kister(a, b, atoms)):
        at = make(0.2, 0.1)
        columns = [
            [(up.L0 - at.L0) / h, (up.L1 - at.L1) / h]
            for up in (make(0.2 + h, 0.1), make(0.2, 0.11))
        ]
        slopes = np.array(columns).T
        size = None if make is finite_difference else atoms
        assert parameter_covariance(size, 1.0) == pytest.approx(slopes @ slopes.T, rel=1e-6, abs=1)


def test_the_covariance_is_that_of_independent_energies():
    rng = np.random.default_rng(0)
    drawn = rng.normal((0.27, 0.15), 0.01, (4000, 2))
    sampled = np.cov([[p.L0, p.L1] for p in (redlich_kister(*e, 16) for e in drawn)], rowvar=False)
    found = parameter_covariance(16, 0.01)
    assert found == pytest.approx(sampled, rel=0.1, abs=0.05 * found.max())
    assert parameter_covariance()[0, 1] == 0


def test_eq_1_gives_the_bracket_of_eq_8_for_one_substituted_atom():
    cells = frame(
        mixed(counts=(53, 1), energy=-101.920202, e_first=-1.9019451, e_second=-1.3223448)
    )
    (found,) = mixing_energies(cells)["substitution"]
    assert found == pytest.approx(-101.920202 + 53 * 1.9019451 + 1.3223448)
    assert found == pytest.approx(0.20523, abs=5e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: redlich_kister(0.2, 0.1, 2), "3 or more; got 2"),
        (lambda: redlich_kister(0.2, 0.1, 53.5), "whole number, 3 or more; got 53.5"),
        (lambda: finite_difference(float("nan"), 0.1), "between -5 and 5 eV; got nan"),
        (lambda: finite_difference(0.2, 14337.2), "got 14337.2: is it in J/mol"),
        (lambda: parameter_covariance(uncertainty=-0.01), "not negative; got -0.01 eV"),
    ],
)
def test_a_number_without_meaning_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Tables


@pytest.fixture
def table(tmp_path):
    def write_table(*lines: str):
        file = tmp_path / "cells.csv"
        file.write_text("\n".join(lines), encoding="utf-8")
        return file

    return write_table


def test_a_table_is_read_with_all_its_columns(table):
    file = table(
        "name,li,na,energy_ev,e_li_ev_per_atom,e_na_ev_per_atom,max_force_ev_per_a,pressure_kbar,"
        "volume_a3_per_atom,method",
        "a,53,1,-101.9,-1.9,-1.3,0.007,-0.005,20.6,PBE",
        "",
    )
    (cell,) = read_table(file).to_dict("records")
    values = ("a", 53, 1, -101.9, -1.9, -1.3, 0.007, -0.005, 20.6, f"{file}, row 2 (a)")
    assert cell == dict(zip(COLUMNS, values, strict=True))


@pytest.mark.parametrize(("columns", "numbers"), [("atoms,na", "54,1"), ("LI, atoms", "53,54")])
def test_any_two_numbers_of_atoms_do(table, columns, numbers):
    cells = read_table(table(f"name,{columns},energy_ev", f"a,{numbers},-101.9"))
    assert counts(cells) == [(53, 1)]


def test_a_spreadsheets_byte_order_mark_is_no_part_of_a_name(table):
    assert read_table(table("\ufeffname,li,na,energy_ev", "a,53,1,-101.9"))["name"].tolist() == [
        "a"
    ]


def test_rows_not_to_be_used_are_left_out():
    names = read_table(TABLE)["name"]
    assert len(names) == 20
    assert not names.str.endswith("_k8").any()


def test_other_elements_are_named_by_the_caller(table):
    assert counts(read_table(table("name,mg,sn,energy_ev", "a,3,1,-9"), ("MG", "SN"))) == [(3, 1)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "the columns none; needed are name, energy_ev and two of atoms, li and na"),
        (("name;li;na;energy_ev", "a;1;1;2"), "separated by commas"),
        (("name,na,energy_ev", "a,1,-2"), "has the columns name, na, energy_ev; needed are"),
        (("name,li,na,energy_ev",), "no row to use"),
        (("name,li,na,energy_ev", "a,1,1"), r"row 2 \(a\): energy_ev is ''"),
        (("name,li,na,energy_ev", "a,1,1,two"), "energy_ev is 'two'; a finite number is needed"),
        (("name,li,na,energy_ev", "a,1,1,nan"), "energy_ev is 'nan'"),
        (("name,li,na,energy_ev,pressure_kbar", "a,1,1,1,?"), r"pressure_kbar is '\?'"),
        (("name,li,na,energy_ev", "b,1,1,1", "a,-1,1,1"), r"row 3 \(a\): li is -1; a number of"),
        (("name,li,na,energy_ev", "a,1.5,1,1"), "li is 1.5; a number of atoms is whole"),
        (("name,atoms,na,energy_ev", "a,3,5,1"), "atoms = 3, na = 5 do not fit"),
        (("name,atoms,li,na,energy_ev", "a,3,1,1,1"), "atoms = 3, li = 1, na = 1 do not fit"),
        (("name,li,na,energy_ev", "a,0,0,1"), "li = 0, na = 0 do not fit: a cell holds one atom"),
    ],
)
def test_a_table_with_a_fault_is_refused_by_row(table, lines, message):
    with pytest.raises(DatasetError, match=message):
        read_table(table(*lines))


def test_a_missing_table_and_one_that_is_no_text_are_refused(tmp_path):
    for file in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DatasetError, match="cannot be read as a table"):
            read_table(file)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        read_table(tmp_path / "bytes.csv")


# Finished calculations


@pytest.mark.parametrize("suffix", ["extxyz", "traj", "json"])
def test_what_ase_writes_is_read_back(tmp_path, suffix):
    file = tmp_path / f"cells.{suffix}"
    forces = np.zeros((16, 3))
    forces[3] = 0.003, 0, 0.004
    stress = np.array([-0.1, -0.1, -0.1, 0, 0, 0]) * GPa
    write(file, supercell("Li+Na", energy=-29.66, forces=forces, stress=stress))
    cells = read_calculations([file])
    (cell,) = cells.itertuples()
    assert (counts(cells), cell.energy, cell.origin) == ([(15, 1)], -29.66, str(file))
    assert cell.force == pytest.approx(0.005)
    # A compressed crystal, with a negative stress, wants to expand.
    assert cell.pressure == pytest.approx(1.0)
    assert cell.volume == pytest.approx(3.5**3 / 2)


def test_the_last_step_of_a_relaxation_counts(tmp_path):
    steps = [STEP.format(energy=energy, structure=STRUCTURE) for energy in (-3.0, -3.11)]
    file = tmp_path / "vasprun.xml"
    file.write_text(vasprun(*steps))
    cells = read_calculations([file])
    (cell,) = cells.itertuples()
    assert (counts(cells), cell.energy, cell.force) == ([(1, 1)], -3.11, 0.01)
    assert cell.pressure == pytest.approx(1.5)
    (note,) = cells.attrs["notes"]
    assert "vasprun.xml: 1 earlier step of relaxation left out" in note


def test_a_calculation_without_a_step_is_refused(tmp_path):
    file = tmp_path / "vasprun.xml"
    file.write_text(vasprun())
    with pytest.raises(DatasetError, match="holds no structure"):
        read_calculations([file])


def test_a_file_of_several_cells_gives_each(tmp_path):
    file = tmp_path / "cells.extxyz"
    write(file, [supercell("Li", energy=-30.0), supercell("Li+Na", energy=-29.0)])
    assert counts(read_calculations([file])) == [(16, 0), (15, 1)]
    names = ("soft", "hard")
    write(file, [supercell("Li", energy=-30.0, name=name) for name in names])
    assert tuple(read_calculations([file])["name"]) == names


def test_the_shipped_structures_are_those_of_the_shipped_table(tmp_path):
    table = read_table(TABLE).set_index("name")
    bcc = [
        atoms
        for atoms in read(STRUCTURES, index=":")
        if atoms.info["name"] in table.index and set(neighbours(atoms)) == {14}
    ]
    write(tmp_path / "cells.extxyz", bcc)
    for cell in read_calculations([tmp_path / "cells.extxyz"]).itertuples():
        row = table.loc[cell.name]
        assert (cell.n_first, cell.n_second) == (row.n_first, row.n_second)
        # That of the 128-atom cell is given with the estimated rest of its relaxation.
        rest = -0.00206 if cell.name == "Na_in_Li_128_k12" else 0.0
        assert cell.energy + rest == pytest.approx(row.energy, abs=1e-5 if rest else 0)
        # The table has the largest component, we take the largest vector.
        assert row.force - 1e-4 <= cell.force <= (row.force + 1e-4) * 3**0.5
        assert cell.volume == pytest.approx(row.volume, rel=1e-3)


def test_one_shipped_cell_relaxed_from_bcc_to_fcc():
    """The quasirandom one at x = 0.75; c/a of the cell is √2, the end of the Bain path."""
    used = set(read_table(TABLE)["name"])
    structures = {a.info["name"]: a for a in read(STRUCTURES, index=":")}
    other = {name for name in used if set(neighbours(structures[name])) != {14}}
    assert other == {"SQS16_Na12sp_1e_k12"}
    a, _, c, *_ = structures["SQS16_Na12sp_1e_k12"].cell.cellpar()
    assert c / a == pytest.approx(2**0.5, rel=0.01)


@pytest.mark.parametrize(("lattice", "number"), [("bcc", 14), ("fcc", 12), ("sc", 18)])
def test_the_lattice_shows_in_the_number_of_neighbours(lattice, number):
    assert set(neighbours(bulk("Na", lattice, a=4.0))) == {number}
    tilted = make_supercell(bulk("Na", lattice, a=4.0), [[1, 1, 0], [0, 2, 1], [0, 0, 3]])
    assert set(neighbours(tilted)) == {number}


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (supercell("Li+Na", "fcc", energy=-1.0), "not derived from bcc.* from 12 to 12"),
        (supercell("Li+K", energy=-1.0), "has K; the elements are LI and NA"),
        (supercell("Li+Na"), "has no energy"),
        (Atoms("Li", info={"energy": -1.0}), "not periodic in three directions"),
    ],
    ids=["fcc", "foreign", "no energy", "no cell"],
)
def test_an_entry_that_is_no_such_cell_is_refused_by_file_and_name(tmp_path, atoms, message):
    file = tmp_path / "cells.extxyz"
    write(file, [supercell("Li", energy=-30.0), atoms])
    with pytest.raises(DatasetError, match=rf"cells.extxyz, entry 2 \(.*#2\).*{message}"):
        read_calculations([file])


def test_a_file_that_is_no_calculation_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="there is no file"):
        read_calculations([tmp_path / "vasprun.xml"])
    (tmp_path / "notes.dat").write_text("nothing")
    with pytest.raises(DatasetError, match="cannot be read as a calculation"):
        read_calculations([tmp_path / "notes.dat"])
    (tmp_path / "empty.extxyz").write_text("")
    with pytest.raises(DatasetError, match=r"empty\.extxyz"):
        read_calculations([tmp_path / "empty.extxyz"])


# Energies of mixing


def cell(name, counts, energy, **further) -> dict:
    return {"name": name, "n_first": counts[0], "n_second": counts[1], "energy": energy} | further


REFERENCES = (cell("Li", (16, 0), -16 * 1.9), cell("Na", (0, 16), -16 * 1.3))


def mixed(name="Na in Li", energy=-29.6, counts=(15, 1), **further) -> dict:
    return cell(name, counts, energy, **further)


def frame(*cells) -> pd.DataFrame:
    return pd.DataFrame(cells, columns=list(COLUMNS)).drop(columns="origin")


def test_the_standard_error_of_n_atoms_in_cells_of_many_is_correlated():
    cells = [mixed(counts=(12, 4), energy=-27.0), *REFERENCES]
    (found,) = mixing_energies(frame(*cells), uncertainty=0.02).itertuples()
    assert found.error == pytest.approx(0.02 * 4 / 16 * EV_IN_J_PER_MOL)
    assert found.substitution == pytest.approx((-27.0 + 12 * 1.9 + 4 * 1.3) / 4)


def test_pure_cells_serve_as_references_and_are_no_data():
    (found,) = mixing_energies(frame(*REFERENCES, mixed())).itertuples()
    assert (found.name, found.x, found.atoms) == ("Na in Li", 0.0625, 16)
    assert (found.enthalpy, found.error) == pytest.approx((1206.1, 60.3), abs=0.05)


def test_a_pure_cell_of_the_same_size_goes_first():
    other = cell("Li in one atom", (1, 0), -1.7)
    found, without = (
        mixing_energies(frame(*some, mixed())) for some in ((other, *REFERENCES), REFERENCES)
    )
    pd.testing.assert_frame_equal(found, without)
    (alone,) = mixing_energies(frame(other, REFERENCES[1], mixed())).itertuples()
    assert alone.e_first == -1.7


def test_energies_of_the_elements_in_the_row_itself_go_before_pure_cells():
    (found,) = mixing_energies(frame(*REFERENCES, mixed(e_first=-1.95, e_second=-1.3))).itertuples()
    assert found.substitution == pytest.approx(-29.6 + 15 * 1.95 + 1.3)


def test_pairs_are_found_by_size_where_they_are_unique():
    cells = [
        mixed("a"),
        mixed("b", energy=-20.8, counts=(1, 15)),
        mixed("c", energy=-101.5, counts=(53, 1), e_first=-1.9, e_second=-1.3),
        mixed("d", energy=-101.6, counts=(53, 1), e_first=-1.9, e_second=-1.3),
        mixed("e", energy=-70.6, counts=(1, 53), e_first=-1.9, e_second=-1.3),
        mixed("f", energy=-3.1, counts=(1, 1), e_first=-1.9, e_second=-1.3),
    ]
    (found,) = substitution_pairs(mixing_energies(frame(*cells, *REFERENCES))).items()
    assert found == (16, pytest.approx((0.2, 0.6)))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([], "no cell holds both LI and NA; the cells are: none"),
        (REFERENCES, "the cells are: Li, Na"),
        ([*REFERENCES, mixed(force=0.07)], "residual force is 0.07 eV/Å, more than the 0.05"),
        ([*REFERENCES, mixed(pressure=-2.5)], "pressure is -2.5 kbar, more than the 2 kbar"),
        ([*REFERENCES, mixed(), mixed(energy=-29.5)], "already .*: the same name"),
        ([*REFERENCES, mixed(), mixed("again")], "again is there already .* same atoms and energy"),
        ([REFERENCES[0], mixed()], "Na in Li has no pure NA to refer to.*e_na_ev_per_atom"),
        (
            [cell("A", (1, 0), -1.9), cell("B", (2, 0), -3.7), REFERENCES[1], mixed()],
            r"several energies of pure LI \(A, B\).*best of 16 atoms",
        ),
        ([*REFERENCES, mixed(energy=-29.6 * 13.6)], "beyond ±5 eV: are all energies in eV"),
        ([*REFERENCES, mixed(energy=-1e5)], "for each atom of the rarer element is beyond"),
        ([*REFERENCES, mixed(e_first=-7.0)], "by the same method"),
    ],
)  # fmt: skip
def test_cells_that_do_not_go_together_are_refused_by_name(cells, message):
    with pytest.raises(DatasetError, match=message):
        mixing_energies(frame(*cells))


def test_the_limits_of_relaxation_are_the_callers():
    cells = frame(*REFERENCES, mixed(force=0.07, pressure=-2.5))
    assert len(mixing_energies(cells, max_force=0.1, max_pressure=3.0)) == 1


@pytest.mark.parametrize("uncertainty", [0.0, -0.01, np.inf, np.nan])
def test_an_uncertainty_is_positive(uncertainty):
    with pytest.raises(ValueError, match="positive and finite"):
        mixing_energies(frame(*REFERENCES, mixed()), uncertainty=uncertainty)
