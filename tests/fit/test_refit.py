"""Refits, through the function and through the command: closed form, chain, files, bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pycalphad import Database
from pycalphad import variables as v
from support import LINA, run

import lina_calphad as lc
from lina_calphad.data.datasets import read_datasets, shipped_datasets, write_dataset
from lina_calphad.data.new_datasets import energies_dataset, solubility_dataset
from lina_calphad.data.supercells import parameter_covariance
from lina_calphad.errors import (
    DatasetError,
    ElasticDataError,
    ParameterError,
)
from lina_calphad.fit.figures import formation_energies
from lina_calphad.fit.folder import LNPROB, TRACE
from lina_calphad.fit.posterior import ENOUGH, closed_form, judge
from lina_calphad.fit.refit import RefitSettings, refit
from lina_calphad.fit.report import DRAWS, TDB, report
from lina_calphad.fit.setup import generate, prepare

EXACT = RefitSettings(iterations=0)


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """The default refit with a chain long enough to compare."""
    return refit(RefitSettings(iterations=60, seed=3), tmp_path_factory.mktemp("paper") / "run")


# -- what comes out --


def test_the_papers_energies_give_the_papers_parameters(paper):
    published = {p.quantity: p for p in lc.assessments()["santos2025"].published}
    found = paper.finite_difference
    for order, value in enumerate((found.L0, found.L1)):
        number = published[f"bcc {order}L"]
        assert value == pytest.approx(number.value, abs=number.tolerance)
    # Through the same two energies, x = 1/128 not taken for dilute.
    assert dict(zip(paper.symbols, paper.values, strict=True)) == pytest.approx(
        {"BCCL0": 20268.1449, "BCCL1": 5910.4036}, abs=1e-3
    )


def test_one_name_may_stand_by_itself():
    settings = RefitSettings(data=Path("mine.json"), phases="bcc_a2", symbols="BCCL0")
    assert (settings.data, settings.phases) == (("mine.json",), ("BCC_A2",))
    assert settings.symbols == ("BCCL0",)


def test_our_own_energies_give_other_parameters(tmp_path):
    result = refit(RefitSettings(data=("gpaw2026-54",), iterations=0), tmp_path / "own")
    found = result.finite_difference
    assert (found.L0, found.L1) == pytest.approx((17314, 2485), abs=3)


def test_the_chain_agrees_with_the_closed_form(paper):
    mean, deviation = paper.trace.mean(axis=(0, 1)), paper.trace.std(axis=(0, 1))
    samples = paper.convergence.effective
    errors = paper.exact.errors
    assert (np.abs(mean - paper.exact.mean) < 4 * errors / np.sqrt(samples)).all()
    assert (np.abs(deviation / errors - 1) < 4 / np.sqrt(2 * samples)).all()


def test_the_error_is_that_of_the_energies(paper):
    # 0.01 eV on each substitution: (0L, 1L) are half the sum and difference of the two,
    # stretched by the curve through x = 1/N and 1 - 1/N.
    strict = parameter_covariance(128, 0.01)
    assert paper.exact.covariance == pytest.approx(strict, rel=1e-4, abs=1e-3)


def test_many_energies_are_weighted_least_squares(tmp_path):
    data = ("gpaw2026-54", "gpaw2026-sqs")
    result = refit(RefitSettings(data=data, iterations=0), tmp_path / "many")
    x, h, sigma = [], [], []
    for dataset in result.setup.datasets:
        x += [shares[0][1] for shares in dataset["solver"]["sublattice_occupancies"]]
        h += np.ravel(dataset["values"]).tolist()
        sigma += (500 / np.ravel(dataset["weight"])).tolist()
    x, sigma = np.array(x), np.array(sigma)
    terms = [x * (1 - x) * (1 - 2 * x) ** k for k in range(len(result.symbols))]
    design = np.stack(terms, axis=1) / sigma[:, None]
    right, *_ = np.linalg.lstsq(design, np.array(h) / sigma, rcond=None)
    assert len(x) > len(right) >= 2
    assert result.values == pytest.approx(right, rel=1e-6)


def test_the_chain_samples_the_closed_form(paper):
    # Sample by sample, not only in the mean: the log-probabilities differ by a constant.
    away = paper.trace - paper.exact.mean
    gaussian = -0.5 * np.einsum("wik,kl,wil->wi", away, np.linalg.inv(paper.exact.covariance), away)
    assert np.ptp(paper.lnprob - gaussian) < 1e-3


def test_one_parameter_gets_all_its_files(tmp_path):
    (dataset,) = read_datasets(["santos2025"])
    solver = dataset["solver"]
    for key in ("sublattice_configurations", "sublattice_occupancies"):
        solver[key] = solver[key][:1]
    dataset |= {"values": [[[202.2]]], "weight": 66.0}
    write_dataset(dataset, tmp_path / "one.json")
    settings = RefitSettings(data=(str(tmp_path / "one.json"),), iterations=0)
    result = refit(settings, tmp_path / "run")
    assert result.symbols == ("BCCL0",)
    found = report(result)
    assert {*found.texts, *found.tables} >= {TDB, DRAWS.removesuffix(".csv"), "parameters"}
    assert found.figures.keys() >= {"corner", "solubility"}
    assert found.figures["corner"]().axes[0].get_xlabel() == "BCCL0"
    # The source had a second parameter, which one datum does not ask for.
    assert "BCCL1 = 5772.6" in result.notes[0]


@pytest.mark.slow
def test_a_diagram_that_cannot_be_drawn_does_not_cost_the_fit(tmp_path):
    data = ("gpaw2026-54", "gpaw2026-16", "gpaw2026-sqs")
    found = report(refit(RefitSettings(data=data, iterations=0), tmp_path / "run"))
    assert {*found.texts, *found.tables} >= {TDB, DRAWS.removesuffix(".csv"), "parameters"}
    assert any("separate ranges of instability" in note for note in found.notes)


def test_another_alloy(tmp_path, example_tdb):
    zinc = example_tdb("alzn_mey.tdb")  # it has an electron gas, which ESPEI does not know
    zinc.to_file(str(tmp_path / "alzn.tdb"))
    dataset = energies_dataset(
        pd.DataFrame(
            {"name": ["Zn_in_Al", "Al_in_Zn"], "n_first": [31, 1], "n_second": [1, 31],
             "energy": [0.1, 0.2], "e_first": 0.0, "e_second": 0.0}
        ),
        components=("AL", "ZN"), phase="FCC_A1", reference="made up", site_ratios=(1.0,),
    )  # fmt: skip
    write_dataset(dataset, tmp_path / "alzn.json")
    settings = RefitSettings(
        source=str(tmp_path / "alzn.tdb"), data=(str(tmp_path / "alzn.json"),),
        components=("AL", "ZN"), phases=("FCC_A1",), model="chemical", iterations=0,
    )  # fmt: skip
    result = refit(settings, tmp_path / "run")
    assert result.finite_difference.L0 == pytest.approx(0.15 * 96485.33, rel=1e-4)
    assert "FCCL0A" in result.notes[0]
    curves = formation_energies(result, "FCC_A1")[0]
    assert curves["old"].abs().max() > 1000


def test_a_symbol_of_the_source_can_be_fitted(tmp_path):
    text = refit(EXACT, tmp_path / "first").to_tdb()
    (tmp_path / "mine.tdb").write_text(text)
    settings = RefitSettings(
        source=str(tmp_path / "mine.tdb"), symbols=("BCCL0",), model="chemical", iterations=0
    )
    result = refit(settings, tmp_path / "second")
    assert result.symbols == ("BCCL0",)
    assert result.values == pytest.approx([20268.1449], abs=1e-2)
    assert result.errors[0] < 700


def test_solubilities_are_sampled(tmp_path, bcc):
    T = [300.0, 340.0, 380.0, 420.0]
    line = bcc("santos2025", "coherent").binodal(T)
    for solvent, x in (("LI", line.x_alpha), ("NA", 1 - line.x_beta)):
        dataset = solubility_dataset(
            T, x, solvent=solvent, equilibrium="coherent", ln_x_error=0.05, reference="made up"
        )
        write_dataset(dataset, tmp_path / "data" / f"{solvent}.json")
    settings = RefitSettings(
        source="zhang2003", data=(str(tmp_path / "data"),), symbols=(), iterations=40
    )
    # zhang2003 has no 1L: one parameter takes what it can.
    result = refit(settings, tmp_path / "run")
    assert result.exact is None
    assert result.symbols == ("BCCL0",)
    assert "MOST PROBABLE SAMPLE" in result.method
    best = np.unravel_index(result.lnprob.argmax(), result.lnprob.shape)
    assert result.values == pytest.approx(result.trace[best])
    assert result.convergence.burn_in == 13
    # Bands of a chain so short are not to be trusted, and the figures say so.
    drawn = report(result).figures["solubility"]()
    assert "too short" in drawn.get_suptitle()
    drawn.draw_without_rendering()
    frame = drawn.bbox
    for legend in drawn.legends:
        assert (
            frame.x0 <= legend.get_window_extent().x0 <= legend.get_window_extent().x1 <= frame.x1
        )


def test_a_liquid_is_fitted_to_measured_tie_lines(tmp_path):
    settings = RefitSettings(
        source="zhang2003", data=("khairulin2019",), phases=("LIQUID",), model="chemical",
        chains=10, iterations=4,
    )  # fmt: skip
    result = refit(settings, tmp_path / "run")
    assert result.symbols == ("LIQUL0", "LIQUL1A", "LIQUL1B", "LIQUL2")
    assert result.trace.shape == (10, 4, 4)
    frame = result.to_dataframe().set_index("symbol")
    assert frame.loc["LIQUL1B", "unit"] == "J/(mol K)"
    assert frame.loc["LIQUL0", "old"] == 10684.3678
    assert "4 parameters of 2 data: the data do not determine them" in result.notes[-1]


# -- what is written --


def test_the_report_says_how_well_the_data_are_met(tmp_path):
    data = ("gpaw2026-54", "gpaw2026-sqs")
    result = refit(RefitSettings(data=data, order=1, iterations=0), tmp_path / "run")
    assert result.symbols == ("BCCL0", "BCCL1")
    # By hand: two columns of weighted least squares.
    energies = formation_energies(result, "BCC_A2")[1]
    x, h, sigma = energies[["x", "energy", "standard_error"]].to_numpy(float).T
    terms = np.stack([x * (1 - x), x * (1 - x) * (1 - 2 * x)], axis=1)
    right, chi, *_ = np.linalg.lstsq(terms / sigma[:, None], h / sigma, rcond=None)
    assert result.values == pytest.approx(right, rel=1e-6)
    assert result.chi_squared == pytest.approx(float(chi[0]), rel=1e-6)
    assert result.degrees_of_freedom == len(x) - 2 == 6
    assert energies["in_sigma"].to_numpy() == pytest.approx((terms @ right - h) / sigma, abs=1e-6)
    found = report(result).content
    assert found["chi_squared"] == pytest.approx(float(chi[0]), rel=1e-6)
    assert found["degrees_of_freedom"] == 6
    assert [row["dataset"] for row in found["residuals"]] == [1, 1, 2, 2, 2, 2, 2, 2]
    assert not any("nothing is left to test" in note for note in result.notes)


def test_as_many_parameters_as_data_test_no_form(paper):
    assert paper.degrees_of_freedom == 0
    assert paper.chi_squared == pytest.approx(0, abs=1e-9)
    assert "2 parameters of 2 data: nothing is left to test" in paper.notes[-1]


def test_data_that_are_left_out_are_a_note(tmp_path):
    dataset = read_datasets(["santos2025"])[0]
    cold = {**dataset, "conditions": {"P": 101325, "T": [200.0, 298.15]}}
    cold |= {"values": [dataset["values"][0] * 2], "weight": 66.0}
    (tmp_path / "cold.json").write_text(json.dumps(cold))
    settings = RefitSettings(data=str(tmp_path / "cold.json"), iterations=0)
    result = refit(settings, tmp_path / "run")
    assert "at 1 of 2 temperatures is left out" in result.notes[0]
    assert len(result.residuals) == 2


def test_parameters_beyond_the_order_stay_as_they_are():
    settings = RefitSettings(
        source="zhang2003", data="khairulin2019", phases="LIQUID", model="chemical", order=1
    )
    dbf, values = generate(prepare(settings))
    assert list(values) == ["LIQUL0", "LIQUL1A", "LIQUL1B"]
    assert float(dbf.symbols["LIQUL2"]) == 1580.34389


@pytest.mark.parametrize(
    ("equilibrium", "model"), [("chemical", "coherent"), ("coherent", "chemical")]
)
def test_solubilities_of_another_equilibrium_than_the_model(tmp_path, equilibrium, model):
    dataset = solubility_dataset(
        [300.0], [1e-4], solvent="LI", equilibrium=equilibrium, ln_x_error=0.1, reference="made up"
    )
    write_dataset(dataset, tmp_path / "one.json")
    data = str(tmp_path / "one.json")
    message = f"made up has solubilities in {equilibrium} equilibrium.*--model {equilibrium}"
    with pytest.raises(DatasetError, match=message):
        prepare(RefitSettings(source="zhang2003", data=data, model=model))
    assert prepare(RefitSettings(source="zhang2003", data=data, model=equilibrium)).old


def test_plain_pycalphad_reads_the_database(paper, tmp_path):
    (tmp_path / "refit.tdb").write_text(paper.to_tdb(), encoding="utf-8")
    code = (
        "import sys, types; sys.modules['pycalphad_elastic'] = types.ModuleType('nothing')\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "from pycalphad import Database, Model, variables as v\n"
        "dbf = Database('refit.tdb'); m = Model(dbf, ['LI', 'NA', 'VA'], 'BCC_A2')\n"
        "print(sorted(dbf.phases), [s for s in dbf.symbols if s.startswith('VV')], m.V0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, text=True, capture_output=True, check=False
    )
    assert done.stdout.strip() == "['BCC_A2', 'FCC_A1', 'HCP_A3', 'LIQUID'] [] 0", done.stderr


def test_the_written_database_has_the_fitted_gap(paper):
    written = Database.from_string(paper.to_tdb(), fmt="tdb")
    made, kept = (
        lc.BinarySolution(dbf, LINA, "BCC_A2").binodal(300.0).ln_x_alpha
        for dbf in (written, paper.dbf)
    )
    assert made == pytest.approx(float(kept), abs=1e-9)
    assert all(len(line) <= 78 for line in paper.to_tdb().splitlines() if line.startswith("$"))


def test_a_source_with_elastic_data_of_its_own_keeps_them(tmp_path):
    mine = lc.load("santos2025")
    mine.to_file(str(tmp_path / "mine.tdb"))
    settings = RefitSettings(source=str(tmp_path / "mine.tdb"), iterations=0)
    assert "C11(BCC_A2" in refit(settings, tmp_path / "run").to_tdb()


def test_the_draws_have_the_mean_and_errors(paper):
    assert paper.draws.mean == pytest.approx(paper.values, rel=0.01)
    assert np.sqrt(np.diag(paper.draws.covariance)) == pytest.approx(paper.errors, rel=0.05)


# -- chains: judged, interrupted, resumed, shared out --


def test_a_short_chain_is_called_short():
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(8, 60, 2)).cumsum(axis=1)
    verdict = judge(walk, stationary=True)
    assert not verdict.converged
    assert "too short" in verdict.verdict
    assert "--resume --iterations" in verdict.verdict


def test_independent_samples_are_enough():
    samples = np.random.default_rng(0).normal(size=(8, 500, 2))
    verdict = judge(samples, stationary=True)
    assert verdict.converged
    assert (verdict.effective > ENOUGH).all()
    assert verdict.autocorrelation == pytest.approx(1.0, abs=0.3)


def test_a_handful_of_iterations_is_not_judged():
    verdict = judge(np.random.default_rng(0).normal(size=(10, 8, 2)), stationary=True)
    assert not verdict.converged
    assert "too short to judge" in verdict.verdict
    assert (verdict.effective <= 80).all()


def test_walkers_that_stand_still_are_no_samples():
    still = np.tile(np.arange(8.0)[:, None, None], (1, 100, 2))
    verdict = judge(still, stationary=True)
    assert not verdict.converged
    assert verdict.acceptance == 0


def test_data_that_are_not_linear_have_no_closed_form():
    def curved(p):
        return [p[0] ** 2 - 4]

    assert closed_form(curved, np.array([1.0]), ["a"]) is None


def test_data_that_do_not_determine_the_parameters():
    def sums(p):
        return [p[0] + p[1] - 3]

    with pytest.raises(DatasetError, match="1 data do not determine a, b"):
        closed_form(sums, np.array([1.0, 1.0]), ["a", "b"])


def test_seeds_give_other_chains(paper, tmp_path):
    other = refit(RefitSettings(iterations=4, seed=1), tmp_path / "run")
    assert (other.trace != paper.trace[:, :4]).any()


# -- bad input --


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"data": ("nothing",)}, DatasetError, "nothing"),
        ({"phases": ("BCC_B2",)}, lc.errors.DatabaseError, "no phase BCC_B2"),
        ({"components": ("LI", "K")}, lc.errors.DatabaseError, "no element K"),
        ({"phases": ("FCC_A1",)}, DatasetError, "the data are of BCC_A2, not of FCC_A1"),
        ({"data": ("down1975",)}, DatasetError, "--model chemical"),
        ({"model": "no.such.Model"}, ParameterError, "got no.such.Model"),
        ({"model": "json.JSONDecoder"}, ParameterError, "no pycalphad Model"),
        ({"symbols": ("VV0000",)}, lc.errors.DatabaseError, "no symbol VV0000"),
        ({"symbols": ("GHSERLI",)}, lc.errors.DatabaseError, "GHSERLI is no number"),
        ({"source": "zhang2004"}, lc.errors.UnknownAssessment, "did you mean zhang2003"),
    ],
)
def test_settings_that_do_not_fit(tmp_path, settings, error, message):
    with pytest.raises(error, match=message):
        refit(RefitSettings(**settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"chains": 7},
        {"chains": 2},
        {"chains": 10**11},
        {"iterations": -1},
        {"iterations": 3},
        {"iterations": 10**12},
        {"seed": -1},
        {"order": -1},
    ],
)
def test_numbers_out_of_range(settings):
    with pytest.raises(ValueError, match=str(next(iter(settings.values())))):
        RefitSettings(**settings)


# ESPEI shifts formation energies by a pycalphad function that is on its way out.
@pytest.mark.filterwarnings("ignore:shift_reference_state:DeprecationWarning")
def test_energies_of_formation_with_a_coherent_model(tmp_path):
    (dataset,) = read_datasets(["santos2025"])
    write_dataset({**dataset, "output": "HM_FORM"}, tmp_path / "form.json")
    data = (str(tmp_path / "form.json"),)
    with pytest.raises(DatasetError, match="--model chemical"):
        refit(RefitSettings(data=data, iterations=0), tmp_path / "run")
    result = refit(RefitSettings(data=data, model="chemical", iterations=0), tmp_path / "run")
    # Against bcc, the stable structure of both, formation is mixing.
    assert result.values == pytest.approx([20268.14, 5910.40], abs=1)


def test_data_of_other_sublattices(tmp_path):
    (dataset,) = read_datasets(["santos2025"])
    dataset["solver"]["sublattice_site_ratios"] = [1.0, 1.0]
    write_dataset(dataset, tmp_path / "other.json")
    with pytest.raises(DatasetError, match=r"sublattices \[1.0, 1.0\] of BCC_A2"):
        prepare(RefitSettings(data=(str(tmp_path / "other.json"),)))


def test_interactions_that_cannot_be_freed_are_named(tmp_path, bcc):
    dataset = solubility_dataset(
        [300.0], [1e-4], solvent="LI", equilibrium="coherent", ln_x_error=0.1, reference="made up"
    )
    write_dataset(dataset, tmp_path / "one.json")
    mine = lc.load("zhang2003")
    mine._parameters.remove(lambda p: p["phase_name"] == "BCC_A2" and p["parameter_type"] == "G"
                            and len(p["constituent_array"][0]) == 2)  # fmt: skip
    mine.add_parameter("L", "BCC_A2", [["LI", "NA"], ["VA"]], 0, 16000 + v.T**2)
    mine.to_file(str(tmp_path / "mine.tdb"))
    settings = RefitSettings(source=str(tmp_path / "mine.tdb"), data=(str(tmp_path / "one.json"),))
    with pytest.raises(ParameterError, match=r"only a \+ b\*T .*can be freed"):
        prepare(settings)


def test_a_coherent_model_without_elastic_data(tmp_path):
    dataset = solubility_dataset(
        [500.0], [0.1], solvent="LI", phase="LIQUID", equilibrium="coherent", ln_x_error=0.1,
        reference="made up", site_ratios=(1.0,),
    )  # fmt: skip
    write_dataset(dataset, tmp_path / "liquid.json")
    with pytest.raises(ElasticDataError, match="--model chemical"):
        prepare(RefitSettings(data=(str(tmp_path / "liquid.json"),), phases=("LIQUID",)))


# -- the command --


@pytest.mark.slow
def test_from_a_table_of_energies_to_a_diagram_with_bands(folder, capsys):
    source = shipped_datasets()["santos2025"].parents[2] / "dft-gpaw2026" / "cells.csv"
    table = pd.read_csv(source).set_index("name").loc[["Na_in_Li_54", "Li_in_Na_54"]]
    table.to_csv("cells.csv")
    assert run(capsys, "dataset", "cells.csv", "--out", "mine.json")[0] == 0
    status, out, _ = run(capsys, "refit", "--data", "mine.json", "--iterations", "0")
    assert status == 0
    assert "17315" in out  # by eqs. 8 and 9
    assert (folder / "lina-refit" / TDB).exists()
    assert len(pd.read_csv(folder / "lina-refit" / DRAWS)) == 4000
    arguments = ("santos2025", "lina-refit/refit.tdb", "--bands")
    status, out, err = run(capsys, "compare", *arguments)
    assert status == 0, err
    assert (folder / "lina-results" / "bands.csv").exists()


def test_the_command_samples_says_what_it_found_and_writes_it(folder, capsys):
    status, out, err = run(capsys, "refit", "--iterations", "6", "--out", "mine")
    assert (status, err) == (0, "")
    for said in ("20268.14", "20109.8", "The chain is too short", "note: 2 parameters of 2 data"):
        assert said in out
    names = {path.name for path in (folder / "mine").iterdir()}
    figures = {"corner", "trace", "formation_energy", "solubility"}
    assert names >= {f"{name}.{suffix}" for name in figures for suffix in ("png", "svg")}
    assert names >= {"refit.tdb", "refit_draws.csv", "parameters.csv", "report.json"}
    assert names >= {"formation_energy.csv", "solubility.csv", "solubility_critical.csv"}
    numbers = json.loads((folder / "mine" / "report.json").read_text())
    assert numbers["parameters"][0]["new"] == pytest.approx(20268.1449)
    assert numbers["convergence"]["verdict"] in " ".join(out.split())
    assert (
        np.load(folder / "mine" / TRACE).shape[1] == np.load(folder / "mine" / LNPROB).shape[1] == 6
    )
    status, _, err = run(capsys, "refit", "--iterations", "6", "--out", "mine")
    assert (status, err.count("\n")) == (2, 1)
    assert "mine exists already" in err


def test_the_command_writes_inputs_for_espei(folder, capsys):
    status, out, _ = run(capsys, "refit", "--write-inputs", "inputs")
    assert status == 0
    assert "espei --input refit.yaml" in out
    assert {p.name for p in (folder / "inputs").iterdir()} == {
        "refit.yaml", "phase_models.json", "start.tdb", "datasets",
    }  # fmt: skip
    assert run(capsys, "refit", "--write-inputs", "inputs")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--phase", "BCC_B2"), "no phase BCC_B2"),
        (("--scheduler", "nowhere.json"), "no scheduler file"),
        (("--resume",), "no run to resume"),
        (("--resume", "--seed", "5"), "leave out --seed"),
        (("--cores", "0"), "--cores"),
        (("--chains", "100000000000"), "got 100000000000 x 1500"),
        (("--order", "1", "--symbol", "BCCL0"), "not for symbols"),
        (("--order", "1", "--write-inputs", "inputs"), "leave out --order"),
        (("--components", "LI,LI"), "two different elements"),
        (("--components", "li", "LI"), "two different elements"),  # as in 0.1.0
        (("--components", "LI"), "no pair of names such as AL,ZN"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(folder, capsys, arguments, message):
    status, out, err = run(capsys, "refit", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert list(folder.iterdir()) == []
