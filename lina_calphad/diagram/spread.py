"""Draws of parameters on a whole diagram: every boundary and invariant of every draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lina_calphad.diagram.equilibria import CERTIFIED
from lina_calphad.diagram.fields import Pieces
from lina_calphad.diagram.meetings import pure_energy, solved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lina_calphad.checks import Array, Flags
    from lina_calphad.diagram.phases import Phase
    from lina_calphad.diagram.system import BinarySystem
    from lina_calphad.diagram.tracing import Event
    from lina_calphad.phase.rows import Rows


_REFERENCE = 60  # temperatures of the reference from which tie-lines start


@dataclass(frozen=True, eq=False)
class Spread:
    """One reference diagram followed through draws of its parameters.

    Parameters
    ----------
    events
        Of the reference, in order of temperature.
    T
        Temperature of each event in each draw, shape (events, draws); NaN where it is none.
    t
        ln(y/(1-y)) of its phases, shape (draws, phases) for each event.
    fields
        Pieces of fields between two events: the number of the field, its phases, and
        ln(y/(1-y)) of both ends at each temperature asked for, shape (2, draws, temperatures);
        NaN where the draw is not in that piece there.
    kept
        Which draws have the events of the reference, in their order.
    sequences
        In which piece of the reference each draw is at each temperature, shape
        (draws, temperatures); -1 where it is left out.
    kinds
        The phases from A to B in each piece.
    """

    events: tuple[Event, ...]
    T: Array
    t: tuple[Array, ...]
    fields: tuple[tuple[int, tuple[int, int], Array], ...]
    kept: Flags
    sequences: Array
    kinds: tuple[tuple[int, ...], ...]

    def of(self, piece: int) -> tuple[tuple[int, tuple[int, int], Array], ...]:
        """The tie-lines of one piece, from A to B."""
        start = sum(len(kind) - 1 for kind in self.kinds[:piece])
        return self.fields[start : start + len(self.kinds[piece]) - 1]


def spread(system: BinarySystem, values: Array, T: Array, span: tuple[float, float]) -> Spread:
    """Follow events and tie-lines of the reference through draws.

    Parameters
    ----------
    system
        With its symbols free; its own values are the reference.
    values
        Values of the symbols, shape (draws, symbols).
    T
        Temperatures in K of the tie-lines, shape (m,).
    span
        Lowest and highest temperature in K of the diagram.
    """
    tracer = system._tracer((), span)
    events = tuple(tracer.events())
    columns: Rows = tuple(values.T)
    temperatures, places, kept = [], [], np.ones(len(values), bool)
    for event in events:
        level, t, good = _followed(system, event, columns, len(values))
        kept &= good
        temperatures.append(np.where(good, level, np.nan))
        places.append(t)
    levels = np.array(temperatures).reshape(len(events), len(values))
    with np.errstate(invalid="ignore"):
        kept &= (np.diff(levels, axis=0) > 0).all(axis=0) & (
            (levels > span[0]) & (levels < span[1])
        ).all(axis=0)
    pieces = Pieces(tracer, events, close=True)
    # In which piece each draw is at each temperature.
    place = (levels[:, :, None] <= T).sum(axis=0)
    place[~kept] = -1
    fields = tuple(_fields(system, pieces, levels, values, T, span, place))
    kinds = tuple(sequence for _, sequence, _ in pieces.pieces)
    return Spread(events, levels, tuple(places), fields, kept, place, kinds)


def _followed(
    system: BinarySystem, event: Event, columns: Rows, n: int
) -> tuple[Array, Array, Flags]:
    """An event in every draw: temperature, t of its phases, and whether it is there."""
    phases = [system.phases[p] for p in event.phases]
    start, t = np.full(n, event.T), np.repeat(np.array(event.t)[:, None], n, axis=1)
    if event.kind == "transition":
        return _transition(phases, start, t, columns)
    T, t, s, a, good = solved(event.kind, phases, start, t, columns)
    some = np.flatnonzero(good & (T > 0))
    rows = (T[some], *(c[some] for c in columns))
    good = np.zeros(n, bool)
    good[some] = system.solver.lowest(s[some], a[some], rows)[0] >= CERTIFIED
    return T, t, good


def _transition(
    phases: Sequence[Phase], T: Array, t: Array, columns: Rows
) -> tuple[Array, Array, Flags]:
    """Where both phases of a pure component have one energy: SGTE's ranges meet with a jump."""
    side = np.sign(np.nansum(t[:, 0])) or 1.0

    def difference(T: Array) -> Array:
        one, two = (pure_energy(phase, side, (T, *columns)) for phase in phases)
        return one - two

    # Most parameters do not touch the pure components: the place is that of the reference.
    width = np.full(T.shape, 1e-7)
    below, above = difference(T * (1 - width)), difference(T * (1 + width))
    moved = ~(below * above <= 0)
    width[moved] = 0.2
    low, high = T * (1 - width), T * (1 + width)
    below, above = difference(low), difference(high)
    good: Flags = below * above <= 0
    for _ in range(50 if moved.any() else 2):
        middle = (low + high) / 2
        same = difference(middle) * below > 0
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return (low + high) / 2, t, good


def _fields(
    system: BinarySystem, pieces: Pieces, levels: Array, values: Array, T: Array,
    span: tuple[float, float], place: Array,
) -> Iterator[tuple[int, tuple[int, int], Array]]:  # fmt: skip
    """Tie-lines of every draw at every temperature, piece by piece of the reference."""
    own = np.vstack([np.full(len(values), span[0]), levels, np.full(len(values), span[1])])
    for k, ((at, sequence, t), names) in enumerate(zip(pieces.pieces, pieces.numbers, strict=True)):
        draw, level = np.nonzero(place == k)
        low, high = own[k, draw], own[k + 1, draw]
        there = at[0] + (T[level] - low) / (high - low) * (at[-1] - at[0])
        rows = (T[level], *values[draw].T)
        for field in range(len(sequence) - 1):
            pair = sequence[field : field + 2]
            result = np.full((2, len(values), T.size), np.nan)
            if draw.size:
                # The last points lie at their events, some infinitely dilute.
                start = np.array([np.interp(there, at[1:-1], side[1:-1]) for side in t[:, field]])
                pairs = np.repeat(np.array(pair)[:, None], draw.size, axis=1)
                result[:, draw, level] = system.solver.polish(pairs, start, rows)[0]
            yield names[field], pair, result
