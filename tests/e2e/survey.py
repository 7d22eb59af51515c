# SPDX-License-Identifier: Apache-2.0
"""survey.py: looks at pages in Chromium: words, axe-core, and text that is lost at a width."""

import os
import re

import portal as parts
import test_messages
import walk as walking

NPM = os.path.join(parts.TOP, "build", "npm", "node_modules")
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
    """Whether `told` is this text, with anything for its placeholders."""
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
