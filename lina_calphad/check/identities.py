"""check_consistency: thermodynamic identities of a solution, each by two independent routes."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pycalphad import Database, Model
from scipy.differentiate import derivative
from scipy.special import logit

from lina_calphad.checks import kelvin
from lina_calphad.errors import (
    DatabaseError,
    LinaCalphadError,
    NoMiscibilityGap,
    NotConverged,
)
from lina_calphad.phase.coherent import CoherentModel
from lina_calphad.phase.energy import R
from lina_calphad.phase.export import export_coherent_tdb
from lina_calphad.phase.host_energy import HostEnergy
from lina_calphad.phase.solution import BinarySolution

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike

    from lina_calphad.checks import Array

    # Left side, right sides of which the nearest counts, where each is, what is left out.
    Sides = tuple[Array, list[Array], list[str], str]

Verdict = Literal["holds", "fails", "no gap", "did not converge", "not applicable"]

_PLURAL = {"holds": "hold", "fails": "fail"}
# No two at equal distance from the middle, where terms of odd order could hide.
_X = np.array([0.003, 0.02, 0.1, 0.27, 0.45, 0.62, 0.81, 0.94, 0.99])
_T_STEP, _LOGIT_STEP = 0.003, 0.02  # of differences: relative to T, and in ln(x/(1-x))


@dataclass(frozen=True)
class Identity:
    """One identity, with both sides where they differ most; None where nothing is compared."""

    name: str
    formula: str  # what is compared with what, in words
    unit: str  # of both sides, of deviation and tolerance; "1" for pure numbers
    tolerance: float
    because: str  # why this tolerance
    verdict: Verdict = "not applicable"
    lhs: float | None = None
    rhs: float | None = None
    deviation: float | None = None
    at: str = ""
    reason: str = ""  # why there is no comparison, at some temperatures or at all


@dataclass(frozen=True)
class Consistency:
    """What `check_consistency` found of a solution at these temperatures in K."""

    solution: str
    T: tuple[float, ...]
    identities: tuple[Identity, ...]

    @property
    def ok(self) -> bool:
        """Whether no identity fails, and none is left open by a solver that did not converge."""
        return all(i.verdict not in ("fails", "did not converge") for i in self.identities)

    def __getitem__(self, name: str) -> Identity:
        """The identity of this name."""
        named = {identity.name: identity for identity in self.identities}
        if name not in named:
            raise KeyError(f"there is no identity {name!r}; there are {', '.join(named)}")
        return named[name]

    def __repr__(self) -> str:
        parts = []
        for verdict in dict.fromkeys(i.verdict for i in self.identities):
            names = [i.name for i in self.identities if i.verdict == verdict]
            which = "" if verdict == "holds" else f" ({', '.join(names)})"
            parts.append(f"{len(names)} {_PLURAL.get(verdict, verdict)}{which}")
        return f"<Consistency of {self.solution.strip('<>')}: {', '.join(parts)}>"

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {"solution": self.solution, "T": self.T, "ok": self.ok,
                "identities": [asdict(identity) for identity in self.identities]}  # fmt: skip

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each identity."""
        import pandas as pd

        return pd.DataFrame([asdict(identity) for identity in self.identities])


def check_consistency(solution: BinarySolution, T: ArrayLike) -> Consistency:
    """Check that a solution obeys thermodynamics, each identity by two independent routes.

    What this package computes (energy, first and second derivative, tie-lines, critical
    point) is held against pycalphad's own evaluation of its Model, against derivatives of
    the extensive Gibbs energy, against finite differences and against a plain TDB. A
    Model whose parts do not add up to its GM shows here, and so does an error of ours.

    Parameters
    ----------
    solution
        Of any alloy, with any Model.
    T
        Temperatures in K, of any shape.

    Returns
    -------
    Consistency
        One row for each identity, and `ok`.

    Raises
    ------
    ValueError
        If a temperature is not positive and finite, or there is none.

    Examples
    --------
    >>> from lina_calphad import BinarySolution, CoherentModel, load
    >>> dbf = load("zhang2003")
    >>> check_consistency(BinarySolution(dbf, ("LI", "NA"), "BCC_A2", CoherentModel), [200, 300])
    <Consistency of BinarySolution BCC_A2 of LI and NA: CoherentModel: 6 hold>
    """
    T = kelvin(T).ravel()
    if T.size == 0:
        raise ValueError("a check of consistency takes at least one temperature; got none")
    with np.errstate(all="ignore"):  # what is no number is a finding
        sample = _Sample(solution, T)
        rows = tuple(_judge(identity, sides, sample) for identity, sides in _IDENTITIES)
    return Consistency(repr(solution), tuple(T.tolist()), rows)


