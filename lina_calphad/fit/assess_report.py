"""What an assessment leaves on disk and on the terminal: database, draws, tables and figures."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pycalphad import Model

from lina_calphad import __version__
from lina_calphad.data.databases import parameter_text, tdb_body
from lina_calphad.data.interactions import interactions
from lina_calphad.data.tdb_files import read_tdb_text
from lina_calphad.diagram.bands import diagram_bands
from lina_calphad.diagram.residuals import Residuals
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import LinaCalphadError, NotConverged, RecipeError
from lina_calphad.fit.assess import DRAWN, assess
from lina_calphad.fit.espei_inputs import espei_inputs
from lina_calphad.fit.forms import reference_key, start_file
from lina_calphad.fit.health import excess_entropies
from lina_calphad.fit.problem import Mixing
from lina_calphad.phase.bands import LEVELS, NAMES, bands
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.plots import (
    COLOURS,
    arrhenius_axis,
    band,
    band_key,
    fraction_axis,
    legend_below,
    plain,
)  # fmt: skip
from lina_calphad.report import Report, Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from lina_calphad.fit.assess import Assessed
    from lina_calphad.fit.recipe import Recipe

#: The database and the draws of its symbols, which `compare` and `diagram --bands` find beside it.
TDB, DRAWS = "assessment.tdb", "assessment_draws"
_BAND_POINTS = 60
_X = np.linspace(0.0025, 0.9975, 200)


def report(found: Assessed, progress: Callable[[str], None] = lambda _: None) -> Report:
    """An assessment as tables, figures, a database and its draws.

    Parameters
    ----------
    found
        As of `lina_calphad.fit.assess.assess`.
    progress
        Told what is done.
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
    tables: dict[str, Any] = {
        DRAWS: draws.to_dataframe().map(_short), "parameters": parameters,
        "correlation": correlation, "data": found.data, "left_out": left_out,
        "predictions": predicted,
    }  # fmt: skip
    figures: dict[str, Callable[[], Figure]] = {
        "residuals": partial(_residuals, found),
        "diagram": partial(_diagram, found, draws),
    }
    for phase in found.recipe.parameters:
        if any(isinstance(p, Mixing) and p.phase == phase for _, p in found.problem.parts):
            figures[f"{phase.lower()}_mixing"] = partial(_mixing, found, draws, phase)
    for phase in predicted["phase"].unique():
        figures[f"{phase.lower()}_solubility"] = partial(_solubility, found, draws, phase)
    content = {
        "recipe": found.recipe.name,
        "chi_squared": found.chi_squared, "data": found.size, "aic": found.aic, "bic": found.bic,
        "parameters": _records(parameters), "residuals": _records(found.data),
        "left_out": _records(left_out), "predictions": _records(predicted), "notes": notes,
    }  # fmt: skip
    hints = [
        f"lina-calphad compare {found.recipe.start} {{folder}}/{TDB} --bands shows what it means"
    ]
    return Report(
        "assessment", content, _shown(found, parameters, left_out, predicted), notes, tables,
        figures, {TDB: tdb_text(found), **espei_inputs(found)}, hints,
    )  # fmt: skip


def predictions(found: Assessed, draws: ParameterDraws) -> pd.DataFrame:
    """What follows for what the recipe asks: the ends of a phase's gap, with quantiles.

    One row a phase, temperature, quantity (binodal or spinodal) and side: best, and the quantiles
    of the draws.
    """
    rows = []
    for entry in found.recipe.predict:
        phase, T = str(entry["phase"]).upper(), float(entry["T"])
        arguments: dict[str, Any] = {"components": found.recipe.components, "phase": phase}
        arguments["kinds"] = {"chemical": Model}
        known = bands(found.dbf, draws, [T], **arguments)
        at = bands(found.dbf, _best(found), [T], **arguments)
        first, second = (c.title() for c in found.recipe.components)
        for kind in ("binodal", "spinodal"):
            x, best = known.x(f"chemical {kind}")[:, :, 0], at.x(f"chemical {kind}")[2, :, 0]
            for side, (solute, solvent) in enumerate(((second, first), (first, second))):
                own = x[:, 0] if side == 0 else 1 - x[::-1, 1]
                rows.append({
                    "phase": phase, "T": T, "quantity": f"{kind}, {solute} in {solvent}",
                    "best": best[0] if side == 0 else 1 - best[1],
                    **dict(zip(NAMES, own, strict=True)),
                })  # fmt: skip
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
        msg = f"{recipe.name} has no variants to compare: name some under `variants`"
        raise RecipeError(msg)
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
    title = f"{recipe.name} and its variants"
    shown = Shown(title, cells, ("form",))
    content = {"recipe": recipe.name, "forms": _records(frame), "notes": notes}
    return Report("forms", content, [shown], notes, {"forms": frame})


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
    lines = [recipe.title or recipe.name, "", *recipe.text.splitlines(), ""]
    lines.append(f"MADE BY   LINA-CALPHAD {__version__}: lina-calphad assess {recipe.name}")
    lines.append(f"START     {recipe.start}: ALL THAT IS NOT NAMED HERE")
    for source in recipe.data:
        lines.append(f"DATA      {source.name}" + ("" if source.weight else ", COMPARED ALONE"))
    lines.append(
        f"FIT       CHI2 {found.chi_squared:.2f}, {found.size} DATA, "
        f"{len(found.symbols)} PARAMETERS"
    )
    lines.append("FITTED    VALUE AND STANDARD ERROR")
    for row in found.to_dataframe().head(len(found.symbols)).to_dict("records"):
        lines.append(
            f"  {row['symbol']:8} {row['value']:.10g} +- {row['standard_error']:.2g} "
            f"{row['unit']}: {row['parameter']}"
        )
    header = "\n".join(
        "\n".join(textwrap.wrap(line.upper().encode("ascii", "replace").decode(), 78,
                                initial_indent="$ ", subsequent_indent="$           ",
                                drop_whitespace=True) or ["$"])
        for line in lines
    )  # fmt: skip
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
        "\n".join(textwrap.wrap(f"'{text}'", 78, initial_indent=f" {key:12} ",
                                subsequent_indent=" " * 15)) + "\n"
        for key, text in texts.items()
    ).upper()  # fmt: skip
    return f"{header}\n\n{body.rstrip()}\n\nLIST_OF_REFERENCES\nNUMBER SOURCE\n{listed}!\n"


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=12))
    return records


