"""Flows: generators that decide everything and do no I/O, run with blocking calls and with awaited
calls.

A flow yields a step, receives the step's result or its exception, and returns the result of the
whole.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

S = TypeVar("S")
T = TypeVar("T")

Calls = Generator[Callable[[], Any], Any, T]
"""A flow whose steps are functions to call. With awaited calls, the results of these functions are
to be awaited.
"""


def drive(flow: Generator[S, Any, T], take: Callable[[S], Any]) -> T:
    """Run a flow to its end, and return its result. `take` executes a step, and returns the step's
    result; an exception of it is raised within the flow.
    """
    try:
        step = next(flow)
        while True:
            result: Any = None
            failed: Exception | None = None
            try:
                result = take(step)
            except Exception as error:  # noqa: BLE001 - the flow knows which ones are its own
                failed = error
            # Outside of the handler: the error of a step is no context of what the flow raises.
            step = flow.send(result) if failed is None else flow.throw(failed)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        flow.close()


async def adrive(flow: Generator[S, Any, T], take: Callable[[S], Awaitable[Any]]) -> T:
    """Run a flow to its end with awaited calls, and return its result: `take` does each step."""
    try:
        step = next(flow)
        while True:
            result: Any = None
            failed: Exception | None = None
            try:
                result = await take(step)
            except Exception as error:  # noqa: BLE001 - the flow knows which ones are its own
                failed = error
            step = flow.send(result) if failed is None else flow.throw(failed)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        flow.close()


def following(iterator: Any) -> Any:
    """The next item of an iterator, or what is to be awaited for it; None at the end."""
    return anext(iterator, None) if hasattr(iterator, "__anext__") else next(iterator, None)
