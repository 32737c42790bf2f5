"""The energy of a phase in its site fractions, its exact Hessian, and stability from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pycalphad import Model

from lina_calphad.checks import Array
from lina_calphad.errors import UnsupportedPhase
from lina_calphad.phase.energy import Compiled, P, PhaseEnergy, R

FLOOR = 1e-300  # of site fractions; what is left out is beyond the range of floats


@dataclass(frozen=True)
class Curvature:
    r"""Curvature of G in composition, in units of that of an ideal solution.

    The eigenvalues are those of the matrix of thermodynamic factors
    :math:`\Gamma_{ij} = \frac{x_i}{RT} \left(\partial\mu_i/\partial x_j\right)`, or, what is the
    same, of the Hessian of G against that of ideal mixing. Another dependent component is a
    change of coordinates and leaves them as they are.

    Parameters
    ----------
    values
        Eigenvalues in ascending order, shape (..., r). The first is the stability: 1 for an
        ideal solution, 0 on the spinodal; minus infinity where the phase would order.
    directions
        Changes of the mole fractions of all elements along which they hold, shape (..., c, r),
        each of length 1.
    matrix, map
        The Hessian in coordinates in which an ideal one is the identity, (..., r, r), and what
        makes changes of mole fraction of these, over the square root of the fractions, (..., c, r).
    fractions
        Mole fractions, shape (..., c).
    """

    values: Array
    directions: Array
    matrix: Array
    map: Array
    fractions: Array

    def thermodynamic_factors(self, dependent: int) -> Array:
        """Gamma of all elements but the one with this number, shape (..., c - 1, c - 1)."""
        c, r = self.map.shape[-2:]
        if r < c - 1:
            raise UnsupportedPhase(
                f"{c} elements change in {r} ways only: there are no {c - 1} independent ones"
            )
        kept = [i for i in range(c) if i != dependent]
        scale, rows = np.sqrt(self.fractions[..., kept]), self.map[..., kept, :]
        inner = np.linalg.solve(rows.mT, (rows @ self.matrix).mT).mT
        result: Array = scale[..., :, None] * inner / scale[..., None, :]
        return result


class SiteEnergy(PhaseEnergy):
    """G of one phase over its site fractions, compiled with its derivatives.

    Parameters and errors are those of `PhaseEnergy`; UnsupportedPhase, too, if nothing mixes.
    """

    def __init__(self, model: Model, symbols: Sequence[str] = ()) -> None:
        super().__init__(model, symbols)
        if not self.variables:
            raise UnsupportedPhase(f"nothing mixes in {self.phase} of {', '.join(self.elements)}")
        self._charge = np.array([y.species.charge for y in self.variables]) * self.sites
        # Ways in which composition can change; the rest is internal freedom.
        y = np.random.default_rng(0).dirichlet(np.ones(len(self.variables)))
        y = y / (self.sublattices.T @ (self.sublattices @ y))
        _, span, unit = self._tangent(y)
        self.rank = int(np.linalg.matrix_rank(unit @ span, tol=1e-9))
        self.freedom = span.shape[-1] - self.rank
        if self.rank == 0:
            raise UnsupportedPhase(f"the composition of {self.phase} is fixed: it cannot unmix")

    @cached_property
    def _slopes(self) -> list[Any]:
        return [self.expression.diff(y) for y in self.names]

    @cached_property
    def _energy(self) -> Compiled:
        return Compiled([self.expression, *self._slopes], self.symbols, (*self.names, P))

    @cached_property
    def _hessian(self) -> Compiled:
        upper = zip(*self._upper, strict=True)
        hessian = [self._slopes[i].diff(self.names[j]) for i, j in upper]
        return Compiled(hessian, self.symbols, (*self.names, P))

    @property
    def _upper(self) -> Any:
        return np.triu_indices(len(self.names))

    def gradient(
        self, T: Array, y: Array, pressure: float = 101325.0, values: Sequence[float] = ()
    ) -> tuple[Array, Array]:
        """G in J/mol of formula units and its derivatives in the site fractions."""
        y = np.maximum(y, FLOOR)
        found = self._energy(T, *np.moveaxis(y, -1, 0), pressure, *values)
        RT = R * np.asarray(T)[..., None]
        ideal = RT * self.sites * np.log(y)
        energy: Array = found[..., 0] + (y * ideal).sum(axis=-1)
        return energy, found[..., 1:] + ideal + RT * self.sites

    def scaled_hessian(
        self, T: Array, y: Array, pressure: float = 101325.0, values: Sequence[float] = ()
    ) -> tuple[Array, Array]:
        """Second derivatives over RT in u, dy = sqrt(y/a) du; and sqrt(y/a).

        In u ideal mixing is the identity, and all is bounded.
        """
        y = np.maximum(y, FLOOR)
        n, scale = y.shape[-1], np.sqrt(y / self.sites)
        found = self._hessian(T, *np.moveaxis(y, -1, 0), pressure, *values)
        hessian = np.empty((*y.shape, n))
        i, j = self._upper
        hessian[..., i, j] = hessian[..., j, i] = found
        hessian *= scale[..., :, None] * scale[..., None, :]
        hessian /= R * np.asarray(T)[..., None, None]
        return hessian + np.eye(n), scale

    def _tangent(self, y: Array) -> tuple[Array, Array, Array]:
        """Mole fractions; in u: what keeps sublattices full; what a change does to composition.

        The last is over the square root of the mole fractions, which bounds it.
        """
        scale = np.sqrt(y / self.sites)
        rows = [self.sublattices * np.sqrt(y)[..., None, :]]
        if self._charge.any():
            charge = self._charge * scale
            rows.append((charge / np.linalg.norm(charge, axis=-1, keepdims=True))[..., None, :])
        span = null_space(np.concatenate(rows, axis=-2))
        moles = self.fixed + y @ self.moles.T
        total = moles.sum(axis=-1, keepdims=True)
        unit = self.moles * (scale[..., None, :] / np.sqrt(moles)[..., None])
        x = moles / total
        root = np.sqrt(x)[..., None, :]
        unit = unit - root.mT @ (root @ unit)
        return x, span, unit / np.sqrt(total)[..., None]

    def curvature(
        self, T: Array, y: Array, pressure: float = 101325.0, values: Sequence[float] = (), *,
        relaxed: bool = True,
    ) -> Curvature:  # fmt: skip
        """Curvature of G in composition at site fractions y, shape (..., n); T of shape (...).

        Internal freedom follows (`relaxed`), or else goes as it would in an ideal solution.
        """
        y = np.maximum(y, FLOOR)
        hessian, _ = self.scaled_hessian(T, y, pressure, values)
        x, span, unit = self._tangent(y)
        lost = np.zeros(y.shape[:-1], dtype=bool)
        if self.freedom:
            _, _, turned = np.linalg.svd(unit @ span)
            span = span @ turned.mT
            moving, inner = span[..., : self.rank], span[..., self.rank :]
            matrix = moving.mT @ hessian @ moving
            if relaxed:
                stiff = inner.mT @ hessian @ inner
                lost = np.linalg.eigvalsh(stiff)[..., 0] <= 0
                stiff[lost] = np.eye(self.freedom)
                coupling = inner.mT @ hessian @ moving
                matrix = matrix - coupling.mT @ np.linalg.solve(stiff, coupling)
        else:
            moving = span
            matrix = moving.mT @ hessian @ moving
        mapped = unit @ moving
        eigenvalues, vectors = np.linalg.eigh(matrix)
        eigenvalues[lost, 0] = -np.inf
        directions = np.sqrt(x)[..., None] * (mapped @ vectors)
        directions /= np.linalg.norm(directions, axis=-2, keepdims=True)
        largest = np.take_along_axis(
            directions, np.abs(directions).argmax(axis=-2, keepdims=True), axis=-2
        )
        return Curvature(eigenvalues, directions * np.sign(largest), matrix, mapped, x)


def null_space(rows: Array) -> Array:
    """Orthonormal columns that independent rows (..., k, n) take to zero, (..., n, n - k)."""
    k, n = rows.shape[-2:]
    if k == 1:  # a reflection that takes the row to an axis; rounding stays where it is
        row = rows[..., 0, :] / np.linalg.norm(rows, axis=-1)
        last = row.argmax(axis=-1)[..., None]
        mirror = row.copy()
        at = np.take_along_axis(row, last, axis=-1)
        np.put_along_axis(mirror, last, at + np.where(at < 0, -1.0, 1.0), axis=-1)
        mirror /= np.linalg.norm(mirror, axis=-1, keepdims=True)
        reflection = np.eye(n) - 2 * mirror[..., :, None] * mirror[..., None, :]
        others = np.arange(n - 1) + (np.arange(n - 1) >= last)
        return np.take_along_axis(reflection, others[..., None, :], axis=-1)
    _, _, turned = np.linalg.svd(rows)
    return turned[..., k:, :].mT
