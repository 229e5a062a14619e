"""Typed records and arguments where nobody has written settings, and the settings to start from."""

import re
import shlex

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


def test_an_update_without_settings_names_the_command_that_writes_them(tmp_path, capsys):
    document = shop(tmp_path)
    assert generated(document, "--typed") == 0
    newer = tmp_path / "newer.yaml"
    size = "        - {name: sizes, in: query"
    assert DOCUMENT.count(size) == 1
    purpose = "        - {name: purpose, in: query, schema: {type: string}}\n"
    newer.write_text(DOCUMENT.replace(size, purpose + size), encoding="utf-8")
    assert run("update", document, newer, "--out", tmp_path) == 0
    said = capsys.readouterr().out
    assert "the list is read repeatedly; undecided\n  Decide when you like, in" in said
    command = re.search(r"There is no shop.settings.yaml yet; this writes it: (.*)", said)
    assert command is not None
    assert run(*shlex.split(command[1])[1:]) == 0
    assert "listOrders" in (tmp_path / "shop.settings.yaml").read_text(encoding="utf-8")


def test_the_settings_to_start_from_list_the_fields_that_somebody_has_to_decide_about(
    tmp_path, capsys
):
    document = shop(tmp_path)
    assert run("settings", document) == 0
    printed = capsys.readouterr().out
    assert "shop.settings.yaml: 4 records and 1 list." in printed
    assert f"no-list (1): {NOTES['no-list']}\n    {NO_LIST}" in printed
    text = (tmp_path / "shop.settings.yaml").read_text(encoding="utf-8")
    assert "  Order:\n    shown: [] # may have: orderId\n" in text
    assert text.endswith(
        "lists:\n  listOrders:\n    what: list of orders\n    positional: [shopId]\n"
    )


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


def test_an_operation_without_an_operation_id_has_records_and_no_arguments(tmp_path, capsys):
    text = DOCUMENT.replace("      operationId: listOrders\n", "")
    assert generated(shop(tmp_path, text), "--typed") == 0
    assert {*modules(tmp_path)} == {"__init__.py", "records.py"}
    assert "    GET /shops/{shopId}/orders: it has no operationId.\n" in capsys.readouterr().out


def test_the_command_settings_says_that_a_document_has_no_lists(tmp_path, capsys):
    text = re.sub(r"\{type: array, items: (\{.*?\})\}", r"\1", DOCUMENT)
    assert run("settings", shop(tmp_path, text)) == 0
    assert "No list: no GET with parameters answers with a list, " in capsys.readouterr().out


def test_an_answer_whose_list_is_embedded_in_objects_counts_as_a_list(tmp_path):
    embedded = "type: object, properties: {_embedded: {type: object, properties: {orders: {%s}}}}"
    items = "type: array, items: {$ref: '#/components/schemas/Order'}"
    document = shop(tmp_path, DOCUMENT.replace(items, embedded % items))
    assert run("settings", document) == 0
    assert "  listOrders:\n" in (tmp_path / "shop.settings.yaml").read_text(encoding="utf-8")


def test_a_list_that_needs_a_header_with_one_allowed_word_has_typed_arguments(tmp_path):
    asked = "{name: Accept, in: header, required: true, schema: {type: string}}"
    one_word = asked.replace("{type: string}", "{type: string, enum: [application/vnd.x+json]}")
    assert run("settings", shop(tmp_path, DOCUMENT.replace(asked, one_word))) == 0
    assert "  listLines:\n" in (tmp_path / "shop.settings.yaml").read_text(encoding="utf-8")


def test_a_settings_entry_for_a_list_that_needs_a_header_is_refused(tmp_path, capsys):
    settings = "lists: {listLines: {what: list of lines}}\n"
    (tmp_path / "shop.settings.yaml").write_text(settings, encoding="utf-8")
    assert generated(shop(tmp_path)) == 2
    assert (
        "shop.settings.yaml: lists.listLines: GET /lines: it needs the header Accept, which no "
        "list sends. Leave this entry out, or correct the document by an overlay."
    ) in capsys.readouterr().err
