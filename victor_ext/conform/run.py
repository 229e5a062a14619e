"""One run: what a probe may do, and what becomes of its findings. The file bounds the number of creates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from victor_ext import ConfigurationError, Victor, zulu
from victor_ext.privacy import is_object

from .assumptions import Phase, assumption_of
from .exchanges import Answer, Exchanges, Unmeasured, stamp

LIST = "/v2/payment-requests"
CREATE, RESPOND = f"{LIST}/request-payment", f"{LIST}/respond-to-request/"
LEAST, MORE = "0.01", "0.02"
NOTES = "Conform"
NOBODY = "conformNobody00"
ELSEWHERE = "measure into another file"
"""What helps where a create may not be sent again."""
UNMEASURED = ("not measured", "not shown", "not asked", "not measurable")
"""The certainties of what has no value: it failed, no response shows it, the plan leaves it out, nothing shows it."""
PAUSES = (0, 1, 2, 4, 8, 16, 32)
"""Seconds before each look for something that may take a while."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How assumptions are measured: with at most `sends` creates and responses, which as a rule make `makes`.

    What `measure` returns is found of the first one. None: it has said itself what it has found.
    """

    names: tuple[str, ...]
    measure: Callable[[Run], object]
    sends: int = 0
    makes: int = 0

    @property
    def phase(self) -> Phase:
        return assumption_of(self.names[0]).phase


def probe(*names: str, sends: int = 0, makes: int = 0) -> Callable[[Callable[[Run], object]], Probe]:
    """Make a function the probe of these assumptions."""
    return lambda measure: Probe(names, measure, sends, makes)


class Run:
    """What the probes measure with.

    Args:
        exchanges: Sends each request once.
        document: The file's; `write` writes it.
        payee: The account number that asks.
        sleep, now: The clock, in seconds and epoch seconds.
        victor: The client that signs tokens of any times; None: there is none.
        token_life: Seconds that an issued token lives; None where none was issued.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        document: dict[str, Any],
        write: Callable[..., None],
        *,
        payee: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        victor: Victor | None = None,
        token_life: float | None = None,
    ) -> None:
        self._exchanges, self.document, self._write, self._payee = exchanges, document, write, payee
        self.sleep, self.now, self._victor, self.token_life = sleep, now, victor, token_life
        self.plan: dict[str, Any] = document["plan"]
        self._made: dict[str, dict[str, Any]] = document["made"]
        self._findings: dict[str, dict[str, Any]] = document["findings"]
        self._unsent = set[str]()
        self._first_call, self._earlier = 0, list[int]()

    def save(self, indent: int | None = None) -> None:
        """Write the file."""
        played = {each["setting"]: each["plays"] for each in self._findings.values() if each["plays"] is not None}
        self.document["sandbox"] = played
        self._write(indent=indent)

    def measure(self, probe: Probe) -> None:
        """Run a probe, unless it is certain already what it finds."""
        if all(self.finding(name).get("certainty") == "certain" for name in probe.names):
            return
        self._first_call, self._earlier = len(self.document["calls"]), []
        reason, certainty = "no response shows it", "not shown"
        try:
            found = probe.measure(self)
            if found is not None:
                self.find(probe.names[0], found)
        except Unmeasured as error:
            reason, certainty = str(error), "not measured" if error.is_failure else certainty
        for name in probe.names:
            self.find_nothing(name, reason, certainty)
        self.save()

    # Findings

    def find(self, name: str, value: object, certainty: str = "certain", *, play: object = ..., note: str = "") -> None:
        """Record a finding, in place of an earlier one. `play`: the sandbox's value, if it is another one."""
        assumption, calls = assumption_of(name), self.document["calls"]
        text = None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        shown = [*self._earlier, *(entry["call"] for entry in calls[self._first_call :])]
        evidence = shown if value is not None else []
        differs = text is not None and assumption.assumed not in ("", text)
        if play is ...:
            play = value if not assumption.plays else text if text in assumption.plays else None
        self._findings[name] = {
            "assumption": name,
            "sentence": assumption.sentence,
            "assumed": assumption.assumed,
            "value": text,
            "differs": differs,
            "certainty": certainty,
            "setting": assumption.option,
            "plays": play if assumption.option else None,
            "words": assumption.words or None,
            "evidence": evidence,
            "means": assumption.means if differs else "",
            "note": note,
            "measured_at": min((calls[call - 1]["at"] for call in evidence), default=stamp()),
        }

    def find_nothing(self, name: str, reason: str, certainty: str) -> None:
        """Record why there is no finding, unless there is one."""
        if self.finding(name).get("value") is None:
            self.find(name, None, certainty, note=reason)

    def forget_reads(self, probes: Iterable[Probe]) -> None:
        """Forget what these reads have found: they measure it again. What creates have shown is kept."""
        for name in (name for probe in probes if not probe.sends for name in probe.names):
            self._findings.pop(name, None)

    def finding(self, name: str) -> dict[str, Any]:
        """What was found of an assumption so far; empty without a finding."""
        return self._findings.get(name, {})

    # Reads

    def token(self, issued: int, expires: int) -> str:
        """The header of a token with these times, in seconds from now by the provider's clock.

        Raises `Unmeasured` where the provider issues the tokens, and in production.
        """
        if self._victor is not None and self._victor.environment != "production":
            now = int(self._victor.provider_time().moment.timestamp())
            with suppress(ConfigurationError):
                return self._victor.authorization_at(now + issued, now + expires)
        raise Unmeasured("these credentials do not sign their own tokens")

    def read(self, path: str = "", *query: tuple[str, str | int], token: str | None = None) -> Answer:
        """GET a path below the list's."""
        return self.get(LIST + path, *query, token=token)

    def get(self, path: str, *query: tuple[str, str | int], token: str | None = None) -> Answer:
        """GET a path below the base URL."""
        return self._exchanges.send("GET", path, query=query, token=token)

    def page(self, *query: tuple[str, str | int]) -> Answer:
        """Read one page of the list. Raises `Unmeasured` if it is refused."""
        answer = self.read("", *query)
        if not answer.is_good:
            raise Unmeasured(f"call {answer.call}, a plain list, was answered with {answer.status}")
        return answer

    def items(self, *query: tuple[str, str | int]) -> list[dict[str, Any]]:
        """The items of the first pages, each once. Raises `Unmeasured` without any."""
        items: dict[object, dict[str, Any]] = {}
        for number in range(4):
            answer = self.read("", ("page", number), *query)
            if number > 1 and not set(answer.ids) - items.keys():  # page 1 may be page 0
                break
            items |= {id: item for id, item in zip(answer.ids, answer.items, strict=True) if id not in items}
        if not items:
            raise Unmeasured("the list has no payment request that shows it")
        return [*items.values()]

    def listed(self, id: str) -> list[dict[str, Any]]:
        """The items of the list that are this request. A provider may ignore the filter: others are left out."""
        answer = self.page(("victor_id", id))
        return [item for one, item in zip(answer.ids, answer.items, strict=True) if one == id]

    def rest(self, *names: str) -> None:
        """Wait for as many seconds as were found: for the lags, until what was created is known."""
        self.sleep(max(float(self.finding(name).get("value") or 0) for name in names))

    # Writes

    def create(self, step: str, like: str | None = None, key: str | None = "", **details: Any) -> Answer:
        """Send one create of the plan, or return the answer that it had in an earlier run.

        Args:
            step: Its name in the file. It is sent once.
            like: The step whose key and body are sent again.
            key: The key; empty: a fresh one, or that of `like`; None: none.
            details: Members of `payment_details` (None: left out), `reference` and `payer`.

        Raises:
            Unmeasured: It had no answer that says what became of it, now or in an earlier run.
        """
        return self.perform(self.reserve(step, like, key, **details))

    def made(self, step: str, **details: Any) -> Answer:
        """Send a create that should be accepted. Raises `Unmeasured` if it is refused."""
        answer = self.create(step, **details)
        if not answer.is_good:
            raise Unmeasured(f"call {answer.call}, a plain create, was answered with {answer.status}")
        return answer

    def create_both(self, step: str, other: str) -> list[Answer]:
        """Send a create and its repeat at the same time. Raises `Unmeasured` if only one was sent before."""
        if (step in self._made) is not (other in self._made):
            raise Unmeasured(f"only one of two was sent in an earlier run, so not at once: {ELSEWHERE}")
        entries = self.reserve(step), self.reserve(other, like=step)
        with ThreadPoolExecutor(len(entries)) as pool:
            return [*pool.map(self.perform, entries)]

    def sent_at(self, step: str) -> float:
        """When a step was sent, in epoch seconds: perhaps in an earlier run."""
        return float(self._made[step]["at"])

    def respond(self, step: str, id: str, **body: Any) -> Answer:
        """Respond to an inbound request; otherwise as `create`."""
        return self.perform(self._reserved(step, {"path": RESPOND + id, "body": body, "key": None}))

    def reserve(self, step: str, like: str | None = None, key: str | None = "", **details: Any) -> dict[str, Any]:
        """Count a create in the file, before it is sent."""
        earlier = self._made[like] if like else {}
        marker, number = self.plan["marker"], len(self._made)
        if key == "":
            key = earlier.get("key") or f"conform-{marker}-{number:03}".ljust(36, "0")
        due = datetime.fromtimestamp(self.now(), UTC).date().isoformat()
        body = {"amount": LEAST, "biller_type": "BUSINESS", "due_date": due, "reference": f"{marker}{number:02}"}
        return self._reserved(step, {"path": CREATE, "body": body | earlier.get("body", {}) | details, "key": key})

    def _reserved(self, step: str, entry: dict[str, Any]) -> dict[str, Any]:
        if step not in self._made:
            if len(self._made) >= self.plan["writes"]:
                raise Unmeasured("the plan has no call left for it")
            self._made[step] = {"step": step, **entry, "at": self.now(), "state": "sent", "call": None, "id": None}
            self._unsent.add(step)
            self.save()
        return self._made[step]

    def perform(self, entry: dict[str, Any]) -> Answer:
        """Send what was reserved, or return its answer of an earlier run."""
        if entry["call"] is not None:
            if entry["call"] <= self._first_call and entry["call"] not in self._earlier:
                self._earlier.append(entry["call"])
            response = self.document["calls"][entry["call"] - 1]["response"]
            return Answer(entry["call"], response["status"], response["body"])
        step = entry["step"]
        if step not in self._unsent:
            reason = f"'{step}' was sent once, and its answer is not known. It is never sent again: {ELSEWHERE}"
            raise Unmeasured(reason, is_failure=True)
        self._unsent.discard(step)
        try:
            answer = self._exchanges.send("POST", entry["path"], body=self._body(entry), key=entry["key"])
            entry |= {"call": answer.call, "state": "made" if answer.is_good else "refused", "id": answer.id}
        except Unmeasured as error:
            entry["state"] = "unknown"
            if error.is_unsent:  # so it can be sent later
                del self._made[step]
            raise
        finally:
            self.save()
        return answer

    def _body(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        details = {name: value for name, value in entry["body"].items() if value is not None}
        if entry["path"] != CREATE:
            return details
        reference, payer = details.pop("reference"), details.pop("payer", self.plan["payer"])
        return {
            "payee": {"account_number": self._payee},
            "payer": {"victor_counterparty_id": payer},
            "payment_details": details,
            "client_reference_id": reference,
        }

    def settle(self) -> None:
        """Look for the requests whose answers were lost, so that the file says what was made."""
        creates = [each for each in self._made.values() if each["path"] == CREATE]
        lost = [each for each in creates if each["state"] in ("sent", "unknown") and not each["id"]]
        listed: dict[Any, list[Any]] = {}
        with suppress(Unmeasured):
            for item in self.items() if lost else ():
                if word(item.get("direction")) != "inbound":  # a twin has the same reference
                    listed.setdefault(item.get("client_reference_id"), []).append(item.get("victor_payment_request_id"))
        for each in lost:
            ids, known = listed.get(each["body"]["reference"], []), [other["id"] for other in creates]
            repeated = [other["id"] for other in creates if other["body"] == each["body"] and other["id"] in ids]
            if found := [id for id in ids if id not in known] or repeated:  # a repeat that made nothing more
                each |= {"id": found[0], "state": "made"}


def moment(seconds: float, later: float = 0) -> str:
    """A Zulu time of epoch seconds or milliseconds."""
    return zulu.format(zulu.from_epoch(seconds) + timedelta(seconds=later))


def edge(is_good: Callable[[int], bool], documented: int, safe: int, beyond: int = 0, farthest: int = 0) -> int:
    """The last number that is good: the `documented` one, if it is and `beyond` is not. `safe` is known to be good.

    `farthest` is the last one that is tried beyond; 0: none is.
    """
    if not is_good(documented):
        return _bisected(is_good, documented, safe)
    if not beyond or not is_good(beyond):
        return documented
    return farthest if is_good(farthest) else _bisected(is_good, farthest, beyond)


def _bisected(is_good: Callable[[int], bool], bad: int, good: int) -> int:
    while abs(good - bad) > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if is_good(middle) else (middle, good)
    return good


def word(value: object) -> str:
    """A word of status in the letters of the document."""
    return str(value).lower().replace("_", "-").replace(" ", "-")


def member(value: Any, *path: str) -> Any:
    """A member of a body, or of an answer's, at any depth; None where it is not."""
    value = value.body if isinstance(value, Answer) else value
    for name in path:
        value = value.get(name) if is_object(value) else None
    return value
