"""check_consistency: thermodynamic identities of a solution, each by two independent routes."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pycalphad import Database, Model
from scipy.differentiate import derivative
from scipy.special import expit, logit

from lina_calphad.check.identities import Consistency, Identity, Verdict, compare
from lina_calphad.checks import SEARCH_RANGE, kelvin
from lina_calphad.data.databases import has_elastic_data, mixing_sublattice
from lina_calphad.errors import (
    DatabaseError,
    ElasticDataError,
    LinaCalphadError,
    NoMiscibilityGap,
    NotConverged,
    UnsupportedPhase,
)
from lina_calphad.phase.coherent import CoherentModel, EndmemberCoherentModel
from lina_calphad.phase.energy import R
from lina_calphad.phase.export import export_coherent_tdb
from lina_calphad.phase.host_energy import HostEnergy
from lina_calphad.phase.solution import BinarySolution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike

    from lina_calphad.checks import Array


class _NotApplicable(Exception):
    """An identity says nothing of this solution."""


# No two at equal distance from the middle, where terms of odd order could hide.
_X = np.array([0.003, 0.02, 0.1, 0.27, 0.45, 0.62, 0.81, 0.94, 0.99])
# Where psi is taken for its limits: |psi - 1| is x (1-x) |r''|, and r'' below 1e4 down to 1 K.
_ENDS = np.array([0.0, 1e-12, 1 - 1e-12, 1.0])
# What takes a finite energy: name, unit and tolerance.
_FINITE = (
    ("binodal", "J/mol", 1e-6), ("coherent critical point", "K", 1e-6),
    ("coherent Tc shift", "K", 1e-6),
)  # fmt: skip
_T_STEP, _LOGIT_STEP = 0.003, 0.02  # of differences: relative to T, and in ln(x/(1-x))


def check_consistency(solution: BinarySolution, T: ArrayLike) -> Consistency:
    """Check that a solution obeys thermodynamics, each identity by two independent routes.

    What this package computes (energy, first and second derivative, tie-lines, critical
    point) is held against pycalphad's own evaluation of its Model, against derivatives of
    the extensive Gibbs energy, against finite differences and against closed forms. A
    Model whose parts do not add up to its GM or HM shows here, and so does an error of ours.

    ==========================  ==========================================================
    identity                    this package against
    ==========================  ==========================================================
    Gibbs energy                GM of pycalphad's Model, by `pycalphad.calculate`
    G = H - TS                  HM - T SM, likewise
    S = -dG/dT                  SM against finite differences of G in T
    chemical potentials         G - x G' and G + (1-x) G' against d(nG)/dn of GM
    Gibbs-Duhem                 (1-x) dmu1 + x dmu2 against 0, by finite differences
    stability                   psi against finite differences of d(nG)/dn of GM
    limits of psi               psi at both ends against 1
    binodal                     d(nG)/dn of GM in one phase against the other
    coherent critical point     Tc against that of the plain TDB with 0L - B
    coherent Tc shift           Tc against the chemical one, less B/(2R), if 0L is alone
    ==========================  ==========================================================

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
    <Consistency of BinarySolution BCC_A2 of LI and NA: CoherentModel: 10 hold>
    """
    T = kelvin(T).ravel()
    if T.size == 0:
        msg = "a check of consistency takes at least one temperature; got none"
        raise ValueError(msg)
    host = HostEnergy(solution)
    # What is no number is a finding.
    with np.errstate(all="ignore"):
        rows = tuple(_energies(host, T))
        if np.isfinite(solution.gibbs_energy(T[:, None], _X)).all():
            rows += (_tie_lines(host, T), *_coherency(solution))
        else:
            reason = "the Gibbs energy is not finite at every temperature"
            rows += tuple(
                Identity(name, "", unit, tolerance, "", "not applicable", reason=reason)
                for name, unit, tolerance in _FINITE
            )
    return Consistency(repr(solution), tuple(T.tolist()), rows)


def _energies(host: HostEnergy, T: Array) -> Iterator[Identity]:
    """What holds of the homogeneous phase."""
    solution = host.solution
    grid, x = np.broadcast_arrays(T[:, None], _X)
    t = logit(x)
    at = [f"{T:g} K, x = {x:g}" for T, x in zip(grid.ravel(), x.ravel(), strict=True)]

    def ours(T: Array, t: Array) -> Array:
        """Both chemical potentials from G and its slope."""
        x = expit(t)
        G, slope = solution.gibbs_energy(T, x), solution.diffusion_potential(T, x)
        return np.stack([G - x * slope, G + (1 - x) * slope], axis=-1)

    def duhem(t: Array, T: Array, x: Array) -> Array:
        """Gibbs-Duhem's sum at fixed weights, whose slope is to vanish."""
        potentials = ours(T, t)
        return (1 - x) * potentials[..., 0] + x * potentials[..., 1]

    def row(name: str, formula: str, unit: str, tolerance: float, because: str) -> Identity:
        return Identity(name, formula, unit, tolerance, because, "not applicable")

    G, entropy = solution.gibbs_energy(grid, x), host.sample("SM", T, _X)
    rounding = "both sum the same terms, up to 1e7 J/mol with 16 digits, in another order"
    yield compare(
        row("Gibbs energy", "G = GM of pycalphad", "J/mol", 1e-7, rounding),
        G, host.sample("GM", T, _X), at,
    )  # fmt: skip
    yield compare(
        row("G = H - TS", "G = HM - T SM of pycalphad", "J/mol", 1e-7, rounding),
        G, host.sample("HM", T, _X) - grid * entropy, at,
    )  # fmt: skip
    yield compare(
        row("S = -dG/dT", "SM of pycalphad = -dG/dT by finite differences", "J/(mol K)", 1e-5,
            f"rounding of G over a step of {_T_STEP} T"),
        entropy, [-slope for slope in _slopes(solution.gibbs_energy, grid, _T_STEP * grid, x)], at,
    )  # fmt: skip
    yield compare(
        row("chemical potentials", "G - x G' and G + (1-x) G' = d(n GM)/dn", "J/mol", 1e-7,
            rounding),
        ours(grid, t), host.potentials(grid, t), [f"{a}, {e}" for a in at for e in
                                                   solution.components],
    )  # fmt: skip
    step = np.full_like(t, _LOGIT_STEP)
    scale = f"rounding of mu over a step of {_LOGIT_STEP} in ln(x/(1-x))"
    yield compare(
        row("Gibbs-Duhem", "(1-x) dmu1 + x dmu2 = 0, d by finite differences in ln(x/(1-x))",
            "J/mol", 1e-5, scale),
        np.zeros_like(t), _slopes(duhem, t, step, grid, x), at,
    )  # fmt: skip
    psi = solution.stability(grid, x)
    size = np.maximum(1, np.abs(psi))
    yield compare(
        row("stability", "psi = x (1-x) G''/RT by finite differences of d(n GM)/dn", "1", 1e-7,
            f"{scale}, over RT; relative where |psi| > 1"),
        psi / size, [side / size for side in _stabilities(host, grid, t)], at,
    )  # fmt: skip
    kelvin, ends = np.broadcast_arrays(T[:, None], _ENDS)
    yield compare(
        row("limits of psi", "psi = 1 at both ends, x = 0 and 1e-12, 1 - 1e-12 and 1", "1", 1e-6,
            "x (1-x) r'' at 1e-12, with r'' up to 1e4 at 1 K"),
        solution.stability(kelvin, ends), np.ones_like(ends),
        [f"{T:g} K, x = {x:.3g}" for T, x in zip(kelvin.ravel(), ends.ravel(), strict=True)],
    )  # fmt: skip


