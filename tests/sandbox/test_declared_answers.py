"""Each answer of each sandbox, under each option, is as the document of its system declares: the
status, the media type, each member that is required, its type and its format.
"""

import uuid

import pytest

from tests.sandbox.declared_answers import DeclaredAnswers
from tests.sandbox.desks import desk_of
from tests.sandbox.sandbox_callers import CREATE, LIST, a_body

UNDECLARED = {"victor": {401, 404, 409, 422}, "flexfactor": {401}}
"""Statuses that the document has for no operation, and the sandbox answers: a token that is wrong,
and what the options of the sandbox name. Victor's document is the provider's, and says nothing of
them. FlexFactor's 401 has no body: were that declared, an empty 401 of any gateway would be taken
for a refusal of the provider.
"""
VICTOR_OPTIONS = (
    {"demo_data": True},
    {"environment": "production", "seed": 1, "clock_skew": 3600.0, "date_header": False},
    {"get_status": "listed"},
    {"accepted_amount": "requested"},
    {"key_repeat": "current"},
    {"key_repeat": "409"},
    {"key_repeat": "new"},
    {"key_conflict": "400"},
    {"key_conflict": "422"},
    {"key_conflict": "replay"},
    {"key_conflict": "new"},
    {"key_life": 0.5},
    {"key_in_progress": 60.0},
    {"unknown_id": "404"},
    {"max_page_size": 1},
    {"first_page": "1"},
    {"page_beyond": "last"},
    {"page_beyond": "400"},
    {"page_beyond": "404"},
    {"list_lag": 60.0},
    {"window_ends": "neither"},
    {"auto": 1.0},
)
OPTIONS = {
    "victor": VICTOR_OPTIONS,
    "velo": ({"validation": 5.0}, {"settlement": 0.0}, {"seed": 1, "date_header": False}),
    "eastpay": ({"documented_only": True}, {"seed": 1}),
    "flexfactor": ({"seed": 1},),
}
TABLE = [(system, options) for system, rows in OPTIONS.items() for options in rows]


def of_victor(desk):
    sandbox, http = desk.sandbox, desk.http
    sandbox.add_account("243884643621")
    sandbox.add_counterparty(id="twin", account_number="243884643621")
    others = {"client_reference_id": "INV-1"}
    whole = a_body(counterparty="acceptsRfp", notes="Invoice 1", amount_modification_allowed=True)
    whole["payee"]["ultimate_creditor"] = "SampleCo Billing Inc."
    key = {"idempotency-key": str(uuid.uuid4())}
    for body in (whole | others, whole | others, whole | {"client_reference_id": "INV-2"}, {}):
        http.post(CREATE, json=body, headers=key)
    for name in ("twin", "declinesRfp", "failsRfp", "reviewsRfp", "nobody"):
        http.post(CREATE, json=a_body(counterparty=name))
    for _ in range(4):
        sandbox.advance(1)
        for request in sandbox.requests():
            http.get(f"{LIST}/{request['id']}")
        http.get(LIST)
    for allows, status, amount in (
        ("open", "Accepted", "4.00"),
        ("closed", "Accepted", ""),
        ("closed", "Accepted", "4.00"),
        ("open", "Declined", ""),
    ):
        desk.asked(allows)
        desk.answer(status, amount)
        desk.answer(status)
        http.get(f"{LIST}/{desk.request}")
    sandbox.advance(3)
    for query in ({"page": 0, "page_size": 2}, {"page": 9}, {"page": -1}, {"status": "declined"}):
        http.get(LIST, params=query)
    sandbox.advance(3 * 86_400)
    http.get(LIST)
    http.post("/v2/auth/token", json={"client_id": "nobody", "client_secret": "x"})


