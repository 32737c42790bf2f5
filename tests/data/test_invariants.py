"""Measured invariants with their errors: what ESPEI's ZPF files and our field in them say."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from support import LINA

from lina_calphad.data.assessments import MEASURED
from lina_calphad.data.datasets import check_dataset, read_datasets
from lina_calphad.data.invariants import FIELD, read_invariants
from lina_calphad.errors import DatasetError

LIQUID, SOLID = ["LIQUID", ["NA"], [0.4]], ["BCC_A2", ["NA"], [None]]


def zpf(vertices=(SOLID, LIQUID, SOLID), T=400.0, **entry):
    """A dataset of one row with errors that fit, and changes."""
    errors = [None if x is None else 0.01 for _, _, (x,) in vertices]
    return {
        "components": ["LI", "NA", "VA"],
        "phases": sorted({phase for phase, *_ in vertices}),
        "conditions": {"P": 101325, "T": [T]},
        "output": "ZPF",
        "values": [list(vertices)],
        "reference": "nobody",
        FIELD: [{"T_error": 0.5, "x_error": errors} | entry],
    }


def read(*datasets, components=LINA):
    return read_invariants([check_dataset(one) for one in datasets], components)


def test_the_preferred_ones_of_li_na():
    frame = read_invariants(read_datasets(["down1975", "khairulin2019"], LINA), LINA)
    assert frame["kind"].tolist() == ["three-phase", "three-phase", "critical"]
    assert frame["phases"].tolist() == [
        ("BCC_A2", "LIQUID", "LIQUID"), ("BCC_A2", "LIQUID", "BCC_A2"), ("LIQUID",)
    ]  # fmt: skip
    assert frame[["T", "T_error"]].to_numpy().tolist() == [
        [170.75 + 273.15, 0.05], [92.10 + 273.15, 0.05], [576.8, 1.0]
    ]  # fmt: skip
    none = np.nan
    np.testing.assert_array_equal(frame["x"][0], [none, 0.030, 0.899])
    np.testing.assert_array_equal(frame["x_error"][0], [none, 0.003, 0.012])
    np.testing.assert_array_equal(frame["x"][1], [none, 0.970, none])
    assert (frame["x"][2], frame["x_error"][2]) == ((0.359,), (0.004,))


def test_errors_of_down_are_the_disagreement_with_howland_over_the_root_of_two():
    frame = read_invariants(read_datasets(["down1975", "howland1957"], LINA))
    pairs = frame.groupby("name", sort=False)
    for _, both in pairs:
        x, error = np.array(both["x"].tolist()), np.array(both["x_error"].tolist())
        seen = ~np.isnan(x[0])
        np.testing.assert_allclose(error[0, seen], abs(x[0] - x[1])[seen] / np.sqrt(2), rtol=0.1)
    assert pairs.ngroups == 2


def test_what_others_compare_with_are_the_numbers_of_the_datasets():
    shown = {m.quantity: (m.value, m.tolerance) for m in MEASURED}
    assert shown == {
        "monotectic temperature": (443.9, 0.05),
        "monotectic Li-rich liquid, x(Na)": (0.03, 0.003),
        "monotectic Na-rich liquid, x(Na)": (0.899, 0.012),
        "eutectic temperature": (365.25, 0.05),
        "eutectic liquid, x(Na)": (0.97, 0.006),
        "liquid critical temperature": (576.8, 1.0),
        "liquid critical composition, x(Na)": (0.359, 0.004),
    }


def test_x_is_that_of_the_second_component_in_ascending_order():
    frame = read(zpf((SOLID, LIQUID, ["FCC_A1", ["NA"], [0.9]])), components=("NA", "LI"))
    assert frame["phases"][0] == ("FCC_A1", "LIQUID", "BCC_A2")
    assert frame["x"][0] == pytest.approx((0.1, 0.6, np.nan), nan_ok=True)
    swapped = read(zpf((LIQUID, ["BCC_A2", ["NA"], [0.1]])))
    assert (swapped["phases"][0], swapped["x"][0]) == (("BCC_A2", "LIQUID"), (0.1, 0.4))


def test_a_tie_line_may_have_a_temperature_without_error_and_rows_may_be_no_data():
    lines = zpf((LIQUID, ["BCC_A2", ["NA"], [0.1]]), T_error=None)
    lines["values"] *= 2
    lines["conditions"]["T"] = [400.0, 410.0]
    lines[FIELD].append(None)
    frame = read(lines)
    assert (frame["kind"].tolist(), frame["T"].tolist()) == (["tie-line"], [400.0])
    assert np.isnan(frame["T_error"][0])


def test_without_the_field_there_are_none():
    plain = zpf()
    del plain[FIELD]
    assert read(plain).empty
    assert read_invariants(read_datasets(["santos2025"])).empty


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x_error": [None, 0.01]}, r"x_error has one number or null for each .* for 3"),
        ({"x_error": [0.01, 0.01, None]}, "BCC_A2 has an error and no composition"),
        ({"x_error": [None, None, None]}, "x_error of LIQUID is a positive number.* got None"),
        ({"x_error": [None, -1, None]}, "a positive number, the standard error; got -1"),
        ({"x_error": [None, True, None]}, "a positive number, the standard error; got True"),
        ({"T_error": 0}, "T_error is a positive number, the standard error; got 0"),
        ({"T_error": None}, "T_error is a positive number, the standard error; got None"),
        ({"T_eror": 1.0}, "an entry of lina_invariants has x_error, T_error and name; got"),
        ({"vertices": (LIQUID, ["LIQUID", ["NA"], [0.3]], SOLID)}, "stand in order of compo"),
        ({"vertices": (SOLID, SOLID)}, "a critical point has one composition with one error"),
        ({"vertices": (LIQUID, LIQUID), "x_error": [0.01, 0.02]}, "with one error, given twice"),
        ({"vertices": (["LIQUID", ["NA"], [1.0]], SOLID)}, "between 0 and 1, ends excluded"),
    ],
)
def test_errors_that_do_not_fit_are_refused_where_they_stand(changes, said):
    with pytest.raises(DatasetError, match=rf"my\.json at 400 K: .*{said}"):
        check_dataset(zpf(**changes), "my.json")


@pytest.mark.parametrize("field", [[], {"T_error": 1}, [None, None]])
def test_the_field_is_as_long_as_the_values(field):
    with pytest.raises(DatasetError, match=r"my\.json: lina_invariants has .* each of 1 values"):
        check_dataset(zpf() | {FIELD: field}, "my.json")


def test_other_data_and_components_are_refused():
    energies = copy.deepcopy(read_datasets(["santos2025"])[0]) | {FIELD: []}
    with pytest.raises(DatasetError, match=r"belongs to ZPF data of two components.*got HM_MIX"):
        check_dataset(energies)
    with pytest.raises(DatasetError, match="here LI and K; got ZPF of LI, NA"):
        read_invariants([zpf()], ("LI", "K"))
