"""Which calls of AWS a function's code can reach, read from its source: names are followed from its handler.

What a name stands for is told by imports, annotations and constructors. Where that does not tell whose method is
called, it may be the method of any class that is in use: rather a call too many than one overlooked. A method that is
handed on without being called counts where its class is known.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from botocore import xform_name

from heliograph.channels.registry import CHANNELS
from heliograph.model.channels import Channel
from trim_botocore import OPERATIONS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "layers/heliograph"
OPERATION = {xform_name(name): (service, name) for service, names in OPERATIONS.items() for name in names}
"""Method of a client -> service and operation."""
CLIENT = re.compile(r"(?:^|\.)_?client$|(?:^|\.)(?:client|provider)\(.*\)$")
"""What a client of AWS is called in our code, as source."""
PARTIQL = re.compile(r'(INSERT) INTO "|(UPDATE) "|(DELETE) FROM "|(SELECT) .* FROM "')
CONVERTED = {"convert", "decode"}
"""Functions of msgspec that make an instance of their second argument."""


class Symbol(NamedTuple):
    """Something that a module names: a function, a class, a value; `member` of a class, or none."""

    module: str
    name: str
    member: str = ""


FOREIGN = Symbol("", "")
"""Something that is known to be none of ours."""
QUEUE = Symbol("heliograph.runtime.wiring", "queue")
"""Gives the queue of a name."""
SPEC = Symbol("heliograph.channels.spec", "ChannelSpec")
"""What is asked of it is answered by the folder of each channel."""


class Called(NamedTuple):
    """An operation of AWS, what says on what, and where it stands in the source."""

    operation: str
    settings: frozenset[str]
    """Those that name it, each as a pattern."""
    queues: frozenset[str]
    """The names of queues that are sent to, each as a pattern."""
    at: str


@dataclass(frozen=True)
class Module:
    """A module's source: what it defines, and what it imports under which name."""

    name: str
    path: Path
    defined: Mapping[str, ast.stmt]
    imported: Mapping[str, Symbol]


@dataclass
class _Scope:
    """Names inside a function: what is imported there, and the classes of its variables."""

    module: Module
    owner: Symbol | None
    imported: dict[str, Symbol]
    types: dict[str, Symbol] = field(default_factory=dict)


def calls_of(app: Path, *, channel: str = "") -> set[Called]:
    """All calls that a handler can come to, on a channel or on any of them."""
    return _Search(channel).from_app(app)


@cache
def module_at(name: str) -> Module | None:
    """A module of ours; None for all others."""
    folder = PACKAGE / name.replace(".", "/")
    path = next((each for each in (folder.with_suffix(".py"), folder / "__init__.py") if each.is_file()), None)
    return _parsed(name, path) if path and name.startswith("heliograph") else None


def _parsed(name: str, path: Path) -> Module:
    body = ast.parse(path.read_text()).body
    flat = [*body, *(inner for each in body if isinstance(each, ast.If) for inner in each.body)]
    defined: dict[str, ast.stmt] = {}
    for node in flat:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign):
            defined |= {each.id: node for each in node.targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined[node.target.id] = node
    return Module(name, path, defined, dict(_imports(flat)))


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Symbol]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                yield (
                    each.asname or each.name,
                    Symbol(inner, "") if module_at(inner) else Symbol(node.module, each.name),
                )
        elif isinstance(node, ast.Import):
            yield from ((each.asname or each.name, Symbol(each.name, "")) for each in node.names)


