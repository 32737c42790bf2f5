"""CoherentModel: the energy it adds, the data it reads, and every host program that must see it."""

from __future__ import annotations

import copy
import json
import pickle
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycalphad import Database, Model, Workspace, calculate, equilibrium
from pycalphad import variables as v
from support import COMPS, INTERSTITIAL, ROOT, python

import lina_calphad as lc
from lina_calphad import CoherentModel, CubicElasticity
from lina_calphad.data.assessments import tdb_folder
from lina_calphad.errors import DatabaseError, ElasticDataError, UnsupportedPhase
from lina_calphad.phase.coherent import EndmemberCoherentModel

B = 12575.71674646883  # the paper's value
TC_COHERENT = (16000 - B) / (2 * 8.3145)  # zhang2003


class SodiumHost(CoherentModel):
    host = "NA"


class Along111(CoherentModel):
    plane = (1, 1, 1)


def energy(model_class, x, dbf=None, T=300.0, output="GM"):
    x = np.atleast_1d(x)
    points = np.column_stack([1 - x, x, np.ones_like(x)])
    dbf = dbf or lc.load("zhang2003")
    result = calculate(
        dbf, COMPS, ["BCC_A2"], T=T, P=101325, points=points, model=model_class, output=output
    )
    return result[output].values.squeeze()


X = np.linspace(0, 1, 11)

# -- the energy --


def test_host_gauge_is_equation_12(databases):
    dbf = databases["zhang2003"]
    added = energy(CoherentModel, X, dbf) - energy(Model, X, dbf)
    assert added == pytest.approx(B * X**2, abs=1e-8)


def test_endmember_gauge_leaves_the_pure_elements_alone(databases):
    dbf = databases["zhang2003"]
    added = energy(EndmemberCoherentModel, X, dbf) - energy(Model, X, dbf)
    assert added == pytest.approx(-B * X * (1 - X), abs=1e-8)


def test_coherency_coefficient_is_that_of_the_paper(databases):
    model = CoherentModel(databases["zhang2003"], COMPS, "BCC_A2")
    assert float(model.coherency["LI", "NA"]) == pytest.approx(B, rel=1e-13)


@pytest.mark.parametrize("model", [CoherentModel, EndmemberCoherentModel])
def test_mixing_properties_contain_the_gauge_free_term(databases, model):
    dbf = databases["zhang2003"]
    inside = X[1:-1]
    for output in ("GM_MIX", "HM_MIX"):
        added = energy(model, inside, dbf, output=output) - energy(
            Model, inside, dbf, output=output
        )
        assert added == pytest.approx(-B * inside * (1 - inside), abs=1e-8)
    entropy = [energy(m, inside, dbf, output="SM_MIX") for m in (model, Model)]
    assert entropy[0] == pytest.approx(entropy[1], abs=1e-12)


def test_a_contribution_of_its_own_placed_before_ordering(databases):
    model = CoherentModel(databases["zhang2003"], COMPS, "BCC_A2")
    assert list(model.models)[-2:] == ["elastic", "ord"]
    at = {y: {"LI": 0.75, "NA": 0.25, "VA": 1.0}[y.species.name] for y in model.site_fractions}
    assert float(model.models["elastic"].subs(at)) == pytest.approx(B / 16, rel=1e-13)


def test_no_gap_or_spinodal_depends_on_the_gauge(databases):
    T = np.linspace(50, 700, 10)
    one, other = (
        lc.BinarySolution(databases["santos2025"], ("LI", "NA"), "BCC_A2", model=m)
        for m in (CoherentModel, EndmemberCoherentModel)
    )
    assert np.abs(one.binodal(T).ln_x_alpha - other.binodal(T).ln_x_alpha).max() < 1e-11
    assert np.abs(one.spinodal(T).x_beta - other.spinodal(T).x_beta).max() < 1e-12


