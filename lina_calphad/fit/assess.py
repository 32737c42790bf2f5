"""Assess a system from a recipe: least squares on exact residuals, and what the data say of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq, least_squares

from lina_calphad.data.interactions import describe_symbol
from lina_calphad.errors import DatasetError, LinaCalphadError, NotConverged
from lina_calphad.fit.health import health
from lina_calphad.fit.problem import Problem
from lina_calphad.fit.recipe import Recipe, read_recipe
from lina_calphad.phase.draws import ParameterDraws

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from pycalphad import Database

    from lina_calphad.checks import Array

#: How many draws an assessment has.
DRAWN = 1000
_RANK = 1e-7  # of the largest singular value, in units of each parameter's own error
_TIGHT, _STEPS = 1e-11, 200
_PROPOSALS, _ROUNDS, _FREEDOM, _EFFECTIVE = 10_000, 3, 6, 300
_ROUND = 0.05  # of a datum's error, by which rounding a parameter may move any


@dataclass(frozen=True, eq=False)
class Assessed:
    """What a recipe leads to.

    Parameters
    ----------
    recipe
        The recipe.
    problem
        Its database and data.
    values
        Of the fitted symbols, and zero for each nuisance, shape (k,).
    covariance
        Of the same, shape (k, k): of small errors, as the data are nearly linear in them.
    starts
        Of how many starts, and how many came to this minimum.
    """

    recipe: Recipe
    problem: Problem
    values: Array
    covariance: Array
    starts: tuple[int, int]

    def __repr__(self) -> str:
        found = zip(self.symbols, self.values, self.errors, strict=False)
        text = ", ".join(f"{name} = {v:.6g} ± {e:.3g}" for name, v, e in found)
        fit = f"χ² = {self.chi_squared:.3g} of {self.size} data"
        return f"<Assessed {self.recipe.name}: {fit}; {text}>"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The fitted symbols."""
        return tuple(self.problem.free)

    @cached_property
    def data(self) -> pd.DataFrame:
        """One row a datum; see `lina_calphad.fit.problem.Problem.table`."""
        return self.problem.table(self.values)

    @property
    def size(self) -> int:
        """How many data count."""
        return int((self.data["weight"] > 0).sum())

    @property
    def errors(self) -> Array:
        """Standard error of each value, shape (k,)."""
        errors: Array = np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def correlation(self) -> Array:
        """Of the values, shape (k, k)."""
        correlation: Array = self.covariance / np.outer(self.errors, self.errors)
        return correlation

    @cached_property
    def chi_squared(self) -> float:
        """Sum of squares of what counts, nuisances with it."""
        residuals, _ = self.problem(self.values)
        return float(residuals @ residuals)

    @property
    def aic(self) -> float:
        """Akaike's criterion, but for a constant of the data."""
        return self.chi_squared + 2 * len(self.symbols)

    @property
    def bic(self) -> float:
        """Bayesian criterion, but for a constant of the data."""
        return self.chi_squared + len(self.symbols) * float(np.log(self.size))

    @cached_property
    def dbf(self) -> Database:
        """The database, with the fitted symbols and nuisances at zero."""
        return self.problem.fitted(self.values)

    @cached_property
    def notes(self) -> list[str]:
        """What to think of it: unphysical, doubtful or undetermined."""
        return health(self)

    def draws(self, n: int = DRAWN, seed: int = 0) -> ParameterDraws:
        """Draws of the fitted symbols from their posterior, with nuisances at zero.

        By population Monte Carlo: proposals from a Student distribution, which learns mean and
        covariance from the weighted ones of the round before, resampled in the last.

        Raises
        ------
        NotConverged
            If the proposals never come to resemble the posterior.
        """
        k, rng = len(self.symbols), np.random.default_rng(seed)
        mean = self.values[:k]
        covariance = np.linalg.inv(np.linalg.inv(self.covariance)[:k, :k])
        for _ in range(_ROUNDS):
            root = np.linalg.cholesky(covariance)
            wide = np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, _PROPOSALS))
            steps = rng.standard_normal((_PROPOSALS, k)) * wide[:, None]
            values = np.zeros((_PROPOSALS, self.values.size))
            values[:, :k] = mean + steps @ root.T
            tail = (_FREEDOM + k) / 2 * np.log1p((steps**2).sum(axis=1) / _FREEDOM)
            log_weight = tail - self.problem.chi_squared(values, self.values) / 2
            weight = np.exp(log_weight - log_weight.max())
            weight /= weight.sum()
            mean = weight @ values[:, :k]
            covariance = np.cov(values[:, :k].T, aweights=weight).reshape(k, k)
        effective = 1 / (weight**2).sum()
        if effective < _EFFECTIVE:
            msg = (
                f"draws of {', '.join(self.symbols)}: {effective:.0f} of {_PROPOSALS} proposals "
                "count; the data leave the parameters too free"
            )
            raise NotConverged(msg)
        chosen = rng.choice(_PROPOSALS, n, p=weight)
        return ParameterDraws(self.symbols, values[chosen, :k])

    def to_dataframe(self) -> pd.DataFrame:
        """One row a parameter: symbol, what it stands in, value, standard error, unit."""
        rows = []
        for name, value, error in zip(self.problem.symbols, self.values, self.errors, strict=True):
            meaning, unit = describe_symbol(self.problem.dbf, name)
            rows.append((name, meaning, value, error, unit))
        columns = ["symbol", "parameter", "value", "standard_error", "unit"]
        return pd.DataFrame(rows, columns=columns)

    def profiles(self) -> pd.DataFrame:
        """Where χ² is one more than at the minimum, with all other parameters at their best.

        One row a fitted symbol: value, minus and plus, NaN where a side has no such point.
        """
        rows = []
        for k, name in enumerate(self.symbols):
            sides = [abs(self._profile(k, sign) - self.values[k]) for sign in (-1, 1)]
            rows.append((name, self.values[k], *sides))
        return pd.DataFrame(rows, columns=["symbol", "value", "minus", "plus"])

    def _profile(self, k: int, sign: int) -> float:
        """Where the profile of a symbol is one higher, on one side; NaN if nowhere near."""
        others = np.arange(self.values.size) != k
        along = self.covariance[:, k] / self.covariance[k, k]
        last = {0.0: self.values}

        def height(step: float) -> float:
            at = self.values[k] + sign * step * self.errors[k]
            nearest = last[min(last, key=lambda s: abs(s - step))]
            guess = nearest + along * (at - nearest[k])
            last[step] = _minimise(self.problem, guess, others)[0]
            residuals, _ = self.problem(last[step])
            return float(residuals @ residuals) - self.chi_squared - 1

        for end in (1.5, 3.0):
            if height(end) > 0:
                # Nearly a straight line, so that few steps find where it is zero.
                line = brentq(lambda u: np.sqrt(max(height(u) + 1, 0.0)) - 1, 0.0, end, xtol=1e-3)
                return float(self.values[k] + sign * line * self.errors[k])
        return float("nan")

    def left_out(self) -> pd.DataFrame:
        """Each datum as the others predict it: name, quantity, predicted, in_sigma.

        In units of both errors, the datum's and the prediction's. NaN where the others have no
        such equilibrium or leave a parameter undetermined.
        """
        rows, counted = [], self.data[self.data["weight"] > 0]
        for number, (row, datum) in enumerate(
            zip(counted.index, counted.to_dict("records"), strict=True)
        ):
            predicted = away = np.nan
            try:
                values, J = _minimise(self.problem, self.values, without=number)
                covariance = _determined(np.delete(J, number, axis=0), self)
                there = self.problem.table(values).loc[row]
                predicted = there["computed"]
                error = np.sqrt(1 + J[number] @ covariance @ J[number]) / datum["weight"]
                away = there["in_sigma"] / error
            except LinaCalphadError:
                pass
            rows.append((datum["name"], datum["quantity"], predicted, away))
        return pd.DataFrame(rows, columns=["name", "quantity", "predicted", "in_sigma"])


