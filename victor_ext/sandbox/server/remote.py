"""A sandbox in another process, commanded over HTTP."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlencode, urlsplit

from victor_ext.sandbox.server.commands import ServerCommands
from victor_ext.sandbox.server.routes import COMMANDS

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue

_BRACES = re.compile(r"\{(\w+)\}")


class ServerOverHttp(ServerCommands):
    """The commands over HTTP, for a sandbox in another process: at its URL or that of its control port."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"url must be http://host:port of a sandbox, not {url!r}")
        self.url = url.rstrip("/")
        self._host, self._port, self._timeout = parts.hostname, parts.port or 80, timeout

    def _run(self, name: str, /, **parameters: JsonValue) -> JsonValue:
        command = next(command for command in (*self.stand_in.commands, *COMMANDS) if command.name == name)
        given = without_none(parameters)
        path = _BRACES.sub(lambda found: quote(given.pop(found[1]), safe=""), command.path)
        body = None
        if command.method == "GET":
            path += "?" + urlencode(given) if given else ""
        else:
            body = json.dumps(given)
        connection = HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(command.method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            found = json.loads(response.read())
        finally:
            connection.close()
        if response.status == 404:
            raise LookupError(_message(found))
        if response.status >= 400:
            raise ValueError(_message(found))
        return found


def without_none(parameters: JsonObject) -> JsonObject:
    """What was really given. Only `times` has a meaning for None: no end."""
    return {name: value for name, value in parameters.items() if value is not None or name == "times"}


def _message(found: object) -> str:
    return str(cast("JsonObject", found).get("message", found)) if isinstance(found, dict) else str(found)
