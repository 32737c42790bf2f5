"""How fine and how fast an anode unmixes and coarsens, as tables over its temperatures."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from lina_calphad.anode.charge import molar_volume
from lina_calphad.phase import kinetics

if TYPE_CHECKING:
    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy

#: Times of the table of coarsening, in s.
TIMES = {
    "1 hour": 3600.0, "1 day": 86400.0, "1 week": 604800.0, "30 days": 2.592e6,
    "1 year": 3.15576e7, "10 years": 3.15576e8,
}  # fmt: skip
_ACROSS = expit(np.linspace(-12, 12, 121))  # a spinodal; close where the wavelength diverges


def gradient_energy(alloy: Alloy, T: Array) -> Array:
    """Of pairs of neighbours, in J m²/mol."""
    distance = kinetics.neighbour_distance(molar_volume(alloy, 0.0, T))
    return kinetics.gradient_energy(alloy.chemical, T, distance)


def waves(alloy: Alloy, T: Array, diffusivity: Array) -> pd.DataFrame:
    """Waves over both spinodals at each temperature; empty without any."""
    frames = [pd.DataFrame()]
    each = zip(T, diffusivity, gradient_energy(alloy, T), strict=True)
    for (level, D, kappa), (kind, solution) in product(each, alloy.solutions.items()):
        low, high = solution.ends("spinodal", level)
        if not np.isnan(low):
            x = low + (high - low) * _ACROSS
            wave = kinetics.fastest_wave(solution, x, level, kappa, D)
            frames.append(wave.to_dataframe().assign(kind=kind))
    return pd.concat(frames, ignore_index=True)


def sizes(alloy: Alloy, T: Array, diffusivity: Array) -> pd.DataFrame:
    """Sizes after each of `TIMES`: in bulk, along interfaces, and through either solution."""
    rows: list[dict[str, Any]] = []
    t = [*TIMES.values()]
    for level, D in zip(T, diffusivity, strict=True):
        low, high = alloy.chemical.logits("binodal", level)
        ways = (
            ("both phases", "bulk", None),
            ("interfaces", "interface", None),
            ("Li-rich matrix", "dilute", float(expit(low))),
            ("Na-rich matrix", "dilute", float(expit(-high))),
        )
        for through, law, x in () if np.isnan(low) else ways:
            row = {"T": level, "through": through, "law": law, "solubility": x}
            row["micrometre_s"] = float(kinetics.time_to_reach(1e-6, law, x, diffusivity=D))
            found = kinetics.coarsening(t, x or 1.0, diffusivity=D).size[law]
            rows += [row | {"t_s": at, "size_m": size} for at, size in zip(t, found, strict=True)]
    return pd.DataFrame(rows)
