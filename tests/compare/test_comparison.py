"""Assessments side by side, through the function and through the command."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from pycalphad import Database
from support import nothing_outside, run

import lina_calphad as lc
from lina_calphad.compare.figures import figures
from lina_calphad.data.assessments import EXPORTED, MEASURED, short_names, tdb_folder
from lina_calphad.errors import DatabaseError, NoMiscibilityGap, OutsideAssessedRange
from lina_calphad.plots import KINDS
from lina_calphad.text import printable

FILES = {
    f"{name}.{suffix}"
    for name in ("phase_diagram", "arrhenius", "gibbs_energy")
    for suffix in ("csv", "png", "svg")
} | {"comparison.csv", "comparison.json", "lina-run.json"}


@pytest.fixture
def own_tdb(folder):
    """Writes a user's TDB made from a shipped one by replacing text."""

    def write(*replacements, name="my.tdb", source="LiNa_Santos2025.tdb"):
        text = (tdb_folder() / source).read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (folder / name).write_text(text)
        return name

    return write


# -- what the comparison says --


def test_values_are_those_of_the_solutions(comparison, bcc):
    row = comparison["coherent_li_in_na"]
    expected = bcc("santos2025", "coherent").binodal(300.0).ln_one_minus_x_beta
    assert row.values[1] == pytest.approx(np.exp(float(expected)), rel=1e-12)
    assert (row.values[0], row.reasons) == (None, ("no gap", "", ""))


def test_every_measured_value_has_its_row(comparison):
    shown = comparison.quantities.query("measured_by != ''").set_index("quantity")
    assert shown["measured"].to_dict() == {p.quantity: p.value for p in MEASURED}
    assert shown["measured_by"].to_dict() == {p.quantity: p.where for p in MEASURED}


def test_ratios_of_fractions_and_differences_of_temperatures(comparison):
    first, *others = comparison["chemical_na_in_li"].values
    assert comparison["chemical_na_in_li"].changes == tuple(x / first for x in others)
    first, *others = comparison["eutectic_temperature"].values
    assert comparison["eutectic_temperature"].changes == tuple(T - first for T in others)


def test_to_dict_survives_json(comparison):
    again = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    (row,) = (r for r in again["rows"] if r["key"] == "coherent_na_in_li")
    assert row["values"]["zhang2003"] is None
    assert row["missing"] == {"zhang2003": "no gap"}


def test_curves_behind_the_figures(comparison):
    diagram = comparison.diagram
    assert set(diagram["kind"]) == set(KINDS)
    assert diagram["T"].max() == comparison["eutectic_temperature"].values[-1]
    dome = diagram.query("assessment == 'zhang2003' and kind == 'coherent binodal'")
    assert dome["T"].max() == pytest.approx(205.922, abs=1e-3)
    assert dome["x_alpha"].iloc[-1] == dome["x_beta"].iloc[-1] == pytest.approx(0.5, abs=1e-6)
    assert np.abs(np.diff(dome["x_alpha"])).max() < 0.03  # a smooth top
    mixing = comparison.gibbs.query("assessment == 'santos2025' and kind == 'coherent'")
    assert mixing["gibbs_energy_of_mixing"].iloc[[0, -1]].tolist() == [0, 0]


def test_the_li_side_shows_its_branch_alone(comparison):
    whole, li_side = figures(comparison)["phase_diagram"].axes
    assert len(whole.lines) == 2 * len(li_side.lines)
    for line in li_side.lines:
        x = line.get_xdata()
        assert x.min() <= 0.05
        assert (np.diff(x) >= 0).all()


@pytest.mark.parametrize("name", ["phase_diagram", "arrhenius", "gibbs_energy"])
def test_nothing_is_drawn_outside(comparison, name):
    nothing_outside(figures(comparison)[name])


def test_figures_separate_assessment_from_kind(comparison):
    figure = figures(comparison)["phase_diagram"]
    lines = figure.axes[0].lines
    styles = {(line.get_color(), line.get_linestyle()) for line in lines}
    assert len(styles) == len(comparison.names) * len(KINDS)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [*comparison.names, *KINDS]
    for drawn in figures(comparison).values():
        for axes in drawn.axes:
            assert axes.get_xlabel()


