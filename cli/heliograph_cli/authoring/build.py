"""Build `templates/` into the package that the functions render from, and the rules of its triggers."""

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from heliograph.rendering.templates import Catalogue
from heliograph_cli.authoring import triggers
from heliograph_cli.authoring.compiling import catalogue, module_files
from heliograph_cli.authoring.findings import DeskError, counted
from heliograph_cli.authoring.lint import check

PACKAGE = "python/heliograph_templates"  # where a Lambda layer puts Python packages
INITIAL = '"""The compiled templates: written by `heliograph build`, read by heliograph.rendering.templates."""\n'


def build(source: Path, target: Path) -> Catalogue:
    """Write the templates layer to `target` and `triggers.yaml` beside it. Mistakes raise DeskError, all at once."""
    proof = check(source)
    if proof.desk is None or proof.errors:
        raise DeskError(proof.errors)
    made = catalogue(proof.desk, proof.messages.values())
    modules = {name: code for each in proof.messages.values() for name, code in each.modules.items()}
    files = {"__init__.py": INITIAL, "catalogue.json": _json(made), **module_files(modules)}
    _write(files, target / PACKAGE)
    triggers.write(made.messages.values(), target.parent / "triggers.yaml")
    return made


def _json(catalogue: Catalogue) -> str:
    return msgspec.json.format(msgspec.json.encode(catalogue, order="sorted")).decode() + "\n"


def _write(files: Mapping[str, str], folder: Path) -> None:
    """Make a folder hold these files only; one that is as it should be is left alone, so that builds may overlap."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.iterdir():
        if path.is_file() and path.name not in files:
            path.unlink(missing_ok=True)


def main(source: str = "templates", target: str = "build/templates") -> int:
    """Build from the command line."""
    try:
        built = build(Path(source), Path(target))
    except DeskError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Compiled {counted(len(built.messages), 'message')} to {target}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
