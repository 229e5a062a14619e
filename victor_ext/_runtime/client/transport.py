"""What generated operations send with: the attempt loop as an httpx transport, the httpx clients
over it, and the generated clients over these, with the errors of this package.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache, partial, wraps
from types import MappingProxyType, UnionType
from typing import Any, ParamSpec, Self, TypeVar, Union, cast, get_args, get_origin

import httpx
from msgspec.structs import replace

from victor_ext._privacy import SecretBytes, redact_excerpt
from victor_ext._runtime.client.config import checked_timeout
from victor_ext._runtime.core.json_values import NOT_JSON, json_of
from victor_ext._runtime.core.response import NOT_READ, Response
from victor_ext._runtime.http.connections import origin_of
from victor_ext._runtime.http.httpx_internals import REQUESTING, url_below
from victor_ext._runtime.loop.attempts import AttemptLoop
from victor_ext._runtime.loop.evidence import (
    READER,
    UNDOCUMENTED,
    Declared,
    Reader,
    Tables,
    unread_because,
)
from victor_ext._runtime.loop.flow import Flow
from victor_ext.errors import ConfigurationError, InvalidRequest, Outcome, UnreadableResponse

P = ParamSpec("P")
T = TypeVar("T")
_SECONDS = "victor_ext.seconds"
"""In the extensions of a request that goes through somebody's `request`: within which time."""


class _AttemptTransport:
    """What the transports of both modes have in common.

    `original` is the transport that owns the connections, where this one only shares them: when it
    is closed, this one is, too.
    """

    def __init__(
        self,
        loop: AttemptLoop,
        connections: Any,
        base_url: httpx.URL,
        *,
        driver: Any,
        original: _AttemptTransport | None = None,
    ) -> None:
        self._loop = loop
        self._connections = connections
        self._driver = driver
        self._original = original
        self._origin = origin_of(base_url)
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed or (self._original is not None and self._original.is_closed)

    def require_open(self) -> None:
        if self.is_closed:
            raise ConfigurationError(
                "This client has been closed: make a new one, or close it later."
            )

    def attempts(self, request: httpx.Request, seconds: float | None = None) -> Flow[Response]:
        """The flow of one call, within these seconds; None: within the client's deadline.

        Raises `ConfigurationError` if the client is closed, or the request goes elsewhere.
        """
        self.require_open()
        if origin_of(request.url) != self._origin:
            scheme, host, _ = self._origin
            raise ConfigurationError(
                f"A request to {request.url.scheme}://{request.url.host} was stopped: the token of "
                f"this client is for {scheme.decode()}://{host.decode()} only. Use another client "
                "for it."
            )
        loop = self._loop if seconds is None else replace(self._loop, deadline=seconds)
        return loop.call(request)

    def _refuse_calls(self) -> bool:
        """Refuse further calls. Returns whether the connections are to be closed, too: once, and
        only by the transport that owns them.
        """
        was_open = not self._closed
        self._closed = True
        return was_open and self._original is None


class AttemptTransport(_AttemptTransport, httpx.BaseTransport):
    """Signs, sends, classifies, waits and tries again, with blocking calls."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        seconds = request.extensions.pop(_SECONDS, None)
        response: Response = self._driver.run(self.attempts(request, seconds))
        return response

    def close(self) -> None:
        if self._refuse_calls():
            self._connections.close()


class AsyncAttemptTransport(_AttemptTransport, httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        seconds = request.extensions.pop(_SECONDS, None)
        response: Response = await self._driver.run(self.attempts(request, seconds))
        return response

    async def aclose(self) -> None:
        if self._refuse_calls():
            await self._connections.aclose()


_CANNOT_BE_WRITTEN = (httpx.InvalidURL, ValueError, TypeError, OverflowError, RecursionError)
"""What httpx raises for text that no URL or header can hold, a number that JSON does not have, and
an object of an unknown type.
"""


def refusing_unwritable(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that writes a request, or a part of one: it raises `InvalidRequest` for
    what cannot be written.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except InvalidRequest:
            raise
        except _CANNOT_BE_WRITTEN as error:
            why = redact_excerpt(str(error)) or type(error).__name__
            if isinstance(error, UnicodeEncodeError) and error.encoding == "ascii":
                why = "a header holds ASCII characters only, and one here has others"
        raise InvalidRequest(
            f"The request cannot be written, and nothing was sent: {why.rstrip('.')}."
        )

    return call


class _RequestBuilder:
    """The `build_request` of the httpx clients of both modes."""

    @refusing_unwritable
    def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        """httpx's `build_request`. Raises `InvalidRequest` where httpx cannot write the request."""
        client: Any = super()  # httpx's client of the mode, which types do not know here
        path: object = kwargs.get("url")
        if isinstance(path, str) and path.startswith("/") and not path.startswith("//"):
            # As httpx joins them. It would parse the path first, and the whole once more.
            kwargs["url"] = url_below(client.base_url, path)
        request: httpx.Request = client.build_request(*args, **kwargs)
        return request


