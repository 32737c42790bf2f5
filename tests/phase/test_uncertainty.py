"""Bands and probabilities of regions, against Gaussians in closed form and draws one by one."""

from __future__ import annotations

import numpy as np
import pytest
from distributed import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from pycalphad import Model
from scipy import constants
from scipy.special import expit
from scipy.stats import norm
from support import LINA, TWO_DOMES, R, redlich_kister

import lina_calphad as lc
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.supercells import parameter_covariance
from lina_calphad.errors import (
    NoCriticalPoint,
    NoMiscibilityGap,
    ParameterError,
    SeveralMiscibilityGaps,
)
from lina_calphad.phase.bands import Bands, bands, region_probability
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.phase.tally import LEVELS, NAMES

CURVES = {"chemical binodal", "chemical spinodal", "coherent binodal", "coherent spinodal"}
GAUSSIAN = norm.ppf(LEVELS)
N = 2000
#: A Gaussian without scatter: the middles of N equal shares.
EVEN = norm.ppf((np.arange(N) + 0.5) / N)
ERROR = 0.01 * constants.e * constants.N_A


@pytest.fixture(scope="module")
def freed():
    return free_interactions(lc.load("santos2025"), "BCC_A2", LINA)


@pytest.fixture(scope="module")
def draws(freed):
    """santos2025 with 0.01 eV on either substitution energy, 0L + 1L and 0L - 1L."""
    rng = np.random.default_rng(0)
    energies = ERROR * np.stack([rng.permutation(EVEN), rng.permutation(EVEN)])
    values = np.stack([energies.sum(axis=0), energies[0] - energies[1]]) / 2
    return ParameterDraws(tuple(freed[1]), np.array([*freed[1].values()]) + values.T)


@pytest.fixture(scope="module")
def some(draws):
    return ParameterDraws(draws.symbols, draws.values[:1300])


def regular_draws(mean, error, n=N):
    return ParameterDraws(("L0",), (mean + error * EVEN[-n:])[:, None])


def test_these_draws_are_those_of_the_substitution_energies(draws):
    expected = parameter_covariance(uncertainty=0.01)
    np.testing.assert_allclose(draws.covariance, expected, atol=0.08 * expected.max())


def same(one: Bands, other: Bands) -> bool:
    """Whether every number of two results is the same."""
    pairs = [
        *((one.t[kind], other.t[kind]) for kind in one.t),
        *((one.gap[kind], other.gap[kind]) for kind in one.gap),
        *((one.critical[kind][0], other.critical[kind][0]) for kind in one.critical),
    ]
    return one.draws == other.draws and all(np.array_equal(*pair, True) for pair in pairs)


# -- bands against closed forms --


@pytest.mark.parametrize("T", [30.0, 100.0])
def test_dilute_solubilities_are_gaussian_in_their_logarithm(freed, draws, T):
    # There ln x = -(0L + 1L)/RT on one side, -(0L - 1L)/RT on the other.
    frame = bands(freed[0], draws, [T], kinds=["chemical"]).to_dataframe()
    values = frame[frame["kind"] == "chemical binodal"].set_index("branch")
    for branch, sign in (("alpha", 1), ("beta", -1)):
        mean = -(20109.8 + sign * 5772.6) / (R * T)
        error = ERROR / (R * T)
        found = values.loc[branch, [f"ln_dilute_{name}" for name in NAMES]].to_numpy(dtype=float)
        # Within what so many draws and, at 100 K, the shape of the gap allow.
        np.testing.assert_allclose(found, mean + error * GAUSSIAN, atol=0.01 * error)


def test_a_hundredth_of_an_electronvolt_is_a_factor_of_a_half_at_room_temperature(freed, draws):
    low, high = bands(freed[0], draws, [300.0], kinds=["chemical"]).x("chemical binodal")[
        [1, 3], 0, 0
    ]
    boltzmann = constants.k / constants.e * 300.0
    assert np.exp(0.01 / boltzmann) == pytest.approx(1.472, abs=1e-3)
    assert np.sqrt(high / low) == pytest.approx(np.exp(0.01 / boltzmann), rel=0.015)


