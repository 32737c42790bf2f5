"""Dask: workers on this machine or of a running cluster, and what happens when they are gone."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lina_calphad.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lina_calphad.checks import Array

_SECONDS_TO_CONNECT = 10
#: How long a run waits for workers when all are gone.
SECONDS_WITHOUT_WORKERS = 60.0

# A signal to all processes of a terminal is the main one's to answer.
_PRELOAD = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"


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
        from distributed import CancelledError, wait
        from distributed.comm import CommClosedError

        try:
            # The likelihood is megabytes: it goes out once, and again to new workers.
            if self._function is None or self._function.status in ("cancelled", "lost"):
                self._function = self._client.submit(_same, function, pure=False)
            futures = self._client.map(_call, walkers, function=self._function, pure=False)
            seen = time.monotonic()
            while True:
                stop()
                try:
                    wait(futures, timeout=0.5)
                    return list(self._client.gather(futures))
                except TimeoutError:
                    pass
                if self._client.scheduler_info()["workers"]:
                    seen = time.monotonic()
                if time.monotonic() - seen > SECONDS_WITHOUT_WORKERS:
                    msg = f"the cluster has had no workers for {SECONDS_WITHOUT_WORKERS:g} s"
                    raise SchedulerError(msg)
        except (CancelledError, CommClosedError, OSError) as error:
            msg = "the Dask scheduler is gone"
            raise SchedulerError(msg) from error
