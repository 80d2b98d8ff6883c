"""The bucket: objects that are read in a version, written, listed and deleted."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from heliograph.aws.errors import BusyError
from heliograph.aws.tables import chunks
from heliograph.text.errors import Code, MalformedError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

CHUNK = 1 << 20  # bytes read at a time: a segment of any size takes the memory of one chunk
ANSWER = {"heliograph": "answer"}
DELETE_LIMIT = 1_000  # DeleteObjects


class StoredObject(NamedTuple):
    """An object in one version, whatever is uploaded later."""

    key: str
    version: str
    etag: str = ""
    """Tells contents apart."""
    size: int = 0
    """Bytes."""
    is_ours: bool = False
    """Whether Heliograph wrote it, as the answer to an upload."""


class Bucket:
    """The stack's bucket."""

    def __init__(self, client: S3Client, name: str) -> None:
        self._client = client
        self._name = name

    def current(self, key: str, version: str = "") -> StoredObject:
        """An object as it is now, or in a version; raises MalformedError when there is none."""
        of: dict[str, Any] = {"VersionId": version} if version else {}
        with self._existing(key):
            answer = self._client.head_object(Bucket=self._name, Key=key, **of)
        return StoredObject(
            key,
            answer.get("VersionId", ""),
            answer["ETag"].strip('"'),
            answer["ContentLength"],
            is_ours=ANSWER.items() <= answer.get("Metadata", {}).items(),
        )

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            self.current(key)
        except MalformedError:
            return False
        return True

    def read(self, stored: StoredObject, *, limit: int | None = None) -> bytes:
        """A small object, whole; raises MalformedError when there is none, or when it is larger than `limit` bytes."""
        with self._existing(stored.key):
            content = self._get(stored).read(None if limit is None else limit + 1)
        if limit is not None and len(content) > limit:
            raise MalformedError(Code.FILE_TOO_LARGE, stored.key, f"takes more than {limit} bytes")
        return content

    def chunks(self, stored: StoredObject) -> Iterator[bytes]:
        """The bytes of an object, a chunk at a time; raises MalformedError when it was deleted."""
        with self._existing(stored.key):
            body = self._get(stored)
        while chunk := body.read(CHUNK):
            yield chunk

    def write(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        """Write an object."""
        self._client.put_object(Bucket=self._name, Key=key, Body=_file(content), ContentType=content_type)

    def answer(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        """Write an object that answers an upload beside it, and is no upload itself."""
        self._client.put_object(
            Bucket=self._name, Key=key, Body=_file(content), ContentType=content_type, Metadata=ANSWER
        )

    def list_keys(self, prefix: str) -> Iterator[str]:
        """The keys of all objects that begin so."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
        return (each["Key"] for page in pages for each in page.get("Contents", ()))

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects (their current versions); raises BusyError when S3 did not delete all of them."""
        for some in chunks(keys, DELETE_LIMIT):
            answer = self._client.delete_objects(
                Bucket=self._name, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
            )
            if errors := answer.get("Errors"):
                raise BusyError(f"{len(errors)} objects were not deleted, the first for {errors[0].get('Code')}")

    def delete_versions(self, key: str) -> int:
        """Delete an object in all its versions, which the bucket keeps; how many there were."""
        deleted = 0
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._name, Prefix=key):
            for each in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                if each["Key"] == key:
                    self._client.delete_object(Bucket=self._name, Key=key, VersionId=each["VersionId"])
                    deleted += 1
        return deleted

    @contextmanager
    def _existing(self, key: str) -> Iterator[None]:
        """Name the file that does not exist."""
        try:
            yield
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchVersion", "NotFound"):
                raise MalformedError(Code.FILE_MISSING, key, "there is no such file in the bucket") from None
            raise

    def _get(self, stored: StoredObject) -> StreamingBody:
        if stored.version:
            return self._client.get_object(Bucket=self._name, Key=stored.key, VersionId=stored.version)["Body"]
        return self._client.get_object(Bucket=self._name, Key=stored.key)["Body"]


def _file(content: bytes | IO[bytes]) -> IO[bytes]:
    return io.BytesIO(content) if isinstance(content, bytes) else content
