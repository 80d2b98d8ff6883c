"""What a template reads of the person who is written to, and what for: found without rendering, for `Stencils`.

When in doubt, a value counts as computed with, or the template as one that hands the whole person on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from jinja2 import nodes

from heliograph.rendering.filters import FILTERS
from heliograph.rendering.templates import Reads
from heliograph_cli.authoring.variables import GUARDS

PERSON = "recipient"
BESIDE = frozenset({"unsubscribe_url", "timezone"})
"""What else differs from person to person."""
ELSEWHERE: tuple[type[nodes.Node], ...] = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
"""What hands everything on, to where nobody looks."""

PathOf = Callable[[nodes.Node], str | None]


def reads(tree: nodes.Template, macros: Mapping[str, nodes.Macro]) -> Reads | None:
    """What a template reads of a person; None when it hands the whole person on."""
    uses = _Uses(_path, macros, is_open=frozenset())
    uses.statements(tree.body)
    if uses.is_whole or any(tree.find(kind) for kind in ELSEWHERE):
        return None
    holes = {path: tuple(sorted(texts)) for path, texts in sorted(uses.holes.items()) if path not in uses.computed}
    return Reads(holes=holes, computed=tuple(sorted(uses.computed)))


def _path(node: nodes.Node) -> str | None:
    """The path that an expression names, where it is one of a person."""
    if isinstance(node, nodes.Name):
        return node.name if node.name in BESIDE else None
    if not isinstance(node, nodes.Getattr | nodes.Getitem) or not _is_person(node.node):
        return None
    if isinstance(node, nodes.Getattr):
        return f"{PERSON}.{node.attr}"
    return (
        f"{PERSON}.{node.arg.value}" if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None
    )


def _is_person(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == PERSON


class _Uses:
    """Walks a template, with what becomes of each value in mind."""

    def __init__(self, path: PathOf, macros: Mapping[str, nodes.Macro], *, is_open: frozenset[str]) -> None:
        self.path = path
        self.macros = macros
        self.is_open = is_open
        """The macros that are walked just now."""
        self.holes: dict[str, set[str]] = {}
        self.computed: set[str] = set()
        self.is_whole = False

    def statements(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    self.written(*node.nodes)
                case nodes.If():
                    self.tested(node.test)
                    self.statements([*node.body, *node.elif_, *node.else_])
                case nodes.For(recursive=False):
                    self.used(node.iter, *([node.test] if node.test else []))
                    self.statements([*node.body, *node.else_])
                case _:
                    self.used(node)

    def written(self, *given: nodes.Node) -> None:
        """Values that come out as they are, if they come out."""
        for node in given:
            match node:
                case nodes.Filter(name=name, dyn_args=None, dyn_kwargs=None) if name in GUARDS and node.node:
                    self.written(node.node, *node.args, *(each.value for each in node.kwargs))
                case nodes.Concat():
                    self.written(*node.nodes)
                case nodes.And() | nodes.Or():
                    self.written(node.left, node.right)
                case nodes.CondExpr():
                    self.tested(node.test)
                    self.written(node.expr1, *([node.expr2] if node.expr2 else []))
                case nodes.Call(node=nodes.Name(name=name), dyn_args=None, dyn_kwargs=None) if name in self.macros:
                    self.called(node, self.macros[name])
                case _:
                    self.read(node)

    def tested(self, *given: nodes.Node) -> None:
        """Conditions: whether a value is there, is empty, or is one of some texts."""
        for node in given:
            match node:
                case nodes.Not():
                    self.tested(node.node)
                case nodes.And() | nodes.Or():
                    self.tested(node.left, node.right)
                case nodes.Filter(name=name, dyn_args=None, dyn_kwargs=None) if name in GUARDS and node.node:
                    self.tested(node.node, *node.args, *(each.value for each in node.kwargs))
                case nodes.Test(name="defined" | "undefined"):
                    self.read(node.node)
                case nodes.Compare(ops=[operand]):
                    self.compared(node, operand)
                case _:
                    self.read(node)

    def read(self, node: nodes.Node) -> None:
        """A value as it is; anything else is looked into."""
        if path := self.path(node):
            self.holes.setdefault(path, set())
        else:
            self.used(node)

    def compared(self, node: nodes.Compare, operand: nodes.Operand) -> None:
        """With one text, or some: a value that is none of them may be any other."""
        left, right = node.expr, operand.expr
        if operand.op in ("eq", "ne") and isinstance(left, nodes.Const):
            left, right = right, left
        texts = _texts(right, is_list=operand.op in ("in", "notin"))
        path = self.path(_without_default(left))
        if path and texts is not None and operand.op in ("eq", "ne", "in", "notin"):
            self.holes.setdefault(path, set()).update(texts)
        else:
            self.used(node)

    def called(self, node: nodes.Call, macro: nodes.Macro) -> None:
        """A macro: what it only writes down, or asks for, may be a hole."""
        names = [argument.name for argument in macro.args]
        given = [*zip(names, node.args, strict=False), *((each.key, each.value) for each in node.kwargs)]
        if len(node.args) > len(names) or not {name for name, _ in given} <= {*names}:
            self.used(node)
            return
        written = self.written_by(macro)
        for name, value in given:
            (self.written if name in written else self.used)(value)

    def written_by(self, macro: nodes.Macro) -> set[str]:
        """The arguments that a macro only writes down, or asks for."""
        names = {argument.name for argument in macro.args}
        if macro.name in self.is_open:
            return set()
        uses = _Uses(_named(names), self.macros, is_open=self.is_open | {macro.name})
        uses.statements(macro.body)
        return names - uses.computed - {name for name, texts in uses.holes.items() if texts}

    def used(self, *given: nodes.Node) -> None:
        """Whatever values are somewhere in there, something else is made of them."""
        for node in given:
            if path := self.path(node):
                self.computed.add(path)
                continue
            self.is_whole |= _is_person(node)
            if isinstance(node, nodes.Filter) and node.name in {*FILTERS, "map"}:  # `map` calls others by name
                self.computed.add("timezone")
            self.used(*node.iter_child_nodes())


def _named(names: set[str]) -> PathOf:
    return lambda node: node.name if isinstance(node, nodes.Name) and node.name in names else None


def _without_default(node: nodes.Node) -> nodes.Node:
    """The value that `recipient.tier | default("none")` is about: the default is the same for everybody."""
    match node:
        case nodes.Filter(name=name, args=[nodes.Const(), *_], kwargs=[], dyn_args=None, dyn_kwargs=None) if (
            name in GUARDS and len(node.args) == 1 and node.node
        ):
            return node.node
    return node


def _texts(node: nodes.Node, *, is_list: bool) -> set[str] | None:
    """The texts that something is compared with; None when they are not written there."""
    given = node.items if is_list and isinstance(node, nodes.List | nodes.Tuple) else [] if is_list else [node]
    if not given or not all(isinstance(each, nodes.Const) for each in given):
        return None
    return {each.value for each in given if isinstance(each, nodes.Const) and isinstance(each.value, str)}
