"""Bands in a comparison: where draws come from, and what `compare --bands` prints and writes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy import constants
from support import nothing_outside, run
from test_comparison import FILES

import lina_calphad as lc
from lina_calphad.compare.figures import figures
from lina_calphad.compare.uncertainty import COLUMNS
from lina_calphad.data.assessments import read_source
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.supercells import parameter_covariance
from lina_calphad.phase.draws import ParameterDraws, source_draws
from lina_calphad.phase.tally import NAMES
from lina_calphad.plots import COLOURS, KINDS, SHADES

LINA = ("LI", "NA")


@pytest.fixture(scope="module")
def comparison():
    return lc.compare(["zhang2003", "santos2025"], bands=True)


@pytest.fixture
def own(folder):
    """my.tdb with the bcc parameter of zhang2003 as a symbol, beside it draws of that symbol."""
    dbf, mean = free_interactions(lc.load("zhang2003"), "BCC_A2", LINA)
    dbf.to_file("my.tdb")
    draws = ParameterDraws.from_covariance(mean, [[500.0**2]], 800)
    draws.to_dataframe().to_csv("my_draws.csv", index=False)
    return draws


# -- where draws come from --


def test_an_assessment_draws_from_its_substitution_error(databases):
    dbf, draws = source_draws("santos2025", databases["santos2025"])
    assert {name: float(dbf.symbols[name]) for name in draws.symbols} == {
        "BCCL0": 20109.8,
        "BCCL1": 5772.6,
    }
    expected = parameter_covariance(uncertainty=0.01)
    assert len(draws) == 2000
    np.testing.assert_allclose(draws.covariance, expected, atol=0.1 * expected.max())


def test_an_assessment_without_an_error_has_no_draws(databases):
    assert lc.assessments()["zhang2003"].substitution_error is None
    assert source_draws("zhang2003", databases["zhang2003"]) is None


def test_a_file_draws_from_the_table_beside_it(own):
    dbf, draws = source_draws("my.tdb", read_source("my.tdb"))
    assert draws.symbols == ("BCCL0",)
    np.testing.assert_allclose(draws.values, own.values, rtol=1e-14)
    assert "BCCL0" in dbf.symbols


# -- what a comparison says of them --


def test_without_asking_there_are_no_bands():
    plain = lc.compare("santos2025")
    assert dict(plain.bands) == {}
    assert plain.uncertainty.empty
    assert plain.band_curves.empty
    assert "uncertainty" not in plain.to_dict()


def test_bands_leave_the_table_as_it_is(comparison):
    plain = lc.compare(["zhang2003", "santos2025"])
    pd.testing.assert_frame_equal(comparison.to_dataframe(), plain.to_dataframe())
    assert set(plain.notes) < set(comparison.notes)


def test_bands_span_the_figures_and_the_temperature_asked_for(comparison):
    (result,) = comparison.bands.values()
    assert list(comparison.bands) == ["santos2025"]
    assert result.draws == 2000
    assert {comparison.T, 100.0, comparison.top} <= set(result.T)
    assert set(result.t) == set(KINDS)


def test_notes_say_where_bands_come_from_and_why_there_are_none(comparison):
    assert "zhang2003 has no bands: its source states no uncertainty" in comparison.notes
    (note,) = (n for n in comparison.notes if n.startswith("bands of santos2025"))
    assert "0.01 eV for each substitution energy, which is our assumption" in note


def test_uncertainties_of_an_assessment(comparison):
    table = comparison.uncertainty
    assert list(table) == list(COLUMNS)
    assert set(table["assessment"]) == {"santos2025"}
    assert set(table["key"]) <= set(comparison.quantities.index)
    by_key = table.set_index("key")
    # The median is the value of the table, and the factor that of 0.01 eV.
    for key, row in by_key.iterrows():
        assert row["median"] == pytest.approx(comparison[key].values[1], rel=0.02)
        assert (np.diff(row[list(NAMES)].astype(float)) > 0).all()
    expected = np.exp(0.01 * constants.e / (constants.k * 300))
    for key in ("chemical_na_in_li", "chemical_li_in_na"):
        assert by_key.loc[key, "factor"] == pytest.approx(expected, rel=0.03)
    top = by_key.loc["chemical_critical_temperature"]
    assert (top["unit"], np.isnan(top["factor"])) == ("K", True)


def test_uncertainties_survive_json(comparison):
    again = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))["uncertainty"]
    (row,) = (r for r in again if r["key"] == "coherent_critical_temperature")
    assert row["factor"] is None
    assert row["low_68"] < row["median"] < row["high_68"]


@pytest.mark.parametrize(("name", "kinds"), [("phase_diagram", 4), ("arrhenius", 2)])
def test_bands_lie_behind_the_curves_in_the_colour_of_their_assessment(comparison, name, kinds):
    figure = figures(comparison)[name]
    branches = (2, 1) if name == "phase_diagram" else (1, 1)
    nothing_outside(figure)
    for axes, sides in zip(figure.axes, branches, strict=True):
        assert len(axes.collections) == kinds * sides * len(SHADES)
        assert {to_hex(fill.get_facecolor()[0]).upper() for fill in axes.collections} == {
            COLOURS[1]
        }
        front = min(line.get_zorder() for line in axes.lines)
        assert max(fill.get_zorder() for fill in axes.collections) < front
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[-2:] == ["68 % of draws", "95 % of draws"]


def test_a_band_closes_where_its_gaps_do(own):
    result = lc.compare("my.tdb", bands=True)
    top = result.bands["my"].critical["coherent"][0][:, 0]
    axes = figures(result)["phase_diagram"].axes[0]
    tops = [fill.get_datalim(axes.transData).y1 for fill in axes.collections]
    # Two branches of binodal and spinodal each: the wide bands end at the high 95 %, the others
    # at the high 68 % of the critical temperature; chemical ones leave the diagram.
    inside = sorted(t for t in tops if t < result.top)
    assert inside == pytest.approx([top[3]] * 4 + [top[4]] * 4, abs=0.1)


# -- the command --


def test_bands_are_printed_and_written(capsys, folder):
    status, out, err = run(capsys, "compare", "--bands")
    assert (status, err.strip()) == (0, "")
    for text in (
        "uncertainty at 300 K",
        "santos2025: at 300 K the solubility of Na in Li is known to a factor of 1.5",
        "zhang2003 has no bands",
        "our assumption",
    ):
        assert text in out
    written = folder / "lina-results"
    assert {p.name for p in written.iterdir()} == FILES | {"bands.csv", "uncertainty.csv"}
    table = pd.read_csv(written / "bands.csv")
    assert set(table["assessment"]) == {"santos2025", "lina2026"}
    assert set(table["kind"]) == set(KINDS)
    assert list(pd.read_csv(written / "uncertainty.csv")) == list(COLUMNS)
    assert "uncertainty" in json.loads((written / "comparison.json").read_text())


def test_a_file_of_ones_own_with_draws(capsys, own, folder):
    status, out, _ = run(capsys, "compare", "santos2025", "my.tdb", "--bands", "--json")
    assert status == 0
    result = json.loads(out)
    assert "bands of my: 800 draws of BCCL0" in result["notes"]
    mine = {row["key"]: row for row in result["uncertainty"] if row["assessment"] == "my"}
    solubility = mine["chemical_na_in_li"]
    assert solubility["low_68"] < 1.67e-3 < solubility["high_68"]
    # 500 J/mol of 0L at 300 K, where the solution is nearly dilute.
    assert solubility["factor"] == pytest.approx(np.exp(500 / (8.3145 * 300)), rel=0.05)
    # No draw has a coherent gap at 300 K: its critical temperature is 206 ± 30 K.
    assert mine["coherent_na_in_li"]["share_with_gap"] == 0
    assert mine["coherent_na_in_li"]["median"] is None
    assert mine["coherent_critical_temperature"]["median"] == pytest.approx(206, abs=5)


def test_a_file_without_draws_is_a_note(capsys, own, folder):
    (folder / "my_draws.csv").unlink()
    status, out, _ = run(capsys, "compare", "my.tdb", "--bands", "--json")
    assert status == 0
    result = json.loads(out)
    assert "my has no bands: there is no table of draws my_draws.csv" in result["notes"]
    assert "uncertainty" not in result


def test_draws_with_an_open_gap_are_a_note(capsys, own, folder):
    (folder / "my_draws.csv").write_text("BCCL0\n16000\n200000\n")
    status, out, _ = run(capsys, "compare", "my.tdb", "--bands", "--json")
    assert status == 0
    (note,) = (n for n in json.loads(out)["notes"] if n.startswith("my has no bands"))
    assert "still open at 10000 K" in note
    assert "BCCL0 = 200000" in note


def test_most_draws_without_a_gap(own):
    table = lc.compare("my.tdb", T=230.0, bands=True).uncertainty
    row = table.set_index("key").loc["coherent_na_in_li"]
    assert 0.16 < row["share_with_gap"] < 0.5
    assert np.isfinite(row["low_68"])
    assert np.isnan(row["median"])


BAD_DRAWS = [
    ("BCCL0,BCCL7\n1,2\n", "my_draws.csv does not fit my.tdb: the database has no symbol BCCL7"),
    ("BCCL0,GHSERNA\n1,2\n", "my_draws.csv does not fit my.tdb: GHSERNA is no number"),
    ("BCCL0\nwarm\n", "my_draws.csv needs rows of numbers; BCCL0 has none"),
    ("BCCL0\n", "my_draws.csv needs rows of numbers"),
    ("", "my_draws.csv cannot be read as CSV"),
    ("BCCL0\n1\ninf\n", "draw 1 of BCCL0 is not finite"),
]


@pytest.mark.parametrize(("text", "message"), BAD_DRAWS)
def test_malformed_draws(capsys, own, folder, text, message):
    (folder / "my_draws.csv").write_text(text)
    status, out, err = run(capsys, "compare", "my.tdb", "--bands")
    assert (status, out) == (2, "")
    assert err.startswith("lina-calphad: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert {p.name for p in folder.iterdir()} == {"my.tdb", "my_draws.csv"}


def test_draws_are_not_looked_at_unasked(capsys, own, folder):
    (folder / "my_draws.csv").write_text("nonsense")
    assert run(capsys, "compare", "my.tdb", "--json")[0] == 0
