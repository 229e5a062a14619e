"""The tables of the outbox: `outbox_table` and `OutboxTables` describe them."""

from django.db import migrations

from victor_ext._event_queue.django import table_migration
from victor_ext.outbox._entries import outbox_table
from victor_ext.outbox._tables import OutboxTables


class Migration(migrations.Migration):
    """It makes the tables."""

    initial = True
    dependencies = []
    operations = [table_migration(*OutboxTables.of(outbox_table("victor_outbox"), "victor_outbox"))]
