"""What a refit leaves on disk: database, tables, draws and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lina_calphad.errors import LinaCalphadError
from lina_calphad.fit.figures import (
    corner_figure,
    energy_figure,
    formation_energies,
    solubility_bands,
    solubility_figure,
    trace_figure,
)
from lina_calphad.report import results_folder, save_figure

if TYPE_CHECKING:
    import os

    from lina_calphad.fit.refit import Refit

#: The database and the draws of its symbols, which `compare --bands` finds beside it.
TDB, DRAWS = "refit.tdb", "refit_draws.csv"


def write_results(refit: Refit, folder: str | os.PathLike[str]) -> tuple[list[Path], list[str]]:
    """Write database, tables, draws and figures into the folder of a run.

    Parameters
    ----------
    refit
        What to write.
    folder
        Where; files of the chain that are there stay.

    Returns
    -------
    list of pathlib.Path
        The files.
    list of str
        Figures that could not be made, and why.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    settings, notes = refit.setup.settings, []
    with results_folder(folder, [], overwrite=True) as files:
        (files / TDB).write_text(refit.to_tdb(), encoding="utf-8")
        refit.draws.to_dataframe().to_csv(files / DRAWS, index=False, float_format="%.10g")
        refit.to_dataframe().to_csv(files / "parameters.csv", index=False, float_format="%.10g")
        (files / "report.json").write_text(json.dumps(report(refit), indent=2), encoding="utf-8")
        save_figure(corner_figure(refit), files, "corner")
        if refit.trace is not None:
            save_figure(trace_figure(refit), files, "trace")
        for phase in settings.phases:
            prefix = "" if len(settings.phases) == 1 else f"{phase.lower()}_"
            # What a draw does to a diagram must not cost the fit.
            for name, make in (
                ("formation_energy", _write_energies),
                ("solubility", _write_solubilities),
            ):
                try:
                    missing = make(refit, phase, files, prefix + name)
                except LinaCalphadError as error:
                    missing = str(error)
                if missing:
                    notes.append(f"no figure {prefix}{name}: {missing}")
        names = sorted(file.name for file in files.iterdir())
    return [Path(folder) / name for name in names], notes


def _write_energies(refit: Refit, phase: str, files: Path, name: str) -> str:
    curves, data = formation_energies(refit, phase)
    if data.empty:
        return "the data hold no energies of mixing"
    curves.to_csv(files / f"{name}.csv", index=False)
    data.to_csv(files / f"{name}_data.csv", index=False)
    save_figure(energy_figure(curves, data, refit.setup.settings.components), files, name)
    return ""


def _write_solubilities(refit: Refit, phase: str, files: Path, name: str) -> str:
    found = solubility_bands(refit, phase)
    if found is None:
        return f"{phase} has no miscibility gap"
    found.to_dataframe().to_csv(files / f"{name}.csv", index=False)
    found.critical_frame().to_csv(files / f"{name}_critical.csv", index=False)
    save_figure(solubility_figure(found, refit, phase), files, name)
    return ""


def report(refit: Refit) -> dict[str, Any]:
    """The numbers of a refit for programs; missing values are None."""
    frame = refit.to_dataframe()
    parameters = json.loads(frame.to_json(orient="records", double_precision=15))
    strict = refit.finite_difference
    judged = refit.convergence
    return {
        "settings": refit.setup.settings.to_dict(),
        "method": refit.method.lower(),
        "notes": refit.notes,
        "parameters": parameters,
        "finite_difference": strict and {"L0": strict.L0, "L1": strict.L1},
        "convergence": judged
        and {
            "acceptance": judged.acceptance,
            "burn_in": judged.burn_in,
            "converged": judged.converged,
            "verdict": judged.verdict,
        },
    }