class _Search:
    def __init__(self, channel: str) -> None:
        self._channels = [Channel(channel)] if channel else CHANNELS
        self._asked: set[str] = set()
        """Fields of a channel's spec."""
        self._waiting: list[tuple[Symbol, Module, Symbol | None]] = []
        self._seen: set[tuple[Symbol, Symbol | None]] = set()
        self._classes: set[Symbol] = set()
        self._named: set[str] = set()
        """Methods that are called on something unknown."""
        self._loaded: set[str] = set()
        """Attributes of something unknown; each may be a property."""
        self._settings: dict[Symbol, set[str]] = {}
        """Class -> settings from which it is made."""
        self._found: dict[tuple[str, Symbol | None], str] = {}
        self._named_here: dict[tuple[str, Symbol | None], set[str]] = {}
        """Settings that stand in a call itself."""
        self._queues: set[str] = set()
        """Names of queues, as patterns."""
        self._named_queues: set[str] = set()
        """Settings that name a queue."""

    def from_app(self, app: Path) -> set[Called]:
        module = _parsed("app", app)
        for name in module.defined:
            self._want(Symbol("app", name), module, None)
        while self._waiting or self._guess():
            self._enter(*self._waiting.pop())
        return {
            Called(operation, *self._on(operation, owner), at)
            for (operation, owner), at in self._found.items()
            if "PartiQL" not in operation or ("dynamodb:BatchExecuteStatement", owner) in self._found
        }

    def _on(self, operation: str, owner: Symbol | None) -> tuple[frozenset[str], frozenset[str]]:
        """The settings, and the names of queues, that say what a call is made on."""
        if operation.startswith("sqs:Send"):
            return frozenset(self._named_queues), frozenset(self._queues)
        made_of = self._settings.get(owner, set()) if owner else set()
        return frozenset(made_of | self._named_here.get((operation, owner), set())), frozenset()

    # ---- following names -----------------------------------------------------------------------------------

    def _want(self, symbol: Symbol, module: Module, owner: Symbol | None) -> None:
        """Follow a name; a plain function works for the class whose method led to it."""
        owner = None if _is_class(symbol) else owner
        if (symbol, owner) not in self._seen:
            self._seen.add((symbol, owner))
            self._waiting.append((symbol, module, owner))

    def _guess(self) -> bool:
        """Take the methods that may be meant by calls on something unknown; whether there was one."""
        for cls in list(self._classes):
            module = module_at(cls.module)
            if module and isinstance(node := module.defined.get(cls.name), ast.ClassDef):
                for each in node.body:
                    if isinstance(each, ast.FunctionDef) and each.name in self._named | self._loaded.intersection(
                        {each.name} if _is_property(each) else ()
                    ):
                        self._want(cls._replace(member=each.name), module, None)
        return bool(self._waiting)

    def _enter(self, symbol: Symbol, module: Module, owner: Symbol | None) -> None:
        node = module.defined.get(symbol.name)
        if isinstance(node, ast.ClassDef):
            self._enter_class(symbol, node, module)
        elif isinstance(node, ast.FunctionDef):
            self._read(node, _scope(module, None, node), owner)
        elif node is not None:
            self._read(node, _Scope(module, None, {}), owner)

    def _enter_class(self, symbol: Symbol, node: ast.ClassDef, module: Module) -> None:
        cls = symbol._replace(member="")
        wanted = symbol.member or "__init__"
        for each in node.body:
            is_wanted = isinstance(each, ast.FunctionDef) and each.name in {wanted, "__enter__", "__exit__"}
            if is_wanted or (isinstance(each, ast.Assign | ast.AnnAssign) and not symbol.member):
                scope = _scope(module, cls, each) if isinstance(each, ast.FunctionDef) else _Scope(module, cls, {})
                self._read(each, scope, cls)
        if constructor := _method(cls, "__init__"):
            for value in _bound_methods(constructor, symbol.member):
                self._read(value, _scope(module, cls, constructor), cls)
        self._classes.add(cls)

    def _read(self, node: ast.AST, scope: _Scope, owner: Symbol | None) -> None:
        for each in _taken(node):
            for name, value in _bound(each):
                if found := _type_of(value, scope):
                    scope.types.setdefault(name, found)
        for each in _taken(node):
            if isinstance(each, ast.Call):
                self._call(each, scope, owner)
                if isinstance(each.func, ast.Attribute) and _is_unknown(each.func, scope):
                    self._named.add(each.func.attr)
            elif isinstance(each, ast.Constant) and isinstance(each.value, str) and (verb := PARTIQL.match(each.value)):
                self._found.setdefault((f"dynamodb:PartiQL{verb[0].split()[0].title()}", owner), _at(scope, each))
            elif isinstance(each, ast.Attribute):
                self._attribute(each, scope, owner)
            elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
                self._refer(_named(each.id, scope), owner)

    def _call(self, call: ast.Call, scope: _Scope, owner: Symbol | None) -> None:
        target = call.func
        if isinstance(target, ast.Attribute) and CLIENT.search(ast.unparse(target.value)):
            method = target.attr
            if method == "get_paginator" and isinstance(call.args[0], ast.Constant):
                method = str(call.args[0].value)
            if method in OPERATION:
                service, operation = OPERATION[method]
                self._found.setdefault((f"{service}:{operation}", owner), _at(scope, call))
                self._named_here.setdefault((f"{service}:{operation}", owner), set()).update(_settings(call))
        made = _symbol_of(target, scope)
        if made == QUEUE:
            if named := _settings(call):
                self._named_queues |= named
            else:
                self._queues.add(_pattern(call.args[0]))
        if made and _is_class(made):
            self._settings.setdefault(_origin(made)._replace(member=""), set()).update(_settings(call))

    def _ask(self, field: str) -> None:
        """Follow a field of the specs."""
        if field in self._asked:
            return
        self._asked.add(field)
        for channel in self._channels:
            module = module_at(f"heliograph.channels.{channel}.spec")
            made = module.defined["SPEC"] if module else None
            if module and isinstance(made, ast.AnnAssign) and isinstance(made.value, ast.Call):
                for each in made.value.keywords:
                    if each.arg == field:
                        self._read(each, _Scope(module, None, {}), None)

    def _attribute(self, node: ast.Attribute, scope: _Scope, owner: Symbol | None) -> None:
        if _type_of(node.value, scope) == SPEC:
            self._ask(node.attr)
        if found := _symbol_of(node, scope):
            self._refer(found, owner)
        elif isinstance(node.ctx, ast.Load) and _is_unknown(node, scope):
            self._loaded.add(node.attr)

    def _refer(self, symbol: Symbol | None, owner: Symbol | None) -> None:
        symbol = _origin(symbol) if symbol else None
        if symbol and (module := module_at(symbol.module)) and symbol.name in module.defined:
            self._want(symbol, module, owner)


