"""Views: fields that several schemas have, for a class that is written by hand over them."""

import re
from pathlib import Path

import pytest

from victor_spec.command_line import main
from victor_spec.generate import GenerationResult

from .wire import made_with_settings

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
VIEW = "views: {OrderFields: {over: [Order, Receipt], %s}}"


def made(folder: Path, document: str = DOCUMENT, settings: str = SETTINGS) -> GenerationResult:
    """The package of a document with settings beside it."""
    return made_with_settings(folder, document, settings)


def source_of(result: GenerationResult) -> str:
    source = (result.package / "typed" / "records.py").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", source)


def test_a_view_has_the_members_of_its_schemas_and_of_parts_that_are_spread(
    tmp_path: Path,
) -> None:
    source = source_of(made(tmp_path))
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
def test_a_field_of_a_view_is_read_from_its_part(field: str, tmp_path: Path) -> None:
    assert field in source_of(made(tmp_path))


def test_a_member_with_a_name_of_the_class_by_hand_gets_an_underscore(tmp_path: Path) -> None:
    taken = "by_hand: [state]\n    taken: [state, printed]"
    result = made(tmp_path, settings=SETTINGS.replace("by_hand: [state]", taken))
    assert (
        '_fields: ClassVar[tuple[str, ...]] = ("number", "remark", "item", "printed_")'
        in source_of(result)
    )


def test_a_record_that_a_view_refers_to_is_made_and_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path)
    assert main(["generate", str(tmp_path / "shop.yaml"), "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "class Item(_typed.Record):" in source_of(made(tmp_path))
    assert "private-text" in shown.out + shown.err


NOTE = "Details: {type: object, properties: {note: {type: string, description: For whom}}}"
PRINTED = "        printed: {type: boolean}\n"


@pytest.mark.parametrize(
    ("news", "said"),
    [
        ({PRINTED: ""}, "gone: `printed` in `OrderFields`: breaking"),
        (
            {NOTE: "Details: {type: object, properties: {noteText: {type: string}}}"},
            (
                "new: `note_text` in `OrderFields` (text)\n"
                "  gone: `note` in `OrderFields` (`order.details.note` on the wire): breaking"
            ),
        ),
        (
            {"        state: {type: string}\n": f"        state: {{type: string}}\n{PRINTED}"},
            "",
        ),
        (
            {
                f"{PRINTED}        order": "        order",
                "        state:": f"{PRINTED}        state:",
            },
            "",
        ),
        (
            {"        state:": "        printed: {type: integer}\n        state:"},
            "other type: `printed` in `OrderFields`: whole number, and not flag: breaking",
        ),
    ],
)
def test_what_is_new_or_gone_of_a_view_is_said_of_all_its_schemas(
    news: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = DOCUMENT
    for old, new in news.items():
        assert newer.count(old) == 1
        newer = newer.replace(old, new)
    settings = SETTINGS.replace(", order.details.note: remark", "")
    made(tmp_path, settings=settings)
    (tmp_path / "newer.yaml").write_text(newer, encoding="utf-8")
    capsys.readouterr()
    main(["update", f"{tmp_path}/shop.yaml", f"{tmp_path}/newer.yaml", "--out", str(tmp_path)])
    printed = capsys.readouterr().out.partition("of typed records and arguments:\n  ")[2]
    news_of_view = [line for line in printed.splitlines() if "`OrderFields`" in line]
    assert "\n".join(news_of_view).strip() == said


ITEM = "Item: {type: object, properties: {name: {type: string}}}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            ITEM,
            ITEM.replace("{name:", "{colour: {type: string}, name:"),
            "new: `colour` in `OrderFields.order.item` (text): code by hand decides",
        ),
        (
            ITEM,
            ITEM.replace("{name: {type: string}}", "{name: {type: integer}}"),
            (
                "other type: `name` in `OrderFields.order.item`: whole number, and not text: "
                "breaking: code by hand decides"
            ),
        ),
        (
            ITEM,
            ITEM.replace("{name: {type: string}}", "{names: {type: string}}"),
            (
                "new: `names` in `OrderFields.order.item` (text): code by hand decides\n"
                "  gone: `name` in `OrderFields.order.item`: breaking: code by hand decides"
            ),
        ),
        (
            "        state: {type: string}",
            "        state: {type: integer}",
            (
                "other type: `state` in `OrderFields`: whole number, and not text: breaking: code "
                "by hand decides"
            ),
        ),
    ],
)
def test_what_changes_of_a_part_that_the_class_by_hand_reads_is_said(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert DOCUMENT.count(old) == 1
    settings = SETTINGS.replace("by_hand: [state]", "by_hand: [state, order.item]")
    made(tmp_path, settings=settings)
    (tmp_path / "newer.yaml").write_text(DOCUMENT.replace(old, new), encoding="utf-8")
    main(["update", f"{tmp_path}/shop.yaml", f"{tmp_path}/newer.yaml", "--out", str(tmp_path)])
    assert f"of typed records and arguments:\n  {said}\n" in capsys.readouterr().out


def test_a_new_member_of_a_part_is_a_field_after_an_update_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path)
    newer = DOCUMENT.replace("properties: {note:", "properties: {gift: {type: boolean}, note:")
    (tmp_path / "newer.yaml").write_text(newer, encoding="utf-8")
    arguments = [str(tmp_path / "shop.yaml"), str(tmp_path / "newer.yaml"), "--out", str(tmp_path)]
    assert main(["update", *arguments]) == 0
    source = (tmp_path / "shop_api" / "typed" / "records.py").read_text(encoding="utf-8")
    assert '_typed.flag(_typed.part(_typed.part(self._json, "order"), "details"), "gift")' in source
    said = "1 change of typed records and arguments:\n  new: `gift` in `OrderFields` (flag)\n"
    assert said in capsys.readouterr().out
