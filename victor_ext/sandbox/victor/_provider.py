"""Victor's side of the sandbox: what each operation of its API does, and the table of them."""

from victor_ext.sandbox.engine import Asked, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import (
    Call,
    HeaderKey,
    JsonObject,
    Problem,
    Response,
    json_response,
)
from victor_ext.sandbox.victor._commands import SandboxCommands
from victor_ext.sandbox.victor._ledger import KEY_NAME, Ledger, fingerprint
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import DOCUMENT, PLACES, wrong

_UNKNOWN = Problem(
    ("victor_payment_request_id",), "invalid", "There is no payment request with this id."
)


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
    request = ledger.made_under(call.owner, call.key, digest)
    call.exchange.replayed = request is not None
    work: list[str] | None = None
    if request is None:
        problems = ledger.create_problems(asked.sent)
        if problems:
            raise wrong(problems[0])
        request = ledger.create(call.owner, call.key, digest, asked.body)
        work = [] if request.client_reference_id is None else [request.client_reference_id]
    call.exchange.reference = request.client_reference_id
    return Result(body=ledger.formats.as_created(request), made=request.id, work=work)


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
    rows = (
        Row("list", PLACES["list"], list_requests),
        Row("create", PLACES["create"], create_request),
        Row("get", PLACES["get"], get_request),
        Row("respond", PLACES["respond"], respond),
        Row("token", PLACES["token"], issue_token, is_open=True, is_documented=False),
    )

    def new_state(self) -> Ledger:
        return Ledger(self.settings, self.context.clock)

    def advance(self, seconds: float) -> int:
        return self.state.advance(seconds)

    def tick(self) -> None:
        self.state.tick()

    def info(self) -> JsonObject:
        return {"requests": len(self.state.store.order)}

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

    def refusal(self, operation: str, refused: Refused) -> Response:
        """A refusal in the shape for its operation."""
        if refused.code == "unknown_id":
            body = self.state.formats.error("get", [_UNKNOWN])
            return json_response(400, body)
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
