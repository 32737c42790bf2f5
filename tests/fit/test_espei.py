"""ESPEI with our hooks: its own command, fitting descriptions, the residual of solubilities."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import espei
import numpy as np
import pytest
from espei.error_functions.context import setup_context
from espei.error_functions.non_equilibrium_thermochemical_error import (
    FixedConfigurationPropertyResidual,
)
from espei.error_functions.zpf_error import ZPFResidual
from espei.optimizers.opt_mcmc import EmceeOptimizer
from espei.phase_models import PhaseModelSpecification
from pycalphad import Database
from pycalphad import variables as v
from support import COMPS, LINA, ROOT, R, python, redlich_kister
from symengine import S, Symbol

import lina_calphad as lc
from lina_calphad import espei_hooks
from lina_calphad.data.databases import copy_database, remove_parameters
from lina_calphad.data.datasets import read_datasets, write_dataset
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.new_datasets import solubility_dataset
from lina_calphad.errors import DatasetError
from lina_calphad.fit.espei_inputs import table_of
from lina_calphad.fit.settings import RefitSettings
from lina_calphad.fit.setup import prepare, write_inputs
from lina_calphad.phase.coherent import CoherentModel

ESPEI = Path(sys.executable).parent / "espei"
TRUE = {"BCCL0": 20109.8, "BCCL1": 5772.6}


def phase_models(model=None):
    phase = {"sublattice_model": [["LI", "NA"], ["VA"]], "sublattice_site_ratios": [1, 3]}
    return {
        "components": COMPS,
        "phases": {"BCC_A2": phase | ({"model": model} if model else {})},
    }


def residual(dbf, datasets, symbols=tuple(TRUE), model=None):
    spec = PhaseModelSpecification(**phase_models(model))
    return espei_hooks.SolubilityResidual(dbf, table_of(datasets), spec, sorted(symbols))


def run(command, folder):
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@pytest.fixture
def solubilities():
    """Synthetic solubilities of both sides from 300 to 440 K, exact."""

    def make(solution, T=(300.0, 335.0, 370.0, 405.0, 440.0), error=0.02):
        line = solution.binodal(np.array(T))
        kind = "coherent" if issubclass(solution.model, CoherentModel) else "chemical"
        sides = {"LI": line.x_alpha, "NA": 1 - line.x_beta}
        return [
            solubility_dataset(
                T, x, solvent=solvent, equilibrium=kind, ln_x_error=error, reference="synthetic"
            )
            for solvent, x in sides.items()
        ]

    return make


def fitted(dbf, datasets, symbols, factor, iterations, model=None, seed=1):
    """Symbols after a run of ESPEI that began with them at a multiple of their values."""
    for name in symbols:
        dbf.symbols[name] = float(dbf.symbols[name]) * factor
    models = phase_models(model)
    optimiser = EmceeOptimizer(dbf, phase_models=models)
    optimiser.fit(
        sorted(symbols), table_of(datasets), iterations=iterations,
        chains_per_parameter=4 if len(symbols) > 1 else 6, chain_std_deviation=0.1,
    )  # fmt: skip
    return {name: float(optimiser.dbf.symbols[name]) for name in symbols}


# -- ESPEI's own command --


def test_the_espei_command_in_an_empty_folder(tmp_path):
    write_inputs(prepare(RefitSettings(iterations=4)), tmp_path / "inputs")
    run([str(ESPEI), "--input", "refit.yaml"], tmp_path / "inputs")
    made = Database(str(tmp_path / "inputs" / "refitted.tdb"))
    # ESPEI keeps six digits.
    values = sorted(float(made.symbols[n].args[0]) for n in made.symbols if n.startswith("VV"))
    assert values == pytest.approx([5910.4036, 20268.1449], abs=0.05)
    assert np.load(tmp_path / "inputs" / "trace.npy").shape == (8, 4, 2)
    models = json.loads((tmp_path / "inputs" / "phase_models.json").read_text())
    assert models["phases"]["BCC_A2"]["model"] == "lina_calphad.CoherentModel"


def test_the_espei_command_uses_our_residual(tmp_path, solubilities, bcc):
    for i, dataset in enumerate(solubilities(bcc("santos2025", "coherent"))):
        write_dataset(dataset, tmp_path / "data" / f"{i}.json")
    settings = RefitSettings(data=(str(tmp_path / "data"),), iterations=4)
    write_inputs(prepare(settings), tmp_path / "inputs")
    run([str(ESPEI), "--input", "refit.yaml"], tmp_path / "inputs")
    lnprob = np.load(tmp_path / "inputs" / "lnprob.npy")
    # The first walker begins at the truth, where ten exact data of error 0.02 have this.
    assert lnprob.max() == pytest.approx(10 * np.log(1 / (0.02 * np.sqrt(2 * np.pi))), abs=1e-6)


def test_only_the_import_of_the_hooks_registers_with_espei(tmp_path):
    code = (
        "import lina_calphad as lc, lina_calphad.phase.coherent, lina_calphad.fit.setup\n"
        "lc.compare\n"
        "from espei.error_functions.residual_base import residual_function_registry as r; "
        "before = len(r.get_registered_residual_functions()); "
        "import lina_calphad.espei_hooks, importlib; "
        "print([f.__name__ for f in r.get_registered_residual_functions()[before:]])"
    )
    assert python(code, tmp_path) == "['SolubilityResidual', 'InvariantResidual']"


# -- fitting descriptions --


@pytest.fixture
def elastic_data():
    """Elastic constants and volumes of both elements at two temperatures, as ESPEI datasets."""

    def dataset(output, element, values):
        return {
            "components": [element, "VA"],
            "phases": ["BCC_A2"],
            "solver": {
                "mode": "manual",
                "sublattice_site_ratios": [1, 3],
                "sublattice_configurations": [[element, "VA"]],
            },
            "conditions": {"P": 101325, "T": [298.15, 350.0]},
            "output": output,
            "values": [[[value] for value in values]],
            "reference": "synthetic",
        }

    numbers = {
        ("C11", "LI"): (13.5, 13.0), ("C12", "LI"): (11.4, 11.1), ("C44", "LI"): (8.8, 8.4),
        ("C11", "NA"): (7.4, 7.0), ("C12", "NA"): (6.2, 5.9), ("C44", "NA"): (4.2, 4.0),
        ("V0", "LI"): (1.3e-5, 1.3e-5), ("V0", "NA"): (2.37e-5, 2.37e-5),
    }  # fmt: skip
    return [dataset(*key, values) for key, values in numbers.items()]


def test_elastic_constants_become_what_the_coherent_model_reads(elastic_data):
    dbf = espei.generate_parameters(
        phase_models(), table_of(elastic_data), "SGTE91", "linear",
        dbf=lc.load("santos2025", elastic=False),
        fitting_description=espei_hooks.elastic_fitting_description,
    )  # fmt: skip
    wanted = lc.load("santos2025", elastic=False)
    lc.set_elastic_data(
        wanted,
        "BCC_A2",
        molar_volume={"LI": 1.3e-5, "NA": 2.37e-5},
        elasticity={"LI": lc.CubicElasticity(13.0, 11.1, 8.4)},
    )
    # Linear in temperature between the two.
    made, right = (
        float(S(CoherentModel(d, COMPS, "BCC_A2").coherency["LI", "NA"]).subs({v.T: 350.0}))
        for d in (dbf, wanted)
    )
    assert made == pytest.approx(right, rel=1e-4)


def test_energies_are_fitted_after_elastic_data(elastic_data):
    setup = prepare(RefitSettings(model="chemical"))
    dbf = copy_database(setup.start)
    remove_parameters(dbf, lambda p: p["parameter_type"] in ("V0", "C11", "C12", "C44"))
    for data, description in (
        (elastic_data, espei_hooks.elastic_fitting_description),
        (setup.datasets, espei_hooks.fitting_description),
    ):
        dbf = espei.generate_parameters(
            phase_models(), table_of(data), "SGTE91", "linear",
            dbf=dbf, fitting_description=description,
        )  # fmt: skip
    named, values = free_interactions(dbf, "BCC_A2", LINA)
    assert list(values.values()) == pytest.approx([20268.1449, 5910.4036], abs=0.05)
    assert lc.BinarySolution(named, LINA, "BCC_A2", CoherentModel).spinodal(300.0).x_alpha > 0.039


def test_without_elastic_data_the_fitting_model_has_no_elastic_energy():
    dbf = lc.load("santos2025", elastic=False)
    model = espei_hooks.FittingModel(dbf, COMPS, "BCC_A2")
    assert model.models["elastic"] == 0
    assert model.C11 == 0


# -- solubilities, two-sided --


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_solubilities_give_back_the_parameters_from_both_sides(solubilities, bcc, factor):
    dbf, _ = free_interactions(lc.load("santos2025"), "BCC_A2", LINA)
    data = solubilities(bcc("santos2025", "chemical"))
    found = fitted(dbf, data, TRUE, factor, iterations=100)
    assert found == pytest.approx(TRUE, rel=0.01)


def test_without_our_residual_they_do_not_come_back(solubilities, bcc):
    # ESPEI's own residual on the same tie-lines, for the same number of iterations.
    dbf, _ = free_interactions(lc.load("santos2025"), "BCC_A2", LINA)
    for name in ("LIQUID", "FCC_A1", "HCP_A3"):
        del dbf.phases[name]
    T = [300.0, 440.0]
    line = bcc("santos2025", "chemical").binodal(T)
    zpf = {
        "components": COMPS,
        "phases": ["BCC_A2"],
        "conditions": {"P": 101325, "T": T},
        "broadcast_conditions": False,
        "output": "ZPF",
        "values": [
            [["BCC_A2", ["NA"], [float(x)]] for x in ends]
            for ends in zip(line.x_alpha, line.x_beta, strict=True)
        ],
        "reference": "synthetic",
    }
    spec = PhaseModelSpecification(**phase_models())
    theirs = ZPFResidual(dbf, table_of([zpf]), spec, sorted(TRUE))
    ours = residual(dbf, solubilities(bcc("santos2025", "chemical"), T))
    true = np.array(list(TRUE.values()))
    assert theirs.get_likelihood(true) - theirs.get_likelihood(1.3 * true) < 0.01
    assert ours.get_likelihood(true) - ours.get_likelihood(1.3 * true) > 1000
    found = fitted(dbf, [zpf], TRUE, 1.3, iterations=8)
    assert abs(found["BCCL0"] / TRUE["BCCL0"] - 1) > 0.05


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_coherent_solubilities_give_back_the_elastic_constant(solubilities, factor):
    dbf = lc.load("santos2025")
    true = {"C11LI": 20.4467049977886}
    dbf._parameters.remove(
        lambda p: p["parameter_type"] == "C11" and p["constituent_array"][0][0].name == "LI"
    )
    dbf.add_parameter("C11", "BCC_A2", [["LI"], ["VA"]], 0, Symbol("C11LI"))
    dbf.symbols |= true
    solution = lc.BinarySolution(dbf, LINA, "BCC_A2", CoherentModel)
    data = solubilities(solution)
    model = "lina_calphad.CoherentModel"
    found = fitted(dbf, data, true, factor, iterations=60, model=model)
    assert found == pytest.approx(true, rel=0.01)


def test_the_residual_is_ln_x_over_its_error(solubilities, bcc):
    dbf, _ = free_interactions(lc.load("zhang2003"), "BCC_A2", LINA)
    data = solubilities(bcc("santos2025", "chemical"), error=0.1)
    data[0]["weight"] = 2.0
    residuals, errors = residual(dbf, data, ["BCCL0"]).get_residuals(np.array([16000.0]))
    assert errors == pytest.approx([0.05] * 5 + [0.1] * 5)
    T = data[0]["conditions"]["T"]
    old, new = (bcc(key, "chemical").binodal(T) for key in ("zhang2003", "santos2025"))
    assert residuals[:5] == pytest.approx(old.ln_x_alpha - new.ln_x_alpha)
    assert residuals[5:] == pytest.approx(old.ln_one_minus_x_beta - new.ln_one_minus_x_beta)


def test_the_residual_goes_on_where_the_gap_has_closed(solubilities, bcc):
    dbf, _ = free_interactions(lc.load("zhang2003"), "BCC_A2", LINA)
    (data, _) = solubilities(bcc("santos2025", "chemical"), T=(400.0,))
    of_data = residual(dbf, [data], ["BCCL0"])
    closing = 2 * R * 400.0  # of a regular solution
    L0 = closing + np.array([1e-6, 0.0, -1e-6, -500.0, -3000.0, -6000.0])
    found = np.array([of_data.get_residuals(np.array([value]))[0][0] for value in L0])
    at_the_top = np.log(0.5) - np.log(data["values"][0][0][0])
    assert found[:3] == pytest.approx(at_the_top, abs=1e-3)
    assert (np.diff(found[2:]) > 0.5).all()


def test_a_gap_that_never_closes_is_all_but_impossible(solubilities, bcc):
    dbf, _ = free_interactions(lc.load("santos2025"), "BCC_A2", LINA)
    of_data = residual(dbf, solubilities(bcc("santos2025", "chemical")))
    assert -np.inf < of_data.get_likelihood(np.array([2e5, 0.0])) < -1e4


def test_data_of_phases_that_are_not_there_do_not_count(solubilities, bcc):
    dbf, _ = free_interactions(lc.load("santos2025"), "BCC_A2", LINA)
    data = solubilities(bcc("santos2025", "chemical"))
    data[0]["phases"] = ["FCC_B1"]
    assert len(residual(dbf, data).get_residuals(np.array([20000.0, 5000.0]))[0]) == 5


def test_a_solubility_must_say_in_which_solvent(solubilities, bcc):
    dbf, _ = free_interactions(lc.load("santos2025"), "BCC_A2", LINA)
    data = solubilities(bcc("santos2025", "chemical"))
    data[0]["solver"]["sublattice_occupancies"] = [[[0.9, 0.1], 1.0]]
    with pytest.raises(DatasetError, match="give the pure solvent"):
        residual(dbf, data)


# -- measured invariants --


@pytest.fixture(scope="module")
def zhang():
    """The assessment of 2003 with its bcc parameter free."""
    return free_interactions(lc.load("zhang2003"), "BCC_A2", LINA)


def objects(zhang, datasets, model=None, **weights):
    """ESPEI's residuals of datasets by name, as its own run makes them."""
    dbf, free = zhang
    models = phase_models(model)
    context = setup_context(dbf, table_of(datasets), list(free), weights, models)
    return {type(each).__name__: each for each in context["residual_objs"]}


