"""Tables of the paper's figures 1 to 7, computed: one long table each.

Every table has the columns ``source`` (an assessment or who measured) and ``series`` (what
the rows are); the others bear their units. x_na is the mole fraction of Na, x_solute that of
the minority component, ``side`` says which one: "Na in Li" or "Li in Na". Closed forms need
Redlich-Kister coefficients that do not depend on temperature.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lina_calphad.data.assessments import COMPONENTS, PHASE
from lina_calphad.data.datasets import read_datasets, shipped_folder
from lina_calphad.data.mixing_data import mixing_data
from lina_calphad.paper.alloys import METHODS, SIDES, Paper, both_sides, close_packed
from lina_calphad.paper.marks import CLOSE_PACKED
from lina_calphad.phase import dilute
from lina_calphad.plots import KINDS

#: Shipped phase-diagram data, and what each is; superseded ones are not drawn.
MEASURED = {
    "down1975": "measured",
    "down1975-critical": "measured",
    "howland1957": "measured",
    "khairulin2019": "measured",
    "bale1989": "evaluated",
}
#: Shipped energies: whose they are, and of what.
ENERGIES = {
    "santos2025": ("Santos et al. 2025 (VASP)", "1 atom in 128"),
    "gpaw2026-128": ("this project (GPAW)", "1 atom in 128"),
    "gpaw2026-54": ("this project (GPAW)", "1 atom in 54"),
    "gpaw2026-16": ("this project (GPAW)", "1 atom in 16"),
    "gpaw2026-sqs": ("this project (GPAW)", "quasirandom"),
    "gpaw2026-ordered": ("this project (GPAW)", "B2 and D0₃"),
}
#: The quasirandom cell that its dataset leaves out, because it is bcc no longer.
FCC = ("this project (GPAW)", "quasirandom, relaxed to fcc")

#: Column of figure 2: energy of formation over the product of both fractions.
RATIO = "energy_over_x_li_x_na_J_per_mol"

_COLDEST = 200.0  # K; where the SGTE unaries begin
_SERIES = {"LIQUID": "liquid", PHASE: "bcc"}


def phase_diagram(paper: Paper) -> pd.DataFrame:
    """Figure 1: the whole diagram from 200 K, where the SGTE unaries begin, and measured points.

    "line" numbers each connected line or point.
    """
    lines: list[tuple[str, str, Any, Any]] = []
    for name, alloy in paper.alloys.items():
        assert alloy.system is not None  # both have a liquid
        for field in alloy.system.diagram(_COLDEST).fields:
            for phase, x in zip(field.phases, field.x, strict=True):
                lines.append((name, _SERIES[phase], x, field.T))
        for invariant in map(alloy.invariant, ("eutectic", "monotectic")):
            three = [x for _, x in invariant.phases]
            lines.append((name, invariant.kind, three, [invariant.T] * len(three)))
    for name, kind in MEASURED.items():
        (dataset,) = read_datasets([name], include_disabled=True)
        points = zip(dataset["conditions"]["T"], dataset["values"], strict=True)
        lines += [
            (dataset["reference"], kind, [x], [T])
            for T, vertices in points
            for x in sorted({x for _, _, (x,) in vertices if x is not None})
        ]
    return pd.concat(
        [
            pd.DataFrame({"source": name, "series": series, "line": i, "x_na": x, "T_K": T})
            for i, (name, series, x, T) in enumerate(lines)
        ],
        ignore_index=True,
    )


def formation_energy(paper: Paper) -> pd.DataFrame:
    """Figure 2: energies of formation, of both assessments and computed from first principles.

    The paper's energies are recovered from its printed parameters. Those of this project
    disagree with them on the Li side, and the reason is not known. Over x_Li x_Na they are a
    straight line for two coefficients, and at both ends the energy of one dissolved atom.
    """
    x = np.linspace(0, 1, 201)
    rows: list[tuple[str, str, Any, Any]] = []  # source, series, x, E/(x_Li x_Na)
    for name, alloy in paper.alloys.items():
        ratio = np.polynomial.polynomial.polyval(1 - 2 * x, alloy.coefficients)
        rows.append((name, "Redlich-Kister", x, ratio))
    for name, (source, series) in ENERGIES.items():
        (dataset,) = read_datasets([name], include_disabled=True)
        data = mixing_data([dataset], PHASE, COMPONENTS)
        rows.append((source, series, data["x"], data["energy"] / (data["x"] * (1 - data["x"]))))
        if name == "gpaw2026-sqs":
            cells = pd.read_csv(shipped_folder() / "LI-NA" / "dft-gpaw2026" / "cells.csv")
            used = cells["name"].str.startswith("SQS") & (cells["use"] == "yes")
            fcc = cells[used & ~cells["name"].isin(dataset["cells"])]
            at = fcc["x_na"]
            rows.append((*FCC, at, fcc["formation_j_per_mol"] / (at * (1 - at))))
    columns = ["source", "series", "x_na", RATIO]
    frames = [pd.DataFrame(dict(zip(columns, row, strict=True))) for row in rows]
    table = pd.concat(frames, ignore_index=True)
    table.insert(3, "energy_J_per_mol", table["x_na"] * (1 - table["x_na"]) * table[RATIO])
    return table


def one_side(paper: Paper, side: int) -> pd.DataFrame:
    """Figures 3 and 4: the chemical solubilities of one of `SIDES`; see `Paper.solubilities`."""
    table = paper.solubilities
    chosen = table[(table["side"] == SIDES[side]) & table["series"].str.startswith("chemical, ")]
    plain = chosen["series"].str.removeprefix("chemical, ")
    return chosen.assign(series=plain).drop(columns="side").reset_index(drop=True)


def spinodals(paper: Paper) -> pd.DataFrame:
    """Figure 5: spinodal onset on both sides, by the limits (10) and (11) and exactly."""
    T = np.linspace(1.0, paper.top, 37)
    frames = []
    for name, alloy in paper.alloys.items():
        curves = dilute.spinodal(T, alloy.coefficients), alloy.chemical.spinodal(T)
        for method, curve in zip(METHODS, curves, strict=True):
            frames.append(both_sides(name, method, T, (curve.x_alpha, 1 - curve.x_beta)))
    table = pd.concat(frames, ignore_index=True).dropna(ignore_index=True)
    return table.rename(columns={"x": "x_solute"})


def low_temperature(paper: Paper) -> pd.DataFrame:
    """Figure 7: binodals and spinodals, chemical and coherent, up to the eutectic."""
    T = np.linspace(2.0, paper.top, 360)
    frames = [
        alloy.curve(kind, T).assign(source=name, series=kind)
        for name, alloy in paper.alloys.items()
        for kind in KINDS
    ]
    names = {"T": "T_K", "x_alpha": SIDES[0], "x_beta": SIDES[1]}
    wide = pd.concat(frames, ignore_index=True).rename(columns=names)
    long = wide.melt(["source", "series", "T_K"], list(SIDES), var_name="side", value_name="x_na")
    cold = {name: close_packed(alloy) for name, alloy in paper.alloys.items()}
    return long.assign(**{CLOSE_PACKED: long["source"].map(cold)}).dropna(ignore_index=True)
