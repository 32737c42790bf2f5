"""A recipe for ESPEI: what it fits, as inputs of a plain run that samples the same posterior."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from lina_calphad.data.databases import tdb_body
from lina_calphad.data.datasets import read_datasets
from lina_calphad.data.invariants import FIELD
from lina_calphad.fit.forms import path_of
from lina_calphad.fit.setup import phase_models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lina_calphad.data.datasets import Dataset
    from lina_calphad.fit.assess import Assessed
    from lina_calphad.fit.recipe import Recipe, Source

_HEADER = "# For: espei --input espei.yaml, in this folder, with lina-calphad installed.\n"


def espei_inputs(found: Assessed, folder: str = "espei") -> dict[str, str]:
    """Files for ``espei --input espei.yaml``, which samples the posterior of an assessment.

    Its fitted symbols are free and begin at their values, nuisances stay at zero, and the data
    are those that count.

    Parameters
    ----------
    found
        As of `lina_calphad.fit.assess.assess`.
    folder
        What every name begins with.

    Returns
    -------
    dict of str to str
        From name to content.

    Examples
    --------
    >>> from lina_calphad.fit.assess import assess
    >>> [name for name in espei_inputs(assess("lina2026")) if "datasets" not in name]
    ['espei/espei.yaml', 'espei/phase_models.json', 'espei/start.tdb']
    """
    recipe = found.recipe
    # The model brings our residuals to ESPEI.
    models = phase_models(
        found.dbf, recipe.components, recipe.phases, "lina_calphad.espei_hooks.Model"
    )
    run = {
        "system": {"phase_models": "phase_models.json", "datasets": "datasets"},
        "output": {"verbosity": 1, "output_db": "sampled.tdb"},
        "mcmc": {
            "iterations": 1000,
            "scheduler": None,
            "save_interval": 10,
            "chains_per_parameter": 4,
            # Measured temperatures make the posterior thin: walkers begin close together.
            "chain_std_deviation": 1e-4,
            "input_db": "start.tdb",
            "symbols": sorted(found.symbols),
        },
    }
    files = {
        "espei.yaml": _HEADER + yaml.safe_dump(run, sort_keys=False),
        "phase_models.json": json.dumps(models, indent=2),
        "start.tdb": tdb_body(found.dbf),
    }
    for number, dataset in enumerate(counted(recipe), 1):
        files[f"datasets/dataset-{number}.json"] = json.dumps(dataset, indent=1)
    return {f"{folder}/{name}": text for name, text in files.items()}


def counted(recipe: Recipe) -> list[Dataset]:
    """The datasets of a recipe that count: cut to its range of x, with its weights and errors."""
    return [
        _chosen(dataset, source, recipe.components[1])
        for source in recipe.data
        if source.weight
        for dataset in read_datasets([path_of(recipe, source.name)], recipe.components)
    ]


def _chosen(dataset: Dataset, source: Source, second: str) -> Dataset:
    shape = np.shape(dataset["values"]) if "solver" in dataset else ()
    weight = source.weight * np.broadcast_to(dataset.get("weight", 1.0), shape)
    chosen = {**dataset, "weight": weight.tolist()}
    if FIELD in dataset:
        rows = [k for k, entry in enumerate(dataset[FIELD]) if entry is not None]
        T = np.broadcast_to(dataset["conditions"]["T"], len(dataset[FIELD]))[rows].tolist()
        chosen |= {
            "values": [dataset["values"][k] for k in rows],
            FIELD: [
                _with_errors(dataset[FIELD][k], dataset["values"][k], source, second) for k in rows
            ],
            "conditions": {**dataset["conditions"], "T": T},
        }
    elif source.x != (0.0, 1.0):
        solver, part = dataset["solver"], np.asarray(dataset["values"])
        configurations = solver["sublattice_configurations"]
        x = [
            next(
                share[names.index(second)]
                for names, share in zip(own, shares, strict=True)
                if not isinstance(names, str)
            )
            for own, shares in zip(configurations, solver["sublattice_occupancies"], strict=True)
        ]
        kept = [k for k, value in enumerate(x) if source.x[0] <= value <= source.x[1]]
        chosen |= {
            "values": part[..., kept].tolist(),
            "weight": weight[..., kept].tolist(),
            "solver": solver
            | {
                name: [solver[name][k] for k in kept]
                for name in ("sublattice_configurations", "sublattice_occupancies")
            },
        }
    return chosen


def _with_errors(
    entry: Mapping[str, Any], vertices: list[Any], source: Source, second: str
) -> dict[str, Any]:
    """An entry with the recipe's errors of composition, which stand in order of x."""
    errors = source.errors.get(entry.get("name", ""))
    if errors is None:
        return dict(entry)
    if len(errors) == 1:  # a critical point is written twice
        return {**entry, "x_error": [*errors, *errors]}
    x = [vertex[2][0] for vertex in vertices]
    order = np.arange(len(x)) if None in x else np.argsort(x)
    if vertices[0][1][0] != second:
        order = order[::-1]
    written: list[Any] = [None] * len(x)
    for error, place in zip(errors, order, strict=True):
        written[place] = error
    return {**entry, "x_error": written}
