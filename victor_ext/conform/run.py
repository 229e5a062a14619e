"""One run: what a probe may do, and what becomes of its findings.

Each request is sent once, and is in the journal of the file. A create is there before it is sent:
so their number is bounded.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from victor_ext import ConfigurationError
from victor_ext.privacy import is_object
from victor_ext.systems import DEFAULT

from .assumptions import Probe, assumption_of
from .exchanges import ID, Response, Senders, Unmeasured, id_in, is_refusal, shape_of, stamp, word
from .journal import Call, Journal, Query

LIST = "/v2/payment-requests"
CREATE = f"{LIST}/request-payment"
RESPOND = f"{LIST}/respond-to-request/"
LEAST = "0.01"
MORE = "0.02"
ELSEWHERE = "measure into another file"
"""What helps where a create may not be sent again."""
FRESH = ""
"""In place of an idempotency key: the run chooses the key of a create."""
UNMEASURED = ("not measured", "not shown", "not asked", "not measurable")
"""The certainties of what has no value: it failed, no response shows it, the plan leaves it out,
nothing shows it.
"""
PAUSES = (0, 1, 2, 4, 8, 16, 32)
"""Seconds before each look for something that may take a while."""
_UNPLAYED = "the sandbox cannot play this"
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a value of another kind than expected may raise.

Money may have moved: the probe ends, and the run goes on.
"""
_FIRST_PAGES = 4
REPEATS = (1, 2, 4)
"""Seconds before each repeat of a call that met a provider without time."""
SPARE = 6
"""The creates of a plan that may be such repeats."""


