"""Assessments of any binary side by side: the gap of one phase, all invariants, both diagrams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pycalphad import Database, Model

from lina_calphad.checks import kelvin
from lina_calphad.compare.quantities import cells, label
from lina_calphad.data.assessments import Source, read, short_names
from lina_calphad.data.databases import has_elastic_data
from lina_calphad.diagram.results import Diagram
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import LinaCalphadError, UnknownAssessment
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.plots import COLOURS, colour_key, legend_below, plain
from lina_calphad.report import Report, Shown


def pair_report(
    sources: Sequence[Source],
    components: Sequence[str],
    phase: str,
    T: float = 300.0,
    phases: Sequence[str] | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Compare assessments of two components: the gap of a phase at `T`, and whole diagrams.

    The coherent gap too, where a source has elastic data; of the diagram `phases`, all by default.
    `progress` is called with a line of text as each step begins. Errors are those of
    `lina_calphad.compare` and `BinarySystem`.
    """
    say = progress or (lambda _: None)
    if not sources:
        raise UnknownAssessment(
            f"nothing to compare: name TDB files with {' and '.join(components)}"
        )
    T = float(kelvin(T))
    pair, names = tuple(c.upper() for c in components), short_names(sources)
    columns: dict[str, dict[tuple[str, str], float]] = {}
    notes: list[str] = []
    diagrams: dict[str, Diagram] = {}
    for name, source in zip(names, sources, strict=True):
        say(f"{name}: the gap of {phase}, invariants and boundaries")
        dbf, _ = read(source, pair, (phase,))
        diagrams[name] = BinarySystem(dbf, pair, phases).diagram()
        columns[name] = dict(_gaps(dbf, pair, phase, T, name, notes))
        columns[name] |= _invariants(diagrams[name])
    keys = dict.fromkeys(key for values in columns.values() for key in values)
    table = pd.DataFrame(
        [(q, unit, *(columns[n].get((q, unit), np.nan) for n in names)) for q, unit in keys],
        columns=["quantity", "unit", *names],
    )
    numbers = table.astype(object).where(table.notna(), None)
    content: dict[str, Any] = {
        "temperature": T,
        "components": list(pair),
        "phase": phase,
        "rows": [
            {"quantity": quantity, "unit": unit, "values": dict(zip(names, values, strict=True))}
            for quantity, unit, *values in numbers.itertuples(index=False)
        ],
        "notes": notes,
    }
    boundaries = [d.to_dataframe().assign(assessment=n) for n, d in diagrams.items()]
    tables = {"comparison": table, "boundaries": pd.concat(boundaries, ignore_index=True)}
    title = f"{'-'.join(c.title() for c in pair)}, {phase} at {T:g} K"
    figures = {"diagrams": lambda: _figure(diagrams)}
    return Report("comparison", content, [_shown(title, table)], notes, tables, figures)


def _gaps(
    dbf: Database, pair: tuple[str, ...], phase: str, T: float, name: str, notes: list[str]
) -> Iterator[tuple[tuple[str, str], float]]:
    """Quantities of the chemical gap of the phase, and of the coherent one where it has one."""
    first, second = (c.title() for c in pair)
    models: dict[str, type[Model]] = {"chemical": Model}
    if has_elastic_data(dbf, phase):
        models["coherent"] = CoherentModel
    for kind, model in models.items():
        try:
            solution = BinarySolution(dbf, pair, phase, model)
            top = solution.critical_point()
            yield (f"{kind} critical temperature", "K"), top.T
            yield (f"{kind} critical composition, x({second})", "1"), top.x
            line, limits = solution.binodal(T), solution.spinodal(T)
        except LinaCalphadError as error:
            notes.append(f"{name}, {kind} gap: {error}")
            continue
        yield (f"{kind} solubility, {second} in {first}", "1"), float(np.exp(line.ln_x_alpha))
        dilute = float(np.exp(line.ln_one_minus_x_beta))
        yield (f"{kind} solubility, {first} in {second}", "1"), dilute
        yield (f"{kind} spinodal onset, x({second})", "1"), float(limits.x_alpha)
        yield (f"{kind} spinodal end, x({second})", "1"), float(limits.x_beta)


def _invariants(diagram: Diagram) -> dict[tuple[str, str], float]:
    """Temperatures and compositions of all that happens, by kind and phases."""
    found: dict[tuple[str, str], float] = {}
    seen: Counter[str] = Counter()
    for one in diagram.invariants:
        what = f"{one.kind} of {', '.join(name for name, _ in one.phases)}"
        seen[what] += 1
        what += f" ({seen[what]})" if seen[what] > 1 else ""
        found[what, "K"] = one.T
        if one.kind != "transition":
            for place, (name, x) in enumerate(one.phases, 1):
                found[f"{what}: x of {name}, {place}", "1"] = x
    return found


def _shown(title: str, table: pd.DataFrame) -> Shown:
    shown = {"quantity": list(map(label, table["quantity"], table["unit"]))}
    shown |= {name: cells(table[name], table["unit"]) for name in table.columns[2:]}
    return Shown(title, pd.DataFrame(shown), left=("quantity",))


def _figure(diagrams: dict[str, Diagram]) -> Figure:
    figure = Figure(figsize=(8.0, 6.0), layout="constrained")
    ax = figure.subplots()
    colours = dict(zip(map(plain, diagrams), COLOURS, strict=False))
    for number, (diagram, colour) in enumerate(zip(diagrams.values(), COLOURS, strict=False)):
        diagram.plot(ax, colour=colour, labels=number == 0)
    spans = [diagram.span for diagram in diagrams.values()]
    ax.set_ylim(min(low for low, _ in spans), max(high for _, high in spans))
    legend_below(figure, colour_key(colours))
    return figure
