"""The journal of the file: each request is entered, sent once, and noted with what it showed."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from victor_ext import ConfigurationError, Victor, VictorError
from victor_ext.privacy import is_object
from victor_ext.systems import DEFAULT

from .exchanges import Response, Senders, Unmeasured, is_refusal, json_of, shape_of, stamp
from .redaction import Redaction

Call = dict[str, Any]
"""An entry of the journal.

That of a create or a response has its `step`, and a `state` that says what became of it.
"""
Query = tuple[str, str | int]

_REST = 0.15
"""Seconds before a read over the client of another system, which uses no connection again before a
tenth of one.
"""
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Nothing has left this machine."""


class Journal:
    """What sends, and writes each request and its response into the file's document.

    Args:
        senders: What sends. Where it raises an error of this package, as a client's own does, its
            response counts.
        client: A client of the provider: it signs, and knows the base URL.
        document: The file's. Its `calls` get an entry for each request, with how long the call took
            and the connection that it used.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        senders: Senders,
        client: Any,
        document: dict[str, Any],
        sleep: Callable[[float], None],
    ) -> None:
        self._senders = senders
        self._client = client
        self._sleep = sleep
        self._is_victor = document["system"] == DEFAULT
        self.calls: list[Call] = document["calls"]
        self._redaction = self._redaction_of(document["plan"])
        self._paths: dict[int, str] = {}
        """Where each call goes. The journal may show a path without its id."""
        self._queries: dict[int, Sequence[Query]] = {}
        """What each call asks. The journal shows a window without its times."""
        self.begin()

    def _redaction_of(self, plan: dict[str, Any]) -> Redaction:
        if not self._is_victor:
            return Redaction.of_client(self._client)
        ids = [call["id"] for call in self.calls if call.get("id")]
        paths = [call["request"]["path"] for call in self.calls if "step" in call]
        answered = [path.rpartition("/")[2] for path in paths]
        payer = [plan["payer"]] if plan["payer"] else []
        return Redaction.of_client(Victor, plan["marker"], [*ids, *answered, *payer])

    def begin(self) -> None:
        """Begin a probe: it has seen nothing."""
        self.seen: dict[int, str] = {}
        """The calls that the present probe has seen, and when they were made."""
        self.doubts: set[int] = set()
        """Those of them whose refusal may be somebody else's."""

    def enter(
        self,
        method: str,
        path: str,
        query: Sequence[Query] = (),
        body: Any = None,
        key: str | None = None,
    ) -> Call:
        """Write a request into the journal, before it is sent."""
        request = {
            "method": method,
            "path": self._redaction.path(path) if self._is_victor else path,
            "query": self._redaction.query(query),
            "key": key,
            "body": self._redaction.shown(body, is_own=True),
        }
        call: Call = {"call": len(self.calls) + 1, "request": request, "at": stamp()}
        self._paths[call["call"]] = path
        self._queries[call["call"]] = query
        self.calls.append(call)
        return call

    def see(self, call: Call) -> None:
        """Count a call among what the present probe has seen."""
        self.seen[call["call"]] = call["at"]

    def weigh(self, answer: Response) -> None:
        """Count a refusal that has another shape than the provider's among the doubts."""
        if not answer.is_good and not self._is_own(answer):
            self.doubts.add(answer.call)

    @property
    def doubt(self) -> str:
        """The doubts in words."""
        numbers = ", ".join(map(str, sorted(self.doubts)))
        return f"refused in another shape than the provider's: call {numbers}"

    def _is_own(self, answer: Response) -> bool:
        if shape_of(answer) != "other":
            return True
        is_declared = is_object(answer.body) and not self._redaction.names.isdisjoint(answer.body)
        return is_declared and not self._is_victor

    def send(self, call: Call, body: Any = None, token: str | None = None) -> Response:
        """Send a request of the journal.

        `token`: another value of `Authorization` than the client's, which may be refused; empty:
        none.

        Raises:
            Unmeasured: No answer came, or one that says nothing about the provider's rules, such as
                a 503.
        """
        if not self._is_victor:
            self._sleep(_REST)
        self.see(call)
        request = self._signed(call, body, token)
        call["sent"] = time.time()
        try:
            response = self._response(call, request)
        except httpx.HTTPError as error:
            raise self._unanswered(call, error, is_unsent=isinstance(error, _UNSENT)) from error
        call["received"] = time.time()
        has_challenge = "www-authenticate" in response.headers
        answer = Response(call["call"], response.status_code, json_of(response), has_challenge)
        is_own = request.method == "POST"
        if is_own and answer.is_good:
            self._redaction.own(answer.body)
        call["response"] = self._redaction.response(response, answer.body, is_own=is_own)
        why = self._why_no_rule(answer, response, is_token_ours=token is None)
        if why:
            reason = f"call {answer.call} was answered with {answer.status}{why}"
            call["failed"] = reason
            del self.seen[call["call"]]
            raise Unmeasured(reason, is_failure=True, is_busy=answer.is_busy, answer=answer)
        self.weigh(answer)
        return answer

    def _signed(self, call: Call, body: Any, token: str | None) -> httpx.Request:
        """The request of a call. A token that was not issued now may be later."""
        try:
            return self._request(call, body, token)
        except ConfigurationError:
            raise
        except VictorError as error:
            raise self._unanswered(call, error, is_unsent=True) from error

    def _unanswered(self, call: Call, error: Exception, *, is_unsent: bool) -> Unmeasured:
        reason = f"call {call['call']} had no whole answer ({type(error).__name__})"
        call["failed"] = reason
        return Unmeasured(reason, is_failure=True, is_unsent=is_unsent)

    def _request(self, call: Call, body: Any, token: str | None) -> httpx.Request:
        entry = call["request"]
        headers = {
            "accept": "application/json",
            "authorization": self._authorization() if token is None else token,
            "content-type": "" if body is None else "application/json",
            "idempotency-key": entry["key"],
        }
        content = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
        query = tuple(self._queries[call["call"]])
        return self._senders.of(entry["method"]).build_request(
            entry["method"],
            self._client.base_url.rstrip("/") + self._paths[call["call"]],
            params=query or None,
            headers={name: value for name, value in headers.items() if value},
            content=content,
        )

    def _authorization(self) -> str:
        """Another system's client signs by itself."""
        if not self._is_victor:
            return ""
        header: str = self._client.authorization()
        return header

    def _response(self, call: Call, request: httpx.Request) -> httpx.Response:
        """Send, note the connection, and read the whole response."""
        try:
            sender = self._senders.of(request.method)
            response = sender.send(request, follow_redirects=False, stream=True)
        except VictorError as error:
            if error.response is None:
                raise httpx.ReadError(error.message) from error
            response = error.response
        stream = response.extensions.get("network_stream")  # a closed one says nothing of itself
        address = stream and stream.get_extra_info("client_addr")
        secured = stream and stream.get_extra_info("ssl_object")
        # its port; the address is this machine's own affair
        call["connection"] = address and address[1]
        call["tls"] = secured.version() if secured else "none"
        response.read()
        return response

    def _why_no_rule(
        self, answer: Response, response: httpx.Response, *, is_token_ours: bool
    ) -> str:
        """Why a response shows nothing of the provider's rules; empty: it does."""
        if is_token_ours and self._refuses_the_caller(answer):
            return ", which refuses the credentials"
        if answer.is_good:
            is_json = "json" in response.headers.get("content-type", "")
            is_read = not is_json or answer.body is not None
            if self._is_victor:
                is_read = is_object(answer.body)
            return "" if is_read else " and no JSON object"
        if answer.is_busy or answer.status < 400:
            return ", which shows no rule"
        is_bare_401 = answer.status == 401 and not response.content
        if is_refusal(answer) or is_bare_401:
            return ""
        return " and no JSON: perhaps by a proxy"

    def _refuses_the_caller(self, answer: Response) -> bool:
        """Whether it can say nothing else: a 403 with a body may be a rule."""
        is_bare_403 = answer.status == 403 and not is_refusal(answer)
        return answer.status == 401 or (self._is_victor and is_bare_403)
