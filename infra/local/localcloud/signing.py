"""Know the names under which requests are signed: ministack reads the models of all services of AWS to find them."""

from __future__ import annotations

from botocore.session import get_session
from ministack.core import router

PLAYED = ("mobiletargeting", "sms-voice")
"""What is played here is signed for under these names; they are not those of the SDK."""


def install() -> None:
    """Take most names from the list of services, in place of some seconds of reading at the first text or push."""
    router._KNOWN_AWS_SERVICE_NAMES = frozenset((*get_session().get_available_services(), *PLAYED))
