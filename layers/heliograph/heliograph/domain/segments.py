"""A campaign folder: its manifest, and its segment as packs of send requests and refused rows."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Literal, NamedTuple

import msgspec

from heliograph.domain import ids
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import JsonObject, Lane, Message, RequestPack, Run, SegmentRows, SendRequest, Value
from heliograph.domain.rows import Table

PACK_LIMIT = 100  # people: one BatchGetItem
PACK_BYTES = 180_000  # of cells: a pack must fit into 256 KB, the input of a schedule


class Problem(NamedTuple):
    """A row that was refused: where, and why; never its text."""

    row: int
    column: str
    reason: str


FOLDER = "campaigns"
MANIFEST = "campaign.toml"


class UploadedObject(Value, frozen=True, kw_only=True, rename="kebab"):
    """An object in an S3 event."""

    key: str
    version_id: str = ""
    etag: str = ""


class UploadedDetail(Value, frozen=True, kw_only=True):
    """The detail of an S3 event."""

    object: UploadedObject


class Uploaded(Value, frozen=True, kw_only=True):
    """S3's `Object Created` event for a manifest, as EventBridge delivers it."""

    time: datetime
    detail: UploadedDetail


class Campaign(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`campaign.toml`: what a marketer wants sent to a segment."""

    message: str
    schedule: Literal["now"] = "now"
    segment: str = "segment.csv"
    data: JsonObject = {}
    """Values for every person's template, as `data.<name>`."""


def read_campaign(text: bytes) -> Campaign:
    """Read a manifest; raises MalformedError with the field and what is wrong with it."""
    try:
        campaign = msgspec.toml.decode(text, type=Campaign)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(MANIFEST, str(error)) from None
    if "/" in campaign.segment:
        raise MalformedError(f"{MANIFEST}: segment", "name a file in the campaign's own folder")
    return campaign


def campaign_name(key: str) -> str:
    """The name of the campaign whose manifest lies at a key `campaigns/<name>/campaign.toml`."""
    folder, name, file = [*key.split("/"), "", ""][:3]
    if folder != FOLDER or file != MANIFEST or not ids.is_identifier(name):
        raise MalformedError("key", f"a manifest lies at {FOLDER}/<name>/{MANIFEST}, name of A-Z a-z 0-9 _ -")
    return name


def new_run(uploaded: Uploaded) -> Run:
    """The run that an upload starts: the same upload is the same run, another version of the manifest another one."""
    manifest = uploaded.detail.object
    started_at = uploaded.time.astimezone(UTC)
    return Run(
        run_id=ids.derived_id(started_at, manifest.key, manifest.version_id or manifest.etag),
        campaign=campaign_name(manifest.key),
        message="",
        started_at=started_at,
    )


def frozen(run: Run, campaign: Campaign, segment: str, version: str) -> bytes:
    """The run's manifest as it is kept: what was sent to whom, in which versions."""
    return msgspec.json.format(
        msgspec.json.encode({"run": run, "campaign": campaign, "segment": {"key": segment, "version": version}})
    )


def people(table: Table, refuse: Callable[[Problem], object] = lambda problem: None) -> Iterator[list[str]]:
    """A segment's rows; those that are refused are handed to `refuse`, with column and reason."""
    place, is_new, is_identifier = table.columns.index("recipient_id"), newcomers(), ids.IDENTIFIER.fullmatch
    for number, cells in table.records:
        if isinstance(cells, str):
            refuse(Problem(number, "", cells))
            continue
        recipient_id = cells[place]
        if not is_identifier(recipient_id):
            cells[place] = recipient_id = recipient_id.strip()
            if not is_identifier(recipient_id):
                refuse(Problem(number, "recipient_id", "must be 1 to 128 characters of A-Z a-z 0-9 _ -"))
                continue
        if is_new(hash(recipient_id)):
            yield cells
        else:
            refuse(Problem(number, "recipient_id", "this person stands in an earlier row"))


def newcomers(places: int = 1 << 20) -> Callable[[int], bool]:
    """Tells whether a hash comes for the first time, at 16 to 32 bytes a person, where a set of ids takes a hundred.

    A table of 64-bit hashes with open addressing, half full at most; `places` is a power of two to begin with. That two
    of a million people have the same hash, and one of them is refused for it, has a chance of 1 in 37 million; of ten
    million people, 1 in 370,000.
    """
    table, last, room = array("q", [0]) * places, places - 1, places // 2

    def is_new(fingerprint: int) -> bool:
        nonlocal table, last, room
        fingerprint = fingerprint or 1  # 0 is an empty place
        place = fingerprint & last
        while found := table[place]:
            if found == fingerprint:
                return False
            place = (place + 1) & last
        table[place] = fingerprint
        room -= 1
        if not room:
            table = _twice_as_large(table)
            last, room = len(table) - 1, len(table) // 4
        return True

    return is_new


def _twice_as_large(table: array[int]) -> array[int]:
    larger = array("q", [0]) * (2 * len(table))
    last = len(larger) - 1
    for fingerprint in filter(None, table):
        place = fingerprint & last
        while larger[place]:
            place = (place + 1) & last
        larger[place] = fingerprint
    return larger


def packs(
    rows: Iterable[list[str]], columns: Iterable[str], run: Run, message: Message, campaign: Campaign
) -> Iterator[RequestPack]:
    """Rows in packs whose ids are derived from the run and their first person."""
    expires = message.expires_after
    common = SegmentRows(
        message=message.name,
        requested_at=run.started_at,
        columns=tuple(columns),
        rows=(),
        data=campaign.data,
        not_after=run.started_at + timedelta(seconds=expires) if expires else None,
    )
    rest = iter(rows)
    while some := list(islice(rest, PACK_LIMIT)):
        yield from (_pack(each, common, run) for each in _small_enough(some))


def _small_enough(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    """Nearly always all of them; halves while they are too large to travel together."""
    if len(rows) == 1 or len("".join(chain.from_iterable(rows))) <= PACK_BYTES:
        yield rows
        return
    middle = len(rows) // 2
    yield from _small_enough(rows[:middle])
    yield from _small_enough(rows[middle:])


def _pack(rows: list[list[str]], common: SegmentRows, run: Run) -> RequestPack:
    first = ids.derived_id(run.started_at, run.run_id, rows[0][common.columns.index("recipient_id")])
    return RequestPack(
        pack_id=ids.derived_id(run.started_at, "pack", first),
        lane=Lane.BULK,
        run_id=run.run_id,
        segment=msgspec.structs.replace(common, rows=tuple(rows)),
    )


def unpacked(pack: RequestPack) -> RequestPack:
    """The pack with its send requests, whether it came from a segment or brought them along."""
    if pack.segment is None:
        return pack
    segment = pack.segment
    request_id = ids.deriving(segment.requested_at, pack.run_id)
    people = [dict(zip(segment.columns, row, strict=True)) for row in segment.rows]
    requests = [
        SendRequest(
            request_id=request_id(recipient_id),
            message=segment.message,
            recipient_id=recipient_id,
            requested_at=segment.requested_at,
            data=segment.data,
            attributes=attributes,
            run_id=pack.run_id,
            not_after=segment.not_after,
        )
        for attributes in people
        for recipient_id in [attributes.pop("recipient_id")]
    ]
    return msgspec.structs.replace(pack, requests=tuple(requests), segment=None)
