"""Which variables a template reads, found without rendering: `data.lines[].name`, `recipient.first_name`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.visitor import NodeVisitor

GUARDS = frozenset({"default", "d"})
"""Filters that make up for a missing variable."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a template reads."""

    path: str
    line: int
    optional: bool
    """The template asks whether it is there, or gives a default."""

    @property
    def root(self) -> str:
        """`data` of `data.lines[].name`."""
        return self.path.partition(".")[0].removesuffix("[]")


def variables(tree: nodes.Node, macros: Mapping[str, nodes.Macro]) -> list[Variable]:
    """Every variable of a template, each once; those that a macro reads stand at its call."""
    reader = _Reader(macros)
    reader.visit(tree)
    found = dict(reversed(reader.found))  # the first position of each
    return [
        Variable(path=path, line=line, optional=any(_within(path, guard) for guard in reader.guards))
        for path, line in sorted(found.items())
    ]


def _within(path: str, guard: str) -> bool:
    return path == guard or path.startswith((f"{guard}.", f"{guard}[]"))


class _Reader(NodeVisitor):
    """Walks a template with the names that are bound at each position."""

    def __init__(self, macros: Mapping[str, nodes.Macro]) -> None:
        self.macros = macros
        self.found: list[tuple[str, int]] = []
        self.guards: set[str] = set()
        self.bound: dict[str, str | None] = dict.fromkeys([*DEFAULT_NAMESPACE, "caller"])
        self.open: list[str] = []

    def path(self, node: nodes.Node) -> str | None:
        """The path that an expression names, or None."""
        if isinstance(node, nodes.Name):
            return self.bound.get(node.name, node.name)
        if isinstance(node, nodes.Getattr):
            return self._under(node.node, f".{node.attr}")
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            key = node.arg.value
            return self._under(node.node, f".{key}" if isinstance(key, str) else "[]")
        return None

    def _under(self, node: nodes.Node, step: str) -> str | None:
        base = self.path(node)
        return base and base + step

    def read(self, node: nodes.Node) -> None:
        """Note a variable, or look inside the expression for others."""
        path = self.path(node)
        if path is None:
            self.generic_visit(node)
        elif path not in self.macros:
            self.found.append((path, node.lineno))

    visit_Getattr = visit_Getitem = read  # noqa: N815  (Jinja2's names)

    def visit_Name(self, node: nodes.Name) -> None:  # noqa: N802
        if node.ctx == "load":
            self.read(node)

    def visit_Filter(self, node: nodes.Filter) -> None:  # noqa: N802
        self._guarded(node, guards=node.name in GUARDS)

    def visit_Test(self, node: nodes.Test) -> None:  # noqa: N802
        self._guarded(node, guards=node.name in {"defined", "undefined"})

    def _guarded(self, node: nodes.Filter | nodes.Test, *, guards: bool) -> None:
        path = self.path(node.node) if guards and node.node is not None else None
        if path:
            self.guards.add(path)
        self.generic_visit(node)

    def visit_For(self, node: nodes.For) -> None:  # noqa: N802
        self.visit(node.iter)
        item = self._under(node.iter, "[]")
        names = {name.name: None for name in node.target.find_all(nodes.Name)}
        if isinstance(node.target, nodes.Name):
            names = {node.target.name: item}  # type: ignore[dict-item]  # a str or None, as in `bound`
        self._inside({**names, "loop": None}, [*([node.test] if node.test else []), *node.body])
        self._inside({}, node.else_)

    def visit_Assign(self, node: nodes.Assign) -> None:  # noqa: N802
        self.visit(node.node)
        if isinstance(node.target, nodes.Name):
            self.bound[node.target.name] = self.path(node.node)

    def visit_Macro(self, node: nodes.Macro) -> None:  # noqa: N802
        """A macro is walked where it is called, with what it is called with."""

    def visit_Call(self, node: nodes.Call) -> None:  # noqa: N802
        self.generic_visit(node)
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name not in self.macros or name in self.open:
            return
        macro = self.macros[name]
        given = dict(zip((argument.name for argument in macro.args), map(self.path, node.args), strict=False))
        given |= {keyword.key: self.path(keyword.value) for keyword in node.kwargs}
        before = len(self.found)
        self.open.append(name)
        self._inside(dict.fromkeys(argument.name for argument in macro.args) | given, macro.body)
        self.open.pop()
        self.found[before:] = [(path, node.lineno) for path, _ in self.found[before:]]

    def _inside(self, names: Mapping[str, str | None], body: list[Any]) -> None:
        outer = self.bound
        self.bound = {**outer, **names}
        for node in body:
            self.visit(node)
        self.bound = outer
