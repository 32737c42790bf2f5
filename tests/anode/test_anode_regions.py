"""Regions of a Li-Na anode, against the curves that bound them and pycalphad's equilibria."""

from __future__ import annotations

import numpy as np
import pytest
from pycalphad import equilibrium
from pycalphad import variables as v

import lina_calphad as lc
from lina_calphad.anode import (
    BOUNDARIES,
    REGIONS,
    describe,
    initial_composition,
    regions,
    stripping_path,
    study,
)
from lina_calphad.anode.windows import boundary_name
from lina_calphad.data.assessments import tdb_folder
from lina_calphad.data.databases import copy_database
from lina_calphad.errors import MissingElasticData, ParameterError, UnknownAssessment
from lina_calphad.paper.drawings import _FIELDS
from lina_calphad.phase.bands import region_probability
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.plots import KINDS

# -- regions --


def test_regions_of_figure_7_at_300_kelvin(santos):
    x = [1e-5, 1e-3, 0.02, 0.05, 0.2, 0.7, 0.815, 0.9, 0.999]
    assert regions(x, 300.0, santos).key.tolist() == [
        "single", "held", "nucleation", "incoherent_spinodal", "coherent_spinodal",
        "incoherent_spinodal", "held_unstable", "held", "single",
    ]  # fmt: skip


@pytest.mark.parametrize("assessment", ["santos2025", "zhang2003"])
def test_regions_agree_with_the_curves_taken_one_by_one(bcc, assessment):
    rng = np.random.default_rng(1)
    T = rng.uniform(100, 355, 60)
    x = np.concatenate([rng.uniform(0, 1, 30), 10 ** rng.uniform(-9, 0, 30)])
    expected = []
    for each, at in zip(T, x, strict=True):
        within = []
        for kind in KINDS:
            which, curve = kind.split()
            solution = bcc(assessment, which)
            if each < solution.critical_point().T:
                ends = getattr(solution, curve)(each)
                within += [kind] if ends.x_alpha < at < ends.x_beta else []
        expected.append(frozenset(within))
    all_but_one = {"chemical binodal", "coherent binodal", "chemical spinodal"}
    enclosing = {
        frozenset(): "single",
        frozenset({"chemical binodal"}): "held",
        frozenset({"chemical binodal", "chemical spinodal"}): "held_unstable",
        frozenset({"chemical binodal", "coherent binodal"}): "nucleation",
        frozenset(all_but_one): "incoherent_spinodal",
        frozenset(KINDS): "coherent_spinodal",
    }
    found = regions(x, T, assessment).key.tolist()
    assert found == [enclosing[within] for within in expected]
    assert len(set(found)) >= 4


def test_the_coherent_binodal_leaves_the_chemical_spinodal_on_one_side_alone(santos):
    ends = regions(0.5, 300.0, santos).boundaries
    assert ends["coherent binodal alpha"] < ends["chemical spinodal alpha"]
    assert ends["coherent binodal beta"] < ends["chemical spinodal beta"]


def test_without_a_coherent_gap_there_are_fewer_regions(zhang):
    found = regions(np.linspace(0, 1, 200), 300.0, zhang)
    assert set(found.key) == {"single", "held", "held_unstable"}
    assert {b for b in BOUNDARIES if np.isnan(found.boundaries[b]).all()} == {
        b for b in BOUNDARIES if b.startswith("coherent")
    }


def test_above_every_critical_point_the_solid_is_a_single_phase(santos):
    dbf = copy_database(santos.dbf)
    del dbf.phases["LIQUID"]
    found = regions([0.01, 0.3, 0.9], 1400.0, dbf)
    assert set(found.key) == {"single"}
    assert found.liquid is None


def test_pure_metals_and_solubilities_too_small_for_a_double_are_placed(santos):
    assert regions([0, 1e-300, 0.5, 1], 3.0, santos).key.tolist() == [
        "single", "held", "coherent_spinodal", "single",
    ]  # fmt: skip