def _stabilities(host: HostEnergy, T: Array, t: Array) -> list[Array]:
    """Psi of pycalphad's energy, from below and from above."""

    def difference(t: Array, T: Array) -> Array:
        potentials = host.potentials(T, t)
        return potentials[..., 1] - potentials[..., 0]

    return [side / (R * T) for side in _slopes(difference, t, np.full_like(t, _LOGIT_STEP), T)]


def _slopes(f: Callable[..., Array], x: Array, step: Array, *others: Array) -> list[Array]:
    """Derivatives of f in its first argument, from below and from above.

    A range boundary or a Curie temperature within the step spoils one of them alone.
    """
    return [
        derivative(f, x, args=others, initial_step=step, step_direction=side, order=6, maxiter=1).df
        for side in (-1, 1)
    ]


def _tie_lines(host: HostEnergy, T: Array) -> Identity:
    """Equal chemical potentials of both phases in equilibrium."""
    row = Identity(
        "binodal", "d(n GM)/dn of both components equal in both phases", "J/mol", 1e-6,
        "ln x is good to some 1e-12, times RT; rounding of GM", "not applicable",
    )  # fmt: skip
    ends: dict[float, list[float]] = {}
    reasons: dict[Verdict, list[str]] = {}
    for each in T.tolist():
        try:
            line = host.solution.binodal(each)
        except LinaCalphadError as error:
            reasons.setdefault(_verdict(error), []).append(str(error))
            if isinstance(error, NoMiscibilityGap) and (where := _unstable(host, each)):
                return replace(row, verdict="fails", reason=f"{error}; but {where}")
            continue
        # ln x - ln(1-x), each end from the logarithm that keeps its digits
        left, right = float(line.ln_x_alpha), float(line.ln_one_minus_x_beta)
        ends[each] = [left - np.log1p(-np.exp(left)), np.log1p(-np.exp(right)) - right]
        # Rounding parts equal ends on some processors; a gap that doubles resolve is wider.
        if not ends[each][1] - ends[each][0] > 1e-9:
            reason = f"at {each:g} K both ends are x = {np.exp(left):g}"
            return replace(row, verdict="fails", reason=reason)
    reason = "; ".join(
        texts[0] + (f" (and at {len(texts) - 1} more)" if len(texts) > 1 else "")
        for texts in reasons.values()
    )
    if not ends or "did not converge" in reasons:
        verdicts: tuple[Verdict, ...] = ("did not converge", "not applicable", "no gap")
        return replace(row, verdict=next(v for v in verdicts if v in reasons), reason=reason)
    potentials = host.potentials(np.array(list(ends))[:, None], np.array(list(ends.values())))
    at = [f"{each:g} K, {element}" for each in ends for element in host.solution.components]
    return compare(row, potentials[:, 0], potentials[:, 1], at, reason)


