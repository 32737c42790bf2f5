"""Databases and solutions that many tests share."""

from __future__ import annotations

from importlib.resources import files

import pytest
from pycalphad import Database
from support import LINA

import lina_calphad as lc
from lina_calphad.phase.coherent import CoherentModel


@pytest.fixture(scope="session")
def databases() -> dict[str, Database]:
    """The shipped assessments. Do not change them, nor a deepcopy: it shares their phases."""
    return {key: lc.load(key) for key in lc.assessments()}


@pytest.fixture(scope="session")
def bcc(databases):
    """The bcc solution of an assessment: bcc("santos2025", "coherent")."""
    models = {"chemical": lc.BinarySolution.__init__.__defaults__[0], "coherent": CoherentModel}
    made = {}

    def solution(key: str, kind: str) -> lc.BinarySolution:
        if (key, kind) not in made:
            made[key, kind] = lc.BinarySolution(databases[key], LINA, "BCC_A2", model=models[kind])
        return made[key, kind]

    return solution


@pytest.fixture(scope="session")
def comparison():
    """The shipped assessments at 300 K, as `lina-calphad compare` has them."""
    return lc.compare()


@pytest.fixture(scope="session")
def example_tdb():
    """One of the TDB files that come with pycalphad's tests."""
    folder = files("pycalphad") / "tests" / "databases"
    read = {}

    def load(name: str) -> Database:
        if name not in read:
            read[name] = Database.from_string((folder / name).read_text(), fmt="tdb")
        return read[name]

    return load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
