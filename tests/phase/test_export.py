"""The plain TDB with 0L - B: a coherent diagram for programs without our model."""

from __future__ import annotations

import re

import calphad_io
import numpy as np
import pytest
from pycalphad import Database
from support import INTERSTITIAL

import lina_calphad as lc
from lina_calphad.errors import DatabaseError, ElasticDataError, OutputError

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


def is_l0(p):
    return p["phase_name"] == "BCC_A2" and len(p["constituent_array"][0]) == 2


def test_a_phase_without_l0_gets_one(tmp_path):
    dbf = lc.load("zhang2003")
    dbf._parameters.remove(is_l0)
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))
    (new,) = plain.search(is_l0)
    assert float(new["parameter"].args[0]) == pytest.approx(-12575.7167464, abs=1e-6)


def test_two_parameters_l0_are_refused(tmp_path):
    dbf = lc.load("zhang2003")
    dbf.add_parameter("L", "BCC_A2", [["LI", "NA"], ["VA"]], 0, 100.0)
    with pytest.raises(DatabaseError, match="BCC_A2 has 2 parameters L0 of LI and NA"):
        lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")
    assert list(tmp_path.iterdir()) == []


def test_elastic_data_with_ranges_of_temperature_are_refused(tmp_path):
    text = lc.load("zhang2003").to_string(fmt="tdb")
    text = text.replace("1.0 2.21494514805952E-05; 3000.0 N", "1 2.2E-5; 200 Y 2.3E-5; 3000 N")
    with pytest.raises(ElasticDataError, match="have ranges of temperature"):
        lc.export_coherent_tdb(Database.from_string(text, fmt="tdb"), tmp_path / "plain.tdb")


def test_interstitial_parameters_are_left_alone(tmp_path):
    dbf = Database.from_string(INTERSTITIAL, fmt="tdb")
    lithium = lc.CubicElasticity(13.5, 11.4, 8.8)
    volumes = {"LI": 1.2e-5, "NA": 2.2e-5}
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume=volumes, elasticity={"LI": lithium})
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))
    l0 = {
        p["constituent_array"][1][0].name: float(p["parameter"].args[0])
        for p in plain.search(is_l0)
    }
    assert l0["C"] == 5000
    assert l0["VA"] < 20000


def test_the_original_is_not_changed(tmp_path):
    # A name longer than the eight characters that a TDB allows is shortened in the file.
    text = lc.load("santos2025").to_string(fmt="tdb").replace("GHSERLI", "GHSERLITHIUM")
    dbf = Database.from_string(text, fmt="tdb")
    before = dbf.to_string(fmt="tdb", if_incompatible="ignore").split("ELEMENT", 1)[1]
    path = lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")
    assert dbf.to_string(fmt="tdb", if_incompatible="ignore").split("ELEMENT", 1)[1] == before
    assert "GHSERLITHIUM" not in path.read_text()


def test_an_existing_file_stays_unless_asked(tmp_path):
    path, dbf = tmp_path / "plain.tdb", lc.load("santos2025")
    lc.export_coherent_tdb(dbf, path)
    before = path.read_text()
    with pytest.raises(OutputError, match=r"plain\.tdb exists already"):
        lc.export_coherent_tdb(dbf, path, source="another")
    assert path.read_text() == before
    lc.export_coherent_tdb(dbf, path, source="another", overwrite=True)
    assert "ANOTHER" in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["plain.tdb"]


def test_what_is_no_export_is_never_replaced(tmp_path):
    path = tmp_path / "thesis.tdb"
    path.write_text("mine")
    with pytest.raises(OutputError, match="not written by this program"):
        lc.export_coherent_tdb(lc.load("santos2025"), path, overwrite=True)
    assert path.read_text() == "mine"


def test_without_elastic_data_nothing_is_written(tmp_path):
    with pytest.raises(ElasticDataError):
        lc.export_coherent_tdb(lc.load("santos2025", elastic=False), tmp_path / "plain.tdb")
    assert list(tmp_path.iterdir()) == []
