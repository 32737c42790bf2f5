"""What a fit knows: the posterior of linear data, and whether a chain is long enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lina_calphad.checks import Array
from lina_calphad.errors import DatasetError, ParameterError

#: Fewer independent samples than this do not settle a standard error to 5 %.
ENOUGH = 200
_RHAT = 1.05
_FEWEST = 50  # iterations


class Estimates:
    """Values of parameters and their covariance."""

    symbols: Any
    values: Any
    covariance: Any

    @property
    def errors(self) -> Array:
        """Standard error of each value, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def correlation(self) -> Array:
        """Of the values, shape (k, k)."""
        return np.asarray(self.covariance / np.outer(self.errors, self.errors))

    def in_words(self) -> str:
        """Such as BCCL0 = 20268.1 ± 688."""
        found = zip(self.symbols, self.values, self.errors, strict=False)
        return ", ".join(f"{name} = {v:.6g} ± {e:.3g}" for name, v, e in found)


@dataclass(frozen=True, eq=False)
class GaussianPosterior(Estimates):
    """Posterior of parameters in which all data are linear, under a flat prior."""

    symbols: tuple[str, ...]
    mean: Array  # also its maximum, shape (k,)
    covariance: Array  # shape (k, k)


def closed_form(
    residuals: Callable[[Array], ArrayLike], start: Array, symbols: Sequence[str]
) -> GaussianPosterior | None:
    """Posterior of linear data by generalised least squares; None where they are not linear.

    `residuals` are from values of the parameters, in units of the data's standard errors. `start`
    sets the scale of the differences. DatasetError if the data do not determine them.

    Examples
    --------
    >>> def line(p):  # two measurements of a + b and a - b, each with error 1
    ...     return [p[0] + p[1] - 3, p[0] - p[1] - 1]
    >>> posterior = closed_form(line, np.array([1.0, 1.0]), ["a", "b"])
    >>> posterior.mean.round(6).tolist(), posterior.errors.round(4).tolist()
    ([2.0, 1.0], [0.7071, 0.7071])
    """
    steps = np.where(start == 0, 1.0, 0.1 * np.abs(start))
    # In steps, so that the rank does not depend on units.
    origin, further, *along = (
        np.asarray(residuals(start + step * steps), dtype=float)
        for step in (0, -2, *np.eye(start.size))
    )
    design = np.stack(along, axis=1) - origin[:, None]
    if not np.allclose(further, origin - 2 * design.sum(axis=1), 1e-6, 1e-4):
        return None
    best, _, rank, _ = np.linalg.lstsq(design, -origin, rcond=1e-9)
    if rank < len(symbols):
        names = ", ".join(symbols)
        raise DatasetError(
            f"{origin.size} data do not determine {names}: add data, or fit fewer symbols"
        )
    covariance = np.linalg.inv(design.T @ design) * np.outer(steps, steps)
    return GaussianPosterior(tuple(symbols), start + steps * best, covariance)


@dataclass(frozen=True, eq=False)
class Convergence:
    """How far the samples of a chain can be trusted."""

    acceptance: float  # fraction of proposals
    autocorrelation: Array  # integrated time of each parameter, in iterations
    effective: Array  # number of independent samples of each parameter
    rhat: Array  # Gelman and Rubin's ratio of each parameter; 1 where all walkers agree
    burn_in: int  # iterations left out at the beginning
    converged: bool  # whether the chain is long enough
    verdict: str  # the same in a sentence


def judge(trace: Array, *, stationary: bool) -> Convergence:
    """Judge a chain of shape (walkers, iterations, parameters); ParameterError below 4 iterations.

    Unless it is `stationary`, since its walkers began as draws from the posterior, the first third
    is left out.
    """
    import arviz_stats.base

    stats: Any = vars(arviz_stats.base)["array_stats"]  # it has no types
    iterations = trace.shape[1]
    if iterations < 4:
        raise ParameterError(f"a chain of {iterations} iterations cannot be judged: 4 are needed")
    burn_in = 0 if stationary else iterations // 3
    kept = trace[:, burn_in:]
    acceptance = float((np.diff(trace, axis=1) != 0).any(axis=2).mean())
    most = kept.shape[0] * kept.shape[1]
    with np.errstate(all="ignore"):  # walkers that never moved have no variance
        rhat = stats.rhat(kept, chain_axis=0, draw_axis=1)
        effective = stats.ess(kept, chain_axis=0, draw_axis=1)
        # Of a handful of iterations the estimate can exceed the number of samples.
        effective = np.clip(np.nan_to_num(effective, nan=0.0, posinf=0.0), 0.0, most)
        time = most / effective
    least, worst = float(effective.min()), float(np.max(np.nan_to_num(rhat, nan=np.inf)))
    enough = least >= ENOUGH and worst <= _RHAT and kept.shape[1] >= _FEWEST
    found = f"{least:.0f} independent samples, R-hat {worst:.3f}, acceptance {acceptance:.2f}"
    if kept.shape[1] < _FEWEST:
        verdict = (
            f"The chain is too short to judge: {kept.shape[1]} iterations, of which {_FEWEST} are "
            "the least. Go on with --resume --iterations 1500."
        )
    elif enough:
        verdict = f"The chain is long enough: {found}."
    else:
        factor = max(ENOUGH / max(least, 1.0), 2.0 if worst > _RHAT else 1.0)
        more = -(-int(iterations * min(factor, 100.0)) // 100) * 100
        verdict = (
            f"The chain is too short to trust its errors: {found}, where {ENOUGH} samples and "
            f"R-hat below {_RHAT} are needed. Go on with --resume --iterations {more}."
        )
    return Convergence(acceptance, time, effective, rhat, burn_in, enough, verdict)
