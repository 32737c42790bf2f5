"""`lina-calphad anode`: what it prints and writes, its figures, and how it refuses bad input."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import support
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from lina_calphad.anode import REGIONS, describe, regions, stripping_path, study
from lina_calphad.anode.figures import REGION_COLOURS, figures
from lina_calphad.cli.main import main
from lina_calphad.cli.options import (
    DENSITY,
    FRACTION,
    KELVIN,
    METRES,
    SHARE,
    current_density,
    diffusivity,
)
from lina_calphad.data.assessments import tdb_folder
from lina_calphad.phase.draws import source_draws
from lina_calphad.plots import KINDS


@pytest.fixture(scope="module")
def santos():
    return describe("santos2025")


@pytest.fixture(scope="module")
def whole(santos):
    """A study with everything in it, from 20 to 60 °C."""
    draws = source_draws("santos2025", santos.dbf)
    return study(
        0.03, [293.15, 333.15], santos, thickness=100e-6, current_density=10.0, draws=draws
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The README's command in an empty folder."""
    folder = tmp_path_factory.mktemp("anode")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(
            ["anode", "santos2025", "--x0", "0.03", "--temperature", "300", "--thickness", "100um"]
        )
    return folder / "lina-anode"


def run(capsys, *arguments):
    return support.run(capsys, "anode", *arguments)


# -- the study --


def test_windows_cover_all_compositions_and_are_those_of_the_map(whole, santos):
    for T, table in whole.windows.groupby("T"):
        assert table["x_from"].iloc[0] == 0
        assert table["x_to"].iloc[-1] == 1
        np.testing.assert_array_equal(table["x_from"].iloc[1:], table["x_to"].iloc[:-1])
        middle = (table["x_from"] + table["x_to"]) / 2
        assert regions(middle, T, santos).key.tolist() == table["region"].tolist()


def test_an_alloy_wanted_for_a_depth_enters_the_coherent_spinodal_there(whole, santos):
    assert len(whole.at_depths) == 8
    for row in whole.at_depths.to_dict("records"):
        path = stripping_path(row["x0_wanted"], row["T"], santos)
        assert float(path.q["coherent spinodal alpha"]) == pytest.approx(row["q"], abs=1e-9)


def test_windows_know_where_there_is_liquid_and_an_alloy_that_stays_solid_is_studied(santos):
    """At 363 K a Na-rich alloy never meets the liquid that most others form."""
    found = study(0.995, 363.0, santos)
    assert "liquid" in set(found.windows["region"])
    liquid = found.windows.query("region == 'liquid'").iloc[0]
    inside, outside = liquid["x_from"] * (1 + 1e-6), liquid["x_from"] * (1 - 1e-6)
    assert regions([outside, inside], 363.0, santos).key.tolist()[1] == "liquid"
    assert regions([outside, inside], 363.0, santos).key.tolist()[0] != "liquid"
    assert found.at_depths["x0_wanted"].isna().all()
    assert found.at_depths["reason"].str.startswith("liquid forms").all()


def test_ten_times_the_diffusivity_is_a_tenth_of_the_current(whole):
    table = whole.sensitivity.set_index(["T", "diffusivity"])
    slow = study(0.03, 293.15, whole.description, thickness=100e-6, current_density=1.0)
    found = slow.profiles[0]
    assert table.loc[(293.15, 1e-13), "q_exhausted"] == pytest.approx(found.exhausted_at, rel=1e-6)
    share = found.crossings["coherent spinodal alpha"][0]
    assert table.loc[(293.15, 1e-13), "q_interface"] == pytest.approx(share, rel=1e-6)


def test_notes_tell_what_concerns_this_study(whole, santos):
    text = " ".join(whole.notes)
    factor = float(santos.coherent.stability(293.15, 0.03))
    for words in ("0 K", f"factor, at x0 {factor:.2f} (coherent)", "may be much faster"):
        assert words in text
    assert "was stated for" not in text
    cold = " ".join(study(0.03, 150.0, santos).notes)
    assert "was stated for 293.15 to 333.15 K" in cold
    assert "below 200 K the elements are extrapolated" in cold
    assert "0 K" not in " ".join(
        study(0.03, 300.0, santos, thickness=1e-4, density=550.0).notes[:3]
    )


