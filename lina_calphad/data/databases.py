"""What pycalphad's Database lacks: copies, removal, the sublattice that mixes, elastic data."""

from __future__ import annotations

import math
import pickle
import re
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from numbers import Real
from typing import TYPE_CHECKING, Any

from symengine import And, FunctionSymbol, Piecewise, RealDouble, S
from tinydb import where

from lina_calphad.errors import DatabaseError, ElasticDataError, UnsupportedPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pycalphad import Database

    from lina_calphad.data.elasticity import CubicElasticity

#: Elastic constants in GPa; pycalphad knows them since `pycalphad_elastic`.
CONSTANTS = ("C11", "C12", "C44")
#: With the molar volume in m³ per mole of formula units, all that coherency needs.
PARAMETERS = ("V0", *CONSTANTS)
#: These, and the lattice parameter that may stand for volumes.
ELASTIC = (*PARAMETERS, "LPX")

#: Limits of a range in K, and what holds there.
Piece = tuple[float, float, Any]


def copy_database(dbf: Database) -> Database:
    """A copy that shares nothing with the original, with constituents in alphabetical order."""
    # deepcopy of a pycalphad Database shares its phases and functions with the original.
    copy = pickle.loads(pickle.dumps(dbf))  # noqa: S301 - our own bytes
    _sort_pairs(copy)
    return copy


def _sort_pairs(dbf: Database) -> None:
    """Put L(NA,LI) as L(LI,NA), with the other sign where the order is odd."""

    # Of a parameter that a program added pycalphad's Model takes the order as it is; its
    # writer and its parser sort the constituents and keep the sign.
    def unsorted(p: Mapping[str, Any]) -> bool:
        return any(names != sorted(names) for names in array_names(p))

    found = dbf.search(unsorted)
    remove_parameters(dbf, unsorted)
    for p in found:
        order, array = p["parameter_order"], array_names(p)
        if order and sum(len(names) - 1 for names in array) > 1:
            raise DatabaseError(
                f"{parameter_text(p)} names more than a pair: put its constituents in "
                "alphabetical order"
            )
        sign = -1 if order % 2 else 1
        dbf.add_parameter(
            p["parameter_type"], p["phase_name"], [sorted(names) for names in array], order,
            in_branches(p["parameter"], lambda e: sign * e), p["reference"],  # noqa: B023
            p["diffusing_species"],
        )  # fmt: skip


def in_branches(parameter: Any, change: Callable[[Any], Any]) -> Any:
    """Change every branch of a parameter but the zero that pycalphad puts after the last."""
    if not isinstance(parameter, Piecewise):
        return change(parameter)
    pairs = zip(*[iter(parameter.args)] * 2, strict=True)
    return Piecewise(*((e if c == S.true else change(e), c) for e, c in pairs))


def pieces(expression: Any) -> tuple[Piece, ...]:
    """Each range of temperature of an expression and what holds there, in the order of the file."""
    from pycalphad import variables as v

    found = []
    pairs = expression.args if isinstance(expression, Piecewise) else ()
    for branch, condition in zip(*[iter(pairs)] * 2, strict=True):
        if condition == S.true:  # the zero that pycalphad puts after the last
            continue
        low, high = -math.inf, math.inf
        for relation in condition.args if isinstance(condition, And) else (condition,):
            left, right = relation.args  # 200 <= T and T < 3000
            if right == v.T:
                low = float(left)
            elif left == v.T:
                high = float(right)
        found.append((low, high, branch))
    return tuple(found) or ((-math.inf, math.inf, expression),)


def tdb_body(dbf: Database) -> str:
    """A database as TDB text, from its first ELEMENT on."""
    text: str = dbf.to_string(fmt="tdb", if_incompatible="fix")
    # pycalphad opens with the date and the user's name.
    start = re.search(r"(?m)^ELEMENT ", text)
    return text[start.start() if start else 0 :]


def mixing_sublattice(dbf: Database, phase: str, active: set[str] | None = None) -> int:
    """Index of the one sublattice of a phase that holds more than one of the `active` species.

    Of the first with an element where nothing mixes. DatabaseError if there is no such phase,
    UnsupportedPhase if more than one sublattice mixes, or the mixing one holds vacancies.
    """
    if phase not in dbf.phases:
        raise DatabaseError(
            f"the database has no phase {phase}; it has {', '.join(sorted(dbf.phases)) or 'none'}"
        )
    if dbf.phases[phase].constituents is None:
        raise UnsupportedPhase(f"{phase} has no CONSTITUENT line: nothing is in it")
    sublattices = [
        {species.name for species in sublattice if active is None or species.name in active}
        for sublattice in dbf.phases[phase].constituents
    ]
    if not all(sublattices):
        raise UnsupportedPhase(
            f"a sublattice of {phase} holds nothing of {', '.join(sorted(active or ()))}"
        )
    mixing = [index for index, names in enumerate(sublattices) if len(names) > 1]
    text = " : ".join(", ".join(sorted(names)) for names in sublattices)
    if len(mixing) > 1:
        raise UnsupportedPhase(
            f"{phase} mixes on {len(mixing)} sublattices ({text}); one is supported"
        )
    if mixing and "VA" in sublattices[mixing[0]]:
        raise UnsupportedPhase(
            f"{phase} mixes vacancies with atoms ({text}); a substitutional solution is supported"
        )
    occupied = [index for index, names in enumerate(sublattices) if names != {"VA"}]
    if not occupied:
        raise UnsupportedPhase(f"{phase} holds nothing but vacancies")
    return (mixing or occupied)[0]


