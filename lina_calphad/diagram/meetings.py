"""Where three phases coexist, two touch, or a gap closes: Newton's method, and derivatives.

Derivatives with respect to any number of a row are those of the implicit-function theorem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from lina_calphad.phase.critical import polish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lina_calphad.checks import Array, Flags
    from lina_calphad.diagram.phases import Phase
    from lina_calphad.phase.rows import Rows

    Which = int | NDArray[np.intp]

_STEPS = 30


def pure_energy(phase: Phase, side: float, rows: Rows) -> Array:
    """Energy over RT per mole of pure A (side -1) or pure B."""
    if phase.fixed:
        return phase.line(rows)[0]
    terms = phase.pure(side, rows)
    if side < 0:
        return terms[..., 0] / phase.origin[0]
    assert phase.change is not None
    energy: Array = (terms[..., 0] + terms[..., 1]) / (phase.origin[1] + phase.change[1])
    return energy


def slope_of(phase: Phase, t: Array, rows: Rows, which: Which) -> tuple[Array, Array]:
    """Change of s and of a + x s at fixed composition with one of the row's numbers."""
    h = _step(rows, which, 1e-5, 1e-3)
    both = zip(_moved(rows, which, h), _moved(rows, which, -h), strict=True)
    s, g, _ = (
        v.reshape(2, -1) for v in _at(phase, np.tile(t, 2), tuple(map(np.concatenate, both)))
    )
    return (s[0] - s[1]) / (2 * h), (g[0] - g[1]) / (2 * h)


def _step(rows: Rows, which: Which, share: float, least: float) -> Array:
    """By how much to move a number of each row."""
    value = np.abs(np.choose(which, rows) if np.ndim(which) else rows[which])
    step: Array = share * np.maximum(value, np.where(np.equal(which, 0), 1.0, least))
    return step


def _moved(rows: Rows, which: Which, step: Array) -> Rows:
    """Rows of which one number each is moved."""
    if np.ndim(which) == 0:
        return tuple(r + step if which == k else r for k, r in enumerate(rows))
    return tuple(np.where(np.equal(which, k), r + step, r) for k, r in enumerate(rows))


def meet(
    phases: Sequence[Phase], T: Array, t: Array, values: Rows = ()
) -> tuple[Array, Array, Array, Array, Flags]:
    """Where three phases coexist: T, t, s, a and whether Newton's method converged.

    To first order the energy above a tangent does not depend on t, so that T, s and a follow
    from three linear equations, and each t from s.
    """
    T, t = T.astype(float).copy(), t.copy()
    good = np.zeros(T.size, bool)
    s, a = np.zeros(T.size), np.zeros(T.size)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            rows = (T, *values)
            matrix, right = np.empty((T.size, 3, 3)), np.empty((T.size, 3))
            own: list[tuple[Array, Array, Array] | None] = []
            for k, phase in enumerate(phases):
                ds, dg = slope_of(phase, t[k], rows, 0)
                if phase.fixed:
                    g, x = phase.line(rows)
                    own.append(None)
                else:
                    sk, ak, x, slope, _psi = phase.curve(t[k], rows)
                    g = ak + x * sk
                    own.append((sk, slope, ds))
                matrix[:, k, 0], matrix[:, k, 1], matrix[:, k, 2] = 1.0, x, -dg
                right[:, k] = g
            singular = ~(np.abs(np.linalg.det(matrix)) > 1e-300)
            matrix[singular] = np.eye(3)
            a, s, change = np.linalg.solve(matrix, right[..., None])[..., 0].T
            limit = 0.1 * T
            change = np.clip(np.where(singular, np.nan, change), -limit, limit)
            size = np.abs(change) / T
            for k, part in enumerate(own):
                if part is not None:
                    step = (s - part[0] - part[2] * change) / part[1]
                    t[k] += np.clip(step, -1.5, 1.5)
                    size = np.maximum(size, np.abs(step))
            T = T + change
            good = size < 1e-9
            if np.all(good | np.isnan(size)):
                break
    return T, t, s, a, good


