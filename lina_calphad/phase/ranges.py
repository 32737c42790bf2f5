"""Unstable ranges of rows, and spinodals: what needs no tie-line.

Numbers only. A row is one description at one temperature: T and the values of what is free.
The input, mixing(T, x, *values), returns r - x r', r', psi and d psi/dt on a last axis, of
the part r of the Gibbs energy over RT that is neither linear in x nor ideal mixing. With
t = ln(x/(1-x))

- the diffusion potential is f = t + r', with slope df/dt = psi,
- the grand potential is w = ln(1-x) + r - x r', with slope dw/dt = -x psi,
- the stability psi = 1 + x(1-x) r'' is bounded, and 1 at both ends, where G'' diverges,
- ln x and ln(1-x) keep their full precision however dilute the phase is.

Unstable are ranges with psi < 0, and points at which the slope of G falls or G jumps, which
psi does not see: there a condition of the energy switches. Outside them G is convex.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.constants import R
from scipy.special import expit, log_expit, logit

from lina_calphad.checks import Array
from lina_calphad.errors import NotConverged, SeveralMiscibilityGaps
from lina_calphad.phase.rows import Rows, columns, lowest, root, take

Terms = Callable[..., Array]

# Tails fine enough that psi changes little from point to point; in the middle steps of 0.005
# in x, to see the narrow features that magnetism makes.
_TAIL = np.arange(5.5, 30.0, 0.25)
SCAN = np.concatenate([-_TAIL[::-1], logit(np.arange(0.005, 0.9975, 0.005)), _TAIL])
STABLE = -1e-13  # psi below which doubles resolve an instability
POINT = 1e-9  # width in t of a range below which it is a corner alone
_BESIDE = 1e-12  # in t, from a corner to where its sides are looked at
_APART = 1e-9  # in t, between corners that are two
_LEAP = 1e-11  # jump of G/RT that may be rounding
SEEN = 1e-4  # width in x of the gap at a corner, from where on it counts


class Ranges(NamedTuple):
    """Every unstable range: the index of its row, both ends in t, and the rows' profile."""

    row: Any
    ends: Array
    t: Array
    mixing: Array


class Instability:
    """Unstable ranges of rows of a phase called `name`, which `where` names in messages.

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

    def potential(self, t: Array, *rows: Array) -> Array:
        """The diffusion potential of rows at t, over RT."""
        return t + self.at(t, rows)[..., 1]

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
            at = root(lambda t, *rows: self.at(t, rows)[..., 3], (a, c), some, 1e-9)[0]
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

    def switched(self, rows: Rows) -> tuple[Any, Array]:
        """Where a condition of the energy switches: row, and t on both sides, shape (2, n)."""
        if self.switches is None or rows[0].size == 0:
            return np.zeros(0, int), np.zeros((2, 0))
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
        order = np.lexsort((a, i))  # several conditions may switch at one point
        i, a, b = i[order], a[order], b[order]
        apart = np.ones(i.size, bool)
        apart[1:] = (np.diff(i) > 0) | (np.diff(a) > _APART)
        i, a, b = i[apart], a[apart], b[apart]
        # At the point itself no condition need hold.
        return i, np.array([a - _BESIDE, b + _BESIDE])

    def corners(self, rows: Rows) -> tuple[Any, Array, Array]:
        """Where the slope of G falls or G jumps: row, both sides in t, and the jump of G/RT."""
        i, sides = self.switched(rows)
        if i.size == 0:
            return i, sides, np.zeros(0)
        terms = self.at(sides, take(rows, i))
        slope, w = potentials(sides, terms)
        energy = w + expit(sides) * slope
        jump, rise = energy[1] - energy[0], slope[1] - slope[0]
        # Both bend G by a tie-line of about this width, were it the only one.
        spread = expit(sides[0]) * expit(-sides[0])
        bend = np.maximum(terms[..., 2].mean(axis=0), 0.01) / spread
        leap = np.maximum(np.abs(jump) - _LEAP, 0.0)
        width = np.maximum(-rise, 0.0) / bend + np.sqrt(2 * leap / bend)
        seen = width > SEEN
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
            i, j = np.nonzero(flags[:, 1:] != flags[:, :-1])
            bracket = t[i, j], t[i, j + 1]
            edges = root(lambda t, *r: self.at(t, r)[..., 2], bracket, take(rows, i))[0]
            i, ends = i[::2], edges.reshape(-1, 2).T
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
        broad = found.ends[1] - found.ends[0] > POINT
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


def potentials(t: Array, mixing: Array) -> tuple[Array, Array]:
    """Diffusion and grand potential at t over RT, f and w, from the mixing terms there."""
    return t + mixing[..., 1], log_expit(-t) + mixing[..., 0]


def _merged(row: Array, ends: Array) -> tuple[Any, Array]:
    """Ranges in the order of rows and compositions, those that touch made one."""
    order = np.lexsort((ends[0], row))
    row, (left, right) = row[order], ends[:, order]
    reach = np.maximum.accumulate(right + 1e3 * row)
    first = np.flatnonzero(np.append(True, left[1:] + 1e3 * row[1:] > reach[:-1] + 1e-7))
    return row[first], np.array([left[first], np.maximum.reduceat(right, first)])
