"""Figures of a refit: energies with the data, posterior, chain, and solubilities with bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pycalphad import Model

from lina_calphad.data.mixing_data import mixing_data
from lina_calphad.data.sources import COMPONENTS
from lina_calphad.errors import LinaCalphadError, NoMiscibilityGap
from lina_calphad.phase.bands import LEVELS, NAMES, Bands, bands
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import Compiled, R, T, binary_energy
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.plots import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from lina_calphad.checks import Array
    from lina_calphad.fit.refit import Refit

_OLD, _NEW = COLOURS[0], COLOURS[1]
_ROOM = 298.15  # K, where ESPEI takes energies of 0 K
_POINTS = np.linspace(0.0025, 0.9975, 200)
_DRAWS = 2000


def formation_energies(refit: Refit, phase: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Energies of mixing of a phase: the curves with their band, and the data.

    Returns
    -------
    pandas.DataFrame
        x, the old and the new curve and quantiles of the latter, in J/mol of atoms.
    pandas.DataFrame
        x, energy, standard error and reference of each datum.
    """
    settings = refit.setup.settings
    energy = binary_energy(refit.dbf, settings.components, phase, Model, 101325.0, refit.symbols)
    g = R * T * energy.r
    compiled = Compiled([g - T * g.diff(T)], refit.symbols)
    draws = refit.draws.values[:_DRAWS]
    x = np.broadcast_to(_POINTS, (len(draws), _POINTS.size))
    h = compiled(np.array(_ROOM), x, *draws.T[..., None])[..., 0]
    curves = {"x": _POINTS, "new": compiled(np.array(_ROOM), _POINTS, *refit.values)[..., 0]}
    if refit.setup.old:
        before = binary_energy(refit.setup.source, settings.components, phase, Model, 101325.0)
        g = R * T * before.r
        curves["old"] = Compiled([g - T * g.diff(T)])(np.array(_ROOM), _POINTS)[..., 0]
    curves |= dict(zip(NAMES, np.quantile(h, LEVELS, axis=0), strict=True))
    return pd.DataFrame(curves), mixing_data(refit.setup.datasets, phase, settings.components)


def solubility_bands(refit: Refit, phase: str) -> Bands | None:
    """Bands of the miscibility gap of a phase over 60 temperatures; None where it has no gap."""
    settings = refit.setup.settings
    model = refit.setup.model
    kinds: dict[str, type[Model]] = {"chemical": model}
    if issubclass(model, CoherentModel):
        kinds = {"chemical": Model, "coherent": model}
    family = BinarySolution(
        refit.dbf, settings.components, phase, kinds["chemical"], symbols=refit.symbols
    )
    try:
        point = family.critical_points(refit.values)
    except LinaCalphadError:
        return None
    if np.isnan(point.T).any():
        return None
    top = float(point.T)
    # bcc Li-Na melts far below its critical point, most gaps are known close to theirs.
    high = min(365.25, 0.98 * top) if settings.components == COMPONENTS else 0.98 * top
    grid = 1 / np.linspace(1 / high, 1 / max(high / 4, 1.0), 60)
    try:
        return bands(
            refit.dbf,
            next(refit.draws.chunks(_DRAWS)),
            grid,
            components=settings.components,
            phase=phase,
            kinds=kinds,
        )
    except NoMiscibilityGap:
        return None


