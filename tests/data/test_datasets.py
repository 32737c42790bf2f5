"""ESPEI datasets: what is shipped, what is refused, and what ESPEI makes of ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import support
from ase.io import write
from computed_datasets import GPAW_SETS, TABLE, computed_datasets
from espei.core_utils import filter_temperatures
from espei.datasets import load_datasets
from espei.error_functions.non_equilibrium_thermochemical_error import (
    FixedConfigurationPropertyResidual,
)
from espei.error_functions.zpf_error import ZPFResidual
from espei.paramselect import generate_parameters
from espei.phase_models import PhaseModelSpecification
from pycalphad import Database
from support import LINA
from test_supercells import NA_IN_LI, REFERENCES, frame, mixed, supercell

from lina_calphad.cli.main import _surroundings
from lina_calphad.data.assessments import ELASTIC_FILE, read_shipped, tdb_folder
from lina_calphad.data.cells import read_calculations, read_table
from lina_calphad.data.databases import copy_elastic_data
from lina_calphad.data.datasets import (
    check_dataset,
    read_datasets,
    shipped_datasets,
    shipped_folder,
    write_dataset,
)
from lina_calphad.data.mixing_data import mixing_data
from lina_calphad.data.new_datasets import energies_dataset, solubility_dataset
from lina_calphad.data.supercells import EV_IN_J_PER_MOL, mixing_energies
from lina_calphad.errors import DataLeftOut, DatasetError, OutputError

COMPUTED = {"santos2025", *GPAW_SETS}
DISABLED = {"gpaw2026-ordered", "gpaw2026-convergence", "howland1957-critical", "bale1989"}
MEASUREMENTS = {"down1975", "down1975-critical", "howland1957", "khairulin2019"}
ESTIMATES = {"estimated-entropy"}
BCC = {"sublattice_model": [["LI", "NA"], ["VA"]], "sublattice_site_ratios": [1, 3]}


@pytest.fixture(scope="module")
def computed():
    return computed_datasets()


@pytest.fixture
def data() -> dict:
    return energies_dataset(frame(*REFERENCES, mixed()), reference="test")


@pytest.fixture
def on_disk(tmp_path, data):
    """Writes JSON, the dataset of one cell with changes if nothing else is given."""

    def put(name="my.json", text=None, **changes) -> Path:
        file = tmp_path / name
        file.write_text(json.dumps(data | changes) if text is None else text)
        return file

    return put


@pytest.fixture
def santos_plain(tmp_path) -> Path:
    """santos2025 without its exclusion."""
    found = json.loads(shipped_datasets()["santos2025"].read_text())
    del found["excluded_model_contributions"]
    return write_dataset(found, tmp_path / "plain.json")


def residuals(files, model=None, value=20109.8):
    """ESPEI's residuals and standard errors at a value of ⁰L, which a symbol stands for."""
    text = (tdb_folder() / "LiNa_Santos2025.tdb").read_text()
    for old, new in (
        ("+20109.8;", "+VV0000;"),
        ("\n PARAMETER", "\n FUNCTION VV0000 1 0; 6000 N !\n PARAMETER"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    dbf = Database.from_string(text, fmt="tdb")
    copy_elastic_data(read_shipped(ELASTIC_FILE), dbf)
    phase = BCC | ({"model": model} if model else {})
    models = PhaseModelSpecification(components=["LI", "NA", "VA"], phases={"BCC_A2": phase})
    loaded = load_datasets([str(file) for file in files])
    residual = FixedConfigurationPropertyResidual(dbf, loaded, models, ["VV0000"])
    found, scale = residual.get_residuals([value])
    return np.ravel(found).astype(float), np.array(scale)


# The shipped datasets


def test_every_dataset_has_a_name_of_its_own():
    assert set(shipped_datasets()) == COMPUTED | DISABLED | MEASUREMENTS | ESTIMATES
    assert len(shipped_datasets()) == len(list(shipped_folder().rglob("*.json")))


def test_espei_accepts_them_all_without_a_word():
    command = [str(Path(sys.executable).parent / "espei"), "--check-datasets"]
    done = subprocess.run(
        [*command, str(shipped_folder())], text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_disabled_ones_are_left_out_of_the_folder():
    read = read_datasets([shipped_folder()], LINA)
    assert len(read) == len(shipped_datasets()) - len(DISABLED)
    assert len(read_datasets([shipped_folder()], LINA, include_disabled=True)) == len(
        shipped_datasets()
    )


@pytest.mark.parametrize("name", sorted(DISABLED))
def test_a_disabled_one_named_itself_is_refused_with_its_reason(name):
    with pytest.raises(DatasetError, match=rf"{name}\.json is disabled \(Disabled: .+\)"):
        read_datasets([name], LINA)
    assert len(read_datasets([name], LINA, include_disabled=True)) == 1


@pytest.mark.parametrize("name", sorted(COMPUTED))
def test_computed_ones_are_those_that_their_sources_give(name, computed):
    assert json.loads(shipped_datasets()[name].read_text()) == computed[name]


def test_santos2025_holds_the_papers_energies():
    (read,) = read_datasets(["santos2025"], LINA)
    assert np.ravel(read["values"]) * 128 == pytest.approx([25882.4, 14337.2])
    assert [y[0][1] for y in read["solver"]["sublattice_occupancies"]] == [1 / 128, 127 / 128]


def test_gpaw2026_disagrees_with_the_paper_on_the_li_rich_side():
    (read,) = read_datasets(["gpaw2026-54"], LINA)
    ours = np.ravel(read["values"]) * 54 / EV_IN_J_PER_MOL
    assert ours == pytest.approx([0.20523, 0.15369], abs=5e-6)
    assert NA_IN_LI - ours[0] == pytest.approx(0.063, abs=1e-3)
    (same,) = read_datasets(["gpaw2026-128"], LINA)  # nor does the paper's own cell
    assert np.ravel(same["values"]) * 128 / EV_IN_J_PER_MOL == pytest.approx([0.2135], abs=5e-5)


def test_every_cell_to_be_used_is_in_one_dataset_but_the_one_that_left_bcc(computed):
    used = [name for key in GPAW_SETS for name in computed[key]["cells"]]
    assert sorted([*used, "SQS16_Na12sp_1e_k12"]) == sorted(read_table(TABLE)["name"])


@pytest.mark.parametrize("name", sorted(COMPUTED))
def test_comments_of_computed_ones_say_what_they_rest_on(name, computed):
    comment = computed[name]["comment"]
    for word in ("PBE", "eV", "mesh", "atoms", "298.15 K because", "0.01 eV", '"elastic"'):
        assert word in comment


@pytest.mark.parametrize("name", sorted(shipped_datasets()))
def test_every_one_names_its_source(name):
    (read,) = read_datasets([name], LINA, include_disabled=True)
    assert all(read[key] for key in ("reference", "bibtex", "comment"))
    assert read["comment"].isascii()


@pytest.mark.parametrize("name", sorted(MEASUREMENTS))
def test_espei_evaluates_the_measured_ones(name, databases):
    files = load_datasets([str(shipped_datasets()[name])])
    residual = ZPFResidual(databases["zhang2003"], files, None, [])
    found = np.ravel(residual.get_residuals(np.array([]))[0])
    # Driving forces in J/mol: the assessment was made with such data.
    assert found.size == sum(len(v) for d in files.all() for v in d["values"])
    assert np.abs(found).max() < 200


# Three traps of ESPEI


def test_espei_drops_what_is_below_298_15_k_and_ours_is_not(data):
    cold = json.loads(json.dumps(data))
    cold["conditions"]["T"] = [0.0]
    assert np.size(filter_temperatures([cold])[0]["values"]) == 0
    for read in read_datasets([shipped_folder()], LINA, include_disabled=True):
        assert np.min(read["conditions"]["T"]) >= 298.15


def test_colder_data_are_refused_where_espei_would_drop_them(on_disk):
    with pytest.raises(DatasetError, match=r"HM_MIX at 0 K.*enter 0 K energies at 298\.15 K"):
        read_datasets([on_disk(conditions={"P": 101325, "T": 0})], LINA)


@pytest.mark.parametrize("name", ["santos2025", "gpaw2026-54", "gpaw2026-sqs"])
def test_espeis_standard_error_is_the_one_stated(name, computed):
    _, scale = residuals([shipped_datasets()[name]])
    x = np.array([y[0][1] for y in computed[name]["solver"]["sublattice_occupancies"]])
    assert scale == pytest.approx(0.01 * EV_IN_J_PER_MOL * np.minimum(x, 1 - x), rel=1e-6)


def test_coherency_is_excluded_from_energies_of_relaxed_cells():
    files = [shipped_datasets()[name] for name in ("santos2025", "gpaw2026-54")]
    plain, _ = residuals(files)
    coherent, _ = residuals(files, model="lina_calphad.CoherentModel")
    assert coherent == pytest.approx(plain, abs=1e-6)
    # 0L of the paper, taken for strict, is 0.8 % off.
    assert 0 < np.abs(plain).max() < 100


def test_coherency_counts_where_it_is_not_excluded(santos_plain):
    coherent, _ = residuals([santos_plain], model="lina_calphad.CoherentModel")
    assert np.abs(coherent - residuals([santos_plain])[0]).max() > 10


def test_parameter_selection_gives_the_strict_parameters(santos_plain):
    phases = {"components": ["LI", "NA", "VA"], "phases": {"BCC_A2": BCC}}
    dbf = generate_parameters(phases, load_datasets([str(santos_plain)]), "SGTE91", "linear")
    selected = sorted(float(v) for k, v in dbf.symbols.items() if k.startswith("VV"))
    assert selected == pytest.approx([5910.4, 20268.1], abs=0.1)


def test_parameter_selection_stops_at_the_exclusion():
    phases = {"components": ["LI", "NA", "VA"], "phases": {"BCC_A2": BCC}}
    with pytest.raises(KeyError, match="elastic"):
        generate_parameters(
            phases, load_datasets([str(shipped_datasets()["santos2025"])]), "SGTE91", "linear"
        )


# Reading


def test_names_files_and_folders_can_be_mixed(on_disk):
    file = on_disk("folder.json")
    read = read_datasets(["santos2025", file], LINA, ["BCC_A2"])
    assert [len(r["values"][0][0]) for r in read] == [2, 1]
    assert len(read_datasets(file.parent, LINA)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": []}, "is empty: it has no values"),
        ({"values": [[[1.0, 2.0]]]}, "no valid ESPEI dataset: Shape of conditions"),
        ({"output": None}, "no valid ESPEI dataset"),
        ({"values": [[[2e6]]]}, r"HM_MIX up to 2e\+06.*is it in eV or J/mol"),
        ({"values": [[[float("nan")]]]}, "no finite numbers"),
        ({"weight": [1.0, 2.0]}, r"weights of shape \(2,\) for values of shape \(1, 1, 1\)"),
        ({"weight": 0}, "give one positive number"),
        ({"values": [[[0.0021]]]}, "is it in eV"),
        ({"components": ["K", "NA"]}, "do not match components used"),
        ({"components": "LI"}, "no valid ESPEI dataset"),
        ({"phases": [5]}, r"phases are names; got \[5\]"),
        ({"conditions": {"P": 1, "T": "warm"}}, "no valid ESPEI dataset"),
        ({"conditions": []}, "no valid ESPEI dataset"),
        ({"values": {"a": 1}}, "no valid ESPEI dataset"),
        ({"weight": "heavy"}, "no valid ESPEI dataset: could not convert"),
        ({"solver": 7}, "no valid ESPEI dataset"),
    ],
)
def test_a_dataset_with_a_fault_is_refused_by_file(on_disk, changes, message):
    with pytest.raises(DatasetError, match=rf"my\.json .*{message}"):
        read_datasets([on_disk(**changes)], LINA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "its JSON is no object"),
        ('{"values": [1], "output": "ZPF"}', "no ESPEI dataset: it has no 'components'"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused(on_disk, text, message):
    with pytest.raises(DatasetError, match=rf"my\.json .*{message}"):
        read_datasets([on_disk(text=text)], LINA)


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(DatasetError, match="no dataset, file or folder 'gpaw2026'; did you mean"):
        read_datasets(["gpaw2026"], LINA)
    with pytest.raises(DatasetError, match="'/qqq/zzz'; shipped are bale1989, down1975"):
        read_datasets(["/qqq/zzz"], LINA)


def test_nothing_found_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match=r"no dataset was found \(nothing named\)"):
        read_datasets([], LINA)
    with pytest.raises(DatasetError, match="no dataset was found"):
        read_datasets([tmp_path], LINA)


def test_other_components_and_phases_are_refused():
    with pytest.raises(DatasetError, match="has components NA; asked for are K, LI"):
        read_datasets(["santos2025"], ["K", "LI"])
    with pytest.raises(DatasetError, match="has phases LIQUID; asked for are BCC_A2"):
        read_datasets(["down1975"], LINA, ["BCC_A2"])


def test_the_same_data_twice_are_refused(on_disk):
    file = on_disk()
    with pytest.raises(DatasetError, match=r"my\.json is named twice"):
        read_datasets([file, file.parent], LINA)
    with pytest.raises(DatasetError, match="is named twice"):
        read_datasets(["santos2025", shipped_datasets()["santos2025"]], LINA)
    other = on_disk("other.json", reference="somebody else")
    with pytest.raises(DatasetError, match=r"other\.json and .*my\.json hold the same data"):
        read_datasets([file, other], LINA)


def test_checking_changes_nothing(data):
    before = json.dumps(data)
    assert check_dataset(data)["conditions"]["T"] == 298.15
    assert json.dumps(data) == before


def test_rounded_occupancies_and_an_ideal_solution_are_taken(on_disk, data):
    solver = data["solver"] | {"sublattice_occupancies": [[[0.962962, 0.037037], 1.0]]}
    assert read_datasets([on_disk(solver=solver)], LINA)
    solver = data["solver"] | {"sublattice_occupancies": [[[0.333, 0.666], 1.0]]}
    assert read_datasets([on_disk(solver=solver)], LINA)
    solver = data["solver"] | {"sublattice_occupancies": [[[0.96, 0.037], 1.0]]}
    with pytest.raises(DatasetError, match="add up to 1"):
        read_datasets([on_disk(solver=solver)], LINA)
    assert read_datasets([on_disk(values=[[[0.0]]])], LINA)[0]["values"] == [[[0.0]]]


@pytest.mark.parametrize("weight", [2.0, [[[1.0], [2.0], [3.0]]]])
def test_points_below_espeis_limit_are_left_out_with_a_word(on_disk, weight):
    file = on_disk(conditions={"P": 101325, "T": [200, 300, 400]}, values=[[[1.0], [2.0], [3.0]]],
                   weight=weight)  # fmt: skip
    with pytest.warns(
        DataLeftOut, match=r"HM_MIX at 1 of 3 temperatures is left out: below 298\.15"
    ):
        (read,) = read_datasets([file], LINA)
    assert (read["conditions"]["T"], read["values"]) == ([300.0, 400.0], [[[2.0], [3.0]]])
    assert mixing_data([read], "BCC_A2", LINA)["energy"].tolist() == [2.0, 3.0]
    assert read["weight"] == ([[[2.0], [3.0]]] if isinstance(weight, list) else weight)


def test_on_the_terminal_such_a_word_is_a_note(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with _surroundings():
            warnings.warn("cold data are left out", DataLeftOut, stacklevel=1)
    assert capsys.readouterr().err == "note: cold data are left out\n"


@pytest.mark.parametrize("kind", ["chemical", "coherent"])
def test_solubilities_say_of_which_equilibrium(kind):
    def make(equilibrium):
        return solubility_dataset(
            300.0, 0.1, solvent="LI", equilibrium=equilibrium, ln_x_error=0.1, reference="nobody"
        )

    data = make(kind)
    assert check_dataset(data)["equilibrium"] == kind
    with pytest.raises(DatasetError, match=r'nobody has .* "equilibrium" is .both.: it is "chem'):
        make("both")
    del data["equilibrium"]
    with pytest.raises(DatasetError, match='"equilibrium" is nothing: it is "chemical" for'):
        check_dataset(data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ln_x_error": [0.1, 0.2]}, "no positive ln_x_error for each temperature"),
        ({"ln_x_error": [-0.1]}, "no positive ln_x_error"),
        ({"values": [[[1.5]]]}, "no mole fractions between 0 and 1"),
    ],
)
def test_solubilities_of_others_are_checked(changes, message):
    data = solubility_dataset(
        300.0, 0.1, solvent="LI", equilibrium="chemical", ln_x_error=0.1, reference="nobody"
    )
    with pytest.raises(DatasetError, match=message):
        check_dataset(data | changes)


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"values": ' + "[" * 100_000 + "]" * 100_000 + "}"]
)
def test_lists_within_lists_without_end(on_disk, text):
    with pytest.raises(DatasetError, match=r"my\.json cannot be read as JSON: .*too deep"):
        read_datasets([on_disk(text=text)], LINA)


# Making and writing


def test_a_table_becomes_a_dataset_that_reads_back(tmp_path):
    cells = read_table(TABLE)
    cells = cells[cells["name"].str.endswith("_54")]
    file = write_dataset(energies_dataset(cells, reference="test"), tmp_path / "my.json")
    (read,) = read_datasets([file], LINA)
    wanted = mixing_energies(cells)["enthalpy"].to_numpy()
    assert np.ravel(read["values"]) == pytest.approx(wanted, abs=1e-6)
    assert [y[0][1] for y in read["solver"]["sublattice_occupancies"]] == [1 / 54, 53 / 54]


def test_finished_calculations_become_the_same_dataset_as_their_table(tmp_path):
    # Energies of 16-atom cells as a table has them.
    for n, (symbol, energy) in enumerate({"Li": -30.4, "Na": -20.8, "Li+Na": -29.6}.items()):
        write(tmp_path / f"{n}.extxyz", supercell(symbol, energy=energy))
    read = read_calculations([tmp_path / f"{n}.extxyz" for n in range(3)])
    table = energies_dataset(frame(*REFERENCES, mixed()), reference="test")
    assert energies_dataset(read, reference="test")["values"] == table["values"]


def test_names_of_a_sublattice_are_in_alphabetical_order():
    cell = mixed(counts=(15, 1), e_first=-1.9, e_second=-1.3)
    swapped = energies_dataset(frame(cell), components=("na", "li"), reference="test")
    assert swapped["components"] == ["LI", "NA", "VA"]
    assert swapped["solver"]["sublattice_occupancies"] == [[[1 / 16, 15 / 16], 1.0]]


def test_a_phase_may_have_no_vacancies_or_other_ratios():
    cell = mixed(e_first=-1.9, e_second=-1.3)
    plain = energies_dataset(frame(cell), phase="A1", site_ratios=(1,), reference="test")
    assert (plain["components"], plain["phases"]) == (["LI", "NA"], ["A1"])
    assert plain["solver"]["sublattice_configurations"] == [[["LI", "NA"]]]
    fcc = energies_dataset(frame(cell), phase="FCC_A1", site_ratios=(1, 1), reference="test")
    assert fcc["solver"]["sublattice_site_ratios"] == [1, 1]
    with pytest.raises(DatasetError, match=r"site ratios are positive.*got \[0\]"):
        energies_dataset(frame(cell), site_ratios=(0,), reference="test")


def test_measured_solubilities_are_written_for_others_and_left_alone_by_espei(tmp_path):
    data = solubility_dataset(
        [350, 400],
        [2e-4, 6e-4],
        solvent="NA",
        equilibrium="chemical",
        ln_x_error=0.1,
        reference="nobody",
    )
    assert data["solver"]["sublattice_occupancies"] == [[[0.0, 1.0], 1.0]]
    (read,) = read_datasets([write_dataset(data, tmp_path / "my.json")], LINA)
    assert read["values"] == [[[2e-4], [6e-4]]]
    assert (read["ln_x_error"], read["conditions"]["T"]) == ([0.1, 0.1], [350.0, 400.0])
    assert load_datasets([str(tmp_path / "my.json")]).all()[0]["output"] == "SOLUBILITY"


def test_solubilities_may_be_colder_than_espeis_limit():
    data = solubility_dataset(
        200, 1e-8, solvent="LI", equilibrium="coherent", ln_x_error=[0.1], reference="nobody"
    )
    assert check_dataset(data)["values"] == [[[1e-8]]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": [0.1, 1.0]}, "no mole fractions between 0 and 1, ends excluded"),
        ({"x": [0.0, 0.1]}, "no mole fractions between 0 and 1"),
        ({"x": [0.1, np.nan]}, "values that are no finite numbers"),
        ({"x": [0.1]}, "is no valid ESPEI dataset"),
        ({"T": [-1.0, 300.0]}, "temperatures that are not positive"),
        ({"ln_x_error": 0.0}, "no positive ln_x_error for each temperature"),
        ({"ln_x_error": [0.1] * 3}, "no positive ln_x_error"),
        ({"solvent": "K"}, "the solvent K is none of LI and NA"),
    ],
)
def test_a_solubility_without_meaning_is_refused(changes, message):
    good = {"T": [300.0, 350.0], "x": [0.1, 0.2], "solvent": "LI", "ln_x_error": 0.1,
            "equilibrium": "chemical"}  # fmt: skip
    with pytest.raises(DatasetError, match=f"nobody.*{message}"):
        solubility_dataset(**(good | changes), reference="nobody")


