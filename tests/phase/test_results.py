"""Results in a notebook: tables and figures."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

import lina_calphad as lc
from lina_calphad.errors import DatabaseError


@pytest.fixture
def axes():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_a_curve_draws_itself(bcc, axes):
    T = np.linspace(200.0, 400.0, 20)
    line = bcc("santos2025", "coherent").binodal(T)
    assert line.plot(axes, color="red", label="coherent") is axes
    (curve,) = axes.get_lines()
    assert curve.get_label() == "coherent"
    assert curve.get_color() == "red"
    x, y = curve.get_data()
    assert x[:20].tolist() == line.x_alpha.tolist()
    assert x[:19:-1].tolist() == line.x_beta.tolist()
    assert y[[0, 19, 20, 39]].tolist() == [200.0, 400.0, 400.0, 200.0]


def test_one_temperature_is_two_points_on_axes_of_its_own(bcc):
    ax = bcc("santos2025", "chemical").spinodal(300.0).plot()
    assert ax.get_lines()[0].get_marker() == "o"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mole fraction of the second component", "T / K")
    plt.close(ax.figure)


def test_results_are_tables_in_a_notebook(bcc):
    solution = bcc("santos2025", "chemical")
    html = solution.binodal([300.0, 2000.0])._repr_html_()
    assert "&lt;Binodal at 2 temperatures, 300 to 2000 K; 1 of them without a gap&gt;" in html
    assert html.count("<tr") == 3
    assert "upper" in solution.critical_point()._repr_html_()


def test_a_path_is_no_database(tmp_path):
    for path in ("own.tdb", tmp_path / "own.tdb"):
        with pytest.raises(DatabaseError, match=r"such as load\('.*own\.tdb'\); got its path"):
            lc.BinarySolution(path, ("LI", "NA"), "BCC_A2")
