"""What a caller does to `client.api`, or to its httpx client, is for its own calls: it changes no
method, no prepared call, and nothing that bulk sends.

A hook there that sets a key of its own would have the repeat of a payment done once more.
"""

from tests.providers.systems import each_exchange


def changed(client):
    """The client, whose generated client no longer works."""

    def hook(_):
        raise AssertionError("a hook saw it")

    async def awaited_hook(_):
        hook(_)

    api = client.api
    http = api.get_async_httpx_client() if client.is_awaited else api.get_httpx_client()
    hooks = [awaited_hook if client.is_awaited else hook]
    http.event_hooks = {"request": hooks, "response": hooks}
    http.params = {"added": "1"}
    http.headers["X-Added"] = "1"
    api.raise_on_unexpected_status = False
    return client


@each_exchange()
def test_a_changed_generated_client_changes_no_method(harness, system, exchange):
    if system == "connected":
        return  # its calls are those of the client that is handed out
    subject = exchange.subject(harness)
    before = exchange.work(harness, subject)
    sent = len(harness.sent(exchange.word))
    harness(lambda client: exchange.call(changed(client), subject))
    assert len(harness.sent(exchange.word)) > sent, f"{system} sent nothing"
    if exchange.writes:
        assert exchange.work(harness, subject) == before + 1
