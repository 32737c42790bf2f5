"""Lint of the phases of a TDB file: what they lack, and the ranges of their parameters."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any

from lina_calphad.check.endmembers import missing_endmembers
from lina_calphad.check.findings import Finding
from lina_calphad.check.tdb_text import CLOSE, NO_LIMIT, Entry, TdbText, span

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED = 8  # of many end-members, parameters or phases


def phases(tdb: TdbText) -> Iterator[Finding]:
    """Phases that lack something, and parameters that fit no phase."""
    lines = tdb.lines("PHASE")
    described = {entry.parameter["phase_name"] for entry in tdb.parameters}
    for name, phase in tdb.phases.items():
        if phase.constituents is None:
            yield Finding(
                "error", "no constituents", name, lines.get(name),
                "has no CONSTITUENT, so that pycalphad cannot use it",
                "add the CONSTITUENT, or take the phase out",
            )  # fmt: skip
        elif len(phase.constituents) != len(phase.sublattices):
            yield Finding(
                "error", "sublattices", name, lines.get(name),
                f"has {len(phase.sublattices)} site ratios and {len(phase.constituents)} "
                "sublattices with constituents", "mend its PHASE or its CONSTITUENT",
            )  # fmt: skip
        if name not in described and "disordered_phase" not in phase.model_hints:
            yield Finding(
                "warning", "no parameters", name, lines.get(name),
                "has no PARAMETER: its energy is that of ideal mixing alone",
                "add its parameters, or take the phase out",
            )  # fmt: skip
    for entry in tdb.parameters:
        if reason := _without_effect(tdb, entry.parameter):
            yield Finding(
                "error", "no effect", entry.name, entry.line,
                f"pycalphad leaves it out: {reason}", "mend the parameter or the phase",
            )  # fmt: skip


def endmembers(tdb: TdbText) -> Iterator[Finding]:
    """Endmembers without a Gibbs energy."""
    lines = tdb.lines("PHASE")
    described = {entry.parameter["phase_name"] for entry in tdb.parameters if entry.energy}
    arrays = defaultdict(list)
    for p in tdb.dbf.search(lambda p: p["parameter_type"] == "G" and p["parameter_order"] == 0):
        arrays[p["phase_name"]].append(p["constituent_array"])
    for name, phase in tdb.phases.items():
        # An ordered phase may leave its energy to the disordered one.
        if name not in described or not phase.constituents \
                or phase.model_hints.get("ordered_phase") == name:  # fmt: skip
            continue
        known = None if tdb.components is None else tdb.components | {"VA"}
        sublattices = [
            [s for s in sublattice if known is None or set(s.constituents) <= known]
            for sublattice in phase.constituents
        ]
        missing = missing_endmembers(sublattices, arrays[name])
        if missing.count:
            shown = (*missing.pure[:_NAMED], *missing.others)
            more = ", ..." if missing.count > len(shown) else ""
            pure = f", {len(missing.pure)} of them of a pure element" if missing.pure else ""
            yield Finding(
                "error" if missing.pure else "warning", "missing end-member", name,
                lines.get(name), f"{missing.count} of {missing.total} end-members have no G"
                f"{pure} ({', '.join(shown)}{more}); pycalphad takes each for zero",
                "add the PARAMETER, be it zero",
            )  # fmt: skip


def _without_effect(tdb: TdbText, parameter: Any) -> str:
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
    strange = {
        species.name
        for given, known in zip(array, sublattices, strict=True)
        for species in set(given) - known
    } - {"*"}
    return f"{name} has no {', '.join(sorted(strange))} there" if strange else ""


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
        start = max(298.15 + CLOSE, median(lows) + 100)
        end = min(1000.0, median(highs) / 2)
        odd = [e for e in entries if e.low > start or e.high < end]
        if common[0] >= common[1]:
            odd = [max(entries, key=lambda e: e.low), min(entries, key=lambda e: e.high)]
            text = "the common range of all parameters is empty: "
        else:
            text = "what follows begins or ends well inside the range of the others: "
            if common != (NO_LIMIT, math.inf):
                together[common].append(phase)
        if odd:
            named = ", ".join(f"{e.name} {e.span}" for e in odd[:_NAMED])
            more = f", and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
            yield Finding(
                "warning", "range of a parameter", phase, odd[0].line, f"{text}{named}{more}",
                "let the ranges meet",
            )  # fmt: skip
    for common, phases in together.items():
        more = f" and {len(phases) - _NAMED} more" if len(phases) > _NAMED else ""
        yield Finding(
            "note", "range", ", ".join(phases[:_NAMED]) + more, None,
            f"the parameters hold together {span(*common)}",
            "outside, pycalphad extrapolates without a word",
        )  # fmt: skip
