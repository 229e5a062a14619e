"""Typed records and arguments where nobody has written settings, and the settings to start from."""

import re

import pytest

from victor_spec.check import NOTES

from .command import run

pytestmark = pytest.mark.pull_request

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
servers: [{url: "https://api.shop.example"}]
paths:
  /shops/{shopId}/orders:
    get:
      operationId: listOrders
      parameters:
        - {name: shopId, in: path, required: true, schema: {type: string}}
        - {name: state, in: query, schema: {type: string, maxLength: 20}}
        - {name: sizes, in: query, schema: {}}
      responses:
        "200":
          description: The orders.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Order'}}
  /orders/{id}:
    get:
      operationId: getOrder
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200":
          description: The order.
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
  /orders/{id}/paper:
    get:
      operationId: getPaper
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200":
          description: The paper.
          content: {application/pdf: {schema: {type: string, format: binary}}}
  /lines:
    get:
      operationId: listLines
      parameters:
        - {name: Accept, in: header, required: true, schema: {type: string}}
        - {name: size, in: query, schema: {type: integer}}
      responses:
        "200":
          description: The lines.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Line'}}
  /animal:
    get:
      operationId: getAnimal
      responses:
        "200":
          description: One of two.
          content:
            application/json:
              schema:
                oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
components:
  schemas:
    Order:
      type: object
      properties:
        orderId: {type: string}
        paid: {type: boolean}
        lines: {type: array, items: {$ref: '#/components/schemas/Line'}}
    Line: {type: object, properties: {text: {type: string}}}
    Cat: {type: object, properties: {sound: {type: string}}}
    Dog: {type: object, properties: {sound: {type: string}}}
"""
NOTHING = """
openapi: 3.0.3
info: {title: Files, version: 1.0.0}
servers: [{url: "https://api.files.example"}]
paths:
  /paper:
    get:
      operationId: getPaper
      responses:
        "200":
          description: A file, or a word.
          content:
            application/json: {schema: {oneOf: [{type: string}, {type: integer}]}}
            application/pdf: {schema: {type: string, format: binary}}
"""


NO_LIST = "GET /lines: it needs the header Accept, which no list sends.\n"


def shop(folder, text=DOCUMENT):
    document = folder / "shop.yaml"
    document.write_text(text, encoding="utf-8")
    return document


def generated(document, *options):
    return run("generate", document, "--out", document.parent, *options)


def modules(folder):
    """The typed modules of the package."""
    return {path.name: path.read_bytes() for path in (folder / "shop_api/typed").glob("*.py")}


def test_typed_makes_a_record_of_each_answer_and_the_arguments_of_each_list(tmp_path, capsys):
    assert generated(shop(tmp_path), "--typed") == 0
    made = modules(tmp_path)
    records = re.findall(rb"class (\w+)\(_typed.Record\)", made["records.py"])
    assert records == [b"Cat", b"Dog", b"Line", b"Order"]
    lists = re.findall(rb"^def (\w+)", made["arguments.py"], re.MULTILINE)
    assert lists == [b"list_orders"]
    assert b"sizes:" not in made["arguments.py"]
    printed = capsys.readouterr().out
    assert re.search(r"no-argument \(1\): .*\n +listOrders\.sizes\n", printed)
    assert f"no-list (1): {NOTES['no-list']}\n    {NO_LIST}" in printed
    assert re.search(r"no-record \(1\): .*\n +GET /orders/\{id\}/paper\n", printed)


def test_the_settings_to_start_from_make_the_same_modules_as_typed_without_settings(tmp_path):
    document = shop(tmp_path)
    generated(document, "--typed")
    before = modules(tmp_path)
    assert run("settings", document) == 0
    assert generated(document) == 0
    assert modules(tmp_path) == before


def test_settings_that_are_there_are_kept(tmp_path, capsys):
    (tmp_path / "shop.settings.yaml").write_text("records: {}\n", encoding="utf-8")
    assert run("settings", shop(tmp_path)) == 2
    assert "shop.settings.yaml is there: edit it, or remove it first." in capsys.readouterr().err
    assert (tmp_path / "shop.settings.yaml").read_text(encoding="utf-8") == "records: {}\n"


@pytest.mark.parametrize("command", ["generate", "settings"])
def test_a_document_of_which_nothing_typed_can_be_made_is_an_error_that_says_why(
    command, tmp_path, capsys
):
    document = shop(tmp_path, NOTHING)
    options = ["--out", tmp_path, "--typed"] if command == "generate" else []
    assert run(command, document, *options) == 2
    said = capsys.readouterr().err
    assert "no typed record can be made" in said
    assert "a file" in said
    assert [path.name for path in tmp_path.iterdir()] == ["shop.yaml"]
