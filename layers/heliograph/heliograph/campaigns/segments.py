"""A campaign folder: its manifest, its segment as packs of send requests and refused rows, and what came of it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from heliograph.campaigns.newcomers import Newcomers
from heliograph.campaigns.uploads import Upload
from heliograph.model.messages import Message
from heliograph.model.requests import Cause, Lane, RequestPack, SegmentRows, SendRequest
from heliograph.model.runs import Run
from heliograph.model.values import JsonObject, Value
from heliograph.text import ids
from heliograph.text.answers import answer
from heliograph.text.bodies import PACK_BYTES, body
from heliograph.text.csv import Refused, Table
from heliograph.text.errors import Code, MalformedError
from heliograph.text.lines import Encoding
from heliograph.text.payloads import REFERENCE_BYTES, short, unquoted_toml

IDENTIFIERS: Final = re.compile(rf"(?:{ids.IDENTIFIER.pattern}\n)+")
PACK_LIMIT: Final = 100  # people: one BatchGetItem
FOLDER: Final = "campaigns"
MANIFEST: Final = "campaign.toml"
MANIFEST_LIMIT: Final = 65_536  # bytes
NAME_BYTES: Final = 255  # of the name of the segment; a key of S3 has 1,024 with its folder
DATA_LIMIT: Final = 10_000  # bytes of `data` as JSON: every person's request carries it
DEPTH_LIMIT: Final = 32  # tables and lists within `data`
INTEGERS: Final = range(-(2**63), 2**63)
"""What every reader of JSON takes."""


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
    encoding: Literal[Encoding, ""] = ""
    """Of the segment, where it is not UTF-8 and nothing else for certain."""
    again: bool = False
    """Whether everybody is written to, whom earlier runs of this campaign have reached as well."""
    reference: str = ""
    """By what its runs and messages are found later, such as the number of a ticket."""
    data: JsonObject = {}
    """Values for every person's template, as `data.<name>`."""


def read_campaign(text: bytes) -> Campaign:
    """Read a manifest; raises MalformedError with the field and what is wrong with it."""
    try:
        campaign = msgspec.toml.decode(text, type=Campaign)
    except RecursionError:
        raise MalformedError(Code.BAD_MANIFEST, MANIFEST, f"is nested deeper than {DEPTH_LIMIT}") from None
    except UnicodeDecodeError:
        raise MalformedError(Code.BAD_MANIFEST, MANIFEST, "is not UTF-8 text: save it as UTF-8") from None
    except (msgspec.DecodeError, ValueError) as error:  # an integer of too many digits is a ValueError
        raise MalformedError(Code.BAD_MANIFEST, MANIFEST, unquoted_toml(error)) from None
    if "/" in short(campaign.segment, f"{MANIFEST}: segment", NAME_BYTES) or not campaign.segment:
        raise MalformedError(Code.SEGMENT_ELSEWHERE, f"{MANIFEST}: segment", "name a file in the campaign's own folder")
    short(campaign.reference, f"{MANIFEST}: reference", REFERENCE_BYTES)
    _check_data(campaign.data, position=f"{MANIFEST}: data")
    return campaign


def _objection(value: Any, depth: int) -> str:
    """Why a value cannot travel; empty when it can, apart from what is inside it."""
    if depth > DEPTH_LIMIT:
        return f"is nested deeper than {DEPTH_LIMIT}"
    if isinstance(value, int) and not isinstance(value, bool) and value not in INTEGERS:
        return "has an integer of more than 64 bits"
    return "has a number that is not finite" if isinstance(value, float) and not math.isfinite(value) else ""


def _check_data(value: Any, *, position: str) -> None:
    """Raise MalformedError unless data can travel as JSON with everybody's request."""
    waiting = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        if objection := _objection(each, depth):
            raise MalformedError(Code.BAD_MANIFEST, position, objection)
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        waiting += [(one, depth + 1) for one in inner]
    if (size := len(msgspec.json.encode(value))) > DATA_LIMIT:
        raise MalformedError(
            Code.BAD_MANIFEST, position, f"takes {size} bytes as JSON; at most {DATA_LIMIT} go with everybody's message"
        )


def campaign_name(key: str) -> str:
    """The name of the campaign whose manifest lies at a key `campaigns/<name>/campaign.toml`."""
    folder, name, file = [*key.split("/"), "", ""][:3]
    if folder != FOLDER or file != MANIFEST or not ids.is_identifier(name):
        raise MalformedError(
            Code.BAD_CAMPAIGN_NAME, "key", f"a manifest lies at {FOLDER}/<name>/{MANIFEST}, name of A-Z a-z 0-9 _ -"
        )
    return name


def run_id_of(uploaded: Uploaded) -> str:
    """The run of an upload: S3's event twice is the same run."""
    manifest = uploaded.detail.object
    return ids.derived_id(uploaded.time.astimezone(UTC), manifest.key, manifest.version_id or manifest.etag)


def new_run(uploaded: Uploaded) -> Run:
    """The run that an upload starts, unless another one was started by the same content (`uploads.admitted`)."""
    return Run(
        run_id=run_id_of(uploaded),
        campaign=campaign_name(uploaded.detail.object.key),
        message="",
        started_at=uploaded.time.astimezone(UTC),
    )