def test_every_source_gives_the_same_regions(tmp_path, santos):
    file = tmp_path / "mine.tdb"
    file.write_text((tdb_folder() / "LiNa_Santos2025.tdb").read_text(encoding="utf-8"))
    x = np.geomspace(1e-6, 1, 40)
    expected = regions(x, 300.0, santos)
    for source, name in (("santos2025", "santos2025"), (file, "mine"), (santos.dbf, "database")):
        found = regions(x, 300.0, source)
        assert found.assessment == name
        np.testing.assert_array_equal(found.code, expected.code)


def test_another_model_of_coherency_moves_the_coherent_curves_alone(santos):
    class Stiffer(lc.CoherentModel):
        def elastic_energy(self, dbe):
            return 1.2 * super().elastic_energy(dbe)

    found = regions(0.06, 300.0, describe("santos2025", Stiffer))
    plain = regions(0.06, 300.0, santos)
    assert (str(plain.key), str(found.key)) == ("coherent_spinodal", "incoherent_spinodal")
    for boundary in BOUNDARIES:
        same = found.boundaries[boundary] == plain.boundaries[boundary]
        assert bool(same) == boundary.startswith("chemical")


def test_regions_broadcast_and_become_a_table(santos):
    found = regions([[0.01], [0.3]], [300.0, 340.0, 365.0], santos)
    assert found.code.shape == found.boundaries["chemical binodal beta"].shape == (2, 3)
    table = found.to_dataframe()
    assert len(table) == 6
    assert table["region"].tolist()[2] == "liquid"
    assert set(BOUNDARIES) <= set(table)
    assert repr(found).startswith("<Regions of santos2025 at 6 temperatures, 300 to 365 K: 2 ")
    assert repr(regions([], 300.0, santos)) == "<Regions of santos2025 at no point>"


def test_every_region_has_its_own_name_and_one_sentence():
    for part in ("key", "name", "meaning"):
        assert len({getattr(region, part) for region in REGIONS}) == len(REGIONS)
    assert all(region.meaning.endswith(".") for region in REGIONS)


def test_figure_7_calls_the_same_regions_by_the_same_names():
    assert set(_FIELDS.values()) <= {region.name for region in REGIONS}


def test_every_boundary_has_one_name_for_people():
    assert boundary_name("chemical binodal alpha") == "chemical binodal, Li side"
    assert len({boundary_name(name) for name in BOUNDARIES}) == 8


def test_the_source_may_come_first_as_in_the_command(santos):
    found = regions("santos2025", x=0.3, T=300.0)
    assert str(found.key) == str(regions("santos2025", 0.3, 300.0).key) == "coherent_spinodal"
    path = stripping_path(santos, 0.03, 300.0)
    np.testing.assert_equal(path.q, stripping_path(0.03, 300.0, santos).q)
    assert study("santos2025", x0=0.05).x0 == study(0.05).x0 == 0.05
    x0 = initial_composition(santos, 0.5, 300.0)
    assert x0 == initial_composition(0.5, 300.0, source=santos)
    with pytest.raises(TypeError, match="multiple values for keyword argument 'source'"):
        study("santos2025", 0.05, source="zhang2003")
    with pytest.raises(UnknownAssessment, match="nothing"):
        study("nothing", x0=0.05)
    with pytest.raises(TypeError, match="argument: 'x0'"):
        study("santos2025")


# -- liquid --


def test_liquid_is_present_above_the_eutectic_and_the_monotectic_and_not_at_300_kelvin(santos):
    assert str(regions(0.9, 365.0, santos).key) == "liquid"
    assert str(regions(0.3, 450.0, santos).key) == "liquid"
    assert not regions(np.linspace(0, 1, 101), 300.0, santos).liquid.any()


def test_the_whole_chemical_gap_melts_at_the_eutectic_temperature(santos):
    eutectic = santos.invariants[0].T
    x = np.array([0.001, 0.03, 0.5, 0.9, 0.99])
    for T, molten in ((eutectic - 0.02, False), (eutectic + 0.02, True)):
        assert (santos.liquid_present(x, np.full(5, T)) == molten).all()


@pytest.mark.parametrize(("x", "T"), [(0.0, 453.6), (1.0, 370.87)])
def test_pure_metals_melt_at_their_melting_points(zhang, x, T):
    below, above = zhang.liquid_present(np.full(2, x), np.array([T - 0.05, T + 0.05]))
    assert not below
    assert above


