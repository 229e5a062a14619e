"""Callers of every write of every system: what they are told is compared with what the provider did."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tests.histories.provider import KEPT, Rules, Work
from tests.histories.world import Machine, Process, Wire, World
from victor_ext import (
    AsyncVictor,
    BearerAuth,
    HeaderKey,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
    connect,
    connect_async,
    idempotency_key_for,
)
from victor_ext.providers import Money
from victor_ext.providers.eastpay import AsyncEastPay, Card, EastPay
from victor_ext.providers.flexfactor import AsyncFlexFactor, FlexFactor, FlexFactorAuth, Payer, Transaction
from victor_ext.providers.flexfactor import Card as CardToken
from victor_ext.providers.velo import AsyncVelo, PaymentInstruction, Velo, VeloAuth
from victor_ext.spec.generate import generate

NOTHING, DONE = {"rejected", "not_sent"}, {"accepted"}
QUICK = RetryPolicy(base=0.0, max_attempts=3, quota=10**9)
DUE = datetime.now(UTC).date()
BASE: dict[str, Any] = {
    "payee_account_number": "043987673645", "payer_counterparty_id": "aHeq349838", "amount": "44.23",
    "biller_type": "BUSINESS", "due_date": DUE, "notes": "For March", "ultimate_creditor": "Acme",
    "amount_modification_allowed": True,
}  # fmt: skip
OTHER: list[dict[str, Any]] = [
    {}, {}, {}, {"due_date": DUE + timedelta(days=1)}, {"biller_type": "CONSUMER", "ultimate_creditor": None},
    {"notes": "For April"}, {"ultimate_creditor": "Other"}, {"amount_modification_allowed": False}, {"amount": "44.24"},
    {"payer_counterparty_id": "c2"}, {"payee_account_number": "043987673646"}, {"notes": None},
]  # fmt: skip
"""What a caller changes under the same key, by mistake."""
USD, CARD = Money.of("44.23", "USD"), Card("4111111111111111", expiry_month=12, expiry_year=2030, cvv="123")
FILE = b"header:" + bytes(range(200)) * 3


@cache
def kiosk() -> Any:
    """The package of `kiosk.yaml`, generated once in each process."""
    folder = tempfile.mkdtemp(prefix="kiosk-")
    generate(Path(__file__).with_name("kiosk.yaml"), Path(folder))
    sys.path.insert(0, folder)
    for name in ("client", "models", "types", "api.kiosk.take_payment", "api.kiosk.place_order"):
        importlib.import_module(f"kiosk_api.{name}")
    for name in ("upload_raw", "upload_form"):
        importlib.import_module(f"kiosk_api.api.kiosk.{name}")
    return sys.modules["kiosk_api"]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


async def _awaited(make: Callable[[], Any]) -> Any:
    return make()


@dataclass(frozen=True)
class Operation:
    """A write: how it is called for a fact, and what its result shows of what was done."""

    system: str
    call: Callable[[Any, str, dict[str, Any]], Any]
    fact: Callable[[str], str] = lambda name: name
    id_of: Callable[[Any], str | None] = lambda _result: None
    is_keyed: bool = False
    has_body: bool = False


def _respond(word: str) -> Callable[[Any, str, dict[str, Any]], Any]:
    return lambda victor, name, changed: getattr(victor.payment_requests, word)(
        name, notes=changed.get("notes") or "Thanks."
    )


def _in_kiosk(operation: str, body: Callable[[str], Any]) -> Callable[[Any, str, dict[str, Any]], Any]:
    def call(client: Any, name: str, _changed: dict[str, Any]) -> Any:
        module = importlib.import_module(f"kiosk_api.api.kiosk.{operation}")
        if hasattr(client, "__aenter__"):
            return _parsed(module.asyncio_detailed(client=client.with_key(name), body=body(name)))
        return module.sync_detailed(client=client.with_key(name), body=body(name)).parsed

    return call


async def _parsed(response: Any) -> Any:
    return (await response).parsed


_files: dict[str, Any] = {}


def _file(name: str) -> Any:
    """The file of a fact: one that is open, and stands behind its header. Who repeats a call, passes the same one."""
    if name not in _files:
        _files[name] = kiosk().types.File(payload=io.BytesIO(FILE), file_name="f")
        _files[name].payload.seek(7)
    return _files[name]


def _sale(name: str) -> Any:
    return kiosk().models.Sale(amount=4423, reference=name)


def _key(name: str) -> str:
    return idempotency_key_for("history", name)


def _result_id(result: Any) -> str | None:
    return result.get("id") if isinstance(result, dict) else getattr(result, "id", None)


OPERATIONS: dict[str, Operation] = {
    "create": Operation(
        "victor",
        lambda victor, name, changed: victor.payment_requests.create(
            **{**BASE, "client_reference_id": f"INV-{name}", **changed}, idempotency_key=name
        ),
        id_of=_result_id,
        is_keyed=True,
    ),
    "accept": Operation("victor", _respond("accept"), lambda name: f"POST /v2/payment-requests/respond-to-request/{name}"),
    "decline": Operation("victor", _respond("decline"), lambda name: f"POST /v2/payment-requests/respond-to-request/{name}"),
    "submit": Operation(
        "velo",
        lambda velo, name, _: velo.payouts.submit(
            [PaymentInstruction(remote_id="p7", amount=USD, source_account_name="USD", payor_payment_id=name)]
        ),
        id_of=lambda result: str(result),
    ),
    "instruct": Operation("velo", lambda velo, name, _: velo.payouts.instruct(name), lambda name: f"POST /v3/payouts/{name}"),
    "withdraw": Operation("velo", lambda velo, name, _: velo.payouts.withdraw(name), lambda name: f"DELETE /v3/payouts/{name}"),
    "debit": Operation(
        "eastpay",
        lambda eastpay, name, _: eastpay.payments.debit(USD, card=CARD, merchant_transaction_id=name),
        id_of=_result_id,
    ),
    "refund": Operation(
        "eastpay", lambda eastpay, name, _: eastpay.payments.refund("R00000x7", USD, merchant_transaction_id=name), id_of=_result_id
    ),
    "evaluate": Operation(
        "flexfactor",
        lambda flex, name, _: flex.evaluate(
            order_id=f"INV-{name}", amount=USD, payer=Payer(email="ada@example.com"),
            card=CardToken(token="tok_4242"), idempotency_key=name,
            transaction=Transaction(id="t-1", occurred_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ),
        id_of=lambda result: result.order_id if result.approved else None,
        is_keyed=True,
    ),
    "capture": Operation("flexfactor", lambda flex, name, _: flex.capture("ord-1", USD, idempotency_key=name), is_keyed=True),
    "order refund": Operation("flexfactor", lambda flex, name, _: flex.orders.refund(name, USD), lambda name: f"POST /v1/orders/{name}/refund"),
    "cancel": Operation("flexfactor", lambda flex, name, _: flex.orders.cancel("ord-1", idempotency_key=name), is_keyed=True),
    "take": Operation("kiosk", _in_kiosk("take_payment", _sale), id_of=_result_id, is_keyed=True, has_body=True),
    "place": Operation("kiosk", _in_kiosk("place_order", _sale), id_of=_result_id, is_keyed=True, has_body=True),
    "raw": Operation("kiosk", _in_kiosk("upload_raw", _file), id_of=_result_id, is_keyed=True, has_body=True),
    "form": Operation("kiosk", _in_kiosk("upload_form", lambda name: kiosk().models.Form(file=_file(name))), id_of=_result_id, is_keyed=True, has_body=True),
}  # fmt: skip


def client(system: str, process: Process, *, awaited: bool = False) -> Any:
    """A client of a process that has just started."""
    options: dict[str, Any] = {"transport": Wire(process), "retry": QUICK, "deadline": 60.0}
    if system == "victor":
        made = (AsyncVictor if awaited else Victor)(VictorOAuth(process.account, "a-secret"), base_url="https://victor.test", **options)
    elif system == "velo":
        made = (AsyncVelo if awaited else Velo)(VeloAuth(process.account, "a-secret"), base_url="https://velo.test", **options)
    elif system == "eastpay":
        made = (AsyncEastPay if awaited else EastPay)("token-" + "A" * 40, entity_id="E1", base_url="https://eastpay.test/eastpay", **options)
    elif system == "flexfactor":
        made = (AsyncFlexFactor if awaited else FlexFactor)(FlexFactorAuth("key", "a-secret"), mid="3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71", base_url="https://flexfactor.test", **options)
    else:
        made = (connect_async if awaited else connect)(kiosk().client.Client, base_url="https://kiosk.test", auth=BearerAuth("token-A"), key=HeaderKey(), **options)
    made._driver.sleep = process.world.asleep if awaited else process.world.sleep
    return made


@dataclass(frozen=True)
class Told:
    """What a caller was told of one call; `word` is an outcome, or "success"."""

    call: int
    word: str
    status: int | None
    result: Any
    sent: dict[str, Any]
    works: tuple[Work, ...]
    """What had been done for the fact when the call ended."""

    def __str__(self) -> str:
        return f"call {self.call} ({self.word}, {self.status}: {self.result!r:.200})"


class Calls:
    """Three callers and two facts of one operation."""

    def __init__(self, operation: str, rules: Rules, awaited: bool) -> None:
        self.world = World(rules)
        self.operation, self.awaited = OPERATIONS[operation], awaited
        self.processes = [Process(self.world, Machine()) for _ in range(1 if awaited else 3)]
        self.names = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(2)]
        if "respond" in self.operation.fact(""):
            self.world.provider.inbound = {name: {"amount": "44.23"} for name in self.names}
        _files.clear()
        self.clients = [self._client(process) for process in self.processes]
        self.told: dict[str, list[Told]] = {name: [] for name in self.names}
        self.begun: dict[str, tuple[float, int]] = {}
        self.calls = 0

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {"operation": dice.choice([*OPERATIONS, *["create"] * 6]), "rules": Rules.draw(dice), "awaited": dice.random() < 0.2}

    def _client(self, process: Process) -> Any:
        make = lambda: client(self.operation.system, process, awaited=self.awaited)  # noqa: E731
        return _loop().run_until_complete(_awaited(make)) if self.awaited else make()

    def start(self, number: int, choice: int) -> None:
        """A caller calls, unless what it knows forbids it."""
        name, process = self.names[choice % 2], self.processes[number]
        since, open_calls = self.begun.get(name, (self.world.now, 0))
        told = self.told[name]
        if self.operation.is_keyed:
            if self.world.now - since > KEPT / 2:
                return
        elif open_calls > len(told) or any(each.word not in NOTHING for each in told):
            return
        self.begun[name] = since, open_calls + 1
        process.start(lambda: self._call(number, name, OTHER[choice % len(OTHER)]))

    def kill(self, number: int) -> None:
        process = self.processes[number]
        process.kill()
        self.clients[number] = self._client(process)

    def _call(self, number: int, name: str, changed: dict[str, Any]) -> None:
        self.calls += 1
        call = self.processes[number].call = self.calls
        operation = self.operation
        result, status = None, None
        try:
            make = lambda: operation.call(self.clients[number], name, changed)  # noqa: E731
            result = _loop().run_until_complete(make()) if self.awaited else make()
            word = "success"
        except VictorError as error:
            word, status, result = error.outcome.value, error.status_code, error
        works = tuple(self.world.provider.of(operation.fact(name)))
        self.told[name].append(Told(call, word, status, result, changed, works))

    def meanwhile(self, choice: int) -> None:
        """Nothing that others do matters to these calls."""

    def end(self) -> None:
        """Nothing: what callers were told, they were told."""

    settled = frozenset({"success", "rejected", "unknown"})
    """What may be told where nothing goes wrong: callers may use a key for other values."""

    def words(self) -> Iterator[str]:
        return (told.word for calls in self.told.values() for told in calls)

    def judge(self) -> Iterator[str]:
        for name in self.names:
            works = self.world.provider.of(self.operation.fact(name))
            if len(works) > 1:
                yield f"asked twice: {name} was done {len(works)} times"
            for told in self.told[name]:
                yield from self._judge(told)

    def _judge(self, told: Told) -> Iterator[str]:
        did = [work for work in told.works if work.call == told.call]
        if told.word in NOTHING and did:
            yield f"told wrong: {told}, and it did the work"
        elif told.word == "rejected" and told.status == 409 and told.works and self.operation.is_keyed:
            yield f"told wrong: {told}, and there is {told.works[0].id} under its key"
        if told.word in DONE and not told.works:
            yield f"told wrong: {told}, and nothing was done"
        if told.word != "success":
            return
        if not told.works:
            yield f"told wrong: {told}, and nothing was done"
            return
        named = self.operation.id_of(told.result)
        if named is not None and named not in [work.id for work in told.works]:
            yield f"told wrong: {told} names {named}, and it is {told.works[0].id}"
        if self.operation.has_body and told.result is None and told.works[0].reply.body:
            yield f"silent success: {told}, and the answer was {told.works[0].reply.body!r}"
        yield from self._judge_values(told)

    def _judge_values(self, told: Told) -> Iterator[str]:
        work, provider = told.works[0], self.world.provider
        if "content" in work.values and FILE[7:] not in work.values["content"] or FILE in work.values.get("content", b""):
            yield f"told wrong: {told}, and {len(work.values['content'])} bytes of the file arrived"
        if self.operation is OPERATIONS["create"]:
            shown = json.dumps(provider.shown(work, provider.rules.detail))
            for name, value in told.sent.items():
                text = value.isoformat() if isinstance(value, date) else value
                found = [each for path, each in work.values.items() if path.endswith(PATHS.get(name, name))]
                if found and found[0] != text and text is not None and json.dumps(found[0]) in shown:
                    yield f"told wrong: {told} with {name} {text!r}, and {work.id} has {found[0]!r}"
        if told.works[0].fact.startswith("POST /v2") and work.values["notes"] != (told.sent.get("notes") or "Thanks."):
            yield f"told wrong: {told}, and the notes are {work.values['notes']!r}"


PATHS = {"payee_account_number": "account_number", "payer_counterparty_id": "counterparty_id"}
