# SPDX-License-Identifier: Apache-2.0
"""test_links.py: mailed links: dead, used and raced ones; their tokens are hidden."""

import concurrent.futures

import pytest

from portal import PREFIX


def test_mail_scanners_use_nothing_up(portal, subscriber):
    link = portal.browser().reset_link(subscriber)
    for _ in range(3):
        assert portal.browser().get(link).status == 303
    other = portal.browser()
    other.get(link)
    assert (
        other.post(
            "reset/word", {"word": "deniz feneri adası", "again": "deniz feneri adası"}
        ).status
        == 303
    )


def test_a_used_link_and_a_cut_off_link_are_dead(portal, browser, subscriber):
    link = browser.reset_link(subscriber)
    browser.get(link)
    browser.post("reset/word", {"word": "deniz feneri adası", "again": "deniz feneri adası"})
    for path in (link, link[:-4], "reset/x"):
        page = portal.browser().get(path)
        assert (page.status, page.name) == (410, "link-dead")
    page = browser.get("reset/word")
    assert (page.status, page.name) == (410, "link-dead")


@pytest.mark.parametrize("path", ["*", "**", "reset", "e", "a/b", "%2a", "%zz", "x?lang=en"])
def test_odd_links_are_dead(browser, path):
    """Links that an attacker made up. Some look like the text that replaces a token in the log."""
    page = browser.get("reset/" + path)
    assert (page.status, page.name) == (410, "link-dead")
    assert page.xml.get("lang") == ("en" if "lang=en" in path else "tr")


def test_the_token_is_hidden_from_status_page_and_log(portal, browser, subscriber):
    link = browser.reset_link(subscriber)
    token = link.split("/")[1]
    for path in (link, "/" + link, "%72eset/" + token, "./x/../" + link):
        assert browser.session.get(portal.url + path, allow_redirects=False).status_code == 303
    log = portal.wait(
        lambda: portal.log("access.log") if "/esign/reset/***" in portal.log("access.log") else None
    )
    status = browser.session.get(portal.url.replace("/esign/", "/server-status")).text
    assert token not in log and token not in status and "/esign/reset/***" in status


def test_two_links_in_two_tabs_do_not_change_places(portal, browser, subscriber):
    """The form of one person's link, sent after another person's link was opened in the same
    browser, changes no word.
    """
    other = portal.new_subscriber()
    browser.get(browser.reset_link(subscriber))
    mark = browser.get("reset/word").xml.find("form").get("mark")
    browser.get(browser.reset_link(other))
    fields = {"word": "deniz feneri adası", "again": "deniz feneri adası", "mark": mark}
    page = browser.post("reset/word", fields)
    assert (page.status, page.name) == (409, "other-tab") and page.xml.find("go-on").get(
        "href"
    ) == PREFIX + "/reset/word"
    assert (
        browser.post(
            "reset/word", dict(fields, mark=browser.get("reset/word").xml.find("form").get("mark"))
        ).status
        == 303
    )
    assert portal.browser().login(subscriber).status == 303
    assert portal.browser().login(other, "deniz feneri adası").status == 303


def test_unused_links_die_at_a_sign_in(portal, browser, subscriber):
    link = browser.reset_link(subscriber)
    browser.sign_in(subscriber)
    assert portal.browser().get(link).status == 410


def test_sixty_racing_posts_of_one_link(portal, subscriber):
    link = portal.browser().reset_link(subscriber)
    browsers = [portal.browser() for _ in range(60)]
    for one in browsers:
        # A kept connection that the server closes for its age during the race would lose its POST.
        assert one.get(link, headers={"Connection": "close"}).status == 303

    def change(n):
        word = "yarışan sözcük numara %d" % n
        return browsers[n].post("reset/word", {"word": word, "again": word})

    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        pages = list(pool.map(change, range(60)))
    won = [n for n, page in enumerate(pages) if page.status == 303]
    assert len(won) == 1 and [page.status for page in pages].count(410) == 59
    assert portal.browser().login(subscriber, "yarışan sözcük numara %d" % won[0]).status == 303
