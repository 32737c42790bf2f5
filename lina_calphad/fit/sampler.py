"""ESPEI's Markov-chain sampler with progress, an orderly interruption and an exact resumption."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from espei.optimizers.opt_mcmc import EmceeOptimizer

from lina_calphad.errors import Interrupted, OutputError, ParameterError, SchedulerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pycalphad import Database

    from lina_calphad.checks import Array

TRACE, LNPROB, STATE = "trace.npy", "lnprob.npy", "random_state.npz"

_SECONDS_BETWEEN_SAVES = 2.0
_SECONDS_TO_CONNECT = 10


class Sampler(EmceeOptimizer):  # type: ignore[misc]  # ESPEI has no types
    """`EmceeOptimizer` that keeps its trace in a folder and can go on from there.

    The trace and the log-probability are ESPEI's, as its own runs write them. Beside
    them stands the state of the random numbers, so that a run that was interrupted
    and resumed gives the very samples of one that was not.

    Parameters
    ----------
    dbf
        Database with the symbols to fit.
    phase_models
        ESPEI's description of the phases.
    folder
        Where trace, log-probability and state are kept; it exists.
    seed
        Of the random numbers.
    client
        What has a ``map`` to share the work, or None.
    progress
        Called with iterations done and wanted.
    """

    def __init__(
        self,
        dbf: Database,
        phase_models: dict[str, Any],
        folder: Path,
        *,
        seed: int,
        client: Any = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__(dbf, phase_models=phase_models, scheduler=client)
        self._folder = folder
        self._seed = seed
        self._progress = progress
        self._before: tuple[Array, Array] | None = None
        self._state: Any = None

    def sample(
        self, symbols: Sequence[str], datasets: Any, start: Array, iterations: int
    ) -> tuple[Array, Array]:
        """Sample up to a number of iterations, those in the folder included.

        Parameters
        ----------
        symbols
            Symbols to fit.
        datasets
            ESPEI's table of datasets.
        start
            Where the walkers begin if the folder holds no trace, shape (walkers, symbols).
        iterations
            In all.

        Returns
        -------
        tuple of ndarray
            Trace, shape (walkers, iterations, symbols in alphabetical order), and
            log-probability, shape (walkers, iterations).

        Raises
        ------
        Interrupted
            By Ctrl-C; what was sampled is in the folder.
        ParameterError
            If the trace in the folder does not fit, or no walker has a finite probability.
        OutputError
            If the folder cannot be written; what was saved before is still there.
        """
        symbols = sorted(symbols)
        there = saved_trace(self._folder, len(symbols))
        if there is not None:
            *before, self._state = there
            self._before = before[0], before[1]
            start = before[0][:, -1]
        else:
            self._state = np.random.RandomState(self._seed).get_state()
        missing = iterations - (0 if self._before is None else self._before[0].shape[1])
        if missing > 0:
            # ESPEI begins its walkers where a trace ends: ours has one iteration.
            self.fit(symbols, datasets, iterations=missing, restart_trace=start[:, None])
        trace, lnprob = self._so_far(max(missing, 0))
        return trace[:, :iterations], lnprob[:, :iterations]

    def do_sampling(self, chains: Array, iterations: int) -> None:
        """Replace ESPEI's loop, which logs instead of telling and cannot resume."""
        done = 0
        before = 0 if self._before is None else self._before[0].shape[1]
        last = time.monotonic()
        self._tell(before, before + iterations)
        steps = self.sampler.sample(chains, rstate0=self._state, iterations=iterations)
        with _stop_requests() as asked:
            for _, lnprob, state in steps:
                if not np.isfinite(lnprob).any():
                    msg = "no walker has a finite probability: start from other values"
                    raise ParameterError(msg)
                self._state, done = state, done + 1
                if time.monotonic() - last > _SECONDS_BETWEEN_SAVES:
                    self._save(done)
                    last = time.monotonic()
                self._tell(before + done, before + iterations)
                if asked and done < iterations:
                    self._save(done)
                    msg = f"interrupted after {before + done} of {before + iterations} iterations"
                    raise Interrupted(msg)
        self._save(done)

    def _tell(self, done: int, wanted: int) -> None:
        if self._progress:
            self._progress(done, wanted)

    def _so_far(self, done: int) -> tuple[Array, Array]:
        """Trace and log-probability with what was there before."""
        parts = [] if self._before is None else [self._before]
        if done:
            chain, lnprob = self.sampler.chain, self.sampler.lnprobability
            parts.append((chain[:, :done], lnprob[:, :done]))
        traces, lnprobs = zip(*parts, strict=True)
        return np.concatenate(traces, axis=1), np.concatenate(lnprobs, axis=1)

    def _save(self, done: int) -> None:
        if not done and self._before is None:
            return
        trace, lnprob = self._so_far(done)
        _, keys, position, has_gauss, gauss = self._state
        # The state last: it says how many iterations belong to it.
        _replace(self._folder / TRACE, lambda file: np.save(file, trace))
        _replace(self._folder / LNPROB, lambda file: np.save(file, lnprob))
        _replace(
            self._folder / STATE,
            lambda file: np.savez(
                file,
                iterations=trace.shape[1],
                keys=keys,
                rest=np.array([position, has_gauss, gauss], dtype=float),
            ),
        )


