"""Results on disk: nothing is lost, nothing is mixed, nothing is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from support import run

from lina_calphad.errors import OutputError
from lina_calphad.output import INCOMPLETE, RECORD, ResultsFolder, results_folder, write_text


def put(folder, command="compare", *, names=("a.csv",), text="new", **options):
    """What a command does that writes these files."""
    place = ResultsFolder(folder, command, **options)
    with place.writing() as files:
        for name in names:
            (files / name).parent.mkdir(exist_ok=True)
            (files / name).write_text(text)
    return place


def tree(folder):
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text() for p in files}


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# -- what may be replaced --


def test_a_run_is_recorded_with_its_files(out):
    put(out, "anode", names=["a.csv", "sub/b.csv"], arguments=["anode", "--x0", "0.03"])
    record = json.loads((out / RECORD).read_text())
    assert record["made_by"].startswith("lina-calphad ")
    assert (record["command"], record["arguments"]) == ("anode", ["anode", "--x0", "0.03"])
    assert list(record["files"]) == ["a.csv", "sub/b.csv"]
    assert names(out) == ["a.csv", RECORD, "sub"]


def test_the_default_folder_is_refreshed_and_others_are_not(out):
    put(out, text="old")
    with pytest.raises(OutputError, match="out exists already: choose another place"):
        put(out)
    with pytest.raises(OutputError, match="exists already"):
        put(out, "anode", refresh=True)
    assert put(out, refresh=True).replaces
    assert (out / "a.csv").read_text() == "new"


def test_a_result_that_was_changed_is_not_refreshed(out):
    put(out)
    (out / "a.csv").write_text("my notes in it")
    with pytest.raises(OutputError, match=r"a\.csv was changed since it was written"):
        put(out, refresh=True)
    assert (out / "a.csv").read_text() == "my notes in it"
    put(out, overwrite=True)
    assert (out / "a.csv").read_text() == "new"


def test_a_folder_belongs_to_one_run(out):
    put(out, "anode", names=["a.csv", "old.csv", "sub/b.csv", "edited.csv"])
    (out / "mine.txt").write_text("mine")
    (out / "edited.csv").write_text("mine, too")
    place = put(out, "compare", overwrite=True)
    assert place.kept == ["edited.csv"]
    assert names(out) == ["a.csv", "edited.csv", RECORD, "mine.txt"]
    assert list(json.loads((out / RECORD).read_text())["files"]) == ["a.csv"]


@pytest.mark.parametrize("names", [["a.csv"], ["b.csv", "a.csv"], ["sub/a.csv"]])
def test_files_and_folders_of_others_stay_even_if_asked(out, names):
    (out / "a.csv").mkdir(parents=True)
    (out / "a.csv" / "deep.csv").write_text("mine")
    (out / "sub").mkdir()
    (out / "sub" / "a.csv").write_text("mine")
    before = tree(out)
    with pytest.raises(OutputError, match=r"is a folder|was not made by a run"):
        put(out, names=names, overwrite=True)
    assert tree(out) == before


def test_a_file_in_the_place_of_a_folder_stays(out):
    out.mkdir()
    (out / "sub").write_text("mine")
    with pytest.raises(OutputError, match="sub is a file, and no folder replaces it"):
        put(out, names=["sub/a.csv"], overwrite=True)
    assert tree(out) == {"sub": "mine"}


@pytest.mark.parametrize(
    "record",
    [
        "no JSON", "[1]", '{"files": {"../mine.csv": "x"}}', "[" * 100_000,
        '{"made_by": "lina-calphad 1", "command": "compare", "files": {"../mine.csv": "HASH"}}',
        '{"made_by": "lina-calphad 1", "command": "compare", "files": {"/mine.csv": ["HASH"]}}',
    ],
)  # fmt: skip
def test_a_record_cannot_reach_out_of_its_folder(out, record):
    from hashlib import sha256

    out.mkdir()
    mine = out.parent / "mine.csv"
    mine.write_text("mine")
    (out / RECORD).write_text(record.replace("HASH", sha256(b"mine").hexdigest()))
    put(out, overwrite=True)
    assert mine.read_text() == "mine"


def test_a_link_is_replaced_and_not_what_it_points_to(out):
    put(out)
    (out.parent / "mine.csv").write_text("new")
    (out / "a.csv").unlink()
    (out / "a.csv").symlink_to(out.parent / "mine.csv")
    put(out, overwrite=True, text="newer")
    assert (out.parent / "mine.csv").read_text() == "new"


# -- one file --


@pytest.mark.parametrize("mark", ["", "ours"])
def test_a_file_never_replaces_a_folder(tmp_path, mark):
    (tmp_path / "proj" / "src").mkdir(parents=True)
    (tmp_path / "proj" / "src" / "a.txt").write_text("mine")
    with pytest.raises(OutputError, match="proj is a folder, and no file replaces it"):
        write_text(tmp_path / "proj", "text", overwrite=True, mark=mark)
    assert tree(tmp_path) == {"proj/src/a.txt": "mine"}


def test_a_file_without_our_mark_stays(tmp_path):
    file = tmp_path / "a.tdb"
    file.write_text("mine")
    with pytest.raises(OutputError, match="was not written by this program"):
        write_text(file, "ours: new", overwrite=True, mark="ours")
    file.write_text("ours: old")
    write_text(file, "ours: new", overwrite=True, mark="ours")
    assert file.read_text() == "ours: new"


@pytest.mark.parametrize("arguments", [["export", "santos2025"], ["dataset", "cells.csv", "--out"]])
def test_commands_never_replace_a_folder(capsys, folder, arguments):
    (folder / "proj.json" / "src").mkdir(parents=True)
    (folder / "proj.json" / "src" / "a.txt").write_text("mine")
    (folder / "cells.csv").write_text(
        "name,energy_ev,li,na\nLi,-243.2,128,0\nNa,-167.4,0,128\nLi127Na,-242.3,127,1\n"
    )
    before = tree(folder)
    status, _, err = run(capsys, *arguments, "proj.json", "--overwrite")
    assert status == 2
    assert "proj.json is a folder, and no file replaces it" in err
    assert tree(folder) == before


# -- failures, interrupts and kills --


@pytest.mark.parametrize("where", ["out", "new/deep"])
def test_a_failure_leaves_what_was_there(out, where):
    put(out, text="old")
    before = tree(out.parent)

    def fail():
        with ResultsFolder(out.parent / where, "compare", overwrite=True).writing() as files:
            (files / "a.csv").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert tree(out.parent) == before
    assert names(out.parent) == ["out"]


KILLED = """
import os, signal, sys
from pathlib import Path
from lina_calphad.output import ResultsFolder
moves, replace = 0, Path.replace
def killed(self, target):
    global moves
    moves += 1
    if moves == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = killed
