"""Going on with what older releases stored. What is read of it, the classes of `layout` and `rows` read as it is."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from victor_ext import ConfigurationError, idempotency_key_for

from .layout import OLDER_VERSIONS, VERSION, Chunk


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


def refuse_other_keys(batch: str, key_column: str, chunk: Chunk) -> None:
    """Raise `ConfigurationError` when the keys of a stored chunk are not those that are made of its rows today.

    By the keys of today, the rows of its file would be taken for new ones, and all customers asked again.
    """
    # Since chunks have tokens, keys are made as they are today. Who made one key of a chunk made the others.
    row = next((row for row in chunk.rows if row.key), None)
    if chunk.token or row is None:
        return
    value = row.extras.get(key_column) or (row.arguments or {}).get(key_column)
    # The text of a number was stored in quotes when it was a `Decimal`.
    if value and row.key not in {idempotency_key_for(batch, text) for text in (str(value), str(value).strip('"'))}:
        raise ConfigurationError(
            f"The keys of {batch} were made by an older release, in another way than today: with this file all of its "
            "customers would be asked again. Go on with it by resume; send rows that were added as another batch."
        )
