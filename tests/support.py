"""What many tests use: names, the command in this process, Python in another, small databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pycalphad import Database
from symengine import S, Symbol

import lina_calphad as lc
from lina_calphad.cli.main import main
from lina_calphad.data.databases import copy_database
from lina_calphad.data.interactions import without_interactions

ROOT = Path(__file__).parents[1]
LINA = ("LI", "NA")
COMPS = ["LI", "NA", "VA"]
R = 8.3145  # pycalphad's v.R


def run(capsys, *arguments):
    """Exit status, stdout and stderr of the command."""
    try:
        main([str(argument) for argument in arguments])
        status = 0
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    return status, out, err


def python(code: str, folder: Path, **environment: str) -> str:
    """What a program prints in a Python of its own."""
    isolated = [] if environment else ["-I"]
    done = subprocess.run(
        [sys.executable, *isolated, "-c", code],
        cwd=folder, env=environment or None, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def redlich_kister(*values):
    """bcc Li-Na with the parameters L0, L1... of these values."""
    dbf = copy_database(without_interactions(lc.load("santos2025"), "BCC_A2", LINA))
    for order, value in enumerate(values):
        dbf.symbols[f"L{order}"] = S(float(value))
        dbf.add_parameter("L", "BCC_A2", [["LI", "NA"], ["VA"]], order, Symbol(f"L{order}"))
    return dbf


#: Parameters of bcc Li-Na with two gaps at 700 to 745 K.
TWO_DOMES = (13000.0, 300.0, 7000.0, 200.0)

#: The same with two ranges of instability at 745 K, both under one tie-line.
ONE_TIE_LINE = (16311.0, 2266.0, 4958.0, 2870.0)

INTERSTITIAL = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT C GRAPHITE 12 0 0 !
 ELEMENT LI BCC_A2 6.9 0 0 !
 ELEMENT NA BCC_A2 23 0 0 !
 TYPE_DEFINITION % SEQ * !
 PHASE BCC_A2 % 2 1.0 3.0 !
 CONSTITUENT BCC_A2 :LI,NA:C,VA: !
 PARAMETER L(BCC_A2,LI,NA:VA;0) 1 20000; 6000 N !
 PARAMETER L(BCC_A2,LI,NA:C;0) 1 5000; 6000 N !
"""


#: Of a ternary solution.
PAIRS = {("A", "B"): [14000.0, 3000.0], ("A", "C"): [-5000.0], ("B", "C"): [9000.0, -2000.0]}


def regular_text(interactions, names="ABC"):
    """The TDB of a solution with parameters L0, L1 ... of pairs of elements."""
    text = " ELEMENT VA VACUUM 0 0 0 !\n"
    text += "".join(f" ELEMENT {name} BCC_A2 1 0 0 !\n" for name in names)
    text += " TYPE_DEFINITION % SEQ * !\n PHASE ALLOY % 1 1 !\n"
    text += f" CONSTITUENT ALLOY :{','.join(names)}: !\n"
    for (i, j), values in interactions.items():
        for order, value in enumerate(values):
            text += f" PARAMETER L(ALLOY,{i},{j};{order}) 1 {value!r}; 6000 N !\n"
    return text


def regular(interactions, names="ABC"):
    """That as a Database."""
    return Database.from_string(regular_text(interactions, names), fmt="tdb")


def nothing_outside(figure):
    """Nothing drawn reaches over the edge of a figure."""
    figure.draw_without_rendering()
    box, edge = figure.get_tightbbox(), figure.bbox_inches
    extents = (box.x0, box.y0, edge.x1 - box.x1, edge.y1 - box.y1)
    assert min(extents) > -0.02, f"inches to each edge: {extents}"


def lower_hull(x, g):
    """Indices of the corners of the lower convex hull of points in order of x."""
    kept: list[int] = []
    for k in range(x.size):
        while len(kept) > 1:
            i, j = kept[-2:]
            if (x[j] - x[i]) * (g[k] - g[i]) > (g[j] - g[i]) * (x[k] - x[i]):
                break
            kept.pop()
        kept.append(k)
    return kept
