"""The exact miscibility gap of rows: unstable ranges, spinodals and binodals.

Numbers only. A row is one description at one temperature: T and the values of what is free.
The input, mixing(T, x, *values), returns r - x r', r', psi and d psi/dt on a last axis, of
the part r of the Gibbs energy over RT that is neither linear in x nor ideal mixing. With
t = ln(x/(1-x))

- the diffusion potential is f = t + r', with slope df/dt = psi,
- the grand potential is w = ln(1-x) + r - x r', with slope dw/dt = -x psi,
- the stability psi = 1 + x(1-x) r'' is bounded, and 1 at both ends, where G'' diverges,
- ln x and ln(1-x) keep their full precision however dilute the phase is.

Unstable are ranges with psi < 0, and points at which the slope of G falls or G jumps, which
psi does not see: there a condition of the energy switches. Outside them G is convex, so that
the tie-line over one of them is that of the lower hull; over several the hull decides.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.constants import R
from scipy.special import expit, log_expit, logit

from lina_calphad.checks import Array, Flags
from lina_calphad.errors import NotConverged, SeveralMiscibilityGaps
from lina_calphad.phase.rows import Rows, columns, lowest, parts, root, take

Terms = Callable[..., Array]

# Tails fine enough that psi changes little from point to point; in the middle steps of 0.005
# in x, to see the narrow features that magnetism makes.
_TAIL = np.arange(5.5, 30.0, 0.25)
SCAN = np.concatenate([-_TAIL[::-1], logit(np.arange(0.005, 0.9975, 0.005)), _TAIL])
STABLE = -1e-13  # psi below which doubles resolve an instability
ROWS_AT_ONCE = 4000
_NARROW = 0.5  # width of a gap in t below which differences are integrated instead
_LANDAU = 5e-3  # half the width of a spinodal below which the binodal is wider by sqrt(3)
_BESIDE = 1e-12  # in t, from a corner to where its sides are looked at
_SEEN = 1e-4  # width in x of the gap at a corner, from where on it counts
_BESIDE_ANOTHER = 2e-3  # the same, if there is another gap
_POINT = 1e-9  # width in t of a range below which it is a corner alone
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


class Ranges(NamedTuple):
    """Every unstable range: the index of its row, both ends in t, and the rows' profile."""

    row: Any
    ends: Array
    t: Array
    mixing: Array


