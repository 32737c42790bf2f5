"""What a refit starts from: settings, data, a database with free symbols, ESPEI's inputs."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pycalphad import Database, Model

from lina_calphad.data.assessments import assessments, read_with_origin
from lina_calphad.data.databases import copy_database, remove_parameters, tdb_body
from lina_calphad.data.datasets import SOLUBILITY, Dataset, read_datasets
from lina_calphad.data.interactions import free_interactions, symbol_value, without_interactions
from lina_calphad.errors import (
    DatabaseError,
    DataLeftOut,
    DatasetError,
    ElasticDataError,
    ParameterError,
)
from lina_calphad.fit.espei_inputs import inputs, phase_models, table_of
from lina_calphad.fit.models import OURS, find_model
from lina_calphad.fit.settings import RefitSettings
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import build_model
from lina_calphad.report import results_folder

_PACKAGES = ("lina-calphad", "pycalphad", "espei", "emcee", "numpy")

#: Outputs from which ESPEI generates parameters, by how they begin.
THERMOCHEMICAL = ("HM_", "SM_", "CPM_")


@dataclass(frozen=True, eq=False)
class Setup:
    """A refit ready to run."""

    settings: RefitSettings
    source: Database  # as it is
    old: dict[str, float]  # values of its parameters that are fitted, by symbol
    start: Database  # without the parameters that ESPEI generates, the others as symbols
    datasets: list[Dataset]
    generated: tuple[str, ...]  # phases whose parameters ESPEI generates
    model: type[Model]  # of the fitted phases
    elastic_added: bool  # whether the elastic data come from a file of ours, not the source
    notes: tuple[str, ...] = ()  # what to know of the data

    @property
    def phase_models(self) -> dict[str, Any]:
        """ESPEI's description of the phases."""
        settings, path = self.settings, self.settings.model
        if path in OURS:
            # The fitting description brings our residuals to ESPEI; without it the model does.
            light = self.generated and path == "coherent"
            path = f"lina_calphad.{'' if light else 'espei_hooks.'}{OURS[path]}"
        return phase_models(self.source, settings.components, settings.phases, path)

    @property
    def linear(self) -> bool:
        """Whether the parameters may enter the data linearly."""
        return all(d["output"].startswith(THERMOCHEMICAL) and "solver" in d for d in self.datasets)


def prepare(settings: RefitSettings) -> Setup:
    """Read and check everything a refit needs; LinaCalphadError for what does not fit together."""
    pair = settings.components
    source, own = read_with_origin(settings.source, pair, settings.phases)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataLeftOut)
        datasets = read_datasets(settings.data, pair, sorted(source.phases))
    model = find_model(settings.model)
    for misfit in _misfits(source, settings, datasets, model):
        raise DatasetError(misfit)
    for phase in settings.phases:
        try:
            build_model(model, source, pair, phase)
        except ElasticDataError as error:
            raise ElasticDataError(
                f"{error}. Or fit the chemical model (--model chemical)"
            ) from error
    start, generated = source, []
    old = {name: symbol_value(source, name) for name in settings.symbols}
    for phase in () if settings.symbols else settings.phases:
        energies = any(
            d["phases"] == [phase] and d["output"].startswith(THERMOCHEMICAL) for d in datasets
        )
        freed = start
        try:
            freed, values = free_interactions(start, phase, pair)
            old |= values
        except DatabaseError as error:
            if not energies:
                raise ParameterError(
                    f"the data hold no energies of {phase} to generate parameters from, and {error}"
                ) from error
        if energies:
            generated.append(phase)
        start = without_interactions(start, phase, pair) if energies else freed
    return Setup(
        settings, source, old, start, datasets, tuple(generated), model,
        not own or settings.source in assessments(), tuple(str(w.message) for w in caught),
    )  # fmt: skip


def generate(setup: Setup) -> tuple[Database, dict[str, float]]:
    """Let ESPEI generate parameters where there are energies, and name all that is fitted.

    A copy of the start with the parameters, and the symbols to fit with their values. DatasetError
    if ESPEI finds nothing to fit in the data.
    """
    settings, dbf = setup.settings, copy_database(setup.start)
    if settings.symbols:
        return dbf, dict(setup.old)
    if setup.generated:
        dbf = _generated(setup, dbf)
    values: dict[str, float] = {}
    highest = math.inf if settings.order is None else settings.order
    remove_parameters(
        dbf, lambda p: p["phase_name"] in setup.generated and p["parameter_order"] > highest
    )
    for phase in settings.phases:
        try:
            dbf, found = free_interactions(dbf, phase, settings.components)
        except DatabaseError as error:
            raise DatasetError(
                f"ESPEI generated no parameter of {phase} from {', '.join(settings.data)}"
            ) from error
        # Those that are there beyond the order keep their values.
        values |= {n: v for n, v in found.items() if int(n.rstrip("ABC")[-1]) <= highest}
    for name in set(dbf.symbols) - set(setup.start.symbols) - set(values):
        if name.startswith("VV"):  # ESPEI's numbered names, which ours have replaced
            del dbf.symbols[name]
    return dbf, values


