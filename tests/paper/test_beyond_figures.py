"""Figures beyond the paper: cubic elasticity, sensitivity and uncertainty."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import constants
from support import LINA

import lina_calphad as lc
from lina_calphad.data.assessments import LATTICE_CONSTANTS
from lina_calphad.data.databases import copy_database
from lina_calphad.paper import beyond_tables
from lina_calphad.paper.beyond_tables import CHEMICAL, CONSTANTS, HOST, ISOTROPIC, PLANES
from lina_calphad.paper.figures import FIGURES
from lina_calphad.plots import SHADES

EIGHT, NINE, TEN = NAMES = list(FIGURES)[7:]
T = 300.0
MEMORY = "quoted from memory"


def of_new(bcc, kind, curve, branch="alpha", T=T):
    """A mole fraction of Na in the assessment that figures 8 to 10 are of."""
    return float(getattr(getattr(bcc("santos2025", kind), curve)(T), f"x_{branch}"))


def solution(databases, elasticity, lattice, plane=(1, 0, 0)):
    """The coherent solution by the Model, from elastic data in the database."""

    class Along(lc.CoherentModel):
        pass

    Along.plane = plane
    dbf = copy_database(databases["santos2025"])
    volumes = [constants.N_A * (a * 1e-10) ** 3 / 2 for a in lattice]
    lc.set_elastic_data(
        dbf,
        "BCC_A2",
        molar_volume=dict(zip(LINA, volumes, strict=True)),
        elasticity={"LI": elasticity},
    )
    return lc.BinarySolution(dbf, LINA, "BCC_A2", model=Along)


# -- figure 8: cubic elasticity --


def test_each_series_is_the_gap_of_the_coherent_model(tables, databases):
    table = tables[EIGHT]
    for name, plane in (*((HOST, p) for p in PLANES), ("Na, low T", "<111>")):
        series = table[(table["constants"] == name) & (table["direction"] == plane)]
        cubic = CONSTANTS[name].elasticity
        model = solution(databases, cubic, (3.42, 4.19), PLANES[plane])
        for curve in ("binodal", "spinodal"):
            rows = series[series["curve"] == f"coherent {curve}"]
            found = getattr(model, curve)(rows["T_K"])
            np.testing.assert_allclose(rows["x_na_alpha"], found.x_alpha, rtol=1e-9)
            np.testing.assert_allclose(rows["x_na_beta"], found.x_beta, rtol=1e-9)
        assert series["critical_T_K"].iloc[0] == pytest.approx(model.critical_point().T)
        b = lc.coherency_coefficient(cubic, 3.42, 4.19, PLANES[plane])
        assert series["B_J_per_mol"].unique() == pytest.approx(b)


def test_isotropic_and_chemical_rows_are_those_of_the_assessment(tables, bcc):
    table = tables[EIGHT]
    now = table[table["T_K"] == T].set_index(["constants", "curve"])
    for name, kind in ((CHEMICAL, "chemical"), (ISOTROPIC, "coherent")):
        for curve, branch in product(("binodal", "spinodal"), ("alpha", "beta")):
            x = now.loc[(name, f"{kind} {curve}"), f"x_na_{branch}"].item()
            assert x == pytest.approx(of_new(bcc, kind, curve, branch), rel=1e-9)


def test_in_the_cold_coherency_adds_b_over_rt_to_the_logarithm(tables):
    """The paper's eq. 13, which asks for a Na side that turns pure: B < 0L - 1L."""
    binodals = tables[EIGHT][lambda t: t["curve"].str.endswith("binodal")]
    cold = binodals[binodals["T_K"].between(15, 25)]
    chemical = cold[cold["constants"] == CHEMICAL]
    closed = cold[cold["B_J_per_mol"].between(1, 20109.8 - 5772.6 - 1000)]
    for _, rows in closed.groupby(["constants", "direction"]):
        shift = np.log(rows["x_na_alpha"].to_numpy() / chemical["x_na_alpha"].to_numpy())
        expected = rows["B_J_per_mol"] / (constants.R * rows["T_K"])
        np.testing.assert_allclose(shift, expected, rtol=1e-3)
    assert set(closed["constants"]) == {ISOTROPIC, *CONSTANTS}


def test_a_stiffer_wave_narrows_every_gap(tables):
    now = tables[EIGHT][lambda t: t["T_K"] == T].sort_values("B_J_per_mol")
    for _, rows in now.groupby(now["curve"].str.split().str[1]):
        assert len(rows) == 2 + len(CONSTANTS) * len(PLANES)
        for column, sign in (("x_na_alpha", 1), ("x_na_beta", -1), ("critical_T_K", -1)):
            assert (sign * np.diff(rows[column]) > 0).all()


def test_the_constants_of_na_are_softer_in_every_plane(tables):
    b = tables[EIGHT].groupby(["direction", "constants"])["B_J_per_mol"].first()
    for plane in PLANES:
        assert b[plane]["Na, 300 K"] < b[plane]["Na, low T"] < b[plane]["Li, 300 K"]


