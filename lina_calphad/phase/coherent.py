"""CoherentModel: Cahn's coherency energy as a contribution of pycalphad's Model."""

from __future__ import annotations

import inspect
import warnings
from itertools import combinations
from typing import Any, ClassVar, Literal

from pycalphad import Database, Model
from pycalphad import variables as v
from pycalphad.core.utils import instantiate_models
from symengine import Add, S
from tinydb import where

from lina_calphad.data.databases import CONSTANTS, PARAMETERS
from lina_calphad.data.elasticity import CubicElasticity, biaxial_modulus
from lina_calphad.errors import ElasticDataError, MissingElasticData, UnsupportedPhase


class CoherentModel(Model):  # type: ignore[misc]  # pycalphad has no types
    r"""pycalphad Model with the elastic energy of coherent unmixing.

    Adds the contribution ``"elastic"``, per mole of atoms

    .. math:: G_{el} = Y V_\mathrm{host} \left(\sum_i \chi_i x_i\right)^2,
              \quad \chi_i = (V_i/V_\mathrm{host})^{1/3} - 1,

    for one solute :math:`B x^2` (Cahn 1962; the paper's eq. 12), with the biaxial modulus Y of
    the host for the chosen plane (`biaxial_modulus`) and the molar volumes V, that of a solute
    dilute in the host. The common tangent and the inflection points of G + G_el are the
    coherent binodal and spinodal. ``calculate(..., output="elastic_energy")`` gives it alone.

    The data are TDB parameters of the phase: ``V0`` (m³ per mole of formula units) of host and
    solutes, with interactions of the host if there are any, and ``C11``, ``C12``, ``C44`` (GPa)
    of the host, with any dependence on temperature. Where there is a lattice parameter ``LPX``
    (m, or any unit), misfits are taken from that, and only the host needs V0. Misfits on several
    sublattices are added, each by the host's end member with one constituent exchanged, and that
    of an interstitial is one per vacancy filled. The theory pages have the reasons.

    Tune it by subclassing, which pycalphad and ESPEI can carry everywhere:

    >>> class Along111(CoherentModel):
    ...     plane = (1, 1, 1)

    Attributes
    ----------
    host : str, tuple of str or None
        Element whose lattice is the reference, or one for each sublattice that mixes; the
        alphabetically first of the sublattice if None, vacancies on one of interstitials.
    plane : tuple of 3 numbers
        Miller indices of the composition wave; (1, 0, 0) is soft in most cubic metals.
    gauge : {"host", "endmembers"}
        "host" is eq. 12 as written; it gives the pure solute the energy B. "endmembers" subtracts
        the part linear in composition, which leaves :math:`-B x (1-x)`: the pure elements keep
        their stability. Tie-lines and spinodals within the phase are the same in either, and
        they alone have a meaning: beside other phases take the plain Model. "host" beside
        others in one calculation is warned of.
    coherency : dict of pairs of elements to expressions
        B of each pair in alphabetical order, in J/mol of formula units, set when built:
        Y V_host times the square of the difference of their misfits; empty where more than one
        sublattice mixes.
    volume : expression
        V0 of the host, set when built.
    misfits : dict of (sublattice, species) to expressions
        Relative change of the lattice parameter per site fraction, set when built.
    constants : dict of str to expressions
        C11, C12 and C44 of the host in GPa, set when built.

    Parameters
    ----------
    dbe, comps, phase_name, parameters
        As of `pycalphad.Model`.

    Raises
    ------
    ElasticDataError
        If elastic data are missing, undefined or mechanically unstable, or there is a thermal
        expansion ``VA``.
    UnsupportedPhase
        If there are charged species; or an element on two sublattices, in the gauge "endmembers".

    Examples
    --------
    >>> from lina_calphad import load
    >>> model = CoherentModel(load("santos2025"), ["LI", "NA", "VA"], "BCC_A2")
    >>> round(float(model.coherency["LI", "NA"]), 4)
    12575.7167
    """

    # pycalphad wants ordering last, since that reads the contributions before it.
    contributions = [  # noqa: RUF012 - pycalphad's own shape
        *(item for item in Model.contributions if item[0] != "ord"),
        ("elastic", "elastic_energy"),
        *(item for item in Model.contributions if item[0] == "ord"),
    ]

    host: ClassVar[str | tuple[str, ...] | None] = None
    plane: ClassVar[tuple[float, float, float]] = (1, 0, 0)
    gauge: ClassVar[Literal["host", "endmembers"]] = "host"

    def build_phase(self, dbe: Database) -> None:
        """Build the phase; then its attribute `elastic_energy` is the energy, not the recipe."""
        super().build_phase(dbe)
        self.__dict__["elastic_energy"] = self.models["elastic"]

    def elastic_energy(self, dbe: Database) -> Any:
        """Elastic energy of coherent unmixing, in J/mol of atoms (the paper's eq. 12)."""
        if self.gauge not in ("host", "endmembers"):
            raise ElasticDataError(f'gauge is "host" or "endmembers"; got {self.gauge!r}')
        crowds = [sorted(species.name for species in part) for part in self.constituents]
        mixing = [index for index, names in enumerate(crowds) if len(names) > 1]
        if not mixing:
            self.coherency, self.misfits, self.constants = {}, {}, {}
            self._endmember_elastic = S.Zero
            return S.Zero
        self._check_species(crowds, mixing)
        host = self._hosts(crowds, mixing)
        data = self._elastic_data(dbe, host, crowds, mixing)
        self.constants = {name: data[name, None] for name in CONSTANTS}
        self.volume = data["V0", None]
        c11, c12, c44 = self.constants.values()
        stiffness = biaxial_modulus(c11, c12, c44, self.plane) * 1e9 * self.volume
        self.misfits = {
            (index, name): S.Zero if name == host[index] else self._misfit(data, (index, name))
            for index in mixing
            for name in crowds[index]
        }
        y = {site: v.SiteFraction(self.phase_name, *site) for site in self.misfits}
        strain = [
            Add(*(chi * y[site] for site, chi in self.misfits.items() if site[0] == index))
            for index in mixing
        ]
        # What is not linear in site fractions: within a sublattice, and between two.
        pairs = {
            (one, other): stiffness * (self.misfits[one] - self.misfits[other]) ** 2
            for one, other in combinations(self.misfits, 2)
            if one[0] == other[0]
        }
        within = -Add(*(y[one] * y[other] * b for (one, other), b in pairs.items()))
        between = 2 * stiffness * Add(*(e * f for e, f in combinations(strain, 2)))
        self.coherency = (
            {(one[1], other[1]): b for (one, other), b in pairs.items()} if len(mixing) == 1 else {}
        )
        atoms = self._site_ratio_normalization
        if self.gauge == "endmembers":
            # What is left of (sum chi x)^2 when its endmember values are taken off.
            self._endmember_elastic = between / atoms
            return (within + between) / atoms
        _warn_of_others(self.phase_name)
        linear = stiffness * Add(*(chi**2 * y[site] for site, chi in self.misfits.items()))
        self._endmember_elastic = (linear + between) / atoms
        return stiffness * Add(*strain) ** 2 / atoms

    def _check_species(self, crowds: list[list[str]], mixing: list[int]) -> None:
        if charged := sorted(s.name for part in self.constituents for s in part if s.charge):
            raise UnsupportedPhase(
                f"{self.phase_name} holds charged species ({', '.join(charged)}): not treated"
            )
        twice = {name for index in mixing for name in crowds[index] if name != "VA"}
        several = [n for n in sorted(twice) if sum(n in crowds[index] for index in mixing) > 1]
        if self.gauge == "endmembers" and several:
            raise UnsupportedPhase(
                f"{self.phase_name} has {several[0]} on more than one sublattice: the gauge "
                "'endmembers' would change its order; take 'host'"
            )

    def _hosts(self, crowds: list[list[str]], mixing: list[int]) -> list[str]:
        """What sits on each sublattice of the reference: vacancies on one of interstitials."""
        wanted = (self.host,) if isinstance(self.host, str) else self.host or ()
        wanted = tuple(name.upper() for name in wanted)
        held = {name for index in mixing for name in crowds[index]}
        if strange := [name for name in wanted if name not in held]:
            there = ", ".join(sorted(held))
            raise ElasticDataError(
                f"the host {strange[0]} is not among {there} of {self.phase_name}"
            )
        filled = [index for index, names in enumerate(crowds) if "VA" not in names]
        hosts = []
        for names in crowds:
            chosen = [name for name in wanted if name in names]
            atoms = [name for name in names if name != "VA"]
            hosts.append((*chosen, *(["VA"] if "VA" in names and filled else atoms), "VA")[0])
        return hosts

    @staticmethod
    def _misfit(data: dict[tuple[str, Any], Any], site: tuple[int, str]) -> Any:
        """Relative difference of the lattice parameter, from that itself or from the volume."""
        if ("LPX", site) in data:
            return data["LPX", site] / data["LPX", None] - 1
        return (data["V0", site] / data["V0", None]) ** (S.One / 3) - 1

    @property
    def endmember_reference_model(self) -> Model:
        """Reference of the ``_MIX`` properties, with the elastic energy of the endmembers."""
        reference = super().endmember_reference_model
        # pycalphad rebuilds this very class as its own reference, elastic term and
        # all, which would cancel that term from every _MIX property.
        # ESPEI excludes a contribution by setting it to zero, here and in the reference.
        excluded = self.models["elastic"] == 0
        reference.models["elastic"] = S.Zero if excluded else self._endmember_elastic
        return reference

    def _elastic_data(
        self, dbe: Database, host: list[str], crowds: list[list[str]], mixing: list[int]
    ) -> dict[tuple[str, Any], Any]:
        """Each parameter of the host (None) and of solutes; complete, defined and stable."""
        length = "LPX" if dbe.search(self._of("LPX", self._purity_test)) else "V0"
        solutes = [(i, name) for i in mixing for name in crowds[i] if name != host[i]]
        needed: list[tuple[str, Any]] = [
            (name, None) for name in dict.fromkeys((*PARAMETERS, length))
        ]
        needed += [(length, site) for site in solutes]
        data: dict[tuple[str, Any], Any] = {}
        missing: list[str] = []
        names = {key: self._named(key[1], host, mixing) for key in needed}
        for kind, site in needed:
            array = _with(host, site)
            parameters = [
                p["parameter"]
                for p in dbe.search(self._of(kind, self._purity_test))
                if all(
                    part[0].name in (name, "*")
                    for part, name in zip(p["constituent_array"], array, strict=True)
                )
            ]
            if parameters:
                data[kind, site] = self.symbol_replace(S(sum(parameters)), self._symbols)
            else:
                missing.append(f"{kind} of {names[kind, site]}")
        if missing:
            raise MissingElasticData(self._how_to_supply(dbe, missing))
        for site, excess in self._excess(dbe, length, host, solutes).items():
            data[length, site] += excess
        self._check_defined(data, names)
        self._check_stable(data, names)
        return data

    def _named(self, site: Any, host: list[str], mixing: list[int]) -> str:
        """How messages call the host or a solute in it: by its element if that is clear."""
        array = _with(host, site)
        return array[mixing[0]] if len(mixing) == 1 else ":".join(array)

    def _of(self, kind: str, test: Any) -> Any:
        return (
            (where("phase_name") == self.phase_name)
            & (where("parameter_type") == kind)
            & where("constituent_array").test(test)
        )

    def _excess(
        self, dbe: Database, kind: str, host: list[str], solutes: list[tuple[int, str]]
    ) -> dict[tuple[int, str], Any]:
        """What interactions add to the volume or length of each solute, dilute in the host."""
        if found := dbe.search(self._of("VA", self._array_validity)):
            array = found[0]["constituent_array"]
            names = ":".join(",".join(s.name for s in sublattice) for sublattice in array)
            raise ElasticDataError(
                f"{self.phase_name} has a thermal expansion, VA({self.phase_name},{names}): "
                "CoherentModel takes volumes from V0 alone, which may be an expression in T. "
                "Write V0*exp(VA) into V0, or leave VA out"
            )
        query = self._of(kind, self._interaction_test)
        if not dbe.search(query):
            return {}
        whole = S(self.redlich_kister_sum(dbe.phases[self.phase_name], dbe.search, query))
        pure = {
            v.SiteFraction(self.phase_name, i, species): S(int(species.name == host[i]))
            for i, sublattice in enumerate(self.constituents)
            for species in sublattice
        }
        return {
            site: self.symbol_replace(
                whole.diff(v.SiteFraction(self.phase_name, *site)).xreplace(pure), self._symbols
            )
            for site in solutes
        }

    def _check_defined(
        self, data: dict[tuple[str, Any], Any], names: dict[tuple[str, Any], str]
    ) -> None:
        fitted = {str(symbol) for symbol in self._parameters_arg or ()}
        for key, value in data.items():
            undefined = sorted(
                str(s)
                for s in value.free_symbols
                if not isinstance(s, v.StateVariable) and str(s) not in fitted
            )
            if undefined:
                # pycalphad would take an undefined symbol for zero without a word.
                raise ElasticDataError(
                    f"{key[0]} of {names[key]} in {self.phase_name} needs {', '.join(undefined)}, "
                    "which the database does not define: add the FUNCTION, or mend its spelling"
                )

    def _check_stable(
        self, data: dict[tuple[str, Any], Any], names: dict[tuple[str, Any], str]
    ) -> None:
        for (kind, site), value in data.items():
            if kind in CONSTANTS or value.free_symbols or float(value) > 0:
                continue
            unit = "m³/mol" if kind == "V0" else "m"
            name = f"{kind} of {names[kind, site]} in {self.phase_name}"
            raise ElasticDataError(f"{name} is {value} {unit}; it must be positive")
        constants = [data[name, None] for name in CONSTANTS]
        if not any(constant.free_symbols for constant in constants):
            CubicElasticity(*map(float, constants))

    def _how_to_supply(self, dbe: Database, missing: list[str]) -> str:
        there = {
            p["parameter_type"] for p in dbe.search(where("phase_name") == self.phase_name)
        } - {"G", "L"}
        has = f" (it has {', '.join(sorted(there))})" if there else ""
        return (
            f"{self.phase_name} lacks {', '.join(missing)}{has}: set them with "
            f"lina_calphad.set_elastic_data, or write PARAMETER lines as in tdb/LiNa_elastic.tdb. "
            f"CoherentModel is for the gap of one phase by itself: leave the others out"
        )


def _with(host: list[str], site: tuple[int, str] | None) -> list[str]:
    """The host with a solute on one of its sublattices."""
    return [site[1] if site and site[0] == index else name for index, name in enumerate(host)]


def _warn_of_others(phase: str) -> None:
    """Warn where pycalphad builds the models of other phases in the same call."""
    # It hands a model nothing of them. It makes all models of a call in one function, whose
    # argument is the one place at which they can be seen.
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not instantiate_models.__code__:
        frame = frame.f_back
    if frame is None:
        return
    others = sorted(set(map(str, frame.f_locals.get("phases", ()))) - {phase})
    if others:
        msg = (
            f"{phase} with CoherentModel in the gauge 'host' stands beside {', '.join(others)}: "
            "its pure solute carries the whole coherency energy, so that equilibria between them "
            "have no meaning. Take the plain Model, or CoherentModel for the gap of one phase"
        )
        warnings.warn(msg, UserWarning, stacklevel=2)


class EndmemberCoherentModel(CoherentModel):
    """`CoherentModel` in the gauge "endmembers", for programs that take a model by its name."""

    gauge = "endmembers"
