"""Draws: values of parameters from what is known of them, and those known of a source."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pycalphad import Database

from lina_calphad.checks import Array
from lina_calphad.data.assessments import COMPONENTS, PHASE, Source, assessments, tdb_folder
from lina_calphad.data.interactions import free_interactions, symbol_value
from lina_calphad.data.supercells import parameter_covariance
from lina_calphad.errors import DatabaseError, ParameterError

#: Draws of a shipped assessment: enough for a figure and two digits of a factor.
DRAWS = 2000


@dataclass(frozen=True, eq=False)
class ParameterDraws:
    """Values of parameters, drawn from a posterior.

    Parameters
    ----------
    symbols
        Names of the parameters in the database.
    values
        One row a draw, shape (draws, symbols).

    Raises
    ------
    ParameterError
        If the shapes do not fit, a name is there twice, or a value is not finite.

    Examples
    --------
    >>> mean, covariance = {"BCCL0": 20109.8, "BCCL1": 5772.6}, np.diag([682.0, 682.0]) ** 2
    >>> ParameterDraws.from_covariance(mean, covariance, 2000)
    <ParameterDraws: 2000 of BCCL0 = 20093 ± 684, BCCL1 = 5768.5 ± 678>
    """

    symbols: tuple[str, ...]
    values: Array

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=float)
        object.__setattr__(self, "symbols", tuple(self.symbols))
        object.__setattr__(self, "values", values)
        if not self.symbols or len(set(self.symbols)) < len(self.symbols):
            raise ParameterError(
                f"draws need parameters with different names; got {list(self.symbols)}"
            )
        if values.ndim != 2 or values.shape[1] != len(self.symbols) or not len(values):
            raise ParameterError(
                f"draws of {', '.join(self.symbols)} have the shape (n, {len(self.symbols)}) "
                f"with n at least 1; got {values.shape}"
            )
        if not np.isfinite(values).all():
            row = int(np.argmax(~np.isfinite(values).all(axis=1)))
            raise ParameterError(
                f"draw {row} of {', '.join(self.symbols)} is not finite: {values[row].tolist()}"
            )

    def __repr__(self) -> str:
        spread = np.sqrt(np.diag(self.covariance))
        pairs = zip(self.symbols, self.mean, spread, strict=True)
        text = ", ".join(f"{name} = {mean:.5g} ± {error:.3g}" for name, mean, error in pairs)
        return f"<ParameterDraws: {len(self.values)} of {text}>"

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def from_covariance(
        cls, mean: Mapping[str, float], covariance: ArrayLike, n: int = 10_000, seed: int = 0
    ) -> ParameterDraws:
        """Draws from a Gaussian of this mean by name and this covariance, shape (k, k).

        The same `n` draws for the same `seed` of NumPy's generator.
        """
        matrix, k = np.asarray(covariance, dtype=float), len(mean)
        if matrix.shape != (k, k) or not np.isfinite(matrix).all():
            raise ParameterError(
                f"the covariance of {k} parameters is a finite {k} x {k} matrix; got {matrix}"
            )
        if n < 1:
            raise ParameterError(f"the number of draws is 1 or more; got {n}")
        rounding = 1e-9 * max(1.0, float(np.abs(matrix).max()))
        if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() < -rounding:
            raise ParameterError(
                f"a covariance is symmetric and has no negative eigenvalue; got {matrix.tolist()}"
            )
        rng = np.random.default_rng(seed)
        values = rng.multivariate_normal(list(mean.values()), matrix, n, method="eigh")
        return cls(tuple(mean), values)

    @classmethod
    def from_trace(
        cls,
        trace: ArrayLike | str | PathLike[str],
        symbols: Sequence[str],
        *,
        burn_in: int = 0,
        thin: int = 1,
    ) -> ParameterDraws:
        """Draws from the trace of a Markov chain, as ESPEI writes it.

        Parameters
        ----------
        trace
            Array of shape (chains, iterations, parameters), or the file that holds it.
            Iterations that an interrupted run left at zero are dropped.
        symbols
            Names of the parameters; ESPEI sorts them by name.
        burn_in
            Iterations to leave out at the beginning.
        thin
            Take every so many iterations.
        """
        what, array = _read(trace, np.load, "the trace", "a NumPy array")
        array = np.asarray(array, dtype=float)
        if array.ndim != 3 or array.shape[2] != len(symbols):
            raise ParameterError(
                f"{what} has the shape {array.shape}; with {', '.join(symbols)} it must be "
                f"(chains, iterations, {len(symbols)})"
            )
        if burn_in < 0 or thin < 1:
            raise ParameterError(
                f"burn_in is 0 or more and thin 1 or more; got {burn_in} and {thin}"
            )
        kept = array[:, burn_in::thin]
        kept = kept[:, (kept != 0).any(axis=(0, 2))]
        if kept.shape[1] == 0:
            raise ParameterError(
                f"{what} has {array.shape[1]} iterations: none is left after {burn_in} of burn-in"
            )
        # Iteration by iteration, so that a first part of the draws is like the whole.
        return cls(tuple(symbols), kept.transpose(1, 0, 2).reshape(-1, len(symbols)))

    @classmethod
    def from_table(cls, table: str | PathLike[str] | pd.DataFrame) -> ParameterDraws:
        """Draws from a table, or a CSV file, with one column a parameter and one row a draw."""
        what, frame = _read(table, pd.read_csv, "the table", "CSV")
        words = [str(c) for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
        if words or frame.empty:
            raise ParameterError(
                f"{what} needs rows of numbers; {', '.join(words) or 'it'} has none"
            )
        return cls(tuple(map(str, frame.columns)), frame.to_numpy(dtype=float))

    @property
    def mean(self) -> Array:
        """Mean of each parameter."""
        result: Array = self.values.mean(axis=0)
        return result

    @property
    def covariance(self) -> Array:
        """Covariance of the parameters, shape (k, k); zero for a single draw."""
        k = len(self.symbols)
        if len(self) < 2:
            return np.zeros((k, k))
        return np.cov(self.values, rowvar=False).reshape(k, k)

    def chunks(self, size: int) -> Iterator[ParameterDraws]:
        """The same draws in pieces of at most `size`."""
        for start in range(0, len(self), size):
            yield ParameterDraws(self.symbols, self.values[start : start + size])

    def to_dataframe(self) -> pd.DataFrame:
        """One row a draw, one column a parameter."""
        return pd.DataFrame(self.values, columns=list(self.symbols))


def draws_file(source: Source) -> Path:
    """Where the draws of a TDB file are looked for: `my_draws.csv` beside `my.tdb`."""
    path = Path(source)
    return path.with_name(f"{path.stem}_draws.csv")


def known_draws(source: Source, dbf: Database) -> tuple[Database, ParameterDraws] | None:
    """A database with its uncertain parameters as symbols, and draws of them.

    Parameters
    ----------
    source
        Key of an assessment or path of a TDB file.
    dbf
        Its database.

    Returns
    -------
    (pycalphad.Database, ParameterDraws) or None
        For an assessment with a `substitution_error`, 2000 draws from that; else those of the
        `draws_file` of the TDB. None where there is no such file.

    Raises
    ------
    ParameterError
        If the file is no table of draws, or they are of symbols that are no numbers in `dbf`.

    Examples
    --------
    >>> from lina_calphad import load
    >>> dbf, draws = known_draws("santos2025", load("santos2025"))
    >>> draws
    <ParameterDraws: 2000 of BCCL0 = ...>
    >>> known_draws("zhang2003", load("zhang2003"))
    """
    known = assessments().get(os.fspath(source))
    if known and known.substitution_error:
        dbf, mean = free_interactions(dbf, PHASE, COMPONENTS)
        matrix = parameter_covariance(uncertainty=known.substitution_error)
        return dbf, ParameterDraws.from_covariance(mean, matrix, DRAWS)
    path = draws_file(tdb_folder() / known.files[0] if known else source)
    if not path.is_file():
        return None
    draws = ParameterDraws.from_table(path)
    for name in draws.symbols:
        try:
            symbol_value(dbf, name)
        except DatabaseError as error:
            raise ParameterError(f"{path} does not fit {os.fspath(source)}: {error}") from error
    return dbf, draws


#: Its name before.
source_draws = known_draws


def draws_note(name: str, source: Source, draws: ParameterDraws | None) -> str:
    """What to know of the bands of a source called `name`, or why it has none."""
    known = assessments().get(os.fspath(source))
    if draws is None:
        why = f"there is no table of draws {draws_file(source)}"
        return f"{name} has no bands: {'its source states no uncertainty' if known else why}"
    if known and known.substitution_error:
        error = f"{known.substitution_error:g} eV for each substitution energy"
        return f"bands of {name}: {error}, which is our assumption; its source states none"
    return f"bands of {name}: {len(draws)} draws of {', '.join(draws.symbols)}"


def _read(given: Any, read: Callable[[Any], Any], what: str, form: str) -> tuple[str, Any]:
    """What to call it, and what it is or the file of that name holds."""
    if not isinstance(given, str | PathLike):
        return what, given
    try:
        return str(given), read(given)
    except (OSError, ValueError, EOFError) as error:
        raise ParameterError(f"{given} cannot be read as {form}: {error}") from error
