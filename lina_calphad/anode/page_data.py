"""What the page of an anode computes with: coefficients over temperature, where liquid is."""

from __future__ import annotations

import re
from dataclasses import asdict
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from pycalphad import variables as v
from scipy.special import logit, xlogy
from symengine import S

from lina_calphad.anode.charge import FARADAY, MAH, molar_mass, molar_volume
from lina_calphad.anode.figures import REGION_COLOURS
from lina_calphad.anode.map import MAP_T, solid_rows
from lina_calphad.anode.melting import MELTING_ERROR, liquid_ranges, melting_point
from lina_calphad.anode.potential import STATES
from lina_calphad.anode.side_by_side import is_shipped
from lina_calphad.anode.windows import BOUNDARIES, REGIONS
from lina_calphad.anode.words import LIGHTER, SENTENCES
from lina_calphad.data.assessments import COMPONENTS, PHASE, assessments
from lina_calphad.data.elasticity import CubicElasticity
from lina_calphad.data.interactions import free_interactions
from lina_calphad.errors import DatabaseError, OutsideAssessedRange, UnsupportedPhase
from lina_calphad.phase.energy import R
from lina_calphad.plots import FRACTIONS, KINDS
from lina_calphad.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.anode.diffusion import DepthProfile
    from lina_calphad.anode.results import Study
    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy

#: x0 that the page takes.
STARTS = (1e-4, 0.5)

_BELOW = 5.0  # K of nothing on the map, so that a path at its lowest temperature is whole
_ROOM = 300.0  # K, at which constants that depend on temperature are quoted
_LEVELS = np.arange(MAP_T[0], MAP_T[1] + 1)
_TOLERANCE = 1e-6  # in J/mol
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_WIDEST = 30.0  # of ln(x/(1-x)) on the map


def numbers(study: Study) -> dict[str, Any]:
    """What the scripts of the page compute and draw with."""
    alloys = [study.description, *study.others]
    span = _span(alloys)
    shares = study.verdicts[["assessment", "T", "coherent_gap"]].set_axis(
        ["assessment", "T", "share"], axis="columns"
    )
    return {
        "R": R, "volt": 1e3 * R / FARADAY, "bottom": MAP_T[0], "boundaries": BOUNDARIES,
        "nodes": ((1 + _NODES) / 2).tolist(), "weights": (_WEIGHTS / 2).tolist(),
        "span": span, "temperatures": (MAP_T[0] - _BELOW, MAP_T[1]), "ticks": _ticks(span),
        "lighter": LIGHTER, "charge": FARADAY / MAH, "density": study.density,
        "thickness": study.thickness, "sentences": SENTENCES,
        "assessments": {
            alloy.name: of_alloy(alloy, span) | {"draws": {} if i else _draws(study)}
            for i, alloy in enumerate(alloys)
        },
        "regions": [asdict(region) | {"colour": REGION_COLOURS[region.key]} for region in REGIONS],
        "shares": shares.dropna().to_dict("records"),
        "bands": _volt_bands(study),
        "profiles": [_profile(profile) for profile in study.profiles],
    }  # fmt: skip


def of_alloy(alloy: Alloy, span: tuple[float, float]) -> dict[str, Any]:
    """What depends on the assessment."""
    melting = melting_point(alloy, STARTS[0], *MAP_T)
    if melting == MAP_T[0]:
        raise OutsideAssessedRange(
            f"{alloy.name} has liquid at {MAP_T[0]:g} K: the page is that of a solid"
        )
    name, modulus = stiffness(alloy)
    top = min(MAP_T[1], np.floor(melting - MELTING_ERROR))
    return {
        "L": _interactions(alloy), "B": _column(_coherency(alloy)), "stiffness": name,
        "modulus": modulus, "melting": min(MAP_T[1], melting), "top": top,
        "liquid": _liquid(alloy, melting, span), "volume": _volumes(alloy),
        "mass": [molar_mass(alloy, element) for element in COMPONENTS],
        "cited": printable(f"{alloy.name}: {assessments()[alloy.name].citation}"
                           if is_shipped(alloy) else alloy.name),
    }  # fmt: skip


