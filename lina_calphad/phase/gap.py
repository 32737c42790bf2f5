"""The exact miscibility gap of rows: tie-lines, and Newton's method from where others lie.

Rows and symbols are those of `lina_calphad.phase.ranges`. The tie-line over one unstable range is
that of the lower hull; over several the hull decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from lina_calphad.checks import Array, Flags
from lina_calphad.errors import NotConverged, SeveralMiscibilityGaps
from lina_calphad.phase.ranges import POINT, SCAN, Instability, Ranges, potentials
from lina_calphad.phase.rows import Rows, columns, parts, root, take

ROWS_AT_ONCE = 4000
_NARROW = 0.5  # width of a gap in t below which differences are integrated instead
_LANDAU = 5e-3  # half the width of a spinodal below which the binodal is wider by sqrt(3)
_BESIDE_ANOTHER = 2e-3  # width in x of the gap at a corner beside another, from where on it counts
_LOOKS = 8  # at the lower hull of a row with several unstable ranges
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


class Gap(Instability):
    """Solver for the gap of rows; see `Instability` for what it takes."""

    def binodal(self, rows: Rows) -> Array:
        """Both ends of the one tie-line of each row; NaN where there is none."""
        row, ends, found = self.tie_lines(rows)
        twice = np.flatnonzero(np.diff(row) == 0)
        if twice.size:
            what = self._several(rows, found, int(row[twice[0]]))
            raise SeveralMiscibilityGaps(f"{what}; `gaps` has the tie-lines of all")
        t = np.full((2, rows[0].size), np.nan)
        t[:, row] = ends
        return t

    def every(self, rows: Rows) -> Array:
        """Both ends of all tie-lines, shape (2, most of a row, rows); NaN where there are fewer."""
        found = [
            (part, self.tie_lines(take(rows, part))) for part in parts(rows[0].size, ROWS_AT_ONCE)
        ]
        row = np.concatenate([np.zeros(0, int), *(part.start + at for part, (at, _, _) in found)])
        ends = np.concatenate([np.zeros((2, 0)), *(ends for _, (_, ends, _) in found)], axis=1)
        number = np.arange(row.size) - np.searchsorted(row, row)
        t = np.full((2, 1 + number.max(initial=0), rows[0].size), np.nan)
        t[:, number, row] = ends
        return t

    def tie_lines(self, rows: Rows) -> tuple[Any, Array, Ranges]:
        """Row and both ends of every stable tie-line, in order, and the unstable ranges."""
        found = self.ranges(rows)
        _, first, count = np.unique(found.row, return_index=True, return_counts=True)
        alone = first[count == 1]
        under, ends = np.array([alone, alone]), self.around(found, rows, alone, alone)
        if alone.size < first.size:
            wide, others = self._by_hull(found, rows, first[count > 1], count[count > 1])
            under, ends = np.append(under, wide, axis=1), np.append(ends, others, axis=1)
        if np.isnan(ends).any():
            bad = take(rows, found.row[under[0, np.isnan(ends[0])]])
            raise NotConverged(f"{self.name}: a tie-line did not converge at {self.where(bad)}")
        order = under[0].argsort()
        return found.row[under[0, order]], ends[:, order], found

    def _by_hull(self, found: Ranges, rows: Rows, first: Any, count: Any) -> tuple[Any, Array]:
        """First and last range under each tie-line of rows with several ranges, and its ends.

        The hull of a sample says which lie under one tie-line. If it was too coarse, so that some
        point between lies below, or slopes fall from one to the next, it is looked at again with
        what was found.
        """
        runs: dict[int, Any] = {}
        lines: dict[int, Array] = {}
        sample = dict.fromkeys(first.tolist(), np.zeros(0))
        waiting = dict(zip(first.tolist(), count.tolist(), strict=True))
        for _ in range(_LOOKS):
            for k, n in waiting.items():
                some, row = slice(k, k + n), take(rows, [found.row[k]])
                runs[k] = k + self._runs(found.ends[:, some], row, sample[k])
            i, j = np.concatenate([runs[k] for k in waiting], axis=1)
            ends, own = self.around(found, rows, i, j), found.row[i]
            f, w = potentials(ends[0], self.at(ends[0], take(rows, own)))
            line, t = self._touching(found, rows, (i, j), f)
            below = potentials(t, self.at(t, take(rows, own[line])))[1] < w[line]
            falls = (np.diff(f) < 0) & (own[1:] == own[:-1])
            for k in waiting:
                mine = own == found.row[k]
                lines[k] = ends[:, mine]
                new = np.append(lines[k], t[mine[line]])
                sample[k] = np.append(sample[k], new[~np.isnan(new)])
            wrong = {*own[line[below]].tolist(), *own[1:][falls].tolist()}
            waiting = {k: n for k, n in waiting.items() if found.row[k] in wrong}
            if not waiting:
                break
        return np.concatenate([*runs.values()], axis=1), np.concatenate([*lines.values()], axis=1)

    def _touching(
        self, found: Ranges, rows: Rows, under: tuple[Any, Any], slope: Array
    ) -> tuple[Any, Array]:
        """Which tie-line, and points between the ranges under it whose tangent is parallel."""
        i, j = under
        line = np.repeat(np.arange(i.size), j - i)
        k = i[line] + np.arange(line.size) - np.searchsorted(line, line)  # the range before
        bracket, some = (found.ends[1, k], found.ends[0, k + 1]), take(rows, found.row[k])
        given = slope[line], *some
        return line, root(lambda t, s, *r: self.potential(t, *r) - s, bracket, given)[0]

    def _runs(self, ends: Array, row: Rows, more: Array) -> Any:
        """First and last unstable range under each segment of a row's hull, sampled also at `more`.

        Without a narrow one around a corner of the energy, beside another: that is none.
        """
        between = [np.linspace(a, b, 24) for a, b in zip(ends[1, :-1], ends[0, 1:], strict=True)]
        t = np.unique(np.concatenate([SCAN, ends.ravel(), *between, more]))
        x, (f, w) = expit(t), potentials(t, self.at(t[None], columns(row))[0])
        g = w + x * f
        hull: list[int] = []
        for k in range(t.size):
            while len(hull) > 1:
                i, j = hull[-2:]
                if (x[j] - x[i]) * (g[k] - g[i]) > (g[j] - g[i]) * (x[k] - x[i]):
                    break
                hull.pop()
            hull.append(k)
        segment = np.searchsorted(t[hull], ends[0], side="right") - 1
        broad = (ends[1] - ends[0] > POINT) | (np.diff(x[hull])[segment] > _BESIDE_ANOTHER)
        some = np.flatnonzero(broad | ~broad.any())
        edge = np.flatnonzero(np.diff(segment[some])) + 1
        return np.array([some[np.append(0, edge)], some[np.append(edge, some.size) - 1]])

    def around(self, found: Ranges, rows: Rows, first: Any, last: Any) -> Array:
        """The tie-line over each run of unstable ranges between two stable stretches, or NaN."""
        row = found.row[first]
        outer = np.array([found.ends[0, first], found.ends[1, last]])
        # The stretches end where the ranges beside begin.
        limits = np.full(outer.shape, [[-np.inf], [np.inf]])
        for k, beside in enumerate((first - 1, last + 1)):
            there = (beside >= 0) & (beside < found.row.size)
            there[there] = found.row[beside[there]] == row[there]
            limits[k, there] = found.ends[1 - k, beside[there]]
        # Of the narrowest gaps the profile says little, and Landau's expansion all.
        middle, half = outer.mean(0), (outer[1] - outer[0]) / 2
        start = middle + np.sqrt(3) * np.stack([-half, half])
        for n in np.flatnonzero((half > _LANDAU) | (half < 1e-8)):
            t, mixing = found.t[row[n]], found.mixing[row[n]]
            start[:, n] = _rough(t, mixing, outer[:, n], limits[:, n], start[:, n])
        some = take(rows, row)

        def stable(ends: Array) -> Any:
            near = (limits[0] < ends[0]) & (ends[1] < limits[1])
            return near & (ends[0] <= outer[0]) & (ends[1] >= outer[1])

        ends, good = self.newton("binodal", start, some)
        good &= stable(ends)
        if not good.all():
            # It can cycle about a kink, as at a Curie temperature; bracketing cannot.
            bad = ~good
            ends[:, bad], good[bad] = self._bracket(outer[:, bad], limits[:, bad], take(some, bad))
            good &= stable(ends)
        return np.where(good, ends, np.nan)

    def _bracket(self, outer: Array, limits: Array, rows: Rows) -> tuple[Array, Flags]:
        """The tie-line between two stable stretches by bracketing, and where that converged.

        The lowest grand potential of each stretch at a diffusion potential, less that of the
        other, rises with it: a bracketed root, whatever corners there are.
        """
        left, right = outer
        f_left, f_right = self.potential(left, *rows), self.potential(right, *rows)

        def grand(t: Array, mu: Array, *rows: Array) -> Array:
            f, w = potentials(t, self.at(t, rows))  # at a corner, mu need not be the slope there
            return w + expit(t) * (f - mu)

        def branches(mu: Array, f_left: Array, f_right: Array, *rest: Array) -> list[Array]:
            """Where each stretch has the slope, or its end for that."""
            (low, left, right, high), rows = rest[:4], rest[4:]
            (alpha, found), (beta, there) = (
                root(lambda t, mu, *r: self.potential(t, *r) - mu, pair, (mu, *rows))
                for pair in ((low, left), (right, high))
            )
            alpha, beta = np.where(found, alpha, low), np.where(there, beta, high)
            return [np.where(mu >= f_left, left, alpha), np.where(mu <= f_right, right, beta)]

        def difference(share: Array, low: Array, high: Array, *rest: Array) -> Array:
            mu = low + share * (high - low)
            alpha, beta = branches(mu, *rest)
            return grand(alpha, mu, *rest[6:]) - grand(beta, mu, *rest[6:])

        # Beyond the scan r' does not change: the slope of either end is found within these.
        dilute = SCAN[-1] + np.abs(self.at(np.tile(SCAN[[0, -1], None], left.size), rows)[..., 1])
        none, whole = np.zeros_like(left), np.ones_like(left)
        low, high = np.minimum(f_left, f_right), np.maximum(f_left, f_right)
        for doubling in range(12):
            far = dilute + np.abs([low, high])
            start, end = np.maximum(limits[0], -far[0]), np.minimum(limits[1], far[1])
            rest = (f_left, f_right, start, left, right, end)
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
        psi, (f, w) = terms[..., 2], potentials(t, terms)
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


def _rough(t: Array, mixing: Array, outer: Array, limits: Array, otherwise: Array) -> Array:
    """Both ends of one tie-line, read off its profile."""
    low, left, right, high = t.searchsorted([limits[0], *outer, limits[1]])
    if low == left or right == high:
        return otherwise
    (fl, wl, tl), (fr, wr, tr) = (
        (*potentials(t[part], mixing[part]), t[part])
        for part in (slice(low, left), slice(right, high))
    )
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
