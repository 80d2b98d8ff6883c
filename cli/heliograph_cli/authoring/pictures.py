"""Show the brand's own logo in previews from its file, so that the page needs no network."""

import base64
from collections.abc import Iterator
from pathlib import Path

from heliograph_cli.authoring.facts import Logo
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.sources import Desk

KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
"""How pictures begin that every mail program shows."""
LARGEST = 1_000_000  # bytes: what a phone on a slow network loads in a few seconds


def check_logo(desk: Desk) -> Iterator[Finding]:
    """Whether the logo of the preview is there, and a picture that mails can show."""
    logo = desk.brand.logo
    if logo is None or not logo.file:
        return
    try:
        _picture(desk.folder, logo)
    except ValueError as error:
        line = desk.line("brand/brand.toml", "logo", "file")
        yield Finding("brand/brand.toml", line, f"brand/{logo.file} {error}.", "Put a PNG, JPEG or GIF there.")


def embedded(desk: Desk, text: str) -> str:
    """The text with the link of the logo replaced by the picture itself, where brand/ has it."""
    logo = desk.brand.logo
    if logo is None or not logo.file or logo.url not in text:
        return text
    try:
        picture = _picture(desk.folder, logo)
    except ValueError:  # among the findings
        return text
    return text.replace(logo.url, picture)


def _picture(folder: Path, logo: Logo) -> str:
    """The logo as a data URL; ValueError says why it cannot be one."""
    brand = (folder / "brand").resolve()
    file = (brand / logo.file).resolve()
    if file.parent != brand or not file.is_file():
        raise ValueError("is missing")
    if file.stat().st_size > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 1000} KB")
    content = file.read_bytes()
    kind = next((kind for start, kind in KINDS.items() if content.startswith(start)), None)
    if kind is None:
        raise ValueError("is not a picture that mail programs show")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
