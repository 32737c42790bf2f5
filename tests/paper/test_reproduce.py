"""The paper's numbers: each that is printed is computed, compared and judged."""

from __future__ import annotations

import io
import json
import re
import sys
from contextlib import redirect_stdout
from dataclasses import replace

import pandas as pd
import pytest
from support import run

import lina_calphad as lc
from lina_calphad.cli import main as cli
from lina_calphad.data.assessments import Published
from lina_calphad.paper import claims, command, figures
from lina_calphad.paper.claims import Claim, reproduce

PRINTED = [
    (key, published.quantity)
    for key, assessment in lc.assessments().items()
    for published in assessment.published
]


@pytest.fixture(scope="module")
def result():
    return reproduce()


@pytest.mark.parametrize(("key", "quantity"), PRINTED)
def test_every_published_result_is_computed_and_agrees(result, key, quantity):
    (claim,) = (c for c in result.claims if (c.assessment, c.published.quantity) == (key, quantity))
    published = claim.published
    if not published.doubt:
        assert claim.computed == pytest.approx(published.value, abs=published.tolerance + 1e-9)


def computed(result, quantity):
    (claim,) = (c for c in result.claims if c.published.quantity == quantity)
    return claim.computed, claim.standard


@pytest.mark.parametrize(
    ("quantity", "reference"),
    [
        # From the map, between the two temperatures that the paper names.
        ("eutectic temperature, abstract", 361.445),
        ("eutectic temperature, text", 361.445),
        # exp[(0L - 1L - B)/RT] is 0.347 at 200 K, the exact fraction 0.121.
        ("coherent Li in Na at 200 K, closed form over exact", 2.87),
        ("coherent Na in Li, <100> over isotropic", 0.0318),
    ],
)
def test_what_is_in_doubt_is_computed_all_the_same(result, quantity, reference):
    (claim,) = (c for c in result.claims if c.published.quantity == quantity)
    assert claim.verdict == "in doubt"
    assert claim.computed == pytest.approx(reference, rel=2e-3)


def test_room_temperature_is_either(result):
    """What the paper prints at room temperature fits 300 K and 298.15 K, by its tolerances."""
    of_room = [c for c in result.claims if c.standard is not None and not c.published.reading]
    assert len(of_room) == 4
    for claim in of_room:
        assert abs(claim.standard - claim.published.value) <= claim.published.tolerance
        assert claim.standard != claim.computed
    # Rounded to its digits, the coherent solubility fits neither: 3.9 and 3.7.
    assert [round(1e3 * x, 1) for x in computed(result, "coherent solubility of Na in Li")] == [
        3.9,
        3.7,
    ]


def published(value: float, tolerance: float, doubt: str = "") -> Published:
    return Published("a number", value, tolerance, "1", "somewhere", doubt=doubt)


@pytest.mark.parametrize(
    ("computed", "number", "verdict"),
    [
        (2.04, published(2.0, 0.05), "agrees"),
        (2.06, published(2.0, 0.05), "differs"),
        (9.0, published(2.0, 0.05, "stated twice"), "in doubt"),
        (None, published(2.0, 0.05, "stated twice"), "not computed"),
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
    assert "of 12 printed numbers 1 differ, 9 agree, 2 are in doubt" in repr(wrong)


def test_what_cannot_be_computed_is_a_failure_with_its_reason(result, monkeypatch):
    whole = result.comparison
    fewer = tuple(
        replace(d, invariants=tuple(i for i in d.invariants if i.kind != "monotectic"))
        for d in whole.descriptions
    )
    monkeypatch.setattr(claims, "compare", lambda *_, progress: replace(whole, descriptions=fewer))
    found = reproduce()
    assert not found.ok
    (missing,) = (c for c in found.claims if c.verdict == "not computed")
    assert (missing.published.quantity, missing.reason) == (
        "monotectic Li-rich liquid, x(Na)",
        "no monotectic",
    )
    assert missing.digits is None
    assert any("could not be computed: no monotectic" in note for note in found.notes)


def test_the_table_has_it_all(result):
    table = result.to_dataframe()
    assert list(zip(table["assessment"], table["quantity"], strict=True)) == PRINTED
    assert table["where"].str.len().min() > 0
    assert len(json.loads(json.dumps(result.to_dict()))["numbers"]) == len(table)


# -- the command --


class Terminal(io.StringIO):
    """What is printed on a terminal."""

    def isatty(self):
        return True


@pytest.fixture(scope="module")
def written(tmp_path_factory, result):
    """What `lina-calphad reproduce` wrote into an empty folder, and printed."""
    folder = tmp_path_factory.mktemp("reproduce")
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.chdir(folder)
        patch.setattr(claims, "reproduce", lambda _: result)
        cli.main(["reproduce"])
    return folder / "lina-paper", printed.getvalue()


def test_the_command_prints_the_table_and_draws_every_figure(written, result):
    folder, printed = written
    sections = dict(zip(lc.assessments(), printed.split("├")[:2], strict=True))
    for row in result.to_dataframe().to_dict("records"):
        section = sections[row["assessment"]]
        assert f"│ {row['assessment']} " in section
        cells = [f"{row['published']:g} ± {row['tolerance']:g}", row["verdict"]]
        lines = [text for text in section.splitlines() if text.startswith(f"│ {row['quantity']}")]
        assert any(all(f" {cell} " in line for cell in cells) for line in lines)
    assert "our reading: within a quarter" in printed
    assert result.summary in printed
    names = figures.NAMES
    assert [name.split("_")[1] for name in names] == [str(n) for n in range(1, 11)]
    files = {f"{name}.{suffix}" for name in names for suffix in ("png", "svg", "csv")}
    assert {p.name for p in folder.iterdir()} == files | {"numbers.csv", "numbers.json"}
    assert len(pd.read_csv(folder / "numbers.csv")) == len(PRINTED)


@pytest.mark.parametrize(("columns", "standard"), [(80, False), (100, True), (120, True)])
def test_the_table_cuts_no_number_off(result, monkeypatch, columns, standard):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", Terminal())
    command._print(result)
    printed = sys.stdout.getvalue()
    table = [re.sub("\x1b.*?m", "", line) for line in printed.splitlines()]
    table = [line for line in table if line.startswith(("│", "┃"))]
    assert {len(line) for line in table} <= set(range(columns + 1))
    assert "…" not in printed
    assert ("at 298.15 K" in table[0], "2.915e-05" in printed) == (standard, standard)
    numbers = [line.split("│")[2:-1] for line in table if line.startswith("│")]
    published = [cells[0].strip().removeprefix("words: ") for cells in numbers]
    expected = [f"{c.published.value:g} ± {c.published.tolerance:g}" for c in result.claims]
    assert [cell for cell in published if cell] == expected


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


def test_a_figure_that_is_not_there(result):
    with pytest.raises(ValueError, match="no figure is called 'figure_11'; there are figure_1_"):
        figures.figure("figure_11", result.comparison)


def test_a_number_that_differs_is_status_1(folder, result, monkeypatch, capsys):
    first, *others = result.claims
    wrong = replace(result, claims=(replace(first, computed=1.0), *others))
    monkeypatch.setattr(claims, "reproduce", lambda _: wrong)
    status, printed, _ = run(capsys, "reproduce", "--json")
    assert (status, json.loads(printed)["ok"]) == (1, False)
