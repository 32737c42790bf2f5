"""What `lina-calphad stability` finds, as a Report: spinodal temperatures, isotherms."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pycalphad import Model
from scipy.optimize import minimize_scalar

from lina_calphad.data.assessments import Source, read, short_names
from lina_calphad.errors import DataLeftOut
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.plots import COLOURS, KELVIN, fraction_axis, legend_below, plain, style
from lina_calphad.report import Report, Shown
from lina_calphad.stability.figures import isotherm_figure
from lina_calphad.stability.isotherm import Isotherm
from lina_calphad.stability.solution import Solution

_POINTS = 101  # of a section


def stability_report(
    source: Source,
    components: Sequence[str],
    phase: str,
    *,
    coherent: bool = False,
    T: float | None = None,
    x: Sequence[float] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Where a phase of any number of components unmixes by itself.

    Spinodal temperatures along a section from the first component to the others in equal shares,
    or through the composition x; with T the isotherm of a ternary.

    Parameters
    ----------
    source
        Key of an assessment or path of a TDB file.
    components, phase
        As of `Solution`.
    coherent
        Add what stays coherent; needs elastic data.
    T
        Temperature in K of an isotherm, of three components; or of the stability of x.
    x
        Mole fractions of all components or of all but the first.
    progress
        Called with a line of text as each step begins.

    Raises
    ------
    DatabaseError, UnsupportedPhase, NotConverged, ElasticDataError, ValueError
        As of `Solution` and `CoherentModel`.

    Examples
    --------
    >>> report = stability_report("santos2025", ("LI", "NA"), "BCC_A2", coherent=True)
    >>> report.content["chemical"]["highest_spinodal_temperature_K"]
    1384.929...
    """
    phase = phase.upper()
    names = tuple(c.upper() for c in components)
    dbf, origin = read(source, names, [phase])
    models: dict[str, type[Model]] = {"chemical": Model}
    if coherent:
        models["coherent"] = CoherentModel
    solutions = {kind: Solution(dbf, names, phase, model) for kind, model in models.items()}
    first = next(iter(solutions.values()))
    names = first.components
    n = len(names)
    others = np.full(n - 1, 1 / (n - 1)) if x is None else first.fractions(x)[1:]
    if not others.sum() > 0:
        raise ValueError(f"a section needs something beside {names[0]}")
    share = np.linspace(0.0, 1.0, _POINTS)

    def at_share(share: Any) -> Any:
        share = np.atleast_1d(share)[:, None]
        return np.concatenate([1 - share, share * others / others.sum()], axis=-1)

    line = at_share(share)
    sections, isotherms = {}, {}
    content: dict[str, Any] = {
        "source": origin.source, "components": list(names), "phase": phase, "T_K": T,
    }  # fmt: skip
    rows = []
    for kind, solution in solutions.items():
        progress(f"{kind} spinodal temperatures")
        sections[kind] = solution.spinodal_temperature(line, strict=False)
        entry = _highest(solution, at_share, share, sections[kind])
        row = {"": kind, "highest spinodal T / K": _text(entry["highest_spinodal_temperature_K"])}
        if x is not None:
            at = first.fractions(x)
            entry["x"] = at.tolist()
            every = [_number(T) for T in solution.spinodal_temperatures(at)]
            entry["spinodal_temperatures_K"] = every
            row["spinodal T at x / K"] = ", ".join(map(_text, every)) or "none"
            if T is not None:
                entry["stability"] = float(solution.stability(T, at))
                row[f"stability at x, {T:g} K"] = f"{entry['stability']:.4f}"
        if T is not None and n == 3:
            progress(f"{kind} isotherm")
            isotherms[kind] = solution.isotherm(T)
            entry |= _counted(isotherms[kind])
            row |= {
                "two-phase regions": str(entry["two_phase_regions"]),
                "three-phase triangles": str(entry["triangles"]),
                "stable plait points": str(len(entry["plait_points"])),
            }
        content[kind] = entry
        rows.append(row)
    title = f"{'-'.join(c.title() for c in names)}, {phase}, {short_names([source])[0]}"
    tables: dict[str, Any] = {"section": _section_table(names, line, sections)}
    figures: dict[str, Any] = {"section": partial(_section_figure, share, sections, title, names)}
    if isotherms:
        frames = [found.to_dataframe().assign(model=kind) for kind, found in isotherms.items()]
        tables["isotherm"] = pd.concat(frames, ignore_index=True)
        figures["isotherm"] = partial(isotherm_figure, isotherms, f"{title}, {T:g} K")
    notes = [origin.elastic] if coherent and origin.elastic else []
    content["notes"] = notes
    return Report(
        "stability", content, [Shown(title, pd.DataFrame(rows), left=("",))], notes, tables, figures
    )


def _number(T: float) -> float | None:
    return float(T) if np.isfinite(T) else None


def _text(T: float | None) -> str:
    return "none" if T is None else f"{T:.2f}"


def _highest(
    solution: Solution, at_share: Callable[[Any], Any], share: Any, T: Any
) -> dict[str, Any]:
    """The top of a section: of its points, then between those beside the highest."""
    finite = np.where(np.isfinite(T), T, -np.inf)
    at = int(finite.argmax())
    there = bool(np.isfinite(finite[at]))
    top, place = float(finite[at]), float(share[at])
    if there and 0 < at < share.size - 1 and np.isfinite(finite[at - 1 : at + 2]).all():

        def below(s: float) -> float:
            return -float(solution.spinodal_temperature(at_share(s), strict=False)[0])

        ends = share[at - 1], share[at + 1]
        with warnings.catch_warnings():  # the section has told of the same
            warnings.simplefilter("ignore", DataLeftOut)
            found = minimize_scalar(below, bounds=ends, method="bounded", options={"xatol": 1e-7})
        if top < -found.fun < np.inf:
            top, place = -float(found.fun), float(found.x)
    return {
        "highest_spinodal_temperature_K": top if there else None,
        "at_fraction_of_the_others": place if there else None,
        "unstable_to_the_end_of_the_parameters": bool(np.isposinf(T).any()),
    }


def _counted(found: Isotherm) -> dict[str, Any]:
    return {
        "spinodals": len(found.spinodal),
        "two_phase_regions": len(found.tie_lines),
        "triangles": len(found.triangles),
        "plait_points": found.critical_points[found.stable].tolist(),
    }


def _section_table(names: tuple[str, ...], line: Any, sections: dict[str, Any]) -> pd.DataFrame:
    columns = {f"x_{name}": line[:, i] for i, name in enumerate(names)}
    return pd.DataFrame(columns | {f"{kind}_spinodal_T_K": T for kind, T in sections.items()})


def _section_figure(
    share: Any, sections: dict[str, Any], title: str, names: tuple[str, ...]
) -> Figure:
    figure = Figure(figsize=(7.2, 5.4), layout="constrained")
    ax = figure.subplots()
    for (kind, T), colour in zip(sections.items(), COLOURS, strict=False):
        name = f"{kind} spinodal"
        ax.plot(share, np.where(np.isfinite(T), T, np.nan), label=name, **style(name, colour))
    fraction_axis(ax, of=" and ".join(plain(name.title()) for name in names[1:]))
    ax.set_ylabel(KELVIN)
    ax.set_ylim(bottom=0)
    ax.set_title(plain(title))
    legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure
