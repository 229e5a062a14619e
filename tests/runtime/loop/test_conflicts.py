"""What a 409 says, and that nothing else says it."""

from __future__ import annotations

import httpx
import pytest

from victor_ext.runtime.loop.conflicts import in_progress, may_be_in_progress

RUNNING = [
    "in progress",
    "In-Progress",
    "request_in_progress",
    "it is being processed",
    "already running",
    "concurrent",
]
OTHER = ["another payload", "values mismatch", "does not match", "key already used", "reused", "different body"]


def answer(status: int, text: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, text=text, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("text", RUNNING)
def test_it_says_that_it_is_being_worked_on(text: str):
    assert in_progress(answer(409, text))
    assert may_be_in_progress(answer(409, f"the key was already used: {text}"))


def test_it_says_when_to_come_back():
    assert in_progress(answer(409, retry_after="1"))
    assert may_be_in_progress(answer(409, "another payload", retry_after="1"))


@pytest.mark.parametrize("text", OTHER)
def test_it_speaks_of_other_values(text: str):
    assert not in_progress(answer(409, text))
    assert not may_be_in_progress(answer(409, text))


@pytest.mark.parametrize("text", ["", "conflict", "no"])
def test_it_leaves_it_open(text: str):
    assert not in_progress(answer(409, text))
    assert may_be_in_progress(answer(409, text))


@pytest.mark.parametrize("status", [200, 202, 400, 404, 408, 410, 422, 423])
def test_no_other_status_says_so(status: int):
    for text in ("", "in progress"):
        assert not in_progress(answer(status, text, retry_after="1"))
        assert not may_be_in_progress(answer(status, text, retry_after="1"))