def test_the_critical_temperature_of_a_regular_solution_is_gaussian():
    error = 700.0
    result = bands(
        redlich_kister(16000), regular_draws(16000.0, error), [300.0], kinds=["chemical"]
    )
    values, share = result.critical["chemical"]
    assert share == 1
    expected = (16000.0 + error * GAUSSIAN) / (2 * R)
    np.testing.assert_allclose(values[:, 0], expected, atol=0.01 * error / (2 * R))
    np.testing.assert_allclose(values[:, 1], 0, atol=1e-6)


def test_the_share_with_a_gap_falls_about_the_critical_temperature():
    error, T = 700.0, np.array([800.0, 900.0, 962.0, 1000.0, 1100.0, 2000.0])
    result = bands(redlich_kister(16000), regular_draws(16000.0, error), T, kinds=["chemical"])
    expected = norm.sf(2 * R * T, 16000.0, error)
    assert np.abs(result.gap["chemical"] - expected).max() <= 1 / N
    assert np.isnan(result.t["chemical binodal"][..., -1]).all()


@pytest.mark.parametrize("T", [300.0, 720.0, 800.0])
def test_draws_without_a_gap_count_as_beyond_all_others(freed, draws, T):
    result = bands(freed[0], draws, [T], kinds=["coherent"]).t["coherent binodal"][..., 0]
    family = BinarySolution(freed[0], LINA, "BCC_A2", lc.CoherentModel, symbols=draws.symbols)
    found = family.binodal(T, draws.values)
    for side, x, beyond in ((0, found.x_alpha, 2.0), (1, found.x_beta, -1.0)):
        sorted_x = np.sort(np.where(np.isnan(x), beyond, x))
        for level, t in zip(LEVELS, result[:, side], strict=True):
            expected = sorted_x[int(np.ceil(level * N)) - 1]
            if expected == beyond:
                assert np.isnan(t)
            else:
                assert expit(t) == pytest.approx(expected, rel=1e-9)


@given(L0=st.floats(1.5e4, 2.5e4), L1=st.floats(-3e3, 6e3))
@settings(max_examples=5, deadline=None)
def test_a_narrow_posterior_is_the_curve_itself(L0, L1):
    dbf, T = redlich_kister(L0, L1), [50.0, 200.0, 350.0]
    mean = {"L0": L0, "L1": L1}
    result = bands(dbf, ParameterDraws.from_covariance(mean, 1e-4 * np.eye(2), 200), T)
    for kind, model in (("chemical", Model), ("coherent", lc.CoherentModel)):
        family = BinarySolution(dbf, LINA, "BCC_A2", model, symbols=["L0", "L1"])
        for curve in ("binodal", "spinodal"):
            try:
                found = getattr(family, curve)(T, [L0, L1])
            except NoMiscibilityGap:
                assert (result.gap[kind] == 0).all()
                continue
            x = result.x(f"{kind} {curve}")[2]
            np.testing.assert_allclose(x, [found.x_alpha, found.x_beta], rtol=1e-4)


@given(st.floats(1e2, 3e3), st.floats(-0.9, 0.9))
@settings(max_examples=5, deadline=None)
def test_quantiles_are_in_order_and_spinodals_inside_binodals(error, correlation):
    covariance = error**2 * np.array([[1.0, correlation], [correlation, 1.0]])
    drawn = ParameterDraws.from_covariance({"L0": 20109.8, "L1": 5772.6}, covariance, 300)
    result = bands(redlich_kister(20109.8, 5772.6), drawn, [100.0, 300.0])
    # A comparison with NaN, where draws have no gap, is false: ask for no violation.
    for t in result.t.values():
        assert not (np.diff(t, axis=0) < 0).any()
    for kind in ("chemical", "coherent"):
        binodal, spinodal = result.t[f"{kind} binodal"], result.t[f"{kind} spinodal"]
        assert np.isfinite(binodal[2]).all() or result.gap[kind].min() < 0.5
        assert not (binodal[:, 0] > spinodal[:, 0]).any()
        assert not (binodal[:, 1] < spinodal[:, 1]).any()


