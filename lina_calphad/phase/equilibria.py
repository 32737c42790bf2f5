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
from scipy.optimize import brentq
from scipy.optimize.elementwise import find_minimum
from scipy.special import expit, log_expit, logit

from lina_calphad.checks import Array, Flags
from lina_calphad.errors import NotConverged, UnsupportedPhase
from lina_calphad.phase.gap import Gap, Rows

# Tails as dilute as doubles go: at the last point a solution is its pure end.
_TAIL = np.concatenate([np.arange(5.5, 30.0, 0.5), np.arange(30.0, 120.0, 5.0), [1e6]])
GRID = np.concatenate([-_TAIL[::-1], logit(np.arange(0.005, 0.9975, 0.005)), _TAIL])
#: Height in RT above the tangent from which on a phase is not stable.
CERTIFIED = -1e-9
_DIP = 0.3  # psi below which a dip is looked into
_NEAR = 0.05  # height in RT below which the grid is not enough
_FAR = 5e5  # potentials that belong to pure ends
# t beyond which nothing but ideal mixing changes, and a magnetic phase may divide by zero.
_CONSTANT = (-230.0, 36.0)
_LADDER = np.geomspace(1e-8, 1e3, 45)
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
        with np.errstate(invalid="ignore"):  # of no t, as of a compound, there is none
            whole = np.logaddexp(a, b)
        return a - whole, b - whole

    def curve(self, t: Array, rows: Rows) -> tuple[Array, ...]:
        """s, a, x, ds/dt and psi at t; x, too, keeps its digits where it is small."""
        terms = self.terms(rows[0], expit(np.clip(t, *_CONSTANT)), *rows[1:])
        w, f = log_expit(-t) + terms[..., 0], t + terms[..., 1]
        (a_w, a_f), (b_w, b_f) = self._inverse
        a, b = a_w * w + a_f * f, b_w * w + b_f * f
        y, psi = expit(t), terms[..., 2]
        slope = psi * ((b_f - a_f) - y * (b_w - a_w))
        return b - a, a, self.x(y), slope, psi

    def pure(self, side: float, rows: Rows) -> Array:
        """Terms of the pure end at y = 0 (side -1) or y = 1."""
        return self.terms(rows[0], np.full(rows[0].shape, expit(_CONSTANT[side > 0])), *rows[1:])

    def x(self, y: Array) -> Array:
        """Mole fraction of B; keeps its digits where it is small."""
        assert self.change is not None
        (first, second), (da, db) = self.origin, self.change
        fraction: Array = (second + db * y) / (first + second + (da + db) * y)
        return fraction

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
        """s, a, x, psi and t of a phase on the grid, shape (rows, grid); a compound has one point."""
        if phase.fixed:
            g, x = phase.line(rows)
            _finite(phase, g, rows)
            return g[:, None], np.full((rows[0].size, 1), x)
        t = np.tile(GRID, (rows[0].size, 1))
        s, a, x, _, psi = phase.curve(t, tuple(r[:, None] for r in rows))
        _finite(phase, s.sum(axis=1) + a.sum(axis=1), rows)
        # A dip of psi, as beside a Curie temperature or a critical point, may go below zero
        # between two points.
        middle = psi[:, 1:-1]
        row, k = np.nonzero((middle < _DIP) & (middle > 0) & (middle < psi[:, :-2]) & (middle < psi[:, 2:]))
        if row.size:
            some = tuple(r[row] for r in rows)
            with np.errstate(invalid="ignore"):
                dip = find_minimum(
                    lambda t, *rows: phase.terms(rows[0], expit(t), *rows[1:])[..., 2],
                    (t[row, k], t[row, k + 1], t[row, k + 2]), args=some,
                )  # fmt: skip
            t[row, k + 1] = np.where(dip.f_x < psi[row, k + 1], dip.x, t[row, k + 1])
            values = phase.curve(t[row, k + 1], some)
            for array, value in zip((s, a, x, psi), (*values[:3], values[4]), strict=True):
                array[row, k + 1] = value
        return s, a, x, psi, t

    def _envelope(self, grids: list[tuple[Array, ...]]) -> tuple[int, Array]:
        """Of one row: the phase of pure A, and (phase, phase, t, t) of every crossing, roughly."""
        pieces = []  # phase, s, a, x, t of every stable stretch; None for a line
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
            return (t, *_potentials(one, two, t, rows))
        start = t.copy()
        if one is two:
            t, good = one.gap.newton("binodal", t, rows)
        else:
            t, good = _newton(one, two, t, rows)
        for k in np.flatnonzero(~good):  # a kink, as at a Curie temperature: close in on it
            t[:, k] = _bracketed(one, two, start[:, k], tuple(r[[k]] for r in rows))
        return (t, *_potentials(one, two, t, rows))

    # -- certificates --

    def lowest(self, s: Array, a: Array, rows: Rows) -> tuple[Array, Array, Array]:
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
        phase: Phase, s: Array, a: Array, rows: Rows, once: Rows, back: Array
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


