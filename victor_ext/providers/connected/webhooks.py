"""The webhooks of a document, for an inbox."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.client.webhooks import (
    Delivery,
    Headers,
    headers_by_name,
    invalid_notification,
)
from victor_ext.runtime.core.json_values import id_or_empty, object_or_empty, text_or_empty

_IDS = ("event_id", "eventId")
_NAMES = ("type", "event", "event_type", "eventType", "eventName")


class DocumentWebhook:
    """What `webhook` of a connected client returns: see there for the arguments."""

    def __init__(
        self,
        provider: str,
        read_webhook: Callable[..., Any],
        verify: Callable[[Mapping[str, str], bytes], object] | None,
        id: Callable[[Mapping[str, str], Any], str] | None,
        name: Callable[[Any], str] | None,
        read: Callable[[Any, Any], Any] | None,
    ) -> None:
        self.provider, self._read_webhook, self._verify = provider, read_webhook, verify
        self._id, self._name, self._read = id, name, read

    def delivery(self, body: bytes | str, headers: Headers) -> Delivery:
        """Check a request, and read it. Raises `InvalidRequest`, and what `verify` raises."""
        sent = headers_by_name(headers)
        try:
            model = self._read_webhook(body, sent, verify=self._verify)
        except ValueError as error:
            reason = f"is not what the document declares ({type(error).__name__})"
            raise invalid_notification(self.provider, reason) from None
        text = body if isinstance(body, str) else bytes(body).decode(json.detect_encoding(body))
        content = object_or_empty(json.loads(text))
        usual = [sent.get("webhook-id", ""), *(id_or_empty(content.get(name)) for name in _IDS)]
        event_id = next(filter(None, usual), "") if self._id is None else self._id(sent, model)
        subject = event_id or ("" if self._id is not None else id_or_empty(content.get("id")))
        if not subject:
            raise ConfigurationError(
                "Nothing tells this notification from another one: pass webhook(id=...), a "
                "function of headers and "
                "model."
            )
        names = (text_or_empty(content.get(name)) for name in _NAMES)
        name = (
            next(filter(None, names), type(model).__name__)
            if self._name is None
            else self._name(model)
        )
        if not event_id:  # `id` may be that of the object, which has other events
            event_id = (
                f"{subject} "
                f"{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}"
            )
        return Delivery(name=name, subject=subject, content=text, ids=(event_id,))

    def notification(self, content: str) -> Any:
        """The model of a delivery."""
        return self._read_webhook(content)

    def reading(self, client: Any, notification: Any) -> Callable[[], Any] | None:
        """The call that reads what it is about, if the caller has said how."""
        return (
            None
            if client is None or self._read is None
            else partial(self._read, client, notification)
        )

    def state_of(self, record: Any) -> None:
        """Nothing: the notification says what is new."""
