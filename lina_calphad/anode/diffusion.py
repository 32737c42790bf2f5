"""Composition against depth while Li is stripped: diffusion towards a receding interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pycalphad import Database
from scipy import constants
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.sparse import diags_array

from lina_calphad.anode.charge import FARADAY, FOIL, MAH, SHARE, molar_volume, share_by
from lina_calphad.anode.melting import refuse_molten
from lina_calphad.anode.stripping import ALLOY
from lina_calphad.anode.windows import (
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
from lina_calphad.errors import NotConverged, SurfaceExhausted
from lina_calphad.phase.kinetics import DIFFUSIVITY, DIFFUSIVITY_RANGE

_CURRENT = (1e-4, 1e6)  # in A/m²
# What 800 cells resolve: mole fractions, and thickness over the length D/u.
_ALLOYS = (1e-4, 0.9999)
_PECLET = (1e-8, 1e8)
_ALL = 0.9999  # share of the Li from which on all is stripped, for practical purposes
_TIMES = 11
_SOON = 1e-9  # share stripped up to which is integrated where nothing is
_CELLS = 800


@dataclass(frozen=True, eq=False)
class DepthProfile:
    """Composition against depth at some shares of Li stripped.

    Parameters
    ----------
    assessment
        Its name.
    x0, T
        Mole fraction of Na before stripping, and temperature in K.
    current_density, thickness, diffusivity
        In A/m², m and m²/s, the thickness before stripping.
    full_time
        Time in s in which the current would strip all the Li.
    q
        Shares of the Li stripped, shape (n,).
    depth
        Distance from the current collector in m, shape (n, m): from 0 to the thickness
        that is left.
    x
        Mole fraction of Na there, shape (n, m).
    region
        Index of the region in `REGIONS`, shape (n, m).
    exhausted_at
        Share of the Li stripped at which the interface is pure Na, so that this current can
        flow no longer; None if `q` ends before.
    crossings
        Share of the Li stripped when the interface and the collector side cross each of
        `BOUNDARIES`: two numbers, NaN where it is not crossed before the end.
    entered
        Index of the region that lies beyond each boundary.
    """

    assessment: str
    x0: float
    T: float
    current_density: float
    thickness: float
    diffusivity: float
    full_time: float
    q: Array
    depth: Array
    x: Array
    region: NDArray[np.intp]
    exhausted_at: float | None
    crossings: Mapping[str, Array]
    entered: Mapping[str, int]

    def __repr__(self) -> str:
        end = "" if self.exhausted_at is None else ", where the interface is exhausted"
        return (
            f"<DepthProfile of {self.assessment} from x0 = {self.x0:g} at {self.T:g} K: "
            f"{self.q.size} times up to {self.q[-1]:.1%} stripped{end}>"
        )

    @property
    def t(self) -> Array:
        """Time in s at each share."""
        return self.q * self.full_time

    @property
    def areal_capacity(self) -> Array:
        """Charge at each share in mAh/cm²."""
        return self._charge(self.q)

    def _charge(self, q: Array) -> Array:
        return q * self.full_time * self.current_density / MAH * constants.centi**2

    def to_dataframe(self) -> pd.DataFrame:
        """One row a time and depth, from the collector to the interface."""
        columns = {"assessment": self.assessment, "q": self.q[:, None], "t_s": self.t[:, None]}
        return tidy(columns | {"depth_m": self.depth, "x": self.x, "region": keys(self.region)})

    def crossings_dataframe(self) -> pd.DataFrame:
        """One row a boundary: share, time and charge at the interface and on the collector side."""
        columns: dict[str, Any] = {"boundary": [*self.crossings]}
        columns["region"] = [[*NAMES][i] for i in self.entered.values()]
        for i, side in enumerate(("interface", "collector")):
            q = np.array([pair[i] for pair in self.crossings.values()])
            columns |= {f"q_{side}": q, f"t_{side}_s": q * self.full_time}
            columns |= {f"capacity_{side}_mAh_per_cm2": self._charge(q)}
        return pd.DataFrame(columns)


@source_first
def depth_profile(
    x0: float,
    T: float,
    current_density: float,
    thickness: float,
    source: Source | Database | Alloy = PREFERRED,
    *,
    diffusivity: float = DIFFUSIVITY.value,
    q: ArrayLike | None = None,
) -> DepthProfile:
    r"""Follow the composition in a foil from which a constant current strips Li.

    Na stays, Li diffuses to the interface, which recedes; the current collector is tight.
    Volumes of Li and Na add up, and one interdiffusion coefficient holds for all
    compositions: then the volume fraction :math:`\varphi` of Na obeys

    .. math:: \partial_t \varphi = D\,\partial_z^2 \varphi, \qquad
              D\,\partial_z\varphi = u \varphi \;\text{at the interface}, \quad u = i V_{Li}/F,

    with the interface at :math:`L_0 - u t`. It is solved in the coordinate in which Na rests
    (Hartley & Crank, Trans. Faraday Soc. 45 (1949) 801): cells of constant amounts of Na,
    which lose Li, so that both are conserved.

    What it does not know: phases that form on the way, for which the alloy is no longer one
    solution; creep and pores; and the thermodynamic factor psi of `BinarySolution.stability`,
    with which a tracer diffusivity becomes an interdiffusion coefficient.

    Parameters
    ----------
    x0
        Mole fraction of Na before stripping, from 1e-4 to 0.9999.
    T
        Temperature in K, for the regions.
    current_density
        In A/m²; 1 mA/cm² is 10 A/m².
    thickness
        Of the dense foil before stripping, in m.
    source
        As of `describe`; it may also come first.
    diffusivity
        Interdiffusion coefficient in m²/s; the paper's order of magnitude for Li and Na if
        not given.
    q
        Shares of the Li stripped at which to report, from 0 to 1. Ten steps to where the
        interface is exhausted if None.

    Returns
    -------
    DepthProfile

    Raises
    ------
    SurfaceExhausted
        If the interface is pure Na before the last of `q`; the message says when. A foil of
        which no more than 1e-4 of the Li is left then counts as stripped.
    OutsideAssessedRange
        If liquid forms on the way from x0 to pure Na.
    NotConverged
        If the integration fails.
    ValueError
        If a number is out of its range.
    UnknownAssessment, DatabaseError, ElasticDataError
        As `describe`.

    Examples
    --------
    >>> profile = depth_profile("santos2025", 0.03, 300.0, current_density=10.0, thickness=100e-6)
    >>> profile
    <DepthProfile of santos2025 from x0 = 0.03 at 300 K: 11 times up to 97.8% stripped, where ...>
    >>> profile.crossings["coherent spinodal alpha"].round(3).tolist()  # interface, collector
    [0.031, 0.814]
    """
    alloy = describe(source)
    run = checked_run(alloy, x0, T, current_density, thickness, diffusivity)
    shares = None
    if q is not None:
        shares = np.unique(within(q, (0.0, 1.0), SHARE))
        if not shares.size:
            raise ValueError("a profile needs at least one share of the Li stripped; got none")
    last = 1.0 if shares is None else max(shares[-1], _SOON)
    solution = Diffusion(run.phi0, run.peclet, last)
    end = solution.exhausted_at
    if shares is None:
        shares = np.linspace(0, solution.end, _TIMES)
    elif end is not None and shares[-1] > end:
        if end < _ALL:
            raise SurfaceExhausted(
                f"at {run.current:g} A/m² ({run.current / 10:g} mA/cm²) the interface is pure Na "
                f"after {end * run.full_time / 3600:.3g} h, with {end:.2%} of the Li stripped: ask "
                "for no more than that, or take a smaller current or a thinner foil"
            )
        shares = np.minimum(shares, end)

    profiles = [solution.profile(share) for share in shares]
    x = run.composition(profiles)
    ends = curve_ends(alloy, np.array(T))
    crossings = {name: solution.crossed(run.volume_fraction(at)) for name, at in ends.items()}
    entered = {name: int(classify(at, ends)) for name, at in ends.items()}
    return DepthProfile(
        alloy.name, run.x0, run.T, run.current, run.foil, run.diffusivity, run.full_time, shares,
        run.depth(profiles), x, classify(x, ends), end, crossings, entered,
    )  # fmt: skip


class Run(NamedTuple):
    """A foil and its current: numbers that have been checked, and what follows from them."""

    x0: float
    T: float
    current: float
    foil: float
    diffusivity: float
    ratio: float  # molar volume of Li over that of Na
    phi0: float
    peclet: float
    full_time: float

    def depth(self, profiles: list[tuple[Array, Array]]) -> Array:
        """Distance from the collector in m."""
        return self.foil * self.phi0 * np.array([place for place, _ in profiles])

    def composition(self, profiles: list[tuple[Array, Array]]) -> Array:
        """Mole fraction of Na."""
        phi = np.minimum(np.array([phi for _, phi in profiles]), 1.0)
        return share_by(phi, 1 / self.ratio)

    def volume_fraction(self, x: Array) -> float:
        """Of Na."""
        return float(share_by(x, self.ratio))


def checked_run(
    alloy: Alloy, x0: float, T: float, current_density: float, thickness: float, diffusivity: float
) -> Run:
    """A run whose numbers are within their ranges; errors as of `depth_profile`."""
    x0, T = float(fraction(x0, ALLOY, ends=False)), float(kelvin(T))
    within(x0, _ALLOYS, f"{ALLOY} of a depth profile, is resolved")
    current = float(within(current_density, _CURRENT, "a current density is in A/m²"))
    foil = float(within(thickness, FOIL, "thickness is in m"))
    D = float(within(diffusivity, DIFFUSIVITY_RANGE, "a diffusivity is in m²/s"))
    refuse_molten(alloy, np.array(x0), np.array(T))
    lithium, sodium = molar_volume(alloy, [0.0, 1.0], T)
    ratio = lithium / sodium
    phi0 = float(share_by(np.array(x0), ratio))
    speed = current / FARADAY * lithium
    peclet = speed * foil / D
    what = f"{current:g} A/m² out of {foil:g} m with {D:g} m²/s: current times thickness over D"
    within(peclet, _PECLET, f"{what} (u L/D) is resolved")
    return Run(x0, T, current, foil, D, ratio, phi0, peclet, (1 - phi0) * foil / speed)


class Diffusion:
    """The same without dimension: W, the volume of each cell over that of its Na, against q.

    Cells hold constant shares of the Na, from the collector to the interface. With the volume
    fraction of Na, 1/W, and the Peclet number u L0/D, the flux of Li through a face is the
    gradient of 1/W times a scale. Integrated over a time in which the current takes all the Li in
    1, gives it back (`way` -1) or rests (0): up to an end, or to where the interface is pure Na.
    """

    def __init__(
        self, phi0: float, peclet: float, end: float, way: int = 1, start: Array | None = None
    ) -> None:
        scale = (1 - phi0) / (phi0**2 * peclet)
        slope = peclet * phi0
        self.slope = way * slope  # of the volume fraction at the interface
        # Where the interface is exhausted, the layer of depletion holds 1/slope of the Na.
        smallest = 1e-5 / (1 + slope)
        self.size = -np.diff(np.append(np.geomspace(1, smallest, _CELLS), 0.0))
        spacing = (self.size[1:] + self.size[:-1]) / 2

        def rate(_: float, W: Array) -> Array:
            gradient = np.concatenate([[0.0], np.diff(1 / W) / spacing, [self.slope]])
            return -scale * np.diff(gradient) / self.size

        def jacobian(_: float, W: Array) -> Any:
            to_left = scale / W[:-1] ** 2 / spacing
            to_right = scale / W[1:] ** 2 / spacing
            own = -(np.append(to_left, 0.0) + np.append(0.0, to_right)) / self.size
            bands = [to_left / self.size[1:], own, to_right / self.size[:-1]]
            return diags_array(bands, offsets=[-1, 0, 1], format="csc")

        def left(_: float, W: Array) -> float:
            return float(1 - self.surface(W)[1]) if way > 0 else 1.0

        left.terminal = True  # type: ignore[attr-defined]
        start = np.full(_CELLS, 1 / phi0) if start is None else start
        try:
            # SciPy's table of differences begins as memory that nobody has filled, and may warn.
            with np.errstate(invalid="ignore", over="ignore"):
                found = solve_ivp(
                    rate, (0.0, end), start, method="BDF", jac=jacobian, events=left, rtol=1e-7,
                    dense_output=True, atol=1e-9, first_step=min(end, 1e-12 / (1 + slope)),
                )  # fmt: skip
        except RuntimeError as error:  # as where its sparse solver meets a singular matrix
            raise NotConverged(f"diffusion could not be followed: {error}") from error
        if not (found.success and np.isfinite(found.y[:, -1]).all()):
            raise NotConverged(
                f"diffusion stopped at {found.t[-1]:.3%} of the Li stripped: {found.message}"
            )
        self.end = float(found.t[-1])
        self.exhausted_at = self.end if found.status == 1 else None
        assert found.sol is not None
        self.at: Callable[[float], Array] = found.sol

    def surface(self, W: Array) -> Array:
        """Volume fraction of Na on the collector side and at the interface."""
        return np.array([1 / W[0], max(1 / W[-1] + self.slope * self.size[-1] / 2, 0.0)])

    def profile(self, q: float) -> tuple[Array, Array]:
        """Distance from the collector over the thickness of all Na, and volume fraction of Na."""
        W = self.at(q)
        faces = np.concatenate([[0.0], np.cumsum(W * self.size)])
        middle = (faces[1:] + faces[:-1]) / 2
        collector, interface = self.surface(W)
        place = np.concatenate([[0.0], middle, faces[-1:]])
        return place, np.concatenate([[collector], 1 / W, [interface]])

    def crossed(self, phi: float) -> Array:
        """Shares of Li stripped when the interface and the collector side reach a volume fraction.

        NaN where one does not.
        """
        found = np.full(2, np.nan)
        for i, side in enumerate((1, 0)):

            def missing(q: float, side: int = side) -> float:
                return float(self.surface(self.at(q))[side]) - phi

            if missing(0.0) < 0 <= missing(self.end):
                found[i] = brentq(missing, 0.0, self.end, xtol=1e-12)
        return found
