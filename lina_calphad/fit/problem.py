"""What a recipe minimises: a database with free symbols, and residuals of all its data."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pycalphad import Model
from pycalphad import variables as v
from symengine import S, Symbol, exp, expand, log, sympify

from lina_calphad.data.assessments import assessments, load, tdb_folder
from lina_calphad.data.databases import copy_database, parameter_text, remove_parameters
from lina_calphad.data.datasets import SOLUBILITY, read_datasets, shipped_datasets
from lina_calphad.data.interactions import (
    interaction_array,
    phase_prefix,
    start_value,
    without_interactions,
)
from lina_calphad.data.invariants import read_invariants
from lina_calphad.data.mixing_data import PROPERTIES, mixing_data
from lina_calphad.data.tdb_files import read_tdb
from lina_calphad.diagram.residuals import LOST, Residuals
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import RecipeError
from lina_calphad.espei_hooks import SolubilityResidual
from lina_calphad.phase.energy import Compiled, R, T, binary_energy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycalphad import Database

    from lina_calphad.checks import Array
    from lina_calphad.data.datasets import Dataset
    from lina_calphad.fit.recipe import Form, Recipe, Source

_RATE = {"tau": 1 / 3000.0, "exponential": 1 / 1000.0}  # 1/K, to start from


class Symbols(NamedTuple):
    """A database whose parameters are symbols, and which of them are free.

    Parameters
    ----------
    dbf
        All symbols have their values to start from in it.
    free
        Fitted symbols, with their values.
    nuisances
        Symbols that move within their errors about zero, with these.
    """

    dbf: Database
    free: dict[str, float]
    nuisances: dict[str, float]


def reference_key(recipe: Recipe) -> str:
    """What a TDB calls the source of the fitted parameters."""
    return re.sub("[^A-Z0-9]", "", recipe.name.upper())[:12] or "FIT"


def start_file(recipe: Recipe) -> Path:
    """The TDB that a recipe starts from, without elastic data; UnknownAssessment if it is none."""
    path = Path(path_of(recipe, recipe.start))
    if recipe.start in assessments():
        return tdb_folder() / assessments()[recipe.start].files[0]
    if not path.is_file():
        load(recipe.start)  # says which assessments there are
    return path


def symbols_of(recipe: Recipe) -> Symbols:
    """The start database of a recipe with its parameters as symbols.

    Raises
    ------
    RecipeError
        If a parameter that it names is not there, or an expression cannot be understood.
    LinaCalphadError
        If the start cannot be read.
    """
    dbf = read_tdb(start_file(recipe))
    if lacking := sorted(set(recipe.phases) - set(dbf.phases)):
        msg = f"{recipe.name}: {recipe.start} has no phase {', '.join(lacking)}"
        raise RecipeError(msg)
    free: dict[str, float] = {}
    for phase, forms in recipe.parameters.items():
        array = interaction_array(dbf, phase, recipe.components)
        starts = {k: start_value(dbf, phase, recipe.components, k) for k in forms}
        dbf = without_interactions(dbf, phase, recipe.components)
        for order, form in forms.items():
            expression, values = _expression(form, phase, order, starts[order])
            dbf.add_parameter("G", phase, array, order, expression)
            free |= values
    dbf.symbols.update({name: S(value) for name, value in free.items()})
    nuisances = {f"NUIS{k}": each.error for k, each in enumerate(recipe.nuisances, 1)}
    for name, each in zip(nuisances, recipe.nuisances, strict=True):
        wanted = each.parameter.replace(" ", "").upper()
        found = dbf.search(lambda p, wanted=wanted: parameter_text(p).upper() == wanted)
        if not found:
            msg = f"{recipe.name}: {recipe.start} has no parameter {each.parameter}"
            raise RecipeError(msg)
        (parameter,) = found
        array = [[s.name for s in names] for names in parameter["constituent_array"]]
        dbf.add_parameter(
            parameter["parameter_type"], parameter["phase_name"], array,
            parameter["parameter_order"], Symbol(name) * _parse(each.shape, each.parameter),
        )  # fmt: skip
        dbf.symbols[name] = S.Zero
    if not free:
        msg = f"{recipe.name}: every parameter is held, and there is nothing to fit"
        raise RecipeError(msg)
    return Symbols(dbf, free, nuisances)


def _expression(form: Form, phase: str, order: int, start: float) -> tuple[Any, dict[str, float]]:
    """A parameter of symbols, and the values of these."""
    if form.kind == "held":
        return _parse(form.expression, f"{phase} L{order}"), {}
    name = f"{phase_prefix(phase)}L{order}"
    value = start if form.start is None else form.start
    if form.kind == "constant":
        return Symbol(name), {name: value}
    if form.kind in _RATE:
        # One temperature rules all parameters of a phase, or one this parameter alone.
        rate = f"{phase_prefix(phase)}K" if form.kind == "tau" else f"{name}K"
        K = Symbol(rate) if form.number is None else S(float(f"{1 / form.number:.6g}"))
        change = 1 - K * v.T if form.kind == "tau" else exp(-K * v.T)
        own = {rate: _RATE[form.kind]} if form.number is None else {}
        return expand(Symbol(name) * change), {name: value, **own}
    basis = (S.One, v.T, v.T * log(v.T))[: 2 if form.kind == "linear" else 3]
    names = [f"{name}{letter}" for letter in "ABC"[: len(basis)]]
    expression = sum((Symbol(n) * b for n, b in zip(names, basis, strict=True)), S.Zero)
    return expression, dict.fromkeys(names, 0.0) | {names[0]: value}


def _parse(text: str, what: str) -> Any:
    """An expression in T as TDB files write it."""
    try:
        found = sympify(re.sub(r"\bLN\b", "log", text.upper()).replace("EXP", "exp"))
        strange = {str(s) for s in found.free_symbols} - {"T"}
    except (RuntimeError, TypeError, ValueError) as error:
        msg = f"{what}: {text!r} is no expression in T: {error}"
        raise RecipeError(msg) from error
    if strange:
        msg = f"{what}: {text!r} has {', '.join(sorted(strange))} beside T"
        raise RecipeError(msg)
    return found.xreplace({Symbol("T"): v.T})


def path_of(recipe: Recipe, name: str) -> str:
    """A file that is named as from the recipe's folder; names of shipped things stay."""
    beside = recipe.folder / name
    return os.fspath(beside) if beside.exists() and name not in shipped_datasets() else name


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
