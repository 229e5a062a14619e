"""Request objects and the arguments of calls with a body: what the document and the settings make
of them.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from victor_spec.command_line import main
from victor_spec.generate import GenerationResult
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
        tags: {type: array, items: {type: string, maxLength: 9}}
        wrapped: {type: boolean}
        source: {type: string}
    Details:
      type: object
      required: [reference]
      properties:
        reference: {type: string, minLength: 2, maxLength: 30, pattern: '[A-Z0-9-]+'}
        note: {type: string, maxLength: 80}
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
    money: {amount: [total, currency]}
    forms: {details.reference: reference}
    words: {kind: Kind}
    set_by_hand: [source]
    by_hand: {key: str | None}
    compared_as: {details.reference: word}
"""
NOTE_WITH_DEFAULT = "note: {type: string, maxLength: 80, default: none, description: For you}"
CALL = "bodies: {takeOrder: {what: order, %s}}"


def made(folder: Path, document: str = DOCUMENT, settings: str = SETTINGS) -> GenerationResult:
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def call_in(folder: Path, document: str = DOCUMENT, settings: str = SETTINGS) -> dict[str, Any]:
    """The row of the operation."""
    call: dict[str, Any] = tables_of(made(folder, document, settings))["CALLS"]["take_order"]
    return call


def test_a_call_is_a_function_with_the_members_of_its_body(tmp_path: Path) -> None:
    assert (
        "def take_order( shop_id: str, *, kind: Kind, amount: Money, your_reference: str, "
        "note: str | None = None, lines: Sequence[OrderLine] | None = None, "
        "tags: Sequence[str] | None = None, wrapped: bool | None = None, "
        "key: str | None = None, ) -> _typed.Request:"
    ) in source_of(made(tmp_path), "arguments")


def test_the_parts_of_the_path_are_in_the_order_in_which_the_path_has_them(
    tmp_path: Path,
) -> None:
    till = "        - {name: till, in: path, required: true, schema: {type: string}}\n"
    parameter = "        - {name: shopId"
    document = DOCUMENT.replace(parameter, f"{till}{parameter}")
    document = document.replace("/shops/{shopId}/orders", "/shops/{shopId}/tills/{till}/orders")
    source = source_of(made(tmp_path, document), "arguments")
    assert "def take_order( shop_id: str, till: str, *," in source


def test_each_member_has_a_row_with_its_limits_and_where_it_is_sent(tmp_path: Path) -> None:
    result = made(tmp_path)
    source = source_of(result, "arguments")
    assert "return PACKAGE.request(_take_order, locals())" in source
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
  amount:
    kind: money
    place: total
    required: true
    compared_as: money
    sends: {total: minor_units, currency: currency}
    least: 1
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
def test_a_row_says_the_limits_that_the_document_has(
    limits: str, said: str | None, tmp_path: Path
) -> None:
    member = f"        size: {{type: integer, {limits}}}\n        source:"
    result = made(tmp_path, DOCUMENT.replace("        source:", member))
    assert tables_of(result)["CALLS"]["take_order"]["body"]["size"].get("said_limits") == said
    assert ((said or "to 3.") in source_of(result, "arguments")) is (said is not None)


def test_a_schema_of_the_body_is_a_request_object(tmp_path: Path) -> None:
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
    ("old", "new", "argument", "row"),
    [
        (
            "{type: array, items: {type: string, maxLength: 9}}",
            "{type: array, minItems: 2, maxItems: 3, items: {type: integer, enum: [1, 2]}}",
            "tags",
            (
                "{kind: each, items: {kind: integer, among: [1, 2]}, "
                "fewest: 2, most: 3, compared_as: items}"
            ),
        ),
        (
            "total: {type: integer, minimum: 1,",
            "total: {type: integer, exclusiveMaximum: 5000, multipleOf: 5,",
            "amount",
            (
                "{kind: money, place: total, required: true, compared_as: money, "
                "sends: {total: minor_units, currency: currency}, least: 1, most: 4999, step: 5}"
            ),
        ),
        (
            "source: {type: string}",
            "source: {type: [string, 'null'], minLength: 5}",
            "source",
            "{shortest: 5, compared: true, compared_as: text}",
        ),
        (
            "source: {type: string}",
            "source: {type: string, format: date-time, maxLength: 20, pattern: '.*Z'}",
            "source",
            "{kind: stamp, form: source_pattern, longest: 20, compared_as: moment}",
        ),
    ],
)
def test_each_limit_of_the_document_is_checked(
    old: str, new: str, argument: str, row: str, tmp_path: Path
) -> None:
    assert old in DOCUMENT
    settings = SETTINGS.replace("    set_by_hand: [source]\n", "")
    assert call_in(tmp_path, DOCUMENT.replace(old, new), settings)["body"][
        argument
    ] == yaml.safe_load(row)


