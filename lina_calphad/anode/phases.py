"""What an alloy is made of once it has unmixed: phases, amounts and volumes by the lever rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pycalphad import Database

from lina_calphad.anode.charge import molar_volume
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
    volume = molar_volume(
        alloy, np.repeat([[0.0, 1.0]], x.size, 0), np.repeat(T.reshape(-1, 1), 2, 1)
    )
    rows: list[dict[str, Any]] = []
    for point, (level, at) in enumerate(zip(T.flat, x.flat, strict=True)):
        for state, parts in _states(alloy, float(at), float(level)):
            sizes = [share * ((1 - y) * volume[point, 0] + y * volume[point, 1])
                     for _, y, share in parts]  # fmt: skip
            known = all(phase == PHASE for phase, _, _ in parts)
            for (phase, y, share), size in zip(parts, sizes, strict=True):
                rows.append(
                    {"point": point, "T": level, "x": at, "state": state, "phase": phase}
                    | {"x_phase": y, "share": share}
                    | {"volume_share": size / sum(sizes) if known else np.nan}
                )
    return pd.DataFrame(rows)


def _states(alloy: Alloy, x: float, T: float) -> Iterator[tuple[str, list[Part]]]:
    """Both states of an alloy, if it has them."""
    found = [(PHASE, x, 1.0)]
    if alloy.system is None:
        found = _lever(alloy.chemical.ends("binodal", T), x)
    else:
        for region in alloy.system.regions(T)[0]:
            if region.x_from <= x <= region.x_to:
                ends = (region.x_from, region.x_to)
                names = region.phases
                found = _lever(ends, x, names) if len(names) > 1 else [(names[0], x, 1.0)]
                break
    yield "chemical", found
    if all(phase == PHASE for phase, _, _ in found):
        yield "coherent", _lever(alloy.coherent.ends("binodal", T), x)


def _lever(ends: Any, x: float, names: tuple[str, ...] = (PHASE, PHASE)) -> list[Part]:
    """Both phases and their shares; the alloy as it is outside of the gap, or without one."""
    low, high = (float(end) for end in ends)
    if not low < x < high:
        return [(names[0], x, 1.0)]
    share = (x - low) / (high - low)
    return [(names[0], low, 1 - share), (names[1], high, share)]