def write_inputs(
    setup: Setup, folder: str | os.PathLike[str], *, overwrite: bool = False
) -> list[Path]:
    """Write what the plain ``espei --input refit.yaml`` needs: that file, models, start and data.

    OutputError if something is there already and `overwrite` is not set, or it cannot be written;
    ParameterError if the settings limit the order, which ESPEI's input cannot.
    """
    settings, folder = setup.settings, Path(folder)
    if settings.order is not None:
        raise ParameterError(
            "plain ESPEI chooses the order of the parameters itself: leave out --order"
        )
    files = inputs(
        "refit.yaml", "refitted.tdb", setup.start, setup.phase_models, setup.datasets,
        symbols=() if setup.generated else [*setup.old],
        iterations=max(1, settings.iterations), deviation=0.05,
    )  # fmt: skip
    top = [name for name in files if "/" not in name]
    with results_folder(folder, [*top, "datasets/"], overwrite=overwrite) as temporary:
        (temporary / "datasets").mkdir()
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def inputs_of(setup: Setup) -> dict[str, str]:
    """What a chain rests on, by name: versions, and hashes of data, start and model."""
    module = Path(inspect.getfile(setup.model))
    texts = {
        "the start database": tdb_body(setup.source),
        "the model": f"{setup.model.__qualname__} {module.read_text(encoding='utf-8')}",
    }
    for i, dataset in enumerate(setup.datasets):
        name = f"dataset {i + 1} ({dataset.get('reference', 'no reference')})"
        texts[name] = json.dumps(dataset, sort_keys=True)
    inputs = {f"the version of {name}": version(name) for name in _PACKAGES}
    return inputs | {n: hashlib.sha256(t.encode()).hexdigest() for n, t in texts.items()}


def _generated(setup: Setup, dbf: Database) -> Database:
    import espei

    from lina_calphad.espei_hooks import fitting_description

    dbf.elements.discard("/-")  # the electron gas, of which ESPEI has no data
    try:
        with warnings.catch_warnings():
            # scikit-learn of exact fits through as many data as parameters, and the like.
            warnings.simplefilter("ignore")
            return espei.generate_parameters(
                setup.phase_models, table_of(setup.datasets), "SGTE91", "linear",
                dbf=dbf, fitting_description=fitting_description,
            )  # fmt: skip
    except (KeyError, ValueError, TypeError) as error:
        raise DatasetError(
            f"ESPEI cannot generate parameters from {', '.join(setup.settings.data)}: {error!r}"
        ) from error


def _misfits(
    dbf: Database, settings: RefitSettings, datasets: list[Dataset], model: type[Model]
) -> Iterator[str]:
    """Why the data do not fit the phases, their sublattices or the model."""
    there = {phase for d in datasets for phase in d["phases"]}
    if not there & set(settings.phases) and not settings.symbols:
        yield f"the data are of {', '.join(sorted(there))}, not of {', '.join(settings.phases)}"
    kind = "coherent" if issubclass(model, CoherentModel) else "chemical"
    # Of a Model of the user's own nobody knows, unless it is one of ours.
    known = settings.model in OURS or kind == "coherent"
    for dataset in datasets:
        output, what = dataset["output"], dataset.get("reference", "a dataset")
        if output == SOLUBILITY and dataset["equilibrium"] != kind and known:
            yield (
                f"{what} has solubilities in {dataset['equilibrium']} equilibrium, and the model "
                f"is {kind}: fit them with --model {dataset['equilibrium']}"
            )
        if output.endswith("_FORM") and settings.model != "chemical":
            yield (
                f"{what} has {output}, which the coherent model of eq. 12 shifts, since it gives a "
                "pure element an elastic energy: give energies of mixing (HM_MIX), or take "
                "--model chemical"
            )
        if output == "ZPF" and settings.model != "chemical":
            yield (
                f"{what} has equilibria between phases, which a coherent model does not describe: "
                "fit them with the chemical model (--model chemical), or give solubilities "
                f"within one phase as {SOLUBILITY}"
            )
        # ESPEI leaves data of other sublattices out, or misreads them, without a word.
        if "solver" in dataset and (phase := dataset["phases"][0]) in settings.phases:
            has = [float(ratio) for ratio in dbf.phases[phase].sublattices]
            given = [float(ratio) for ratio in dataset["solver"]["sublattice_site_ratios"]]
            if has != given:
                yield f"{what} has sublattices {given} of {phase}; {settings.source} has {has}"
