"""`lina-calphad dataset`: an ESPEI dataset of energies of supercells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(
    epilog="Examples: lina-calphad dataset cells.csv --out my.json; "
    "lina-calphad dataset */vasprun.xml --out my.json --reference 'VASP, PBE, 450 eV'"
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE",
    help="The ESPEI dataset to write (.json).",
)  # fmt: skip
@click.option(
    "--uncertainty", type=float, default=0.01, show_default=True, metavar="EV",
    help="Standard error of each substituted atom.",
)  # fmt: skip
@click.option(
    "--components", type=(str, str), default=("LI", "NA"), show_default=True, metavar="A B",
    help="The two elements.",
)  # fmt: skip
@click.option("--phase", default="BCC_A2", show_default=True, help="The phase the cells belong to.")
@click.option(
    "--vacant", type=float, default=3.0, show_default=True, metavar="SITES",
    help="Vacant sites for each atom in the phase; 0 if it has no such sublattice.",
)  # fmt: skip
@click.option("--reference", default="own calculations", show_default=True, help="Their source.")
@click.option("--comment", default="", help="What they rest on: code, functional, cut-off, mesh.")
@click.option(
    "--max-force", type=float, default=0.05, show_default=True, metavar="EV/A",
    help="Largest residual force allowed.",
)  # fmt: skip
@click.option(
    "--max-pressure", type=float, default=2.0, show_default=True, metavar="KBAR",
    help="Largest residual pressure allowed.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def dataset(
    files: tuple[Path, ...], out: Path, components: tuple[str, str], vacant: float,
    overwrite: bool, **options: Any,
) -> None:  # fmt: skip
    """Make an ESPEI dataset (HM_MIX) from energies of supercells.

    FILES are CSV tables (.csv), or finished calculations in any format that ASE
    reads: vasprun.xml, OUTCAR, the text output of GPAW, extended XYZ... Of a
    relaxation the last step counts, and the structure must derive from bcc.
    Cells of a pure element are the references; those with as many atoms as the
    alloy, on the same mesh, are best.

    A table has a row for each cell, and for Li and Na the columns name, energy_ev
    (of the whole cell) and two of atoms, li and na (numbers of atoms). It may
    have e_li_ev_per_atom and e_na_ev_per_atom (instead of pure cells),
    max_force_ev_per_a, pressure_kbar, and use: rows that say anything but yes
    there are left out.

    Prints the energies of mixing and, from one substituted atom on each side in
    cells of one size, the parameters 0L and 1L: by finite difference, as in the
    paper, and by the strict curve through both points.
    """
    from lina_calphad.data.cells import read_calculations, read_table
    from lina_calphad.data.datasets import write_dataset
    from lina_calphad.data.mixing import mixing_energies
    from lina_calphad.data.mixing_table import print_energies
    from lina_calphad.data.new_datasets import energies_dataset

    cells = [
        cell
        for file in files
        for cell in (
            read_table(file, components)
            if file.suffix.lower() == ".csv"
            else read_calculations([file], components)
        )
    ]
    made = energies_dataset(
        cells, components=components, site_ratios=(1.0, vacant) if vacant else (1.0,), **options
    )
    write_dataset(made, out, overwrite=overwrite)
    checks = {key: options[key] for key in ("uncertainty", "max_force", "max_pressure")}
    print_energies(mixing_energies(cells, components=components, **checks), options["uncertainty"])
    click.echo(f"wrote {out}: {made['output']} of {', '.join(made['phases'])}")
