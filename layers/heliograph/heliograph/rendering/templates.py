"""Render messages from the compiled templates: no parsing, no CSS, no files but the modules of the layer.

The desk (`heliograph_cli.authoring.build`) compiles `templates/` into a package; this module reads it.
"""

import importlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import BaseLoader, ModuleLoader, StrictUndefined, Template, UndefinedError
from jinja2.runtime import Context as JinjaContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from heliograph.channels.registry import spec
from heliograph.channels.spec import Holds, Part
from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.values import JsonObject
from heliograph.rendering.destinations import leads_anywhere_astray, leads_astray
from heliograph.rendering.filters import FILTERS, refuse_unwritable
from heliograph.rendering.formats import Formats
from heliograph.rendering.guards import (
    NO_WORDS,
    TooMuchError,
    bounded,
    guarded,
    refuse_large_call,
    refuse_large_operation,
)
from heliograph.text.errors import UndeliverableError
from heliograph.text.locales import lookup

LOCALES_KNOWN: Final = 1_024  # that people wanted lately
_lookup = lru_cache(maxsize=LOCALES_KNOWN)(lookup)

Context = dict[str, Any]
"""What words may use: `recipient`, `data`, `locale`, `unsubscribe_url`, `timezone`."""
ASTRAY = {Holds.MARKUP: leads_anywhere_astray, Holds.LINK: leads_astray}
"""How a link is found that leads where no data may lead people, in the parts that hold links."""


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """What a template reads of one person (`recipient.first_name`, `unsubscribe_url`, `timezone`), and what for."""

    holes: dict[str, tuple[str, ...]] = {}
    """What is only written down, or asked for, or compared with the texts that stand here."""
    computed: tuple[str, ...] = ()
    """What something else is made of: a filter, a calculation, a loop."""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """`catalogue.json`: what the desk compiled."""

    policy: Policy
    messages: dict[str, Message]
    brand: JsonObject = {}
    variables: dict[str, tuple[str, ...]] = {}
    """Template -> the variables that it reads, such as `data.lines[].name`."""
    reads: dict[str, Reads] = {}
    """Template -> what it reads of a person; one that hands the whole person on is not here."""
    formats: dict[str, Formats] = {}
    """Language -> its rules, for the languages whose words write numbers or dates by them."""
    schemes: frozenset[str] = frozenset()
    """What links may begin with besides `https:` and its like, as the words write it: `shop` of `shop://orders`."""


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2 for words: sandboxed, escaping in HTML, strict about what is missing. A null is as good as missing."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, loader: BaseLoader | None = None, *, formats: Mapping[str, Formats]) -> None:
        self.formats = formats
        super().__init__(
            loader=loader,
            autoescape=is_html,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
        )
        self.policies |= {"json.dumps_kwargs": {"sort_keys": True, "default": refuse_unwritable}}
        self.filters = guarded(self.filters) | FILTERS
        self.globals = {name: value for name, value in self.globals.items() if name not in NO_WORDS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a field; `data.items` is the field of that name, never the method of a dict."""
        if type(obj) is dict or isinstance(obj, Mapping):
            return self._field(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Read a field by its name in quotes, or an item by its place."""
        if isinstance(obj, Mapping):
            return self._field(obj, argument)
        return super().getitem(obj, argument)

    def call(self, context: JinjaContext, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what words call, unless it would make too much of a text."""
        refuse_large_call(obj, (*args, *kwargs.values()))
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: JinjaContext, operator: str, left: Any, right: Any) -> Any:
        """Calculate, unless the result would be too large."""
        refuse_large_operation(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _field(self, obj: Mapping[Any, Any], name: Any) -> Any:
        value = obj.get(name)
        return self.undefined(obj=obj, name=name) if value is None else value


def is_html(template: str | None) -> bool:
    """Whether a template's data is escaped."""
    return template is not None and template.endswith(".html")


def template_name(message: str, file: str, locale: str) -> str:
    """The compiled name of a file in a language: `order_shipped/email.subject.de.txt`."""
    stem, _, extension = file.rpartition(".")
    return f"{message}/{stem}.{locale}.{extension}"


class Templates:
    """The compiled messages, ready to render."""

    def __init__(self, catalogue: Catalogue, loader: BaseLoader) -> None:
        self.policy = catalogue.policy
        self.messages: Mapping[str, Message] = catalogue.messages
        self.variables = catalogue.variables
        self.brand = catalogue.brand
        self.schemes = catalogue.schemes
        self.reads = catalogue.reads
        self._environment = Environment(loader, formats=catalogue.formats)
        self._templates: dict[tuple[str, Channel, str], tuple[tuple[str, Template], ...]] = {}

    def message(self, name: str) -> Message | None:
        """The facts of a message, or None if there is no such message."""
        return self.messages.get(name)

    def locale_for(self, message: Message, channel: Channel, wanted: str) -> str:
        """The translation that somebody who wants a language gets."""
        return _lookup(wanted or self.policy.default_locale, message.locales[channel])

    def render(
        self,
        message: Message,
        channel: Channel,
        *,
        locale: str,
        recipient: Mapping[str, Any],
        data: Mapping[str, Any],
        unsubscribe_url: str,
        timezone: str = "",
    ) -> dict[str, str]:
        """The parts of the content, as `written`; raises UndeliverableError, too, when data leads people astray."""
        found = self.locale_for(message, channel, locale)
        context = self.context(found, recipient, data, unsubscribe_url=unsubscribe_url, timezone=timezone)
        return self.rendered(message, channel, context)

    def written(
        self,
        message: Message,
        channel: Channel,
        *,
        locale: str,
        recipient: Mapping[str, Any],
        data: Mapping[str, Any],
        unsubscribe_url: str,
    ) -> dict[str, str]:
        """The parts of the content, wherever their links lead; raises UndeliverableError as `texts` does."""
        found = self.locale_for(message, channel, locale)
        context = self.context(found, recipient, data, unsubscribe_url=unsubscribe_url, timezone="")
        return finished(channel, self.texts(message, channel, context))

    def context(
        self, locale: str, recipient: Mapping[str, Any], data: Mapping[str, Any], *, unsubscribe_url: str, timezone: str
    ) -> Context:
        """What words may use. Times are in the time zone of the person; without one, in that of the policy."""
        return {
            "recipient": recipient,
            "data": data,
            "locale": locale,
            "unsubscribe_url": unsubscribe_url,
            "timezone": timezone or self.policy.default_timezone,
        }

    def rendered(self, message: Message, channel: Channel, context: Context) -> dict[str, str]:
        """The same of a context."""
        content = finished(channel, self.texts(message, channel, context))
        self.refuse_astray(message, channel, content)
        return content

    def texts(self, message: Message, channel: Channel, context: Context) -> dict[str, str]:
        """What the templates make of a context, part by part; raises UndeliverableError.

        It names the variable that is missing. Whatever else the words cannot do with the data refuses this person,
        too, and nobody else.
        """
        return {
            name: self._text(template, context) for name, template in self.parts(message, channel, context["locale"])
        }

    def refuse_astray(self, message: Message, channel: Channel, content: Mapping[str, str]) -> None:
        """Raise UndeliverableError when a link of a part leads where no data may lead people."""
        for name, part in spec(channel).parts.items():
            astray = ASTRAY.get(part.holds)
            if astray and name in content and astray(content[name], self.schemes):
                raise UndeliverableError(Reason.UNSAFE_LINK, f"the {name} of {message.name}")

    def parts(self, message: Message, channel: Channel, locale: str) -> tuple[tuple[str, Template], ...]:
        """The templates of a message in a language, by the part that each is of."""
        key = (message.name, channel, locale)
        if key not in self._templates:
            self._templates[key] = tuple(self._load(message.name, channel, locale))
        return self._templates[key]

    def _load(self, message: str, channel: Channel, locale: str) -> list[tuple[str, Template]]:
        named = [(name, part, template_name(message, part.file, locale)) for name, part in spec(channel).parts.items()]
        return [
            (name, self._environment.get_template(template))
            for name, part, template in named
            if not part.is_optional or template in self.variables
        ]

    def _text(self, template: Template, context: Context) -> str:
        try:
            return bounded(template.root_render_func(template.new_context(context)))
        except UndefinedError as missing:
            raise UndeliverableError(Reason.MISSING_VARIABLE, self._variable(template, missing, context)) from None
        except TooMuchError:
            raise UndeliverableError(Reason.TOO_LONG, template.name or "") from None
        except Exception:  # noqa: BLE001 - rendering is pure: one person's data would fail again, and stop all others
            raise UndeliverableError(Reason.MISSING_VARIABLE, f"unusable value in {template.name}") from None

    def _variable(self, template: Template, missing: UndefinedError, context: Mapping[str, Any]) -> str:
        """Name the missing variable as the template spells it; the text of the error might quote data."""
        said = (missing.message or "").removesuffix(" is undefined")
        paths = self.variables.get(template.name or "", ())
        named = [path for path in paths if said.endswith(repr(path.removesuffix("[]").rpartition(".")[2]))]
        return next((path for path in named if not is_present(path, context)), "unknown variable")


def finished(channel: Channel, texts: Mapping[str, str]) -> dict[str, str]:
    """Texts as a channel sends them: without space around them, in one line where a line break would do harm."""
    told = spec(channel)
    return {name: told.spell(_trimmed(told.parts[name], text)) for name, text in texts.items()}


def _trimmed(part: Part, text: str) -> str:
    return " ".join(text.split()) if part.is_one_line else text.strip()


def is_present(path: str, context: Mapping[str, Any]) -> bool:
    """Whether a context has a variable. What an empty list would hold cannot be known, and passes."""
    values: list[Any] = [context]
    for step in path.replace("[]", ".[]").split("."):
        values = [found for value in values for found in _step(value, step)]
        if None in values:
            return False
    return True


def _step(value: Any, step: str) -> Sequence[Any]:
    if step == "[]":
        return value if isinstance(value, list | tuple) else [None]
    return [value.get(step) if isinstance(value, Mapping) else None]


@lru_cache
def load(package: str = "heliograph_templates") -> Templates:
    """Read the compiled templates of a package, once."""
    folder = Path(importlib.import_module(package).__file__ or "").parent
    catalogue = msgspec.json.decode((folder / "catalogue.json").read_bytes(), type=Catalogue)
    return Templates(catalogue, ModuleLoader(folder))
