"""The Gibbs energy of one binary solution phase as an expression, and as machine code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from pycalphad import Database, Model
from pycalphad import variables as v
from symengine import Lambdify, S, Symbol
from symengine.lib.symengine_wrapper import Relational

from lina_calphad.checks import Array
from lina_calphad.data.databases import mixing_sublattice
from lina_calphad.errors import DatabaseError, EnergyError, LinaCalphadError, UnsupportedPhase

R = float(v.R)  # pycalphad's gas constant, so that our numbers and its numbers agree

#: Mole fraction of the second component and temperature, in every expression.
X, T = Symbol("x"), Symbol("T")


@dataclass(frozen=True)
class BinaryEnergy:
    """G of one phase in J/mol of atoms: reference + RT (x ln x + (1-x) ln(1-x) + r).

    x is the mole fraction of the second component; the reference is linear in it.
    """

    components: tuple[str, str]
    phase: str
    reference: Any
    r: Any


def refuse_path(dbf: Any) -> None:
    """DatabaseError, which says how to read it, if `dbf` is the path of a database."""
    if isinstance(dbf, str | PathLike):
        raise DatabaseError(
            f"dbf is a database that has been read, such as load({str(dbf)!r}); got its path"
        )


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
    refuse_path(dbf)
    first, second = two_elements(dbf, components, phase)
    phase = phase.upper()
    if not 0 < float(pressure) < np.inf:
        raise ValueError(f"a pressure is a positive, finite number of pascal; got {pressure}")
    index = mixing_sublattice(dbf, phase, {first, second, "VA"})
    mod = build_model(model, dbf, (first, second), phase, symbols)
    species = {s.name for s in mod.constituents[index]}
    others = {s.name for i, names in enumerate(mod.constituents) for s in names if i != index}
    if species != {first, second} or not others <= {"VA"}:
        raise UnsupportedPhase(
            f"{phase} is no binary solution of {first} and {second}: its sublattices hold "
            f"{' : '.join(', '.join(sorted(s.name for s in c)) for c in mod.constituents)}"
        )
    at = {y: 1 - X if y.species.name == first else X for y in mod.site_fractions}
    at |= {y: S.One for y in mod.site_fractions if y.species.name == "VA"}
    at |= {v.T: T, v.P: S(float(pressure))}
    terms = {name: S(term).xreplace(at) for name, term in mod.models.items()}
    undefined = {str(s) for term in terms.values() for s in term.free_symbols}
    undefined -= {"x", "T", *symbols}
    if undefined:
        names = ", ".join(sorted(undefined))
        raise EnergyError(
            f"{phase} needs {names}, which cannot be resolved: undefined, or in a circle"
        )
    # The reference is linear in x; ideal mixing is done analytically.
    rest = sum((t for name, t in terms.items() if name not in ("ref", "idmix")), S.Zero)
    return BinaryEnergy((first, second), phase, terms["ref"], rest / (R * T))


def conditions(r: Any) -> list[Any]:
    """What changes sign with x where the energy goes over to another expression."""
    sides = {relation.args[0] - relation.args[1] for relation in r.atoms(Relational)}
    return sorted((side for side in sides if X in side.free_symbols), key=str)


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


def mixing_terms(r: Any) -> tuple[Any, Any, Any, Any]:
    """Return r - x r', r', psi and d psi/dt: the mixing terms of `lina_calphad.phase.gap`."""
    slope, q = r.diff(X), X * (1 - X)
    psi = 1 + q * r.diff(X, 2)
    return r - X * slope, slope, psi, q * psi.diff(X)


class Compiled:
    """Expressions in T, x and other symbols as machine code over arrays."""

    def __init__(self, expressions: Sequence[Any], symbols: Sequence[str] = ()) -> None:
        self._size = len(expressions)
        arguments = [T, X, *map(Symbol, symbols)]
        try:
            self._function = Lambdify(arguments, list(expressions), backend="llvm", cse=True)
        except RuntimeError as error:  # as where a constant of the database comes out complex
            raise EnergyError(f"the Gibbs energy cannot be compiled: {error}") from error

    def __call__(self, T: Array, x: Array, *values: Array) -> Array:
        """The expressions on a last axis behind those of x, to which the others broadcast."""
        points = np.empty((*x.shape, 2 + len(values)))
        for i, value in enumerate((T, x, *values)):
            points[..., i] = value
        if points.size == 0:  # symengine refuses what NumPy allows
            return np.zeros((*x.shape, self._size))
        result: Array = self._function(points)
        return result


def two_elements(dbf: Database, components: Sequence[str], phase: str) -> tuple[str, str]:
    """The two elements of a binary, of which the database must have both."""
    given = [components] if isinstance(components, str) else components
    names = [str(component).upper() for component in given]
    names = [name for name in names if name != "VA"]
    if len(set(names)) != 2 or len(names) != 2:
        raise UnsupportedPhase(
            f"a binary solution of {phase} takes two different components; got {list(components)}"
        )
    for name in names:
        if name not in dbf.elements:
            elements = ", ".join(sorted(set(dbf.elements) - {"VA", "/-"})) or "none"
            raise DatabaseError(f"the database has no element {name}; it has {elements}")
    return names[0], names[1]
