"""Alloy: one description of bcc Li-Na with its chemical and coherent solution and its liquid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import bisect
from scipy.special import expit, logit

from lina_calphad.checks import SEARCH_RANGE
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.sources import COMPONENTS, PHASE
from lina_calphad.errors import (
    DatabaseError,
    NoCriticalPoint,
    NoMiscibilityGap,
    SeveralMiscibilityGaps,
)
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import R
from lina_calphad.phase.results import CriticalPoint
from lina_calphad.phase.rows import root
from lina_calphad.phase.solution import BinarySolution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.checks import Array, Flags
    from lina_calphad.phase.results import Binodal, Spinodal

# Liquids tried against the solid, both pure ones among them. Steps of 0.02 in ln(x/(1-x)) miss
# the lowest by less than 0.05 J/mol, a hundredth of a kelvin in a melting temperature.
_TRIED = np.concatenate([[0.0], expit(np.linspace(-20, 20, 2001)), [1.0]])
# All alloys inside the chemical binodal melt at one temperature: few points see all liquid.
_WAY = expit(np.linspace(-15, 15, 61))
_VALUES_AT_ONCE = 2_000_000
_LOGS = ("ln_x_alpha", "ln_one_minus_x_beta")
_LEAST, _MOST = 1e-300, np.nextafter(1, 0)  # mole fractions that are not quite 0 and 1
_MINUS_INFINITY = -1e30  # in J/mol; zero times it is still zero
_LADDER = np.linspace(250.0, 700.0, 46)  # temperatures in K between which invariants are sought
_LOOK = np.concatenate([[0.0], expit(np.linspace(-20, 20, 201)), [1.0]])  # the same, coarser


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


@dataclass(frozen=True, eq=False)
class Alloy:
    """One assessment with its chemical and its coherent bcc solution.

    Parameters
    ----------
    name
        What to call it.
    dbf
        The database.
    chemical, coherent
        The bcc solution, stress-free and coherent.
    note
        What to know of where it comes from.
    """

    name: str
    dbf: Database
    chemical: BinarySolution
    coherent: BinarySolution
    note: str = ""

    @classmethod
    def of(cls, name: str, dbf: Database, model: type[CoherentModel] = CoherentModel) -> Alloy:
        """The alloy of a database with elastic data."""
        chemical = BinarySolution(dbf, COMPONENTS, PHASE)
        return cls(name, dbf, chemical, BinarySolution(dbf, COMPONENTS, PHASE, model))

    @property
    def solutions(self) -> dict[str, BinarySolution]:
        """The bcc solution by kind of equilibrium."""
        return {"chemical": self.chemical, "coherent": self.coherent}

    @property
    def coefficients(self) -> list[float]:
        """Redlich-Kister coefficients of bcc in J/mol, lowest order first.

        DatabaseError if one depends on temperature, or an order is left out.
        """
        found = free_interactions(self.dbf, PHASE, COMPONENTS)[1]
        if any(not name.endswith(f"L{order}") for order, name in enumerate(found)):
            msg = f"{self.name}: closed forms need constant 0L, 1L, ...; there are {list(found)}"
            raise DatabaseError(msg)
        return list(found.values())

    @property
    def coherency(self) -> float:
        """Coherency coefficient B of bcc in J/mol."""
        model = CoherentModel(self.dbf, [*COMPONENTS, "VA"], PHASE)
        return float(model.coherency[COMPONENTS])

    def curve(self, kind: str, T: Array) -> pd.DataFrame:
        """A curve of the gap for a diagram, closed at its critical point where that is in range.

        Parameters
        ----------
        kind
            "chemical binodal", "coherent spinodal" and so on.
        T
            Temperatures in K, ascending; above the critical point they are left out.

        Returns
        -------
        pandas.DataFrame
            T, x_alpha, x_beta, and of a binodal the logarithms; empty where there is no gap.
        """
        which, name = kind.split()
        solution = self.solutions[which]
        try:
            top = solution.critical_point()
        except (NoMiscibilityGap, NoCriticalPoint):
            top = CriticalPoint(np.inf, np.nan)  # the curve may be there all the same
        closed = T.max() > top.T
        if closed:
            # Even steps in T leave the flat top of a dome jagged.
            dome = top.T * (1 - np.linspace(0.004, 0.4, 60) ** 2)
            T = np.union1d(T[top.T > T], dome[dome >= T.min()])
        try:
            found: Binodal | Spinodal = getattr(solution, name)(T)
        except (NoMiscibilityGap, SeveralMiscibilityGaps):
            return pd.DataFrame(columns=["T", "x_alpha", "x_beta", *_LOGS])
        frame = found.to_dataframe()
        if closed:
            ends = [top.T, top.x, top.x, np.log(top.x), np.log1p(-top.x)]
            last = dict(zip(["T", "x_alpha", "x_beta", *_LOGS], ends, strict=True))
            frame = pd.concat([frame, pd.DataFrame([last])[frame.columns]], ignore_index=True)
        return frame

    # -- with the liquid: pycalphad's plain Models of stress-free phases --

    @cached_property
    def liquid(self) -> BinarySolution | None:
        """The liquid solution; None if the database has none."""
        if "LIQUID" not in self.dbf.phases:
            return None
        return BinarySolution(self.dbf, COMPONENTS, "LIQUID", pressure=self.chemical.pressure)

    @property
    def liquid_top(self) -> CriticalPoint:
        """Critical point of the liquid; LookupError without one."""
        if self.liquid is None:
            msg = "no liquid"
            raise LookupError(msg)
        return self.liquid.critical_point()

    @cached_property
    def invariants(self) -> tuple[Invariant, ...]:
        """Three-phase equilibria of bcc and liquid, from low temperature to high."""
        if self.liquid is None:
            return ()
        found: list[Invariant] = []
        for host, other in ((self.chemical, self.liquid), (self.liquid, self.chemical)):
            height = driving_force(host, other, _LADDER)[0]
            # NaN, where the host has no gap, is no change of sign.
            crosses = height[:-1] * height[1:] < 0
            T, _ = root(
                lambda T, host=host, other=other: driving_force(host, other, T)[0],
                (_LADDER[:-1][crosses], _LADDER[1:][crosses]),
                tolerance=1e-10,
            )
            ends, x = host.ends("binodal", T), driving_force(host, other, T)[1]
            for i in range(T.size):
                three = [(host.phase, float(end)) for end in ends[:, i]]
                three = sorted([*three, (other.phase, float(x[i]))], key=lambda phase: phase[1])
                liquids = [name == "LIQUID" for name, _ in three]
                kind = _KINDS[sum(liquids), liquids[1]]
                found.append(Invariant(kind, float(T[i]), tuple(three)))
        return tuple(sorted(found, key=lambda invariant: invariant.T))

    def invariant(self, kind: str) -> Invariant:
        """The invariant of this kind; LookupError if there is none."""
        for invariant in self.invariants:
            if invariant.kind == kind:
                return invariant
        msg = f"no {kind}"
        raise LookupError(msg)

    def liquid_present(self, x: Array, T: Array) -> Flags | None:
        """Whether liquid takes part in the equilibrium of stress-free phases.

        It does where some liquid lies below the tangent to the stable bcc: that at x, or the
        common one inside the chemical binodal. Melting temperatures come out to 0.01 K.

        Parameters
        ----------
        x, T
            Mole fraction of Na, from 0 to 1, and temperature in K, of one shape.

        Returns
        -------
        ndarray of bool, or None
            None if the database has no LIQUID.
        """
        solid, liquid = self.chemical, self.liquid
        if liquid is None:
            return None
        present = np.zeros(x.size, bool)
        flat = x.ravel()
        levels, back = np.unique(T.ravel(), return_inverse=True)
        low, high = solid.ends("binodal", levels)
        for i, level in enumerate(levels):
            energies = liquid.gibbs_energy(level, _TRIED)
            rows = np.flatnonzero(back == i)
            for part in np.array_split(rows, 1 + rows.size * _TRIED.size // _VALUES_AT_ONCE):
                within = (low[i] <= flat[part]) & (flat[part] < high[i])
                # At a pure element the chemical potential of the other diverges.
                ends = [
                    np.clip(np.where(within, end[i], flat[part]), _LEAST, _MOST)
                    for end in (low, high)
                ]
                # All alloys inside the gap have one tangent.
                (a, b), same = np.unique(ends, axis=1, return_inverse=True)
                first = solid.gibbs_energy(level, a) - a * solid.diffusion_potential(level, a)
                second = solid.gibbs_energy(level, b)
                second = second + (1 - b) * solid.diffusion_potential(level, b)
                first[a == _MOST] = second[b == _LEAST] = _MINUS_INFINITY
                tangent = np.outer(first, 1 - _TRIED) + np.outer(second, _TRIED)
                below: Flags = np.any(energies < tangent, axis=1)
                present[part] = below[same]
        return present.reshape(x.shape)

    def melts_on_the_way(self, x0: Array, T: Array) -> Flags:
        """Whether liquid forms somewhere between x0 and pure Na, each at its temperature."""
        way = np.maximum(_WAY, x0[:, None])
        liquid = self.liquid_present(way, np.broadcast_to(T[:, None], way.shape))
        return np.zeros(T.shape, bool) if liquid is None else np.asarray(liquid.any(axis=1))

    def melting(self, x0: float, hot: float) -> float:
        """Temperature in K, to 0.01, up to which no liquid forms from x0 to pure Na.

        Parameters
        ----------
        x0
            Mole fraction of Na.
        hot
            A temperature in K at which liquid does form.
        """
        start = np.array([x0])

        def sign(T: float) -> float:
            return 0.5 - float(self.melts_on_the_way(start, np.array([T]))[0])

        low = SEARCH_RANGE[0]
        return float(bisect(sign, low, hot, xtol=0.01)) if sign(low) > 0 else low


def driving_force(host: BinarySolution, other: BinarySolution, T: ArrayLike) -> tuple[Array, Array]:
    """Height of `other` above the common tangent to the gap of `host`, and where it is lowest.

    Parameters
    ----------
    host, other
        Two phases of the same components; `other` is stable against the two of `host`
        where the height is negative.
    T
        Temperatures in K, shape (m,).

    Returns
    -------
    ndarray
        In J/mol, of the shape of `T`; NaN where `host` has no gap.
    ndarray
        Mole fraction of the second component.
    """
    T = np.asarray(T, dtype=float)
    alpha = host.ends("binodal", T)[0]
    gap = np.isfinite(alpha)
    alpha = np.where(gap, alpha, 0.5)
    slope = host.diffusion_potential(T, alpha)
    start = host.gibbs_energy(T, alpha) - slope * alpha
    above = other.gibbs_energy(T[..., None], _LOOK) - slope[..., None] * _LOOK
    lowest = above.argmin(axis=-1)
    inside = (lowest > 0) & (lowest < _LOOK.size - 1)
    # Parallel tangents, from a start within 0.1; the ends of the axis are kept.
    t = logit(_LOOK[np.where(inside, lowest, _LOOK.size // 2)])
    for _ in range(6):
        x = expit(t)
        off = (other.diffusion_potential(T, x) - slope) / (R * T)
        t = t - np.clip(off / other.stability(T, x), -0.2, 0.2)
    x = np.where(inside, expit(t), _LOOK[lowest])
    height = other.gibbs_energy(T, x) - start - slope * x
    return np.where(gap, height, np.nan), np.where(gap, x, np.nan)
