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
    from lina_calphad.diagram.equilibria import Indices
    from lina_calphad.diagram.tracing import Event, Tracer


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

    def _piece(self, low: float, high: float, points: int) -> Any:
        """T, the phases from A to B and t of all tie-lines (2, fields, T) between two events."""
        tracer, span = self.tracer, self.tracer.span
        n = max(3, round(points * (high - low) / (span[1] - span[0])))
        share = (1 - np.cos(np.pi * np.linspace(0, 1, n + 2))) / 2
        T = low + share * (high - low)
        anchors = low + np.array([0.02, 0.2, 0.5, 0.8, 0.98]) * (high - low)
        seen = tracer._sequences(anchors)
        sequence = seen[2][0]
        good = [k for k, (one, _) in enumerate(seen) if one == sequence]
        size = len(sequence) - 1
        t = np.full((2, size, T.size), np.nan)
        known = np.array([seen[k][1] for k in good]).reshape(len(good), 2, size)
        for side in (0, 1):
            for field in range(size):
                t[side, field] = np.interp(T, anchors[good], known[:, side, field])
        pair = np.array([sequence[:-1], sequence[1:]], dtype=np.intp).reshape(2, size)
        if size:
            self._solved(T, pair, t)
            self._closed(T, sequence, t)
        return T, sequence, t

    def _solved(self, T: Array, pair: Indices, t: Array) -> None:
        """Newton from the interpolated starts, certificates, and a full search where one fails."""
        size = pair.shape[1]
        inside = slice(1, -1)
        rows = self.tracer.rows(np.tile(T[inside], size))
        pairs = np.repeat(pair, T.size - 2, axis=1)
        found, s, a = self.tracer.equilibria.polish(pairs, t[:, :, inside].reshape(2, -1), rows)
        height = self.tracer.equilibria.lowest(s, a, rows)[0]
        t[:, :, inside] = found.reshape(2, size, -1)
        wrong = np.unique(np.tile(np.arange(1, T.size - 1), size)[~(height >= -1e-9)])
        for k in wrong:
            ((_sequence, ends),) = self.tracer._sequences(T[[k]])
            if ends.shape[1] == size:
                t[:, :, k] = ends
        for k in (0, -1):  # the ends themselves: as far as Newton's method goes
            at = np.full(size, T[k])
            near = t[:, :, 1 if k == 0 else -2]
            with np.errstate(all="ignore"):
                ends, s, a = self.tracer.equilibria.polish(pair, near, self.tracer.rows(at))
            ok = np.nanmax(np.abs(ends - near), axis=0, initial=0.0, where=~np.isnan(near)) < 3
            t[:, :, k] = np.where(
                ok & ~np.isnan(ends - np.where(np.isnan(near), ends, near)), ends, near
            )

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
            for j, level in enumerate(T[1:-1].tolist(), 1):
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
