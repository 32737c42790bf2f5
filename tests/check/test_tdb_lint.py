"""Lint of TDB files: what each rule finds, what it leaves alone, and what other files hold."""

from __future__ import annotations

import io
import json
from importlib.resources import files

import calphad_io
import numpy as np
import pytest
from pycalphad import Database, calculate
from support import run

from lina_calphad.check import tdb_lint
from lina_calphad.check.findings import rules
from lina_calphad.check.tdb_lint import LARGEST_JUMP, LARGEST_KINK, SEVERITIES, lint_tdb
from lina_calphad.check.tdb_text import TdbText
from lina_calphad.data.assessments import load, tdb_folder
from lina_calphad.phase.export import export_coherent_tdb

SHIPPED = sorted(path.name for path in tdb_folder().glob("*.tdb"))
EXAMPLES = files("pycalphad") / "tests" / "databases"

CLEAN = """\
$ A comment with a ! and a PARAMETER in it
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT A BCC_A2 1 1 1 !
 ELEMENT B BCC_A2 1 1 1 !
 FUNCTION GA 298.15 +100-2*T; 1000 Y
   +1100-4*T+.001*T**2; 3000 N !
 FUNCTION GB 298.15 -50*T; 3000 N !
 TYPE_DEFINITION % SEQ * !
 PHASE ALLOY % 2 1.0 3.0 !
 CONSTITUENT ALLOY :A,B:VA: !
 PARAMETER G(ALLOY,A:VA;0) 298.15 +GA; 3000 N ONE !
 PARAMETER G(ALLOY,B:VA;0) 298.15 +GB; 3000 N ONE !
 PARAMETER G(ALLOY,A,B:VA;0) 298.15 +20000; 3000 N TWO !
 LIST_OF_REFERENCES
 NUMBER SOURCE
 ONE 'FIRST'
 TWO 'SECOND'
 !
"""
THREE = CLEAN.replace(" FUNCTION GA", " ELEMENT C X 1 1 1 !\n FUNCTION GA")
RANGE = "range"  # the note that every description with limits gets


def found(old: str = "", new: str = "") -> list:
    """Findings in the clean text with one change, but for the note of its range."""
    assert old in CLEAN
    return [f for f in lint_tdb(CLEAN.replace(old, new)) if f.rule != RANGE]


def only(old: str, new: str):
    (finding,) = found(old, new)
    return finding


# -- what is sound --


def test_a_clean_text_has_the_note_of_its_range_alone():
    (note,) = lint_tdb(CLEAN)
    assert (note.severity, note.rule, note.place) == ("note", RANGE, "ALLOY")
    assert "from 298.15 to 3000 K" in note.text


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_have_notes_alone(name):
    notes = {(f.severity, f.rule, f.place) for f in lint_tdb(tdb_folder() / name)}
    extrapolated = ("note", RANGE, "BCC_A2, FCC_A1, HCP_A3, LIQUID")
    known = {
        "LiNa_Zhang2003.tdb": {extrapolated},
        "LiNa_2026.tdb": {extrapolated},
        "LiNa_Santos2025.tdb": {extrapolated},
    }
    assert notes == known.get(name, set())


def test_what_we_export_has_notes_alone(tmp_path):
    path = export_coherent_tdb(load("santos2025"), tmp_path / "coherent.tdb")
    assert {f.severity for f in lint_tdb(path)} <= {"note"}


# -- what each rule finds --

LISTED = " LIST_OF"
PAIR = " PHASE PAIR % 2 1.0 1.0 !\n CONSTITUENT PAIR :A,B:A,B: !\n" + "".join(
    f" PARAMETER G(PAIR,{e}:{e};0) 298.15 0; 3000 N ONE !\n" for e in "AB"
)
LOST = "+GB; 3000 N ONE !\n", "+GB; 3000 N ONE ! PARAMETER G(ALLOY,B:VA;0) 1 9; 2 N !\n"
ENERGY, B_ENERGY, GA, GB = "G(ALLOY,A,B:VA;0)", "G(ALLOY,B:VA;0)", "FUNCTION GA", "FUNCTION GB"
NEEDED = f"needed from 298.15 to 3000 K by {B_ENERGY}, line 12"

