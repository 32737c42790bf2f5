"""The whole diagram of one source as a Report: invariants, boundaries, bands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pycalphad import Model

from lina_calphad.data.assessments import COMPONENTS, MEASURED, Source, read, short_names
from lina_calphad.diagram.bands import DiagramBands, diagram_bands
from lina_calphad.diagram.results import Diagram, Invariant
from lina_calphad.diagram.system import SPAN, BinarySystem
from lina_calphad.phase.coherent import EndmemberCoherentModel
from lina_calphad.phase.draws import draws_note, known_draws
from lina_calphad.plots import COLOURS, band_key, legend_below, plain
from lina_calphad.report import Report, Shown

_BAND_POINTS = 100
_LIKELY = 0.02  # largest probability of phases that are not in the legend


def diagram_report(
    source: Source,
    components: Sequence[str] = COMPONENTS,
    phases: Sequence[str] | None = None,
    *,
    coherent: str | None = None,
    span: tuple[float, float | None] = (SPAN[0], None),
    bands: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """The whole diagram of two components, with what is known of it.

    Of the `phases` named or all of the database, between two temperatures in K (`span`; up to a
    tenth above all that happens if the second is None). The phase `coherent` stays so with itself,
    in the gauge that leaves its pure ends alone. With `bands` from the known draws of the
    parameters. `progress` is called with a line of text as each step begins. Errors are those of
    `BinarySystem`, its methods, and `diagram_bands`.

    Examples
    --------
    >>> report = diagram_report("zhang2003", phases=["LIQUID", "BCC_A2"])
    >>> report.content["invariants"][0]["kind"]
    'eutectic'
    """
    say = progress or (lambda _: None)
    pair = tuple(c.upper() for c in components)
    dbf, origin = read(source, pair, [coherent] if coherent else ())
    name = short_names([source])[0]
    known = known_draws(source, dbf) if bands else None
    notes = [draws_note(name, source, known[1] if known else None)] if bands else []
    models: Mapping[str, type[Model]] = {coherent: EndmemberCoherentModel} if coherent else {}
    if coherent:
        notes.append(
            f"{coherent} is coherent with itself: a strained solid against stress-free others; "
            "its boundaries with other phases are those of a solid that keeps its coherency"
        )
    symbols = known[1].symbols if known else ()
    system = BinarySystem(known[0] if known else dbf, pair, phases, models, symbols=symbols)
    say(f"{name}: invariants and boundaries")
    diagram = system.diagram(*span)
    found: DiagramBands | None = None
    if known:
        T = np.linspace(*diagram.span, _BAND_POINTS)
        found = diagram_bands(
            system, known[1], T, diagram.span,
            progress=lambda n: say(f"{name}: bands, {n} of {len(known[1])} draws"),
        )  # fmt: skip
        if found.left_out:
            notes.append(f"{found.left_out} draws have a diagram of another kind: left out")
    measured = MEASURED if set(pair) == set(COMPONENTS) else ()
    seen = [_measured(one, measured) for one in diagram.invariants]
    frame = diagram.invariants.to_dataframe().assign(measured_T=pd.Series(seen, dtype=float))
    tables: dict[str, Any] = {"invariants": frame, "boundaries": diagram.to_dataframe}
    figures: dict[str, Callable[[], Figure]] = {
        "diagram": lambda: _figure(name, diagram, found, seen)
    }
    if found:
        tables |= {"bands": found.to_dataframe, "invariant_bands": found.invariants,
                   "probabilities": found.probability_frame}  # fmt: skip
        figures["probabilities"] = lambda: _map(name, diagram, found)
    content = {
        "source": origin.source,
        "components": list(pair),
        "phases": list(system.sections),
        "span_K": list(diagram.span),
        "invariants": [
            {
                "kind": one.kind,
                "T": one.T,
                "phases": [{"name": n, "x": x} for n, x in one.phases],
                "measured_T": value,
            }
            for one, value in zip(diagram.invariants, seen, strict=True)
        ],
        "notes": notes,
    }
    return Report("diagram", content, [_shown(name, diagram, found, seen)], notes, tables, figures)


def _measured(one: Invariant, measured: Sequence[Any]) -> float | None:
    """The measured temperature of an invariant of Li-Na."""
    names = {"upper critical point": "liquid critical temperature"}
    wanted = names.get(one.kind, f"{one.kind} temperature")
    if "LIQUID" not in [name for name, _ in one.phases]:
        return None
    return next((p.value for p in measured if p.quantity == wanted), None)


def _shown(
    name: str, diagram: Diagram, found: DiagramBands | None, seen: Sequence[float | None]
) -> Shown:
    rows = [
        {
            "invariant": one.kind,
            "T / K": f"{one.T:.2f}",
            "phases, with x": ", ".join(f"{n} {x:.4g}" for n, x in one.phases),
        }
        for one in diagram.invariants
    ]
    if found is not None:
        known = found.invariants[found.invariants["quantity"] == "T"].to_dict("records")
        for row, of in zip(rows, known, strict=True):
            row["68 % of draws"] = f"{of['low_68']:.1f} to {of['high_68']:.1f}"
    if any(value is not None for value in seen):
        for row, value in zip(rows, seen, strict=True):
            row["measured"] = "" if value is None else f"{value:.2f}"
    first, second = (c.title() for c in diagram.components)
    title = f"{first}-{second}, {name}: x is the mole fraction of {second}"
    return Shown(title, pd.DataFrame(rows), left=("invariant", "phases, with x"))


def _figure(
    name: str, diagram: Diagram, found: DiagramBands | None, seen: Sequence[float | None]
) -> Figure:
    figure = Figure(figsize=(8.4, 6.2), layout="constrained")
    ax = diagram.plot(figure.subplots(), colour=COLOURS[0])
    if found is not None:
        found.plot(ax, colour=COLOURS[0])
        legend_below(figure, band_key())
    for value in filter(None, seen):
        ax.plot([0.985, 1.0], [value] * 2, color=COLOURS[1], linewidth=2, clip_on=False)
        ax.annotate(
            f"measured {value:g} K", (1.0, value), (4, 0), textcoords="offset points",
            va="center", fontsize="x-small", color=COLOURS[1], annotation_clip=False,
        )  # fmt: skip
    ax.set_title(plain(f"{'-'.join(c.title() for c in diagram.components)}, {name}"))
    return figure


def _map(name: str, diagram: Diagram, found: DiagramBands) -> Figure:
    """Which phases are the likeliest, paler where others are nearly as likely."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    figure = Figure(figsize=(8.4, 6.2), layout="constrained")
    ax = figure.subplots()
    names = [n for n, p in found.probability.items() if p.max() > _LIKELY]
    shares = np.array([found.probability[n] for n in names])
    best = shares.argmax(axis=0)
    colours = [to_rgb(COLOURS[k % len(COLOURS)]) for k in range(len(names))]
    weight = np.clip(shares.max(axis=0), 0, 1)[..., None] * 0.75
    picture = np.array(colours)[best] * weight + (1 - weight)
    ax.pcolormesh(found.x, found.T, picture, shading="nearest", rasterized=True)
    for field in diagram.fields:
        for x in field.x:
            ax.plot(x, field.T, color="black", linewidth=0.8)
    second = diagram.components[1].title()
    ax.set(xlim=(0, 1), ylim=diagram.span, xlabel=f"mole fraction of {second}")
    ax.set_ylabel("temperature / K")
    ax.set_title(plain(f"{name}: the likeliest phases of {found.draws} draws, pale where unsure"))
    patches = [
        Patch(color=(*colour, 0.75), label=n) for colour, n in zip(colours, names, strict=True)
    ]
    legend_below(figure, patches)
    return figure
