"""The plain TDB with 0L - B: a coherent diagram for programs without our model."""

from __future__ import annotations

import random
import re
from collections import Counter

import calphad_io
import numpy as np
import pytest
from pycalphad import Database
from support import INTERSTITIAL, LINA, ROOT, run

import lina_calphad as lc
from lina_calphad import BinarySolution
from lina_calphad.data.databases import copy_database, copy_elastic_data
from lina_calphad.errors import DatabaseError, ElasticDataError, OutputError, UnsupportedPhase

TDB = (ROOT / "tdb" / "LiNa_Zhang2003.tdb").read_text()


class Along111(lc.CoherentModel):
    plane = (1, 1, 1)


@pytest.mark.parametrize("key", lc.assessments())
@pytest.mark.parametrize("model", [lc.CoherentModel, Along111])
def test_its_chemical_gap_is_our_coherent_gap(key, model, tmp_path):
    dbf = lc.load(key)
    lc.set_elastic_data(
        dbf, "BCC_A2", molar_volume={"LI": 1.2e-5, "NA": 2.1e-5},
        elasticity={"LI": lc.CubicElasticity(13.5, 11.4, 4.8)},
    )  # fmt: skip
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb", model=model)))
    coherent = lc.BinarySolution(dbf, LINA, "BCC_A2", model=model)
    exported = lc.BinarySolution(plain, LINA, "BCC_A2")
    T = coherent.critical_point().T * np.linspace(0.05, 0.999, 30)
    ours, theirs = coherent.binodal(T), exported.binodal(T)
    assert np.abs(ours.ln_x_alpha - theirs.ln_x_alpha).max() < 1e-9
    assert np.abs(ours.ln_one_minus_x_beta - theirs.ln_one_minus_x_beta).max() < 1e-9
    spinodals = coherent.spinodal(T).x_alpha - exported.spinodal(T).x_alpha
    assert np.abs(spinodals).max() < 1e-9


def test_other_phases_and_pure_elements_are_unchanged(tmp_path):
    dbf = lc.load("santos2025")
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))

    def others(database):
        return {
            (p["phase_name"], p["constituent_array"], p["parameter_order"]): p["parameter"]
            for p in database._parameters.all()
            if p["parameter_type"] == "G"
            and (p["phase_name"], p["parameter_order"]) != ("BCC_A2", 0)
        }

    assert others(plain) == others(dbf)
    assert not plain.search(lambda p: p["parameter_type"].startswith("C"))
    liquid = [lc.BinarySolution(d, LINA, "LIQUID").critical_point() for d in (dbf, plain)]
    assert liquid[0] == liquid[1]


def test_other_programs_can_read_it(tmp_path):
    path = lc.export_coherent_tdb(lc.load("santos2025"), tmp_path / "plain.tdb")
    text = path.read_text()
    assert max(map(len, text.splitlines())) <= 78
    assert [f for f in calphad_io.validate(calphad_io.load(path)) if f.severity != "info"] == []
    commands = re.findall(r"(?m)^PARAMETER[^!]*!", text)
    assert all(re.search(r"N\s+(SOURCE|COHERENT) !$", command) for command in commands)
    (changed,) = (command for command in commands if "COHERENT" in command)
    assert changed.startswith("PARAMETER G(BCC_A2,LI,NA:VA;0) 1.0 7534.08")


def test_a_coefficient_that_depends_on_temperature(tmp_path):
    from pycalphad import variables as v

    dbf = lc.load("zhang2003")
    volumes = {"LI": 1.2e-5 * (1 + 1e-4 * v.T), "NA": 2.2e-5}
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume=volumes, elasticity={})
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))
    coherent = lc.BinarySolution(dbf, LINA, "BCC_A2", model=lc.CoherentModel)
    T = np.array([60.0, 150.0])
    theirs = lc.BinarySolution(plain, LINA, "BCC_A2").binodal(T).ln_x_alpha
    assert np.abs(coherent.binodal(T).ln_x_alpha - theirs).max() < 1e-9


def is_l0(p):
    return p["phase_name"] == "BCC_A2" and len(p["constituent_array"][0]) == 2


def test_a_phase_without_l0_gets_one(tmp_path):
    dbf = lc.load("zhang2003")
    dbf._parameters.remove(is_l0)
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))
    (new,) = plain.search(is_l0)
    assert float(new["parameter"].args[0]) == pytest.approx(-12575.7167464, abs=1e-6)


def test_two_parameters_l0_are_refused(tmp_path):
    dbf = lc.load("zhang2003")
    dbf.add_parameter("L", "BCC_A2", [["LI", "NA"], ["VA"]], 0, 100.0)
    with pytest.raises(DatabaseError, match="BCC_A2 has 2 parameters L0 of LI and NA"):
        lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")
    assert list(tmp_path.iterdir()) == []


