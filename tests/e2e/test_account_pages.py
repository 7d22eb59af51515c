# SPDX-License-Identifier: Apache-2.0
"""test_account_pages.py: in Chromium: the PUK behind its press, copying, nothing of a PIN left behind, other sessions ended; the code that a phone hands over."""

import tempfile

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait


@pytest.fixture
def start():
    """Starts Chromium, with JavaScript or without."""
    made = []

    def make(javascript=True, dark=False, width=1000):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = Options()
        for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                         "--disable-component-update", "--disable-sync", "--ignore-certificate-errors", "--hide-scrollbars",
                         "--user-data-dir=" + folder.name, "--window-size=%d,1000" % width, "--accept-lang=tr-TR"):
            options.add_argument(argument)
        preferences = {"intl.accept_languages": "tr-TR"}
        if not javascript:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        made.append((webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options), folder))
        driver = made[-1][0]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
        return driver

    yield make
    for driver, folder in made:
        driver.quit()
        folder.cleanup()


def arrive(driver, portal, path):
    WebDriverWait(driver, 20).until(lambda d: d.current_url == portal.url + path)


def press(driver):
    driver.find_element(By.CSS_SELECTOR, "main button.primary").click()


def to_code_page(driver, portal, subscriber):
    driver.get(portal.url + "login")
    driver.find_element(By.NAME, "id").send_keys(subscriber.id)
    challenge = driver.find_element(By.NAME, "challenge").get_attribute("value")
    driver.find_element(By.NAME, "answer").send_keys(portal.answer(challenge))
    driver.find_element(By.NAME, "word").send_keys(subscriber.word)
    press(driver)
    arrive(driver, portal, "otp")
    press(driver)
    arrive(driver, portal, "otp/code")
    return portal.wait_code(subscriber.phone)


def sign_in(driver, portal, subscriber):
    code = to_code_page(driver, portal, subscriber)
    driver.find_element(By.NAME, "code").send_keys(code)
    press(driver)
    arrive(driver, portal, "menu")


def to_pin(driver, portal, subscriber):
    sign_in(driver, portal, subscriber)
    driver.find_element(By.CSS_SELECTOR, "main a[href$='/pin']").click()
    arrive(driver, portal, "pin")
    press(driver)
    WebDriverWait(driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".pin"))


def digits(element):
    return "".join(element.text.split())


def visible(element):
    """Selenium's own judgement knows nothing of a shut <details>."""
    return element.parent.execute_script("return arguments[0].checkVisibility()", element)


def secrets_in(driver, subscriber):
    """Which of the card's secrets the page holds, shown or not."""
    source = driver.page_source
    text = "".join(c for c in source if c.isdigit() or c.isalpha())
    text = text.replace("spanspan", "")
    return [s for s in (subscriber.cards[0]["pin"], subscriber.cards[0]["puk"]) if s in text]


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_the_puk_stands_behind_its_own_press(portal, start, javascript):
    driver, subscriber = start(javascript), portal.new_subscriber()
    to_pin(driver, portal, subscriber)
    card = subscriber.cards[0]
    assert sorted(secrets_in(driver, subscriber)) == sorted([card["pin"], card["puk"]])
    puk, warning = (driver.find_element(By.CSS_SELECTOR, "details " + one) for one in (".puk", ".warning"))
    summary = driver.find_element(By.CSS_SELECTOR, "summary")
    assert digits(driver.find_element(By.CSS_SELECTOR, ".pin")) == card["pin"]
    assert not visible(puk) and not visible(warning) and summary.text == "PUK Bilgisini Göster"
    summary.send_keys(Keys.ENTER)
    assert digits(puk) == card["puk"] and visible(warning) and "üç kez" in warning.text and summary.text == "PUK Bilgisini Gizle"
    summary.send_keys(Keys.SPACE)
    assert not visible(puk)


