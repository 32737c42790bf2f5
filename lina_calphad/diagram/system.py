"""BinarySystem: the whole diagram of two components, exactly, from any database."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pycalphad import Model

from lina_calphad.checks import kelvin, pascal
from lina_calphad.data.databases import parameter_range
from lina_calphad.data.interactions import symbol_value
from lina_calphad.diagram.equilibria import Equilibria
from lina_calphad.diagram.fields import Pieces
from lina_calphad.diagram.kinds import kind_of
from lina_calphad.diagram.meetings import logit_slope, slopes
from lina_calphad.diagram.results import Diagram, Invariant, Invariants, Region, TieLines
from lina_calphad.diagram.section import Section, phases_of, section
from lina_calphad.diagram.tracing import POINTS, Event, Tracer
from lina_calphad.errors import DatabaseError, NotConverged, OutsideAssessedRange, UnsupportedPhase
from lina_calphad.phase.energy import elements_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.checks import Array
    from lina_calphad.diagram.phases import Phase

#: Temperatures in K between which events are sought where none are given.
SPAN = (200.0, 4000.0)
_LOOKS = 3  # times that events are sought again where a diagram shows that some are missing


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
        Names of the phases; every one that the components can make if None.
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
        first, second = elements_of(dbf, components[:2], binary=True)
        others = [str(c).upper() for c in components[2:]]
        if lacking := sorted({*others} - {"VA"} - dbf.elements):
            raise DatabaseError(f"the database has no element {', '.join(lacking)}")
        phases = [phases] if isinstance(phases, str) else phases
        if isinstance(model, Mapping) and (unknown := sorted({*model} - {*dbf.phases})):
            raise DatabaseError(
                f"there is a model for {', '.join(unknown)}, which the database lacks; "
                f"it has {', '.join(sorted(dbf.phases))}"
            )
        self.dbf, self.components, self.pressure = dbf, (first, second), pascal(pressure)
        self.symbols = tuple(symbols)
        self._arguments = (dbf, tuple(components), phases, model, pressure, self.symbols)
        self.reference = np.array([symbol_value(dbf, name) for name in self.symbols])
        models = model if isinstance(model, Mapping) else dict.fromkeys(dbf.phases, model)
        self.sections: dict[str, Section] = {}
        refused: dict[str, str] = {}
        there = phases_of(dbf, (first, second, *others))
        for name in there if phases is None else [p.upper() for p in phases]:
            try:
                self.sections[name] = section(
                    dbf, self.components, name, models.get(name, Model), self.pressure,
                    others=others, symbols=self.symbols,
                )  # fmt: skip
            except UnsupportedPhase as error:
                refused[name] = str(error)
        if refused and phases is None:
            raise UnsupportedPhase(
                f"cannot treat {', '.join(refused)}: name the phases wanted to leave them out "
                f"({next(iter(refused.values()))})"
            )
        if refused:
            raise UnsupportedPhase("; ".join(refused.values()))
        held = {str(dict(found.others)) for found in self.sections.values()}
        if len(held) > 1:
            raise UnsupportedPhase(
                f"the phases hold {' and '.join(sorted(held))} for each of {first} and {second}: "
                "a section has one ratio"
            )
        if not self.sections:
            raise UnsupportedPhase(
                f"no phase of {first} and {second} is named, or the database has none"
            )

    def __repr__(self) -> str:
        return f"<BinarySystem of {' and '.join(self.components)}: {', '.join(self.sections)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Compiled code cannot be pickled; it is quick to compile again.
        return _again, self._arguments

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

    def regions(self, T: ArrayLike, values: ArrayLike = ()) -> list[list[Region]]:
        """Which phases are stable over the composition, from x = 0 to 1, at each temperature.

        Parameters
        ----------
        T
            Temperatures in K, of any shape.
        values
            Of the free symbols, one each.

        Examples
        --------
        >>> from lina_calphad import load
        >>> system = BinarySystem(load("zhang2003"), ("LI", "NA"), ["LIQUID", "BCC_A2"])
        >>> for region in system.regions(400.0)[0]:
        ...     print(f"{region.x_from:.4f} {region.x_to:.4f} {' + '.join(region.phases)}")
        0.0000 0.0079 BCC_A2
        0.0079 0.9428 BCC_A2 + LIQUID
        0.9428 1.0000 LIQUID
        """
        T = kelvin(T).ravel()
        found = self.solver.at(self._tracer(values).rows(T))
        x = np.exp([self._logs(p, t)[1] for p, t in zip(found.phases, found.t, strict=True)])
        result = []
        for row in range(T.size):
            at = found.row == row
            names = [self.phases[p].name for p in found.sequence(row)]
            edges = [0.0, *x[:, at].T.ravel().tolist(), 1.0]
            parts = [tuple(names[k // 2 : k // 2 + 1 + k % 2]) for k in range(len(edges) - 1)]
            result.append([Region(*one) for one in zip(edges, edges[1:], parts, strict=False)])
        return result

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

        Warns
        -----
        OutsideAssessedRange
            If something happens where the parameters of a phase are extrapolated.

        Raises
        ------
        NotConverged
            If the phases change in a way that no single event explains.
        """
        events = self._tracer(values, _span(T_min, T_max)).events()
        self._tell_of_ranges(*(event.T for event in events))
        return Invariants(tuple(self._named(event) for event in events))

    def slopes(
        self, T_min: float = SPAN[0], T_max: float = SPAN[1], values: ArrayLike = ()
    ) -> pd.DataFrame:
        """How invariants and critical points move with each free symbol.

        By the implicit-function theorem, at fixed values of the others.

        Parameters
        ----------
        T_min, T_max, values
            As of `invariants`.

        Returns
        -------
        pandas.DataFrame
            One row an invariant and symbol: kind, T, symbol, dT, and of each phase the change
            of ln(x/(1-x)), the columns phase_1, dlogit_1 and so on, per unit of the symbol.

        Examples
        --------
        >>> from lina_calphad import load
        >>> from lina_calphad.data.interactions import free_interactions
        >>> dbf, free = free_interactions(load("zhang2003"), "BCC_A2", ("LI", "NA"))
        >>> system = BinarySystem(dbf, ("LI", "NA"), ["LIQUID", "BCC_A2"], symbols=list(free))
        >>> found = system.slopes(300, 700)
        >>> found[found["kind"] == "monotectic"]["dT"].round(6).tolist()
        [-0.001566]
        """
        import pandas as pd

        tracer = self._tracer(values, _span(T_min, T_max))
        rows = []
        own = tuple(np.array([value]) for value in tracer.values)
        for event in tracer.events():
            if event.kind not in ("three-phase", "critical"):
                continue
            named = self._named(event)
            some = [self.phases[p] for p in event.phases]
            T, t = np.array([event.T]), np.array(event.t)[:, None]
            for number, symbol in enumerate(self.symbols, 1):
                dT, dt = slopes(event.kind, some, T, t, own, number)
                row: dict[str, Any] = {"kind": named.kind, "T": event.T, "symbol": symbol}
                row["dT"] = float(dT[0])
                for k, (phase, at, by) in enumerate(zip(some, t, dt, strict=True), 1):
                    row[f"phase_{k}"] = phase.name
                    row[f"dlogit_{k}"] = (
                        0.0 if phase.fixed else float((logit_slope(phase, at) * by)[0])
                    )
                rows.append(row)
        return pd.DataFrame(rows)

    def diagram(
        self,
        T_min: float = SPAN[0],
        T_max: float | None = None,
        values: ArrayLike = (),
        *,
        points: int = POINTS,
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

        Warns
        -----
        OutsideAssessedRange
            As `invariants`, and if the parameters of a phase end below the highest temperature.
        """
        if points < 2:
            raise ValueError(f"a diagram has at least two temperatures; got points = {points}")
        span = _span(T_min, SPAN[1] if T_max is None else T_max)
        tracer = self._tracer(values, span, points)
        if T_max is None:
            top = max((event.T for event in tracer.events()), default=SPAN[1])
            tracer = self._tracer(values, (span[0], min(1.1 * top, SPAN[1])), points)
        for _ in range(_LOOKS):
            events = tracer.events()
            pieces = Pieces(tracer, events)
            if not pieces.missed:
                break
        if pieces.missed:
            raise NotConverged(
                f"the phases at {pieces.missed[0]:g} K are not those beside it, and why was not "
                "found: ask for a narrower range of temperature"
            )
        self._tell_of_ranges(tracer.span[1], *(event.T for event in events))
        return Diagram(
            self.components, tracer.span, pieces.fields(),
            Invariants(tuple(self._named(event) for event in events)), pieces.singles(),
        )  # fmt: skip

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The diagram drawn; see `diagram` and `lina_calphad.diagram.results.Diagram.plot`."""
        return self.diagram().plot(ax, **options)

    def _tell_of_ranges(self, *T: float) -> None:
        """Warn where a temperature is outside the range for which a phase is given."""
        for name in self.sections:
            low, high = parameter_range(self.dbf, name, self._arguments[1])
            if T and not low <= min(T) <= max(T) <= high:
                warnings.warn(
                    f"the parameters of {name} are given from {low:g} to {high:g} K: at "
                    f"{min(T) if min(T) < low else max(T):g} K they are extrapolated",
                    OutsideAssessedRange, stacklevel=2,
                )  # fmt: skip
                return

    def _rows_of_reference(self, T: Array) -> tuple[Array, ...]:
        return (T, *(np.full(T.shape, v) for v in self.reference))

    def _tracer(
        self, values: ArrayLike, span: tuple[float, float] = SPAN, points: int = POINTS
    ) -> Tracer:
        given = np.asarray(values, dtype=float).ravel()
        if given.size == 0:
            given = self.reference
        if given.size != len(self.symbols):
            raise ValueError(f"there are {len(self.symbols)} free symbols; got {given.size} values")
        return Tracer(self.solver, (float(span[0]), float(span[1])), given.tolist(), points)

    def _logs(self, p: Array, t: Array) -> tuple[Array, Array]:
        """Ln x of both components in phases given by number."""
        a, b = np.empty(t.shape), np.empty(t.shape)
        for k in np.unique(p).tolist():
            some = p == k
            a[some], b[some] = self.phases[k].logs(t[some])
        return a, b

    def _named(self, event: Event) -> Invariant:
        logs = [
            self.phases[p].logs(np.array([t])) for p, t in zip(event.phases, event.t, strict=True)
        ]
        logs_ = tuple((float(a[0]), float(b[0])) for a, b in logs)
        names = [self.phases[p].name for p in event.phases]
        phases = tuple((n, float(np.exp(b))) for n, (_, b) in zip(names, logs_, strict=True))
        return Invariant(kind_of(event, names), event.T, phases, logs_)


def _again(*arguments: Any) -> BinarySystem:
    *given, symbols = arguments
    return BinarySystem(*given, symbols=symbols)


def _distinct(phases: Sequence[Phase], rows: tuple[Array, ...]) -> None:
    """UnsupportedPhase if two phases have one energy everywhere: neither is the stable one."""
    t = np.repeat(np.linspace(-5, 5, 11)[:, None], rows[0].size, axis=1)
    energies = [p.line(rows)[0] if p.fixed else np.array(p.curve(t, rows)[:2]) for p in phases]
    for k, one in enumerate(phases):
        for j, other in enumerate(phases[:k]):
            same = one.origin == other.origin and one.change == other.change
            if same and np.allclose(energies[j], energies[k], rtol=0, atol=1e-10):
                raise UnsupportedPhase(
                    f"{other.name} and {one.name} have the same energy: name one of them"
                )


def _span(low: float, high: float) -> tuple[float, float]:
    low, high = float(kelvin(low)), float(kelvin(high))
    if not low < high:
        raise ValueError(f"a range of temperature goes up; got {low:g} to {high:g} K")
    return low, high
