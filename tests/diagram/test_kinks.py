"""Whole diagrams of phases with corners, kinks and jumps of the Gibbs energy, against a hull."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pycalphad import Database, calculate
from scipy.special import expit, logit
from support import lower_hull

from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import NotConverged

pytestmark = pytest.mark.filterwarnings("ignore:The type definition character")
PAIRS = list(itertools.combinations(("AL", "CR", "FE", "MN", "NI", "ZR"), 2))
METALS = ["LIQUID", "BCC_A2", "FCC_A1", "HCP_A3"]


def gaps_of_hull(dbf, pair, phase, T, x, widest):
    """Gaps of the lower hull of pycalphad's own energies that are wider than that."""
    components = [*pair, "VA"]
    sublattices = [sorted(s.name for s in c) for c in dbf.phases[phase].constituents]
    share = {pair[0]: 1 - x, pair[1]: x}
    points = np.column_stack(
        [share.get(name, np.ones_like(x)) for names in sublattices for name in names
         if name in (*pair, "VA")]
    )  # fmt: skip
    g = calculate(dbf, components, [phase], T=T, P=101325, points=points).GM.values.ravel()
    steps = itertools.pairwise(lower_hull(x, g - g[0] - (g[-1] - g[0]) * x))
    return [(x[i], x[j]) for i, j in steps if j > i + 1 and x[j] - x[i] > widest]


def gaps_of(lines):
    return [(a, b) for a, b in lines.x.T.tolist()]


# The moment of bcc Cr-Fe and that of fcc Fe-Ni change sign (x = 0.00359, 0.80153), where the slope
# of G falls; beside the Curie line of fcc Mn-Ni psi jumps below zero, between two points of a
# grid, and beside its gap there is a corner, less than a step away.
@pytest.mark.parametrize(
    ("pair", "phase", "T", "count"),
    [
        (("CR", "FE"), "BCC_A2", 220.0, 2),
        (("CR", "FE"), "BCC_A2", 280.4, 2),
        (("FE", "NI"), "FCC_A1", 547.0, 1),
        (("FE", "NI"), "FCC_A1", 900.0, 1),
        (("MN", "NI"), "FCC_A1", 358.0, 2),
        (("MN", "NI"), "FCC_A1", 359.4, 3),
        (("MN", "NI"), "FCC_A1", 521.06, 1),
        (("MN", "NI"), "FCC_A1", 530.0, 1),
    ],
)
def test_gaps_that_no_grid_sees_are_those_of_a_hull(example_tdb, pair, phase, T, count):
    dbf = example_tdb("COST507.tdb")
    found = gaps_of(BinarySystem(dbf, pair, [phase]).equilibria(T))
    assert len(found) == count
    near = [end + np.linspace(-4e-4, 4e-4, 161) for gap in found for end in gap]
    x = np.unique(np.concatenate([expit(np.linspace(-20, 20, 2000)), *near]))
    x = x[(x > 0) & (x < 1)]
    expected = gaps_of_hull(dbf, pair, phase, T, x, 8e-5)
    np.testing.assert_allclose(found, expected, atol=2e-5)


HEAD = """
 ELEMENT VA VACUUM 0.0 0.0 0.0 !
 ELEMENT AA BCC_A2 10.0 4000.0 20.0 !
 ELEMENT BB BCC_A2 20.0 5000.0 30.0 !
 TYPE_DEFINITION % SEQ * !
 TYPE_DEFINITION A GES A_P_D BCC_A2 MAGNETIC -1.0 0.4 !
 PHASE BCC_A2 %A 1 1 !
 CONSTITUENT BCC_A2 : AA,BB : !
 PARAMETER G(BCC_A2,AA;0) 298.15 0; 6000 N !
 PARAMETER G(BCC_A2,BB;0) 298.15 0; 6000 N !
"""


