"""What a recipe minimises is what plain ESPEI samples: one posterior, by two programs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from espei.datasets import load_datasets, recursive_glob
from espei.error_functions.context import setup_context
from espei.optimizers.opt_mcmc import EmceeOptimizer
from pycalphad import Database
from support import LINA

from lina_calphad.data.datasets import read_datasets
from lina_calphad.data.invariants import read_invariants
from lina_calphad.data.mixing_data import mixing_data
from lina_calphad.fit.espei_inputs import espei_inputs
from lina_calphad.fit.recipe import read_recipe
from lina_calphad.fit.selection import counted


@pytest.fixture(scope="module")
def log_probability(lina2026, tmp_path_factory):
    """That of ESPEI with the inputs written for it, of values in the order of the assessment."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, text in espei_inputs(lina2026, ".").items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    asked = yaml.safe_load((folder / "espei.yaml").read_text())
    names = asked["mcmc"]["symbols"]
    context = setup_context(
        Database(str(folder / "start.tdb")),
        load_datasets(recursive_glob(str(folder / "datasets"), "*.json")),
        names,
        phase_models=json.loads((folder / "phase_models.json").read_text()),
    )
    order = [lina2026.symbols.index(name) for name in names]
    return lambda values: float(EmceeOptimizer.predict(np.asarray(values)[order], **context))


def test_espeis_log_probability_is_minus_half_of_chi_squared(lina2026, log_probability):
    k, rng = len(lina2026.symbols), np.random.default_rng(0)
    best = np.zeros_like(lina2026.values)
    best[:k] = lina2026.values[:k]
    steps = rng.multivariate_normal(0 * best, lina2026.covariance, 4)
    steps[:, k:] = 0
    highest = log_probability(best[:k])
    chi_squared = lina2026.problem.chi_squared(np.vstack([best, best + steps]), best)
    for step, above in zip(steps, chi_squared[1:] - chi_squared[0], strict=True):
        # The database is written with ten digits or so.
        found = log_probability((best + step)[:k]) - highest
        assert found == pytest.approx(-above / 2, rel=1e-5, abs=1e-4)


@pytest.mark.slow
def test_a_chain_has_the_distribution_of_the_draws(lina2026, log_probability):
    import emcee

    draws = lina2026.draws(2000).values
    k, center, scale = draws.shape[1], draws.mean(axis=0), draws.std(axis=0)
    # Many short walks: each begins at a draw of its own, and forgets it slowly along the ridge.
    sampler = emcee.EnsembleSampler(8 * k, k, log_probability)
    sampler.random_state = np.random.RandomState(0).get_state()
    sampler.run_mcmc(draws[: 8 * k], 150)
    z = (sampler.chain[:, 25:] - center) / scale
    # Some 100 independent samples: means and correlations to 0.1, standard errors to 7 %.
    assert np.abs(z.mean(axis=(0, 1))).max() < 0.3
    assert z.std(axis=(0, 1)) == pytest.approx(np.ones(k), rel=0.2)
    assert np.corrcoef(z.reshape(-1, k).T) == pytest.approx(np.corrcoef(draws.T), abs=0.25)


# -- what is written --


def recipe(tmp_path, *data):
    file = tmp_path / "mine.yaml"
    text = {
        "start": "santos2025", "components": list(LINA), "phases": ["BCC_A2", "LIQUID"],
        "parameters": {"BCC_A2": {0: "constant"}}, "data": list(data),
    }  # fmt: skip
    file.write_text(yaml.safe_dump(text))
    return counted(read_recipe(file))


def test_data_are_cut_and_weighted_as_in_the_recipe(tmp_path):
    data = recipe(
        tmp_path, {"name": "gpaw2026-54", "x": [0.5, 1], "weight": 2},
        {"name": "gpaw2026-sqs", "weight": 0}, {"name": "khairulin2019", "weight": 3},
    )  # fmt: skip
    assert [d["reference"] for d in data] == ["lina-calphad, GPAW 2026", "Khairulin et al. 2019"]
    whole = mixing_data(read_datasets(["gpaw2026-54"]), "BCC_A2", LINA)
    cut = mixing_data(data, "BCC_A2", LINA)
    assert cut["x"].tolist() == [53 / 54]
    assert cut["energy"].tolist() == whole["energy"].tolist()[1:]
    assert cut["standard_error"].tolist() == [whole["standard_error"][1] / 2]
    assert data[1]["weight"] == 3


def test_errors_of_invariants_are_those_of_the_recipe(tmp_path):
    errors = {"monotectic": [None, 0.001, 0.002], "critical point": [0.005]}
    data = recipe(
        tmp_path, {"name": "down1975", "errors": {"monotectic": errors["monotectic"]}},
        {"name": "khairulin2019", "errors": {"critical point": errors["critical point"]}},
    )  # fmt: skip
    found = read_invariants(data, LINA).set_index("name")["x_error"]
    assert found["monotectic"][1:] == (0.001, 0.002)
    assert found["eutectic"][1] == 0.006
    assert found["critical point"] == (0.005,)