#: A change of the clean text, and the one finding of this rule that it makes.
SLIPS = [
    (*LOST, "error", "lost command", "PARAMETER", 12, "drops what follows"),
    (" TYPE_DEFINITION % SEQ * !\n", "", "warning", "reading", "pycalphad", None, "no corresp"),
    (" CONSTITUENT ALLOY :A,B:VA: !\n", None, "error", "duplicate definition",
     "CONSTITUENT ALLOY", 11, "is there 2 times"),
    (" CONSTITUENT ALLOY :A,B:VA: !\n", "", "error", "no constituents", "ALLOY", 9, ""),
    ("-50*T", "-50*T+GA*0.1+GB", "error", "circle", GB, 7, "cannot be resolved"),
    ("-50*T", "+GB; 1000 Y +GB", "error", "circle", GB, 7, ""),
    ("+1100-4*T", "+1100-4*T+GA", "error", "circle", GA, 5, ""),
    ("-50*T", "LN(-1)*T", "error", "not finite", GB, 7, ""),
    ("-50*T", "1E999", "error", "not finite", GB, 7, ""),
    ("-50*T", "LN(T-500)", "error", "not finite", GB, 7, "at 298.15 K"),
    ("-50*T", "(T-500)**.5", "error", "not finite", GB, 7, ""),
    ("+1100-4*T", "+1101.5-4*T", "warning", "jump", GA, 5,
     "at 1000 K its value jumps by 1.5 J/mol, its slope by 0 "),
    ("+1100-4*T", "+1097.5-3.9975*T", "warning", "jump", GA, 5,
     "at 1000 K its value jumps by 0 J/mol, its slope by 0.0025 "),
    ("; 3000 N !\n FUNCTION GB", "; 900 N !\n FUNCTION GB", "error", "limits", GA, 5,
     "1000 K, then 900 K"),
    ("+20000; 3000", "+20000; 500 Y +1; 300 Y +1; 3000", "error", "limits", ENERGY, 13, ""),
    ("FUNCTION GB 298.15", "FUNCTION GB 400", "warning", "ranges", GB, 7, "from 400 to 3000 K"),
    ("-50*T; 3000", "-50*T; 2000", "warning", "ranges", GB, 7, NEEDED),
    ("298.15 +20000", "500 +20000", "warning", "range of a parameter", "ALLOY", 13,
     f"others: {ENERGY} from 500 to 3000 K"),
    ("+20000; 3000", "+20000; 600", "warning", "range of a parameter", "ALLOY", 13,
     f"others: {ENERGY} from 298.15 to 600 K"),
    (f" PARAMETER {B_ENERGY} 298.15 +GB; 3000 N ONE !\n", "", "error", "missing end-member",
     "ALLOY", 9, "1 of 2 end-members have no G, 1 of them of a pure element (B:VA)"),
    (LISTED, PAIR + LISTED, "warning", "missing end-member", "PAIR", 14,
     "2 of 4 end-members have no G (A:B, B:A)"),
]  # fmt: skip
#: Rules whose slips make other findings, too.
WITH_OTHERS = {"circle", "duplicate definition", "limits", "not finite"}


@pytest.mark.parametrize(("old", "new", "severity", "rule", "place", "line", "said"), SLIPS)
def test_each_slip_is_found(old, new, severity, rule, place, line, said):
    findings = found(old, old + old if new is None else new)
    (finding,) = (f for f in findings if f.rule == rule)
    assert (finding.severity, finding.place, finding.line) == (severity, place, line)
    assert said in finding.text
    assert rule in WITH_OTHERS or findings == [finding]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (" ELEMENT A BCC_A2 1 1 1 !\n", " ELEMENT A BCC_A2 1 1 1 !\n" * 2, "duplicate_element"),
        ("% 2 1.0 3.0", "% 1 1.0", "parameter_sublattice_mismatch"),
        (LISTED, " PHASE GAS % 1 1 !\n CONSTITUENT GAS :A: !\n LIST_OF", "phase_has_no_parameters"),
    ],
)
def test_what_calphad_io_says_is_left_to_it(old, new, code):
    assert old in CLEAN
    said = calphad_io.validate(calphad_io.loads(CLEAN.replace(old, new)))
    assert code in {finding.code for finding in said}


