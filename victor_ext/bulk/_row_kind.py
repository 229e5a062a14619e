"""The interface of one payment system to bulk sending: what a row is, and how rows are sent and
read. `System.bulk` names the class of a system.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from victor_ext import (
    BadRequest,
    NotFound,
    PreparedCall,
    idempotency_key_for,
)
from victor_ext._privacy import redact_excerpt
from victor_ext._values.ids import unseen_in

from ._column_types import Columns, argument_of, json_data
from ._rows import Arguments, Result, RowContent

INSTEAD_OF = "instead_of"
"""The column that names the payment that its row asks for once more."""


class CurrentStatus(NamedTuple):
    """What the provider says of a row now.

    Attributes:
        status: The provider's status; None: the provider does not have the row.
        reason: Why the row failed or was declined.
        is_agreed: Whether its amount is agreed to, or paid.
        amount: The amount that is agreed to, if it was in part; None: that of the row.
    """

    status: str | None = None
    reason: str | None = None
    is_agreed: bool = False
    amount: Decimal | None = None

    @classmethod
    def of(
        cls,
        status: str | None,
        reason: str | None,
        *,
        agreed_statuses: Collection[str],
        amount: Decimal | None = None,
    ) -> CurrentStatus:
        """Return the status of a row that the provider has. An amount is agreed to in one of
        `agreed_statuses`.

        The reason is as `redact_excerpt` shows what somebody else wrote: one line of 200 characters
        without account numbers, tokens and e-mail addresses.
        """
        shown_reason = redact_excerpt(reason or "") or None
        return cls(status or "no status", shown_reason, status in agreed_statuses, amount)


class RowKind(ABC):
    """The rows of a file that one client sends.

    Attributes:
        reference: The column whose value the provider repeats. The column tells rows apart, unless
            the sender names another key column.
        operation: The method of the client that sends rows.
        rows_per_call: The most rows of one `group` that are sent in one call.
        columns: The columns of a file that are sent, or by which rows are looked up, with the types
            of their values.
        required: Those of the columns that each row needs.
        exact: The columns that must have no invisible characters, which would make another value.
        long_numbers: The form of a long number that a spreadsheet has shortened, by column.
        unit_column: What the id of that is called which was created by one call for several rows,
            such as `payout_id`; empty: each call has one row.
        steps: The writes that follow what was sent, by the name of the step: first the one that
            pays it.
        effect: What sending a row does, for a person who confirms it.
        list_filter_column: The column, or `unit_column`, by whose values the provider's lists are
            read.
        currency: The only currency of these rows (ISO 4217); empty: a column names it.
        unpaid_end_statuses: The provider's statuses, in small letters, of a payment that has ended
            and was not paid.
    """

    reference: ClassVar[str] = ""
    operation: ClassVar[str]
    rows_per_call: ClassVar[int] = 1
    columns: ClassVar[Columns]
    required: ClassVar[Sequence[str]]
    exact: ClassVar[frozenset[str]]
    long_numbers: ClassVar[Mapping[str, re.Pattern[str]]] = {}
    unit_column: ClassVar[str] = ""
    steps: ClassVar[Mapping[str, str]] = {}
    effect: ClassVar[str]
    list_filter_column: ClassVar[str]
    currency: ClassVar[str] = ""
    unpaid_end_statuses: ClassVar[frozenset[str]]

    def __init__(self, client: Any) -> None:
        self.client = client

    @property
    def are_shared(self) -> bool:
        """Whether several rows are sent in one call."""
        return self.rows_per_call > 1

    @classmethod
    def known_columns(cls) -> list[str]:
        """Return the columns that a file may name: those that are sent; `currency`, which is
        compared with the only currency of these rows; and `instead_of`.
        """
        own = ["currency", INSTEAD_OF] if cls.currency else [INSTEAD_OF]
        return list(dict.fromkeys([*cls.columns, *own]))

    @abstractmethod
    def call_for(self, rows: Sequence[Arguments], key: str) -> PreparedCall:
        """Return the call that sends rows with these checked arguments. Raises `InvalidRequest`.

        Args:
            key: The idempotency key of the first row, for a system that takes one.
        """

    def look_up_by(self, _row: Arguments, /) -> dict[str, str]:
        """Return what the look-up of a call needs beside the call, from the first of its rows."""
        return {}

    def unit_results(self, _unit: str, _rows: Sequence[RowContent]) -> list[Result] | None:
        """Read what became of each of the rows that were sent in one call.

        Only for systems whose calls have several rows. Raises `VictorError`.

        Args:
            _unit: The provider's id of what the call created, such as the payout.
            _rows: The rows of the call.

        Returns:
            A result for each row, in their order; None: the provider has not decided yet.
        """
        raise NotImplementedError

    @abstractmethod
    def check(self, arguments: Arguments) -> None:
        """Check a row as the client will.

        Raises `InvalidRequest`, whose problems have columns as fields.
        """

    def key_facts(self, _arguments: Arguments, key_value: str, /) -> tuple[str, ...] | None:
        """Return the business facts that the idempotency key of a row is made of.

        They are the same whichever file has the row. None: the row does not have them.
        """
        return "invoice", key_value

    def key_of(self, arguments: Arguments, key_value: str) -> str | None:
        """Return the idempotency key of a row; None: it lacks a fact, or a fact has what no key is
        made of.
        """
        facts = self.key_facts(arguments, key_value)
        if facts is None or any(map(unseen_in, facts)):
            return None
        return idempotency_key_for(*facts)

    @abstractmethod
    def price(self, arguments: Arguments) -> tuple[Decimal, str]:
        """Return the exact amount of a row, and its currency. Raises `InvalidRequest`."""

    def json_value(self, name: str, value: Any) -> Any:
        """Return an argument as JSON data, as it is stored and compared."""
        return json_data(self.columns.get(name), name, value)

    def checked_arguments(self, arguments: Arguments) -> dict[str, Any]:
        """Return the stored arguments of a row as they were checked."""
        return {name: argument_of(self.columns.get(name), arguments[name]) for name in arguments}

    def group(self, _arguments: Arguments) -> Hashable:
        """Return what rows must have in common to be sent in one call."""
        return None

    def current_statuses(self, payments: Mapping[str, str | None]) -> dict[str, CurrentStatus]:
        """Return what the provider says now of payments that were created, by their ids. Raises
        `VictorError`.

        Lists are read: a page for many rows, not a call for each. A row is read by its id if no
        list has it, or if its values were forgotten here. Ids and statuses are held in memory.

        Args:
            payments: Their values of `list_filter_column`, by id; None: it was forgotten.
        """
        values = {value for value in payments.values() if value is not None}
        listed = self.listed_statuses(values) if values else ()
        statuses = {id_: status for id_, status in listed if id_ in payments}
        for missing_id in payments.keys() - statuses.keys():
            try:
                statuses[missing_id] = self.read_status(missing_id)
            except (BadRequest, NotFound):  # the provider does not know the id
                statuses[missing_id] = CurrentStatus()
        return statuses

    @abstractmethod
    def listed_statuses(self, values: Collection[str]) -> Iterable[tuple[str, CurrentStatus]]:
        """Read the provider's lists, filtered by these values of `list_filter_column`.

        Yields the id and the status of each listed row.
        """

    @abstractmethod
    def read_status(self, id_: str) -> CurrentStatus:
        """Read the status of one row by its id."""

    def take_step(self, _name: str, _unit: str) -> str:
        """Take one of the `steps` with what one call created, unless its state says that it was
        taken, or rules it out. Returns why it is not taken; empty: it is, or was before. Raises
        `VictorError`.
        """
        raise NotImplementedError

    def describe_unit(self, _unit: str) -> dict[str, Any]:
        """Return what the provider says now of what one call created, such as a payout. Raises
        `VictorError`.
        """
        return {}
