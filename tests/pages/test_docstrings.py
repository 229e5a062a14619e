"""The example in the docstring of each operation runs against the sandbox, in the order of the
reference.
"""

import csv
import dataclasses
import doctest
import inspect
import io
import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.providers.flexfactor.adapter import declined
from victor_ext import idempotency_key_for
from victor_ext.providers import Money, eastpay, velo
from victor_ext.sandbox.eastpay import EastPaySandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.hours,
    pytest.mark.victor_sandbox(demo_data=True, auto=0.01),
]


LAST = {"withdraw"}
"""Of these, the example comes after those of the other operations, which do not expect it."""


def operations_of(resource):
    """The operations of a resource as they are written: first those that are generated."""
    written = {}
    for kind in resource.__mro__:
        written |= {name: each for name, each in vars(kind).items() if name not in written}
    return dict(sorted(written.items(), key=lambda item: item[0] in LAST))


def run_examples(client, *order, own=None, **given):
    """Run the examples of a client's resources as one session, with these names; each operation has
    one.
    """
    now = datetime.now(UTC)
    names = {
        "Decimal": Decimal,
        "Money": Money,
        "csv": csv,
        "dataclasses": dataclasses,
        "io": io,
        "secrets": secrets,
        "idempotency_key_for": idempotency_key_for,
        "today": now.date(),
        "since": now - timedelta(minutes=5),
        **given,
    }
    without = []
    failures = []
    assert set(order) == set(client._resources)
    groups = {each: operations_of(client._resources[each]) for each in order}
    for group, operations in {**groups, "client": own or {}}.items():
        for name, operation in operations.items():
            if name.startswith("_") or not callable(operation):
                continue
            text = inspect.getdoc(operation) or ""
            case = doctest.DocTestParser().get_doctest(text, {}, f"{group}.{name}", None, None)
            case.globs = names
            without += [] if case.examples else [case.name]
            doctest.DocTestRunner(verbose=False).run(case, out=failures.append, clear_globs=False)
    if failures or without:
        pytest.fail(f"{''.join(failures)}\nwithout an example: {without}", pytrace=False)


def test_each_example_of_victor_runs_and_no_operation_lacks_one(victor):
    run_examples(victor, "payment_requests", victor=victor)


def test_each_example_of_velo_runs_and_no_operation_lacks_one(velo_harness, request, monkeypatch):
    monkeypatch.setattr(velo.Velo, "_on_poll_wait", staticmethod(velo_harness.sandbox.advance))
    velo_client = request.getfixturevalue("velo")
    former, new = (velo_harness.sandbox.add_payee(name) for name in ("payee-6", "payee-8"))
    for payee_id in (velo_harness.payee, former):
        velo_harness.sandbox.onboard_payee(payee_id)
    run_examples(
        velo_client,
        "payees",
        "source_accounts",
        "funding_accounts",
        "fundings",
        "payouts",
        "payments",
        "webhooks",
        **{name: getattr(velo, name) for name in velo.__all__},
        own={"logout": velo.Velo.logout},
        velo=velo_client,
        payor_id=velo_harness.payor,
        payee_id=velo_harness.payee,
        former_payee_id=former,
        new_payee_id=new,
        source_account_id=velo_harness.account,
        funding_account_id=velo_harness.bank,
    )


def test_each_example_of_eastpay_runs_and_no_operation_lacks_one():
    card = eastpay.Card("4111 1111 1111 1111", expiry_month=12, expiry_year=2030, cvv="123")
    price = Money.of("92.00", "EGP")
    with EastPaySandbox() as sandbox:
        merchant = sandbox.add_merchant()
        url = f"{sandbox.url}/eastpay"
        with eastpay.EastPay(
            merchant.token, base_url=url, entity_id=merchant.entity_id, inquiry_by_reference=True
        ) as client:
            paid = client.payments.debit(price, card=card, merchant_transaction_id="INV-1041")
            body = sandbox.notification(paid.id)
            run_examples(
                client, "payments", "checkouts", eastpay=client, card=card, price=price, body=body
            )


def test_each_example_of_flexfactor_runs_and_no_operation_lacks_one(flexfactor, flexfactor_sandbox):
    for order_id in ("INV-1042", "INV-1044"):
        flexfactor_sandbox.decide("CAPTUREREQUIRED", order_id)
    given = declined()
    flexfactor_sandbox.add_card(token=given["card"].token)
    parts = {name: given[name] for name in ("transaction", "payer", "card")}
    run_examples(
        flexfactor, "_payments", "orders", flexfactor=flexfactor, price=given["amount"], **parts
    )
