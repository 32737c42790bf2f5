"""What a refit leaves on disk and on the terminal: database, tables, draws and figures."""

from __future__ import annotations

import json
import re
import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lina_calphad import __version__
from lina_calphad.data.databases import ELASTIC, copy_database, remove_parameters, tdb_body
from lina_calphad.data.interactions import describe_symbol
from lina_calphad.errors import LinaCalphadError
from lina_calphad.fit import figures
from lina_calphad.report import Report, Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from lina_calphad.fit.refit import Refit

#: The database and the draws of its symbols, which `compare --bands` finds beside it.
TDB, DRAWS = "refit.tdb", "refit_draws.csv"


def report(refit: Refit) -> Report:
    """A refit as tables, figures, a database and its draws.

    Curves that cannot be drawn do not cost the fit: a note says why.
    """
    settings = refit.setup.settings
    notes = list(refit.notes)
    tables: dict[str, pd.DataFrame] = {
        DRAWS.removesuffix(".csv"): refit.draws.to_dataframe(),
        "parameters": refit.to_dataframe(),
        "residuals": refit.residuals,
    }
    drawn: dict[str, Callable[[], Figure]] = {"corner": partial(figures.corner_figure, refit)}
    if refit.trace is not None:
        drawn["trace"] = partial(figures.trace_figure, refit)
    for phase in settings.phases:
        prefix = "" if len(settings.phases) == 1 else f"{phase.lower()}_"
        name = f"{prefix}formation_energy"
        try:
            curves, data = figures.formation_energies(refit, phase)
            if data.empty:
                notes.append(f"no figure {name}: the data hold no energies of mixing")
            else:
                tables |= {name: curves, f"{name}_data": data}
                drawn[name] = partial(figures.energy_figure, refit, curves, data)
        except LinaCalphadError as error:
            notes.append(f"no figure {name}: {error}")
        name = f"{prefix}solubility"
        try:
            found = figures.solubility_bands(refit, phase)
            tables |= {name: found.to_dataframe(), f"{name}_critical": found.critical_frame()}
            drawn[name] = partial(figures.solubility_figure, found, refit, phase)
        except LinaCalphadError as error:
            notes.append(f"no figure {name}: {error}")
    return Report(
        "report", _content(refit), _shown(refit), notes, tables, drawn, {TDB: refit.to_tdb()}
    )


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
    header = "\n".join(_comment(line) for line in lines)
    return f"{header}\n\n{tdb_body(plain)}"


def _comment(line: str) -> str:
    """A line of a TDB's header: plain ASCII, at most 78 characters."""
    plain = re.sub("[^ -~]", "?", line.upper())
    return "\n".join(
        textwrap.wrap(plain, 78, initial_indent="$ ", subsequent_indent="$           ") or ["$"]
    )


def _content(refit: Refit) -> dict[str, Any]:
    """The numbers of a refit for programs; missing values are None."""
    strict, judged = refit.finite_difference, refit.convergence
    return {
        "settings": refit.setup.settings.to_dict(),
        "method": refit.method.lower(),
        "notes": refit.notes,
        "parameters": _records(refit.to_dataframe()),
        "finite_difference": strict and {"L0": strict.L0, "L1": strict.L1},
        "data": len(refit.residuals),
        "chi_squared": refit.chi_squared,
        "degrees_of_freedom": refit.degrees_of_freedom,
        "residuals": _records(refit.residuals),
        "convergence": judged
        and {
            "acceptance": judged.acceptance,
            "burn_in": judged.burn_in,
            "converged": judged.converged,
            "verdict": judged.verdict,
        },
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return result


def _shown(refit: Refit) -> list[Shown | str]:
    strict = refit.finite_difference
    by_difference = [f"{strict.L0:.6g}", f"{strict.L1:.6g}"] if strict else []
    rows = []
    for i, row in enumerate(refit.to_dataframe().to_dict("records")):
        cells = {
            "parameter": row["symbol"],
            "stands in": row["parameter"],
            "old": "" if pd.isna(row["old"]) else f"{row['old']:.6g}",
            "new": f"{row['new']:.7g}",
            "standard error": f"{row['standard_error']:.3g}",
        }
        if refit.convergence is not None:
            cells["chain"] = f"{row['chain_mean']:.6g} ± {row['chain_standard_error']:.3g}"
        if strict:
            cells["eqs. 8, 9"] = by_difference[i] if i < 2 else ""
        rows.append(cells)
    title = f"refit of {Path(refit.setup.settings.source).name}"
    shown: list[Shown | str] = [Shown(title, pd.DataFrame(rows), ("parameter", "stands in"))]
    for i, name in enumerate(refit.symbols):
        for other, r in zip(refit.symbols[:i], refit.correlation[i], strict=False):
            if abs(r) >= 0.005:
                shown.append(f"correlation of {other} and {name}: {r:.2f}")
    shown += [_data(refit), f"values: {refit.method.lower()}"]
    if refit.convergence is not None:
        shown.append(refit.convergence.verdict)
    return shown


def _data(refit: Refit) -> Shown:
    """How well each dataset is met."""
    rows = []
    for (_, reference, output), some in refit.residuals.groupby(
        ["dataset", "reference", "output"], sort=False
    ):
        chi, largest = (some["in_sigma"] ** 2).sum(), some["in_sigma"].abs().max()
        row = [str(reference)[:50], str(output), str(len(some)), f"{chi:.3g}", f"{largest:.2g}"]
        rows.append(row)
    total = f"{refit.chi_squared:.3g} with {refit.degrees_of_freedom} degrees of freedom"
    columns = ["data", "kind", "number", "χ²", "largest residual / error"]
    frame = pd.DataFrame(rows, columns=columns)
    return Shown(f"data and fit: χ² = {total}", frame, ("data", "kind"))