# -- pieces, and machines --


def test_a_stream_of_pieces_gives_the_same(freed, some):
    T = [200.0, 300.0, 700.0]
    whole = bands(freed[0], some, T)
    assert same(bands(freed[0], iter(some.chunks(500)), T), whole)


def test_pieces_of_another_size_have_the_same_quantiles(freed, some):
    T = [200.0, 300.0]
    whole, pieces = bands(freed[0], some, T), bands(freed[0], some.chunks(77), T)
    assert pieces.draws == whole.draws
    for kind, t in whole.t.items():
        np.testing.assert_allclose(pieces.t[kind], t, rtol=1e-9)


def test_the_workers_of_a_cluster_give_the_same(freed, some):
    T = [200.0, 300.0, 740.0]
    with Client(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0"
    ) as client:
        shared = bands(freed[0], some, T, client=client)
    assert same(shared, bands(freed[0], some, T))


def test_progress_counts_draws(freed, some):
    done = []
    bands(freed[0], some, [300.0], kinds=["chemical"], progress=done.append)
    assert done == [500, 1000, 1300]


# -- tables --


def test_tables(freed, some):
    result = bands(freed[0], some, [300.0, 740.0])
    frame = result.to_dataframe()
    values = [f"{what}_{name}" for what in ("x", "ln_dilute") for name in NAMES]
    assert list(frame) == ["kind", "branch", "T", "share_with_gap", *values]
    assert set(frame["kind"]) == CURVES
    assert len(frame) == len(CURVES) * 2 * 2
    there = frame.dropna()
    for what in ("x", "ln_dilute"):
        columns = there[[f"{what}_{name}" for name in NAMES]].to_numpy()
        assert (np.diff(columns, axis=1) >= 0).all()
    # The dilute component is the second on the left and the first on the right.
    right = there[there["branch"] == "beta"]
    np.testing.assert_allclose(np.exp(right["ln_dilute_high_95"]), 1 - right["x_low_95"], rtol=1e-9)
    critical = result.critical_frame()
    assert list(critical) == ["kind", "quantity", "share_with_gap", *NAMES]
    assert critical[["kind", "quantity"]].to_numpy().tolist() == [
        ["chemical", "T"], ["chemical", "x"], ["coherent", "T"], ["coherent", "x"],
    ]  # fmt: skip
    assert critical["median"].tolist() == pytest.approx([1385, 0.346, 735, 0.275], rel=0.02)


def test_at_one_temperature_it_need_not_be_a_list(freed, some):
    result = bands(freed[0], some, 300.0, kinds=["coherent"])
    assert result.T.tolist() == [300.0]
    assert repr(result) == ("<Bands of 1300 draws at 300 K: coherent binodal, coherent spinodal>")


def test_a_notebook_shows_bands(freed, some):
    result = bands(freed[0], some, np.linspace(900.0, 300.0, 5))
    assert result._repr_html_().count("<tr") == 1 + len(result.to_dataframe())
    ax = Figure().subplots()
    assert result.plot(ax) is ax
    lines = {line.get_label(): line.get_xydata() for line in ax.get_lines()}
    assert set(lines) == CURVES
    # The coherent dome is closed at its median critical point, the chemical one is open above.
    (top, _), (x, _), *_ = result.critical["coherent"][0][2], result.x("coherent binodal")[2, :, -1]
    assert lines["coherent binodal"][:, 1].max() == top
    assert (np.diff(np.sign(np.diff(lines["coherent binodal"][:, 1]))) != 0).sum() == 1
    assert lines["chemical binodal"][:, 1].max() == 900.0
    assert x in lines["coherent binodal"][:, 0]


def with_two_domes(count: int) -> ParameterDraws:
    """A hundred draws, of which some have two gaps at 745 K and the others one."""
    values = np.tile([20000.0, 5000.0, 0.0, 0.0], (100, 1))
    values[:, 0] += np.arange(100)
    values[7 : 7 + count] = TWO_DOMES
    return ParameterDraws(("L0", "L1", "L2", "L3"), values)


