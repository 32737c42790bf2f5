"""What each assessment says of one anode: where they agree on its microstructure, and where not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lina_calphad.anode.potential import potential
from lina_calphad.anode.stripping import stripping_path
from lina_calphad.anode.windows import NAMES, describe, keys
from lina_calphad.anode.words import percent, say
from lina_calphad.checks import Array, kelvin
from lina_calphad.data.assessments import (
    COMPONENTS,
    MADE_ANODES,
    PHASE,
    Source,
    assessments,
    load,
)
from lina_calphad.diagram.alloy import Alloy
from lina_calphad.phase.draws import source_draws
from lina_calphad.phase.solution import BinarySolution


def verdicts(
    x0: float, T: ArrayLike, sources: Sequence[Source | Alloy] | None = None
) -> pd.DataFrame:
    """What assessments say of an anode, one row an assessment and temperature.

    `region` before stripping; the share of the Li at which it enters the `coherent` and the
    `chemical` spinodal (0 where it starts in there, missing where it never does); `coherent_gap`,
    the share of the draws of the parameters that have a coherent gap, where draws are known;
    `melts` where liquid forms on the way, and then no more.

    Parameters
    ----------
    x0
        Mole fraction of Na before stripping.
    T
        Temperatures in K.
    sources
        As of `describe`; all shipped assessments if None.

    Examples
    --------
    >>> found = verdicts(0.03, 300.0, ["zhang2003", "santos2025"]).round(3)
    >>> found[["assessment", "region", "coherent"]]
       assessment      region  coherent
    0   zhang2003        held       NaN
    1  santos2025  nucleation     0.497
    """
    T, frames = np.ravel(kelvin(T)), []
    for alloy in map(describe, [*assessments()] if sources is None else sources):
        melts = alloy.melts_on_the_way(np.full(T.shape, x0), T)
        path = stripping_path(x0, T[~melts], alloy)
        frame = pd.DataFrame({"assessment": alloy.name, "T": T, "region": "liquid"})
        frame.loc[~melts, "region"] = keys(path.start)
        for kind in ("coherent", "chemical"):
            enters, leaves = (path.q[f"{kind} spinodal {side}"] for side in ("alpha", "beta"))
            # What leaves the spinodal and does not enter it starts inside.
            frame.loc[~melts, kind] = np.where(np.isnan(enters) & ~np.isnan(leaves), 0.0, enters)
        frames.append(frame.assign(coherent_gap=_coherent_gap(alloy, T), melts=melts))
    return pd.concat(frames, ignore_index=True)


def disagreement(table: pd.DataFrame) -> Iterator[str]:
    """A sentence for each temperature at which assessments differ on the microstructure."""
    for T, rows in table.groupby("T", sort=False):
        fates = rows["coherent"].notna() | rows["melts"]
        if rows["region"].nunique() < 2 and fates.nunique() < 2:
            continue
        parts = []
        for row in rows.to_dict("records"):
            never = "fate_melts" if row["melts"] else "fate_never"
            q = row["coherent"]
            fate = never if np.isnan(q) else "fate_after" if q > 0 else "fate_now"
            said = say(fate, {"q": percent(q)})
            parts.append(f"{row['assessment']}: {NAMES[row['region']]}, {said}")
        yield say("disagree", {"T": f"{T:g} K", "parts": "; ".join(parts)})
        for row in rows.to_dict("records"):
            if 0.02 < row["coherent_gap"] < 0.98:
                share = {"share": f"{100 * row['coherent_gap']:.0f}", "T": f"{T:g} K"}
                yield say("gap_share", share | {"assessment": row["assessment"]})


def experiments(sources: Sequence[Source | Alloy] | None = None) -> pd.DataFrame:
    """Anodes that were made beside what assessments say of them.

    One row an anode and assessment: its composition and temperature, what was seen and is held
    against the diagram (`claim`), the `region` of the alloy, when it unmixes by itself as one
    lattice or without coherency (shares of the Li), the potential in mV as one solution, and
    whether the assessment `agrees`: "yes", "no", or "only incoherent".

    Parameters
    ----------
    sources
        As of `verdicts`.

    Examples
    --------
    >>> found = experiments(["santos2025"]).set_index("anode")
    >>> found.loc["Guan, Li0.1Na0.9 by weight", ["region", "agrees"]].tolist()
    ['incoherent_spinodal', 'no']
    """
    rows = []
    alloys = map(describe, [*assessments()] if sources is None else sources)
    for made, alloy in product(MADE_ANODES, alloys):
        row = verdicts(made.x, made.T, [alloy]).iloc[0].to_dict()
        E = 1e3 * float(potential(made.x, made.T, alloy).volt["solution"])
        row |= {"E_solution_mV": E, "agrees": _agrees(made.claim, row)}
        rows.append(asdict(made) | row)
    return pd.DataFrame(rows).drop(columns=["coherent_gap", "melts"])


def _agrees(claim: str, row: dict[Any, Any]) -> str:
    """Whether a row of `verdicts` is what was seen."""
    if claim == "unmixes":
        coherent, chemical = (not np.isnan(row[kind]) for kind in ("coherent", "chemical"))
        return "yes" if coherent else "only incoherent" if chemical else "no"
    single = row["region"] == "single"
    seen = {"one phase": single, "two phases": not single,
            "held": not single and row["region"] != "coherent_spinodal"}  # fmt: skip
    return "yes" if seen[claim] else "no"


def is_shipped(alloy: Alloy) -> bool:
    """Whether it is an assessment, and no other database by the name of one."""
    return alloy.name in assessments() and alloy.dbf == load(alloy.name)


def _coherent_gap(alloy: Alloy, T: Array) -> Array:
    """Share of the known draws that have a coherent gap at each temperature; NaN without draws."""
    known = source_draws(alloy.name, alloy.dbf) if is_shipped(alloy) else None
    if known is None:
        return np.full(T.shape, np.nan)
    dbf, draws = known
    free = BinarySolution(dbf, COMPONENTS, PHASE, alloy.coherent.model, symbols=draws.symbols)
    result: Array = 1 - np.isnan(free.logits("spinodal", T, draws.values)[0]).mean(axis=0)
    return result