def _volt_bands(study: Study) -> list[dict[str, Any]]:
    """Between which potentials 68 % of the draws lie, by state, at each temperature."""
    if not study.draws:
        return []
    found = []
    for T, rows in study.voltage.groupby("T"):
        some = rows.iloc[::4]
        edges = {
            state: [some[f"E_{state}_{side}_68_mV"].round(6).tolist() for side in ("low", "high")]
            for state in STATES
        }
        found.append({"T": T, "q": some["q"].tolist(), "edges": edges})
    return found


def _profile(profile: DepthProfile) -> dict[str, Any]:
    """Composition over depth in µm, as few points as a line needs."""
    lines = []
    for q, depth, x in zip(profile.q[::2], profile.depth[::2], profile.x[::2], strict=True):
        t = logit(np.clip(x, 1e-9, 1 - 1e-9))
        even = np.searchsorted(depth, np.linspace(0, depth[-1], 40))
        some = np.unique(np.concatenate([even, np.arange(0, x.size, 40), [x.size - 1]]))
        lines.append({"q": float(q), "at": (1e6 * depth[some]).round(4).tolist(),
                      "t": t[some].round(4).tolist()})  # fmt: skip
    return {"T": profile.T, "lines": lines}


def _span(alloys: Sequence[Alloy]) -> tuple[float, float]:
    """Both ends of the map in t: the chemical binodal at its bottom, and all x0."""
    least = float(logit(STARTS[0]))
    low, high = np.transpose([alloy.chemical.logits("binodal", MAP_T[0]) for alloy in alloys])
    start, end = np.nanmin([*low, least]), np.nanmax([*high, -least])
    return max(float(start), -_WIDEST) - 1.0, min(float(end), _WIDEST) + 1.0


def _ticks(span: tuple[float, float]) -> list[tuple[float, str]]:
    """Places on the horizontal axis, in t, and their labels."""
    dilute = {10.0**-n: "10⁻" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] for c in str(n)) for n in range(3, 14)}
    names = {**FRACTIONS, **dilute, 0.9999: "0.9999"}
    ticks = [(float(logit(x)), name) for x, name in sorted(names.items())]
    return [(t, name) for t, name in ticks if span[0] < t < span[1]]


def _liquid(alloy: Alloy, melting: float, span: tuple[float, float]) -> list[dict[str, Any]]:
    """Where liquid is: temperatures, and both ends in t."""
    if melting > MAP_T[1]:
        return []
    T = np.linspace(melting + MELTING_ERROR, MAP_T[1], 40)
    with np.errstate(divide="ignore"):
        t = np.clip(logit(liquid_ranges(alloy, T)), *span)
    return [_field(T, *ends.T) for ends in t]


def _field(T: Array, *edges: Array) -> dict[str, list[Any]]:
    low, high = ([None if np.isnan(t) else t for t in edge.tolist()] for edge in edges)
    return {"T": T.tolist(), "low": low, "high": high}


def _draws(study: Study) -> dict[str, Any]:
    """Between which t 68 % of the draws have each boundary, up to where liquid forms."""
    if study.spread is None:
        return {}
    T, found = study.spread.T, {}
    at = (MAP_T[0] <= T) & (study.chart["T"][solid_rows(study.chart)].max() >= T)
    for kind, (side, branch) in product(KINDS, enumerate(("alpha", "beta"))):
        found[f"{kind} {branch}"] = _field(T[at], *study.spread.t[kind][[1, 3], side][:, at])
    return found


