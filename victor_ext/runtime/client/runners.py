"""Calls of generated operations as steps of a flow, and the two runners that execute such a flow:
with blocking calls, and with awaited calls.
"""

from collections.abc import Callable, Collection, Generator, Mapping
from functools import partial
from types import ModuleType
from typing import Any, ClassVar, TypeVar
from weakref import ref

import httpx

from victor_ext.flows import adrive, drive
from victor_ext.opaque import Opaque
from victor_ext.privacy import QUOTED
from victor_ext.response_info import ResponseInfo
from victor_ext.runtime.core.json_values import object_or_empty
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.flow import Sleep

from .records import Record, RecordList
from .requests import NO_EXTRAS, ExtraBody, ExtraQuery, Extras, extra_query_text

T = TypeVar("T")

ApiWithin = Callable[[float], Any]
"""The generated client, with a deadline in seconds."""


class Call(Opaque):
    """A step: call a generated operation, which is a module, with these arguments.

    `undocumented`, `query` and `as_json` are those of `for_one_call`, and `own_places` and
    `untyped` are those of `with_extra_body` and `extra_query_text`. `seconds` bounds a call that is
    part of a longer one; None: the client's deadline does. When the step has run, `attempts` and
    `response` tell what came of it, and `extra_body` has the members that the client's options
    added.
    """

    operation: ModuleType
    arguments: dict[str, Any]
    undocumented: Callable[[httpx.Response], Any]
    seconds: float | None = None
    query: str = ""
    as_json: bool = False
    own_places: Mapping[str, str] | None = None
    untyped: Collection[str] = ()
    response: Response | None = None
    extra_body: ExtraBody | None = None

    @property
    def attempts(self) -> int:
        """How many attempts were made; 1 if the response did not come through the attempt loop."""
        return 1 if self.response is None else self.response.attempts


Step = Call | Sleep | Callable[[], Any]
"""A step of an operation. A function, such as a method of the client, is called, and with awaited
calls its result is awaited.
"""
OperationFlow = Generator[Step, Any, T]


def step_for_json(
    operation: ModuleType,
    seconds: float | None = None,
    /,
    *,
    extra_query: ExtraQuery | None = None,
    untyped: Collection[str] = (),
    **arguments: Any,
) -> Call:
    """The step of a `call` that returns the JSON of the body, not a model of it. Raises
    `InvalidRequest` for the query.

    Only for an operation whose good responses the provider's behaviour checks: the document's
    parser does not see them.
    """
    query = "" if extra_query is None else extra_query_text(operation, extra_query, untyped)
    return Call(
        operation,
        arguments,
        lambda response: response.json(),
        seconds,
        query,
        as_json=True,
        untyped=untyped,
    )


def call(
    operation: ModuleType,
    seconds: float | None = None,
    /,
    *,
    untyped: Collection[str] = (),
    **arguments: Any,
) -> OperationFlow[dict[str, Any]]:
    """Call a generated operation, a module such as `get_payment`. Returns the JSON object of a good
    response, as `step_for_json` reads it; empty without one.

    `seconds` and `untyped` are as in `Call`, and `arguments` those of the generated function,
    without `client`.
    """
    step = yield step_for_json(operation, seconds, untyped=untyped, **arguments)
    return object_or_empty(step.parsed)


def call_without_body(
    operation: ModuleType, /, *, untyped: Collection[str] = (), **arguments: Any
) -> OperationFlow[Any]:
    """Call a generated operation whose response has no body to read. Returns the whole generated
    `Response`.

    A 200 where the document has a 202 is a success, too.
    """
    return (yield Call(operation, arguments, lambda _response: None, untyped=untyped))


def drop_none(**values: Any) -> dict[str, Any]:
    """The values that are not None, by their names."""
    return {name: value for name, value in values.items() if value is not None}


class _Runner(Opaque):
    """What the runners of both modes have in common.

    `_api` is the generated client, `_api_within` makes one with a deadline, `_sleep` waits, and
    `extras` are those of the client's options.
    """

    _api: Any
    _api_within: ApiWithin
    _sleep: Callable[[float], Any]
    extras: Extras = NO_EXTRAS

    _function: ClassVar[str]
    """The name of the function of a generated operation that this mode calls."""

    def _describe_result(self, flow: OperationFlow[T], last: list[Response]) -> OperationFlow[T]:
        """Run the flow, then set its last response on the records that it returns.

        `last` is empty or holds one response: `_execute` puts it there. When the flow ends, QUOTED
        (the request whose credentials are masked in texts) is what it was before.
        """
        quoted_before = QUOTED.get()
        try:
            result = yield from flow
            if last:
                _describe(result, last[0].info())
            return result
        finally:
            QUOTED.set(quoted_before)

    def _execute(self, last: list[Response], step: Step) -> Any:
        """Return the result of a step, or what is to be awaited for it.

        A call also leaves its response in `last`, alone.
        """
        if isinstance(step, Sleep):
            return self._sleep(step.seconds)
        if not isinstance(step, Call):
            return step()

        def received(response: httpx.Response) -> None:
            # A response of another transport than the attempt loop's says too little for a record.
            step.response = response if isinstance(response, Response) else None
            last.clear()
            if step.response is not None:
                last.append(step.response)
                QUOTED.set(ref(response.request))  # until the flow ends

        api = self._api if step.seconds is None else self._api_within(step.seconds)
        query = step.query
        arguments = step.arguments
        extras = self.extras
        if extras is not NO_EXTRAS:  # a GET takes their query, and any other call their body
            if step.operation.OPERATION.method == "GET":
                added = extra_query_text(step.operation, extras.query, step.untyped)
                query = "&".join(filter(None, (query, added)))
            arguments = extras.arguments(step.operation, arguments, step.own_places, step.untyped)
            step.extra_body = extras.body
        client = api.for_one_call(step.undocumented, received, query, as_json=step.as_json)
        return getattr(step.operation, self._function)(client=client, **arguments)


def _describe(result: Any, info: ResponseInfo) -> None:
    """Set the response on the records of a result."""
    if isinstance(result, Record):
        result.response_info = info
    elif isinstance(result, list):
        item: Any
        for item in result:  # pyright: ignore[reportUnknownVariableType] - a flow's
            if isinstance(item, Record):
                item.response_info = info
            else:
                _describe(item, info)
        if isinstance(result, RecordList):
            result.response_info = info


class SyncRunner(_Runner):
    _function = "sync_detailed"

    def run(self, flow: OperationFlow[T]) -> T:
        """Run the flow to its end, and return its result."""
        last = list[Response]()
        described = self._describe_result(flow, last)
        return drive(described, partial(self._execute, last))


class AsyncRunner(_Runner):
    _function = "asyncio_detailed"

    async def run(self, flow: OperationFlow[T]) -> T:
        last = list[Response]()
        return await adrive(self._describe_result(flow, last), partial(self._execute, last))
