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
from lina_calphad.data.databases import copy_database
from lina_calphad.data.sources import PHASE

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
TELEPHONE = {"width": 420, "height": 900, "deviceScaleFactor": 1, "mobile": True}


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
    """Addresses of the pages of both assessments, the second without a thickness."""
    folder = tmp_path_factory.mktemp("pages")
    for description, foil in ((santos, FOIL), (zhang, None)):
        text = page(description, 0.03, 300.0, thickness=foil)
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
    """Set a slider, and wait until the page has drawn that."""
    drawn = browser.execute_script(
        "const drawn = linaMap.taken.length;"
        "Bokeh.documents[0].get_model_by_name(arguments[0]).value = arguments[1];"
        "return drawn",
        name,
        value,
    )
    wait(browser, "return linaMap.taken.length > arguments[0]", drawn)


def put_text(browser, name, text, end=Keys.ENTER):
    """Type something into the box beside a slider."""
    box = browser.find_element("id", f"{name}_box")
    box.send_keys(Keys.CONTROL + "a" + Keys.NULL + text + end)
    return box


def said(browser, name):
    return browser.find_element("id", name).text


def state(browser):
    return browser.execute_script("return linaMap.state")


def table(browser):
    """The table as the page has it, with all digits."""
    rows = browser.execute_script(
        """return [...document.querySelectorAll("#crossings tbody tr")].map((row) => ({
            ...row.dataset, answer: row.className === "answer",
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
        if key in theirs or description.name == "santos2025":
            np.testing.assert_allclose(theirs[key], ours[column], rtol=1e-8, atol=0)
    text = browser.find_element("tag name", "main").text
    assert "NaN" not in text
    assert "Infinity" not in text
    name = said(browser, "here").split(": ")[1].rstrip(".")
    assert NAMES[name] == ours["region"][0]
    return ours


def stiffened(dbf, modulus):
    dbf = copy_database(dbf)
    elasticity = lc.CubicElasticity.isotropic(modulus, 0.33)
    lc.set_elastic_data(dbf, PHASE, molar_volume={}, elasticity={"LI": elasticity})
    return describe(dbf)


def name_of(key):
    return next(region.name for region in REGIONS if region.key == key)


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
        name_of("coherent_spinodal"), "0.0580", "49.7", "1742", "2.09",
        "coherent spinodal, Li-rich side",
    ]  # fmt: skip


def test_the_map_names_its_fields_and_marks_the_capacities(show):
    browser = show()
    names = data_of(browser, "names")["text"]
    assert {name_of(key) for key in ("single", "held", "nucleation", "liquid")} <= {*names}
    assert data_of(browser, "labels")["text"][:3] == ["x₀", "0.70 mAh/cm²", "2.09 mAh/cm²"]
    assert re.fullmatch(r"\d+ mAh/g", data_of(show("zhang2003"), "labels")["text"][1])


def labels(browser):
    """Labels of the path in pixels of the map: where across, and from what to what height."""
    return browser.execute_script(
        """const get = (name) => Bokeh.documents[0].get_model_by_name(name);
        const { x_range: x, y_range: y, inner_width: width, inner_height: height } = get("map");
        const { data } = get("labels");
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = "bold 12px Helvetica, Arial, sans-serif";
        return {
            width, height,
            labels: [...data.x].map((t, i) => {
                const across = (t - x.start) * width / (x.end - x.start);
                const foot = (data.y[i] - y.start) * height / (y.end - y.start);
                const long = pen.measureText(data.text[i]).width;
                if (!data.angle[i]) return [across, foot - 7, foot + 7];
                return [across, ...(data.align[i] === "left" ? [foot, foot + long]
                    : [foot - long, foot])];
            }),
        }"""
    )


@pytest.mark.parametrize("narrow", [False, True])
def test_labels_of_the_path_stay_apart_and_on_the_map(browser, show, narrow):
    if narrow:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
    try:
        show()
        assert name_of("single") in data_of(browser, "names")["text"]
        for T in (200, 361, 300):
            put(browser, "T", T)
            found = labels(browser)
            x, low, high = np.transpose(found["labels"])
            assert len(x) >= 5  # those of one place and one word are one
            assert low.min() > 0
            assert high.max() < found["height"]
            assert np.diff(x[1:]).min() > 17
            assert x.max() < found["width"] - 7
            level = (low[0] + high[0]) / 2
            assert (low[1:] > level).all() == (T != 361)  # where it ends too soon they hang
            assert (high[1:] < level).all() == (T == 361)
        if narrow:  # with the titles of its axes
            right = browser.execute_script(
                "const { id } = Bokeh.documents[0].get_model_by_name('map');"
                "return Bokeh.index.get_by_id(id).el.getBoundingClientRect().right"
            )
            assert right <= 420
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 420
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_pointer_reads_the_map(show, santos):
    browser = show()
    frame = browser.find_element("css selector", "[role=img]")
    ActionChains(browser).move_to_element(frame).perform()
    wait(browser, "return document.getElementById('look').textContent.includes(' K (')")
    fraction, T, name = re.fullmatch(
        r"(\S+) Na, (\S+) K \(.*°C\): (.*)", said(browser, "look")
    ).groups()
    assert NAMES[name] == regions(float(fraction), float(T), santos).key


def test_sliders_and_boxes_have_labels_and_other_units(show):
    browser = show()
    found = browser.execute_script(
        """return ["x0", "T", "E"].map((name) => {
            const { id } = Bokeh.documents[0].get_model_by_name(name);
            const { shadow_el } = Bokeh.index.get_by_id(id);
            return [shadow_el.querySelector(".noUi-handle"), document.getElementById(`${name}_box`)]
                .map((part) => part.getAttribute("aria-label"));
        })"""
    )
    assert found == [
        [label] * 2 for label in ("Mole fraction of Na, x₀", "Temperature / K",
                                  "Young's modulus E / GPa")
    ]  # fmt: skip
    assert said(browser, "x0_aside") == "3 at.% Na"
    assert said(browser, "T_aside") == "26.9 °C"
    put(browser, "T", 200)
    assert said(browser, "T_aside") == "−73.1 °C"


# -- the answer --


def test_a_sentence_says_when_it_unmixes_by_itself(show):
    browser = show()
    assert said(browser, "answer") == (
        "Stripped slowly, it unmixes by itself after 2.09 mAh/cm² (49.7 % of the lithium stripped, "
        "x(Na) = 0.0580)."
    )
    rows = table(browser)
    assert rows["boundary"][rows["answer"]].tolist() == ["coherent spinodal alpha"]
    put_text(browser, "x0", "0.1")
    assert said(browser, "answer").startswith("It is already inside the coherent spinodal")
    assert table(browser)["answer"].tolist() == [True] + [False] * 4
    for name, text in (("x0", "0.5"), ("T", "361"), ("E", "20.7")):
        put_text(browser, name, text)
    assert said(browser, "answer").startswith("It is past the coherent spinodal")
    assert not table(browser)["answer"].any()


# -- sliders --


def test_x0_moves_the_path(show, santos):
    browser = show()
    for logarithm, x0 in ((-4, 1e-4), (-2, 0.01), (np.log10(0.5), 0.5)):
        put(browser, "x0", logarithm)
        assert state(browser)["x0"] == pytest.approx(x0)
        agrees(browser, santos)
        assert data_of(browser, "points")["x"][0] == pytest.approx(np.log(x0 / (1 - x0)))


def test_exact_values_can_be_typed(show, santos):
    browser = show()
    put_text(browser, "x0", "0,0123456")
    put_text(browser, "T", "298.15", Keys.TAB)
    put_text(browser, "E", "6,9 GPa")
    assert state(browser) == {"x0": 0.0123456, "T": 298.15, "E": 6.9}
    assert browser.find_element("id", "E_box").get_attribute("value") == "6.9"
    assert browser.execute_script(
        "return Bokeh.documents[0].get_model_by_name('x0').value"
    ) == pytest.approx(np.log10(0.0123456))
    assert said(browser, "x0_aside") == "1.235 at.% Na"
    agrees(browser, stiffened(santos.dbf, 6.9))


def test_what_a_box_does_not_take_is_said_and_changes_nothing(show):
    browser = show()
    before = browser.execute_script("return linaMap.taken.length")
    words = said(browser, "state"), table(browser)["text"].tolist()
    for name, hint, wrong, good in (
        ("x0", "a fraction from 0.0001 to 0.5; 3 at.% is 0.03", ("3", "3 %"), "0,03"),
        ("T", "200 to 361 K; 25 °C is 298.15 K", ("25", "500", ""), "300 K"),
        ("E", "0 to 20.7 GPa", ("-1", "1.2.3", "0x3"), "13,8"),
    ):
        for text in wrong:
            box = put_text(browser, name, text, Keys.TAB if text else Keys.DELETE + Keys.ENTER)
            assert said(browser, f"{name}_hint") == f"Allowed: {hint}"
            assert box.get_attribute("aria-invalid") == "true"
            assert box.value_of_css_property("border-top-color") == "rgba(176, 0, 32, 1)"
            assert box.get_attribute("value") == text
        put_text(browser, name, good)
        assert said(browser, f"{name}_hint") == ""
        assert box.get_attribute("aria-invalid") == "false"
        assert box.value_of_css_property("border-top-color") != "rgba(176, 0, 32, 1)"
    assert browser.execute_script("return linaMap.taken.length") == before
    assert state(browser) == {"x0": 0.03, "T": 300, "E": 13.8}
    assert (said(browser, "state"), table(browser)["text"].tolist()) == words


def test_a_hint_goes_when_the_slider_moves_or_the_text_is_good(show):
    browser = show()
    put_text(browser, "T", "25")
    put(browser, "E", 10)  # another one
    assert said(browser, "T_hint") != ""
    put(browser, "T", 310)
    assert said(browser, "T_hint") == ""
    box = put_text(browser, "T", "25")
    box.send_keys("0")
    assert said(browser, "T_hint") == ""
    box.send_keys(Keys.ENTER)
    assert state(browser)["T"] == 250
    put_text(browser, "T", "25")
    box.send_keys(Keys.ESCAPE)
    assert (box.get_attribute("value"), said(browser, "T_hint")) == ("250", "")


def test_the_arrow_keys_step_a_box(show):
    browser = show()
    for name, down in (("x0", 0.029), ("T", 299), ("E", 13.7)):
        box = browser.find_element("id", f"{name}_box")
        box.send_keys(Keys.ARROW_DOWN)
        assert state(browser)[name] == down
        box.send_keys(Keys.ARROW_UP * 2)
        assert state(browser)[name] > down
    put_text(browser, "E", "20.7", Keys.ARROW_UP)
    put_text(browser, "x0", "0.0001", Keys.ARROW_DOWN)
    assert state(browser) == {"x0": 1e-4, "T": 301, "E": 20.7}


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
    assert said(browser, "here").startswith("At x₀ = 0.03 and 302 K (28.9 °C) the alloy lies in")
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
    assert "it never unmixes by itself" in said(browser, "answer")
    put(browser, "T", 200)
    assert table(browser)["boundary"].str.startswith("coherent").sum() == 4
    assert re.match(r"Stripped slowly, .* after \d+ mAh/g \(", said(browser, "answer"))
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


@pytest.mark.parametrize("modulus", [0.5, 7.1, 20.7])
def test_boundaries_agree_at_any_temperature_and_modulus(show, santos, modulus):
    T = np.append(np.linspace(200, 361, 12), [298.15, 333.15])
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
