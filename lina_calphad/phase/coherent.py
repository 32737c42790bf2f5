"""CoherentModel: Cahn's coherency energy as a contribution of pycalphad's Model."""

from __future__ import annotations

import inspect
import warnings
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pycalphad import Model
from pycalphad import variables as v
from pycalphad.core.utils import instantiate_models
from symengine import Add, S
from tinydb import where

from lina_calphad.data.databases import CONSTANTS, PARAMETERS, mixing_sublattice
from lina_calphad.data.elasticity import CubicElasticity, biaxial_modulus
from lina_calphad.errors import ElasticDataError, MissingElasticData

if TYPE_CHECKING:
    from pycalphad import Database


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
    of the host, with any dependence on temperature. The theory pages have the reasons.

    Tune it by subclassing, which pycalphad and ESPEI can carry everywhere:

    >>> class Along111(CoherentModel):
    ...     plane = (1, 1, 1)

    Attributes
    ----------
    host : str or None
        Element whose lattice is the reference; the alphabetically first of the phase if None.
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
        Y V_host times the square of the difference of their misfits.
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
        If more than one sublattice mixes, or vacancies mix with atoms.

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

    host: ClassVar[str | None] = None
    plane: ClassVar[tuple[float, float, float]] = (1, 0, 0)
    gauge: ClassVar[Literal["host", "endmembers"]] = "host"

    def build_phase(self, dbe: Database) -> None:
        """Build the phase; then its attribute `elastic_energy` is the energy, not the recipe."""
        super().build_phase(dbe)
        self.__dict__["elastic_energy"] = self.models["elastic"]

    def elastic_energy(self, dbe: Database) -> Any:
        """Elastic energy of coherent unmixing, in J/mol of atoms (the paper's eq. 12)."""
        if self.gauge not in ("host", "endmembers"):
            msg = f'gauge is "host" or "endmembers"; got {self.gauge!r}'
            raise ElasticDataError(msg)
        index = mixing_sublattice(dbe, self.phase_name, {s.name for s in self.components})
        elements = sorted(species.name for species in self.constituents[index])
        if len(elements) == 1:
            self.coherency, self.constants, self._endmember_elastic = {}, {}, S.Zero
            return S.Zero
        host = elements[0] if self.host is None else self.host.upper()
        if host not in elements:
            msg = f"the host {host} is not among {', '.join(elements)} of {self.phase_name}"
            raise ElasticDataError(msg)
        solutes = [element for element in elements if element != host]
        y = {element: v.SiteFraction(self.phase_name, index, element) for element in elements}
        data = self._elastic_data(dbe, index, host, solutes)
        self.constants = {name: data[name, host] for name in CONSTANTS}
        c11, c12, c44 = self.constants.values()
        stiffness = biaxial_modulus(c11, c12, c44, self.plane) * 1e9 * data["V0", host]
        misfit = {host: S.Zero} | {
            element: (data["V0", element] / data["V0", host]) ** (S.One / 3) - 1
            for element in solutes
        }
        self.coherency = {
            (i, j): stiffness * (misfit[i] - misfit[j]) ** 2 for i, j in combinations(elements, 2)
        }
        atoms = self._site_ratio_normalization
        if self.gauge == "endmembers":
            # What is left of (sum chi x)^2 when its endmember values are taken off.
            self._endmember_elastic = S.Zero
            return -Add(*(y[i] * y[j] * b for (i, j), b in self.coherency.items())) / atoms
        _warn_of_others(self.phase_name)
        self._endmember_elastic = (
            stiffness * Add(*(misfit[e] ** 2 * y[e] for e in elements)) / atoms
        )
        return stiffness * Add(*(misfit[e] * y[e] for e in elements)) ** 2 / atoms

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
        self, dbe: Database, index: int, host: str, solutes: list[str]
    ) -> dict[tuple[str, str], Any]:
        """Each parameter at each pure element; complete, defined and stable, or an error."""
        data: dict[tuple[str, str], Any] = {}
        missing: list[str] = []
        needed = [(name, host) for name in PARAMETERS] + [("V0", element) for element in solutes]
        for name, element in needed:
            parameters = [
                p["parameter"]
                for p in dbe.search(
                    (where("phase_name") == self.phase_name)
                    & (where("parameter_type") == name)
                    & where("constituent_array").test(self._purity_test)
                )
                if p["constituent_array"][index][0].name in (element, "*")
            ]
            if parameters:
                data[name, element] = self.symbol_replace(S(sum(parameters)), self._symbols)
            else:
                missing.append(f"{name} of {element}")
        if missing:
            raise MissingElasticData(self._how_to_supply(dbe, missing))
        for element, excess in self._excess_volumes(dbe, index, host, solutes).items():
            data["V0", element] += excess
        self._check_defined(data)
        self._check_stable(data, host)
        return data

    def _excess_volumes(
        self, dbe: Database, index: int, host: str, solutes: list[str]
    ) -> dict[str, Any]:
        """What interactions add to the partial molar volume of each solute, dilute in the host."""

        def of(kind: str, test: Any) -> Any:
            return (
                (where("phase_name") == self.phase_name)
                & (where("parameter_type") == kind)
                & where("constituent_array").test(test)
            )

        if found := dbe.search(of("VA", self._array_validity)):
            array = found[0]["constituent_array"]
            names = ":".join(",".join(s.name for s in sublattice) for sublattice in array)
            msg = (
                f"{self.phase_name} has a thermal expansion, VA({self.phase_name},{names}): "
                "CoherentModel takes volumes from V0 alone, which may be an expression in T. "
                "Write V0*exp(VA) into V0, or leave VA out"
            )
            raise ElasticDataError(msg)
        if not dbe.search(of("V0", self._interaction_test)):
            return {}
        volume = self.redlich_kister_sum(
            dbe.phases[self.phase_name], dbe.search, of("V0", self._interaction_test)
        )
        pure = {
            v.SiteFraction(self.phase_name, i, species): S(int(species.name in (host, "VA")))
            for i, sublattice in enumerate(self.constituents)
            for species in sublattice
        }
        return {
            element: self.symbol_replace(
                S(volume).diff(v.SiteFraction(self.phase_name, index, element)).xreplace(pure),
                self._symbols,
            )
            for element in solutes
        }

    def _check_defined(self, data: dict[tuple[str, str], Any]) -> None:
        fitted = {str(symbol) for symbol in self._parameters_arg or ()}
        for (name, element), value in data.items():
            undefined = sorted(
                str(s)
                for s in value.free_symbols
                if not isinstance(s, v.StateVariable) and str(s) not in fitted
            )
            if undefined:
                # pycalphad would take an undefined symbol for zero without a word.
                msg = (
                    f"{name} of {element} in {self.phase_name} needs {', '.join(undefined)}, "
                    "which the database does not define: add the FUNCTION, or mend its spelling"
                )
                raise ElasticDataError(msg)

    def _check_stable(self, data: dict[tuple[str, str], Any], host: str) -> None:
        for (name, element), value in data.items():
            if name == "V0" and not value.free_symbols and not float(value) > 0:
                msg = f"V0 of {element} in {self.phase_name} is {value} m³/mol; it must be positive"
                raise ElasticDataError(msg)
        constants = [data[name, host] for name in CONSTANTS]
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
