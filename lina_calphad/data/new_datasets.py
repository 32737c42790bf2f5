"""New ESPEI datasets: energies of mixing from supercells, and measured solubilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lina_calphad.data.datasets import COLDEST, SOLUBILITY, Dataset, check_dataset
from lina_calphad.data.mixing import mixing_energies
from lina_calphad.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from lina_calphad.data.cells import Cell

#: ESPEI's standard error of an enthalpy at weight 1, in J/mol of atoms.
ESPEI_STANDARD_ERROR = 500.0
#: bcc with its vacancies: one site for atoms, three interstitial ones.
BCC_SITE_RATIOS = (1.0, 3.0)


def energies_dataset(
    cells: Sequence[Cell],
    *,
    components: Sequence[str] = ("LI", "NA"),
    phase: str = "BCC_A2",
    reference: str,
    bibtex: str = "",
    comment: str = "",
    uncertainty: float = 0.01,
    max_force: float = 0.05,
    max_pressure: float = 2.0,
    site_ratios: Sequence[float] = BCC_SITE_RATIOS,
) -> Dataset:
    """Make an ESPEI dataset HM_MIX of the supercells that hold both elements.

    The weight of each value makes ESPEI's standard error (500 J/mol over the weight)
    that of the cell: `uncertainty` for each atom of the rarer element, so n/N times as
    much per atom.

    Parameters
    ----------
    cells
        As of `read_table` or `read_calculations`. Pure elements are references alone.
    components
        The two elements, in the order of the cells' counts.
    phase
        The substitutional phase that the cells belong to.
    reference, bibtex
        Source of the data, in short and as a key.
    comment
        What they rest on: code, functional, cut-off, mesh, cell.
    uncertainty
        Standard error in eV of each substituted atom.
    max_force, max_pressure
        Largest residual force (eV/Å) and pressure (kbar) allowed.
    site_ratios
        Sites of the phase: first those of the atoms, then those left vacant. (1,) for
        a phase without vacancies.

    Returns
    -------
    dict
        For `write_dataset`; values of shape (1, 1, number of mixed cells) in J/mol of
        atoms, entered at 298.15 K.

    Raises
    ------
    DatasetError
        As of `mixing_energies`, or if the site ratios are none.
    ValueError
        If the uncertainty is not positive.

    Examples
    --------
    >>> from lina_calphad.data.cells import Cell
    >>> cell = Cell("Na_in_Li", (53, 1), -101.920202, e_first=-1.9019451, e_second=-1.3223448)
    >>> data = energies_dataset([cell], reference="GPAW")
    >>> data["values"], data["weight"]
    ([[[366.703404]]], [[[27.983528]]])
    """
    components = [component.upper() for component in components]
    energies = mixing_energies(
        cells,
        components=components,
        uncertainty=uncertainty,
        max_force=max_force,
        max_pressure=max_pressure,
    )
    weights = [ESPEI_STANDARD_ERROR / energy.standard_error for energy in energies]
    note = (
        f"Energies at 0 K, entered at {COLDEST} K because ESPEI drops colder data. Standard error "
        f"{uncertainty:g} eV for each atom of the rarer element, all in one direction within a "
        "cell: the weights say so, 500 J/mol over the standard error. The cells are relaxed, so "
        'their energies hold no coherency energy: "elastic" is excluded.'
    )
    dataset = {
        **_head(components, phase, [energy.cell.x for energy in energies], site_ratios),
        "conditions": {"P": 101325, "T": COLDEST},
        "output": "HM_MIX",
        # Six digits after the point are far below any error, and read well.
        "values": [[[round(energy.enthalpy, 6) for energy in energies]]],
        "weight": [[[round(weight, 6) for weight in weights]]],
        "excluded_model_contributions": ["elastic"],
        "reference": reference,
        "bibtex": bibtex,
        "comment": f"{comment} {note}".strip(),
        "cells": [energy.cell.name for energy in energies],
    }
    check_dataset(dataset, reference)
    return dataset


def solubility_dataset(
    T: ArrayLike,
    x: ArrayLike,
    *,
    solvent: str,
    components: Sequence[str] = ("LI", "NA"),
    phase: str = "BCC_A2",
    ln_x_error: ArrayLike,
    reference: str,
    bibtex: str = "",
    comment: str = "",
    site_ratios: Sequence[float] = BCC_SITE_RATIOS,
) -> Dataset:
    """Make a dataset of measured solubilities within one phase that unmixes.

    ESPEI accepts its format (output SOLUBILITY) and takes no notice of it.

    Parameters
    ----------
    T
        Temperatures in K, shape (n,) or a scalar.
    x
        Mole fraction of the solute in the saturated solid, as `T`.
    solvent
        The other element of the two; "LI" for Na in Li.
    components
        The two elements.
    phase
        The substitutional phase.
    ln_x_error
        Standard error of ln x, which is the relative one of a small x: a scalar, or
        as `T`.
    reference, bibtex, comment
        Source of the data.
    site_ratios
        As of `energies_dataset`.

    Returns
    -------
    dict
        For `write_dataset`; values of shape (1, n, 1), and ``ln_x_error``.

    Raises
    ------
    DatasetError
        If a temperature or error is not positive, a mole fraction is not between 0
        and 1, their numbers differ, or the solvent is none of the components.

    Examples
    --------
    >>> data = solubility_dataset(
    ...     [350.0, 400.0], [2e-4, 6e-4], solvent="LI", ln_x_error=0.1, reference="nobody")
    >>> data["values"], data["solver"]["sublattice_occupancies"]
    ([[[0.0002], [0.0006]]], [[[1.0, 0.0], 1.0]])
    """
    components, solvent = [component.upper() for component in components], solvent.upper()
    if solvent not in components:
        msg = f"{reference}: the solvent {solvent} is none of {' and '.join(components)}"
        raise DatasetError(msg)
    given = {"T": np.atleast_1d(T), "x": np.atleast_1d(x), "ln_x_error": np.atleast_1d(ln_x_error)}
    number = given["T"].size
    if given["ln_x_error"].shape == (1,):
        given["ln_x_error"] = np.repeat(given["ln_x_error"], number)
    for name, numbers in given.items():
        upper = 1.0 if name == "x" else np.inf
        if numbers.shape != (number,):
            msg = f"{reference}: {number} temperatures, but {name} has the shape {numbers.shape}"
            raise DatasetError(msg)
        if not ((numbers > 0) & (numbers < upper)).all():
            msg = f"{reference}: {name} is between 0 and {upper:g}, ends excluded; got {numbers}"
            raise DatasetError(msg)
    dataset = {
        **_head(components, phase, [float(solvent == components[1])], site_ratios),
        "conditions": {"P": 101325, "T": given["T"].tolist()},
        "output": SOLUBILITY,
        "values": [[[value] for value in given["x"].tolist()]],
        "ln_x_error": given["ln_x_error"].tolist(),
        "reference": reference,
        "bibtex": bibtex,
        "comment": comment,
    }
    check_dataset(dataset, reference)
    return dataset


def _head(
    components: Sequence[str], phase: str, x: Sequence[float], site_ratios: Sequence[float]
) -> Dataset:
    """Components, phase and sublattices; `x` are mole fractions of the second component."""
    if not len(site_ratios) or not min(site_ratios) > 0:
        msg = f"site ratios are positive, first those of the atoms; got {list(site_ratios)}"
        raise DatasetError(msg)
    vacant = ["VA"] * (len(site_ratios) - 1)
    names = sorted(components)
    order = [list(components).index(name) for name in names]
    return {
        "components": [*names, *vacant[:1]],
        "phases": [phase.upper()],
        "solver": {
            "mode": "manual",
            "sublattice_site_ratios": list(site_ratios),
            # ESPEI wants the names of one sublattice in alphabetical order.
            "sublattice_configurations": [[names, *vacant]] * len(x),
            "sublattice_occupancies": [
                [[(1.0 - value, value)[index] for index in order], *(1.0 for _ in vacant)]
                for value in x
            ],
        },
    }
