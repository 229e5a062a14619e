"""Django in this process, with the project of `examples/django` and a database of each test's
own.
"""

import os
from contextlib import contextmanager

import django


def set_up():
    """Set Django up, as often as one likes."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "invoicing.settings"
    django.setup()


@contextmanager
def use_database(url, *, pooled=True):
    """Let Django's default database be this one of SQLAlchemy's. On PostgreSQL it has Django's pool
    of connections, unless `pooled` is false.
    """
    from django.db import connections

    values = {"ENGINE": "django.db.backends.sqlite3", "NAME": url.database, "OPTIONS": {}}
    if url.get_backend_name() == "postgresql":
        values |= {
            "ENGINE": "django.db.backends.postgresql",
            "USER": url.username,
            "HOST": url.query["host"],
            "OPTIONS": {"options": url.query["options"], "pool": pooled},
        }
    before = connections.settings
    connections.settings = connections.configure_settings({"default": values})
    connections["default"] = connections.create_connection("default")
    yield
    connections["default"].close()
    if values["OPTIONS"].get("pool"):
        connections["default"].close_pool()
    connections.settings = before
    connections["default"] = connections.create_connection("default")