@pytest.mark.parametrize(
    ("x0", "said", "not_said"),
    [
        (0.03, "a real one would be smaller", "unmixing"),
        (0.05, "run out of Li earlier; a negative factor is unmixing, not slow diffusion", "zzz"),
        (0.2, "(chemical): a negative factor is unmixing, not slow diffusion", "smaller"),
    ],
)
def test_a_negative_thermodynamic_factor_is_called_unmixing(santos, x0, said, not_said):
    factors = [float(s.stability(300.0, x0)) for s in (santos.chemical, santos.coherent)]
    assert [factor > 0 for factor in factors] == {
        0.03: [True, True], 0.05: [False, True], 0.2: [False, False],
    }[x0]  # fmt: skip
    given = {"thickness": 100e-6, "current_density": 10.0}
    (note,) = [n for n in study(x0, 300.0, santos, **given).notes if "thermodynamic factor" in n]
    assert f"at x0 {factors[1]:.2f} (coherent) or {factors[0]:.2f} (chemical)" in note
    assert said in note
    assert not_said not in note


def test_draws_enclose_the_path_that_they_belong_to(whole):
    path = whole.path.to_dataframe().query("boundary != 'start'").set_index(["T", "boundary"])
    drawn = whole.uncertainty.set_index(["T", "boundary"])
    for key, row in path.iterrows():
        assert drawn.loc[key, "q_low_68"] < row["q"] < drawn.loc[key, "q_high_68"]
        assert drawn.loc[key, "x_low_68"] < row["x"] < drawn.loc[key, "x_high_68"]
    behind = drawn.loc[(293.15, "chemical binodal alpha")]
    assert np.isnan(behind["q_median"])
    assert behind["x_median"] < 0.03


def test_what_is_estimated_is_said(whole):
    table = whole.tables()["estimates"].set_index("quantity")
    assert table.loc["diffusivity", "value"] == 1e-14
    assert "section 3.3" in table.loc["diffusivity", "basis"]
    assert table.loc["gradient energy at 293.15 K", "value"] == pytest.approx(2.94e-16, rel=1e-3)
    given = study(0.03, 300.0, whole.description, diffusivity=2e-14).tables()["estimates"]
    assert given["basis"].iloc[0] == "as given"


def test_a_study_without_a_coherent_gap_has_fewer_windows():
    found = study(0.03, 300.0, "zhang2003")
    assert set(found.windows["region"]) == {"single", "held", "held_unstable"}
    assert found.at_depths["x0_wanted"].isna().all()
    assert found.at_depths["reason"].str.startswith("there is no coherent spinodal").all()
    assert set(found.waves["kind"]) == {"chemical"}
    assert repr(found) == "<Study of zhang2003 from x0 = 0.03 at 300 K>"
    assert json.dumps(found.to_dict(), allow_nan=False)


# -- figures --


@pytest.fixture(scope="module")
def drawn(whole):
    return figures(whole)


def texts(artist):
    """All words in a figure or its legends."""
    return [text.get_text() for text in artist.findobj(Text) if text.get_text()]


def test_the_map_marks_every_crossing_and_its_legend_names_fields_lines_and_draws(drawn, whole):
    ax = drawn["map"].axes[0]
    words = ", ".join(text.get_text() for text in ax.texts).split(", ")
    for row in whole.path.to_dataframe().query("boundary != 'start'").to_dict("records"):
        if row["x"] < 0.9999:
            assert f"{row['capacity_mAh_per_cm2']:.3g}" in words
    assert {"x₀ = 0.03", "333.15 K"} <= set(words)
    paths = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert [line.get_ydata()[0] for line in paths] == [293.15, 333.15]
    (legend,) = drawn["map"].legends
    names = [region.name for region in REGIONS]
    assert texts(legend) == [*names, *KINDS, "stripping path, mAh/cm²", "68 % of draws"]
    assert not set(names) & set(texts(ax))


def test_without_a_thickness_the_map_has_charges_per_gram(santos):
    chart = figures(study(0.03, 300.0, santos))["map"]
    assert "1.74e+03" not in texts(chart.axes[0])
    assert "1742" in texts(chart.axes[0])
    assert "stripping path, mAh/g of alloy" in texts(chart.legends[0])


