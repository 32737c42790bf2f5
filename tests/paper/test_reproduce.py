"""The paper's numbers: each that is printed is computed, compared and judged."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace

import pandas as pd
import pytest
from support import run

import lina_calphad as lc
from lina_calphad.data.assessments import Published
from lina_calphad.paper import alloys, claims

PRINTED = [
    (key, published.quantity)
    for key, assessment in lc.assessments().items()
    for published in assessment.published
]


@pytest.fixture(scope="session")
def numbers(paper):
    return claims.compute(paper)


@pytest.fixture(scope="session")
def result(numbers, paper):
    return claims.report(numbers, paper)


def row(numbers, quantity, assessment="santos2025"):
    (found,) = numbers[
        (numbers["quantity"] == quantity) & (numbers["assessment"] == assessment)
    ].itertuples()
    return found


@pytest.mark.parametrize(("key", "quantity"), PRINTED)
def test_every_published_result_is_computed_and_agrees(numbers, key, quantity):
    found = row(numbers, quantity, key)
    if not found.doubt:
        assert found.computed == pytest.approx(found.published, abs=found.tolerance + 1e-9)


@pytest.mark.parametrize(
    ("quantity", "reference"),
    [
        # From pycalphad's map, between the two temperatures that the paper names.
        ("eutectic temperature, abstract", 361.445),
        ("eutectic temperature, text", 361.445),
        # exp[(0L - 1L - B)/RT] is 0.347 at 200 K, the exact fraction 0.121.
        ("coherent Li in Na at 200 K, closed form over exact", 2.87),
        ("coherent Na in Li, <100> over isotropic", 0.0318),
    ],
)
def test_what_is_in_doubt_is_computed_all_the_same(numbers, quantity, reference):
    found = row(numbers, quantity)
    assert found.verdict == "in doubt"
    assert found.computed == pytest.approx(reference, rel=2e-3)


def test_room_temperature_is_either(numbers):
    """What the paper prints at room temperature fits 300 K and 298.15 K, by its tolerances."""
    of_room = numbers[numbers["computed_298.15_K"].notna() & (numbers["our_reading"] == "")]
    standard = of_room["computed_298.15_K"]
    assert len(of_room) == 4
    assert (abs(standard - of_room["published"]) <= of_room["tolerance"]).all()
    assert (standard != of_room["computed"]).all()
    # Rounded to its digits, the coherent solubility fits neither: 3.9 and 3.7.
    both = of_room.set_index("quantity").loc["coherent solubility of Na in Li"]
    assert [round(1e3 * both[c], 1) for c in ("computed", standard.name)] == [3.9, 3.7]


@pytest.mark.parametrize(
    ("computed", "value", "tolerance", "doubt", "verdict"),
    [
        (2.04, 2.0, 0.05, "", "agrees"),
        (2.06, 2.0, 0.05, "", "differs"),
        (9.0, 2.0, 0.05, "stated twice", "in doubt"),
        (None, 2.0, 0.05, "stated twice", "not computed"),
        (16000.0, 16000.0, 0.0, "", "agrees"),
    ],
)
def test_verdicts(computed, value, tolerance, doubt, verdict):
    row = {"computed": computed, "published": value, "tolerance": tolerance, "doubt": doubt}
    assert claims.judged(pd.DataFrame([row]))["verdict"].tolist() == [verdict]


def test_digits_of_agreement():
    row = {"computed": [2.0, 2.002, 2.2, 20.0], "published": 2.0, "tolerance": 0.1, "doubt": ""}
    found = claims.judged(pd.DataFrame(row))["digits"]
    assert found.tolist() == pytest.approx([15, 3, 1, -0.954], abs=1e-3)


def wrong(numbers, paper):
    """The report of a run in which the first number differs."""
    changed = numbers.copy()
    changed.loc[0, ["computed", "verdict"]] = 1.0, "differs"
    return claims.report(changed, paper)


def test_one_difference_makes_a_failure(result, numbers, paper):
    assert result.ok
    assert not wrong(numbers, paper).ok
    summary = wrong(numbers, paper).content["summary"]
    assert summary.startswith("of 12 printed numbers 1 differ, 9 agree, 2 are in doubt")


def test_what_cannot_be_computed_is_a_failure_with_its_reason(paper):
    new = paper.alloys["santos2025"]
    fewer = replace(new)
    # Stands in the place of the cached property.
    fewer.__dict__["invariants"] = tuple(i for i in new.invariants if i.kind != "monotectic")
    changed = alloys.Paper({**paper.alloys, "santos2025": fewer})
    found = claims.report(claims.compute(changed), changed)
    assert not found.ok
    table = found.tables["numbers"]
    (missing,) = table[table["verdict"] == "not computed"].itertuples()
    assert (missing.quantity, missing.reason) == (
        "monotectic Li-rich liquid, x(Na)",
        "no monotectic",
    )
    assert pd.isna(missing.digits)
    assert any("could not be computed: no monotectic" in note for note in found.notes)


def test_another_assessment_changes_nothing(paper, numbers, monkeypatch):
    """The paper is about two: a third one has results of its own."""
    known = lc.assessments()
    third = replace(
        known["santos2025"], key="third", published=(Published("a number", 1.0, 0.1, "1", "here"),)
    )
    more = {"third": third, **known}
    monkeypatch.setattr(claims, "assessments", lambda: more)
    pd.testing.assert_frame_equal(claims.compute(paper), numbers)


def test_the_table_has_it_all(result, numbers):
    assert list(zip(numbers["assessment"], numbers["quantity"], strict=True)) == PRINTED
    assert numbers["where"].str.len().min() > 0
    assert len(json.loads(result.to_json())["numbers"]) == len(numbers)


# -- the command --


class Terminal(io.StringIO):
    """What is printed on a terminal."""

    def isatty(self):
        return True


def test_the_table_has_every_row_in_the_section_of_its_assessment(result, numbers, capsys):
    result.show()
    printed = capsys.readouterr().out
    sections = dict(zip((alloys.OLD, alloys.NEW), printed.split("├")[:2], strict=True))
    for each in numbers.to_dict("records"):
        section = sections[each["assessment"]]
        assert f"│ {each['assessment']} " in section
        cells = [f"{each['published']:g} ± {each['tolerance']:g}", each["verdict"]]
        lines = [text for text in section.splitlines() if text.startswith(f"│ {each['quantity']}")]
        assert any(all(f" {cell} " in line for cell in cells) for line in lines)
    assert "our reading: within a quarter" in printed
    assert result.content["summary"] in printed


@pytest.mark.parametrize(("columns", "standard"), [(80, False), (100, True), (120, True)])
def test_the_table_cuts_no_number_off(result, numbers, monkeypatch, columns, standard):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", Terminal())
    result.show()
    printed = sys.stdout.getvalue()
    table = [re.sub("\x1b.*?m", "", line) for line in printed.splitlines()]
    table = [line for line in table if line.startswith(("│", "┃"))]
    assert {len(line) for line in table} <= set(range(columns + 1))
    assert "…" not in printed
    assert ("at 298.15 K" in table[0], "2.915e-05" in printed) == (standard, standard)
    lines = [line.split("│")[2:-1] for line in table if line.startswith("│")]
    cells = [cells[0].strip().removeprefix("words: ") for cells in lines]
    rows = numbers[["published", "tolerance"]].to_numpy()
    assert [cell for cell in cells if cell] == [f"{value:g} ± {error:g}" for value, error in rows]


def test_existing_results_are_kept(folder, capsys):
    (folder / "lina-paper").mkdir()
    (folder / "lina-paper" / "mine.txt").write_text("mine")
    status, _, error = run(capsys, "reproduce")
    assert status == 2
    assert "lina-paper" in error
    assert [p.name for p in folder.rglob("*")] == ["lina-paper", "mine.txt"]


def test_json_goes_to_standard_output_and_no_figure_is_drawn(folder, result, monkeypatch, capsys):
    monkeypatch.setattr(claims, "reproduce", lambda _: result)
    status, printed, _ = run(capsys, "reproduce", "--json")
    assert (status, json.loads(printed)["ok"]) == (0, True)
    assert list(folder.iterdir()) == []


def test_a_number_that_differs_is_status_1(folder, numbers, paper, monkeypatch, capsys):
    monkeypatch.setattr(claims, "reproduce", lambda _: wrong(numbers, paper))
    status, printed, _ = run(capsys, "reproduce", "--json")
    assert (status, json.loads(printed)["ok"]) == (1, False)