def touch(
    one: Phase, two: Phase, T: Array, t: Array, values: Rows = ()
) -> tuple[Array, Array, Array, Flags]:
    """Where two phases have one energy and one slope at the same composition: T and both t.

    And whether Newton's method converged. t is a start of the first, unless one is a compound.
    """
    T, good = T.astype(float).copy(), np.zeros(T.size, bool)
    fixed = one if one.fixed else two if two.fixed else None
    with np.errstate(all="ignore"):
        at = [phase.place((fixed or one).logs(t)) if not phase.fixed else t * np.nan
              for phase in (one, two)]  # fmt: skip
        for _ in range(_STEPS):
            rows = (T, *values)
            (s1, g1, _), (s2, g2, _) = (
                _at(p, u, rows) for p, u in zip((one, two), at, strict=True)
            )
            (p1, q1), (p2, q2) = (
                slope_of(p, u, rows, 0) for p, u in zip((one, two), at, strict=True)
            )
            if fixed:
                step, change = np.zeros_like(T), (g1 - g2) / (q2 - q1)
            else:
                bend = two.curve(at[1], rows)[3] / two.dx(at[1])
                bend = bend - one.curve(at[0], rows)[3] / one.dx(at[0])
                det = (s2 - s1) * (p2 - p1) - bend * (q2 - q1)
                dx = ((g1 - g2) * (p2 - p1) + (s2 - s1) * (q2 - q1)) / det
                change = (bend * (g2 - g1) - (s2 - s1) ** 2) / det
                step = np.clip(dx / one.dx(at[0]), -1, 1)
                at[0] = at[0] + step
                at[1] = two.place(one.logs(at[0]))
            T = T + np.clip(change, -0.1 * T, 0.1 * T)
            good = (np.abs(step) < 1e-9) & (np.abs(change) < 1e-10 * T)
            if np.all(good | np.isnan(change)):
                break
    ends = [np.isfinite(u) | phase.fixed for phase, u in zip((one, two), at, strict=True)]
    return T, at[0], at[1], good & ends[0] & ends[1]


def critical(phase: Phase, T: Array, t: Array, values: Rows = ()) -> tuple[Array, Array, Flags]:
    """Where psi and its slope vanish together: T, t and whether Newton's method converged."""
    T, t, _, good = polish(phase.gap, T, t, values)
    return T, t, good


def at_composition(phase: Phase, x: float) -> float:
    """T of a solution at a mole fraction of B."""
    return float(phase.place((np.log1p(-x), np.log(x))))


def _at(phase: Phase, t: Array, rows: Rows) -> tuple[Array, Array, Array]:
    """s, energy over RT and x; a compound has any s."""
    if phase.fixed:
        g, x = phase.line(rows)
        return np.zeros_like(g), g, x
    s, a, x, *_ = phase.curve(t, rows)
    return s, a + x * s, x


def line_slopes(phases: Sequence[Phase], t: Array, rows: Rows, which: Which) -> Array:
    """dt/dp of both ends of tie-lines, shape (2, n), with the number `which` of their rows.

    `which` may differ from row to row, here and below: one row for each derivative.
    With s and a of the tie-line: dG_k = da + x_k ds at either end, and ds_k = ds.
    """
    own = [_state(phase, t[k], rows, which) for k, phase in enumerate(phases)]
    (x1, g1), (x2, g2) = ((state[0], state[3]) for state in own)
    with np.errstate(divide="ignore", invalid="ignore"):
        ds = (g2 - g1) / (x2 - x1)
        return np.array([(ds - state[2]) / state[1] for state in own])


def meeting_slopes(
    phases: Sequence[Phase], T: Array, t: Array, values: Rows, which: Which
) -> tuple[Array, Array]:
    """dT/dp, and dt/dp of the three phases, shape (3, n), of three-phase equilibria."""
    rows = (T, *values)
    matrix, right = np.empty((T.size, 3, 3)), np.empty((T.size, 3))
    own = []
    for k, phase in enumerate(phases):
        warm = _state(phase, t[k], rows, 0)
        state = _state(phase, t[k], rows, which)
        matrix[:, k] = np.stack([np.ones_like(T), warm[0], -warm[3]], -1)
        right[:, k] = state[3]
        own.append((warm, state))
    _, ds, dT_ = np.linalg.solve(matrix, right[..., None])[..., 0].T
    return dT_, np.array([(ds - w[2] * dT_ - p[2]) / p[1] for w, p in own])


def critical_slopes(
    phase: Phase, T: Array, t: Array, values: Rows, which: Which
) -> tuple[Array, Array]:
    """dT/dp and dt/dp of critical points."""

    def psi(t: Array, rows: Rows) -> Array:
        terms: Array = phase.terms(rows[0], expit(t), *rows[1:])[..., 2:]
        return terms

    rows, h = (T, *values), 1e-4
    slope = psi(t, rows)[..., 1]
    bend = (psi(t + h, rows)[..., 1] - psi(t - h, rows)[..., 1]) / (2 * h)
    change = []
    for number in (0, which):
        step = _step(rows, number, 1e-6, 1.0)
        up, down = (psi(t, _moved(rows, number, sign * step)) for sign in (1, -1))
        change.append((up - down) / (2 * step[:, None]))
    (psi_T, slope_T), (psi_p, slope_p) = (c.T for c in change)
    det = slope * slope_T - psi_T * bend
    return (bend * psi_p - slope * slope_p) / det, (slope_p * psi_T - psi_p * slope_T) / det


def _state(phase: Phase, t: Array, rows: Rows, which: Which) -> tuple[Array, Array, Array, Array]:
    """x, ds/dt, and the changes of s and of the energy with a number of the rows."""
    ds, dg = slope_of(phase, t, rows, which)
    if phase.fixed:
        _, x = phase.line(rows)
        nothing = np.full(dg.shape, np.nan)
        return x, nothing, ds, dg
    _, _, x, slope, _ = phase.curve(t, rows)
    return x, slope, ds, dg
