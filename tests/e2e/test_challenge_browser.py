# SPDX-License-Identifier: Apache-2.0
"""test_challenge_browser.py: in Chromium: the browser solves the work, plays the sound, and does without JavaScript."""

import os

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from test_browser import SHOTS, Walk, chromium  # noqa: F401
from test_challenge import offering

PHONE = pytest.mark.parametrize("chromium", [("tr-TR", 320)], indirect=True)
BOTH = pytest.mark.parametrize("chromium", [("tr-TR", 320), ("en-GB", 1280)], indirect=True, ids=["tr-phone", "en-desktop"])


@pytest.fixture(scope="module")
def portals(make_portal, tmp_path_factory):
    """Demos by what they offer, each made once."""
    made, folder = {}, tmp_path_factory.mktemp("offers")

    def of(ways):
        if ways not in made:
            made[ways] = make_portal(*offering(folder, ways))
        return made[ways]
    return of


def find(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector)


def shoot(driver, name):
    if SHOTS:
        driver.save_screenshot(os.path.join(SHOTS, "challenge-%s-%s.png" % (driver.esign_language, name)))


def complaints(driver):
    """What the browser says of scripts, policies and addresses; a form that comes back is none of it."""
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE" and "422" not in entry["message"]]


@BOTH
def test_sign_in_by_work(portals, chromium):  # noqa: F811
    portal = portals("picture sound work")
    subscriber, walk = portal.new_subscriber(chromium.esign_language), Walk(chromium, portal)
    chromium.get(portal.url + "login")
    walk.arrive("login")
    shoot(chromium, "before")
    # A mistake first, which the browser's work then takes away.
    walk.type("id", subscriber.id)
    walk.type("word", subscriber.word)
    walk.type("answer", "wrong")
    walk.press()
    WebDriverWait(chromium, 10).until(lambda d: d.find_elements(By.ID, "answer-problem"))
    shoot(chromium, "wrong")
    walk.type("word", subscriber.word)
    find(chromium, ".work button").click()
    WebDriverWait(chromium, 60).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".work.done"))
    shoot(chromium, "done")
    status = find(chromium, ".work [role=status]")
    assert status == chromium.switch_to.active_element and status.text
    answer = find(chromium, "#answer")
    assert not answer.is_enabled() and answer.get_attribute("aria-invalid") is None and not find(chromium, ".picture").is_displayed()
    assert find(chromium, "#answer-hint").text == find(chromium, "#work").get_attribute("data-needless")
    walk.press()
    walk.arrive("otp")
    assert complaints(chromium) == []


@PHONE
def test_work_stays_after_a_mistake_elsewhere(portals, chromium):  # noqa: F811
    portal = portals("picture sound work")
    subscriber, walk = portal.new_subscriber(), Walk(chromium, portal)
    chromium.get(portal.url + "login")
    walk.type("word", subscriber.word)
    find(chromium, ".work button").click()
    WebDriverWait(chromium, 60).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".work.done"))
    walk.press()
    WebDriverWait(chromium, 10).until(lambda d: d.find_elements(By.ID, "id-problem"))
    assert find(chromium, ".work.done") and not find(chromium, "#answer").is_enabled()
    walk.type("id", subscriber.id)
    walk.type("word", subscriber.word)
    walk.press()
    walk.arrive("otp")


@PHONE
def test_work_alone_needs_no_press_and_no_patience(portals, chromium):  # noqa: F811
    portal = portals("work")
    subscriber, walk = portal.new_subscriber(), Walk(chromium, portal)
    chromium.get(portal.url + "login")
    walk.arrive("login")
    shoot(chromium, "alone")
    chromium.execute_script("for (const [name, value] of arguments[0]) document.getElementById(name).value = value; document.querySelector('main button.primary').click();",
                            [["id", subscriber.id], ["word", subscriber.word]])
    walk.arrive("otp")
    assert complaints(chromium) == []


@BOTH
def test_the_sound_plays(portals, chromium):  # noqa: F811
    portal = portals("sound")
    subscriber, walk = portal.new_subscriber(chromium.esign_language), Walk(chromium, portal)
    chromium.get(portal.url + "login")
    walk.arrive("login")
    shoot(chromium, "sound")
    audio = find(chromium, "audio")
    assert not audio.is_displayed() and chromium.execute_script("return arguments[0].readyState", audio) == 0
    button = find(chromium, ".listen button")
    button.click()
    WebDriverWait(chromium, 20).until(lambda d: d.execute_script("return arguments[0].currentTime > 0.3 && arguments[0].duration > 3", audio))
    button.click()
    WebDriverWait(chromium, 20).until(lambda d: d.execute_script("return !arguments[0].paused", audio))
    walk.type("id", subscriber.id)
    walk.type("word", subscriber.word)
    walk.answer()
    walk.press()
    walk.arrive("otp")
    assert complaints(chromium) == []


@PHONE
def test_without_javascript(portals, chromium):  # noqa: F811
    portal = portals("picture sound work")
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    chromium.get(portal.url + "login")
    shoot(chromium, "no-script")
    assert find(chromium, "audio").is_displayed() and find(chromium, "audio").get_attribute("controls")
    assert not chromium.find_elements(By.CSS_SELECTOR, ".work button") and not find(chromium, "#work").text
