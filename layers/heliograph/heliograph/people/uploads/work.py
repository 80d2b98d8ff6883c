"""Imports through the bucket: people from `imports/….csv`, and what came of it beside the file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from tempfile import TemporaryFile
from typing import Final, Literal

import msgspec

from heliograph.aws.bucket import StoredObject
from heliograph.campaigns.segments import Uploaded, run_id_of
from heliograph.campaigns.spool import RejectedRows
from heliograph.model.values import Value
from heliograph.people.importing.work import Terms, checked, import_people
from heliograph.runtime import wiring
from heliograph.runtime.observe import logger
from heliograph.text.answers import answer
from heliograph.text.errors import Code, MalformedError
from heliograph.text.lines import Encoding
from heliograph.text.payloads import unquoted_toml

IMPORT_LIMIT: Final = 100_000_000  # bytes: about a million people, in the quarter of an hour that a function has
SETTINGS_LIMIT: Final = 4_096  # bytes
TIME_FOR_A_CHUNK: Final = 180  # seconds that a chunk of 1 MB may take: up to 170,000 rows, all of people who are known


class Settings(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`<name>.toml` beside `<name>.csv`: how the file is to be read."""

    country: str = ""
    encoding: Literal[Encoding, ""] = ""
    allow: bool = False


def take(uploaded: Uploaded) -> None:
    """Import a file; raises MalformedError when it is refused whole, which the file beside it then says."""
    stored = wiring.bucket().current(uploaded.detail.object.key, uploaded.detail.object.version_id)
    if stored.is_ours:
        return
    import_id, name = run_id_of(uploaded), stored.key.removesuffix(".csv")
    try:
        told = _imported(stored, uploaded, import_id)
    except MalformedError as error:
        is_half_done = error.code is Code.TOO_MANY_ROWS
        came_of_it: dict[str, str | int] = {"state": "stopped"} if is_half_done else {"state": "refused", "saved": 0}
        _answer(name, import_id, {**came_of_it, "problem": str(error)})
        raise
    _answer(name, import_id, told)
    logger.info("A file was imported", extra={"import_id": import_id, "rows": told["rows"], "saved": told["saved"]})


def _imported(stored: StoredObject, uploaded: Uploaded, import_id: str) -> dict[str, str | int]:
    bucket, name = wiring.bucket(), stored.key.removesuffix(".csv")
    if stored.size > IMPORT_LIMIT:
        raise MalformedError(
            Code.FILE_TOO_LARGE, stored.key, f"takes more than {IMPORT_LIMIT} bytes: import it in several files"
        )
    settings = _settings(f"{name}.toml")
    terms = Terms(
        name=stored.key.rpartition("/")[2],
        policy=wiring.templates().policy,
        at=uploaded.time.astimezone(UTC),
        region=settings.country.upper(),
        encoding=settings.encoding,
        allow=settings.allow,
    )

    def source() -> Iterator[bytes]:
        return _in_time(stored.key, bucket.chunks(stored))

    file = checked(source, terms)
    with TemporaryFile() as listed:
        rejects = RejectedRows(listed, file.columns)
        counts = import_people(source, file, terms, wiring.recipients().save_many, rejects)
        rejected = f"{name}.rejected-{import_id}.csv" if rejects.count else ""
        if rejected:
            bucket.answer(rejected, rejects.file(), "text/csv; charset=utf-8")
    return {
        "state": "imported",
        "rows": counts.rows,
        "saved": counts.saved,
        "refused_rows": counts.refused_rows,
        "refused_fields": counts.refused_fields,
        "rejected_rows": rejected.rpartition("/")[2],
        "allowed": ", ".join(doubt.column for doubt in file.doubts),
    }


def _in_time(key: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks of a file, as long as there is time for another one."""
    for chunk in chunks:
        if wiring.time_left() < TIME_FOR_A_CHUNK:
            raise MalformedError(
                Code.TOO_MANY_ROWS,
                key,
                "has too many rows for one import: import it in parts; what was saved of it stays",
            )
        yield chunk


def _settings(key: str) -> Settings:
    bucket = wiring.bucket()
    if not bucket.exists(key):
        return Settings()
    try:
        return msgspec.toml.decode(bucket.read(StoredObject(key, ""), limit=SETTINGS_LIMIT), type=Settings)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedError(Code.BAD_SETTINGS, key, unquoted_toml(error)) from None


def _answer(name: str, import_id: str, facts: dict[str, str | int]) -> None:
    wiring.bucket().answer(f"{name}.result-{import_id}.toml", answer(facts), "text/plain; charset=utf-8")
