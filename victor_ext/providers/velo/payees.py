"""`velo.payees`: who can be paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, answer_to, call, drop_none

from . import pages
from .checks import Findings, moment_to_wire
from .new import NewPayee
from .polling import wait_until
from .profile import batch_id
from .records import Payee, PayeeBatch, PayeeChange

_API = "velo_api.api.payees"


class Payees(Resource[Mode]):
    """Who can be paid. Every method raises errors under `VictorError`."""

    @listing
    def list(
        self,
        payor_id: str,
        *,
        remote_id: str | None = None,
        email: str | None = None,
        display_name: str | None = None,
        onboarded_status: str | None = None,
        watchlist_status: str | None = None,
        ofac_status: str | None = None,
        payee_type: str | None = None,
        payee_country: str | None = None,
        disabled: bool | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Walk[Payee]:
        """The payees of a payor, read page by page as they are walked.

        The filters bear Velo's names. `page_size` is 1 to 100 (25 if left out); `sort` such as `displayName:asc`.

        Raises:
            InvalidRequest: A filter that cannot be right; at once, not at the first page.
        """
        texts = {
            "remote_id": remote_id, "email": email, "display_name": display_name,
            "onboarded_status": onboarded_status, "watchlist_status": watchlist_status, "ofac_status": ofac_status,
            "payee_type": payee_type, "payee_country": payee_country,
        }  # fmt: skip
        findings = Findings()
        findings.one_id("payor_id", payor_id)
        for name, value in texts.items():
            findings.text(name, value, 255, required=False)
        findings.page_size(page_size, 100)
        findings.flag("disabled", disabled)
        findings.sort(sort)
        findings.finish("The list of payees")
        arguments = drop_none(payor_id=payor_id, disabled=disabled, sort=sort, page_size=page_size, **texts)
        return pages.walk(
            f"{_API}.list_payees", "PayeePage", Payee, lambda payee: payee.id or None, "list of payees", arguments
        )

    @operation
    def get(self, payee_id: str, *, sensitive: bool | None = None) -> OperationFlow[Payee]:
        """One payee. With `sensitive=True` personal data comes unmasked, if the key may see it."""
        findings = Findings()
        findings.one_id("payee_id", payee_id)
        findings.flag("sensitive", sensitive)
        findings.finish("The payee")
        from velo_api import models  # noqa: PLC0415 - loaded when first called

        arguments = drop_none(payee_id=payee_id, sensitive=sensitive)
        return Payee((yield from call(f"{_API}.get_payee", models.Payee, **arguments)))

    @operation
    def create(self, payor_id: str, payees: Sequence[NewPayee]) -> OperationFlow[str]:
        """Have 1 to 2,000 payees created; returns the id of the batch, which `batch` and `wait_for_batch` read.

        It takes no key and is sent once: after a lost answer look with `list(payor_id, remote_id=...)`.
        """
        findings = Findings()
        findings.one_id("payor_id", payor_id)
        for place, payee in enumerate(findings.several("payees", payees, NewPayee)):
            if payee is not None:
                payee.check(findings, f"payees[{place}]")
        findings.finish("The payees")
        from velo_api.models import NewPayees  # noqa: PLC0415 - loaded when first called

        body = NewPayees(payor_id=payor_id, payees=[payee.to_model() for payee in payees])
        answer = yield from answer_to(f"{_API}.create_payees", body=body)
        found = batch_id(answer)
        if found is None:
            raise UnreadableResponse("Velo took the payees, and did not say as which batch.", outcome=Outcome.ACCEPTED)
        return found

    @operation
    def batch(self, batch_id: str) -> OperationFlow[PayeeBatch]:
        """How far a batch of new payees is, and which of them failed."""
        _check_batch(batch_id)
        return (yield from _read_batch(batch_id))

    @operation
    def wait_for_batch(self, batch_id: str, *, timeout: float = 300.0) -> OperationFlow[PayeeBatch]:
        """Read a batch now and again until every payee of it has been worked on; some may have failed.

        Raises:
            TimedOut: That did not come about in so many seconds.
        """
        _check_batch(batch_id)
        return (
            yield from wait_until(
                self, lambda left: _read_batch(batch_id, left), lambda batch: batch.is_done,
                what=f"The end of batch {batch_id}", timeout=timeout,
            )
        )  # fmt: skip

    @listing
    def changes(self, payor_id: str, *, since: datetime, page_size: int | None = None) -> Walk[PayeeChange]:
        """The payees of a payor that changed since a moment. `page_size` is 1 to 1,000 (100 if left out).

        Take the time before you begin to read, and pass it as `since` the next time: what changes while you read
        may come in this walk, in the next, or in both.
        """
        findings = Findings()
        findings.one_id("payor_id", payor_id)
        findings.moment("since", since)
        findings.page_size(page_size, 1000)
        findings.finish("The changes of payees")
        return pages.changes(
            f"{_API}.list_payee_changes", "PayeeChangePage", PayeeChange, lambda change: change.payee_id,
            "feed of payees", payor_id=payor_id, updated_since=moment_to_wire(since),
            **drop_none(page_size=page_size),
        )  # fmt: skip


def _check_batch(batch_id: object) -> None:
    findings = Findings()
    findings.one_id("batch_id", batch_id)
    findings.finish("The batch")


def _read_batch(batch_id: str, seconds: float | None = None) -> OperationFlow[PayeeBatch]:
    from velo_api import models  # noqa: PLC0415 - loaded when first called

    return PayeeBatch((yield from call(f"{_API}.get_payee_batch", models.PayeeBatch, seconds, batch_id=batch_id)))
