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
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, log_expit

from lina_calphad.curves import Array, Binodal, CriticalPoint, Flags, Rows, Spinodal
from lina_calphad.errors import (
    NoCriticalPoint,
    NoMiscibilityGap,
    NotConverged,
    SeveralMiscibilityGaps,
)
from lina_calphad.instability import Mixing, profile, unstable_intervals
from lina_calphad.roots import bracketed_root, newton

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
_NARROW = 0.5  # width of a gap in t below which differences are integrated instead
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


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
        if abs(float(self._at(np.array(t), np.array(T))[2])) > 1e-6:
            msg = f"the gap of {self._name} ends by a jump of its Gibbs energy at {T:g} K"
            raise NoCriticalPoint(msg)
        return CriticalPoint(T, float(expit(t)))

    def spinodal(self, T: ArrayLike) -> Spinodal:
        """Limits of stability at each temperature; see `Spinodal`."""
        T, t, hidden = self._solve(T, self._fast_spinodal, self._scan)
        return Spinodal(T, *_masked(hidden, T.shape, *expit(t)))

    def binodal(self, T: ArrayLike) -> Binodal:
        """Tie-line at each temperature; see `Binodal`."""
        T, t, hidden = self._solve(T, self._fast_binodal, self._tie_line)
        logs = log_expit(t[0]), log_expit(-t[1])
        return Binodal(T, *_masked(hidden, T.shape, *expit(t), *logs))

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
            msg = f"{self._name} has no miscibility gap at {_list(flat)} K{closes}"
            raise NoMiscibilityGap(msg)
        return T, t, np.ma.nomask if found.all() else ~found

    def _at_the_top(self, T: Array) -> Flags:
        """Within rounding of the critical temperature, where doubles resolve no gap."""
        # The end of the search is no critical temperature: a gap may be open there.
        top = np.inf if self._top is None or self._top[0] >= SEARCH_RANGE[1] else self._top[0]
        return np.asarray((top * _RESOLVED <= T) & (top / _RESOLVED >= T))

    # -- the safe route ---------------------------------------------------------

    def _at(self, t: Array, T: Array) -> Array:
        return self._mixing(T, expit(t))

    def _potential(self, t: Array, T: Array) -> Array:
        """The diffusion potential over RT, but for a constant."""
        potential: Array = t + self._at(t, T)[..., 1]
        return potential

    def _grand_potential(self, t: Array, T: Array) -> Array:
        omega: Array = log_expit(-t) + self._at(t, T)[..., 0]
        return omega

    def _scan(self, T: Array) -> tuple[Array, Flags]:
        """The one unstable interval at each temperature, and where there is one."""
        rows, ends = unstable_intervals(self._mixing, T, self._name)
        count = np.bincount(rows, minlength=T.size)
        if (count > 1).any():
            row = int(np.argmax(count > 1))
            ranges = [f"{a:.6g} to {b:.6g}" for a, b in expit(ends[:, rows == row]).T]
            msg = (
                f"{self._name} has {count[row]} separate ranges of instability at {T[row]:g} K: "
                f"x = {' and '.join(ranges)}"
            )
            raise SeveralMiscibilityGaps(msg)
        t = np.full((2, T.size), np.nan)
        t[:, rows] = ends
        return t, count == 1

    def _tie_line(self, T: Array) -> tuple[Array, Flags]:
        """The tie-line at each temperature by bracketing, and where there is one."""
        t, found = self._scan(T)
        if found.any():
            t[:, found] = self._around(t[:, found], T[found])
        return t, found

    def _around(self, spinodal: Array, T: Array) -> Array:
        """The tie-line around each unstable interval."""
        # A rough start is enough for Newton's method.
        ends, good = newton(self._binodal_step, T, self._bracket(T, spinodal, 1e-9)[0])
        if not good.all():
            # It can cycle about a kink, as at a Curie temperature; bracketing cannot.
            ends[:, ~good], good[~good] = self._bracket(T[~good], spinodal[:, ~good], 1e-15)
        if not good.all():
            msg = f"{self._name}: the tie-line did not converge at {_list(T[~good])} K"
            raise NotConverged(msg)
        if not ((ends[0] <= spinodal[0]) & (ends[1] >= spinodal[1])).all():
            msg = f"{self._name}: a tie-line ended inside its spinodal at {_list(T)} K"
            raise NotConverged(msg)
        return ends

    def _bracket(self, T: Array, spinodal: Array, tolerance: float) -> tuple[Array, Flags]:
        """Tie-lines around unstable intervals, and where bracketing converged.

        On each stable branch t is a monotone function of the diffusion potential,
        and the difference of the grand potentials is monotone in it.
        """
        left, right = spinodal
        high, low = self._potential(left, T), self._potential(right, T)
        ends = (self._beyond(left, low, T, -1), left, right, self._beyond(right, high, T, +1))

        def branch(mu: Array, T: Array, a: Array, b: Array) -> Array:
            def above(t: Array, T: Array, mu: Array) -> Array:
                return self._potential(t, T) - mu

            return bracketed_root(above, (a, b), T, mu)[0]

        def difference(share: Array, T: Array, low: Array, high: Array, *ends: Array) -> Array:
            mu = low + share * (high - low)
            alpha, beta = branch(mu, T, *ends[:2]), branch(mu, T, *ends[2:])
            return self._grand_potential(alpha, T) - self._grand_potential(beta, T)

        # Its unknown is a share of the bracket, which is tiny near the critical point.
        whole = np.zeros_like(T), np.ones_like(T)
        share, converged = bracketed_root(
            difference, whole, T, low, high, *ends, tolerance=tolerance
        )
        mu = low + share * (high - low)
        return np.array([branch(mu, T, *ends[:2]), branch(mu, T, *ends[2:])]), converged

    def _beyond(self, t: Array, mu: Array, T: Array, sign: int) -> Array:
        """A t from which on the diffusion potential has passed `mu`."""
        for doubling in range(60):
            t = t + sign * 2.0**doubling
            if np.all(sign * (self._potential(t, T) - mu) > 0):
                return t
        msg = f"{self._name}: the diffusion potential does not diverge at {_list(T)} K"
        raise NotConverged(msg)

    # -- the fast route ---------------------------------------------------------

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
            rows, ends = unstable_intervals(self._mixing, T, self._name)
            first, last = _longest_run(np.bincount(rows, minlength=T.size) == 1)
            # Beside temperatures with several gaps there may be more of them unseen.
            first, last = first + 3 * (first > 0), last - 3 * (last < T.size)
            if last - first < 2:
                return None
            s, T = s[first:last], T[first:last]
            spinodal = ends[:, (rows >= first) & (rows < last)]
            curves = [T * self._around(spinodal, T), T * spinodal]
        except NotConverged:
            return None  # the safe route will say where, if it is asked
        if first == 0 and top < SEARCH_RANGE[1]:
            s, T = np.insert(s, 0, 0.0), np.insert(T, 0, top * _RESOLVED)
            curves = [np.insert(curve, 0, top * at, axis=1) for curve in curves]
        tie_line, limits = (CubicSpline(s, curve.T) for curve in curves)
        return float(T[-1]), float(T[0]), tie_line, limits

    def _guess(self, T: Array, spline: CubicSpline) -> Array:
        assert self._top is not None
        curves = spline(np.arccosh(np.sqrt(self._top[0] / T)))
        guess: Array = np.divide(curves.T, T, order="C")
        return guess

    def _fast_binodal(self, T: Array) -> tuple[Array, Flags]:
        assert self._trace is not None
        return newton(self._binodal_step, T, self._guess(T, self._trace[2]))

    def _fast_spinodal(self, T: Array) -> tuple[Array, Flags]:
        assert self._trace is not None
        return newton(self._spinodal_step, T, self._guess(T, self._trace[3]))

    def _spinodal_step(self, t: Array, T: Array) -> tuple[Array, Flags]:
        mixing = self._at(t, T)
        slope = mixing[..., 3]
        return -mixing[..., 2] / slope, (slope[0] < 0) & (slope[1] > 0)

    def _binodal_step(self, t: Array, T: Array) -> tuple[Array, Flags]:
        """Newton step in both logits, and where both ends are stable.

        With f the potential and w the grand potential of each branch, df = psi dt
        and dw = -x psi dt, so that the 2 x 2 system solves itself.
        """
        x = expit(t)
        mixing = self._mixing(T, x)
        psi = mixing[..., 2]
        f, w = t + mixing[..., 1], log_expit(-t) + mixing[..., 0]
        width = x[1] - x[0]
        step = (w[1] - w[0] + x[::-1] * (f[1] - f[0])) / width
        narrow = t[1] - t[0] < _NARROW
        if narrow.any():
            self._refine(step, np.flatnonzero(narrow), x[0], width, T)
        return step / psi, (psi > 0).all(0) & (width > 0)

    def _refine(self, step: Array, narrow: Rows, left: Array, width: Array, T: Array) -> None:
        """Newton steps of narrow gaps with the digits that differences lose.

        Near the critical point those vanish as the third and fourth power of the
        width; they are integrals of G'' over the gap.
        """
        width = width[narrow]
        x = left[narrow, None] + width[:, None] * _NODES
        psi = self._mixing(T[narrow, None], x)[..., 2]
        share = psi / (x * (1 - x)) * width[:, None] * _WEIGHTS
        integral = np.array([share @ (1 - _NODES), -share @ _NODES])
        # A kink inside the gap spoils the quadrature, and shows as a difference.
        smooth = np.abs(integral - step[:, narrow]).max(0) * width < 1e-12
        step[:, narrow[smooth]] = integral[:, smooth]


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


def _masked(hidden: Any, shape: tuple[int, ...], *values: Array) -> list[Any]:
    """Arrays of one shape, masked where there is something to hide."""
    if hidden is np.ma.nomask:
        return [value.reshape(shape) for value in values]
    return [np.ma.MaskedArray(value, hidden).reshape(shape) for value in values]


def _list(T: Array) -> str:
    T = np.unique(T)
    if T.size <= 3:
        return ", ".join(f"{value:g}" for value in T)
    return f"{T.size} temperatures from {T[0]:g} to {T[-1]:g}"