def frozen(run: Run, campaign: Campaign, upload: Upload, *, encoding: str, before: list[str]) -> bytes:
    """The run's manifest as it is kept: what was sent to whom, in which versions, but for whom earlier runs reached."""
    segment = {"key": upload.segment, "version": upload.version, "encoding": encoding}
    told = {"run": run, "campaign": campaign, "segment": segment, "before": before}
    return msgspec.json.format(msgspec.json.encode(told))


def rejected_rows(run: Run) -> str:
    """The file in which a run's refused rows lie beside its manifest; empty when none was refused."""
    return f"rejected-{run.run_id}.csv" if run.rejected else ""


def told(run: Run, *, state: str, note: str = "") -> bytes:
    """What came of an upload, as it is written beside its manifest."""
    facts: dict[str, str | int] = {"run_id": run.run_id, "state": state, "problem": run.problem, "note": note}
    if not run.problem:
        facts |= {"audience": run.audience, "reached_before": run.reached, "rejected": run.rejected}
    facts["rejected_rows"] = rejected_rows(run)
    return answer(facts)


def people(
    table: Table,
    refuse: Callable[[Refused], object] = lambda refused: None,
    *,
    reached: Newcomers | None = None,
    pass_over: Callable[[], object] = lambda: None,
) -> Iterator[list[list[str]]]:
    """A segment's rows, some at a time; those that are refused are handed to `refuse`, with column and reason.

    Whom earlier runs have `reached` is only counted, by `pass_over`.
    """
    position, ours = table.columns.index("recipient_id"), Newcomers()
    for number, rows in table.blocks:
        if isinstance(rows, Refused):
            refuse(rows)
        elif _have_identifiers(rows, position):
            yield _unreached(_first(number, rows, position, ours, refuse), position, reached, pass_over)
        else:
            for at, cells in enumerate(rows, number):
                cells[position] = cells[position].strip()
                if _have_identifiers([cells], position):
                    yield _unreached(_first(at, [cells], position, ours, refuse), position, reached, pass_over)
                else:
                    refuse(Refused(at, "recipient_id", "must be 1 to 128 characters of A-Z a-z 0-9 _ -", cells))


def _have_identifiers(rows: list[list[str]], position: int) -> bool:
    return IDENTIFIERS.fullmatch("".join([f"{cells[position]}\n" for cells in rows])) is not None


def _first(
    number: int, rows: list[list[str]], position: int, ours: Newcomers, refuse: Callable[[Refused], object]
) -> list[list[str]]:
    """The rows of those who stand in no earlier row."""
    doubles = ours.known([hash(cells[position]) for cells in rows])
    for place in doubles:
        refuse(Refused(number + place, "recipient_id", "this person stands in an earlier row", rows[place]))
    return _others(rows, doubles)


def _unreached(
    rows: list[list[str]], position: int, reached: Newcomers | None, pass_over: Callable[[], object]
) -> list[list[str]]:
    """The rows of those whom no earlier run has reached."""
    before = reached.known([hash(cells[position]) for cells in rows], keep=False) if reached else []
    for _ in before:
        pass_over()
    return _others(rows, before)


def _others(rows: list[list[str]], places: list[int]) -> list[list[str]]:
    return [cells for place, cells in enumerate(rows) if place not in places] if places else rows


def packs(
    rows: Iterable[list[list[str]]], columns: Iterable[str], run: Run, message: Message, campaign: Campaign
) -> Iterator[RequestPack]:
    """Rows in packs whose ids are derived from the run and their first person."""
    return (pack for pack, _ in packed(rows, columns, run, message, campaign))


def packed(
    rows: Iterable[list[list[str]]], columns: Iterable[str], run: Run, message: Message, campaign: Campaign
) -> Iterator[tuple[RequestPack, bytes]]:
    """The same with each pack as it travels."""
    common, waiting = _common(columns, run, message, campaign), list[list[str]]()
    for some in rows:
        waiting += some
        while len(waiting) >= PACK_LIMIT:
            yield from _small_enough(waiting[:PACK_LIMIT], common, run)
            waiting = waiting[PACK_LIMIT:]
    if waiting:
        yield from _small_enough(waiting, common, run)


def _common(columns: Iterable[str], run: Run, message: Message, campaign: Campaign) -> SegmentRows:
    """What all rows have in common, without any."""
    expires = message.expires_after
    return SegmentRows(
        message=message.name,
        requested_at=run.started_at,
        columns=tuple(columns),
        rows=(),
        data=campaign.data,
        not_after=run.started_at + timedelta(seconds=expires) if expires else None,
        reference=campaign.reference,
    )


def _small_enough(rows: list[list[str]], common: SegmentRows, run: Run) -> Iterator[tuple[RequestPack, bytes]]:
    """Nearly always one pack of all of them; halves while they are too large to travel together."""
    pack = _pack(rows, common, run)
    text = body(pack)
    if len(rows) == 1 or len(text) <= PACK_BYTES:
        yield pack, text
        return
    middle = len(rows) // 2
    yield from _small_enough(rows[:middle], common, run)
    yield from _small_enough(rows[middle:], common, run)


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
    cause = Cause(reference=segment.reference)
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
            cause=cause,
        )
        for attributes in people
        for recipient_id in [attributes.pop("recipient_id")]
    ]
    return msgspec.structs.replace(pack, requests=tuple(requests), segment=None)
