"""What a provider brings to a sandbox: operations, state, options and commands; and one call."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, cast
from urllib.parse import parse_qsl

from victor_ext.sandbox.server._commands import ServerCommands
from victor_ext.sandbox.server._context import Received, SandboxContext, digest
from victor_ext.sandbox.server._document import Problem
from victor_ext.sandbox.server._exchange import (
    JsonObject,
    JsonValue,
    KeyLocation,
    Operation,
    Response,
    json_response,
)
from victor_ext.sandbox.server._notifications import Notifications, Resending
from victor_ext.sandbox.server._settings import S, ServerSettings


class Refused(ValueError):
    """A call is answered with an error. A command of the control API that raises it was misused.

    Args:
        status: Of the response; None: the first success that the document has, or 200.
        message: A sentence.
        field: The member or parameter that is wrong; empty: none alone.
        code: The provider's own word for it.
        problems: All that the document refuses in the request.
    """

    def __init__(
        self,
        status: int,
        message: str,
        field: str = "",
        *,
        code: str = "",
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.code = code
        self.problems = problems


@dataclass(slots=True)
class Call:
    """A request, and how the provider reports the work that it did."""

    exchange: Received
    _context: SandboxContext
    headers: Sequence[tuple[bytes, bytes]]
    """The headers in the order in which they were sent, the names in lower case."""
    query: bytes
    """The query as it was sent, without the question mark."""
    params: dict[str, str]
    """The values of the names in braces in the operation's path, decoded."""
    body: bytes = b""
    owner: str = ""
    """The authenticated caller, once the provider has set it."""

    @property
    def key(self) -> str | None:
        """The idempotency key, where the provider has keys."""
        return self.exchange.idempotency_key

    def header(self, name: str) -> str | None:
        """A header; of one that was sent twice, the last."""
        value = dict(self.headers).get(name.lower().encode("latin-1"))
        return None if value is None else value.decode("latin-1")

    @property
    def bearer_token(self) -> str:
        """The token of an `Authorization` header with the scheme `Bearer`; empty for any other
        header.
        """
        scheme, _, token = (self.header("authorization") or "").partition(" ")
        return token.strip() if scheme == "Bearer" else ""

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case and without parameters; empty when there is
        none.
        """
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def json(self) -> JsonValue:
        """The body as JSON; `ValueError` when it is not JSON.

        Half of a surrogate pair is not text.
        """
        try:
            body = json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
            # else it could be neither stored nor sent back
            json.dumps(body, ensure_ascii=False).encode("utf-8")
        except RecursionError:
            raise ValueError("the body is nested too deeply") from None
        return body

    def json_object(self) -> JsonObject | None:
        """The body as a JSON object; None for any other body."""
        try:
            body = self.json()
        except ValueError:
            return None
        return cast("JsonObject", body) if isinstance(body, dict) else None

    def form(self) -> dict[str, str]:
        """The body as a form, whose values may be empty; `ValueError` when it is none.

        Of one name, the last counts.
        """
        text = self.body.decode("ascii")
        return dict(
            parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
        )

    @property
    def digest(self) -> str:
        """A digest of the path and the body, by which a repeat is known."""
        return digest(f"{self.exchange.path}\n{self.body!r}")

    def refers_to(self, reference: str) -> None:
        """Set the caller's reference for the work. It is counted, with 0 until the work is done."""
        self.exchange.reference = reference
        self._context.work_by_reference.setdefault(reference, 0)

    def did_work(self, *references: str) -> None:
        """Record that this call changed something, for one reference of the caller or for each of
        several.
        """
        self.exchange.work_done = True
        if references and self.exchange.reference is None:
            self.exchange.reference = references[0]
        if self.key is not None:
            self._context.work_by_key[self.key] += 1
        self._context.work_by_reference.update(references)


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


class SandboxProvider(ABC, Generic[S]):
    """One provider's side of a sandbox.

    All of it runs on the serving thread, and nothing in it waits.
    """

    name: ClassVar[str]
    """In lower case, as on the command line."""
    title: ClassVar[str]
    operations: ClassVar[tuple[Operation, ...]]
    key: ClassVar[KeyLocation] = None
    """Where a request carries its idempotency key."""
    settings_type: ClassVar[type[ServerSettings]] = ServerSettings
    commands_type: ClassVar[type[ServerCommands]] = ServerCommands
    """The control commands, those of the provider included."""
    resending: ClassVar[Resending | None] = None
    """How it posts notifications again; None: it posts none."""
    state: Any = None
    """What the provider keeps; its commands have it as `_state`."""

    def __init__(self, context: SandboxContext, settings: S) -> None:
        self.context = context
        self.settings = settings
        url = getattr(settings, "notify", None)
        self.notifications = Notifications(context, self.resending, url, self.tick)
        self.state = self.new_state()

    def new_state(self) -> Any:
        return None

    @abstractmethod
    def handle(self, operation: str, call: Call) -> Response:
        """Authenticate the caller, do the work and answer.

        `operation` is a name from `operations`.
        """

    def reset(self) -> None:
        """Forget everything, credentials included. The context has been reset already."""
        self.state = self.new_state()

    def error(self, status: int, code: str, message: str, /) -> Response:
        """An error in the provider's format; also for those of the server (404, 405, 413, 500)."""
        return json_response(status, {"error": {"code": code, "message": message}})

    def refusal(self, _operation: str, refused: Refused, /) -> Response:
        """The response of a call that is refused."""
        return self.error(refused.status, refused.code or "refused", refused.message)

    def advance(self, seconds: float) -> int:
        """Set the business clock forward and make the moves that are due; returns their number."""
        self.context.clock.advanced += seconds
        return 0

    def tick(self) -> None:
        """Make the moves that time has made due: before each call, and once a second where
        notifications are posted.
        """

    def info(self) -> JsonObject:
        """What the `info` command returns beside settings and clocks."""
        return {}

    def client_settings(self, url: str) -> str:
        """Environment variables for a client, one on each line."""
        return self.variables(base_url=url)

    def variables(self, **values: str) -> str:
        """Environment variables whose names begin with that of the provider, one on each line."""
        prefix = self.name.upper()
        return "".join(f"{prefix}_{name.upper()}={value}\n" for name, value in values.items())

    @property
    def heading(self) -> str:
        return f"{self.title} sandbox"


AnyProvider = SandboxProvider[Any]
