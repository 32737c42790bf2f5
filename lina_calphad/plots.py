"""What all figures share: colours, line styles, axes, bands and legends.

Colour tells the assessment, line style the kind of curve. The colours are those of
Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Kinds of curve of a miscibility gap, in the order of their styles.
KINDS = ("chemical binodal", "coherent binodal", "chemical spinodal", "coherent spinodal")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES: dict[str, Any] = dict(zip(KINDS, ("-", "--", "-.", ":"), strict=True))
WIDTHS = dict(zip(KINDS, (1.6, 1.6, 1.2, 1.6), strict=True))
SHADES = {"95 % of draws": 0.13, "68 % of draws": 0.22}  # opacity; the narrow lies on the wide


def arrhenius_axis(ax: Axes) -> None:
    """Label an x axis of 1000 K / T, and put the temperature on top."""
    ax.set_xlabel(r"$1000\,\mathrm{K}\,/\,T$")
    kelvin = ax.secondary_xaxis("top", functions=(_reciprocal, _reciprocal))
    marks = [100, 125, 150, 200, 250, 300]
    kelvin.set_xticks(marks, labels=[str(mark) for mark in marks])
    kelvin.set_xlabel("T / K")


def _reciprocal(x: Any) -> Any:
    with np.errstate(divide="ignore"):
        return 1000 / np.asarray(x, dtype=float)
