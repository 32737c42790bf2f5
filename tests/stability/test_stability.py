"""Stability of any solution phase against brute force, the binary, and in pycalphad."""

from __future__ import annotations

from itertools import combinations, permutations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from pycalphad import Database, Model, Workspace, equilibrium
from pycalphad import variables as v
from pycalphad.mapping import StepStrategy, plot_step
from pycalphad.property_framework.types import ComputableProperty
from scipy.linalg import eigh
from support import COMPS, PAIRS, R, regular, regular_text

import lina_calphad as lc
from lina_calphad.errors import DatabaseError, EnergyError, UnsupportedPhase
from lina_calphad.stability.hessian import SiteEnergy
from lina_calphad.stability.internal import site_fractions

NAMES = "ABCDE"
T = np.array(900.0)


def site_energy(dbf, names, phase="ALLOY", model=Model):
    return SiteEnergy(model(dbf, [*names, "VA"], phase))


def brute_force(interactions, names, x, T, dependent):
    """Smallest eigenvalue of a finite-difference Hessian of 50 digits against the ideal one."""
    with mp.workdps(50):
        RT, h = mp.mpf(repr(R)) * mp.mpf(float(T)), mp.mpf(10) ** -14
        free = [i for i in range(len(names)) if i != dependent]

        def gibbs(u, ideal_only=False):
            at = dict(zip(free, u, strict=True))
            at[dependent] = 1 - mp.fsum(u)
            total = RT * mp.fsum(at[i] * mp.log(at[i]) for i in at)
            for (a, b), values in () if ideal_only else interactions.items():
                xa, xb = at[names.index(a)], at[names.index(b)]
                total += (
                    xa
                    * xb
                    * mp.fsum(mp.mpf(value) * (xa - xb) ** k for k, value in enumerate(values))
                )
            return total

        start = [mp.mpf(float(x[i])) for i in free]

        def second(i, j, ideal_only):
            def moved(a, b):
                u = list(start)
                u[i] += a * h
                u[j] += b * h
                return gibbs(u, ideal_only)

            return (moved(1, 1) - moved(1, -1) - moved(-1, 1) + moved(-1, -1)) / (4 * h * h)

        n = range(len(free))
        full, ideal = (
            np.array([[float(second(i, j, kind)) for j in n] for i in n]) for kind in (False, True)
        )
    return eigh(full, ideal, eigvals_only=True)


