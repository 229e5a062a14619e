"""Answers in several content types, of which the answer says which it is."""

import importlib
import re
from typing import get_type_hints

import httpx
import pytest

from .wire import TEXT, an_object, beside, package

pytestmark = pytest.mark.pull_request
ANSWERS = beside("answers")
PATHS = {
    f"/{name}": {
        "get": {"operationId": name, "responses": {"200": {"description": "-", "content": each}}}
    }
    for name, each in ANSWERS.items()
}


wire = package(paths=PATHS, components={"schemas": {"Thing": an_object(a=TEXT)}})


def read(wire, name, kind, body):
    return wire.read(
        name, httpx.Response(200, content=body, headers={"Content-Type": kind} if kind else {})
    )


@pytest.mark.parametrize(
    "kind", ["Application/JSON", None, "application/unknown", "application/problem+json"]
)
def test_a_json_answer_is_read_as_the_model_of_its_schema(wire, kind):
    found = read(
        wire, "ranges" if kind == "application/problem+json" else "every", kind, b'{"a": "1"}'
    )
    assert (type(found).__name__, found.a) == ("Thing", "1")


def test_a_body_that_is_not_the_documented_json_is_refused_as_unreadable(wire):
    errors = importlib.import_module(f"{wire.name}.errors")
    for kind, body in (("text/html", b"<p>"), ("application/json", b'"text"')):
        with pytest.raises(errors.UnreadableBody):
            read(wire, "every", kind, body)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("every", {"Thing", "File", "str", "None"}),
        ("inline", {"InlineResponse200", "File", "None"}),
        ("single", {"Thing", "None"}),
        ("texts_only", {"str", "None"}),
        ("whatever", {"typing.Any", "None"}),
    ],
)
def test_a_function_returns_the_types_of_its_documented_answers(wire, name, names):
    returned = get_type_hints(wire.module(name).sync)["return"]
    assert (
        set(re.sub(rf"{wire.name}[\w.]*\.", "", str(returned)).replace(" ", "").split("|")) == names
    )
