"""How fast whole diagrams go: beside pycalphad's map of the same, and through draws.

The ratios are of one run, in turn; see `test_speed`. Times are those of the processor.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest
from pycalphad import variables as v
from pycalphad.mapping import BinaryStrategy

import lina_calphad as lc
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.supercells import parameter_covariance
from lina_calphad.diagram.bands import diagram_bands
from lina_calphad.diagram.spread import spread
from lina_calphad.phase.draws import ParameterDraws

LINA = ("LI", "NA")
PHASES = ["LIQUID", "BCC_A2", "FCC_A1", "HCP_A3"]
SPAN = (200.0, 1000.0)
POINTS = 200
DRAWS = 10_000


def elapsed(function):
    start = time.process_time()
    function()
    return time.process_time() - start


@pytest.fixture(scope="module")
def system():
    freed, mean = free_interactions(lc.load("santos2025"), "BCC_A2", LINA)
    found = lc.BinarySystem(freed, LINA, PHASES, symbols=sorted(mean))
    found.diagram(*SPAN)  # compiles the phases
    return found


@pytest.fixture(scope="module")
def draws(system):
    mean = dict(zip(system.symbols, system.reference, strict=True))
    return ParameterDraws.from_covariance(mean, parameter_covariance(uncertainty=0.01), DRAWS)


def test_building_a_system(report):
    seconds = elapsed(lambda: lc.BinarySystem(lc.load("santos2025"), LINA, PHASES).phases)
    report("building a BinarySystem of Li-Na, compiled", f"{1e3 * seconds:.0f} ms")


def test_a_diagram_against_pycalphads_map(report, system):
    dbf = lc.load("santos2025")
    # As binplot maps: 0.01 in x, and as many temperatures as ours.
    step = (SPAN[1] - SPAN[0]) / POINTS
    conditions = {v.T: (*SPAN, step), v.P: 101325, v.X("NA"): (0, 1, 0.01)}

    def ours():
        assert len(system.diagram(*SPAN, points=POINTS).invariants) == 5

    def theirs():
        BinaryStrategy(dbf, [*LINA, "VA"], PHASES, conditions).do_map()

    # Both warm, in turn, and the best of as many rounds: other programs only make either slower.
    theirs()
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(5):
        times["ours"].append(statistics.median(elapsed(ours) for _ in range(5)))
        times["theirs"].append(elapsed(theirs))
    fast, slow = map(min, times.values())
    label = f"Li-Na, four phases, {POINTS} temperatures, invariants"
    report(label, f"{1e3 * fast:.0f} ms")
    report("... against pycalphad's map", f"{slow:.1f} s: x {slow / fast:.0f}")


def test_equilibria_at_many_temperatures(report, system):
    T = np.linspace(*SPAN, 1_000)
    seconds = statistics.median(elapsed(lambda: system.equilibria(T)) for _ in range(3))
    report("tie-lines of 1000 temperatures, four phases", f"{1e6 * seconds / T.size:.0f} µs each")


def test_all_invariants_of_many_draws(report, system, draws):
    values = draws.values

    def followed():
        kept = sum(
            spread(system, part, np.empty(0), SPAN).kept.sum() for part in np.split(values, 10)
        )
        assert kept > 0.98 * DRAWS

    report(f"all invariants of {DRAWS:,} draws", f"{elapsed(followed):.1f} s")


def test_bands_on_the_whole_diagram(report, system, draws):
    T = np.linspace(*SPAN, 100)
    seconds = elapsed(lambda: diagram_bands(system, draws, T, SPAN))
    report(f"bands of {DRAWS:,} draws, 100 temperatures, all of it", f"{seconds:.1f} s")
