"""Every filter, test and function that words are offered, with hostile values in every place that data may take."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from jinja2 import DictLoader, TemplateSyntaxError

from builders import PUSH, a_message
from heliograph.model.policy import Policy
from heliograph.rendering.guards import PART_BYTES
from heliograph.rendering.templates import Catalogue, Environment, Templates, template_name
from heliograph.text.errors import UndeliverableError
from heliograph_cli.authoring import localising
from hostile import RAW, VALUES
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

INPUTS = budget(6_000)
LOCALES = ("en", "ar")
FORMATS = {tag: localising.formats(tag) for tag in LOCALES}
OFFERED = Environment(formats=FORMATS)
MARKER = "Marker-Amara"
FILES = ("push.title.txt", "push.body.txt")


def nested(depth: int) -> Any:
    deep: Any = MARKER
    for _ in range(depth):
        deep = [deep]
    return deep


USUAL: tuple[Any, ...] = ("2026-11-21T10:00:00Z", "EUR", "upper", "defined", "join", 3, 7.5, "x y z", MARKER, [3, 4])
SOUND = ({"x": 7.5, "y": "EUR", "z": 3}, {"x": "2026-11-21T10:00:00Z", "y": "long"})
ODD: tuple[Any, ...] = (
    *(value for value in VALUES if not (isinstance(value, str) and value in RAW)),
    *(float("inf"), float("nan"), 10**4_000, -(10**9), 0.1, nested(31), nested(2_000)),
    *([1, "a"], [{"a": 1}, {"b": MARKER}], {MARKER: MARKER}, [MARKER] * 3),
    *("%999999999d", "%s%s", "{0.__class__}", "{:>999999999}", "<" * 20_000, "<b>" + MARKER, "a.b.c"),
    *("__class__", "\U0001d800"),
)
"""What data may be: all that JSON can say, and some of what it cannot."""


def expressions() -> dict[str, str]:
    """What is offered, with data in each place: `center(2)` is the filter of that name with one more value."""
    given = {0: "", 1: "(data.y)", 2: "(data.y, data.z)"}
    made: dict[str, str] = {}
    for number, values in given.items():
        made |= {f"{name}({number})": f"{{{{ data.x | {name}{values} }}}}" for name in OFFERED.filters}
        made |= {f"is {name}({number})": f"{{{{ data.x is {name}{values} }}}}" for name in words(OFFERED.tests)}
    made |= {f"in {name}": f"{{% for n in data.x | {name} %}}{{{{ n }}}}{{% endfor %}}" for name in OFFERED.filters}
    made |= {f"{name}()": f"{{{{ {name}(data.x, data.y) }}}}" for name in OFFERED.globals}
    for sign in ("+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and"):
        made[sign] = f"{{{{ data.x {sign} data.y }}}}"
    reading = ("data.x[data.y]", "data.x.name", "data.x[1:data.y]", "data.x.format(data.y)", "data.x.join(data.y)")
    return made | {each: f"{{{{ {each} }}}}" for each in reading}


def words(names: Any) -> list[str]:
    return [name for name in names if name.isidentifier()]


def templates(of: dict[str, str]) -> Templates:
    """A message for each expression, in two languages."""
    messages = {
        f"m{number}": a_message(f"m{number}", channels=(PUSH,), locales={PUSH: LOCALES}) for number in range(len(of))
    }
    sources = {
        template_name(name, file, locale): text
        for name, text in zip(messages, of.values(), strict=True)
        for file in FILES
        for locale in LOCALES
    }
    catalogue = Catalogue(
        policy=Policy(),
        messages=messages,
        variables=dict.fromkeys(sources, ("data.x", "data.y", "data.z")),
        formats=FORMATS,
    )
    return Templates(catalogue, DictLoader(sources))


def test_words(tally: Tally) -> None:
    offered = expressions()
    made, names = templates(offered), list(offered)
    rng = Random(7)
    written = set[str]()
    for number in range(INPUTS):
        tally.inputs += 1
        which = names[number % len(names)]
        data = {name: rng.choice(USUAL if rng.random() < 0.3 else ODD) for name in "xyz" if rng.random() < 0.95}
        data = rng.choice(SOUND) if rng.random() < 0.2 else data
        message = made.messages[f"m{number % len(names)}"]
        try:
            content = made.render(
                message, PUSH, locale=rng.choice(LOCALES), recipient={}, data=data, unsubscribe_url=""
            )
        except UndeliverableError as refused:
            if MARKER.lower() in str(refused).lower() + refused.detail.lower():
                tally.harmed.append(f"{which}: a reason quotes data")
            continue
        except TemplateSyntaxError:
            raise  # an expression of this test
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            tally.unhandled.append(f"{which}: {type(error).__name__}: {str(error)[:200]} of {str(data)[:200]}")
            continue
        written.add(which)
        if any(len(text.encode()) > PART_BYTES for text in content.values()):
            tally.harmed.append(f"{which}: a part of more than {PART_BYTES} bytes")
    used = {each.partition("(")[0].removeprefix("is ") for each in written}
    never = {*OFFERED.filters, *words(OFFERED.tests)} - used
    assert not never
