"""One HTML page of an anode: map, stripping path and sliders, solved where it is shown."""

from __future__ import annotations

import json
import math
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from pycalphad import variables as v
from scipy.special import logit, xlogy
from symengine import S

from lina_calphad import __version__
from lina_calphad.anode.figures import REGION_COLOURS
from lina_calphad.anode.melting import MELTING_ERROR, liquid_ranges, melting_point
from lina_calphad.anode.shown import profile_lines
from lina_calphad.anode.stripping import FARADAY, MAH, molar_mass, molar_volume
from lina_calphad.anode.summary import MAP_T
from lina_calphad.anode.windows import BOUNDARIES, REGIONS
from lina_calphad.checks import within
from lina_calphad.data.assessments import assessments, load
from lina_calphad.data.elasticity import CubicElasticity
from lina_calphad.data.sources import COMPONENTS, PHASE
from lina_calphad.errors import OutsideAssessedRange, UnsupportedPhase
from lina_calphad.phase.energy import R
from lina_calphad.plots import FRACTIONS, KINDS
from lina_calphad.report import Shown
from lina_calphad.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lina_calphad.anode.summary import Study
    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy

#: x0 that the page takes.
STARTS = (1e-4, 0.5)

#: Boundaries: colour, dashes and meaning. Blue and vermilion of the other figures, darker,
#: since they lie on fills of their own.
_CURVES = {
    "chemical binodal": (
        "#00507D", "none",
        "solubility of stress-free phases. Between its two sides a mixture of two phases is "
        "more stable than one solution.",
    ),
    "coherent binodal": (
        "#8F3A00", "8 4",
        "solubility of phases whose lattices stay coherent. Their strain costs energy, so it "
        "lies inside the chemical one.",
    ),
    "chemical spinodal": (
        "#00507D", "8 3 2 3",
        "between its two sides the solution unmixes without a barrier, if lattices need not match.",
    ),
    "coherent spinodal": (
        "#8F3A00", "2 3", "between its two sides it unmixes without a barrier, lattices coherent."
    ),
}  # fmt: skip
_BELOW = 5.0  # K of nothing on the map, so that a path at its lowest temperature is whole
_BOUND = 13.8  # GPa, Young's modulus of the paper's upper bound
_ROOM = 300.0  # K, at which constants that depend on temperature are quoted
_LEVELS = np.arange(MAP_T[0], MAP_T[1] + 1)
_ORDERS = 6  # Redlich-Kister terms that the page takes
_TOLERANCE = 1e-6  # in J/mol
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_WIDEST = 30.0  # of ln(x/(1-x)) on the map


def page(study: Study) -> str:
    """One self-contained HTML page: the map, with sliders for x0, temperature and modulus.

    The page solves every curve itself, to the digits of `BinarySolution`; it needs no
    network and no server. It starts at the first temperature of the study; what was computed
    at a current is shown as it is.

    Parameters
    ----------
    study
        Of x0 from 1e-4 to 0.5, its first temperature from 200 K to where liquid forms.

    Returns
    -------
    str

    Raises
    ------
    OutsideAssessedRange
        If liquid forms from all alloys at 200 K.
    UnsupportedPhase
        If the excess energy is not that of Redlich and Kister, up to the fifth order, the
        coherency energy not B x², or more than one gap can open.
    ValueError
        If x0 or T is out of its range.
    """
    alloy, T = study.description, float(study.T[0])
    within(study.x0, STARTS, "x0 of this page is a mole fraction of Na before stripping")
    melting = melting_point(alloy, STARTS[0], *MAP_T)
    if melting == MAP_T[0]:
        msg = f"{alloy.name} has liquid at {MAP_T[0]:g} K: the page is that of a solid"
        raise OutsideAssessedRange(msg)
    top = MAP_T[1] if melting is None else math.floor(melting - MELTING_ERROR)
    within(T, (MAP_T[0], top), "T of this page is in K")
    name, modulus = stiffness(alloy)
    stiffest = math.ceil(15 * modulus - 1e-6) / 10
    if name.startswith("Young"):
        stiffest = max(20.0, stiffest)
    data = numbers(study, modulus, melting)
    data["start"] = {"x0": study.x0, "T": T, "E": modulus}
    data["controls"] = {
        "x0": {"limits": STARTS, "examples": "0.03, 3 at.% or 9 wt%"},
        "T": {"limits": (MAP_T[0], top), "examples": "300 K or 25 °C"},
        "E": {"limits": (0, stiffest), "examples": "13.8 GPa"},
    }
    sliders = {
        "x0": ("Mole fraction of Na, x₀", *np.log10(STARTS), 0.01),
        "T": ("Temperature / K", MAP_T[0], top, 1), "E": (f"{name} / GPa", 0, stiffest, 0.1),
    }  # fmt: skip
    lines = {
        kind: f'<svg class="line"><line x2="30" y1="6" y2="6" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dashes}"/></svg>'
        for kind, (colour, dashes, _) in _CURVES.items()
    }
    swatches = {r.name: f'<i style="background: {REGION_COLOURS[r.key]}"></i>' for r in REGIONS}
    foil, drawn = study.path.thickness, study.spread is not None
    package = files("lina_calphad.anode")
    texts = {n: (package / n).read_text(encoding="utf-8") for n in ("page.js", "page_map.js")}
    return Template((package / "page.html").read_text(encoding="utf-8")).substitute(
        title=f"Li–Na anode, {_text(alloy.name)}",
        version=__version__,
        controls="".join(_control(name, *slider) for name, slider in sliders.items()),
        temperatures=_temperatures(study, top),
        key=_items(f"{mark}{_text(name)}" for name, mark in {**swatches, **lines}.items()),
        foil="" if foil is None else f" and a foil of {foil.flat[0] * 1e6:g} µm",
        drawn=_DRAWN if drawn else "",
        columns='<th scope="col">mAh/cm² of foil</th>' * (foil is not None)
        + '<th scope="col">68 % of the draws</th>' * drawn,
        profiles=_profiles(study),
        regions=_items(
            f"{swatches[r.name]}<span><strong>{r.name}.</strong> {r.meaning}</span>"
            for r in REGIONS
        ),
        curves=_items(
            f"{lines[kind]}<span><strong>{kind}:</strong> {meaning}</span>"
            for kind, (_, _, meaning) in _CURVES.items()
        ),
        modulus=_what_the_modulus_is(name, modulus),
        notes=_items(_text(note) for note in _notes(study)),
        assessment=_assessment(alloy),
        solver=texts["page.js"],
        drawing=texts["page_map.js"],
        # No text may end the script it stands in.
        data=json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    )


