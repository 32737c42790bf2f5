"""One HTML page of an anode: map, stripping path and sliders, solved where it is shown."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from string import Template

import numpy as np

from lina_calphad import __version__
from lina_calphad.anode.charge import Depth
from lina_calphad.anode.figures import REGION_COLOURS
from lina_calphad.anode.map import MAP_T
from lina_calphad.anode.page_data import STARTS, numbers
from lina_calphad.anode.potential import STATES
from lina_calphad.anode.results import Study
from lina_calphad.anode.shown import profile_lines
from lina_calphad.anode.windows import REGIONS
from lina_calphad.checks import within
from lina_calphad.report import Report
from lina_calphad.text import printable

#: Colour and dashes of each boundary. Blue and vermilion of the other figures, darker, since they
#: lie on fills of their own.
_CURVES = {
    "chemical binodal": ("#00507D", "none"), "coherent binodal": ("#8F3A00", "8 4"),
    "chemical spinodal": ("#00507D", "8 3 2 3"), "coherent spinodal": ("#8F3A00", "2 3"),
}  # fmt: skip
_STATE_COLOURS = ("#0072B2", "#B34700", "#00795A")
_BOUND = 13.8  # GPa, Young's modulus of the paper's upper bound


def page(study: Study) -> str:
    """One self-contained HTML page: map and potential, with sliders and a choice of assessment.

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
        If the excess energy is not that of Redlich-Kister parameters a + bT + cT ln T, the
        coherency energy not B x², or more than one gap can open.
    ValueError
        If x0 or T is out of its range.
    """
    alloy, T = study.description, float(study.T[0])
    within(study.x0, STARTS, "x0 of this page is a mole fraction of Na before stripping")
    data = numbers(study)
    own = data["assessments"][alloy.name]
    top, modulus = own["top"], own["modulus"]
    within(T, (MAP_T[0], top), "T of this page is in K")
    stiffest = max(math.ceil(15 * each["modulus"] - 1e-6) for each in data["assessments"].values())
    stiffest = max(20.0 if own["stiffness"].startswith("Young") else 0.0, stiffest / 10)
    controls = {
        "x0": ("Mole fraction of Na, x₀", STARTS, 0.01, "0.03, 3 at.% or 9 wt%"),
        "T": ("Temperature / K", (MAP_T[0], top), 1, "300 K or 25 °C"),
        "E": (f"{own['stiffness']} / GPa", (0, stiffest), 0.1, "13.8 GPa"),
        "q": ("Depth, share of the Li stripped", (0, 0.999), 0.001,
              "50 %, 1000 mAh/g or 3 mAh/cm²"),
    }  # fmt: skip
    states = dict(zip(STATES, _STATE_COLOURS, strict=True))
    asked = study.depths[0] if study.asked else Depth(0.5)
    depth = float(study.path.foil.share(asked)[0])
    data |= {
        "curves": {kind: {"colour": c, "dashes": d} for kind, (c, d) in _CURVES.items()},
        "states": {state: {"colour": c, "dashes": "6 4" if state == "coherent" else "none"}
                   for state, c in states.items()},
        "start": {"x0": study.x0, "T": T, "E": modulus, "q": depth},
        "asked": None if asked.unit == "share" else asked,
        "controls": {name: {"limits": limits, "examples": examples}
                     for name, (_, limits, _, examples) in controls.items()},
    }  # fmt: skip
    lines = {
        kind: f'<svg class="line"><line x2="30" y1="6" y2="6" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dashes}"/></svg>'
        for kind, (colour, dashes) in _CURVES.items()
    }
    swatches = {r.name: _swatch(REGION_COLOURS[r.key]) for r in REGIONS}
    foil, drawn = study.thickness, study.spread is not None
    columns = ["mAh/cm² of foil"] * (foil is not None) + ["mV"] + ["68 % of the draws"] * drawn
    package = files("lina_calphad.anode")
    scripts = (package / f"page{part}.js" for part in ("", "_words", "_curves", "_map"))
    return Template((package / "page.html").read_text(encoding="utf-8")).substitute(
        title=f"Li–Na anode, {_text(alloy.name)}",
        version=__version__,
        controls=_chooser([*data["assessments"]])
        + "".join(_control(name, *control[:3]) for name, control in controls.items()),
        temperatures=_temperatures(study, top),
        states=_items(f"{_swatch(colour)}{STATES[state]}" for state, colour in states.items()),
        key=_items(f"{mark}{_text(name)}" for name, mark in {**swatches, **lines}.items()),
        foil="" if foil is None else f" and a foil of {foil * 1e6:g} µm",
        drawn=_DRAWN if drawn else "",
        columns="".join(f'<th scope="col">{heading}</th>' for heading in columns),
        profiles=_profiles(study),
        regions=_items(
            f"{swatches[r.name]}<span><strong>{r.name}.</strong> {r.meaning}</span>"
            for r in REGIONS
        ),
        **{kind.replace(" ", "_"): line for kind, line in lines.items()},
        stiffness=_text(own["stiffness"]),
        modulus=_text(_modulus(own["stiffness"], modulus)),
        notes=_items(_text(note) for note in _notes(study)),
        assessment=_text(own["cited"]),
        scripts="".join(
            f"<script>\n{each.read_text(encoding='utf-8')}</script>" for each in scripts
        ),
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


def _items(items: Iterable[str]) -> str:
    return "".join(f"<li>{item}</li>" for item in items)


def _swatch(colour: str) -> str:
    return f'<i style="background: {colour}"></i>'


def _control(name: str, title: str, limits: tuple[float, float], step: float) -> str:
    """A slider and its box; that of x0 slides over its logarithm."""
    low, high = np.log10(limits) if name == "x0" else limits
    return (
        f'<div class="control"><label for="{name}_slider">{_text(title)}</label>'
        f'<input id="{name}_slider" type="range" min="{low:g}" max="{high:g}" step="{step:g}">'
        f'<input id="{name}_box" type="text" autocomplete="off" aria-label="{_text(title)}" '
        f'aria-describedby="{name}_aside {name}_hint"><p class="aside" id="{name}_aside"></p>'
        f'<p class="hint" id="{name}_hint" role="alert"></p></div>'
    )


def _chooser(names: list[str]) -> str:
    """A list of the assessments, if there are some."""
    if len(names) < 2:
        return ""
    options = "".join(f"<option>{_text(name)}</option>" for name in names)
    return (
        '<div class="control"><label for="assessment">Assessment</label>'
        f'<select id="assessment">{options}</select></div>'
    )


def _temperatures(study: Study, top: float) -> str:
    """Buttons that lead to each temperature of the study, if there are some."""
    shown = [T for T in study.T.tolist() if MAP_T[0] <= T <= top] if study.T.size > 1 else []
    buttons = (f'<button type="button" data-temperature="{T}">{T:g} K</button>' for T in shown)
    return f"<p>Temperatures of this study: {' '.join(buttons)}</p>" if shown else ""


def _profiles(study: Study) -> str:
    """What was computed at a current, as it was printed."""
    if not study.profiles:
        return (
            "<p>Stripping is taken as slow: one composition at each moment. At a real current the "
            "interface is ahead of the collector side: <code>lina-calphad anode --current</code> "
            "adds that.</p>"
        )
    lines = [line for profile in study.profiles for line in profile_lines(study, profile)]
    return (
        f"<h2>At {study.profiles[0].current_density / 10:.3g} mA/cm²</h2><p>The interface is ahead "
        f"of the collector side. Computed with x₀ = {study.x0:g} and the modulus of the database; "
        "this part does not follow the sliders.</p>"
        '<svg id="profile" role="img" aria-label="Composition over depth, in grey to black as '
        'lithium leaves; the table has when each side crosses which boundary."></svg>'
        f'<div class="run scroll">{Report("profiles", {}, lines)._repr_html_()}</div>'
    )


def _notes(study: Study) -> Iterator[str]:
    yield from study.notes
    yield "Elements are described from 200 K on (SGTE)."
    if study.spread is None:
        yield (
            "How uncertain the boundaries are is not shown: lina-calphad anode --bands adds what "
            "is known of the parameters."
        )


def _modulus(name: str, modulus: float) -> str:
    """What the modulus is that the page begins with."""
    bound = f"the upper bound of Pereira dos Santos et al. 2025, isotropic with E = {_BOUND} GPa"
    if name.startswith("Young") and abs(modulus - _BOUND) < 1e-6:
        return f"The start value is {bound}"
    return f"The start value, {modulus:.4g} GPa, is that of the database ({bound}, is another)"
