"""`velo.payments`: what became of payments, over all payouts of a payor."""

from __future__ import annotations

import builtins
from datetime import date, datetime

from victor_ext.runtime.client.paging import PageReader
from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, drop_none

from . import pages
from .checks import Findings, date_to_wire, day_around, moment_to_wire
from .records import Payment, PaymentChange

_API = "velo_api.api.payments"


class Payments(Resource[Mode]):
    """Payments of a payor, over all payouts."""

    @listing
    def list(
        self,
        payor_id: str,
        *,
        payee_id: str | None = None,
        remote_id: str | None = None,
        status: str | None = None,
        source_account_name: str | None = None,
        source_currency: str | None = None,
        payment_currency: str | None = None,
        payment_memo: str | None = None,
        submitted_from: date | str | None = None,
        submitted_to: date | str | None = None,
        sensitive: bool | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Walk[Payment]:
        """The payments of a payor, read page by page as they are walked; `page_size` is 1 to 100 (25 if left out).

        There is no filter for the payor's own reference: see `find`. Velo fills in `remote_id` only once a payment is
        confirmed, so do not look for a new payment by it.
        """
        texts = {
            "remote_id": remote_id, "status": status, "source_account_name": source_account_name,
            "source_currency": source_currency, "payment_currency": payment_currency, "payment_memo": payment_memo,
        }  # fmt: skip
        findings = Findings()
        findings.one_id("payor_id", payor_id)
        findings.one_id("payee_id", payee_id, required=False)
        for name, value in texts.items():
            findings.text(name, value, 255, required=False)
        days = {
            "submitted_date_from": date_to_wire(findings, "submitted_from", submitted_from),
            "submitted_date_to": date_to_wire(findings, "submitted_to", submitted_to),
        }
        findings.flag("sensitive", sensitive)
        findings.page_size(page_size, 100)
        findings.sort(sort)
        findings.finish("The list of payments")
        return _audit(
            **drop_none(
                payor_id=payor_id, payee_id=payee_id, sensitive=sensitive, sort=sort, page_size=page_size,
                **texts, **days,
            )
        )  # fmt: skip

    @operation
    def find(
        self, payor_payment_id: str, *, payor_id: str, since: datetime, until: datetime | None = None
    ) -> OperationFlow[builtins.list[Payment]]:
        """The payments with this reference, among those that were submitted in a window: settles a lost `submit`.

        Velo has no filter for the reference, so all payments of the window are read: begin it shortly before the
        submission. Velo's window has whole days of a zone that is not known, so a day is added at both ends.

        One that is found has the `payout_id` to go on with. None found is no proof as long as Velo may still be at
        work on the submission: how soon a payment shows is not known, so look again after a while. More than one is a
        duplicate.
        """
        findings = Findings()
        findings.reference("payor_payment_id", payor_payment_id)
        findings.one_id("payor_id", payor_id)
        findings.moment("since", since)
        findings.moment("until", until, required=False)
        findings.finish("The search")
        days = {"submitted_date_from": day_around(since, -1)}
        if until is not None:
            days["submitted_date_to"] = day_around(until, 1)
        walk = _audit(payor_id=payor_id, page_size=100, sort="submittedDateTime:asc", **days)
        reader: PageReader[Payment] = walk.begin()
        found: builtins.list[Payment] = []
        while not reader.done:
            page = reader.accept((yield from walk.read(reader)))
            found += [payment for payment in page.items if payment.payor_payment_id == payor_payment_id]
        return found

    @listing
    def changes(self, payor_id: str, *, since: datetime, page_size: int | None = None) -> Walk[PaymentChange]:
        """The payments of a payor that changed since a moment; see `payees.changes`. `page_size` is 1 to 1,000."""
        findings = Findings()
        findings.one_id("payor_id", payor_id)
        findings.moment("since", since)
        findings.page_size(page_size, 1000)
        findings.finish("The changes of payments")
        return pages.changes(
            f"{_API}.list_payment_changes", "PaymentChangePage", PaymentChange, lambda change: change.payment_id,
            "feed of payments", payor_id=payor_id, updated_since=moment_to_wire(since),
            **drop_none(page_size=page_size),
        )  # fmt: skip


def _audit(**arguments: object) -> Walk[Payment]:
    return pages.walk(
        f"{_API}.list_payments", "PaymentPage", Payment, lambda payment: payment.id or None, "list of payments",
        arguments,
    )  # fmt: skip
