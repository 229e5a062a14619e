"""What this package knows of the inside of httpx, beyond its public interface.

`Originals` says whether httpx, and httpx2 where it is loaded, still connect and send with the
functions of their libraries. A mock, a guard against the network, or a tracer replaces or wraps one
of them: respx and vcrpy those of httpcore, pytest-httpx and OpenTelemetry those of httpx's
transports, Sentry and Datadog `Client.send`, a fixture any of them; and each has its like for
httpx2. It is meant for this client too, so its calls then go through that library: through httpx
where both have been replaced. What sends is looked at for each attempt, and what connects for each
new connection.

Behind it stand the URLs and the transports of httpx. Where a release of httpx has moved such a
part, the package does without.
"""

from __future__ import annotations

import re
import socket
import sys
from functools import cache
from itertools import chain
from operator import is_
from types import FunctionType, MethodType, ModuleType
from typing import Any, Self

import h11
import httpcore
import httpx

from .from_httpx2 import loaded_httpx2

_SENDING_NAME = re.compile("_?send|write$|handle_|_transport_for")
_CONNECTING_NAME = re.compile(".*connect|__init__$|_init_|start_tls")
_CLASS_NAME = re.compile(
    "(?!.*Network).*"
    "(?:Client|HTTPTransport|SocketTransport|Pool|Connection|HTTPProxy|Backend|Stream)$"
)
_LOOP_CONNECTS = (
    "create_connection", "_create_connection_transport", "_make_socket_transport",
    "_connect_sock", "sock_connect", "_sock_connect",
)  # fmt: skip
_HTTPCORE_CLASSES = "ConnectionPool", "HTTPConnection", "HTTP11Connection", "HTTPProxy"
_BOTH = 2  # libraries, httpx2 and httpcore2
_REPLACED = object()
"""Stands for the original of a function that somebody had replaced before this module saw it."""
_LONGEST = 4096  # characters of a target; a longer one goes to httpx, which has a limit
_GREEN = ("gevent", "eventlet")  # they replace functions of Python by others that do the same


class ConnectsOtherwise(Exception):
    """What a library connects with has been replaced, so that library has to open the new
    connection. It is the only argument. Nothing was sent.
    """


class Functions:
    """Functions and classes of libraries as they were when they were added."""

    def __init__(self) -> None:
        self._originals = dict[tuple[Any, str], object]()  # by their owners and names
        # Owners, names and originals, so that one look at all of them runs no Python.
        self._lists = self._as_lists()

    def _as_lists(self) -> tuple[list[Any], list[str], list[object]]:
        # A copy: another thread may add those of a library that has just been loaded.
        items = tuple(self._originals.items())
        owners = [owner for (owner, _), _ in items]
        names = [name for (_, name), _ in items]
        return owners, names, [original for _, original in items]

    def add(self, owner: Any, name: str) -> None:
        """Add what a module or a class has under a name."""
        self._originals[owner, name] = _original(owner, name)

    def are_replaced(self) -> bool:
        """Whether one of them is not what it was, or had been replaced before it was added and
        still is.
        """
        if len(self._lists[0]) < len(self._originals):
            self._lists = self._as_lists()
        owners, names, originals = self._lists
        try:
            if all(map(is_, map(getattr, owners, names), originals)):
                return False
            if any(map(self._is_replaced, owners, names, originals)):
                return True
        except AttributeError:  # somebody has taken it away
            return True
        self._lists = self._as_lists()
        return False

    def _is_replaced(self, owner: Any, name: str, original: object) -> bool:
        """Whether one of them is replaced. If it has been put back since, that is noted."""
        if _function(getattr(owner, name)) is original:
            return False
        if original is not _REPLACED:
            return True
        put_back = self._originals[owner, name] = _original(owner, name)
        return put_back is _REPLACED


class Originals:
    """Functions and classes of libraries as they were when they were added: those that send, and
    those that connect.

    `prefix` begins the names of httpx's classes for the mode (`Async`). `of_httpx2` are the
    originals of httpx2 and httpcore2, which are added when the process has loaded these.
    """

    def __init__(self, prefix: str = "", of_httpx2: Originals | None = None) -> None:
        self._clients = f"{prefix}Client", f"{prefix}HTTPTransport"
        self._core = tuple(f"{prefix}{name}" for name in _HTTPCORE_CLASSES)
        self._of_httpx2 = of_httpx2
        self.sending = Functions()
        self.connecting = Functions()
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
            known = [name for name in names if hasattr(library, name)]
            own: list[tuple[Any, str]] = [(library, name) for name in known]
            modules = filter(None, (_defining_module(getattr(library, name)) for name in known))
            for owner, name in chain(own, *map(_classes_that_act, dict.fromkeys(modules))):
                functions = self.sending if _SENDING_NAME.match(name) else self.connecting
                functions.add(owner, name)
        return self

    def add_clients(self, library: ModuleType | None, core: ModuleType | None) -> Self:
        """Add httpx and httpcore, or httpx2 and httpcore2."""
        return self.add(library, *self._clients).add(core, *self._core)

    def library_in_front(self) -> Any:
        """The library that calls have to go through, httpx or httpx2, because a function that it
        sends with has been replaced; None: neither.
        """
        if self.sending.are_replaced():
            return httpx
        of_httpx2 = self._of_httpx2
        if of_httpx2 is None or "httpx2" not in sys.modules:
            return None
        if len(of_httpx2.added) < _BOTH:
            of_httpx2.add_clients(loaded_httpx2(), sys.modules.get("httpcore2"))
        return loaded_httpx2() if of_httpx2.sending.are_replaced() else None

    def require_connecting(self) -> None:
        """Raise `ConnectsOtherwise` if one of the originals has been replaced."""
        # What sends, too: a library may have been added since `library_in_front` looked.
        if self.connecting.are_replaced() or self.sending.are_replaced():
            raise ConnectsOtherwise(httpx)
        # What sends of httpx2, `library_in_front` has looked at for this attempt.
        if self._of_httpx2 is not None and self._of_httpx2.connecting.are_replaced():
            raise ConnectsOtherwise(loaded_httpx2())


