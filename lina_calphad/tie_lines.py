"""Tie-lines and spinodals of many rows at once: safe by bracketing, fast by Newton's method.

A row is one tie-line to find. The solver never looks into what tells the rows apart, be it
their temperatures or the numbers of draws of parameters: it hands them to `Mixing`. See
`lina_calphad.gap` for the unknowns t and what the functions of them are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import expit, log_expit

from lina_calphad.errors import NotConverged, SeveralMiscibilityGaps
from lina_calphad.instability import Mixing, unstable_intervals
from lina_calphad.roots import bracketed_root, newton

if TYPE_CHECKING:
    from collections.abc import Callable

    from lina_calphad.curves import Array, Flags, Rows
    from lina_calphad.gap import MiscibilityGap

_NARROW = 0.5  # width of a gap in t below which differences are integrated instead
_LANDAU = 5e-3  # half the width in t of a spinodal below which the binodal is wider by sqrt(3)
_NEAR = 1 - 1e-5  # of the critical temperature, from where a similar gap is no start
_ROWS_AT_ONCE = 20_000
_SAFE_ROWS_AT_ONCE = 2_000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


class TieLines:
    """Solver for the one gap of each row.

    Parameters
    ----------
    mixing
        The non-ideal part of the Gibbs energy; see `Mixing`.
    name
        What to call the phase in messages.
    where
        What to call rows in messages, such as "300 K".
    """

    def __init__(self, mixing: Mixing, name: str, where: Callable[[Array], str]) -> None:
        self._mixing = mixing
        self._name = name
        self._where = where

    def _at(self, t: Array, state: Array) -> Array:
        return self._mixing(state, expit(t))

    def _potential(self, t: Array, state: Array) -> Array:
        """The diffusion potential over RT, but for a constant."""
        potential: Array = t + self._at(t, state)[..., 1]
        return potential

    def _grand_potential(self, t: Array, state: Array) -> Array:
        omega: Array = log_expit(-t) + self._at(t, state)[..., 0]
        return omega

    def scan(self, state: Array) -> tuple[Array, Flags]:
        """The one unstable interval of each row, and where there is one."""
        rows, ends = unstable_intervals(self._mixing, state, self._name, self._where)
        count = np.bincount(rows, minlength=state.size)
        if (count > 1).any():
            row = int(np.argmax(count > 1))
            ranges = [f"{a:.6g} to {b:.6g}" for a, b in expit(ends[:, rows == row]).T]
            msg = (
                f"{self._name} has {count[row]} separate ranges of instability at "
                f"{self._where(state[row : row + 1])}: x = {' and '.join(ranges)}"
            )
            raise SeveralMiscibilityGaps(msg)
        t = np.full((2, state.size), np.nan)
        t[:, rows] = ends
        return t, count == 1

    def tie_line(self, state: Array) -> tuple[Array, Flags]:
        """The tie-line of each row by bracketing, and where there is one."""
        t, found = self.scan(state)
        if found.any():
            t[:, found] = self.around(t[:, found], state[found])
        return t, found

    def around(self, spinodal: Array, state: Array) -> Array:
        """The tie-line around each unstable interval."""
        # A rough start is enough for Newton's method.
        start = self._bracket(state, spinodal, 1e-9)[0]
        # Of the narrowest gaps a bracket says little, and Landau's expansion all.
        middle, half = spinodal.mean(0), (spinodal[1] - spinodal[0]) / 2
        landau = middle + np.sqrt(3) * np.stack([-half, half])
        start = np.where(half < _LANDAU, landau, start)
        ends, good = newton(self.binodal_step, state, start)
        if not good.all():
            # It can cycle about a kink, as at a Curie temperature; bracketing cannot.
            ends[:, ~good], good[~good] = self._bracket(state[~good], spinodal[:, ~good], 1e-15)
        if not good.all():
            msg = f"{self._name}: the tie-line did not converge at {self._where(state[~good])}"
            raise NotConverged(msg)
        if not ((ends[0] <= spinodal[0]) & (ends[1] >= spinodal[1])).all():
            msg = f"{self._name}: a tie-line ended inside its spinodal at {self._where(state)}"
            raise NotConverged(msg)
        return ends

    def _bracket(self, state: Array, spinodal: Array, tolerance: float) -> tuple[Array, Flags]:
        """Tie-lines around unstable intervals, and where bracketing converged.

        On each stable branch t is a monotone function of the diffusion potential,
        and the difference of the grand potentials is monotone in it.
        """
        left, right = spinodal
        high, low = self._potential(left, state), self._potential(right, state)
        ends = (
            self._beyond(left, low, state, -1),
            left,
            right,
            self._beyond(right, high, state, +1),
        )

        def branch(mu: Array, state: Array, a: Array, b: Array) -> Array:
            def above(t: Array, state: Array, mu: Array) -> Array:
                return self._potential(t, state) - mu

            return bracketed_root(above, (a, b), state, mu)[0]

        def difference(share: Array, state: Array, low: Array, high: Array, *ends: Array) -> Array:
            mu = low + share * (high - low)
            alpha, beta = branch(mu, state, *ends[:2]), branch(mu, state, *ends[2:])
            return self._grand_potential(alpha, state) - self._grand_potential(beta, state)

        # Its unknown is a share of the bracket, which is tiny near the critical point.
        whole = np.zeros_like(state), np.ones_like(state)
        share, converged = bracketed_root(
            difference, whole, state, low, high, *ends, tolerance=tolerance
        )
        mu = low + share * (high - low)
        return np.array([branch(mu, state, *ends[:2]), branch(mu, state, *ends[2:])]), converged

    def _beyond(self, t: Array, mu: Array, state: Array, sign: int) -> Array:
        """A t from which on the diffusion potential has passed `mu`."""
        for doubling in range(60):
            t = t + sign * 2.0**doubling
            if np.all(sign * (self._potential(t, state) - mu) > 0):
                return t
        msg = f"{self._name}: the diffusion potential does not diverge at {self._where(state)}"
        raise NotConverged(msg)

    def spinodal_step(self, t: Array, state: Array) -> tuple[Array, Flags]:
        """Newton step in both logits, and where both are on their side of the unstable range."""
        mixing = self._at(t, state)
        slope = mixing[..., 3]
        return -mixing[..., 2] / slope, (slope[0] < 0) & (slope[1] > 0)

    def binodal_step(self, t: Array, state: Array) -> tuple[Array, Flags]:
        """Newton step in both logits, and where both ends are stable.

        With f the potential and w the grand potential of each branch, df = psi dt
        and dw = -x psi dt, so that the 2 x 2 system solves itself.
        """
        x = expit(t)
        mixing = self._mixing(state, x)
        psi = mixing[..., 2]
        f, w = t + mixing[..., 1], log_expit(-t) + mixing[..., 0]
        width = x[1] - x[0]
        step = (w[1] - w[0] + x[::-1] * (f[1] - f[0])) / width
        narrow = t[1] - t[0] < _NARROW
        if narrow.any():
            self._refine(step, np.flatnonzero(narrow), x[0], width, state)
        return step / psi, (psi > 0).all(0) & (width > 0)

    def _refine(self, step: Array, narrow: Rows, left: Array, width: Array, state: Array) -> None:
        """Newton steps of narrow gaps with the digits that differences lose.

        Near the critical point those vanish as the third and fourth power of the
        width; they are integrals of G'' over the gap.
        """
        width = width[narrow]
        x = left[narrow, None] + width[:, None] * _NODES
        psi = self._mixing(state[narrow, None], x)[..., 2]
        share = psi / (x * (1 - x)) * width[:, None] * _WEIGHTS
        integral = np.array([share @ (1 - _NODES), -share @ _NODES])
        # A kink inside the gap spoils the quadrature, and shows as a difference.
        smooth = np.abs(integral - step[:, narrow]).max(0) * width < 1e-12
        step[:, narrow[smooth]] = integral[:, smooth]


def similar_tie_lines(
    curve: Literal["binodal", "spinodal"],
    lines: TieLines,
    gap: MiscibilityGap,
    ratio: Array,
    several: Flags,
) -> Array:
    """Both logits of every row from the gap of a similar solution; NaN where there is none.

    `ratio` is that of each temperature to the critical one of its row; rows that may have
    `several` gaps take the safe route.
    """
    step, safe = lines.binodal_step, lines.tie_line
    if curve == "spinodal":
        step, safe = lines.spinodal_step, lines.scan
    t, good = np.full((2, ratio.size), np.nan), np.zeros(ratio.size, bool)
    number = np.arange(ratio.size, dtype=float)
    for start in range(0, ratio.size, _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        guess = gap.reduced(curve, ratio[some])
        if guess is not None:
            t[:, some], good[some] = newton(step, number[some], guess)
    rest = np.flatnonzero(~good | several | (ratio > _NEAR))
    for start in range(0, rest.size, _SAFE_ROWS_AT_ONCE):
        rows = rest[start : start + _SAFE_ROWS_AT_ONCE]
        t[:, rows], found = safe(number[rows])
        t[:, rows[~found]] = np.nan
    return t
