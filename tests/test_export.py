"""The plain TDB with 0L - B: a coherent diagram for programs without our model."""

from __future__ import annotations

import copy
import re

import calphad_io
import numpy as np
import pytest
from pycalphad import Database

import lina_calphad as lc
from lina_calphad.errors import ElasticDataError, OutputError

LINA = ("LI", "NA")


class Along111(lc.CoherentModel):
    plane = (1, 1, 1)


@pytest.mark.parametrize("key", lc.assessments())
@pytest.mark.parametrize("model", [lc.CoherentModel, Along111])
def test_its_chemical_gap_is_our_coherent_gap(key, model, tmp_path):
    dbf = lc.load(key)
    lc.set_elastic_data(
        dbf, "BCC_A2", molar_volume={"LI": 1.2e-5, "NA": 2.1e-5},
        elasticity={"LI": lc.CubicElasticity(13.5, 11.4, 4.8)},
    )  # fmt: skip
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb", model=model)))
    coherent = lc.BinarySolution(dbf, LINA, "BCC_A2", model=model)
    exported = lc.BinarySolution(plain, LINA, "BCC_A2")
    T = coherent.critical_point().T * np.linspace(0.05, 0.999, 30)
    ours, theirs = coherent.binodal(T), exported.binodal(T)
    assert np.abs(ours.ln_x_alpha - theirs.ln_x_alpha).max() < 1e-9
    assert np.abs(ours.ln_one_minus_x_beta - theirs.ln_one_minus_x_beta).max() < 1e-9
    spinodals = coherent.spinodal(T).x_alpha - exported.spinodal(T).x_alpha
    assert np.abs(spinodals).max() < 1e-9


def test_other_phases_and_pure_elements_are_unchanged(tmp_path):
    dbf = lc.load("santos2025")
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))

    def others(database):
        return {
            (p["phase_name"], p["constituent_array"], p["parameter_order"]): p["parameter"]
            for p in database._parameters.all()
            if p["parameter_type"] == "G"
            and (p["phase_name"], p["parameter_order"]) != ("BCC_A2", 0)
        }

    assert others(plain) == others(dbf)
    assert not plain.search(lambda p: p["parameter_type"].startswith("C"))
    liquid = [lc.BinarySolution(d, LINA, "LIQUID").critical_point() for d in (dbf, plain)]
    assert liquid[0] == liquid[1]


def test_other_programs_can_read_it(tmp_path):
    path = lc.export_coherent_tdb(lc.load("santos2025"), tmp_path / "plain.tdb")
    text = path.read_text()
    assert max(map(len, text.splitlines())) <= 78
    assert [f for f in calphad_io.validate(calphad_io.load(path)) if f.severity != "info"] == []
    commands = re.findall(r"(?m)^PARAMETER[^!]*!", text)
    assert all(re.search(r"N\s+(SOURCE|COHERENT) !$", command) for command in commands)
    (changed,) = (command for command in commands if "COHERENT" in command)
    assert changed.startswith("PARAMETER G(BCC_A2,LI,NA:VA;0) 1.0 7534.08")


def test_a_coefficient_that_depends_on_temperature(tmp_path):
    from pycalphad import variables as v

    dbf = lc.load("zhang2003")
    volumes = {"LI": 1.2e-5 * (1 + 1e-4 * v.T), "NA": 2.2e-5}
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume=volumes, elasticity={})
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))
    coherent = lc.BinarySolution(dbf, LINA, "BCC_A2", model=lc.CoherentModel)
    T = np.array([60.0, 150.0])
    theirs = lc.BinarySolution(plain, LINA, "BCC_A2").binodal(T).ln_x_alpha
    assert np.abs(coherent.binodal(T).ln_x_alpha - theirs).max() < 1e-9


@pytest.mark.parametrize("count", [0, 2])
def test_no_parameter_becomes_one_and_two_become_one(count, tmp_path):
    dbf = lc.load("zhang2003")
    (old,) = dbf.search(
        lambda p: p["phase_name"] == "BCC_A2" and len(p["constituent_array"][0]) == 2
    )
    dbf._parameters.remove(doc_ids=[old.doc_id])
    for _ in range(count):
        dbf.add_parameter("L", "BCC_A2", [["LI", "NA"], ["VA"]], 0, 8000.0)
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))
    (new,) = plain.search(
        lambda p: p["phase_name"] == "BCC_A2" and len(p["constituent_array"][0]) == 2
    )
    assert float(new["parameter"].args[0]) == pytest.approx(8000 * count - 12575.7167464, abs=1e-6)


def test_the_original_is_not_changed(tmp_path):
    dbf = lc.load("santos2025")
    before = copy.deepcopy(dbf)
    lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")
    assert dbf == before


def test_an_existing_file_stays_unless_asked(tmp_path):
    path = tmp_path / "plain.tdb"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"plain\.tdb exists already"):
        lc.export_coherent_tdb(lc.load("santos2025"), path)
    assert path.read_text() == "mine"
    lc.export_coherent_tdb(lc.load("santos2025"), path, overwrite=True)
    assert "COHERENT" in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["plain.tdb"]


def test_without_elastic_data_nothing_is_written(tmp_path):
    with pytest.raises(ElasticDataError):
        lc.export_coherent_tdb(lc.load("santos2025", elastic=False), tmp_path / "plain.tdb")
    assert list(tmp_path.iterdir()) == []
