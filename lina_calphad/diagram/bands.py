"""Bands on a whole diagram: every boundary, every invariant, and which phases are likely where."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, log_expit

from lina_calphad.checks import kelvin
from lina_calphad.diagram.results import label
from lina_calphad.diagram.spread import Spread, spread
from lina_calphad.errors import ParameterError
from lina_calphad.phase.bands import Draws, pieces_of_draws
from lina_calphad.phase.tally import LEVELS, NAMES, Tally
from lina_calphad.phase.workers import mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from lina_calphad.checks import Array
    from lina_calphad.diagram.columns import Indices
    from lina_calphad.diagram.results import Diagram
    from lina_calphad.diagram.system import BinarySystem

_DRAWS_AT_ONCE = 1000
_LEFT_OUT = 0.02  # largest share of the draws that may be left out
_BEYOND = np.array([[np.inf], [-np.inf]])
_X = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class DiagramBands:
    """How well a diagram is known.

    Parameters
    ----------
    T
        Temperatures in K of the boundaries, shape (m,).
    draws
        How many draws it rests on.
    left_out
        Further draws whose diagram is of another kind: other invariants, or in another order.
    fields
        Names of both phases of each two-phase field.
    t
        Quantiles (`LEVELS`) of ln(x/(1-x)) of both boundaries of each field, shape
        (fields, 5, 2, m). A draw without the field there counts as one whose boundaries lie
        beyond all others, and quantiles that fall on such draws are NaN.
    share
        Share of the draws that have the field at each temperature, shape (fields, m).
    invariants
        One row an invariant and quantity ("T", or "x" of a phase), with its quantiles.
    x
        Mole fractions of the map of probabilities, shape (p,).
    probability
        Probability of each set of phases on (T, x), shape (m, p), by its name.
    """

    T: Array
    draws: int
    left_out: int
    fields: tuple[tuple[str, str], ...]
    t: Array
    share: Array
    invariants: pd.DataFrame
    x: Array
    probability: dict[str, Array]

    def __repr__(self) -> str:
        return (
            f"<DiagramBands of {self.draws} draws: {len(self.fields)} fields at {self.T.size} "
            f"temperatures; {self.left_out} left out>"
        )

    def to_dataframe(self) -> pd.DataFrame:
        """One row a field, boundary and temperature: quantiles of x, and ln of its dilute end."""
        import pandas as pd

        frames = []
        for number, (names, t, share) in enumerate(
            zip(self.fields, self.t, self.share, strict=True), 1
        ):
            for side, name in enumerate(names):
                sign = 1 if side == 0 else -1
                logs = log_expit(sign * t[:, side])[::sign]
                columns: dict[str, Any] = {"field": number, "phase": name}
                columns |= {"beside": names[1 - side], "T": self.T, "share": share}
                columns |= {f"x_{n}": expit(q) for n, q in zip(NAMES, t[:, side], strict=True)}
                columns |= {f"ln_dilute_{n}": q for n, q in zip(NAMES, logs, strict=True)}
                frames.append(pd.DataFrame(columns))
        return pd.concat(frames, ignore_index=True)

    def probability_frame(self) -> pd.DataFrame:
        """One row a temperature and mole fraction: the probability of each set of phases."""
        import pandas as pd

        T, x = np.meshgrid(self.T, self.x, indexing="ij")
        columns = {"T": T.ravel(), "x": x.ravel()}
        return pd.DataFrame(columns | {n: p.ravel() for n, p in self.probability.items()})

    def plot(self, ax: Axes, *, colour: str = "#0072B2") -> Axes:
        """Shade 68 and 95 % of the draws beside every boundary and invariant."""
        from lina_calphad.plots import band

        for t, share in zip(self.t, self.share, strict=True):
            for side in (0, 1):
                x = expit(np.where(share > 0.5, t[:, side], np.nan))
                band(ax, self.T, x, colour, across=True)
        for row in self.invariants[self.invariants["quantity"] == "T"].to_dict("records"):
            if row["x_to"] > row["x_from"]:
                T = np.array([[row[name]] * 2 for name in NAMES])
                band(ax, [row["x_from"], row["x_to"]], T, colour)
        return ax


def diagram_bands(
    system: BinarySystem,
    draws: Draws,
    T: ArrayLike,
    span: tuple[float, float],
    *,
    client: Any = None,
    progress: Callable[[int], None] | None = None,
) -> DiagramBands:
    """Bands of a whole diagram from draws of parameters.

    Parameters
    ----------
    system
        With the symbols of the draws free; the database's own values are the reference.
    draws
        The draws, or an iterable of pieces of them, which are then never all in memory.
    T
        Temperatures in K of the boundaries, shape (m,).
    span
        Lowest and highest temperature in K of the invariants.
    client, progress
        As of `lina_calphad.phase.bands.bands`.

    Raises
    ------
    ParameterError
        If the draws are of other symbols, or more than one in fifty draws has a diagram of
        another kind than the reference.
    """
    T = np.atleast_1d(kelvin(T))
    pieces = (piece for piece in pieces_of_draws(draws, _DRAWS_AT_ONCE))
    tallies: list[Tally] = []
    sums: dict[str, Array] = {}
    n, left_out, _head = 0, 0, None
    for found, probability, size in mapped(
        partial(_piece, system, T, span), _values(system, pieces), client
    ):
        used = len(found[0])
        tallies = tallies or [Tally(part.shape[1]) for part in found]
        for tally, part in zip(tallies, found, strict=True):
            tally.add(part)
        for name, count in probability.items():
            sums[name] = sums.get(name, 0) + count
        n += used
        left_out += size - used
        if progress:
            progress(n + left_out)
    if n == 0 or left_out > 1 + _LEFT_OUT * (n + left_out):
        msg = (
            f"{left_out} of {n + left_out} draws have a diagram of another kind than the reference"
        )
        raise ParameterError(msg)
    reference = system.diagram(*span)
    t = np.array([tally.quantiles(LEVELS).reshape(len(LEVELS), 2, T.size) for tally in tallies[1:]])
    share = np.array([tally.count[: T.size] / n for tally in tallies[1:]])
    table = _invariants(reference, tallies[0].quantiles(LEVELS))
    return DiagramBands(
        T, n, left_out, tuple(f.phases for f in reference.fields), t, share, table, _X,
        {name: count / n for name, count in sums.items()},
    )  # fmt: skip


def _values(system: BinarySystem, pieces: Any) -> Any:
    for piece in pieces:
        if tuple(piece.symbols) != system.symbols:
            msg = (
                f"the draws are of {', '.join(piece.symbols)}, free are {', '.join(system.symbols)}"
            )
            raise ParameterError(msg)
        yield piece.values


def _piece(
    system: BinarySystem, T: Array, span: tuple[float, float], values: Array
) -> tuple[list[Array], dict[str, Array], int]:
    """Of some draws: columns of invariants and of each field, counts of phases, how many came."""
    found = spread(system, values, T, span)
    kept = found.kept
    columns = []
    for event, level, t in zip(found.events, found.T, found.t, strict=True):
        columns.append(level[kept])
        for p, at in zip(event.phases, t, strict=True):
            a, b = system.phases[p].logs(at[kept])
            columns.append(b - a)
    number = 1 + max((n for n, _, _ in found.fields), default=-1)
    fields = [np.full((2, len(values), T.size), np.nan) for _ in range(number)]
    for name, pair, t in found.fields:
        there = ~np.isnan(t).all(axis=0)
        x = np.array(
            [
                np.subtract(*system.phases[p].logs(side)[::-1])
                for p, side in zip(pair, t, strict=True)
            ]
        )
        fields[name] = np.where(there, x, fields[name])
    parts = [np.column_stack(columns) if columns else np.zeros((kept.sum(), 0))]
    for t in fields:
        rows = np.moveaxis(t[:, kept], 0, 1)
        parts.append(np.where(np.isnan(rows), _BEYOND, rows).reshape(len(rows), 2 * T.size))
    return parts, _counts(system, found, T), len(values)


def _counts(system: BinarySystem, found: Spread, T: Array) -> dict[str, Array]:
    """How many draws have each set of phases at (T, x)."""
    counts: dict[str, Array] = {}
    _draws, _levels = found.sequences.shape
    for k, sequence in enumerate(found.kinds):
        here = (found.sequences == k) & found.kept[:, None]
        draw, level = np.nonzero(here)
        if draw.size == 0:
            continue
        sides = [t[:, draw, level] for _, _, t in found.of(k)]
        edges = [
            np.exp(system.phases[p].logs(side)[1])
            for (one, two), t in zip(itertools.pairwise(sequence), sides, strict=False)
            for p, side in ((one, t[0]), (two, t[1]))
        ]
        # At x are as many phases behind as edges lie at or below it.
        edges = [np.zeros(draw.size), *edges, np.full(draw.size, np.inf)]
        behind = [_up_to(edge, level, T.size) for edge in edges]
        for place, (one, two) in enumerate(itertools.pairwise(behind)):
            names = [system.phases[sequence[place // 2]].name]
            if place % 2:
                names.append(system.phases[sequence[place // 2 + 1]].name)
            total = counts.setdefault(label(names), np.zeros((T.size, _X.size)))
            total += one - two
    return counts


def _up_to(edge: Array, level: Indices, levels: int) -> Array:
    """How many edges lie at or below each mole fraction of the map, level by level."""
    at = level * (_X.size + 1) + np.searchsorted(_X, edge)
    counts = np.bincount(at, minlength=levels * (_X.size + 1)).reshape(levels, -1)
    found: Array = counts[:, :-1].cumsum(axis=1)
    return found


def _invariants(reference: Diagram, quantiles: Array) -> pd.DataFrame:
    import pandas as pd

    rows, column = [], 0
    for one in reference.invariants:
        ends = [x for _, x in one.phases]
        base: dict[str, Any] = {"kind": one.kind, "x_from": min(ends), "x_to": max(ends)}
        rows.append(
            base
            | {"quantity": "T", "phase": "", **dict(zip(NAMES, quantiles[:, column], strict=True))}
        )
        column += 1
        for name, end in one.phases:
            # A pure component has no ln(x/(1-x)), and no doubt.
            pure = one.kind == "transition"
            x = np.full(len(LEVELS), end) if pure else expit(quantiles[:, column])
            rows.append(base | {"quantity": "x", "phase": name, **dict(zip(NAMES, x, strict=True))})
            column += 1
    return pd.DataFrame(rows)
