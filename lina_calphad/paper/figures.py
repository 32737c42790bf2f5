"""All figures of the paper and beyond it, by name: each from its table."""

from __future__ import annotations

from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING

from lina_calphad.paper import beyond, beyond_tables, drawings, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from lina_calphad.paper.alloys import Paper

    Tables = Mapping[str, Callable[[], pd.DataFrame]]
    Figures = Mapping[str, Callable[[], Figure]]

#: Of each figure the function that makes its table, and the one that draws that.
FIGURES: dict[str, tuple[Callable[[Paper], pd.DataFrame], Callable[[pd.DataFrame], Figure]]] = {
    "figure_1_phase_diagram": (tables.phase_diagram, drawings.phase_diagram),
    "figure_2_formation_energy": (tables.formation_energy, drawings.formation_energy),
    "figure_3_na_in_li": (partial(tables.one_side, side=0), partial(drawings.one_side, side=0)),
    "figure_4_li_in_na": (partial(tables.one_side, side=1), partial(drawings.one_side, side=1)),
    "figure_5_spinodals": (tables.spinodals, drawings.spinodals),
    "figure_6_binodals": (attrgetter("solubilities"), drawings.binodals),
    "figure_7_low_temperature": (tables.low_temperature, drawings.low_temperature),
    "figure_8_cubic_elasticity": (beyond_tables.cubic_elasticity, beyond.cubic_elasticity),
    "figure_9_sensitivity": (beyond_tables.sensitivity, beyond.sensitivity),
    "figure_10_uncertainty": (beyond_tables.uncertainty, beyond.uncertainty),
}


def drawings_of(paper: Paper) -> tuple[Tables, Figures]:
    """Tables, computed when first asked for, and figures of these alloys by name."""
    made = {name: cache(partial(table, paper)) for name, (table, _) in FIGURES.items()}
    drawn = {name: lambda n=name: FIGURES[n][1](made[n]()) for name in made}
    return made, drawn
