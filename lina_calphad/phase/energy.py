"""The Gibbs energy of a phase: a pycalphad Model as one expression, and as machine code.

Everything in this package that takes an energy takes it from `PhaseEnergy`: over all site
fractions (`lina_calphad.stability.hessian`), between two species of one sublattice
(`lina_calphad.diagram.section`), or of two elements that are those (`binary_energy`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from typing import Any

import numpy as np
from pycalphad import Database, Model
from pycalphad import variables as v
from symengine import Lambdify, Piecewise, S, Symbol, log
from symengine.lib.symengine_wrapper import ComplexDouble, Relational

from lina_calphad.checks import Array, pascal
from lina_calphad.data.databases import mixing_sublattice
from lina_calphad.errors import DatabaseError, EnergyError, LinaCalphadError, UnsupportedPhase

R = float(v.R)  # pycalphad's gas constant, so that our numbers and its numbers agree

#: Mole or site fraction of the second component, temperature and pressure, in every expression.
X, T, P = Symbol("x"), Symbol("T"), Symbol("P")


class PhaseEnergy:
    """G of a phase in J/mol of formula units, over the site fractions of what mixes.

    It is `reference` + RT times the sum of `sites` y ln y + `rest`; ideal mixing is left to
    whoever takes it, so that dilute ends are exact.

    Parameters
    ----------
    model
        A pycalphad Model, built.
    symbols
        Names of its symbols that are free.

    Attributes
    ----------
    variables, names
        pycalphad's site fractions, n of them, and the symbols that stand for them here.
    sites
        Numbers of sites of their sublattices, shape (n,).
    sublattices
        Which of them share one that mixes, shape (mixing sublattices, n).
    elements, moles, fixed
        The c elements, how many moles of each go with a site fraction, shape (c, n), and how
        many sit where nothing mixes, shape (c,).
    reference, rest
        Expressions in `names`, `T`, `P` and the symbols: of the end members, linear in site
        fractions of one sublattice, and all contributions else.

    Raises
    ------
    UnsupportedPhase
        If the number of sites depends on who sits there.
    EnergyError
        If a symbol is undefined.
    """

    def __init__(self, model: Model, symbols: Sequence[str] = ()) -> None:
        self.phase: str = model.phase_name
        self.symbols = tuple(symbols)
        ratios = [S(ratio) for ratio in getattr(model, "site_ratios", ())]
        if not ratios or any(ratio.free_symbols for ratio in ratios):
            raise UnsupportedPhase(f"{self.phase} has no fixed numbers of sites: not treated")
        self.elements = tuple(sorted(model.nonvacant_elements))

        def moles(y: Any) -> list[float]:
            of = y.species.constituents
            return [float(ratios[y.sublattice_index]) * of.get(e, 0) for e in self.elements]

        crowd = [len(species) for species in model.constituents]
        alone, mixing = (
            tuple(y for y in model.site_fractions if (crowd[y.sublattice_index] > 1) == several)
            for several in (False, True)
        )
        self.variables = mixing
        self.sites = np.array([float(ratios[y.sublattice_index]) for y in mixing])
        self.moles = np.array([moles(y) for y in mixing]).reshape(-1, len(self.elements)).T
        self.fixed = sum((np.array(moles(y)) for y in alone), np.zeros(len(self.elements)))
        held = sorted({y.sublattice_index for y in mixing})
        self.sublattices = np.array([[y.sublattice_index == s for y in mixing] for s in held])
        self.names = tuple(Symbol(f"y{i}") for i in range(len(mixing)))
        at = dict(zip(mixing, self.names, strict=True)) | dict.fromkeys(alone, S.One)
        at |= {v.T: T, v.P: P}
        # pycalphad's energies are per mole of atoms.
        formula = model._site_ratio_normalization
        terms = {
            k: _evaluable(model, S(term) * formula).xreplace(at) for k, term in model.models.items()
        }
        self.reference = terms.pop("ref", S.Zero)
        if terms.get("ord", 0) == 0:
            terms.pop("idmix", None)
            self.rest = sum(terms.values(), S.Zero)
        else:  # the disordered part of an ordered phase has an ideal mixing of its own
            ideal = (a * y * log(y) for a, y in zip(self.sites, self.names, strict=True))
            self.rest = _uncut(sum(terms.values(), S.Zero)) - R * T * sum(ideal, S.Zero)
        known = {"T", "P", *self.symbols, *map(str, self.names)}
        if undefined := sorted({str(s) for s in self.expression.free_symbols} - known):
            raise EnergyError(
                f"{self.phase} needs {', '.join(undefined)}, which cannot be resolved: undefined, "
                "or in a circle"
            )

    @property
    def expression(self) -> Any:
        """All but ideal mixing."""
        return self.reference + self.rest

    def amounts(self, element: str) -> tuple[float, dict[str, float]]:
        """Moles of an element in a formula unit where nothing mixes, and with each species else."""
        if element not in self.elements:
            return 0.0, {}
        k = self.elements.index(element)
        species = (y.species.name for y in self.variables)
        return float(self.fixed[k]), dict(zip(species, self.moles[k].tolist(), strict=True))

    def between(self, first: str, second: str, pressure: float) -> tuple[Any, Any]:
        """Reference and rest per mole of sites of one sublattice, x of which hold the second."""
        share = {first: 1 - X, second: X}
        at = {
            name: share[y.species.name] for name, y in zip(self.names, self.variables, strict=True)
        }
        at |= {P: S(float(pressure))}
        sites = self.sites[0] if self.sites.size else 1.0
        return (self.reference / sites).xreplace(at), (self.rest / sites).xreplace(at)


def _evaluable(model: Model, energy: Any) -> Any:
    """The energy with all ranges of temperature continued, and no number complex by rounding."""
    # It takes the ends off the outermost: beyond, a function that is in one of several ranges of
    # a parameter would be zero.
    while (whole := model.unwrap_piecewise(energy)) != energy:
        energy = whole
    # Powers of a negative number come out with an imaginary part of their rounding.
    return energy.xreplace(
        {
            z: z.real_part()
            for z in energy.atoms(ComplexDouble)
            if abs(z.imaginary_part()) < 1e-14 * abs(z.real_part())
        }
    )


def _uncut(energy: Any) -> Any:
    """The energy with x ln x for all x: pycalphad's has zero below a cutoff."""
    cut = {}
    for piece in energy.atoms(Piecewise):
        first = piece.args[0]
        if any(first == f.args[0] * f for f in first.atoms(log)):
            cut[piece] = first
    return energy.xreplace(cut)


