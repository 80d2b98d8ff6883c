"""Unpack a Lambda layer once for all workers; ministack unpacks it again for each, which is most of a cold start."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

_lock = threading.Lock()


class _SharedZip(zipfile.ZipFile):
    """A zip file that, for a layer, leaves a link to the one unpacked copy."""

    def namelist(self) -> list[str]:
        """Nothing of a layer: ministack would look up on the disk where each name leads, for each worker."""
        return [] if _is_layer(Path(str(self.filename))) else super().namelist()

    def extractall(self, path: Any = None, *arguments: Any, **options: Any) -> None:
        target = Path(path)
        if not _is_layer(target):
            super().extractall(path, *arguments, **options)
            return
        digest = hashlib.blake2b(Path(str(self.filename)).read_bytes(), digest_size=16).hexdigest()
        shared = Path(tempfile.gettempdir()) / f"layer-{digest}"
        with _lock:
            if not shared.is_dir():
                unpacked = shared.with_suffix(".part")
                super().extractall(unpacked, super().namelist())
                unpacked.rename(shared)
        target.rmdir()
        target.symlink_to(shared)


def _is_layer(path: Path) -> bool:
    return path.name.startswith("layer_")


def install() -> None:
    """Let the workers share what they only read."""
    shared = {**vars(zipfile), "ZipFile": _SharedZip}
    lambda_runtime.zipfile = SimpleNamespace(**shared)
