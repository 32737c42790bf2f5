"""Solution: spinodal temperatures and ternary isotherms against closed forms, hulls, binaries."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycalphad import Database, Model
from scipy.spatial import ConvexHull
from support import PAIRS, R, nothing_outside, regular, regular_text, run

import lina_calphad as lc
from lina_calphad.errors import (
    DatabaseError,
    DataLeftOut,
    NotConverged,
    OutsideAssessedRange,
    UnsupportedPhase,
)
from lina_calphad.stability.figures import isotherm_figure
from lina_calphad.stability.isotherm import apart, sides_of

L = 16000.0
ELASTIC = """
 PARAMETER V0(ALLOY,A;0) 1 1E-5; 6000 N !
 PARAMETER V0(ALLOY,B;0) 1 1.15E-5; 6000 N !
 PARAMETER V0(ALLOY,C;0) 1 {}E-5; 6000 N !
 PARAMETER C11(ALLOY,A;0) 1 100; 6000 N !
 PARAMETER C12(ALLOY,A;0) 1 60; 6000 N !
 PARAMETER C44(ALLOY,A;0) 1 40; 6000 N !
"""


def solution(pairs, names=("A", "B", "C"), model=Model):
    return lc.Solution(regular(pairs, names), names, "ALLOY", model)


@pytest.fixture(scope="module")
def alloy():
    return solution(PAIRS)


@pytest.fixture(scope="module")
def found(alloy):
    return alloy.isotherm(700.0)


def test_compositions_are_given_in_the_order_of_the_components(alloy):
    turned = solution(PAIRS, ("A", "B", "C"))
    turned = lc.Solution(turned.dbf, ("C", "A", "B"), "ALLOY")
    x = np.array([0.2, 0.5, 0.3])
    one, other = alloy.curvature(700.0, x), turned.curvature(700.0, x[[2, 0, 1]])
    assert one.values == pytest.approx(other.values)
    assert np.abs(one.directions[:, 0]) == pytest.approx(np.abs(other.directions[[1, 2, 0], 0]))
    # All fractions, or all but the first; over any shape of T and x.
    assert alloy.stability([600.0, 700.0], x[1:]).shape == (2,)
    assert alloy.stability(700.0, x[1:]) == pytest.approx(one.values[0])


@pytest.mark.parametrize("x", [0.1, 0.5])
def test_spinodal_temperature_of_a_regular_solution(x):
    binary = solution({("A", "B"): [L]}, ("A", "B"))
    assert binary.spinodal_temperature([x]) == pytest.approx(2 * L * x * (1 - x) / R, rel=1e-12)
    section = np.linspace([0.7, 0.0, 0.3], [0.0, 0.7, 0.3], 11)  # at a fixed share of C
    third = solution({("A", "B"): [L]})
    a, b, c = section[1:-1].T  # det of the Hessian: (1/a + 1/c)(1/b + 1/c) = (1/c + L/RT)^2
    expected = L / R / (np.sqrt(1 / c**2 + 1 / (a * b * c)) - 1 / c)
    assert third.spinodal_temperature(section)[1:-1] == pytest.approx(expected)
    assert np.isnan(third.spinodal_temperature(section)[[0, -1]]).all()


def test_every_spinodal_temperature():
    def at_half(parameter):
        text = regular_text({("A", "B"): [1.0]}, "AB").replace("1.0;", f"{parameter};")
        return lc.Solution(Database.from_string(text, fmt="tdb"), ("A", "B"), "ALLOY")

    # L = 2RT at 500 and at 1500 K: unstable in between, or outside.
    loop = 2 * R
    inside = at_half(f"{loop}*T+0.01*(T-500)*(1500-T)").spinodal_temperatures([0.5])
    assert inside == pytest.approx([1500.0, 500.0])
    outside = at_half(f"{loop}*T-0.01*(T-500)*(1500-T)").spinodal_temperatures([[0.5], [0.0]])
    assert outside[0] == pytest.approx([np.inf, 1500.0, 500.0])
    assert np.isnan(outside[1]).all()


def test_each_vertex_of_a_spinodal_lies_on_it(alloy, found):
    (line,) = found.spinodal
    assert np.abs(alloy.stability(700.0, line)).max() < 1e-10
    # It begins and ends on the side of A and B, where it is the binary spinodal.
    binary = lc.BinarySolution(alloy.dbf, ("A", "B"), "ALLOY").spinodal(700.0)
    ends = np.sort(line[[0, -1], 1])
    assert ends == pytest.approx([binary.x_alpha, binary.x_beta], abs=1e-9)
    steps = np.diff(line[:, 1:] @ [[1, 0], [0.5, 0.75**0.5]], axis=0)
    turn = np.arccos(
        (steps[1:] * steps[:-1]).sum(axis=1)
        / np.linalg.norm(steps[1:], axis=1)
        / np.linalg.norm(steps[:-1], axis=1)
    )
    assert np.degrees(turn).max() < 12  # fine where it bends


def test_the_plait_point_of_a_symmetric_alloy():
    third = solution({("A", "B"): [L]})
    T, p = 700.0, R * 700.0 / L
    assert third.critical_points(T) == pytest.approx(np.array([[p, p, 1 - 2 * p]]), abs=1e-7)
    isotherm = third.isotherm(T)
    assert isotherm.stable.tolist() == [True]
    (region,) = isotherm.tie_lines
    assert region[:, 0] == pytest.approx(region[:, 1][:, [1, 0, 2]], abs=1e-8)
    # By symmetry each is a binary tie-line: ln(b/a) = L (b - a)/RT.
    a, b = region[:, 0, 0], region[:, 0, 1]
    assert np.log(b / a) == pytest.approx(L * (b - a) / (R * T), abs=1e-8)


def test_what_many_points_at_once_only_seem_to_have_is_no_spinodal(example_tdb):
    b2 = lc.Solution(example_tdb("alfe.tdb"), ("AL", "FE"), "B2_BCC")
    section = np.linspace(0, 1, 51)[1:-1, None]
    assert np.isnan(b2.spinodal_temperature(section)).all()


@pytest.fixture
def without(monkeypatch):
    """A solution whose internal equilibrium is not found between two temperatures."""
    curvature = lc.Solution.curvature

    def made(low, high):
        def partly(self, T, x, **options):
            if ((np.asarray(T) > low) & (np.asarray(T) < high)).any():
                raise NotConverged("lost")
            return curvature(self, T, x, **options)

        monkeypatch.setattr(lc.Solution, "curvature", partly)
        return solution({("A", "B"): [L]})

    return made


def test_temperatures_without_an_internal_equilibrium_are_left_out(without):
    with pytest.warns(DataLeftOut, match=r"at 5\d+.* 6000 K: left out"):
        found = without(5600, 7000).spinodal_temperature([[0.5, 0.0], [0.4, 0.0]])
    assert found == pytest.approx([2 * L * a * (1 - a) / R for a in (0.5, 0.4)], rel=1e-9)


@pytest.mark.filterwarnings("ignore::lina_calphad.errors.DataLeftOut")
@pytest.mark.parametrize("lost", [(500, 1500), (0, 7000)])
def test_a_spinodal_temperature_that_is_lost_itself_is_an_error(without, lost):
    with pytest.raises(NotConverged):
        without(*lost).spinodal_temperature([0.5, 0.0])


def test_a_jump_to_another_state_of_order_is_no_spinodal(example_tdb, monkeypatch):
    ordered = lc.Solution(example_tdb("alni_dupin_2001.tdb"), ("AL", "NI"), "FCC_L12")

    def jumping(self, T, x, **options):
        psi = np.where(np.broadcast_arrays(T, x[..., 0])[0] < 1000, -0.5, 0.5)
        return SimpleNamespace(values=psi[..., None])

    monkeypatch.setattr(lc.Solution, "curvature", jumping)
    assert np.isnan(ordered.spinodal_temperature([0.3]))


@pytest.mark.parametrize("below", [0.5, 10.0])
def test_a_gap_just_below_its_top_is_found(example_tdb, below):
    bcc = lc.Solution(example_tdb("crtiv_ghosh.tdb"), ("CR", "TI", "V"), "BCC_A2")
    line = np.linspace([0.575, 0.1, 0.325], [0.175, 0.5, 0.325], 401)
    top = np.nanmax(bcc.spinodal_temperature(line))
    isotherm = bcc.isotherm(top - below)
    (region,) = isotherm.tie_lines
    assert isotherm.stable.sum() == 2
    for x in isotherm.critical_points:
        assert min(np.abs(region[end].mean(axis=0) - x).max() for end in (0, -1)) < 0.01


def test_two_elements_that_are_alike_have_the_tie_lines_of_one():
    alike = solution({("A", "B"): [L], ("A", "C"): [L]}).isotherm(700.0)
    binary = solution({("A", "B"): [L]}, ("A", "B"))
    line = lc.BinarySolution(binary.dbf, ("A", "B"), "ALLOY").binodal(700.0)
    (region,) = alike.tie_lines
    x = np.sort(1 - region[:, :, 0], axis=1)
    assert x == pytest.approx(np.tile([line.x_alpha, line.x_beta], (len(x), 1)), abs=1e-8)
    share = region[:, :, 1] / (1 - region[:, :, 0])
    assert share[:, 0] == pytest.approx(share[:, 1], abs=1e-7)


def lower_hull(alloy, T, n=300):
    """G over RT of a mixture on a dense grid, as a function of composition."""
    i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
    x = np.stack([n - i - j, i, j], axis=-1)[i + j <= n] / n
    G = alloy.energy.gradient(np.array(T), x)[0] / (R * T)
    hull = ConvexHull(np.column_stack([x[:, 1:], G]))
    planes = hull.equations[hull.equations[:, 2] < -1e-9]
    return lambda x: (-(x[:, 1:] @ planes[:, :2].T + planes[:, 3]) / planes[:, 2]).max(axis=1)


@pytest.mark.parametrize(
    ("pairs", "T", "triangles", "plaits"),
    [
        (PAIRS, 700.0, 0, 1),
        ({("A", "B"): [L], ("A", "C"): [L], ("B", "C"): [L]}, 500.0, 1, 0),
        ({("A", "B"): [L], ("A", "C"): [L], ("B", "C"): [L]}, 700.0, 3, 0),
        ({("A", "B"): [L], ("A", "C"): [5000.0], ("B", "C"): [15000.0, 3000.0]}, 800.0, 0, 0),
        ({("A", "B"): [-9000.0], ("A", "C"): [0.0], ("B", "C"): [0.0]}, 400.0, 0, 0),
        (  # the third two-phase region is hardly larger than a step of the grid
            {
                ("A", "B"): [21805.0, 830.0, -712.0],
                ("A", "C"): [1181.0, -1210.0, 2528.0],
                ("B", "C"): [5529.0, 118.0, -2600.0],
            },
            500.0,
            1,
            2,
        ),
        ({("A", "B"): [-30000.0], ("A", "C"): [0.0], ("B", "C"): [4000.0]}, 500.0, 0, 2),  # closed
    ],
)
def test_tie_lines_lie_on_a_dense_hull(pairs, T, triangles, plaits):
    alloy = solution(pairs)
    isotherm = alloy.isotherm(T)
    assert len(isotherm.triangles) == triangles
    assert isotherm.stable.sum() == plaits
    # Each side of a triangle ends a region, and within a region neighbours are near.
    for side in sides_of(isotherm.triangles):
        assert min(apart(side, region[[0, -1]]).min() for region in isotherm.tie_lines) < 0.05
    for region in isotherm.tie_lines:
        assert np.linalg.norm(np.diff(region, axis=0), axis=(1, 2)).max(initial=0) < 0.1
    G = lower_hull(alloy, T)
    for phases in (*isotherm.tie_lines, isotherm.triangles):
        if not len(phases):
            continue
        each = alloy.energy.gradient(np.array(T), phases)[0] / (R * T)
        middle, level = phases.mean(axis=1), each.mean(axis=1)
        # The hull of a grid lies above the true one, and not by much.
        assert (G(middle) - level).min() > -1e-10
        inside = middle.min(axis=1) > 0.01  # where the grid has x ln x
        assert (G(middle) - level)[inside].max(initial=0) < 5e-4
        slopes = alloy.energy.gradient(np.array(T), phases)[1]
        plane = slopes - (phases * slopes).sum(axis=-1, keepdims=True) + (R * T * each)[..., None]
        assert np.ptp(plane, axis=1).max() / (R * T) < 1e-8
        assert alloy.stability(T, phases).min() > 0


@pytest.mark.parametrize("third", [1.0, 1.08])
def test_the_coherent_spinodal_lies_inside_the_chemical_one(third):
    dbf = Database.from_string(regular_text(PAIRS) + ELASTIC.format(third), fmt="tdb")
    names = ("A", "B", "C")
    chemical, coherent = (
        lc.Solution(dbf, names, "ALLOY", model) for model in (Model, lc.CoherentModel)
    )
    x = np.random.default_rng(3).dirichlet(np.ones(3), 200)
    assert (coherent.stability(600.0, x) >= chemical.stability(600.0, x)).all()
    inner = coherent.isotherm(500.0)
    for line in inner.spinodal:
        assert (chemical.stability(500.0, line) < 0).all()
    for region in inner.tie_lines:
        assert (chemical.isotherm(500.0).tie_lines[0][:, :, 2].max()) > region[:, :, 2].max()


def test_without_a_misfit_it_is_the_chemical_case():
    text = regular_text(PAIRS) + ELASTIC.format(1.0).replace("1.15E-5", "1E-5")
    dbf = Database.from_string(text, fmt="tdb")
    one, other = (
        lc.Solution(dbf, ("A", "B", "C"), "ALLOY", model) for model in (Model, lc.CoherentModel)
    )
    x = np.random.default_rng(4).dirichlet(np.ones(3), 50)
    assert one.stability(600.0, x) == pytest.approx(other.stability(600.0, x), abs=1e-12)


def test_an_interstitial_solution_of_three_elements():
    text = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT C GRAPHITE 12 0 0 !
 ELEMENT FE BCC_A2 56 0 0 !
 ELEMENT N GAS 14 0 0 !
 TYPE_DEFINITION % SEQ * !
 PHASE FCC % 2 1 1 !
 CONSTITUENT FCC :FE:C,N,VA: !
 PARAMETER L(FCC,FE:C,VA;0) 1 16000; 6000 N !
 PARAMETER L(FCC,FE:N,VA;0) 1 16000; 6000 N !
"""
    dbf = Database.from_string(text, fmt="tdb")
    alloy = lc.Solution(dbf, ("FE", "C", "N"), "FCC")
    isotherm = alloy.isotherm(700.0)
    (region,) = isotherm.tie_lines
    # C and N are alike: filled sites are as in a binary of atoms and vacancies.
    filled = np.sort((1 - region[:, :, 0]) / region[:, :, 0], axis=1)
    y = filled[0, 0]
    assert filled == pytest.approx(np.tile([y, 1 - y], (len(filled), 1)), abs=1e-8)
    assert np.log((1 - y) / y) == pytest.approx(16000 * (1 - 2 * y) / (R * 700), abs=1e-8)
    with pytest.raises(ValueError, match=r"FCC cannot have the composition x\(C\) = 0.4"):
        alloy.stability(700.0, [0.4, 0.2])


