"""Opening a TCP connection to a host, in steps: its addresses are tried one after the other, within
one timeout.
"""

import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any, TypeVar, cast

import httpx

from victor_ext.flows import Calls
from victor_ext.runtime.core.clock import as_of_now, is_over, monotonic
from victor_ext.runtime.core.response import ClosedWithoutNotice

E = TypeVar("E", bound=httpx.NetworkError)


def as_network_error(error: OSError, kind: type[E]) -> E:
    """The error of httpx, of this class, for what a socket raised."""
    # A socket's error has a number, or says that macOS or Windows does not trust a certificate. Any
    # other one, such as a `TimeoutError`, comes from a signal handler, whose owner is to get it.
    if error.errno is None and not isinstance(error, ssl.SSLError):
        raise error
    if kind is httpx.ReadError and _is_end_without_notice(error):
        return cast("E", ClosedWithoutNotice("the connection was closed without notice"))
    # `str` of an `SSLError` that has a text alone would show a tuple
    return kind(str(error.args[0] if len(error.args) == 1 else error))


def _is_end_without_notice(error: OSError) -> bool:
    """Whether the other side closed the connection without a closure alert."""
    # Python before 3.11.4 has the error of OpenSSL 3 in no class of its own.
    reason = getattr(error, "reason", None)
    return isinstance(error, ssl.SSLEOFError) or reason == "UNEXPECTED_EOF_WHILE_READING"


Entry = tuple[int, int, int, str, Any]
"""An address in the result of `getaddrinfo`, with what a socket for it has to be."""


def connect(backend: Any, host: str, port: int, timeout: float | None) -> Calls[socket.socket]:
    """Connect to a host, and return the socket, which never blocks.

    The backend, of either mode, has the known `addresses`, looks a host up, and waits until a
    socket can be written to. Raises `httpx.ConnectError` and `httpx.ConnectTimeout`.
    """
    addresses: Addresses = backend.addresses
    try:
        known = addresses.known(host, port)
        if not known:
            entries = yield lambda: backend.look_up(host, port, timeout)
            known = addresses.ordered(host, entries)
    except OSError as error:
        raise as_network_error(error, httpx.ConnectError) from error
    for number, entry in enumerate(known, start=1):
        # an equal part of the time left for this address and each one behind it
        seconds = as_of_now(timeout, 1 + len(known) - number)
        try:
            connected = yield from _connect(backend, entry, seconds)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            addresses.forget(host, port)
            if number == len(known) or is_over(timeout):
                raise
        else:
            addresses.note(host, port, entry, known)
            return connected
    raise httpx.ConnectError(f"{host} has no address")


def _connect(backend: Any, entry: Entry, seconds: float | None) -> Calls[socket.socket]:
    """As `connect`, to one address."""
    family, kind, protocol, _, where = entry
    try:
        connection = socket.socket(family, kind, protocol)
    except OSError as error:
        raise as_network_error(error, httpx.ConnectError) from error
    try:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.connect(where)  # guards against the network watch this method
            is_connected = True
        except BlockingIOError:
            is_connected = False
        except OSError as error:
            raise as_network_error(error, httpx.ConnectError) from error
        if not is_connected:
            if not (yield lambda: backend.is_writable(connection, seconds)):
                raise httpx.ConnectTimeout("the host did not answer in time")
            failed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise httpx.ConnectError(os.strerror(failed))
    except BaseException:
        connection.close()
        raise
    return connection


REMEMBER_SECONDS = 10.0
"""How long the addresses of a host are not looked up again, while connections to it succeed."""


class Addresses:
    """The addresses of a host, in the order in which they are tried: one that worked comes
    first.
    """

    def __init__(self) -> None:
        # the address that worked last, if another was tried before it, by host
        self._works: dict[str, str] = {}
        # until when these addresses are used without another look-up, by host and port
        self._fresh: dict[tuple[str, int], tuple[float, Sequence[Entry]]] = {}

    def known(self, host: str, port: int) -> Sequence[Entry]:
        """The addresses of a host that needs no look-up: those of a look-up just before, if one of
        them worked, or the host itself if it is an address. Empty for any other host.
        """
        until, entries = self._fresh.get((host, port), (0.0, []))
        if monotonic() < until:
            return entries
        self.forget(host, port)
        try:
            address = str(ip_address(host))
        except ValueError:
            return []
        # Asks no name server. An address may name its network interface ("fe80::1%eth0"), which the
        # system resolves.
        kind, flags = socket.SOCK_STREAM, socket.AI_NUMERICHOST
        return socket.getaddrinfo(address.encode("ascii"), port, type=kind, flags=flags)[:1]

    def ordered(self, host: str, entries: Iterable[Entry]) -> Sequence[Entry]:
        """The addresses in the result of `getaddrinfo`, in the order to try them."""
        by_address: dict[str, Entry] = {}
        for entry in entries:
            by_address.setdefault(_address_of(entry), entry)
        works = self._works.get(host)
        return sorted(by_address.values(), key=lambda entry: _address_of(entry) != works)

    def note(self, host: str, port: int, entry: Entry, entries: Sequence[Entry]) -> None:
        """Note that this address worked. `entries` are the addresses of the host, in the order in
        which they were tried.
        """
        if entry is not entries[0]:
            self._works[host] = _address_of(entry)
        self._fresh.setdefault((host, port), (monotonic() + REMEMBER_SECONDS, entries))

    def forget(self, host: str, port: int) -> None:
        """Look the host up again next time."""
        self._fresh.pop((host, port), None)


def _address_of(entry: Entry) -> str:
    return str(entry[4][0])
