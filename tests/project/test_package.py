"""The package as a user gets it: from a wheel, light to import, with what it promises."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from support import ROOT, python

import lina_calphad as lc


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True)
    (built,) = folder.glob("*.whl")
    return built


def datasets() -> list[Path]:
    found = sorted((ROOT / "datasets").rglob("*.json"))
    assert found
    return found


def test_the_wheel_holds_data_types_and_licences(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "pycalphad_elastic.py",
        "lina_calphad/py.typed",
        "lina_calphad/tdb/LiNa_Zhang2003.tdb",
        "lina_calphad/tdb/LiNa_Santos2025.tdb",
        "lina_calphad/tdb/LiNa_elastic.tdb",
        "lina_calphad/tdb/assessments.toml",
        "lina_calphad/datasets/README.md",
        "lina_calphad/datasets/LI-NA/dft-gpaw2026/cells.csv",
        "lina_calphad/datasets/LI-NA/dft-gpaw2026/cells.extxyz",
    ):
        assert name in names
    pages = {
        p.name for p in (ROOT / "lina_calphad" / "anode").iterdir() if p.suffix in (".html", ".js")
    }
    assert pages
    assert {f"lina_calphad/anode/{page}" for page in pages} <= set(names)
    shipped = {f"lina_calphad/datasets/{p.relative_to(ROOT / 'datasets')}" for p in datasets()}
    assert shipped == {name for name in names if name.endswith(".json")}
    assert {Path(n).name for n in names if "/licenses/" in n} == {"LICENSE", "LICENSE-DATA"}
    assert not any(name.startswith(("tests", "benchmarks")) for name in names)


def test_the_wheel_works_in_an_empty_folder(wheel, tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site)]
    subprocess.run([*command, str(wheel)], check=True)
    code = (
        "import lina_calphad as lc; from pycalphad import Database; "
        "from lina_calphad.data.assessments import tdb_folder; "
        "from lina_calphad.data.datasets import read_datasets, shipped_datasets; "
        "Database(str(tdb_folder() / 'LiNa_elastic.tdb')); "
        "print(lc.__file__); dbf = lc.load('santos2025'); "
        "print(len(shipped_datasets()), read_datasets(['down1975'])[0]['output']); "
        "print(lc.BinarySolution(dbf, ('LI', 'NA'), 'BCC_A2', lc.CoherentModel).spinodal(300.0))"
    )
    where, read, spinodal = python(code, empty, PYTHONPATH=str(site)).splitlines()
    assert Path(where).is_relative_to(site)
    assert read == f"{len(datasets())} ZPF"
    assert spinodal == "<Spinodal at 300 K: x = 0.0579521 and 0.570563>"


def test_the_installed_package_works_in_an_empty_folder(tmp_path):
    code = "import lina_calphad as lc; print(sorted(lc.load('zhang2003').phases))"
    assert python(code, tmp_path) == "['BCC_A2', 'FCC_A1', 'HCP_A3', 'LIQUID']"


def test_importing_is_light(tmp_path):
    code = (
        "import sys, lina_calphad, lina_calphad.cli.main; "
        "heavy = ('ase', 'distributed', 'espei', 'filelock', 'matplotlib', 'numpy', 'pandas', "
        "'pint', 'pycalphad', 'rich', 'scipy', 'sympy'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    assert python(code, tmp_path) == "[]"


def test_the_solver_needs_neither_espei_nor_our_plotting(tmp_path):
    # pycalphad itself imports matplotlib.
    code = (
        "import sys, lina_calphad as lc; lc.compare; lc.BinarySolution; "
        "print([m for m in ('espei', 'lina_calphad.compare.figures') if m in sys.modules])"
    )
    assert python(code, tmp_path) == "[]"


def test_top_level_names():
    modules = {name for name in lc.__all__ if inspect.ismodule(getattr(lc, name))}
    assert modules == {"anode", "dilute", "espei_hooks", "kinetics"}
    assert len(set(lc.__all__) - modules) <= 12
    assert set(lc.__all__) <= set(dir(lc))
    api = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    for name in set(lc.__all__) - modules:
        assert re.search(rf"(?m)^   lina_calphad\.[\w.]+\.{name}$", api), name
    for name in lc.__all__:
        assert getattr(lc, name).__doc__
    with pytest.raises(AttributeError, match="lina_calphad attribute nothing"):
        _ = lc.nothing


def test_imports_go_down_only():
    """The floors of pyproject.toml: what stands where, and that no room knows its neighbour."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert lc.__version__ == project["version"]
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_has_a_range_and_a_tested_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line
    )
    extras = project["optional-dependencies"]
    for requirement in (*project["dependencies"], *chain.from_iterable(extras.values())):
        name, low, high = re.fullmatch(r"([\w-]+)>=([\w.]+),<([\w.]+)", requirement).groups()
        version = [int(n) for n in re.findall(r"\d+", pinned[name.lower()])]
        bounds = [[int(n) for n in bound.split(".")] for bound in (low, high)]
        assert bounds[0] <= version < bounds[1], name


def test_ci_runs_the_readmes_test_command():
    commands = re.findall(r"(?m)^python3\.11 -m venv .*$", (ROOT / "README.md").read_text())
    assert len(commands) == 2
    assert commands[0].endswith("lina-calphad compare")
    assert commands[1].endswith("pytest")
    assert commands[1] in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        pytest.param(["mypy"], marks=pytest.mark.slow),  # a minute without its cache
    ],
    ids=" ".join,
)
def test_style_and_types(command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