def test_figures_cite_the_source_of_every_constant(tables, figures):
    for name, source in CONSTANTS.items():
        rows = tables[EIGHT][lambda t, name=name: t["constants"] == name]
        assert rows["source"].unique() == [source.source]
        assert source.source in flat(figures[EIGHT])
        assert (MEMORY in source.source) == ("300 K" in name)
        assert ("Simmons and Wang" in source.source) == ("low T" in name)
        assert source.source.startswith("PBE") == ("PBE" in name)
    cited = tables[NINE].loc[tables[NINE]["parameter"] != "B", "source"].unique()
    assert len(cited) == 2 + len(LATTICE_CONSTANTS)
    assert all(source in flat(figures[NINE]) for source in cited)


def flat(figure):
    """The caption in one line."""
    return figure.get_suptitle().replace("\n", " ")


# -- figure 9: sensitivity --


def test_the_reference_and_no_coherency_are_those_of_the_assessment(tables, bcc):
    table = tables[NINE].set_index("basis")
    ends = {CHEMICAL: "chemical", table.index[0]: "coherent"}
    for basis, kind in ends.items():
        for column, curve in (("solubility", "binodal"), ("onset", "spinodal")):
            expected = of_new(bcc, kind, curve)
            assert table.loc[basis, f"{column}_x_na"] == pytest.approx(expected, rel=1e-9)
    assert table["B_J_per_mol"].iloc[0] == pytest.approx(12575.7167, rel=1e-8)


def test_solubility_and_onset_rise_with_b_and_depend_on_nothing_else(tables):
    table = tables[NINE].sort_values("B_J_per_mol").drop_duplicates("B_J_per_mol")
    for column in ("solubility_x_na", "onset_x_na"):
        assert (np.diff(table[column]) > -1e-12).all()  # the sweep meets a case
        sweep = table[table["parameter"] == "B"]
        on_it = np.interp(table["B_J_per_mol"], sweep["B_J_per_mol"], np.log(sweep[column]))
        np.testing.assert_allclose(np.log(table[column]), on_it, atol=1e-3)


def test_each_case_is_the_gap_of_the_coherent_model(tables, databases):
    cases = tables[NINE][lambda t: ~t["parameter"].isin(["B", "direction, cubic Li"])]
    for case in cases.to_dict("records"):
        c = lc.CubicElasticity(case["C11_GPa"], case["C12_GPa"], case["C44_GPa"])
        model = solution(databases, c, (case["a_li_angstrom"], case["a_na_angstrom"]))
        for column, curve in (("solubility", "binodal"), ("onset", "spinodal")):
            expected = float(getattr(model, curve)(T).x_alpha)
            assert case[f"{column}_x_na"] == pytest.approx(expected, rel=1e-9)


def test_one_thing_is_varied_at_a_time(tables):
    table = tables[NINE]
    poisson = table["C12_GPa"] / (table["C11_GPa"] + table["C12_GPa"])
    moduli = {
        "E": 2 * table["C44_GPa"] * (1 + poisson),
        "ν": poisson,
        "misfit by a(Li)": table["a_li_angstrom"],
        "misfit by a(Na)": table["a_na_angstrom"],
    }
    for varied in moduli:
        cases = table["parameter"] == varied
        assert cases.sum() == 2
        for name, values in moduli.items():
            same = np.isclose(values[cases], values[0], rtol=1e-12)
            assert (~same if name == varied else same).all()
    both = table[table["parameter"] == "misfit by both"]
    assert list(both["a_na_angstrom"]) == [lattice.na for lattice in LATTICE_CONSTANTS]


def test_averages_of_a_polycrystal(tables):
    """Both keep the bulk modulus, and the shear moduli lie between those of the crystal."""
    both = tables[NINE][lambda t: t["parameter"] == "E and ν"]
    c = CONSTANTS[HOST].elasticity
    bulk = both["C11_GPa"] + 2 * both["C12_GPa"]
    np.testing.assert_allclose(bulk, c.c11 + 2 * c.c12, rtol=1e-12)
    voigt, reuss = both["C44_GPa"]
    tetragonal = (c.c11 - c.c12) / 2
    assert voigt == pytest.approx((2 * tetragonal + 3 * c.c44) / 5)
    assert 1 / reuss == pytest.approx((2 / tetragonal + 3 / c.c44) / 5)


def test_no_gap_is_said_so(paper):
    hot = beyond_tables.sensitivity(replace(paper, T=600.0))
    without = hot["missing"] == "no gap"
    assert 0 < without.sum() < len(hot)
    assert (hot["onset_x_na"].isna() == without).all()
    assert hot.loc[without, "B_J_per_mol"].min() > hot.loc[~without, "B_J_per_mol"].max()


# -- figure 10: uncertainty --


