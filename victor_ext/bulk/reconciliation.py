"""Read what the provider, and the other batches of the state, have under the references of rows. Nothing is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from victor_ext import PaymentRequest, Victor
from victor_ext.settlement import MAY_EXIST, LookUp, is_rival, reference_of

from .batch_store import BatchStore
from .export import stored_rows


@dataclass(frozen=True, slots=True)
class Rival:
    """A row whose request may be that of another row: it has its id or, while it is not settled, its reference."""

    key: str
    reference: str
    id: str | None
    may_exist: bool

    def may_have_made(self, request: PaymentRequest, key: str) -> bool:
        """Whether a request with the reference of the row with `key` may be this row's."""
        return key != self.key and is_rival(
            request.id,
            request.client_reference_id or "",
            other_id=self.id,
            other_reference=self.reference,
            may_exist=self.may_exist,
        )


Rivals = Callable[[AbstractSet[str], AbstractSet[str]], Sequence[Rival]]
"""Returns the rows with these references or ids, of all batches of the state. It may be slow: it reads all of them."""


def requests_by_reference(victor: Victor, steps: Sequence[LookUp]) -> dict[str, list[PaymentRequest]]:
    """Return the requests with the references of these steps.

    The provider's list has no reference filter, so it is read once for all rows, from the earliest possible send.

    Raises:
        VictorError: The list could not be read.
    """
    wanted = {step.reference for step in steps}
    requests: dict[str, list[PaymentRequest]] = defaultdict(list)
    for request in victor.payment_requests.list(direction="outbound", start_datetime=min(step.since for step in steps)):
        reference = reference_of(request.client_reference_id)
        if reference in wanted:
            requests[reference].append(request)
    return requests


def rivals_in(stores: Iterable[BatchStore], references: AbstractSet[str], ids: AbstractSet[str]) -> list[Rival]:
    """Return the rows of these batches with these references or ids that may have made a request."""
    rivals: list[Rival] = []
    for store in stores:
        for _, row, result in stored_rows(store, store.loads()):
            reference = reference_of((row.arguments or {}).get("client_reference_id"))
            if result is not None and (reference in references or result.id in ids):
                rivals.append(Rival(row.key, reference, result.id, result.outcome in MAY_EXIST))
    return rivals
