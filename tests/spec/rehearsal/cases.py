"""Changes of the real documents of this project, each with its class on the wire and in Python."""

# ruff: noqa: E501 - one case is one line where it can be

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

Tree = dict[str, Any]
Edit = Callable[[Tree], Any]


@dataclass(frozen=True)
class Case:
    """One changed document."""

    document: str
    """`victor` for `openapi/victor.yaml`."""
    title: str
    wire: str
    python: str
    edit: Edit
    moved: bool = False
    """Whether all paths have another version besides. `wire` is about what else changed."""

    def new(self, old: Tree, *, stays: bool = False) -> Tree:
        """The changed document; `stays` leaves the paths where they are."""
        document = deepcopy(old)
        self.edit(document)
        assert document != old, self.title
        if self.moved and not stays:
            document["paths"] = {re.sub("^/v", "/v1", path): item for path, item in document["paths"].items()}
        return document


def change(*steps: str, **changes: Any) -> Edit:
    """Change keys of a part of the document: to a value, or by a function; None removes one.

    A step in a list is the name of a parameter.
    """

    def edit(document: Tree) -> None:
        tree: Any = document
        for step in steps:
            tree = tree[step] if isinstance(tree, dict) else next(each for each in tree if each.get("name") == step)
        for key, value in changes.items():
            tree[key] = value(tree[key]) if callable(value) else value
            if value is None:
                del tree[key]

    return edit


def schema(name: str, /, **changes: Any) -> Edit:
    """Change keys of a schema, or of a property: `Payee`, `Payee/email`."""
    first, *properties = name.split("/")
    return change(
        "components", "schemas", first, *(step for each in properties for step in ("properties", each)), **changes
    )


operation, shared_parameter = partial(change, "paths"), partial(change, "components", "parameters")


def parameter(path: str, method: str, name: str, /, **changes: Any) -> Edit:
    return change("paths", path, method, "parameters", name, **changes)


def answer(path: str, method: str, status: str, value: Tree | None) -> Edit:
    """Add or replace an answer, or remove it (None)."""
    return change("paths", path, method, "responses", **{status: value})


def required(name: str, key: str, *, now: bool) -> Edit:
    """Make a property required, or optional."""

    def edit(document: Tree) -> None:
        tree = document["components"]["schemas"][name]
        others = [each for each in tree.get("required", []) if each != key]
        tree["required"] = [*others, key] if now else others
        if not tree["required"]:
            del tree["required"]

    return edit


def property_(name: str, key: str, value: Tree | None, *, needed: bool = False) -> Edit:
    """Add a property to a schema in the place of an earlier one, or remove it (None)."""

    def edit(document: Tree) -> None:
        properties = document["components"]["schemas"][name]["properties"]
        properties.pop(key, None)
        if value is not None:
            properties[key] = value

    return both(edit, required(name, key, now=needed))


def text(before: str, after: str) -> Edit:
    """Replace every occurrence of a text in the document's JSON."""

    def edit(document: Tree) -> None:
        whole = json.dumps(document)
        document.clear()
        document.update(json.loads(whole.replace(before, after)))

    return edit


def both(*edits: Edit) -> Edit:
    return lambda document: [edit(document) for edit in edits]


def add_parameter(path: str, method: str, added: Tree) -> Edit:
    return lambda document: document["paths"][path][method].setdefault("parameters", []).append(added)


def drop_parameter(path: str, method: str, name: str) -> Edit:
    """Remove a parameter by its name, or by that of the shared parameter."""

    def edit(document: Tree) -> None:
        tree = document["paths"][path][method]
        named = [(each.get("name"), each.get("$ref", "").rpartition("/")[2], each) for each in tree["parameters"]]
        tree["parameters"] = [each for *names, each in named if name not in names]

    return edit


def called(mapping: Tree, before: str, after: str) -> None:
    """Give a key of a mapping another name in its place."""
    entries = [(after if name == before else name, each) for name, each in mapping.items()]
    mapping.clear()
    mapping.update(entries)


def renamed(before: str, after: str) -> Edit:
    """Rename a schema."""
    references = text(f'"#/components/schemas/{before}"', f'"#/components/schemas/{after}"')
    return both(references, lambda document: called(document["components"]["schemas"], before, after))


def moved(before: str, after: str) -> Edit:
    """Give a path another template."""
    return lambda document: called(document["paths"], before, after)


def united(keyword: str, name: str, key: str) -> Edit:
    """Let a property that refers to a schema be this one, or one with another property."""

    def edit(document: Tree) -> None:
        properties = document["components"]["schemas"][name]["properties"]
        longer = {"allOf": [properties[key], {"type": "object", "properties": {"more": STRING}}]}
        properties[key] = {keyword: [properties[key], longer]}

    return edit


