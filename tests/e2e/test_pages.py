# SPDX-License-Identifier: Apache-2.0
"""test_pages.py: every page and every mistake, with axe-core, an HTML validator, and a look for
what is cut off.

Both languages, both colour schemes and all widths are looked at, and the way to the PIN without
JavaScript.
"""

import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from lxml import etree
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import portal as parts
import test_messages
import walk as walking

NPM = os.path.join(parts.TOP, "build", "npm", "node_modules")
CONF = """
EsignCertificateURL https://kart.example.org/
EsignMenuLink "Sorular" https://www.example.org/sorular
EsignCodeLife 60
EsignPINShown 12
EsignAddressFailures 40
EsignAddressRequests 40
EsignHashSlots 1
EsignHashQueue 1
EsignHashMemory 65536
EsignHashPasses 8
EsignWorkNumber 10000
# Each child has places for hashes of its own.
StartServers 1
Listen 127.0.0.1:%d
<VirtualHost 127.0.0.1:%d>
    ServerName localhost
    SSLEngine off
</VirtualHost>
"""
# In other colours of the same page only the rules on colours can find something new.
AXE = """
const [without, again, done] = arguments, rules = {'target-size': {enabled: true}};
without.forEach(name => rules[name] = {enabled: false});
const which = again ? {runOnly: ['color-contrast', 'link-in-text-block']} : {rules: rules};
axe.run(document, {preload: false, resultTypes: ['violations'], ...which})
    .then(found => done(found.violations.flatMap(v => v.nodes.map(n =>
              v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary))),
          error => done(['axe: ' + error]));
"""
# The least spacing that a reader may set (WCAG 2.2, 1.4.12).
SPACING = """
const sheet = new CSSStyleSheet();
sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; ' +
    'word-spacing: .16em !important; } p { margin-bottom: 2em !important; }');
document.adoptedStyleSheets = arguments[0] ? [sheet] : [];
"""
# What is lost on the page as it is now: it lies outside the window, is cut off by its box, or is
# covered by other text.
LOST = """
const lost = [], wide = document.documentElement.clientWidth, seen = [];
const name = node => node.id ? '#' + node.id
    : node.tagName.toLowerCase() + (node.className ? '.' + node.className : '');
const page = document.documentElement.scrollWidth;
if (page > wide) lost.push('the page is ' + page + ' wide');
for (const box of document.querySelectorAll('body *')) {
    const style = getComputedStyle(box);
    if (box.closest('.unseen, .skip, svg') || style.display === 'inline' ||
        !box.checkVisibility()) continue;
    const over = box.clientWidth && (box.scrollWidth > box.clientWidth + 1 ||
                                     box.scrollHeight > box.clientHeight + 1);
    const cut = style.overflow !== 'visible' || box.matches('button, .button, input, td, th, dd');
    if (over && cut) lost.push(name(box) + ' is too small');
}
for (const button of document.querySelectorAll('.reveal')) {
    const padding = getComputedStyle(button.previousElementSibling).paddingInlineEnd;
    if (parseFloat(padding) < button.offsetWidth) lost.push('a word runs under its button');
}
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
    const node = texts.currentNode, range = document.createRange(), box = node.parentElement;
    if (!node.data.trim() || box.closest('.unseen, .skip, noscript, script, style') ||
        !box.checkVisibility()) continue;
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) {
        if (r.width === 0) continue;
        if (r.left < -1 || r.right > wide + 1) lost.push('outside: ' + node.data);
        for (const [other, o] of seen)
            if (Math.min(r.right, o.right) - Math.max(r.left, o.left) > 2 &&
                Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top) > 4)
                lost.push('"' + node.data.trim() + '" lies over "' + other.data.trim() + '"');
        seen.push([node, r]);
    }
}
return lost;
"""


CATALOGUES = {language: test_messages.catalogue(language) for language in ("tr", "en")}


def fits(text, told):
    """Whether that is what was told, with anything in its places."""
    return re.fullmatch(".+".join(map(re.escape, re.split(r"\{\d\}", text))), told) is not None


