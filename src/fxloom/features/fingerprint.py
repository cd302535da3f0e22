"""Digests of what a table's numbers depend on: the formulas themselves, not their formatting.

Starting from a family's function, every fxloom function, class and constant that it refers to is followed through
its syntax tree. Comments, docstrings, annotations and white space are ignored. A changed kernel changes the digest
of every table whose formulas use it, and of no other.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from fxloom.features.feature import Table

PACKAGE = __name__.partition(".")[0]
CALENDARS = f"{PACKAGE}.bars.calendars"
COMPILER = f"{PACKAGE}.kernels.jit"  # how kernels are compiled and cached does not affect numbers


@functools.cache
def formula_digest(table: Table) -> str:
    """The digest of everything that determines the numbers of ``table``, apart from bars and settings."""
    digest = hashlib.blake2b(digest_size=12)
    reached = _Walk(table.family.scope)
    reached.follow(table.family.compute)
    for key in sorted(reached.found):
        digest.update(f"{key}={reached.found[key]}\n".encode())
    digest.update(repr((table.domain, table.lookback, [f.name for f in table.features])).encode())
    for name, version in versions(any(key.startswith(CALENDARS) for key in reached.found)).items():
        digest.update(f"{name} {version}\n".encode())
    return digest.hexdigest()


def dependencies(table: Table) -> list[str]:
    """The functions and constants that the formulas of ``table`` use, by qualified name."""
    reached = _Walk(table.family.scope)
    reached.follow(table.family.compute)
    return sorted(reached.found)


@functools.cache
def versions(with_calendars: bool) -> dict[str, str]:
    """Versions of what determines numbers: NumPy and numba, with calendars also ``holidays`` and time-zone data."""
    found = {"numpy": np.__version__, "numba": importlib.metadata.version("numba")}
    if with_calendars:
        from fxloom.bars.calendars import CENTRES
        from fxloom.bars.zone_data import zones_digest

        zones = zones_digest(centre.zone for centre in CENTRES.values())
        found |= {"holidays": importlib.metadata.version("holidays"), "zones": zones}
    return found


@dataclass(frozen=True)
class _Body:
    """What matters of a function: the dump of its stripped tree, what it refers to, the attributes it mentions."""

    dump: str
    references: tuple[tuple[Any, str], ...]
    attributes: frozenset[str]


@functools.cache
def _body(function: FunctionType) -> _Body | None:
    tree = _definition(function)
    if tree is None:
        return None
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)]
    attributes = frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute))
    return _Body(ast.dump(tree), tuple(_references(nodes, function.__globals__)), attributes)


class _Walk:
    """The functions, classes and constants reached so far, each with the dump of its tree or its value."""

    def __init__(self, scope: str) -> None:
        self.found: dict[str, str] = {}
        self.classes = list(_view_classes(scope))
        self.attributes: set[str] = set()

    def follow(self, start: Callable[..., Any]) -> None:
        self._reach(start)
        before = -1
        while before != len(self.found):  # an attribute found late may name a method of a class found early
            before = len(self.found)
            for cls in list(self.classes):
                for name in sorted(_members(cls) & (self.attributes | {"__init__", "__post_init__"})):
                    member = inspect.getattr_static(cls, name)
                    self._reach(getattr(member, "fget", member))

    def _reach(self, value: Any) -> None:
        if isinstance(value, functools.partial):
            self._constant(f"partial of {value.func.__qualname__}", (value.args, value.keywords))
            value = value.func
        value = getattr(value, "py_func", value)  # a compiled kernel
        value = getattr(value, "__wrapped__", value)  # a cached function
        if isinstance(value, FunctionType) and value.__module__.startswith(PACKAGE) and value.__module__ != COMPILER:
            self._function(value)
        elif isinstance(value, type) and value.__module__.startswith(PACKAGE) and value not in self.classes:
            self.classes.append(value)
            self._constant(f"{value.__module__}.{value.__qualname__}", sorted(getattr(value, "__annotations__", {})))

    def _function(self, function: FunctionType) -> None:
        key = f"{function.__module__}.{function.__qualname__}"
        body = None if key in self.found else _body(function)
        if body is None:
            return
        self.found[key] = body.dump
        for value, name in body.references:
            if callable(value):
                self._reach(value)
            elif not isinstance(value, ModuleType):
                self._constant(f"{function.__module__}:{name}", value)
        self.attributes |= body.attributes

    def _constant(self, key: str, value: Any) -> None:
        self.found[key] = value.tobytes().hex() if isinstance(value, np.ndarray) else repr(value)


@functools.cache
def _members(cls: type) -> frozenset[str]:
    return frozenset(name for base in cls.__mro__ if base is not object for name in vars(base))


def _view_classes(scope: str) -> Iterator[type]:
    from fxloom.features.pair_view import PairFrame, View

    yield from (View, PairFrame)
    if scope == "panel":
        from fxloom.features.panel_view import PanelFrame, PanelView

        yield from (PanelView, PanelFrame)


def _references(nodes: Iterable[ast.Name | ast.Attribute], names: dict[str, Any]) -> Iterable[tuple[Any, str]]:
    """The values of module-level names in ``nodes``, and of ``module.name`` for modules of the package."""
    for node in nodes:
        if isinstance(node, ast.Name):
            if node.id in names:
                yield names[node.id], node.id
        elif isinstance(node.value, ast.Name):
            module = names.get(node.value.id)
            if isinstance(module, ModuleType) and module.__name__.startswith(PACKAGE):
                yield getattr(module, node.attr, None), f"{node.value.id}.{node.attr}"


@functools.cache
def _module_definitions(path: Path) -> dict[int, ast.FunctionDef]:
    found = {}
    for node in _statements(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            found[min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node
    return found


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements inside ``node`` at any depth, without their expressions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
            yield from _statements(child)


def _definition(function: FunctionType) -> ast.FunctionDef | None:
    path = sys.modules[function.__module__].__file__
    node = _module_definitions(Path(path)).get(function.__code__.co_firstlineno) if path else None
    if node is None:  # generated by a decorator such as dataclass; the class is digested by its fields
        return None
    return _Bare().visit(node)  # type: ignore[no-any-return]


class _Bare(ast.NodeTransformer):
    """Strip docstrings and annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant) and node.body[1:]:
            node.body = node.body[1:]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=node.lineno))
