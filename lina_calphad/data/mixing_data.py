"""Energies of mixing in ESPEI datasets: as a table, and the paper's finite difference of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lina_calphad.data.datasets import ESPEI_ERROR, Dataset
from lina_calphad.data.supercells import EV_IN_J_PER_MOL, Interactions, finite_difference

#: Properties of mixing that ESPEI fits, each with its standard error there for a weight of one,
#: in J/mol of atoms and J/(mol K).
PROPERTIES = {"HM_MIX": ESPEI_ERROR, "SM_MIX": 0.2, "CPM_MIX": 0.2}


def mixing_data(
    datasets: Sequence[Dataset], phase: str, components: Sequence[str], output: str = "HM_MIX"
) -> pd.DataFrame:
    """Energies, or another property, of mixing of one phase.

    Parameters
    ----------
    datasets
        ESPEI datasets; those of the property of this phase alone count.
    phase
        Name of the phase.
    components
        The two elements.
    output
        One of `PROPERTIES`.

    Returns
    -------
    pandas.DataFrame
        One row a datum: x of the second component, energy (or what the output is) and its
        standard error in ESPEI's likelihood (J/mol of atoms, J/(mol K)), reference, T in K,
        and whether an entropy is without that of ideal mixing.

    Examples
    --------
    >>> from lina_calphad.data.datasets import read_datasets
    >>> frame = mixing_data(read_datasets(["santos2025"]), "BCC_A2", ("LI", "NA"))
    >>> frame[["x", "energy", "standard_error"]].round(3).to_numpy().tolist()
    [[0.008, 202.206, 7.538], [0.992, 112.009, 7.538]]
    """
    rows = []
    for dataset in datasets:
        if dataset["phases"] != [phase] or dataset["output"] != output or "solver" not in dataset:
            continue
        solver, values = dataset["solver"], np.asarray(dataset["values"], dtype=float)
        excess = "idmix" in dataset.get("excluded_model_contributions", ())
        T = np.broadcast_to(np.atleast_1d(dataset["conditions"]["T"]), values.shape[:2])
        errors = PROPERTIES[output] / np.broadcast_to(dataset.get("weight", 1.0), values.shape)
        for i, (names, shares) in enumerate(
            zip(solver["sublattice_configurations"], solver["sublattice_occupancies"], strict=True)
        ):
            part = next(j for j, n in enumerate(names) if not isinstance(n, str))
            x = float(shares[part][list(names[part]).index(components[1])])
            for at in np.ndindex(values.shape[:2]):
                numbers = values[(*at, i)], errors[(*at, i)]
                rows.append((x, *numbers, dataset.get("reference", ""), T[at], excess))
    columns = ["x", "energy", "standard_error", "reference", "T", "excess"]
    return pd.DataFrame(rows, columns=columns)


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