def _shown(
    found: Assessed, parameters: pd.DataFrame, left_out: pd.DataFrame, predicted: pd.DataFrame
) -> list[Shown | str]:
    cells = pd.DataFrame({
        "parameter": parameters["symbol"], "stands in": parameters["parameter"],
        "value": parameters["value"].map("{:.6g}".format),
        "error": parameters["standard_error"].map("{:.2g}".format),
        "68 % by profile": [
            "" if pd.isna(low) or pd.isna(high) else f"-{low:.2g} +{high:.2g}"
            for low, high in zip(parameters["minus"], parameters["plus"], strict=True)
        ],
        "unit": parameters["unit"],
    })  # fmt: skip
    k = len(found.symbols)
    title = (
        f"{found.recipe.name}: {k} parameters, {found.size} data, χ² {found.chi_squared:.3g}, "
        f"AIC {found.aic:.1f}, BIC {found.bic:.1f}; {found.starts[1]} of {found.starts[0]} starts"
    )
    shown: list[Shown | str] = [Shown(title, cells, ("parameter", "stands in", "unit"))]
    rows, others = [], iter(left_out.to_dict("records"))
    for datum in found.data.to_dict("records"):
        alone = next(others) if datum["weight"] else None
        rows.append({
            "datum": datum["name"], "quantity": datum["quantity"],
            "measured": f"{datum['measured']:.6g}", "error": f"{datum['error']:.2g}",
            "fit": f"{datum['computed']:.6g}", "off / error": f"{datum['in_sigma']:+.2f}",
            "by the others": "not fitted" if not datum["weight"]
            else "" if alone is None or pd.isna(alone["predicted"])
            else f"{alone['predicted']:.5g} ({alone['in_sigma']:+.1f})",
        })  # fmt: skip
    shown.append(Shown("data", pd.DataFrame(rows), ("datum", "quantity"), roomy=("by the others",)))
    if len(predicted):
        frame = pd.DataFrame({
            "prediction": predicted["quantity"], "phase": predicted["phase"],
            "T / K": predicted["T"].map("{:g}".format),
            "best": predicted["best"].map("{:.3g}".format),
        })  # fmt: skip
        for share in ("68", "95"):
            ends = zip(predicted[f"low_{share}"], predicted[f"high_{share}"], strict=True)
            frame[f"{share} % of draws"] = [f"{low:.3g} to {high:.3g}" for low, high in ends]
        shown.append(Shown("what follows", frame, ("prediction", "phase")))
    return shown


def _residuals(found: Assessed) -> Figure:
    """How far each datum is from the fit, in units of its error."""
    data = found.data.iloc[::-1]
    figure = Figure(figsize=(8, 1.4 + 0.28 * len(data)), layout="constrained")
    ax = figure.subplots()
    ax.axvspan(-1, 1, color="0.92", zorder=0)
    colours = [COLOURS[0] if w else "0.6" for w in data["weight"]]
    at = np.arange(len(data))
    ax.barh(at, data["in_sigma"].to_numpy(), color=colours, height=0.6)
    names = [plain(f"{n[:40]}: {q}") for n, q in zip(data["name"], data["quantity"], strict=True)]
    ax.set_yticks(at, labels=names, fontsize="small")
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(xlabel="(fit - datum) / error; grey is not fitted", title=plain(found.recipe.name))
    widest = max(1.2, float(data["in_sigma"].abs().max()) * 1.1)
    ax.set_xlim(-widest, widest)
    return figure


