"""Module paths that documentation and notebooks once named: they work, and say where to look."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from support import python

import lina_calphad as lc
from lina_calphad.old_paths import MOVED, SHORT

#: What documentation, notebooks and README took from each.
NAMED = {
    "cells": ["read_table"],
    "comparison": ["compare"],
    "consistency": ["check_consistency"],
    "datasets": ["read_datasets", "shipped_datasets", "shipped_folder", "write_dataset"],
    "draws": ["ParameterDraws"],
    "elastic_data": ["set_elastic_data"],
    "elasticity": ["CubicElasticity", "coherency_coefficient"],
    "export": ["export_coherent_tdb"],
    "interactions": ["free_interactions"],
    "mapping": ["map_binary", "Invariant"],
    "mixing": ["mixing_energies", "substitution_pairs"],
    "mixing_data": ["mixing_data"],
    "models": ["CoherentModel"],
    "new_datasets": ["energies_dataset", "solubility_dataset"],
    "plotting": ["COLOURS", "figures"],
    "refit": ["RefitSettings", "refit"],
    "refit_figures": ["formation_energies", "trace_figure"],
    "registry": [
        "assessments", "load", "ELASTIC_FILE", "HANDBOOK_ELASTICITY", "MEASURED", "tdb_folder"
    ],
    "solution": ["BinarySolution"],
    "source_draws": ["source_draws"],
    "sources": ["read_source"],
    "supercells": ["EV_IN_J_PER_MOL", "finite_difference", "redlich_kister"],
    "uncertainty": ["bands", "region_probability"],
}  # fmt: skip


@pytest.fixture
def forgotten(monkeypatch):
    """As in a program that has imported nothing of the old names yet."""
    for name in [*MOVED, *SHORT]:
        monkeypatch.delitem(sys.modules, f"lina_calphad.{name}", raising=False)
        monkeypatch.delattr(lc, name, raising=False)


@pytest.mark.parametrize("name", MOVED)
def test_an_old_module_is_there_and_says_where_it_is_now(forgotten, name):
    new = f"is now lina_calphad.{MOVED[name][0]}.*goes with the next release"
    with pytest.warns(DeprecationWarning, match=rf"^lina_calphad\.{name} {new}") as caught:
        module = import_module(f"lina_calphad.{name}")
    assert len(caught) == 1
    for attribute in NAMED.get(name, []):
        assert hasattr(module, attribute)
    assert not hasattr(module, "nonsense")


def test_the_warning_points_at_the_line_that_imports(forgotten):
    with pytest.warns(DeprecationWarning, match="registry") as caught:
        from lina_calphad.registry import load
    assert caught[0].filename == __file__
    assert load is lc.load


def test_names_of_a_module_that_was_split_are_those_of_both(forgotten):
    with pytest.warns(DeprecationWarning, match="phase.maps and lina_calphad.diagram.results"):
        from lina_calphad import mapping
    from lina_calphad.diagram.results import Invariant
    from lina_calphad.phase.maps import map_binary

    assert (mapping.Invariant, mapping.map_binary) == (Invariant, map_binary)
    with pytest.raises(AttributeError, match=r"neither lina_calphad\.phase\.maps nor .* has maps"):
        mapping.maps  # noqa: B018


@pytest.mark.filterwarnings("error")
def test_short_paths_stay_without_a_warning(forgotten):
    from lina_calphad import dilute, kinetics

    assert dilute is lc.dilute is import_module("lina_calphad.dilute")
    assert dilute is import_module("lina_calphad.phase.dilute")
    assert kinetics is lc.kinetics is import_module("lina_calphad.phase.kinetics")


def test_the_first_attribute_of_a_fresh_program(tmp_path):
    code = (
        "import lina_calphad as lc; a = lc.dilute.binodal; import lina_calphad.dilute; "
        "print(a is lina_calphad.dilute.binodal, a.__module__)"
    )
    assert python(code, tmp_path) == "True lina_calphad.phase.dilute"


def test_what_an_old_program_pickled_can_be_read(forgotten):
    """A pickle names a class by its module: here by the old one."""
    curve = lc.dilute.binodal([100.0, 200.0], [20000.0])
    old = pickle.dumps(curve, protocol=0).replace(
        b"lina_calphad.phase.results", b"lina_calphad.curves"
    )
    with pytest.warns(DeprecationWarning, match=r"lina_calphad\.curves is now"):
        again = pickle.loads(old)
    assert np.array_equal(again.x_alpha, curve.x_alpha)


def test_dir_shows_public_names_alone():
    public = {name for name in dir(lc) if not name.startswith("__")}
    assert public == set(lc.__all__)
    assert {name for name, _ in inspect.getmembers(lc)} >= public


def test_other_names_are_not_there():
    for name in ("nonsense", "phase.nonsense"):
        with pytest.raises(ModuleNotFoundError, match=f"No module named 'lina_calphad.{name}'"):
            import_module(f"lina_calphad.{name}")


@pytest.mark.slow
def test_type_checkers_know_the_short_paths(tmp_path):
    (tmp_path / "program.py").write_text(
        "from lina_calphad import dilute, kinetics\n"
        "import lina_calphad as lc\n"
        "reveal_type(dilute.binodal(300.0, [2e4]).x_alpha)\n"
        "reveal_type(lc.kinetics.coarsening(1.0, 0.1))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--ignore-missing-imports", "program.py"],
        cwd=tmp_path, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert "numpy.float64" in done.stdout
    assert "lina_calphad.phase.kinetics.Coarsening" in done.stdout
    assert done.returncode == 0, done.stdout
