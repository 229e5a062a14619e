"""The tables of the outbox: `outbox_table` and `event_table` describe them."""

import sqlalchemy as sa
from django.db import migrations

from victor_ext.event_queue.django import makes
from victor_ext.event_queue.queue import event_table
from victor_ext.outbox.django.models import PaymentRequestEntry


class Migration(migrations.Migration):
    """It makes the tables."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="PaymentRequestEntry",
            fields=[(field.name, field.clone()) for field in PaymentRequestEntry._meta.concrete_fields],  # noqa: SLF001 - Django documents it
            options={"verbose_name_plural": "payment request entries", "db_table": "victor_outbox"},
        ),
        makes(event_table("victor_outbox_events", sa.MetaData())),
    ]