def of_velo(desk):
    sandbox, http, payor = desk.sandbox, desk.http, {"payorId": desk.party}
    since = payor | {"updatedSince": "2020-01-01T00:00:00Z"}
    address = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
    person = {"name": {"firstName": "Ada", "lastName": "Byron"}, "dateOfBirth": "1970-05-20"}
    shared = {"email": "ada@example.com", "address": address}
    ada = {"type": "Individual", "remoteId": "ada", "individual": person, **shared}
    firm = {"type": "Company", "remoteId": "firm", "company": {"name": "Firm Inc."}, **shared}
    body = payor | {"payees": [ada, firm, {**ada, "remoteId": "payee-7"}]}
    batch = http.post("/v4/payees", json=body).headers["location"]
    http.get(batch)
    listed = http.get("/v4/payees", params=payor).json()["content"]
    payee_id = next(each["payeeId"] for each in listed if each["displayName"] == "Byron, Ada")
    payee = f"/v4/payees/{payee_id}"
    http.post(f"{payee}/payeeDetailsUpdate", json={"language": "en"})
    http.post(f"{payee}/remoteIdUpdate", json=payor | {"remoteId": "ada-2"})
    http.post(f"{payee}/invite", json=payor)
    for each in listed:
        http.get(f"/v4/payees/{each['payeeId']}")
    http.delete(payee)
    sandbox.onboard_payee(payee_id)
    http.get("/v4/payees/deltas", params=since)
    http.get(f"/v4/payees/payors/{desk.party}/invitationStatus")
    http.delete(payee)

    bank = {"type": "FBO", "name": "Bank", "accountName": "Us", "accountNumber": "12345678"}
    made = http.post("/v2/fundingAccounts", json=payor | bank | {"routingNumber": "123456789"})
    desk.fund("USD", 500)
    http.get("/v1/deltas/fundings", params=since)
    fundings = http.get("/v1/deltas/fundings", params=since).json()["content"]
    sandbox.add_source_account("EUR account", "EUR", 1)
    for passed in (0, 20):
        sandbox.advance(passed)
        http.get(made.headers["location"])
        http.get(f"/v1/fundings/{fundings[0]['fundingId']}")
        for path in ("/v2/fundingAccounts", "/v3/sourceAccounts", "/v4/paymentaudit/fundings"):
            http.get(path, params=payor)
    http.get(f"/v3/sourceAccounts/{desk.account}")

    submitted = (
        {},
        {"reference": None},
        {"currency": "EUR"},
        {"sourceAccountName": "EUR account", "amount": 500_000},
        {"remoteId": "nobody", "reference": None},
        {"sourceAccountName": "none"},
    )
    for steps in (("quote", "instruct", "instruct"), ("instruct",), ("withdraw", "quote")):
        for changes in submitted:
            desk.submit(**changes)
            read_payouts(desk, payor)
            sandbox.advance(6)
            for step in steps:
                getattr(desk, step)()
                read_payouts(desk, payor)
            sandbox.advance(31)
            read_payouts(desk, payor)
    for reached in (59, 60):
        desk.submit()
        sandbox.advance(6)
        desk.schedule(60)
        sandbox.advance(reached)
        read_payouts(desk, payor)
    desk.submit()
    sandbox.advance(6)
    payment = http.get(f"{desk.payout}/payments").json()["content"][0]["paymentId"]
    http.post(f"/v1/payments/{payment}/withdraw", json={"reason": "A mistake."})
    for each in http.get("/v4/paymentaudit/payments", params=payor).json()["content"]:
        if each["status"] == "CONFIRMED":
            sandbox.return_payment(each["paymentId"])
        http.get(f"/v4/paymentaudit/payments/{each['paymentId']}")
    read_payouts(desk, payor)
    http.get("/v4/payments/deltas", params=since)
    http.get("/v4/paymentaudit/payoutStatistics", params=payor)
    http.get("/v4/paymentaudit/transactions", params=payor)
    http.get("/v4/paymentaudit/payments", params={"payorId": str(uuid.uuid4())})

    webhook = desk.webhook("http://127.0.0.1:9/", authorizationHeader="Basic 1234567890")
    http.post(webhook, json={"enabled": False})
    http.get(webhook)
    http.get("/v1/webhooks", params=payor)
    http.post(f"{webhook}/ping")
    http.post("/v1/authenticate", auth=sandbox.add_key())


