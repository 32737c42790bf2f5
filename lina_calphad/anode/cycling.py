"""Li stripped and plated again: which states a cycle runs through, slowly and at a current."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pycalphad import Database

from lina_calphad.anode.charge import SHARE
from lina_calphad.anode.diffusion import Diffusion, checked_run
from lina_calphad.anode.potential import potential
from lina_calphad.anode.stripping import ALLOY, stripped_composition, stripped_share
from lina_calphad.anode.windows import describe, source_first
from lina_calphad.checks import Array, fraction, kelvin, within
from lina_calphad.data.assessments import PREFERRED, Source
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.phase.kinetics import DIFFUSIVITY

_POINTS = 12  # reported in each step of a cycle
_REST = (0.0, 1e9)  # in s
_WAYS = {"strip": 1, "plate": -1, "rest": 0}


@source_first
def cycle(
    x0: float,
    T: float,
    source: Source | Database | Alloy = PREFERRED,
    *,
    low: float = 0.0,
    high: float,
) -> pd.DataFrame:
    """What a slow cycle between two depths runs through, if phases are free of strain or coherent.

    The first stripping is that of the quenched solution, which unmixes at its spinodal; from there
    on two phases stay, the scaffold, until one of them is used up. One row an event: by `kind` of
    the phases, the `step` (first stripping, plating, later stripping), what happens there, the
    share of the Li away `q`, `x` of all and the potential in mV. An event that does not come
    before the end of its step says so and has no numbers.

    Parameters
    ----------
    x0, T
        Mole fraction of Na before stripping, and temperature in K.
    source
        As of `describe`; it may also come first.
    low, high
        Shares of the Li away between which Li is plated and stripped.

    Raises
    ------
    ValueError
        If a number is out of its range, or `low` is not below `high`.
    UnknownAssessment, DatabaseError, ElasticDataError
        As `describe`.

    Examples
    --------
    >>> found = cycle("santos2025", x0=0.03, T=300.0, high=0.6).query("kind == 'coherent'")
    >>> found[["event", "q"]].round(3).values[1].tolist()
    ['unmixes by itself', 0.497]
    """
    alloy = describe(source)
    x0, T = float(fraction(x0, ALLOY, ends=False)), float(kelvin(T))
    low, high = _between(low, high)
    rows = []
    for kind, solution in alloy.solutions.items():
        spinodal, binodal = (solution.ends(c, T) for c in ("spinodal", "binodal"))
        for step, event, x, state in _events(x0, low, high, kind, spinodal, binodal):
            known = bool(np.isfinite(x))
            E = float(potential(x, T, alloy).volt[state]) if known else np.nan
            rows.append(
                {"T": T, "kind": kind, "step": step, "event": event}
                | {"q": float(stripped_share(x0, x)) if known else np.nan, "x": x, "E_mV": 1e3 * E}
            )
    return pd.DataFrame(rows)


def _events(
    x0: float, low: float, high: float, kind: str, spinodal: Array, binodal: Array
) -> Iterator[tuple[str, str, float, str]]:
    """Step, event, mole fraction of Na and state there, in order."""
    deep, back = (float(stripped_composition(x0, q)) for q in (high, low))
    (onset, end), (poor, rich) = spinodal, binodal
    first, plating, later = "first stripping", "plating", "later stripping"
    yield first, "starts as the quenched solution", x0, "solution"
    apart = bool(onset <= deep and x0 < end)  # false where there is no gap
    if not apart:
        yield first, "never unmixes by itself", np.nan, "solution"
        yield first, "ends as the solution", deep, "solution"
        yield plating, "the same way back", back, "solution"
        return
    yield first, "unmixes by itself", max(onset, x0), "solution"
    yield first, "is two phases then", max(onset, x0), kind
    whole = deep >= rich
    if whole:
        yield first, "the Li-rich phase is used up", rich, kind
    yield first, "ends", deep, kind
    if whole:
        yield plating, "the Li-rich phase comes again", rich, kind
    if back <= poor:
        yield plating, "the Na-rich phase dissolves", poor, kind
    else:
        yield plating, "never one solution again: the Na-rich phase stays", np.nan, kind
    yield plating, "ends", back, kind
    if back <= poor:
        yield later, "starts as the solution, as the first", back, "solution"
        return
    yield later, "starts with two phases, the scaffold", back, kind
    if whole:
        yield later, "the Li-rich phase is used up", rich, kind
    yield later, "ends", deep, kind


def _between(low: float, high: float) -> tuple[float, float]:
    low, high = (float(within(q, (0.0, 1.0), SHARE)) for q in (low, high))
    if not low < high < 1:
        raise ValueError(
            f"a cycle runs from a depth to a greater one below all the Li; got {low:g} to {high:g}"
        )
    return low, high


@dataclass(frozen=True, eq=False)
class CycleProfile:
    """Composition against depth over cycles at a current; one row of each array a moment.

    Parameters
    ----------
    assessment
        Its name.
    x0, T
        Mole fraction of Na before stripping, and temperature in K.
    step
        Number and name of each step, such as "1 strip".
    t, q
        Time in s, and share of the Li away, shape (n,).
    depth, x
        Distance from the current collector in m and mole fraction of Na there, shape (n, m).
    exhausted_at
        Share of the Li away where a stripping ended since the interface was pure Na; None if
        all reached their depth.
    """

    assessment: str
    x0: float
    T: float
    step: tuple[str, ...]
    t: Array
    q: Array
    depth: Array
    x: Array
    exhausted_at: float | None

    def __repr__(self) -> str:
        steps = len(set(self.step))
        where = f"from x0 = {self.x0:g} at {self.T:g} K"
        return f"<CycleProfile of {self.assessment} {where}: {steps} steps>"

    def to_dataframe(self) -> pd.DataFrame:
        """One row a moment: both sides of the foil and their difference."""
        columns: dict[str, Any] = {"T": self.T, "step": self.step, "t_s": self.t, "q": self.q}
        columns |= {"x_collector": self.x[:, 0], "x_interface": self.x[:, -1]}
        return pd.DataFrame(columns | {"thickness_m": self.depth[:, -1]})


@source_first
def cycle_profile(
    x0: float,
    T: float,
    current_density: float,
    thickness: float,
    source: Source | Database | Alloy = PREFERRED,
    *,
    low: float = 0.0,
    high: float,
    rest: float = 0.0,
    cycles: int = 2,
    diffusivity: float = DIFFUSIVITY.value,
) -> CycleProfile:
    """Follow the composition in a foil that is stripped, rests and is plated again, in turns.

    The equation of `depth_profile`, with a current of either sign or none; plated Li is pure and
    mixes by diffusion. It remains one solution: the profile is formal where that unmixes.

    Parameters
    ----------
    x0, T, current_density, thickness, source, diffusivity
        As of `depth_profile`.
    low, high
        Shares of the Li away between which it is cycled. The first stripping starts at none.
    rest
        In s, after each stripping and plating.
    cycles
        How many.

    Raises
    ------
    ValueError, OutsideAssessedRange, NotConverged, UnknownAssessment
        As `depth_profile`. A stripping that exhausts the interface ends there.

    Examples
    --------
    >>> found = cycle_profile(0.03, 300.0, 10.0, 100e-6, "santos2025", high=0.3, rest=600.0)
    >>> found
    <CycleProfile of santos2025 from x0 = 0.03 at 300 K: 8 steps>
    >>> found.to_dataframe().groupby("step")["x_interface"].last().round(3).head(2).to_dict()
    {'1 strip': 0.185, '2 rest': 0.132}
    """
    low, high = _between(low, high)
    pause = float(within(rest, _REST, "a rest is in s"))
    count = int(within(cycles, (1, 1000), "a number of cycles"))
    alloy = describe(source)
    run = checked_run(alloy, x0, T, current_density, thickness, diffusivity)
    steps = ("strip", "rest", "plate", "rest") if pause > 0 else ("strip", "plate")
    ends = {"strip": high, "plate": low}
    names, times, shares, profiles = [], [], [], []
    W, t, q, exhausted = None, 0.0, 0.0, None
    for number, name in enumerate(steps * count):
        way = _WAYS[name]
        span = abs(ends[name] - q) if way else pause / run.full_time
        if span == 0:
            continue
        solved = Diffusion(run.phi0, run.peclet, span, way, W)
        for at in np.linspace(0, solved.end, _POINTS):
            names.append(f"{number + 1} {name}")
            times.append((t + at) * run.full_time)
            shares.append(q + way * at)
            profiles.append(solved.profile(at))
        if exhausted is None and solved.exhausted_at is not None and solved.end < span:
            exhausted = q + solved.end
        W, t, q = solved.at(solved.end), t + solved.end, q + way * solved.end
    return CycleProfile(
        alloy.name, run.x0, run.T, tuple(names), np.array(times), np.array(shares),
        run.depth(profiles), run.composition(profiles), exhausted,
    )  # fmt: skip
