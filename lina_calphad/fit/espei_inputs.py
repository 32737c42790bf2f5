"""What plain ESPEI needs of us: data as it keeps them, models of phases, inputs of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml
from pycalphad import Database

from lina_calphad.data.databases import tdb_body
from lina_calphad.data.datasets import Dataset
from lina_calphad.fit.selection import counted

if TYPE_CHECKING:
    from lina_calphad.fit.assess import Assessed


def table_of(datasets: Sequence[Dataset]) -> Any:
    """The datasets as ESPEI keeps them."""
    from espei.utils import MemoryStorage, PickleableTinyDB

    table = PickleableTinyDB(storage=MemoryStorage)
    table.insert_multiple(json.loads(json.dumps(datasets)))
    return table


def phase_models(
    dbf: Database, components: Sequence[str], phases: Sequence[str], model: str
) -> dict[str, Any]:
    """ESPEI's description of phases, all with the model of an import path."""
    active, found = {*components, "VA"}, {}
    for phase in phases:
        sublattices = [sorted(s.name for s in part) for part in dbf.phases[phase].constituents]
        found[phase] = {
            "sublattice_model": [[n for n in names if n in active] for names in sublattices],
            "sublattice_site_ratios": [float(ratio) for ratio in dbf.phases[phase].sublattices],
            "model": model,
        }
    return {"components": [*components, "VA"], "phases": found}


def inputs(
    name: str,
    output: str,
    start: Database,
    models: Mapping[str, Any],
    datasets: Sequence[Dataset],
    *,
    symbols: Sequence[str] = (),
    iterations: int,
    deviation: float,
) -> dict[str, str]:
    """Files of a plain run by name: what is asked for, the models, the start and the data.

    Without `symbols` to sample parameters are generated first. The walkers begin at relative
    deviations.
    """
    run: dict[str, Any] = {
        # ESPEI takes every JSON file below the folder of datasets for one.
        "system": {"phase_models": "phase_models.json", "datasets": "datasets"},
        "output": {"verbosity": 1, "output_db": output},
    }
    mcmc: dict[str, Any] = {
        "iterations": iterations,
        "scheduler": None,
        "save_interval": 10,
        # ESPEI wants an even number for each parameter, and does not know these yet.
        "chains_per_parameter": 4,
        "chain_std_deviation": deviation,
    }
    if symbols:
        mcmc |= {"input_db": "start.tdb", "symbols": sorted(symbols)}
    else:
        run["generate_parameters"] = {
            "excess_model": "linear",
            "ref_state": "SGTE91",
            "input_db": "start.tdb",
            "fitting_description": "lina_calphad.espei_hooks.fitting_description",
        }
    run["mcmc"] = mcmc
    header = f"# For: espei --input {name}, in this folder, with lina-calphad installed.\n"
    files = {
        name: header + yaml.safe_dump(run, sort_keys=False),
        "phase_models.json": json.dumps(models, indent=2),
        "start.tdb": tdb_body(start),
    }
    for number, dataset in enumerate(datasets, 1):
        files[f"datasets/dataset-{number}.json"] = json.dumps(dataset, indent=1)
    return files


def espei_inputs(found: Assessed, folder: str = "espei") -> dict[str, str]:
    """Files for ``espei --input espei.yaml``, which samples the posterior of an assessment.

    Its fitted symbols are free and begin at their values, nuisances stay at zero, and the data
    are those that count. Their names begin with the folder.

    Examples
    --------
    >>> from lina_calphad.fit.assess import assess
    >>> [name for name in espei_inputs(assess("lina2026")) if "datasets" not in name]
    ['espei/espei.yaml', 'espei/phase_models.json', 'espei/start.tdb']
    """
    recipe = found.recipe
    # The model brings our residuals to ESPEI.
    model = "lina_calphad.espei_hooks.Model"
    models = phase_models(found.dbf, recipe.components, recipe.phases, model)
    files = inputs(
        "espei.yaml", "sampled.tdb", found.dbf, models, counted(recipe),
        # Measured temperatures make the posterior thin: walkers begin close together.
        symbols=found.symbols, iterations=1000, deviation=1e-4,
    )  # fmt: skip
    return {f"{folder}/{name}": text for name, text in files.items()}
