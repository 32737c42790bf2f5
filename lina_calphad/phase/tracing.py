"""Where the stable phases of a binary change with temperature: numbers only.

Between two temperatures at which the phases from A to B differ lies an event: three phases meet
(an invariant), a gap opens or closes (a critical point), a phase touches another at one
composition (a congruent or azeotropic point), or a pure component changes its phase. Each is
solved by Newton's method and certified; where one step does not explain the change, the interval
is halved. Between events every tie-line is a smooth function of temperature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from lina_calphad.checks import Array, Flags
from lina_calphad.errors import NotConverged
from lina_calphad.phase.equilibria import CERTIFIED, Equilibria, Phase
from lina_calphad.phase.gap import Rows

_COARSE = 48  # temperatures at which the phases are looked for
_BESIDE = 1e-7  # share of its temperature at which an event is looked at from either side
_CLOSEST = 1e-9  # share of a temperature at which two events are not told apart
_KINK = 1e-6  # share of a temperature within which a gap that closes at a kink is found
_NARROW = 0.05  # width in t of such a gap there
_STEPS = 30


@dataclass(frozen=True)
class Event:
    """Something that happens at one temperature.

    Parameters
    ----------
    kind
        "three-phase", "critical", "congruent" or "transition".
    T
        Temperature in K.
    phases
        Indices of the phases in order of x; of a transition that stable below comes first.
    t
        ln(y/(1-y)) of each; NaN for a compound.
    upper
        Whether there is more below (an invariant's middle phase, a gap) than above: it ends
        at this temperature upwards.
    """

    kind: str
    T: float
    phases: tuple[int, ...]
    t: tuple[float, ...]
    upper: bool


def pure_energy(phase: Phase, side: float, rows: Rows) -> Array:
    """Energy over RT per mole of pure A (side -1) or pure B."""
    if phase.fixed:
        return phase.line(rows)[0]
    terms = phase.pure(side, rows)
    if side < 0:
        return terms[..., 0] / phase.origin[0]
    assert phase.change is not None
    energy: Array = (terms[..., 0] + terms[..., 1]) / (phase.origin[1] + phase.change[1])
    return energy


def dT(phase: Phase, t: Array, rows: Rows) -> tuple[Array, Array]:
    """Change of s and of the energy a + x s at fixed composition, over RT, with temperature."""
    return slope_of(phase, t, rows, 0)


def slope_of(phase: Phase, t: Array, rows: Rows, which: int) -> tuple[Array, Array]:
    """Change of s and of a + x s at fixed composition with one of the row's numbers."""
    value = rows[which]
    h = 1e-5 * np.maximum(np.abs(value), 1e-3 if which else 1.0)
    sides = []
    for sign in (1, -1):
        moved = (*rows[:which], value + sign * h, *rows[which + 1 :])
        if phase.fixed:
            g, _ = phase.line(moved)
            sides.append((np.zeros_like(g), g))
        else:
            s, a, x, *_ = phase.curve(t, moved)
            sides.append((s, a + x * s))
    return (sides[0][0] - sides[1][0]) / (2 * h), (sides[0][1] - sides[1][1]) / (2 * h)


def meet(
    phases: Sequence[Phase], T: Array, t: Array, values: Rows = ()
) -> tuple[Array, Array, Array, Array, Flags]:
    """Where three phases coexist: T, t, s, a and whether Newton's method converged.

    To first order the energy above a tangent does not depend on t, so that T, s and a follow
    from three linear equations, and each t from s.
    """
    T, t = T.astype(float).copy(), t.copy()
    good = np.zeros(T.size, bool)
    s, a = np.zeros(T.size), np.zeros(T.size)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            rows = (T, *values)
            matrix, right = np.empty((T.size, 3, 3)), np.empty((T.size, 3))
            own = []
            for k, phase in enumerate(phases):
                ds, dg = dT(phase, t[k], rows)
                if phase.fixed:
                    g, x = phase.line(rows)
                    own.append(None)
                else:
                    sk, ak, x, slope, psi = phase.curve(t[k], rows)
                    g = ak + x * sk
                    own.append((sk, slope, ds))
                matrix[:, k] = np.stack([np.ones_like(T), np.broadcast_to(x, T.shape), -dg], -1)
                right[:, k] = g
            singular = ~(np.abs(np.linalg.det(matrix)) > 1e-300)
            matrix[singular] = np.eye(3)
            a, s, change = np.linalg.solve(matrix, right[..., None])[..., 0].T
            limit = 0.1 * T
            change = np.clip(np.where(singular, np.nan, change), -limit, limit)
            size = np.abs(change) / T
            for k, part in enumerate(own):
                if part is not None:
                    step = (s - part[0] - part[2] * change) / part[1]
                    t[k] += np.clip(step, -1.5, 1.5)
                    size = np.maximum(size, np.abs(step))
            T = T + change
            good = size < 1e-9
            if np.all(good | np.isnan(size)):
                break
    return T, t, s, a, good


def touch(one: Phase, two: Phase, T: float, t: float, values: Rows = ()) -> tuple[float, float, float, bool]:
    """Where two phases have one energy and one slope at the same composition: T and both t."""
    solution = two if one.fixed else one
    if one.fixed or two.fixed:
        solid = one if one.fixed else two
        x = solid.origin[1] / sum(solid.origin)
        if not 0 < x < 1:
            return T, np.nan, np.nan, False
        at = _at_composition(solution, x)
        for _ in range(_STEPS):
            rows = (np.array([T]), *values)
            g, _ = solid.line(rows)
            s, a, y, *_ = solution.curve(np.array([at]), rows)
            change = -(g - a - y * s) / (dT(solid, np.array([at]), rows)[1] - dT(solution, np.array([at]), rows)[1])
            T += float(np.clip(change[0], -0.1 * T, 0.1 * T))
            if abs(change[0]) < 1e-10 * T:
                return T, *((np.nan, at) if one.fixed else (at, np.nan)), True
        return T, np.nan, np.nan, False
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            rows, at = (np.array([T]), *values), np.array([t])
            s1, a1, x, slope1, _ = one.curve(at, rows)
            other = np.array([_at_composition(two, x[0])])
            s2, a2, x2, slope2, _ = two.curve(other, rows)
            r1, r2 = (a2 + x2 * s2) - (a1 + x * s1), s2 - s1
            (p1, q1), (p2, q2) = dT(one, at, rows), dT(two, other, rows)
            dx1, dx2 = _dx(one, at), _dx(two, other)
            bend = slope2 / dx2 - slope1 / dx1
            matrix = np.array([[r2[0], (q2 - q1)[0]], [bend[0], (p2 - p1)[0]]])
            try:
                dx, change = np.linalg.solve(matrix, [-r1[0], -r2[0]])
            except np.linalg.LinAlgError:
                return T, t, np.nan, False
            step = float(np.clip(dx / dx1[0], -1, 1))
            t, T = t + step, T + float(np.clip(change, -0.1 * T, 0.1 * T))
            if abs(step) < 1e-9 and abs(change) < 1e-10 * T:
                return T, t, _at_composition(two, float(np.exp(one.logs(np.array([t]))[1][0]))), True
    return T, t, np.nan, False


def critical(phase: Phase, T: Array, t: Array, values: Rows = ()) -> tuple[Array, Array, Flags]:
    """Where psi and its slope vanish together: T, t and whether Newton's method converged."""
    T, t = T.astype(float).copy(), t.copy()
    good = np.zeros(T.size, bool)
    h, k = 1e-4, 1e-6

    def psi(t: Array, T: Array) -> tuple[Array, Array]:
        terms = phase.terms(T, expit(t), *values)
        return terms[..., 2], terms[..., 3]

    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            p, q = psi(t, T)
            bend = (psi(t + h, T)[1] - psi(t - h, T)[1]) / (2 * h)
            warm, cold = psi(t, T * (1 + k)), psi(t, T * (1 - k))
            p_T, q_T = ((u - v) / (2 * k * T) for u, v in zip(warm, cold, strict=True))
            det = q * q_T - p_T * bend
            move = np.clip((q * p_T - p * q_T) / det, -1, 1)
            change = np.clip((bend * p - q * q) / det, -0.2 * T, 0.2 * T)
            t, T = t + move, T + change
            good = (np.abs(move) < 1e-7) & (np.abs(change) < 1e-9 * T)
            if np.all(good | np.isnan(T)):
                break
    return T, t, good


def _at_composition(phase: Phase, x: float) -> float:
    """t of a solution at a mole fraction of B."""
    assert phase.change is not None
    # x = n_B / (n_A + n_B), both linear in y.
    (a, b), (da, db) = phase.origin, phase.change
    y = (x * (a + b) - b) / (db - x * (da + db))
    return float(np.log(y) - np.log1p(-y))


def _dx(phase: Phase, t: Array) -> Array:
    """dx/dt of a solution."""
    assert phase.change is not None
    (a, b), (da, db), y = phase.origin, phase.change, expit(t)
    whole = a + b + y * (da + db)
    slope: Array = y * (1 - y) * (db * a - da * b) / whole**2
    return slope


class Tracer:
    """Events of one description between two temperatures.

    Parameters
    ----------
    equilibria
        The solver.
    span
        Lowest and highest temperature in K.
    values
        Of free symbols, if any.
    """

    def __init__(
        self, equilibria: Equilibria, span: tuple[float, float], values: Sequence[float] = ()
    ) -> None:
        self.equilibria, self.phases, self.span = equilibria, equilibria.phases, span
        self.values = tuple(float(v) for v in values)

    def rows(self, T: Array) -> Rows:
        """Rows at temperatures."""
        return (T, *(np.full(T.shape, v) for v in self.values))

    def events(self) -> list[Event]:
        """Everything that happens, from low temperature to high."""
        found = self.transitions()
        low, high = self.span
        stops = [low, *sorted({e.T for e in found}), high]
        grid = np.linspace(low, high, _COARSE)
        for start, end in pairwise(stops):
            a, b = start * (1 + _BESIDE * (start > low)), end * (1 - _BESIDE * (end < high))
            if a < b:
                T = np.array([a, *grid[(grid > a) & (grid < b)], b])
                found += self._between(T, self._sequences(T))
        return sorted(found, key=lambda e: e.T)

    def transitions(self) -> list[Event]:
        """Where the stable phase of a pure component changes."""
        grid = np.linspace(*self.span, _COARSE)
        found = []
        for side in (-1, 1):
            ends = [p for p, phase in enumerate(self.phases) if _reaches(phase, side)]
            if len(ends) < 2:
                continue

            def energy(p: int, T: Array, side: int = side) -> Array:
                return pure_energy(self.phases[p], side, self.rows(T))

            def difference(T: float, p: int, q: int) -> float:
                at = np.array([T])
                return float((energy(p, at) - energy(q, at))[0])

            lowest = np.argmin([energy(p, grid) for p in ends], axis=0)
            brackets = [(grid[k], grid[k + 1], ends[lowest[k]], ends[lowest[k + 1]])
                        for k in np.flatnonzero(np.diff(lowest))]  # fmt: skip
            while brackets:
                cold, hot, p, q = brackets.pop()
                T = brentq(difference, cold, hot, args=(p, q), xtol=1e-11, rtol=1e-14)
                at = [float(energy(r, np.array([T]))[0]) for r in ends]
                best = ends[int(np.argmin(at))]
                if best not in (p, q) and min(at) < at[ends.index(p)] - 1e-12:
                    brackets += [(cold, T, p, best), (T, hot, best, q)]
                    continue
                t = tuple(np.nan if self.phases[r].fixed else side * np.inf for r in (p, q))
                found.append(Event("transition", T, (p, q), t, upper=True))
        return found

    def _sequences(self, T: Array) -> list[tuple[tuple[int, ...], Array]]:
        """Phases from A to B at temperatures, and t of the ends of all tie-lines, shape (2, n)."""
        fields = self.equilibria.at(self.rows(T))
        return [(fields.sequence(k), fields.t[:, fields.row == k]) for k in range(T.size)]

    def _between(self, T: Array, seen: list[tuple[tuple[int, ...], Array]]) -> Iterator[Event]:
        for (cold, one), (hot, two) in pairwise(zip(T.tolist(), seen, strict=True)):
            if one[0] != two[0]:
                yield from self._explained(cold, one, hot, two)

    def _explained(self, cold: float, one: Any, hot: float, two: Any) -> Iterator[Event]:
        """The events between two temperatures with different phases."""
        more, less, upper, T = (one, two, True, cold) if len(one[0]) > len(two[0]) else (two, one, False, hot)
        for event in self._candidates(more, less, T, upper):
            if cold <= event.T <= hot:
                yield event
                return
        if hot - cold < _KINK * hot:
            # A gap that closes at a kink, as at a Curie temperature, has no smooth end.
            sequence, t = more
            narrow = [k for k in range(t.shape[1])
                      if sequence[k] == sequence[k + 1] and t[1, k] - t[0, k] < _NARROW]  # fmt: skip
            for k in narrow:
                if sequence[:k] + sequence[k + 1 :] == less[0]:
                    yield Event("critical", T, (sequence[k],), (float(t[:, k].mean()),), upper)
                    return
        if hot - cold < _CLOSEST * hot:
            names = [", ".join(self.phases[p].name for p in s[0]) for s in (one, two)]
            msg = f"the phases change from {names[0]} to {names[1]} at {hot:.6f} K, and no one event explains it"
            raise NotConverged(msg)
        middle = np.array([(cold + hot) / 2])
        (half,) = self._sequences(middle)
        if half[0] != one[0]:
            yield from self._explained(cold, one, float(middle[0]), half)
        if half[0] != two[0]:
            yield from self._explained(float(middle[0]), half, hot, two)

    def _candidates(self, more: Any, less: Any, T: float, upper: bool) -> Iterator[Event]:
        """Events that could take one phase, or two, out of a sequence."""
        sequence, t = more
        size = len(sequence)
        for k in range(size):
            left, right = k > 0, k < size - 1
            if sequence[:k] + sequence[k + 1 :] == less[0]:
                if left and right:
                    three = sequence[k - 1 : k + 2]
                    start = np.array([t[0, k - 1], (t[1, k - 1] + t[0, k]) / 2, t[1, k]])
                    yield from self._certified(three, T, start, upper)
                for i, j in ((k - 1, k), (k, k + 1)):
                    if 0 <= i and j < size and sequence[i] == sequence[j]:
                        yield from self._closing(sequence[i], T, float(t[:, i].mean()), upper)
            if left and right and sequence[k - 1] == sequence[k + 1]:
                if sequence[:k] + sequence[k + 2 :] == less[0]:
                    yield from self._touching(sequence[k], sequence[k - 1], T, t[:, k - 1 : k + 1], upper)

    def _certified(self, three: tuple[int, ...], T: float, t: Array, upper: bool) -> Iterator[Event]:
        values = tuple(np.array([v]) for v in self.values)
        some = [self.phases[p] for p in three]
        found, t, s, a, good = meet(some, np.array([T]), t[:, None], values)
        if good[0] and found[0] > 0:
            height = self.equilibria.lowest(s, a, (found, *values))[0]
            if height[0] >= CERTIFIED:
                yield Event("three-phase", float(found[0]), three, tuple(t[:, 0].tolist()), upper)

    def _closing(self, p: int, T: float, t: float, upper: bool) -> Iterator[Event]:
        values = tuple(np.array([v]) for v in self.values)
        found, at, good = critical(self.phases[p], np.array([T]), np.array([t]), values)
        if good[0]:
            yield Event("critical", float(found[0]), (p,), (float(at[0]),), upper)

    def _touching(self, p: int, q: int, T: float, t: Array, upper: bool) -> Iterator[Event]:
        values = tuple(np.array([v]) for v in self.values)
        start = float(np.nanmean([t[1, 0], t[0, 1]])) if not self.phases[p].fixed else np.nan
        found, one, two, good = touch(self.phases[p], self.phases[q], T, start, values)
        if good:
            yield Event("congruent", found, (p, q), (one, two), upper)


def _reaches(phase: Phase, side: int) -> bool:
    """Whether a phase goes to pure A (side -1) or pure B."""
    end = phase.origin
    if side > 0 and phase.change is not None:
        end = (phase.origin[0] + phase.change[0], phase.origin[1] + phase.change[1])
    return end[1 if side < 0 else 0] == 0


# -- derivatives with respect to parameters, by the implicit-function theorem --


def line_slopes(phases: Sequence[Phase], t: Array, rows: Rows, which: int) -> Array:
    """dt/dp of both ends of tie-lines, shape (2, n), with the number `which` of their rows.

    With s and a of the tie-line: dG_k = da + x_k ds at either end, and ds_k = ds.
    """
    own = [_state(phase, t[k], rows, which) for k, phase in enumerate(phases)]
    (x1, g1), (x2, g2) = ((state[0], state[3]) for state in own)
    with np.errstate(divide="ignore", invalid="ignore"):
        ds = (g2 - g1) / (x2 - x1)
        return np.array([(ds - state[2]) / state[1] for state in own])


def meeting_slopes(
    phases: Sequence[Phase], T: Array, t: Array, values: Rows, which: int
) -> tuple[Array, Array]:
    """dT/dp, and dt/dp of the three phases, shape (3, n), of three-phase equilibria."""
    rows = (T, *values)
    matrix, right = np.empty((T.size, 3, 3)), np.empty((T.size, 3))
    own = []
    for k, phase in enumerate(phases):
        warm = _state(phase, t[k], rows, 0)
        state = _state(phase, t[k], rows, which)
        matrix[:, k] = np.stack([np.ones_like(T), np.broadcast_to(warm[0], T.shape), -warm[3]], -1)
        right[:, k] = state[3]
        own.append((warm, state))
    _, ds, dT_ = np.linalg.solve(matrix, right[..., None])[..., 0].T
    return dT_, np.array([(ds - w[2] * dT_ - p[2]) / p[1] for w, p in own])


def critical_slopes(
    phase: Phase, T: Array, t: Array, values: Rows, which: int
) -> tuple[Array, Array]:
    """dT/dp and dt/dp of critical points."""

    def psi(t: Array, rows: Rows) -> Array:
        terms: Array = phase.terms(rows[0], expit(t), *rows[1:])[..., 2:]
        return terms

    rows, h = (T, *values), 1e-4
    slope = psi(t, rows)[..., 1]
    bend = (psi(t + h, rows)[..., 1] - psi(t - h, rows)[..., 1]) / (2 * h)
    change = []
    for number in (0, which):
        step = 1e-6 * np.maximum(np.abs(rows[number]), 1.0)
        up, down = (
            psi(t, (*rows[:number], rows[number] + sign * step, *rows[number + 1 :]))
            for sign in (1, -1)
        )
        change.append((up - down) / (2 * step[:, None]))
    (psi_T, slope_T), (psi_p, slope_p) = (c.T for c in change)
    det = slope * slope_T - psi_T * bend
    return (bend * psi_p - slope * slope_p) / det, (slope_p * psi_T - psi_p * slope_T) / det


def _state(phase: Phase, t: Array, rows: Rows, which: int) -> tuple[Array, Array, Array, Array]:
    """x, ds/dt, and the changes of s and of the energy with a number of the rows."""
    ds, dg = slope_of(phase, t, rows, which)
    if phase.fixed:
        _, x = phase.line(rows)
        nothing = np.full(dg.shape, np.nan)
        return np.full(dg.shape, x), nothing, ds, dg
    _, _, x, slope, _ = phase.curve(t, rows)
    return x, slope, ds, dg
