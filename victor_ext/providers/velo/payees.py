"""`velo.payees`: people and companies that can be paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from velo_api import models
from velo_api.api.payees import create_payees, get_payee, get_payee_batch, list_payee_changes, list_payees

from victor_ext.errors import Outcome, UnreadableResponse
from victor_ext.runtime.client.polling import poll
from victor_ext.runtime.client.resources import Mode, Walk, arguments_of, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body, drop_none

from .checks import Validation, check_id
from .lists import PayeeList
from .paging import changes, walk
from .payee_updates import PayeeUpdates
from .profile import batch_id as batch_id_of
from .records import Payee, PayeeBatch, PayeeChange
from .requests import NewPayee


class Payees(PayeeUpdates[Mode]):
    """Payees of a payor. Every method raises `InvalidRequest` before it sends anything, and else `VictorError`."""

    @listing
    @arguments_of(PayeeList)
    def list(self, request: PayeeList) -> Walk[Payee]:
        """The payees of a payor, read page by page as they are iterated. The filters have Velo's names.

        Args:
            payor_id: The payor.
            sort: Fields and directions, such as `displayName:asc`.
            page_size: 1 to 100; Velo's default is 25.
        """
        arguments = request.arguments("The list of payees")
        return walk(list_payees, Payee, lambda payee: payee.id, "list of payees", arguments)

    @operation
    def get(self, payee_id: str, *, sensitive: bool | None = None) -> OperationFlow[Payee]:
        """Read one payee.

        Args:
            payee_id: The payee.
            sensitive: True asks for personal data unmasked, which the key has to be allowed to see; False and None
                ask for masked data.
        """
        validation = Validation()
        checked_id, flag = validation.id("payee_id", payee_id), validation.flag("sensitive", sensitive)
        validation.finish("The payee")
        arguments = drop_none(payee_id=checked_id, sensitive=flag)
        return Payee((yield from call(get_payee, models.Payee, **arguments)))

    @operation
    def create(self, payor_id: str, payees: Sequence[NewPayee]) -> OperationFlow[str]:
        """Create 1 to 2,000 payees. Returns the id of the batch, which `batch` and `wait_for_batch` read.

        Velo takes no idempotency key, so the request is sent once. After a lost response, look with
        `list(payor_id, remote_id=...)` before you create them again.

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent.
            VictorError: Anything else; its `outcome` says whether the payees may exist.
        """
        validation = Validation()
        validation.id("payor_id", payor_id)
        validation.requests("payees", payees, NewPayee)
        validation.finish("The payees")
        body = models.NewPayees(payor_id=payor_id, payees=[payee.to_model() for payee in payees])
        batch_id = batch_id_of((yield from call_without_body(create_payees, body=body)))
        if batch_id is None:
            raise UnreadableResponse(
                "Velo accepted the payees, but the response has no id of the batch.", outcome=Outcome.ACCEPTED
            )
        return batch_id

    @operation
    def batch(self, batch_id: str) -> OperationFlow[PayeeBatch]:
        """Read the progress of a batch of new payees, and which of them failed."""
        check_id("batch_id", batch_id, "The batch")
        return (yield from _read_batch(batch_id))

    @operation
    def wait_for_batch(self, batch_id: str, *, timeout: float = 300.0) -> OperationFlow[PayeeBatch]:
        """Read a batch repeatedly until Velo has processed every payee of it; some may have failed.

        Args:
            batch_id: The batch.
            timeout: Seconds to wait in all; 0 reads once.

        Raises:
            TimedOut: Velo had not processed all of them in that time.
        """
        check_id("batch_id", batch_id, "The batch")
        return (
            yield from poll(
                self,
                lambda seconds: _read_batch(batch_id, seconds),
                lambda batch: batch.is_done,
                goal=f"Batch {batch_id} was not finished",
                advice="Wait again, or read the batch later.",
                timeout=timeout,
            )
        )

    @listing
    def changes(self, payor_id: str, *, since: datetime, page_size: int | None = None) -> Walk[PayeeChange]:
        """The payees of a payor that changed, read page by page as they are iterated.

        Args:
            payor_id: The payor.
            since: An aware datetime: only later changes. Note the time before you begin to read, and pass it the next
                time: what changes during the read may be in this feed, in the next, or in both.
            page_size: 1 to 1,000; Velo's default is 100.
        """
        arguments = Validation().changes(payor_id, since, page_size, 1000, "The changes of payees")
        what = "feed of payees"
        return changes(list_payee_changes, PayeeChange, lambda change: change.payee_id, what, arguments)


def _read_batch(batch_id: str, seconds: float | None = None) -> OperationFlow[PayeeBatch]:
    return PayeeBatch((yield from call(get_payee_batch, models.PayeeBatch, seconds, batch_id=batch_id)))