def _unstable(host: HostEnergy, T: float) -> str:
    """Where a phase without a gap is unstable by pycalphad, or an empty string."""
    psi = np.max(_stabilities(host, np.full_like(_X, T), logit(_X)), axis=0)
    lowest = int(psi.argmin())
    return f"psi = {psi[lowest]:g} at x = {_X[lowest]:g}" if psi[lowest] < 0 else ""


def _coherency(solution: BinarySolution) -> Iterator[Identity]:
    """What holds of a critical point with coherency energy."""
    because = "both are roots of psi, good to some 1e-11 of Tc; a TDB keeps 15 digits"
    for name, formula, sides in (
        ("coherent critical point", "Tc = Tc of the plain TDB with 0L - B", _exported),
        ("coherent Tc shift", "Tc - chemical Tc = -B/(2R), for 0L alone", _shifted),
    ):
        row = Identity(name, formula, "K", 1e-6, because, "not applicable")
        try:
            lhs, rhs = sides(solution)
        except DatabaseError as error:  # the plain TDB has another energy
            yield replace(row, verdict="fails", reason=str(error))
            continue
        except (_NotApplicable, LinaCalphadError) as error:
            yield replace(row, verdict=_verdict(error), reason=str(error))
            continue
        if lhs is None and rhs is None:
            yield replace(row, verdict="no gap", reason="there is none by either route")
        elif lhs is None or rhs is None:
            reason = "there is a gap by one route and none by the other"
            yield replace(row, verdict="fails", reason=reason, lhs=lhs, rhs=rhs)
        else:
            yield compare(row, np.array([lhs]), np.array([rhs]), [""])