@dataclass(frozen=True)
class BinaryEnergy:
    """G of one phase in J/mol of atoms: reference + RT (x ln x + (1-x) ln(1-x) + r).

    x is the mole fraction of the second component; the reference is linear in it.
    """

    components: tuple[str, str]
    phase: str
    reference: Any
    r: Any


def binary_energy(
    dbf: Database,
    components: Sequence[str],
    phase: str,
    model: type[Model],
    pressure: float,
    symbols: Sequence[str] = (),
) -> BinaryEnergy:
    """The energy of a phase in which two components mix on one sublattice; see `BinarySolution`.

    `symbols` of the database are left free in the expressions.
    """
    first, second = elements_of(dbf, components, binary=True)
    pressure = pascal(pressure)
    mixing_sublattice(dbf, phase.upper(), {first, second, "VA"})
    built = build_model(model, dbf, (first, second), phase.upper(), symbols)
    energy = PhaseEnergy(built, symbols)
    if not is_binary(energy):
        raise UnsupportedPhase(
            f"{energy.phase} is no binary solution of {first} and {second}: its sublattices hold "
            f"{' : '.join(', '.join(sorted(s.name for s in c)) for c in built.constituents)}"
        )
    reference, rest = energy.between(first, second, pressure)
    return BinaryEnergy((first, second), energy.phase, reference, rest / (R * T))


