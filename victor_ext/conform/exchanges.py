"""What sends, what comes back, and how it is read."""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeGuard

import httpx

from victor_ext import InvalidRequest, errors, zulu
from victor_ext.privacy import is_object, is_sequence

ID = "victor_payment_request_id"
"""The member that names a payment request."""
_TOKEN_PATH = "/v2/auth/token"  # noqa: S105 - a path, not a secret
_LARGEST = 1e18
_CATALOGUE = re.compile(r"error(\.[A-Za-z]{1,40}){1,5}")
"""A word of the provider's catalogue, such as `error.amount.size`."""


class Unmeasured(Exception):
    """Why something could not be measured now.

    `is_failure`: it may succeed later. `is_unsent`: nothing has left this machine. `is_busy`: the
    provider had no time, so that a repeat may be answered. `answer`: the response that shows no
    rule, if there was one.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_failure: bool = False,
        is_unsent: bool = False,
        is_busy: bool = False,
        answer: "Response | None" = None,
    ) -> None:
        super().__init__(reason)
        self.is_failure = is_failure
        self.is_unsent = is_unsent
        self.is_busy = is_busy
        self.answer = answer


def stamp(moment: datetime | None = None) -> str:
    """A Zulu time, by default now, as the file has it: always with milliseconds, so that texts
    compare as times do.
    """
    moment = moment or datetime.now(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Response:
    """A response. `call` is its number in the journal.

    Of one in an earlier run, the body is as the journal has it.
    """

    call: int
    status: int
    body: Any
    has_challenge: bool = False
    """Whether its `WWW-Authenticate` asks for credentials."""
    is_earlier: bool = False
    """Whether it came in an earlier run."""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_busy(self) -> bool:
        """Whether it says nothing but that the provider has no time."""
        is_limit = self.status == 429
        return is_limit or self.status >= 500 or self.status in errors.TRANSIENT_STATUSES

    @property
    def id(self) -> str | None:
        """The id of the payment request that it is about; None without one."""
        return id_in(self.body)

    @property
    def named_id(self) -> str:
        """The same, where ids are compared. Raises `Unmeasured` without one."""
        return _named(self.id, self.call)

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of a list. Raises `Unmeasured` where it has something else."""
        if not self.is_good:
            return []
        results = member(self, "results") or ()
        if not is_sequence(results):
            raise odd("results", results, "no list")
        return [item for item in results if is_object(item)]

    @property
    def ids(self) -> list[str | None]:
        """The ids of the items, to look for one of them; None for an item without one."""
        return [id_in(item) for item in self.items]

    @property
    def named_ids(self) -> list[str]:
        """The ids of the items, where lists are compared. Raises `Unmeasured` if one has none."""
        return [_named(id, self.call) for id in self.ids]


def id_in(record: object, name: str = ID) -> str | None:
    """The id of a payment request in a record; None where it has no text and no whole number."""
    id = member(record, name)
    if is_text(id):
        return id
    if isinstance(id, int) and not isinstance(id, bool):
        return str(id)
    return None


def odd(name: str, value: object, but: str) -> Unmeasured:
    """Why a value shows nothing: what it is, by its form, and what it is not."""
    return Unmeasured(f"{name} is {form_of(value)}, and {but}", is_failure=True)


def _named(id: str | None, call: int) -> str:
    if id is None:
        raise Unmeasured(f"call {call} names no request: its response has no id")
    return id


def shape_of(answer: Response) -> str:
    """The form of the body of an error."""
    if is_sequence(member(answer, "allErrors")):
        return "validation"
    error = member(answer, "error")
    if is_object(error):
        return "api"
    return "plain" if isinstance(error, str) else "other"


def is_refusal(answer: Response) -> bool:
    """Whether a response is evidence of a rule: the provider's own refusal, and nobody else's.

    A JSON object of another shape than the provider's makes a finding likely. HTML or nothing may
    be a proxy's.
    """
    return 400 <= answer.status < 500 and not answer.is_busy and is_object(answer.body)