@contextmanager
def _stop_requests() -> Iterator[list[int]]:
    """Signals to stop (Ctrl-C, or of a batch system) as a list: an iteration is never cut in two.

    A second one stops at once.
    """
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread gets signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def remember(number: int, frame: Any) -> None:  # noqa: ARG001 - what signal calls
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    try:
        for number in before:
            signal.signal(number, remember)
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def saved_trace(folder: Path, parameters: int) -> tuple[Array, Array, Any] | None:
    """Trace, log-probability and random state that a run left, or None if it left none.

    Raises
    ------
    ParameterError
        If they cannot be read or do not fit the number of parameters.
    """
    if not (folder / STATE).exists():
        return None
    try:
        trace, lnprob = np.load(folder / TRACE), np.load(folder / LNPROB)
        with np.load(folder / STATE) as saved:
            n, keys, rest = int(saved["iterations"]), saved["keys"], saved["rest"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        msg = f"the trace in {folder} cannot be read: {error}"
        raise ParameterError(msg) from error
    # A run that was killed between two files may have more of one than of the other.
    fits = trace.ndim == 3 and trace.shape[2] == parameters and lnprob.ndim == 2
    if not fits or len(trace) != len(lnprob) or min(trace.shape[1], lnprob.shape[1]) < n:
        msg = (
            f"the trace in {folder} has the shape {trace.shape}; the fit has {parameters} "
            f"parameters: (walkers, iterations, {parameters})"
        )
        raise ParameterError(msg)
    state = ("MT19937", keys, int(rest[0]), int(rest[1]), float(rest[2]))
    return trace[:, :n], lnprob[:, :n], state


@contextmanager
def cluster(scheduler: str, cores: int | None = None) -> Iterator[Any]:
    """ESPEI's Dask client: None, of a cluster on this machine, or of one that runs already.

    Parameters
    ----------
    scheduler
        "none", "dask", or the JSON file that a running scheduler wrote.
    cores
        Workers of a cluster on this machine; all cores if None.

    Raises
    ------
    SchedulerError
        If the file is missing or no scheduler, or it does not answer.
    """
    if scheduler == "none":
        yield None
        return
    import dask
    from distributed import LocalCluster
    from espei.utils import ImmediateClient

    with dask.config.set({"distributed.scheduler.work-stealing": False}):
        if scheduler == "dask":
            workers = cores or os.cpu_count() or 1
            with (
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0"
                ) as local,
                ImmediateClient(local) as client,
            ):
                yield client
            return
        with _connected(scheduler) as client:
            try:
                client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
            except TimeoutError as error:
                msg = f"the Dask scheduler of {scheduler} has no workers: start some"
                raise SchedulerError(msg) from error
            yield client


def _connected(scheduler: str) -> Any:
    from espei.utils import ImmediateClient

    try:
        address = json.loads(Path(scheduler).read_text(encoding="utf-8"))["address"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = (
            f"{scheduler} is no scheduler file: name the JSON file that dask-scheduler "
            "--scheduler-file wrote, or use none or dask"
        )
        raise SchedulerError(msg) from error
    try:
        return ImmediateClient(address, timeout=_SECONDS_TO_CONNECT)
    except (OSError, TimeoutError, ValueError) as error:
        msg = f"no Dask scheduler answers at {address} within {_SECONDS_TO_CONNECT} s"
        raise SchedulerError(msg) from error


def _replace(path: Path, write: Callable[[Any], None]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}")
    # NumPy does not notice a full disk when it writes an array into a file by itself.
    buffer = io.BytesIO()
    write(buffer)
    try:
        temporary.write_bytes(buffer.getvalue())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        msg = f"cannot write {path}: {error.strerror or error}"
        raise OutputError(msg) from error