def assess(
    recipe: Recipe | str | os.PathLike[str],
    progress: Callable[[str], None] = lambda _: None,
) -> Assessed:
    """Fit the parameters of a recipe to its data.

    First to potentials at the measured temperatures and compositions, in which the fit is nearly
    linear, then to the equilibria themselves, by least squares with exact derivatives.

    Parameters
    ----------
    recipe
        A recipe, the name of a shipped one, or a YAML file.
    progress
        Told what is done.

    Raises
    ------
    RecipeError, DatasetError, DatabaseError, UnsupportedPhase
        If the recipe does not fit its data or database.
    DatasetError
        If the data do not determine the parameters: it names the direction.
    NotConverged
        If no start leads to phases that have all measured equilibria.

    Examples
    --------
    >>> found = assess("lina2026")
    >>> found.size, len(found.symbols)
    (11, 7)
    >>> found.data[found.data["quantity"] == "T / K"]["computed"].round(1).tolist()
    [443.9, 365.2, 576.8]
    """
    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    problem = Problem(recipe)
    rng = np.random.default_rng(0)
    minima: list[tuple[float, Array, Array]] = []
    failed = ""
    for number in range(recipe.starts):
        progress(f"start {number + 1} of {recipe.starts}")
        start = problem.start.copy()
        if number:
            start *= rng.lognormal(0, 0.5, start.size)
            start += rng.normal(0, 3000, start.size) * _energies(problem)
        try:
            values, J = _minimise(problem, _first(problem, start))
        except LinaCalphadError as error:
            failed = str(error)
            continue
        residuals, _ = problem(values)
        minima.append((float(residuals @ residuals), values, J))
    whole = [m for m in minima if not problem.lost(m[1])]
    if not whole:
        if minima:
            names = ", ".join(problem.lost(min(minima, key=lambda m: m[0])[1]))
            failed = f"the best fit has no {names}: more free parameters, or other data, are needed"
        msg = f"{recipe.name}: none of {recipe.starts} starts converged; {failed}"
        raise NotConverged(msg)
    best, values, J = min(whole, key=lambda m: m[0])
    same = sum(m[0] < best + 1e-3 for m in whole)
    starts = recipe.starts, same
    covariance = _determined(J, Assessed(recipe, problem, values, np.eye(values.size), starts))
    # The database has nuisances at zero, so that the others are those that go with that.
    k = len(problem.free)
    free = np.arange(values.size) < k
    values, J = _minimise(problem, np.where(free, values, 0.0), free)
    return Assessed(recipe, problem, _rounded(values, J), covariance, starts)


