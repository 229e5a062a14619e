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
"""A flow whose steps are functions to call.

With awaited calls, what they return is to be awaited.
"""


def drive(flow: Generator[S, Any, T], take: Callable[[S], Any]) -> T:
    results: list[Any] = []
    try:
        step = next(flow)
        while True:
            failed = None
            try:
                results.append(take(step))
            except Exception as error:  # noqa: BLE001 - the flow knows which ones are its own
                failed = error
            # Outside of the handler, so that an error of the flow has no context whose frames,
            # those of httpx, hold the token. The result is popped: it may hold account numbers, and
            # must not be a local of this frame.
            step = flow.send(results.pop()) if failed is None else flow.throw(failed)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        flow.close()


async def adrive(flow: Generator[S, Any, T], take: Callable[[S], Awaitable[Any]]) -> T:
    """As `drive`, with awaited calls."""
    results: list[Any] = []
    try:
        step = next(flow)
        while True:
            failed = None
            try:
                results.append(await take(step))
            except Exception as error:  # noqa: BLE001 - the flow knows which ones are its own
                failed = error
            step = flow.send(results.pop()) if failed is None else flow.throw(failed)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        flow.close()


def following(iterator: Any) -> Any:
    """The next item of an iterator, or what is to be awaited for it; None at the end."""
    return anext(iterator, None) if hasattr(iterator, "__anext__") else next(iterator, None)
