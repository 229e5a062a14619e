"""What the pages name of the code is there."""

import dataclasses
import importlib
import inspect
import re

import pytest

import victor_ext
from tests.pages.page import PAGES, ROOT, name_of

MODULES = (
    "victor_ext",
    "victor_ext.errors",
    "victor_ext.outbox",
    "victor_ext.inbox",
    "victor_ext.bulk",
    "victor_ext.prometheus",
    "victor_ext.otel",
    "victor_ext.conform",
    *(f"victor_ext.providers.{name}" for name in ("victor", "velo", "eastpay", "flexfactor")),
)
NAME = r"[a-z][a-z0-9_]*"
MEMBER = re.compile(rf"`([A-Z]\w+)\.({NAME})(?:\([^`]*)?`")
"""A member that is named with its class: `Outbox.send`, `ResultCode.parse(text)`."""
LISTED = re.compile(rf"`([A-Z]\w+)`: ((?:(?:,| and|, and its [a-z]+)?\s*`{NAME}`)+)")
"""Members that are listed after their class: a `ResultCode`: `code`, `kind` and `detail`."""
ERROR = re.compile(r"`([A-Z]\w+(?:Error|Failed|Denied|Request|Response))`")


def public_classes():
    """By their names; two systems may have a class of one name."""
    classes = {}
    for name in MODULES:
        module = importlib.import_module(name)
        for public in dir(module):
            value = getattr(module, public)
            if inspect.isclass(value) and value.__module__.startswith("victor_ext"):
                known = classes.setdefault(public, [])
                if value not in known:
                    known.append(value)
    return classes


CLASSES = public_classes()
EXAMPLES = {"Card"}
"""Schemas of made-up documents, which have the name of a class by chance."""


def has_member(of, name):
    """Whether a class has an attribute, a field or an argument of its constructor of a name."""
    if hasattr(of, name) or any(name in vars(each).get("__annotations__", {}) for each in of.mro()):
        return True
    if dataclasses.is_dataclass(of) and name in {each.name for each in dataclasses.fields(of)}:
        return True
    source = inspect.getsource(of)
    return re.search(rf"\bself\.{name}\b", source) is not None


def named(text):
    """The members that a page names, each with its class."""
    for match in MEMBER.finditer(text):
        yield match[1], match[2]
    for match in LISTED.finditer(text):
        for name in re.findall(rf"`({NAME})`", match[2]):
            yield match[1], name


def missing(text):
    """What a page names and no class of that name has."""
    return [
        f"{of}.{name}"
        for of, name in named(text)
        if of in CLASSES.keys() - EXAMPLES
        and not any(has_member(each, name) for each in CLASSES[of])
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_member_of_a_class_that_a_page_mentions_exists(page):
    assert missing(page.read_text(encoding="utf-8")) == []


def test_every_error_that_the_page_of_errors_mentions_exists():
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    names = {*ERROR.findall(text)}
    assert len(names) >= 10
    assert [name for name in names - {"ValueError"} if not hasattr(victor_ext, name)] == []