def _exported(solution: BinarySolution) -> tuple[float | None, float | None]:
    """The critical temperature, and that of the plain description that `export` writes."""
    model, elements = _coherent(solution), [*solution.components, "VA"]
    whole, plain = (dict(m(solution.dbf, elements, solution.phase).models) for m in (model, Model))
    del whole["elastic"]
    if whole != plain:
        msg = f"{model.__name__} adds more than coherency, which a plain TDB cannot hold"
        raise _NotApplicable(msg)
    with tempfile.TemporaryDirectory() as folder:
        path = export_coherent_tdb(
            solution.dbf, f"{folder}/coherent.tdb", phase=solution.phase,
            components=solution.components, model=model,
        )  # fmt: skip
        dbf = Database.from_string(path.read_text(encoding="utf-8"), fmt="tdb")
    exported = BinarySolution(dbf, solution.components, solution.phase, pressure=solution.pressure)
    return _critical(solution), _critical(exported)


def _shifted(solution: BinarySolution) -> tuple[float | None, float | None]:
    """The shift of the critical temperature, and -B/(2R); both None without a gap."""
    model = _coherent(solution)
    elements = [*solution.components, "VA"]
    index = mixing_sublattice(solution.dbf, solution.phase, set(elements))
    built = model(solution.dbf, elements, solution.phase)
    (B,) = built.coherency.values()
    if B.free_symbols:
        msg = f"B depends on {', '.join(sorted(map(str, B.free_symbols)))}"
        raise _NotApplicable(msg)
    chemical = BinarySolution(
        solution.dbf, solution.components, solution.phase, pressure=solution.pressure
    )
    T, x = np.array([[50.0], [500.0], [2000.0]]), _X
    L0 = (1 - chemical.stability(T, x)) * R * T / (2 * x * (1 - x))
    if np.ptp(L0) > 1e-9 * max(1, np.abs(L0).max()):
        msg = "the chemical interactions are more than a constant 0L"
        raise _NotApplicable(msg)
    shift = -float(B) / float(built.site_ratios[index]) / (2 * R)
    coherent, before = _critical(solution), _critical(chemical)
    if before is None or before + shift < SEARCH_RANGE[0]:
        return coherent, None
    return None if coherent is None else coherent - before, shift


def _coherent(solution: BinarySolution) -> type[CoherentModel]:
    if not issubclass(solution.model, CoherentModel):
        msg = f"{solution.model.__name__} has no coherency energy"
        raise _NotApplicable(msg)
    return solution.model


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


def solutions(
    dbf: Database, components: Sequence[str], phases: Sequence[str] = ()
) -> tuple[list[BinarySolution], dict[str, str]]:
    """What can be checked of a database: each phase with each Model that its data allow.

    Parameters
    ----------
    dbf
        The database.
    components
        The two elements.
    phases
        Names of the phases; by default, all that are binary solutions.

    Returns
    -------
    list of BinarySolution
        With pycalphad's Model and, where there are elastic data, with both coherent ones.
    dict of str
        Why a phase, or its coherent Models, are left out.

    Raises
    ------
    DatabaseError, UnsupportedPhase
        If the two are no elements of the database, or a phase that `phases` names
        cannot be checked.

    Examples
    --------
    >>> from lina_calphad import load
    >>> found, left_out = solutions(load("santos2025"), ("LI", "NA"), ["BCC_A2"])
    >>> [solution.model.__name__ for solution in found]
    ['Model', 'CoherentModel', 'EndmemberCoherentModel']
    """
    if len({component.upper() for component in components}) != 2:
        msg = f"a binary solution takes two different components; got {', '.join(components)}"
        raise UnsupportedPhase(msg)
    found, left_out = [], {}
    for phase in phases or sorted(dbf.phases):
        try:
            found.append(BinarySolution(dbf, components, phase))
        except UnsupportedPhase as error:
            if phases:
                raise
            left_out[phase] = str(error)
            continue
        except (LinaCalphadError, ValueError):
            raise
        except Exception as error:  # pycalphad's Model raises whatever its parts raise
            text = f"{phase} cannot be built: {type(error).__name__}: {error}; see the lint"
            if phases:
                raise UnsupportedPhase(text) from error
            left_out[phase] = text
            continue
        if has_elastic_data(dbf, phase.upper()):
            try:
                for model in (CoherentModel, EndmemberCoherentModel):
                    found.append(BinarySolution(dbf, components, phase, model))
            except ElasticDataError as error:
                left_out[f"{phase}, coherent"] = str(error)
    return found, left_out