def test_elastic_data_with_ranges_of_temperature_are_refused(tmp_path):
    text = lc.load("zhang2003").to_string(fmt="tdb")
    text = text.replace("1.0 2.21494514805952E-05; 3000.0 N", "1 2.2E-5; 200 Y 2.3E-5; 3000 N")
    with pytest.raises(ElasticDataError, match="have ranges of temperature"):
        lc.export_coherent_tdb(Database.from_string(text, fmt="tdb"), tmp_path / "plain.tdb")


def test_interstitial_parameters_are_left_alone(tmp_path):
    dbf = Database.from_string(INTERSTITIAL, fmt="tdb")
    lithium = lc.CubicElasticity(13.5, 11.4, 8.8)
    volumes = {"LI": 1.2e-5, "NA": 2.2e-5}
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume=volumes, elasticity={"LI": lithium})
    plain = Database(str(lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")))
    l0 = {
        p["constituent_array"][1][0].name: float(p["parameter"].args[0])
        for p in plain.search(is_l0)
    }
    assert l0["C"] == 5000
    assert l0["VA"] < 20000


def test_the_original_is_not_changed(tmp_path):
    # A name longer than the eight characters that a TDB allows is shortened in the file.
    text = lc.load("santos2025").to_string(fmt="tdb").replace("GHSERLI", "GHSERLITHIUM")
    dbf = Database.from_string(text, fmt="tdb")
    before = dbf.to_string(fmt="tdb", if_incompatible="ignore").split("ELEMENT", 1)[1]
    path = lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")
    assert dbf.to_string(fmt="tdb", if_incompatible="ignore").split("ELEMENT", 1)[1] == before
    assert "GHSERLITHIUM" not in path.read_text()


def test_an_existing_file_stays_unless_asked(tmp_path):
    path, dbf = tmp_path / "plain.tdb", lc.load("santos2025")
    lc.export_coherent_tdb(dbf, path)
    before = path.read_text()
    with pytest.raises(OutputError, match=r"plain\.tdb exists already"):
        lc.export_coherent_tdb(dbf, path, source="another")
    assert path.read_text() == before
    lc.export_coherent_tdb(dbf, path, source="another", overwrite=True)
    assert "ANOTHER" in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["plain.tdb"]


def test_what_is_no_export_is_never_replaced(tmp_path):
    path = tmp_path / "thesis.tdb"
    path.write_text("mine")
    with pytest.raises(OutputError, match="not written by this program"):
        lc.export_coherent_tdb(lc.load("santos2025"), path, overwrite=True)
    assert path.read_text() == "mine"


def test_without_elastic_data_nothing_is_written(tmp_path):
    with pytest.raises(ElasticDataError):
        lc.export_coherent_tdb(lc.load("santos2025", elastic=False), tmp_path / "plain.tdb")
    assert list(tmp_path.iterdir()) == []


def test_a_pair_in_reversed_order_keeps_its_meaning(tmp_path):
    """A Model takes L(NA,LI;1) as it is added; pycalphad's writer sorts it and keeps the sign."""
    reversed_, straight = (copy_database(lc.load("zhang2003")) for _ in range(2))
    reversed_.add_parameter("L", "BCC_A2", [["NA", "LI"], ["VA"]], 1, 3000.0)
    straight.add_parameter("L", "BCC_A2", [["LI", "NA"], ["VA"]], 1, -3000.0)
    lines = [
        BinarySolution(dbf, LINA, "BCC_A2").binodal(300.0)
        for dbf in (reversed_, straight, copy_database(reversed_))
    ]
    assert len({float(line.ln_x_alpha) for line in lines}) == 1
    plain = Database(str(lc.export_coherent_tdb(reversed_, tmp_path / "plain.tdb")))
    coherent = BinarySolution(straight, LINA, "BCC_A2", lc.CoherentModel).binodal(100.0)
    found = BinarySolution(plain, LINA, "BCC_A2").binodal(100.0)
    assert found.ln_x_alpha == pytest.approx(float(coherent.ln_x_alpha), abs=1e-9)


def test_constituents_of_more_than_a_pair_must_be_in_order():
    dbf = Database.from_string(INTERSTITIAL, fmt="tdb")
    dbf.add_parameter("L", "BCC_A2", [["NA", "LI"], ["C", "VA"]], 1, 100.0)
    with pytest.raises(DatabaseError, match=r"L\(BCC_A2,NA,LI:C,VA;1\) names more than a pair"):
        copy_database(dbf)


def test_the_header_says_whose_elastic_data_are_in_it(capsys, folder):
    (folder / "mine.tdb").write_text(TDB)
    status, out, err = run(capsys, "export", "mine.tdb", "plain.tdb")
    note = "mine has no elastic constants: all of LiNa_elastic.tdb is used"
    assert (status, out, err) == (0, f"note: {note}\nwrote plain.tdb\n", "")
    header = " ".join(
        (folder / "plain.tdb").read_text().split("ELEMENT")[0].replace("$", "").split()
    )
    assert note.upper() in header
    assert "C11 = 20.4467049977886 C12 = 10.0707651481645 C44 = 5.18796992481203 B(LI," in header
    # A shipped assessment comes with them.
    assert run(capsys, "export", "zhang2003", "other.tdb")[1] == "wrote other.tdb\n"


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("(BCC_A2,LI:VA;0)      200 +GHSERLI", "(BCC_A2,LI:VA;0)  200 +GHSERLL", UnsupportedPhase,
         "BCC_A2 needs GHSERLL, which cannot be resolved"),
        (" CONSTITUENT BCC_A2 :LI,NA:VA: !", "", UnsupportedPhase, "BCC_A2 has no CONSTITUENT"),
        (" CONSTITUENT FCC_A1 :LI,NA:VA: !", "", DatabaseError, "FCC_A1 has no CONSTITUENT"),
        ("1580.34389", "1e999", DatabaseError, r"G\(LIQUID,LI,NA;2\) has a number or a limit that"),
        ("+1580.34389; 3000 N", "+1580.34389; N", DatabaseError, "range .* that lacks a limit"),
        ("+20000; 3000 N", "+20000; 1e999 N", DatabaseError, "a limit that is not finite"),
        ("+16000; 3000", "+16000*T**T; 3000", DatabaseError, "cannot write .* exponents"),
        ("T*LN(T)", "TLN(T)", UnsupportedPhase, "BCC_A2 needs TLN, which cannot be resolved"),
        ("453.6 Y", "3000 Y", DatabaseError, "GHSERLI has a range of temperature from 3000 to 500"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_named(tmp_path, old, new, error, message):
    assert old in TDB
    dbf = Database.from_string(TDB.replace(old, new), fmt="tdb")
    copy_elastic_data(lc.load("zhang2003"), dbf)
    with pytest.raises(error, match=message):
        lc.export_coherent_tdb(dbf, tmp_path / "plain.tdb")
    assert list(tmp_path.iterdir()) == []


def damaged(text: str, rng: random.Random) -> str:
    """A TDB with one thing wrong, or two: a number, a word, a command, a character, its end."""
    start = text.index(" ELEMENT")
    head, body = text[:start], text[start:]
    for _ in range(rng.choice([1, 1, 2])):
        number, word = (
            rng.choice([*re.finditer(pattern, body), re.match("", body)])
            for pattern in (r"(?<![\w.])\d+\.?\d*", r"\b[A-Z]\w{2,}\b")
        )
        commands, at = body.split("!"), rng.randrange(len(body) + 1)
        i, j = (rng.randrange(len(commands)) for _ in range(2))
        numbers = ["1e999", "0", "-1", "1E-400", "NAN", "INF", "99999999", "1.0D-5", "", "T"]
        words = [word[0] + "X", word[0][:-1], "LI", "FCC_A1", ""]
        body = rng.choice(
            [
                body[: number.start()] + rng.choice(numbers) + body[number.end() :],
                body[: word.start()] + rng.choice(words) + body[word.end() :],
                "!".join(commands[:i] + commands[i + 1 :]),
                "!".join([*commands[:i], commands[j], *commands[i:]]),
                body[:at] + rng.choice("!;,:()*+-/ TN$0&\0") + body[at:],
                body[:at] + body[at + 1 :],
                body[:at],
                body.replace(rng.choice(["3000 N", "2300 N", "; 500 Y"]), rng.choice("NY"), 1),
            ]
        )
    return head + body


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("key", ["Zhang2003", "Santos2025"])
def test_damaged_files_are_refused_in_one_line_or_exported(capsys, folder, key):
    text, rng = (ROOT / "tdb" / f"LiNa_{key}.tdb").read_text(), random.Random(key)
    count = Counter()
    for _ in range(150):
        (folder / "damaged.tdb").write_text(damaged(text, rng))
        status, out, err = run(capsys, "export", "damaged.tdb", "plain.tdb", "--overwrite")
        count[status] += 1
        if status:
            assert status == 2
            assert out == ""
            assert err.startswith("lina-calphad: error: ")
            assert err.count("\n") == 1
        else:
            Database(str(folder / "plain.tdb"))
            (folder / "plain.tdb").unlink()
        assert sorted(path.name for path in folder.iterdir()) == ["damaged.tdb"]
    assert min(count[0], count[2]) > 30
