"""The paper's alloys, and the tables and drawings of its figures, made once."""

from __future__ import annotations

import pytest

from lina_calphad.paper.alloys import Paper
from lina_calphad.paper.figures import drawings_of


@pytest.fixture(scope="session")
def paper():
    return Paper.shipped()


@pytest.fixture(scope="session")
def made(paper):
    """Functions that give tables and figures, by name; a table is computed once."""
    return drawings_of(paper)


class Made(dict):
    """By name what a function makes of it, once and when it is asked for."""

    def __init__(self, make):
        self.make = make

    def __missing__(self, name):
        self[name] = self.make(name)
        return self[name]


@pytest.fixture(scope="session")
def tables(made):
    return Made(lambda name: made[0][name]())


@pytest.fixture(scope="session")
def figures(made):
    return Made(lambda name: made[1][name]())
