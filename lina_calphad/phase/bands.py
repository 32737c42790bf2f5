"""Uncertainty on the diagram: draws of parameters become bands and probabilities of regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pycalphad import Model
from scipy.special import expit, log_expit, logit

from lina_calphad.checks import fraction, kelvin
from lina_calphad.data.assessments import COMPONENTS, PHASE
from lina_calphad.errors import ParameterError, SeveralMiscibilityGaps
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.results import span
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.phase.tally import LEVELS, NAMES, Tally
from lina_calphad.phase.workers import mapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.checks import Array, Flags

MODELS: dict[str, type[Model]] = {"chemical": Model, "coherent": CoherentModel}

_DRAWS_AT_ONCE = 500
_FLAGS_AT_ONCE = 2_000_000
_LEFT_OUT = 0.02  # largest share of a piece of the draws that may be left out
# Where the branches of a draw without a gap lie: beyond those of the others.
_BEYOND = np.array([[np.inf], [-np.inf]])

Draws = ParameterDraws | Iterable[ParameterDraws]
Kinds = Sequence[str] | Mapping[str, type[Model]]
Solutions = Mapping[str, BinarySolution]


@dataclass(frozen=True, eq=False)
class Bands:
    """Bands of binodals, spinodals and critical points.

    Parameters
    ----------
    T
        Temperatures in K, shape (m,).
    draws
        How many draws they rest on.
    t
        Quantiles (`LEVELS`) of logit x by kind of curve, such as "chemical binodal",
        shape (5, 2, m): the second axis is the branch poor and rich in the second
        component. A draw without a gap counts as one whose branches lie beyond all
        others, and quantiles that fall on such draws are NaN: as the last draws near
        their critical temperatures, the inner edges of a band go first.
    gap
        Share of the draws with a gap at each temperature, shape (m,), by kind of equilibrium.
    critical
        Quantiles of the critical temperature in K and of logit x there, shape (5, 2),
        over the draws that have one, and the share of those, by kind of equilibrium.
    left_out
        Further draws, not counted above, that have more than one gap at some temperature.
    """

    T: Array
    draws: int
    t: dict[str, Array]
    gap: dict[str, Array]
    critical: dict[str, tuple[Array, float]]
    left_out: int = 0

    def __repr__(self) -> str:
        return f"<Bands of {self.draws} draws at {span(self.T)}: {', '.join(self.t)}>"

    def x(self, kind: str) -> Array:
        """Quantiles of the mole fraction of the second component, shape (5, 2, m)."""
        return expit(self.t[kind])

    def to_dataframe(self) -> pd.DataFrame:
        """One row a curve, branch and temperature; ln of the dilute component's fraction too."""
        frames = []
        for kind, t in self.t.items():
            for i, branch in enumerate(("alpha", "beta")):
                sign = 1 if branch == "alpha" else -1
                # A fraction of the other component falls as x rises.
                logs = log_expit(sign * t[:, i])[::sign]
                columns: dict[str, Any] = {"kind": kind, "branch": branch, "T": self.T}
                columns["share_with_gap"] = self.gap[kind.split()[0]]
                columns |= {f"x_{n}": expit(q) for n, q in zip(NAMES, t[:, i], strict=True)}
                columns |= {f"ln_dilute_{n}": q for n, q in zip(NAMES, logs, strict=True)}
                frames.append(pd.DataFrame(columns))
        return pd.concat(frames, ignore_index=True)

    def critical_frame(self) -> pd.DataFrame:
        """One row a kind of equilibrium and quantity: quantiles of the critical point."""
        rows = []
        for kind, (values, share) in self.critical.items():
            for name, q in (("T", values[:, 0]), ("x", expit(values[:, 1]))):
                rows.append({"kind": kind, "quantity": name, "share_with_gap": share})
                rows[-1] |= dict(zip(NAMES, q, strict=True))
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, *, colour: str = "#0072B2") -> Axes:
        """Draw medians and bands over the mole fraction, on pyplot's axes without `ax`."""
        from matplotlib import pyplot

        from lina_calphad.plots import KELVIN, STYLES

        ax, order = ax or pyplot.gca(), np.argsort(self.T)
        at = self.T[order]
        for kind in self.t:
            x, top = self.x(kind)[2][:, order], self.critical[kind.split()[0]][0][2]
            for side in (0, 1):
                self.shade(ax, kind, side, colour)
            # Up one branch and down the other, by way of the median critical point.
            T, over = np.r_[at, top[0], at[::-1]], np.r_[x[0], expit(top[1]), x[1, ::-1]]
            there = np.isfinite(over) & (at[-1] >= T)
            ax.plot(over[there], T[there], STYLES.get(kind, "-"), color=colour, label=kind)
        title = f"median, 68 % and 95 % of {self.draws} draws"
        ax.set(xlim=(0, 1), xlabel="mole fraction", ylabel=KELVIN, title=title)
        ax.legend()
        return ax

    def shade(
        self,
        ax: Axes,
        kind: str,
        side: int,
        colour: str,
        *,
        arrhenius: bool = False,
        limits: tuple[float, float] = (0.0, np.inf),
    ) -> None:
        """Draw the band of the branch poor (0) or rich (1) in the second component.

        Temperature over mole fraction, or the fraction of the dilute component over 1000 K / T.
        """
        from lina_calphad.plots import band

        order = np.argsort(self.T)
        order = order[(self.T[order] >= limits[0]) & (self.T[order] <= limits[1])]
        T, top = self.T[order], self.critical[kind.split()[0]][0]
        # The fraction of one component falls as that of the other rises.
        sign = -1 if arrhenius and side else 1
        x, end = expit(sign * self.t[kind][::sign, side][:, order]), expit(sign * top[2, 1])
        if arrhenius:
            band(ax, 1000 / T, x, colour, closing=(1000 / top[:, 0], end))
        else:
            band(ax, T, x, colour, across=True, closing=(top[:, 0], end))

    def _repr_html_(self) -> str:
        return self.to_dataframe().to_html(index=False)


