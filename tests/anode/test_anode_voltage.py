"""Potential, phases, charge and cycles of an anode, against pycalphad and balances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycalphad import Model, equilibrium
from pycalphad import variables as v
from scipy import constants

from lina_calphad.anode import (
    Depth,
    cycle,
    cycle_profile,
    depth_profile,
    describe,
    hysteresis,
    initial_composition,
    phases,
    potential,
    stripped_composition,
    stripping_path,
    study,
    verdicts,
)
from lina_calphad.anode.charge import CRate
from lina_calphad.anode.side_by_side import disagreement
from lina_calphad.errors import OutsideAssessedRange
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.energy import R
from lina_calphad.phase.kinetics import Arrhenius

FARADAY = constants.physical_constants["Faraday constant"][0]
LI, NA = (constants.N_A / 2 * (a * 1e-10) ** 3 for a in (3.42, 4.19))  # m³/mol, shipped


# -- potential --


def host_potential(alloy, x, T):
    """-(mu(Li) - mu(bcc Li))/F of stress-free bcc by pycalphad's own minimiser."""
    phases_ = {"comps": ["LI", "NA", "VA"], "phases": ["BCC_A2"]}
    at = equilibrium(alloy.dbf, *phases_.values(), {v.T: T, v.P: 101325, v.X("NA"): x}, model=Model)
    pure = equilibrium(alloy.dbf, ["LI", "VA"], ["BCC_A2"], {v.T: T, v.P: 101325}, model=Model)
    mu = float(at.MU.sel(component="LI").values.squeeze())
    return -(mu - float(pure.GM.values.squeeze())) / FARADAY


@pytest.mark.parametrize("key", ["santos2025", "zhang2003"])
@pytest.mark.parametrize("x", [0.3, 0.9999])
def test_the_plateau_and_the_sodium_side_are_those_of_pycalphads_equilibrium(key, x):
    alloy = describe(key)
    ours = float(potential(x, 330.0, alloy).volt["chemical"])
    assert ours == pytest.approx(host_potential(alloy, x, 330.0), abs=2e-8)


@settings(max_examples=15, deadline=None)
@given(x=st.floats(1e-4, 0.9999), T=st.floats(220.0, 360.0))
def test_of_the_solution_it_is_the_slope_of_the_gibbs_energy(santos, x, T):
    alloy = santos
    G, slope, pure = (float(a) for a in (alloy.chemical.gibbs_energy(T, x),
        alloy.chemical.diffusion_potential(T, x), alloy.chemical.gibbs_energy(T, 0.0)))  # fmt: skip
    expected = -(G - x * slope - pure) / FARADAY
    assert float(potential(x, T, alloy).volt["solution"]) == pytest.approx(expected, abs=1e-10)


def test_a_dilute_anode_is_ideal(santos):
    E = potential(1e-7, 300.0, santos).volt["solution"]
    assert float(E) == pytest.approx(R * 300.0 / FARADAY * 1e-7, rel=1e-5)


@pytest.mark.parametrize("gauge", ["host", "endmembers"])
def test_a_coherent_mixture_has_the_potential_of_its_energy(gauge):
    """Sum f (G + B x²) less B of the mean squared, differentiated by hand; no matter the gauge."""

    class Gauged(CoherentModel):
        pass

    Gauged.gauge = gauge
    alloy, T = describe("santos2025", Gauged), 300.0
    low, high = alloy.coherent.ends("binodal", T)
    B, x, h = alloy.coherency, 0.4, 1e-5

    def energy(mean):
        f = (mean - low) / (high - low)
        G = alloy.chemical.gibbs_energy(T, np.array([low, high])) + B * np.array([low, high]) ** 2
        return (1 - f) * G[0] + f * G[1] - B * mean**2

    mu = energy(x) - x * (energy(x + h) - energy(x - h)) / (2 * h)
    expected = -(mu - float(alloy.chemical.gibbs_energy(T, 0.0))) / FARADAY
    assert float(potential(x, T, alloy).volt["coherent"]) == pytest.approx(expected, abs=1e-9)


def test_states_meet_at_the_ends_of_their_gaps_and_the_hysteresis_is_between_the_spinodals(santos):
    for kind, solution in santos.solutions.items():
        ends = solution.ends("binodal", 300.0) * np.array([1 + 1e-12, 1 - 1e-12])
        volt = potential(ends, 300.0, santos).volt
        np.testing.assert_allclose(volt[kind], volt["solution"], atol=1e-9)
    row = hysteresis(300.0, santos).set_index("kind").loc["chemical"]
    x = np.linspace(0.01, 0.95, 4000)
    E = 1e3 * potential(x, 300.0, santos).volt["solution"]
    assert row["E_strip_mV"] == pytest.approx(E[x < 0.5].max(), abs=1e-4)
    assert row["E_plate_mV"] == pytest.approx(E[x > 0.5].min(), abs=1e-3)
    assert hysteresis(300.0, "zhang2003")["kind"].tolist() == ["chemical"]


