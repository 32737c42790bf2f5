"""The paper's figures 1 to 7: tables that agree with other routes, drawings of all of them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from pycalphad import equilibrium
from pycalphad import variables as v
from support import nothing_outside

from lina_calphad.cli.main import main
from lina_calphad.data.assessments import MEASURED, assessments
from lina_calphad.data.datasets import shipped_folder
from lina_calphad.paper import claims
from lina_calphad.paper.alloys import METHODS, SIDES
from lina_calphad.paper.figures import FIGURES
from lina_calphad.paper.tables import FCC
from lina_calphad.phase.energy import R
from lina_calphad.report import Report

NAMES = list(FIGURES)[:7]
PHASES, ENERGIES, NA_IN_LI, LI_IN_NA, SPINODALS, BINODALS, LOW = NAMES


@pytest.fixture(scope="module")
def published():
    return {p.quantity: p for key in assessments() for p in assessments()[key].published}


def select(table, **values):
    for column, value in values.items():
        table = table[table[column] == value]
    assert len(table)
    return table


def methods(table, **values):
    """Logarithms of the closed form and of the exact curve at the same temperatures, cold first."""
    both = [select(table, series=m, **values).sort_values("T_K") for m in METHODS]
    assert np.array_equal(both[0]["T_K"], both[1]["T_K"])
    return [np.log(rows["x_solute"].to_numpy()) for rows in both]


# -- the tables --


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_long_and_whole(tables, name):
    table = tables[name]
    assert {"source", "series"} < set(table)
    assert {"zhang2003", "santos2025"} <= set(table["source"])
    assert not table.isna().any(axis=None)
    assert not table.duplicated().any()


@pytest.mark.parametrize("key", ["zhang2003", "santos2025"])
def test_figure_1_melts_where_the_comparison_says(tables, paper, key):
    boundaries = select(tables[PHASES], source=key)
    description = paper.alloys[key]
    for kind in ("eutectic", "monotectic"):
        invariant = description.invariant(kind)
        assert select(boundaries, series=kind)["T_K"].unique() == [invariant.T]
        for phase, name in (("liquid", "LIQUID"), ("bcc", "BCC_A2")):
            at = select(boundaries, series=phase).query("abs(T_K - @invariant.T) < 1e-6")["x_na"]
            # Gap and liquidus each come with an end of their own.
            assert np.ptp([*at, *invariant.x(name)]) > 0
            for x in invariant.x(name):
                assert (abs(at - x) < 1e-5).sum() >= 2
    pure_li, pure_na = (boundaries.query(q)["T_K"] for q in ("x_na < 1e-5", "x_na > 0.99999"))
    assert pure_li.max() == pytest.approx(453.6, abs=0.05)
    assert pure_na.max() == pytest.approx(370.87, abs=0.05)


def test_figure_1_is_an_equilibrium_of_pycalphad(tables, databases):
    conditions = {v.T: 400.0, v.P: 101325, v.X("NA"): 0.5}
    found = equilibrium(
        databases["santos2025"], ["LI", "NA", "VA"], ["LIQUID", "BCC_A2"], conditions
    )
    fractions = found.X.sel(component="NA").values.ravel()
    x = dict(zip(found.Phase.values.ravel(), fractions, strict=True))
    for series, phase in (("liquid", "LIQUID"), ("bcc", "BCC_A2")):
        lines = select(tables[PHASES], source="santos2025", series=series).groupby("line")
        crossing = [
            np.interp(400.0, *rows.sort_values("T_K")[["T_K", "x_na"]].to_numpy().T)
            for _, rows in lines
            if rows["T_K"].min() < 400.0 < rows["T_K"].max()
        ]
        assert crossing == [pytest.approx(x[phase], rel=1e-3)]


def test_figure_1_holds_the_measured_points_of_the_registry(tables):
    points = tables[PHASES].query("series == 'measured'")
    for measured in MEASURED:
        who = points[points["source"].str.startswith(measured.where.split()[0])]
        column = "T_K" if measured.unit == "K" else "x_na"
        assert (abs(who[column] - measured.value) < 1e-9).any(), measured


def test_figure_2_holds_the_energies_of_our_cells(tables):
    cells = pd.read_csv(shipped_folder() / "LI-NA" / "dft-gpaw2026" / "cells.csv")
    own = select(tables[ENERGIES], source=FCC[0])
    assert len(own) == 1 + 2 + 2 + 3 + 7
    for row in own.itertuples():
        there = cells[(abs(cells["x_na"] - row.x_na) < 1e-6) & (cells["use"] == "yes")]
        assert abs(there["formation_j_per_mol"] - row.energy_J_per_mol).min() < 0.06
    (fcc,) = select(own, series=FCC[1]).itertuples()
    expected = cells.set_index("name").loc["SQS16_Na12sp_1e_k12"]
    assert (fcc.x_na, fcc.energy_J_per_mol) == (
        expected["x_na"],
        pytest.approx(expected["formation_j_per_mol"]),
    )


def test_figure_2_holds_the_energies_behind_the_papers_parameters(tables, published):
    vasp = select(tables[ENERGIES], source="Santos et al. 2025 (VASP)")
    low, high = vasp["energy_J_per_mol"] * 128
    assert (low + high) / 2 == pytest.approx(published["bcc 0L"].value)
    assert (low - high) / 2 == pytest.approx(published["bcc 1L"].value)


@pytest.mark.parametrize("key", ["zhang2003", "santos2025"])
def test_the_curves_of_figure_2_are_gibbs_energies_without_entropy(tables, bcc, key):
    curve = select(tables[ENERGIES], source=key).iloc[1:-1]
    x = curve["x_na"].to_numpy()
    low, *gibbs, high = bcc(key, "chemical").gibbs_energy(300.0, np.array([0.0, *x, 1.0]))
    mixing = np.array(gibbs) - (1 - x) * low - x * high
    energy = mixing - R * 300.0 * (x * np.log(x) + (1 - x) * np.log(1 - x))
    np.testing.assert_allclose(curve["energy_J_per_mol"], energy, rtol=1e-9)


@pytest.mark.parametrize("name", [NA_IN_LI, LI_IN_NA])
@pytest.mark.parametrize("key", ["zhang2003", "santos2025"])
def test_solubilities_approach_their_limit_in_the_cold(tables, name, key):
    closed, exact = methods(tables[name], source=key)
    error = abs(exact - closed)
    assert error[0] < 1e-5 < 1e-3 < error[-1] < 0.1
    assert (np.diff(error) > 0).all()


def test_solubilities_end_at_the_eutectic(tables, paper):
    eutectic = paper.alloys["santos2025"].invariant("eutectic")
    ends = eutectic.x("BCC_A2")[0], 1 - eutectic.x("BCC_A2")[1]
    for name, x in zip((NA_IN_LI, LI_IN_NA), ends, strict=True):
        rows = select(tables[name], source="santos2025", series="exact").sort_values("T_K")
        assert rows["T_K"].iloc[-1] == pytest.approx(eutectic.T)
        assert rows["x_solute"].iloc[-1] == pytest.approx(x, rel=1e-4)


@pytest.mark.parametrize("key", ["zhang2003", "santos2025"])
@pytest.mark.parametrize("side", SIDES)
def test_spinodals_lose_stability_and_approach_their_limit_in_the_cold(tables, bcc, key, side):
    rows = select(tables[SPINODALS], source=key, side=side)
    exact = select(rows, series="exact")
    x = exact["x_solute"] if side == SIDES[0] else 1 - exact["x_solute"]
    np.testing.assert_allclose(bcc(key, "chemical").stability(exact["T_K"], x), 0, atol=1e-9)
    closed, exact = methods(rows)
    assert abs(exact - closed)[0] < 0.05 < abs(exact - closed)[-1]


def test_the_old_coherent_gap_closes_where_the_paper_says(tables, published):
    coherent = tables[BINODALS][tables[BINODALS]["series"].str.startswith("coherent")]
    old = select(coherent, source="zhang2003")
    (top,) = select(old, series="coherent, critical point")["T_K"].unique()
    known = published["coherent critical temperature"]
    assert top == pytest.approx(known.value, abs=known.tolerance)
    assert old["T_K"].max() == top < select(coherent, source="santos2025")["T_K"].max()


def test_coherency_raises_every_solubility(tables):
    keys = ["side", "source", "T_K"]
    chemical, coherent = (
        select(tables[BINODALS], series=f"{kind}, exact").set_index(keys)["x_solute"]
        for kind in ("chemical", "coherent")
    )
    assert (coherent > chemical.loc[coherent.index]).all()


def test_coherent_symbols_approach_their_limit_on_the_li_side(tables):
    rows = select(tables[BINODALS], source="santos2025", side=SIDES[0])
    coherent = rows[rows["series"].str.startswith("coherent")]
    plain = coherent.assign(series=coherent["series"].str.removeprefix("coherent, "))
    closed, exact = methods(plain)
    # The Na-rich phase is concentrated, so that the limit is off by a factor even in the cold.
    assert abs(exact - closed).max() < 0.5


@pytest.mark.parametrize(
    ("series", "quantity"),
    [
        ("chemical spinodal", "chemical spinodal onset"),
        ("coherent spinodal", "coherent spinodal onset"),
    ],
)
def test_figure_7_has_the_onsets_that_the_paper_prints(tables, published, series, quantity):
    rows = select(tables[LOW], source="santos2025", series=series, side=SIDES[0])
    known = published[quantity]
    assert np.interp(300.0, rows["T_K"], rows["x_na"]) == pytest.approx(
        known.value, abs=known.tolerance
    )


# -- the drawings --

COORDINATES = {
    PHASES: lambda t: (t["x_na"], t["T_K"]),
    ENERGIES: lambda t: (t["x_na"], t["energy_J_per_mol"] / 1000),
    NA_IN_LI: lambda t: (1000 / t["T_K"], t["x_solute"]),
    LI_IN_NA: lambda t: (1000 / t["T_K"], t["x_solute"]),
    SPINODALS: lambda t: (t["T_K"], t["x_solute"]),
    BINODALS: lambda t: (1000 / t["T_K"], t["x_solute"]),
    LOW: lambda t: (t["x_na"], t["T_K"]),
}


def drawn(figure):
    """What each labelled artist of each panel shows."""
    axes = [ax for panel in figure.axes for ax in (panel, *panel.child_axes)]
    return [
        (line.get_label(), line.get_xydata())
        for ax in axes
        for line in ax.get_lines()
        if not line.get_label().startswith("_")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_shows_and_names_all_of_its_table(tables, figures, name):
    table, figure = tables[name], figures[name]
    points = {}
    for label, data in drawn(figure):
        points.setdefault(label, set()).update(map(tuple, data))
    labels = table["source"] + ", " + table["series"]
    assert set(points) == set(labels)
    for label, *point in zip(labels, *COORDINATES[name](table), strict=True):
        assert tuple(point) in points[label]
    (legend,) = figure.legends
    words = " ".join(text.get_text() for text in legend.get_texts())
    assert all(source in words for source in table["source"])


def test_figure_1_does_not_join_lines_that_do_not_meet(tables):
    table = tables[PHASES]
    (whole, *_) = FIGURES[PHASES][1](table).axes
    lines = [len(line.get_xdata()) for line in whole.get_lines() if line.get_linestyle() == "-"]
    calculated = table[table["source"].isin(["zhang2003", "santos2025"])]
    assert sorted(lines) == sorted(calculated.groupby("line").size())


def test_figure_2_says_by_how_much_the_sources_disagree(tables):
    figure = FIGURES[ENERGIES][1](tables[ENERGIES])
    texts = " ".join(text.get_text() for ax in figure.axes for text in ax.texts)
    # What the axis reads, and what one atom costs.
    assert "0.270 × 127/128\n= 0.268 eV" in texts
    assert "0.215 × 127/128\n= 0.213 eV" in texts


def test_the_fields_of_figure_7_are_named_where_there_is_a_coherent_gap(tables):
    def letters(table):
        texts = {t.get_text() for ax in FIGURES[LOW][1](table).axes for t in ax.texts}
        return {text for text in texts if len(text) == 1}

    assert letters(tables[LOW]) == {"A", "B", "C", "D"}
    assert letters(select(tables[LOW], source="zhang2003")) == set()


def test_figure_7_says_where_lithium_turns_close_packed(tables, published):
    known = published["bcc Li turns close-packed (hcp)"]
    (T,) = tables[LOW]["li_close_packed_below_K"].unique()
    assert T == pytest.approx(known.value, abs=known.tolerance)
    for axes in FIGURES[LOW][1](tables[LOW]).axes:
        assert f"Li close-packed below {T:.0f} K" in {text.get_text() for text in axes.texts}
        assert any(list(line.get_ydata()) == [T, T] for line in axes.lines)


def test_symbols_of_figure_5_have_the_colour_of_their_line(tables):
    for axes in FIGURES[SPINODALS][1](tables[SPINODALS]).axes:
        colours = {line.get_label(): line.get_color() for line in axes.lines}
        for source in ("zhang2003", "santos2025"):
            assert colours[f"{source}, {METHODS[0]}"] == colours[f"{source}, {METHODS[1]}"]
        assert len(set(colours.values())) == 2


@pytest.mark.parametrize(
    ("side", "worst"), [(SIDES[0], "zhang2003, coherent"), (SIDES[1], "santos2025, coherent")]
)
def test_figure_6_says_where_the_closed_form_is_poorest(tables, side, worst):
    """By the table: the factor is that of the symbol farthest from its line."""
    table = tables[BINODALS]
    factors = {}
    for (source, series), rows in select(table, side=side).groupby(["source", "series"]):
        kind, method = series.split(", ")
        factors.setdefault(f"{source}, {kind}", {})[method] = rows.set_index("T_K")["x_solute"]
    ratios = {who: (m[METHODS[0]] / m[METHODS[1]]).dropna() for who, m in factors.items()}
    off = {who: abs(np.log(ratio)).max() for who, ratio in ratios.items()}
    assert max(off, key=off.get) == worst
    at = abs(np.log(ratios[worst])).idxmax()
    axes = FIGURES[BINODALS][1](table).axes[SIDES.index(side)]
    (note,) = axes.texts
    expected = f"{worst}:\n{ratios[worst][at]:.1f} times the exact one at {at:.0f} K"
    assert note.get_text().endswith(expected)


def test_figure_6_tells_the_closed_forms_apart(tables):
    figure = FIGURES[BINODALS][1](tables[BINODALS])
    widths = {line.get_label(): line.get_linewidth() for line in figure.axes[0].lines}
    (legend,) = figure.legends
    words = {text.get_text() for text in legend.get_texts()}
    for source in ("zhang2003", "santos2025"):
        chemical, coherent = (f"{source}, {k}, {METHODS[0]}" for k in ("chemical", "coherent"))
        assert widths[chemical] < widths[coherent]
        assert {chemical, coherent} < words


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_drawn_outside_a_figure(figures, name):
    nothing_outside(figures[name])


# -- on disk --


@pytest.fixture(scope="session")
def written(tmp_path_factory, made):
    """What `lina-calphad reproduce` writes into an empty folder."""
    folder = tmp_path_factory.mktemp("reproduce")
    numbers = pd.DataFrame({"quantity": ["bcc 0L"]})
    result = Report("numbers", {}, tables={"numbers": numbers, **made[0]}, figures=made[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(claims, "reproduce", lambda _: result)
        main(["reproduce"])
    return folder / "lina-paper"


def test_the_command_draws_every_figure(written):
    assert [name.split("_")[1] for name in FIGURES] == [str(n) for n in range(1, 11)]
    files = {f"{name}.{suffix}" for name in FIGURES for suffix in ("png", "svg", "csv")}
    assert {p.name for p in written.iterdir()} == files | {
        "numbers.csv",
        "numbers.json",
        "lina-run.json",
    }


def content(figure):
    """What a figure draws: points of lines, bands and histograms, and its words."""
    points, words = [], [text.get_text() for text in figure.texts]
    for ax in [ax for panel in figure.axes for ax in (panel, *panel.child_axes)]:
        points += [line.get_xydata() for line in ax.lines]
        points += [path.vertices for c in ax.collections for path in c.get_paths()]
        points += [patch.get_path().vertices for patch in ax.patches]
        words += [text.get_text() for text in (ax.title, *ax.texts)]
        words += filter(re.compile("[a-z]").search, (t.get_text() for t in ax.get_yticklabels()))
        words += [str(line.get_label()) for line in ax.lines]
    return points, words


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_from_its_csv_alike(written, figures, name):
    again = FIGURES[name][1](pd.read_csv(written / f"{name}.csv"))
    (points, words), (old_points, old_words) = content(again), content(figures[name])
    assert words == old_words
    for new, old in zip(points, old_points, strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-12)
