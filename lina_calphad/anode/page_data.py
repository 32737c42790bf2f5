"""What the page of an anode computes with: coefficients over temperature, where liquid is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from pycalphad import variables as v
from scipy.special import logit, xlogy
from symengine import S

from lina_calphad.anode.charge import FARADAY, MAH, molar_mass, molar_volume
from lina_calphad.anode.figures import REGION_COLOURS
from lina_calphad.anode.melting import MELTING_ERROR, liquid_ranges
from lina_calphad.anode.tables import MAP_T
from lina_calphad.anode.windows import BOUNDARIES, REGIONS
from lina_calphad.data.assessments import COMPONENTS, PHASE
from lina_calphad.data.elasticity import CubicElasticity
from lina_calphad.errors import UnsupportedPhase
from lina_calphad.phase.energy import R
from lina_calphad.plots import FRACTIONS

if TYPE_CHECKING:
    from lina_calphad.anode.summary import Study
    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy

#: x0 that the page takes.
STARTS = (1e-4, 0.5)

_BELOW = 5.0  # K of nothing on the map, so that a path at its lowest temperature is whole
_ROOM = 300.0  # K, at which constants that depend on temperature are quoted
_LEVELS = np.arange(MAP_T[0], MAP_T[1] + 1)
_ORDERS = 6  # Redlich-Kister terms that the page takes
_TOLERANCE = 1e-6  # in J/mol
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_WIDEST = 30.0  # of ln(x/(1-x)) on the map


def numbers(study: Study, modulus: float, melting: float | None) -> dict[str, Any]:
    """What the scripts of the page compute and draw with."""
    alloy = study.description
    end = MAP_T[1] if melting is None else melting
    span, foil = _span(alloy), study.path.foil.thickness
    given = study.density is not None
    return {
        "R": R, "bottom": MAP_T[0], "L": _interactions(alloy).tolist(),
        "B": _coherency(alloy).tolist(), "modulus": modulus,
        "nodes": ((1 + _NODES) / 2).tolist(), "weights": (_WEIGHTS / 2).tolist(),
        "span": span, "temperatures": (MAP_T[0] - _BELOW, MAP_T[1]), "ticks": _ticks(span),
        "rows": [*_LEVELS[end > _LEVELS].tolist(), end], "boundaries": BOUNDARIES,
        "liquid": _liquid(alloy, melting, span), "draws": _draws(study, end),
        "mass": [molar_mass(alloy, element) for element in COMPONENTS],
        # Of the elements as the command has them, for shares by weight.
        "lighter": float(np.divide(*(atomic_masses[atomic_numbers[e.title()]]
                                     for e in COMPONENTS))),
        "charge": FARADAY / MAH, "density": study.density,
        "thickness": None if foil is None else float(foil.flat[0]),
        "volume": None if foil is None or given else _volumes(alloy),
        "regions": [
            {"key": r.key, "name": r.name, "meaning": r.meaning, "colour": REGION_COLOURS[r.key]}
            for r in REGIONS
        ],
    }  # fmt: skip


def _span(alloy: Alloy) -> tuple[float, float]:
    """Both ends of the map in t: the chemical binodal at its bottom, and all x0."""
    low, high = alloy.chemical.logits("binodal", MAP_T[0])
    least = float(logit(STARTS[0]))
    ends = np.fmin(low, least), np.fmax(high, -least)
    return max(float(ends[0]), -_WIDEST) - 1.0, min(float(ends[1]), _WIDEST) + 1.0


def _ticks(span: tuple[float, float]) -> list[tuple[float, str]]:
    """Places on the horizontal axis, in t, and their labels."""
    dilute = {10.0**-n: "10" + "".join("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".index(c)] for c in str(-n))
              for n in range(3, 14)}  # fmt: skip
    names = {**FRACTIONS, **dilute, 0.9999: "0.9999"}
    ticks = [(float(logit(x)), name) for x, name in sorted(names.items())]
    return [(t, name) for t, name in ticks if span[0] < t < span[1]]


def _liquid(
    alloy: Alloy, melting: float | None, span: tuple[float, float]
) -> list[dict[str, list[float]]]:
    """Fields of liquid: temperatures, and both ends in t."""
    if melting is None:
        return []
    T = np.linspace(melting + MELTING_ERROR, MAP_T[1], 40)
    with np.errstate(divide="ignore"):
        t = np.clip(logit(liquid_ranges(alloy, T)), *span)
    return [_field(T, *ends) for ends in t.transpose(1, 2, 0)]


def _field(T: Array, low: Array, high: Array) -> dict[str, list[float]]:
    there = ~(np.isnan(low) | np.isnan(high))
    return {"T": T[there].tolist(), "low": low[there].tolist(), "high": high[there].tolist()}


def _draws(study: Study, end: float) -> dict[str, Any]:
    """Between which t 68 % of the draws have each boundary, up to where liquid forms."""
    if study.spread is None:
        return {}
    T, found = study.spread.T, {}
    at = (MAP_T[0] <= T) & (end >= T)
    for name in BOUNDARIES:
        kind, _, branch = name.rpartition(" ")
        edges = study.spread.t[kind][[1, 3], 0 if branch == "alpha" else 1]
        found[name] = _field(T[at], *edges[:, at])
    return found


def _interactions(alloy: Alloy) -> Array:
    """Redlich-Kister coefficients in J/mol, one row an order, over `_LEVELS`."""
    solution, T = alloy.chemical, _LEVELS[:, None]
    x = (1 - 0.96 * np.cos(np.pi * (np.arange(2 * _ORDERS) + 0.5) / (2 * _ORDERS))) / 2
    ideal = R * T * (xlogy(x, x) + xlogy(1 - x, 1 - x))
    pure = [solution.gibbs_energy(T, end) for end in (0.0, 1.0)]
    excess = solution.gibbs_energy(T, x) - (1 - x) * pure[0] - x * pure[1] - ideal
    powers = np.vander(1 - 2 * x, _ORDERS, increasing=True)
    found = np.linalg.lstsq(powers, (excess / (x * (1 - x))).T)[0]
    off = float(np.abs(x * (1 - x) * (powers @ found).T - excess).max())
    if off > _TOLERANCE:
        msg = (
            f"{PHASE} of {alloy.name} is off by {off:.2g} J/mol from any Redlich-Kister "
            f"series up to order {_ORDERS - 1}, which is what the page can solve"
        )
        raise UnsupportedPhase(msg)
    fine = np.linspace(0, 1, 802)[1:-1]
    # Coherency adds 2B to G'': one gap at most for every modulus if G'' has one minimum.
    curvature = solution.stability(T, fine) / (fine * (1 - fine))
    middle = curvature[:, 1:-1]
    least = (middle < 0) & (middle <= curvature[:, :-2]) & (middle < curvature[:, 2:])
    if (least.sum(axis=1) > 1).any():
        msg = f"{PHASE} of {alloy.name} can have several gaps: the page draws one"
        raise UnsupportedPhase(msg)
    orders = np.flatnonzero(np.abs(found).max(axis=1) > _TOLERANCE)
    # As many decimals as the energies have.
    return np.asarray(found[: orders[-1] + 1 if orders.size else 1].round(8), dtype=float)


def _coherency(alloy: Alloy) -> Array:
    """B of the coherency energy B x² in J/mol over `_LEVELS`, in whatever gauge."""
    x, T = np.linspace(0.1, 0.9, 5), _LEVELS[:, None]
    psi = alloy.coherent.stability(T, x) - alloy.chemical.stability(T, x)
    found = R * T * psi / (2 * x * (1 - x))
    if np.ptp(found, axis=1).max() > _TOLERANCE:
        msg = f"the coherency energy of {alloy.name} is not B x²: the page scales its B"
        raise UnsupportedPhase(msg)
    mean: Array = found.mean(axis=1)
    return mean


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
        msg = (
            f"the molar volume of {PHASE} of {alloy.name} is not linear in composition: "
            "give the density"
        )
        raise UnsupportedPhase(msg)
    return [lithium.tolist(), sodium.tolist()]
