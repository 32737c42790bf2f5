"""Tables of an anode: windows, starting compositions, waves, sizes, and how sure they are."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from lina_calphad.anode.boundaries import BOUNDARIES, curve_ends, named_boundaries
from lina_calphad.anode.diffusion import depth_profile
from lina_calphad.anode.stripping import initial_composition, molar_volume, stripped_share
from lina_calphad.anode.windows import REGIONS, Regions, classify
from lina_calphad.errors import NoMiscibilityGap, OutsideAssessedRange
from lina_calphad.phase.bands import NAMES, bands
from lina_calphad.phase.kinetics import (
    Estimate,
    coarsening,
    fastest_wave,
    gradient_energy,
    neighbour_distance,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycalphad import Database

    from lina_calphad.checks import Array, Flags
    from lina_calphad.phase.alloy import Alloy
    from lina_calphad.phase.draws import ParameterDraws

#: Times of the table of coarsening, in s.
TIMES = {
    "1 hour": 3600.0, "1 day": 86400.0, "1 week": 604800.0, "30 days": 2.592e6,
    "1 year": 3.15576e7, "10 years": 3.15576e8,
}  # fmt: skip
_WAVES = 60  # compositions in a spinodal
_NEIGHBOURS = (0.1, 1.0, 10.0)  # factors of a diffusivity that is known to an order of magnitude
_EDGE = np.linspace(-40, 40, 4001)  # in ln(x/(1-x)), where liquid may begin


def windows(description: Alloy, T: Array) -> pd.DataFrame:
    """One row a temperature and range of composition, from pure Li to pure Na."""
    rows = []
    for level in T:
        ends = curve_ends(description, level)
        crossed = np.ma.stack(list(named_boundaries(ends).values())).compressed()
        edges = np.unique([0.0, *crossed, *_liquid_edges(description, float(level)), 1.0])
        middle = (edges[1:] + edges[:-1]) / 2
        codes = classify(
            middle, ends, description.liquid_present(middle, np.full_like(middle, level))
        )
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        rows += [
            {"T": level, "region": REGIONS[i].key, "name": REGIONS[i].name, "x_from": a, "x_to": b}
            for i, a, b in zip(codes[starts], edges[starts], [*edges[starts[1:]], 1.0], strict=True)
        ]
    return pd.DataFrame(rows)


def _liquid_edges(description: Alloy, T: float) -> Array:
    """Mole fractions at which liquid begins or ends, to some 1e-9 in ln(x/(1-x))."""

    def molten(t: Array) -> Flags:
        found = description.liquid_present(expit(t), np.full_like(t, T))
        return np.zeros(t.shape, bool) if found is None else found

    turns = np.flatnonzero(np.diff(molten(_EDGE)))
    low, high = _EDGE[turns], _EDGE[turns + 1]
    before = molten(low)
    for _ in range(25 if turns.size else 0):
        middle = (low + high) / 2
        same = molten(middle) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    edges: Array = expit((low + high) / 2)
    return edges


def starts(description: Alloy, T: Array, depths: Sequence[float]) -> pd.DataFrame:
    """Initial composition whose coherent spinodal is entered at a share stripped."""
    q = np.array(depths, dtype=float)
    rows = []
    for level in T:
        reason = f"there is no coherent spinodal at {level:g} K"
        try:
            x0 = np.ma.filled(
                initial_composition(q, level, "coherent_spinodal", description), np.nan
            )
        except OutsideAssessedRange as error:
            x0, reason = np.full(q.size, np.nan), str(error)
        rows += [
            {"T": level, "q": each, "x0": at, "reason": reason if np.isnan(at) else ""}
            for each, at in zip(q, x0, strict=True)
        ]
    return pd.DataFrame(rows)


def sensitivity(
    x0: float, T: Array, given: tuple[float, float, Alloy], diffusivity: float
) -> pd.DataFrame:
    """When both sides enter the coherent spinodal, and the end, by diffusivity."""
    rows = []
    for level, factor in product(T, _NEIGHBOURS):
        D = factor * diffusivity
        try:
            found = depth_profile(x0, level, *given, diffusivity=D)
        except ValueError:  # beyond what the profile resolves
            continue
        interface, collector = np.ma.filled(found.crossings["coherent spinodal alpha"], np.nan)
        rows.append(
            {"T": level, "diffusivity": D, "q_interface": interface, "q_collector": collector}
            | {"q_exhausted": found.exhausted_at}
        )
    return pd.DataFrame(rows)


def waves(description: Alloy, T: Array, diffusivity: float) -> tuple[pd.DataFrame, list[Estimate]]:
    """Waves over both spinodals at each temperature, and the gradient energies they rest on."""
    frames, kappas = [], []
    for level in T:
        volume = molar_volume(description, np.array(0.0), np.array(level))
        kappa = gradient_energy(description.chemical, level, neighbour_distance(volume))
        kappas.append(
            Estimate(
                f"gradient energy at {level:g} K", float(kappa), "J m²/mol",
                "pairs of nearest neighbours, Cahn & Hilliard 1958",
            )
        )  # fmt: skip
        for kind, solution in description.solutions.items():
            try:
                ends = solution.spinodal(level)
            except NoMiscibilityGap:
                continue
            low, high = float(ends.x_alpha), float(ends.x_beta)
            # Closer together where the wavelength diverges.
            x = (low + high - (high - low) * np.cos(np.linspace(0, np.pi, _WAVES + 2)[1:-1])) / 2
            wave = fastest_wave(solution, x, level, kappa, diffusivity)
            frames.append(wave.to_dataframe().assign(kind=kind))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(), kappas


def sizes(description: Alloy, T: Array, diffusivity: float) -> pd.DataFrame:
    """Sizes after each of `TIMES`: in bulk, along interfaces, and through either solution."""
    rows: list[dict[str, Any]] = []
    for level in T:
        try:
            ends = description.chemical.binodal(level)
        except NoMiscibilityGap:
            continue
        dissolved = [float(np.exp(ln)) for ln in (ends.ln_x_alpha, ends.ln_one_minus_x_beta)]
        for through, law, x in (
            ("both phases", "bulk", None),
            ("interfaces", "interface", None),
            ("Li-rich matrix", "dilute", dissolved[0]),
            ("Na-rich matrix", "dilute", dissolved[1]),
        ):
            found = coarsening(list(TIMES.values()), x or 1.0, diffusivity=diffusivity)
            for t, size in zip(found.t, found.size[law], strict=True):
                row = {"T": level, "through": through, "law": law, "solubility": x, "t_s": t}
                rows.append(row | {"size_m": size})
    return pd.DataFrame(rows)


def uncertainty(x0: float, T: Array, draws: tuple[Database, ParameterDraws]) -> pd.DataFrame:
    """What draws make of the boundaries and of the shares stripped there, by quantiles."""
    found = bands(*draws, T)
    rows = []
    for name in BOUNDARIES:
        kind, _, branch = name.rpartition(" ")
        x = found.x(kind)[:, 0 if branch == "alpha" else 1]  # quantiles by temperature
        for i, level in enumerate(T):
            row = {"T": level, "boundary": name, "share_with_gap": found.gap[kind.split()[0]][i]}
            for quantile, at in zip(NAMES, x[:, i], strict=True):
                # Ahead of the alloy; where draws have no gap it is missing.
                ahead = x0 < at
                share = float(stripped_share(x0, at)) if ahead else np.nan
                row |= {f"x_{quantile}": at, f"q_{quantile}": share}
            rows.append(row)
    return pd.DataFrame(rows)


def map_table(field: Regions) -> pd.DataFrame:
    """One row a temperature: boundaries, and between which compositions liquid is present."""
    table = pd.DataFrame({"T": field.T[:, 0]})
    for name, boundary in field.boundaries.items():
        table[name] = np.ma.filled(boundary[:, 0], np.nan)
    if field.liquid is not None:
        some = field.liquid.any(axis=1)
        last = field.x.shape[1] - 1 - field.liquid[:, ::-1].argmax(axis=1)
        table["liquid from"] = np.where(some, field.x[0, field.liquid.argmax(axis=1)], np.nan)
        table["liquid to"] = np.where(some, field.x[0, last], np.nan)
    return table
