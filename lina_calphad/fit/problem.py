"""What a recipe minimises: residuals of all its data against its database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pycalphad import Database, Model
from symengine import S, Symbol

from lina_calphad.checks import Array
from lina_calphad.data.databases import copy_database, remove_parameters
from lina_calphad.data.datasets import SOLUBILITY, Dataset
from lina_calphad.data.interactions import describe_symbol
from lina_calphad.data.invariants import read_invariants
from lina_calphad.data.mixing_data import PROPERTIES, mixing_data
from lina_calphad.diagram.residuals import LOST, Residuals
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import RecipeError
from lina_calphad.espei_hooks import SolubilityResidual
from lina_calphad.fit.espei_inputs import table_of
from lina_calphad.fit.forms import symbols_of
from lina_calphad.fit.recipe import Recipe
from lina_calphad.fit.selection import selected
from lina_calphad.phase.energy import Compiled, R, T, binary_energy


class Measured(ABC):
    """Measured numbers and what is computed of them, as `Residuals` has it of invariants."""

    name: Any  #: of the source of each
    quantity: Any
    measured: Array
    error: Array

    @abstractmethod
    def computed(self, values: Array) -> Array:
        """The numbers with many sets of values, shape (n, k) to (n, m)."""

    @abstractmethod
    def slopes(self, values: Array) -> Array:
        """Derivatives of the numbers by the symbols, shape (m, k)."""

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Residuals in units of the errors, and their derivatives by the symbols."""
        return self.many(values[None])[0], self.slopes(values) / self.error[:, None]

    def many(self, values: Array, near: Array | None = None) -> Array:  # noqa: ARG002
        """Residuals of many sets of values, shape (n, k) to (n, m)."""
        return np.asarray((self.computed(values) - self.measured) / self.error)

    def table(self, values: Array) -> pd.DataFrame:
        """One row a datum; see `lina_calphad.diagram.residuals.Residuals.table`."""
        return pd.DataFrame(
            {"name": self.name, "quantity": self.quantity, "measured": self.measured,
             "error": self.error, "computed": self.computed(values[None])[0],
             "in_sigma": self.many(values[None])[0]}
        )  # fmt: skip


class Mixing(Measured):
    """Enthalpies, entropies and heat capacities of mixing of one phase.

    Parameters
    ----------
    phase
        Its name.
    data
        As of `lina_calphad.data.mixing_data`, with the column output.
    compiled
        From T, x and symbols to each property and its derivatives by the symbols.
    """

    def __init__(self, phase: str, data: pd.DataFrame, compiled: Compiled) -> None:
        self.phase, self.data, self.compiled = phase, data, compiled
        x, self._T, self.measured, self.error = (
            data[name].to_numpy(dtype=float) for name in ("x", "T", "energy", "standard_error")
        )
        self._x, self.name = x, data["reference"]
        pairs = zip(data["output"], x, strict=True)
        self.quantity = [f"{output} of {phase} at x = {at:.4g}" for output, at in pairs]
        self._which = [list(PROPERTIES).index(output) for output in data["output"]]
        # An entropy that is not without that of ideal mixing.
        whole = (data["output"] == "SM_MIX") & ~data["excess"].to_numpy(dtype=bool)
        self._ideal = np.where(whole, -R * (x * np.log(x) + (1 - x) * np.log1p(-x)), 0.0)

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

    def computed(self, values: Array) -> Array:
        """See `Measured.computed`."""
        return self._found(values)[..., 0] + self._ideal

    def slopes(self, values: Array) -> Array:
        """See `Measured.slopes`."""
        return np.asarray(self._found(values[None])[0, :, 1:])

    def _found(self, values: Array) -> Array:
        """Each number without ideal mixing and its derivatives, shape (n, m, 1 + k)."""
        x = np.broadcast_to(self._x, (len(values), self._x.size))
        found = self.compiled(self._T, x, *values.T[:, :, None])
        own = found.reshape(*x.shape, len(PROPERTIES), -1)
        return np.asarray(own[:, np.arange(self._x.size), self._which])


