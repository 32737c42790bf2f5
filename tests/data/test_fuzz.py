"""Mutated files of every kind that is read: an answer or one sentence, never a traceback."""

from __future__ import annotations

import random
import warnings

import pytest
from ase.io import write
from computed_datasets import TABLE
from test_calculations import NELM, step
from test_supercells import supercell, vasprun

from lina_calphad.data.assessments import read, tdb_folder
from lina_calphad.data.cells import read_calculations, read_table
from lina_calphad.data.datasets import read_datasets, shipped_datasets
from lina_calphad.data.new_datasets import energies_dataset
from lina_calphad.errors import LinaCalphadError

MUTATIONS = 120
#: What a slip, a broken disk or another program puts into a file.
PIECES = (
    "", "!", ";", ",", ":", "\n", '"', "<", ">", "[", "}", "-", "0", "-1", "1e999", "nan", "1.0D-5",
    "99999999999999999999", "T**9**9", "INF", "\0", "\u00e9", "\ud7ff", "é" * 100, "LI", "null",
    "Lattice", "PHASE", "</calculation>",
)  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """The text with one to four pieces cut, doubled, moved or replaced."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) or 1)
        end = min(len(text), start + chance.choice((0, 1, 1, 5, 30, 300)))
        piece = chance.choice((*PIECES, text[start:end] * 2, text[end : 2 * end - start]))
        text = text[:start] + piece + text[end:]
    return text if chance.random() > 0.1 else text[: chance.randrange(len(text) or 1)]


def tdb(folder):
    return (tdb_folder() / "LiNa_Zhang2003.tdb").read_text(), "my.tdb", read


def csv(folder):
    return (
        TABLE.read_text(),
        "my.csv",
        lambda file: energies_dataset(read_table(file), reference=""),
    )


def dataset(folder):
    text = shipped_datasets()["gpaw2026-sqs"].read_text()
    return text, "my.json", lambda file: read_datasets([file])


def calculation(file):
    energies_dataset(read_calculations([file]), reference="")


def extxyz(folder):
    cells = [supercell("Li", energy=-30.4), supercell("Na", energy=-20.8),
             supercell("Li+Na", energy=-29.6)]  # fmt: skip
    write(folder / "cells.extxyz", cells)
    return (folder / "cells.extxyz").read_text(), "my.extxyz", calculation


def xml(folder):
    return vasprun(step(2), step(2), parameters=NELM), "vasprun.xml", calculation


@pytest.mark.slow
@pytest.mark.parametrize("kind", [tdb, csv, dataset, extxyz, xml])
def test_no_file_is_answered_with_a_traceback(kind, tmp_path):
    text, name, use = kind(tmp_path)
    file, told = tmp_path / name, []
    for seed in range(MUTATIONS):
        file.write_text(mutated(text, random.Random(seed)), encoding="utf-8")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                use(file)
        except LinaCalphadError as error:
            told.append(str(error))
    assert told
    assert not [text for text in told if "\n" in text or len(text) > 2000]
