"""Rules about reading mails: every element that a marketer can write is readable, in light and in dark mode."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from browser import NEEDS_CHROMIUM
from builders import EMAIL
from heliograph_cli.authoring.compiling import opened
from heliograph_cli.authoring.files import READABLE
from heliograph_cli.authoring.lint import check
from heliograph_cli.authoring.proof import rendered
from tests_desk import DESK

pytestmark = NEEDS_CHROMIUM
INLINE = [
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "big",
    "cite",
    "code",
    "data",
    "del",
    "dfn",
    "em",
    "font",
    "i",
    "ins",
    "kbd",
    "label",
    "mark",
    "q",
    "ruby",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "time",
    "tt",
    "u",
    "var",
]
BLOCK = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "div",
    "dl",
    "fieldset",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "ul",
]
TABLE = (
    "<table><caption>Caption</caption><thead><tr><th>Head</th></tr></thead>"
    "<tbody><tr><td>Cell</td></tr></tbody></table>"
)
INSIDE = {
    "dl": "<dt>Term</dt><dd>Meaning</dd>",
    "ol": "<li>Item</li>",
    "ul": "<li>Item</li>",
    "details": "<summary>Summary</summary>Details",
    "figure": "Figure<figcaption>Caption</figcaption>",
    "fieldset": "<legend>Legend</legend>Fields",
}
COMPONENTS = """{{ hero("20%", "off") }}{{ eyebrow("New") }}{{ button("Go", "https://a.example/b") }}
{{ link_in_full("https://a.example/c") }}{{ order_lines([{"name": "Bench", "quantity": 1}]) }}
{{ facts([["Order", "A-1"]]) }}{{ divider() }}<p class="small">Small <a href="https://a.example/">print</a></p>"""
PICTURE = '<img alt="A picture that is not shown" src="https://a.example/p.png">'
COLOURED = (
    '<p style="color: #222222">Dark words</p><div style="background-color: #ffffff">On white</div>'
    '<table bgcolor="#fffff0"><tr><td bgcolor="#ffffff"><font color="#333333">Cell</font></td></tr></table>'
)
LINKED = "".join(f'<{name}><a href="https://a.example/">Link</a></{name}>' for name in BLOCK if name not in INSIDE)

LOGO = '[logo]\nurl = "https://a.example/l.png"\nalt = "Alder Lane"\nwidth = 90\nheight = 30\n'
MEASURE = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def every_element() -> str:
    """Each element of HTML that shows words, in a mail's own words."""
    inline = "".join(f"<p>Beside <{name}>Words in {name}</{name}></p>" for name in INLINE)
    block = "".join(f"<{name}>{INSIDE.get(name, f'Words in {name}')}</{name}>" for name in BLOCK)
    return f"Bare words{inline}{block}{TABLE}{LINKED}{PICTURE}{COLOURED}{COMPONENTS}"


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Each mail of the desk, and one with every element, by name and language."""
    desk = tmp_path_factory.mktemp("desk") / "templates"
    shutil.copytree(DESK, desk)
    shutil.copytree(desk / "messages/order_shipped", desk / "messages/everything")
    for path in (desk / "messages/everything").glob("email*.html"):
        path.write_text(every_element())
    brand = desk / "brand/brand.toml"
    brand.write_text(brand.read_text().replace("[colours]", f"{LOGO}\n[colours]"))
    proof = check(desk)
    assert proof.desk is not None
    assert not proof.errors
    with opened(proof.desk, list(proof.messages.values())) as templates:
        return {
            f"{draft.name} {locale}": rendered(draft, EMAIL, locale, templates)["html"]
            for draft in proof.desk.drafts
            for locale in draft.locales(EMAIL)
        }


def measured(browser: Browser, mail: str, colours: str) -> list[dict[str, Any]]:
    """What each element says, and its contrast."""
    with browser.new_context(color_scheme=colours, offline=True) as context:  # type: ignore[arg-type]  # one of two
        page = context.new_page()
        page.set_content(mail, wait_until="domcontentloaded")
        found: list[dict[str, Any]] = page.evaluate(MEASURE)
        return found


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_element_of_every_mail_is_readable(browser: Browser, mails: dict[str, str], colours: str) -> None:
    hard = [
        f"{name}: <{each['name']}> {each['words'][:40]} {each['contrast']:.2f}"
        for name, mail in mails.items()
        for each in measured(browser, mail, colours)
        if each["contrast"] < READABLE
    ]
    assert hard == []


def test_the_measure_looks_at_every_element(browser: Browser, mails: dict[str, str]) -> None:
    seen = {each["name"] for each in measured(browser, mails["everything en"], "dark")}
    parts = {"li", "dt", "dd", "summary", "figcaption", "legend", "caption", "th", "td", "img"}
    assert {*INLINE, *BLOCK, *parts} - {"dl", "ol", "ul"} <= seen
