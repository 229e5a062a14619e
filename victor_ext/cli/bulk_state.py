"""The commands of `victor bulk` about a whole state: `hold`, `release`, `forget` and `rekey`."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Annotated

import typer

from victor_ext._exit_status import FAILED
from victor_ext.privacy import concealed

from .bulk_session import BulkSession
from .failures import Misuse
from .options import option, seconds
from .screen import conclude
from .session import with_session
from .wording import rows_text


@with_session
def hold(session: BulkSession) -> None:
    """Keep everything in the state from being sent, as after it was restored from a backup."""
    with session.sender() as sender:
        count = sender.hold()
    text = (
        "Nothing is sent from this state until 'victor bulk release'.\n"
        f"{rows_text(count)} may have been asked for since the backup."
    )
    conclude({"held": True, "marked": count}, text, as_json=session.as_json)


@with_session
def release(session: BulkSession) -> None:
    """Let what is held be sent again. What had not left when it was stored counts as maybe sent.

    The exit status is 1 if the state was not held.
    """
    with session.sender() as sender:
        count = sender.release()
    if count is None:
        document = {"released": False, "may_have_been_sent": 0}
        conclude(document, "The state is not held.", as_json=session.as_json)
        raise typer.Exit(FAILED)
    document = {"released": True, "may_have_been_sent": count}
    text = (
        f"Released. {rows_text(count)} that waited may have been sent since: 'victor bulk resume' "
        "looks them up, and sends none of them."
    )
    conclude(document, text, as_json=session.as_json)


def _age(text: str) -> float:
    """Parse a duration that names its unit, into seconds: what is forgotten does not come back."""
    if text.isdecimal():
        raise typer.BadParameter(f"{text!r} has no unit: write {text}d for days, or {text}h.")
    return seconds(text)


@with_session
def forget(
    session: BulkSession,
    *,
    older_than: Annotated[
        float, option("Rows that were stored longer ago: 400d, 24h.", "TIME", parser=_age)
    ],
) -> None:
    """Remove what settled rows asked for. What protects from asking twice stays: keys, states, ids
    and digests.
    """
    with session.sender() as sender:
        count = sender.forget(older_than=timedelta(seconds=older_than))
    conclude({"forgotten": count}, f"{rows_text(count)} forgotten.", as_json=session.as_json)


class _RekeySession(BulkSession):
    @property
    def option_names(self) -> dict[str, str]:
        # The sender says what is wrong with its argument `new`. That value is in a variable, which
        # the option --new names.
        return {**super().option_names, "new": str(self.context.params["new"])}


@with_session
def rekey(
    session: _RekeySession,
    *,
    new: Annotated[
        str, option("The variable that has the new secret.", "VARIABLE")
    ] = "VICTOR_BULK_NEW_KEY",
) -> None:
    """Protect the state by another secret: set VICTOR_BULK_NEW_KEY to it.

    What is stored stays as it is. From then on, VICTOR_BULK_KEY has to be the new one.
    """
    secret = concealed(os.environ.get(new))
    if not secret:
        raise Misuse(f"{new} is not set: put the new secret there.")
    with session.sender() as sender:
        sender.rekey(secret)
    text = "The state has another secret now: set VICTOR_BULK_KEY to it."
    conclude({"rekeyed": True}, text, as_json=session.as_json)
