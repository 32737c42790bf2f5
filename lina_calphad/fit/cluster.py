"""Dask: workers on this machine or of a running cluster, and what happens when they are gone."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from lina_calphad.checks import Array
from lina_calphad.errors import SchedulerError
from lina_calphad.fit.models import ModuleInFolder
from lina_calphad.phase.workers import mapped

_SECONDS_TO_CONNECT = 10
_ONE_AT_A_TIME = Lock()

# What workers on this machine run first: a signal to all processes of a terminal is the main
# one's to answer, and what may be imported here may be there.
_PRELOAD = """
import signal
from lina_calphad.fit.models import ModuleInFolder
signal.signal(signal.SIGINT, signal.SIG_IGN)
"""


class Workers:
    """What emcee maps its walkers with: here, or on a `distributed.Client`; stops when asked to."""

    def __init__(self, client: Any = None) -> None:
        self._client = client
        self._sent: Any = None
        #: Signals to stop that came.
        self.asked: list[int] = []

    def map(self, function: Callable[[Array], float], walkers: Sequence[Array]) -> list[float]:
        """The function of every walker; KeyboardInterrupt if there was a request to stop.

        SchedulerError if the scheduler is gone, or there were no workers for a minute.
        """
        if self._client is not None:
            # The likelihood is megabytes: it goes out once, and again where it was lost.
            if self._sent is None or self._sent.status in ("cancelled", "lost"):
                self._sent = self._client.submit(_same, function, pure=False)
            function = self._sent
        pieces = [(function, walker) for walker in walkers]
        return list(mapped(_call, pieces, self._client, self._stop))

    def _stop(self) -> None:
        if self.asked:
            raise KeyboardInterrupt


@contextmanager
def cluster(scheduler: str, cores: int | None = None) -> Iterator[Workers]:
    """What works: this process, others on this machine, or a cluster that runs already.

    "none", "dask" with that many cores (or all), or the JSON file that a running scheduler wrote.
    SchedulerError if that is missing or no such file, the scheduler does not answer or has no
    workers, or these have not the package in the version that is here.
    """
    if scheduler == "none":
        yield Workers()
        return
    import dask
    from distributed import LocalCluster
    from distributed.utils import silence_logging_cmgr

    # Dask logs tracebacks when workers go, of which ours is the one line.
    with (
        dask.config.set({"distributed.scheduler.work-stealing": False}),
        silence_logging_cmgr(logging.CRITICAL),
        ExitStack() as stack,
    ):
        if scheduler == "dask":
            allowed = [f"{f}.allow()" for f in sys.meta_path if isinstance(f, ModuleInFolder)]
            local = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=cores or os.cpu_count() or 1,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                preload=["\n".join([_PRELOAD, *allowed])],
                silence_logs=logging.CRITICAL,
            )
            address = stack.enter_context(local).scheduler_address
        else:
            address = _address(scheduler)
        client = stack.enter_context(_connected(address))
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
        except TimeoutError as error:
            raise SchedulerError(
                f"the Dask scheduler of {scheduler} has no workers: start some"
            ) from error
        yield Workers(client)


def _address(scheduler: str) -> str:
    try:
        address = json.loads(Path(scheduler).read_text(encoding="utf-8"))["address"]
        if not isinstance(address, str):
            raise TypeError(f"its address is {address!r}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SchedulerError(
            f"{scheduler} is no scheduler file: name the JSON file that dask-scheduler "
            "--scheduler-file wrote, or use none or dask"
        ) from error
    return address


def _connected(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout=_SECONDS_TO_CONNECT)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SchedulerError(
            f"no Dask scheduler answers at {address} within {_SECONDS_TO_CONNECT} s"
        ) from error


def _same(function: Any) -> Any:
    return function


def _call(piece: tuple[Callable[[Array], float], Array]) -> float:
    function, walker = piece
    # ESPEI puts the parameters into objects that all threads of a worker share.
    with _ONE_AT_A_TIME:
        return function(walker)
