"""The energy of a solution by pycalphad alone: what a check of consistency holds ours against."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from pycalphad import calculate
from pycalphad import variables as v
from scipy.special import log_expit
from symengine import Lambdify, S, Symbol

from lina_calphad.checks import Array
from lina_calphad.phase.energy import R
from lina_calphad.phase.solution import BinarySolution


class HostEnergy:
    """pycalphad's Model of the phase of a solution, of which nothing else is used."""

    def __init__(self, solution: BinarySolution) -> None:
        self.solution = solution
        self.elements = [*solution.components, "VA"]
        self.model = solution.model(solution.dbf, self.elements, solution.phase)

    def sample(self, output: str, T: Array, x: Array) -> Array:
        """A property at each temperature and composition, shape (T, x), by pycalphad's compiler."""
        first, second = self.solution.components
        share = {first: 1 - x, second: x}
        points = [share.get(y.species.name, np.ones_like(x)) for y in self.model.site_fractions]
        once, back = np.unique(T, return_inverse=True)
        result = calculate(
            self.solution.dbf, self.elements, [self.solution.phase], T=once,
            P=self.solution.pressure, points=np.column_stack(points), model=self.solution.model,
            output=output,
        )  # fmt: skip
        values: Array = result[output].values[0, 0]
        return values[back]

    @cached_property
    def _potentials(self) -> Any:
        """d(n G)/dn of both components, without ideal mixing, in amounts and temperature."""
        amounts = Symbol("n1"), Symbol("n2")
        n = amounts[0] + amounts[1]
        share = dict(zip(self.solution.components, amounts, strict=True))
        # Site fractions of vacancies are 1.
        at = {
            y: share[y.species.name] / n if y.species.name in share else S.One
            for y in self.model.site_fractions
        }
        at |= {v.T: Symbol("T"), v.P: S(self.solution.pressure)}
        # Below 1e-15 pycalphad leaves ideal mixing out: its closed form does not.
        energy = n * (S(self.model.GM) - S(self.model.models["idmix"])).xreplace(at)
        derivatives = [energy.diff(amount) for amount in amounts]
        return Lambdify([Symbol("T"), *amounts], derivatives, backend="llvm")

    def potentials(self, T: Array, t: Array) -> Array:
        """Both chemical potentials in J/mol on a last axis, at t = ln(x/(1-x))."""
        logs = np.stack([log_expit(-t), log_expit(t)], axis=-1)
        T = np.broadcast_to(T, t.shape)
        points = np.concatenate([T[..., None], np.exp(logs)], axis=-1)
        result: Array = self._potentials(points) + R * T[..., None] * logs
        return result
