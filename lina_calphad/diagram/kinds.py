"""What the field calls the events of a diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.diagram.tracing import Event

_LIQUIDS = ("LIQ", "L_", "MELT", "IONIC_LIQ")


def _liquid(name: str) -> bool:
    return name.upper().startswith(_LIQUIDS)


def kind_of(event: Event, names: Sequence[str]) -> str:
    """What the field calls an event."""
    if event.kind == "critical":
        return f"{'upper' if event.upper else 'lower'} critical point"
    if event.kind == "congruent":
        return f"congruent {'maximum' if event.upper else 'minimum'}"
    if event.kind == "transition":
        return "transition"
    left, middle, right = map(_liquid, names)
    outer = left + right
    if not event.upper:  # the middle phase splits on cooling
        if middle:
            return ("eutectic", "monotectic", "monotectic")[outer]
        if outer:
            return "metatectic"
        return "monotectoid" if names[1] in (names[0], names[2]) else "eutectoid"
    if middle:
        return "inverse monotectic" if outer else "inverse eutectic"
    return ("peritectoid", "peritectic", "syntectic")[outer]
