"""Pay out through Velo, in its sandbox: `python examples/velo_payout.py`."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import VictorError
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.providers import Money
from victor_ext.providers.velo import PaymentInstruction, Velo, VeloAuth, Webhook
from victor_ext.sandbox.velo import VeloSandbox

HEADER = "the long random header that was chosen for the webhook"


def main() -> str:
    """Run the story; returns the line that sums it up."""
    with VeloSandbox() as sandbox:
        sandbox.add_source_account("USD account", "USD", 100_000)
        sandbox.add_payee("payee-7")
        with Velo(VeloAuth(*sandbox.add_key()), base_url=sandbox.url) as velo:
            return story(sandbox, velo)


def pay(reference: str, amount: Money) -> PaymentInstruction:
    """A payment to the payee that the payor calls payee-7."""
    return PaymentInstruction(
        remote_id="payee-7",
        amount=amount,
        source_account_name="USD account",
        payor_payment_id=reference,
    )


def story(sandbox: VeloSandbox, velo: Velo) -> str:
    """A payout in two currencies, a lost answer that is settled by looking, and the notifications
    of it all.
    """
    begun = datetime.now(UTC) - timedelta(minutes=1)
    payout_id = velo.payouts.submit(
        [pay("INV-1", Money.of("44.23", "USD")), pay("INV-2", Money.of("100.00", "EUR"))]
    )
    payout = velo.payouts.wait(payout_id, until="ACCEPTED")
    [rate] = velo.payouts.quote(payout_id).fx_summaries
    print(f"Payout {payout.id} is accepted; {rate.payment} costs {rate.source}, at {rate.rate}.")
    velo.payouts.instruct(payout_id)
    sandbox.advance(30)
    status = velo.payouts.get(payout_id).status
    confirmed = [*velo.payouts.audited_payments(payout_id, status="CONFIRMED")]
    print(f"Instructed, and half a minute later {status}: {len(confirmed)} payments confirmed.")

    sandbox.inject("lose_answer", operation="submit")
    try:
        velo.payouts.submit([pay("INV-3", Money.of("10.00", "USD"))])
    except VictorError as error:
        print(f"An answer is lost, and the outcome is {error.outcome}: {error}")
    [found] = velo.payments.find("INV-3", payor_id=sandbox.payor_id, since=begun)
    print(
        f"Looked for by its reference: it is in payout {found.payout_id}, {found.status}. No need "
        "to submit it again."
    )

    engine = sa.create_engine("sqlite://")
    inbox = Inbox(engine, Webhook(HEADER), client=velo)
    inbox.create_table()

    # a hint: what the inbox has read is the fact
    @inbox.on()
    def told(_session: Session, event: InboxEvent) -> None:
        about = event.notification.payor_payment_id or "nothing of ours"
        print(f"  {event.notification.sequence_number}. {event.name} of {about}")

    posted = [json.dumps(one).encode() for one in sandbox.notifications()]
    for body in [*reversed(posted), posted[0]]:  # out of order, and one of them twice
        with engine.begin() as connection:
            inbox.receive(connection, body, {"Authorization": HEADER}, source=sandbox.payor_id)
    inbox.handle()

    if any(
        sandbox.work_done_by_reference()[invoice] != 1 for invoice in ("INV-1", "INV-2", "INV-3")
    ):
        raise SystemExit("something was submitted twice")
    return (
        "Velo: a payout in two currencies completed, and one whose answer was lost found by "
        "its reference, not repeated"
    )


if __name__ == "__main__":
    print(main())
