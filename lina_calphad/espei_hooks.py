"""What ESPEI imports from us: residuals of measured equilibria and a fitting description.

Importing this module registers `SolubilityResidual` and `InvariantResidual` with ESPEI, and makes
ESPEI's own residual of tie-lines leave out what the latter takes. The `espei` command imports
it when an input names something in it, such as
``fitting_description: lina_calphad.espei_hooks.fitting_description`` or, in the phase models,
``"model": "lina_calphad.espei_hooks.CoherentModel"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from espei.error_functions.residual_base import ResidualFunction, residual_function_registry
from espei.error_functions.zpf_error import ZPFResidual
from espei.parameter_selection.fitting_descriptions import ModelFittingDescription
from espei.parameter_selection.fitting_steps import (
    AbstractLinearPropertyStep,
    StepCPM,
    StepHM,
    StepSM,
    StepV0,
)
from espei.utils import PickleableTinyDB, database_symbols_to_fit
from pycalphad import Database, Model
from pycalphad import variables as v
from scipy.stats import norm
from symengine import S
from tinydb import where
from tinydb.storages import MemoryStorage

from lina_calphad.checks import Array, Flags
from lina_calphad.data.databases import CONSTANTS
from lina_calphad.data.invariants import FIELD, read_invariants
from lina_calphad.diagram.residuals import Residuals
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import (
    DatasetError,
    MissingElasticData,
    NoCriticalPoint,
    NoMiscibilityGap,
    NotConverged,
    SeveralMiscibilityGaps,
)
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.solution import BinarySolution

__all__ = [
    "CoherentModel",
    "FittingModel",
    "InvariantResidual",
    "Model",
    "OtherTieLines",
    "SolubilityResidual",
    "StepC11",
    "StepC12",
    "StepC44",
    "elastic_fitting_description",
    "fitting_description",
]


# What a stability of one, that of an ideal solution, adds to ln x where there is no gap.
_BEYOND = 10.0


class FittingModel(CoherentModel):
    """`CoherentModel` of a database that is still being fitted.

    Without complete elastic data, which a step may have yet to fit, there is no elastic energy.
    Its attributes C11, C12, C44 (GPa) are what the database has so far, as ESPEI's steps read them.
    """

    def build_phase(self, dbe: Database) -> None:
        """Build the phase, then the elastic constants."""
        super().build_phase(dbe)
        phase = dbe.phases[self.phase_name]
        for name in CONSTANTS:
            query = (
                (where("phase_name") == phase.name)
                & (where("parameter_type") == name)
                & where("constituent_array").test(self._array_validity)
            )
            value = self.redlich_kister_sum(phase, dbe.search, query)
            setattr(self, name, self.symbol_replace(S(value), self._symbols))

    def elastic_energy(self, dbe: Database) -> Any:
        """Elastic energy of coherent unmixing in J/mol of atoms; zero without elastic data."""
        try:
            return super().elastic_energy(dbe)
        except MissingElasticData:
            self.coherency, self._endmember_elastic = {}, S.Zero
            return S.Zero


class _StepElasticConstant(AbstractLinearPropertyStep):  # type: ignore[misc]  # ESPEI has no types
    """Elastic constants in GPa, constant or linear in temperature, from data of their name."""

    features: ClassVar[list[Any]] = [S.One, v.T]
    # A stiffness is not a quantity per mole.
    normalize_parameter_per_mole_formula = False


StepC11, StepC12, StepC44 = (
    type(f"Step{name}", (_StepElasticConstant,), {"parameter_name": name, "data_types_read": name})
    for name in CONSTANTS
)

#: Gibbs energies from heat capacities, entropies and enthalpies; the contribution
#: "elastic" may be excluded from the data.
fitting_description = ModelFittingDescription([StepCPM, StepSM, StepHM], model=FittingModel)

#: Molar volumes (m³/mol of atoms, output "V0") and elastic constants (GPa). A run of its
#: own, before that of the Gibbs energies: ESPEI skips the elements once these have any.
elastic_fitting_description = ModelFittingDescription(
    [StepV0, StepC11, StepC12, StepC44], model=FittingModel
)


class _Exact(ResidualFunction):  # type: ignore[misc]  # ESPEI has no types
    """What our residuals share: which data they take, ESPEI's arguments, a Gaussian likelihood.

    A subclass says in `_parts` what computes residuals and errors of the data of a binary.
    """

    _query: ClassVar[Any]
    _weight: ClassVar[str]

    def __init__(
        self,
        database: Database,
        datasets: Any,
        phase_models: Any,
        symbols_to_fit: Sequence[str] | None = None,
        weight: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(database, datasets, phase_models, symbols_to_fit, weight)
        self._symbols = symbols_to_fit or database_symbols_to_fit(database)
        self._models = phase_models.get_model_dict() if phase_models else {}
        self._factor = (weight or {}).get(self._weight, 1.0)
        there = {*(phase_models.components if phase_models else database.elements)}
        pairs: dict[tuple[str, ...], list[Any]] = {}
        for dataset in datasets.search(self._query):
            components, phases = {*dataset["components"]}, {*dataset["phases"]}
            if components <= there and phases <= database.phases.keys():
                pairs.setdefault(tuple(sorted(components - {"VA"})), []).append(dataset)
        self._computed = [
            part for pair, some in pairs.items() for part in self._parts(database, pair, some)
        ]

    def get_residuals(self, parameters: Any) -> tuple[list[float], list[float]]:
        """Calculate the residual of each datum, and its standard error; see the class."""
        values = np.asarray(parameters, dtype=float)
        found = [computed(values) for computed in self._computed]
        return [r for each, _ in found for r in each], [e for _, each in found for e in each]

    def get_likelihood(self, parameters: Any) -> float:
        """Log-likelihood of Gaussian errors; minus infinity where nothing can be computed."""
        try:
            residuals, errors = self.get_residuals(parameters)
        except (NoCriticalPoint, SeveralMiscibilityGaps, NotConverged):
            # One that is open at 10 000 K, or not the only one: no reason to stop a chain.
            return -np.inf
        found = float(np.sum(norm.logpdf(residuals, scale=errors)))
        return found if np.isfinite(found) else -np.inf


class SolubilityResidual(_Exact):
    """ESPEI residual of solubilities within one phase, in ln x, two-sided.

    ESPEI's residual of tie-lines hardly moves when a miscibility gap becomes too wide. This one
    compares ln x of the binodal, chemical or coherent as the phase's model says, with data of the
    output "SOLUBILITY" (`lina_calphad.data.datasets`), which ESPEI's own residuals leave alone.
    Without a gap ln x goes on from that of the critical point and grows with the stability, so
    that a sampler finds its way back. ``weight["SOLUBILITY"]`` divides every error; DatasetError
    for a dataset of another form.
    """

    _query = where("output") == "SOLUBILITY"
    _weight = "SOLUBILITY"

    def _parts(self, database: Database, pair: tuple[str, ...], datasets: list[Any]) -> Any:
        phases: dict[str, list[Any]] = {}
        for dataset in datasets:
            (phase,), (solvent, solute) = dataset["phases"], _sides(dataset)
            x = np.ravel(dataset["values"]).astype(float)
            error = dataset["ln_x_error"] / np.ravel(dataset.get("weight", 1.0)) / self._factor
            datum = dataset["conditions"]["T"], solvent > solute, np.log(x), error
            phases.setdefault(phase, []).append([np.broadcast_to(d, x.shape) for d in datum])
        for phase, some in phases.items():
            model = self._models.get(phase, Model)
            family = BinarySolution(database, pair, phase, model, symbols=self._symbols)
            # One call of the solver for all data of a phase.
            yield partial(_solubilities, family, *map(np.concatenate, zip(*some, strict=True)))


def _solubilities(
    family: BinarySolution, T: Array, side: Flags, ln_x: Array, error: Array, values: Array
) -> tuple[Array, Array]:
    """Ln of the dilute component on either side of the gap less that of each datum, and error."""
    try:
        binodal = family.binodal(T, values)
    except NoMiscibilityGap:
        result, missing = np.zeros(T.shape), np.ones(T.shape, bool)
    else:
        sides = binodal.ln_x_alpha, binodal.ln_one_minus_x_beta
        result, missing = np.where(side, *sides[::-1]), ~binodal.gap
    if missing.any():
        x, psi = family.least_stable(T[missing], values)
        result[missing] = np.log(np.where(side[missing], 1 - x, x)) + _BEYOND * psi
    return result - ln_x, error


def _sides(dataset: Mapping[str, Any]) -> tuple[str, str]:
    """Solvent and solute of a dataset of solubilities."""
    solver = dataset["solver"]
    for names, shares in zip(
        solver["sublattice_configurations"][0], solver["sublattice_occupancies"][0], strict=True
    ):
        if not isinstance(names, str) and sorted(shares) == [0.0, 1.0]:
            return names[shares.index(1.0)], names[shares.index(0.0)]
    raise DatasetError(
        f"{dataset.get('reference', 'a dataset')}: sublattice_occupancies of solubilities give "
        f"the pure solvent, such as [[[1.0, 0.0], 1.0]]; got {solver['sublattice_occupancies']}"
    )


class InvariantResidual(_Exact):
    """ESPEI residual of measured invariants and critical points, exact and two-sided.

    ESPEI's residual of tie-lines has one error, of 1000 J/mol, for all that a ZPF dataset holds,
    and hardly moves where a temperature is off by kelvins. This one compares temperatures in K and
    compositions in ln(x/(1-x)) with those of rows that have errors in the field
    ``lina_invariants`` (`lina_calphad.data.invariants`), in units of these, so that the errors it
    gives are one over the weights. Where the phases have no such equilibrium the residuals say how
    far they are from it. The invariants are those of phases free of stress: a coherent model counts
    without its elastic energy. A dataset's weight and ``weight["INVARIANT"]`` divide its errors;
    datasets of other phases are passed over.
    """

    _query = where(FIELD).exists()
    _weight = "INVARIANT"

    def _parts(self, database: Database, pair: tuple[str, ...], datasets: list[Any]) -> Any:
        plain = {n: Model if issubclass(m, CoherentModel) else m for n, m in self._models.items()}
        phases = sorted({phase for dataset in datasets for phase in dataset["phases"]})
        system = BinarySystem(database, pair, phases, plain, symbols=self._symbols)
        for dataset in datasets:
            residuals = Residuals(system, read_invariants([dataset], pair))
            yield partial(_invariants, residuals, 1 / (dataset.get("weight", 1.0) * self._factor))


def _invariants(residuals: Residuals, error: float, values: Array) -> tuple[Array, Array]:
    found, _ = residuals(values)
    return found, np.full(found.shape, error)


class OtherTieLines(ZPFResidual):  # type: ignore[misc]  # ESPEI has no types
    """ESPEI's residual of tie-lines for the rows that `InvariantResidual` does not take."""

    def __init__(self, database: Database, datasets: Any, *arguments: Any, **named: Any) -> None:
        others = PickleableTinyDB(storage=MemoryStorage)
        others.insert_multiple(
            rest for dataset in datasets.all() if (rest := _rest(dataset))["values"]
        )
        super().__init__(database, others, *arguments, **named)

    def get_residuals(self, parameters: Any) -> tuple[list[float], list[float]]:
        """Driving forces and weights as ESPEI has them; none where there are no data."""
        if not self.zpf_data:
            return [], []
        found: tuple[list[float], list[float]] = super().get_residuals(parameters)
        return found


def _rest(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """A dataset without the rows that have errors of ours."""
    if FIELD not in dataset:
        return dict(dataset)
    left = [k for k, entry in enumerate(dataset[FIELD]) if entry is None]
    T = np.broadcast_to(dataset["conditions"]["T"], len(dataset[FIELD]))
    conditions = {**dataset["conditions"], "T": [float(T[k]) for k in left]}
    return {**dataset, "values": [dataset["values"][k] for k in left], "conditions": conditions}


for _each in (SolubilityResidual, InvariantResidual):
    residual_function_registry.register(_each)
_registered = residual_function_registry.get_registered_residual_functions()
_registered[:] = [OtherTieLines if each is ZPFResidual else each for each in _registered]