@cache
def _classes_that_act(module: ModuleType) -> list[tuple[Any, str]]:
    """The classes of a module that send or connect, with their functions that do. Each is its owner
    (the module or a class) and its name.
    """
    parts: list[tuple[Any, str]] = []
    for class_name, part in vars(module).items():
        if not _CLASS_NAME.match(class_name) or not _is_replaceable(part):
            continue
        parts.append((module, class_name))
        for function in dir(part):
            acts = _SENDING_NAME.match(function) or _CONNECTING_NAME.match(function)
            if acts and _is_replaceable(getattr(part, function)):
                parts.append((part, function))
    return parts


def _is_replaceable(value: object) -> bool:
    """Whether a value is a class or a function, or what has replaced one."""
    is_own = isinstance(value, type | FunctionType | MethodType)
    return is_own or (
        callable(value) and type(value).__module__ not in ("builtins", "types", "typing")
    )


def _defining_module(value: object) -> ModuleType | None:
    """The module in which the code of a class stands; None for any other value. (httpx gives its
    classes another `__module__`.)
    """
    if not isinstance(value, type):
        return None
    for member in vars(value).values():
        if type(member) is not FunctionType:
            continue
        name = member.__globals__["__name__"]
        if _package(name) == _package(value.__module__):
            return sys.modules[name]
    return None


def _original(owner: Any, name: str) -> object:
    """The function or class that a module or class has under a name; `_REPLACED` if the library did
    not define it. (A wrapper may bear the name and the module of what it wraps.)
    """
    value = _function(getattr(owner, name))
    package = _package(owner.__name__ if isinstance(owner, ModuleType) else owner.__module__)
    if isinstance(value, type):
        is_own = _package(value.__module__) == package
    else:
        is_own = _is_of(value, package, "contextlib")
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


BUILDING = Functions()
"""`build_request` of httpx's clients."""
REQUESTING = Functions()
"""`request` of httpx's clients."""
for _client in (httpx.Client, httpx.AsyncClient):
    BUILDING.add(_client, "build_request")
    REQUESTING.add(_client, "request")


def require_connecting() -> None:
    """Raise `ConnectsOtherwise` if what blocking calls connect with has been replaced."""
    SYNC.require_connecting()
    if not _is_of(socket.create_connection, "socket", *_GREEN):
        raise ConnectsOtherwise(httpx)


def require_connecting_awaited() -> None:
    """Raise `ConnectsOtherwise` if what awaited calls connect with has been replaced, also in the
    running event loop.
    """
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
        for name in _LOOP_CONNECTS:
            method = getattr(loop, name, None)
            # asyncio's, or a compiled one, as those of uvloop; None: the loop does not have it
            is_compiled = type(method) is MethodType and type(method.__func__) is not FunctionType
            if not (method is None or is_compiled or _is_of(method, "asyncio")):
                raise ConnectsOtherwise(httpx)
    ASYNC.add(sys.modules.get("anyio.streams.tls"), "TLSStream")
    ASYNC.require_connecting()


def _asyncio_loop() -> Any:
    """The running event loop of asyncio, or None."""
    # Not imported here: a program with blocking calls alone does not load asyncio.
    asyncio = sys.modules.get("asyncio")
    try:
        return None if asyncio is None else asyncio.get_running_loop()
    except RuntimeError:
        return None


def url_below(base: httpx.URL, target: str) -> httpx.URL:
    """The URL of a target (a path, perhaps with a query) below a base URL, as `httpx.URL` reads the
    text of both.

    To read the text takes a tenth of a call's time. Where httpx would leave all of the target as it
    is, the parts of the base are taken over unread. The base has no query, and the target begins
    with a slash. Raises `httpx.InvalidURL`.
    """
    match = None
    if len(target) <= _LONGEST and "/." not in target:  # httpx resolves `.` and `..`
        match = _AS_IT_IS.fullmatch(target)
    if match is None:
        return httpx.URL(str(base).removesuffix("/") + target)
    return _with_target(base, *match.groups())


def _with_target(base: httpx.URL, path: str, query: str | None) -> httpx.URL:
    """The base URL with a path appended to its own, and with a query; neither is read."""
    parts = base._uri_reference  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    url = httpx.URL.__new__(httpx.URL)
    path = parts.path.removesuffix("/") + path
    replaced = parts._replace(path=path, query=query)
    url._uri_reference = replaced  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return url


def _can_append() -> bool:
    """Whether `_with_target` is right with this release of httpx."""
    try:
        url = _with_target(httpx.URL("https://api.example/v1/"), "/a%20b", "c=d")
    except AttributeError:
        return False
    return url == httpx.URL("https://api.example/v1/a%20b?c=d")


def transports_of(client: object) -> list[object]:
    """The transports of a client of httpx or httpx2, those of its mounts included.

    With a release that has moved them, the only item is None.
    """
    mounts: dict[object, object] = getattr(client, "_mounts", {})
    return [getattr(client, "_transport", None), *mounts.values()]


_NOTHING = "(?!)"
_AS_IT_IS = re.compile(
    r"(/[\w.~!$&'()*+,;=:@/%-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))?" if _can_append() else _NOTHING,
    re.ASCII,
)
"""A path, and perhaps a query, in which httpx leaves every character as it is (RFC 3986, 3.3 and
3.4).
"""
