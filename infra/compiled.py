"""Whether what is shipped is compiled for the Python that runs it: Lambda keeps nothing that it compiles.

PYTHON infra/compiled.py arm64 FOLDER…      with the Python of the functions; what is wrong, on standard error

Of a layer that was compiled for another Python, or not at all, every cold start would compile everything again, and
what was compiled of an older source would run instead of it.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}
HEADER = struct.Struct("<4sI8s")  # PEP 552: magic number, flags, hash of the source
BY_HASH = 0b01
"""Flag of a file that knows its source by a hash: Lambda unpacks with times that no other kind would survive."""


def problems(folder: Path, architecture: str) -> Iterator[str]:
    """What is wrong with the Python in a folder: one sentence for each kind of fault, with the first file of it."""
    sources = sorted(each for each in folder.rglob("*.py"))
    if not sources:
        yield f"{folder} holds no Python at all."
    wrong: dict[str, list[Path]] = {}
    for source in sources:
        if fault := _fault(source):
            wrong.setdefault(fault, []).append(source)
    for library in folder.rglob("*.so*"):
        if not _is_loadable(library, architecture):
            wrong.setdefault(f"made for another Python or processor than {_python()} on {architecture}", []).append(
                library
            )
    for fault, files in wrong.items():
        yield f"{files[0]} and {len(files) - 1} more are {fault}." if files[1:] else f"{files[0]} is {fault}."


def _fault(source: Path) -> str:
    """What is wrong with what a source was compiled to; empty if nothing is."""
    compiled = Path(cache_from_source(str(source)))
    if not compiled.exists():
        return f"not compiled for {_python()}"
    content = compiled.read_bytes()
    if len(content) < HEADER.size:
        return "compiled to a broken file"
    magic, flags, hashed = HEADER.unpack_from(content)
    if magic != MAGIC_NUMBER:
        return f"compiled by another Python than {_python()}"
    if not flags & BY_HASH:
        return "compiled to files that count only with the time of their source"
    return "" if hashed == source_hash(source.read_bytes()) else "not what was compiled"


def _is_loadable(library: Path, architecture: str) -> bool:
    """By its name: `x.cpython-313-aarch64-linux-gnu.so`; one of any Python, or of none, names none."""
    if ".cpython-" not in library.name:
        return True
    tag = f".{sys.implementation.cache_tag}-{PROCESSORS[architecture]}-"
    return tag in library.name


def _python() -> str:
    return "Python {}.{}".format(*sys.version_info)


def main(words: list[str]) -> int:
    """The command line."""
    architecture, *folders = words
    found = [problem for folder in folders for problem in problems(Path(folder), architecture)]
    for problem in found:
        print(problem, file=sys.stderr)  # noqa: T201
    if found:
        print("Nothing was shipped. Remove .aws-sam and build again.", file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
