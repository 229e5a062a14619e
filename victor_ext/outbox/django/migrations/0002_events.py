"""The table of events, as `victor_ext.event_queue.queue.event_table` describes it."""

import sqlalchemy as sa
from django.db import migrations

from victor_ext.event_queue.django import makes
from victor_ext.event_queue.queue import event_table


class Migration(migrations.Migration):
    """It makes the table."""

    dependencies = [("victor_outbox", "0001_initial")]
    operations = [makes(event_table("victor_outbox_events", sa.MetaData()))]