def test_a_draw_with_two_gaps_is_left_out_and_counted():
    dbf = redlich_kister(20109.8, 5772.6, 0.0, 0.0)
    drawn = with_two_domes(3)
    found = bands(dbf, drawn, [300.0, 745.0], kinds=["chemical"])
    assert (found.draws, found.left_out) == (97, 3)
    others = ParameterDraws(drawn.symbols, np.delete(drawn.values, [7, 8, 9], axis=0))
    assert same(found, bands(dbf, others, [300.0, 745.0], kinds=["chemical"]))
    inside = region_probability(dbf, drawn, 745.0, 0.3, kinds=["chemical"])
    assert inside["chemical spinodal"] == pytest.approx(1.0)


def test_many_draws_with_two_gaps_are_an_error():
    dbf = redlich_kister(20109.8, 5772.6, 0.0, 0.0)
    for used in (
        lambda drawn: bands(dbf, drawn, [745.0], kinds=["chemical"]),
        lambda drawn: region_probability(dbf, drawn, 745.0, 0.3, kinds=["chemical"]),
    ):
        with pytest.raises(SeveralMiscibilityGaps, match=r"2 separate ranges .* L0 = 13000"):
            used(with_two_domes(6))


# -- probabilities of regions --


def test_far_inside_and_far_outside(freed, some):
    found = region_probability(freed[0], some, 300.0, [0.0, 1e-9, 0.3, 0.9999, 1.0])
    assert set(found) == CURVES
    for probability in found.values():
        assert probability.tolist() == [0, 0, 1, 0, 0]


def test_probability_is_the_share_of_draws_one_by_one(draws):
    few = ParameterDraws(("L0", "L1"), draws.values[:10])
    kinds = {"chemical": (Model, 3.1e-5, 0.0357), "coherent": (lc.CoherentModel, 3.9e-3, 0.058)}
    for kind, (model, *points) in kinds.items():
        ones = [lc.BinarySolution(redlich_kister(*values), LINA, "BCC_A2", model=model)
                for values in few.values]  # fmt: skip
        for curve, x in zip(("binodal", "spinodal"), points, strict=True):
            found = [getattr(one, curve)(300.0) for one in ones]
            share = np.mean([gap.x_alpha < x < gap.x_beta for gap in found])
            assert 0 < share < 1
            inside = region_probability(redlich_kister(0, 0), few, 300.0, x, kinds=[kind])
            assert inside[f"{kind} {curve}"] == pytest.approx(share, abs=1e-12)


@given(
    T=st.lists(st.floats(20.0, 1600.0), min_size=1, max_size=5),
    x=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5),
)
@settings(max_examples=5, deadline=None)
def test_regions_are_nested(freed, draws, T, x):
    few = ParameterDraws(draws.symbols, draws.values[:60])
    found = region_probability(freed[0], few, np.array(T)[:, None], x)
    for probability in found.values():
        assert probability.shape == (len(T), len(x))
    for kind in ("chemical", "coherent"):
        assert (found[f"{kind} spinodal"] <= found[f"{kind} binodal"]).all()
    for curve in ("binodal", "spinodal"):
        assert (found[f"coherent {curve}"] <= found[f"chemical {curve}"]).all()


def test_points_broadcast_and_pieces_add_up(freed, some):
    T, x = np.array([[250.0], [300.0]]), np.array([1e-5, 3e-5, 1e-4])
    found = region_probability(freed[0], some, T, x, kinds=["chemical"])["chemical binodal"]
    assert found.shape == (2, 3)
    one = region_probability(freed[0], some.chunks(100), 300.0, 3e-5, kinds=["chemical"])
    assert one["chemical binodal"].shape == ()
    assert one["chemical binodal"] == found[1, 1]
    assert (np.diff(found, axis=0) < 0).any()  # a solution dissolves more when it is hot


