"""What is public has a plain name, and is on a page; what is not begins with `_`, and no page,
example or generated package names it.
"""

import ast
import importlib
import pkgutil
import re

import pytest

import victor_ext
from tests.pages.page import ROOT

TOP = {
    *("asgi", "bulk", "cli", "errors", "inbox", "money", "otel", "outbox"),
    *("prometheus", "providers", "reconciliation", "sandbox", "testing", "typed", "zulu"),
}
BELOW = {
    *("outbox.django", "inbox.django", "testing.plugin"),
    *(f"providers.{name}" for name in ("victor", "velo", "eastpay", "flexfactor")),
    *(f"sandbox.{name}" for name in ("victor", "velo", "eastpay", "flexfactor")),
    *("sandbox.server", "sandbox.engine"),
}
OF_DJANGO = re.compile(r"(?:in|out)box\.django\.(?:apps|models|migrations|management)\b")
"""Django finds these by their names."""

PRIVATE = re.compile(r"\bvictor_ext(?:[./][a-z]\w*)*[./]_(?!_)\w+")
FOR_CONTRIBUTORS = {"architecture.md", "transactions.md"}
"""The picture of the house, private rooms and all."""


def plain_modules():
    """The modules that anybody would take for public ones, without `victor_ext.`."""
    names = {each.name for each in pkgutil.walk_packages(victor_ext.__path__, "victor_ext.")}
    return {
        name
        for name in (each.removeprefix("victor_ext.") for each in names)
        if not any(part.startswith("_") for part in name.split(".")) and not OF_DJANGO.match(name)
    }


def texts():
    """What users read and copy, by its path: pages, examples, and generated packages."""
    paths = [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "docs").glob("*.txt"),
        *(ROOT / "recipe" / "docs").rglob("*.md"),
        *(ROOT / name for name in ("README.md", "SECURITY.md", "recipe/README.md")),
        *(ROOT / "examples").rglob("*.py"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "generated").rglob("*.py"),
    ]
    return {path: path.read_text("utf-8") for path in paths if path.name not in FOR_CONTRIBUTORS}


def test_every_plain_module_is_public():
    assert plain_modules() == TOP | BELOW


def test_nothing_that_users_read_names_what_is_private():
    named = {str(path): PRIVATE.findall(text) for path, text in texts().items()}
    assert len(named) > 300
    assert {path: names for path, names in named.items() if names} == {}


def test_no_example_takes_a_private_name_of_a_public_module():
    for path, text in texts().items():
        if path.suffix != ".py" or "generated" in path.parts:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("victor_ext"):
                private = [each.name for each in node.names if each.name.startswith("_")]
                assert private in ([], ["__version__"]), path


@pytest.mark.parametrize("module", ["", *sorted(TOP | BELOW)])
def test_every_public_name_is_on_a_page(module):
    """A page of the reference shows a module whole, or names what it shows."""
    dotted = f"victor_ext.{module}".removesuffix(".")
    names = getattr(importlib.import_module(dotted), "__all__", ())
    pages = "\n".join(text for path, text in texts().items() if path.suffix == ".md")
    if re.search(rf"^::: {re.escape(dotted)}$", pages, re.MULTILINE):
        return
    missing = [name for name in names if not re.search(rf"\b{re.escape(name)}\b", pages)]
    assert missing == []
