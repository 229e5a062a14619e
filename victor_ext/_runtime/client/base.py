"""The base of every client, and its two modes: blocking calls and awaited calls.

A provider writes one class that is generic over both, and names the two modes:

    # `Client` is that of the package `shop_api`.
    class _ShopClient(BaseClient[Client, Mode, Transport]):
        _generated = Client
        _resources: ClassVar[dict[str, Any]] = {"orders": Orders}
        orders: Orders[Mode]
        # Its constructor takes `ClientOptions`, begins with `take`, and ends with `_start`.

    class Shop(_ShopClient[Blocking, httpx.BaseTransport], BlockingClient): ...
    class AsyncShop(_ShopClient[Awaited, httpx.AsyncBaseTransport], AwaitedClient): ...
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import Any, ClassVar, Generic, Self, TypeVar

import httpx

from victor_ext._privacy import Secret, conceal_arguments, concealed_within, kind_of, redact_excerpt
from victor_ext._runtime.client.config import Transport
from victor_ext._runtime.client.transport import (
    AsyncAttemptTransport,
    AsyncHttpClient,
    AttemptTransport,
    HttpClient,
    MethodRequests,
)
from victor_ext._runtime.core.clock import SEND_BEFORE, ProviderTime, ServerClock
from victor_ext._runtime.core.headers import ExtraHeaders
from victor_ext._runtime.core.validation import Validation
from victor_ext._runtime.http.connections import Route
from victor_ext._runtime.http.options import (
    checked_limits,
    checked_transport,
    proxy_for,
    tls_context_for,
)
from victor_ext._runtime.http.pooled_transport import AsyncPooledTransport, PooledTransport
from victor_ext._runtime.loop.flow import AsyncDriver, Driver, Lock
from victor_ext._runtime.loop.operations import Done, NotDone, Operations, Proof
from victor_ext._runtime.loop.retry import Authenticator, RetryPolicy
from victor_ext._systems import System
from victor_ext._values.clocks import READ_EARLIER
from victor_ext._values.opaque import FrozenStruct
from victor_ext._values.response_info import ResponseInfo
from victor_ext.errors import (
    ConfigurationError,
    InvalidRequest,
    PaginationError,
    StatusError,
    UnreadableResponse,
    VictorError,
)

from .config import KEEP, ClientConfig
from .prepared_calls import (
    AnyOperation,
    PreparedCall,
    prepare_call,
    send_prepared,
)
from .resources import Awaited, Blocking, HasMode, Mode, Shared, operation
from .runners import AsyncRunner, OperationCall, OperationFlow, SyncRunner
from .transport import bound_class

_logger = logging.getLogger("victor_ext.client")
Api = TypeVar("Api")


class BaseClient(HasMode[Mode], Generic[Api, Mode, Transport]):
    """What both modes of a client have in common. Each mode sets the class variables."""

    _generated: Any
    _resources: ClassVar[dict[str, Any]] = {}
    """The types of the resources, by name. The class has them too, for `create_autospec`."""
    _pooled_type: ClassVar[type[PooledTransport | AsyncPooledTransport]]
    _transport_type: ClassVar[type[httpx.BaseTransport | httpx.AsyncBaseTransport]]
    _driver_type: ClassVar[type[Driver | AsyncDriver]]
    _attempt_transport_type: ClassVar[Callable[..., Any]]
    _runner_type: ClassVar[Callable[..., Any]]
    _http_client_type: ClassVar[Callable[..., Any]]
    # For tests, an `OnWait` each: called in place of the waits before a retry, or of `wait`. The
    # time counts as passed.
    _on_retry_wait: ClassVar[Any] = None
    _on_poll_wait: ClassVar[Any] = None
    is_awaited: ClassVar[bool]
    _config: ClientConfig
    _connections: Any
    _driver: Any
    _transport: Any

    def _connections_for(self, config: ClientConfig, options: Mapping[str, Any], /) -> Any:
        """The transport to send over: the caller's, or else a pool of connections. Raises
        `ConfigurationError`.
        """
        transport = options["transport"]
        if transport is None:
            return self._pool_for(config.base_url, options)
        return checked_transport(transport, self._transport_type)

    def _pool_for(self, url: httpx.URL, options: Mapping[str, Any]) -> Any:
        """A pool of connections to the origin of a URL, as a transport.

        Raises `ConfigurationError`.
        """
        # Plain http needs no certificates, which take time to read.
        tls = tls_context_for(options["verify"], url) if url.scheme == "https" else None
        route = Route(url, tls, proxy_for(url, options["proxy"]))
        return self._pooled_type(route, checked_limits(options["limits"]))

    def _start(
        self,
        options: Mapping[str, Any],
        authenticator: Callable[[ServerClock, Lock], Authenticator],
        base_url: httpx.URL,
        **config_arguments: Any,
    ) -> None:
        """Put the client together, of its `options` (as `take` returns them) and the other
        arguments of `ClientConfig`. `authenticator` makes the authenticator.
        """
        clock = ServerClock()
        # a lock for this mode: threads or tasks
        signs = authenticator(clock, self._driver_type.lock())
        config = ClientConfig(
            options, authenticator=signs, base_url=base_url, clock=clock, **config_arguments
        )
        self._assemble(config, self._connections_for(config, options))

    def _assemble(self, config: ClientConfig, connections: Any, *, original: Any = None) -> None:
        """Make the parts of the client that depend on its configuration.

        `original` is the transport of the client whose connections this one shares.
        """
        self._config = config
        self._connections = connections
        self._driver = self._driver_type(connections)
        self._driver.pause = self._driver.sleep
        if self._on_retry_wait is not None:
            self._driver.sleep = self._driver_type.skipping(config.clock, self._on_retry_wait)
        if self._on_poll_wait is not None:
            self._driver.pause = self._driver_type.skipping(config.clock, self._on_poll_wait)
        self._transport = self._attempt_transport_type(
            config.loop, connections, config.base_url, original=original, driver=self._driver
        )
        # No caller has it: no hook or option of theirs changes what a method sends, or how its
        # response is read.
        api = self._new_api()
        requests = MethodRequests(api.http_client, self._transport)
        runner = self._runner_type(api, requests.build, requests.attempts, self._driver.take)
        self._shared = Shared(runner, config.clock, config.loop.deadline, config.context)
        self._attach()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if hasattr(cls, "_runner_type"):  # the class has a mode
            for name, kind in cls._resources.items():
                setattr(cls, name, kind(Shared(_NoClient())))
            for name in dir(cls):
                # a mock takes `self` from functions only
                if isinstance(method := getattr(cls, name, None), operation):
                    setattr(cls, name, method.function(awaited=cls.is_awaited))
            # `help()` shows them: without the parameters, which no user names.
            setattr(cls, "__orig_bases__", cls.__bases__)  # noqa: B010 - unknown to types

    def _attach(self) -> None:
        """Make the resources. Called for each new client, those of `with_options` included."""
        for name, kind in self._resources.items():
            setattr(self, name, kind(self._shared))

    @property
    def api(self) -> Api:
        """The generated client, for the operations of its package: they sign, retry and fail as
        this client does.

        Hooks, headers and options that you set on it, or on its httpx client, change its own calls
        only, and never those of this client's methods.
        """
        parts = vars(self)
        if "_handed_out" not in parts:
            # All threads get the same one. A lock might stay taken over a fork.
            parts.setdefault("_handed_out", self._new_api())
        api: Api = parts["_handed_out"]
        return api

    @property
    def _route(self) -> Route | None:
        """Where a pool's connections go; None with a transport of the caller's."""
        return getattr(self._connections, "route", None)

    @property
    def _operations(self) -> Operations:
        """The provider's table."""
        return self._config.loop.behaviour.operations

    @property
    def proxy(self) -> str | None:
        """Host and port of the proxy that calls go through; None without a proxy, or with a
        transport of the caller's.
        """
        return None if self._route is None else self._route.proxy_place

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context, which says whom this client trusts; other clients share it.

        None for plain http, or with a transport of the caller's.
        """
        return None if self._route is None else self._route.tls

    def with_options(
        self,
        *,
        timeout: httpx.Timeout | float | None = KEEP,
        deadline: float | None = KEEP,
        retry: RetryPolicy = KEEP,
        headers: ExtraHeaders | None = KEEP,
    ) -> Self:
        """A client with other options that shares this one's connections, token, clock and retry
        quota.

        Closing it closes no connections; closing the original closes both.

        Args:
            timeout: Seconds for each stage of one attempt, or an `httpx.Timeout`; None sets no
                bound. 0 is refused.
            deadline: Seconds for one call as a whole; None sets no bound. 0 is refused.
            retry: How patiently a call is tried again. Another `quota` than the client's starts a
                new retry quota.
            headers: Headers that are sent with each call, such as `{"X-Tenant": "north"}`. Those
                that the client sets itself are refused. They replace those of an earlier
                `with_options`; requests for a token have none of them. None: none.

        Raises:
            ConfigurationError: A value that cannot work; the message names it.
        """
        other = object.__new__(type(self))
        config = self._config.replace(timeout, deadline, retry, concealed_within(headers))
        other._assemble(config, self._connections, original=self._transport)
        return other

    def prepare(
        self,
        operation: AnyOperation,
        /,
        *args: Any,
        idempotency_key: str | None = None,
        **kwargs: Any,
    ) -> PreparedCall:
        """Build and check a write without sending it: `send` sends it, in this process or in
        another one.

        Makes no call, and is never awaited.

        Args:
            operation: A method of this client (`"orders.create"`), or a generated operation: its
                module (`create_order`) or one of the module's functions (`create_order.sync`).
            args: The arguments of the method or of the generated function; so are `kwargs`.
            idempotency_key: The key, for an operation that takes one. It fills the argument that a
                generated function has for it, whatever it is called.

        Raises:
            InvalidRequest: An argument is invalid.
            ConfigurationError: There is no such operation, or it reads.
        """
        conceal_arguments(kwargs)
        return prepare_call(self, operation, idempotency_key, args, kwargs)

    @operation
    def send(self, call: PreparedCall) -> OperationFlow[Done]:
        """Send a prepared write, with all attempts that are safe.

        Args:
            call: The write. Its bytes are those that were prepared; credentials and environment are
                this client's.

        Raises:
            VictorError: As of the method that was prepared.
        """
        return send_prepared(self, call)

    @operation
    def send_before(
        self, until: tuple[float, float], send: Callable[[], Any]
    ) -> OperationFlow[Any]:
        """Call `send`, such as a method of this client, and return its result; a write that is late
        is not sent.

        Whoever writes its first byte looks at both clocks: a machine may sleep while a connection
        is opened. What `send` reads is not bounded. The bound is that of this thread or task, and
        of the tasks that `send` starts; within another one, the earlier of both counts.

        Args:
            until: Until when the write may be sent: the time of this machine in epoch seconds, and
                `time.monotonic()`. It is late when either clock shows more.
            send: A function without arguments; of an awaited client, what it returns is awaited.

        Raises:
            DeadlineExceeded: It was late; `not_sent`, unless an earlier attempt was sent.
        """
        before = SEND_BEFORE.get()
        if before is not None:
            until = (min(before[0], until[0]), min(before[1], until[1]))
        SEND_BEFORE.set(until)
        try:
            return (yield send)
        finally:
            SEND_BEFORE.set(before)

    @operation
    def look_up(
        self,
        /,
        call: PreparedCall,
        *,
        since: datetime,
        read_from: datetime | None = None,
        **given: str,
    ) -> OperationFlow[Done | NotDone | str]:
        """Read whether a prepared write was done, such as one whose response was lost.

        What another program made with the same reference is none: it has other values, or was made
        earlier.

        Args:
            call: The write.
            since: The earliest moment at which it may have been sent, aware, by the provider's
                clock: see `provider_time`.
            read_from: From when on the reads look. None: some minutes before `since`, to show what
                else it may be.
            given: What the reads need and the request does not have: `call.look_up_needs` names it.

        Returns:
            What shows that it was done, or a state in which it was not. A text says why the reads
                do not show it, and what they have found: that proves nothing, since lists lag.

        Raises:
            InvalidRequest: A moment is not aware.
            VictorError: A read failed.
        """
        each = BaseClient.look_up_all.flow(self, [(call, since, read_from)], **given)
        (finding,) = yield from each
        if isinstance(finding, VictorError):
            raise finding
        return finding

    def shares_look_ups(self, call: PreparedCall) -> bool:
        """Whether one walk of a list serves the look-ups of several such writes: `look_up_all`.

        Args:
            call: One of these writes.
        """
        proof = self._operations.proof_of(call.operation)
        return proof is not None and proof.find_all is not None

    @operation
    def look_up_all(
        self, look_ups: Sequence[tuple[PreparedCall, datetime, datetime | None]], /, **given: str
    ) -> OperationFlow[list[Done | NotDone | str | VictorError]]:
        """Read whether each of several prepared writes of one operation was done: as `look_up`, and
        by one walk of a list for all of them, if a list shows it.

        Args:
            look_ups: The writes, as tuples of `call`, `since` and `read_from`.
            given: What the reads of all need.

        Returns:
            For each, in their order, what `look_up` would return; or the error of reads for it
                alone.

        Raises:
            InvalidRequest: A moment is not aware.
            VictorError: The walk failed: nothing is known of any of them.
        """
        with Validation("The look-up") as validation:
            for _, since, read_from in look_ups:
                validation.moment("since", since)
                validation.moment("read_from", read_from, required=False)
        operation = look_ups[0][0].operation
        proof = self._operations.proof_of(operation)
        if proof is None:
            return ["No read shows whether it was done."] * len(look_ups)
        # A proof of the caller's reads with `api`: what was set there must hide no payment.
        reader = self.with_options()
        calls = [
            (call, _beginning(since) if read_from is None else read_from)
            for call, since, read_from in look_ups
        ]
        try:
            found = yield from _found_of_each(proof, reader, calls, given)
            return [
                _checked_finding(finding, proof, call, since)
                for finding, (call, since, _) in zip(found, look_ups, strict=True)
            ]
        except VictorError:
            raise
        except Exception as error:  # of the caller's own function: it ends no worker
            _logger.warning("The proof of %s failed.", operation, exc_info=True)
            why = (
                f"The proof of {operation} failed: {type(error).__name__}: "
                f"{redact_excerpt(str(error))}"
            )
            return [why] * len(look_ups)

    @operation
    def read_state(self, call: PreparedCall, id: str) -> OperationFlow[Done | str]:
        """Read the present status of what a prepared write made or changed, and whether it is
        final.

        Args:
            call: The write.
            id: The id that `send` has returned.

        Returns:
            A text says why there is none.

        Raises:
            VictorError: The read failed.
        """
        follow = self._operations.follow_of(call.operation)
        if follow is None:
            return "No read shows its state."
        reader = self.with_options()  # as for a look-up
        return follow.done((yield partial(follow.read, reader, call, id)), id)

    @operation
    def ask_time(self) -> OperationFlow[ProviderTime]:
        """Ask for the provider's time with `ping`, or by a read of the base URL: a response that
        says no has it, too.

        Raises:
            VictorError: No response came.
        """
        with suppress(StatusError, UnreadableResponse, PaginationError):
            yield getattr(self, "ping", partial(self.http.get, ""))
        return self.provider_time()

    @operation
    def authorization(self) -> OperationFlow[str]:
        """The value of the `Authorization` header that a request made now would carry. It is a
        secret.

        Raises:
            ConfigurationError: The client has been closed, or the credentials make no header that
                can be sent.
            VictorError: No token was issued.
        """
        self._transport.require_open()
        # signed, and never sent
        request = httpx.Request(
            "GET", self._config.base_url, extensions={"timeout": self._config.timeout.as_dict()}
        )
        yield from self._config.loop.sign(request)
        if "Authorization" not in request.headers:
            raise ConfigurationError(
                "authorization: the credentials of this client set no Authorization header."
            )
        return Secret(request.headers["Authorization"])

    def _new_api(self) -> Any:
        """A generated client over this client's transport."""
        bound = bound_class(self._generated)
        return bound.over(str(self._config.base_url), self._http_client, {})

    @property
    def http(self) -> Any:
        """An httpx client, for requests made by hand below the base URL: they sign, retry and fail
        as calls do.
        """
        return self._http_client({})

    def _http_client(self, options: dict[str, Any]) -> Any:
        """An httpx client over this client's transport, with additional options of httpx."""
        return self._http_client_type(
            transport=self._transport, **self._config.client_arguments(options)
        )

    def provider_time(self) -> ProviderTime:
        """The provider's time, and whether it is known from a response.

        Makes no call, and is never awaited.
        """
        return self._config.clock.provider_time()

    @property
    def listener_failures(self) -> int:
        """How many times `on_event` has raised, for clients made by `with_options` too."""
        return self._config.loop.reporter.failures

    @property
    def environment(self) -> str:
        """The name of the environment; empty where the provider has only one."""
        return self._config.environment

    @property
    def base_url(self) -> str:
        """The URL that is called."""
        return str(self._config.base_url)

    @property
    def provider(self) -> str:
        """The provider's name, as in messages."""
        return self._config.loop.behaviour.name

    @property
    def deadline(self) -> float | None:
        """Seconds for one call as a whole; None without a bound."""
        return self._config.loop.deadline

    @property
    def reads(self) -> list[str]:
        """The operations that only read, by method and path template: `GET /v3/payees/{}`."""
        return self._operations.reads()

    @property
    def statuses(self) -> list[str]:
        """The words that are known for the states of what its writes make; others may come, too."""
        system: System | None = getattr(self, "system", None)
        known: list[str] = [] if system is None else list(system.statuses)
        ends: set[str] = self._operations.final_words()
        return list(dict.fromkeys([*known, *sorted(ends)]))

    @property
    def caller(self) -> str | None:
        """A digest of the credentials' public part.

        It tells two callers apart without naming them.
        """
        return self._config.caller

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, '_config', '')})"


