"""Where a binary solution is unstable: every range of composition with psi < 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize.elementwise import find_minimum
from scipy.special import expit, logit

from lina_calphad.curves import Array, Rows
from lina_calphad.errors import NotConverged
from lina_calphad.roots import bracketed_root

#: Mixing(state, x) returns r - x r', r', psi and d psi/dt on a last axis behind those of x, to
#: which the state, such as the temperature, broadcasts; see `lina_calphad.gap` for r, t and psi.
Mixing = Callable[[Array, Array], Array]

#: The t at which psi is looked at.
# Tails fine enough that psi changes little from point to point, and in the middle
# steps of 0.005 in x, to see the narrow features that magnetism makes.
_TAIL = np.arange(5.5, 30.0, 0.25)
SCAN = np.concatenate([-_TAIL[::-1], logit(np.arange(0.005, 0.9975, 0.005)), _TAIL])


def unstable_intervals(
    mixing: Mixing, state: Array, name: str, where: Callable[[Array], str]
) -> tuple[Rows, Array]:
    """Every unstable interval: the index of its row and its two ends in t."""
    t, psi = profile(mixing, state)
    unstable = psi < 0
    if unstable[:, [0, -1]].any():
        bad = unstable[:, [0, -1]].any(axis=1)
        msg = f"{name} is unstable beyond x = {expit(SCAN[0]):.0e} at {where(state[bad])}"
        raise NotConverged(msg)

    def stability(t: Array, state: Array) -> Array:
        return mixing(state, expit(t))[..., 2]

    ends = []
    rows = np.zeros(0, np.intp)
    for edge in (unstable[:, 1:] & ~unstable[:, :-1], ~unstable[:, 1:] & unstable[:, :-1]):
        rows, columns = np.nonzero(edge)
        if rows.size == 0:
            return rows, np.zeros((2, 0))
        bracket = (t[rows, columns], t[rows, columns + 1])
        ends.append(bracketed_root(stability, bracket, state[rows])[0])
    return rows, np.array(ends)


def profile(mixing: Mixing, state: Array) -> tuple[Array, Array]:
    """Return t and psi on the scan, with every extremum of psi moved to its true place."""

    def slope(t: Array, state: Array) -> Array:
        return mixing(state, expit(t))[..., 3]

    t = np.tile(SCAN, (state.size, 1))
    psi = mixing(state[:, None], expit(t))[..., 2]
    rise = np.diff(psi, axis=1)
    # A maximum matters only inside an unstable range, a minimum only outside one.
    turn = rise[:, :-1] * rise[:, 1:] < 0
    matters = np.where(rise[:, 1:] > 0, psi[:, 1:-1] > 0, psi[:, 1:-1] < 0)
    rows, columns = np.nonzero(turn & matters)
    if rows.size:
        state, sign = state[rows], np.where(psi[rows, columns + 1] > 0, 1.0, -1.0)
        a, b, c = (t[rows, columns + i] for i in range(3))
        at = bracketed_root(slope, (a, c), state)[0]
        value = mixing(state, expit(at))[..., 2]
        # A kink or a jump of psi, as at a Curie temperature, has no root of the
        # slope: there, or where the root is no better, close in on the extremum.
        kink = np.flatnonzero(~(sign * value <= sign * psi[rows, columns + 1]))
        if kink.size:
            at[kink], value[kink] = _kink(mixing, *(q[kink] for q in (a, b, c, state, sign)))
        t[rows, columns + 1] = at
        psi[rows, columns + 1] = value
    return t, psi


def _kink(
    mixing: Mixing, a: Array, b: Array, c: Array, state: Array, sign: Array
) -> tuple[Array, Array]:
    """Extremum of psi between a and c, by bracketing alone."""

    def upright(t: Array, state: Array, sign: Array) -> Array:
        return sign * mixing(state, expit(t))[..., 2]

    with np.errstate(invalid="ignore"):
        best = find_minimum(upright, (a, b, c), args=(state, sign))
    return best.x, sign * best.f_x
