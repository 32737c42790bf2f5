"""Where a Li-Na alloy stands at (x, T): single phase, held by coherency, unmixing or molten."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd
from pycalphad import Database

from lina_calphad.checks import fraction, kelvin
from lina_calphad.data.assessments import PREFERRED, Source, read, short_names
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.phase.bands import region_probability
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.results import span
from lina_calphad.plots import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from lina_calphad.checks import Array, Flags
    from lina_calphad.phase.draws import ParameterDraws

    P = ParamSpec("P")
    Result = TypeVar("Result")


@dataclass(frozen=True)
class Region:
    """What can happen to a homogeneous alloy.

    Parameters
    ----------
    key
        Name for programs.
    name
        Name for people.
    meaning
        One sentence.
    """

    key: str
    name: str
    meaning: str


#: Every region; results hold indices in this tuple. The curves that enclose a point say which.
REGIONS = (
    Region(
        "single", "single phase",
        "Outside the chemical binodal: one bcc solution is the stable solid.",
    ),
    Region(
        "held", "held by coherency",
        "Inside the chemical binodal alone: a metastable solution that can unmix only into "
        "phases without coherency strain, and these must nucleate.",
    ),
    Region(
        "held_unstable", "coherency prevents unmixing",
        "Inside the chemical spinodal, outside the coherent binodal: free of coherency strain "
        "it would unmix without a barrier; while the lattices stay coherent it does not.",
    ),
    Region(
        "nucleation", "coherent nucleation",
        "Inside the coherent binodal, outside both spinodals: coherent precipitates lower the "
        "energy, but must nucleate.",
    ),
    Region(
        "incoherent_spinodal", "spinodal only if incoherent",
        "Inside coherent binodal and chemical spinodal: coherent precipitates must nucleate, "
        "only without coherency strain does it unmix without a barrier.",
    ),
    Region(
        "coherent_spinodal", "spontaneous coherent unmixing",
        "Inside the coherent spinodal: it unmixes without a barrier, lattices coherent.",
    ),
    Region(
        "liquid", "liquid present",
        "Liquid takes part in the equilibrium of stress-free phases, alone or beside bcc.",
    ),
)  # fmt: skip

NAMES = {region.key: region.name for region in REGIONS}
_KEYS = np.array([*NAMES])

#: Ends of every curve, such as "coherent spinodal alpha": alpha is the Li-rich end.
BOUNDARIES = tuple(f"{kind} {branch}" for kind in KINDS for branch in ("alpha", "beta"))


def boundary_name(boundary: str) -> str:
    """Name for people of one of `BOUNDARIES`.

    Examples
    --------
    >>> boundary_name("coherent spinodal alpha")
    'coherent spinodal, Li side'
    """
    return boundary.replace(" alpha", ", Li side").replace(" beta", ", Na side")


@dataclass(frozen=True, eq=False)
class Regions:
    """The region of each point, with the boundaries at its temperature.

    Every array has the shape to which composition and temperature broadcast.

    Parameters
    ----------
    assessment
        Its name.
    x, T
        Mole fraction of Na and temperature in K.
    code
        Index of the region in `REGIONS`.
    liquid
        Whether liquid is present; None if the database has no LIQUID: nothing melts then.
    boundaries
        Mole fraction of Na of each of `BOUNDARIES`, NaN where there is no gap.
    probability
        Share of the draws for which the point lies in a region, by key; NaN where
        liquid is present. Empty without draws.
    """

    assessment: str
    x: Array
    T: Array
    code: NDArray[np.intp]
    liquid: Flags | None
    boundaries: Mapping[str, Array]
    probability: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        if self.code.size == 0:
            return f"<Regions of {self.assessment} at no point>"
        keys, counts = np.unique(self.key, return_counts=True)
        found = ", ".join(f"{n} {key}" for key, n in zip(keys, counts, strict=True))
        return f"<Regions of {self.assessment} at {span(self.T)}: {found}>"

    @property
    def key(self) -> NDArray[np.str_]:
        """Key of each region."""
        return keys(self.code)

    def to_dataframe(self) -> pd.DataFrame:
        """One row a point; a missing value where there is no boundary or probability."""
        columns = {"assessment": self.assessment, "x": self.x, "T": self.T, "region": self.key}
        columns |= {"name": np.array([*NAMES.values()])[self.code], **self.boundaries}
        return tidy(columns | {f"p_{key}": share for key, share in self.probability.items()})


def tidy(columns: Mapping[str, Any]) -> pd.DataFrame:
    """One row a point, of columns that broadcast together."""
    wide = np.broadcast_arrays(*columns.values())
    return pd.DataFrame({name: a.ravel() for name, a in zip(columns, wide, strict=True)})


def keys(code: NDArray[np.intp]) -> NDArray[np.str_]:
    """Keys of regions, from indices in `REGIONS`."""
    return _KEYS[code]


def source_first(function: Callable[P, Result]) -> Callable[P, Result]:
    """Let the source come first, too, as in the command: study("santos2025", x0=0.05)."""

    @wraps(function)
    def either(*arguments: Any, **options: Any) -> Result:
        if arguments and isinstance(arguments[0], str | os.PathLike | Database | Alloy):
            call: Any = function
            result: Result = call(*arguments[1:], source=arguments[0], **options)
            return result
        return function(*arguments, **options)

    return either


def describe(
    source: Source | Database | Alloy, model: type[CoherentModel] = CoherentModel
) -> Alloy:
    """The chemical and coherent bcc solution of an assessment, to be used many times.

    Parameters
    ----------
    source
        Key of an assessment, path of a TDB file (which takes the shipped elastic data if
        it has none), a Database with elastic data of its own, or an Alloy, which is
        returned as it is.
    model
        What coherency costs, such as a subclass of `CoherentModel` with another plane.

    Raises
    ------
    UnknownAssessment, DatabaseError
        If the source cannot be used.
    ElasticDataError
        If a Database lacks elastic data, or they make no sense.
    """
    if isinstance(source, Alloy):
        return source
    if not isinstance(source, str | os.PathLike):
        return Alloy.of("database", source, model)
    dbf, origin = read(source)
    return replace(Alloy.of(short_names([source])[0], dbf, model), note=origin.elastic)


@source_first
def regions(
    x: ArrayLike,
    T: ArrayLike,
    source: Source | Database | Alloy = PREFERRED,
    *,
    draws: tuple[Database, ParameterDraws] | None = None,
) -> Regions:
    """What can happen to a homogeneous bcc alloy, from the curves that enclose it.

    Coherent curves lie inside the chemical ones of their kind, but the coherent binodal
    may lie inside or outside the chemical spinodal, and at one temperature do so on one
    side and not on the other. Where there is no coherent gap there are fewer regions.

    Parameters
    ----------
    x, T
        Mole fraction of Na, from 0 to 1, and temperature in K, broadcast together.
    source
        As of `describe`; it may also come first.
    draws
        A database with uncertain parameters as symbols and draws of them, as from
        `lina_calphad.phase.draws.source_draws`: probabilities of the regions of the
        solid are computed too.

    Returns
    -------
    Regions

    Raises
    ------
    SeveralMiscibilityGaps, NotConverged
        As `BinarySolution.binodal`.
    ValueError
        If a mole fraction does not lie between 0 and 1, or a temperature is not positive.
    UnknownAssessment, DatabaseError, ElasticDataError
        As `describe`.

    Examples
    --------
    >>> found = regions("santos2025", [1e-5, 1e-3, 0.02, 0.05, 0.3, 0.82], 300.0)
    >>> found.key.tolist()[:3]
    ['single', 'held', 'nucleation']
    >>> found.key.tolist()[3:]
    ['incoherent_spinodal', 'coherent_spinodal', 'held_unstable']
    >>> float(found.boundaries["coherent spinodal alpha"][0].round(4))
    0.058
    """
    alloy = describe(source)
    T, x = np.broadcast_arrays(kelvin(T), fraction(x))
    ends, liquid = curve_ends(alloy, T), alloy.liquid_present(x, T)
    probability = {}
    if draws:
        models = {kind: solution.model for kind, solution in alloy.solutions.items()}
        probability = region_probability(*draws, T, x, kinds=models, inside=_solid_regions)
        for share in probability.values():
            share[np.zeros(x.shape, bool) if liquid is None else liquid] = np.nan
    code = classify(x, ends, liquid)
    return Regions(
        alloy.name, x, T, code, liquid, MappingProxyType(ends), MappingProxyType(probability)
    )


def curve_ends(alloy: Alloy, T: Array) -> dict[str, Array]:
    """Mole fraction at each of `BOUNDARIES`, of the shape of T; NaN where there is no gap."""
    levels, back = np.unique(T, return_inverse=True)
    ends: dict[str, Array] = {}
    for kind in KINDS:
        which, curve = kind.split()
        pair = alloy.solutions[which].ends(curve, levels)[:, back.reshape(np.shape(T))]
        ends |= _by_name(kind, pair)
    return ends


def _by_name(kind: str, pair: Array) -> dict[str, Array]:
    return {f"{kind} alpha": pair[0], f"{kind} beta": pair[1]}


def classify(x: Array, ends: Mapping[str, Array], liquid: Flags | None = None) -> NDArray[np.intp]:
    """Index in `REGIONS` of each point; a point on a boundary counts with what lies beyond it."""

    def inside(kind: str) -> Flags:
        # A comparison with NaN, where there is no gap, is false; pure Li is never inside, even
        # where the solubility is too small for a double.
        return (ends[f"{kind} alpha"] <= x) & (x < ends[f"{kind} beta"]) & (x > 0)

    coherent, chemical = inside("coherent binodal"), inside("chemical spinodal")
    conditions = {
        "liquid": np.False_ if liquid is None else liquid,
        "coherent_spinodal": inside("coherent spinodal"),
        "incoherent_spinodal": coherent & chemical,
        "nucleation": coherent,
        "held_unstable": chemical,
        "held": inside("chemical binodal"),
    }
    flags = np.broadcast_arrays(*conditions.values())
    return np.select(flags, [[*NAMES].index(key) for key in conditions], 0)


def _solid_regions(x: Array, ends: Mapping[str, Array]) -> dict[str, Flags]:
    boundaries: dict[str, Array] = {}
    for kind, pair in ends.items():
        boundaries |= _by_name(kind, pair)
    codes = classify(x, boundaries)
    return {key: codes == i for i, key in enumerate(NAMES) if key != "liquid"}
