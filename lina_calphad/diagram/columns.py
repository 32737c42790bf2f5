"""Rough tie-lines: which phase is lowest at each composition, and what bridges the rest.

All phases are compared at the same compositions, the columns. Where one phase is lowest and
stable from column to column is a run. Runs follow each other in composition, so that da/ds = -x
makes the curves a(s) of two of them cross once at most: a run that is left before it is reached
is stable nowhere, and between each two of the others lies one tie-line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lina_calphad.diagram.crossings import dips, shallow
from lina_calphad.diagram.phases import GRID, Phase, Points
from lina_calphad.errors import UnsupportedPhase
from lina_calphad.phase.rows import columns, parts, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.checks import Array, Flags
    from lina_calphad.phase.rows import Rows

Indices = NDArray[np.intp]
_ROUNDING = 1e-12  # in RT
_RESOLVED = 1e-12  # |psi| times the square of a gap's width in t, from which on doubles resolve it
_DIP = 1e-3  # in t, from a jump of psi to a dip that is the same
_JUMP = 1e-3  # psi at the end of an unstable range, from which on it jumps there
_CORNER = 1e-10  # step down of s that is no rounding
_PURE = 500.0  # t beyond which nothing is left of a component
_HALVINGS = 20  # to the ends of a narrow unstable range
_BRIDGINGS = 20
_NEAR = 0.05  # height in RT from which on no phase comes down within a step
_IN_CACHE = 40  # rows of one phase


class Sampled(NamedTuple):
    """All phases at the columns, in RT, shape (phases, rows, columns); infinite where not."""

    energy: Array
    s: Array
    psi: Array


class Lines(NamedTuple):
    """Tie-lines in order of row and of composition: row (n,), phases and t of both ends (2, n)."""

    row: Indices
    phases: Indices
    t: Array


class _Runs(NamedTuple):
    """Runs in order of row and of composition: row, phase, first and last column, number."""

    row: Indices
    phase: Indices
    first: Indices
    last: Indices
    number: Indices


class _Ladders(NamedTuple):
    """s at the columns of every run, one run behind another, and where each run begins.

    Complex numbers, whose order is that of run and s.
    """

    rungs: NDArray[np.complex128]
    start: Indices

    @classmethod
    def of(cls, s: Array, stable: Flags, runs: _Runs) -> _Ladders:
        size = runs.last - runs.first + 1
        rungs = np.repeat(runs.number, size).astype(complex)
        rungs.imag = s[stable]
        return cls(rungs, np.cumsum(size) - size)

    def up_to(self, runs: _Runs, level: Array) -> Indices:
        """The last column of each run whose s is no more than the level; its first if none is."""
        at = runs.number.astype(complex)
        at.imag = level
        steps = np.searchsorted(self.rungs, at, side="right") - 1 - self.start[runs.number]
        return np.clip(runs.first + steps, runs.first, runs.last)


class Columns:
    """Compositions at which phases are compared, in ascending order.

    Parameters
    ----------
    phases
        The whole grid of each kind of solution is among the columns, and every compound.
    """

    def __init__(self, phases: Sequence[Phase]) -> None:
        self.phases = phases
        kinds = {(phase.origin, phase.change): phase for phase in phases}
        own = [GRID[:1] if phase.fixed else GRID for phase in kinds.values()]
        logs = [phase.logs(at) for phase, at in zip(kinds.values(), own, strict=True)]
        a, b = (np.concatenate(some) for some in zip(*logs, strict=True))
        kind = np.repeat(np.arange(len(kinds)), [at.size for at in own])
        t = np.full((len(phases), kind.size), np.nan)
        for p, phase in enumerate(phases):
            mine = kind == list(kinds).index((phase.origin, phase.change))
            if not phase.fixed:
                t[p] = np.clip(phase.place((a, b)), GRID[0], GRID[-1])
            t[p, mine] = 0.0 if phase.fixed else GRID
        # Rounding decides nothing beside the end of a phase: its own t goes up.
        order = np.lexsort((np.nansum(t, axis=0), np.round(b - a, 14)))
        self.t, self.x = t[:, order], np.maximum.accumulate(np.exp(b[order]))
        self.there = ~np.isnan(self.t)
        self._points = [Points.of(t[at]) for t, at in zip(self.t, self.there, strict=True)]

    def sample(self, rows: Rows) -> Sampled:
        """All phases at all columns; UnsupportedPhase where there is no finite energy."""
        shape = (len(self.phases), rows[0].size, self.x.size)
        sampled = Sampled(*(np.empty(shape) for _ in Sampled._fields))
        for phase, there, points, energy, s, psi in zip(
            self.phases, self.there, self._points, *sampled, strict=True
        ):
            at = slice(None) if there.all() else there
            if phase.fixed or not there.all():
                energy[:], s[:], psi[:] = np.inf, 0.0, 1.0
            if phase.fixed:
                energy[:, at] = phase.line(rows)[0][:, None]
            for k in parts(0 if phase.fixed else rows[0].size, _IN_CACHE):
                own, a, x, _, psi[k, at] = phase.curve(points, columns(take(rows, k)))
                s[k, at], energy[k, at] = own, a + x * own
            if not (finite := np.isfinite(energy[:, at])).all():
                row = int(finite.all(axis=1).argmin())
                msg = f"{phase.name} has no finite Gibbs energy at {rows[0][row]:g} K"
                raise UnsupportedPhase(msg)
        return sampled

    def tie_lines(self, rows: Rows, sampled: Sampled) -> tuple[Indices, Lines]:
        """The phase of pure A in each row, and rough tie-lines."""
        who = _clearly_lowest(sampled.energy)
        flat = who * who.size + np.arange(who.size).reshape(who.shape)
        energy, s, psi = (v.reshape(-1)[flat] for v in sampled)
        t = self.t[who, np.arange(self.x.size)]
        self._look_into_dips(who, t, psi, rows)
        self._look_beside_switches(who, t, psi, rows)
        # A run ends where psi does, and at a corner or jump of the energy.
        fixed = np.array([phase.fixed for phase in self.phases])
        stable = psi > 0
        joined = stable[:, 1:] & stable[:, :-1] & (who[:, 1:] == who[:, :-1])
        joined &= (np.diff(s) > -_CORNER) & ~fixed[who[:, 1:]]
        never = np.zeros((rows[0].size, 1), bool)
        row, first = np.nonzero(stable & ~np.append(never, joined, axis=1))
        last = np.nonzero(stable & ~np.append(joined, never, axis=1))[1]
        runs = _Runs(row, who[row, first], first, last, np.arange(row.size))
        runs, i, j, level = self._bridged(runs, energy, _Ladders.of(s, stable, runs))
        pure = runs.phase[np.append(True, runs.row[1:] != runs.row[:-1])]
        k = np.flatnonzero(runs.row[1:] == runs.row[:-1])
        row, i, j, level = runs.row[k], i[k], j[k], level[k]
        # Along dilute ends, where columns are few, t goes as s.
        ends = [
            np.clip(t[row, at] + level - s[row, at], t[row, at], t[row, np.minimum(at + 1, end)])
            for at, end in ((i, runs.last[k]), (j, runs.last[k + 1]))
        ]
        lines = Lines(row, np.array([runs.phase[k], runs.phase[k + 1]]), np.array(ends))
        self._between_edges(lines, i, j, (t, psi), rows)
        lines.t[fixed[lines.phases]] = np.nan
        # Where both ends are pure, at their transition, there is no tie-line.
        with np.errstate(invalid="ignore"):
            left = np.fmax(*lines.t) < -_PURE
            keep = ~(left | (np.fmin(*lines.t) > _PURE))
        pure[row[left]] = lines.phases[1, left]
        row, level = row[keep], level[keep]
        pairs, both = lines.phases[:, keep], lines.t[:, keep]
        more, at, host = self._slivers(who, t, joined, (energy, s), rows, sampled)
        good = np.zeros(at.size, bool)  # where the phase around is stable itself
        for n, s_ in enumerate(at.tolist()):
            before = np.flatnonzero((row == more.row[n]) & (level < s_))
            good[n] = host[n] == (pairs[1, before[-1]] if before.size else pure[more.row[n]])
        row = np.append(row, more.row[good])
        order = np.lexsort((np.append(level, at[good]), row))
        pairs = np.append(pairs, more.phases[:, good], axis=1)[:, order]
        both = np.append(both, more.t[:, good], axis=1)[:, order]
        return pure, Lines(row[order], pairs, both)

    def _slivers(
        self, who: Indices, t: Array, joined: Flags, lowest: tuple[Array, Array], rows: Rows,
        sampled: Sampled,
    ) -> tuple[Lines, Array, Indices]:  # fmt: skip
        """Tie-lines beside a phase stable between two columns alone, s, and the phase around."""
        found = [Lines(np.zeros(0, np.intp), np.zeros((2, 0), np.intp), np.zeros((2, 0)))]
        levels, hosts = [np.zeros(0)], [np.zeros(0, np.intp)]
        for q, two in enumerate(self.phases):
            if two.fixed:
                continue
            off = sampled.s[q] - lowest[1]
            near = joined & (sampled.energy[q] - lowest[0] < _NEAR)[:, 1:]
            near &= (off[:, :-1] < 0) & (off[:, 1:] > 0) & (who[:, 1:] != q)
            for p in np.unique(who[:, 1:][near]).tolist():
                row, c = np.nonzero(near & (who[:, 1:] == p))
                one, some = self.phases[p], take(rows, row)
                low, high = t[row, c], t[row, c + 1]
                for _ in range(_HALVINGS):  # to where both have one slope
                    at = (low + high) / 2
                    here = one.curve(at, some)
                    there = two.curve(two.place(one.logs(at)), some)
                    below = there[0] < here[0]
                    low, high = np.where(below, at, low), np.where(below, high, at)
                depth = here[1] - there[1] + here[2] * (here[0] - there[0])
                bend = one.dx(at) / here[3] - two.dx(two.place(one.logs(at))) / there[3]
                k = np.flatnonzero((depth > 0) & (bend > 0))
                reach = np.sqrt(2 * depth[k] / bend[k])  # in s, of both as parabolas
                for sign, pair in ((-1, (p, q)), (1, (q, p))):
                    ends = {p: at[k] + sign * reach / here[3][k],
                            q: two.place(one.logs(at[k])) + sign * reach / there[3][k]}  # fmt: skip
                    pairs = np.repeat(np.array(pair)[:, None], k.size, axis=1)
                    found.append(Lines(row[k], pairs, np.array([ends[r] for r in pair])))
                    levels.append(here[0][k])
                    hosts.append(np.full(k.size, p))
        lines = Lines(*(np.concatenate(v, axis=-1) for v in zip(*found, strict=True)))
        return lines, np.concatenate(levels), np.concatenate(hosts)

    def _look_into_dips(self, who: Indices, t: Array, psi: Array, rows: Rows) -> None:
        """Move columns to where psi is lowest between two: it may be negative there."""
        same = (who[:, :-2] == who[:, 1:-1]) & (who[:, 2:] == who[:, 1:-1])
        row, k = np.nonzero(shallow(psi) & same)
        for p in np.unique(who[row, k]).tolist():
            mine = who[row, k] == p
            dips(self.phases[p], t, psi, rows, row[mine], k[mine])

    def _look_beside_switches(self, who: Indices, t: Array, psi: Array, rows: Rows) -> None:
        """Move columns to where a condition switches: psi jumps, and may be negative there."""
        for p, phase in enumerate(self.phases):
            if phase.switches is None:
                continue
            row, sides = phase.gap.switched(rows)
            own = np.flatnonzero(self.there[p])
            at = own[np.searchsorted(self.t[p, own], sides[0]).clip(1, own.size - 1) - 1]
            mine = (who[row, at] == p) & (who[row, at + 1] == p)
            row, sides, at = row[mine], sides[:, mine], at[mine]
            for side, k in zip(sides, (at, at + 1), strict=True):
                beside, slope = phase.gap.at(side, take(rows, row))[:, 2:].T
                resolved = beside**3 < -_RESOLVED * slope**2
                deep = resolved & (psi[row, k] > 0)
                # A dip there that doubles do not resolve is none.
                none = ~resolved & (psi[row, k] < 0) & (np.abs(t[row, k] - side) < _DIP)
                none &= beside < 0
                psi[row[none], k[none]] *= -1
                t[row[deep], k[deep]], psi[row[deep], k[deep]] = side[deep], beside[deep]

    def _bridged(
        self, runs: _Runs, energy: Array, ladders: _Ladders
    ) -> tuple[_Runs, Indices, Indices, Array]:
        """Runs that are stable; columns and s of the tie-line from each to the next."""
        i, j = runs.last.copy(), np.roll(runs.first, -1)
        level = np.full(i.size, np.nan)
        while True:
            ends = np.append(runs.row[1:] != runs.row[:-1], True)
            level[ends] = np.inf
            k = np.flatnonzero(np.isnan(level))
            one, two = (_Runs(*(v[at] for v in runs)) for at in (k, k + 1))
            i[k], j[k], level[k] = self._bridge(one, two, energy, ladders)
            before = np.append(-np.inf, np.where(ends, -np.inf, level)[:-1])
            drop = before >= level
            if not drop.any():
                return runs, i, j, level
            level[:-1][drop[1:]] = np.nan
            runs = _Runs(*(v[~drop] for v in runs))
            i, j, level = i[~drop], j[~drop], level[~drop]

    def _bridge(
        self, one: _Runs, two: _Runs, energy: Array, ladders: _Ladders
    ) -> tuple[Indices, Indices, Array]:
        """Columns where a line touches two runs, and its slope s: Newton's method in s."""
        row, i, j = one.row, one.last, two.first
        for _ in range(_BRIDGINGS):
            with np.errstate(divide="ignore", invalid="ignore"):
                level = (energy[row, j] - energy[row, i]) / (self.x[j] - self.x[i])
            before = i, j
            i, j = ladders.up_to(one, level), ladders.up_to(two, level)
            if (i == before[0]).all() and (j == before[1]).all():
                break
        return i, j, level

    def _between_edges(
        self, lines: Lines, i: Indices, j: Indices, at: tuple[Array, Array], rows: Rows
    ) -> None:
        """Better ends around an unstable range so narrow that one column lies in it."""
        (t, psi), last = at, self.x.size - 1
        around = (j == i + 2) & (psi[lines.row, np.minimum(i + 1, last)] <= 0)
        for p in np.unique(lines.phases[0]).tolist():
            k = np.flatnonzero((lines.phases == p).all(axis=0) & around)
            if k.size == 0:
                continue
            row, phase = lines.row[k], self.phases[p]
            some = tuple(r[row] for r in rows)
            stable, off = lines.t[:, k], np.tile(t[row, i[k] + 1], (2, 1))
            for _ in range(_HALVINGS):
                middle = (stable + off) / 2
                good = phase.curve(middle, some)[4] > 0
                stable, off = np.where(good, middle, stable), np.where(good, off, middle)
            # Landau: the tie-line is wider by the root of three, or by half beside a jump of psi.
            width, jumps = stable[1] - stable[0], phase.curve(stable, some)[4] > _JUMP
            ends = stable.mean(axis=0) + np.sqrt(3) / 2 * np.array([-width, width])
            left, right = jumps & ~jumps[::-1]
            ends = np.where(left, [stable[0], stable[0] + 1.5 * width], ends)
            lines.t[:, k] = np.where(right, [stable[1] - 1.5 * width, stable[1]], ends)


def _clearly_lowest(energy: Array) -> Indices:
    """Which phase is lowest at each column; where rounding decides, that of the next clear one."""
    who: Indices = energy.argmin(axis=0)
    near = (energy < energy.min(axis=0) + _ROUNDING).sum(axis=0) > 1
    row = np.flatnonzero(near.any(axis=1))
    if row.size:
        size, at = near.shape[1], np.arange(near.shape[1])
        before = np.maximum.accumulate(np.where(near[row], 0, at), axis=1)
        after = np.minimum.accumulate(np.where(near[row], size, at)[:, ::-1], axis=1)[:, ::-1]
        clear = np.take_along_axis(who[row], np.where(after < size, after, before), axis=1)
        known = np.isfinite(energy[clear, row[:, None], at])
        who[row] = np.where(near[row] & known, clear, who[row])
    return who
