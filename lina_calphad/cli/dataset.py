"""`lina-calphad dataset`: an ESPEI dataset of energies of supercells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lina_calphad.cli.options import pair
from lina_calphad.text import printable


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
    "--components", type=pair, default="LI,NA", show_default=True, metavar="A,B",
    help="The two elements.",
)  # fmt: skip
@click.option("--phase", default="BCC_A2", show_default=True, help="The phase the cells belong to.")
@click.option(
    "--lattice", type=click.Choice(["bcc", "fcc", "hcp", "any"]),
    help="The lattice that calculated cells must derive from.  [default: that of the phase's name]",
)  # fmt: skip
@click.option(
    "--database", metavar="SOURCE",
    help="The database that the data are for, a TDB or an assessment: the sites of the phase are "
    "taken from it.",
)  # fmt: skip
@click.option(
    "--vacant", type=click.FloatRange(0), metavar="SITES",
    help="Vacant sites for each atom in the phase; 0 if it has no such sublattice.  [default: as "
    "in SGTE's unary data, 3 in bcc, 1 in fcc, 0.5 in hcp, else 0]",
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
    files: tuple[Path, ...], out: Path, components: tuple[str, str], lattice: str | None,
    database: str | None, vacant: float | None, overwrite: bool, **options: Any,
) -> None:  # fmt: skip
    """Make an ESPEI dataset (HM_MIX) from energies of supercells.

    FILES are CSV tables (.csv), or finished calculations in any format that ASE
    reads: vasprun.xml, OUTCAR, the text output of GPAW, extended XYZ... Of a
    relaxation the last step counts, the calculation must have come to its end, and the
    structure must derive from the lattice of the phase (bcc, fcc or hcp).
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
    import pandas as pd

    from lina_calphad.data.cells import read_calculations, read_table
    from lina_calphad.data.datasets import write_dataset
    from lina_calphad.data.lattices import lattice_of
    from lina_calphad.data.new_datasets import energies_dataset, energies_shown, site_ratios
    from lina_calphad.data.supercells import mixing_energies
    from lina_calphad.report import Report

    phase = options["phase"]
    derived = lattice or lattice_of(phase)
    tables = [file.suffix.lower() == ".csv" for file in files]
    if derived is None and not all(tables):
        raise click.UsageError(
            f"the name {phase} tells no lattice: name it with --lattice ('any' judges none)"
        )
    read = [
        read_table(file, components) if table
        else read_calculations([file], components, derived or "any")
        for file, table in zip(files, tables, strict=True)
    ]  # fmt: skip
    cells = pd.concat(read, ignore_index=True)
    ratios, note = site_ratios(phase, components, database=database, vacant=vacant, lattice=derived)
    made = energies_dataset(cells, components=components, site_ratios=ratios, **options)
    checks = {key: options[key] for key in ("uncertainty", "max_force", "max_pressure")}
    energies = mixing_energies(cells, components=components, **checks)
    write_dataset(made, out, overwrite=overwrite)
    notes = [note, *(said for some in read for said in some.attrs.get("notes", ()))]
    shown = energies_shown(energies, options["uncertainty"])
    Report("dataset", made, shown, [*filter(None, notes)]).show()
    click.echo(f"wrote {printable(out)}: {made['output']} of {', '.join(made['phases'])}")
