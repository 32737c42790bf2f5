"""The paper's closed forms: derived from its eqs. 2, 3 and 12, and held against the exact gap."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from lina_calphad import dilute
from lina_calphad.data.interactions import free_interactions
from lina_calphad.errors import NoMiscibilityGap
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import R

x, y, T, B = sp.symbols("x y T B", positive=True)
RT = sp.Symbol("RT", positive=True)
G_A, G_B = sp.symbols("G_A G_B", real=True)
LS = sp.symbols("L:5", real=True)


def gibbs(n: int):
    """Gibbs energy of eqs. 2, 3 and 12 with n Redlich-Kister terms, x = x(Na), 1 - x = x(Li)."""
    ideal = (1 - x) * G_A + x * G_B + RT * (x * sp.log(x) + (1 - x) * sp.log(1 - x))
    excess = x * (1 - x) * sum(L * ((1 - x) - x) ** k for k, L in enumerate(LS[:n]))
    return ideal + excess + B * x**2


@pytest.mark.parametrize("n", [1, 2, 3])
def test_solubilities_follow_from_the_common_tangent(n):
    """Eqs. 4 to 7, 13 and 14: both ends of the tie-line dilute, x and y = 1 - x' to zero."""
    G = gibbs(n)
    slope = sp.diff(G, x)
    other = slope.subs(x, 1 - y)
    # What is left of each slope as its phase gets dilute, the logarithm split off.
    at0 = sp.limit(sp.expand(slope - RT * sp.log(x)), x, 0, "+")
    at1 = sp.limit(sp.expand(other + RT * sp.log(y)), y, 0, "+")
    ln_x, ln_y = sp.symbols("ln_x ln_y")
    # Tangents go through the pure phases then, since x ln x vanishes.
    ends = [sp.limit(G, x, end, d) for end, d in ((0, "+"), (1, "-"))]
    tangent = ends[1] - ends[0]
    solution = sp.solve([RT * ln_x + at0 - tangent, -RT * ln_y + at1 - tangent], [ln_x, ln_y])
    first, second = dilute.excess_slopes(LS[:n])
    shift = dilute.coherency_shift(B)
    assert sp.simplify(solution[ln_x] + (first + shift) / RT) == 0
    assert sp.simplify(solution[ln_y] - (second - shift) / RT) == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_spinodals_follow_from_the_inflection_points(n):
    """Eqs. 10 and 11, chemical and coherent: the leading term of the root of G'' at either end."""
    curvature = sp.diff(gibbs(n), x, 2)
    at0, at1 = dilute.excess_curvatures(LS[:n])
    for at, replaced in ((at0, x), (at1, 1 - x)):
        # x G'' is regular; RT is small, and so then is the root: x = c RT + O(RT^2).
        c = sp.Symbol("c")
        regular = sp.expand(sp.simplify(x * curvature.subs(x, replaced)))
        leading = sp.limit(sp.simplify(regular.subs(x, c * RT) / RT), RT, 0)
        (root,) = sp.solve(leading, c)
        assert sp.simplify(root + 1 / (at + 2 * B)) == 0


def test_any_number_of_terms():
    """Slopes and curvatures at both ends of term k of eq. 3, whatever k."""
    k = sp.Symbol("k", integer=True, nonnegative=True)
    term = x * (1 - x) * ((1 - x) - x) ** k
    sign = (-1) ** k
    expected = {1: (1, -sign), 2: (-2 * (2 * k + 1), -2 * sign * (2 * k + 1))}
    for order, values in expected.items():
        derivative = sp.diff(term, x, order)
        for end, value in enumerate(values):
            assert sp.simplify(derivative.subs(x, end) - value) == 0
    # So does the code, which takes the sum over k.
    for terms in range(1, 8):
        L = sp.symbols(f"L:{terms}")
        for order, found in ((1, dilute.excess_slopes(L)), (2, dilute.excess_curvatures(L))):
            for value, total in zip(expected[order], found, strict=True):
                wanted = sum(each * sp.sympify(value).subs(k, n) for n, each in enumerate(L))
                assert sp.expand(total - wanted) == 0


def test_coherency_dissolves_more():
    """The sign of eq. 14: the shift is negative, so both solubilities rise."""
    assert dilute.coherency_shift(12575.7) == -12575.7
    chemical, coherent = (dilute.binodal(300.0, [20109.8, 5772.6], b) for b in (0.0, 12575.7))
    gain = 12575.7 / (R * 300)
    assert coherent.ln_x_alpha - chemical.ln_x_alpha == pytest.approx(gain)
    assert coherent.ln_one_minus_x_beta - chemical.ln_one_minus_x_beta == pytest.approx(gain)


