"""One anode from every side: what a study is asked, and every table that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pycalphad import Database

from lina_calphad.anode import tables
from lina_calphad.anode.charge import CRate, Depth
from lina_calphad.anode.stripping import StrippingPath, stripping_path
from lina_calphad.anode.windows import curve_ends, describe, source_first
from lina_calphad.checks import Array, kelvin
from lina_calphad.data.assessments import PREFERRED, Source
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import OutsideAssessedRange
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.kinetics import (
    CAPILLARY_LENGTH,
    DIFFUSIVITY,
    DIFFUSIVITY_STATED,
    Arrhenius,
    Estimate,
)

#: Shares of the Li stripped for which initial compositions are sought, if none are asked for.
DEPTHS = (0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, eq=False)
class Study:
    """What there is to know of an anode of one composition.

    Its tables are made when asked for, by the functions of `lina_calphad.anode.tables`.

    Parameters
    ----------
    description
        The assessment.
    x0, T
        Mole fraction of Na before stripping, and temperatures in K, shape (n,).
    path
        Its stripping path at each temperature.
    density, depths, draws
        As of `study`.
    current
        In A/m² at each temperature; None if not given.
    stripped, cycled
        Shares of the Li at which depth profiles end, and between which the anode is cycled, at
        each temperature; None if not given.
    rest
        In s, after each step of a cycle.
    diffusivity
        In m²/s at each temperature.
    law
        What it comes from, as given.
    others
        Assessments to compare with.
    asked
        Whether depths were asked for.
    """

    description: Alloy
    x0: float
    T: Array
    path: StrippingPath
    density: float | None
    depths: tuple[Depth, ...]
    draws: tuple[Database, ParameterDraws] | None
    current: Array | None
    stripped: Array | None
    cycled: Array | None
    rest: float
    diffusivity: Array
    law: float | Arrhenius | None
    others: tuple[Alloy, ...]
    asked: bool

    def __repr__(self) -> str:
        levels = ", ".join(f"{T:g}" for T in self.T)
        return f"<Study of {self.description.name} from x0 = {self.x0:g} at {levels} K>"

    @property
    def thickness(self) -> float | None:
        """Of the foil before stripping in m."""
        foil = self.path.foil.thickness
        return None if foil is None else float(foil.flat[0])

    start = cached_property(tables.start)
    verdicts = cached_property(tables.compared)
    windows = cached_property(tables.windows)
    crossed = cached_property(tables.crossed)
    at_depths = cached_property(tables.at_depths)
    phases = cached_property(tables.unmixed)
    voltage = cached_property(tables.voltage)
    hysteresis = cached_property(tables.loop)
    profiles = cached_property(tables.profiles)
    interface = cached_property(tables.interface)
    sensitivity = cached_property(tables.sensitivity)
    cycles = cached_property(tables.cycles)
    cycle_profiles = cached_property(tables.cycle_profiles)
    waves = cached_property(tables.waves)
    sizes = cached_property(tables.sizes)
    spread = cached_property(tables.spread)
    uncertainty = cached_property(tables.uncertainty)
    chart = cached_property(tables.chart)

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Inputs that nobody measured for this purpose."""
        given = DIFFUSIVITY.basis if self.law is None else "as given"
        if isinstance(self.law, Arrhenius):
            D = [Estimate(f"diffusivity at {T:g} K", float(each), "m²/s", f"{given}: {self.law}")
                 for T, each in zip(self.T, self.diffusivity, strict=True)]  # fmt: skip
        else:
            D = [Estimate("diffusivity", float(self.diffusivity[0]), "m²/s", given)]
        return (*D, CAPILLARY_LENGTH, *tables.gradient_energies(self))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the numbers do not know, what matters most first."""
        return tuple(_notes(self))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by the name of its file."""
        return {**self._tables(), "map": self.chart}

    def _tables(self) -> dict[str, pd.DataFrame]:
        """All but that of the map, which takes longest."""
        found: dict[str, pd.DataFrame | None] = {
            "assessments": self.verdicts, "windows": self.windows, "path": self.crossed,
            "depths": self.at_depths, "phases": self.phases, "voltage": self.voltage,
            "hysteresis": self.hysteresis, "waves": self.waves, "coarsening": self.sizes,
            "estimates": pd.DataFrame([asdict(estimate) for estimate in self.estimates]),
            "sensitivity": self.sensitivity, "uncertainty": self.uncertainty, "cycle": self.cycles,
        }  # fmt: skip
        if self.profiles:
            for name, table in (("profile", "to_dataframe"), ("crossings", "crossings_dataframe")):
                parts = [getattr(p, table)().assign(T=p.T) for p in self.profiles]
                found[name] = pd.concat(parts, ignore_index=True)
            found["interface"] = self.interface
        if self.cycle_profiles:
            parts = [p.to_dataframe() for p in self.cycle_profiles]
            found["cycle_profile"] = pd.concat(parts, ignore_index=True)
        return {name: table for name, table in found.items() if table is not None}

    def to_dict(self) -> dict[str, Any]:
        """Input and every table but those of curves and depths, for JSON; None for missing."""
        tables = self._tables()
        for name in ("profile", "voltage", "cycle_profile"):
            tables.pop(name, None)
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
    source: Source | Database | Alloy = PREFERRED,
    *,
    thickness: float | None = None,
    density: float | None = None,
    current_density: float | CRate | None = None,
    stripped: float | Depth | None = None,
    cycled: tuple[float | Depth, float | Depth] | None = None,
    rest: float = 0.0,
    diffusivity: float | Arrhenius | None = None,
    depths: Sequence[float | Depth] = (),
    draws: tuple[Database, ParameterDraws] | None = None,
    others: Sequence[Source | Alloy] = (),
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
        In A/m², or a `CRate`, with a thickness: depth profiles are computed.
    stripped
        Share of the Li, or `Depth`, at which these end; where the interface is exhausted if None.
    cycled
        Two depths between which Li is stripped and plated, as of `cycle`.
    rest
        In s, after each step of a cycle at a current.
    diffusivity
        In m²/s, or over temperature; the paper's order of magnitude if None.
    depths
        Depths of stripping at which the anode is described, and for which the composition is
        sought that enters the coherent spinodal there; `DEPTHS` if none.
    draws
        As of `regions`; what they make of path and potential is added.
    others
        Sources to compare with, as of `verdicts`.
    progress
        Called with what comes next.

    Raises
    ------
    SurfaceExhausted
        If the interface is pure Na before the depth `stripped`.
    OutsideAssessedRange
        If liquid forms on the way from x0 to pure Na, or it is so cold that a solubility is
        below 1e-15 and the tables cannot show it.
    ValueError
        If a number is out of its range, a depth beyond all the Li, or there is a current and no
        thickness.
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
        raise ValueError(
            "a depth profile needs the thickness of the foil beside the current density"
        )
    progress("stripping path")
    alloy = describe(source)
    T = np.atleast_1d(kelvin(T)).ravel()
    _refuse_cold(alloy, T)
    path = stripping_path(x0, T, alloy, thickness=thickness, density=density)

    def share(depth: float | Depth) -> Array:
        given = depth if isinstance(depth, Depth) else Depth(float(depth))
        return path.foil.share(given)

    current = None
    if current_density is not None:
        one = float(current_density)
        # mAh/cm² in an hour are ten times as many A/m².
        hour = 10 * path.foil.per_area if isinstance(current_density, CRate) else np.ones(T.shape)
        current = one * hour
    wanted = tuple(d if isinstance(d, Depth) else Depth(float(d)) for d in depths or DEPTHS)
    for depth in wanted:
        if (share(depth) == 1).any():
            raise ValueError(
                "all Li is stripped at q = 1, whatever the alloy was; give a depth below"
            )
    D = np.full(T.shape, DIFFUSIVITY.value) if diffusivity is None else (
        diffusivity(T) if isinstance(diffusivity, Arrhenius) else np.full(T.shape, diffusivity)
    )  # fmt: skip
    found = Study(
        alloy, float(x0), T, path, density, wanted, draws, current,
        None if stripped is None else share(stripped),
        None if cycled is None else np.stack([share(depth) for depth in cycled], axis=-1),
        rest, D, diffusivity, tuple(map(describe, others)), bool(depths),
    )  # fmt: skip
    # What can fail does so here.
    for what in ("profiles", "cycles", "cycle_profiles"):
        progress(what.replace("_", " "))
        getattr(found, what)
    return found


