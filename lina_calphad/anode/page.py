"""One HTML page of an anode: map, stripping path and sliders, solved where it is shown."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from bokeh.core.properties import value
from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.events import DocumentReady, MouseMove
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    FixedTicker,
    LinearAxis,
    NoOverlap,
    Range1d,
)
from bokeh.models.widgets import Slider
from bokeh.plotting import figure
from bokeh.resources import INLINE
from scipy import constants
from scipy.special import logit

from lina_calphad import __version__
from lina_calphad.anode.figures import REGION_COLOURS
from lina_calphad.anode.page_data import (
    MELTING_ERROR,
    STARTS,
    TEMPERATURES,
    melting_point,
    numbers,
    stiffness,
)
from lina_calphad.anode.stripping import stripping_path
from lina_calphad.anode.windows import REGIONS
from lina_calphad.checks import within
from lina_calphad.data.assessments import assessments, load
from lina_calphad.plots import KINDS

if TYPE_CHECKING:
    from lina_calphad.phase.alloy import Alloy

#: Boundaries: colour, dashes and meaning. Blue and vermilion of the other figures, darker,
#: since they lie on fills of their own.
_CURVES = {
    "chemical binodal": (
        "#00507D", "",
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
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_FONT = value("Helvetica, Arial, sans-serif")
_BELOW = 5.0  # K of nothing on the map, so that a path at its lowest temperature is whole
_BOUND = 13.8  # GPa, Young's modulus of the paper's upper bound


def page(
    description: Alloy,
    x0: float,
    T: float,
    *,
    thickness: float | None = None,
    density: float | None = None,
) -> str:
    """One self-contained HTML page: the map, with sliders for x0, temperature and modulus.

    The page solves every curve itself, to the digits of `BinarySolution`; it needs no
    network and no server.

    Parameters
    ----------
    description
        As from `lina_calphad.anode.describe`.
    x0
        Mole fraction of Na before stripping that the page starts with, from 1e-4 to 0.5.
    T
        Temperature in K that it starts with, from 200 K to where liquid forms.
    thickness, density
        As of `stripping_path`.

    Returns
    -------
    str

    Raises
    ------
    OutsideAssessedRange
        If liquid forms on the way from x0 to pure Na at T, or from all alloys at 200 K.
    UnsupportedPhase
        If the excess energy is not that of Redlich and Kister, up to the fifth order, the
        coherency energy not B x², or more than one gap can open.
    ValueError
        If x0, T, a thickness or a density is out of its range.
    DatabaseError
        If the database has no mass of an element.
    """
    x0, T = float(x0), float(T)
    within(x0, STARTS, "x0 of this page is a mole fraction of Na before stripping")
    stripping_path(x0, T, description, thickness=thickness, density=density)  # may refuse
    melting = melting_point(description)
    top = TEMPERATURES[1] if melting is None else math.floor(melting - MELTING_ERROR)
    within(T, (TEMPERATURES[0], top), "T of this page is in K")
    name, modulus = stiffness(description)
    stiffest = math.ceil(15 * modulus - 1e-6) / 10
    if name.startswith("Young"):
        stiffest = max(20.0, stiffest)
    data = numbers(description, melting, modulus, thickness, density)
    data["start"] = {"x0": x0, "T": T, "E": modulus}
    data["regions"] = [
        {"key": r.key, "name": r.name, "meaning": r.meaning, "colour": REGION_COLOURS[r.key]}
        for r in REGIONS
    ]
    data["kinds"] = KINDS
    melts = (TEMPERATURES[0], top)
    data["controls"] = {
        "x0": _control(STARTS, "", "a fraction from {:g} to {:g}; 3 at.% is 0.03"),
        "T": _control(melts, "K", "{:g} to {:g} K; 25 °C is 298.15 K"),
        "E": _control((0, stiffest), "GPa", "{:g} to {:g} GPa"),
    }
    logs = (math.log10(STARTS[0]), math.log10(STARTS[1]))
    titles = {
        "x0": "Mole fraction of Na, x₀", "T": "Temperature / K", "E": f"{name} / GPa",
    }  # fmt: skip
    sliders = {
        "x0": _slider("x0", titles["x0"], math.log10(x0), logs, 0.01),
        "T": _slider("T", titles["T"], T, melts, 1),
        "E": _slider("E", titles["E"], modulus, (0, stiffest), 0.1),
    }
    drawing, sources = _map(data)
    document = Document()
    for root in (drawing, *sliders.values()):
        document.add_root(root)
    models = {"map": drawing, **sliders, **sources}
    document.js_on_event(
        DocumentReady, CustomJS(args={"models": models}, code="linaMap.start(models)")
    )
    shipped = assessments().get(description.name)
    if shipped is not None and description.dbf != load(description.name):
        shipped = None  # another database by the name of a shipped one
    package = files("lina_calphad.anode")
    texts = {
        name: (package / name).read_text(encoding="utf-8")
        for name in ("page.html", "page.js", "page_map.js")
    }
    return file_html(
        document,
        INLINE,
        f"Li–Na anode, {description.name}",
        template=texts["page.html"],
        template_variables={
            "assessment": description.name,
            "citation": shipped.citation if shipped else "",
            "version": __version__,
            "titles": titles,
            "regions": data["regions"],
            "curves": {kind: _CURVES[kind] for kind in KINDS},
            "foil": "" if thickness is None else f", a foil of {thickness * 1e6:g} µm",
            "modulus": _what_the_modulus_is(name, modulus),
            "scripts": [texts["page.js"], texts["page_map.js"]],
            # No text may end the script it stands in.
            "data": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
        },
    )


def _what_the_modulus_is(name: str, modulus: float) -> str:
    bound = f"the upper bound of Pereira dos Santos et al. 2025, isotropic with E = {_BOUND} GPa"
    if name.startswith("Young") and abs(modulus - _BOUND) < 1e-6:
        start = f"The start value is {bound}"
    else:
        start = f"The start value, {modulus:.4g} GPa, is that of the database ({bound}, is another)"
    return (
        f"{name} says how stiff the solid is, and so what it costs to keep lattices of different "
        "size coherent: the coherency energy is in proportion to it, all else (Poisson's ratio, "
        f"anisotropy, misfit) kept. {start}. Lower values stand for soft directions of the crystal "
        "or for strain that plasticity has relaxed; at 0 the coherent boundaries are the chemical "
        "ones."
    )


def _control(limits: tuple[float, float], unit: str, hint: str) -> dict[str, Any]:
    """What the box of a slider takes, and says of what it does not."""
    return {"limits": limits, "unit": unit, "hint": f"Allowed: {hint.format(*limits)}"}


def _slider(
    name: str, title: str, start: float, limits: tuple[float, float], step: float
) -> Slider:
    """A slider; the box beside it is the template's."""
    low, high = limits
    slider = Slider(
        name=name, title=title, value=start, start=low, end=high, step=step,
        show_value=False, tooltips=False, sizing_mode="stretch_width",
    )  # fmt: skip
    slider.js_on_change("value", CustomJS(code=f'linaMap.move("{name}", cb_obj)'))
    return slider


