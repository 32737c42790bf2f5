"""Rows of the tables in `tdb/assessments.toml` beside the assessments themselves."""

from __future__ import annotations

from dataclasses import dataclass

from lina_calphad.data.elasticity import CubicElasticity


@dataclass(frozen=True)
class HandbookConstants:
    """Elastic constants (GPa) of one bcc element, of what temperature or method, and source."""

    element: str
    temperature: str
    elasticity: CubicElasticity
    source: str
    note: str = ""


@dataclass(frozen=True)
class LatticeConstants:
    """Lattice constants (Å) of bcc Li and Na on one basis, and their source."""

    basis: str
    li: float
    na: float
    source: str


@dataclass(frozen=True)
class MadeAnode:
    """An anode that was made, what of its source was read and seen, and what would test it."""

    anode: str
    source: str
    read: str
    x: float
    T: float
    claim: str
    seen: str
    test: str
