"""Tables of an anode: windows, starting compositions, waves, sizes, the map, how sure they are."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from lina_calphad.anode.diffusion import depth_profile
from lina_calphad.anode.melting import MELTING_ERROR, liquid_ranges, melting_point
from lina_calphad.anode.stripping import initial_composition, molar_volume, stripped_share
from lina_calphad.anode.windows import BOUNDARIES, REGIONS, classify, curve_ends, named
from lina_calphad.errors import NoMiscibilityGap, OutsideAssessedRange
from lina_calphad.phase import kinetics
from lina_calphad.phase.bands import NAMES, Bands, bands
from lina_calphad.phase.kinetics import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycalphad import Database

    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy
    from lina_calphad.phase.draws import ParameterDraws

#: Times of the table of coarsening, in s.
TIMES = {
    "1 hour": 3600.0, "1 day": 86400.0, "1 week": 604800.0, "30 days": 2.592e6,
    "1 year": 3.15576e7, "10 years": 3.15576e8,
}  # fmt: skip

#: Temperatures in K and compositions that the map shows; SGTE's unaries begin at 200 K.
MAP_T = (200.0, 400.0)
MAP_X = (1e-6, 0.9999)
_MAP_ROWS = 201
_WAVES = expit(np.linspace(-12, 12, 121))  # of a spinodal; close where the wavelength diverges
_NEIGHBOURS = (0.1, 1.0, 10.0)  # factors of a diffusivity that is known to an order of magnitude


def windows(alloy: Alloy, T: Array, ends: Mapping[str, Array]) -> pd.DataFrame:
    """One row a temperature and range of composition, from pure Li to pure Na."""
    rows = []
    for i, (level, melts) in enumerate(zip(T, liquid_ranges(alloy, T), strict=True)):
        here = {kind: pair[:, i] for kind, pair in ends.items()}
        edges = np.unique([0.0, *np.ravel(list(here.values())), *melts.ravel(), 1.0])
        edges = edges[~np.isnan(edges)]
        middle = (edges[1:] + edges[:-1]) / 2
        codes = classify(middle, here, alloy.liquid_present(middle, np.full_like(middle, level)))
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        rows += [
            {"T": level, "region": REGIONS[k].key, "name": REGIONS[k].name, "x_from": a, "x_to": b}
            for k, a, b in zip(codes[first], edges[first], [*edges[first[1:]], 1.0], strict=True)
        ]
    return pd.DataFrame(rows)


def starts(alloy: Alloy, T: Array, depths: Sequence[float]) -> pd.DataFrame:
    """Initial composition whose coherent spinodal is entered at a share stripped."""
    q = np.array(depths, dtype=float)
    rows = []
    for level in T:
        reason = f"there is no coherent spinodal at {level:g} K"
        try:
            x0 = initial_composition(q, level, "coherent_spinodal", alloy)
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
        interface, collector = found.crossings["coherent spinodal alpha"]
        rows.append(
            {"T": level, "diffusivity": D, "q_interface": interface, "q_collector": collector}
            | {"q_exhausted": found.exhausted_at}
        )
    return pd.DataFrame(rows)


def waves(alloy: Alloy, T: Array, diffusivity: float) -> tuple[pd.DataFrame, list[Estimate]]:
    """Waves over both spinodals at each temperature, and the gradient energies they rest on."""
    frames, estimates = [], []
    for level in T:
        distance = kinetics.neighbour_distance(molar_volume(alloy, np.array(0.0), level))
        kappa = float(kinetics.gradient_energy(alloy.chemical, level, distance))
        basis = "pairs of nearest neighbours, Cahn & Hilliard 1958"
        estimates.append(Estimate(f"gradient energy at {level:g} K", kappa, "J m²/mol", basis))
        for kind, solution in alloy.solutions.items():
            low, high = solution.ends("spinodal", level)
            if np.isnan(low):
                continue
            wave = kinetics.fastest_wave(
                solution, low + (high - low) * _WAVES, level, kappa, diffusivity
            )
            frames.append(wave.to_dataframe().assign(kind=kind))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(), estimates


def sizes(alloy: Alloy, T: Array, diffusivity: float) -> pd.DataFrame:
    """Sizes after each of `TIMES`: in bulk, along interfaces, and through either solution."""
    rows: list[dict[str, Any]] = []
    for level in T:
        try:
            gap = alloy.chemical.binodal(level)
        except NoMiscibilityGap:
            continue
        for through, law, x in (
            ("both phases", "bulk", None),
            ("interfaces", "interface", None),
            ("Li-rich matrix", "dilute", float(np.exp(gap.ln_x_alpha))),
            ("Na-rich matrix", "dilute", float(np.exp(gap.ln_one_minus_x_beta))),
        ):
            found = kinetics.coarsening(list(TIMES.values()), x or 1.0, diffusivity=diffusivity)
            row = {"T": level, "through": through, "law": law, "solubility": x}
            pairs = zip(found.t, found.size[law], strict=True)
            rows += [row | {"t_s": t, "size_m": size} for t, size in pairs]
    return pd.DataFrame(rows)


def uncertainty(x0: float, T: Array, found: Bands) -> pd.DataFrame:
    """What draws make of the boundaries and of the shares stripped there, by quantiles."""
    rows = []
    for name, level in product(BOUNDARIES, T):
        kind, _, branch = name.rpartition(" ")
        at = int(np.searchsorted(found.T, level))
        x = found.x(kind)[:, 0 if branch == "alpha" else 1, at]
        row = {"T": level, "boundary": name, "share_with_gap": found.gap[kind.split()[0]][at]}
        # Only what lies ahead of the alloy is reached; where draws have no gap it is missing.
        q = stripped_share(x0, np.where(x > x0, x, 1.0))
        for quantile, end, share in zip(NAMES, x, q, strict=True):
            row |= {f"x_{quantile}": end, f"q_{quantile}": share if end > x0 else np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def map_rows(alloy: Alloy, T: Array) -> tuple[Array, float]:
    """Temperatures of the map, which shows all of a study, and that from which on is liquid."""
    rows = np.linspace(min(MAP_T[0], T.min()), max(MAP_T[1], T.max()), _MAP_ROWS)
    melting = melting_point(alloy, MAP_X[0], rows[0], rows[-1])
    if melting is None:
        return rows, np.inf
    # Its row just below, and the first with liquid.
    return np.union1d(rows, melting + np.array([-1, 1]) * MELTING_ERROR), melting


def chart(alloy: Alloy, T: Array) -> pd.DataFrame:
    """One row a temperature: boundaries, and between which compositions liquid is present."""
    rows, melting = map_rows(alloy, T)
    table = pd.DataFrame({"T": rows, **named(curve_ends(alloy, rows))})
    if alloy.liquid is not None:
        hot = rows > melting
        for i, ends in enumerate(liquid_ranges(alloy, rows[hot]).transpose(1, 2, 0)):
            further = f" {i + 1}" if i else ""
            table.loc[hot, [f"liquid from{further}", f"liquid to{further}"]] = ends.T
    return table


def spread(alloy: Alloy, T: Array, draws: tuple[Database, ParameterDraws]) -> Bands:
    """Where draws put the boundaries, at the temperatures of a study and over the map."""
    rows, melting = map_rows(alloy, T)
    return bands(*draws, np.unique([*rows[::5], *rows[rows < melting][-1:], *T]))
