"""How fast an assessment goes: exact residuals of invariants beside ESPEI's of the same data."""

from __future__ import annotations

import statistics
import time

from espei.error_functions.zpf_error import ZPFResidual
from espei.phase_models import PhaseModelSpecification

from lina_calphad.data.datasets import read_datasets
from lina_calphad.fit.assess import assess
from lina_calphad.fit.espei_inputs import table_of

COMPS = ["LI", "NA", "VA"]
PHASES = {
    "BCC_A2": {"sublattice_model": [["LI", "NA"], ["VA"]], "sublattice_site_ratios": [1, 3]},
    "LIQUID": {"sublattice_model": [["LI", "NA"]], "sublattice_site_ratios": [1]},
}


def test_an_evaluation_of_a_recipe(report):
    found = assess("lina2026")
    problem = found.problem
    theirs = ZPFResidual(
        problem.dbf, table_of(read_datasets(["down1975", "khairulin2019"])),
        PhaseModelSpecification(components=COMPS, phases=PHASES), list(problem.symbols),
    )  # fmt: skip
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for i in range(8):  # in turn, CPU, the first two not counted
        values = found.values * (1 + 1e-4 * i)
        for name, residual in (("ours", problem), ("theirs", theirs.get_likelihood)):
            start = time.process_time()
            residual(values)
            times[name].append(time.process_time() - start)
    fast, slow = (statistics.median(taken[2:]) for taken in times.values())
    report("all residuals of lina2026, with derivatives", f"{1e3 * fast:.1f} ms")
    report("ESPEI's ZPF residual of its invariants", f"{1e3 * slow:.0f} ms: x {slow / fast:.0f}")


def test_a_whole_assessment(report):
    start = time.process_time()
    found = assess("lina2026")
    report(f"lina2026 from {found.starts[0]} starts, CPU", f"{time.process_time() - start:.1f} s")
