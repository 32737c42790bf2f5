"""One phase with free parameters: what many descriptions have in common with each alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycalphad import Model
from support import LINA, ONE_TIE_LINE, TWO_DOMES, R, redlich_kister
from symengine import S

import lina_calphad as lc
from lina_calphad.data.databases import copy_database
from lina_calphad.data.interactions import free_interactions
from lina_calphad.errors import (
    DatabaseError,
    NoCriticalPoint,
    NoMiscibilityGap,
    SeveralMiscibilityGaps,
)
from lina_calphad.phase.solution import BinarySolution

MODELS = {"chemical": Model, "coherent": lc.CoherentModel}


def family_of(*values, kind="chemical"):
    names = [f"L{order}" for order in range(len(values))]
    return BinarySolution(redlich_kister(*values), LINA, "BCC_A2", MODELS[kind], symbols=names)


def alone(dbf, components, phase, symbols, values, model=Model):
    """The solution of a database in which the symbols have these values."""
    dbf = copy_database(dbf)
    dbf.symbols.update({n: S(float(value)) for n, value in zip(symbols, values, strict=True)})
    return lc.BinarySolution(dbf, components, phase, model=model)


def curves(solution, T, *values):
    """Logarithms of both solubilities and both spinodals; NaN where there is no gap."""
    found = []
    for curve, names in (
        ("binodal", ("ln_x_alpha", "ln_one_minus_x_beta")),
        ("spinodal", ("x_alpha", "x_beta")),
    ):
        try:
            result = getattr(solution, curve)(T, *values)
        except NoMiscibilityGap:
            found += [np.full(np.shape(T), np.nan)] * 2
        else:
            found += [getattr(result, name) for name in names]
    return np.array(found)


def assert_like_alone(family, arguments, values, model=Model, T=(20.0, 100.0, 300.0, 700.0)):
    one = alone(*arguments, family.symbols, values, model)
    np.testing.assert_allclose(curves(family, T, values), curves(one, T), rtol=1e-11, atol=1e-11)
    top = family.critical_points(values)
    try:
        point = one.critical_point()
    except NoMiscibilityGap:
        assert np.isnan(top.T)
    else:
        assert float(top.T) == pytest.approx(point.T, rel=1e-12)
        assert float(top.x) == pytest.approx(point.x, abs=1e-6)


@pytest.fixture(scope="module")
def bcc_family():
    """The family of bcc with free 0L and 1L around santos2025, by kind of equilibrium."""
    dbf, values = free_interactions(lc.load("santos2025"), "BCC_A2", LINA)
    return {
        kind: BinarySolution(dbf, LINA, "BCC_A2", m, symbols=list(values))
        for kind, m in MODELS.items()
    }


@pytest.fixture(scope="module")
def freed():
    return free_interactions(lc.load("santos2025"), "BCC_A2", LINA)[0]


@pytest.fixture(scope="module")
def liquid():
    dbf, values = free_interactions(lc.load("zhang2003"), "LIQUID", LINA)
    return (
        dbf,
        BinarySolution(dbf, LINA, "LIQUID", symbols=list(values)),
        np.array([*values.values()]),
    )


# -- each description is that of BinarySolution --


@pytest.mark.parametrize("kind", MODELS)
@given(L0=st.floats(-5e3, 3e4), L1=st.floats(-8e3, 8e3))
@settings(max_examples=12, deadline=None)
def test_every_description_is_that_of_a_solution_alone(freed, bcc_family, kind, L0, L1):
    arguments = freed, LINA, "BCC_A2"
    assert_like_alone(bcc_family[kind], arguments, [L0, L1], MODELS[kind])


@given(st.tuples(*[st.floats(0.8, 1.25)] * 4))
@settings(max_examples=10, deadline=None)
def test_parameters_may_depend_on_temperature(liquid, factors):
    dbf, family, values = liquid
    assert family.symbols == ("LIQUL0", "LIQUL1A", "LIQUL1B", "LIQUL2")
    arguments = dbf, LINA, "LIQUID"
    assert_like_alone(family, arguments, values * factors, T=(200.0, 400.0, 550.0))


def test_another_alloy(example_tdb):
    dbf, values = free_interactions(example_tdb("alzn_mey.tdb"), "FCC_A1", ("AL", "ZN"))
    family = BinarySolution(dbf, ("AL", "ZN"), "FCC_A1", symbols=list(values))
    assert float(family.critical_points(family.reference).T) == pytest.approx(625.71, abs=0.01)
    shifted = family.reference * np.linspace(0.97, 1.05, len(values))
    assert_like_alone(family, (dbf, ("AL", "ZN"), "FCC_A1"), shifted, T=(300.0, 500.0, 600.0))


@pytest.mark.parametrize(
    "name", ["stability", "gibbs_energy", "diffusion_potential", "ln_activity"]
)
def test_energies_of_many_descriptions_are_those_of_each_alone(freed, bcc_family, name):
    family, x = bcc_family["chemical"], np.array([0.01, 0.4, 0.9])
    values = np.array([[15_000.0, 2_000.0], [20_000.0, 6_000.0]])
    found = getattr(family, name)(300.0, x, values[:, None])
    for row, own in zip(found, values, strict=True):
        one = alone(freed, LINA, "BCC_A2", family.symbols, own)
        assert row == pytest.approx(getattr(one, name)(300.0, x), rel=1e-12)
    # Without values they are those of the database.
    one = lc.BinarySolution(freed, LINA, "BCC_A2")
    assert getattr(family, name)(300.0, x) == pytest.approx(getattr(one, name)(300.0, x), rel=1e-12)


def test_the_reference_need_not_have_a_gap():
    family = family_of(-2000.0, 0.0)
    assert_like_alone(family, (redlich_kister(0, 0), LINA, "BCC_A2"), [20109.8, 5772.6])
    # All without a gap but one, far from the reference and from each other.
    values = np.array([[-2000.0, 0.0], [9000.0, -4000.0], [30000.0, 9000.0], [0.0, 0.0]])
    assert family.binodal(300.0, values).gap.tolist() == [False, True, True, False]


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("values", [(21000.0, 4000.0), (18000.0, 6000.0), (20000.0, 0.0)])
def test_close_to_the_critical_temperature(freed, bcc_family, kind, values):
    one = alone(freed, LINA, "BCC_A2", ("BCCL0", "BCCL1"), values, MODELS[kind])
    family, top = bcc_family[kind], one.critical_point()
    below = np.geomspace(1e-12, 1e-2, 11)
    T = top.T * (1 - below)
    found, expected = family.binodal(T, values), one.binodal(T)
    # Rounding of T itself moves the curves by its share of the distance.
    width = found.x_beta - found.x_alpha
    assert (np.abs(found.x_alpha - expected.x_alpha) < 1e-3 * width * (1e-12 / below) + 1e-12).all()
    # Landau: there a binodal is wider than its spinodal by the square root of three.
    spinodal = family.spinodal(T, values)
    ratio = width / (spinodal.x_beta - spinodal.x_alpha)
    assert (np.abs(ratio - np.sqrt(3)) < 2 * below + 1e-15 / below + 1e-7).all()


def test_at_the_critical_temperature_the_gap_is_closed(bcc_family):
    family, values = bcc_family["chemical"], [21000.0, 4000.0]
    top = float(family.critical_points(values).T)
    assert family.binodal([0.5 * top, top, 1.001 * top], values).gap.tolist() == [
        True,
        False,
        False,
    ]


@given(st.lists(st.tuples(st.floats(-5e3, 3e4), st.floats(-8e3, 8e3)), min_size=1, max_size=40))
@settings(max_examples=30, deadline=None)
def test_spinodals_lie_inside_binodals_and_coherent_curves_inside_chemical(bcc_family, values):
    # The last description has a gap of either kind, so that every array has its full shape.
    values, T = [*values, (20109.8, 5772.6)], [50.0, 300.0, 600.0]
    chemical, coherent = (curves(bcc_family[kind], T, values) for kind in MODELS)
    # A comparison with NaN, where there is no gap, is false: ask for no violation.
    for ln_alpha, ln_beta, left, right in (chemical, coherent):
        assert not (np.exp(ln_alpha) > left).any()
        assert not (left > right).any()
        assert not (right > 1 - np.exp(ln_beta)).any()
    assert not (np.isnan(chemical) & ~np.isnan(coherent)).any()
    assert not (coherent[:3] < chemical[:3]).any()
    assert not (coherent[3] > chemical[3]).any()


# -- closed forms --


@given(st.floats(1e3, 1e5))
@settings(max_examples=50, deadline=None)
def test_a_regular_solution_closes_at_half_of_its_parameter_over_r(L):
    top = REGULAR.critical_points([L])
    assert float(top.T) == pytest.approx(L / (2 * R), rel=1e-12)
    assert float(top.x) == pytest.approx(0.5, abs=1e-9)


@given(st.floats(1e4, 1e5), st.floats(0.01, 0.03))
@settings(max_examples=50, deadline=None)
def test_a_cold_regular_solution_dissolves_as_its_slope_says(L, part):
    T = part * L / R
    binodal = REGULAR.binodal(T, [L])
    assert float(binodal.ln_x_alpha) == pytest.approx(-1 / part, rel=1e-12)
    assert float(binodal.ln_one_minus_x_beta) == pytest.approx(-1 / part, rel=1e-12)


@given(st.floats(1e4, 1e5), st.floats(0.05, 0.999))
@settings(max_examples=50, deadline=None)
def test_the_spinodal_of_a_regular_solution(L, ratio):
    spinodal = REGULAR.spinodal(ratio * L / (2 * R), [L])
    assert float(spinodal.x_alpha) == pytest.approx((1 - np.sqrt(1 - ratio)) / 2, rel=1e-9)
    assert float(spinodal.x_alpha + spinodal.x_beta) == pytest.approx(1, abs=1e-9)


REGULAR = family_of(16000.0)


# -- shapes --


def test_arrays_have_the_shape_of_the_values_then_that_of_the_temperatures(bcc_family):
    family = bcc_family["chemical"]
    values = np.array([20000.0, 5000.0]) * np.linspace(0.9, 1.1, 6).reshape(3, 2, 1)
    T = np.linspace(200.0, 400.0, 4).reshape(4, 1)
    binodal = family.binodal(T, values)
    assert binodal.ln_x_alpha.shape == binodal.T.shape == (3, 2, 4, 1)
    assert family.spinodal(300.0, values).x_alpha.shape == (3, 2)
    assert family.critical_points(values).T.shape == (3, 2)
    one = family.binodal(T[2, 0], values[1, 1])
    assert one.ln_x_alpha.shape == ()
    assert binodal.ln_x_alpha[1, 1, 2, 0] == pytest.approx(float(one.ln_x_alpha), rel=1e-14)


@pytest.mark.parametrize("curve", ["binodal", "spinodal"])
def test_no_values_and_no_temperatures(bcc_family, curve):
    family = bcc_family["chemical"]
    assert getattr(family, curve)([], [20000.0, 5000.0]).x_alpha.shape == (0,)
    assert getattr(family, curve)([300.0], np.zeros((0, 2))).x_alpha.shape == (0, 1)
    assert family.critical_points(np.zeros((0, 2))).T.shape == (0,)


def test_nan_exactly_where_there_is_no_gap(bcc_family):
    # Regular parts of 0L = 2 R Tc: gaps that close at 100, 300 and 500 K, and one that is none.
    values = np.array([[2 * R * 100, 0.0], [2 * R * 300, 0.0], [2 * R * 500, 0.0], [-1.0, 0.0]])
    T = [99.9, 100.1, 299.9, 300.1, 499.9, 500.1]
    gap = [[T_ < Tc for T_ in T] for Tc in (100, 300, 500, 0)]
    family = bcc_family["chemical"]
    assert family.binodal(T, values).gap.tolist() == gap
    assert family.spinodal(T, values).gap.tolist() == gap
    top = family.critical_points(values)
    assert np.isnan(top.T).tolist() == np.isnan(top.x).tolist() == [False, False, False, True]
    assert top.to_dataframe()["T"].isna().tolist() == [False, False, False, True]
    assert repr(top) == "<CriticalPoints of 4 descriptions; 3 have one>"


def test_results_are_the_callers_own(bcc_family):
    family, values = bcc_family["chemical"], [[20109.8, 5772.6]]
    top = family.critical_points(values)
    expected = float(top.T[0])
    top.T[0] = 1.0
    assert float(family.critical_points(values).T[0]) == expected
    assert family.binodal(expected - 1, values).gap.all()


# -- pickling --


@pytest.mark.parametrize("kind", MODELS)
def test_a_family_can_be_pickled(bcc_family, kind):
    family = bcc_family[kind]
    again = pickle.loads(pickle.dumps(family))
    assert repr(again) == repr(family)
    values = [[20000.0, 5000.0], [15000.0, 0.0]]
    assert np.array_equal(curves(again, 300.0, values), curves(family, 300.0, values), True)


def test_what_is_sent_again_is_not_compiled_again(bcc_family):
    sent = pickle.dumps(bcc_family["chemical"])
    assert pickle.loads(sent) is pickle.loads(sent)


def test_a_model_of_ones_own_needs_no_module(freed):
    class Local(lc.CoherentModel):
        plane = (1, 1, 1)

    family = BinarySolution(freed, LINA, "BCC_A2", Local, symbols=["BCCL0"])
    one = lc.BinarySolution(freed, LINA, "BCC_A2", model=Local)
    assert float(family.critical_points([20109.8]).T) == pytest.approx(one.critical_point().T)


# -- several gaps, open gaps, bad input --

# Third-order parameters of two domes, unstable apart from each other only in between.


@pytest.mark.parametrize("T", [745.0, [700.0, 745.0], [300.0, 745.0]])
@pytest.mark.parametrize("curve", ["binodal", "spinodal"])
def test_two_gaps_are_named_with_temperature_and_values(curve, T):
    family = family_of(20109.8, 5772.6, 0.0, 0.0)
    values = [(20000.0, 5000.0, 0.0, 0.0), TWO_DOMES]
    message = (
        r"BCC_A2 has 2 separate ranges of instability at \d+(\.\d+)? K with "
        r"L0 = 13000, L1 = 300, L2 = 7000, L3 = 200: x = .* and "
    )
    with pytest.raises(SeveralMiscibilityGaps, match=message):
        getattr(family, curve)(T, values)


@pytest.mark.parametrize("T", [700.0, 745.0])
def test_two_ranges_under_one_tie_line_are_one_gap(T):
    family = family_of(*ONE_TIE_LINE)
    with pytest.raises(SeveralMiscibilityGaps):
        family.spinodal(T, ONE_TIE_LINE)
    line = family.binodal(T, ONE_TIE_LINE)
    x = np.linspace(1e-6, 1 - 1e-6, 100_001)
    ends = np.array([line.x_alpha, line.x_beta])
    g = alone(
        redlich_kister(0, 0, 0, 0), LINA, "BCC_A2", family.symbols, ONE_TIE_LINE
    ).gibbs_energy(T, np.append(x, ends))
    slope = (g[-1] - g[-2]) / (ends[1] - ends[0])
    above = g[:-2] - g[-2] - slope * (x - ends[0])
    assert above.min() > -1e-8
    assert (np.abs(x[above < 1e-4] - ends[:, None]).min(axis=0) < 1e-3).all()


def test_where_two_domes_have_merged_there_is_one_gap():
    family = family_of(20109.8, 5772.6, 0.0, 0.0)
    one = alone(redlich_kister(0, 0, 0, 0), LINA, "BCC_A2", family.symbols, TWO_DOMES)
    T = [100.0, 300.0]
    np.testing.assert_allclose(curves(family, T, TWO_DOMES), curves(one, T), rtol=1e-11)


def test_second_gaps_are_never_overlooked():
    family = family_of(20109.8, 5772.6, 0.0, 0.0)
    dbf = redlich_kister(0, 0, 0, 0)
    rng = np.random.default_rng(7)
    several = 0
    for values in rng.uniform([5e3, -8e3, -4e3, -8e3], [2e4, 8e3, 1.2e4, 8e3], (25, 4)):
        one = alone(dbf, LINA, "BCC_A2", family.symbols, values)
        T = one.critical_point().T * np.array([0.6, 0.85])
        try:
            expected = curves(one, T)
        except SeveralMiscibilityGaps:
            several += 1
            with pytest.raises(SeveralMiscibilityGaps):
                curves(family, T, values)
        else:
            np.testing.assert_allclose(curves(family, T, values), expected, rtol=1e-11, atol=1e-11)
    assert 3 <= several <= 22  # both kinds were there


def test_a_gap_open_at_the_end_of_the_search(bcc_family):
    family, values = bcc_family["chemical"], [[2e4, 0.0], [2e5, 0.0]]
    message = "still open at 10000 K, the highest searched, with BCCL0 = 200000, BCCL1 = 0"
    with pytest.raises(NoCriticalPoint, match=message):
        family.critical_points(values)
    # Its tie-lines are there all the same, few or many.
    for T in ([300.0], np.linspace(300.0, 9000.0, 60)):
        x = family.binodal(T, values).x_alpha[1]
        z = 2e5 / (R * np.asarray(T))
        np.testing.assert_allclose(np.log(x / (1 - x)), -z * (1 - 2 * x), rtol=1e-9)


@pytest.mark.parametrize("curve", ["binodal", "spinodal"])
def test_no_description_with_a_gap(bcc_family, curve):
    with pytest.raises(NoMiscibilityGap, match="no miscibility gap there for any value of BCCL0"):
        getattr(bcc_family["chemical"], curve)([300.0], [[-1.0, 0.0], [1000.0, 0.0]])


@pytest.mark.parametrize("values", [20000.0, [20000.0], [[1.0, 2.0, 3.0]], np.zeros((2, 0))])
def test_values_of_a_wrong_shape(bcc_family, values):
    with pytest.raises(ValueError, match=r"2 free symbols \(BCCL0, BCCL1\): .*\(\.\.\., 2\); got"):
        bcc_family["chemical"].binodal(300.0, values)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite(bcc_family, bad):
    with pytest.raises(ValueError, match=f"BCCL0, BCCL1 must be finite; got {bad}"):
        bcc_family["chemical"].critical_points([[20000.0, bad]])


@pytest.mark.parametrize("T", [0.0, -1.0, np.nan])
def test_impossible_temperatures(bcc_family, T):
    with pytest.raises(ValueError, match="positive, finite number of kelvin"):
        bcc_family["chemical"].binodal(T, [20000.0, 0.0])


def test_a_symbol_that_is_not_there(freed):
    with pytest.raises(
        DatabaseError, match=r"the database has no symbol L7; it has .*BCCL0, BCCL1"
    ):
        BinarySolution(freed, LINA, "BCC_A2", symbols=["L7"])


def test_a_symbol_that_is_no_number(freed):
    names = [name for name in freed.symbols if name.startswith("G")]
    with pytest.raises(DatabaseError, match=f"{names[0]} is no number but"):
        BinarySolution(freed, LINA, "BCC_A2", symbols=[names[0]])
