"""Samples of ESPEI's posterior: with progress, an orderly interruption, an exact resumption."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from emcee import EnsembleSampler
from espei.optimizers.opt_mcmc import EmceeOptimizer

from lina_calphad.checks import Array
from lina_calphad.errors import Interrupted, ParameterError, SchedulerError
from lina_calphad.fit.cluster import Workers
from lina_calphad.fit.folder import Chain, RunFolder

_SECONDS_BETWEEN_SAVES = 2.0
_SHARE_OF_SAVES = 0.05  # of the time, where the chain is long


def sample(
    context: dict[str, Any],
    walkers: Array,
    iterations: int,
    seed: int,
    folder: RunFolder,
    before: Chain | None = None,
    *,
    workers: Workers,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Chain:
    """Sample up to a number of iterations, those of before included, and keep them in a folder.

    As ESPEI's own runs do it (`EmceeOptimizer`), which log instead of telling and cannot resume.
    With the samples stands the state of the random numbers, so that a run that was interrupted and
    resumed gives the very samples of one that was not.

    Parameters
    ----------
    context
        Of ESPEI's `setup_context`.
    walkers
        Where they begin if there is no chain yet, shape (walkers, parameters).
    iterations
        How many there are in the end.
    seed
        Of the random numbers, if there is no chain yet.
    folder
        Where the chain is kept.
    before
        The chain to go on with.
    workers
        What maps the likelihood to walkers, and knows of requests to stop.
    progress
        Called with the iterations done and wanted.

    Raises
    ------
    Interrupted
        By Ctrl-C or SIGTERM; what was sampled is in the folder.
    ParameterError
        If no walker has a finite probability, or the chain is of another one.
    OutputError
        If the folder cannot be written; what was saved before is still there.
    """
    count, k = walkers.shape
    state = tuple(np.random.RandomState(seed).get_state())
    begun = before or Chain(np.empty((count, 0, k)), np.empty((count, 0)), state)
    n = begun.lnprob.shape[1]
    if n >= iterations:
        return Chain(begun.trace[:, :iterations], begun.lnprob[:, :iterations], begun.state)
    sampler = EnsembleSampler(count, k, EmceeOptimizer.predict, kwargs=context, pool=workers)

    def keep(done: int, state: Any) -> Chain:
        """Put what was sampled behind what there was, here and on disk."""
        if not done:
            return begun
        both = (
            (begun.trace, sampler.chain[:, :done]),
            (begun.lnprob, sampler.lnprobability[:, :done]),
        )
        trace, lnprob = (np.concatenate(pair, axis=1) for pair in both)
        folder.save(chain := Chain(trace, lnprob, state))
        return chain

    done, state = 0, begun.state
    progress(n, iterations)
    with _stop_requests(workers.asked):
        if before:
            _check_start(sampler, before, folder)
            walkers = before.trace[:, -1]
        last, pause = time.monotonic(), _SECONDS_BETWEEN_SAVES
        steps = sampler.sample(walkers, rstate0=state, iterations=iterations - n)
        try:
            for done, (_, lnprob, state) in enumerate(steps, 1):
                if not np.isfinite(lnprob).any():
                    raise ParameterError(
                        "no walker has a finite probability: start from other values"
                    )
                if time.monotonic() - last > pause:
                    start = time.monotonic()
                    keep(done, state)
                    last = time.monotonic()
                    pause = max(_SECONDS_BETWEEN_SAVES, (last - start) / _SHARE_OF_SAVES)
                progress(n + done, iterations)
        except (KeyboardInterrupt, SchedulerError) as error:
            keep(done, state)
            kept = f"after {n + done} of {iterations} iterations"
            if n + done:
                again = f"lina-calphad refit --resume --out {folder.path}"
                kept += f"; they are kept: go on with {again}"
            if isinstance(error, SchedulerError):
                raise SchedulerError(f"{error}, {kept}") from error
            raise Interrupted(f"interrupted {kept}") from None
    return keep(done, state)


def _check_start(sampler: EnsembleSampler, before: Chain, folder: RunFolder) -> None:
    """Whatever the hashes say, the last sample has the probability that it had."""
    now, then = float(sampler.lnprobfn(before.trace[0, -1])), before.lnprob[0, -1]
    if not np.isclose(now, then, rtol=1e-8, atol=1e-6):
        raise ParameterError(
            f"the run in {folder.path} cannot go on: its last sample has the "
            f"log-probability {now:.8g} here, and had {then:.8g} there"
        )


@contextmanager
def _stop_requests(asked: list[int]) -> Iterator[None]:
    """Put signals to stop (Ctrl-C, a batch system's) into a list; a second one stops at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return

    def remember(number: int, frame: Any) -> None:  # noqa: ARG001 - what signal calls
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {each: signal.signal(each, remember) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
