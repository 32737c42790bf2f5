"""Figures of a refit: energies with the data, posterior, chain, and solubilities with bands."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pycalphad import Model
from scipy.special import expit

from lina_calphad.data.assessments import COMPONENTS
from lina_calphad.data.mixing_data import mixing_data
from lina_calphad.errors import LinaCalphadError, NoMiscibilityGap
from lina_calphad.phase.bands import LEVELS, NAMES, Bands, bands
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import Compiled, R, T, binary_energy
from lina_calphad.phase.solution import BinarySolution
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
    from collections.abc import Sequence

    from pycalphad import Database

    from lina_calphad.checks import Array
    from lina_calphad.fit.refit import Refit

_OLD, _NEW = COLOURS[0], COLOURS[1]
_KINDS = {"chemical": _NEW, "coherent": COLOURS[2]}
_ROOM = 298.15  # K, where ESPEI takes energies of 0 K
_POINTS = np.linspace(0.0025, 0.9975, 200)
_DRAWS = 2000


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


def solubility_bands(refit: Refit, phase: str) -> Bands:
    """Bands of the gap of a phase over 60 temperatures; LinaCalphadError if it has none."""
    components, model = refit.setup.settings.components, refit.setup.model
    kinds: dict[str, type[Model]] = {"chemical": model}
    if issubclass(model, CoherentModel):
        kinds = {"chemical": Model, "coherent": model}
    solution = BinarySolution(
        refit.dbf, components, phase, kinds["chemical"], symbols=refit.symbols
    )
    top = float(solution.critical_points(refit.values).T)
    if np.isnan(top):
        raise NoMiscibilityGap(f"{phase} has no miscibility gap")
    # bcc Li-Na melts far below its critical point, most gaps are known close to theirs.
    high = min(365.25, 0.98 * top) if components == COMPONENTS else 0.98 * top
    grid = 1 / np.linspace(1 / high, 1 / max(high / 4, 1.0), 60)
    draws = next(refit.draws.chunks(_DRAWS))
    return bands(refit.dbf, draws, grid, components=components, phase=phase, kinds=kinds)


def energy_figure(refit: Refit, curves: pd.DataFrame, data: pd.DataFrame) -> Figure:
    """Energies of mixing, and over x (1 - x) so that dilute cells show."""
    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    x = curves["x"].to_numpy()
    for ax, power in ((left, 0), (right, 1)):
        scale = 1000 * (x * (1 - x)) ** power
        band(ax, x, curves[list(NAMES)].to_numpy().T / scale, _NEW)
        if "old" in curves:
            ax.plot(x, curves["old"].to_numpy() / scale, "--", color=_OLD, label="before")
        label = "refit, with 68 % and 95 % of draws"
        ax.plot(x, curves["new"].to_numpy() / scale, color=_NEW, label=label)
        for i, (reference, some) in enumerate(data.groupby("reference", sort=False)):
            at, energy, error = some[["x", "energy", "standard_error"]].to_numpy().T
            there = 1000 * (at * (1 - at)) ** power
            style: dict[str, Any] = {"color": COLOURS[(2 + i) % len(COLOURS)], "capsize": 2}
            style |= {"fmt": "osv^D"[i % 5], "markersize": 5, "label": str(reference)[:40]}
            ax.errorbar(at, energy / there, error / there, **style)
        fraction_axis(ax, of=refit.setup.settings.components[1].title(), limits=(-0.01, 1.01))
    left.set(ylabel=r"$\Delta H$ / kJ/mol of atoms", title="energy of mixing")
    right.set(ylabel=r"$\Delta H\,/\,x(1-x)$ / kJ/mol", title="over x (1 - x)")
    legend_below(figure, columns=4)
    _caution(figure, refit)
    return figure


def corner_figure(refit: Refit) -> Figure:
    """Posterior of each parameter and pair, with the fitted values."""
    import corner

    figure = Figure(figsize=(1.6 + 2.2 * len(refit.symbols),) * 2)
    labels = list(refit.symbols)
    if len(labels) == 1:
        figure = Figure(figsize=(5, 4), layout="constrained")
        ax = figure.subplots()
        ax.hist(refit.draws.values[:, 0], bins=40, histtype="step", color=_NEW)
        ax.axvline(refit.values[0], color=_OLD)
        ax.set(xlabel=labels[0], ylabel="draws", title=f"{refit.values[0]:.6g}")
        return figure
    figure.subplots(len(labels), len(labels))
    options: dict[str, Any] = {"labels": labels, "truths": refit.values, "fig": figure}
    options |= {"color": _NEW, "truth_color": _OLD, "show_titles": True, "title_fmt": ".5g"}
    root = logging.getLogger()
    root.addFilter(_not_of_contours)
    try:
        corner.corner(refit.draws.values, quantiles=(0.16, 0.5, 0.84), **options)
    finally:
        root.removeFilter(_not_of_contours)
    return figure


def _not_of_contours(record: logging.LogRecord) -> bool:
    """Of a short chain corner cannot draw all contours, which the figure shows by itself."""
    return "contours" not in record.getMessage()


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


def solubility_figure(result: Bands, refit: Refit, phase: str) -> Figure:
    """Arrhenius plots of both solubility limits with their bands, and as they were before."""
    first, second = refit.setup.settings.components
    figure = Figure(figsize=(9.6, 4.8), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for i, ax in enumerate(axes):
        solute, solvent = ((second, first), (first, second))[i]
        for kind, colour in _KINDS.items():
            if f"{kind} binodal" not in result.t:
                continue
            result.shade(ax, f"{kind} binodal", i, colour, arrhenius=True)
            x = expit((1, -1)[i] * result.t[f"{kind} binodal"][2, i])
            ax.semilogy(1000 / result.T, x, color=colour, label=f"{kind}, median")
            before = _before(refit, phase, kind, result.T)
            if before is not None:
                style: dict[str, Any] = {"color": colour, "linestyle": "--"}
                ax.semilogy(1000 / result.T, before[i], label=f"{kind}, before", **style)
        ax.set_title(f"{solute.title()} in {plain(phase)} {solvent.title()}")
        arrhenius_axis(ax)
    axes[0].set_ylabel("mole fraction in the saturated solid")
    legend_below(figure, [*axes[0].get_legend_handles_labels()[0], *band_key()], columns=3)
    _caution(figure, refit)
    return figure


def _caution(figure: Figure, refit: Refit) -> None:
    """Say on a figure of draws from a chain that it is too short."""
    if refit.exact is None and refit.convergence and not refit.convergence.converged:
        text = "the chain is too short: these bands are preliminary"
        figure.suptitle(text, color="#B00020", fontsize=10)


def _before(refit: Refit, phase: str, kind: str, grid: Array) -> tuple[Array, Array] | None:
    """Both solubilities of the source; None where it has no gap."""
    model = refit.setup.model
    if kind == "chemical" and issubclass(model, CoherentModel):
        model = Model
    components = refit.setup.settings.components
    try:
        line = BinarySolution(refit.setup.source, components, phase, model).binodal(grid)
    except LinaCalphadError:
        return None
    return np.exp(line.ln_x_alpha), np.exp(line.ln_one_minus_x_beta)
