"""Tie-lines of phases of several sublattices, interstitials and order, against brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from pycalphad import Database
from scipy.optimize import minimize
from scipy.spatial import ConvexHull
from support import R, regular

import lina_calphad as lc
from lina_calphad.errors import UnsupportedPhase
from lina_calphad.stability.isotherm import apart, sides_of
from lina_calphad.stability.surface import Surface

HEAD = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT A BCC_A2 1 0 0 !
 ELEMENT B BCC_A2 1 0 0 !
 ELEMENT C BCC_A2 1 0 0 !
 TYPE_DEFINITION % SEQ * !
"""
T = 700.0
PAIRS = {("A", "B"): 16000.0, ("A", "C"): -5000.0, ("B", "C"): 13000.0}


def split(pairs):
    """The regular solution with its atoms on two sublattices that are alike."""
    lines = [" PHASE SPLIT % 2 1 1 !", " CONSTITUENT SPLIT :A,B,C:A,B,C: !"]
    for (a, b), value in pairs.items():
        for where in (f"{a},{b}:*", f"*:{a},{b}", f"{a}:{b}", f"{b}:{a}"):
            lines.append(f" PARAMETER G(SPLIT,{where};0) 1 {value / 2}; 6000 N !")
    return Database.from_string(HEAD + "\n".join(lines), fmt="tdb")


# Laves-like, with sites that differ; a metal with vacancies and an interstitial; three
# sublattices, one of which is always full of C.
PHASES = {
    "two sublattices": """
 PHASE P % 2 2 1 !
 CONSTITUENT P :A,B,C:A,B,C: !
 PARAMETER G(P,A:B;0) 1 -9000; 6000 N !
 PARAMETER G(P,B:A;0) 1 15000; 6000 N !
 PARAMETER G(P,A:C;0) 1 4000; 6000 N !
 PARAMETER G(P,C:A;0) 1 6000; 6000 N !
 PARAMETER L(P,A,B:*;0) 1 32000; 6000 N !
 PARAMETER L(P,B,C:*;0) 1 22000; 6000 N !
 PARAMETER L(P,*:A,C;0) 1 9000; 6000 N !
""",
    "interstitial": """
 PHASE P % 2 1 1 !
 CONSTITUENT P :A,B:C,VA: !
 PARAMETER G(P,A:C;0) 1 -20000; 6000 N !
 PARAMETER G(P,B:C;0) 1 -5000; 6000 N !
 PARAMETER L(P,A,B:VA;0) 1 15000; 6000 N !
 PARAMETER L(P,A,B:VA;1) 1 2000; 6000 N !
 PARAMETER L(P,A:C,VA;0) 1 9000; 6000 N !
""",
    "spectator": """
 PHASE P % 3 1 2 1 !
 CONSTITUENT P :A,B:A,VA:C,VA: !
 PARAMETER G(P,A:VA:VA;0) 1 0; 6000 N !
 PARAMETER G(P,B:A:VA;0) 1 5000; 6000 N !
 PARAMETER G(P,A:A:VA;0) 1 -3000; 6000 N !
 PARAMETER G(P,B:VA:C;0) 1 -8000; 6000 N !
 PARAMETER L(P,A,B:*:*;0) 1 14000; 6000 N !
 PARAMETER L(P,*:*:C,VA;0) 1 12000; 6000 N !
""",
}


@pytest.fixture(scope="module", params=list(PHASES))
def case(request):
    dbf = Database.from_string(HEAD + PHASES[request.param], fmt="tdb")
    solution = lc.Solution(dbf, ("A", "B", "C"), "P")
    return solution, solution.isotherm(T), Surface(solution, T)


def per_atom(energy, y):
    """Mole fractions, and G of a mole of atoms over RT."""
    moles = energy.fixed + y @ energy.moles.T
    total = moles.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return moles / total[..., None], energy.gradient(np.array(T), y)[0] / (R * T * total)


def every_site_fraction(energy):
    """A dense grid over all sublattices, which minimises over the internal freedom by number."""
    steps = {2: 120, 3: 40, 4: 20}[len(energy.variables) - len(energy.sublattices)]
    grids = []
    for row in energy.sublattices:
        counts = product(range(steps + 1), repeat=row.sum() - 1)
        free = np.array([c for c in counts if sum(c) <= steps]) / steps
        grids.append(np.column_stack([1 - free.sum(axis=1), free]))
    index = np.meshgrid(*(np.arange(len(g)) for g in grids), indexing="ij")
    return np.concatenate([g[i.ravel()] for g, i in zip(grids, index, strict=True)], axis=1)


def potential_of(energy, y, compound):
    """Of a compound of one constituent on each sublattice, over RT, from the slopes of G."""
    G, slope = energy.gradient(np.array(T), y)
    chosen = [f"{v.species.name}{v.sublattice_index}" in compound for v in energy.variables]
    return (G + slope @ np.array(chosen, float) - (y * slope).sum(axis=-1)) / (R * T)


def test_it_unmixes(case):
    _, isotherm, _ = case
    assert isotherm.tie_lines
    assert all(len(region) > 5 for region in isotherm.tie_lines)


