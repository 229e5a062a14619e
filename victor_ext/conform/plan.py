"""The plan of a measurement: what is asked, and how much at most."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from victor_ext import ConfigurationError, Problem, Victor
from victor_ext.privacy import short_mask

from . import creates, reads
from .assumptions import Phase, Probe
from .place import check_place
from .redaction import NOBODY
from .run import LEAST, MORE, SPARE

PROBES = [
    value
    for module in (reads, creates)
    for value in vars(module).values()
    if isinstance(value, Probe)
]
"""In their order."""
LONGEST_LIFE = 93_600
"""Seconds: a document that names a day is shown right or wrong within two hours more."""
_READS = 50
"""As many once more after creates, which have made more to read."""
_TOLERANCE_READS = 5


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
        environment: The environment of the client, named: creates need it, unless the host is
            the provider's staging or this machine.

    Raises:
        ConfigurationError: An argument needs another one, or excludes it.
    """

    payee: str | None = field(default=None, repr=False)
    payer: str | None = None
    own_payer: bool = False
    token_tolerance: bool = False
    key_life: float | None = None
    read_only: bool = False
    environment: str | None = None

    def __post_init__(self) -> None:
        if (self.payee is None) is not (self.payer is None):
            needs = "payee= and payer= need each other: pass both, or neither for reads alone."
            raise ConfigurationError.of([Problem("plan", "required_with", needs)])
        if self.payer is None and (self.own_payer or self.key_life is not None):
            needs = "own_payer and key_life need payee= and payer=."
            raise ConfigurationError.of([Problem("own_payer", "required_with", needs)])
        _check_text("payee", self.payee)
        _check_text("payer", self.payer)
        _check_text("environment", self.environment)
        if self.key_life is not None:
            _check_life(self.key_life)
        if self.read_only and (self.payer is not None or self.token_tolerance):
            excludes = "read_only: leave out payee=, payer= and token_tolerance."
            raise ConfigurationError.of([Problem("read_only", "excludes", excludes)])

    @property
    def probes(self) -> list[Probe]:
        """In their order.

        Reads that need payment requests to read come once more after the creates, and after the
        responses.
        """
        return [probe for phase in self._phases() for probe in PROBES if probe.phase is phase]

    def _phases(self) -> Iterator[Phase]:
        yield Phase.READ
        if self.payer is not None:
            yield Phase.CREATE
            yield Phase.READ
        if self.own_payer:
            yield Phase.ANSWER
            yield Phase.READ
        if self.token_tolerance:
            yield Phase.TOLERANCE
        if self.key_life is not None:
            yield Phase.KEY_LIFE

    @property
    def writes(self) -> int:
        """The greatest number of creates and responses, with repeats after a 503."""
        sends = sum(probe.sends for probe in self.probes)
        return sends + SPARE if sends else 0

    @property
    def makes(self) -> int:
        """The number of payment requests that are made as a rule.

        The other creates are repeats, or refused.
        """
        return sum(probe.makes for probe in self.probes)

    def check(self, client: Any) -> None:
        """Raise `ConfigurationError` if this is not allowed with this client. Nothing is sent."""
        if client.environment == "production" and not self.read_only:
            why = "This is production: only read_only is allowed there. Nothing was sent."
            raise ConfigurationError.of([Problem("plan", "production", why)])
        if not isinstance(client, Victor) and (self.payer is not None or self.token_tolerance):
            why = f"{client.provider} can only be read: leave out all but read_only."
            raise ConfigurationError.of([Problem("plan", "excludes", why)])
        if self.payer is not None:
            check_place(client, self.environment)

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON data, without all but the last four digits of the account."""
        payee = None if self.payee is None else short_mask(self.payee)
        members = asdict(self)
        del members["environment"]  # of the file as a whole
        return members | {"payee": payee, "writes": self.writes, "makes": self.makes}

    def __str__(self) -> str:
        reads = _READS if self.payer is None else 2 * _READS
        if self.token_tolerance:
            reads += _TOLERANCE_READS
        text = f"About {reads} reads."
        if self.payee is None:
            return f"{text} Nothing is created or changed."
        text += (
            f" As a rule {self.makes} payment requests are made, never more than {self.writes}: "
            f"each for {LEAST} or {MORE}, from the account {short_mask(self.payee)} to the "
            f"counterparty {self.payer}, and one to {NOBODY}, which should not exist."
        )
        if self.own_payer:
            text += f" One of them is accepted for {LEAST}, and one is declined."
        return text


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str | None):
        raise ConfigurationError(f"{name} must be text, not {type(value).__name__}.")


def _check_life(key_life: object) -> None:
    if isinstance(key_life, int | float) and 0 < key_life <= LONGEST_LIFE:
        return
    given = f"{key_life:g} s" if isinstance(key_life, int | float) else repr(key_life)
    why = (
        f"key_life is {given}, and must be a time above zero, at most {LONGEST_LIFE} s (26 hours)."
    )
    raise ConfigurationError.of([Problem("key_life", "out_of_range", why)])
