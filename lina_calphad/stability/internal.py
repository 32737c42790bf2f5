"""Site fractions of a phase at a given composition: G is least in its internal freedom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lina_calphad.checks import Array, Flags
from lina_calphad.errors import NotConverged
from lina_calphad.phase.energy import R
from lina_calphad.stability.hessian import SiteEnergy

_STARTS = 9  # the first is without order
_EMPTY = 1e-3  # atoms a site: less is no phase but vacancies, which some descriptions allow
_ROUNDS = 100
_ROUNDING = 1e-9


def site_fractions(
    energy: SiteEnergy, T: Array, x: Array, pressure: float = 101325.0,
    values: Sequence[float] = (), *, strict: bool = True,
) -> Array:  # fmt: skip
    """Site fractions (..., n) at mole fractions x (..., c) of all elements.

    Raises
    ------
    ValueError
        If the phase cannot have this composition, and `strict`; else it is NaN there.
    NotConverged
        If its internal equilibrium is not found.
    """
    # Where each element sits on one full sublattice, they are the mole fractions.
    if len(energy.sublattices) == 1 and not energy.fixed.any():
        order = [next(iter(y.species.constituents), "") for y in energy.variables]
        if sorted(order) == sorted(energy.elements) and not energy.freedom:
            return np.asarray(x)[..., [energy.elements.index(name) for name in order]]
    shape = x.shape[:-1]
    T, x = np.broadcast_to(T, shape).reshape(-1), x.reshape(-1, x.shape[-1])
    # (M - x 1 M) y = x n0 - n0 and sublattices are full.
    moles, full = energy.moles - x[..., None] * energy.moles.sum(axis=0), energy.sublattices
    left = np.concatenate([moles, np.broadcast_to(full, (len(x), *full.shape))], axis=1)
    if energy._charge.any():
        charge = np.broadcast_to(energy._charge, (len(x), 1, full.shape[1]))
        left = np.concatenate([left, charge], axis=1)
    right = np.zeros(left.shape[:2])
    right[:, : x.shape[1]] = x * energy.fixed.sum() - energy.fixed
    right[:, x.shape[1] : x.shape[1] + len(full)] = 1.0
    if not energy.freedom:
        y = (np.linalg.pinv(left, rtol=1e-10) @ right[..., None])[..., 0]
    else:
        y = _relaxed(energy, T, left, right, pressure, values)
    off = np.abs((left @ y[..., None])[..., 0] - right).max(axis=-1)
    wrong = (off > _ROUNDING) | (y.min(axis=-1) < -_ROUNDING)
    if wrong.any() and strict:
        names = zip(energy.elements, x[wrong][0], strict=True)
        text = ", ".join(f"x({name}) = {value:.6g}" for name, value in names)
        raise ValueError(f"{energy.phase} cannot have the composition {text}")
    y = np.where(wrong[:, None], np.nan, np.clip(y, 0.0, 1.0))
    return y.reshape(*shape, -1)


def _relaxed(
    energy: SiteEnergy, T: Array, left: Array, right: Array, pressure: float,
    values: Sequence[float],
) -> Array:  # fmt: skip
    """Of several starts the one that ends with the least G per mole of atoms."""
    rng = np.random.default_rng(1)
    best = np.full((len(T), left.shape[2]), 1.0)
    # An ideal solution does not know the temperature.
    compositions = left.reshape(len(left), -1)
    _, once, back = np.unique(compositions, axis=0, return_index=True, return_inverse=True)
    least, done = np.full(len(T), np.inf), np.zeros(len(T), dtype=bool)
    for start in range(_STARTS):
        bias = np.array(5.0 if start else 0.0) * rng.standard_normal(left.shape[2])
        y = _ideal(energy, bias, left[once], right[once])[back.reshape(-1)]
        if start == 0:  # some compositions cannot be
            there = np.abs((left @ y[..., None])[..., 0] - right).max(axis=-1) < _ROUNDING
            if not there.all():
                if there.any():
                    some = energy, T[there], left[there], right[there], pressure, values
                    y[there] = _relaxed(*some)
                return y
        y, G, settled = _descend(energy, T, y, left, pressure, values)
        atoms = energy.fixed.sum() + y @ energy.moles.sum(axis=0)
        good = settled & (atoms > _EMPTY * energy.sites.sum())
        better = good & (least - G > 1e-9)
        best[better], least[better] = y[better], G[better]
        done |= good
    if not done.all():
        raise NotConverged(
            f"the internal equilibrium of {energy.phase} at {T[~done][0]:g} K did not converge"
        )
    return best


def _ideal(energy: SiteEnergy, bias: Array, left: Array, right: Array) -> Array:
    """Site fractions of an ideal solution of end members of these energies over RT."""
    y = np.broadcast_to(1.0 / energy.sublattices.sum(axis=1) @ energy.sublattices, left.shape[::2])
    for _ in range(_ROUNDS):
        scale = np.sqrt(y / energy.sites)
        rows = left * scale[:, None, :]
        inverse = np.linalg.pinv(rows, rtol=1e-10)
        force = -scale * (energy.sites * np.log(y) + bias * energy.sites)
        miss = right - (left @ y[..., None])[..., 0]
        back = inverse @ (miss - (rows @ force[..., None])[..., 0])[..., None]
        step = scale * (force + back[..., 0])
        y = _kept_positive(y, step)
        if np.abs(step).max() < 1e-12:
            break
    return y


def _descend(
    energy: SiteEnergy, T: Array, y: Array, left: Array, pressure: float, values: Sequence[float]
) -> tuple[Array, Array, Flags]:
    """Newton's method in the internal freedom, downhill; site fractions, G per atom, settled."""
    G, slope = _per_atom(energy, T, y, pressure, values)
    settled = np.zeros(len(y), dtype=bool)
    for _ in range(_ROUNDS):
        rows = np.flatnonzero(~settled)
        hessian, scale = energy.scaled_hessian(T[rows], y[rows], pressure, values)
        _, _, turned = np.linalg.svd(left[rows] * scale[:, None, :])
        inner = turned[:, -energy.freedom :].mT
        pull = (inner.mT @ (scale * slope[rows])[..., None])[..., 0]
        there = np.abs(pull).max(axis=-1) < 1e-10
        settled[rows[there]] = True
        if there.all():
            break
        bend, axes = np.linalg.eigh(inner.mT @ hessian @ inner)
        along = (axes.mT @ pull[..., None])[..., 0] / np.maximum(np.abs(bend), 1e-3)
        step = -scale * (inner @ (axes @ along[..., None]))[..., 0]
        rows, step = rows[~there], step[~there]
        for _ in range(30):
            new = _kept_positive(y[rows], step)
            higher, steeper = _per_atom(energy, T[rows], new, pressure, values)
            up = higher > G[rows] + 1e-12 * np.abs(G[rows])
            if not up.any():
                break
            step[up] /= 3
        y[rows], G[rows], slope[rows] = new, higher, steeper
    return y, G, settled


def _per_atom(
    energy: SiteEnergy, T: Array, y: Array, pressure: float, values: Sequence[float]
) -> tuple[Array, Array]:
    """G per mole of atoms over RT, and the derivatives of N times that at constant x."""
    G, slope = energy.gradient(T, y, pressure, values)
    total = energy.fixed.sum() + y @ energy.moles.sum(axis=0)
    g = G / total
    slope = (slope - g[:, None] * energy.moles.sum(axis=0)) / (R * T[:, None])
    return g / (R * T), slope


def _kept_positive(y: Array, step: Array) -> Array:
    worst = np.min(np.where(step < 0, -0.9 * y / np.where(step < 0, step, -1.0), 1.0), axis=-1)
    result: Array = y + np.minimum(worst, 1.0)[:, None] * step
    return result
