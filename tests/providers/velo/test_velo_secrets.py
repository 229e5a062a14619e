"""Key, secret, token, and what names people or their accounts: in no message, repr, log line, pickle, or local of ours,
whatever fails."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import velo_api

import victor_ext
from tests.providers.velo.harness import QUICK, Harness, pay
from victor_ext import ConfigurationError, VictorError
from victor_ext.providers import Money
from victor_ext.providers.velo import Address, Company, Individual, NewPayee, PaymentChannel, Velo, VeloAuth, Webhook

KEY = "44a9537d-d55d-4b47-8082-14061c2bcdd8"
HIDDEN = "c396b26b-137a-44fd-87f5-not-a-real-one"
ACCOUNT = "071204958836"
IBAN = "GB33BUKB20201555555555"
NATIONAL = "987654321"
OURS = tuple(str(Path(package.__file__ or "").parent) for package in (victor_ext, velo_api))

PAYEE = NewPayee(
    remote_id="bob", email="bob@example.com",
    address=Address(line1="100 Battery Street", city="San Francisco", country="US"),
    individual=Individual(
        first_name="Bob", last_name="W", date_of_birth="1970-05-20", national_identification=NATIONAL
    ),
    payment_channel=PaymentChannel(
        account_name="Bob", country_code="US", currency="USD", account_number=ACCOUNT, routing_number="123456789"
    ),
)  # fmt: skip

CALLS: dict[str, Callable[[Any, Harness], Any]] = {
    "submit": lambda velo, harness: velo.payouts.submit([pay()]),
    "get_payee": lambda velo, harness: velo.payees.get(harness.payee),
    "create_payees": lambda velo, harness: velo.payees.create(harness.payor, [PAYEE]),
    "create_bank": lambda velo, harness: velo.funding_accounts.create(
        payor_id=harness.payor, name="Bank", account_type="FBO", account_number=ACCOUNT, routing_number="123456789"
    ),
    "fund": lambda velo, harness: velo.source_accounts.fund(
        harness.account, funding_account_id=harness.bank, amount=Money(1, "USD")
    ),
}
FAULTS: dict[str, dict[str, Any]] = {
    "lose_answer": {},
    "status": {"status": 400, "body": f'{{"errors": [{{"errorMessage": "account {ACCOUNT}"}}]}}'},
    "html": {"status": 200},
}


def secrets_of(harness: Harness, token: str) -> dict[str, str]:
    pair = base64.b64encode(f"{KEY}:{HIDDEN}".encode()).decode()
    return {"key": KEY, "secret": HIDDEN, "pair": pair, "token": token, "account": ACCOUNT, "national id": NATIONAL}


def places(error: BaseException) -> Iterator[tuple[str, str]]:
    """Wherever a person or a log looks at an error."""
    yield "message", f"{error} {error!r} {vars(error)}"
    seen: BaseException | None = error
    while seen is not None:
        yield "traceback", "".join(traceback.format_exception(seen))
        for frame in traceback.TracebackException.from_exception(seen, capture_locals=True).stack:
            if frame.filename.startswith(OURS):
                yield f"locals of {frame.name} in {frame.filename}", repr(frame.locals)
        seen = seen.__cause__ or seen.__context__


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_whatever_fails(harness: Harness, call: str, kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    harness.sandbox.add_key(KEY, HIDDEN)
    harness.auth = VeloAuth(KEY, HIDDEN)
    token = str(harness(lambda velo: velo.authorization())).removeprefix("Bearer ")
    harness.sandbox.inject(kind, operation=call, times=None, **FAULTS[kind])
    events: list[Any] = []
    with pytest.raises(VictorError) as caught:
        harness(lambda velo: CALLS[call](velo, harness), on_event=events.append)
    secrets = secrets_of(harness, token)
    del secrets["account" if kind == "html" else "token"]  # the token of that client was another one
    texts = [*places(caught.value), ("log", caplog.text), ("events", repr(events)), ("credentials", repr(harness.auth))]
    by_name = {(place, name) for place, text in texts for name, secret in secrets.items() if secret in text}
    # What a provider wrote stays in the raw body, for the caller alone.
    assert by_name == set()
    pickled = pickle.dumps(caught.value)
    assert [name for name in ("key", "secret", "pair") if secrets[name].encode() in pickled] == []


def test_credentials_that_are_refused(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    harness.auth = VeloAuth(KEY, HIDDEN)
    with pytest.raises(VictorError) as caught:
        harness(lambda velo: velo.payees.get(harness.payee))
    texts = [*places(caught.value), ("log", caplog.text)]
    secrets = secrets_of(harness, "no token")
    assert {(place, name) for place, text in texts for name, secret in secrets.items() if secret in text} == set()


def test_what_cannot_be_credentials_or_a_header() -> None:
    makers: list[Callable[[], Any]] = [
        lambda: VeloAuth(f"{KEY}:{HIDDEN}", "s"),
        lambda: VeloAuth("k", f"{HIDDEN}\n{HIDDEN}"),
        lambda: VeloAuth("k", HIDDEN.encode()),  # type: ignore[arg-type] # on purpose
        lambda: Webhook(HIDDEN, "short"),
        lambda: Velo(HIDDEN),  # type: ignore[arg-type] # on purpose
    ]
    for make in makers:
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert [place for place, text in places(caught.value) if HIDDEN in text] == []


def test_what_a_person_looks_at(harness: Harness) -> None:
    channel = PaymentChannel(account_name="Bob", country_code="GB", currency="GBP", iban=IBAN)
    company = Company(name="ABC Payee Corp", tax_id="223344556")
    shown = repr([PAYEE, PAYEE.individual, channel, company, vars_of(channel), vars_of(company), PAYEE.to_model()])
    for secret in (ACCOUNT, IBAN, NATIONAL, "223344556"):
        assert secret not in shown
    payees = harness.all(lambda velo: velo.payees.list(harness.payor))
    assert "payee@example.com" not in repr(payees)
    assert payees[0].email == "payee@example.com"
    with Velo(VeloAuth(KEY, HIDDEN), base_url=harness.sandbox.url, retry=QUICK) as velo:
        assert {KEY, HIDDEN} & {*repr(velo), repr(velo)} == set()


def vars_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).__slots__}
