"""Mistakes made on purpose: a piece of code is found as a syntax tree, so that another format of it changes nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator


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
        self._right, self._wrong = ast.parse(right).body, ast.parse(wrong).body
        self._wanted = list(map(ast.dump, self._right))
        first = self._right[0]
        self._expression = ast.dump(first.value) if isinstance(first, ast.Expr) and len(self._right) == 1 else None
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
