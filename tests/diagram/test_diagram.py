"""Whole diagrams: fields that close, labels, bands, the command."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from support import LINA, nothing_outside, run

import lina_calphad as lc
from lina_calphad.data.interactions import free_interactions
from lina_calphad.diagram.bands import diagram_bands
from lina_calphad.diagram.system import BinarySystem
from lina_calphad.errors import ParameterError
from lina_calphad.phase.draws import ParameterDraws

FIELDS = {
    ("BCC_A2", "BCC_A2"), ("BCC_A2", "LIQUID"), ("LIQUID", "BCC_A2"), ("LIQUID", "LIQUID")
}  # fmt: skip


@pytest.fixture(scope="module")
def lina(databases):
    return BinarySystem(databases["santos2025"], LINA)


@pytest.fixture(scope="module")
def whole(lina):
    return lina.diagram(200.0, 700.0)


def test_the_fields_of_lithium_and_sodium(whole):
    assert {field.phases for field in whole.fields} == FIELDS
    assert len(whole.fields) == 5
    assert "5 two-phase fields, 5 invariants" in repr(whole)


def test_every_field_is_closed_at_its_ends(whole):
    """At the ends of the span, at an invariant, or where both boundaries meet."""
    stops = [200.0, 700.0, *(one.T for one in whole.invariants if len(one.phases) == 3)]
    for field in whole.fields:
        assert (np.diff(field.T) > 0).all()
        for k in (0, -1):
            met = field.x[1, k] - field.x[0, k] < 1e-6
            assert met or any(abs(field.T[k] - stop) < 1e-9 for stop in stops), field.label


def test_boundaries_end_on_the_invariants(whole):
    for one in whole.invariants:
        if len(one.phases) == 3:
            ends = {
                (name, round(x, 9))
                for field in whole.fields
                for k in (0, -1)
                if field.T[k] == one.T
                for name, x in zip(field.phases, field.x[:, k], strict=True)
            }
            assert {(name, round(x, 9)) for name, x in one.phases} <= ends


def test_boundaries_are_those_of_the_gap_alone(whole, bcc):
    (field,) = (f for f in whole.fields if f.phases == ("BCC_A2", "BCC_A2"))
    line = bcc("santos2025", "chemical").binodal(field.T)
    np.testing.assert_allclose(field.ln_x[0], line.ln_x_alpha, atol=1e-10)
    np.testing.assert_allclose(field.ln_one_minus_x[1], line.ln_one_minus_x_beta, atol=1e-10)


def test_tables_labels_and_picture(whole):
    frame = whole.to_dataframe()
    assert set(frame["field"]) == {1, 2, 3, 4, 5}
    assert (frame["x_1"] <= frame["x_2"]).all()
    assert {label for label, *_ in whole.regions()} >= {"LIQUID", "2 LIQUID", "BCC_A2 + LIQUID"}
    invariants = whole.invariants.to_dataframe()
    assert list(invariants["kind"])[:3] == ["eutectic", "transition", "monotectic"]
    ax = whole.plot()
    assert "439.6 K" in {text.get_text() for text in ax.texts}


def test_what_is_too_low_for_a_line_of_text_has_no_label(example_tdb):
    ax = BinarySystem(example_tdb("AuSn-13Don.tdb"), ("AU", "SN")).plot()
    words = {text.get_text() for text in ax.texts}
    assert {"805.4 K", "AU5SN + AUSN_B81"} <= words
    assert not {"794.7 K", "DHCP + LIQUID"} & words


def test_regions_are_those_of_the_tie_lines(lina):
    lines = lina.equilibria([300.0, 400.0, 500.0])
    for T, regions in zip((300.0, 400.0, 500.0), lina.regions([300.0, 400.0, 500.0]), strict=True):
        edges = [region.x_from for region in regions[1:]]
        assert edges == pytest.approx(lines.x[:, lines.T == T].T.ravel().tolist(), abs=0)
    assert "3 at 3 temperatures" in repr(lines)
    assert set(lines.to_dataframe()["phase_1"]) == {"BCC_A2", "LIQUID"}


def test_a_system_is_sent_to_workers(lina):
    again = pickle.loads(pickle.dumps(lina))
    assert repr(again) == repr(lina)
    one, other = (system.invariants(300.0, 400.0)[0] for system in (lina, again))
    assert other.T == pytest.approx(one.T, rel=1e-14)


def test_slopes_are_those_of_finite_differences(databases):
    dbf, free = free_interactions(databases["santos2025"], "LIQUID", LINA)
    system = BinarySystem(dbf, LINA, ["LIQUID", "BCC_A2"], symbols=list(free))
    found = system.slopes(300.0, 700.0).set_index(["kind", "symbol"])
    values, name = np.array(list(free.values())), next(iter(free))
    for kind in ("eutectic", "monotectic", "upper critical point"):
        sides = []
        for step in (1.0, -1.0):
            moved = values + step * (np.arange(values.size) == 0)
            (one,) = system.invariants(300.0, 700.0, moved).of(kind)
            sides.append((one.T, [b - a for a, b in one.logs]))
        (T, x), (T_, x_) = sides
        row = found.loc[kind, name]
        assert row["dT"] == pytest.approx((T - T_) / 2, rel=1e-6)
        for k, (up, down) in enumerate(zip(x, x_, strict=True), 1):
            assert row[f"dlogit_{k}"] == pytest.approx((up - down) / 2, rel=1e-5)


# -- bands --


@pytest.fixture(scope="module")
def free(databases):
    return free_interactions(databases["santos2025"], "BCC_A2", LINA)


@pytest.fixture(scope="module")
def bands(free):
    dbf, mean = free
    system = BinarySystem(dbf, LINA, ["LIQUID", "BCC_A2"], symbols=list(mean))
    draws = ParameterDraws.from_covariance(mean, np.diag([682.0, 682.0]) ** 2, 300)
    return system, draws, diagram_bands(system, draws, [300.0, 400.0, 500.0], (200.0, 700.0))


def test_bands_are_those_of_each_draw_alone(bands):
    system, draws, found = bands
    row = found.invariants[found.invariants["kind"] == "eutectic"].iloc[0]
    each = [
        system.invariants(300.0, 380.0, values).of("eutectic")[0].T for values in draws.values[:40]
    ]
    near = diagram_bands(
        system, ParameterDraws(draws.symbols, draws.values[:40]), [300.0], (200.0, 700.0)
    )
    median = near.invariants[near.invariants["kind"] == "eutectic"].iloc[0]["median"]
    assert median == pytest.approx(np.quantile(each, 0.5, method="inverted_cdf"), abs=1e-7)
    assert row["low_95"] < row["median"] < row["high_95"]


def test_probabilities_add_up_and_certain_points_are_certain(bands):
    _, _, found = bands
    total = sum(found.probability.values())
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    assert found.probability["2 LIQUID"][2, 50] == 1.0
    assert found.left_out == 0
    frame = found.to_dataframe()
    known = frame.dropna(subset=["x_low_68", "x_high_68"])
    assert (known["x_low_68"] <= known["x_high_68"]).all()
    assert set(found.probability_frame().columns) >= {"T", "x", "2 LIQUID"}
    assert "300 draws" in repr(found)


def test_draws_of_other_symbols_are_refused(bands):
    system, _, _ = bands
    with pytest.raises(ParameterError, match="the draws are of A"):
        diagram_bands(system, ParameterDraws(("A",), np.ones((3, 1))), [300.0], (200.0, 700.0))


def test_draws_of_another_kind_of_diagram_are_an_error(bands):
    system, draws, _ = bands
    far = ParameterDraws(draws.symbols, draws.values * 0.3)
    with pytest.raises(ParameterError, match="a diagram of another kind"):
        diagram_bands(system, far, [300.0], (200.0, 700.0))


# -- the command --


def test_the_command_writes_tables_and_figures(capsys, folder):
    status, out, _ = run(capsys, "diagram", "santos2025", "--bands", "-T", "200:700", "--out", "d")
    assert status == 0
    assert "361.45" in out
    assert "365.25" in out  # measured
    names = {p.name for p in (folder / "d").iterdir()}
    assert names >= {
        "diagram.json", "diagram.png", "diagram.svg", "invariants.csv", "boundaries.csv",
        "bands.csv", "invariant_bands.csv", "probabilities.csv", "probabilities.png",
    }  # fmt: skip
    assert len(pd.read_csv(folder / "d" / "invariants.csv")) == 5


def test_the_command_takes_any_binary(capsys, folder, example_tdb):
    example_tdb("alzn_mey.tdb").to_file("alzn.tdb", fmt="tdb", if_exists="overwrite")
    status, out, _ = run(capsys, "diagram", "alzn.tdb", "--components", "al,zn", "--json")
    assert status == 0
    kinds = [one["kind"] for one in json.loads(out)["invariants"]]
    assert kinds[:3] == ["monotectoid", "upper critical point", "eutectic"]


def test_a_coherent_phase_has_a_narrower_gap(capsys):
    status, out, _ = run(
        capsys, "diagram", "--phases", "BCC_A2", "--coherent", "bcc_a2", "-T", "250:", "--json"
    )
    assert status == 0
    (top,) = json.loads(out)["invariants"]
    coherent = lc.BinarySolution(lc.load("lina2026"), LINA, "BCC_A2", lc.CoherentModel)
    assert top["T"] == pytest.approx(coherent.critical_point().T, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-T", "700:200"], "no range from low to high"),
        (["-T", "700"], "no range of temperature"),
        (["--components", "LI,,NA"], "no list of names"),
        (["--components", "LI,XX"], "XX"),
        (["--phases", "NOTHING"], "NOTHING"),
    ],
)
def test_bad_input_is_one_line(capsys, folder, arguments, text):
    status, _, err = run(capsys, "diagram", *arguments)
    assert status == 2
    assert text in err
    assert len(err.splitlines()) == 1


def test_nothing_lies_outside_the_figures(lina):
    from lina_calphad.compare.diagram import diagram_report

    report = diagram_report(
        "santos2025", phases=["LIQUID", "BCC_A2"], span=(200.0, 700.0), bands=True
    )
    for draw in report.figures.values():
        nothing_outside(draw())
