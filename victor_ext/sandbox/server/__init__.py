"""The server of every sandbox, without a provider. See "A sandbox for another provider" in docs/sandbox-custom.md."""

from __future__ import annotations

from victor_ext.sandbox.server.call import BodyKey, Call, HeaderKey
from victor_ext.sandbox.server.commands import Command, NotFound, ServerCommands, command, member, nothing
from victor_ext.sandbox.server.context import SandboxContext
from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
from victor_ext.sandbox.server.operations import Operation
from victor_ext.sandbox.server.provider import SandboxProvider
from victor_ext.sandbox.server.received import Received
from victor_ext.sandbox.server.remote import ServerOverHttp
from victor_ext.sandbox.server.response import Response, empty_response, error_response, json_response
from victor_ext.sandbox.server.run import serve
from victor_ext.sandbox.server.settings import ServerSettings, option
from victor_ext.sandbox.server.thread import ServerInThread
from victor_ext.sandbox.server.tokens import TokenStore

__all__ = (
    "BodyKey",
    "Call",
    "Command",
    "HeaderKey",
    "JsonObject",
    "JsonValue",
    "NotFound",
    "Operation",
    "Received",
    "Response",
    "SandboxContext",
    "SandboxProvider",
    "ServerCommands",
    "ServerInThread",
    "ServerOverHttp",
    "ServerSettings",
    "TokenStore",
    "command",
    "empty_response",
    "error_response",
    "json_response",
    "member",
    "nothing",
    "option",
    "serve",
)
