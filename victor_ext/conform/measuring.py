"""The plan of a measurement, and the measurement: reads, then creates within the plan, then what
was chosen.
"""

import json
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from victor_ext import ConfigurationError, Problem, RetryPolicy, Victor, __version__
from victor_ext._output import replaced
from victor_ext.privacy import short_mask

from . import creates, reads
from .assumptions import ASSUMPTIONS, Phase, Probe
from .exchanges import Over, stamp
from .report import FORMAT, Document, Report, load
from .run import LEAST, MORE, NOBODY, Run

PROBES = [
    each for module in (reads, creates) for each in vars(module).values() if isinstance(each, Probe)
]
"""In their order."""
LONGEST_LIFE = 93_600
"""Seconds: a document that names a day is shown right or wrong within two hours more."""
_NOT_ASKED = {
    Phase.CREATE: "it needs creates: name a payee and a payer",
    Phase.ANSWER: "it needs a payer whose account is yours, too: own_payer",
    Phase.TOLERANCE: "it sends tokens that should be refused: token_tolerance",
    Phase.KEY_LIFE: "it takes as long as the keys are to be kept: key_life",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be measured. By default, calls only read.

    Args:
        payee: The account number that asks for the smallest amounts. With a payer, requests are
            created.
        payer: The id of the counterparty that is asked.
        own_payer: The payer's account is yours, too: two inbound twins are answered, and 0.01
            moves.
        token_tolerance: Send four tokens that should be refused. A series of 401 may lock a key.
        key_life: Measure the life of keys up to this many seconds, 26 hours at most. It takes that
            long. None: do not.
        read_only: Only read: in production, nothing else is allowed.

    Raises:
        ConfigurationError: An argument needs another one, or excludes it.
    """

    payee: str | None = field(default=None, repr=False)
    payer: str | None = None
    own_payer: bool = False
    token_tolerance: bool = False
    key_life: float | None = None
    read_only: bool = False

    def __post_init__(self) -> None:
        if (self.payee is None) is not (self.payer is None):
            raise ConfigurationError("payee and payer: pass both, or neither for reads alone.")
        if self.payer is None and (self.own_payer or self.key_life is not None):
            needs = "own_payer and key_life need a payee and a payer."
            raise ConfigurationError.of([Problem("own_payer", "required_with", needs)])
        for name, value in (("payee", self.payee), ("payer", self.payer)):
            if not isinstance(value, str | None):
                raise ConfigurationError(f"{name} must be text, not {type(value).__name__}.")
        is_number = isinstance(self.key_life, int | float)
        if self.key_life is not None and not (is_number and 0 < self.key_life <= LONGEST_LIFE):
            limit = f"above zero, at most {LONGEST_LIFE} (26 hours)"
            raise ConfigurationError(
                f"key_life={self.key_life!r} must be a number of seconds {limit}."
            )
        if self.read_only and (self.payer is not None or self.token_tolerance):
            excludes = "read_only: leave out payee, payer and token_tolerance."
            raise ConfigurationError.of([Problem("read_only", "excludes", excludes)])

    @property
    def probes(self) -> list[Probe]:
        """In their order.

        Reads that need payment requests to read come once more after the creates.
        """
        chosen = {
            Phase.ANSWER: self.own_payer,
            Phase.TOLERANCE: self.token_tolerance,
            Phase.KEY_LIFE: self.key_life is not None,
        }
        creates = () if self.payer is None else (Phase.CREATE, Phase.READ)
        phases = (
            Phase.READ,
            *creates,
            *(phase for phase, is_chosen in chosen.items() if is_chosen),
        )
        return [probe for phase in phases for probe in PROBES if probe.phase is phase]

    @property
    def writes(self) -> int:
        """The greatest number of creates and responses."""
        return sum(probe.sends for probe in self.probes)

    @property
    def makes(self) -> int:
        """The number of payment requests that are made as a rule.

        The other creates are repeats, or refused.
        """
        return sum(probe.makes for probe in self.probes)

    def check(self, client: Any) -> None:
        """Raise `ConfigurationError` if this is not allowed with this client. Nothing is sent."""
        if client.environment == "production" and not self.read_only:
            raise ConfigurationError(
                "This is production: only read_only is allowed there. Nothing was sent."
            )
        if not isinstance(client, Victor) and (self.payer is not None or self.token_tolerance):
            why = f"{client.provider} can only be read: leave out all but read_only."
            raise ConfigurationError.of([Problem("plan", "excludes", why)])

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON data, without all but the last four digits of the account."""
        payee = None if self.payee is None else short_mask(self.payee)
        return asdict(self) | {"payee": payee, "writes": self.writes, "makes": self.makes}

    def __str__(self) -> str:
        calls = 40 + 4 * self.token_tolerance
        if self.payee is None:
            return f"About {calls} reads. Nothing is created or changed."
        return (
            f"About {calls} reads. As a rule {self.makes} payment requests are made, never more "
            f"than {self.writes}: each for {LEAST} or {MORE}, from the account "
            f"{short_mask(self.payee)} to the counterparty {self.payer}, and one to {NOBODY}, "
            "which should not exist."
            + (
                f" One of them is accepted for {LEAST}, and one is declined."
                if self.own_payer
                else ""
            )
        )


def measure(
    file: str | os.PathLike[str],
    plan: Plan,
    connect: Callable[..., Any] = Victor.from_env,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    on_probe: Callable[[Probe], object] = lambda _: None,
) -> Report:
    """Measure Victor, and keep plan, journal and findings in a file. With the file of an earlier
    run, go on from there.

    Each create is in the file before it is sent, and is sent once: however often this is killed and
    started again, no more is made than was planned.

    Args:
        file: The file. It is readable by you alone, and written as a whole.
        plan: What to measure.
        connect: Makes the client, of the options `retry` and `transport`. With a client of another
            system, or of an API that is connected, each of its reads is sent once, and nothing
            else.
        sleep, now: The clock, in seconds and epoch seconds: for tests.
        on_probe: Called before each probe.

    Raises:
        ConfigurationError: The file is of another measurement, or this is production and the plan
            is not `read_only`.
        VictorError: The provider cannot be reached, or refuses the credentials.
    """
    path = Path(file)
    with _sender(connect) as sender, only_writer(path):
        # It is known to send once: where it cannot connect, nothing was sent.
        over = Over(sender)
        with connect(transport=over, retry=RetryPolicy(max_attempts=1)) as client:
            plan.check(client)
            document = _document(path, client, plan)
            is_victor = isinstance(client, Victor)
            if is_victor:
                client.ping()
            run = Run(
                sender if is_victor else client.http,
                client,
                document,
                partial(write, path, document),
                payee=plan.payee,
                sleep=sleep,
                now=now,
                token_life=over.token_life,
            )
            probes = plan.probes if is_victor else [*reads.probes_of(client)]
            known = ASSUMPTIONS if is_victor else {}
            # else it goes on with this one
            if document["measured_at"] is not None or "began_at" not in document:
                document |= {"began_at": stamp(), "measured_at": None}
                run.forget_reads(probes)
            for probe in probes:
                on_probe(probe)
                run.measure(probe)
            for name, assumption in known.items():
                if not run.finding(name):
                    certainty = "not measurable" if assumption.why_not else "not asked"
                    run.find_nothing(
                        name, assumption.why_not or _NOT_ASKED[assumption.phase], certainty
                    )
            run.settle()
            findings = document["findings"]
            document["findings"] = {name: findings[name] for name in (*known, *findings)}
            # The file is no newer than its oldest value: what was not repeated.
            dates = [each["measured_at"] for each in findings.values() if each["value"] is not None]
            document["measured_at"] = min(dates, default=stamp())
            run.save(indent=1)
    return Report(document)


def write(path: Path, document: Document, *, indent: int | None = None) -> None:
    """Replace the file as a whole."""
    with replaced(path, mode=0o600) as file:
        file.write(json.dumps(document, ensure_ascii=False, indent=indent).encode())


@contextmanager
def only_writer(path: Path) -> Generator[None]:
    """Keep every other process from this file: two would make twice what was planned. The lock ends
    with the process.

    Raises:
        ConfigurationError: Another process has it, or its folder cannot be written.
    """
    lock_file = path.with_name(f".{path.name}.lock")
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(
                closing(sqlite3.connect(lock_file, timeout=0, isolation_level=None))
            )
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise ConfigurationError(
                    f"{path} is written by another 'victor conform': let it end."
                ) from None
            raise ConfigurationError(
                f"{lock_file} cannot be written ({error}): name another folder."
            ) from None
        yield


@contextmanager
def _sender(connect: Callable[..., Any]) -> Generator[httpx.Client]:
    """What sends. httpx would trust certifi's authorities alone, and no company's own."""
    with connect() as client:
        trusted = client.ssl_context
    with httpx.Client(timeout=30.0, verify=True if trusted is None else trusted) as sender:
        yield sender


def _document(path: Path, client: Any, plan: Plan) -> Document:
    """A new document, or that of an earlier run with the same plan."""
    system = client.system.name if hasattr(client, "system") else client.provider
    whose = {"system": system, "environment": client.environment, "base_url": client.base_url}
    if not path.exists():
        marked = plan.to_dict() | {"marker": f"conform{secrets.token_hex(3)}"}
        empty: Document = {"findings": {}, "sandbox": {}, "calls": []}
        return {
            "format": FORMAT,
            **whose,
            "package": __version__,
            "measured_at": None,
            "plan": marked,
            **empty,
        }
    document = load(path).document
    theirs = document | document["plan"]
    others = [name for name, value in (whose | plan.to_dict()).items() if theirs.get(name) != value]
    if others:
        named = [
            name for name in others if name not in ("writes", "makes")
        ] or others  # these two follow from the rest
        why = (
            f"{path} is of another measurement ({', '.join(named)}): repeat its options, or "
            "name another file."
        )
        raise ConfigurationError.of([Problem("plan", "other_plan", why)])
    return document
