"""Refit an assessment with ESPEI: generate parameters, sample their posterior, report."""

from __future__ import annotations

import json
import math
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from symengine import S

from lina_calphad import __version__
from lina_calphad.data.databases import PARAMETERS, copy_database, remove_parameters, tdb_body
from lina_calphad.data.interactions import describe_symbol
from lina_calphad.data.mixing_data import difference_of, mixing_data
from lina_calphad.errors import (
    DatasetError,
    Interrupted,
    OutputError,
    ParameterError,
)
from lina_calphad.fit.posterior import Convergence, GaussianPosterior, closed_form, judge
from lina_calphad.fit.sampler import LNPROB, STATE, TRACE, Sampler, cluster
from lina_calphad.fit.setup import THERMOCHEMICAL, RefitSettings, Setup, generate, prepare, table_of
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.report import write_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from pycalphad import Database

    from lina_calphad.checks import Array
    from lina_calphad.data.datasets import Dataset
    from lina_calphad.data.supercells import Interactions

SETTINGS = "settings.json"
_DRAWS = 4000


@dataclass(frozen=True, eq=False)
class Refit:
    """What a refit found.

    Parameters
    ----------
    setup
        What went in.
    dbf
        The refitted database, with the fitted symbols.
    symbols
        The fitted symbols.
    values, errors
        Value and standard error of each, shape (k,).
    correlation
        Of the parameters, shape (k, k).
    method
        How these were found.
    exact
        The closed-form posterior, where the data are linear.
    trace, lnprob
        Samples of the chain, or None if it did not run.
    convergence
        What to think of them.
    draws
        Draws from the posterior.
    """

    setup: Setup
    dbf: Database
    symbols: tuple[str, ...]
    values: Array
    errors: Array
    correlation: Array
    method: str
    exact: GaussianPosterior | None
    trace: Array | None
    lnprob: Array | None
    convergence: Convergence | None
    draws: ParameterDraws

    def __repr__(self) -> str:
        found = zip(self.symbols, self.values, self.errors, strict=True)
        text = ", ".join(f"{name} = {v:.6g} ± {e:.3g}" for name, v, e in found)
        return f"<Refit of {self.setup.settings.source}: {text}>"

    @property
    def finite_difference(self) -> Interactions | None:
        """The paper's eqs. 8 and 9 on the same data, where these are one such pair."""
        settings = self.setup.settings
        if len(settings.phases) > 1:
            return None
        return difference_of(
            mixing_data(self.setup.datasets, settings.phases[0], settings.components)
        )

    @property
    def notes(self) -> list[str]:
        """What to know of the parameters that went."""
        gone = sorted(set(self.setup.old) - set(self.symbols))
        if not gone:
            return []
        what = ", ".join(f"{name} = {self.setup.old[name]:.6g}" for name in gone)
        return [f"not in the refit, since these data do not ask for it: {what} of the source"]

    def to_dataframe(self) -> pd.DataFrame:
        """One row a parameter: old and new value, standard error, chain, correlations."""
        rows = []
        for i, name in enumerate(self.symbols):
            meaning, unit = describe_symbol(self.dbf, name)
            row: dict[str, Any] = {"symbol": name, "parameter": meaning, "unit": unit}
            row["old"] = self.setup.old.get(name, math.nan)
            row["new"], row["standard_error"] = self.values[i], self.errors[i]
            if self.convergence is not None and self.trace is not None:
                kept = self.trace[:, self.convergence.burn_in :, i]
                row["chain_mean"], row["chain_standard_error"] = kept.mean(), kept.std()
                row["effective_samples"] = self.convergence.effective[i]
                row["autocorrelation_time"] = self.convergence.autocorrelation[i]
            for other, r in zip(self.symbols, self.correlation[i], strict=True):
                row[f"correlation_{other}"] = r
            rows.append(row)
        return pd.DataFrame(rows)

    def to_tdb(self) -> str:
        """The refitted database as text that plain pycalphad reads.

        Elastic data that the source did not hold itself stand in a file of their own.
        """
        plain = copy_database(self.dbf)
        if self.setup.elastic_added:
            remove_parameters(plain, lambda p: p["parameter_type"] in PARAMETERS)
        settings = self.setup.settings
        lines = [
            f"REFIT OF {Path(settings.source).name} BY LINA-CALPHAD {__version__} WITH ESPEI",
            "",
            f"PHASES    {', '.join(settings.phases)}; MODEL {settings.model}",
            f"METHOD    {self.method}",
        ]
        lines += [f"DATA      {_reference(dataset)}" for dataset in self.setup.datasets]
        lines.append("FITTED    VALUE, STANDARD ERROR, VALUE BEFORE")
        for i, name in enumerate(self.symbols):
            meaning, unit = describe_symbol(self.dbf, name)
            old = self.setup.old.get(name)
            before = "NONE" if old is None else f"{old:.10g}"
            value = f"{self.values[i]:.10g} +- {self.errors[i]:.3g} ({before}) {unit}"
            lines.append(f"  {name:8} {value}: {meaning}")
        if self.convergence is not None:
            lines.append(f"CHAIN     {self.convergence.verdict}")
        lines += [f"NOTE      {note}" for note in self.notes]
        lines.append("ALL ELSE  AS IN THE SOURCE: SEE ITS HEADER")
        header = "\n".join(_comment(line) for line in lines)
        return f"{header}\n\n{tdb_body(plain)}"