def test_every_rule_has_a_test():
    # These have tests of their own, below.
    others = {
        "unclosed command", "duplicate parameter", "duplicate parameter, ranges", RANGE,
        "undefined function", "taken for zero", "no effect", "too many end-members",
        "nested too deep", "reversed pair", "not in the coherency",
    }  # fmt: skip
    assert {slip[3] for slip in SLIPS} | others == set(rules())


def test_a_finding_in_words():
    assert str(only("+GB;", "+GB+GBB;")) == (
        "error: GBB, line 12: is not defined, and G(ALLOY,B:VA;0) needs it; pycalphad takes it "
        "for zero: add the FUNCTION, or mend its spelling"
    )


def test_a_duplicate_with_its_lines_and_values():
    line = " PARAMETER G(ALLOY,A,B:VA;0) 298.15 +20000; 3000 N TWO !\n"
    finding = only(line, line + line.replace("G(", "L(").replace("20000", "500"))
    assert (finding.severity, finding.rule, finding.line) == ("error", "duplicate parameter", 13)
    assert finding.place == "G(ALLOY,A,B:VA;0)"
    for said in ("20000", "500", "line 13", "line 14", "pycalphad adds them up"):
        assert said in finding.text


def gibbs(text: str, T: float) -> float:
    """What pycalphad makes of the alloy in equal parts."""
    dbf = Database.from_string(text, fmt="tdb")
    points = np.array([[0.5, 0.5, 1.0]])
    result = calculate(dbf, ["A", "B", "VA"], ["ALLOY"], T=T, P=101325, points=points)
    return float(result.GM.values.squeeze())


@pytest.mark.parametrize(("second", "stretched"), [("298.15", False), ("1000", True)])
def test_pycalphad_adds_duplicates_even_of_separate_ranges(second, stretched):
    line = " PARAMETER G(ALLOY,A,B:VA;0) 298.15 +20000; 3000 N TWO !\n"
    first = line.replace("3000", "1000") if stretched else line
    text = CLEAN.replace(line, first + line.replace("298.15", second).replace("20000", "4000"))
    assert gibbs(text, 500.0) - gibbs(CLEAN, 500.0) == pytest.approx(1000)
    (finding,) = (f for f in lint_tdb(text) if f.rule == "duplicate parameter")
    assert ("stretches each beyond its range" in finding.text) == stretched


def test_other_orders_and_other_types_are_no_duplicates():
    line = " PARAMETER G(ALLOY,A,B:VA;0) 298.15 +20000; 3000 N TWO !\n"
    assert found(line, line + line.replace(";0", ";1") + line.replace("G(", "TC(")) == []


def test_a_small_jump_is_rounding():
    assert found("+1100-4*T", "+1100.9-4*T") == []
    assert found("+1100-4*T", "+1098.1-3.9981*T") == []


def test_a_jump_counts_where_it_arises_alone():
    # G(ALLOY,A) inherits the jump of GA at 1000 K and has none of its own at 2000 K.
    text = CLEAN.replace("+1100-4*T", "+1900-4*T").replace(
        "+GA; 3000 N ONE", "+GA; 2000 Y +GA; 3000 N ONE"
    )
    assert [f.place for f in lint_tdb(text) if f.rule == "jump"] == ["FUNCTION GA"]


@pytest.mark.parametrize(("end", "severity"), [("3000", "warning"), ("2000", "error")])
def test_pycalphad_takes_functions_in_several_ranges_for_zero_outside_theirs(end, severity):
    text = CLEAN.replace("-50*T; 3000", f"-50*T; {end}")
    two = text.replace("+GB; 3000", "+GB; 1500 Y +GB; 3000")
    # Half of GB is missing, and nothing where a FUNCTION has the ranges.
    assert gibbs(two, 3500.0) - gibbs(text, 3500.0) == pytest.approx(25 * 3500)
    new = "+GC; 3000", f" FUNCTION GC 298.15 +GB; 1500 Y +GB; {end} N !\n FUNCTION GB"
    function = text.replace("+GB; 3000", new[0]).replace(" FUNCTION GB", new[1])
    assert gibbs(function, 3500.0) == gibbs(text, 3500.0)
    (finding,) = (f for f in lint_tdb(two) if f.rule != RANGE)
    assert (finding.severity, finding.rule) == (severity, "taken for zero")
    assert (finding.place, finding.line) == ("G(ALLOY,B:VA;0)", 12)
    assert "taken for zero" not in {f.rule for f in lint_tdb(function)}


