"""Invoices over HTTP: each one is stored together with its payment request, in one transaction."""

import json
from contextlib import suppress
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from invoicing.models import Invoice
from victor_ext import InvalidRequest, idempotency_key_for
from victor_ext.outbox.django import DjangoOutbox

outbox = DjangoOutbox()


@require_POST
def create_invoice(request: HttpRequest) -> JsonResponse:
    """Store an invoice. Posted again, such as after an answer that was lost, it is the same one."""
    try:
        new = json.loads(request.body)
        number, counterparty = int(new["number"]), str(new["counterparty"])
        amount, due_date = Decimal(str(new["amount"])), date.fromisoformat(new["due_date"])
    except (ValueError, ArithmeticError, KeyError, TypeError) as error:
        return refused(422, f"{type(error).__name__}: {error}")
    try:
        with suppress(IntegrityError), transaction.atomic():
            Invoice(number, amount, counterparty, due_date).save(force_insert=True)
            outbox.add(
                payee_account_number=settings.PAYEE_ACCOUNT,
                payer_counterparty_id=counterparty,
                amount=amount,
                biller_type="BUSINESS",
                due_date=due_date,
                client_reference_id=f"INV-{number}",
                idempotency_key=idempotency_key_for("invoice", number),
            )
    except InvalidRequest as error:
        return refused(422, *(problem.message for problem in error.problems))
    invoice = Invoice.objects.get(number=number)
    if (invoice.amount, invoice.counterparty, invoice.due_date) != (amount, counterparty, due_date):
        return refused(409, f"There is another invoice {number}.")
    return JsonResponse(stored(number), status=201)


def refused(status: int, *problems: str) -> JsonResponse:
    """The response to a request that changes nothing."""
    return JsonResponse({"problems": problems}, status=status)


@require_GET
def read_invoice(_request: HttpRequest, number: int) -> JsonResponse:
    """An invoice, and what is known of its payment."""
    found = stored(number)
    return JsonResponse(found) if found else refused(404, f"There is no invoice {number}.")


def stored(number: int) -> dict[str, object]:
    """An invoice as it is shown."""
    invoice = Invoice.objects.filter(number=number).first()
    entry = outbox.entry(idempotency_key_for("invoice", number))
    if invoice is None or entry is None:
        return {}
    payment = entry.status or entry.state
    return {"number": number, "amount": invoice.amount, "payment": payment, "error": entry.error}


urlpatterns = [path("invoices", create_invoice), path("invoices/<int:number>", read_invoice)]
