"""What tests of fits share."""

from __future__ import annotations

import pytest

from lina_calphad.fit.assess import assess


@pytest.fixture(scope="session")
def lina2026():
    """What the shipped recipe leads to."""
    return assess("lina2026")