def test_a_part_of_the_path_has_the_limits_of_the_document(tmp_path: Path) -> None:
    text = "name: shopId, in: path, required: true, schema: {type: string}"
    document = DOCUMENT.replace(text, text.replace("string", "integer, maximum: 9"))
    row = {"kind": "integer", "required": True, "most": 9}
    assert call_in(tmp_path, document)["path"] == {"shop_id": row}


@pytest.mark.parametrize(
    ("settings", "argument", "row"),
    [
        ("compared: [source]", "source", "{compared: true}"),
        (
            "read_as: {details.reference: dollars}",
            "reference",
            "{kind: dollars, form: reference_pattern, longest: 30, shortest: 2}",
        ),
        (
            "references: [details.reference]",
            "reference",
            "{kind: reference, form: reference_pattern, longest: 30, shortest: 2}",
        ),
    ],
)
def test_a_text_that_the_settings_say_more_of_has_the_limits_of_the_document_too(
    settings: str, argument: str, row: str, tmp_path: Path
) -> None:
    call = call_in(tmp_path, settings=CALL % f"lift: [details], {settings}")
    assert yaml.safe_load(row).items() <= call["body"][argument].items()


def test_a_default_of_the_document_is_described_and_not_sent(tmp_path: Path) -> None:
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


def test_a_name_that_the_generated_code_uses_itself_gets_an_underscore(tmp_path: Path) -> None:
    document = DOCUMENT.replace("        source:", "        check: {type: string}\n        source:")
    document = document.replace("        made:", "        date: {type: string}\n        made:")
    tables = tables_of(made(tmp_path, document))
    assert tables["CALLS"]["take_order"]["body"]["check_"]["place"] == "check"
    assert tables["PARTS"]["Line"]["body"]["date_"] == {"place": "date"}


def test_a_name_with_a_dot_is_kept_apart_from_the_object_beside_it(tmp_path: Path) -> None:
    member = '        "details.zip": {type: string}\n        source:'
    body = call_in(tmp_path, DOCUMENT.replace("        source:", member))["body"]
    assert body["details_zip"]["place"] == ["", "details.zip"]
    assert body["note"]["place"] == "details.note"


@pytest.mark.parametrize("name", ["rows", "parts", "typed"])
def test_an_operation_may_have_the_name_of_a_module(name: str, tmp_path: Path) -> None:
    source = source_of(
        made(
            tmp_path,
            DOCUMENT.replace("operationId: takeOrder", f"operationId: {name}"),
            SETTINGS.replace("takeOrder", name),
        ),
        "arguments",
    )
    assert f"import {name} as _{name}_ " in source
    assert f"return PACKAGE.request(_{name}_, locals())" in source


def test_a_limit_that_a_form_decides_in_place_of_is_not_said(tmp_path: Path) -> None:
    settings = SETTINGS.replace("reference: {", "reference: {whole: '[A-Z]{4}', ")
    assert "2 to 30 characters" in source_of(made(tmp_path), "arguments")
    assert "2 to 30 characters" not in source_of(made(tmp_path, settings=settings), "arguments")


