# SPDX-License-Identifier: Apache-2.0
"""test_browser.py: from the forgotten word to the PIN in Chromium, by mouse and by keyboard alone;
the first load; printing.
"""

import base64
import os
import re

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import portal as parts
import walk as walking


@pytest.fixture(params=[("tr-TR", 390), ("en-GB", 1280)], ids=["tr-phone", "en-desktop"])
def walk(request, portal):
    language, width = request.param
    with walking.chromium(language, width) as driver:
        yield walking.Walk(driver, portal, language[:2])


@pytest.fixture
def turkish(chromium, portal):
    return walking.fresh(chromium, portal)


def test_walk(portal, walk):
    subscriber = portal.new_subscriber(walk.language)
    walk.home()
    walk.press("a[href='/esign/']")
    walk.arrive("")
    walk.follow("/login")
    walk.arrive("login")
    walk.follow("/reset")
    walk.arrive("reset")
    walk.type("id", "12345678901")
    walk.answer()
    walk.press()
    walk.arrive("reset")
    field = walk.find("[name=id]")
    assert field.get_attribute("aria-invalid") == "true"
    field.clear()
    field.send_keys(subscriber.id)
    walk.press()
    walk.arrive("reset/sent")
    text = portal.wait_mail(subscriber.email).get_body(("plain",)).get_content()
    walk.driver.get(re.search(r"https://\S+/reset/\S+", text).group(0))
    walk.arrive("reset/word")
    walk.type("word", walking.NEW_WORD)
    walk.type("again", walking.NEW_WORD)
    walk.press()
    walk.arrive("reset/done")
    walk.open("login")
    walk.arrive("login")
    walk.type("id", subscriber.id)
    walk.answer()
    walk.type("word", walking.NEW_WORD)
    walk.press()
    walk.arrive("otp")
    walk.press()
    walk.arrive("otp/code")
    walk.type("code", portal.wait_code(subscriber.phone))
    walk.press()
    walk.arrive("menu")
    walk.follow("/activity")
    walk.arrive("activity")
    walk.open("menu")
    walk.follow("/pin")
    walk.arrive("pin")
    walk.press()
    walk.until(".pin")
    walk.arrive("pin")
    assert subscriber.cards[0]["pin"] in walk.find(".pin").text.replace(" ", "").replace("\n", "")
    assert walk.complaints() == []


# By keyboard alone

# The element that has the focus: its tag, whether it has a visible ring of at least 2 pixels, and
# where it is.
FOCUSED = """
const box = document.activeElement, r = box.getBoundingClientRect();
const ring = [null, '::after'].some(part => {
    const style = getComputedStyle(box, part);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
});
return {matches: box.matches(arguments[0]), tag: box.tagName,
        text: box.textContent.trim() || box.name, ring: ring,
        top: r.top + scrollY, bottom: r.bottom + scrollY,
        seen: r.width > 0 && r.bottom > 0 && r.top < innerHeight};
"""


