"""The exact gap, against 40-digit references, closed forms and the invariants of physics."""

from __future__ import annotations

import math
import pickle

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycalphad import Database, Model, equilibrium
from pycalphad import variables as v
from scipy.optimize import brentq
from scipy.special import log_expit

import lina_calphad as lc
from lina_calphad.errors import (
    DatabaseError,
    NoCriticalPoint,
    NoMiscibilityGap,
    NotConverged,
    SeveralMiscibilityGaps,
    UnsupportedPhase,
)
from lina_calphad.phase.miscibility import MiscibilityGap

R = 8.3145  # pycalphad's v.R
# The paper's coherency coefficient, from the shipped data to their last digit: near a
# critical point the next one would show.
B = float(
    lc.CoherentModel(lc.load("zhang2003"), ["LI", "NA", "VA"], "BCC_A2").coherency["LI", "NA"]
)

# 0L, 1L of each solution as a plain chemical gap: coherency shifts 0L by -B.
PARAMETERS = {
    ("zhang2003", "chemical"): (16000.0, 0.0),
    ("zhang2003", "coherent"): (16000.0 - B, 0.0),
    ("santos2025", "chemical"): (20109.8, 5772.6),
    ("santos2025", "coherent"): (20109.8 - B, 5772.6),
}

# T / K, kind, ln x_alpha, ln(1 - x_beta), spinodal x_alpha and x_beta; santos2025.
KNOWN = [
    (100, "chemical", -31.12923209691151, -17.24361034194159, 0.011354313931412, 0.91913020883122),
    (300, "chemical", -10.37868398806149, -5.740577165142899, 0.035739417857956, 0.82789400234899),
    (300, "coherent", -5.556419607508557, -1.632122389517528, 0.057952131600481, 0.57056339005392),
    (360, "coherent", -4.64710088765179, -1.419507680592472, 0.072162337490751, 0.54337312673263),
]


# -- an independent solution to 40 digits --


class Reference:
    """A solution with Redlich-Kister 0L and 1L, in the chemical potentials of its components.

    Nested bisection in doubles finds the tie-line, mpmath's Newton method on both
    equations carries it to 50 digits; the residual and the branches are checked.
    """

    def __init__(self, l0: float, l1: float) -> None:
        self.l0, self.l1 = l0, l1

    def potentials(self, u, w, T, exp):
        """mu_A/RT and mu_B/RT against the pure components; u = ln x, w = ln(1 - x)."""
        x, y, rt = exp(u), exp(w), R * T
        # mu_A = G - x G', mu_B = G + (1-x) G' with G_xs = xy (l0 + l1 (y - x))
        return (
            w + x * x * (self.l0 + self.l1 * (4 * y - 1)) / rt,
            u + y * y * (self.l0 - self.l1 * (4 * x - 1)) / rt,
        )

    def spinodal(self, T: float) -> list[mp.mpf]:
        # 1 + x(1-x) r'' = 0 with r'' = (-2 l0 - 6 l1 + 12 l1 x)/RT
        rt = R * mp.mpf(T)
        a, b = (-2 * mp.mpf(self.l0) - 6 * mp.mpf(self.l1)) / rt, 12 * mp.mpf(self.l1) / rt
        roots = mp.polyroots([-b, b - a, a, 1] if b else [-a, a, 1], maxsteps=500, extraprec=300)
        real = [mp.re(z) for z in roots if abs(mp.im(z)) < mp.mpf(10) ** -30]
        inside = sorted(x for x in real if 0 < x < 1)
        assert len(inside) == 2
        return inside

    def critical_point(self, start: tuple[float, float]) -> list[mp.mpf]:
        l0, l1 = mp.mpf(self.l0), mp.mpf(self.l1)

        def equations(T, x):
            curvature, q = -2 * l0 - 6 * l1 + 12 * l1 * x, x * (1 - x)
            return [R * T + q * curvature, (1 - 2 * x) * curvature + 12 * l1 * q]

        return list(mp.findroot(equations, start))

    def binodal(self, T: float) -> tuple[mp.mpf, mp.mpf]:
        """ln x_alpha and ln(1 - x_beta)."""
        left, right = self.spinodal(T)
        start = self._in_doubles(T, float(left), float(right))

        def equations(u, w):
            alpha = self.potentials(u, mp.log1p(-mp.exp(u)), mp.mpf(T), mp.exp)
            beta = self.potentials(mp.log1p(-mp.exp(w)), w, mp.mpf(T), mp.exp)
            return [alpha[0] - beta[0], alpha[1] - beta[1]]

        u, w = mp.findroot(equations, start, tol=mp.mpf(10) ** -80, maxsteps=50)
        assert max(map(abs, equations(u, w))) < mp.mpf(10) ** -40
        assert mp.exp(u) < left
        assert 1 - mp.exp(w) > right
        return u, w

    def _in_doubles(self, T: float, left: float, right: float) -> tuple[float, float]:
        def point(t):  # t = ln(x/(1-x))
            u, w = (
                -math.log1p(math.exp(-t)) if t > -700 else t,
                -math.log1p(math.exp(t)) if t < 700 else -t,
            )
            return u, w, *self.potentials(u, w, T, math.exp)

        t_left, t_right = (math.log(s / (1 - s)) for s in (left, right))
        far = 100 + 4 * self.l0 / (R * T)

        def branches(potential):  # mu_B - mu_A on both branches
            def above(t):
                return point(t)[3] - point(t)[2] - potential

            return brentq(above, -far, t_left, xtol=1e-15), brentq(above, t_right, far, xtol=1e-15)

        def difference(potential):
            alpha, beta = branches(potential)
            return point(alpha)[2] - point(beta)[2]

        low, high = (point(t)[3] - point(t)[2] for t in (t_right, t_left))
        margin = 1e-9 * (high - low)
        alpha, beta = branches(brentq(difference, low + margin, high - margin, xtol=1e-15))
        return point(alpha)[0], point(beta)[1]


