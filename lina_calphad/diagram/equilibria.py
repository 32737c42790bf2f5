"""Which phases of a binary are in equilibrium: any phases, any number of gaps. Numbers only.

Every stable branch of a phase is a concave curve a(s) (see `phases`), and stable at s is the
branch with the lowest a. So the stable phases are the lower envelope of all curves, and every
tie-line is a crossing of two: found on a grid of t with both ends at any dilution, finished by
Newton's method, and certified: at the crossing no phase lies below the tangent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lina_calphad.diagram.crossings import bracketed, newton, on_grid, potentials
from lina_calphad.diagram.phases import FAR, GRID, Phase
from lina_calphad.errors import NotConverged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.checks import Array
    from lina_calphad.phase.rows import Rows

Indices = NDArray[np.intp]
#: Height in RT above the tangent from which on a phase is not stable.
CERTIFIED = -1e-9
_NEAR = 0.05  # height in RT below which the grid is not enough
_ROUNDING = 1e-12  # in RT
_PURE = 500.0  # t beyond which nothing is left of a component
_INSERTIONS = 6
_OVERLAP = 1e-3  # in t, more than which two tie-lines do not overlap by rounding
_ROWS_AT_ONCE = 2000


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
        grids = [on_grid(phase, rows) for phase in self.phases]
        found = [
            self._envelope([tuple(v[r] for v in g) for g in grids]) for r in range(rows[0].size)
        ]
        first = np.array([f[0] for f in found])
        row = np.concatenate([np.full(len(f[1]), r) for r, f in enumerate(found)]).astype(np.intp)
        lines = np.concatenate([np.zeros((0, 4)), *(f[1] for f in found if len(f[1]))])
        pair, t = lines[:, :2].T.astype(np.intp), lines[:, 2:].T.copy()
        for _ in range(_INSERTIONS):
            t, s, a = self.polish(pair, t, tuple(r[row] for r in rows))
            height, who, where = self.lowest(s, a, tuple(r[row] for r in rows))
            below = ~(height >= CERTIFIED)
            if not below.any():
                break
            row, pair, t = _insert(row, pair, t, np.flatnonzero(below), who, where)
            # Within one phase Newton's method may leave for the gap beside: brackets do not.
            for k in range(int((~below).sum()), row.size):
                if pair[0, k] == pair[1, k]:
                    phase, here = self.phases[pair[0, k]], tuple(r[[row[k]]] for r in rows)
                    closed = bracketed(phase, phase, t[:, k], here)
                    t[:, k] = np.where(np.isnan(closed), t[:, k], closed)
        else:
            worst = int(np.argmax(below))
            msg = (
                f"the tie-line of {self.phases[pair[0, worst]].name} and "
                f"{self.phases[pair[1, worst]].name} at {rows[0][row[worst]]:g} K fails its "
                f"certificate: {self.phases[who[worst]].name} lies {-height[worst]:.1e} RT below it"
            )
            raise NotConverged(msg)
        order = np.lexsort((s, row))
        self._in_order(row[order], pair[:, order], t[:, order], rows)
        return Fields(row[order] + offset, pair[:, order], t[:, order], s[order], a[order], first,
                      height[order])  # fmt: skip

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

    def _envelope(self, grids: list[tuple[Array, ...]]) -> tuple[int, Array]:
        """Of one row: the phase of pure A, and (phase, phase, t, t) of every crossing, roughly."""
        pieces: list[Any] = []  # phase, s, a, x, t of every stable stretch; None for a line
        for p, grid in enumerate(grids):
            if len(grid) == 2:
                pieces.append((p, None, grid[0][0], grid[1][0], None))
                continue
            s, a, x, psi, t = grid
            # A stretch ends where psi does, and at a corner or jump of the energy.
            joined = (psi[1:] > 0) & (psi[:-1] > 0) & (np.diff(s) > 0)
            edges = np.flatnonzero(np.diff(joined, prepend=False, append=False))
            for i, j in zip(edges[::2], edges[1::2] + 1, strict=True):
                if j - i > 1:
                    pieces.append((p, s[i:j], a[i:j], x[i:j], t[i:j]))
        # Hermite's cubics are good for steps of two, and certificates see what lies between.
        own = [np.append(piece[1][::2], piece[1][-1]) for piece in pieces if piece[1] is not None]
        every = np.unique(np.clip(np.concatenate([*own, *self._meetings(pieces)]), -FAR, FAR))
        heights = np.array([_height(piece, every) for piece in pieces])
        best = _clearly_lowest(heights)
        change = np.flatnonzero(np.diff(best))
        lines: list[tuple[float, ...]] = []
        first: int = pieces[best[0]][0]
        for k in change:
            i, j = best[k], best[k + 1]
            # Where a stretch begins or ends within the step, the crossing is at its end.
            with np.errstate(invalid="ignore"):
                before, after = heights[i, k : k + 2] - heights[j, k : k + 2]
            share = (
                1.0 if np.isinf(before) else 0.0 if np.isinf(after) else before / (before - after)
            )
            at = every[k] + share * (every[k + 1] - every[k])
            places = [
                np.nan if piece[4] is None else np.interp(at, piece[1], piece[4])
                for piece in (pieces[i], pieces[j])
            ]
            known = [t for t in places if not np.isnan(t)]
            if known and min(known) > _PURE:
                break
            if known and max(known) < -_PURE:  # both are pure: at their transition, no tie-line
                first = pieces[j][0]
            else:
                lines.append((pieces[i][0], pieces[j][0], *places))
        return first, np.array(lines).reshape(len(lines), 4)

    @staticmethod
    def _meetings(pieces: list[Any]) -> list[Array]:
        """S at which lines meet each other, where no grid would look; both far ends."""
        lines = [(piece[2], piece[3]) for piece in pieces if piece[1] is None]
        s = [(g1 - g2) / (x1 - x2) for i, (g1, x1) in enumerate(lines)
             for g2, x2 in lines[:i] if x1 != x2]  # fmt: skip
        return [np.array([-FAR, FAR, *(v + d for v in s for d in (-1e-6, 1e-6))])]

    # -- Newton's method --

    def polish(self, pair: Indices, t: Array, rows: Rows) -> tuple[Array, Array, Array]:
        """Tie-lines from starts: t, s and a."""
        t, s, a = t.copy(), np.zeros(t.shape[1]), np.zeros(t.shape[1])
        for p, q in {(int(p), int(q)) for p, q in pair.T}:
            some = np.flatnonzero((pair[0] == p) & (pair[1] == q))
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
        height, who, where = (np.full(s.size, v) for v in (np.inf, 0, np.nan))
        # Many tie-lines share a row: each phase is looked at once.
        once, back = np.unique(np.array(rows), axis=1, return_inverse=True)
        for p, phase in enumerate(self.phases):
            h, t = self._height(phase, s, a, rows, tuple(once), back.ravel())
            lower = ~(h >= height)
            height[lower], who[lower], where[lower] = h[lower], p, t[lower]
        return height, who.astype(np.intp), where

    @staticmethod
    def _height(
        phase: Phase, s: Array, a: Array, rows: Rows, once: Rows, back: Indices
    ) -> tuple[Array, Array]:
        """Height of a phase over tangents, where it is lowest: on the grid and by descent."""
        if phase.fixed:
            g, x = phase.line(rows)
            return g - a - x * s, np.full(s.size, np.nan)
        t = np.broadcast_to(GRID, (once[0].size, GRID.size))
        own_s, own_a, x, _, _ = phase.curve(t, tuple(r[:, None] for r in once))
        energy = own_a + x * own_s
        best, at = np.empty(s.size), np.empty(s.size)
        for start in range(0, s.size, _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            above = energy[back[part]] - a[part, None] - x[back[part]] * s[part, None]
            k = above.argmin(axis=1)
            best[part], at[part] = above[np.arange(k.size), k], GRID[k]
        # At the far ends the energy is a difference of large numbers, and the grid exact.
        near = np.flatnonzero((best < _NEAR) & (np.abs(at) < 100))
        if near.size:
            some, t = tuple(r[near] for r in rows), at[near]
            for _ in range(4):  # down to the parallel tangent
                own_s, own_a, x, slope, psi = phase.curve(t, some)
                with np.errstate(divide="ignore", invalid="ignore"):
                    step = np.where(psi > 0, (s[near] - own_s) / slope, 0.0)
                t = t + np.clip(step, -0.5, 0.5)
            own_s, own_a, x, *_ = phase.curve(t, some)
            end = (own_a - a[near]) + x * (own_s - s[near])
            lower = ~(end >= best[near])
            best[near[lower]], at[near[lower]] = end[lower], t[lower]
        return best, at


def _clearly_lowest(heights: Array) -> Indices:
    """Which stretch is lowest at each s; where rounding decides, the next that is clear."""
    best: Indices = heights.argmin(axis=0)
    if len(heights) == 1:
        return best
    low = np.partition(heights, 1, axis=0)[:2]
    clear = np.flatnonzero(low[1] - low[0] > _ROUNDING)
    if clear.size == 0:
        return np.full_like(best, best[0])
    there = np.searchsorted(clear, np.arange(best.size)).clip(max=clear.size - 1)
    near: Indices = best[clear[there]]
    return near


def _height(piece: Any, s: Array) -> Array:
    """A of one stretch at s by Hermite's cubic; infinite outside."""
    _, own, a, x, _ = piece
    if own is None:
        line: Array = a - x * s
        return line
    k = np.clip(np.searchsorted(own, s) - 1, 0, own.size - 2)
    h = own[k + 1] - own[k]
    u = (s - own[k]) / h
    left, right = a[k], a[k + 1]
    cubic = (
        left + (right - left) * u**2 * (3 - 2 * u)
        - h * u * (1 - u) * (x[k] * (1 - u) - x[k + 1] * u)
    )  # fmt: skip
    return np.where((s < own[0]) | (s > own[-1]), np.inf, cubic)


def _insert(
    row: Indices, pair: Indices, t: Array, lines: Indices, who: Indices, where: Array
) -> tuple[Indices, Indices, Array]:
    """Put a phase that lies below a tie-line between its ends."""
    keep = np.setdiff1d(np.arange(row.size), lines)
    new = [
        (np.append(p, q), np.append(u, v))
        for p, q, u, v in (
            (pair[0, lines], who[lines], t[0, lines], where[lines]),
            (who[lines], pair[1, lines], where[lines], t[1, lines]),
        )
    ]
    rows = np.concatenate([row[keep], row[lines], row[lines]])
    pairs = np.concatenate([pair[:, keep], *(n[0].reshape(2, -1) for n in new)], axis=1)
    ts = np.concatenate([t[:, keep], *(n[1].reshape(2, -1) for n in new)], axis=1)
    return rows, pairs, ts
