"""Rendering all parts of a mail, against plain Jinja2 on the very same templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jinja2 import DictLoader, Template
from jinja2 import Environment as PlainJinja2

from benchmarks import place
from benchmarks.measuring import Figure, cpu_of, ratio
from builders import EMAIL
from heliograph.channels.registry import spec
from heliograph.runtime import wiring
from heliograph_cli.authoring import compose
from heliograph_cli.authoring.lint import check

KEYS = ("render_vs_plain_jinja2",)
MESSAGE = "bench_sale"
RENDERS = 400


def plain_templates(desk_folder: Path) -> list[Template]:
    """The parts of the mail, compiled by Jinja2 as it comes, with nothing but escaping."""
    desk = check(desk_folder).desk
    assert desk is not None
    draft = next(draft for draft in desk.drafts if draft.name == MESSAGE)
    templates = []
    for part in spec(EMAIL).parts.values():
        file = part.file
        plain = PlainJinja2(loader=DictLoader({}), autoescape=file.endswith(".html"))
        tree = compose.template(desk, draft, file, "en")
        templates.append(Template.from_code(plain, plain.compile(tree, file, file), plain.globals))
    return templates


def figures(desk_folder: Path, *, rounds: int) -> Iterator[Figure]:
    """The figure of rendering."""
    parts, render = plain_templates(desk_folder), wiring.stencils().render
    sample, message, link = (
        place.sample(MESSAGE),
        wiring.templates().messages[MESSAGE],
        "https://alderlane.example.com/u/x",
    )
    people = [sample["recipient"] | {"first_name": f"Amara {number}"} for number in range(RENDERS)]

    def by_jinja2() -> list[str]:
        last = []
        for person in people:
            context = {"recipient": person, "data": sample["data"], "unsubscribe_url": link}
            last = [part.render(context) for part in parts]
        return last

    def by_us() -> dict[str, str]:
        last = {}
        for person in people:
            last = render(
                message,
                EMAIL,
                locale="en",
                recipient=person,
                data=sample["data"],
                unsubscribe_url=link,
            )
        return last

    assert [text.strip() for text in by_jinja2()] == list(by_us().values())
    size = len(by_us()["html"].encode())
    yield ratio(
        KEYS[0],
        f"subject, {size / 1024:.1f} KB of HTML and the text",
        lambda: cpu_of(by_jinja2, RENDERS),
        lambda: cpu_of(by_us, RENDERS),
        rounds=rounds,
        notes={"html_bytes": size},
    )
