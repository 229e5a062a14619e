"""What each operation of Victor's API does, of the ledger and what is asked."""

from collections.abc import Callable

from victor_ext.sandbox.engine import Asked, Refused, Result
from victor_ext.sandbox.server import Call, JsonObject, Problem
from victor_ext.sandbox.victor.formats import Formats
from victor_ext.sandbox.victor.ledger import KEY_NAME, KeyRule, Ledger, fingerprint
from victor_ext.sandbox.victor.state import PaymentRequest, wrong

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
    before = ledger.before(call.owner, call.key, digest)
    call.exchange.replayed = before is not None
    request, rule = before or (None, "replay")
    work: list[str] | None = None
    if request is None:
        ledger.check_create(asked.sent)
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
