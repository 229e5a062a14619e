"""What a user of a generated package would write: imports, calls with every argument, reads of every attribute, typed.

The code is made from the source of the package alone. Models that requests are made of are constructed, with all fields
and with those that are required; models that answers are made of are read. The strict form says, besides, that each
type is exactly what it was.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PLAIN = {
    "str": '"5"', "int": "5", "float": "2.5", "bool": "True", "Any": '"5"', "None": "None",
    "datetime.datetime": "datetime.datetime(2026, 3, 4, tzinfo=datetime.UTC)",
    "datetime.date": "datetime.date(2026, 3, 4)",
    "File": 'File(payload=io.BytesIO(b"abc"))', "UUID": "UUID(int=5)",
}  # fmt: skip
"""A value of each type."""


class _Argument(NamedTuple):
    name: str
    type: str
    required: bool
    positional: bool


class _Function(NamedTuple):
    arguments: list[_Argument]
    returns: str
    parses: bool
    """Whether there is a function that returns what was parsed."""


def _arguments(arguments: ast.arguments) -> Iterator[_Argument]:
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    every = [*((each, True, True) for each in arguments.args), *((each, not given, False) for each, given in named)]
    for each, required, positional in every:
        if each.arg != "client":
            yield _Argument(each.arg, ast.unparse(each.annotation or ast.Name("Any")), required, positional)


class UserCode:
    """Writes the code for a package in a folder."""

    def __init__(self, package: Path) -> None:
        self._package = package
        self._models: dict[str, list[tuple[str, str, bool]]] = {}
        self._enums: dict[str, list[str]] = {}
        for path in sorted((package / "models").glob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    self._read(node)
        self._functions = dict(self._read_functions())
        self._received = self._reached(made.returns for made in self._functions.values())

    def _read(self, node: ast.ClassDef) -> None:
        if any("Enum" in ast.unparse(base) for base in node.bases):
            self._enums[node.name] = [each.targets[0].id for each in node.body if isinstance(each, ast.Assign)]  # type: ignore[attr-defined] # names only
            return
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        self._models[node.name] = [
            (each.target.id, ast.unparse(each.annotation), each.value is None)  # type: ignore[union-attr] # names only
            for each in fields
            if each.target.id != "additional_properties"  # type: ignore[union-attr] # names only
        ]

    def _read_functions(self) -> Iterator[tuple[str, _Function]]:
        for path in sorted((self._package / "api").glob("*/*.py")):
            text = path.read_text(encoding="utf-8")
            for node in ast.parse(text).body:
                if isinstance(node, ast.FunctionDef) and node.name == "sync_detailed":
                    assert isinstance(node.returns, ast.Subscript)
                    returns = ast.unparse(node.returns.slice).replace("models.", "")
                    parses = "\ndef sync(" in text
                    yield f"{path.parent.name}.{path.stem}", _Function(list(_arguments(node.args)), returns, parses)

    def _reached(self, types: Iterator[str]) -> set[str]:
        left, found = list(types), set[str]()
        while left:
            names = {node.id for node in ast.walk(ast.parse(left.pop())) if isinstance(node, ast.Name)}
            for name in names & set(self._models) - found:
                found.add(name)
                left += [kind for _, kind, _ in self._models.get(name, [])]
        return found

    def text(self, package: str, *, strict: bool = False) -> str:
        """The module; in the strict form, what is read must have exactly the type that it had."""
        classes = sorted({*self._models, *self._enums})
        lines = [
            "import datetime", "import io", "from typing import Any, assert_type", "from uuid import UUID",
            f"from {package}.client import Client", f"from {package}.types import File, Unset, UNSET",
        ]  # fmt: skip
        lines += [f"from {package}.models import {name}" for name in classes]
        for module in self._functions:
            folder, _, name = module.partition(".")
            lines.append(f"from {package}.api.{folder} import {name} as {folder}__{name}")
        lines += ["", "CALLS = []", "READS: list[Any] = []", ""]
        for module, function in self._functions.items():
            lines += self._calls(module.replace(".", "__"), function, strict=strict)
        for name in sorted(self._received):
            lines += self._reads(name, strict=strict)
        for name, members in self._enums.items():
            lines += [f"{name}.{member}.value" for member in members]
        return "\n".join(lines) + "\n"

    def _calls(self, module: str, function: _Function, *, strict: bool) -> Iterator[str]:
        """A call with every argument, by position where that can be; and one with the required ones, by name."""
        for number, every in enumerate((True, False)):
            given = [each for each in function.arguments if every or each.required]
            plain = [self._value(each.type, every=every) for each in given if each.positional and every]
            named = [f"{each.name}={self._value(each.type, every=every)}" for each in given[len(plain) :]]
            arguments = ", ".join([*plain, "client=client", *named])
            call = f"{module}.sync({arguments})" if function.parses else f"{module}.sync_detailed({arguments}).parsed"
            yield f"def call_{module}_{number}(client: Client) -> None:"
            yield f"    parsed: {function.returns} | None = {call}"
            if strict:
                yield f"    assert_type({call}, {function.returns} | None)"
            yield f"CALLS.append(call_{module}_{number})"

    def _reads(self, name: str, *, strict: bool) -> Iterator[str]:
        yield f"def read_{name}(model: {name}) -> None:"
        for field, kind, _ in sorted(self._models[name]):
            yield f"    {field}: {kind} = model.{field}"
            if strict:
                yield f"    assert_type(model.{field}, {kind})"
        yield "    pass"
        yield f"READS.append((read_{name}, {name}))"

    def _value(self, kind: str, *, every: bool, depth: int = 0) -> str:
        """An expression of a type: models with every field, or with those that are required."""
        node = ast.parse(kind, mode="eval").body
        members = [node]
        while isinstance(members[0], ast.BinOp):
            members[:1] = [members[0].left, members[0].right]
        texts = [ast.unparse(each) for each in members]
        real = [each for each, text in zip(members, texts, strict=True) if text not in ("None", "Unset")]
        member = real[0] if real else members[0]
        if isinstance(member, ast.Subscript):
            inner = self._value(ast.unparse(member.slice), every=every, depth=depth + 1)
            return f"[{inner}]" if depth < 5 else "[]"
        name = ast.unparse(member)
        if name in self._enums:
            return f"{name}.{self._enums[name][0]}"
        if name in self._models:
            fields = [each for each in self._models[name] if (every and depth < 5) or each[2]]
            values = [f"{field}={self._value(type_, every=every, depth=depth + 1)}" for field, type_, _ in fields]
            return f"{name}({', '.join(values)})"
        return PLAIN.get(name, "None")


RUN = """
import importlib, sys, httpx
for name in sys.argv[2:]:
    try:
        user = importlib.import_module(f"{name}_user")
        client = importlib.import_module(f"{sys.argv[1].format(name)}.client").Client(
            base_url="http://localhost", raise_on_unexpected_status=False
        )
        client.set_httpx_client(httpx.Client(
            base_url="http://localhost", transport=httpx.MockTransport(lambda request: httpx.Response(299))
        ))
        for call in user.CALLS:
            try:
                call(client)
            except Exception as error:
                if type(error).__name__ != "UnreadableBody":
                    raise
        for read, model in user.READS:
            read(model.from_dict({}))
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}")
"""


def run(folder: Path, names: list[str], package: str) -> dict[str, str]:
    """Run the modules `<name>_user` in one process; returns the first error of each that fails."""
    command = [sys.executable, "-W", "error", "-c", RUN, package, *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def type_check(folder: Path, modules: list[str]) -> dict[str, str]:
    """Run `mypy --strict` once over modules in a folder; returns the first error of each that fails."""
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary"]
    command += ["--disable-error-code=empty-body", "--hide-error-context", "--cache-dir", str(folder / ".mypy_cache")]
    arguments = [f"{name}.py" for name in modules]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name, _, message = line.partition(".py:")
        if ": error:" in message:
            found.setdefault(name, message)
    return found
