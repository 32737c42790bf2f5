"""Depth profiles of an anode, against closed forms of a thick foil and against mass balance."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants
from scipy.special import erf

from lina_calphad.anode import BOUNDARIES, depth_profile, regions, stripping_path
from lina_calphad.anode.diffusion import Diffusion
from lina_calphad.errors import OutsideAssessedRange, SurfaceExhausted

FARADAY = constants.e * constants.N_A
# Molar volumes of the shipped data, in m³/mol.
LI, NA = (constants.N_A / 2 * (a * 1e-10) ** 3 for a in (3.42, 4.19))
PHI0 = 0.03 * NA / (0.97 * LI + 0.03 * NA)


@pytest.fixture(scope="module")
def profile(santos):
    """1 mA/cm² out of 100 µm."""
    return depth_profile(0.03, 300.0, 10.0, 100e-6, santos)


def thick(phi0, tau):
    """Volume fraction of Na at the surface of a thick foil after tau = u² t/D.

    The transient of Smith, Tiller & Rutter (Can. J. Phys. 33 (1955) 723) for a solute that does
    not leave.
    """
    s = np.sqrt(tau) / 2
    return phi0 * (1 + erf(s) + 2 * s**2 * (1 + erf(s)) + 2 * s / np.sqrt(np.pi) * np.exp(-(s**2)))


def test_the_closed_form_is_the_inverse_laplace_transform_of_the_moving_boundary():
    """D c'' + u c' = s c - 1 with D c' + u c = 0 at the surface, for u = D = 1."""
    for tau in (0.01, 0.5, 5.0, 30.0):

        def transform(s):
            return 1 / (s * ((mp.sqrt(1 + 4 * s) - 1) / 2))

        excess = mp.invertlaplace(transform, tau, method="talbot")
        assert thick(1.0, tau) == pytest.approx(float(1 + excess), rel=1e-9)


@pytest.mark.parametrize("peclet", [1e4, 1e6])
def test_a_thick_foil_follows_the_closed_form_until_it_is_exhausted(peclet):
    found = Diffusion(PHI0, peclet, 1.0)
    q = np.geomspace(1e-6, 1, 12) * found.end
    surface = [found.surface(found.at(share))[1] for share in q]
    np.testing.assert_allclose(surface, thick(PHI0, peclet * (1 - PHI0) * q), rtol=5e-4)
    assert thick(PHI0, peclet * (1 - PHI0) * found.end) == pytest.approx(1, rel=5e-4)


def test_the_profile_under_the_surface_is_that_of_the_moving_boundary():
    peclet = 1e4
    found = Diffusion(PHI0, peclet, 1e-3)
    place, phi = found.profile(1e-3)
    tau = peclet * (1 - PHI0) * 1e-3
    depth = (place[-1] - place) * PHI0 * peclet  # in D/u, from the surface
    for at in (0.5, 2.0, 5.0):

        def transform(s, at=at):
            k = (1 + mp.sqrt(1 + 4 * s)) / 2
            return mp.exp(-k * at) / (s * (k - 1))

        expected = PHI0 * (1 + float(mp.invertlaplace(transform, tau, method="talbot")))
        assert np.interp(-at, -depth, phi) == pytest.approx(expected, rel=1.5e-3)


def test_a_short_time_follows_the_constant_flux_into_a_body_that_rests(santos):
    """Carslaw & Jaeger: the surface changes by 2 J sqrt(t/pi D) while the boundary hardly moves."""
    D, current = 1e-14, 10.0
    found = depth_profile(0.3, 300.0, current, 1e-3, santos, q=[1e-8, 1e-7])
    lithium = (1 - 0.3) / (0.7 * LI + 0.3 * NA)  # mol/m³
    flux = current / FARADAY
    # Relative to the lattice as a whole, Li leaves with the share of its volume.
    lost = 2 * flux * (1 - lithium * LI) * np.sqrt(found.t / (np.pi * D))
    x = found.x[:, -1]
    concentration = (1 - x) / ((1 - x) * LI + x * NA)
    np.testing.assert_allclose(lithium - concentration, lost, rtol=1.5e-3)


def test_sodium_stays_and_lithium_leaves_with_the_charge(profile):
    volume = (1 - profile.x) * LI + profile.x * NA
    sodium = [
        np.trapezoid(x / v, z) for x, v, z in zip(profile.x, volume, profile.depth, strict=True)
    ]
    lithium = [
        np.trapezoid((1 - x) / v, z)
        for x, v, z in zip(profile.x, volume, profile.depth, strict=True)
    ]
    alloy = 100e-6 / (0.97 * LI + 0.03 * NA)
    np.testing.assert_allclose(sodium, 0.03 * alloy, rtol=2e-3)
    charge = 0.97 * alloy - 10.0 / FARADAY * profile.t
    np.testing.assert_allclose(lithium, charge, rtol=2e-3, atol=2e-4 * 0.97 * alloy)
    left = 100e-6 - 10.0 / FARADAY * LI * profile.t
    np.testing.assert_allclose(profile.depth[:, -1], left, rtol=1e-6)


@pytest.mark.parametrize("peclet", [0.1, 10.0, 1e3])
def test_cells_lose_the_lithium_that_has_left_and_no_other(peclet):
    found = Diffusion(PHI0, peclet, 1.0)
    for q in (0.1, 0.5, 0.9):
        volume = (found.at(q * found.end) * found.size).sum()  # per volume of all Na
        left = 1 / PHI0 - (1 - PHI0) / PHI0 * q * found.end
        assert volume == pytest.approx(left, rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.02, 0.9), st.floats(-2, 3))
def test_the_interface_is_richer_than_the_collector_side_and_both_only_rise(phi0, log_peclet):
    found = Diffusion(phi0, 10**log_peclet, 1.0)
    sides = np.array([found.surface(found.at(q)) for q in np.linspace(0, found.end, 8)])
    assert (sides[:, 1] >= sides[:, 0] * (1 - 1e-9)).all()
    assert (np.diff(sides, axis=0) >= -1e-9).all()
    _, phi = found.profile(found.end / 2)
    assert (np.diff(phi) >= -1e-9).all()


def test_a_slow_current_strips_the_foil_as_a_whole(santos):
    found = depth_profile(0.03, 300.0, 1e-3, 1e-6, santos, q=[0.25, 0.5, 0.75])
    np.testing.assert_allclose(found.x[:, 0], found.x[:, -1], rtol=1e-3)
    whole = stripping_path(0.03, 300.0, santos)
    for name in ("chemical spinodal alpha", "coherent spinodal alpha"):
        share = float(whole.q[name])
        np.testing.assert_allclose(found.crossings[name], [share, share], atol=1e-3)


def test_the_interface_runs_ahead_of_the_collector_side_which_is_still_in_solution(santos):
    """What the paper makes of its figure 8: a gradient, with the collector side in solution."""
    fast = depth_profile(0.03, 300.0, 100.0, 100e-6, santos)
    assert fast.exhausted_at == pytest.approx(0.1404, abs=2e-4)
    assert fast.x[-1, -1] == pytest.approx(1, abs=1e-6)
    assert fast.x[-1, 0] == pytest.approx(0.03, rel=1e-3)
    assert fast.crossings_dataframe()["q_collector"].isna().all()


def test_regions_along_the_depth_are_those_of_the_map(profile, santos):
    table = profile.to_dataframe()
    found = regions(table["x"].to_numpy(), 300.0, santos)
    assert table["region"].tolist() == found.key.tolist()
    assert len(table) == profile.x.size
    assert set(table["q"]) == set(profile.q)


def test_a_crossing_is_where_the_composition_is_that_of_the_boundary(profile, santos):
    boundaries = regions(0.5, 300.0, santos).boundaries
    for name in BOUNDARIES:
        shares = profile.crossings[name]
        for side, index in ((0, -1), (1, 0)):
            if np.isnan(shares[side]):
                continue
            at = depth_profile(0.03, 300.0, 10.0, 100e-6, santos, q=[float(shares[side])])
            assert at.x[0, index] == pytest.approx(float(boundaries[name]), rel=1e-5)
    crossed = profile.crossings_dataframe().set_index("boundary")
    ahead = crossed.loc["coherent spinodal alpha"]
    assert 0.02 < ahead["q_interface"] < 0.05 < 0.8 < ahead["q_collector"] < 0.85


def test_the_result_says_what_it_is(profile):
    assert repr(profile) == (
        "<DepthProfile of santos2025 from x0 = 0.03 at 300 K: 11 times up to 97.8% stripped, "
        "where the interface is exhausted>"
    )
    assert profile.t[-1] == pytest.approx(profile.exhausted_at * profile.full_time)
    # The charge of all the Li over the current.
    assert profile.full_time == pytest.approx(
        0.97 * 100e-6 / (0.97 * LI + 0.03 * NA) * FARADAY / 10.0, rel=1e-6
    )


def test_a_foil_that_diffusion_keeps_even_is_stripped_as_a_whole(santos):
    found = depth_profile(0.03, 300.0, 0.01, 1e-6, santos, q=1.0)
    assert found.q[-1] > 0.9999
    assert found.x[-1, 0] > 0.99
    assert found.areal_capacity[-1] == pytest.approx(0.01 * found.t[-1] / 3600 / 10, rel=1e-9)


def test_nothing_stripped_is_the_alloy_itself(santos):
    found = depth_profile(0.03, 300.0, 10.0, 1e-4, santos, q=0.0)
    np.testing.assert_allclose(found.x, 0.03, rtol=1e-4)


# -- bad input --


def test_a_current_that_exhausts_the_interface_before_the_end_says_when(santos):
    end = depth_profile(0.03, 300.0, 100.0, 100e-6, santos)
    with pytest.raises(SurfaceExhausted) as caught:
        depth_profile(0.03, 300.0, 100.0, 100e-6, santos, q=[0.1, 0.5])
    message = str(caught.value)
    assert f"after {end.t[-1] / 3600:.3g} h, with {end.exhausted_at:.2%} of the Li" in message
    # Up to there it is a profile like any other.
    assert depth_profile(0.03, 300.0, 100.0, 100e-6, santos, q=0.14).exhausted_at is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x0": 1.5}, "x0, the mole fraction of Na before stripping, lies between"),
        ({"x0": 1e-9}, "of a depth profile, is resolved, from 0.0001 to 0.9999"),
        ({"T": -5.0}, "a temperature is a positive"),
        ({"current_density": -10.0}, r"current density is in A/m², from 0.0001 to 1e\+06; got -10"),
        ({"current_density": 0.0}, "current density is in A/m²"),
        ({"thickness": 100.0}, "thickness is in m"),
        (
            {"current_density": 1e6, "thickness": 1e-2},
            r"\(u L/D\) is resolved, from 1e-08 to 1e\+08",
        ),
        ({"q": 1.2}, "q is the share of the Li stripped, from 0 to 1; got 1.2"),
        ({"q": []}, "at least one share"),
        ({"diffusivity": -1e-14}, "a diffusivity is in m²/s"),
    ],
)
def test_what_is_out_of_range_is_refused(santos, given, message):
    good = {"x0": 0.03, "T": 300.0, "current_density": 10.0, "thickness": 1e-4, "source": santos}
    with pytest.raises(ValueError, match=message):
        depth_profile(**good | given)


def test_a_temperature_at_which_the_solid_melts_is_refused(santos):
    with pytest.raises(OutsideAssessedRange, match="liquid forms on the way"):
        depth_profile(0.03, 365.0, 10.0, 1e-4, santos)
