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
from lina_calphad.anode import (
    BOUNDARIES,
    REGIONS,
    Depth,
    describe,
    potential,
    regions,
    stripping_path,
    study,
)
from lina_calphad.anode.page import page
from lina_calphad.anode.windows import curve_ends
from lina_calphad.cli.options import FRACTION, KELVIN
from lina_calphad.data.assessments import PHASE
from lina_calphad.data.databases import copy_database

pytestmark = pytest.mark.browser

# Nothing but the page may run, and no name may be looked up.
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,1000",
)  # fmt: skip
FOIL = 20e-6
CHARGE = Depth(2.0, "mAh/cm²")
NAMES = {region.name: region.key for region in REGIONS}
TELEPHONE = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}


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
def files(santos, zhang, draws, tmp_path_factory):
    """Addresses of the pages of both assessments, the second without a thickness, and of a study
    with all there is.
    """
    folder = tmp_path_factory.mktemp("pages")
    studies = {
        "santos2025": study(0.03, 300.0, santos, thickness=FOIL),
        "both": study(0.03, 300.0, santos, others=["zhang2003"], thickness=FOIL),
        "zhang2003": study(0.03, 300.0, zhang),
        "whole": study(
            0.03, [293.15, 333.15], santos, thickness=FOIL, current_density=10.0, draws=draws
        ),
        "charge": study(0.03, 300.0, santos, thickness=FOIL, density=500.0, depths=[CHARGE]),
    }
    for name, found in studies.items():
        (folder / f"{name}.html").write_text(page(found), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in studies}


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


