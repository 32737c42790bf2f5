"""Endmembers of a phase that a TDB gives no Gibbs energy, which pycalphad takes for zero."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Endmember = tuple[str, ...]


@dataclass(frozen=True)
class Missing:
    """The endmembers of one phase without a Gibbs energy.

    Parameters
    ----------
    pure
        Those of a pure element: it and vacancies alone.
    others
        Some of the rest.
    count, total
        How many are missing, of how many; those of vacancies alone are not counted.
    """

    pure: tuple[str, ...]
    others: tuple[str, ...]
    count: int
    total: int


def missing_endmembers(
    sublattices: Sequence[Iterable[Any]],
    arrays: Iterable[Sequence[Sequence[Any]]],
    *,
    named: int = 3,
) -> Missing:
    """Find the endmembers of a phase that no parameter describes.

    Parameters
    ----------
    sublattices
        Species (of pycalphad) on each sublattice.
    arrays
        Constituent arrays of the parameters G of order 0.
    named
        How many of `Missing.others` to name.

    Examples
    --------
    >>> from pycalphad import variables as v
    >>> A, B, VA = map(v.Species, ("A", "B", "VA"))
    >>> missing_endmembers([[A, B], [VA]], [[[A], [VA]]])
    Missing(pure=('B:VA',), others=(), count=1, total=2)
    """
    species = {s.name: s for sublattice in sublattices for s in sublattice}
    names = [sorted({s.name for s in sublattice}) for sublattice in sublattices]
    given: set[Endmember] = {("VA",) * len(names)}  # no atoms, and no energy
    for array in arrays:
        ends = [[s.name for s in sublattice] for sublattice in array]
        if len(ends) == len(names) - 1 == 1:  # a neutral species of an ionic liquid
            ends = [["*"], *ends]
        if len(ends) == len(names) and all(len(end) == 1 for end in ends):
            given |= set(product(*(
                known if end == ["*"] else end for end, known in zip(ends, names, strict=True)
            )))  # fmt: skip
    given = {end for end in given if all(map(list.__contains__, names, end))}
    empty = ("VA",) * len(names) in given
    total = prod(map(len, names)) - empty

    elements = {e for s in species.values() for e in s.constituents} - {"VA"}
    pure = []
    for element in sorted(elements):
        # Charges beside each other are no element, but cations with vacancies are.
        own = [[n for n in known if n == "VA" or (
            set(species[n].constituents) == {element} and (len(names) == 2 or not species[n].charge)
        )] for known in names]  # fmt: skip
        pure += [end for end in product(*own) if set(end) != {"VA"} and end not in given]
    others = (end for end in product(*names) if end not in given and end not in set(pure))
    count = total - (len(given) - empty)
    return Missing(
        tuple(map(":".join, pure)),
        tuple(map(":".join, islice(others, min(named, count - len(pure))))),
        count,
        total,
    )
