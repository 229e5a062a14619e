"""The workers: half of them threads that share a `Victor`, half of them tasks that share an `AsyncVictor`."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from soak.observed import Observed, Payment
from victor_ext import (
    AsyncVictor,
    AttemptStarted,
    PaymentRequest,
    RetryPolicy,
    Victor,
    VictorError,
    VictorJwt,
    VictorOAuth,
)


@dataclass
class Orders:
    """What there is to ask for, until there is enough of it or time is up."""

    seed: int
    calls: int
    seconds: float
    started: float = field(default_factory=time.monotonic)
    stopped: bool = False
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def next(self) -> Payment | None:
        """The next call's payment. Safe to ask for from any thread."""
        if self.stopped or time.monotonic() - self.started > self.seconds:
            return None
        number = next(self._numbers)
        return Payment(self.seed, number) if number < self.calls else None

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started


@dataclass(frozen=True)
class Team:
    """A sync or async client, and the workers that share it."""

    auth: VictorJwt | VictorOAuth
    options: dict[str, Any]
    workers: int
    orders: Orders
    observed: Observed
    due: date = field(default_factory=lambda: datetime.now(UTC).date())

    def arguments(self, payment: Payment) -> dict[str, Any]:
        """Of `create`."""
        return {
            "payee_account_number": "043987673645",
            "payer_counterparty_id": "ignoresRfp",
            "amount": f"{payment.number % 9000 + 1}.{payment.number % 100:02}",
            "biller_type": "BUSINESS",
            "due_date": self.due,
            "client_reference_id": payment.reference,
            "idempotency_key": payment.key,
        }

    def note(self, payment: Payment, began: float, result: PaymentRequest | Exception) -> None:
        """Record the result of a call."""
        observed = self.observed
        observed.seconds.append(time.monotonic() - began)
        if isinstance(result, PaymentRequest):
            observed.words[payment.call] = "success"
            observed.ids[payment.call] = result.id
            if (result.client_reference_id, result.idempotency_key) != (payment.reference, payment.key):
                observed.wrong.append(f"{payment.reference}: got {result.client_reference_id!r}")
        elif isinstance(result, VictorError):
            observed.words[payment.call] = result.outcome.value
            if result.idempotency_key != payment.key:
                observed.wrong.append(f"{payment.reference}: an error with the key {result.idempotency_key!r}")
        else:
            observed.words[payment.call] = "broken"
            observed.wrong.append(f"{payment.reference}: raised {result!r}")

    def client_options(self) -> dict[str, Any]:
        """Of either client."""

        def note_attempt(event: object) -> None:
            if isinstance(event, AttemptStarted):
                self.observed.attempt()

        return {**self.options, "on_event": note_attempt}


def run_threads(team: Team) -> None:
    """All the calls of the threads."""
    with Victor(team.auth, **team.client_options()) as victor:

        def work() -> None:
            while (payment := team.orders.next()) is not None:
                began = time.monotonic()
                result: PaymentRequest | Exception
                try:
                    result = victor.payment_requests.create(**team.arguments(payment))
                except Exception as error:  # noqa: BLE001 - whatever it is, the caller observed it
                    result = error
                team.note(payment, began, result)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(team.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def run_tasks(team: Team) -> None:
    """All the calls of the tasks."""
    async with AsyncVictor(team.auth, **team.client_options()) as victor:

        async def work() -> None:
            while (payment := team.orders.next()) is not None:
                began = time.monotonic()
                result: PaymentRequest | Exception
                try:
                    result = await victor.payment_requests.create(**team.arguments(payment))
                except Exception as error:  # noqa: BLE001 - whatever it is, the caller observed it
                    result = error
                team.note(payment, began, result)

        async with asyncio.TaskGroup() as group:
            for _ in range(team.workers):
                group.create_task(work())


def run(threads: Team, tasks: Team) -> Iterator[None]:
    """Run both teams; yields now and then until they are done."""
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(run_threads, threads), pool.submit(lambda: asyncio.run(run_tasks(tasks)))]
        while wait(both, timeout=0.25).not_done:
            yield
        for each in both:
            each.result()


def retry() -> RetryPolicy:
    """As the clients have it by default, with shorter waits: the proxy does not get better by waiting."""
    return RetryPolicy(base=0.05, cap=1.0)
