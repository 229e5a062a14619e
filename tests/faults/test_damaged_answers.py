"""Answers that are cut, framed wrongly, compressed, or followed by more: what the caller observes is true."""

from __future__ import annotations

import pytest

from tests.faults.adapters import ATTEMPTS, Operation, adapter, each_mode, each_operation
from tests.faults.damaged_answers import LOST, NO_EVIDENCE, UNREADABLE, WHOLE
from tests.faults.raw_provider import Exchange, answer
from tests.faults.raw_sockets import Background
from victor_ext import UnreadableResponse

pytestmark = pytest.mark.slow


@each_operation
@each_mode
def test_damaged(background: Background, mode: str, operation: Operation) -> None:
    with adapter(background, mode, direct=True) as on:
        for damage in (*WHOLE, *LOST, *UNREADABLE, *NO_EVIDENCE):
            for always, wanted in ((False, "success"), (True, damage.expected)):
                on.provider.acts.extend([damage] * (1 + ATTEMPTS if always else 1))
                run = on.run(operation)
                on.provider.acts.clear()
                times = "always" if always else "once"
                got = run.observed.word
                assert got == wanted, f"{damage}, {times}: got {got}, not {wanted}; {run}"
                assert run.mismatches() == [], f"{damage}, {times}: {run}"


def mixed_up(exchange: Exchange) -> None:
    """Do the work, and answer as if it had been done for another request."""
    exchange.send(answer(exchange.work().replace(b'"S0', b'"T0')))


def mixed_up_and_idle(exchange: Exchange) -> None:
    exchange.send(answer(b'{"victor_payment_request_id": "T000001", "status": "Accepted", "notes": "Thanks."}'))


@each_mode
def test_an_answer_about_another_request(background: Background, mode: str) -> None:
    """A cache, or a proxy, that mixes answers up: no success is reported because of another request."""
    with adapter(background, mode, direct=True) as on:
        on.provider.acts.append(mixed_up)
        run = on.run("respond")
        assert (run.observed.word, run.mismatches()) == ("success", [])  # the look settled it

        for more in ([], [mixed_up], [mixed_up_and_idle]):  # the look is answered truly, and the same way
            on.provider.acts.extend([says_later, mixed_up_and_idle, *more])
            run = on.run("respond")
            assert (run.observed.word, run.mismatches(), run.seen.work) == ("unknown", [], 0)
            error = run.observed.error
            assert isinstance(error, UnreadableResponse)
            assert (error.attempts, error.status_code, error.idempotency_key) == (2, 200, None)
            assert b"T000001" in (error.body or b"")
            assert "about another payment request, T000001" in str(error)


def says_later(exchange: Exchange) -> None:
    exchange.refuse()
    exchange.send(answer(b"", "429 Too Many Requests", "Retry-After: 0"))


@each_mode
def test_an_answer_that_spells_the_id_in_another_case(background: Background, mode: str) -> None:
    with adapter(background, mode, direct=True) as on:
        on.provider.acts.append(lambda exchange: exchange.send(answer(exchange.work().replace(b'"S0', b'"s0'))))
        run = on.run("respond")
        assert (run.observed.word, run.seen.work, run.seen.requests) == ("success", 1, 1)


JUNK = answer(b'{"victor_payment_request_id": "JUNK", "client_reference_id": "JUNK", "status": "created"}')
