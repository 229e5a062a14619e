"""The arguments of lists: what the document and the settings beside it make of them."""

import re
from pathlib import Path

import pytest

from victor_spec.command_line import main
from victor_spec.document import DocumentError
from victor_spec.generate import GenerationResult
from victor_spec.typed.settings import SettingsError

from .wire import made_with_settings

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
lists:
  listOrders:
    what: list of orders
    positional: [shopId]
    names: {size: page_size}
    forms: {shopId: id}
    words: {state: OrderState}
    read_as: {since: second}
    ranges: [[createdFrom, createdTo]]
    constant: [createdFrom, createdTo, size, since]
    leave_out: [page]
"""
LIST = "lists: {listOrders: {what: list of orders, %s}}"


def made(folder: Path, document: str = DOCUMENT, settings: str = SETTINGS) -> GenerationResult:
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def source_of(result: GenerationResult, module: str = "arguments") -> str:
    source = (result.package / "typed" / f"{module}.py").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", source)


def test_a_list_is_a_function_with_the_arguments_of_the_document(tmp_path: Path) -> None:
    assert (
        "def list_orders( shop_id: str, *, since: datetime, state: OrderState | None = None, "
        "created_from: date | str | None = None, created_to: date | str | None = None, "
        "paid: bool | None = None, page_size: int | None = None, ) -> _typed.ListQuery:"
    ) in source_of(made(tmp_path))


@pytest.mark.parametrize(
    "statement",
    [
        'sent["shop_id"] = check.form("shop_id", shop_id, ID_FORM)',
        'if state is not None: sent["state"] = check.text("state", state, 20)',
        'sent["created_from"] = check.day("created_from", created_from)',
        'sent["paid"] = check.flag("paid", paid)',
        'sent["size"] = check.integer("page_size", page_size, 1, 50)',
        'sent["since"] = check.second("since", since)',
        'check.range("created_from", created_from, "created_to", created_to)',
        'with _typed.Query("The list of orders") as check:',
        'constant = frozenset(("shop_id", "created_from", "created_to", "size", "since"))',
        'ID_FORM = _typed.Form("[a-z]{1,9}", "an id of a shop, such as \'corner\'")',
    ],
)
def test_each_argument_is_checked_by_its_type_and_limits(statement: str, tmp_path: Path) -> None:
    assert statement in source_of(made(tmp_path))


def test_a_limit_that_nobody_keeps_is_not_checked_and_stays_in_the_document(
    tmp_path: Path,
) -> None:
    document = DOCUMENT.replace("maxLength: 20", "maxLength: 20, x-not-enforced: [maxLength]")
    source = source_of(made(tmp_path, document))
    assert 'sent["state"] = check.text("state", state) ' in source
    assert 'check.integer("page_size", page_size, 1, 50)' in source


@pytest.mark.parametrize("mark", ["[maxLenght]", "maxLength", "[1]"])
def test_a_mark_of_a_limit_that_is_not_there_stops_generation(mark: str, tmp_path: Path) -> None:
    document = DOCUMENT.replace("maxLength: 20", f"maxLength: 20, x-not-enforced: {mark}")
    place = "paths./shops/{shopId}/orders.get.parameters[1].schema.x-not-enforced is "
    with pytest.raises(DocumentError, match=re.escape(place)):
        made(tmp_path, document)


def test_known_words_are_a_type_that_takes_unknown_ones_too(tmp_path: Path) -> None:
    source = source_of(made(tmp_path), "words")
    assert 'OrderState = Literal["OPEN", "CLOSED"] | _typed.Word' in source


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "lists: {listOrder: {what: x}}",
            "lists.listOrder is no operation: did you mean listOrders?",
        ),
        ("lists: {listOrders: {}}", "lists.listOrders.what: Field required"),
        (
            LIST % "names: {stat: status}",
            "lists.listOrders.names: stat is no parameter of listOrders: did you mean state?",
        ),
        (
            LIST % "ranges: [[createdFrom, createdUntil]]",
            "lists.listOrders.ranges: createdUntil is no parameter of listOrders",
        ),
        (LIST % "forms: {shopId: id}", "lists.listOrders.forms.shopId: id is not in `forms`"),
        (LIST % "words: {state: State}", "lists.listOrders.words.state: State is not in `words`"),
        (LIST % "names: {state: paid}", "the name paid is taken, or is no name in Python"),
        (LIST % "names: {state: sent}", "the name sent is taken"),
        (LIST % "constants: [state]", "constants is no setting: did you mean constant?"),
        (LIST % "ranges: [[createdFrom, createdTo]], leave_out: [createdTo]", "it is left out"),
        (LIST % "leave_out: [shopId]", "leave_out: shopId: the document requires it"),
        (LIST % "names: {state: class}", "the name class is taken, or is no name in Python"),
        (LIST % "words: {paid: W}" + "\nwords: {W: [a]}", "it is read as flag, not as text"),
        ('words: {"not a name": [a]}', "words.not a name is no name of a type in Python"),
        ("words: {W: []}", "words.W has no words"),
        ("forms: {f 2: {whole: a, wanted: a}, f-2: {whole: b, wanted: b}}", "too much alike"),
        ('forms: {id: {whole: "[a-z", wanted: x}}', "it is no regular expression"),
    ],
)
def test_an_entry_that_leads_nowhere_stops_generation(
    settings: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        made(tmp_path, settings=settings)
    assert not (tmp_path / "shop_api").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema: {type: boolean}", "schema: {type: array}", "no check knows the type 'array'"),
        ("name: paid, in: query", "name: shopId, in: query", "has two parameters shopId"),
        (
            "name: since, in: query",
            "name: X-Since, in: header",
            "needs the header X-Since, which no list sends",
        ),
    ],
)
def test_a_parameter_that_no_list_can_send_is_named(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    settings = "lists: {listOrders: {what: list of orders, positional: [shopId]}}"
    assert old in DOCUMENT
    with pytest.raises(SettingsError, match=re.escape(message)):
        made(tmp_path, DOCUMENT.replace(old, new), settings)


def test_a_list_without_arguments_is_a_function_too(tmp_path: Path) -> None:
    document = re.sub("      parameters:\n(        - .*\n)+", "", DOCUMENT)
    source = source_of(made(tmp_path, document, "lists: {listOrders: {what: list of orders}}"))
    assert "def list_orders() -> _typed.ListQuery:" in source
    assert "constant = frozenset(())" in source


def test_a_new_filter_is_an_argument_after_an_update_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path)
    newer = DOCUMENT.replace(
        "        - {name: page,",
        "        - {name: tag, in: query, schema: {type: string, maxLength: 9}}\n"
        "        - {name: page,",
    )
    (tmp_path / "newer.yaml").write_text(newer, encoding="utf-8")
    arguments = [str(tmp_path / "shop.yaml"), str(tmp_path / "newer.yaml"), "--out", str(tmp_path)]
    assert main(["update", *arguments]) == 0
    source = (tmp_path / "shop_api" / "typed" / "arguments.py").read_text(encoding="utf-8")
    assert 'check.text("tag", tag, 9)' in source
    assert (
        "1 change of typed records and arguments:\n"
        "  new: `tag` in `list_orders` (text, at most 9 characters): the list is read repeatedly; "
        "undecided\n"
    ) in capsys.readouterr().out
