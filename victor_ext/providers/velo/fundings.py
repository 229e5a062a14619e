"""`velo.fundings`: money that was, or will be, paid into source accounts."""

from __future__ import annotations

from datetime import datetime

from velo_api import models
from velo_api.api.funding import get_funding, list_funding_changes, list_fundings

from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, drop_none

from .audit_records import FundingEntry
from .checks import Validation, check_id
from .paging import changes, walk
from .records import Funding, FundingChange


class Fundings(Resource[Mode]):
    """Money that was, or will be, paid into source accounts."""

    @operation
    def get(self, funding_id: str) -> OperationFlow[Funding]:
        """Read one funding."""
        check_id("funding_id", funding_id, "The funding")
        return Funding((yield from call(get_funding, models.Funding, funding_id=funding_id)))

    @listing
    def list(
        self,
        payor_id: str,
        *,
        source_account_name: str | None = None,
        sort: str | None = None,
        page_size: int | None = None,
    ) -> Walk[FundingEntry]:
        """The history of a payor's fundings, read page by page as they are iterated.

        Velo gives these no id and, without a `sort`, no order. One is known again by its first event, so that one which
        moves to a later page comes once. `changes` loses nothing between two readings.

        Args:
            payor_id: The payor.
            source_account_name: The name of a source account.
            sort: Fields and directions: `dateTime` and `amount`. None sorts by `dateTime`.
            page_size: 1 to 100; Velo's default is 25.
        """
        validation = Validation()
        arguments = drop_none(
            payor_id=validation.id("payor_id", payor_id),
            source_account_name=validation.text("source_account_name", source_account_name, 255, required=False),
            sort=validation.sort(sort) or "dateTime:asc",
            page_size=validation.page_size(page_size, 100),
        )
        validation.finish("The list of fundings")
        return walk(list_fundings, FundingEntry, _first_event, "list of fundings", arguments)

    @listing
    def changes(self, payor_id: str, *, since: datetime, page_size: int | None = None) -> Walk[FundingChange]:
        """The fundings of a payor that changed since a moment; see `payees.changes`. `page_size` is 1 to 100."""
        arguments = Validation().changes(payor_id, since, page_size, 100, "The changes of fundings")
        what = "feed of fundings"
        return changes(list_funding_changes, FundingChange, lambda change: change.funding_id, what, arguments)


def _first_event(entry: FundingEntry) -> str | None:
    return next((event.id for event in entry.events), None)
