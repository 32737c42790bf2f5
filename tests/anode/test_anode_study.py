"""A study of an anode: its tables against the pieces they are made of, and what it says of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lina_calphad.anode import regions, stripping_path, study


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
