"""What a row is for one system: all that bulk sending asks of it. `System.bulk` names the class."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from victor_ext import (
    BadRequest,
    Done,
    InvalidRequest,
    NotDone,
    NotFound,
    PreparedCall,
    VictorError,
    zulu,
)
from victor_ext.settlement.arguments import plain
from victor_ext.settlement.flow import LookUp, Settlement, Write, settlement_of_failed_read

from .rows import Arguments, Result, Row, RowOutcome, RowResult


class CurrentStatus(NamedTuple):
    """What the provider says of a row now, and why it failed or was declined.

    No status: it does not have it.
    """

    status: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, status: str | None, reason: str | None) -> CurrentStatus:
        """Return it in one line without account numbers: of long numbers the last four digits are
        left.
        """
        text = " ".join((reason or "").split())
        shown = re.sub(r"\d(?=\d{4})", "*", text)
        return cls(status or "no status", shown or None)


class Sendable(ABC):
    """What one client sends for rows, and how it finds it again.

    Attributes:
        reference: The column whose value the provider repeats. It tells rows apart, unless another
            one is named.
        together: The most rows of one `group` that are sent in one call.
    """

    reference: ClassVar[str] = ""
    together: ClassVar[int] = 1

    def __init__(self, client: Any) -> None:
        self.client = client

    @abstractmethod
    def payment(self, rows: Sequence[Row]) -> Write[Any]:
        """Return what is sent for these rows in one call. Raises `InvalidRequest`."""

    def send(
        self,
        client: Any,
        payment: Any,
        _key: str,
        *,
        is_repeat: bool,
    ) -> Any:
        """Send it, under the key of its first row; a `Settlement`: why it was not sent. Raises
        `VictorError`.
        """
        assert not is_repeat, "what takes no key is never sent again"
        return client.send(payment.call)

    def look_up(self, steps: Sequence[LookUp]) -> list[Settlement]:
        """Read what became of each payment that may have been sent. Raises `VictorError`.

        One whose look-up the client itself refuses keeps no other one from being looked up.
        """
        return [self._looked_up(step) for step in steps]

    def _looked_up(self, step: LookUp) -> Settlement:
        write = step.write
        try:
            done = self.client.look_up(write.call, **step.moments, **write.look_up_by)
        except InvalidRequest as error:
            return step.settlement_of_refusal(error)
        return step.settlement_of(done)

    def parts(self, _unit: str, _rows: Sequence[Row]) -> list[Result] | None:
        """Read what became of each of the rows that were sent as `unit`; None: the provider has not
        decided yet.

        Raises `VictorError`. It is asked only of what is sent together.
        """
        raise NotImplementedError


class LaterStep(Sendable):
    """A write that follows, of each of what was sent together: a row has its id.

    The state of that is read first. The step may have been taken elsewhere, or be ruled out; and
    one that was lost is taken again.
    """

    def __init__(self, client: Any, write: str) -> None:
        super().__init__(client)
        self._write = write

    def payment(self, rows: Sequence[Row]) -> Write[PreparedCall]:
        (row,) = rows
        call = self.client.prepare(self._write, (row.arguments or {})["id"])
        return Write.of(call, row.sent)

    def send(
        self,
        client: Any,
        payment: Any,
        key: str,
        *,
        is_repeat: bool,
    ) -> Any:
        try:
            before = client.look_up(payment.call, since=zulu.now(), **payment.look_up_by)
        except VictorError as error:
            return settlement_of_failed_read(error)
        if isinstance(before, Done):
            return before
        if isinstance(before, NotDone) and not before.can_be_sent:
            return Settlement(RowOutcome.REFUSED, reason=before.why)
        return Sendable.send(self, client, payment, key, is_repeat=is_repeat)


class RowKind(Sendable):
    """The rows that one client sends.

    Attributes:
        columns: The columns of a file that are sent or look rows up, with those that are
            `required`.
        asked: The columns in an export. None of them is an account number.
        flags: The columns that are true or false.
        exact: The columns in which a letter that nobody sees makes another value.
        long_numbers: The form of a long number that a spreadsheet has shortened, by column.
        unit: What the id of what is sent together is called in an export.
        steps: The writes that follow, of each of what was sent together, by the name of the step.
        secrets: The variables with the credentials that encrypt the state without VICTOR_BULK_KEY;
            none: Victor's.
        effect: What sending a row does, for a person who confirms it.
        listed_by: The column in an export by whose values the provider's lists are read.
        over_unpaid: The words, in small letters, for the states in which a payment has ended and
            was not paid.
    """

    columns: ClassVar[frozenset[str]]
    required: ClassVar[Sequence[str]]
    asked: ClassVar[Sequence[str]]
    flags: ClassVar[frozenset[str]] = frozenset()
    exact: ClassVar[frozenset[str]]
    long_numbers: ClassVar[Mapping[str, re.Pattern[str]]] = {}
    unit: ClassVar[str] = ""
    steps: ClassVar[Mapping[str, str]] = {}
    secrets: ClassVar[Sequence[str]] = ()
    effect: ClassVar[str]
    listed_by: ClassVar[str]
    over_unpaid: ClassVar[frozenset[str]]

    @abstractmethod
    def check(self, arguments: Arguments) -> None:
        """Check a row as the client will.

        Raises `InvalidRequest`, whose problems have columns as fields.
        """

    def key_facts(
        self, _arguments: Arguments, key_kind: str, key_value: str, /
    ) -> tuple[str, ...] | None:
        """Return what names the payment of a row, whichever file has it; None: the row lacks it."""
        return key_kind, key_value

    @abstractmethod
    def price(self, arguments: Arguments) -> tuple[Decimal, str]:
        """Return the exact amount of a row, and its currency. Raises `InvalidRequest`."""

    def stored(self, name: str, value: Any) -> Any:
        """Return a checked argument as JSON data."""
        return plain(name, value)

    def group(self, _arguments: Arguments) -> Hashable:
        """Return what rows have in common that can be sent together."""
        return None

    def current(self, results: Iterable[RowResult]) -> dict[str, CurrentStatus]:
        """Return what the provider says now of each row that was created, by its id. Raises
        `VictorError`.

        Lists are read: a page for many rows, not a call for each. What is not in them, or was
        forgotten here, is read by its id. Ids and statuses are held in memory.
        """
        by_id: dict[str, str | None] = {}
        for result in results:
            if result.outcome is RowOutcome.CREATED and result.id:
                by_id[result.id] = result.asked.get(self.listed_by)
        values = {value for value in by_id.values() if value is not None}  # the others: forgotten
        listed = self.listed(values) if values else ()
        statuses = {id_: status for id_, status in listed if id_ in by_id}
        for missing in by_id.keys() - statuses.keys():
            statuses[missing] = self._status_of(missing)
        return statuses

    def _status_of(self, id_: str) -> CurrentStatus:
        try:
            return self.read(id_)
        except (BadRequest, NotFound):
            return CurrentStatus()

    @abstractmethod
    def listed(self, values: Collection[str]) -> Iterable[tuple[str, CurrentStatus]]:
        """Read the provider's lists for these values of `listed_by`: the id and the status of each
        row in them.
        """

    @abstractmethod
    def read(self, id_: str) -> CurrentStatus:
        """Read the status of one row by its id."""

    def describe(self, _unit: str) -> dict[str, Any]:
        """Return what the provider says now of what was sent together. Raises `VictorError`."""
        return {}
