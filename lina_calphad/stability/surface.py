"""G of a phase above the triangle of three components: its grid, its tangent planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from lina_calphad.errors import UnsupportedPhase
from lina_calphad.phase.energy import R
from lina_calphad.stability.internal import site_fractions

if TYPE_CHECKING:
    from lina_calphad.checks import Array, Flags
    from lina_calphad.stability.internal import Known
    from lina_calphad.stability.solution import Solution

STEPS = 100  # of a grid along each side; the hull has twice as many where nothing is relaxed
_UNDER = 1e-9  # of G/RT under a tangent plane: rounding
_ROUNDS = 80
#: To Cartesian coordinates of the Gibbs triangle.
TO_PLANE = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])


def full(pair: Array) -> Array:
    """All three fractions from those of the second and third component."""
    pair = np.asarray(pair, dtype=float)
    whole = np.concatenate([1 - pair.sum(axis=-1, keepdims=True), pair], axis=-1)
    whole = np.clip(whole, 0.0, 1.0)
    result: Array = whole / whole.sum(axis=-1, keepdims=True)
    return result


def grid(steps: int = STEPS) -> tuple[Array, Flags]:
    """Second and third fractions of a grid over the triangle; which of a square lie in it."""
    i, j = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1), indexing="ij")
    inside = i + j <= steps
    return np.stack([i, j], axis=-1)[inside] / steps, inside


def distinct(points: Array) -> Array:
    """Points, or sets of points by their means, of which some are found twice."""
    means = points.mean(axis=1) if points.ndim > 2 else points
    kept: list[int] = []
    for i, mean in enumerate(means):
        if not kept or np.abs(means[kept] - mean).max(axis=1).min() > 1e-6:
            kept.append(i)
    return points[kept]


class Surface:
    """G of a mole of atoms over RT above the mole fractions of three components."""

    def __init__(self, solution: Solution, T: float) -> None:
        energy = solution.energy
        if len(solution.components) != 3 or energy.rank != 2:
            names = ", ".join(solution.components)
            raise UnsupportedPhase(f"{solution.phase} of {names} is no ternary solution")
        self.energy, self.T, self.pressure = energy, np.array(T), solution.pressure
        self._order = solution._order
        self._back = np.argsort(self._order)
        self._moles, self._fixed = energy.moles[self._back], energy.fixed[self._back]
        self.steps = STEPS if energy.freedom else 2 * STEPS
        self._known: Known | None = None
        x = full(grid(self.steps)[0])
        y = self.sites(x)
        there = ~np.isnan(y).any(axis=-1)
        self.x, self.y = x[there], y[there]
        self.height = self.value(self.y)
        self._known = cKDTree(self.x[:, self._order]), self.y

    def moles(self, y: Array) -> Array:
        """Moles of the components in a formula unit."""
        result: Array = self._fixed + y @ self._moles.T
        return result

    def fractions(self, y: Array) -> Array:
        """Mole fractions of the components."""
        moles = self.moles(y)
        result: Array = moles / moles.sum(axis=-1, keepdims=True)
        return result

    def sites(self, x: Array) -> Array:
        """Relaxed site fractions at mole fractions of the components; NaN where there are none."""
        x = np.asarray(x)[..., self._order]
        return site_fractions(
            self.energy, self.T, x, self.pressure, strict=False, known=self._known
        )

    def curvature(self, x: Array) -> tuple[Array, Array]:
        """The stability at mole fractions x, (...), and the direction of unmixing, (..., 3).

        NaN where there is no such composition, -1 where it would order.
        """
        y = self.sites(x)
        lost = np.asarray(np.isnan(y).any(axis=-1))
        found = self.energy.curvature(self.T, np.where(lost[..., None], 0.5, y), self.pressure)
        psi = np.where(np.isneginf(found.values[..., 0]), -1.0, found.values[..., 0])
        return np.where(lost, np.nan, psi), found.directions[..., self._back, 0]

    def value(self, y: Array) -> Array:
        """G of a mole of atoms over RT."""
        G = self.energy.gradient(self.T, y, self.pressure)[0] / (R * self.T)
        result: Array = G / self.moles(y).sum(axis=-1)
        return result

    def planes(self, x: Array) -> Array:
        """Potentials over RT of the components, (m, 3): where tangent planes meet the corners."""
        y = np.maximum(self.sites(x), 1e-300)
        G, slope = self.energy.gradient(self.T, y, self.pressure)
        a, full = self.energy.sites, self.energy.sublattices
        # At internal equilibrium dG/dy is the potentials' and the sublattices' share alone.
        weight = np.sqrt(y / a)[..., None]
        shares = weight * np.concatenate([self._moles.T, full.T], axis=1)
        whole = np.concatenate([self.moles(y), np.zeros((len(y), len(full)))], axis=-1)
        rows = np.concatenate([shares, whole[:, None]], axis=1)
        right = np.concatenate([weight * slope[..., None], G[:, None, None]], axis=1)
        result: Array = (np.linalg.pinv(rows) @ right)[:, :3, 0] / (R * self.T)
        return result

    def stable(self, planes: Array) -> Flags:
        """Whether no point of the grid lies under each tangent plane."""
        return np.array([(self.height - self.x @ plane).min() > -_UNDER for plane in planes], bool)

    def tangent(self, x: Array, y: Array | None = None) -> tuple[Array, Array, Flags]:
        """Phases with one tangent plane, from guesses x (b, p, 3) of two or three.

        Mole fractions, planes (b, 3), and which converged. Newton's method in the logarithms of
        all site fractions, which begin as y; of two phases the mean moves along the tie-line.
        """
        energy = self.energy
        a, full = energy.sites, energy.sublattices
        k, n = full.shape
        y = self.sites(x) if y is None else y
        across = np.cross(np.ones(3), x[:, 1] - x[:, 0])[:, None][:, : int(x.shape[1] == 2)]
        x, planes = x.copy(), np.zeros((len(x), 3))
        aim = across @ x.mean(axis=1)[..., None]
        done = np.zeros(len(x), dtype=bool)
        rows = np.flatnonzero(~np.isnan(y).any(axis=(1, 2)))
        y = np.maximum(y, 1e-9)
        y /= y @ full.T @ full
        # dG/dy_i = moles_i @ plane + a_i * (what its sublattice costs), of logarithms of y.
        matrix = np.zeros((*y.shape[:2], n + k, n + k))
        matrix[..., :n, n:] = -1.0 * full.T
        right = np.zeros((*y.shape[:2], n + k, 4))
        right[..., :n, 1:] = (self._moles / a).T
        for _ in range(_ROUNDS):
            at = y[rows]
            G, slope = energy.gradient(self.T, at, self.pressure)
            hessian, _ = energy.scaled_hessian(self.T, at, self.pressure)
            root = np.sqrt(a * at)
            matrix[rows, :, :n, :n] = hessian * (root[..., None, :] / root[..., :, None])
            matrix[rows, :, n:, :n] = full * at[..., None, :]
            right[rows, :, :n, 0] = -slope / (R * self.T * a)
            change = _solve(matrix[rows], right[rows])[..., :n, :]
            moles = self.moles(at)
            total = moles.sum(axis=-1, keepdims=True)
            x[rows] = moles / total
            flow = self._moles - x[rows][..., None] * self._moles.sum(axis=0)
            flow = across[rows][:, None] @ (flow * (at / total)[..., None, :]) @ change
            flow = flow.mean(axis=1)
            left = aim[rows][..., 0] - (across[rows] @ x[rows].mean(axis=1)[..., None])[..., 0]
            level = np.concatenate([moles, flow[..., 1:]], axis=1)
            height = np.concatenate([G / (R * self.T), left - flow[..., 0]], axis=1)
            scale = np.abs(level).max(axis=-1, keepdims=True).clip(1e-300)
            inverse = np.linalg.pinv(level / scale, rtol=1e-13)
            planes[rows] = (inverse @ (height[..., None] / scale))[..., 0]
            step = change[..., 0] + (change[..., 1:] @ planes[rows][:, None, :, None])[..., 0]
            miss = np.abs(matrix[rows, :, :n, :n] @ step[..., None]).max(axis=(1, 2, 3))
            done[rows] = np.maximum(miss, np.abs(left).max(axis=-1, initial=0.0)) < 1e-10
            step /= np.abs(step).max(axis=(1, 2), keepdims=True).clip(1.0)
            at = np.maximum(at * np.exp(step), 1e-300)
            y[rows] = at / (at @ full.T @ full)
            x[rows] = self.fractions(y[rows])
            rows = rows[~done[rows]]
            if not rows.size:
                break
        return x, planes, done


def _solve(matrix: Array, right: Array) -> Array:
    try:
        found = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:  # a point on a spinodal, exactly
        found = np.linalg.pinv(matrix) @ right
    return np.asarray(found, dtype=float)