def worst(values, expected) -> float:
    """Largest difference of doubles from a list of mpmath numbers."""
    return max(abs(float(mp.mpf(float(a)) - b)) for a, b in zip(values, expected, strict=True))


@pytest.fixture(autouse=True)
def forty_digits():
    with mp.workdps(50):
        yield


# -- the numbers asked for --


@pytest.mark.parametrize(("T", "kind", "ln_alpha", "ln_beta", "s_alpha", "s_beta"), KNOWN)
def test_known_values(bcc, T, kind, ln_alpha, ln_beta, s_alpha, s_beta):
    solution = bcc("santos2025", kind)
    binodal, spinodal = solution.binodal(T), solution.spinodal(T)
    assert float(binodal.ln_x_alpha) == pytest.approx(ln_alpha, abs=1e-12)
    assert float(binodal.ln_one_minus_x_beta) == pytest.approx(ln_beta, abs=1e-12)
    assert float(spinodal.x_alpha) == pytest.approx(s_alpha, abs=1e-13)
    assert float(spinodal.x_beta) == pytest.approx(s_beta, abs=1e-13)


def test_coherent_zhang2003_closes_at_206_kelvin(bcc):
    solution = bcc("zhang2003", "coherent")
    assert solution.critical_point().T == pytest.approx((16000 - B) / (2 * R), rel=1e-12)
    with pytest.raises(NoMiscibilityGap, match=r"at 300 K: its gap closes at 205\.92 K"):
        solution.binodal(300)


@pytest.mark.parametrize("key", PARAMETERS)
def test_binodal_against_forty_digits(bcc, key):
    solution, reference = bcc(*key), Reference(*PARAMETERS[key])
    top = solution.critical_point().T
    # Down to x = 1e-40 and beyond, and the last tenth of a kelvin.
    cold, hot = np.linspace(0.012, 0.97, 7) * top, top - np.array([5, 1, 0.1, 0.01, 0.001])
    for T, most in ((cold, 1e-10), (hot, 1e-11)):
        binodal = solution.binodal(T)
        ln_alpha, ln_beta = zip(*(reference.binodal(float(each)) for each in T), strict=True)
        assert worst(binodal.ln_x_alpha, ln_alpha) < most
        assert worst(binodal.ln_one_minus_x_beta, ln_beta) < most
        assert T is hot or ln_alpha[0] < mp.log(1e-40)


@pytest.mark.parametrize("key", PARAMETERS)
def test_spinodal_against_forty_digits(bcc, key):
    solution, reference = bcc(*key), Reference(*PARAMETERS[key])
    top = solution.critical_point().T
    T = np.array([*np.linspace(0.002, 0.999, 25) * top, top - 0.1, top - 0.01, top - 0.001])
    spinodal = solution.spinodal(T)
    alpha, beta = zip(*(reference.spinodal(float(each)) for each in T), strict=True)
    assert worst(spinodal.x_alpha, alpha) < 1e-12
    assert worst(spinodal.x_beta, beta) < 1e-12


@pytest.mark.parametrize("key", PARAMETERS)
def test_critical_point_against_forty_digits(bcc, key):
    point = bcc(*key).critical_point()
    T, x = Reference(*PARAMETERS[key]).critical_point((point.T, point.x))
    assert point.T == pytest.approx(float(T), rel=1e-13)
    assert point.x == pytest.approx(float(x), rel=1e-8)


def test_pycalphad_agrees_where_it_can_be_trusted(bcc, databases):
    # Its equilibrium is right above x = 1e-6 or so and away from the critical point.
    solution = bcc("santos2025", "chemical")
    T = [250.0, 300.0, 500.0, 1000.0, 1300.0]
    conditions = {v.T: T, v.P: 101325, v.X("NA"): 0.5}
    result = equilibrium(databases["santos2025"], ["LI", "NA", "VA"], ["BCC_A2"], conditions)
    x = np.sort(result.X.sel(component="NA").values[0, 0, :, 0, :2], axis=1)
    binodal = solution.binodal(T)
    assert x[:, 0] == pytest.approx(binodal.x_alpha, rel=1e-5)
    assert 1 - x[:, 1] == pytest.approx(1 - binodal.x_beta, rel=1e-5)


# -- a regular solution has closed forms --


def solver(derivatives, name: str) -> MiscibilityGap:
    """A solver from a function that gives r = G_rest/RT and three derivatives in x."""

    def mixing(T, x):
        r, r1, r2, r3 = derivatives(T, x)
        q = x * (1 - x)
        terms = r - x * r1, r1, 1 + q * r2, q * ((1 - 2 * x) * r2 + q * r3)
        return np.stack(np.broadcast_arrays(*terms), axis=-1)

    return MiscibilityGap(mixing, name)


def regular(w: float) -> MiscibilityGap:
    """A regular solution with L/R = w in kelvin."""

    def derivatives(T, x):
        z = w / T
        return z * x * (1 - x), z * (1 - 2 * x), -2 * z, 0.0

    return solver(derivatives, "regular")


@given(st.floats(4, 15_000), st.floats(0.003, 0.999999))
@settings(max_examples=15, deadline=None)
def test_regular_solution(w, fraction):
    gap = regular(w)
    top, T = w / 2, fraction * w / 2
    point = gap.critical_point()
    assert point.T == pytest.approx(top, rel=1e-12)
    assert point.x == pytest.approx(0.5, rel=1e-8)
    spinodal = gap.spinodal(T)
    root = np.sqrt(1 - T / top)
    assert float(spinodal.x_beta) == pytest.approx((1 + root) / 2, abs=1e-9 / root * 1e-4 + 1e-12)
    binodal = gap.binodal(T)
    # The common tangent of a symmetric curve is horizontal: ln(x/(1-x)) = -(w/T)(1-2x).
    x = float(binodal.x_alpha)
    assert np.log(x) - np.log1p(-x) == pytest.approx(-w / T * (1 - 2 * x), rel=1e-9)
    assert float(binodal.ln_x_alpha) == pytest.approx(float(binodal.ln_one_minus_x_beta), abs=1e-9)


