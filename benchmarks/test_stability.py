"""How fast stability of many components goes: a hundred thousand points, an isotherm."""

from __future__ import annotations

import time
from importlib.resources import files

import numpy as np
from pycalphad import Database

import lina_calphad as lc

POINTS = 100_000


def elapsed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ternary():
    shipped = files("pycalphad") / "tests" / "databases" / "crtiv_ghosh.tdb"
    dbf = Database.from_string(shipped.read_text(encoding="utf-8"), fmt="tdb")
    return lc.Solution(dbf, ("CR", "TI", "V"), "BCC_A2")


def test_stability_of_many_points(report):
    bcc = ternary()
    x = np.random.default_rng(0).dirichlet(np.ones(3), POINTS)
    seconds = elapsed(lambda: bcc.stability(800.0, x))
    report(f"stability of {POINTS} ternary compositions", f"{1e3 * seconds:.0f} ms")


def test_an_isotherm(report):
    bcc = ternary()
    bcc.stability(800.0, [0.3, 0.3])
    seconds = elapsed(lambda: bcc.isotherm(800.0))
    report("isotherm of Cr-Ti-V: spinodal, tie-lines, plait points", f"{1e3 * seconds:.0f} ms")
