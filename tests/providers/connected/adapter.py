"""A system of which only the document is known, in the suite over all systems."""

from itertools import count

import tests.providers.running as running
from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.connected.till_sandbox import TillSandbox
from tests.providers.running import Exchange
from victor_ext import ApiClient, AsyncApiClient, ClientCredentialsAuth, HeaderKey

SANDBOX = sandbox = TillSandbox
REFUSAL = {"title": "Invalid", "detail": "no", "field": "amount"}
_numbers = count(1)


class Harness(running.Harness):
    """A client of Till."""

    kinds = (ApiClient, AsyncApiClient)

    def set_up(self):
        auth = ClientCredentialsAuth("/oauth/token", *self.sandbox.add_client(), scope="payments")
        return {
            "client": client_class(),
            "base_url": self.sandbox.url,
            "auth": auth,
            "key": HeaderKey(),
        }


def call(client, name, *args, **kwargs):
    """Call an operation in the client's mode."""
    module = operation(name)
    return (module.asyncio if isinstance(client, AsyncApiClient) else module.sync)(
        *args, client=client.api, **kwargs
    )


def known(harness):
    name = f"pay_known-{next(_numbers)}"
    harness.sandbox.add_payment(name)
    return name


READ = Exchange(
    word="get",
    subject=known,
    call=lambda client, subject: call(client, "payments.get_payment", subject),
)
WRITE = Exchange(
    word="create",
    writes=True,
    keyed=True,
    call=lambda client, name: call(
        client, "payments.take_payment", body=new_payment(amount=4423, reference=name)
    ),
)
MORE = (Exchange(word="list", call=lambda client, _: call(client, "payments.list_payments")),)
