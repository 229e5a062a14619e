"""Any JSON in any place of any model: it is written again as it was read, and is of no class that a
word excludes.
"""

import copy
import importlib
import json
import pickle
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.calls.values import ANY_JSON, Values, gist, mutated
from victor_spec.document import load

from .wire import Tree, Wire, beside, package, reading

pytestmark = pytest.mark.pull_request
MANY = settings(
    max_examples=60,
    database=None,
    suppress_health_check=[
        *HealthCheck
    ],  # the packages are the same for all examples, and the values large
)
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("victor", "velo", "eastpay", "flexfactor")
DOCUMENT = beside("reading")
SCHEMAS: Tree = DOCUMENT["schemas"]
WORDS: dict[str, dict[str, set[str]]] = {
    "Payment": {"Card": {"card", "credit"}, "Sepa": {"sepa"}},
    "Single": {"Card": {"card", "credit"}},
    "Defaulting": {"Sepa": {"sepa"}, "Other": {"other"}},
    "Told": {"Wallet": {"wallet"}, "Coupon": {"coupon", "cash"}},
    "Nested": {
        "Card": {"card", "credit"},
        "Sepa": {"sepa"},
        "Wallet": {"wallet"},
        "Coupon": {"coupon", "cash"},
    },
}
"""By union, the words that each class admits, written down once more: the implementation is not
asked.
"""
DEFAULTS = {"Defaulting": "Other"}
"""By union, the class of an object whose word names none."""
wire = package("reading", **reading(SCHEMAS))


def read_and_written(model: Any, value: dict[str, Any]) -> Any:
    """The model of a value, after it was compared with what it is written as."""
    found = model.from_dict(copy.deepcopy(value))
    written = found.to_dict()
    json.dumps(written)
    repr(found)
    assert gist(written) == gist(value)
    assert gist(model.from_dict(written).to_dict()) == gist(value)
    return found


@cache
def values_of(name: str) -> Values:
    return Values(
        load(
            Path(__file__).with_name("zoo.yaml")
            if name == "zoo"
            else ROOT / "openapi" / f"{name}.yaml"
        )
    )


@pytest.mark.parametrize("name", [*PACKAGES, "zoo"])
@MANY
@given(data=st.data())
def test_every_model_of_every_package_gives_back_what_it_read(
    name: str, data: st.DataObject, request: Any
) -> None:
    models = (
        request.getfixturevalue("zoo").models
        if name == "zoo"
        else importlib.import_module(f"{name}_api.models")
    )
    classes = sorted(each for each in models.__all__ if hasattr(getattr(models, each), "from_dict"))
    chosen = data.draw(st.sampled_from(classes))
    model = getattr(models, chosen)
    values = values_of(name)
    wires = [field for field in model.__slots__ if not field.startswith("_")]
    anything = st.dictionaries(st.sampled_from([*wires, "new"]), ANY_JSON, max_size=6)
    read_and_written(model, data.draw(anything))
    if chosen in values.names:
        valid = values.valid(chosen)
        read_and_written(model, data.draw(mutated(valid)))
        value = data.draw(valid)
        assert model.from_dict(value).to_dict() == value


TAGS = (
    st.sampled_from(
        ["card", "CREDIT", "sepa", "ideal", "cash", "wallet", "Coupon", "Other", "Missing"]
    )
    | ANY_JSON
)
VARIANTS = st.fixed_dictionaries(
    {},
    optional={
        "type": TAGS,
        "kind": TAGS,
        "iban": ANY_JSON,
        "number": ANY_JSON,
        "id": ANY_JSON,
        "memo": ANY_JSON,
    },
)
HOLDERS = st.recursive(
    VARIANTS | st.lists(VARIANTS, max_size=2) | ANY_JSON,
    lambda inner: st.dictionaries(
        st.sampled_from([*SCHEMAS["Holder"]["properties"], "backup", "type"]), inner
    ),
    max_leaves=6,
)


@MANY
@given(value=HOLDERS.filter(lambda value: isinstance(value, dict)))
@example(value={"either": {"type": "Other"}})
@example(value={"either": {"type": "Missing"}})
def test_no_object_is_of_a_class_that_its_discriminator_excludes(
    wire: Wire, value: dict[str, Any]
) -> None:
    _check(read_and_written(wire.models.Holder, value), value)