def test_fields_of_the_map_end_on_the_exact_boundaries(drawn, whole):
    """No staircase: the edge of the liquid is where the equilibrium has its first liquid."""
    chart = whole.chart
    hot = chart.dropna(subset="liquid from")
    eutectic = whole.description.invariant("eutectic").T
    assert hot["T"].iloc[0] == pytest.approx(eutectic, abs=0.03)
    some = hot.iloc[::15]
    for x, T in zip(some["liquid from"], some["T"], strict=True):
        found = regions(x * np.array([1 - 1e-6, 1 + 1e-6]), T, whole.description)
        assert found.liquid.tolist() == [False, True]
    fields = drawn["map"].axes[0].collections
    (liquid,) = [f for f in fields if to_hex(f.get_facecolor()[0]) == REGION_COLOURS["liquid"]]
    edge = {(round(x, 12), round(T, 9)) for x, T in liquid.get_paths()[0].vertices}
    assert {
        (round(x, 12), round(T, 9)) for x, T in zip(hot["liquid from"], hot["T"], strict=True)
    } <= edge


def test_curves_of_the_solid_end_where_it_melts(drawn, whole):
    tops = [max(line.get_ydata()) for line in drawn["map"].axes[0].lines[:8]]
    np.testing.assert_allclose(tops, whole.description.invariant("eutectic").T, atol=0.03)


def test_the_waves_leave_the_figure_on_both_sides(drawn):
    ax = drawn["lengths"].axes[0]
    assert len(ax.lines) == 4
    for line in ax.lines:
        assert min(line.get_ydata()[[0, -1]]) > ax.get_ylim()[1]


def overlap(one, other):
    """Pixels by which two boxes overlap in both directions; none if at most zero."""
    return min(
        min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
    )


def check_extents(figure):
    """Nothing stands outside of the figure, no legend on a panel, no words on others."""
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    # Ticks beyond the limits of an axis are there and not drawn.
    hidden = {
        label
        for parent in figure.axes
        for ax in (parent, *parent.child_axes)
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim()))
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        for label in (tick.label1, tick.label2)
        if not low <= tick.get_loc() <= high
    }
    boxes = [(t.get_text(), t.get_window_extent()) for t in shown if t not in hidden]
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    assert legends
    for name, box in boxes + [("legend", legend.get_window_extent()) for legend in legends]:
        assert box.x0 > -0.5, name
        assert box.y0 > -0.5, name
        assert box.x1 < figure.bbox.x1 + 0.5, name
        assert box.y1 < figure.bbox.y1 + 0.5, name
    for legend in legends:
        for ax in figure.axes:
            assert overlap(legend.get_window_extent(), ax.get_window_extent()) < 1
    for i, (name, box) in enumerate(boxes):
        for other, there in boxes[i + 1 :]:
            assert overlap(box, there) < 3, (name, other)


@pytest.mark.parametrize("name", ["map", "voltage", "profile", "lengths"])
def test_nothing_in_a_figure_is_cut_off_or_covered(drawn, name):
    check_extents(drawn[name])


@pytest.mark.parametrize("x0", [1e-9, 0.5, 0.99995])
def test_whatever_the_alloy_the_figures_are_whole(santos, x0):
    for figure in figures(study(x0, 300.0, santos)).values():
        check_extents(figure)


def test_one_profile_by_itself_has_its_whole_legend(santos):
    found = study(0.03, 300.0, santos, thickness=100e-6, current_density=100.0)
    check_extents(figures(found)["profile"])


def test_every_figure_is_drawn_from_the_tables(drawn, whole):
    assert set(drawn) == {"map", "voltage", "profile", "lengths"}
    assert all(isinstance(figure, Figure) for figure in drawn.values())
    assert set(REGION_COLOURS) == {region.key for region in REGIONS}
    ends = [line.get_xdata()[-1] for line in drawn["profile"].axes[0].lines[::2]]
    np.testing.assert_allclose(ends, whole.profiles[0].depth[::2, -1] * 1e6)
    size = whole.sizes.query("T == 293.15 and law == 'bulk'")["size_m"] * 1e6
    np.testing.assert_allclose(drawn["lengths"].axes[1].lines[0].get_ydata(), size)


# -- the command --


