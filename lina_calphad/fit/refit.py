"""Refit an assessment with ESPEI: settings, preparation, samples, their judgement."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pycalphad import Database
from symengine import S

from lina_calphad.checks import Array
from lina_calphad.data.databases import copy_database
from lina_calphad.data.datasets import Dataset
from lina_calphad.data.interactions import describe_symbol
from lina_calphad.data.mixing_data import difference_of, mixing_data
from lina_calphad.data.supercells import Interactions
from lina_calphad.errors import DatasetError, ParameterError
from lina_calphad.fit.cluster import cluster
from lina_calphad.fit.espei_inputs import table_of
from lina_calphad.fit.folder import Chain, RunFolder, read_settings
from lina_calphad.fit.posterior import Convergence, Estimates, GaussianPosterior, closed_form, judge
from lina_calphad.fit.sampler import sample
from lina_calphad.fit.settings import RefitSettings
from lina_calphad.fit.setup import Setup, generate, inputs_of, prepare
from lina_calphad.phase.draws import ParameterDraws

__all__ = ["Refit", "RefitSettings", "read_settings", "refit"]

_DRAWS = 4000
_ZPF_ERROR = 1000.0  # J/mol, ESPEI's standard error of a tie-line of weight one


@dataclass(frozen=True, eq=False)
class Refit(Estimates):
    """What a refit found."""

    setup: Setup
    dbf: Database  #: with the fitted symbols
    symbols: tuple[str, ...]  #: in alphabetical order
    values: Array  #: of the symbols, shape (k,)
    covariance: Array  #: of the values, shape (k, k)
    method: str  #: how these were found
    #: One row a datum: number and reference of its dataset, output, residual (fit less datum; of
    #: tie-lines, ESPEI's driving force in J/mol; of solubilities, of ln x), its standard error,
    #: and their ratio.
    residuals: pd.DataFrame
    draws: ParameterDraws  #: from the posterior
    exact: GaussianPosterior | None  #: the posterior in closed form, where the data are linear
    trace: Array | None  #: samples of the chain, if it ran
    lnprob: Array | None
    convergence: Convergence | None  #: what to think of them

    def __repr__(self) -> str:
        return f"<Refit of {self.setup.settings.source}: {self.in_words()}>"

    @property
    def chi_squared(self) -> float:
        """Sum of the squared ratios of residual and standard error."""
        return float((self.residuals["in_sigma"] ** 2).sum())

    @property
    def degrees_of_freedom(self) -> int:
        """Data less parameters."""
        return len(self.residuals) - len(self.symbols)

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
        """What to know of the parameters."""
        settings, notes = self.setup.settings, [*self.setup.notes]
        others = sorted(set(self.setup.old) - set(self.symbols))
        why = "these data do not ask for it" if settings.order is None else "the order is limited"
        for what, names in (
            (f"not in the refit, since {why}", [n for n in others if n not in self.dbf.symbols]),
            ("not fitted, and as it was", [n for n in others if n in self.dbf.symbols]),
        ):
            if names:
                values = ", ".join(f"{name} = {self.setup.old[name]:.6g}" for name in names)
                notes.append(f"{what}: {values} of the source")
        if self.degrees_of_freedom < 1:
            count = f"{len(self.symbols)} parameters of {len(self.residuals)} data"
            what = "nothing is left to test whether this form is the right one"
            if self.degrees_of_freedom < 0:
                what = "the data do not determine them, and their errors mean nothing"
            notes.append(f"{count}: {what}; --order takes fewer parameters")
        return notes

    def to_dataframe(self) -> pd.DataFrame:
        """One row a parameter: old and new value, standard error, chain, correlations."""
        meaning, unit = zip(*(describe_symbol(self.dbf, n) for n in self.symbols), strict=True)
        columns: dict[str, Any] = {
            "symbol": self.symbols, "parameter": meaning, "unit": unit,
            "old": [self.setup.old.get(name, math.nan) for name in self.symbols],
            "new": self.values, "standard_error": self.errors,
        }  # fmt: skip
        if self.convergence is not None and self.trace is not None:
            kept = self.trace[:, self.convergence.burn_in :]
            columns["chain_mean"] = kept.mean(axis=(0, 1))
            columns["chain_standard_error"] = kept.std(axis=(0, 1))
            columns["effective_samples"] = self.convergence.effective
            columns["autocorrelation_time"] = self.convergence.autocorrelation
        pairs = zip(self.symbols, self.correlation, strict=True)
        columns |= {f"correlation_{name}": r for name, r in pairs}
        return pd.DataFrame(columns)

    def to_tdb(self) -> str:
        """The refitted database as text that plain pycalphad reads, with what was done on top."""
        from lina_calphad.fit.report import tdb_text

        return tdb_text(self)


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
        Where the chain and its settings are kept as it runs; must be new or empty unless
        `resume`. Nobody else may refit there meanwhile.
    scheduler, cores
        "none", "dask" or a scheduler's JSON file, and workers of the former; see
        `lina_calphad.fit.cluster.cluster`.
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
        As `lina_calphad.fit.setup.prepare` and `generate`, `RunFolder`, `Sampler.sample`
        and `cluster`.

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
    say = progress or (lambda *_: None)
    with RunFolder(folder) as run:
        if not resume:
            run.check_new()
        say("reading data and assessment", 0, 0)
        setup = prepare(settings)
        before = run.begin(settings, inputs_of(setup), resume=resume)
        say("generating parameters", 0, 0)
        dbf, found = generate(setup)
        symbols = tuple(sorted(found))
        start = np.array([found[name] for name in symbols])
        residuals = _residuals(setup, dbf, symbols)
        exact = chain = None
        if setup.linear:
            exact = closed_form(lambda v: residuals(v)["in_sigma"].to_numpy(), start, symbols)
        if settings.iterations:
            with cluster(scheduler, cores) as workers:
                chain = sample(
                    _context(setup, dbf, symbols, setup.datasets),
                    _walkers(settings, start, exact), settings.iterations, settings.seed, run,
                    before, workers=workers, progress=lambda *done: say("sampling", *done),
                )  # fmt: skip
        return _judged(setup, dbf, symbols, residuals, exact, chain)


def _context(
    setup: Setup, dbf: Database, symbols: tuple[str, ...], datasets: list[Dataset]
) -> dict[str, Any]:
    """What ESPEI computes a likelihood from."""
    from espei.error_functions.context import setup_context

    context: dict[str, Any] = setup_context(
        dbf, table_of(datasets), list(symbols), phase_models=setup.phase_models
    )
    return context


def _residuals(
    setup: Setup, dbf: Database, symbols: tuple[str, ...]
) -> Callable[[Array], pd.DataFrame]:
    """From values to `Refit.residuals`, by ESPEI's own functions: what the chain will see."""
    from espei.error_functions.zpf_error import ZPFResidual

    parts: list[tuple[dict[str, Any], Any]] = []
    for number, dataset in enumerate(setup.datasets, 1):
        columns = {"dataset": number, "reference": dataset.get("reference", "")}
        columns["output"] = dataset["output"]
        for each in _context(setup, dbf, symbols, [dataset])["residual_objs"]:
            if dataset["output"] == "ZPF" or not isinstance(each, ZPFResidual):
                parts.append((columns, each))

    def table(values: Array) -> pd.DataFrame:
        frames = []
        for columns, each in parts:
            residual, error = map(np.array, each.get_residuals(values))
            if isinstance(each, ZPFResidual):  # ESPEI gives weights
                error = _ZPF_ERROR / error
            if residual.size:
                frames.append(
                    pd.DataFrame({**columns, "residual": residual, "standard_error": error})
                )
        if not frames:
            phases = ", ".join(setup.settings.phases)
            raise DatasetError(f"ESPEI uses none of the data for {phases}")
        found = pd.concat(frames, ignore_index=True)
        return found.assign(in_sigma=found["residual"] / found["standard_error"])

    return table


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


