"""A file of people in the bucket: it is imported, and the answer lies beside it."""

from __future__ import annotations

import tomllib
from typing import Any

from aws.flow_system import System
from heliograph.runtime import wiring


def put(system: System, key: str, content: str) -> None:
    system.put(key, content.encode(), told_to="imports" if key.endswith(".csv") else "")


def keys(system: System, prefix: str) -> list[str]:
    found = system.cloud.client("s3").list_objects_v2(Bucket=system.bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def answers(system: System, prefix: str) -> list[dict[str, Any]]:
    s3 = system.cloud.client("s3")
    results = [key for key in keys(system, prefix) if ".result-" in key]
    return [
        tomllib.loads(s3.get_object(Bucket=system.bucket, Key=key)["Body"].read().decode()) for key in sorted(results)
    ]


def test_people_of_an_uploaded_file_are_saved_and_what_was_refused_lies_beside_it(system: System) -> None:
    put(system, "imports/spring.csv", "recipient_id;email\nimp-a;a@example.com\nimp-b;no\n;x\n")
    system.work("imports")
    (told,) = answers(system, "imports/spring.")
    assert (told["state"], told["rows"], told["saved"], told["refused_rows"], told["refused_fields"]) == (
        "imported", 3, 2, 1, 1
    )  # fmt: skip
    assert wiring.recipients().get_many(["imp-a"])["imp-a"].addresses["email"][0] == "a@example.com"
    assert f"imports/{told['rejected_rows']}" in keys(system, "imports/spring.")


def test_an_answer_is_never_imported_itself_but_its_mended_copy_is(system: System) -> None:
    put(system, "imports/loop.csv", "recipient_id,email\nno id,b@example.com\n")
    system.work("imports")
    (told,) = answers(system, "imports/loop.")
    s3 = system.cloud.client("s3")
    key = f"imports/{told['rejected_rows']}"
    rows = s3.get_object(Bucket=system.bucket, Key=key)["Body"].read().decode()
    put(system, key, rows.replace("no id", "imp-mended"))
    system.work("imports")
    assert wiring.recipients().get_many(["imp-mended"])["imp-mended"].addresses["email"][0] == "b@example.com"
    assert len(answers(system, "imports/loop.")) == 2


def test_a_file_whose_columns_are_doubtful_is_refused_whole_until_its_settings_allow_them(system: System) -> None:
    content = "recipient_id,Email\nimp-doubt,a@example.com\n"
    put(system, "imports/doubt.csv", content)
    system.work("imports")
    (told,) = answers(system, "imports/doubt.")
    assert told["state"] == "refused"
    assert "Email" in told["problem"]
    assert not wiring.recipients().get_many(["imp-doubt"])
    put(system, "imports/doubt.toml", "allow = true\n")
    put(system, "imports/doubt.csv", content)
    system.work("imports")
    assert wiring.recipients().get_many(["imp-doubt"])["imp-doubt"].attributes == {"Email": "a@example.com"}
