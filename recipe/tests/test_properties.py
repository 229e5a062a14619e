"""The fields of a model: of all members of `allOf`, with null where the document admits it, and
with any name.
"""

import json
import sys

import httpx
import pytest

from .wire import (
    TEXT,
    Wire,
    an_object,
    answering,
    beside,
    document,
    package,
    reading,
    ref,
    taking,
)

pytestmark = pytest.mark.pull_request
DOCUMENTS = beside("properties")
SCHEMAS = DOCUMENTS["schemas"] | {
    name: {"allOf": [an_object(o=each) for each in definitions]}
    for name, definitions in DOCUMENTS["again"].items()
}


wire = package(**reading(SCHEMAS))


def read(wire, name, value):
    """The property `o` of an answer."""
    return wire.read(name.lower(), httpx.Response(200, json={"o": value})).o


def test_each_operation_of_the_document_is_sent_and_read_as_declared(wire):
    assert wire.faults() == []


_NAMES = """
additionalProperties additional_keys to_multipart self cls d v take fields name src_dict _left
value key list dict str type property classmethod datetime date uuid any plain read UNSET Any
None True class import match print annotations
"""
NAMES = _NAMES.split()


@pytest.fixture(scope="module")
def names(wire):
    """Also the names that a model, or its module, has and needs."""
    module = sys.modules[wire.models.A.__module__]
    return [*{*NAMES, *vars(module), *dir(wire.models.A)}]


@pytest.fixture(scope="module")
def models(names, tmp_path_factory):
    whole = an_object(**dict.fromkeys(names, TEXT))
    free = an_object(additional_properties=TEXT)
    schemas = {
        "A": whole,
        "B": {**whole, "required": names},
        "C": {**free, "additionalProperties": TEXT},
    }
    return Wire(tmp_path_factory.mktemp("fields"), **reading(schemas)).models


@pytest.mark.parametrize("name", ["A", "B"])
def test_every_name_reads_and_writes_its_own_value(models, names, name):
    model = getattr(models, name)
    value = {name: f"value of {name}" for name in names}
    value["more"] = 1
    found = model.from_dict(value)
    assert found.to_dict() == value
    assert found.additional_properties == {"more": 1}
    assert found.additional_keys == ["more"]
    assert found == model.from_dict(found.to_dict())


# Null in a body of JSON clears a field, and is another request than one without the field.

NULLABLE = ["inherited", "inline", "referred", "beside", "word", "map_"]


FOLDERS = document(
    {
        "/files": {
            "put": answering(ref("Shown"), operationId="change", requestBody=taking(ref("Folder")))
        }
    },
    DOCUMENTS["folders"],
    "3.0.3",
)
folders = package(httpx.Response(200, json={}), **FOLDERS)


@pytest.mark.parametrize("field", NULLABLE)
def test_null_is_sent_where_the_document_admits_it(folders, field):
    sent = folders.send("change", body=folders.models.Folder(**{field: None}))
    assert json.loads(sent.content) == {field.strip("_"): None}


def test_an_unset_field_is_not_sent_and_nullable_fields_have_none_in_their_type(folders):
    assert json.loads(folders.send("change", body=folders.models.Folder()).content) == {}
    declared = folders.models.Folder.__annotations__
    assert {field for field, kind in declared.items() if "None" in kind.split(" | ")} == {*NULLABLE}
    declared = folders.models.Shown.__annotations__
    assert declared["link"] == "None | ShownLink | Unset"
    assert declared["links"] == "list[None | ShownLinksItem] | Unset"
    assert (
        folders.models.ShownNamed.__annotations__["additional_properties"]
        == "dict[str, Link | None]"
    )
