"""Lint of the phases of a TDB file: what they lack, and the ranges of their parameters."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from math import prod
from statistics import median
from typing import Any

import numpy as np

from lina_calphad.check.findings import Finding, found, listed
from lina_calphad.check.tdb_text import NO_LIMIT, Entry, TdbText, span
from lina_calphad.data.databases import (
    has_elastic_data,
)

_MOST_ENDMEMBERS = 10_000_000  # of one phase


def phases(tdb: TdbText) -> Iterator[Finding]:
    """Phases that lack something, and parameters that fit no phase."""
    lines = tdb.lines("PHASE")
    described = {entry.parameter["phase_name"] for entry in tdb.parameters}
    for name, phase in tdb.phases.items():
        line = lines.get(name)
        if phase.constituents is None:
            yield found("no constituents", name, line)
        elif len(phase.constituents) != len(phase.sublattices):
            ratios, held = len(phase.sublattices), len(phase.constituents)
            yield found("sublattices", name, line, ratios=ratios, held=held)
        if name not in described and "disordered_phase" not in phase.model_hints:
            yield found("no parameters", name, line)
    for entry in tdb.parameters:
        if reason := _without_effect(tdb, entry.parameter):
            yield found("no effect", entry.name, entry.line, reason=reason)


def _without_effect(tdb: TdbText, parameter: Any) -> str:
    """Why pycalphad makes nothing of a parameter, or an empty string."""
    name, array = parameter["phase_name"], parameter["constituent_array"]
    phase = tdb.dbf.phases.get(name)
    if phase is None:
        return f"there is no PHASE {name}"
    sublattices = phase.constituents
    if sublattices is None:
        return ""
    if len(array) == 1 and phase.model_hints.get("ionic_liquid_2SL"):
        sublattices = sublattices[1:]  # a neutral species stands without the cations
    if len(array) != len(sublattices):
        return f"{name} has {len(sublattices)} sublattices, not {len(array)}"
    pairs = zip(array, sublattices, strict=True)
    strange = {s.name for given, known in pairs for s in set(given) - known} - {"*"}
    return f"{name} has no {', '.join(sorted(strange))} there" if strange else ""


def endmembers(tdb: TdbText) -> Iterator[Finding]:
    """End-members without a Gibbs energy, which pycalphad takes for zero."""
    lines = tdb.lines("PHASE")
    described = {entry.parameter["phase_name"] for entry in tdb.parameters if entry.energy}
    arrays = defaultdict(list)
    for p in tdb.dbf.search(lambda p: p["parameter_type"] == "G" and p["parameter_order"] == 0):
        arrays[p["phase_name"]].append(
            [[s.name for s in names] for names in p["constituent_array"]]
        )
    for name, phase in tdb.phases.items():
        # An ordered phase may leave its energy to the disordered one.
        if name not in described or not phase.constituents \
                or phase.model_hints.get("ordered_phase") == name:  # fmt: skip
            continue
        known = None if tdb.components is None else tdb.components | {"VA"}
        sublattices = [
            {s.name: s for s in sublattice if known is None or set(s.constituents) <= known}
            for sublattice in phase.constituents
        ]
        if (count := prod(map(len, sublattices))) > _MOST_ENDMEMBERS:
            yield found("too many end-members", name, lines.get(name), count=count)
            continue
        pure, others, total = _missing(sublattices, arrays[name])
        if pure or others:
            said = f", {len(pure)} of them of a pure element" if pure else ""
            yield found(
                "missing end-member", name, lines.get(name), "error" if pure else None,
                count=len(pure) + len(others), total=total, pure=said,
                names=listed([*pure, *others]),
            )  # fmt: skip


def _missing(
    sublattices: list[dict[str, Any]], arrays: list[list[list[str]]]
) -> tuple[list[str], list[str], int]:
    """End-members no array describes: of a pure element, and others; and of how many."""
    names = [sorted(known) for known in sublattices]
    missing = np.ones([len(known) for known in names], dtype=bool)
    vacant = all("VA" in known for known in names)
    for array in [*arrays, [["VA"]] * len(names)]:  # nothing but vacancies has no energy
        # A neutral species of an ionic liquid stands alone.
        ends = [["*"], *array] if len(array) == len(names) - 1 == 1 else array
        if len(ends) == len(names) and all(
            len(end) == 1 and (end == ["*"] or end[0] in known)
            for end, known in zip(ends, names, strict=True)
        ):
            missing[tuple(
                slice(None) if end == ["*"] else known.index(end[0])
                for end, known in zip(ends, names, strict=True)
            )] = False  # fmt: skip
    found = [":".join(map(list.__getitem__, names, index)) for index in np.argwhere(missing)]
    species = {name: s for known in sublattices for name, s in known.items()}
    pure = set()
    for element in {e for s in species.values() for e in s.constituents} - {"VA"}:
        # Charges beside each other are no element, but cations with vacancies are.
        own = [[n for n in known if n == "VA" or (
            set(species[n].constituents) == {element} and (len(names) == 2 or not species[n].charge)
        )] for known in names]  # fmt: skip
        pure |= set(map(":".join, product(*own)))
    return (
        [end for end in found if end in pure],
        [end for end in found if end not in pure],
        missing.size - vacant,
    )


def volumes(tdb: TdbText) -> Iterator[Finding]:
    """Thermal expansions, which the coherent model refuses to leave out."""
    for entry in tdb.parameters:
        p = entry.parameter
        if p["parameter_type"] == "VA" and has_elastic_data(tdb.dbf, p["phase_name"]):
            yield found("not in the coherency", entry.name, entry.line)


def ranges(tdb: TdbText) -> Iterator[Finding]:
    """Where the parameters of a phase hold, and which of them spoil that."""
    described: dict[str, list[Entry]] = defaultdict(list)
    for entry in tdb.parameters:
        if entry.energy:
            described[entry.parameter["phase_name"]].append(entry)
    together = defaultdict(list)
    for phase, entries in sorted(described.items()):
        lows, highs = [e.low for e in entries], [e.high for e in entries]
        common = max(NO_LIMIT, *lows), min(math.inf, *highs)
        # Well inside: more than the difference between 200 or 1 K and 298.15 K below, and
        # above nothing that ends where an element has its last SGTE range.
        start = max(299.15, median(lows) + 100)
        end = min(1000.0, median(highs) / 2)
        odd = [e for e in entries if e.low > start or e.high < end]
        what = "what follows begins or ends well inside the range of the others"
        if common[0] >= common[1]:
            odd = [max(entries, key=lambda e: e.low), min(entries, key=lambda e: e.high)]
            what = "the common range of all parameters is empty"
        elif common != (NO_LIMIT, math.inf):
            together[common].append(phase)
        if odd:
            names = listed([f"{e.name} {e.span}" for e in odd])
            yield found("range of a parameter", phase, odd[0].line, what=what, names=names)
    for common, phases in together.items():
        yield found("range", listed(phases), None, span=span(*common))
