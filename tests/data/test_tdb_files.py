"""TDB files as people have them: encodings, leftovers of other programs, the line at fault."""

from __future__ import annotations

import os

import pytest

from lina_calphad.data.databases import check_functions
from lina_calphad.data.tdb_files import parse_tdb, read_tdb, scan
from lina_calphad.errors import DatabaseError, UnsupportedPhase

GOOD = """$ a comment
ELEMENT VA VACUUM 0.0 0.0 0.0 !
ELEMENT AA BCC_A2 10.0 4000.0 20.0 !
ELEMENT BB BCC_A2 11.0 4000.0 20.0 !
FUNCTION ZERO 298.15 0; 6000 N !
TYPE_DEFINITION % SEQ * !
PHASE BCC_A2 % 1 1 !
CONSTITUENT BCC_A2 : AA,BB : !
PARAMETER G(BCC_A2,AA;0) 298.15 ZERO; 6000 N REF1 !
PARAMETER G(BCC_A2,BB;0) 298.15 ZERO; 6000 N REF1 !
PARAMETER L(BCC_A2,AA,BB;0)
   298.15 +20000;
   6000 N REF1 !
PARAMETER L(BCC_A2,AA,BB;1) 298.15 +100; 6000 N REF1 !
LIST_OF_REFERENCES
 NUMBER SOURCE
 REF1 'NOBODY' !
"""


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_every_encoding_is_read(tmp_path, encoding):
    file = tmp_path / "my.tdb"
    file.write_text(GOOD.replace("comment", "comment, Ångström"), encoding=encoding)
    assert set(read_tdb(file).phases) == {"BCC_A2"}


def test_zero_bytes_that_another_program_leaves_in_references(tmp_path):
    file = tmp_path / "my.tdb"
    file.write_bytes(GOOD.encode().replace(b"'NOBODY'", b"'NOBODY\0\0\0'"))
    assert set(read_tdb(file).phases) == {"BCC_A2"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8b\x08" + bytes(60), "it is a gzip archive"),
        (b"PK\x03\x04" + bytes(60), "a zip archive"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page; save the file itself"),
        (b"\x00\x01\x02! ELEMENT", "it is no text"),
        (b" System AA-BB\n  2  1  1  3\n AA  BB\n  10.0  11.0\n", "it is a ChemSage data file"),
        (b"\xff\xfeE\x00L", "it is no utf-16 text"),
        (b"", "there is no ELEMENT, PHASE or FUNCTION in it"),
        (b"!\n!\n", "there is no ELEMENT, PHASE or FUNCTION in it"),
        (b"\xff\xfe\x9d\x8e", "no command of a TDB"),
        (b"Dear reader", "no command of a TDB"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, said):
    file = tmp_path / "my.tdb"
    file.write_bytes(content)
    with pytest.raises(DatabaseError, match=rf"my\.tdb cannot be read as a TDB: .*{said}") as error:
        read_tdb(file)
    assert str(error.value).isprintable()


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.tdb")
    for path, said in (
        (tmp_path, "it is a folder"),
        (tmp_path / "pipe.tdb", "a device or a pipe"),
        ("/dev/zero", "a device or a pipe"),
        (tmp_path / "none.tdb", "No such file"),
    ):
        with pytest.raises(DatabaseError, match=f"cannot be read as a TDB: .*{said}"):
            read_tdb(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # the fault of line 4 beside one that pycalphad meets later
        ("ELEMENT BB BCC_A2 11.0 4000.0 20.0 !\n", "ELEMENT BB BCC_A2 !\n", "line 4, ELEMENT BB"),
        ("+100;", "+1.0D-5*T;", r"line 14, PARAMETER L\(.*;1\): 1.0D-5 is Fortran's; .* 1.0E-5"),
        ("+20000;", "+2.5D3;", r"line 11, PARAMETER .*: 2.5D3 is Fortran's"),
        ("20.0 !\nELEMENT BB", "20.0\nELEMENT BB", "line 3, ELEMENT AA: another command begins in"),
        ("N REF1 !\nPARAMETER L(BCC_A2,AA,BB;1)", "N REF1\nPARAMETER L(BCC_A2,AA,BB;1)",
         r"line 11, PARAMETER L\(BCC_A2,AA,BB;0\): another command"),
        ("298.15 0; 6000", "298.15 LOG(; 6000", "line 5, FUNCTION ZERO: .*never closed"),
        ("CONSTITUENT BCC_A2 :", "CONSTITUENT BCC_A3 :", "line 8, CONSTITUENT BCC_A3: 'BCC_A3' is"),
        (": AA,BB :", ": AA,CC :", "line 8, CONSTITUENT BCC_A2: 'CC' is not defined"),
        ("PHASE BCC_A2 % 1 1 !", "PHRASE BCC_A2 % 1 1 !", "line 7: 'PHRASE BCC_A2 % 1 1' is no"),
        ("PARAMETER L(BCC_A2,AA,BB;1)", "PARAMETER QQ(BCC_A2,AA,BB;1)", r"line 14, PARAMETER QQ"),
        ("% SEQ *", "% GES A_P_D BCC_A2 MAGNETIC -1", "line 6, TYPE_DEFINITION %"),
        ("FUNCTION ZERO 298.15 0; 6000 N !", "FUNCTION ZERO 298.15 0; 6000 N !\n" * 2, "line 6, F"),
    ],
)  # fmt: skip
def test_the_line_at_fault_is_named(old, new, said):
    assert old in GOOD
    parse_tdb(GOOD)
    with pytest.raises(DatabaseError, match=f"the text cannot be read as a TDB: {said}"):
        parse_tdb(GOOD.replace(old, new, 1))


def test_nothing_is_printed_on_the_way(capsys):
    with pytest.raises(DatabaseError):
        parse_tdb(GOOD.replace("CONSTITUENT BCC_A2 :", "CONSTITUENT BCC_A3 :"))
    assert capsys.readouterr() == ("", "")


def test_commands_with_their_lines():
    commands, lost, unclosed = scan(GOOD + "FUNC X 1 2; 3 N ! PHASE Y % 1 1 !\nELEM C\n")
    assert [(c.keyword, c.name, c.line) for c in commands[3:5]] == [
        ("FUNCTION", "ZERO", 5), ("TYPE_DEFINITION", "%", 6),
    ]  # fmt: skip
    assert [c.line for c in commands if c.keyword == "PARAMETER"] == [9, 10, 11, 14]
    assert [(c.keyword, c.name) for c in commands[-2:]] == [("FUNCTION", "X"), ("ELEMENT", "C")]
    assert lost == [(18, "PHASE Y % 1 1 !")]
    assert unclosed is commands[-1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("298.15 +20000", "298.15 +20000*KAPPA", "BCC_A2 needs KAPPA, which cannot be resolved"),
        (
            "298.15 0;",
            "298.15 +F1; 6000 N !\nFUNCTION F1 298.15 +ZERO;",
            "needs F1, ZERO, .* circle",
        ),
    ],
)
def test_functions_that_are_not_there_or_run_in_a_circle(old, new, said):
    assert old in GOOD
    check_functions(parse_tdb(GOOD)[0], ["BCC_A2"], ["AA", "BB"])
    with pytest.raises(UnsupportedPhase, match=said):
        check_functions(parse_tdb(GOOD.replace(old, new))[0], ["BCC_A2"], ["AA", "BB"])


def test_functions_of_other_elements_do_not_matter():
    dbf = parse_tdb(GOOD.replace("298.15 +20000", "298.15 +20000*KAPPA"))[0]
    check_functions(dbf, ["BCC_A2"], ["AA"])