class Keyboard:
    def __init__(self, walk):
        self.walk = walk

    def keys(self, *keys):
        ActionChains(self.walk.driver).send_keys(*keys).perform()

    def go_on(self, *keys):
        """A key that leads to another page."""
        with self.walk.leaving():
            self.keys(*keys)

    def back(self):
        ActionChains(self.walk.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(
            Keys.SHIFT
        ).perform()

    def focused(self, selector="*"):
        return self.walk.js(FOCUSED, selector)

    def tab_to(self, selector):
        """Presses Tab until there. Each stop on the way is visible, and none lies above the one
        before.
        """
        before = None
        for _ in range(40):
            self.keys(Keys.TAB)
            now = self.focused(selector)
            assert now["ring"] and now["seen"], now
            assert before is None or now["bottom"] > before["top"], (before, now)
            if now["matches"]:
                return
            before = now
        raise AssertionError("Tab does not lead to " + selector)


def test_keyboard_alone_from_the_start_to_the_pin(portal, turkish):
    walk, keyboard, subscriber = turkish, Keyboard(turkish), portal.new_subscriber()
    walk.open()
    keyboard.tab_to(".skip")
    assert walk.find(".skip").rect["y"] >= 0
    keyboard.keys(Keys.ENTER)
    assert keyboard.focused("main")["matches"]
    keyboard.tab_to("main a[href$='/login']")
    keyboard.go_on(Keys.ENTER)
    walk.arrive("login")

    # An empty form: the cursor is in the first field, and a link of the summary leads to another.
    keyboard.tab_to("main button.primary")
    keyboard.go_on(Keys.SPACE)
    assert keyboard.focused("[name=id]")["matches"]
    for _ in range(10):
        keyboard.back()
        if keyboard.focused(".summary a[href='#answer']")["matches"]:
            break
    keyboard.keys(Keys.ENTER)
    assert keyboard.focused("[name=answer]")["matches"]

    walk.open("login")
    keyboard.tab_to("[name=id]")
    keyboard.keys(subscriber.id)
    keyboard.tab_to("[name=answer]")
    keyboard.keys(walk.solution())
    keyboard.tab_to("[name=word]")
    keyboard.keys(subscriber.word)
    keyboard.tab_to(".reveal")
    word = walk.find("[name=word]")
    for shown in ("text", "password"):
        keyboard.keys(Keys.SPACE)
        assert (
            word.get_attribute("type") == shown and word.get_attribute("value") == subscriber.word
        )
    keyboard.back()
    assert keyboard.focused("[name=word]")["matches"]
    keyboard.go_on(Keys.ENTER)
    walk.arrive("otp")
    keyboard.tab_to("main button.primary")
    keyboard.go_on(Keys.SPACE)
    walk.arrive("otp/code")
    keyboard.tab_to("[name=code]")
    keyboard.keys(portal.wait_code(subscriber.phone))
    keyboard.go_on(Keys.ENTER)
    walk.arrive("menu")
    keyboard.tab_to("main a[href$='/pin']")
    keyboard.go_on(Keys.ENTER)
    walk.arrive("pin")
    keyboard.tab_to("main button.primary")
    keyboard.go_on(Keys.ENTER)
    digits = {name: walk.find("." + name) for name in ("pin", "puk")}
    assert re.sub(r"\s", "", digits["pin"].text) == subscriber.cards[0]["pin"]
    keyboard.tab_to("summary")
    keyboard.keys(Keys.ENTER)
    assert re.sub(r"\s", "", digits["puk"].text) == subscriber.cards[0]["puk"]
    keyboard.tab_to("main a[href$='/menu']")
    keyboard.go_on(Keys.ENTER)
    walk.arrive("menu")
    assert walk.all(".pin") == []


# The first load of the sign-in page

SHIFTS = """
const done = arguments[0];
new PerformanceObserver(list => done(list.getEntries().map(e => e.value)))
    .observe({type: 'layout-shift', buffered: true});
setTimeout(() => done([]), 700);
"""


def asked(walk, messages):
    """The addresses of the portal; a browser's own controls have pictures of data: of their own."""
    urls = [
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
    ]
    return [url[len(walk.portal.url) :] for url in urls if not url.startswith("data:")]


def test_first_load_of_the_sign_in_page(walk):
    walk.driver.get("about:blank")
    walk.messages()
    walk.open("login")
    assert walk.driver.execute_async_script(SHIFTS) == []
    messages = walk.messages()
    urls = asked(walk, messages)
    assert urls[0] == "login" and sorted(re.sub(r".*[.]", "", url) for url in urls[1:]) == [
        "css",
        "js",
        "png",
    ], urls
    assert (
        sum(
            m["params"]["encodedDataLength"]
            for m in messages
            if m["method"] == "Network.loadingFinished"
        )
        < 60 * 1024
    )
    # The tab's icon, which the browser fetches by itself, waits for a first move.
    walk.type("id", "1")
    late = []
    WebDriverWait(walk.driver, 10).until(
        lambda d: late.extend(asked(walk, walk.messages())) or late
    )
    assert late == ["static/favicon.svg"]
    assert [e for e in walk.driver.get_log("browser") if walk.portal.url in e["message"]] == []


def test_style_sheet_is_small():
    assert os.path.getsize(os.path.join(parts.TOP, "htdocs", "static", "esign.css")) < 20 * 1024


# Print


def print_pages(walk):
    pdf = base64.b64decode(
        walk.cdp("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"]
    )
    sizes = {
        tuple(round(float(n)) for n in box.split())
        for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", pdf)
    }
    return len(re.findall(rb"/Type\s*/Page\b", pdf)), sizes


@pytest.mark.parametrize("language", ["tr", "en"])
def test_application_form_is_one_sheet_of_a4(portal, turkish, tmp_path, language):
    """The longest content: a word of 128 wide letters, a long name and address."""
    word = tmp_path / "word"
    word.write_text(("ŞĞÜİÖÇMW " * 15)[:127] + "x")
    html = portal.ctl(
        "form",
        parts.tckn(),
        "--name",
        "Abdurrahman Şükrü Muhammed Çağlayangil Büyükkaraağaçoğlu Hacıkerimoğulları",
        "--email",
        "a" * 60 + "@" + "b" * 50 + ".example.org",
        "--phone",
        "+905551234567",
        "--language",
        language,
        "--word-file",
        str(word),
    )
    sheet = tmp_path / "form.html"
    sheet.write_text(html, encoding="utf-8")
    turkish.driver.get(sheet.as_uri())
    assert print_pages(turkish) == (1, {(0, 0, 595, 842)})


def test_pin_page_prints_without_digits(portal, turkish):
    walk, subscriber = turkish, portal.new_subscriber()
    walk.sign_in(subscriber)
    walk.open("pin")
    walk.press()
    walk.find("summary").click()
    digits = subscriber.cards[0]["pin"], subscriber.cards[0]["puk"]

    def shown():
        return re.sub(r"\s", "", walk.js("return document.body.innerText"))

    assert all(one in shown() for one in digits)
    walk.media(medium="print")
    assert (
        not any(one in shown() for one in digits) and subscriber.cards[0]["serial"] not in shown()
    )
    assert walk.find(".withheld").is_displayed() and print_pages(walk)[0] == 1
