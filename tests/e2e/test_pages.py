# SPDX-License-Identifier: Apache-2.0
"""test_pages.py: every page and every mistake, with axe-core, an HTML validator, and a look for
lost text.

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
import walk as walking
from survey import NPM, Survey

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
