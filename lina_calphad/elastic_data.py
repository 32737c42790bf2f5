"""Elastic parameters V0, C11, C12, C44 of a phase in a pycalphad Database."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

from lina_calphad.database import filling, mixing_sublattice, remove_parameters
from lina_calphad.errors import ElasticDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycalphad import Database

    from lina_calphad.elasticity import CubicElasticity


#: Elastic constants in GPa; pycalphad knows them since `pycalphad_elastic`.
CONSTANTS = ("C11", "C12", "C44")
#: With the molar volume in m³ per mole of formula units, all that coherency needs.
PARAMETERS = ("V0", *CONSTANTS)


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
            msg = f'{name} is a mapping from elements, such as {{"LI": ...}}; got {mapping!r}'
            raise ElasticDataError(msg)
    named = {element.upper() for element in (*molar_volume, *elasticity)}
    if phase in dbf.phases:
        held = {s.name for names in dbf.phases[phase].constituents for s in names} - {"VA"}
        if not named <= held:
            strange = ", ".join(sorted(named - held))
            msg = f"{phase} holds {', '.join(sorted(held))}, not {strange}"
            raise ElasticDataError(msg)
    index = mixing_sublattice(dbf, phase, named | {"VA"})
    sublattices = [sorted(species.name for species in s) for s in dbf.phases[phase].constituents]
    values: dict[tuple[str, str], Any] = {}
    for element, volume in molar_volume.items():
        if isinstance(volume, Real) and not 1e-7 < float(volume) < 1e-2:
            unit = ": is it in cm³/mol?" if float(volume) >= 1e-2 else ""
            msg = f"V0 of {element} is in m³/mol, between 1e-7 and 1e-2; got {volume}{unit}"
            raise ElasticDataError(msg)
        values[element.upper(), "V0"] = volume
    for element, constants in elasticity.items():
        if not hasattr(constants, "biaxial_modulus"):
            msg = f"elasticity of {element} is a CubicElasticity; got {constants!r}"
            raise ElasticDataError(msg)
        for name in ("c11", "c12", "c44"):
            values[element.upper(), name.upper()] = getattr(constants, name)
    arrays = {
        element: [
            [element] if i == index else filling(names) for i, names in enumerate(sublattices)
        ]
        for element, _ in values
    }
    remove_parameters(
        dbf,
        lambda p: (
            p["phase_name"] == phase
            and any(
                p["parameter_type"] == name and _names(p["constituent_array"]) == arrays[element]
                for element, name in values
            )
        ),
    )
    for (element, name), value in values.items():
        dbf.add_parameter(name, phase, arrays[element], 0, value)


def copy_elastic_data(source: Database, target: Database) -> None:
    """Give the phases of `target` the elastic parameters of `source`, in place of their own."""
    wanted = [p for p in source.search(_is_elastic) if p["phase_name"] in target.phases]
    phases = {p["phase_name"] for p in wanted}
    remove_parameters(
        target, lambda p: p["phase_name"] in phases and p["parameter_type"] in PARAMETERS
    )
    for p in wanted:
        target.add_parameter(
            p["parameter_type"],
            p["phase_name"],
            _names(p["constituent_array"]),
            p["parameter_order"],
            p["parameter"],
            p["reference"],
        )
    for name, expression in source.symbols.items():
        target.symbols.setdefault(name, expression)


def has_elastic_data(dbf: Database, phase: str) -> bool:
    """Whether the phase has any elastic constant at all."""
    return any(
        p["phase_name"] == phase and p["parameter_type"] in CONSTANTS
        for p in dbf.search(_is_elastic)
    )


def _is_elastic(parameter: Mapping[str, Any]) -> bool:
    return parameter["parameter_type"] in PARAMETERS


def _names(constituent_array: Any) -> list[list[str]]:
    return [[species.name for species in sublattice] for sublattice in constituent_array]
