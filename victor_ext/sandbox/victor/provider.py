"""Victor's side of the sandbox: the table of its API, and its payment requests on the page."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from victor_ext.sandbox.engine import Refused, Row, TableProvider
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
    error_response,
    json_response,
    last_four,
    redacted,
)
from victor_ext.sandbox.victor import operations
from victor_ext.sandbox.victor.commands import SandboxCommands
from victor_ext.sandbox.victor.ledger import KEY_NAME, Ledger
from victor_ext.sandbox.victor.settings import SandboxSettings
from victor_ext.sandbox.victor.state import (
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
    rows = (
        Row("list", PLACES["list"], operations.list_requests),
        Row("create", PLACES["create"], operations.create_request),
        Row("get", PLACES["get"], operations.get_request),
        Row("respond", PLACES["respond"], operations.respond),
        Row("token", PLACES["token"], operations.issue_token, is_open=True, is_documented=False),
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
        if not refused.problems:
            return error_response(refused.status, refused.code, refused.message)
        body = self.state.formats.error(operation, refused.problems)
        return json_response(refused.status, body)

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
    """An amount with its currency and two decimals, so that amounts stand below each other.

    The exchange shows what was sent.
    """
    return f"{Decimal(amount):.2f} USD"
