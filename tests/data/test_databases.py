"""The TDB files: what they hold, that they are sound, and that others can read them."""

from __future__ import annotations

import collections
import re
import subprocess
import sys

import calphad_io
import numpy as np
import pytest
from pycalphad import Database, calculate, equilibrium
from pycalphad import variables as v
from support import COMPS
from symengine import Symbol

import lina_calphad as lc
from lina_calphad.data.assessments import tdb_folder
from lina_calphad.diagram.alloy import Alloy

FILES = sorted(path.name for path in tdb_folder().glob("*.tdb"))

# J/mol: SGTE 91, as espei.refdata.SGTE91 and OpenCalphad's SGTE file give it.
UNARIES = [
    ("LI", "BCC_A2", 298.15, -8682.128),
    ("LI", "LIQUID", 298.15, -7710.623),
    ("NA", "BCC_A2", 298.15, -15295.094),
    ("NA", "LIQUID", 298.15, -14787.445),
    ("LI", "BCC_A2", 443.9, -13730.044),
    ("LI", "LIQUID", 443.9, -13665.975),
    ("NA", "BCC_A2", 443.9, -23696.005),
    ("NA", "LIQUID", 443.9, -24208.604),
]

# What pycalphad 0.11.2 gives for these parameters: kind, T / K, compositions x(Na).
INVARIANTS = {
    "zhang2003": {
        "monotectic": (444.50, {"LIQUID": (0.0337, 0.8963), "BCC_A2": (0.01178,)}),
        "eutectic": (360.17, {"LIQUID": (0.9660,)}),
    },
    "santos2025": {
        "monotectic": (439.56, {"LIQUID": (0.0316, 0.9011), "BCC_A2": (0.00070,)}),
        "eutectic": (361.45, {"LIQUID": (0.9652,)}),
    },
}
LIQUID_TOP = (581.6, 0.325)


def gibbs(dbf, element, phase, T):
    result = calculate(dbf, [element, "VA"], [phase], T=T, P=101325)
    return float(result.GM.values.squeeze())


@pytest.mark.parametrize("key", lc.assessments())
@pytest.mark.parametrize(("element", "phase", "T", "expected"), UNARIES)
def test_unaries_have_the_sgte_values(databases, key, element, phase, T, expected):
    assert gibbs(databases[key], element, phase, T) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("element", ["LI", "NA"])
@pytest.mark.parametrize("phase", ["BCC_A2", "FCC_A1", "HCP_A3", "LIQUID"])
def test_unaries_are_those_of_espei(databases, element, phase):
    from espei.refdata import SGTE91, SGTE91Stable

    stable = {Symbol(f"GHSER{element}"): SGTE91Stable[element]}
    for T in np.linspace(210, 2000, 25):
        expected = float(SGTE91[element, phase].xreplace(stable).xreplace({v.T: T}).n())
        assert gibbs(databases["zhang2003"], element, phase, T) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("key", INVARIANTS)
@pytest.mark.parametrize("kind", ["monotectic", "eutectic"])
def test_invariants_from_pycalphad(databases, key, kind):
    T, compositions = INVARIANTS[key][kind]
    (found,) = (i for i in Alloy.of(key, databases[key]).invariants if i.kind == kind)
    assert found.T == pytest.approx(T, abs=0.05)
    for phase, expected in compositions.items():
        half_digit = 6e-5 if phase == "LIQUID" else 6e-6
        assert found.x(phase)[: len(expected)] == pytest.approx(expected, abs=half_digit)


@pytest.mark.parametrize("key", INVARIANTS)
def test_the_invariants_are_where_equilibrium_changes_phases(databases, key):
    # The same temperatures by a route without pycalphad's mapping. With its usual 60
    # points a degree of freedom, equilibrium misses the second bcc phase by up to 0.5 K.
    for kind, x, below, above in (
        ("monotectic", 0.5, {"BCC_A2", "LIQUID"}, {"LIQUID"}),
        ("eutectic", 0.5, {"BCC_A2"}, {"BCC_A2", "LIQUID"}),
    ):
        T = INVARIANTS[key][kind][0]
        conditions = {v.T: [T - 0.05, T + 0.05], v.P: 101325, v.X("NA"): x}
        result = equilibrium(databases[key], COMPS, ["LIQUID", "BCC_A2"], conditions,
                             calc_opts={"pdens": 2000})  # fmt: skip
        phases = [set(row.ravel()) - {""} for row in result.Phase.values[0, 0, :, 0]]
        assert phases == [below, above]


