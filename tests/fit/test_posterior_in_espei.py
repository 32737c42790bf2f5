"""What a recipe minimises is what ESPEI samples: one posterior, by two programs."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from espei.error_functions.context import setup_context
from espei.optimizers.opt_mcmc import EmceeOptimizer
from support import COMPS, LINA

from lina_calphad import espei_hooks  # noqa: F401 - registers the residual of invariants
from lina_calphad.data.datasets import read_datasets
from lina_calphad.fit.assess import assess
from lina_calphad.fit.setup import table_of

DATA = ["gpaw2026-54", "down1975", "khairulin2019"]
# With errors of a third the posterior is all but a Gaussian. With the true ones it is a thin,
# curved ridge, of temperatures that are known to 0.05 K.
WEIGHT = 3
RECIPE = {
    "start": "santos2025",
    "components": list(LINA),
    "phases": ["LIQUID", "BCC_A2"],
    "parameters": {
        "BCC_A2": {0: {"tau": 2857}, 1: {"tau": 2857}},
        "LIQUID": {0: "linear", 1: "constant"},
    },
    "data": [{"name": name, "weight": WEIGHT} for name in DATA],
}


@pytest.fixture(scope="module")
def assessed(tmp_path_factory):
    file = tmp_path_factory.mktemp("recipe") / "few.yaml"
    file.write_text(yaml.safe_dump(RECIPE))
    return assess(file)


@pytest.fixture(scope="module")
def log_probability(assessed):
    """ESPEI's own, of values in the order of the assessment."""
    symbols = assessed.problem.symbols
    names = sorted(symbols)
    phases = {
        "BCC_A2": {"sublattice_model": [list(LINA), ["VA"]], "sublattice_site_ratios": [1, 3]},
        "LIQUID": {"sublattice_model": [list(LINA)], "sublattice_site_ratios": [1]},
    }
    context = setup_context(
        assessed.problem.dbf,
        table_of(read_datasets(DATA)),
        names,
        data_weights={"HM": WEIGHT, "INVARIANT": WEIGHT},
        phase_models={"components": COMPS, "phases": phases},
    )
    order = [symbols.index(name) for name in names]
    return lambda values: float(EmceeOptimizer.predict(np.asarray(values)[order], **context))


def test_espeis_log_probability_is_minus_half_of_chi_squared(assessed, log_probability):
    rng = np.random.default_rng(0)
    best = log_probability(assessed.values)
    for values in rng.multivariate_normal(assessed.values, assessed.covariance, 5):
        residuals, _ = assessed.problem(values)
        expected = (assessed.chi_squared - residuals @ residuals) / 2
        assert log_probability(values) - best == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.slow
def test_a_chain_has_the_mean_and_covariance_of_the_fit(assessed, log_probability):
    import emcee

    rng, k = np.random.default_rng(0), assessed.values.size
    walkers = rng.multivariate_normal(assessed.values, assessed.covariance, 4 * k)
    sampler = emcee.EnsembleSampler(4 * k, k, log_probability)
    sampler.random_state = np.random.RandomState(0).get_state()
    sampler.run_mcmc(walkers, 300)
    z = (sampler.chain[:, 100:] - assessed.values) / assessed.errors
    # Some 100 independent samples: means to 0.1, standard errors to 7 %.
    assert np.abs(z.mean(axis=(0, 1))).max() < 0.3
    assert z.std(axis=(0, 1)) == pytest.approx(np.ones(k), rel=0.2)
    correlation = assessed.covariance / np.outer(assessed.errors, assessed.errors)
    assert np.corrcoef(z.reshape(-1, k).T) == pytest.approx(correlation, abs=0.15)
