"""What a refit leaves on disk and on the terminal: database, tables, draws and figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from lina_calphad import __version__
from lina_calphad.data.databases import ELASTIC, copy_database, remove_parameters, tdb_body
from lina_calphad.data.interactions import describe_symbol
from lina_calphad.errors import DatasetError, LinaCalphadError
from lina_calphad.fit import figures
from lina_calphad.fit.texts import comments, records, shown
from lina_calphad.report import Report, Shown

if TYPE_CHECKING:
    from lina_calphad.fit.refit import Refit

#: The database and the draws of its symbols, which `compare --bands` finds beside it.
TDB, DRAWS = "refit.tdb", "refit_draws.csv"


def report(refit: Refit) -> Report:
    """A refit as tables, figures, a database and its draws.

    Curves that cannot be drawn do not cost the fit: a note says why.
    """
    phases, notes = refit.setup.settings.phases, [*refit.notes]
    tables: dict[str, pd.DataFrame] = {
        DRAWS.removesuffix(".csv"): refit.draws.to_dataframe(),
        "parameters": refit.to_dataframe(),
        "residuals": refit.residuals,
    }
    drawn: dict[str, Callable[[], Figure]] = {"corner": partial(figures.corner_figure, refit)}
    if refit.trace is not None:
        drawn["trace"] = partial(figures.trace_figure, refit)
    for phase in phases:
        for name, made in (("formation_energy", _energies), ("solubility", _solubilities)):
            whole = name if len(phases) == 1 else f"{phase.lower()}_{name}"
            try:
                found, drawn[whole] = made(refit, phase)
                tables |= {f"{whole}{end}": frame for end, frame in found.items()}
            except LinaCalphadError as error:
                notes.append(f"no figure {whole}: {error}")
    return Report(
        "report", _content(refit), _shown(refit), notes, tables, drawn, {TDB: refit.to_tdb()}
    )


def _energies(refit: Refit, phase: str) -> tuple[dict[str, pd.DataFrame], Callable[[], Figure]]:
    curves, data = figures.formation_energies(refit, phase)
    if data.empty:
        raise DatasetError("the data hold no energies of mixing")
    return {"": curves, "_data": data}, partial(figures.energy_figure, refit, curves, data)


def _solubilities(refit: Refit, phase: str) -> tuple[dict[str, pd.DataFrame], Callable[[], Figure]]:
    found = figures.solubility_bands(refit, phase)
    frames = {"": found.to_dataframe(), "_critical": found.critical_frame()}
    return frames, partial(figures.refit_solubilities, found, refit, phase)


def tdb_text(refit: Refit) -> str:
    """The refitted database, with what was done on top; elastic data of ours stay out of it."""
    plain, settings = copy_database(refit.dbf), refit.setup.settings
    if refit.setup.elastic_added:
        remove_parameters(plain, lambda p: p["parameter_type"] in ELASTIC)
    lines = [
        f"REFIT OF {Path(settings.source).name} BY LINA-CALPHAD {__version__} WITH ESPEI",
        "",
        f"PHASES    {', '.join(settings.phases)}; MODEL {settings.model}",
        f"METHOD    {refit.method}",
    ]
    for dataset in refit.setup.datasets:
        lines.append(f"DATA      {dataset['output']}: {dataset.get('reference', 'no reference')}")
    lines.append("FITTED    VALUE, STANDARD ERROR, VALUE BEFORE")
    for name, value, error in zip(refit.symbols, refit.values, refit.errors, strict=True):
        meaning, unit = describe_symbol(refit.dbf, name)
        old = refit.setup.old.get(name)
        before = "NONE" if old is None else f"{old:.10g}"
        lines.append(f"  {name:8} {value:.10g} +- {error:.3g} ({before}) {unit}: {meaning}")
    if refit.convergence is not None:
        lines.append(f"CHAIN     {refit.convergence.verdict}")
    lines += [f"NOTE      {note}" for note in refit.notes]
    lines.append("ALL ELSE  AS IN THE SOURCE: SEE ITS HEADER")
    return f"{comments(lines)}\n\n{tdb_body(plain)}"


def _content(refit: Refit) -> dict[str, Any]:
    """The numbers of a refit for programs; missing values are None."""
    strict, judged = refit.finite_difference, refit.convergence
    named = ("acceptance", "burn_in", "converged", "verdict")
    return {
        "settings": refit.setup.settings.to_dict(),
        "method": refit.method.lower(),
        "notes": refit.notes,
        "parameters": records(refit.to_dataframe()),
        "finite_difference": strict and strict._asdict(),
        "data": len(refit.residuals),
        "chi_squared": refit.chi_squared,
        "degrees_of_freedom": refit.degrees_of_freedom,
        "residuals": records(refit.residuals),
        "convergence": judged and {name: getattr(judged, name) for name in named},
    }


def _shown(refit: Refit) -> list[Shown | str]:
    columns = {
        "parameter": "{symbol}", "stands in": "{parameter}", "old": "{old:.6g}",
        "new": "{new:.7g}", "standard error": "{standard_error:.3g}",
    }  # fmt: skip
    frame = refit.to_dataframe()
    if refit.convergence is not None:
        columns["chain"] = "{chain_mean:.6g} ± {chain_standard_error:.3g}"
    if strict := refit.finite_difference:
        frame["strict"] = pd.Series(strict)
        columns["eqs. 8, 9"] = "{strict:.6g}"
    title = f"refit of {Path(refit.setup.settings.source).name}"
    lines: list[Shown | str] = [shown(title, frame, columns)]
    for i, name in enumerate(refit.symbols):
        for other, r in zip(refit.symbols[:i], refit.correlation[i], strict=False):
            if abs(r) >= 0.005:
                lines.append(f"correlation of {other} and {name}: {r:.2f}")
    lines += [_data(refit), f"values: {refit.method.lower()}"]
    if refit.convergence is not None:
        lines.append(refit.convergence.verdict)
    return lines


def _data(refit: Refit) -> Shown:
    """How well each dataset is met."""
    sets = refit.residuals.groupby(["dataset", "reference", "output"], sort=False)["in_sigma"]
    frame = sets.agg(
        number="size", chi=lambda s: (s**2).sum(), largest=lambda s: s.abs().max()
    ).reset_index()
    frame["reference"] = frame["reference"].str[:50]
    total = f"{refit.chi_squared:.3g} with {refit.degrees_of_freedom} degrees of freedom"
    columns = {
        "data": "{reference}", "kind": "{output}", "number": "{number:d}", "χ²": "{chi:.3g}",
        "largest residual / error": "{largest:.2g}",
    }  # fmt: skip
    return shown(f"data and fit: χ² = {total}", frame, columns)