def test_dilute_limit_of_a_regular_solution():
    T = np.geomspace(2, 50, 40)
    ln_x = np.asarray(regular(2000.0).binodal(T).ln_x_alpha)
    assert ln_x == pytest.approx(-2000 / T, rel=1e-12)
    assert ln_x.min() < -900  # far below the smallest double


def test_the_fast_route_and_the_safe_route_agree(bcc):
    gap = bcc("santos2025", "coherent")
    T = gap.critical_point().T * (1 - np.geomspace(1e-6, 0.99, 200))
    fast = gap.binodal(T)  # many rows start between those of a trace, and few do not
    safe = [gap.binodal(some) for some in T.reshape(-1, 8)]
    for name in ("ln_x_alpha", "ln_one_minus_x_beta"):
        expected = np.concatenate([getattr(some, name) for some in safe])
        assert np.abs(getattr(fast, name) - expected).max() < 1e-11


def test_bracketing_agrees_with_newtons_method(bcc):
    solution = bcc("santos2025", "chemical")
    T = np.array([40.0, 150.0, 300.0, 900.0, 1360.0])
    solver = solution._gap
    free = np.full((2, T.size), [[-np.inf], [np.inf]])
    ends, good = solver._bracket(solver.spinodal((T,)), free, (T,))
    assert good.all()
    binodal = solution.binodal(T)
    assert np.abs(log_expit(ends[0]) - binodal.ln_x_alpha).max() < 1e-11
    assert np.abs(log_expit(-ends[1]) - binodal.ln_one_minus_x_beta).max() < 1e-11


# -- what must hold for any solution --


@st.composite
def solutions(draw):
    """Redlich-Kister parameters of Li-Na that give one gap, and a temperature inside it."""
    l0 = draw(st.floats(8000, 40000))
    l1 = draw(st.floats(-0.3, 0.3)) * l0
    return l0, l1


def make(l0, l1, b=0.0):
    def derivatives(T, x):
        l0_, l1_, d, q = (l0 - b) / (R * T), l1 / (R * T), 1 - 2 * x, x * (1 - x)
        k = l0_ + l1_ * d
        return q * k, d * k - 2 * q * l1_, -2 * k - 4 * d * l1_, 12 * l1_

    return solver(derivatives, "made")


@given(solutions(), st.floats(0.05, 0.95))
@settings(max_examples=10, deadline=None)
def test_spinodal_lies_inside_the_binodal(parameters, fraction):
    gap = make(*parameters)
    T = fraction * gap.critical_point().T
    binodal, spinodal = gap.binodal(T), gap.spinodal(T)
    assert binodal.x_alpha < spinodal.x_alpha < spinodal.x_beta < binodal.x_beta


@given(solutions(), st.floats(0.02, 0.7), st.floats(0.05, 0.95))
@settings(max_examples=10, deadline=None)
def test_the_coherent_gap_lies_inside_the_chemical_one(parameters, share, fraction):
    l0, l1 = parameters
    chemical, coherent = make(l0, l1), make(l0, l1, b=share * l0)
    T = fraction * coherent.critical_point().T
    assert coherent.critical_point().T < chemical.critical_point().T
    for curve in ("binodal", "spinodal"):
        inner, outer = getattr(coherent, curve)(T), getattr(chemical, curve)(T)
        assert outer.x_alpha < inner.x_alpha
        assert inner.x_beta < outer.x_beta or inner.x_beta > 1 - 1e-12


@given(solutions(), st.floats(0.05, 0.95))
@settings(max_examples=10, deadline=None)
def test_exchanging_the_components_mirrors_the_gap(parameters, fraction):
    l0, l1 = parameters
    one, other = make(l0, l1), make(l0, -l1)
    T = fraction * one.critical_point().T
    a, b = one.binodal(T), other.binodal(T)
    assert float(a.ln_x_alpha) == pytest.approx(float(b.ln_one_minus_x_beta), abs=1e-10)
    assert float(a.ln_one_minus_x_beta) == pytest.approx(float(b.ln_x_alpha), abs=1e-10)


