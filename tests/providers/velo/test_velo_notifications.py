"""Notifications: from whom, what they say, and in which order."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.velo.adapter import Harness, pay
from victor_ext import AuthenticationError, ConfigurationError, Conflict, InvalidRequest
from victor_ext.providers.velo import Notification, NotificationSequencer, Webhook, read_notification

HEADER = "Basic c29tZXRoaW5nIHRoYXQgbm9ib2R5IGd1ZXNzZXM="
OLDER = "an older header value, still in use"


def body_of(number: Any = 1, event_id: Any = "e-1", **source: Any) -> bytes:
    said = {
        "apiVersion": "1", "sequenceNumber": number, "category": "payment", "eventName": "payment.accepted",
        "source": {"sourceType": "payment_status_changed", "eventId": event_id, **source},
    }  # fmt: skip
    return json.dumps(said).encode()


def note(number: int, event_id: str | None = None) -> Notification:
    return read_notification(body_of(number, event_id or f"event-{number}"))


def numbers(notifications: list[Notification]) -> list[int]:
    return [one.sequence_number for one in notifications]


class TestWhoSentIt:
    @pytest.mark.parametrize("header", [HEADER, HEADER.encode(), f" {HEADER} ", OLDER])
    def test_the_header_that_was_chosen(self, header: str | bytes) -> None:
        webhook = Webhook(HEADER, OLDER)
        assert webhook.is_ours(header)
        assert webhook.read(body_of(), header).sequence_number == 1

    @pytest.mark.parametrize("header", [None, "", HEADER[:-1], HEADER + "x", HEADER.lower(), "ü", b"\xff", "\udcff", 5])
    def test_any_other(self, header: Any) -> None:
        with pytest.raises(AuthenticationError, match="answer 401") as caught:
            Webhook(HEADER).read(b"not even JSON", header)
        assert HEADER not in repr(caught.value)

    @pytest.mark.parametrize("values", [(), ("short",), (HEADER, ""), (5,), (None,)])
    def test_a_header_that_can_be_guessed(self, values: Any) -> None:
        with pytest.raises(ConfigurationError):
            Webhook(*values)

    def test_it_shows_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        webhook = Webhook(HEADER)
        assert HEADER not in f"{webhook!r} {vars(webhook)!r} {caplog.text}"


class TestWhatItSays:
    def test_a_payment(self) -> None:
        body = body_of(7, "e-7", createdAt="2026-03-04T09:00:00.123Z", paymentId="p", payorPaymentId="INV-1", more=[1])
        said = read_notification(body)
        assert (said.sequence_number, said.event_id, said.category) == (7, "e-7", "payment")
        assert (said.event_name, said.source_type) == ("payment.accepted", "payment_status_changed")
        assert (said.payment_id, said.payor_payment_id, said.payee_id) == ("p", "INV-1", None)
        assert said.created_at is not None
        assert said.created_at.isoformat() == "2026-03-04T09:00:00.123000+00:00"
        assert said.source["more"] == [1]
        assert "INV-1" not in repr(said)

    def test_whose_payment_it_is(self) -> None:
        ids = {"submittingPayorId": "a", "payoutFromPayorId": "b", "payoutToPayorId": "a", "more": None}
        assert read_notification(body_of(payoutPayorIds=ids)).payor_ids == {"a", "b"}
        for odd in (None, [], "a", {}, {"submittingPayorId": 5}):
            assert read_notification(body_of(payoutPayorIds=odd)).payor_ids == frozenset()

    def test_the_kind_under_its_other_name(self) -> None:
        body = {"sequenceNumber": 1, "source": {"eventId": "e", "type": "ping"}}
        assert read_notification(json.dumps(body).encode()).source_type == "ping"

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"", "not JSON"), (b"\xff", "not JSON"), (b"[]", "no object"), (b"[" * 100_000, "not JSON"),
            (b"{}", "sequenceNumber"), (body_of("1"), "sequenceNumber"), (body_of(0), "sequenceNumber"),
            (body_of(True), "sequenceNumber"), (body_of(1.0), "sequenceNumber"), (body_of(2**63), "sequenceNumber"),
            (body_of(1, None), "eventId"), (body_of(1, 5), "eventId"), (b'{"sequenceNumber": 1}', "eventId"),
            (None, "raw bytes .* not NoneType"), (5, "raw bytes .* not int"), ([], "raw bytes .* not list"),
            (b" " * (1 << 20) + b"{}", "longer than 1024 KiB"),
        ],
    )  # fmt: skip
    def test_what_is_none(self, body: bytes, said: str) -> None:
        with pytest.raises(InvalidRequest, match=said):
            read_notification(body)

    @given(st.binary(max_size=80) | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["sequenceNumber", "source", "eventId", "createdAt", "category"]), inner),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()))  # fmt: skip
    def test_any_body_is_one_or_is_refused(self, body: bytes) -> None:
        with suppress(InvalidRequest):
            assert read_notification(body).event_id


class TestTheirOrder:
    @given(st.permutations(range(1, 9)), st.lists(st.integers(1, 8), max_size=8))
    def test_each_is_handed_out_once_and_in_order(self, arriving: list[int], again: list[int]) -> None:
        order = NotificationSequencer()
        out = [one for number in [*arriving, *again] for one in order.take(note(number))]
        assert numbers(out) == [*range(1, 9)]
        assert (order.done, order.missing) == (8, ())

    @pytest.mark.parametrize(
        ("before", "steps", "done", "missing"),
        [
            (0, "1=1 3= 4= 7=", 1, (range(2, 3), range(5, 7))),
            (0, "1=1 3= 4= 7= 2=2,3,4", 4, (range(5, 7),)),
            (0, "1=1 4= 6= go=4", 4, (range(5, 6),)),
            (0, "1=1 4= 6= go=4 3=3 3= go=6 go=", 6, ()),
            (5, "4= 6=6", 6, ()),
            (0, "500000= go=500000 500001=500001", 500_001, ()),
        ],
    )
    def test_a_gap_holds_back_what_is_behind_it_until_it_is_given_up(
        self, before: int, steps: str, done: int, missing: tuple[range, ...]
    ) -> None:
        """Each step is a number that comes, or that the gap is given up; and the numbers that are then returned."""
        order = NotificationSequencer(done=before)
        for step in steps.split():
            number, _, out = step.partition("=")
            returned = order.go_on() if number == "go" else order.take(note(int(number)))
            assert numbers(returned) == [int(each) for each in filter(None, out.split(","))]
        assert (order.done, order.missing) == (done, missing)
        assert all(each.sequence_number > done for each in order.held)

    def test_what_was_held_back_is_there_after_a_restart(self) -> None:
        order = NotificationSequencer()
        for number in (1, 4, 3):
            order.take(note(number))
        assert numbers([*order.held]) == [3, 4]
        again = NotificationSequencer(done=order.done)
        assert [one for stored in order.held for one in again.take(stored)] == []
        assert numbers(again.take(note(2))) == [2, 3, 4]

    def test_two_payors_on_one_address_are_noticed(self) -> None:
        order = NotificationSequencer()
        order.take(note(1, "of the first payor"))
        with pytest.raises(Conflict, match="do two payors post to one address"):
            order.take(note(1, "of the second payor"))

    @pytest.mark.parametrize("number", [22, 10**6, 2**63 - 1])
    def test_a_number_far_ahead_makes_no_repeats_of_what_is_to_come(self, number: int) -> None:
        order = NotificationSequencer(done=1, most=10)
        with pytest.raises(Conflict, match="far ahead of 1: another payor's, or a wrong number"):
            order.take(note(number))
        assert (order.held, order.missing, order.go_on()) == ((), (), [])
        assert numbers(order.take(note(2))) == [2]

    @pytest.mark.parametrize("done", [None, "5", -1])
    def test_a_number_that_is_none(self, done: Any) -> None:
        with pytest.raises(InvalidRequest, match="done must be the number"):
            NotificationSequencer(done)

    def test_it_does_not_grow_without_end(self) -> None:
        order = NotificationSequencer(most=3)
        for number in (5, 7, 9):
            assert order.take(note(number)) == []
        with pytest.raises(OverflowError, match="since number 1 has not come"):
            order.take(note(11))
        assert numbers(order.take(note(1))) == [1]
        order.go_on()
        assert order.done == 5
        for number in range(10, 1000):
            order.take(note(number))
            order.go_on()
        assert len(vars(order)["_ids"]) <= 6


def test_what_the_sandbox_would_have_posted(harness: Harness) -> None:
    payout_id = harness.submit(pay("INV-1"))
    harness(lambda velo: velo.payouts.get(payout_id))
    harness(lambda velo: velo.payouts.instruct(payout_id))
    posted = [json.dumps(one).encode() for one in harness.sandbox.notifications()]
    webhook, order = Webhook(HEADER), NotificationSequencer()
    out = [one for body in reversed(posted) for one in order.take(webhook.read(body, HEADER))]
    assert [one.event_name for one in out] == ["payment.accepted", "payment.funded"]
    # A hint only: what it is about is read.
    [payment] = harness.find(out[-1].payor_payment_id)
    assert (payment.id, payment.status) == (out[-1].payment_id, "FUNDED")