def read_payouts(desk, payor):
    number = desk.payout.rpartition("/")[2]
    for path in (desk.payout, f"{desk.payout}/payments", f"/v4/paymentaudit/payouts/{number}"):
        desk.http.get(path)
    desk.http.get("/v4/paymentaudit/payouts", params=payor)


def of_eastpay(desk):
    sandbox, where = desk.sandbox, {"entityId": desk.party, "entityType": "MERCHANT"}
    codes = ("000.000.000", "000.100.000", "000.400.200", "100.400.319", "800.100.153")
    for code in codes:
        for kind in ("PA", "DB"):
            desk.pay(kind, card="1999-12")
            desk.pay(kind, result=code, notificationUrl="http://127.0.0.1:9/hook")
            desk.inquiry()
            for step in ("CP", "RF", "RV", "RV"):
                desk.follow(step, "1.00", "EGP")
    desk.send("DB", merchantTransactionId="INV-1")
    asked = where | {"merchantTransactionId": "INV-1"}
    for base in ("eastpay", "pay", "gateway", "elsewhere"):
        desk.http.get(f"/{base}/v3/query", params=asked)
    desk.http.get(f"/eastpay/v3/payments/{desk.payment}", params={"entityId": "EB999999"})
    desk.http.post("/eastpay/v3/payments", content=b"\xff")
    for code in ("", *codes):
        checkout = desk.send("DB", path="checkouts").json()["id"]
        if code:
            sandbox.pay_checkout(checkout, code)
        desk.http.get(f"/eastpay/v3/checkouts/{checkout}/payment", params=where)
    desk.http.headers["authorization"] = "Bearer of-nobody"
    desk.inquiry()


def of_flexfactor(desk):
    http = desk.http
    decisions = ("APPROVED", "DECLINED", "CHALLENGE", "SUBMITTED", "PROCESSING", "EXPIRED")
    for number, decision in enumerate(decisions):
        desk.evaluate(decision, name=f"INV-{number}")
        for step in (desk.cancel, desk.cancel):
            step()
        desk.capture(500, "USD")
        desk.refund("1.00")
        desk.refund("100.00")
        http.get(f"/v1/orders/{desk.order}")
    desk.evaluate("CAPTUREREQUIRED", name="INV-8")
    desk.capture(500, "EUR")
    desk.capture(500, "USD")
    http.post(f"/v1/orders/{desk.order}/cancel")
    desk.evaluate("CHALLENGE", name="INV-9")
    http.post("/v1/orders/INV-9/external-cancel")
    key, transaction = str(uuid.uuid4()), {"id": "t", "timestampUtc": "2026-03-04T05:06:07Z"}
    body = {
        "isDeclined": True,
        "orderId": "INV-9",
        "idempotencyKey": key,
        "payer": {"email": "ada@example.com"},
        "paymentMethod": desk.card,
        "transaction": transaction | {"amount": 500, "currency": "USD"},
    }
    for more in ({}, {}, {"orderId": "another"}, {"isDeclined": False}, {"senseKey": "s"}):
        http.post("/v1/evaluate", json=body | more)
    http.post("/v1/transmit", json=body)
    for query in ({}, {"pageSize": 2}, {"pageNumber": 9}, {"mid": str(uuid.uuid4())}):
        http.get("/v1/orders", params=query)
    key, secret, _ = desk.sandbox.add_client()
    for given in (key, "nobody"):
        http.post("/v1/oauth2/token", json={"appKey": given, "appSecret": secret})


FLOWS = {
    "victor": of_victor,
    "velo": of_velo,
    "eastpay": of_eastpay,
    "flexfactor": of_flexfactor,
}


