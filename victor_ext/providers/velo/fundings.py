"""`velo.fundings`: money that was, or will be, paid into source accounts."""

from __future__ import annotations

from datetime import datetime

from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call

from .checks import Validation, check_id
from .generated import models
from .paging import changes
from .records import Funding, FundingChange


class Fundings(Resource[Mode]):
    """Money that was, or will be, paid into source accounts."""

    @operation
    def get(self, funding_id: str) -> OperationFlow[Funding]:
        """Read one funding."""
        check_id("funding_id", funding_id, "The funding")
        return Funding((yield from call("velo_api.api.funding.get_funding", models.Funding, funding_id=funding_id)))

    @listing
    def changes(self, payor_id: str, *, since: datetime, page_size: int | None = None) -> Walk[FundingChange]:
        """The fundings of a payor that changed since a moment; see `payees.changes`. `page_size` is 1 to 100."""
        arguments = Validation().changes(payor_id, since, page_size, 100, "The changes of fundings")
        what = "feed of fundings"
        return changes("funding.list_funding_changes", FundingChange, lambda change: change.funding_id, what, arguments)