def test_invariants_are_compared_in_units_of_their_errors(zhang):
    found = objects(zhang, read_datasets(["down1975", "khairulin2019"]))["InvariantResidual"]
    residuals, errors = found.get_residuals([16000.0])
    exact = lc.BinarySystem(lc.load("zhang2003"), LINA, ["BCC_A2", "LIQUID"]).invariants(300, 700)
    ((monotectic,), (eutectic,), (top,)) = map(
        exact.of, ("monotectic", "eutectic", "upper critical point")
    )

    def logit(x):
        return np.log(x / (1 - x))

    def away(x, measured, error):
        return (logit(x) - logit(measured)) * measured * (1 - measured) / error

    lean, rich = monotectic.x("LIQUID")
    assert residuals == pytest.approx(
        [
            (monotectic.T - 443.9) / 0.05, away(lean, 0.03, 0.003), away(rich, 0.899, 0.012),
            (eutectic.T - 365.25) / 0.05, away(*eutectic.x("LIQUID"), 0.97, 0.006),
            top.T - 576.8, away(*top.x("LIQUID"), 0.359, 0.004),
        ],
        rel=1e-5,
    )  # fmt: skip
    assert errors == [1.0] * 7
    expected = -sum(r**2 for r in residuals) / 2 - 7 / 2 * np.log(2 * np.pi)
    assert found.get_likelihood([16000.0]) == pytest.approx(expected)