# ---- reading each tree once, for all functions -----------------------------------------------------------------


@cache
def _taken(node: ast.AST) -> tuple[ast.AST, ...]:
    """A tree without its annotations and docstrings."""
    return node, *(inner for child in _children(node) for inner in _taken(child))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    later = _later(node)
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Assign) and later and ast.unparse(child) in later:
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.AST):
                yield child


@cache
def _walked(node: ast.FunctionDef) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(node))


# ---- what a name stands for ------------------------------------------------------------------------------------


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement gives to values."""
    if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
        yield node.optional_vars.id, node.context_expr
    elif isinstance(node, ast.NamedExpr):
        yield node.target.id, node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        names, values = node.targets[0], node.value
        if isinstance(names, ast.Tuple) and isinstance(values, ast.Tuple):
            pairs = zip(names.elts, values.elts, strict=True)
            yield from ((name.id, value) for name, value in pairs if isinstance(name, ast.Name))
        elif isinstance(names, ast.Name):
            yield names.id, values


def _is_unknown(node: ast.Attribute, scope: _Scope) -> bool:
    """Whether an attribute may belong to something of ours that is not known."""
    return _symbol_of(node, scope) is None and _type_of(node.value, scope) is None


def _is_property(node: ast.FunctionDef) -> bool:
    return any("property" in ast.unparse(each) for each in node.decorator_list)


def _scope(module: Module, owner: Symbol | None, node: ast.FunctionDef) -> _Scope:
    scope = _Scope(module, owner, dict(_imports(_walked(node))))
    for each in _walked(node):
        if isinstance(each, ast.arg) and each.annotation and (found := _annotated(each.annotation, scope)):
            scope.types[each.arg] = found
    if owner and node.args.args and node.args.args[0].arg == "self":
        scope.types["self"] = owner
    return scope


def _named(name: str, scope: _Scope) -> Symbol | None:
    if name in scope.imported:
        return scope.imported[name]
    if name in scope.module.imported:
        return scope.module.imported[name]
    return Symbol(scope.module.name, name) if name in scope.module.defined else None


def _symbol_of(node: ast.expr, scope: _Scope) -> Symbol | None:
    """What an expression names: a module's function or class, or the method of a known class."""
    if isinstance(node, ast.Name):
        return _named(node.id, scope)
    if not isinstance(node, ast.Attribute):
        return None
    if isinstance(node.value, ast.Name) and node.value.id not in scope.types:
        outer = _named(node.value.id, scope)
        if outer and not outer.name:
            return outer._replace(name=node.attr)
        if outer and _is_class(outer) and _method(outer, node.attr):
            return _origin(outer)._replace(member=node.attr)
    owner = _type_of(node.value, scope)
    if owner is None or not owner.name:
        return None
    constructor = _method(owner, "__init__")
    is_bound = constructor is not None and any(_bound_methods(constructor, node.attr))
    return owner._replace(member=node.attr) if is_bound or _method(owner, node.attr) else None


def _type_of(node: ast.expr, scope: _Scope) -> Symbol | None:
    """The class of ours of which an expression gives an instance; FOREIGN if of none, None if nobody knows."""
    match node:
        case ast.Name(name):
            return scope.types.get(name) or (FOREIGN if _is_foreign(_named(name, scope)) else None)
        case ast.Attribute(value, name):
            if _is_foreign(_symbol_of(node, scope)):
                return FOREIGN
            owner = _type_of(value, scope)
            return _field(owner, name) if owner and owner.name else owner
        case ast.Call(ast.Attribute(_, name), [_, kind, *_]) if name in CONVERTED:
            return _annotated(kind, scope)
        case ast.Call(ast.Name(name)) if _named(name, scope) is None:
            return FOREIGN  # of Python
        case ast.Call(ast.Attribute(value)) if CLIENT.search(ast.unparse(value)):
            return FOREIGN
        case ast.Call(function):
            return _given_by(function, scope)
        case ast.Constant() | ast.JoinedStr() | ast.List() | ast.Dict() | ast.Set() | ast.Tuple():
            return FOREIGN
        case ast.ListComp() | ast.DictComp() | ast.SetComp() | ast.GeneratorExp():
            return FOREIGN
    return None


