# SPDX-License-Identifier: Apache-2.0
"""test_browser.py: one walk from the forgotten word to the PIN in Chromium, in Turkish and at a phone's width."""

import os
import tempfile

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SHOTS = os.environ.get("ESIGN_SCREENSHOTS")


@pytest.fixture(params=[("tr-TR", 390), ("en-GB", 1280)], ids=["tr-phone", "en-desktop"])
def chromium(request):
    language, width = request.param
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                         "--disable-component-update", "--disable-sync", "--ignore-certificate-errors", "--hide-scrollbars",
                         "--user-data-dir=" + profile, "--window-size=%d,1000" % width, "--accept-lang=" + language):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        driver.esign_language = language[:2]
        yield driver
        driver.quit()


class Walk:
    def __init__(self, driver, portal):
        self.driver, self.portal, self.count = driver, portal, 0

    def arrive(self, path):
        WebDriverWait(self.driver, 20).until(lambda d: d.current_url.split("?")[0] == self.portal.url + path)
        width = self.driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, "%s is wider than the window" % path
        assert self.driver.execute_script("return document.documentElement.lang") == self.driver.esign_language
        if SHOTS:
            self.count += 1
            self.driver.save_screenshot(os.path.join(SHOTS, "%s-%02d-%s.png" % (self.driver.esign_language, self.count, path.replace("/", "-") or "start")))

    def type(self, name, text):
        self.driver.find_element(By.NAME, name).send_keys(text)

    def press(self):
        self.driver.find_element(By.CSS_SELECTOR, "main button.primary").click()

    def answer(self):
        self.type("answer", self.portal.answer(self.driver.find_element(By.NAME, "challenge").get_attribute("value")).lower())

    def follow(self, part):
        self.driver.find_element(By.CSS_SELECTOR, "main a[href$='%s']" % part).click()


def test_walk(portal, chromium):
    subscriber = portal.new_subscriber(chromium.esign_language)
    walk = Walk(chromium, portal)
    chromium.get(portal.url.replace("/esign/", "/"))
    chromium.find_element(By.CSS_SELECTOR, "a[href='/esign/']").click()
    walk.arrive("")
    walk.follow("/login")
    walk.arrive("login")
    walk.follow("/reset")
    walk.arrive("reset")
    walk.type("id", "12345678901")
    walk.answer()
    walk.press()
    walk.arrive("reset")
    field = chromium.find_element(By.NAME, "id")
    assert field.get_attribute("aria-invalid") == "true"
    field.clear()
    field.send_keys(subscriber.id)
    walk.press()
    walk.arrive("reset/sent")
    import re
    text = portal.wait_mail(subscriber.email).get_body(("plain",)).get_content()
    chromium.get(re.search(r"https://\S+/reset/\S+", text).group(0))
    walk.arrive("reset/word")
    word = "mavi dağ gölgesi"
    walk.type("word", word)
    walk.type("again", word)
    walk.press()
    walk.arrive("reset/done")
    chromium.get(portal.url + "login")
    walk.arrive("login")
    walk.type("id", subscriber.id)
    walk.answer()
    walk.type("word", word)
    walk.press()
    walk.arrive("otp")
    walk.press()
    walk.arrive("otp/code")
    walk.type("code", portal.wait_code(subscriber.phone))
    walk.press()
    walk.arrive("menu")
    walk.follow("/activity")
    walk.arrive("activity")
    chromium.get(portal.url + "menu")
    walk.follow("/pin")
    walk.arrive("pin")
    walk.press()
    WebDriverWait(chromium, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".pin"))
    walk.arrive("pin")
    assert subscriber.cards[0]["pin"] in chromium.find_element(By.CSS_SELECTOR, ".pin").text.replace(" ", "").replace("\n", "")
    serious = [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE" and "422" not in entry["message"]]
    assert serious == []
