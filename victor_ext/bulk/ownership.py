"""Whose the batches in a database are: only those of one's own key and provider are told, and nobody is told less."""

from __future__ import annotations

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


def own_or_refuse(info: WorkflowStatus, application: str, what: str) -> None:
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
