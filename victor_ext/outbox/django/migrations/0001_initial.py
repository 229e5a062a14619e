"""The tables of the outbox: `outbox_table` and `event_table` describe them."""

import sqlalchemy as sa
from django.db import migrations

from victor_ext._event_queue.django import table_migration
from victor_ext._event_queue.events import event_table
from victor_ext.outbox._entries import reference_table
from victor_ext.outbox._holding import control_table
from victor_ext.outbox.django.models import PaymentRequestEntry

_OPTIONS = PaymentRequestEntry._meta  # noqa: SLF001 - the public name of Django's


class Migration(migrations.Migration):
    """It makes the tables."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="PaymentRequestEntry",
            fields=[(field.name, field.clone()) for field in _OPTIONS.local_fields],
            options={
                "verbose_name_plural": _OPTIONS.verbose_name_plural,
                "db_table": _OPTIONS.db_table,
                "indexes": _OPTIONS.indexes,
            },
        ),
        table_migration(event_table("victor_outbox_events", sa.MetaData())),
        table_migration(reference_table("victor_outbox_references", sa.MetaData())),
        table_migration(control_table("victor_outbox_control", sa.MetaData())),
    ]