def test_a_jump_beyond_the_range_of_a_function_is_that_of_its_extrapolation():
    text = CLEAN.replace("-50*T; 3000", "-50*T; 500")
    two = text.replace("+GB; 3000", "+GB; 2000 Y +GB+4; 3000")
    (jump,) = (f for f in lint_tdb(two) if f.rule == "jump")
    assert "at 2000 K its value jumps by 4 J/mol" in jump.text


def test_the_digits_of_sgte_91_stay_below_the_thresholds(monkeypatch):
    from espei.refdata import SGTE91, SGTE91Stable

    stable = {f"GHSER{(2 * name)[-2:]}": name for name in SGTE91Stable}
    dbf = Database()
    dbf.symbols = {function: SGTE91Stable[name] for function, name in stable.items()}
    dbf.symbols |= {f"{phase}_{name}": e for (name, phase), e in SGTE91.items()}
    text = io.StringIO()
    # The limits of liquid Eu do not rise there, which cannot be written.
    bad = dbf.symbols.pop("LIQUID_EU")
    assert "299.15" in str(bad)
    dbf.to_file(text, fmt="tdb", if_incompatible="ignore")
    tdb = TdbText(text.getvalue())
    boundaries = sum(len(entry.pieces) - 1 for entry in tdb.entries)
    assert boundaries > 350
    jumps = lambda: [f.place for f in lint_tdb(tdb) if f.rule == "jump"]  # noqa: E731
    assert jumps() == []
    # What comes next to them is what their comment says.
    monkeypatch.setattr(tdb_lint, "LARGEST_JUMP", 0.89)
    assert jumps() == ["FUNCTION HCP_A3_FE"]
    monkeypatch.setattr(tdb_lint, "LARGEST_JUMP", 1.0)
    monkeypatch.setattr(tdb_lint, "LARGEST_KINK", 0.00102)
    assert jumps() == ["FUNCTION BCC_A2_AM"]


def test_a_truncated_coefficient_of_oxygen_shows():
    # -11.136 T ln T where SGTE has -11.1355: 3.5 J/mol at 1000 K.
    (finding,) = (f for f in lint_tdb(EXAMPLES / "cuo.tdb") if f.rule == "jump")
    assert finding.place == "FUNCTION GHSEROO"
    assert "at 1000 K its value jumps by 3.47 J/mol" in finding.text


def test_a_constant_and_a_difference_below_a_kelvin_do_not_count():
    for constant in ("50", "0"):
        assert found("-50*T; 3000", f"{constant}; 2000") == []
    assert found("FUNCTION GB 298.15", "FUNCTION GB 299") == []


def test_limits_that_are_left_out_do_not_count():
    assert found("298.15 +GB; 3000 N ONE", ",, +GB; ,, N ONE") == []


def test_an_undefined_function_is_zero_to_pycalphad():
    finding = only("+GB;", "+GB+GBB;")
    assert (finding.severity, finding.place, finding.line) == ("error", "GBB", 12)
    assert gibbs(CLEAN.replace("+GB;", "+GB+GBB;"), 500.0) == gibbs(CLEAN, 500.0)


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("G(NOWHERE,A:VA;0)", "there is no PHASE NOWHERE"),
        ("G(ALLOY,A;0)", "ALLOY has 2 sublattices, not 1"),
        ("G(ALLOY,A:B;0)", "ALLOY has no B there"),
    ],
)
def test_a_parameter_that_pycalphad_leaves_out(new, reason):
    line = f" PARAMETER {new} 298.15 +5; 3000 N ONE !\n"
    finding = only(" LIST_OF", line + " LIST_OF")
    assert (finding.severity, finding.rule, finding.line) == ("error", "no effect", 14)
    assert reason in finding.text
    assert gibbs(CLEAN.replace(" LIST_OF", line + " LIST_OF"), 500.0) == gibbs(CLEAN, 500.0)


