"""Control totals of a source: how many rows it must have, and what its rows must ask for together.

They are known from elsewhere, such as the system that has written the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from victor_ext import InvalidRequest, money

from .settings import check_number, refused_setting


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Control totals of a source.

    Attributes:
        rows: The number of rows; None: it is not compared.
        total: The sum of their amounts, in one currency; None: it is not compared.
    """

    rows: int | None = None
    total: Decimal | None = None

    @classmethod
    def of(cls, rows: int | None, total: Decimal | str | int | None) -> ControlTotals:
        """Return checked control totals. Raises `ConfigurationError`."""
        bounds = "rows, whole and above 0"
        check_number("expect_rows", rows, _is_count, bounds)
        try:
            return cls(rows, None if total is None else money.to_decimal(total))
        except InvalidRequest:
            message = f"expect_total={total!r} is not an exact amount above zero: write '1250.00'."
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
            yield from _differences_of_total(self.total, totals, without_amount)
        if self.rows not in (None, rows):
            yield (
                f"the number of rows is {rows:,}, and {self.rows:,} is expected: nothing was "
                "stored."
            )


def _differences_of_total(
    expected: Decimal,
    totals: Mapping[str, Decimal],
    without_amount: int,
) -> Iterator[str]:
    """Yield why the sum of the amounts is not the expected one. The arguments are those of
    `ControlTotals.differences`.
    """
    if len(totals) > 1:  # amounts in several currencies have no sum
        currencies = " and ".join(totals)
        yield (
            f"the amounts are in {currencies}, and a total in one currency is expected: nothing "
            "was stored."
        )
        return
    total = next(iter(totals.values()), Decimal(0))
    if without_amount or total != expected:
        missing = ""
        if without_amount:
            missing = f" ({without_amount:,} of the rows have no valid amount)"
        yield (
            f"the amounts are {total:.2f} in all{missing}, and {expected:.2f} is "
            "expected: nothing was stored."
        )


def _is_count(rows: float) -> bool:
    return isinstance(rows, int) and rows > 0
