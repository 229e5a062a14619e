"""A sandbox of notifications alone: it posts what a connected API would, by the API's document.

The bodies are those of the generated package. The sandbox's own choice: that it is a POST of JSON;
that a status from 200 to 299 takes it; and when it is posted again, for three days.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar, cast

from victor_ext.sandbox.connected.signature import Unsigned, check_headers, filled
from victor_ext.sandbox.server.commands import command, nothing
from victor_ext.sandbox.server.exchange import JsonObject, JsonValue, Response
from victor_ext.sandbox.server.notifications import Resending
from victor_ext.sandbox.server.notifying import (
    NotificationCommands,
    NotifyingServer,
    NotifyingSettings,
)
from victor_ext.sandbox.server.posting import Posted
from victor_ext.sandbox.server.provider import Call, SandboxProvider

Examples = Mapping[str, Mapping[str, JsonValue]]
"""Bodies by the name of their webhook, and of the example."""
Sign = Callable[[Unsigned], Mapping[str, str]]
"""Makes the headers that prove who posts, each time that a notification is posted."""
_JSON = {"Content-Type": "application/json"}


class ConnectedCommands(NotificationCommands):
    """The commands of a sandbox of notifications, beside those of every sandbox."""

    _provider: ConnectedProvider

    @command("GET", "/webhooks")
    def webhooks(self) -> dict[str, list[str]]:
        """The webhooks and callbacks of the document, each with the names of its examples."""
        return {name: [*bodies] for name, bodies in self._provider.examples.items()}

    @command("POST", "/notifications")
    def notification(self, webhook: str, example: str | None = None) -> JsonValue:
        """The body of an `example` of a `webhook` (None: the first one)."""
        return self._provider.body_of(webhook, example)

    @command("POST", "/trigger", returns=nothing)
    def trigger(
        self, webhook: str, example: str | None = None, body: JsonValue = None
    ) -> JsonObject:
        """Post a notification of a `webhook` to the address of `--notify`: an `example` (None: the
        first one), or another `body`.
        """
        if body is not None and example is not None:
            raise ValueError("body and example: give one of them")
        shown = self._provider.body_of(webhook, example)
        self._provider.post(webhook, shown if body is None else body)
        return {}


class ConnectedProvider(SandboxProvider[NotifyingSettings]):
    """The webhooks of one document. It has no operations: a call of the API is a 404."""

    name = "connected"
    title = "Webhooks"
    operations = ()
    settings_type = NotifyingSettings
    commands_type = ConnectedCommands
    resending = Resending(taken=range(200, 300), end=3 * 86_400.0)
    examples: ClassVar[Examples] = {}
    headers: ClassVar[Mapping[str, str]] = _JSON
    """What every notification has, beside its signature."""
    sign: ClassVar[tuple[Sign, ...]] = ()
    """What signs, if anything does."""

    def handle(self, operation: str, call: Call) -> Response:
        raise NotImplementedError(f"{operation} {call.exchange.path}")

    def body_of(self, webhook: str, example: str | None) -> JsonValue:
        """A body of a webhook; `ValueError` for a name that does not exist."""
        _require(webhook, self.examples, "webhook")
        bodies = self.examples[webhook]
        if example is None:
            return next(iter(bodies.values()))
        _require(example, bodies, f"example of {webhook}")
        return bodies[example]

    def post(self, webhook: str, body: JsonValue) -> None:
        """Post a notification; `ValueError` where there is no address."""
        self.notifications.require_address(webhook)
        content = _content_of(body)
        notification_id = str(uuid.uuid4())

        def make(url: str, _was_posted: bool) -> Posted:  # noqa: FBT001 (as `Make` says)
            now = int(self.context.clock.wall())
            unsigned = Unsigned(notification_id, now, content, url)
            values = unsigned.values
            headers = {name: filled(value, values) for name, value in self.headers.items()}
            for sign in self.sign:
                headers |= sign(unsigned)
            return Posted(headers, content)

        self.notifications.add(webhook, notification_id, make)


class ConnectedSandbox(ConnectedCommands, NotifyingServer[NotifyingSettings]):
    """The notifications of a connected API, posted from this process:
    `with ConnectedSandbox(till_api) as sandbox: sandbox.trigger("paymentSettled")`.

    Args:
        package: A package that `victor spec generate` made, or its name.
        settings: The options; `notify` is the address.
        sign: Makes the headers that prove who posts, such as a `Signature`, or a function of what
            is `Unsigned`. None: nothing is signed.
        headers: Further headers of every notification. `{id}` and `{timestamp}` stand for its id
            and the time in seconds since the epoch.

    Raises:
        ValueError: The package has no webhooks, or an argument cannot work.
    """

    def __init__(
        self,
        package: ModuleType | str,
        settings: NotifyingSettings | None = None,
        *,
        sign: Sign | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(settings or NotifyingSettings())
        headers = headers or {}
        check_headers(headers, ("id", "timestamp"))
        has_type = any(name.lower() == "content-type" for name in headers)
        name = package if isinstance(package, str) else package.__name__
        known: dict[str, Any] = {
            "title": name,
            "examples": (examples := _examples_of(name)),
            "events": tuple(examples),
            "headers": headers if has_type else {**_JSON, **headers},
            "sign": () if sign is None else (sign,),
        }
        made = type("OneConnectedProvider", (ConnectedProvider,), known)
        self.provider_type = cast("type[ConnectedProvider]", made)


def _examples_of(package: str) -> Examples:
    try:
        import_module(package)
    except (ImportError, ValueError) as error:
        raise ValueError(f"package {package!r} cannot be imported: {error}") from error
    try:
        module: Any = import_module(f"{package}.webhook_examples")
    except ImportError:
        raise ValueError(
            f"{package} has no webhooks: its document declares none with a JSON body, or an older "
            "victor-spec made it (then generate it again)"
        ) from None
    examples: Examples = module.EXAMPLES
    return examples


def _content_of(body: JsonValue) -> bytes:
    """A body as it is posted; `ValueError` for a number that JSON does not have."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise ValueError("body has a number that JSON does not have: NaN or Infinity") from None


def _require(name: str, known: Mapping[str, object], what: str) -> None:
    if name not in known:
        raise ValueError(f"{name!r} is no {what}: write one of {', '.join(known)}")
