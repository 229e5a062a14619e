"""The outbox as an app of Django's."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Its label, and so the name of its migrations, is `victor_outbox`."""

    name = "victor_ext.outbox.django"
    label = "victor_outbox"
    verbose_name = "Payment requests"
