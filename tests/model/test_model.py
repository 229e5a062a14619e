"""The reference model, the sandbox and the client go through random histories, and have to agree after each step.

Set VICTOR_MODEL_EXAMPLES to try more histories than a run of the tests has time for; they are then new ones each time.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.model.faults import FAULTS, SKEWS, Event, Faults
from tests.model.harness import Harness
from tests.model.truth import Call, Truth
from victor_ext import PaymentRequest, VictorError, idempotency_key_for

EXAMPLES = int(os.environ.get("VICTOR_MODEL_EXAMPLES", "0"))
SETTINGS = settings(
    max_examples=EXAMPLES or 20,
    stateful_step_count=25,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    # A history that fails is printed whole, and is the same each time; making it shorter takes minutes.
    phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CALM = Faults()

sandboxes = st.fixed_dictionaries(
    {
        "quirks": st.booleans(),
        "get_status": st.sampled_from(["documented", "listed"]),
        "key_conflict": st.sampled_from(["409", "400", "422", "replay"]),
        "second_answer": st.sampled_from(["refuse", "replay"]),
        "unknown_id": st.sampled_from(["400", "404"]),
    }
)
payments, variants = st.integers(0, 4), st.integers(0, 1)


class Machine(RuleBasedStateMachine):
    """What may happen. Numbers stand for things that exist by then, so that a history can be drawn in advance."""

    mode = "sync"
    credentials = "jwt"

    def __init__(self) -> None:
        super().__init__()
        self.harness: Harness | None = None

    @initialize(attempts=st.integers(1, 4), options=sandboxes)
    def begin(self, attempts: int, options: dict[str, Any]) -> None:
        self.harness = Harness(mode=self.mode, credentials=self.credentials, attempts=attempts, settings=options)
        self.truth = Truth()
        self.inbound: list[str] = []
        self.due = datetime.now(UTC).date()

    @property
    def there(self) -> Harness:
        assert self.harness is not None
        return self.harness

    # Asking for money

    @rule(payment=payments, variant=variants, faults=FAULTS)
    def create(self, payment: int, variant: int, faults: Faults) -> None:
        """With the key of the payment; another variant is another body under the same key."""
        meant = {"client_reference_id": f"INV-{payment}", "amount": f"{payment + 1}.{variant}0"}
        key = idempotency_key_for("invoice", payment)
        observed, exchanges = self.there.call(
            faults,
            "create",
            payee_account_number="043987673645",
            payer_counterparty_id="ignoresRfp",
            biller_type="BUSINESS",
            due_date=self.due,
            idempotency_key=key,
            **meant,
        )
        self.note("create", key, meant, observed, exchanges, faults)

    @rule(payment=payments, variant=variants)
    def repeat_in_peace(self, payment: int, variant: int) -> None:
        """What one does with an unknown outcome."""
        self.create(payment=payment, variant=variant, faults=CALM)

    @rule(payment=payments, faults=FAULTS)
    def look(self, payment: int, faults: Faults) -> None:
        """What one may do instead: the answer is complete, or an error."""
        found, _ = self.there.during(faults, lambda: self.search(f"INV-{payment}"))
        if not isinstance(found, VictorError):
            assert sorted(request.id for request in found) == self.made(f"INV-{payment}")

    def search(self, reference: str) -> list[PaymentRequest] | VictorError:
        found: list[PaymentRequest] | VictorError = self.there.caller(
            "find", client_reference_id=reference, start_datetime=LONG_AGO
        )
        return found

    def made(self, reference: str) -> list[str]:
        return sorted(
            request["id"]
            for request in self.there.sandbox.requests()
            if request.get("client_reference_id") == reference
        )

    # Being asked for money

    @rule(amount=st.sampled_from(["10.00", "20.50"]), modifiable=st.booleans())
    def be_asked(self, amount: str, modifiable: bool) -> None:
        asked = self.there.sandbox.create_inbound(amount, amount_modification_allowed=modifiable)
        self.inbound.append(asked)

    def asked(self, number: int) -> str:
        """One of those that we are asked to pay; the later ones first, as they are the ones without an answer."""
        if not self.inbound:
            self.be_asked(amount="10.00", modifiable=False)
        return self.inbound[-1 - number % len(self.inbound)]

    @rule(
        number=st.integers(0, 3),
        accept=st.booleans(),
        notes=st.sampled_from(["Thank you.", "No."]),
        amount=st.sampled_from([None, None, None, "1.50"]),
        faults=FAULTS,
    )
    def answer(self, number: int, accept: bool, notes: str, amount: str | None, faults: Faults) -> None:
        subject = self.asked(number)
        modified = amount if accept else None
        arguments = {"modified_amount": modified} if accept else {}
        observed, exchanges = self.there.call(
            faults, "accept" if accept else "decline", id=subject, notes=notes, **arguments
        )
        meant = {"status": "Accepted" if accept else "Rejected", "notes": notes, "amount": modified}
        self.note("respond", subject, meant, observed, exchanges, faults)

    @rule(number=st.integers(0, 3), accept=st.booleans())
    def answer_in_peace(self, number: int, accept: bool) -> None:
        """Another caller may do the same, with the same arguments."""
        self.answer(number=number, accept=accept, notes="Thank you.", amount=None, faults=CALM)

    @rule(number=st.integers(0, 3), faults=FAULTS)
    def read(self, number: int, faults: Faults) -> None:
        subject = self.asked(number)
        found, _ = self.there.call(faults, "get", id=subject)
        if not isinstance(found, VictorError):
            kept = self.there.sandbox.request(subject)
            is_ = kept["status"]
            if self.there.sandbox.settings.get_status == "documented":  # "Either Pending or Error", and the answer
                answer = kept.get("answer") if kept["direction"] == "inbound" else None
                is_ = (
                    "Error"
                    if is_ == "failed"
                    else {"Accepted": "accepted", "Rejected": "declined"}.get(answer, "pending")
                )
            assert (found.id, found.status) == (subject, is_)

    @rule(
        page_size=st.integers(1, 3),
        leaving=st.lists(st.integers(0, 5), max_size=6),
        arriving=st.booleans(),
        faults=FAULTS,
    )
    def walk(self, page_size: int, leaving: list[int], arriving: bool, faults: Faults) -> None:
        """Whatever leaves and arrives while a list is read: who passes its filter all the time is in it, once."""
        while len(self.pending()) < 5:
            self.be_asked(amount="10.00", modifiable=False)
        stayed = set(self.pending())
        planned = iter(leaving)

        def between_pages() -> None:
            number, there = next(planned, None), self.pending()
            if number is None or not there:
                return
            gone = there[number % len(there)]
            self.there.sandbox.move(gone, "expired")
            stayed.discard(gone)
            if arriving:
                self.be_asked(amount="10.00", modifiable=False)

        filters = {"direction": "inbound", "status": "pending", "page_size": page_size}
        found, _ = self.there.during(faults, lambda: self.there.caller.walk(between_pages, **filters))
        if not isinstance(found, VictorError):
            listed = [request.id for request in found]
            assert stayed <= set(listed)
            assert len(listed) == len(set(listed))

    def pending(self) -> list[str]:
        return [
            request["id"]
            for request in self.there.sandbox.requests()
            if (request["direction"], request["status"]) == ("inbound", "pending")
        ]

    # What befalls everybody

    @rule(what=st.sampled_from(["restart", "skew", "revoke"]), skew=st.sampled_from(SKEWS))
    def befall(self, what: Any, skew: float) -> None:
        self.there.befall(Event(0, what, skew))

    @rule(seconds=st.sampled_from([1, 1, 3_600, 3_600, 200_000]))
    def time_passes(self, seconds: int) -> None:
        self.there.sandbox.advance(seconds)

    @rule()
    def the_caller_crashes(self) -> None:
        self.there.replace_caller()

    # What has to hold

    def note(
        self, operation: str, subject: str, meant: dict[str, Any], observed: Any, exchanges: Any, faults: Faults
    ) -> None:
        lied_to = any(fault.may_lie for fault in faults.faults)
        self.truth.note(Call(operation, subject, meant, observed, exchanges, lied_to))

    @invariant()
    def observations_are_true(self) -> None:
        if self.harness is not None:
            sandbox = self.harness.sandbox
            assert list(self.truth.complaints(sandbox.requests(), sandbox.work_done_by_key())) == []

    def teardown(self) -> None:
        if self.harness is not None:
            self.harness.close()


WAYS = [(mode, credentials) for mode in ("sync", "async") for credentials in ("jwt", "oauth")]


@pytest.mark.parametrize("way", range(len(WAYS)), ids=["-".join(way) for way in WAYS])
def test_model(way: int) -> None:
    mode, credentials = WAYS[way]
    machine = type("Machine", (Machine,), {"mode": mode, "credentials": credentials})
    # Each way goes through histories of its own: the same ones in every run of the tests.
    run_state_machine_as_test(machine if EXAMPLES else seed(way)(machine), settings=SETTINGS)
