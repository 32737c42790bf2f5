"""How far a system is from measured equilibria, exactly, and how that changes with its symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from lina_calphad.diagram.crossings import newton
from lina_calphad.diagram.meetings import at_composition, logit_slope, slopes, solved
from lina_calphad.diagram.phases import GRID
from lina_calphad.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from lina_calphad.checks import Array, Flags
    from lina_calphad.diagram.phases import Phase
    from lina_calphad.diagram.system import BinarySystem
    from lina_calphad.phase.rows import Rows

#: Residual for each RT that phases without the measured equilibrium are away from it.
LOST = 1e3
_GRID = GRID[np.abs(GRID) < 100]
_NUMBER = {"three-phase": 3, "tie-line": 2, "critical": 1}


@dataclass(frozen=True)
class Datum:
    """One measured equilibrium, ready for the solver.

    Parameters
    ----------
    name
        What it is called.
    kind
        "three-phase", "tie-line" (at a temperature that is exact) or "critical".
    phases
        In order of composition.
    T, T_error
        In K.
    t, t_error
        ln(y/(1-y)) of each phase and its standard error; NaN where it was not measured.
    """

    name: str
    kind: str
    phases: tuple[Phase, ...]
    T: float
    T_error: float
    t: tuple[float, ...]
    t_error: tuple[float, ...]

    @property
    def measured(self) -> list[int]:
        """Which compositions are known, by number."""
        return [k for k, error in enumerate(self.t_error) if np.isfinite(error)]

    def start(self, values: Rows) -> Array:
        """Compositions to start from: measured ones, and those that touch the tangent at them."""
        rows = (np.full(1, self.T), *(np.full(1, v) for v in values))
        t = np.array(self.t)
        known = self.measured
        s, a = _tangent(self.phases[known[0]], t[known[0]], rows)
        for k in np.flatnonzero(np.isnan(t)):
            phase = self.phases[k]
            if phase.fixed:
                continue
            own_s, own_a, x, *_ = phase.curve(_GRID, tuple(np.full(_GRID.shape, r) for r in rows))
            height = own_a + x * own_s - a - s * x
            # Its own minimum, between the compositions beside it.
            well = np.r_[True, height[1:] < height[:-1]] & np.r_[height[:-1] < height[1:], True]
            between = np.ones(x.size, bool)
            for other in known:
                there = np.exp(self.phases[other].logs(t[[other]])[1])
                between &= x > there if other < k else x < there
            for some in (well & between, between):
                if some.any():
                    t[k] = _GRID[np.where(some, height, np.inf).argmin()]
                    break
        return t

    def solve(self, T: Array, t: Array, values: Rows) -> tuple[Array, Array, Flags]:
        """Newton's method from T, shape (n,), and t, shape (phases, n), and where it arrived."""
        if self.kind == "tie-line":
            one, two = self.phases
            t, good = newton(one, two, t, (T, *values))
        else:
            T, t, _, _, good = solved(self.kind, self.phases, T, t, values)
        if self.kind == "critical":
            return T, t, good
        x = np.stack([
            phase.line((T, *values))[1] if phase.fixed else np.exp(phase.logs(at)[1])
            for phase, at in zip(self.phases, t, strict=True)
        ])  # fmt: skip
        with np.errstate(invalid="ignore"):
            good = good & (np.diff(x, axis=0) > 1e-9).all(axis=0) & (np.abs(T / self.T - 1) < 0.5)
        return T, t, good

    def away(self, T: Array, t: Array) -> Array:
        """Residuals of equilibria in units of the errors, shape (n, measured numbers)."""
        measured = self.measured
        error = np.array(self.t_error)[measured][:, None]
        found = (t[measured] - np.array(self.t)[measured][:, None]) / error
        if np.isfinite(self.T_error):
            found = np.vstack([(T - self.T) / self.T_error, found])
        return np.asarray(found.T)

    def potentials(self, values: Rows) -> Array:
        """How far the phases are from equilibrium at the measured T and x, in RT."""
        rows = (np.full(1, self.T), *values)
        if self.kind == "critical":
            terms = self.phases[0].terms(rows[0], expit(np.array(self.t)), *values)
            return np.asarray(terms[0, 2:], dtype=float)
        t = self.start(values)
        (s, a), *others = ((*_tangent(self.phases[k], t[k], rows),) for k in self.measured)
        found = [value - of for other in others for value, of in zip(other, (s, a), strict=True)]
        for k in set(range(t.size)) - set(self.measured):
            phase = self.phases[k]
            if phase.fixed:
                g, x = phase.line(rows)
            else:
                own_s, own_a, x, *_ = phase.curve(t[[k]], rows)
                g = own_a + x * own_s
            found.append(float((g - a - s * x)[0]))
        return np.array(found)