def _energies(problem: Problem) -> Array:
    """Which symbols are energies at 0 K: those of start values in J/mol."""
    return np.array([describe_symbol(problem.dbf, s)[1] == "J/mol" for s in problem.symbols], float)


def _scale(values: Array, problem: Problem) -> Array:
    """The size of each symbol."""
    units = [describe_symbol(problem.dbf, name)[1] for name in problem.symbols]
    least = np.array([{"J/mol": 1000.0, "J/(mol K)": 1.0}.get(unit, 1e-4) for unit in units])
    result: Array = np.maximum(np.abs(values), least)
    return result


def _first(problem: Problem, start: Array) -> Array:
    """Values at which the measured phases have nearly one potential."""
    scale = _scale(start, problem)

    def linear(u: Array) -> Array:
        return problem.linear(u * scale)

    found = least_squares(linear, start / scale, x_scale="jac")
    return np.asarray(found.x * scale)


def _minimise(
    problem: Problem,
    start: Array,
    moving: Any = True,
    without: int | None = None,
) -> tuple[Array, Array]:
    """Values at a minimum of the exact residuals, and the derivatives of these there."""
    scale = _scale(start, problem)
    some = np.broadcast_to(moving, start.shape)

    last: dict[bytes, tuple[Array, Array]] = {}  # residuals and derivatives are asked for apart

    def at(u: Array) -> tuple[Array, Array]:
        key = u.tobytes()
        if key not in last:
            values = start.copy()
            values[some] = u * scale[some]
            r, J = problem(values)
            if without is not None:
                r, J = np.delete(r, without), np.delete(J, without, axis=0)
            last.clear()
            last[key] = r, J[:, some] * scale[some]
        return last[key]

    def residuals(u: Array) -> Array:
        return at(u)[0]

    def slopes(u: Array) -> Array:
        return at(u)[1]

    origin = (start / scale)[some]
    # With fewer data than parameters any minimum will do: `_determined` says which.
    method: Any = "lm" if residuals(origin).size >= origin.size else "trf"
    found = least_squares(
        residuals, origin, slopes, method=method, xtol=_TIGHT, ftol=_TIGHT, gtol=_TIGHT,
        max_nfev=_STEPS,
    )  # fmt: skip
    if not found.success:
        msg = f"the fit did not converge in {found.nfev} steps: {found.message}"
        raise NotConverged(msg)
    values = start.copy()
    values[some] = found.x * scale[some]
    return values, problem(values)[1]


def _rounded(values: Array, J: Array) -> Array:
    """Values with no more digits than the data need: rounding one moves no datum by `_ROUND`."""
    largest = np.abs(J).max(axis=0)
    digits = np.ceil(np.log10(np.maximum(largest, 1e-300) / _ROUND)).astype(int)
    return np.array(
        [round(v, min(d, 20)) for v, d in zip(values.tolist(), digits.tolist(), strict=True)]
    )


def _determined(J: Array, found: Assessed) -> Array:
    """Covariance of the values; DatasetError with the direction that no datum sees."""
    scale = _scale(found.values, found.problem)
    _, sizes, directions = np.linalg.svd(J * scale, full_matrices=True)
    sizes = np.concatenate([sizes, np.zeros(J.shape[1] - sizes.size)])
    if sizes[-1] < _RANK * sizes[0]:
        names, free = found.problem.symbols, directions[-1] * scale
        largest = np.flatnonzero(np.abs(directions[-1]) > 0.1)
        along = ", ".join(f"{free[k]:+.4g} in {names[k]}" for k in largest)
        msg = (
            f"{found.recipe.name}: the data do not determine all parameters; nothing changes along "
            f"{along}: fit fewer, or add data"
        )
        raise DatasetError(msg)
    inverse = np.linalg.inv((J * scale).T @ (J * scale))
    return inverse * np.outer(scale, scale)
