"""The steps that follow the sending of payouts, such as their instruction (`take_step`).

A payout is called `unit` here: what one call has created for several rows. Nothing is stored of a
step: what was done is the provider's own state of the payout, which is read before the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from victor_ext import ConfigurationError

from ._lines import lines_of
from ._payments import LATEST_SHEETS, LINES, PAYMENTS, SHEETS
from ._rows import RowOutcome
from ._state import refuse_held
from ._store import Store

DONE = "done"
"""What a step comes to that was taken, now or before."""
_SHOWN = 5
"""So many payments of a payout are named that are not as the sheet has them."""


def take_step(store: Store, name: str) -> dict[str, str]:
    """Take a step with each payout that the batch has sent. Returns what each comes to, by its id:
    `DONE`, or why it is not taken.

    A payout is paid only if no newer sheet, of whichever batch, has one of its accepted payments
    with other values.

    Raises:
        ConfigurationError: Rows of this kind have no such step; there are no payouts; or the state
            is held.
        VictorError: The provider cannot be read, or refuses the step.
    """
    kind = store.kind
    if name not in kind.steps:
        known = f": write {' or '.join(kind.steps)}" if kind.steps else ", which have no steps"
        raise ConfigurationError(f"{name} is not a step of these rows{known}.")
    with store.engine.connect() as connection:
        refuse_held(connection)
    units = units_of(store)
    if not units:
        raise ConfigurationError(
            f"{store.batch} has nothing to {name}: the provider has accepted nothing that this "
            "batch has sent. What another batch has sent is taken with that one."
        )
    paying_step, *_ = kind.steps
    results: dict[str, str] = {}
    for unit, differing in units.items():
        if differing and name == paying_step:
            results[unit] = _refusal(differing)
        else:
            results[unit] = kind.take_step(name, unit) or DONE
    return results


def units_of(store: Store) -> dict[str, list[str]]:
    """Return the payouts that this batch has sent and of which payments were accepted, each with
    what people call its payments that a newer sheet, of whichever batch, has with other values.
    """
    units: dict[str, list[str]] = {}
    if not store.kind.unit_column:
        return units
    with store.engine.connect() as connection:
        corrected = set(connection.execute(_corrected_keys(store)).scalars())
    for line in lines_of([store]):
        was_accepted = line.result.outcome is RowOutcome.CREATED
        if line.batch == store.batch and was_accepted and line.result.unit:
            differing = units.setdefault(line.result.unit, [])
            if line.key in corrected:
                differing.append(line.value)
    return units


def _corrected_keys(store: Store) -> sa.Select[Any]:
    """Return the query for the keys of payments of this batch that the latest sheet of some batch
    has with other values, and that is newer than the sheet that they were asked for.
    """
    is_its_line = LINES.c.key == PAYMENTS.c.key
    query = sa.select(PAYMENTS.c.key).join(LINES, is_its_line)
    return query.where(
        store.is_of_batch(),
        LINES.c.sheet.in_(LATEST_SHEETS.where(SHEETS.c.owner == store.owner)),
        LINES.c.sheet > PAYMENTS.c.sheet,
        LINES.c.values_digest != PAYMENTS.c.values_digest,
    )


def _refusal(differing: Sequence[str]) -> str:
    """Return why a payout is not paid, as a sentence."""
    shown = ", ".join(differing[:_SHOWN])
    if len(differing) > _SHOWN:
        shown += f" and {len(differing) - _SHOWN} more"
    return f"not paid: a newer sheet has with other values: {shown}. Correct it, or withdraw."
