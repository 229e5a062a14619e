"""The outbox's table as a model: for its migration, and to query it."""

from __future__ import annotations

from django.db import models


class PaymentRequestEntry(models.Model):
    """An entry of the outbox, to read: `DjangoOutbox` alone writes the table.

    `outbox_table` describes its columns.
    """

    id: models.BigAutoField[int, int] = models.BigAutoField(primary_key=True)
    key: models.CharField[str, str] = models.CharField(max_length=128, unique=True)
    reference: models.TextField[str, str] = models.TextField()
    more_references: models.TextField[str | None, str | None] = models.TextField(null=True)
    provider: models.TextField[str, str] = models.TextField()
    operation: models.TextField[str, str] = models.TextField()
    call: models.TextField[str, str] = models.TextField()
    look_up_by: models.TextField[str, str] = models.TextField()
    send_before: models.FloatField[float | None, float | None] = models.FloatField(null=True)
    settle_until: models.FloatField[float | None, float | None] = models.FloatField(null=True)
    state: models.CharField[str, str] = models.CharField(max_length=16)
    stored_at: models.FloatField[float, float] = models.FloatField()
    changed_at: models.FloatField[float, float] = models.FloatField()
    restored: models.BooleanField[bool, bool] = models.BooleanField()
    due_at: models.FloatField[float, float] = models.FloatField()
    worker: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)
    had_by: models.BigIntegerField[int, int] = models.BigIntegerField()
    tries: models.IntegerField[int, int] = models.IntegerField()
    first_sent_at: models.FloatField[float | None, float | None] = models.FloatField(null=True)
    by_provider_clock: models.BooleanField[bool | None, bool | None] = models.BooleanField(
        null=True
    )
    sent_by: models.TextField[str | None, str | None] = models.TextField(null=True)
    request_id: models.TextField[str | None, str | None] = models.TextField(null=True)
    status: models.TextField[str | None, str | None] = models.TextField(null=True)
    ended: models.BooleanField[bool, bool] = models.BooleanField()
    error: models.TextField[str | None, str | None] = models.TextField(null=True)
    resolved_by: models.TextField[str | None, str | None] = models.TextField(null=True)
    resolved_why: models.TextField[str | None, str | None] = models.TextField(null=True)

    class Meta:
        db_table = "victor_outbox"
        verbose_name_plural = "payment request entries"
        indexes = (
            models.Index(fields=["state", "id"], name="victor_outbox_state_id"),
            models.Index(fields=["ended", "state", "id"], name="victor_outbox_open"),
            models.Index(fields=["reference"], name="victor_outbox_reference"),
            models.Index(fields=["send_before"], name="victor_outbox_send_before"),
            models.Index(fields=["request_id"], name="victor_outbox_request_id"),
        )

    def __str__(self) -> str:
        return f"{self.reference}: {self.state}"