class Gap:
    """Solver for the gap of rows of a phase called `name`, which `where` names in messages.

    switches(T, x, *values) returns on a last axis what changes sign where a condition of the energy
    switches; None for a smooth energy.
    """

    def __init__(
        self, mixing: Terms, name: str, where: Callable[[Rows], str], switches: Terms | None = None
    ) -> None:
        self.mixing, self.name, self.where, self.switches = mixing, name, where, switches

    def at(self, t: Array, rows: Rows) -> Array:
        """The mixing terms of rows at t."""
        return self.mixing(rows[0], expit(t), *rows[1:])

    # -- unstable ranges and spinodals --

    def profile(self, rows: Rows) -> tuple[Array, Array]:
        """The scan and its mixing terms, with every extremum of psi that matters in its place."""
        t = np.tile(SCAN, (rows[0].size, 1))
        mixing = self.at(t, columns(rows))
        psi = mixing[..., 2]
        rise = np.diff(psi, axis=1)
        # A maximum matters only inside an unstable range, a minimum only outside one.
        turn = rise[:, :-1] * rise[:, 1:] < 0
        i, j = np.nonzero(turn & np.where(rise[:, 1:] > 0, psi[:, 1:-1] > 0, psi[:, 1:-1] < 0))
        if i.size:
            some, sign = take(rows, i), np.where(psi[i, j + 1] > 0, 1.0, -1.0)
            a, b, c = (t[i, j + k] for k in range(3))
            at = root(lambda t, *rows: self.at(t, rows)[..., 3], (a, c), some)[0]
            # A kink, as at a Curie temperature, has no root of the slope: close in on it.
            value = sign * self.at(at, some)[..., 2]
            kink = np.flatnonzero(~(value <= sign * psi[i, j + 1]))
            if kink.size:
                at[kink] = lowest(
                    lambda t, sign, *rows: sign * self.at(t, rows)[..., 2],
                    (a[kink], b[kink], c[kink]), (sign[kink], *take(some, kink)),
                )[0]  # fmt: skip
            t[i, j + 1], mixing[i, j + 1] = at, self.at(at, some)
        return t, mixing

    def corners(self, rows: Rows) -> tuple[Any, Array, Array]:
        """Where the slope of G falls or G jumps: row, both sides in t, and the jump of G/RT."""
        if self.switches is None or rows[0].size == 0:
            return np.zeros(0, int), np.zeros((2, 0)), np.zeros(0)
        across = columns(rows)
        shape = (rows[0].size, SCAN.size)
        on = self.switches(across[0], np.broadcast_to(expit(SCAN), shape), *across[1:]) > 0
        i, j, k = np.nonzero(on[:, 1:] != on[:, :-1])
        some, before, each = take(rows, i), on[i, j, k], np.arange(i.size)
        a, b = SCAN[j], SCAN[j + 1]
        for _ in range(60 if i.size else 0):  # down to neighbouring doubles
            middle = (a + b) / 2
            same = (self.switches(some[0], expit(middle), *some[1:])[each, k] > 0) == before
            a, b = np.where(same, middle, a), np.where(same, b, middle)
        # At the point itself no condition need hold.
        sides = np.array([a - _BESIDE, b + _BESIDE])
        terms = self.at(sides, some)
        slope = sides + terms[..., 1]
        energy = log_expit(-sides) + terms[..., 0] + expit(sides) * slope
        jump, rise = energy[1] - energy[0], slope[1] - slope[0]
        # Both bend G by a tie-line of about this width, were it the only one.
        bend = np.maximum(terms[..., 2].mean(axis=0), 0.01) / (expit(a) * expit(-a))
        width = np.maximum(-rise, 0.0) / bend + np.sqrt(2 * np.abs(jump) / bend)
        seen = width > _SEEN
        return i[seen], sides[:, seen], jump[seen]

    def ranges(self, rows: Rows) -> Ranges:
        """Every unstable range of rows."""
        t, mixing = self.profile(rows)
        psi = mixing[..., 2]
        flags = (psi < 0) & (psi.min(axis=1, keepdims=True) < STABLE)
        if flags[:, [0, -1]].any():
            bad = take(rows, flags[:, [0, -1]].any(axis=1))
            raise NotConverged(
                f"{self.name} is unstable beyond x = {expit(SCAN[0]):.0e} at {self.where(bad)}"
            )
        ends, i = np.zeros((2, 0)), np.zeros(0, int)
        if flags.any():
            each = []
            for edge in (flags[:, 1:] & ~flags[:, :-1], ~flags[:, 1:] & flags[:, :-1]):
                i, j = np.nonzero(edge)
                bracket = t[i, j], t[i, j + 1]
                each.append(root(lambda t, *r: self.at(t, r)[..., 2], bracket, take(rows, i))[0])
            ends = np.array(each)
        row, sides, jump = self.corners(rows)
        if row.size:
            i, ends = _merged(np.concatenate([i, row]), np.concatenate([ends, sides], axis=1))
            self._warn_of_jumps(jump, take(rows, row), sides[0])
        return Ranges(i, ends, t, mixing)

    def _warn_of_jumps(self, jump: Array, rows: Rows, t: Array) -> None:
        """A discontinuous Gibbs energy is no physics: say so, with the largest jump."""
        if np.abs(jump).max() > 1e-9:
            worst = int(np.abs(jump).argmax())
            height = jump[worst] * R * np.ravel(rows[0])[worst]
            msg = (
                f"the Gibbs energy of {self.name} is discontinuous: it jumps by "
                f"{height:.2g} J/mol at x = {expit(t[worst]):.6g} and "
                f"{self.where(take(rows, [worst]))}; tie-lines are those of its lower hull"
            )
            warnings.warn(msg, stacklevel=6)

    def spinodal(self, rows: Rows) -> Array:
        """Both ends of the one unstable range of each row; NaN where there is none."""
        found = self.ranges(rows)
        # A corner is a limit of stability of its own where there is no other.
        broad = found.ends[1] - found.ends[0] > _POINT
        some = found.row[broad]
        keep = broad | ~np.isin(found.row, some)
        row, ends = found.row[keep], found.ends[:, keep]
        first = np.flatnonzero(np.diff(row) == 0)
        if first.size:
            raise SeveralMiscibilityGaps(self._several(rows, found, int(row[first[0]])))
        t = np.full((2, rows[0].size), np.nan)
        t[:, row] = ends
        return t

    def _several(self, rows: Rows, found: Ranges, row: int) -> str:
        ends = expit(found.ends[:, found.row == row]).T
        return (
            f"{self.name} has {len(ends)} separate ranges of instability at "
            f"{self.where(take(rows, [row]))}: x = "
            f"{' and '.join(f'{a:.6g} to {b:.6g}' for a, b in ends)}"
        )

    # -- binodals --

    def binodal(self, rows: Rows) -> Array:
        """Both ends of the one tie-line of each row; NaN where there is none."""
        found = self.ranges(rows)
        t = np.full((2, rows[0].size), np.nan)
        first = np.flatnonzero(np.diff(found.row, prepend=-1))
        if first.size == 0:
            return t
        last = np.append(first[1:], found.row.size) - 1
        for i in np.flatnonzero(last > first):
            row, ranges = int(found.row[first[i]]), slice(first[i], last[i] + 1)
            segment = self.segments(found.ends[:, ranges], take(rows, [row]), np.zeros(0))
            under = np.flatnonzero(segment >= 0)
            if (segment[under] != segment[under[0]]).any():
                raise SeveralMiscibilityGaps(
                    f"{self._several(rows, found, row)}; `gaps` has the tie-lines of all"
                )
            first[i], last[i] = first[i] + under[0], first[i] + under[-1]
        some = found.row[first]
        outer = np.array([found.ends[0, first], found.ends[1, last]])
        t[:, some] = self.around(outer, take(rows, some), found.t[some], found.mixing[some])
        return t

    def segments(self, ends: Array, row: Rows, more: Array) -> Array:
        """Which segment of a row's lower hull, sampled also at `more`, spans each unstable range.

        -1 for a narrow one around a corner of the energy, beside another: that is none.
        """
        between = [np.linspace(a, b, 24) for a, b in zip(ends[1, :-1], ends[0, 1:], strict=True)]
        t = np.unique(np.concatenate([SCAN, ends.ravel(), *between, more]))
        x, terms = expit(t), self.at(t[None], columns(row))[0]
        g = log_expit(-t) + terms[:, 0] + x * (t + terms[:, 1])
        hull: list[int] = []
        for k in range(t.size):
            while len(hull) > 1:
                i, j = hull[-2:]
                if (x[j] - x[i]) * (g[k] - g[i]) > (g[j] - g[i]) * (x[k] - x[i]):
                    break
                hull.pop()
            hull.append(k)
        segment = np.searchsorted(t[hull], ends[0], side="right") - 1
        broad = (ends[1] - ends[0] > _POINT) | (np.diff(x[hull])[segment] > _BESIDE_ANOTHER)
        return np.where(broad | ~broad.any(), segment, -1)

    def around(self, outer: Array, rows: Rows, t: Array, mixing: Array) -> Array:
        """The tie-line around each unstable range, from the rows' profile."""
        # Of the narrowest gaps the profile says little, and Landau's expansion all.
        middle, half = outer.mean(0), (outer[1] - outer[0]) / 2
        start = middle + np.sqrt(3) * np.stack([-half, half])
        f, w = t + mixing[..., 1], log_expit(-t) + mixing[..., 0]
        for i in np.flatnonzero((half > _LANDAU) | (half < 1e-8)):
            start[:, i] = _rough(t[i], f[i], w[i], outer[:, i], start[:, i])
        ends, good = self.newton("binodal", start, rows)
        good &= (ends[0] <= outer[0]) & (ends[1] >= outer[1])
        if not good.all():
            # It can cycle about a kink, as at a Curie temperature; bracketing cannot.
            bad = ~good
            ends[:, bad], good[bad] = self._bracket(outer[:, bad], take(rows, bad))
        if not good.all():
            raise NotConverged(
                f"{self.name}: the tie-line did not converge at {self.where(take(rows, ~good))}"
            )
        return ends

    def _bracket(self, outer: Array, rows: Rows) -> tuple[Array, Flags]:
        """The tie-line around each range by bracketing, and where that converged.

        The lowest grand potential of each convex branch at a diffusion potential, less that of
        the other, rises with it: a bracketed root, whatever corners there are.
        """

        def potential(t: Array, *rows: Array) -> Array:
            return t + self.at(t, rows)[..., 1]

        def grand(t: Array, mu: Array, *rows: Array) -> Array:
            terms = self.at(t, rows)  # at a corner, mu need not be the slope of either side
            return log_expit(-t) + terms[..., 0] + expit(t) * (t + terms[..., 1] - mu)

        def beyond(t: Array, mu: Array, sign: int) -> Array:
            for doubling in range(60):
                t = t + sign * 2.0**doubling
                if np.all(sign * (potential(t, *rows) - mu) > 0):
                    return t
            raise NotConverged(
                f"{self.name}: the diffusion potential does not diverge at {self.where(rows)}"
            )

        left, right = outer
        f_left, f_right = potential(left, *rows), potential(right, *rows)

        def branches(mu: Array, f_left: Array, f_right: Array, *rest: Array) -> list[Array]:
            (low, left, right, high), rows = rest[:4], rest[4:]
            found = [
                root(lambda t, mu, *r: potential(t, *r) - mu, pair, (mu, *rows))[0]
                for pair in ((low, left), (right, high))
            ]
            return [
                np.where(mu >= f_left, left, found[0]), np.where(mu <= f_right, right, found[1])
            ]  # fmt: skip

        def difference(share: Array, low: Array, high: Array, *rest: Array) -> Array:
            mu = low + share * (high - low)
            alpha, beta = branches(mu, *rest)
            return grand(alpha, mu, *rest[6:]) - grand(beta, mu, *rest[6:])

        none, whole = np.zeros_like(left), np.ones_like(left)
        low, high = np.minimum(f_left, f_right), np.maximum(f_left, f_right)
        for doubling in range(12):
            rest = (f_left, f_right, beyond(left, low, -1), left, right, beyond(right, high, 1))
            below = difference(none, low, high, *rest, *rows) > 1e-13
            above = difference(whole, low, high, *rest, *rows) < -1e-13
            if not (below | above).any():
                break
            # Only where G jumps the slope of the tie-line is not between those of the branches.
            low, high = low - below * 2.0**doubling, high + above * 2.0**doubling
        # The unknown is a share of the bracket, which is tiny near the critical point.
        share, good = root(difference, (none, whole), (low, high, *rest, *rows), 1e-15)
        return np.array(branches(low + share * (high - low), *rest, *rows)), good

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
                change[:, active], good[active] = step(t[:, active], take(rows, active))
                t[:, active] += change[:, active]
        return t, good & small

    def _spinodal_step(self, t: Array, rows: Rows) -> tuple[Array, Flags]:
        terms = self.at(t, rows)
        slope = terms[..., 3]
        return -terms[..., 2] / slope, (slope[0] < 0) & (slope[1] > 0)

    def _binodal_step(self, t: Array, rows: Rows) -> tuple[Array, Flags]:
        """With df = psi dt and dw = -x psi dt the 2 x 2 system solves itself."""
        x, terms = expit(t), self.at(t, rows)
        psi, f, w = terms[..., 2], t + terms[..., 1], log_expit(-t) + terms[..., 0]
        width = x[1] - x[0]
        step = (w[1] - w[0] + x[::-1] * (f[1] - f[0])) / width
        narrow = np.flatnonzero(t[1] - t[0] < _NARROW)
        if narrow.size:
            # Differences vanish as the third and fourth power of the width, and lose their
            # digits; they are integrals of G'' over the gap.
            gap, some = width[narrow], columns(take(rows, narrow))
            at = x[0, narrow, None] + gap[:, None] * _NODES
            share = self.mixing(some[0], at, *some[1:])[..., 2] / (at * (1 - at)) * _WEIGHTS
            share *= gap[:, None]
            integral = np.array([share @ (1 - _NODES), -share @ _NODES])
            # A kink inside the gap spoils the quadrature, and shows as a difference.
            smooth = np.abs(integral - step[:, narrow]).max(0) * gap < 1e-12
            step[:, narrow[smooth]] = integral[:, smooth]
        return step / psi, (psi > 0).all(0) & (width > 0)

    def solve(self, curve: str, rows: Rows, guess: Array | None = None) -> Array:
        """Both ends of a curve in each row; a guess with NaN is none."""
        t, rest = np.full((2, rows[0].size), np.nan), np.arange(rows[0].size)
        if guess is not None:
            some = np.flatnonzero(~np.isnan(guess[0]))
            arrived = np.zeros(some.size, bool)
            for part in parts(some.size, 5 * ROWS_AT_ONCE):
                here = some[part]
                t[:, here], arrived[part] = self.newton(curve, guess[:, here], take(rows, here))
            t[:, some[~arrived]] = np.nan
            rest = np.flatnonzero(np.isnan(t[0]))
        for part in parts(rest.size, ROWS_AT_ONCE):
            here = rest[part]
            t[:, here] = getattr(self, curve)(take(rows, here))
        return t


