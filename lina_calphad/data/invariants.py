"""Measured invariants and critical points with their errors, from ESPEI's ZPF datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lina_calphad.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

#: The field of a ZPF dataset that holds the errors, and that ESPEI leaves alone.
FIELD = "lina_invariants"
_KEYS = {"name", "T_error", "x_error"}


class Invariant(NamedTuple):
    """One row of `read_invariants`."""

    name: str
    kind: str
    phases: tuple[str, ...]
    T: float
    T_error: float
    x: tuple[float, ...]
    x_error: tuple[float, ...]
    source: str


def read_invariants(
    datasets: Sequence[Mapping[str, Any]], components: Sequence[str] | None = None
) -> pd.DataFrame:
    """Measured equilibria that have errors of their temperature and compositions.

    A ZPF dataset has them in the field ``lina_invariants``: a list as long as ``values``, each
    null or an object with ``T_error`` in K, ``x_error``, one for each vertex and null where the
    vertex has no composition, and a ``name`` for people. Temperatures, phases and compositions
    are ESPEI's own. Datasets without the field have none.

    Parameters
    ----------
    datasets
        As of `read_datasets`.
    components
        The two components, x being the mole fraction of the second; those of each dataset in
        alphabetical order if not given.

    Returns
    -------
    pandas.DataFrame
        One row an equilibrium: name; kind, "three-phase", "critical" (two vertices of one phase
        and one composition) or "tie-line"; phases, a tuple in order of x (of a critical point
        one); T and T_error in K, the latter NaN where a tie-line has none; x and x_error, tuples
        with NaN where nothing was measured; source.

    Raises
    ------
    DatasetError
        If the field does not fit the dataset, an error is no positive number or missing, or
        vertices, one of them without a composition, are not in order of composition.

    Examples
    --------
    >>> from lina_calphad.data.datasets import read_datasets
    >>> frame = read_invariants(read_datasets(["down1975"]))
    >>> frame[["name", "T", "T_error", "x"]].to_numpy().tolist()[0]
    ['monotectic', 443.9, 0.05, (nan, 0.03, 0.899)]
    """
    import pandas as pd

    rows = [row for dataset in datasets for row in invariants_of(dataset, components)]
    return pd.DataFrame(rows, columns=list(Invariant._fields))


def invariants_of(
    dataset: Mapping[str, Any], components: Sequence[str] | None = None
) -> Iterator[Invariant]:
    """Those of one dataset; see `read_invariants`."""
    field = dataset.get(FIELD)
    if field is None:
        return
    source = str(dataset.get("reference", "a dataset"))
    own = sorted(name.upper() for name in dataset["components"] if name.upper() != "VA")
    pair = [name.upper() for name in components or own]
    if dataset["output"] != "ZPF" or len(own) != 2 or sorted(pair) != own:
        raise DatasetError(
            f"{source}: {FIELD} belongs to ZPF data of two components, here {' and '.join(pair)}; "
            f"got {dataset['output']} of {', '.join(own)}"
        )
    values = dataset["values"]
    if not isinstance(field, list) or len(field) != len(values):
        has = f"{len(field)} entries" if isinstance(field, list) else "no list"
        raise DatasetError(
            f"{source}: {FIELD} has {has}; it has one, or null, for each of {len(values)} values"
        )
    T = np.broadcast_to(np.asarray(dataset["conditions"]["T"], dtype=float), len(values))
    for at, vertices, entry in zip(T.tolist(), values, field, strict=True):
        if entry is not None:
            yield _invariant(source, at, vertices, entry, pair)


def _invariant(
    source: str, T: float, vertices: Sequence[Any], entry: Any, pair: Sequence[str]
) -> Invariant:
    where = f"{source} at {T:g} K"
    if not isinstance(entry, dict) or not {"x_error"} <= entry.keys() <= _KEYS:
        raise DatasetError(
            f"{where}: an entry of {FIELD} has x_error, T_error and name; got {entry!r}"
        )
    errors = entry["x_error"]
    if not isinstance(errors, list) or len(errors) != len(vertices) or len(errors) not in (2, 3):
        raise DatasetError(
            f"{where}: x_error has one number or null for each of two or three vertices; got "
            f"{errors!r} for {len(vertices)}"
        )
    points = [
        (phase.upper(), *_composition(where, phase, names, x, error, pair))
        for (phase, names, x, *_), error in zip(vertices, errors, strict=True)
    ]
    phases, x, x_errors = zip(*_in_order(where, points, vertices, pair), strict=True)
    kind = "three-phase" if len(points) == 3 else "tie-line"
    if kind == "tie-line" and phases[0] == phases[1] and not abs(x[1] - x[0]) > 0:
        if np.isnan(x).any() or x_errors[0] != x_errors[1]:
            raise DatasetError(
                f"{where}: a critical point has one composition with one error, given twice"
            )
        kind, phases, x, x_errors = "critical", phases[:1], x[:1], x_errors[:1]
    T_error = entry.get("T_error")
    if T_error is not None or kind != "tie-line":
        T_error = _positive(f"{where}: T_error", T_error)
    name = str(entry.get("name", kind))
    return Invariant(name, kind, phases, T, T_error or np.nan, x, x_errors, source)


def _composition(
    where: str, phase: str, names: Sequence[str], x: Sequence[Any], error: Any, pair: Sequence[str]
) -> tuple[float, float]:
    """Mole fraction of the second component in a vertex and its error; NaN if not measured."""
    if x[0] is None:
        if error is not None:
            raise DatasetError(f"{where}: {phase} has an error and no composition")
        return np.nan, np.nan
    value = float(x[0])
    if not 0 < value < 1:
        raise DatasetError(
            f"{where}: a mole fraction lies between 0 and 1, ends excluded; {phase} has {value}"
        )
    second = names[0].upper() == pair[1]
    return value if second else 1 - value, _positive(f"{where}: x_error of {phase}", error)


def _in_order(
    where: str, points: list[Any], vertices: Sequence[Any], pair: Sequence[str]
) -> list[Any]:
    """Vertices by composition; one that has none keeps the place in which it is written."""
    x = [point[1] for point in points]
    if not np.isnan(x).any():
        return sorted(points, key=lambda point: float(point[1]))
    # Written in order of the component that the file names.
    ordered = points if vertices[0][1][0].upper() == pair[1] else points[::-1]
    known = [point[1] for point in ordered if not np.isnan(point[1])]
    if known != sorted(known):
        raise DatasetError(
            f"{where}: where a composition is null the vertices stand in order of composition, "
            f"which says which is which; got {vertices}"
        )
    return ordered


def _positive(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise DatasetError(f"{what} is a positive number, the standard error; got {value!r}")
    return float(value)
