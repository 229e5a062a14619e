"""What a sandbox has that posts notifications: the option, and the commands."""

from collections.abc import Awaitable
from dataclasses import dataclass
from urllib.parse import urlsplit

from victor_ext.sandbox.server._commands import ServerCommands, command, nothing
from victor_ext.sandbox.server._exchange import JsonObject
from victor_ext.sandbox.server._notifications import Notifications
from victor_ext.sandbox.server._settings import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifyingSettings(ServerSettings):
    """The options of every sandbox that posts notifications."""

    notify: str | None = option(
        None, "post notifications to this address, such as http://127.0.0.1:8000/webhooks"
    )

    def __post_init__(self) -> None:
        ServerSettings.__post_init__(self)
        _check_url(self.notify, "notify")


def _check_url(url: str | None, name: str) -> None:
    """Raise `ValueError` for what is no address to post to."""
    parts = urlsplit(url or "http://host")
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{name} must be an address such as http://127.0.0.1:8000/webhooks")


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
        self._notifications.url = url
        self._notifications.start()
        return {"url": url}

    @command("GET", "/deliveries")
    def deliveries(self, after: int = 0) -> list[JsonObject]:
        """What was posted, or is still to be, with a number above `after`, oldest first: `event`,
        `about`, `url`, `state`, when it is `due`, `headers`, `body`, and what came of the
        `attempts`.

        The `state` is `waiting`, `taken`, `given up` or `not posted`: without an address, a test
        hands `headers` and `body` to its application itself. The last 1,000 are kept.
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
        self._notifications.resend(number)
        return {}
