"""What a recipe minimises: residuals of all its data against its database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pycalphad import Model
from symengine import S, Symbol

from lina_calphad.data.databases import copy_database, remove_parameters
from lina_calphad.data.datasets import SOLUBILITY, read_datasets
from lina_calphad.data.invariants import read_invariants
from lina_calphad.data.mixing_data import PROPERTIES, mixing_data
from lina_calphad.diagram.residuals import LOST, Residuals
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import RecipeError
from lina_calphad.espei_hooks import SolubilityResidual
from lina_calphad.fit.forms import path_of, symbols_of
from lina_calphad.phase.energy import Compiled, R, T, binary_energy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycalphad import Database

    from lina_calphad.checks import Array
    from lina_calphad.data.datasets import Dataset
    from lina_calphad.fit.recipe import Recipe, Source


@dataclass(frozen=True, eq=False)
class Mixing:
    """Enthalpies, entropies and heat capacities of mixing of one phase against the data.

    Parameters
    ----------
    phase
        Its name.
    data
        As of `lina_calphad.data.mixing_data`, with the column output.
    compiled
        From T, x and symbols to each property and its derivatives by the symbols.
    """

    phase: str
    data: pd.DataFrame
    compiled: Compiled

    @classmethod
    def of(cls, system: BinarySystem, phase: str, data: pd.DataFrame) -> Mixing:
        """The properties of a phase of a system."""
        names = system.symbols
        energy = binary_energy(system.dbf, system.components, phase, Model, system.pressure, names)
        g = R * T * energy.r
        terms = [g - T * g.diff(T), -g.diff(T), -T * g.diff(T, 2)]
        compiled = Compiled(
            [d for f in terms for d in (f, *(f.diff(Symbol(n)) for n in names))], names
        )
        return cls(phase, data, compiled)

    @cached_property
    def _given(self) -> tuple[Array, ...]:
        """X, T, which property, and the ideal entropy where a datum is with it."""
        data = self.data
        x, T = (data[name].to_numpy(dtype=float) for name in ("x", "T"))
        ideal = -R * (x * np.log(x) + (1 - x) * np.log1p(-x))
        whole = (data["output"] == "SM_MIX") & ~data["excess"].to_numpy(dtype=bool)
        which = np.array([list(PROPERTIES).index(output) for output in data["output"]])
        return x, T, which, np.where(whole, ideal, 0.0)

    @cached_property
    def _measured(self) -> tuple[Array, Array]:
        data = self.data
        return data["energy"].to_numpy(dtype=float), data["standard_error"].to_numpy(dtype=float)

    def values(self, values: Array) -> tuple[Array, Array]:
        """The property of each datum, and its derivatives by the symbols."""
        x, T, which, ideal = self._given
        found = self.compiled(T, x, *(np.full(x.size, value) for value in values))
        own = found.reshape(x.size, len(PROPERTIES), values.size + 1)[np.arange(x.size), which]
        return own[:, 0] + ideal, own[:, 1:]

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Residuals in units of the errors, and their derivatives by the symbols."""
        found, slopes = self.values(values)
        measured, error = self._measured
        return (found - measured) / error, slopes / error[:, None]

    def many(self, values: Array) -> Array:
        """Residuals of many sets of values, shape (n, k) to (n, m)."""
        x, T, which, ideal = self._given
        measured, error = self._measured
        columns = [np.repeat(v[:, None], x.size, axis=1) for v in values.T]
        found = self.compiled(T, np.broadcast_to(x, (len(values), x.size)), *columns)
        own = found.reshape(len(values), x.size, len(PROPERTIES), -1)
        return (own[:, np.arange(x.size), which, 0] + ideal - measured) / error

    def table(self, values: Array) -> pd.DataFrame:
        """One row a datum; see `lina_calphad.diagram.residuals.Residuals.table`."""
        data = self.data
        at = [
            f"{o} of {self.phase} at x = {x:.4g}"
            for o, x in zip(data["output"], data["x"], strict=True)
        ]
        return pd.DataFrame(
            {"name": data["reference"], "quantity": at, "measured": data["energy"],
             "error": data["standard_error"], "computed": self.values(values)[0],
             "in_sigma": self(values)[0]}
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Solubilities:
    """Solubilities within a phase, in ln x, as ESPEI's residual of them has them."""

    residual: SolubilityResidual
    quantities: tuple[str, ...]

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Residuals in units of the errors, and their derivatives by central differences."""
        steps = 1e-5 * np.maximum(np.abs(values), 1e-3)
        slopes = [
            (self._at(values + s) - self._at(values - s)) / (2 * s.sum()) for s in np.diag(steps)
        ]
        return self._at(values), np.array(slopes).T

    def many(self, values: Array) -> Array:
        """Residuals of many sets of values, shape (n, k) to (n, m)."""
        return np.array([self._at(each) for each in values])

    def _at(self, values: Array) -> Array:
        residuals, errors = self.residual.get_residuals(values)
        result: Array = np.asarray(residuals, dtype=float) / np.asarray(errors, dtype=float)
        return result

    def table(self, values: Array) -> pd.DataFrame:
        """One row a datum, of ln x."""
        residuals, errors = (
            np.asarray(a, dtype=float) for a in self.residual.get_residuals(values)
        )
        measured = np.array(self.residual.measured)
        return pd.DataFrame(
            {"name": list(self.quantities), "quantity": "ln of the solubility",
             "measured": measured, "error": errors, "computed": measured + residuals,
             "in_sigma": residuals / errors}
        )  # fmt: skip


def _solubilities(
    dbf: Database, datasets: list[Dataset], symbols: Sequence[str], name: str
) -> Solubilities:
    """The residual of chemical solubilities; coherent ones are for `lina-calphad refit`."""
    from espei.utils import MemoryStorage, PickleableTinyDB

    store, quantities = PickleableTinyDB(storage=MemoryStorage), list[str]()
    for dataset in datasets:
        if dataset["output"] != SOLUBILITY:
            continue
        if dataset["equilibrium"] != "chemical":
            msg = (
                f"{name}: {dataset.get('reference', 'a dataset')} holds coherent solubilities, "
                "which `lina-calphad refit` takes"
            )
            raise RecipeError(msg)
        store.insert(dataset)
        for at in np.atleast_1d(dataset["conditions"]["T"]):
            quantities.append(f"{dataset.get('reference', 'solubility')} at {at:g} K")
    return Solubilities(SolubilityResidual(dbf, store, None, list(symbols)), tuple(quantities))


class Problem:
    """All data of a recipe against its database.

    Parameters
    ----------
    recipe
        The recipe.

    Raises
    ------
    RecipeError, DatasetError, DatabaseError, UnsupportedPhase
        If what it names is not there or does not fit.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.dbf, self.free, self.nuisances = symbols_of(recipe)
        self.symbols = (*self.free, *self.nuisances)
        self.start = np.array([*self.free.values(), *(0.0 for _ in self.nuisances)])
        self.errors = np.array([*(np.inf for _ in self.free), *self.nuisances.values()])
        self.system = BinarySystem(self.dbf, recipe.components, recipe.phases, symbols=self.symbols)
        self.parts: list[tuple[float, Residuals | Mixing | Solubilities]] = []
        for source in recipe.data:
            datasets = read_datasets(
                [path_of(recipe, source.name)], recipe.components, list(self.dbf.phases)
            )
            parts = self._parts(source, datasets)
            if not parts:
                msg = f"{recipe.name}: {source.name} holds nothing that a recipe can use"
                raise RecipeError(msg)
            self.parts += [(source.weight, part) for part in parts]
        if not any(weight for weight, _ in self.parts):
            msg = f"{recipe.name}: every source of data has weight 0"
            raise RecipeError(msg)

    def _parts(self, source: Source, datasets: list[Dataset]) -> list[Any]:
        recipe, parts = self.recipe, list[Any]()
        found = read_invariants(datasets, recipe.components)
        if len(found):
            parts.append(Residuals(self.system, _with_errors(found, source, recipe)))
        for phase in recipe.phases:
            tables = [
                mixing_data(datasets, phase, recipe.components, output).assign(output=output)
                for output in PROPERTIES
            ]
            data = pd.concat([t for t in tables if len(t)] or tables[:1], ignore_index=True)
            data = data[data["x"].between(*source.x)].reset_index(drop=True)
            if len(data):
                parts.append(Mixing.of(self.system, phase, data))
        if any(dataset["output"] == SOLUBILITY for dataset in datasets):
            parts.append(_solubilities(self.dbf, datasets, self.symbols, recipe.name))
        return parts

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Residuals of all that counts, nuisances last, and their derivatives by the symbols."""
        return self._stacked([
            (weight, part(values)) for weight, part in self.parts if weight
        ], values)  # fmt: skip

    def chi_squared(self, values: Array, near: Array) -> Array:
        """Sum of squared residuals of many sets of values, shape (n, k) to (n,)."""
        own = np.isfinite(self.errors)
        total = ((values[:, own] / self.errors[own]) ** 2).sum(axis=1)
        for weight, part in self.parts:
            if weight:
                if isinstance(part, Residuals):
                    found = part.many(values, near)
                else:
                    found = part.many(values)
                total += ((weight * found) ** 2).sum(axis=1)
        return np.asarray(np.nan_to_num(total, nan=np.inf, posinf=np.inf))

    def linear(self, values: Array) -> Array:
        """The same with potentials in place of equilibria: nearly linear, and always there."""
        found = []
        for weight, part in self.parts:
            if not weight or isinstance(part, Solubilities):
                continue
            r = LOST * part.potentials(values) if isinstance(part, Residuals) else part(values)[0]
            found.append((weight, (r, np.zeros((r.size, values.size)))))
        return self._stacked(found, values)[0]

    def _stacked(
        self, found: list[tuple[float, tuple[Array, Array]]], values: Array
    ) -> tuple[Array, Array]:
        own = np.isfinite(self.errors)
        prior = np.diag(1 / self.errors)[own]
        residuals = [*(w * r for w, (r, _) in found), values[own] / self.errors[own]]
        return np.concatenate(residuals), np.concatenate([*(w * J for w, (_, J) in found), prior])

    def lost(self, values: Array) -> list[str]:
        """Names of measured equilibria that the phases do not have, of those that count."""
        parts = [p for w, p in self.parts if w and isinstance(p, Residuals)]
        return [name for part in parts for name in part.lost(values)]

    def table(self, values: Array) -> pd.DataFrame:
        """One row a datum: name, quantity, measured, error, computed, in_sigma and its weight."""
        tables = [part.table(values).assign(weight=weight) for weight, part in self.parts]
        return pd.concat(tables, ignore_index=True)

    def fitted(self, values: Array) -> Database:
        """The database with these values, and without nuisances."""
        dbf, moved = copy_database(self.dbf), {Symbol(name) for name in self.nuisances}
        remove_parameters(dbf, lambda p: bool(moved & S(p["parameter"]).free_symbols))
        for name, value in zip(self.symbols, values, strict=True):
            if name in self.nuisances:
                del dbf.symbols[name]
            else:
                dbf.symbols[name] = S(float(value))
        return dbf


def _with_errors(found: pd.DataFrame, source: Source, recipe: Recipe) -> pd.DataFrame:
    """Invariants with the recipe's errors of composition in place of the dataset's."""
    if unknown := sorted(source.errors.keys() - set(found["name"])):
        msg = (
            f"{recipe.name}: {source.name} has no {', '.join(unknown)}; it has "
            f"{', '.join(found['name'])}"
        )
        raise RecipeError(msg)
    found = found.copy()
    errors = [
        tuple(np.nan if e is None else float(e) for e in source.errors[n])
        if n in source.errors
        else e
        for n, e in zip(found["name"], found["x_error"], strict=True)
    ]
    found["x_error"] = errors
    return found
