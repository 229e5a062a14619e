"""The control API accepts calls from programs on this machine, and none from web pages.

A page in a browser can send calls to any address. With DNS rebinding (a host name of the page that resolves to this
machine) it could also read the responses. `Host` shows by which name the sandbox was called. `Origin`,
`Sec-Fetch-Site` and `Referer` are sent by browsers, and name the page.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_AUTHORITY = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_OWN_SITES = ("same-origin", "none")
"""The values of `Sec-Fetch-Site` for the sandbox's own pages, and for an address that a person typed."""


def is_this_machine(host: str) -> bool:
    """Whether only programs on this machine can reach an address."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_authority(text: str) -> tuple[str, int | None] | None:
    """The name and the port of `name:port`, without the brackets of IPv6; None for any other text."""
    found = _AUTHORITY.fullmatch(text.lower())
    if found is None or int(found["port"] or 0) > 65535:
        return None
    return found["six"] or found["name"], None if found["port"] is None else int(found["port"])


class ControlGuard:
    """ASGI middleware that answers 403 to calls that may not command the sandbox."""

    def __init__(self, app: ASGIApp, host: str, allowed: Iterable[str]) -> None:
        self._app = app
        self._own = {*_THIS_MACHINE, host.lower()}
        self._allowed = {read_authority(each) for each in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        host = dict(headers).get(b"host", "")  # h11 refuses a second one
        address, port = scope.get("server") or ("", 0)
        address = address.removeprefix("::ffff:")  # IPv4, to a socket of IPv6
        if not self._is_own(host, address, port):
            called = f"[{address}]" if ":" in address else address
            return _refused(
                "foreign_host",
                f"The control API was called as {_one_line(host)}, which is no name of this sandbox: a web page may "
                f"stand behind it. Call http://{called}:{port}, or start the sandbox with "
                "--allowed-host NAME (allowed_host in Python).",
            )
        for name, value in headers:
            if _is_foreign(name, value, f"http://{host.lower()}"):
                return _refused(
                    "foreign_page",
                    f"The control API takes no orders from web pages, and {name.decode().title()} says that this call "
                    f"came from one: {_one_line(value)}. Send it from a program, or type the address into the browser.",
                )
        return None

    def _is_own(self, host: str, address: str, port: int) -> bool:
        found = read_authority(host)
        if found is None:
            return False
        name, given = found
        if found in self._allowed or (name, None) in self._allowed:
            return True
        return (name in self._own or name == address) and (given or 80) == port


def _is_foreign(name: bytes, value: str, own: str) -> bool:
    """Whether a header shows that a page of another origin than `own` made the call."""
    match name:
        case b"origin":
            return value.lower() != own
        case b"sec-fetch-site":
            return value not in _OWN_SITES
        case b"referer":
            return not f"{value.lower()}/".startswith(f"{own}/")
        case _:
            return False


def _one_line(text: str) -> str:
    return "'" + "".join(c if c.isprintable() else "?" for c in text[:100]) + "'"


def _refused(error: str, message: str) -> JSONResponse:
    return JSONResponse({"error": error, "message": message}, 403)
