"""Li-Na thermodynamics: assessments, coherent models and exact miscibility gaps for pycalphad."""

import sys
from typing import TYPE_CHECKING

import lazy_loader

from lina_calphad.old_paths import OldPaths

if TYPE_CHECKING:
    from lina_calphad import anode, espei_hooks
    from lina_calphad.compare.comparison import compare
    from lina_calphad.data.assessments import assessments, load
    from lina_calphad.data.databases import set_elastic_data
    from lina_calphad.data.elasticity import CubicElasticity, coherency_coefficient
    from lina_calphad.diagram.system import BinarySystem
    from lina_calphad.output import __version__ as __version__
    from lina_calphad.phase import dilute, kinetics
    from lina_calphad.phase.coherent import CoherentModel
    from lina_calphad.phase.export import export_coherent_tdb
    from lina_calphad.phase.solution import BinarySolution
    from lina_calphad.stability.property import Stability
    from lina_calphad.stability.solution import Solution

__all__ = [
    "BinarySolution",
    "BinarySystem",
    "CoherentModel",
    "CubicElasticity",
    "Solution",
    "Stability",
    "anode",
    "assessments",
    "coherency_coefficient",
    "compare",
    "dilute",
    "espei_hooks",
    "export_coherent_tdb",
    "kinetics",
    "load",
    "set_elastic_data",
]

# Names are fetched when they are first used: importing pycalphad takes seconds,
# and neither `lina-calphad --help` nor a program that only lists needs it.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    ["anode", "dilute", "espei_hooks", "kinetics"],
    submod_attrs={
        "compare.comparison": ["compare"],
        "data.assessments": ["assessments", "load"],
        "data.databases": ["set_elastic_data"],
        "data.elasticity": ["CubicElasticity", "coherency_coefficient"],
        "diagram.system": ["BinarySystem"],
        "output": ["__version__"],
        "phase.coherent": ["CoherentModel"],
        "phase.export": ["export_coherent_tdb"],
        "phase.solution": ["BinarySolution"],
        "stability.property": ["Stability"],
        "stability.solution": ["Solution"],
    },
)
# Modules that stood here before, asked for under their old names.
sys.meta_path.append(OldPaths())
