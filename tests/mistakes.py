"""Mistakes made on purpose in a copy of the client, to see that the tests notice them.

A mistake names a function and a piece of its code. It is matched as a syntax tree, so that another format of the same
code changes nothing. It must match in one place only: when the code is rewritten, the check fails until the mistake is
made anew.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("victor_ext", "tests", "openapi", "pyproject.toml")


@dataclass(frozen=True)
class Mistake:
    """A change of the code, and the tests that must fail after it.

    Attributes:
        where: `package.module:Class.function`, or `package.module:` for the module as a whole.
        right: Statements, an expression, or `name=value` for a keyword argument.
        wrong: What takes their place; nothing removes them.
        fails: The tests, as paths from the root of the repository with `::`.
        complaint: A part of what the failing tests print.
    """

    where: str
    right: str
    wrong: str
    fails: tuple[str, ...]
    complaint: str = ""


@dataclass(frozen=True)
class Run:
    """What a run of pytest in the copy came to."""

    passed: int
    failed: tuple[str, ...]
    output: str


class Copy:
    """A copy of the package and of its tests, in which they run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in _COPIED:
            source, target = ROOT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)

    def make(self, mistake: Mistake) -> None:
        """Put a mistake into the code. Raises `LookupError` unless it matches once."""
        module, _, function = mistake.where.partition(":")
        file = self.folder / (module.replace(".", "/") + ".py")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        scope = _named(tree, function) if function else tree
        replaced = _Replacement(mistake.right, mistake.wrong)
        replaced.visit(scope)
        if replaced.count != 1:
            raise LookupError(f"{mistake.right!r} is {replaced.count} times in {mistake.where}: make the mistake anew")
        file.write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")

    def run(self, *tests: str) -> Run:
        """Run these tests in the copy."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-vv", "-rfE", "-p", "no:cacheprovider", *tests],
            check=False,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(self.folder),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_ADDOPTS": "",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode in (0, 1), done.stdout  # anything else is no result of a test
        lines = done.stdout.splitlines()
        failed = [line for line in lines if line.startswith("FAILED ")]
        return Run(
            sum(" PASSED" in line for line in lines),
            tuple(test for test in tests if any(test in line for line in failed)),
            done.stdout,
        )


def assert_noticed(mistake: Mistake, folder: Path, selected: tuple[str, ...] = ()) -> None:
    """Of the selected tests, those that the mistake names fail, and no others."""
    copy = Copy(folder)
    copy.make(mistake)
    run = copy.run(*(selected or mistake.fails))
    assert set(run.failed) == set(mistake.fails), run.output
    assert mistake.complaint in run.output


def _named(tree: ast.Module, name: str) -> ast.AST:
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


class _Replacement(ast.NodeTransformer):
    """Replaces what is equal to `right`, and counts how often."""

    def __init__(self, right: str, wrong: str) -> None:
        self._right, self._wrong = ast.parse(right).body, ast.parse(wrong).body
        self._wanted = list(map(ast.dump, self._right))
        first = self._right[0]
        self._expression = ast.dump(first.value) if isinstance(first, ast.Expr) and len(self._right) == 1 else None
        self._keyword = (
            (first.targets[0].id, ast.dump(first.value))
            if isinstance(first, ast.Assign) and isinstance(first.targets[0], ast.Name)
            else None
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
        if isinstance(node, ast.keyword) and (node.arg, ast.dump(node.value)) == self._keyword:
            self.count += 1
            return None
        return super().visit(node)  # type: ignore[no-any-return] # typeshed has Any

    def _replace_within(self, statements: list[ast.stmt]) -> None:
        size = len(self._wanted)
        for start in range(len(statements) - size + 1):
            if list(map(ast.dump, statements[start : start + size])) == self._wanted:
                self.count += 1
                statements[start : start + size] = self._wrong or [ast.Pass()]
                return