class _Nothing(Exception):
    """There is nothing to compare, or one side is missing: the verdict, and why."""


class _Sample:
    """A solution, pycalphad's energy of it, and the points (T, x) where both are compared."""

    def __init__(self, solution: BinarySolution, T: Array) -> None:
        self.solution, self.host, self.temperatures = solution, HostEnergy(solution), T
        self.T, self.x = np.broadcast_arrays(T[:, None], _X)
        self.t = logit(self.x)
        self.at = [f"{T:g} K, x = {x:g}" for T, x in zip(self.T.flat, self.x.flat, strict=True)]
        self.G = solution.gibbs_energy(self.T, self.x)

    def need_finite(self) -> None:
        """What solves for compositions takes an energy everywhere."""
        if not np.isfinite(self.G).all():
            raise _Nothing("not applicable", "the Gibbs energy is not finite at every temperature")


def _judge(identity: Identity, sides: Callable[[_Sample], Sides], sample: _Sample) -> Identity:
    """The identity with its verdict: of several right sides the nearest counts at each point."""
    try:
        lhs, rhs, at, reason = sides(sample)
    except _Nothing as nothing:
        verdict, reason = nothing.args
        return replace(identity, verdict=verdict, reason=reason)
    right = np.stack(rhs)
    deviations = np.nan_to_num(np.abs(lhs - right), nan=np.inf)
    nearest = deviations.argmin(0)[None]
    deviation, value = (np.take_along_axis(a, nearest, 0).ravel() for a in (deviations, right))
    worst = int(deviation.argmax())
    if not math.isfinite(deviation[worst]):
        return replace(identity, verdict="fails", reason=f"no finite number at {at[worst]}")
    return replace(
        identity, verdict="holds" if deviation[worst] <= identity.tolerance else "fails",
        lhs=float(lhs.ravel()[worst]), rhs=float(value[worst]), at=at[worst], reason=reason,
        deviation=float(deviation[worst]),
    )  # fmt: skip


def _energy(s: _Sample) -> Sides:
    return s.G, [s.host.sample("GM", s.temperatures, _X)], s.at, ""


def _entropy(s: _Sample) -> Sides:
    slopes = _slopes(s.solution.gibbs_energy, s.T, _T_STEP * s.T, s.x)
    return s.host.sample("SM", s.temperatures, _X), [-slope for slope in slopes], s.at, ""


def _potentials(s: _Sample) -> Sides:
    slope = s.solution.diffusion_potential(s.T, s.x)
    ours = np.stack([s.G - s.x * slope, s.G + (1 - s.x) * slope], axis=-1)
    at = [f"{a}, {element}" for a in s.at for element in s.solution.components]
    return ours, [s.host.potentials(s.T, s.t)], at, ""


def _stability(s: _Sample) -> Sides:
    psi = s.solution.stability(s.T, s.x)
    size = np.maximum(1, np.abs(psi))
    return psi / size, [side / size for side in _stabilities(s.host, s.T, s.t)], s.at, ""


def _stabilities(host: HostEnergy, T: Array, t: Array) -> list[Array]:
    """Psi of pycalphad's energy, from below and from above."""

    def difference(t: Array, T: Array) -> Array:
        return np.diff(host.potentials(T, t), axis=-1)[..., 0]

    return [side / (R * T) for side in _slopes(difference, t, np.full_like(t, _LOGIT_STEP), T)]


def _slopes(f: Callable[..., Array], x: Array, step: Array, *others: Array) -> list[Array]:
    """Derivatives of f in its first argument, from below and from above.

    A range boundary or a Curie temperature within the step spoils one of them alone.
    """
    return [
        derivative(f, x, args=others, initial_step=step, step_direction=side, order=6, maxiter=1).df
        for side in (-1, 1)
    ]


def _binodal(s: _Sample) -> Sides:
    """Equal chemical potentials of both phases in equilibrium."""
    s.need_finite()
    ends: dict[float, list[float]] = {}
    reasons: dict[Verdict, list[str]] = {}
    for T in s.temperatures.tolist():
        try:
            line = s.solution.binodal(T)
        except LinaCalphadError as error:
            reasons.setdefault(_verdict(error), []).append(str(error))
            if isinstance(error, NoMiscibilityGap) and (where := _unstable(s.host, T)):
                raise _Nothing("fails", f"{error}; but {where}") from error
            continue
        # ln x - ln(1-x), each end from the logarithm that keeps its digits
        left, right = float(line.ln_x_alpha), float(line.ln_one_minus_x_beta)
        ends[T] = [left - np.log1p(-np.exp(left)), np.log1p(-np.exp(right)) - right]
        # Rounding parts equal ends on some processors; a gap that doubles resolve is wider.
        if not ends[T][1] - ends[T][0] > 1e-9:
            raise _Nothing("fails", f"at {T:g} K both ends are x = {np.exp(left):g}")
    reason = "; ".join(
        texts[0] + (f" (and at {len(texts) - 1} more)" if len(texts) > 1 else "")
        for texts in reasons.values()
    )
    order: tuple[Verdict, ...] = ("did not converge", "not applicable", "no gap")
    if not ends or "did not converge" in reasons:
        raise _Nothing(next(v for v in order if v in reasons), reason)
    potentials = s.host.potentials(np.array(list(ends))[:, None], np.array(list(ends.values())))
    at = [f"{T:g} K, {element}" for T in ends for element in s.solution.components]
    return potentials[:, 0], [potentials[:, 1]], at, reason


