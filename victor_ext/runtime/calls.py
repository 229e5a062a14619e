"""Calls of generated operations, as steps of a flow that neither blocks nor awaits.

A resource's flow yields `Call` and `Sleep`; one face takes them with blocking calls, the other with awaited ones.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Awaitable, Callable, Generator
from copy import copy
from types import ModuleType
from typing import Any, TypeVar

import httpx

from .errors import UnreadableResponse
from .flow import Sleep, adrive, drive
from .outcome import Outcome

T = TypeVar("T")

ApiWithin = Callable[[float | None], Any]
"""The generated client: with the deadline of the whole client, or with what is left of a longer call."""


class Call:
    """Call a generated operation, by the import name of its module, with these arguments.

    `seconds` is what the call may take where it is a part of a longer one; None leaves it the client's deadline.
    `any_status` takes an answer with a good status that the document does not list, too.
    """

    __slots__ = ("any_status", "arguments", "name", "seconds")

    def __init__(
        self, name: str, arguments: dict[str, Any], seconds: float | None = None, *, any_status: bool = False
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.seconds = seconds
        self.any_status = any_status

    @property
    def module(self) -> ModuleType:
        """The generated module: it has `sync_detailed` and `asyncio_detailed`."""
        # Loaded when first called: whoever only imports the package does not pay for the models.
        return importlib.import_module(self.name)


Flow = Generator[Call | Sleep, Any, T]


def call(name: str, model: Any, seconds: float | None = None, /, **arguments: Any) -> Flow[Any]:
    """Call a generated operation; its answer as the model that the document promises for a good one.

    Args:
        name: The import name of the operation's module, such as `some_api.api.payments.get_payment`.
        model: The class of a good answer; None returns the whole generated `Response`, headers included.
        seconds: What the call may take; None leaves it the client's deadline.
        arguments: Those of the generated function, without `client`.

    Raises:
        UnreadableResponse: The status was good, and the body is none that the document declares.
    """
    errors = importlib.import_module(f"{name.partition('.')[0]}.errors")
    try:
        response = yield Call(name, arguments, seconds)
    except errors.UnexpectedStatus as error:
        # A good status that the document does not list; the transport has seen that the body can be read.
        if model is None:
            raise
        return model.from_dict(json.loads(error.content))
    except errors.UnreadableBody as error:
        unreadable, answer = str(error), httpx.Response(error.status_code, content=error.content)
    else:
        return response if model is None else response.parsed
    message = f"The answer was accepted and cannot be read: {unreadable}"
    raise UnreadableResponse(message, outcome=Outcome.ACCEPTED, response=answer)


def answer_to(name: str, /, **arguments: Any) -> Flow[Any]:
    """Call a generated operation whose answer has no body to be read; the whole generated `Response`.

    It is done with any good status: a 200 where the document has a 202 is no failure, and its headers count as well.
    """
    return (yield Call(name, arguments, any_status=True))


def only_given(**values: Any) -> dict[str, Any]:
    """Only the values that were given: an argument left out is left out on the wire."""
    return {name: value for name, value in values.items() if value is not None}


def _tolerant(client: Any) -> Any:
    """The same client, that does not raise when a good status is not in the document."""
    tolerant = copy(client)
    tolerant.raise_on_unexpected_status = False
    return tolerant


class BlockingFace:
    """Runs the flows of resources with blocking calls."""

    def __init__(self, api: ApiWithin, sleep: Callable[[float], None]) -> None:
        self._api = api
        self._sleep = sleep

    def run(self, flow: Flow[T]) -> T:
        """Run the flow to its end."""
        return drive(flow, self._take)

    def _take(self, step: Call | Sleep) -> Any:
        if type(step) is Sleep:
            return self._sleep(step.seconds)
        assert type(step) is Call  # noqa: S101 - the other of two
        client = _tolerant(self._api(step.seconds)) if step.any_status else self._api(step.seconds)
        return step.module.sync_detailed(client=client, **step.arguments)


class AwaitedFace:
    """Runs the flows of resources with awaited calls."""

    def __init__(self, api: ApiWithin, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._api = api
        self._sleep = sleep

    async def run(self, flow: Flow[T]) -> T:
        """Run the flow to its end."""
        return await adrive(flow, self._take)

    async def _take(self, step: Call | Sleep) -> Any:
        if type(step) is Sleep:
            return await self._sleep(step.seconds)
        assert type(step) is Call  # noqa: S101 - the other of two
        client = _tolerant(self._api(step.seconds)) if step.any_status else self._api(step.seconds)
        return await step.module.asyncio_detailed(client=client, **step.arguments)
