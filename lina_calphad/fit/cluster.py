"""Dask: workers on this machine or of a running cluster, and what happens when they are gone."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from lina_calphad.errors import SchedulerError
from lina_calphad.fit.models import ModuleInFolder
from lina_calphad.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lina_calphad.checks import Array

#: What the samples rest on.
PACKAGES = ("lina-calphad", "pycalphad", "espei", "numpy")

_SECONDS_TO_CONNECT = 10
#: How long a run waits for workers when all are gone.
SECONDS_WITHOUT_WORKERS = 60.0

# What workers on this machine run first: a signal to all processes of a terminal is the main
# one's to answer, and what may be imported here may be there.
_PRELOAD = """
import signal
from lina_calphad.fit.models import ModuleInFolder
signal.signal(signal.SIGINT, signal.SIG_IGN)
"""


class Workers:
    """What runs likelihoods on a cluster, and says so when the cluster is gone.

    Parameters
    ----------
    client
        A `distributed.Client`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._function: Any = None
        self._checked: set[str] = set()

    def check(self, workers: set[str]) -> None:
        """Refuse workers without the packages on which the samples rest, in other versions too.

        A task for them might never end.
        """
        new = list(workers - self._checked)
        # Functions of the standard library, which every worker has.
        asked: list[tuple[Any, str, str]]
        asked = [(resolve_name, "lina_calphad.espei_hooks:__name__", "lina_calphad.espei_hooks")]
        asked += [(version, name, version(name)) for name in PACKAGES]
        for function, name, here in asked if new else ():
            found = self._client.run(function, name, workers=new, on_error="return")
            for worker, there in found.items():
                if isinstance(there, Exception):
                    msg = f"the Dask worker {worker} cannot import {name.split(':')[0]}: {there}"
                    raise SchedulerError(msg)
                if there != here:
                    msg = f"the Dask worker {worker} has {name} {there}; here is {here}"
                    raise SchedulerError(msg)
        self._checked |= workers

    def map(
        self,
        function: Callable[[Array], float],
        walkers: Sequence[Array],
        stop: Callable[[], None] = lambda: None,
    ) -> list[float]:
        """The function of every walker; `stop` is called while it waits, and may raise.

        Raises
        ------
        SchedulerError
            If the scheduler is gone, or there are no workers for a minute.
        """
        from distributed import CancelledError, KilledWorker, wait
        from distributed.comm.core import CommClosedError

        try:
            # The likelihood is megabytes: it goes out once, and again to new workers.
            if self._function is None or self._function.status in ("cancelled", "lost"):
                self._function = self._client.submit(_same, function, pure=False)
            futures = self._client.map(_call, walkers, function=self._function, pure=False)
            seen = time.monotonic()
            while True:
                stop()
                try:
                    wait(futures, timeout=0.5)  # type: ignore[no-untyped-call]
                    return list(self._client.gather(futures))
                except TimeoutError:
                    pass
                if there := set(self._client.scheduler_info()["workers"]):
                    seen = time.monotonic()
                self.check(there)
                if time.monotonic() - seen > SECONDS_WITHOUT_WORKERS:
                    msg = f"the cluster has had no workers for {SECONDS_WITHOUT_WORKERS:g} s"
                    raise SchedulerError(msg)
        except (KilledWorker, ImportError) as error:
            msg = f"a Dask worker failed: {one_line(error)}"
            raise SchedulerError(msg) from error
        except (CancelledError, CommClosedError, OSError) as error:
            msg = "the Dask scheduler is gone"
            raise SchedulerError(msg) from error


@contextmanager
def cluster(scheduler: str, cores: int | None = None) -> Iterator[Workers | None]:
    """Workers: None, of a cluster on this machine, or of one that runs already.

    Parameters
    ----------
    scheduler
        "none", "dask", or the JSON file that a running scheduler wrote.
    cores
        Workers of a cluster on this machine; all cores if None.

    Raises
    ------
    SchedulerError
        If the file is missing or no scheduler, it does not answer, it has no workers, or
        these have not the package in the version that is here.
    """
    if scheduler == "none":
        yield None
        return
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set({"distributed.scheduler.work-stealing": False}), _quiet():
        if scheduler == "dask":
            count = cores or os.cpu_count() or 1
            allowed = [f"{f}.allow()" for f in sys.meta_path if isinstance(f, ModuleInFolder)]
            with (
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=count,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",
                    preload=["\n".join([_PRELOAD, *allowed])],
                    silence_logs=logging.CRITICAL,
                ) as local,
                Client(local) as client,  # type: ignore[no-untyped-call]
            ):
                yield Workers(client)
            return
        with _connected(scheduler) as client:
            try:
                client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
            except TimeoutError as error:
                msg = f"the Dask scheduler of {scheduler} has no workers: start some"
                raise SchedulerError(msg) from error
            workers = Workers(client)
            workers.check(set(client.scheduler_info()["workers"]))
            yield workers


@contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs when workers go: tracebacks, of which ours is the one line."""
    loggers = [logging.getLogger(f"distributed{name}") for name in ("", ".client", ".nanny")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _connected(scheduler: str) -> Any:
    from distributed import Client

    try:
        address = json.loads(Path(scheduler).read_text(encoding="utf-8"))["address"]
        if not isinstance(address, str):
            msg = f"its address is {address!r}"
            raise TypeError(msg)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        msg = (
            f"{scheduler} is no scheduler file: name the JSON file that dask-scheduler "
            "--scheduler-file wrote, or use none or dask"
        )
        raise SchedulerError(msg) from error
    try:
        return Client(address, timeout=_SECONDS_TO_CONNECT)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        msg = f"no Dask scheduler answers at {address} within {_SECONDS_TO_CONNECT} s"
        raise SchedulerError(msg) from error


def _same(function: Any) -> Any:
    return function


def _call(walker: Array, function: Callable[[Array], float]) -> float:
    return function(walker)
