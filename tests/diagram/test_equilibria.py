"""Equilibria of any phases of a binary: closed forms, 40-digit solutions, brute-force hulls."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.constants import R as GAS
from scipy.spatial import ConvexHull
from scipy.special import expit

from lina_calphad.diagram.crossings import newton
from lina_calphad.diagram.equilibria import CERTIFIED, Equilibria
from lina_calphad.diagram.phases import Phase
from lina_calphad.diagram.tracing import Tracer
from lina_calphad.errors import NotConverged, UnsupportedPhase

H_A, H_B = (9000.0, 1000.0), (11000.0, 800.0)  # melting: enthalpy in J/mol, temperature in K


def solution(name, interactions=(), entropies=(), ends=((0.0, 0.0), (0.0, 0.0)), **amounts):
    """A Redlich-Kister solution: L_k = interactions[k] - T entropies[k], ends (H, S) of A and B."""
    entropies = tuple(entropies) + (0.0,) * (len(interactions) - len(entropies))

    def terms(T, x, *_):
        T, x = np.broadcast_arrays(T, np.asarray(x, dtype=float))
        polynomial = np.polynomial.Polynomial
        d = polynomial([1.0, -2.0])
        shape = [polynomial([0, 1, -1]) * d**k for k in range(len(interactions))]
        terms_ = list(zip(interactions, entropies, shape, strict=False))
        r, r1, r2, r3 = (
            sum(
                ((h - T * s) / (GAS * T) * (p.deriv(n) if n else p)(x) for h, s, p in terms_),
                np.zeros_like(x),
            )
            for n in range(4)
        )
        (ha, sa), (hb, sb) = ends
        a, b = (ha - T * sa) / (GAS * T), (hb - T * sb) / (GAS * T)
        q = x * (1 - x)
        psi = 1 + q * r2
        slope = r1 + b - a
        return np.stack([r - x * r1 + a, slope, psi, q * ((1 - 2 * x) * r2 + q * r3)], axis=-1)

    return Phase(name, terms, **amounts)


def compound(name, x, h, s=0.0):
    """A compound of one composition per mole of atoms: H - T S."""
    return Phase(name, lambda T, *_: (h - T * s) / (GAS * T), (1 - x, x), None)


def melt(interactions=(), entropies=(), name="LIQUID"):
    ends = tuple((h, h / t) for h, t in (H_A, H_B))
    return solution(name, interactions, entropies, ends)


def sequence(phases, T):
    found = Equilibria(phases).at((np.array([float(T)]),))
    return [phases[p].name for p in found.sequence(0)], found


def hull(phases, T, points=4001):
    """x and phase of the corners of the lower hull of all phases, densely sampled."""
    t = np.concatenate([[-60.0], np.linspace(-14, 14, points), [60.0]])
    xs, gs, who = [], [], []
    for number, phase in enumerate(phases):
        if phase.fixed:
            g, x = phase.line((np.array([T]),))
            xs, gs, who = [*xs, x], [*gs, g], [*who, [number]]
            continue
        s, a, x, *_ = phase.curve(t, (np.full(t.size, T),))
        xs, gs, who = [*xs, x], [*gs, a + x * s], [*who, np.full(t.size, number)]
    x, g, who = map(np.concatenate, (xs, gs, who))
    corners = ConvexHull(np.column_stack([x, g])).simplices
    low = [c for c in corners if _below(x, g, c)]
    keep = np.unique(low)
    keep = keep[np.argsort(x[keep])]
    return x[keep], who[keep], x, g


def _below(x, g, corner):
    i, j = corner
    if x[i] == x[j]:
        return False
    line = g[i] + (g[j] - g[i]) / (x[j] - x[i]) * (x - x[i])
    return bool((g - line).min() > -1e-9)


def tie_lines_of_hull(phases, T):
    """Tie-lines as steps of the hull that are longer than the grid's."""
    x, who, *_ = hull(phases, T)
    t = np.log(np.maximum(x, 1e-300)) - np.log(np.maximum(1 - x, 1e-300))
    return [
        (int(who[k]), int(who[k + 1]), x[k], x[k + 1])
        for k in range(x.size - 1)
        if who[k] != who[k + 1] or (t[k + 1] - t[k] > 0.1 and -13 < t[k] and t[k + 1] < 13)
    ]


# -- closed forms --