def test_what_an_isotherm_shows(found):
    assert repr(found) == (
        "<Isotherm of ALLOY at 700 K: 1 spinodals, 1 two-phase regions, 0 triangles, "
        "1 stable plait points>"
    )
    frame = found.to_dataframe()
    assert set(frame["kind"]) == {"spinodal", "tie-line", "plait point"}
    assert frame[["x_A", "x_B", "x_C"]].sum(axis=1).to_numpy() == pytest.approx(1)
    for branch in found.binodals():
        assert branch[[0, -1]] == pytest.approx(branch[[0, -1]])
        assert min(np.abs(branch[end] - found.critical_points[0]).max() for end in (0, -1)) == 0
    figure = isotherm_figure({"chemical": found}, "alloy")
    nothing_outside(figure)


def test_a_binary_has_the_critical_points_of_a_binary_solution(bcc):
    dbf = bcc("santos2025", "chemical").dbf
    alloy = lc.Solution(dbf, ("LI", "NA"), "BCC_A2")
    (point,) = alloy.critical_points()
    assert point.T == pytest.approx(bcc("santos2025", "chemical").critical_point().T)


@given(
    st.lists(st.floats(-20_000, 20_000), min_size=1, max_size=4),
    st.floats(200, 2000),
    st.floats(0, 1),
)
@settings(max_examples=10, deadline=None)
def test_two_elements_on_one_sublattice_are_the_binary_solution(parameters, T, x):
    dbf = regular({("A", "B"): parameters}, "AB")
    for names, at in ((("A", "B"), x), (("B", "A"), 1 - x)):
        alloy, binary = (kind(dbf, names, "ALLOY") for kind in (lc.Solution, lc.BinarySolution))
        psi = binary.stability(T, at)
        assert alloy.stability(T, [1 - at, at]) == pytest.approx(psi, abs=1e-12)
        # By way of all site fractions, which does not know the binary.
        found = alloy.curvature(T, [1 - at, at])
        other = alloy.energy.curvature(np.array(T), np.array([1 - x, x]))
        assert found.values == pytest.approx(other.values, abs=1e-12)
        assert np.abs(found.directions) == pytest.approx(np.abs(other.directions))
        for k in (0, 1):
            assert found.thermodynamic_factors(k).item() == pytest.approx(psi, abs=1e-12)


