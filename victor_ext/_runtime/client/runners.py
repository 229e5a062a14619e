"""Calls of generated operations as steps of a method's flow, and the runners of such flows.

A runner puts the steps of the attempt loop in place of each `OperationCall`, and gives all to the
driver of its mode: so a `Send` or a `Sleep` is the same from a method to the socket.
"""

from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any, NoReturn, TypeVar

import httpx

from victor_ext._flows import adrive, drive
from victor_ext._runtime.core.json_values import is_list, object_or_empty
from victor_ext._runtime.core.response import Response
from victor_ext._runtime.loop.evidence import READER, Reader, unread_because
from victor_ext._runtime.loop.flow import Flow
from victor_ext._runtime.loop.flow import Step as AttemptStep
from victor_ext._values.opaque import Opaque
from victor_ext._values.response_info import ResponseInfo

from .records import Page, Record, RecordList
from .requests import ExtraQuery, with_query
from .transport import refusing_unwritable

T = TypeVar("T")

_NOT_YET: Any = None


class OperationCall(Opaque):
    """A step: call a generated operation, which is a module, with these arguments.

    `extra_query` is added to its URL. `seconds` bounds a call that is part of a longer one; None:
    the client's deadline does. The step itself is its result: when it has run, `response` is there.
    """

    operation: ModuleType
    arguments: dict[str, Any]
    seconds: float | None = None
    extra_query: ExtraQuery | None = None
    response: Response = _NOT_YET

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


Step = OperationCall | AttemptStep
"""A step of an operation."""
OperationFlow = Generator[Step, Any, T]


def step_for_json(
    operation: ModuleType,
    seconds: float | None = None,
    /,
    *,
    extra_query: ExtraQuery | None = None,
    **arguments: Any,
) -> OperationCall:
    """The step of a `call` that returns the JSON of the body, not a model of it.

    Only for an operation whose good responses the provider's behaviour checks: the document's
    parser does not see them.
    """
    return OperationCall(operation, arguments, seconds, extra_query)


def call(
    operation: ModuleType,
    seconds: float | None = None,
    /,
    **arguments: Any,
) -> OperationFlow[dict[str, Any]]:
    """Call a generated operation, a module such as `get_payment`. Returns the JSON object of a good
    response, as `step_for_json` reads it; empty without one.

    `seconds` is as in `OperationCall`, `arguments` are those of the generated function, without
    `client`.
    """
    step = yield step_for_json(operation, seconds, **arguments)
    return object_or_empty(step.parsed)


def call_without_body(operation: ModuleType, /, **arguments: Any) -> OperationFlow[Any]:
    """Call a generated operation whose response has no body to read. Returns the response.

    A 200 where the document has a 202 is a success, too.
    """
    step = yield OperationCall(operation, arguments)
    return step.response


def drop_none(**values: Any) -> dict[str, Any]:
    """The values that are not None, by their names."""
    return {name: value for name, value in values.items() if value is not None}


class FlowRunner(Opaque):
    """What the runners of all modes have in common: `run` runs the flow of a method.

    `api` is the generated client, which reads.
    """

    api: Any
    build_request: Callable[..., httpx.Request]
    attempts: Callable[[httpx.Request, float | None], Flow[Response]]
    """The flow of one logical call, within these seconds; None: within the client's deadline."""
    take: Callable[[AttemptStep], Any]
    """Executes a step: that of the mode's driver."""

    def request_of(self, step: OperationCall) -> httpx.Request:
        """The request of a step, as the untouched module of its operation builds it. Raises
        `InvalidRequest` if it cannot be written.
        """
        reader = Reader(self.api, step.operation.OPERATION, has_own_rules=True)
        return self.build_request(**_written(step), extensions={READER: reader})

    def steps_of(self, flow: OperationFlow[T]) -> Flow[T]:
        """The flow of a method, with the attempts of each `OperationCall` in its place.

        The last response is set on the records that the flow returns.
        """
        last: Response | None = None
        result: Any = None
        failed: Exception | None = None
        try:
            while True:
                # Outside of the handler, as in `drive`.
                step = flow.send(result) if failed is None else flow.throw(failed)
                result = failed = None
                try:
                    if isinstance(step, OperationCall):
                        request = self.request_of(step)
                        last = yield from self.attempts(request, step.seconds)
                        step.response = last
                        result = step
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


@refusing_unwritable
def _written(step: OperationCall) -> dict[str, Any]:
    """What the module of an operation writes of a step's arguments, for `build_request`."""
    written: dict[str, Any] = vars(step.operation)["_get_kwargs"](**step.arguments)
    if step.extra_query:
        written["url"] = with_query(written["url"], step.extra_query)
    return written


def _describe(result: Any, info: ResponseInfo) -> None:
    """Set the response on the records of a result."""
    page: Any = result
    items = page.items if isinstance(result, Page) else result
    if isinstance(result, Record | RecordList | Page):
        result.response_info = info
    if is_list(items):
        for item in items:
            if isinstance(item, Record):  # at once: a page has a thousand
                item.response_info = info
            else:
                _describe(item, info)


class SyncRunner(FlowRunner):
    def run(self, flow: OperationFlow[T]) -> T:
        """Run the flow to its end, and return its result."""
        return drive(self.steps_of(flow), self.take)


class AsyncRunner(FlowRunner):
    async def run(self, flow: OperationFlow[T]) -> T:
        return await adrive(self.steps_of(flow), self.take)


class Begun(Exception):
    """What a method has begun with: its first request; None without one."""

    def __init__(self, request: httpx.Request | None) -> None:
        super().__init__()
        self.request = request


class FirstRequest(FlowRunner):
    """Runs a method of a client up to its first request, also an awaited one. Nothing is sent."""

    def run(self, flow: OperationFlow[Any]) -> NoReturn:
        """Raise `Begun`."""
        step = next(flow, None)
        flow.close()
        raise Begun(self.request_of(step) if isinstance(step, OperationCall) else None)
