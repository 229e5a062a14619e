"""The server of every sandbox, without a provider."""

from victor_ext.sandbox.server._arguments import (
    require_filled,
    require_form,
    require_least,
    require_new,
    require_one_of,
)
from victor_ext.sandbox.server._commands import (
    NotFound,
    ServerCommands,
    ServerOverHttp,
    TokenCommands,
    command,
    find,
    member,
    nothing,
)
from victor_ext.sandbox.server._context import Clock, Received, SandboxContext, TokenStore, digest
from victor_ext.sandbox.server._document import (
    DocumentedOperation,
    Problem,
    Validator,
    load_document,
    without_nulls,
)
from victor_ext.sandbox.server._exchange import (
    BodyKey,
    HeaderKey,
    JsonObject,
    JsonValue,
    Response,
    empty_response,
    json_response,
)
from victor_ext.sandbox.server._notifications import Notifications, Posted, Resending, host_of
from victor_ext.sandbox.server._notifying import NotificationCommands, NotifyingSettings
from victor_ext.sandbox.server._provider import Call
from victor_ext.sandbox.server._run import ServerInThread
from victor_ext.sandbox.server._settings import FARTHEST, ServerSettings, option

__all__ = (
    "FARTHEST",
    "BodyKey",
    "Call",
    "Clock",
    "DocumentedOperation",
    "HeaderKey",
    "JsonObject",
    "JsonValue",
    "NotFound",
    "NotificationCommands",
    "Notifications",
    "NotifyingSettings",
    "Posted",
    "Problem",
    "Received",
    "Resending",
    "Response",
    "SandboxContext",
    "ServerCommands",
    "ServerInThread",
    "ServerOverHttp",
    "ServerSettings",
    "TokenCommands",
    "TokenStore",
    "Validator",
    "command",
    "digest",
    "empty_response",
    "find",
    "host_of",
    "json_response",
    "load_document",
    "member",
    "nothing",
    "option",
    "require_filled",
    "require_form",
    "require_least",
    "require_new",
    "require_one_of",
    "without_nulls",
)
