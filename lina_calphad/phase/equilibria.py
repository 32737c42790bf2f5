"""Which phases of a binary are in equilibrium: any phases, any number of gaps. Numbers only.

A phase of one mixing sublattice has the site fraction y and t = ln(y/(1-y)); one of fixed
composition has neither. In units of RT, with the chemical potentials of both components,

- s = mu_B - mu_A grows with t on every stable branch of a phase,
- a = mu_A falls with s, da/ds = -x, the mole fraction of B: every branch is concave,
- stable at s is the branch with the lowest a; where two of them cross they coexist.

So the stable phases are the lower envelope of curves a(s), and every tie-line is a crossing of
two of them: found on a grid of t with both ends at any dilution, finished by Newton's method in
t, and certified: at the crossing no phase lies below the tangent. Rows are as in `gap`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logit

from lina_calphad.checks import Array, Flags
from lina_calphad.errors import NotConverged
from lina_calphad.phase.gap import Gap, Rows

# Tails as dilute as doubles go: at the last point a solution is its pure end.
_TAIL = np.concatenate([np.arange(5.5, 30.0, 0.5), np.arange(30.0, 120.0, 5.0), [1e6]])
GRID = np.concatenate([-_TAIL[::-1], logit(np.arange(0.005, 0.9975, 0.005)), _TAIL])
#: Height in RT above the tangent from which on a phase is not stable.
CERTIFIED = -1e-9
_FAR = 5e5  # potentials that belong to pure ends
_STEPS = 40
_INSERTIONS = 6
_ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class Phase:
    """A phase by its energy over RT, per mole of sites (or of formula units, if fixed).

    Parameters
    ----------
    name
        In messages.
    terms
        Of a solution: terms(T, y, *values) gives g - y g', g', psi and d psi/dt on a last axis,
        with g the energy without ideal mixing. Of a compound: terms(T, *values) gives g.
    origin
        Amounts of A and B at y = 0, or of the compound.
    change
        How they change with y; None for a compound.
    """

    name: str
    terms: Callable[..., Array]
    origin: tuple[float, float] = (1.0, 0.0)
    change: tuple[float, float] | None = (-1.0, 1.0)

    @property
    def fixed(self) -> bool:
        """Whether its composition is fixed."""
        return self.change is None

    @cached_property
    def gap(self) -> Gap:
        """The solver for tie-lines within the phase."""
        return Gap(self.terms, self.name, lambda rows: f"{np.ravel(rows[0])[0]:g} K")

    @cached_property
    def _inverse(self) -> Array:
        return np.linalg.inv(np.array([self.origin, self.change]))

    def amounts(self, t: Array) -> tuple[Array, Array]:
        """Logarithms of the amounts of A and B; t is ignored for a compound."""
        with np.errstate(divide="ignore"):
            if self.change is None:
                a, b = np.log(self.origin)
                return np.full(np.shape(t), a), np.full(np.shape(t), b)
            y = expit(t)
            logs = []
            for start, step in zip(self.origin, self.change, strict=True):
                if start == 0 and step:  # nothing at y = 0: as dilute as it gets
                    logs.append(np.log(step) + log_expit(t))
                elif start + step == 0:
                    logs.append(np.log(start) + log_expit(-t))
                else:
                    logs.append(np.log(start + step * y))
        return logs[0], logs[1]

    def logs(self, t: Array) -> tuple[Array, Array]:
        """ln x_A and ln x_B."""
        a, b = self.amounts(t)
        whole = np.logaddexp(a, b)
        return a - whole, b - whole

    def curve(self, t: Array, rows: Rows) -> tuple[Array, ...]:
        """s, a, x, ds/dt and psi at t; x, too, keeps its digits where it is small."""
        terms = self.terms(rows[0], expit(t), *rows[1:])
        w, f = log_expit(-t) + terms[..., 0], t + terms[..., 1]
        (a_w, a_f), (b_w, b_f) = self._inverse
        a, b = a_w * w + a_f * f, b_w * w + b_f * f
        y, psi = expit(t), terms[..., 2]
        slope = psi * ((b_f - a_f) - y * (b_w - a_w))
        return b - a, a, np.exp(self.logs(t)[1]), slope, psi

    def line(self, rows: Rows) -> tuple[Array, float]:
        """Energy of a compound per mole of atoms, and its x."""
        whole = sum(self.origin)
        return self.terms(*rows) / whole, self.origin[1] / whole


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

    row: Array
    phases: Array
    t: Array
    s: Array
    a: Array
    first: Array
    height: Array

    def sequence(self, row: int) -> tuple[int, ...]:
        """Stable phases of a row from A to B."""
        at = np.flatnonzero(self.row == row)
        return (int(self.first[row]), *(int(p) for p in self.phases[1, at]))


@dataclass(frozen=True)
class Equilibria:
    """Solver for the stable tie-lines of phases."""

    phases: Sequence[Phase]
    _gaps: dict[int, Gap] = field(default_factory=dict, repr=False)

    def at(self, rows: Rows) -> Fields:
        """All stable tie-lines of each row; NotConverged where one fails its certificate."""
        size = rows[0].size
        parts = [
            self._at(tuple(r[i : i + _ROWS_AT_ONCE] for r in rows), i)
            for i in range(0, size, _ROWS_AT_ONCE)
        ]
        join = lambda name, axis=0: np.concatenate([getattr(p, name) for p in parts], axis=axis)  # noqa: E731
        return Fields(
            join("row"), join("phases", 1), join("t", 1), join("s"), join("a"), join("first"),
            join("height"),
        )  # fmt: skip

    def _at(self, rows: Rows, offset: int) -> Fields:
        grids = [self._grid(phase, rows) for phase in self.phases]
        found = [self._envelope([tuple(v[r] for v in g) for g in grids]) for r in range(rows[0].size)]
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
        else:
            worst = int(np.argmax(below))
            msg = (
                f"the tie-line of {self.phases[pair[0, worst]].name} and "
                f"{self.phases[pair[1, worst]].name} at {rows[0][row[worst]]:g} K fails its "
                f"certificate: {self.phases[who[worst]].name} lies {-height[worst]:.1e} RT below it"
            )
            raise NotConverged(msg)
        order = np.lexsort((s, row))
        return Fields(row[order] + offset, pair[:, order], t[:, order], s[order], a[order], first,
                      height[order])  # fmt: skip

    @staticmethod
    def _grid(phase: Phase, rows: Rows) -> tuple[Array, ...]:
        """s, a, x and psi of a phase on the grid, shape (rows, grid); a compound has one point."""
        if phase.fixed:
            g, x = phase.line(rows)
            return g[:, None], np.full((rows[0].size, 1), x)
        t = np.broadcast_to(GRID, (rows[0].size, GRID.size))
        s, a, x, _, psi = phase.curve(t, tuple(r[:, None] for r in rows))
        return s, a, x, psi

    def _envelope(self, grids: list[tuple[Array, ...]]) -> tuple[int, Array]:
        """Of one row: the phase of pure A, and (phase, phase, t, t) of every crossing, roughly."""
        pieces = []  # phase, s, a, x, t of every stable stretch; None for a line
        for p, grid in enumerate(grids):
            if len(grid) == 2:
                pieces.append((p, None, grid[0][0], grid[1][0], None))
                continue
            s, a, x, psi = grid
            stable = psi > 0
            edges = np.flatnonzero(np.diff(stable, prepend=False, append=False))
            for i, j in zip(edges[::2], edges[1::2], strict=True):
                if j - i > 1:
                    pieces.append((p, s[i:j], a[i:j], x[i:j], GRID[i:j]))
        ends = [piece[1] for piece in pieces if piece[1] is not None]
        every = np.unique(np.clip(np.concatenate([*ends, *self._meetings(pieces)]), -_FAR, _FAR))
        heights = np.array([_height(piece, every) for piece in pieces])
        best = heights.argmin(axis=0)
        change = np.flatnonzero(np.diff(best))
        lines = []
        for k in change:
            i, j = best[k], best[k + 1]
            # Where a stretch begins or ends within the step, the crossing is at its end.
            with np.errstate(invalid="ignore"):
                before, after = heights[i, k : k + 2] - heights[j, k : k + 2]
            share = 1.0 if np.isinf(before) else 0.0 if np.isinf(after) else before / (before - after)
            at = every[k] + share * (every[k + 1] - every[k])
            t = [np.nan if piece[4] is None else np.interp(at, piece[1], piece[4])
                 for piece in (pieces[i], pieces[j])]  # fmt: skip
            lines.append((pieces[i][0], pieces[j][0], *t))
        return pieces[best[0]][0], np.array(lines).reshape(len(lines), 4)

    @staticmethod
    def _meetings(pieces: list[Any]) -> list[Array]:
        """s at which lines meet each other, where no grid would look; both far ends."""
        lines = [(piece[2], piece[3]) for piece in pieces if piece[1] is None]
        s = [(g1 - g2) / (x1 - x2) for i, (g1, x1) in enumerate(lines)
             for g2, x2 in lines[:i] if x1 != x2]  # fmt: skip
        return [np.array([-_FAR, _FAR, *(v + d for v in s for d in (-1e-6, 1e-6))])]

    # -- Newton's method --

    def polish(self, pair: Array, t: Array, rows: Rows) -> tuple[Array, Array, Array]:
        """Tie-lines from starts: t, s and a."""
        t, s, a = t.copy(), np.zeros(t.shape[1]), np.zeros(t.shape[1])
        for p, q in {(int(p), int(q)) for p, q in pair.T}:
            some = np.flatnonzero((pair[0] == p) & (pair[1] == q))
            part = tuple(r[some] for r in rows)
            t[:, some], s[some], a[some] = self._pair(self.phases[p], self.phases[q], t[:, some], part)
        return t, s, a

    def _pair(self, one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Array, Array]:
        if one.fixed and two.fixed:
            (g1, x1), (g2, x2) = one.line(rows), two.line(rows)
            s = (g2 - g1) / (x2 - x1)
            return t, s, g1 - x1 * s
        if one is two:
            t, good = one.gap.newton("binodal", t, rows)
            if not good.all():
                t[:, ~good] = self._bracketed(one, t[:, ~good], tuple(r[~good] for r in rows))
            s, a, *_ = one.curve(t[0], rows)
            return t, s, a
        t, done = t.copy(), np.zeros(t.shape[1], bool)
        s, a = np.zeros(t.shape[1]), np.zeros(t.shape[1])
        active = np.arange(t.shape[1])
        for _ in range(_STEPS):
            part = tuple(r[active] for r in rows)
            step, s[active], a[active] = _step(one, two, t[:, active], part)
            size = np.max(np.abs(step), axis=0, where=~np.isnan(step), initial=0.0)
            # A step of more than 2 leaves the stretch that it starts from.
            t[:, active] += step * np.minimum(1, 2 / np.maximum(size, 2))
            active = active[~(size < 1e-9)]
            if active.size == 0:
                break
        return t, s, a

    @staticmethod
    def _bracketed(phase: Phase, t: Array, rows: Rows) -> Array:
        """Tie-lines around the unstable range that lies between two starts."""
        row, ends = phase.gap.unstable(rows)
        result = np.full_like(t, np.nan)
        for k in range(t.shape[1]):
            inside = (row == k) & (ends[0] >= t[0, k] - 1) & (ends[1] <= t[1, k] + 1)
            if inside.sum() == 1:
                one = tuple(r[[k]] for r in rows)
                result[:, [k]] = phase.gap.around(ends[:, inside], one)
        return result

    # -- certificates --

    def lowest(self, s: Array, a: Array, rows: Rows) -> tuple[Array, Array, Array]:
        """Lowest height over the tangents given by both potentials: height, phase, t."""
        height, who, where = (np.full(s.size, v) for v in (np.inf, 0, np.nan))
        for p, phase in enumerate(self.phases):
            h, t = self.height(phase, s, a, rows)
            lower = ~(h >= height)
            height[lower], who[lower], where[lower] = h[lower], p, t[lower]
        return height, who.astype(np.intp), where

    @staticmethod
    def height(phase: Phase, s: Array, a: Array, rows: Rows) -> tuple[Array, Array]:
        """Height of a phase over tangents, where it is lowest: on the grid and by descent."""
        if phase.fixed:
            g, x = phase.line(rows)
            return g - a - x * s, np.full(s.size, np.nan)
        t = np.broadcast_to(GRID, (s.size, GRID.size))
        own_s, own_a, x, _, psi = phase.curve(t, tuple(r[:, None] for r in rows))
        above = (own_a - a[:, None]) + x * (own_s - s[:, None])
        k = above.argmin(axis=1)
        best, at = above[np.arange(s.size), k], GRID[k]
        for _ in range(8):  # down to the parallel tangent
            own_s, own_a, x, slope, psi = phase.curve(at, rows)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = np.where(psi > 0, (s - own_s) / slope, 0.0)
            at = at + np.clip(step, -0.5, 0.5)
        own_s, own_a, x, *_ = phase.curve(at, rows)
        end = (own_a - a) + x * (own_s - s)
        lower = end < best
        return np.where(lower, end, best), np.where(lower, at, GRID[k])


def _step(one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Array, Array]:
    """Newton's step to the crossing of two curves, and both potentials of the first."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if one.fixed or two.fixed:
            solid, liquid, k = (one, two, 1) if one.fixed else (two, one, 0)
            (g, x), (s, a, y, slope, _) = solid.line(rows), liquid.curve(t[k], rows)
            step = np.full_like(t, np.nan)
            step[k] = (g - x * s - a) / (x - y) / slope
            return step, s, a
        s1, a1, x1, slope1, _ = one.curve(t[0], rows)
        s2, a2, x2, slope2, _ = two.curve(t[1], rows)
        ds, da = s2 - s1, a2 - a1
        step = np.array([(da + x2 * ds) / slope1, (da + x1 * ds) / slope2]) / (x2 - x1)
        return step, s1, a1


def _height(piece: Any, s: Array) -> Array:
    """a of one stretch at s by Hermite's cubic; infinite outside."""
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
    row: Array, pair: Array, t: Array, lines: Array, who: Array, where: Array
) -> tuple[Array, Array, Array]:
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
