"""Tally: quantiles of many columns at once from values that come in pieces, in constant memory."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lina_calphad.checks import Array

_BINS = 4096


class Tally:
    """Counts of values in even bins, one histogram a column, that widens as it needs to.

    Tallies that were begun alike can be filled apart, as on several machines, and
    merged in any order: the counts are the same.

    Parameters
    ----------
    first
        Values that show where each column lies, shape (n, columns); NaN where there
        is none. They are not counted.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(10_000, 1))
    >>> tally = Tally(values[:1000])
    >>> tally.add(values)
    >>> tally.quantiles([0.16, 0.5, 0.84]).round(2).tolist()
    [[-0.98], [-0.01], [1.0]]
    """

    def __init__(self, first: Array) -> None:
        columns = first.shape[1]
        there = ~np.isnan(first)
        known = there.any(axis=0)
        self._centre = np.zeros(columns)
        self._half = np.ones(columns)
        if known.any():
            some = first[:, known]
            centre = np.nanmedian(some, axis=0)
            self._centre[known] = centre
            # Values that are all the same still need a bin of some width.
            spread = np.nanmax(np.abs(some - centre), axis=0)
            self._half[known] = 1.5 * spread + 1e-12 * np.abs(centre) + 1e-12
        self._counts = np.zeros((columns, _BINS), np.int64)

    @property
    def count(self) -> Array:
        """How many values each column has, shape (columns,)."""
        count: Array = self._counts.sum(axis=1).astype(float)
        return count

    def empty(self) -> Tally:
        """A tally begun alike, with nothing in it."""
        fresh = copy(self)
        fresh._half, fresh._counts = self._half.copy(), np.zeros_like(self._counts)
        return fresh

    def add(self, values: Array) -> None:
        """Count values, shape (n, columns); NaN does not count."""
        there = ~np.isnan(values)
        away = np.abs(np.where(there, values - self._centre, 0.0)).max(axis=0, initial=0.0)
        self._widen(away)
        place = (np.where(there, values, self._centre) - self._centre) / self._half
        # Exact when the range doubles: a value lands where merged bins would put it.
        bins = np.floor(place * (_BINS // 2)).astype(np.intp) + _BINS // 2
        index = np.clip(bins, 0, _BINS - 1)
        index += np.arange(len(self._half)) * _BINS
        counts = np.bincount(index[there], minlength=self._counts.size)
        self._counts += counts.reshape(self._counts.shape)

    def merge(self, other: Tally) -> None:
        """Add the counts of a tally that was begun alike."""
        half = np.maximum(self._half, other._half)
        self._widen(half)
        other._widen(half)
        self._counts += other._counts

    def quantiles(self, levels: ArrayLike) -> Array:
        """Quantiles of each column, shape (levels, columns); NaN where it has no value.

        Levels are the same for all columns, or have a second axis of columns; beyond 0
        and 1 the result is NaN.
        """
        level = np.broadcast_to(np.transpose(levels), (len(self._half), np.shape(levels)[0])).T
        result = np.full(level.shape, np.nan)
        for column, counts in enumerate(self._counts):
            there = np.flatnonzero(counts)
            if there.size:
                # A bin stands for its middle, and for the middle of its step in the shares.
                share = (np.cumsum(counts[there]) - counts[there] / 2) / counts.sum()
                where = np.interp(level[:, column], share, (there + 0.5) / (_BINS // 2) - 1)
                result[:, column] = self._centre[column] + self._half[column] * where
        result[~((level >= 0) & (level <= 1))] = np.nan
        return result

    def _widen(self, away: Array) -> None:
        """Double the range of columns, two bins into one, until it reaches `away`."""
        while (column := np.flatnonzero(away > self._half * (1 + 1e-9))).size:
            pairs = self._counts[column].reshape(column.size, _BINS // 2, 2).sum(axis=2)
            self._counts[column] = 0
            self._counts[column, _BINS // 4 : -_BINS // 4] = pairs
            self._half[column] *= 2
