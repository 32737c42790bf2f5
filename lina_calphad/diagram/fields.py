"""Tie-lines between the events of a diagram, and the two-phase fields that they make together."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from lina_calphad.diagram.results import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.checks import Array
    from lina_calphad.diagram.tracing import Event, Tracer


_KNOWN = 1e-8  # share of a temperature from an event at which its field has been solved
_MOMENT = 1e-7  # share of a temperature below which two events are one
_CLOSE = 3.0  # in t: what Newton's method does at most from beside an event to its end
_BESIDE = np.linspace(0, 1, 8)[1:-1] ** 2  # where domes are round: shares of the nearest step


class Pieces:
    """Tie-lines between events, and the fields that they make together.

    `pieces` holds T, the phases from A to B, and t of all tie-lines, shape (2, fields, T), and
    `numbers` which field each belongs to.

    Parameters
    ----------
    tracer
        Whose temperatures are those of the pieces.
    events
        All that it found.
    close
        Whether to look closer beside every event, not only where fields close on a point.
    """

    def __init__(self, tracer: Tracer, events: Sequence[Event], *, close: bool = False) -> None:
        self.tracer = tracer
        low, high = tracer.span
        self.events = [e for e in events if low < e.T < high]
        ends: list[Any] = [low, *self.events, high]
        more = [self._more(one, two, close) for one, two in pairwise(ends)]
        tracer.sequences(np.concatenate(more))
        #: Temperatures with other phases than beside them: events there were overlooked.
        self.missed: list[float] = []
        self.pieces = [self._piece(one, two) for one, two in pairwise(ends)]
        self._end()

    def _inside(self, low: float, high: float) -> Array:
        """Temperatures solved between two events, or up to the ends of the span."""
        T, span = np.array(sorted(self.tracer.seen)), self.tracer.span
        below, above = (
            (low <= T if low == span[0] else low < T),
            (high >= T if high == span[1] else high > T),
        )
        return T[below & above]

    def _more(self, one: Any, two: Any, close: bool) -> Array:
        """Temperatures wanted besides between two events."""
        low, high = _level(one), _level(two)
        if high - low < _MOMENT * high:
            return np.zeros(0)
        T = self._inside(low, high)
        if T.size == 0:
            T = np.array([(low + high) / 2])
        more = [T[:0] if T.size > 1 else T]
        for end, near in ((one, T[0]), (two, T[-1])):
            if isinstance(end, float) or abs(near - end.T) < _KNOWN * end.T:
                continue
            if close or end.kind in ("critical", "congruent"):
                more.append(end.T + _BESIDE * (near - end.T))
        return np.concatenate(more)

    def _piece(self, one: Any, two: Any) -> Any:
        """T, the phases from A to B and t of all tie-lines (2, fields, T) between two events."""
        low, high = _level(one), _level(two)
        if high - low < _MOMENT * high:  # two events at once: there is nothing between them
            return np.array([low, high]), (), np.zeros((2, 0, 2))
        T, seen = self._inside(low, high), self.tracer.seen
        sequence = seen[T[T.size // 2]][0]
        same = np.array([seen[at][0] == sequence for at in T])
        self.missed += T[~same].tolist()
        T = T[same]
        t = np.stack([seen[at][1] for at in T], axis=-1)
        for end, k in ((one, 0), (two, T.size)):
            if not isinstance(end, float):
                T = np.insert(T, k and T.size, end.T)
                t = np.insert(t, k and t.shape[-1], t[..., -1 if k else 0], axis=-1)
        return T, sequence, t

    def _end(self) -> None:
        """Tie-lines at the events: of fields that close their points, else by Newton's method."""
        todo: list[tuple[Array, int, float, tuple[int, int]]] = []
        for event, (cold, hot) in zip(self.events, pairwise(self.pieces), strict=True):
            for (_, sequence, t), k in ((cold, -1), (hot, 0)):
                for field, pair in enumerate(pairwise(sequence)):
                    ends = _closed(event, pair, t[:, field, k])
                    if ends is None:
                        todo.append((t[:, field], k, event.T, pair))
                    else:
                        t[:, field, k] = ends
        if not todo:
            return
        near = np.array([t[:, k] for t, k, _, _ in todo]).T
        pair_ = np.array([pair for *_, pair in todo], np.intp).T
        rows = self.tracer.rows(np.array([T for _, _, T, _ in todo]))
        with np.errstate(all="ignore"):
            found, *_ = self.tracer.equilibria.polish(pair_, near, rows)
            close = ((np.abs(found - near) < _CLOSE) | np.isnan(near)).all(axis=0)
        for (t, k, *_), end, good in zip(todo, found.T, close.tolist(), strict=True):
            if good:
                t[:, k] = end

    @cached_property
    def numbers(self) -> list[list[int]]:
        """Which field each tie-line of each piece belongs to: they go on past events."""
        found: list[list[int]] = []
        count = 0
        before: list[Any] = []
        for _T, sequence, t in self.pieces:
            if not sequence:
                found.append([])
                continue
            now = []
            for k in range(len(sequence) - 1):
                pair = sequence[k : k + 2]
                known = [n for p, end, n in before if p == pair and _same(end, t[:, k, 0])]
                number = known[0] if known else count
                count += not known
                now.append((pair, t[:, k, -1], number))
            before = now
            found.append([n for _, _, n in now])
        return found

    def fields(self) -> tuple[Field, ...]:
        """Two-phase fields over the whole span."""
        parts: dict[int, list[Any]] = {}
        for (T, sequence, t), numbers in zip(self.pieces, self.numbers, strict=True):
            for k, number in enumerate(numbers):
                parts.setdefault(number, []).append((sequence[k : k + 2], T, t[:, k]))
        return tuple(
            self._field(
                some[0][0],
                np.concatenate([some[0][1], *(T[1:] for _, T, _ in some[1:])]),
                np.concatenate([some[0][2], *(t[:, 1:] for _, _, t in some[1:])], axis=1),
            )
            for some in parts.values()
        )

    def _field(self, pair: tuple[int, int], T: Array, t: Array) -> Field:
        phases = [self.tracer.phases[p] for p in pair]
        logs = [phase.logs(one) for phase, one in zip(phases, t, strict=True)]
        a, b = (np.array([one[k] for one in logs]) for k in (0, 1))
        return Field((phases[0].name, phases[1].name), T, np.exp(b), b, a)

    def singles(self) -> tuple[tuple[float, str, float, float], ...]:
        """Where each phase is stable alone, at every temperature."""
        found = []
        for T, sequence, t in self.pieces:
            x = np.array([
                [np.exp(self.tracer.phases[p].logs(t[side, k])[1]) for k, p in enumerate(some)]
                for side, some in ((0, sequence[:-1]), (1, sequence[1:]))
            ]).reshape(2, len(sequence) - 1, T.size)  # fmt: skip
            for j, level in enumerate(T[1:-1].tolist() if sequence else [], 1):
                edges = [0.0, *x[:, :, j].T.ravel().tolist(), 1.0]
                for k, p in enumerate(sequence):
                    phase = self.tracer.phases[p]
                    if not phase.fixed:
                        found.append((level, phase.name, edges[2 * k], edges[2 * k + 1]))
        return tuple(found)


def _level(end: Any) -> float:
    return float(end if isinstance(end, float) else end.T)


def _closed(event: Event, pair: tuple[int, int], near: Array) -> Array | None:
    """Both ends at an event of a field that closes there on a point; None of others."""
    if event.kind == "critical":
        if pair == event.phases * 2 and abs(near.mean() - event.t[0]) < 1:
            return np.full(2, event.t[0])
    elif sorted(pair) == sorted(event.phases) and event.kind != "three-phase":
        if event.kind == "congruent":
            at = dict(zip(event.phases, event.t, strict=True))
            ends = np.array([at[p] for p in pair])
            return ends if np.nanmax(np.abs(ends - near)) < 1 else None
        side = -1 if np.nanmin(event.t) < 0 else 1
        if np.all((side * near > 1) | np.isnan(near)):
            return np.where(np.isnan(near), np.nan, side * np.inf)
    return None


def _same(one: Array, two: Array) -> bool:
    """Whether two tie-lines at one temperature are the same, both ends."""
    close = np.isclose(one, two, rtol=1e-6, atol=1e-6) | (np.isnan(one) & np.isnan(two))
    return bool(close.all())
