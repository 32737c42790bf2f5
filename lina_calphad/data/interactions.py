"""Interaction parameters of a phase as named symbols of a database: what a fit can move."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pycalphad import Database
from pycalphad import variables as v
from symengine import S, Symbol, expand, log
from tinydb import where

from lina_calphad.data.databases import (
    array_names,
    array_text,
    constituent_array,
    copy_database,
    pieces,
    remove_parameters,
)
from lina_calphad.errors import DatabaseError

#: What a parameter may be made of, and the letter of its coefficient; T ln T is the excess heat
#: capacity of vibrations.
BASIS = {"A": S.One, "B": v.T, "C": v.T * log(v.T)}


def free_interactions(
    dbf: Database, phase: str, components: Sequence[str]
) -> tuple[Database, dict[str, float]]:
    """A copy of a database with the interaction parameters of one phase as symbols.

    Parameters
    ----------
    dbf
        The database; it stays as it is.
    phase
        A phase with one mixing sublattice.
    components
        The two elements.

    Returns
    -------
    Database
        The copy. Its energies are those of the original.
    dict of str to float
        Each new symbol with its value in J/mol or J/(mol K): ``BCCL0`` for the regular
        parameter of BCC_A2, ``BCCL1`` for the next; ``BCCL0A + BCCL0B*T`` where one depends
        on temperature, and ``+ BCCL0C*T*LN(T)`` where it does so too.

    Raises
    ------
    DatabaseError
        If the phase has no such parameter, one is made of other terms, or the name of a
        symbol is taken.
    UnsupportedPhase
        If more than one sublattice mixes.

    Examples
    --------
    >>> from lina_calphad import load
    >>> free_interactions(load("zhang2003"), "LIQUID", ("LI", "NA"))[1]
    {'LIQUL0': 10684.3678, 'LIQUL1A': 3896.41952, 'LIQUL1B': -5.46265483, 'LIQUL2': 1580.34389}
    """
    phase = phase.upper()
    dbf = copy_database(dbf)
    array = interaction_array(dbf, phase, components)
    found = sorted(interactions(dbf, phase, components), key=_order)
    if not found:
        raise DatabaseError(
            f"{phase} has no interaction parameter of {' and '.join(components)} to free"
        )
    orders = [_order(parameter) for parameter in found]
    if len(set(orders)) < len(orders):
        raise DatabaseError(
            f"{phase} has more than one interaction parameter of one order: pycalphad adds them "
            "up, other programs take one. Make them one"
        )
    free = {
        order: _coefficients(dbf, f"{phase_prefix(phase)}L{order}", parameter["parameter"])
        for order, parameter in zip(orders, found, strict=True)
    }
    values = {name: value for named in free.values() for name, (value, _) in named.items()}
    remove_parameters(dbf, _condition(phase, array))
    if taken := sorted(values.keys() & _used(dbf)):
        raise DatabaseError(
            f"{phase} needs the name {taken[0]}, which other parameters use: rename that symbol"
        )
    for order, named in free.items():
        expression = sum((Symbol(name) * term for name, (_, term) in named.items()), S.Zero)
        dbf.add_parameter("L", phase, array, order, expression)
    dbf.symbols.update({name: S(value) for name, value in values.items()})
    return dbf, values


def describe_symbol(dbf: Database, symbol: str) -> tuple[str, str]:
    """What parameter of a database a symbol stands in, and its unit."""
    for parameter in dbf.search(lambda p: Symbol(symbol) in S(p["parameter"]).free_symbols):
        kind, order = parameter["parameter_type"], parameter["parameter_order"]
        factor = S(pieces(parameter["parameter"])[0][2]).diff(Symbol(symbol))
        text = f"{kind}({parameter['phase_name']},{array_text(parameter)};{order})"
        at_zero = factor.xreplace({log(v.T): Symbol("LN_T")}).xreplace({v.T: S.Zero})
        if v.T in factor.free_symbols and at_zero == 0:
            if (factor / v.T).free_symbols - {v.T}:
                return f"{text}, rate of its fall with T", "1/K"
            return f"{text}, {'of T ln T' if factor.atoms(log) else 'slope'}", "J/(mol K)"
        return text, {"V0": "m3/mol"}.get(kind, "GPa" if kind.startswith("C") else "J/mol")
    return "in a function", ""


def without_interactions(dbf: Database, phase: str, components: Sequence[str]) -> Database:
    """A copy of a database in which the phase has no interaction parameters, ready for a fit."""
    dbf = copy_database(dbf)
    array = interaction_array(dbf, phase.upper(), components)
    remove_parameters(dbf, _condition(phase.upper(), array))
    return dbf


def interactions(dbf: Database, phase: str, components: Sequence[str]) -> list[Any]:
    """The interaction parameters of a phase, as pycalphad has them."""
    return list(dbf.search(_condition(phase, interaction_array(dbf, phase, components))))


def start_value(dbf: Database, phase: str, components: Sequence[str], order: int) -> float:
    """An interaction parameter at 0 K in J/mol, to start a fit from; 0 where there is none."""
    for parameter in interactions(dbf, phase, components):
        if _order(parameter) == order:
            try:
                return next(iter(_coefficients(dbf, "", parameter["parameter"]).values()))[0]
            except DatabaseError:  # of another form: any start will do
                break
    return 0.0


def interaction_array(dbf: Database, phase: str, components: Sequence[str]) -> list[list[str]]:
    """The constituent array of an interaction, such as [["LI", "NA"], ["VA"]]."""
    names = sorted(component.upper() for component in components if component.upper() != "VA")
    return constituent_array(dbf, phase, names)


def symbol_value(dbf: Database, name: str) -> float:
    """The value of a symbol that is a number in the database; DatabaseError if it is none."""
    if name not in dbf.symbols:
        has = ", ".join(sorted(dbf.symbols)) or "none"
        raise DatabaseError(f"the database has no symbol {name}; it has {has}")
    value = pieces(dbf.symbols[name])[0][2]
    try:
        return float(value)
    except (TypeError, RuntimeError, ValueError) as error:
        raise DatabaseError(
            f"{name} is no number but {value}: give its coefficients symbols of their own"
        ) from error


def _condition(phase: str, array: list[list[str]]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a parameter is an interaction of a phase."""
    found: Any = where("phase_name") == phase
    found &= where("parameter_type").one_of(["G", "L"])
    return lambda p: found(p) and list(map(sorted, array_names(p))) == array