def _finite(phase: Phase, energy: Array, rows: Rows) -> None:
    bad = np.flatnonzero(~np.isfinite(energy))
    if bad.size:
        msg = f"{phase.name} has no finite Gibbs energy at {rows[0][bad[0]]:g} K"
        raise UnsupportedPhase(msg)


def _newton(one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Flags]:
    """Newton's method to the crossing of two curves, and where it arrived."""
    t, good = t.copy(), np.zeros(t.shape[1], bool)
    active = np.arange(t.shape[1])
    for _ in range(_STEPS):
        step, stable, noise = _step(one, two, t[:, active], tuple(r[active] for r in rows))
        known = ~np.isnan(step)
        size = np.max(np.abs(step), axis=0, where=known, initial=0.0)
        # A step of more than 2 leaves the stretch that it starts from.
        with np.errstate(invalid="ignore"):
            t[:, active] += step * np.minimum(1, 2 / np.maximum(size, 2))
        small = size < np.maximum(1e-9, noise)
        good[active] = small & stable
        active = active[~small & stable]
        if active.size == 0:
            break
    x = [np.exp(phase.logs(at)[1]) for phase, at in zip((one, two), t, strict=True)]
    return t, good & (x[0] < x[1])


def _bracketed(one: Phase, two: Phase, t: Array, rows: Rows) -> Array:
    """The crossing of two curves by bracketing, in one row: corners and kinks do not mind it."""
    stretches = []
    for phase, at in zip((one, two), t, strict=True):
        if phase.fixed:
            stretches.append((-_FAR, _FAR, None, None))
            continue
        grid = [v[0] for v in Equilibria._grid(phase, rows)]
        joined = (grid[3][1:] > 0) & (grid[3][:-1] > 0) & (np.diff(grid[0]) > 0)
        points = grid[4]
        i = j = int(np.where(grid[3] > 0, np.abs(points - at), np.inf).argmin())
        while i > 0 and joined[i - 1]:
            i -= 1
        while j < points.size - 1 and joined[j]:
            j += 1
        ends = [_edge(phase, points, k, step, rows) for k, step in ((i, -1), (j, 1))]
        potential = phase.curve(np.array(ends), tuple(np.repeat(r, 2) for r in rows))[0]
        stretches.append((*potential, *ends))

    def place(k: int, s: float) -> float:
        """t of a curve at s."""
        phase, (_, _, low, high) = (one, two)[k], stretches[k]
        if low is None:
            return np.nan
        def off(t: float) -> float:
            return float(phase.curve(np.array([t]), rows)[0][0]) - s
        if off(low) >= 0 or off(high) <= 0:
            return low if off(low) >= 0 else high
        return float(brentq(off, low, high, xtol=1e-13, rtol=1e-15, disp=False))

    def level(k: int, s: float) -> float:
        phase = (one, two)[k]
        return float(_level(phase, np.array([place(k, s)]), np.array([s]), rows)[0])

    low, high = max(u[0] for u in stretches), min(u[1] for u in stretches)
    difference = lambda s: level(0, s) - level(1, s)  # noqa: E731
    if not low < high:
        return np.full(2, np.nan)
    if difference(low) * difference(high) > 0:  # they cross twice: which is nearer?
        curves = [(p, at) for p, at in zip((one, two), t, strict=True) if not p.fixed]
        start = float(curves[0][0].curve(np.array([curves[0][1]]), rows)[0][0])
        ladder = np.clip(start + np.concatenate([-_LADDER[::-1], [0.0], _LADDER]), low, high)
        signs = np.sign([difference(s) for s in ladder])
        turns = np.flatnonzero(signs[1:] * signs[:-1] < 0)
        if turns.size == 0:
            return np.full(2, np.nan)
        k = turns[np.abs(ladder[turns] - start).argmin()]
        low, high = ladder[k], ladder[k + 1]
    s = brentq(difference, low, high, xtol=1e-13, rtol=1e-15, disp=False)
    return np.array([place(0, s), place(1, s)])


