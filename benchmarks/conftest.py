"""A table of the figures that the benchmarks report, after pytest's own."""

from __future__ import annotations

import pytest

FIGURES = pytest.StashKey[list[tuple[str, str]]]()


@pytest.fixture
def report(pytestconfig):
    """Add a line to the table: a label and a figure with its unit."""
    return lambda label, figure: pytestconfig.stash.setdefault(FIGURES, []).append((label, figure))


def pytest_terminal_summary(terminalreporter, config):
    figures = config.stash.get(FIGURES, [])
    width = max((len(label) for label, _ in figures), default=0)
    terminalreporter.section("what the benchmarks found")
    for label, figure in figures:
        terminalreporter.write_line(f"{label:<{width}}  {figure:>24}")
