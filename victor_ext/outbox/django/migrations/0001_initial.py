"""The tables of the outbox: `outbox_table` and `event_table` describe them."""

import sqlalchemy as sa
from django.db import migrations, models

from victor_ext._event_queue.django import table_migration
from victor_ext._event_queue.events import event_table
from victor_ext.outbox._holding import control_table


class Migration(migrations.Migration):
    """It makes the tables."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="PaymentRequestEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=128, unique=True)),
                ("reference", models.TextField()),
                ("more_references", models.TextField(null=True)),
                ("provider", models.TextField()),
                ("operation", models.TextField()),
                ("call", models.TextField()),
                ("look_up_by", models.TextField()),
                ("send_before", models.FloatField(null=True)),
                ("settle_until", models.FloatField(null=True)),
                ("state", models.CharField(max_length=16)),
                ("stored_at", models.FloatField()),
                ("changed_at", models.FloatField()),
                ("restored", models.BooleanField()),
                ("due_at", models.FloatField()),
                ("worker", models.BigIntegerField(null=True)),
                ("had_by", models.BigIntegerField()),
                ("tries", models.IntegerField()),
                ("first_sent_at", models.FloatField(null=True)),
                ("by_provider_clock", models.BooleanField(null=True)),
                ("sent_by", models.TextField(null=True)),
                ("request_id", models.TextField(null=True)),
                ("status", models.TextField(null=True)),
                ("ended", models.BooleanField()),
                ("error", models.TextField(null=True)),
                ("resolved_by", models.TextField(null=True)),
                ("resolved_why", models.TextField(null=True)),
            ],
            options={
                "verbose_name_plural": "payment request entries",
                "db_table": "victor_outbox",
                "indexes": [
                    models.Index(fields=["state", "id"], name="victor_outbox_state_id"),
                    models.Index(fields=["ended", "state", "id"], name="victor_outbox_open"),
                    models.Index(fields=["reference"], name="victor_outbox_reference"),
                    models.Index(fields=["send_before"], name="victor_outbox_send_before"),
                    models.Index(fields=["request_id"], name="victor_outbox_request_id"),
                ],
            },
        ),
        table_migration(event_table("victor_outbox_events", sa.MetaData())),
        table_migration(control_table("victor_outbox_control", sa.MetaData())),
    ]
