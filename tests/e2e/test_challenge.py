# SPDX-License-Identifier: Apache-2.0
"""test_challenge.py: the picture, its sound and the browser's calculation, and which of them are
offered.
"""

import hashlib
import hmac
import io
import struct
import wave
import zlib

import pytest

from portal import PREFIX
from test_configuration import httpd

MAX = 20000


def offering(tmp_path, ways):
    include = tmp_path / ("%s.conf" % ways.replace(" ", "-"))
    include.write_text("EsignChallenge %s\nEsignWorkNumber %d\n" % (ways, MAX))
    return "--include", str(include)


@pytest.fixture(scope="module")
def quick(make_portal, tmp_path_factory):
    """All three ways, and work that Python does in no time."""
    return make_portal(*offering(tmp_path_factory.mktemp("quick"), "picture sound work"))


def solve(work):
    """The number, as a browser finds it."""
    start = hashlib.sha256(work.get("salt").encode())
    for number in range(int(work.get("max")) + 1):
        attempt = start.copy()
        attempt.update(b"%d" % number)
        if attempt.hexdigest() == work.get("target"):
            return str(number)
    raise AssertionError("no number fits")


def by_work(browser, subscriber, path="login"):
    """Fields of a form whose challenge the browser solves."""
    challenge = browser.get(path).xml.find(".//challenge")
    return {
        "id": subscriber.id,
        "word": subscriber.word,
        "challenge": challenge.get("value"),
        "work": solve(challenge.find("work")),
        "answer": "",
    }


def sound(browser, path, **headers):
    return browser.session.get(
        browser.portal.url.replace("/esign/", "") + path,
        headers={"Accept": "*/*", **headers},
        allow_redirects=False,
    )


# Sound


