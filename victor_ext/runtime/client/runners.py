"""Calls of generated operations as steps of a flow, and the two runners that execute such a flow:
with blocking calls, and with awaited calls.
"""

from collections.abc import Callable, Collection, Generator, Mapping
from functools import partial
from operator import call as call_function
from types import ModuleType
from typing import Any, ClassVar, TypeVar
from weakref import ref

from victor_ext.flows import Calls, adrive, drive
from victor_ext.opaque import Opaque
from victor_ext.privacy import QUOTED
from victor_ext.response_info import ResponseInfo
from victor_ext.runtime.core.json_values import object_or_empty
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.loop.evidence import unread_because
from victor_ext.runtime.loop.flow import Sleep

from .records import Record, RecordList
from .requests import NO_EXTRAS, ExtraBody, ExtraQuery, Extras, extra_query_text
from .transport import MethodClient

T = TypeVar("T")

ApiWithin = Callable[[float], Any]
"""The generated client, with a deadline in seconds."""


_NOT_YET: Any = None


class Call(Opaque):
    """A step: call a generated operation, which is a module, with these arguments.

    `query` is added to its URL, percent-encoded, and `own_places` and `untyped` are those of
    `with_extra_body` and `extra_query_text`. `seconds` bounds a call that is part of a longer one;
    None: the client's deadline does. The step itself is its result: when it has run, `response` is
    there, and `extra_body` has the members that the client's options added.
    """

    operation: ModuleType
    arguments: dict[str, Any]
    seconds: float | None = None
    query: str = ""
    own_places: Mapping[str, str] | None = None
    untyped: Collection[str] = ()
    response: Response = _NOT_YET
    extra_body: ExtraBody | None = None

    @property
    def attempts(self) -> int:
        return self.response.attempts

    @property
    def parsed(self) -> Any:
        """The JSON of the response. Raises the error of the call where its body is none."""
        try:
            return self.response.json()
        except ValueError as error:
            why = unread_because(error)
        assert self.response.unusable is not None
        raise self.response.unusable(self.response, why)


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
    return Call(operation, arguments, seconds, query, untyped=untyped)


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
    """Call a generated operation whose response has no body to read. Returns the response.

    A 200 where the document has a 202 is a success, too.
    """
    step = yield Call(operation, arguments, untyped=untyped)
    return step.response


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

    def _calls(self, flow: OperationFlow[T]) -> Calls[T]:
        """The flow, with functions as its only steps: a `Call` sends its request.

        The last response is set on the records that the flow returns. When it ends, QUOTED (the
        request whose credentials are masked in texts) is what it was before.
        """
        quoted_before = QUOTED.get()
        last: Response | None = None
        result: Any = None
        failed: Exception | None = None
        try:
            while True:
                # Outside of the handler, as in `drive`.
                step = flow.send(result) if failed is None else flow.throw(failed)
                result = failed = None
                try:
                    if isinstance(step, Call):
                        step.response = yield self._sending(step)
                        last = step.response
                        QUOTED.set(ref(last.request))
                        result = step
                    elif isinstance(step, Sleep):
                        yield partial(self._sleep, step.seconds)
                    else:
                        result = yield step
                except Exception as error:  # noqa: BLE001 - the flow knows which ones are its own
                    failed = error
        except StopIteration as end:
            value: T = end.value
            if last is not None:
                _describe(value, last.info())
            return value
        finally:
            flow.close()
            QUOTED.set(quoted_before)

    def _sending(self, step: Call) -> Callable[[], Any]:
        """The generated function of a call, with its arguments. Raises `InvalidRequest` for members
        and filters of the client's options that it cannot take.
        """
        api = self._api if step.seconds is None else self._api_within(step.seconds)
        operation = step.operation
        query = step.query
        arguments = step.arguments
        extras = self.extras
        if extras is not NO_EXTRAS:  # a GET takes their query, and any other call their body
            if operation.OPERATION.method == "GET":
                added = extra_query_text(operation, extras.query, step.untyped)
                query = "&".join(filter(None, (query, added)))
            arguments = extras.arguments(operation, arguments, step.own_places, step.untyped)
            step.extra_body = extras.body
        function = getattr(operation, self._function)
        return partial(function, client=MethodClient(api, query), **arguments)


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
        return drive(self._calls(flow), call_function)


class AsyncRunner(_Runner):
    _function = "asyncio_detailed"

    async def run(self, flow: OperationFlow[T]) -> T:
        return await adrive(self._calls(flow), call_function)
