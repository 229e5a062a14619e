"""The raw provider as a system of which only the document is known: `connect` with the generated package alone."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

from victor_api.api.payment_requests import create_request_payment, get_payment_request
from victor_api.client import Client
from victor_api.models import NewRtpRfpPaymentRequest

from tests.faults.adapters import CALLERS, Caller, Operation, arguments
from victor_ext import ClientCredentialsAuth, HeaderKey, connect, connect_async

MODES = ("connected", "connected, awaited")


def _exchange(operation: Operation, subject: str) -> tuple[Any, dict[str, Any]]:
    if operation == "get":
        return get_payment_request, {"victor_payment_request_id": subject}
    values = {name: str(value) for name, value in arguments("create", subject).items()}
    body = NewRtpRfpPaymentRequest.from_dict({"client_reference_id": subject, "payment_details": values})
    return create_request_payment, {"body": body, "idempotency_key": str(uuid.uuid4())}


def _record(read: Any, named: dict[str, Any], subject: str) -> Any:
    reference = read.additional_properties.get("client_reference_id") or getattr(read, "client_reference_id", None)
    return SimpleNamespace(
        id=read.victor_payment_request_id or subject,
        client_reference_id=reference,
        idempotency_key=named.get("idempotency_key"),
    )


AUTH = ClientCredentialsAuth("/v2/auth/token", "id", "not-a-secret")


class ConnectedCaller(Caller):
    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.client = connect(Client, auth=AUTH, key=HeaderKey(), **self.options)

    def _call(self, operation: Operation, subject: str) -> Any:
        module, named = _exchange(operation, subject)
        return _record(module.sync(client=self.client.api, **named), named, subject)

    def close(self) -> None:
        self.client.close()


class AwaitedConnectedCaller(Caller):
    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._runner = asyncio.Runner()
        self.client = self._runner.run(self._open())

    async def _open(self) -> Any:
        return connect_async(Client, auth=AUTH, key=HeaderKey(), **self.options)

    def _call(self, operation: Operation, subject: str) -> Any:
        module, named = _exchange(operation, subject)
        return _record(self._runner.run(module.asyncio(client=self.client.api, **named)), named, subject)

    def close(self) -> None:
        self._runner.run(self.client.close())
        self._runner.close()


CALLERS |= {"connected": ConnectedCaller, "connected, awaited": AwaitedConnectedCaller}