def test_a_regular_solution():
    phase = solution("S", [2 * GAS * 1000])
    (row, found) = sequence([phase], 500.0)
    assert row == ["S", "S"]
    x = expit(found.t[:, 0])
    assert x.sum() == pytest.approx(1, abs=1e-12)
    z = 2 * 1000 / 500
    assert np.log((1 - x[0]) / x[0]) == pytest.approx(z * (1 - 2 * x[0]), rel=1e-12)


@pytest.mark.parametrize(
    "amounts",
    [{}, {"origin": (1.25, 0.625)}, {"change": (0.0, 1.0)}, {"origin": (1.0, 1.0)}],
    ids=["substitution", "sublattice", "interstitial", "held"],
)
def test_slopes_along_a_curve(amounts):
    """ds/dt is what is told, and da/ds = -x."""
    phase = solution("S", [4000.0, 1000.0], **amounts)
    t, h = np.array([-3.0, -0.4, 0.0, 1.1, 5.0]), 1e-5
    rows = (np.full(t.size, 700.0),)
    (s2, a2, *_), (s1, a1, *_) = (phase.curve(t + d, rows) for d in (h, -h))
    _, _, x, slope, _ = phase.curve(t, rows)
    assert slope == pytest.approx((s2 - s1) / (2 * h), rel=1e-8)
    assert x == pytest.approx(-(a2 - a1) / (s2 - s1), rel=1e-7)
    assert phase.dx(t) == pytest.approx((phase.x(expit(t + h)) - phase.x(expit(t - h))) / (2 * h))
    assert phase.place(phase.logs(t)) == pytest.approx(t, abs=1e-12)


def test_newtons_method_needs_no_brackets():
    """From a step of the grid beside, as quickly as its order says."""
    phases = [solution("S", [22_000.0]), melt()]
    _, found = sequence(phases, 850.0)
    k = np.flatnonzero((found.phases == [[0], [1]]).all(axis=0))
    start = found.t[:, k] + [[0.3], [-0.3]]
    t, good = newton(*phases, start, (np.array([850.0]),))
    assert good.all()
    assert t == pytest.approx(found.t[:, k], abs=1e-9)


def test_ideal_solutions_melt_along_a_lens():
    phases = [melt(), solution("SOLID")]
    T = 900.0
    row, found = sequence(phases, T)
    assert row == ["LIQUID", "SOLID"] or row == ["SOLID", "LIQUID"]
    # Ideal: ln(x_s/x_l) = dG/RT of each component.
    k_a, k_b = (np.exp(h * (1 / T - 1 / t) / GAS) for h, t in (H_A, H_B))
    x_liquid = (1 - k_a) / (k_b - k_a)
    at = dict(zip(row, expit(found.t[:, 0]), strict=True))
    assert at["LIQUID"] == pytest.approx(x_liquid, rel=1e-12)
    assert at["SOLID"] == pytest.approx(x_liquid * k_b, rel=1e-12)


def test_dilute_to_the_fortieth_digit():
    """A compound against a solution that takes hardly anything up."""
    phases = [solution("S", [40_000.0]), compound("AB", 0.5, -9000.0)]
    _, found = sequence(phases, 50.0)
    mpmath.mp.dps = 60
    z, g = mpmath.mpf(40_000) / (GAS * 50), mpmath.mpf(-9000) / (GAS * 50)

    def above(t):
        x = mpmath.exp(t)
        mu_a = mpmath.log(1 - x) + z * x**2
        mu_b = t + z * (1 - x) ** 2
        return (mu_a + mu_b) / 2 - g

    exact = mpmath.findroot(above, -2 * 9000 / (GAS * 50) - 40_000 / (GAS * 50))
    assert exact < mpmath.log(mpmath.mpf("1e-40"))
    assert phases[0].logs(found.t[0, :1])[1][0] == pytest.approx(float(exact), abs=1e-10)