def test_copying_takes_the_plain_digits_and_says_so(portal, start):
    driver, subscriber = start(), portal.new_subscriber()
    driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    to_pin(driver, portal, subscriber)
    driver.find_element(By.CSS_SELECTOR, "summary").click()
    pin, puk = driver.find_elements(By.CSS_SELECTOR, ".copy")
    for button, name, term in ((pin, "pin", "PIN Bilgisi"), (puk, "puk", "PUK Bilgisi")):
        line = button.find_element(By.XPATH, "following-sibling::*[@role='status']")
        assert button.accessible_name == "Kopyala: " + term and line.text == ""
        button.click()
        WebDriverWait(driver, 5).until(lambda d: line.text == "Kopyalandı")
        assert driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == subscriber.cards[0][name]
    WebDriverWait(driver, 8).until(lambda d: line.text == "")


def test_a_copy_that_fails_says_so(portal, start):
    driver, subscriber = start(), portal.new_subscriber()
    to_pin(driver, portal, subscriber)
    driver.execute_cdp_cmd("Browser.setPermission", {"permission": {"name": "clipboard-write", "allowWithoutGesture": False}, "setting": "denied"})
    driver.find_element(By.CSS_SELECTOR, ".copy").click()
    WebDriverWait(driver, 5).until(lambda d: "Kopyalanamadı" in d.find_element(By.CSS_SELECTOR, ".copied").text)


def test_no_copy_button_without_script(portal, start):
    driver = start(False)
    to_pin(driver, portal, portal.new_subscriber())
    assert driver.find_elements(By.CSS_SELECTOR, ".copy") == []


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_back_shows_no_digits(portal, start, javascript):
    driver, subscriber = start(javascript), portal.new_subscriber()
    to_pin(driver, portal, subscriber)
    assert len(secrets_in(driver, subscriber)) == 2
    driver.find_element(By.CSS_SELECTOR, ".leave").click()
    arrive(driver, portal, "menu")
    driver.back()
    WebDriverWait(driver, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, "body"))
    assert secrets_in(driver, subscriber) == []
    driver.forward()
    driver.back()
    assert secrets_in(driver, subscriber) == []


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_back_shows_no_digits_after_a_link_elsewhere(portal, start, javascript):
    """Left by a link that is not ours to guard: the brand's, to the home page."""
    driver, subscriber = start(javascript), portal.new_subscriber()
    to_pin(driver, portal, subscriber)
    driver.find_element(By.CSS_SELECTOR, ".brand").click()
    WebDriverWait(driver, 10).until(lambda d: "/esign/" not in d.current_url)
    driver.back()
    WebDriverWait(driver, 10).until(lambda d: "/esign/" in d.current_url or "chrome-error" in d.current_url)
    assert secrets_in(driver, subscriber) == []


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_the_end_of_other_sessions_is_said(portal, start, javascript):
    driver = start(javascript)
    sign_in(driver, portal, portal.new_subscriber())
    driver.find_element(By.CSS_SELECTOR, "main a[href$='/activity']").click()
    arrive(driver, portal, "activity")
    assert driver.find_elements(By.CSS_SELECTOR, ".success") == []
    driver.find_element(By.XPATH, "//main//button[text()='Diğer Oturumlarımı Sonlandır']").click()
    line = WebDriverWait(driver, 10).until(lambda d: d.find_element(By.CSS_SELECTOR, ".success"))
    assert driver.current_url == portal.url + "activity" and "sonlandırıldı" in line.text
    assert not javascript or driver.switch_to.active_element == line


def test_a_code_that_the_phone_hands_over_is_written_and_not_sent(portal, start):
    """The phone's part is played: no SMS reaches this browser. What counts is what the page does with the code."""
    driver, subscriber = start(), portal.new_subscriber()
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        window.OTPCredential = class {};
        navigator.credentials.get = asked => new Promise(give => { window.hand = code => give({ code }); window.asked = asked; });"""})
    code = to_code_page(driver, portal, subscriber)
    assert driver.execute_script("return window.asked.otp.transport") == ["sms"]
    line = driver.find_element(By.CSS_SELECTOR, ".filled")
    assert line.get_attribute("role") == "status" and line.text == ""
    driver.execute_script("window.hand(arguments[0])", code)
    WebDriverWait(driver, 5).until(lambda d: line.text)
    assert driver.find_element(By.NAME, "code").get_attribute("value") == code and "Gönder" in line.text
    assert driver.switch_to.active_element.text == "Gönder" and driver.current_url == portal.url + "otp/code"
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    arrive(driver, portal, "menu")
