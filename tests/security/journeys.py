"""Everything that a user does with a client, and everything that then goes wrong, as short as it
can be said.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.faults.adapters import Running
from tests.providers.victor.adapter import payment
from tests.security.secrets import ACCOUNT
from victor_ext import AsyncVictor, RetryPolicy, Victor, idempotency_key_for
from victor_ext.sandbox import Sandbox

STATUSES = (302, 400, 401, 403, 404, 409, 422, 500, 503)
PARTY = {"account_number": ACCOUNT, "routing_number": "011401533", "name": "A. Payer"}
ECHO = json.dumps(
    {"error": {"code": 101, "message": f"no account {ACCOUNT}", "field": f"payee.{ACCOUNT}"}}
)
SPRING = json.dumps(
    {"allErrors": [{"objectName": "r", "code": "Size", "defaultMessage": f"{ACCOUNT} is not ours"}]}
)


class Caller(Running):
    """A sync or async client. A call returns its result, or the exception that it raises."""

    def __init__(self, mode: str, auth: Any, **options: Any) -> None:
        self.events: list[Any] = []
        options = {
            "retry": RetryPolicy(base=0.0, max_attempts=2),
            "on_event": self.events.append,
            **options,
        }
        awaited = mode == "async"
        super().__init__(
            lambda: (AsyncVictor if awaited else Victor)(auth, **options),
            awaited=awaited,
            debug=True,
        )

    def __call__(self, method: str, **arguments: Any) -> Any:
        return self.run(
            getattr(self.client.payment_requests, method), listed=method == "list", **arguments
        )

    def run(
        self, call: Callable[..., Any], *given: Any, listed: bool = False, **arguments: Any
    ) -> Any:
        """Its result, awaited where calls are, or the exception that it raises."""
        try:
            found = self.result(lambda: call(*given, **arguments))
            return list(found) if listed else found
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be looked at
            return error

    def authorization(self) -> str:
        token: str = self.result(self.client.authorization)
        return token


@dataclass(frozen=True)
class Journey:
    """A call, and the faults that it meets.

    `fails`: whether it must, so that something is there to be looked at.
    """

    method: str
    arguments: Callable[[Sandbox], dict[str, Any]]
    fails: bool = False
    faults: tuple[tuple[str, dict[str, Any]], ...] = ()
    down: bool = False

    def run(self, mode: Caller, sandbox: Sandbox) -> Any:
        arguments = self.arguments(sandbox)
        for kind, options in self.faults:
            sandbox.inject(kind, times=None, **options)  # type: ignore[arg-type] # it is one of its words
        if self.down:
            sandbox.down()
        try:
            return mode(self.method, **arguments)
        finally:
            sandbox.up()
            sandbox.clear_faults()


@dataclass
class Journeys:
    """All of them."""

    number: int = field(default=0)

    def payment(self, **changes: Any) -> Callable[[Sandbox], dict[str, Any]]:
        self.number += 1
        key = idempotency_key_for("journey", self.number)
        known = {"client_reference_id": f"INV-{self.number}", "idempotency_key": key}
        values = payment(**{"payee_account_number": ACCOUNT, **known, **changes})
        return lambda _sandbox: values

    def all(self) -> Iterator[tuple[str, Journey]]:
        yield from self._that_succeed()
        yield from self._that_are_refused_here()
        yield from self._that_fail("create", self.payment)
        yield from self._that_fail("get", lambda: lambda sandbox: {"id": asked(sandbox)})
        yield from self._that_fail(
            "accept", lambda: lambda sandbox: {"id": asked(sandbox), "notes": "Thanks."}
        )
        yield from self._that_fail(
            "list", lambda: lambda _sandbox: {"direction": "inbound"}, (400,)
        )
        yield (
            "another payment under its key",
            self._answered("create", self.payment(), {"status": "created"}),
        )
        given = {"payment_request_response": {"status": "Rejected", "notes": f"from {ACCOUNT}"}}
        arguments = lambda sandbox: {"id": asked(sandbox), "notes": "Thanks."}  # noqa: E731 - short, and only here
        yield (
            "answered otherwise",
            self._answered("accept", arguments, {"status": "Pending"}, given),
        )
        options = {"status": 200, "body": json.dumps({"results": {"first": PARTY}})}
        yield "no page", self._failing("list", lambda _: {}, "status", options)
        options = {"status": 200, "body": json.dumps({"payment_request": {"payee": PARTY}})}
        yield "no request", self._failing("get", lambda _: {"id": "b34783af0"}, "status", options)
        yield (
            "waited in vain",
            Journey("wait", lambda sandbox: {"id": asked(sandbox), "timeout": 0}, True),
        )

    def _that_succeed(self) -> Iterator[tuple[str, Journey]]:
        since = datetime.now(UTC) - timedelta(days=1)
        yield "asked", Journey("create", self.payment())
        yield "listed", Journey("list", lambda _sandbox: {"start_datetime": since})
        yield (
            "found",
            Journey("find", lambda _: {"client_reference_id": "INV-1", "start_datetime": since}),
        )
        yield "read", Journey("get", lambda sandbox: {"id": asked(sandbox)})
        yield (
            "accepted",
            Journey("accept", lambda sandbox: {"id": asked(sandbox), "notes": "Thanks."}),
        )
        yield "declined", Journey("decline", lambda sandbox: {"id": asked(sandbox), "notes": "No."})
        yield (
            "waited for",
            Journey(
                "wait", lambda sandbox: {"id": asked(sandbox), "until": "pending", "timeout": 5}
            ),
        )

    def _that_are_refused_here(self) -> Iterator[tuple[str, Journey]]:
        for name, account in {
            "a number": int(ACCOUNT),
            "with a typing error": f"{ACCOUNT}-",
            "too long": ACCOUNT * 2,
            "bytes": ACCOUNT.encode(),
            "a float": float(ACCOUNT),
            "a Decimal": Decimal(ACCOUNT),
            "in a list": [ACCOUNT],
        }.items():
            yield (
                f"an account that is {name}",
                Journey("create", self.payment(payee_account_number=account), True),
            )
        yield "a float", Journey("create", self.payment(amount=44.23), True)

    def _that_fail(
        self, method: str, arguments: Callable[[], Any], statuses: tuple[int, ...] = STATUSES
    ) -> Iterator[tuple[str, Journey]]:
        faults: dict[str, dict[str, Any]] = {
            "lose_answer": {},
            "truncated_json": {},
            "malformed_json": {},
            "refuse": {},
            "cut_answer": {"after": 150},
            "cut_request": {"after": 200},
            "rate_limit": {"retry_after": 3600},
        }
        for kind, options in faults.items():
            yield f"{method}: {kind}", self._failing(method, arguments(), kind, options)
        for status in statuses:
            headers = {"location": "https://elsewhere.example/"} if status == 302 else {}
            for body in (ECHO, SPRING, f"<html>{ACCOUNT}</html>"):
                options = {"status": status, "body": body, "headers": headers}
                yield f"{method}: {status}", self._failing(method, arguments(), "status", options)
        options = {"status": 200, "body": f"<html>account {ACCOUNT}", "work": True}
        yield f"{method}: HTML", self._failing(method, arguments(), "html", options)
        yield (
            f"{method}: an error under a 200",
            self._failing(method, arguments(), "status", {**options, "body": ECHO}),
        )
        yield f"{method}: down", Journey(method, arguments(), True, down=True)

    def _answered(self, method: str, arguments: Any, *said: dict[str, Any]) -> Journey:
        """A good answer with a body of this kind, about another payment; of `accept`, what is read
        back as well.
        """
        details = {
            "payee": PARTY,
            "payer": PARTY,
            "payment_details": {"amount": "99.00", "notes": f"to {ACCOUNT}"},
        }
        body = {"victor_payment_request_id": "a7ffd43c37c1", "payment_request": details}
        for each in said:
            details |= {name: value for name, value in each.items() if isinstance(value, dict)}
            body |= {name: value for name, value in each.items() if isinstance(value, str)}
        options = {"status": 200, "body": json.dumps(body)}
        faults = [
            ("status", {**options, "operation": operation})
            for operation in ("create", "respond", "get")
        ]
        return Journey(method, arguments, True, tuple(faults))

    def _failing(self, method: str, arguments: Any, kind: str, options: dict[str, Any]) -> Journey:
        operations = ("respond", "get") if method == "accept" else (method,)
        return Journey(
            method,
            arguments,
            True,
            tuple((kind, {**options, "operation": each}) for each in operations),
        )


def asked(sandbox: Sandbox) -> str:
    """A request that we are asked to pay, to and from the account."""
    return sandbox.create_inbound("10.00", payer_account=ACCOUNT, payee_account=ACCOUNT)