@given(st.integers(2, 5), st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_eigenvalues_are_those_of_a_hessian_of_50_digits(n, seed):
    rng, names = np.random.default_rng(seed), NAMES[:n]
    pairs = {p: [float(w) for w in rng.normal(0, 12000, 3)] for p in combinations(names, 2)}
    x = rng.dirichlet(np.ones(n)) * 0.95 + 0.05 / n
    found = site_energy(regular(pairs, names), names).curvature(T, x).values
    for dependent in (0, n - 1):
        assert found == pytest.approx(brute_force(pairs, names, x, T, dependent), rel=1e-9)


def test_two_components_are_the_binary_solution(databases, bcc):
    x = np.array([0.0, 1e-300, 1e-12, 0.03, 0.4, 0.97, 1.0])
    for kind, model in (("chemical", Model), ("coherent", lc.CoherentModel)):
        energy = site_energy(databases["santos2025"], ("LI", "NA"), "BCC_A2", model)
        found = energy.curvature(np.full(7, 300.0), np.stack([1 - x, x], axis=-1)).values[:, 0]
        assert found == pytest.approx(bcc("santos2025", kind).stability(300.0, x), abs=1e-12)


INSIDE = st.floats(0.02, 0.9).flatmap(
    lambda a: st.floats(0.02, 0.98).map(lambda b: np.array([a, (1 - a) * b, (1 - a) * (1 - b)]))
)


@pytest.fixture(scope="module")
def ternary():
    return site_energy(regular(PAIRS), "ABC")


def test_a_ternary_with_a_component_at_zero_is_the_binary(ternary):
    binary = site_energy(regular({("A", "B"): PAIRS["A", "B"]}, "AB"), "AB")
    for x in (0.1, 0.5, 0.9):
        two = binary.curvature(T, np.array([1 - x, x])).values[0]
        three = ternary.curvature(T, np.array([1 - x, x, 0.0])).values
        # A trace of C by itself is an ideal solution in the matrix.
        assert three == pytest.approx(sorted([two, 1.0]), abs=1e-13)


@given(INSIDE)
@settings(max_examples=10, deadline=None)
def test_two_elements_that_are_alike_are_one(x):
    alike = regular({("A", "B"): [15000.0], ("A", "C"): [15000.0]})
    binary = site_energy(regular({("A", "B"): [15000.0]}, "AB"), "AB")
    two = binary.curvature(T, np.array([x[0], 1 - x[0]])).values[0]
    three = site_energy(alike, "ABC").curvature(T, x).values
    assert three == pytest.approx(sorted([two, 1.0]), abs=1e-12)


@given(INSIDE)
@settings(max_examples=3, deadline=None)
def test_permutations_of_the_components_change_nothing(x):
    expected = site_energy(regular(PAIRS), "ABC").curvature(T, x).values
    for order in permutations(range(3)):
        names = {old: NAMES[new] for old, new in zip("ABC", order, strict=True)}
        renamed = {}
        for (a, b), (first, *odd) in PAIRS.items():
            sign = 1 if names[a] < names[b] else -1
            renamed[tuple(sorted((names[a], names[b])))] = [first, *(sign * value for value in odd)]
        y = np.empty(3)
        y[list(order)] = x
        assert site_energy(regular(renamed), "ABC").curvature(T, y).values == pytest.approx(
            expected
        )


@given(INSIDE)
@settings(max_examples=10, deadline=None)
def test_stability_is_the_least_eigenvalue_of_the_thermodynamic_factors(x):
    found = site_energy(regular(PAIRS), "ABC").curvature(T, x)
    for dependent in range(3):
        factors = found.thermodynamic_factors(dependent)
        values = np.linalg.eigvals(factors)
        assert np.sort(values.real) == pytest.approx(found.values, abs=1e-9)
        kept = [i for i in range(3) if i != dependent]
        along = found.directions[kept, 0]
        assert factors @ along == pytest.approx(found.values[0] * along, abs=1e-9)
    assert found.directions.sum(axis=0) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "phase", "elements", "x"),
    [
        ("alfe.tdb", "B2_BCC", ("AL", "FE"), 0.3),  # ordered
        ("alfe.tdb", "B2_BCC", ("AL", "FE"), 0.95),  # without order
        ("alni_dupin_2001.tdb", "FCC_L12", ("AL", "NI"), 0.8),
        ("alni_dupin_2001.tdb", "BCC_B2", ("AL", "NI"), 0.55),  # with vacancies
        ("cfe_broshe.tdb", "FCC_A1", ("C", "FE"), 0.1),  # interstitial
    ],
)
def test_internal_freedom_follows_the_composition(example_tdb, name, phase, elements, x):
    energy, T = site_energy(example_tdb(name), elements, phase), np.array(1000.0)
    h = 1e-4
    around = np.array([x - h, x, x + h])
    y = site_fractions(energy, np.full(3, T), np.stack([around, 1 - around], axis=-1))
    moles = energy.fixed.sum() + y @ energy.moles.sum(axis=0)
    G = energy.gradient(np.full(3, T), y)[0] / moles  # a formula unit may hold vacancies
    curvature = (G[0] - 2 * G[1] + G[2]) / h**2
    found = energy.curvature(T, y[1])
    # Ideal mixing on the same sublattices, which also follows.
    ideal = found.map * np.sqrt(found.fractions)[:, None]
    expected = curvature / (R * T) * (ideal[0] ** 2).sum() * moles[1]
    assert found.values[0] == pytest.approx(expected, rel=1e-4)
    assert energy.curvature(T, y[1], relaxed=False).values[0] >= found.values[0] - 1e-12


