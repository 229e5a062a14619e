"""The worker as a Celery task: `celery -A invoicing.tasks worker --beat`."""

import os

from celery import Celery

from victor_ext import Victor

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "invoicing.settings")
app = Celery("invoicing")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task(name="send_payment_requests", acks_late=True, reject_on_worker_lost=True)
def send() -> None:
    """One pass. Celery runs it again if its process is killed.

    Without that, the next one does what it has left.
    """
    from invoicing.views import outbox  # noqa: PLC0415 - Django is set up by now

    with Victor.from_env() as victor:
        outbox.send(victor)
        outbox.refresh(victor)
    outbox.handle()
