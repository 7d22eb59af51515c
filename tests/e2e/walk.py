# SPDX-License-Identifier: Apache-2.0
"""walk.py: a person with Chromium on the portal: pages, fields, presses; and every page and mistake
in turn.
"""

import base64
import contextlib
import json
import os
import re
import tempfile
import time

from selenium import webdriver
from selenium.common import exceptions
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import portal as parts
import sealed

SHOTS = os.environ.get("ESIGN_SCREENSHOTS")
NEW_WORD = "mavi dağ gölgesi"


def now():
    """As the database keeps time."""
    return int(time.time() * 1e6)


@contextlib.contextmanager
def chromium(language="tr-TR", width=1280):
    """A Chromium with a profile of its own, in a language and a width."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        for argument in (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--ignore-certificate-errors",
            "--hide-scrollbars",
            "--user-data-dir=" + profile,
            "--window-size=%d,1000" % width,
            "--accept-lang=" + language,
        ):
            options.add_argument(argument)
        # As Python's own requests have it, so that limits of an address count both.
        options.add_argument("--host-resolver-rules=MAP localhost 127.0.0.1")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        try:
            yield driver
        finally:
            driver.quit()


def fresh(driver, portal, language="tr", width=1280, scripts=True):
    """A walk in a new tab that replaces the one before. Of the browser's memory only the cache is
    left.
    """
    old = driver.current_window_handle
    driver.switch_to.new_window("tab")
    new = driver.current_window_handle
    driver.switch_to.window(old)
    driver.close()
    driver.switch_to.window(new)
    for log in ("browser", "performance"):
        driver.get_log(log)
    walk = Walk(driver, portal, language)
    walk.forget()
    walk.cdp("Browser.resetPermissions")
    walk.width(width)
    walk.scripts(scripts)
    return walk


class Walk:
    def __init__(self, driver, portal, language="tr"):
        self.driver, self.portal, self.language, self.count = driver, portal, language, 0
        self.cdp("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})

    # The browser as a person sets it

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def width(self, pixels, height=900):
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=pixels,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def media(self, scheme="light", forced=False, medium=""):
        """Colours as they are wanted, and at once, without passing through those between."""
        features = {
            "prefers-color-scheme": scheme,
            "forced-colors": "active" if forced else "none",
            "prefers-reduced-motion": "reduce",
        }
        self.cdp(
            "Emulation.setEmulatedMedia",
            media=medium,
            features=[{"name": name, "value": value} for name, value in features.items()],
        )

    def scripts(self, on):
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    def shoot(self, name, whole=True):
        """A picture of the page, when somebody asked for pictures."""
        if SHOTS:
            shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=whole)
            with open(os.path.join(SHOTS, name + ".png"), "wb") as file:
                file.write(base64.b64decode(shot["data"]))

    @contextlib.contextmanager
    def stalled(self, pattern):
        """A network on which these addresses do not answer."""
        self.cdp("Fetch.enable", patterns=[{"urlPattern": pattern}])
        yield
        self.cdp("Fetch.disable")

    # On a page

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, selector):
        """Waits for something on the page."""
        return WebDriverWait(self.driver, 30, 0.05).until(
            lambda d: d.find_elements(By.CSS_SELECTOR, selector)
        )[0]

    def complaints(self):
        """What the browser says of scripts, policies and addresses. A page that answers with a
        refusal is no complaint.
        """
        return [
            e["message"]
            for e in self.driver.get_log("browser")
            if e["level"] == "SEVERE" and not re.search("status of [45]", e["message"])
        ]

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def messages(self):
        """What the network has said since the last call."""
        return [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]

    def source(self):
        """The page's HTML as it came; None when none has come since the last call."""
        answers = [
            m["params"] for m in self.messages() if m["method"] == "Network.responseReceived"
        ]
        documents = [a["requestId"] for a in answers if a["type"] == "Document"]
        return (
            self.cdp("Network.getResponseBody", requestId=documents[-1])["body"]
            if documents
            else None
        )

    def open(self, path=""):
        self.driver.get(self.portal.url + path)

    def home(self, host="localhost"):
        self.driver.get(self.portal.url.replace("/esign/", "/").replace("localhost", host))

    def arrive(self, path):
        """Waits for a page; it is as wide as the window and in the person's language."""
        WebDriverWait(self.driver, 20).until(
            lambda d: d.current_url.split("?")[0].split("#")[0] == self.portal.url + path
        )
        width = self.js(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert width <= 0, "%s is wider than the window" % path
        assert self.js("return document.documentElement.lang") == self.language
        self.count += 1
        self.shoot(
            "%s-%02d-%s" % (self.language, self.count, path.replace("/", "-") or "start"),
            whole=False,
        )

    def type(self, name, text):
        self.driver.find_element(By.NAME, name).send_keys(text)

    def fill(self, **values):
        """All at once, as a password manager does."""
        for name, value in values.items():
            self.js("document.getElementsByName(arguments[0])[0].value = arguments[1]", name, value)

    @contextlib.contextmanager
    def leaving(self):
        """What is done in here leads to another document; afterwards that is there."""
        self.js("document.isLeft = true")
        yield
        there = "return !document.isLeft && document.readyState === 'complete'"
        WebDriverWait(self.driver, 30, 0.02, (exceptions.WebDriverException,)).until(
            lambda d: d.execute_script(there)
        )

    def press(self, selector="main form.fields button.primary"):
        with self.leaving():
            self.find(selector).click()

    def follow(self, part):
        with self.leaving():
            self.find("main a[href$='%s']" % part).click()

    def solution(self):
        return self.portal.answer(
            self.driver.find_element(By.NAME, "challenge").get_attribute("value")
        ).lower()

    def answer(self):
        self.type("answer", self.solution())

    def send(self, **values):
        """Fills the form in and sends it; `answer=True` solves the picture."""
        if values.get("answer") is True:
            values["answer"] = self.solution()
        self.fill(**values)
        self.press()

    def post(self, path, kind="application/x-www-form-urlencoded"):
        """A POST that no page of ours makes, from the page where the browser is."""
        with self.leaving():
            self.js(
                """const form = document.createElement('form');
                const input = document.createElement('input');
                form.method = 'post'; form.action = arguments[0]; form.enctype = arguments[1];
                input.name = 'x'; input.value = 'y';
                form.append(input); document.body.append(form); form.submit();""",
                self.portal.url + path,
                kind,
            )

    def link(self, subscriber):
        """Opens the link of a mail that was asked for through somebody's browser."""
        browser = self.portal.browser(self.language)
        self.open(browser.reset_link(subscriber))

    def to_code(self, subscriber):
        """To the page that asks for the code of the SMS, which is given back."""
        self.open("login")
        self.send(id=subscriber.id, answer=True, word=subscriber.word)
        self.press()
        return self.portal.wait_code(subscriber.phone)

    def sign_in(self, subscriber):
        self.send(code=self.to_code(subscriber))
        assert self.driver.current_url == self.portal.url + "menu"

    def forget(self):
        """A browser without cookies, in the walk's language."""
        self.cdp("Network.clearBrowserCookies")
        self.cdp("Network.setExtraHTTPHeaders", headers={"Accept-Language": self.language})

    def take_over(self, browser):
        """Goes on with the session of a `portal.Browser`."""
        self.forget()
        self.cdp(
            "Network.setCookie",
            name="__Host-esign",
            value=browser.session.cookies.get("__Host-esign"),
            url=self.portal.url,
            secure=True,
            httpOnly=True,
            path="/",
            sameSite="Lax",
        )


# Every page and every mistake. Each generator stops at each thing to look at, and says what it
# should be: the name of a page with the problems on it and, after a +, what else has happened to
# it.


def entrance(walk):
    walk.forget()
    walk.home()
    yield "home"
    walk.open()
    yield "start"
    walk.open("nowhere")
    yield "not-found"
    walk.open("logout")
    yield "method"
    walk.open("menu")
    yield "expired"
    walk.open("reset/cut-off")
    yield "link-dead"
    walk.home("127.0.0.1")
    walk.post("login")
    yield "cross-site"
    walk.home()
    walk.post("login", "text/plain")
    yield "invalid"
    walk.driver.get(walk.portal.plain_url)
    yield "insecure"


def login(walk):
    subscriber = walk.portal.new_subscriber(walk.language)
    walk.open("login")
    yield "login"
    walk.send()
    yield "login id-empty answer-empty word-empty"
    walk.send(id="12345678901", answer=True, word="bir sözcük daha")
    yield "login id-wrong"
    walk.send(id=subscriber.id, answer="yanlış", word="bir sözcük daha")
    yield "login answer-wrong"
    challenge, answer = walk.find("[name=challenge]").get_attribute("value"), walk.solution()
    walk.send(answer=answer, word="bir sözcük daha")
    yield "login credentials"
    walk.send(challenge=challenge, answer=answer, word=subscriber.word)
    yield "login answer-expired"
    walk.send(work="x", word=subscriber.word)
    yield "login work-wrong"
    walk.send(challenge="x", work="1", word=subscriber.word)
    yield "login work-expired"
    walk.open("login")
    walk.find(".work button").click()
    walk.until(".work.done")
    yield "login +done"


def login_by_work(walk):
    """Where the browser's work is the only alternative to a picture; then, while work.js does not
    arrive.
    """
    walk.open("login")
    walk.until(".work.done")
    yield "login +alone-done"
    with walk.stalled("*/work.js"):
        walk.open("login")
        yield "login +alone-running"
        walk.find("main button.primary").click()
        yield "login +alone-waiting"
        with walk.leaving():
            walk.js("document.querySelector('form.fields').submit()")
        yield "login id-empty work-empty word-empty +alone"
    walk.until(".work.done")


def reset(walk):
    subscriber = walk.portal.new_subscriber(walk.language)
    walk.open("reset")
    yield "reset"
    walk.send()
    yield "reset id-empty answer-empty"
    walk.send(id=subscriber.id, answer=True)
    yield "reset-sent"
    walk.link(subscriber)
    yield "reset-word"
    yield from new_word(walk, "reset-word")
    walk.js("document.getElementsByName('mark')[0].value = 'x'")
    walk.send(word=NEW_WORD, again=NEW_WORD)
    yield "other-tab"
    walk.find("main .primary").click()
    walk.send(word=NEW_WORD, again=NEW_WORD)
    yield "reset-done"


def new_word(walk, page):
    """What a new word must not be, on either page that asks for one."""
    for word, again, problem in (
        ("", "", "word-empty"),
        ("kısa", "kısa", "word-short"),
        ("ş" * 129, "ş" * 129, "word-long"),
        ("bir\x07sözcük", "x", "word-malformed"),
        ("password1234", "password1234", "word-common"),
        ("sınama kişisi 1", "x", "word-personal"),
        (NEW_WORD, "", "again-empty"),
        (NEW_WORD, NEW_WORD + "x", "again-differs"),
    ):
        walk.send(word=word, again=again)
        yield "%s %s" % (page, problem)


def confirm(walk):
    subscriber = walk.portal.new_subscriber(walk.language)
    walk.open("login")
    walk.send(id=subscriber.id, answer=True, word=subscriber.word)
    yield "otp"
    row, other = walk.portal.row(subscriber), walk.portal.browser()
    other.login(subscriber)
    other.confirm(subscriber)
    walk.press()
    yield "otp resend-early"
    parts.away_from_midnight()
    walk.portal.sql(
        "UPDATE subscriber SET sms_count = 5, sms_last = sms_last - 120000000 WHERE id = ?", row
    )
    walk.press()
    yield "otp sms-limit"
    walk.portal.sql("UPDATE subscriber SET sms_count = 1 WHERE id = ?", row)
    walk.press()
    yield "otp-code"
    code = walk.portal.wait_code(subscriber.phone, 1)
    wrong = "%06d" % ((int(code) + 1) % 10**6)
    walk.send()
    yield "otp-code code-empty"
    walk.send(code="12ab")
    yield "otp-code code-form"
    for problem in ("code-wrong", "code-wrong", "code-exhausted"):
        walk.send(code=wrong)
        yield "otp-code " + problem
    walk.portal.sql("UPDATE subscriber SET wait_until = ? WHERE id = ?", now() + 90_000_000, row)
    walk.send(code=wrong)
    yield "otp-code code-waiting"


def account(walk):
    subscriber = walk.portal.new_subscriber(walk.language)
    walk.sign_in(subscriber)
    yield "menu"
    walk.follow("/activity")
    yield "activity"
    walk.press("form.aside button")
    assert walk.find(".success").text
    yield "activity +ended"
    walk.open("word")
    yield "word"
    yield from new_word(walk, "word")
    sealed.age(walk.portal, walk.driver.get_cookie("__Host-esign")["value"], worded=301)
    walk.open("word")
    yield "word +current"
    for current in ("", "yanlış bir sözcük"):
        walk.send(current=current, word=NEW_WORD, again=NEW_WORD)
        yield "word current-" + ("wrong" if current else "empty")
    walk.open("pin")
    yield "pin-ask"
    walk.press()
    yield "pin"
    walk.find("summary").click()
    yield "pin +open"
    walk.cdp(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    for button in walk.all(".copy"):
        button.click()
    WebDriverWait(walk.driver, 5, 0.02).until(
        lambda d: all(line.text for line in walk.all(".copied"))
    )
    yield "pin +copied"
    walk.forget()


def everything(walk):
    for part in (entrance, login, reset, confirm, account):
        yield from part(walk)
