"""Generated clients over a client's transport, with the errors of this package; and what their
operations return.
"""

import importlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from functools import cache
from types import UnionType
from typing import Any, Self, TypeVar, Union, cast, get_args, get_origin

import httpx

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.opaque import FrozenOpaque
from victor_ext.runtime.client.config import checked_timeout
from victor_ext.runtime.client.transport import EXTRA_QUERY, AsyncHttpClient, QueryChange
from victor_ext.runtime.core.json_values import NOT_JSON, json_of
from victor_ext.runtime.core.response import NOT_READ, Response
from victor_ext.runtime.loop.evidence import (
    READER,
    UNDOCUMENTED,
    Declared,
    Reader,
    Tables,
    unread_because,
)

HttpClient = httpx.Client | httpx.AsyncClient
Connect = Callable[[dict[str, Any]], HttpClient]
Read = Callable[[httpx.Response], Any]
Received = Callable[[httpx.Response], None]
T = TypeVar("T")


class _Json(FrozenOpaque, frozen=True):
    """The result of a generated operation, of which only the JSON is wanted."""

    parsed: Any


class _Bound:
    """What keeps a generated `Client`, and those that its `with_headers` and the like return, on
    one transport.
    """

    _unexpected_status: type[Exception]
    """What the package's parsers raise of a status that the document does not list."""
    document: Sequence[Declared]
    """All operations of the package."""
    members: Tables
    """The members of its models."""
    undocumented: Read | None = None
    _received: Received | None = None  # of a client for one call, and not after it
    _query: QueryChange = ""
    _as_json: bool = False
    _at: str
    _servers: Mapping[str, str]
    _connect: Connect
    _options: dict[str, Any]

    @classmethod
    def over(
        cls, base_url: str, servers: Mapping[str, str], connect: Connect, options: dict[str, Any]
    ) -> Self:
        """A client whose httpx client, over an attempt transport, `connect` makes from additional
        options.

        `servers` is where operations go that have a server of their own in the document.
        """
        # The client of a document with bearer tokens needs a token. Here the transport sets it.
        token = {"token": ""} if "token" in getattr(cls, "__match_args__", ()) else {}
        client = cls(base_url=base_url, **token)  # type: ignore[call-arg] # the generated class's
        client._at = base_url
        client._servers = servers
        client._connect = connect
        client._options = options
        http = connect(options)
        bound = cast("Any", client)
        if isinstance(http, AsyncHttpClient):
            bound.set_async_httpx_client(http)
        else:
            bound.set_httpx_client(http)
        return client

    # A context opens and closes nothing: the connections belong to the client of this package.

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object, **kwargs: Any) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: object, **kwargs: Any) -> None: ...

    def with_headers(self, headers: dict[str, str]) -> Self:
        merged = httpx.Headers(self._options.get("headers"))
        merged.update(headers)
        return self.with_http_options(headers=merged)

    def with_cookies(self, cookies: dict[str, str]) -> Self:
        return self.with_http_options(cookies={**self._options.get("cookies", {}), **cookies})

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        return self.with_http_options(timeout=checked_timeout(timeout))

    def parse_response(self, parse: Callable[..., T], response: httpx.Response) -> T:
        """Read a response that the attempt loop accepted.

        A response with an undocumented status is read by `undocumented`, where that is set. Raises
        the error of its call if the response cannot be read.
        """
        self._tell_received(response)
        try:
            return cast("T", self._parsed(parse, response))
        except Exception as error:
            if not isinstance(response, Response) or response.unusable is None:
                raise  # it came through another HTTP client
            undocumented = self.is_undocumented(error)
            why = unread_because(error)
        if undocumented and self.undocumented is not None:
            try:
                return cast("T", self.undocumented(response))
            except (TypeError, ValueError):
                pass  # the body is no better than the status: it is no JSON, or no object
        raise response.unusable(response, UNDOCUMENTED if undocumented else why)

    def whole_response(self, parse: Callable[..., T], response: httpx.Response) -> Any:
        """A response with what was read of it; the JSON alone where that was asked for, since the
        response of the generated package has a copy of the body.
        """
        if self._as_json:
            return _Json(self.parse_response(parse, response))
        return cast("Any", super()).whole_response(parse, response)

    def _tell_received(self, response: httpx.Response) -> None:
        """Call `received` once, and forget it.

        It knows the response, whose request knows this client: the circle would keep a page in
        memory until the garbage collector comes.
        """
        received = self._received
        self._received = None
        if received is not None:
            received(response)

    def _parsed(self, parse: Callable[..., T], response: httpx.Response) -> Any:
        """What the generated parser makes of a response, or has made of it for the attempt loop;
        its JSON where that was asked for, or where the document has no content for the body.
        """
        if self._as_json:
            return response.json()
        if isinstance(response, Response) and response.parsed is not NOT_READ:
            parsed = response.parsed
        else:
            parsed = parse(client=self, response=response)
        if parsed is not None or not response.content:
            return parsed
        body = json_of(response)
        return parsed if body is NOT_JSON else body

    def request_extensions(self, operation: Any) -> dict[str, Any]:
        """The parser of an operation, for the attempt loop, and what `build_request` adds to the
        query.
        """
        return {
            READER: Reader(self, operation),
            **({EXTRA_QUERY: self._query} if self._query else {}),
        }

    def is_undocumented(self, error: Exception) -> bool:
        """Whether a parser raised this because the document does not list the status of the
        response.
        """
        return isinstance(error, self._unexpected_status)

    def for_one_call(
        self,
        undocumented: Read | None,
        received: Received | None,
        query: QueryChange = "",
        *,
        as_json: bool = False,
    ) -> Self:
        """A copy for one call. `undocumented` reads a response with a good status that the document
        does not list.

        `received` is called with the response. `query` is as `EXTRA_QUERY` says. With `as_json` the
        result is the JSON of the body.
        """
        other = copy(self)
        other.undocumented = undocumented
        other._received = received  # noqa: SLF001 - of the same class
        other._query = query  # noqa: SLF001 - of the same class
        other._as_json = as_json  # noqa: SLF001 - of the same class
        return other

    def with_http_options(self, **changes: Any) -> Self:
        """A client over the same transport whose httpx client has these options too."""
        return self.over(self._at, self._servers, self._connect, {**self._options, **changes})