def test_the_readmes_command_writes_tables_and_figures(written):
    drawn = ("map", "voltage", "assessments", "lengths")
    figures_ = {f"{name}.{suffix}" for name in drawn for suffix in ("png", "svg")}
    tables = {
        "assessments", "windows", "path", "depths", "phases", "voltage", "hysteresis", "map",
        "waves", "coarsening", "estimates",
    }  # fmt: skip
    assert {p.name for p in written.iterdir()} == (
        figures_ | {f"{name}.csv" for name in tables} | {"anode.json", "lina-run.json"}
    )
    path = pd.read_csv(written / "path.csv").set_index("boundary")
    assert path.loc["coherent spinodal alpha", "q"] == pytest.approx(0.497, abs=5e-4)
    assert path.loc["coherent spinodal alpha", "capacity_mAh_per_cm2"] == pytest.approx(
        10.47, abs=0.01
    )
    chart = pd.read_csv(written / "map.csv").set_index("T")
    assert chart.loc[300, "coherent spinodal alpha"] == pytest.approx(0.05795, abs=1e-5)
    assert chart["liquid from"].dropna().index[0] == pytest.approx(362, abs=1)


def test_the_command_prints_windows_path_depth_and_sizes(folder, capsys):
    arguments = ["santos2025", "--x0=3%", "--thickness=100um", "--current=1mA/cm2", "--bands"]
    status, printed, _ = run(capsys, *arguments, "--depth=30%", "--details")
    assert status == 0
    for words in (
        "x(Na) = 0.03 (9.29 wt%) at 300 K (26.9 °C) by santos2025: coherent nucleation.",
        "it unmixes by itself after 49.7 % of the Li (1742 mAh/g, 10.47 mAh/cm²); after 16.6 %",
        "held by coherency │ 3.11e-05 │ 0.00386 │",
        "by crossing ┃ x(Na) ┃ stripped ┃ of foil ┃ mV ┃ the draws ┃",
        "unmixing │ coherent spinodal, Li side │ 0.058 │ 49.7 │ 10.47 │ 0.287 │ 44.5–55.1 │",
        "What unmixes by itself just there starts with 4.13 at.% Na.",
        "by crossing ┃ % of Li, mAh/cm², time ┃ % of Li, mAh/cm², time ┃",
        "unmixing │ coherent spinodal, Li side │ 3.11, 0.655, 39.3 min │ 81.4",
        "At 1 mA/cm² (0.0475 C) the interface enters the coherent spinodal after 3.11 % of the Li",
        "the interface is pure Na after 20.6 h with 97.8 % of the Li stripped",
        "with 1e-15 m²/s instead of 1e-14: coherent spinodal at the interface after 0.31 %",
        "fastest-growing wavelength, at x(Na) = 0.24, is 1.5 nm, with an e-folding time of 8.5 µs",
        "3.86 days │",
        "at x0 0.44 (coherent) or 0.15 (chemical)",
        "estimate: diffusivity 1e-14 m²/s",
        "no solid solubility of Li-Na was ever measured",
    ):
        assert words in " ".join(printed.split()), words
    assert {"profile.csv", "crossings.csv", "uncertainty.csv", "profile.png"} <= {
        p.name for p in (folder / "lina-anode").iterdir()
    }


def test_the_page_is_written_and_said_where(folder, capsys):
    status, printed, _ = run(capsys, "--x0", "0.03", "--thickness", "100um", "--html")
    assert status == 0
    assert "Open lina-anode/anode.html in a browser." in printed
    text = (folder / "lina-anode" / "anode.html").read_text(encoding="utf-8")
    assert "a foil of 100 µm" in text


def test_json_goes_to_standard_output_and_nothing_is_written(folder, capsys):
    status, printed, _ = run(capsys, "santos2025", "--x0", "3%", "-T20C", "-T60C", "--json")
    content = json.loads(printed)
    assert (status, content["T"]) == (0, [293.15, 333.15])
    assert content["region"] == ["nucleation", "nucleation"]
    assert content["path"][2]["boundary"] == "coherent spinodal alpha"
    assert list(folder.iterdir()) == []


def test_a_share_by_weight_becomes_a_mole_fraction(folder, capsys):
    _, printed, _ = run(capsys, "--x0", "9.5 wt%", "--json")
    lithium, sodium = 90.5 / 6.94, 9.5 / 22.98977
    assert json.loads(printed)["x0"] == pytest.approx(sodium / (lithium + sodium), rel=1e-7)


