"""ParameterDraws: values of parameters drawn from what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lina_calphad.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike

    from lina_calphad.curves import Array


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
            msg = f"draws need parameters with different names; got {list(self.symbols)}"
            raise ParameterError(msg)
        if values.ndim != 2 or values.shape[1] != len(self.symbols) or not len(values):
            msg = (
                f"draws of {', '.join(self.symbols)} have the shape (n, {len(self.symbols)}) "
                f"with n at least 1; got {values.shape}"
            )
            raise ParameterError(msg)
        if not np.isfinite(values).all():
            row = int(np.argmax(~np.isfinite(values).all(axis=1)))
            msg = f"draw {row} of {', '.join(self.symbols)} is not finite: {values[row].tolist()}"
            raise ParameterError(msg)

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
        """Draws from a Gaussian.

        Parameters
        ----------
        mean
            Mean of each parameter, by name.
        covariance
            Their covariance, shape (k, k).
        n
            How many draws.
        seed
            Of NumPy's generator: the same draws for the same seed.
        """
        matrix, k = np.asarray(covariance, dtype=float), len(mean)
        if matrix.shape != (k, k) or not np.isfinite(matrix).all():
            msg = f"the covariance of {k} parameters is a finite {k} x {k} matrix; got {matrix}"
            raise ParameterError(msg)
        if n < 1:
            msg = f"the number of draws is 1 or more; got {n}"
            raise ParameterError(msg)
        if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() < -1e-9 * max(
            1.0, float(np.abs(matrix).max())
        ):
            msg = f"a covariance is symmetric and has no negative eigenvalue; got {matrix.tolist()}"
            raise ParameterError(msg)
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
        what = "the trace"
        if isinstance(trace, str | PathLike):
            what = str(trace)
            try:
                trace = np.load(trace)
            except (OSError, ValueError, EOFError) as error:
                msg = f"{what} cannot be read as a NumPy array: {error}"
                raise ParameterError(msg) from error
        array = np.asarray(trace, dtype=float)
        if array.ndim != 3 or array.shape[2] != len(symbols):
            msg = (
                f"{what} has the shape {array.shape}; with {', '.join(symbols)} it must be "
                f"(chains, iterations, {len(symbols)})"
            )
            raise ParameterError(msg)
        if burn_in < 0 or thin < 1:
            msg = f"burn_in is 0 or more and thin 1 or more; got {burn_in} and {thin}"
            raise ParameterError(msg)
        kept = array[:, burn_in::thin]
        kept = kept[:, (kept != 0).any(axis=(0, 2))]
        if kept.shape[1] == 0:
            msg = f"{what} has {array.shape[1]} iterations: none is left after {burn_in} of burn-in"
            raise ParameterError(msg)
        # Iteration by iteration, so that a first part of the draws is like the whole.
        return cls(tuple(symbols), kept.transpose(1, 0, 2).reshape(-1, len(symbols)))

    @classmethod
    def from_table(cls, table: str | PathLike[str] | pd.DataFrame) -> ParameterDraws:
        """Draws from a table, or a CSV file, with one column a parameter and one row a draw."""
        what = "the table"
        if not isinstance(table, pd.DataFrame):
            what = str(table)
            try:
                table = pd.read_csv(table)
            except (OSError, ValueError) as error:
                msg = f"{what} cannot be read as CSV: {error}"
                raise ParameterError(msg) from error
        words = [str(c) for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
        if words or table.empty:
            msg = f"{what} needs rows of numbers; {', '.join(words) or 'it'} has none"
            raise ParameterError(msg)
        return cls(tuple(map(str, table.columns)), table.to_numpy(dtype=float))

    @property
    def mean(self) -> Array:
        """Mean of each parameter."""
        mean: Array = self.values.mean(axis=0)
        return mean

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
