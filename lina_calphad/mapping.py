"""Phase diagrams mapped by pycalphad with the models you ask for, and their invariants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pycalphad import Model
from pycalphad import variables as v
from pycalphad.core.utils import filter_phases, instantiate_models, unpack_species
from pycalphad.mapping import BinaryStrategy

from lina_calphad.errors import NotConverged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycalphad import Database


class _BinaryStrategy(BinaryStrategy):  # type: ignore[misc]  # pycalphad has no types
    # pycalphad 0.11.2 maps with the models it is given but makes the starting points
    # with its own, and the map keeps those for good: a custom model is ignored.
    def _constant_kwargs(self) -> dict[str, Any]:
        constants: dict[str, Any] = super()._constant_kwargs()
        constants |= {"models": self.models, "phase_record_factory": self.phase_records}
        return constants


def map_binary(
    dbf: Database,
    components: Sequence[str],
    phases: Sequence[str],
    conditions: Mapping[Any, Any],
    model: type[Model] | Mapping[str, type[Model]] = Model,
) -> BinaryStrategy:
    """Map a binary phase diagram with pycalphad, honouring custom models.

    ``pycalphad.binplot`` accepts custom models and ignores them; this is the same
    map with the models in force. Plot it with ``pycalphad.mapping.plot_binary``.

    Parameters
    ----------
    dbf, components, phases, conditions
        As of ``pycalphad.binplot``.
    model
        A Model class for every phase, or one for each phase named (pycalphad's own
        for the rest). Map `CoherentModel` with its phase alone; see its note on gauge.

    Returns
    -------
    pycalphad.mapping.BinaryStrategy
        The finished map.

    Examples
    --------
    >>> from lina_calphad import CoherentModel, load
    >>> conditions = {v.T: (150, 250, 10), v.P: 101325, v.X("NA"): (0, 1, 0.02)}
    >>> components = ["LI", "NA", "VA"]
    >>> coherent = map_binary(
    ...     load("zhang2003"), components, ["BCC_A2"], conditions, CoherentModel
    ... )
    >>> top = max(T for data in coherent.get_tieline_data(v.X("NA"), v.T) for T in data.data[0].y)
    >>> bool(200 < top < 206)
    True
    """
    active = filter_phases(dbf, unpack_species(dbf, list(components)), list(phases))
    chosen = model if isinstance(model, type) else dict(model)
    models = instantiate_models(dbf, list(components), active, model=chosen)
    strategy = _BinaryStrategy(dbf, list(components), active, dict(conditions), models=models)
    strategy.do_map()
    return strategy


@dataclass(frozen=True)
class Invariant:
    """Three phases in equilibrium at one temperature.

    Parameters
    ----------
    kind
        "eutectic", "monotectic", "peritectic" or "syntectic".
    T
        Temperature in K.
    phases
        Name and mole fraction of the second component, in order of the latter.
    """

    kind: str
    T: float
    phases: tuple[tuple[str, float], ...]

    def x(self, phase: str) -> list[float]:
        """Compositions of a phase at the invariant, in ascending order."""
        return [x for name, x in self.phases if name == phase]


# (liquids, whether the middle phase is liquid) of a reaction with three phases
_KINDS = {
    (1, True): "eutectic",
    (1, False): "peritectic",
    (2, True): "monotectic",
    (2, False): "syntectic",
}


def invariants(
    dbf: Database,
    components: Sequence[str] = ("LI", "NA"),
    phases: Sequence[str] = ("LIQUID", "BCC_A2"),
    temperature_range: tuple[float, float] = (250.0, 700.0),
) -> tuple[Invariant, ...]:
    """Three-phase equilibria with the liquid, from pycalphad's map with the plain models.

    Parameters
    ----------
    dbf
        The database.
    components
        The two elements; compositions are mole fractions of the second.
    phases
        Phases to consider, the liquid among them as LIQUID.
    temperature_range
        In K; where to map.

    Returns
    -------
    tuple of Invariant
        From low temperature to high.

    Raises
    ------
    NotConverged
        If pycalphad's map fails.

    Examples
    --------
    >>> from lina_calphad import load
    >>> [(i.kind, round(i.T, 2)) for i in invariants(load("zhang2003"))]
    [('eutectic', 360.17), ('monotectic', 444.5)]
    """
    x = v.X(components[1])
    conditions = {v.T: (*temperature_range, 10.0), v.P: 101325, x: (0, 1, 0.02)}
    try:
        mapped = map_binary(dbf, [*components, "VA"], phases, conditions)
    except Exception as error:
        msg = f"pycalphad could not map {', '.join(phases)}: {type(error).__name__}: {error}"
        raise NotConverged(msg) from error
    found = []
    for node in mapped.get_invariant_data(x, v.T):
        three = sorted((p.phase.split("#")[0], float(p.x)) for p in node.data)
        three.sort(key=lambda phase: phase[1])
        liquids = [name == "LIQUID" for name, _ in three]
        kind = _KINDS.get((sum(liquids), liquids[1]))
        if kind:
            found.append(Invariant(kind, float(node.data[0].y), tuple(three)))
    return tuple(sorted(found, key=lambda invariant: invariant.T))
