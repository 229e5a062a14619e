"""Velo in the table of all payment systems: a payout without a key, so one whose answer is lost is never repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from victor_ext.providers import Money
from victor_ext.providers.velo import AsyncVelo, PaymentInstruction, Velo, VeloAuth
from victor_ext.sandbox.velo import VeloSandbox

ACCOUNT = "USD account"
PAYEE = "payee-7"
KEYED = False


class Exchange(NamedTuple):
    """An operation of the sandbox, and the call that makes it."""

    word: str
    call: Callable[..., Any]


@contextmanager
def sandbox() -> Iterator[VeloSandbox]:
    """A sandbox that knows a payee and an account."""
    with VeloSandbox() as started:
        started.add_payee(PAYEE)
        started.add_source_account(ACCOUNT, "USD", 1_000_000)
        yield started


def client(sandbox: VeloSandbox, *, awaited: bool, **options: Any) -> Any:
    kind: Any = AsyncVelo if awaited else Velo
    made = kind(VeloAuth(*sandbox.add_key()), base_url=sandbox.url, **options)
    made.payor_id = sandbox.payor_id
    return made


def submit(client: Any, reference: str) -> Any:
    payment = PaymentInstruction(
        remote_id=PAYEE, amount=Money.of("44.23", "USD"), source_account_name=ACCOUNT, payor_payment_id=reference
    )
    return client.payouts.submit([payment])


def find(client: Any) -> Any:
    since = datetime.now(UTC) - timedelta(minutes=5)
    return client.payments.find("INV-1042", payor_id=client.payor_id, since=since)


READ = Exchange("list_payments", find)
WRITE = Exchange("submit", submit)


def work_done(sandbox: VeloSandbox, reference: str) -> int:
    """How often the reference was submitted, from the sandbox's own record."""
    return sandbox.work_done_by_reference().get(reference, 0)
