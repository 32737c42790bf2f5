"""Li-Na thermodynamics: assessments, coherent models and exact miscibility gaps for pycalphad."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from lina_calphad.compare.comparison import compare
    from lina_calphad.data.assessments import assessments, load
    from lina_calphad.data.databases import set_elastic_data
    from lina_calphad.data.elasticity import CubicElasticity, coherency_coefficient
    from lina_calphad.phase.coherent import CoherentModel
    from lina_calphad.phase.export import export_coherent_tdb
    from lina_calphad.phase.solution import BinarySolution

__all__ = [
    "BinarySolution",
    "CoherentModel",
    "CubicElasticity",
    "assessments",
    "coherency_coefficient",
    "compare",
    "export_coherent_tdb",
    "load",
    "set_elastic_data",
]

# Names are fetched when they are first used: importing pycalphad takes seconds,
# and neither `lina-calphad --help` nor a program that only lists needs it.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "compare.comparison": ["compare"],
        "data.assessments": ["assessments", "load"],
        "data.databases": ["set_elastic_data"],
        "data.elasticity": ["CubicElasticity", "coherency_coefficient"],
        "phase.coherent": ["CoherentModel"],
        "phase.export": ["export_coherent_tdb"],
        "phase.solution": ["BinarySolution"],
    },
)
__version__ = version("lina-calphad")
# Modules that stood here before, for one release: see old_paths.
__path__ = [*__path__, str(Path(__file__).parent / "old_paths")]
