"""One anode from every side: windows, stripping path, depth profiles, length and time as tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lina_calphad.anode import tables
from lina_calphad.anode.diffusion import DepthProfile, depth_profile
from lina_calphad.anode.stripping import StrippingPath, stripping_path
from lina_calphad.anode.windows import Regions, curve_ends, describe, regions, source_first
from lina_calphad.checks import kelvin, within
from lina_calphad.errors import OutsideAssessedRange
from lina_calphad.phase.kinetics import (
    CAPILLARY_LENGTH,
    DIFFUSIVITY,
    DIFFUSIVITY_STATED,
    Estimate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike
    from pycalphad import Database

    from lina_calphad.checks import Array
    from lina_calphad.data.assessments import Source
    from lina_calphad.diagram.alloy import Alloy
    from lina_calphad.phase.bands import Bands
    from lina_calphad.phase.draws import ParameterDraws

#: Shares of the Li stripped for which initial compositions are sought.
DEPTHS = (0.25, 0.5, 0.75, 0.9)


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
    density
        In kg/m³, if given.
    path
        Its stripping path at each temperature.
    windows
        Table of the ranges of composition of the regions.
    starts
        Table of the compositions that enter the coherent spinodal at a share stripped.
    profiles
        Depth profile at each temperature; empty without a current.
    sensitivity
        Table of what ten times less and more diffusivity make of them; None without a current.
    waves
        Table of the fastest-growing waves over the spinodals.
    sizes
        Table of coarsening over time.
    uncertainty
        Table of what draws of the parameters make of the path; None without draws.
    spread
        Where the draws put the boundaries over temperature; None without draws.
    estimates
        Inputs that nobody measured for this purpose.
    notes
        What the numbers do not know.
    """

    description: Alloy
    x0: float
    T: Array
    start: Regions
    density: float | None
    path: StrippingPath
    windows: pd.DataFrame
    starts: pd.DataFrame
    profiles: tuple[DepthProfile, ...]
    sensitivity: pd.DataFrame | None
    waves: pd.DataFrame
    sizes: pd.DataFrame
    uncertainty: pd.DataFrame | None
    spread: Bands | None
    estimates: tuple[Estimate, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        levels = ", ".join(f"{T:g}" for T in self.T)
        return f"<Study of {self.description.name} from x0 = {self.x0:g} at {levels} K>"

    @cached_property
    def chart(self) -> pd.DataFrame:
        """For the map: boundaries over temperature, and between which compositions is liquid."""
        return tables.chart(self.description, self.T)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by the name of its file."""
        return {**self._tables(), "map": self.chart}

    def _tables(self) -> dict[str, pd.DataFrame]:
        """All but that of the map, which takes longest."""
        found = {
            "windows": self.windows, "path": self.path.to_dataframe(), "starts": self.starts,
            "waves": self.waves, "coarsening": self.sizes,
            "estimates": pd.DataFrame([asdict(estimate) for estimate in self.estimates]),
        }  # fmt: skip
        if self.profiles:
            for name, table in (("profile", "to_dataframe"), ("crossings", "crossings_dataframe")):
                parts = [getattr(p, table)().assign(T=p.T) for p in self.profiles]
                found[name] = pd.concat(parts, ignore_index=True)
        for name in ("sensitivity", "uncertainty"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Input and every table but that of the map and the depths, for JSON; None for missing."""
        tables = self._tables()
        tables.pop("profile", None)
        return {
            "assessment": self.description.name,
            "x0": self.x0,
            "T": self.T.tolist(),
            "region": self.start.key.tolist(),
            "notes": self.notes,
            "exhausted_at": [profile.exhausted_at for profile in self.profiles],
            **{n: t.astype(object).where(t.notna(), None).to_dict("records")
               for n, t in tables.items()},
        }  # fmt: skip


@source_first
def study(
    x0: float,
    T: ArrayLike = 300.0,
    source: Source | Database | Alloy = "santos2025",
    *,
    thickness: float | None = None,
    density: float | None = None,
    current_density: float | None = None,
    stripped: float | None = None,
    diffusivity: float = DIFFUSIVITY.value,
    depths: Sequence[float] = DEPTHS,
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
        As of `describe`; it may also come first, as in the command.
    thickness, density
        As of `stripping_path`.
    current_density
        In A/m², with a thickness: depth profiles are computed.
    stripped
        Share of the Li at which these end; where the interface is exhausted if None.
    diffusivity
        In m²/s.
    depths
        Shares of the Li stripped for which the composition is sought that then enters the
        coherent spinodal.
    draws
        As of `regions`; what they make of the path is added.
    progress
        Called with what comes next.

    Raises
    ------
    SurfaceExhausted
        If the interface is pure Na before the share `stripped`.
    OutsideAssessedRange
        If liquid forms on the way from x0 to pure Na, or it is so cold that a solubility is
        below 1e-15 and the tables cannot show it.
    ValueError
        If a number is out of its range, or there is a current and no thickness.
    UnknownAssessment, DatabaseError, ElasticDataError
        As `describe`.

    Examples
    --------
    >>> found = study("santos2025", x0=0.03, T=300.0)
    >>> found
    <Study of santos2025 from x0 = 0.03 at 300 K>
    >>> found.windows[["region", "x_from", "x_to"]].head(3).round(5)
           region   x_from     x_to
    0      single  0.00000  0.00003
    1        held  0.00003  0.00386
    2  nucleation  0.00386  0.03574
    """
    if current_density is not None and thickness is None:
        msg = "a depth profile needs the thickness of the foil beside the current density"
        raise ValueError(msg)
    if stripped is not None:
        within(stripped, (0.0, 1.0), "stripped is a share of the Li")
    progress("stripping path")
    alloy = describe(source)
    T = np.atleast_1d(kelvin(T)).ravel()
    ends = curve_ends(alloy, T)
    _refuse_cold(ends, T)
    path = stripping_path(x0, T, alloy, thickness=thickness, density=density)
    profiles, sensitivity = [], None
    if current_density is not None and thickness is not None:
        given = (current_density, thickness, alloy)
        shares = None if stripped is None else np.linspace(0, stripped, 11)
        for level in T:
            progress(f"depth profile at {level:g} K")
            profiles.append(depth_profile(x0, level, *given, diffusivity=diffusivity, q=shares))
        sensitivity = tables.sensitivity(x0, T, given, diffusivity)
    progress("length and time")
    waves, kappa = tables.waves(alloy, T, diffusivity)
    sizes = tables.sizes(alloy, T, diffusivity)
    spread = None
    if draws:
        progress("draws of the parameters")
        spread = tables.spread(alloy, T, draws)
    inputs = DIFFUSIVITY
    if diffusivity != DIFFUSIVITY.value:
        inputs = Estimate("diffusivity", diffusivity, "m²/s", "as given")
    return Study(
        alloy, float(x0), T, regions(x0, T, alloy), density, path, tables.windows(alloy, T, ends),
        tables.starts(alloy, T, depths), tuple(profiles), sensitivity, waves, sizes,
        None if spread is None else tables.uncertainty(float(x0), T, spread),
        spread, (inputs, CAPILLARY_LENGTH, *kappa),
        tuple(_notes(alloy, float(x0), T, path, density, diffusivity, profiles)),
    )  # fmt: skip


def _refuse_cold(ends: Mapping[str, Array], T: Array) -> None:
    """OutsideAssessedRange where a boundary cannot be told from a pure element."""
    at = np.concatenate(list(ends.values()))
    cold = ((at < 1e-300) | (at > 1 - 1e-15)).any(axis=0)
    if cold.any():
        msg = (
            f"at {T[cold][0]:g} K a solubility is below 1e-15, too small for these tables; "
            "regions and stripping_path of lina_calphad.anode go further"
        )
        raise OutsideAssessedRange(msg)


def _notes(
    alloy: Alloy, x0: float, T: Array, path: StrippingPath, density: float | None,
    diffusivity: float, profiles: Sequence[DepthProfile],
) -> Iterator[str]:  # fmt: skip
    """What the numbers do not know, as far as it concerns this study."""
    if alloy.note:
        yield alloy.note
    yield (
        "coherency is what the elastic data say, the shipped ones being the paper's upper bound; "
        "plasticity relaxes it, down to the chemical boundaries"
    )
    yield (
        "a stripping path is that of a homogeneous solid, stripped slowly; no solid solubility of "
        "Li-Na was ever measured"
    )
    if path.thickness is not None and density is None:
        yield (
            "areal charges are of the molar volumes of the database; the shipped ones are of 0 K, "
            "which makes charges some 8 % too high at room temperature: give a density"
        )
    if profiles:
        yield _thermodynamic_factor(alloy, x0, float(T[0]))
    yield (
        "laws of coarsening are good to a factor of order one, and diffusion along interfaces "
        "may be much faster. The paper concludes that patterns stay below 1 µm even after "
        "extended times: here that holds for days by its first law, for years by the others; the "
        "scaffold seen after stripping measures some 10 µm"
    )
    low, high = DIFFUSIVITY_STATED
    if diffusivity == DIFFUSIVITY.value and ((low > T) | (high < T)).any():
        yield f"the diffusivity was stated for {low:g} to {high:g} K"
    if (tables.MAP_T[0] > T).any():
        yield f"below {tables.MAP_T[0]:g} K the elements are extrapolated: SGTE's data begin there"


def _thermodynamic_factor(alloy: Alloy, x0: float, T: float) -> str:
    """What the diffusivity of a depth profile leaves out."""
    coherent, chemical = (float(s.stability(T, x0)) for s in (alloy.coherent, alloy.chemical))
    smaller = "a real one would be smaller, and the interface run out of Li earlier"
    unmixing = (
        "a negative factor is unmixing, not slow diffusion: the alloy starts in that spinodal"
    )
    # Coherency can only raise the factor.
    what = smaller if chemical > 0 else f"{smaller}; {unmixing}" if coherent > 0 else unmixing
    return (
        "depth profiles take the diffusivity for that of interdiffusion, which is that of tracers "
        f"times the thermodynamic factor, at x0 {coherent:.2f} (coherent) or {chemical:.2f} "
        f"(chemical): {what}. Inside a spinodal the alloy is no longer one solution and the "
        "profile is formal"
    )
