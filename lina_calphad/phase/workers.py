"""Pieces of work shared among the workers of a Dask cluster, which are watched meanwhile."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import CancelledError
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from lina_calphad.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Seconds after which a cluster without any worker is given up.
SECONDS_WITHOUT_WORKERS = 60.0

_SECONDS_BETWEEN_LOOKS = 2.0
_NAME = "lina-calphad"


def check_workers(client: Any) -> None:
    """SchedulerError unless every worker has this package in the version that runs here."""
    ours = version(_NAME)
    # What is sent is of the standard library: a worker without the package can run it.
    for worker, found in client.run(version, _NAME, on_error="return").items():
        if isinstance(found, PackageNotFoundError):
            msg = f"the Dask worker {worker} has no {_NAME}: install {ours} there"
            raise SchedulerError(msg)
        if found != ours:
            msg = f"the Dask worker {worker} has {_NAME} {found}, and {ours} runs here"
            raise SchedulerError(msg)


def mapped(function: Callable[[Any], Any], pieces: Iterable[Any], client: Any) -> Iterator[Any]:
    """Results of a function in the order of the pieces, made here or by a `distributed.Client`.

    SchedulerError if the scheduler goes, or has no workers for `SECONDS_WITHOUT_WORKERS`.
    """
    if client is None:
        yield from map(function, pieces)
        return
    from distributed import KilledWorker

    running: deque[Any] = deque()
    try:
        check_workers(client)
        # No more in flight than keeps the workers busy.
        ahead = 2 * max(1, sum(client.nthreads().values()))
        for piece in pieces:
            running.append(client.submit(function, piece, pure=False))
            if len(running) >= ahead:
                yield _result(client, running.popleft())
        while running:
            yield _result(client, running.popleft())
    except KilledWorker as error:
        msg = f"a piece of work ended every Dask worker that took it: {str(error).split('.')[0]}"
        raise SchedulerError(msg) from error
    except (CancelledError, OSError) as error:
        msg = f"the Dask scheduler at {client.scheduler.address} does not answer any more"
        raise SchedulerError(msg) from error


def _result(client: Any, future: Any) -> Any:
    """The result of a future, as long as there is someone to work it out."""
    seen = time.monotonic()
    while True:
        try:
            return future.result(timeout=_SECONDS_BETWEEN_LOOKS)
        except TimeoutError:
            if future.status == "error":  # the work's own
                raise
        if client.status != "running":
            msg = "the client of the Dask cluster is not connected"
            raise OSError(msg)
        if client.nthreads():
            seen = time.monotonic()
        elif time.monotonic() - seen > SECONDS_WITHOUT_WORKERS:
            msg = (
                f"the Dask scheduler at {client.scheduler.address} has had no workers for "
                f"{SECONDS_WITHOUT_WORKERS:g} s: start some"
            )
            raise SchedulerError(msg)
