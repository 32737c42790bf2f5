"""What an assessment leaves on disk and on the terminal: database, draws, tables and figures."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from lina_calphad import __version__
from lina_calphad.data.databases import parameter_text, tdb_body
from lina_calphad.data.interactions import interactions
from lina_calphad.data.tdb_files import read_tdb_text
from lina_calphad.errors import LinaCalphadError, NotConverged, RecipeError
from lina_calphad.fit import figures
from lina_calphad.fit.assess import DRAWN, Assessed, assess
from lina_calphad.fit.espei_inputs import espei_inputs
from lina_calphad.fit.forms import reference_key, start_file
from lina_calphad.fit.health import excess_entropies
from lina_calphad.fit.problem import Mixing
from lina_calphad.fit.recipe import Recipe
from lina_calphad.fit.texts import comments, records, shown
from lina_calphad.phase.bands import bands
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.tally import NAMES
from lina_calphad.report import Report, Shown

#: The database and the draws of its symbols, which `compare` and `diagram --bands` find beside it.
TDB, DRAWS = "assessment.tdb", "assessment_draws"


def report(found: Assessed, progress: Callable[[str], None] = lambda _: None) -> Report:
    """An assessment, of `assess`, as tables, figures, a database and its draws.

    `progress` is told what is done.
    """
    notes = list(found.notes)
    progress("profiles")
    profiles = found.profiles()
    progress("data left out in turn")
    left_out = found.left_out()
    progress("draws")
    try:
        draws = found.draws()
    except NotConverged as error:
        draws = _gaussian(found)
        notes.append(f"{error}: the draws are Gaussian, of the standard errors")
    parameters = found.to_dataframe().merge(profiles.drop(columns="value"), "left", "symbol")
    correlation = pd.DataFrame(found.correlation, columns=list(found.problem.symbols))
    correlation.insert(0, "symbol", found.problem.symbols)
    predicted = predictions(found, draws)
    tables = {
        DRAWS: draws.to_dataframe().map(_short), "parameters": parameters,
        "correlation": correlation, "data": found.data, "left_out": left_out,
        "predictions": predicted,
    }  # fmt: skip
    drawn = {
        "residuals": partial(figures.residual_figure, found),
        "diagram": partial(figures.diagram_figure, found, draws),
    }
    for phase in dict.fromkeys(p.phase for _, p in found.problem.parts if isinstance(p, Mixing)):
        if phase in found.recipe.parameters:
            drawn[f"{phase.lower()}_mixing"] = partial(figures.mixing_figure, found, draws, phase)
    for phase in predicted["phase"].unique():
        name = f"{phase.lower()}_solubility"
        drawn[name] = partial(figures.assessed_solubilities, found, draws, phase)
    content = {
        "recipe": found.recipe.name,
        "chi_squared": found.chi_squared, "data": found.size, "aic": found.aic, "bic": found.bic,
        "parameters": records(parameters), "residuals": records(found.data),
        "left_out": records(left_out), "predictions": records(predicted), "notes": notes,
    }  # fmt: skip
    hints = [
        f"lina-calphad compare {found.recipe.start} {{folder}}/{TDB} --bands shows what it means"
    ]
    return Report(
        "assessment", content, _shown(found, parameters, left_out, predicted), notes, tables,
        drawn, {TDB: tdb_text(found), **espei_inputs(found)}, hints,
    )  # fmt: skip


def predictions(found: Assessed, draws: ParameterDraws) -> pd.DataFrame:
    """What follows for what the recipe asks: the ends of a phase's gap, with quantiles.

    One row a phase, temperature, quantity (binodal or spinodal) and side: best, and the quantiles
    of the draws.
    """
    rows = []
    first, second = (c.title() for c in found.recipe.components)
    for entry in found.recipe.predict:
        phase, T = str(entry["phase"]).upper(), float(entry["T"])
        known, best = (
            bands(
                found.dbf, each, [T], components=found.recipe.components, phase=phase,
                kinds=["chemical"],
            )
            for each in (draws, _best(found))
        )  # fmt: skip
        for kind in ("binodal", "spinodal"):
            lean, rich = known.x(f"chemical {kind}")[:, :, 0].T
            at = best.x(f"chemical {kind}")[2, :, 0]
            for what, x, own in (
                (f"{second} in {first}", at[0], lean),
                (f"{first} in {second}", 1 - at[1], 1 - rich[::-1]),
            ):
                quantiles = dict(zip(NAMES, own, strict=True))
                rows.append(
                    {"phase": phase, "T": T, "quantity": f"{kind}, {what}", "best": x, **quantiles}
                )
    columns = ["phase", "T", "quantity", "best", *NAMES]
    return pd.DataFrame(rows, columns=columns)


def _gaussian(found: Assessed) -> ParameterDraws:
    """Draws of the fitted symbols as if the data were linear in them."""
    k = len(found.symbols)
    mean = dict(zip(found.symbols, found.values[:k], strict=True))
    return ParameterDraws.from_covariance(mean, found.covariance[:k, :k], DRAWN)


def _best(found: Assessed) -> ParameterDraws:
    return ParameterDraws(found.symbols, found.values[None, : len(found.symbols)])


def forms(recipe: Recipe, progress: Callable[[str], None] = lambda _: None) -> Report:
    """A recipe and its variants side by side: the evidence for a choice.

    Raises
    ------
    RecipeError
        If the recipe has no variants.
    """
    if not recipe.variants:
        raise RecipeError(f"{recipe.name} has no variants to compare: name some under `variants`")
    rows, notes = [], []
    for name in (None, *recipe.variants):
        progress(name or recipe.name)
        try:
            each = recipe if name is None else recipe.variant(name)
            rows.append(_form(name or f"{recipe.name} as it is", assess(replace(each, starts=2))))
        except LinaCalphadError as error:
            notes.append(f"{name}: {error}")
            rows.append({"form": name})
    frame = pd.DataFrame(rows)
    cells = frame.map(lambda v: "" if pd.isna(v) else v if isinstance(v, str) else f"{v:.4g}")
    table = Shown(f"{recipe.name} and its variants", cells, ("form",))
    content = {"recipe": recipe.name, "forms": records(frame), "notes": notes}
    return Report("forms", content, [table], notes, {"forms": frame})


def _form(name: str, found: Assessed) -> dict[str, Any]:
    """One row of the table of forms."""
    counted = found.data[found.data["weight"] > 0]
    row: dict[str, Any] = {
        "form": name, "parameters": len(found.symbols), "data": found.size,
        "χ²": found.chi_squared, "AIC": found.aic, "BIC": found.bic,
        "worst / error": float(counted["in_sigma"].abs().max()),
    }  # fmt: skip
    for phase, solute, entropy in excess_entropies(found):
        row[f"S {solute.title()} in {phase} / k_B"] = entropy
    best = predictions(found, _best(found))
    for each in best[best["quantity"].str.startswith("binodal")].to_dict("records"):
        row[f"{each['quantity'].split(', ')[1]}, {each['T']:g} K"] = each["best"]
    return row


def tdb_text(found: Assessed) -> str:
    """The database, with what it rests on at its head."""
    recipe = found.recipe
    lines = [
        recipe.title or recipe.name, "", *recipe.text.splitlines(), "",
        f"MADE BY   LINA-CALPHAD {__version__}: lina-calphad assess {recipe.name}",
        f"START     {recipe.start}: ALL THAT IS NOT NAMED HERE",
        *(f"DATA      {s.name}{'' if s.weight else ', COMPARED ALONE'}" for s in recipe.data),
        f"FIT       CHI2 {found.chi_squared:.2f}, {found.size} DATA, "
        f"{len(found.symbols)} PARAMETERS",
        "FITTED    VALUE AND STANDARD ERROR",
    ]  # fmt: skip
    for row in found.to_dataframe().head(len(found.symbols)).to_dict("records"):
        form = "  {symbol:8} {value:.10g} +- {standard_error:.2g} {unit}: {parameter}"
        lines.append(form.format_map(row))
    # pycalphad keeps no references of parameters.
    text = read_tdb_text(start_file(recipe))
    sources = dict(re.findall(r"(?s)PARAMETER\s+(\S+)[^!]*?\bN\s+(\w+)\s*!", text))
    sources |= {
        parameter_text(p): reference_key(recipe)
        for phase in recipe.parameters
        for p in interactions(found.dbf, phase, recipe.components)
    }
    body = re.sub(
        r"(?m)^(PARAMETER (\S+) .*) !$",
        lambda m: f"{m[1]} {sources[m[2]]} !" if m[2] in sources else m[0], tdb_body(found.dbf),
    )  # fmt: skip
    texts = {reference_key(recipe): f"{recipe.name}, see the header", **recipe.references}
    listed = "".join(
        textwrap.fill(f"'{text}'", 78, initial_indent=f" {key:12} ", subsequent_indent=" " * 15)
        + "\n"
        for key, text in texts.items()
    ).upper()
    return f"{comments(lines)}\n\n{body.rstrip()}\n\nLIST_OF_REFERENCES\nNUMBER SOURCE\n{listed}!\n"


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _shown(
    found: Assessed, parameters: pd.DataFrame, left_out: pd.DataFrame, predicted: pd.DataFrame
) -> list[Shown | str]:
    title = (
        f"{found.recipe.name}: {len(found.symbols)} parameters, {found.size} data, "
        f"χ² {found.chi_squared:.3g}, AIC {found.aic:.1f}, BIC {found.bic:.1f}; "
        f"{found.starts[1]} of {found.starts[0]} starts"
    )
    tables: list[Shown | str] = [shown(title, parameters, {
        "parameter": "{symbol}", "stands in": "{parameter}", "value": "{value:.6g}",
        "error": "{standard_error:.2g}", "68 % by profile": "-{minus:.2g} +{plus:.2g}",
        "unit": "{unit}",
    })]  # fmt: skip
    data = found.data.assign(predicted=left_out["predicted"], alone=left_out["in_sigma"])
    others = "{predicted:.5g} ({alone:+.1f})"
    table = shown("data", data, {
        "datum": "{name}", "quantity": "{quantity}", "measured": "{measured:.6g}",
        "error": "{error:.2g}", "fit": "{computed:.6g}", "off / error": "{in_sigma:+.2f}",
        "by the others": others,
    }, roomy=("by the others",))  # fmt: skip
    table.frame.loc[(data["weight"] == 0).to_numpy(), "by the others"] = "not fitted"
    tables.append(table)
    if len(predicted):
        tables.append(shown("what follows", predicted, {
            "prediction": "{quantity}", "phase": "{phase}", "T / K": "{T:g}",
            "best": "{best:.3g}", "68 % of draws": "{low_68:.3g} to {high_68:.3g}",
            "95 % of draws": "{low_95:.3g} to {high_95:.3g}",
        }))  # fmt: skip
    return tables
