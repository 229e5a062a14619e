"""Velo in the table of all payment systems: a payout without a key, so one whose answer is lost is never repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
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


_NUMBERS = count(1)


def payee(sandbox: VeloSandbox) -> str:
    return sandbox.add_payee(f"payee-of-its-own-{next(_NUMBERS)}")


def onboarded_payee(sandbox: VeloSandbox) -> str:
    payee_id = payee(sandbox)
    sandbox.onboard_payee(payee_id)
    return payee_id


def payout(sandbox: VeloSandbox) -> str:
    with client(sandbox, awaited=False) as velo:
        payout_id: str = submit(velo, f"INV-{next(_NUMBERS)}")
        velo.payouts.get(payout_id)
    return payout_id


def payment(sandbox: VeloSandbox) -> str:
    payout_id = payout(sandbox)
    with client(sandbox, awaited=False) as velo:
        return str(next(iter(velo.payouts.payments(payout_id))).id)


def address(_sandbox: VeloSandbox) -> str:
    return f"https://hooks.example.com/{next(_NUMBERS)}"


def webhook(sandbox: VeloSandbox) -> str:
    with client(sandbox, awaited=False) as velo:
        return str(new_webhook(velo, address(sandbox)))


def new_webhook(client: Any, url: str) -> Any:
    return client.webhooks.create(client.payor_id, url=url, authorization_header="long-and-random-7f3b1c9e")


def payor(sandbox: VeloSandbox) -> str:
    return sandbox.payor_id


class Listed(NamedTuple):
    """Reads a list to its end, with `for` or `async for`."""

    walk: Callable[[Any, str], Any]

    def __call__(self, client: Any, subject: str) -> Any:
        result = self.walk(client, subject)
        return self._awaited(result) if hasattr(result, "__aiter__") else list(result)

    async def _awaited(self, found: Any) -> list[Any]:
        return [item async for item in found]


class More(NamedTuple):
    """One more operation, which has no key.

    `subject` makes what it is about, and what the sandbox's record counts its work by. `settles` is whether the client
    reads what a write did whose answer was lost.
    """

    word: str
    subject: Callable[[VeloSandbox], str]
    call: Callable[[Any, str], Any]
    writes: bool = False
    settles: bool = False


MORE = (
    More("get_payment", payment, lambda client, subject: client.payments.get(subject)),
    More("list_payouts", payor, Listed(lambda client, subject: client.payouts.list(subject))),
    More("payout_history", payout, lambda client, subject: client.payouts.history(subject)),
    More("payout_history", payout, Listed(lambda client, subject: client.payouts.audited_payments(subject))),
    More("statistics", payor, lambda client, subject: client.payouts.statistics(subject)),
    More("list_fundings", payor, Listed(lambda client, subject: client.fundings.list(subject))),
    More("export", payor, lambda client, subject: client.payments.export(subject)),
    More("invitations", payor, Listed(lambda client, subject: client.payees.invitations(subject))),
    More("list_webhooks", payor, Listed(lambda client, subject: client.webhooks.list(subject))),
    More("get_webhook", webhook, lambda client, subject: client.webhooks.get(subject)),
    More(
        "update_payee", payee, lambda client, subject: client.payees.update(subject, email="a@example.com"), writes=True
    ),
    More(
        "rename_payee",
        payee,
        lambda client, subject: client.payees.update_remote_id(subject, payor_id=client.payor_id, remote_id=subject),
        writes=True,
    ),
    More(
        "invite",
        payee,
        lambda client, subject: client.payees.invite(subject, payor_id=client.payor_id),
        writes=True,
    ),
    More(
        "delete_payee",
        onboarded_payee,
        lambda client, subject: client.payees.delete(subject),
        writes=True,
        settles=True,
    ),
    More(
        "withdraw_payment",
        payment,
        lambda client, subject: client.payments.withdraw(subject, reason="Not due"),
        writes=True,
        settles=True,
    ),
    More("create_webhook", address, new_webhook, writes=True),
    More(
        "update_webhook", webhook, lambda client, subject: client.webhooks.update(subject, enabled=False), writes=True
    ),
    More("ping", webhook, lambda client, subject: client.webhooks.ping(subject), writes=True),
)

READ = Exchange("list_payments", find)
WRITE = Exchange("submit", submit)


def work_done(sandbox: VeloSandbox, reference: str) -> int:
    """How often the reference was submitted, from the sandbox's own record."""
    return sandbox.work_done_by_reference().get(reference, 0)
