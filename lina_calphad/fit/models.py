"""Which Model is fitted: ours by a short name, the user's own by its import path."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from pycalphad import Model

from lina_calphad.errors import ParameterError

#: Models by their short names.
OURS = {"coherent": "CoherentModel", "chemical": "Model"}


@dataclass(frozen=True)
class ModuleInFolder(MetaPathFinder):
    """Lets one module (or package) be imported from a folder, and nothing else that lies there."""

    module: str
    folder: str

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - what Python asks with
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Find the module where Python has not found it among what is installed."""
        return PathFinder.find_spec(fullname, [self.folder]) if fullname == self.module else None

    def allow(self) -> None:
        """Allow the import from now on."""
        if self not in sys.meta_path:
            sys.meta_path.append(self)


def find_model(name: str) -> type[Model]:
    """A Model by its short name or import path; ParameterError if it is none."""
    path = f"lina_calphad.espei_hooks.{OURS[name]}" if name in OURS else name
    module, _, attribute = path.rpartition(".")
    try:
        # Not ESPEI's helper, which makes whatever lies in the working folder importable.
        model = getattr(import_module(module), attribute)
    except Exception as error:  # whatever the user's module raises
        raise ParameterError(
            "a model is coherent, chemical or the import path of a pycalphad Model; "
            f"got {name} ({error})"
        ) from error
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise ParameterError(f"{name} is no pycalphad Model")
    return model
