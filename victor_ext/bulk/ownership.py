"""Ownership of stored batches: by key and provider, from this release and older ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import sqlalchemy as sa

from victor_ext import ConfigurationError

from .layout import CHUNK, LOAD, OLDER_VERSIONS, VERSION, version_for
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
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    workflows = sa.table("workflow_status", sa.column("name"), sa.column("application_name"), schema=schema)
    owner = workflows.c.application_name
    with engine.connect() as connection:
        # Prefer batches of the same key: the message can then name the settings to change.
        same_key = owner.startswith(application.rpartition("-")[0], autoescape=True)
        found = connection.execute(
            sa.select(owner)
            .where(workflows.c.name == LOAD, owner != application)
            .order_by(sa.case((same_key, 0), else_=1))
            .limit(1)
        ).scalar()
    if found is not None:
        _refuse_owner(found, application, what)


def check_owner(info: WorkflowStatus, application: str, what: str, account: str | None = None) -> None:
    """Raise `ConfigurationError` if a workflow has another owner or an unsupported layout.

    Args:
        info: The workflow.
        application: DBOS application name of the owner.
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
            f"{what} belongs to the account {owner}, and these credentials are of the account {account}. Nothing was "
            "sent: the provider may keep the keys of each account apart. Use the credentials it was begun with."
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


def take_over_older(engine: sa.Engine, application: str, account: str, queues: Sequence[str] | None) -> None:
    """Assign the unfinished chunks of older releases to this release and account.

    DBOS gives a chunk only to workers of its version and has no API to change this. An older worker that is running a
    chunk finishes it normally, and this release can read its result.

    Args:
        engine: Database connections.
        application: DBOS application name of the owner.
        account: The account of this worker.
        queues: Queue names, or None for all.
    """
    workflows = sa.table(
        "workflow_status",
        sa.column("name", sa.Text),
        sa.column("application_name", sa.Text),
        sa.column("application_version", sa.Text),
        sa.column("status", sa.Text),
        sa.column("queue_name", sa.Text),
        schema=None if engine.dialect.name == "sqlite" else "dbos",
    )
    older = (
        (workflows.c.name == CHUNK)
        & (workflows.c.application_name == application)
        & workflows.c.application_version.in_(OLDER_VERSIONS)
        & workflows.c.status.in_(("ENQUEUED", "PENDING"))
    )
    if queues is not None:
        older &= workflows.c.queue_name.in_(queues)
    with engine.connect() as connection:
        # This runs repeatedly: read first, because a write would wait for all other writers.
        if connection.execute(sa.select(sa.literal(1)).where(older).limit(1)).scalar() is None:
            return
    with engine.begin() as connection:
        connection.execute(sa.update(workflows).where(older).values(application_version=version_for(account)))


def no_such_batch(batch: str, state: str, others: Sequence[str] = ()) -> ConfigurationError:
    """Return the error for a batch that the state does not have, with the names of those that it has."""
    if not others:
        advice = "and nothing was sent. Send it first."
        return ConfigurationError(f"There is no batch {batch} in {state}: nothing of it was stored, {advice}")
    names = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
    return ConfigurationError(f"There is no batch {batch} in {state}: nothing of it was stored. There is: {names}.")
