"""The paper's two assessments by name, and what several of its results and figures share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from lina_calphad.data.assessments import COMPONENTS, load
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.phase import dilute
from lina_calphad.phase.solution import BinarySolution
from lina_calphad.plots import ARRHENIUS_BOTTOM

#: What the paper compares: the older assessment and its own.
OLD, NEW = "zhang2003", "santos2025"
#: What "room temperature" of the paper is taken for, and what it usually is, in K.
ROOM_TEMPERATURE = 300.0
STANDARD_TEMPERATURE = 298.15
#: Both ends of the phase diagram, in the order of the branches of a binodal.
SIDES = ("Na in Li", "Li in Na")
#: The closed forms of `dilute`, and the numerical solution.
METHODS = ("low-concentration limit", "exact")


@dataclass(frozen=True, eq=False)
class Paper:
    """The alloys that the paper is about, `OLD` before `NEW`, and its room temperature in K.

    Examples
    --------
    >>> list(Paper.shipped().alloys)
    ['zhang2003', 'santos2025']
    """

    alloys: Mapping[str, Alloy]
    T: float = ROOM_TEMPERATURE

    @classmethod
    def shipped(cls) -> Paper:
        """Both assessments as they are shipped."""
        return cls({key: Alloy.of(key, load(key)) for key in (OLD, NEW)})

    @cached_property
    def top(self) -> float:
        """Temperature in K up to which diagrams are drawn: the highest eutectic."""
        return max(alloy.invariant("eutectic").T for alloy in self.alloys.values())

    @cached_property
    def solubilities(self) -> pd.DataFrame:
        """Chemical and coherent solubilities, by the limits (6), (7), (13) and exactly.

        Evenly in 1/T from 100 K up to the eutectic: side, source, series, T_K, ln_x_solute,
        x_solute. A series is "chemical" or "coherent" with one of `METHODS`, or with "critical
        point", if the gap closes. Where there is no gap there are no rows: the closed forms
        would give fractions for it all the same.
        """
        T = 1 / np.linspace(1 / self.top, 1 / ARRHENIUS_BOTTOM, 22)
        frames = []
        for kind, alloy in product(("chemical", "coherent"), self.alloys.values()):
            exact = alloy.solutions[kind].binodal(T)
            coherency = alloy.coherency if kind == "coherent" else 0.0
            curves = [dilute.binodal(T[exact.gap], alloy.coefficients, coherency), exact]
            top = alloy.solutions[kind].critical_point()
            for method, curve in zip(METHODS, curves, strict=True):
                ends = curve.ln_x_alpha, curve.ln_one_minus_x_beta
                frames.append(both_sides(alloy.name, f"{kind}, {method}", curve.T, ends))
            if self.top > top.T:
                ends = np.log([top.x]), np.log1p([-top.x])
                frames.append(both_sides(alloy.name, f"{kind}, critical point", [top.T], ends))
        table = pd.concat(frames, ignore_index=True).dropna(ignore_index=True)
        return table.rename(columns={"x": "ln_x_solute"}).assign(
            x_solute=lambda t: np.exp(t["ln_x_solute"])
        )


def both_sides(
    source: str, series: str, T: ArrayLike, ends: tuple[ArrayLike, ArrayLike]
) -> pd.DataFrame:
    """A curve in rows, one side after the other: side, source, series, T_K, x."""
    columns = {"source": source, "series": series, "T_K": T}
    frames = [
        pd.DataFrame({"side": s, **columns, "x": x}) for s, x in zip(SIDES, ends, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def close_packed(alloy: Alloy, phase: str = "HCP_A3") -> float:
    """Temperature in K at which bcc Li and close-packed Li have one Gibbs energy."""
    other = BinarySolution(alloy.dbf, COMPONENTS, phase)

    def difference(T: float) -> float:
        return float(alloy.chemical.gibbs_energy(T, 0.0) - other.gibbs_energy(T, 0.0))

    return float(brentq(difference, 20.0, 200.0))
