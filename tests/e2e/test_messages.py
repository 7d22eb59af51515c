# SPDX-License-Identifier: Apache-2.0
"""test_messages.py: the catalogues have every text that is used and no other; page.rng and the
samples have every page and problem.
"""

import glob
import itertools
import os
import re

from lxml import etree

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
XSL = "{http://www.w3.org/1999/XSL/Transform}"
RNG = "{http://relaxng.org/ns/structure/1.0}"
LANGUAGES = ("tr", "en")


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def sources(*folders):
    """Path below mod_esign/ -> text without comments, of the C files in these folders."""
    top = os.path.join(TOP, "mod_esign")
    found = [sorted(glob.glob(os.path.join(top, folder, "*.c"))) for folder in folders]
    assert all(found)
    return {
        os.path.relpath(path, top): re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)
        for path in sum(found, [])
    }


def catalogue(language):
    root = etree.parse(os.path.join(TOP, "htdocs", f"messages.{language}.xml")).getroot()
    return {message.get("key"): "".join(message.itertext()) for message in root.iter("message")}


GRAMMAR = etree.parse(os.path.join(TOP, "htdocs", "xsl", "page.rng")).getroot()
DEFINES = {define.get("name"): define for define in GRAMMAR.iter(RNG + "define")}
SHEETS = {
    os.path.basename(path): etree.parse(path).getroot()
    for path in glob.glob(os.path.join(TOP, "htdocs", "xsl", "*.xsl"))
}


def values(node, attribute):
    """The values that an attribute may have in this part of the grammar."""
    found = node.iter(RNG + "attribute")
    return {
        value.text
        for one in found
        if one.get("name") == attribute
        for value in one.iter(RNG + "value")
    }


def pages():
    """Page name -> its part of the grammar."""
    starts = [
        ref.get("name")
        for ref in GRAMMAR.find(f"{RNG}start").iter(RNG + "ref")
        if ref.get("name") != "frame"
    ]
    found = {}
    for start in starts:
        own = [
            one for one in DEFINES[start].findall(RNG + "attribute") if one.get("name") == "name"
        ]
        found.update(
            {value.text: DEFINES[start] for one in own for value in one.iter(RNG + "value")}
        )
    return found


def with_form():
    """Pages that have a form of their own, written out or by reference."""

    def has(node):
        return any(one.get("name") == "form" for one in node.iter(RNG + "element")) or any(
            has(DEFINES[ref.get("name")]) for ref in node.iter(RNG + "ref")
        )

    return {name for name, part in pages().items() if has(part)}


def fields():
    forms = [one for one in GRAMMAR.iter(RNG + "element") if one.get("name") == "field"]
    return set().union(*(values(one, "name") for one in forms)) | {"answer"}


def table_of_events():
    """Enumerator -> name and whether it can be a subscriber's, as event.c has them."""
    enumerators = re.findall(
        r"(ESIGN_AUDIT_\w+),",
        read("mod_esign", "audit", "event.h").partition("ESIGN_AUDIT_EVENTS\n")[0],
    )
    rows = re.findall(
        r'\[(ESIGN_AUDIT_\w+)\] = \{ "([a-z-]+)", [01], ([01]) \}',
        sources("audit")["audit/event.c"],
    )
    assert enumerators == [row[0] for row in rows]
    return {enumerator: (name, personal == "1") for enumerator, name, personal in rows}


def events():
    """Enumerator -> name."""
    return {enumerator: name for enumerator, (name, _) in table_of_events().items()}


def personal_events():
    """The events that a subscriber's own page has words for."""
    return {name for name, personal in table_of_events().values() if personal}


def notices():
    """Names of the events that are told by mail."""
    calls = re.findall(
        r"\besign_(?:notice_add|word_store)\([^;{]*?\b(ESIGN_AUDIT_\w+)",
        "".join(sources("screens").values()),
    )
    assert calls
    return {events()[call] for call in calls}


def own_body():
    """Pages with a template of their own; the others say NAME.text."""
    matches = [
        one.get("match")
        for sheet in SHEETS.values()
        for one in sheet.iter(XSL + "template")
        if one.get("mode") == "body"
    ]
    return set(re.findall(r"@name = '([a-z-]+)'", " ".join(matches)))


