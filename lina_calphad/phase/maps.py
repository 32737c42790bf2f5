"""Phase diagrams mapped by pycalphad with the models you ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pycalphad import Database, Model
from pycalphad.core.utils import filter_phases, instantiate_models, unpack_species
from pycalphad.mapping import BinaryStrategy


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
    >>> from pycalphad import variables as v
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
