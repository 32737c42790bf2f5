"""New ESPEI datasets: energies of mixing from supercells, and measured solubilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lina_calphad.data.assessments import Source
from lina_calphad.data.datasets import (
    COLDEST,
    ESPEI_ERROR,
    SOLUBILITY,
    Dataset,
    check_dataset,
)
from lina_calphad.data.lattices import VACANT, lattice_of
from lina_calphad.data.supercells import (
    finite_difference,
    mixing_energies,
    parameter_covariance,
    redlich_kister,
    substitution_pairs,
)
from lina_calphad.errors import DatasetError
from lina_calphad.report import Shown

#: bcc with its vacancies: one site for atoms, three interstitial ones.
BCC_SITE_RATIOS = (1.0, 3.0)


def energies_dataset(
    cells: pd.DataFrame,
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
    >>> cells = pd.DataFrame({"name": ["Na_in_Li"], "n_first": 53, "n_second": 1,
    ...                       "energy": -101.920202, "e_first": -1.9019451, "e_second": -1.3223448})
    >>> data = energies_dataset(cells, reference="GPAW")
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
    note = (
        f"Energies at 0 K, entered at {COLDEST} K because ESPEI drops colder data. Standard error "
        f"{uncertainty:g} eV for each atom of the rarer element, all in one direction within a "
        "cell: the weights say so, 500 J/mol over the standard error. The cells are relaxed, so "
        'their energies hold no coherency energy: "elastic" is excluded.'
    )
    dataset = {
        **_head(components, phase, energies["x"].tolist(), site_ratios),
        "conditions": {"P": 101325, "T": COLDEST},
        "output": "HM_MIX",
        # Six digits after the point are far below any error, and read well.
        "values": [[energies["enthalpy"].round(6).tolist()]],
        "weight": [[(ESPEI_ERROR / energies["error"]).round(6).tolist()]],
        "excluded_model_contributions": ["elastic"],
        "reference": reference,
        "bibtex": bibtex,
        "comment": f"{comment} {note}".strip(),
        "cells": energies["name"].tolist(),
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
    equilibrium: str,
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
    equilibrium
        "chemical" if the phases were free of stress, as in samples that came to equilibrium;
        "coherent" if they were one crystal. A fit compares them with a curve of the kind.
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
        and 1, their numbers differ, the solvent is none of the components, or
        the equilibrium is neither.

    Examples
    --------
    >>> data = solubility_dataset(
    ...     [350.0, 400.0], [2e-4, 6e-4], solvent="LI", equilibrium="chemical", ln_x_error=0.1,
    ...     reference="nobody")
    >>> data["values"], data["solver"]["sublattice_occupancies"]
    ([[[0.0002], [0.0006]]], [[[1.0, 0.0], 1.0]])
    """
    components, solvent = [component.upper() for component in components], solvent.upper()
    if solvent not in components:
        raise DatasetError(
            f"{reference}: the solvent {solvent} is none of {' and '.join(components)}"
        )
    T, errors = np.atleast_1d(T).astype(float), np.atleast_1d(ln_x_error).astype(float)
    if errors.shape == (1,):
        errors = np.repeat(errors, T.size)
    dataset = {
        **_head(components, phase, [float(solvent == components[1])], site_ratios),
        "conditions": {"P": 101325, "T": T.tolist()},
        "output": SOLUBILITY,
        "values": [[[value] for value in np.atleast_1d(x).tolist()]],
        "equilibrium": equilibrium,
        "ln_x_error": errors.tolist(),
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
        raise DatasetError(
            f"site ratios are positive, first those of the atoms; got {list(site_ratios)}"
        )
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


def site_ratios(
    phase: str,
    components: Sequence[str],
    *,
    database: Source | None = None,
    vacant: float | None = None,
    lattice: str | None = None,
) -> tuple[tuple[float, ...], str]:
    """Sites of a phase, first those of the atoms, then those left vacant; and what to say of it.

    Those of a `database` (key or TDB); else `vacant` sites for each atom, 0 for none; else those of
    SGTE's unary data for a `lattice` ("bcc", "fcc", "hcp"; by default that of its name).
    DatasetError if the database has other sites than `vacant`, or the atoms on another sublattice
    than the first.

    Examples
    --------
    >>> site_ratios("BCC_A2", ("LI", "NA"), database="santos2025")[0]
    (1.0, 3.0)
    >>> site_ratios("FCC_A1", ("AL", "ZN"))[0]
    (1.0, 1.0)
    """
    asked = None if vacant is None else ((1.0, float(vacant)) if vacant else (1.0,))
    if database is not None:
        from lina_calphad.data.assessments import read
        from lina_calphad.data.databases import mixing_sublattice

        dbf, origin = read(database, components, (phase.upper(),))
        there = tuple(float(ratio) for ratio in dbf.phases[phase.upper()].sublattices)
        first = mixing_sublattice(dbf, phase.upper(), {*components, "VA"})
        if first or (asked and asked != there):
            wanted = f"{phase} is asked for with {asked}" if asked else "atoms are on the first"
            raise DatasetError(
                f"{origin.source} has sublattices of {there} sites in {phase}, and {wanted}"
            )
        return there, ""
    if asked:
        return asked, ""
    number = VACANT.get(lattice or lattice_of(phase) or "", 0.0)
    note = (
        f"{phase} is taken to have {f'{number:g}' if number else 'no'} vacant sites for each atom, "
        "as in SGTE's unary data: a database with others cannot use this dataset. --database takes "
        "the sites from yours, --vacant sets them"
    )
    return ((1.0, number) if number else (1.0,)), note


def energies_shown(energies: pd.DataFrame, uncertainty: float) -> list[Shown]:
    """Energies of `mixing_energies`, and the parameters that pairs of them give, as tables."""
    formats = {
        "cell": ("name", "{}"),
        "x": ("x", "{:.5f}"),
        "eV per substituted atom": ("substitution", "{:.4f}"),
        "HM_MIX / (J/mol)": ("enthalpy", "{:.1f}"),
        "standard error": ("error", "{:.1f}"),
    }
    table = {k: energies[column].map(text.format) for k, (column, text) in formats.items()}
    shown = [Shown("Energies of mixing", pd.DataFrame(table), left=("cell",))]
    rows = []
    for atoms, pair in substitution_pairs(energies).items():
        for method, found, size in (
            ("finite difference", finite_difference(*pair), None),
            ("Redlich-Kister", redlich_kister(*pair, atoms), atoms),
        ):
            errors = parameter_covariance(size, uncertainty).diagonal() ** 0.5
            texts = [f"{v:.1f} ± {e:.0f}" for v, e in zip(found, errors, strict=True)]
            rows.append([str(atoms), method, *texts])
    if rows:
        frame = pd.DataFrame(rows, columns=["atoms", "method", "0L", "1L"])
        shown.append(Shown("Interaction parameters / (J/mol)", frame, left=("method",)))
    return shown