def _map(data: dict[str, Any]) -> tuple[figure, dict[str, ColumnDataSource]]:
    """The map, its curves still to be solved, and the sources that the scripts fill."""
    low, high = TEMPERATURES
    low -= _BELOW
    drawing = figure(
        name="map", height=540, sizing_mode="stretch_width", toolbar_location=None,
        x_range=Range1d(start=data["span"][0], end=data["span"][1]),
        y_range=Range1d(start=low, end=high), background_fill_color=REGION_COLOURS["single"],
    )  # fmt: skip
    left, right = data["span"]
    drawing.quad(left, right, TEMPERATURES[0], low, fill_color="#ffffff", line_color=None)
    drawing.toolbar.tools = []  # names are placed for this part of the plane
    drawing.xaxis.axis_label = "mole fraction of Na (both ends stretched)"
    drawing.yaxis.axis_label = "temperature / K"
    drawing.grid.visible = False
    shift = constants.zero_Celsius
    drawing.extra_y_ranges = {"celsius": Range1d(start=low - shift, end=high - shift)}
    celsius = LinearAxis(y_range_name="celsius", axis_label="temperature / °C")
    drawing.add_layout(celsius, "right")
    ticks = _ticks(data["span"])
    drawing.xaxis.ticker = FixedTicker(ticks=[t for t, _ in ticks])
    drawing.xaxis.major_label_overrides = dict(ticks)
    drawing.xaxis.major_label_policy = NoOverlap()
    half = data["liquid"]["half"]
    cells = [(a, b, T - half, T + half) for T, row in data["liquid"]["rows"] for a, b in row]
    if cells:
        left, right, bottom, top = (list(side) for side in zip(*cells, strict=True))
        grey = REGION_COLOURS["liquid"]
        drawing.quad(left, right, top, bottom, fill_color=grey, line_color=grey)
    columns = {
        "fields": ("xs", "ys", "fill"), **dict.fromkeys((*KINDS, "leaders"), ("xs", "ys")),
        "route": ("x", "y"),
        "points": ("x", "y", "fill", "marker", "angle"), "names": ("x", "y", "text", "angle"),
        "labels": ("x", "y", "text", "angle", "align"),
    }  # fmt: skip
    sources = {
        name: ColumnDataSource({column: [] for column in each}, name=name)
        for name, each in columns.items()
    }
    drawing.patches("xs", "ys", fill_color="fill", line_color=None, source=sources["fields"])
    for kind in KINDS:
        colour, dashes, _ = _CURVES[kind]
        drawing.multi_line(
            "xs", "ys", line_color=colour, line_dash=dashes, line_width=2, source=sources[kind]
        )
    drawing.text(
        "x", "y", "text", angle="angle", text_align="center", text_baseline="middle",
        text_font_size="13px", source=sources["names"], text_font=_FONT,
    )  # fmt: skip
    drawing.multi_line("xs", "ys", line_color="#000000", source=sources["leaders"])
    drawing.line("x", "y", line_color="#000000", line_width=2, source=sources["route"])
    drawing.scatter(
        "x", "y", marker="marker", angle="angle", size=9, fill_color="fill", line_color="#000000",
        line_width=1.5, source=sources["points"],
    )  # fmt: skip
    labels = drawing.text(
        "x", "y", "text", angle="angle", text_align="align", text_baseline="middle",
        text_font_size="12px", text_font_style="bold", text_font=_FONT,
        source=sources["labels"],
    )  # fmt: skip
    labels.glyph.update(background_fill_color="#ffffff", background_fill_alpha=0.7)
    drawing.js_on_event(MouseMove, CustomJS(code="linaMap.look(cb_obj)"))
    for side in ("inner_width", "inner_height"):
        drawing.js_on_change(side, CustomJS(code="linaMap.update()"))
    return drawing, sources


def _ticks(span: tuple[float, float]) -> list[tuple[float, str]]:
    """Places on the horizontal axis, in t, and their labels."""
    ticks = [(0.0, "0.5")]
    for n in range(1, 14):
        t = float(logit(10.0**-n))
        dilute = f"{10.0**-n:g}" if n < 3 else "10⁻" + str(n).translate(_SUPERSCRIPT)
        ticks += [(t, dilute), (-t, f"{1 - 10.0**-n:.{n}f}")]
    return sorted((t, label) for t, label in ticks if span[0] < t < span[1])
