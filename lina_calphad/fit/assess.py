"""Assess a system from a recipe: least squares on exact residuals, and what the data say of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from pycalphad import Database
from scipy.optimize import brentq, least_squares

from lina_calphad.checks import Array
from lina_calphad.data.interactions import describe_symbol
from lina_calphad.errors import DatasetError, LinaCalphadError, NotConverged
from lina_calphad.fit.health import health
from lina_calphad.fit.posterior import Estimates
from lina_calphad.fit.problem import Problem
from lina_calphad.fit.recipe import Recipe, read_recipe
from lina_calphad.phase.draws import ParameterDraws

#: How many draws an assessment has.
DRAWN = 1000
_RANK = 1e-7  # of the largest singular value, in units of each parameter's own error
_TIGHT, _STEPS = 1e-11, 200
_PROPOSALS, _ROUNDS, _FREEDOM = 10_000, 12, 6
_ENOUGH, _EFFECTIVE = 1_000, 300  # proposals that count: no more rounds, and the fewest
_ROUND = 0.05  # of a datum's error, by which rounding a parameter may move any


@dataclass(frozen=True, eq=False)
class Assessed(Estimates):
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
        fit = f"χ² = {self.chi_squared:.3g} of {self.size} data"
        return f"<Assessed {self.recipe.name}: {fit}; {self.in_words()}>"

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

    @cached_property
    def chi_squared(self) -> float:
        """Sum of squares of what counts, nuisances with it."""
        return _squares(self.problem, self.values)

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
        covariance from the weighted ones of the round before, resampled once enough of them count.

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
            effective = 1 / (weight**2).sum()
            if effective > _ENOUGH:
                break
            mean = weight @ values[:, :k]
            covariance = np.cov(values[:, :k].T, aweights=weight).reshape(k, k)
        if effective < _EFFECTIVE:
            raise NotConverged(
                f"draws of {', '.join(self.symbols)}: {effective:.0f} of {_PROPOSALS} proposals "
                "count; the data leave the parameters too free"
            )
        chosen = rng.choice(_PROPOSALS, n, p=weight)
        return ParameterDraws(self.symbols, values[chosen, :k])

    def to_dataframe(self) -> pd.DataFrame:
        """One row a parameter: symbol, what it stands in, value, standard error, unit."""
        names = self.problem.symbols
        meaning, unit = zip(*(describe_symbol(self.problem.dbf, n) for n in names), strict=True)
        return pd.DataFrame({
            "symbol": names, "parameter": meaning, "value": self.values,
            "standard_error": self.errors, "unit": unit,
        })  # fmt: skip

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
            return _squares(self.problem, last[step]) - self.chi_squared - 1

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
        found = self.data.loc[self.data["weight"] > 0, ["name", "quantity"]]
        found[["predicted", "in_sigma"]] = np.nan
        for number, row in enumerate(found.index):
            try:
                values, J = _minimise(self.problem, self.values, without=number)
                covariance = _determined(self.problem, values, np.delete(J, number, axis=0))
            except LinaCalphadError:
                continue
            there = self.problem.table(values).loc[row]
            both = np.sqrt(1 + J[number] @ covariance @ J[number])
            own = there["computed"], there["in_sigma"] * there["weight"] / both
            found.loc[row, ["predicted", "in_sigma"]] = own
        return found


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
            start += rng.normal(0, 3000, start.size) * (problem.units == "J/mol")
        try:
            values, J = _minimise(problem, _first(problem, start))
        except LinaCalphadError as error:
            failed = str(error)
            continue
        minima.append((_squares(problem, values), values, J))
    whole = [m for m in minima if not problem.lost(m[1])]
    if not whole:
        if minima:
            names = ", ".join(problem.lost(min(minima, key=lambda m: m[0])[1]))
            failed = f"the best fit has no {names}: more free parameters, or other data, are needed"
        raise NotConverged(f"{recipe.name}: none of {recipe.starts} starts converged; {failed}")
    best, values, J = min(whole, key=lambda m: m[0])
    same = sum(m[0] < best + 1e-3 for m in whole)
    covariance = _determined(problem, values, J)
    # The database has nuisances at zero, so that the others are those that go with that.
    k = len(problem.free)
    free = np.arange(values.size) < k
    values, J = _minimise(problem, np.where(free, values, 0.0), free)
    return Assessed(recipe, problem, _rounded(values, J), covariance, (recipe.starts, same))


def _squares(problem: Problem, values: Array) -> float:
    residuals, _ = problem(values)
    return float(residuals @ residuals)


def _scale(values: Array, problem: Problem) -> Array:
    """The size of each symbol."""
    least = [{"J/mol": 1000.0, "J/(mol K)": 1.0}.get(unit, 1e-4) for unit in problem.units]
    return np.maximum(np.abs(values), least)


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

    def values_at(u: Array) -> Array:
        values = start.copy()
        values[some] = u * scale[some]
        return values

    @lru_cache(maxsize=1)  # residuals and derivatives are asked for apart
    def at(u: bytes) -> tuple[Array, Array]:
        r, J = problem(values_at(np.frombuffer(u)))
        if without is not None:
            r, J = np.delete(r, without), np.delete(J, without, axis=0)
        return r, J[:, some] * scale[some]

    def residuals(u: Array) -> Array:
        return at(u.tobytes())[0]

    def slopes(u: Array) -> Array:
        return at(u.tobytes())[1]

    origin = (start / scale)[some]
    # With fewer data than parameters any minimum will do: `_determined` says which.
    method: Any = "lm" if residuals(origin).size >= origin.size else "trf"
    found = least_squares(
        residuals, origin, slopes, method=method,
        xtol=_TIGHT, ftol=_TIGHT, gtol=_TIGHT, max_nfev=_STEPS,
    )  # fmt: skip
    if not found.success:
        raise NotConverged(f"the fit did not converge in {found.nfev} steps: {found.message}")
    values = values_at(found.x)
    return values, problem(values)[1]


def _rounded(values: Array, J: Array) -> Array:
    """Values with no more digits than the data need: rounding one moves no datum by `_ROUND`."""
    largest = np.maximum(np.abs(J).max(axis=0), 1e-300)
    digits = np.minimum(np.ceil(np.log10(largest / _ROUND)), 20).astype(int)
    return np.array([round(v, d) for v, d in zip(values.tolist(), digits.tolist(), strict=True)])


def _determined(problem: Problem, values: Array, J: Array) -> Array:
    """Covariance of the values; DatasetError with the direction that no datum sees."""
    scale = _scale(values, problem)
    _, sizes, directions = np.linalg.svd(J * scale, full_matrices=True)
    if sizes.size < values.size or sizes[-1] < _RANK * sizes[0]:
        names, free = problem.symbols, directions[-1] * scale
        largest = np.flatnonzero(np.abs(directions[-1]) > 0.1)
        along = ", ".join(f"{free[k]:+.4g} in {names[k]}" for k in largest)
        raise DatasetError(
            f"{problem.recipe.name}: the data do not determine all parameters; nothing changes "
            f"along {along}: fit fewer, or add data"
        )
    return np.linalg.inv((J * scale).T @ (J * scale)) * np.outer(scale, scale)