@pytest.fixture
def telephone(browser):
    """A screen of 390 pixels that is touched."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    yield
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def touch(browser, name, across, down):
    """Tap on an element, at shares of its width and height."""
    element = browser.find_element("id", name)
    x, y = browser.execute_script(
        "arguments[0].scrollIntoView();"
        "const { x, y, width, height } = arguments[0].getBoundingClientRect();"
        "return [x + width * arguments[1], y + height * arguments[2]]", element, across, down,
    )  # fmt: skip
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def wait(browser, condition, *arguments):
    WebDriverWait(browser, 20, 0.05).until(lambda b: b.execute_script(condition, *arguments))


def put(browser, name, value):
    """Move a slider."""
    browser.execute_script(
        "const slider = document.getElementById(`${arguments[0]}_slider`);"
        "slider.value = arguments[1]; slider.dispatchEvent(new Event('input'))",
        name,
        value,
    )


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
    ours["E_mV"] = 1e3 * potential(ours["x"], ours["T"], description).volt["solution"]
    theirs = table(browser)
    assert theirs["boundary"].tolist() == ours["boundary"].tolist()
    assert theirs["region"].tolist() == ours["region"].tolist()
    for column, key in (
        ("x", "x"),
        ("q", "q"),
        ("capacity_mAh_per_g", "capacity"),
        ("capacity_mAh_per_cm2", "areal"),
        ("E_mV", "E"),
    ):
        if key in theirs or description.name == "santos2025":
            np.testing.assert_allclose(theirs[key], ours[column], rtol=1e-8, atol=1e-9)
    text = browser.find_element("tag name", "main").text
    assert "NaN" not in text
    assert "Infinity" not in text
    name = said(browser, "here").split(": ")[1].split(".")[0]
    assert NAMES[name] == ours["region"][0]
    return ours


def stiffened(dbf, modulus):
    dbf = copy_database(dbf)
    elasticity = lc.CubicElasticity.isotropic(modulus, 0.33)
    lc.set_elastic_data(dbf, PHASE, molar_volume={}, elasticity={"LI": elasticity})
    return describe(dbf)


def name_of(key):
    return next(region.name for region in REGIONS if region.key == key)


def drawn(browser, selector, *attributes):
    """Attributes of what the map shows."""
    return browser.execute_script(
        "return [...document.querySelectorAll(`#map ${arguments[0]}`)].map((each) =>"
        "arguments[1].map((name) => each.getAttribute(name) ?? each.textContent))",
        selector,
        attributes,
    )


# -- as it opens --


def test_it_loads_offline_without_a_word_on_the_console(show):
    browser = show()
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert [name for name in loaded if not name.startswith(("data:", "blob:"))] == []
    assert browser.title == "Li–Na anode, santos2025"
    assert len(drawn(browser, "polygon", "points")) > 5


def test_the_numbers_are_ours_as_it_opens(show, santos):
    browser = show()
    assert state(browser) == {"x0": 0.03, "T": 300, "E": 13.8, "q": 0.5}
    ours = agrees(browser, santos)
    assert len(ours) == 7
    words = table(browser).set_index("boundary")["text"]["coherent spinodal alpha"]
    assert words.split("\t") == [
        f"{name_of('coherent_spinodal')}\ncoherent spinodal, Li side\n",
        "0.0580", "49.7", "1742", "2.09", "0.287",
    ]  # fmt: skip


def test_the_map_marks_the_charges_and_leaves_names_to_its_legend(show):
    browser = show()
    assert [text for (text,) in drawn(browser, ".label", "none")][:2] == ["0.70", "2.09"]
    words = " ".join(text for (text,) in drawn(browser, "text", "none"))
    key = browser.find_element("class name", "key").text
    for region in REGIONS:
        assert region.name in key
        assert region.name not in words
    assert "temperature / K" in words
    assert ":" not in words


def check_words_on_the_map(browser):
    """At every temperature they stay apart, and on the map."""
    for T in (200, 361, 300):
        put(browser, "T", T)
        boxes = browser.execute_script(
            """const map = document.getElementById("map").getBoundingClientRect();
            return [...document.querySelectorAll("#map text")].map((text) => {
                const { left, right, top, bottom } = text.getBoundingClientRect();
                return [text.textContent, left - map.left, right - map.left, top - map.top,
                    bottom - map.top, map.width, map.height];
            })"""
        )
        assert len(boxes) > 15
        for i, (text, left, right, top, bottom, width, height) in enumerate(boxes):
            assert min(left, top, width - right, height - bottom) > -0.5, text
            for other, *box in boxes[i + 1 :]:
                across = min(right, box[1]) - max(left, box[0])
                up = min(bottom, box[3]) - max(top, box[2])
                assert min(across, up) < 4, (text, other)


def test_words_on_the_map_stay_apart_and_on_it(show):
    check_words_on_the_map(show("whole"))


def test_a_telephone_shows_all_words_and_every_column_of_every_table(telephone, show):
    browser = show("whole")
    check_words_on_the_map(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    hidden = browser.execute_script(
        """return [...document.querySelectorAll("table :is(th, td)")].filter((cell) => {
            const { left, right, width } = cell.getBoundingClientRect();
            return width === 0 || left < 0 || right > 390 || cell.scrollWidth > width + 1;
        }).map((cell) => cell.textContent)"""
    )
    assert hidden == []
    assert len(browser.find_elements("css selector", "#crossings th")) == 7


def read_out(browser):
    wait(browser, "return document.getElementById('look').textContent.includes(' K (')")
    return re.fullmatch(r"(\S+) Na, (\S+) K \(.*°C\): (.*)", said(browser, "look")).groups()


def test_the_pointer_reads_the_map(show, santos):
    browser = show()
    ActionChains(browser).move_to_element(browser.find_element("id", "map")).perform()
    fraction, T, name = read_out(browser)
    assert NAMES[name] == regions(float(fraction), float(T), santos).key


def test_a_finger_reads_the_map(telephone, show):
    browser = show()
    touch(browser, "map", 1 / 2, 1 / 12)
    assert read_out(browser)[2] == "liquid present"


def test_a_finger_moves_a_slider(telephone, show, santos):
    browser = show()
    touch(browser, "q_slider", 0.25, 0.5)
    touch(browser, "T_slider", 0.75, 0.5)
    wait(browser, "return linaMap.state.q < 0.4 && linaMap.state.T > 300")
    agrees(browser, santos)
    assert f"{100 * state(browser)['q']:.1f} % of the Li" in said(browser, "deep")


def test_beside_a_box_its_value_stands_in_other_units(show):
    browser = show()
    assert said(browser, "x0_aside") == "3 at.%, 9.293 wt% Na"
    assert said(browser, "T_aside") == "26.9 °C"
    put(browser, "T", 200)
    assert said(browser, "T_aside") == "−73.1 °C"


# -- the answer --


def test_a_sentence_says_when_it_unmixes_by_itself_coherent_and_not(show):
    browser = show()
    assert said(browser, "answer") == (
        "Stripped slowly, it unmixes by itself after 49.7 % of the Li (1742 mAh/g, 2.09 mAh/cm²); "
        "after 16.6 % of the Li (580 mAh/g, 0.70 mAh/cm²) if nothing stays coherent."
    )
    rows = table(browser)
    assert rows["boundary"][rows["answer"]].tolist() == ["coherent spinodal alpha"]
    put_text(browser, "x0", "0.1")
    assert said(browser, "answer") == "It unmixes by itself before any Li is stripped."
    assert table(browser)["answer"].tolist() == [True] + [False] * 4
    for name, text in (("x0", "0.5"), ("T", "361"), ("E", "20.7")):
        put_text(browser, name, text)
    assert said(browser, "answer").startswith("Stripped slowly, coherent lattices never unmix by")
    assert not table(browser)["answer"].any()


def test_the_draws_follow_the_sliders_as_far_as_they_are_known(show, santos, draws):
    browser = show("whole")
    for x0, T in ((0.03, 293.15), (0.02, 333.15)):
        put_text(browser, "x0", str(x0))
        put_text(browser, "T", str(T))
        drawn_ = study(x0, T, santos, draws=draws).uncertainty.set_index("boundary")
        for row in table(browser).iloc[1:].to_dict("records"):
            ends = row["text"].split("\t")[-1].split(" to ")
            ours = drawn_.loc[row["boundary"], ["q_low_68", "q_high_68"]]
            np.testing.assert_allclose([float(q) for q in ends], 100 * ours, atol=0.06)
    shades = {name for (name,) in drawn(browser, "[data-draws]", "data-draws")}
    assert shades == set(BOUNDARIES)
    put(browser, "E", 7)
    shades = {name for (name,) in drawn(browser, "[data-draws]", "data-draws")}
    assert shades == {name for name in BOUNDARIES if name.startswith("chemical")}


def test_the_temperatures_of_the_study_are_a_tap_away(show, santos):
    browser = show("whole")
    for button in browser.find_elements("css selector", "[data-temperature]"):
        button.click()
        assert f"{state(browser)['T']:g} K" == button.text
        agrees(browser, santos)


# -- potential, depth, assessments --


def test_potentials_of_every_state_are_ours(show, santos):
    browser = show()
    x = np.array([1e-3, 0.03, 0.1, 0.5, 0.9, 0.9999])
    for T, modulus in ((220.0, 13.8), (300.0, 13.8), (300.0, 5.0)):
        found = pd.DataFrame(browser.execute_script(
            "return arguments[0].map((x) => lina.potentials(x, arguments[1], arguments[2]))",
            x.tolist(), T, modulus,
        ))  # fmt: skip
        ours = potential(x, T, stiffened(santos.dbf, modulus)).volt
        for state_ in ours:
            np.testing.assert_allclose(found[state_], 1e3 * ours[state_], rtol=1e-9, atol=1e-9)
    assert len(drawn_in(browser, "voltage", "polyline")) == 3


def drawn_in(browser, svg, selector):
    return browser.find_elements("css selector", f"#{svg} {selector}")


def test_a_depth_is_typed_as_a_share_or_a_charge_and_says_what_is_there(show, santos):
    browser = show()
    for text, q in (("30 %", 0.3), ("1000 mAh/g", 1000 / 3502.53), ("2 mAh/cm2", 2 / 4.2108)):
        put_text(browser, "q", text)
        assert state(browser)["q"] == pytest.approx(q, rel=1e-4)
    row = study(0.03, 300.0, santos, thickness=FOIL, depths=[CHARGE]).at_depths.iloc[0]
    words = said(browser, "deep")
    assert f"a dense foil of {1e6 * row['thickness_m']:.3g} µm is left" in words
    assert f"x(Na) = {row['x']:.3g}" in words
    assert f"starts with {100 * row['x0_wanted']:.2f} at.% Na" in words
    put_text(browser, "q", "9 mAh/cm2", Keys.TAB)
    assert said(browser, "q_hint") == "Allowed: 0 to 4.207 mAh/cm²"


def test_a_charge_stays_that_charge_when_other_sliders_move(show, santos):
    browser = show("charge")

    def says(depth, **foil):
        at = state(browser)
        ours = study(at["x0"], at["T"], santos, depths=[depth], thickness=FOIL, **foil)
        row = ours.at_depths.iloc[0]
        assert at["q"] == pytest.approx(row["q"], rel=1e-9)
        assert browser.find_element("id", "q_box").get_attribute("value") == str(depth)
        words = said(browser, "deep")
        assert f"x(Na) = {row['x']:.3g}" in words
        assert f"starts with {100 * row['x0_wanted']:.2f} at.% Na" in words

    says(CHARGE, density=500.0)
    put_text(browser, "x0", "0.05")
    says(CHARGE, density=500.0)
    put_text(browser, "q", "700 mAh/g")
    put(browser, "T", 330)
    says(Depth(700.0, "mAh/g"))
    put_text(browser, "q", "1000 mAh/g")
    put_text(browser, "x0", "0.5")  # which has not that much Li
    assert said(browser, "q_hint") == "Allowed: 0 to 894.6 mAh/g"
    put_text(browser, "x0", "0.3")
    says(Depth(1000.0, "mAh/g"))
    put(browser, "q", 0.25)
    put_text(browser, "x0", "0.02")
    assert state(browser)["q"] == 0.25
    show()
    put_text(browser, "q", "2 mAh/cm²")
    put_text(browser, "x0", "0.02")
    says(CHARGE)


def test_where_the_assessments_disagree_is_said_first_and_each_can_be_chosen(show, santos, zhang):
    browser = show("both")
    assert said(browser, "disagree") == (
        "The assessments disagree at 300 K. santos2025: coherent nucleation, unmixes as one "
        "lattice after 49.7 % of the Li; zhang2003: held by coherency, "
        "never unmixes as one lattice."
    )
    put_text(browser, "T", "361")
    assert "zhang2003: liquid present, melts on the way" in said(browser, "disagree")
    chooser = browser.find_element("id", "assessment")
    chooser.send_keys(Keys.ARROW_DOWN)
    wait(browser, "return document.getElementById('here').textContent.includes('by zhang2003')")
    assert state(browser)["T"] == 360  # it melts above
    assert said(browser, "name") == "Li–Na anode, zhang2003"
    assert lc.assessments()["zhang2003"].citation in said(browser, "cited")
    put_text(browser, "T", "300")
    agrees(browser, zhang)
    chooser.send_keys(Keys.ARROW_UP)
    wait(browser, "return document.getElementById('here').textContent.includes('by santos2025')")
    agrees(browser, santos)


def test_the_draws_shade_the_potential_of_what_they_are_of(show):
    browser = show("whole")
    assert len(drawn_in(browser, "voltage", "[data-shade]")) == 3
    put_text(browser, "x0", "0.04")
    assert len(drawn_in(browser, "voltage", "[data-shade]")) == 0


def test_the_profiles_of_a_current_are_drawn(show):
    browser = show("whole")
    lines = drawn_in(browser, "profile", "polyline")
    assert len(lines) == 6
    browser.find_elements("css selector", "[data-temperature]")[1].click()
    assert "x(Na) at 333.15 K" in browser.find_element("id", "profile").text


# -- sliders --


def test_x0_moves_the_path(show, santos):
    browser = show()
    starts = []
    for logarithm, x0 in ((-4, 1e-4), (-2, 0.01), (-0.31, 0.49)):
        put(browser, "x0", logarithm)
        assert state(browser)["x0"] == pytest.approx(x0, rel=1e-3)
        agrees(browser, santos)
        starts.append(float(drawn(browser, "circle", "cx")[0][0]))
    assert starts == sorted(starts)


def test_exact_values_can_be_typed(show, santos):
    browser = show()
    put_text(browser, "x0", "0,0123456")
    put_text(browser, "T", "298.15", Keys.TAB)
    put_text(browser, "E", "6,9 GPa")
    assert state(browser) == {"x0": 0.0123456, "T": 298.15, "E": 6.9, "q": 0.5}
    assert browser.find_element("id", "E_box").get_attribute("value") == "6.9"
    slider = browser.find_element("id", "x0_slider").get_property("value")
    assert float(slider) == pytest.approx(np.log10(0.0123456), abs=0.006)  # half a step
    assert said(browser, "x0_aside").startswith("1.235 at.%, ")
    agrees(browser, stiffened(santos.dbf, 6.9))


def test_what_a_box_does_not_take_is_said_and_changes_nothing(show):
    browser = show()
    before = browser.execute_script("return linaMap.taken.length")
    words = said(browser, "state"), table(browser)["text"].tolist()
    ways, fractions = "Write it as in ", "0.03, 3 at.% or 9 wt%"
    for name, wrong, good in (
        ("x0", {"3": "Allowed: 0.0001 to 0.5", "60 %": "Allowed: 0.01 to 50 at.%",
                "90 wt%": "Allowed: 0.03312 to 76.81 wt%", "3 apples": ways + fractions}, "0,03"),
        ("T", {"25": "Allowed: 200 to 361 K", "99 C": "Allowed: -73.15 to 87.85 °C",
               "": f"{ways}300 K or 25 °C"}, "300 K"),
        ("E", {"-1": "Allowed: 0 to 20.7 GPa", "1.2.3": f"{ways}13.8 GPa"}, "13,8"),
    ):  # fmt: skip
        for text, hint in wrong.items():
            box = put_text(browser, name, text, Keys.TAB if text else Keys.DELETE + Keys.ENTER)
            assert said(browser, f"{name}_hint") == hint
            assert box.get_attribute("aria-invalid") == "true"
            assert box.value_of_css_property("border-top-color") == "rgba(176, 0, 32, 1)"
            assert box.get_attribute("value") == text
        put_text(browser, name, good)
        assert said(browser, f"{name}_hint") == ""
        assert box.get_attribute("aria-invalid") == "false"
        assert box.value_of_css_property("border-top-color") != "rgba(176, 0, 32, 1)"
    assert browser.execute_script("return linaMap.taken.length") == before
    assert state(browser) == {"x0": 0.03, "T": 300, "E": 13.8, "q": 0.5}
    assert (said(browser, "state"), table(browser)["text"].tolist()) == words


def test_a_box_takes_what_the_command_takes(show):
    browser = show()
    for text in ("3 %", "3at%", "3 at.%", "3 at. %", "9.29211 wt%", "9.29211 wt.%", "9.29211mass%"):
        put_text(browser, "x0", "0.01")
        put_text(browser, "x0", text)
        ours = FRACTION(text)
        assert state(browser)["x0"] == pytest.approx(float(ours), rel=1e-11), text
        assert ours == pytest.approx(0.03, rel=2e-4)
    put_text(browser, "T", "25C")
    assert state(browser)["T"] == KELVIN("25C") == 298.15


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
    assert state(browser) == {"x0": 1e-4, "T": 301, "E": 20.7, "q": 0.5}


def test_temperature_moves_the_windows(show, santos):
    browser = show()
    entered = []
    for T in (200, 250, 361):
        put(browser, "T", T)
        entered.append(agrees(browser, santos).set_index("boundary")["q"])
    # Warmer, the gap is narrower and more must be stripped.
    assert np.diff([q["coherent spinodal alpha"] for q in entered]).min() > 0


def test_the_arrow_keys_move_a_slider(show, santos):
    browser = show()
    before = table(browser)["q"]
    slider = browser.find_element("id", "T_slider")
    slider.send_keys(Keys.ARROW_RIGHT * 2)
    wait(browser, "return linaMap.state.T === 302")
    agrees(browser, santos)
    assert table(browser)["q"][1] > before[1]
    here = "x(Na) = 0.03 (9.29 wt%) at 302 K (28.9 °C) by santos2025: coherent nucleation."
    assert said(browser, "here").startswith(here)


def test_the_modulus_moves_the_coherent_windows_alone(show, santos):
    browser = show()
    before = agrees(browser, santos).set_index("boundary")["x"]
    fields = dict(drawn(browser, "[data-region]", "data-region", "points"))
    put(browser, "E", 7.1)
    after = agrees(browser, stiffened(santos.dbf, 7.1)).set_index("boundary")["x"]
    for name in after.index.intersection(before.index):
        if name.startswith("coherent"):
            assert after[name] != before[name]
        else:
            assert after[name] == before[name]
    moved = dict(drawn(browser, "[data-region]", "data-region", "points"))
    assert {key for key, points in moved.items() if points != fields[key]} == {
        "nucleation", "incoherent_spinodal", "coherent_spinodal",
    }  # fmt: skip


def test_without_stiffness_coherent_curves_are_the_chemical_ones(show):
    browser = show()
    put(browser, "E", 0)
    found = browser.execute_script("return lina.boundaries(lina.ends(300, 0))")
    for name in BOUNDARIES[:2] + BOUNDARIES[4:6]:
        assert found[name] == found[name.replace("chemical", "coherent")] is not None
    rows = table(browser)  # each boundary once
    assert rows["region"].tolist() == ["nucleation", "coherent_spinodal", "nucleation", "single"]
    assert "chemical spinodal, Li side = coherent spinodal, Li side" in rows["text"][1]
    assert said(browser, "answer").count("of the Li") == 1
    assert "coherent" not in said(browser, "answer")


def test_without_a_coherent_gap_there_are_fewer_rows_and_regions(show, zhang):
    browser = show("zhang2003")
    agrees(browser, zhang)
    assert not table(browser)["boundary"].str.startswith("coherent").any()
    assert "coherent lattices never unmix by themselves" in said(browser, "answer")
    put(browser, "T", 200)
    assert table(browser)["boundary"].str.startswith("coherent").sum() == 4
    assert re.match(
        r"Stripped slowly, .* after .* % of the Li \(\d+ mAh/g\)", said(browser, "answer")
    )
    # The dome closes at its critical point.
    top = zhang.coherent.critical_point()
    found = browser.execute_script(
        "return [-1e-6, 1e-6].map((off) => lina.ends(arguments[0] + off, 13.8).coherent)", top.T
    )
    assert found[0]["spinodal"] == pytest.approx([0, 0], abs=1e-3)
    assert found[1] is None
    ((points,), _) = drawn(browser, "[data-curve='coherent spinodal']", "points")
    x, y = map(float, points.split()[-1].split(","))
    ((others,), _) = drawn(browser, "[data-curve='coherent binodal']", "points")
    assert [x, y] == pytest.approx([float(end) for end in others.split()[-1].split(",")], abs=0.2)


# -- every boundary --


def theirs(browser, T, modulus):
    rows = browser.execute_script(
        """return arguments[0].map((T) => {
            const found = Object.entries(lina.boundaries(lina.ends(T, arguments[1])));
            return Object.fromEntries(
                found.map(([name, t]) => [name, t === null ? null : lina.expit(t)]));
        })""",
        list(T),
        modulus,
    )
    return pd.DataFrame(rows, columns=list(BOUNDARIES), dtype=float)


@pytest.mark.parametrize("modulus", [0.5, 7.1, 20.7])
def test_boundaries_agree_at_any_temperature_and_modulus(show, santos, modulus):
    T = np.append(np.linspace(200, 361, 12), [298.15, 333.15])
    ours = curve_ends(stiffened(santos.dbf, modulus), T)
    found = theirs(show(), T, modulus)
    for name in BOUNDARIES:
        np.testing.assert_allclose(found[name], ours[name], rtol=1e-12, atol=2e-14)
        if name.endswith("beta"):  # what is left of Li, too
            np.testing.assert_allclose(1 - found[name], 1 - ours[name], rtol=1e-12)


def test_boundaries_agree_up_to_a_critical_point(show, zhang):
    critical = zhang.coherent.critical_point().T
    T = np.array([200.0, 205.0, critical - 0.1, critical - 1e-3, critical + 1e-3])
    ours = curve_ends(zhang, T)
    found = theirs(show("zhang2003"), T, 13.8)
    for name in BOUNDARIES:
        np.testing.assert_allclose(found[name], ours[name], rtol=0, atol=2.4e-12)
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
        assert found == regions(x, T, santos).key.tolist()
