"""Unions: which member a value is, what stands beside one, and what merging its members keeps."""

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


def test_properties_beside_a_union_and_those_of_its_members_are_one_class(wire):
    card = read(wire, "beside", id="1", card="c")
    bank = read(wire, "beside", id="2", bank="b", state="on")
    assert (card.id, card.card) == ("1", "c")
    assert (bank.id, bank.bank, bank.state) == ("2", "b", "on")
    assert type(card) is type(bank)


@pytest.mark.parametrize(("entries", "kind"), UNIONS["items"])
def test_the_list_of_a_union_is_chosen_by_its_items(wire, entries, kind):
    found = read(wire, "listed" if kind == "Day" else "many", entries=entries)
    assert {type(each).__name__ for each in found.entries} == {kind}
    assert found.to_dict() == {"entries": entries}


def test_each_operation_of_the_document_is_sent_and_read_as_declared(wire, tmp_path):
    assert wire.faults() == []
    operation = answering(ref("Received"), operationId="x", requestBody=taking(ref("Sent")))
    paths = {"/x": {"post": operation}}
    made = Wire(tmp_path, **document(paths, UNIONS["sent_and_received"]))
    assert made.faults() == []


@pytest.mark.parametrize(("schema", "line"), UNIONS["no_forms"])
def test_a_body_or_field_without_a_url_encoded_form_is_reported_as_left_out(tmp_path, schema, line):
    kind = "application/x-www-form-urlencoded"
    paths = {"/x": {"post": done("x", requestBody=taking(schema, kind))}}
    wire = Wire(tmp_path, lossy=True, paths=paths)
    assert wire.result.left_out == [line]
    assert wire.faults() == []


def test_a_parent_is_read_as_the_child_that_its_discriminator_names(wire):
    value = {"kind": "kitty"}
    pet = read(wire, "pet", **value, friend=value, worded=value)
    assert classes(pet, pet.friend, pet.worded) == ["Cat", "Cat", "Cat"]
    owner = read(wire, "owner", pets=[value, {"kind": "dog"}])
    assert classes(*owner.pets) == ["Cat", "Dog"]
    cats = [read(wire, "owner", cat={"kind": kind}).cat for kind in ("kitty", "Lion", "dog")]
    assert classes(*cats) == ["Cat", "Lion", "UnknownVariant"]  # a dog is no cat


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

    assert wire.faults() == []
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
