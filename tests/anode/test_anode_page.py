"""The page of an anode as text: what it holds, what it takes from elsewhere, what it refuses."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from pycalphad import variables as v

import lina_calphad as lc
from lina_calphad.anode import BOUNDARIES, REGIONS, describe
from lina_calphad.anode.page import page
from lina_calphad.anode.page_data import numbers, stiffness
from lina_calphad.data.databases import copy_database
from lina_calphad.data.sources import PHASE
from lina_calphad.errors import (
    DatabaseError,
    OutsideAssessedRange,
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
    return json.loads(re.search(r"linaMap\.open\((.*)\);", text)[1])


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
def santos():
    return describe("santos2025")


@pytest.fixture(scope="module")
def text(santos):
    return page(santos, 0.03, 300.0, thickness=20e-6)


@pytest.fixture(scope="module")
def reader(text):
    return Reader(text)


# -- what it holds --


def test_nothing_is_loaded_from_elsewhere(text, reader):
    loads = {"src", "href", "srcset", "data", "poster", "action", "xlink:href"}
    assert not [(tag, attrs) for tag, attrs in reader.tags if loads & attrs.keys()]
    assert not {tag for tag, _ in reader.tags} & {"link", "iframe", "object", "embed", "base"}
    assert "cdn.bokeh" not in text
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert styles
    assert not any("url(" in style or "@import" in style for style in styles)
    assert len(text.encode()) < 2.5e6


def test_people_and_screen_readers_find_their_way(reader):
    attributes = dict(reader.tags)
    assert attributes["html"]["lang"] == "en"
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in [
        attrs for tag, attrs in reader.tags if tag == "meta"
    ]
    assert "noscript" in attributes
    assert "Li–Na anode, santos2025" in reader.text
    for region in REGIONS:
        assert f"{region.name}." in reader.text
        assert region.meaning in reader.text


def test_it_says_what_it_rests_on(reader):
    words = " ".join(reader.text.split())
    assert lc.assessments()["santos2025"].citation in words
    assert f"lina-calphad {lc.__version__}" in words
    assert "the upper bound of Pereira dos Santos et al. 2025, isotropic with E = 13.8 GPa" in words
    assert "No measured solid solubility of this system was found" in words
    assert "a foil of 20 µm" in words
    assert "lina-calphad anode --current" in words


def test_boxes_say_what_they_take(text, reader):
    assert {name: each["hint"] for name, each in embedded(text)["controls"].items()} == {
        "x0": "Allowed: a fraction from 0.0001 to 0.5; 3 at.% is 0.03",
        "T": "Allowed: 200 to 361 K; 25 °C is 298.15 K",
        "E": "Allowed: 0 to 20.7 GPa",
    }
    boxes = {attrs["id"]: attrs for tag, attrs in reader.tags if tag == "input"}
    assert boxes.keys() == {"x0_box", "T_box", "E_box"}
    assert boxes["x0_box"]["aria-label"] == "Mole fraction of Na, x₀"
    assert boxes["T_box"]["aria-describedby"] == "T_aside T_hint"


def test_another_database_is_not_cited_as_the_shipped_one(santos):
    words = Reader(page(describe(lc.load("zhang2003")), 0.03, 300.0)).text
    assert "Assessment database." in " ".join(words.split())
    dbf = changed(L2=100.0)
    words = Reader(page(dataclasses.replace(describe(dbf), name="santos2025"), 0.03, 300.0)).text
    assert "Pereira dos Santos, M. Mann" not in words


def test_redlich_kister_coefficients_are_those_of_the_database(text):
    found = embedded(text)
    rows = np.array(found["L"])
    assert rows.shape == (2, 201)
    assert (rows[0] == 20109.8).all()
    assert (rows[1] == 5772.6).all()
    np.testing.assert_allclose(found["B"], 12575.7167464689, rtol=1e-12)
    assert found["modulus"] == 13.8
    assert found["boundaries"] == list(BOUNDARIES)
    assert found["bottom"] == 200


@pytest.mark.parametrize("gauge", ["host", "endmembers"])
def test_parameters_that_depend_on_temperature_are_tabled(gauge):
    class Gauged(CoherentModel):
        pass

    Gauged.gauge = gauge
    dbf = changed("zhang2003", L3=500.0 - 2.0 * v.T, L1=3.0 * v.T)
    dbf = with_stiffness(dbf, lc.CubicElasticity.isotropic(5.0, 0.3))
    found = numbers(describe(dbf, Gauged), None, 5.0, None, None)
    T = np.arange(200.0, 401.0)
    expected = [np.full_like(T, 16000.0), 3 * T, np.zeros_like(T), 500 - 2 * T]
    np.testing.assert_allclose(found["L"], expected, atol=1e-7)
    np.testing.assert_allclose(found["B"], 12575.71675 * 5 * 0.67 / 13.8 / 0.7, rtol=1e-8)


def test_a_cubic_crystal_has_a_biaxial_modulus():
    class Along110(CoherentModel):
        plane = (1, 1, 0)

    elasticity = lc.CubicElasticity(13.5, 11.4, 8.8)
    text = page(describe(with_stiffness(lc.load("santos2025"), elasticity), Along110), 0.03, 300.0)
    assert embedded(text)["modulus"] == pytest.approx(elasticity.biaxial_modulus((1, 1, 0)))
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
    found = numbers(description, None, 13.8, None, None)
    np.testing.assert_allclose(np.array(found["B"][::100]) / 12575.71675, [1.1, 1, 0.9], rtol=1e-8)


def test_liquid_is_where_pycalphad_has_it(text):
    found = embedded(text)
    melting = found["rows"][-1]
    assert melting == pytest.approx(361.45, abs=0.03)
    assert found["rows"][-2] == 361
    # The eutectic is wide, pure Na melts at 370.87 K, and Li far above the map.
    (coldest, spans), (hottest, last) = found["liquid"]["rows"][0], found["liquid"]["rows"][-1]
    assert coldest - found["liquid"]["half"] == pytest.approx(melting)
    assert hottest + found["liquid"]["half"] == pytest.approx(400)
    assert spans[0][1] < found["span"][1]
    assert last[0][1] == found["span"][1]
    assert found["span"][0] < last[0][0]


def test_nothing_melts_without_a_liquid():
    dbf = copy_database(lc.load("santos2025"))
    del dbf.phases["LIQUID"]
    found = embedded(page(describe(dbf), 0.03, 395.0))
    assert found["rows"][-1] == 400
    assert found["liquid"]["rows"] == []


def test_a_given_density_replaces_molar_volumes(santos, text):
    lithium, sodium = np.array(embedded(text)["volume"])
    np.testing.assert_allclose(lithium, 1.20447897886801e-5, rtol=1e-12)
    np.testing.assert_allclose(sodium, 2.21494514805952e-5, rtol=1e-12)
    found = embedded(page(santos, 0.03, 300.0, thickness=20e-6, density=550.0))
    assert found["volume"] is None
    assert found["density"] == 550
    assert "mAh/cm²" not in Reader(page(santos, 0.03, 300.0)).text


def test_a_name_cannot_end_the_script_it_stands_in(santos):
    name = "</script><b>x"
    reader = Reader(page(dataclasses.replace(santos, name=name), 0.03, 300.0))
    assert "b" not in [tag for tag, attrs in reader.tags if not attrs]
    assert f"Assessment {name}." in " ".join(reader.text.split())


# -- what it refuses --


@pytest.mark.parametrize("x0", [0.0, 1e-5, 0.6, 1.0, np.nan])
def test_a_start_beyond_the_slider_is_refused(santos, x0):
    with pytest.raises(ValueError, match=r"x0 of this page .*, from 0.0001 to 0.5; got"):
        page(santos, x0, 300.0)


@pytest.mark.parametrize("T", [150.0, 361.2])
def test_a_temperature_beyond_the_slider_is_refused(santos, T):
    with pytest.raises(ValueError, match=r"T of this page is in K, from 200 to 361; got"):
        page(santos, 0.03, T)


@pytest.mark.parametrize("T", [362.0, 450.0])
def test_a_temperature_at_which_the_solid_melts_is_refused(santos, T):
    with pytest.raises(OutsideAssessedRange, match=r"liquid forms .* below 361\.\d\d K"):
        page(santos, 0.03, T)


def test_other_bad_input_is_refused_as_for_a_path(santos):
    with pytest.raises(ValueError, match="thickness is in m"):
        page(santos, 0.03, 300.0, thickness=20.0)
    with pytest.raises(ValueError, match="density is in kg/m³"):
        page(santos, 0.03, 300.0, density=0.5)
    dbf = copy_database(santos.dbf)
    dbf.refstates["NA"] = {**dbf.refstates["NA"], "mass": 0.0}
    with pytest.raises(DatabaseError, match="no mass of NA"):
        page(describe(dbf), 0.03, 300.0)


def test_an_excess_energy_of_another_form_is_refused():
    with pytest.raises(UnsupportedPhase, match=r"off by .* J/mol from any Redlich-Kister series"):
        numbers(describe(changed(L6=1000.0)), None, 13.8, None, None)
    magnetic = copy_database(lc.load("santos2025"))
    magnetic.phases[PHASE].model_hints.update(
        ihj_magnetic_afm_factor=-1.0, ihj_magnetic_structure_factor=0.4
    )
    for name, value in (("TC", 300.0), ("BMAGN", 0.5)):
        magnetic.add_parameter(name, PHASE, [["LI"], ["VA"]], 0, value)
    with pytest.raises(UnsupportedPhase, match=r"off by .* up to order 5, which is what the page"):
        numbers(describe(magnetic), None, 13.8, None, None)


def test_a_phase_with_more_than_one_gap_is_refused():
    dbf = changed("zhang2003", L2=8000.0)
    with pytest.raises(SeveralMiscibilityGaps):
        page(describe(dbf), 0.03, 300.0)
    soft = with_stiffness(dbf, lc.CubicElasticity.isotropic(0.1, 0.33))
    with pytest.raises(UnsupportedPhase, match="can have several gaps"):
        page(describe(soft), 0.03, 300.0)


def test_a_coherency_energy_of_another_form_is_refused():
    class Odd(CoherentModel):
        def elastic_energy(self, dbe):
            return super().elastic_energy(dbe) * (1 + v.SiteFraction(PHASE, 0, "NA") / 10)

    with pytest.raises(UnsupportedPhase, match="is not B x²"):
        numbers(describe("santos2025", Odd), None, 13.8, None, None)
