"""Notifications: from whom, and what they say.

The token: how long it is kept, and how it is given back.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.providers.velo.adapter import Harness
from victor_ext import AuthenticationError, ConfigurationError
from victor_ext.providers.velo import Velo, Webhook, read_notification
from victor_ext.sandbox.velo import VeloSandbox

HEADER = "Basic c29tZXRoaW5nIHRoYXQgbm9ib2R5IGd1ZXNzZXM="
OLDER = "an older header value, still in use"


def body_of(number=1, event_id="e-1", **source) -> bytes:
    said = {
        "apiVersion": "1",
        "sequenceNumber": number,
        "category": "payment",
        "eventName": "payment.accepted",
        "source": {"sourceType": "payment_status_changed", "eventId": event_id, **source},
    }
    return json.dumps(said).encode()


class TestWhoSentIt:
    @pytest.mark.parametrize("header", [HEADER, HEADER.encode(), f" {HEADER} ", OLDER])
    def test_the_header_that_was_chosen(self, header):
        webhook = Webhook(HEADER, OLDER)
        assert webhook.is_ours(header)
        assert webhook.read(body_of(), header).sequence_number == 1

    @pytest.mark.parametrize(
        "header", [None, "", HEADER[:-1], HEADER + "x", HEADER.lower(), "ü", b"\xff", "\udcff", 5]
    )
    def test_another_header_is_refused_before_the_body_is_read(self, header):
        with pytest.raises(AuthenticationError, match="may not come from Velo") as caught:
            Webhook(HEADER).read(b"not even JSON", header)
        assert HEADER not in repr(caught.value)

    @pytest.mark.parametrize("values", [(), ("short",), (HEADER, ""), (5,), (None,)])
    def test_a_header_that_can_be_guessed(self, values):
        with pytest.raises(ConfigurationError):
            Webhook(*values)

    def test_no_repr_and_no_log_shows_the_header(self, caplog):
        caplog.set_level(logging.DEBUG)
        webhook = Webhook(HEADER)
        assert HEADER not in f"{webhook!r} {vars(webhook)!r} {caplog.text}"


class TestWhatItSays:
    def test_a_payment_is_named_by_its_ids_and_its_place_in_the_sequence(self):
        body = body_of(
            7,
            "e-7",
            createdAt="2026-03-04T09:00:00.123Z",
            paymentId="p",
            payorPaymentId="INV-1",
            more=[1],
        )
        said = read_notification(body)
        assert (said.sequence_number, said.event_id, said.category) == (7, "e-7", "payment")
        assert (said.event_name, said.source_type) == ("payment.accepted", "payment_status_changed")
        assert (said.payment_id, said.payor_payment_id, said.payee_id) == ("p", "INV-1", None)
        assert said.created_at is not None
        assert said.created_at.isoformat() == "2026-03-04T09:00:00.123000+00:00"
        assert said.source["more"] == [1]
        assert "INV-1" not in repr(said)

    def test_its_payors_are_all_that_it_names(self):
        ids = {
            "submittingPayorId": "a",
            "payoutFromPayorId": "b",
            "payoutToPayorId": "a",
            "more": None,
        }
        assert read_notification(body_of(payoutPayorIds=ids)).payor_ids == {"a", "b"}
        for odd in (None, [], "a", {}, {"submittingPayorId": 5}):
            assert read_notification(body_of(payoutPayorIds=odd)).payor_ids == frozenset()

    def test_the_kind_under_its_other_name(self):
        body = {"sequenceNumber": 1, "source": {"eventId": "e", "type": "ping"}}
        assert read_notification(json.dumps(body).encode()).source_type == "ping"


@contextmanager
def opened(sandbox: VeloSandbox) -> Iterator[tuple[Velo, Harness]]:
    harness = Harness(sandbox, awaited=False)
    with Velo(harness.settings["auth"], base_url=sandbox.url) as client:
        yield client, harness


class TestGivingItBack:
    def test_a_token_is_revoked_by_logout_and_a_new_one_is_fetched_for_the_next_call(self, sandbox):
        with opened(sandbox) as (client, harness):
            client.logout()
            assert sandbox.received() == []  # there was none: nothing is fetched to be revoked
            client.payees.get(harness.payee)
            token = client.authorization()
            client.logout()
            client.logout()
            answer = httpx.get(
                f"{sandbox.url}/v4/payees/{harness.payee}", headers={"authorization": token}
            )
            assert (harness.calls("logout"), answer.status_code) == (1, 401)
            client.payees.get(harness.payee)
        assert [*sandbox.tokens_issued().values()] == [2]

    def test_closing_a_client_revokes_no_token(self, harness):
        harness.ask("payees.get", harness.payee)
        assert harness.calls("logout") == 0
        harness(lambda velo: velo.payees.get(harness.payee), lambda velo: velo.logout())
        assert harness.calls("logout") == 1

    def test_one_that_is_good_no_more_is_none_to_give_back(self, sandbox):
        with opened(sandbox) as (client, harness):
            client.payees.get(harness.payee)
            sandbox.inject("status", operation="logout", status=401, times=None)
            client.logout()
