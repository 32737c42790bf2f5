"""The miscibility gap of one phase from numbers alone: what users ask, answered by the solver."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, log_expit

from lina_calphad.checks import SEARCH_RANGE, Array, kelvin, list_temperatures
from lina_calphad.errors import NoCriticalPoint, NoMiscibilityGap
from lina_calphad.phase.gap import SCAN, Gap, Rows
from lina_calphad.phase.results import Binodal, CriticalPoint, CriticalPoints, Spinodal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

_MANY = 400  # rows from which on a guess pays


class MiscibilityGap:
    """Binodals, spinodals and critical points of a phase, its symbols (if any) free."""

    def __init__(self, mixing: Any, name: str, symbols: Sequence[str] = (), reference: Any = ()):
        self._mixing = mixing
        self.symbols, self.reference = tuple(symbols), np.array(reference, dtype=float)
        self.phase = name
        self._gap = Gap(mixing, name, self._where)

    def binodal(self, T: ArrayLike, values: ArrayLike = ()) -> Binodal:
        """Tie-line at each temperature (of each description); see `Binodal`."""
        T, t = self._solve("binodal", T, values)
        return Binodal(T, *expit(t), log_expit(t[0]), log_expit(-t[1]))

    def spinodal(self, T: ArrayLike, values: ArrayLike = ()) -> Spinodal:
        """Limits of stability at each temperature (of each description); see `Spinodal`."""
        T, t = self._solve("spinodal", T, values)
        return Spinodal(T, *expit(t))

    def ends(self, curve: str, T: ArrayLike, values: ArrayLike = ()) -> Array:
        """Both ends of a "binodal" or "spinodal" on a first axis; NaN where there is no gap."""
        x: Array = expit(self.logits(curve, T, values))
        return x

    def logits(self, curve: str, T: ArrayLike, values: ArrayLike = ()) -> Array:
        """The same as ln(x/(1-x)), which keeps its digits however dilute either end is."""
        try:
            return self._solve(curve, T, values)[1]
        except NoMiscibilityGap:
            return np.full((2, *np.shape(values)[:-1], *np.shape(T)), np.nan)

    def critical_point(self) -> CriticalPoint:
        """Highest temperature at which the phase is at the limit of stability."""
        T, t = self._top
        if np.isnan(T):
            low, high = SEARCH_RANGE
            msg = f"{self.phase} is stable at every composition from {low:g} to {high:g} K"
            raise NoMiscibilityGap(msg)
        if np.isinf(T):
            msg = f"the gap of {self.phase} is still open at {SEARCH_RANGE[1]:g} K, the highest searched"
            raise NoCriticalPoint(msg)
        if abs(self._gap.at(np.array([t]), self._rows([T], self.reference))[0, 2]) > 1e-6:
            msg = f"the gap of {self.phase} ends by a jump of its Gibbs energy at {T:g} K"
            raise NoCriticalPoint(msg)
        return CriticalPoint(float(T), float(expit(t)))

    def critical_points(self, values: ArrayLike) -> CriticalPoints:
        """The highest critical point of each description."""
        values = self._checked(values)
        draws = values.reshape(int(np.prod(values.shape[:-1])), len(self.symbols))
        near = float(self._top[0])
        top, t = self._gap.tops(tuple(draws.T), len(draws), near if np.isfinite(near) else None)
        if np.isinf(top).any():
            worst = self._values(draws[np.argmax(np.isinf(top))])
            msg = (
                f"the gap of {self.phase} is still open at {SEARCH_RANGE[1]:g} K, the highest "
                f"searched, with {worst}"
            )
            raise NoCriticalPoint(msg)
        shape = values.shape[:-1]
        return CriticalPoints(top.reshape(shape), expit(t).reshape(shape))

    def least_stable(self, T: ArrayLike, values: ArrayLike = ()) -> tuple[Array, Array]:
        """Mole fraction at which psi is lowest at each temperature, and psi there."""
        t, psi = self._gap.profile(self._rows(kelvin(T), self._checked(values)))
        at = np.arange(len(psi)), psi.argmin(axis=1)
        return expit(t[at]), psi[at]

    @cached_property
    def _top(self) -> tuple[float, float]:
        top, t = self._gap.tops(tuple(self.reference[:, None]), 1)
        return top[0], t[0]

    def _rows(self, T: Any, values: Array) -> Rows:
        T = np.asarray(T, dtype=float)
        return T, *(np.full(T.shape, v) for v in values)

    def _solve(self, curve: str, T: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
        """Temperatures and both logits, values first."""
        T, values = kelvin(T), self._checked(values)
        draws, levels = (
            values.reshape(int(np.prod(values.shape[:-1])), len(self.symbols)),
            T.ravel(),
        )
        i, j = np.indices((len(draws), levels.size)).reshape(2, -1)
        rows = levels[j], *draws[i].T
        guess = None
        if i.size > _MANY and self.symbols:
            t = np.full((2, levels.size), np.nan)
            t = self._gap.solve(curve, self._rows(levels, self.reference))
            guess = np.where(self._several(draws, levels)[i], np.nan, t[:, j])
        t = self._gap.solve(curve, rows, guess)
        if t.size and np.isnan(t[0]).all():
            raise NoMiscibilityGap(self._no_gap(T))
        shape = values.shape[:-1] + T.shape
        return np.broadcast_to(T, shape).copy(), t.reshape(2, *shape)

    def _several(self, draws: Array, levels: Array) -> Array:
        """Which draws may have more than one unstable range: psi dips twice somewhere."""
        several = np.zeros(len(draws), bool)
        for T in np.unique(np.quantile(levels, [0.0, 0.5, 1.0])):
            rows = tuple(r[:, None] for r in (np.full(len(draws), T), *draws.T))
            psi = self._gap.at(np.broadcast_to(SCAN, (len(draws), SCAN.size)), rows)[..., 2]
            middle = psi[:, 1:-1]
            dips = (middle < psi[:, :-2]) & (middle <= psi[:, 2:]) & (middle < 1 - 1e-6)
            several |= dips.sum(axis=1) > 1
        return several

    def _no_gap(self, T: Array) -> str:
        if self.symbols:
            names = ", ".join(self.symbols)
            return f"{self.phase} has no miscibility gap there for any value of {names}"
        closes = f": its gap closes at {self._top[0]:.2f} K" if np.isfinite(self._top[0]) else ""
        return f"{self.phase} has no miscibility gap at {list_temperatures(T)}{closes}"

    def _where(self, rows: Rows) -> str:
        if not self.symbols:
            return list_temperatures(rows[0])
        first, more = [np.ravel(r)[0] for r in rows], np.size(rows[0]) - 1
        what = f"{first[0]:g} K with {self._values(first[1:])}"
        return f"{what} and {more} more" if more else what

    def _values(self, values: Any) -> str:
        return ", ".join(f"{n} = {v:g}" for n, v in zip(self.symbols, values, strict=True))

    def _checked(self, values: ArrayLike) -> Array:
        array, k = np.asarray(values, dtype=float), len(self.symbols)
        if array.ndim == 0 or array.shape[-1] != k:
            msg = (
                f"{self.phase} has {k} free symbols ({', '.join(self.symbols)}): "
                f"their values have the shape (..., {k}); got {array.shape}"
            )
            raise ValueError(msg)
        if not np.isfinite(array).all():
            bad = array[~np.isfinite(array)][0]
            msg = f"values of {', '.join(self.symbols)} must be finite; got {bad}"
            raise ValueError(msg)
        return array