def _beginning(since: datetime) -> datetime:
    """From when on the reads of a look-up look, if nothing is said: `READ_EARLIER` before the write
    was sent.
    """
    first = datetime.min.replace(tzinfo=UTC)  # no datetime can be before it
    return since - min(READ_EARLIER, since - first)


def _found_of_each(
    proof: Proof, client: Any, calls: Sequence[tuple[Any, datetime]], given: Mapping[str, str]
) -> OperationFlow[list[object]]:
    """What a proof finds of each write, or the error of its reads: by one walk, where it has one
    and the client refuses the values of none of them.
    """
    if proof.find_all is not None:
        with suppress(InvalidRequest):
            return [*(yield from proof.find_all(client, calls, given))]
    found: list[object] = []
    for call, since in calls:
        finding: object
        try:
            finding = yield from proof.find(client, call, since, given)
        except VictorError as error:
            finding = error
        found.append(finding)
    return found


def _checked_finding(
    finding: object, proof: Proof, call: PreparedCall, since: datetime
) -> Done | NotDone | str | VictorError:
    """What a proof returned, if it is about this write; else a text that says why it may not be."""
    if isinstance(finding, str | NotDone | VictorError):
        return finding
    if not isinstance(finding, Done):
        return (
            f"The proof of {call.operation} returned {kind_of(finding)}, and no Done, NotDone or "
            "text."
        )
    if finding.is_state and finding.id not in call.ids:
        return f"The proof of {call.operation} has a state of what the path does not name."
    return finding.doubt(since, proof.times_differ) or finding


