"""What an update says of typed records and arguments, one line for each member."""

import re
from pathlib import Path

import pytest

from victor_spec.command_line import main
from victor_spec.commands.update import DECISIONS, UNTIL_THEN
from victor_spec.typed.news.calls import KEY

from .wire import made_with_settings

pytestmark = pytest.mark.pull_request

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /shops/{shopId}/orders:
    get:
      operationId: listOrders
      parameters:
        - {name: shopId, in: path, required: true, schema: {type: string}}
        - {name: state, in: query, schema: {type: string, enum: [OPEN, CLOSED]}}
        - {name: note, in: query, schema: {type: string, maxLength: 20, pattern: "[a-z]{1,9}"}}
        - {name: size, in: query, schema: {type: integer, minimum: 1, maximum: 50, default: 9}}
        - {name: day, in: query, schema: {type: string}}
        - {name: since, in: query, schema: {type: string, format: date-time}}
        - {name: oldState, in: query, schema: {type: string}}
        - {name: page, in: query, schema: {type: integer}}
      responses:
        "200":
          description: The orders.
          content: {application/json: {schema: {$ref: '#/components/schemas/Orders'}}}
components:
  schemas:
    Orders:
      type: object
      properties: {items: {type: array, items: {$ref: '#/components/schemas/Order'}}}
    Order:
      type: object
      properties:
        id: {type: string}
        kind: {type: string, enum: [A, B]}
        total: {type: integer}
        memo: {type: string}
"""
SETTINGS = """
records: {Order: {shown: [id, kind], private: [total]}}
lists:
  listOrders:
    what: list of orders
    positional: [shopId]
    names: {size: page_size}
    constant: [size]
    leave_out: [page]
"""
QUERY = "        - {name: page, in: query"
FIELD = "        memo:"
HARMLESS = {
    QUERY: (
        "        - {name: purpose, in: query, schema: {type: string, maxLength: 35}}\n"
        "        - {name: count, in: query, schema: {type: integer, minimum: 0, maximum: 9}}\n"
        "        - {name: page, in: query"
    ),
    FIELD: (
        "        count: {type: number}\n        purpose: {type: string}\n"
        "        paid: {type: boolean}\n"
        "        due: {type: array, items: {type: string, format: date}}\n        memo:"
    ),
    "OPEN, CLOSED": "OPEN, CLOSED, FROZEN",
    "maxLength: 20, pattern": "maxLength: 40, pattern",
    "maximum: 50": "maximum: 100",
}
SAID = f"""
9 changes of typed records and arguments:
  new word: `state` in `list_orders`: FROZEN
  wider: `note` in `list_orders`: at most 40 characters, and not 20
  wider: `page_size` in `list_orders`: at most 100, and not 50
  new: `purpose` in `list_orders` (text, at most 35 characters): ...; undecided
  new: `count` in `list_orders` (whole number, at least 0, at most 9): ...; undecided
  new: `count` in `Order` (number): in no repr; undecided
  new: `purpose` in `Order` (text): in no repr; undecided
  new: `paid` in `Order` (flag)
  new: `due` in `Order` (list of day): in no repr; undecided
  Decide when you like, in shop.settings.yaml: {DECISIONS}. {UNTIL_THEN}.
"""
BREAKING = {
    QUERY: (
        "        - {name: token, in: query, required: true, schema: {type: string}}\n"
        "        - {name: page, in: query"
    ),
    "        - {name: oldState, in: query, schema: {type: string}}\n": "",
    "name: since, in: query,": "name: since, in: query, required: true,",
    "{name: day, in: query, schema: {type: string}}": (
        "{name: day, in: query, schema: {type: string, format: date}}"
    ),
    "OPEN, CLOSED": "OPEN",
    'maxLength: 20, pattern: "[a-z]{1,9}"': 'maxLength: 9, minLength: 2, pattern: "[a-y]{1,9}"',
    "minimum: 1, maximum: 50": "minimum: 2, maximum: 50",
    "total: {type: integer}": "total: {type: string}",
    "enum: [A, B]": "enum: [A, B, C]",
    "        memo: {type: string}\n": "",
}
SAID_BREAKING = """
12 changes of typed records and arguments:
  word gone: `state` in `list_orders`: CLOSED: breaking
  narrower: `note` in `list_orders`: at least 2 characters: breaking
  narrower: `note` in `list_orders`: at most 9 characters, and not 20: breaking
  other pattern: `note` in `list_orders`: [a-y]{1,9}: breaking
  narrower: `page_size` in `list_orders`: at least 2, and not 1: breaking
  other type: `day` in `list_orders`: day, and not text: breaking
  required now: `since` in `list_orders`: a call without it is refused: breaking
  new: `token` in `list_orders` (text): required: breaking
  gone: `old_state` in `list_orders` (`oldState` on the wire): breaking
  new word: `kind` in `Order`: C
  other type: `total` in `Order`: text, and not whole number: breaking
  gone: `memo` in `Order`: breaking
