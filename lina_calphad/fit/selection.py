"""Data of a recipe as it takes them: cut to its range of composition, with its errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lina_calphad.data.datasets import SOLUBILITY, Dataset, read_datasets
from lina_calphad.data.invariants import FIELD, invariants_of
from lina_calphad.data.mixing_data import PROPERTIES, mixing_data
from lina_calphad.errors import RecipeError
from lina_calphad.fit.forms import path_of
from lina_calphad.fit.recipe import Recipe, Source


def selected(recipe: Recipe, source: Source, phases: Sequence[str] | None = None) -> list[Dataset]:
    """The datasets of a source, with what of them a recipe can use.

    Properties of mixing in its range of composition; invariants that have errors, with those that
    the source gives in place of the dataset's; solubilities. RecipeError if nothing is left, or
    there is no invariant of a name.
    """
    pair, taken, names = recipe.components, list[Dataset](), list[str]()
    for dataset in read_datasets([path_of(recipe, source.name)], pair, phases):
        if FIELD in dataset:
            names += [one.name for one in invariants_of(dataset, pair)]
            taken.append(_with_errors(dataset, source, pair))
        elif dataset["output"] in PROPERTIES and "solver" in dataset:
            taken.append(_cut(dataset, source, pair))
        elif dataset["output"] == SOLUBILITY:
            taken.append(dataset)
    if unknown := sorted(source.errors.keys() - set(names)):
        raise RecipeError(
            f"{recipe.name}: {source.name} has no {', '.join(unknown)}; it has {', '.join(names)}"
        )
    taken = [dataset for dataset in taken if dataset["values"]]
    if not taken:
        raise RecipeError(f"{recipe.name}: {source.name} holds nothing that a recipe can use")
    return taken


def counted(recipe: Recipe) -> list[Dataset]:
    """The datasets of a recipe that count, as ESPEI takes them: with its weights."""
    weighted = []
    for source in recipe.data:
        for dataset in selected(recipe, source) if source.weight else ():
            shape = np.shape(dataset["values"]) if "solver" in dataset else ()
            weight = source.weight * np.broadcast_to(dataset.get("weight", 1.0), shape)
            weighted.append({**dataset, "weight": weight.tolist()})
    return weighted


def _with_errors(dataset: Dataset, source: Source, pair: Sequence[str]) -> Dataset:
    """The rows that have errors, written in order of the second component."""
    rows, values, entries = [*invariants_of(dataset, pair)], [], []
    for row in rows:
        given = source.errors.get(row.name, row.x_error)
        if len(given) != len(row.x):
            raise RecipeError(
                f"{row.name} of {source.name} has {len(row.x)} compositions; got errors {given}"
            )
        errors = [None if e is None or np.isnan(e) else float(e) for e in given]
        x = [None if e is None else each for e, each in zip(errors, row.x, strict=True)]
        # A critical point is written twice.
        times = 2 if row.kind == "critical" else 1
        values.append(
            [[p, [pair[1]], [each]] for p, each in zip(row.phases, x, strict=True)] * times
        )
        T_error = {} if np.isnan(row.T_error) else {"T_error": row.T_error}
        entries.append({"name": row.name, **T_error, "x_error": errors * times})
    conditions = {**dataset["conditions"], "T": [row.T for row in rows]}
    return {**dataset, "values": values, FIELD: entries, "conditions": conditions}


def _cut(dataset: Dataset, source: Source, pair: Sequence[str]) -> Dataset:
    """The configurations in the source's range of composition."""
    solver, values = dataset["solver"], np.asarray(dataset["values"], dtype=float)
    data = mixing_data([dataset], dataset["phases"][0], pair, dataset["output"])
    x = data["x"].to_numpy().reshape(values.shape[2], -1)[:, 0]
    kept = np.flatnonzero((source.x[0] <= x) & (x <= source.x[1]))
    weight = np.broadcast_to(dataset.get("weight", 1.0), values.shape)
    names = ("sublattice_configurations", "sublattice_occupancies")
    return {
        **dataset,
        "values": values[..., kept].tolist() if kept.size else [],
        "weight": weight[..., kept].tolist(),
        "solver": {**solver, **{name: [solver[name][k] for k in kept] for name in names}},
    }
