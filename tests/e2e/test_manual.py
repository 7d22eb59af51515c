# SPDX-License-Identifier: Apache-2.0
"""test_manual.py: the manual says what the built module, the sample and the command do."""

import os
import re
import shutil
import subprocess

import pytest
from lxml import etree

import portal as parts

MANUAL = os.path.join(parts.TOP, "docs", "manual")
SAMPLE = os.path.join(parts.BUILD, "conf", "esign.conf")
PAGES = ["mod_esign.conf.5", "esignctl.8"]
UNITS = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86400}
MODULES = ["mpm_event", "authz_core", "alias", "dbd", "session", "socache_shmcb", "ssl"]
# What `httpd -L` says of where a directive may stand.
CONTEXTS = {
    "only outside": {"server config", "virtual host"},
    "only inside": {"directory"},
    "anywhere": {"server config", "virtual host", "directory"},
}


def seconds(text):
    """A number, or a duration in seconds."""
    number, unit = re.fullmatch(r"(\d+)(s|min|h|d|)", text).groups()
    return int(number) * UNITS[unit]


class Server:
    """httpd with the module and nothing else, for its answers about directives."""

    def __init__(self, folder):
        self.conf = folder / "httpd.conf"
        modules = subprocess.check_output(["apxs", "-q", "LIBEXECDIR"], text=True).strip()
        load = 'LoadModule %s_module "%s/mod_%s.so"\n'
        self.text = "ServerName localhost\nErrorLog /dev/null\n"
        self.text += 'ServerRoot "%s"\nPidFile "%s/pid"\n' % (folder, folder)
        for name in MODULES:
            self.text += load % (name, modules, name)
        self.text += 'LoadModule esign_module "%s/.libs/mod_esign.so"\n' % parts.BUILD

    def run(self, lines, *options):
        self.conf.write_text(self.text + lines + "\n")
        done = subprocess.run(
            [parts.HTTPD, "-f", str(self.conf), *options], capture_output=True, text=True
        )
        return done.stdout + done.stderr

    def table(self):
        """The directives, each with its contexts: `<` begins the name of a section."""
        found = {}
        for name, where in re.findall(
            r"^(<?Esign\w*) \(mod_esign\.c\)\n\t.*\n\tAllowed in \*\.conf (.*)$",
            self.run("", "-L"),
            re.M,
        ):
            found[name] = next(v for k, v in CONTEXTS.items() if where.startswith(k))
            assert ".htaccess" not in where
        return found

    def dump(self, lines, head):
        """The values that the dump shows below the line `head`."""
        text = self.run(lines, "-t", "-D", "DUMP_ESIGN")
        part = text.split("mod_esign " + head, 1)[1].split("\n", 1)[1].split("mod_esign ")[0]
        return dict(re.findall(r"^    (Esign\w*) ?(.*)$", part, re.M))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    return Server(tmp_path_factory.mktemp("httpd"))


class Entry:
    """A directive of the manual."""

    def __init__(self, element):
        self.name = element.findtext("name")
        self.section = element.get("type") == "section"
        self.required = element.get("required") == "yes"
        self.contexts = {context.text for context in element.iter("context")}
        self.default = element.findtext("default")
        self.syntax = "".join(element.find("syntax").itertext())
        bounds = element.find("bounds")
        self.bounds = bounds is not None and (bounds.get("least"), bounds.get("most"))
        self.examples = [example.text.strip() for example in element.iter("example")]
        self.since = element.findtext("compatibility")


@pytest.fixture(scope="module")
def manual():
    tree = etree.parse(os.path.join(MANUAL, "mod_esign.xml"))
    entries = [Entry(element) for element in tree.iter("directivesynopsis")]
    names = [entry.name for entry in entries]
    assert len(names) == len(set(names)) > 50
    return entries


def sample_values():
    """The sample's line of each directive, whether it is a comment or not."""
    with open(SAMPLE, encoding="utf-8") as file:
        return dict(re.findall(r"^#?(Esign\w*) (.+)$", file.read(), re.M))


@pytest.mark.parametrize("name", ["mod_esign.xml", "esignctl.xml"])
def test_the_sources_are_valid(name):
    schema = etree.RelaxNG(etree.parse(os.path.join(MANUAL, "manual.rng")))
    assert schema.validate(etree.parse(os.path.join(MANUAL, name))), schema.error_log


def test_the_manual_has_the_module_s_directives(server, manual):
    names = {"<" * entry.section + entry.name for entry in manual}
    assert names == set(server.table())


def test_each_directive_stands_where_the_manual_says(server, manual, whole):
    table = server.table()
    lines = whole + "<EsignSMSGateway one>\n</EsignSMSGateway>"
    gateway = server.dump(lines, "SMS gateway one in localhost")
    assert len(gateway) > 10
    for entry in manual:
        wanted = set(table["<" * entry.section + entry.name])
        if entry.name in gateway:
            wanted.add("SMS gateway")
        assert entry.contexts == wanted, entry.name


def test_each_default_is_the_module_s(server, manual):
    values, sample = server.dump("", "in localhost"), sample_values()
    for entry in manual:
        if entry.section:
            continue
        value = values.pop(entry.name).strip('"')
        if entry.default is None:
            assert value == "", entry.name
            continue
        name, told = entry.default.split(" ", 1)
        if "@" in told:
            told = sample[name]
        if entry.bounds:
            told = str(seconds(told))
        assert (name, told) == (entry.name, value)
    assert values == {}