def refused(desk, declared):
    """Each operation without a token, with nothing that it needs, and with each status of an error
    that the document has for it.
    """
    provider = desk.sandbox.provider_type
    rows = sorted(provider.rows, key=lambda row: row.name == "logout")  # it ends the token
    for row in rows:
        if not row.is_documented:
            continue
        method, path = row.place.replace("{base}", "eastpay").split()
        path = path.replace("{payorId}", desk.party).replace("{id}", "unknown")
        ask = {"json": {}} if method == "POST" and "eastpay" not in path else {}
        if row.name == "authenticate":
            ask = {"auth": ("nobody", "x")}
        place = declared.place_of(method, path.removeprefix("/eastpay"))
        for status in (int(each) for where, each in declared.answers if where == place):
            if status >= 400:
                desk.sandbox.inject("status", operation=row.name, status=status)
                desk.http.request(method, path, **ask)
        desk.http.request(method, path, **ask)
    for wrong in ("Bearer of-nobody", "Basic x"):
        desk.http.headers["authorization"] = wrong
        for row in rows:
            method, path = row.place.replace("{base}", "eastpay").split()
            desk.http.request(method, path.replace("{id}", "unknown"))


def answered(system, options):
    """Each answer of a sandbox with these options."""
    declared = DeclaredAnswers(f"{system}.yaml")
    answers = []

    def keep(response):
        response.read()
        answers.append(response)

    with desk_of(system, **options) as desk:
        desk.http.event_hooks["response"] = [keep]
        token = desk.http.headers["authorization"]
        FLOWS[system](desk)
        desk.http.headers["authorization"] = token
        refused(desk, declared)
    return declared, answers


def held(system, options, corrected=lambda body: body):
    """What is wrong with the answers of a sandbox; and the operations with their statuses."""
    declared, answers = answered(system, options)
    seen, wrong = set(), set()
    for answer in answers:
        request, status = answer.request, answer.status_code
        path = request.url.path.removeprefix("/eastpay")
        place = declared.place_of(request.method, path)
        if place is None:
            continue
        seen.add((place, str(status)))
        if (place, str(status)) not in declared.answers:
            if status not in UNDECLARED.get(system, ()):
                wrong.add(f"{place} answers {status}, which is not declared: {answer.text[:200]}")
            continue
        found = declared.problems(place, answer, corrected)
        wrong |= {f"{place} {status} {problem}" for problem in found}
    return sorted(wrong), {*declared.answers} - seen


def without_quirks(value):
    """An answer without what is only in the provider's examples: nulls, and words in capitals."""
    if isinstance(value, dict):
        lower = {"direction": str.lower}
        return {
            name: without_quirks(lower.get(name, lambda each: each)(member))
            for name, member in value.items()
            if member is not None
        }
    return [without_quirks(each) for each in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.parametrize("system", OPTIONS)
def test_the_calls_get_each_answer_that_the_document_declares(system):
    assert held(system, {}) == ([], set())


@pytest.mark.pull_request
@pytest.mark.parametrize(("system", "options"), TABLE, ids=str)
def test_every_answer_is_as_the_document_declares(system, options):
    assert held(system, options)[0] == []


@pytest.mark.slow
def test_every_notification_of_velo_is_as_the_document_declares():
    with desk_of("velo") as desk:
        of_velo(desk)
        posted = desk.sandbox.notifications(0)
    rules = DeclaredAnswers("velo.yaml").schema("Notification")
    assert {each["category"] for each in posted} >= {"payment", "payee", "system"}
    assert [str(error) for each in posted for error in rules.iter_errors(each)] == []


@pytest.mark.slow
def test_the_quirks_of_victor_are_nulls_and_words_in_capitals_alone():
    assert held("victor", {"quirks": True})[0] != []
    assert held("victor", {"quirks": True}, corrected=without_quirks)[0] == []
