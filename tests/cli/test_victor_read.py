"""`victor read`: one object of each system, by its id, from a real sandbox."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from tests.cli.victor_command import Command
from tests.contracts.eastpay import PRICE
from tests.providers.eastpay import adapter as eastpay
from tests.providers.systems import of_every_system
from tests.tiers import borders
from victor_ext.providers.eastpay import CardToken
from victor_ext.providers.velo import PaymentInstruction
from victor_ext.sandbox import Sandbox
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.velo import VeloSandbox
from victor_ext.systems import entry_points_of

pytestmark = pytest.mark.slow
SANDBOXES = of_every_system(
    __name__,
    {
        "victor": Sandbox,
        "velo": VeloSandbox,
        "eastpay": EastPaySandbox,
        "flexfactor": FlexFactorSandbox,
    },
)
ORDER = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"


@dataclass(frozen=True)
class Place:
    """A sandbox of a system, the command with its settings, and a client with the same ones."""

    system: str
    sandbox: Any
    command: Command
    client: Any

    def read(self, *words: str) -> Any:
        provider = () if self.system == "victor" else ("--provider", self.system)
        return self.command("read", *provider, *words)


def settings_of(system: str, sandbox: Any) -> dict[str, str]:
    """The variables of a client of a sandbox, with credentials of its own."""
    base_url = sandbox.url
    match system:
        case "victor":
            names = dict(
                zip(("client_id", "client_secret"), sandbox.add_oauth_client(), strict=True)
            )
        case "velo":
            names = dict(zip(("api_key", "api_secret"), sandbox.add_key(), strict=True))
        case "eastpay":
            sandbox.add_merchant(eastpay.ENTITY, eastpay.TOKEN)
            names = {"entity_id": eastpay.ENTITY, "token": eastpay.TOKEN}
            base_url = eastpay.settings(sandbox)["base_url"]
        case _:
            names = dict(zip(("app_key", "app_secret", "mid"), sandbox.add_client(), strict=True))
    values = names | {"base_url": base_url}
    prefix = f"{system.upper()}_"
    return {f"{prefix}{name.upper()}": value for name, value in values.items()}


@pytest.fixture
def place(system: str, bare_environment: dict[str, str]) -> Iterator[Place]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(SANDBOXES[system]())
        environment = {**bare_environment, **settings_of(system, sandbox)}
        with mock.patch.dict("os.environ", environment, clear=True):
            client = stack.enter_context(entry_points_of()[system].load().load("client").from_env())
        yield Place(system, sandbox, Command(environment), client)


def some_object(place: Place) -> tuple[str, str]:
    """An operation and the id of what it reads."""
    client, sandbox = place.client, place.sandbox
    match place.system:
        case "victor":
            return "payment_requests.get", sandbox.create_inbound("1500.00", notes="Deposit")
        case "eastpay":
            payment = client.payments.debit(
                PRICE, card=CardToken("token-1"), merchant_transaction_id="INV-1"
            )
            return "payments.inquire", payment.id
        case "flexfactor":
            sandbox.add_order("INV-1", provider_id=ORDER)
            return "orders.get", ORDER
    sandbox.add_payee("payee-7")
    sandbox.add_source_account("USD account", "USD", 100_000)
    payment = PaymentInstruction(
        remote_id="payee-7", amount=PRICE, source_account_name="USD account", payor_payment_id="1"
    )
    return "payouts.get", client.payouts.submit([payment])


def received(place: Place) -> list[str]:
    return [call.operation for call in place.sandbox.received()]


@pytest.mark.parametrize("system", SANDBOXES)
def test_it_prints_the_record_that_the_client_reads(place: Place) -> None:
    operation, id = some_object(place)
    record = place.client.read(operation, id).to_dict()
    ran = place.read(operation, id, "--json")
    assert (ran.status, ran.err, len(ran.out.splitlines())) == (0, "", 1)
    read = ran.json
    for of_exchange in ("ndc", "timestamp") if place.system == "eastpay" else ():
        assert bool(read.pop(of_exchange)) is bool(record.pop(of_exchange))
    assert read == json.loads(json.dumps(record))
    shown = place.read(operation, id)
    assert (shown.status, shown.err) == (0, "")
    assert shown.json.keys() >= record.keys()
    assert len(shown.out.splitlines()) > 1


@pytest.mark.parametrize("system", ["victor"])
def test_numbers_of_accounts_are_whole_for_programs_and_masked_for_people(place: Place) -> None:
    operation, id = some_object(place)
    whole = place.read(operation, id, "--json").json["payer"]
    masked = place.read(operation, id).json["payer"]
    assert masked.pop("account_number") == f"****{whole.pop('account_number')[-4:]}"
    assert masked.pop("routing_number") == f"****{whole.pop('routing_number')[-4:]}"
    assert masked == whole


@pytest.mark.parametrize("system", ["victor"])
def test_no_text_of_others_reaches_the_terminal_as_a_command(place: Place) -> None:
    id = place.sandbox.create_inbound("1.00", notes="Grüße \u202e \x1b[2J")
    ran = place.read("payment_requests.get", id)
    assert "Grüße" in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


@pytest.mark.parametrize("system", borders(SANDBOXES, "victor", "flexfactor"))
def test_every_write_is_refused_by_its_name(place: Place) -> None:
    _, id = some_object(place)
    before = received(place)
    for name in place.client.operation_names:
        if name in place.client.object_reads:
            continue
        ran = place.read(name, id, "--json")
        assert (ran.status, ran.out) == (2, "")
        assert ran.error["outcome"] is None
        assert f"{name!r} does not read one object by its id: nothing was sent" in ran.err
        assert all(known in ran.err for known in place.client.object_reads)
    assert received(place) == before


@pytest.mark.parametrize(
    ("system", "words", "message"),
    [
        ("velo", ["payouts.gte", "1"], "Did you mean 'payouts.get'?"),
        ("velo", ["payouts.get", "1", "2"], "payouts.get takes payout_id, and 2 ids were passed"),
        ("velo", ["payouts.get", ".."], "payout_id"),
    ],
)
def test_a_mistake_sends_nothing(place: Place, words: list[str], message: str) -> None:
    before = received(place)
    ran = place.read(*words)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert received(place) == before


@pytest.mark.parametrize("system", ["flexfactor"])
def test_what_is_not_there_ends_with_1(place: Place) -> None:
    ran = place.read("orders.get", ORDER, "--json")
    assert (ran.status, ran.out, ran.error["type"]) == (1, "", "NotFound")
    assert ran.error["outcome"] is None


@pytest.mark.parametrize("system", ["velo"])
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("payouts.", ["payouts.get", "payouts.history", "payouts.statistics"]),
        ("payouts.i", []),  # instruct is a write
    ],
)
def test_a_shell_completes_what_reads(place: Place, typed: str, offered: list[str]) -> None:
    words = f"victor read --provider velo {typed}"
    ran = place.command.in_a_process(
        _VICTOR_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="4"
    )
    assert (ran.out.split(), ran.err) == (offered, "")
