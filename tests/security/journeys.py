"""Everything that a user does with a client, and everything that then goes wrong, as short as it
can be said.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import uuid4

from tests.providers.running import Running
from tests.providers.victor.adapter import payment
from tests.security.secrets import ACCOUNT
from victor_ext import AsyncVictor, RetryPolicy, Victor
from victor_ext.sandbox import Sandbox

PARTY = {"account_number": ACCOUNT, "routing_number": "011401533", "name": "A. Payer"}
ECHO = json.dumps(
    {"error": {"code": 101, "message": f"no account {ACCOUNT}", "field": f"payee.{ACCOUNT}"}}
)
SPRING = json.dumps(
    {"allErrors": [{"objectName": "r", "code": "Size", "defaultMessage": f"{ACCOUNT} is not ours"}]}
)
Fault = tuple[str, dict[str, Any]]


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
        call = getattr(self.client.payment_requests, method)
        return self.run(call, listed=method == "list", **arguments)

    def run(
        self, call: Callable[..., Any], *given: Any, listed: bool = False, **arguments: Any
    ) -> Any:
        """Its result, awaited where calls are, or the exception that it raises."""
        try:
            result = self.result(lambda: call(*given, **arguments))
            return list(result) if listed else result
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be looked at
            return error

    def authorization(self) -> str:
        token: str = self.result(self.client.authorization)
        return token


class Journey(NamedTuple):
    """A call, and what each operation of the sandbox does meanwhile.

    `fails`: whether it must, so that something is there to be looked at.
    """

    method: str
    arguments: dict[str, Any]
    faults: tuple[Fault, ...] = ()
    fails: bool = False

    def run(self, mode: Caller, sandbox: Sandbox) -> Any:
        for kind, options in self.faults:
            sandbox.inject(kind, times=None, **options)  # type: ignore[arg-type] # it is one of its words
        try:
            return mode(self.method, **self.arguments)
        finally:
            sandbox.clear_faults()


def new_payment(**changes: Any) -> dict[str, Any]:
    """The arguments of a `create` that was not made before."""
    known = {"payee_account_number": ACCOUNT, "idempotency_key": str(uuid4())}
    return payment(**{**known, **changes})


def asked(sandbox: Sandbox) -> str:
    """A request that we are asked to pay, to and from the account."""
    return sandbox.create_inbound("10.00", payer_account=ACCOUNT, payee_account=ACCOUNT)


def journeys(sandbox: Sandbox) -> Iterator[Journey]:
    """All of them."""
    since = datetime.now(UTC) - timedelta(days=1)
    yield Journey("create", new_payment())
    yield Journey("list", {"start_datetime": since})
    yield Journey("find", {"client_reference_id": "INV-1", "start_datetime": since})
    yield Journey("get", {"id": asked(sandbox)})
    yield Journey("accept", {"id": asked(sandbox), "notes": "Thanks."})
    yield Journey("decline", {"id": asked(sandbox), "notes": "No."})
    yield Journey("wait", {"id": asked(sandbox), "until": "pending", "timeout": 5})
    yield Journey("wait", {"id": asked(sandbox), "timeout": 0}, fails=True)
    for account in (int(ACCOUNT), f"{ACCOUNT}-", ACCOUNT * 2, ACCOUNT.encode(), Decimal(ACCOUNT)):
        yield Journey("create", new_payment(payee_account_number=account), fails=True)
    yield Journey("create", new_payment(payee_account_number=[ACCOUNT]), fails=True)
    for fault in _faults():
        faults = tuple(
            (fault[0], {**fault[1], "operation": operation})
            for operation in ("create", "get", "respond")
        )
        yield Journey("create", new_payment(), faults, fails=True)
        yield Journey("get", {"id": asked(sandbox)}, faults, fails=True)
        yield Journey("accept", {"id": asked(sandbox), "notes": "Thanks."}, faults, fails=True)
    for body in (ECHO, json.dumps({"results": {"first": PARTY}})):
        answer = {"status": 200, "body": body, "operation": "list"}
        yield Journey("list", {}, (("status", answer),), fails=True)


def _faults() -> Iterator[Fault]:
    for kind in ("lose_answer", "truncated_json", "malformed_json", "refuse"):
        yield kind, {}
    yield "cut_answer", {"after": 150}
    yield "cut_request", {"after": 200}
    yield "rate_limit", {"retry_after": 3600}
    for status in (302, 400, 401, 403, 404, 409, 422, 500, 503):
        headers = {"location": "https://elsewhere.example/"} if status == 302 else {}
        for body in (ECHO, SPRING, f"<html>{ACCOUNT}</html>"):
            yield "status", {"status": status, "body": body, "headers": headers}
    for body in (ECHO, f"<html>account {ACCOUNT}", json.dumps(_anothers())):
        yield "status", {"status": 200, "body": body}


def _anothers() -> dict[str, Any]:
    """A good answer about another payment, which was answered otherwise."""
    details = {
        "payee": PARTY,
        "payer": PARTY,
        "payment_details": {"amount": "99.00", "notes": f"to {ACCOUNT}"},
        "payment_request_response": {"status": "Rejected", "notes": f"from {ACCOUNT}"},
    }
    return {"victor_payment_request_id": "a7ffd43c37c1", "payment_request": details}