# -- what it says --

_DRAWN = (
    " The last column, and the shades on the map, say where 68 % of the draws of the parameters "
    "lie; those of coherent boundaries with the modulus of the database alone."
)


def _text(text: str) -> str:
    return escape(printable(text))


def _items(items: Any) -> str:
    return "".join(f"<li>{item}</li>" for item in items)


def _control(name: str, title: str, low: float, high: float, step: float) -> str:
    """A slider and its box."""
    return (
        f'<div class="control"><label for="{name}_slider">{_text(title)}</label>'
        f'<input id="{name}_slider" type="range" min="{low:g}" max="{high:g}" step="{step:g}">'
        f'<input id="{name}_box" type="text" autocomplete="off" aria-label="{_text(title)}" '
        f'aria-describedby="{name}_aside {name}_hint"><p class="aside" id="{name}_aside"></p>'
        f'<p class="hint" id="{name}_hint" role="alert"></p></div>'
    )


def _temperatures(study: Study, top: float) -> str:
    """Buttons that lead to each temperature of the study."""
    shown = [T for T in study.T.tolist() if MAP_T[0] <= T <= top]
    if len(study.T) < 2:
        return ""
    buttons = (f'<button type="button" data-temperature="{T}">{T:g} K</button>' for T in shown)
    return f"<p>Temperatures of this study: {' '.join(buttons)}</p>"


def _profiles(study: Study) -> str:
    """What was computed at a current, as it was printed."""
    if not study.profiles:
        return (
            "<p>Stripping is taken as slow: one composition at each moment. At a real current the "
            "interface is ahead of the collector side: <code>lina-calphad anode --current</code> "
            "adds that.</p>"
        )
    parts = [
        f"<h2>At {study.profiles[0].current_density / 10:g} mA/cm²</h2><p>The interface is ahead "
        f"of the collector side. Computed with x₀ = {study.x0:g} and the modulus of the database; "
        "this part does not follow the sliders.</p>"
    ]
    for profile in study.profiles:
        for item in profile_lines(study, profile):
            if isinstance(item, Shown):
                frame = item.frame.to_html(index=False, border=0, classes="run")
                frame = frame.replace("\n%", "<br>%")
                parts.append(f'<p>{_text(item.title)}</p><div class="scroll">{frame}</div>')
            else:
                parts.append(f"<p>{_text(item)}</p>")
    return "".join(parts)


def _notes(study: Study) -> Iterator[str]:
    yield from study.notes
    yield (
        "The parameters of the shipped assessment of 2025 are energies of 0 K from first "
        "principles, without vibrations; elements are described from 200 K on (SGTE)."
    )
    if study.spread is None:
        yield (
            "How uncertain the boundaries are is not shown: lina-calphad anode --bands adds what "
            "is known of the parameters."
        )


def _what_the_modulus_is(name: str, modulus: float) -> str:
    bound = f"the upper bound of Pereira dos Santos et al. 2025, isotropic with E = {_BOUND} GPa"
    if name.startswith("Young") and abs(modulus - _BOUND) < 1e-6:
        start = f"The start value is {bound}"
    else:
        start = f"The start value, {modulus:.4g} GPa, is that of the database ({bound}, is another)"
    return _text(
        f"{name} says how stiff the solid is, and so what it costs to keep lattices of different "
        "size coherent: the coherency energy is in proportion to it, all else (Poisson's ratio, "
        f"anisotropy, misfit) kept. {start}. Lower values stand for soft directions of the crystal "
        "or for strain that plasticity has relaxed; at 0 the coherent boundaries are the chemical "
        "ones."
    )


def _assessment(alloy: Alloy) -> str:
    shipped = assessments().get(alloy.name)
    # Not another database by the name of a shipped one.
    cited = shipped is not None and alloy.dbf == load(alloy.name)
    return _text(f"{alloy.name}: {shipped.citation}" if shipped and cited else alloy.name)


# -- what it computes with --


def numbers(study: Study, modulus: float, melting: float | None) -> dict[str, Any]:
    """What the scripts of the page compute and draw with."""
    alloy = study.description
    end = MAP_T[1] if melting is None else melting
    span, foil = _span(alloy), study.path.thickness
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
        "curves": {kind: dict(zip(("colour", "dashes"), _CURVES[kind][:2], strict=True))
                   for kind in KINDS},
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
