"""Former module paths: imports of them go on working for one release, and say where to look."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

_HERE = "lina_calphad"

#: Short paths that stay beside those where the modules lie.
SHORT = {"dilute": "phase.dilute", "kinetics": "phase.kinetics"}

#: Modules that stood in the package itself, and where what they held is now.
MOVED: dict[str, tuple[str, ...]] = {
    "cells": ("data.cells",),
    "comparison": ("compare.comparison",),
    "consistency": ("check.identities",),
    "console": ("report",),
    "curves": ("phase.results", "checks"),
    "database": ("data.databases",),
    "datasets": ("data.datasets",),
    "draws": ("phase.draws",),
    "elastic_data": ("data.databases",),
    "elasticity": ("data.elasticity",),
    "energy": ("phase.energy",),
    "export": ("phase.export",),
    "family": ("phase.solution", "data.interactions"),
    "fit_setup": ("fit.setup",),
    "gap": ("phase.miscibility", "checks"),
    "host_energy": ("phase.host_energy",),
    "identities": ("check.identities",),
    "interactions": ("data.interactions",),
    "limits": ("checks",),
    "mapping": ("phase.maps", "diagram.results"),
    "mixing": ("data.supercells",),
    "mixing_data": ("data.mixing_data",),
    "mixing_table": ("data.new_datasets",),
    "models": ("phase.coherent",),
    "new_datasets": ("data.new_datasets",),
    "plotting": ("compare.figures", "plots"),
    "posterior": ("fit.posterior",),
    "progress": ("report",),
    "quantities": ("diagram.alloy",),
    "refit": ("fit.refit",),
    "refit_figures": ("fit.figures",),
    "refit_report": ("fit.report",),
    "registry": ("data.assessments",),
    "sampler": ("fit.sampler",),
    "solution": ("phase.solution",),
    "source_draws": ("phase.draws",),
    "sources": ("data.assessments",),
    "supercells": ("data.supercells",),
    "tally": ("phase.tally",),
    "tdb_lint": ("check.tdb_lint",),
    "uncertainty": ("phase.bands",),
}


class OldPaths(MetaPathFinder, Loader):
    """What `sys.meta_path` asks last: finds `SHORT` and `MOVED` modules of this package."""

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        """Say whether the module is one of ours."""
        package, name = fullname.rpartition(".")[::2]
        known = package == _HERE and (name in MOVED or name in SHORT)
        return ModuleSpec(fullname, self) if known else None

    def exec_module(self, module: ModuleType) -> None:
        """Put the new module in place of the old one; if there are several, look in each."""
        name = module.__name__.rpartition(".")[2]
        if name in SHORT:
            sys.modules[module.__name__] = import_module(f"{_HERE}.{SHORT[name]}")
            return
        paths = [f"{_HERE}.{path}" for path in MOVED[name]]
        text = f"{module.__name__} is now {' and '.join(paths)}"
        # Python does not count the frames of its import system.
        warnings.warn(
            f"{text}; the old name goes with the next release", DeprecationWarning, stacklevel=2
        )
        new = [import_module(path) for path in paths]
        if len(new) == 1:
            sys.modules[module.__name__] = new[0]
            return

        def look(attribute: str) -> Any:
            for each in new:
                if hasattr(each, attribute):
                    return getattr(each, attribute)
            raise AttributeError(f"neither {' nor '.join(paths)} has {attribute}")

        module.__getattr__ = look  # type: ignore[method-assign]
