"""`victor read`: one object of any system, by its id."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import typer

from victor_ext.privacy import is_object, is_sequence, short_mask
from victor_ext.systems import DEFAULT

from .screen import plain, say
from .session import Provider, Session, completed, provider_of, several, with_session

_NUMBER = re.compile("(account|routing)_?number|iban", re.IGNORECASE)
"""The names of what is masked for people."""


def _operations(ctx: typer.Context) -> list[str]:
    with Session.typed(ctx).client_of(provider_of(ctx))[1] as client:
        return [*client.object_reads]


@with_session
def read(
    session: Session,
    operation: Annotated[
        str,
        typer.Argument(
            metavar="OPERATION",
            help="What reads it, such as payment_requests.get, or Velo's payouts.get.",
            autocompletion=completed(_operations),
        ),
    ],
    ids: Annotated[list[str], typer.Argument(metavar=several("ID"), help="The id of the object.")],
    *,
    provider: Provider = DEFAULT,
) -> None:
    """Read one object of any system, such as `victor read --provider velo payouts.get ID`.

    It only reads: an operation that does more is refused. It prints JSON, where account numbers are
    masked; with --json, on one line and in full.
    """
    with session.failures(), session.client_of(provider)[1] as client:
        found = client.read(operation, *ids)
        document = found.to_dict() if hasattr(found, "to_dict") else found
        if session.as_json:
            say(json.dumps(document))
            return
        text = json.dumps(_masked(document), indent=2, ensure_ascii=False)
        for line in text.split("\n"):
            say(plain(line))


def _masked(value: Any, name: str = "") -> Any:
    """The value of this name as people see it: account numbers masked."""
    if is_object(value):
        return {each: _masked(member, each) for each, member in value.items()}
    if is_sequence(value):
        return [_masked(member, name) for member in value]
    is_number = isinstance(value, str) and _NUMBER.search(name) is not None
    return short_mask(value) if is_number else value
