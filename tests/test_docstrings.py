"""What `help()` shows of a method, what stands in the generated file that an editor opens, and what
the pages say are the same words.
"""

import ast
import importlib
import inspect
import pydoc
import re
from functools import cache
from pathlib import Path

import griffe
import pytest

from tests.pages.page import ROOT
from tests.providers.systems import CLIENTS
from victor_ext import Victor

SYSTEMS = ("victor", "velo", "eastpay", "flexfactor")


def written_methods():
    """The methods that the recipe writes, by their systems and names there; and the path of the
    public class that has them.
    """
    for system in SYSTEMS:
        for client in CLIENTS[system]:
            for kind in client._resources.values():
                (generated,) = (each for each in kind.__mro__ if each.__module__ in METHODS)
                for name in vars(generated):
                    if not name.startswith("_"):
                        path = f"{kind.__module__}.{kind.__qualname__}"
                        yield f"{system} {generated.__name__}.{name}", (getattr(kind, name), path)


METHODS = {f"{system}_api.typed.methods" for system in SYSTEMS}
WRITTEN = dict(written_methods())


@pytest.fixture(scope="module")
def pages():
    """What the pages of the reference are made of."""
    loader = griffe.GriffeLoader(
        search_paths=[str(ROOT), str(ROOT / "generated")],
        extensions=griffe.load_extensions(
            "dataclasses", str(ROOT / "docs" / "api" / "operations.py")
        ),
    )
    loader.load("victor_ext")
    return loader.modules_collection


@cache
def written_in(system):
    """The docstrings in the module of generated methods, by the names of the methods."""
    file = ROOT / "generated" / f"{system}_api" / "typed" / "methods.py"
    return {
        f"{system} {kind.name}.{method.name}": ast.get_docstring(method)
        for kind in ast.parse(file.read_text("utf-8")).body
        if isinstance(kind, ast.ClassDef)
        for method in kind.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_each_generated_method_is_among_these():
    assert {name for system in SYSTEMS for name in written_in(system)} == WRITTEN.keys()


@pytest.mark.parametrize("name", WRITTEN)
def test_help_shows_the_docstring_that_stands_in_the_generated_file(name):
    method, _ = WRITTEN[name]
    written = written_in(name.partition(" ")[0])[name]
    assert inspect.getdoc(method) == written
    # From Python 3.13 on, the signature above it takes several lines.
    lines = written.splitlines()
    shown = pydoc.plain(pydoc.render_doc(method)).rstrip().splitlines()[-len(lines) :]
    assert inspect.cleandoc("\n".join(["", *shown])) == written


@pytest.mark.pull_request
@pytest.mark.parametrize("name", [name for name in WRITTEN if " Async" not in name])
def test_the_page_of_a_generated_method_has_its_docstring_and_arguments(name, pages):
    method, path = WRITTEN[name]
    shown = pages[f"{path}.{method.__name__}"]
    assert inspect.cleandoc(shown.docstring.value) == inspect.getdoc(method)
    assert [each.name for each in shown.parameters][1:] == [
        each for each in inspect.signature(method).parameters if each != "self"
    ]


LIMIT = re.compile(r"(?:Up to \d+|\d+ to \d+) characters\.|\(The server's default: \w+\)\.")


def test_the_reference_of_the_command_says_the_limits_of_create_in_its_words():
    described = described_in(Victor.payment_requests.create)
    page = Path(ROOT / "docs" / "reference.md").read_text("utf-8")
    _, _, section = page.partition("**`victor rfp create`**")
    section = section.partition("<a id=")[0]
    assert len(section) > 1000
    said = {name: LIMIT.findall(words) for name, words in described.items()}
    assert sum(map(len, said.values())) >= 6
    for name, limits in said.items():
        rows = [row for row in section.splitlines() if f"`--{name.replace('_', '-')}`" in row]
        for limit in limits:
            (row,) = rows
            # A default has a column of its own.
            assert limit in row or limit.partition(": ")[2].rstrip(").") in row


def described_in(function):
    """What the docstring of a function says of its arguments."""
    _, _, arguments = (inspect.getdoc(function) or "").partition("Args:\n")
    joined = re.sub(r"\n {8}", " ", arguments)
    return dict(re.findall(r"^ +(\w+): (.*)$", joined, re.MULTILINE))


def functions_of(system):
    """The blocking methods of each operation, by the name of the operation."""
    methods = importlib.import_module(f"{system}_api.typed.methods")
    functions = {}
    for kind in ast.parse(inspect.getsource(methods)).body:
        if isinstance(kind, ast.ClassDef) and not kind.name.startswith("Async"):
            for method in kind.body:
                for operation in re.findall(r"PACKAGE\.\w+\(_(\w+),", ast.unparse(method)):
                    function = getattr(getattr(methods, kind.name), method.name)
                    functions.setdefault(operation, []).append(function)
    return functions


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_docstring_of_an_operation_says_the_limits_of_its_rows(system):
    rows = importlib.import_module(f"{system}_api.typed.rows")
    functions = functions_of(system)
    assert functions.keys() == rows.CALLS.keys()
    for name, call in rows.CALLS.items():
        for function in functions[name] if "body" in call else ():
            described = described_in(function)
            for argument, row in call["body"].items():
                if argument in inspect.signature(function).parameters:
                    assert row.get("said_limits", "") in described[argument]
                    assert row.get("server_default", "") in described[argument]
