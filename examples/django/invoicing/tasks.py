"""The worker as a Celery task: `celery -A invoicing.tasks worker --beat`."""

import os

from celery import Celery

from victor_ext.outbox.django import send_payment_requests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "invoicing.settings")
app = Celery("invoicing")
app.config_from_object("django.conf:settings", namespace="CELERY")

# A task that is killed is run again; without these two, the next one takes up what it has left.
send = app.task(send_payment_requests, name="send_payment_requests", acks_late=True, reject_on_worker_lost=True)
