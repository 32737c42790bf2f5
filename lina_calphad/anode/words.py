"""Sentences of the anode and how its numbers are written; the page says them, too."""

from __future__ import annotations

from collections.abc import Mapping

from ase.data import atomic_masses, atomic_numbers
from scipy import constants

from lina_calphad.data.assessments import COMPONENTS

#: Sentences with places for numbers; page.js fills the same ones.
SENTENCES = {
    "disagree": "The assessments disagree at {T}. {parts}.",
    "fate_after": "unmixes as one lattice after {q} % of the Li",
    "fate_now": "unmixes as one lattice at once",
    "fate_never": "never unmixes as one lattice",
    "fate_melts": "melts on the way",
    "gap_share": "There is a coherent gap at {T} in {share} % of the draws of {assessment}, as far "
    "as they know.",
    "here": "x(Na) = {x0} ({wt} wt%) at {T} by {assessment}: {name}. {meaning}",
    "charge": "{q} % of the Li ({capacity} mAh/g{area})",
    "area": ", {areal} mAh/cm²",
    "onset": "Stripped slowly, it unmixes by itself after {coherent}{free}.",
    "free": "; after {chemical} if nothing stays coherent",
    "inside": "It unmixes by itself before any Li is stripped.",
    "never": "Stripped slowly, coherent lattices never unmix by themselves from here on{loose}.",
    "loose": "; incoherent ones after {chemical}",
    "miscible": "It never unmixes: here Li and Na mix in every proportion.",
    "potential": "Against Li/Li⁺ the solution starts at {start} mV and rises to {top} mV at most; "
    "two phases free of strain are at {plateau} mV.",
    "falling": "Against Li/Li⁺ the solution starts at {start} mV and falls as Li leaves, which is "
    "unstable; two phases free of strain are at {plateau} mV.",
    "alone": "Against Li/Li⁺ the solution starts at {start} mV and rises as Li leaves.",
    "left": "Unmixed and free of strain it is {volume} % Na-rich phase by volume, with x(Na) = "
    "{x}; all its Li gone, Na of {sodium} is left, or {pores} % of pores where nothing collapses.",
    "depth": "{charge} taken, a dense foil {thickness} is left, or one with {pores} % of pores: "
    "x(Na) = {x}, {name}, at {E} mV as a solution; {volume} % Na-rich by volume, at {plateau} mV, "
    "as two phases free of strain. {wanted}",
    "wanted": "What unmixes by itself just there starts with {x0} at.% Na.",
    "unwanted": "Nothing unmixes by itself just there: {reason}.",
}
#: Mass of Li over that of Na.
LIGHTER = float(
    atomic_masses[atomic_numbers[COMPONENTS[0].title()]]
    / atomic_masses[atomic_numbers[COMPONENTS[1].title()]]
)


def say(key: str, numbers: Mapping[str, object]) -> str:
    """A sentence with its numbers."""
    return SENTENCES[key].format(**numbers)


def weight_percent(x: float) -> str:
    """Na in wt% of an alloy of a mole fraction."""
    return f"{100 * x / (x + (1 - x) * LIGHTER):.3g}"


def in_kelvin(T: float) -> str:
    """A temperature in both units, since either may be the reader's."""
    return f"{round(T, 2):g} K ({T - constants.zero_Celsius:.1f} °C)"


def percent(share: float) -> str:
    """A share in per cent, with more digits where little is left or gone."""
    return f"{100 * share:.1f}" if 0.1 < share < 0.99 else f"{100 * share:.2f}"


def number(x: float) -> str:
    """A mole fraction with its digits, however close to 0 or 1."""
    return f"1-{1 - x:.3g}" if 0.99 < x < 1 else f"{x:.3g}"


def millivolt(E: float) -> str:
    """A potential in mV to a microvolt."""
    return f"{E:.3f}" if abs(E) < 1 else f"{E:.1f}"


def metres(size: float) -> str:
    """A length in the unit in which people would say it."""
    unit, name = next((u, n) for u, n in ((1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"), (0, "nm"))
                      if size >= u)  # fmt: skip
    return f"{size / (unit or 1e-9):.3g} {name}"


def duration(seconds: float) -> str:
    """A time in the unit in which people would say it."""
    for unit, size in (
        ("years", constants.year), ("days", constants.day), ("h", constants.hour),
        ("min", constants.minute), ("s", 1.0), ("ms", constants.milli),
    ):  # fmt: skip
        if seconds >= 1.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{float(f'{seconds * 1e6:.2g}'):g} µs"
