"""Assessments of any binary side by side."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from support import nothing_outside, run

from lina_calphad.compare.pairs import pair_report
from lina_calphad.errors import UnknownAssessment
from lina_calphad.phase.solution import BinarySolution


@pytest.fixture
def two(folder, example_tdb):
    """Al-Zn, and the same with a stronger interaction in fcc."""
    dbf = example_tdb("alzn_mey.tdb")
    dbf.to_file("mey.tdb", fmt="tdb", if_exists="overwrite")
    text = (folder / "mey.tdb").read_text()
    assert "7297.5" in text
    (folder / "other.tdb").write_text(text.replace("7297.5", "8000.0"))
    return dbf


def test_two_files_of_aluminium_and_zinc(capsys, folder, two):
    status, out, _ = run(
        capsys, "compare", "mey.tdb", "other.tdb", "--components", "AL,ZN", "--phase", "fcc_a1",
        "-T", "550", "--out", "found",
    )  # fmt: skip
    assert status == 0
    table = pd.read_csv(folder / "found" / "comparison.csv").set_index("quantity")
    gap = BinarySolution(two, ("AL", "ZN"), "FCC_A1")
    top = table.loc["chemical critical temperature"]
    assert top["mey"] == pytest.approx(gap.critical_point().T, rel=1e-9)
    assert top["other"] > top["mey"] + 20
    assert table.loc["chemical solubility, Zn in Al", "mey"] == pytest.approx(
        float(gap.binodal(550.0).x_alpha), rel=1e-9
    )
    assert table.loc["eutectic of FCC_A1, LIQUID, HCP_A3", "mey"] == pytest.approx(654.01, abs=0.01)
    assert {p.name for p in (folder / "found").iterdir()} >= {"boundaries.csv", "diagrams.svg"}
    assert "coherent" not in out


def test_no_gap_is_a_note(capsys, two):
    status, out, _ = run(
        capsys, "compare", "mey.tdb", "--components", "AL,ZN", "--phase", "FCC_A1", "-T", "900",
        "--json",
    )  # fmt: skip
    assert status == 0
    assert "no miscibility gap at 900 K" in " ".join(json.loads(out)["notes"])


def test_nothing_lies_outside_the_figure(two):
    report = pair_report(["mey.tdb", "other.tdb"], ("AL", "ZN"), "FCC_A1", 500.0)
    nothing_outside(report.figures["diagrams"]())


@pytest.mark.parametrize(
    "arguments",
    [["--phase", "FCC_A1"], ["--components", "AL,ZN"], ["--components", "AL", "--phase", "FCC_A1"]],
)
def test_options_that_do_not_go_together_are_one_line(capsys, folder, arguments):
    status, _, err = run(capsys, "compare", *arguments)
    assert status == 2
    assert len(err.splitlines()) == 1


def test_nothing_to_compare():
    with pytest.raises(UnknownAssessment, match="name TDB files with AL and ZN"):
        pair_report([], ("AL", "ZN"), "FCC_A1")