def test_extrapolation_is_a_warning_and_a_note():
    with pytest.warns(OutsideAssessedRange, match="zhang2003 is assessed from 200 to 2300 K"):
        result = lc.compare(["zhang2003", "santos2025"], T=150.0)
    assert "extrapolated" in result.notes[0]


def test_three_assessments(own_tdb):
    name = own_tdb(("5772.6", "6000"))
    result = lc.compare(["zhang2003", "santos2025", name])
    assert result.names == ("zhang2003", "santos2025", "my")
    row = result["chemical_na_in_li"]
    assert len(row.changes) == 2
    assert row.values[2] < row.values[1]
    assert "my has no elastic constants: all of LiNa_elastic.tdb is used" in result.notes
    assert len(figures(result)["phase_diagram"].legends[0].get_texts()) == 7


def test_files_of_one_name_are_told_apart(own_tdb, folder):
    (folder / "other").mkdir()
    names = [own_tdb(), own_tdb(name="other/my.tdb")]
    assert lc.compare(names).names == ("my.tdb", "other/my.tdb")


def test_elastic_data_of_its_own_are_used(folder):
    dbf = lc.load("santos2025")
    lithium = lc.CubicElasticity(13.5, 11.4, 8.8)
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume={}, elasticity={"LI": lithium})
    dbf.to_file("soft.tdb")
    result = lc.compare(["santos2025", "soft.tdb"])
    row = result["coherent_na_in_li"]
    assert row.values[1] < row.values[0] / 10
    assert not any("elastic" in note for note in result.notes)


def test_a_tdb_without_liquid(folder):
    dbf = lc.load("santos2025")
    del dbf.phases["LIQUID"]
    dbf._parameters.remove(lambda p: p["phase_name"] == "LIQUID")
    dbf.to_file("solid.tdb")
    result = lc.compare(["zhang2003", "solid.tdb"])
    assert result["eutectic_temperature"].reasons == ("", "no eutectic")
    assert result["liquid_critical_temperature"].reasons == ("", "no liquid")
    assert "solid has no LIQUID: no invariants" in result.notes


def test_fractions_below_the_smallest_double_are_powers_of_ten():
    with pytest.warns(OutsideAssessedRange):
        row = lc.compare(["zhang2003", "santos2025"], T=1.0)["chemical_na_in_li"]
    assert row.values == (None, None)
    # (0L + 1L)/(R T ln 10): the dilute limit is exact here.
    assert row.reasons[1] == f"10^{-(20109.8 + 5772.6) / 8.3145 / np.log(10):.1f}"


def test_above_the_eutectic_bcc_is_metastable():
    with pytest.warns(OutsideAssessedRange):
        notes = lc.compare(T=400.0).notes
    assert "bcc is metastable at 400 K in zhang2003: liquid forms above 360.2 K" in notes


def test_one_source_alone():
    comparison = lc.compare("santos2025")
    assert comparison.names == ("santos2025",)
    with pytest.raises(KeyError, match="nothing"):
        comparison["nothing"]


def test_a_gap_open_at_the_end_of_the_search_is_no_obstacle(own_tdb):
    name = own_tdb(("+20109.8", "+5000+20*T"))
    result = lc.compare(["santos2025", name])
    row = result["chemical_critical_temperature"]
    assert row.values[1] is None
    assert "still open" in row.reasons[1]
    assert figures(result)


def test_several_gaps_are_a_reason_not_a_failure(own_tdb):
    name = own_tdb(
        ("+20109.8; 3000 N", "0; 3000 N"),
        ("BCC_A2,LI,NA:VA;1", "BCC_A2,LI,NA:VA;4"),
        ("+5772.6", "+30000"),
    )
    row = lc.compare(["santos2025", name])["chemical_na_in_li"]
    assert row.values[1] is None
    assert "2 separate ranges" in row.reasons[1]


# -- the command --


