"""Whose a stored batch is: by key, provider, account and layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import sqlalchemy as sa

from victor_ext import ConfigurationError

from .layout import LOAD, OLDER_VERSIONS, VERSION
from .vault import other_key

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

_NAMED = 10
"""Maximum number of batch names in an error message."""


def batches_of(client: DBOSClient, engine: sa.Engine, application: str, what: str) -> list[str]:
    """Return the names of all batches of this key and provider, oldest first.

    Raises:
        ConfigurationError: The database contains only batches of other owners. The message names `what`.
    """
    infos = client.list_workflows(name=LOAD, load_input=False, load_output=False)
    if not infos:
        # Batches of other owners may have been sent, so do not report an empty database.
        _refuse_if_of_others(engine, application, what)
    return list(dict.fromkeys(info.workflow_id.rpartition("/load/")[0] for info in infos))


def _refuse_if_of_others(engine: sa.Engine, application: str, what: str) -> None:
    """Raise `ConfigurationError` if the database contains batches of other owners: they may have been sent."""
    from dbos import DBOSClient  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

    # A client without an application lists the workflows of all of them.
    client = DBOSClient(system_database_engine=engine, retry_connection_errors=False)
    try:
        infos = client.list_workflows(name=LOAD, load_input=False, load_output=False)
    finally:
        client.destroy()
    owners = {info.application_name for info in infos} - {application}
    if owners:
        # Prefer batches of the same key: the message can then name the settings to change.
        same_key = application.rpartition("-")[0]
        _refuse_owner(max(owners, key=lambda owner: (owner or "").rpartition("-")[0] == same_key), application, what)


def check_owner(info: WorkflowStatus, application: str, what: str, account: str | None = None) -> None:
    """Raise `ConfigurationError` if a workflow has another owner or an unsupported layout.

    Args:
        what: What it belongs to, for the message.
        account: The account that is about to send it; None: it is only read.
    """
    if info.application_name != application:
        _refuse_owner(info.application_name, application, what)
    layout, _, owner = (info.app_version or "").partition("/")
    if layout not in (VERSION, *OLDER_VERSIONS):
        raise ConfigurationError(
            f"{what} was stored by another release, in the layout {layout}, and this one reads "
            f"{', '.join((*OLDER_VERSIONS, VERSION))}: go on with the release that stored it."
        )
    if account is not None and owner not in ("", account):
        raise ConfigurationError(
            f"{what} belongs to the account {owner}, these credentials to the account {account}. Nothing was sent: "
            "the provider may keep the keys of each account apart. Use the credentials that the batch was started with."
        )


def batches_of_others(client: DBOSClient, account: str) -> dict[str, str]:
    """Return the batches of other accounts of this key and provider: their names, each with its account."""
    infos = client.list_workflows(name=LOAD, load_input=False, load_output=False)
    owners = {info.workflow_id.rpartition("/load/")[0]: (info.app_version or "").partition("/")[2] for info in infos}
    return {batch: owner for batch, owner in owners.items() if owner not in ("", account)}


def _refuse_owner(name: str | None, application: str, what: str) -> NoReturn:
    if name is not None and name.rpartition("-")[0] == application.rpartition("-")[0]:
        raise ConfigurationError(
            f"{what} was begun for another environment or base URL: set VICTOR_ENVIRONMENT and VICTOR_BASE_URL as they "
            "were then."
        )
    raise other_key(what)


def no_such_batch(batch: str, state: str, others: Sequence[str] = ()) -> ConfigurationError:
    """Return the error for a batch that the state does not have, with the names of those that it has."""
    if not others:
        advice = "and nothing was sent. Send it first."
        return ConfigurationError(f"There is no batch {batch} in {state}: nothing of it was stored, {advice}")
    names = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
    return ConfigurationError(f"There is no batch {batch} in {state}: nothing of it was stored. It has: {names}.")