@refusing_unwritable
def set_url(request: httpx.Request, change: Callable[[httpx.URL], httpx.URL]) -> None:
    """Change the URL that a generated operation has made. Raises as `build_request` does."""
    request.url = change(request.url)


class BuildingClient:
    """Stands in place of a generated client: a generated function returns the request that it would
    send.
    """

    def __init__(self, api: Any, build_request: Callable[..., httpx.Request]) -> None:
        self._api = api
        self._build_request = build_request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def call(self, operation: object, _parse: object, kwargs: dict[str, Any]) -> httpx.Request:
        extensions = self._api.request_extensions(operation)
        return self._build_request(**kwargs, extensions=extensions)


class MethodRequests:
    """Builds and sends the requests of a client's methods: those that its httpx client would build,
    in a third of the time.

    Nobody but this package has that client, so its headers are merged once, and it has no cookies
    and no parameters. Where somebody has replaced `build_request` or `request` of httpx's clients,
    it is that client that does it.
    """

    def __init__(
        self, http: httpx.Client | httpx.AsyncClient, transport: _AttemptTransport
    ) -> None:
        self._http = http
        self._transport = transport
        self._base_url = http.base_url
        self._timeouts = http.timeout.as_dict()
        self._headers = httpx.Headers([(b"Host", http.base_url.netloc), *http.headers.raw])

    @refusing_unwritable
    def build(
        self,
        *,
        method: str,
        url: str,
        extensions: Mapping[str, Any] = MappingProxyType({}),
        headers: Mapping[str, str] | None = None,
        content: Any = b"",
        **others: Any,
    ) -> httpx.Request:
        """The request of what a generated module has written. One of the usual form is made here,
        and any other one by `build_request` of httpx, as each is where somebody has put himself in
        front of it. Raises as `build_request` does.
        """
        is_below = url.startswith("/") and not url.startswith("//")
        has_length = isinstance(content, bytes) and (bool(content) or method == "get")
        if others or not is_below or not has_length:
            if content != b"":
                others["content"] = content
            return self._http.build_request(
                method=method, url=url, headers=headers, extensions={**extensions}, **others
            )
        sent = dict(headers or {})
        if content:
            sent["Content-Length"] = str(len(content))
        merged = httpx.Headers(self._headers)
        merged.update(sent)
        request = httpx.Request(
            method,
            url_below(self._base_url, url),
            headers=merged,
            stream=httpx.ByteStream(content),
            extensions={**extensions, "timeout": dict(self._timeouts)},
        )
        request.read()
        return request

    def attempts(self, request: httpx.Request, seconds: float | None) -> Flow[Response]:
        """The flow of one call, as that of the transport."""
        if REQUESTING.are_replaced():
            return self._through_client(request, seconds)
        return self._transport.attempts(request, seconds)

    def _through_client(self, request: httpx.Request, seconds: float | None) -> Flow[Response]:
        extensions = dict(request.extensions)
        if seconds is not None:
            extensions[_SECONDS] = seconds
        response: Response = yield partial(
            self._http.request,
            method=request.method,
            url=str(request.url),
            headers=request.headers,
            content=SecretBytes(request.read()),
            extensions=extensions,
        )
        return response


def _is_plain(
    client: httpx.Client | httpx.AsyncClient, request: httpx.Request, options: dict[str, Any]
) -> bool:
    """Whether httpx's client has nothing to do but to give the request to its transport, which
    reads the response, follows no redirect and keeps no cookie.

    So it is where the client has no hook, no authentication and no redirects, built the request
    itself, and the call has no options of its own.
    """
    if (
        client.auth is not None
        or client.follow_redirects
        or client.is_closed
        or any(client.event_hooks.values())
    ):
        return False
    if "timeout" not in request.extensions:  # another client built it
        return False
    defaults = [*options.values()].count(httpx.USE_CLIENT_DEFAULT)
    return defaults == len(options)


