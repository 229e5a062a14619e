"""The tests of faults must be able to fail: each of these mistakes, made in a copy of the client, turns them red.

Four are made in what decides about a call, and three in the connections: what transports of others were seen to do.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.adapters import MODES
from tests.mistakes import Copy, Mistake, assert_noticed

_MATRIX, _STATUSES = "tests/faults/test_fault_matrix.py", "tests/faults/test_statuses.py"


def lost(operation: str) -> tuple[str, ...]:
    """The request was received and the work done, and no byte of the answer came: in both modes."""
    return tuple(
        f"{_MATRIX}::test_between_the_request_and_the_answer[after the work-reset-{mode}-{operation}]" for mode in MODES
    )


def statuses(operation: str) -> tuple[str, ...]:
    """Every kind of status: in both modes."""
    return tuple(f"{_STATUSES}::test_a_write[{mode}-{operation}]" for mode in MODES)


CUT = tuple(f"tests/faults/test_damaged_answers.py::test_damaged[{mode}-create]" for mode in MODES)
SELECTED = (*lost("create"), *lost("respond"), *statuses("create"), *statuses("respond"))
LOOP, CLASSIFICATION = "victor_ext.runtime.loop.attempts", "victor_ext.runtime.loop.classification"
POOL, PARSER = "victor_ext.runtime.http.connection_pool", "victor_ext.runtime.http.parser"
EXCHANGE = "head = yield from exchange(connection, request, self._route.message(connection, request), timeouts)"
SAME_EXCHANGE = EXCHANGE.replace(", timeouts)", ", timeouts=timeouts)")

MISTAKES = {
    "the key is made anew for each attempt": Mistake(
        f"{LOOP}:_Call._attempt_until_definite",
        "result = yield from self._attempt(request, counted=signed)",
        """
if signed and self._key:
    import uuid
    request.headers["Idempotency-Key"] = str(uuid.uuid4())
result = yield from self._attempt(request, counted=signed)
""",
        (*lost("create"), *statuses("create")),
        "the work was done 2 times",
    ),
    "an answer without a key is tried again": Mistake(
        f"{CLASSIFICATION}:may_repeat",
        "return has_key or method in SAFE_METHODS",
        "return True",
        (*lost("respond"), *statuses("respond")),
        "an answer without a key was sent 2 times",
    ),
    "a 5xx is reported as rejected": Mistake(
        f"{CLASSIFICATION}:_of_error_status",
        """
if status in profile.transient_statuses:
    return Failure(error_class, what, Repeat.REPEATABLE, Outcome.UNKNOWN, response)
""",
        """
if status in profile.transient_statuses:
    return Failure(error_class, what, Repeat.REPEATABLE, Outcome.REJECTED, response)
""",
        (*statuses("create"), *statuses("respond")),
        "502 with the work: rejected was reported, and the work was done; respond",
    ),
    "a 400 that follows a lost answer is reported as rejected": Mistake(
        f"{LOOP}:_Call._attempt_until_definite",
        "self._outcome = self._outcome.combined_with(result.outcome)",
        "self._outcome = result.outcome",
        statuses("create"),
        "400 after a lost answer: rejected was reported, and the work was done; create",
    ),
    "the connections call a lost answer a connection that was not made": Mistake(
        f"{POOL}:ConnectionPool.exchange",
        EXCHANGE,
        f"""
try:
    {SAME_EXCHANGE}
except httpx.TransportError as error:
    raise httpx.ConnectError(str(error)) from error
""",
        SELECTED,
        "not_sent was reported, and",
    ),
    "the connections send a request again by themselves": Mistake(
        f"{POOL}:ConnectionPool.exchange",
        EXCHANGE,
        f"""
try:
    {SAME_EXCHANGE}
except httpx.TransportError:
    if request.extensions.setdefault("again", False):
        raise
    request.extensions["again"] = True
    connection.abort()
    continue
""",
        (*lost("respond"), *statuses("create"), *statuses("respond")),
        "an answer without a key was sent 2 times",
    ),
    "a body that was cut off counts as whole": Mistake(
        f"{PARSER}:Parser.receive",
        """
raise httpx.RemoteProtocolError(f"peer closed connection without sending complete message body ({missing})")
""",
        "self._left = 0",
        CUT,
        "a-length-too-long-then-close, always: got success, not unknown",
    ),
}


@pytest.mark.nightly
def test_without_a_mistake_they_are_green(tmp_path: Path) -> None:
    run = Copy(tmp_path).run(*SELECTED, *CUT)
    assert (run.failed, run.passed) == ((), len(SELECTED) + len(CUT)), run.output


@pytest.mark.nightly
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_turns_them_red(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    assert_noticed(mistake, tmp_path, CUT if mistake.fails == CUT else SELECTED)
