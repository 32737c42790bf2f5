"""What an alloy is made of once it has unmixed: phases, amounts and volumes by the lever rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pycalphad import Database

from lina_calphad.anode.charge import mixed, molar_volume
from lina_calphad.anode.windows import describe, source_first
from lina_calphad.checks import fraction, kelvin
from lina_calphad.data.assessments import PHASE, PREFERRED, Source
from lina_calphad.diagram.alloy import Alloy

Part = tuple[str, float, float]  # a phase, its mole fraction of Na, and its share of the atoms


@source_first
def phases(
    x: ArrayLike, T: ArrayLike, source: Source | Database | Alloy = PREFERRED
) -> pd.DataFrame:
    """Phases of an alloy that has unmixed, with their amounts by the lever rule.

    One row a point, state and phase: `state` is "chemical" (free of strain, with the liquid
    where there is some) or "coherent" (bcc on one lattice; no row where all is liquid in
    equilibrium), `x_phase` its mole fraction of Na, `share` its share of the atoms and
    `volume_share` of the volume, missing beside a liquid, of which no volume is known.

    Parameters
    ----------
    x, T
        Mole fraction of Na and temperature in K, broadcast together.
    source
        As of `describe`; it may also come first.

    Raises
    ------
    ValueError
        If a mole fraction or a temperature is out of its range.
    UnknownAssessment, DatabaseError, ElasticDataError, SeveralMiscibilityGaps
        As `regions`.

    Examples
    --------
    >>> phases("santos2025", x=0.058, T=300.0)[["state", "x_phase", "volume_share"]].round(4)
          state  x_phase  volume_share
    0  chemical   0.0000        0.8982
    1  chemical   0.9968        0.1018
    2  coherent   0.0039        0.8920
    3  coherent   0.8045        0.1080
    """
    alloy = describe(source)
    T, x = np.broadcast_arrays(kelvin(T), fraction(x))
    volumes = [molar_volume(alloy, end, T).ravel() for end in (0.0, 1.0)]
    rows: list[dict[str, Any]] = []
    for point, size in enumerate(zip(*volumes, strict=True)):
        here = {"point": point, "T": T.flat[point], "x": x.flat[point]}
        for state, parts in _states(alloy, float(here["x"]), float(here["T"])).items():
            solid = all(phase == PHASE for phase, _, _ in parts)
            whole = sum(share * mixed(y, size) for _, y, share in parts)
            rows += [
                here
                | {"state": state, "phase": phase, "x_phase": y, "share": share}
                | {"volume_share": share * mixed(y, size) / whole if solid else np.nan}
                for phase, y, share in parts
            ]
    return pd.DataFrame(rows)


def _states(alloy: Alloy, x: float, T: float) -> dict[str, list[Part]]:
    """Parts of both states of an alloy, if it has them."""
    if alloy.system is None:
        free = _lever(alloy.chemical.ends("binodal", T), x, (PHASE, PHASE))
    else:
        here = next(r for r in alloy.system.regions(T)[0] if r.x_from <= x <= r.x_to)
        free = _lever((here.x_from, here.x_to), x, here.phases)
    if any(phase != PHASE for phase, _, _ in free):
        return {"chemical": free}
    coherent = _lever(alloy.coherent.ends("binodal", T), x, (PHASE, PHASE))
    return {"chemical": free, "coherent": coherent}


def _lever(ends: Any, x: float, phases: tuple[str, ...]) -> list[Part]:
    """Two phases and their shares; the alloy as it is outside of the gap, or without one."""
    low, high = (float(end) for end in ends)
    if len(phases) == 1 or not low < x < high:
        return [(phases[0], x, 1.0)]
    share = (x - low) / (high - low)
    return [(phases[0], low, 1 - share), (phases[-1], high, share)]
