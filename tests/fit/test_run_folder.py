"""The folder of a run: resumed exactly or not at all, one refit at a time, no code from files."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from support import python, run

import lina_calphad as lc
from lina_calphad.data.datasets import read_datasets, write_dataset
from lina_calphad.errors import Interrupted, OutputError, ParameterError
from lina_calphad.fit.folder import LNPROB, STATE, TRACE, RunFolder
from lina_calphad.fit.refit import RefitSettings, refit
from lina_calphad.report import Report

EXACT = RefitSettings(iterations=0)

# What may lie in the folder of a run, and what is said of it.
DAMAGE = {
    "another trace": (TRACE, lambda b: npy(np.zeros((10, 4, 3))), "trace.npy is not as"),
    "half a trace": (TRACE, lambda b: b[:200], "cannot be read"),
    "a flipped bit": (TRACE, lambda b: b[:-9] + bytes([b[-9] ^ 4]) + b[-8:], "trace.npy is not as"),
    "no trace": (TRACE, None, "trace.npy is missing"),
    "another probability": (LNPROB, lambda b: npy(np.zeros((10, 4))), "lnprob.npy is not as"),
    "no state": (STATE, None, "random_state.npz is missing"),
    "no zip": (STATE, lambda b: b"half", "cannot be read"),
    "cut": (STATE, lambda b: b[:-30], "cannot be read"),
    "a wild position": (STATE, lambda b: npz(b, rest=np.array([1e6, 0, 0.0])), "state.npz is not"),
    "few keys": (STATE, lambda b: npz(b, keys=np.zeros(3, np.uint32)), "state.npz is not as"),
    "words": (STATE, lambda b: npz(b, iterations=np.array("four")), "cannot be read"),
    "more iterations": (STATE, lambda b: npz(b, iterations=3), "trace.npy, lnprob.npy is not"),
    "pickles": (STATE, lambda b: npz(b, keys=np.array([{}, None])), "cannot be read"),
    "another seed": ("settings.json", lambda b: b.replace(b'"seed": 0', b'"seed": 1'), "settings"),
    "more chains": ("settings.json", lambda b: b.replace(b'"chains": 10', b'"chains": 12'), "sett"),
    "a seed in words": (
        "settings.json",
        lambda b: b.replace(b'"seed": 0', b'"seed": "0"'),
        "whole",
    ),
    "deep JSON": ("settings.json", lambda b: b"[" * 10**5, "settings.json cannot be read"),
    "a list": ("settings.json", lambda b: b"[1]", "settings.json cannot be read"),
    "no settings": ("settings.json", None, "no run to resume"),
}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(content, **changed):
    file = io.BytesIO()
    with np.load(io.BytesIO(content)) as arrays:
        np.savez(file, **{**arrays, **changed})
    return file.getvalue()


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """A run of four iterations."""
    folder = tmp_path_factory.mktemp("four") / "run"
    refit(RefitSettings(iterations=4), folder)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A chain of twelve iterations that was never interrupted, of which shorter ones are a part."""
    return refit(RefitSettings(iterations=12), tmp_path_factory.mktemp("whole") / "run")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# -- resumed exactly, or not at all --


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_resumed_is_the_same_as_not(tmp_path, whole, number):
    settings = RefitSettings(iterations=12)

    def interrupt(what, done, wanted):
        if what == "sampling" and done == 5:
            os.kill(os.getpid(), number)

    with pytest.raises(Interrupted, match="after 5 of 12 iterations; they are kept"):
        refit(settings, tmp_path / "run", progress=interrupt)
    assert np.load(tmp_path / "run" / TRACE).shape == (10, 5, 2)
    resumed = refit(settings, tmp_path / "run", resume=True)
    assert (resumed.trace == whole.trace).all()
    assert (resumed.lnprob == whole.lnprob).all()


def test_a_finished_run_can_be_made_longer(tmp_path, four, whole):
    shutil.copytree(four, tmp_path / "run")
    longer = refit(RefitSettings(iterations=8), tmp_path / "run", resume=True)
    assert (longer.trace == whole.trace[:, :8]).all()