class _NoClient:
    """Stands in place of the runner in a resource of a class."""

    def __getattr__(self, name: str) -> Any:
        raise ConfigurationError(
            "This is a resource of the class. Make a client, and call that of the client."
        )


class Ping(FrozenStruct, frozen=True):
    """The result of a signed read. It exists only where the provider accepts the credentials.

    Attributes:
        seconds: How long the whole call took, with all attempts, and with the request for a token,
            if it needed one.
        clock_offset: Seconds by which the provider's clock is ahead of this machine's (negative:
            behind); 0.0 within two seconds. None: the provider does not tell its time.
        response_info: Status, headers, request id and attempts of the response.
    """

    seconds: float
    clock_offset: float | None
    response_info: ResponseInfo


class Pings(HasMode[Mode]):
    """Gives a client the method `ping`, where the provider has a signed read that needs no id."""

    _ping_read: tuple[ModuleType, dict[str, Any]]
    """The generated operation of that read, with its arguments: one item of a list.

    The provider's table of operations says what a good response to it is.
    """

    @operation
    def ping(self) -> OperationFlow[Ping]:
        """Make one signed read, which changes nothing: are the credentials accepted, and do the
        clocks agree?

        Use it when a service starts, and by hand. A health check that runs often costs the provider
        a call each time.

        Returns:
            How long it took, the difference of the clocks, and the response.

        Raises:
            AuthenticationError: The provider does not accept the credentials.
            VictorError: Any other failure.
        """
        clock: ServerClock = self._shared.clock
        began = clock.monotonic()
        step = OperationCall(*self._ping_read)
        yield step
        offset = clock.skew if clock.provider_time().is_known else None
        return Ping(clock.monotonic() - began, offset, step.response.info())


class BlockingClient(BaseClient[Any, Blocking, httpx.BaseTransport]):
    """A client with blocking calls. Safe to share between threads."""

    _pooled_type = PooledTransport
    _transport_type = httpx.BaseTransport
    _driver_type = Driver
    _attempt_transport_type = AttemptTransport
    _runner_type = SyncRunner
    _http_client_type = HttpClient
    _driver: Driver

    is_awaited = False

    def close(self) -> None:
        """Close the connections (those of a client made by `with_options` stay with the
        original).
        """
        self._transport.close()

    def __enter__(self) -> Self:
        self._transport.require_open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AwaitedClient(BaseClient[Any, Awaited, httpx.AsyncBaseTransport]):
    """A client with awaited calls."""

    _pooled_type = AsyncPooledTransport
    _transport_type = httpx.AsyncBaseTransport
    _driver_type = AsyncDriver
    _attempt_transport_type = AsyncAttemptTransport
    _runner_type = AsyncRunner
    _http_client_type = AsyncHttpClient
    _driver: AsyncDriver

    is_awaited = True

    async def close(self) -> None:
        await self._transport.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        self._transport.require_open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
