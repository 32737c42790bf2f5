"""Alloy: one description of bcc Li-Na with its chemical and coherent solution and its liquid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import bisect

from lina_calphad.checks import SEARCH_RANGE
from lina_calphad.data.assessments import COMPONENTS, PHASE
from lina_calphad.data.interactions import free_interactions
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import (
    DatabaseError,
    NoCriticalPoint,
    NoMiscibilityGap,
    SeveralMiscibilityGaps,
)
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.results import CriticalPoint
from lina_calphad.phase.solution import BinarySolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.checks import Array, Flags
    from lina_calphad.diagram.results import Invariant
    from lina_calphad.phase.results import Binodal, Spinodal

_LOGS = ("ln_x_alpha", "ln_one_minus_x_beta")
_INVARIANTS = (250.0, 700.0)  # temperatures in K between which invariants are sought


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
            raise DatabaseError(
                f"{self.name}: closed forms need constant 0L, 1L, ...; there are {list(found)}"
            )
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
        """Critical point of the liquid; LookupError without a liquid."""
        for event in reversed(self._events):
            if (event.kind, event.phases[0][0]) == ("upper critical point", "LIQUID"):
                return CriticalPoint(event.T, event.phases[0][1])
        if self.liquid is None:
            raise LookupError("no liquid")
        return self.liquid.critical_point()  # under the solid, or hotter

    @cached_property
    def system(self) -> BinarySystem | None:
        """The bcc and the liquid together; None if the database has no liquid."""
        if "LIQUID" not in self.dbf.phases:
            return None
        return BinarySystem(
            self.dbf, COMPONENTS, ["LIQUID", PHASE], pressure=self.chemical.pressure
        )

    @cached_property
    def _events(self) -> Sequence[Invariant]:
        return self.system.invariants(*_INVARIANTS) if self.system else ()

    @cached_property
    def invariants(self) -> tuple[Invariant, ...]:
        """Three-phase equilibria of bcc and liquid, from low temperature to high."""
        return tuple(event for event in self._events if len(event.phases) == 3)

    def invariant(self, kind: str) -> Invariant:
        """The invariant of this kind; LookupError if there is none."""
        for invariant in self.invariants:
            if invariant.kind == kind:
                return invariant
        raise LookupError(f"no {kind}")

    def liquid_ranges(self, T: ArrayLike) -> list[list[tuple[float, float]]]:
        """Ranges of x, at each temperature, in which liquid takes part in the equilibrium.

        Of stress-free phases. Neighbouring ranges are one; without a liquid there are none.
        """
        found = []
        levels = np.ravel(T)
        system = self.system if levels.size else None
        for regions in system.regions(levels) if system else [[]] * levels.size:
            ranges: list[tuple[float, float]] = []
            for region in regions:
                if "LIQUID" in region.phases:
                    joined = ranges and ranges[-1][1] == region.x_from
                    start = ranges.pop()[0] if joined else region.x_from
                    ranges.append((start, region.x_to))
            found.append(ranges)
        return found

    def liquid_present(self, x: Array, T: Array) -> Flags | None:
        """Whether liquid takes part in the equilibrium of stress-free phases.

        Parameters
        ----------
        x, T
            Mole fraction of Na, from 0 to 1, and temperature in K, of one shape.

        Returns
        -------
        ndarray of bool, or None
            None if the database has no LIQUID.
        """
        if self.system is None:
            return None
        levels, back = np.unique(T, return_inverse=True)
        present = np.zeros(x.shape, bool)
        for i, ranges in enumerate(self.liquid_ranges(levels)):
            here = (back == i).reshape(x.shape)
            for low, high in ranges:
                present |= here & (low <= x) & (x <= high)
        return present

    def melts_on_the_way(self, x0: Array, T: Array) -> Flags:
        """Whether liquid forms somewhere between x0 and pure Na, each at its temperature."""
        levels, back = np.unique(T, return_inverse=True)
        ends = [max((high for _, high in r), default=-np.inf) for r in self.liquid_ranges(levels)]
        return np.array(ends)[back.reshape(T.shape)] > x0

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