def energy_figure(curves: pd.DataFrame, data: pd.DataFrame, components: Sequence[str]) -> Figure:
    """Energies of mixing, and over x (1 - x) so that dilute cells show."""
    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for ax, power in ((left, 0), (right, 1)):
        x = curves["x"].to_numpy()
        scale = 1000 * (x * (1 - x)) ** power
        for low, high, alpha in (("low_95", "high_95", 0.18), ("low_68", "high_68", 0.35)):
            ends = curves[low].to_numpy() / scale, curves[high].to_numpy() / scale
            style: dict[str, Any] = {"color": _NEW, "alpha": alpha, "linewidth": 0}
            ax.fill_between(x, *ends, label=f"{low[-2:]} %", **style)
        if "old" in curves:
            ax.plot(x, curves["old"].to_numpy() / scale, "--", color=_OLD, label="before")
        ax.plot(x, curves["new"].to_numpy() / scale, color=_NEW, label="refit")
        for i, (reference, some) in enumerate(data.groupby("reference", sort=False)):
            at, energy, error = some[["x", "energy", "standard_error"]].to_numpy().T
            scale_there = 1000 * (at * (1 - at)) ** power
            style = {"color": COLOURS[(2 + i) % len(COLOURS)], "fmt": "osv^D"[i % 5]}
            style |= {"markersize": 5, "capsize": 2, "label": str(reference)[:40]}
            ax.errorbar(at, energy / scale_there, error / scale_there, **style)
        ax.set(xlim=(-0.01, 1.01), xlabel=f"mole fraction of {components[1].title()}")
    left.set(ylabel=r"$\Delta H$ / kJ/mol of atoms", title="energy of mixing")
    right.set(ylabel=r"$\Delta H\,/\,x(1-x)$ / kJ/mol", title="over x (1 - x)")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
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
    corner.corner(refit.draws.values, quantiles=(0.16, 0.5, 0.84), **options)
    return figure


def trace_figure(refit: Refit) -> Figure:
    """Every walker's path, and its log-probability."""
    assert refit.trace is not None
    assert refit.lnprob is not None
    assert refit.convergence is not None
    rows = len(refit.symbols) + 1
    figure = Figure(figsize=(8, 1.2 + 1.7 * rows), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True)
    for i, name in enumerate(refit.symbols):
        axes[i].plot(refit.trace[..., i].T, color="0.35", linewidth=0.4, alpha=0.6)
        axes[i].axhline(refit.values[i], color=_NEW, linewidth=1.2)
        axes[i].set_ylabel(name)
    axes[-1].plot(refit.lnprob.T, color="0.35", linewidth=0.4, alpha=0.6)
    axes[-1].set(ylabel="ln probability", xlabel="iteration")
    low = np.quantile(refit.lnprob, 0.002)
    axes[-1].set_ylim(low, None)
    if refit.convergence.burn_in:
        for ax in axes:
            ax.axvspan(0, refit.convergence.burn_in, color="0.9", zorder=0)
    figure.suptitle(refit.convergence.verdict.split(",")[0], fontsize=10)
    return figure


def solubility_figure(result: Bands, refit: Refit, phase: str) -> Figure:
    """Arrhenius plots of both solubility limits with their bands."""
    first, second = refit.setup.settings.components
    figure = Figure(figsize=(9.6, 4.8), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    old = _old_lines(refit, phase, result.T)
    for i, (ax, solute, solvent) in enumerate(
        zip(axes, (second, first), (first, second), strict=True)
    ):
        for kind, colour in zip(("chemical", "coherent"), (_NEW, COLOURS[2]), strict=True):
            if f"{kind} binodal" not in result.t:
                continue
            x = result.x(f"{kind} binodal")[:, i]
            x = x if i == 0 else 1 - x
            _band(ax, 1000 / result.T, x, colour, kind)
        if old is not None:
            ax.semilogy(1000 / result.T, old[i], "--", color=_OLD, label="chemical, before")
        ax.set(
            xlabel=r"$1000\,\mathrm{K}\,/\,T$",
            title=f"{solute.title()} in {phase} {solvent.title()}",
        )
    axes[0].set_ylabel("mole fraction in the saturated solid")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _band(ax: Axes, at: Array, x: Array, colour: str, kind: str) -> None:
    for low, high, alpha in ((0, 4, 0.18), (1, 3, 0.35)):
        ax.fill_between(at, x[low], x[high], color=colour, alpha=alpha, linewidth=0)
    ax.semilogy(at, x[2], color=colour, label=f"{kind}, median, 68 % and 95 %")


def _old_lines(refit: Refit, phase: str, grid: Array) -> tuple[Array, Array] | None:
    """Both chemical solubilities of the source; None where it has no gap."""
    try:
        source = BinarySolution(refit.setup.source, refit.setup.settings.components, phase)
        line = source.binodal(grid)
    except LinaCalphadError:
        return None
    return np.exp(line.ln_x_alpha), np.exp(line.ln_one_minus_x_beta)
