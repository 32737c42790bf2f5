"""The exact miscibility gap of one binary solution: binodal, spinodal, critical point.

Numbers only. The one input (`Mixing`) comes from the part r of the Gibbs energy over RT
that is neither linear in composition nor ideal mixing. The ideal part is handled
analytically in t = ln(x/(1-x)), in which

- the diffusion potential is f = t + r', with slope df/dt = psi,
- the grand potential is w = ln(1-x) + r - x r', with slope dw/dt = -x psi,
- the stability psi = 1 + x(1-x) r'' = x(1-x) G''/RT is bounded and tends to 1 at
  both ends, so that it can be root-found where G'' diverges,
- ln x and ln(1-x) keep their full precision however dilute the phase is.

Two routes lead to each result. The safe one scans psi(t), brackets the unstable
interval and then the diffusion potential at which both branches have the same
grand potential. It is used at some hundred temperatures below the critical point;
between them a spline gives the start of a Newton iteration, which is checked, and
whatever fails the check takes the safe route. What that route cannot bring to an
end either, as within 1e-4 of a critical point that sits on a Curie temperature,
raises `NotConverged`. A second gap in a range of temperature much narrower than
one in a hundred can be overlooked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, log_expit

from lina_calphad.curves import Array, Binodal, CriticalPoint, Flags, Spinodal
from lina_calphad.errors import (
    NoCriticalPoint,
    NoMiscibilityGap,
    NotConverged,
)
from lina_calphad.instability import Mixing, profile, unstable_intervals
from lina_calphad.roots import newton
from lina_calphad.tie_lines import TieLines

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_Route = Callable[[Array], tuple[Array, Flags]]

#: Temperatures in K between which critical points are searched.
SEARCH_RANGE = (1.0, 10_000.0)

_SEARCH_POINTS = 480
_TRACE_POINTS = 400
_ROWS_AT_ONCE = 4000
# Closer than this to its critical temperature, doubles cannot resolve a gap.
_RESOLVED = 1 - 1e-13


class MiscibilityGap:
    """Solver for the gap of one binary solution.

    Parameters
    ----------
    mixing
        The non-ideal part of the Gibbs energy; see `Mixing`.
    name
        What to call the phase in messages.

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

    def __init__(self, mixing: Mixing, name: str) -> None:
        self._mixing = mixing
        self._name = name
        self._lines = TieLines(mixing, name, list_temperatures)

    def critical_point(self) -> CriticalPoint:
        """Highest temperature at which the phase is at the limit of stability."""
        if self._top is None:
            low, high = SEARCH_RANGE
            msg = f"{self._name} is stable at every composition from {low:g} to {high:g} K"
            raise NoMiscibilityGap(msg)
        T, t = self._top
        if SEARCH_RANGE[1] <= T:
            msg = f"the gap of {self._name} is still open at {T:g} K, the highest searched"
            raise NoCriticalPoint(msg)
        if abs(float(self._mixing(np.array(T), expit(np.array(t)))[2])) > 1e-6:
            msg = f"the gap of {self._name} ends by a jump of its Gibbs energy at {T:g} K"
            raise NoCriticalPoint(msg)
        return CriticalPoint(T, float(expit(t)))

    def spinodal(self, T: ArrayLike) -> Spinodal:
        """Limits of stability at each temperature; see `Spinodal`."""
        T, t, hidden = self._solve(T, self._fast_spinodal, self._lines.scan)
        return Spinodal(T, *masked(hidden, T.shape, *expit(t)))

    def binodal(self, T: ArrayLike) -> Binodal:
        """Tie-line at each temperature; see `Binodal`."""
        T, t, hidden = self._solve(T, self._fast_binodal, self._lines.tie_line)
        logs = log_expit(t[0]), log_expit(-t[1])
        return Binodal(T, *masked(hidden, T.shape, *expit(t), *logs))

    def reduced(self, curve: Literal["binodal", "spinodal"], ratio: Array) -> Array | None:
        """Both logits of a curve at T = ratio * Tc: where to start on a similar solution.

        None where this gap has no trace. `ratio` lies between 0 and 1.
        """
        if self._trace is None or self._top is None:
            return None
        spline = self._trace[2] if curve == "binodal" else self._trace[3]
        return self._guess(self._top[0] * ratio, spline)

    def _solve(self, T: ArrayLike, fast: _Route, safe: _Route) -> tuple[Array, Array, Any]:
        """Both logits at each temperature, and a mask where there is no gap."""
        given = np.array(T, dtype=float)
        flat = given.ravel()
        low, high = self._trace[:2] if self._trace else (np.inf, -np.inf)
        if flat.size and low <= flat.min() and flat.max() < high:
            # For a hundred temperatures, looking further would cost as much as solving.
            t, found = fast(flat)
            if found.all():
                return given, t, np.ma.nomask
        T = temperatures(given)
        t = np.full((2, flat.size), np.nan)
        found = np.zeros(flat.size, bool)
        inside = np.flatnonzero((flat >= low) & (flat < high))
        if inside.size:
            t[:, inside], found[inside] = fast(flat[inside])
        rest = np.flatnonzero(~found & ~self._at_the_top(flat))
        for start in range(0, rest.size, _ROWS_AT_ONCE):
            rows = rest[start : start + _ROWS_AT_ONCE]
            t[:, rows], found[rows] = safe(flat[rows])
        if flat.size and not found.any():
            closes = ""
            if self._top is not None and self._top[0] < SEARCH_RANGE[1]:
                closes = f": its gap closes at {self._top[0]:.2f} K"
            msg = f"{self._name} has no miscibility gap at {list_temperatures(flat)}{closes}"
            raise NoMiscibilityGap(msg)
        return T, t, np.ma.nomask if found.all() else ~found

    def _at_the_top(self, T: Array) -> Flags:
        """Within rounding of the critical temperature, where doubles resolve no gap."""
        # The end of the search is no critical temperature: a gap may be open there.
        top = np.inf if self._top is None or self._top[0] >= SEARCH_RANGE[1] else self._top[0]
        return np.asarray((top * _RESOLVED <= T) & (top / _RESOLVED >= T))

    @cached_property
    def _top(self) -> tuple[float, float] | None:
        """Temperature and t of the highest critical point, or None where there is no gap.

        Where the gap is open at the end of the search, that end.
        """

        def least(T: Array) -> tuple[Array, Array]:
            t, psi = profile(self._mixing, T)
            lowest = np.arange(T.size), np.argmin(psi, axis=1)
            return t[lowest], psi[lowest]

        def deepest(T: float) -> float:
            return float(least(np.array([T]))[1][0])

        T = np.geomspace(*SEARCH_RANGE, _SEARCH_POINTS)
        _, psi = least(T)
        # A narrow closed loop shows as a dip between two temperatures of the search.
        for i in np.flatnonzero((psi[1:-1] > 0) & (psi[1:-1] < np.minimum(psi[:-2], psi[2:]))) + 1:
            dip = minimize_scalar(deepest, bounds=(T[i - 1], T[i + 1]), method="bounded")
            T[i] = dip.x if dip.fun < 0 else T[i]
        t, psi = least(T)
        if not (psi < 0).any():
            return None
        last = int(np.flatnonzero(psi < 0)[-1])
        if last == T.size - 1:
            return float(T[-1]), float(t[-1])
        around = T[last], T[last + 1]
        top = brentq(deepest, *around, xtol=1e-13, rtol=1e-15)
        return float(top), float(least(np.array([top]))[0][0])

    @cached_property
    def _trace(self) -> tuple[float, float, CubicSpline, CubicSpline] | None:
        """Range of temperature traced, and splines of T t for binodal and spinodal.

        Their argument is s with T = Tc/cosh(s)^2: near the critical point s^2 = 1 - T/Tc,
        in which the curves are smooth, and at low temperature the points are evenly
        spaced in ln T, with T t smooth.
        """
        if self._top is None:
            return None
        top, at = self._top
        s = np.linspace(0, np.arccosh(np.sqrt(top / SEARCH_RANGE[0])), _TRACE_POINTS)[1:]
        T = top / np.cosh(s) ** 2
        try:
            rows, ends = unstable_intervals(self._mixing, T, self._name, list_temperatures)
            first, last = _longest_run(np.bincount(rows, minlength=T.size) == 1)
            # Beside temperatures with several gaps there may be more of them unseen.
            first, last = first + 3 * (first > 0), last - 3 * (last < T.size)
            if last - first < 2:
                return None
            s, T = s[first:last], T[first:last]
            spinodal = ends[:, (rows >= first) & (rows < last)]
            curves = [T * self._lines.around(spinodal, T), T * spinodal]
        except NotConverged:
            return None  # the safe route will say where, if it is asked
        if first == 0 and top < SEARCH_RANGE[1]:
            s, T = np.insert(s, 0, 0.0), np.insert(T, 0, top * _RESOLVED)
            curves = [np.insert(curve, 0, top * at, axis=1) for curve in curves]
        tie_line, limits = (CubicSpline(s, curve.T) for curve in curves)
        return float(T[-1]), float(T[0]), tie_line, limits

    def _guess(self, T: Array, spline: CubicSpline) -> Array:
        assert self._top is not None
        # Below the trace T t hardly changes any more.
        s = np.minimum(np.arccosh(np.sqrt(self._top[0] / T)), spline.x[-1])
        curves = spline(s)
        guess: Array = np.divide(curves.T, T, order="C")
        return guess

    def _fast_binodal(self, T: Array) -> tuple[Array, Flags]:
        assert self._trace is not None
        return newton(self._lines.binodal_step, T, self._guess(T, self._trace[2]))

    def _fast_spinodal(self, T: Array) -> tuple[Array, Flags]:
        assert self._trace is not None
        return newton(self._lines.spinodal_step, T, self._guess(T, self._trace[3]))


def _longest_run(flags: Flags) -> tuple[int, int]:
    """Start and end of the longest run of True."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    if starts.size == 0:
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def temperatures(T: ArrayLike) -> Array:
    """`T` as an array of floats, checked.

    Raises
    ------
    ValueError
        If one is not a positive, finite number.
    """
    array = np.array(T, dtype=float)  # a copy: results must not change with their input
    bad = ~(np.isfinite(array) & (array > 0))
    if bad.any():
        msg = f"a temperature is a positive, finite number of kelvin; got {array[bad].flat[0]}"
        raise ValueError(msg)
    return array


def masked(hidden: Any, shape: tuple[int, ...], *values: Array) -> list[Any]:
    """Arrays of one shape, masked where there is something to hide."""
    if hidden is np.ma.nomask:
        return [value.reshape(shape) for value in values]
    return [np.ma.MaskedArray(value, hidden).reshape(shape) for value in values]


def list_temperatures(T: Array) -> str:
    """Temperatures for a message, each or their range."""
    T = np.unique(T)
    if T.size <= 3:
        return f"{', '.join(f'{value:g}' for value in T)} K"
    return f"{T.size} temperatures from {T[0]:g} to {T[-1]:g} K"
