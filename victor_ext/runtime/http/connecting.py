"""Opening a TCP connection to a host, in steps: its addresses are tried one after the other, within
one timeout.
"""

import os
import socket
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any, TypeVar, cast

import httpx

from victor_ext.flows import Calls
from victor_ext.runtime.core.clock import as_of_now, is_over, monotonic
from victor_ext.runtime.core.response import ClosedWithoutNotice

E = TypeVar("E", bound=httpx.NetworkError)


def as_network_error(error: OSError, kind: type[E]) -> E:
    """The error of httpx for what a socket raised.

    Without a number, it is that of a signal handler, such as a `TimeoutError`, whose owner is to
    get it: it is raised; or it says that macOS or Windows does not trust a certificate.
    """
    if error.errno is None and not isinstance(error, ssl.SSLError):
        raise error
    if isinstance(error, ssl.SSLEOFError) and kind is httpx.ReadError:
        return cast("E", ClosedWithoutNotice("the connection was closed without notice"))
    # `str` of an `SSLError` with a text has a tuple
    return kind(str(error.args[0] if len(error.args) == 1 else error))


def connect(backend: Any, host: str, port: int, timeout: float | None) -> Calls[socket.socket]:
    """A connected socket, which never blocks. Raises `httpx.ConnectError` and
    `httpx.ConnectTimeout`.

    The backend, of either mode, has the `addresses`, looks a host up, and waits until a socket can
    be written to.
    """
    addresses: Addresses = backend.addresses
    known = addresses.known(host)
    if not known:
        try:
            known = addresses.ordered(host, (yield lambda: backend.look_up(host, port, timeout)))
        except OSError as error:
            raise as_network_error(error, httpx.ConnectError) from error
    for tried, address in enumerate(known, start=1):
        try:
            made = yield from _connect(
                backend, address, port, as_of_now(timeout, 1 + len(known) - tried)
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            addresses.forget(host)
            if tried == len(known) or is_over(timeout):
                raise
        else:
            addresses.note(host, address, known)
            return made
    raise httpx.ConnectError(f"{host} has no address")


def _connect(backend: Any, address: str, port: int, seconds: float | None) -> Calls[socket.socket]:
    try:
        # Asks no name server. An address may name its network interface ("fe80::1%eth0"), which the
        # system resolves.
        kind = socket.SOCK_STREAM
        flags = socket.AI_NUMERICHOST
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.encode("ascii"), port, type=kind, flags=flags
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise as_network_error(error, httpx.ConnectError) from error
    try:
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            made.connect(where)  # guards against the network watch this method
            is_connected = True
        except BlockingIOError:
            is_connected = False
        except OSError as error:
            raise as_network_error(error, httpx.ConnectError) from error
        if not is_connected:
            if not (yield lambda: backend.is_writable(made, seconds)):
                raise httpx.ConnectTimeout("the host did not answer in time")
            failed = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise httpx.ConnectError(os.strerror(failed))
    except BaseException:
        made.close()
        raise
    return made


# for which the addresses of a host are not looked up again, while connections to it succeed
FRESH_SECONDS = 10.0


class Addresses:
    """The addresses of a host, in the order in which they are tried: one that worked comes
    first.
    """

    def __init__(self) -> None:
        self._works: dict[str, str] = {}
        self._fresh: dict[str, tuple[float, list[str]]] = {}

    def known(self, host: str) -> list[str]:
        """The host itself if it is an address, or what was looked up just before, if it worked;
        else nothing.
        """
        until, addresses = self._fresh.get(host, (0.0, []))
        if monotonic() < until:
            return addresses
        self.forget(host)
        try:
            return [str(ip_address(host))]
        except ValueError:
            return []

    def ordered(self, host: str, entries: Iterable[Any]) -> list[str]:
        """The addresses in the result of `getaddrinfo`, in the order to try them."""
        addresses = dict.fromkeys(str(address[0]) for *_, address in entries)
        works = self._works.get(host)
        return sorted(addresses, key=lambda address: address != works)

    def note(self, host: str, address: str, addresses: list[str]) -> None:
        """Note that an address worked, of these that were tried in this order."""
        if address != addresses[0]:
            self._works[host] = address
        self._fresh.setdefault(host, (monotonic() + FRESH_SECONDS, addresses))

    def forget(self, host: str) -> None:
        """Look the host up again next time."""
        self._fresh.pop(host, None)