def test_no_site_fractions_lie_under_a_tie_line(case):
    solution, isotherm, surface = case
    x, G = per_atom(solution.energy, every_site_fraction(solution.energy))
    there = np.isfinite(G)
    x, G = x[there], G[there]
    hull = ConvexHull(np.column_stack([x[:, 1:], G]))
    planes = hull.equations[hull.equations[:, 2] < -1e-9]
    for phases in (*isotherm.tie_lines, isotherm.triangles):
        if not len(phases):
            continue
        middle = phases.mean(axis=1)
        level = surface.value(surface.sites(phases)).mean(axis=1)
        above = (-(middle[:, 1:] @ planes[:, :2].T + planes[:, 3]) / planes[:, 2]).max(axis=1)
        # The hull of a grid lies above the true one, and not by much.
        assert (above - level).min() > -1e-10
        assert (above - level).max() < 0.02
        for line, plane in zip(phases, surface.planes(phases[:, 0]), strict=True):
            assert (G - x @ plane).min() > -1e-9
            assert surface.value(surface.sites(line)) == pytest.approx(line @ plane, abs=1e-9)
    for side in sides_of(isotherm.triangles):
        assert min(apart(side, r[[0, -1]]).min() for r in isotherm.tie_lines) < 0.1


def test_phases_of_a_tie_line_have_the_same_potentials(case):
    solution, isotherm, surface = case
    energy = solution.energy
    names = {f"{v.species.name}{v.sublattice_index}" for v in energy.variables}
    compounds = [
        compound
        for compound in (
            {"A0", "VA1"},
            {"B0", "VA1"},
            {"A0", "C1"},
            {"A0", "A1"},
            {"B0", "B1"},
            {"C0", "C1"},
            {"A0", "A1", "VA2"},
            {"B0", "VA1", "VA2"},
            {"B0", "VA1", "C2"},
        )
        if compound <= names and len(compound) == len(energy.sublattices)
    ]
    assert len(compounds) >= 3
    for region in isotherm.tie_lines:
        y = surface.sites(region)
        for compound in compounds:
            assert np.ptp(potential_of(energy, y, compound), axis=1).max() < 1e-8
        assert surface.curvature(region)[0].min() > 0


def test_site_fractions_of_a_tie_line_are_the_best_there_are(case):
    solution, isotherm, surface = case
    energy = solution.energy
    if not energy.freedom:
        return
    region = isotherm.tie_lines[0]
    for x in region[len(region) // 2]:
        wanted = [
            {"type": "eq", "fun": lambda y: energy.sublattices @ y - 1},
            {"type": "eq", "fun": lambda y, x=x: (per_atom(energy, y)[0] - x)[1:]},
        ]
        ends = [
            minimize(
                lambda y: per_atom(energy, y)[1], start, constraints=wanted,
                bounds=[(1e-12, 1)] * len(start), options={"ftol": 1e-13, "maxiter": 500},
            )
            for start in np.random.default_rng(5).uniform(0.1, 0.9, (12, len(energy.variables)))
        ]  # fmt: skip
        best = min(end.fun for end in ends if end.success)
        own = per_atom(energy, surface.sites(x))[1]
        assert own == pytest.approx(best, abs=1e-6)


def test_atoms_on_two_sublattices_that_are_alike_are_one_alloy():
    one = lc.Solution(regular({pair: [v] for pair, v in PAIRS.items()}), ("A", "B", "C"), "ALLOY")
    two = lc.Solution(split(PAIRS), ("A", "B", "C"), "SPLIT")
    expected, found = one.isotherm(T), two.isotherm(T)
    assert found.critical_points == pytest.approx(expected.critical_points, abs=1e-6)
    assert found.stable.tolist() == expected.stable.tolist()
    assert len(found.tie_lines) == len(expected.tie_lines)
    assert found.triangles.shape == expected.triangles.shape
    for region in found.tie_lines:
        G, slope = one.energy.gradient(np.array(T), region)
        plane = slope + (G - (region * slope).sum(axis=-1))[..., None]
        assert np.ptp(plane, axis=1).max() / (R * T) < 1e-8
    for curve in found.spinodal:
        assert np.abs(one.stability(T, curve)).max() < 1e-8


def test_the_order_of_the_components_changes_nothing(case):
    solution, expected, _ = case
    if len(solution.energy.sublattices) == 3:
        return  # two are enough
    turned = lc.Solution(solution.dbf, ("C", "A", "B"), "P").isotherm(T)
    back = turned.critical_points[:, [1, 2, 0]]
    assert len(back) == len(expected.critical_points)
    for x in expected.critical_points:
        assert np.abs(back - x).max(axis=1).min() < 1e-6
    assert len(turned.tie_lines) == len(expected.tie_lines)
    assert turned.triangles.shape == expected.triangles.shape


def test_charged_species_are_refused():
    text = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT CE FCC_A1 1 0 0 !
 ELEMENT O GAS 1 0 0 !
 ELEMENT ZR HCP_A3 1 0 0 !
 SPECIES CE+3 CE1/+3 !
 SPECIES CE+4 CE1/+4 !
 SPECIES ZR+4 ZR1/+4 !
 SPECIES O-2 O1/-2 !
 TYPE_DEFINITION % SEQ * !
 PHASE FLUORITE:I % 2 1 2 !
 CONSTITUENT FLUORITE:I :CE+3,CE+4,ZR+4:O-2,VA: !
"""
    oxide = lc.Solution(Database.from_string(text, fmt="tdb"), ("CE", "O", "ZR"), "FLUORITE")
    with pytest.raises(UnsupportedPhase, match="FLUORITE holds charged species: no tie-lines"):
        oxide.isotherm(T)


@pytest.mark.slow
def test_two_states_of_order_have_tie_lines_without_a_spinodal_between_them(example_tdb):
    alloy = lc.Solution(example_tdb("alcrni.tdb"), ("AL", "CR", "NI"), "L12_FCC")
    isotherm = alloy.isotherm(1000.0)
    assert len(isotherm.triangles) == 2
    surface = Surface(alloy, 1000.0)
    for curve in isotherm.spinodal:
        assert np.abs(surface.curvature(curve)[0]).max() < 1e-8
    # Ni with a little Al and Ni3Al: one region reaches the side without Cr.
    assert min(region[..., 1].max(axis=1).min() for region in isotherm.tie_lines) < 0.01
