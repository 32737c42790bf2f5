"""Assessments and studies that the tests of the anode share."""

from __future__ import annotations

import pytest

from lina_calphad.anode import describe, study
from lina_calphad.phase.draws import source_draws


@pytest.fixture(scope="session")
def santos():
    return describe("santos2025")


@pytest.fixture(scope="session")
def zhang():
    return describe("zhang2003")


@pytest.fixture(scope="session")
def draws(santos):
    return source_draws("santos2025", santos.dbf)


@pytest.fixture(scope="session")
def whole(santos, draws):
    """A study with everything in it, from 20 to 60 °C."""
    given = {"thickness": 100e-6, "current_density": 10.0, "draws": draws}
    return study(0.03, [293.15, 333.15], santos, **given)