def _check(model: Any, value: Any) -> None:
    """Compare the classes in a model with the words in its value."""
    unions = {"backup": "Payment"} if type(model).__name__ == "Card" else {}
    if type(model).__name__ == "Holder":
        unions = {
            "payment": "Payment",
            "single": "Single",
            "either": "Defaulting",
            "told": "Told",
            "nested": "Nested",
        }
        for found, given in zip(_items(model.many), _items(value.get("many")), strict=True):
            _check_member("Payment", found, given)
        for name, found in getattr(model.named, "additional_properties", {}).items():
            _check_member("Told", found, value["named"][name])
        _check(model.holder, value.get("holder"))
    for name, union in unions.items():
        _check_member(union, getattr(model, name), value.get(name))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _check_member(union: str, found: Any, value: Any) -> None:
    name = type(found).__name__
    if isinstance(value, dict) and name in WORDS[union]:
        assert _may_be(union, name, value)
    _check(found, value)


def _may_be(union: str, name: str, value: dict[str, Any]) -> bool:
    """Whether an object of a union may be of a class: its word names that one, or there is no word.

    Of a union with a default, an object whose word names no class is of the default.
    """
    tag = "kind" if name in ("Wallet", "Coupon") else "type"
    default = DEFAULTS.get(union)
    if tag not in value and default is None:
        return True
    word = value.get(tag)
    named = [
        each
        for each, own in WORDS[union].items()
        if isinstance(word, str) and word.casefold() in own
    ]
    return (named or [default]) == [name]


@pytest.mark.parametrize(("union", "value", "classes"), DOCUMENT["classes"])
def test_the_words_of_a_value_say_which_classes_it_may_be_of(
    wire: Wire, union: str, value: dict[str, Any], classes: list[str]
) -> None:
    assert [each for each in WORDS[union] if _may_be(union, each, value)] == classes
    member = {"Defaulting": "either", "Payment": "payment"}[union]
    model = wire.models.Holder.from_dict({member: value})
    _check(model, {member: value})


@pytest.mark.parametrize(("field", "text", "written"), DOCUMENT["formats"])
def test_what_a_format_has_is_read_and_all_else_is_its_text(
    wire: Wire, field: str, text: str, written: Any
) -> None:
    found = wire.models.Formats.from_dict({field: text})
    assert isinstance(getattr(found, field), str) is (written is False)
    for each in (found, copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert each.to_dict() == {field: written if isinstance(written, str) else text}


def test_a_time_that_is_made_of_an_exact_one_has_microseconds(wire: Wire) -> None:
    exact = wire.models.Formats.from_dict({"seen": "2026-01-02T03:04:05.1234567Z"}).seen
    for moment in (
        exact.replace(day=3),
        exact + timedelta(days=1),
        copy.copy(exact.replace(day=3)),
    ):
        assert moment == datetime(2026, 1, 3, 3, 4, 5, 123456, UTC)
        assert wire.models.Formats(seen=moment).to_dict() == {"seen": "2026-01-03T03:04:05.123456Z"}


def test_an_unknown_variant_is_the_object_as_it_came(wire: Wire) -> None:
    value = {"type": "ideal", "bank": {"bic": "1"}, "none": None}
    payment = wire.read("payment", httpx.Response(200, json=value))
    assert isinstance(payment, wire.types.UnknownVariant)
    assert payment.raw == payment.to_dict() == {**payment} == value
    assert payment["bank"] == {"bic": "1"}
    assert payment.get("more") is None
    assert len(payment) == 3
    assert copy.deepcopy(payment) == payment
    many = [value, {"type": "sepa", "memo": None}]
    holder = wire.models.Holder.from_dict({"payment": payment, "many": many})
    assert [type(each).__name__ for each in holder.many] == ["UnknownVariant", "Sepa"]
    assert holder.to_dict() == {"payment": value, "many": many}


def test_an_unknown_variant_is_in_the_type_unless_any_other_word_is_the_defaults(
    wire: Wire,
) -> None:
    returned = wire.module("payment").sync.__annotations__["return"]
    assert returned == "Card | Sepa | UnknownVariant | None"
    assert wire.models.Holder.__annotations__["either"] == "Other | Sepa | Unset"