def test_the_papers_two_term_formulas():
    """Eqs. 6, 7, 10 and 11 as the paper prints them, the slip in eq. 11 mended."""
    L0, L1, at = 20109.8, 5772.6, 40.0
    binodal, spinodal = (curve(at, [L0, L1]) for curve in (dilute.binodal, dilute.spinodal))
    assert binodal.x_alpha == pytest.approx(np.exp(-(L0 + L1) / (R * at)))
    assert 1 - binodal.x_beta == pytest.approx(np.exp(-(L0 - L1) / (R * at)))
    assert spinodal.x_alpha == pytest.approx(R * at / (2 * L0 + 6 * L1))
    assert 1 - spinodal.x_beta == pytest.approx(R * at / (2 * L0 - 6 * L1))


@pytest.mark.parametrize("key", ["zhang2003", "santos2025"])
@pytest.mark.parametrize("kind", ["chemical", "coherent"])
def test_they_are_the_cold_limit_of_the_exact_curves(databases, bcc, key, kind):
    dbf = databases[key]
    coefficients = list(free_interactions(dbf, "BCC_A2", ("LI", "NA"))[1].values())
    model = CoherentModel(dbf, ["LI", "NA", "VA"], "BCC_A2")
    coherency = float(model.coherency["LI", "NA"]) if kind == "coherent" else 0.0
    exact, temperatures = bcc(key, kind), np.array([1.0, 2.0, 4.0])
    closed = dilute.binodal(temperatures, coefficients, coherency)
    found = exact.binodal(temperatures)
    # Where nothing is left of the other component, the formulas are exact.
    np.testing.assert_allclose(closed.ln_x_alpha, found.ln_x_alpha, rtol=1e-12)
    np.testing.assert_allclose(closed.ln_one_minus_x_beta, found.ln_one_minus_x_beta, rtol=1e-12)
    # The spinodals are right to first order in T: half the temperature, half the error.
    closed, found = (
        dilute.spinodal(temperatures, coefficients, coherency),
        exact.spinodal(temperatures),
    )
    sides = [closed.x_alpha / found.x_alpha, (1 - closed.x_beta) / (1 - found.x_beta)]
    for ratio in sides if (key, kind) != ("santos2025", "coherent") else sides[:1]:
        np.testing.assert_allclose((ratio[1:] - 1) / (ratio[:-1] - 1), 2, atol=0.2)


def test_a_side_without_a_limit_is_nan(databases, bcc):
    """The coherent spinodal of santos2025 ends at a finite fraction on the Na-rich side."""
    closed = dilute.spinodal([2.0, 4.0], [20109.8, 5772.6], 12575.7)
    assert closed.gap.all()
    one = dilute.spinodal(2.0, [20109.8, 5772.6], 12575.7)
    assert repr(one) == "<Spinodal at 2 K: x = 0.000334562 and none>"
    assert np.isnan(closed.x_beta).all()
    assert (bcc("santos2025", "coherent").spinodal([2.0, 4.0]).x_beta < 0.99).all()


def test_coefficients_may_depend_on_temperature():
    T = np.array([[200.0], [300.0]])
    varying = dilute.binodal(T, [20000 - 3 * T, 500.0])
    assert varying.x_alpha.shape == (2, 1)
    for row, at in enumerate(T[:, 0]):
        assert varying.ln_x_alpha[row, 0] == dilute.binodal(at, [20000 - 3 * at, 500]).ln_x_alpha


def test_where_there_is_no_dilute_gap():
    with pytest.raises(NoMiscibilityGap, match="add up to 1 or more"):
        dilute.binodal(300.0, [-1000.0])
    with pytest.raises(NoMiscibilityGap, match="add up to 1 or more"):
        dilute.spinodal([300.0, 400.0], [16000.0], coherency=16000.0)


@pytest.mark.parametrize("curve", [dilute.binodal, dilute.spinodal])
def test_branches_never_pass_each_other(curve):
    found = curve([100.0, 2800.0], [16000.0])
    assert found.gap.tolist() == [True, False]
    assert (found.x_alpha < found.x_beta).tolist() == [True, False]


@pytest.mark.parametrize(
    ("T", "coefficients", "coherency", "message"),
    [
        (-1.0, [16000.0], 0.0, "positive"),
        (300.0, [], 0.0, "at least one"),
        (300.0, [np.nan], 0.0, "finite numbers"),
        (300.0, [np.inf], 0.0, "finite numbers"),
        (300.0, [16000.0], np.nan, "finite number; got nan"),
    ],
)
def test_bad_input(T, coefficients, coherency, message):
    for curve in (dilute.binodal, dilute.spinodal):
        with pytest.raises(ValueError, match=message):
            curve(T, coefficients, coherency)


def test_a_lone_number_is_the_regular_parameter():
    assert dilute.binodal(300.0, 16000.0).x_alpha == dilute.binodal(300.0, [16000.0]).x_alpha
