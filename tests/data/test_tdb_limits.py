"""What is too much to work out gets a sentence with the line, before pycalphad hangs on it."""

from __future__ import annotations

from importlib.resources import files

import pytest

from lina_calphad.data.assessments import tdb_folder
from lina_calphad.data.tdb_files import parse_tdb, read_tdb_text, scan
from lina_calphad.data.tdb_limits import excess, written_out
from lina_calphad.errors import DatabaseError

EXAMPLES = files("pycalphad") / "tests" / "databases"
HEAD = " ELEMENT VA VACUUM 0 0 0 !\n ELEMENT A BCC_A2 1 1 1 !\n FUNCTION F0 298.15 +2*T; 6000 N !\n"
NESTED = "".join(f" FUNCTION F{i} 1 F{i - 1}*F{i - 1}+F{i - 1}; 9 N !\n" for i in range(1, 25))
RANGED = "".join(f" FUNCTION R{i} 1 {i}*T; 5 Y 0; 9 N !\n" for i in range(500))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (" FUNCTION G 1 T**9**9**9**9; 9 N !", "line 4, FUNCTION G: it has a power of a power"),
        (" FUNCTION G 1 T**(9**9**9); 9 N !", "it has a power of a power"),
        (" FUNCTION G 1 (((9**99)**99)**99)*T; 9 N !", r"a power of 9801; 1000 is the most"),
        (" FUNCTION G 1 7**99999999*T; 9 N !", r"a power of 1e\+08; 1000 is the most"),
        (NESTED, "line 12, FUNCTION F9: written out with its functions it has"),
        (RANGED + f" FUNCTION G 1 {'+'.join(f'R{i}' for i in range(500))}; 9 N !",
         "line 504, FUNCTION G: it is made of 500 functions in several ranges; 400 are the most"),
        (" FUNCTION G 1" + " 0; 5 Y" * 5000 + " 0; 9 N !", "it has 5002 ranges; 1000 are"),
        (f" FUNCTION G 1 {'+T*1' * 4000}; 9 N !", "it has 8000 operators in one range; 1500 are"),
        (f" FUNCTION G 1 {'+T*1' * 99999}; 9 N !", "characters long; 100000 are the most"),
        (f" FUNCTION G 1 {'(' * 99}T{')' * 99}; 9 N !", "99 brackets within each other; 60 are"),
        (f" FUNCTION G 1 {'-' * 20000}T; 9 N !", "it has 20000 operators in one range"),
    ],
)  # fmt: skip
def test_what_is_too_much(more, said):
    with pytest.raises(DatabaseError, match=said):
        parse_tdb(HEAD + more)


@pytest.mark.parametrize(
    "more",
    [
        " FUNCTION G 1 T**2+T**(-1)+(1+T**2)**2+T**(-9)+F0*T**3; 5 Y T**.5; 9 N !",
        "".join(f" FUNCTION G{i} 1 {i}+F0; 9 N !\n" for i in range(300)),
        f" LIST_OF_REFERENCES ONE '{'word ' * 200_000}' !",
        f" LIST_OF_REFERENCES ONE '{'x' * 40_000}' !",
    ],
)
def test_what_is_not(more):
    assert "F0" in parse_tdb(HEAD + more)[0].symbols


def test_no_public_file_comes_near():
    paths = [p for p in (*EXAMPLES.iterdir(), *tdb_folder().iterdir()) if p.suffix == ".tdb"]
    assert len(paths) > 35
    assert {excess(scan(read_tdb_text(path))[0]) for path in paths} == {""}


def test_sizes_add_up_and_a_circle_ends():
    sizes = {"A": (3,), "B": (1,), "C": (10,)}
    assert written_out(sizes, {"A": {"B": 2}, "B": {"C": 1}, "C": {}}) == {
        "C": (10,), "B": (11,), "A": (25,),
    }  # fmt: skip
    assert written_out(sizes, {"A": {"B": 1}, "B": {"A": 1}, "C": {"C": 1}}).keys() == {*"ABC"}
