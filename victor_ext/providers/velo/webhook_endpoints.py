"""`velo.webhooks`: the addresses that Velo posts notifications to. `Webhook` reads what arrives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from velo_api import models
from velo_api.api.webhooks import create_webhook, get_webhook, list_webhooks, ping_webhook, update_webhook

from victor_ext.privacy import concealed
from victor_ext.runtime.client.records import Field, Record, boolean, identifier, text
from victor_ext.runtime.client.resources import Mode, Resource, Walk, arguments_of, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call_without_body, drop_none
from victor_ext.runtime.core.json_values import list_or_empty

from .checks import Validation
from .operations import Receipt
from .reading import PayorList, read, walk
from .system import CategoryWord
from .webhooks import SHORTEST_AUTHORIZATION

_HEADER = re.compile(f"[ -~]{{{SHORTEST_AUTHORIZATION},1000}}")


def _as_texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in list_or_empty(value) if isinstance(item, str))


class WebhookEndpoint(Record):
    """A webhook at Velo: an address and its settings. The header that it sends is a secret: see `raw`."""

    id = identifier("id")
    payor_id = text("payor_id")
    url = text("webhook_url")
    is_enabled = boolean("enabled")
    categories = Field(_as_texts, "categories")


class WebhookPing(Record):
    """The receipt of a ping."""

    id = identifier("id")
    webhook_id = text("webhook_id")


class Webhooks(Resource[Mode]):
    """The addresses that Velo posts notifications to. Errors and filters are those of `Payees`."""

    @operation
    def create(
        self,
        payor_id: str,
        *,
        url: str,
        authorization_header: str,
        categories: Sequence[CategoryWord] | None = None,
        enabled: bool = True,
    ) -> OperationFlow[str]:
        """Have notifications posted to an address. Returns the id of the webhook.

        The request is sent once. After a lost response, look with `list(payor_id)`.

        Args:
            payor_id: Give each payor an address of its own: Velo counts the notifications of each payor.
            url: The address, 6 to 2,000 characters.
            authorization_header: What each notification carries as its `Authorization` header, 16 to 1,000 characters
                that nobody can guess. Velo signs nothing: only this header distinguishes its notifications from
                others. Velo asks for 4 characters, or none.
            categories: `payment`, `payee`, `debit`; others may come. None leaves them to Velo.
            enabled: False makes it without posting anything yet.

        Examples:
            >>> url, header = "https://hooks.shop.example/velo", secrets.token_urlsafe()
            >>> webhook_id = velo.webhooks.create(payor_id, url=url, authorization_header=header)
        """
        authorization_header = concealed(authorization_header)
        validation = Validation()
        validation.id("payor_id", payor_id)
        settings = _checked_settings(validation, url, authorization_header, categories, enabled, required=True)
        validation.finish("The webhook")
        body = models.NewWebhook(payor_id=payor_id, **settings)
        return Receipt.of((yield from call_without_body(create_webhook, body=body))).id

    @listing
    @arguments_of(PayorList)
    def list(self, request: PayorList) -> Walk[WebhookEndpoint]:
        """The webhooks of a payor, read page by page as they are iterated.

        Examples:
            >>> [webhook.url for webhook in velo.webhooks.list(payor_id)]
            ['https://hooks.shop.example/velo']
        """
        return walk(list_webhooks, WebhookEndpoint, "list of webhooks", request)

    @operation
    def get(self, webhook_id: str) -> OperationFlow[WebhookEndpoint]:
        """Read one webhook.

        Examples:
            >>> velo.webhooks.get(webhook_id).is_enabled
            True
        """
        return (yield from read(get_webhook, WebhookEndpoint, webhook_id=webhook_id))

    @operation
    def update(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        authorization_header: str | None = None,
        categories: Sequence[CategoryWord] | None = None,
        enabled: bool | None = None,
    ) -> OperationFlow[None]:
        """Change a webhook. What is None is left out, and stays.

        Before you change the header, let your receiver take both: `Webhook(old, new)`. After a lost response look with
        `get(webhook_id)`, or send the same again. The arguments are those of `create`; `categories` are all that it is
        to have, and `enabled=False` stops notifications.

        Examples:
            >>> velo.webhooks.update(webhook_id, categories=["payment"], enabled=False)
        """
        authorization_header = concealed(authorization_header)
        validation = Validation()
        validation.id("webhook_id", webhook_id)
        settings = _checked_settings(validation, url, authorization_header, categories, enabled, required=False)
        validation.finish("The webhook")
        body = models.WebhookUpdate(**settings)
        yield from call_without_body(update_webhook, webhook_id=webhook_id, body=body)

    @operation
    def ping(self, webhook_id: str) -> OperationFlow[WebhookPing]:
        """Try a webhook: have Velo post an empty notification. Sent once; a second one does no harm.

        Examples:
            >>> velo.webhooks.ping(webhook_id).webhook_id == webhook_id
            True
        """
        return (yield from read(ping_webhook, WebhookPing, webhook_id=webhook_id))


def _checked_settings(
    validation: Validation, url: Any, authorization_header: Any, categories: Any, enabled: Any, *, required: bool
) -> dict[str, Any]:
    """The members of a webhook that are not None, for its model."""
    validation.text("url", url, 2000, shortest=6, required=required)
    wanted = f"{SHORTEST_AUTHORIZATION} to 1000 characters of printable ASCII"
    validation.matching("authorization_header", authorization_header, _HEADER, wanted, required=required)
    if required and enabled is None:
        validation.note("enabled", "type", "enabled is missing: write True or False.")
    if categories is not None and (
        isinstance(categories, str) or not isinstance(categories, Sequence) or not categories
    ):
        validation.note("categories", "type", "categories must be a list of one or more, such as ['payment'].")
        categories = None
    for place, name in enumerate(cast("Sequence[object]", categories or ())):
        validation.text(f"categories[{place}]", name, 100)
    return drop_none(
        webhook_url=url,
        authorization_header=authorization_header,
        enabled=validation.flag("enabled", enabled),
        categories=categories and [*categories],
    )
