"""Modules under the names they once had: import paths in users' programs go on working."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module


def stand_for(old: str, new: str, *, deprecated: bool = True) -> None:
    """Make `old` another name of the module `new`, for one release if deprecated."""
    if deprecated:
        msg = f"{old} is now {new}; the old name goes with the next release"
        # Of the frames between, those of the import system are skipped by Python.
        warnings.warn(msg, DeprecationWarning, stacklevel=3)
    sys.modules[old] = import_module(new)
