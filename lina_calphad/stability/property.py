"""Stability: pycalphad's ComputableProperty for the limit of stability of a phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from lina_calphad.checks import Array
from lina_calphad.errors import DatabaseError, UnsupportedPhase
from lina_calphad.stability.hessian import Curvature, SiteEnergy
from lina_calphad.stability.internal import site_fractions

_SAME = 1e-10  # pycalphad's own clamp of overall compositions


@dataclass(frozen=True)
class Stability:
    """Stability of a phase against unmixing, as a property of pycalphad's Workspace.

    The smallest eigenvalue of the matrix of thermodynamic factors: of the Hessian of G in
    composition against that of an ideal solution. It has no dimension, is 1 for an ideal
    solution, 0 on the spinodal, negative within, and does not depend on which component is
    the dependent one. With `CoherentModel` it is the coherent stability. Internal degrees of
    freedom follow the composition; of a composition set that would rather order it is minus
    infinity.

    Parameters
    ----------
    phase
        "BCC_A2" is the homogeneous phase at the overall composition, as if nothing else could
        form, so that a sweep shows the spinodal; "BCC_A2#1" is its first composition set in
        the equilibrium, as pycalphad counts them.
    frozen
        Let internal degrees of freedom go as in an ideal solution instead, without relaxing.

    Examples
    --------
    >>> import lina_calphad as lc
    >>> from pycalphad import Workspace, variables as v
    >>> conditions = {v.T: 300, v.P: 101325, v.N: 1, v.X("NA"): (0.02, 0.08, 0.02)}
    >>> wks = Workspace(
    ...     lc.load("santos2025"), ["LI", "NA", "VA"], ["BCC_A2"], conditions,
    ...     models=lc.CoherentModel,
    ... )
    >>> wks.get(lc.Stability("BCC_A2")).round(3).tolist()
    [0.62, 0.277, -0.03]
    """

    phase: str
    frozen: bool = False
    of: tuple[str, ...] = ()
    _energies: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    implementation_units: ClassVar[str] = ""
    display_units: ClassVar[str] = ""
    shape: ClassVar[tuple[int, ...]] = ()

    def __str__(self) -> str:
        kind = ("Stability", "Direction", "ThermodynamicFactor")[len(self.of)]
        return f"{kind}({', '.join((self.phase, *self.of))})"

    @property
    def display_name(self) -> str:
        """What a plot writes at its axis."""
        return str(self)

    def direction(self, component: str) -> Stability:
        """How the mole fraction of a component changes where the phase unmixes most easily.

        The eigenvector of the smallest eigenvalue, of length 1 over all components.
        """
        return replace(self, of=(component.upper(),))

    def thermodynamic_factor(self, i: str, j: str, dependent: str | None = None) -> Stability:
        """x_i/RT dmu_i/dx_j, at the expense of the dependent component (the first but i and j)."""
        named = tuple(c.upper() for c in (i, j, dependent or ""))
        return replace(self, of=named[: 3 if dependent else 2])

    def compute_property(
        self, compsets: Sequence[Any], cur_conds: Any, chemical_potentials: Any
    ) -> float:
        """The number at one point; NaN where there is no equilibrium or no such composition."""
        del cur_conds, chemical_potentials  # the composition sets know
        if not compsets:
            return float("nan")
        name, _, number = self.phase.upper().partition("#")
        mine = [c for c in compsets if c.phase_record.phase_name == name]
        factory = compsets[0].phase_record.phase_record_factory
        if name not in factory.models:
            raise DatabaseError(
                f"{name} is not in this calculation; it has {', '.join(sorted(factory.models))}"
            )
        energy = self._energy(factory.models[name], tuple(map(str, factory.param_symbols)))
        dof = np.asarray(compsets[0].dof)
        state = dict(zip(map(str, factory.state_variables), dof, strict=False))
        where = np.array(state["T"]), float(state["P"]), tuple(factory.param_values)
        if number:
            y = _of(mine[int(number) - 1], energy) if len(mine) >= int(number) else None
        elif len(compsets) == len(mine) == 1:
            y = _of(mine[0], energy)
        else:
            y = _homogeneous(energy, factory, compsets, where)
        if y is None:
            return float("nan")
        found = energy.curvature(where[0], y, *where[1:], relaxed=not self.frozen)
        if not number and np.isneginf(found.values[0]):  # a saddle, which pycalphad may stop at
            y = _homogeneous(energy, factory, compsets, where)
            assert y is not None
            found = energy.curvature(where[0], y, *where[1:], relaxed=not self.frozen)
        return self._read(energy, found)

    def _energy(self, model: Any, symbols: tuple[str, ...]) -> SiteEnergy:
        if id(model) not in self._energies:
            self._energies[id(model)] = (model, SiteEnergy(model, symbols))  # model: keep its id
        result: SiteEnergy = self._energies[id(model)][1]
        return result

    def _read(self, energy: SiteEnergy, found: Curvature) -> float:
        if strange := [c for c in self.of if c not in energy.elements]:
            raise UnsupportedPhase(
                f"{energy.phase} holds {', '.join(energy.elements)}, not {strange[0]}"
            )
        at = [energy.elements.index(c) for c in self.of]
        if not at:
            return float(found.values[..., 0])
        if len(at) == 1:
            return float(found.directions[..., at[0], 0])
        rest = [i for i in range(len(energy.elements)) if i not in at[:2]]
        if at[2:]:
            rest = [i for i in at[2:] if i not in at[:2]]
        if not rest:
            raise UnsupportedPhase(
                "the dependent component is another than those of a thermodynamic factor"
            )
        i, j = (k - (k > rest[0]) for k in at[:2])
        return float(found.thermodynamic_factors(rest[0])[..., i, j])


def _of(compset: Any, energy: SiteEnergy) -> Array:
    """Site fractions of a composition set, of those that mix."""
    record = compset.phase_record
    dof = np.asarray(compset.dof)[record.num_statevars :]
    share = dict(zip(record.variables, dof, strict=False))
    return np.array([share[y] for y in energy.variables])


def _homogeneous(
    energy: SiteEnergy, factory: Any, compsets: Sequence[Any], where: tuple[Any, ...]
) -> Array | None:
    """Site fractions of the one phase at the overall composition; None if it has no such."""
    x = sum(c.NP * np.asarray(c.X) for c in compsets)
    share = dict(zip(factory.nonvacant_elements, x / x.sum(), strict=True))
    own = np.array([share.pop(e) for e in energy.elements])
    if sum(share.values()) > _SAME:
        return None
    try:
        return site_fractions(energy, where[0], own / own.sum(), *where[1:])
    except ValueError:
        return None