"""


def updated(
    folder: Path,
    news: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    document: str = DOCUMENT,
) -> str:
    """What an update to a document with these news prints behind its report."""
    newer = document
    for old, new in news.items():
        assert newer.count(old) == 1
        newer = newer.replace(old, new)
    made_with_settings(folder, document, SETTINGS)
    (folder / "newer.yaml").write_text(newer, encoding="utf-8")
    capsys.readouterr()
    arguments = [str(folder / "shop.yaml"), str(folder / "newer.yaml"), "--out", str(folder)]
    main(["update", *arguments])
    printed = capsys.readouterr().out.partition(str(folder / "shop_api"))[2]
    return printed.replace("the list is read repeatedly", "...")


def test_what_harms_nobody_is_one_line_a_member_with_what_is_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = updated(tmp_path, HARMLESS, capsys)
    assert printed.partition("\n\n")[2].startswith(SAID.lstrip())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "memo: {type: string}",
            "memo: {type: string, enum: [A, B]}",
            "other text: `memo` in `Order`: one of A, B, and not text",
        ),
        (
            "kind: {type: string, enum: [A, B]}",
            "kind: {type: string}",
            "other text: `kind` in `Order`: text, and not one of A, B",
        ),
        (
            "memo: {type: string}",
            "memo: {type: string, format: uuid}",
            "other text: `memo` in `Order`: uuid, and not text",
        ),
        (
            "memo: {type: string}",
            "memo: {type: integer, enum: [1, 2]}",
            "other type: `memo` in `Order`: one of 1, 2, and not text: breaking",
        ),
    ],
)
def test_a_field_that_is_read_as_text_still_breaks_nothing(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"  {said}\n" in updated(tmp_path, {old: new}, capsys)


def test_what_is_narrower_required_or_gone_is_breaking_by_its_name_in_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = updated(tmp_path, BREAKING, capsys)
    assert printed.partition("\n\n")[2].startswith(SAID_BREAKING.lstrip())


@pytest.mark.parametrize(
    ("older", "newer", "said"),
    [
        (
            "maxLength: 20",
            "maxLength: 9, x-not-enforced: [maxLength]",
            ["not enforced: `note` in `list_orders`: at most 9 characters"],
        ),
        (
            "maxLength: 20, x-not-enforced: [maxLength]",
            "maxLength: 9, x-not-enforced: [maxLength]",
            ["not enforced: `note` in `list_orders`: at most 9 characters"],
        ),
        (
            "maxLength: 20, x-not-enforced: [pattern]",
            "maxLength: 9, x-not-enforced: [pattern]",
            ["narrower: `note` in `list_orders`: at most 9 characters, and not 20: breaking"],
        ),
        (
            "maxLength: 20",
            "maxLength: 20, x-not-enforced: [pattern]",
            ["not enforced: `note` in `list_orders`: pattern [a-z]{1,9}"],
        ),
        (
            "maxLength: 20, x-not-enforced: [maxLength]",
            "maxLength: 20",
            ["narrower: `note` in `list_orders`: at most 20 characters: breaking"],
        ),
        ("maxLength: 20, x-not-enforced: [maxLength]", "title: Note", []),
    ],
)
def test_a_limit_that_nobody_keeps_breaks_nothing(
    older: str,
    newer: str,
    said: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = DOCUMENT.replace("maxLength: 20", older)
    printed = updated(tmp_path, {older: newer}, capsys, document)
    news = [line.strip() for line in printed.splitlines() if "`note` in `list_orders`" in line]
    assert news == said


@pytest.mark.parametrize("old", [each for each in BREAKING if each != "enum: [A, B]"])
def test_what_is_called_breaking_is_so_for_the_comparison(old: str, tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("shop.yaml", "newer.yaml")]
    for name, text in zip(names, (DOCUMENT, DOCUMENT.replace(old, BREAKING[old])), strict=True):
        name.write_text(text, encoding="utf-8")
    status = main(["diff", *map(str, names), *(["--no-python"] if "total" not in old else [])])
    assert status == 1


@pytest.mark.parametrize(
    ("location", "path"),
    [("path", "/shops/{shopId}/{oldState}"), ("query", "/shops/{shopId}/orders")],
)
def test_a_parameter_that_moves_is_breaking(
    location: str, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    news = {
        "  /shops/{shopId}/orders:": f"  {path}:",
        "name: oldState, in: query,": f"name: oldState, in: {location}, required: true,",
    }
    printed = updated(tmp_path, news, capsys)
    moved = "  moved: `old_state` in `list_orders`: from the query to the path: breaking\n"
    assert (moved in printed) == (location == "path")


def test_what_does_not_change_is_not_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = updated(tmp_path, {"title: Shop": "title: The shop"}, capsys)
    assert "typed records and arguments" not in printed


CALLS = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /shops/{shopId}/orders:
    get:
      operationId: listOrders
      parameters:
        - {name: shopId, in: path, required: true, schema: {type: string}}
        - {name: size, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
        - {name: id, in: query, schema: {type: string, maxLength: 20}}
        - {name: since, in: query, required: true, schema: {type: string}}
      responses: {"204": {description: None}}
    post:
      operationId: takeOrder
      parameters:
        - {name: shopId, in: path, required: true, schema: {type: string}}
        - {name: Key, in: header, schema: {type: string, maxLength: 128}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [note]
              properties:
                note: {type: string, maxLength: 80}
                tags: {type: array, items: {type: string, maxLength: 100}}
                count: {type: integer, format: int64, default: 3}
                rate: {type: number, maximum: 9}
                mark: {type: string, maxLength: 60}
                total: {type: integer}
                currency: {type: string}
      responses: {"204": {description: Taken}}
    delete:
      operationId: dropOrders
      parameters: [{name: shopId, in: path, required: true, schema: {type: string}}]
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [by]
              properties:
                by: {type: string}
                reason: {type: string}
      responses: {"204": {description: Dropped}}
"""
CALLS_SETTINGS = """
forms: {id: {whole: "[a-z]+", wanted: an id}}
lists: {listOrders: {what: list, positional: [shopId], forms: {id: id}, constant: [size]}}
bodies:
  takeOrder:
    what: order
    set_by_hand: [mark]
    money: {amount: [total, currency]}
    by_hand: {trace: str}
"""
LENGTHS = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /orders:
    get:
      operationId: listOrders
      parameters: [{name: since, in: query, schema: {%(since)s}}]
      responses: {"204": {description: None}}
    post:
      operationId: takeOrder
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                note: {%(note)s}
                memo: {%(memo)s}
                tags: {%(tags)s}
      responses: {"204": {description: Taken}}