def _diagram(found: Assessed, draws: ParameterDraws) -> Figure:
    """The diagram with its bands and the measured equilibria."""
    recipe = found.recipe
    system = BinarySystem(found.dbf, recipe.components, recipe.phases, symbols=found.symbols)
    diagram = system.diagram(recipe.temperature[0])
    T = np.linspace(*diagram.span, _BAND_POINTS)
    figure = Figure(figsize=(8.4, 6.2), layout="constrained")
    ax = diagram.plot(figure.subplots(), colour=COLOURS[0])
    diagram_bands(system, draws, T, diagram.span).plot(ax, colour=COLOURS[0])
    drawn: list[Any] = []
    for weight, part in found.problem.parts:
        if not isinstance(part, Residuals):
            continue
        colour = COLOURS[1] if weight else "0.5"
        for row in part.data.to_dict("records"):
            x, error = np.array(row["x"], dtype=float), np.array(row["x_error"], dtype=float)
            y_error = row["T_error"] if np.isfinite(row["T_error"]) else 0.0
            drawn[:] = [ax.errorbar(
                x, np.full(x.size, row["T"]), y_error, error, fmt="o", color=colour, capsize=2,
                markersize=4, label="measured",
            )]  # fmt: skip
    legend_below(figure, [*band_key(), *drawn])
    ax.set_title(plain(f"{'-'.join(c.title() for c in recipe.components)}, {recipe.name}"))
    return figure


def _mixing(found: Assessed, draws: ParameterDraws, phase: str) -> Figure:
    """Each property of mixing of a phase that there are data of, with bands."""
    parts = [p for _, p in found.problem.parts if isinstance(p, Mixing) and p.phase == phase]
    data = pd.concat([p.data for p in parts], ignore_index=True)
    outputs = list(dict.fromkeys(data["output"]))
    figure = Figure(figsize=(1 + 5.2 * len(outputs), 4.6), layout="constrained")
    values = np.zeros((len(draws), found.values.size))
    values[:, : len(found.symbols)] = draws.values
    for ax, output in zip(figure.subplots(1, len(outputs), squeeze=False)[0], outputs, strict=True):
        some = data[data["output"] == output]
        line = pd.DataFrame({
            "x": _X, "energy": 0.0, "standard_error": 1.0, "T": some["T"].iloc[0],
            "output": output, "excess": some["excess"].iloc[0],
        })  # fmt: skip
        curve = replace(parts[0], data=line)
        spread = curve.many(values)
        band(ax, _X, np.quantile(spread, LEVELS, axis=0), COLOURS[0])
        ax.plot(_X, curve.values(found.values)[0], color=COLOURS[0])
        for i, (source, each) in enumerate(some.groupby("reference", sort=False)):
            ax.errorbar(
                each["x"], each["energy"], each["standard_error"], fmt="osv^D"[i % 5], capsize=2,
                markersize=5, color=COLOURS[(1 + i) % len(COLOURS)], label=str(source)[:40],
            )  # fmt: skip
        fraction_axis(ax, of=found.recipe.components[1].title(), limits=(-0.01, 1.01))
        unit = "J/mol of atoms" if output.startswith("HM") else "J/(mol K)"
        ax.set(ylabel=f"{output} / {unit}", title=plain(f"{phase} at {some['T'].iloc[0]:g} K"))
    legend_below(figure, columns=3)
    return figure


def _solubility(found: Assessed, draws: ParameterDraws, phase: str) -> Figure:
    """Both dilute sides of a phase's gap over 1000/T, with bands."""
    highest = max(
        (d.T for _, p in found.problem.parts if isinstance(p, Residuals) for d in p.items),
        default=1000.0,
    )  # fmt: skip
    T = 1 / np.linspace(1 / highest, 1 / found.recipe.temperature[0], 60)
    known = bands(found.dbf, draws, T, components=found.recipe.components, phase=phase,
                  kinds={"chemical": Model})  # fmt: skip
    x = known.x("chemical binodal")
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    first, second = (c.title() for c in found.recipe.components)
    sides = (second, first, x[:, 0]), (first, second, 1 - x[::-1, 1])
    for ax, (solute, solvent, share) in zip(figure.subplots(1, 2), sides, strict=True):
        band(ax, 1000 / T, share, COLOURS[0])
        ax.semilogy(1000 / T, share[2], color=COLOURS[0], label="median")
        ax.set_title(plain(f"{solute} in {phase} {solvent}"))
        ax.set_ylabel("mole fraction in the saturated solid")
        arrhenius_axis(ax)
    legend_below(figure, band_key())
    return figure