def _used(dbf: Database) -> set[str]:
    """Names of the symbols on which parameters or other symbols rest."""
    rest = [*(p["parameter"] for p in dbf._parameters.all()), *dbf.symbols.values()]
    return {str(symbol) for expression in rest for symbol in S(expression).free_symbols}


def _order(parameter: Mapping[str, Any]) -> int:
    return int(parameter["parameter_order"])


def phase_prefix(phase: str) -> str:
    """The first letters of a phase, for symbols: other programs allow eight characters in all."""
    return re.sub("[^A-Z]", "", phase.split("_")[0])[:4] or "PHAS"


def _coefficients(dbf: Database, name: str, parameter: Any) -> dict[str, tuple[float, Any]]:
    """Names of the coefficients of a parameter, each with its value and its term of `BASIS`."""
    expression = _without_ranges(name, S(parameter))
    numbers = {
        Symbol(key): _without_ranges(key, S(dbf.symbols[key]))
        for key in map(str, expression.free_symbols)
        if key in dbf.symbols
    }
    expression = expand(expression.xreplace(numbers))
    # With ln T as a symbol the expression is a polynomial, whose coefficients are derivatives.
    ln_T = Symbol("LN_T")
    rest = expression.xreplace({log(v.T): ln_T})
    found = {"C": rest.diff(v.T).diff(ln_T)}
    rest = expand(rest - found["C"] * v.T * ln_T)
    found["B"] = rest.diff(v.T)
    found["A"] = expand(rest - found["B"] * v.T)
    if any(value.free_symbols for value in found.values()):
        raise DatabaseError(
            f"{name} is {expression}: only a + b*T + c*T*LN(T) can be freed. Give its coefficients "
            "FUNCTIONs of their own, and name those"
        )
    if found["B"] == 0 and found["C"] == 0:
        return {name: (float(found["A"]), S.One)}
    letters = [letter for letter in BASIS if letter != "C" or found["C"] != 0]
    return {f"{name}{letter}": (float(found[letter]), BASIS[letter]) for letter in letters}


def _without_ranges(name: str, expression: Any) -> Any:
    """An expression without its range of temperature, of which there may be one."""
    ranges = pieces(expression)
    if len(ranges) != 1:
        raise DatabaseError(f"{name} has {len(ranges)} ranges of temperature; one can be freed")
    return ranges[0][2]
