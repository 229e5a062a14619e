"""Request objects and the arguments of calls with a body: what the document and the settings make
of them.
"""

import re

import pytest
import yaml

from victor_spec.typed.settings import SettingsError

from .command import run
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
        tags: {type: array, items: {type: string, maxLength: 9}}
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
    Short: {properties: {note: {type: string, maxLength: 60}}}
    Code: {type: string, maxLength: 9}
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
"""
NOTE_WITH_DEFAULT = "note: {type: string, maxLength: 80, default: none, description: For you}"


def made(folder, document=DOCUMENT, settings=SETTINGS):
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def test_a_call_is_a_function_with_the_members_of_its_body(tmp_path):
    assert (
        "def take_order( shop_id: str, *, kind: Kind, total: int, currency: str, "
        "your_reference: str, note: str | None = None, lines: Sequence[OrderLine] | None = None, "
        "tags: Sequence[str] | None = None, wrapped: bool | None = None, "
        "key: str | None = None, ) -> _typed.Request:"
    ) in source_of(made(tmp_path), "arguments")


def test_an_argument_that_code_by_hand_sends_need_not_be_named(tmp_path):
    settings = SETTINGS.replace("    set_by_hand:", "    positional: [key]\n    set_by_hand:")
    source = source_of(made(tmp_path, settings=settings), "arguments")
    assert "def take_order( shop_id: str, key: str | None = None, *, kind: Kind," in source


def test_the_parts_of_the_path_are_in_the_order_in_which_the_path_has_them(
    tmp_path,
):
    till = "        - {name: till, in: path, required: true, schema: {type: string}}\n"
    parameter = "        - {name: shopId"
    document = DOCUMENT.replace(parameter, f"{till}{parameter}")
    document = document.replace("/shops/{shopId}/orders", "/shops/{shopId}/tills/{till}/orders")
    source = source_of(made(tmp_path, document), "arguments")
    assert "def take_order( shop_id: str, till: str, *," in source


def test_each_member_has_a_row_with_its_limits_and_where_it_is_sent(tmp_path):
    result = made(tmp_path)
    source = source_of(result, "arguments")
    assert "return PACKAGE.request(_take_order, **locals())" in source
    assert 'TAKE_ORDER = PACKAGE.compared("take_order")' in source
    assert "your_reference: 2 to 30 characters." in source
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
    said_limits: 2 to 30 characters.
    form: reference
    longest: 30
    shortest: 2
  note:
    place: details.note
    compared: true
    compared_as: text
    said_limits: Up to 80 characters.
    longest: 80
  lines:
    kind: parts
    compared_as: parts
    said_limits: 1 to 9.
    part: Line
    fewest: 1
    most: 9
  tags: {kind: each, compared_as: items, items: {longest: 9}}
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
def test_a_row_says_the_limits_that_the_document_has(limits, said, tmp_path):
    member = f"        size: {{type: integer, {limits}}}\n        source:"
    result = made(tmp_path, DOCUMENT.replace("        source:", member))
    assert tables_of(result)["CALLS"]["take_order"]["body"]["size"].get("said_limits") == said
    assert ((said or "to 3.") in source_of(result, "arguments")) is (said is not None)


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


def test_a_default_of_the_document_is_described_and_not_sent(tmp_path):
    document = DOCUMENT.replace("note: {type: string, maxLength: 80}", NOTE_WITH_DEFAULT).replace(
        "count: {type: integer, ", "count: {type: integer, default: 1, "
    )
    result = made(tmp_path, document)
    arguments, parts = source_of(result, "arguments"), source_of(result, "parts")
    said = """For you (The server's default: "none"). Up to 80 characters."""
    assert said in arguments
    assert "note: str | None = None" in arguments
    assert "`count`. (The server's default: 1). 1 to 99." in parts
    assert "count: int | None = None" in parts


@pytest.mark.parametrize("name", ["rows", "parts", "typed"])
def test_an_operation_may_have_the_name_of_a_module(name, tmp_path):
    source = source_of(
        made(
            tmp_path,
            DOCUMENT.replace("operationId: takeOrder", f"operationId: {name}"),
            SETTINGS.replace("takeOrder", name),
        ),
        "arguments",
    )
    assert f"import {name} as _{name}_ " in source
    assert f"return PACKAGE.request(_{name}_, **locals())" in source


def test_a_docstring_omits_a_limit_that_a_form_of_the_settings_replaces(tmp_path):
    settings = SETTINGS.replace("reference: {", "reference: {whole: '[A-Z]{4}', ")
    assert "2 to 30 characters" in source_of(made(tmp_path), "arguments")
    assert "2 to 30 characters" not in source_of(made(tmp_path, settings=settings), "arguments")


def test_a_member_of_an_unsupported_type_is_no_argument(tmp_path):
    inline = "{type: object, properties: {note: {type: string}}}"
    document = DOCUMENT.replace("wrapped: {type: boolean}", f"wrapped: {inline}")
    document = document.replace("count: {type: integer", "count: {type: object")
    result = made(tmp_path, document)
    source = source_of(result, "arguments")
    assert "wrapped:" not in source
    assert tables_of(result)["CALLS"]["take_order"]["untyped"] == ["wrapped"]
    assert "count" not in source_of(result, "parts")


def test_a_required_member_that_two_parts_give_different_types_stops_generation(
    tmp_path,
):
    document = DOCUMENT.replace(
        "      required: [reference]\n      properties:\n",
        "      allOf: [{$ref: '#/components/schemas/Purpose'}]\n"
        "      required: [reference]\n      properties:\n        purpose: {type: integer}\n",
    )
    with pytest.raises(SettingsError, match=r"details\.purpose: no check knows the type"):
        made(tmp_path, document)


def test_each_pattern_that_python_cannot_read_is_a_line_with_the_reason(tmp_path, capsys):
    document = DOCUMENT.replace("[A-Z0-9-]+", r"\p{Lu}+").replace(
        "item: {type: string, maxLength: 20}", "item: {type: string, pattern: '(?u)a'}"
    )
    made(tmp_path, document, "bodies: {takeOrder: {what: order, lift: [details]}}")
    assert run("generate", tmp_path / "shop.yaml", "--out", tmp_path) == 0
    noted = capsys.readouterr().out.partition("unread-pattern (2): ")[2].splitlines()
    place, why = "bodies.takeOrder.details", "is left out: Python cannot read it as it is meant:"
    assert [line.strip() for line in noted[1:]] == [
        rf"{place}.reference: the pattern \p{{Lu}}+ {why} bad escape \p at position 0",
        f"parts.Line.item: the pattern (?u)a {why} ASCII and UNICODE flags are incompatible",
    ]


def test_a_form_of_the_settings_takes_the_place_of_a_pattern_that_python_cannot_read(
    tmp_path, capsys
):
    settings = SETTINGS.replace("reference: {", "reference: {whole: '[A-Z]+', ")
    made(tmp_path, DOCUMENT.replace("[A-Z0-9-]+", r"\p{Lu}+"), settings)
    assert run("generate", tmp_path / "shop.yaml", "--out", tmp_path) == 0
    assert "unread-pattern" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("location", "what"),
    [("query", "query parameter"), ("header", "header"), ("cookie", "cookie")],
)
def test_a_parameter_that_has_to_be_sent_and_no_argument_sends_stops_generation(
    location, what, tmp_path
):
    channel = f"{{name: X-Channel, in: {location}, required: true, schema: {{type: string}}}}"
    path = "        - {name: shopId"
    document = DOCUMENT.replace(path, f"        - {channel}\n{path}")
    message = f"bodies.takeOrder: POST /shops/{{shopId}}/orders: it needs the {what} X-Channel"
    with pytest.raises(SettingsError, match=re.escape(message)):
        made(tmp_path, document)
    settings = SETTINGS.replace("key: str | None", "key: str | None, x_channel: str")
    assert "x_channel: str" in source_of(made(tmp_path, document, settings), "arguments")
