"""Uncertainty on the diagram: draws of parameters become bands and probabilities of regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pycalphad import Model
from scipy.special import expit, log_expit, logit

from lina_calphad.checks import kelvin
from lina_calphad.data.sources import COMPONENTS, PHASE
from lina_calphad.errors import NoMiscibilityGap, ParameterError, SeveralMiscibilityGaps
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.results import span
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.phase.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.checks import Array

#: Quantiles of every band: the median with 68 % and 95 % around it.
LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
NAMES = ("low_95", "low_68", "median", "high_68", "high_95")

MODELS: dict[str, type[Model]] = {"chemical": Model, "coherent": CoherentModel}

_DRAWS_AT_ONCE = 500
_FIRST = 1000  # draws that show where the bands lie
_LEFT_OUT = 0.02  # largest share of a piece of the draws that may be left out

Draws = ParameterDraws | Iterable[ParameterDraws]


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
        x: Array = expit(self.t[kind])
        return x

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


def bands(
    dbf: Database,
    draws: Draws,
    T: ArrayLike,
    *,
    components: Sequence[str] = COMPONENTS,
    phase: str = PHASE,
    kinds: Sequence[str] | Mapping[str, type[Model]] = ("chemical", "coherent"),
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
        A `distributed.Client` to share the work; this process alone if None.
    progress
        Called with the number of draws done, after each piece.

    Returns
    -------
    Bands

    Raises
    ------
    ParameterError
        If there are no draws, their pieces differ, or their symbols are not in the database.
    NoCriticalPoint, NotConverged
        If a draw has a gap that is open or not found.
    SeveralMiscibilityGaps
        If more than one in fifty draws has more than one gap at some temperature.

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
        msg = f"bands take temperatures of one dimension; got the shape {T.shape}"
        raise ValueError(msg)
    pieces = _pieces(draws)
    head = next(pieces, None)
    if head is None:
        msg = "there are no draws to make bands of"
        raise ParameterError(msg)
    families = _families(dbf, head.symbols, components, phase, kinds)
    # The first draws say where the bands lie, for every piece alike.
    first, pieces = _first(head, pieces)
    begun = {name: Tally(values) for name, values in _usable(families, first, T).items()}
    total, n, left_out = begun, 0, 0
    for used, size, part in _mapped(families, begun, T, pieces, client):
        for name, tally in total.items():
            tally.merge(part[name])
        n += used
        left_out += size - used
        if progress:
            progress(n + left_out)
    t, gap, critical = {}, {}, {}
    for name, tally in total.items():
        kind, curve = name.split()
        if curve == "critical":
            critical[kind] = tally.quantiles(LEVELS), float(tally.count[0] / n)
        else:
            gap[kind] = tally.count[: T.size] / n
            with np.errstate(divide="ignore"):
                from_left = np.array(LEVELS)[:, None] / gap[kind]
            levels = np.hstack([from_left, 1 - from_left[::-1]])
            t[name] = tally.quantiles(levels).reshape(len(LEVELS), 2, T.size)
    return Bands(T, n, t, gap, critical, left_out)


def region_probability(
    dbf: Database,
    draws: Draws,
    T: ArrayLike,
    x: ArrayLike,
    *,
    components: Sequence[str] = COMPONENTS,
    phase: str = PHASE,
    kinds: Sequence[str] | Mapping[str, type[Model]] = ("chemical", "coherent"),
) -> dict[str, Array]:
    """Probability that (x, T) lies inside each binodal and spinodal.

    Parameters
    ----------
    dbf, draws, components, phase, kinds
        As of `bands`.
    T, x
        Temperature in K and mole fraction of the second component, broadcast together.

    Returns
    -------
    dict of str to ndarray
        By kind of curve, such as "coherent spinodal": the share of draws whose curve
        encloses the point, of the shape to which `T` and `x` broadcast. Draws with more
        than one gap at some temperature are left out.

    Raises
    ------
    ParameterError, NoCriticalPoint, SeveralMiscibilityGaps, NotConverged
        As `bands`.
    ValueError
        If a mole fraction does not lie between 0 and 1.
    """
    T, x = np.broadcast_arrays(kelvin(T), np.asarray(x, dtype=float))
    if not ((x >= 0) & (x <= 1)).all():
        msg = f"a mole fraction lies between 0 and 1; got {x[~((x >= 0) & (x <= 1))][0]}"
        raise ValueError(msg)
    levels, back = np.unique(T, return_inverse=True)
    with np.errstate(divide="ignore"):
        at = logit(x).ravel()
    inside: dict[str, Array] = {}
    n = 0
    families: dict[str, BinarySolution] = {}
    for piece in _pieces(draws):
        families = families or _families(dbf, piece.symbols, components, phase, kinds)
        curves = _usable(families, piece.values, levels)
        used = len(next(iter(curves.values())))
        n += used
        for name, t in curves.items():
            if not name.endswith("critical"):
                branches = t.reshape(used, 2, levels.size)[..., back.ravel()]
                # A comparison with NaN, where there is no gap, is false.
                within = (branches[:, 0] < at) & (at < branches[:, 1])
                inside[name] = inside.get(name, np.zeros(at.size)) + within.sum(axis=0)
    if n == 0:
        msg = "there are no draws to take probabilities from"
        raise ParameterError(msg)
    return {name: count.reshape(x.shape) / n for name, count in inside.items()}


def _families(
    dbf: Database,
    symbols: Sequence[str],
    components: Sequence[str],
    phase: str,
    kinds: Sequence[str] | Mapping[str, type[Model]],
) -> dict[str, BinarySolution]:
    models = kinds if isinstance(kinds, Mapping) else MODELS
    unknown = [kind for kind in kinds if kind not in models]
    if unknown or not kinds:
        msg = f"kinds of equilibrium are {' and '.join(MODELS)}; got {list(kinds)}"
        raise ValueError(msg)
    missing = [name for name in symbols if name not in dbf.symbols]
    if missing:
        msg = (
            f"the draws are of {', '.join(missing)}, which the database does not have; "
            f"its symbols are {', '.join(sorted(dbf.symbols)) or 'none'}"
        )
        raise ParameterError(msg)
    return {
        kind: BinarySolution(dbf, components, phase, models[kind], symbols=symbols)
        for kind in kinds
    }


def _pieces(draws: Draws) -> Iterator[ParameterDraws]:
    symbols: tuple[str, ...] = ()
    for piece in [draws] if isinstance(draws, ParameterDraws) else draws:
        symbols = symbols or piece.symbols
        if piece.symbols != symbols:
            msg = (
                f"the pieces of draws differ: {', '.join(symbols)}, then "
                f"{', '.join(piece.symbols)}; give every piece the same columns in one order"
            )
            raise ParameterError(msg)
        yield from piece.chunks(_DRAWS_AT_ONCE)


def _first(
    head: ParameterDraws, pieces: Iterator[ParameterDraws]
) -> tuple[Array, Iterator[ParameterDraws]]:
    """Values of the first draws, and all pieces again."""
    taken = [head]
    while sum(map(len, taken)) < _FIRST and (more := next(pieces, None)) is not None:
        taken.append(more)
    return np.concatenate([piece.values for piece in taken]), chain(taken, pieces)


def _curves(families: dict[str, BinarySolution], values: Array, T: Array) -> dict[str, Array]:
    """Logit x of every curve, shape (draws, 2 m), and critical points, shape (draws, 2)."""
    result: dict[str, Array] = {}
    for kind, family in families.items():
        top = family.critical_points(values)
        with np.errstate(divide="ignore"):
            result[f"{kind} critical"] = np.stack([top.T, logit(top.x)], axis=-1)
        for curve in ("binodal", "spinodal"):
            t = np.full((2, len(values), T.size), np.nan)
            try:
                found = getattr(family, curve)(T, values)
            except NoMiscibilityGap:
                pass
            else:
                if curve == "binodal":
                    t[0] = found.ln_x_alpha - np.log1p(-found.x_alpha)
                    t[1] = np.log(found.x_beta) - found.ln_one_minus_x_beta
                else:
                    t[0], t[1] = logit(found.x_alpha), logit(found.x_beta)
            result[f"{kind} {curve}"] = t.transpose(1, 0, 2).reshape(len(values), 2 * T.size)
    return result


def _usable(families: dict[str, BinarySolution], values: Array, T: Array) -> dict[str, Array]:
    """Curves of the draws that have one gap at most at every temperature.

    An error if more than a fiftieth have not: what the others say would mislead.
    """
    found, left_out, waiting = [_curves(families, values[:0], T)], 0, [values]
    while waiting:
        part = waiting.pop()
        try:
            found.append(_curves(families, part, T))
        except SeveralMiscibilityGaps:
            if len(part) > 1:
                waiting += np.array_split(part, 2)[::-1]
                continue
            left_out += 1
            if left_out > 1 + _LEFT_OUT * len(values):
                raise
    return {name: np.concatenate([curves[name] for curves in found]) for name in found[0]}


def _tallied(
    families: dict[str, BinarySolution], begun: dict[str, Tally], T: Array, values: Array
) -> tuple[int, int, dict[str, Tally]]:
    """How many draws of a piece are used, how many there are, and the tallies of the former."""
    part = {name: tally.empty() for name, tally in begun.items()}
    curves = _usable(families, values, T)
    for name, curve in curves.items():
        part[name].add(curve)
    return len(curve), len(values), part


def _mapped(
    families: dict[str, BinarySolution],
    begun: dict[str, Tally],
    T: Array,
    pieces: Iterator[ParameterDraws],
    client: Any,
) -> Iterator[tuple[int, int, dict[str, Tally]]]:
    """Tallies of every piece, here or on the workers of a cluster."""
    if client is None:
        for piece in pieces:
            yield _tallied(families, begun, T, piece.values)
        return
    from distributed import as_completed

    shared = client.scatter((families, begun, T), broadcast=True)
    ahead = 2 * max(1, sum(client.nthreads().values()))
    waiting: Any = as_completed([])  # type: ignore[no-untyped-call]
    running = 0
    for piece in pieces:
        waiting.add(client.submit(_tallied_there, shared, piece.values, pure=False))
        running += 1
        if running >= ahead:  # no more in flight than keeps the workers busy
            yield next(waiting).result()
            running -= 1
    for future in waiting:
        yield future.result()


def _tallied_there(shared: Any, values: Array) -> tuple[int, int, dict[str, Tally]]:
    families, begun, T = shared
    return _tallied(families, begun, T, values)
