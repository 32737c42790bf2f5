"""Tie-lines between the events of a diagram, and the two-phase fields that they make together."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from lina_calphad.diagram.equilibria import CERTIFIED
from lina_calphad.diagram.results import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.checks import Array
    from lina_calphad.diagram.equilibria import Indices
    from lina_calphad.diagram.tracing import Event, Tracer


_MOMENT = 1e-7  # share of a temperature below which two events are one
_CLOSE = 3.0  # in t: what Newton's method does at most from beside an event to its end


class Pieces:
    """Tie-lines between events, and the fields that they make together.

    `pieces` holds T, the phases from A to B, and t of all tie-lines, shape (2, fields, T), and
    `numbers` which field each belongs to.
    """

    def __init__(self, tracer: Tracer, events: Sequence[Event], points: int) -> None:
        self.tracer = tracer
        low, high = tracer.span
        self.events = [e for e in events if low < e.T < high]
        stops = [low, *(e.T for e in self.events), high]
        self.pieces = [self._piece(a, b, points) for a, b in pairwise(stops)]
        #: Temperatures with other phases than beside them: events there were overlooked.
        self.missed: list[float] = []
        self._solve()
        for T, sequence, t in self.pieces:
            self._closed(T, sequence, t)

    def _piece(self, low: float, high: float, points: int) -> Any:
        """T, the phases from A to B and t of all tie-lines (2, fields, T) between two events."""
        if high - low < _MOMENT * high:  # two events at once: there is nothing between them
            return np.array([low, high]), (), np.zeros((2, 0, 2))
        tracer, span = self.tracer, self.tracer.span
        n = max(3, round(points * (high - low) / (span[1] - span[0])))
        share = (1 - np.cos(np.pi * np.linspace(0, 1, n + 2))) / 2
        T = low + share * (high - low)
        # What the search for events has solved already is where the others start from.
        seen = {at: one for at, one in tracer.seen.items() if low < at < high}
        inside = [0.02, 0.98] if len(seen) > 2 else [0.02, 0.2, 0.5, 0.8, 0.98]
        more = low + np.array(inside) * (high - low)
        seen |= dict(zip(more.tolist(), tracer.sequences(more), strict=True))
        anchors = np.array(sorted(seen))
        sequence = seen[anchors[anchors.size // 2]][0]
        anchors = np.array([at for at in anchors if seen[at][0] == sequence])
        size = len(sequence) - 1
        t = np.full((2, size, T.size), np.nan)
        known = np.array([seen[at][1] for at in anchors]).reshape(anchors.size, 2, size)
        for side in (0, 1):
            for field in range(size):
                t[side, field] = np.interp(T, anchors, known[:, side, field])
        return T, sequence, t

    def _solve(self) -> None:
        """Newton from the interpolated starts, certificates, and a full search where one fails."""
        solver = self.tracer.equilibria
        pairs = [np.array([q[:-1], q[1:]], np.intp).reshape(2, -1) for _, q, _ in self.pieces]
        known = list(zip(self.pieces, pairs, strict=True))
        inside = [(T[1:-1], p, t[:, :, 1:-1]) for (T, _, t), p in known]
        pair, start, T = self._lines(inside)
        rows = self.tracer.rows(T)
        found, s, a = solver.polish(pair, start, rows)
        failed = np.unique(T[~(solver.lowest(s, a, rows)[0] >= CERTIFIED)])
        self._put(found, inside)
        again = dict(zip(failed.tolist(), self.tracer.sequences(failed), strict=True))
        for T, sequence, t in self.pieces:
            for k in np.flatnonzero(np.isin(T[1:-1], failed)) + 1:
                there, ends = again[float(T[k])]
                if there == sequence:
                    t[:, :, k] = ends
                else:
                    self.missed.append(float(T[k]))
        # The ends themselves, as far as Newton's method goes from beside them.
        edges = [
            (T[[k]], p, t[:, :, [k + (1 if k == 0 else -1)]])
            for (T, _, t), p in known
            for k in (0, T.size - 1)
        ]
        pair, near, T = self._lines(edges)
        with np.errstate(all="ignore"):
            found, *_ = solver.polish(pair, near, self.tracer.rows(T))
            close = (np.abs(found - near) < _CLOSE) | np.isnan(near)
        found = np.where(close.all(axis=0), found, near)
        places = [
            (T[[k]], p, t[:, :, k : k + 1]) for (T, _, t), p in known for k in (0, T.size - 1)
        ]
        self._put(found, places)

    @staticmethod
    def _lines(parts: Sequence[tuple[Array, Indices, Array]]) -> tuple[Indices, Array, Array]:
        """Phases, t and temperatures of the tie-lines of several pieces in one row."""
        pair = np.concatenate([np.repeat(p, T.size, axis=1) for T, p, _ in parts], axis=1)
        t = np.concatenate([t.reshape(2, -1) for _, _, t in parts], axis=1)
        return pair, t, np.concatenate([np.tile(T, p.shape[1]) for T, p, _ in parts])

    @staticmethod
    def _put(found: Array, parts: Sequence[tuple[Array, Indices, Array]]) -> None:
        """Write tie-lines in one row back to where they were taken from."""
        start = 0
        for T, p, t in parts:
            size = T.size * p.shape[1]
            t[...] = found[:, start : start + size].reshape(t.shape)
            start += size

    def _closed(self, T: Array, sequence: tuple[int, ...], t: Array) -> None:
        """Put the ends of fields that close on their points."""
        for event in self.events:
            for k in (0, -1):
                if T[k] != event.T:
                    continue
                for field in range(len(sequence) - 1):
                    pair = sequence[field : field + 2]
                    if event.kind == "critical" and pair == (event.phases[0],) * 2:
                        if abs(t[:, field, k].mean() - event.t[0]) < 1:
                            t[:, field, k] = event.t[0]
                    elif event.kind == "congruent" and sorted(pair) == sorted(event.phases):
                        at = dict(zip(event.phases, event.t, strict=True))
                        ends = np.array([at[p] for p in pair])
                        if np.nanmax(np.abs(ends - t[:, field, k])) < 1:
                            t[:, field, k] = ends
                    elif event.kind == "transition" and sorted(pair) == sorted(event.phases):
                        side = -1 if np.nanmin(event.t) < 0 else 1
                        near = t[:, field, 1 if k == 0 else -2]
                        if np.all((side * near > 1) | np.isnan(near)):
                            t[:, field, k] = np.where(
                                np.isnan(t[:, field, 1]), np.nan, side * np.inf
                            )

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


def _same(one: Array, two: Array) -> bool:
    """Whether two tie-lines at one temperature are the same, both ends."""
    close = np.isclose(one, two, rtol=1e-6, atol=1e-6) | (np.isnan(one) & np.isnan(two))
    return bool(close.all())
