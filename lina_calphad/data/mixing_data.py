"""Energies of mixing in ESPEI datasets: as a table, and the paper's finite difference of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lina_calphad.data.datasets import ESPEI_ERROR
from lina_calphad.data.supercells import EV_IN_J_PER_MOL, Interactions, finite_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lina_calphad.data.datasets import Dataset


def mixing_data(datasets: Sequence[Dataset], phase: str, components: Sequence[str]) -> pd.DataFrame:
    """Energies of mixing of one phase.

    Parameters
    ----------
    datasets
        ESPEI datasets; those of the output HM_MIX of this phase alone count.
    phase
        Name of the phase.
    components
        The two elements.

    Returns
    -------
    pandas.DataFrame
        One row a datum: x of the second component, energy and its standard error in
        ESPEI's likelihood (J/mol of atoms), and reference.

    Examples
    --------
    >>> from lina_calphad.data.datasets import read_datasets
    >>> frame = mixing_data(read_datasets(["santos2025"]), "BCC_A2", ("LI", "NA"))
    >>> frame[["x", "energy", "standard_error"]].round(3).to_numpy().tolist()
    [[0.008, 202.206, 7.538], [0.992, 112.009, 7.538]]
    """
    rows = []
    for dataset in datasets:
        if dataset["phases"] != [phase] or dataset["output"] != "HM_MIX":
            continue
        solver, values = dataset["solver"], np.asarray(dataset["values"], dtype=float)
        errors = ESPEI_ERROR / np.broadcast_to(dataset.get("weight", 1.0), values.shape)
        for i, (names, shares) in enumerate(
            zip(solver["sublattice_configurations"], solver["sublattice_occupancies"], strict=True)
        ):
            part = next(j for j, n in enumerate(names) if not isinstance(n, str))
            x = float(shares[part][list(names[part]).index(components[1])])
            for value, error in zip(
                np.ravel(values[..., i]), np.ravel(errors[..., i]), strict=True
            ):
                rows.append((x, value, error, dataset.get("reference", "")))
    return pd.DataFrame(rows, columns=["x", "energy", "standard_error", "reference"])


def difference_of(data: pd.DataFrame) -> Interactions | None:
    """⁰L and ¹L by the paper's eqs. 8 and 9, where the data (of `mixing_data`) are made for them.

    None unless exactly one datum on each side is of one substituted atom in N, with the same N of
    at least 3.

    Examples
    --------
    >>> from lina_calphad.data.datasets import read_datasets
    >>> data = mixing_data(read_datasets(["santos2025"]), "BCC_A2", ("LI", "NA"))
    >>> [round(value, 4) for value in difference_of(data)]
    [20109.8, 5772.6]
    """
    x, energy = data["x"].to_numpy(dtype=float), data["energy"].to_numpy(dtype=float)
    dilute = np.clip(np.minimum(x, 1 - x), 1e-12, None)
    atoms = np.round(1 / dilute)
    whole = (np.abs(atoms * dilute - 1) < 1e-4) & (atoms > 2)
    first, second = np.flatnonzero(whole & (x < 0.5)), np.flatnonzero(whole & (x > 0.5))
    if (first.size, second.size) != (1, 1) or atoms[first[0]] != atoms[second[0]]:
        return None
    try:
        return finite_difference(*(energy * atoms / EV_IN_J_PER_MOL)[[first[0], second[0]]])
    except ValueError:  # no energies of one substituted atom
        return None
