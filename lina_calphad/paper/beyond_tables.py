"""Tables of figures 8 to 10, beyond the paper: cubic elasticity, sensitivity, uncertainty.

All are of santos2025. Coherency acts through Cahn's coefficient B alone, and −B x(1 − x) is a
shift of the regular parameter by −B: one family of solutions with that parameter free gives
the exact gap for every B.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from pycalphad import Database
from scipy import constants

from lina_calphad.checks import Array
from lina_calphad.data.assessments import COMPONENTS, HANDBOOK_ELASTICITY, LATTICE_CONSTANTS, PHASE
from lina_calphad.data.databases import PARAMETERS, pieces
from lina_calphad.data.elasticity import CubicElasticity, coherency_coefficient
from lina_calphad.data.interactions import free_interactions
from lina_calphad.paper.alloys import NEW, Paper, close_packed
from lina_calphad.paper.marks import CLOSE_PACKED
from lina_calphad.phase.bands import MODELS, bands
from lina_calphad.phase.draws import draws_note, source_draws
from lina_calphad.phase.solution import BinarySolution

CHEMICAL, ISOTROPIC = "chemical, B = 0", "isotropic, eq. 12"

#: The cubic constants of the registry by name, and those of the host near room temperature.
CONSTANTS = {f"{c.element.title()}, {c.temperature}": c for c in HANDBOOK_ELASTICITY}
HOST = "Li, 300 K"
#: Source of the reference, eq. 12.
PAPER = "Pereira dos Santos et al. 2025, section 3.2"

#: Directions of the composition wave: normals of the planes of `CoherentModel`.
PLANES = {"<100>": (1, 0, 0), "<110>": (1, 1, 0), "<111>": (1, 1, 1)}

_COLDEST = 5.0  # K; below, no double holds the solubility
_POINTS = 90  # temperatures of a curve
_SWEEP = 111  # values of B


def cubic_elasticity(paper: Paper) -> pd.DataFrame:
    """Figure 8: coherent diagrams with cubic constants, for three directions of the wave.

    Cahn's coefficient takes the constants of the host, Li. Those of Na in their place, on the
    host's lattice, say how much that choice matters: Na is softer. Where a gap has closed there is
    no row.
    """
    alloy = paper.alloys[NEW]
    dbf, cold = alloy.dbf, close_packed(alloy)
    own, lattice = _elastic_data(dbf)
    cases = [(CHEMICAL, "-", own, 0.0, "no elastic energy", "")]
    b = coherency_coefficient(own, *lattice)
    cases.append((ISOTROPIC, "any", own, b, _bound(own), PAPER))
    for (name, cubic), (plane, direction) in product(CONSTANTS.items(), PLANES.items()):
        b = coherency_coefficient(cubic.elasticity, *lattice, direction)
        place = "" if cubic.element == COMPONENTS[0] else "in place of the host's"
        basis = "; ".join(filter(None, (cubic.source, cubic.note, place)))
        cases.append((name, plane, cubic.elasticity, b, basis, cubic.source))
    family, values = _with_coherency(dbf, [b for *_, b, _, _ in cases])
    tops = family.critical_points(values).T
    T = np.union1d(np.linspace(_COLDEST, paper.top, _POINTS), [paper.T])
    frames: list[pd.DataFrame] = []
    for curve in ("binodal", "spinodal"):
        found = getattr(family, curve)(T, values)
        for i, (name, plane, c, b, basis, source) in enumerate(cases):
            columns: dict[str, Any] = {"constants": name, "direction": plane}
            kind = "chemical" if name == CHEMICAL else "coherent"
            columns["curve"] = f"{kind} {curve}"
            columns |= {"T_K": T, "x_na_alpha": found.x_alpha[i], "x_na_beta": found.x_beta[i]}
            columns |= {"B_J_per_mol": b, "critical_T_K": tops[i]}
            if kind == "coherent":
                columns["biaxial_modulus_GPa"] = c.biaxial_modulus(PLANES.get(plane, (1, 0, 0)))
                columns |= _constants(c)
            columns |= {"at_T_K": paper.T, CLOSE_PACKED: cold}
            columns |= {"basis": basis, "source": source}
            frames.append(pd.DataFrame(columns)[found.gap[i]])
    return pd.concat(frames, ignore_index=True)


def sensitivity(paper: Paper) -> pd.DataFrame:
    """Figure 9: coherent solubility and spinodal onset as elastic data vary one at a time.

    Young's modulus and Poisson's ratio go from the Reuss to the Voigt average of the cubic
    constants of Li, between which those of any polycrystal without texture lie; lattice
    constants from the paper's to others. The parameter "reference" is eq. 12, "B" a sweep of B from
    zero, through which all of them act. Where there is no gap, "missing" says so.
    """
    dbf = paper.alloys[NEW].dbf
    rows = list(_cases(*_elastic_data(dbf)))
    highest = max(row["B_J_per_mol"] for row in rows)
    for b in np.linspace(0, 1.1 * highest, _SWEEP):
        basis = "sweep" if b else CHEMICAL
        rows.append({"parameter": "B", "case": "", "B_J_per_mol": b, "basis": basis})
    table = pd.DataFrame(rows)
    family, values = _with_coherency(dbf, table["B_J_per_mol"])
    binodal, spinodal = family.binodal(paper.T, values), family.spinodal(paper.T, values)
    table.insert(0, "T_K", paper.T)
    table["solubility_x_na"] = np.exp(binodal.ln_x_alpha)
    table["onset_x_na"] = spinodal.x_alpha
    table["missing"] = np.where(spinodal.gap, "", "no gap")
    return table


def _cases(own: CubicElasticity, lattice: tuple[float, float]) -> Iterator[dict[str, Any]]:
    """The reference, then the values of each parameter."""
    (young, poisson), _ = _averages(own).values()
    a_li, a_na = lattice
    cubic = CONSTANTS[HOST]
    handbook = f"cubic constants of {HOST}, {cubic.source}"

    def case(
        names: tuple[str, str, str],
        basis: str,
        source: str,
        elasticity: CubicElasticity = own,
        a: tuple[float, float] = lattice,
        plane: tuple[int, int, int] = (1, 0, 0),
    ) -> dict[str, Any]:
        row: dict[str, Any] = dict(zip(("parameter", "case", "reference"), names, strict=True))
        row |= {"basis": basis, "source": source, **_constants(elasticity)}
        row |= {"a_li_angstrom": a[0], "a_na_angstrom": a[1], "misfit": a[1] / a[0] - 1}
        return row | {"B_J_per_mol": coherency_coefficient(elasticity, *a, plane)}

    yield case(("reference", "eq. 12", "eq. 12"), _bound(own), PAPER)
    for name, (e, nu) in _averages(cubic.elasticity).items():
        told, body = (f"{name} average of the {handbook}", cubic.source), CubicElasticity.isotropic
        both = f"{e:.1f} GPa with ν = {nu:.2f}", f"{young:.1f} GPa with ν = {poisson:.2f}"
        yield case(("E", f"{e:.1f} GPa", f"{young:.1f} GPa"), *told, body(e, poisson))
        yield case(("ν", f"{nu:.2f}", f"{poisson:.2f}"), *told, body(young, nu))
        yield case(("E and ν", *both), *told, body(e, nu))
    for name, li, na, source in map(astuple, LATTICE_CONSTANTS):
        told = f"{name}: {source}", source
        both = f"{li:.2f} Å (Li), {na:.2f} Å (Na)", f"{a_li:.2f} Å (Li), {a_na:.2f} Å (Na)"
        yield case(("misfit by a(Li)", f"{li:.2f} Å", f"{a_li:.2f} Å"), *told, a=(li, a_na))
        yield case(("misfit by a(Na)", f"{na:.2f} Å", f"{a_na:.2f} Å"), *told, a=(a_li, na))
        yield case(("misfit by both", *both), *told, a=(li, na))
    for name, plane in PLANES.items():
        names = ("direction, cubic Li", name, ISOTROPIC)
        yield case(names, handbook, cubic.source, cubic.elasticity, plane=plane)


def uncertainty(paper: Paper) -> pd.DataFrame:
    """Figure 10: bands of the diagram, and histograms of the draws at room temperature."""
    alloy = paper.alloys[NEW]
    known = source_draws(NEW, alloy.dbf)
    assert known is not None  # the registry has an error for it
    dbf, draws = known
    T = np.union1d(np.linspace(_COLDEST, paper.top, _POINTS), [paper.T])
    found = bands(dbf, draws, T)
    table = found.to_dataframe().filter(regex="^(kind|branch|T|share_with_gap|x_.*)$")
    table = table[table["T"] >= _COLDEST].rename(columns=lambda c: c.replace("x_", "x_na_"))
    for kind, rows in table.groupby("kind").groups.items():
        which, curve = str(kind).split()
        part = table.loc[rows]
        own = getattr(alloy.solutions[which], curve)(part["T"])
        central = np.where(part["branch"] == "alpha", own.x_alpha, own.x_beta)
        table.loc[rows, "x_na"] = np.where(own.gap, central, np.nan)
    parts = [table.dropna(subset="x_na")]
    families = {
        kind: BinarySolution(dbf, COMPONENTS, PHASE, model, symbols=draws.symbols)
        for kind, model in MODELS.items()
    }
    for curve in ("binodal", "spinodal"):
        x = {
            f"{kind} {curve}": found.x_alpha[found.gap]
            for kind, family in families.items()
            for found in [getattr(family, curve)(paper.T, draws.values)]
        }
        # Even on the axis that the figure gives them.
        every = np.concatenate(list(x.values()))
        spaced = np.geomspace if curve == "binodal" else np.linspace
        edges = spaced(every.min() * (1 - 1e-9), every.max() * (1 + 1e-9), 91)
        for kind, values in x.items():
            columns: dict[str, Any] = {"kind": kind, "branch": "alpha", "T": paper.T}
            columns |= {"bin_low_x_na": edges[:-1], "bin_high_x_na": edges[1:]}
            columns["share_of_draws"] = np.histogram(values, edges)[0] / len(draws)
            parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True).rename(columns={"kind": "curve", "T": "T_K"})
    same: dict[str, Any] = {"at_T_K": paper.T, "draws": found.draws}
    same[CLOSE_PACKED] = close_packed(alloy)
    return table.assign(**same, basis=draws_note(NEW, NEW, draws))


def _elastic_data(dbf: Database) -> tuple[CubicElasticity, tuple[float, float]]:
    """Elastic constants of the host, and lattice constants of both in Å, as the database has."""
    found: dict[tuple[str, str], float] = {}
    for p in dbf.search(lambda p: p["phase_name"] == PHASE and p["parameter_type"] in PARAMETERS):
        value = float(pieces(p["parameter"])[0][2])
        found[p["parameter_type"], p["constituent_array"][0][0].name] = value
    host, solute = COMPONENTS
    a_host, a_solute = (
        1e10 * (2 * found["V0", element] / constants.N_A) ** (1 / 3) for element in (host, solute)
    )
    c11, c12, c44 = (found[name, host] for name in PARAMETERS[1:])
    return CubicElasticity(c11, c12, c44), (a_host, a_solute)


def _with_coherency(dbf: Database, b: Iterable[float]) -> tuple[BinarySolution, Array]:
    """The bcc solution with its interaction parameters free, and their values for each B."""
    freed, mean = free_interactions(dbf, PHASE, COMPONENTS)
    family = BinarySolution(freed, COMPONENTS, PHASE, symbols=list(mean))
    shift = np.array(list(b))[:, None] * (np.arange(len(mean)) == 0)
    return family, np.array(list(mean.values())) - shift


def _constants(c: CubicElasticity) -> dict[str, float]:
    return {"C11_GPa": c.c11, "C12_GPa": c.c12, "C44_GPa": c.c44}


def _bound(own: CubicElasticity) -> str:
    young, poisson = _averages(own)["Voigt"]
    return f"the paper's upper bound: E = {young:.4g} GPa, nu = {poisson:.4g}"


def _averages(c: CubicElasticity) -> dict[str, tuple[float, float]]:
    """Young's modulus in GPa and Poisson's ratio of a polycrystal: the two bounds."""
    bulk, tetragonal = (c.c11 + 2 * c.c12) / 3, c.c11 - c.c12
    shear = {
        "Voigt": (tetragonal + 3 * c.c44) / 5,
        "Reuss": 5 * tetragonal * c.c44 / (4 * c.c44 + 3 * tetragonal),
    }
    return {
        name: (9 * bulk * g / (3 * bulk + g), (3 * bulk - 2 * g) / (6 * bulk + 2 * g))
        for name, g in shear.items()
    }
