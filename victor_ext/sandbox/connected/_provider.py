"""A sandbox of notifications alone: it posts the bodies that its owner hands it, as any API would.

The sandbox's own choice: that it is a POST of JSON; that a status from 200 to 299 takes it; and
when it is posted again, for three days.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from victor_ext.sandbox.connected._signature import Unsigned, check_headers, filled
from victor_ext.sandbox.server import (
    Call,
    JsonObject,
    JsonValue,
    NotificationCommands,
    NotifyingServer,
    NotifyingSettings,
    Posted,
    Resending,
    Response,
    SandboxProvider,
    command,
    nothing,
)

Sign = Callable[[Unsigned], Mapping[str, str]]
"""Makes the headers that prove who posts, each time that a notification is posted."""
_JSON = {"Content-Type": "application/json"}


class ConnectedCommands(NotificationCommands):
    """The commands of a sandbox of notifications, beside those of every sandbox."""

    _provider: ConnectedProvider

    @command("POST", "/trigger", returns=nothing)
    def trigger(self, event: str, body: JsonValue) -> JsonObject:
        """Post this `body` to the address of `--notify`; `event` is what deliveries and faults call
        it.
        """
        self._provider.post(event, body)
        return {}


class ConnectedProvider(SandboxProvider[NotifyingSettings]):
    """The notifications of one API. It has no operations: a call of the API is a 404."""

    name = "connected"
    title = "Webhooks"
    operations = ()
    settings_type = NotifyingSettings
    commands_type = ConnectedCommands
    resending = Resending()
    headers: ClassVar[Mapping[str, str]] = _JSON
    """What every notification has, beside its signature."""
    sign: ClassVar[tuple[Sign, ...]] = ()
    """What signs, if anything does."""

    def handle(self, operation: str, call: Call) -> Response:
        raise NotImplementedError(f"{operation} {call.exchange.path}")

    def post(self, event: str, body: JsonValue) -> None:
        """Post a notification; `ValueError` where there is no address."""
        self.notifications.require_address(event)
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

        self.notifications.add(event, notification_id, make)


class ConnectedSandbox(ConnectedCommands, NotifyingServer[NotifyingSettings]):
    """The notifications of a connected API, posted from this process: `with ConnectedSandbox() as
    sandbox: sandbox.trigger("paymentSettled", {"payment_id": "p-1042"})`.

    Args:
        settings: The options; `notify` is the address.
        sign: Makes the headers that prove who posts, such as a `Signature`, or a function of what
            is `Unsigned`. None: nothing is signed.
        headers: Further headers of every notification. `{id}` and `{timestamp}` stand for its id
            and the time in seconds since the epoch.

    Raises:
        ValueError: A header cannot work.
    """

    def __init__(
        self,
        settings: NotifyingSettings | None = None,
        *,
        sign: Sign | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(settings or NotifyingSettings())
        headers = headers or {}
        check_headers(headers, ("id", "timestamp"))
        has_type = any(name.lower() == "content-type" for name in headers)
        known: dict[str, Any] = {
            "headers": headers if has_type else {**_JSON, **headers},
            "sign": () if sign is None else (sign,),
        }
        made = type("OneConnectedProvider", (ConnectedProvider,), known)
        self.provider_type = cast("type[ConnectedProvider]", made)


def _content_of(body: JsonValue) -> bytes:
    """A body as it is posted; `ValueError` for a number that JSON does not have."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise ValueError("body has a number that JSON does not have: NaN or Infinity") from None
