"""The miscibility gap of one phase from numbers alone: what users ask, answered by the solver."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from lina_calphad.checks import SEARCH_RANGE, Array, Flags, kelvin, list_temperatures
from lina_calphad.errors import NoCriticalPoint, NoMiscibilityGap
from lina_calphad.phase import critical
from lina_calphad.phase.gap import Gap
from lina_calphad.phase.ranges import SCAN, STABLE
from lina_calphad.phase.results import Binodal, CriticalPoint, CriticalPoints, Gaps, Spinodal
from lina_calphad.phase.rows import Rows, columns, rows_of
from lina_calphad.phase.trace import RESOLVED, Trace

_MANY = 100  # rows from which on a trace pays


class MiscibilityGap:
    """Binodals, spinodals and critical points of a phase, its symbols (if any) free.

    `mixing` is the non-ideal part of the Gibbs energy, and `switches` what changes sign where a
    condition of it switches; see `lina_calphad.phase.ranges`. `reference` are the values of the
    symbols in the database. Critical points are sought up to `limit` in K, where the parameters
    end, before they are sought up to 10 000 K.

    Examples
    --------
    A regular solution with L/R = 2000 K, so with its critical point at 1000 K:

    >>> def mixing(T, x):
    ...     z, q = 2000 / T, x * (1 - x)
    ...     terms = z * x**2, z * (1 - 2 * x), 1 - 2 * z * q, -2 * z * q * (1 - 2 * x)
    ...     return np.stack(terms, axis=-1)
    >>> gap = MiscibilityGap(mixing, "regular")
    >>> round(gap.critical_point().T, 9)
    1000.0
    >>> gap.binodal(500.0)
    <Binodal at 500 K: x = 0.021248 and 0.978752>
    """

    def __init__(
        self,
        mixing: Any,
        name: str,
        symbols: Sequence[str] = (),
        reference: Any = (),
        switches: Any = None,
        limit: float = SEARCH_RANGE[1],
    ) -> None:
        self._mixing, self._limit = mixing, limit
        self.symbols, self.reference = tuple(symbols), np.array(reference, dtype=float)
        self.phase = name
        self._gap = Gap(mixing, name, self._where, switches)

    def binodal(self, T: ArrayLike, values: ArrayLike = ()) -> Binodal:
        """Tie-line at each temperature, of each description; see `Binodal`.

        Parameters
        ----------
        T
            Temperatures in K, of any shape.
        values
            Values of the free symbols on the last axis, shape (..., number of symbols).

        Returns
        -------
        Binodal
            Arrays of the shape (...) of `values`, then that of `T`; NaN where there is no gap.

        Raises
        ------
        NoMiscibilityGap
            If there is no gap at any of the temperatures.
        SeveralMiscibilityGaps
            If there is more than one at a temperature: `gaps` has them all.
        NotConverged, ValueError
            If a tie-line was not reached; if a temperature or value makes no sense.
        """
        T, t = self._some("binodal", T, values)
        alpha, beta = expit(t)
        return Binodal(T, alpha, beta, log_expit(t[0]), log_expit(-t[1]))

    def gaps(self, T: ArrayLike, values: ArrayLike = ()) -> Gaps:
        """Every stable tie-line within the phase at each temperature, however many gaps it has.

        Parameters are those of `binodal`.

        Returns
        -------
        Gaps
            Arrays of shape (gaps, ...), with (...) the shape of what `binodal` returns.

        Raises
        ------
        NoMiscibilityGap
            If there is no gap at any of the temperatures.
        NotConverged, ValueError
            As `binodal`.

        Examples
        --------
        A second Redlich-Kister term alone makes two:

        >>> def mixing(T, x):
        ...     z, d, q = 3600 / T, 1 - 2 * x, x * (1 - x)
        ...     r, r1, r2 = z * q * d**2, z * d * (d**2 - 4 * q), z * (8 * q - 10 * d**2)
        ...     terms = r - x * r1, r1, 1 + q * r2, q * d * (r2 + 48 * z * q)
        ...     return np.stack(terms, axis=-1)
        >>> gap = MiscibilityGap(mixing, "twice")
        >>> gap.gaps(745.0)
        <Gaps at 745 K: 2 at a temperature>
        """
        T, (draws, shape) = kelvin(T), self._draws(values)
        levels = T.ravel()
        i, j = np.indices((len(draws), levels.size)).reshape(2, -1)
        t = self._gap.every((levels[j], *draws[i].T))
        if levels.size and np.isnan(t).all():
            raise NoMiscibilityGap(self._no_gap(levels))
        shape = (t.shape[1], *shape, *T.shape)
        t = t.reshape(2, *shape)
        alpha, beta = expit(t)
        T = np.broadcast_to(T, shape).copy()
        return Gaps(T, alpha, beta, log_expit(t[0]), log_expit(-t[1]))

    def spinodal(self, T: ArrayLike, values: ArrayLike = ()) -> Spinodal:
        """Limits of stability; parameters and errors are those of `binodal`."""
        T, t = self._some("spinodal", T, values)
        return Spinodal(T, *expit(t))

    def ends(self, curve: str, T: ArrayLike, values: ArrayLike = ()) -> Array:
        """Both ends of a "binodal" or "spinodal" on a first axis; NaN where there is no gap."""
        return expit(self.logits(curve, T, values))

    def logits(self, curve: str, T: ArrayLike, values: ArrayLike = ()) -> Array:
        """The same as ln(x/(1-x)), which keeps its digits however dilute either end is."""
        return self._solve(curve, T, values)[1]

    def critical_point(self) -> CriticalPoint:
        """The highest temperature at which the gap closes on heating.

        It is sought up to the end of the range for which the parameters are given and, of a gap
        that is open there, beyond. `all_critical_points` has the others.

        Raises
        ------
        NoMiscibilityGap
            If the phase is stable at every composition from 1 to 10 000 K.
        NoCriticalPoint
            If the gap does not close up to 10 000 K, or ends by a jump of the Gibbs energy.
        """
        T, t = float(self._top.T[0]), float(self._top.t[0])
        if np.isnan(T):
            if critical.has_corners(self._gap, self.reference):
                raise NoCriticalPoint(
                    f"the gap of {self.phase} lies around a corner or jump of its Gibbs energy, "
                    "where a condition of a model switches, and has no critical point"
                )
            low, high = SEARCH_RANGE
            raise NoMiscibilityGap(
                f"{self.phase} is stable at every composition from {low:g} to {high:g} K"
            )
        if np.isinf(T):
            raise NoCriticalPoint(self._open())
        there = np.array([t])
        if abs(self._gap.at(there, rows_of(np.array([T]), self.reference))[0, 2]) > 1e-6:
            raise NoCriticalPoint(
                f"the gap of {self.phase} ends by a jump of its Gibbs energy at {T:g} K"
            )
        if not critical.on_the_hull(self._gap, np.array([T]), there, self.reference)[0]:
            raise NoCriticalPoint(
                f"the critical point of {self.phase} at {T:g} K is not stable: another gap, or "
                "one around a corner or jump of its Gibbs energy, lies over it"
            )
        return CriticalPoint(T, float(expit(t)))

    def all_critical_points(self) -> tuple[CriticalPoint, ...]:
        """Every critical point between 1 and 10 000 K, from low temperature to high.

        Lower ones, above which the phase unmixes, and metastable ones, under another gap, are
        among them; see `CriticalPoint`. Empty where there is none.
        """
        found = critical.every(self._gap, self.reference)
        stable = critical.on_the_hull(self._gap, found.T, found.t, self.reference)
        return tuple(
            CriticalPoint(float(T), float(expit(t)), "upper" if upper else "lower", bool(on))
            for T, t, upper, on in zip(*found, stable, strict=True)
        )

    def critical_points(self, values: ArrayLike) -> CriticalPoints:
        """The critical point of each description, as `critical_point` has it for one.

        Parameters
        ----------
        values
            Values of the free symbols on the last axis, shape (..., number of symbols).

        Raises
        ------
        NoCriticalPoint
            If a gap does not close up to 10 000 K.
        ValueError
            If the values are not finite, or not of that shape.
        """
        draws, shape = self._draws(values)
        top, t, _ = self._tops(draws)
        if np.isinf(top).any():
            worst = self._values(draws[np.argmax(np.isinf(top))])
            raise NoCriticalPoint(f"{self._open()}, with {worst}")
        return CriticalPoints(top.reshape(shape), expit(t).reshape(shape))

    def least_stable(self, T: ArrayLike, values: ArrayLike = ()) -> tuple[Array, Array]:
        """Mole fraction at which psi is lowest at each temperature, and psi there.

        Above the critical temperature psi goes to zero as the gap opens at that mole fraction,
        which tells how far away a gap is.
        """
        self._draws(values)
        t, psi = critical.depth(self._gap, rows_of(kelvin(T), values))
        return expit(t), psi

    # -- the reference, and descriptions like it --

    @cached_property
    def _top(self) -> critical.Tops:
        return critical.tops(self._gap, tuple(self.reference[:, None]), 1, limit=self._limit)

    @cached_property
    def _trace(self) -> Trace | None:
        """Where to start; None without a gap."""
        T, t = float(self._top.T[0]), float(self._top.t[0])
        return None if np.isnan(T) else Trace(self._gap, T, t, self.reference)

    def _tops(self, draws: Array) -> critical.Tops:
        if not self.symbols:
            return critical.Tops(*(np.repeat(a, len(draws)) for a in self._top))
        T, t, _ = (float(a[0]) for a in self._top)
        near = (T, t) if np.isfinite(T) else None
        return critical.tops(self._gap, tuple(draws.T), len(draws), near, self._limit)

    def _some(self, curve: str, T: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
        """The same as `_solve`, or NoMiscibilityGap if there is none."""
        levels, t = self._solve(curve, T, values)
        if t.size and np.isnan(t[0]).all():
            raise NoMiscibilityGap(self._no_gap(levels))
        return levels, t

    def _solve(self, curve: str, T: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
        """Temperatures and both logits, values first."""
        T, (draws, shape) = kelvin(T), self._draws(values)
        levels = T.ravel()
        i, j = np.indices((len(draws), levels.size)).reshape(2, -1)
        rows: Rows = (levels[j], *draws[i].T)
        # Draws take one way, so that how many come at once changes no digit.
        few = i.size < (1 if self.symbols else _MANY)
        if few or self._trace is None:
            t = self._gap.solve(curve, rows)
        else:
            t = self._like_the_reference(curve, rows, draws, levels, i)
        shape += T.shape
        return np.broadcast_to(T, shape).copy(), t.reshape(2, *shape)

    def _like_the_reference(
        self, curve: str, rows: Rows, draws: Array, levels: Array, i: Any
    ) -> Array:
        """Both logits of many rows: most start at the reference's, at the same T/Tc."""
        assert self._trace is not None
        tops = self._tops(draws)
        several, quiet = self._several(draws, levels)
        top = np.where(np.isinf(tops.T) & (not self.symbols), self._trace.T, tops.T)
        # No gap is open above the last of all, if nothing is unstable at the highest level.
        t = np.full((2, i.size), np.nan)
        quiet &= self._gap.switches is None  # a corner may be there
        above = np.where(quiet, np.nan_to_num(tops.above, nan=0.0, posinf=np.inf), np.inf)
        some = np.flatnonzero(rows[0] < above[i] * RESOLVED)
        here = tuple(row[some] for row in rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            guess = self._trace.at(curve, here[0] / top[i[some]], bool(self.symbols))
        guess[:, several[i[some]]] = np.nan
        t[:, some] = self._gap.solve(curve, here, guess)
        return t

    def _several(self, draws: Array, levels: Array) -> tuple[Flags, Flags]:
        """Which draws may have several unstable ranges, as psi dips twice; which have none hot."""
        several, quiet = np.zeros((2, len(draws)), bool)
        if not self.symbols:
            return several, ~quiet
        for T in np.quantile(levels, [0.0, 0.5, 1.0]):
            rows = columns((np.full(len(draws), T), *draws.T))
            psi = self._gap.at(np.broadcast_to(SCAN, (len(draws), SCAN.size)), rows)[..., 2]
            middle = psi[:, 1:-1]
            dips = (middle < psi[:, :-2]) & (middle <= psi[:, 2:]) & (middle < 1 - 1e-6)
            several |= dips.sum(axis=1) > 1
            quiet = psi.min(axis=1) > STABLE
        return several, quiet

    # -- words, and what is given --

    def _draws(self, values: ArrayLike) -> tuple[Array, tuple[int, ...]]:
        """Values as one draw a row, checked, and the shape of the draws."""
        array, k = np.asarray(values, dtype=float), len(self.symbols)
        if array.ndim == 0 or array.shape[-1] != k:
            raise ValueError(
                f"{self.phase} has {k} free symbols ({', '.join(self.symbols)}): "
                f"their values have the shape (..., {k}); got {array.shape}"
            )
        if not np.isfinite(array).all():
            bad = array[~np.isfinite(array)][0]
            raise ValueError(f"values of {', '.join(self.symbols)} must be finite; got {bad}")
        shape = array.shape[:-1]
        return array.reshape(int(np.prod(shape)), k), shape

    def _open(self) -> str:
        return (
            f"the gap of {self.phase} is still open at {SEARCH_RANGE[1]:g} K, the highest searched"
        )

    def _no_gap(self, T: Array) -> str:
        if self.symbols:
            names = ", ".join(self.symbols)
            return f"{self.phase} has no miscibility gap there for any value of {names}"
        T_c = self._top.T[0]
        closes = f": its gap closes at {T_c:.2f} K" if np.isfinite(T_c) else ""
        return f"{self.phase} has no miscibility gap at {list_temperatures(T)}{closes}"

    def _where(self, rows: Rows) -> str:
        if not self.symbols:
            return list_temperatures(rows[0])
        first, more = [np.ravel(r)[0] for r in rows], np.size(rows[0]) - 1
        what = f"{first[0]:g} K with {self._values(first[1:])}"
        return f"{what} and {more} more" if more else what

    def _values(self, values: Any) -> str:
        return ", ".join(f"{n} = {v:g}" for n, v in zip(self.symbols, values, strict=True))
