# SPDX-License-Identifier: Apache-2.0
"""test_challenge_browser.py: in Chromium: the browser solves the work, plays the sound, and does
without JavaScript.
"""

import pytest
from selenium.webdriver.support.ui import WebDriverWait

import walk as walking
from test_challenge import offering

BOTH = pytest.mark.parametrize(
    "language, width", [("tr", 320), ("en", 1280)], ids=["tr-phone", "en-desktop"]
)


@pytest.fixture(scope="module")
def portals(make_portal, tmp_path_factory):
    """Demos by what they offer, each made once."""
    made, folder = {}, tmp_path_factory.mktemp("offers")

    def of(ways):
        if ways not in made:
            made[ways] = make_portal(*offering(folder, ways))
        return made[ways]

    yield of
    for one in made.values():
        one.stop()


@BOTH
def test_sign_in_by_work(portals, chromium, language, width):
    portal = portals("picture sound work")
    subscriber, walk = portal.new_subscriber(language), walking.fresh(
        chromium, portal, language, width
    )
    walk.open("login")
    walk.arrive("login")
    # A mistake first, which the browser's work then takes away.
    walk.type("id", subscriber.id)
    walk.type("word", subscriber.word)
    walk.type("answer", "wrong")
    walk.press()
    walk.until("#answer-problem")
    walk.type("word", subscriber.word)
    walk.find(".work button").click()
    walk.until(".work.done")
    status = walk.find(".work [role=status]")
    assert status == chromium.switch_to.active_element and status.text
    answer = walk.find("#answer")
    assert (
        not answer.is_enabled()
        and answer.get_attribute("aria-invalid") is None
        and not walk.find(".picture").is_displayed()
    )
    assert walk.all(".summary") == []
    assert walk.find("#answer-hint").text == walk.find("#work").get_attribute("data-needless")
    walk.press()
    walk.arrive("otp")
    assert walk.complaints() == []


def test_work_stays_after_a_mistake_elsewhere(portals, chromium):
    portal = portals("picture sound work")
    subscriber, walk = portal.new_subscriber(), walking.fresh(chromium, portal, width=320)
    walk.open("login")
    walk.type("word", subscriber.word)
    walk.find(".work button").click()
    walk.until(".work.done")
    walk.press()
    walk.until("#id-problem")
    assert walk.find(".work.done") and not walk.find("#answer").is_enabled()
    walk.type("id", subscriber.id)
    walk.type("word", subscriber.word)
    walk.press()
    walk.arrive("otp")


def test_work_alone_needs_no_press_and_no_patience(portals, chromium):
    portal = portals("work")
    subscriber, walk = portal.new_subscriber(), walking.fresh(chromium, portal, width=320)
    walk.open("login")
    walk.arrive("login")
    walk.js(
        "for (const [name, value] of arguments[0]) document.getElementById(name).value = value; "
        "document.querySelector('main button.primary').click();",
        [["id", subscriber.id], ["word", subscriber.word]],
    )
    walk.arrive("otp")
    assert walk.complaints() == []


@BOTH
def test_the_sound_plays(portals, chromium, language, width):
    portal = portals("sound")
    subscriber, walk = portal.new_subscriber(language), walking.fresh(
        chromium, portal, language, width
    )
    walk.open("login")
    walk.arrive("login")
    audio = walk.find("audio")
    assert not audio.is_displayed() and walk.js("return arguments[0].readyState", audio) == 0
    button = walk.find(".listen button")
    button.click()
    WebDriverWait(chromium, 20).until(
        lambda d: d.execute_script(
            "return arguments[0].currentTime > 0.3 && arguments[0].duration > 3", audio
        )
    )
    button.click()
    WebDriverWait(chromium, 20).until(
        lambda d: d.execute_script("return !arguments[0].paused", audio)
    )
    walk.type("id", subscriber.id)
    walk.type("word", subscriber.word)
    walk.answer()
    walk.press()
    walk.arrive("otp")
    assert walk.complaints() == []


def test_without_javascript(portals, chromium):
    walk = walking.fresh(chromium, portals("picture sound work"), width=320, scripts=False)
    walk.open("login")
    walk.shoot("challenge no-script 320")
    assert walk.find("audio").is_displayed() and walk.find("audio").get_attribute("controls")
    assert not walk.all(".work button") and not walk.find("#work").text