def _refuse_cold(alloy: Alloy, T: Array) -> None:
    """OutsideAssessedRange where a boundary cannot be told from a pure element."""
    at = np.concatenate(list(curve_ends(alloy, T).values()))
    cold = ((at < 1e-300) | (at > 1 - 1e-15)).any(axis=0)
    if cold.any():
        raise OutsideAssessedRange(
            f"at {T[cold][0]:g} K a solubility is below 1e-15, too small for these tables; "
            "regions and stripping_path of lina_calphad.anode go further"
        )


def _notes(study: Study) -> Iterator[str]:
    """What the numbers do not know, as far as it concerns this study."""
    alloy, T = study.description, study.T
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
    if study.thickness is not None and study.density is None:
        yield (
            "areal charges are of the molar volumes of the database; the shipped ones are of 0 K, "
            "which makes charges some 8 % too high at room temperature: give a density"
        )
    yield (
        "a potential is that of equilibrium at the composition of the interface: what a cell "
        "shows has ohmic and interface losses on top"
    )
    if study.profiles:
        yield _thermodynamic_factor(alloy, study.x0, float(T[0]))
    yield (
        "laws of coarsening are good to a factor of order one, and diffusion along interfaces "
        "may be much faster. The paper concludes that patterns stay below 1 µm even after "
        "extended times: here that holds for days by its first law, for years by the others; the "
        "scaffold seen after stripping measures some 10 µm"
    )
    low, high = DIFFUSIVITY_STATED
    if study.law is None and ((low > T) | (high < T)).any():
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