def test_the_sound_is_a_wav_file_in_the_pages_language(portal):
    browser = portal.browser("en")
    challenge = browser.get("login").xml.find(".//challenge")
    assert challenge.get("sound") == PREFIX + "/captcha/%s.wav?lang=en" % challenge.get("value")
    english, again = (sound(portal.browser(), challenge.get("sound")) for _ in range(2))
    assert (
        english.status_code == 200
        and english.headers["Content-Type"] == "audio/wav"
        and english.headers["Cache-Control"] == "no-store"
    )
    assert (
        "media-src 'self'" in english.headers["Content-Security-Policy"]
        and "Set-Cookie" not in english.headers
    )
    assert english.content == again.content
    with wave.open(io.BytesIO(english.content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 11025)
        assert 3 < file.getnframes() / file.getframerate() < 9.5
    turkish = sound(browser, challenge.get("sound").replace("lang=en", "lang=tr"))
    assert turkish.content != english.content
    assert browser.get("login").xml.get("lang") == "en"
    # Without it the language is that of any page.
    assert (
        sound(portal.browser("tr"), challenge.get("sound").split("?")[0]).content == turkish.content
    )


def test_the_sound_is_answered_in_ranges(portal):
    browser = portal.browser()
    path = browser.get("reset").xml.find(".//challenge").get("sound")
    whole = sound(browser, path)
    first = sound(browser, path, Range="bytes=0-1")
    assert (first.status_code, first.content, first.headers["Content-Range"]) == (
        206,
        b"RI",
        "bytes 0-1/%d" % len(whole.content),
    )
    middle = sound(browser, path, Range="bytes=100-50099")
    assert middle.status_code == 206 and middle.content == whole.content[100:50100]
    head = browser.session.head(browser.portal.url.replace("/esign/", "") + path)
    assert (
        head.status_code == 200
        and head.headers["Content-Length"] == str(len(whole.content))
        and head.content == b""
    )


def test_a_forged_challenge_has_no_sound(portal):
    browser = portal.browser()
    challenge = browser.get("login").challenge()
    changed = challenge[:-1] + ("A" if challenge[-1] != "A" else "B")
    assert (
        browser.get("captcha/%s.wav" % changed).status == 404
        and browser.get("captcha/x.wav").status == 404
    )


# Work


def test_sign_in_by_work_without_an_answer(quick):
    browser, subscriber = quick.browser(), quick.new_subscriber()
    fields = by_work(browser, subscriber)
    page = browser.post("login", fields)
    assert page.status == 303 and page.location == PREFIX + "/otp"
    # Once: the challenge is used up, and its answer with it.
    for again in (fields, dict(fields, work="", answer=quick.answer(fields["challenge"]))):
        page = browser.post("login", again)
        assert page.status == 422 and page.problems() == [
            ("work", "work-expired") if again["work"] else ("answer", "answer-expired")
        ]


def test_a_used_answer_leaves_no_work(quick):
    browser, subscriber = quick.browser(), quick.new_subscriber()
    fields = by_work(browser, subscriber)
    assert (
        browser.post(
            "login", dict(fields, work="", answer=quick.answer(fields["challenge"]))
        ).status
        == 303
    )
    assert browser.post("login", fields).problems() == [("work", "work-expired")]


def test_reset_by_work(quick):
    browser, subscriber = quick.browser(), quick.new_subscriber()
    page = browser.post("reset", by_work(browser, subscriber, "reset"))
    assert page.status == 303 and page.location == PREFIX + "/reset/sent"
    quick.wait_mail(subscriber.email)


def test_work_decides_whatever_was_typed(quick):
    browser, subscriber = quick.browser(), quick.new_subscriber()
    assert browser.post("login", dict(by_work(browser, subscriber), answer="wrong")).status == 303


def test_wrong_work_is_a_wrong_answer(quick):
    browser, subscriber = quick.browser(), quick.new_subscriber()
    fields = by_work(browser, subscriber)
    answer = quick.answer(fields["challenge"])
    page = browser.post("login", dict(fields, work=str(int(fields["work"]) + 1), answer=answer))
    assert (
        page.status == 422
        and page.problems() == [("work", "work-wrong")]
        and page.challenge() != fields["challenge"]
    )
    assert (
        page.xml.find(".//work").get("number") is None
        and page.xml.find(".//work").get("salt") == page.challenge()
    )
    assert browser.post("login", fields).problems() == [("work", "work-expired")]
    assert browser.post("login", dict(fields, challenge=page.challenge())).problems() == [
        ("work", "work-wrong")
    ]


@pytest.mark.parametrize("number", ["0x1", "-1", "1e3", "99999999999999999999", "²"])
def test_what_is_no_number_is_wrong(quick, number):
    browser, subscriber = quick.browser(), quick.new_subscriber()
    challenge = browser.get("login").challenge()
    page = browser.post(
        "login",
        {"id": subscriber.id, "word": subscriber.word, "challenge": challenge, "work": number},
    )
    assert page.status == 422 and page.problems() == [("work", "work-wrong")]


def test_a_mistake_in_another_field_burns_no_work(quick):
    browser, subscriber = quick.browser(), quick.new_subscriber()
    fields = by_work(browser, subscriber)
    page = browser.post("login", dict(fields, word=""))
    assert page.problems() == [("word", "word-empty")]
    assert (
        page.xml.find(".//work").get("number") == fields["work"]
        and page.challenge() == fields["challenge"]
    )
    assert browser.post("login", fields).status == 303


def test_wrong_work_counts_against_the_address(make_portal, tmp_path):
    include = tmp_path / "few.conf"
    include.write_text("EsignWorkNumber %d\nEsignAddressFailures 5\n" % MAX)
    other = make_portal("--include", str(include))
    browser = other.browser()
    for _ in range(5):
        assert (
            browser.post(
                "login", {"challenge": browser.get("login").challenge(), "work": "x"}
            ).status
            == 422
        )
    assert browser.post("login", {}).status == 429


# Which are offered


def test_the_picture_alone(make_portal, tmp_path):
    other = make_portal(*offering(tmp_path, "picture"))
    browser, subscriber = other.browser(), other.new_subscriber()
    challenge = browser.get("login").xml.find(".//challenge")
    assert (
        challenge.get("picture")
        and challenge.get("sound") is None
        and challenge.find("work") is None
    )
    assert browser.get("captcha/%s.wav" % challenge.get("value")).status == 404
    html = browser.html("login").text
    assert "<audio" not in html and "work.js" not in html and "Resimdeki Yazı" in html
    # A number that the same keys would call right is not even looked at.
    page = browser.post(
        "login",
        {
            "id": subscriber.id,
            "word": subscriber.word,
            "challenge": challenge.get("value"),
            "work": "1",
            "answer": "",
        },
    )
    assert page.problems() == [("answer", "answer-empty")]
    assert browser.login(subscriber).status == 303


def test_the_sound_alone(make_portal, tmp_path):
    other = make_portal(*offering(tmp_path, "sound"))
    browser, subscriber = other.browser(), other.new_subscriber()
    challenge = browser.get("login").xml.find(".//challenge")
    assert (
        challenge.get("picture") is None
        and challenge.get("sound")
        and challenge.find("work") is None
    )
    assert browser.get("captcha/%s.png" % challenge.get("value")).status == 404
    assert sound(browser, challenge.get("sound")).status_code == 200
    html = browser.html("login").text
    assert (
        "<audio" in html
        and "captcha" in html
        and '<img src="/esign/captcha' not in html
        and "Duyduğunuz Karakterler" in html
        and "Resim" not in html
    )
    page = browser.post(
        "login",
        {
            "id": subscriber.id,
            "word": subscriber.word,
            "challenge": challenge.get("value"),
            "answer": "wrong",
        },
    )
    assert page.problems() == [("answer", "answer-wrong")]
    assert browser.login(subscriber).status == 303


def test_the_work_alone(make_portal, tmp_path):
    other = make_portal(*offering(tmp_path, "work"))
    browser, subscriber = other.browser(), other.new_subscriber()
    challenge = browser.get("login").xml.find(".//challenge")
    assert (
        challenge.get("picture") is None
        and challenge.get("sound") is None
        and challenge.find("work").get("max") == str(MAX)
    )
    for form in ("png", "wav"):
        assert browser.get("captcha/%s.%s" % (challenge.get("value"), form)).status == 404
    html = browser.html("login").text
    assert (
        'name="answer"' not in html
        and "<audio" not in html
        and "<noscript>" in html
        and 'data-alone="yes"' in html
    )
    fields = {
        "id": subscriber.id,
        "word": subscriber.word,
        "challenge": challenge.get("value"),
        "answer": other.answer(challenge.get("value")),
    }
    page = browser.post("login", fields)
    assert (
        page.status == 422
        and page.problems() == [("work", "work-empty")]
        and page.challenge() == fields["challenge"]
    )
    assert browser.post("login", dict(fields, work=solve(challenge.find("work")))).status == 303


@pytest.mark.parametrize(
    "line,told",
    [
        ("EsignChallenge", "EsignChallenge: write one or more of picture, sound, work"),
        ("EsignChallenge picture smell", "EsignChallenge: 'smell' is none of picture, sound, work"),
        ("EsignWorkNumber 9999", "EsignWorkNumber: 9999 is out of bounds"),
        ("EsignWorkNumber 100000001", "EsignWorkNumber: 100000001 is out of bounds"),
    ],
)
def test_mistakes_are_found_by_configtest(portal, tmp_path, line, told):
    code, text = httpd(portal, tmp_path, line)
    assert code != 0 and told in text, text


def test_the_last_line_holds(portal, tmp_path):
    code, text = httpd(
        portal, tmp_path, "EsignChallenge work\nEsignChallenge sound picture", "-D", "DUMP_ESIGN"
    )
    assert code == 0 and "    EsignChallenge picture sound\n" in text


# Once, whatever it is written like


def test_a_used_challenge_has_no_twin(quick):
    """A base64 reader that takes every byte beyond ASCII for _ would open both, and count them as
    two.
    """
    browser, subscriber = quick.browser(), quick.new_subscriber()
    challenge = next(
        value for value in (browser.get("login").challenge() for _ in range(2000)) if "__" in value
    )
    fields = {
        "id": subscriber.id,
        "word": "a wrong word",
        "challenge": challenge,
        "answer": quick.answer(challenge),
    }
    assert browser.post("login", fields).problems() == [("word", "credentials")]
    for twin in ("ü", "ş"):
        page = browser.post("login", dict(fields, challenge=challenge.replace("__", twin, 1)))
        assert page.status == 422 and page.problems() == [("answer", "answer-expired")]


def grey(png):
    """The pixels of a picture of 200 by 60, 0 to 15."""
    packed, place = b"", 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        packed += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += 12 + length
    rows = zlib.decompress(packed)
    return [
        half
        for y in range(60)
        for pair in rows[y * 101 + 1 : (y + 1) * 101]
        for half in (pair >> 4, pair & 15)
    ]


def test_no_picture_can_be_computed(portal):
    """The specks of a picture followed from answer and challenge alone: the right answer was found
    in a second, by trying which answer's specks were in the picture.
    """
    browser = portal.browser()
    challenge = browser.get("login").challenge()
    pixels = grey(browser.get("captcha/%s.png" % challenge).response.content)
    digest = hmac.digest(
        hashlib.sha256(challenge.encode()).digest(), portal.answer(challenge).encode(), "sha256"
    )
    state, places = int.from_bytes(digest[:8], "little") | 1, []
    for _ in range(36 + 260):
        state ^= state >> 12
        state ^= state << 25 & 2**64 - 1
        state ^= state >> 27
        places.append((state * 0x2545F4914F6CDD1D >> 32 & 2**32 - 1) % len(pixels))
    found = sum(5 <= pixels[place] <= 10 for place in places[36:])
    assert len(pixels) == 12000 and found < 130, (
        "%d of 260 specks are where they were computed" % found
    )
