"""Rows told apart by their number: how a solver for temperatures solves many descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.curves import Array, Rows
    from lina_calphad.energy import Compiled


class NumberedRows:
    """The energy of rows, each with a temperature and values of symbols.

    Parameters
    ----------
    mixing
        What `Mixing` returns, compiled, with the symbols free.
    T
        Temperature in K of each row, shape (rows,).
    values
        Values of the symbols of each row, shape (rows, symbols).
    symbols
        Their names.
    """

    def __init__(self, mixing: Compiled, T: Array, values: Array, symbols: Sequence[str]) -> None:
        self._compiled, self._T, self._values, self._symbols = mixing, T, values, symbols

    def mixing(self, rows: Array, x: Array) -> Array:
        """`Mixing` with the numbers of rows for a state."""
        index: Rows = np.asarray(rows).astype(np.intp)
        return self._compiled(self._T[index], x, self._values[index])

    def describe(self, rows: Array) -> str:
        """The first of some rows in words, and how many more there are."""
        first = int(np.ravel(rows)[0])
        what = f"{self._T[first]:g} K with {assignments(self._symbols, self._values[first])}"
        more = np.size(rows) - 1
        return f"{what} and {more} more" if more else what


def assignments(symbols: Sequence[str], values: Array) -> str:
    """Symbols with their values, for a message."""
    pairs = zip(symbols, values, strict=True)
    return ", ".join(f"{name} = {value:g}" for name, value in pairs)
