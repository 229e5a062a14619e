"""What Django, Celery and the outbox are given."""

import os
from typing import Any

SECRET_KEY = os.environ.get("SECRET_KEY", "not-a-real-secret")
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
INSTALLED_APPS = ["invoicing", "victor_ext.outbox.django", "victor_ext.inbox.django"]
ROOT_URLCONF = "invoicing.views"
USE_TZ = True

if "PGHOST" in os.environ:  # and PGUSER, PGPASSWORD, ..., which PostgreSQL's library reads
    database: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
    }
else:
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", "invoicing.sqlite3"),
    }
DATABASES = {"default": database}

VICTOR_OUTBOX = "invoicing.views.outbox"
"""What `manage.py send_payment_requests` sends."""

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "redis://localhost")
CELERY_BEAT_SCHEDULE = {"payment requests": {"task": "send_payment_requests", "schedule": 5.0}}

PAYEE_ACCOUNT = os.environ.get("PAYEE_ACCOUNT", "043987673645")
