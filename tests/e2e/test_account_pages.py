# SPDX-License-Identifier: Apache-2.0
"""test_account_pages.py: pages of the account in Chromium: PUK, copying, no PIN left, sessions
ended, the phone's code.
"""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import walk as walking

BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])


@pytest.fixture
def start(portal, chromium):
    """Starts a walk, with JavaScript or without."""
    return lambda javascript=True: walking.fresh(chromium, portal, scripts=javascript)


def to_menu(walk, subscriber):
    browser = walk.portal.browser()
    browser.sign_in(subscriber)
    walk.take_over(browser)
    walk.open("menu")


def to_pin(walk, subscriber):
    to_menu(walk, subscriber)
    walk.follow("/pin")
    walk.press()
    walk.until(".pin")


def digits(element):
    return "".join(element.text.split())


def visible(element):
    """Whether the browser shows an element. Selenium ignores that a <details> is closed."""
    return element.parent.execute_script("return arguments[0].checkVisibility()", element)


def secrets_in(walk, subscriber):
    """Which of the card's secrets the page holds, shown or not."""
    source = walk.driver.page_source
    text = "".join(c for c in source if c.isdigit() or c.isalpha())
    text = text.replace("spanspan", "")
    return [s for s in (subscriber.cards[0]["pin"], subscriber.cards[0]["puk"]) if s in text]


@BOTH
def test_the_puk_stands_behind_its_own_press(portal, start, javascript):
    walk, subscriber = start(javascript), portal.new_subscriber()
    to_pin(walk, subscriber)
    card = subscriber.cards[0]
    assert sorted(secrets_in(walk, subscriber)) == sorted([card["pin"], card["puk"]])
    puk, warning = (walk.find("details " + one) for one in (".puk", ".warning"))
    summary = walk.find("summary")
    assert digits(walk.find(".pin")) == card["pin"]
    assert not visible(puk) and not visible(warning) and summary.text == "PUK Bilgisini Göster"
    summary.send_keys(Keys.ENTER)
    assert (
        digits(puk) == card["puk"]
        and visible(warning)
        and "üç kez" in warning.text
        and summary.text == "PUK Bilgisini Gizle"
    )
    summary.send_keys(Keys.SPACE)
    assert not visible(puk)


def test_copying_takes_the_plain_digits_and_says_so(portal, chromium, start):
    walk, subscriber = start(), portal.new_subscriber()
    walk.cdp(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    to_pin(walk, subscriber)
    walk.find("summary").click()
    pin, puk = walk.all(".copy")
    for button, name, term in ((pin, "pin", "PIN Bilgisi"), (puk, "puk", "PUK Bilgisi")):
        line = button.find_element(By.XPATH, "following-sibling::*[@role='status']")
        assert button.accessible_name == "Kopyala: " + term and line.text == ""
        button.click()
        WebDriverWait(chromium, 5).until(lambda d: line.text == "Kopyalandı")
        assert (
            chromium.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
            == subscriber.cards[0][name]
        )
    WebDriverWait(chromium, 8).until(lambda d: line.text == "")


def test_a_copy_that_fails_says_so(portal, start):
    walk, subscriber = start(), portal.new_subscriber()
    to_pin(walk, subscriber)
    walk.cdp(
        "Browser.setPermission",
        permission={"name": "clipboard-write", "allowWithoutGesture": False},
        setting="denied",
    )
    walk.find(".copy").click()
    WebDriverWait(walk.driver, 5).until(lambda d: "Kopyalanamadı" in walk.find(".copied").text)


def test_no_copy_button_without_script(portal, start):
    walk = start(False)
    to_pin(walk, portal.new_subscriber())
    assert walk.all(".copy") == []


@BOTH
def test_back_shows_no_digits(portal, start, javascript):
    walk, subscriber = start(javascript), portal.new_subscriber()
    to_pin(walk, subscriber)
    assert len(secrets_in(walk, subscriber)) == 2
    walk.press(".leave")
    walk.arrive("menu")
    walk.driver.back()
    walk.until("body")
    assert secrets_in(walk, subscriber) == []
    walk.driver.forward()
    walk.driver.back()
    assert secrets_in(walk, subscriber) == []


@BOTH
def test_back_shows_no_digits_after_a_link_elsewhere(portal, start, javascript):
    """Left by a link that is not ours to guard: the brand's, to the home page."""
    walk, subscriber = start(javascript), portal.new_subscriber()
    to_pin(walk, subscriber)
    walk.press(".brand")
    assert "/esign/" not in walk.driver.current_url
    walk.driver.back()
    WebDriverWait(walk.driver, 10).until(
        lambda d: "/esign/" in d.current_url or "chrome-error" in d.current_url
    )
    assert secrets_in(walk, subscriber) == []


@BOTH
def test_the_end_of_other_sessions_is_said(portal, start, javascript):
    walk = start(javascript)
    to_menu(walk, portal.new_subscriber())
    walk.follow("/activity")
    assert walk.all(".success") == []
    assert walk.find("form.aside button").text == "Diğer Oturumlarımı Sonlandır"
    walk.press("form.aside button")
    line = walk.find(".success")
    walk.arrive("activity")
    assert "sonlandırıldı" in line.text
    assert not javascript or walk.driver.switch_to.active_element == line


def test_a_code_that_the_phone_hands_over_is_written_and_not_sent(portal, start):
    """The test plays the phone: no SMS reaches this browser. The test is about what the page does
    with the code.
    """
    walk, subscriber = start(), portal.new_subscriber()
    walk.cdp(
        "Page.addScriptToEvaluateOnNewDocument",
        source="""
        window.OTPCredential = class {};
        navigator.credentials.get = asked => new Promise(give => {
            window.hand = code => give({ code });
            window.asked = asked;
        });""",
    )
    code = walk.to_code(subscriber)
    assert walk.js("return window.asked.otp.transport") == ["sms"]
    line = walk.find(".filled")
    assert line.get_attribute("role") == "status" and line.text == ""
    walk.js("window.hand(arguments[0])", code)
    WebDriverWait(walk.driver, 5).until(lambda d: line.text)
    assert walk.find("[name=code]").get_attribute("value") == code and "Gönder" in line.text
    focused = walk.driver.switch_to.active_element
    assert focused.text == "Gönder" and walk.driver.current_url == portal.url + "otp/code"
    focused.send_keys(Keys.ENTER)
    walk.arrive("menu")