def test_another_host_measures_misfit_and_stiffness_from_there(databases):
    model = SodiumHost(databases["zhang2003"], COMPS, "BCC_A2")
    y = 13.8e9 / (1 - 0.33)
    volume, misfit = 4.19e-10**3 * 6.02214076e23 / 2, 3.42 / 4.19 - 1
    assert float(model.coherency["LI", "NA"]) == pytest.approx(y * volume * misfit**2, rel=1e-12)
    added = energy(SodiumHost, X) - energy(Model, X)
    assert added == pytest.approx(y * volume * misfit**2 * (1 - X) ** 2, abs=1e-7)


def test_the_plane_counts_where_the_crystal_is_anisotropic():
    dbf = lc.load("zhang2003")
    lithium = CubicElasticity(13.5, 11.4, 8.8)  # handbook values, quoted from memory
    volumes = {"LI": 1.2e-5, "NA": 2.2e-5}
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume=volumes, elasticity={"LI": lithium})
    for model, plane in ((CoherentModel, (1, 0, 0)), (Along111, (1, 1, 1))):
        b = float(model(dbf, COMPS, "BCC_A2").coherency["LI", "NA"])
        misfit = (2.2 / 1.2) ** (1 / 3) - 1
        expected = lithium.biaxial_modulus(plane) * 1e9 * 1.2e-5 * misfit**2
        assert b == pytest.approx(expected, rel=1e-12)


def test_data_may_depend_on_temperature():
    dbf = lc.load("zhang2003")
    lc.set_elastic_data(
        dbf, "BCC_A2", elasticity={},
        molar_volume={"LI": 1.2e-5 * (1 + 1e-4 * v.T), "NA": 2.2e-5 * (1 + 2e-4 * v.T)},
    )  # fmt: skip
    y = 13.8e9 / (1 - 0.33)
    for T in (100.0, 300.0):
        volume = 1.2e-5 * (1 + 1e-4 * T)
        misfit = (2.2e-5 * (1 + 2e-4 * T) / volume) ** (1 / 3) - 1
        added = energy(CoherentModel, 0.3, dbf, T) - energy(Model, 0.3, dbf, T)
        assert float(added) == pytest.approx(y * volume * misfit**2 * 0.09, rel=1e-9)


def test_interactions_of_the_elastic_data_do_not_count():
    dbf = lc.load("zhang2003")
    dbf.add_parameter("C11", "BCC_A2", [["LI", "NA"], ["VA"]], 0, 1000.0)
    b = CoherentModel(dbf, COMPS, "BCC_A2").coherency["LI", "NA"]
    assert float(b) == pytest.approx(B, rel=1e-13)


def ternary():
    text = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT A BCC_A2 1 0 0 !
 ELEMENT B BCC_A2 1 0 0 !
 ELEMENT C BCC_A2 1 0 0 !
 TYPE_DEFINITION % SEQ * !
 PHASE ALLOY % 2 2.0 3.0 !
 CONSTITUENT ALLOY :A,B,C:VA: !
 PARAMETER V0(ALLOY,A:VA;0) 1 2E-5; 6000 N !
 PARAMETER V0(ALLOY,B:VA;0) 1 2.2E-5; 6000 N !
 PARAMETER V0(ALLOY,C:VA;0) 1 1.7E-5; 6000 N !
 PARAMETER C11(ALLOY,*:VA;0) 1 150; 6000 N !
 PARAMETER C12(ALLOY,*:VA;0) 1 100; 6000 N !
 PARAMETER C44(ALLOY,*:VA;0) 1 75; 6000 N !
