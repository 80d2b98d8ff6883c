"""What lies on the desk, once it is read."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from heliograph.channels.registry import CHANNELS, spec
from heliograph.model.channels import Channel
from heliograph_cli.authoring.facts import BrandFacts, MessageFacts, Sample, Words
from heliograph_cli.authoring.policy_facts import HoursFile, PolicyFacts
from heliograph_cli.authoring.reading import line_of, read_text

PARTS = {part.file: part for channel in CHANNELS for part in spec(channel).parts.values()}
"""Every file that is a part of the content."""
FILES = {file: channel for channel in CHANNELS for file in spec(channel).files()}
"""Every file of words, and its channel."""
SHARED = frozenset(file for file, part in PARTS.items() if part.is_optional)
"""Files that need no translation: a language without its own takes that of a more general one."""


@dataclass(frozen=True)
class Source:
    """A file of words or markup."""

    file: str
    text: str


@dataclass(frozen=True)
class Draft:
    """A message's folder as it was read."""

    name: str
    facts: MessageFacts
    channels: tuple[Channel, ...]
    """Those of message.toml, else those of the policy that there are words for and that are no fallback."""
    words: dict[str, dict[str, Source]]
    """File, such as `email.subject.txt`, -> locale -> its text."""
    samples: dict[str, Sample]
    """Locale -> sample; `""` is the one for every language."""
    sample_texts: dict[str, Source]
    """The files that the samples were read from."""

    @property
    def folder(self) -> str:
        """Its folder, as findings name it."""
        return f"messages/{self.name}"

    def owns(self, file: str) -> bool:
        """Whether a file is of this message."""
        return file == self.folder or file.startswith(f"{self.folder}/")

    def every_channel(self) -> tuple[Channel, ...]:
        """The channels of the message and of its fallbacks, each once."""
        return tuple(dict.fromkeys(chain(self.channels, *(fallback.channels for fallback in self.facts.fallback))))

    def locales(self, channel: Channel) -> list[str]:
        """The languages that a channel has any words in."""
        files = [texts for file, texts in self.words.items() if FILES[file] == channel and file not in SHARED]
        return sorted({locale for texts in files for locale in texts})

    def sample(self, locale: str) -> Sample:
        """The sample for a language."""
        return self.samples.get(locale) or self.samples[""]

    def sample_sources(self, locale: str) -> list[Source]:
        """The file of the sample for a language; none, when it could not be read."""
        texts = self.sample_texts
        return [texts[found] for found in (locale, "") if found in texts][:1]


@dataclass(frozen=True)
class Desk:
    """The whole folder, read."""

    folder: Path
    policy: PolicyFacts
    hours: dict[str, HoursFile]
    """The files of `hours/`, by their names."""
    years: range
    """The years whose public holidays are known to the policy."""
    brand: BrandFacts
    css: str
    layouts: dict[str, Source]
    """The file that it surrounds, such as `email.html`, -> the layout."""
    components: tuple[Source, ...]
    words: dict[str, Words]
    """Locale -> the words that all messages share."""
    drafts: tuple[Draft, ...]

    def line(self, file: str, *position: str | int) -> int:
        """The line of a file where a field stands; 0 when it cannot be seen."""
        return line_of(read_text(self.folder / file), position)