def test_bands_of_draws_that_do_not_differ_have_no_width(santos, draws):
    same = draws[0], ParameterDraws(draws[1].symbols, np.tile([20109.8, 5772.6], (5, 1)))
    x, T = np.array([0.01, 0.3, 0.9]), np.array([[300.0], [340.0]])
    found = potential(x, T, santos, draws=same)
    for state, E in found.volt.items():
        np.testing.assert_allclose(found.bands[state], np.tile(E, (5, 1, 1)), atol=1e-9)


def test_pure_sodium_has_no_potential(santos):
    with pytest.raises(ValueError, match="no Li, and no potential"):
        potential([0.3, 1.0], 300.0, santos)


def test_a_current_shows_its_overpotential_at_the_interface(santos):
    found = study(0.03, 300.0, santos, thickness=100e-6, current_density=10.0)
    row = found.interface.iloc[5]
    here, slow = (potential(row[x], 300.0, santos) for x in ("x_interface", "x_mean"))
    for state in here.volt:
        over = 1e3 * float(here.volt[state] - slow.volt[state])
        assert row[f"over_{state}_mV"] == pytest.approx(over, abs=1e-9)
    assert found.interface["E_solution_mV"].isna().tolist() == [False] * 10 + [True]


# -- phases --


@settings(max_examples=12, deadline=None)
@given(x=st.floats(1e-3, 0.999), T=st.floats(250.0, 450.0))
def test_phases_hold_all_the_sodium_and_all_the_volume(santos, x, T):
    table = phases(x, T, santos)
    for _, rows in table.groupby("state"):
        assert rows["share"].sum() == pytest.approx(1, abs=1e-12)
        assert (rows["share"] * rows["x_phase"]).sum() == pytest.approx(x, abs=1e-12)
        if (rows["phase"] == "BCC_A2").all():
            assert rows["volume_share"].sum() == pytest.approx(1, abs=1e-12)
        else:
            assert rows["volume_share"].isna().all()


def test_above_the_monotectic_the_liquid_counts(santos):
    table = phases(0.5, 460.0, santos)
    assert table["phase"].tolist() == ["LIQUID", "LIQUID"]
    assert phases(0.02, 400.0, santos)["phase"].tolist() == ["BCC_A2", "LIQUID"]


# -- charge --


def test_what_starts_to_unmix_at_a_charge_does_so(santos):
    for depth, given_ in (
        (Depth(10.0, "mAh/cm²"), {"thickness": 100e-6}),
        (Depth(10.0, "mAh/cm²"), {"thickness": 100e-6, "density": 550.0}),
        (Depth(1500.0, "mAh/g"), {}),
    ):
        x0 = float(initial_composition(depth, 300.0, source=santos, **given_))
        path = stripping_path(x0, 300.0, santos, **given_)
        charges = path.capacity if depth.unit == "mAh/g" else path.areal_capacity
        assert float(charges["coherent spinodal alpha"]) == pytest.approx(depth.value, rel=1e-9)


def test_a_foil_shrinks_by_the_volume_of_its_lithium(santos):
    row = study(0.03, 300.0, santos, thickness=100e-6, depths=[0.4]).at_depths.iloc[0]
    gone = 0.4 * 0.97 * LI / (0.97 * LI + 0.03 * NA)
    assert row["thickness_m"] == pytest.approx(100e-6 * (1 - gone), rel=1e-9)
    assert row["porosity"] == pytest.approx(gone, rel=1e-9)
    assert row["x"] == pytest.approx(float(stripped_composition(0.03, 0.4)), rel=1e-12)


def test_no_anode_holds_more_than_all_its_lithium(santos):
    with pytest.raises(
        ValueError, match=r"from 0 to the 21.05.* mAh/cm² of all its Li; got 30 mAh"
    ):
        study(0.03, 300.0, santos, thickness=100e-6, depths=[Depth(30.0, "mAh/cm²")])
    with pytest.raises(ValueError, match="needs the thickness"):
        study(0.03, 300.0, santos, depths=[Depth(3.0, "mAh/cm²")])
    assert np.isnan(initial_composition(Depth(4000.0, "mAh/g"), 300.0, source=santos))


def test_a_c_rate_is_the_current_that_takes_all_in_its_time(santos):
    found = study(0.03, 300.0, santos, thickness=20e-6, current_density=CRate(0.1))
    assert found.profiles[0].full_time == pytest.approx(36000.0, rel=1e-3)


# -- cycles --