class Survey:
    """What was found on the way: by kind of finding, each with the page where it was."""

    def __init__(self, folder):
        self.folder, self.names, self.found = (
            folder,
            set(),
            {"words": [], "axe": [], "lost": [], "errors": []},
        )

    def prepare(self, walk):
        with open(os.path.join(NPM, "axe-core", "axe.min.js"), encoding="utf-8") as file:
            walk.cdp("Page.addScriptToEvaluateOnNewDocument", source=file.read())

    def note(self, kind, where, what):
        self.found[kind] += ["%s: %s" % (where, one) for one in what]

    def nothing(self, kind):
        assert not self.found[kind], "%d found:\n%s" % (
            len(self.found[kind]),
            "\n".join(self.found[kind][:50]),
        )

    def file(self, where):
        return os.path.join(self.folder, where.replace(" ", "-") + ".html")

    def keep(self, where, html):
        with open(self.file(where), "w", encoding="utf-8") as file:
            file.write(html)

    def look(self, walk, name):
        where, page, *more = "%s %s" % (walk.language, name), *name.split()
        self.names.update(name.split())
        html = walk.source()
        assert html or "+" in name
        if html:
            self.keep(where, html)
        if name != "home":
            self.look_at_words(walk, where, page, [one for one in more if not one.startswith("+")])
        self.look_at_colours(walk, where)
        self.look_at_widths(walk, where)

    def look_at_words(self, walk, where, page, problems):
        """It is the page that it should be, and its list of mistakes says these in this order."""
        title, heading, name, language, told = walk.js(
            """return [document.title, document.querySelector('h1').textContent,
            document.body.className, document.documentElement.lang,
            [...document.querySelectorAll('.summary li')].map(item => item.innerText)]"""
        )
        texts = CATALOGUES[walk.language]
        begins = (texts["title.problem"].replace("{1}", heading) if problems else heading) + " – "
        self.note(
            "words",
            where,
            []
            if (name, language) == ("page-" + page, walk.language)
            else ["it is %s in %s" % (name, language)],
        )
        self.note("words", where, [] if title.startswith(begins) else ["its title is " + title])
        asked = [
            [texts.get(key + ending, "") for ending in ("", ".one")]
            for key in ("problem." + problem for problem in problems)
        ]
        said = len(told) == len(asked) and all(
            any(text and fits(text, one) for text in both) for one, both in zip(told, asked)
        )
        self.note("words", where, [] if said else ["it says %s" % told])

    def look_at_all(self, walk, names):
        walk.forget()
        for name in names:
            self.look(walk, name)

    def look_at_papers(self, walk, papers):
        """HTML from files that is no page. A mail is shown within its reader's page, which has the
        landmarks and headings.
        """
        for where, html in papers.items():
            self.keep(where, html)
            walk.driver.get("file://" + self.file(where))
            self.look_at_colours(
                walk,
                where,
                ["region", "landmark-one-main", "page-has-heading-one"]
                if " mail " in where
                else [],
            )
            self.look_at_widths(walk, where)

    def look_at_colours(self, walk, where, without=()):
        for scheme in ("dark", "light"):
            walk.media(scheme)
            self.note(
                "axe",
                where + " " + scheme,
                walk.driver.execute_async_script(AXE, without, scheme == "dark"),
            )
            walk.shoot("%s %s 1280" % (where, scheme))
        if walking.SHOTS:
            walk.media(forced=True)
            walk.shoot(where + " forced 1280")
            walk.media("light")

    def look_at_widths(self, walk, where):
        for width in (1440, 768, 320):
            walk.width(width)
            self.note("lost", "%s at %d" % (where, width), walk.js(LOST))
            walk.shoot("%s light %d" % (where, width))
        # 1280 pixels at 400 % are 320.
        self.note("lost", where + " spaced", walk.js(SPACING + LOST, True))
        walk.shoot(where + " spaced 320")
        walk.js(SPACING, False)
        walk.width(1280)


def late(walk):
    """What only time brings: these sessions asked for their codes more than a minute ago."""
    browser, code = walk.portal.waiting[walk.language]
    walk.take_over(browser)
    walk.open("otp/code")
    yield "otp-code"
    walk.send(code=code)
    yield "otp-code code-expired"


