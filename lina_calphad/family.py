"""SolutionFamily: one solution phase with free parameters, solved for many of their values."""

from __future__ import annotations

import pickle
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pycalphad import Model
from scipy.special import expit, log_expit
from symengine import Piecewise

from lina_calphad.curves import Array, Binodal, CriticalPoints, Flags, Spinodal
from lina_calphad.energy import Compiled, T, X, binary_energy, mixing_terms
from lina_calphad.errors import DatabaseError, NoCriticalPoint, NoMiscibilityGap
from lina_calphad.gap import SEARCH_RANGE, MiscibilityGap, masked, temperatures
from lina_calphad.instability import SCAN
from lina_calphad.roots import bracketed_root
from lina_calphad.rows import NumberedRows, assignments
from lina_calphad.tie_lines import TieLines, similar_tie_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from pycalphad import Database

_SAFE_ROWS_AT_ONCE = 2_000
_RESOLVED = 1 - 1e-13  # doubles resolve no gap closer than this to its critical temperature
_HOTTER = (1.0, 1.02, 1.2, 2.0)  # times the critical temperature, where all must be stable
_STEPS = 40
_GRID = np.geomspace(*SEARCH_RANGE, 121)


class SolutionFamily:
    """A binary solution phase whose parameters are free.

    What `BinarySolution` computes for one description, this computes for many values
    of some symbols of the database at once, such as draws from a posterior.

    Parameters
    ----------
    dbf, components, phase, model, pressure
        As of `BinarySolution`.
    symbols
        Names of the free symbols, each a number in the database.

    Attributes
    ----------
    reference : ndarray
        The values of the symbols in the database, in their order.

    Raises
    ------
    DatabaseError, UnsupportedPhase, ElasticDataError, ValueError
        As `BinarySolution`; the first also if a symbol is not in the database.

    Examples
    --------
    >>> from lina_calphad import load
    >>> from lina_calphad.interactions import free_interactions
    >>> dbf, symbols = free_interactions(load("santos2025"), "BCC_A2", ("LI", "NA"))
    >>> symbols
    {'BCCL0': 20109.8, 'BCCL1': 5772.6}
    >>> family = SolutionFamily(dbf, ("LI", "NA"), "BCC_A2", list(symbols))
    >>> family.spinodal([300.0, 360.0], [[20109.8, 5772.6], [16000.0, 0.0]]).x_alpha.round(4)
    array([[0.0357, 0.0436],
           [0.0852, 0.1044]])
    """

    def __init__(
        self,
        dbf: Database,
        components: Sequence[str],
        phase: str,
        symbols: Sequence[str],
        model: type[Model] = Model,
        pressure: float = 101325.0,
    ) -> None:
        self.symbols = tuple(symbols)
        self.reference = np.array([symbol_value(dbf, name) for name in self.symbols])
        self._arguments = (dbf, tuple(components), phase, self.symbols, model, pressure)
        self._energy = binary_energy(dbf, components, phase, model, pressure, self.symbols)
        self.components, self.phase = self._energy.components, self._energy.phase
        self._mixing = Compiled(mixing_terms(self._energy.r), self.symbols)
        self._last: tuple[Array, Array] | None = None

    def __repr__(self) -> str:
        first, second = self.components
        return (
            f"<SolutionFamily {self.phase} of {first} and {second}: "
            f"{self._arguments[4].__name__} with free {', '.join(self.symbols)}>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Compiled code cannot be pickled. A worker is sent the same family with every task.
        return _unpickled, (pickle.dumps((type(self), self._arguments)),)

    def critical_points(self, values: ArrayLike) -> CriticalPoints:
        """The highest critical point of each description between 1 and 10 000 K.

        Parameters
        ----------
        values
            Values of the symbols on the last axis, shape (..., number of symbols).

        Returns
        -------
        CriticalPoints
            Masked arrays of the shape (...).

        Raises
        ------
        NoCriticalPoint
            If a gap is open at 10 000 K.
        ValueError
            If the values are not finite, or not of that shape.
        """
        values = self._checked(values)
        top, t = self._tops(values.reshape(-1, len(self.symbols)))
        return CriticalPoints(*masked(np.isnan(top), values.shape[:-1], top, expit(t)))

    def binodal(self, T: ArrayLike, values: ArrayLike) -> Binodal:
        """Tie-lines of every description at every temperature.

        Parameters
        ----------
        T
            Temperatures in K, of any shape.
        values
            Values of the symbols on the last axis, shape (..., number of symbols).

        Returns
        -------
        Binodal
            Arrays of the shape of `values` without its last axis, then that of `T`;
            masked where there is no gap (if any).

        Raises
        ------
        NoMiscibilityGap
            If no description has a gap at any of the temperatures.
        NoCriticalPoint, SeveralMiscibilityGaps, NotConverged, ValueError
            As `critical_points` and `BinarySolution.binodal`.
        """
        T, t, hidden = self._solve("binodal", T, values)
        logs = log_expit(t[0]), log_expit(-t[1])
        return Binodal(T, *masked(hidden, T.shape, *expit(t), *logs))

    def spinodal(self, T: ArrayLike, values: ArrayLike) -> Spinodal:
        """Limits of stability; parameters and errors are those of `binodal`."""
        T, t, hidden = self._solve("spinodal", T, values)
        return Spinodal(T, *masked(hidden, T.shape, *expit(t)))

    def least_stable(self, T: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
        """Mole fraction at which psi is lowest, and psi there.

        Above the critical temperature psi is positive everywhere and goes to zero as
        the gap opens at that mole fraction, which tells how far away a gap is.

        Parameters
        ----------
        T
            Temperatures in K, shape (m,).
        values
            One value of each symbol, shape (number of symbols,).

        Returns
        -------
        tuple of ndarray
            Each of shape (m,).
        """
        T, values = temperatures(T), self._checked(values)
        psi = self._psi(T, np.broadcast_to(values, (T.size, len(self.symbols))))
        i = np.clip(np.argmin(psi, axis=1), 1, SCAN.size - 2)
        # A parabola through three points of the scan, so that both are smooth in the values.
        around = np.arange(T.size)[:, None], i[:, None] + np.arange(-1, 2)
        (a, b, c), (p, q, r) = SCAN[around[1]].T, psi[around].T
        left, right = (q - p) / (b - a), (r - q) / (c - b)
        bend = np.maximum((right - left) / (c - a), 1e-300)
        t = np.clip((a + b) / 2 - left / (2 * bend), a, c)
        lowest = p + left * (t - a) + bend * (t - a) * (t - b)
        return expit(t), np.minimum(lowest, q)

    def _checked(self, values: ArrayLike) -> Array:
        array = np.asarray(values, dtype=float)
        if array.ndim == 0 or array.shape[-1] != len(self.symbols):
            msg = (
                f"{self.phase} has {len(self.symbols)} free symbols ({', '.join(self.symbols)}): "
                f"their values have the shape (..., {len(self.symbols)}); got {array.shape}"
            )
            raise ValueError(msg)
        if not np.isfinite(array).all():
            names = ", ".join(self.symbols)
            msg = f"values of {names} must be finite; got {array[~np.isfinite(array)][0]}"
            raise ValueError(msg)
        return array

    # -- binodals and spinodals ---------------------------------------------------

    def _solve(
        self, curve: Literal["binodal", "spinodal"], T: ArrayLike, values: ArrayLike
    ) -> tuple[Array, Array, Any]:
        """Temperatures, logits of both branches and a mask, for every value and temperature."""
        T, values = temperatures(T), self._checked(values)
        shape = values.shape[:-1] + T.shape
        flat, draws = T.ravel(), values.reshape(-1, len(self.symbols))
        t = np.full((2, len(draws), flat.size), np.nan)
        top = self._tops(draws)[0]
        draw, column = np.nonzero(flat < _RESOLVED * top[:, None])
        if draw.size:
            rows = NumberedRows(self._mixing, flat[column], draws[draw], self.symbols)
            lines = TieLines(rows.mixing, self.phase, rows.describe)
            gap = self._reference_gap or self._gap_of(draws[int(np.nanargmax(top))])
            several = self._several(flat.min(), draws, top)
            t[:, draw, column] = similar_tie_lines(
                curve, lines, gap, flat[column] / top[draw], several[draw]
            )
        hidden = np.isnan(t[0]).ravel()
        if hidden.size and hidden.all():
            names = ", ".join(self.symbols)
            msg = f"{self.phase} has no miscibility gap there for any value of {names}"
            raise NoMiscibilityGap(msg)
        T = np.broadcast_to(T, shape).copy()
        return T, t.reshape(2, -1), hidden if hidden.any() else np.ma.nomask

    def _several(self, coldest: float, draws: Array, top: Array) -> Flags:
        """Which draws may have more than one unstable range: psi dips twice somewhere."""
        several = np.zeros(len(draws), bool)
        for share in (0.0, 0.5, 1.0):  # of the way from the coldest to the critical temperature
            psi = self._psi(np.fmax(coldest, coldest + share * (top - coldest)), draws)
            middle = psi[:, 1:-1]
            dips = (middle < psi[:, :-2]) & (middle <= psi[:, 2:]) & (middle < 1 - 1e-6)
            several |= dips.sum(axis=1) > 1
        return several

    def _psi(self, T: Array, draws: Array) -> Array:
        """Psi of each draw at its temperature, over the scan."""
        x = np.broadcast_to(expit(SCAN), (len(draws), SCAN.size))
        psi: Array = self._stability(T[:, None], x, draws[:, None])[..., 0]
        return psi

    @cached_property
    def _stability(self) -> Compiled:
        """Psi alone: most of the work is to look at it everywhere."""
        return Compiled(mixing_terms(self._energy.r)[2:3], self.symbols)

    # -- critical points ----------------------------------------------------------

    @cached_property
    def _critical(self) -> Compiled:
        """Psi, its first two derivatives in t, and the change of the former two with 1/T."""
        psi = mixing_terms(self._energy.r)[2]
        q = X * (1 - X)
        slope = q * psi.diff(X)
        terms = psi, slope, q * slope.diff(X), -(T**2) * psi.diff(T), -(T**2) * slope.diff(T)
        return Compiled(terms, self.symbols)

    @cached_property
    def _reference_gap(self) -> MiscibilityGap | None:
        """The gap of the database's own values, if there is one with a critical point."""
        gap = self._gap_of(self.reference)
        try:
            gap.critical_point()
        except (NoMiscibilityGap, NoCriticalPoint):
            return None
        return gap

    def _gap_of(self, values: Array) -> MiscibilityGap:
        def mixing(T: Array, x: Array) -> Array:
            return self._mixing(T, x, values)

        return MiscibilityGap(mixing, self.phase)

    def _tops(self, draws: Array) -> tuple[Array, Array]:
        """Temperature and t of the critical point of each draw; NaN where there is no gap."""
        # Binodal, spinodal and critical points are mostly asked for together.
        last = self._last  # once: another thread may put its own there
        if last is None or not np.array_equal(last[0], draws):
            self._last = last = draws.copy(), self._find_tops(draws)
        return last[1][0].copy(), last[1][1]

    def _find_tops(self, draws: Array) -> Array:
        tops = np.full((2, len(draws)), np.nan)
        rest = np.arange(len(draws))
        if self._reference_gap is not None and len(draws):
            point = self._reference_gap.critical_point()
            start = np.broadcast_to([[point.T], [np.log(point.x / (1 - point.x))]], tops.shape)
            tops, good = self._polish(start, draws)
            rest = np.flatnonzero(~good)
            tops[:, rest] = np.nan
        for begin in range(0, rest.size, _SAFE_ROWS_AT_ONCE):
            some = rest[begin : begin + _SAFE_ROWS_AT_ONCE]
            tops[:, some] = self._searched(draws[some])
        return tops

    def _polish(self, start: Array, draws: Array) -> tuple[Array, Flags]:
        """Newton's method in 1/T and t, and where it ended at a highest critical point."""
        tau, t = 1 / start[0], start[1].copy()
        small = np.zeros(len(draws), bool)
        with np.errstate(all="ignore"):  # what diverges is not small
            for _ in range(_STEPS):
                active = np.flatnonzero(~small)
                if active.size == 0:
                    break
                psi, slope, bend, d_psi, d_slope = np.moveaxis(
                    self._critical(1 / tau[active], expit(t[active]), draws[active]), -1, 0
                )
                det = slope * d_slope - d_psi * bend
                move = np.clip((slope * d_psi - psi * d_slope) / det, -1, 1)
                change = np.clip((bend * psi - slope**2) / det / tau[active], -0.5, 1)
                t[active] += move
                tau[active] *= 1 + change
                # Convergence is quadratic: the step after this would be lost in rounding.
                small[active] = (np.abs(move) < 1e-8) & (np.abs(change) < 1e-8)
        tops = np.array([1 / tau, t])
        good = small & (tops[0] > SEARCH_RANGE[0]) & (tops[0] < SEARCH_RANGE[1])
        at = np.flatnonzero(good)
        for factor in _HOTTER:
            good[at] &= self._psi(factor * tops[0, at], draws[at]).min(axis=1) > -1e-9
        return tops, good

    def _searched(self, draws: Array) -> Array:
        """Critical points of draws by looking at every temperature, without a start."""
        tops = np.full((2, len(draws)), np.nan)
        lowest = np.array([self._psi(np.full(len(draws), T), draws).min(axis=1) for T in _GRID])
        unstable = lowest < 0
        if unstable[-1].any():
            worst = draws[np.argmax(unstable[-1])]
            msg = (
                f"the gap of {self.phase} is still open at {SEARCH_RANGE[1]:g} K, the highest "
                f"searched, with {assignments(self.symbols, worst)}"
            )
            raise NoCriticalPoint(msg)
        some = np.flatnonzero(unstable.any(axis=0))
        if some.size == 0:
            return tops
        last = _GRID.size - 1 - np.argmax(unstable[::-1, some], axis=0)

        def lowest_psi(T: Array, row: Array) -> Array:
            index = np.asarray(row).astype(np.intp)
            flat = self._psi(np.ravel(T), draws[index.ravel()]).min(axis=1)
            deepest: Array = flat.reshape(np.shape(T))
            return deepest

        bracket = _GRID[last], _GRID[last + 1]
        at = bracketed_root(lowest_psi, bracket, some.astype(float), tolerance=1e-3)[0]
        t = SCAN[np.argmin(self._psi(at, draws[some]), axis=1)]
        polished, good = self._polish(np.array([at, t]), draws[some])
        # A jump of the energy, as at a Curie temperature, ends a gap where Newton cannot.
        tops[:, some] = np.where(good, polished, np.array([at, t]))
        return tops


@lru_cache(maxsize=16)
def _unpickled(pickled: bytes) -> SolutionFamily:
    kind, arguments = pickle.loads(pickled)  # noqa: S301 - our own bytes
    family: SolutionFamily = kind(*arguments)
    return family


def symbol_value(dbf: Database, name: str) -> float:
    """The value of a symbol that is a number in the database.

    Raises
    ------
    DatabaseError
        If there is no such symbol, or it depends on temperature or other symbols.
    """
    if name not in dbf.symbols:
        has = ", ".join(sorted(dbf.symbols)) or "none"
        msg = f"the database has no symbol {name}; it has {has}"
        raise DatabaseError(msg)
    value = dbf.symbols[name]
    if isinstance(value, Piecewise):
        value = value.args[0]
    try:
        return float(value)
    except (TypeError, RuntimeError, ValueError) as error:
        msg = f"{name} is no number but {value}: give its coefficients symbols of their own"
        raise DatabaseError(msg) from error
