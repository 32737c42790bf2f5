"""`lina_calphad.plotting` is `lina_calphad.compare.figures` and `plots`, for one release."""

import warnings

from lina_calphad.compare.figures import arrhenius, figures, gibbs_energy, phase_diagram
from lina_calphad.plots import COLOURS, KINDS, SHADES, STYLES, WIDTHS

__all__ = [
    "COLOURS", "KINDS", "SHADES", "STYLES", "WIDTHS", "arrhenius", "figures", "gibbs_energy",
    "phase_diagram",
]  # fmt: skip

warnings.warn(
    f"{__name__} is now lina_calphad.compare.figures and lina_calphad.plots; the old name goes "
    "with the next release",
    DeprecationWarning,
    stacklevel=2,
)