def _interactions(alloy: Alloy) -> list[list[float]]:
    """Coefficients a, b, c of each Redlich-Kister parameter a + bT + cT ln T, by order."""
    T, x = np.array([[MAP_T[0]], [_ROOM], [MAP_T[1]]]), np.linspace(0.02, 0.98, 13)
    try:
        free = free_interactions(alloy.dbf, PHASE, COMPONENTS)[1]
    except DatabaseError as error:
        raise UnsupportedPhase(f"{alloy.name}: the page cannot take {error}") from error
    parts = [re.fullmatch(r".*L(\d+)([ABC]?)", name) for name in free]
    found = np.zeros((1 + max(int(part[1]) for part in parts if part), 3))
    for part, value in zip(parts, free.values(), strict=True):
        assert part is not None
        found[int(part[1]), "ABC".index(part[2] or "A")] = value
    ideal = R * T * (xlogy(x, x) + xlogy(1 - x, 1 - x))
    pure = [alloy.chemical.gibbs_energy(T, end) for end in (0.0, 1.0)]
    excess = alloy.chemical.gibbs_energy(T, x) - (1 - x) * pure[0] - x * pure[1] - ideal
    L = (np.concatenate([T**0, T, T * np.log(T)], axis=1) @ found.T)[:, :, None]
    series = (L * (1 - 2 * x) ** np.arange(len(found))[:, None]).sum(axis=1) * x * (1 - x)
    if not np.abs(excess - series).max() < _TOLERANCE:
        raise UnsupportedPhase(
            f"{PHASE} of {alloy.name} is off by {np.abs(excess - series).max():.2g} J/mol from the "
            "Redlich-Kister series of its parameters, which is what the page can solve"
        )
    fine = np.linspace(0, 1, 802)[1:-1]
    # Coherency adds 2B to G'': one gap at most for every modulus if G'' has one minimum.
    curvature = alloy.chemical.stability(_LEVELS[::20, None], fine) / (fine * (1 - fine))
    middle = curvature[:, 1:-1]
    least = (middle < 0) & (middle <= curvature[:, :-2]) & (middle < curvature[:, 2:])
    if (least.sum(axis=1) > 1).any():
        raise UnsupportedPhase(f"{PHASE} of {alloy.name} can have several gaps: the page draws one")
    coefficients: list[list[float]] = found.tolist()
    return coefficients


def _coherency(alloy: Alloy) -> Array:
    """B of the coherency energy B x² in J/mol over `_LEVELS`, in whatever gauge."""
    x, T = np.linspace(0.1, 0.9, 5), _LEVELS[:, None]
    psi = alloy.coherent.stability(T, x) - alloy.chemical.stability(T, x)
    found = R * T * psi / (2 * x * (1 - x))
    if np.ptp(found, axis=1).max() > _TOLERANCE:
        raise UnsupportedPhase(
            f"the coherency energy of {alloy.name} is not B x²: the page scales its B"
        )
    mean: Array = found.mean(axis=1)
    return mean


def _column(values: Array) -> list[float]:
    """Values over `_LEVELS`; one of them where they are the same."""
    same = np.ptp(values) <= 1e-12 * np.abs(values).max()
    shown: list[float] = values[:1].tolist() if same else values.tolist()
    return shown


def stiffness(alloy: Alloy) -> tuple[str, float]:
    """What stands for the stiffness of the host, and its value in GPa."""
    model: Any = alloy.coherent.model(alloy.dbf, [*COMPONENTS, "VA"], PHASE)
    stiffnesses = [S(each) for each in model.constants.values()]
    c = CubicElasticity(*(float(each.xreplace({v.T: S(_ROOM)})) for each in stiffnesses))
    at = f" at {_ROOM:g} K" if any(each.free_symbols for each in stiffnesses) else ""
    if abs(c.zener_ratio - 1) < 1e-6:
        young = (c.c11 - c.c12) * (c.c11 + 2 * c.c12) / (c.c11 + c.c12)
        return f"Young's modulus E{at}", round(young, 9)
    plane = " ".join(f"{index:g}" for index in model.plane)
    return f"Biaxial modulus Y along [{plane}]{at}", round(c.biaxial_modulus(model.plane), 9)


def _volumes(alloy: Alloy) -> list[list[float]]:
    """Molar volumes of Li and Na in m³/mol over `_LEVELS`."""
    T, x = np.meshgrid(_LEVELS, [0.0, 0.5, 1.0])
    lithium, middle, sodium = molar_volume(alloy, x, T)
    if not np.allclose(middle, (lithium + sodium) / 2, rtol=1e-9, atol=0):
        raise UnsupportedPhase(
            f"the molar volume of {PHASE} of {alloy.name} is not linear in composition, as the "
            "page takes it"
        )
    return [_column(lithium), _column(sodium)]