def test_two_elements_on_two_sublattices_are_no_binary_solution(example_tdb):
    laves = lc.Solution(example_tdb("cumg.tdb"), ("CU", "MG"), "CU2MG")
    assert laves.binary is None
    assert laves.stability(600.0, [0.34]).shape == ()


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda s: lc.Solution(s.dbf, ("A",), "ALLOY"), UnsupportedPhase, "two or more different"),
        (lambda s: lc.Solution(s.dbf, ("A", "X"), "ALLOY"), DatabaseError, "no element X; it has"),
        (lambda s: lc.Solution(s.dbf, ("A", "B"), "BCC"), DatabaseError, "no phase BCC; it has AL"),
        (
            lambda s: s.stability(700.0, [0.1]),
            ValueError,
            "3 mole fractions, or 2 without A; got 1",
        ),
        (lambda s: s.stability(700.0, [0.8, 0.3]), ValueError, "not negative and add up to 1"),
        (lambda s: s.stability(-1.0, [0.1, 0.1]), ValueError, "positive, finite number of kelvin"),
        (lambda s: s.isotherm(6000.0), OutsideAssessedRange, "parameters of ALLOY end at 6000 K"),
        (lambda s: s.critical_points(), UnsupportedPhase, "critical points are those of two"),
        (
            lambda s: lc.Solution(s.dbf, ("A", "B"), "ALLOY").isotherm(700.0),
            UnsupportedPhase,
            "ALLOY of A, B is no ternary solution",
        ),
    ],
)
def test_what_is_refused(alloy, act, error, message):
    with pytest.raises(error, match=message):
        act(alloy)