def test_neutral_species_of_an_ionic_liquid_are_in_their_place():
    rules = {f.rule for f in lint_tdb(EXAMPLES / "femns.tdb")}
    assert "G(IONIC_LIQ,S;0)" in (EXAMPLES / "femns.tdb").read_text()
    assert "no effect" not in rules


def test_a_file_that_was_cut_off():
    text = CLEAN[: CLEAN.index(" LIST_OF")].rstrip().removesuffix("!")
    (finding,) = (f for f in lint_tdb(text) if f.rule == "unclosed command")
    assert (finding.severity, finding.place, finding.line) == ("error", "PARAMETER", 13)


def test_findings_come_by_severity_and_line():
    order = [(SEVERITIES.index(f.severity), f.line or 1e9) for f in
             lint_tdb(EXAMPLES / "alnipt.tdb")]  # fmt: skip
    assert len({severity for severity, _ in order}) == 3
    assert order == sorted(order)


@pytest.mark.parametrize(
    "name", ["alnifcc4sl.tdb", "CoV-20Wan.tdb", "diffusion.tdb", "mc_fecocrnbti.tdb", "rose.tdb"]
)
def test_lines_are_those_of_the_file(name):
    # Symmetry adds parameters, comments and abbreviations shift lines.
    text = (EXAMPLES / name).read_text(errors="replace")
    lines = text.upper().split("\n")
    for entry in TdbText(text).entries:
        known = entry.parameter["phase_name"] if entry.parameter else entry.name.split()[1]
        assert known in lines[entry.line - 1]


def test_an_abbreviation_that_only_pycalphad_understands_costs_the_lines():
    tdb = TdbText(CLEAN.replace(" PARAMETER G(ALLOY,A:VA", " P G(ALLOY,A:VA"))
    assert [entry.line for entry in tdb.parameters] == [None] * 3


# -- the command --


def write(folder, text):
    (folder / "my.tdb").write_text(text)
    return "my.tdb"


def test_a_sound_file_ends_with_status_0(capsys, folder):
    status, out, _ = run(capsys, "check", write(folder, CLEAN), "-T", "500")
    assert status == 0
    assert "lint: no errors in 1 file" in out


def test_an_error_ends_with_status_1_and_is_named(capsys, folder):
    status, out, _ = run(capsys, "check", write(folder, CLEAN.replace("+GB;", "+GBB;")))
    assert status == 1
    assert "GBB" in out
    assert "lint: 1 error in 1 file" in out
    assert "arithmetic: no solution was checked" in out


def test_a_warning_ends_with_status_0(capsys, folder):
    status, out, _ = run(capsys, "check", write(folder, CLEAN.replace("+1100", "+1105")))
    assert status == 0
    assert "1 warning" in out


def test_json_has_every_finding(capsys, folder):
    many = "".join(f" FUNCTION F{i} 1 0; 500 Y 9; 3000 N !\n" for i in range(20))
    name = write(folder, CLEAN.replace(" PHASE", many + " PHASE"))
    _, out, _ = run(capsys, "check", name, "--json", "-T", "500")
    result = json.loads(out)
    assert result["ok"]
    assert sum(f["rule"] == "jump" for f in result["lint"][name]) == 20
    _, out, _ = run(capsys, "check", name, "-T", "500")
    assert "15 more of 'jump'" in out


def test_the_thresholds_are_those_the_help_names(capsys):
    _, out, _ = run(capsys, "check", "--help")
    said = " ".join(out.split())
    assert f"more than {LARGEST_JUMP:g} J/mol or {LARGEST_KINK:g} J/(mol K)" in said
    assert "Examples:" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.tdb"], "nothing.tdb cannot be read as a TDB: No such file"),
        (["santos"], "did you mean santos2025?"),
        (["."], "it is a folder"),
        (["empty.tdb"], "no ELEMENT, PHASE or FUNCTION"),
        (["my.tdb", "--phase", "BCC_A2"], "no phase BCC_A2; it has ALLOY"),
        (["my.tdb", "--components", "A,C"], "no element C; it has A, B"),
        (["my.tdb", "--components", "A,a"], "two different components; got A, A"),
        (["my.tdb", "-T", "0"], "positive, finite number of kelvin; got 0"),
        (["three.tdb", "--phase", "ALLOY"], "three.tdb has A, B, C: name two with --components"),
    ],
)
def test_bad_input_ends_with_status_2(capsys, folder, arguments, said):
    write(folder, CLEAN)
    (folder / "empty.tdb").write_text("")
    (folder / "three.tdb").write_text(
        CLEAN.replace(" FUNCTION GA", " ELEMENT C X 1 1 1 !\n FUNCTION GA")
    )
    status, out, err = run(capsys, "check", *arguments)
    assert (status, out) == (2, "")
    assert said in err