def test_liquid_is_present_where_the_equilibrium_of_pycalphad_has_some(zhang):
    T, x = (a.ravel() for a in np.meshgrid([330.0, 362.0, 369.0, 440.0, 452.0, 600.0],
                                           [0.003, 0.02, 0.2, 0.6, 0.95, 0.995]))  # fmt: skip
    expected = []
    for each, at in zip(T, x, strict=True):
        result = equilibrium(
            zhang.dbf, ["LI", "NA", "VA"], ["BCC_A2", "LIQUID"],
            {v.T: each, v.P: 101325, v.X("NA"): at}, calc_opts={"pdens": 2000},
        )  # fmt: skip
        expected.append("LIQUID" in result.Phase.values)
    assert 5 < sum(expected) < 31
    np.testing.assert_array_equal(zhang.liquid_present(x, T), expected)


# -- probabilities --


def test_probabilities_of_regions_are_those_of_the_curves_that_bound_them(santos, draws):
    draws = draws[0], ParameterDraws(draws[1].symbols, draws[1].values[:600])
    x, T = np.array([3e-5, 0.0038, 0.036, 0.058, 0.8, 0.82]), np.array([[300.0], [340.0]])
    p = regions(x, T, santos, draws=draws).probability
    np.testing.assert_allclose(sum(p.values()), 1, atol=1e-12)
    inside = region_probability(*draws, T, x)
    for curve, keys in {
        "chemical binodal": ["single"],
        "coherent binodal": ["single", "held", "held_unstable"],
        "chemical spinodal": ["single", "held", "nucleation"],
        "coherent spinodal": [k for k in p if k != "coherent_spinodal"],
    }.items():
        np.testing.assert_allclose(1 - sum(p[k] for k in keys), inside[curve], atol=1e-12)


def test_draws_that_do_not_differ_give_the_region_itself(santos, draws):
    symbols = draws[1].symbols
    same = draws[0], ParameterDraws(symbols, np.tile([20109.8, 5772.6], (3, 1)))
    x = np.geomspace(1e-6, 0.99, 30)
    found = regions(x, 300.0, santos, draws=same)
    for i, region in enumerate(REGIONS[:-1]):
        np.testing.assert_array_equal(found.probability[region.key], found.code == i)


def test_where_liquid_is_present_there_is_no_probability_of_a_solid(santos, draws):
    found = regions(0.3, [300.0, 400.0], santos, draws=draws)
    assert np.isnan(found.probability["single"]).tolist() == [False, True]
    assert found.to_dataframe()["p_coherent_spinodal"].isna().tolist() == [False, True]


# -- bad input --


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": [0.3, -0.1], "T": 300.0}, "a mole fraction lies between 0 and 1; got -0.1"),
        ({"x": np.nan, "T": 300.0}, "a mole fraction lies between 0 and 1; got nan"),
        ({"x": 0.3, "T": 0.0}, "a temperature is a positive, finite number"),
        ({"x": 0.3, "T": np.inf}, "a temperature is a positive, finite number"),
    ],
)
def test_what_is_no_point_has_no_region(santos, given, message):
    with pytest.raises(ValueError, match=message):
        regions(**given, source=santos)


def test_an_assessment_without_elastic_data_is_refused():
    bare = lc.load("santos2025", elastic=False)
    with pytest.raises(MissingElasticData, match="BCC_A2 lacks V0 of LI, C11 of LI"):
        regions(0.3, 300.0, bare)
    with pytest.raises(MissingElasticData, match="set_elastic_data"):
        stripping_path(0.03, 300.0, bare)


def test_an_unknown_assessment_is_refused():
    with pytest.raises(UnknownAssessment, match="zhang2003"):
        regions(0.3, 300.0, "zhang")


def test_draws_of_a_parameter_that_is_not_there_are_refused(santos, draws):
    with pytest.raises(ParameterError, match="BCCL0"):
        regions(0.3, 300.0, santos, draws=(santos.dbf, draws[1]))