class Run:
    """What the probes measure with.

    Args:
        senders, client: What sends, and what signs: see `Journal`.
        document: The file's; `write` writes it.
        payee: The account number that asks.
        sleep, now: The clock, in seconds and epoch seconds.
        token_life: Seconds that an issued token lives; None where none was issued.
        is_token_life_known: Whether that is by the provider's clock.
    """

    def __init__(
        self,
        senders: Senders,
        client: Any,
        document: dict[str, Any],
        write: Callable[..., None],
        *,
        payee: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        token_life: float | None = None,
        is_token_life_known: bool = True,
    ) -> None:
        self._client = client
        self._write = write
        self._payee = payee
        self.document = document
        self.sleep = sleep
        self.now = now
        self.token_life = token_life
        self.is_token_life_known = is_token_life_known
        self.plan: dict[str, Any] = document["plan"]
        self._findings: dict[str, dict[str, Any]] = document["findings"]
        found = self._findings.values()
        self._settled = {each["assumption"] for each in found if each["certainty"] == "certain"}
        self._journal = Journal(senders, client, document, sleep)
        writes = [call for call in self._journal.calls if "step" in call]
        self.writes: dict[str, Call] = {call["step"]: call for call in writes}
        self._unsent = set[int]()
        self._naming = Lock()

    def save(self, indent: int | None = None) -> None:
        """Write the file."""
        played = [finding for finding in self._findings.values() if finding["plays"] is not None]
        self.document["sandbox"] = {finding["setting"]: finding["plays"] for finding in played}
        self._write(indent=indent)

    def measure(self, probe: Probe) -> None:
        """Run a probe, unless it is certain already what it finds."""
        certainties = {self.finding(name).get("certainty") for name in probe.names}
        if certainties == {"certain"}:
            return
        self._journal.begin()
        reason, certainty = "", "not shown"
        try:
            value = probe.measure(self)
        except Unmeasured as error:
            reason = str(error)
            if error.is_failure:
                certainty = "not measured"
        except ConfigurationError:
            raise
        except _ODD as error:
            last = max(self._journal.seen, default=0)
            reason = f"call {last} has a value that cannot be read ({type(error).__name__})"
            certainty = "not measured"
        else:
            if value is not None:
                self.find(probe.names[0], value)
        for name in probe.names:
            self.find_nothing(name, reason or assumption_of(name).unshown, certainty)
            if assumption_of(name).is_of_all_calls:
                self._show_by_reads(name)
        self.save()

    def _show_by_reads(self, name: str) -> None:
        """Name the reads of this run as the evidence of what all calls show together."""
        finding = self._findings[name]
        if finding["value"] is None or finding["evidence"]:
            return
        began = self.document.get("began_at", "")
        reads = [call for call in self._journal.calls if call["request"]["method"] == "GET"]
        answered = [call for call in reads if "response" in call and call["at"] >= began]
        finding["evidence"] = [call["call"] for call in answered]

    # Findings

    def find(
        self,
        name: str,
        value: object,
        certainty: str = "certain",
        *,
        seen: int | None = None,
        play: object = ...,
        note: str = "",
    ) -> None:
        """Record a finding, in place of an earlier one.

        What an earlier run has found for certain stays: its answers are known here by the file
        alone, which does not have their texts.

        Args:
            certainty: How certain it is at most. A refusal in another shape than the provider's
                makes it likely.
            seen: The number of observations, of which the assumption says how many it needs: with
                too few there is no finding. None: one, which is enough.
            play: The sandbox's value, if it is another one; None: it plays this by default.
            note: A sentence of its own.
        """
        if name in self._settled:
            return
        assumption = assumption_of(name)
        if seen is not None and seen < assumption.likely_from:
            self.find_nothing(name, assumption.too_few(seen), "not shown")
            return
        is_thin = seen is not None and seen < assumption.certain_from
        if certainty == "certain" and (is_thin or self._journal.doubts):
            certainty = "likely"
        notes = [note, self._journal.doubt if self._journal.doubts else ""]
        text = _text_of(value)
        evidence = {} if text is None else self._journal.seen
        differs = text is not None and assumption.assumed not in ("", text)
        if play is ...:
            play = assumption.played(text if assumption.plays else value)
            if assumption.option and text is not None and play is None:
                notes.append(_UNPLAYED)
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
            "evidence": [*evidence],
            "found": "" if text is None else assumption.told(text),
            "means": assumption.advice(text) if text is not None and differs else "",
            "note": "; ".join(filter(None, notes)),
            "measured_at": min(evidence.values(), default=stamp()),
        }

    def find_nothing(self, name: str, reason: str, certainty: str) -> None:
        """Record why there is no finding, unless there is one."""
        if self.finding(name).get("value") is None:
            self.find(name, None, certainty, note=reason)

    def forget_reads(self, probes: Iterable[Probe]) -> None:
        """Forget what these reads have found: they measure it again.

        What creates have shown is kept.
        """
        for probe in probes:
            if probe.sends:
                continue
            for name in probe.names:
                if not self.is_by_creates(name):
                    self._findings.pop(name, None)
                    self._settled.discard(name)

    def finding(self, name: str) -> dict[str, Any]:
        """What was found of an assumption so far; empty without a finding."""
        return self._findings.get(name, {})

    def is_by_creates(self, name: str) -> bool:
        """Whether a create or a response is among what shows a finding."""
        writes = {call["call"] for call in self.writes.values()}
        return not writes.isdisjoint(self.finding(name).get("evidence", ()))

    # Reads

    def read(self, path: str = "", *query: Query, token: str | None = None) -> Response:
        """GET a path below the list's."""
        return self.get(LIST + path, *query, token=token)

    def get(self, path: str, *query: Query, token: str | None = None) -> Response:
        """GET a path below the base URL; again, if there is no answer, or the provider has no
        time.
        """
        for pause in REPEATS:
            try:
                return self._read_once(path, query, token)
            except Unmeasured as error:
                if error.answer is not None and not error.is_busy:
                    raise
            self.sleep(pause)
        return self._read_once(path, query, token)

    def _read_once(self, path: str, query: Sequence[Query], token: str | None) -> Response:
        answer = self._journal.send(self._journal.enter("GET", path, query), token=token)
        if token is None:
            self._check_caller(answer)
        return answer

    def _check_caller(self, answer: Response) -> None:
        """Read a plain list beside a 403. Raises `Unmeasured` if that is refused, too: it is the
        caller who is refused then.
        """
        if answer.status != 403 or self.document["system"] != DEFAULT:
            return
        beside = self._journal.send(self._journal.enter("GET", LIST))
        if not beside.is_good:
            raise Unmeasured(
                f"call {answer.call} was answered with 403, and so was a plain list: the "
                "credentials are refused",
                is_failure=True,
                answer=answer,
            )

    def control(self, answer: Response, name: str) -> Response:
        """A response that must be good, or else a refusal beside it says nothing.

        Raises `Unmeasured` if it is none.
        """
        if answer.is_good:
            return answer
        raise Unmeasured(
            f"call {answer.call}, {name}, was answered with {answer.status}, too", is_failure=True
        )

    def token(self, issued: int, expires: int) -> str:
        """The header of a token with these times, in seconds from now by the provider's clock.

        Raises `Unmeasured` where the provider issues the tokens, and in production.
        """
        if self._client.environment != "production":
            now = int(self._client.provider_time().moment.timestamp())
            with suppress(ConfigurationError):
                return str(self._client.authorization_at(now + issued, now + expires))
        raise Unmeasured("these credentials do not sign their own tokens")

    def page(self, *query: Query) -> Response:
        """Read one page of the list. Raises `Unmeasured` if it is refused."""
        return self.control(self.read("", *query), "a list in order")

    def items(self) -> list[dict[str, Any]]:
        """The items of the first pages, each once. Raises `Unmeasured` without any."""
        items = self.listed_items()
        if not items:
            raise Unmeasured("the list has no payment request that shows it")
        return items

    def listed_items(
        self, *query: Query, pages: int = _FIRST_PAGES, is_whole: bool = False
    ) -> list[dict[str, Any]]:
        """The items of the first pages, each once.

        A page that a proxy refuses ends them. `is_whole`: it is an error, since what it may have
        counts.
        """
        items: dict[str, dict[str, Any]] = {}
        for number in range(pages):
            try:
                answer = self.read("", *query, ("page", number))
            except Unmeasured as error:
                if is_whole or not items or error.answer is None or error.is_busy:
                    raise
                break
            named = {id_in(item) or json.dumps(item): item for item in answer.items}
            if number > 1 and not named.keys() - items.keys():  # page 1 may be page 0
                break
            items |= named
        return [*items.values()]

    def listed(self, id: str) -> list[dict[str, Any]]:
        """The items of the list that are this request.

        A provider may ignore the filter: others are left out.
        """
        answer = self.page(("victor_id", id))
        return [item for item in answer.items if id_in(item) == id]

    def rest(self, *names: str) -> None:
        """Wait for as many seconds as were found: for the lags, until what was created is known.

        What has no value may take as long as is ever waited for it.
        """
        values = [self.finding(name).get("value") for name in names]
        self.sleep(max(sum(PAUSES) if value is None else float(value) for value in values))

    # Writes

    def create(
        self, step: str, like: str | None = None, key: str | None = FRESH, **details: Any
    ) -> Response:
        """Send one create of the plan, or return the answer that it had in an earlier run.

        Args:
            step: Its name in the file. It is sent once.
            like: The step whose key and body are sent again.
            key: The idempotency key; `FRESH`: that of `like`, or a new one without `like`; None:
                the create is sent without a key.
            details: Members of `payment_details`, `reference` and `payer`.

        Where the provider has no time, as a 503 says, it is sent again with its key, as a further
        step of the plan.

        Raises:
            Unmeasured: It had no answer that says what became of it, now or in an earlier run.
        """
        call = self.reserve(step, like, key, **details)
        for pause in REPEATS:
            try:
                return self._answer_of(call, is_fresh=like is None)
            except Unmeasured as error:
                if not error.is_busy or not self._may_repeat(call):
                    raise
            call = self._repeat_of(call, pause)
        return self._answer_of(call, is_fresh=like is None)

    def _answer_of(self, call: Call, *, is_fresh: bool) -> Response:
        """Perform a create. A repeat of a fresh one that is refused is perhaps refused as a repeat:
        the first one may have been made, and with a 409 it may be under way.
        """
        answer = self.perform(call)
        if is_fresh and "repeats" in call and not answer.is_good:
            reason = f"call {answer.call} was answered with {answer.status}: perhaps as a repeat"
            raise Unmeasured(reason, is_failure=True, is_busy=answer.status == 409)
        return answer

    def _may_repeat(self, call: Call) -> bool:
        """Whether the plan has a repeat left, or this one was repeated in an earlier run.

        A create without a key is never repeated: a 503 does not say that nothing was made.
        """
        if call["request"]["key"] is None:
            return False
        repeated = [each["repeats"] for each in self.writes.values() if "repeats" in each]
        return call["step"] in repeated or len(repeated) < SPARE

    def _repeat_of(self, call: Call, pause: float) -> Call:
        """A further step, with the key and the body of a create that met a busy provider."""
        step = f"{call['step']}, again"
        if step not in self.writes:
            self.sleep(pause)
        key = call["request"]["key"]
        return self._reserved(step, CREATE, call["details"], key, repeats=call["step"])

    def made(self, step: str, **details: Any) -> Response:
        """Send a create that should be accepted. Raises `Unmeasured` if it is refused."""
        answer = self.create(step, **details)
        if not answer.is_good:
            reason = f"call {answer.call}, a plain create, was answered with {answer.status}"
            raise Unmeasured(reason)
        return answer

    def made_in_order(self, step: str, **details: Any) -> None:
        """Send a create that is in order beside an odd one that was refused.

        Raises `Unmeasured` if it is refused, too: the refusal of the odd one says nothing then.
        """
        self.control(self.create(step, **details), "a create in order beside a refused one")

    def create_both(self, step: str, other: str) -> list[Response]:
        """Send a create and its repeat at the same time.

        Raises `Unmeasured` if only one was sent before.
        """
        if (step in self.writes) is not (other in self.writes):
            reason = f"only one of two was sent in an earlier run, so not at once: {ELSEWHERE}"
            raise Unmeasured(reason)
        calls = [self.reserve(step), self.reserve(other, like=step)]
        with ThreadPoolExecutor(len(calls)) as pool:
            return [*pool.map(self.perform, calls)]

    def respond(self, step: str, id: str, **body: Any) -> Response:
        """Respond to an inbound request; otherwise as `create`."""
        return self.perform(self._reserved(step, RESPOND + id, body))

    def reserve(
        self, step: str, like: str | None = None, key: str | None = FRESH, **details: Any
    ) -> Call:
        """Enter a create in the journal before it is sent, so that it counts as one of the plan.

        The arguments are those of `create`. Returns the call of an earlier run, if the step has
        one.
        """
        repeated = self.writes[like] if like else None
        if key == FRESH:
            repeated_key = repeated["request"]["key"] if repeated else None
            key = repeated_key or self._new_key()
        all_details = self._usual_details()
        if repeated:
            all_details |= repeated["details"]
        return self._reserved(step, CREATE, all_details | details, key)

    def _new_key(self) -> str:
        return f"conform-{self.plan['marker']}-{len(self.writes):03}".ljust(36, "0")

    def _usual_details(self) -> dict[str, Any]:
        today = datetime.fromtimestamp(self.now(), UTC).date()
        return {
            "amount": LEAST,
            "biller_type": "BUSINESS",
            "due_date": today.isoformat(),
            "reference": f"{self.plan['marker']}{len(self.writes):02}",
        }

    def _reserved(
        self,
        step: str,
        path: str,
        details: dict[str, Any],
        key: str | None = None,
        repeats: str | None = None,
    ) -> Call:
        if step in self.writes:
            return self.writes[step]
        if len(self.writes) >= self.plan["writes"]:
            raise Unmeasured("the plan has no call left for it")
        call = self._journal.enter("POST", path, body=self._body(path, details), key=key)
        call |= {
            "step": step,
            "details": details,
            "began": self.now(),
            "state": "sent",
            "id": None,
        }
        if repeats is not None:
            call["repeats"] = repeats
        self.writes[step] = call
        self._unsent.add(call["call"])
        self.save()
        return call

    def perform(self, call: Call) -> Response:
        """Send what was reserved, or return its answer of an earlier run."""
        self._journal.see(call)
        if call["call"] not in self._unsent:
            return self._answer_before(call)
        self._unsent.discard(call["call"])
        try:
            answer = self._sent(call)
            self._check_caller_of(call, answer)
            return answer
        finally:
            self.save()

    def _check_caller_of(self, call: Call, answer: Response) -> None:
        """The same of a write. If the caller is refused, or nobody says so, it shows no rule."""
        try:
            self._check_caller(answer)
        except Unmeasured as error:
            call["failed"] = str(error)
            raise Unmeasured(str(error), is_failure=True, answer=answer) from None

    def _answer_before(self, call: Call) -> Response:
        """The answer that a write had. Raises `Unmeasured` where it shows nothing."""
        answer = _recorded(call)
        is_evidence = answer is not None and "failed" not in call
        if answer is not None and is_evidence and (answer.is_good or is_refusal(answer)):
            self._journal.weigh(answer)
            return answer
        reason = (
            f"'{call['step']}' was sent once, and its answer is not known. It is never sent "
            f"again: {ELSEWHERE}"
        )
        is_busy = answer is not None and answer.is_busy
        raise Unmeasured(reason, is_failure=True, is_busy=is_busy)

    def _sent(self, call: Call) -> Response:
        body = self._body(call["request"]["path"], call["details"])
        try:
            answer = self._journal.send(call, body)
        except Unmeasured as error:
            call["state"] = _state_after(error.answer)
            if error.is_unsent:  # so it can be sent later
                del self.writes[call.pop("step")]
            raise
        call["state"] = _state_after(answer)
        with self._naming:  # of two at once, one is the first
            self._name(call, answer)
        return answer

    def _name(self, call: Call, answer: Response) -> None:
        """Note the id of a write that was accepted, and which of them made nothing."""
        known = {write["id"] for write in self.writes.values()}
        call["id"] = answer.id if answer.is_good else None
        if call["state"] != "made":
            return
        if call["request"]["path"] != CREATE:
            call["state"] = "answered"
        elif call["id"] is not None and call["id"] in known:
            call["state"] = "repeated"

    def _body(self, path: str, details: Mapping[str, Any]) -> dict[str, Any]:
        body = {**details}
        if path != CREATE:
            return body
        reference = body.pop("reference")
        payer = body.pop("payer", self.plan["payer"])
        return {
            "payee": {"account_number": self._payee},
            "payer": {"victor_counterparty_id": payer},
            "payment_details": body,
            "client_reference_id": reference,
        }

    def settle(self) -> None:
        """Look for the requests whose answers were lost, so that the file says what was made."""
        creates = [call for call in self.writes.values() if call["request"]["path"] == CREATE]
        unsettled = [call for call in creates if call["state"] != "refused"]
        lost = [call for call in unsettled if not call["id"]]
        if not lost:
            return
        listed = self._ids_by_reference()
        for call in lost:
            ids = listed.get(call["details"]["reference"], [])
            id = _id_of(call, ids, creates)
            if id is not None:
                call |= {"id": id, "state": "found"}

    def _ids_by_reference(self) -> dict[str, list[str]]:
        """The ids of the outbound requests in the list; none where it cannot be read."""
        outbound: dict[str, list[str]] = {}
        unclear: dict[str, list[str]] = {}
        with suppress(Unmeasured):
            for item in self.items():
                direction = word(item.get("direction"))
                reference, id = item.get("client_reference_id"), id_in(item)
                if direction == "inbound" or not isinstance(reference, str) or not id:
                    continue
                ids = outbound if direction == "outbound" else unclear
                ids.setdefault(reference, []).append(id)
        # A twin has the same reference: of two without a direction, one may be a twin.
        alone = {reference: ids for reference, ids in unclear.items() if len(ids) == 1}
        return alone | outbound


def _recorded(call: Call) -> Response | None:
    """The response of a call as the journal has it, with the id as the provider wrote it."""
    if "response" not in call:
        return None
    response = call["response"]
    body = response["body"]
    if is_object(body) and call["id"]:
        body = body | {ID: call["id"]}
    return Response(call["call"], response["status"], body, is_earlier=True)


def _state_after(answer: Response | None) -> str:
    """What became of a write: it counts as done until something proves that it was not.

    A refusal proves that in the provider's own shape alone, and without the id of a request.
    """
    if answer is None:
        return "unknown"
    if answer.is_good and is_object(answer.body):
        return "made"
    is_proven = is_refusal(answer) and shape_of(answer) != "other" and not answer.id
    return "refused" if is_proven else "unknown"


def _id_of(call: Call, ids: list[str], creates: list[Call]) -> str | None:
    """The id of a create that had no answer, of those that the list has under its reference."""
    known = [create["id"] for create in creates]
    for id in ids:
        if id not in known:
            return id
    for create in creates:  # a repeat, which perhaps made nothing more
        id = create["id"]
        if create["details"] == call["details"] and id in ids:
            return str(id)
    return None


def _text_of(value: object) -> str | None:
    """A value as the file has it."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
