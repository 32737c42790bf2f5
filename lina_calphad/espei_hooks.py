"""What ESPEI imports from us: residuals of measured equilibria and a fitting description.

Importing this module registers `SolubilityResidual` and `InvariantResidual` with ESPEI, and makes
ESPEI's own residual of tie-lines leave out what the latter takes. The `espei` command imports
it when an input names something in it, such as
``fitting_description: lina_calphad.espei_hooks.fitting_description`` or, in the phase models,
``"model": "lina_calphad.espei_hooks.CoherentModel"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class SolubilityResidual(ResidualFunction):  # type: ignore[misc]  # ESPEI has no types
    """ESPEI residual of solubilities within one phase, in ln x, two-sided.

    ESPEI's residual of tie-lines hardly moves when a miscibility gap becomes too wide. This one
    compares ln x of the binodal, chemical or coherent as the phase's model says, with data of the
    output "SOLUBILITY" (`lina_calphad.data.datasets`), which ESPEI's own residuals leave alone.
    ``weight["SOLUBILITY"]`` divides every error; DatasetError for a dataset of another form.
    """

    def __init__(
        self,
        database: Database,
        datasets: Any,
        phase_models: Any,
        symbols_to_fit: Sequence[str] | None = None,
        weight: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(database, datasets, phase_models, symbols_to_fit, weight)
        symbols = symbols_to_fit or database_symbols_to_fit(database)
        comps = set(phase_models.components) if phase_models else set(database.elements)
        models = phase_models.get_model_dict() if phase_models else {}
        factor = (weight or {}).get("SOLUBILITY", 1.0)
        parts: dict[tuple[str, ...], list[Any]] = {}
        for dataset in datasets.search(where("output") == "SOLUBILITY"):
            (phase,) = dataset["phases"]
            if phase not in database.phases or not comps.issuperset(dataset["components"]):
                continue
            solvent, solute = _sides(dataset)
            x = np.ravel(dataset["values"]).astype(float)
            scale = dataset["ln_x_error"] / np.ravel(dataset.get("weight", 1.0)) / factor
            datum = dataset["conditions"]["T"], solvent > solute, np.log(x), scale
            key = (phase, *sorted((solvent, solute)))
            parts.setdefault(key, []).append([np.broadcast_to(d, x.shape) for d in datum])
        # One call of the solver for all data of a phase: T, which side, ln x and its error.
        self._sets: list[tuple[Any, ...]] = [
            (
                BinarySolution(database, pair, phase, models.get(phase, Model), symbols=symbols),
                *(np.concatenate(a) for a in zip(*some, strict=True)),
            )
            for (phase, *pair), some in parts.items()
        ]

    @property
    def measured(self) -> list[float]:
        """Ln x of each datum."""
        return [value for *_, ln_x, _ in self._sets for value in ln_x]

    def get_residuals(self, parameters: Any) -> tuple[list[float], list[float]]:
        """Calculate ln x less that of each datum, and the standard error of each.

        Without a gap ln x goes on from that of the critical point and grows with the stability,
        so that a sampler finds its way back.
        """
        residuals: list[float] = []
        errors: list[float] = []
        for family, T, side, ln_x, scale in self._sets:
            residuals.extend(_ln_solubility(family, T, side, np.asarray(parameters)) - ln_x)
            errors.extend(scale)
        return residuals, errors

    def get_likelihood(self, parameters: Any) -> float:
        """Log-likelihood of Gaussian errors in ln x; minus infinity for an impossible gap."""
        try:
            residuals, errors = self.get_residuals(parameters)
        except (NoCriticalPoint, SeveralMiscibilityGaps, NotConverged):
            # One that is open at 10 000 K, or not the only one: no reason to stop a chain.
            return -np.inf
        return float(np.sum(norm.logpdf(residuals, scale=errors)))


def _ln_solubility(family: BinarySolution, T: Array, side: Flags, values: Array) -> Array:
    """Logarithm of the dilute component on either side of the gap."""
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
    return result


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


class InvariantResidual(ResidualFunction):  # type: ignore[misc]  # ESPEI has no types
    """ESPEI residual of measured invariants and critical points, exact and two-sided.

    ESPEI's residual of tie-lines has one error, of 1000 J/mol, for all that a ZPF dataset holds,
    and hardly moves where a temperature is off by kelvins. This one compares temperatures in K and
    compositions in ln(x/(1-x)) with those of rows that have errors in the field
    ``lina_invariants`` (`lina_calphad.data.invariants`). The invariants are those of phases free of
    stress: a coherent model counts without its elastic energy. A dataset's weight and
    ``weight["INVARIANT"]`` divide its errors; datasets of other phases are passed over.
    """

    def __init__(
        self,
        database: Database,
        datasets: Any,
        phase_models: Any,
        symbols_to_fit: Sequence[str] | None = None,
        weight: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(database, datasets, phase_models, symbols_to_fit, weight)
        symbols = symbols_to_fit or database_symbols_to_fit(database)
        comps = set(phase_models.components) if phase_models else set(database.elements)
        models = {
            name: Model if issubclass(model, CoherentModel) else model
            for name, model in (phase_models.get_model_dict() if phase_models else {}).items()
        }
        factor = (weight or {}).get("INVARIANT", 1.0)
        parts: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
        for dataset in datasets.search(where(FIELD).exists()):
            if comps.issuperset(dataset["components"]) and {*dataset["phases"]} <= {
                *database.phases
            }:
                pair = tuple(sorted({*dataset["components"]} - {"VA"}))
                parts.setdefault(pair, []).append(dataset)
        self._sets: list[tuple[Residuals, float]] = []
        for pair, some in parts.items():
            phases = sorted({phase for dataset in some for phase in dataset["phases"]})
            system = BinarySystem(database, pair, phases, models, symbols=symbols)
            self._sets += [
                (Residuals(system, read_invariants([d], pair)), d.get("weight", 1.0) * factor)
                for d in some
            ]

    def get_residuals(self, parameters: Any) -> tuple[list[float], list[float]]:
        """Calculate residuals in units of their errors, and these units: one over the weights.

        Where the phases have no such equilibrium the residuals say how far they are from it, so
        that a sampler finds its way back.
        """
        residuals: list[float] = []
        errors: list[float] = []
        for part, factor in self._sets:
            found, _ = part(np.asarray(parameters, dtype=float))
            residuals.extend(found.tolist())
            errors.extend([1 / factor] * found.size)
        return residuals, errors

    def get_likelihood(self, parameters: Any) -> float:
        """Log-likelihood of Gaussian errors; minus infinity where nothing can be computed."""
        residuals, errors = self.get_residuals(parameters)
        found = float(np.sum(norm.logpdf(residuals, scale=errors)))
        return found if np.isfinite(found) else -np.inf


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


residual_function_registry.register(SolubilityResidual)
residual_function_registry.register(InvariantResidual)
_registered = residual_function_registry.get_registered_residual_functions()
_registered[:] = [OtherTieLines if each is ZPFResidual else each for each in _registered]
