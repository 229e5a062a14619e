"""Control totals of a source: how many rows it must have, and what its rows must ask for together.

They are known from elsewhere, such as the system that has written the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from victor_ext import InvalidRequest, money
from victor_ext.tables.formats import UnreadableCell, read_amount, written_amount
from victor_ext.tables.row_file import RowFile

from .settings import check_number, refused_setting


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Control totals of a source.

    Attributes:
        rows: The number of rows; None: it is not compared.
        total: The sum of their amounts, in one currency; None: it is not compared.
        decimal: The decimal mark of the source, as in `RowFile`.
    """

    rows: int | None = None
    total: Decimal | None = None
    decimal: str | None = None

    @classmethod
    def of(
        cls, source: object, rows: int | None, total: Decimal | str | int | None
    ) -> ControlTotals:
        """Return checked control totals of a source. Raises `ConfigurationError`.

        Args:
            total: Text is in the form of the amounts of the source, or `1234.56`.
        """
        bounds = "rows, whole and above 0"
        check_number("expect_rows", rows, _is_count, bounds)
        decimal = source.decimal if isinstance(source, RowFile) else None
        if total is None:
            return cls(rows, None, decimal)
        amount = read_amount("expect_total", total, decimal or "point")
        if isinstance(amount, UnreadableCell):
            amount = total
        try:
            return cls(rows, money.to_decimal(cast("money.Amount", amount)), decimal)
        except InvalidRequest:
            example = "1250,00" if decimal == "comma" else "1250.00"
            message = (
                f"expect_total={total!r} is not an exact amount above zero: write {example!r}."
            )
            raise refused_setting("expect_total", message) from None

    def differences(
        self,
        rows: int,
        totals: Mapping[str, Decimal],
        without_amount: int,
    ) -> Iterator[str]:
        """Yield a sentence for each difference between a source and these totals.

        Args:
            rows: The number of rows of the source.
            totals: The sum of their amounts, by currency.
            without_amount: The number of rows without a valid amount, which are in no sum.
        """
        if self.total is not None:
            yield from self._differences_of_total(self.total, totals, without_amount)
        if self.rows not in (None, rows):
            yield (
                f"the number of rows is {rows:,}, and {self.rows:,} is expected: nothing was "
                "stored."
            )

    def _differences_of_total(
        self,
        expected: Decimal,
        totals: Mapping[str, Decimal],
        without_amount: int,
    ) -> Iterator[str]:
        """Yield why the sum of the amounts is not the expected one. The arguments are those of
        `differences`.
        """
        if len(totals) > 1:  # amounts in several currencies have no sum
            currencies = " and ".join(totals)
            yield (
                f"the amounts are in {currencies}, and a total in one currency is expected: "
                "nothing was stored."
            )
            return
        currency, total = next(iter(totals.items()), ("USD", Decimal(0)))
        if without_amount or total != expected:
            missing = ""
            if without_amount:
                missing = f" ({without_amount:,} of the rows have no valid amount)"
            total_text = written_amount(total, currency, self.decimal)
            expected_text = written_amount(expected, currency, self.decimal)
            yield (
                f"the amounts are {total_text} in all{missing}, and {expected_text} is expected: "
                "nothing was stored."
            )


def _is_count(rows: float) -> bool:
    return isinstance(rows, int) and rows > 0
