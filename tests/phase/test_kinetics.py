"""Waves in a spinodal and coarsening, against closed forms and derivatives taken by differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycalphad import Database
from pycalphad import variables as v
from scipy import constants
from scipy.optimize import minimize_scalar

import lina_calphad as lc
from lina_calphad import kinetics
from lina_calphad.phase.energy import R

KAPPA = 2.94e-16
L0 = 20_000.0


@pytest.fixture(scope="module")
def regular():
    """A regular solution with an interaction of 20 kJ/mol."""
    dbf = Database()
    dbf.elements |= {"A", "B"}
    dbf.species |= {v.Species("A"), v.Species("B")}
    dbf.add_phase("BCC_A2", {}, [1])
    dbf.add_phase_constituents("BCC_A2", [["A", "B"]])
    for constituents, value in ((["A"], 1000), (["B"], -2000), (["A", "B"], L0)):
        dbf.add_parameter("G", "BCC_A2", [constituents], 0, value)
    return lc.BinarySolution(dbf, ("A", "B"), "BCC_A2")


# -- gradient energy --


def test_neighbours_of_bcc_lithium_are_half_a_diagonal_apart():
    volume = constants.N_A / 2 * 3.42e-10**3
    expected = np.sqrt(3) / 2 * 3.42e-10
    assert kinetics.neighbour_distance(volume) == pytest.approx(expected, rel=1e-12)


def test_the_gradient_energy_of_a_regular_solution_is_that_of_its_pairs(regular):
    r = 3e-10
    found = kinetics.gradient_energy(regular, [200.0, 900.0], r)
    np.testing.assert_allclose(found, L0 * r**2 / 6, rtol=1e-10)


def test_the_gradient_energy_is_that_of_a_lattice_sum():
    """Energy of pairs on a bcc lattice with a weak wave, against the gradient term."""
    a, wavelength = 3.42e-10, 400 * 3.42e-10
    beta, amplitude = 2 * np.pi / wavelength, 1e-3
    steps = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]) * a / 2
    z = np.arange(800) * a / 2  # layers of a period
    x = 0.5 + amplitude * np.cos(beta * z)
    pairs = sum((x - (0.5 + amplitude * np.cos(beta * (z + step[2])))) ** 2 for step in steps)
    lattice = L0 / (2 * 8) * pairs.mean()
    gradient = ((amplitude * beta * np.sin(beta * z)) ** 2).mean()
    kappa = L0 * (np.sqrt(3) / 2 * a) ** 2 / 6
    assert lattice == pytest.approx(kappa * gradient, rel=1e-4)


def test_coherency_makes_no_gradient_energy(bcc):
    with pytest.raises(ValueError, match="bonds, not from coherency"):
        kinetics.gradient_energy(bcc("santos2025", "coherent"), 300.0, 3e-10)


# -- waves --


def test_the_rate_is_that_of_the_diffusion_equation_for_a_weak_wave(bcc):
    """dx/dt = M div grad (G' - 2 kappa div grad x) on a grid, against the closed form."""
    solution, T, mean, length = bcc("santos2025", "coherent"), 300.0, 0.2, 2e-9
    n, amplitude = 400, 1e-6
    h = length / n
    wave = amplitude * np.cos(2 * np.pi * np.arange(n) / n)

    def laplacian(f):
        return (np.roll(f, 1) - 2 * f + np.roll(f, -1)) / h**2

    potential = solution.diffusion_potential(T, mean + wave) - 2 * KAPPA * laplacian(wave)
    rate = kinetics.mobility(mean, T) * laplacian(potential)
    grown = 2 * (rate * np.cos(2 * np.pi * np.arange(n) / n)).mean() / amplitude
    expected = kinetics.growth_rate(solution, mean, T, length, KAPPA)
    assert grown == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize("kind", ["chemical", "coherent"])
@pytest.mark.parametrize("x", [0.08, 0.25, 0.5])
def test_no_wave_grows_faster_than_the_fastest(bcc, kind, x):
    solution = bcc("santos2025", kind)
    wave = kinetics.fastest_wave(solution, x, 300.0, KAPPA)
    found = minimize_scalar(
        lambda log: -float(kinetics.growth_rate(solution, x, 300.0, np.exp(log), KAPPA)),
        bounds=np.log([1e-10, 1e-7]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert float(wave.wavelength) == pytest.approx(np.exp(found.x), rel=1e-6)
    assert float(wave.rate) == pytest.approx(-found.fun, rel=1e-10)
    critical = float(wave.wavelength) / np.sqrt(2)
    assert abs(kinetics.growth_rate(solution, x, 300.0, critical, KAPPA)) < 1e-9 * wave.rate


@given(st.floats(0.01, 0.99), st.floats(200, 1200))
def test_waves_grow_inside_the_spinodal_of_a_regular_solution_alone(regular, x, T):
    curvature = R * T / (x * (1 - x)) - 2 * L0
    wave = kinetics.fastest_wave(regular, x, T, KAPPA)
    assert bool(wave.unstable) == (curvature < 0)
    if curvature < -1:
        expected = 4 * np.pi * np.sqrt(KAPPA / -curvature)
        assert float(wave.wavelength) == pytest.approx(expected, rel=1e-6)


def test_coherent_waves_are_longer_and_slower(bcc):
    x = np.linspace(0.07, 0.55, 9)
    chemical, coherent = (
        kinetics.fastest_wave(bcc("santos2025", kind), x, 300.0, KAPPA)
        for kind in ("chemical", "coherent")
    )
    assert (coherent.wavelength > chemical.wavelength).all()
    assert (coherent.rate < chemical.rate).all()


def test_mobility_and_stability_make_the_interdiffusion_coefficient(bcc):
    solution, x, T = bcc("santos2025", "chemical"), np.array([1e-6, 0.02, 0.5]), 300.0
    h = 1e-4 * x
    curvature = np.diff([solution.diffusion_potential(T, x + s * h) for s in (-1, 1)], axis=0)
    coefficient = kinetics.mobility(x, T) * curvature[0] / (2 * h)
    expected = kinetics.DIFFUSIVITY.value * solution.stability(T, x)
    np.testing.assert_allclose(coefficient, expected, rtol=1e-6)
    assert expected[0] == pytest.approx(kinetics.DIFFUSIVITY.value, rel=1e-4)


def test_waves_become_a_table_with_gaps_where_nothing_grows(bcc):
    wave = kinetics.fastest_wave(bcc("santos2025", "chemical"), [0.03, 0.3], 300.0, KAPPA)
    table = wave.to_dataframe()
    assert table["rate_per_s"].isna().tolist() == [True, False]
    assert repr(wave) == "<FastestWave at 2 points; 1 of them unstable>"


# -- coarsening --


def test_sizes_follow_their_powers_of_time():
    found = kinetics.coarsening([1.0, 1e6], 1e-3)
    for law, power in (("bulk", 3), ("interface", 4), ("dilute", 3)):
        small, large = found.size[law]
        assert large / small == pytest.approx(1e6 ** (1 / power), rel=1e-12)
    assert found.size["bulk"][0] == pytest.approx((3e-10 * 1e-14) ** (1 / 3), rel=1e-12)
    assert found.size["interface"][0] == pytest.approx((3e-10**2 * 1e-14) ** 0.25, rel=1e-12)
    ratio = found.size["dilute"][0] / found.size["bulk"][0]
    assert ratio == pytest.approx((4 / 9 * 1e-3) ** (1 / 3), rel=1e-12)
    assert list(found.to_dataframe()) == ["t_s", "bulk_m", "interface_m", "dilute_m"]


@given(st.sampled_from(list(kinetics.LAWS)), st.floats(1e-9, 1e-4), st.floats(1e-5, 0.5))
def test_the_time_to_reach_a_size_is_the_inverse_of_coarsening(law, size, x):
    t = kinetics.time_to_reach(size, law, x)
    if t < 1e12:
        assert kinetics.coarsening(t, x).size[law] == pytest.approx(size, rel=1e-9)


def test_the_papers_submicron_patterns():
    """Section 3.3: submicron even after extended times. It depends on what carries the atoms."""
    day, year = 86400.0, constants.year
    assert kinetics.time_to_reach(1e-6, "bulk") / day == pytest.approx(3.86, abs=0.01)
    assert kinetics.time_to_reach(1e-6, "interface") / year == pytest.approx(35.2, abs=0.1)
    assert kinetics.time_to_reach(1e-6, "dilute", 0.0032) / year == pytest.approx(7.4, abs=0.1)
    # The scaffold is ten times coarser than that: 10³ times longer, or 10⁴ times.
    for law, factor in (("bulk", 1e3), ("interface", 1e4), ("dilute", 1e3)):
        times = [kinetics.time_to_reach(size, law, 0.01) for size in (1e-6, 1e-5)]
        assert times[1] / times[0] == pytest.approx(factor, rel=1e-9)


# -- bad input --


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: kinetics.fastest_wave(s, 1.0, 300.0, KAPPA), "a wave lies between 0 and 1"),
        (lambda s: kinetics.fastest_wave(s, 0.3, 300.0, -1e-16), "is in J m²/mol, from 1e-20"),
        (lambda s: kinetics.fastest_wave(s, 0.3, 300.0, KAPPA, -1.0), "diffusivity is in m²/s"),
        (lambda s: kinetics.fastest_wave(s, 0.3, -5.0, KAPPA), "a temperature is a positive"),
        (lambda s: kinetics.growth_rate(s, 0.3, 300.0, 0.0, KAPPA), "a wavelength is in m"),
        (lambda s: kinetics.gradient_energy(s, 300.0, 2.96), "neighbours is in m, from 1e-10"),
        (lambda _: kinetics.coarsening(-1.0, 0.1), "a time is in s, from 0"),
        (lambda _: kinetics.coarsening(1.0, 1.5), "a solubility is a mole fraction"),
        (lambda _: kinetics.coarsening(1.0, 0.1, capillary_length=3.0), "capillary length is in m"),
        (lambda _: kinetics.time_to_reach(1e-6, "dilute"), "needs its solubility"),
        (lambda _: kinetics.time_to_reach(1e-6, "dilute", 0.0), "a solubility is a mole fraction"),
        (lambda _: kinetics.time_to_reach(1e-6, "cubic"), "bulk, interface, dilute; got 'cubic'"),
    ],
)
def test_values_out_of_range_are_refused(regular, call, message):
    with pytest.raises(ValueError, match=message):
        call(regular)
