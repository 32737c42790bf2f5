"""The page of an anode as text: what it holds, what it takes from elsewhere, what it refuses."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from pycalphad import variables as v
from scipy.special import expit

import lina_calphad as lc
from lina_calphad.anode import BOUNDARIES, REGIONS, describe, study
from lina_calphad.anode.page import page
from lina_calphad.anode.page_data import numbers, stiffness
from lina_calphad.anode.words import percent
from lina_calphad.data.assessments import PHASE
from lina_calphad.data.databases import copy_database
from lina_calphad.errors import (
    SeveralMiscibilityGaps,
    UnsupportedPhase,
)
from lina_calphad.phase.coherent import CoherentModel


class Reader(HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._inside = [], "", ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.text += data


def embedded(text):
    """What the scripts of a page compute with."""
    return json.loads(re.search(r"linaMap\.open\((.*)\);</script>", text)[1])


def made(alloy, x0=0.03, T=300.0, **given):
    """The page of a study."""
    return page(study(x0, T, alloy, **given))


def computed(alloy):
    """What the scripts of its page compute with for one assessment."""
    return own(numbers(study(0.03, 300.0, alloy)))


def own(data):
    """What holds for the first of the assessments of a page."""
    return next(iter(data["assessments"].values()))


def changed(key="santos2025", **parameters):
    """A shipped database with interactions of other orders: L4=1000."""
    dbf = copy_database(lc.load(key))
    for name, value in parameters.items():
        dbf.add_parameter("L", PHASE, [["LI", "NA"], ["VA"]], int(name[1:]), value)
    return dbf


def with_stiffness(dbf, elasticity):
    dbf = copy_database(dbf)
    lc.set_elastic_data(dbf, PHASE, molar_volume={}, elasticity={"LI": elasticity})
    return dbf


@pytest.fixture(scope="module")
def text(santos):
    return made(santos, thickness=20e-6)


@pytest.fixture(scope="module")
def reader(text):
    return Reader(text)


# -- what it holds --


def test_nothing_is_loaded_from_elsewhere(text, reader):
    loads = {"src", "href", "srcset", "data", "poster", "action", "xlink:href"}
    assert not [(tag, attrs) for tag, attrs in reader.tags if loads & attrs.keys()]
    assert not {tag for tag, _ in reader.tags} & {"link", "iframe", "object", "embed", "base"}
    assert not re.search(
        r"url\(|@import|fetch\(|XMLHttpRequest|https?://(?!www\.w3\.org/2000/svg)", text
    )
    assert len(text.encode()) < 1e5


def test_people_and_screen_readers_find_their_way(reader):
    attributes = dict(reader.tags)
    assert attributes["html"]["lang"] == "en"
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in [
        attrs for tag, attrs in reader.tags if tag == "meta"
    ]
    assert "noscript" in attributes
    assert "Li–Na anode, santos2025" in reader.text
    for region in REGIONS:
        assert reader.text.count(region.name) >= 2  # in the legend, and with what it means
        assert f"{region.name}. {region.meaning}" in reader.text


def test_it_says_what_it_rests_on(reader):
    words = " ".join(reader.text.split())
    assert lc.assessments()["santos2025"].citation in words
    assert f"lina-calphad {lc.__version__}" in words
    assert "the upper bound of Pereira dos Santos et al. 2025, isotropic with E = 13.8 GPa" in words
    assert "no solid solubility of Li-Na was ever measured" in words
    assert "a foil of 20 µm" in words
    assert "areal charges are of the molar volumes of the database; the shipped ones are" in words
    assert "lina-calphad anode --current" in words
    assert "--bands" in words
    assert "Temperatures of this study" not in words


def test_what_the_study_has_is_shown_and_no_longer_advised(santos, draws):
    given = {"thickness": 100e-6, "current_density": 10.0, "draws": draws, "density": 550.0}
    whole = study(0.03, [293.15, 333.15], santos, **given)
    reader = Reader(page(whole))
    words = " ".join(reader.text.split())
    for T, profile in zip(whole.T, whole.profiles, strict=True):
        assert f"Depth at 1 mA/cm² out of 100 µm, {T:g} K" in words
        assert f"with {percent(profile.q[-1])} % of the Li stripped" in words
    buttons = [attrs["data-temperature"] for tag, attrs in reader.tags if tag == "button"]
    assert buttons == ["293.15", "333.15"]
    assert "68 % of the draws" in words
    for advice in ("--current", "--bands", "give a density"):
        assert advice not in words
    bands = own(embedded(page(whole)))["draws"]
    spinodal = bands["coherent spinodal alpha"]
    table = whole.uncertainty.set_index(["T", "boundary"]).loc[(293.15, "coherent spinodal alpha")]
    at = spinodal["T"].index(293.15)
    for side in ("low", "high"):
        assert expit(spinodal[side][at]) == pytest.approx(table[f"x_{side}_68"], rel=1e-12)


def test_boxes_say_what_they_take(text, reader):
    assert embedded(text)["controls"] == {
        "x0": {"limits": [1e-4, 0.5], "examples": "0.03, 3 at.% or 9 wt%"},
        "T": {"limits": [200, 361], "examples": "300 K or 25 °C"},
        "E": {"limits": [0, 20.7], "examples": "13.8 GPa"},
        "q": {"limits": [0, 0.999], "examples": "50 %, 1000 mAh/g or 3 mAh/cm²"},
    }
    inputs = {attrs["id"]: attrs for tag, attrs in reader.tags if tag == "input"}
    assert inputs.keys() == {
        f"{n}_{part}" for n in ("x0", "T", "E", "q") for part in ("slider", "box")
    }
    assert inputs["x0_box"]["aria-label"] == "Mole fraction of Na, x₀"
    assert inputs["T_box"]["aria-describedby"] == "T_aside T_hint"
    labels = {attrs["for"] for tag, attrs in reader.tags if tag == "label"}
    assert labels == {"x0_slider", "T_slider", "E_slider", "q_slider"}


def test_every_assessment_of_the_study_is_on_the_page(santos):
    text = made(santos, others=["zhang2003"])
    found = embedded(text)["assessments"]
    assert [*found] == ["santos2025", "zhang2003"]
    assert found["zhang2003"]["L"] == [[16000, 0, 0]]
    assert Reader(text).tags.count(("option", {})) == 2
    assert "assessment" in {attrs.get("for") for tag, attrs in Reader(text).tags if tag == "label"}


def test_another_database_is_not_cited_as_the_shipped_one(santos):
    words = Reader(made(describe(lc.load("zhang2003")))).text
    assert "Assessment database." in " ".join(words.split())
    dbf = changed(L2=100.0)
    words = Reader(made(dataclasses.replace(describe(dbf), name="santos2025"))).text
    assert "Pereira dos Santos, M. Mann" not in words


def test_redlich_kister_coefficients_are_those_of_the_database(text):
    found = embedded(text)
    assert own(found)["L"] == [[20109.8, 0, 0], [5772.6, 0, 0]]
    np.testing.assert_allclose(own(found)["B"], [12575.7167464689], rtol=1e-12)
    assert own(found)["modulus"] == 13.8
    assert found["boundaries"] == list(BOUNDARIES)
    assert found["bottom"] == 200


@pytest.mark.parametrize("gauge", ["host", "endmembers"])
def test_parameters_that_depend_on_temperature_are_tabled(gauge):
    class Gauged(CoherentModel):
        pass

    Gauged.gauge = gauge
    dbf = changed("zhang2003", L3=500.0 - 2.0 * v.T, L1=3.0 * v.T)
    dbf = with_stiffness(dbf, lc.CubicElasticity.isotropic(5.0, 0.3))
    found = computed(describe(dbf, Gauged))
    assert found["L"] == [[16000, 0, 0], [0, 3, 0], [0, 0, 0], [500, -2, 0]]
    np.testing.assert_allclose(found["B"], [12575.71675 * 5 * 0.67 / 13.8 / 0.7], rtol=1e-8)


def test_a_cubic_crystal_has_a_biaxial_modulus():
    class Along110(CoherentModel):
        plane = (1, 1, 0)

    elasticity = lc.CubicElasticity(13.5, 11.4, 8.8)
    text = made(describe(with_stiffness(lc.load("santos2025"), elasticity), Along110))
    assert own(embedded(text))["modulus"] == pytest.approx(elasticity.biaxial_modulus((1, 1, 0)))
    assert "Biaxial modulus Y along [1 1 0] / GPa" in text
    assert "is that of the database" in Reader(text).text


def test_a_modulus_that_depends_on_temperature_is_quoted_at_one():
    dbf = copy_database(lc.load("santos2025"))
    for name in ("C11", "C12", "C44"):
        value = getattr(lc.CubicElasticity.isotropic(13.8, 0.33), name.lower())
        dbf._parameters.remove(
            lambda p, name=name: p["phase_name"] == PHASE and p["parameter_type"] == name
        )
        dbf.add_parameter(name, PHASE, [["LI"], ["VA"]], 0, value * (1 - 1e-3 * (v.T - 300)))
    description = describe(dbf)
    assert stiffness(description) == ("Young's modulus E at 300 K", pytest.approx(13.8))
    found = computed(description)
    np.testing.assert_allclose(np.array(found["B"][::100]) / 12575.71675, [1.1, 1, 0.9], rtol=1e-8)


def test_liquid_is_where_pycalphad_has_it(text):
    found = embedded(text)
    melting = own(found)["melting"]
    assert melting == pytest.approx(361.45, abs=0.03)
    assert own(found)["top"] == 361
    # The eutectic is wide, pure Na melts at 370.87 K, and Li far above the map.
    (liquid,) = own(found)["liquid"]
    assert liquid["T"][0] == pytest.approx(melting, abs=0.03)
    assert liquid["T"][-1] == 400
    assert liquid["high"][0] < found["span"][1] == liquid["high"][-1]
    assert found["span"][0] < liquid["low"][-1]
    edge = expit(liquid["low"][20] + np.array([-1e-6, 1e-6]))
    present = describe("santos2025").liquid_present(edge, np.full(2, liquid["T"][20]))
    assert present.tolist() == [False, True]


def test_nothing_melts_without_a_liquid():
    dbf = copy_database(lc.load("santos2025"))
    del dbf.phases["LIQUID"]
    found = own(embedded(made(describe(dbf), T=395.0)))
    assert found["melting"] == 400
    assert found["liquid"] == []


def test_a_given_density_replaces_molar_volumes(santos, text):
    lithium, sodium = np.array(own(embedded(text))["volume"])
    np.testing.assert_allclose(lithium, 1.20447897886801e-5, rtol=1e-12)
    np.testing.assert_allclose(sodium, 2.21494514805952e-5, rtol=1e-12)
    found = embedded(made(santos, thickness=20e-6, density=550.0))
    assert found["density"] == 550
    assert embedded(text)["density"] is None
    assert "mAh/cm²" not in Reader(made(santos)).text


def test_a_name_cannot_end_the_script_it_stands_in(santos):
    name = "</script><b>x"
    reader = Reader(made(dataclasses.replace(santos, name=name)))
    assert "b" not in [tag for tag, attrs in reader.tags if not attrs]
    assert f"Assessment {name}." in " ".join(reader.text.split())


# -- what it refuses --


@pytest.mark.parametrize("x0", [1e-5, 0.6])
def test_a_start_beyond_the_slider_is_refused(santos, x0):
    with pytest.raises(ValueError, match=r"x0 of this page .*, from 0.0001 to 0.5; got"):
        made(santos, x0)


@pytest.mark.parametrize("T", [150.0, 361.2])
def test_a_temperature_beyond_the_slider_is_refused(santos, T):
    with pytest.raises(ValueError, match=r"T of this page is in K, from 200 to 361; got"):
        made(santos, T=T)


def test_an_excess_energy_of_another_form_is_refused():
    with pytest.raises(UnsupportedPhase, match=r"the page cannot take .* can be freed"):
        computed(describe(changed(L2=1e-4 * v.T**2)))
    magnetic = copy_database(lc.load("santos2025"))
    magnetic.phases[PHASE].model_hints.update(
        ihj_magnetic_afm_factor=-1.0, ihj_magnetic_structure_factor=0.4
    )
    for name, value in (("TC", 300.0), ("BMAGN", 0.5)):
        magnetic.add_parameter(name, PHASE, [["LI"], ["VA"]], 0, value)
    with pytest.raises(UnsupportedPhase, match=r"off by .* which is what the page can solve"):
        computed(describe(magnetic))


def test_a_phase_with_more_than_one_gap_is_refused():
    dbf = changed("zhang2003", L2=8000.0)
    with pytest.raises(SeveralMiscibilityGaps):
        made(describe(dbf))
    soft = with_stiffness(dbf, lc.CubicElasticity.isotropic(0.1, 0.33))
    with pytest.raises(UnsupportedPhase, match="can have several gaps"):
        made(describe(soft))


def test_a_coherency_energy_of_another_form_is_refused():
    class Odd(CoherentModel):
        def elastic_energy(self, dbe):
            return super().elastic_energy(dbe) * (1 + v.SiteFraction(PHASE, 0, "NA") / 10)

    with pytest.raises(UnsupportedPhase, match="is not B x²"):
        computed(describe("santos2025", Odd))
