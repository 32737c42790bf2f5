"""The page of an anode in headless Chromium: its numbers against ours, its sliders, its console."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

import lina_calphad as lc
from lina_calphad.anode import BOUNDARIES, REGIONS, describe, regions, stripping_path
from lina_calphad.anode.boundaries import curve_ends, named_boundaries
from lina_calphad.anode.page import page
from lina_calphad.database import copy_database
from lina_calphad.sources import PHASE

pytestmark = pytest.mark.browser

# Nothing but the page may run, and no name may be looked up.
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,1000",
)  # fmt: skip
FOIL = 20e-6
NAMES = {region.name: region.key for region in REGIONS}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium; without it these tests fail, they are not left out."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.fail(
            "these tests need Chromium and its driver: on Debian, apt-get install chromium "
            "chromium-driver; without them run pytest -m 'not browser'"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in _OPTIONS:
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as chrome:
        yield chrome


@pytest.fixture(scope="module")
def santos():
    return describe("santos2025")


@pytest.fixture(scope="module")
def zhang():
    return describe("zhang2003")


@pytest.fixture(scope="module")
def files(santos, zhang, tmp_path_factory):
    """Addresses of the pages of both assessments."""
    folder = tmp_path_factory.mktemp("pages")
    for description in (santos, zhang):
        text = page(description, 0.03, 300.0, thickness=FOIL)
        (folder / f"{description.name}.html").write_text(text, encoding="utf-8")
    return {d.name: (folder / f"{d.name}.html").as_uri() for d in (santos, zhang)}


@pytest.fixture
def show(browser, files):
    """Open a page and wait until it has drawn itself."""

    def opened(name: str = "santos2025"):
        browser.get(files[name])
        wait(browser, "return window.linaMap && linaMap.taken.length > 0")
        return browser

    yield opened
    bad = [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"]
    assert bad == []


def wait(browser, condition, *arguments):
    WebDriverWait(browser, 20, 0.05).until(lambda b: b.execute_script(condition, *arguments))


def put(browser, name, value):
    """Set a slider or the box beside it, and wait until the page has drawn that."""
    drawn = browser.execute_script(
        "const drawn = linaMap.taken.length;"
        "Bokeh.documents[0].get_model_by_name(arguments[0]).value = arguments[1];"
        "return drawn",
        name,
        value,
    )
    wait(browser, "return linaMap.taken.length > arguments[0]", drawn)


def state(browser):
    return browser.execute_script("return linaMap.state")


def table(browser):
    """The table as the page has it, with all digits."""
    rows = browser.execute_script(
        """return [...document.querySelectorAll("#crossings tbody tr")].map((row) => ({
            ...row.dataset,
            ...Object.fromEntries([...row.querySelectorAll("[data-key]")].map(
                (cell) => [cell.dataset.key, Number(cell.dataset.value)])),
            text: row.innerText,
        }))"""
    )
    return pd.DataFrame(rows)


def agrees(browser, description):
    """Whether all the page says at its sliders is what we compute; returns our table."""
    at = state(browser)
    ours = stripping_path(at["x0"], at["T"], description, thickness=FOIL).to_dataframe()
    theirs = table(browser)
    assert theirs["boundary"].tolist() == ours["boundary"].tolist()
    assert theirs["region"].tolist() == ours["region"].tolist()
    for column, key in (
        ("x", "x"),
        ("q", "q"),
        ("capacity_mAh_per_g", "capacity"),
        ("capacity_mAh_per_cm2", "areal"),
    ):
        np.testing.assert_allclose(theirs[key], ours[column], rtol=1e-8, atol=0)
    text = browser.find_element("tag name", "main").text
    assert "NaN" not in text
    assert "Infinity" not in text
    name = browser.find_element("id", "here").text.split(": ")[1].rstrip(".")
    assert NAMES[name] == ours["region"][0]
    return ours


def stiffened(dbf, modulus):
    dbf = copy_database(dbf)
    elasticity = lc.CubicElasticity.isotropic(modulus, 0.33)
    lc.set_elastic_data(dbf, PHASE, molar_volume={}, elasticity={"LI": elasticity})
    return describe(dbf)


def data_of(browser, name):
    """What a source of the map holds."""
    return browser.execute_script(
        "return Object.fromEntries(Object.entries("
        "Bokeh.documents[0].get_model_by_name(arguments[0]).data))",
        name,
    )


# -- as it opens --


def test_it_loads_offline_without_a_word_on_the_console(show):
    browser = show()
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert [name for name in loaded if not name.startswith(("data:", "blob:"))] == []
    assert browser.title == "Li–Na anode, santos2025"
    canvas = browser.execute_script(
        "const map = Bokeh.documents[0].get_model_by_name('map');"
        "return [map.inner_width, map.inner_height]"
    )
    assert min(canvas) > 300


def test_the_numbers_are_ours_as_it_opens(show, santos):
    browser = show()
    assert state(browser) == {"x0": 0.03, "T": 300, "E": 13.8}
    ours = agrees(browser, santos)
    assert len(ours) == 7
    words = table(browser).set_index("boundary")["text"]["coherent spinodal alpha"]
    assert words.split("\t") == [
        "spontaneous coherent unmixing", "0.0580", "49.7", "1742", "2.09",
        "coherent spinodal, Li-rich side",
    ]  # fmt: skip


def test_the_map_names_its_fields_and_marks_the_capacities(show):
    browser = show()
    names = data_of(browser, "names")["text"]
    assert {"single phase", "held by coherency", "coherent nucleation", "liquid present"} <= {
        *names
    }
    assert data_of(browser, "labels")["text"][:3] == ["x₀", "580 mAh/g", "1742 mAh/g"]
    places = np.array(data_of(browser, "labels")["x"][1:])
    pixels = browser.execute_script(
        "const { x_range: x, inner_width } = Bokeh.documents[0].get_model_by_name('map');"
        "return inner_width / (x.end - x.start)"
    )
    assert (np.diff(places) * pixels > 12).all()


def test_it_is_no_wider_than_a_telephone(browser, show):
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        show()
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
        assert "single phase" in data_of(browser, "names")["text"]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_pointer_reads_the_map(show, santos):
    browser = show()
    frame = browser.find_element("css selector", "[role=img]")
    ActionChains(browser).move_to_element(frame).perform()
    wait(browser, "return document.getElementById('look').textContent.includes(' K (')")
    fraction, T, name = re.fullmatch(
        r"(\S+) Na, (\S+) K \(.*°C\): (.*)", browser.find_element("id", "look").text
    ).groups()
    assert NAMES[name] == regions(float(fraction), float(T), santos).key


def test_sliders_and_boxes_have_labels(show):
    labels = show().execute_script(
        """return ["x0", "T", "E"].flatMap((name) => [name, `${name}_box`]).map((name) => {
            const { id } = Bokeh.documents[0].get_model_by_name(name);
            const { shadow_el } = Bokeh.index.get_by_id(id);
            return shadow_el.querySelector(".noUi-handle, input").getAttribute("aria-label");
        })"""
    )
    assert [label.split(" / ")[0] for label in labels[::2]] == [
        "Mole fraction of Na, x₀", "Temperature", "Young's modulus E",
    ]  # fmt: skip
    assert labels[::2] == labels[1::2]


# -- sliders --


@pytest.mark.parametrize(("logarithm", "x0"), [(-4, 1e-4), (-2, 0.01), (np.log10(0.5), 0.5)])
def test_x0_moves_the_path(show, santos, logarithm, x0):
    browser = show()
    put(browser, "x0", logarithm)
    assert state(browser)["x0"] == pytest.approx(x0)
    agrees(browser, santos)
    assert data_of(browser, "points")["x"][0] == pytest.approx(np.log(x0 / (1 - x0)))


def test_exact_values_can_be_typed(show, santos):
    browser = show()
    for name, value in (("x0_box", 0.0123456), ("T_box", 298.15), ("E_box", 13.8 / 2)):
        put(browser, name, value)
    assert state(browser) == {"x0": 0.0123456, "T": 298.15, "E": 6.9}
    assert browser.execute_script(
        "return Bokeh.documents[0].get_model_by_name('x0').value"
    ) == pytest.approx(np.log10(0.0123456))
    agrees(browser, stiffened(santos.dbf, 6.9))


def test_temperature_moves_the_windows(show, santos):
    browser = show()
    entered = []
    for T in (200, 250, 361):
        put(browser, "T", T)
        entered.append(agrees(browser, santos).set_index("boundary")["q"])
    # Warmer, the gap is narrower and more must be stripped.
    assert np.diff([q["coherent spinodal alpha"] for q in entered]).min() > 0
    assert set(data_of(browser, "route")["y"]) == {361}


def test_the_arrow_keys_move_a_slider(show, santos):
    browser = show()
    before = table(browser)["q"]
    browser.execute_script(
        "const slider = Bokeh.documents[0].get_model_by_name('T');"
        "Bokeh.index.get_by_id(slider.id).shadow_el.querySelector('.noUi-handle').focus()"
    )
    ActionChains(browser).send_keys(Keys.ARROW_RIGHT * 2).perform()
    wait(browser, "return linaMap.state.T === 302")
    agrees(browser, santos)
    assert table(browser)["q"][1] > before[1]
    assert browser.find_element("id", "here").text.startswith("At x₀ = 0.03 and 302 K (28.9 °C)")
    label = browser.switch_to.active_element.shadow_root.find_element("css selector", ":focus")
    assert label.get_attribute("aria-label") == "Temperature / K"


def test_the_modulus_moves_the_coherent_windows_alone(show, santos):
    browser = show()
    before = agrees(browser, santos).set_index("boundary")["x"]
    fields = data_of(browser, "fields")
    put(browser, "E", 7.1)
    after = agrees(browser, stiffened(santos.dbf, 7.1)).set_index("boundary")["x"]
    for name in after.index.intersection(before.index):
        if name.startswith("coherent"):
            assert after[name] != before[name]
        else:
            assert after[name] == before[name]
    assert data_of(browser, "fields")["xs"] != fields["xs"]


def test_without_stiffness_coherent_curves_are_the_chemical_ones(show):
    browser = show()
    put(browser, "E", 0)
    found = browser.execute_script("return lina.boundaries(300, 0)")
    for name in BOUNDARIES[:2] + BOUNDARIES[4:6]:
        assert found[name] == found[name.replace("chemical", "coherent")] is not None
    assert set(table(browser)["region"]) == {"nucleation", "coherent_spinodal", "single"}
    assert len(data_of(browser, "labels")["text"]) == 1 + 3  # one where two boundaries are one


def test_without_a_coherent_gap_there_are_fewer_rows_and_regions(show, zhang):
    browser = show("zhang2003")
    agrees(browser, zhang)
    assert not table(browser)["boundary"].str.startswith("coherent").any()
    assert "no coherent gap" in browser.find_element("id", "gap").text
    put(browser, "T", 200)
    assert table(browser)["boundary"].str.startswith("coherent").sum() == 4
    assert browser.find_element("id", "gap").text == ""
    # The dome closes at its critical point.
    dome = data_of(browser, "coherent spinodal")
    critical = zhang.coherent.critical_point().T
    for T, t in zip(dome["ys"], dome["xs"], strict=True):
        assert T[-1] == pytest.approx(critical, abs=1e-5)
        assert t[-1] == pytest.approx(0, abs=1e-3)


# -- every boundary --


def theirs(browser, T, modulus):
    rows = browser.execute_script(
        "return arguments[0].map((T) => lina.boundaries(T, arguments[1]))", list(T), modulus
    )
    return pd.DataFrame(rows, columns=list(BOUNDARIES), dtype=float)


@pytest.mark.parametrize("modulus", [0.5, 7.1, 13.8, 20.7])
def test_boundaries_agree_at_any_temperature_and_modulus(show, santos, modulus):
    T = np.append(np.linspace(200, 361, 24), [298.15, 333.15])
    ours = named_boundaries(curve_ends(stiffened(santos.dbf, modulus), T))
    found = theirs(show(), T, modulus)
    for name in BOUNDARIES:
        np.testing.assert_allclose(found[name], np.ma.filled(ours[name], np.nan), rtol=1e-8)
        if name.endswith("beta"):  # what is left of Li, too
            np.testing.assert_allclose(1 - found[name], 1 - ours[name], rtol=1e-8)


def test_boundaries_agree_up_to_a_critical_point(show, zhang):
    critical = zhang.coherent.critical_point().T
    T = np.array([200.0, 205.0, critical - 0.1, critical - 1e-3, critical + 1e-3])
    ours = named_boundaries(curve_ends(zhang, T))
    found = theirs(show("zhang2003"), T, 13.8)
    for name in BOUNDARIES:
        np.testing.assert_allclose(found[name], np.ma.filled(ours[name], np.nan), rtol=1e-8)
    assert found["coherent binodal alpha"].isna().tolist() == [False] * 4 + [True]


def test_regions_agree_over_the_map(show, santos):
    browser = show()
    x = np.concatenate([np.geomspace(1e-6, 0.5, 60), 1 - np.geomspace(0.49, 1e-4, 30)])
    for T in (220.0, 300.0, 361.0):
        found = browser.execute_script(
            "const ends = lina.ends(arguments[1], 13.8);"
            "return arguments[0].map((x) => lina.classify(x, ends))",
            x.tolist(),
            T,
        )
        assert found == regions(x, T, santos).code.tolist()