def _unstable(host: HostEnergy, T: float) -> str:
    """Where a phase without a gap is unstable by pycalphad, or an empty string."""
    psi = np.max(_stabilities(host, np.full_like(_X, T), logit(_X)), axis=0)
    lowest = int(psi.argmin())
    return f"psi = {psi[lowest]:g} at x = {_X[lowest]:g}" if psi[lowest] < 0 else ""


def _critical_point(s: _Sample) -> Sides:
    """The critical temperature, and that of the plain description that `export` writes."""
    s.need_finite()
    solution, model = s.solution, s.solution.model
    if not issubclass(model, CoherentModel):
        raise _Nothing("not applicable", f"{model.__name__} has no coherency energy")
    whole, plain = (
        dict(m(solution.dbf, s.host.elements, solution.phase).models) for m in (model, Model)
    )
    del whole["elastic"]
    if whole != plain:
        reason = f"{model.__name__} adds more than coherency, which a plain TDB cannot hold"
        raise _Nothing("not applicable", reason)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = export_coherent_tdb(
                solution.dbf, f"{folder}/coherent.tdb", phase=solution.phase,
                components=solution.components, model=model,
            )  # fmt: skip
            dbf = Database.from_string(path.read_text(encoding="utf-8"), fmt="tdb")
        plain_one = BinarySolution(
            dbf, solution.components, solution.phase, pressure=solution.pressure
        )
        ours, theirs = _critical(solution), _critical(plain_one)
    except DatabaseError as error:  # the plain TDB has another energy
        raise _Nothing("fails", str(error)) from error
    except LinaCalphadError as error:
        raise _Nothing(_verdict(error), str(error)) from error
    if ours is None and theirs is None:
        raise _Nothing("no gap", "there is none by either route")
    if ours is None or theirs is None:
        reason = "there is a gap by one route and none by the other"
        raise _Nothing("fails", reason)
    return np.array([ours]), [np.array([theirs])], [""], ""


def _critical(solution: BinarySolution) -> float | None:
    """The critical temperature in K; None without a gap."""
    try:
        return solution.critical_point().T
    except NoMiscibilityGap:
        return None


def _verdict(error: Exception) -> Verdict:
    """Why an error leaves nothing to compare."""
    if isinstance(error, NoMiscibilityGap):
        return "no gap"
    return "did not converge" if isinstance(error, NotConverged) else "not applicable"


_ROUNDING = "both sum the same terms, up to 1e7 J/mol with 16 digits, in another order"
_IDENTITIES: tuple[tuple[Identity, Callable[[_Sample], Sides]], ...] = tuple(
    (Identity(name, formula, unit, tolerance, because), sides)
    for name, formula, unit, tolerance, because, sides in (
        ("Gibbs energy", "G = GM of pycalphad", "J/mol", 1e-7, _ROUNDING, _energy),
        ("S = -dG/dT", "SM of pycalphad = -dG/dT by finite differences", "J/(mol K)", 1e-5,
         f"rounding of G over a step of {_T_STEP} T", _entropy),
        ("chemical potentials", "G - x G' and G + (1-x) G' = d(n GM)/dn", "J/mol", 1e-7,
         _ROUNDING, _potentials),
        ("stability", "psi = x (1-x) G''/RT by finite differences of d(n GM)/dn", "1", 1e-7,
         f"rounding of mu over a step of {_LOGIT_STEP} in ln(x/(1-x)), over RT; relative where "
         "|psi| > 1", _stability),
        ("binodal", "d(n GM)/dn of both components equal in both phases", "J/mol", 1e-6,
         "ln x is good to some 1e-12, times RT; rounding of GM", _binodal),
        ("coherent critical point", "Tc = Tc of the plain TDB with 0L - B", "K", 1e-6,
         "both are roots of psi, good to some 1e-11 of Tc; a TDB keeps 15 digits",
         _critical_point),
    )
)  # fmt: skip
