"""The arguments of lists: what the document and the settings beside it make of them."""

import re

import pytest
import yaml

from victor_spec.typed.settings import SettingsError

from .wire import made_with_settings, source_of, tables_of

pytestmark = pytest.mark.pull_request

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /shops/{shopId}/orders:
    get:
      operationId: listOrders
      summary: The orders of a shop
      parameters:
        - {name: shopId, in: path, required: true, schema: {type: string}, description: Whose}
        - {name: state, in: query, schema: {type: string, maxLength: 20}}
        - {name: createdFrom, in: query, schema: {type: string, format: date}}
        - {name: createdTo, in: query, schema: {type: string, format: date}}
        - {name: paid, in: query, schema: {type: boolean}}
        - {name: size, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
        - {name: since, in: query, required: true, schema: {type: string}}
        - {name: page, in: query, schema: {type: integer}}
        - {name: words, in: query, schema: {type: string, minLength: 0}}
        - {name: sort, in: query, schema: {type: string}}
        - {name: firstPage, in: query, schema: {type: integer, minimum: 1}}
      responses:
        "200":
          description: The orders.
          content: {application/json: {schema: {type: object}}}
"""
SETTINGS = """
forms:
  id: {whole: "[a-z]{1,9}", wanted: "an id of a shop, such as 'corner'"}
words:
  OrderState: [OPEN, CLOSED]
choices:
  SortOrder: [asc, desc]
lists:
  listOrders:
    what: list of orders
    positional: [shopId]
    names: {size: page_size}
    forms: {shopId: id}
    words: {state: OrderState}
    choices: {sort: SortOrder}
    defaults: {firstPage: 1}
    read_as: {since: second}
    ranges: [[createdFrom, createdTo]]
    constant: [createdFrom, createdTo, size, since]
    leave_out: [page]
methods:
  listOrders: {name: Orders.list}
"""
FILTERS = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - name: filter
          in: query
          style: form
          schema:
            type: object
            required: [first]
            properties:
              first: {type: integer, format: int32, minimum: 0}
              state: {type: string, enum: [OPEN, CLOSED]}
              kind: {type: string, enum: [web]}
              from: {type: string}
              until: {type: string}
      responses:
        "200":
          description: The orders.
          content: {application/json: {schema: {type: object}}}
"""
"""The same list, with all filters in one object."""
FILTERS_SETTINGS = """
lists:
  listOrders:
    what: list of orders
    words: {state: OrderState}
    read_as: {from: zulu, until: zulu}
    ranges: [[from, until]]
    defaults: {first: 0}
    extra_query: true
    constant: [first, from, until]
"""
CALLS = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /orders/{orderId}/lines/{number}:
    get:
      operationId: getLine
      summary: One line
      parameters:
        - {name: number, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 9}}
        - {name: orderId, in: path, required: true, schema: {type: string}}
        - {name: from, in: query, schema: {type: string, format: date}}
        - {name: to, in: query, schema: {type: string, format: date}}
        - {name: page, in: query, schema: {type: integer}}
      responses: {"204": {description: -}}
    delete:
      operationId: dropLine
      parameters:
        - {name: number, in: path, required: true, schema: {type: integer}}
        - {name: orderId, in: path, required: true, schema: {type: string}}
      responses: {"204": {description: -}}
    put:
      operationId: changeLine
      parameters:
        - {name: number, in: path, required: true, schema: {type: integer}}
        - {name: orderId, in: path, required: true, schema: {type: string}}
      requestBody: {content: {text/plain: {schema: {type: string}}}}
      responses: {"204": {description: -}}
  /total:
    get:
      operationId: readTotal
      responses: {"204": {description: -}}
"""
"""Operations that are no lists."""
CALLS_SETTINGS = """
forms:
  id: {whole: "[a-z]{1,9}", wanted: an id}
calls:
  getLine: {names: {number: line}, ranges: [[from, to]], set_by_hand: [page]}
  dropLine: {positional: [number]}
  readTotal: {}
methods:
  getLine: {name: Lines.get}
  dropLine: {name: Lines.drop}
  readTotal: {name: Lines.total}