def test_writing_neither_replaces_nor_hides_a_file(tmp_path, data):
    file = write_dataset(data, tmp_path / "my.json")
    with pytest.raises(OutputError, match="exists already"):
        write_dataset(data, file)
    assert write_dataset(data, file, overwrite=True) == file
    with pytest.raises(DatasetError, match=r"does not end in \.json"):
        write_dataset(data, tmp_path / "my.txt")
    with pytest.raises(DatasetError, match=r"bad\.json is empty"):
        write_dataset(data | {"values": []}, tmp_path / "bad.json")
    assert [p.name for p in tmp_path.iterdir()] == ["my.json"]


# The command


def run(capsys, *arguments):
    return support.run(capsys, "dataset", *arguments)


@pytest.fixture
def two_cells(tmp_path):
    file = tmp_path / "cells.csv"
    file.write_text(
        "name,li,na,energy_ev\nLi,16,0,-30.4\nNa,0,16,-20.8\n[a],15,1,-29.6\nb,1,15,-20.8\n"
    )
    return file


def test_the_command_writes_a_dataset_and_says_what_is_in_it(two_cells, tmp_path, capsys):
    out = tmp_path / "my.json"
    status, text, _ = run(
        capsys, two_cells, "--out", out, "--reference", "VASP", "--comment", "PBE, 16 atoms.",
        "--uncertainty", 0.02,
    )  # fmt: skip
    assert status == 0
    rows = [re.findall(r"[^\s│]+", line) for line in text.splitlines() if "│" in line]
    assert ["[a]", "0.06250", "0.2000", "1206.1", "120.6"] in rows
    assert ["b", "0.93750", "0.6000", "3618.2", "120.6"] in rows
    assert ["16", "finite", "difference", "38594.1", "±", "1365", "-19297.1", "±", "1365"] in rows
    assert ["16", "Redlich-Kister", "41167.1", "±", "1455", "-23524.0", "±", "1663"] in rows
    assert f"wrote {out}" in text
    (read,) = read_datasets([out], LINA)
    assert read["reference"] == "VASP"
    assert read["comment"].startswith("PBE, 16 atoms. Energies at 0 K, entered at 298.15 K")