"""
    return Database.from_string(text, fmt="tdb")


@given(st.floats(0.01, 0.98), st.floats(0.01, 0.98))
@settings(max_examples=10, deadline=None)
def test_several_solutes_and_sites(a, b):
    # Two sites a formula unit: V0 is per formula unit, energies per mole of atoms.
    x = np.array([a, b * (1 - a), (1 - a) * (1 - b)])
    models = [
        m(ternary(), ["A", "B", "C", "VA"], "ALLOY")
        for m in (CoherentModel, EndmemberCoherentModel)
    ]
    y = CubicElasticity(150, 100, 75).biaxial_modulus() * 1e9
    misfit = np.array([0, 1.1 ** (1 / 3) - 1, 0.85 ** (1 / 3) - 1])
    expected = y * 2e-5 / 2 * np.array([(misfit @ x) ** 2, (misfit @ x) ** 2 - misfit**2 @ x])
    for model, value in zip(models, expected, strict=True):
        at = {
            s: dict(zip("ABC", x, strict=True)).get(s.species.name, 1.0)
            for s in model.site_fractions
        }
        assert float(model.models["elastic"].subs(at)) == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("model", [CoherentModel, SodiumHost])
def test_a_pure_element_needs_no_elastic_data(model):
    dbf = lc.load("zhang2003", elastic=False)
    assert model(dbf, ["LI", "VA"], "BCC_A2").models["elastic"] == 0


def test_an_interstitial_sublattice_that_is_empty_here():
    text = INTERSTITIAL
    dbf = Database.from_string(text, fmt="tdb")
    lithium = CubicElasticity(13.5, 11.4, 8.8)
    volumes = {"LI": 1.2e-5, "NA": 2.2e-5}
    lc.set_elastic_data(dbf, "BCC_A2", molar_volume=volumes, elasticity={"LI": lithium})
    coherent, chemical = (
        lc.BinarySolution(dbf, ("LI", "NA"), "BCC_A2", model=m).critical_point().T
        for m in (CoherentModel, Model)
    )
    assert coherent < chemical


# -- host programs: each must give the coherent answer --


def tie_line(result):
    return np.sort(result.X.sel(component="NA").values.ravel()[:2])


@pytest.fixture(scope="module")
def coherent_180(bcc):
    binodal = bcc("zhang2003", "coherent").binodal(180.0)
    return [float(binodal.x_alpha), float(binodal.x_beta)]


CONDITIONS = {v.T: 180.0, v.P: 101325, v.X("NA"): 0.5}


def test_equilibrium_sees_the_model(databases, coherent_180):
    result = equilibrium(databases["zhang2003"], COMPS, ["BCC_A2"], CONDITIONS, model=CoherentModel)
    assert tie_line(result) == pytest.approx(coherent_180, abs=1e-6)


def test_workspace_sees_the_model(databases, coherent_180):
    dbf = databases["zhang2003"]
    workspace = Workspace(dbf, COMPS, ["BCC_A2"], CONDITIONS, models=CoherentModel)
    x = np.asarray(workspace.eq.X)[..., 1].ravel()[:2]
    assert np.sort(x) == pytest.approx(coherent_180, abs=1e-6)


def test_equilibrium_with_a_model_for_one_phase_only(databases):
    # The liquid has no elastic data, and needs none.
    conditions = {v.T: 400.0, v.P: 101325, v.X("NA"): 0.02}
    models = {"BCC_A2": EndmemberCoherentModel}
    result = equilibrium(
        databases["zhang2003"], COMPS, ["LIQUID", "BCC_A2"], conditions, model=models
    )
    assert "BCC_A2" in result.Phase.values


def test_pure_na_melts_in_the_host_gauge_and_not_in_the_other(databases):
    # Neither is right beside a liquid: a homogeneous solid carries no coherency energy.
    conditions = {v.T: 300.0, v.P: 101325, v.X("NA"): 1 - 1e-6}
    stable = {}
    for model, warns in (
        (CoherentModel, pytest.warns(UserWarning, match="gauge 'host' stands beside LIQUID")),
        (EndmemberCoherentModel, nullcontext()),
    ):
        with warns:
            result = equilibrium(
                databases["zhang2003"], COMPS, ["LIQUID", "BCC_A2"], conditions,
                model={"BCC_A2": model},
            )  # fmt: skip
        stable[model] = set(result.Phase.values.ravel()) - {""}
    assert stable[EndmemberCoherentModel] == {"BCC_A2"}
    assert stable[CoherentModel] == {"LIQUID"}


def test_the_elastic_energy_is_an_output(databases):
    points = np.array([[0.7, 0.3, 1.0], [1.0, 0.0, 1.0]])
    for model, expected in ((CoherentModel, B * 0.09), (EndmemberCoherentModel, -B * 0.21)):
        found = calculate(
            databases["santos2025"], COMPS, ["BCC_A2"], T=300.0, P=101325, points=points,
            model=model, output="elastic_energy",
        )  # fmt: skip
        assert found.elastic_energy.values.ravel() == pytest.approx([expected, 0.0])


VOLUMES = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT AA BCC_A2 10 4000 20 !
 ELEMENT BB BCC_A2 20 5000 30 !
 TYPE_DEFINITION % SEQ * !
 PHASE BCC_A2 % 1 1 !
 CONSTITUENT BCC_A2 : AA,BB : !
 PARAMETER V0(BCC_A2,AA;0) 298.15 1.0E-5; 6000 N !
 PARAMETER V0(BCC_A2,BB;0) 298.15 1.3E-5; 6000 N !
 PARAMETER C11(BCC_A2,AA;0) 298.15 13.5; 6000 N !
 PARAMETER C12(BCC_A2,AA;0) 298.15 11.4; 6000 N !
 PARAMETER C44(BCC_A2,AA;0) 298.15 8.8; 6000 N !
 PARAMETER C11(BCC_A2,BB;0) 298.15 13.5; 6000 N !
 PARAMETER C12(BCC_A2,BB;0) 298.15 11.4; 6000 N !
 PARAMETER C44(BCC_A2,BB;0) 298.15 8.8; 6000 N !
"""


