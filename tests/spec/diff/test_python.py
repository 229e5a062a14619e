"""The Python column: which names of the generated package a change breaks, and which part of a document is the cause."""

# ruff: noqa: E501 - the lines of the document are as long as those of real documents

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.diff.entry import PythonChange
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.tree import copied

from .cases import card, document, entries, json_content, operation

pytestmark = pytest.mark.thorough
OLD = """
openapi: 3.0.3
info: {title: Cards, version: "1"}
paths:
  /cards:
    get:
      operationId: listCards
      tags: [Cards]
      parameters:
      - {$ref: '#/components/parameters/Limit'}
      - {name: state, in: query, schema: {type: string, enum: [active, closed]}}
      responses:
        '200': {description: OK, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Card'}}}}}
        '404': {description: No, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}
    post:
      operationId: addCard
      tags: [Cards]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewCard'}}}}
      responses:
        '201': {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/Card'}}}}
  /cards/{id}/{day}:
    get:
      operationId: getCard
      tags: [Cards]
      parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: day, in: path, required: true, schema: {type: string}}
      responses:
        '200': {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/Card'}}}}
components:
  parameters:
    Limit: {name: limit, in: query, schema: {type: integer}}
  schemas:
    Amount: {type: string}
    Card:
      type: object
      required: [id]
      properties:
        id: {type: string}
        price: {$ref: '#/components/schemas/Amount'}
        state: {type: string, enum: [active, closed]}
        opened: {type: string, format: date}
    NewCard:
      type: object
      required: [holder]
      properties:
        holder: {type: string}
        note: {type: string}
        price: {$ref: '#/components/schemas/Amount'}
    Problem: {type: object, properties: {why: {type: string}, places: {type: array, items: {type: string}}}}
"""

CARD, NEW, LIST = "components.schemas.Card.properties", "components.schemas.NewCard.properties", "paths./cards.get"
# The edits, and what is told: the place, the level, the names, and the sentence.
CASES: dict[str, Any] = {
    "nothing": (
        [("title: Cards", "title: Maps"), ("{why: {type: string}", "{why: {type: string, maxLength: 5}")],
    ),
    "operation id": (
        [("listCards", "findCards")],
        (f"{LIST}.operationId", "breaks", "api.cards.list_cards models.ListCardsState",
         "the function list_cards is now find_cards; the class ListCardsState is now FindCardsState"),
    ),
    "tag": (
        [("operationId: addCard\n      tags: [Cards]", "operationId: addCard\n      tags: [Wallet]")],
        ("paths./cards.post.tags", "breaks", "api.cards.add_card",
         "the module api.cards.add_card is now api.wallet.add_card"),
    ),
    "path parameter": (
        [("/cards/{id}/{day}", "/cards/{cardId}/{day}"), ("name: id, in: path", "name: cardId, in: path")],
        ("paths./cards/{id}/{day}.get.parameters.path:id", "breaks", "api.cards.get_card(id)",
         "the argument id of get_card is now card_id"),
    ),
    "order of the path": (
        [("/cards/{id}/{day}", "/cards/{day}/{id}")],
        ("paths./cards/{id}/{day}.get", "breaks", "api.cards.get_card",
         "the arguments of get_card by position are day, id, not id, day"),
    ),
    "property": (
        [("        opened: {type: string, format: date}\n", "")],
        (f"{CARD}.opened", "breaks", "models.Card.opened", "Card.opened is gone"),
    ),
    "type behind a reference": (
        [("Amount: {type: string}", "Amount: {type: integer}")],
        ("components.schemas.Amount", "breaks", "models.Card.price models.NewCard.price",
         "Card.price is int | Unset, not str | Unset; NewCard.price is int | Unset, not str | Unset"),
    ),
    "enum to text": (
        [("state: {type: string, enum: [active, closed]}\n", "state: {type: string}\n")],
        (f"{CARD}.state", "breaks", "models.Card.state models.CardState",
         "Card.state is str | Unset, not CardState | Unset; the class CardState is gone"),
    ),
    "enum member": (
        [("state, in: query, schema: {type: string, enum: [active, closed]}", "state, in: query, schema: {type: string, enum: [active, frozen]}")],
        (f"{LIST}.parameters.query:state", "breaks", "models.ListCardsState.CLOSED", "ListCardsState.CLOSED is gone"),
    ),
    "shared parameter no longer used": (
        [("      - {$ref: '#/components/parameters/Limit'}\n", "")],
        (f"{LIST}.parameters.query:limit", "breaks", "api.cards.list_cards(limit)",
         "the argument limit of list_cards is gone"),
    ),
    "required property": (
        [("required: [holder]", "required: [holder, note]"), ("required: [id]", "required: [id, price]")],
        (f"{NEW}.note", "breaks", "models.NewCard.note", "NewCard.note is required now"),
    ),
    "new things": (
        [
            ("        holder: {type: string}\n", "        holder: {type: string}\n        colour: {type: string}\n"),
            ("        id: {type: string}\n", "        id: {type: string}\n        owner: {type: object, properties: {name: {type: string}}}\n"),
            ("{name: limit, in: query, schema: {type: integer}}", "{name: limit, in: query, schema: {type: number}}"),
        ],
        ("components.parameters.Limit", "fine", "api.cards.list_cards(limit)",
         "the argument limit of list_cards is float, not int"),
        (f"{CARD}.owner", "fine", "models.Card.owner models.CardOwner",
         "Card.owner is new; the class CardOwner is new"),
        (f"{NEW}.colour", "fine", "models.NewCard.colour", "NewCard.colour is new"),
    ),
    "answer": (
        [("        '404': {description: No, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}\n", "")],
        (f"{LIST}.responses.404", "look", "api.cards.list_cards",
         "list_cards returns list[Card], not Problem | list[Card]"),
    ),
    "content of an answer": (
        [("'201': {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/Card'}}}}", "'201': {description: OK}")],
        ("paths./cards.post.responses.201.content.application/json", "breaks", "api.cards.add_card",
         "add_card has no sync and no asyncio now, because no answer has a content"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_change_names_what_it_breaks_and_its_cause(case: str, tmp_path: Path) -> None:
    edits, *expected = CASES[case]
    new = OLD
    for before, after in edits:
        assert before in new
        new = new.replace(before, after)
    (tmp_path / "old.yaml").write_text(OLD)
    (tmp_path / "new.yaml").write_text(new)
    found = python_changes(tmp_path / "old.yaml", tmp_path / "new.yaml", name="cards_api")
    assert dict(found) == {
        place: PythonChange(level, tuple(f"cards_api.{name}" for name in names.split()), what)
        for place, level, names, what in expected
    }


def test_a_new_webhook_widens_what_is_read_without_a_name() -> None:
    def hooked(*names: str) -> dict[str, Any]:
        bodies = {name: card(("kind",), kind={"const": name}) for name in names}
        posts = {
            name: {"post": operation(name, requestBody={"content": json_content(body)})}
            for name, body in bodies.items()
        }
        return document({}, webhooks=posts, openapi="3.1.0")

    old, new = hooked("paid"), hooked("paid", "lost")
    python = python_changes(Path("old.json"), Path("new.json"), name="pkg", trees=(copied(old), copied(new)))
    (added,) = (each for each in entries(old, new, python) if each.python == "breaks")
    assert (added.place, added.wire) == ("webhooks.lost.post", "look")
    assert "read_webhook returns" in added.what
    assert "without a name" in added.what
