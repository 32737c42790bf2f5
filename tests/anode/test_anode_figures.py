"""Figures of an anode: drawn from its tables, whole, with nothing covered."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from lina_calphad.anode import REGIONS, regions, study
from lina_calphad.anode.figures import REGION_COLOURS, figures
from lina_calphad.plots import KINDS


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
    assert texts(legend) == [
        *names,
        *KINDS,
        "stripping path, mAh/cm²",
        "68 % of draws",
        "95 % of draws",
    ]
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
