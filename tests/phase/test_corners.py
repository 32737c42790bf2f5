"""Gibbs energies with corners and jumps, and domes above domes: the lower hull is right."""

from __future__ import annotations

import itertools
import warnings
from importlib.resources import files

import numpy as np
import pytest
from pycalphad import Database, calculate
from scipy.special import expit
from support import lower_hull

import lina_calphad as lc
from lina_calphad.errors import (
    LinaCalphadError,
    NoCriticalPoint,
    NoMiscibilityGap,
    SeveralMiscibilityGaps,
)

HEAD = """
 ELEMENT VA VACUUM 0.0 0.0 0.0 !
 ELEMENT AA BCC_A2 10.0 4000.0 20.0 !
 ELEMENT BB BCC_A2 20.0 5000.0 30.0 !
 FUNCTION ZERO 298.15 0; 6000 N !
 TYPE_DEFINITION % SEQ * !
 {magnetic}
 PHASE BCC_A2 %{letter} 1 1 !
 CONSTITUENT BCC_A2 : AA,BB : !
 PARAMETER G(BCC_A2,AA;0) 298.15 ZERO; 6000 N !
 PARAMETER G(BCC_A2,BB;0) 298.15 ZERO; 6000 N !
"""
X = np.unique(np.concatenate([expit(np.linspace(-25, 25, 400)), np.linspace(5e-4, 0.9995, 3999)]))
SEEN = 1.6e-3  # mole fraction, from where on such a grid shows a gap


def solution(magnetic="", **parameters):
    """A solution of AA and BB; parameters by type and constituents, such as TC_AA."""
    if magnetic:
        magnetic = f"TYPE_DEFINITION A GES A_P_D BCC_A2 MAGNETIC {magnetic} !"
    text = HEAD.format(magnetic=magnetic, letter="A" if magnetic else "")
    for name, value in parameters.items():
        kind, *of = name.split("_")
        order = of.pop() if of[-1].isdigit() else 0
        text += f" PARAMETER {kind}(BCC_A2,{','.join(of)};{order}) 298.15 {value}; 6000 N !\n"
    return lc.BinarySolution(Database.from_string(text, fmt="tdb"), ("AA", "BB"), "BCC_A2")


def hull(x, g):
    """Every gap of the lower convex hull that is wider than can be seen."""
    steps = itertools.pairwise(lower_hull(x, g))
    return [(x[i], x[j]) for i, j in steps if j > i + 1 and x[j] - x[i] > SEEN]


def hull_of(phase, T, x=X):
    """The hull of pycalphad's own energies."""
    comps = [*phase.components, "VA"]
    model = phase.model(phase.dbf, comps, phase.phase)
    at = {phase.components[0]: 1 - x, phase.components[1]: x, "VA": np.ones_like(x)}
    points = np.column_stack([at[y.species.name] for y in model.site_fractions])
    found = calculate(
        phase.dbf, comps, [phase.phase], T=T, P=101325, points=points, model=model
    )  # fmt: skip
    g = found.GM.values.ravel() / (8.3145 * T)
    return hull(x, g - g[0] - (g[-1] - g[0]) * x)


# -- corners --

MOMENTS = {"TC_AA": 900, "TC_BB": 900, "BMAGN_AA": -1.0, "BMAGN_BB": 1.0}


def test_a_gap_around_a_corner():
    # The moment changes sign at x = 1/2, where the slope of G falls and psi is positive.
    phase = solution("-1.0 0.4", **MOMENTS)
    line = phase.binodal(300.0)
    assert [float(line.x_alpha), float(line.x_beta)] == pytest.approx([0.12311, 0.87689], abs=1e-5)
    assert phase.stability(300.0, np.linspace(0.01, 0.99, 200)).min() > 0
    spinodal = phase.spinodal(300.0)
    assert float(spinodal.x_alpha) == pytest.approx(0.5, abs=1e-9)
    T = np.linspace(200.0, 850.0, 150)  # many rows at once
    some = phase.binodal(T)
    for i in (10, 70, 130):
        ((left, right),) = hull_of(phase, T[i])
        assert [some.x_alpha[i], some.x_beta[i]] == pytest.approx([left, right], abs=3e-4)
    with pytest.raises(NoCriticalPoint, match="around a corner or jump of its Gibbs energy"):
        phase.critical_point()