def listening(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def signing_in(portal, language):
    browser, subscriber = portal.browser(language), portal.new_subscriber(language)
    assert browser.login(subscriber).status == 303
    return browser, browser.confirm(subscriber)


def broken(walks, sessions):
    """memcached is gone, and does not come back; after this the portal is of no more use."""
    portal = walks[0].portal
    with open(portal.env["MEMCACHED_PID"]) as file:
        os.kill(int(file.read()), signal.SIGKILL)
    assert portal.wait(lambda: not listening(portal.env["MEMCACHED"]))
    for walk in walks:
        walk.take_over(sessions[walk.language][0])
        walk.open("menu")
        yield walk, "unavailable"


def busy(walk):
    """Two slow sign-ins hold the one place for a hash and the one in the queue."""
    subscriber = walk.portal.new_subscriber(walk.language)
    browsers = [walk.portal.browser() for _ in range(6)]
    fields = [b.login_fields(subscriber, "yanlış bir sözcük") for b in browsers]
    walk.open("login")
    walk.fill(id=subscriber.id, answer=walk.solution(), word=subscriber.word)
    refused = threading.Event()

    def sign_in(browser, values):
        if browser.post("login", values).status == 503:
            refused.set()

    threads = [threading.Thread(target=sign_in, args=one) for one in zip(browsers, fields)]
    for thread in threads:
        thread.start()
    assert refused.wait(20)
    walk.press()
    for thread in threads:
        thread.join()
    yield "busy"


def limits(walk):
    """Too many wrong pictures from this address, which is Chromium's too."""
    browser = walk.portal.browser()
    for page in ("login", "reset"):
        answer = None
        while answer is None or answer.status == 422:
            answer = browser.post(
                page, {"id": "x", "challenge": browser.get(page).challenge(), "answer": "WRONG"}
            )
        assert answer.problems() == [(None, "too-many")]
        walk.open(page)
        walk.send()
        yield page + " too-many"


def papers(portal):
    """The HTML that is no page: mails and the application form, as files."""
    made = []
    for language in ("tr", "en"):
        for path in portal.files("mail"):
            with open(path, "rb") as file:
                message = parts.email.message_from_binary_file(
                    file, policy=parts.email.policy.default
                )
            html = message.get_body(("html",)).get_content()
            kind = re.sub(r"\W+", "-", message["Subject"])
            if 'lang="%s"' % language in html:
                made.append(("%s mail %s" % (language, kind), html))
        n = portal.new_subscriber(language)
        form = portal.ctl(
            "form",
            parts.tckn(),
            "--name",
            "Şükriye İğdır Çağlayangil",
            "--email",
            n.email,
            "--phone",
            n.phone,
            "--language",
            language,
        )
        made.append((language + " form", form))
    return dict(made)


@pytest.fixture(scope="module")
def ground(make_portal, tmp_path_factory):
    """A portal with small limits. Codes expire in its sessions while other things are looked at."""
    plain = parts.free_port()
    include = tmp_path_factory.mktemp("ground") / "more.conf"
    include.write_text(CONF % (plain, plain))
    portal = make_portal("--include", str(include))
    portal.plain_url = "http://127.0.0.1:%d/esign/" % plain
    portal.waiting, portal.asked = {
        language: signing_in(portal, language) for language in ("tr", "en")
    }, time.time()
    yield portal
    portal.stop()


@pytest.fixture(scope="module")
def work_alone(make_portal, tmp_path_factory):
    """A portal that knows no way around a picture but the browser's work."""
    include = tmp_path_factory.mktemp("work") / "more.conf"
    include.write_text("EsignChallenge work\nEsignWorkNumber 10000\n")
    portal = make_portal("--include", str(include))
    yield portal
    portal.stop()


@pytest.fixture(scope="module")
def survey(ground, work_alone, tmp_path_factory):
    """Looks at both languages at once, each in a browser of its own, as far as the portal has room
    for both.
    """
    survey = Survey(str(tmp_path_factory.mktemp("pages")))
    pool = concurrent.futures.ThreadPoolExecutor(2)
    with walking.chromium() as first, walking.chromium() as second, pool:
        walks = [
            walking.Walk(driver, ground, language)
            for driver, language in ((first, "tr"), (second, "en"))
        ]

        def both(part):
            list(pool.map(lambda walk: survey.look_at_all(walk, part(walk)), walks))

        for walk in walks:
            survey.prepare(walk)
        both(walking.everything)
        for walk in walks:
            walk.portal = work_alone
        both(walking.login_by_work)
        for walk in walks:
            walk.portal = ground
        made = papers(ground)
        list(
            pool.map(
                lambda walk: survey.look_at_papers(
                    walk,
                    {
                        where: html
                        for where, html in made.items()
                        if where.startswith(walk.language)
                    },
                ),
                walks,
            )
        )
        time.sleep(max(0, ground.asked + 61 - time.time()))
        both(late)
        for walk in walks:
            survey.look_at_all(walk, busy(walk))
        both(limits)
        for walk in walks:
            survey.note("errors", walk.language, walk.complaints())
        for walk, name in broken(walks, ground.waiting):
            survey.look(walk, name)
    return survey


def test_without_javascript_from_the_start_to_the_pin(ground):
    portal, subscriber = ground, ground.new_subscriber()
    with walking.chromium() as driver:
        walk = walking.Walk(driver, portal)
        walk.scripts(False)
        walk.open()
        walk.follow("/login")
        assert walk.all(".reveal") == []
        walk.send()
        assert [
            walk.find(one).get_attribute("aria-invalid")
            for one in ("[name=id]", "[name=answer]", "[name=word]")
        ] == ["true"] * 3
        assert driver.switch_to.active_element.get_attribute("name") == "id"
        walk.type("id", subscriber.id)
        walk.press(".picture button")
        assert walk.find("[name=id]").get_attribute("value") == subscriber.id
        walk.answer()
        walk.type("word", subscriber.word + Keys.ENTER)
        walk.arrive("otp")
        walk.press()
        assert re.search(r"\d+ dakika|\d+ saniye", walk.find(".countdown").text)
        walk.type("code", portal.wait_code(subscriber.phone))
        walk.press()
        walk.arrive("menu")
        walk.follow("/pin")
        assert "12 saniye" in walk.find("main").text
        walk.press()
        assert (
            walk.find(".pin").text.replace(" ", "").replace("\n", "") == subscriber.cards[0]["pin"]
        )
        # The page leaves by itself.
        WebDriverWait(driver, 30).until(lambda d: d.current_url == portal.url + "menu")
        assert walk.all(".pin") == []


def test_every_page_and_every_problem_was_seen(survey):
    grammar = etree.parse(os.path.join(parts.TOP, "htdocs", "xsl", "page.rng"))
    rng = {"r": "http://relaxng.org/ns/structure/1.0"}
    pages = set(
        grammar.xpath(
            "//r:define[r:attribute[@name='status'] or r:ref]"
            "/r:attribute[@name='name']//r:value/text()",
            namespaces=rng,
        )
    )
    problems = set(
        grammar.xpath(
            "//r:define[@name='problem']//r:attribute[@name='code']//r:value/text()", namespaces=rng
        )
    )
    assert len(pages) > 20 and len(problems) > 20
    assert pages | problems <= survey.names, sorted((pages | problems) - survey.names)
    survey.nothing("words")


def test_axe_finds_nothing(survey):
    survey.nothing("axe")


def test_nothing_is_cut_off_or_covered(survey):
    survey.nothing("lost")


def test_the_console_stays_quiet(survey):
    survey.nothing("errors")


def test_the_html_is_valid(survey, tmp_path):
    config = os.path.join(os.path.dirname(__file__), "htmlvalidate.json")
    command = [
        "node",
        os.path.join(NPM, "html-validate", "bin", "html-validate.mjs"),
        "--config",
        config,
        "--formatter",
        "json",
        survey.folder,
    ]
    # Into a file: what it writes into a pipe ends after 64 KiB.
    with open(tmp_path / "found.json", "w+") as file:
        code = subprocess.run(command, stdout=file, timeout=120).returncode
        file.seek(0)
        found = [
            "%s:%d: %s: %s"
            % (os.path.basename(one["filePath"]), m["line"], m["ruleId"], m["message"])
            for one in json.load(file)
            for m in one["messages"]
        ]
    assert found == [] and code == 0, "\n".join(found[:50])
    assert len(os.listdir(survey.folder)) > 100
