"""Quantiles of values that come in pieces, against those of all at once."""

from __future__ import annotations

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


@pytest.mark.parametrize("shape", SHAPES)
def test_quantiles_are_those_of_all_values(shape):
    values = SHAPES[shape](np.random.default_rng(3), 20_000)[:, None]
    tally = Tally(values[:1000])
    for piece in np.split(values, 40):
        tally.add(piece)
    expected = np.quantile(values, LEVELS)
    spread = expected[3] - expected[1]
    assert np.abs(tally.quantiles(LEVELS)[:, 0] - expected).max() < 0.01 * spread
    assert tally.count.tolist() == [20_000]


@given(st.permutations(range(6)), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_any_order_of_merging_gives_the_same_counts(order, seed):
    rng = np.random.default_rng(seed)
    # Pieces further and further out, so that the range widens as they come.
    pieces = [rng.normal(0, 4.0**i, (50, 2)) for i in range(6)]
    begun = Tally(pieces[0])
    one, other = begun.empty(), begun.empty()
    for piece in pieces:
        one.add(piece)
    for i in order:
        part = begun.empty()
        part.add(pieces[i])
        other.merge(part)
    assert np.array_equal(one.quantiles(LEVELS), other.quantiles(LEVELS))
    assert np.array_equal(one._counts, other._counts)


@given(st.lists(st.floats(-1, 1, allow_subnormal=False), max_size=50), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_widening_before_or_after_makes_no_difference(values, doublings):
    values, far = np.array(values)[:, None], np.array([[2.0**doublings]])
    first = np.array([[-1.0], [1.0]])
    before, after = Tally(first), Tally(first)
    before.add(far)
    before.add(values)
    after.add(values)
    after.add(far)
    assert before.count.tolist() == [len(values) + 1]
    assert np.array_equal(before._counts, after._counts)


def test_values_that_are_not_there_do_not_count():
    values = np.array([[1.0, np.nan, np.nan], [2.0, np.nan, 5.0], [3.0, np.nan, np.nan]])
    tally = Tally(values)
    tally.add(values)
    assert tally.count.tolist() == [3, 0, 1]
    found = tally.quantiles([0.5])[0]
    assert found[0] == pytest.approx(2.0, abs=1e-3)
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(5.0, abs=1e-9)


def test_a_column_may_begin_without_values():
    tally = Tally(np.array([[np.nan], [np.nan]]))
    tally.add(np.linspace(900.0, 1100.0, 201)[:, None])
    assert tally.quantiles([0.5])[0, 0] == pytest.approx(1000.0, abs=2.0)


@given(st.floats(-1e8, 1e8))
def test_constant_columns(value):
    values = np.full((10, 1), value)
    tally = Tally(values)
    tally.add(values)
    found = tally.quantiles(LEVELS)[:, 0]
    np.testing.assert_allclose(found, value, rtol=1e-11, atol=1e-11)


def test_what_showed_the_place_is_not_counted():
    tally = Tally(np.zeros((5, 1)))
    assert tally.count.tolist() == [0]
    assert np.isnan(tally.quantiles([0.5])).all()
