"""The inbox on Django's transactions: an app for INSTALLED_APPS, with migrations of its own."""

try:
    from .driver import DjangoInbox
except ImportError as error:
    raise ImportError(
        f"victor_ext.inbox.django needs {error.name}; install its extra: pip install 'victor-ext[django]'",
        name=error.name,
    ) from error

__all__ = ("DjangoInbox",)
