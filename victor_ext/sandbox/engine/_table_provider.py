"""The provider that a table makes: it lets callers in, reads what they ask, does the work of a row
and answers.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from victor_ext.sandbox.engine._rows import Asked, Result, Row
from victor_ext.sandbox.server._commands import NotFound
from victor_ext.sandbox.server._context import logger
from victor_ext.sandbox.server._document import (
    ANYTHING,
    Document,
    DocumentedOperation,
    load_document,
)
from victor_ext.sandbox.server._exchange import Response, empty_response, json_response
from victor_ext.sandbox.server._privacy import one_line
from victor_ext.sandbox.server._provider import Call, Refused, SandboxProvider
from victor_ext.sandbox.server._settings import S

if TYPE_CHECKING:
    from victor_ext.sandbox.engine._pages import Page
    from victor_ext.sandbox.server._context import SandboxContext
    from victor_ext.sandbox.server._document import Problem
    from victor_ext.sandbox.server._exchange import JsonObject, JsonValue

_Kept: TypeAlias = tuple[float, str, Response, str | None, str | None]
"""When something was made and of which request, its response, its reference and its id."""
_ALL_IS_ALLOWED = Document({"paths": {}})


class TableProvider(SandboxProvider[S]):
    """A provider whose operations are the rows of a table.

    The class of one provider has the `rows`, and says how callers are let in (`authenticate`), how
    errors look (`error`, or else `refusal`), and how a page of a list does (`page_body`).
    """

    rows: ClassVar[tuple[Row, ...]]
    document: ClassVar[str | None] = None
    """Its OpenAPI document: the name of a file of this package, or the path of another one. What is
    not in it may be asked anything; None: all may.
    """
    base_path: ClassVar[str] = ""
    """What each path begins with, and none of the document does."""
    key_life: float | None = None
    """Seconds that an idempotency key lives; None: it never ends."""
    keeps_all: ClassVar[bool] = False
    """Whether a key is bound to a response without work, too, such as a 200 that declines. What
    raises `Refused` binds none.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if hasattr(cls, "rows"):
            cls.operations = tuple(row.operation for row in cls.rows)

    def __init__(self, context: SandboxContext, settings: S) -> None:
        self._rows = {row.name: row for row in self.rows}
        self._keys: dict[tuple[str, str | None], _Kept] = {}
        """What was done under the keys of each caller."""
        super().__init__(context, settings)

    def reset(self) -> None:
        """Forget everything, and what was done under keys."""
        self._keys.clear()
        super().reset()

    # What a provider says of itself

    @abstractmethod
    def authenticate(self, call: Call) -> str:
        """The caller whose credentials a call has. Raises `Refused`."""

    def key_of(self, call: Call) -> str | None:
        """The idempotency key of a call, as it is compared with other ones."""
        return call.key

    def page_body(self, _asked: Asked, page: Page[Any], /) -> JsonObject:
        """The body of a page of a list."""
        return {"items": page.items}

    def success(self, _operation: str, result: Result, status: int, /) -> Response:
        """The response of a call that succeeded."""
        if result.body is None:
            return empty_response(status, result.headers)
        return json_response(status, result.body, result.headers)

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The body of a request; empty where there is none and needs to be none. That of a GET
        means nothing (RFC 9110, section 9.3.1). Raises `Refused` if it is no JSON object.
        """
        is_read = call.body or self.rules(operation).needs_body
        if not is_read or call.exchange.method == "GET":
            return {}
        body = call.json_object()
        if body is None:
            raise Refused(400, "The body must be a JSON object.", code="body")
        return body

    def problems(
        self, _call: Call, operation: str, query: JsonObject, body: JsonObject, /
    ) -> list[Problem]:
        """What the document does not allow in a request."""
        rules = self.rules(operation)
        return [*rules.query.problems(query), *rules.body.problems(body)]

    def check(self, call: Call, operation: str, query: JsonObject, body: JsonObject) -> None:
        """Refuse what is not allowed in a request. Raises `Refused`."""
        problems = self.problems(call, operation, query, body)
        if problems:
            first = problems[0]
            raise Refused(400, f"{first.shown}.", first.place, code="invalid", problems=problems)

    # What the table does

    def rules(self, operation: str) -> DocumentedOperation:
        """What the document says of an operation. It is read when it is first asked for."""
        method, path = self._rows[operation].place.split()
        document = _ALL_IS_ALLOWED if self.document is None else load_document(self.document)
        return document.operation(method, path.removeprefix(self.base_path))

    def handle(self, operation: str, call: Call) -> Response:
        return self._conforming(operation, self._handled(operation, call))

    def _conforming(self, operation: str, response: Response) -> Response:
        """The response; a 500 if its JSON breaks the document, which is a mistake of the
        sandbox.
        """
        rules = self.rules(operation).response(response.status)
        if rules is ANYTHING or not response.has_json:
            return response
        problems = rules.problems(json.loads(response.body))
        if not problems:
            return response
        where = "; ".join(problem.shown for problem in problems)
        logger.error("a response to '%s' breaks the document at: %s", operation, one_line(where))
        message = f"The sandbox's own response breaks the document at: {where}."
        return self.error(500, "nonconforming_answer", message)

    def _handled(self, operation: str, call: Call) -> Response:
        row = self._rows[operation]
        try:
            if not row.is_open:
                call.owner = self.authenticate(call)
            self.tick()
            body = self.read_body(operation, call)
            return self._once(row, call, body) if row.is_keyed else self._answered(row, call, body)
        except Refused as refused:
            return self.refusal(operation, refused)
        except NotFound as error:
            return self.refusal(operation, Refused(404, str(error), code="unknown_id"))

    def _once(self, row: Row, call: Call, body: JsonObject) -> Response:
        """Do the work under the call's key, or repeat the response of the call that did it."""
        key, now, life = (call.owner, self.key_of(call)), self.context.clock.now(), self.key_life
        made = self._keys.get(key)
        if made is not None and (life is None or now - made[0] < life):
            if made[1] != call.digest:
                raise Refused(409, "The key was used with another request.", code="key")
            _, _, response, call.exchange.reference, call.exchange.request_id = made
            call.exchange.replayed = True
            return response
        response = self._answered(row, call, body)
        if key[1] is not None and (call.exchange.work_done or self.keeps_all):
            exchange = call.exchange
            self._keys[key] = now, call.digest, response, exchange.reference, exchange.request_id
        return response

    def _answered(self, row: Row, call: Call, body: JsonObject) -> Response:
        rules = self.rules(row.name)
        query = rules.read_query(call.query)
        self.check(call, row.name, query, body)
        known = {name: value for name, value in query.items() if name in rules.query.members}
        asked = Asked(row.name, call, known, rules.body.declared(body))
        made = row.does(self.state, asked)
        if isinstance(made, Response):
            return made
        if row.listing is not None:
            made = self.page_body(asked, row.listing.page(made, known))
        result = _result_of(made, asked)
        if result.made is not None:
            call.exchange.request_id = result.made
        if result.work is not None:
            call.did_work(*result.work)
        return self.success(row.name, result, result.status or row.status or rules.success)


def _result_of(made: Result | JsonValue, asked: Asked) -> Result:
    """What the `does` of a row returned, as a whole `Result`."""
    if isinstance(made, Result):
        return made
    if made is not None:
        return Result(body=made)
    return Result(work=[asked.about] if asked.about else [])
