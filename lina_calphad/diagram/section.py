"""The phases of a database in the section between two components, ready for the solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pycalphad import Model
from tinydb import where

from lina_calphad.diagram.phases import Phase
from lina_calphad.errors import EnergyError, UnsupportedPhase
from lina_calphad.phase.energy import (
    PhaseEnergy,
    R,
    T,
    build_model,
    compiled,
    conditions,
    mixing_terms,
    phase_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycalphad import Database

    from lina_calphad.checks import Array


@dataclass(frozen=True)
class Section:
    """A phase in the section between two components.

    Parameters
    ----------
    name
        Of the phase.
    origin, change
        Amounts of both components per mole of mixing sites (of formula units, where nothing
        mixes) at y = 0, and how they change with y; see `lina_calphad.diagram.equilibria.Phase`.
    others
        Amounts of other species per mole of the two components, by name.
    energy
        Gibbs energy in J per the same, without ideal mixing: an expression in y (as x) and T.
    """

    name: str
    origin: tuple[float, float]
    change: tuple[float, float] | None
    others: Mapping[str, float]
    energy: Any

    def compiled(self, symbols: Sequence[str] = ()) -> Phase:
        """The phase for the solver; `symbols` stay free."""
        g = self.energy / (R * T)
        try:
            terms = compiled((g,) if self.change is None else mixing_terms(g), tuple(symbols))
        except EnergyError as error:
            raise EnergyError(f"{self.name}: {error}") from error
        if self.change is not None:
            sides = tuple(conditions(g))
            switches = compiled(sides, tuple(symbols)) if sides else None
            return Phase(self.name, terms, self.origin, self.change, switches)

        def fixed(T: Array, *values: Array) -> Array:
            return terms(T, np.zeros_like(T), *values)[..., 0]

        return Phase(self.name, fixed, self.origin, None)


def section(
    dbf: Database,
    components: Sequence[str],
    phase: str,
    model: type[Model] = Model,
    pressure: float = 101325.0,
    *,
    others: Sequence[str] = (),
    symbols: Sequence[str] = (),
) -> Section:
    """A phase of a database between two components, as of `lina_calphad.BinarySystem`.

    `others` are held by sublattices throughout the section, as C of (A,B)1(C)1.
    """
    name = phase_name(dbf, phase)
    pair = tuple(component.upper() for component in components)
    active = [*pair, *(o.upper() for o in others), "VA"]
    held = _held(dbf.phases[name], active)
    text = " : ".join(", ".join(names) for names in held)
    if not all(held):
        raise UnsupportedPhase(f"a sublattice of {name} holds nothing of {', '.join(active)}")
    mixing = [names for names in held if len(names) > 1]
    if len(mixing) > 1:
        raise UnsupportedPhase(
            f"{name} mixes on {len(mixing)} sublattices ({text}); one is supported"
        )
    if mixing and not (len(mixing[0]) == 2 and set(mixing[0]) <= {*pair, "VA"}):
        msg = f"{name} mixes {', '.join(mixing[0])}; {pair[0]} and {pair[1]}, or one of " \
              "them and vacancies, are supported"  # fmt: skip
        raise UnsupportedPhase(msg)
    if dbf.phases[name].model_hints.get("ordered_phase") == name:
        raise UnsupportedPhase(f"{name} is an ordered phase, which is not supported")
    if not any(
        {s.name for names in given["constituent_array"] for s in names} <= {*active, "*"}
        for given in dbf.search(where("phase_name") == name)
    ):
        raise EnergyError(
            f"{name} has no energy: the database has no parameter of it for {', '.join(active)}"
        )
    found = PhaseEnergy(build_model(model, dbf, active[:-1], name, symbols), symbols)
    first, second = _in_order(mixing[0], pair) if mixing else ("", "")
    site = float(found.sites[0]) if mixing else 1.0
    held_alone = {c: found.amounts(c)[0] / site for c in active}
    low, high = (
        [found.amounts(c)[1].get(end, 0.0) / site for c in pair] for end in (first, second)
    )
    origin = (held_alone[pair[0]] + low[0], held_alone[pair[1]] + low[1])
    change = (high[0] - low[0], high[1] - low[1]) if mixing else None
    if sum(origin) <= 0 and change is None:
        raise UnsupportedPhase(f"{name} holds neither {pair[0]} nor {pair[1]}")
    if change is not None and not origin[0] * change[1] - origin[1] * change[0]:
        raise UnsupportedPhase(
            f"{name} mixes {first} and {second} ({text}), and holds nothing else of the section"
        )
    per = sum(origin) if change is None or sum(change) == 0 else 0.0
    rest = {o: held_alone[o] / per for o in active[2:-1] if held_alone[o] and per}
    return Section(name, origin, change, rest, sum(found.between(first, second, pressure)))


def phases_of(dbf: Database, components: Sequence[str]) -> list[str]:
    """Names of the phases whose every sublattice holds something of components or vacancies."""
    active = [*components, "VA"]
    return sorted(n for n, p in dbf.phases.items() if not p.constituents or all(_held(p, active)))


def _held(phase: Any, active: Sequence[str]) -> list[list[str]]:
    """Names of the species on each sublattice of a phase that are made of active elements."""
    return [
        sorted(s.name for s in names if set(s.constituents) <= set(active))
        for names in phase.constituents
    ]


def _in_order(names: Sequence[str], pair: Sequence[str]) -> tuple[str, str]:
    """The species at y = 0 and y = 1, so that there is more of the second component there."""
    rank = {pair[0]: 0, "VA": 1, pair[1]: 2}
    low, high = sorted(names, key=rank.__getitem__)
    return low, high