@pytest.mark.parametrize(
    ("host", "orders", "volumes"),
    [
        ("AA", {}, (1.0, 1.3)),
        ("AA", {0: 0.1}, (1.0, 1.4)),
        # x_AA - x_BB is 1 in pure AA and -1 in pure BB.
        ("AA", {0: 0.1, 1: 0.05}, (1.0, 1.45)),
        ("BB", {0: 0.1, 1: 0.05}, (1.3, 1.05)),
    ],
)
def test_the_misfit_is_that_of_the_dilute_solute(host, orders, volumes):
    text = VOLUMES + "".join(
        f" PARAMETER V0(BCC_A2,AA,BB;{k}) 298.15 {value}E-5; 6000 N !\n"
        for k, value in orders.items()
    )

    class Hosted(CoherentModel):
        pass

    Hosted.host = host
    model = Hosted(Database.from_string(text, fmt="tdb"), ["AA", "BB", "VA"], "BCC_A2")
    chi = (volumes[1] / volumes[0]) ** (1 / 3) - 1
    y = lc.CubicElasticity(13.5, 11.4, 8.8).biaxial_modulus((1, 0, 0))
    expected = y * 1e9 * volumes[0] * 1e-5 * chi**2
    assert float(model.coherency["AA", "BB"]) == pytest.approx(expected, rel=1e-9)


def test_thermal_expansion_is_refused_by_name():
    text = VOLUMES + " PARAMETER VA(BCC_A2,AA;0) 298.15 7E-5*T; 6000 N !\n"
    with pytest.raises(ElasticDataError, match=r"thermal expansion, VA\(BCC_A2,AA\).*into V0"):
        CoherentModel(Database.from_string(text, fmt="tdb"), ["AA", "BB", "VA"], "BCC_A2")


def test_espei_takes_the_model_by_its_name(databases, coherent_180):
    from espei.error_functions.zpf_error import ZPFResidual
    from espei.phase_models import PhaseModelSpecification
    from espei.utils import PickleableTinyDB
    from tinydb.storages import MemoryStorage

    def residuals(model):
        phase = {"sublattice_model": [["LI", "NA"], ["VA"]], "sublattice_site_ratios": [1, 3]}
        if model:
            phase["model"] = model
        text = json.dumps({"components": COMPS, "phases": {"BCC_A2": phase}})
        specification = PhaseModelSpecification.model_validate_json(text)
        datasets = PickleableTinyDB(storage=MemoryStorage)
        region = [["BCC_A2", ["NA"], [x]] for x in coherent_180]
        datasets.insert(
            {
                "components": COMPS, "phases": ["BCC_A2"], "output": "ZPF", "reference": "made",
                "conditions": {"P": 101325, "T": [180.0]}, "values": [region],
                "broadcast_conditions": False,
            }
        )  # fmt: skip
        # ESPEI lets every phase of the database compete, which the host gauge cannot.
        dbf = lc.load("zhang2003")
        for name in set(dbf.phases) - {"BCC_A2"}:
            del dbf.phases[name]
        residual = ZPFResidual(dbf, datasets, specification, [])
        return np.abs(residual.get_residuals(np.array([]))[0])

    assert residuals("lina_calphad.CoherentModel").max() < 1.0
    assert residuals(None).max() > 50.0


