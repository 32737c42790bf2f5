"""check_consistency: what holds of everything shipped, and that each identity can fail."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from pycalphad import Model
from pycalphad import variables as v
from support import LINA, R, run
from symengine import S

import lina_calphad as lc
from lina_calphad import CoherentModel
from lina_calphad.check import report
from lina_calphad.check.identities import check_consistency
from lina_calphad.check.report import solutions
from lina_calphad.errors import (
    DatabaseError,
    NoMiscibilityGap,
    NotConverged,
    SeveralMiscibilityGaps,
    UnsupportedPhase,
)
from lina_calphad.phase.coherent import EndmemberCoherentModel
from lina_calphad.phase.host_energy import HostEnergy

# Cold, in a gap of every kind, just at both ends of ranges of SGTE, above some gaps.
T_ALL = [33.0, 200.0, 300.0, 370.87, 453.6, 900.0]
NAMES = [
    "Gibbs energy", "S = -dG/dT", "chemical potentials", "stability", "binodal",
    "coherent critical point",
]  # fmt: skip
COHERENT = NAMES[-1:]
MODELS = [Model, CoherentModel, EndmemberCoherentModel]


def bcc_of(dbf, model=Model, solution=lc.BinarySolution):
    return solution(dbf, LINA, "BCC_A2", model)


def verdicts(result, verdict):
    return [i.name for i in result.identities if i.verdict == verdict]


# -- what holds --


@pytest.mark.parametrize("key", lc.assessments())
@pytest.mark.parametrize("model", MODELS)
def test_every_shipped_assessment_with_every_model(databases, key, model):
    result = check_consistency(bcc_of(databases[key], model), T_ALL)
    assert result.ok
    left_out = COHERENT if model is Model else []
    assert verdicts(result, "not applicable") == left_out
    assert verdicts(result, "holds") == [n for n in NAMES if n not in left_out]


@pytest.mark.parametrize("key", lc.assessments())
@pytest.mark.parametrize("model", MODELS)
def test_what_follows_from_the_identities(databases, key, model):
    solution = bcc_of(databases[key], model)
    T, x = np.array(T_ALL), np.linspace(0.01, 0.99, 9)
    host, grid = HostEnergy(solution), T[:, None]
    # G = H - TS of pycalphad
    H, entropy = host.sample("HM", T, x), host.sample("SM", T, x)
    np.testing.assert_allclose(solution.gibbs_energy(grid, x), H - grid * entropy, atol=1e-7)
    # Gibbs-Duhem: (1-x) dmu1 + x dmu2 = 0, along x by central differences
    h = 1e-4
    ends = []
    for point in (x - h, x + h):
        slope = solution.diffusion_potential(grid, point)
        G = solution.gibbs_energy(grid, point)
        ends.append((G - point * slope, G + (1 - point) * slope))
    mu1, mu2 = ((after - before) / (2 * h) for before, after in zip(*ends, strict=True))
    size = np.abs(x * mu2) + R * grid
    np.testing.assert_allclose(((1 - x) * mu1 + x * mu2) / size, 0, atol=2e-4)
    # psi is 1 at both ends
    psi = solution.stability(grid, [0.0, 1e-12, 1 - 1e-12, 1.0])
    np.testing.assert_allclose(psi, 1, atol=1e-6)


def test_the_critical_point_of_one_interaction_alone_moves_by_half_of_b_over_r(databases):
    coherent = bcc_of(databases["zhang2003"], CoherentModel).critical_point().T
    chemical = bcc_of(databases["zhang2003"]).critical_point().T
    assert coherent - chemical == pytest.approx(-12575.71674646883 / (2 * 8.3145), rel=1e-10)


@pytest.mark.parametrize("key", lc.assessments())
@pytest.mark.parametrize("phase", ["LIQUID", "FCC_A1", "HCP_A3"])
def test_every_other_phase(databases, key, phase):
    result = check_consistency(lc.BinarySolution(databases[key], LINA, phase), T_ALL)
    assert verdicts(result, "holds") == NAMES[:-1]


@pytest.mark.parametrize(
    ("name", "components", "phase", "T"),
    [
        ("alzn_mey.tdb", ("AL", "ZN"), "FCC_A1", [400, 600, 700]),
        ("alzn_mey.tdb", ("ZN", "AL"), "HCP_A3", [400, 600, 700]),
        # Curie temperatures: 1043 K of Fe, and kinks across the compositions below.
        ("crfe_bcc_magnetic.tdb", ("CR", "FE"), "BCC_A2", [300, 600, 800, 1043, 1100]),
        ("CoV-20Wan.tdb", ("CO", "V"), "FCC_A1", [700, 1396, 1500]),
    ],
)
def test_other_alloys(example_tdb, name, components, phase, T):
    result = check_consistency(lc.BinarySolution(example_tdb(name), components, phase), T)
    assert verdicts(result, "fails") == []
    assert verdicts(result, "holds")[:4] == NAMES[:4]


def test_temperatures_of_any_shape_and_order(databases):
    solution = bcc_of(databases["santos2025"])
    for T in (300, [[600.0, 100.0], [300.0, 300.0]]):
        result = check_consistency(solution, T)
        assert result.ok
        assert result.T == tuple(np.ravel(T))


def test_another_pressure(databases):
    dbf = lc.load("zhang2003")
    dbf.add_parameter("G", "BCC_A2", [["LI", "NA"], ["VA"]], 1, 1e-6 * v.P)
    solution = lc.BinarySolution(dbf, LINA, "BCC_A2", pressure=1e9)
    assert check_consistency(solution, 300).ok


# -- the three answers --


def test_where_there_is_no_gap(databases):
    coherent = bcc_of(databases["zhang2003"], CoherentModel)
    identity = check_consistency(coherent, 300)["binodal"]
    assert identity.verdict == "no gap"
    assert identity.deviation is None
    assert "closes at 205.92 K" in identity.reason


def test_temperatures_without_a_gap_are_named_beside_those_with_one(databases):
    coherent = bcc_of(databases["zhang2003"], CoherentModel)
    identity = check_consistency(coherent, [100, 300, 400])["binodal"]
    assert identity.verdict == "holds"
    assert identity.at.startswith("100 K")
    assert "no miscibility gap at 300 K" in identity.reason
    assert "and at 1 more" in identity.reason


def test_several_gaps_are_not_applicable(databases):
    class Two(lc.BinarySolution):
        def binodal(self, T):
            msg = "2 separate ranges of instability"
            raise SeveralMiscibilityGaps(msg)

    identity = check_consistency(bcc_of(databases["zhang2003"], solution=Two), 300)["binodal"]
    assert (identity.verdict, identity.reason) == (
        "not applicable", "2 separate ranges of instability",
    )  # fmt: skip


def test_what_did_not_converge_is_not_ok(databases):
    class Lost(lc.BinarySolution):
        def binodal(self, T):
            msg = "lost on the way"
            raise NotConverged(msg)

    result = check_consistency(bcc_of(databases["zhang2003"], solution=Lost), 300)
    assert verdicts(result, "did not converge") == ["binodal"]
    assert result["binodal"].reason == "lost on the way"
    assert not result.ok


def test_coherency_without_any_gap():
    dbf = lc.load("zhang2003")
    stiff = lc.CubicElasticity.isotropic(30.0, 0.33)
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume={}, elasticity={"LI": stiff})
    result = check_consistency(bcc_of(dbf, CoherentModel), 300)
    assert verdicts(result, "no gap") == ["binodal", *COHERENT]
    assert result.ok


def test_coherency_that_depends_on_temperature_has_no_closed_form():
    dbf = lc.load("zhang2003")
    volumes = {"LI": 1.2e-5 * (1 + 1e-4 * v.T), "NA": 2.2e-5 * (1 + 1e-4 * v.T)}
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume=volumes, elasticity={})
    result = check_consistency(bcc_of(dbf, CoherentModel), 100)
    assert result["coherent critical point"].verdict == "holds"


# -- that each can fail --


def pad(model, name, padding):
    """A Model with something added to one of its properties."""
    given = getattr(model, name)
    return type("Padded", (model,), {name: property(lambda self: padding(self) + given.fget(self))})


def fraction(self):
    (y,) = (y for y in self.site_fractions if y.species.name == "NA")
    return y


@pytest.mark.parametrize(
    ("model", "failing"),
    [
        (
            pad(Model, "GM", lambda self: 0.01 * fraction(self) ** 2),
            ["Gibbs energy", "chemical potentials", "stability", "binodal"],
        ),
        (
            pad(Model, "GM", lambda self: 1e-4 * v.T * fraction(self)),
            ["Gibbs energy", "S = -dG/dT", "chemical potentials"],
        ),
        (pad(Model, "SM", lambda self: S(1e-4)), ["S = -dG/dT"]),
    ],
)
def test_a_model_that_is_not_what_its_parts_say(databases, model, failing):
    result = check_consistency(bcc_of(databases["zhang2003"], model), [300.0, 400.0])
    assert sorted(verdicts(result, "fails")) == sorted(failing)
    assert not result.ok
    assert result[failing[0]].deviation > result[failing[0]].tolerance


class Skewed(lc.BinarySolution):
    """Relative errors in what it computes."""

    error = 1e-6


class WrongSlope(Skewed):
    def diffusion_potential(self, T, x):
        return super().diffusion_potential(T, x) * (1 + self.error)


class WrongStability(Skewed):
    def stability(self, T, x):
        return super().stability(T, x) + 2 * self.error


class WrongEnergy(Skewed):
    def gibbs_energy(self, T, x):
        return super().gibbs_energy(T, x) * (1 + self.error)


class WrongTieLine(Skewed):
    def binodal(self, T):
        line = super().binodal(T)
        return replace(line, ln_x_alpha=line.ln_x_alpha * (1 + self.error))


class Trivial(Skewed):
    def binodal(self, T):
        line = super().binodal(T)
        return replace(line, ln_one_minus_x_beta=np.log1p(-np.exp(line.ln_x_alpha)))


class Blind(Skewed):
    def binodal(self, T):
        msg = "there is no gap"
        raise NoMiscibilityGap(msg)


class BlindTop(Skewed):
    def critical_point(self):
        msg = "there is no gap"
        raise NoMiscibilityGap(msg)


class WrongTop(Skewed):
    def critical_point(self):
        top = super().critical_point()
        return replace(top, T=top.T * (1 + self.error))


@pytest.mark.parametrize(
    ("kind", "failing"),
    [
        (WrongSlope, ["chemical potentials"]),
        (WrongStability, ["stability"]),
        (WrongEnergy, NAMES[:3]),
        (WrongTieLine, ["binodal"]),
        (Trivial, ["binodal"]),
        (Blind, ["binodal"]),
        (WrongTop, COHERENT),
        (BlindTop, COHERENT),
    ],
)
def test_a_solution_with_an_error(databases, kind, failing):
    result = check_consistency(bcc_of(databases["zhang2003"], CoherentModel, kind), [100.0, 150.0])
    assert verdicts(result, "fails") == failing
    assert not result.ok


def test_a_gap_that_is_not_found_is_named(databases):
    result = check_consistency(bcc_of(databases["zhang2003"], solution=Blind), 300)
    assert result["binodal"].reason.startswith("there is no gap; but psi = -")


class Scaled(CoherentModel):
    def elastic_energy(self, dbe):
        return 0.99 * super().elastic_energy(dbe)


@pytest.mark.parametrize("key", lc.assessments())
def test_an_elastic_energy_that_is_not_that_of_its_coefficient(databases, key):
    result = check_consistency(bcc_of(databases[key], Scaled), 100)
    assert verdicts(result, "fails") == COHERENT


def test_a_model_with_more_than_coherency_has_no_plain_tdb(databases):
    class More(CoherentModel):
        def excess_mixing_energy(self, dbe):
            return 1.1 * super().excess_mixing_energy(dbe)

    identity = check_consistency(bcc_of(databases["zhang2003"], More), 100)[COHERENT[0]]
    assert identity.verdict == "not applicable"
    assert identity.reason == "More adds more than coherency, which a plain TDB cannot hold"


# -- the result --


def test_the_result_as_a_table(databases):
    result = check_consistency(bcc_of(databases["zhang2003"]), 300)
    frame = result.to_dataframe()
    assert frame["name"].tolist() == NAMES
    assert frame.set_index("name").loc["binodal", "deviation"] == result["binodal"].deviation
    assert (frame["because"].str.len() > 10).all()


def test_the_result_in_words(databases):
    result = check_consistency(bcc_of(databases["zhang2003"], CoherentModel, WrongStability), 300)
    assert repr(result) == (
        "<Consistency of BinarySolution BCC_A2 of LI and NA: CoherentModel: "
        "4 hold, 1 fail (stability), 1 no gap (binodal)>"
    )
    with pytest.raises(KeyError, match="no identity 'entropy'; there are Gibbs energy,"):
        result["entropy"]


@pytest.mark.parametrize(
    ("T", "said"), [(0, "got 0"), ([300, np.nan], "got nan"), ([], "at least one temperature")]
)
def test_bad_temperatures(databases, T, said):
    with pytest.raises(ValueError, match=said):
        check_consistency(bcc_of(databases["zhang2003"]), T)


# -- what can be checked of a database --


def test_what_is_left_out_is_named_with_its_reason(example_tdb):
    found, left_out, _ = solutions(example_tdb("alni_dupin_2001.tdb"), ("AL", "NI"))
    assert [solution.phase for solution in found] == ["FCC_A1", "LIQUID"]
    assert "mixes on 2 sublattices" in left_out["BCC_B2"]


def test_a_phase_that_is_asked_for_is_not_left_out(example_tdb):
    with pytest.raises(UnsupportedPhase, match="mixes on 2 sublattices"):
        solutions(example_tdb("alni_dupin_2001.tdb"), ("AL", "NI"), ["BCC_B2"])
    with pytest.raises(DatabaseError, match="no element LI"):
        solutions(example_tdb("alni_dupin_2001.tdb"), LINA)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda dbf: dbf.symbols.pop("GHSERLI"), "needs GHSERLI, which cannot be resolved"),
        (lambda dbf: setattr(dbf.phases["LIQUID"], "sublattices", ()), "cannot build LIQUID"),
    ],
)
def test_what_cannot_be_evaluated_is_not_passed(capsys, monkeypatch, change, said):
    dbf = lc.load("zhang2003")
    change(dbf)
    found, left_out, failed = solutions(dbf, LINA, ["LIQUID"])
    assert (found, left_out) == ([], {})
    assert said in failed["LIQUID"]
    monkeypatch.setattr(report, "load", lambda _: dbf)
    status, out, _ = run(capsys, "check", "zhang2003", "--phase", "LIQUID")
    assert "not checked: LIQUID: " in out
    assert "lint: no errors" in out
    assert status == 1


def test_elastic_data_that_are_not_complete_leave_the_coherent_models_out():
    dbf = lc.load("zhang2003", elastic=False)
    lithium = lc.CubicElasticity(13.5, 11.4, 8.8)
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume={}, elasticity={"LI": lithium})
    found, left_out, _ = solutions(dbf, LINA, ["BCC_A2"])
    assert [solution.model for solution in found] == [Model]
    assert "lacks V0 of LI" in left_out["BCC_A2, coherent"]


# -- the command --


def test_the_command_checks_everything_shipped(capsys):
    status, out, err = run(capsys, "check")
    assert (status, err) == (0, "")
    assert "lint: no errors in 4 files" in out
    for name in (*lc.assessments(), *" ".join(NAMES).split()):
        assert name in out


def test_the_command_as_json(capsys):
    status, out, _ = run(capsys, "check", "zhang2003", "--phase", "bcc_a2", "-T", "100K", "--json")
    result = json.loads(out)
    assert status == 0
    assert result["ok"]
    assert list(result["lint"]) == ["LiNa_Zhang2003.tdb", "LiNa_elastic.tdb"]
    assert len(result["consistency"]["zhang2003"]) == 3
    first = result["consistency"]["zhang2003"][0]
    assert first["T"] == [100.0]
    assert [row["name"] for row in first["identities"]] == NAMES


def test_a_failure_is_printed_with_both_sides(capsys, databases, monkeypatch):
    solution = bcc_of(databases["zhang2003"], CoherentModel, WrongTop)
    result = check_consistency(solution, [100.0])
    monkeypatch.setattr(report, "check_consistency", lambda *_: result)
    status, out, _ = run(capsys, "check", "zhang2003", "--phase", "LIQUID")
    out = " ".join(out.split())
    assert status == 1
    assert "fails 2e-04" in out
    assert "Tc = Tc of the plain TDB with 0L - B fails: 205.92258" in out
    assert "0 of 1 solutions agree" in out


def test_a_gap_by_one_route_alone_is_a_failure_in_words(capsys, databases, monkeypatch):
    result = check_consistency(bcc_of(databases["zhang2003"], CoherentModel, BlindTop), [100.0])
    monkeypatch.setattr(report, "check_consistency", lambda *_: result)
    status, out, _ = run(capsys, "check", "zhang2003", "--phase", "LIQUID")
    assert status == 1
    assert "point fails: there is a gap by one route and none by the other" in " ".join(out.split())


def test_a_closed_pipe_is_no_finding():
    code = "from lina_calphad.cli.main import main; main()"
    command = [sys.executable, "-c", code, "check", "zhang2003", "--phase", "LIQUID"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (0, b"")


def test_what_the_solver_warns_of_is_a_note(capsys, databases, monkeypatch):
    def warned(solution, _):
        warnings.warn("the Gibbs energy is discontinuous", UserWarning, stacklevel=1)
        return check_consistency(solution, [300.0])

    monkeypatch.setattr(report, "check_consistency", warned)
    status, out, err = run(capsys, "check", "zhang2003", "--phase", "LIQUID")
    assert (status, err) == (0, "")
    assert "note: LIQUID chemical: the Gibbs energy is discontinuous" in out