def test_a_coherent_model_counts_without_its_elastic_energy(zhang):
    (data,) = read_datasets(["down1975"])
    plain, coherent = (
        objects(zhang, [data], model)["InvariantResidual"].get_residuals([16000.0])
        for model in (None, "lina_calphad.CoherentModel")
    )
    assert coherent == plain


def test_weights_divide_the_errors_of_invariants(zhang):
    (data,) = read_datasets(["khairulin2019"])
    heavy = objects(zhang, [data | {"weight": 2.0}], INVARIANT=3.0)["InvariantResidual"]
    residuals, errors = heavy.get_residuals([16000.0])
    assert errors == pytest.approx([1 / 6, 1 / 6])
    plain = objects(zhang, [data])["InvariantResidual"]
    assert residuals == plain.get_residuals([16000.0])[0]
    gain = heavy.get_likelihood([16000.0]) - plain.get_likelihood([16000.0])
    assert gain == pytest.approx(2 * np.log(6) - (36 - 1) * np.sum(np.square(residuals)) / 2)


def test_rows_with_errors_are_ours_and_others_espeis(zhang):
    (data,) = read_datasets(["down1975"])
    both = data | {"lina_invariants": [data["lina_invariants"][0], None]}
    bare = {key: value for key, value in data.items() if key != "lina_invariants"}
    for dataset, ours, espeis in ((data, 5, 0), (both, 3, 1), (bare, 0, 2)):
        found = objects(zhang, [dataset])
        assert len(found["InvariantResidual"].get_residuals([16000.0])[0]) == ours
        regions = [r for d in found["OtherTieLines"].zpf_data for r in d["phase_regions"]]
        assert len(regions) == espeis
    (region,) = objects(zhang, [both])["OtherTieLines"].zpf_data[0]["phase_regions"]
    assert float(region.potential_conds[v.T]) == 365.25  # the eutectic
    assert "ZPFResidual" not in found


