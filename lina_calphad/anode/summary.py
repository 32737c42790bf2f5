"""One anode from every side: windows, stripping path, depth profiles, length and time as tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lina_calphad.anode.boundaries import BOUNDARIES, curve_ends, named_boundaries
from lina_calphad.anode.diffusion import DepthProfile, depth_profile
from lina_calphad.anode.stripping import (
    StrippingPath,
    initial_composition,
    molar_volume,
    stripped_share,
    stripping_path,
)
from lina_calphad.anode.windows import REGIONS, Regions, classify, describe, regions
from lina_calphad.errors import NoMiscibilityGap
from lina_calphad.gap import temperatures
from lina_calphad.kinetics import (
    CAPILLARY_LENGTH,
    DIFFUSIVITY,
    LAWS,
    Estimate,
    coarsening,
    fastest_wave,
    gradient_energy,
    neighbour_distance,
    time_to_reach,
)
from lina_calphad.uncertainty import NAMES, bands

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.curves import Array
    from lina_calphad.draws import ParameterDraws
    from lina_calphad.quantities import Description
    from lina_calphad.sources import Source

#: Times of the table of coarsening, in s.
TIMES = {
    "1 hour": 3600.0, "1 day": 86400.0, "1 week": 604800.0, "30 days": 2.592e6,
    "1 year": 3.15576e7, "10 years": 3.15576e8,
}  # fmt: skip
#: Shares of the Li stripped at which alloys are described.
SHARES = (0.25, 0.5, 0.75, 0.9)

_MAP_T = (200.0, 400.0)  # in K; SGTE's unaries begin at 200 K
_MAP_X = expit(np.linspace(logit(1e-6), logit(0.9999), 301))
_MAP_ROWS = 201
_WAVES = 60  # compositions in a spinodal


@dataclass(frozen=True, eq=False)
class Study:
    """What there is to know of an anode of one composition.

    Parameters
    ----------
    description
        The assessment.
    x0, T
        Mole fraction of Na before stripping, and temperatures in K, shape (n,).
    start
        Region of the alloy before stripping at each temperature.
    path
        Its stripping path at each temperature.
    windows
        Table of the ranges of composition of the regions.
    starts
        Table of the compositions that enter the coherent spinodal at a share stripped.
    profiles
        Depth profile at each temperature; empty without a current.
    waves
        Table of the fastest-growing waves over the spinodals.
    sizes
        Table of coarsening over time.
    uncertainty
        Table of what draws of the parameters make of the path; None without draws.
    field
        Regions over composition (columns) and temperature (rows), for a figure.
    estimates
        Inputs that nobody measured for this purpose.
    """

    description: Description
    x0: float
    T: Array
    start: Regions
    path: StrippingPath
    windows: pd.DataFrame
    starts: pd.DataFrame
    profiles: tuple[DepthProfile, ...]
    waves: pd.DataFrame
    sizes: pd.DataFrame
    uncertainty: pd.DataFrame | None
    field: Regions
    estimates: tuple[Estimate, ...]

    def __repr__(self) -> str:
        levels = ", ".join(f"{T:g}" for T in self.T)
        return f"<Study of {self.description.name} from x0 = {self.x0:g} at {levels} K>"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by the name of its file."""
        found = {
            "windows": self.windows, "path": self.path.to_dataframe(), "starts": self.starts,
            "map": _map_table(self.field), "waves": self.waves, "coarsening": self.sizes,
            "estimates": pd.DataFrame([asdict(estimate) for estimate in self.estimates]),
        }  # fmt: skip
        if self.profiles:
            for name, table in (("profile", "to_dataframe"), ("crossings", "crossings_dataframe")):
                parts = [getattr(p, table)().assign(T=p.T) for p in self.profiles]
                found[name] = pd.concat(parts, ignore_index=True)
        if self.uncertainty is not None:
            found["uncertainty"] = self.uncertainty
        return found

    def to_dict(self) -> dict[str, Any]:
        """Input and every table but that of the map and the depths, for JSON; None for missing."""
        tables = {name: t for name, t in self.tables().items() if name not in ("map", "profile")}
        return {
            "assessment": self.description.name,
            "x0": self.x0,
            "T": self.T.tolist(),
            "region": self.start.key.tolist(),
            "exhausted_at": [profile.exhausted_at for profile in self.profiles],
            **{n: t.astype(object).where(t.notna(), None).to_dict("records")
               for n, t in tables.items()},
        }  # fmt: skip