def test_an_interstitial_solution():
    """Pd-H: sites on an ideal lattice beside pure H as a compound."""
    # Energies per mole of sites: y ln y + (1-y) ln(1-y) + z y; H pure at zero.
    z = -2.0

    def terms(T, y, *_):
        T, y = np.broadcast_arrays(T, y)
        one, nothing = np.ones_like(y), np.zeros_like(y)
        return np.stack([nothing, z * one, one, nothing], axis=-1)

    metal = Phase("PD", terms, (1.0, 0.0), (0.0, 1.0))
    gas = Phase("GAS", lambda T, *_: np.zeros_like(T), (0.0, 1.0), None)
    row, found = sequence([metal, gas], 300.0)
    assert row == ["PD", "GAS"]
    y = expit(found.t[0, 0])
    assert y == pytest.approx(1 / (1 + np.exp(z)), rel=1e-12)  # mu_H = 0
    assert np.exp(metal.logs(found.t[0])[1][0]) == pytest.approx(y / (1 + y), rel=1e-12)


def test_lithium_iron_phosphate():
    """Cogswell and Bazant, ACS Nano 6 (2012) 2215: coherent limits 0.09 and 0.91 at 298 K."""
    boltzmann, sites = 1.380649e-23, 1.3793e28
    omega, coherency = 1.856e-20, 0.1916e9
    avogadro = 6.02214076e23
    for strained, top, limit in ((False, 672.0, None), (True, 421.0, 0.0898)):
        w = (omega - strained * coherency / (2 * sites)) * avogadro
        phase = solution("FEPO4", [w * GAS / (boltzmann * avogadro)])
        (event,) = Tracer(Equilibria([phase]), (200.0, 900.0)).events()
        assert event.T == pytest.approx(top, abs=0.6)
        if limit:
            _, found = sequence([phase], 298.0)
            x = expit(found.t[:, 0])
            assert x == pytest.approx([limit, 1 - limit], abs=5e-5)


# -- events --


def test_kinds_of_events_of_made_up_systems():
    def kinds(phases, span=(300.0, 1500.0)):
        return [(e.kind, e.upper, [phases[p].name for p in e.phases])
                for e in Tracer(Equilibria(phases), span).events()]  # fmt: skip

    solid = solution("S", [22_000.0])
    eutectic = kinds([melt(), solid])
    assert ("three-phase", False, ["S", "LIQUID", "S"]) in eutectic
    gap = kinds([melt([20_000.0]), solution("S", [35_000.0])], (300.0, 3000.0))
    assert ("critical", True, ["LIQUID"]) in gap
    congruent = kinds([melt(), compound("AB", 0.5, -6000.0), solution("S", [40_000.0])])
    assert ("congruent", True, ["AB", "LIQUID"]) in congruent


@pytest.mark.parametrize("half", [200.0, 4.0])
def test_a_closed_loop_has_two_critical_points(half):
    """A gap between two temperatures alone, however close to each other."""

    def terms(T, x, *_):
        T, x = np.broadcast_arrays(T, x)
        z = 2.0 + 0.4 * (1 - ((T - 800.0) / half) ** 2)
        q = x * (1 - x)
        return np.stack([z * x**2, z * (1 - 2 * x), 1 - 2 * z * q, -2 * z * q * (1 - 2 * x)], -1)

    found = Tracer(Equilibria([Phase("S", terms)]), (300.0, 1300.0)).events()
    assert [(e.kind, e.upper) for e in found] == [("critical", False), ("critical", True)]
    assert [e.T for e in found] == pytest.approx([800.0 - half, 800.0 + half], rel=1e-9)


def test_a_compound_with_two_forms():
    """C1 turns into C2 of the same composition at 10 000/12.5 = 800 K, between its tie-lines."""
    forms = [compound("C1", 0.5, -13_000.0), compound("C2", 0.5, -3000.0, 12.5)]
    (event,) = Tracer(Equilibria([solution("S", [40_000.0]), *forms]), (600.0, 900.0)).events()
    assert (event.kind, event.phases) == ("transition", (1, 2))
    assert event.T == pytest.approx(800.0, rel=1e-12)


def test_a_peritectic_beside_a_congruent_point():
    """S1 melts congruently 13 mK above, at x = 0.052: the melt lies between S0 and S1."""
    phases = [
        melt([], [1.7224175]),
        solution("S0", [-1.5, 24006.4762, 8.4], [1.7224175]),
        solution("S1", [1.0, 0.0, 0.0, 1.0], [1.0, 2.47, 0.0, 1.0], ((522.24, 0.11), (10.0, -0.8))),
    ]
    found = Tracer(Equilibria(phases), (930.0, 980.0)).events()
    assert [(e.kind, e.phases) for e in found] == [
        ("three-phase", (1, 0, 2)), ("congruent", (2, 0))
    ]  # fmt: skip
    assert 0 < found[1].T - found[0].T < 0.03


