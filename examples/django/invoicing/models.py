"""Invoices. What is known of an invoice's payment is in the outbox, under its key."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import models


class Invoice(models.Model):
    """An invoice."""

    number: models.IntegerField[int, int] = models.IntegerField(primary_key=True)
    amount: models.DecimalField[Decimal | str, Decimal] = models.DecimalField(
        max_digits=12, decimal_places=2
    )
    counterparty: models.CharField[str, str] = models.CharField(max_length=16)
    due_date: models.DateField[date | str, date] = models.DateField()