def test_dask_can_carry_the_model(databases):
    model = CoherentModel(databases["zhang2003"], COMPS, "BCC_A2")
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert again == model
        assert again.models["elastic"] == model.models["elastic"]
        assert again.coherency == model.coherency


def test_symbols_to_fit_stay_symbols(databases):
    # ESPEI builds models with the symbols it fits left open.
    text = databases["zhang2003"].to_string(fmt="tdb").replace("20.4467049977886", "VV0000")
    dbf = Database.from_string(text, fmt="tdb")
    dbf.symbols["VV0000"] = 20.4467049977886
    model = CoherentModel(dbf, COMPS, "BCC_A2", parameters=["VV0000"])
    assert "VV0000" in {str(s) for s in model.models["elastic"].free_symbols}
    fixed = CoherentModel(dbf, COMPS, "BCC_A2", parameters={"VV0000": 20.4467049977886})
    assert float(fixed.coherency["LI", "NA"]) == pytest.approx(B, rel=1e-12)


# -- errors --


def test_a_phase_without_elastic_data():
    dbf = lc.load("zhang2003", elastic=False)
    message = (
        r"BCC_A2 lacks V0 of LI, C11 of LI, C12 of LI, C44 of LI, V0 of NA: "
        r".*set_elastic_data.*LiNa_elastic\.tdb.*leave the others out"
    )
    with pytest.raises(ElasticDataError, match=message):
        CoherentModel(dbf, COMPS, "BCC_A2")


@pytest.mark.parametrize("name", ["V0", "C11", "C12", "C44"])
def test_each_missing_parameter_is_named(name):
    dbf = lc.load("zhang2003", elastic=False)
    elastic = Database(str(tdb_folder() / "LiNa_elastic.tdb"))
    for p in elastic._parameters.all():
        if (p["parameter_type"], p["constituent_array"][0][0].name) != (name, "LI"):
            dbf._parameters.insert(dict(p))
    with pytest.raises(ElasticDataError, match=f"lacks {name} of LI \\(it has"):
        CoherentModel(dbf, COMPS, "BCC_A2")


def test_a_misspelt_parameter_shows_in_the_message():
    dbf = lc.load("zhang2003")
    for p in dbf._parameters.search(lambda p: p["parameter_type"] == "C44"):
        dbf._parameters.remove(doc_ids=[p.doc_id])
        dbf.add_parameter("C_44", "BCC_A2", [["LI"], ["VA"]], 0, 5.0)
    with pytest.raises(ElasticDataError, match=r"lacks C44 of LI \(it has C11, C12, C_44, V0\)"):
        CoherentModel(dbf, COMPS, "BCC_A2")


def test_an_undefined_symbol_is_not_taken_for_zero():
    text = (tdb_folder() / "LiNa_elastic.tdb").read_text().replace("+5.18796992481203", "+C44LY")
    with pytest.raises(ElasticDataError, match="C44 of LI in BCC_A2 needs C44LY"):
        CoherentModel(Database.from_string(text, fmt="tdb"), COMPS, "BCC_A2")


@pytest.mark.parametrize(("old", "new"), [("+5.18796992481203", "-5"), ("+20.4467049977886", "9")])
def test_unstable_constants(old, new):
    text = (tdb_folder() / "LiNa_elastic.tdb").read_text().replace(old, new)
    with pytest.raises(ElasticDataError, match="Born"):
        CoherentModel(Database.from_string(text, fmt="tdb"), COMPS, "BCC_A2")


