"""Waiting for what Velo does later: reading it now and again, until it is there or the time is up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from victor_ext.runtime.client import polling
from victor_ext.runtime.client.resources import Resource
from victor_ext.runtime.client.runners import OperationFlow

T = TypeVar("T")


def wait_until(
    resource: Resource[Any],
    read: Callable[[float | None], OperationFlow[T]],
    there: Callable[[T], bool],
    *,
    what: str,
    timeout: float,
) -> OperationFlow[T]:
    """Read until it is there.

    Args:
        resource: Whose operation it is.
        read: Reads it once, within so many seconds.
        there: Whether it is as it is waited for; may raise when that can no longer be.
        what: What is waited for, for the message.
        timeout: Seconds in all.

    Raises:
        InvalidRequest: `timeout` is no number of seconds.
        TimedOut: It did not come to that in time.
    """
    seconds = polling.checked_seconds(timeout)

    def in_vain(seen: str) -> str:
        return f"{what} did not come about within {timeout:g} s: {seen}. Wait again, or read it now and again."

    return polling.wait_until(
        read, there, in_vain, timeout=seconds, deadline=resource.deadline, monotonic=resource.clock.monotonic,
        shown=lambda seen: "not there" if seen is None else repr(seen),
    )  # fmt: skip