def is_binary(energy: PhaseEnergy) -> bool:
    """Whether two elements mix on one sublattice, and nothing but vacancies is on others."""
    mixing = sorted(y.species.name for y in energy.variables)
    return len(mixing) == 2 and mixing == list(energy.elements) and not energy.fixed.any()


def conditions(r: Any) -> list[Any]:
    """What changes sign with x where the energy goes over to another expression."""
    sides = {relation.args[0] - relation.args[1] for relation in r.atoms(Relational)}
    return sorted((side for side in sides if X in side.free_symbols), key=str)


def mixing_terms(r: Any) -> tuple[Any, Any, Any, Any]:
    """Return r - x r', r', psi and d psi/dt: the mixing terms of `lina_calphad.phase.ranges`."""
    slope, q = r.diff(X), X * (1 - X)
    psi = 1 + q * r.diff(X, 2)
    return r - X * slope, slope, psi, q * psi.diff(X)


class Compiled:
    """Expressions in T, coordinates (x, if none are named) and symbols as machine code."""

    def __init__(
        self, expressions: Sequence[Any], symbols: Sequence[str] = (), coordinates: Any = (X,)
    ) -> None:
        self._size = len(expressions)
        arguments = [T, *coordinates, *map(Symbol, symbols)]
        try:
            self._function = Lambdify(arguments, list(expressions), backend="llvm", cse=True)
        except RuntimeError as error:  # as where a constant of the database comes out complex
            raise EnergyError(f"the Gibbs energy cannot be compiled: {error}") from error

    def __call__(self, T: Array, x: Array, *values: Any) -> Array:
        """The expressions on a last axis behind those of x, to which the others broadcast."""
        points = np.empty((*x.shape, 2 + len(values)))
        for i, value in enumerate((T, x, *values)):
            points[..., i] = value
        if points.size == 0:  # symengine refuses what NumPy allows
            return np.zeros((*x.shape, self._size))
        result: Array = self._function(points)
        return result


#: The same, made once where several phases have the same expressions; arguments are tuples.
compiled = lru_cache(maxsize=64)(Compiled)


# -- what is asked for --


def elements_of(
    dbf: Database, components: Sequence[str], *, binary: bool = False
) -> tuple[str, ...]:
    """Names of different elements, without vacancies, of which the database must have all."""
    if isinstance(dbf, str | PathLike):
        raise DatabaseError(
            f"dbf is a database that has been read, such as load({str(dbf)!r}); got its path"
        )
    given = [components] if isinstance(components, str) else components
    names = [name for name in (str(component).upper() for component in given) if name != "VA"]
    if len(set(names)) < max(2, len(names)) or (binary and len(names) > 2):
        what = "a binary takes two" if binary else "a solution takes two or more"
        raise UnsupportedPhase(f"{what} different components; got {list(components)}")
    for name in names:
        if name not in dbf.elements:
            elements = ", ".join(sorted(set(dbf.elements) - {"VA", "/-"})) or "none"
            raise DatabaseError(f"the database has no element {name}; it has {elements}")
    return tuple(names)


def phase_name(dbf: Database, phase: str) -> str:
    """Name of a phase that the database has, with something in it."""
    name = phase.upper()
    if name not in dbf.phases:
        raise DatabaseError(
            f"the database has no phase {name}; it has {', '.join(sorted(dbf.phases)) or 'none'}"
        )
    if dbf.phases[name].constituents is None:
        raise UnsupportedPhase(f"{name} has no CONSTITUENT line: nothing is in it")
    return name


def build_model(
    model: type[Model],
    dbf: Database,
    components: Sequence[str],
    phase: str,
    symbols: Sequence[str] = (),
) -> Model:
    """A Model of a phase of some elements and vacancies; EnergyError says why there is none."""
    try:
        return model(dbf, [*components, "VA"], phase, parameters=list(symbols) or None)
    except LinaCalphadError:
        raise
    except Exception as error:  # pycalphad raises whatever its parts raise
        raise EnergyError(
            f"pycalphad cannot build {phase}: {type(error).__name__}: {error}"
        ) from error