class HttpClient(_RequestBuilder, httpx.Client):
    def __init__(self, *, transport: httpx.BaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._attempts = transport

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request, through the rest of httpx's client only where it has something to do."""
        if not _is_plain(self, request, options):
            return super().send(request, **options)
        return self._attempts.handle_request(request)


class AsyncHttpClient(_RequestBuilder, httpx.AsyncClient):
    def __init__(self, *, transport: httpx.AsyncBaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._attempts = transport

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        if not _is_plain(self, request, options):
            return await super().send(request, **options)
        return await self._attempts.handle_async_request(request)


Connect = Callable[[dict[str, Any]], httpx.Client | httpx.AsyncClient]


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
    http_client: httpx.Client | httpx.AsyncClient
    """What its operations send with."""
    _at: str
    _connect: Connect
    _options: dict[str, Any]

    @classmethod
    def over(cls, base_url: str, connect: Connect, options: dict[str, Any]) -> Self:
        """A client whose httpx client, over an attempt transport, `connect` makes from additional
        options.
        """
        # The client of a document with bearer tokens needs a token. Here the transport sets it.
        token = {"token": ""} if "token" in getattr(cls, "__match_args__", ()) else {}
        client = cls(base_url=base_url, **token)  # type: ignore[call-arg] # the generated class's
        client._at = base_url
        client._connect = connect
        client._options = options
        http = client.http_client = connect(options)
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

    @refusing_unwritable
    def with_headers(self, headers: dict[str, str]) -> Self:
        merged = httpx.Headers(self._options.get("headers"))
        merged.update(headers)
        return self.with_http_options(headers=merged)

    def with_cookies(self, cookies: dict[str, str]) -> Self:
        return self.with_http_options(cookies={**self._options.get("cookies", {}), **cookies})

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        return self.with_http_options(timeout=checked_timeout(timeout))

    def parse_response(self, parse: Callable[..., T], response: httpx.Response) -> T:
        """Read a response that the attempt loop accepted. Raises the error of its call if it cannot
        be read.
        """
        try:
            return cast("T", self._parsed(parse, response))
        except Exception as error:
            if not isinstance(response, Response) or response.unusable is None:
                raise  # it came through another HTTP client
            why = UNDOCUMENTED if self.is_undocumented(error) else unread_because(error)
        raise response.unusable(response, why)

    def _parsed(self, parse: Callable[..., T], response: httpx.Response) -> Any:
        """What the generated parser makes of a response, or has made of it for the attempt loop;
        its JSON where the document has no content for the body.
        """
        if isinstance(response, Response) and response.parsed is not NOT_READ:
            parsed = response.parsed
        else:
            parsed = parse(client=self, response=response)
        if parsed is not None or not response.content:
            return parsed
        body = json_of(response)
        return parsed if body is NOT_JSON else body

    def request_extensions(self, operation: Any) -> dict[str, Any]:
        """The parser of an operation, for the attempt loop."""
        return {READER: Reader(self, operation)}

    def is_undocumented(self, error: Exception) -> bool:
        """Whether a parser raised this because the document does not list the status of the
        response.
        """
        return isinstance(error, self._unexpected_status)

    def with_http_options(self, **changes: Any) -> Self:
        """A client over the same transport whose httpx client has these options too."""
        return self.over(self._at, self._connect, {**self._options, **changes})


@cache
def bound_class(client_class: Hashable) -> Any:
    """A generated `Client` class over attempt transports, with all operations of its package as
    `document`. Raises `ImportError` for one of another generator.
    """
    generated = cast("type[Any]", client_class)
    package = generated.__module__.rpartition(".")[0]
    errors = importlib.import_module(f"{package}.errors")
    attributes = {"__doc__": generated.__doc__, "_unexpected_status": errors.UnexpectedStatus}
    attributes["document"] = importlib.import_module(f"{package}.operations").OPERATIONS
    attributes["members"] = importlib.import_module(f"{package}.members").MEMBERS
    return type(f"Bound{generated.__name__}", (_Bound, generated), attributes)


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
