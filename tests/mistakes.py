"""Mistakes made on purpose: a piece of code is found as a syntax tree, so that another format of it
changes nothing.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any


def named(tree: ast.Module, name: str) -> ast.AST:
    scope: ast.AST = tree
    for part in name.split("."):
        found = [each for each in _definitions(scope) if each.name == part]
        if len(found) != 1:
            raise LookupError(f"{name}: there is no such function, or more than one")
        scope = found[0]
    return scope


def _definitions(scope: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for each in ast.iter_child_nodes(scope):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield each


class Replacement(ast.NodeTransformer):
    """Replaces what is equal to `right`, and counts how often."""

    def __init__(self, right: str, wrong: str) -> None:
        self._right = ast.parse(right).body
        self._wrong = ast.parse(wrong).body
        self._wanted = list(map(ast.dump, self._right))
        first = self._right[0]
        self._expression = (
            ast.dump(first.value) if isinstance(first, ast.Expr) and len(self._right) == 1 else None
        )
        self.count = 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list) and self._expression is None:
                self._replace_within(statements)
        return super().generic_visit(node)

    def visit(self, node: ast.AST) -> ast.AST | None:
        if self._expression is not None and ast.dump(node) == self._expression:
            self.count += 1
            wrong = self._wrong[0]
            assert isinstance(wrong, ast.Expr)
            return wrong.value
        return super().visit(node)  # type: ignore[no-any-return] # typeshed has Any

    def _replace_within(self, statements: list[ast.stmt]) -> None:
        size = len(self._wanted)
        for start in range(len(statements) - size + 1):
            if list(map(ast.dump, statements[start : start + size])) == self._wanted:
                self.count += 1
                statements[start : start + size] = self._wrong or [ast.Pass()]
                return


@contextmanager
def planted(where: str, right: str, wrong: str) -> Generator[None]:
    """Take a decision back in this process, within the block."""
    name, _, path = where.partition(":")
    module, (*holders, function) = importlib.import_module(name), path.split(".")
    tree = named(ast.parse(inspect.getsource(module)), path)
    replaced = Replacement(right, wrong)
    replaced.visit(tree)
    assert replaced.count == 1, f"{right!r} is {replaced.count} times in {where}: plant it anew"
    holder: Any = module
    for each in holders:
        holder = getattr(holder, each)
    before = vars(holder)[function]
    made = dict[str, Any]()
    # Modules that have imported it have it, too.
    others = (
        each
        for each in list(sys.modules.values())
        if getattr(each, "__dict__", {}).get(function) is before
    )
    holders_of_it = [holder, *others]
    assert isinstance(tree, ast.FunctionDef)
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    exec(
        compile(ast.fix_missing_locations(ast.Module([future, tree], [])), where, "exec"),
        vars(module),
        made,
    )
    for each in holders_of_it:
        setattr(each, function, made[function])
    try:
        yield
    finally:
        for each in holders_of_it:
            setattr(each, function, before)