def array_names(parameter: Mapping[str, Any]) -> list[list[str]]:
    """Names of the species of a parameter on each sublattice, such as [["LI", "NA"], ["VA"]]."""
    return [[species.name for species in part] for part in parameter["constituent_array"]]


def array_text(parameter: Mapping[str, Any]) -> str:
    """The same as a TDB writes it, such as LI,NA:VA."""
    return ":".join(map(",".join, array_names(parameter)))


def constituent_array(
    dbf: Database, phase: str, mixing: Sequence[str], active: set[str] | None = None
) -> list[list[str]]:
    """An array with `mixing` on the sublattice that mixes, vacancies or one species elsewhere.

    `active` are the species among which `mixing_sublattice` looks; those of `mixing` and
    vacancies if not given.
    """
    index = mixing_sublattice(dbf, phase, active or {*mixing, "VA"})
    held = ([s.name for s in part] for part in dbf.phases[phase].constituents)
    array = [["VA"] if "VA" in names else sorted(names)[:1] for names in held]
    array[index] = sorted(mixing)
    return array


def parameter_text(parameter: Mapping[str, Any]) -> str:
    """What a TDB calls a parameter, such as G(BCC_A2,LI,NA:VA;0) or MQ(BCC_A2&LI,NA:VA;0)."""
    kind, phase = parameter["parameter_type"], parameter["phase_name"]
    diffusing = parameter["diffusing_species"].name
    of = f"{phase}&{diffusing}" if diffusing else phase
    return f"{kind}({of},{array_text(parameter)};{parameter['parameter_order']})"


def check_expression(name: str, expression: Any) -> None:
    """DatabaseError where a number is not finite, or a range ends before it begins."""
    expression = S(expression)
    if not all(math.isfinite(number) for number in expression.atoms(RealDouble)):
        raise DatabaseError(
            f"{name} has a number or a limit that is not finite: {str(expression)[:100]}"
        )
    for low, high, _ in pieces(expression):
        if low >= high:
            raise DatabaseError(f"{name} has a range of temperature from {low:g} to {high:g} K")


def parameter_range(dbf: Database, phase: str, components: Sequence[str]) -> tuple[float, float]:
    """Temperatures in K between which every energy of a phase is given, and all that is in it."""
    low, high = 0.0, math.inf
    for _, expression in _expressions(dbf, phase.upper(), components)[0]:
        ranges = pieces(expression)
        low, high = max(low, ranges[0][0]), min(high, ranges[-1][1])
    return low, high


def check_functions(dbf: Database, phases: Sequence[str], components: Sequence[str]) -> None:
    """Whether every function that the phases need of these components is there and makes sense.

    UnsupportedPhase if one is undefined, which pycalphad would take for zero, or is defined in a
    circle; DatabaseError as `check_expression`.
    """
    for phase in phases:
        expressions, graph = _expressions(dbf, phase, components)
        for name, expression in expressions:
            check_expression(name, expression)
        undefined = graph.keys() - dbf.symbols.keys()
        if wrong := undefined or graph.keys() - set(in_order(graph)):
            raise UnsupportedPhase(
                f"{phase} needs {', '.join(sorted(wrong))}, which cannot be resolved: undefined, "
                "or in a circle"
            )


def _expressions(
    dbf: Database, phase: str, components: Sequence[str]
) -> tuple[list[tuple[str, Any]], dict[str, set[str]]]:
    """Parameters of a phase and all functions in them, and what functions each of those needs."""
    known = {component.upper() for component in components} | {"VA", "*"}
    found = [
        (parameter_text(p), p["parameter"])
        for p in dbf.search(where("phase_name") == phase)
        if {name for part in array_names(p) for name in part} <= known
    ]
    graph = reachable(
        (name for _, e in found for name in function_names(e)),
        lambda name: function_names(dbf.symbols.get(name, 0)),
    )
    return found + [(f"FUNCTION {name}", dbf.symbols.get(name, 0)) for name in graph], graph


def reachable(names: Iterable[str], needs: Callable[[str], set[str]]) -> dict[str, set[str]]:
    """Some functions, those that they need and so on, each with what it needs itself."""
    graph: dict[str, set[str]] = {}
    fresh = set(names)
    while fresh:
        graph |= {name: needs(name) for name in fresh}
        fresh = {other for name in fresh for other in graph[name]} - graph.keys()
    return graph


