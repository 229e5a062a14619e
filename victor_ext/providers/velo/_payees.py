"""`velo.payees`: people and companies that can be paid.

First the request objects: the fields come from the document, and here is what follows
from several of them.
"""

from __future__ import annotations

from velo_api.api.payees import get_payee_batch
from velo_api.typed import methods, parts
from velo_api.typed.arguments import PACKAGE
from velo_api.typed.records import Payee, PayeeBatch

from victor_ext._runtime.client.polling import poll
from victor_ext._runtime.client.resources import Resource
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._runtime.core.validation import Validation
from victor_ext.typed import Request

from ._operations import batch_id as batch_id_of
from ._reading import lists, read, reads, response_to, send


class PaymentChannel(parts.PaymentChannel):
    __doc__ = parts.PaymentChannel.__doc__
    __slots__ = ()

    def check(self, check: Validation, place: str) -> None:
        numbers = {"iban", "account_number", "routing_number"}
        passed = {name for name in numbers if getattr(self, name) is not None}
        if passed not in ({"iban"}, {"account_number", "routing_number"}):
            message = f"{place} must have iban, or account_number with routing_number, not both."
            check.note(place, "choice", message)


class NewPayee(parts.NewPayee):
    __doc__ = parts.NewPayee.__doc__
    __slots__ = ()

    def check(self, check: Validation, place: str) -> None:
        if (self.individual is None) is (self.company is None):
            check.note(place, "choice", f"{place} must have either individual or company.")


class _PayeeFlows(Resource):
    """The flows behind the generated methods."""

    _list = lists(Payee)
    _get = reads(Payee)
    _batch = reads(PayeeBatch)
    _update = staticmethod(send)
    _delete = staticmethod(send)

    def _create(self, request: Request) -> OperationFlow[str]:
        request.check.finish()
        for payee in request.body["payees"]:
            payee["type"] = "Individual" if "individual" in payee else "Company"
        return batch_id_of((yield from response_to(request))) or ""

    def _wait_for_batch(self, batch_id: str, *, timeout: float) -> OperationFlow[PayeeBatch]:
        call = PACKAGE.call(get_payee_batch, batch_id=batch_id)
        return poll(
            self._shared,
            lambda seconds: read(call, PayeeBatch, seconds),
            lambda batch: batch.status == "ACCEPTED" and batch.pending_count == 0,
            goal=f"Batch {batch_id} was not finished",
            advice="Wait again, or read the batch later.",
            timeout=timeout,
        )


class Payees(methods.Payees, _PayeeFlows):
    """Payees of a payor. No write carries a key, so each is sent once.

    The filters have Velo's names. `page_size` is 1 to 100 (Velo's default is 25), `sort` is fields
    and directions, such as `displayName:asc`, and `sensitive=True` asks for personal data unmasked,
    which the key has to be allowed to see. A method raises `InvalidRequest` before anything is sent
    if an argument cannot be right, and else `VictorError`: its `outcome` says whether a write may
    have been done.
    """


class AsyncPayees(methods.AsyncPayees, _PayeeFlows):
    """The same operations, awaited."""
