"""Tables of an anode: windows, depths, potentials, waves, sizes, the map, how sure they are."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lina_calphad.anode.charge import Depth, molar_volume
from lina_calphad.anode.cycling import CycleProfile, cycle, cycle_profile
from lina_calphad.anode.diffusion import DepthProfile, depth_profile
from lina_calphad.anode.melting import MELTING_ERROR, liquid_ranges, melting_point
from lina_calphad.anode.phases import phases
from lina_calphad.anode.potential import hysteresis, potential
from lina_calphad.anode.side_by_side import verdicts
from lina_calphad.anode.stripping import (
    initial_composition,
    stripped_composition,
    stripped_share,
)
from lina_calphad.anode.windows import (
    BOUNDARIES,
    REGIONS,
    Regions,
    classify,
    curve_ends,
    named,
    regions,
)
from lina_calphad.errors import NoMiscibilityGap, OutsideAssessedRange
from lina_calphad.phase import kinetics
from lina_calphad.phase.bands import NAMES, Bands, bands
from lina_calphad.phase.kinetics import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lina_calphad.anode.summary import Study
    from lina_calphad.checks import Array
    from lina_calphad.diagram.alloy import Alloy

#: Times of the table of coarsening, in s.
TIMES = {
    "1 hour": 3600.0, "1 day": 86400.0, "1 week": 604800.0, "30 days": 2.592e6,
    "1 year": 3.15576e7, "10 years": 3.15576e8,
}  # fmt: skip

#: Temperatures in K and compositions that the map shows; SGTE's unaries begin at 200 K.
MAP_T = (200.0, 400.0)
MAP_X = (1e-6, 0.9999)
#: Mole fraction of Na up to which potentials are tabled.
VOLTAGE_END = 0.9999
_MAP_ROWS = 201
_VOLTAGES = 200
_WAVES = expit(np.linspace(-12, 12, 121))  # of a spinodal; close where the wavelength diverges
_NEIGHBOURS = (0.1, 1.0, 10.0)  # factors of a diffusivity that is known to an order of magnitude


def start(study: Study) -> Regions:
    """Region of the alloy before stripping at each temperature."""
    return regions(study.x0, study.T, study.description)


def compared(study: Study) -> pd.DataFrame:
    """What each assessment says."""
    return verdicts(study.x0, study.T, [study.description, *study.others])


def windows(study: Study) -> pd.DataFrame:
    """One row a temperature and range of composition, from pure Li to pure Na."""
    alloy, T, rows = study.description, study.T, []
    ends = curve_ends(alloy, T)
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


def crossed(study: Study) -> pd.DataFrame:
    """The path with the potential at each boundary."""
    rows = study.path.to_dataframe()
    E = potential(rows["x"], rows["T"], study.description).to_dataframe()
    return rows.join(E.drop(columns=["T", "x"]))


def loop(study: Study) -> pd.DataFrame:
    """Between which potentials stripping and plating lie."""
    return hysteresis(study.T, study.description)


def at_depths(study: Study) -> pd.DataFrame:
    """One row a temperature and depth: what the anode is there, and what starts to unmix there.

    `x0_wanted` is the alloy that enters the coherent spinodal at that depth, or `reason` why
    there is none; `porosity` is that of a body whose lattice does not collapse.
    """
    alloy, foil, rows = study.description, study.path.foil, []
    given: dict[str, Any] = {"thickness": study.thickness, "density": study.density}
    for depth in study.depths:
        share, left = foil.share(depth), foil.left(foil.share(depth))
        x = stripped_composition(study.x0, share)
        found = regions(x, study.T, alloy)
        volts = potential(x, study.T, alloy).to_dataframe()
        for i, level in enumerate(study.T.tolist()):
            reason = f"there is no coherent spinodal at {level:g} K"
            try:
                x0 = float(initial_composition(depth, level, source=alloy, **given))
            except OutsideAssessedRange as error:
                x0, reason = np.nan, str(error)
            row: dict[str, Any] = {"T": level, "depth": str(depth), "q": share[i]}
            row["capacity_mAh_per_g"] = share[i] * foil.per_gram[i]
            if foil.thickness is not None:
                row["capacity_mAh_per_cm2"] = share[i] * foil.per_area[i]
                row["thickness_m"] = foil.thickness[i] * left[i]
            row |= {"porosity": 1 - left[i], "x": x[i], "region": str(found.key[i])}
            row |= {str(name): volts[name][i] for name in volts if str(name)[0] == "E"}
            rows.append(row | {"x0_wanted": x0, "reason": reason if np.isnan(x0) else ""})
    return pd.DataFrame(rows).sort_values(["T", "q"], kind="stable", ignore_index=True)


def unmixed(study: Study) -> pd.DataFrame:
    """Phases and their amounts before stripping (depth 0) and at each depth."""
    foil, frames = study.path.foil, []
    for depth in (Depth(0.0), *study.depths):
        share = foil.share(depth)
        found = phases(stripped_composition(study.x0, share), study.T, study.description)
        points = found.pop("point")
        frames.append(found.assign(depth=str(depth), q=share[points]))
    return pd.concat(frames, ignore_index=True)


def voltage(study: Study) -> pd.DataFrame:
    """Potential of each state along stripping, finely over composition; bands with draws."""
    grid = expit(np.linspace(logit(study.x0), logit(VOLTAGE_END), _VOLTAGES))
    even = stripped_composition(study.x0, np.linspace(0, 0.99, 100))
    x = np.unique(np.concatenate([grid, even]))
    x = x[(study.x0 <= x) & (x <= max(VOLTAGE_END, study.x0))]
    T, x = (a.ravel() for a in np.meshgrid(study.T, x, indexing="ij"))
    found = potential(x, T, study.description, draws=study.draws).to_dataframe()
    q = stripped_share(study.x0, found["x"])
    row = np.searchsorted(np.sort(study.T), found["T"])
    order = np.argsort(study.T)[row]
    found.insert(2, "q", q)
    found.insert(3, "capacity_mAh_per_g", q * study.path.foil.per_gram[order])
    if study.thickness is not None:
        found.insert(4, "capacity_mAh_per_cm2", q * study.path.foil.per_area[order])
    return found


def interface(study: Study) -> pd.DataFrame:
    """Potential at the interface at a current, and what it has over that of the mean."""
    frames = []
    for profile in study.profiles:
        mean = stripped_composition(profile.x0, profile.q)
        # Where all Li has gone there is no potential.
        surface, mean = (np.minimum(x, 1 - 1e-12) for x in (profile.x[:, -1], mean))
        here, slow = (potential(x, profile.T, study.description).to_dataframe()
                      for x in (surface, mean))  # fmt: skip
        volts = [str(name) for name in here if str(name)[0] == "E"]
        over = {f"over_{name[2:]}": here[name] - slow[name] for name in volts}
        left = {"q": profile.q, "t_s": profile.t, "x_mean": mean}
        frame = here.rename(columns={"x": "x_interface"}).assign(**left, **over)
        frames.append(frame.mask(frame["x_interface"] >= 1 - 1e-12, other=np.nan)
                      .assign(T=profile.T, **left, x_interface=profile.x[:, -1]))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _runs(study: Study) -> Iterator[tuple[tuple[float, float, float, Alloy], float]]:
    """Temperature, current, thickness and alloy of each profile, and its diffusivity."""
    if study.current is not None and study.thickness is not None:
        for T, current, D in zip(study.T, study.current, study.diffusivity, strict=True):
            yield (float(T), float(current), study.thickness, study.description), float(D)


def profiles(study: Study) -> tuple[DepthProfile, ...]:
    """Depth profile at each temperature; empty without a current."""
    found = []
    for i, (run, D) in enumerate(_runs(study)):
        shares = None if study.stripped is None else np.linspace(0, study.stripped[i], 11)
        found.append(depth_profile(study.x0, *run, q=shares, diffusivity=D))
    return tuple(found)


def cycles(study: Study) -> pd.DataFrame | None:
    """What a slow cycle runs through; None without one."""
    if study.cycled is None:
        return None
    each = zip(study.T.tolist(), study.cycled.tolist(), strict=True)
    frames = [cycle(study.x0, T, study.description, low=a, high=b) for T, (a, b) in each]
    return pd.concat(frames, ignore_index=True)


def cycle_profiles(study: Study) -> tuple[CycleProfile, ...]:
    """Depth profiles over two cycles at each temperature; empty without a current."""
    if study.cycled is None:
        return ()
    return tuple(
        cycle_profile(study.x0, *run, low=low, high=high, rest=study.rest, diffusivity=D)
        for (run, D), (low, high) in zip(_runs(study), study.cycled, strict=False)
    )


def sensitivity(study: Study) -> pd.DataFrame | None:
    """When both sides enter the coherent spinodal, and the end, by diffusivity."""
    rows = []
    for (run, own), factor in product(_runs(study), _NEIGHBOURS):
        try:
            found = depth_profile(study.x0, *run, diffusivity=factor * own)
        except ValueError:  # beyond what the profile resolves
            continue
        near, far = found.crossings["coherent spinodal alpha"]
        rows.append(
            {"T": run[0], "diffusivity": factor * own, "q_interface": near, "q_collector": far}
            | {"q_exhausted": found.exhausted_at}
        )
    return pd.DataFrame(rows) if study.current is not None else None


def gradient_energies(study: Study) -> list[Estimate]:
    """Of pairs of neighbours at each temperature."""
    found, basis = [], "pairs of nearest neighbours, Cahn & Hilliard 1958"
    for level in study.T:
        volume = molar_volume(study.description, np.array(0.0), level)
        distance = kinetics.neighbour_distance(volume)
        kappa = float(kinetics.gradient_energy(study.description.chemical, level, distance))
        found.append(Estimate(f"gradient energy at {level:g} K", kappa, "J m²/mol", basis))
    return found


def waves(study: Study) -> pd.DataFrame:
    """Waves over both spinodals at each temperature."""
    frames = []
    each = zip(study.T, study.diffusivity, gradient_energies(study), strict=True)
    for (level, D, kappa), kind in product(each, study.description.solutions):
        solution = study.description.solutions[kind]
        low, high = solution.ends("spinodal", level)
        if not np.isnan(low):
            x = low + (high - low) * _WAVES
            wave = kinetics.fastest_wave(solution, x, level, kappa.value, D)
            frames.append(wave.to_dataframe().assign(kind=kind))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def sizes(study: Study) -> pd.DataFrame:
    """Sizes after each of `TIMES`: in bulk, along interfaces, and through either solution."""
    rows: list[dict[str, Any]] = []
    for level, D in zip(study.T, study.diffusivity, strict=True):
        try:
            gap = study.description.chemical.binodal(level)
        except NoMiscibilityGap:
            continue
        for through, law, x in (
            ("both phases", "bulk", None),
            ("interfaces", "interface", None),
            ("Li-rich matrix", "dilute", float(np.exp(gap.ln_x_alpha))),
            ("Na-rich matrix", "dilute", float(np.exp(gap.ln_one_minus_x_beta))),
        ):
            found = kinetics.coarsening(list(TIMES.values()), x or 1.0, diffusivity=D)
            row = {"T": level, "through": through, "law": law, "solubility": x}
            row["micrometre_s"] = float(kinetics.time_to_reach(1e-6, law, x, diffusivity=D))
            pairs = zip(found.t, found.size[law], strict=True)
            rows += [row | {"t_s": t, "size_m": size} for t, size in pairs]
    return pd.DataFrame(rows)


def uncertainty(study: Study) -> pd.DataFrame | None:
    """What draws make of the boundaries and of the shares stripped there; None without draws."""
    x0, found, rows = study.x0, study.spread, []
    if found is None:
        return None
    for name, level in product(BOUNDARIES, study.T):
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


def map_rows(alloy: Alloy, T: Array, count: int = _MAP_ROWS) -> tuple[Array, float]:
    """Temperatures of the map, which shows all of a study, and that from which on is liquid."""
    rows = np.linspace(min(MAP_T[0], T.min()), max(MAP_T[1], T.max()), count)
    melting = melting_point(alloy, MAP_X[0], rows[0], rows[-1])
    if melting is None:
        return rows, np.inf
    # Its row just below, and the first with liquid.
    return np.union1d(rows, melting + np.array([-1, 1]) * MELTING_ERROR), melting


def chart(study: Study) -> pd.DataFrame:
    """For the map: boundaries over temperature, and between which compositions is liquid."""
    return chart_of(study.description, study.T)


def chart_of(alloy: Alloy, T: Array, count: int = _MAP_ROWS) -> pd.DataFrame:
    """The same of any alloy: one row a temperature."""
    rows, melting = map_rows(alloy, T, count)
    table = pd.DataFrame({"T": rows, **named(curve_ends(alloy, rows))})
    if alloy.liquid is not None:
        hot = rows > melting
        for i, ends in enumerate(liquid_ranges(alloy, rows[hot]).transpose(1, 2, 0)):
            further = f" {i + 1}" if i else ""
            table.loc[hot, [f"liquid from{further}", f"liquid to{further}"]] = ends.T
    return table


def spread(study: Study) -> Bands | None:
    """Where draws put the boundaries, at the temperatures of a study and over the map."""
    if not study.draws:
        return None
    rows, melting = map_rows(study.description, study.T)
    return bands(*study.draws, np.unique([*rows[::5], *rows[rows < melting][-1:], *study.T]))
