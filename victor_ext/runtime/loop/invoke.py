"""A step of a flow that calls a function of the caller's, for no longer than the call has left."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import Any

from victor_ext.errors import ConfigurationError


class NotInTime(Exception):
    """The function did not return in time. It may still run; its result is dropped."""


class Invoke:
    """Call this function with this argument, within `seconds` (None: no limit). What it raises is raised as it is."""

    __slots__ = ("argument", "function", "seconds")

    def __init__(self, function: Callable[[Any], Any], argument: object, seconds: float | None) -> None:
        self.function = function
        self.argument = argument
        self.seconds = seconds


def invoke(step: Invoke) -> Any:
    """The result of the function, which runs in a thread: nothing else can leave it behind when its time is over."""
    if inspect.iscoroutinefunction(step.function):
        raise _not_awaited()
    result: Future[Any] = Future()
    context = copy_context()
    threading.Thread(target=lambda: context.run(_settle, step, result), daemon=True).start()
    if not wait([result], step.seconds).done:
        raise NotInTime
    value = result.result()
    if inspect.iscoroutine(value):
        value.close()
        raise _not_awaited()
    return value


def _settle(step: Invoke, result: Future[Any]) -> None:
    try:
        result.set_result(step.function(step.argument))
    except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
        result.set_exception(error)


def _not_awaited() -> ConfigurationError:
    return ConfigurationError("sign is awaited, and this client is not: pass a plain function.")