def test_two_gaps_in_one_phase_and_one_cut_by_another():
    twice = solution("S", [0.0, 0.0, 30_000.0])
    row, found = sequence([twice], 745.0)
    assert row == ["S", "S", "S"]
    assert (found.height >= CERTIFIED).all()
    cut = [twice, compound("C", 0.2, -3000.0)]
    assert "C" in sequence(cut, 745.0)[0]


def test_phases_that_are_the_same_for_a_pure_component_are_refused():
    phases = [solution("S0"), solution("S1", [], [], ((0.0, 0.0), (0.0, 0.5)))]
    with pytest.raises(UnsupportedPhase, match="S0 and S1 have the same energy of the pure first"):
        Tracer(Equilibria(phases), (350.0, 1400.0)).events()


def test_two_events_at_one_temperature():
    """A symmetric solution closes both of its gaps at once."""
    phases = [solution("S", [-4760.0, 0.0, 14050.0])]
    one, two = Tracer(Equilibria(phases), (350.0, 1400.0)).events()
    assert (one.kind, two.kind) == ("critical", "critical")
    assert one.T == pytest.approx(two.T, rel=1e-12)
    assert one.t[0] == pytest.approx(-two.t[0], rel=1e-9)


# -- random systems against a hull --

energies = st.floats(-15_000, 25_000)


@st.composite
def systems(draw):
    """Two to four phases: a liquid, solids with Redlich-Kister terms to third order, compounds."""
    # Names say what a failing example is made of.
    rk, entropies = (
        draw(st.lists(energies, max_size=3)),
        draw(st.lists(st.floats(-3, 3), max_size=2)),
    )
    phases = [melt(rk, entropies, f"LIQUID {rk} {entropies}")]
    for number in range(draw(st.integers(1, 2))):
        ends = tuple(
            (draw(st.floats(10, 4000)) * number, draw(st.floats(-1, 1)) * number) for _ in "AB"
        )
        rk = draw(st.lists(energies, max_size=4))
        entropies = draw(st.lists(st.floats(-3, 3), max_size=len(rk)))
        phases.append(solution(f"S{number} {rk} {entropies} {ends}", rk, entropies, ends))
    if draw(st.booleans()):
        given_ = draw(st.floats(0.1, 0.9)), draw(st.floats(-9000, 500)), draw(st.floats(-2, 2))
        phases.append(compound(f"C {given_}", *given_))
    return phases


@settings(max_examples=25, deadline=None)
@given(systems(), st.floats(350, 1400))
def test_random_systems_agree_with_a_dense_hull(phases, T):
    _row, found = sequence(phases, T)
    assert (found.height >= CERTIFIED).all()
    _x, _who, every, g = hull(phases, T)
    # No sampled point lies below any of our tangents.
    for s, a in zip(found.s, found.a, strict=True):
        assert (g - a - every * s).min() > -1e-8
    # Every tie-line of the hull that is no step of its grid is one of ours.
    ours = [(int(p), int(q), *(float(np.exp(phases[k].logs(np.array([t]))[1][0]))
            for k, t in ((p, one), (q, two))))
            for (p, q), (one, two) in zip(found.phases.T, found.t.T, strict=True)]  # fmt: skip
    for p, q, low, high in tie_lines_of_hull(phases, T):
        if high - low < 0.03:
            continue
        assert any(
            (p, q) == mine[:2] and abs(mine[2] - low) < 0.01 and abs(mine[3] - high) < 0.01
            for mine in ours
        ), (p, q, low, high, ours)


@settings(max_examples=15, deadline=None)
@given(systems())
def test_events_of_random_systems_explain_every_change(phases):
    tracer = Tracer(Equilibria(phases), (350.0, 1400.0))
    try:
        events = tracer.events()
    except NotConverged as error:
        pytest.fail(str(error))
    assert [e.T for e in events] == sorted(e.T for e in events)
    for event in events:
        logs = [phases[p].logs(np.array([t])) for p, t in zip(event.phases, event.t, strict=True)]
        if event.kind == "three-phase":  # in order, but for what happens at one temperature
            assert (np.diff([b[0] - a[0] for a, b in logs]) > -0.01).all(), event
