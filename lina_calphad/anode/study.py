"""One anode from every side: what a study is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from pycalphad import Database

from lina_calphad.anode.charge import CRate, Depth
from lina_calphad.anode.results import Study
from lina_calphad.anode.stripping import stripping_path
from lina_calphad.anode.windows import curve_ends, describe, source_first
from lina_calphad.checks import Array, kelvin
from lina_calphad.data.assessments import PREFERRED, Source
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.errors import OutsideAssessedRange
from lina_calphad.phase.draws import ParameterDraws
from lina_calphad.phase.kinetics import DIFFUSIVITY, Arrhenius

#: Shares of the Li stripped for which initial compositions are sought, if none are asked for.
DEPTHS = (0.25, 0.5, 0.75, 0.9)


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
    foil = path.foil
    current = None
    if current_density is not None:
        # mAh/cm² in an hour are ten times as many A/m².
        hour = 10 * foil.per_area if isinstance(current_density, CRate) else np.ones(T.shape)
        current = float(current_density) * hour
    wanted = tuple(d if isinstance(d, Depth) else Depth(float(d)) for d in depths or DEPTHS)
    if any((foil.share(depth) == 1).any() for depth in wanted):
        raise ValueError("all Li is stripped at q = 1, whatever the alloy was; give a depth below")
    D = DIFFUSIVITY.value if diffusivity is None else diffusivity
    found = Study(
        alloy, float(x0), T, path, density, wanted, draws, current,
        None if stripped is None else foil.share(stripped),
        None if cycled is None else np.stack([foil.share(depth) for depth in cycled], axis=-1),
        rest, D(T) if isinstance(D, Arrhenius) else np.full(T.shape, D), diffusivity,
        tuple(map(describe, others)), bool(depths),
    )  # fmt: skip
    # What can fail does so here.
    for what in ("profiles", "cycles", "cycle_profiles"):
        progress(what.replace("_", " "))
        getattr(found, what)
    return found


def _refuse_cold(alloy: Alloy, T: Array) -> None:
    """OutsideAssessedRange where a boundary cannot be told from a pure element."""
    at = np.stack(list(curve_ends(alloy, T).values()))
    cold = ((at < 1e-300) | (at > 1 - 1e-15)).any(axis=0)
    if cold.any():
        raise OutsideAssessedRange(
            f"at {T[cold][0]:g} K a solubility is below 1e-15, too small for these tables; "
            "regions and stripping_path of lina_calphad.anode go further"
        )
