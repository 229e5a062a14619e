"""Entries: one for each changed component, whatever refers to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases import cases_beside
from tests.test_document import ANYWHERE, DOCUMENT, VALUES, put
from tests.wire import ref
from victor_spec.diff.changes import PythonChange

from .cases import (
    CARD,
    TEXT,
    card,
    document,
    entries,
    json_content,
    operation,
    receives,
    sends,
)

pytestmark = pytest.mark.pull_request
BASE = ref("Base")


def many(schemas, count=20):
    """A document in which many operations send and receive a card."""
    content = {"content": json_content(CARD)}
    response = {"200": {"description": "ok", **content}}
    paths = {
        f"/{number:02}": {"post": operation(f"op{number}", requestBody=content, responses=response)}
        for number in range(count)
    }
    return document(paths, schemas)


def test_a_change_of_a_schema_that_many_operations_use_is_one_entry_that_names_them_all():
    (entry,) = entries(many({"Card": card(pin=TEXT)}), many({"Card": card()}))
    assert entry.operations == tuple(f"post /{number:02}" for number in range(20))
    assert (entry.direction, entry.wire) == ("both", "breaks")


@pytest.mark.parametrize("first", ["components", "x-defs"])
def test_a_schema_in_an_extension_of_the_document_has_the_operations_that_use_it(first):
    def shop(**cents):
        order = {"Order": card(price=card(**cents))}
        whole = {"x-defs": order, **receives({"$ref": "#/x-defs/Order"})}
        whole["components"] = {"schemas": {"Price": {"$ref": "#/x-defs/Order/properties/price"}}}
        return {first: whole.pop(first), **whole}

    assert {entry.wire for entry in entries(shop(cents=TEXT), shop())} == {"breaks"}


@pytest.mark.parametrize("size", [3, 1500])
def test_documents_with_all_schemas_renamed_are_compared_by_what_the_schemas_hold(size):
    def chain(prefix, **last):
        schemas = {f"{prefix}{n}": card(next=ref(f"{prefix}{n + 1}")) for n in range(size)}
        return receives(ref(f"{prefix}0"), {**schemas, f"{prefix}{size}": card(**last)})

    found = {entry.place: entry for entry in entries(chain("Old", pin=TEXT), chain("New"))}
    assert found[f"components.schemas.Old{size}.properties.pin"].wire == "breaks"
    assert found["components.schemas.Old1"].what == "schema is named New1 instead of Old1"
    assert {entry.wire for entry in found.values()} == {"breaks", "none"}


def test_a_move_to_new_versions_of_all_schemas_is_one_entry_where_the_move_begins():
    size = 200
    schemas = {
        f"{version}{n}": card(next=ref(f"{version}{(n + 1) % size}"))
        for version in "AB"
        for n in range(size)
    }
    schemas["B150"]["properties"]["id"] = {"type": "integer"}
    old, new = (receives(ref(f"{version}3"), schemas) for version in "AB")
    (entry,) = entries(old, new)
    assert entry.place == "paths./cards.get.responses.200.content.application/json.schema"
    assert ("type changed" in entry.what, entry.wire) == (True, "breaks")


def test_a_change_that_breaks_in_python_alone_has_the_operations_of_its_place():
    schemas = {"Card": card(pin=TEXT)}
    gone = PythonChange("breaks", ("cards_api.models.Card.pin",), "the attribute is gone")
    python = {"components.schemas.Card.properties.pin": gone}
    (entry,) = entries(receives(CARD, schemas), receives(CARD, schemas), python)
    assert (entry.wire, entry.python, entry.names) == ("none", "breaks", gone.names)
    assert (entry.operations, entry.what) == (("get /cards",), "the attribute is gone")


def test_a_removed_schema_is_listed_with_the_operations_of_the_old_document():
    extra = {"post": operation("addExtra", requestBody={"content": json_content(ref("Extra"))})}
    (removed, _) = entries(document({"/extras": extra}, {"Extra": card()}), document({}))
    assert (removed.place, removed.wire) == ("components.schemas.Extra", "none")
    assert (removed.operations, removed.direction) == (("post /extras",), "sent")


def test_a_schema_that_only_a_write_only_member_refers_to_is_sent_and_not_received():
    def shop(**base):
        schemas = {"Card": card(base={"allOf": [BASE], "writeOnly": True}), "Base": card(**base)}
        return many(schemas, 1)

    (entry,) = entries(shop(a=TEXT), shop())
    assert (entry.place, entry.direction) == ("components.schemas.Base.properties.a", "sent")
    assert entry.operations == ("post /00",)


class TestFingerprints:
    def fingerprint(self, old, new, place="components.schemas.Card.properties.pin"):
        return next(entry.fingerprint for entry in entries(old, new) if entry.place == place)

    def test_a_fingerprint_stays_the_same_through_unrelated_changes(self):
        old = {"Card": card(pin=TEXT)}
        longer = {**TEXT, "minLength": 3}
        plain = self.fingerprint(many(old), many({"Card": card(pin=longer)}))
        elsewhere = {
            "Card": card(other=TEXT, pin={**longer, "description": "x", "deprecated": True})
        }
        assert (
            self.fingerprint(
                many(old), {**many(elsewhere, 7), "info": {"title": "T", "version": "9"}}
            )
            == plain
        )

    def test_another_change_of_the_same_place_has_another_fingerprint(self):
        old = {"Card": card(pin=TEXT)}
        new = [many({"Card": card(pin={"type": kind})}) for kind in ("integer", "boolean")]
        assert self.fingerprint(many(old), new[0]) != self.fingerprint(many(old), new[1])

    def test_the_fingerprint_of_a_removed_server_does_not_depend_on_its_position(self):
        def served(*urls):
            return document({"/a": {"get": operation()}}, servers=[{"url": url} for url in urls])

        one = served("https://b")
        first = self.fingerprint(served("https://a", "https://b"), one, "servers[0].url")
        assert first == self.fingerprint(served("https://b", "https://a"), one, "servers[1].url")


class TestComponents:
    @pytest.mark.parametrize("odd", cases_beside(__file__, "odd"))
    def test_odd_documents_are_compared_all_the_same(self, odd):
        whole = {"openapi": "3.1.0", "info": {}, "paths": {}, **odd}
        assert entries(whole, whole) == []
        entries(whole, many({"A": card()}))
        entries(many({"A": card()}), whole)

    @settings(max_examples=150)
    @given(place=ANYWHERE, value=st.sampled_from(VALUES))
    def test_documents_with_any_value_at_any_node_are_compared_without_an_exception(
        self, place, value
    ):
        odd = put(DOCUMENT, place, value)
        assert entries(odd, odd) == []
        entries(odd, DOCUMENT)
        entries(DOCUMENT, odd)


def test_different_breaks_of_one_reference_replaced_by_an_inline_schema_need_their_own_approvals():
    """Else an approval of one would be an approval of all."""
    breaks = {
        "a limit": card(("id",)) | {"maxProperties": 1},
        "a further required member": card(("id", "pin"), pin=TEXT),
        "an enum": card(id={**TEXT, "enum": ["a"]}),
    }

    def of_cards(now):
        return sends(
            {"type": "object", "properties": {"now": now, "later": CARD}}, {"Card": card()}
        )

    found = [
        entry for inline in breaks.values() for entry in entries(of_cards(CARD), of_cards(inline))
    ]
    assert [entry.wire for entry in found] == ["breaks"] * 3
    assert len({entry.fingerprint for entry in found}) == 3
