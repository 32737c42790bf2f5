"""BinarySolution: Gibbs energy, stability and miscibility gap of one binary solution phase."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pycalphad import Model
from pycalphad import variables as v
from scipy.special import logit, xlogy
from symengine import Lambdify, S, Symbol

from lina_calphad.elastic_data import mixing_sublattice
from lina_calphad.errors import DatabaseError, UnsupportedPhase
from lina_calphad.gap import MiscibilityGap, temperatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.curves import Array, Binodal, CriticalPoint, Spinodal

R = float(v.R)  # pycalphad's gas constant, so that our numbers and its numbers agree

_X, _T = Symbol("x"), Symbol("T")


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
        self.components = _two_elements(dbf, components, phase)
        self.phase = phase.upper()
        self.pressure = float(pressure)
        if not 0 < self.pressure < np.inf:
            msg = f"a pressure is a positive, finite number of pascal; got {pressure}"
            raise ValueError(msg)
        self._arguments = (dbf, tuple(components), phase, model, pressure)
        first, second = self.components
        index = mixing_sublattice(dbf, self.phase, {first, second, "VA"})
        mod = model(dbf, [first, second, "VA"], self.phase)
        species = {s.name for s in mod.constituents[index]}
        others = {s.name for i, names in enumerate(mod.constituents) for s in names if i != index}
        if species != {first, second} or not others <= {"VA"}:
            msg = (
                f"{self.phase} is no binary solution of {first} and {second}: its sublattices hold "
                f"{' : '.join(', '.join(sorted(s.name for s in c)) for c in mod.constituents)}"
            )
            raise UnsupportedPhase(msg)
        at = {y: 1 - _X if y.species.name == first else _X for y in mod.site_fractions}
        at |= {y: S.One for y in mod.site_fractions if y.species.name == "VA"}
        at |= {v.T: _T, v.P: S(self.pressure)}
        terms = {name: S(term).xreplace(at) for name, term in mod.models.items()}
        undefined = {str(s) for term in terms.values() for s in term.free_symbols} - {"x", "T"}
        if undefined:
            names = ", ".join(sorted(undefined))
            msg = f"{self.phase} needs {names}, which the database does not define"
            raise UnsupportedPhase(msg)
        # The reference is linear in x; ideal mixing is done analytically.
        reference = terms["ref"]
        r = sum((t for name, t in terms.items() if name not in ("ref", "idmix")), S.Zero) / (R * _T)
        slope, curvature, q = r.diff(_X), r.diff(_X, 2), _X * (1 - _X)
        psi = 1 + q * curvature
        self._mixing = _Compiled(r - _X * slope, slope, psi, q * psi.diff(_X))
        self._reference = _Compiled(reference, reference.diff(_X))

    def __repr__(self) -> str:
        first, second = self.components
        return (
            f"<BinarySolution {self.phase} of {first} and {second}: {self._arguments[3].__name__}>"
        )

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


class _Compiled:
    """Expressions in T and x as machine code over arrays."""

    def __init__(self, *expressions: Any) -> None:
        self._size = len(expressions)
        self._function = Lambdify([_T, _X], list(expressions), backend="llvm", cse=True)

    def __call__(self, T: Array, x: Array) -> Array:
        """The expressions on a last axis behind those of x, to which T broadcasts."""
        points = np.empty((*x.shape, 2))
        points[..., 0], points[..., 1] = T, x
        if points.size == 0:  # symengine refuses what NumPy allows
            return np.zeros((*x.shape, self._size))
        values: Array = self._function(points)
        return values


def _two_elements(dbf: Database, components: Sequence[str], phase: str) -> tuple[str, str]:
    given = [components] if isinstance(components, str) else components
    names = [str(component).upper() for component in given]
    names = [name for name in names if name != "VA"]
    if len(set(names)) != 2 or len(names) != 2:
        msg = f"a binary solution of {phase} takes two different components; got {list(components)}"
        raise UnsupportedPhase(msg)
    for name in names:
        if name not in dbf.elements:
            elements = ", ".join(sorted(set(dbf.elements) - {"VA", "/-"})) or "none"
            msg = f"the database has no element {name}; it has {elements}"
            raise DatabaseError(msg)
    return names[0], names[1]


def _broadcast(T: ArrayLike, x: ArrayLike) -> tuple[Array, Array]:
    T, x = np.broadcast_arrays(temperatures(T), np.asarray(x, dtype=float))
    if not ((x >= 0) & (x <= 1)).all():
        msg = f"a mole fraction lies between 0 and 1; got {x[~((x >= 0) & (x <= 1))].flat[0]}"
        raise ValueError(msg)
    return T, x
