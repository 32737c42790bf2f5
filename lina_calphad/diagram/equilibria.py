"""Which phases of a binary are in equilibrium: any phases, any number of gaps. Numbers only.

Every stable branch of a phase is a concave curve a(s) (see `phases`), and stable at s is the
branch with the lowest a. So the stable phases are the lower envelope of all curves, and every
tie-line is a crossing of two: found on a grid of t with both ends at any dilution, finished by
Newton's method, and certified: at the crossing no phase lies below the tangent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lina_calphad.diagram.columns import Columns, Sampled
from lina_calphad.diagram.crossings import bracketed, newton, potentials
from lina_calphad.errors import NotConverged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.checks import Array
    from lina_calphad.diagram.phases import Phase
    from lina_calphad.phase.rows import Rows

Indices = NDArray[np.intp]
#: Height in RT above the tangent from which on a phase is not stable.
CERTIFIED = -1e-9
_NEAR = 0.05  # height in RT below which the grid is not enough
_INSERTIONS = 6
_OVERLAP = 1e-3  # in t, more than which two tie-lines do not overlap by rounding
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Fields:
    """Tie-lines of rows, in order of row and of s.

    Parameters
    ----------
    row
        Index of the row, shape (n,).
    phases
        Index of the phase poor and rich in B, shape (2, n).
    t
        ln(y/(1-y)) of both, NaN for a compound, shape (2, n).
    s, a
        Both potentials, shape (n,).
    first
        Index of the stable phase of pure A in each row.
    height
        Lowest driving force of any phase in RT, shape (n,): no less than `CERTIFIED`.
    """

    row: Indices
    phases: Indices
    t: Array
    s: Array
    a: Array
    first: Indices
    height: Array

    def sequence(self, row: int) -> tuple[int, ...]:
        """Stable phases of a row from A to B."""
        at = np.flatnonzero(self.row == row)
        return (int(self.first[row]), *(int(p) for p in self.phases[1, at]))


@dataclass(frozen=True)
class Equilibria:
    """Solver for the stable tie-lines of phases."""

    phases: Sequence[Phase]

    @cached_property
    def columns(self) -> Columns:
        """Compositions at which the phases are compared."""
        return Columns(self.phases)

    def at(self, rows: Rows) -> Fields:
        """All stable tie-lines of each row; NotConverged where one fails its certificate."""
        size = rows[0].size
        if size == 0:
            none, nothing = np.zeros(0, np.intp), np.zeros(0)
            pair = np.zeros((2, 0), np.intp)
            return Fields(none, pair, np.zeros((2, 0)), nothing, nothing, none, nothing)
        parts = [
            self._at(tuple(r[i : i + _ROWS_AT_ONCE] for r in rows), i)
            for i in range(0, size, _ROWS_AT_ONCE)
        ]
        names = ("row", "phases", "t", "s", "a", "first", "height")
        return Fields(*(np.concatenate([getattr(p, n) for p in parts], axis=-1) for n in names))

    def _at(self, rows: Rows, offset: int) -> Fields:
        sampled = self.columns.sample(rows)
        first, (row, pair, t) = self.columns.tie_lines(rows, sampled)
        s, a, height = np.full((3, row.size), np.nan)
        corners = self._corners(rows)
        for _ in range(_INSERTIONS):
            new = np.flatnonzero(np.isnan(height))
            some = tuple(r[row[new]] for r in rows)
            t[:, new], s[new], a[new] = self.polish(pair[:, new], t[:, new], some)
            # A phase that is left before it is reached is stable nowhere.
            passed = np.flatnonzero((row[1:] == row[:-1]) & (s[1:] <= s[:-1]))
            if passed.size:
                pair[1, passed], t[1, passed] = pair[1, passed + 1], t[1, passed + 1]
                height[passed] = np.nan
                row, s, a, height = (np.delete(v, passed + 1) for v in (row, s, a, height))
                pair, t = np.delete(pair, passed + 1, axis=1), np.delete(t, passed + 1, axis=1)
                continue
            height[new], who, where = self._lowest(s[new], a[new], some, row[new], sampled)
            fails = ~(height[new] >= CERTIFIED)
            lines: tuple[Any, ...] = row, pair, t, s, a, height
            if fails.any():
                lines = self._inserted(lines, new[fails], who[fails], where[fails], rows)
            elif cornered := self._cornered(row, pair, t, first, corners):
                at, *more = cornered
                lines = tuple(
                    np.insert(old, at, v, axis=-1) for old, v in zip(lines, more, strict=True)
                )
            else:
                break
            row, pair, t, s, a, height = lines
        else:
            worst = int(np.isnan(height).argmax())
            msg = (
                f"the tie-line of {self.phases[pair[0, worst]].name} and "
                f"{self.phases[pair[1, worst]].name} at {rows[0][row[worst]]:g} K fails its "
                "certificate: another phase lies below it"
            )
            raise NotConverged(msg)
        self._in_order(row, pair, t, rows)
        return Fields(row + offset, pair, t, s, a, first, height)

    def _inserted(
        self, lines: tuple[Any, ...], below: Indices, who: Indices, where: Array, rows: Rows
    ) -> tuple[Any, ...]:
        """Tie-lines with the phases that lie below some of them put between their ends."""
        copies = np.ones(lines[0].size, np.intp)
        copies[below] = 2
        row, pair, t, s, a, height = (np.repeat(v, copies, axis=-1) for v in lines)
        left = np.cumsum(copies)[below] - 2
        pair[1, left], t[1, left] = who, where
        pair[0, left + 1], t[0, left + 1] = who, where
        height[left] = height[left + 1] = np.nan
        for k, side in [*((k, 0) for k in left), *((k, 1) for k in left + 1)]:
            phase, new = self.phases[pair[side, k]], self.phases[pair[1 - side, k]]
            if phase is new:
                # Newton's method may leave for the gap beside: brackets do not.
                here = tuple(r[[row[k]]] for r in rows)
                closed = bracketed(phase, phase, t[:, k], here)
                t[:, k] = np.where(np.isnan(closed), t[:, k], closed)
            elif not phase.fixed:
                # What is put in may lie beyond the end, which then is beyond it.
                at = float(phase.place(new.logs(t[1 - side, [k]]))[0])
                if (t[side, k] < at) == (side == 1):
                    t[side, k] = 2 * at - t[side, k]
        return row, pair, t, s, a, height

    def _corners(self, rows: Rows) -> tuple[Any, ...]:
        """Corners of the energy that no grid sees: row, phase, t, and both ends of a tie-line."""
        found = [(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0), np.zeros((2, 0)))]
        for p, phase in enumerate(self.phases):
            if phase.switches is None:
                continue
            own, sides, _ = phase.gap.corners(rows)
            some = tuple(r[own] for r in rows)
            (s, _, _, slope, psi), (s_, _, _, slope_, psi_) = (phase.curve(u, some) for u in sides)
            start = sides + np.array([-(s - s_) / slope, (s - s_) / slope_]) / 2
            n = np.flatnonzero((s > s_) & (psi > 0) & (psi_ > 0))
            found.append((own[n], np.full(n.size, p), sides[0, n], start[:, n]))
        return tuple(np.concatenate(v, axis=-1) for v in zip(*found, strict=True))

    @staticmethod
    def _cornered(
        row: Indices, pair: Indices, t: Array, first: Indices, corners: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """Tie-lines at corners in stable fields: where to put them, and they; nothing if none."""
        own, who, at, start = corners
        found = []
        for n, (begin, end) in enumerate(np.searchsorted(row, [own, own + 1]).T.tolist()):
            # Of every field of the row its phase and both ends in t.
            phases = np.append(first[own[n]], pair[1, begin:end])
            left, right = np.append(-np.inf, t[1, begin:end]), np.append(t[0, begin:end], np.inf)
            inside = (phases == who[n]) & (left < at[n]) & (at[n] < right)
            found += [(begin + k, n) for k in np.flatnonzero(inside).tolist()]
        if not found:
            return ()
        place, n = np.array(found).T
        nothing = np.full(n.size, np.nan)
        return place, own[n], np.array([who[n], who[n]]), start[:, n], nothing, nothing, nothing

    def _in_order(self, row: Indices, pair: Indices, t: Array, rows: Rows) -> None:
        """NotConverged if a phase between two tie-lines is not one phase from left to right."""
        same = row[1:] == row[:-1]
        broken = pair[1, :-1] != pair[0, 1:]
        broken |= t[1, :-1] > t[0, 1:] + _OVERLAP
        bad = np.append(
            np.flatnonzero(same & broken), np.flatnonzero((pair[0] == pair[1]) & ~(t[0] < t[1]))
        )
        if bad.size:
            name, T = self.phases[pair[1, bad[0]]].name, rows[0][row[bad[0]]]
            msg = f"one of several tie-lines with {name} at {T:g} K did not converge"
            raise NotConverged(msg)

    # -- Newton's method --

    def polish(self, pair: Indices, t: Array, rows: Rows) -> tuple[Array, Array, Array]:
        """Tie-lines from starts: t, s and a."""
        t, s, a = t.copy(), np.zeros(t.shape[1]), np.zeros(t.shape[1])
        kinds = pair[0] * len(self.phases) + pair[1]
        for kind in np.unique(kinds).tolist():
            some, (p, q) = np.flatnonzero(kinds == kind), divmod(kind, len(self.phases))
            part = tuple(r[some] for r in rows)
            t[:, some], s[some], a[some] = self._pair(
                self.phases[p], self.phases[q], t[:, some], part
            )
        return t, s, a

    def _pair(self, one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Array, Array]:
        if one.fixed and two.fixed:
            return (t, *potentials(one, two, t, rows))
        start = t.copy()
        if one is two:
            t, good = one.gap.newton("binodal", t, rows)
            # It may leave for the gap beside.
            good &= (t[0] < start[1]) & (t[1] > start[0])
        else:
            t, good = newton(one, two, t, rows)
        for k in np.flatnonzero(~good):  # a kink, as at a Curie temperature: close in on it
            t[:, k] = bracketed(one, two, start[:, k], tuple(r[[k]] for r in rows))
        return (t, *potentials(one, two, t, rows))

    # -- certificates --

    def lowest(self, s: Array, a: Array, rows: Rows) -> tuple[Array, Indices, Array]:
        """Lowest height over the tangents given by both potentials: height, phase, t."""
        # Many tie-lines share a row: each phase is looked at once.
        once, back = np.unique(np.array(rows), axis=1, return_inverse=True)
        return self._lowest(s, a, rows, back.ravel(), self.columns.sample(tuple(once)))

    def _lowest(
        self, s: Array, a: Array, rows: Rows, row: Indices, sampled: Sampled
    ) -> tuple[Array, Indices, Array]:
        height, who, where = (np.full(s.size, v) for v in (np.inf, 0, np.nan))
        line = a[:, None] + s[:, None] * self.columns.x
        for p, phase in enumerate(self.phases):
            above = sampled.energy[p][row] - line
            k = above.argmin(axis=1)
            best, t = above[np.arange(k.size), k], self.columns.t[p, k]
            if phase.fixed:
                t[:] = np.nan
            else:
                # A phase that touches the tangent may dip below it elsewhere.
                inner = above[:, 1:-1]
                dips = (inner < _NEAR) & (inner <= above[:, :-2]) & (inner < above[:, 2:])
                i, c = np.nonzero(dips)
                other = c + 1 != k[i]
                i, c = i[other], c[other] + 1
                i, c = np.append(np.arange(k.size), i), np.append(k, c)
                best, t = above[i, c], self.columns.t[p, c]
                self._descend(phase, s[i], a[i], tuple(r[i] for r in rows), best, t)
                lowest = np.lexsort((best, i))[np.searchsorted(np.sort(i), np.arange(k.size))]
                best, t = best[lowest], t[lowest]
            lower = ~(best >= height)
            height[lower], who[lower], where[lower] = best[lower], p, t[lower]
        return height, who.astype(np.intp), where

    @staticmethod
    def _descend(phase: Phase, s: Array, a: Array, rows: Rows, best: Array, t: Array) -> None:
        """From the lowest column down to the parallel tangent."""
        # At the far ends the energy is a difference of large numbers, and the columns exact.
        near = np.flatnonzero((best < _NEAR) & (np.abs(t) < 100))
        if near.size == 0:
            return
        some, at = tuple(r[near] for r in rows), t[near]
        for _ in range(4):
            own_s, own_a, x, slope, psi = phase.curve(at, some)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = np.where(psi > 0, (s[near] - own_s) / slope, 0.0)
            at = at + np.clip(step, -0.5, 0.5)
        own_s, own_a, x, *_ = phase.curve(at, some)
        end = (own_a - a[near]) + x * (own_s - s[near])
        lower = ~(end >= best[near])
        best[near[lower]], t[near[lower]] = end[lower], at[lower]
