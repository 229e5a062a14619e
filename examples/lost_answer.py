"""A payment that survives a lost answer: the client repeats the request with the same key, and the
payer is asked once.

`python examples/lost_answer.py` needs no credentials: a sandbox in this process is the provider.
"""

from datetime import UTC, datetime
from decimal import Decimal

from victor_ext import AttemptEnded, Event, RetryScheduled, Victor, VictorOAuth, idempotency_key_for
from victor_ext.sandbox import Sandbox, SandboxSettings


def show(event: Event) -> None:
    """Print the attempts of `create`. It is the client's `on_event`."""
    if isinstance(event, AttemptEnded) and event.idempotency_key and not event.for_token:
        result = f"status {event.status_code}" if event.status_code else "no answer"
        print(f"  attempt {event.attempt}   key {event.idempotency_key[:8]}…   {result}")
    elif isinstance(event, RetryScheduled):
        print(
            f"              It may have been executed: again in {event.wait:.2f} s, with the same "
            "key."
        )


with Sandbox(SandboxSettings(auto=0.1)) as sandbox:
    # the sandbox does the work, and its answer is lost
    sandbox.inject("lose_answer", operation="create")
    auth = VictorOAuth(*sandbox.add_oauth_client())
    with Victor(auth, base_url=sandbox.url, on_event=show) as victor:
        print("Request 44.23 USD for invoice 1042")
        request = victor.payment_requests.create(
            payee_account_number="043987673645",
            payer_counterparty_id="acceptsRfp",
            amount=Decimal("44.23"),
            biller_type="BUSINESS",
            due_date=datetime.now(UTC).date(),
            client_reference_id="INV-1042",
            idempotency_key=idempotency_key_for("invoice", 1042),
        )
        print(f"  {request.id}   {request.status}")
        paid = victor.payment_requests.wait(request.id, until="completed", timeout=30)
        print(f"  {paid.id}   {paid.status}")
    attempts, work = sandbox.attempts_by_key(), sandbox.work_done_by_key()

print(
    f"The provider's record: {sum(attempts.values())} attempts, {sum(work.values())} request for "
    "payment"
)
