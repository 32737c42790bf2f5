"""Report, figures' shared parts and options: what every command is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from support import nothing_outside

from lina_calphad.cli.options import options_of, reporting
from lina_calphad.plots import (
    COLOURS,
    arrhenius_axis,
    band,
    band_key,
    fraction_axis,
    legend_below,
    plain,
)
from lina_calphad.report import Report, Shown

CELLS = pd.DataFrame({"name": ["a\x1b[2J", "[red]b"], "value": ["1", "2"]})


@pytest.fixture
def report():
    shown = (Shown("cells", CELLS, left=("name",)), "a sentence")
    return Report("cells", {"n": 2}, shown, ["a note"], {"cells": CELLS}, {"drawn": Figure})


# -- a report --


def test_what_is_printed_holds_no_escapes_and_no_markup(report, capsys):
    report.show()
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "a[2J" in out
    assert "[red]b" in out
    assert out.endswith("a sentence\nnote: a note\n")


def test_a_notebook_shows_the_same(report):
    page = report._repr_html_()
    assert "<td>[red]b</td>" in page
    assert "<p>note: a note</p>" in page
    assert "\x1b" not in page


def test_a_narrow_terminal_leaves_out_roomy_columns(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    Report("cells", {}, [Shown("", CELLS, roomy=("value",))]).show()
    assert "value" not in capsys.readouterr().out


def test_a_report_saves_tables_figures_and_numbers(report, tmp_path):
    report.save(tmp_path / "out")
    there = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"cells.csv", "cells.json", "drawn.png", "drawn.svg"} <= there


@click.command()
@reporting("sums")
def sums():
    return Report("sum", {"sum": 3}, ["1 + 2 = 3"], tables={"sum": CELLS})


def test_what_was_found_is_shown_even_if_it_cannot_be_written(folder):
    (folder / "out").mkdir()
    (folder / "out" / "sum.csv").write_text("mine")
    result = CliRunner().invoke(sums, ["--out", "out", "--overwrite"])
    assert result.output == "1 + 2 = 3\n"
    assert "sum.csv was not made by a run" in str(result.exception)
    assert (folder / "out" / "sum.csv").read_text() == "mine"


def test_a_command_says_where_results_are_and_what_they_replace(folder):
    assert CliRunner().invoke(sums, []).output.endswith("Tables and figures are in sums/\n")
    assert "in place of those of an earlier run" in CliRunner().invoke(sums, []).output
    (folder / "sums" / "sum.json").write_text("mine")
    assert "was changed since" in str(CliRunner().invoke(sums, []).exception)
    assert "in place" not in CliRunner().invoke(sums, ["--overwrite"]).output
    assert CliRunner().invoke(sums, ["--json"]).output == '{\n  "sum": 3\n}\n'


# -- options made of a dataclass --


@dataclass(frozen=True)
class Settings:
    source: str = field(default="z", metadata={"help": "Start.", "option": "--start"})
    chains: int = field(default=10, metadata={"help": "Walkers."})
    pair: tuple[str, str] = field(default=("LI", "NA"), metadata={"help": "Two.", "metavar": "A,B"})
    data: tuple[str, ...] = field(default=(), metadata={"help": "Data."})
    order: int | None = field(default=None, metadata={"help": "Order."})
    hidden: int = 3


@click.command()
@options_of(Settings)
def settings(**given):
    print(Settings(**given))


def test_options_have_the_types_and_defaults_of_the_fields():
    arguments = ["--start", "a", "--pair=B,C", "--data=d", "--data=e", "--order=2"]
    made = Settings("a", 10, ("B", "C"), ("d", "e"), 2)
    assert CliRunner().invoke(settings, arguments).output == f"{made}\n"
    assert CliRunner().invoke(settings, []).output == f"{Settings()}\n"


def test_the_help_shows_what_the_fields_say():
    text = " ".join(CliRunner().invoke(settings, ["--help"]).output.split())
    for part in ("Walkers. [default: 10]", "Data.", "A,B", "[default: LI, NA]", "Order."):
        assert part in text
    assert "hidden" not in text


# -- bands, axes, legends --

T = np.linspace(10, 100, 10)


def corners(fill):
    return fill.get_paths()[0].vertices


def test_a_band_without_an_edge_is_not_drawn():
    ax = Figure().subplots()
    q = np.tile(np.arange(5.0)[:, None], 10)
    q[:, 6:] = np.nan
    q[4, 2] = np.nan  # the wide one is in two pieces
    band(ax, T, q, "red")
    assert [len(fill.get_paths()) for fill in ax.collections] == [2, 1]
    assert corners(ax.collections[1])[:, 0].max() == T[5]


@pytest.mark.parametrize("order", [1, -1])
def test_the_band_of_a_dome_closes_at_the_quantiles_of_its_tops(order):
    # Branches that end at 55 to 95 K, all at 0.5; those that last longest lie outside.
    tops = np.array([55.0, 65, 75, 85, 95])
    left = 0.5 - 0.05 * np.sqrt(np.clip(tops[::-1, None] - T, 0, None))
    left[T >= tops[::-1, None]] = np.nan
    ax = Figure().subplots()
    band(ax, T[::order], left[:, ::order], "red", across=True, closing=(tops, 0.5))
    wide, narrow = map(corners, ax.collections)
    assert wide[:, 1].max() == 95
    assert narrow[:, 1].max() == 85
    # The inner edge goes on in the middle where the first draws have ended.
    assert wide[np.isclose(wide[:, 1], 60), 0].max() == 0.5
    assert np.isfinite(wide).all()


def test_zero_does_not_break_a_logarithmic_axis():
    ax = Figure().subplots()
    ax.set_yscale("log")
    band(ax, [1, 2], [[0, 0], [1e-3, 1e-3], [1, 1]], "red")
    assert (corners(ax.collections[0])[:, 1] > 0).all()


@pytest.mark.parametrize("span", [(100, 365), (400, 1400), (2, 5), (10, 3000)])
def test_temperatures_on_an_arrhenius_axis_are_round_and_apart(span):
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    ax.plot(1000 / np.array(span), [0, 1])
    arrhenius_axis(ax)
    (kelvin,) = ax.child_axes
    marks = np.sort(kelvin.get_xticks())
    assert len(marks) >= 3
    assert np.diff(np.sort(1000 / marks)).min() > 0.08 * np.ptp(ax.get_xlim())
    nothing_outside(figure)


@pytest.mark.parametrize(("scale", "upright"), [("linear", False), ("log", True), ("logit", True)])
def test_an_axis_of_fractions(scale, upright):
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    fraction_axis(ax, scale, of="Li", upright=upright)
    axis = ax.yaxis if upright else ax.xaxis
    assert axis.get_scale() == scale
    assert axis.get_label_text().startswith("mole fraction of Li")
    nothing_outside(figure)


def test_a_long_legend_stays_in_the_figure():
    figure = Figure(figsize=(4, 4), layout="constrained")
    ax = figure.subplots()
    for i, colour in enumerate(COLOURS):
        ax.plot([0, 1], [i, i], color=colour, label=f"a long name of the curve {i}")
    legend_below(figure)
    nothing_outside(figure)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == len(COLOURS)


@pytest.mark.parametrize("name", [r"$\frac$", "a$b^$c", "x\udcff", "\x1b[31mred"])
def test_names_from_elsewhere_are_shown_to_the_letter(name, tmp_path):
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    ax.plot([0, 1], label=name)
    ax.set_title(plain(name))
    legend_below(figure, [*ax.lines, *band_key()])
    nothing_outside(figure)
    figure.savefig(tmp_path / "drawn.svg")
