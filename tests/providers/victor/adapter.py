"""Victor in the suite over all systems, and its client over a script."""

from datetime import UTC, datetime, timedelta

import tests.providers.running as running
from tests.payments import payment
from tests.providers.running import MODES, QUICK, Exchange, run
from victor_ext import AsyncVictor, Victor, VictorOAuth
from victor_ext.sandbox import Sandbox

SANDBOX = sandbox = Sandbox
ARGUMENTS = {"auth": VictorOAuth("id", "secret")}
SETTINGS = {"client_id": "id", "client_secret": "secret"}
HOSTS = ("staging", "api.stage.victorfi.com", "api.victorfi.com")
VERSIONS = ("v2",)
REFUSAL = {
    "status": 0,
    "data": None,
    "error": {"code": 101, "message": "no", "field": "payment_details.amount"},
}
PING = "/v2/payment-requests?page=0&page_size=1"


class Harness(running.Harness):
    """A client of Victor."""

    kinds = (Victor, AsyncVictor)

    def set_up(self):
        return {"auth": VictorOAuth(*self.sandbox.add_oauth_client()), "base_url": self.sandbox.url}


def over(mode, provider, call, **options):
    """What a call comes to over a handler in place of a network."""
    options = {**ARGUMENTS, "retry": QUICK, "transport": provider.transport, **options}
    return run(Harness.kinds[MODES.index(mode)], call, **options)


def response(word, status):
    return Exchange(
        word="respond",
        writes=True,
        settles=True,
        subject=lambda harness: harness.sandbox.create_inbound("10.00"),
        work=lambda harness, subject: int(harness.sandbox.request(subject)["status"] == status),
        call=lambda client, subject: getattr(client.payment_requests, word)(
            subject, notes="Thank you."
        ),
    )


READ = Exchange(
    word="list",
    call=lambda client, name: client.payment_requests.find(
        name, start_datetime=datetime.now(UTC) - timedelta(hours=1)
    ),
)
WRITE = Exchange(
    word="create", writes=True, keyed=True, hint="or look with "
                                                 "payment_requests.find(client_reference_id,",
    call=lambda client, name: client.payment_requests.create(**payment(client_reference_id=name)),
)  # fmt: skip
MORE = (
    Exchange(
        word="get", subject=lambda harness: harness.sandbox.create_inbound("10.00"),
        call=lambda client, subject: client.payment_requests.get(subject),
    ),
    response("accept", "accepted"),
    response("decline", "declined"),
)  # fmt: skip
WITHOUT = {}
