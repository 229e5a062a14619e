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
from typing import Any

import httpx

from victor_ext import ConfigurationError, VictorError
from victor_ext.privacy import is_object
from victor_ext.systems import DEFAULT

from .assumptions import Probe, assumption_of
from .exchanges import Answer, Unmeasured, redacted, shown, stamp, word

Call = dict[str, Any]
"""An entry of the journal.

That of a create or a response has its `step`, and a `state` that says what became of it.
"""
Query = tuple[str, str | int]

LIST = "/v2/payment-requests"
CREATE, RESPOND = f"{LIST}/request-payment", f"{LIST}/respond-to-request/"
LEAST, MORE = "0.01", "0.02"
NOTES = "Conform"
NOBODY = "conformNobody00"
ELSEWHERE = "measure into another file"
"""What helps where a create may not be sent again."""
UNMEASURED = ("not measured", "not shown", "not asked", "not measurable")
"""The certainties of what has no value: it failed, no response shows it, the plan leaves it out,
nothing shows it.
"""
PAUSES = (0, 1, 2, 4, 8, 16, 32)
"""Seconds before each look for something that may take a while."""
_REST = 0.15
"""Seconds before a read over the client of another system, which uses no connection again before a
tenth of one.
"""


class Run:
    """What the probes measure with.

    Args:
        http: What sends. Where it raises an error of this package, as a client's own does, its
            response counts.
        client: A client of the provider: it signs, and knows the base URL.
        document: The file's; `write` writes it. Its `calls` get an entry for each request, with how
            long the call took and the connection that it used.
        payee: The account number that asks.
        sleep, now: The clock, in seconds and epoch seconds.
        token_life: Seconds that an issued token lives; None where none was issued.
    """

    def __init__(
        self,
        http: httpx.Client,
        client: Any,
        document: dict[str, Any],
        write: Callable[..., None],
        *,
        payee: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        token_life: float | None = None,
    ) -> None:
        self._http, self._client, self.document, self._write, self._payee = (
            http,
            client,
            document,
            write,
            payee,
        )
        self.sleep, self.now, self.token_life = sleep, now, token_life
        self.plan: dict[str, Any] = document["plan"]
        self._findings: dict[str, dict[str, Any]] = document["findings"]
        self._calls: list[Call] = document["calls"]
        self.writes: dict[str, Call] = {
            call["step"]: call for call in self._calls if "step" in call
        }
        self._is_victor = document["system"] == DEFAULT
        self._own = (
            (self.plan["marker"], NOTES, "conform", self.plan["payer"] or NOBODY)
            if self._is_victor
            else ()
        )
        self._unsent = set[int]()
        self._seen: dict[
            int, str
        ] = {}  # the calls that the present probe has seen, and when they were made

    def save(self, indent: int | None = None) -> None:
        """Write the file."""
        played = {
            each["setting"]: each["plays"]
            for each in self._findings.values()
            if each["plays"] is not None
        }
        self.document["sandbox"] = played
        self._write(indent=indent)

    def measure(self, probe: Probe) -> None:
        """Run a probe, unless it is certain already what it finds."""
        if all(self.finding(name).get("certainty") == "certain" for name in probe.names):
            return
        self._seen = {}
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

    def find(
        self,
        name: str,
        value: object,
        certainty: str = "certain",
        *,
        play: object = ...,
        note: str = "",
    ) -> None:
        """Record a finding, in place of an earlier one.

        `play`: the sandbox's value, if it is another one.
        """
        assumption = assumption_of(name)
        text = (
            None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        )
        evidence = {} if value is None else self._seen
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
            "evidence": [*evidence],
            "means": assumption.means if differs else "",
            "note": note,
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
        for name in (name for probe in probes if not probe.sends for name in probe.names):
            self._findings.pop(name, None)

    def finding(self, name: str) -> dict[str, Any]:
        """What was found of an assumption so far; empty without a finding."""
        return self._findings.get(name, {})

    # Calls

    def _enter(
        self,
        method: str,
        path: str,
        query: Sequence[Query] = (),
        body: Any = None,
        key: str | None = None,
    ) -> Call:
        """Write a request into the journal."""
        shown_body = redacted(body, self._own)
        request = {
            "method": method,
            "path": path,
            "query": [*map(list, query)],
            "key": key,
            "body": shown_body,
        }
        self._calls.append(
            call := {"call": len(self._calls) + 1, "request": request, "at": stamp()}
        )
        return call

    def _send(self, call: Call, body: Any = None, token: str | None = None) -> Answer:
        """Send a request of the journal.

        `token`: another value of `Authorization` than the client's, which may be refused; empty:
        none.

        Raises:
            Unmeasured: No answer came, or one that says nothing about the provider's rules, such as
                a 503.
        """
        if not self._is_victor:
            self.sleep(_REST)
        self._seen[call["call"]] = call["at"]
        asked, own = call["request"], self._client.authorization if self._is_victor else str
        headers = {
            "accept": "application/json",
            "authorization": own() if token is None else token,
            "content-type": "" if body is None else "application/json",
            "idempotency-key": asked["key"],
        }
        request = self._http.build_request(
            asked["method"],
            self._client.base_url.rstrip("/") + asked["path"],
            params=[*map(tuple, asked["query"])] or None,
            headers={name: value for name, value in headers.items() if value},
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
        )
        call["sent"] = time.time()
        try:
            try:
                response = self._http.send(request, follow_redirects=False, stream=True)
            except VictorError as error:
                if error.response is None:
                    raise httpx.ReadError(error.message) from error
                response = error.response
            # a closed one says nothing of itself
            stream = response.extensions.get("network_stream")
            address = stream and stream.get_extra_info("client_addr")
            # its port; the address is this machine's own affair
            call["connection"] = address and address[1]
            secured = stream and stream.get_extra_info("ssl_object")
            call["tls"] = secured.version() if secured else "none"
            response.read()
        except httpx.HTTPError as error:
            call["failed"] = reason = (
                f"call {call['call']} had no whole answer ({type(error).__name__})"
            )
            unsent = isinstance(
                error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout
            )
            raise Unmeasured(reason, is_failure=True, is_unsent=unsent) from error
        call["received"], status = time.time(), response.status_code
        try:
            answer = Answer(call["call"], status, response.json())
        except ValueError:
            answer = Answer(call["call"], status, None)
        call["response"] = shown(response, answer.body, self._own)
        no_rules = (
            408,
            425,
            429,
            *(() if token is not None else (401, 403) if self._is_victor else (401,)),
        )
        is_damaged = answer.body is None and "json" in response.headers.get("content-type", "")
        is_rule = 400 <= status < 500 and status not in no_rules
        if is_damaged or not (
            is_rule or (status < 300 and (not self._is_victor or is_object(answer.body)))
        ):
            raise Unmeasured(
                f"call {answer.call} was answered with {status}, which shows no rule",
                is_failure=True,
            )
        return answer

    # Reads

    def read(self, path: str = "", *query: Query, token: str | None = None) -> Answer:
        """GET a path below the list's."""
        return self.get(LIST + path, *query, token=token)

    def get(self, path: str, *query: Query, token: str | None = None) -> Answer:
        """GET a path below the base URL."""
        return self._send(self._enter("GET", path, query), token=token)

    def token(self, issued: int, expires: int) -> str:
        """The header of a token with these times, in seconds from now by the provider's clock.

        Raises `Unmeasured` where the provider issues the tokens, and in production.
        """
        if self._client.environment != "production":
            now = int(self._client.provider_time().moment.timestamp())
            with suppress(ConfigurationError):
                return str(self._client.authorization_at(now + issued, now + expires))
        raise Unmeasured("these credentials do not sign their own tokens")

    def page(self, *query: Query) -> Answer:
        """Read one page of the list. Raises `Unmeasured` if it is refused."""
        answer = self.read("", *query)
        if not answer.is_good:
            raise Unmeasured(f"call {answer.call}, a plain list, was answered with {answer.status}")
        return answer

    def items(self) -> list[dict[str, Any]]:
        """The items of the first pages, each once. Raises `Unmeasured` without any."""
        items: dict[object, dict[str, Any]] = {}
        for number in range(4):
            answer = self.read("", ("page", number))
            if number > 1 and not set(answer.ids) - items.keys():  # page 1 may be page 0
                break
            items |= {
                id: item
                for id, item in zip(answer.ids, answer.items, strict=True)
                if id not in items
            }
        if not items:
            raise Unmeasured("the list has no payment request that shows it")
        return [*items.values()]

    def listed(self, id: str) -> list[dict[str, Any]]:
        """The items of the list that are this request.

        A provider may ignore the filter: others are left out.
        """
        answer = self.page(("victor_id", id))
        return [item for one, item in zip(answer.ids, answer.items, strict=True) if one == id]

    def rest(self, *names: str) -> None:
        """Wait for as many seconds as were found: for the lags, until what was created is known."""
        self.sleep(max(float(self.finding(name).get("value") or 0) for name in names))

    # Writes

    def create(
        self, step: str, like: str | None = None, key: str | None = "", **details: Any
    ) -> Answer:
        """Send one create of the plan, or return the answer that it had in an earlier run.

        Args:
            step: Its name in the file. It is sent once.
            like: The step whose key and body are sent again.
            key: The key; empty: a fresh one, or that of `like`; None: none.
            details: Members of `payment_details`, `reference` and `payer`.

        Raises:
            Unmeasured: It had no answer that says what became of it, now or in an earlier run.
        """
        return self.perform(self.reserve(step, like, key, **details))

    def made(self, step: str, **details: Any) -> Answer:
        """Send a create that should be accepted. Raises `Unmeasured` if it is refused."""
        answer = self.create(step, **details)
        if not answer.is_good:
            raise Unmeasured(
                f"call {answer.call}, a plain create, was answered with {answer.status}"
            )
        return answer

    def create_both(self, step: str, other: str) -> list[Answer]:
        """Send a create and its repeat at the same time.

        Raises `Unmeasured` if only one was sent before.
        """
        if (step in self.writes) is not (other in self.writes):
            raise Unmeasured(
                f"only one of two was sent in an earlier run, so not at once: {ELSEWHERE}"
            )
        entries = self.reserve(step), self.reserve(other, like=step)
        with ThreadPoolExecutor(len(entries)) as pool:
            return [*pool.map(self.perform, entries)]

    def respond(self, step: str, id: str, **body: Any) -> Answer:
        """Respond to an inbound request; otherwise as `create`."""
        return self.perform(self._reserved(step, RESPOND + id, body))

    def reserve(
        self, step: str, like: str | None = None, key: str | None = "", **details: Any
    ) -> Call:
        """Count a create in the file, before it is sent."""
        earlier = self.writes[like] if like else {"details": {}, "request": {"key": ""}}
        marker, number = self.plan["marker"], len(self.writes)
        if key == "":
            key = earlier["request"]["key"] or f"conform-{marker}-{number:03}".ljust(36, "0")
        due = datetime.fromtimestamp(self.now(), UTC).date().isoformat()
        usual = {
            "amount": LEAST,
            "biller_type": "BUSINESS",
            "due_date": due,
            "reference": f"{marker}{number:02}",
        }
        return self._reserved(step, CREATE, usual | earlier["details"] | details, key)

    def _reserved(
        self, step: str, path: str, details: dict[str, Any], key: str | None = None
    ) -> Call:
        if step not in self.writes:
            if len(self.writes) >= self.plan["writes"]:
                raise Unmeasured("the plan has no call left for it")
            call = self._enter("POST", path, body=self._body(path, details), key=key)
            call |= {
                "step": step,
                "details": details,
                "began": self.now(),
                "state": "sent",
                "id": None,
            }
            self.writes[step] = call
            self._unsent.add(call["call"])
            self.save()
        return self.writes[step]

    def perform(self, call: Call) -> Answer:
        """Send what was reserved, or return its answer of an earlier run."""
        self._seen[call["call"]] = call["at"]
        if call["state"] in ("made", "refused"):
            return Answer(call["call"], call["response"]["status"], call["response"]["body"])
        step = call["step"]
        if call["call"] not in self._unsent:
            reason = (
                f"'{step}' was sent once, and its answer is not known. It is never sent "
                f"again: {ELSEWHERE}"
            )
            raise Unmeasured(reason, is_failure=True)
        self._unsent.discard(call["call"])
        try:
            answer = self._send(call, self._body(call["request"]["path"], call["details"]))
            call |= {"state": "made" if answer.is_good else "refused", "id": answer.id}
        except Unmeasured as error:
            call["state"] = "unknown"
            if error.is_unsent:  # so it can be sent later
                del self.writes[call.pop("step")]
            raise
        finally:
            self.save()
        return answer

    def _body(self, path: str, details: Mapping[str, Any]) -> dict[str, Any]:
        body = {**details}
        if path != CREATE:
            return body
        reference, payer = body.pop("reference"), body.pop("payer", self.plan["payer"])
        return {
            "payee": {"account_number": self._payee},
            "payer": {"victor_counterparty_id": payer},
            "payment_details": body,
            "client_reference_id": reference,
        }

    def settle(self) -> None:
        """Look for the requests whose answers were lost, so that the file says what was made."""
        creates = [call for call in self.writes.values() if call["request"]["path"] == CREATE]
        lost = [call for call in creates if call["state"] in ("sent", "unknown") and not call["id"]]
        listed: dict[Any, list[Any]] = {}
        with suppress(Unmeasured):
            for item in self.items() if lost else ():
                if word(item.get("direction")) != "inbound":  # a twin has the same reference
                    listed.setdefault(item.get("client_reference_id"), []).append(
                        item.get("victor_payment_request_id")
                    )
        for each in lost:
            ids, known = (
                listed.get(each["details"]["reference"], []),
                [other["id"] for other in creates],
            )
            repeated = [
                other["id"]
                for other in creates
                if other["details"] == each["details"] and other["id"] in ids
            ]
            # a repeat that made nothing more
            if found := [id for id in ids if id not in known] or repeated:
                each |= {"id": found[0], "state": "found"}
