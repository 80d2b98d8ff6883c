"""Which upload of a campaign folder is a run, of what, and which earlier runs have reached people for it.

A campaign's uploads are one small item that is only ever changed as a whole, by whoever read it last. So the first try
freezes what a run is made of, before anybody is written to, whatever is uploaded or tried again meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from heliograph.model.values import Value
from heliograph.text.errors import Code, MalformedError

KEPT: Final = 400
"""Uploads that are remembered: an item of about 100 KB, of the 400 that DynamoDB takes."""


class Phase(StrEnum):
    """How far an upload has come."""

    OPEN = "open"
    """Being read; nobody was written to."""
    SENDING = "sending"
    """Read to its end; who is in it is kept, and is written to whatever comes next."""
    REPLACED = "replaced"
    """A newer upload came before anybody was written to."""
    FAILED = "failed"
    """It could not be read, and nobody was written to."""


class Upload(Value, frozen=True, kw_only=True):
    """An upload, as its first try found it."""

    run_id: str
    started_at: datetime
    content: str
    """A hash of the manifest and the segment: the same content again is the same run."""
    segment: str
    """Its key."""
    version: str
    """Its version: what is put under the same key later is another one."""
    round: int = 1
    """`again = true` begins a new one."""
    phase: Phase = Phase.OPEN


class Uploads(Value, frozen=True, kw_only=True):
    """The uploads of a campaign folder, oldest first."""

    uploads: tuple[Upload, ...] = ()

    def find(self, run_id: str) -> Upload | None:
        """The upload of a run."""
        return next((each for each in self.uploads if each.run_id == run_id), None)

    def round(self) -> int:
        """The round in which people were last written to; 0 before the first."""
        return max((each.round for each in self.uploads if each.phase is Phase.SENDING), default=0)

    def before(self, upload: Upload) -> list[str]:
        """The runs that have reached people of the same round before, or are about to."""
        place = [each.run_id for each in self.uploads].index(upload.run_id)
        earlier = self.uploads[:place]
        return [each.run_id for each in earlier if each.phase is Phase.SENDING and each.round == upload.round]

    def moved(self, run_id: str, phase: Phase) -> Uploads:
        """The same with an upload in another phase."""
        return Uploads(
            uploads=tuple(_in_phase(each, phase) if each.run_id == run_id else each for each in self.uploads)
        )


class Admission(NamedTuple):
    """What becomes of an upload, and the uploads with it."""

    uploads: Uploads
    upload: Upload
    """The one that it is: an earlier one of the same content, or itself."""


def content_of(manifest: bytes, segment_etag: str) -> str:
    """What tells the contents of folders apart."""
    return blake2b(b"\0".join([segment_etag.encode(), manifest]), digest_size=16).hexdigest()


def admitted(uploads: Uploads, new: Upload, *, again: bool) -> Admission:
    """Take an upload in: it replaces those that are still being read.

    The same content as before is the same run, unless people were written to anew since. Raises MalformedError when a
    folder was uploaded too often.
    """
    known = uploads.find(new.run_id) or _same(uploads, new.content)
    if known is not None and known.phase is Phase.FAILED and known is uploads.uploads[-1]:
        opened = uploads.moved(known.run_id, Phase.OPEN)
        return Admission(opened, opened.uploads[-1])
    if known is not None:
        return Admission(uploads, known)
    begun = uploads.round()
    new = msgspec.structs.replace(new, round=begun + 1 if again else max(begun, 1))
    kept = [*_kept(uploads, new.round)]
    if len(kept) >= KEPT:
        raise MalformedError(
            Code.UPLOADED_TOO_OFTEN,
            "folder",
            f"was uploaded {KEPT} times: use a folder of another name, or `again = true`",
        )
    return Admission(Uploads(uploads=(*kept, new)), new)


def _same(uploads: Uploads, content: str) -> Upload | None:
    """A run of the same content that is being read, or that reached people in the round that holds."""
    begun = uploads.round()
    for each in uploads.uploads:
        holds = each.phase is Phase.OPEN or (each.phase is Phase.SENDING and each.round == begun)
        if holds and each.content == content:
            return each
    return None


def _kept(uploads: Uploads, round_: int) -> Iterator[Upload]:
    """What is remembered of earlier uploads: those of the same round, and the latest of others, for their retries."""
    others = [each for each in uploads.uploads if each.round != round_ or each.phase is not Phase.SENDING]
    forgotten = {each.run_id for each in others[: -KEPT // 4]}
    for each in uploads.uploads:
        if each.run_id not in forgotten:
            yield _in_phase(each, Phase.REPLACED) if each.phase is Phase.OPEN else each


def _in_phase(upload: Upload, phase: Phase) -> Upload:
    return msgspec.structs.replace(upload, phase=phase)