def test_the_first_stripping_is_of_the_solution_and_later_ones_of_the_scaffold(santos):
    table = cycle(0.03, 300.0, santos, high=0.6)
    rows = table[table["kind"] == "coherent"].set_index("event")
    onset = float(stripping_path(0.03, 300.0, santos).q["coherent spinodal alpha"])
    assert rows.loc["unmixes by itself", "q"] == pytest.approx(onset)
    assert np.isnan(rows.loc["never one solution again: the Na-rich phase stays", "q"])
    first, later = (rows[rows["step"] == s]["E_mV"].iloc[0] for s in
                    ("first stripping", "later stripping"))  # fmt: skip
    volt = potential(0.03, 300.0, santos).volt
    assert (first, later) == pytest.approx((1e3 * volt["solution"], 1e3 * volt["coherent"]))


def test_a_dilute_alloy_is_one_solution_again_where_the_coherent_binodal_is(santos):
    table = cycle(0.002, 300.0, santos, low=0.1, high=0.99).query("kind == 'coherent'")
    x = float(table.set_index("event").loc["the Na-rich phase dissolves", "x"])
    assert x == pytest.approx(float(santos.coherent.ends("binodal", 300.0)[0]))
    assert cycle(0.03, 300.0, "zhang2003", high=0.5).query("kind == 'coherent'")[
        "event"].str.startswith("never unmixes").any()  # fmt: skip


def test_a_cycle_over_the_depth_gives_all_the_lithium_back(santos):
    found = cycle_profile(0.03, 300.0, 10.0, 100e-6, santos, high=0.3, rest=600.0, cycles=1)
    assert found.q[[0, -1]] == pytest.approx([0, 0], abs=1e-12)
    assert found.depth[-1, -1] == pytest.approx(100e-6, rel=1e-9)
    volume = (1 - found.x) * LI + found.x * NA
    sodium = [
        np.trapezoid(x / v_, z) for x, v_, z in zip(found.x, volume, found.depth, strict=True)
    ]
    np.testing.assert_allclose(sodium, sodium[0], rtol=3e-3)
    strip = depth_profile(0.03, 300.0, 10.0, 100e-6, santos, q=0.3)
    end = found.to_dataframe().groupby("step", sort=False).last()["x_interface"]
    assert end["1 strip"] == pytest.approx(float(strip.x[0, -1]), rel=1e-6)
    assert end["2 rest"] < end["1 strip"]
    assert end["3 plate"] < 0.03  # fresh Li on top


def test_stripping_that_exhausts_the_interface_ends_there(santos):
    found = cycle_profile(0.03, 300.0, 100.0, 100e-6, santos, high=0.3)
    assert found.exhausted_at == pytest.approx(0.1404, abs=2e-4)


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (0.6, 0.3), (0.0, 1.0), (-0.1, 0.5)])
def test_a_cycle_that_is_none_is_refused(santos, low, high):
    with pytest.raises(ValueError, match=r"cycle runs from|share of the Li"):
        cycle(0.03, 300.0, santos, low=low, high=high)


# -- assessments, temperature --


def test_where_assessments_differ_is_said_and_where_one_melts_too():
    table = verdicts(0.03, [300.0, 361.0], ["zhang2003", "santos2025"])
    at = table.set_index(["assessment", "T"])
    assert at.loc[("santos2025", 300.0), "coherent"] == pytest.approx(0.497, abs=5e-4)
    assert np.isnan(at.loc[("zhang2003", 300.0), "coherent"])
    assert at["melts"].tolist() == [False, True, False, False]  # 360.2 and 361.4 K
    first, second = disagreement(table)
    assert "zhang2003: held by coherency, never unmixes as one lattice" in first
    assert "zhang2003: liquid present, melts on the way" in second
    assert list(disagreement(table.query("assessment == 'santos2025'"))) == []


def test_a_melt_says_at_which_depth(santos):
    """A dilute alloy at 362 K meets the liquid only on its way."""
    x = float(santos.system.regions(362.0)[0][0].x_to)
    with pytest.raises(OutsideAssessedRange) as caught:
        stripping_path(1e-5, 362.0, santos)
    away = 100 * (x - 1e-5) / (x * (1 - 1e-5))
    assert f"from x(Na) = {x:.3g} on, {away:.1f} % of the Li stripped" in str(caught.value)


def test_two_temperatures_differ_as_their_diffusivities_do(santos):
    law = Arrhenius.through((1e-14, 300.0), (8e-14, 330.0))
    found = study(0.03, [300.0, 330.0], santos, diffusivity=law)
    bulk = found.sizes.query("law == 'bulk'").groupby("T")["size_m"].first()
    assert bulk[330.0] / bulk[300.0] == pytest.approx(2, rel=1e-6)
    assert [e.value for e in found.estimates[:2]] == pytest.approx([1e-14, 8e-14])
