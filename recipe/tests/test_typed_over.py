"""Records of several schemas: fields for a class that is written by hand over them."""

import re

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
    put:
      operationId: changeOrder
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200":
          description: What was ordered.
          content: {application/json: {schema: {$ref: '#/components/schemas/Receipt'}}}
components:
  schemas:
    Order:
      type: object
      properties:
        orderId: {type: string}
        state: {type: string}
        order: {$ref: '#/components/schemas/Content'}
    Receipt:
      type: object
      properties:
        orderId: {type: string}
        printed: {type: boolean}
        order: {$ref: '#/components/schemas/Short'}
    Content:
      type: object
      properties:
        details: {$ref: '#/components/schemas/Details'}
        item: {$ref: '#/components/schemas/Item'}
    Short: {type: object, properties: {details: {$ref: '#/components/schemas/Details'}}}
    Details: {type: object, properties: {note: {type: string, description: For whom}}}
    Item: {type: object, properties: {name: {type: string}}}
"""
SETTINGS = """
records:
  OrderFields:
    over: [Order, Receipt]
    spread: [order, order.details]
    names: {orderId: number, order.details.note: remark}
    leave_out: [state]
"""


def made(folder, document=DOCUMENT, settings=SETTINGS):
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def fields_in(source):
    """The fields of the record."""
    return re.findall(r"def (\w+)\(self\)", source[source.index("class OrderFields(") :])


def test_a_record_of_several_schemas_has_the_members_of_its_schemas_and_of_parts_that_are_spread(
    tmp_path,
):
    source = source_of(made(tmp_path), "records")
    assert fields_in(source) == ["number", "remark", "item", "printed"]


@pytest.mark.parametrize(
    "field",
    [
        (
            '@_typed.text("orderId", private=True) '
            'def number(self): """`orderId` (`str | None`). In no repr."""'
        ),
        (
            '@_typed.text("order", "details", "note", private=True) '
            'def remark(self): """`order.details.note` (`str | None`): For whom. In no repr."""'
        ),
        '@_typed.record(lambda: Item, "order", "item")',
        '@_typed.flag("printed")',
    ],
    ids=["member", "member of a part", "record", "member of the second schema"],
)
def test_a_field_of_a_part_that_is_spread_is_read_from_its_part(field, tmp_path):
    assert field in source_of(made(tmp_path), "records")


def test_a_record_that_such_a_field_refers_to_is_made_and_its_texts_are_private(tmp_path, capsys):
    made(tmp_path)
    assert run("generate", tmp_path / "shop.yaml", "--out", tmp_path) == 0
    shown = capsys.readouterr()
    assert "class Item(_typed.Record):" in source_of(made(tmp_path), "records")
    assert re.search(r"private-text \(1\): .*\n +Item\.name\n", shown.out)
