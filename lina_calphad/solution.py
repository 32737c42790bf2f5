"""BinarySolution: Gibbs energy, stability and miscibility gap of one binary solution phase."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pycalphad import Model
from scipy.special import logit, xlogy

from lina_calphad.energy import Compiled, R, X, binary_energy, mixing_terms
from lina_calphad.gap import MiscibilityGap, temperatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.curves import Array, Binodal, CriticalPoint, Spinodal


class BinarySolution:
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
    ) -> None:
        energy = binary_energy(dbf, components, phase, model, pressure)
        self.components = energy.components
        self.phase = energy.phase
        self.pressure = float(pressure)
        self._arguments = (dbf, tuple(components), phase, model, pressure)
        self._mixing = Compiled(mixing_terms(energy.r))
        self._reference = Compiled((energy.reference, energy.reference.diff(X)))

    @property
    def dbf(self) -> Database:
        """The database, as it was given."""
        return self._arguments[0]

    @property
    def model(self) -> type[Model]:
        """The pycalphad Model class."""
        return self._arguments[3]

    def __repr__(self) -> str:
        first, second = self.components
        return f"<BinarySolution {self.phase} of {first} and {second}: {self.model.__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Compiled code cannot be pickled; it is quick to compile again.
        return type(self), self._arguments

    def binodal(self, T: ArrayLike) -> Binodal:
        """Compositions of the two phases in equilibrium.

        The common tangent to two branches of this one phase; exact to about
        1e-12 in ln x however dilute it is.

        Parameters
        ----------
        T
            Temperatures in K, of any shape.

        Returns
        -------
        Binodal
            Arrays of the shape of `T`, masked where there is no gap (if any).

        Raises
        ------
        NoMiscibilityGap
            If there is no gap at any of the temperatures.
        SeveralMiscibilityGaps
            If the phase is unstable in more than one range of composition.
        NotConverged
            If a tie-line that exists was not reached.
        ValueError
            If a temperature is not positive and finite.

        Examples
        --------
        >>> from lina_calphad import load
        >>> solution = BinarySolution(load("santos2025"), ("LI", "NA"), "BCC_A2")
        >>> solution.binodal([33.0, 300.0]).ln_x_alpha.round(4).tolist()
        [-94.331, -10.3787]
        """
        return self._gap.binodal(T)

    def spinodal(self, T: ArrayLike) -> Spinodal:
        """Compositions at which the phase loses stability, G'' = 0.

        Parameters and errors are those of `binodal`.

        Returns
        -------
        Spinodal
            Arrays of the shape of `T`, masked where there is no gap (if any).
        """
        return self._gap.spinodal(T)

    def critical_point(self) -> CriticalPoint:
        """Top of the gap: psi = 0 and d psi/dx = 0.

        The highest between 1 and 10 000 K.

        Raises
        ------
        NoMiscibilityGap
            If the phase is stable everywhere in that range.
        NoCriticalPoint
            If the gap is open at its upper end.

        Examples
        --------
        >>> from lina_calphad import CoherentModel, load
        >>> dbf = load("zhang2003")
        >>> BinarySolution(dbf, ("LI", "NA"), "BCC_A2", CoherentModel).critical_point()
        CriticalPoint(T=205.92..., x=0.5...)
        """
        return self._gap.critical_point()

    def stability(self, T: ArrayLike, x: ArrayLike) -> Array:
        """Stability function psi = x (1 - x) G''/RT, without dimension.

        1 for an ideal solution and at both ends, 0 on the spinodal, negative
        between the spinodals; also the thermodynamic factor of diffusion.

        Parameters
        ----------
        T, x
            Temperature in K and mole fraction from 0 to 1, broadcast together.
        """
        psi: Array = self._mixing(*_broadcast(T, x))[..., 2]
        return psi

    def gibbs_energy(self, T: ArrayLike, x: ArrayLike) -> Array:
        """Molar Gibbs energy of the single phase in J/mol of atoms, SER reference.

        Parameters
        ----------
        T, x
            Temperature in K and mole fraction from 0 to 1, broadcast together.
        """
        T, x = _broadcast(T, x)
        omega, slope = (self._mixing(T, x)[..., i] for i in (0, 1))
        mixing = xlogy(x, x) + xlogy(1 - x, 1 - x) + omega + x * slope
        energy: Array = self._reference(T, x)[..., 0] + R * T * mixing
        return energy

    def diffusion_potential(self, T: ArrayLike, x: ArrayLike) -> Array:
        """dG/dx, the chemical potential of the second component less that of the first, in J/mol.

        Diverges to minus and plus infinity at x = 0 and 1.

        Parameters
        ----------
        T, x
            Temperature in K and mole fraction from 0 to 1, broadcast together.
        """
        T, x = _broadcast(T, x)
        slope = logit(x) + self._mixing(T, x)[..., 1]
        potential: Array = self._reference(T, x)[..., 1] + R * T * slope
        return potential

    @cached_property
    def _gap(self) -> MiscibilityGap:
        return MiscibilityGap(self._mixing, self.phase)


def _broadcast(T: ArrayLike, x: ArrayLike) -> tuple[Array, Array]:
    T, x = np.broadcast_arrays(temperatures(T), np.asarray(x, dtype=float))
    if not ((x >= 0) & (x <= 1)).all():
        msg = f"a mole fraction lies between 0 and 1; got {x[~((x >= 0) & (x <= 1))].flat[0]}"
        raise ValueError(msg)
    return T, x
