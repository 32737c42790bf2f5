"""What the page of an anode computes with: coefficients over temperature, and where liquid is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from pycalphad import variables as v
from scipy import constants
from scipy.optimize import bisect
from scipy.special import expit, logit, xlogy
from symengine import S

from lina_calphad.anode.boundaries import BOUNDARIES
from lina_calphad.anode.stripping import molar_volume
from lina_calphad.anode.windows import REGIONS
from lina_calphad.data.elasticity import CubicElasticity
from lina_calphad.data.sources import COMPONENTS, PHASE
from lina_calphad.errors import NoMiscibilityGap, OutsideAssessedRange, UnsupportedPhase
from lina_calphad.phase.energy import R

if TYPE_CHECKING:
    from lina_calphad.checks import Array, Flags
    from lina_calphad.phase.alloy import Alloy

#: Ranges of x0 and of temperature in K that the page shows.
STARTS = (1e-4, 0.5)
TEMPERATURES = (200.0, 400.0)
#: Error of a melting temperature in K.
MELTING_ERROR = 0.01

_LEVELS = np.arange(TEMPERATURES[0], TEMPERATURES[1] + 1)
_ORDERS = 6  # Redlich-Kister terms that the page takes
_TOLERANCE = 1e-6  # in J/mol
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_WAY = expit(np.linspace(logit(STARTS[0]), 15, 49))
_COLUMNS = 480  # of the map, in which liquid is looked for
_WIDEST = 30.0  # of t on the map
_ROOM = 300.0  # K, at which constants that depend on temperature are quoted


def numbers(
    description: Alloy,
    melting: float | None,
    modulus: float,
    thickness: float | None,
    density: float | None,
) -> dict[str, Any]:
    """What the scripts of the page compute with, but for how it looks."""
    end = TEMPERATURES[1] if melting is None else melting
    span = _span(description)
    liquid = [] if melting is None else _liquid(description, melting, span)
    volume = None if thickness is None or density is not None else _volumes(description)
    return {
        "R": R, "bottom": _LEVELS[0], "L": _interactions(description).tolist(),
        "B": _coherency(description).tolist(), "modulus": modulus,
        "nodes": ((1 + _NODES) / 2).tolist(), "weights": (_WEIGHTS / 2).tolist(),
        "span": span, "rows": [*_LEVELS[end > _LEVELS].tolist(), end], "boundaries": BOUNDARIES,
        "liquid": {
            "code": [region.key for region in REGIONS].index("liquid"), "rows": liquid,
            "half": (TEMPERATURES[1] - end) / max(1, len(liquid)) / 2,
        },
        "mass": [float(description.dbf.refstates[element]["mass"]) for element in COMPONENTS],
        "charge": constants.e * constants.N_A / (constants.milli * constants.hour),
        "thickness": thickness, "density": density, "volume": volume,
    }  # fmt: skip


def melting_point(description: Alloy) -> float | None:
    """Lowest temperature at which liquid forms on the way from any x0; None if not on the map."""

    def molten(T: Array) -> Flags:
        x, levels = np.meshgrid(_WAY, T)
        present = description.liquid_present(x, levels)
        return np.zeros(T.shape, bool) if present is None else np.asarray(present.any(axis=1))

    low, high = TEMPERATURES
    ladder = np.linspace(low, high, 41)
    found = np.flatnonzero(molten(ladder))
    if found.size == 0:
        return None
    first = float(ladder[found[0]])
    if first <= low + 1:
        msg = f"{description.name} has liquid at {low:g} K: the page is that of a solid"
        raise OutsideAssessedRange(msg)

    def sign(T: float) -> float:
        return 0.5 - float(molten(np.array([T]))[0])

    return float(bisect(sign, ladder[found[0] - 1], first, xtol=MELTING_ERROR))


def _span(description: Alloy) -> tuple[float, float]:
    """Both ends of the map in t: the chemical binodal at its bottom, and all x0."""
    low, high = float(logit(STARTS[0])), -float(logit(STARTS[0]))
    with suppress(NoMiscibilityGap):
        tie_line = description.chemical.binodal(TEMPERATURES[0])
        low = min(low, float(tie_line.ln_x_alpha))
        high = max(high, -float(tie_line.ln_one_minus_x_beta))
    return max(low, -_WIDEST) - 1.0, min(high, _WIDEST) + 1.0


def _liquid(
    description: Alloy, melting: float, span: tuple[float, float]
) -> list[tuple[float, list[tuple[float, float]]]]:
    """Rows of the map above melting: the temperature, and where in t there is liquid."""
    rows = max(1, round(2 * (TEMPERATURES[1] - melting)))
    levels = melting + (TEMPERATURES[1] - melting) * (np.arange(rows) + 0.5) / rows
    edges = np.linspace(*span, _COLUMNS + 1)
    x = np.broadcast_to(expit((edges[1:] + edges[:-1]) / 2), (rows, _COLUMNS))
    present = description.liquid_present(x, np.broadcast_to(levels[:, None], x.shape))
    assert present is not None
    found = []
    for T, row in zip(levels.tolist(), present, strict=True):
        turns = edges[np.flatnonzero(np.diff(row, prepend=False, append=False))].tolist()
        found.append((T, list(zip(turns[::2], turns[1::2], strict=True))))
    return found


def _interactions(description: Alloy) -> Array:
    """Redlich-Kister coefficients in J/mol, one row an order, over `_LEVELS`."""
    solution, T = description.chemical, _LEVELS[:, None]
    x = (1 - 0.96 * np.cos(np.pi * (np.arange(2 * _ORDERS) + 0.5) / (2 * _ORDERS))) / 2
    ideal = R * T * (xlogy(x, x) + xlogy(1 - x, 1 - x))
    pure = [solution.gibbs_energy(T, end) for end in (0.0, 1.0)]
    excess = solution.gibbs_energy(T, x) - (1 - x) * pure[0] - x * pure[1] - ideal
    powers = np.vander(1 - 2 * x, _ORDERS, increasing=True)
    found = np.linalg.lstsq(powers, (excess / (x * (1 - x))).T)[0]
    off = float(np.abs(x * (1 - x) * (powers @ found).T - excess).max())
    if off > _TOLERANCE:
        msg = (
            f"{PHASE} of {description.name} is off by {off:.2g} J/mol from any Redlich-Kister "
            f"series up to order {_ORDERS - 1}, which is what the page can solve"
        )
        raise UnsupportedPhase(msg)
    fine = np.linspace(0, 1, 802)[1:-1]
    # Coherency adds 2B to G'': one gap at most for every modulus if G'' has one minimum.
    curvature = solution.stability(T, fine) / (fine * (1 - fine))
    middle = curvature[:, 1:-1]
    least = (middle < 0) & (middle <= curvature[:, :-2]) & (middle < curvature[:, 2:])
    if (least.sum(axis=1) > 1).any():
        msg = f"{PHASE} of {description.name} can have several gaps: the page draws one"
        raise UnsupportedPhase(msg)
    orders = np.flatnonzero(np.abs(found).max(axis=1) > _TOLERANCE)
    # As many decimals as the energies have.
    return np.asarray(found[: orders[-1] + 1 if orders.size else 1].round(8), dtype=float)


def _coherency(description: Alloy) -> Array:
    """B of the coherency energy B x² in J/mol over `_LEVELS`, in whatever gauge."""
    x, T = np.linspace(0.1, 0.9, 5), _LEVELS[:, None]
    stability = (solution.stability(T, x) for solution in description.solutions.values())
    chemical, coherent = stability
    found = R * T * (coherent - chemical) / (2 * x * (1 - x))
    if np.ptp(found, axis=1).max() > _TOLERANCE:
        msg = f"the coherency energy of {description.name} is not B x²: the page scales its B"
        raise UnsupportedPhase(msg)
    mean: Array = found.mean(axis=1)
    return mean


def stiffness(description: Alloy) -> tuple[str, float]:
    """What stands for the stiffness of the host, and its value in GPa."""
    model = description.coherent.model(description.dbf, [*COMPONENTS, "VA"], PHASE)
    stiffnesses = [S(each) for each in model.constants.values()]
    c = CubicElasticity(*(float(each.xreplace({v.T: S(_ROOM)})) for each in stiffnesses))
    at = f" at {_ROOM:g} K" if any(each.free_symbols for each in stiffnesses) else ""
    if abs(c.zener_ratio - 1) < 1e-6:
        young = (c.c11 - c.c12) * (c.c11 + 2 * c.c12) / (c.c11 + c.c12)
        return f"Young's modulus E{at}", round(young, 9)
    plane = " ".join(f"{index:g}" for index in model.plane)
    return f"Biaxial modulus Y along [{plane}]{at}", round(c.biaxial_modulus(model.plane), 9)


def _volumes(description: Alloy) -> list[list[float]]:
    """Molar volumes of Li and Na in m³/mol over `_LEVELS`."""
    T, x = np.meshgrid(_LEVELS, [0.0, 0.5, 1.0])
    lithium, middle, sodium = molar_volume(description, x, T)
    if not np.allclose(middle, (lithium + sodium) / 2, rtol=1e-9, atol=0):
        msg = (
            f"the molar volume of {PHASE} of {description.name} is not linear in composition: "
            "give the density"
        )
        raise UnsupportedPhase(msg)
    return [lithium.tolist(), sodium.tolist()]