"""


def made(folder, document=DOCUMENT, settings=SETTINGS):
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def test_a_list_is_a_method_with_the_arguments_of_the_document(tmp_path):
    assert (
        "def list( self, shop_id: str, *, since: datetime, state: OrderState | None = None, "
        "created_from: date | str | None = None, created_to: date | str | None = None, "
        "paid: bool | None = None, page_size: int | None = None, words: str | None = None, "
        "sort: SortOrder | None = None, first_page: int = 1, ) -> Pages[None]:"
    ) in source_of(made(tmp_path), "methods")


def test_each_argument_has_a_row_with_its_type_and_limits(tmp_path):
    result = made(tmp_path)
    tables = tables_of(result)
    assert tables["FORMS"] == {"id": ["[a-z]{1,9}", "an id of a shop, such as 'corner'"]}
    assert tables["CALLS"]["list_orders"] == yaml.safe_load("""
what: list of orders
query:
  shop_id: {required: true, form: id}
  state: {leaves: true, longest: 20}
  created_from: {kind: day}
  created_to: {kind: day}
  paid: {kind: flag, leaves: true}
  page_size: {kind: integer, place: size, least: 1, most: 50}
  since: {kind: second, required: true}
  words: {leaves: true, shortest: 0}
  sort: {kind: one_of, leaves: true, words: [asc, desc]}
  first_page: {kind: integer, required: true, leaves: true, least: 1}
ranges: [[created_from, created_to]]
""")


def test_the_words_of_an_enum_are_a_type_that_takes_members_and_unknown_ones_too(
    tmp_path,
):
    source = source_of(made(tmp_path, FILTERS, FILTERS_SETTINGS), "words")
    assert 'OrderState = Literal["CLOSED", "OPEN"] | StrEnum | _typed.Word' in source
    assert 'ListOrdersKindWord = Literal["web"] | StrEnum | _typed.Word' in source


def test_a_call_is_a_method_that_takes_the_parts_of_its_path_by_position(tmp_path):
    result = made(tmp_path, CALLS, CALLS_SETTINGS)
    source = source_of(result, "methods")
    assert (
        "def get( self, order_id: str, line: int, *, from_: date | str | None = None, "
        "to: date | str | None = None, ) -> None:"
    ) in source
    assert "def drop(self, order_id: str, number: int) -> None:" in source
    assert 'def total(self) -> None: """read_total"""' in source
    calls = tables_of(result)["CALLS"]
    assert calls["get_line"] == yaml.safe_load("""
what: order
query:
  order_id: {required: true, form: id}
  line: {kind: integer, place: number, required: true, least: 1, most: 9}
  from_: {kind: day}
  to: {kind: day}
ranges: [[from_, to]]
""")
    assert calls["read_total"] == {"what": "read total", "query": {}}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("shopId: id}", "shopId: di}", "forms.shopId: di is no entry of `forms`"),
        ("sort: SortOrder}", "sort: Order}", "choices.sort: Order is no entry of `choices`"),
        ("state: OrderState}", "state: State}", "words.state: State is no entry of `words`"),
        (
            "    forms: {shopId: id}\n    words: {state: OrderState}\n",
            "",
            "words: OrderState is no",
        ),
        ("[page]", "[page, size]", "names: size is no argument"),
        ("listOrders: {name", "listOrder: {name", "listOrder is no operation in `lists`"),
        ("[page]", "[page]\n    by_hand: {key: str}", "listOrders.by_hand: Extra inputs"),
        ('whole: "[a-z]{1,9}", ', "", "shopId: its pattern cannot be checked (the document has"),
    ],
)
def test_a_setting_that_nothing_has_or_uses_is_refused_by_name(old, new, says, tmp_path):
    assert SETTINGS.count(old) == 1
    with pytest.raises(SettingsError, match=re.escape(says)):
        made(tmp_path, DOCUMENT, SETTINGS.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        *(
            ("schema: {type: boolean}", f"schema: {schema}", "no check knows paid, of the type")
            for schema in ("{type: object}", "{type: array, items: {type: string}}", "{}")
        ),
        ("name: paid, in: query", "name: shopId, in: query", "sends two shopId"),
        ("name: since, in: query", "name: since, in: cookie", "it needs since, which no argument"),
        ("minLength: 0", r"pattern: '\p{Lu}'", "words: its pattern cannot be checked (bad escape"),
    ],
)
def test_generation_stops_with_the_name_of_a_parameter_that_no_list_can_check_or_send(
    old, new, message, tmp_path
):
    settings = "lists: {listOrders: {what: list of orders, positional: [shopId]}}"
    assert old in DOCUMENT
    with pytest.raises(SettingsError, match=re.escape(message)):
        made(tmp_path, DOCUMENT.replace(old, new), settings)