def _judged(
    setup: Setup,
    dbf: Database,
    symbols: tuple[str, ...],
    residuals: Callable[[Array], pd.DataFrame],
    exact: GaussianPosterior | None,
    chain: Chain | None,
) -> Refit:
    """Values, errors and draws from the closed form or else the chain."""
    seed = setup.settings.seed
    convergence = judge(chain.trace, stationary=exact is not None) if chain else None
    if exact is not None:
        values, covariance = exact.mean, exact.covariance
        method = "GENERATED BY ESPEI; CLOSED-FORM POSTERIOR OF LINEAR DATA, FLAT PRIOR"
        mean = dict(zip(symbols, values, strict=True))
        draws = ParameterDraws.from_covariance(mean, covariance, _DRAWS, seed)
    elif chain and convergence:
        method = "MARKOV CHAIN OF ESPEI, FLAT PRIOR; ITS MOST PROBABLE SAMPLE"
        draws = ParameterDraws.from_trace(chain.trace, symbols, burn_in=convergence.burn_in)
        values = chain.trace[np.unravel_index(int(np.argmax(chain.lnprob)), chain.lnprob.shape)]
        covariance, many = draws.covariance, min(_DRAWS, len(draws))
        chosen = np.sort(np.random.default_rng(seed).choice(len(draws), many, replace=False))
        draws = ParameterDraws(symbols, draws.values[chosen])
    else:
        raise ParameterError(
            "the data are not linear in the parameters, so that there is no closed form: "
            "sample (--iterations)"
        )
    fitted = copy_database(dbf)
    fitted.symbols.update({name: S(float(v)) for name, v in zip(symbols, values, strict=True)})
    return Refit(
        setup, fitted, symbols, values, covariance, method, residuals(values), draws,
        exact, chain.trace if chain else None, chain.lnprob if chain else None, convergence,
    )  # fmt: skip