@cache
def bound_class(client_class: Hashable) -> Any:
    """A generated `Client` class over attempt transports, with all operations of its package as
    `document`.
    """
    generated = cast("type[Any]", client_class)
    package = generated.__module__.rpartition(".")[0]
    errors = importlib.import_module(f"{package}.errors")
    attributes = {"__doc__": generated.__doc__, "_unexpected_status": errors.UnexpectedStatus}
    attributes["document"] = _table_of(package, "operations", ())
    attributes["members"] = _table_of(package, "members", {})
    return type(f"Bound{generated.__name__}", (_Bound, generated), attributes)


def _table_of(package: str, name: str, default: Any) -> Any:
    """The table in a module of a generated package; the default for a package by hand."""
    module = f"{package}.{name}"
    try:
        return getattr(importlib.import_module(module), name.upper())
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return default


def expect(kind: type[T], result: object) -> T:
    """The result of a generated operation, for type checkers too:
    `expect(Payment, take_payment.sync(...))`.

    The type of a generated operation is the union of all that the document declares, errors
    included, and None. Over a client of this package an error status is raised, so the class of the
    good response is what is left.

    Args:
        kind: The class of the good response, or a list of one: `list[Balance]`. Where the document
            has several good responses, use `isinstance` instead.
        result: What the operation returned. It is returned as it is.

    Raises:
        UnreadableResponse: It is of another class, or None, as after a 202 without a body. The call
            was accepted: a read can be repeated; look a write up before you repeat it.
    """
    if not is_instance(result, kind):
        returned = "nothing" if result is None else type(result).__name__
        raise UnreadableResponse(
            f"The provider accepted the call, but it returned {returned}, not {type_name(kind)}.",
            outcome=Outcome.ACCEPTED,
            hint="A read can be repeated. Look a write up at the provider before you repeat it.",
        )
    return cast("T", result)


def is_instance(value: object, kind: Any) -> bool:
    """Whether a value is of a class; for `list[Card]`, whether it is a list of cards."""
    origin = get_origin(kind)
    arguments = get_args(kind)
    if origin in (Union, UnionType):
        return any(is_instance(value, member) for member in arguments)
    if kind is Any or not isinstance(value, origin or kind):
        return kind is Any
    return origin is not list or all(
        is_instance(item, arguments[0]) for item in cast("list[object]", value)
    )


def type_name(kind: Any) -> str:
    """The name of a class for messages."""
    return str(kind) if get_args(kind) else str(getattr(kind, "__name__", kind))
