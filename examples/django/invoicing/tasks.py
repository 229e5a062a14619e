"""The worker as a Celery task: `celery -A invoicing.tasks worker --beat`."""

import os

from celery import Celery

from victor_ext.outbox.django import send_payment_requests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "invoicing.settings")
app = Celery("invoicing")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task(name="send_payment_requests", acks_late=True, reject_on_worker_lost=True)
def send() -> dict[str, int]:
    """One pass. Celery runs it again if its process is killed.

    Without that, the next one does what it has left.
    """
    return send_payment_requests()
