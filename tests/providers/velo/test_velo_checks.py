"""What cannot be right is refused here, all of it at once, and nothing is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.velo.harness import PRICE, pay
from victor_ext import ConfigurationError, InvalidRequest
from victor_ext.providers import Money
from victor_ext.providers.velo import (
    Address,
    Company,
    Individual,
    NewPayee,
    PaymentChannel,
    PaymentInstruction,
    Velo,
    VeloAuth,
)
from victor_ext.providers.velo.settings import from_process_environment

ANYTHING: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)


def nothing_leaves(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.method} {request.url} was sent")


def client() -> Velo:
    return Velo(VeloAuth("k", "s"), transport=httpx.MockTransport(nothing_leaves))


def refused(call: Any) -> dict[str, str]:
    """What was found wrong, by field."""
    with client() as velo, pytest.raises(InvalidRequest) as caught:
        call(velo)
    return {problem.field: problem.code for problem in caught.value.problems}


def test_everything_that_is_wrong_with_a_payout_at_once() -> None:
    wrong: Any = pay(
        "", remote_id="x" * 101, amount=44.23, source_account_name=None, memo="m" * 41, transmission_type=5
    )
    assert refused(
        lambda velo: velo.payouts.submit([pay("a"), wrong, "no payment"], memo=5, payout_to_payor_id="p")
    ) == {
        "payments[1].payor_payment_id": "length",
        "payments[1].remote_id": "length",
        "payments[1].amount": "type",
        "payments[1].source_account_name": "type",
        "payments[1].memo": "length",
        "payments[1].transmission_type": "type",
        "payments[2]": "type",
        "memo": "type",
        "payout_to_payor_id": "choice",
    }


@pytest.mark.parametrize("payments", [[], [pay(str(number)) for number in range(2001)]], ids=["none", "2001"])
def test_how_many_payments(payments: list[PaymentInstruction]) -> None:
    assert refused(lambda velo: velo.payouts.submit(payments)) == {"payments": "length"}


@pytest.mark.parametrize("payments", ["INV-1", None, pay(), {"a": 1}])
def test_what_is_no_list_of_payments(payments: Any) -> None:
    assert refused(lambda velo: velo.payouts.submit(payments)) == {"payments": "type"}


def test_one_reference_names_one_payment() -> None:
    problems = refused(lambda velo: velo.payouts.submit([pay("a"), pay("b"), pay("a")]))
    assert problems == {"payments[2].payor_payment_id": "repeated"}


@pytest.mark.parametrize("reference", [" INV-1", "INV-1 ", "INV\n1", "INV\x001"])
def test_a_reference_that_velo_may_give_back_otherwise(reference: str) -> None:
    by_name = {"payments[0].payor_payment_id": "characters"}
    assert refused(lambda velo: velo.payouts.submit([pay(reference)])) == by_name
    assert refused(lambda velo: velo.payments.find(reference, payor_id="p", since=datetime.now(UTC))) == {
        "payor_payment_id": "characters"
    }


@pytest.mark.parametrize("amount", [-1, 2**31, True, "1", 1.0])
def test_what_is_no_amount_to_filter_by(amount: Any) -> None:
    by_name = {"source_amount_from": "range"}
    assert refused(lambda velo: velo.payments.list("p", source_amount_from=amount)) == by_name
    assert refused(lambda velo: velo.payouts.audited_payments("p", source_amount_from=amount)) == by_name


def test_an_address_has_other_limits_in_an_update() -> None:
    """Each limit is held against the document in tests/contracts."""
    address = Address(line1="x" * 101, city="Somewhere", country="United States", zip_or_postcode="x" * 31)
    new = NewPayee(remote_id="r", email="a@b.c", address=address, company=Company(name="ABC"))
    assert refused(lambda velo: velo.payees.create("p", [new])) == {
        "payees[0].address.line1": "length", "payees[0].address.country": "format",
    }  # fmt: skip
    assert refused(lambda velo: velo.payees.update("p", address=address)) == {"address.zip_or_postcode": "length"}


def test_half_a_character() -> None:
    assert refused(lambda velo: velo.payouts.submit([pay(memo="\ud800")])) == {"payments[0].memo": "characters"}


@pytest.mark.parametrize("until", [None, 5, True, (), [None], object()])
def test_what_is_no_state(until: Any) -> None:
    assert refused(lambda velo: velo.payouts.wait("p-1", until=until)) == {"until": "choice"}


@pytest.mark.parametrize("percent", [-1, 10**400, float("nan"), float("inf"), "1", True])
def test_what_is_no_percentage(percent: Any) -> None:
    by_name = {"stop_if_rates_worse_by": "range"}
    assert refused(lambda velo: velo.payouts.instruct("p-1", stop_if_rates_worse_by=percent)) == by_name


@pytest.mark.parametrize("receipt", [None, "fa-1", 5])
def test_what_is_no_receipt(receipt: Any) -> None:
    assert refused(lambda velo: velo.funding_accounts.wait(receipt)) == {"receipt": "type"}


@pytest.mark.parametrize("since", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_moment_that_has_no_day_before_or_after(since: datetime) -> None:
    assert refused(lambda velo: velo.payments.find("INV-1", payor_id="p", since=since)) == {"since": "range"}
    assert refused(lambda velo: velo.payments.changes("p", since=since)) == {"since": "range"}


@pytest.mark.parametrize("amount", [Money(0, "USD"), Money(-1, "USD"), Money(2**63, "USD")])
def test_how_much(amount: Money) -> None:
    assert refused(lambda velo: velo.payouts.submit([pay(amount=amount)])) == {"payments[0].amount": "range"}


@pytest.mark.parametrize(
    "number", ["", ".", "..", "a/b", "a?b", "a#b", "a b", "%2e", "a..b", "x" * 101, "ä", "a\n", 5, None]
)
def test_an_id_cannot_lead_elsewhere(number: Any) -> None:
    for call in (
        lambda velo: velo.payouts.get(number),
        lambda velo: velo.payouts.instruct(number),
        lambda velo: velo.payees.get(number),
        lambda velo: velo.fundings.get(number),
        lambda velo: velo.source_accounts.fund(number, funding_account_id="b", amount=PRICE),
    ):
        assert len(refused(call)) == 1


def test_payees() -> None:
    address = Address(line1="", city="Somewhere", country="usa")
    channel = PaymentChannel(account_name="A", country_code="US", currency="USD", iban="GB33BUKB20201555555555",
                             account_number="123456")  # fmt: skip
    person = Individual(first_name="", last_name="B", date_of_birth="1970")
    wrong = NewPayee(remote_id="", email="x", address=address, individual=person, company=Company(name="ABC"),
                     payment_channel=channel)  # fmt: skip
    none: Any = NewPayee(remote_id="a", email="a@b", address=None, company="ABC")  # type: ignore[arg-type] # on purpose
    assert refused(lambda velo: velo.payees.create("p", [wrong, none])) == {
        "payees[0].remote_id": "length",
        "payees[0].email": "length",
        "payees[0]": "choice",
        "payees[0].address.line1": "length",
        "payees[0].address.country": "format",
        "payees[0].individual.first_name": "length",
        "payees[0].individual.date_of_birth": "format",
        "payees[0].payment_channel": "choice",
        "payees[1].address": "type",
        "payees[1].company": "type",
    }


@pytest.mark.parametrize("channel", [{}, {"account_number": "123456"}, {"routing_number": "123456789"}])
def test_a_channel_needs_one_kind_of_number(channel: Any) -> None:
    made = PaymentChannel(account_name="A", country_code="US", currency="USD", **channel)
    payee = NewPayee(remote_id="a", email="a@b", address=Address(line1="xx", city="yy", country="US"),
                     company=Company(name="ABC"), payment_channel=made)  # fmt: skip
    assert refused(lambda velo: velo.payees.create("p", [payee])) == {"payees[0].payment_channel": "choice"}


def test_lists_say_it_when_they_are_asked_for() -> None:
    naive: Any = datetime(2026, 3, 4)  # noqa: DTZ001 - what is to be refused
    assert refused(lambda velo: velo.payees.list("p", page_size=101, sort="a;b", email="")) == {
        "email": "length", "page_size": "range", "sort": "format",
    }  # fmt: skip
    assert refused(lambda velo: velo.payments.changes("p", since=naive, page_size=1001)) == {
        "since": "zone", "page_size": "range",
    }  # fmt: skip
    assert refused(lambda velo: velo.payments.list("p", submitted_from="4.3.2026", submitted_to=datetime.now(UTC))) == {
        "submitted_from": "format", "submitted_to": "format",
    }  # fmt: skip
    assert refused(lambda velo: velo.payments.find("", payor_id="p", since=None, until=naive)) == {
        "payor_payment_id": "length", "since": "type", "until": "zone",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [("until", ""), ("until", ()), ("timeout", -1), ("timeout", float("nan"))])
def test_what_cannot_be_waited_for(name: str, value: Any) -> None:
    options = {"until": "ACCEPTED", name: value}
    assert [*refused(lambda velo: velo.payouts.wait("p", **options))] == [name]


@pytest.mark.parametrize("percent", [-1, float("inf"), True, "1"])
def test_percent(percent: Any) -> None:
    assert [*refused(lambda velo: velo.payouts.instruct("p", stop_if_rates_worse_by=percent))] == [
        "stop_if_rates_worse_by"
    ]


@given(value=ANYTHING)
def test_whatever_is_passed_it_is_refused_in_the_same_way(value: Any) -> None:
    with client() as velo, pytest.raises(InvalidRequest):
        velo.payouts.submit([pay(), value])
    with client() as velo, pytest.raises(InvalidRequest):
        velo.payments.find("INV", payor_id="p", since=value)


class TestEnvironments:
    @pytest.mark.parametrize(
        ("environment", "host"),
        [("sandbox", "api.sandbox.velopayments.com"), ("production", "api.payouts.velopayments.com")],
    )
    def test_the_hosts(self, environment: str, host: str) -> None:
        with Velo(VeloAuth("k", "s"), environment=environment) as velo:
            assert (velo.base_url, velo.environment) == (f"https://{host}", environment)

    def test_money_is_simulated_unless_production_is_named(self) -> None:
        with Velo(VeloAuth("k", "s")) as velo:
            assert velo.environment == "sandbox"

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"environment": "prod"}, "write 'sandbox' or 'production'"),
            ({"base_url": "https://api.payouts.velopayments.com"}, "write environment='production'"),
            ({"base_url": "https://api.payouts.velopayments.com./"}, "write environment='production'"),
            ({"base_url": "https://api.sandbox.velopayments.com", "environment": "production"}, "'sandbox'"),
            ({"base_url": "http://api.example.com"}, "unencrypted"),
            ({"auth": "k:s"}, r"auth must be VeloAuth\(api_key, api_secret\), not str"),
        ],
    )
    def test_what_cannot_be(self, options: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigurationError, match=said):
            Velo(**{"auth": VeloAuth("k", "s"), **options})

    def test_from_the_process_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VELO_API_KEY", "k")
        monkeypatch.setenv("VELO_API_SECRET", "s")
        monkeypatch.setenv("VELO_ENVIRONMENT", "production")
        with Velo.from_env() as velo:
            assert velo.environment == "production"
        monkeypatch.setenv("VELO_BASE_URL", "http://127.0.0.1:8900")
        with Velo.from_env(environment="sandbox") as velo:
            assert velo.base_url == "http://127.0.0.1:8900"

    @pytest.mark.parametrize(
        ("variables", "said"),
        [
            ({}, "VELO_API_KEY and VELO_API_SECRET are not set"),
            ({"VELO_API_KEY": "k", "VELO_API_SECRET": " "}, "^VELO_API_SECRET is not set"),
            ({"VELO_API_KEY": "k", "VELO_API_SECRET": "s", "VELO_ENVIRONMENT": "live"}, "VELO_ENVIRONMENT is 'live'"),
            ({"VELO_API_KEY": "k", "VELO_API_SECRET": "s", "VELO_BASE_URL": "velo"}, "VELO_BASE_URL 'velo' must be"),
        ],
    )
    def test_variables_that_cannot_be(self, variables: dict[str, str], said: str) -> None:
        with pytest.raises(ConfigurationError, match=said):
            from_process_environment({}, variables)