"""
LENGTHS_SETTINGS = """
lists: {listOrders: {what: list, constant: [since]}}
bodies: {takeOrder: {what: order, empty: [note]}}
"""
TAGS = "type: array, items: {type: string}"
ONLY_GENERATED = "no argument: the generated function alone sends it"
BY_OPTIONS = "no argument: `with_options(headers=...)` sends it"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "maximum: 50",
            "exclusiveMaximum: 50",
            "narrower: `size`: at most 49, and not 50: breaking",
        ),
        (
            "maximum: 50",
            "maximum: 50, multipleOf: 5",
            "narrower: `size`: a multiple of 5: breaking",
        ),
        (
            "maxLength: 20",
            "maxLength: 9",
            "narrower: `id`: at most 9 characters, and not 20: not checked: the form id decides",
        ),
        (
            "required: true, schema: {type: string}}\n      resp",
            "schema: {type: string}}\n      resp",
            "no longer required: `since`: a call may leave it out",
        ),
        (
            "maxLength: 80",
            "maxLength: 80, minLength: 5",
            "narrower: `note`: at least 5 characters: breaking",
        ),
        ("required: [note]", "required: []", "no longer required: `note`: a call may leave it out"),
        (
            "maxLength: 100",
            "maxLength: 10",
            "narrower: `tags`: each at most 10 characters, and not 100: breaking",
        ),
        (
            "{type: string, maxLength: 100}",
            "{type: integer}",
            "other type: `tags`: list of whole number, and not list of text: breaking",
        ),
        ("int64", "int32", "narrower: `count`: at most 2147483647: breaking"),
        ("maximum: 9", "maximum: 9, exclusiveMaximum: true", "narrower: `rate`: below 9: breaking"),
        (
            "maxLength: 128",
            "maxLength: 36",
            (
                "narrower: header `Key`: at most 36 characters, and not 128: not checked: "
                "code by hand decides"
            ),
        ),
        (
            "maximum: 50}",
            "maximum: 50, default: 20}",
            "other default: `size`: the server's is 20",
        ),
        ("default: 3", "default: 4", "other default: `count`: the server's is 4, and not 3"),
        (", default: 3", "", "other default: `count`: the server's is no longer 3"),
        (
            "maxLength: 128}",
            "maxLength: 128, default: x}",
            """other default: header `Key`: the server's is "x\"""",
        ),
        (
            "rate: {type: number",
            "box: {type: object}\n                rate: {type: number",
            "new: `box` (object): no argument: `extra_body` sends it",
        ),
        (
            "        - {name: Key, in: header",
            (
                "        - {name: Zone, in: header, schema: {type: string}}\n"
                "        - {name: Key, in: header"
            ),
            "new: header `Zone` (text): no argument: `with_options(headers=...)` sends it",
        ),
        (
            "maxLength: 60",
            "maxLength: 50",
            (
                "narrower: `mark`: at most 50 characters, and not 60: not checked: code by hand "
                "decides"
            ),
        ),
        (
            "currency: {type: string}",
            "currency: {type: string, maxLength: 3}",
            "narrower: `currency`: at most 3 characters: not checked: `Money` decides",
        ),
        (
            "reason: {type: string}",
            "reason: {type: string}\n                why: {type: string, maxLength: 9}",
            "new: `why` (text, at most 9 characters): no generated argument sends it",
        ),
        (
            "reason: {type: string}",
            "reason: {type: string, maxLength: 9}",
            (
                "narrower: `reason`: at most 9 characters: not checked: no generated argument "
                "sends it"
            ),
        ),
        (
            "                reason: {type: string}\n",
            "                why: {type: string}\n",
            "gone: `reason`: breaking",
        ),
        (
            "required: [by]",
            "required: [by, reason]",
            "required now: `reason`: a call without it is refused: breaking",
        ),
    ],
)
def test_each_limit_is_said_with_whether_it_is_checked(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"  {said}\n" in updated_calls(tmp_path, old, new, capsys)


def typed_news(
    folder: Path, older: str, newer: str, settings: str, capsys: pytest.CaptureFixture[str]
) -> str:
    """The lines about records and arguments that an update from one document to another prints."""
    made_with_settings(folder, older, settings)
    (folder / "newer.yaml").write_text(newer, encoding="utf-8")
    main(["update", f"{folder}/shop.yaml", f"{folder}/newer.yaml", "--out", str(folder)])
    return capsys.readouterr().out.partition("of typed records and arguments:\n")[2]


def updated_calls(folder: Path, old: str, new: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What an update of CALLS with one change says, without the names of functions."""
    assert CALLS.count(old) == 1
    printed = typed_news(folder, CALLS, CALLS.replace(old, new), CALLS_SETTINGS, capsys)
    for function in ("list_orders", "take_order", "drop_orders"):
        printed = printed.replace(f" in `{function}`", "")
    return printed


BY_ONE = "narrower: at least 1 characters: breaking"
NO_LONGER_BY_ONE = "wider: no longer at least 1 characters"


@pytest.mark.parametrize(
    ("member", "older", "newer", "said"),
    [
        ("since", "type: string, minLength: 0", "type: string", [BY_ONE]),
        ("since", "type: string", "type: string, minLength: 0", [NO_LONGER_BY_ONE]),
        ("since", "type: string", "type: string, minLength: 1", []),
        ("since", "type: string, minLength: 1", "type: string", []),
        (
            "since",
            "type: string, minLength: 0",
            "type: string, minLength: 2",
            ["narrower: at least 2 characters: breaking"],
        ),
        ("memo", "type: string", "type: string, minLength: 1", []),
        ("memo", "type: string, minLength: 0", "type: string", []),
        ("note", "type: string, minLength: 0", "type: string", []),
        ("tags", TAGS, TAGS.replace("string", "string, minLength: 1"), []),
        ("tags", TAGS, f"{TAGS}, minItems: 1", []),
    ],
)
def test_the_least_length_that_is_checked_is_compared(
    member: str,
    older: str,
    newer: str,
    said: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    schemas = dict.fromkeys(("since", "note", "memo"), "type: string")
    schemas["tags"] = TAGS
    before, after = (LENGTHS % {**schemas, member: each} for each in (older, newer))
    printed = typed_news(tmp_path, before, after, LENGTHS_SETTINGS, capsys)
    lines = [line.strip() for line in printed.splitlines() if f"`{member}` in " in line]
    assert [re.sub(r"`\w+` in `\w+`: ", "", line) for line in lines] == said


IN_LIST, IN_CALL = "        - {name: size", "        - {name: Key"


@pytest.mark.parametrize(
    ("beside", "parameter", "said"),
    [
        (IN_CALL, "name: dry, in: query", f"query parameter `dry` (flag): {ONLY_GENERATED}"),
        (IN_CALL, "name: dry, in: cookie", f"cookie `dry` (flag): {ONLY_GENERATED}"),
        (IN_CALL, "name: X-Dry, in: header", f"header `X-Dry` (flag): {BY_OPTIONS}"),
        (IN_LIST, "name: dry, in: cookie", f"cookie `dry` (flag): {ONLY_GENERATED}"),
        (IN_LIST, "name: X-Dry, in: header", f"header `X-Dry` (flag): {BY_OPTIONS}"),
        (
            IN_CALL,
            "name: Trace, in: header, required: true",
            "header `Trace` (flag): required: breaking: code by hand sends it",
        ),
    ],
)
def test_a_new_parameter_that_is_no_argument_is_said_with_what_sends_it(
    beside: str, parameter: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = f"        - {{{parameter}, schema: {{type: boolean}}}}\n{beside}"
    assert f"  new: {said}\n" in updated_calls(tmp_path, beside, new, capsys)


@pytest.mark.parametrize(
    ("beside", "said"),
    [(IN_CALL, KEY), (IN_LIST, "a read sends no key")],
)
def test_a_new_header_that_is_a_key_is_said_with_what_a_client_sends(
    beside: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = f"        - {{name: Idempotency-Key, in: header, schema: {{type: string}}}}\n{beside}"
    printed = updated_calls(tmp_path, beside, new, capsys)
    assert f"  new: header `Idempotency-Key` (text): no argument: {said}\n" in printed


PARTS = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /orders:
    post:
      operationId: takeOrder
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                yourNote: {type: string}
                lines: {type: array, items: {$ref: '#/components/schemas/Line'}}
                gifts: {type: array, items: {$ref: '#/components/schemas/Gift'}}
      responses: {"204": {description: Taken}}
components:
  schemas:
    Line: {type: object, properties: {itemName: {type: string}}}
    Gift: {type: object, properties: {itemName: {type: string}}}
"""
PARTS_SETTINGS = """
parts: {Line: {name: Item, shown: [itemName%s]}, Gift: {name: Item}}
bodies: {takeOrder: {what: order, compared_as: {%s}}}
"""
LINE, GIFT = (f"    {name}: {{type: object, properties: {{" for name in ("Line", "Gift"))
NEW_IN_PARTS = {
    LINE: f"{LINE}color: {{type: string}}, ",
    GIFT: f"{GIFT}color: {{type: string}}, ",
}


@pytest.mark.parametrize(
    ("news", "shown", "compared", "said"),
    [
        (
            NEW_IN_PARTS,
            "",
            "",
            [
                "new: `color` in `Item` (text): in no repr; undecided",
                "new: `color` in `Item` (text): in no repr; undecided",
            ],
        ),
        (
            NEW_IN_PARTS,
            ", color",
            "",
            [
                "new: `color` in `Item` (text)",
                "new: `color` in `Item` (text)",
            ],
        ),
        (
            {"yourNote": "color: {type: string}\n                yourNote"},
            "",
            "",
            ["new: `color` in `take_order` (text): compared as text; undecided"],
        ),
        (
            {"yourNote": "color: {type: string}\n                yourNote"},
            "",
            "color: word",
            ["new: `color` in `take_order` (text)"],
        ),
        (
            {
                "              properties:\n                yourNote": (
                    "              required: [color]\n              properties:\n"
                    "                color: {type: string}\n                yourNote"
                )
            },
            "",
            "",
            [
                (
                    "new: `color` in `take_order` (text): required: breaking: compared as text; "
                    "undecided"
                )
            ],
        ),
        (
            {"                yourNote: {type: string}\n": ""},
            "",
            "",
            ["gone: `your_note` in `take_order` (`yourNote` on the wire): breaking"],
        ),
    ],
)
def test_what_is_undecided_of_calls_and_request_objects_is_said_until_settings_name_it(
    news: dict[str, str],
    shown: str,
    compared: str,
    said: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    newer = PARTS
    for old, new in news.items():
        assert newer.count(old) == 1
        newer = newer.replace(old, new)
    made_with_settings(tmp_path, PARTS, PARTS_SETTINGS % ("", ""))
    settings = PARTS_SETTINGS % (shown, compared)
    (tmp_path / "shop.settings.yaml").write_text(settings, encoding="utf-8")
    (tmp_path / "newer.yaml").write_text(newer, encoding="utf-8")
    main(["update", f"{tmp_path}/shop.yaml", f"{tmp_path}/newer.yaml", "--out", str(tmp_path)])
    printed = capsys.readouterr().out.partition("of typed records and arguments:\n")[2]
    assert [line.strip() for line in printed.splitlines()][: len(said)] == said


AMOUNTS = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /orders:
    post:
      operationId: takeOrder
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                note: {type: string}
                line: {$ref: '#/components/schemas/Line'}
      responses:
        "200":
          description: The order.
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
components:
  schemas:
    Line: {type: object, properties: {itemName: {type: string}}}
    Order:
      type: object
      properties:
        id: {type: string}
        memo: {type: string}
"""
AMOUNT_SETTINGS = """
records: {Order: {}}
views: {OrderFields: {over: [Order]}}
parts: {Line: {}}
bodies: {takeOrder: {what: order}}
"""
IN_BODY, IN_PART = "                note: {type", "    Line: {type: object, properties: {"
IN_ANSWER = "        memo: {type"
MONEY = {
    "name": "sumPayments: {type: string}",
    "pattern": r"extra: {type: string, pattern: '^\d{1,9}\.\d{2}$'}",
    "description": "extra: {type: string, description: Decimal text.}",
}
NO_MONEY = [
    "priceId: {type: string}",
    "summary: {type: string}",
    "code: {type: string, pattern: '^.{4}$'}",
    "amount: {type: string, enum: [ALL, NONE]}",
    "total: {type: integer}",
]


def of_amounts(
    folder: Path, before: str, member: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[str]]:
    """The exit code of an update that adds a member before a text, and the numbered decisions."""
    made_with_settings(folder, AMOUNTS, AMOUNT_SETTINGS)
    assert AMOUNTS.count(before) == 1
    indent = " " * (len(before) - len(before.lstrip()))
    added = f"{before}{member}, " if before == IN_PART else f"{indent}{member}\n{before}"
    (folder / "newer.yaml").write_text(AMOUNTS.replace(before, added), encoding="utf-8")
    capsys.readouterr()
    status = main(["update", f"{folder}/shop.yaml", f"{folder}/newer.yaml", "--out", str(folder)])
    printed = capsys.readouterr().out.partition("for a person:\n")[2]
    return status, [line.strip() for line in printed.splitlines()]


@pytest.mark.parametrize("why", MONEY)
@pytest.mark.parametrize(
    ("before", "entries"),
    [
        (IN_BODY, ["bodies: {takeOrder: {read_as: {%s: dollars}}}"]),
        (IN_PART, ["parts: {Line: {read_as: {%s: dollars}}}"]),
        (
            IN_ANSWER,
            [
                "records: {Order: {read_as: {%s: decimal}}}",
                "views: {OrderFields: {read_as: {%s: decimal}}}",
            ],
        ),
    ],
)
def test_a_new_text_that_is_money_is_a_decision_with_its_line_of_settings(
    before: str,
    entries: list[str],
    why: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, decisions = of_amounts(tmp_path, before, MONEY[why], capsys)
    wire_name = MONEY[why].partition(":")[0]
    assert status == 1
    assert [line.partition("as a Decimal: ")[2] for line in decisions] == [
        f"`{entry % wire_name}`" for entry in entries
    ]
    assert all(f"money by its {why}" in line for line in decisions)
    dollars = "if it is US dollars, above zero, with at most two decimals, as a Decimal: "
    assert [dollars in line for line in decisions] == ["dollars}" in entry for entry in entries]


def test_a_new_double_that_is_sent_and_is_money_is_a_decision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    member = "fee: {type: number, format: double}"
    status, decisions = of_amounts(tmp_path, IN_BODY, member, capsys)
    assert status == 1
    said = "1. new: `fee` in `take_order` (number): money by its name; as a Decimal: "
    assert decisions == [f"{said}`bodies: {{takeOrder: {{read_as: {{fee: decimal}}}}}}`"]


@pytest.mark.parametrize("member", NO_MONEY)
@pytest.mark.parametrize("before", [IN_BODY, IN_ANSWER])
def test_what_is_no_amount_is_no_decision(
    before: str, member: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert of_amounts(tmp_path, before, member, capsys) == (0, [])


def test_the_lines_of_settings_make_decimals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = AMOUNTS
    for before, member in (
        (IN_BODY, "fee: {type: number}"),
        (IN_BODY, "amount: {type: string}"),
        (IN_ANSWER, "amount: {type: string}"),
    ):
        text = text.replace(before, f"{' ' * before.index(before.lstrip())}{member}\n{before}")
    settings = (
        "records: {Order: {read_as: {amount: decimal}}}\n"
        "views: {OrderFields: {over: [Order], read_as: {amount: decimal}}}\n"
        "bodies: {takeOrder: {what: order, read_as: {fee: decimal, amount: dollars}}}\n"
    )
    made_with_settings(tmp_path, text, settings)
    records = (tmp_path / "shop_api/typed/records.py").read_text(encoding="utf-8")
    assert records.count("def amount(self) -> Decimal | None:") == 2
    arguments = (tmp_path / "shop_api/typed/arguments.py").read_text(encoding="utf-8")
    assert "fee: Decimal | int | None = None" in arguments
    assert "amount: Amount | None = None" in arguments
    rows = (tmp_path / "shop_api/typed/rows.py").read_text(encoding="utf-8")
    assert '"fee": {"kind": "decimal"}' in rows
    (tmp_path / "newer.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(AMOUNTS, encoding="utf-8")
    capsys.readouterr()
    assert (
        main(["update", f"{tmp_path}/shop.yaml", f"{tmp_path}/newer.yaml", "--out", str(tmp_path)])
        == 0
    )


def test_a_new_number_that_is_money_is_a_decision_without_typed_modules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = AMOUNTS.replace(IN_ANSWER, f"        sumPayments: {{type: number}}\n{IN_ANSWER}")
    (tmp_path / "shop.yaml").write_text(AMOUNTS, encoding="utf-8")
    (tmp_path / "newer.yaml").write_text(newer, encoding="utf-8")
    main(["generate", f"{tmp_path}/shop.yaml", "--out", str(tmp_path)])
    capsys.readouterr()
    status = main(
        ["update", f"{tmp_path}/shop.yaml", f"{tmp_path}/newer.yaml", "--out", str(tmp_path)]
    )
    assert status == 1
    assert capsys.readouterr().out.splitlines()[-1].strip() == (
        "1. new: `Order.sumPayments` (number): money by its name; as a Decimal: "
        "`--decimals Order.sumPayments`"
    )
