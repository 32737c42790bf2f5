"""Where the stable phases of a binary change with temperature: numbers only.

Between two temperatures at which the phases from A to B differ lies an event: three phases meet
(an invariant), a gap opens or closes (a critical point), a phase touches another at one
composition (a congruent or azeotropic point), or a pure component changes its phase. Each is
solved by Newton's method and certified; where one step does not explain the change, the interval
is halved. Between events every tie-line is a smooth function of temperature.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.constants import R
from scipy.special import expit

from lina_calphad.diagram.equilibria import CERTIFIED, Equilibria
from lina_calphad.diagram.meetings import pure_energy, solved
from lina_calphad.errors import NotConverged, UnsupportedPhase
from lina_calphad.phase.ranges import SEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lina_calphad.checks import Array
    from lina_calphad.diagram.phases import Phase
    from lina_calphad.phase.rows import Rows

POINTS = 200  #: Temperatures at which the phases are looked for.
_BESIDE = 1e-7  # share of its temperature at which an event is looked at from either side
_CLOSEST = 1e-9  # share of a temperature at which two events are not told apart
_CLOSE = 1e-6  # share of a temperature within which phases in another order are the same event
_TWINS = 1e-12  # difference in RT of phases that are told apart
_AT_ONCE = 0.01  # share of a temperature within which several events may happen together
_MOST = 0.95  # share of the temperatures that must converge
_JUMP = 1e-5  # in RT, within that share of a temperature
_NARROW = 0.05  # width in t of a gap that closes at a kink, shortly before


@dataclass(frozen=True)
class Event:
    """Something that happens at one temperature.

    Parameters
    ----------
    kind
        "three-phase", "critical", "congruent" or "transition" (of a pure component or a compound).
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
    points
        Temperatures at which the phases are looked for: what comes and goes between two of
        them is not seen.
    """

    def __init__(
        self, equilibria: Equilibria, span: tuple[float, float], values: Sequence[float] = (),
        points: int = POINTS,
    ) -> None:  # fmt: skip
        self.equilibria, self.phases, self.span = equilibria, equilibria.phases, span
        self.values = tuple(float(v) for v in values)
        self._grid = np.linspace(*span, points)
        #: What was solved so far, by temperature.
        self.seen: dict[float, tuple[tuple[int, ...], Array]] = {}

    def rows(self, T: Array) -> Rows:
        """Rows at temperatures."""
        return (T, *(np.full(T.shape, v) for v in self.values))

    def events(self) -> list[Event]:
        """Everything that happens, from low temperature to high."""
        found = self.transitions()
        low, high = self.span
        grid = np.union1d(self._grid, list(self.seen))
        parts = []
        for start, end in pairwise([low, *sorted({e.T for e in found}), high]):
            a, b = start * (1 + _BESIDE * (start > low)), end * (1 - _BESIDE * (end < high))
            if a < b:
                parts.append(np.array([a, *grid[(grid > a) & (grid < b)], b]))
        self._look_at(np.concatenate(parts))
        for T in parts:
            for cold, hot in pairwise([at for at in T.tolist() if at in self.seen]):
                one, two = self.seen[cold], self.seen[hot]
                if one[0] != two[0]:
                    found += self._explained(cold, one, hot, two)
        return sorted(found, key=lambda e: e.T)

    def _look_at(self, T: Array) -> None:
        """Solve at temperatures; one that does not converge, as beside an event, is left out."""
        try:
            self.sequences(T)
        except NotConverged:
            for at in T:
                with suppress(NotConverged):
                    self.sequences(at[None])
            if len(self.seen) < _MOST * T.size:
                raise

    def transitions(self) -> list[Event]:
        """Where the stable phase of a pure component changes."""
        grid = self._grid
        found = []
        for side in (-1, 1):
            ends = [p for p, phase in enumerate(self.phases) if _reaches(phase, side)]
            if len(ends) < 2:
                continue

            def energy(p: int, T: Array, side: int = side) -> Array:
                return pure_energy(self.phases[p], side, self.rows(T))

            def difference(p: int, q: int, T: Array) -> Array:
                return energy(p, T) - energy(q, T)

            levels = np.array([energy(p, grid) for p in ends])
            self._refuse_twins(levels, ends, side)
            lowest = levels.argmin(axis=0)
            brackets = [(grid[k], grid[k + 1], ends[lowest[k]], ends[lowest[k + 1]])
                        for k in np.flatnonzero(np.diff(lowest))]  # fmt: skip
            while brackets:
                cold, hot, p, q = brackets.pop()
                T = _turn(partial(difference, p, q), cold, hot)
                at = [float(energy(r, np.array([T]))[0]) for r in ends]
                best = ends[int(np.argmin(at))]
                if best not in (p, q) and min(at) < at[ends.index(p)] - 1e-12:
                    brackets += [(cold, T, p, best), (T, hot, best, q)]
                    continue
                t = tuple(np.nan if self.phases[r].fixed else side * np.inf for r in (p, q))
                found.append(Event("transition", T, (p, q), t, upper=True))
        return found

    def _refuse_twins(self, levels: Array, ends: Sequence[int], side: int) -> None:
        """UnsupportedPhase if the two lowest phases of a pure component are the same there."""
        first, second = np.argsort(levels, axis=0, kind="stable")[:2]
        at = np.arange(levels.shape[1])
        twins = np.flatnonzero(levels[second, at] - levels[first, at] < _TWINS)
        if twins.size > 1:
            names = [self.phases[ends[k[twins[0]]]].name for k in (first, second)]
            msg = (
                f"{names[0]} and {names[1]} have the same energy of the pure "
                f"{'first' if side < 0 else 'second'} component at every temperature: which of "
                "them is stable cannot be told"
            )
            raise UnsupportedPhase(msg)

    def sequences(self, T: Array) -> None:
        """Solve for phases from A to B, and t of the ends of all tie-lines, shape (2, n)."""
        T = np.setdiff1d(T, list(self.seen))
        fields = self.equilibria.at(self.rows(T))
        first = np.searchsorted(fields.row, np.arange(T.size + 1))
        for k, (i, j) in enumerate(pairwise(first.tolist())):
            sequence = (int(fields.first[k]), *fields.phases[1, i:j].tolist())
            self.seen[float(T[k])] = sequence, fields.t[:, i:j]

    def _explained(self, cold: float, one: Any, hot: float, two: Any) -> Iterator[Event]:
        """The events between two temperatures with different phases."""
        if swap := self._swapped(one[0], two[0], cold, hot):
            yield swap
            return
        more, less, upper, T = (
            (one, two, True, cold) if len(one[0]) > len(two[0]) else (two, one, False, hot)
        )
        # Symmetry makes several things happen at once, which no halving tells apart.
        several = hot - cold < _AT_ONCE * hot
        found = self._removed(more[0], more[1], less[0], (cold, hot, T, upper), 3 if several else 1)
        if found:
            yield from found
            return
        if hot - cold < _CLOSEST * hot:
            # A gap that closes at a kink, as at a Curie temperature, has no smooth end.
            sequence, t = more
            narrow = (t[1] - t[0] < _NARROW) | (expit(t[1]) - expit(t[0]) < 2 * SEEN)
            ends = [
                (float(np.nanmax(np.abs(np.delete(t, k, axis=1) - less[1]), initial=0.0)), k)
                for k in np.flatnonzero(narrow).tolist()
                if sequence[k] == sequence[k + 1] and sequence[:k] + sequence[k + 1 :] == less[0]
            ]
            if ends:  # what is left must not have moved
                k = min(ends)[1]
                yield Event("critical", T, (sequence[k],), (float(t[:, k].mean()),), upper)
                return
            self._refuse_jump(cold, hot)
            names = [", ".join(self.phases[p].name for p in s[0]) for s in (one, two)]
            msg = (
                f"the phases change from {names[0]} to {names[1]} at {hot:.6f} K, and no one "
                "event explains it"
            )
            raise NotConverged(msg)
        middle, half = self._between_them(cold, hot)
        if half[0] != one[0]:
            yield from self._explained(cold, one, middle, half)
        if half[0] != two[0]:
            yield from self._explained(middle, half, hot, two)

    def _refuse_jump(self, cold: float, hot: float) -> None:
        """NotConverged if the energy of a phase jumps between two temperatures close together."""
        energy = self.equilibria.columns.sample(self.rows(np.array([cold, hot]))).energy
        with np.errstate(invalid="ignore"):  # where a phase is not there
            jump = np.nan_to_num(np.abs(energy[:, 1] - energy[:, 0])).max(axis=1)
        p = int(jump.argmax())
        if jump[p] > _JUMP:
            msg = (
                f"the Gibbs energy of {self.phases[p].name} jumps by {jump[p] * R * hot:.2g} J/mol "
                f"at {hot:.6g} K, and no diagram goes on there: ask for temperatures on one side"
            )
            raise NotConverged(msg)

    def _swapped(
        self, one: tuple[int, ...], two: tuple[int, ...], cold: float, hot: float
    ) -> Event | None:
        """The transition of a compound into another of its composition, if there is no more."""
        swaps = [pair for pair in zip(one, two, strict=False) if pair[0] != pair[1]]
        if len(one) != len(two) or len(swaps) != 1:
            return None
        p, q = swaps[0]
        phases = self.phases[p], self.phases[q]
        if not all(phase.fixed for phase in phases) or phases[0].origin != phases[1].origin:
            return None

        def difference(T: Array) -> Array:
            a, b = (phase.line(self.rows(T))[0] for phase in phases)
            return a - b

        if difference(np.array([cold, hot])).prod() > 0:
            return None
        T = _turn(difference, cold, hot)
        return Event("transition", T, (p, q), (np.nan, np.nan), upper=True)

    def _between_them(self, cold: float, hot: float) -> tuple[float, Any]:
        """What there is between two temperatures; beside an event a row may not converge."""
        for share in (0.5, 0.38, 0.62):
            middle = cold + share * (hot - cold)
            with suppress(NotConverged) if share < 0.6 else nullcontext():
                self.sequences(np.array([middle]))
                break
        return middle, self.seen[middle]

    def _removed(
        self, sequence: tuple[int, ...], t: Array, less: tuple[int, ...],
        bracket: tuple[float, float, float, bool], most: int,
    ) -> list[Event]:  # fmt: skip
        """Events within a bracket that take phases out of a sequence until another is left."""
        if most == 0 or len(sequence) <= len(less):
            return []
        cold, hot, T, upper = bracket
        for event, gone, kept in self._ways(sequence, t, T, upper):
            # Another order means another event beside this one, which halving tells apart.
            close = hot - cold < _CLOSE * hot
            if cold <= event.T <= hot and (close or self._ordered(event)):
                left = tuple(p for k, p in enumerate(sequence) if k not in gone)
                if left == less:
                    return [event]
                if rest := self._removed(left, kept, less, bracket, most - 1):
                    return [event, *rest]
        return []

    def _ways(
        self, sequence: tuple[int, ...], t: Array, T: float, upper: bool
    ) -> Iterator[tuple[Event, set[int], Array]]:
        """Events that could take one phase, or two, out: with which go, and t of what is left."""
        size = len(sequence)
        for k in range(size):
            if 0 < k < size - 1:
                three = sequence[k - 1 : k + 2]
                start = np.array([t[0, k - 1], (t[1, k - 1] + t[0, k]) / 2, t[1, k]])
                joined = np.delete(t, k, axis=1)
                joined[1, k - 1] = t[1, k]
                for event in self._happens("three-phase", three, T, start, upper):
                    yield event, {k}, joined
                if sequence[k - 1] == sequence[k + 1]:
                    fixed = self.phases[sequence[k]].fixed
                    at = np.nan if fixed else np.nanmean([t[1, k - 1], t[0, k]])
                    for event in self._happens("congruent", three[1::-1], T, [at], upper):
                        yield event, {k, k + 1}, np.delete(t, [k - 1, k], axis=1)
            if k + 1 < size and sequence[k] == sequence[k + 1]:
                middle = [t[:, k].mean()]
                for event in self._happens("critical", sequence[k : k + 1], T, middle, upper):
                    yield event, {k + 1}, np.delete(t, k, axis=1)

    def _ordered(self, event: Event) -> bool:
        logs = [
            self.phases[p].logs(np.array([t])) for p, t in zip(event.phases, event.t, strict=True)
        ]
        x = [float((b - a)[0]) for a, b in logs]
        return event.kind != "three-phase" or x == sorted(x)

    def _happens(
        self, kind: str, phases: tuple[int, ...], T: float, t: Any, upper: bool
    ) -> Iterator[Event]:
        """The event of a kind that Newton's method finds from a start, if certified."""
        values = tuple(np.array([v]) for v in self.values)
        start = np.array([T]), np.array(t, dtype=float)[:, None]
        T_, t_, s, a, good = solved(kind, [self.phases[p] for p in phases], *start, values)
        if good[0] and T_[0] > 0:
            height = self.equilibria.lowest(s, a, (T_, *values))[0][0]
            if height >= CERTIFIED:
                yield Event(kind, float(T_[0]), phases, tuple(t_[:, 0].tolist()), upper)


def _turn(f: Callable[[Array], Array], low: float, high: float) -> float:
    """Where f, smooth or with jumps, changes its sign, for the last time if often: to 1e-11."""
    while high - low > 1e-11:
        at = np.linspace(low, high, 64)
        positive = f(at) > 0
        k = at.size - 2 - int((positive[-2::-1] != positive[-1]).argmax())
        low, high = float(at[k]), float(at[k + 1])
    return (low + high) / 2


def _reaches(phase: Phase, side: int) -> bool:
    """Whether a phase goes to pure A (side -1) or pure B."""
    end = phase.origin
    if side > 0 and phase.change is not None:
        end = (phase.origin[0] + phase.change[0], phase.origin[1] + phase.change[1])
    return end[1 if side < 0 else 0] == 0