@given(solutions(), st.floats(0.05, 0.95))
@settings(max_examples=10, deadline=None)
def test_without_misfit_the_coherent_gap_is_the_chemical_one(parameters, fraction):
    chemical, coherent = make(*parameters), make(*parameters, b=1e-9)
    T = fraction * chemical.critical_point().T
    difference = chemical.binodal(T).ln_x_alpha - coherent.binodal(T).ln_x_alpha
    assert abs(float(difference)) < 1e-9


def test_both_phases_have_the_same_potentials(bcc):
    solution = bcc("santos2025", "coherent")
    T = np.linspace(50, 700, 14)
    binodal = solution.binodal(T)
    ends = [np.asarray(binodal.x_alpha), np.asarray(binodal.x_beta)]
    slopes = [solution.diffusion_potential(T, x) for x in ends]
    intercepts = [
        solution.gibbs_energy(T, x) - x * slope for x, slope in zip(ends, slopes, strict=True)
    ]
    assert slopes[0] == pytest.approx(slopes[1], abs=1e-6)
    assert intercepts[0] == pytest.approx(intercepts[1], abs=1e-6)


def test_swapping_the_components_of_a_phase(databases, bcc):
    swapped = lc.BinarySolution(databases["santos2025"], ("NA", "LI"), "BCC_A2").binodal(300.0)
    binodal = bcc("santos2025", "chemical").binodal(300.0)
    assert float(swapped.ln_x_alpha) == pytest.approx(float(binodal.ln_one_minus_x_beta), abs=1e-12)


# -- energies --


@pytest.mark.parametrize("kind", ["chemical", "coherent"])
def test_gibbs_energy_is_that_of_pycalphad(bcc, databases, kind):
    from pycalphad import calculate

    solution = bcc("santos2025", kind)
    x = np.array([0.0, 1e-6, 0.3, 0.9, 1.0])
    points = np.column_stack([1 - x, x, np.ones(5)])
    result = calculate(
        databases["santos2025"], ["LI", "NA", "VA"], ["BCC_A2"], T=[250.0, 400.0], P=101325,
        points=points, model=solution._arguments[3],
    )  # fmt: skip
    energy = solution.gibbs_energy([[250.0], [400.0]], x)
    assert energy == pytest.approx(result.GM.values[0, 0], abs=1e-7)


def test_derivatives_against_finite_differences(bcc):
    solution = bcc("santos2025", "coherent")
    T, x, h = 300.0, np.linspace(0.05, 0.95, 10), 1e-5
    g = [solution.gibbs_energy(T, x + k * h) for k in (-1, 0, 1)]
    assert (g[2] - g[0]) / (2 * h) == pytest.approx(solution.diffusion_potential(T, x), abs=1e-3)
    slope = [solution.diffusion_potential(T, x + k * h) for k in (-1, 1)]
    curvature = (slope[1] - slope[0]) / (2 * h)
    assert x * (1 - x) * curvature / (R * T) == pytest.approx(solution.stability(T, x), abs=1e-6)


def test_limits_at_the_pure_components(bcc):
    solution = bcc("santos2025", "coherent")
    assert solution.stability(300.0, [0.0, 1.0]).tolist() == [1.0, 1.0]
    with np.errstate(divide="ignore"):
        assert solution.diffusion_potential(300.0, [0.0, 1.0]).tolist() == [-np.inf, np.inf]
    assert np.isfinite(solution.gibbs_energy(300.0, [0.0, 1.0])).all()


# -- arrays, missing values and errors --


