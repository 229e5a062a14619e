"""`velo.webhooks`: the addresses that Velo posts notifications to. `Webhook` reads what arrives."""

from __future__ import annotations

from velo_api.typed import arguments
from velo_api.typed.records import WebhookEndpoint, WebhookPing

from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow
from victor_ext.typed import Request

from .operations import Receipt
from .reading import lists, reads, response_to, sends


class Webhooks(Resource[Mode]):
    """The addresses that Velo posts notifications to. Errors and filters are those of `Payees`."""

    @operation
    @arguments_of(arguments.create_webhook)
    def create(self, request: Request) -> OperationFlow[str]:
        """Have notifications posted to an address. Returns the id of the webhook.

        The request is sent once. After a lost response, look with `list(payor_id)`.

        Args:
            payor_id: Give each payor an address of its own: Velo counts the notifications of each
                payor.
            url: The address.
            authorization_header: What each notification carries as its `Authorization` header, 16
                to 1,000 characters that nobody can guess. Velo signs nothing: only this header
                distinguishes its notifications from others. Velo asks for 4 characters, or none.
            categories: `payment`, `payee`, `debit`; others may come. None leaves them to Velo.
            enabled: False makes it without posting anything yet.

        Examples:
            >>> url, header = "https://hooks.shop.example/velo", secrets.token_urlsafe()
            >>> webhook_id = velo.webhooks.create(payor_id, url=url, authorization_header=header)
        """
        return Receipt.of((yield from response_to(request))).id

    @lists(arguments.list_webhooks, WebhookEndpoint)
    def list(self) -> None:
        """The webhooks of a payor, read page by page as they are iterated.

        Examples:
            >>> [webhook.url for webhook in velo.webhooks.list(payor_id)]
            ['https://hooks.shop.example/velo']
        """

    @reads(arguments.get_webhook, WebhookEndpoint)
    def get(self) -> None:
        """Read one webhook.

        Examples:
            >>> velo.webhooks.get(webhook_id).is_enabled
            True
        """

    @sends(arguments.update_webhook)
    def update(self) -> None:
        """Change a webhook. What is None is left out, and stays.

        Before you change the header, let your receiver take both: `Webhook(old, new)`. After a lost
        response look with `get(webhook_id)`, or send the same again. The arguments are those of
        `create`; `categories` are all that it is to have, and `enabled=False` stops notifications.

        Examples:
            >>> velo.webhooks.update(webhook_id, categories=["payment"], enabled=False)
        """

    @reads(arguments.ping_webhook, WebhookPing)
    def ping(self) -> None:
        """Try a webhook: have Velo post an empty notification. Sent once; a second one does no
        harm.

        Examples:
            >>> velo.webhooks.ping(webhook_id).webhook_id == webhook_id
            True
        """