def test_random_magnetic_phases_agree_with_a_hull():
    rng, pair, cornered = np.random.default_rng(7), ("AA", "BB"), 0
    spans = {"TC AA": 1200, "TC BB": 1200, "TC AA,BB": 1500, "BMAGN AA": 2, "BMAGN BB": 2,
             "BMAGN AA,BB": 6, "L AA,BB": 4000}  # fmt: skip
    x = np.unique(np.concatenate([expit(np.linspace(-25, 25, 400)), np.linspace(5e-4, 1, 4000)]))
    for _ in range(25):
        text = HEAD
        for name, span in spans.items():
            kind, of = name.split()
            value = rng.uniform(-span, span) + 4000 * (kind == "L")
            text += f" PARAMETER {kind}(BCC_A2,{of};0) 298.15 {value:.6g}; 6000 N !\n"
        dbf = Database.from_string(text, fmt="tdb")
        system = BinarySystem(dbf, pair, ["BCC_A2"])
        for T in (300.0, 600.0):
            found = gaps_of(system.equilibria(T))
            expected = gaps_of_hull(dbf, pair, "BCC_A2", T, x[:-1], 1.6e-3)
            assert [g for g in found if g[1] - g[0] > 3e-3] == [
                (pytest.approx(a, abs=1e-3), pytest.approx(b, abs=1e-3))
                for a, b in expected if b - a > 3e-3
            ]  # fmt: skip
            (phase,) = system.phases
            cornered += phase.gap.corners((np.array([T]),))[0].size > 0
    assert cornered > 20


def test_a_phase_that_touches_a_tangent_may_lie_below_it_elsewhere(example_tdb):
    # Above 727.9 K hcp with 0.7 % Cr is no longer stable between fcc and hcp with 36 %.
    dbf = example_tdb("alcocrni.tdb")
    system = BinarySystem(dbf, ("CO", "CR"), ["FCC_A1", "HCP_A3", "SIGMA_SGTE"])
    lines = system.equilibria([725.99, 726.0, 727.8, 727.95])
    first = [len(lines.T[lines.T == T]) for T in (725.99, 726.0, 727.8, 727.95)]
    assert first == [4, 4, 4, 3]


def test_the_gap_that_closes_is_named_and_not_the_other(example_tdb):
    dbf = example_tdb("FeNi_deep_branching.tdb")
    found = BinarySystem(dbf, ("FE", "NI"), ["FCC_A1"]).invariants(700, 800)
    assert [(one.kind, round(one.phases[0][1], 3)) for one in found] == [
        ("upper critical point", 0.974)
    ]


def test_a_gap_beside_a_curie_line_ends_where_psi_is_positive_on_both_sides(example_tdb):
    system = BinarySystem(example_tdb("COST507.tdb"), ("MN", "NI"), ["FCC_A1"])
    (top,) = [one for one in system.invariants(450, 700) if one.kind == "upper critical point"]
    ((_, x),) = top.phases
    (phase,) = system.phases

    def lowest(T):
        _, sides = phase.gap.switched((np.array([T]),))
        near = sides[:, np.abs(sides[0] - logit(x)) < 0.01].ravel()
        return phase.curve(near, (np.full(near.size, T),))[4].min()

    # How far below it ends is as little as doubles tell apart.
    assert lowest(top.T - 0.2) < 0 < lowest(top.T + 0.05)
    assert len(system.equilibria(top.T - 0.001).T) == 1
    assert len(system.equilibria(top.T + 0.001).T) == 0


def test_an_energy_that_jumps_at_a_temperature_is_named(example_tdb):
    # Above 2128 K this database lacks a term of bcc Zr.
    system = BinarySystem(example_tdb("COST507.tdb"), ("HF", "ZR"), METALS)
    with pytest.raises(NotConverged, match=r"BCC_A2 jumps by 1\.5e\+05 J/mol at 2128 K, and no"):
        system.diagram()
    assert {one.kind for one in system.diagram(300, 2127).invariants}


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
def test_every_binary_of_magnetic_metals_converges(example_tdb, pair):
    diagram = BinarySystem(example_tdb("COST507.tdb"), pair, METALS).diagram(300)
    assert diagram.invariants
