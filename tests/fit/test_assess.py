"""Assessments from recipes: exact residuals, what a fit finds and says, and lina2026."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from support import LINA, ROOT, run

import lina_calphad as lc
from lina_calphad.data.assessments import read_source
from lina_calphad.data.databases import copy_database
from lina_calphad.data.datasets import read_datasets, write_dataset
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.invariants import read_invariants
from lina_calphad.data.new_datasets import solubility_dataset
from lina_calphad.diagram.residuals import Residuals
from lina_calphad.errors import DatasetError, LinaCalphadError, NotConverged, RecipeError
from lina_calphad.fit.assess import assess
from lina_calphad.fit.assess_report import forms, predictions, report, tdb_text
from lina_calphad.fit.recipe import Form, read_recipe
from lina_calphad.phase.draws import known_draws

ENERGIES = {
    "start": "santos2025",
    "components": ["LI", "NA"],
    "phases": ["LIQUID", "BCC_A2"],
    "parameters": {"BCC_A2": {0: "constant", 1: "constant"}},
    "data": ["santos2025"],
}


@pytest.fixture(scope="module")
def draws(lina2026):
    return lina2026.draws()


@pytest.fixture
def recipe(folder):
    """A recipe of energies alone, with what differs: recipe(data=[...])."""

    def write(**changes):
        file = folder / "mine.yaml"
        file.write_text(yaml.safe_dump({**ENERGIES, **changes}))
        return file

    return write


# -- residuals


@pytest.fixture(scope="module")
def measured_system():
    dbf, free = free_interactions(lc.load("lina2026"), "BCC_A2", LINA)
    dbf, more = free_interactions(dbf, "LIQUID", LINA)
    free |= more
    system = lc.BinarySystem(dbf, LINA, ["LIQUID", "BCC_A2"], symbols=list(free))
    liquidus = pd.DataFrame({
        "name": ["liquidus"], "kind": ["tie-line"], "phases": [("BCC_A2", "LIQUID")],
        "T": [400.0], "T_error": [np.nan], "x": [(np.nan, 0.94)], "x_error": [(np.nan, 0.01)],
        "source": ["us"],
    })  # fmt: skip
    data = read_invariants(read_datasets(["down1975", "khairulin2019"]))
    return system, pd.concat([data, liquidus], ignore_index=True), np.array(list(free.values()))


def test_residuals_are_those_of_the_invariants_of_the_system(measured_system):
    system, data, values = measured_system
    table = Residuals(system, data).table(values)
    found = {one.kind: one for one in system.invariants(300, 700, values)}
    by = {(n.split(" (")[0], q): c for n, q, c in zip(table["name"], table["quantity"],
                                                      table["computed"], strict=True)}  # fmt: skip
    assert by["eutectic", "T / K"] == pytest.approx(found["eutectic"].T, abs=1e-7)
    assert by["monotectic", "x(Na) of LIQUID 1"] == pytest.approx(
        found["monotectic"].x("LIQUID")[0], rel=1e-9
    )
    assert by["critical point", "T / K"] == pytest.approx(found["upper critical point"].T, rel=1e-9)
    tie_line = system.equilibria(400.0, values)
    assert by["liquidus", "x(Na) of LIQUID"] == pytest.approx(float(tie_line.x[1, 0]), rel=1e-9)


def test_derivatives_are_those_of_finite_differences(measured_system):
    system, data, values = measured_system
    residuals = Residuals(system, data)
    _, jacobian = residuals(values)
    for k, value in enumerate(values):
        step = np.zeros(values.size)
        step[k] = 1e-5 * abs(value)
        difference = (residuals(values + step)[0] - residuals(values - step)[0]) / (2 * step[k])
        assert jacobian[:, k] == pytest.approx(difference, rel=1e-4, abs=1e-7 / abs(value))


def test_many_sets_of_values_are_one_by_one_the_same(measured_system):
    system, data, values = measured_system
    residuals = Residuals(system, data)
    near = values * (1 + 1e-3 * np.random.default_rng(0).standard_normal((5, values.size)))
    alone = [residuals(each)[0] for each in near]
    assert residuals.many(near, values) == pytest.approx(np.array(alone), rel=1e-6, abs=1e-6)


def test_where_there_is_no_such_equilibrium_the_potentials_say_how_far_it_is(measured_system):
    system, data, values = measured_system
    residuals = Residuals(system, data)
    mixed = values.copy()
    mixed[np.array(system.symbols) == "LIQUL0A"] = 0.0  # no gap in the liquid
    lost = residuals.lost(mixed)
    assert any("monotectic" in name for name in lost)
    assert np.isfinite(residuals(mixed)[0]).all()
    assert np.abs(residuals(mixed)[0]).max() > np.abs(residuals(values)[0]).max() + 10


# -- fits


def test_energies_alone_give_what_linear_algebra_gives(recipe):
    found = assess(recipe())
    assert found.values == pytest.approx([20268.145, 5910.404], abs=60)
    # Linear data: the profile is that of the standard errors, and the draws are Gaussian.
    profiles = found.profiles()
    assert profiles["minus"].to_numpy() == pytest.approx(found.errors, rel=1e-2)
    assert profiles["plus"].to_numpy() == pytest.approx(found.errors, rel=1e-2)
    draws = found.draws(2000)
    assert np.sqrt(np.diag(draws.covariance)) == pytest.approx(found.errors, rel=0.1)


def solubilities(bcc, folder, kind):
    """Names of datasets of both sides of a gap of santos2025, exact."""
    T = [300.0, 340.0, 380.0, 420.0]
    line = bcc("santos2025", kind).binodal(T)
    for solvent, x in (("LI", line.x_alpha), ("NA", 1 - line.x_beta)):
        data = solubility_dataset(
            T, x, solvent=solvent, equilibrium=kind, ln_x_error=0.05, reference="made up"
        )
        write_dataset(data, folder / f"{solvent}.json")
    return ["LI.json", "NA.json"]


def test_solubilities_give_back_the_parameters(recipe, folder, bcc):
    data = solubilities(bcc, folder, "chemical")
    found = assess(recipe(start="zhang2003", data=data))
    assert found.values == pytest.approx([20109.8, 5772.6], abs=1)
    assert found.data["name"].tolist()[4] == "made up at 300 K"
    assert found.data["in_sigma"].to_numpy() == pytest.approx(0, abs=0.1)


def test_coherent_solubilities_are_for_refits(recipe, folder, bcc):
    with pytest.raises(RecipeError, match="`lina-calphad refit` takes"):
        assess(recipe(data=solubilities(bcc, folder, "coherent")))


def test_another_binary_comes_back_from_its_own_invariants(example_tdb, folder):
    dbf = copy_database(example_tdb("alzn_mey.tdb"))
    pair = ("AL", "ZN")
    dbf, free = free_interactions(dbf, "FCC_A1", pair)
    system = lc.BinarySystem(dbf, pair, ["LIQUID", "FCC_A1", "HCP_A3"], symbols=list(free))
    values = []
    for one in system.invariants(300, 900):
        if one.kind in ("eutectic", "monotectoid"):
            vertices = [[name, ["ZN"], [x]] for name, x in one.phases]
            values.append((one.T, vertices, {"T_error": 0.1, "x_error": [0.001] * 3}))
    (folder / "alzn.json").write_text(json.dumps({
        "components": ["AL", "ZN", "VA"], "phases": ["LIQUID", "FCC_A1", "HCP_A3"],
        "conditions": {"P": 101325, "T": [v[0] for v in values]},
        "broadcast_conditions": False, "output": "ZPF", "values": [v[1] for v in values],
        "lina_invariants": [v[2] for v in values], "reference": "made up",
    }))  # fmt: skip
    dbf.to_file(folder / "alzn.tdb", fmt="tdb", if_incompatible="ignore")
    held = {k: f"{free[f'FCCL{k}A']} + {free[f'FCCL{k}B']}*T" for k in (1, 2)}
    (folder / "alzn.yaml").write_text(yaml.safe_dump({
        "start": "alzn.tdb", "components": list(pair), "phases": ["LIQUID", "FCC_A1", "HCP_A3"],
        "parameters": {"FCC_A1": {0: "linear", **{k: {"held": e} for k, e in held.items()}}},
        "data": ["alzn.json"], "starts": 2, "temperature": [300, 900],
    }))  # fmt: skip
    found = assess(folder / "alzn.yaml")
    assert found.values == pytest.approx([free["FCCL0A"], free["FCCL0B"]], rel=1e-3)


@pytest.mark.parametrize("start", [1e7, -1e5])
def test_a_start_without_physics_leads_to_the_same_minimum(lina2026, start):
    liquid = {
        order: replace(form, start=start)
        for order, form in lina2026.recipe.parameters["LIQUID"].items()
    }
    recipe = replace(
        lina2026.recipe, parameters={**lina2026.recipe.parameters, "LIQUID": liquid}, starts=1
    )
    assert assess(recipe).values == pytest.approx(lina2026.values, rel=1e-9)


def test_each_datum_is_predicted_from_the_others(lina2026):
    left_out = lina2026.left_out()
    assert len(left_out) == lina2026.size
    assert left_out["in_sigma"].abs().max() < 3
    assert left_out["predicted"].notna().all()


# -- what is wrong is said


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"start": "nobody1999"}, LinaCalphadError, "nobody1999"),
        ({"phases": ["LIQUID"]}, RecipeError, "BCC_A2, which is not among the phases"),
        ({"data": []}, RecipeError, "lacks data"),
        ({"data": ["down1974"]}, DatasetError, "did you mean"),
        ({"parameter": {}}, RecipeError, "did you mean parameters"),
        ({"parameters": {"BCC_A2": {0: "quadratic"}}}, RecipeError, "a form is one of constant"),
        ({"parameters": {"BCC_A2": {0: {"tau": -5}}}}, RecipeError, "positive number of K"),
        ({"parameters": {"BCC_A2": {"one": "linear"}}}, RecipeError, "from 0 to 9"),
        ({"parameters": {"BCC_A2": {0: {"held": "5*X"}}}}, RecipeError, "X beside T"),
        ({"parameters": {"BCC_A2": {0: {"held": "5*T"}}}}, RecipeError, "nothing to fit"),
        ({"temperature": [500, 300]}, RecipeError, "goes up"),
        ({"starts": 0}, RecipeError, "from 1 to 1000"),
        ({"data": [{"name": "santos2025", "weight": 0}]}, RecipeError, "weight 0"),
        ({"data": [{"name": "santos2025", "x": [0.4, 0.6]}]}, RecipeError, "nothing"),
        ({"data": [{"name": "down1975", "errors": {"peritectic": [0.1]}}]}, RecipeError,
         "no peritectic; it has monotectic, eutectic"),
        ({"nuisances": [{"parameter": "G(GAS,LI;0)", "shape": "1", "error": 1}]}, RecipeError,
         "no parameter G"),
        ({"parameters": {"BCC_A2": {0: "constant", 1: "constant", 2: "constant"}}}, DatasetError,
         "nothing changes along"),
        ({"parameters": {"BCC_A2": {0: "linear", 1: "constant"}}}, DatasetError, "BCCL0B"),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_says_why(recipe, changes, error, says):
    with pytest.raises(error, match=says):
        assess(recipe(**changes))


def test_a_recipe_and_its_variants_are_one_table(recipe):
    names = {0: "constant", 1: "constant", 2: "constant"}
    variants = {
        "regular": {"parameters": {"bcc_a2": {0: "constant"}}, "why": "fewer"},
        "three": {"parameters": {"BCC_A2": names}},  # of two data
    }
    found = forms(read_recipe(recipe(variants=variants)))
    frame = found.tables["forms"].set_index("form")
    assert frame["parameters"].tolist()[:2] == [2, 1]
    assert frame.loc["regular", "χ²"] > 1 > frame.loc["mine as it is", "χ²"]
    assert np.isnan(frame.loc["three", "χ²"])
    assert found.notes[0].startswith("three: ")
    with pytest.raises(RecipeError, match="no variants"):
        forms(read_recipe(recipe()))


def test_a_recipe_that_is_no_yaml_or_is_not_there_says_so(folder):
    with pytest.raises(RecipeError, match="did you mean lina2026"):
        read_recipe("lina2025")
    (folder / "broken.yaml").write_text("start: [")
    with pytest.raises(RecipeError, match="cannot be read as YAML"):
        read_recipe(folder / "broken.yaml")


def test_data_that_contradict_each_other_are_named(recipe):
    changes = {"data": ["santos2025", {"name": "gpaw2026-54", "weight": 10}]}
    notes = assess(recipe(**changes)).notes
    assert any("contradict" in note for note in notes)


def test_parameters_that_grow_with_temperature_are_an_artificial_gap(lina2026):
    liquid = {0: Form("held", expression="-4000 + 20*T")}
    wrong = replace(
        lina2026.recipe, parameters={**lina2026.recipe.parameters, "LIQUID": liquid},
        data=lina2026.recipe.data[:2], temperature=(200.0, 3000.0), starts=1,
    )  # fmt: skip
    assert any("artificial gap" in n or "unmixed" in n for n in assess(wrong).notes)


def test_an_excess_entropy_beyond_its_bound_is_named(lina2026):
    strict = replace(lina2026.recipe, entropy_bound=0.5, starts=1)
    assert any("excess entropy of +0.8" in note for note in assess(strict).notes)


def test_an_equilibrium_that_no_values_have_is_named(lina2026):
    """A liquid that is held ideal has no gap, whatever the bcc phase does."""
    ideal = {0: Form("held", expression="0*T")}
    wrong = replace(
        lina2026.recipe, parameters={**lina2026.recipe.parameters, "LIQUID": ideal}, starts=1
    )
    with pytest.raises(NotConverged, match=r"critical point|did not converge"):
        assess(wrong)


def test_draws_that_do_not_resemble_the_posterior_are_gaussian_and_said_to_be(recipe, monkeypatch):
    monkeypatch.setattr("lina_calphad.fit.assess._EFFECTIVE", 10**6)
    found = assess(recipe())
    with pytest.raises(NotConverged, match="too free"):
        found.draws()
    made = report(found)
    assert any("the draws are Gaussian" in note for note in made.notes)
    assert len(made.tables["assessment_draws"]) == 1000


# -- lina2026


def test_the_recipe_makes_the_shipped_file_again(lina2026):
    assert tdb_text(lina2026) == (ROOT / "tdb" / "LiNa_2026.tdb").read_text()


def test_the_shipped_draws_are_those_of_the_posterior(draws):
    there = pd.read_csv(ROOT / "tdb" / "LiNa_2026_draws.csv")
    assert list(there.columns) == list(draws.symbols)
    spread = np.sqrt(np.diag(draws.covariance))
    assert (there.mean().to_numpy() - draws.mean) / spread == pytest.approx(0, abs=0.05)
    assert there.std().to_numpy() / spread == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("seed", [3, 4])
def test_draws_of_any_seed_are_those_of_one_posterior(lina2026, draws, seed):
    other = lina2026.draws(seed=seed)
    spread = np.sqrt(np.diag(draws.covariance))
    # Each mean is known to some 0.04 of the spread.
    assert (other.mean - draws.mean) / spread == pytest.approx(0, abs=0.25)


def test_all_that_was_measured_is_met(lina2026):
    measured = lina2026.data[~lina2026.data["quantity"].str.contains("_MIX")]
    assert len(measured) == 7
    assert (measured["in_sigma"].abs() < 1).all()
    assert lina2026.notes == []


def test_rounding_moves_no_invariant_by_a_hundredth_of_a_kelvin(lina2026):
    T = lina2026.data[lina2026.data["quantity"] == "T / K"]
    assert (T["computed"] - T["measured"]).abs().to_numpy()[:2] == pytest.approx(0, abs=0.01)


def test_solubilities_at_room_temperature_lie_between_the_older_two(lina2026, draws):
    known = predictions(lina2026, draws).set_index("quantity")
    low, high = known.loc["binodal, Na in Li", ["low_95", "high_95"]]
    assert 3.1e-5 < low < 6e-4 < high < 1.7e-3


def test_it_loads_in_plain_pycalphad():
    from pycalphad import Database, equilibrium
    from pycalphad import variables as v

    dbf = Database(str(ROOT / "tdb" / "LiNa_2026.tdb"))
    conditions = {v.T: 365.0, v.P: 101325, v.N: 1, v.X("NA"): 0.5}
    found = equilibrium(dbf, ["LI", "NA", "VA"], ["LIQUID", "BCC_A2"], conditions)
    assert set(found.Phase.values.ravel()) - {""} == {"BCC_A2"}


@pytest.mark.slow
def test_the_table_of_forms_in_the_docs_is_the_computed_one():
    frame = forms(read_recipe("lina2026")).tables["forms"].set_index("form")
    page = (ROOT / "docs" / "theory" / "lina2026.md").read_text(encoding="utf-8")
    for name, row in frame.iterrows():
        (cells,) = re.findall(rf"(?m)^\| {re.escape(str(name))} \|(.*)\|$", page)
        chi, bic = (cell.strip().replace("none", "nan") for cell in cells.split("|")[2:4])
        assert float(chi) == pytest.approx(row["χ²"], abs=0.06, nan_ok=True)
        assert float(bic) == pytest.approx(row["BIC"], abs=0.06, nan_ok=True)
    own = frame[frame["data"] == 11].drop("energies of 54 atoms")
    assert own["BIC"].idxmin() == "lina2026 as it is"


def test_the_command_writes_all_of_it(folder, capsys, recipe):
    status, out, err = run(capsys, "assess", recipe(), "--out", "found")
    assert (status, err) == (0, "")
    assert "BCCL0" in out
    there = {file.name for file in (folder / "found").iterdir()}
    assert {"assessment.tdb", "assessment_draws.csv", "data.csv", "residuals.png"} <= there
    _, draws = known_draws("found/assessment.tdb", read_source("found/assessment.tdb"))
    assert draws.symbols == ("BCCL0", "BCCL1")


def test_a_wrong_recipe_costs_one_line_and_no_file(folder, capsys, recipe):
    status, out, err = run(capsys, "assess", recipe(starts=0), "--out", "found")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert not (folder / "found").exists()