@pytest.mark.parametrize("key", INVARIANTS)
def test_liquid_critical_point(databases, key):
    top = lc.BinarySolution(databases[key], ("LI", "NA"), "LIQUID").critical_point()
    assert top.T == pytest.approx(LIQUID_TOP[0], abs=0.05)
    assert top.x == pytest.approx(LIQUID_TOP[1], abs=5e-4)


def test_lithium_turns_close_packed_at_77_kelvin(databases):
    hcp, bcc = (gibbs(databases["santos2025"], "LI", p, 77.0) for p in ("HCP_A3", "BCC_A2"))
    assert hcp == pytest.approx(bcc, abs=1e-9)


@pytest.mark.parametrize("name", FILES)
def test_writing_and_reading_again_changes_nothing(name, tmp_path):
    first = Database(str(tdb_folder() / name))
    first.to_file(str(tmp_path / "again.tdb"))
    assert Database(str(tmp_path / "again.tdb")) == first


@pytest.mark.parametrize("name", FILES)
def test_an_independent_validator_finds_no_error(name):
    findings = calphad_io.validate(calphad_io.load(str(tdb_folder() / name)))
    assert [f for f in findings if f.severity != "info"] == []


@pytest.mark.parametrize("name", FILES)
def test_no_parameter_occurs_twice(name):
    parameters = Database(str(tdb_folder() / name))._parameters.all()
    count = collections.Counter(
        (p["phase_name"], p["parameter_type"], p["constituent_array"], p["parameter_order"])
        for p in parameters
    )
    assert len(count) == len(parameters)


@pytest.mark.parametrize("name", FILES)
def test_other_programs_can_read_the_lines(name):
    lines = (tdb_folder() / name).read_text().splitlines()
    assert max(map(len, lines)) <= 78
    assert all(line == line.upper() and line.isascii() for line in lines)


@pytest.mark.parametrize("name", FILES)
def test_every_parameter_closes_with_a_listed_reference(name):
    text = re.sub(r"\$.*", "", (tdb_folder() / name).read_text())
    listed = re.findall(r"(?m)^ (\w+) +'", text.split("LIST_OF_REFERENCES")[1])
    used = re.findall(r"PARAMETER[^!]* N\s+(\w+) !", text)
    assert len(used) == text.count("PARAMETER ")
    assert set(used) <= set(listed)


def test_files_load_without_this_package_being_imported():
    paths = [str(tdb_folder() / name) for name in FILES]
    code = (
        f"import sys; from pycalphad import Database; [Database(path) for path in {paths}]; "
        "assert 'lina_calphad' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_elastic_data_have_the_values_of_the_paper():
    dbf = Database(str(tdb_folder() / "LiNa_elastic.tdb"))
    values = {
        (p["parameter_type"], p["constituent_array"][0][0].name): float(p["parameter"].args[0])
        for p in dbf._parameters.all()
    }
    paper = lc.CubicElasticity.isotropic(13.8, 0.33)
    for element, a in (("LI", 3.42e-10), ("NA", 4.19e-10)):
        assert values["V0", element] == pytest.approx(a**3 * 6.02214076e23 / 2, rel=5e-15)
        for name in ("c11", "c12", "c44"):
            assert values[name.upper(), element] == pytest.approx(getattr(paper, name), rel=5e-15)


def test_load_leaves_elastic_data_out_when_asked():
    kinds = {p["parameter_type"] for p in lc.load("santos2025", elastic=False)._parameters.all()}
    assert kinds == {"G"}
    assert {"V0", "C11", "C12", "C44"} < {
        p["parameter_type"] for p in lc.load("santos2025")._parameters.all()
    }


def test_each_load_is_a_database_of_its_own():
    changed = lc.load("zhang2003")
    changed.phases.clear()
    assert lc.load("zhang2003").phases
