"""The program at odd terminals and with odd input: whatever happens, a sentence."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from support import run

from lina_calphad.cli.main import cli
from lina_calphad.cli.options import FRACTION, KELVIN, METRES, SHARE
from lina_calphad.errors import DatabaseError
from lina_calphad.text import one_line, printable

TABLE = "name,energy_ev,li,na\nLi,-243.2,128,0\nNa,-167.4,0,128\nLi127Na,-242.3,127,1\n"


def program(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from lina_calphad.cli.main import main; main()", *arguments],
        cwd=folder, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip


# -- what can be shown --


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0"}])
def test_a_terminal_that_knows_ascii_alone(folder, environment):
    (folder / "cells.csv").write_text(TABLE)
    arguments = ["dataset", "cells.csv", "--out", "my.json"]
    done = program(folder, *arguments, LC_ALL="C", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "wrote my.json" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x1b[31mred\x1b[0m", "a[31mred[0m"),
        ("a\x1b]0;title\x07b", "a]0;titleb"),
        ("\x9b2Jx\x7f\x00", "2Jx"),
        ("a\u202eb\u200bc", "abc"),
        ("b\udcff", "b\ufffd"),
        ("Å ± µ ⁰L", "Å ± µ ⁰L"),
    ],
)
def test_text_from_elsewhere_is_shown_without_escapes(raw, shown):
    assert printable(raw) == shown
    assert one_line(f"{raw}\n  more") == f"{shown} more"


def test_errors_hold_no_escapes(capsys, folder):
    status, _, err = run(capsys, "compare", "no\x1b[2J\nfile\udcff.tdb")
    assert status == 2
    assert err == "lina-calphad: error: there is no TDB file no[2J file\ufffd.tdb\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory"),
        (MemoryError("Unable to allocate 37 TiB"), "out of memory: Unable to allocate 37 TiB"),
        (RecursionError("maximum depth"), "nested too deeply"),
        (DatabaseError("one\n two"), "one two"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_every_failure_is_one_line(capsys, monkeypatch, error, said):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(cli.commands["list"], "callback", fail)
    status, out, err = run(capsys, "list")
    assert (status, out) == (2, "")
    assert err.startswith("lina-calphad: error: ")
    assert said in err
    assert err.count("\n") == 1


# -- numbers with units --


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (KELVIN, "300", 300),
        (KELVIN, "300 K", 300),
        (KELVIN, "50C", 323.15),
        (KELVIN, "25 °C", 298.15),
        (KELVIN, "25℃", 298.15),
        (KELVIN, "-20degC", 253.15),
        (KELVIN, "20K", 20),
        (FRACTION, "0.03", 0.03),
        (FRACTION, "3%", 0.03),
        (FRACTION, "3 at.%", 0.03),
        (FRACTION, "3at%", 0.03),
        (FRACTION, "3 mol %", 0.03),
        (FRACTION, "50wt%", (0.5 / 22.98977) / (0.5 / 22.98977 + 0.5 / 6.94)),
        (FRACTION, "0 wt.%", 0),
        (FRACTION, "100 mass %", 1),
        (SHARE, "50%", 0.5),
        (METRES, "100 µm", 1e-4),
        (METRES, "100um", 1e-4),
    ],
)
def test_a_number_with_its_unit(kind, text, value):
    assert kind(text) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (KELVIN, "50", "'50' has no unit: write it as in 300K or 25C"),
        (KELVIN, "77F", "'F' is no unit of this"),
        (KELVIN, "3,5C", "a decimal point is a point"),
        (KELVIN, "nan", "'nan' is no number"),
        (KELVIN, "1e999K", "no finite number"),
        (FRACTION, "3 vol%", "'vol%' is no unit of this: write it as in 0.03, 3% (of the atoms)"),
        (SHARE, "5wt%", "'wt%' is no unit of this: write it as in 0.5 or 50%"),
        (METRES, "100", "'100' has no unit: write it as in 100um"),
    ],
)
def test_a_number_without_a_meaning_is_refused(kind, text, said):
    with pytest.raises(click.BadParameter) as caught:
        kind(text)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "-T", "4000C"], "4273.15 K (4000C) is outside the range"),
        (["compare", "-T", "-300 °C"], "(-300 °C)"),
    ],
)
def test_an_error_says_what_was_typed(capsys, folder, arguments, said):
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert said in err
