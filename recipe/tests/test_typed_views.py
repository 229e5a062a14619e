"""Views: fields that several schemas have, for a class that is written by hand over them."""

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
views:
  OrderFields:
    over: [Order, Receipt]
    spread: [order, order.details]
    names: {orderId: number, order.details.note: remark}
    by_hand: [state]
"""


def made(folder, document=DOCUMENT, settings=SETTINGS):
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def test_a_view_has_the_members_of_its_schemas_and_of_parts_that_are_spread(
    tmp_path,
):
    source = source_of(made(tmp_path), "records")
    assert "class OrderFields(_typed.Record):" in source
    assert '_fields: ClassVar[tuple[str, ...]] = ("number", "remark", "item", "printed")' in source


@pytest.mark.parametrize(
    "field",
    [
        (
            'def number(self) -> str | None: """`orderId`. In no repr.""" '
            'return _typed.text(self._json, "orderId")'
        ),
        (
            'def remark(self) -> str | None: """`order.details.note`: For whom. In no repr.""" '
            'return _typed.text(_typed.part(_typed.part(self._json, "order"), "details"), "note")'
        ),
        'return _typed.record(_typed.part(self._json, "order"), "item", Item)',
        'return _typed.flag(self._json, "printed")',
    ],
    ids=["member", "member of a part", "record", "member of the second schema"],
)
def test_a_field_of_a_view_is_read_from_its_part(field, tmp_path):
    assert field in source_of(made(tmp_path), "records")


def test_a_view_field_with_a_name_that_the_settings_call_taken_gets_an_underscore(tmp_path):
    taken = "by_hand: [state]\n    taken: [state, printed]"
    result = made(tmp_path, settings=SETTINGS.replace("by_hand: [state]", taken))
    assert (
        '_fields: ClassVar[tuple[str, ...]] = ("number", "remark", "item", "printed_")'
        in source_of(result, "records")
    )


def test_a_record_that_a_view_refers_to_is_made_and_its_texts_are_private(tmp_path, capsys):
    made(tmp_path)
    assert run("generate", tmp_path / "shop.yaml", "--out", tmp_path) == 0
    shown = capsys.readouterr()
    assert "class Item(_typed.Record):" in source_of(made(tmp_path), "records")
    assert re.search(r"private-text \(1\): .*\n +Item\.name\n", shown.out)
