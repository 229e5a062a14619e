"""A document is read as what it says; whatever it holds, the end is a package or an error that names the place."""

from __future__ import annotations

import copy
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from victor_ext.spec.command_line import main
from victor_ext.spec.document import DocumentError, load

from .wire import TEXT, Tree, an_object, document, listed, parameter, ref, taking

pytestmark = pytest.mark.thorough
HEAD = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\n"

A = ref("A")
ANSWER = {"description": "ok", "content": {"application/json": {"schema": A, "example": {"a": 1}}, "text/csv": {}}}
HOOK = {"post": {"requestBody": taking({"properties": {"k": TEXT}})}}
PARAMETERS = [
    parameter("q", schema=listed({"enum": ["a", "b"]}), explode=False),
    {"$ref": "#/components/parameters/P"},
    parameter("deep", schema=A, style="deepObject"),
    {"name": "c", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
]
FILE = an_object(f={**TEXT, "format": "binary"})
BODY = taking({"allOf": [A, {"properties": {"z": {**TEXT, "default": "x"}}}]})
BODY["content"] |= taking(FILE, "multipart/form-data", encoding={"f": {"contentType": "image/png"}})["content"]
OBJECT = an_object(
    ("a",),
    a={"type": ["string", "null"], "format": "date", "default": "2021-02-30", "example": "2021-02-30"},
    b=ref("U"),
    c={"type": "string", "enum": ["x", "y"], "nullable": True},
    n={"type": "number", "minimum": 1},
    l=listed(A),
    k={"const": "v"},
)
SCHEMAS = {
    "A": {**OBJECT, "title": "A", "description": "d", "additionalProperties": TEXT},
    "U": {
        "oneOf": [A, an_object(q={"type": "integer"})],
        "discriminator": {"propertyName": "a", "mapping": {"one": "#/components/schemas/A"}},
    },
    "T": {"type": "array", "prefixItems": [TEXT, {"type": "integer"}]},
    "Alias": A,
}
RESPONSES = {"200": ANSWER, "default": {"$ref": "#/components/responses/R"}}
GET = {"operationId": "a", "tags": ["t"], "summary": "s", "description": "d"}
POST = {"requestBody": BODY, "callbacks": {"done": {"{$request.body#/u}": HOOK}}, "responses": {}}
PATH = {
    "parameters": [parameter("id", "path")],
    "get": {**GET, "parameters": PARAMETERS, "responses": RESPONSES},
    "post": POST,
}
DOCUMENT = document({"/x/{id}": PATH}, SCHEMAS, servers=[{"url": "https://x"}], webhooks={"w": HOOK})
DOCUMENT["info"]["description"] = "d"
DOCUMENT["components"] |= {
    "parameters": {"P": parameter("X-P", "header", {**TEXT, "format": "date"})},
    "responses": {"R": ANSWER},
}
DOCUMENT = json.loads(json.dumps(DOCUMENT))  # no two places share an object

Place = tuple[str | int, ...]


def places(tree: Any, above: Place = ()) -> Iterator[Place]:
    yield above
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, value in steps:
        yield from places(value, (*above, step))


def put(tree: Any, place: Place, value: Any) -> Any:
    tree = copy.deepcopy(tree)
    found: Any = tree
    for step in place[:-1]:
        found = found[step]
    found[place[-1]] = value
    return tree


VALUES: list[Any] = [
    *(None, True, False, [], "x", 3, -1.5, {}, [1], [None], "", {"a": 1}, {"": None}, "#/components/schemas/A"),
    *({"$ref": "#/components/schemas/T"}, {"$ref": 3}, {"$ref": ""}, {"$ref": "#/paths"}, {"allOf": [A]}, [A, A]),
]


ANYWHERE = st.sampled_from([each for each in places(DOCUMENT) if each])


@settings(max_examples=60)
@given(place=ANYWHERE, value=st.sampled_from(VALUES))
@example(place=("components",), value=None)
@example(place=("paths",), value=[])
@example(place=("components", "schemas", "A"), value=True)
@example(place=("paths", "/x/{id}", "get"), value=None)
@example(place=("paths", "/x/{id}", "get", "parameters", 0, "name"), value=None)
@example(place=("paths", "/x/{id}", "get", "responses"), value={"": None})
@example(place=("paths", "/x/{id}", "post", "requestBody"), value={})
@example(place=("paths", "/x/{id}", "get", "parameters", 0, "schema"), value={"$ref": "#/paths"})
@example(place=("components", "schemas", "A"), value={"$ref": "#/components/schemas/Alias"})
@example(place=("components", "schemas", "A"), value={"allOf": [A]})
@example(place=("components", "schemas", "A", "required"), value=["b"])  # by way of U, A requires itself
@example(place=("components", "schemas", "U", "oneOf"), value=[{"type": "null"}, {"type": "null"}])
@example(place=("components", "schemas", "U", "discriminator", "propertyName"), value=[])
@example(place=("servers", 0, "url"), value="http://[x")
def test_any_node_may_be_anything(place: Place, value: Any) -> None:
    """A package is made and checked, or the document is refused with the place; nothing stumbles."""
    printed, said = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(printed), redirect_stderr(said):
        spec = Path(folder) / "some.json"
        spec.write_text(json.dumps(put(DOCUMENT, place, value)), encoding="utf-8")
        status = main(["check", str(spec)])
    errors = said.getvalue()
    assert status == 2 or (printed.getvalue() and "cannot be checked" not in errors), errors
    assert status != 2 or str(place[0]) in errors or "a schema holds itself" in errors
    assert bool(errors) == (status != 0)
    assert "by a request of your own" not in errors
    assert all(len(line) < 1_000 for line in errors.splitlines())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("swagger: '2.0'\npaths: {}\n", "is a Swagger 2.0 document: convert it to OpenAPI 3"),
        (HEAD + "paths: {}\nx: {200: a, '200': b}\n", "stands twice in the mapping at line 4"),
        (HEAD + "paths: []\n", "paths is a list: write a mapping"),
        (HEAD + "paths: {/x: {get: {parameters: [{in: query}]}}}\n", "paths./x.get.parameters[0] is a parameter"),
        (HEAD + "paths: {/x: {get: {parameters: [{name: a, in: body}]}}}\n", "(a) is in 'body': write `in:`"),
        (HEAD + "paths: {}\ncomponents: {schemas: {A: text}}\n", "components.schemas.A is the text \"text\": write a"),
        (HEAD + "paths: {}\ncomponents: {schemas: {A: {$ref: 3}}}\n", "components.schemas.A.$ref is the number 3"),
        ("openapi: 3.0.0\n", "describes nothing: it has neither `paths`"),
        ("just words\n", "is not an OpenAPI 3 document"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_with_its_place(
    tmp_path: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "some.yaml"
    spec.write_text(text, encoding="utf-8")
    assert main(["generate", str(spec), f"--out={tmp_path / 'out'}"]) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert str(spec) in printed.err
    assert "->" not in printed.out + printed.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_marks_of_the_byte_order(tmp_path: Path, encoding: str) -> None:
    spec = tmp_path / "some.yaml"
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    spec.write_bytes((mark + HEAD + "paths: {}\nx: ä\n").encode(encoding))
    assert load(spec)["x"] == "ä"


def loaded(tmp_path: Path, text: str) -> Tree:
    path = tmp_path / "some.yaml"
    path.write_text(f"{HEAD}paths: {{}}\n{text}", encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2021-10-25", "2021-10-25"),
        ("043987673645", "043987673645"),
        ("0x1F", "0x1F"),
        ("off", "off"),
        ("1_000", "1_000"),
        ("44", 44),
        ("-1.5e3", -1500.0),
        ("null", None),
        ("{200: a, 2021-10-25: b, true: c}", {"200": "a", "2021-10-25": "b", "true": "c"}),
    ],
)
def test_scalars_and_keys_are_what_json_would_call_them(tmp_path: Path, written: str, meant: object) -> None:
    assert loaded(tmp_path, f"x: {written}")["x"] == meant


def test_aliases_are_written_out(tmp_path: Path) -> None:
    found = loaded(tmp_path, "a: &a {n: 1}\nb: *a\nc: {<<: *a, m: 2}")
    found["a"]["n"] = 9
    assert found["b"] == {"n": 1}
    assert found["c"] == {"n": 1, "m": 2}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (".", "{} cannot be read: it is a folder: name the document in it."),
        ("no.yaml", "{} cannot be read: No such file or directory."),
        (
            "b.json",
            "{} cannot be read: 'utf-8' codec can't encode character '\\ud800' in position 1: surrogates not allowed",
        ),
        ("a", "{} cannot be read: it is no text: name a document in YAML or JSON; an archive must be unpacked first."),
        ("https://api.example/a.yaml", "{} is an address: download the document, and name the file."),
    ],
)
def test_what_is_no_text_file_is_refused_with_what_to_do(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "a").write_bytes(b"PK\x03\x04\x14\0\0\0")
    (tmp_path / "b.json").write_text(json.dumps("\ud800"), encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        load(Path(path) if "://" in path else tmp_path / path)
    assert str(refused.value) == said.format(path if "://" in path else tmp_path / path)
