"""ESPEI's Markov-chain sampler with progress, an orderly interruption and an exact resumption."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from espei.optimizers.opt_mcmc import EmceeOptimizer
from pycalphad import Database

from lina_calphad.checks import Array
from lina_calphad.errors import Interrupted, ParameterError, SchedulerError
from lina_calphad.fit.cluster import Workers
from lina_calphad.fit.folder import Chain, RunFolder

_SECONDS_BETWEEN_SAVES = 2.0
_SHARE_OF_SAVES = 0.05  # of the time, where the chain is long


class Sampler(EmceeOptimizer):  # type: ignore[misc]  # ESPEI has no types
    """`EmceeOptimizer` that keeps its chain in a folder and goes on from there.

    The trace and the log-probability are ESPEI's, as its own runs write them. Beside
    them stands the state of the random numbers, so that a run that was interrupted
    and resumed gives the very samples of one that was not.
    """

    def __init__(
        self,
        dbf: Database,
        phase_models: dict[str, Any],
        folder: RunFolder,
        before: Chain | None = None,
        *,
        workers: Workers,
        progress: Callable[[int, int], None] = lambda *_: None,
    ) -> None:
        super().__init__(dbf, phase_models=phase_models)
        self._workers = workers
        self._folder = folder
        self._before = before
        self._progress = progress

    def sample(
        self, symbols: Sequence[str], datasets: Any, walkers: Array, iterations: int, seed: int
    ) -> Chain:
        """Sample up to a number of iterations, those of before included.

        Without a chain yet, `walkers` are where they begin, `seed` is of the random numbers.

        Raises
        ------
        Interrupted
            By Ctrl-C or SIGTERM; what was sampled is in the folder.
        ParameterError
            If no walker has a finite probability, or the chain is of another one.
        OutputError
            If the folder cannot be written; what was saved before is still there.
        """
        count, state = len(walkers), tuple(np.random.RandomState(seed).get_state())
        nothing = Chain(np.empty((count, 0, walkers.shape[1])), np.empty((count, 0)), state)
        there = self._before or nothing
        self._chain = there
        missing = iterations - there.lnprob.shape[1]
        if missing > 0:
            # ESPEI begins its walkers where a trace ends: ours has one iteration.
            start = there.trace[:, -1:] if self._before else walkers[:, None]
            self.fit(symbols, datasets, iterations=missing, restart_trace=start)
        chain = self._chain
        return Chain(chain.trace[:, :iterations], chain.lnprob[:, :iterations], chain.state)

    def do_sampling(self, chains: Array, iterations: int) -> None:
        """Replace ESPEI's loop, which logs instead of telling and cannot resume."""
        before = self._chain
        begun, done = before.lnprob.shape[1], (0, before.state)
        last, pause = time.monotonic(), _SECONDS_BETWEEN_SAVES
        self._progress(begun, begun + iterations)
        self.sampler.pool = self._workers
        with _stop_requests(self._workers.asked):
            if begun:
                self._check_start(chains[0], before.lnprob[0, -1])
            steps = self.sampler.sample(chains, rstate0=before.state, iterations=iterations)
            try:
                for i, (_, lnprob, state) in enumerate(steps, 1):
                    if not np.isfinite(lnprob).any():
                        raise ParameterError(
                            "no walker has a finite probability: start from other values"
                        )
                    done = i, state
                    if time.monotonic() - last > pause:
                        start = time.monotonic()
                        self._keep(before, *done)
                        last = time.monotonic()
                        pause = max(_SECONDS_BETWEEN_SAVES, (last - start) / _SHARE_OF_SAVES)
                    self._progress(begun + i, begun + iterations)
            except (KeyboardInterrupt, SchedulerError) as error:
                self._keep(before, *done)
                n = begun + done[0]
                kept = f"after {n} of {begun + iterations} iterations"
                if n:
                    kept += (
                        "; they are kept: go on with "
                        f"lina-calphad refit --resume --out {self._folder.path}"
                    )
                if isinstance(error, SchedulerError):
                    raise SchedulerError(f"{error}, {kept}") from error
                raise Interrupted(f"interrupted {kept}") from None
        self._keep(before, *done)

    def _check_start(self, walker: Array, lnprob: float) -> None:
        """Whatever the hashes say, the last sample has the probability that it had."""
        now = float(self.sampler.lnprobfn(walker))
        if not np.isclose(now, lnprob, rtol=1e-8, atol=1e-6):
            raise ParameterError(
                f"the run in {self._folder.path} cannot go on: its last sample has the "
                f"log-probability {now:.8g} here, and had {lnprob:.8g} there"
            )

    def _keep(self, before: Chain, done: int, state: Any) -> None:
        """Put what was sampled behind what there was, here and on disk."""
        if done:
            trace, lnprob = self.sampler.chain[:, :done], self.sampler.lnprobability[:, :done]
            self._chain = Chain(
                np.concatenate([before.trace, trace], axis=1),
                np.concatenate([before.lnprob, lnprob], axis=1),
                state,
            )
            self._folder.save(self._chain)


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