def test_charges_leave_one_way_to_change(example_tdb):
    # (Zr,Y)1(O,Va)2: one vacancy for two yttrium.
    energy, T = site_energy(example_tdb("zrlayalo.tdb"), ("O", "Y", "ZR"), "FLUORITE"), 1500.0
    z = 0.2 + 1e-3 * np.arange(-1, 2)
    moles = np.stack([2 - z / 2, z, 1 - z], axis=-1)
    total = moles.sum(axis=-1)
    x = moles / total[:, None]
    y = site_fractions(energy, np.full(3, T), x)
    assert (energy.rank, energy.freedom) == (1, 0)
    found = energy.curvature(np.array(T), y[1])
    along = found.directions[:, 0]
    s, G = (x - x[1]) @ along, energy.gradient(np.full(3, T), y)[0] / total
    curvature = 2 * ((G[2] - G[1]) / s[2] - (G[0] - G[1]) / s[0]) / (s[2] - s[0])
    ideal = along @ (found.map[:, 0] * np.sqrt(found.fractions))
    assert found.values[0] == pytest.approx(curvature * ideal**2 * total[1] / (R * T), rel=1e-5)
    with pytest.raises(UnsupportedPhase, match="3 elements change in 1 ways only"):
        found.thermodynamic_factors(0)


# -- in pycalphad --


def workspace(dbf, components, phases, conditions, model=Model):
    fixed = {v.P: 101325, v.N: 1, v.T: 300.0}
    return Workspace(dbf, list(components), phases, fixed | conditions, models=model)


def test_the_property_shows_the_spinodal_in_a_sweep(databases, bcc):
    dbf = databases["santos2025"]
    stability = lc.Stability("BCC_A2")
    assert isinstance(stability, ComputableProperty)
    wks = workspace(dbf, COMPS, ["LIQUID", "BCC_A2"], {v.X("NA"): (0.01, 0.99, 0.14)})
    x = np.asarray(wks.conditions[v.X("NA")], dtype=float).ravel()
    psi = wks.get(stability)
    assert psi == pytest.approx(bcc("santos2025", "chemical").stability(300.0, x), abs=1e-9)
    # In a binary the matrix of thermodynamic factors is one number.
    assert wks.get(stability.thermodynamic_factor("NA", "NA")) == pytest.approx(psi)
    assert np.abs(wks.get(stability.direction("NA"))) == pytest.approx(0.5**0.5)


def test_with_the_coherent_model_it_is_the_coherent_stability(databases, bcc):
    spinodal = float(bcc("santos2025", "coherent").spinodal(300.0).x_alpha)
    wks = workspace(
        databases["santos2025"], COMPS, ["BCC_A2"], {v.X("NA"): spinodal}, lc.CoherentModel
    )
    assert wks.get(lc.Stability("BCC_A2")) == pytest.approx(0, abs=1e-8)


def test_a_composition_set_of_the_equilibrium(databases, bcc):
    binary = bcc("zhang2003", "chemical")
    wks = workspace(databases["zhang2003"], COMPS, ["BCC_A2"], {v.X("NA"): 0.5})
    found = sorted(float(wks.get(lc.Stability(f"BCC_A2#{n}"))) for n in (1, 2))
    line = binary.binodal(300.0)
    expected = sorted(binary.stability(300.0, [line.x_alpha, line.x_beta]))
    assert found == pytest.approx(expected, rel=1e-6)
    assert np.isnan(wks.get(lc.Stability("BCC_A2#3")))


def test_an_ordered_phase_in_a_workspace(example_tdb):
    wks = workspace(
        example_tdb("alfe.tdb"), ["AL", "FE", "VA"], ["B2_BCC"], {v.T: 800.0, v.X("AL"): 0.3}
    )
    assert 3 < wks.get(lc.Stability("B2_BCC")) < wks.get(lc.Stability("B2_BCC", frozen=True))