# -- the command --


def test_the_command_draws_an_isotherm(capsys, folder):
    (folder / "alloy.tdb").write_text(regular_text(PAIRS) + ELASTIC.format(1.08))
    status, out, err = run(
        capsys, "stability", "alloy.tdb", "--components", "A,B,C", "--phase", "alloy",
        "-T", "600", "--coherent", "-x", "0.3,0.2",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "two-phase" in out
    assert {p.name for p in (folder / "lina-stability").iterdir()} == {
        "isotherm.csv", "isotherm.png", "isotherm.svg", "lina-run.json", "section.csv",
        "section.png", "section.svg", "stability.json",
    }  # fmt: skip
    content = json.loads((folder / "lina-stability" / "stability.json").read_text())
    chemical, coherent = content["chemical"], content["coherent"]
    assert coherent["stability"] > chemical["stability"]
    assert chemical["x"] == [0.5, 0.3, 0.2]
    highest = "highest_spinodal_temperature_K"
    assert coherent[highest] < chemical[highest]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--components", "A,B", "--phase", "BCC"), "has no phase BCC"),
        (("--components", "A,B", "--phase", "ALLOY", "--coherent"), "ALLOY lacks V0 of A"),
        (("--components", "A,B,C", "--phase", "ALLOY", "-x", "0.9,0.9"), "add up to 1"),
        (("--components", "A,B", "--phase", "ALLOY", "-x", "half"), "'half' is no list of mole"),
        (("--phase", "ALLOY"), "Missing option '--components'"),
    ],
)
def test_what_the_command_refuses_in_one_line(capsys, folder, arguments, message):
    (folder / "alloy.tdb").write_text(regular_text(PAIRS))
    status, out, err = run(capsys, "stability", "alloy.tdb", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert [path.name for path in folder.iterdir()] == ["alloy.tdb"]
