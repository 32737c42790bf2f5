"""The paper's numbers: each that is printed is computed, compared and judged."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace

import pandas as pd
import pytest
from test_comparison import run

import lina_calphad as lc
from lina_calphad import cli
from lina_calphad.paper import claims
from lina_calphad.paper.beyond import BEYOND
from lina_calphad.paper.claims import Claim, reproduce
from lina_calphad.paper.drawings import FIGURES
from lina_calphad.registry import Published

PRINTED = [
    (key, published.quantity)
    for key, assessment in lc.assessments().items()
    for published in assessment.published
]


@pytest.fixture(scope="module")
def result():
    return reproduce()


@pytest.mark.parametrize(("key", "quantity"), PRINTED)
def test_every_printed_number_is_computed_and_agrees(result, key, quantity):
    (claim,) = (c for c in result.claims if (c.assessment, c.published.quantity) == (key, quantity))
    published = claim.published
    if published.doubt:
        assert claim.verdict == "in doubt"
    else:
        assert claim.computed == pytest.approx(published.value, abs=published.tolerance + 1e-9)
        assert claim.verdict == "agrees"


@pytest.mark.parametrize(
    ("quantity", "computed", "standard"),
    [
        ("chemical solubility of Na in Li", 3.10881e-05, 2.9151e-05),
        ("chemical spinodal onset", 0.0357394, 0.0355025),
        ("coherent solubility of Na in Li", 0.00386297, 0.0037359),
        ("coherent spinodal onset", 0.0579521, 0.0575325),
    ],
)
def test_room_temperature_fits_300_k(result, quantity, computed, standard):
    (claim,) = (c for c in result.claims if c.published.quantity == quantity)
    assert (claim.computed, claim.standard) == pytest.approx((computed, standard), rel=2e-4)


def published(value: float, tolerance: float, doubt: str = "") -> Published:
    return Published("a number", value, tolerance, "1", "somewhere", doubt)


@pytest.mark.parametrize(
    ("computed", "number", "verdict"),
    [
        (2.04, published(2.0, 0.05), "agrees"),
        (2.06, published(2.0, 0.05), "differs"),
        (9.0, published(2.0, 0.05, "stated twice"), "in doubt"),
        (16000.0, published(16000.0, 0.0), "agrees"),
    ],
)
def test_verdicts(computed, number, verdict):
    assert Claim("zhang2003", number, computed).verdict == verdict


@pytest.mark.parametrize(("computed", "digits"), [(2.0, 15), (2.002, 3), (2.2, 1), (20.0, -0.954)])
def test_digits_of_agreement(computed, digits):
    assert Claim("zhang2003", published(2.0, 0.1), computed).digits == pytest.approx(
        digits, abs=1e-3
    )


def test_one_difference_makes_a_failure(result):
    first, *others = result.claims
    wrong = replace(result, claims=(replace(first, computed=1.0), *others))
    assert result.ok
    assert not wrong.ok
    assert repr(wrong) == "<Reproduction of 15 numbers: 12 agree, 1 differ>"


def test_the_table_has_it_all(result):
    table = result.to_dataframe()
    assert list(zip(table["assessment"], table["quantity"], strict=True)) == PRINTED
    assert table["where"].str.len().min() > 0
    assert len(json.loads(json.dumps(result.to_dict()))["numbers"]) == len(table)


# -- the command --


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What `lina-calphad reproduce` wrote into an empty folder, and printed."""
    folder = tmp_path_factory.mktemp("reproduce")
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.chdir(folder)
        cli.main(["reproduce"])
    return folder / "lina-paper", printed.getvalue()


def test_the_command_prints_the_table_and_draws_every_figure(written):
    folder, printed = written
    assert "13 of 15 numbers agree, 0 differ, 2 are in doubt" in printed
    assert "note: the eutectic is given as about 350 K and as about 370 K" in printed
    names = [*FIGURES, *BEYOND]
    assert [name.split("_")[1] for name in names] == [str(n) for n in range(1, 11)]
    files = {f"{name}.{suffix}" for name in names for suffix in ("png", "svg", "csv")}
    assert {p.name for p in folder.iterdir()} == files | {"numbers.csv", "numbers.json"}
    assert len(pd.read_csv(folder / "numbers.csv")) == len(PRINTED)


def test_existing_results_are_kept(written, monkeypatch, capsys):
    folder, _ = written
    monkeypatch.chdir(folder.parent)
    status, _, error = run(capsys, "reproduce")
    assert status == 2
    assert "lina-paper exists already" in error


def test_json_goes_to_standard_output_and_no_figure_is_drawn(folder, result, monkeypatch, capsys):
    monkeypatch.setattr(claims, "reproduce", lambda _: result)
    status, printed, _ = run(capsys, "reproduce", "--json")
    assert (status, json.loads(printed)["ok"]) == (0, True)
    assert list(folder.iterdir()) == []


def test_a_number_that_differs_is_status_1(folder, result, monkeypatch, capsys):
    first, *others = result.claims
    wrong = replace(result, claims=(replace(first, computed=1.0), *others))
    monkeypatch.setattr(claims, "reproduce", lambda _: wrong)
    status, printed, _ = run(capsys, "reproduce", "--json")
    assert (status, json.loads(printed)["ok"]) == (1, False)
