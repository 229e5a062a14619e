"""The server of every sandbox, without a provider.

See "A sandbox for another provider" in docs/sandbox-custom.md.
"""

from victor_ext.sandbox.server._arguments import (
    check_type,
    require_filled,
    require_form,
    require_least,
    require_new,
    require_one_of,
)
from victor_ext.sandbox.server._commands import (
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
from victor_ext.sandbox.server._context import Clock, Received, SandboxContext, TokenStore, digest
from victor_ext.sandbox.server._document import (
    ANYTHING,
    DocumentedOperation,
    Problem,
    Validator,
    load_document,
    without_nulls,
)
from victor_ext.sandbox.server._exchange import (
    CONTROL,
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
from victor_ext.sandbox.server._notifications import Notifications, Resending
from victor_ext.sandbox.server._notifying import (
    NotificationCommands,
    NotifyingServer,
    NotifyingSettings,
)
from victor_ext.sandbox.server._posting import Posted, host_of
from victor_ext.sandbox.server._privacy import last_four, open_private, redacted
from victor_ext.sandbox.server._provider import (
    Action,
    Call,
    Record,
    SandboxProvider,
    StatusChange,
    Tone,
)
from victor_ext.sandbox.server._run import ServerInThread, serve
from victor_ext.sandbox.server._settings import FARTHEST, ServerSettings, option

__all__ = (
    "ANYTHING",
    "CONTROL",
    "FARTHEST",
    "Action",
    "BodyKey",
    "Call",
    "Clock",
    "Command",
    "DocumentedOperation",
    "HeaderKey",
    "JsonObject",
    "JsonValue",
    "NotFound",
    "NotificationCommands",
    "Notifications",
    "NotifyingServer",
    "NotifyingSettings",
    "Operation",
    "Posted",
    "Problem",
    "Received",
    "Record",
    "Resending",
    "Response",
    "SandboxContext",
    "SandboxProvider",
    "ServerCommands",
    "ServerInThread",
    "ServerOverHttp",
    "ServerSettings",
    "StatusChange",
    "TokenCommands",
    "TokenStore",
    "Tone",
    "Validator",
    "check_type",
    "command",
    "digest",
    "empty_response",
    "error_response",
    "find",
    "host_of",
    "json_response",
    "last_four",
    "load_document",
    "member",
    "nothing",
    "open_private",
    "option",
    "redacted",
    "require_filled",
    "require_form",
    "require_least",
    "require_new",
    "require_one_of",
    "serve",
    "without_nulls",
)