class Solubilities(Measured):
    """Chemical solubilities within a phase, in ln x, as ESPEI's residual of them has them."""

    def __init__(self, dbf: Database, dataset: Dataset, symbols: Sequence[str]) -> None:
        reference = dataset.get("reference", "solubility")
        if dataset["equilibrium"] != "chemical":
            raise RecipeError(
                f"{reference} holds coherent solubilities, which `lina-calphad refit` takes"
            )
        self.name = [f"{reference} at {at:g} K" for at in np.atleast_1d(dataset["conditions"]["T"])]
        self.quantity = "ln of the solubility"
        self._residual = SolubilityResidual(dbf, table_of([dataset]), None, list(symbols))
        self.measured = np.log(np.ravel(dataset["values"]).astype(float))
        self.error = dataset["ln_x_error"] / np.ravel(dataset.get("weight", 1.0))

    def computed(self, values: Array) -> Array:
        """See `Measured.computed`."""
        away = np.array([self._residual.get_residuals(each)[0] for each in values])
        return np.asarray(self.measured + away)

    def slopes(self, values: Array) -> Array:
        """By central differences; see `Measured.slopes`."""
        steps = 1e-5 * np.maximum(np.abs(values), 1e-3)
        above, below = (self.computed(values + s * np.diag(steps)) for s in (1, -1))
        return np.asarray(((above - below) / (2 * steps[:, None])).T)


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
        #: Of each symbol, such as "J/mol".
        self.units = np.array([describe_symbol(self.dbf, name)[1] for name in self.symbols])
        self.errors = np.array([*(np.inf for _ in self.free), *self.nuisances.values()])
        self.system = BinarySystem(self.dbf, recipe.components, recipe.phases, symbols=self.symbols)
        #: The weight of each part of the data, and the part.
        self.parts: list[tuple[float, Residuals | Measured]] = [
            (source.weight, part)
            for source in recipe.data
            for part in self._parts(selected(recipe, source, list(self.dbf.phases)))
        ]
        self._counted = [(weight, part) for weight, part in self.parts if weight]
        if not self._counted:
            raise RecipeError(f"{recipe.name}: every source of data has weight 0")

    @property
    def invariants(self) -> list[Residuals]:
        """Measured equilibria that count."""
        return [part for _, part in self._counted if isinstance(part, Residuals)]

    def _parts(self, datasets: list[Dataset]) -> list[Residuals | Measured]:
        recipe, parts = self.recipe, list[Residuals | Measured]()
        if len(found := read_invariants(datasets, recipe.components)):
            parts.append(Residuals(self.system, found))
        for phase in recipe.phases:
            tables = [
                table.assign(output=output)
                for output in PROPERTIES
                if len(table := mixing_data(datasets, phase, recipe.components, output))
            ]
            if tables:
                data = pd.concat(tables, ignore_index=True)
                parts.append(Mixing.of(self.system, phase, data))
        parts += [
            Solubilities(self.dbf, d, self.symbols) for d in datasets if d["output"] == SOLUBILITY
        ]
        return parts

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Residuals of all that counts, nuisances last, and their derivatives by the symbols."""
        found = [(weight, *part(values)) for weight, part in self._counted]
        return (
            np.concatenate([*(w * r for w, r, _ in found), self._moved(values)]),
            np.concatenate([*(w * J for w, _, J in found), np.diag(1 / self.errors)[self._own]]),
        )

    @property
    def _own(self) -> slice:
        return slice(len(self.free), None)

    def _moved(self, values: Array) -> Array:
        """Nuisances in units of their errors."""
        return np.asarray((values / self.errors)[..., self._own])

    def chi_squared(self, values: Array, near: Array) -> Array:
        """Sum of squared residuals of many sets of values, shape (n, k) to (n,)."""
        found = [self._moved(values), *(w * part.many(values, near) for w, part in self._counted)]
        total = sum((r**2).sum(axis=1) for r in found)
        return np.asarray(np.nan_to_num(total, nan=np.inf, posinf=np.inf))

    def linear(self, values: Array) -> Array:
        """The same with potentials in place of equilibria: nearly linear, and always there."""
        found = [
            weight * (LOST * p.potentials(values) if isinstance(p, Residuals) else p(values)[0])
            for weight, p in self._counted
            if not isinstance(p, Solubilities)
        ]
        return np.concatenate([*found, self._moved(values)])

    def lost(self, values: Array) -> list[str]:
        """Names of measured equilibria that the phases do not have, of those that count."""
        return [name for part in self.invariants for name in part.lost(values)]

    def table(self, values: Array) -> pd.DataFrame:
        """One row a datum: name, quantity, measured, error, computed, in_sigma and its weight."""
        tables = [part.table(values).assign(weight=weight) for weight, part in self.parts]
        return pd.concat(tables, ignore_index=True)

    def fitted(self, values: Array) -> Database:
        """The database with these values, and without nuisances."""
        dbf, moved = copy_database(self.dbf), {Symbol(name) for name in self.nuisances}
        remove_parameters(dbf, lambda p: bool(moved & S(p["parameter"]).free_symbols))
        dbf.symbols.update({name: S(float(v)) for name, v in zip(self.free, values, strict=False)})
        for name in self.nuisances:
            del dbf.symbols[name]
        return dbf
