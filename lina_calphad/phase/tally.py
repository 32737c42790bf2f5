"""Tally: quantiles of many columns at once from rows that come in pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lina_calphad.checks import Array

#: Quantiles of every band: the median with 68 % and 95 % around it.
LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
NAMES = ("low_95", "low_68", "median", "high_68", "high_95")

_VALUES = 2**23  # 64 MB
_FEWEST = 4096  # rows


class Tally:
    """Rows that are kept while they fit into memory, and thinned evenly beyond.

    When `rows` of them are full each column is sorted, and every second value stands for
    two from there on (Munro & Paterson, Theor. Comput. Sci. 12 (1980) 315). Of n rows,
    quantiles are exact up to n = `rows`; beyond, their share of the values is off by
    less than log2(n/rows)/rows, and with each doubling of n at most half as much
    memory again is taken. How the rows are cut into pieces makes no difference.

    Examples
    --------
    >>> tally = Tally(1)
    >>> tally.add(np.random.default_rng(0).normal(size=(10_000, 1)))
    >>> tally.quantiles([0.16, 0.5, 0.84]).round(2).tolist()
    [[-0.98], [-0.01], [1.0]]
    """

    def __init__(self, columns: int) -> None:
        self.rows = max(_FEWEST, _VALUES // columns // 2 * 2)
        self.count = np.zeros(columns)  # finite values of each column
        self._kept: list[list[Array]] = []  # at place i, rows that stand for 2**i
        self._odd: list[int] = []  # which of two values is kept next

    def add(self, values: Array) -> None:
        """Add rows, shape (n, columns); what is not there counts as below or above all: ±inf."""
        self.count += np.isfinite(values).sum(axis=0)
        self._add(values, 0)

    def quantiles(self, levels: Sequence[float] | Array) -> Array:
        """Quantiles of each column, shape (levels, columns); NaN where they are infinite.

        Each is a value that was added, so that none lies between a number and infinity.
        """
        pieces = [rows for kept in self._kept for rows in kept]
        sizes = [sum(map(len, kept)) for kept in self._kept]
        weights = None if len(sizes) == 1 else np.repeat(2.0 ** np.arange(len(sizes)), sizes)
        found = np.empty((np.size(levels), self.count.size))
        # Column by column: with weights, NumPy copies what it is given several times.
        for j in range(self.count.size):
            column = np.concatenate([rows[:, j] for rows in pieces])
            found[:, j] = np.quantile(column, levels, weights=weights, method="inverted_cdf")
        return np.where(np.isfinite(found), found, np.nan)

    def _add(self, values: Array, place: int) -> None:
        if place == len(self._kept):
            self._kept.append([])
            self._odd.append(0)
        kept = self._kept[place]
        room = self.rows - sum(map(len, kept))
        while len(values) > room:
            kept.append(values[:room])
            self._add(self._thinned(place), place + 1)
            values, room = values[room:], self.rows
        kept.append(values)

    def _thinned(self, place: int) -> Array:
        """Every second of the values at a place, which is empty then."""
        full = np.concatenate(self._kept[place])
        self._kept[place].clear()
        full.sort(axis=0)
        self._odd[place] ^= 1
        return full[self._odd[place] :: 2].copy()