def bands(
    dbf: Database,
    draws: Draws,
    T: ArrayLike,
    *,
    components: Sequence[str] = COMPONENTS,
    phase: str = PHASE,
    kinds: Kinds = ("chemical", "coherent"),
    client: Any = None,
    progress: Callable[[int], None] | None = None,
) -> Bands:
    """Bands of the miscibility gap from draws of parameters.

    Parameters
    ----------
    dbf
        A database with the parameters as symbols; see `free_interactions`.
    draws
        The draws, or an iterable of pieces of them, which are then never all in memory.
    T
        Temperatures in K, shape (m,).
    components, phase
        The two elements and the solution phase.
    kinds
        Kinds of equilibrium, "chemical" and "coherent" (which needs elastic data), or a
        mapping from kinds to Models of your own.
    client
        A `distributed.Client` to share the work, with the same result; this process if None.
    progress
        Called with the number of draws done, after each piece.

    Returns
    -------
    Bands
        Exact quantiles of some 10,000 draws at 100 temperatures, more or fewer as there are
        more or fewer values; beyond that their shares are good to 0.001, and memory stays
        within a few hundred MB.

    Raises
    ------
    ParameterError
        If there are no draws, their pieces differ, or their symbols are not in the database.
    NoCriticalPoint, NotConverged
        If a draw has a gap that is open or not found.
    SeveralMiscibilityGaps
        If more than one in fifty draws has more than one gap at some temperature.
    SchedulerError
        If the cluster is lost, or has no workers for a minute.

    Examples
    --------
    >>> from lina_calphad import load
    >>> from lina_calphad.data.interactions import free_interactions
    >>> dbf, mean = free_interactions(load("santos2025"), "BCC_A2", ("LI", "NA"))
    >>> draws = ParameterDraws.from_covariance(mean, np.diag([682.0, 682.0]) ** 2, 2000)
    >>> result = bands(dbf, draws, [300.0], kinds=["chemical"])
    >>> result
    <Bands of 2000 draws at 300 K: chemical binodal, chemical spinodal>
    >>> low, high = result.x("chemical binodal")[[1, 3], 0, 0]
    >>> round(float(np.sqrt(high / low)), 1)  # the solubility is known to this factor
    1.5
    """
    T = np.atleast_1d(kelvin(T))
    if T.ndim != 1:
        raise ValueError(f"bands take temperatures of one dimension; got the shape {T.shape}")
    solve, pieces = _begun(_all, dbf, draws, T, components, phase, kinds, _DRAWS_AT_ONCE)
    tallies: dict[str, Tally] = {}
    n, left_out = 0, 0
    for found, size in mapped(solve, pieces, client):
        for name, t in found.items():
            beyond = np.inf if name.endswith("critical") else _BEYOND
            rows = np.where(np.isnan(t), beyond, t).reshape(len(t), -1)
            tallies.setdefault(name, Tally(rows.shape[1])).add(rows)
        n += len(t)
        left_out += size - len(t)
        if progress:
            progress(n + left_out)
    result = Bands(T, n, {}, {}, {}, left_out)
    for name, tally in tallies.items():
        kind, curve = name.split()
        if curve == "critical":
            # Of the draws that have a critical point: the others count as above all.
            share = float(tally.count[0] / n)
            result.critical[kind] = tally.quantiles(share * np.array(LEVELS)), share
        else:
            result.gap[kind] = tally.count[: T.size] / n
            result.t[name] = tally.quantiles(LEVELS).reshape(len(LEVELS), 2, T.size)
    return result


def enclosed(x: Array, ends: Mapping[str, Array]) -> dict[str, Flags]:
    """Which curves enclose which points: a comparison with NaN, where there is no gap, is false."""
    return {name: (low < x) & (x < high) for name, (low, high) in ends.items()}


