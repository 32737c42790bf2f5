"""How fast: the exact gap beside pycalphad's equilibrium, and what a user waits for.

Run with ``pytest benchmarks --no-cov -n 0``. Absolute times depend on the machine: the ratios,
measured side by side in one run, are what counts. Nothing here asserts a time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest
from pycalphad import Model, equilibrium
from pycalphad import variables as v
from symengine import S

import lina_calphad as lc
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.supercells import parameter_covariance
from lina_calphad.phase.bands import bands
from lina_calphad.phase.draws import ParameterDraws

LINA = ("LI", "NA")
MODELS = {"chemical": Model, "coherent": lc.CoherentModel}
T = {n: np.linspace(50.0, 440.0, n) for n in (100, 1_000, 10_000, 100_000)}


@pytest.fixture(scope="module")
def dbf():
    return lc.load("santos2025")


def elapsed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def median(function, repeats=9):
    function()
    return statistics.median(elapsed(function) for _ in range(repeats))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("n", [100, 100_000])
def test_tie_lines(benchmark, report, dbf, kind, n):
    solution = lc.BinarySolution(dbf, LINA, "BCC_A2", model=MODELS[kind])
    solution.binodal(300.0)
    benchmark(solution.binodal, T[n])
    per_second = n / benchmark.stats["median"]
    report(f"{kind} binodal, {n} temperatures", f"{per_second:,.0f} tie-lines/s")


@pytest.mark.parametrize("kind", MODELS)
def test_cost_is_linear_in_the_number_of_temperatures(report, dbf, kind):
    solution = lc.BinarySolution(dbf, LINA, "BCC_A2", model=MODELS[kind])
    solution.binodal(300.0)
    times = {n: median(lambda n=n: solution.binodal(T[n])) for n in T}
    ratios = [f"{times[10 * n] / times[n]:.1f}" for n in (100, 1_000, 10_000)]
    report(f"{kind} binodal, ten times the temperatures", f"x {', x '.join(ratios)}")


@pytest.mark.parametrize("kind", MODELS)
def test_against_pycalphads_equilibrium(report, dbf, kind):
    solution = lc.BinarySolution(dbf, LINA, "BCC_A2", model=MODELS[kind])
    solution.binodal(300.0)
    conditions = {v.T: list(T[100]), v.P: 101325, v.X("NA"): 0.4}

    def theirs():
        equilibrium(dbf, [*LINA, "VA"], ["BCC_A2"], conditions, model=MODELS[kind])

    for n in (100, 100_000):
        # In turn, so that a machine that slows down slows both.
        ratios = []
        for _ in range(9):
            ours = median(lambda n=n: solution.binodal(T[n]), 5)
            ratios.append(median(theirs, 1) / 100 / (ours / n))
        label = f"{kind}, {n} tie-lines against 100 of equilibrium, each"
        report(label, f"x {statistics.median(ratios):,.0f}")


def test_bands_against_a_solution_for_each_draw(report, dbf):
    freed, mean = free_interactions(dbf, "BCC_A2", LINA)
    covariance = parameter_covariance(uncertainty=0.01)
    draws = ParameterDraws.from_covariance(mean, covariance, 10_000)

    def one_by_one(some):
        for values in some:
            freed.symbols.update(zip(draws.symbols, map(S, values.tolist()), strict=True))
            for model in MODELS.values():
                one = lc.BinarySolution(freed, LINA, "BCC_A2", model=model)
                one.critical_point()
                one.binodal(T[100])
                one.spinodal(T[100])

    seconds, ratios = [], []
    for some in np.split(draws.values[:15], 3):
        # In turn, so that a machine that slows down slows both.
        theirs = elapsed(lambda some=some: one_by_one(some)) / len(some)
        freed.symbols.update({name: S(value) for name, value in mean.items()})
        seconds.append(elapsed(lambda: bands(freed, draws, T[100])))
        ratios.append(theirs / (seconds[-1] / len(draws)))
    report(
        "bands, 10 000 draws x 100 temperatures, all curves", f"{statistics.median(seconds):.1f} s"
    )
    report("... against a BinarySolution for each draw", f"x {statistics.median(ratios):,.0f}")


def test_building_a_solution(report, dbf):
    def build():
        lc.BinarySolution(dbf, LINA, "BCC_A2", model=lc.CoherentModel)

    def build_and_trace():
        lc.BinarySolution(dbf, LINA, "BCC_A2", model=lc.CoherentModel).binodal(300.0)

    report("building a BinarySolution", f"{median(build) * 1e3:.0f} ms")
    report("... and its first tie-line", f"{median(build_and_trace) * 1e3:.0f} ms")


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("python -c pass", "pass"),
        ("import lina_calphad", "import lina_calphad"),
        ("lina-calphad --help", "from lina_calphad.cli.main import main; main(['--help'])"),
        ("import pycalphad, for scale", "import pycalphad"),
        (
            "lina-calphad compare, with its figures",
            "from lina_calphad.cli.main import main; main(['compare'])",
        ),
    ],
)
def test_whole_commands(report, tmp_path, label, code):
    def run():
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=tmp_path, env=usual)

    command = [sys.executable, "-c", code]
    # With bytecode, as a package has it that is installed; the first run writes it.
    usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    run()
    seconds = median(run, 5)
    report(label, f"{seconds:.2f} s")
