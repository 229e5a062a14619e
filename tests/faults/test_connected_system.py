"""A system that is connected by its document alone stands the same cuts: at every byte, and held against the record."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from victor_api.api.payment_requests import create_request_payment, get_payment_request
from victor_api.client import Client
from victor_api.models import NewRtpRfpPaymentRequest

from tests.faults.adapters import CALLERS, Caller, Operation, adapter, arguments, timeouts
from tests.faults.raw_sockets import Background, End
from tests.faults.test_fault_matrix import PATIENT, STALL, complaints, ending, points, the_cuts, whole_exchange
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


each_operation = pytest.mark.parametrize("operation", ["get", "create"])
each_mode = pytest.mark.parametrize("mode", MODES)


@pytest.mark.parametrize("side", ["request", "answer"])
@pytest.mark.parametrize("how", ["reset", "close"])
@each_operation
@each_mode
def test_cut_at_every_byte(background: Background, mode: str, operation: Operation, how: End, side: str) -> None:
    wrong: list[str] = []
    with adapter(background, mode) as on:
        whole = whole_exchange(on, operation)
        for cut in points(whole, side, how):
            for always in (False, True):
                run = on.run(operation, the_cuts(operation, cut, always=always))
                wrong += complaints(run, cut, whole, always=always)
    assert wrong == []


@each_operation
@each_mode
@pytest.mark.parametrize("work", [False, True], ids=["before the work", "after the work"])
def test_a_stall_between_the_request_and_the_answer(
    background: Background, mode: str, operation: Operation, work: bool
) -> None:
    with adapter(background, mode, direct=True, timeout=timeouts(STALL), retry=PATIENT) as on:
        on.provider.acts.append(ending("stall", work=work))
        run = on.run(operation)
        assert (run.observed.word, run.mismatches()) == ("success", [])
