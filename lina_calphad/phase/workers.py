"""Pieces of work shared among the workers of a Dask cluster, which are watched meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

from lina_calphad import __version__
from lina_calphad.errors import SchedulerError
from lina_calphad.text import one_line

#: Seconds after which a cluster without any worker is given up.
SECONDS_WITHOUT_WORKERS = 60.0

_SECONDS_BETWEEN_LOOKS = 1.0
_NAME = "lina_calphad"


def check_workers(client: Any) -> None:
    """SchedulerError unless every worker has this package in the version that runs here."""
    with _answering(client):
        # What is sent is of the standard library: a worker without the package can run it.
        versions = client.run(resolve_name, f"{_NAME}:__version__", on_error="return")
    for worker, found in versions.items():
        if isinstance(found, OSError):  # gone meanwhile: whether any is left is watched
            continue
        if isinstance(found, Exception):
            raise SchedulerError(
                f"the Dask worker {worker} cannot import {_NAME} ({one_line(found)}): "
                f"install {__version__} there"
            )
        if found != __version__:
            raise SchedulerError(
                f"the Dask worker {worker} has {_NAME} {found}, and {__version__} runs here"
            )


def mapped(
    function: Callable[[Any], Any],
    pieces: Iterable[Any],
    client: Any,
    waiting: Callable[[], None] = lambda: None,
) -> Iterator[Any]:
    """Results of a function in the order of the pieces, made here or by a `distributed.Client`.

    `waiting` is called before and during each, and may raise. SchedulerError if the scheduler
    goes, or has no workers for `SECONDS_WITHOUT_WORKERS`.
    """
    if client is None:
        for piece in pieces:
            waiting()
            yield function(piece)
        return
    check_workers(client)
    with _answering(client):
        # No more in flight than keeps the workers busy.
        ahead = 2 * max(1, sum(client.nthreads().values()))
    running: deque[Any] = deque()
    for piece in pieces:
        running.append(client.submit(function, piece, pure=False))
        if len(running) >= ahead:
            yield _result(client, running.popleft(), waiting)
    while running:
        yield _result(client, running.popleft(), waiting)


def _result(client: Any, future: Any, waiting: Callable[[], None]) -> Any:
    """The result of a future, as long as there is someone to work it out."""
    from distributed import KilledWorker

    seen = time.monotonic()
    while True:
        waiting()
        with _answering(client):
            try:
                error = future.exception(timeout=_SECONDS_BETWEEN_LOOKS)
                if error is None:
                    # A worker may go with what it has found: that is then worked out anew.
                    return future.result(timeout=SECONDS_WITHOUT_WORKERS)
                break
            except TimeoutError:
                if client.nthreads():
                    seen = time.monotonic()
        if time.monotonic() - seen > SECONDS_WITHOUT_WORKERS:
            raise SchedulerError(
                f"the Dask scheduler at {client.scheduler.address} has had no workers for "
                f"{SECONDS_WITHOUT_WORKERS:g} s: start some"
            )
    if isinstance(error, KilledWorker):
        raise SchedulerError(
            "a piece of work ended every Dask worker that took it: is memory short there?"
        ) from error
    raise error  # the work's own


@contextmanager
def _answering(client: Any) -> Iterator[None]:
    """SchedulerError where the scheduler of a client is gone, or goes."""
    try:
        if client.status != "running":
            raise CancelledError
        yield
    except (CancelledError, OSError) as error:
        where = client.scheduler.address if client.scheduler else "that client"
        raise SchedulerError(f"the Dask scheduler at {where} does not answer any more") from error