def in_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The names behind all that they need, but for those that need a circle."""
    sorter = TopologicalSorter(
        {name: [other for other in of if other in needs] for name, of in needs.items()}
    )
    with suppress(CycleError):
        sorter.prepare()
    order: list[str] = []
    while ready := sorter.get_ready():
        order += ready
        sorter.done(*ready)
    return order


def function_names(expression: Any) -> set[str]:
    """Names of the functions in an expression."""
    from pycalphad import variables as v

    # What a TDB has as TLN(T) is a function of that name, which none defines.
    calls = {call.get_name() for call in S(expression).atoms(FunctionSymbol)}
    free = S(expression).free_symbols
    return calls | {str(s) for s in free if not isinstance(s, v.StateVariable)}


def remove_parameters(dbf: Database, condition: Callable[[Mapping[str, Any]], bool]) -> None:
    """Take the parameters that meet a condition out of a database."""
    # pycalphad has no public way to do this; its own Model reaches in here too.
    dbf._parameters.remove(condition)


def set_elastic_data(
    dbf: Database,
    phase: str,
    *,
    molar_volume: Mapping[str, Any],
    elasticity: Mapping[str, CubicElasticity],
) -> None:
    """Give a phase of any Database the elastic data that `CoherentModel` reads.

    What was there of these parameters for the elements named is replaced, since
    pycalphad would add a second parameter to the first.

    Parameters
    ----------
    dbf
        Changed in place.
    phase
        A substitutional phase: atoms mix on one sublattice.
    molar_volume
        V0 of each element in this structure, in m³ per mole of formula units
        (of atoms, where the mixing sublattice has one site): a number or an
        expression in ``pycalphad.variables.T``. Host and solutes need one.
    elasticity
        Elastic constants of each element in this structure. The host needs them.

    Raises
    ------
    DatabaseError
        If the database has no such phase.
    UnsupportedPhase
        If more than one sublattice of the phase mixes.
    ElasticDataError
        If an element is not in the phase, a value is not of the kind asked for, or a
        molar volume does not lie between 1e-7 and 1e-2 m³/mol. Nothing is changed then.

    Examples
    --------
    >>> from lina_calphad import CubicElasticity, load
    >>> dbf = load("zhang2003", elastic=False)
    >>> set_elastic_data(
    ...     dbf,
    ...     "BCC_A2",
    ...     molar_volume={"LI": 1.204e-5, "NA": 2.215e-5},
    ...     elasticity={"LI": CubicElasticity(13.5, 11.4, 8.8)},
    ... )
    """
    phase = phase.upper()
    for name, mapping in (("molar_volume", molar_volume), ("elasticity", elasticity)):
        if not hasattr(mapping, "items"):
            raise ElasticDataError(
                f'{name} is a mapping from elements, such as {{"LI": ...}}; got {mapping!r}'
            )
    named = {element.upper() for element in (*molar_volume, *elasticity)}
    if phase in dbf.phases:
        held = {s.name for names in dbf.phases[phase].constituents for s in names} - {"VA"}
        if not named <= held:
            strange = ", ".join(sorted(named - held))
            raise ElasticDataError(f"{phase} holds {', '.join(sorted(held))}, not {strange}")
    mixing_sublattice(dbf, phase, named | {"VA"})
    values: dict[tuple[str, str], Any] = {}
    for element, volume in molar_volume.items():
        if isinstance(volume, Real) and not 1e-7 < float(volume) < 1e-2:
            unit = ": is it in cm³/mol?" if float(volume) >= 1e-2 else ""
            raise ElasticDataError(
                f"V0 of {element} is in m³/mol, between 1e-7 and 1e-2; got {volume}{unit}"
            )
        values[element.upper(), "V0"] = volume
    for element, constants in elasticity.items():
        if not hasattr(constants, "biaxial_modulus"):
            raise ElasticDataError(
                f"elasticity of {element} is a CubicElasticity; got {constants!r}"
            )
        for name in ("c11", "c12", "c44"):
            values[element.upper(), name.upper()] = getattr(constants, name)
    for (element, name), value in values.items():
        array = constituent_array(dbf, phase, [element], named | {"VA"})
        same = (where("phase_name") == phase) & (where("parameter_type") == name)
        remove_parameters(dbf, lambda p: same(p) and array_names(p) == array)  # noqa: B023
        dbf.add_parameter(name, phase, array, 0, value)


def copy_elastic_data(source: Database, target: Database) -> None:
    """Give the phases of `target` the elastic parameters of `source`, in place of their own."""
    elastic = where("parameter_type").one_of([*ELASTIC])
    wanted = [p for p in source.search(elastic) if p["phase_name"] in target.phases]
    phases = {p["phase_name"] for p in wanted}
    remove_parameters(target, elastic & where("phase_name").one_of([*phases]))
    for p in wanted:
        target.add_parameter(
            p["parameter_type"], p["phase_name"], array_names(p), p["parameter_order"],
            p["parameter"], p["reference"],
        )  # fmt: skip
    for name, expression in source.symbols.items():
        target.symbols.setdefault(name, expression)


def has_elastic_data(dbf: Database, phase: str) -> bool:
    """Whether the phase has any elastic constant at all."""
    kind = where("parameter_type").one_of([*CONSTANTS])
    return bool(dbf.search((where("phase_name") == phase) & kind))
