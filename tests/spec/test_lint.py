"""`victor spec lint`: each rule on the smallest document that breaks it, and on the same one without the fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from victor_ext.spec.lint import RULES, findings

pytestmark = pytest.mark.thorough
HEAD = """
openapi: 3.0.3
info: {title: Shop, version: '1'}
servers: [{url: 'https://shop.example'}]
security: [{bearer: []}]
"""
GOOD = (
    HEAD
    + """
paths:
  /cards:
    get:
      operationId: listCards
      parameters: [{in: query, name: page, schema: {type: integer, example: 3}}]
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  has_more: {type: boolean}
                  cards: {type: array, items: {$ref: '#/components/schemas/Card'}}
        '401': {description: refused}
        5XX: {description: broken}
    post:
      operationId: createCard
      parameters: [{in: header, name: Idempotency-Key, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Card'}}}}
      responses:
        '201': {description: ok}
        default: {description: broken}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
  schemas:
    Card:
      type: object
      properties:
        number: {type: string, example: '0042'}
        created_at: {type: string, format: date-time}
        amount: {type: string}
        note: {type: string, nullable: true, example: null}
"""
)


def test_an_operation_id_that_is_no_text_is_none(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(GOOD.replace("operationId: listCards", "operationId: {a: 1}"), encoding="utf-8")
    assert [each.place for each in findings(path)["operation-without-id"]] == ["paths./cards.get"]


# The rule, what is replaced in the good document, by what, and the place that is named.
FAULTS = {
    "refused-example": ("example: '0042'", "example: 42", "components.schemas.Card.properties.number.example"),
    "unquoted-value": ("example: '0042'", "example: 0042", "components.schemas.Card.properties.number.example"),
    "missing-target": (
        "items: {$ref: '#/components/schemas/Card'}",
        "items: {$ref: '#/components/schemas/No'}",
        "cards.items",
    ),
    "date-without-format": (", format: date-time", "", "components.schemas.Card.properties.created_at"),
    "enum-in-answer": ("note: {type: string", "note: {enum: [a, b]", "components.schemas.Card.properties.note"),
    "amount-as-number": ("amount: {type: string", "amount: {type: number", "components.schemas.Card.properties.amount"),
    "sibling-of-reference": (
        "cards: {type: array, items: {$ref: '#/components/schemas/Card'}}",
        "cards: {$ref: '#/components/schemas/Card', nullable: true}",
        "cards",
    ),
    "sibling-of-allof": ("    Card:\n", "    Card:\n      allOf: [{type: object}]\n", "components.schemas.Card"),
    "union-without-discriminator": (
        "amount: {type: string}",
        "amount: {oneOf: [{properties: {a: {}}}, {properties: {b: {}}}]}",
        "components.schemas.Card.properties.amount",
    ),
    "pages-without-end": ("has_more: {type: boolean}", "size: {type: integer}", "paths./cards.get"),
    "undocumented-failure": ("        '401': {description: refused}\n", "", "paths./cards.get"),
    "operation-without-id": ("      operationId: listCards\n", "", "paths./cards.get"),
    "write-without-key": ("Idempotency-Key", "X-Colour", "paths./cards.post"),
    "webhook-without-security": (
        "\npaths:\n",
        "\nwebhooks: {paid: {post: {security: []}}}\npaths:\n",
        "webhooks.paid.post",
    ),
    "answer-without-schema": (
        "'201': {description: ok}",
        "'201': {description: ok, content: {application/json: {}}}",
        "paths./cards.post.responses.201.content.application/json",
    ),
    "several-contents": (
        "'201': {description: ok}",
        "'201': {description: ok, content: {text/csv: {schema: {enum: [a]}}, application/json: {schema: {enum: [a]}}}}",
        "paths./cards.post.responses.201",
    ),
    "server": ("https://shop.example", "http://shop.example", "servers[0].url"),
}


def found(folder: Path, text: str) -> dict[str, list[str]]:
    """The places by rule."""
    file = folder / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    return {name: [each.place for each in places] for name, places in findings(file).items() if places}


def test_a_good_document_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == {}


def test_each_rule_has_a_fault_here() -> None:
    assert {rule.name for rule in RULES} == set(FAULTS)
    assert all(rule.why.endswith(".") and rule.recipe.endswith(".") for rule in RULES)


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found_at_its_place(rule: str, tmp_path: Path) -> None:
    good, bad, place = FAULTS[rule]
    assert GOOD.count(good) == 1
    places = found(tmp_path, GOOD.replace(good, bad))
    assert list(places) == [rule]
    assert [each for each in places[rule] if each.endswith(place)]


def test_an_example_is_refused_by_the_schema_that_it_refers_to(tmp_path: Path) -> None:
    text = GOOD.replace("'201': {description: ok}", """'201':
          description: ok
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Card'}
              example: {number: '0042', amount: 7}""")  # fmt: skip
    assert found(tmp_path, text) == {
        "refused-example": ["paths./cards.post.responses.201.content.application/json.example"]
    }


def test_a_document_that_refers_to_itself_ends(tmp_path: Path) -> None:
    text = GOOD + "        child: {$ref: '#/components/schemas/Card'}\n"
    text += "    Loop: {allOf: [{$ref: '#/components/schemas/Loop'}], example: 1}\n"
    assert "refused-example" not in found(tmp_path, text)


PAGES = "has_more: {type: boolean}"
KEY = "parameters: [{in: header, name: Idempotency-Key, schema: {type: string}}]"


def test_the_end_of_pages_may_be_one_level_down(tmp_path: Path) -> None:
    text = GOOD.replace(PAGES, "albums: {allOf: [{$ref: '#/components/schemas/Albums'}]}")
    text += "    Albums: {type: object, properties: {total: {type: integer}}}\n"
    assert "pages-without-end" not in found(tmp_path, text)


def test_a_member_of_the_listed_objects_is_no_end_of_pages(tmp_path: Path) -> None:
    text = GOOD.replace(
        PAGES, "cards_of_page: {type: array, items: {type: object, properties: {total: {type: string}}}}"
    )
    assert found(tmp_path, text) == {"pages-without-end": ["paths./cards.get"]}


@pytest.mark.parametrize(
    ("note", "is_key"),
    [
        ("Unique identifier randomly generated per transfer request by the calling client", True),
        ("Unique ID to reference the payment request", False),
    ],
)
def test_a_key_may_have_another_name_if_it_is_described(note: str, is_key: bool, tmp_path: Path) -> None:
    text = GOOD.replace(KEY, "").replace("number: {type: string", f"number: {{description: {note}, type: string")
    assert found(tmp_path, text) == ({} if is_key else {"write-without-key": ["paths./cards.post"]})


def test_a_key_may_be_described_where_an_answer_has_it(tmp_path: Path) -> None:
    text = GOOD.replace(KEY, "") + "    Done: {type: object, properties: {number: {description: unique per request}}}\n"
    assert found(tmp_path, text) == {}
