"""What the numbers of a study of an anode do not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lina_calphad.anode.map import MAP_T
from lina_calphad.phase.kinetics import DIFFUSIVITY_STATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lina_calphad.anode.results import Study
    from lina_calphad.diagram.alloy import Alloy


def notes(study: Study) -> Iterator[str]:
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
    if (MAP_T[0] > T).any():
        yield f"below {MAP_T[0]:g} K the elements are extrapolated: SGTE's data begin there"


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
