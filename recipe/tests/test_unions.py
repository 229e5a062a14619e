"""Unions: which member a value is, what stands beside one, and what merging its members keeps."""

from enum import Enum

import httpx
import pytest

from .command import run
from .wire import (
    TEXT,
    Wire,
    an_object,
    answering,
    beside,
    document,
    done,
    listed,
    package,
    parameter,
    reading,
    ref,
    taking,
    written,
)

pytestmark = pytest.mark.pull_request
UNIONS = beside("unions")
SCHEMAS = UNIONS["schemas"]


wire = package(**reading(SCHEMAS))


def read(wire, operation, /, **value):
    return wire.read(operation, httpx.Response(200, json=value))


def classes(*values):
    return [type(value).__name__ for value in values]


@pytest.mark.parametrize(("union", "value", "kind"), UNIONS["members"], ids=str)
def test_the_member_of_a_union_is_chosen_by_fixed_words_and_by_nested_fields(
    wire, union, value, kind
):
    found = read(wire, union, **value)
    assert type(found).__name__ == kind
    assert found.to_dict() == value


def test_the_only_object_of_a_union_is_recognised_by_its_constant(wire):
    """`one` is an object or a text; `some` is an object or null."""
    ones = [read(wire, "lone", one={"kind": kind}).one for kind in ("sepa", "SEPA", "zz")]
    assert classes(*ones) == ["Fixture", "Fixture", "UnknownVariant"]
    some = read(wire, "lone", some={"kind": "zz"}).some
    assert classes(some) == ["Fixture"], "an object that can be null is no union"


def test_properties_beside_a_union_and_those_of_its_members_are_one_class(wire):
    card = read(wire, "beside", id="1", card="c")
    bank = read(wire, "beside", id="2", bank="b", state="on")
    assert (card.id, card.card) == ("1", "c")
    assert (bank.id, bank.bank, bank.state) == ("2", "b", "on")
    assert type(card) is type(bank)


def test_a_union_whose_members_differ_only_in_required_is_one_class(wire):
    found = read(wire, "oneof", id="1")
    assert (type(found).__name__, found.id, bool(found.name)) == ("OneOf", "1", False)
    assert wire.models.OneOf(name="n").to_dict() == {"name": "n"}
    assert read(wire, "maybe", id="1").id == "1"


def test_a_property_that_union_members_define_differently_can_be_anything(wire):
    card = read(wire, "feature", name="n", type="CARD", value=1)
    bank = read(wire, "feature", type="BANK", value="v")
    assert (card.type_, card.value, bank.type_, bank.value) == ("CARD", 1, "BANK", "v")
    assert [*wire.result.log.plain["the members of a union declare it differently"]] == [
        "Feature.type",
        "Feature.value",
    ]


@pytest.mark.parametrize("name", ["code", "lost", "own", "nested"])
def test_a_property_declared_as_text_and_as_an_enum_is_read_as_the_enum(wire, name):
    found = getattr(read(wire, "reason", **{name: "lost"}), name)
    assert (found.value, isinstance(found, Enum)) == ("lost", True)
    assert not any("Reason" in place for each in wire.result.log.plain.values() for place in each)


@pytest.mark.parametrize(("entries", "kind"), UNIONS["items"])
def test_the_list_of_a_union_is_chosen_by_its_items(wire, entries, kind):
    found = read(wire, "listed" if kind == "Day" else "many", entries=entries)
    assert {type(each).__name__ for each in found.entries} == {kind}
    assert found.to_dict() == {"entries": entries}


def test_a_schema_whose_types_are_object_and_another_is_plain_json(wire):
    found = read(wire, "chooser", flag={"id": "1"}, choice={"name": "n"})
    assert (found.flag, found.choice.name) == ({"id": "1"}, "n")
    found = read(wire, "chooser", flag=True, choice="auto")
    assert found.flag is True
    assert isinstance(found.choice, Enum)
    assert wire.result.log.plain["it is an object or a list, or something else"] == ["OrFlag"]
    assert wire.models.Stop.__annotations__["type_"] == "StopType | Unset"


def test_a_list_with_unknown_words_is_read_as_a_list_of_words(wire):
    found = read(wire, "many", codes=["x", "a"], entries=[])
    assert (found.codes, found.entries) == (["x", "a"], [])
    assert read(wire, "many", codes=[{"value": "x"}]).codes[0].value == "x"


def test_a_union_that_contains_itself_ninety_levels_deep_is_read(tmp_path):
    """Each level is told by what is in it, and only a few levels are looked at."""
    wire = Wire(tmp_path, **reading(UNIONS["in_itself"]))
    value = {}
    for _ in range(90):
        value = {"inner": value}
    assert read(wire, "either", **value).to_dict() == value