@dataclass(frozen=True)
class Senders:
    """What sends the requests of a measurement.

    Args:
        reads: It uses a connection again.
        writes: It uses each connection once. A connection that the provider is about to close
            would lose a create, which is never sent again.
    """

    reads: httpx.Client
    writes: httpx.Client

    def of(self, method: str) -> httpx.Client:
        """What sends a request of this method."""
        return self.reads if method == "GET" else self.writes


class Over(httpx.BaseTransport):
    """Sends over an httpx client that is known to send once, so that a client of the provider
    believes its errors.
    """

    token_life: float | None = None
    """Seconds that the last token lives which the provider issued."""
    has_date: bool = False
    """Whether that is by the provider's own clock, and not by this machine's."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._http.send(request, auth=None, stream=True)
        if request.url.path.endswith(_TOKEN_PATH):
            response.read()
            expires = member(json_of(response), "expires")
            if is_number(expires):
                issued = date_of(response.headers)
                self.has_date = issued is not None
                self.token_life = expires / 1000 - (time.time() if issued is None else issued)
        return response


def date_of(headers: Mapping[str, str]) -> float | None:
    """The provider's clock as its `Date` has it, in epoch seconds; None without one."""
    with suppress(ValueError):
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    return None


def json_of(response: httpx.Response) -> Any:
    """The JSON of a body; None where it is none."""
    with suppress(ValueError, RecursionError):
        return response.json()
    return None


def moment(seconds: float, later: float = 0) -> str:
    """A Zulu time of epoch seconds or milliseconds, with microseconds if it has any: a time that is
    cut is another one. Raises `Unmeasured` for one beyond years.
    """
    try:
        at = zulu.from_epoch(seconds) + timedelta(seconds=later)
    except (InvalidRequest, OverflowError):
        raise odd("created_at", seconds, "no time that can be") from None
    if at.microsecond % 1000:
        return at.isoformat().replace("+00:00", "Z")
    return zulu.format(at)


def edge(
    is_good: Callable[[int], bool], documented: int, safe: int, beyond: int = 0, farthest: int = 0
) -> int:
    """The last number that is good: the `documented` one, if it is and `beyond` is not. `safe` is
    known to be good.

    `farthest` is the last one that is tried beyond; 0: none is.
    """
    if not is_good(documented):
        good, bad = safe, documented
    elif not beyond or not is_good(beyond):
        return documented
    elif is_good(farthest):
        return farthest
    else:
        good, bad = beyond, farthest
    while abs(good - bad) > 1:
        middle = (bad + good) // 2
        if is_good(middle):
            good = middle
        else:
            bad = middle
    return good


def is_text(value: object) -> TypeGuard[str]:
    """Whether a value is a text with more than blanks."""
    return isinstance(value, str) and bool(value.strip())


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number that can be reckoned with: finite, and not true or false."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST < value < _LARGEST


def form_of(value: object) -> str:
    """What a value of the provider's is, without what it says: "a text of 12 digits"."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        kind = "digits" if value.isdecimal() else "characters"
        return f"a text of {len(value)} {kind}"
    if is_object(value):
        return f"an object of {len(value)} members"
    if is_sequence(value):
        return f"a list of {len(value)} items"
    return "a number" if is_number(value) else "a number out of all bounds"


def code_of(value: object) -> int | str:
    """A code of the provider: a short whole number, or a word of its catalogue; else its form."""
    if isinstance(value, int | str) and re.fullmatch("[0-9]{1,5}", str(value)):
        return int(value)
    if isinstance(value, str) and _CATALOGUE.fullmatch(value):
        return value
    return form_of(value)


def word(value: object) -> str:
    """A word of status in the letters of the document."""
    return str(value).lower().replace("_", "-").replace(" ", "-")


def member(value: Any, *path: str) -> Any:
    """A member of a body, or of an answer's, at any depth; None where it is not."""
    if isinstance(value, Response):
        value = value.body
    for name in path:
        value = value.get(name) if is_object(value) else None
    return value