def test_compare_prints_and_writes(capsys, folder):
    status, out, err = run(capsys, "compare")
    assert (status, err.strip()) == (0, "")
    for text in (
        "zhang2003",
        "santos2025",
        "3.109e-05",
        "no gap",
        "205.92",
        "365.25",
        "lina-results",
    ):
        assert text in out
    assert "…" not in out
    assert {p.name for p in (folder / "lina-results").iterdir()} == FILES
    table = pd.read_csv(folder / "lina-results" / "comparison.csv").set_index("key")
    assert table.loc["chemical_na_in_li", "santos2025"] == pytest.approx(3.10881e-5, rel=1e-5)


def test_nothing_is_overwritten_unasked(capsys, folder):
    (folder / "out").mkdir()
    (folder / "out" / "notes.txt").write_text("mine")
    status, out, err = run(capsys, "compare", "zhang2003", "--out", "out")
    assert (status, out) == (2, "")
    assert "out exists already: choose another place, or --overwrite" in err
    assert run(capsys, "compare", "zhang2003", "--out", "out", "--overwrite")[0] == 0
    assert (folder / "out" / "notes.txt").read_text() == "mine"


def test_json_is_all_of_stdout_and_writes_nothing(capsys, folder):
    status, out, _ = run(capsys, "compare", "--json", "-T", "298.15")
    assert status == 0
    assert json.loads(out)["temperature"] == 298.15
    assert list(folder.iterdir()) == []
    status, out, _ = run(capsys, "compare", "zhang2003", "--json", "--out", "out")
    assert json.loads(out)["assessments"] == ["zhang2003"]
    assert {p.name for p in (folder / "out").iterdir()} == FILES


def test_list_names_what_is_not_known(capsys):
    status, out, _ = run(capsys, "list")
    assert status == 0
    assert "10.1016/j.calphad.2003.09.001" in out
    assert "could not be seen" in " ".join(out.split())


def test_export_writes_a_plain_tdb(capsys, folder):
    status, out, _ = run(capsys, "export", "santos2025", "plain.tdb", "--plane", "1", "1", "1")
    assert (status, out) == (0, "wrote plain.tdb\n")
    solution = lc.BinarySolution(Database("plain.tdb"), ("LI", "NA"), "BCC_A2")
    assert float(solution.spinodal(300.0).x_alpha) == pytest.approx(0.057952, abs=1e-6)


@pytest.mark.parametrize("command", [[], ["compare"], ["list"], ["export"]])
def test_help_teaches_by_example(capsys, command):
    status, out, _ = run(capsys, *command, "--help")
    assert status == 0
    assert "Example" in out
    assert "lina-calphad" in out.split("Example")[1]


def test_no_command_shows_the_help(capsys):
    status, out, _ = run(capsys)
    assert status == 0
    assert "compare" in out


# -- bad input: one line on stderr, exit status 2, nothing left behind --

