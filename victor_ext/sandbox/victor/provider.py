"""Victor's side of the sandbox: the operations of its API, and its payment requests on the page."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from victor_ext.sandbox.server import (
    HeaderKey,
    JsonObject,
    JsonValue,
    Response,
    error_response,
    json_response,
)
from victor_ext.sandbox.server.commands import NotFound
from victor_ext.sandbox.server.context import SandboxContext, logger
from victor_ext.sandbox.server.document import Problem
from victor_ext.sandbox.server.exchange import CONTROL
from victor_ext.sandbox.server.privacy import last_four, redacted
from victor_ext.sandbox.server.provider import Action, Call, Details, Record, SandboxProvider
from victor_ext.sandbox.victor.authentication import Authenticator, Refused
from victor_ext.sandbox.victor.commands import SandboxCommands
from victor_ext.sandbox.victor.copied_test import as_test
from victor_ext.sandbox.victor.formats import Formats, Listing
from victor_ext.sandbox.victor.ledger import KEY_NAME, Ledger, fingerprint
from victor_ext.sandbox.victor.settings import SandboxSettings
from victor_ext.sandbox.victor.state import (
    OPEN,
    OPERATIONS,
    TONES,
    PaymentRequest,
    Wrong,
    declared,
    open_database,
)

_ELSEWHERE = {"status", "amount", "created_at", "changed_at", "parent_id", "child_id", "answer"}
"""The fields of a request that the page shows in another place than among its facts."""


class VictorProvider(SandboxProvider[SandboxSettings]):
    state: Ledger
    name = "victor"
    title = "Victor"
    key = HeaderKey(KEY_NAME)
    settings_type = SandboxSettings
    commands_type = SandboxCommands
    operations = OPERATIONS
    records_title = "Requests"

    def __init__(self, context: SandboxContext, settings: SandboxSettings) -> None:
        self._database = open_database(settings.state)
        super().__init__(context, settings)
        self._formats = Formats(settings)

    def new_state(self) -> Ledger:
        ledger = Ledger(self.settings, self.context.clock, self._database)
        self._authenticator = Authenticator(self.settings, self.context.clock, ledger.store)
        self._listing = Listing(self.settings, self.context.clock, ledger.store)
        # What was done under a key before a restart counts, too.
        keys = (request.idempotency_key for request in ledger.store.requests.values())
        self.context.work_by_key.update(key for key in keys if key is not None)
        return ledger

    def reset(self) -> None:
        self.state.store.clear()
        super().reset()

    def advance(self, seconds: float) -> int:
        return self.state.advance(seconds)

    def tick(self) -> None:
        self.state.tick()

    def info(self) -> JsonObject:
        return {"requests": len(self.state.store.order)}

    def close(self) -> None:
        self._database.close()

    @property
    def heading(self) -> str:
        return f"{self.title} sandbox ({self.settings.environment})"

    # Credentials

    def client_settings(self, url: str) -> str:
        """OAuth credentials, and a key pair that is commented out: a client takes one kind."""
        key, client = self.state.add_api_key(), self.state.add_oauth_client()
        # One line without quotes suits every reader of such files; PEM has line breaks.
        der = "".join(key["private_key"].splitlines()[1:-1])
        return (
            f"VICTOR_ENVIRONMENT={self.settings.environment}\n"
            f"VICTOR_BASE_URL={url}\n"
            f"VICTOR_CLIENT_ID={client['client_id']}\n"
            f"VICTOR_CLIENT_SECRET={client['client_secret']}\n"
            f"# VICTOR_API_KEY={key['api_key']}\n"
            f"# VICTOR_PRIVATE_KEY={der}\n"
        )

    # Operations

    def handle(self, operation: str, call: Call) -> Response:
        handler: Callable[[Call], Response] = getattr(self, f"_{operation}")
        try:
            if operation != "token":
                call.owner = self._authenticator.caller(call.header("authorization"))
                self.state.tick()
            return handler(call)
        except Wrong as wrong:
            return self._wrong(operation, wrong.problems, wrong.status)
        except Refused as failure:
            return error_response(int(self.settings.refused_token), failure.code, failure.message)
        except NotFound:
            problem = Problem(
                ("victor_payment_request_id",),
                "invalid",
                "There is no payment request with this id.",
            )
            return self._wrong("get", [problem], self.settings.unknown_id)

    def _list(self, call: Call) -> Response:
        rules = declared("list")
        filters = rules.read_query(call.query)
        self._listing.check(rules, filters)
        found = self._listing.page(rules, filters, self._formats.members)
        return self._checked("list", 200, self._formats.page(*found))

    def _get(self, call: Call) -> Response:
        request = self.state.get(call.params["id"])
        if 0 <= self.context.clock.now() - request.created_at < self.settings.get_lag:
            raise NotFound
        call.exchange.request_id = request.id
        return self._checked("get", 200, self._formats.detail(request))

    def _create(self, call: Call) -> Response:
        body = _json_body(call)
        self._check_key(call)
        key, digest = call.key, fingerprint(body)
        # Before the rules: a request that was made stays made, also when its due date has passed
        # since.
        request = self.state.replay(call.owner, key, digest)
        if request is None and (problems := self.state.create_problems(body)):
            request = self.state.refused(call.owner, key, digest, problems[0])
        elif isinstance(request, Problem):
            call.exchange.replayed = True
        if isinstance(request, Problem):
            raise Wrong([request])
        answer = self._formats.as_created
        if request is None:
            request = self.state.create(call.owner, key, digest, body)
            reference = request.client_reference_id
            call.did_work(*([] if reference is None else [reference]))
        else:
            call.exchange.replayed = True
            answer = self._formats.receipt if self.settings.key_repeat == "current" else answer
        call.exchange.request_id = request.id
        call.exchange.reference = request.client_reference_id
        return self._checked("create", 200, answer(request))

    def _respond(self, call: Call) -> Response:
        body = _json_body(call)
        if problems := declared("respond").body.problems(body):
            raise Wrong(problems)
        request, call.exchange.work_done = self.state.respond(call.params["id"], body)
        call.exchange.request_id = request.id
        call.exchange.replayed = not call.exchange.work_done
        return self._checked("respond", 200, self._formats.answer(request))

    def _token(self, call: Call) -> Response:
        pair = call.json_object() or {}
        client_id, client_secret = pair.get("client_id"), pair.get("client_secret")
        if not isinstance(client_id, str) or not isinstance(client_secret, str):
            return error_response(
                400,
                "invalid_request",
                "client_id and client_secret are required, in a JSON object.",
            )
        return json_response(200, self._authenticator.issue(client_id, client_secret))

    def _check_key(self, call: Call) -> None:
        shortest, longest = self.settings.key_shortest, self.settings.key_longest
        if call.key is None and self.settings.require_key:
            raise Wrong([Problem((KEY_NAME,), "blank", "is required here")])
        if [name for name, _ in call.headers].count(KEY_NAME.lower().encode()) > 1:
            raise Wrong([Problem((KEY_NAME,), "invalid", "was sent more than once")])
        if call.key is not None and not shortest <= len(call.key) <= longest:
            raise Wrong(
                [Problem((KEY_NAME,), "size", f"must have {shortest} to {longest} characters")]
            )

    def _wrong(self, operation: str, problems: list[Problem], status: str | None) -> Response:
        body = self._formats.error(operation, problems)
        return self._checked(operation, int(status or self.settings.invalid_status), body)

    def _checked(self, operation: str, status: int, body: JsonObject) -> Response:
        """The response; a 500 when it does not conform to the document, which is a mistake of the
        sandbox.
        """
        if self._formats.conforms:
            schema = declared(operation).responses.get(200 if status == 200 else 400)
            problems = [] if schema is None else schema.problems(body)
            if problems:
                where = ", ".join(".".join(problem.path) or "body" for problem in problems)
                logger.error("an answer to '%s' breaks the document at: %s", operation, where)
                return error_response(
                    500, "nonconforming_answer", f"The sandbox's own answer breaks: {where}."
                )
        return json_response(status, body)

    # The page

    def records(self, count: int) -> Sequence[Record]:
        store = self.state.store
        return [
            self._record(store.requests[request_id])
            for request_id in reversed(store.order[-count:])
        ]

    def record_details(self, record_id: str) -> Details:
        """One request with its moves, and with buttons while it waits for its payer."""
        request = self.state.get(record_id)
        twins = {"The outbound request": request.parent_id, "The inbound twin": request.child_id}
        related = {label: name for label, name in twins.items() if name is not None}
        record, waits = self._record(request), request.status in OPEN
        path = f"{CONTROL}/payment-requests/{request.id}"
        actions = (
            Action(
                "Accept",
                path + "/respond",
                "a",
                {"status": "Accepted"},
                ("notes", "modified_amount"),
            ),
            Action("Decline", path + "/respond", "d", {"status": "Declined"}, ("notes",)),
            Action("Expire", path + "/expire", "e"),
        )
        fields = {"notes": "Notes to the payee"}
        if request.amount_modification_allowed:
            fields["modified_amount"] = f"Another amount than {_dollars(request.amount)}"
        return Details(
            record=record,
            facts=_facts(request),
            moves=self.state.store.moves(request),
            related=related,
            fields=fields if waits else {},
            actions=actions if waits else (),
            as_test=as_test(
                self.state.get(request.parent_id or request.id),
                self.context.about({request.id, *related.values()}, record.key),
            ),
        )

    def _record(self, request: PaymentRequest) -> Record:
        parent = self.state.store.requests.get(request.parent_id or "")
        return Record(
            id=request.id,
            group=request.parent_id or request.id,
            at=self.state.store.moves(request)[0].at,
            status=request.status,
            tone=TONES[request.status],
            amount=_dollars(request.amount),
            incoming=request.direction == "inbound",
            who=self._who(request),
            key=(parent or request).idempotency_key,
            reference=request.client_reference_id,
            notes=request.notes,
        )

    def _who(self, request: PaymentRequest) -> str:
        if request.direction == "inbound":
            payee = self.state.store.accounts.get(request.payee_account)
            return request.ultimate_creditor or (
                payee.name if payee else last_four(request.payee_account)
            )
        counterparty = self.state.store.counterparties.get(request.counterparty_id or "")
        return counterparty.name if counterparty else str(request.counterparty_id)


def _json_body(call: Call) -> JsonValue:
    """The JSON body of a call; raises `Wrong` when it is not JSON."""
    if call.content_type != "application/json":
        raise Wrong([Problem(("body",), "invalid", "Content-Type must be application/json")])
    try:
        return call.json()
    except ValueError:
        raise Wrong([Problem(("body",), "invalid", "is not JSON")]) from None


def _facts(request: PaymentRequest) -> list[tuple[str, str]]:
    kept: JsonObject = redacted(request.to_dict())
    fields = {name: str(value) for name, value in kept.items() if name not in _ELSEWHERE}
    numbers = {name: last_four(fields[name]) for name in fields if name.endswith("_account")}
    return [
        (name.replace("_", " ").capitalize(), value)
        for name, value in {**fields, **numbers}.items()
    ]


def _dollars(amount: str) -> str:
    """An amount with two decimals, so that amounts stand below each other.

    The exchange shows what was sent.
    """
    return f"{Decimal(amount):.2f}"
