"""The webhooks of a document, for an inbox."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from inspect import isawaitable
from typing import Any, get_args

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
from victor_ext.errors import AuthenticationError, ConfigurationError

_IDS = ("event_id", "eventId")
_NAMES = ("type", "event", "event_type", "eventType", "eventName")

Verify = Callable[[Mapping[str, str], bytes], object]
"""Checks the headers and the body of a request."""
IdentifyEvent = Callable[[Mapping[str, str], Any], str]
"""The id of an event, by the headers and the model."""


class DocumentWebhook:
    """What `webhook` of a connected client returns: see there for the other arguments.

    Args:
        webhooks: The module `webhooks` of the generated package.
        unknown_variant: Its class for a body of a kind that the document does not declare.
    """

    def __init__(
        self,
        provider: str,
        webhooks: Any,
        unknown_variant: type[Any],
        verify: Verify | None,
        id: IdentifyEvent | None,
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

    def delivery(self, body: bytes | str, headers: Headers, *, name: str | None = None) -> Delivery:
        """Check a request, and read it; `name` is the name of the webhook, if the address tells it.

        Raises `InvalidRequest`, `ConfigurationError`, `ValueError` for a name that the document
        does not have, and what `verify` raises.
        """
        sent = headers_by_name(headers)
        raw = body_bytes(body)
        signed: dict[str, str] = {}
        model = self._model(raw, sent, name, signed)
        text, content = self._parsed(raw)
        if model is None:
            model = self._unknown_variant(content)
        members = object_or_empty(content)
        event_name = self._by_caller(self._name, model) or name or self._name_in(members, model)
        own_id = self._by_caller(self._id, sent, model) or _usual_id(members, signed)
        subject = own_id or id_or_empty(members.get("id"))
        ids: list[str] = []
        if subject:
            # `id` may be that of the object, which has other events: a repeat has the same content.
            digest = "" if own_id else hashlib.sha256(raw).hexdigest()
            ids.append(json.dumps([name, subject, digest]))
        elif not self._is_unknown(model):
            raise ConfigurationError(
                "Nothing tells this notification from another one: pass webhook(id=...), a "
                "function of headers and model."
            )
        return Delivery(
            name=event_name,
            subject=subject,
            content=json.dumps({"webhook": name, "body": text}),
            # An event without an id may be another one than an equal event: nothing is its repeat.
            ids=tuple(ids),
            is_known_by_content=subject != own_id,
        )

    def _model(
        self, raw: bytes, sent: Mapping[str, str], name: str | None, signed: dict[str, str]
    ) -> Any:
        """The model of a body; None, if it is of a kind that the document does not declare. What
        the provider has signed beside the body is added to `signed`.
        """
        webhooks = self._webhooks
        verify = None if self._verify is None else partial(_check, self._verify, signed)
        try:
            return webhooks.read_webhook(raw, sent, name=name, verify=verify)
        except webhooks.UnknownWebhook:
            return None
        except webhooks.AmbiguousWebhook:
            raise self._name_is_missing() from None
        except webhooks.UnreadableWebhook:
            reason = no_json_reason(raw)
            if reason == IS_NOT_JSON:
                reason = "is not what the document declares"
            raise invalid_notification(self.provider, reason) from None

    def _parsed(self, raw: bytes) -> tuple[str, Any]:
        """The text and the JSON of a body that was read as such before."""
        try:
            text = raw.decode()
            return text, parsed(text)
        except ValueError:
            reason = "is not UTF-8, or is nested too deeply"
            raise invalid_notification(self.provider, reason) from None

    def _name_is_missing(self) -> ConfigurationError:
        names = ", ".join(self._webhooks.UNTOLD)
        return ConfigurationError(
            f"{self.provider}'s document does not tell these webhooks apart: {names}. Give each an "
            "address of its own, and write receive(..., name=)."
        )

    def _name_in(self, members: Mapping[str, Any], model: object) -> str:
        """The name of an event whose address does not tell its webhook: there, a member that is
        called `type` may be of something else.
        """
        for member in _NAMES:
            name = text_or_empty(members.get(member))
            if name:
                return name
        kind = type(model)
        webhooks = self._webhooks.WEBHOOKS.values()
        bodies = [body for hook in webhooks for body in get_args(hook.body) or (hook.body,)]
        if bodies.count(kind) > 1:  # the class names none of them
            raise self._name_is_missing()
        return kind.__name__

    def _by_caller(self, function: Callable[..., object] | None, *arguments: Any) -> str:
        """The text that a function of the caller's returns; the last argument is the model.

        Empty: there is no function, or the model is of a kind that the document does not declare,
        which the function does not know.
        """
        if function is None or self._is_unknown(arguments[-1]):
            return ""
        returned = function(*arguments)
        text = id_or_empty(returned)
        if not text:
            raise ConfigurationError(
                f"A function of webhook(...) returned {kind_of(returned)}: return text that is "
                "not empty."
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
        try:
            return self._webhooks.read_webhook(stored["body"], name=stored["webhook"])
        except self._webhooks.UnknownWebhook:
            return self._unknown_variant(parsed(stored["body"]))

    def reading(self, client: Any, notification: Any) -> Callable[[], Any] | None:
        """The call that reads what a notification is about.

        None without a client, without `webhook(read=...)`, and for a notification that the document
        does not declare.
        """
        if client is None or self._read is None or self._is_unknown(notification):
            return None
        return partial(self._read, client, notification)

    def state_of(self, record: Any) -> None:
        """None: the notification itself says what is new."""


def _check(verify: Verify, signed: dict[str, str], headers: Mapping[str, str], body: bytes) -> None:
    """Check a request, and add what the provider has signed beside the body to `signed`.

    Raises what `verify` raises, and `AuthenticationError` if it returns False, as a function does
    that ends with `hmac.compare_digest(...)`, or if it is to be awaited.
    """
    if isinstance(verify, HmacSignature):
        signed |= verify(headers, body)
        return
    result = verify(headers, body)
    if result is False or isawaitable(result):
        raise AuthenticationError(
            "The notification may not come from the provider: verify returned False, or is an "
            "async function, which nobody awaits."
        )


def _usual_id(members: Mapping[str, Any], signed: Mapping[str, str]) -> str:
    """The id of an event in one of the usual places; empty: none of them has an id.

    A header counts only if it is signed. By another one, whoever has captured a notification could
    make new events of it.
    """
    ids = [signed[name] for name in signed if f"-{name}".endswith("-id")]
    ids += [id_or_empty(members.get(member)) for member in _IDS]
    return next(filter(None, ids), "")
