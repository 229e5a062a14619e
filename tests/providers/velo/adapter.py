"""Velo in the suite over all systems: no operation of it takes a key."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from operator import attrgetter

import tests.providers.running as running
from tests.providers.running import Exchange
from victor_ext.providers import Money
from victor_ext.providers.velo import (
    Address,
    AsyncVelo,
    Company,
    NewPayee,
    PaymentInstruction,
    Velo,
    VeloAuth,
)
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

SANDBOX = partial(VeloSandbox, VeloSettings(seed=1))
ACCOUNT, PAYEE = "USD account", "payee-7"
PRICE = Money.of("44.23", "USD")
ARGUMENTS = {"auth": VeloAuth("key", "secret")}
SETTINGS = {"api_key": "key", "api_secret": "secret"}
HOSTS = ("sandbox", "api.sandbox.velopayments.com", "api.payouts.velopayments.com")
VERSIONS = ("v1", "v2", "v3", "v4")
REFUSAL = {"errors": [{"errorCode": "E1", "errorMessage": "no"}], "correlationId": "c-1"}
PING = "/v3/sourceAccounts?pageSize=1"
RECENTLY = datetime.now(UTC) - timedelta(minutes=5)
scripted = partial(running.scripted, Velo, ARGUMENTS)
_numbers = count(1)


def firm(name):
    address = Address(line1="Some street", city="Somewhere", country="US")
    return NewPayee(
        remote_id=name, email="a@example.com", company=Company(name="ABC"), address=address
    )


def pay(reference="INV-1042", **changes):
    """The usual payment."""
    usual = {
        "remote_id": PAYEE,
        "amount": PRICE,
        "source_account_name": ACCOUNT,
        "payor_payment_id": reference,
    }
    return PaymentInstruction(**{**usual, **changes})


class Harness(running.Harness):
    """A payor with an account, a bank, a payee, and a client of Velo."""

    kinds = (Velo, AsyncVelo)

    def set_up(self):
        self.payor = self.sandbox.payor_id
        self.account = self.sandbox.add_source_account(ACCOUNT, "USD", 100_000)
        self.bank = self.sandbox.add_funding_account("Bank of the payor", "USD")
        self.payee = self.sandbox.add_payee(PAYEE)
        self.since = datetime.now(UTC) - timedelta(minutes=5)
        return settings(self.sandbox)

    def submit(self, *payments, **options):
        """Submit a payout; its id."""
        return self.ask("payouts.submit", [*payments], **options)

    def fund(self, amount, currency="USD"):
        """Ask for money for the account; the id of the funding."""
        given = {"funding_account_id": self.bank, "amount": Money.of(amount, currency)}
        return self.ask("source_accounts.fund", self.account, **given)

    def calls(self, word):
        """How often the sandbox was asked for that."""
        return len(self.sent(word))


def settings(sandbox):
    return {"auth": VeloAuth(*sandbox.add_key()), "base_url": sandbox.url}


def client(sandbox, *, awaited, **options):
    return Harness.kinds[awaited](**settings(sandbox), **options)


@contextmanager
def sandbox():
    """A sandbox that knows a payee and an account."""
    with VeloSandbox() as started:
        started.add_payee(PAYEE)
        started.add_source_account(ACCOUNT, "USD", 1_000_000)
        yield started


def submit(client, reference):
    return client.payouts.submit([pay(reference)])


def new_payee(harness):
    return harness.sandbox.add_payee(f"payee-of-its-own-{next(_numbers)}"), harness.payor


def onboarded(harness):
    payee_id, _ = new_payee(harness)
    harness.sandbox.onboard_payee(payee_id)
    return payee_id


def payout(harness):
    payout_id = harness.submit(pay(f"INV-{next(_numbers)}", amount=Money(1, "USD")))
    harness.ask("payouts.get", payout_id)
    return payout_id


def payment(harness):
    payout_id = payout(harness)
    return harness.ask("payouts.payments", payout_id)[0].id


def named(name):
    """A new name, for the payor."""
    return lambda harness: (f"{name}{next(_numbers)}", harness.payor)


def funded(harness):
    return harness.fund("10.00")


def new_firm(client, subject):
    name, payor_id = subject
    return client.payees.create(payor_id, [firm(name)])


def firms(harness, subject):
    """How many payees have the name."""
    name, payor_id = subject
    return len(harness.ask("payees.list", payor_id, remote_id=name))


def batch(harness):
    return harness(lambda velo: new_firm(velo, named("firm-")(harness)))


def is_quoted(harness, payout_id):
    return harness.ask("payouts.get", payout_id).status == "QUOTED"


def funding(harness):
    account = harness.sandbox.add_source_account(f"account {next(_numbers)}", "USD", 0)
    return account, harness.bank


def about(
    subject, word, call,
    hint = "", *, by = "", settles = False, **given,
):  # fmt: skip
    """An exchange about a subject: what makes it, or an attribute of the harness.

    A method that is named takes its first part, as the first argument or by a name, and what is
    given.
    """

    def by_name(client, subject):
        first = subject if isinstance(subject, str) else subject[0]
        method = attrgetter(call)(client)
        return method(**{by: first}, **given) if by else method(first, **given)

    return Exchange(
        word=word,
        subject=attrgetter(subject) if isinstance(subject, str) else subject,
        call=by_name if isinstance(call, str) else call,
        hint=hint,
        settles=settles,
        writes=bool(hint),
    )


READ = about(
    named("INV-"), "list_payments",
    lambda client, subject: client.payments.find(
        subject[0], payor_id=subject[1], since=datetime.now(UTC) - timedelta(minutes=5)
    ),
)  # fmt: skip
WRITE = Exchange(
    word="submit", call=submit, writes=True, hint="look with payments.find(payor_payment_id"
)
PAYEE_HINT, PAYOUT_HINT = "payees.get(payee_id)", "payouts.get(payout_id)"
MORE = (
    about(payment, "get_payment", "payments.get"),
    about("payor", "list_payouts", "payouts.list"),
    about(payout, "get_payout", "payouts.get"),
    about(payout, "payout_payments", "payouts.payments"),
    about(payout, "audited_payments", "payouts.audited_payments"),
    about("payor", "list_sources", "source_accounts.list", by="payor_id"),
    about("account", "get_source", "source_accounts.get"),
    about("payor", "list_banks", "funding_accounts.list", by="payor_id"),
    about(funded, "get_funding", "fundings.get"),
    about("payor", "funding_changes", "fundings.changes", since=RECENTLY),
    about("payor", "list_payees", "payees.list"),
    about("payee", "get_payee", "payees.get"),
    about(batch, "get_batch", "payees.batch"),
    about(new_payee, "update_payee", "payees.update", PAYEE_HINT, email="a@example.com"),
    about(onboarded, "delete_payee", "payees.delete", PAYEE_HINT),
    about(
        payment,
        "withdraw_payment",
        "payments.withdraw",
        "payments.get(payment_id)",
        settles=True,
        reason="Not due",
    ),
    about(payout, "instruct", "payouts.instruct", PAYOUT_HINT, settles=True),
    about(payout, "withdraw", "payouts.withdraw", PAYOUT_HINT, settles=True),
    replace(about(payout, "quote", "payouts.quote", PAYOUT_HINT), work=is_quoted),
    about(
        funding,
        "fund",
        lambda client, subject: client.source_accounts.fund(
            subject[0], funding_account_id=subject[1], amount=PRICE
        ),
        "fundings.changes",
    ),
    replace(
        about(named("firm-"), "create_payees", new_firm, "payees.list(payor_id, remote_id"),
        work=firms,
    ),
)
WITHOUT = {}
