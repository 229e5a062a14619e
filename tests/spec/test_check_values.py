"""What the check makes of schemas before it calls anything: alternatives, values, and the class that a caller takes."""

from __future__ import annotations

from typing import Any, Self

import attrs
import pytest
from victor_api.decoding import OpenStrEnum

from victor_ext.spec.checking.package import build
from victor_ext.spec.checking.values import Synthesis, mismatch
from victor_ext.spec.checking.views import Document, Node

TURNS = {"oneOf": [{"const": 1}, {"const": 2}], "type": "integer"}


def of(schema: dict[str, Any]) -> tuple[Document, Node]:
    return Document({"components": {"schemas": {"Turns": TURNS}}}), Node(schema, "x")


def test_an_alternative_that_contradicts_itself_is_none() -> None:
    document, node = of({"type": "integer", "enum": [2], "allOf": [{"$ref": "#/components/schemas/Turns"}]})
    assert [view.enum for view in document.views(node)] == [[2]]
    assert [mismatch(document, node, value) for value in (1, 2)] == ["1 is not in the enum", None]


def test_where_every_alternative_contradicts_itself_the_last_word_counts() -> None:
    document, node = of({"type": "integer", "enum": [3], "allOf": [{"$ref": "#/components/schemas/Turns"}]})
    assert [view.enum for view in document.views(node)] == [[1], [2]]


@pytest.mark.parametrize("schema", [{"type": "null"}, {"type": ["null"]}, {"const": None}])
def test_null_is_the_only_value_of_its_type(schema: dict[str, Any]) -> None:
    document, node = of(schema)
    assert Synthesis(document, as_json=True).value(node, "received") is None
    assert mismatch(document, node, None) is None
    assert mismatch(document, node, {"any": "thing"}) == "dict where null is declared"


def test_what_may_be_anything_is_an_object_in_json_and_a_text_elsewhere() -> None:
    document, node = of({"type": "array", "items": {}})
    assert Synthesis(document, as_json=True).value(node, "sent") == [{"any": "thing"}] * 2
    assert Synthesis(document).value(node, "sent") == ["text é", "text é"]


def test_a_member_of_a_union_that_allows_no_other_property_does_not_fit_one_that_has_more() -> None:
    one = {"type": "object", "properties": {"user": {"type": "string"}}, "additionalProperties": False}
    document, node = of({"oneOf": [one]})
    assert mismatch(document, node, {"user": "a"}) is None
    assert mismatch(document, node, {"user": "a", "token": "b"}) == "a property is not declared"


@pytest.mark.parametrize("kind", [{}, {"type": "object"}])
@pytest.mark.parametrize("values", ["Links", "Link"])
def test_a_map_has_a_value_of_its_own_schema(kind: dict[str, Any], values: str) -> None:
    links = {**kind, "additionalProperties": {"$ref": f"#/components/schemas/{values}"}}
    link = {"type": "object", "properties": {"href": {"type": "string"}}}
    document = Document({"components": {"schemas": {"Links": links, "Link": link}}})
    node = Node(links, "x")
    for full in (0, 1, 2):
        assert mismatch(document, node, Synthesis(document, as_json=True).value(node, "received", full=full)) is None


class Unset:
    """As the one of a generated package."""


UNSET = Unset()


@attrs.define
class Wide:
    """Its country is optional, and it has more fields than `Slim`."""

    city: Any = attrs.field()
    country: Any = UNSET
    street: Any = UNSET
    additional_properties: dict[str, Any] = attrs.field(init=False, factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> Self:
        return cls(**{each.name: written.get(each.name, UNSET) for each in attrs.fields(cls) if each.init})


@attrs.define
class Slim(Wide):
    """Its country is required."""

    country: Any = attrs.field(kw_only=True)
    street: Any = attrs.field(init=False, default=None)


class Pome(OpenStrEnum):
    APPLE = "apple"


class Drupe(OpenStrEnum):
    PLUM = "plum"


@attrs.define
class Pomes:
    """A list of words of an enum that keeps a plum as a member of its own."""

    words: Any
    additional_properties: dict[str, Any] = attrs.field(init=False, factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> Self:
        return cls([Pome(each) for each in written["words"]])


@attrs.define
class Drupes:
    """A list of words of an enum that has the plum."""

    words: Any
    additional_properties: dict[str, Any] = attrs.field(init=False, factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> Self:
        return cls([Drupe(each) for each in written["words"]])


def test_a_caller_takes_the_class_whose_enum_has_the_words_of_a_list() -> None:
    assert type(build(Pomes | Drupes, {"words": ["plum"]})) is Drupes


@pytest.mark.parametrize(("value", "cls"), [({"city": "a"}, Wide), ({"city": "a", "country": "b"}, Slim)])
def test_a_caller_takes_the_class_whose_required_fields_are_given(value: dict[str, Any], cls: type) -> None:
    assert type(build(Slim | Wide, value)) is cls