def test_invariants_of_phases_that_are_not_there_are_passed_over(zhang):
    (data,) = read_datasets(["khairulin2019"])
    other = json.loads(json.dumps(data).replace("LIQUID", "IONIC_LIQ"))
    found = objects(zhang, [other])["InvariantResidual"]
    assert found.get_residuals([16000.0]) == ([], [])
    assert found.get_likelihood([16000.0]) == 0


# -- vibrations --


def test_the_entropy_of_the_page_on_vibrations_is_espeis():
    """0.6 k_B for one Na in 54 atoms; L = a - bT has b/R for dilute Na."""
    page = (ROOT / "docs" / "howto" / "vibrations.md").read_text(encoding="utf-8")
    names: dict = {}
    for block in re.findall(r"```\{code-cell\} ipython3\n(.*?)```", page, flags=re.DOTALL):
        exec(compile(block, "vibrations.md", "exec"), names)
    dbf = redlich_kister(16000)
    dbf.symbols["VV0000"], dbf.symbols["L0"] = S.Zero, 16000 - Symbol("VV0000") * v.T
    spec = PhaseModelSpecification(**phase_models("lina_calphad.CoherentModel"))
    data = table_of(read_datasets([names["file"]]))
    found = FixedConfigurationPropertyResidual(dbf, data, spec, ["VV0000"])
    (residual,), (error,) = found.get_residuals([0.6 * R * 54 / 53])
    assert float(residual) == pytest.approx(0, abs=1e-5 * R)
    assert error == pytest.approx(0.3 * R / 54, rel=1e-4)
