"""How fast a fit goes: our residual of solubilities beside ESPEI's of the same tie-lines."""

from __future__ import annotations

import statistics
import time

import numpy as np
from espei.error_functions.zpf_error import ZPFResidual
from espei.phase_models import PhaseModelSpecification

import lina_calphad as lc
from lina_calphad.data.interactions import free_interactions
from lina_calphad.data.new_datasets import solubility_dataset
from lina_calphad.espei_hooks import SolubilityResidual
from lina_calphad.fit.espei_inputs import table_of

COMPS = ["LI", "NA", "VA"]
T = np.linspace(300.0, 440.0, 8)


def test_an_evaluation_of_the_likelihood(report):
    dbf, true = free_interactions(lc.load("santos2025"), "BCC_A2", ("LI", "NA"))
    for name in ("LIQUID", "FCC_A1", "HCP_A3"):
        del dbf.phases[name]
    line = lc.BinarySolution(dbf, ("LI", "NA"), "BCC_A2").binodal(T)
    ours = [
        solubility_dataset(
            T, x, solvent=solvent, equilibrium="chemical", ln_x_error=0.1, reference="synthetic"
        )
        for solvent, x in (("LI", line.x_alpha), ("NA", 1 - line.x_beta))
    ]
    theirs = {
        "components": COMPS,
        "phases": ["BCC_A2"],
        "conditions": {"P": 101325, "T": T.tolist()},
        "broadcast_conditions": False,
        "output": "ZPF",
        "values": [
            [["BCC_A2", ["NA"], [float(x)]] for x in ends]
            for ends in zip(line.x_alpha, line.x_beta, strict=True)
        ],
        "reference": "synthetic",
    }
    phase = {"sublattice_model": [["LI", "NA"], ["VA"]], "sublattice_site_ratios": [1, 3]}
    models = PhaseModelSpecification(components=COMPS, phases={"BCC_A2": phase})
    residuals = [
        SolubilityResidual(dbf, table_of(ours), models, sorted(true)),
        ZPFResidual(dbf, table_of([theirs]), models, sorted(true)),
    ]
    values = np.array([true[name] for name in sorted(true)])
    times: list[list[float]] = [[], []]
    for i in range(12):  # in turn, away from the truth, the first two not counted
        for residual, taken in zip(residuals, times, strict=True):
            start = time.perf_counter()
            residual.get_likelihood(values * (0.9 + 0.02 * i))
            taken.append(time.perf_counter() - start)
    fast, slow = (statistics.median(taken[2:]) for taken in times)
    report("residual of 8 tie-lines, both ends", f"{1e3 * fast:.2f} ms")
    report("ESPEI's ZPF residual of the same", f"{1e3 * slow:.0f} ms: x {slow / fast:.0f}")
