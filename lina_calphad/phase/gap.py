"""The exact miscibility gaps of a binary solution: binodals, spinodals and critical points.

Numbers only. A row is one description at one temperature: T and the values of what is free.
The one input, mixing(T, x, *values), returns r - x r', r', psi and d psi/dt on a last axis, of
the part r of the Gibbs energy over RT that is neither linear in x nor ideal mixing. With
t = ln(x/(1-x))

- the diffusion potential is f = t + r', with slope df/dt = psi,
- the grand potential is w = ln(1-x) + r - x r', with slope dw/dt = -x psi,
- the stability psi = 1 + x(1-x) r'' is bounded, and 1 at both ends, where G'' diverges,
- ln x and ln(1-x) keep their full precision however dilute the phase is.

Every row is scanned for ranges with psi < 0; around each, bracketing finds the tie-line and
Newton's method sharpens it. Of many rows most start at the tie-line of the reference values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize.elementwise import find_minimum, find_root
from scipy.special import expit, log_expit, logit

from lina_calphad.checks import SEARCH_RANGE, Array, Flags
from lina_calphad.errors import NotConverged, SeveralMiscibilityGaps

Rows = tuple[Array, ...]  # T, and one array for each free symbol
Mixing = Callable[..., Array]

# Tails fine enough that psi changes little from point to point; in the middle steps of 0.005
# in x, to see the narrow features that magnetism makes.
_TAIL = np.arange(5.5, 30.0, 0.25)
SCAN = np.concatenate([-_TAIL[::-1], logit(np.arange(0.005, 0.9975, 0.005)), _TAIL])
_GRID = np.geomspace(*SEARCH_RANGE, 480)
_STABLE = -1e-13  # psi below which doubles resolve an instability
_NARROW = 0.5  # width of a gap in t below which differences are integrated instead
_LANDAU = 5e-3  # half the width of a spinodal below which the binodal is wider by sqrt(3)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_ROWS_AT_ONCE = 4000


class Gap:
    """Solver for the gaps of rows."""

    def __init__(self, mixing: Mixing, name: str, where: Callable[[Rows], str]) -> None:
        self.mixing, self.name, self.where = mixing, name, where

    def at(self, t: Array, rows: Rows) -> Array:
        return self.mixing(rows[0], expit(t), *rows[1:])

    # -- spinodals --

    def profile(self, rows: Rows) -> tuple[Array, Array]:
        """T and psi on the scan, with every extremum of psi that matters moved to its place."""
        t = np.tile(SCAN, (rows[0].size, 1))
        psi = self.at(t, tuple(r[:, None] for r in rows))[..., 2]
        rise = np.diff(psi, axis=1)
        # A maximum matters only inside an unstable range, a minimum only outside one.
        turn = rise[:, :-1] * rise[:, 1:] < 0
        i, j = np.nonzero(turn & np.where(rise[:, 1:] > 0, psi[:, 1:-1] > 0, psi[:, 1:-1] < 0))
        if i.size == 0:
            return t, psi
        some, sign = _take(rows, i), np.where(psi[i, j + 1] > 0, 1.0, -1.0)
        a, b, c = (t[i, j + k] for k in range(3))
        at = self._root(lambda t, *rows: self.at(t, rows)[..., 3], (a, c), some)[0]
        value = self.at(at, some)[..., 2]
        # A kink, as at a Curie temperature, has no root of the slope: close in on it.
        kink = np.flatnonzero(~(sign * value <= sign * psi[i, j + 1]))
        if kink.size:
            with np.errstate(invalid="ignore"):
                best = find_minimum(
                    lambda t, sign, *rows: sign * self.at(t, rows)[..., 2],
                    (a[kink], b[kink], c[kink]), args=(sign[kink], *_take(some, kink)),
                )  # fmt: skip
            at[kink], value[kink] = best.x, sign[kink] * best.f_x
        t[i, j + 1], psi[i, j + 1] = at, value
        return t, psi

    def unstable(self, rows: Rows) -> tuple[Array, Array]:
        """Every unstable range: the index of its row, and its two ends in t."""
        t, psi = self.profile(rows)
        flags = (psi < 0) & (psi.min(axis=1, keepdims=True) < _STABLE)
        if flags[:, [0, -1]].any():
            bad = _take(rows, flags[:, [0, -1]].any(axis=1))
            msg = f"{self.name} is unstable beyond x = {expit(SCAN[0]):.0e} at {self.where(bad)}"
            raise NotConverged(msg)
        ends, i = [], np.zeros(0, int)
        for edge in (flags[:, 1:] & ~flags[:, :-1], ~flags[:, 1:] & flags[:, :-1]):
            i, j = np.nonzero(edge)
            ends.append(
                self._root(
                    lambda t, *rows: self.at(t, rows)[..., 2], (t[i, j], t[i, j + 1]),
                    _take(rows, i),
                )[0] if i.size else np.zeros(0)
            )  # fmt: skip
        return i, np.array(ends)

    def spinodal(self, rows: Rows) -> Array:
        """Both ends of the one unstable range of each row; NaN where there is none."""
        i, ends = self.unstable(rows)
        count = np.bincount(i, minlength=rows[0].size)
        if (count > 1).any():
            row = int(np.argmax(count > 1))
            ranges = [f"{a:.6g} to {b:.6g}" for a, b in expit(ends[:, i == row]).T]
            msg = (
                f"{self.name} has {count[row]} separate ranges of instability at "
                f"{self.where(_take(rows, [row]))}: x = {' and '.join(ranges)}"
            )
            raise SeveralMiscibilityGaps(msg)
        t = np.full((2, rows[0].size), np.nan)
        t[:, i] = ends
        return t

    # -- binodals --

    def binodal(self, rows: Rows) -> Array:
        """Both ends of the tie-line of each row; NaN where there is none."""
        t = self.spinodal(rows)
        found = ~np.isnan(t[0])
        if found.any():
            t[:, found] = self.around(t[:, found], _take(rows, found))
        return t

    def around(self, spinodal: Array, rows: Rows) -> Array:
        """The tie-line around each unstable range."""
        start = self._bracket(spinodal, rows, 1e-9)[0]  # rough: Newton's method does the rest
        # Of the narrowest gaps a bracket says little, and Landau's expansion all.
        middle, half = spinodal.mean(0), (spinodal[1] - spinodal[0]) / 2
        landau = middle + np.sqrt(3) * np.stack([-half, half])
        ends, good = self.newton("binodal", np.where(half < _LANDAU, landau, start), rows)
        if not good.all():
            # It can cycle about a kink, as at a Curie temperature; bracketing cannot.
            bad = ~good
            ends[:, bad], good[bad] = self._bracket(spinodal[:, bad], _take(rows, bad), 1e-15)
        inside = (ends[0] > spinodal[0]) | (ends[1] < spinodal[1])
        for wrong, what in ((~good, "did not converge"), (inside, "ended inside its spinodal")):
            if wrong.any():
                msg = f"{self.name}: the tie-line {what} at {self.where(_take(rows, wrong))}"
                raise NotConverged(msg)
        return ends

    def _bracket(self, spinodal: Array, rows: Rows, tolerance: float) -> tuple[Array, Flags]:
        """On each stable branch t is monotone in the diffusion potential, and so is the
        difference of the grand potentials of both branches.
        """

        def potential(t: Array, *rows: Array) -> Array:
            return t + self.at(t, rows)[..., 1]

        def grand(t: Array, *rows: Array) -> Array:
            return log_expit(-t) + self.at(t, rows)[..., 0]

        def beyond(t: Array, mu: Array, sign: int) -> Array:
            for doubling in range(60):
                t = t + sign * 2.0**doubling
                if np.all(sign * (potential(t, *rows) - mu) > 0):
                    return t
            msg = f"{self.name}: the diffusion potential does not diverge at {self.where(rows)}"
            raise NotConverged(msg)

        def branches(share: Array, low: Array, high: Array, *rest: Array) -> list[Array]:
            mu, ends, rows = low + share * (high - low), rest[:4], rest[4:]
            return [
                self._root(lambda t, mu, *r: potential(t, *r) - mu, pair, (mu, *rows))[0]
                for pair in (ends[:2], ends[2:])
            ]

        def difference(share: Array, *rest: Array) -> Array:
            alpha, beta = branches(share, *rest)
            return grand(alpha, *rest[6:]) - grand(beta, *rest[6:])

        left, right = spinodal
        high, low = potential(left, *rows), potential(right, *rows)
        ends = beyond(left, low, -1), left, right, beyond(right, high, +1)
        # The unknown is a share of the bracket, which is tiny near the critical point.
        rest = (low, high, *ends, *rows)
        whole = np.zeros_like(left), np.ones_like(left)
        share, good = self._root(difference, whole, rest, tolerance)
        return np.array(branches(share, *rest)), good

    def newton(self, curve: str, t: Array, rows: Rows) -> tuple[Array, Flags]:
        """Newton's method in both ends at once, and where it arrived in the right place."""
        step = self._binodal_step if curve == "binodal" else self._spinodal_step
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            change, good = step(t, rows)  # what diverges is not good
            t = t + change
            for _ in range(12):
                # The next step would be of the order of this one squared over the width.
                width, size = np.abs(t[1] - t[0]), np.abs(change).max(0)
                small = size < 1e-8 * np.minimum(1, width)
                # Rounding over the width is as small as it gets. On a gap that collapses to
                # the trivial solution steps stay a part of the width instead.
                small |= size < np.minimum(1e-14 / width, 1e-3 * width)
                active = np.flatnonzero(~small)
                if active.size == 0:
                    break
                change[:, active], good[active] = step(t[:, active], _take(rows, active))
                t[:, active] += change[:, active]
        return t, good & small

    def _spinodal_step(self, t: Array, rows: Rows) -> tuple[Array, Flags]:
        psi, slope = np.moveaxis(self.at(t, rows)[..., 2:], -1, 0)
        return -psi / slope, (slope[0] < 0) & (slope[1] > 0)

    def _binodal_step(self, t: Array, rows: Rows) -> tuple[Array, Flags]:
        """With df = psi dt and dw = -x psi dt the 2 x 2 system solves itself."""
        x, mixing = expit(t), self.at(t, rows)
        psi, f, w = mixing[..., 2], t + mixing[..., 1], log_expit(-t) + mixing[..., 0]
        width = x[1] - x[0]
        step = (w[1] - w[0] + x[::-1] * (f[1] - f[0])) / width
        narrow = np.flatnonzero(t[1] - t[0] < _NARROW)
        if narrow.size:
            # Differences vanish as the third and fourth power of the width, and lose their
            # digits; they are integrals of G'' over the gap.
            gap, some = width[narrow], tuple(r[:, None] for r in _take(rows, narrow))
            at = x[0, narrow, None] + gap[:, None] * _NODES
            share = self.mixing(some[0], at, *some[1:])[..., 2] / (at * (1 - at)) * _WEIGHTS
            share *= gap[:, None]
            integral = np.array([share @ (1 - _NODES), -share @ _NODES])
            # A kink inside the gap spoils the quadrature, and shows as a difference.
            smooth = np.abs(integral - step[:, narrow]).max(0) * gap < 1e-12
            step[:, narrow[smooth]] = integral[:, smooth]
        return step / psi, (psi > 0).all(0) & (width > 0)

    # -- all rows, and critical points --

    def solve(self, curve: str, rows: Rows, guess: Array | None = None) -> Array:
        """Both ends of a curve in each row; a guess with NaN is none."""
        t, rest = np.full((2, rows[0].size), np.nan), np.arange(rows[0].size)
        if guess is not None:
            some = np.flatnonzero(~np.isnan(guess[0]))
            t[:, some], good = self.newton(curve, guess[:, some], _take(rows, some))
            rest = np.setdiff1d(rest, some[good])
        for start in range(0, rest.size, _ROWS_AT_ONCE):
            part = rest[start : start + _ROWS_AT_ONCE]
            t[:, part] = getattr(self, curve)(_take(rows, part))
        return t

    def tops(self, values: Rows, n: int, near: float | None = None) -> tuple[Array, Array]:
        """Highest critical temperature and t there of n descriptions; NaN without a gap, and
        infinite where it is still open at the end of the search. `near`: where to look first.
        """

        def lowest(T: Array, *values: Array) -> tuple[Array, Array]:
            t, psi = self.profile((T, *values))
            at = np.arange(T.size), psi.argmin(axis=1)
            return t[at], psi[at]

        def depth(T: Array, *values: Array) -> Array:
            return lowest(np.ravel(T), *map(np.ravel, values))[1].reshape(np.shape(T))

        def levels(grid: Array, some: Rows, n: int) -> Array:
            rows = np.repeat(grid, n), *(np.tile(value, grid.size) for value in some)
            parts = [slice(k, k + _ROWS_AT_ONCE) for k in range(0, rows[0].size, _ROWS_AT_ONCE)]
            found = [depth(*_take(rows, part)) for part in parts]
            return np.concatenate([np.zeros(0), *found]).reshape(grid.size, n)

        low, high, top = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        rest = np.arange(n)
        if near is not None:
            grid = near * np.array([0.5, 1.5, 2.0, 4.0])
            psi = levels(grid, values, n)
            close = (psi[0] < _STABLE) & (psi[1:] > 0).all(axis=0)
            low[close], high[close] = grid[:2]
            rest = np.flatnonzero(~close)
        if rest.size:
            some = _take(values, rest)
            psi = levels(_GRID, some, rest.size)
            # A narrow closed loop shows as a dip between two temperatures of the search.
            i, j = np.nonzero((psi[1:-1] > 0) & (psi[1:-1] < np.minimum(psi[:-2], psi[2:])))
            if i.size:
                around = tuple(_GRID[i + k] for k in range(3))
                dip = find_minimum(depth, around, args=_take(some, j))
                inside = dip.f_x < 0
                low[rest[j[inside]]], high[rest[j[inside]]] = dip.x[inside], _GRID[i[inside] + 2]
            open_at = psi < _STABLE
            last = _GRID.size - 1 - np.argmax(open_at[::-1], axis=0)
            there = open_at.any(axis=0) & ~(_GRID[last] < low[rest])
            at, last = rest[there], last[there]
            low[at], high[at] = _GRID[last], np.append(_GRID, np.inf)[last + 1]
        found = np.flatnonzero(np.isfinite(high))
        top[np.isposinf(high)] = np.inf
        some = _take(values, found)
        top[found] = self._root(depth, (low[found], high[found]), some)[0]
        t = np.full(n, np.nan)
        t[found] = lowest(top[found], *some)[0]
        return top, t

    @staticmethod
    def _root(f: Any, bracket: Any, args: Rows, tolerance: float = 0.0) -> tuple[Array, Flags]:
        """Root in each bracket, down to neighbouring doubles without a tolerance."""
        rough: Any = {"xatol": tolerance, "xrtol": 0.0} if tolerance else None
        # The method takes square roots of what may be negative by rounding, and does without.
        with np.errstate(invalid="ignore", divide="ignore"):
            root = find_root(f, bracket, args=args, tolerances=rough)
        return root.x, root.success


def _take(rows: Rows, index: Any) -> Rows:
    return tuple(r[index] for r in rows)
