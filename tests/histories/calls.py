"""Callers of every write of every system: what they are told is compared with what the provider
did.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple
from unicodedata import normalize

from tests.fifth_system.adapter import AsyncTiny, Tiny
from tests.histories.provider import KEPT, Rules, Work
from tests.histories.world import BEGINS, Process, Wire, World
from tests.payments import payment
from victor_ext import (
    AsyncVictor,
    RetryPolicy,
    Victor,
    VictorError,
    VictorOAuth,
    idempotency_key_for,
)
from victor_ext.providers import Money
from victor_ext.providers.eastpay import AsyncEastPay, CardToken, EastPay
from victor_ext.providers.flexfactor import (
    AsyncFlexFactor,
    Card,
    FlexFactor,
    FlexFactorAuth,
    Payer,
    Transaction,
)
from victor_ext.providers.velo import AsyncVelo, PaymentInstruction, Velo, VeloAuth

QUICK = RetryPolicy(base=0.0, max_attempts=3, quota=10**9)
DUE = BEGINS.date()
BASE: dict[str, Any] = {
    **payment(due_date=DUE),
    "notes": "Für März",
    "ultimate_creditor": "Acme",
    "amount_modification_allowed": True,
}
OTHER: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"due_date": DUE + timedelta(days=1)},
    {"biller_type": "CONSUMER", "ultimate_creditor": None},
    {"notes": "For April"},
    {"ultimate_creditor": "Other"},
    {"amount_modification_allowed": False},
    {"amount": "44.24"},
    {"payer_counterparty_id": "c2"},
    {"payee_account_number": "043987673646"},
    {"notes": None},
    {"notes": normalize("NFD", "Für März")},
]
"""What a caller changes under the same key, by mistake. Another Unicode form is no other text."""
USD = Money.of("44.23", "USD")
DECLINED = Transaction(id="t-1", occurred_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
MERCHANT = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
_loop = cache(asyncio.new_event_loop)


class Operation(NamedTuple):
    """A write: the name of its method, and its arguments.

    `fact` comes before the name of a fact in what the provider knows a write without a key by.
    `terms` are what an outbox is told beside the arguments.
    """

    system: str
    name: str
    arguments: Callable[[str], tuple[tuple[Any, ...], dict[str, Any]]]
    fact: str = ""
    is_keyed: bool = False
    terms: Mapping[str, Any] = {}

    def call(self, client: Any, key: str, changed: dict[str, Any]) -> Any:
        """Call it as a program does, with these values changed."""
        args, named = self.arguments(key)
        if self.fact == RESPOND:
            named["notes"] = changed.get("notes") or "Thanks."
            if "amount" in changed and self.name.endswith("accept"):
                named["modified_amount"] = changed["amount"]
        elif self.system == "victor":
            named.update(changed)
        if self.is_keyed:
            named["idempotency_key"] = key
        return attrgetter(self.name)(client)(*args, **named)


def _pay(*names: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    usual: dict[str, Any] = {"remote_id": "p7", "amount": USD, "source_account_name": "USD"}
    return ([PaymentInstruction(**usual, payor_payment_id=name) for name in names],), {}


RESPOND = "POST /v2/payment-requests/respond-to-request/"
LOOKED_UP = {"look_up_by": {"payor_id": MERCHANT}}
RESCUED = {
    "payer": Payer(email="ada@example.com"),
    "card": Card("t_1"),
    "transaction": DECLINED,
    "amount": USD,
}
OPERATIONS: dict[str, Operation] = {
    "create": Operation(
        "victor",
        "payment_requests.create",
        lambda name: ((), {**BASE, "client_reference_id": f"INV-{name}"}),
        is_keyed=True,
    ),
    **{
        word: Operation(
            "victor",
            f"payment_requests.{word}",
            lambda name: ((name,), {"notes": "Thanks."}),
            RESPOND,
        )
        for word in ("accept", "decline")
    },
    "submit": Operation("velo", "payouts.submit", _pay, terms=LOOKED_UP),
    "submit two": Operation(
        "velo", "payouts.submit", lambda name: _pay(name, "more"), terms=LOOKED_UP
    ),
    "instruct": Operation(
        "velo", "payouts.instruct", lambda name: ((name,), {}), "POST /v3/payouts/"
    ),
    "withdraw": Operation(
        "velo", "payouts.withdraw", lambda name: ((name,), {}), "DELETE /v3/payouts/"
    ),
    "debit": Operation(
        "eastpay",
        "payments.debit",
        lambda name: ((USD,), {"card": CardToken("t"), "merchant_transaction_id": name}),
        terms={"at_most_once": True},
    ),
    "refund": Operation(
        "eastpay",
        "payments.refund",
        lambda name: (("R7x", USD), {"merchant_transaction_id": name}),
        terms={"at_most_once": True},
    ),
    "evaluate": Operation(
        "flexfactor",
        "evaluate",
        lambda name: ((), {**RESCUED, "order_id": f"INV-{name}"}),
        is_keyed=True,
    ),
    "capture": Operation("flexfactor", "capture", lambda _: (("o-1", USD), {}), is_keyed=True),
    "give back": Operation(
        "flexfactor",
        "orders.refund",
        lambda name: ((name, USD), {}),
        "POST /v1/orders/",
        terms={"at_most_once": True},
    ),
    "cancel": Operation("flexfactor", "orders.cancel", lambda _: (("o-1",), {}), is_keyed=True),
    "charge": Operation("tiny", "charges.create", lambda name: ((name, 4423), {}), is_keyed=True),
}
_CALLED = [name for name in OPERATIONS if name not in ("submit two", "charge")]


def key_of(number: int, form: Any) -> str:
    """The key of a payment whose name is written in this Unicode form."""
    return idempotency_key_for("invoice", normalize(form, f"Mü-{number}"))


@cache
def _by_the_worlds_clock(kind: Any) -> Any:
    """A client's class whose waits, and those of its `with_options`, are by the clock of the
    world.
    """

    def assemble(self: Any, config: Any, connections: Any, **options: Any) -> None:
        kind._assemble(self, config, connections, **options)
        self._driver.sleep = (
            connections.world.asleep if hasattr(self, "__aenter__") else connections.world.sleep
        )

    return type(kind.__name__, (kind,), {"_assemble": assemble})


def client(
    system: str,
    process: Process,
    *,
    awaited: bool = False,
    deadline: float | None = 60.0,
    **options: Any,
) -> Any:
    """A client of a process that has just started."""
    user, secret = process.account, "not-a-secret"
    options |= {
        "transport": Wire(process),
        "retry": QUICK,
        "base_url": f"https://{system}.test",
        "deadline": deadline,
    }
    kinds, first, more = {
        "victor": ((Victor, AsyncVictor), VictorOAuth(user, secret), {}),
        "velo": ((Velo, AsyncVelo), VeloAuth(user, secret), {}),
        "eastpay": ((EastPay, AsyncEastPay), "token-" + "A" * 40, {"entity_id": "E1"}),
        "flexfactor": (
            (FlexFactor, AsyncFlexFactor),
            FlexFactorAuth("key", secret),
            {"mid": MERCHANT},
        ),
        "tiny": ((Tiny, AsyncTiny), "token-A", {}),
    }[system]
    made = kinds[awaited](first, **more, **options)
    made._driver.sleep = process.world.asleep if awaited else process.world.sleep
    made.__class__ = _by_the_worlds_clock(type(made))
    return made


def _form(value: Any) -> Any:
    return normalize("NFC", value) if isinstance(value, str) else value


class Told(NamedTuple):
    """What a caller was told of a call; `word` is an outcome, or "success"; `works`: what had been
    done by then.
    """

    call: int
    word: str
    status: int | None
    result: Any
    sent: dict[str, Any]
    works: list[Work]

    def __str__(self) -> str:
        return f"call {self.call} ({self.word}, {self.status}: {self.result!r:.200})"


class Calls:
    """Callers and two facts of one operation."""

    settled = frozenset({"success", "rejected", "unknown"})
    """What may be told where nothing goes wrong: they use a key for other values, too."""

    def __init__(self, operation: str, rules: Rules, awaited: bool, deadline: float | None) -> None:
        self.world, self.operation, self.awaited = World(rules), OPERATIONS[operation], awaited
        self.deadline = deadline
        self.response = {"accept": "Accepted", "decline": "Declined"}.get(operation)
        self.names = [key_of(number, "NFC") for number in range(2)]
        if self.response:
            self.world.provider.inbound = {name: {"amount": "44.23"} for name in self.names}
        self.processes = [Process(self.world) for _ in range(1 if awaited else 3)]
        self.clients = [self._client(process) for process in self.processes]
        self.told: dict[str, list[Told]] = {name: [] for name in self.names}
        self.begun: dict[str, tuple[float, int]] = {}
        self.calls = 0

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        operation = dice.choice([*_CALLED, *["create"] * 5])
        deadline = dice.choice([60.0, 60.0, None, 3 * KEPT])
        return {
            "operation": operation,
            "rules": Rules.draw(dice),
            "awaited": dice.random() < 0.2,
            "deadline": deadline,
        }

    def _client(self, process: Process) -> Any:
        async def make() -> Any:
            return client(self.operation.system, process, awaited=True, deadline=self.deadline)

        return (
            self._run(make)
            if self.awaited
            else client(self.operation.system, process, deadline=self.deadline)
        )

    def _run(self, call: Callable[[], Any]) -> Any:
        return _loop().run_until_complete(call()) if self.awaited else call()

    def start(self, number: int, choice: int) -> None:
        """A caller calls, unless what is known of the fact forbids it."""
        name, process = self.names[choice % 2], self.processes[number]
        since, calls = self.begun.get(name, (self.world.now, 0))
        told = self.told[name]
        may_repeat = calls == len(told) and all(
            each.word in ("rejected", "not_sent") for each in told
        )
        # a call without a deadline may take all of its key's life
        kept = KEPT / 2 if self.deadline == 60.0 else 100.0
        if self.world.now - since < kept if self.operation.is_keyed else may_repeat:
            self.begun[name] = since, calls + 1
            form = "NFD" if self.operation.is_keyed and choice % 3 == 0 else "NFC"
            process.start(
                lambda: self._call(
                    number, name, OTHER[choice % len(OTHER)], key_of(choice % 2, form)
                )
            )

    def kill(self, number: int) -> None:
        self.clients[number] = self._client(self.processes[number])

    def meanwhile(self, choice: int) -> None:
        """Nothing else happens."""

    def _call(self, number: int, name: str, changed: dict[str, Any], key: str) -> None:
        self.calls += 1
        call = self.processes[number].call = self.calls
        status = None
        try:
            result = self._run(lambda: self.operation.call(self.clients[number], key, changed))
            word = "success"
        except VictorError as error:
            word, status, result = error.outcome.value, error.status_code, error
        self.told[name].append(Told(call, word, status, result, changed, self._works(name)))

    def _works(self, name: str) -> list[Work]:
        return [
            work
            for work in self.world.provider.done
            if work.fact.startswith(self.operation.fact + name)
        ]

    def end(self) -> None:
        """What callers were told, they were told."""

    def words(self) -> Iterator[str]:
        return (told.word for calls in self.told.values() for told in calls)

    def judge(self) -> Iterator[str]:
        for name in self.names:
            works = self._works(name)
            if len(works) > 1:
                yield f"asked twice: {name} was done {len(works)} times"
            for told in self.told[name]:
                wrong = (
                    self._wrong_success(told) if told.word == "success" else self._wrong_error(told)
                )
                if wrong:
                    yield f"told wrong: {told}, and {wrong}"

    def _wrong_error(self, told: Told) -> str | None:
        is_nothing = told.word in ("rejected", "not_sent")
        if is_nothing and any(work.call == told.call for work in told.works):
            return "it did the work"
        says_used = told.status == 409 or told.call in self.world.used
        if is_nothing and says_used and told.works and self.operation.is_keyed:
            return f"there is {told.works[0].id} under its key"
        return "nothing was done" if told.word == "accepted" and not told.works else None

    def _wrong_success(self, told: Told) -> str | None:
        if not told.works:
            return "nothing was done"
        work, is_create = told.works[0], self.operation is OPERATIONS["create"]
        named = told.result if self.operation.system == "velo" else getattr(told.result, "id", None)
        if named != work.id and (is_create or (isinstance(named, str) and self.response is None)):
            return f"it is {work.id}"
        if self.response:
            modified = told.sent.get("amount") if self.response == "Accepted" else None
            meant = (self.response, told.sent.get("notes") or "Thanks.", modified)
            done = tuple(work.values.get(name) for name in ("status", "notes", "modified_amount"))
            return None if done == meant else f"{meant} was meant, and the answer is {done}"
        return self._other_value(told, work) if is_create else None

    def _other_value(self, told: Told, work: Work) -> str | None:
        """The first value that is another one than was sent, of those that the answer to `create`
        has.
        """
        shown = json.dumps(self.world.provider.shown(work, self.world.rules.detail))
        for name, value in told.sent.items():
            text, wire = (
                str(value) if isinstance(value, date) else value,
                name.replace("payer_", "victor_"),
            )
            found = next(
                (
                    each
                    for path, each in work.values.items()
                    if wire.endswith(path.rpartition(".")[2])
                ),
                text,
            )
            if text is not None and _form(found) != _form(text) and json.dumps(found) in shown:
                return f"{work.id} has {name} {found!r}, not {text!r}"
        return None
