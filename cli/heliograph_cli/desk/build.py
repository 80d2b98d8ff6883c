"""Build `templates/` into the package that the functions render from, and the rules of its triggers."""

import shutil
import sys
from pathlib import Path

import msgspec

from heliograph.adapters.templates import Catalogue
from heliograph_cli.desk import triggers
from heliograph_cli.desk.compiling import compiled, write_modules
from heliograph_cli.desk.findings import DeskError
from heliograph_cli.desk.lint import check

PACKAGE = "python/heliograph_templates"  # where a Lambda layer puts Python packages
INITIAL = '"""The compiled templates: written by `heliograph build`, read by heliograph.adapters.templates."""\n'


def build(source: Path, target: Path) -> Catalogue:
    """Write the templates layer to `target` and `triggers.yaml` beside it. Mistakes raise DeskError, all at once."""
    desk, findings = check(source)
    if desk is None or any(not finding.warning for finding in findings):
        raise DeskError([finding for finding in findings if not finding.warning])
    catalogue, modules = compiled(desk)
    package = target / PACKAGE
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(INITIAL, encoding="utf-8")
    (package / "catalogue.json").write_bytes(msgspec.json.format(msgspec.json.encode(catalogue, order="sorted")))
    write_modules(modules, package)
    triggers.write(catalogue.messages.values(), target.parent / "triggers.yaml")
    return catalogue


def main(source: str = "templates", target: str = "build/templates") -> int:
    """Build from the command line."""
    try:
        catalogue = build(Path(source), Path(target))
    except DeskError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Compiled {len(catalogue.messages)} messages to {target}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
