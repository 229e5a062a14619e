"""The measurement: reads, then creates within the plan, then what was chosen."""

import json
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from victor_ext import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    PaginationError,
    Problem,
    RateLimited,
    RetryPolicy,
    ServerError,
    StatusError,
    TimedOut,
    UnreadableResponse,
    Victor,
    VictorError,
    __version__,
)
from victor_ext._output import replaced

from . import reads
from .assumptions import ASSUMPTIONS, Phase, Probe
from .exchanges import Over, Senders, Unmeasured, stamp
from .plan import Plan
from .redaction import without_words
from .report import FORMAT, Document, Report, load
from .run import REPEATS, Run

_NOT_ASKED = {
    Phase.CREATE: "it needs creates: payee= and payer=",
    Phase.ANSWER: "it needs a payer whose account is yours, too: own_payer=",
    Phase.TOLERANCE: "it sends tokens that should be refused: token_tolerance=",
    Phase.KEY_LIFE: "it takes as long as the keys are to be kept: key_life=",
}
_PASSING = (ConnectionFailed, TimedOut, RateLimited, ServerError)
"""What may be otherwise a moment later."""
_DERIVED = ("writes", "makes")
"""Members of a plan that follow from the others."""


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
    with _senders(connect) as senders, only_writer(path):
        # It is known to send once: where it cannot connect, nothing was sent.
        over = Over(senders.reads)
        with connect(transport=over, retry=RetryPolicy(max_attempts=1)) as client:
            plan.check(client)
            document = _document(path, client, plan)
            is_victor = isinstance(client, Victor)
            failure = _first_read(client, sleep) if is_victor else None
            run = Run(
                senders if is_victor else Senders(client.http, client.http),
                client,
                document,
                partial(write, path, document),
                payee=plan.payee,
                sleep=sleep,
                now=now,
                token_life=over.token_life,
                is_token_life_known=over.has_date,
            )
            if failure is not None:
                _check_list(run, failure)
            probes = plan.probes if is_victor else [*reads.probes_of(client)]
            _begin(run, probes)
            for probe in probes:
                on_probe(probe)
                run.measure(probe)
            known = [*ASSUMPTIONS] if is_victor else []
            _find_nothing_of_the_rest(run, known)
            run.settle()
            _end(run, known)
    return Report(document)


def check_file(file: str | os.PathLike[str], plan: Plan, client: Any) -> None:
    """Raise `ConfigurationError` where `measure` would refuse the file. Nothing is written."""
    path = Path(file)
    _document(path, client, plan)
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"{path} cannot be written: its folder does not exist.")


def _first_read(client: Victor, sleep: Callable[[float], None]) -> VictorError | None:
    """Read as a client does, which gets a token and the provider's clock; returns why it could not.

    It is tried again as each read is. Raises what no other read will do better at: where the
    provider cannot be reached, has no time, or refuses the credentials.
    """
    for pause in REPEATS:
        try:
            return _tried_read(client)
        except _PASSING:
            sleep(pause)
    try:
        return _tried_read(client)
    except _PASSING as error:
        raise without_words(error) from None


def _tried_read(client: Victor) -> VictorError | None:
    """Read once; the failure of what another list may do better at is returned."""
    try:
        client.ping()
    except AuthenticationError as error:
        raise without_words(error) from None
    except _PASSING:
        raise
    except (StatusError, UnreadableResponse, PaginationError) as error:
        return without_words(error)
    return None


def _check_list(run: Run, failure: VictorError) -> None:
    """Read a plain list: a provider that counts pages from 1 may refuse page 0, which `ping` reads,
    with whatever status.

    Raises the failure of `ping` if that is refused, too.
    """
    try:
        run.page()
    except Unmeasured:
        raise failure from None


def _begin(run: Run, probes: list[Probe]) -> None:
    """Measure the reads of a finished file again; an unfinished one goes on."""
    document = run.document
    is_finished = document["measured_at"] is not None
    if is_finished or "began_at" not in document:
        document["began_at"] = stamp()
        document["measured_at"] = None
        run.forget_reads(probes)


def _find_nothing_of_the_rest(run: Run, known: list[str]) -> None:
    """Say why no probe has measured an assumption."""
    for name in known:
        if run.finding(name):
            continue
        assumption = ASSUMPTIONS[name]
        if assumption.why_not:
            run.find_nothing(name, assumption.why_not, "not measurable")
        else:
            run.find_nothing(name, _NOT_ASKED[assumption.phase], "not asked")


def _end(run: Run, known: list[str]) -> None:
    """Write the findings in their order, and the date of the file."""
    document = run.document
    findings = document["findings"]
    names = dict.fromkeys([*known, *findings])
    document["findings"] = {name: findings[name] for name in names}
    # The file is no newer than its oldest value: what was not repeated.
    measured = [finding for finding in findings.values() if finding["value"] is not None]
    dates = [finding["measured_at"] for finding in measured]
    document["measured_at"] = min(dates, default=stamp())
    run.save(indent=1)


def write(path: Path, document: Document, *, indent: int | None = None) -> None:
    """Replace the file as a whole."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
    with replaced(path, mode=0o600) as file:
        file.write(text.encode("utf-8", "backslashreplace"))  # half a character as JSON writes it


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
            lock = sqlite3.connect(lock_file, timeout=0, isolation_level=None)
            stack.enter_context(closing(lock))
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
def _senders(connect: Callable[..., Any]) -> Generator[Senders]:
    """What sends. httpx would trust certifi's authorities alone, and no company's own."""
    with connect() as client:
        trusted = client.ssl_context
    client_of = partial(httpx.Client, timeout=30.0, verify=True if trusted is None else trusted)
    once = httpx.Limits(max_keepalive_connections=0)
    with client_of() as reads, client_of(limits=once) as writes:
        yield Senders(reads, writes)


def _document(path: Path, client: Any, plan: Plan) -> Document:
    """A new document, or that of an earlier run with the same plan."""
    place = {
        "system": client.system.name if hasattr(client, "system") else client.provider,
        "environment": client.environment,
        "base_url": client.base_url,
    }
    if not path.exists():
        return _new_document(place, plan)
    document = load(path).document
    before = document | document["plan"]
    wanted = place | plan.to_dict()
    others = [name for name, value in wanted.items() if before.get(name) != value]
    if others:
        named = [name for name in others if name not in _DERIVED] or others
        why = (
            f"{path} is of another measurement ({'=, '.join(named)}=): repeat its options, or "
            "name another file."
        )
        raise ConfigurationError.of([Problem("plan", "other_plan", why)])
    return document


def _new_document(place: dict[str, Any], plan: Plan) -> Document:
    return {
        "format": FORMAT,
        **place,
        "package": __version__,
        "measured_at": None,
        "plan": plan.to_dict() | {"marker": f"conform{secrets.token_hex(3)}"},
        "findings": {},
        "sandbox": {},
        "calls": [],
    }