def test_the_command_takes_calculations_other_elements_and_phases(tmp_path, capsys):
    write(tmp_path / "a.traj", [supercell("Li", energy=-30.4), supercell("Mg", energy=-24.0)])
    write(tmp_path / "b.traj", supercell("Li+Mg", energy=-29.9))
    status, text, _ = run(
        capsys, tmp_path / "a.traj", tmp_path / "b.traj", "--out", tmp_path / "my.json",
        "--components", "li,mg", "--phase", "A2", "--vacant", 0,
    )  # fmt: skip
    assert status == 0
    assert "Interaction parameters" not in text
    (read,) = read_datasets([tmp_path / "my.json"], ["LI", "MG"], ["A2"])
    assert read["components"] == ["LI", "MG"]


def test_the_command_answers_a_fault_in_one_line(two_cells, tmp_path, capsys):
    status, out, err = run(capsys, two_cells, "--out", tmp_path / "my.txt")
    assert (status, out) == (2, "")
    assert re.fullmatch(r"lina-calphad: error: .*my\.txt does not end in \.json.*\n", err)
    run(capsys, two_cells, "--out", tmp_path / "my.json")
    status, _, err = run(capsys, two_cells, "--out", tmp_path / "my.json")
    assert status == 2
    assert "exists already" in err
    status, _, err = run(capsys, "none.csv", "--out", tmp_path / "other.json")
    assert status == 2
    assert "none.csv cannot be read as a table" in err
    assert run(capsys, two_cells, "--out", tmp_path / "my.json", "--overwrite")[0] == 0


