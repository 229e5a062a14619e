"""`manage.py send_payment_requests`: the worker of the outbox."""

from argparse import ArgumentParser
from contextlib import ExitStack, suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from victor_ext import ConfigurationError, Victor, VictorError
from victor_ext._event_queue.workers import stop_at_signals
from victor_ext.outbox.django import DjangoOutbox


class Command(BaseCommand):
    """The worker of the outbox that `settings.VICTOR_OUTBOX` names."""

    help = (
        "Sends the writes in the outbox, settles those that may have been sent, reads their "
        "statuses, and calls handlers, until it is stopped. Several may run at once, and each may "
        "be killed at any moment. Ctrl-C and SIGTERM let the calls under way end; a second one "
        "does not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options of the command."""
        parser.add_argument(
            "--interval", type=float, default=5.0, metavar="SECONDS",
            help="the pause between two passes (default: 5)",
        )  # fmt: skip
        parser.add_argument(
            "--metrics-port", type=int, metavar="PORT",
            help="serve /metrics (Prometheus), /livez and /readyz on this port",
        )  # fmt: skip

    def handle(self, *_: Any, interval: float, metrics_port: int | None, **__: Any) -> None:
        """Run the worker. Known errors end the command with their message."""
        try:
            _work(interval, metrics_port)
        except (VictorError, ImportError, OSError) as error:
            raise CommandError(str(error)) from error


def _work(interval: float, metrics_port: int | None) -> None:
    """Run the worker until a signal stops it."""
    outbox = _named_outbox()
    metrics = None
    if metrics_port is not None:
        from victor_ext.prometheus import Prometheus  # noqa: PLC0415 - an extra of its own

        metrics = Prometheus()
        metrics.watch(outbox)
        metrics.serve(metrics_port)
    with ExitStack() as stack:
        stack.enter_context(suppress(KeyboardInterrupt))
        stop = stack.enter_context(stop_at_signals())
        client = outbox.client or stack.enter_context(Victor.from_env(on_event=metrics))
        outbox.run(client, interval=interval, stop=stop)


def _named_outbox() -> DjangoOutbox:
    """The outbox that `settings.VICTOR_OUTBOX` names. Raises `ConfigurationError`: it names none.

    The object of the project has the project's handlers: another one would call none.
    """
    place = getattr(settings, "VICTOR_OUTBOX", None)
    outbox = import_string(place) if isinstance(place, str) else None
    if isinstance(outbox, DjangoOutbox):
        return outbox
    raise ConfigurationError(
        "settings.VICTOR_OUTBOX names no DjangoOutbox: write the place of yours, such as "
        "'invoicing.billing.outbox'."
    )