def test_bands_contain_the_assessment(tables, bcc):
    table = tables[TEN][lambda t: t["x_na"].notna()]
    assert table.groupby(["curve", "branch"]).ngroups == 8
    names = [f"x_na{end}" for end in ("_low_95", "_low_68", "", "_high_68", "_high_95")]
    ordered = np.diff(table[names].to_numpy())
    assert (ordered[table["x_na"].between(1e-300, 1 - 1e-9)] > 0).all()
    now = table[(table["T_K"] == T) & (table["branch"] == "alpha")].set_index("curve")
    for kind, curve in product(("chemical", "coherent"), ("binodal", "spinodal")):
        expected = of_new(bcc, kind, curve)
        assert now.loc[f"{kind} {curve}", "x_na"] == pytest.approx(expected, rel=1e-9)


def test_a_solubility_is_known_to_the_factor_of_the_error_over_kt(tables):
    table = tables[TEN].set_index(["curve", "branch", "T_K"])
    row = table.loc[("chemical binodal", "alpha", T)].iloc[0]
    factor = np.sqrt(row["x_na_high_68"] / row["x_na_low_68"])
    error = lc.assessments()["santos2025"].substitution_error
    expected = np.exp(error * constants.e / (constants.k * T))
    assert factor == pytest.approx(expected, rel=0.03)


def test_histograms_hold_every_draw_and_agree_with_the_bands(tables):
    table = tables[TEN]
    for curve, bins in table[table["share_of_draws"].notna()].groupby("curve"):
        assert bins["share_of_draws"].sum() == pytest.approx(1)
        band = table[(table["curve"] == curve) & (table["T_K"] == T)].iloc[0]
        within = bins[bins["bin_low_x_na"].between(band["x_na_low_68"], band["x_na_high_68"])]
        assert within["share_of_draws"].sum() == pytest.approx(0.68, abs=0.1)


# -- drawings --


def test_every_diagram_is_drawn(figures, tables):
    shown = tables[EIGHT][lambda t: t["constants"].isin([CHEMICAL, ISOTROPIC, HOST])]
    whole, li_side, stiffness, onset = figures[EIGHT].axes
    for axes in (whole, li_side):
        drawn = [tuple(line.get_xdata()) for line in axes.lines]
        for _, curve in shown.groupby(["constants", "direction", "curve"]):
            assert tuple(curve["x_na_alpha"]) in drawn
            assert tuple(curve["x_na_beta"]) in drawn
        assert len(drawn) == 20 + 1  # and the line below which Li is close-packed
    for axes in (stiffness, onset):
        assert [len(line.get_ydata()) for line in axes.lines] == [3] * len(CONSTANTS) + [2, 2]
    labels = [text.get_text() for text in figures[EIGHT].legends[0].get_texts()]
    assert "isotropic, eq. 12: B = 12.58 kJ/mol" in labels
    assert "Li, 300 K, ⟨100⟩: B = 3.45 kJ/mol" in labels


def test_every_parameter_has_its_bars(figures, tables):
    table = tables[NINE]
    left, right = figures[NINE].axes[:2]
    lines = [label.get_text().split("\n") for label in left.get_yticklabels()]
    names = {"misfit, both lattice constants": "misfit by both", "E and ν together": "E and ν"}
    labels = [names.get(first, first) for first, *_ in lines]
    assert set(labels) == set(table["parameter"]) - {"reference", "B"}
    assert lines[labels.index("E and ν")][1] == "6.3 GPa with ν = 0.41"
    for axes, column in ((left, "solubility_x_na"), (right, "onset_x_na")):
        for label, bar in zip(labels, axes.lines[::2], strict=False):
            cases = table[table["parameter"].isin([label, "reference"])][column]
            assert list(bar.get_xdata()) == [cases.min(), cases.max()]
    assert labels[-1] == "direction, cubic Li"  # what matters most stands on top


def test_figure_9_says_what_its_marks_are(figures):
    figure = figures[NINE]
    assert [ax.get_title()[:3] for ax in figure.axes] == ["(a)", "(b)", "(c)", "(d)"]
    assert "santos2025" in figure.get_suptitle()
    (legend,) = figure.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert {CHEMICAL, f"{ISOTROPIC}, the reference", "from lowest to highest"} < set(words)
    assert words[0].startswith("a value tried")


@pytest.mark.parametrize("name", [EIGHT, TEN])
def test_diagrams_say_where_lithium_turns_close_packed(figures, tables, name):
    (T,) = tables[name]["li_close_packed_below_K"].unique()
    for axes in figures[name].axes[:2]:
        (note,) = axes.texts
        assert note.get_text() == "Li close-packed below 77 K"
        assert any(list(line.get_ydata()) == [T, T] for line in axes.lines)


def test_every_band_and_histogram_is_drawn(figures):
    *diagrams, solubility, onset = figures[TEN].axes
    for axes in diagrams:
        assert (len(axes.collections), len(axes.lines)) == (8 * len(SHADES), 8 + 1)
    for axes in (solubility, onset):
        assert (len(axes.patches), len(axes.lines)) == (2, 2)
    assert "0.01 eV" in figures[TEN].get_suptitle()
