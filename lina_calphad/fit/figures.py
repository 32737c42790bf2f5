"""Figures of refits and assessments: energies, posterior, chain, diagram, solubilities, bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pycalphad import Database, Model
from scipy.special import expit

from lina_calphad.checks import Array
from lina_calphad.data.assessments import COMPONENTS
from lina_calphad.data.mixing_data import mixing_data
from lina_calphad.diagram.bands import diagram_bands
from lina_calphad.diagram.residuals import Residuals
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import LinaCalphadError, NoMiscibilityGap
from lina_calphad.fit.problem import Mixing
from lina_calphad.phase.bands import Bands, bands
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.energy import Compiled, R, T, binary_energy
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.phase.tally import LEVELS, NAMES
from lina_calphad.plots import (
    COLOURS,
    arrhenius_axis,
    band,
    band_key,
    fraction_axis,
    legend_below,
    plain,
)  # fmt: skip

if TYPE_CHECKING:
    from lina_calphad.fit.assess import Assessed
    from lina_calphad.fit.refit import Refit

_OLD, _NEW = COLOURS[0], COLOURS[1]
_KINDS = {"chemical": _NEW, "coherent": COLOURS[2]}
_ROOM = 298.15  # K, where ESPEI takes energies of 0 K
_POINTS = np.linspace(0.0025, 0.9975, 200)
_DRAWS = 2000
_TEMPERATURES = 60


# -- energies and other properties of mixing


def formation_energies(refit: Refit, phase: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Energies of mixing of a phase, in J/mol of atoms: the curves with their band, and the data.

    The data with the new curve there, and the difference in standard errors.
    """
    components = refit.setup.settings.components

    def energies(dbf: Database, x: Array, symbols: Sequence[str] = (), values: Any = None) -> Array:
        g = R * T * binary_energy(dbf, components, phase, Model, 101325.0, symbols).r
        each = () if values is None else np.moveaxis(values, -1, 0)
        return Compiled([g - T * g.diff(T)], symbols)(np.array(_ROOM), x, *each)[..., 0]

    draws = refit.draws.values[:_DRAWS]
    x = np.broadcast_to(_POINTS, (len(draws), _POINTS.size))
    curves = {"x": _POINTS, "new": energies(refit.dbf, _POINTS, refit.symbols, refit.values)}
    if refit.setup.old:
        curves["old"] = energies(refit.setup.source, _POINTS)
    h = energies(refit.dbf, x, refit.symbols, draws[:, None])
    curves |= dict(zip(NAMES, np.quantile(h, LEVELS, axis=0), strict=True))
    data = mixing_data(refit.setup.datasets, phase, components)
    if not data.empty:
        data["fit"] = energies(refit.dbf, data["x"].to_numpy(float), refit.symbols, refit.values)
        data["in_sigma"] = (data["fit"] - data["energy"]) / data["standard_error"]
    return pd.DataFrame(curves), data


def energy_figure(refit: Refit, curves: pd.DataFrame, data: pd.DataFrame) -> Figure:
    """Energies of mixing, and over x (1 - x) so that dilute cells show."""
    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    second = refit.setup.settings.components[1]
    for ax, power in ((left, 0), (right, 1)):
        lines = curves.div(1000 * (_POINTS * (1 - _POINTS)) ** power, axis=0)
        if "old" in lines:
            ax.plot(_POINTS, lines["old"], "--", color=_OLD, label="before")
        label = "refit, with 68 % and 95 % of draws"
        ax.plot(_POINTS, lines["new"], color=_NEW, label=label)
        shares = 1000 * (data["x"] * (1 - data["x"])) ** power
        some = data.assign(
            energy=data["energy"] / shares, standard_error=data["standard_error"] / shares
        )
        _property(ax, lines[list(NAMES)].to_numpy().T, some, _NEW, second)
    left.set(ylabel=r"$\Delta H$ / kJ/mol of atoms", title="energy of mixing")
    right.set(ylabel=r"$\Delta H\,/\,x(1-x)$ / kJ/mol", title="over x (1 - x)")
    legend_below(figure, columns=4)
    _caution(figure, refit)
    return figure


def mixing_figure(found: Assessed, draws: ParameterDraws, phase: str) -> Figure:
    """Each property of mixing of a phase that there are data of, with bands."""
    parts = [p for _, p in found.problem.parts if isinstance(p, Mixing) and p.phase == phase]
    data = pd.concat([part.data for part in parts], ignore_index=True)
    outputs = data.groupby("output", sort=False)
    figure = Figure(figsize=(1 + 5.2 * len(outputs), 4.6), layout="constrained")
    panels = figure.subplots(1, len(outputs), squeeze=False)[0]
    values = np.zeros((1 + len(draws), found.values.size))
    values[0], values[1:, : len(found.symbols)] = found.values, draws.values
    for ax, (output, some) in zip(panels, outputs, strict=True):
        at = some.iloc[[0] * _POINTS.size].assign(x=_POINTS)
        best, *spread = Mixing(phase, at, parts[0].compiled).computed(values)
        ax.plot(_POINTS, best, color=_OLD)
        _property(
            ax, np.quantile(spread, LEVELS, axis=0), some, _OLD, found.recipe.components[1], 1
        )
        unit = "J/mol of atoms" if str(output).startswith("HM") else "J/(mol K)"
        title = plain(f"{phase} at {some['T'].iloc[0]:g} K")
        ax.set(ylabel=f"{output} / {unit}", title=title)
    legend_below(figure, columns=3)
    return figure


