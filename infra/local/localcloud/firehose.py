"""Data Firehose: records are collected for a while, and become one gzip object in a bucket."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Mapping
from contextvars import copy_context
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import firehose

from localcloud import announce

DEFAULT = {"IntervalInSeconds": 300, "SizeInMBs": 5}

_collected: dict[str, list[bytes]] = {}
"""Of each stream, by its ARN, since its last object."""
_lock = threading.Lock()


def install() -> None:
    """Collect, where ministack writes an object for each record at once."""
    firehose._deliver_records_to_s3 = _collect


def put(stream: str, record: bytes) -> None:
    """Put a record, as other services of AWS do."""
    name = stream.rpartition("/")[2]
    firehose._put_record_batch({"DeliveryStreamName": name, "Records": [{"Data": base64.b64encode(record).decode()}]})


def _collect(stream: Mapping[str, Any], destination: Mapping[str, Any], records: list[tuple[str, bytes]]) -> None:
    destination["records"].clear()  # ministack would keep them all, in memory and for nobody
    hints = destination["config"].get("BufferingHints", DEFAULT)
    with _lock:
        is_new = stream["arn"] not in _collected
        waiting = _collected.setdefault(stream["arn"], [])
        waiting += [content for _, content in records]
        is_full = sum(map(len, waiting)) >= int(hints["SizeInMBs"]) << 20
    if is_full:
        _deliver(stream, destination)
    elif is_new:
        # The account and the region are those of this call.
        later = copy_context().run
        timer = threading.Timer(
            float(hints["IntervalInSeconds"]), later, (announce.later, lambda: _deliver(stream, destination))
        )
        timer.daemon = True
        timer.start()


def _deliver(stream: Mapping[str, Any], destination: Mapping[str, Any]) -> None:
    with _lock:
        content = b"".join(_collected.pop(stream["arn"], ()))
    if not content:
        return
    config, at = destination["config"], firehose._arrival_time(destination["config"])
    is_packed = config.get("CompressionFormat") == "GZIP"
    prefix = firehose._evaluate_prefix(config.get("Prefix", ""), at)
    name = f"{stream['name']}-{stream['version']}-{firehose._java_time('yyyy-MM-dd-HH-mm-ss', at)}-{new_uuid()}"
    bucket = firehose._s3_bucket_from_arn(config["BucketARN"])
    ending = ".gz" if is_packed else ""
    firehose._put_s3_object(bucket, f"{prefix}{name}{ending}", gzip.compress(content) if is_packed else content)
