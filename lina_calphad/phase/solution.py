"""BinarySolution: Gibbs energy, stability and miscibility gap of one binary solution phase."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pycalphad import Database, Model
from scipy.special import logit, xlogy

from lina_calphad.checks import SEARCH_RANGE, Array, fraction, kelvin
from lina_calphad.data.databases import parameter_range
from lina_calphad.data.interactions import symbol_value
from lina_calphad.phase.energy import (
    Compiled,
    R,
    X,
    binary_energy,
    compiled,
    conditions,
    elements_of,
    mixing_terms,
)
from lina_calphad.phase.miscibility import MiscibilityGap


class BinarySolution(MiscibilityGap):
    """One solution phase of two components that mix on one sublattice.

    The energy is that of any pycalphad Model, with all its contributions
    (magnetic, elastic, your own); x is the mole fraction of the second component.
    Everything broadcasts over temperature and composition.

    Parameters
    ----------
    dbf
        The database.
    components
        The two elements; x is the mole fraction of the second. Vacancies are added.
    phase
        Name of the phase.
    model
        A pycalphad Model class, such as `CoherentModel` for the coherent gap.
    pressure
        In Pa.
    symbols
        Names of symbols of the database that stay free, each a number there: their values
        are what the methods take as `values`, on a last axis, such as draws from a posterior.

    Raises
    ------
    DatabaseError
        If the database lacks the phase or a component.
    UnsupportedPhase
        If the two components do not mix on exactly one sublattice, or if the
        energy needs a symbol that the database does not define.
    ValueError
        If the pressure is not positive and finite.

    Examples
    --------
    >>> from lina_calphad import CoherentModel, load
    >>> dbf = load("santos2025")
    >>> chemical = BinarySolution(dbf, ("LI", "NA"), "BCC_A2")
    >>> chemical.binodal(300.0)
    <Binodal at 300 K: x = 3.10881e-05 and 0.996787>
    >>> coherent = BinarySolution(dbf, ("LI", "NA"), "BCC_A2", model=CoherentModel)
    >>> coherent.spinodal([300.0, 360.0]).x_alpha.round(6).tolist()
    [0.057952, 0.072162]
    """

    def __init__(
        self,
        dbf: Database,
        components: Sequence[str],
        phase: str,
        model: type[Model] = Model,
        pressure: float = 101325.0,
        *,
        symbols: Sequence[str] = (),
    ) -> None:
        elements_of(dbf, components, binary=True)
        reference = [symbol_value(dbf, name) for name in symbols]
        energy = binary_energy(dbf, components, phase, model, pressure, symbols)
        self.dbf, self.model, self.pressure = dbf, model, float(pressure)
        self.components = energy.components
        self._arguments = (dbf, tuple(components), phase, model, pressure, tuple(symbols))
        parts = energy.reference, energy.reference.diff(X)
        self._reference = compiled(parts, tuple(symbols))  # that of other Models of the phase
        switches = conditions(energy.r)
        super().__init__(
            Compiled(mixing_terms(energy.r), symbols),
            energy.phase,
            symbols,
            reference,
            Compiled(switches, symbols) if switches else None,
            min(parameter_range(dbf, energy.phase, energy.components)[1], SEARCH_RANGE[1]),
        )

    def __repr__(self) -> str:
        first, second = self.components
        free = f" with free {', '.join(self.symbols)}" if self.symbols else ""
        return f"<BinarySolution {self.phase} of {first} and {second}: {self.model.__name__}{free}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Compiled code cannot be pickled. A worker is sent the same solution with every task.
        return _unpickled, (pickle.dumps((type(self), self._arguments)),)

    def stability(self, T: ArrayLike, x: ArrayLike, values: ArrayLike = ()) -> Array:
        """Stability function psi = x (1 - x) G''/RT, without dimension.

        1 for an ideal solution and at both ends, 0 on the spinodal, negative
        between the spinodals; also the thermodynamic factor of diffusion.

        Parameters
        ----------
        T, x
            Temperature in K and mole fraction from 0 to 1, broadcast together.
        values
            Values of the free symbols on the last axis, whose others broadcast with T and x;
            those of the database if not given.
        """
        result: Array = self._mixing(*self._given(T, x, values))[..., 2]
        return result

    def gibbs_energy(self, T: ArrayLike, x: ArrayLike, values: ArrayLike = ()) -> Array:
        """Molar Gibbs energy of the single phase in J/mol of atoms, SER reference.

        Arguments are those of `stability`.
        """
        T, x, *rest = given = self._given(T, x, values)
        terms = self._mixing(*given)
        mixing = xlogy(x, x) + xlogy(1 - x, 1 - x) + terms[..., 0] + x * terms[..., 1]
        result: Array = self._reference(T, x, *rest)[..., 0] + R * T * mixing
        return result

    def diffusion_potential(self, T: ArrayLike, x: ArrayLike, values: ArrayLike = ()) -> Array:
        """dG/dx, the chemical potential of the second component less that of the first, in J/mol.

        Diverges to minus and plus infinity at x = 0 and 1. Arguments are those of `stability`.
        """
        T, x, *rest = given = self._given(T, x, values)
        slope = logit(x) + self._mixing(*given)[..., 1]
        result: Array = self._reference(T, x, *rest)[..., 1] + R * T * slope
        return result

    def ln_activity(self, T: ArrayLike, x: ArrayLike, values: ArrayLike = ()) -> Array:
        """Logarithm of the activity of the first component, against it alone in this phase.

        (mu - mu0)/RT, good for the dilute second component, too; minus infinity at x = 1.
        Arguments are those of `stability`.
        """
        T, x, *rest = self._given(T, x, values)
        omega = [self._mixing(T, at, *rest)[..., 0] for at in (x, np.zeros_like(x))]
        with np.errstate(divide="ignore"):
            activity: Array = np.log1p(-x) + omega[0] - omega[1]
        return activity

    def _given(self, T: ArrayLike, x: ArrayLike, values: ArrayLike) -> tuple[Array, ...]:
        """T, x and the value of each free symbol, broadcast together."""
        given = np.asarray(values, dtype=float)
        if given.size:
            self._draws(given)
        each = np.moveaxis(given if given.size else self.reference, -1, 0)
        return tuple(np.broadcast_arrays(kelvin(T), fraction(x), *each))


@lru_cache(maxsize=16)
def _unpickled(pickled: bytes) -> BinarySolution:
    kind, (*arguments, symbols) = pickle.loads(pickled)  # noqa: S301 - our own bytes
    result: BinarySolution = kind(*arguments, symbols=symbols)
    return result