def test_results_have_the_shape_of_the_temperatures(bcc):
    T = np.array([[100.0, 200.0], [300.0, 1500.0]])
    binodal = bcc("santos2025", "chemical").binodal(T)
    assert binodal.x_alpha.shape == T.shape
    assert binodal.gap.tolist() == [[True, True], [True, False]]
    assert np.isnan(binodal.ln_one_minus_x_beta).tolist() == [
        [False, False],
        [False, True],
    ]
    assert "1 of them without a gap" in repr(binodal)
    frame = binodal.to_dataframe()
    assert frame["x_alpha"].isna().tolist() == [False, False, False, True]
    assert list(frame) == ["T", "x_alpha", "x_beta", "ln_x_alpha", "ln_one_minus_x_beta"]


def test_one_temperature_gives_numbers(bcc):
    spinodal = bcc("santos2025", "chemical").spinodal(300)
    assert spinodal.T.shape == ()
    assert repr(spinodal) == "<Spinodal at 300 K: x = 0.0357394 and 0.827894>"


def test_energies_broadcast(bcc):
    assert bcc("santos2025", "chemical").stability([[300.0], [400.0]], [0.1, 0.2, 0.3]).shape == (
        2,
        3,
    )


def test_no_temperatures_at_all(bcc):
    binodal = bcc("santos2025", "chemical").binodal([])
    assert binodal.x_alpha.shape == (0,)
    assert repr(binodal) == "<Binodal at no temperature>"


def test_results_do_not_change_with_their_input(bcc):
    T = np.array([300.0, 400.0])
    binodal = bcc("santos2025", "chemical").binodal(T)
    T += 1000
    assert binodal.T.tolist() == [300.0, 400.0]


