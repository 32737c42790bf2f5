"""Where three phases coexist, two touch, or a gap closes: Newton's method, and derivatives.

Derivatives with respect to any number of a row are those of the implicit-function theorem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


class _State(NamedTuple):
    """A phase at a point: s, energy, x, ds/dt, and how s and the energy change with a number."""

    s: Array
    g: Array
    x: Array
    slope: Array
    ds: Array
    dg: Array

    @classmethod
    def of(cls, phase: Phase, t: Array, rows: Rows, which: Which) -> _State:
        """The changes are at fixed composition; a compound has any s."""
        h = _step(rows, which, 1e-5, 1e-3)
        moved = zip(rows, _moved(rows, which, h), _moved(rows, which, -h), strict=True)
        # One call for all three: most are of a single row.
        three = tuple(np.concatenate(each) for each in moved)
        if phase.fixed:
            g, x = phase.line(three)
            s, slope = np.zeros_like(g), np.full_like(g, np.nan)
        else:
            s, a, x, slope, _ = phase.curve(np.tile(t, 3), three)
            g = a + x * s
        s, g, x, slope = (v.reshape(3, -1) for v in (s, g, x, slope))
        return cls(s[0], g[0], x[0], slope[0], (s[1] - s[2]) / (2 * h), (g[1] - g[2]) / (2 * h))


def _common(states: Sequence[_State], right: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Changes of a, s and T of three phases on one tangent; NaN where they do not follow."""
    matrix = np.stack(
        [np.stack([np.ones_like(own.x), own.x, -own.dg], axis=-1) for own in states], axis=1
    )
    singular = ~(np.abs(np.linalg.det(matrix)) > 1e-300)
    matrix[singular] = np.eye(3)
    found = np.linalg.solve(matrix, np.stack(right, axis=-1)[..., None])[..., 0].T
    found[:, singular] = np.nan
    return found[0], found[1], found[2]


def solved(
    kind: str, phases: Sequence[Phase], T: Array, t: Array, values: Rows = ()
) -> tuple[Array, Array, Array, Array, Flags]:
    """Where something happens: T, t of the phases, s, a and whether Newton's method converged.

    Of a kind of `lina_calphad.diagram.tracing.Event` but a transition, from starts of T, shape
    (n,), and t, shape (phases, n): three phases meet, the gap of one closes, or two touch.
    """
    with np.errstate(all="ignore"):
        if kind == "three-phase":
            return _meet(phases, T.astype(float), t.copy(), values)
        if kind == "critical":
            T, at, _, good = polish(phases[0].gap, T, t[0], values)
            t = at[None]
        else:
            T, t, good = _touch(phases, T.astype(float), t[0], values)
        k = int(phases[0].fixed)
        s, a, *_ = phases[k].curve(t[k], (T, *values))
    return T, t, s, a, good


def _meet(
    phases: Sequence[Phase], T: Array, t: Array, values: Rows
) -> tuple[Array, Array, Array, Array, Flags]:
    """Where three phases coexist.

    To first order the energy above a tangent does not depend on t, so that T, s and a follow
    from three linear equations, and each t from s.
    """
    for _ in range(_STEPS):
        own = [_State.of(phase, at, (T, *values), 0) for phase, at in zip(phases, t, strict=True)]
        a, s, change = _common(own, [state.g for state in own])
        change = np.clip(change, -0.1 * T, 0.1 * T)
        size = np.abs(change) / T
        for k, state in enumerate(own):
            if not phases[k].fixed:
                step = (s - state.s - state.ds * change) / state.slope
                t[k] += np.clip(step, -1.5, 1.5)
                size = np.maximum(size, np.abs(step))
        T = T + change
        good = size < 1e-9
        if np.all(good | np.isnan(size)):
            break
    return T, t, s, a, good


def _touch(phases: Sequence[Phase], T: Array, t: Array, values: Rows) -> tuple[Array, Array, Flags]:
    """Where two phases have one energy and one slope at the same composition.

    t is a start of the first, unless one is a compound.
    """
    one, two = phases
    fixed = one if one.fixed else two if two.fixed else None
    at = [t * np.nan if p.fixed else p.place((fixed or one).logs(t)) for p in phases]
    for _ in range(_STEPS):
        first, second = (_State.of(p, u, (T, *values), 0) for p, u in zip(phases, at, strict=True))
        s, g, _, _, ds, dg = (v - u for u, v in zip(first, second, strict=True))
        if fixed:
            step, change = np.zeros_like(T), -g / dg
        else:
            bend = second.slope / two.dx(at[1]) - first.slope / one.dx(at[0])
            det = s * ds - bend * dg
            step = np.clip((s * dg - g * ds) / det / one.dx(at[0]), -1, 1)
            change = (bend * g - s**2) / det
            at[0] = at[0] + step
            at[1] = two.place(one.logs(at[0]))
        T = T + np.clip(change, -0.1 * T, 0.1 * T)
        good = (np.abs(step) < 1e-9) & (np.abs(change) < 1e-10 * T)
        if np.all(good | np.isnan(change)):
            break
    for phase, end in zip(phases, at, strict=True):
        good &= np.isfinite(end) | phase.fixed
    return T, np.array(at), good


def at_composition(phase: Phase, x: float) -> float:
    """T of a solution at a mole fraction of B."""
    return float(phase.place((np.log1p(-x), np.log(x))))


def logit_slope(phase: Phase, t: Array) -> Array:
    """Derivative of ln(x/(1-x)) by ln(y/(1-y)) of a solution."""
    h = 1e-6
    (a, b), (c, d) = phase.logs(t + h), phase.logs(t - h)
    return (b - a - d + c) / (2 * h)


def slopes(
    kind: str, phases: Sequence[Phase], T: Array, t: Array, values: Rows, which: Which
) -> tuple[Array, Array]:
    """dT/dp and dt/dp, shape (phases, n), of what `solved` finds, or of tie-lines at a T."""
    if kind == "three-phase":
        return meeting_slopes(phases, T, t, values, which)
    if kind == "critical":
        dT, dt = critical_slopes(phases[0], T, t[0], values, which)
        return dT, dt[None]
    return np.zeros_like(T), line_slopes(phases, t, (T, *values), which)


def line_slopes(phases: Sequence[Phase], t: Array, rows: Rows, which: Which) -> Array:
    """dt/dp of both ends of tie-lines, shape (2, n), with the number `which` of their rows.

    `which` may differ from row to row, here and below: one row for each derivative.
    With s and a of the tie-line: dG_k = da + x_k ds at either end, and ds_k = ds.
    """
    one, two = (_State.of(phase, at, rows, which) for phase, at in zip(phases, t, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        ds = (two.dg - one.dg) / (two.x - one.x)
        return np.array([(ds - own.ds) / own.slope for own in (one, two)])


def meeting_slopes(
    phases: Sequence[Phase], T: Array, t: Array, values: Rows, which: Which
) -> tuple[Array, Array]:
    """dT/dp, and dt/dp of the three phases, shape (3, n), of three-phase equilibria."""
    warm, moved = (
        [_State.of(phase, at, (T, *values), number) for phase, at in zip(phases, t, strict=True)]
        for number in (0, which)
    )
    _, ds, dT = _common(warm, [own.dg for own in moved])
    return dT, np.array(
        [(ds - w.ds * dT - m.ds) / m.slope for w, m in zip(warm, moved, strict=True)]
    )


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
