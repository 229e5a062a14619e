"""Whether httpx, and httpx2 where it is loaded, still connect and send with the functions of their
libraries.

A mock, a guard against the network, or a tracer replaces or wraps one of them: respx and vcrpy
those of httpcore, pytest-httpx and OpenTelemetry those of httpx's transports, Sentry and Datadog
`Client.send`, a fixture any of them; and each has its like for httpx2. It is meant for this client
too, so its calls then go through that library: through httpx where both have been replaced. What
sends is looked at for each attempt, and what connects for each new connection.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any, Self

import h11
import httpcore
import httpx

from .from_httpx2 import loaded_httpx2

_SENDS = re.compile("_?send|write$|handle_|_transport_for")
_CONNECTS = re.compile(".*connect|__init__$|_init_|start_tls")
_PARTS = re.compile(
    "(?!.*Network).*"
    "(?:Client|HTTPTransport|SocketTransport|Pool|Connection|HTTPProxy|Backend|Stream)$"
)
_LOOP_CONNECTS = (
    "create_connection", "_create_connection_transport", "_make_socket_transport",
    "_connect_sock", "sock_connect", "_sock_connect",
)  # fmt: skip
_OF_HTTPCORE = "ConnectionPool", "HTTPConnection", "HTTP11Connection", "HTTPProxy"
_BOTH = 2  # libraries, httpx2 and httpcore2
_REPLACED = object()
_GREEN = ("gevent", "eventlet")  # they replace functions of Python by others that do the same


class ConnectsOtherwise(Exception):
    """What this library connects with has been replaced, so a new connection is its to open.

    Nothing was sent.
    """


class Originals:
    """Functions and classes of libraries as they were when they were added: those that send, and
    those that connect.

    `prefix` begins the names of httpx's classes for the mode; `of_httpx2` has what belongs to
    httpx2.
    """

    def __init__(self, prefix: str = "", of_httpx2: Originals | None = None) -> None:
        self._clients = f"{prefix}Client", f"{prefix}HTTPTransport"
        self._core = tuple(f"{prefix}{name}" for name in _OF_HTTPCORE)
        self._of_httpx2 = of_httpx2
        self.sending = dict[tuple[Any, str], object]()
        self.connecting = dict[tuple[Any, str], object]()
        self.added = set[tuple[ModuleType, tuple[str, ...]]]()

    def add(self, library: ModuleType | None, *names: str) -> Self:
        """Add functions of a library, and classes with those beside them, such as the streams of a
        backend: once.

        None is a library that is not loaded. A name that a release does not have is left out.
        """
        if library is None or (library, names) in self.added:
            return self
        if not getattr(library.__spec__, "_initializing", False):  # in another thread
            self.added.add((library, names))
            for owner, name in _members(
                library, [name for name in names if hasattr(library, name)]
            ):
                of_kind = self.sending if _SENDS.match(name) else self.connecting
                of_kind[owner, name] = _original(owner, name)
        return self

    def add_clients(self, library: ModuleType | None, core: ModuleType | None) -> Self:
        """Add httpx and httpcore, or httpx2 and httpcore2."""
        return self.add(library, *self._clients).add(core, *self._core)

    def library_in_front(self) -> Any:
        """httpx or httpx2, if a function that it sends with has been replaced: calls go through it.

        Else None.
        """
        if are_replaced(self.sending):
            return httpx
        if "httpx2" not in sys.modules or (beside := self._of_httpx2) is None:
            return None
        if len(beside.added) < _BOTH:
            beside.add_clients(loaded_httpx2(), sys.modules.get("httpcore2"))
        return loaded_httpx2() if are_replaced(beside.sending) else None

    def require_connecting(self) -> None:
        """Raise `ConnectsOtherwise` if one of them has been replaced."""
        # also of a library that has just been added
        if are_replaced(self.connecting) or are_replaced(self.sending):
            raise ConnectsOtherwise(httpx)
        # looked at for this attempt
        if self._of_httpx2 is not None and are_replaced(self._of_httpx2.connecting):
            raise ConnectsOtherwise(loaded_httpx2())


def are_replaced(originals: dict[tuple[Any, str], object]) -> bool:
    """Whether one of them is not what it was, or had been replaced before and still is."""
    # A copy: another thread may add those of a library that has just been loaded.
    for (owner, name), original in tuple(originals.items()):
        standing = getattr(owner, name, None)
        # As `_function`, without a call: this is asked of each of them for each attempt.
        if (standing.__func__ if type(standing) is MethodType else standing) is not original:
            if original is not _REPLACED or (own := _original(owner, name)) is _REPLACED:
                return True
            originals[owner, name] = own
    return False


def _members(library: ModuleType, names: list[str]) -> Iterator[tuple[Any, str]]:
    yield from ((library, name) for name in names)
    for home in filter(None, (_home(getattr(library, name)) for name in names)):
        for name, part in vars(home).items():
            if _PARTS.match(name) and _may_be_replaced(part):
                yield home, name
                functions = (
                    name for name in dir(part) if _SENDS.match(name) or _CONNECTS.match(name)
                )
                yield from (
                    (part, name) for name in functions if _may_be_replaced(getattr(part, name))
                )


def _may_be_replaced(value: object) -> bool:
    """Whether it is a class or a function, or what has replaced one."""
    is_own = isinstance(value, type | FunctionType | MethodType)
    return is_own or (
        callable(value) and type(value).__module__ not in ("builtins", "types", "typing")
    )


def _home(value: object) -> ModuleType | None:
    """The module in which the code of a class stands. (httpx gives its classes another one.)"""
    members = vars(value).values() if isinstance(value, type) else ()
    places = (member.__globals__["__name__"] for member in members if type(member) is FunctionType)
    return next(
        (sys.modules[place] for place in places if _package(place) == _package(value.__module__)),
        None,
    )


def _original(owner: Any, name: str) -> object:
    """What stands there; `_REPLACED` if that is not the library's own. (A wrapper may bear its name
    and its module.)
    """
    value = _function(getattr(owner, name))
    package = _package(owner.__name__ if isinstance(owner, ModuleType) else owner.__module__)
    is_own = (
        _package(value.__module__) == package
        if isinstance(value, type)
        else _is_of(value, package, "contextlib")
    )
    return value if is_own else _REPLACED


def _function(value: Any) -> Any:
    """The function of a method, also of a class. (A wrapper may have the `__func__` of what it
    wraps.)
    """
    return value.__func__ if type(value) is MethodType else value


def _is_of(function: Any, *packages: str) -> bool:
    """Whether the code of a function stands in one of these packages."""
    function = _function(function)
    return type(function) is FunctionType and _package(function.__globals__["__name__"]) in packages


def _package(name: str) -> str:
    return name.partition(".")[0]


SYNC = Originals("", Originals())
ASYNC = Originals("Async", Originals("Async"))
SYNC.add_clients(httpx, httpcore).add(httpcore, "SyncBackend").add(h11, "Connection")
ASYNC.add_clients(httpx, httpcore).add(h11, "Connection")


def require_connecting() -> None:
    """As `Originals.require_connecting`, of blocking calls."""
    SYNC.require_connecting()
    if not _is_of(socket.create_connection, "socket", *_GREEN):
        raise ConnectsOtherwise(httpx)


def require_connecting_awaited() -> None:
    """As `Originals.require_connecting`, of awaited calls: of the running event loop, too."""
    loop = _asyncio_loop()
    if loop is None:
        ASYNC.add(sys.modules.get("trio"), "open_tcp_stream", "SocketStream", "SSLStream").add(
            httpcore, "TrioBackend"
        )
    else:
        ASYNC.add(sys.modules.get("anyio._backends._asyncio"), "SocketStream").add(
            httpcore, "AnyIOBackend"
        )
        ASYNC.add(sys.modules.get("asyncio.selector_events"), "_SelectorSocketTransport")
        ASYNC.add(sys.modules.get("asyncio.proactor_events"), "_ProactorSocketTransport")
        for method in (getattr(loop, name, None) for name in _LOOP_CONNECTS):
            # that of uvloop
            is_compiled = type(method) is MethodType and type(method.__func__) is not FunctionType
            if not (method is None or is_compiled or _is_of(method, "asyncio")):
                raise ConnectsOtherwise(httpx)
    ASYNC.add(sys.modules.get("anyio.streams.tls"), "TLSStream")
    ASYNC.require_connecting()


def _asyncio_loop() -> Any:
    """The running event loop of asyncio, or None.

    A program of blocking calls does not load asyncio.
    """
    asyncio = sys.modules.get("asyncio")
    try:
        return None if asyncio is None else asyncio.get_running_loop()
    except RuntimeError:
        return None
