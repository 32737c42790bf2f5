"""Refits that share their work by Dask, and what becomes of them when parts of the cluster go."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from lina_calphad.errors import SchedulerError
from lina_calphad.fit.cluster import cluster
from lina_calphad.fit.folder import TRACE
from lina_calphad.fit.refit import RefitSettings, refit

COMMAND = Path(sys.executable).parent / "lina-calphad"


def test_a_local_cluster_gives_the_same_chain(tmp_path):
    settings = RefitSettings(iterations=4)
    alone = refit(settings, tmp_path / "alone")
    shared = refit(settings, tmp_path / "shared", scheduler="dask", cores=1)
    assert (alone.trace == shared.trace).all()


def test_workers_of_many_threads_give_the_same_chain(tmp_path):
    # The likelihood is one object, into which each thread would put its own parameters.
    file = tmp_path / "scheduler.json"
    with LocalCluster(
        n_workers=1, threads_per_worker=4, processes=False, dashboard_address="127.0.0.1:0"
    ) as local:
        file.write_text(json.dumps({"address": local.scheduler_address}))
        shared = refit(RefitSettings(iterations=4), tmp_path / "shared", scheduler=str(file))
    alone = refit(RefitSettings(iterations=4), tmp_path / "alone")
    assert (shared.lnprob == alone.lnprob).all()
    assert (shared.trace == alone.trace).all()


@pytest.mark.slow
def test_a_running_cluster_gives_the_same_chain(tmp_path):
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--scheduler-file", str(file), "--port", "0", "--no-dashboard",
         "--host", "127.0.0.1"], **quiet,
    )  # fmt: skip
    worker = subprocess.Popen(
        [*dask, "worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard"],
        **quiet,
    )
    try:
        for _ in range(300):
            if file.exists():
                break
            time.sleep(0.1)
        settings = RefitSettings(iterations=4)
        shared = refit(settings, tmp_path / "shared", scheduler=str(file))
        assert (shared.trace == refit(settings, tmp_path / "alone").trace).all()
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait(20)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no scheduler file"),
        ("{}", "no scheduler file"),
        ("null", "no scheduler file"),
        ('{"address": 5}', "no scheduler file"),
        ("[" * 100_000, "no scheduler file"),
        ('{"address": "tcp://127.0.0.1:9"}', "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_an_unreachable_scheduler(tmp_path, text, message, monkeypatch):
    monkeypatch.setattr("lina_calphad.fit.cluster._SECONDS_TO_CONNECT", 1)
    file = tmp_path / "scheduler.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SchedulerError, match=message), cluster(str(file)):
        pass


def test_a_cluster_without_workers(tmp_path, monkeypatch):
    monkeypatch.setattr("lina_calphad.fit.cluster._SECONDS_TO_CONNECT", 1)
    local = LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0")
    with local:
        file = tmp_path / "scheduler.json"
        file.write_text(json.dumps({"address": local.scheduler_address}))
        with pytest.raises(SchedulerError, match="no workers"), cluster(str(file)):
            pass


# -- real processes, and signals to them --


@pytest.fixture
def start(tmp_path):
    """Start a program in a process group of its own; all of them are ended."""
    with contextlib.ExitStack() as stack:

        def begin(*command):
            log = stack.enter_context((tmp_path / f"{Path(command[0]).name}.log").open("a+"))
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            process.log = log

            def end():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

            stack.callback(end)
            return process

        yield begin


@pytest.fixture
def dask_cluster(tmp_path, start):
    """A scheduler and one worker."""
    dask, file = COMMAND.parent / "dask", tmp_path / "scheduler.json"
    scheduler = start(dask, "scheduler", "--scheduler-file", file, "--port", "0", "--no-dashboard")
    until(file.exists)
    return scheduler, start(dask, "worker", "--scheduler-file", file, "--no-dashboard")


def until(condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError


def sampled(process, folder):
    """Wait for the first samples of a refit."""
    until(lambda: (folder / TRACE).exists() or process.poll() is not None)
    assert process.poll() is None, (process.log.seek(0), process.log.read())


def left(group):
    """Processes of a group that are not yet done."""
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    lines = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [line for line in lines if line[0] == str(group) and line[1][0] != "Z"]


def last_line(process):
    process.log.seek(0)
    return process.log.read().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["worker", "scheduler"])
def test_a_cluster_that_goes_ends_the_run_and_keeps_the_chain(tmp_path, start, dask_cluster, lost):
    refitting = start(
        COMMAND, "refit", "--iterations", 5000, "--out", "run", "--scheduler", "scheduler.json"
    )
    sampled(refitting, tmp_path / "run")
    os.killpg(dask_cluster[["scheduler", "worker"].index(lost)].pid, signal.SIGKILL)
    assert refitting.wait(180) == 2
    why = {"worker": "has had no workers for 60 s", "scheduler": "does not answer any more"}
    assert why[lost] in last_line(refitting)
    assert last_line(refitting).endswith("go on with lina-calphad refit --resume --out run")
    done = np.load(tmp_path / "run" / TRACE).shape[1]
    again = [COMMAND, "refit", "--resume", "--iterations", str(done + 4), "--out", "run"]
    assert subprocess.run(again, cwd=tmp_path, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["none", "dask"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_ends_them_in_time(tmp_path, start, scheduler, number):
    refitting = start(
        COMMAND, "refit", "--iterations", 5000, "--out", "run", "--scheduler", scheduler,
        "--cores", 2,
    )  # fmt: skip
    sampled(refitting, tmp_path / "run")
    if number == signal.SIGINT:
        os.killpg(refitting.pid, number)
    else:  # a batch system's first goes to the program alone
        refitting.send_signal(number)
    assert refitting.wait(60) == 130
    assert "they are kept: go on with" in last_line(refitting)
    until(lambda: not left(refitting.pid))