def test_more_than_two_elements_are_linted_all_the_same(capsys, folder):
    status, out, _ = run(capsys, "check", write(folder, THREE))
    assert status == 0
    assert "no check of consistency; my.tdb has A, B, C: name two with --components" in out
    _, out, _ = run(capsys, "check", "my.tdb", "--components", "B,A", "-T", "400")
    assert "1 of 1 solutions agree" in out


# -- what pycalphad takes for zero, or cannot build --


@pytest.mark.parametrize("array", ["*:VA", "B:*"])
def test_a_wildcard_is_a_gibbs_energy(array):
    assert "missing end-member" not in {f.rule for f in found("ALLOY,B:VA", f"ALLOY,{array}")}


def test_a_long_circle_is_named_once():
    many = "".join(f" FUNCTION F{i} 1 +F{(i + 1) % 3000}+1; 3000 N !\n" for i in range(3000))
    (finding,) = (f for f in found(" FUNCTION GB", many + " FUNCTION GB") if f.rule == "circle")
    assert finding.text.startswith(
        "runs in a circle (F1, F2, F3, F4, F5, F6, F7, F8 and 2992 more)"
    )


def test_no_common_range():
    text = CLEAN.replace("298.15 +20000", "700 +20000").replace("+GB; 3000", "+GB; 500")
    findings = lint_tdb(text)
    (finding,) = (f for f in findings if f.rule == "range of a parameter")
    assert "the common range of all parameters is empty" in finding.text
    assert RANGE not in {f.rule for f in findings}


def test_findings_of_chosen_elements_alone():
    more = (
        " PHASE ODD % 1 1.0 !\n CONSTITUENT ODD :A,C: !\n"
        " PARAMETER G(ODD,A;0) 298.15 0; 3000 N ONE !\n LIST_OF"
    )
    tdb = TdbText(THREE.replace(" LIST_OF", more))
    assert {f.place for f in lint_tdb(tdb) if f.severity == "error"} == {"ODD"}
    chosen = lint_tdb(tdb.within(["a", "b"]))
    assert not [f for f in chosen if f.severity == "error"]
    assert "ODD" not in {f.place for f in lint_tdb(tdb.within(["A", "C"], ["ALLOY"]))}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("+20000; 3000", "+20000; 500 Y +1; 300 Y +1; 3000"),  # limits
        ("% 2 1.0 3.0 !", "% 1 1.0 !"),  # site ratios
        (" LIST_OF", " PHASE BARE % 1 1.0 !\n LIST_OF"),  # no constituents
    ],
)
def test_a_phase_that_pycalphad_cannot_build_is_named(capsys, folder, old, new):
    status, out, _ = run(capsys, "check", write(folder, CLEAN.replace(old, new)))
    assert status == 1
    assert "not checked: ALLOY" in out
    assert "arithmetic: no solution was checked\n" in out


@pytest.mark.parametrize("name", ["O", "V", "B", "CL"])
def test_names_are_no_emoji(capsys, folder, name):
    text = CLEAN.replace("ELEMENT B ", f"ELEMENT {name} ").replace("A,B:", f"A,{name}:")
    text = text.replace("ALLOY,B:", f"ALLOY,{name}:").replace(
        " LIST_OF", f" PARAMETER G(ALLOY,A:{name}:VA;0) 298.15 0; 3000 N ONE !\n LIST_OF"
    )
    _, out, _ = run(capsys, "check", write(folder, text))
    assert f"G(ALLOY,A:{name}:VA;0)" in out


def test_a_default_temperature_is_in_the_range_of_the_parameters(capsys, folder):
    _, out, _ = run(capsys, "check", write(folder, CLEAN), "--json")
    assert json.loads(out)["consistency"]["my.tdb"][0]["T"] == [298.15, 300.0, 600.0]


