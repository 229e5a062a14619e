"""The local checks of a payment request, for those who want to know before they send."""

from __future__ import annotations

from datetime import datetime

from victor_ext import zulu
from victor_ext.redaction import concealed_account

from . import checks as rules


def check_payment_request(
    *,
    payee_account_number: object = None,
    payer_counterparty_id: object = None,
    amount: object = None,
    biller_type: object = None,
    due_date: object = None,
    ultimate_creditor: object = None,
    amount_modification_allowed: object = None,
    notes: object = None,
    client_reference_id: object = None,
    idempotency_key: object = None,
    now: datetime | None = None,
) -> None:
    """Check the arguments of `payment_requests.create` as it does itself, and send nothing.

    What is right today may be too late tomorrow: the due date is held against the clock.

    Args:
        now: An aware datetime, which the due date is held against. The default is this machine's time;
            `victor.provider_time().moment` is the provider's.

    Raises:
        InvalidRequest: Something breaks a rule of the document; `problems` says all that is wrong.
    """
    payee_account_number = concealed_account(payee_account_number)
    rules.check_create(
        payee_account_number=payee_account_number,
        payer_counterparty_id=payer_counterparty_id,
        amount=amount,
        biller_type=biller_type,
        due_date=due_date,
        ultimate_creditor=ultimate_creditor,
        amount_modification_allowed=amount_modification_allowed,
        notes=notes,
        client_reference_id=client_reference_id,
        idempotency_key=idempotency_key,
        now=zulu.now() if now is None else now,
    )
