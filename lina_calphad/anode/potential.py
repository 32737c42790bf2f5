"""Potential of a Li-Na anode against lithium: of one solution and of two phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pycalphad import Database
from scipy.special import expit

from lina_calphad.anode.charge import FARADAY
from lina_calphad.anode.windows import describe, source_first, tidy
from lina_calphad.checks import Array, fraction, kelvin
from lina_calphad.data.assessments import COMPONENTS, PHASE, PREFERRED, Source
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.energy import R
from lina_calphad.phase.results import span
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.phase.tally import LEVELS, NAMES

#: In which state an alloy of some composition can be, by key, in words.
STATES = {
    "solution": "one homogeneous solution",
    "chemical": "two phases free of strain",
    "coherent": "two phases on one lattice",
}
_DRAWS = 400  # that a band of potentials takes


@dataclass(frozen=True, eq=False)
class Potential:
    """Potential against Li/Li+ in each of `STATES`.

    Parameters
    ----------
    assessment
        Its name.
    x, T
        Mole fraction of Na and temperature in K, of one shape.
    volt
        By state, of that shape; outside of its gap the potential of the solution.
    bands
        Quantiles of the draws (`LEVELS` on a first axis), by state; empty without draws.
    """

    assessment: str
    x: Array
    T: Array
    volt: Mapping[str, Array]
    bands: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        return f"<Potential of {self.assessment} at {self.x.size} points, {span(self.T)}>"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a point, potentials in mV."""
        columns = {"T": self.T, "x": self.x}
        columns |= {f"E_{state}_mV": 1e3 * E for state, E in self.volt.items()}
        for state, quantiles in self.bands.items():
            pairs = zip(NAMES, quantiles, strict=True)
            columns |= {f"E_{state}_{name}_mV": 1e3 * E for name, E in pairs}
        return tidy(columns)


@source_first
def potential(
    x: ArrayLike,
    T: ArrayLike,
    source: Source | Database | Alloy = PREFERRED,
    *,
    draws: tuple[Database, ParameterDraws] | None = None,
) -> Potential:
    r"""Potential of an alloy against lithium, E = -(mu(Li) - mu(bcc Li))/F.

    Of the solution, which may be metastable or unstable; of a mixture of two stress-free phases,
    the plateau; and of a coherent one, which has none: of the mean composition :math:`\bar x` its
    energy is :math:`\sum f_i (G(x_i) + B x_i^2) - B \bar x^2`, and so its potential falls as Li
    leaves, from that of the solution at one end of the coherent gap to that at the other. Below
    zero the alloy would give Li to a piece of pure lithium beside it.

    Parameters
    ----------
    x, T
        Mole fraction of Na, from 0 to below 1, and temperature in K, broadcast together.
    source
        As of `describe`; it may also come first.
    draws
        As of `regions`: quantiles of 400 of them are added.

    Returns
    -------
    Potential

    Raises
    ------
    ValueError
        If a mole fraction is out of its range, or 1, where the potential is infinite.
    SeveralMiscibilityGaps, UnknownAssessment, DatabaseError, ElasticDataError
        As `regions`.

    Examples
    --------
    >>> found = potential([0.01, 0.3], 300.0, "santos2025")
    >>> {state: (1e3 * E).round(3).tolist() for state, E in found.volt.items()}  # mV
    {'solution': [0.221, -19.23], 'chemical': [0.001, 0.001], 'coherent': [0.083, -11.634]}
    """
    alloy = describe(source)
    T, x = np.broadcast_arrays(kelvin(T), fraction(x))
    if (x == 1).any():
        raise ValueError("pure Na has no Li, and no potential against it; give x below 1")
    volt = _volts(alloy.solutions, x, T)
    bands = {}
    if draws:
        dbf, some = draws
        each = some.values[:: max(1, len(some) // _DRAWS)]
        free = {
            kind: BinarySolution(dbf, COMPONENTS, PHASE, solution.model, symbols=some.symbols)
            for kind, solution in alloy.solutions.items()
        }
        drawn = _volts(free, x.ravel(), T.ravel(), each)
        shape = (len(LEVELS), *x.shape)
        bands = {s: np.quantile(E, LEVELS, axis=0).reshape(shape) for s, E in drawn.items()}
    return Potential(alloy.name, x, T, MappingProxyType(volt), MappingProxyType(bands))


@source_first
def hysteresis(T: ArrayLike, source: Source | Database | Alloy = PREFERRED) -> pd.DataFrame:
    """Between which potentials stripping and plating lie where no phase nucleates.

    One row a temperature and kind of gap, in mV: the solution's potential where stripping ends
    its life (`E_strip_mV`, at the spinodal of the Li side) and where plating does (`E_plate_mV`,
    of the Na side), what lies between (`hysteresis_mV`), and the two-phase state at both of its
    ends; coherent ones differ. No row where there is no gap.

    Parameters
    ----------
    T
        Temperatures in K.
    source
        As of `describe`; it may also come first.

    Examples
    --------
    >>> hysteresis("santos2025", T=300.0).round(2).to_dict("records")[0]["hysteresis_mV"]
    85.04
    """
    alloy = describe(source)
    rows = []
    for level in np.ravel(kelvin(T)).tolist():
        for kind, solution in alloy.solutions.items():
            ends = {curve: solution.ends(curve, level) for curve in ("spinodal", "binodal")}
            if np.isnan(ends["spinodal"]).any():
                continue
            strip, plate = 1e3 * _solution(alloy.chemical, ends["spinodal"], level)
            rich, poor = 1e3 * _solution(alloy.chemical, ends["binodal"], level)
            rows.append(
                {"T": level, "kind": kind, "E_strip_mV": strip, "E_plate_mV": plate}
                | {"hysteresis_mV": strip - plate}
                | {"E_two_phase_alpha_mV": rich, "E_two_phase_beta_mV": poor}
            )
    return pd.DataFrame(rows)


def _solution(chemical: BinarySolution, x: Array, T: Any, *values: Array) -> Array:
    """Potential of the solution in V."""
    result: Array = -R * T / FARADAY * chemical.ln_activity(T, x, *values)
    return result


def _volts(
    solutions: Mapping[str, BinarySolution], x: Array, T: Array, draws: Array | None = None
) -> dict[str, Array]:
    """Potential by state in V, of the shape of x, with a first axis of draws if there are some."""
    chemical = solutions["chemical"]
    each = () if draws is None else (draws[:, *[None] * x.ndim, :],)
    solution = _solution(chemical, x, T, *each)
    found = {"solution": solution}
    levels, back = np.unique(T, return_inverse=True)
    for kind, one in solutions.items():
        t = one.logits("binodal", levels, () if draws is None else draws)
        low, high = expit(t[..., back.reshape(x.shape)])
        # A comparison with NaN, where there is no gap, is false.
        inside = (low < x) & (x < high)
        at = np.where(inside, low, 0.5)
        tangent = one.ln_activity(T, at, *each)
        # What coherency gives back as the lattice of all adapts; nothing for stress-free phases.
        mean = one.ln_activity(T, x, *each) - chemical.ln_activity(T, x, *each)
        found[kind] = np.where(inside, -R * T / FARADAY * (tangent - mean), solution)
    return found