def test_an_energy_that_is_not_finite(capsys, folder):
    text = CLEAN.replace("+20000;", "+20000*LN(T-1000);")
    status, out, err = run(capsys, "check", write(folder, text))
    assert (status, err) == (1, "")
    assert "ALLOY chemical: Gibbs energy fails, " in out
    assert "no finite number at 298.15 K" in " ".join(out.split())
    assert "nan" not in out


# -- what pycalphad reads in its own way --


def test_a_reversed_pair_of_odd_order_is_shown_in_both_readings():
    line = " PARAMETER G(ALLOY,{}:VA;1) 298.15 +6000+2*T; 3000 N TWO !\n LIST_OF"
    finding = only(" LIST_OF", line.format("B,A"))
    assert (finding.severity, finding.rule, finding.line) == ("warning", "reversed pair", 14)
    assert "is written B,A:VA" in finding.text
    assert "makes G(ALLOY,A,B:VA;1) = 6000.0 + 2.0*T" in finding.text
    assert "makes it -(6000.0 + 2.0*T)" in finding.text
    assert found(" LIST_OF", line.format("A,B")) == []
    assert found(" LIST_OF", line.format("B,A").replace("VA;1", "VA;2")) == []
    # pycalphad sorts the pair, and the sign stays.
    forward, backward = (
        Database.from_string(CLEAN.replace(" LIST_OF", line.format(pair)), fmt="tdb")
        for pair in ("A,B", "B,A")
    )
    points = np.array([[0.2, 0.8, 1.0]])
    values = [
        calculate(dbf, ["A", "B", "VA"], ["ALLOY"], T=500, P=101325, points=points).GM.values
        for dbf in (forward, backward)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-14)


ELASTIC = "".join(
    f" PARAMETER {name}(ALLOY,{element}:VA;0) 298.15 {value}; 3000 N ONE !\n"
    for element, of in {
        "A": {"V0": 1e-5, "C11": 13.5, "C12": 11.4, "C44": 8.8},
        "B": {"V0": 1.3e-5},
    }.items()
    for name, value in of.items()
)


def with_volume(parameter):
    return f"{ELASTIC} PARAMETER {parameter} 298.15 1E-6; 3000 N ONE !\n LIST_OF"


def test_a_thermal_expansion_is_not_in_the_coherency():
    assert found(" LIST_OF", ELASTIC + " LIST_OF") == []
    finding = only(" LIST_OF", with_volume("VA(ALLOY,A:VA;0)"))
    assert (finding.severity, finding.rule) == ("warning", "not in the coherency")
    assert finding.place == "VA(ALLOY,A:VA;0)"


def test_an_excess_volume_is_in_the_coherency():
    assert found(" LIST_OF", with_volume("V0(ALLOY,A,B:VA;0)")) == []


@pytest.mark.parametrize(("deep", "error"), [(32, False), (33, True)])
def test_functions_nested_deeper_than_pycalphad_follows(deep, error):
    functions = (
        "".join(f" FUNCTION F{i} 298.15 +F{i + 1}; 3000 N !\n" for i in range(1, deep))
        + f" FUNCTION F{deep} 298.15 +900; 3000 N !\n FUNCTION GB"
    )
    text = CLEAN.replace(" FUNCTION GB", functions).replace("+20000;", "+F1;")
    assert ("nested too deep" in {f.rule for f in lint_tdb(text)}) == error
    # What it does not reach is zero.
    shift = gibbs(text, 500.0) - gibbs(CLEAN.replace("+20000;", "0;"), 500.0)
    assert shift == pytest.approx(0 if error else 900 / 4)


def test_end_members_that_are_too_many_to_look_at():
    names = ",".join(f"S{i}" for i in range(30))
    new = (
        "".join(f" SPECIES S{i} A{i + 2} !\n" for i in range(30)) + " PHASE MANY % 4 1 1 1 1 !\n"
        f" CONSTITUENT MANY :{':'.join([names] * 4)}: !\n"
        f" PARAMETER G(MANY,{':'.join(['S1'] * 4)};0) 298.15 0; 3000 N ONE !\n LIST_OF"
    )
    finding = only(" LIST_OF", new)
    assert (finding.severity, finding.rule) == ("note", "too many end-members")
    assert "8.1e+05 end-members" in finding.text