def children(sheet, key):
    """The elements that an <xsl:for-each> goes over when it makes this key of their names."""
    loops = [
        one.get("select")
        for one in SHEETS[sheet].iter(XSL + "for-each")
        if any(key == p.get("select") for p in one.iter(XSL + "with-param"))
    ]
    assert loops
    return set(re.split(r"\s*\|\s*", " | ".join(loops)))


def expansions():
    """What each computed part of a key can be. A stylesheet that computes a key in another way
    fails test_keys_of_stylesheets: add it here.
    """
    menu, start = children("page-account.xsl", "concat('menu.', name())"), children(
        "page-sign-in.xsl", "concat('start.', name())"
    )
    choices = {f"menu.{one}" for one in menu - {"link"}} | {f"start.{one}" for one in start}
    mails = {"mail.reset"} | {f"mail.{one}" for one in notices()}
    state = [one for one in DEFINES["pin-page"].iter(RNG + "element") if one.get("name") == "card"][
        0
    ]
    return {
        "concat('submit.', /page/@name)": {f"submit.{one}" for one in with_form()},
        "concat('label.', @name)": {f"label.{one}" for one in fields() - {"answer"}},
        "concat('problem.heard-', substring-after(@code, 'answer-'))": {
            "problem.heard-empty",
            "problem.heard-wrong",
            "problem.heard-expired",
        },
        "concat('title.', @name)": {f"title.{one}" for one in pages()},
        "concat(@name, '.text')": {f"{one}.text" for one in set(pages()) - own_body()},
        "concat('problem.', @code)": {
            f"problem.{one}" for one in values(DEFINES["problem"], "code")
        },
        "concat('language.', @code)": {f"language.{one}" for one in LANGUAGES},
        "concat('menu.', name())": choices,
        "concat('start.', name())": choices,
        "concat($key, '.note')": {f"{one}.note" for one in choices},
        "concat('state.', @state)": {f"state.{one}" for one in values(state, "state")},
        "concat('card.', name())": {"card.pin", "card.puk"},
        "concat('event.', @name)": {f"event.{one}" for one in personal_events()},
        "concat('mail.', @name)": mails,
        "concat('mail.', event/@name)": mails,
        "string($key)": mails,
        "concat($key, '.otherwise')": {f"{one}.otherwise" for one in mails},
    }


def arguments(text, start):
    """The arguments of an XPath call whose opening bracket ends at `start`."""
    depth, quote, argument, found = 1, None, "", []
    for c in text[start:]:
        quote = None if c == quote else c if quote is None and c in "'\"" else quote
        depth += 0 if quote else {"(": 1, ")": -1}.get(c, 0)
        if depth == 0:
            return found + [argument.strip()] if argument.strip() else found
        if c == "," and depth == 1 and not quote:
            found, argument = found + [argument.strip()], ""
        else:
            argument += c
    raise AssertionError(f"no closing bracket: {text}")


def asked():
    """(stylesheet, expression of a key, number of arguments) of all stylesheets; None: the number
    is not known there.
    """
    for name, sheet in SHEETS.items():
        for node in sheet.iter(etree.Element):
            for attribute, value in node.attrib.items():
                for call in re.finditer(r"\bm:text\(", value):
                    key, *rest = arguments(value, call.end())
                    yield name, key, len(rest)
                names_key = node.tag in (XSL + "with-param", XSL + "param") and node.get(
                    "name"
                ) in ("key", "label", "left", "ended")
                if attribute == "select" and names_key:
                    yield name, value, None
                # Keys that mode "key" makes, and keys that a parameter takes from its content.
                if (
                    node.tag == XSL + "template"
                    and node.get("mode") == "key"
                    and attribute == "match"
                ):
                    yield name, node.find(XSL + "value-of").get("select"), None
            if (
                node.tag == XSL + "with-param"
                and node.get("name") == "key"
                and not node.get("select")
            ):
                for text in filter(None, (text.strip() for text in node.itertext())):
                    yield name, f"'{text}'", None


def keys_of(expression):
    """The keys that an expression can be; None when that is not known here."""
    if expression.startswith("$"):
        return set()  # a parameter, which is looked at where it is given
    literal = re.fullmatch(r"'([^']*)'", expression)
    return {literal[1]} if literal else expansions().get(expression)


def keys_of_stylesheets():
    return set().union(*(keys_of(expression) or set() for _, expression, _ in asked()))