def _edge(phase: Phase, grid: Array, k: int, step: int, rows: Rows) -> float:
    """Where the stable stretch ends that reaches a point of the grid, on one side."""
    if not 0 <= k + step < GRID.size:
        return float(grid[k])
    start = phase.curve(grid[[k]], rows)[0][0]
    good, bad = grid[k], grid[k + step]
    for _ in range(60):
        middle = (good + bad) / 2
        s, _, _, _, psi = (v[0] for v in phase.curve(np.array([middle]), rows))
        if psi > 0 and step * (s - start) >= 0:
            good = middle
        else:
            bad = middle
    return float(good)


def _level(phase: Phase, t: Array, s: Array, rows: Rows) -> Array:
    """a of the line through a point of a curve with the slope that s gives."""
    if phase.fixed:
        g, x = phase.line(rows)
        line: Array = g - x * s
        return line
    own, a, x, *_ = phase.curve(t, rows)
    return a + x * (own - s)


def _potentials(one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Array]:
    """s and a of tie-lines, from both ends: at a corner neither curve has the slope."""
    (g1, x1), (g2, x2) = (_energy(p, at, rows) for p, at in zip((one, two), t, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (g2 - g1) / (x2 - x1)
    if one.fixed and two.fixed:
        return s, g1 - x1 * s
    # Of a narrow gap the difference says little, and the curve all.
    solution, at = (one, t[0]) if not one.fixed else (two, t[1])
    own, a, x, *_ = solution.curve(at, rows)
    s = np.where(np.abs(own - s) > 1e-6 * (1 + np.abs(own)), s, own)
    return s, a + x * (own - s)


def _energy(phase: Phase, t: Array, rows: Rows) -> tuple[Array, Array]:
    if phase.fixed:
        g, x = phase.line(rows)
        return g, np.full(g.shape, x)
    s, a, x, *_ = phase.curve(t, rows)
    return a + x * s, x


def _step(one: Phase, two: Phase, t: Array, rows: Rows) -> tuple[Array, Flags, Array]:
    """Newton's step to the crossing of two curves, whether both are stable there, its noise."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if one.fixed or two.fixed:
            solid, liquid, k = (one, two, 1) if one.fixed else (two, one, 0)
            (g, x), (s, a, y, slope, psi) = solid.line(rows), liquid.curve(t[k], rows)
            step = np.full_like(t, np.nan)
            step[k] = (g - x * s - a) / (x - y) / slope
            return step, psi > 0, _noise(g, x - y)
        s1, a1, x1, slope1, psi1 = one.curve(t[0], rows)
        s2, a2, x2, slope2, psi2 = two.curve(t[1], rows)
        ds, da = s2 - s1, a2 - a1
        step = np.array([(da + x2 * ds) / slope1, (da + x1 * ds) / slope2]) / (x2 - x1)
        return step, (psi1 > 0) & (psi2 > 0), _noise(a1, x2 - x1)


def _noise(energy: Array, width: Array) -> Array:
    """How far rounding moves the ends of a narrow tie-line in t; a thousandth of it at most."""
    noise: Array = np.minimum(1e-14 * (1 + np.abs(energy)) / np.abs(width), 1e-3)
    return noise


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
