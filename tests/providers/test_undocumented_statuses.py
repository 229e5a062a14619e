"""Generated operations called directly: a good status that the document does not list is an error
of ours.
"""

import importlib
import pickle
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.cases import cases_beside
from tests.frames import HAND_WRITTEN, locals_of
from tests.providers.running import QUICK, Script, run
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import Outcome, UnreadableResponse, VictorError


@dataclass(frozen=True)
class Operation:
    """A generated operation of a system, and a good answer to it.

    The body is the name of a model, with its members.
    """

    system: str
    name: str
    answer: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    body: Sequence[Any] | None = None

    def __str__(self) -> str:
        return self.name.rpartition(".")[2]

    def call(self, client: Any, way: str) -> Any:
        arguments = self.arguments
        if self.body is not None:
            model = getattr(importlib.import_module(f"{self.system}_api.models"), self.body[0])
            arguments = {**arguments, "body": model.from_dict(self.body[1])}
        return getattr(importlib.import_module(f"{self.system}_api.api.{self.name}"), way)(
            client=client, **arguments
        )


CASES = cases_beside(__file__)
WRITES, READS = ([Operation(**each) for each in CASES[kind]] for kind in ("writes", "reads"))
STATUSES = [201, 202, 205, 206, 299]
"""None of them is in any of the four documents for these operations."""


def call(operation: Operation, answer: httpx.Response, way: str) -> tuple[Any, Script]:
    """What a call in a way comes to: what it returns, or what it raises."""
    script, kind = Script(answer), CLIENTS[operation.system][way.startswith("asyncio")]
    options = {**ARGUMENTS[operation.system], "transport": script.transport, "retry": QUICK}
    try:
        return run(kind, lambda client: operation.call(client.api, way), **options), script
    except VictorError as error:
        return error, script


ways = pytest.mark.parametrize("way", ["sync", "sync_detailed", "asyncio", "asyncio_detailed"])


@ways
@pytest.mark.parametrize("operation", [*WRITES, *READS], ids=str)
def test_a_good_status_that_is_not_documented_says_what_is_known(
    operation: Operation, way: str
) -> None:
    documented, _ = call(operation, httpx.Response(200, json=operation.answer), way)
    assert documented is not None and not isinstance(documented, VictorError)
    for status in STATUSES:
        answer = httpx.Response(status, json=operation.answer, headers={"x-request-id": "r-77"})
        error, script = call(operation, answer, way)
        assert type(error) is UnreadableResponse
        assert (error.outcome, error.status_code, error.attempts) == (Outcome.ACCEPTED, status, 1)
        assert (error.idempotency_key, error.request_id, error.body) == (
            operation.key,
            "r-77",
            answer.content,
        )
        assert f"HTTP {status}" in str(error)
        assert "not in the provider's document" in str(error)
        assert len(script.requests) == 1
        if error.request.method != "GET":
            advice = "Repeat only with the same key" if operation.key else "Do not send it again"
            assert advice in str(error)
        assert pickle.loads(pickle.dumps(error)).outcome is Outcome.ACCEPTED
        assert error.__cause__ is error.__context__ is None
        assert "043987673645" not in repr(error) + repr([*locals_of(error, (HAND_WRITTEN,))])


@ways
@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_one_without_a_body_and_a_status_that_is_not_good(operation: Operation, way: str) -> None:
    for status in (204, 205, 201):
        error, _ = call(operation, httpx.Response(status), way)
        assert type(error) is UnreadableResponse
        assert (error.outcome, error.idempotency_key) == (Outcome.UNKNOWN, operation.key)
        assert (error.status_code, error.body) == (status, b"")
    for status, outcome in (
        (300, "unknown"),
        (304, "unknown"),
        (402, "rejected"),
        (418, "rejected"),
        (599, "unknown"),
    ):
        error, _ = call(operation, httpx.Response(status, json={}), way)
        assert (error.outcome, error.idempotency_key, error.status_code) == (
            outcome,
            operation.key,
            status,
        )


@ways
@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_an_error_beside_a_good_answer_is_no_success(operation: Operation, way: str) -> None:
    for said in ({"error": {"code": 101}}, {"errors": ["no"]}):
        error, _ = call(operation, httpx.Response(200, json={**operation.answer, **said}), way)
        assert type(error) is UnreadableResponse
        assert (error.outcome, error.idempotency_key) == (Outcome.UNKNOWN, operation.key)


@ways
def test_a_result_in_an_error_status_that_is_not_documented(way: str) -> None:
    """The gateway may answer so of a payment that is under way."""
    pay = next(operation for operation in WRITES if operation.system == "eastpay")
    answer = httpx.Response(
        402, json={"id": "p-1", "result": {"code": "000.200.100", "description": "under way"}}
    )
    error, _ = call(pay, answer, way)
    assert re.search("status 402: under way .* The provider may have executed it", str(error))
    assert (type(error), error.outcome, error.body) == (
        UnreadableResponse,
        Outcome.UNKNOWN,
        answer.content,
    )