def test_a_corner_beside_an_unstable_range():
    # At 400 K psi is negative from 0.382 to 0.738, and the slope of G falls at 0.838 once more.
    phase = solution(
        "-1.0 0.4", TC_AA=-371, TC_BB=411, BMAGN_AA=0.93, BMAGN_BB=-0.94,
        TC_AA_BB=-1465, BMAGN_AA_BB=4.71, L_AA_BB=8521,
    )  # fmt: skip
    line = phase.binodal(400.0)
    assert float(line.x_alpha) == pytest.approx(0.23485, abs=1e-5)
    assert float(line.x_beta) == pytest.approx(0.90956, abs=1e-5)
    ((left, right),) = hull_of(phase, 400.0)
    assert [float(line.x_alpha), float(line.x_beta)] == pytest.approx([left, right], abs=4e-4)
    spinodal = phase.spinodal(400.0)
    assert float(spinodal.x_beta) == pytest.approx(0.73849, abs=1e-5)


def test_random_magnetic_solutions():
    rng = np.random.default_rng(12)
    cornered = 0
    for _ in range(12):
        names = ("TC_AA", "TC_BB", "TC_AA_BB", "BMAGN_AA", "BMAGN_BB", "BMAGN_AA_BB", "L_AA_BB")
        spans = np.array([1200, 1200, 1500, 2, 2, 6, 4000])
        values = rng.uniform(-spans, spans)
        values[-1] += 4000
        phase = solution("-1.0 0.4", **{n: f"{x:.6g}" for n, x in zip(names, values, strict=True)})
        for T in (300.0, 600.0):
            expected = [ends for ends in hull_of(phase, T) if ends[1] - ends[0] > 2 * SEEN]
            cornered += phase._gap.corners((np.array([T]),))[0].size > 0
            try:
                line = phase.binodal(T)
            except NoMiscibilityGap:
                assert not expected
            except SeveralMiscibilityGaps:
                assert len(hull_of(phase, T)) > 1
            else:
                ends = [float(line.x_alpha), float(line.x_beta)]
                if ends[1] - ends[0] > 3 * SEEN:
                    np.testing.assert_allclose([ends], expected, atol=1e-3)
    assert cornered > 10


# -- jumps --

XIONG = {"TC_AA": 800, "NT_AA": -800, "BMAGN_AA": 1.7, "L_AA_BB": 6000}


def test_a_jump_is_said_and_the_hull_answered():
    phase = solution("0.0 0.25", **XIONG)
    with pytest.warns(
        UserWarning, match=r"discontinuous.*jumps by -1.5 J/mol at x = 0\.18445 and 652\.44 K"
    ):
        line = phase.binodal(652.44)
    assert [float(line.x_alpha), float(line.x_beta)] == pytest.approx([0.15809, 0.18445], abs=1e-5)
    # Above 659 K psi is positive, and a gap is left.
    with pytest.warns(UserWarning, match="discontinuous"):
        line = phase.binodal(700.0)
    ((left, right),) = hull_of(phase, 700.0)
    assert [float(line.x_alpha), float(line.x_beta)] == pytest.approx([left, right], abs=4e-4)
    with pytest.raises(NoCriticalPoint, match=r"at 659\.03 K is not stable"):
        phase.critical_point()


# -- domes above each other --


