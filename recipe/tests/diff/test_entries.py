"""Entries: one for each changed component, whatever refers to it."""

import pytest

from tests.wire import ref

from .cases import (
    CARD,
    TEXT,
    card,
    document,
    entries,
    json_content,
    operation,
    receives,
)

pytestmark = pytest.mark.pull_request


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


@pytest.mark.parametrize("size", [3, 1500])
def test_documents_with_all_schemas_renamed_are_compared_by_what_the_schemas_hold(size):
    def chain(prefix, **last):
        schemas = {f"{prefix}{n}": card(next=ref(f"{prefix}{n + 1}")) for n in range(size)}
        return receives(ref(f"{prefix}0"), {**schemas, f"{prefix}{size}": card(**last)})

    found = {entry.place: entry for entry in entries(chain("Old", pin=TEXT), chain("New"))}
    assert found[f"components.schemas.Old{size}.properties.pin"].wire == "breaks"
    assert found["components.schemas.Old1"].what == "schema is named New1 instead of Old1"
    assert {entry.wire for entry in found.values()} == {"breaks", "none"}


def test_a_removed_schema_is_listed_with_the_operations_of_the_old_document():
    extra = {"post": operation("addExtra", requestBody={"content": json_content(ref("Extra"))})}
    (removed, _) = entries(document({"/extras": extra}, {"Extra": card()}), document({}))
    assert (removed.place, removed.wire) == ("components.schemas.Extra", "none")
    assert (removed.operations, removed.direction) == (("post /extras",), "sent")


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
