"""What was compiled here: the catalogue of messages, and the policy."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from heliograph.model.policy import Policy
from heliograph_cli.local.cloud import ROOT

COMPILED = ROOT / "build" / "templates"


def catalogue() -> dict[str, Any]:
    """The compiled catalogue; empty when nothing was built here."""
    found = next(COMPILED.rglob("catalogue.json"), None)
    return json.loads(found.read_text(encoding="utf-8")) if found else {}


def policy() -> Policy:
    """The compiled policy; the default one when nothing was built here."""
    return msgspec.convert(catalogue().get("policy", {}), Policy)


def double_opt_in() -> frozenset[str]:
    """The topics to which an opt-in counts only once it is confirmed, as the policy says."""
    return frozenset(catalogue().get("policy", {}).get("double_opt_in", ()))
