"""`lina-calphad anode`: what it prints and writes, its figures, and how it refuses bad input."""

from __future__ import annotations

import contextlib
import io
import json

import pandas as pd
import pytest
import support

from lina_calphad.anode import stripping_path
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


def run(capsys, *arguments):
    return support.run(capsys, "anode", *arguments)


# -- the command --


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """What a command prints with all its options, in an empty folder, and where it writes."""
    folder, printed = tmp_path_factory.mktemp("anode"), io.StringIO()
    options = "--x0=3% --temperature=300 --thickness=100um --current=1mA/cm2 --bands --details"
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(folder)
        main(
            [
                "anode",
                "santos2025",
                *options.split(),
                "--depth=30%",
                "--cycle",
                "0",
                "50%",
                "--html",
            ]
        )
    return " ".join(printed.getvalue().split()), folder / "lina-anode"


def test_the_command_prints_answer_windows_path_depth_and_sizes(everything):
    printed, _ = everything
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
        "Cycled slowly between 0.00 and 50.0 % of the Li away: coherent, it unmixes by itself",
        "with 1e-15 m²/s instead of 1e-14: coherent spinodal at the interface after 0.31 %",
        "fastest-growing wavelength, at x(Na) = 0.24, is 1.5 nm, with an e-folding time of 8.5 µs",
        "3.86 days │",
        "at x0 0.44 (coherent) or 0.15 (chemical)",
        "estimate: diffusivity 1e-14 m²/s",
        "no solid solubility of Li-Na was ever measured",
        "Open lina-anode/anode.html in a browser.",
    ):
        assert words in printed, words


def test_it_writes_tables_figures_and_the_page(everything):
    _, files = everything
    drawn = ("map", "voltage", "assessments", "lengths", "profile")
    figures_ = {f"{name}.{suffix}" for name in drawn for suffix in ("png", "svg")}
    tables = {
        "assessments", "windows", "path", "depths", "phases", "voltage", "hysteresis", "map",
        "waves", "coarsening", "estimates", "profile", "crossings", "interface", "sensitivity",
        "uncertainty", "cycle", "cycle_profile",
    }  # fmt: skip
    assert {p.name for p in files.iterdir()} == (
        figures_
        | {f"{name}.csv" for name in tables}
        | {"anode.json", "anode.html", "lina-run.json"}
    )
    path = pd.read_csv(files / "path.csv").set_index("boundary").loc["coherent spinodal alpha"]
    assert path["q"] == pytest.approx(0.497, abs=5e-4)
    assert path["capacity_mAh_per_cm2"] == pytest.approx(10.47, abs=0.01)
    chart = pd.read_csv(files / "map.csv").set_index("T")
    assert chart.loc[300, "coherent spinodal alpha"] == pytest.approx(0.05795, abs=1e-5)
    assert chart["liquid from"].dropna().index[0] == pytest.approx(362, abs=1)
    assert "a foil of 100 µm" in (files / "anode.html").read_text(encoding="utf-8")


def test_a_folder_of_results_belongs_to_one_run(everything, capsys, monkeypatch):
    files = everything[1]
    monkeypatch.chdir(files.parent)
    before = {p.name for p in files.iterdir()}
    (files / "mine.txt").write_text("kept")
    assert run(capsys, "--x0", "0.05", "-T", "333")[0] == 0  # in place of the other
    assert {p.name for p in files.iterdir()} == {n for n in before if "profile" not in n} - {
        "crossings.csv", "interface.csv", "sensitivity.csv", "uncertainty.csv", "cycle.csv",
        "anode.html",
    } | {"mine.txt"}  # fmt: skip
    assert set(pd.read_csv(files / "path.csv")["x0"]) == {0.05}
    status, _, error = run(capsys, "--x0", "0.1", "--out", "lina-anode")
    assert status == 2
    assert "lina-anode exists already" in error


def test_json_goes_to_standard_output_and_nothing_is_written(folder, capsys):
    """Of a TDB without elastic data, which takes the shipped ones and says so."""
    file = str(tdb_folder() / "LiNa_Santos2025.tdb")
    status, printed, _ = run(
        capsys, file, "--x0=3%", "-T20C", "-T60C", "--shipped-elastic", "--json"
    )
    content = json.loads(printed)
    assert (status, content["T"]) == (0, [293.15, 333.15])
    assert content["region"] == ["nucleation", "nucleation"]
    assert content["path"][2]["boundary"] == "coherent spinodal alpha"
    shipped = stripping_path(0.03, 293.15, "santos2025")
    assert content["path"][2]["q"] == float(shipped.q["coherent spinodal alpha"])
    assert "LiNa_Santos2025 has no elastic constants: all of" in content["notes"][0]
    assert list(folder.iterdir()) == []


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


# -- numbers with units --


@pytest.mark.parametrize(
    ("measure", "text", "value"),
    [
        (KELVIN, "300", 300.0), (KELVIN, "25C", 298.15), (KELVIN, "60 °C", 333.15),
        (KELVIN, "77 K", 77.0), (FRACTION, "0.03", 0.03), (FRACTION, "3%", 0.03),
        (FRACTION, "3 at.%", 0.03), (FRACTION, "3at%", 0.03), (FRACTION, "3 mol-%", 0.03),
        (FRACTION, "9.5 wt%", (9.5 / 22.98977) / (90.5 / 6.94 + 9.5 / 22.98977)),
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
    assert measure(text) == pytest.approx(value, rel=1e-7)


def test_the_help_names_what_the_command_takes(capsys):
    status, printed, _ = run(capsys, "--help")
    assert status == 0
    for word in ("--x0", "--temperature", "--thickness", "--current", "--html", "Examples"):
        assert word in printed
