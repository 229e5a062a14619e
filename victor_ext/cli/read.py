"""`victor read`: one object of any system, by its id."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import typer

from victor_ext.privacy import is_object, is_sequence, short_mask
from victor_ext.systems import DEFAULT

from .chosen_system import Provider, provider_of
from .options import argument, several
from .screen import plain, say
from .session import Session, with_session

_NUMBER = re.compile("(account|routing)_?number|iban", re.IGNORECASE)
"""The names of what is masked for people."""


def _operations(ctx: typer.Context) -> list[str]:
    with Session.typed(ctx).client_of(provider_of(ctx))[1] as client:
        return [*client.object_reads]


@with_session
def read(
    session: Session,
    operation: Annotated[str, argument("OPERATION", known=_operations)],
    ids: Annotated[list[str], argument(several("ID"))],
    *,
    provider: Provider = DEFAULT,
) -> None:
    """Read one object of any system, such as `victor read --provider velo payouts.get ID`.

    OPERATION is what reads it, such as payment_requests.get, or Velo's payouts.get, and ID the id
    of the object. It only reads: an operation that does more is refused. It prints JSON, where
    account numbers are masked; with --json, on one line and in full.
    """
    with session.failures(), session.client_of(provider)[1] as client:
        record = client.read(operation, *ids)
        document = record.to_dict() if hasattr(record, "to_dict") else record
        if session.as_json:
            say(json.dumps(document))
        else:
            _show(document)


def _show(document: Any) -> None:
    text = json.dumps(_masked(document), indent=2, ensure_ascii=False)
    for line in text.split("\n"):
        say(plain(line))


def _masked(value: Any, name: str = "") -> Any:
    """The value of this name as people see it: account numbers masked."""
    if is_object(value):
        return {member: _masked(content, member) for member, content in value.items()}
    if is_sequence(value):
        return [_masked(item, name) for item in value]
    if isinstance(value, str) and _NUMBER.search(name):
        return short_mask(value)
    return value