def test_a_volume_is_positive():
    text = (tdb_folder() / "LiNa_elastic.tdb").read_text().replace("+2.21494514805952E-05", "0")
    with pytest.raises(ElasticDataError, match=r"V0 of NA in BCC_A2 is .* must be positive"):
        CoherentModel(Database.from_string(text, fmt="tdb"), COMPS, "BCC_A2")


def test_several_sublattices_need_each_end_member(example_tdb):
    message = r"CU2MG lacks V0 of CU:CU, C11 of CU:CU, .* V0 of MG:CU, V0 of CU:MG: "
    with pytest.raises(ElasticDataError, match=message):
        CoherentModel(example_tdb("cumg.tdb"), ["CU", "MG", "VA"], "CU2MG")


def test_vacancies_among_atoms_need_a_volume():
    dbf = ternary()
    dbf.phases["ALLOY"].constituents = (
        dbf.phases["ALLOY"].constituents[0] | dbf.phases["ALLOY"].constituents[1],
        dbf.phases["ALLOY"].constituents[1],
    )
    with pytest.raises(ElasticDataError, match="ALLOY lacks V0 of VA"):
        CoherentModel(dbf, ["A", "B", "VA"], "ALLOY")


def test_charged_species_are_refused(example_tdb):
    dbf = example_tdb("zrlayalo.tdb")
    with pytest.raises(UnsupportedPhase, match=r"holds charged species \(.*ZR\+4"):
        CoherentModel(dbf, ["LA", "O", "ZR", "VA"], "FLUORITE")


INTERSTITIALS = """
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT C GRAPHITE 12 0 0 !
 ELEMENT CR BCC_A2 52 0 0 !
 ELEMENT FE BCC_A2 56 0 0 !
 TYPE_DEFINITION % SEQ * !
 PHASE FCC % 2 1 1 !
 CONSTITUENT FCC :CR,FE:C,VA: !
 PARAMETER C11(FCC,*:VA;0) 1 200; 6000 N !
 PARAMETER C12(FCC,*:VA;0) 1 130; 6000 N !
 PARAMETER C44(FCC,*:VA;0) 1 110; 6000 N !
 PARAMETER V0(FCC,CR:VA;0) 1 7.2E-6; 6000 N !
 PARAMETER V0(FCC,FE:VA;0) 1 7E-6; 6000 N !
 PARAMETER V0(FCC,FE:C;0) 1 8E-6; 6000 N !
"""
LENGTHS = (
    ([["CR"], ["VA"]], 3.68),
    ([["CR", "FE"], ["VA"]], 0.02),
    ([["FE"], ["VA"]], 3.6),
    ([["FE"], ["C"]], 3.75),
)


class IronHost(CoherentModel):
    host = "FE"


@pytest.mark.parametrize(
    ("more", "chromium", "carbon"),
    [
        ((), (7.2 / 7) ** (1 / 3) - 1, (8 / 7) ** (1 / 3) - 1),
        (LENGTHS, (3.68 + 0.02) / 3.6 - 1, 3.75 / 3.6 - 1),
    ],
)
def test_misfits_of_several_sublattices_add_up(more, chromium, carbon):
    dbf = Database.from_string(INTERSTITIALS, fmt="tdb")
    for array, length in more:
        dbf.add_parameter("LPX", "FCC", array, 0, length)
    stiffness = CubicElasticity(200, 130, 110).biaxial_modulus() * 1e9 * 7e-6
    names = ["C", "CR", "FE", "VA"]
    for gauge in ("host", "endmembers"):
        model = type("Gauged", (IronHost,), {"gauge": gauge})(dbf, names, "FCC")
        # Vacancies are the host of interstitials: a misfit for each that is filled.
        assert {key: float(chi) for key, chi in model.misfits.items()} == pytest.approx(
            {(0, "CR"): chromium, (0, "FE"): 0, (1, "C"): carbon, (1, "VA"): 0}
        )
        cr, c = 0.3, 0.2
        share = {"CR": cr, "FE": 1 - cr, "C": c, "VA": 1 - c}
        at = {y: share[y.species.name] for y in model.site_fractions}
        linear = chromium**2 * cr + carbon**2 * c if gauge == "endmembers" else 0
        expected = stiffness * ((chromium * cr + carbon * c) ** 2 - linear) / (1 + c)
        assert float(model.models["elastic"].subs(at)) == pytest.approx(expected)
        assert float(model.endmember_reference_model.models["elastic"].subs(at)) == pytest.approx(
            stiffness
            * (2 * chromium * cr * carbon * c + chromium**2 * cr + carbon**2 * c - linear)
            / (1 + c)
        )