BAD = [
    (["compare", "nope"], "no assessment is called 'nope'; there are zhang2003, santos2025"),
    (["compare", "santos"], "did you mean santos2025?"),
    (["compare", "nope.tdb"], "there is no TDB file nope.tdb"),
    (["compare", "zhang2003", "zhang2003"], "zhang2003 is named twice"),
    (["compare", "nope", "--out", "a/b/c"], "no assessment is called 'nope'"),
    (["compare", "some/where"], "there is no TDB file some/where"),
    (["compare", "-T", "0"], "positive, finite number of kelvin; got 0"),
    (["compare", "-T", "nan"], "'nan' is no number such as 300K or 25C"),
    (["compare", "-T", "inf"], "'inf' is no number such as 300K or 25C"),
    (["compare", "-T", "-3"], "positive, finite number of kelvin; got -3"),
    (["compare", "-T", "warm"], "'warm' is no number such as 300K or 25C"),
    (["compare", "-T", "5000"], "5000 K is outside the range of every assessment"),
    (["compare", "-T", "1500"], "no miscibility gap at 1500 K in zhang2003, santos2025"),
    (["compare", "--out", "file"], "cannot write to file"),
    (["compare", "--out", "file/below"], "cannot write to file/below"),
    (["compare", "--fast"], "No such option"),
    (["compare", "-T", "50"], "'50' has no unit: write it as in 300K or 25C"),
    (["compare", "-T", "4000C"], "4273.15 K (4000C) is outside the range"),
    (["export", "santos2025", ".", "--overwrite"], ". is a folder, and no file replaces it"),
    (["export", "santos2025", "file", "--overwrite"], "file was not written by this program"),
    (["export", "santos2025", "file"], "file exists already"),
    (
        ["export", "santos2025", "x.tdb", "--plane", "0", "0", "0"],
        "three Miller indices, not all zero",
    ),
    (["export", "santos2025"], "Missing argument 'FILE'"),
    (["explode"], "No such command 'explode'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input(capsys, folder, arguments, message):
    (folder / "file").write_text("mine")
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert err.startswith("lina-calphad: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert [p.name for p in folder.iterdir()] == ["file"]


BAD_TDB = [
    (
        [("PARAMETER G(BCC_A2,LI,NA:VA;1)", "PARAMETER G(BCC_A2,LI,NA:VA;1")],
        "cannot be read as a TDB",
    ),
    ([("ELEMENT NA ", "ELEMENT K "), ("LI,NA", "LI,K"), (",NA", ",K")], "my.tdb has no element NA"),
    ([("BCC_A2", "BCC_B2")], "my.tdb has no phase BCC_A2; it has BCC_B2, FCC_A1, HCP_A3, LIQUID"),
    ([("+20109.8", "-20109.8"), ("+5772.6", "0")], "my: BCC_A2 has no miscibility gap"),
    (
        [("$ LI-NA", EXPORTED)],
        "has coherency in it already",
    ),
    ([("BCC_A2 :LI,NA:VA:", "BCC_A2 :VA:VA:")], "BCC_A2"),
]


@pytest.mark.parametrize(("replacements", "message"), BAD_TDB)
def test_bad_tdb_files(capsys, own_tdb, folder, replacements, message):
    name = own_tdb(*replacements)
    status, out, err = run(capsys, "compare", "zhang2003", name)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert [p.name for p in folder.iterdir()] == [name]


def test_text_that_is_no_tdb_at_all(capsys, folder):
    (folder / "letter.tdb").write_text("Dear editor,\n")
    status, _, err = run(capsys, "compare", "letter.tdb")
    assert status == 2
    assert err.count("\n") == 1


ODD = ["[red]x.tdb", "a[/b].tdb", "a$b^$c.tdb", r"$\frac$.tdb", "b\udcff.tdb", "e\x1b[31m.tdb"]


def test_odd_file_names(capsys, own_tdb, folder):
    (folder / "a[").mkdir()
    names = [own_tdb(name=name) for name in ODD]
    status, out, _ = run(capsys, "compare", *names, "--json", "--out", "out")
    assert status == 0
    shown = [printable(name.removesuffix(".tdb").split("/")[-1]) for name in ODD]
    assert json.loads(out)["assessments"] == shown
    assert {p.name for p in (folder / "out").iterdir()} == FILES
    assert list(pd.read_csv(folder / "out" / "comparison.csv").columns[4:10]) == shown


def test_names_that_look_alike_are_told_apart(own_tdb):
    names = [own_tdb(name=name) for name in ("b\udcff.tdb", "b\udcfe.tdb")]
    assert short_names(names) == ["b\ufffd 1", "b\ufffd 2"]


def test_an_interrupt_leaves_no_results(capsys, folder, monkeypatch):
    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr("lina_calphad.diagram.alloy.BinarySystem", interrupted)
    status, _, _err = run(capsys, "compare")
    assert status == 130
    assert list(folder.iterdir()) == []


def test_errors_reach_a_python_user_as_their_own_types(own_tdb):
    with pytest.raises(DatabaseError):
        lc.compare(["nope.tdb"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideAssessedRange)
        with pytest.raises(NoMiscibilityGap):
            lc.compare(T=1400.0)
    with pytest.raises(OutsideAssessedRange):
        lc.compare(T=4000.0)
