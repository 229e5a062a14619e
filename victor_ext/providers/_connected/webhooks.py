"""The webhooks of a document, for an inbox."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol, get_args

from victor_ext._privacy import kind_of
from victor_ext._runtime.client.webhooks import (
    IS_NOT_JSON,
    Delivery,
    Headers,
    HmacSignature,
    body_bytes,
    headers_by_name,
    invalid_notification,
    no_json_reason,
)
from victor_ext._runtime.core.json_values import (
    id_or_empty,
    object_or_empty,
    parsed,
    text_or_empty,
)
from victor_ext._runtime.core.validation import shown
from victor_ext.errors import ConfigurationError

_ID_HEADERS = ("webhook-id", "svix-id")
"""The headers with the id of an event, by Standard Webhooks and by Svix, from which these come."""
_IDS = ("event_id", "eventId")
_NAMES = ("type", "event", "event_type", "eventType", "eventName")


class WebhooksModule(Protocol):
    """What is used of the module `webhooks` of a generated package."""

    WEBHOOKS: Mapping[str, Any]
    """The webhooks, by name."""
    UNTOLD: tuple[str, ...]
    """The names of the webhooks whose bodies do not tell which webhook they are of."""
    UnreadableWebhook: type[Exception]
    UnknownWebhook: type[Exception]
    AmbiguousWebhook: type[Exception]
    read_webhook: Callable[..., Any]


class _Event(NamedTuple):
    """A request that was checked and read."""

    headers: Mapping[str, str]
    signed: Mapping[str, str]
    """What the provider has signed beside the body."""
    content: Mapping[str, Any]
    model: Any
    webhook: str | None
    """The name of the webhook, if the address tells it."""


class _Identity(NamedTuple):
    """The ids of an event."""

    event_id: str
    """What the event and its repeats have in common, and no other event; empty: nothing is known to
    be that."""
    subject: str
    """The id that is shown to people."""
    is_content: bool = False
    """Whether the event names no id of its own: `event_id` is its content."""


class DocumentWebhook:
    """What `webhook` of a connected client returns: see there for the arguments.

    Attributes:
        needs_name: The webhooks whose name `receive` of an inbox needs, since not every body tells
            which webhook it is of.
        anybody_can_post: Whether nobody checks where a request comes from.
    """

    def __init__(
        self,
        provider: str,
        webhooks: WebhooksModule,
        unknown_variant: type[Any],
        verify: Callable[[Mapping[str, str], bytes], object] | None,
        id: Callable[[Mapping[str, str], Any], str] | None,
        name: Callable[[Any], str] | None,
        read: Callable[[Any, Any], Any] | None,
    ) -> None:
        self.provider = provider
        self._webhooks = webhooks
        self._verify = verify
        self._unknown_variant = unknown_variant
        self._id = id
        self._name = name
        self._read = read
        self.needs_name = webhooks.UNTOLD
        self.anybody_can_post = verify is None
        # A function of the caller's may give any name.
        self.event_names = () if name is not None else _known_names(webhooks)

    def delivery(self, body: bytes | str, headers: Headers, *, name: str | None = None) -> Delivery:
        """Check a request, and read it; `name` is the name of the webhook, if the address tells it.

        Raises `InvalidRequest`, `ConfigurationError`, and what `verify` raises.
        """
        if name is not None and name not in self._webhooks.WEBHOOKS:
            known = ", ".join(self._webhooks.WEBHOOKS)
            raise ConfigurationError(
                f"name={shown(name)} is no webhook of {self.provider}'s document: write one of "
                f"{known}."
            )
        by_name = headers_by_name(headers)
        raw = body_bytes(body)
        signed: dict[str, str] = {}
        if self.anybody_can_post:  # a header is as good as the body
            signed["id"] = next(filter(None, map(by_name.get, _ID_HEADERS)), "")
        model = self._model(raw, by_name, name, signed)
        text = self._text(raw)
        content = object_or_empty(self._parsed(raw, parse_float=_digits))
        event = _Event(by_name, signed, content, model, name)
        identity = self._identity(event)
        event_name = self._event_name(event)
        return Delivery(
            name=event_name,
            subject=identity.subject,
            content=json.dumps({"webhook": name, "body": text, "name": event_name}),
            # An event without an id may be another one than an equal event: nothing is its repeat.
            ids=(identity.event_id,) if identity.event_id else (),
            is_known_by_content=identity.is_content,
        )

    def spelled_name(self, content: str) -> str:
        """The name of an event in the letters that it came with; empty if it was stored by an older
        version.
        """
        return text_or_empty(object_or_empty(json.loads(content)).get("name"))

    def _model(
        self, raw: bytes, sent: Mapping[str, str], name: str | None, signed: dict[str, str]
    ) -> Any:
        """The model of a body; `UnknownVariant`, if the body is of a kind that the document does
        not declare. What the provider has signed beside the body is added to `signed`.
        """
        webhooks = self._webhooks
        try:
            return webhooks.read_webhook(raw, sent, name=name, verify=self._check_with(signed))
        except webhooks.UnknownWebhook:
            return self._unknown_variant(self._parsed(raw))
        except webhooks.AmbiguousWebhook:
            raise self._name_is_missing() from None
        except webhooks.UnreadableWebhook as error:
            reason = no_json_reason(raw)
            if reason == IS_NOT_JSON:
                reason = f"is not what the document declares ({type(error).__name__})"
            raise invalid_notification(self.provider, reason) from None

    def _check_with(self, signed: dict[str, str]) -> Callable[..., object] | None:
        """The check of a request, which adds what the provider has signed beside the body."""
        verify = self._verify
        if not isinstance(verify, HmacSignature):
            return verify

        def check(headers: Headers, body: bytes) -> None:
            signed.update(verify.signed_values(headers, body))
            signed["id"] = next(filter(None, map(signed.get, ("id", *_ID_HEADERS))), "")

        return check

    def _parsed(self, body: bytes | str, **options: Any) -> Any:
        """The JSON of a body that was read as such before."""
        try:
            return parsed(body, **options)
        except ValueError:
            raise invalid_notification(self.provider, "is nested too deeply") from None

    def _name_is_missing(self) -> ConfigurationError:
        names = ", ".join(self.needs_name)
        return ConfigurationError(
            f"{self.provider}'s document does not tell these webhooks apart: {names}. Give each an "
            "address of its own, and write receive(..., name=)."
        )

    def _text(self, raw: bytes) -> str:
        """The text of a body in JSON, which may be UTF-8, UTF-16 or UTF-32."""
        try:
            return raw.decode(json.detect_encoding(raw))
        except UnicodeDecodeError as error:
            reason = f"is not {error.encoding.upper()}"
            raise invalid_notification(self.provider, reason) from None

    def _identity(self, event: _Event) -> _Identity:
        """The ids of an event. Raises `ConfigurationError`: it has none where ids usually are, and
        the caller does not say where.
        """
        by_caller = self._by_caller(self._id, event.headers, event.model)
        event_id = _usual_id(event) if by_caller is None else by_caller
        subject = event_id
        if by_caller is None and not event_id:
            subject = id_or_empty(event.content.get("id"))
        if not subject:
            if self._is_unknown(event.model):
                return _Identity("", "")
            raise ConfigurationError(
                "Nothing tells this notification from another one: pass webhook(id=...), a "
                "function of headers and model."
            )
        name = event.webhook
        is_content = not event_id
        if is_content:
            # `id` may be that of the object, which has other events: a repeat has the same content.
            whole = json.dumps([name, event.content], sort_keys=True)
            event_id = f"{subject} {hashlib.sha256(whole.encode()).hexdigest()}"
        elif name is not None:  # another webhook may have the same id
            event_id = json.dumps([name, event_id])
        return _Identity(event_id, subject, is_content)

    def _event_name(self, event: _Event) -> str:
        by_caller = self._by_caller(self._name, event.model)
        if by_caller is not None:
            return by_caller
        if event.webhook is not None:  # a member that is called `type` may be of something else
            return event.webhook
        for member in _NAMES:
            event_name = text_or_empty(event.content.get(member))
            if event_name:
                return event_name
        bodies = [
            body
            for webhook in self._webhooks.WEBHOOKS.values()
            for body in get_args(webhook.body) or (webhook.body,)
        ]
        if bodies.count(type(event.model)) > 1:  # the class names none of them
            raise self._name_is_missing()
        return type(event.model).__name__

    def _by_caller(self, function: Callable[..., object] | None, *arguments: Any) -> str | None:
        """The text that a function of the caller's returns; the last argument is the model.

        None: there is no function, or it fails for a model of a kind that the document does not
        declare.
        """
        if function is None:
            return None
        try:
            returned = function(*arguments)
        except Exception:
            if self._is_unknown(arguments[-1]):
                return None
            raise
        text = id_or_empty(returned)
        if returned and not text:
            raise ConfigurationError(
                f"A function of webhook(...) returned {kind_of(returned)}: return text."
            )
        return text

    def _is_unknown(self, model: Any) -> bool:
        """Whether a model is of a kind that the document does not declare."""
        return isinstance(model, self._unknown_variant)

    def notification(self, content: str) -> Any:
        """The model of a stored delivery. Of a kind that the document does not declare, it is an
        `UnknownVariant`, a mapping of the members that came.
        """
        stored = json.loads(content)
        webhooks = self._webhooks
        try:
            return webhooks.read_webhook(stored["body"], name=stored["webhook"])
        except webhooks.UnknownWebhook:
            return self._unknown_variant(self._parsed(stored["body"]))

    def reading(self, client: Any, notification: Any) -> Callable[[], Any] | None:
        """The call that reads what a notification is about.

        None without a client, without `webhook(read=...)`, and for a notification that the document
        does not declare.
        """
        if client is None or self._read is None:
            return None
        if self._is_unknown(notification):
            return None
        return partial(self._read, client, notification)

    def state_of(self, record: Any) -> None:
        """None: the notification itself says what is new."""


def _known_names(webhooks: WebhooksModule) -> tuple[str, ...]:
    """The names that events have: those of the webhooks, and the words that tell their bodies."""
    names: list[str] = [*webhooks.WEBHOOKS]
    for webhook in webhooks.WEBHOOKS.values():
        names += [word for word in webhook.words if isinstance(word, str)]
    return tuple(names)


def _usual_id(event: _Event) -> str:
    """The id of an event in one of the usual places; empty: none of them has an id.

    A header counts only if it is signed. By another one, whoever has captured a notification could
    make new events of it.
    """
    if event.signed.get("id"):
        return event.signed["id"]
    for member in _IDS:
        event_id = id_or_empty(event.content.get(member))
        if event_id:
            return event_id
    return ""


def _digits(text: str) -> dict[str, str]:
    """A number of JSON with the digits that were sent: a float may lose some of them."""
    return {"number": text}
