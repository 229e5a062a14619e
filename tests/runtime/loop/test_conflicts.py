"""What a 409 says, and that nothing else says it."""

from __future__ import annotations

import httpx
import pytest

from victor_ext.runtime.loop.conflicts import in_progress, may_be_in_progress

RUNNING = [
    "in progress", "In-Progress", "request_in_progress", "it is being processed", "already running", "concurrent",
]  # fmt: skip
UNFINISHED = [
    '{"error": {"code": 101, "message": "error.idempotencyKey.inProgress"}}',
    '{"error": "The request is still in progress."}',
    "<html>A concurrent request holds this key.</html>",
    '{"message": "Request is being processed"}',
    '{"message": "A request with this key is pending, try later."}',
    '{"message": "The first request with this key has not completed."}',
    '{"message": "The request has not yet been finished"}',
    '{"status": "Processing"}',
    '{"message": "Another request with this key is executing."}',
    '{"message": "The idempotency key is locked."}',
    '{"error": "idempotency_key_locked"}',
    "Please try again later.",
]
OTHER = ["another payload", "values mismatch", "does not match", "key already used", "reused", "different body"]
OTHER_VALUES = [
    '{"error": {"message": "The key was used with another body."}}',
    '{"error": "idempotency key re-used"}',
    '{"message": "payload mismatch"}',
    '{"message": "The key belongs to a pending request with a different body."}',
    '{"message": "The key was used for another request, which is pending."}',
    '{"message": "locked: other values were sent with this key"}',
]
OPEN = [
    "conflict", "no",
    '{"message": "The account is locked."}',
    '{"message": "The request is not pending."}',
    '{"message": "Error while processing the request"}',
    '{"message": "The request could not be processed"}',
    "",
    "{}",
    "<html>Conflict</html>",
    '{"error": {"code": 101, "message": "error.request.conflict"}}',
]  # fmt: skip


def answer(status: int, text: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, text=text, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("text", RUNNING)
def test_it_says_that_it_is_being_worked_on(text: str):
    assert in_progress(answer(409, text))
    assert may_be_in_progress(answer(409, f"the key was already used: {text}"))


def test_it_says_when_to_come_back():
    assert in_progress(answer(409, retry_after="1"))
    assert may_be_in_progress(answer(409, "another payload", retry_after="1"))


@pytest.mark.parametrize("text", UNFINISHED)
def test_it_says_so_in_other_words(text: str):
    assert in_progress(answer(409, text))
    assert may_be_in_progress(answer(409, text))


@pytest.mark.parametrize("text", OTHER + OTHER_VALUES)
def test_it_speaks_of_other_values(text: str):
    assert not in_progress(answer(409, text))
    assert not may_be_in_progress(answer(409, text))


@pytest.mark.parametrize("text", OPEN)
def test_it_leaves_it_open(text: str):
    assert not in_progress(answer(409, text))
    assert may_be_in_progress(answer(409, text))


@pytest.mark.parametrize("status", [200, 202, 400, 404, 408, 410, 422, 423])
def test_no_other_status_says_so(status: int):
    for text in ("", "in progress"):
        assert not in_progress(answer(status, text, retry_after="1"))
        assert not may_be_in_progress(answer(status, text, retry_after="1"))
