"""The tables of the inbox: `names_table` and `event_table` describe them."""

import sqlalchemy as sa
from django.db import migrations

from victor_ext._event_queue.django import table_migration
from victor_ext._event_queue.events import event_table
from victor_ext.inbox._inboxes import names_table


class Migration(migrations.Migration):
    """It makes the tables."""

    initial = True
    dependencies = []
    operations = [
        table_migration(
            names_table("victor_inbox"), event_table("victor_inbox_events", sa.MetaData())
        )
    ]