def inlined(name: str) -> Edit:
    """Write a schema out wherever it is referred to."""

    def edit(document: Tree) -> None:
        whole = json.dumps(document["components"]["schemas"][name])
        text(json.dumps({"$ref": f"#/components/schemas/{name}"}), whole)(document)

    return edit


JSON = "application/json"
STRING: Tree = {"type": "string"}
LIST, CREATE = "/v2/payment-requests", "/v2/payment-requests/request-payment"
RESPOND, ONE = (f"{LIST}{middle}/{{victor_payment_request_id}}" for middle in ("/respond-to-request", ""))
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def content(path: str, method: str, edit: Callable[[Tree], object], status: str | None = None) -> Edit:
    """Change the contents of a body, or of an answer."""

    def change(document: Tree) -> None:
        tree = document["paths"][path][method]
        edit((tree["responses"][status] if status else tree["requestBody"])["content"])

    return change


def _api_key(document: Tree) -> None:
    scheme = next(iter(document["components"]["securitySchemes"].values()))
    scheme.clear()
    scheme.update({"type": "apiKey", "in": "header", "name": "X-Key"})


STAYED = [
    # ---- Names: nothing on the wire ----
    Case("victor", "operation id of a list", "none", "breaks", operation(LIST, "get", operationId="searchRequests")),
    Case("velo", "operation id without classes of its own", "none", "breaks", operation("/v1/logout", "post", operationId="signOut")),
    Case("eastpay", "tag", "none", "breaks", operation("/v3/checkouts", "post", tags=["pages"])),
    Case("flexfactor", "a second tag", "none", "none", operation("/v1/transmit", "post", tags=["payments", "copies"])),
    Case("victor", "schema of an answer renamed", "none", "breaks", renamed("ValidationErrors", "Invalid")),
    Case("victor", "schema of a request renamed", "none", "breaks", renamed("RfpPayerDetails", "Payer")),
    Case("velo", "schema of a list renamed", "none", "breaks", renamed("Link", "Hyperlink")),
    Case("victor", "path parameter renamed", "none", "breaks", both(
        moved(ONE, LIST + "/{id}"), parameter(LIST + "/{id}", "get", "victor_payment_request_id", name="id"))),
    Case("flexfactor", "shared path parameter renamed", "none", "breaks", both(
        text("/v1/orders/{orderId}", "/v1/orders/{order}"), shared_parameter("OrderId", name="order"))),
    Case("eastpay", "texts only", "none", "none", both(
        schema("Payment", description="Another text."), operation("/v3/payments", "post", summary="Pay", description="By card."))),
    Case("victor", "a reference written out", "none", "breaks", inlined("RfpPayerDetails")),
    Case("victor", "an example", "none", "none", schema("PaymentRequestReceipt/status", example="pending")),
    Case("velo", "two schemas change names with each other", "none", "breaks", both(
        renamed("Person", "Other"), renamed("Firm", "Person"), renamed("Other", "Firm"))),
    # ---- Operations ----
    Case("velo", "operation removed", "breaks", "breaks", lambda document: document["paths"].pop("/v3/payouts/{payoutId}/quote")),
    Case("velo", "method removed", "breaks", "breaks", lambda document: document["paths"]["/v3/payouts/{payoutId}"].pop("delete")),
    Case("velo", "path changed", "breaks", "none", moved("/v1/fundings/{fundingId}", "/v2/fundings/{fundingId}")),
    Case("eastpay", "operation added", "fine", "fine", lambda document: document["paths"].update({"/v3/ping": {
        "get": {"operationId": "ping", "tags": ["payments"], "responses": {"204": {"description": "Here"}}}}})),
    Case("flexfactor", "operation with a model added", "fine", "fine", lambda document: document["paths"].update({"/v1/limits": {
        "get": {"operationId": "readLimits", "tags": ["orders"], "responses": {"200": {"description": "Limits", "content": {JSON: {
            "schema": {"type": "object", "properties": {"daily": {"type": "integer"}}}}}}}}}})),
    # ---- Parameters ----
    Case("victor", "filter removed", "breaks", "breaks", property_("ListPaymentRequests", "tracking_id", None)),
    Case("velo", "query parameter removed", "breaks", "breaks", drop_parameter("/v4/payees", "get", "ofacStatus")),
    Case("velo", "shared parameter no longer used", "breaks", "breaks", drop_parameter("/v4/payees", "get", "Sort")),
    Case("velo", "optional parameter added", "fine", "fine", add_parameter("/v4/payees", "get", {"name": "city", "in": "query", "schema": STRING})),
    Case("flexfactor", "required parameter added", "breaks", "breaks", add_parameter(
        "/v1/orders", "get", {"name": "merchant", "in": "query", "required": True, "schema": STRING})),
    Case("victor", "required header added", "breaks", "breaks", add_parameter(
        LIST, "get", {"name": "X-Client", "in": "header", "required": True, "schema": STRING})),
    Case("victor", "header becomes required", "breaks", "breaks", parameter(CREATE, "post", "Idempotency-Key", required=True)),
    Case("eastpay", "shared parameter becomes optional", "fine", "fine", shared_parameter("EntityId", required=False)),
    Case("eastpay", "shared parameter becomes required", "breaks", "breaks", shared_parameter("EntityType", required=True)),
    Case("flexfactor", "parameter of another type", "breaks", "breaks", parameter(
        "/v1/orders", "get", "mid", schema={"type": "integer"})),
    Case("flexfactor", "parameter of a wider type", "fine", "fine", parameter("/v1/orders", "get", "pageSize", schema={"type": "number"})),
    Case("flexfactor", "number in a query is text", "fine", "breaks", parameter("/v1/orders", "get", "pageSize", schema=STRING)),
    Case("flexfactor", "parameter of a narrower format", "breaks", "breaks", parameter(
        "/v1/orders", "get", "query", schema={"type": "string", "format": "date-time"})),
    Case("victor", "filter word removed", "breaks", "breaks", schema("ListPaymentRequests/direction", enum=["outbound"])),
    Case("victor", "filter word added", "fine", "fine", schema("ListPaymentRequests/direction", enum=["inbound", "outbound", "both"])),
    Case("velo", "words for a parameter", "breaks", "breaks", parameter(
        "/v4/payees", "get", "payeeType", schema={"type": "string", "enum": ["Individual", "Company"]})),
    Case("victor", "limit of a filter lowered", "breaks", "none", schema("ListPaymentRequests/page_size", maximum=30)),
    Case("victor", "limit of a header loosened", "fine", "none", parameter(
        CREATE, "post", "Idempotency-Key", schema={"type": "string", "minLength": 8, "maxLength": 128})),
    Case("victor", "default of a filter", "look", "none", schema("ListPaymentRequests/page_size", default=10)),
    # ---- Bodies ----
    Case("victor", "required property added to a request", "breaks", "breaks", property_("RfpPayerDetails", "name", STRING, needed=True)),
    Case("victor", "optional property added to a request", "fine", "fine", property_("RfpPayerDetails", "name", STRING)),
    Case("victor", "property of a request removed", "breaks", "breaks", property_("RfpBasePaymentDetails", "notes", None)),
    Case("victor", "property of a request becomes required", "breaks", "breaks", required("RfpBasePaymentDetails", "notes", now=True)),
    Case("victor", "property of a request becomes optional", "fine", "fine", required("RfpBasePaymentDetails", "due_date", now=False)),
    Case("flexfactor", "property of a request has another type", "breaks", "breaks", schema("CaptureRequest/amount", type="string")),
    Case("flexfactor", "property of a request is a decimal", "fine", "fine", schema("CaptureRequest/amount", type="number")),
    Case("flexfactor", "property of a request is whole", "breaks", "breaks", schema("RefundRequest/amountToRefund", type="integer")),
    Case("victor", "length of a request lowered", "breaks", "none", schema("RfpBasePaymentDetails/notes", maxLength=100)),
    Case("victor", "length of a request raised", "fine", "none", schema("RfpBasePaymentDetails/notes", maxLength=200)),
    Case("victor", "pattern of a request", "breaks", "none", schema("RfpPayeeRequestDetails/account_number", pattern="^[0-9]{9}$")),
    Case("victor", "pattern of a request admits all", "fine", "none", schema("RfpPayeeRequestDetails/account_number", pattern=".*")),
    Case("victor", "property of a request becomes read-only", "breaks", "none", schema("RfpBasePaymentDetails/notes", readOnly=True)),
    Case("flexfactor", "object of a request is one of two that admit it", "breaks", "fine", united("oneOf", "EvaluateRequest", "subscription")),
    Case("flexfactor", "object of a request is any of two that admit it", "fine", "fine", united("anyOf", "EvaluateRequest", "subscription")),
    Case("victor", "word of a request removed", "breaks", "breaks", schema("RfpBasePaymentDetails/biller_type", enum=["BUSINESS"])),
    Case("victor", "default of a request", "look", "none", schema("RfpBasePaymentDetails/amount_modification_allowed", default=True)),
    Case("eastpay", "field of a form removed", "breaks", "breaks", property_("PaymentForm", "card.cvv", None)),
    Case("eastpay", "field of a form becomes required", "breaks", "breaks", required("FollowUpForm", "amount", now=True)),
    Case("eastpay", "form becomes JSON", "breaks", "none", content("/v3/payments", "post", lambda found: found.update({JSON: found.pop(FORM)}))),
    Case("eastpay", "JSON beside a form", "fine", "fine", content("/v3/checkouts", "post", lambda found: found.update({JSON: deepcopy(found[FORM])}))),
    Case("flexfactor", "body becomes optional", "fine", "fine", lambda document: document["paths"]["/v1/orders/{orderId}/cancel"]["post"]["requestBody"].update(required=False)),
    Case("velo", "least items raised", "breaks", "none", schema("NewPayees/payees", minItems=3)),
    # ---- Answers ----
    Case("victor", "property of an answer removed", "breaks", "breaks", property_("PaymentRequestReceipt", "error_message", None)),
    Case("victor", "property of an answer added", "fine", "fine", property_("PaymentRequestReceipt", "tracking_id", STRING)),
    Case("victor", "required property of an answer added", "fine", "fine", property_("ApiErrorResponse", "trace", STRING, needed=True)),
    Case("eastpay", "property of an answer becomes optional", "breaks", "none", required("Checkout", "id", now=False)),
    Case("eastpay", "property of an answer becomes required", "fine", "none", required("Payment", "timestamp", now=True)),
    Case("velo", "property of an answer has another type", "breaks", "breaks", schema("SourceAccount/balance", type="string", format=None)),
    Case("velo", "property of an answer is wider", "breaks", "breaks", schema("PageInfo/totalElements", type="number")),
    Case("velo", "property of an answer is narrower", "fine", "look", schema("Token/expires_in", type="integer")),
    Case("velo", "property of an answer may be null", "breaks", "breaks", schema("Payee/displayName", nullable=True)),
    Case("velo", "property of an answer is no longer null", "fine", "look", schema("Payee/email", nullable=None)),
    Case("velo", "property of an answer becomes a list", "breaks", "breaks", property_(
        "PayeeBatch", "status", {"type": "array", "items": STRING})),
    Case("velo", "property of an answer becomes an object", "breaks", "breaks", property_(
        "FundingAccount", "name", {"type": "object", "properties": {"short": STRING}})),
    Case("victor", "word of an answer added", "look", "fine", schema("PaymentRequestReceipt/status", enum=lambda words: [*words, "frozen"])),
    Case("victor", "word of an answer removed", "fine", "breaks", schema("PaymentRequestReceipt/status", enum=lambda words: words[:-1])),
    Case("victor", "answer no longer has words", "look", "breaks", schema("PaymentRequestReceipt/direction", enum=None)),
    Case("velo", "answer has words now", "fine", "look", schema("PayeeChange/onboardedStatus", enum=["CREATED", "ONBOARDED"])),
    Case("velo", "object of an answer is one of two that are read as it", "fine", "breaks", united("oneOf", "Payee", "individual")),
    Case("velo", "time of an answer is a date", "breaks", "breaks", schema("Payee/created", format="date")),
    Case("velo", "date of an answer is text", "breaks", "breaks", schema("Payee/created", format=None)),
    Case("velo", "text of requests and answers is a date", "breaks", "breaks", schema("Person/dateOfBirth", format="date")),
    Case("victor", "length of an answer raised", "look", "none", schema("RfpInboundPaymentRequestResponseDetails/notes", maxLength=250)),
    Case("victor", "inherited property of an answer removed", "breaks", "breaks", property_("RtpPaymentDetails", "notes", None)),
    Case("flexfactor", "answer for an error added", "fine", "breaks", answer("/v1/capture", "post", "422", {
        "description": "Refused", "content": {JSON: {"schema": {"type": "object", "properties": {"why": STRING}}}}})),
    Case("flexfactor", "known answer for another error", "fine", "none", answer("/v1/capture", "post", "422", {"$ref": "#/components/responses/Problem"})),
    Case("velo", "answer for an error removed", "fine", "none", answer("/v4/payees", "get", "403", None)),
    Case("victor", "success has another status", "breaks", "none", both(
        answer(CREATE, "post", "200", None),
        answer(CREATE, "post", "201", {"description": "Made", "content": {JSON: {"schema": {"$ref": "#/components/schemas/PaymentRequestReceipt"}}}}))),
    Case("flexfactor", "answer is XML", "breaks", "breaks", content(
        "/v1/orders/{orderId}", "get", lambda found: found.update({"application/xml": found.pop(JSON)}), "200")),
    Case("victor", "answer without a content", "breaks", "look", answer(RESPOND, "post", "200", {"description": "Done"})),
    # ---- Access ----
    Case("flexfactor", "another kind of credentials", "breaks", "none", _api_key),
    Case("flexfactor", "credentials no longer needed", "fine", "none", operation("/v1/orders", "get", security=[])),
    Case("victor", "server with a path", "breaks", "none", lambda document: document["servers"][0].update(url="https://api.stage.victorfi.com/pay")),
]  # fmt: skip

CASES = [
    *STAYED,
    *(replace(case, title=f"{case.title}, moved", moved=True) for case in STAYED if case.title != "path changed"),
]
"""Each case twice, but for the one whose paths move anyway."""
