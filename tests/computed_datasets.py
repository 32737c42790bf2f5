"""The shipped datasets of computed energies, made again from what they rest on.

Run it to write them: python tests/computed_datasets.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from ase.io import read

from lina_calphad.data.assessments import assessments
from lina_calphad.data.cells import read_table
from lina_calphad.data.datasets import shipped_folder, write_dataset
from lina_calphad.data.lattices import neighbours
from lina_calphad.data.new_datasets import energies_dataset
from lina_calphad.data.supercells import EV_IN_J_PER_MOL

SYSTEM = shipped_folder() / "LI-NA"
TABLE = SYSTEM / "dft-gpaw2026" / "cells.csv"
STRUCTURES = SYSTEM / "dft-gpaw2026" / "cells.extxyz"

SANTOS = (
    "Cells of 128 atoms (4x4x4) with one substituted; VASP, PBE, 500 eV, 10x10x10 mesh. The paper "
    "prints 0L = 20109.8 and 1L = 5772.6 J/mol; its energies are recovered by its eqs. 8 and 9 "
    "backwards: 25882.4 J/mol for Na in Li and 14337.2 J/mol for Li in Na, over 128. The "
    "uncertainty is assumed here, the paper gives none."
)
GPAW = (
    "GPAW 22.8, PBE, plane waves to 400 eV, Methfessel-Paxton 0.2 eV, {mesh} k-points per cubic "
    "cell with pure elements on the folded mesh, PAW sets of 1 electron for Li and {na} for Na, "
    "{cells}. The uncertainty is assumed. See dft-gpaw2026/README.md."
)
RELAXED = "cells and ions relaxed"
#: Pattern of names in the table, what the comment says first, and of mesh, sets and cells.
GPAW_SETS = {
    "gpaw2026-128": (
        r"Na_in_Li_128_k12",
        "The paper's cell and procedure, Na in Li alone; with the volume relaxed, too, it would be "
        "4 meV less.",
        "12x12x12 (shifted)", "7",
        "128 atoms (4x4x4) with one substituted, cell of the host, ions relaxed",
    ),
    "gpaw2026-54": (
        r"(Na_in_Li|Li_in_Na)_54", "", "12x12x12", "7",
        f"54 atoms (3x3x3) with one substituted, {RELAXED}",
    ),
    "gpaw2026-16": (
        r"(Na_in_Li|Li_in_Na)_16", "", "12x12x12", "7",
        f"16 atoms (2x2x2) with one substituted, {RELAXED}",
    ),
    "gpaw2026-sqs": (
        r"SQS16_Na\d+sp_1e_k12",
        "The cell at x = 0.75 is left out: relaxed, every atom has 13 neighbours within 1.207 a "
        "where bcc has 14, and c/a is 1.41: it is fcc.",
        "12x12x12", "1",
        "special quasirandom structures of 16 atoms relaxed with mesh 8 and computed once with 12, "
        "so 10 to 50 J/mol too high",
    ),
    "gpaw2026-ordered": (
        r"(B2|D03_\w+)_k12",
        "Disabled: ordered structures are not the random solution that BCC_A2 describes.",
        "12x12x12", "7", f"B2 and D0_3 in 2 and 16 atoms, {RELAXED}",
    ),
    "gpaw2026-convergence": (
        r"(Na_in_Li|Li_in_Na)_(16|54)(_1e)?_k\d+",
        "Disabled: the cells of gpaw2026-54 and gpaw2026-16 again with other meshes or sets, to "
        "show convergence.",
        "12x12x12 to 20x20x20", "1 or 7", f"16 and 54 atoms, {RELAXED}; names say which",
    ),
}  # fmt: skip


def santos2025() -> dict:
    printed = {p.quantity: p.value for p in assessments()["santos2025"].published}
    L0, L1 = printed["bcc 0L"], printed["bcc 1L"]
    # Energies relative to the pure elements.
    cells = pd.DataFrame(
        {"name": ["Na in Li", "Li in Na"], "n_first": [127, 1], "n_second": [1, 127],
         "energy": np.array([L0 + L1, L0 - L1]) / EV_IN_J_PER_MOL, "e_first": 0.0, "e_second": 0.0}
    )  # fmt: skip
    return energies_dataset(
        cells,
        reference="L.C. Pereira dos Santos et al. 2025",
        bibtex="PereiraDosSantos2025",
        comment=SANTOS,
    )


def gpaw2026(pattern: str, first: str, mesh: str, na: str, cells: str) -> dict:
    bcc = {
        atoms.info["name"]
        for atoms in read(STRUCTURES, index=":")
        if set(neighbours(atoms)) == {14}
    }
    table = read_table(TABLE)
    dataset = energies_dataset(
        table[table["name"].str.fullmatch(pattern) & table["name"].isin(bcc)],
        reference="lina-calphad, GPAW 2026",
        bibtex="lina-calphad",
        comment=f"{first} {GPAW.format(mesh=mesh, na=na, cells=cells)}".strip(),
    )
    return {"disabled": True, **dataset} if first.startswith("Disabled") else dataset


def computed_datasets() -> dict[str, dict]:
    """All of them, by name."""
    return {"santos2025": santos2025()} | {
        name: gpaw2026(*recipe) for name, recipe in GPAW_SETS.items()
    }


if __name__ == "__main__":
    for name, dataset in computed_datasets().items():
        file = SYSTEM / "input-data" / "single-phase" / f"LI-NA-HM_MIX-BCC_A2-{name}.json"
        write_dataset(dataset, file, overwrite=True)
