"""Solution: stability, spinodals and isotherms of one phase of any number of components."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from pycalphad import Database, Model
from scipy.optimize import elementwise

from lina_calphad.checks import SEARCH_RANGE, Array, kelvin, list_temperatures, pascal
from lina_calphad.data.databases import parameter_range
from lina_calphad.errors import (
    DataLeftOut,
    NotConverged,
    OutsideAssessedRange,
    UnsupportedPhase,
)
from lina_calphad.phase.energy import build_model, elements_of, is_binary, phase_name
from lina_calphad.phase.results import CriticalPoint
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.stability.hessian import FLOOR, Curvature, SiteEnergy
from lina_calphad.stability.internal import site_fractions
from lina_calphad.stability.isotherm import Isotherm

_TEMPERATURES = 160  # in the search for spinodals
_AT_ONCE = 200_000  # points
_ZERO = 1e-6  # stability on a spinodal


class Solution:
    """One solution phase of any number of components and sublattices.

    The energy is that of any pycalphad Model, such as `CoherentModel`. Compositions are mole
    fractions on a last axis, of all components or of all but the first, and everything
    broadcasts over T and the other axes of x. Two elements on one sublattice are a
    `BinarySolution`: its compiled energy answers everything here (it is the attribute `binary`),
    and it has exact tie-lines at any dilution. Both take their energy from one expression,
    `lina_calphad.phase.energy.PhaseEnergy`.

    Parameters
    ----------
    dbf
        The database.
    components
        The elements. Vacancies are added.
    phase
        Name of the phase. Ordered phases and several sublattices are relaxed inside.
    model
        A pycalphad Model class.
    pressure
        In Pa.

    Raises
    ------
    DatabaseError
        If the database lacks the phase or a component.
    UnsupportedPhase
        If a component is not in the phase, or nothing mixes in it.

    Examples
    --------
    >>> import lina_calphad as lc
    >>> dbf = lc.load("santos2025")
    >>> bcc = Solution(dbf, ("LI", "NA"), "BCC_A2", lc.CoherentModel)
    >>> bcc.stability(300.0, [[0.05], [0.06]]).round(4).tolist()
    [0.1194, -0.0299]
    >>> bcc.spinodal_temperature([0.06]).round(2)
    np.float64(308.96)
    """

    def __init__(
        self, dbf: Database, components: Sequence[str], phase: str, model: type[Model] = Model,
        pressure: float = 101325.0,
    ) -> None:  # fmt: skip
        self.components = elements_of(dbf, components)
        self.phase, self.pressure = phase_name(dbf, phase), pascal(pressure)
        self.dbf, self.model = dbf, model
        self.energy = SiteEnergy(build_model(model, dbf, self.components, self.phase))
        if missing := sorted(set(self.components) - set(self.energy.elements)):
            raise UnsupportedPhase(f"{self.phase} holds no {missing[0]}")
        self._order = [self.components.index(name) for name in self.energy.elements]
        end = parameter_range(dbf, self.phase, self.components)[1]
        self._end = min(end, SEARCH_RANGE[1])

    @cached_property
    def binary(self) -> BinarySolution | None:
        """The same phase as `BinarySolution` if two elements mix on one sublattice; else None."""
        if not is_binary(self.energy):
            return None
        return BinarySolution(self.dbf, self.components, self.phase, self.model, self.pressure)

    def __repr__(self) -> str:
        return f"<Solution {self.phase} of {', '.join(self.components)}: {self.model.__name__}>"

    def fractions(self, x: ArrayLike) -> Array:
        """Mole fractions of all components from those of all, or of all but the first."""
        x = np.array(x, dtype=float)
        n = len(self.components)
        if x.ndim == 0 or x.shape[-1] not in (n - 1, n):
            got = x.shape[-1] if x.ndim else "a number"
            raise ValueError(
                f"a composition is {n} mole fractions, or {n - 1} without {self.components[0]}; "
                f"got {got}"
            )
        if x.shape[-1] == n - 1:
            x = np.concatenate([1 - (x @ np.ones(n - 1))[..., None], x], axis=-1)
            x[..., 0][np.abs(x[..., 0]) < 1e-15] = 0.0
        whole = np.abs(x @ np.ones(n) - 1) < 1e-9  # quicker than a sum
        if not ((x >= 0).all() and whole.all()):
            bad = x[~((x >= 0).all(axis=-1) & whole)][0]
            raise ValueError(f"mole fractions are not negative and add up to 1; got {bad.tolist()}")
        return x

    def _inside(self, T: ArrayLike) -> Array:
        """Temperatures where there are parameters."""
        T = kelvin(T)
        if (self._end <= T).any():
            raise OutsideAssessedRange(
                f"the parameters of {self.phase} end at {self._end:g} K; got {T.max():g} K"
            )
        return T

    def curvature(
        self, T: ArrayLike, x: ArrayLike, *, relaxed: bool = True, strict: bool = True
    ) -> Curvature:
        """Eigenvalues and directions of the curvature of G; see `Curvature`.

        Parameters
        ----------
        T
            Temperature in K.
        x
            Mole fractions, the components on the last axis.
        relaxed
            Whether internal freedom follows; else it goes as in an ideal solution.
        strict
            Whether a composition that the phase cannot have is an error; else it is NaN.

        Raises
        ------
        ValueError
            If T or x are out of range or, if strict, the phase cannot have a composition.
        NotConverged
            If an internal equilibrium is not found.
        OutsideAssessedRange
            If the parameters end below T.
        """
        T, x = self._inside(T), self.fractions(x)
        if self.binary:
            psi = self.binary.stability(T, x[..., 1])
            return _of_two(psi, np.broadcast_to(x, (*psi.shape, 2)))
        shape = np.broadcast_shapes(T.shape, x.shape[:-1])
        T, x = np.broadcast_to(T, shape), np.broadcast_to(x, (*shape, x.shape[-1]))
        x = x[..., self._order]
        y = site_fractions(self.energy, T, x, self.pressure, strict=strict)
        lost = np.asarray(np.isnan(y).any(axis=-1))
        found = self.energy.curvature(
            T, np.where(lost[..., None], 0.5, y), self.pressure, relaxed=relaxed
        )
        found.values[lost] = np.nan
        back = np.argsort(self._order)
        return Curvature(
            found.values, found.directions[..., back, :], found.matrix,
            found.map[..., back, :], found.fractions[..., back],
        )  # fmt: skip

    def stability(self, T: ArrayLike, x: ArrayLike, *, relaxed: bool = True) -> Array:
        """Smallest eigenvalue of the matrix of thermodynamic factors, without dimension.

        1 for an ideal solution and in pure elements, 0 on the spinodal, negative within.

        Parameters
        ----------
        T, x, relaxed
            As of `curvature`.
        """
        if self.binary:
            T, x = self._inside(T), self.fractions(x)
            return self.binary.stability(T, x[..., 1])
        return self.curvature(T, x, relaxed=relaxed).values[..., 0]

    def spinodal_temperatures(self, x: ArrayLike, *, strict: bool = True) -> Array:
        """Every temperature in K at which a composition is on a spinodal, from the highest.

        Shape (..., k), where k is the largest number at any composition; NaN fills up. What is
        unstable up to the end of the parameters, or `SEARCH_RANGE`, has infinity first. Where
        another state of order takes over, stability jumps, and there is no spinodal.

        Parameters
        ----------
        x, strict
            As of `curvature`.

        Warns
        -----
        DataLeftOut
            If the internal equilibrium is not found at some temperatures: they are left out of
            the search.

        Raises
        ------
        NotConverged
            If it is found at none, or not where a spinodal temperature is closed in on.
        """
        x = self.fractions(x)
        flat = x.reshape(-1, x.shape[-1])

        def unstable(T: Array, x: Array) -> Array:
            if self.binary:
                return self.binary.stability(T, x[..., 1])
            psi = self.curvature(T, x, strict=strict).values[..., 0]
            return np.clip(psi, -1.0, None)  # where it would order, it is minus infinity

        def settled(T: Array) -> list[tuple[Array, Array]]:
            """Temperatures, and psi there of all x, but for those where it is not found."""
            try:
                return [(T, np.concatenate([unstable(T, piece) for piece in pieces]))]
            except NotConverged:
                half = T.size // 2
                return settled(T[:half]) + settled(T[half:]) if half else []

        every = np.geomspace(SEARCH_RANGE[0], self._end * (1 - 1e-9), _TEMPERATURES)
        step = max(1, _AT_ONCE // every.size)
        pieces = [flat[i : i + step, None] for i in range(0, max(1, len(flat)), step)]
        found = settled(every)
        if not found:
            raise NotConverged(f"the internal equilibrium of {self.phase} did not converge")
        T, psi = (np.concatenate(part, axis=-1) for part in zip(*found, strict=True))
        if T.size < every.size:
            warnings.warn(
                f"the internal equilibrium of {self.phase} did not converge at "
                f"{list_temperatures(np.setdiff1d(every, T))}: left out of the search",
                DataLeftOut,
                stacklevel=2,
            )
        row, k = np.nonzero((psi[:, 1:] < 0) != (psi[:, :-1] < 0))
        roots = np.empty(0)
        if row.size:
            start = row

            def at(T: Array, number: Array) -> Array:
                return unstable(T, flat[start[number]])

            zero = elementwise.find_root(at, (T[k], T[k + 1]), args=(np.arange(row.size),))
            real = zero.status != -1  # fewer points have more starts: there the sign may stay
            if not zero.success[real].all():
                raise NotConverged(f"a spinodal temperature of {self.phase} did not converge")
            if self.energy.freedom:
                real &= np.abs(zero.f_x) < _ZERO
            row, roots = row[real], zero.x[real]
        endless = np.flatnonzero(psi[:, -1] < 0)
        row = np.concatenate([row, endless])
        roots = np.concatenate([roots, np.full(endless.size, np.inf)])
        order = np.lexsort((-roots, row))
        count = np.bincount(row, minlength=len(flat))
        place = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
        table = np.full((len(flat), int(count.max(initial=0))), np.nan)
        table[row[order], place] = roots[order]
        return table.reshape(*x.shape[:-1], -1)

    def spinodal_temperature(self, x: ArrayLike, *, strict: bool = True) -> Array:
        """Highest temperature in K at which a composition is unstable; NaN where it never is.

        A section at a fixed ratio is a line of compositions, as of `numpy.linspace`.
        """
        every = self.spinodal_temperatures(x, strict=strict)
        highest: Array = every[..., 0] if every.shape[-1] else np.full(every.shape[:-1], np.nan)
        return highest[()]

    def spinodal(self, T: float) -> list[Array]:
        """The spinodal of a ternary isotherm as polylines of mole fractions, each (k, 3).

        Closed ones end where they begin. Every vertex is on it to rounding.
        """
        from lina_calphad.stability.spinodal import spinodal
        from lina_calphad.stability.surface import Surface

        return spinodal(Surface(self, float(self._inside(T))))

    def critical_points(self, T: float | None = None) -> Array | tuple[CriticalPoint, ...]:
        """Where both sides of a gap become one.

        Of two components all temperatures and compositions; of three the plait points at T as
        mole fractions, shape (k, 3), stable or not.
        """
        if self.binary and T is None:
            return self.binary.all_critical_points()
        if len(self.components) != 3 or T is None:
            raise UnsupportedPhase(
                "critical points are those of two components, or of three at one temperature; of "
                f"{len(self.components)} they are no points"
            )
        from lina_calphad.stability.spinodal import critical_points, spinodal
        from lina_calphad.stability.surface import Surface

        surface = Surface(self, float(self._inside(T)))
        return critical_points(surface, spinodal(surface))

    def isotherm(self, T: float) -> Isotherm:
        """Spinodal, tie-lines, three-phase triangles and plait points of a ternary at T.

        Raises
        ------
        UnsupportedPhase
            If there are not three components that change freely, or they are charged.
        NotConverged
            If a two-phase region is there and its tie-lines are not found.
        """
        from lina_calphad.stability.tie_lines import isotherm

        return isotherm(self, float(self._inside(T)))


def _of_two(psi: Array, x: Array) -> Curvature:
    """The curvature of a binary from its stability, by hand: there is one direction."""
    x = np.maximum(x, FLOOR)
    change = np.broadcast_to([[-(0.5**0.5)], [0.5**0.5]], (*x.shape, 1))
    ideal = np.stack([-np.sqrt(x[..., 1]), np.sqrt(x[..., 0])], axis=-1)
    return Curvature(psi[..., None], change, psi[..., None, None], ideal[..., None], x)