def study(
    x0: float,
    T: ArrayLike = 300.0,
    source: Source | Database | Description = "santos2025",
    *,
    thickness: float | None = None,
    density: float | None = None,
    current_density: float | None = None,
    stripped: float | None = None,
    diffusivity: float = DIFFUSIVITY.value,
    draws: tuple[Database, ParameterDraws] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Study:
    """Study an anode: what `lina-calphad anode` prints and writes.

    Parameters
    ----------
    x0
        Mole fraction of Na before stripping, between 0 and 1.
    T
        Temperature in K, or some.
    source
        As of `describe`.
    thickness, density
        As of `stripping_path`.
    current_density
        In A/m², with a thickness: depth profiles are computed.
    stripped
        Share of the Li at which these end; where the interface is exhausted if None.
    diffusivity
        In m²/s.
    draws
        As of `regions`; what they make of the path is added.
    progress
        Called with what comes next.

    Raises
    ------
    SurfaceExhausted
        If the interface is pure Na before the share `stripped`.
    OutsideAssessedRange
        If liquid forms on the way from x0 to pure Na.
    ValueError
        If a number is out of its range, or there is a current and no thickness.
    UnknownAssessment, DatabaseError, ElasticDataError
        As `describe`.

    Examples
    --------
    >>> found = study(0.03, 300.0)
    >>> found
    <Study of santos2025 from x0 = 0.03 at 300 K>
    >>> found.windows[["region", "x_from", "x_to"]].head(3).round(5)
            region   x_from     x_to
    0       single  0.00000  0.00003
    1         held  0.00003  0.00386
    2   nucleation  0.00386  0.03569
    """
    if current_density is not None and thickness is None:
        msg = "a depth profile needs the thickness of the foil beside the current density"
        raise ValueError(msg)
    progress("stripping path")
    description = describe(source)
    T = np.atleast_1d(temperatures(T)).ravel()
    path = stripping_path(x0, T, description, thickness=thickness, density=density)
    profiles = []
    if current_density is not None and thickness is not None:
        shares = None if stripped is None else np.linspace(0, stripped, 11)
        for level in T:
            progress(f"depth profile at {level:g} K")
            profiles.append(
                depth_profile(
                    x0, level, current_density, thickness, description,
                    diffusivity=diffusivity, q=shares,
                )
            )  # fmt: skip
    progress("length and time")
    waves, kappa = _waves(description, T, diffusivity)
    sizes = _sizes(description, T, diffusivity)
    uncertainty = None
    if draws:
        progress("draws of the parameters")
        uncertainty = _uncertainty(float(x0), T, draws)
    progress("map")
    rows = np.linspace(min(_MAP_T[0], T.min()), max(_MAP_T[1], T.max()), _MAP_ROWS)
    return Study(
        description, float(x0), T, regions(x0, T, description), path, _windows(description, T),
        _starts(description, T), tuple(profiles), waves, sizes, uncertainty,
        regions(_MAP_X, rows[:, None], description), (*_inputs(diffusivity), *kappa),
    )  # fmt: skip


def _windows(description: Description, T: Array) -> pd.DataFrame:
    """One row a temperature and range of composition, from pure Li to pure Na."""
    rows = []
    for level in T:
        ends = curve_ends(description, level)
        crossed = np.ma.stack(list(named_boundaries(ends).values())).compressed()
        edges = [0.0, *np.sort(crossed).tolist(), 1.0]
        codes = classify(np.array(edges[:-1]), ends)
        codes[0] = 0  # pure Li, however small the solubility
        rows += [
            {"T": level, "region": REGIONS[i].key, "name": REGIONS[i].name, "x_from": a, "x_to": b}
            for i, a, b in zip(codes, edges[:-1], edges[1:], strict=True)
        ]
    return pd.DataFrame(rows)


def _starts(description: Description, T: Array) -> pd.DataFrame:
    """Initial composition whose coherent spinodal is entered at a share stripped."""
    q = np.array(SHARES)
    x0 = initial_composition(q, T[:, None], "coherent_spinodal", description)
    return pd.DataFrame(
        {
            "T": np.repeat(T, q.size),
            "q": np.tile(q, T.size),
            "x0": np.ma.filled(x0, np.nan).ravel(),
        }
    )


def _waves(
    description: Description, T: Array, diffusivity: float
) -> tuple[pd.DataFrame, list[Estimate]]:
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
            x = np.linspace(float(ends.x_alpha), float(ends.x_beta), _WAVES + 2)[1:-1]
            wave = fastest_wave(solution, x, level, kappa, diffusivity)
            frames.append(wave.to_dataframe().assign(kind=kind))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(), kappas


def _sizes(description: Description, T: Array, diffusivity: float) -> pd.DataFrame:
    """Sizes after each of `TIMES`, and the time after which a micrometre is reached."""
    frames = []
    for level in T:
        try:
            ends = description.chemical.binodal(level)
        except NoMiscibilityGap:
            continue
        # Through the phase that dissolves more: the faster way.
        x = np.exp(max(float(ends.ln_x_alpha), float(ends.ln_one_minus_x_beta)))
        found = coarsening(list(TIMES.values()), x, diffusivity=diffusivity)
        table = found.to_dataframe().assign(T=level, solubility=x)
        for law in LAWS:
            table[f"{law}_1um_s"] = float(time_to_reach(1e-6, law, x, diffusivity=diffusivity))
        frames.append(table)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _uncertainty(x0: float, T: Array, draws: tuple[Database, ParameterDraws]) -> pd.DataFrame:
    """What draws make of the boundaries and of the shares stripped there, by quantiles."""
    found = bands(*draws, T)
    rows = []
    for name in BOUNDARIES:
        kind, _, branch = name.rpartition(" ")
        x = found.x(kind)[:, 0 if branch == "alpha" else 1]  # quantiles by temperature
        for i, level in enumerate(T):
            row = {"T": level, "boundary": name, "share_with_gap": found.gap[kind.split()[0]][i]}
            for quantile, at in zip(NAMES, x[:, i], strict=True):
                # Ahead of the alloy; where draws have no gap it may be missing.
                ahead = x0 < at < 1
                share = float(stripped_share(x0, at)) if ahead else np.nan
                row |= {f"x_{quantile}": at, f"q_{quantile}": share}
            rows.append(row)
    return pd.DataFrame(rows)


def _map_table(field: Regions) -> pd.DataFrame:
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


def _inputs(diffusivity: float) -> tuple[Estimate, Estimate]:
    given = Estimate("diffusivity", diffusivity, "m²/s", "as given")
    return DIFFUSIVITY if diffusivity == DIFFUSIVITY.value else given, CAPILLARY_LENGTH