def _tangent(phase: Phase, t: float, rows: Rows) -> tuple[float, float]:
    s, a, *_ = phase.curve(np.array([t]), rows)
    return float(s[0]), float(a[0])


class Residuals:
    """Measured equilibria against a system: residuals in units of their errors.

    Temperatures count in K and compositions in ln(x/(1-x)), so that neither is one-sided. Where
    the phases have no such equilibrium near the measured one, as many residuals say how far they
    are from it at the measured T and x: `LOST` for each RT, so that a fit finds its way back.

    Parameters
    ----------
    system
        With its free symbols.
    data
        As of `lina_calphad.data.invariants.read_invariants`: one row an equilibrium, with name,
        kind, phases, T, T_error, x, x_error and source.

    Raises
    ------
    DatasetError
        If a datum is of a phase that the system lacks, or nothing of it was measured.

    Examples
    --------
    >>> import pandas as pd
    >>> from lina_calphad import BinarySystem, load
    >>> from lina_calphad.data.interactions import free_interactions
    >>> dbf, free = free_interactions(load("zhang2003"), "BCC_A2", ("LI", "NA"))
    >>> system = BinarySystem(dbf, ("LI", "NA"), ["LIQUID", "BCC_A2"], symbols=list(free))
    >>> data = pd.DataFrame({
    ...     "name": ["eutectic"], "kind": ["three-phase"], "source": ["Down 1975"],
    ...     "phases": [("BCC_A2", "LIQUID", "BCC_A2")], "T": [365.25], "T_error": [0.05],
    ...     "x": [(np.nan, 0.97, np.nan)], "x_error": [(np.nan, 0.006, np.nan)],
    ... })
    >>> residuals, jacobian = Residuals(system, data)([16000.0])
    >>> residuals.round(1).tolist(), jacobian.shape
    ([-101.6, -0.6], (2, 1))
    """

    def __init__(self, system: BinarySystem, data: pd.DataFrame) -> None:
        self.system, self.data = system, data
        self._named = {phase.name: phase for phase in system.phases}
        self.items = [self._datum(row) for row in data.to_dict("records")]

    def _datum(self, row: dict[Any, Any]) -> Datum:
        name, kind = f"{row['name']} ({row['source']})", row["kind"]
        if kind not in _NUMBER or len(row["phases"]) != _NUMBER[kind]:
            kinds = ", ".join(f"{k} of {n}" for k, n in _NUMBER.items())
            msg = f"{name}: {kind} of {len(row['phases'])} phases; there are {kinds}"
            raise DatasetError(msg)
        if unknown := {*row["phases"]} - self._named.keys():
            msg = f"{name}: the system has no phase {', '.join(sorted(unknown))}"
            raise DatasetError(msg)
        phases = tuple(self._named[p] for p in row["phases"])
        t, error = [], []
        for phase, x, x_error in zip(phases, row["x"], row["x_error"], strict=True):
            known = not phase.fixed and x is not None and np.isfinite(x)
            t.append(at_composition(phase, x) if known else np.nan)
            # Of ln(x/(1-x)), which is that of ln(y/(1-y)) but for a factor of our own.
            slope = float(logit_slope(phase, np.array(t[-1]))) if known else np.nan
            error.append(x_error / (x * (1 - x)) / slope if known else np.nan)
        if not np.isfinite(t).any():
            msg = f"{name}: no composition was measured, and one at least is needed to find it"
            raise DatasetError(msg)
        T_error = np.nan if kind == "tie-line" else float(row["T_error"])
        return Datum(name, kind, phases, float(row["T"]), T_error, tuple(t), tuple(error))

    def __call__(self, values: Sequence[float] | Array) -> tuple[Array, Array]:
        """Residuals, shape (m,), and their derivatives by the system's symbols, shape (m, k)."""
        numbers = np.asarray(values, dtype=float)
        found = [self._of(datum, numbers) for datum in self.items]
        k = len(self.system.symbols)
        return (
            np.concatenate([np.zeros(0), *(f[0] for f in found)]),
            np.concatenate([np.zeros((0, k)), *(f[1] for f in found)]),
        )

    def potentials(self, values: Sequence[float] | Array) -> Array:
        """How far the phases are from equilibrium at the measured T and x, in RT.

        Zero where the system has the measured equilibria, nearly linear in the parameters and
        there wherever these are: what a fit starts with.
        """
        own = tuple(np.full(1, float(v)) for v in values)
        return np.concatenate([np.zeros(0), *(datum.potentials(own) for datum in self.items)])

    def table(self, values: Sequence[float] | Array) -> pd.DataFrame:
        """One row a measured number: name, quantity, measured, error, computed, in_sigma."""
        import pandas as pd

        rows = []
        for datum, (T, t) in zip(self.items, self.found(values), strict=True):
            name = datum.name
            if np.isfinite(error := datum.T_error):
                rows.append((name, "T / K", datum.T, error, T, (T - datum.T) / error))
            for k in datum.measured:
                phase, of = datum.phases[k], self.system.components[1].title()
                alike = [n for n, p in enumerate(datum.phases) if p is phase]
                which = f" {alike.index(k) + 1}" if len(alike) > 1 else ""
                ends = np.array([datum.t[k], t[k]])
                there, x = np.exp(phase.logs(ends)[1]).tolist()
                away = (t[k] - datum.t[k]) / datum.t_error[k]
                error = (
                    datum.t_error[k]
                    * there
                    * (1 - there)
                    * float(logit_slope(phase, np.array(datum.t[k])))
                )
                rows.append((name, f"x({of}) of {phase.name}{which}", there, error, x, away))
        columns = ["name", "quantity", "measured", "error", "computed", "in_sigma"]
        return pd.DataFrame(rows, columns=columns)

    def found(self, values: Sequence[float] | Array) -> list[tuple[float, Array]]:
        """Temperature and t of each computed equilibrium; NaN where there is none."""
        found = [self._solve(datum, np.asarray(values, dtype=float)) for datum in self.items]
        return [(T, t) if good else (np.nan, np.full_like(t, np.nan)) for T, t, good in found]

    def many(self, values: Array, near: Array) -> Array:
        """Residuals of many sets of values, shape (n, k), near one whose equilibria are known.

        Shape (n, m); infinite where there is no such equilibrium.
        """
        own = tuple(np.ascontiguousarray(v) for v in values.T)
        found = []
        for datum, (T, t) in zip(self.items, self.found(near), strict=True):
            starts = np.full(len(values), T), np.repeat(t[:, None], len(values), axis=1)
            *there, good = datum.solve(*starts, own)
            found.append(np.where(good[:, None], datum.away(*there), np.inf))
        return np.concatenate([np.zeros((len(values), 0)), *found], axis=1)

    def lost(self, values: Sequence[float] | Array) -> list[str]:
        """Names of the data whose equilibrium the system does not have."""
        return [d.name for d, (T, _) in zip(self.items, self.found(values), strict=True) if T != T]

    @staticmethod
    def _solve(datum: Datum, values: Array) -> tuple[float, Array, bool]:
        """T and t of the equilibrium, and whether there is one."""
        own = tuple(np.full(1, v) for v in values)
        start = datum.start(own)
        free = [k for k, phase in enumerate(datum.phases) if not phase.fixed]
        if np.isnan(start[free]).any():
            return np.nan, start, False
        T, t, good = datum.solve(np.array([datum.T]), start[:, None], own)
        return float(T[0]), t[:, 0], bool(good[0])

    def _of(self, datum: Datum, values: Array) -> tuple[Array, Array]:
        T, t, good = self._solve(datum, values)
        if not good:
            return self._away(datum, values)
        measured, number = datum.measured, np.arange(1, values.size + 1)
        own = tuple(np.full(values.size, v) for v in values)
        at, ends = np.full(values.size, T), np.repeat(t[:, None], values.size, axis=1)
        dT, dt = slopes(datum.kind, datum.phases, at, ends, own, number)
        change = dt[measured] / np.array(datum.t_error)[measured][:, None]
        if np.isfinite(datum.T_error):
            change = np.vstack([dT / datum.T_error, change])
        return datum.away(at[:1], ends[:, :1])[0], change

    @staticmethod
    def _away(datum: Datum, values: Array) -> tuple[Array, Array]:
        """Where there is no such equilibrium: the way back to where there is one."""

        def away(values: Array) -> Array:
            return LOST * datum.potentials(tuple(np.full(1, v) for v in values))

        steps = 1e-4 * np.maximum(np.abs(values), 1e-3)
        slopes = [(away(values + s) - away(values - s)) / (2 * s.sum()) for s in np.diag(steps)]
        return away(values), np.array(slopes).T.reshape(-1, values.size)
