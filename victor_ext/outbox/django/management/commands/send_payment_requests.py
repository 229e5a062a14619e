"""`manage.py send_payment_requests`: the worker of the outbox."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from victor_ext import VictorError
from victor_ext._event_queue.workers import SignalStop, as_text, ended_by, stop_at_signals
from victor_ext.outbox.django import DjangoOutbox, client_of, send_payment_requests


class Command(BaseCommand):
    """One pass, or pass after pass."""

    help = (
        "Sends the writes in the outbox, settles those that may have been sent, and reads their "
        "statuses. Several may run at once, and each may be killed at any moment. Ctrl-C and "
        "SIGTERM let the calls under way end; a second one does not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options of the command."""
        parser.add_argument(
            "--interval", type=float, metavar="SECONDS",
            help="keep running, with this pause between two passes (default: one pass)",
        )  # fmt: skip
        parser.add_argument(
            "--metrics-port", type=int, metavar="PORT",
            help="with --interval: serve /metrics (Prometheus), /livez and /readyz on this port",
        )  # fmt: skip

    def handle(self, *_: Any, interval: float | None, metrics_port: int | None, **__: Any) -> None:
        """Run the worker. Known errors end the command with their message."""
        try:
            with stop_at_signals() as stop:
                self._work(stop, interval, metrics_port)
        except (VictorError, ImportError, OSError) as error:
            raise CommandError(str(error)) from error

    def _work(self, stop: SignalStop, interval: float | None, metrics_port: int | None) -> None:
        """Make one pass, or with an interval pass after pass until `stop` is set."""
        if interval is None:
            with ended_by(stop):
                changed = send_payment_requests()
            self.stdout.write(f"changed: {as_text(changed) or 'nothing'}")
            return
        outbox = DjangoOutbox.from_settings()
        metrics = None
        if metrics_port is not None:
            from victor_ext.prometheus import Prometheus  # noqa: PLC0415 - an extra of its own

            metrics = Prometheus()
            metrics.watch(outbox)
            metrics.serve(metrics_port)
        with suppress(KeyboardInterrupt):
            outbox.run(client_of(outbox, metrics), interval=interval, stop=stop)
