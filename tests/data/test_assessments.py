"""An assessment is one TDB and one block of TOML, and everything works on it."""

from __future__ import annotations

import shutil

import pytest
from support import run

import lina_calphad as lc
from lina_calphad.data import assessments as module
from lina_calphad.data.assessments import (
    COMPONENTS,
    compared,
    range_notes,
    read,
    short_names,
    tdb_folder,
)
from lina_calphad.data.interactions import free_interactions
from lina_calphad.errors import (
    DatabaseError,
    OutsideAssessedRange,
    UnknownAssessment,
    UnsupportedPhase,
)

BLOCK = """
[assessments.third]
title = "A third one"
citation = "Nobody 2030"
file = "LiNa_Third.tdb"
temperature_range = [250, 900]
basis = "the paper's, with another number"
recommended_for = "this test"
published = [{quantity = "bcc 0L", value = 18000, tolerance = 1, unit = "J/mol", where = "here"}]
"""


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of assessments of our own, in place of the shipped one."""
    folder = tmp_path / "tdb"
    shutil.copytree(tdb_folder(), folder)
    monkeypatch.setattr(module, "tdb_folder", lambda: folder)
    return folder


@pytest.fixture
def third(shipped):
    text = (shipped / "LiNa_Santos2025.tdb").read_text()
    assert "+20109.8" in text
    (shipped / "LiNa_Third.tdb").write_text(text.replace("+20109.8", "+18000.0"))
    with (shipped / "assessments.toml").open("a") as file:
        file.write(BLOCK)
    return shipped


def test_a_third_assessment_needs_no_python(third, folder, capsys):
    assert list(lc.assessments()) == ["zhang2003", "santos2025", "lina2026", "third"]
    found = lc.assessments()["third"]
    assert found.files == ("LiNa_Third.tdb", "LiNa_elastic.tdb")
    assert (found.temperature_range, found.published[0].value) == ((250.0, 900.0), 18000)
    assert free_interactions(lc.load("third"), "BCC_A2", COMPONENTS)[1]["BCCL0"] == 18000
    status, out, _ = run(capsys, "list")
    assert status == 0
    assert "third" in out
    assert "LiNa_Third.tdb" in out
    status, out, err = run(capsys, "compare", "third", "santos2025", "--json")
    assert status == 0, err
    assert '"third"' in out
    assert range_notes(300, ["third"]) == []


def test_what_is_compared_by_default_is_in_the_table(third):
    assert compared() == ("zhang2003", "santos2025", "lina2026")
    text = (third / "assessments.toml").read_text()
    before = 'compared = ["zhang2003", "santos2025", "lina2026"]'
    (third / "assessments.toml").write_text(text.replace(before, 'compared = ["third"]'))
    module._table.cache_clear()
    assert compared() == ("third",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('doi = "10', 'dio = "10', "unexpected keyword argument 'dio'"),
        ('file = "LiNa_Zhang2003.tdb"\n', "", "there is no entry 'file'"),
        ('compared = ["zhang', 'compared = ["zhong', "zhong2003 is compared and not there"),
        ("[assessments.zhang2003]", "[assessments.zhang2003", "Expected ']'"),
    ],
)
def test_a_fault_in_the_table_is_named(shipped, old, new, said):
    text = (shipped / "assessments.toml").read_text()
    assert old in text
    (shipped / "assessments.toml").write_text(text.replace(old, new))
    with pytest.raises(DatabaseError, match=rf"assessments\.toml cannot be used: .*{said}"):
        lc.assessments()


@pytest.mark.parametrize("key", lc.assessments())
def test_every_entry_is_complete(key):
    assessment = lc.assessments()[key]
    assert assessment.key == key
    assert all((tdb_folder() / name).is_file() for name in assessment.files)
    assert assessment.temperature_range[0] < assessment.temperature_range[1]
    assert assessment.basis
    if key != "lina2026":  # its liquid is its own, and it is not published elsewhere
        assert assessment.published
        assert "could not be seen" in assessment.basis  # the provenance of the liquid


def test_an_unknown_key_says_which_exist():
    there = r"zhang2003, santos2025, lina2026; did you mean santos2025"
    with pytest.raises(UnknownAssessment, match=there):
        lc.load("santos")


# Files of one's own


@pytest.fixture
def own(tmp_path):
    """A TDB of one's own: that of Zhang with something replaced."""

    def write(old="", new=""):
        text = (tdb_folder() / "LiNa_Zhang2003.tdb").read_text()
        assert old in text
        (tmp_path / "my.tdb").write_text(text.replace(old, new))
        return tmp_path / "my.tdb"

    return write


def test_a_file_without_elastic_data_takes_the_shipped_ones_and_says_so(own):
    dbf, origin = read(own())
    assert origin.source == "my.tdb"
    assert origin.elastic == "my has no elastic constants: all of LiNa_elastic.tdb is used"
    assert lc.CoherentModel(dbf, ["LI", "NA", "VA"], "BCC_A2").coherency
    assert read("zhang2003")[1].elastic == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # in the liquid alone, where no bcc is compiled
        ("GHSERNA+2581.02", "GHSERNX+2581.02", "LIQUID needs GHSERNX, which cannot be resolved"),
        ("GHSERNA+2581.02", "GHSERNA+GLIQNA", "LIQUID needs GLIQNA, .* or in a circle"),
        ("FUNCTION GHSERLI", "FUNCTION GHSERXX", "BCC_A2 needs GHSERLI"),
    ],
)
def test_functions_that_are_not_there_stop_every_reader(own, old, new, said):
    with pytest.raises(UnsupportedPhase, match=said):
        read(own(old, new))


@pytest.mark.parametrize("command", [["compare"], ["refit", "--start"], ["export"]])
def test_and_every_command(own, folder, capsys, command):
    file = own("GHSERNA+2581.02", "GHSERNX+2581.02")
    out = ["out.tdb"] if command == ["export"] else []
    status, _, err = run(capsys, *command, file, *out)
    assert status == 2
    assert "LIQUID needs GHSERNX, which cannot be resolved: undefined, or in a circle" in err
    assert [path.name for path in folder.iterdir()] == ["my.tdb"]


def test_what_is_missing_is_named(own, tmp_path):
    with pytest.raises(DatabaseError, match=r"my\.tdb has no phase BCC_A2; it has"):
        read(own("BCC_A2", "BCC_A3"))
    with pytest.raises(DatabaseError, match=r"there is no TDB file none\.tdb"):
        read("none.tdb")
    with pytest.raises(UnknownAssessment, match="no assessment is called 'none'"):
        read("none")
    with pytest.raises(DatabaseError, match="santos2025 is named twice"):
        short_names(["santos2025", "santos2025"])


def test_temperatures_outside_the_range():
    with pytest.warns(OutsideAssessedRange, match="extrapolated"):
        assert len(range_notes(500, ["zhang2003", "santos2025"])) == 1
    with pytest.raises(OutsideAssessedRange, match="outside the range of every assessment"):
        range_notes(500, ["santos2025"])
