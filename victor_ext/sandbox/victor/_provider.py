"""Victor's side of the sandbox: what each operation of its API does, and the table of them."""

from victor_ext.sandbox.engine import Asked, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import (
    Call,
    HeaderKey,
    JsonObject,
    Problem,
    Response,
    SandboxContext,
    json_response,
)
from victor_ext.sandbox.victor._commands import SandboxCommands
from victor_ext.sandbox.victor._formats import error_body, shown
from victor_ext.sandbox.victor._ledger import Ledger
from victor_ext.sandbox.victor._pager import LISTING, misread, newest_first
from victor_ext.sandbox.victor._settings import SandboxSettings
from victor_ext.sandbox.victor._state import DOCUMENT, PLACES

_KEY = "Idempotency-Key"


def list_requests(ledger: Ledger, asked: Asked) -> JsonObject:
    """A page of the requests that pass the filters. Pages are counted from 0."""
    number = asked.query.get("page", 0)
    size = min(asked.query.get("page_size", 50), ledger.settings.max_page_size)
    requests = newest_first([*ledger.store.requests.values()], asked.query)
    page = LISTING.page(requests, {**asked.query, "page": number + 1, "page_size": size})
    results = [ledger.view(request) for request in page.items]
    return shown("list", {"page": number, "page_size": size, "results": results})


def get_request(ledger: Ledger, asked: Asked) -> Result:
    """One request."""
    request = ledger.get(asked.about)
    view = ledger.view(request)
    # "Pending confirms the successful submission to the RTP network", says the document of this
    # operation.
    if ledger.settings.get_status == "documented":
        view["status"] = "Error" if request.status == "failed" else "Pending"
    body = shown("get", view)
    # By its prose, the payer is an account or a counterparty.
    body["payment_request"]["payer"] = request.body.get("payer", {})
    return Result(body=body, made=request.id)


def create_request(ledger: Ledger, asked: Asked) -> Result:
    """Make a request."""
    request = ledger.create(asked.body, asked.call.key)
    reference = asked.body.get("client_reference_id")
    work = [] if reference is None else [reference]
    return Result(body=shown("create", ledger.view(request)), made=request.id, work=work)


def respond(ledger: Ledger, asked: Asked) -> Result:
    """Answer an inbound request."""
    request = ledger.respond(asked.about, asked.body)
    return Result(body=shown("respond", request.answer or {}), made=request.id, work=())


def issue_token(ledger: Ledger, asked: Asked) -> JsonObject:
    """A token for the id and the secret of a client."""
    client_id, client_secret = asked.body.get("client_id"), asked.body.get("client_secret")
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
    key = HeaderKey(_KEY)
    settings_type = SandboxSettings
    commands_type = SandboxCommands
    rows = (
        Row("list", PLACES["list"], list_requests),
        Row("create", PLACES["create"], create_request, is_keyed=True),
        Row("get", PLACES["get"], get_request),
        Row("respond", PLACES["respond"], respond),
        Row("token", PLACES["token"], issue_token, is_open=True),
    )

    def __init__(self, context: SandboxContext, settings: SandboxSettings) -> None:
        self.key_life = settings.key_life
        super().__init__(context, settings)

    def new_state(self) -> Ledger:
        return Ledger(self.settings, self.context.clock)

    def advance(self, seconds: float) -> int:
        super().advance(seconds)
        return self.state.pass_time()

    def tick(self) -> None:
        if self.settings.auto is not None:
            self.state.pass_time()

    def info(self) -> JsonObject:
        return {"requests": len(self.state.store.requests)}

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

    def key_of(self, call: Call) -> str | None:
        """The key of a call. One that was sent twice is refused, and one of a wrong length."""
        if [name for name, _ in call.headers].count(b"idempotency-key") > 1:
            raise Refused(400, "was sent more than once", _KEY)
        if call.key is not None and not 20 <= len(call.key) <= 128:
            raise Refused(400, "must have 20 to 128 characters", _KEY)
        return call.key

    def read_body(self, operation: str, call: Call) -> JsonObject:
        """The body of a request. Of what is no JSON, the token endpoint reads nothing."""
        if operation == "token":
            return call.json_object() or {}
        if call.body and call.content_type != "application/json":
            raise Refused(400, "Content-Type must be application/json", "body")
        return super().read_body(operation, call)

    def problems(
        self, call: Call, operation: str, query: JsonObject, body: JsonObject
    ) -> list[Problem]:
        """What the document does not allow, by its schemas, or else by its prose."""
        if operation == "create":
            return self.state.create_problems(body)
        problems = super().problems(call, operation, query, body)
        return problems or [*misread(query)]

    def refusal(self, operation: str, refused: Refused) -> Response:
        """A refusal in the shape for its operation."""
        if operation == "token":
            return json_response(
                refused.status, {"error": refused.code, "message": refused.message}
            )
        if refused.code == "unknown_id":
            operation = "get"
            why = "There is no payment request with this id."
            refused = Refused(400, why, "victor_payment_request_id")
        if refused.status != 400:
            return self.error(refused.status, refused.code, refused.message)
        path = (refused.field,) if refused.field else ()
        problems = refused.problems or [Problem(path, "invalid", refused.message)]
        return json_response(400, error_body(operation, problems))

    def error(self, status: int, code: str, message: str) -> Response:
        """What the document does not declare is an `ApiErrorResponse`, too, with a word for people
        beside the only number that is published.
        """
        error = {"code": 101, "message": message, "reason": code}
        return json_response(status, {"status": 0, "error": error})
