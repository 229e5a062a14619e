"""Which stored batches are this sender's: those of its key and provider, of this release and of older ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import sqlalchemy as sa
from dbos import DBOSClient, WorkflowStatus

from victor_ext import ConfigurationError

from .layout import LOAD, OLDER_VERSIONS, VERSION
from .vault import other_key


def batches_of(client: DBOSClient, engine: sa.Engine, application: str, what: str) -> list[str]:
    """The names of all batches of this key and provider, the oldest first.

    Raises:
        ConfigurationError: There are only others. It says so of `what`.
    """
    infos = client.list_workflows(name=LOAD, load_input=False, load_output=False)
    if not infos:
        # Not ours is not nothing: it may have been sent.
        _refuse_if_of_others(engine, application, what)
    return list(dict.fromkeys(info.workflow_id.rpartition("/load/")[0] for info in infos))


def _refuse_if_of_others(engine: sa.Engine, application: str, what: str) -> None:
    """Raise `ConfigurationError` when the database holds batches of somebody else: they may have been sent."""
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    workflows = sa.table("workflow_status", sa.column("name"), sa.column("application_name"), schema=schema)
    owner = workflows.c.application_name
    with engine.connect() as connection:
        # Rather those that the same key opens: what to set is known of them.
        same_key = owner.startswith(application.rpartition("-")[0], autoescape=True)
        found = connection.execute(
            sa.select(owner)
            .where(workflows.c.name == LOAD, owner != application)
            .order_by(sa.case((same_key, 0), else_=1))
            .limit(1)
        ).scalar()
    if found is not None:
        _refuse_owner(found, application, what)


def check_owner(info: WorkflowStatus, application: str, what: str) -> None:
    """Raise `ConfigurationError` when a workflow belongs to somebody else, or cannot be read by this release."""
    if info.application_name != application:
        _refuse_owner(info.application_name, application, what)
    if info.app_version not in (VERSION, *OLDER_VERSIONS):
        raise ConfigurationError(
            f"{what} was stored by another release, in the layout {info.app_version}, and this one reads "
            f"{', '.join((*OLDER_VERSIONS, VERSION))}: go on with the release that stored it."
        )


def _refuse_owner(name: str | None, application: str, what: str) -> NoReturn:
    if name is not None and name.rpartition("-")[0] == application.rpartition("-")[0]:
        raise ConfigurationError(
            f"{what} was begun for another environment or base URL: set VICTOR_ENVIRONMENT and VICTOR_BASE_URL as they "
            "were then."
        )
    raise other_key(what)


def take_over_older(engine: sa.Engine, application: str, queues: Sequence[str] | None) -> None:
    """Let workers of this release see the chunks of older ones that have not ended.

    DBOS hands a chunk to workers of its version only, and has no call for this. An older worker that has one of them at
    this moment ends it as ever; what it leaves is read.

    Args:
        engine: The database.
        application: Whose chunks.
        queues: Of which queues; None: of all.
    """
    workflows = sa.table(
        "workflow_status",
        sa.column("application_name", sa.Text),
        sa.column("application_version", sa.Text),
        sa.column("status", sa.Text),
        sa.column("queue_name", sa.Text),
        schema=None if engine.dialect.name == "sqlite" else "dbos",
    )
    older = (
        (workflows.c.application_name == application)
        & workflows.c.application_version.in_(OLDER_VERSIONS)
        & workflows.c.status.in_(("ENQUEUED", "PENDING"))
    )
    if queues is not None:
        older &= workflows.c.queue_name.in_(queues)
    with engine.connect() as connection:
        # Looked for first: it is done again and again, and a write would wait for every other one.
        if connection.execute(sa.select(sa.literal(1)).where(older).limit(1)).scalar() is None:
            return
    with engine.begin() as connection:
        connection.execute(sa.update(workflows).where(older).values(application_version=VERSION))
