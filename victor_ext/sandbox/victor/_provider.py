"""Victor's side of the sandbox: what each operation of its API does, the table of them, and its
payment requests on the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from victor_ext.sandbox.engine import Asked, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import (
    CONTROL,
    Action,
    Call,
    HeaderKey,
    JsonObject,
    Problem,
    Record,
    Response,
    SandboxContext,
    json_response,
    last_four,
    redacted,
)
from victor_ext.sandbox.victor._commands import SandboxCommands
from victor_ext.sandbox.victor._formats import Formats
from victor_ext.sandbox.victor._ledger import KEY_NAME, KeyRule, Ledger, fingerprint
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import (
    DOCUMENT,
    OPEN,
    PLACES,
    TONES,
    PaymentRequest,
    open_database,
    wrong,
)

_UNKNOWN = Problem(
    ("victor_payment_request_id",), "invalid", "There is no payment request with this id."
)
_ELSEWHERE = {"status", "amount", "created_at", "changed_at", "parent_id", "child_id", "answer"}
"""The fields of a request that the page shows in another place than among its facts."""


_SHOWN: dict[KeyRule, Callable[[Formats, PaymentRequest], JsonObject]] = {
    "replay": Formats.as_created,
    "current": Formats.receipt,
}
"""How a request is shown that was made before, by the rule of its key."""


def list_requests(ledger: Ledger, asked: Asked) -> JsonObject:
    """A page of the requests that pass the filters."""
    return ledger.formats.page(*ledger.pager.page(asked.query))


def get_request(ledger: Ledger, asked: Asked) -> Result:
    """One request."""
    request = ledger.get(asked.about)
    return Result(body=ledger.formats.detail(request), made=request.id)


def create_request(ledger: Ledger, asked: Asked) -> Result:
    """Make a request, or show the one that was made under the key before."""
    call = asked.call
    check_key(call)
    digest = fingerprint(asked.sent)
    # Before the rules: a request that was made stays made, also when its due date has passed
    # since.
    before = ledger.made_under(call.owner, call.key, digest)
    call.exchange.replayed = before is not None
    request, rule = before or (None, "replay")
    work: list[str] | None = None
    if request is None:
        problems = ledger.create_problems(asked.sent)
        if problems:
            raise wrong(problems[0])
        request = ledger.create(call.owner, call.key, digest, asked.body)
        work = [] if request.client_reference_id is None else [request.client_reference_id]
    call.exchange.reference = request.client_reference_id
    return Result(body=_SHOWN[rule](ledger.formats, request), made=request.id, work=work)


def check_key(call: Call) -> None:
    """Refuse a key that was sent twice, or that has a wrong length."""
    kind = message = ""
    if [name for name, _ in call.headers].count(KEY_NAME.lower().encode()) > 1:
        kind, message = "invalid", "was sent more than once"
    elif call.key is not None and not 20 <= len(call.key) <= 128:
        kind, message = "size", "must have 20 to 128 characters"
    if kind:
        raise wrong(Problem((KEY_NAME,), kind, message))


def respond(ledger: Ledger, asked: Asked) -> Result:
    """Answer an inbound request."""
    request = ledger.respond(asked.about, asked.body)
    return Result(body=ledger.formats.answer(request), made=request.id, work=())


def issue_token(ledger: Ledger, asked: Asked) -> JsonObject:
    """A token for the id and the secret of a client."""
    client_id, client_secret = asked.sent.get("client_id"), asked.sent.get("client_secret")
    if not isinstance(client_id, str) or not isinstance(client_secret, str):
        rule = "client_id and client_secret are required, in a JSON object."
        raise Refused(400, rule, code="invalid_request")
    return ledger.authenticator.issue(client_id, client_secret)


class VictorProvider(TableProvider[SandboxSettings]):
    """Victor's table."""

    state: Ledger
    name = "victor"
    title = "Victor"
    document = DOCUMENT
    key = HeaderKey(KEY_NAME)
    settings_type = SandboxSettings
    commands_type = SandboxCommands
    records_title = "Requests"
    creating = Action("Create a request", f"{CONTROL}/payment-requests/inbound", "n")
    rows = (
        Row("list", PLACES["list"], list_requests),
        Row("create", PLACES["create"], create_request),
        Row("get", PLACES["get"], get_request),
        Row("respond", PLACES["respond"], respond),
        Row("token", PLACES["token"], issue_token, is_open=True, is_documented=False),
    )

    def __init__(self, context: SandboxContext, settings: SandboxSettings) -> None:
        self._database = open_database(settings.state)
        super().__init__(context, settings)

    def new_state(self) -> Ledger:
        ledger = Ledger(self.settings, self.context.clock, self._database)
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
        known = {"environment": self.settings.environment, "base_url": url, **client}
        # One line without quotes suits every reader of such files; PEM has line breaks.
        der = "".join(key["private_key"].splitlines()[1:-1])
        commented_out = (
            "# Instead of the OAuth client above: an API key with its private key, in one line.\n"
            f"# VICTOR_API_KEY={key['api_key']}\n# VICTOR_PRIVATE_KEY={der}\n"
        )
        return self.variables(**known) + commented_out

    # Operations

    def authenticate(self, call: Call) -> str:
        """The API key or the client id of a call."""
        return self.state.authenticator.caller(call.header("authorization"))

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The JSON body of a request, which may be no object; of what is no JSON, the token
        endpoint reads nothing.
        """
        if call.exchange.method == "GET":
            return {}
        if operation == "token":
            return call.json_object() or {}
        if call.content_type != "application/json":
            raise wrong(Problem(("body",), "invalid", "Content-Type must be application/json"))
        try:
            body: JsonObject = call.json()
        except ValueError:
            raise wrong(Problem(("body",), "invalid", "is not JSON")) from None
        return body

    def check(self, call: Call, operation: str, query: JsonObject, body: JsonObject) -> None:
        """Refuse what the document does not allow. A create is checked after its key."""
        if operation == "list":
            self.state.pager.check(query)
        elif operation != "create":
            super().check(call, operation, query, body)

    @property
    def conforms(self) -> bool:
        """Whether the options leave each body as the document says."""
        return not self.settings.quirks

    def refusal(self, operation: str, refused: Refused) -> Response:
        """A refusal in the shape for its operation."""
        if refused.code == "unknown_id":
            body = self.state.formats.error("get", [_UNKNOWN])
            return json_response(int(self.settings.unknown_id), body)
        if operation == "token":
            body = {"error": refused.code, "message": refused.message}
        elif refused.problems or refused.status == 400:
            problems = refused.problems or [Problem((), "invalid", refused.message)]
            body = self.state.formats.error(operation, problems)
        else:
            return self.error(refused.status, refused.code, refused.message)
        return json_response(refused.status, body)

    def error(self, status: int, code: str, message: str) -> Response:
        return json_response(status, self.state.formats.undocumented_error(code, message))

    # The page

    def records(self, count: int) -> Sequence[Record]:
        store = self.state.store
        return [
            self._record(store.requests[request_id])
            for request_id in reversed(store.order[-count:])
        ]

    def record_details(self, record_id: str) -> Record:
        """One request with its moves, and with buttons while it waits for its payer."""
        request = self.state.get(record_id)
        twins = {"The outbound request": request.parent_id, "The inbound twin": request.child_id}
        related = {label: name for label, name in twins.items() if name is not None}
        waits = request.status in OPEN
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
        return replace(
            self._record(request),
            facts=_facts(request),
            moves=self.state.store.moves(request),
            related=related,
            fields=fields if waits else {},
            actions=actions if waits else (),
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


def _facts(request: PaymentRequest) -> list[tuple[str, str]]:
    kept: JsonObject = redacted(request.to_dict())
    fields = {name: str(value) for name, value in kept.items() if name not in _ELSEWHERE}
    numbers = {name: last_four(fields[name]) for name in fields if name.endswith("_account")}
    return [
        (name.replace("_", " ").capitalize(), value)
        for name, value in {**fields, **numbers}.items()
    ]


def _dollars(amount: str) -> str:
    """An amount with its currency and two decimals, so that amounts stand below each other."""
    return f"{Decimal(amount):,.2f} USD"
