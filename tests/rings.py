"""Rings, as a contract of import-linter: what a module may import follows from its name and its capability.

Inside a capability: pure modules <- `store` <- `work`. Capabilities meet in `model`, `text` and their declared doors.
"""

from __future__ import annotations

from enum import IntEnum
from fnmatch import fnmatch
from typing import NamedTuple

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

OUTSIDE = frozenset({"boto3", "botocore", "os", "time", "random", "secrets", "logging", "aws_lambda_powertools"})
"""What a pure module knows nothing of: AWS, the clock, the environment, chance, logs."""


class Ring(IntEnum):
    """A module may import its own ring and those below."""

    MODEL = 0
    PURE = 1
    STORE = 2
    WORK = 3


class Place(NamedTuple):
    """Where a module belongs."""

    package: str
    part: str
    ring: Ring


class Breach(NamedTuple):
    """An import that leads outwards."""

    importer: str
    imported: str
    line: int
    rule: str


class Rings(Contract):
    """The contract: patterns of modules in its options are those of `fnmatch`."""

    type_name = "rings"

    doors = fields.SetField(subfield=fields.StringField())
    """What other capabilities may import."""
    adapters = fields.SetField(subfield=fields.StringField(), required=False)
    """Modules that know something outside although they are not called `store` or `work`."""
    works = fields.SetField(subfield=fields.StringField(), required=False)
    """Modules that work although they are not called so."""
    wirings = fields.SetField(subfield=fields.StringField())
    """Modules that open stores: one of the functions, one of the command line."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every import."""
        breaches = [
            Breach(importer, imported, detail["line_number"], rule)
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if (rule := self.objection(importer, imported))
            for detail in graph.get_import_details(importer=importer, imported=imported)
        ]
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import with its line."""
        for each in check.metadata["breaches"]:
            output.print_error(f"{each.importer} -> {each.imported} (l.{each.line}): {each.rule}", bold=False)

    def objection(self, importer: str, imported: str) -> str:
        """Why a module may not import another; empty when it may."""
        if _matches(importer, self.wirings):
            return ""
        at = self.place(importer)
        if imported.split(".")[0] not in ("heliograph", "heliograph_cli"):
            return self.outside(importer, at) if imported in OUTSIDE else ""
        there = self.place(imported)
        if there.ring is Ring.MODEL or not at.part:
            return ""
        if at.package == "heliograph_cli":
            return (
                "" if there.package == at.package or self.is_for_commands(imported, there) else "commands import works"
            )
        if there.package == "heliograph_cli":
            return "the package stands without the command line"
        return self.inside(importer, at, imported, there)

    def inside(self, importer: str, at: Place, imported: str, there: Place) -> str:
        """Why a module of the package may not import another one."""
        if at.part in ("model", "text", "aws"):
            return "" if there.part == at.part else f"{at.part} knows no capability"
        if there.part == "aws":
            return self.outside(importer, at)
        if at.part == "runtime":
            return "" if there.part == "runtime" or _matches(imported, self.doors) else "runtime knows no capability"
        if there.part == "runtime":
            return "" if at.ring is Ring.WORK else "only works know the runtime"
        if there.part != at.part and not _matches(imported, self.doors):
            return f"it is no door of {there.part}"
        return "" if there.ring <= at.ring else f"{at.ring.name.lower()} modules import no {there.ring.name.lower()}"

    def outside(self, importer: str, at: Place) -> str:
        """Why a module may not know something outside."""
        if at.package == "heliograph_cli" or at.part in ("aws", "runtime"):
            return ""
        is_free = at.ring >= Ring.STORE or _matches(importer, self.adapters)
        return "" if is_free else "pure modules know nothing outside"

    def is_for_commands(self, imported: str, there: Place) -> bool:
        """Whether a command may import a module: works, pure modules, and doors."""
        is_plain = there.part not in ("aws", "runtime") and there.ring is not Ring.STORE
        return is_plain or _matches(imported, self.doors)

    def place(self, module: str) -> Place:
        """Where a module belongs."""
        package, part, *rest = [*module.split("."), ""]
        if package == "heliograph" and part in ("model", "text"):
            return Place(package, part, Ring.MODEL)
        names = [name for name in rest if name]
        if (names and names[-1] == "work") or _matches(module, self.works or ()):
            return Place(package, part, Ring.WORK)
        return Place(package, part, Ring.STORE if names and names[-1].endswith("store") else Ring.PURE)


def _matches(module: str, patterns: object) -> bool:
    assert isinstance(patterns, set | tuple | None)
    return any(fnmatch(module, pattern) for pattern in patterns or ())
