"""Li-Na thermodynamics: assessments, coherent models and exact miscibility gaps for pycalphad."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lina_calphad.comparison import compare
    from lina_calphad.elastic_data import set_elastic_data
    from lina_calphad.elasticity import CubicElasticity, coherency_coefficient
    from lina_calphad.export import export_coherent_tdb
    from lina_calphad.models import CoherentModel
    from lina_calphad.registry import assessments, load
    from lina_calphad.solution import BinarySolution

__version__ = version("lina-calphad")

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
_HOME = {
    "BinarySolution": "solution",
    "CoherentModel": "models",
    "CubicElasticity": "elasticity",
    "assessments": "registry",
    "coherency_coefficient": "elasticity",
    "compare": "comparison",
    "export_coherent_tdb": "export",
    "load": "registry",
    "set_elastic_data": "elastic_data",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
