"""`victor read`: print one object of any system, read by its id."""

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

_ACCOUNT_NUMBER_NAME = re.compile("(account|routing)_?number|iban", re.IGNORECASE)
"""The names of members whose values are masked for people."""


def _read_operations(ctx: typer.Context) -> list[str]:
    """Return the operations that read an object of the chosen system, for a shell to complete."""
    with Session.for_completion(ctx).client_of(provider_of(ctx)) as client:
        return [*client.object_reads]


@with_session
def read(
    session: Session,
    operation: Annotated[str, argument("OPERATION", known=_read_operations)],
    ids: Annotated[list[str], argument(several("ID"))],
    *,
    provider: Provider = DEFAULT,
) -> None:
    """Read one object of any system, such as `victor read --provider velo payouts.get ID`.

    OPERATION is what reads it, such as payment_requests.get, or Velo's payouts.get, and ID the id
    of the object. It only reads: an operation that does more is refused. It prints JSON, where
    account numbers are masked; with --json, on one line and in full.
    """
    with session.report_failures(), session.client_of(provider) as client:
        record = client.read(operation, *ids)
        # A method may return JSON itself, and not a record.
        document = record.to_dict() if hasattr(record, "to_dict") else record
        if session.as_json:
            say(json.dumps(document))
        else:
            _show_masked(document)


def _show_masked(document: Any) -> None:
    """Print JSON, indented, with account numbers masked."""
    text = json.dumps(_masked(document), indent=2, ensure_ascii=False)
    for line in text.split("\n"):
        say(plain(line))


def _masked(value: Any, name: str = "") -> Any:
    """Return the value of the member `name`, with account numbers masked."""
    if is_object(value):
        return {member: _masked(content, member) for member, content in value.items()}
    if is_sequence(value):
        return [_masked(item, name) for item in value]
    if isinstance(value, str) and _ACCOUNT_NUMBER_NAME.search(name):
        return short_mask(value)
    return value
