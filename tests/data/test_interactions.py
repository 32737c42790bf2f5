"""Interaction parameters as symbols: the same energies, numbers that a fit can move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycalphad import Database, calculate
from pycalphad import variables as v
from symengine import S, Symbol

import lina_calphad as lc
from lina_calphad.data.assessments import tdb_folder
from lina_calphad.data.databases import copy_database
from lina_calphad.data.interactions import (
    describe_symbol,
    free_interactions,
    without_interactions,
)
from lina_calphad.errors import DatabaseError, UnsupportedPhase

LINA = ("LI", "NA")
INTERACTION = [["LI", "NA"], ["VA"]]


def edited(*replacements, source="LiNa_Santos2025.tdb"):
    """A shipped TDB with text replaced."""
    text = (tdb_folder() / source).read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return Database.from_string(text, fmt="tdb")


def energies(dbf, phase, components=LINA):
    found = calculate(dbf, [*components, "VA"], phase, T=[250.0, 700.0], P=101325, pdens=30)
    return found.GM.values


@pytest.mark.parametrize("key", lc.assessments())
@pytest.mark.parametrize("phase", ["BCC_A2", "LIQUID", "FCC_A1", "HCP_A3"])
def test_energies_stay_as_they_are(databases, key, phase):
    freed, _ = free_interactions(databases[key], phase, LINA)
    np.testing.assert_allclose(
        energies(freed, phase), energies(databases[key], phase), rtol=1e-12, atol=1e-8
    )


def test_energies_of_another_alloy_stay_as_they_are(example_tdb):
    dbf = example_tdb("alzn_mey.tdb")
    freed, values = free_interactions(dbf, "FCC_A1", ("AL", "ZN"))
    assert list(values) == ["FCCL0A", "FCCL0B", "FCCL1A", "FCCL1B", "FCCL2A", "FCCL2B"]
    expected = energies(dbf, "FCC_A1", ("AL", "ZN"))
    np.testing.assert_allclose(energies(freed, "FCC_A1", ("AL", "ZN")), expected, rtol=1e-12)


def test_each_order_has_a_name_and_each_power_of_temperature_its_own(databases):
    freed, values = free_interactions(databases["zhang2003"], "liquid", LINA)
    assert values == {
        "LIQUL0": 10684.3678,
        "LIQUL1A": 3896.41952,
        "LIQUL1B": -5.46265483,
        "LIQUL2": 1580.34389,
    }
    assert {name: float(freed.symbols[name]) for name in values} == values


@given(a=st.floats(-1e5, 1e5), b=st.floats(-50, 50))
@settings(max_examples=6, deadline=None)
def test_coefficients_of_any_linear_parameter(a, b):
    dbf = edited(("+20109.8", f"{a:+.6f}{b:+.6f}*T"))
    _, values = free_interactions(dbf, "BCC_A2", LINA)
    assert values.get("BCCL0A", values.get("BCCL0")) == pytest.approx(a, abs=1e-5)
    assert values.get("BCCL0B", 0.0) == pytest.approx(b, abs=1e-5)


def test_an_excess_heat_capacity_has_a_symbol_of_its_own():
    dbf = edited(("+5772.6", "+5772.6-3*T+0.25*T*LN(T)"))
    freed, values = free_interactions(dbf, "BCC_A2", LINA)
    assert values == {"BCCL0": 20109.8, "BCCL1A": 5772.6, "BCCL1B": -3.0, "BCCL1C": 0.25}
    assert energies(freed, "BCC_A2") == pytest.approx(energies(dbf, "BCC_A2"), rel=1e-13)
    assert describe_symbol(freed, "BCCL1C") == ("L(BCC_A2,LI,NA:VA;1), of T ln T", "J/(mol K)")
    assert describe_symbol(freed, "BCCL1B")[0].endswith(", slope")
    assert free_interactions(freed, "BCC_A2", LINA)[1] == values


def test_the_original_is_left_alone(databases):
    before = databases["santos2025"].to_string(fmt="tdb")
    free_interactions(databases["santos2025"], "BCC_A2", LINA)
    without_interactions(databases["santos2025"], "BCC_A2", LINA)
    assert databases["santos2025"].to_string(fmt="tdb") == before


def test_a_database_that_espei_wrote_gets_our_names():
    dbf = edited(
        ("+20109.8", "VV0001+2*T"),
        ("+5772.6", "VV0000"),
        ("PHASE BCC_A2", "FUNCTION VV0000 1 5772.6; 10000 N !\n"
         "FUNCTION VV0001 1 20109.8; 10000 N !\nPHASE BCC_A2"),
    )  # fmt: skip
    freed, values = free_interactions(dbf, "BCC_A2", LINA)
    assert values == {"BCCL0A": 20109.8, "BCCL0B": 2.0, "BCCL1": 5772.6}
    np.testing.assert_allclose(energies(freed, "BCC_A2"), energies(dbf, "BCC_A2"), rtol=1e-12)


def test_freeing_twice_changes_nothing(databases):
    once = free_interactions(databases["santos2025"], "BCC_A2", LINA)
    twice = free_interactions(once[0], "BCC_A2", LINA)
    assert twice[1] == once[1]
    assert np.array_equal(energies(twice[0], "BCC_A2"), energies(once[0], "BCC_A2"))


def test_a_freed_database_survives_its_tdb(databases):
    freed, values = free_interactions(databases["zhang2003"], "LIQUID", LINA)
    again = Database.from_string(freed.to_string(fmt="tdb"), fmt="tdb")
    assert free_interactions(again, "LIQUID", LINA)[1] == pytest.approx(values)


def test_without_interactions_the_solution_is_ideal(databases):
    dbf = without_interactions(databases["santos2025"], "BCC_A2", LINA)
    solution = lc.BinarySolution(dbf, LINA, "BCC_A2")
    assert np.abs(solution.stability(300.0, np.linspace(0, 1, 11)) - 1).max() < 1e-14
    with pytest.raises(DatabaseError, match="BCC_A2 has no interaction parameter of LI and NA"):
        free_interactions(dbf, "BCC_A2", LINA)


# -- what is refused --


def test_two_parameters_of_one_order(databases):
    dbf = copy_database(databases["santos2025"])
    dbf.add_parameter("L", "BCC_A2", INTERACTION, 0, S(100.0))
    with pytest.raises(DatabaseError, match="more than one interaction parameter of one order"):
        free_interactions(dbf, "BCC_A2", LINA)


@pytest.mark.parametrize("term", ["1E-3*T**2", "30*LN(T)", "2*T**2*LN(T)", "EXP(T)"])
def test_other_terms_than_those_of_the_basis(term):
    dbf = edited(("+5772.6", f"+5772.6+{term}"))
    with pytest.raises(DatabaseError, match=r"BCCL1 is .*: only a \+ b\*T \+ c\*T\*LN\(T\)"):
        free_interactions(dbf, "BCC_A2", LINA)


def test_more_than_one_range_of_temperature():
    dbf = edited(("+5772.6; 3000 N", "+5772.6; 500 Y +6000; 3000 N"))
    with pytest.raises(DatabaseError, match="BCCL1 has 2 ranges of temperature; one can be freed"):
        free_interactions(dbf, "BCC_A2", LINA)


def test_a_name_that_other_parameters_use(databases):
    dbf = copy_database(databases["santos2025"])
    dbf.symbols["BCCL0"] = S(1.0)
    dbf.add_parameter("L", "LIQUID", [["LI", "NA"]], 3, Symbol("BCCL0"))
    with pytest.raises(DatabaseError, match="BCC_A2 needs the name BCCL0, which other parameters"):
        free_interactions(dbf, "BCC_A2", LINA)


def test_phases_that_are_not_there_or_mix_more_than_once(databases, example_tdb):
    with pytest.raises(DatabaseError, match="no phase SIGMA"):
        free_interactions(databases["santos2025"], "SIGMA", LINA)
    with pytest.raises(UnsupportedPhase, match="mixes on 2 sublattices"):
        free_interactions(example_tdb("cumg.tdb"), "CU2MG", ("CU", "MG"))


def test_a_pair_in_reversed_order_is_freed_with_its_meaning():
    """A Model takes L(NA,LI;1) as it is added: x(Na) less x(Li)."""
    dbf = copy_database(lc.load("zhang2003"))
    dbf.add_parameter("L", "BCC_A2", [["NA", "LI"], ["VA"]], 1, 3000.0 + 2 * v.T)
    freed, values = free_interactions(dbf, "BCC_A2", LINA)
    assert values == {"BCCL0": 16000.0, "BCCL1A": -3000.0, "BCCL1B": -2.0}
    energies = [
        float(lc.BinarySolution(each, LINA, "BCC_A2").gibbs_energy(300.0, 0.2))
        for each in (dbf, freed)
    ]
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)