@pytest.mark.parametrize("asked", [[], ["--shipped-elastic"]])
def test_a_tdb_without_elastic_data_takes_the_shipped_ones_and_says_so(folder, capsys, asked):
    file = str(tdb_folder() / "LiNa_Santos2025.tdb")
    status, printed, _ = run(capsys, file, "--x0", "0.03", *asked, "--json")
    shipped = stripping_path(0.03, 300.0, "santos2025")
    assert status == 0
    assert json.loads(printed)["path"][2]["q"] == float(shipped.q["coherent spinodal alpha"])
    assert "LiNa_Santos2025 has no elastic constants: all of" in json.loads(printed)["notes"][0]


def test_the_plane_of_the_wave_matters_where_elasticity_is_anisotropic(folder, capsys):
    text = (tdb_folder() / "LiNa_Santos2025.tdb").read_text(encoding="utf-8")
    values = {"V0(BCC_A2,LI": 1.3e-5, "V0(BCC_A2,NA": 2.37e-5}
    values |= {"C11(BCC_A2,LI": 13.5, "C12(BCC_A2,LI": 11.4, "C44(BCC_A2,LI": 8.8}
    lines = [f"\nPARAMETER {name}:VA;0) 1 {value}; 6000 N !" for name, value in values.items()]
    (folder / "my.tdb").write_text(text + "".join(lines), encoding="utf-8")
    entered = []
    for plane in ("1 0 0", "1 1 1"):
        arguments = ["my.tdb", "--x0", "0.03", "--plane", *plane.split(), "--json"]
        status, printed, error = run(capsys, *arguments)
        assert status == 0, error
        rows = {row["boundary"]: row["q"] for row in json.loads(printed)["path"]}
        entered.append(rows["coherent spinodal alpha"])
    assert entered[0] < 0.4 < entered[1]


# -- bad input --


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--x0", "1.5"], "x0, the mole fraction of Na before stripping, lies between 0 and 1"),
        (["--x0", "0"], "lies between 0 and 1; got 0"),
        (["--x0", "0.03", "-T", "368"], "liquid forms on the way from x0 = 0.03"),
        (["--x0", "3"], "lies between 0 and 1; got 3"),
        (
            ["--x0", "0,03"],
            "'0,03' is no number such as 0.03, 3% (of the atoms) or 9.3wt%; a decimal point is",
        ),
        (["--x0", "300 at.%"], "lies between 0 and 1; got 3 (300 at.%)"),
        (["--x0", "3 apples"], "'apples' is no unit of this: write it as in 0.03, 3% (of the"),
        (["--x0", "0.03", "--stripped", "5 wt%"], "'5 wt%' is no depth of stripping such as 50%"),
        (["--x0", "0.03", "-T", "-300C"], "number of kelvin; got -26.85"),
        (
            ["santos2025", "--x0", "0.03", "-T", "95C"],
            "at 368.15 K (95C), from x(Na) = 0.03 on, 0.00 % of the Li stripped: the path is that "
            "of a solid, which stays one below 361.44 K (88.3 °C)",
        ),
        (["--x0", "0.03", "-T", "-5"], "a temperature is a positive, finite number"),
        (["--x0", "0.03", "-T", "25"], "'25' has no unit: write it as in 300K or 25C"),
        (["--x0", "0.03", "-T", "30K"], "at 30 K a solubility is below 1e-15"),
        (["--x0", "0.03", "--plane", "0", "0", "0"], "not all zero"),
        (["--x0", "0.03", "--depth", "1"], "all Li is stripped at q = 1"),
        (["--x0", "0.03", "-T", "25F"], "'F' is no unit of this: write it as in 300K or 25C"),
        (["--x0", "0.03", "--thickness", "-5um"], "from 1e-09 to 0.01; got -5e-06 (-5um)"),
        (["--x0", "0.03", "--density", "55g/cm3"], "to 25000; got 55000 (55g/cm3)"),
        (["--x0", "0.03", "--thickness", "100"], "'100' has no unit: write it as in 100um"),
        (["--x0", "0.03", "--thickness", "thick"], "'thick' is no number such as 100um"),
        (["--x0", "0.03", "--current", "1mA/cm2"], "add --thickness, as in 100um"),
        (["--x0", "0.03", "--stripped", "0.5"], "add --current"),
        (
            ["--x0", "0.03", "--thickness", "100um", "--current", "-1mA/cm2"],
            "a current density is in A/m², from 0.0001 to 1e+06; got -10 (-1mA/cm2)",
        ),
        (
            ["--x0=0.03", "--thickness=100um", "--current=10mA/cm2", "--stripped=0.5"],
            "(10 mA/cm²) the interface is pure Na after 0.296 h, with 14.04% of the Li stripped",
        ),
        (
            ["--x0=0.03", "--thickness=100um", "--current=1mA/cm2", "--stripped=50"],
            "a depth of stripping lies from 0 to the 100 % of all its Li; got 5000 %",
        ),
        (
            ["--x0=1e-6", "--thickness=100um", "--current=1mA/cm2"],
            "of a depth profile, is resolved, from 0.0001 to 0.9999; got 1e-06",
        ),
        (
            ["--x0=0.03", "--thickness=1cm", "--current=100A/cm2"],
            "(u L/D) is resolved, from 1e-08 to 1e+08",
        ),
        (["nothing", "--x0", "0.03"], "no assessment is called 'nothing'"),
        (["zhang2003", "--x0", "0.03", "--bands"], "zhang2003 has no bands"),
        (["--x0", "0.03", "--html", "--json"], "say with --out where it goes"),
        (["--x0", "1e-5", "--html"], "x0 of this page is a mole fraction of Na before stripping"),
        ([], "Missing option '--x0'"),
    ],
)
def test_bad_input_is_one_line_and_status_2_and_nothing_is_written(
    folder, capsys, arguments, message
):
    status, printed, error = run(capsys, *arguments)
    assert (status, printed) == (2, "")
    assert error.startswith("lina-calphad: error: ")
    assert error.count("\n") == 1
    assert message in error
    assert list(folder.iterdir()) == []


