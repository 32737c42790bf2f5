"""BinarySystem: the whole diagram of two components, exactly, from any database."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from pycalphad import Model
from scipy.special import expit

from lina_calphad.checks import kelvin
from lina_calphad.data.interactions import symbol_value
from lina_calphad.errors import LinaCalphadError, UnsupportedPhase
from lina_calphad.phase.diagram import Diagram, Field, Invariant, Invariants, TieLines
from lina_calphad.phase.equilibria import Equilibria, Phase
from lina_calphad.phase.section import Section, section
from lina_calphad.phase.tracing import Event, Tracer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.checks import Array

#: Temperatures in K between which events are sought where none are given.
SPAN = (200.0, 4000.0)
_POINTS = 200
_ANCHORS = 5  # solved temperatures between two events from which the others start
_LIQUIDS = ("LIQ", "L_", "MELT", "IONIC_LIQ")


class BinarySystem:
    """Two components with every phase that a database has of them.

    Parameters
    ----------
    dbf
        The database.
    components
        The two components; x is the mole fraction of the second. Vacancies are added. More
        than two name the section between the first two: the others are held throughout by
        sublattices of their own, as C of (A,B)1(C)1.
    phases
        Names of the phases; every one of the database if None.
    model
        A pycalphad Model class for all phases, or a mapping from phases to classes.
    pressure
        In Pa.
    symbols
        Names of symbols of the database that stay free; see `BinarySolution`.

    Raises
    ------
    DatabaseError
        If the database lacks a component or a phase.
    UnsupportedPhase
        If a phase cannot be treated (several mixing sublattices, ordering, associates): all
        that cannot are named. Name the phases wanted to leave them out, with a warning.

    Examples
    --------
    >>> from lina_calphad import load
    >>> system = BinarySystem(load("zhang2003"), ("LI", "NA"), ["LIQUID", "BCC_A2"])
    >>> system.invariants(300, 700)
    <Invariants:
      eutectic at 360.1722 K: BCC_A2 0.0050204, LIQUID 0.965966, BCC_A2 0.99498
      transition at 370.8700 K: BCC_A2 1, LIQUID 1
      monotectic at 444.5033 K: BCC_A2 0.0117824, LIQUID 0.0336662, LIQUID 0.896249
      transition at 453.6000 K: BCC_A2 0, LIQUID 0
      upper critical point at 581.5723 K: LIQUID 0.324896>
    """

    def __init__(
        self,
        dbf: Database,
        components: Sequence[str],
        phases: Sequence[str] | None = None,
        model: type[Model] | Mapping[str, type[Model]] = Model,
        pressure: float = 101325.0,
        *,
        symbols: Sequence[str] = (),
    ) -> None:
        first, second, *others = (str(c).upper() for c in components)
        self.dbf, self.components, self.pressure = dbf, (first, second), float(pressure)
        self.symbols = tuple(symbols)
        self.reference = np.array([symbol_value(dbf, name) for name in self.symbols])
        models = model if isinstance(model, Mapping) else dict.fromkeys(dbf.phases, model)
        self.sections: dict[str, Section] = {}
        refused: dict[str, str] = {}
        for name in sorted(dbf.phases) if phases is None else [p.upper() for p in phases]:
            try:
                found = section(
                    dbf, self.components, name, models.get(name, Model), self.pressure,
                    others=others, symbols=self.symbols,
                )  # fmt: skip
            except UnsupportedPhase as error:
                refused[name] = str(error)
            else:
                if found is not None:
                    self.sections[name] = found
        if refused and phases is None:
            msg = (
                f"cannot treat {', '.join(refused)}: name the phases wanted to leave them out "
                f"({next(iter(refused.values()))})"
            )
            raise UnsupportedPhase(msg)
        if refused:
            raise UnsupportedPhase("; ".join(refused.values()))
        if not self.sections:
            msg = f"the database has no phase of {first} and {second}"
            raise UnsupportedPhase(msg)

    def __repr__(self) -> str:
        return f"<BinarySystem of {' and '.join(self.components)}: {', '.join(self.sections)}>"

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases for the solver, compiled."""
        return tuple(found.compiled(self.symbols) for found in self.sections.values())

    @cached_property
    def solver(self) -> Equilibria:
        """The solver for tie-lines."""
        _distinct(self.phases, self._rows_of_reference(np.array([300.0, 1000.0])))
        return Equilibria(self.phases)

    def equilibria(self, T: ArrayLike, values: ArrayLike = ()) -> TieLines:
        """Every stable two-phase equilibrium, between two phases or within one.

        Parameters
        ----------
        T
            Temperatures in K, of any shape.
        values
            Of the free symbols, one each.

        Returns
        -------
        TieLines
        """
        T = kelvin(T).ravel()
        found = self.solver.at(self._tracer(values).rows(T))
        logs = [self._logs(p, t) for p, t in zip(found.phases, found.t, strict=True)]
        names = np.array([phase.name for phase in self.phases])[found.phases]
        ln_one_minus_x, ln_x = (np.array([one[k] for one in logs]) for k in (0, 1))
        return TieLines(T[found.row], names, np.exp(ln_x), ln_x, ln_one_minus_x)

    def invariants(
        self, T_min: float = SPAN[0], T_max: float = SPAN[1], values: ArrayLike = ()
    ) -> Invariants:
        """Three-phase equilibria, critical and congruent points, transitions of the components.

        Parameters
        ----------
        T_min, T_max
            In K.
        values
            Of the free symbols, one each.

        Raises
        ------
        NotConverged
            If the phases change in a way that no single event explains.
        """
        tracer = self._tracer(values, _span(T_min, T_max))
        return Invariants(tuple(self._named(event) for event in tracer.events()))

    def diagram(
        self,
        T_min: float = SPAN[0],
        T_max: float | None = None,
        values: ArrayLike = (),
        *,
        points: int = _POINTS,
    ) -> Diagram:
        """The whole diagram, every boundary closed at its ends.

        Parameters
        ----------
        T_min, T_max
            In K; up to a tenth above all that happens if None.
        values
            Of the free symbols, one each.
        points
            About how many temperatures.
        """
        tracer = self._tracer(values, _span(T_min, T_max or SPAN[1]))
        events = tracer.events()
        if T_max is None:
            top = max((event.T for event in events), default=SPAN[1] / 1.1)
            tracer.span = (T_min, min(1.1 * top, SPAN[1]))
        pieces = Pieces(self, tracer, events, points)
        return Diagram(
            self.components, tracer.span, pieces.fields(),
            Invariants(tuple(self._named(event) for event in events)), pieces.singles(),
        )  # fmt: skip

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The diagram drawn; see `diagram` and `lina_calphad.phase.diagram.Diagram.plot`."""
        return self.diagram().plot(ax, **options)

    def _rows_of_reference(self, T: Array) -> tuple[Array, ...]:
        return (T, *(np.full(T.shape, v) for v in self.reference))

    def _tracer(self, values: ArrayLike, span: tuple[float, float] = SPAN) -> Tracer:
        given = np.asarray(values, dtype=float).ravel()
        if given.size == 0:
            given = self.reference
        if given.size != len(self.symbols):
            msg = f"there are {len(self.symbols)} free symbols; got {given.size} values"
            raise ValueError(msg)
        return Tracer(self.solver, span, given)

    def _logs(self, p: Array, t: Array) -> tuple[Array, Array]:
        """ln x of both components in phases given by number."""
        a, b = np.empty(t.shape), np.empty(t.shape)
        for k in np.unique(p).tolist():
            some = p == k
            a[some], b[some] = self.phases[k].logs(t[some])
        return a, b

    def _named(self, event: Event) -> Invariant:
        logs = [self.phases[p].logs(np.array([t])) for p, t in zip(event.phases, event.t, strict=True)]
        logs_ = tuple((float(a[0]), float(b[0])) for a, b in logs)
        names = [self.phases[p].name for p in event.phases]
        phases = tuple((n, float(np.exp(b))) for n, (_, b) in zip(names, logs_, strict=True))
        return Invariant(_kind(event, names), event.T, phases, logs_)


def _distinct(phases: Sequence[Phase], rows: tuple[Array, ...]) -> None:
    """UnsupportedPhase if two phases have one energy everywhere: neither is the stable one."""
    t = np.linspace(-5, 5, 11)[:, None]
    energies = [
        p.line(rows)[0] if p.fixed else np.array(p.curve(t, rows)[:2]) for p in phases
    ]
    for k, one in enumerate(phases):
        for j, other in enumerate(phases[:k]):
            same = one.origin == other.origin and one.change == other.change
            if same and np.allclose(energies[j], energies[k], rtol=0, atol=1e-10):
                msg = f"{other.name} and {one.name} have the same energy: name one of them"
                raise UnsupportedPhase(msg)


def _span(low: float, high: float) -> tuple[float, float]:
    low, high = float(kelvin(low)), float(kelvin(high))
    if not low < high:
        msg = f"a range of temperature goes up; got {low:g} to {high:g} K"
        raise ValueError(msg)
    return low, high


def _liquid(name: str) -> bool:
    return name.upper().startswith(_LIQUIDS)


def _kind(event: Event, names: Sequence[str]) -> str:
    """What the field calls an event."""
    if event.kind == "critical":
        return f"{'upper' if event.upper else 'lower'} critical point"
    if event.kind == "congruent":
        return f"congruent {'maximum' if event.upper else 'minimum'}"
    if event.kind == "transition":
        return "transition"
    left, middle, right = map(_liquid, names)
    outer = left + right
    if not event.upper:  # the middle phase splits on cooling
        if middle:
            return ("eutectic", "monotectic", "monotectic")[outer]
        if outer:
            return "metatectic"
        return "monotectoid" if names[1] in (names[0], names[2]) else "eutectoid"
    if middle:
        return "inverse monotectic" if outer else "inverse eutectic"
    return ("peritectoid", "peritectic", "syntectic")[outer]


def pieces_of(
    system: BinarySystem, span: tuple[float, float], events: Sequence[Event], points: int
) -> Pieces:
    """Tie-lines of the reference between its events."""
    return Pieces(system, system._tracer((), span), events, points)


class Pieces:
    """Tie-lines between events, and the fields that they make together.

    `pieces` holds T, the phases from A to B, and t of all tie-lines, shape (2, fields, T), and
    `numbers` which field each belongs to.
    """

    def __init__(
        self, system: BinarySystem, tracer: Tracer, events: Sequence[Event], points: int
    ) -> None:
        self.system, self.tracer = system, tracer
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

    def _solved(self, T: Array, pair: Array, t: Array) -> None:
        """Newton from the interpolated starts, certificates, and a full search where one fails."""
        size = pair.shape[1]
        inside = slice(1, -1)
        rows = self.tracer.rows(np.tile(T[inside], size))
        pairs = np.repeat(pair, T.size - 2, axis=1)
        found, s, a = self.system.solver.polish(pairs, t[:, :, inside].reshape(2, -1), rows)
        height = self.system.solver.lowest(s, a, rows)[0]
        t[:, :, inside] = found.reshape(2, size, -1)
        wrong = np.unique(np.tile(np.arange(1, T.size - 1), size)[~(height >= -1e-9)])
        for k in wrong:
            ((sequence, ends),) = self.tracer._sequences(T[[k]])
            if ends.shape[1] == size:
                t[:, :, k] = ends
        for k in (0, -1):  # the ends themselves: as far as Newton's method goes
            at = np.full(size, T[k])
            near = t[:, :, 1 if k == 0 else -2]
            with np.errstate(all="ignore"):
                ends, s, a = self.system.solver.polish(pair, near, self.tracer.rows(at))
            ok = np.nanmax(np.abs(ends - near), axis=0, initial=0.0, where=~np.isnan(near)) < 3
            t[:, :, k] = np.where(ok & ~np.isnan(ends - np.where(np.isnan(near), ends, near)), ends, near)

    def _closed(self, T: Array, sequence: tuple[int, ...], t: Array) -> None:
        """Put the ends of fields that close on their points."""
        for event in self.events:
            for k in (0, -1):
                if event.T != T[k]:
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
                            t[:, field, k] = np.where(np.isnan(t[:, field, 1]), np.nan, side * np.inf)

    @cached_property
    def numbers(self) -> list[list[int]]:
        """Which field each tie-line of each piece belongs to: they go on over events beside them."""
        found: list[list[int]] = []
        count, before = 0, []
        for T, sequence, t in self.pieces:
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
        phases = [self.system.phases[p] for p in pair]
        logs = [phase.logs(one) for phase, one in zip(phases, t, strict=True)]
        a, b = (np.array([one[k] for one in logs]) for k in (0, 1))
        return Field((phases[0].name, phases[1].name), T, np.exp(b), b, a)

    def singles(self) -> tuple[tuple[float, str, float, float], ...]:
        """Where each phase is stable alone, at every temperature."""
        found = []
        for T, sequence, t in self.pieces:
            x = np.array([
                [np.exp(self.system.phases[p].logs(t[side, k])[1]) for k, p in enumerate(some)]
                for side, some in ((0, sequence[:-1]), (1, sequence[1:]))
            ]).reshape(2, len(sequence) - 1, T.size)  # fmt: skip
            for j, level in enumerate(T[1:-1].tolist(), 1):
                edges = [0.0, *x[:, :, j].T.ravel().tolist(), 1.0]
                found += [(level, self.system.phases[p].name, edges[2 * k], edges[2 * k + 1])
                          for k, p in enumerate(sequence) if not self.system.phases[p].fixed]  # fmt: skip
        return tuple(found)


def _same(one: Array, two: Array) -> bool:
    """Whether two tie-lines at one temperature are the same, both ends."""
    close = np.isclose(one, two, rtol=1e-6, atol=1e-6) | (np.isnan(one) & np.isnan(two))
    return bool(close.all())