with ResultsFolder(sys.argv[1], "compare", overwrite=True).writing() as files:
    for name in ("a.csv", "b.csv"):
        (files / name).write_text("new")
"""


@pytest.mark.parametrize("move", [1, 2, 3, 4])
def test_killed_between_two_renames_a_mixture_is_marked_and_mended(out, move):
    put(out, names=["a.csv", "b.csv", "old.csv"], text="old")
    command = [sys.executable, "-c", KILLED, str(out), str(move)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    there = tree(out)
    mixed = len({there["a.csv"], there["b.csv"]}) > 1 or there["a.csv"] == "new"
    assert (INCOMPLETE in there) >= mixed
    if INCOMPLETE in there:
        assert "old and new ones are mixed" in there[INCOMPLETE]
        put(out, names=["a.csv", "b.csv"], text="newer")  # it need not be asked for
    else:
        put(out, names=["a.csv", "b.csv"], text="newer", overwrite=True)
    assert names(out) == ["a.csv", "b.csv", RECORD]
    assert (out / "a.csv").read_text() == (out / "b.csv").read_text() == "newer"


def test_what_a_killed_run_left_is_no_result_and_goes(out):
    (out / ".lina-abc").mkdir(parents=True)
    (out / ".lina-abc" / "a.csv").write_text("half")
    (out / ".lina-lock").write_text("")
    put(out)
    assert names(out) == ["a.csv", RECORD]


def test_two_runs_do_not_write_at_once(out, monkeypatch):
    monkeypatch.setattr("lina_calphad.output._PATIENCE", 0.1)
    with ResultsFolder(out, "compare").writing():
        code = (
            "from lina_calphad import output; output._PATIENCE = 0.1\n"
            f"with output.results_folder({str(out)!r}, ['b.csv']): pass"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"another run is writing to" in done.stderr
    with results_folder(out, ["b.csv"]):
        pass


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_command_exits_as_documented_and_leaves_nothing(tmp_path, stop):
    code = (
        "import os, signal, threading\n"
        "import lina_calphad.cli.main as c, lina_calphad.diagram.alloy as a\n"
        # A shell makes what it runs in the background deaf to it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def stopped(*given):\n"
        f"    os.kill(os.getpid(), {int(stop)})\n"
        "    threading.Event().wait(30)\n"
        "a.BinarySolution = stopped\n"
        "c.main(['compare', '--out', 'new'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_values_are_checked_before_a_folder_is_made(capsys, folder):
    run(capsys, "compare", "-T", "5000", "--out", "new")
    assert list(folder.iterdir()) == []