@pytest.mark.parametrize("levels", [1, 2])
def test_union_members_that_differ_only_in_deeply_nested_fields_are_told_apart(tmp_path, levels):
    """As a real document does: an object, a list in it, and items that differ in one name."""
    schemas = {"Either": {"oneOf": [ref("First"), ref("Second")]}}
    for member in ("First", "Second"):
        schema = an_object((), id=TEXT, **{member.lower(): TEXT})
        for level in range(levels):
            schema = an_object(inner=schema if level else listed(schema))
        schemas[member] = schema
    wire = Wire(tmp_path, **reading(schemas))
    for member in ("First", "Second"):
        value = {"id": "1", member.lower(): "x"}
        for level in range(levels):
            value = {"inner": value if level else [value]}
        assert type(read(wire, "either", **value)).__name__ == member


def test_a_schema_with_a_union_of_its_own_extensions_has_their_properties(tmp_path):
    wire = Wire(tmp_path, **reading(UNIONS["of_its_members"]))
    found = read(wire, "pet", kind="Dog", tail="t")
    assert (type(found).__name__, found.kind, found.tail) == ("Pet", "Dog", "t")
    assert wire.result.log.plain == {}


def test_the_constructor_fills_in_a_required_member_that_has_only_one_value(wire):
    """A constant, and an enum of one word that selects the class; by name alone."""
    made = wire.models.Fixed("1", wire.models.FixedCurrency.USD)
    assert made.to_dict() == {"kind": "fixed", "version": 2, "id": "1", "currency": "USD"}
    # what is read has no defaults
    assert wire.models.Fixed.from_dict({"id": "1"}).to_dict() == {"id": "1"}
    assert wire.models.Floating("1").to_dict() == {"kind": "floating", "id": "1"}
    assert made == wire.models.Fixed(
        kind="fixed", version=2, id="1", currency=wire.models.FixedCurrency.USD
    )


def test_each_operation_of_the_document_is_sent_and_read_as_declared(wire, tmp_path):
    operation = answering(ref("Received"), operationId="x", requestBody=taking(ref("Sent")))
    paths = {"/x": {"post": operation}}
    Wire(tmp_path, **document(paths, UNIONS["sent_and_received"]))


def test_null_in_a_union_beside_properties_is_a_value(tmp_path):
    schema = {"properties": {"a": TEXT}, "oneOf": [{"type": "null"}, {"type": "object"}]}
    tree = reading({"Holder": an_object(("o",), o=schema)})
    wire = Wire(tmp_path, **tree)
    assert wire.read("holder", httpx.Response(200, json={"o": None})).o is None


@pytest.mark.parametrize(("schema", "line"), UNIONS["no_forms"])
def test_a_body_or_field_without_a_url_encoded_form_is_reported_as_left_out(tmp_path, schema, line):
    kind = "application/x-www-form-urlencoded"
    paths = {"/x": {"post": done("x", requestBody=taking(schema, kind))}}
    wire = Wire(tmp_path, lossy=True, paths=paths)
    assert wire.result.left_out == [line]


def test_a_parent_is_read_as_the_child_that_its_discriminator_names(wire):
    value = {"kind": "kitty"}
    pet = read(wire, "pet", **value, friend=value, worded=value)
    assert classes(pet, pet.friend, pet.worded) == ["Cat", "Cat", "Cat"]
    owner = read(wire, "owner", pets=[value, {"kind": "dog"}])
    assert classes(*owner.pets) == ["Cat", "Dog"]
    cats = [read(wire, "owner", cat={"kind": kind}).cat for kind in ("kitty", "Lion", "dog")]
    assert classes(*cats) == ["Cat", "Lion", "UnknownVariant"]  # a dog is no cat


def test_a_body_may_be_a_child_of_its_schema(tmp_path):
    paths = {"/x": {"post": done("x", requestBody=taking(ref("Pet")))}}
    Wire(tmp_path, **document(paths, SCHEMAS))


FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
KINDS_OF_UNION = {
    "named by a discriminator": {"discriminator": {"propertyName": "kind"}},
    "with a default": {"discriminator": {"propertyName": "kind", "defaultMapping": "Ping"}},
    "without a discriminator": {},
}


@pytest.mark.parametrize("which", KINDS_OF_UNION)
def test_a_union_is_the_body_of_several_content_types(tmp_path, which):
    variants = {
        name: an_object(("kind",), kind={"type": "string", "enum": [name]}, text=TEXT)
        for name in ("Ping", "Pong")
    }
    union = {"anyOf": [ref("Ping"), ref("Pong")], **KINDS_OF_UNION[which]}
    body = {"required": True, "content": {each: {"schema": union} for each in FORMS}}
    paths = {"/x": {"post": done("x", requestBody=body)}}
    wire = Wire(tmp_path, **document(paths, variants, openapi="3.2.0"))

    if which == "named by a discriminator":
        unknown = wire.types.UnknownVariant({"kind": "Zing", "text": "t"})
        for content_type in FORMS:
            request = wire.send("x", body=unknown, content_type=content_type)
            assert b"Zing" in request.content


