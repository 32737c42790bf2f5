"""Site fractions of a phase at a given composition: G is least in its internal freedom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lina_calphad.checks import Array, Flags
from lina_calphad.errors import NotConverged
from lina_calphad.phase.energy import R
from lina_calphad.stability.hessian import SiteEnergy

Numbers = NDArray[np.integer]
Known = tuple[cKDTree, Array]  # of mole fractions, and the site fractions there

_STARTS = 9  # the first is without order
_LEADERS = 200  # points with all of them; of more, the others follow their nearest leaders
_NEAREST = 3
_EMPTY = 1e-3  # atoms a site: less is no phase but vacancies, which some descriptions allow
_ROUNDS = 100
_FITS = 40
_ROUNDING = 1e-9


def site_fractions(
    energy: SiteEnergy, T: Array, x: Array, pressure: float = 101325.0,
    values: Sequence[float] = (), *, strict: bool = True, known: Known | None = None,
) -> Array:  # fmt: skip
    """Site fractions (..., n) at mole fractions x (..., c) of all elements.

    They begin as those `known` of the nearest compositions at about the same temperature.

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
    if energy.freedom:
        alike = 1.0 / full.sum(axis=1) @ full
        y = _fitted(energy, np.broadcast_to(alike, left.shape[::2]), left, right)
    else:
        y = (np.linalg.pinv(left, rtol=1e-10) @ right[..., None])[..., 0]
    off = np.abs((left @ y[..., None])[..., 0] - right).max(axis=-1)
    wrong = ~((off <= _ROUNDING) & (y.min(axis=-1) >= -_ROUNDING))  # or not a number
    if wrong.any() and strict:
        names = zip(energy.elements, x[wrong][0], strict=True)
        text = ", ".join(f"x({name}) = {value:.6g}" for name, value in names)
        raise ValueError(f"{energy.phase} cannot have the composition {text}")
    there = ~wrong
    if energy.freedom and there.any():
        some = T[there], x[there], y[there], left[there], right[there]
        y[there] = _relaxed(energy, *some, pressure, values, known)
    y = np.where(wrong[:, None], np.nan, np.clip(y, 0.0, 1.0))
    return y.reshape(*shape, full.shape[1])


def _relaxed(
    energy: SiteEnergy, T: Array, x: Array, y: Array, left: Array, right: Array, pressure: float,
    values: Sequence[float], known: Known | None,
) -> Array:  # fmt: skip
    """Of several starts, the first of which is y, the end with the least G per mole of atoms."""
    best, least = np.empty_like(y), np.full(len(T), np.inf)
    held = np.linalg.svd(left)[2][:, : -energy.freedom]  # what composition says, once

    def descend(rows: Numbers, start: Array) -> None:
        end, G, settled = _descend(energy, T[rows], start, held[rows], pressure, values)
        atoms = energy.fixed.sum() + end @ energy.moles.sum(axis=0)
        good = settled & (atoms > _EMPTY * energy.sites.sum()) & (least[rows] - G > 1e-9)
        best[rows[good]], least[rows[good]] = end[good], G[good]

    def check(rows: Numbers) -> None:
        if (lost := np.isinf(least[rows])).any():
            raise NotConverged(
                f"the internal equilibrium of {energy.phase} at {T[rows][lost][0]:g} K did not "
                "converge"
            )

    place, followers = x, np.arange(len(T))
    if known is None:
        place = np.column_stack([x, np.log(T)])
        leaders = np.unique(np.linspace(0, len(T) - 1, _LEADERS).astype(int))
        descend(followers, y.copy())
        for bias in 5.0 * np.random.default_rng(1).standard_normal((_STARTS - 1, y.shape[1])):
            start = np.exp(bias) / (np.exp(bias) @ energy.sublattices.T @ energy.sublattices)
            start = np.broadcast_to(start, (len(leaders), len(bias)))
            descend(leaders, _fitted(energy, start, left[leaders], right[leaders]))
        check(leaders)
        followers = np.setdiff1d(followers, leaders)
        known = cKDTree(place[leaders]), best[leaders]
    if followers.size:
        tree, states = known
        _, nearest = tree.query(place[followers], np.arange(min(_NEAREST, tree.n)) + 1)
        for k in np.asarray(nearest).T:
            descend(followers, _fitted(energy, states[k], left[followers], right[followers]))
        check(followers)
    return best


def _fitted(energy: SiteEnergy, y: Array, left: Array, right: Array) -> Array:
    """Positive site fractions near y that have the composition; others where there are none."""
    y = np.maximum(y, 1e-15)
    rows = np.arange(len(y))
    for _ in range(_FITS):
        miss = right[rows] - (left[rows] @ y[rows][..., None])[..., 0]
        off = np.abs(miss).max(axis=-1) > 1e-13
        rows, miss = rows[off], miss[off]
        if not rows.size:
            break
        scale = np.sqrt(y[rows] / energy.sites)
        back = np.linalg.pinv(left[rows] * scale[:, None, :], rtol=1e-10) @ miss[..., None]
        y[rows] = np.maximum(y[rows] + scale * back[..., 0], y[rows] / 10)
    return y


def _descend(
    energy: SiteEnergy, T: Array, y: Array, held: Array, pressure: float, values: Sequence[float]
) -> tuple[Array, Array, Flags]:
    """Newton's method in the internal freedom, downhill; site fractions, G per atom, settled."""
    G, slope = _per_atom(energy, T, y, pressure, values)
    settled = np.zeros(len(y), dtype=bool)
    for _ in range(_ROUNDS):
        rows = np.flatnonzero(~settled)
        hessian, scale = energy.scaled_hessian(T[rows], y[rows], pressure, values)
        turned, _ = np.linalg.qr((held[rows] * scale[:, None, :]).mT, mode="complete")
        inner = turned[..., -energy.freedom :]
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
