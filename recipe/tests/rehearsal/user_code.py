"""What a user of a generated package would write: imports, calls with every argument, reads of
every attribute, typed.

The code is made from the package alone. Models that requests are made of are constructed, with all
fields and with those that are required; models that answers are made of are read. The strict form
says, besides, that each type is exactly what it was.
"""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import attrs

from victor_spec.checking.package import Package

PLAIN = {
    "str": '"5"', "int": "5", "float": "2.5", "bool": "True", "Any": '"5"', "None": "None",
    "datetime.datetime": "datetime.datetime(2026, 3, 4, tzinfo=datetime.UTC)",
    "datetime.date": "datetime.date(2026, 3, 4)",
    "File": 'File(payload=io.BytesIO(b"abc"))', "UUID": "UUID(int=5)",
}  # fmt: skip
"""A value of each type."""


class _Function(NamedTuple):
    arguments: list[inspect.Parameter]
    returns: str
    parses: bool
    """Whether there is a function that returns what was parsed."""


def _function(module: Any) -> _Function:
    signature = inspect.signature(module.sync_detailed)
    arguments = [each for each in signature.parameters.values() if each.name != "client"]
    returns = (
        signature.return_annotation.removeprefix("Response[")
        .removesuffix("]")
        .replace("models.", "")
    )
    return _Function(arguments, returns, hasattr(module, "sync"))


class UserCode:
    """Writes the code for a package in a folder."""

    def __init__(self, package: Path) -> None:
        with Package(package) as made:
            models = made.load("models")
            classes = {name: getattr(models, name) for name in sorted(models.__all__)}
            modules = {
                ".".join(each.module.__name__.split(".")[-2:]): each.module
                for each in made.functions
            }
            self._functions = {name: _function(module) for name, module in modules.items()}
        self._enums = {
            name: [*each.__members__] for name, each in classes.items() if issubclass(each, Enum)
        }
        self._models: dict[str, list[tuple[str, str, bool]]] = {
            name: [
                (each.name, each.type, each.default is attrs.NOTHING)
                for each in attrs.fields(model)
                if each.init
            ]
            for name, model in classes.items()
            if name not in self._enums
        }
        self._received = self._reached(made.returns for made in self._functions.values())

    def _reached(self, types: Iterator[str]) -> set[str]:
        left, found = list(types), set[str]()
        while left:
            names = {
                node.id for node in ast.walk(ast.parse(left.pop())) if isinstance(node, ast.Name)
            }
            for name in names & set(self._models) - found:
                found.add(name)
                left += [kind for _, kind, _ in self._models.get(name, [])]
        return found

    def text(self, package: str, *, strict: bool = False) -> str:
        """The module; in the strict form, what is read must have exactly the type that it had."""
        classes = sorted({*self._models, *self._enums})
        lines = [
            "import datetime",
            "import io",
            "from typing import Any, assert_type",
            "from uuid import UUID",
            f"from {package}.client import Client",
            f"from {package}.types import File, Unset, UNSET",
        ]
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
        """A call with every argument, by position where that can be; and one with the required
        ones, by name.
        """
        for number, every in enumerate((True, False)):
            given = [each for each in function.arguments if every or each.default is each.empty]
            values = {each: self._value(each.annotation, every=every) for each in given}
            plain = [
                values[each] for each in given if each.kind is each.POSITIONAL_OR_KEYWORD and every
            ]
            named = [f"{each.name}={values[each]}" for each in given[len(plain) :]]
            arguments = ", ".join([*plain, "client=client", *named])
            call = (
                f"{module}.sync({arguments})"
                if function.parses
                else f"{module}.sync_detailed({arguments}).parsed"
            )
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
        real = [
            each for each, text in zip(members, texts, strict=True) if text not in ("None", "Unset")
        ]
        member = real[0] if real else members[0]
        if isinstance(member, ast.Subscript):
            inner = self._value(ast.unparse(member.slice), every=every, depth=depth + 1)
            return f"[{inner}]" if depth < 5 else "[]"
        name = ast.unparse(member)
        if name in self._enums:
            return f"{name}.{self._enums[name][0]}"
        if name in self._models:
            fields = [each for each in self._models[name] if (every and depth < 5) or each[2]]
            values = [
                f"{field}={self._value(type_, every=every, depth=depth + 1)}"
                for field, type_, _ in fields
            ]
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
        client.set_httpx_client(
            httpx.Client(
                base_url="http://localhost",
                transport=httpx.MockTransport(lambda request: httpx.Response(299)),
            )
        )
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
    """Run `mypy --strict` once over modules in a folder; returns the first error of each that
    fails.
    """
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--no-error-summary",
    ]
    command += [
        "--disable-error-code=empty-body",
        "--hide-error-context",
        "--cache-dir",
        str(folder / ".mypy_cache"),
    ]
    arguments = [f"{name}.py" for name in modules]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name, _, message = line.partition(".py:")
        if ": error:" in message:
            found.setdefault(name, message)
    return found