def keys_of_code():
    """The keys that C files name which read the catalogues."""
    reading = [text for text in sources("**", ".").values() if "esign_catalogue_" in text]
    named = set(re.findall(r'"((?:subject|month|time|date)\.[a-z.%-]*)"', "".join(reading)))
    assert named == {
        "subject.reset",
        "subject.notice.",
        "month.%d",
        "time.format",
        "date.format",
    }, "a key to be expanded here"
    return (
        {"subject.reset", "time.format", "date.format"}
        | {f"subject.notice.{one}" for one in notices()}
        | {f"month.{month}" for month in range(1, 13)}
    )


def needed():
    return keys_of_stylesheets() | keys_of_code()


def test_both_catalogues_have_the_same_keys():
    turkish, english = (catalogue(language) for language in LANGUAGES)
    assert set(turkish) == set(english)
    assert [
        key for key, text in itertools.chain(turkish.items(), english.items()) if not text.strip()
    ] == []


def test_keys_of_stylesheets():
    unknown = [
        (sheet, expression) for sheet, expression, _ in asked() if keys_of(expression) is None
    ]
    assert unknown == []
    assert len(keys_of_stylesheets()) > 150


def test_no_key_is_missing():
    assert needed() - set(catalogue("en")) == set()


def test_no_key_is_unused():
    counted = {f"{key}.one" for key in needed() if re.match(r"duration\.|problem\.", key)}
    assert set(catalogue("en")) - needed() - counted == set()


def test_placeholders_are_those_of_the_other_language():
    turkish, english = catalogue("tr"), catalogue("en")
    differing = {
        key: (turkish[key], english[key])
        for key in english
        if set(re.findall(r"\{\d\}", turkish[key])) != set(re.findall(r"\{\d\}", english[key]))
    }
    assert differing == {}


def test_placeholders_have_arguments():
    """A call with too few would leave {1} on the page. One with too many has an argument that no
    text uses.
    """
    english = catalogue("en")
    wrong = []
    for sheet, expression, count in asked():
        for key in keys_of(expression) or ():
            places = {int(place) for place in re.findall(r"\{(\d)\}", english[key])}
            if count is not None and (
                max(places, default=0) > count
                or (places and places != set(range(1, max(places) + 1)))
            ):
                wrong.append((sheet, key))
    assert wrong == []


def codes_of_code():
    """Problem codes that screens can send: every hyphenated text that names nothing else."""
    text = "".join(sources("screens").values()) + sources("web")["web/form.c"]
    literals = set(re.findall(r'"([a-z]+(?:-[a-z]+)+|credentials)"', text))
    elements = {one.get("name") for one in GRAMMAR.iter(RNG + "element", RNG + "attribute")}
    others = elements | set(pages()) | {"national-id"}
    verdicts = re.findall(r'\[ESIGN_WORD_(?!OK)\w+\] = "([a-z]+)"', sources("core")["core/word.c"])
    assert re.search(r'"word-", esign_word_verdict_name', text) and len(verdicts) == 6
    assigned = set(re.findall(r'(?:problem|general) = "([a-z-]+)"', text)) | set(
        re.findall(r'esign_page_problem\(page, [^,]*, "([a-z-]+)"', text)
    )
    return (literals - others) | assigned | {f"word-{verdict}" for verdict in verdicts}


def names_of_code():
    """Page names that the code can send."""
    return set(
        re.findall(
            r"\b(?:esign_page_new|esign_word_page|send_plain|send_start)\(q, (?:q->subscriber, "
            r'|subscriber, )?"([a-z-]+)"',
            "".join(sources("web", "screens").values()),
        )
    )


def samples():
    return [
        etree.parse(path).getroot()
        for path in glob.glob(os.path.join(TOP, "tests", "pages", "*.xml"))
    ]


def test_pages_of_the_code_are_in_the_grammar_and_the_samples():
    assert names_of_code() == set(pages())
    assert {page.get("name") for page in samples()} == set(pages())


def test_problems_of_the_code_are_in_the_grammar_and_the_samples():
    assert codes_of_code() == values(DEFINES["problem"], "code")
    assert {
        problem.get("code") for page in samples() for problem in page.iter("problem")
    } == codes_of_code()


def test_events_of_the_code_are_in_the_grammar_and_the_samples():
    assert personal_events() == values(DEFINES["activity"], "name") - {"activity"}
    assert {
        event.get("name") for page in samples() for event in page.iter("event")
    } == personal_events()
    assert personal_events() < set(events().values())