def test_a_dome_below_another():
    phase = solution(L_AA_BB="+30000-30*T+0.01*T**2")
    # psi(1/2) = 0 where 2 R T = L.
    b = 30 + 2 * 8.3145
    roots = [(b + sign * np.sqrt(b * b - 1200)) / 0.02 for sign in (-1, 1)]
    points = phase.all_critical_points()
    assert [p.kind for p in points] == ["upper", "lower"]
    assert [p.T for p in points] == pytest.approx(roots, rel=1e-10)
    assert [p.x for p in points] == pytest.approx([0.5, 0.5], abs=1e-6)
    assert all(p.stable for p in points)
    assert phase.critical_point().T == pytest.approx(roots[0], rel=1e-10)
    with pytest.raises(NoMiscibilityGap, match=r"at 775 K: its gap closes at 770\.79 K"):
        phase.binodal(775.0)
    T = np.linspace(600.0, 5000.0, 200)
    assert (phase.binodal(T).gap == ((roots[0] > T) | (roots[1] < T))).all()


def test_a_gap_that_closes_beyond_the_range_of_its_parameters():
    phase = solution(L_AA_BB="130000")
    assert phase.critical_point().T == pytest.approx(130000 / (2 * 8.3145), rel=1e-9)


def test_all_critical_points_of_two_domes_at_one_temperature():
    phase = solution(L_AA_BB=13000, L_AA_BB_1=300, L_AA_BB_2=7000, L_AA_BB_3=200)
    points = phase.all_critical_points()
    assert [p.kind for p in points] == ["upper", "upper"]
    assert phase.critical_point().T == pytest.approx(points[-1].T, rel=1e-12)
    for point in points:
        assert phase.stability(point.T, point.x) == pytest.approx(0, abs=1e-9)
    with pytest.raises(SeveralMiscibilityGaps):
        phase.binodal(points[0].T - 1)
    assert phase.binodal(points[0].T + 0.1).gap


def test_a_metastable_critical_point_says_so():
    phase = solution(L_AA_BB=16311, L_AA_BB_1=2266, L_AA_BB_2=4958, L_AA_BB_3=2870)
    points = phase.all_critical_points()
    assert [p.stable for p in points] == [False, True]


def test_no_critical_point_at_all():
    assert solution(L_AA_BB=-5000).all_critical_points() == ()


# -- every binary solution of the databases that pycalphad ships --

DATABASES = files("pycalphad") / "tests" / "databases"
NAMES = sorted(
    path.name for path in DATABASES.iterdir() if path.name.lower().endswith(".tdb")
)  # fmt: skip
TEMPERATURES = np.array([300.0, 500.0, 800.0, 1200.0, 1700.0])


def binaries(dbf):
    """The binary solutions of a database; of one with many, from all over it."""
    elements = sorted(dbf.elements - {"VA", "/-"})
    pairs = list(itertools.product(sorted(dbf.phases), itertools.combinations(elements, 2)))
    for i in np.random.default_rng(1).permutation(len(pairs))[:400]:
        phase, pair = pairs[i]
        try:
            yield lc.BinarySolution(dbf, pair, phase)
        except (LinaCalphadError, ValueError):
            continue


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_binodals_are_those_of_the_lower_hull(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the reader
        dbf = Database.from_string((DATABASES / name).read_text(errors="replace"), fmt="tdb")
        for phase in itertools.islice(binaries(dbf), 40):
            for T in TEMPERATURES:
                expected = hull_of(phase, T)
                try:
                    line = phase.binodal(T)
                except NoMiscibilityGap:
                    found = []
                except SeveralMiscibilityGaps:
                    assert len(expected) > 1, (phase, T, expected)
                    continue
                else:
                    found = [(float(line.x_alpha), float(line.x_beta))]
                    found = [ends for ends in found if ends[1] - ends[0] > SEEN]
                assert len(found) == len(expected), (phase, T, found, expected)
                np.testing.assert_allclose(found, expected, atol=1e-3, err_msg=f"{phase} {T}")
