"""The inbox as an app of Django's."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """Its label, and so the name of its migrations, is `victor_inbox`."""

    name = "victor_ext.inbox.django"
    label = "victor_inbox"
    verbose_name = "Notifications"
