"""What the table of members says of a body, its model says, too."""

import importlib
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from victor_ext.runtime.loop.declared_members import has_declared_member, undeclared_list
from victor_ext.runtime.loop.evidence import has_declared_value

PACKAGES = ("victor_api", "velo_api", "eastpay_api", "flexfactor_api")
GOOD = {"text": "a text", "flag": False, "whole": 7, "number": 1.5, "any": {}}

TEXTS = st.sampled_from(["", " ", "a text", "2026-03-04T00:00:00Z", "2026-03-04", "ACCEPTED"])
NUMBERS = st.sampled_from([0, 7, -1, 1.5, 5.0])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
NAMES = st.sampled_from(["error", "content", "status", "amount", "id", "schedule", "errors"])
ODD_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=6,
)


def tables_of(package: str) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = importlib.import_module(f"{package}.members").MEMBERS
    return tables


def model_of(package: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{package}.models"), name)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    """A package, the name of one of its models, and an object with some of its members."""
    package = draw(st.sampled_from(PACKAGES))
    tables = tables_of(package)
    name = draw(st.sampled_from(sorted(tables)))
    return package, name, draw(objects_of(tables, name, 3))


@st.composite
def objects_of(
    draw: st.DrawFn, tables: dict[str, dict[str, Any]], name: str, levels: int
) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for member, kind in tables[name].items():
        if draw(st.integers(0, 3)) == 0:
            body[member] = draw(values_of(tables, kind, levels))
    return body


def values_of(tables: dict[str, dict[str, Any]], kind: Any, levels: int) -> st.SearchStrategy[Any]:
    """Values of a kind, and as often values of any other."""
    good: st.SearchStrategy[Any] = ODD_VALUES
    if isinstance(kind, tuple):
        good = st.sampled_from(kind) | st.sampled_from(list(map(in_another_case, kind)))
    elif isinstance(kind, list) and levels:
        good = st.lists(values_of(tables, kind[0], levels - 1), max_size=2)
    elif isinstance(kind, str) and kind in tables and levels:
        good = objects_of(tables, kind, levels - 1)
    elif isinstance(kind, str) and kind in GOOD:
        good = st.just(GOOD[kind])
    return good | ODD_VALUES


def in_another_case(word: Any) -> Any:
    return word.swapcase() if isinstance(word, str) else float(word)


@pytest.mark.slow
@given(bodies())
def test_the_model_says_the_same_as_the_table(body: tuple[str, str, dict[str, Any]]) -> None:
    package, name, members = body
    is_declared = has_declared_member(members, name, tables_of(package))
    if is_declared is not None:
        assert has_declared_value(model_of(package, name).from_dict(members)) is is_declared


def test_a_member_of_a_plain_kind_needs_no_model() -> None:
    left_open: list[str] = []
    plain = 0
    for package in PACKAGES:
        tables = tables_of(package)
        for model, members in tables.items():
            for member, kind in members.items():
                is_plain = isinstance(kind, str) and kind in GOOD
                if not is_plain:
                    continue
                plain += 1
                if not has_declared_member({member: GOOD[kind]}, model, tables):
                    left_open.append(f"{package}.{model}.{member}")
    assert left_open == []
    assert plain > 400


@pytest.mark.parametrize("value", [None, "", " ", 7, [], {"id": "x"}])
def test_a_value_of_another_kind_is_not_told_by_the_table(value: Any) -> None:
    tables = {"Payout": {"status": "text", "memo": "text"}}
    assert not has_declared_member({"status": value}, "Payout", tables)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (["any"], [None]),
        ([["any"]], [[None]]),
        (["text"], [None, " "]),
        ("any", None),
        (["Item"], [{"name": None}]),
    ],
)
def test_a_list_of_nothing_is_not_told_by_the_table(kind: Any, value: Any) -> None:
    tables = {"Item": {"name": "text"}, "Payout": {"list": kind}}
    assert not has_declared_member({"list": value}, "Payout", tables)


def test_of_the_good_responses_of_victor_the_model_decides_nothing() -> None:
    """So that a call needs no model, whatever comes: see `test_calls_import_nothing`."""
    tables = tables_of("victor_api")
    operations = importlib.import_module("victor_api.operations").OPERATIONS
    models = {model for operation in operations for model in operation.results.values()}
    while True:
        kinds = [kind for model in models for kind in tables[model].values()]
        inner = {kind[0] if isinstance(kind, list) else kind for kind in kinds}
        if models >= inner & tables.keys():
            break
        models |= inner & tables.keys()
    assert all(tables[model] for model in models), "a map"
    assert {kind for kind in kinds if isinstance(kind, str)} <= GOOD.keys() | models
    assert all(kind is not None for kind in kinds)
    assert all(len(kind) > 1 for kind in kinds if isinstance(kind, tuple)), "a constant"


def test_what_a_failed_call_has_too_is_left_to_the_model() -> None:
    """The generator finds them by the names of their attributes, whatever is around these on the
    wire.
    """
    for package in PACKAGES:
        for name, members in tables_of(package).items():
            attributes = {each.alias: each.name for each in attrs.fields(model_of(package, name))}
            for member, kind in members.items():
                if member in ("error", "errors"):
                    assert member in attributes
                    assert kind is None
    assert tables_of("velo_api")["ErrorResponse"]["errors"] is None


@pytest.mark.parametrize(
    ("page", "place"),
    [
        ({"total": 1, "rows": [{"id": 1}]}, "rows"),
        ({"meta": {"size": 1, "items": [{"id": 1}]}}, "meta.items"),
        ({"free": {"items": [{"id": 1}]}}, "free"),
        ({"total": 0, "rows": []}, None),
        ({"total": 0, "_links": {"curies": [{"name": "v"}]}}, None),
        ({"total": 0, "errors": ["slow"]}, None),
    ],
    ids=["list", "in an object", "in an object without members", "empty", "links", "errors"],
)
def test_a_list_that_no_document_declares_may_have_the_items(
    page: dict[str, Any], place: str | None
) -> None:
    tables = {"Page": {"total": int, "meta": "Meta", "free": "Free"}, "Meta": {"size": int}}
    assert undeclared_list(page, "Page", tables) == place