def _property(
    ax: Axes, quantiles: Array, data: pd.DataFrame, colour: str, second: str, first: int = 2
) -> None:
    """A band over x, and data with their errors, a colour from the first on for each source."""
    band(ax, _POINTS, quantiles, colour)
    for i, (reference, some) in enumerate(data.groupby("reference", sort=False)):
        ax.errorbar(
            some["x"], some["energy"], some["standard_error"], fmt="osv^D"[i % 5], markersize=5,
            color=COLOURS[(first + i) % len(COLOURS)], capsize=2, label=str(reference)[:40],
        )  # fmt: skip
    fraction_axis(ax, of=second.title(), limits=(-0.01, 1.01))


# -- solubilities


def solubility_bands(refit: Refit, phase: str) -> Bands:
    """Bands of the gap of a phase over 60 temperatures; LinaCalphadError if it has none."""
    components, kinds = refit.setup.settings.components, _kinds(refit)
    solution = BinarySolution(
        refit.dbf, components, phase, kinds["chemical"], symbols=refit.symbols
    )
    top = float(solution.critical_points(refit.values).T)
    if np.isnan(top):
        raise NoMiscibilityGap(f"{phase} has no miscibility gap")
    # bcc Li-Na melts far below its critical point, most gaps are known close to theirs.
    high = min(365.25, 0.98 * top) if components == COMPONENTS else 0.98 * top
    grid = 1 / np.linspace(1 / high, 1 / max(high / 4, 1.0), _TEMPERATURES)
    draws = next(refit.draws.chunks(_DRAWS))
    return bands(refit.dbf, draws, grid, components=components, phase=phase, kinds=kinds)


def refit_solubilities(found: Bands, refit: Refit, phase: str) -> Figure:
    """The same as they are with their bands, and as they were before."""
    components, before = refit.setup.settings.components, {}
    for kind, model in _kinds(refit).items():
        try:
            old = BinarySolution(refit.setup.source, components, phase, model).binodal(found.T)
        except LinaCalphadError:  # the source has no gap
            continue
        before[kind] = np.exp([old.ln_x_alpha, old.ln_one_minus_x_beta])
    figure = solubility_figure(found, components, phase, before)
    _caution(figure, refit)
    return figure


def _kinds(refit: Refit) -> dict[str, type[Model]]:
    """Models by kind of equilibrium; one of the user's own stands for the chemical one."""
    model = refit.setup.model
    ours = issubclass(model, CoherentModel)
    return {"chemical": Model, "coherent": model} if ours else {"chemical": model}


def assessed_solubilities(found: Assessed, draws: ParameterDraws, phase: str) -> Figure:
    """Both solubilities up to the highest temperature of the data."""
    items = [d for _, p in found.problem.parts if isinstance(p, Residuals) for d in p.items]
    high = max((datum.T for datum in items), default=1000.0)
    grid = 1 / np.linspace(1 / high, 1 / found.recipe.temperature[0], _TEMPERATURES)
    pair = found.recipe.components
    known = bands(found.dbf, draws, grid, components=pair, phase=phase, kinds=["chemical"])
    return solubility_figure(known, pair, phase)


