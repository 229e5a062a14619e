"""Statuses that say no, with the work done or not, alone and after an answer that was lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.adapters import ATTEMPTS, MODES, Operation, adapter
from tests.faults.raw_provider import Act, Exchange, answer
from tests.faults.raw_sockets import Background

pytestmark = pytest.mark.slow
FINAL = (400, 401, 402, 403, 404, 405, 406, 409, 410, 412, 413, 415, 418, 422, 426, 431, 451, 499)
"""The provider refused."""
THROTTLED = 429
"""It refused before it began."""
FAILED = (408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524)
"""It, or something in front of it, failed: the work may have been done."""
STRANGE = (300, 304, 305, 501, 505, 507, 511, 530, 599, 600, 700, 999)
"""Nothing that the provider's document knows of: the work may have been done."""

each_mode = pytest.mark.parametrize("mode", MODES)


def says(status: int, *, work: bool = False) -> Act:
    def act(exchange: Exchange) -> None:
        if work:
            exchange.work()
        elif status in (401, THROTTLED):
            exchange.refuse()
        body = b"" if status in (204, 304) else b'{"status":0,"error":{"code":101,"message":"error.no"}}'
        exchange.send(answer(body, f"{status} Status"))

    return act


def lost(exchange: Exchange) -> None:
    exchange.work()
    exchange.end("close")


def cases() -> Iterator[tuple[str, list[Act], str, str]]:
    """A name, what the provider does, and what callers of create and accept must observe."""
    for status in FINAL:
        # Twice: after a 401 a token that was kept is fetched anew, and tried once.
        word = "unknown" if status == 409 else "rejected"  # a conflict is with something that exists
        yield f"{status}", [says(status)] * 2, word, word
        yield f"{status} after a lost answer", [lost, *[says(status)] * 2], "unknown", "unknown"
    yield "429", [says(THROTTLED)] * ATTEMPTS, "rejected", "rejected"
    yield "429 after a lost answer", [lost, *[says(THROTTLED)] * ATTEMPTS], "unknown", "unknown"
    yield "429 once", [says(THROTTLED)], "success", "success"
    for status in FAILED:
        yield f"{status} with the work", [says(status, work=True)] * ATTEMPTS, "unknown", "unknown"
        yield f"{status} without", [says(status)] * ATTEMPTS, "unknown", "unknown"
        yield f"{status} with the work, once", [says(status, work=True)], "success", "success"
        yield f"{status} without, once", [says(status)], "success", "unknown"
    for status in STRANGE:
        yield f"{status} with the work", [says(status, work=True)] * ATTEMPTS, "unknown", "unknown"
        yield f"{status} without", [says(status)] * ATTEMPTS, "unknown", "unknown"


@pytest.mark.parametrize("operation", ["create", "respond"])
@each_mode
def test_a_write(background: Background, mode: str, operation: Operation) -> None:
    wrong: list[str] = []
    with adapter(background, mode, direct=True) as on:
        for name, acts, of_create, of_answer in cases():
            wanted = of_create if operation == "create" else of_answer
            if wanted == "unknown" and operation == "respond" and "lost" not in name and "once" not in name:
                acts = [acts[0], *[says(503)] * ATTEMPTS]  # noqa: PLW2901 - nor can be seen what became of it
            on.provider.acts.extend(acts)
            run = on.run(operation)
            on.provider.acts.clear()
            wrong += [f"{name}: {lie}; {run}" for lie in run.mismatches()]
            if run.observed.word != wanted:
                wrong.append(f"{name}: got {run.observed.word}, not {wanted}; {run}")
    assert wrong == []