def _given_by(function: ast.expr, scope: _Scope) -> Symbol | None:
    """What a call gives."""
    made = _symbol_of(function, scope)
    if made is None:
        is_method = isinstance(function, ast.Attribute) and _type_of(function.value, scope) == FOREIGN
        return FOREIGN if is_method else None
    made = _origin(made)
    if _is_foreign(made):
        return FOREIGN
    if not made.member and _is_class(made):
        return made
    return _returned(_method(made, made.member) if made.member else _defined(made), made.module)


def _returned(function: ast.stmt | None, module_name: str) -> Symbol | None:
    module = module_at(module_name)
    if module and isinstance(function, ast.FunctionDef) and function.returns:
        return _annotated(function.returns, _Scope(module, None, {}))
    return None


def _is_foreign(symbol: Symbol | None) -> bool:
    return symbol is not None and not symbol.module.startswith(("heliograph", "app"))


def _annotated(annotation: ast.expr, scope: _Scope) -> Symbol | None:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if isinstance(annotation, ast.BinOp):
        return _annotated(annotation.left, scope)
    found = _symbol_of(annotation, scope) if isinstance(annotation, ast.Name | ast.Attribute) else FOREIGN
    if found is None or _is_foreign(found):
        return FOREIGN  # Python's own, or somebody else's
    return _origin(found) if _is_class(found) else None


def _field(owner: Symbol, name: str) -> Symbol | None:
    """The class of an attribute: annotated in the class, or what its constructor puts there."""
    module, node = module_at(owner.module), _defined(owner)
    if not module or not isinstance(node, ast.ClassDef):
        return None
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == name:
            return _returned(each, module.name)
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.target.id == name:
            return _annotated(each.annotation, _Scope(module, None, {}))
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            scope = _scope(module, owner, each)
            for one in ast.walk(each):
                if isinstance(one, ast.AnnAssign) and ast.unparse(one.target) == f"self.{name}":
                    return _annotated(one.annotation, scope)
                if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == f"self.{name}":
                    return _type_of(one.value, scope)
    return None


def _origin(symbol: Symbol) -> Symbol:
    """Where something is defined that a module only imports."""
    module = module_at(symbol.module)
    if module and symbol.name not in module.defined and symbol.name in module.imported:
        return _origin(module.imported[symbol.name]._replace(member=symbol.member))
    return symbol


def _defined(symbol: Symbol) -> ast.stmt | None:
    symbol = _origin(symbol)
    module = module_at(symbol.module)
    return module.defined.get(symbol.name) if module else None


def _is_class(symbol: Symbol) -> bool:
    return isinstance(_defined(symbol), ast.ClassDef)


def _method(cls: Symbol, name: str) -> ast.FunctionDef | None:
    node = _defined(cls)
    methods = node.body if isinstance(node, ast.ClassDef) else []
    return next((each for each in methods if isinstance(each, ast.FunctionDef) and each.name == name), None)


def _later(node: ast.AST) -> set[str]:
    """What a constructor only binds to the object: it is followed where it is used."""
    if not isinstance(node, ast.FunctionDef) or node.name != "__init__":
        return set()
    return {ast.unparse(each) for each in node.body if isinstance(each, ast.Assign) and _is_bound_method(each)}


def _is_bound_method(node: ast.Assign) -> bool:
    return "self." in ast.unparse(node.value) and ast.unparse(node.targets[0]).startswith("self.")


def _bound_methods(constructor: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    for each in constructor.body:
        if isinstance(each, ast.Assign) and _is_bound_method(each) and ast.unparse(each.targets[0]) == f"self.{name}":
            yield each.value


def _settings(call: ast.Call) -> set[str]:
    """The settings among the arguments of a call."""
    arguments = [*call.args, *(each.value for each in call.keywords)]
    return {
        _pattern(each.args[0])
        for each in (inner for one in arguments for inner in ast.walk(one))
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "setting"
    }


def _pattern(node: ast.expr) -> str:
    """A name as a regular expression: what is put into it may be anything."""
    if isinstance(node, ast.JoinedStr):
        return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values)
    return re.escape(str(node.value)) if isinstance(node, ast.Constant) else ".+"


def _at(scope: _Scope, node: ast.expr) -> str:
    return f"{scope.module.path.relative_to(ROOT)}:{node.lineno}"