def test_killed_between_two_files_a_run_goes_on(tmp_path, four, whole):
    shutil.copytree(four, tmp_path / "run")
    refit(RefitSettings(iterations=6), tmp_path / "run", resume=True)
    for name in (LNPROB, STATE):  # the trace alone is of six iterations
        shutil.copy(four / name, tmp_path / "run")
    again = refit(RefitSettings(iterations=8), tmp_path / "run", resume=True)
    assert (again.trace == whole.trace[:, :8]).all()


def test_nothing_is_overwritten(four):
    before = contents(four)
    with pytest.raises(OutputError, match="go on with --resume"):
        refit(EXACT, four)
    assert contents(four) == before


def test_resuming_what_was_not_begun(tmp_path):
    with pytest.raises(ParameterError, match="no run to resume"):
        refit(EXACT, tmp_path / "nowhere", resume=True)


def test_resuming_with_other_settings(four):
    with pytest.raises(ParameterError, match="other settings"):
        refit(RefitSettings(iterations=4, seed=5), four, resume=True)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_run_that_is_not_as_it_was_saved_does_not_go_on(folder, capsys, four, damage):
    name, change, message = DAMAGE[damage]
    shutil.copytree(four, "run")
    path = folder / "run" / name
    if change:
        path.write_bytes(change(path.read_bytes()))
    else:
        path.unlink()
    before = contents(folder / "run")
    status, out, err = run(capsys, "refit", "--resume", "--iterations", "6", "--out", "run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert contents(folder / "run") == before


def test_a_full_disk_leaves_a_run_that_can_go_on(tmp_path, four):
    shutil.copytree(four, tmp_path / "run")
    code = (
        "import resource\n"
        "from lina_calphad.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))\n"
        "main(['refit', '--resume', '--iterations', '20', '--out', 'run'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, text=True, capture_output=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "cannot write run/" in done.stderr
    assert done.stderr.count("\n") == 1
    again = refit(RefitSettings(iterations=4), tmp_path / "run", resume=True)
    assert (again.trace == np.load(four / TRACE)).all()


# -- what a chain rests on --


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A run of data, a start and a model of the user's own."""
    home = tmp_path_factory.mktemp("own")
    write_dataset(read_datasets(["santos2025"])[0], home / "mine.json")
    lc.load("santos2025").to_file(str(home / "mine.tdb"))
    (home / "mine.py").write_text("from lina_calphad.phase.coherent import CoherentModel as Mine\n")
    return home


@pytest.mark.parametrize(
    ("name", "change", "culprit"),
    [
        ("mine.json", ("202.2", "203.2"), r"dataset 1 \(L.C. Pereira dos Santos"),
        ("mine.tdb", ("C11", "C11"), None),
        ("mine.tdb", ("20109.8", "20109.7"), "the start database"),
    ],
)
def test_what_changed_since_a_run_began_is_named(tmp_path, own, name, change, culprit):
    for file in ("mine.json", "mine.tdb"):
        shutil.copy(own / file, tmp_path)
    settings = RefitSettings(
        source=str(tmp_path / "mine.tdb"), data=str(tmp_path / "mine.json"), iterations=4
    )
    refit(settings, tmp_path / "run")
    before, text = contents(tmp_path / "run"), (tmp_path / name).read_text()
    assert change[0] in text
    (tmp_path / name).write_text(text.replace(*change))
    if culprit is None:
        assert refit(settings, tmp_path / "run", resume=True).trace.shape[1] == 4
        return
    with pytest.raises(ParameterError, match=f"since it began, {culprit}.* changed"):
        refit(settings, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == before


def test_another_version_is_named(four, monkeypatch):
    import lina_calphad.fit.setup as setup

    known = setup.version
    monkeypatch.setattr(setup, "version", lambda n: "0.1" if n == "pycalphad" else known(n))
    with pytest.raises(ParameterError, match="began, the version of pycalphad changed"):
        refit(RefitSettings(iterations=4), four, resume=True)


def test_a_posterior_that_is_another_one_is_noticed_whatever_the_hashes_say(tmp_path, four):
    shutil.copytree(four, tmp_path / "run")
    with RunFolder(tmp_path / "run") as folder:
        record = json.loads((tmp_path / "run" / "settings.json").read_text())
        settings = RefitSettings(iterations=4)
        chain = folder.begin(settings, record["inputs"], resume=True)
        chain.lnprob[0, -1] += 0.5
        folder.save(chain)
    before = contents(tmp_path / "run")
    with pytest.raises(ParameterError, match="last sample has the log-probability"):
        refit(RefitSettings(iterations=6), tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == before


# -- one refit at a time --

HOLD = (
    "import sys\n"
    "from lina_calphad.fit.folder import RunFolder\n"
    "with RunFolder('run') as run:\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def test_a_folder_is_one_refits_until_that_ends_or_is_killed(folder, capsys):
    command = [sys.executable, "-c", HOLD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        status, out, err = run(capsys, "refit", "--iterations", "0", "--out", "run")
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert "another refit is at work in run" in err
        other.kill()
    # What it left, its lock, is in nobody's way.
    result = refit(EXACT, folder / "run")
    assert result.degrees_of_freedom == 0


@pytest.mark.parametrize("what", ["removed", "renamed", "replaced"])
def test_a_folder_that_goes_away_meanwhile(tmp_path, what):
    def meddle(doing, done, wanted):
        if doing == "sampling" and done == 3:
            if what == "removed":
                shutil.rmtree(tmp_path / "run")
                return
            (tmp_path / "run").rename(tmp_path / "elsewhere")
            if what == "replaced":
                (tmp_path / "run").mkdir()

    with pytest.raises(OutputError, match="was removed, renamed or replaced while the refit"):
        refit(RefitSettings(iterations=6), tmp_path / "run", progress=meddle)
    if what == "replaced":
        assert list((tmp_path / "run").iterdir()) == []


# -- a file decides nothing about code --

TRAP = "open('executed', 'w').close()\n"


def test_what_lies_in_the_working_folder_is_not_executed(tmp_path, four):
    for name in ("zstandard", "evil", "espei", "lina_calphad"):
        (tmp_path / f"{name}.py").write_text(TRAP + "from pycalphad import Model\n")
    shutil.copytree(four, tmp_path / "run")
    settings = tmp_path / "run" / "settings.json"
    settings.write_text(settings.read_text().replace('"coherent"', '"evil.Model"'))
    code = (
        "import sys\n"
        "from lina_calphad.fit.refit import RefitSettings, refit\n"
        "from lina_calphad.fit.report import report\n"
        "from lina_calphad.cli.main import main\n"
        "report(refit(RefitSettings(iterations=0), 'new')).save('new')\n"
        "try:\n"
        "    main(['refit', '--resume', '--out', 'run'])\n"
        "except SystemExit as stop:\n"
        "    print(stop.code, '.' in sys.path)\n"
    )
    assert python(code, tmp_path) == "2 False"
    assert not (tmp_path / "executed").exists()


def test_a_model_of_the_working_folder_is_taken_where_it_is_named(folder, capsys, own, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr("lina_calphad.fit.report.report", lambda _: Report("report", {}))
    shutil.copy(own / "mine.py", folder)
    (folder / "zstandard.py").write_text(TRAP)
    arguments = ("refit", "--iterations", "4", "--out", "run")
    status, _, err = run(capsys, *arguments, "--model", "mine.Mine")
    assert status == 0, err
    status, _, err = run(capsys, "refit", "--resume", "--out", "run")
    assert (status, err.count("\n")) == (2, 1)
    assert "name it again, as --model mine.Mine" in err
    status, _, err = run(capsys, "refit", "--resume", "--out", "run", "--model", "json.JSONDecoder")
    assert status == 2
    assert "another model" in err
    again = ("refit", "--resume", "--out", "run", "--iterations", "5", "--model", "mine.Mine")
    status, _, err = run(capsys, *again)
    assert status == 0, err
    assert np.load(folder / "run" / TRACE).shape[1] == 5
    assert not (folder / "executed").exists()