@pytest.mark.parametrize("pressure", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_pressures(databases, pressure):
    with pytest.raises(ValueError, match="positive, finite number of pascal"):
        lc.BinarySolution(databases["zhang2003"], ("LI", "NA"), "BCC_A2", pressure=pressure)


@pytest.mark.parametrize("T", [0, -1.0, float("nan"), float("inf"), [300, -5]])
@pytest.mark.parametrize("method", ["binodal", "spinodal"])
def test_impossible_temperatures(bcc, method, T):
    with pytest.raises(ValueError, match="positive, finite number of kelvin"):
        getattr(bcc("santos2025", "chemical"), method)(T)


@pytest.mark.parametrize("x", [-0.1, 1.1, float("nan")])
def test_impossible_compositions(bcc, x):
    with pytest.raises(ValueError, match="mole fraction lies between 0 and 1"):
        bcc("santos2025", "chemical").stability(300.0, x)


def test_below_the_traced_range(bcc):
    # 0.5 K: far from anything real, but still the right answer.
    binodal = bcc("santos2025", "chemical").binodal(0.5)
    assert float(binodal.ln_x_alpha) == pytest.approx(-(20109.8 + 5772.6) / (R * 0.5), rel=1e-9)


def test_the_gap_at_the_critical_temperature_is_closed(bcc):
    solution = bcc("zhang2003", "chemical")
    with pytest.raises(NoMiscibilityGap):
        solution.binodal(solution.critical_point().T)


def test_a_gap_that_never_closes():
    gap = solver(lambda T, x: (3 * x * (1 - x), 3 - 6 * x, -6.0, 0.0), "athermal")
    with pytest.raises(NoCriticalPoint, match="still open at 10000 K"):
        gap.critical_point()
    x = gap.binodal([300.0, 10_000.0, 20_000.0]).x_alpha
    assert x[0] == pytest.approx(x[1], abs=1e-12)
    assert x[0] == pytest.approx(x[2], abs=1e-12)
    assert x[0] == pytest.approx(0.0707202, abs=1e-7)


def closed_loop(half_width: float):
    """A regular solution unstable only around 713 K."""

    def derivatives(T, x):
        z = 2.0 + 1e-6 * (half_width**2 - (T - 713.0) ** 2)
        return z * x * (1 - x), z * (1 - 2 * x), -2 * z, 0.0

    return solver(derivatives, "loop")


@pytest.mark.parametrize("half_width", [3.0, 30.0])
def test_a_closed_loop(half_width):
    gap = closed_loop(half_width)
    assert gap.critical_point().T == pytest.approx(713.0 + half_width, rel=1e-9)
    binodal = gap.binodal([713.0 - 1.1 * half_width, 713.0, 713.0 + 1.1 * half_width])
    assert binodal.gap.tolist() == [False, True, False]


def test_a_gap_that_ends_by_a_jump(databases):
    text = databases["zhang2003"].to_string(fmt="tdb")
    text = text.replace("1.0 16000.0; 3000.0 N", "1 +20000; 600 Y 0; 3000 N")
    solution = lc.BinarySolution(Database.from_string(text, fmt="tdb"), ("LI", "NA"), "BCC_A2")
    with pytest.raises(NoCriticalPoint, match="ends by a jump"):
        solution.critical_point()
    x = float(solution.binodal(599.99999).x_alpha)
    assert np.log(x / (1 - x)) == pytest.approx(-20000 / (R * 599.99999) * (1 - 2 * x), rel=1e-9)
    with pytest.raises(NoMiscibilityGap):
        solution.binodal(600.5)


def test_a_stable_solution_has_no_critical_point():
    gap = regular(-1000.0)
    with pytest.raises(NoMiscibilityGap, match="stable at every composition from 1 to 10000 K"):
        gap.critical_point()
    with pytest.raises(NoMiscibilityGap, match="no miscibility gap at 300 K"):
        gap.spinodal(300.0)


def test_two_gaps_are_named():
    # A fourth-order Redlich-Kister term makes two domes.
    p = np.polynomial.Polynomial([0, 1, -1]) * np.polynomial.Polynomial([1, -2]) ** 4

    def derivatives(T, x):
        return [3000.0 / T * f(x) for f in (p, p.deriv(1), p.deriv(2), p.deriv(3))]

    with pytest.raises(SeveralMiscibilityGaps, match=r"2 separate ranges .* at 300 K: x = .* and "):
        solver(derivatives, "double").binodal(300.0)


def test_instability_at_vanishing_concentration_is_not_hidden():
    with pytest.raises(NotConverged, match="unstable beyond x ="):
        regular(1e20).spinodal(300.0)


# -- other phases --

# File of pycalphad's tests, components, phase, critical T / K and x.
OTHERS = [
    ("CrFeNb_Jacob2016.tdb", ("FE", "CR"), "BCC_A2", 904.68, 0.50729),
    ("alzn_mey.tdb", ("AL", "ZN"), "FCC_A1", 625.71, 0.35022),
    ("alzn_mey.tdb", ("AL", "ZN"), "LIQUID", 522.71, 0.5),
    ("CoV-20Wan.tdb", ("CO", "V"), "FCC_A1", 2573.0, 0.87865),
]


@pytest.mark.parametrize(("file", "components", "phase", "T", "x"), OTHERS)
def test_any_binary_solution_phase(example_tdb, file, components, phase, T, x):
    dbf = example_tdb(file)
    solution = lc.BinarySolution(dbf, components, phase)
    point = solution.critical_point()
    assert (point.T, point.x) == (pytest.approx(T, abs=0.01), pytest.approx(x, abs=1e-5))
    # pycalphad's own minimiser finds the same tie-line.
    at = 0.85 * point.T
    binodal, spinodal = solution.binodal(at), solution.spinodal(at)
    middle = float(spinodal.x_alpha + spinodal.x_beta) / 2
    conditions = {v.T: at, v.P: 101325, v.X(components[1]): middle}
    result = equilibrium(dbf, [*components, "VA"], [phase], conditions, calc_opts={"pdens": 2000})
    found = np.sort(result.X.sel(component=components[1]).values.ravel()[:2])
    assert found == pytest.approx([float(binodal.x_alpha), float(binodal.x_beta)], abs=1e-6)


def test_a_magnetic_phase_has_kinks_and_still_mirrors(example_tdb):
    dbf = example_tdb("crfe_bcc_magnetic.tdb")  # only the magnetic energy: all kinks
    one = lc.BinarySolution(dbf, ("FE", "CR"), "BCC_A2")
    other = lc.BinarySolution(dbf, ("CR", "FE"), "BCC_A2")
    assert one.critical_point().T == pytest.approx(other.critical_point().T, rel=1e-9)
    T = np.linspace(300, 855, 30)
    a, b = one.binodal(T), other.binodal(T)
    assert np.abs(a.x_alpha + b.x_beta - 1).max() < 1e-9
    # Just under the Curie cusp on top of the dome.
    T = one.critical_point().T - 0.1
    assert one.binodal(T).x_alpha < one.spinodal(T).x_alpha


def test_no_tie_line_collapses_under_a_cusp(example_tdb):
    # Its dome ends on the line of Curie temperatures: just below, some temperatures do not
    # converge and say so, and the others lie outside the spinodal.
    solution = lc.BinarySolution(example_tdb("CoV-20Wan.tdb"), ("CO", "V"), "BCC_A2")
    right = 0
    for T in solution.critical_point().T * (1 - np.geomspace(1e-6, 1e-3, 30)):
        try:
            binodal, spinodal = solution.binodal(T), solution.spinodal(T)
        except (NotConverged, NoMiscibilityGap):
            continue
        assert binodal.x_alpha <= spinodal.x_alpha < spinodal.x_beta <= binodal.x_beta
        right += 1
    assert right > 15


def test_a_magnetic_phase_with_two_gaps(example_tdb):
    solution = lc.BinarySolution(example_tdb("CrFeNb_Jacob2016.tdb"), ("FE", "CR"), "BCC_A2")
    with pytest.raises(SeveralMiscibilityGaps, match="BCC_A2 has 2 separate ranges"):
        solution.binodal([500.0, 895.6])


@pytest.mark.parametrize(
    ("components", "phase", "error", "message"),
    [
        (("LI",), "BCC_A2", UnsupportedPhase, "two different components"),
        (("LI", "LI"), "BCC_A2", UnsupportedPhase, "two different components"),
        (("LI", "K"), "BCC_A2", DatabaseError, "no element K; it has LI, NA"),
        (("LI", "NA"), "SIGMA", DatabaseError, "no phase SIGMA; it has BCC_A2"),
    ],
)
def test_what_is_no_binary_solution(databases, components, phase, error, message):
    with pytest.raises(error, match=message):
        lc.BinarySolution(databases["zhang2003"], components, phase)


def test_phases_with_more_than_one_mixing_sublattice(example_tdb):
    with pytest.raises(UnsupportedPhase, match=r"mixes on 2 sublattices"):
        lc.BinarySolution(example_tdb("cumg.tdb"), ("CU", "MG"), "CU2MG")


def test_an_undefined_symbol_is_not_taken_for_zero(databases):
    text = databases["zhang2003"].to_string(fmt="tdb").replace("16000.0", "LBCC")
    with pytest.raises(UnsupportedPhase, match="needs LBCC, which cannot be resolved: undefined"):
        lc.BinarySolution(Database.from_string(text, fmt="tdb"), ("LI", "NA"), "BCC_A2")


def test_a_solution_can_be_pickled(bcc):
    solution = bcc("santos2025", "coherent")
    again = pickle.loads(pickle.dumps(solution))
    assert repr(again) == repr(solution)
    assert float(again.binodal(300.0).ln_x_alpha) == float(solution.binodal(300.0).ln_x_alpha)


def test_any_contribution_counts(databases):
    class Shifted(Model):
        contributions = (*Model.contributions[:-1], ("mine", "my_energy"), Model.contributions[-1])

        def my_energy(self, dbe):
            x = self.moles("NA")
            return 2000 * x * (1 - x)

    solution = lc.BinarySolution(databases["zhang2003"], ("LI", "NA"), "BCC_A2", model=Shifted)
    assert solution.critical_point().T == pytest.approx(18000 / (2 * R), rel=1e-12)
