"""The kinds of address that several channels may share; a kind of one channel alone is in its folder."""

from __future__ import annotations

from typing import Final

from heliograph.channels.spec import AddressKind
from heliograph.text import addresses, limits

EMAIL: Final = AddressKind("email", "email", read=lambda text, _: addresses.email(text), indexed_by="by-email")
PHONE: Final = AddressKind(
    "phone", "phone", read=lambda text, region: addresses.phone(text, region=region), indexed_by="by-phone"
)
DEVICE: Final = AddressKind("device", "devices", read=lambda text, _: addresses.device(text), most=limits.DEVICES)
