"""Calls of generated operations as steps of a flow, and who executes them with blocking and with awaited calls."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import ModuleType
from typing import Any, TypeVar
from weakref import ref

import httpx

from victor_ext.flows import adrive, drive
from victor_ext.privacy import QUOTED
from victor_ext.response_info import ResponseInfo
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.flow import Sleep

from .extras import NO_EXTRAS, ExtraBody, ExtraQuery, Extras, extra_query_text
from .records import describe

T = TypeVar("T")

ApiWithin = Callable[[float | None], Any]
"""The generated client, with a deadline in seconds (None: that of the client)."""


@dataclass(slots=True, eq=False, repr=False)
class Call:
    """Call a generated operation, which is a module, with these arguments.

    `undocumented`, `query` and `as_json` are those of `for_one_call`, and `taken` that of `with_extra_body`. `seconds`
    bounds a call that is part of a longer one; None leaves it the client's deadline. After the call there are its
    number of attempts, its `response`, and in `extra_body` what the client's options added.
    """

    operation: ModuleType
    arguments: dict[str, Any]
    undocumented: Callable[[httpx.Response], Any]
    seconds: float | None = None
    query: str = ""
    _: KW_ONLY
    as_json: bool = False
    taken: Mapping[str, str] | None = None
    attempts: int = field(default=0, init=False)
    response: Response | None = field(default=None, init=False)
    extra_body: ExtraBody | None = field(default=None, init=False)

    @property
    def info(self) -> ResponseInfo | None:
        """Status, headers, request id and attempts of the response, after the call."""
        return None if self.response is None else self.response.info()

    def capture_response(self, client: Any) -> None:
        """Take the response from the client. One that did not come through the attempt loop tells no attempts."""
        # The response knows this client by its request. In a circle, a page would wait for the garbage collector.
        response, client.response = client.response, None
        self.response = response if isinstance(response, Response) else None
        self.attempts = 1 if self.response is None else self.response.attempts
        if self.response is not None:
            QUOTED.set(ref(self.response.request))  # until the flow ends

    def prepared(self, api: ApiWithin, extras: Extras) -> tuple[Any, dict[str, Any]]:
        """The generated client for this one call, and its arguments."""
        query, arguments = self.query, self.arguments
        if extras is not NO_EXTRAS:
            if self.operation.OPERATION.method == "GET":
                query = "&".join(filter(None, (query, extra_query_text(self.operation, extras.query))))
            arguments = extras.arguments(self.operation, arguments, self.taken)
            self.extra_body = extras.body
        return api(self.seconds).for_one_call(self.undocumented, query, as_json=self.as_json), arguments


Step = Call | Sleep | Callable[[], Any]
"""A function is called, and its result awaited where calls are: a method of the client."""
OperationFlow = Generator[Step, Any, T]


def call(operation: ModuleType, model: Any, seconds: float | None = None, /, **arguments: Any) -> OperationFlow[Any]:
    """Call a generated operation, a module such as `get_payment`. Returns the model of a good response.

    `seconds` are as in `Call`, and `arguments` those of the generated function, without `client`. Raises
    `UnreadableResponse` where the status was good, and the body is not what the document declares.
    """
    return (yield Call(operation, arguments, lambda response: model.from_dict(response.json()), seconds)).parsed


def step_for_json(
    operation: ModuleType, seconds: float | None = None, /, *, extra_query: ExtraQuery | None = None, **arguments: Any
) -> Call:
    """The step of a `call` that returns the JSON of the body, not a model of it. Raises `InvalidRequest` for the query.

    Only for an operation whose good responses the provider's behaviour checks: the document's parser does not see them.
    """
    query = extra_query_text(operation, extra_query)
    return Call(operation, arguments, lambda response: response.json(), seconds, query, as_json=True)


def call_without_body(operation: ModuleType, /, **arguments: Any) -> OperationFlow[Any]:
    """Call a generated operation whose response has no body to read. Returns the whole generated `Response`.

    A 200 where the document has a 202 is a success, too.
    """
    return (yield Call(operation, arguments, lambda _response: None))


def drop_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@dataclass(slots=True, eq=False, repr=False)
class _Runner:
    _api: ApiWithin
    _sleep: Callable[[float], Any]
    extras: Extras = NO_EXTRAS

    def _described(self, flow: OperationFlow[T], last: list[Call]) -> OperationFlow[T]:
        """The flow, whose records know the response of its `last` call."""
        about = QUOTED.get()
        try:
            result = yield from flow
            if last and (info := last[0].info) is not None:
                describe(result, info)
            return result
        finally:
            QUOTED.set(about)


class SyncRunner(_Runner):
    def run(self, flow: OperationFlow[T]) -> T:
        """Run the flow to its end."""
        last = list[Call]()
        return drive(self._described(flow, last), lambda step: self._execute(step, last))

    def _execute(self, step: Step, last: list[Call]) -> Any:
        if isinstance(step, Sleep):
            return self._sleep(step.seconds)
        if not isinstance(step, Call):
            return step()
        client, arguments = step.prepared(self._api, self.extras)
        response = step.operation.sync_detailed(client=client, **arguments)
        step.capture_response(client)
        last[:] = [step]
        return response


class AsyncRunner(_Runner):
    async def run(self, flow: OperationFlow[T]) -> T:
        last = list[Call]()
        return await adrive(self._described(flow, last), lambda step: self._execute(step, last))

    async def _execute(self, step: Step, last: list[Call]) -> Any:
        if isinstance(step, Sleep):
            return await self._sleep(step.seconds)
        if not isinstance(step, Call):
            return await step()
        client, arguments = step.prepared(self._api, self.extras)
        response = await step.operation.asyncio_detailed(client=client, **arguments)
        step.capture_response(client)
        last[:] = [step]
        return response
