"""The pages in docs/: their programs run, and their numbers are those that the package computes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from support import ROOT

from lina_calphad.fit.refit import RefitSettings, refit
from lina_calphad.phase.bands import bands

PAGE = (ROOT / "docs" / "refit.md").read_text(encoding="utf-8")


def test_the_programs_of_the_refit_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "refit.md", "exec"), {})
    assert {path.name for path in tmp_path.iterdir()} == {"solubility.json", "bands.csv"}


@pytest.mark.slow
@pytest.mark.parametrize(("column", "data"), [(0, "santos2025"), (1, "gpaw2026-54")])
def test_the_table_of_the_two_sources(tmp_path, column, data):
    result = refit(RefitSettings(data=(data,), iterations=0), tmp_path / "run")
    found = bands(result.dbf, result.draws, [300.0])
    critical = found.critical_frame().set_index(["kind", "quantity"]).loc[("coherent", "T")]
    difference = result.finite_difference

    def band(kind, form):
        low, median, high = found.x(kind)[1:4, 0, 0]
        return f"{median:{form}} ({low:{form}} to {high:{form}})"

    wanted = [
        f"{difference.L0:.0f}, {difference.L1:.0f}",
        *(f"{v:.0f} ± {e:.0f}" for v, e in zip(result.values, result.errors, strict=True)),
        band("chemical binodal", ".1e"),
        band("chemical spinodal", ".3f"),
        band("coherent binodal", ".4f" if data == "santos2025" else ".3f"),
        band("coherent spinodal", ".3f"),
        f"{critical['median']:.0f} ({critical['low_68']:.0f} to {critical['high_68']:.0f})",
    ]
    rows = re.findall(r"(?m)^\| (?!`--data`)[^|-][^|]*\|([^|]*)\|([^|]*)\|$", PAGE)
    assert [row[column].strip() for row in rows] == wanted


def test_the_factor_of_an_error_of_a_hundredth_of_an_electronvolt():
    (number,) = re.findall(r"exp\(0\.01 eV/kT\) = (\d\.\d+)", PAGE)
    assert float(number) == pytest.approx(np.exp(0.01 / (8.617333e-5 * 300)), abs=0.005)
