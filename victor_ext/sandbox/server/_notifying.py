"""What a sandbox has that posts notifications: the option, the commands, and an application as the
receiver.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from starlette.types import ASGIApp

from victor_ext.sandbox.server._commands import Command, ServerCommands, command, nothing
from victor_ext.sandbox.server._exchange import JsonObject
from victor_ext.sandbox.server._notifications import Notifications
from victor_ext.sandbox.server._posting import Application, check_address
from victor_ext.sandbox.server._run import ServerInThread
from victor_ext.sandbox.server._settings import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifyingSettings(ServerSettings):
    """The options of every sandbox that posts notifications."""

    notify: str | None = option(
        None,
        metavar="URL",
        help="post notifications to this address, such as http://127.0.0.1:8000/webhooks",
    )

    def __post_init__(self) -> None:
        ServerSettings.__post_init__(self)
        _check_url(self.notify, "notify")


if TYPE_CHECKING:
    from typing_extensions import TypeVar as WithDefault  # as in `_settings`

    NotifyingS = WithDefault("NotifyingS", bound=NotifyingSettings, default=NotifyingSettings)
else:
    NotifyingS = TypeVar("NotifyingS", bound=NotifyingSettings)


def _check_url(url: object, name: str) -> None:
    """Raise `ValueError` for what is no address to post to."""
    if url is None:
        return
    try:
        check_address(str(url))
    except ValueError as error:
        raise ValueError(
            f"{name} must be an address such as http://127.0.0.1:8000/webhooks: {error}"
        ) from None


class NotificationCommands(ServerCommands):
    """The commands of a sandbox that posts notifications."""

    @property
    def _notifications(self) -> Notifications:
        notifications: Notifications = self._provider.notifications
        return notifications

    @command("POST", "/notify", returns=nothing)
    def notify(self, url: str | None = None) -> JsonObject:
        """Post notifications to this `url` from now on, as the option `--notify` does; None: only
        to the addresses that the API was given.
        """
        _check_url(url, "url")
        self._notifications.set_url(url)
        return {"url": url}

    @command("GET", "/deliveries")
    def deliveries(self, after: int = 0) -> list[JsonObject]:
        """What was posted, or is still to be, with a number above `after`, oldest first: `event`,
        `about`, `url`, `state`, when it is `due`, and all `attempts`. Credentials are hidden.

        The `state` is `waiting`, `taken`, `given up` or `not posted`, with a `reason`. The last
        1,000 are kept.
        """
        return [delivery.to_dict() for delivery in self._notifications.after(after)]

    @command("POST", "/deliveries/wait", returns=nothing)
    def wait_for_deliveries(self, seconds: float = 5.0) -> Awaitable[JsonObject]:
        """Wait until no notification is due or on its way, `seconds` at most.

        One that is due later, by the business clock, is not waited for: `advance` the clock first.
        """
        return self._notifications.wait(seconds)

    @command("POST", "/deliveries/{number}/resend", returns=nothing)
    def resend(self, number: int) -> JsonObject:
        """Post the delivery with this `number` again, now, whatever became of it."""
        return self._notifications.resend(number).to_dict()


class NotifyingServer(ServerInThread[NotifyingS]):
    """A sandbox in this process that can post to an application without a port."""

    def notify_app(self, app: ASGIApp, url: str = "http://service/webhooks") -> None:
        """Post notifications to an ASGI application, such as one of FastAPI or of Django.

        Called in a coroutine, the application runs in that event loop, whenever the test awaits
        something; otherwise in a loop of its own, on another thread. Its lifespan is not run.

        Args:
            app: The application.
            url: The address that it is posted to by default. Every address on its host goes to the
                application, also one that a webhook of the provider's API names.
        """
        _check_url(url, "url")
        loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):
            loop = asyncio.get_running_loop()
        application = Application(app, loop)

        def work(_commands: object) -> None:
            self._running().provider.notifications.set_application(url, application)

        # A command that the control API does not have: an application is no JSON.
        self._send(Command("notify_app", "", "", work), {})