def test_a_member_that_no_check_knows_is_named_and_no_argument(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inline = "{type: object, properties: {note: {type: string}}}"
    document = DOCUMENT.replace("wrapped: {type: boolean}", f"wrapped: {inline}")
    document = document.replace("count: {type: integer", "count: {type: object")
    result = made(tmp_path, document)
    source = source_of(result, "arguments")
    assert "wrapped:" not in source
    assert tables_of(result)["CALLS"]["take_order"]["untyped"] == ["wrapped"]
    assert "count" not in source_of(result, "parts")
    main(["generate", str(tmp_path / "shop.yaml"), f"--out={tmp_path}"])
    noted = capsys.readouterr().out.partition("no-argument (2): ")[2].splitlines()
    assert [line.strip() for line in noted[1:]] == ["takeOrder.wrapped", "OrderLine.count"]


PURPOSE = """    Purpose:
      type: object
      required: [purpose]
      properties:
        purpose: {type: string, maxLength: 35}
    Short: {properties: {note: {type: string, maxLength: 60}}}
    Code: {type: string, maxLength: 9}
    Line:
"""
COMPOSED = DOCUMENT.replace("    Line:\n", PURPOSE)
ALL_OF = "      allOf: [{$ref: '#/components/schemas/Purpose'}]\n      type: object\n"


@pytest.mark.parametrize("name", ["NewOrder", "Details", "Line"])
def test_the_members_of_an_all_of_beside_properties_are_arguments(
    name: str, tmp_path: Path
) -> None:
    head = f"    {name}:\n      type: object\n"
    assert head in COMPOSED
    tables = tables_of(made(tmp_path, COMPOSED.replace(head, f"    {name}:\n{ALL_OF}")))
    holder = tables["PARTS"]["Line"] if name == "Line" else tables["CALLS"]["take_order"]
    row = {"required": True, "longest": 35}
    assert row.items() <= holder["body"]["purpose"].items()


def test_of_two_limits_of_one_member_the_narrower_one_holds(tmp_path: Path) -> None:
    head = "    Details:\n      type: object\n"
    document = COMPOSED.replace(head, f"    Details:\n{ALL_OF}").replace("/Purpose", "/Short")
    assert call_in(tmp_path, document)["body"]["note"]["longest"] == 60


@pytest.mark.parametrize(
    "schema",
    [
        "{allOf: [{$ref: '#/components/schemas/Code'}], minLength: 2}",
        "{allOf: [{$ref: '#/components/schemas/Code'}, {minLength: 2}]}",
        "{anyOf: [{$ref: '#/components/schemas/Code'}, {type: 'null'}], minLength: 2}",
        "{type: string, minLength: 2, allOf: [{maxLength: 9}]}",
        "{$ref: '#/components/schemas/Code', minLength: 2, description: 3.1}",
    ],
)
def test_limits_around_a_reference_are_checked(schema: str, tmp_path: Path) -> None:
    document = COMPOSED.replace("note: {type: string, maxLength: 80}", f"note: {schema}")
    if "3.1" in schema:
        document = document.replace("openapi: 3.0.3", "openapi: 3.1.0")
    limits = {"longest": 9, "shortest": 2}
    assert limits.items() <= call_in(tmp_path, document)["body"]["note"].items()


def test_what_stands_beside_a_reference_in_openapi_3_0_counts_for_nothing(tmp_path: Path) -> None:
    schema = "{$ref: '#/components/schemas/Code', minLength: 2}"
    document = COMPOSED.replace("note: {type: string, maxLength: 80}", f"note: {schema}")
    assert "shortest" not in call_in(tmp_path, document)["body"]["note"]


def test_an_object_with_more_than_it_refers_to_is_lifted_with_all_members(tmp_path: Path) -> None:
    document = DOCUMENT.replace("openapi: 3.0.3", "openapi: 3.1.0").replace(
        "details: {$ref: '#/components/schemas/Details'}",
        "details: {$ref: '#/components/schemas/Details', required: [code], "
        "properties: {code: {type: string}}}",
    )
    assert call_in(tmp_path, document)["body"]["code"]["place"] == "details.code"


def test_an_object_with_more_than_it_refers_to_is_no_request_object(tmp_path: Path) -> None:
    line = "items: {$ref: '#/components/schemas/Line'}"
    more = "items: {$ref: '#/components/schemas/Line', properties: {code: {type: string}}}"
    document = DOCUMENT.replace("openapi: 3.0.3", "openapi: 3.1.0").replace(line, more)
    result = made(tmp_path, document)
    assert result.typed is not None
    assert [plan.untyped for plan in result.typed.calls.bodies] == [["lines"]]


def test_a_required_member_that_two_parts_contradict_each_other_in_stops_generation(
    tmp_path: Path,
) -> None:
    document = COMPOSED.replace(
        "      required: [reference]\n      properties:\n",
        "      allOf: [{$ref: '#/components/schemas/Purpose'}]\n"
        "      required: [reference]\n      properties:\n        purpose: {type: integer}\n",
    )
    with pytest.raises(SettingsError, match=r"details\.purpose: no check knows the type"):
        made(tmp_path, document)


def test_a_pattern_of_the_document_has_to_match_as_a_whole_without_a_setting(
    tmp_path: Path,
) -> None:
    result = made(tmp_path, settings="bodies: {takeOrder: {what: order, lift: [details]}}")
    forms = {"reference_pattern": ["[A-Z0-9-]+", "text of the form [A-Z0-9-]+"]}
    assert tables_of(result)["FORMS"] == forms


def test_a_form_of_a_pattern_has_another_name_than_one_of_the_settings(tmp_path: Path) -> None:
    forms = "forms: {reference_pattern: {whole: '[a-z]+', wanted: letters}}\n"
    call = CALL % "lift: [details], forms: {source: reference_pattern}"
    tables = tables_of(made(tmp_path, settings=forms + call))
    sent = tables["CALLS"]["take_order"]["body"]
    assert sent["source"] == {"form": "reference_pattern"}
    assert sent["reference"]["form"] == "reference_pattern_2"
    wholes = {name: whole for name, (whole, _) in tables["FORMS"].items()}
    assert wholes == yaml.safe_load(
        "{reference_pattern: '[a-z]+', reference_pattern_2: '[A-Z0-9-]+'}"
    )


def test_two_patterns_with_one_form_of_the_settings_are_two_forms(tmp_path: Path) -> None:
    document = DOCUMENT.replace(
        "source: {type: string}", "source: {type: string, pattern: '[a-z]'}"
    )
    settings = SETTINGS.replace("forms: {", "forms: {source: reference, ").replace(
        "    set_by_hand: [source]\n", ""
    )
    result = made(tmp_path, document, settings)
    forms = tables_of(result)["FORMS"]
    assert {name: form[0] for name, form in forms.items()} == {
        "reference": "[A-Z0-9-]+",
        "reference_2": "[a-z]",
    }
    assert {form[1][:7] for form in forms.values()} == {"capital"}


def test_a_part_of_the_path_has_the_form_id_if_that_says_the_whole_rule(tmp_path: Path) -> None:
    call = "bodies: {takeOrder: {what: order}}\nforms: {id: {%s wanted: an id}}"
    row = call_in(tmp_path, settings=call % "whole: '[a-z]+',")["path"]["shop_id"]
    assert row == {"required": True, "form": "id"}
    row = call_in(tmp_path, settings=call % "")["path"]["shop_id"]
    assert row == {"required": True}


def test_a_pattern_that_python_cannot_read_checks_nothing(tmp_path: Path) -> None:
    document = DOCUMENT.replace("[A-Z0-9-]+", r"\p{Lu}+")
    result = made(tmp_path, document, "bodies: {takeOrder: {what: order, lift: [details]}}")
    tables = tables_of(result)
    row = {"place": "details.reference", "required": True, "longest": 30, "shortest": 2}
    row["said_limits"] = "2 to 30 characters."
    assert tables["CALLS"]["take_order"]["body"]["reference"] == row
    assert tables["FORMS"] == {}


def test_each_pattern_that_python_cannot_read_is_a_line_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = DOCUMENT.replace("[A-Z0-9-]+", r"\p{Lu}+").replace(
        "item: {type: string, maxLength: 20}", "item: {type: string, pattern: '(?u)a'}"
    )
    made(tmp_path, document, "bodies: {takeOrder: {what: order, lift: [details]}}")
    assert main(["generate", str(tmp_path / "shop.yaml"), f"--out={tmp_path}"]) == 0
    noted = capsys.readouterr().out.partition("unread-pattern (2): ")[2].splitlines()
    place, why = "bodies.takeOrder.details", "is left out: Python cannot read it as it is meant:"
    assert [line.strip() for line in noted[1:]] == [
        rf"{place}.reference: the pattern \p{{Lu}}+ {why} bad escape \p at position 0",
        f"parts.Line.item: the pattern (?u)a {why} ASCII and UNICODE flags are incompatible",
    ]


def test_a_form_of_the_settings_takes_the_place_of_a_pattern_that_python_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = SETTINGS.replace("reference: {", "reference: {whole: '[A-Z]+', ")
    made(tmp_path, DOCUMENT.replace("[A-Z0-9-]+", r"\p{Lu}+"), settings)
    assert main(["generate", str(tmp_path / "shop.yaml"), f"--out={tmp_path}"]) == 0
    assert "unread-pattern" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("location", "what"),
    [("query", "query parameter"), ("header", "header"), ("cookie", "cookie")],
)
def test_a_parameter_that_has_to_be_sent_and_no_argument_sends_stops_generation(
    location: str, what: str, tmp_path: Path
) -> None:
    channel = f"{{name: X-Channel, in: {location}, required: true, schema: {{type: string}}}}"
    path = "        - {name: shopId"
    document = DOCUMENT.replace(path, f"        - {channel}\n{path}")
    message = f"bodies.takeOrder: POST /shops/{{shopId}}/orders: it needs the {what} X-Channel"
    with pytest.raises(SettingsError, match=re.escape(message)):
        made(tmp_path, document)
    settings = SETTINGS.replace("key: str | None", "key: str | None, x_channel: str")
    assert "x_channel: str" in source_of(made(tmp_path, document, settings), "arguments")
