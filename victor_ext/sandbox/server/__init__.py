"""The server of every sandbox, without a provider.

See "A sandbox for another provider" in docs/sandbox-custom.md.
"""

from victor_ext.sandbox.server.commands import (
    Command,
    NotFound,
    ServerCommands,
    ServerOverHttp,
    TokenCommands,
    command,
    find,
    member,
    nothing,
)
from victor_ext.sandbox.server.context import Clock, Received, SandboxContext, TokenStore
from victor_ext.sandbox.server.exchange import (
    BodyKey,
    HeaderKey,
    JsonObject,
    JsonValue,
    Operation,
    Response,
    empty_response,
    error_response,
    json_response,
)
from victor_ext.sandbox.server.provider import Call, SandboxProvider
from victor_ext.sandbox.server.run import ServerInThread, serve
from victor_ext.sandbox.server.settings import ServerSettings, option

__all__ = (
    "BodyKey",
    "Call",
    "Clock",
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
    "TokenCommands",
    "TokenStore",
    "command",
    "empty_response",
    "error_response",
    "find",
    "json_response",
    "member",
    "nothing",
    "option",
    "serve",
)