@pytest.mark.parametrize(
    ("template", "module", "source"),
    [
        ("endpoint_module.py.jinja", "api/default/put_lone.py", "PUT /lone/{id}"),
        ("model.py.jinja", "models/lone.py", "the schema Lone"),
        ("errors.py.jinja", "errors.py", ""),
    ],
)
def test_a_module_that_python_cannot_compile_is_named_in_the_error_with_its_source(
    tmp_path,
    templates,
    capsys,
    template,
    module,
    source,
):
    """Also what a formatter takes: two arguments of one name."""
    put = answering(ref("Lone"), operationId="put_lone", parameters=[parameter("id", "path")])
    tree = document({"/lone/{id}": {"put": put}}, {"Lone": an_object(a=TEXT)})
    path = written(tmp_path, tree)
    command = ["generate", path, "--out", tmp_path]
    assert run(*command) == 0
    broken_text = (templates / template).read_text(encoding="utf-8")
    for mistake in ("def broken(x of y): ...", "def broken(x, x): ..."):
        (templates / template).write_text(f"{broken_text}\n\n{mistake}\n", encoding="utf-8")
        capsys.readouterr()
        for arguments in (command, ["check", path]):
            assert run(*arguments) == 2
            message = capsys.readouterr().err
            expected = f"{path}: no package was made, because some_api/{module}"
            assert message.startswith(expected), message
            assert f"(made from {source})" in message or not source


def test_a_note_names_each_attribute_that_is_lost_and_nothing_else(tmp_path):
    wire = Wire(tmp_path, **reading(UNIONS["notes"]["schemas"]))
    assert wire.result.log.notes() == UNIONS["notes"]["said"]
    assert read(wire, "whole", id=None, base={"code": "x"}, text=5, may={"a": "1"}).may.a == "1"
    assert wire.read("anything", httpx.Response(200, json=5)) == 5


SCHEMAS_AT = "#/components/schemas/"
NOWHERE = {"card": "Gone", "bank": "Lost"}
HALF = {"card": f"{SCHEMAS_AT}Card", "bank": "Lost"}


@pytest.mark.parametrize(
    ("mapping", "dangling", "of_another"),
    [(NOWHERE, ["card", "bank"], "Card"), (HALF, ["bank"], "UnknownVariant")],
)
def test_members_are_told_apart_by_fields_where_a_mapping_leads_to_no_schema(
    mapping,
    dangling,
    of_another,
    tmp_path,
):
    members = [ref("Card"), ref("Bank")]
    discriminator = {"propertyName": "kind", "mapping": mapping}
    schemas = {
        "Card": an_object(("pan",), kind=TEXT, pan=TEXT),
        "Bank": an_object(("iban",), kind=TEXT, iban=TEXT),
        "Pay": an_object(by={"oneOf": members, "discriminator": discriminator}),
    }
    wire = Wire(tmp_path, **reading(schemas))
    assert wire.result.log.notes() == []
    assert wire.result.log.differences() == [
        f"Pay.by: the discriminator's word {word} leads to no schema: {SCHEMAS_AT}{NOWHERE[word]}"
        for word in dangling
    ]
    values = {"kind": "card", "pan": "1"}, {"kind": "bank", "iban": "2"}, {"kind": "x", "pan": "1"}
    found = [read(wire, "pay", by=value).by for value in values]
    assert classes(*found) == ["Card", "Bank", of_another]
    assert [each.to_dict() for each in found] == [*values]


def test_properties_beside_items_without_a_type_make_no_object_of_the_list(
    tmp_path,
):
    both = {"items": TEXT, "properties": {"total": TEXT}}
    schemas = {
        "Lines": listed(TEXT),
        "Own": both,
        "Beside": {"allOf": [ref("Lines"), {"properties": {"total": TEXT}}]},
        "Whole": an_object(own=ref("Own"), part={"allOf": [both]}, beside=ref("Beside")),
    }
    wire = Wire(tmp_path, **reading(schemas))
    for value in ({"own": ["a"], "part": ["b"], "beside": ["c"]}, {"own": {"total": "1"}}):
        assert read(wire, "whole", **value).to_dict() == value
    assert wire.models.Whole.__annotations__["own"] == "Any | Unset"
    noted = {line.partition(":")[0] for line in wire.result.log.notes()}
    assert {"Own", "Beside"} <= noted