def test_pycalphad_reads_lattice_parameters(tmp_path):
    text = INTERSTITIALS + " PARAMETER LPX(FCC,FE:VA;0) 1 3.6; 6000 N !"
    (tmp_path / "lengths.tdb").write_text(text)
    code = (
        "from pycalphad import Database; dbf = Database('lengths.tdb'); "
        "print(len(dbf.search(lambda p: p['parameter_type'] == 'LPX')))"
    )
    assert python(code, tmp_path, PYTHONPATH=str(ROOT)) == "1"


def test_one_element_on_two_sublattices_keeps_its_order():
    text = INTERSTITIALS.replace(":CR,FE:C,VA:", ":CR,FE:CR,FE:").replace(":VA;", ":FE;")
    text = text.replace("FE:C;", "FE:CR;")
    dbf = Database.from_string(text, fmt="tdb")
    assert set(IronHost(dbf, ["CR", "FE", "VA"], "FCC").misfits) == {
        (0, "CR"), (0, "FE"), (1, "CR"), (1, "FE"),
    }  # fmt: skip
    with pytest.raises(UnsupportedPhase, match="FCC has CR on more than one sublattice"):
        EndmemberCoherentModel(dbf, ["CR", "FE", "VA"], "FCC")


def test_a_battery_electrode_has_the_published_coherent_limits():
    """Cogswell and Bazant, ACS Nano 6 (2012) 2215: Li and vacancies in FePO4 at 298 K."""
    per_site, sites, omega, coherency = 6.02214076e23, 1.3793e28, 1.856e-20, 0.1916e9
    volume, misfit = per_site / sites, 0.02
    # Their energy is B/2 (x - mean)^2 per volume: of an isotropic body Y misfit^2.
    young = CubicElasticity.isotropic(coherency / 2 / misfit**2 * (1 - 0.3) * 1e-9, 0.3)
    text = f"""
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT LI BCC_A2 7 0 0 !
 ELEMENT FP BCC_A2 151 0 0 !
 TYPE_DEFINITION % SEQ * !
 PHASE OLIVINE % 2 1 1 !
 CONSTITUENT OLIVINE :FP:LI,VA: !
 PARAMETER L(OLIVINE,FP:LI,VA;0) 1 {omega * per_site!r}; 6000 N !
 PARAMETER C11(OLIVINE,*:VA;0) 1 {young.c11!r}; 6000 N !
 PARAMETER C12(OLIVINE,*:VA;0) 1 {young.c12!r}; 6000 N !
 PARAMETER C44(OLIVINE,*:VA;0) 1 {young.c44!r}; 6000 N !
 PARAMETER V0(OLIVINE,FP:VA;0) 1 {volume!r}; 6000 N !
 PARAMETER V0(OLIVINE,FP:LI;0) 1 {volume * (1 + misfit) ** 3!r}; 6000 N !
"""
    dbf = Database.from_string(text, fmt="tdb")
    system = lc.BinarySystem(dbf, ("FP", "LI"), ["OLIVINE"], {"OLIVINE": CoherentModel})
    (line,) = system.diagram(298.0, 299.0).fields
    x = np.sort([branch[0] for branch in line.x])
    assert x / (1 - x) == pytest.approx([0.0898, 0.9102], abs=5e-5)


