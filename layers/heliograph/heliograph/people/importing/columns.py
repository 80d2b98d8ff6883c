"""Columns of an import that nearly are known ones: taken for attributes, an address or a consent would be lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from heliograph.model.policy import Purpose
from heliograph.people.changes import COLUMNS
from heliograph.people.consents.answers import COLUMN

CONSENT: Final = "consent.<topic or purpose>.<channel>"


class Doubt(NamedTuple):
    """A column, and what is doubtful about it."""

    column: str
    reason: str


def doubts(columns: Iterable[str], topics: Collection[str]) -> list[Doubt]:
    """What is to be asked about the columns of an import, in their order."""
    return [Doubt(column, reason) for column in columns if (reason := _doubt(column, topics))]


def _doubt(column: str, topics: Collection[str]) -> str:
    if column in COLUMNS:
        return ""
    if consent := COLUMN.fullmatch(column):
        is_known = consent["subject"] in topics or consent["subject"] in set(Purpose)
        return "" if is_known else f"there is no topic {consent['subject']} in policy.toml"
    bare = _bare(column)
    if column in PINPOINT:
        return f"is Amazon Pinpoint's: {PINPOINT[column]}"
    if bare in MEANT:
        return f"is not a column that is read, but {MEANT[bare]} is"
    return f"is not a column that is read, but {CONSENT} is" if bare.startswith("consent") else ""


def _bare(name: str) -> str:
    """`E-Mail` and `e_mail` are `email`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


PINPOINT: Final = {
    "ChannelType": "give each address a column of its own: email, phone, devices",
    "Address": "give each address a column of its own: email, phone, devices",
    "OptOut": f"an opt-out is {CONSENT} = opted_out",
    "EndpointStatus": "leave out who is INACTIVE",
    "User.UserId": "recipient_id is it here",
    "Location.Country": "country is it here",
    "Demographic.Locale": "locale is it here",
    "Demographic.Timezone": "timezone is it here",
}
"""Columns of its endpoints, and what is in their place."""
MEANT: Final = {_bare(name): name for name in COLUMNS} | {
    **dict.fromkeys(("mail", "emailaddress", "mailaddress", "emailadresse", "emails"), "email"),
    **dict.fromkeys(("phonenumber", "phones", "telephone", "tel", "mobile", "mobilenumber", "mobilephone"), "phone"),
    **dict.fromkeys(("cell", "cellphone", "msisdn", "sms", "smsnumber"), "phone"),
    **dict.fromkeys(("device", "devicetoken", "pushtoken"), "devices"),
    **dict.fromkeys(("language", "lang", "locales"), "locale"),
    **dict.fromkeys(("tz", "timezonename"), "timezone"),
    **dict.fromkeys(("countrycode",), "country"),
    **dict.fromkeys(("channels", "preferredchannel"), "preferred_channels"),
    **dict.fromkeys(("optin", "optedin", "optout", "optedout", "subscribed", "unsubscribed", "channeltype"), CONSENT),
}
"""Names as they are often written, without case and signs -> the column that is meant."""