def _merged(row: Array, ends: Array) -> tuple[Any, Array]:
    """Ranges in the order of rows and compositions, those that touch made one."""
    order = np.lexsort((ends[0], row))
    row, (left, right) = row[order], ends[:, order]
    reach = np.maximum.accumulate(right + 1e3 * row)
    first = np.flatnonzero(np.append(True, left[1:] + 1e3 * row[1:] > reach[:-1] + 1e-7))
    return row[first], np.array([left[first], np.maximum.reduceat(right, first)])


def _rough(t: Array, f: Array, w: Array, outer: Array, otherwise: Array) -> Array:
    """Both ends of one tie-line, read off its profile."""
    left, right = t < outer[0], t > outer[1]
    (fl, wl, tl), (fr, wr, tr) = ([q[side] for q in (f, w, t)] for side in (left, right))
    mu = np.concatenate([fl, fr])
    mu = np.sort(mu[(mu >= fr[0]) & (mu <= fl[-1])])
    off = np.interp(mu, fl, wl) - np.interp(mu, fr, wr)
    k = int(np.searchsorted(off, 0.0))
    if not 0 < k < off.size:
        return otherwise
    at = mu[k] - off[k] * (mu[k] - mu[k - 1]) / (off[k] - off[k - 1])
    # Beyond the profile t goes as mu.
    alpha = np.interp(at, fl, tl) + min(at - fl[0], 0.0)
    return np.array([alpha, np.interp(at, fr, tr) + max(at - fr[-1], 0.0)])