def test_the_limits_are_options(tmp_path, capsys):
    file = tmp_path / "cells.csv"
    file.write_text(
        "name,li,na,energy_ev,e_li_ev_per_atom,e_na_ev_per_atom,max_force_ev_per_a,pressure_kbar\n"
        "a,15,1,-29.6,-1.9,-1.3,0.06,3\n"
    )
    arguments = (file, "--out", tmp_path / "my.json")
    assert run(capsys, *arguments)[0] == 2
    assert run(capsys, *arguments, "--max-force", 0.1)[0] == 2
    assert run(capsys, *arguments, "--max-force", 0.1, "--max-pressure", 4)[0] == 0


def test_the_help_explains_the_table(capsys):
    _, text, _ = run(capsys, "--help")
    for word in ("energy_ev", "e_li_ev_per_atom", "max_force_ev_per_a", "pressure_kbar", "vasprun"):
        assert word in text


def test_atoms_of_another_element_are_refused(tmp_path):
    (tmp_path / "cells.csv").write_text(
        "name,li,na,k,energy_ev\nLi,1,0,0,-1.9\nNa,0,1,0,-1.3\nmixed,52,1,1,-101.0\n"
    )
    with pytest.raises(DatasetError, match=r"row 4 \(mixed\) holds 1 atoms of K"):
        read_table(tmp_path / "cells.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sublattice_occupancies": [[[0.5, 0.9], 1.0]]}, "add up to 1"),
        ({"sublattice_configurations": [["LI", "VA"]]}, "nothing mixes"),
    ],
)
def test_sites_that_make_no_sense(change, message):
    (dataset,) = read_datasets(["santos2025"])
    dataset["values"], dataset["weight"] = [[[202.2]]], 66.0
    for key in ("sublattice_configurations", "sublattice_occupancies"):
        dataset["solver"][key] = dataset["solver"][key][:1]
    dataset["solver"] |= change
    if "sublattice_configurations" in change:
        dataset["solver"]["sublattice_occupancies"] = [[1.0, 1.0]]
        dataset["components"] = ["LI", "VA"]
    with pytest.raises(DatasetError, match=message):
        check_dataset(dataset)
