"""A sandbox in another process, commanded over HTTP."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from victor_ext.sandbox.server.commands import Command, ServerCommands
from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue

_BRACES = re.compile(r"\{(\w+)\}")


class ServerOverHttp(ServerCommands):
    """The commands over HTTP, for a sandbox in another process.

    `url` is the sandbox's `url` or `control_url`, without a path. `timeout` is in seconds.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"url must be http://host:port of a sandbox, not {url!r}")
        self.url = url.rstrip("/")
        self._host, self._port, self._timeout = parts.hostname, parts.port or 80, timeout

    def _send(self, command: Command, parameters: JsonObject) -> JsonValue:
        path = _BRACES.sub(lambda found: quote(parameters.pop(found[1]), safe=""), command.path)
        query = "?" + urlencode(parameters) if command.method == "GET" and parameters else ""
        body = None if command.method == "GET" else json.dumps(parameters)
        connection = HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(command.method, path + query, body, {"content-type": "application/json"})
            response = connection.getresponse()
            found: Any = json.loads(response.read())
        finally:
            connection.close()
        if response.status < 400:
            return found
        message = str(found["message"])
        raise LookupError(message) if response.status == 404 else ValueError(message)