def test_a_folder_of_results_belongs_to_one_run(folder, capsys):
    given = ["--x0", "0.03", "--thickness", "100um", "--current", "1mA/cm2", "--html"]
    assert run(capsys, *given)[0] == 0
    before = {p.name for p in (folder / "lina-anode").iterdir()}
    assert {"profile.csv", "sensitivity.csv", "anode.html"} < before
    (folder / "lina-anode" / "mine.txt").write_text("kept")
    assert run(capsys, "--x0", "0.05", "-T", "333")[0] == 0  # in place of the other
    left = {p.name for p in (folder / "lina-anode").iterdir()}
    assert left == {name for name in before if "profile" not in name} - {
        "crossings.csv", "interface.csv", "sensitivity.csv", "anode.html",
    } | {"mine.txt"}  # fmt: skip
    assert set(pd.read_csv(folder / "lina-anode" / "path.csv")["x0"]) == {0.05}
    status, _, error = run(capsys, "--x0", "0.1", "--out", "lina-anode")
    assert status == 2
    assert "lina-anode exists already" in error


# -- numbers with units --


@pytest.mark.parametrize(
    ("measure", "text", "value"),
    [
        (KELVIN, "300", 300.0), (KELVIN, "25C", 298.15), (KELVIN, "60 °C", 333.15),
        (KELVIN, "77 K", 77.0), (FRACTION, "0.03", 0.03), (FRACTION, "3%", 0.03),
        (FRACTION, "3 at.%", 0.03), (FRACTION, "3at%", 0.03), (FRACTION, "3 mol-%", 0.03),
        (SHARE, "50%", 0.5),
        (current_density, "1 mA cm-2", 10.0), (DENSITY, "550 kg m-3", 550.0),
        (METRES, "100um", 1e-4), (METRES, "20 µm", 2e-5),
        (METRES, "0.1mm", 1e-4), (current_density, "1mA/cm2", 10.0),
        (current_density, "0.5 mA/cm²", 5.0), (current_density, "10A/m^2", 10.0),
        (DENSITY, "0.55g/cm3", 550.0), (diffusivity, "1e-10cm2/s", 1e-14),
        (diffusivity, "1e-14 m^2/s", 1e-14), (current_density, "C/4", 0.25),
        (current_density, "0.5 C", 0.5),
    ],
)  # fmt: skip
def test_a_number_is_read_with_its_unit(measure, text, value):
    assert measure(text) == pytest.approx(value, rel=1e-12)


def test_the_help_names_what_the_command_takes(capsys):
    status, printed, _ = run(capsys, "--help")
    assert status == 0
    for word in ("--x0", "--temperature", "--thickness", "--current", "--html", "Examples"):
        assert word in printed