def refit(
    settings: RefitSettings,
    folder: str | os.PathLike[str],
    *,
    scheduler: str = "none",
    cores: int | None = None,
    resume: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Refit:
    """Refit an assessment with ESPEI.

    Parameters
    ----------
    settings
        What to fit, and how.
    folder
        Where trace, log-probability and settings are kept as the chain runs; must be
        new or empty unless `resume`.
    scheduler, cores
        "none", "dask" or a scheduler's JSON file, and workers of the former; see
        `lina_calphad.fit.sampler.cluster`.
    resume
        Go on with the chain in `folder`, up to the iterations of `settings`.
    progress
        Called with what is being done, and how many of how many.

    Returns
    -------
    Refit

    Raises
    ------
    LinaCalphadError
        As `lina_calphad.fit.setup.prepare` and `generate`, `Sampler.sample` and
        `cluster`; OutputError if the folder is not new.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = refit(RefitSettings(iterations=0), folder)
    >>> result
    <Refit of santos2025: BCCL0 = 20268.1 ± 688, BCCL1 = 5910.4 ± 699>
    >>> [round(value, 1) for value in result.finite_difference]
    [20109.8, 5772.6]
    """
    say = progress or _silent
    folder = Path(folder)
    _check_folder(folder, settings, resume=resume)
    say("reading data and assessment", 0, 0)
    setup = prepare(settings)
    say("generating parameters", 0, 0)
    dbf, values = generate(setup)
    symbols = tuple(sorted(values))
    start = np.array([values[name] for name in symbols])
    exact = _exact(setup, dbf, symbols, start)
    trace = lnprob = convergence = None
    if settings.iterations:
        walkers = _walkers(settings, start, exact)
        with cluster(scheduler, cores) as client, _run_folder(folder, settings):
            sampler = Sampler(
                dbf,
                setup.phase_models,
                folder,
                seed=settings.seed,
                client=client,
                progress=lambda done, wanted: say("sampling", done, wanted),
            )
            data = table_of(setup.datasets)
            trace, lnprob = sampler.sample(symbols, data, walkers, settings.iterations)
        convergence = judge(trace, stationary=exact is not None)
    return _result(setup, dbf, symbols, exact, trace, lnprob, convergence)


def read_settings(folder: str | os.PathLike[str]) -> RefitSettings:
    """The settings of the run in a folder.

    Raises
    ------
    ParameterError
        If there is no run, or its settings cannot be read.
    """
    path = Path(folder) / SETTINGS
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return RefitSettings(**plain)
    except (OSError, ValueError, TypeError) as error:
        msg = f"there is no run to resume in {folder}: {path.name} cannot be read ({error})"
        raise ParameterError(msg) from error


def _exact(
    setup: Setup, dbf: Database, symbols: tuple[str, ...], start: Array
) -> GaussianPosterior | None:
    """The closed form, where all data are thermochemical and linear."""
    if not all(d["output"].startswith(THERMOCHEMICAL) and "solver" in d for d in setup.datasets):
        return None
    from espei.error_functions.context import setup_context
    from espei.error_functions.non_equilibrium_thermochemical_error import (
        FixedConfigurationPropertyResidual,
    )

    data = table_of(setup.datasets)
    # ESPEI's own context: what the chain will see.
    context = setup_context(dbf, data, list(symbols), phase_models=setup.phase_models)
    (residual,) = (
        r for r in context["residual_objs"] if isinstance(r, FixedConfigurationPropertyResidual)
    )
    if not residual.get_residuals(start)[0]:
        msg = f"ESPEI uses none of the data for {', '.join(setup.settings.phases)}"
        raise DatasetError(msg)
    return closed_form(residual.get_residuals, start, symbols)


def _walkers(settings: RefitSettings, start: Array, exact: GaussianPosterior | None) -> Array:
    """Where the walkers begin: as draws from the posterior, or near the start."""
    rng = np.random.default_rng(settings.seed)
    walkers_needed = max(settings.chains, 2 * start.size)
    if exact is not None:
        return rng.multivariate_normal(exact.mean, exact.covariance, walkers_needed)
    # A parameter that is zero would stay so for ever if its scale were zero too.
    scale = np.where(start == 0, 1.0, 0.1 * np.abs(start))
    walkers: Array = rng.normal(start, scale, (walkers_needed, start.size))
    walkers[0] = start
    return walkers


def _result(
    setup: Setup,
    dbf: Database,
    symbols: tuple[str, ...],
    exact: GaussianPosterior | None,
    trace: Array | None,
    lnprob: Array | None,
    convergence: Convergence | None,
) -> Refit:
    seed = setup.settings.seed
    if exact is not None:
        values, covariance = exact.mean, exact.covariance
        method = "GENERATED BY ESPEI; CLOSED-FORM POSTERIOR OF LINEAR DATA, FLAT PRIOR"
        mean = dict(zip(symbols, values, strict=True))
        draws = ParameterDraws.from_covariance(mean, covariance, _DRAWS, seed)
    elif trace is not None and lnprob is not None and convergence is not None:
        method = "MARKOV CHAIN OF ESPEI, FLAT PRIOR; ITS MOST PROBABLE SAMPLE"
        draws = ParameterDraws.from_trace(trace, symbols, burn_in=convergence.burn_in)
        values = trace[np.unravel_index(int(np.argmax(lnprob)), lnprob.shape)]
        covariance = draws.covariance
        chosen = np.random.default_rng(seed).choice(
            len(draws), min(_DRAWS, len(draws)), replace=False
        )
        draws = ParameterDraws(symbols, draws.values[np.sort(chosen)])
    else:
        msg = (
            "the data are not linear in the parameters, so that there is no closed form: "
            "sample (--iterations)"
        )
        raise ParameterError(msg)
    fitted = copy_database(dbf)
    fitted.symbols.update({name: S(float(v)) for name, v in zip(symbols, values, strict=True)})
    errors = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(errors, errors)
    return Refit(
        setup, fitted, symbols, values, errors, correlation, method,
        exact, trace, lnprob, convergence, draws,
    )  # fmt: skip


def _check_folder(folder: Path, settings: RefitSettings, *, resume: bool) -> None:
    if resume:
        before = read_settings(folder)
        same = {**before.to_dict(), "iterations": 0} == {**settings.to_dict(), "iterations": 0}
        if not same:
            msg = f"the run in {folder} has other settings: resume with those, or start a new one"
            raise ParameterError(msg)
    elif folder.exists() and any(folder.iterdir()):
        on = ", or go on with --resume" if (folder / STATE).exists() else ""
        msg = f"{folder} exists already: choose another place (--out){on}"
        raise OutputError(msg)


@contextmanager
def _run_folder(folder: Path, settings: RefitSettings) -> Iterator[None]:
    """The folder of a chain with its settings; it goes again if nothing came of it."""
    try:
        made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot write to {folder}: {error.strerror or error}"
        raise OutputError(msg) from error
    write_text(folder / SETTINGS, json.dumps(settings.to_dict(), indent=2), overwrite=True)
    try:
        yield
    except Interrupted as error:
        if not (folder / STATE).exists():
            raise
        msg = f"{error}; they are kept: go on with lina-calphad refit --resume --out {folder}"
        raise Interrupted(msg) from None
    finally:
        if not (folder / STATE).exists():
            for name in (SETTINGS, TRACE, LNPROB):
                (folder / name).unlink(missing_ok=True)
            for parent in made:
                if not any(parent.iterdir()):
                    parent.rmdir()


def _silent(what: str, done: int, wanted: int) -> None:
    """Tell nobody."""


def _reference(dataset: Dataset) -> str:
    return f"{dataset['output']}: {dataset.get('reference', 'no reference')}"


def _comment(line: str) -> str:
    """A line of a TDB's header: plain ASCII, at most 78 characters."""
    import textwrap

    plain = re.sub("[^ -~]", "?", line.upper())
    return "\n".join(
        textwrap.wrap(plain, 78, initial_indent="$ ", subsequent_indent="$           ") or ["$"]
    )