def test_equilibrium_and_plots_take_the_property(databases, bcc):
    dbf, x = databases["santos2025"], [0.1, 0.5]
    conditions = {v.P: 101325, v.T: 400.0}
    psi = bcc("santos2025", "chemical").stability(400.0, x)
    result = equilibrium(
        dbf, COMPS, ["BCC_A2"], conditions | {v.X("NA"): x}, output=lc.Stability("BCC_A2")
    )
    assert result["Stability(BCC_A2)"].values.ravel() == pytest.approx(psi, abs=1e-8)
    step = StepStrategy(dbf, COMPS, ["BCC_A2"], conditions | {v.X("NA"): (0.1, 0.9, 0.4)})
    step.do_map()
    (line,) = plot_step(step, v.X("NA"), lc.Stability("BCC_A2")).lines
    plt.close("all")
    assert line.get_ydata() == pytest.approx(
        bcc("santos2025", "chemical").stability(400.0, line.get_xdata()), abs=1e-8
    )


def test_symbols_of_a_workspace_count(databases):
    text = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT A BCC_A2 1 0 0 !
 ELEMENT B BCC_A2 1 0 0 !
 TYPE_DEFINITION % SEQ * !
 FUNCTION VV01 1 10000; 6000 N !
 PHASE ALLOY % 1 1 !
 CONSTITUENT ALLOY :A,B: !
 PARAMETER L(ALLOY,A,B;0) 1 VV01; 6000 N !
"""
    dbf = Database.from_string(text, fmt="tdb")
    for value in (6000.0, 10000.0):
        wks = Workspace(
            dbf, ["A", "B", "VA"], ["ALLOY"], {v.P: 101325, v.N: 1, v.T: 900.0, v.X("B"): 0.5},
            parameters={"VV01": value},
        )  # fmt: skip
        expected = 1 - value / (2 * R * 900)
        assert wks.get(lc.Stability("ALLOY")) == pytest.approx(expected, abs=1e-9)


def test_what_the_property_refuses(databases, example_tdb):
    wks = workspace(databases["zhang2003"], COMPS, ["BCC_A2"], {v.X("NA"): 0.5})
    with pytest.raises(DatabaseError, match="FCC_A1 is not in this calculation; it has BCC_A2"):
        wks.get(lc.Stability("FCC_A1"))
    with pytest.raises(UnsupportedPhase, match="BCC_A2 holds LI, NA, not K"):
        wks.get(lc.Stability("BCC_A2").direction("K"))
    with pytest.raises(UnsupportedPhase, match="the dependent component is another"):
        wks.get(lc.Stability("BCC_A2").thermodynamic_factor("LI", "NA"))


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        (":A,B,C:", ":A:", UnsupportedPhase, "nothing mixes in ALLOY of A"),
        (" 1 -5000.0;", " 1 WRONG;", EnergyError, "ALLOY needs WRONG, which cannot be resolved"),
    ],
)
def test_phases_that_have_no_stability(old, new, error, message):
    text = regular_text(PAIRS).replace(old, new)
    assert new in text
    names = "A" if new == ":A:" else "ABC"
    with pytest.raises(error, match=message):
        site_energy(Database.from_string(text, fmt="tdb"), names)


def test_a_composition_that_a_phase_cannot_have(example_tdb):
    energy = site_energy(example_tdb("cfe_broshe.tdb"), ("C", "FE"), "FCC_A1")
    with pytest.raises(ValueError, match=r"FCC_A1 cannot have the composition x\(C\) = 0.7"):
        site_fractions(energy, T, np.array([0.7, 0.3]))


def test_a_search_that_leaves_the_numbers_finds_no_composition(example_tdb):
    energy = site_energy(example_tdb("alfe.tdb"), ("AL", "FE"), "B2_BCC")
    y = site_fractions(energy, T, np.array([[np.nan, np.nan], [0.3, 0.7]]), strict=False)
    assert np.isnan(y).all(axis=1).tolist() == [True, False]
