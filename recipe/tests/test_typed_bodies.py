"""Request objects and the arguments of calls with a body: what the document and the settings make
of them.
"""

import re

import pytest
import yaml

from victor_spec.typed.settings import SettingsError

from .wire import made_with_settings, source_of, tables_of

pytestmark = pytest.mark.pull_request

DOCUMENT = r"""
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /shops/{shopId}/orders:
    post:
      operationId: takeOrder
      summary: Take an order
      parameters:
        - {name: shopId, in: path, required: true, schema: {type: string}, description: Whose}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewOrder'}
      responses: {"204": {description: Taken}}
components:
  schemas:
    NewOrder:
      type: object
      required: [kind, total, currency, details]
      properties:
        kind: {type: string, enum: [GIFT, SALE], description: What it is.}
        total: {type: integer, minimum: 1, description: What it costs.}
        currency: {type: string}
        details: {$ref: '#/components/schemas/Details'}
        lines: {type: array, minItems: 1, maxItems: 9, items: {$ref: '#/components/schemas/Line'}}
        wrapped: {type: boolean}
        source: {type: string}
    Details:
      type: object
      required: [reference]
      properties:
        reference: {type: string, minLength: 2, maxLength: 30, pattern: '[A-Z0-9-]+'}
        note: {type: string, maxLength: 80}
    Purpose:
      type: object
      required: [purpose]
      properties:
        purpose: {type: string, maxLength: 35}
    Either: {oneOf: [{$ref: '#/components/schemas/Line'}, {$ref: '#/components/schemas/Details'}]}
    Line:
      type: object
      required: [item]
      properties:
        item: {type: string, maxLength: 20}
        count: {type: integer, minimum: 1, maximum: 99}
        made: {type: string, format: date}
"""
SETTINGS = """
forms:
  reference: {wanted: "capital letters, digits and dashes, such as 'A-7'"}
parts:
  Line:
    name: OrderLine
    positional: [item]
    shown: [item]
bodies:
  takeOrder:
    what: order
    lift: [details]
    names: {details.reference: your_reference}
    forms: {details.reference: reference}
    words: {kind: Kind}
    set_by_hand: [source]
    by_hand: {key: str | None}
    compared_as: {details.reference: word}
methods:
  takeOrder: {name: Orders.take}
"""


def made(folder, document=DOCUMENT, settings=SETTINGS):
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def test_a_call_is_a_method_with_the_members_of_its_body(tmp_path):
    assert (
        "def take( self, shop_id: str, *, kind: Kind, total: int, currency: str, "
        "your_reference: str, note: str | None = None, lines: Sequence[OrderLine] | None = None, "
        "wrapped: bool | None = None, key: str | None = None, ) -> None:"
    ) in source_of(made(tmp_path), "methods")


def test_each_member_has_a_row_with_its_limits_and_where_it_is_sent(tmp_path):
    result = made(tmp_path)
    assert 'TAKE_ORDER = PACKAGE.compared("take_order")' in source_of(result, "arguments")
    assert tables_of(result)["FORMS"]["reference"][0] == "[A-Z0-9-]+"
    assert tables_of(result)["CALLS"]["take_order"] == yaml.safe_load("""
what: order
path: {shop_id: {required: true}}
objects: {details: true}
body:
  kind:
    kind: choice
    required: true
    compared: true
    compared_as: word
    words: [GIFT, SALE]
  total: {kind: integer, required: true, compared_as: whole, least: 1}
  currency: {required: true, compared: true, compared_as: text}
  your_reference:
    place: details.reference
    required: true
    compared: true
    compared_as: word
    form: reference
    longest: 30
    shortest: 2
  note:
    place: details.note
    compared: true
    compared_as: text
    longest: 80
  lines:
    kind: parts
    compared_as: parts
    part: Line
    fewest: 1
    most: 9
  wrapped: {kind: flag, compared_as: flag}
by_hand: [key]
""")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("minimum: 0, maximum: 5000000000", "0 to 5000000000."),
        ("minimum: 0, maximum: 2147483647", "0 to 2147483647."),
        ("format: int32, maximum: 3", None),
    ],
)
def test_a_docstring_says_the_limits_that_the_document_has(limits, said, tmp_path):
    member = f"        size: {{type: integer, {limits}}}\n        source:"
    source = source_of(made(tmp_path, DOCUMENT.replace("        source:", member)), "methods")
    assert ((said or "to 3.") in source) is (said is not None)


def test_a_schema_of_the_body_is_a_request_object(tmp_path):
    result = made(tmp_path)
    assert (
        '_shown = ("item",) item: str _: KW_ONLY count: int | None = None '
        "made: date | str | None = None"
    ) in source_of(result, "parts")
    assert tables_of(result)["PARTS"]["Line"] == yaml.safe_load("""
class: OrderLine
body:
  item: {required: true, longest: 20}
  count: {kind: integer, least: 1, most: 99}
  made: {kind: day}
""")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("wrapped: {type: boolean}", "wrapped: {type: object}", "bodies.takeOrder: .* wrapped"),
        ("count: {type: integer", "count: {type: object", "parts.Line: .* count"),
        ("wrapped:", '"details.zip":', "bodies.takeOrder: .* details.zip"),
        (
            "{type: boolean}",
            "{$ref: '#/components/schemas/Either'}",
            "bodies.takeOrder: .* wrapped",
        ),
    ],
)
def test_a_member_that_no_check_knows_stops_generation(old, new, place, tmp_path):
    with pytest.raises(SettingsError, match=rf"{place}, of the type .*: name it in"):
        made(tmp_path, DOCUMENT.replace(old, new))


def test_an_argument_of_the_document_is_not_one_by_hand_too(tmp_path):
    settings = SETTINGS.replace("key: str", "currency: str").replace(
        "names: {", "names: {currency: unit, "
    )
    with pytest.raises(SettingsError, match="by_hand: the document has an argument currency"):
        made(tmp_path, settings=settings)


@pytest.mark.parametrize("location", ["query", "header", "cookie"])
def test_a_parameter_that_has_to_be_sent_and_no_argument_sends_stops_generation(location, tmp_path):
    channel = f"{{name: X-Channel, in: {location}, required: true, schema: {{type: string}}}}"
    path = "        - {name: shopId"
    document = DOCUMENT.replace(path, f"        - {channel}\n{path}")
    message = "bodies.takeOrder: POST /shops/{shopId}/orders: it needs X-Channel"
    with pytest.raises(SettingsError, match=re.escape(message)):
        made(tmp_path, document)
    settings = SETTINGS.replace("key: str | None", "key: str | None, x_channel: str")
    assert "x_channel: str" in source_of(made(tmp_path, document, settings), "methods")
