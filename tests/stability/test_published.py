"""The page on any solution phase: its programs run, and its published numbers stand beside ours."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pycalphad import Database, equilibrium
from pycalphad import variables as v
from scipy.constants import N_A
from scipy.optimize import brentq
from support import ROOT, R, regular

import lina_calphad as lc
from lina_calphad.errors import NoMiscibilityGap

PAGE = (ROOT / "docs" / "howto" / "any_solution_phase.md").read_text(encoding="utf-8")


def test_the_programs_of_the_page_run(folder):
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE)
    assert [len(block.splitlines()) for block in blocks if "wks.get(lc.Stability(" in block] == [3]
    names = {}
    for block in blocks:
        exec(compile(block, "any_solution_phase.md", "exec"), names)
    assert names["psi"].min() < 0 < names["psi"].max()
    chemical, coherent = (names[n].spinodal_temperature([0.2, 0.5]) for n in ("bcc", "coherent"))
    assert coherent < chemical - 300
    assert len(names["two_gaps"].tie_lines) == 2
    assert [path.name for path in folder.iterdir()] == ["cr_ti_v.png"]


def row(start):
    (cells,) = re.findall(rf"(?m)^\| {re.escape(start)}[^|]*\|([^|]*)\|([^|]*)\|", PAGE)
    return cells[1].strip()


@pytest.mark.filterwarnings("ignore:The type definition character")
@pytest.mark.parametrize("pair", [("CU", "NI"), ("AL", "CU")])
def test_the_tops_of_two_gaps_of_cost_507(example_tdb, pair):
    (top,) = lc.Solution(example_tdb("COST507.tdb"), pair, "FCC_A1").critical_points()
    digits = 1 if pair == ("CU", "NI") else 0
    text = f"{top.T - 273.15:.{digits}f} °C, {100 * top.x:.1f} at.% {pair[1].title()}"
    assert row("–".join(name.title() for name in pair) + " fcc") == text


@pytest.mark.filterwarnings("ignore:The type definition character")
@pytest.mark.parametrize("T", [500.0, 623.0])
def test_the_gap_of_al_cu_zn_is_a_tunnel(example_tdb, T):
    alloy = lc.Solution(example_tdb("COST507.tdb"), ("AL", "CU", "ZN"), "FCC_A1")
    for line in alloy.spinodal(T):
        # From the side without Cu to that without Zn.
        assert np.sort(line[[0, -1], 1:].min(axis=1)) == pytest.approx([0, 0], abs=1e-9)
        assert sorted(line[[0, -1], 1:].argmin(axis=1)) == [0, 1]


STEELS = Database(ROOT / "tests" / "stability" / "mc_fe_fcc.tdb")


@pytest.mark.parametrize(
    ("start", "x"),
    [
        ("CoCrCuFeNi fcc", {"CO": 0.2, "CR": 0.2, "CU": 0.2, "FE": 0.2, "NI": 0.2}),
        ("CoCrFe₂Ni₂ with", {"CO": 0.15, "CR": 0.15, "CU": 0.1, "FE": 0.3, "NI": 0.3}),
        ("Fe₁₅Co₁₅Ni₃₅Cu₃₅ fcc", {"CO": 0.15, "CU": 0.35, "FE": 0.15, "NI": 0.35}),
    ],
)
def test_high_entropy_alloys_with_copper(start, x):
    alloy, fractions = lc.Solution(STEELS, tuple(x), "FCC_A1"), list(x.values())
    T = float(alloy.spinodal_temperature(fractions))
    assert row(start) == f"unstable below {T - 273.15:.0f} °C"
    direction = alloy.curvature(T, fractions).directions[:, 0]
    assert np.abs(direction).argmax() == list(x).index("CU")


def test_copper_leaves_a_high_entropy_alloy_where_it_was_seen_to():
    held = {v.P: 101325, v.N: 1, v.X("CO"): 0.15, v.X("CR"): 0.15, v.X("CU"): 0.1, v.X("FE"): 0.3}
    temperatures = np.array([773.15, 973.15, 1173.15, 1473.15])  # Metals 11 (2021) 1994
    names = ["CO", "CR", "CU", "FE", "NI", "VA"]
    found = equilibrium(STEELS, names, ["FCC_A1"], held | {v.T: temperatures.tolist()})
    assert (found.Phase == "FCC_A1").sum("vertex").values.squeeze().tolist() == [2, 2, 2, 1]


def test_the_spinodal_of_nb_ti():
    niobium = lc.BinarySolution(regular({("A", "B"): [13045.3]}), ("A", "B"), "ALLOY")
    low, high = 100 * niobium.spinodal([573, 673]).x_alpha
    assert row("Nb–Ti bcc") == f"{low:.1f}, {high:.1f} at.%"


def test_coherency_and_the_gap_of_nb_v():
    class Along111(lc.CoherentModel):
        plane = (1, 1, 1)

    niobium, pair = regular({("A", "B"): [9080.0]}), ("A", "B")
    volumes = {"A": N_A * 3.30e-10**3 / 2, "B": N_A * 3.02e-10**3 / 2}
    constants = {"A": lc.CubicElasticity(240.2, 125.6, 28.2)}
    assert constants["A"].biaxial_modulus((1, 1, 1)) < constants["A"].biaxial_modulus((1, 0, 0))
    lc.set_elastic_data(niobium, "ALLOY", molar_volume=volumes, elasticity=constants)
    top = lc.BinarySolution(niobium, pair, "ALLOY").critical_point().T - 273.15
    assert row("Nb–V bcc") == f"{top:.0f} °C, no gap with it"
    with pytest.raises(NoMiscibilityGap):
        lc.BinarySolution(niobium, pair, "ALLOY", Along111).critical_point()


def test_the_top_of_au_pt_without_its_excess_entropy():
    # 30 x^2 (1 - x) kJ/mol, x that of Pt, as a Redlich-Kister polynomial.
    dbf = regular({("A", "B"): [15000.0, -15000.0]})
    top = lc.BinarySolution(dbf, ("A", "B"), "ALLOY").critical_point()
    assert row("Au–Pt fcc") == f"{top.T - 273.15:.0f} °C, {100 * top.x:.1f} at.% Pt"


def test_the_end_of_the_gap_of_al_zn(example_tdb):
    lines = lc.BinarySystem(example_tdb("alzn_mey.tdb"), ("AL", "ZN")).invariants().to_dataframe()
    (T,) = lines.loc[lines["kind"] == "monotectoid", "T"]
    assert row("Al–Zn, three phases") == f"{T - 273.15:.1f} °C"


def test_the_gap_of_an_asymmetric_nitride():
    # 7.41 - 2.11 x kcal/mol, x that of In, as a Redlich-Kister polynomial.
    omega = 4184 * np.array([7.41 - 2.11 / 2, 2.11 / 2])
    nitride = lc.BinarySolution(regular({("A", "B"): omega.tolist()}, "AB"), ("A", "B"), "ALLOY")
    top = nitride.critical_point().T - 273.15
    assert row("Ga₁₋ₓInₓN, Ω") == f"{top:.1f} °C"
    gap = nitride.binodal(1073.15)
    assert row("the same: gap at 800 °C") == f"{gap.x_alpha:.3f} to {gap.x_beta:.3f}"
    assert top == pytest.approx(1417, abs=2)  # Phys. Rev. B 60 (1999) 1701


def test_a_nitride_of_two_metals():
    text = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT GA GAS 70 0 0 !
 ELEMENT IN GAS 115 0 0 !
 ELEMENT N GAS 14 0 0 !
 TYPE_DEFINITION % SEQ * !
 PHASE NITRIDE % 2 1 1 !
 CONSTITUENT NITRIDE :GA,IN:N: !
 PARAMETER L(NITRIDE,GA,IN:N;0) 1 25020.32; 6000 N !
"""
    dbf = Database.from_string(text, fmt="tdb")
    nitride = lc.Solution(dbf, ("GA", "IN", "N"), "NITRIDE")
    y = np.array([0.1, 0.5])
    x = np.stack([(1 - y) / 2, y / 2, [0.5, 0.5]], axis=-1)
    expected = 2 * 25020.32 * y * (1 - y) / R
    assert nitride.spinodal_temperature(x) == pytest.approx(expected)
    omega = 25020.32 / (R * 1073.15)
    limit = brentq(lambda y: np.log((1 - y) / y) - omega * (1 - 2 * y), 1e-6, 0.4)
    assert row("Ga₁₋ₓInₓN, 5.98") == f"{100 * limit:.1f} %"
