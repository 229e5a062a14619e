"""Where the packages read the environment, by their source."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_CALLS = {"getproxies", "get_terminal_size", "expanduser", "getenv", "Console"}
"""Functions that read the environment themselves, and rich's class."""


class Read(NamedTuple):
    """A place that reads the environment."""

    module: str
    function: str
    """With the module, and its class: `victor_ext.profiles.profiles_file`."""
    name: str | None
    """The variable; None: it is not named there."""


@cache
def environment_reads() -> list[Read]:
    """Every place in the packages that reads the environment."""
    reads: list[Read] = []
    for package in (ROOT / "victor_ext", ROOT / "recipe" / "victor_spec"):
        for file in sorted(package.rglob("*.py")):
            if "templates" not in file.parts:
                scan = EnvironmentScan(_module_of(file, package.parent))
                scan.visit(ast.parse(file.read_bytes()))
                reads += scan.reads
    return reads


def _module_of(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@dataclass
class EnvironmentScan(ast.NodeVisitor):
    """Collects the reads of one module."""

    module: str
    reads: list[Read] = field(default_factory=list)
    _constants: dict[str, str] = field(default_factory=dict)
    _scopes: list[str] = field(default_factory=list)

    def visit_Module(self, node: ast.Module) -> None:
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                    self._constants[name] = text
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._within(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within(node)

    def _within(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self._scopes.append(node.name)
        self.generic_visit(node)
        self._scopes.pop()

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=place, attr="get" | "setdefault") if _is_environ(place):
                self._add(node.args[0])
                for argument in node.args[1:]:
                    self.visit(argument)
                return
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _CALLS:
                self._add(None)
            case ast.Attribute(value=ast.Name(id="Path"), attr="home"):
                self._add(None)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if _is_environ(node.value):
            self._add(node.slice)
        else:
            self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = {alias.name for alias in node.names}
        if node.module == "os" and names & {"environ", "getenv"}:
            self._add(None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if _is_environ(node):
            self._add(None)
        self.generic_visit(node)

    def _add(self, name: ast.expr | None) -> None:
        text: str | None = None
        match name:
            case ast.Constant(value=str(text)):
                pass
            case ast.Name(id=constant):
                text = self._constants.get(constant)
        self.reads.append(Read(self.module, ".".join([self.module, *self._scopes]), text))


def _is_environ(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ"):
            return True
    return False
