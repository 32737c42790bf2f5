"""Li stripped from a Li-Na anode: when the alloy that stays behind crosses which boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pycalphad import Database

from lina_calphad.anode.charge import SHARE, Depth, Foil, foil
from lina_calphad.anode.melting import refuse_molten
from lina_calphad.anode.windows import (
    BOUNDARIES,
    NAMES,
    classify,
    curve_ends,
    describe,
    keys,
    source_first,
    tidy,
)
from lina_calphad.checks import Array, fraction, kelvin, within
from lina_calphad.data.assessments import PREFERRED, Source
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import OutsideAssessedRange
from lina_calphad.phase.results import span

#: What x0 is, in errors.
ALLOY = "x0, the mole fraction of Na before stripping,"


@dataclass(frozen=True, eq=False)
class StrippingPath:
    """Where a stripped alloy crosses each boundary.

    Every array has the shape to which initial composition and temperature broadcast;
    arrays by boundary (`BOUNDARIES`) are NaN, and `entered` is -1, where it is not crossed.

    Parameters
    ----------
    assessment
        Its name.
    x0, T
        Mole fraction of Na before stripping, and temperature in K.
    start
        Index of the first region in `REGIONS`.
    x, q
        Mole fraction of Na and share of the Li stripped at each boundary.
    entered
        Index of the region entered there.
    foil
        Its charge and size.
    """

    assessment: str
    x0: Array
    T: Array
    start: NDArray[np.intp]
    x: Mapping[str, Array]
    q: Mapping[str, Array]
    entered: Mapping[str, NDArray[np.intp]]
    foil: Foil

    def __repr__(self) -> str:
        if self.x0.size == 0:
            return f"<StrippingPath of {self.assessment} from no composition>"
        low, high = self.x0.min(), self.x0.max()
        start = f"x0 = {low:g}" + (f" to {high:g}" if high > low else "")
        crossed = sum(int(np.isfinite(q).sum()) for q in self.q.values())
        return (
            f"<StrippingPath of {self.assessment} from {start} at {span(self.T)}: "
            f"{crossed} boundaries crossed>"
        )

    @property
    def capacity(self) -> dict[str, Array]:
        """Charge at each boundary in mAh per gram of the alloy before stripping."""
        return {name: q * self.foil.per_gram for name, q in self.q.items()}

    @property
    def areal_capacity(self) -> dict[str, Array]:
        """Charge at each boundary in mAh/cm²; ValueError without a thickness."""
        return {name: q * self.foil.per_area for name, q in self.q.items()}

    def to_dataframe(self) -> pd.DataFrame:
        """One row a point and boundary in the order crossed, the start first."""
        places = {"start": (self.start, self.x0, np.zeros_like(self.x0))}
        places |= {name: (self.entered[name], self.x[name], self.q[name]) for name in BOUNDARIES}
        points = np.arange(self.x0.size).reshape(self.x0.shape)
        frames = []
        for name, (code, x, q) in places.items():
            columns = {"point": points, "assessment": self.assessment, "x0": self.x0, "T": self.T}
            columns |= {"boundary": name, "region": keys(code), "x": x, "q": q}
            frames.append(tidy(columns | self.foil.charges(q)).dropna(subset="q"))
        table = pd.concat(frames, ignore_index=True)
        return table.sort_values(["point", "q"], kind="stable", ignore_index=True)


def stripped_composition(x0: ArrayLike, q: ArrayLike) -> Array:
    """Mole fraction of Na when a share q of the Li has left: x0/(x0 + (1 - x0)(1 - q)).

    Parameters
    ----------
    x0, q
        Mole fraction of Na before, between 0 and 1, and the share, from 0 to 1, broadcast.

    Raises
    ------
    ValueError
        If one is out of its range.

    Examples
    --------
    >>> float(stripped_composition(0.03, 0.5).round(4))
    0.0583
    """
    x0, q = np.broadcast_arrays(fraction(x0, ALLOY, ends=False), within(q, (0.0, 1.0), SHARE))
    result: Array = x0 / (x0 + (1 - x0) * (1 - q))
    return result


def stripped_share(x0: ArrayLike, x: ArrayLike) -> Array:
    """Share of the Li that has left when the mole fraction of Na has risen from x0 to x.

    Parameters
    ----------
    x0, x
        Mole fractions of Na, x0 between 0 and 1 and x from x0 to 1, broadcast together.

    Raises
    ------
    ValueError
        If one is out of its range.
    """
    x0, x = np.broadcast_arrays(fraction(x0, ALLOY, ends=False), np.asarray(x, dtype=float))
    wrong = ~((x0 <= x) & (x <= 1))
    if wrong.any():
        raise ValueError(
            f"stripping raises the mole fraction of Na, from x0 = {x0[wrong].flat[0]} to at most "
            f"1; got x = {x[wrong].flat[0]}"
        )
    return _share(x0, x)


def _share(x0: Array, x: Array) -> Array:
    # As a difference first: next to x0 one minus a ratio would lose its digits.
    result: Array = (x - x0) / (x * (1 - x0))
    return result


@source_first
def stripping_path(
    x0: ArrayLike,
    T: ArrayLike,
    source: Source | Database | Alloy = PREFERRED,
    *,
    thickness: ArrayLike | None = None,
    density: ArrayLike | None = None,
) -> StrippingPath:
    """Follow a homogeneous alloy as its Li is stripped and its Na stays.

    Parameters
    ----------
    x0
        Mole fraction of Na before stripping, between 0 and 1.
    T
        Temperature in K. All arrays broadcast together.
    source
        As of `describe`; it may also come first.
    thickness
        Of the dense foil before stripping, in m, for capacities per area.
    density
        Of the alloy before stripping, in kg/m³. That of the molar volumes V0 of the
        database if None; the shipped ones are of 0 K, 8 % denser than Li at room temperature.

    Returns
    -------
    StrippingPath

    Raises
    ------
    OutsideAssessedRange
        If liquid forms on the way from x0 to pure Na at a temperature.
    ValueError
        If x0, a thickness or a density is out of its range.
    DatabaseError
        If the database has no mass of an element.
    UnknownAssessment, ElasticDataError
        As `describe`.

    Examples
    --------
    Between 20 and 60 °C:

    >>> path = stripping_path("santos2025", 0.03, [293.15, 333.15], thickness=20e-6)
    >>> path.q["coherent spinodal alpha"].round(3).tolist()
    [0.483, 0.56]
    >>> path = stripping_path("santos2025", 0.03, 300.0)
    >>> path.to_dataframe()[["boundary", "region", "q"]].round(3).head(3)
                      boundary               region      q
    0                    start           nucleation  0.000
    1  chemical spinodal alpha  incoherent_spinodal  0.166
    2  coherent spinodal alpha    coherent_spinodal  0.497
    """
    alloy = describe(source)
    x0, T = np.broadcast_arrays(fraction(x0, ALLOY, ends=False), kelvin(T))
    size = foil(alloy, x0, T, thickness, density)
    x0, T = np.broadcast_to(x0, size.x0.shape), np.broadcast_to(T, size.x0.shape)
    refuse_molten(alloy, x0, T)
    ends = curve_ends(alloy, T)
    x = {name: np.where(at > x0, at, np.nan) for name, at in ends.items()}
    q = {name: _share(x0, at) for name, at in x.items()}
    entered = {n: np.where(np.isnan(x[n]), -1, classify(at, ends)) for n, at in ends.items()}
    return StrippingPath(alloy.name, x0, T, classify(x0, ends), x, q, entered, size)


@source_first
def initial_composition(
    depth: ArrayLike | Depth,
    T: ArrayLike,
    region: str = "coherent_spinodal",
    source: Source | Database | Alloy = PREFERRED,
    *,
    thickness: float | None = None,
    density: float | None = None,
) -> Array:
    """Mole fraction of Na before stripping of the alloy that enters a region at a wanted depth.

    Parameters
    ----------
    depth
        Share of the Li stripped when it enters, from 0 to below 1; broadcast with `T`. Or a
        `Depth`, such as ``Depth(3.0, "mAh/cm²")``.
    T
        Temperature in K.
    region
        Key of a region of the solid; see `REGIONS`. Of one with a part
        on either side of the gap, the first that stripping comes to.
    source
        As of `describe`; it may also come first.
    thickness, density
        As of `stripping_path`, for a charge per area.

    Returns
    -------
    ndarray
        NaN where there is no such region to enter at a temperature, or no alloy holds that much
        Li.

    Raises
    ------
    OutsideAssessedRange
        If liquid forms on the way from there to pure Na, or a solubility is below 1e-308.
    ValueError
        If the depth is out of its range, or there is no such region.
    UnknownAssessment, DatabaseError, ElasticDataError
        As `describe`.

    Examples
    --------
    >>> initial_composition("santos2025", [0.25, 0.5, 0.75], 300.0).round(4).tolist()
    [0.0441, 0.0298, 0.0151]
    >>> ten = Depth(10.0, "mAh/cm²")
    >>> initial_composition("santos2025", ten, 300.0, thickness=100e-6).round(4).tolist()
    0.0312
    """
    regions = [key for key in NAMES if key != "liquid"]
    if region not in regions:
        raise ValueError(
            f"regions that stripping can enter are {', '.join(regions)}; got {region!r}"
        )
    alloy, T = describe(source), kelvin(T)
    if not isinstance(depth, Depth):
        q, T = np.broadcast_arrays(within(depth, (0.0, 1.0), SHARE), T)
        if (q == 1).any():
            raise ValueError(
                "all Li is stripped at q = 1, whatever the alloy was; give q from 0 to below 1"
            )
        depth = Depth(q)  # type: ignore[arg-type]
    ends = curve_ends(alloy, T)
    at = np.stack(list(ends.values()))
    if (at == 0).any():
        level = T[(at == 0).any(axis=0)].min()
        raise OutsideAssessedRange(
            f"at {level:g} K a solubility is below 1e-308, too small to tell regions apart"
        )
    enters = ~np.isnan(at) & (classify(at, ends) == regions.index(region))
    x = np.where(enters, at, np.inf).min(axis=0)
    somewhere = foil(alloy, np.full(T.shape, 0.5), T, thickness, density)
    x0 = somewhere.start(np.where(np.isfinite(x), x, 0.5), depth)
    there = np.isfinite(x) & (x0 > 0)
    refuse_molten(alloy, x0[there], T[there])
    return np.where(there, x0, np.nan)
