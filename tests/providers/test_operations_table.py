"""The pages' tables of operations, held against the generated packages and against what the methods
send.

Each row names one operation of a provider, and the methods that call it, or a dash with the reason.
"""

import dataclasses
import importlib
import inspect
import re
import types
import typing
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.contracts.calling import answers_of, with_members
from tests.contracts.document import Document
from tests.contracts.record import contract_of
from tests.payments import payment
from tests.providers.running import GUID, Script
from tests.providers.systems import CLIENTS
from victor_ext.providers import Money

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = tuple(CLIENTS)
NOW = datetime.now(UTC)


class Row(NamedTuple):
    """One operation of a page's table."""

    operation: str
    methods: list[str]
    note: str


@cache
def table(system):
    """The table of a system's page. Velo's is on the page of its reference, and another test's."""
    page = ROOT / "docs" / f"{system}.md"
    found = re.search(
        r"^\| operation \|.*\n\|[-|]+\n((?:\|.*\n?)+)", page.read_text("utf-8"), re.MULTILINE
    )
    return [_row(line) for line in found[1].splitlines()] if found else []


def _row(line):
    """A row of `operation | method | note`."""
    said, methods, *notes = (cell.strip() for cell in line.strip("|").split("|"))
    [operation] = re.findall(r"`([A-Z]+ /[^`]*)`", said)
    return Row(operation, re.findall(r"`([\w.]+)", methods.partition(":")[0]), "".join(notes))


def route(operation):
    """A method and a path, whatever the names of its parameters."""
    return re.sub(r"{[^}]*}", "{}", operation)


@cache
def generated(system):
    """The operations of a document, which are those of its generated package."""
    return frozenset(route(f"{each.method} {each.path}") for each in Document.of(system).operations)


def pytest_generate_tests(metafunc):
    """Read the pages when the tests are collected: other files import this one without them."""
    tables = {system: table(system) for system in SYSTEMS if table(system)}
    if "operation" in metafunc.fixturenames:
        rows = [
            pytest.param(system, row.operation, name, id=f"{system} {name} {row.operation}")
            for system, rows in tables.items()
            for row in rows
            for name in row.methods
        ]
        metafunc.parametrize(("system", "operation", "name"), rows)
    elif "system" in metafunc.fixturenames:
        metafunc.parametrize("system", tables)


def test_each_operation_has_one_row_and_no_row_invents_a_method(system):
    named = Counter(route(row.operation) for row in table(system))
    assert generated(system) <= {*named} and {*named.values()} == {1}
    assert [row.operation for row in table(system) if not row.methods and not row.note] == []
    assert {route(row.operation) for row in table(system) if row.methods} <= generated(system)


# ---- What the methods really send ----


UNDECLARED = {"listOrders": {"items": [{"id": "o-1", "status": 7}]}}
"""Members of good answers that are in no document."""


@cache
def good_answers(system):
    """A good answer to each operation, by its id: one that reports no errors."""
    answers = answers_of(contract_of(system), Document.of(system))
    return {
        name: {**body, "errors": []} if "errors" in (body or ()) else body
        for name, body in answers.items()
    }


def good_answer(system, request, **changes):
    """A good answer to a request, with other values at these places."""
    operation = Document.of(system).operation_of(request)
    body = with_members(good_answers(system)[operation.id], changes)
    if operation.id in UNDECLARED:
        body |= UNDECLARED[operation.id]
    made = {"Location": f"{request.url}/made-1"} if body is None else {}
    return httpx.Response(operation.answer[0], headers=made, json=body)


class Recorder(Script):
    """Answers each operation as its document declares."""

    def __init__(self, system):
        super().__init__(partial(good_answer, system))


KNOWN = {
    **payment(due_date=NOW.date()),
    "notes": "yes",
    "timeout": 0.0,
    "country": "US",
    "routing_number": "011401533",
    "account_number": "043987673645",
    "name": "Main account",
    "date_of_birth": "1970-05-20",
    "email": "a@b.example",
    "source_account_id": "account-1",
    "until": "ACCEPTED",
    "value": "12345",
}
del KNOWN["amount"]  # each system has a type of its own
"""Arguments, and fields of request objects, that are not made by their types alone."""
MADE = {
    str: GUID,
    int: 1,
    bool: True,
    Decimal: Decimal("44.23"),
    bytes: b"{}",
    Any: {},
    Money: Money.of("44.23", "USD"),
    datetime: NOW - timedelta(hours=1),
}
NEEDED = {"timeout", "individual", "enabled"}
"""Arguments that are given although they have a default."""


def argument(name, kind):
    """A value for an argument, by its name or its type."""
    if name in KNOWN:
        return KNOWN[name]
    if typing.get_origin(kind) is typing.Annotated:
        kind = kind.__origin__
    if kind in MADE:
        return MADE[kind]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return argument(name, parts[0])
    if origin is typing.Literal:
        return parts[0]
    if origin in (list, tuple) or (isinstance(origin, type) and issubclass(origin, Sequence)):
        return [argument(name, parts[0])]
    if dataclasses.is_dataclass(kind):
        return kind(**arguments_of(kind))
    raise LookupError(f"say in KNOWN what to pass for {name}: {kind}")


def types_of(made_by):
    """The type of each argument of a method or a class. Some are texts, with names of other
    modules.
    """
    home = vars(inspect.getmodule(inspect.unwrap(made_by)))
    package, names = home["__package__"], {}
    modules = [f"{package}.{each}" for each in ("reading", "requests", "transactions", "system")]
    for module in (*modules, f"{package.rpartition('.')[2]}_api.typed.arguments"):
        with suppress(ModuleNotFoundError):
            names |= vars(importlib.import_module(module))
    names |= home
    # What a generated class leaves open is a class by hand, of the module that names it.
    by_hand = vars(inspect.getmodule(type(getattr(made_by, "__self__", None))))
    names |= {
        name: by_hand[name]
        for name, kind in home.items()
        if isinstance(kind, typing.TypeVar) and name in by_hand
    }
    return {
        name: eval(each.annotation, names) if isinstance(each.annotation, str) else each.annotation
        for name, each in inspect.signature(made_by).parameters.items()
    }


def arguments_of(made_by):
    """Good values of the arguments that a method or a class needs."""
    declared, kinds = inspect.signature(made_by).parameters, types_of(made_by)
    needed = (
        name
        for name in kinds
        if declared[name].default is inspect.Parameter.empty or name in NEEDED
    )
    return {name: argument(name, kinds[name]) for name in needed}


def use(name):
    """Calls a method of a client with good arguments, by its name."""

    def call(client):
        method = attrgetter(name)(client)
        return method(**arguments_of(method))

    return call
