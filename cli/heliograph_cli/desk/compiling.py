"""Compile the desk: the catalogue, and a Python module for each part of each message in each language."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import ModuleLoader, nodes

from heliograph.adapters.templates import OPTIONAL, PARTS, Catalogue, Templates, template_name
from heliograph.domain.locales import lookup
from heliograph.domain.model import Channel, Message, Policy, QuietHours
from heliograph_cli.desk import compose
from heliograph_cli.desk.sources import Desk, Draft
from heliograph_cli.desk.variables import variables

VERSION_LENGTH = 16  # hexadecimal digits: 64 bits tell all versions apart


def compiled(desk: Desk) -> tuple[Catalogue, dict[str, str]]:
    """The catalogue, and the code of each template by its name."""
    modules: dict[str, str] = {}
    read: dict[str, tuple[str, ...]] = {}
    messages: dict[str, Message] = {}
    for draft in desk.drafts:
        own: dict[str, str] = {}
        for name, file, words, locale in parts(desk, draft):
            tree = compose.template(desk, _speaking(draft, file, words, locale), file, locale)
            own[name] = compose.ENVIRONMENT.compile(tree, name, raw=True, defer_init=True)
            read[name] = tuple(variable.path for variable in variables(tree, _macros(tree)))
        modules |= own
        messages[draft.name] = message(desk, draft, _hash(own))
    brand = desk.brand.model_dump(mode="json")
    return Catalogue(policy=policy(desk), messages=messages, brand=brand, variables=read), modules


def parts(desk: Desk, draft: Draft) -> Iterator[tuple[str, str, str, str]]:
    """Each template of a message: its compiled name, its file, the language of its words, the language it is for."""
    for channel in draft.facts.channels:
        for part, file in PARTS[channel].items():
            written = locales(desk, draft, channel, file)
            for locale in locales(desk, draft, channel):
                if locale in written or (part in OPTIONAL and written):
                    yield template_name(draft.name, file, locale), file, lookup(locale, written), locale


def locales(desk: Desk, draft: Draft, channel: Channel, file: str = "") -> tuple[str, ...]:
    """The languages of a channel, or of one file, the default first."""
    tags = sorted(draft.words.get(file, {})) if file else draft.locales(channel)
    default = desk.policy.default_locale
    return tuple(sorted(tags, key=lambda tag: (tag != default, tag)))


def message(desk: Desk, draft: Draft, version: str) -> Message:
    """The facts of a message, as the functions read them."""
    facts = draft.facts
    return Message(
        name=draft.name,
        version=version,
        topic=facts.topic,
        purpose=facts.purpose,
        channels=facts.channels,
        locales={channel: locales(desk, draft, channel) for channel in facts.channels},
        expires_after=int(facts.expires_after.total_seconds()) if facts.expires_after else None,
        trigger=facts.trigger.to_model() if facts.trigger else None,
        sms_parts=facts.sms_parts,
        on_unknown=facts.on_unknown,
    )


def policy(desk: Desk) -> Policy:
    """The policy, as the functions read it."""
    facts = desk.policy
    hours = {channel: QuietHours(start=hours.start, end=hours.end) for channel, hours in facts.quiet_hours.items()}
    return Policy(
        version=hashlib.sha256(facts.model_dump_json().encode()).hexdigest()[:VERSION_LENGTH],
        default_locale=facts.default_locale,
        default_timezone=facts.default_timezone,
        default_region=facts.default_region,
        topics=facts.topics,
        quiet_hours=hours,
    )


def _speaking(draft: Draft, file: str, words: str, locale: str) -> Draft:
    """The draft with a file's words of one language standing for another."""
    if words == locale:
        return draft
    texts = {**draft.words[file], locale: draft.words[file][words]}
    return replace(draft, words={**draft.words, file: texts})


def _macros(tree: nodes.Template) -> dict[str, nodes.Macro]:
    return {node.name: node for node in tree.body if isinstance(node, nodes.Macro)}


def _hash(modules: dict[str, str]) -> str:
    """The version of a message: everything that it is rendered from is in its compiled code."""
    digest = hashlib.sha256()
    for name, code in sorted(modules.items()):
        digest.update(f"{name}\0{code}\0".encode())
    return digest.hexdigest()[:VERSION_LENGTH]


def module_files(modules: Mapping[str, str]) -> dict[str, str]:
    """The name under which Jinja2's ModuleLoader looks for each module, and its code."""
    return {ModuleLoader.get_module_filename(name): code for name, code in modules.items()}


@contextmanager
def opened(desk: Desk) -> Iterator[Templates]:
    """The messages, compiled for a moment, rendered as the functions render them."""
    catalogue, modules = compiled(desk)
    with TemporaryDirectory() as folder:
        for name, code in module_files(modules).items():
            (Path(folder) / name).write_text(code, encoding="utf-8")
        yield Templates(catalogue, ModuleLoader(folder))
