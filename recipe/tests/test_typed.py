"""Typed records: what the document and the settings beside it make of them."""

import importlib
import re
import sys

import httpx
import pytest

from .command import run
from .wire import made_with_settings, source_of

pytestmark = pytest.mark.pull_request

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200":
          description: The order.
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
components:
  schemas:
    Order:
      type: object
      description: An order of a shop.
      properties:
        orderId: {type: string, description: The id of the order}
        state: {type: string, enum: [OPEN, CLOSED]}
        total: {type: integer}
        currency: {type: string}
        paid: {type: boolean}
        createdAt: {type: string, format: date-time}
        delivery: {$ref: '#/components/schemas/Delivery'}
        items: {type: array, items: {$ref: '#/components/schemas/Item'}}
        labels: {type: array, items: {type: string}}
        date: {type: string, format: date}
        free: {type: object}
    Delivery:
      type: object
      properties: {town: {type: string}, on: {type: string}}
    Item:
      type: object
      properties: {name: {type: string}, price: {type: number}}
"""
SETTINGS = """
records:
  Order:
    names: {orderId: id, paid: is_paid}
    identifiers: [orderId]
    money: {total: [total, currency]}
    spread: [delivery]
    read_as: {delivery.on: moment}
    shown: [orderId, state]
    private: [delivery.town]
    leave_out: [free]
"""


def made(folder, document=DOCUMENT, settings=SETTINGS):
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def records_of(result):
    return () if result.typed is None else result.typed.records


@pytest.mark.parametrize(
    ("name", "declaration"),
    [
        ("id", 'identifier("orderId")'),
        ("state", 'text("state")'),
        ("total", 'money("total", "currency")'),
        ("is_paid", 'flag("paid")'),
        ("created_at", 'moment("createdAt")'),
        ("town", 'text("delivery", "town", private=True)'),
        ("on", 'moment("delivery", "on")'),
        ("items", 'records(lambda: Item, "items")'),
        ("labels", 'texts("labels", private=True)'),
        ("date", 'day("date", private=True)'),
    ],
)
def test_a_field_is_a_property_that_declares_its_member(name, declaration, tmp_path):
    source = source_of(made(tmp_path), "records")
    order = source[source.index("class Order(_typed.Record):") :]
    assert f"@property @_typed.{declaration} def {name}(self):" in order


def test_records_read_names_in_any_letter_case_if_the_settings_say_so(
    tmp_path,
):
    source = source_of(made(tmp_path, settings="any_letter_case: true\n" + SETTINGS), "records")
    assert "class Order(_typed.AnyCaseRecord):" in source
    assert "class Item(_typed.AnyCaseRecord):" in source


LATE = """
openapi: 3.0.3
info: {title: Pets, version: 1.0.0}
paths:
  /pets:
    post:
      operationId: sendPet
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Cat'}}
          application/x-www-form-urlencoded: {schema: {$ref: '#/components/schemas/Dog'}}
      responses:
        "200":
          description: The pet.
          content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
components:
  schemas:
    Pet:
      oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
      discriminator: {propertyName: kind}
    Cat: {type: object, properties: {kind: {type: string}}}
    Dog: {type: object, properties: {kind: {type: string}}}
"""


def test_with_late_models_an_operation_imports_them_when_an_answer_is_read(tmp_path, monkeypatch):
    made(tmp_path, LATE, "late_models: true").package.rename(tmp_path / "late_api")
    monkeypatch.syspath_prepend(tmp_path)
    operation = importlib.import_module("late_api.api.default.send_pet")
    assert "late_api.models.dog" not in sys.modules
    client = importlib.import_module("late_api").Client(base_url="http://127.0.0.1")
    answer = httpx.Response(200, json={"kind": "Dog"})
    dog = operation._parse_response(client=client, response=answer)
    assert type(dog).__name__ == "Dog"
    sent = operation._get_kwargs(body=dog)
    assert sent["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_text_or_number_that_the_settings_do_not_mention_is_private_and_listed(tmp_path, capsys):
    result = made(tmp_path)
    by_name = {record.name: record for record in records_of(result)}
    private = {
        name: [field.name for field in record.fields if field.is_private]
        for name, record in by_name.items()
    }
    assert private == {"Item": ["name", "price"], "Order": ["town", "labels", "date"]}
    run("generate", tmp_path / "shop.yaml", "--out", tmp_path)
    assert re.search(r"private-text \(4\): .*\n +Item\.name\n", capsys.readouterr().out)


def test_a_field_with_a_name_that_the_settings_call_taken_gets_an_underscore(
    tmp_path,
):
    settings = "records: {Order: {shown: [state], taken: [state, paid, town]}}"
    by_name = {each.name: each for each in records_of(made(tmp_path, settings=settings))}
    names = {each.place: each.name for each in by_name["Order"].fields}
    assert (names["state"], names["paid"]) == ("state_", "paid_")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("records: {Ordre: {}}", "records: Ordre is no schema: write another name"),
        ("records: [", "cannot be read"),
        ("records: {Order: {leave_out: [paid], shown: [paid]}}", "shown: paid is no member"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line_of_the_command_and_the_package_stays(
    settings, says, tmp_path, capsys
):
    before = source_of(result := made(tmp_path), "records")
    (tmp_path / "shop.settings.yaml").write_text(settings, encoding="utf-8")
    assert run("generate", tmp_path / "shop.yaml", "--out", tmp_path) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert source_of(result, "records") == before