def test_an_impossible_host_or_gauge(databases):
    class Potassium(CoherentModel):
        host = "K"

    class Odd(CoherentModel):
        gauge = "odd"

    with pytest.raises(ElasticDataError, match="host K is not among LI, NA of BCC_A2"):
        Potassium(databases["zhang2003"], COMPS, "BCC_A2")
    with pytest.raises(ElasticDataError, match="got 'odd'"):
        Odd(databases["zhang2003"], COMPS, "BCC_A2")


# -- elastic data for any database --


def test_set_elastic_data_makes_another_alloy_coherent(example_tdb):
    dbf = pickle.loads(pickle.dumps(example_tdb("alzn_mey.tdb")))
    # Al at room temperature; Zn's volume in fcc is an assumption of this test.
    aluminium = CubicElasticity(107.3, 60.9, 28.3)
    lc.set_elastic_data(
        dbf, "FCC_A1", molar_volume={"AL": 1.0e-5, "ZN": 0.95e-5}, elasticity={"AL": aluminium}
    )
    chemical, coherent = (
        lc.BinarySolution(dbf, ("AL", "ZN"), "FCC_A1", model=m) for m in (Model, CoherentModel)
    )
    assert coherent.critical_point().T < chemical.critical_point().T
    inner, outer = coherent.binodal(400.0), chemical.binodal(400.0)
    assert outer.x_alpha < inner.x_alpha < inner.x_beta < outer.x_beta


def test_set_elastic_data_replaces_what_was_there():
    dbf = lc.load("zhang2003")
    before = len(dbf._parameters)
    volumes = {"LI": 1.3e-5, "NA": 2.3e-5}
    for _ in range(2):
        lc.set_elastic_data(
            dbf, "bcc_a2", molar_volume=volumes, elasticity={"LI": CubicElasticity(2, 1, 1)}
        )
    assert len(dbf._parameters) == before
    b = CoherentModel(dbf, COMPS, "BCC_A2").coherency["LI", "NA"]
    assert float(b) == pytest.approx(2e9 * 1.3e-5 * ((2.3 / 1.3) ** (1 / 3) - 1) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("phase", "volume", "error", "message"),
    [
        ("SIGMA", {"LI": 1e-5}, DatabaseError, "no phase SIGMA"),
        ("BCC_A2", {"K": 1e-5}, ElasticDataError, "BCC_A2 holds LI, NA, not K"),
        ("BCC_A2", {"LI": -1e-5}, ElasticDataError, "between 1e-7 and 1e-2; got -1e-05"),
        ("BCC_A2", {"LI": np.float32(-1)}, ElasticDataError, "between 1e-7 and 1e-2; got -1"),
        ("BCC_A2", {"LI": float("nan")}, ElasticDataError, "between 1e-7 and 1e-2; got nan"),
        ("BCC_A2", {"LI": 13.0}, ElasticDataError, r"got 13.0: is it in cm³/mol\?"),
        ("BCC_A2", 1e-5, ElasticDataError, "molar_volume is a mapping from elements"),
    ],
)
def test_set_elastic_data_refuses(phase, volume, error, message):
    dbf = lc.load("zhang2003")
    before = dbf._parameters.all()
    with pytest.raises(error, match=message):
        lc.set_elastic_data(dbf, phase, molar_volume=volume, elasticity={})
    assert dbf._parameters.all() == before


def test_terms_of_the_pressure_with_powers_of_negative_numbers(example_tdb):
    dbf, T, x = example_tdb("cfe_broshe.tdb"), [300.0, 1811.0, 3500.0], np.array([0.01, 0.5, 0.9])
    ours = lc.BinarySolution(dbf, ("FE", "C"), "LIQUID").gibbs_energy(np.array(T)[:, None], x)
    points = np.stack([x, 1 - x], axis=-1)
    theirs = calculate(dbf, ["FE", "C", "VA"], "LIQUID", T=T, P=101325, N=1, points=points).GM
    assert ours == pytest.approx(theirs.values.squeeze(), abs=1e-6)
