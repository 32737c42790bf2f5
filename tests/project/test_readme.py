"""The README: its programs run, and its numbers are those that the package computes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from support import ROOT

from lina_calphad.anode import depth_profile, hysteresis, potential, stripping_path, verdicts
from lina_calphad.data.assessments import MEASURED, PREFERRED, load
from lina_calphad.phase.bands import bands
from lina_calphad.phase.draws import known_draws

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_programs_run():
    namespace: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    stability = namespace["wks"].get(namespace["lc"].Stability("BCC_A2"))
    assert f"# {stability:.4f}; 1 for an ideal" in README


def scientific(value: float) -> str:
    digits, exponent = f"{value:.2e}".split("e")
    return f"{digits}·10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


@pytest.mark.parametrize(
    ("label", "keys", "form"),
    [
        ("solubility of Na in Li", ["chemical_na_in_li"], scientific),
        ("coherent solubility of Na in Li", ["coherent_na_in_li"], scientific),
        ("spinodal onset, x(Na)", ["chemical_spinodal_li_side"], "{:.3g}".format),
        ("coherent spinodal onset, x(Na)", ["coherent_spinodal_li_side"], "{:.4f}".format),
        (
            "critical temperature, chemical / coherent",
            ["chemical_critical_temperature", "coherent_critical_temperature"],
            "{:.0f}".format,
        ),
        (
            "eutectic, monotectic",
            ["eutectic_temperature", "monotectic_temperature"],
            "{:.1f}".format,
        ),
    ],
)
def test_the_table_is_what_compare_finds(comparison, label, keys, form):
    (line,) = re.findall(rf"(?m)^\| {re.escape(label)}(?: \(.*?\))? \|(.*)\|$", README)
    cells = [cell.strip(" *").removesuffix(" K") for cell in line.split("|")]
    for index, cell in enumerate(cells):
        values = [comparison[key].values[index] for key in keys]
        reasons = [comparison[key].reasons[index] for key in keys]
        shown = [form(v) if v is not None else r for v, r in zip(values, reasons, strict=True)]
        assert re.split(r" / |, ", cell) == shown


def test_how_well_its_solubility_is_known():
    dbf, draws = known_draws("lina2026", load("lina2026"))
    spread = bands(dbf, draws, [300.0], kinds=["chemical", "coherent"])
    low, high = 1e4 * spread.x("chemical binodal")[[1, 3], 0, 0]
    (shown,) = re.findall(r"68 % between ([\d.]+) and ([\d.]+)·10⁻⁴", README)
    assert shown == (f"{low:.1f}", f"{high:.1f}")
    (shown,) = re.findall(r"closes at (\d+) K, with 68 % between (\d+) and (\d+) K", README)
    T = spread.critical["coherent"][0][[1, 3], 0]
    assert shown[1:] == tuple(f"{t:.0f}" for t in T)


def test_its_measured_temperatures():
    (line,) = re.findall(r"measured: ([\d.]+), ([\d.]+) K", README)
    measured = {p.quantity: p.value for p in MEASURED}
    assert float(line[0]) == measured["eutectic temperature"]
    assert float(line[1]) == measured["monotectic temperature"]


def test_its_numbers_of_the_anode():
    boundary = "coherent spinodal alpha"
    found = re.findall(
        r"`(\w+)`[^`]*?when (\d+) % of its\s+Li has left \((\d+) mAh/g, ([\d.]+) mAh/cm²\)", README
    )
    assert [key for key, *_ in found] == [PREFERRED, "santos2025"]
    for key, share, gram, area in found:
        path = stripping_path(key, 0.03, 300.0, thickness=100e-6)
        assert float(share) == pytest.approx(100 * float(path.q[boundary]), abs=0.5)
        assert float(gram) == pytest.approx(float(path.capacity[boundary]), abs=0.5)
        assert float(area) == pytest.approx(float(path.areal_capacity[boundary]), abs=0.05)
        assert potential(0.03, 300.0, key).volt["solution"] < 1e-3
        assert hysteresis(300.0, key)["E_strip_mV"].max() < 1
    assert np.isnan(stripping_path("zhang2003", 0.03, 300.0).q[boundary])
    gap = verdicts(0.03, 300.0, [PREFERRED])["coherent_gap"].iloc[0]
    assert re.findall(r"in (\d+) % of the draws of its", README) == [f"{100 * gap:.0f}"]
    (share,) = re.findall(r"interface is\s+pure Na after (\d+) %", README)
    profile = depth_profile(0.03, 300.0, 100.0, 100e-6)
    assert float(share) / 100 == pytest.approx(profile.exhausted_at, abs=0.005)
    assert profile.x[-1, 0] == pytest.approx(0.03, rel=1e-3)
