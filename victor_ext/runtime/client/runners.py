"""Calls of generated operations, as steps of a flow that neither blocks nor awaits.

A resource's flow yields `Call` and `Sleep`; one face takes them with blocking calls, the other with awaited ones.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Generator
from types import ModuleType
from typing import Any, TypeVar

import httpx

from victor_ext.runtime.loop.flow import Sleep, adrive, drive

T = TypeVar("T")

ApiWithin = Callable[[float | None], Any]
"""The generated client: with the deadline of the whole client, or with what is left of a longer call."""


class Call:
    """Call a generated operation, by the import name of its module, with these arguments.

    `undocumented` reads an answer whose good status the document does not list. `seconds` is what the call may take
    where it is a part of a longer one; None leaves it the client's deadline. `attempts` says, once it was called, after
    how many of them the answer came.
    """

    __slots__ = ("arguments", "attempts", "name", "seconds", "undocumented")

    def __init__(
        self,
        name: str,
        arguments: dict[str, Any],
        undocumented: Callable[[httpx.Response], Any],
        seconds: float | None = None,
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.undocumented = undocumented
        self.seconds = seconds
        self.attempts = 0

    @property
    def module(self) -> ModuleType:
        """The generated module: it has `sync_detailed` and `asyncio_detailed`."""
        # Loaded when first called: whoever only imports the package does not pay for the models.
        return importlib.import_module(self.name)


OperationFlow = Generator[Call | Sleep, Any, T]


def call(name: str, model: Any, seconds: float | None = None, /, **arguments: Any) -> OperationFlow[Any]:
    """Call a generated operation; its answer as the model that the document promises for a good one.

    Args:
        name: The import name of the operation's module, such as `some_api.api.payments.get_payment`.
        model: The class of a good answer.
        seconds: What the call may take; None leaves it the client's deadline.
        arguments: Those of the generated function, without `client`.

    Raises:
        UnreadableResponse: The status was good, and the body is none that the document declares.
    """
    return (yield from response_to(name, model, seconds, **arguments)).parsed


def counted_call(name: str, model: Any, /, **arguments: Any) -> OperationFlow[tuple[Any, int]]:
    """The same; and after how many attempts the answer came."""
    step = Call(name, arguments, lambda response: model.from_dict(response.json()))
    return (yield step).parsed, step.attempts


def response_to(name: str, model: Any, seconds: float | None = None, /, **arguments: Any) -> OperationFlow[Any]:
    """The same; the whole generated `Response`, headers included. Without a model the body is not read."""

    def read(response: httpx.Response) -> Any:
        return None if model is None else model.from_dict(response.json())

    return (yield Call(name, arguments, read, seconds))


def answer_to(name: str, /, **arguments: Any) -> OperationFlow[Any]:
    """Call a generated operation whose answer has no body to be read; the whole generated `Response`.

    It is done with any good status: a 200 where the document has a 202 is no failure, and its headers count as well.
    """
    return response_to(name, None, **arguments)


def drop_none(**values: Any) -> dict[str, Any]:
    """Only the values that were given: an argument left out is left out on the wire."""
    return {name: value for name, value in values.items() if value is not None}


class SyncRunner:
    """Runs the flows of resources with blocking calls."""

    def __init__(self, api: ApiWithin, sleep: Callable[[float], None]) -> None:
        self._api = api
        self._sleep = sleep

    def run(self, flow: OperationFlow[T]) -> T:
        """Run the flow to its end."""
        return drive(flow, self._take)

    def _take(self, step: Call | Sleep) -> Any:
        if type(step) is Sleep:
            return self._sleep(step.seconds)
        assert type(step) is Call  # noqa: S101 - the other of two
        client = self._api(step.seconds).reading_undocumented(step.undocumented)
        response = step.module.sync_detailed(client=client, **step.arguments)
        step.attempts = getattr(client.answer, "attempts", 1)
        return response


class AsyncRunner:
    """Runs the flows of resources with awaited calls."""

    def __init__(self, api: ApiWithin, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._api = api
        self._sleep = sleep

    async def run(self, flow: OperationFlow[T]) -> T:
        """Run the flow to its end."""
        return await adrive(flow, self._take)

    async def _take(self, step: Call | Sleep) -> Any:
        if type(step) is Sleep:
            return await self._sleep(step.seconds)
        assert type(step) is Call  # noqa: S101 - the other of two
        client = self._api(step.seconds).reading_undocumented(step.undocumented)
        response = await step.module.asyncio_detailed(client=client, **step.arguments)
        step.attempts = getattr(client.answer, "attempts", 1)
        return response
