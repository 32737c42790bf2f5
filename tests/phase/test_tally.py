"""Quantiles of values that come in pieces, against those of all at once."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lina_calphad.phase.tally import Tally

LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
SHAPES = {
    "normal": lambda rng, n: rng.normal(3.0, 2.0, n),
    "skewed": lambda rng, n: rng.gamma(0.7, 10.0, n),
    "uniform": lambda rng, n: rng.uniform(-1e6, -9e5, n),
    "heavy tails": lambda rng, n: rng.standard_t(3, n),
}


def tallied(values, pieces=1):
    tally = Tally(values.shape[1])
    for piece in np.array_split(values, pieces):
        tally.add(piece)
    return tally


def ranks(values, found):
    """Where found values stand among all, as shares."""
    return np.searchsorted(np.sort(values), found) / len(values)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_fits_into_memory_is_exact(shape):
    values = SHAPES[shape](np.random.default_rng(3), 20_000)[:, None]
    found = tallied(values, 40).quantiles(LEVELS)[:, 0]
    assert np.array_equal(found, np.quantile(values, LEVELS, method="inverted_cdf"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["random", "sorted"])
def test_beyond_it_quantiles_are_as_good_as_stated(monkeypatch, shape, order):
    monkeypatch.setattr("lina_calphad.phase.tally._VALUES", 0)
    values = SHAPES[shape](np.random.default_rng(4), 300_000)
    if order == "sorted":
        values.sort()
    tally = tallied(values[:, None], 7)
    assert tally.rows == 4096
    assert tally.count.tolist() == [300_000]
    off = ranks(values, tally.quantiles(LEVELS)[:, 0]) - LEVELS
    assert np.abs(off).max() < np.log2(300_000 / 4096) / 4096
    # Memory: one buffer, and half of one for each doubling.
    kept = sum(len(rows) for level in tally._kept for rows in level)
    assert kept <= 4096 * (1 + np.ceil(np.log2(300_000 / 4096)) / 2)


@given(st.lists(st.integers(1, 9000), max_size=6), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_how_rows_are_cut_into_pieces_makes_no_difference(sizes, seed):
    values = np.random.default_rng(seed).normal(size=(sum(sizes) + 5000, 2))
    with mock.patch("lina_calphad.phase.tally._VALUES", 0):
        whole, pieces = Tally(2), Tally(2)
    whole.add(values)
    for piece in np.split(values, np.cumsum(sizes)):
        pieces.add(piece)
    assert np.array_equal(whole.quantiles(LEVELS), pieces.quantiles(LEVELS))


@pytest.mark.parametrize("rows", [99, 50_000])
def test_what_is_not_there_lies_beyond_all(rows):
    """A third of one column is above, a third of the other below all others."""
    values = np.random.default_rng(5).normal(size=(rows, 2))
    values[::3] = [np.inf, -np.inf]
    with mock.patch("lina_calphad.phase.tally._VALUES", 0):
        tally = tallied(values, 9)
    assert tally.count.tolist() == [rows * 2 / 3] * 2 or rows % 3
    found = tally.quantiles([0.1, 0.3, 0.7, 0.9])
    assert np.isnan(found).tolist() == [[False, True], [False, True], [True, False], [True, False]]
    expected = np.quantile(values, [0.3, 0.7], axis=0, method="inverted_cdf")
    np.testing.assert_allclose([found[1, 0], found[2, 1]], expected[[0, 1], [0, 1]], atol=0.01)


def test_nothing_but_what_is_not_there():
    found = tallied(np.full((10, 1), np.inf)).quantiles(LEVELS)
    assert np.isnan(found).all()


@given(st.floats(-1e8, 1e8))
def test_constant_columns(value):
    assert (tallied(np.full((10, 1), value)).quantiles(LEVELS) == value).all()
