"""Teach pycalphad's TDB reader C11, C12, C44 (elastic constants, GPa) and LPX (lattice parameter).

pycalphad imports every installed top-level module named ``pycalphad_*`` when it
is itself imported, so the plain ``pycalphad`` and ``espei`` programs read such
files as soon as lina-calphad is installed.
"""

from pycalphad.io.tdb_keywords import TDB_PARAM_TYPES

TDB_PARAM_TYPES.extend(name for name in ("C11", "C12", "C44", "LPX") if name not in TDB_PARAM_TYPES)
