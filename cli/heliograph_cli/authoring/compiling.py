"""Compile the desk: the catalogue, and a Python module for each part of each message in each language."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from jinja2 import ModuleLoader, TemplateError, nodes

from heliograph.channels.registry import spec
from heliograph.channels.spec import Holds
from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.rendering.destinations import NEVER, SCHEMES, scheme_of, schemes_of
from heliograph.rendering.filters import FILTERS
from heliograph.rendering.formats import Formats
from heliograph.rendering.templates import Catalogue, Reads, Templates, template_name
from heliograph.text.locales import lookup
from heliograph_cli.authoring import compose
from heliograph_cli.authoring.localising import formats
from heliograph_cli.authoring.policy import compiled_policy
from heliograph_cli.authoring.reads import reads
from heliograph_cli.authoring.sources import PARTS, Desk, Draft
from heliograph_cli.authoring.variables import variables
from heliograph_cli.authoring.versions import hashed

UNCOMPILABLE = (TemplateError, SyntaxError, RecursionError, MemoryError)
"""What Jinja2 and Python raise for templates that are nested too deeply, or contradict themselves."""


@dataclass(frozen=True)
class Compiled:
    """A message, compiled."""

    message: Message
    modules: dict[str, str]
    """Template -> its code."""
    variables: dict[str, tuple[str, ...]]
    """Template -> the variables that it reads."""
    reads: dict[str, Reads]
    """Template -> what it reads of a person."""
    formats: dict[str, Formats]
    """Language -> its rules, where the words write anything by them."""


def compiled(desk: Desk, draft: Draft) -> Compiled:
    """A message's templates as Python. What cannot be compiled raises one of UNCOMPILABLE."""
    modules: dict[str, str] = {}
    read: dict[str, tuple[str, ...]] = {}
    personal: dict[str, Reads] = {}
    rules: dict[str, Formats] = {}
    for name, file, words, locale in parts(desk, draft):
        tree = compose.template(desk, _speaking(draft, file, words, locale), file, locale)
        modules[name] = compose.ENVIRONMENT.compile(tree, name, raw=True, defer_init=True)
        read[name] = tuple(variable.path for variable in variables(tree, _macros(tree)))
        personal |= {name: found} if (found := reads(tree, _macros(tree))) else {}
        rules |= {locale: formats(locale)} if _is_localised(tree) else {}
    return Compiled(message(desk, draft, modules, rules), modules, read, personal, rules)


def catalogue(desk: Desk, messages: Iterable[Compiled]) -> Catalogue:
    """What the functions read beside the templates."""
    policy, brand = compiled_policy(desk), desk.brand.model_dump(mode="json")
    made = list(messages)
    return Catalogue(
        policy=policy,
        messages={each.message.name: each.message for each in made},
        brand=brand,
        variables={name: paths for each in made for name, paths in each.variables.items()},
        reads={name: found for each in made for name, found in each.reads.items()},
        formats={tag: rules for each in made for tag, rules in each.formats.items()},
        schemes=_schemes(desk),
    )


def _schemes(desk: Desk) -> frozenset[str]:
    """What the links of messages and components begin with, as they are written."""
    words = [
        (file, source.text) for draft in desk.drafts for file, texts in draft.words.items() for source in texts.values()
    ]
    links = frozenset(scheme_of(text) for file, text in words if file in PARTS and PARTS[file].holds is Holds.LINK)
    texts = [text for _, text in words] + [source.text for source in desk.components]
    return links.union(*map(schemes_of, texts)) - SCHEMES - NEVER - {""}


def _is_localised(tree: nodes.Template) -> bool:
    """Whether a template writes anything by the rules of its language."""
    return any(found.name in FILTERS for found in tree.find_all(nodes.Filter))


def parts(desk: Desk, draft: Draft) -> Iterator[tuple[str, str, str, str]]:
    """Each template of a message: its compiled name, its file, the language of its words, the language it is for."""
    for channel in draft.every_channel():
        for part in spec(channel).parts.values():
            file, written = part.file, locales(desk, draft, channel, part.file)
            for locale in locales(desk, draft, channel):
                if locale in written or (part.is_optional and written):
                    yield template_name(draft.name, file, locale), file, lookup(locale, written), locale


def locales(desk: Desk, draft: Draft, channel: Channel, file: str = "") -> tuple[str, ...]:
    """The languages of a channel, or of one file, the default first."""
    tags = sorted(draft.words.get(file, {})) if file else draft.locales(channel)
    default = desk.policy.default_locale
    return tuple(sorted(tags, key=lambda tag: (tag != default, tag)))


def message(desk: Desk, draft: Draft, modules: Mapping[str, str], rules: Mapping[str, Formats]) -> Message:
    """The facts of a message, as the functions read them."""
    facts = draft.facts
    unversioned = Message(
        name=draft.name,
        version="",
        topic=facts.topic,
        purpose=facts.purpose,
        channels=draft.channels,
        fallback=tuple(fallback.to_model() for fallback in facts.fallback),
        wait_at_most=_seconds(facts.wait_at_most),
        by_engagement=facts.by_engagement,
        locales={channel: locales(desk, draft, channel) for channel in draft.every_channel()},
        expires_after=_seconds(facts.expires_after),
        sms_parts=facts.sms_parts,
        on_unknown=facts.on_unknown,
    )
    made_of = [
        msgspec.json.encode(part, order="sorted").decode() for part in (unversioned, *([rules] if rules else []))
    ]
    version = hashed([*made_of, *chain(*sorted(modules.items()))])
    trigger = facts.trigger.to_model() if facts.trigger else None
    return msgspec.structs.replace(unversioned, version=version, trigger=trigger)


def _seconds(time: timedelta | None) -> int | None:
    return int(time.total_seconds()) if time else None


def _speaking(draft: Draft, file: str, words: str, locale: str) -> Draft:
    """The draft with a file's words of one language standing for another."""
    if words == locale:
        return draft
    texts = {**draft.words[file], locale: draft.words[file][words]}
    return replace(draft, words={**draft.words, file: texts})


def _macros(tree: nodes.Template) -> dict[str, nodes.Macro]:
    return {node.name: node for node in tree.body if isinstance(node, nodes.Macro)}


def module_files(modules: Mapping[str, str]) -> dict[str, str]:
    """The name under which Jinja2's ModuleLoader looks for each module, and its code."""
    return {ModuleLoader.get_module_filename(name): code for name, code in modules.items()}


@contextmanager
def opened(desk: Desk, messages: Sequence[Compiled]) -> Iterator[Templates]:
    """Compiled messages for a moment, rendered as the functions render them."""
    with TemporaryDirectory() as folder:
        for each in messages:
            for name, code in module_files(each.modules).items():
                (Path(folder) / name).write_text(code, encoding="utf-8")
        yield Templates(catalogue(desk, messages), ModuleLoader(folder))