def test_a_probability_is_that_of_the_gaussian(freed, draws):
    # P(x in the gap) = P(0L + 1L > -RT ln x) where solutions are dilute.
    T, ln_x = 100.0, np.array([-32.0, -31.12923, -30.0])
    found = region_probability(freed[0], draws, T, np.exp(ln_x), kinds=["chemical"])
    expected = norm.sf(-R * T * ln_x, 20109.8 + 5772.6, ERROR)
    np.testing.assert_allclose(found["chemical binodal"], expected, atol=0.002)


def test_regions_of_ones_own(freed, some):
    def between(x, ends):
        (low, high), (inner, _) = ends["chemical binodal"], ends["chemical spinodal"]
        return {"left wing": (low < x) & (x < inner), "none": np.isnan(low) | (x > high)}

    T, x = np.array([[300.0], [5000.0]]), [1e-9, 1e-3, 0.3]
    found = region_probability(freed[0], some, T, x, kinds=["chemical"], inside=between)
    assert found["left wing"].tolist() == [[0, 1, 0], [0, 0, 0]]
    assert found["none"].tolist() == [[0, 0, 0], [1, 1, 1]]


# -- bad input --


@pytest.mark.parametrize("function", [bands, lambda *a: region_probability(*a, 0.1)])
def test_what_cannot_be_drawn_from(freed, some, function):
    with pytest.raises(ParameterError, match="there are no draws"):
        function(freed[0], [], 300.0)
    unknown = ParameterDraws(("BCCL0", "BCCL7"), some.values)
    with pytest.raises(
        ParameterError, match="draws are of BCCL7, which the database does not have"
    ):
        function(freed[0], unknown, 300.0)
    swapped = ParameterDraws(some.symbols[::-1], some.values[:, ::-1])
    with pytest.raises(ParameterError, match="differ: BCCL0, BCCL1, then BCCL1, BCCL0"):
        function(freed[0], [some, swapped], 300.0)


@pytest.mark.parametrize("kinds", [[], ["warm"], "chemical"])
def test_kinds_that_do_not_exist(freed, some, kinds):
    with pytest.raises(ValueError, match="kinds of equilibrium are chemical and coherent; got"):
        bands(freed[0], some, 300.0, kinds=kinds)


@pytest.mark.parametrize("x", [-0.1, 1.1, np.nan, [0.5, 2.0]])
def test_impossible_compositions(freed, some, x):
    with pytest.raises(ValueError, match="mole fraction lies between 0 and 1; got"):
        region_probability(freed[0], some, 300.0, x)


def test_impossible_temperatures(freed, some):
    with pytest.raises(ValueError, match="positive, finite number of kelvin; got 0"):
        bands(freed[0], some, [300.0, 0.0])
    with pytest.raises(ValueError, match=r"one dimension; got the shape \(1, 1\)"):
        bands(freed[0], some, [[300.0]])


def test_an_open_gap_is_named_by_its_values(freed):
    wild = ParameterDraws(("BCCL0", "BCCL1"), [[2e4, 0.0], [2e5, 0.0]])
    with pytest.raises(NoCriticalPoint, match="with BCCL0 = 200000, BCCL1 = 0"):
        bands(freed[0], wild, [300.0])


def test_draws_without_any_gap_have_empty_bands():
    result = bands(redlich_kister(-1000.0), regular_draws(-1000.0, 10.0, 20), [300.0])
    assert {kind: share.tolist() for kind, share in result.gap.items()} == {
        "chemical": [0.0], "coherent": [0.0],
    }  # fmt: skip
    assert all(np.isnan(t).all() for t in result.t.values())
    assert result.critical["chemical"][1] == 0
    inside = region_probability(redlich_kister(-1000.0), regular_draws(-1000.0, 10.0, 20), 300, 0.5)
    assert inside["chemical binodal"] == 0


def test_mole_fractions_are_those_of_the_logits(freed, some):
    result = bands(freed[0], some, [300.0], kinds=["chemical"])
    assert np.array_equal(result.x("chemical binodal"), expit(result.t["chemical binodal"]))
