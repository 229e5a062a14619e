"""Records: what Velo says of payees, accounts, fundings, payouts, payments and webhooks.

The fields come from the document; here is what follows from several of them. States are text: Velo
adds to them.
"""

from velo_api.typed import records


class Payee(records.Payee):
    """A person or a company that can be paid."""

    __slots__ = ()

    def remote_id(self, payor_id: str | None = None) -> str | None:
        """The payor's own name for this payee.

        Without `payor_id`, of the only payor (None with several).
        """
        known = [ref for ref in self.payor_refs if payor_id is None or ref.payor_id == payor_id]
        return known[0].remote_id if len(known) == 1 else None


class PayeeBatch(records.PayeeBatch):
    """The progress of a batch of new payees."""

    __slots__ = ()

    @property
    def is_done(self) -> bool:
        """Whether Velo has processed every payee: the status is ACCEPTED, and none is pending."""
        return self.status == "ACCEPTED" and self.pending_count == 0