def region_probability(
    dbf: Database,
    draws: Draws,
    T: ArrayLike,
    x: ArrayLike,
    *,
    components: Sequence[str] = COMPONENTS,
    phase: str = PHASE,
    kinds: Kinds = ("chemical", "coherent"),
    inside: Callable[[Array, dict[str, Array]], Mapping[str, Flags]] = enclosed,
) -> dict[str, Array]:
    """Probability that (x, T) lies inside each binodal and spinodal, or in regions of your own.

    Parameters
    ----------
    dbf, draws, components, phase, kinds
        As of `bands`.
    T, x
        Temperature in K and mole fraction of the second component, broadcast together.
    inside
        What to take the probability of: a function of the compositions, shape (points,),
        and of both ends of each curve, such as "coherent spinodal", shape (2, draws,
        points), NaN where there is no gap, that returns flags of shape (draws, points) by
        name. By default whether the curve of that name encloses the point.

    Returns
    -------
    dict of str to ndarray
        By name: the share of draws for which the flag is set, of the shape to which `T` and
        `x` broadcast. Draws with more than one gap at some temperature are left out.

    Raises
    ------
    ParameterError, SeveralMiscibilityGaps, NotConverged
        As `bands`.
    ValueError
        If a mole fraction does not lie between 0 and 1.
    """
    T, x = np.broadcast_arrays(kelvin(T), fraction(x))
    levels, back = np.unique(T, return_inverse=True)
    size = max(1, min(_DRAWS_AT_ONCE, _FLAGS_AT_ONCE // max(1, x.size)))
    solve, pieces = _begun(_curves, dbf, draws, levels, components, phase, kinds, size)
    sums: dict[str, Array] = {}
    n = 0
    for found, _ in map(solve, pieces):
        ends = {name: expit(np.moveaxis(t, 1, 0)[..., back.ravel()]) for name, t in found.items()}
        for name, flags in inside(x.ravel(), ends).items():
            sums[name] = sums.get(name, 0) + flags.sum(axis=0)
        n += next(iter(ends.values())).shape[1]
    return {name: count.reshape(x.shape) / n for name, count in sums.items()}


def _begun(
    curves: Callable[..., dict[str, Array]],
    dbf: Database,
    draws: Draws,
    T: Array,
    components: Sequence[str],
    phase: str,
    kinds: Kinds,
    size: int,
) -> tuple[Callable[[Array], tuple[dict[str, Array], int]], Iterator[Array]]:
    """What solves a piece of the draws, and the pieces, each of at most a size."""
    pieces = pieces_of_draws(draws, size)
    head = next(pieces, None)
    if head is None:
        raise ParameterError("there are no draws: bands and probabilities need some")
    models = kinds if isinstance(kinds, Mapping) else MODELS
    if not kinds or any(kind not in models for kind in kinds):
        raise ValueError(f"kinds of equilibrium are {' and '.join(MODELS)}; got {list(kinds)}")
    missing = [name for name in head.symbols if name not in dbf.symbols]
    if missing:
        raise ParameterError(
            f"the draws are of {', '.join(missing)}, which the database does not have; "
            f"its symbols are {', '.join(sorted(dbf.symbols)) or 'none'}"
        )
    solutions = {
        kind: BinarySolution(dbf, components, phase, models[kind], symbols=head.symbols)
        for kind in kinds
    }
    return partial(_usable, curves, solutions, T), (p.values for p in chain([head], pieces))


def pieces_of_draws(draws: Draws, size: int) -> Iterator[ParameterDraws]:
    """Draws in pieces of at most a size, all of the same symbols."""
    symbols: tuple[str, ...] = ()
    for piece in [draws] if isinstance(draws, ParameterDraws) else draws:
        symbols = symbols or piece.symbols
        if piece.symbols != symbols:
            raise ParameterError(
                f"the pieces of draws differ: {', '.join(symbols)}, then "
                f"{', '.join(piece.symbols)}; give every piece the same columns in one order"
            )
        yield from piece.chunks(size)


def _curves(solutions: Solutions, T: Array, values: Array) -> dict[str, Array]:
    """Logit x of every curve, shape (draws, 2, m)."""
    return {
        f"{kind} {curve}": np.moveaxis(solution.logits(curve, T, values), 0, 1)
        for kind, solution in solutions.items()
        for curve in ("binodal", "spinodal")
    }


def _all(solutions: Solutions, T: Array, values: Array) -> dict[str, Array]:
    """The same, and T and logit x of the critical points, shape (draws, 2)."""
    found = _curves(solutions, T, values)
    for kind, solution in solutions.items():
        top = solution.critical_points(values)
        found[f"{kind} critical"] = np.stack([top.T, logit(top.x)], axis=-1)
    return found


def _usable(
    curves: Callable[..., dict[str, Array]], solutions: Solutions, T: Array, values: Array
) -> tuple[dict[str, Array], int]:
    """Curves of the draws with one gap at most at every temperature, and how many draws came.

    An error if more than a fiftieth have more: what the others say would mislead.
    """
    found, left_out, waiting = [], 0, [values]
    while waiting:
        part = waiting.pop()
        try:
            found.append(curves(solutions, T, part))
        except SeveralMiscibilityGaps:
            if len(part) > 1:
                waiting += np.array_split(part, 2)[::-1]
                continue
            left_out += 1
            if left_out > 1 + _LEFT_OUT * len(values) or left_out == len(values):
                raise
    return {name: np.concatenate([f[name] for f in found]) for name in found[0]}, len(values)