def test_each_number_has_the_module_s_bounds(server, manual):
    values = server.dump("", "in localhost")
    for entry in manual:
        assert bool(entry.bounds) == values.get(entry.name, "").isdigit(), entry.name
        if not entry.bounds:
            continue
        text = server.run("%s 2147483647" % entry.name, "-t")
        found = re.search(r"write a value from (\d+) to (\d+)( seconds)?", text)
        least, most = map(int, found.groups()[:2])
        assert (least, most) == tuple(map(seconds, entry.bounds)), entry.name
        assert bool(found.group(3)) == entry.syntax.endswith(" duration"), entry.name


def test_each_example_is_taken(server, manual):
    for entry in manual:
        assert entry.examples and any(entry.name in text for text in entry.examples), entry.name
        for text in entry.examples:
            assert "Syntax error" not in server.run(re.sub("@[a-z]+@", "/tmp", text), "-t"), text


def test_each_directive_says_since_when(manual):
    with open(os.path.join(parts.BUILD, "Makefile"), encoding="utf-8") as file:
        version = re.search(r"(?m)^PACKAGE_VERSION = ([\d.]+)", file.read()).group(1)
    for entry in manual:
        assert [int(n) for n in entry.since.split(".")] <= [int(n) for n in version.split(".")]


@pytest.fixture
def whole(portal, tmp_path):
    """The sample as an administrator would use it: its files are made, its last lines are on."""
    with open(SAMPLE, encoding="utf-8") as file:
        text = file.read()
    keys = tmp_path / "keys"
    shutil.copy(os.path.join(portal.dir, "conf", "keys"), keys)
    text = re.sub(r"(?m)^EsignKeyFile .*$", 'EsignKeyFile "%s"' % keys, text)
    head, tail = text.split("# --- The portal's location\n")
    htdocs = os.path.join(parts.TOP, "htdocs")
    return "%s\n%s\nEsignRequireTLS On\nEsignHtdocs %s\nEsignWordBlocklist %s\n" % (
        head,
        re.sub("(?m)^#", "", tail),
        htdocs,
        os.path.join(parts.TOP, "conf", "blocklist.txt"),
    )


def test_the_sample_is_a_whole_portal(server, whole):
    assert "Syntax OK" in server.run(whole, "-t")


def test_each_line_that_the_sample_sets_is_required(server, whole, manual):
    required = {entry.name for entry in manual if entry.required}
    for name in required:
        text = server.run(re.sub("(?m)^%s .*$" % name, "", whole), "-t")
        assert name + " is missing" in text, text
    for name in set(re.findall(r"(?m)^(Esign\w*) ", whole)) - required:
        text = server.run(re.sub("(?m)^%s .*$" % name, "", whole), "-t")
        assert name + " is missing" not in text, text


def test_the_sample_s_lines_fit_a_screen():
    with open(SAMPLE, encoding="utf-8") as file:
        assert max(map(len, file.read().splitlines())) <= 100


@pytest.mark.parametrize("page", PAGES)
def test_man_shows_the_page_without_a_warning(page):
    done = subprocess.run(
        ["man", "--warnings", "-l", os.path.join(parts.BUILD, "docs", "manual", page)],
        capture_output=True,
        text=True,
        env=dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80", MANPAGER="cat"),
    )
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) > 200 and not re.search(r"@\w+@|\\[ef&]", done.stdout)


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_no_fault_in_the_page(page):
    path = os.path.join(parts.BUILD, "docs", "manual", page)
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ["mod_esign.html", "esignctl.html"])
def test_each_link_of_a_page_leads_somewhere(page):
    folder = os.path.join(parts.BUILD, "docs", "manual")
    html = {
        name: etree.parse(os.path.join(folder, name), etree.HTMLParser(encoding="utf-8"))
        for name in os.listdir(folder)
        if name.endswith(".html")
    }
    links = html[page].xpath("//a/@href")
    assert len(links) > 5
    for link in links:
        name, _, anchor = link.partition("#")
        assert html[name or page].xpath("//*[@id = $anchor]", anchor=anchor), link


@pytest.fixture(scope="module")
def command_page():
    return etree.parse(os.path.join(MANUAL, "esignctl.xml"))


def esignctl(*arguments):
    program = os.path.join(parts.BUILD, "esignctl")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_command_s_page_has_its_commands(command_page):
    told = re.findall(r"(?m)^  esignctl (.*)$", esignctl("--help"))
    terms = command_page.xpath("//section[@id = 'commands']/dl/dt")
    assert len(told) > 15 and told == [" ".join("".join(dt.itertext()).split()) for dt in terms]


def test_the_command_s_page_has_the_events_of_the_audit_trail(command_page):
    with open(os.path.join(parts.TOP, "mod_esign", "audit", "event.c"), encoding="utf-8") as file:
        known = re.findall(r'\] = \{ "([a-z-]+)", ([01]), [01] \},', file.read())
    told = [
        (row.findtext("td/code"), "1" if (row[1].text or "").startswith("failure: ") else "0")
        for row in command_page.xpath("//section[@id = 'events']/table/tr[td]")
    ]
    assert len(known) > 30 and sorted(told) == sorted(known)


def test_the_command_s_page_and_sample_have_its_settings(command_page, tmp_path):
    path = tmp_path / "esignctl.conf"
    path.write_text("EsignNone x\n")
    told = esignctl("--config", str(path), "db", "init").split("none of the settings: ")[1]
    told = set(re.findall(r"\w+", told))
    text = " ".join(command_page.xpath("//section[@id = 'description']")[0].itertext())
    assert told == set(re.findall(r"\b(?:Esign|DB)\w+", text))
    with open(os.path.join(parts.BUILD, "conf", "esignctl.conf"), encoding="utf-8") as file:
        assert told == set(re.findall(r"(?m)^#?(\w+) ", file.read()))
