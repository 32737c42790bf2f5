"""Draws of parameters: from a covariance, a Markov chain or a table."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lina_calphad.errors import ParameterError
from lina_calphad.phase.draws import ParameterDraws

MEAN = {"BCCL0": 20109.8, "BCCL1": 5772.6}
COVARIANCE = np.array([[4e5, -1e5], [-1e5, 9e4]])


@pytest.fixture
def trace():
    """Three chains of 50 iterations of two parameters."""
    return np.random.default_rng(0).normal([2e4, 5e3], 100.0, (3, 50, 2))


# -- from a covariance --


def test_a_gaussian_has_its_mean_and_covariance():
    n = 20_000
    draws = ParameterDraws.from_covariance(MEAN, COVARIANCE, n)
    assert draws.symbols == ("BCCL0", "BCCL1")
    error = np.sqrt(np.diag(COVARIANCE) / n)
    assert (np.abs(draws.mean - [*MEAN.values()]) < 4 * error).all()
    # Standard errors of a sample covariance are about sqrt(2/n) of its diagonal.
    spread = np.sqrt(np.outer(np.diag(COVARIANCE), np.diag(COVARIANCE)))
    assert (np.abs(draws.covariance - COVARIANCE) < 4 * np.sqrt(2 / n) * spread).all()


def test_a_seed_says_which_draws():
    one, same, other = (ParameterDraws.from_covariance(MEAN, COVARIANCE, 5, s) for s in (1, 1, 2))
    assert np.array_equal(one.values, same.values)
    assert not np.array_equal(one.values, other.values)


def test_a_parameter_may_be_certain():
    draws = ParameterDraws.from_covariance(MEAN, np.diag([4e5, 0.0]), 100)
    assert np.ptp(draws.values[:, 1]) == 0
    assert np.ptp(draws.values[:, 0]) > 0


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        (np.eye(3), "a finite 2 x 2 matrix"),
        (1.0, "a finite 2 x 2 matrix"),
        ([[1.0, np.nan], [np.nan, 1.0]], "a finite 2 x 2 matrix"),
        ([[1.0, 0.5], [0.0, 1.0]], "symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "no negative eigenvalue"),
    ],
)
def test_what_is_no_covariance(covariance, message):
    with pytest.raises(ParameterError, match=message):
        ParameterDraws.from_covariance(MEAN, covariance)


@pytest.mark.parametrize("n", [0, -1])
def test_no_draws_asked_for(n):
    with pytest.raises(ParameterError, match=f"number of draws is 1 or more; got {n}"):
        ParameterDraws.from_covariance(MEAN, COVARIANCE, n)


# -- from a Markov chain --


def test_a_trace_iteration_by_iteration(trace):
    draws = ParameterDraws.from_trace(trace, ["A", "B"])
    assert len(draws) == 150
    assert draws.values[:4].tolist() == [*trace[:, 0].tolist(), trace[0, 1].tolist()]


def test_burn_in_and_thinning(trace):
    draws = ParameterDraws.from_trace(trace, ["A", "B"], burn_in=20, thin=10)
    assert np.array_equal(draws.values, np.concatenate([trace[:, i] for i in (20, 30, 40)]))


def test_what_an_interrupted_run_left_at_zero_is_dropped(trace):
    trace[:, 30:] = 0
    assert len(ParameterDraws.from_trace(trace, ["A", "B"])) == 90
    assert (ParameterDraws.from_trace(trace, ["A", "B"]).values != 0).all()


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_trace_in_a_file(trace, tmp_path, kind):
    np.save(tmp_path / "trace.npy", trace)
    draws = ParameterDraws.from_trace(kind(tmp_path / "trace.npy"), ["A", "B"])
    assert np.array_equal(draws.values, ParameterDraws.from_trace(trace, ["A", "B"]).values)


def test_a_trace_that_does_not_fit_its_names(trace):
    message = re.escape("the shape (3, 50, 2); with A it must be (chains, iterations, 1)")
    with pytest.raises(ParameterError, match=message):
        ParameterDraws.from_trace(trace, ["A"])
    with pytest.raises(ParameterError, match=r"\(chains, iterations, 2\)"):
        ParameterDraws.from_trace(trace[0], ["A", "B"])


def test_a_trace_of_which_nothing_is_left(trace):
    with pytest.raises(ParameterError, match="has 50 iterations: none is left after 50 of burn-in"):
        ParameterDraws.from_trace(trace, ["A", "B"], burn_in=50)
    with pytest.raises(ParameterError, match="none is left"):
        ParameterDraws.from_trace(np.zeros((2, 5, 2)), ["A", "B"])


@pytest.mark.parametrize("options", [{"burn_in": -1}, {"thin": 0}])
def test_impossible_thinning(trace, options):
    with pytest.raises(ParameterError, match="burn_in is 0 or more and thin 1 or more; got"):
        ParameterDraws.from_trace(trace, ["A", "B"], **options)


def test_files_that_are_no_trace(tmp_path):
    with pytest.raises(ParameterError, match=r"nothing\.npy cannot be read as a NumPy array"):
        ParameterDraws.from_trace(tmp_path / "nothing.npy", ["A"])
    (tmp_path / "letter.npy").write_text("Dear editor,")
    with pytest.raises(ParameterError, match=r"letter\.npy cannot be read as a NumPy array"):
        ParameterDraws.from_trace(tmp_path / "letter.npy", ["A"])


# -- from a table --


def test_a_table_there_and_back(tmp_path):
    draws = ParameterDraws.from_covariance(MEAN, COVARIANCE, 7)
    again = ParameterDraws.from_table(draws.to_dataframe())
    assert again.symbols == draws.symbols
    assert np.array_equal(again.values, draws.values)
    draws.to_dataframe().to_csv(tmp_path / "draws.csv", index=False)
    again = ParameterDraws.from_table(tmp_path / "draws.csv")
    np.testing.assert_allclose(again.values, draws.values, rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read as CSV"),
        ("A,B\n", "needs rows of numbers"),
        ("A,B\n1,warm\n", "needs rows of numbers; B has none"),
        ("A,B\n1,2\n1,\n", r"draw 1 of A, B is not finite"),
        ("A,B\n1,inf\n", r"draw 0 of A, B is not finite"),
    ],
)
def test_tables_that_are_no_draws(tmp_path, text, message):
    (tmp_path / "draws.csv").write_text(text)
    with pytest.raises(ParameterError, match=message):
        ParameterDraws.from_table(tmp_path / "draws.csv")


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(ParameterError, match=r"draws\.csv cannot be read as CSV"):
        ParameterDraws.from_table(tmp_path / "draws.csv")


# -- any draws --


@given(n=st.integers(1, 40), size=st.integers(1, 50))
def test_pieces_are_the_same_draws(n, size):
    draws = ParameterDraws(("A", "B"), np.arange(2.0 * n).reshape(n, 2))
    pieces = list(draws.chunks(size))
    assert all(len(piece) == size for piece in pieces[:-1])
    assert np.array_equal(np.concatenate([piece.values for piece in pieces]), draws.values)


def test_a_single_draw_has_no_spread():
    draws = ParameterDraws(("A", "B"), [[1.0, 2.0]])
    assert draws.covariance.tolist() == [[0, 0], [0, 0]]
    assert repr(draws) == "<ParameterDraws: 1 of A = 1 ± 0, B = 2 ± 0>"


@pytest.mark.parametrize(
    ("symbols", "values", "message"),
    [
        (("A", "A"), [[1.0, 2.0]], r"different names; got \['A', 'A'\]"),
        ((), np.zeros((1, 0)), "different names"),
        (("A", "B"), [1.0, 2.0], r"shape \(n, 2\) with n at least 1; got \(2,\)"),
        (("A", "B"), [[1.0]], r"got \(1, 1\)"),
        (("A",), np.zeros((0, 1)), r"got \(0, 1\)"),
        (("A",), [[1.0], [np.nan]], r"draw 1 of A is not finite: \[nan\]"),
    ],
)
def test_what_are_no_draws(symbols, values, message):
    with pytest.raises(ParameterError, match=message):
        ParameterDraws(symbols, values)


def test_draws_are_data_frames_again():
    frame = ParameterDraws(("A", "B"), [[1.0, 2.0]]).to_dataframe()
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"A": [1.0], "B": [2.0]}))
