"""Li stripped from an anode: what stays behind, which boundaries it crosses, after what charge."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from lina_calphad.anode import (
    BOUNDARIES,
    REGIONS,
    initial_composition,
    regions,
    stripped_composition,
    stripped_share,
    stripping_path,
)
from lina_calphad.data.databases import copy_database
from lina_calphad.errors import DatabaseError, OutsideAssessedRange

# 20 to 60 °C, where anodes are used
OPERATION = constants.convert_temperature(np.linspace(20, 60, 5), "C", "K")
F = constants.physical_constants["Faraday constant"][0]
LI, NA = 6.941, 22.98977  # g/mol, as in the databases

fractions = st.floats(1e-6, 1 - 1e-6)
shares = st.floats(0, 1)


@pytest.fixture(scope="module")
def path(santos):
    return stripping_path(0.03, 300.0, santos, thickness=20e-6)


# -- stripping: composition --


@given(fractions, shares)
def test_stripping_takes_lithium_and_leaves_sodium(x0, q):
    x = stripped_composition(x0, q)
    lithium, sodium = (1 - x0) * (1 - q), x0
    assert x * (lithium + sodium) == pytest.approx(sodium, rel=1e-12)


@given(fractions, st.floats(0, 1 - 1e-6))
def test_share_and_composition_are_inverse(x0, q):
    assert stripped_share(x0, stripped_composition(x0, q)) == pytest.approx(q, abs=1e-9)


@given(fractions, shares, shares)
def test_the_more_is_stripped_the_more_sodium_is_left(x0, p, q):
    low, high = sorted((p, q))
    assert x0 * (1 - 1e-15) <= stripped_composition(x0, low)
    assert stripped_composition(x0, low) <= stripped_composition(x0, high) <= 1


def test_the_share_keeps_its_digits_next_to_the_start():
    x = 0.0625 + 2**-45  # exact in a double
    assert stripped_share(0.0625, x) == pytest.approx(2**-45 / (0.9375 * x), rel=1e-12, abs=0)


# -- stripping: boundaries and capacities --


def test_the_coherent_spinodal_is_entered_when_half_of_the_lithium_has_left(path):
    assert path.q["coherent spinodal alpha"] == pytest.approx(0.497, abs=5e-4)
    entered = path.entered["coherent spinodal alpha"]
    assert REGIONS[int(entered)].key == "coherent_spinodal"


def test_a_path_goes_through_the_regions_in_order(path):
    table = path.to_dataframe()
    assert table["region"].tolist() == [
        "nucleation", "incoherent_spinodal", "coherent_spinodal", "incoherent_spinodal",
        "held_unstable", "held", "single",
    ]  # fmt: skip
    assert table["q"].is_monotonic_increasing
    assert table["boundary"].iloc[0] == "start"
    np.testing.assert_allclose(stripped_composition(0.03, table["q"]), table["x"], rtol=1e-10)


@pytest.mark.parametrize("T", OPERATION)
def test_just_beyond_a_boundary_lies_the_region_it_enters(santos, T):
    table = stripping_path(1e-4, T, santos).to_dataframe()
    beyond = table["q"] + 1e-7 * (1 - table["q"])
    found = regions(stripped_composition(1e-4, beyond), T, santos)
    assert found.key.tolist() == table["region"].tolist()
    assert len(table) == 8


def test_boundaries_already_behind_are_missing(path):
    behind = {name for name, q in path.q.items() if np.isnan(q)}
    assert behind == {"chemical binodal alpha", "coherent binodal alpha"}
    assert (
        repr(path) == "<StrippingPath of santos2025 from x0 = 0.03 at 300 K: 6 boundaries crossed>"
    )


def test_without_a_coherent_gap_fewer_boundaries_are_crossed(zhang):
    table = stripping_path([0.0005, 0.03], 300.0, zhang).to_dataframe()
    assert not table["boundary"].str.startswith("coherent").any()
    assert table.groupby("point").size().tolist() == [5, 4]


def test_lithium_holds_3861_milliampere_hours_per_gram(santos):
    assert stripping_path(1e-9, 300.0, santos).foil.per_gram == pytest.approx(3861, rel=1e-3)


def test_capacities_are_those_of_the_lithium_in_a_gram_and_in_a_foil(path):
    q = float(path.q["coherent spinodal alpha"])
    grams = 0.97 * LI + 0.03 * NA  # of one mole
    capacity = float(path.capacity["coherent spinodal alpha"])
    assert capacity == pytest.approx(q * 0.97 * F / 3.6 / grams, rel=1e-9)
    # bcc: two atoms in a cell; 0 K lattice constants of the paper, in cm
    volume = constants.N_A / 2 * (0.97 * 3.42e-8**3 + 0.03 * 4.19e-8**3)
    assert path.foil.density == pytest.approx(1000 * grams / volume, rel=1e-9)
    areal = float(path.areal_capacity["coherent spinodal alpha"])
    assert areal == pytest.approx(capacity * grams / volume * 20e-4, rel=1e-9)


def test_a_measured_density_can_be_given(santos, path):
    measured = stripping_path(0.03, 300.0, santos, thickness=20e-6, density=550.0)
    boundary = "coherent spinodal alpha"
    assert measured.capacity[boundary] == path.capacity[boundary]
    ratio = measured.areal_capacity[boundary] / path.areal_capacity[boundary]
    assert ratio == pytest.approx(550.0 / float(path.foil.density), rel=1e-12)


def test_paths_broadcast_over_composition_temperature_and_thickness(santos):
    found = stripping_path([[0.01], [0.03]], OPERATION, santos, thickness=[[10e-6], [20e-6]])
    assert found.q["chemical spinodal alpha"].shape == found.foil.density.shape == (2, 5)
    # Warmer, the gap is narrower and more must be stripped; richer in Na, less.
    q = found.q["coherent spinodal alpha"]
    assert (np.diff(q, axis=1) > 0).all()
    assert (np.diff(q, axis=0) < 0).all()
    one = stripping_path(0.03, OPERATION[2], santos, thickness=20e-6)
    for name in BOUNDARIES:
        np.testing.assert_array_equal(found.q[name][1, 2], one.q[name])
    assert "capacity_mAh_per_cm2" in found.to_dataframe()


def test_no_alloy_has_no_path(santos):
    none = stripping_path([], 300.0, santos)
    assert none.to_dataframe().empty
    assert repr(none) == "<StrippingPath of santos2025 from no composition>"


def test_a_capacity_per_area_needs_a_thickness(santos):
    bare = stripping_path(0.03, 300.0, santos)
    assert "capacity_mAh_per_cm2" not in bare.to_dataframe()
    with pytest.raises(ValueError, match=r"thickness"):
        _ = bare.areal_capacity


# -- stripping: what to start from --


@pytest.mark.parametrize("region", ["nucleation", "incoherent_spinodal", "coherent_spinodal"])
def test_what_enters_a_region_at_a_wanted_depth_does_so(santos, region):
    wanted = np.array([[0.1], [0.5], [0.9]])
    x0 = initial_composition(wanted, OPERATION, region, santos)
    table = stripping_path(x0, OPERATION, santos).to_dataframe()
    first = table[table["region"] == region].groupby("point")["q"].first()
    np.testing.assert_allclose(first.to_numpy().reshape(3, 5), wanted * np.ones(5), atol=1e-9)


def test_there_is_nothing_to_start_from_where_there_is_no_such_region(zhang):
    x0 = initial_composition(0.5, [150.0, 300.0], "coherent_spinodal", zhang)
    assert np.isnan(x0).tolist() == [False, True]


# -- bad input --


@pytest.mark.parametrize(
    ("function", "given", "message"),
    [
        (stripping_path, {"x0": 0.0, "T": 300.0}, "x0, the mole fraction of Na before stripping,"),
        (stripping_path, {"x0": [0.03, 2.0], "T": 300.0}, "stripping, lies between 0 and 1; got 2"),
        (
            stripping_path,
            {"x0": 0.03, "T": 300.0, "thickness": -20e-6},
            "thickness is in m, from 1e-09 to 0.01; got -2e-05",
        ),
        (
            stripping_path,
            {"x0": 0.03, "T": 300.0, "density": 0.55},
            "density is in kg/m³, from 50 to 25000; got 0.55",
        ),
        (
            initial_composition,
            {"depth": 1.0, "T": 300.0},
            "all Li is stripped at q = 1, whatever the alloy was",
        ),
        (
            initial_composition,
            {"depth": 0.5, "T": 300.0, "region": "spinodal"},
            "regions that stripping can enter are single, held, held_unstable, nucleation, ",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(santos, function, given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        function(santos, **given)


@pytest.mark.parametrize("q", [-0.1, 1.1, np.nan])
def test_a_share_that_is_none_is_refused(q):
    with pytest.raises(ValueError, match="q is the share of the Li stripped, from 0 to 1; got"):
        stripped_composition(0.03, q)


def test_stripping_takes_no_sodium():
    with pytest.raises(ValueError, match=r"from x0 = 0.03 to at most 1; got x = 0.01"):
        stripped_share(0.03, 0.01)


@pytest.mark.parametrize(("x0", "T"), [(0.03, 365.0), (0.03, [300.0, 450.0]), (0.9999, 371.0)])
def test_a_temperature_at_which_the_solid_melts_is_refused(santos, x0, T):
    with pytest.raises(OutsideAssessedRange, match=r"liquid forms on the way .* below 3[67]\d"):
        stripping_path(x0, T, santos)


def test_nothing_is_rebuilt_for_a_temperature_at_which_the_solid_melts(santos):
    with pytest.raises(OutsideAssessedRange, match="liquid forms"):
        initial_composition(0.5, [300.0, 365.0], source=santos)


def test_the_temperature_up_to_which_a_path_is_solid_is_named(santos):
    def named(x0):
        with pytest.raises(OutsideAssessedRange) as caught:
            stripping_path(x0, 372.0, santos)
        return float(re.search(r"below (\S+) K", str(caught.value))[1])

    assert named(0.03) == pytest.approx(santos.invariants[0].T, abs=0.03)
    # An alloy within the Na-rich solution melts as that does, not at the eutectic.
    assert named(0.03) + 1 < named(0.996) < named(0.9999) < 370.88


def test_regions_too_dilute_for_doubles_are_refused(santos):
    with pytest.raises(OutsideAssessedRange, match="at 2 K a solubility is below 1e-308"):
        initial_composition(0.5, [2.0, 300.0], "held", santos)


def test_capacities_need_the_masses_of_the_elements(santos):
    dbf = copy_database(santos.dbf)
    dbf.refstates["NA"] = {**dbf.refstates["NA"], "mass": 0.0}
    with pytest.raises(DatabaseError, match="no mass of NA"):
        stripping_path(0.03, 300.0, dbf)