def solubility_figure(
    found: Bands, components: Sequence[str], phase: str, before: Mapping[str, Array] | None = None
) -> Figure:
    """Arrhenius plots of both solubility limits with their bands, and as they were before."""
    first, second = components
    figure = Figure(figsize=(9.6, 4.8), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for i, ax in enumerate(axes):
        solute, solvent = ((second, first), (first, second))[i]
        for kind in found.gap:
            colour, curve = _KINDS[kind], f"{kind} binodal"
            found.shade(ax, curve, i, colour, arrhenius=True)
            x = expit((1, -1)[i] * found.t[curve][2, i])
            ax.semilogy(1000 / found.T, x, color=colour, label=f"{kind}, median")
            if before and kind in before:
                style: dict[str, Any] = {"color": colour, "linestyle": "--"}
                ax.semilogy(1000 / found.T, before[kind][i], label=f"{kind}, before", **style)
        ax.set_title(f"{solute.title()} in {plain(phase)} {solvent.title()}")
        arrhenius_axis(ax)
    axes[0].set_ylabel("mole fraction in the saturated solid")
    legend_below(figure, [*axes[0].get_legend_handles_labels()[0], *band_key()], columns=3)
    return figure


def _caution(figure: Figure, refit: Refit) -> None:
    """Say on a figure of draws from a chain that it is too short."""
    if refit.exact is None and refit.convergence and not refit.convergence.converged:
        text = "the chain is too short: these bands are preliminary"
        figure.suptitle(text, color="#B00020", fontsize=10)


# -- the posterior of a refit, and its chain


def corner_figure(refit: Refit) -> Figure:
    """Posterior of each parameter and pair, with the fitted values."""
    import corner

    count = len(refit.symbols)
    figure = Figure(figsize=(1.6 + 2.2 * count,) * 2)
    figure.subplots(count, count)
    corner.corner(
        refit.draws.values, quantiles=(0.16, 0.5, 0.84), labels=list(refit.symbols), fig=figure,
        truths=refit.values if count > 1 else None, color=_NEW, truth_color=_OLD,
        show_titles=True, title_fmt=".5g",
        quiet=True,  # about contours that a short chain cannot have
    )  # fmt: skip
    if count == 1:  # of which corner draws no truth
        figure.axes[0].axvline(refit.values[0], color=_OLD)
    return figure


def trace_figure(refit: Refit) -> Figure:
    """Every walker's path, and its log-probability."""
    assert refit.trace is not None
    assert refit.lnprob is not None
    assert refit.convergence is not None
    rows = len(refit.symbols) + 1
    figure = Figure(figsize=(8, 1.2 + 1.7 * rows), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True)
    paths = [*np.moveaxis(refit.trace, 2, 0), refit.lnprob]
    for ax, name, path in zip(axes, [*refit.symbols, "ln probability"], paths, strict=True):
        ax.plot(path.T, color="0.35", linewidth=0.4, alpha=0.6)
        ax.set_ylabel(name)
        if refit.convergence.burn_in:
            ax.axvspan(0, refit.convergence.burn_in, color="0.9", zorder=0)
    for ax, value in zip(axes, refit.values, strict=False):
        ax.axhline(value, color=_NEW, linewidth=1.2)
    axes[-1].set_xlabel("iteration")
    axes[-1].set_ylim(np.quantile(refit.lnprob, 0.002), None)
    figure.suptitle(refit.convergence.verdict.split(",")[0], fontsize=10)
    return figure


# -- an assessment and its data


def residual_figure(found: Assessed) -> Figure:
    """How far each datum is from the fit, in units of its error."""
    data = found.data.iloc[::-1]
    figure = Figure(figsize=(8, 1.4 + 0.28 * len(data)), layout="constrained")
    ax = figure.subplots()
    ax.axvspan(-1, 1, color="0.92", zorder=0)
    colours = [COLOURS[0] if w else "0.6" for w in data["weight"]]
    at = np.arange(len(data))
    ax.barh(at, data["in_sigma"].to_numpy(), color=colours, height=0.6)
    names = [plain(f"{n[:60]}: {q}") for n, q in zip(data["name"], data["quantity"], strict=True)]
    ax.set_yticks(at, labels=names, fontsize="small")
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(xlabel="(fit - datum) / error; grey is not fitted", title=plain(found.recipe.name))
    widest = max(1.2, float(data["in_sigma"].abs().max()) * 1.1)
    ax.set_xlim(-widest, widest)
    return figure


def diagram_figure(found: Assessed, draws: ParameterDraws) -> Figure:
    """The diagram with its bands and the measured equilibria."""
    recipe = found.recipe
    system = BinarySystem(found.dbf, recipe.components, recipe.phases, symbols=found.symbols)
    diagram = system.diagram(recipe.temperature[0])
    grid = np.linspace(*diagram.span, _TEMPERATURES)
    figure = Figure(figsize=(8.4, 6.2), layout="constrained")
    ax = diagram.plot(figure.subplots(), colour=COLOURS[0])
    diagram_bands(system, draws, grid, diagram.span).plot(ax, colour=COLOURS[0])
    drawn: list[Any] = []
    for weight, part in found.problem.parts:
        if not isinstance(part, Residuals):
            continue
        colour = COLOURS[1] if weight else "0.5"
        for row in part.data.to_dict("records"):
            x, error = np.array(row["x"], dtype=float), np.array(row["x_error"], dtype=float)
            drawn[:] = [ax.errorbar(
                x, np.full(x.size, row["T"]), np.nan_to_num(row["T_error"]), error, fmt="o",
                color=colour, capsize=2, markersize=4, label="measured",
            )]  # fmt: skip
    legend_below(figure, [*band_key(), *drawn])
    ax.set_title(plain(f"{'-'.join(c.title() for c in recipe.components)}, {recipe.name}"))
    return figure
