"""All tie-lines of one phase, however many, against the lower hull of a dense sample."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial
from scipy.special import entr, expit
from support import lower_hull

import lina_calphad as lc
from lina_calphad.errors import NoMiscibilityGap, SeveralMiscibilityGaps
from lina_calphad.phase.miscibility import MiscibilityGap

R = 8.3145
X, D = Polynomial([0, 1]), Polynomial([1, -2])


def redlich_kister(*L):
    """The solver for interactions in J/mol, and r T as a polynomial in x."""
    p = sum((value / R * X * (1 - X) * D**k for k, value in enumerate(L)), Polynomial([0.0]))

    def mixing(T, x):
        r, r1, r2, r3 = (p.deriv(k)(x) / T if k else p(x) / T for k in range(4))
        q = x * (1 - x)
        return np.stack([r - x * r1, r1, 1 + q * r2, q * ((1 - 2 * x) * r2 + q * r3)], axis=-1)

    return MiscibilityGap(mixing, "S"), p


def hull(p, T, points=20_001):
    """Tie-lines as steps of the lower hull longer than the grid's, and the sample."""
    x = expit(np.linspace(-16, 16, points))
    g = p(x) / T - entr(x) - entr(1 - x)
    steps = [(i, j) for i, j in pairwise(lower_hull(x, g)) if j - i > 20]
    return [(x[i], x[j]) for i, j in steps], x, g


@pytest.mark.parametrize(
    ("L", "T"),
    [
        ((0.0, 0.0, 30_000.0), 745.0),  # two
        ((0.0, 0.0, 30_000.0), 300.0),  # two, dilute
        ((3_000.0, 0.0, 12_000.0), 320.0),
        ((9_000.0, 0.0, 12_000.0), 320.0),  # one wide one over all that is unstable
        ((2_000.0, 1_500.0, 0.0, 0.0, 20_000.0), 330.0),
        ((0.0, 0.0, 0.0, 0.0, 60_000.0), 500.0),
    ],
)
def test_gaps_are_those_of_a_dense_hull(L, T):
    gap, p = redlich_kister(*L)
    agrees(gap.gaps(T), p, T)


def agrees(found, p, T):
    steps, x, g = hull(p, T)
    ours = np.column_stack([found.x_alpha, found.x_beta])
    assert (np.diff(ours.ravel()) > 0).all()
    chord = np.diff(ours, axis=1)
    energy = p(ours) / T - entr(ours) - entr(1 - ours)
    for (a, b), (ga, gb), width in zip(ours, energy, chord[:, 0], strict=True):
        assert (g - ga - (gb - ga) / width * (x - a)).min() > -1e-10  # nothing lies below
        # One tangent touches at both ends, as closely as x has digits.
        slopes = p.deriv()(np.array([a, b])) / T + np.log([a / (1 - a), b / (1 - b)])
        if 1e-6 < a and b < 1 - 1e-6:
            assert slopes == pytest.approx((gb - ga) / width, abs=1e-8)
    for low, high in steps:
        assert np.abs(ours - [low, high]).max(axis=1).min() < 0.01, (low, high, ours)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-12_000, 25_000), min_size=3, max_size=6), st.floats(250, 900))
@example([0.0, 0.0, 30_000.0], 745.0)
def test_gaps_of_any_polynomial_are_those_of_its_hull(L, T):
    gap, p = redlich_kister(*L)
    try:
        found = gap.gaps(T)
    except NoMiscibilityGap:
        assert hull(p, T)[0] == []
        return
    agrees(found, p, T)


def test_two_gaps_merge_where_their_tie_lines_meet():
    """Up to the three-phase equilibrium at x = 1/2 there is one wide gap, above it two."""
    gap, p = redlich_kister(4_000.0, 0.0, 14_000.0)
    T = np.linspace(120.0, 300.0, 37)
    found = gap.gaps(T)
    number = found.gap.sum(axis=0)
    assert set(number.tolist()) == {1, 2}
    assert (np.diff(number) != 0).sum() == 1  # once, and not back
    for k in np.flatnonzero(np.diff(number)) + np.arange(2):
        one = gap.gaps(T[k])
        assert len(one.T) == number[k]
        agrees(one, p, T[k])


def test_where_there_is_one_gap_it_is_the_binodal():
    solution = lc.BinarySolution(lc.load("santos2025"), ("LI", "NA"), "BCC_A2")
    T = np.array([[200.0, 300.0], [400.0, 5000.0]])
    found, binodal = solution.gaps(T), solution.binodal(T)
    assert found.T.shape == (1, 2, 2)
    for name in ("x_alpha", "x_beta", "ln_x_alpha", "ln_one_minus_x_beta"):
        assert getattr(found, name)[0] == pytest.approx(
            getattr(binodal, name), rel=1e-12, nan_ok=True
        )


def test_gaps_as_a_table():
    gap, _ = redlich_kister(0.0, 0.0, 30_000.0)
    found = gap.gaps([745.0, 800.0, 5000.0])
    frame = found.to_dataframe()
    assert frame[["T", "gap"]].to_numpy().tolist() == [[745, 0], [800, 0], [745, 1], [800, 1]]
    assert frame.x_alpha.to_numpy() == pytest.approx(1 - frame.x_beta[[2, 3, 0, 1]].to_numpy())
    assert repr(found) == "<Gaps at 3 temperatures, 745 to 5000 K: 0 to 2 at a temperature>"
    with pytest.raises(SeveralMiscibilityGaps, match="`gaps` has"):
        gap.binodal(745.0)
    with pytest.raises(NoMiscibilityGap, match="at 5000 K"):
        gap.gaps(5000.0)
    assert gap.gaps([]).to_dataframe().empty


def test_two_gaps_of_a_magnetic_phase_from_a_database(example_tdb):
    from lina_calphad.diagram.system import BinarySystem

    dbf = example_tdb("CrFeNb_Jacob2016.tdb")
    T = [500.0, 895.6]
    found = lc.BinarySolution(dbf, ("FE", "CR"), "BCC_A2").gaps(T).to_dataframe()
    lines = BinarySystem(dbf, ("FE", "CR"), ["BCC_A2"]).equilibria(T)
    ours = found.sort_values(["T", "x_alpha"])
    assert ours["T"].to_numpy() == pytest.approx(lines.T)
    assert ours[["x_alpha", "x_beta"]].to_numpy() == pytest.approx(lines.x.T, rel=1e-7)
