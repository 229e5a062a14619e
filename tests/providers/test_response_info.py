"""`response_info` and `ping()`: what records, pages, errors and one signed read tell of a
response.
"""

import copy
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.providers.running import MODES, ONCE, QUICK, Script
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS, called
from victor_ext import (
    AuthenticationError,
    Ping,
    ResponseInfo,
    VictorError,
)
from victor_ext._runtime.client.records import Record
from victor_ext.providers.velo._operations import Receipt

from .test_introspection import methods_of
from .test_operations_table import NOW, Recorder, arguments_of

ID = "r-42"


def results(system):
    """What each method of a system returns or raises; of a list its first page, and the first item
    of that.
    """
    answer = Recorder(system)

    def signing(request):
        response = answer(request)
        response.headers.update({"X-Request-Id": ID, "Set-Cookie": "session=secret"})
        return response

    options = {"transport": httpx.MockTransport(signing), "retry": ONCE, "deadline": 5.0}
    with CLIENTS[system][0](**ARGUMENTS[system], **options) as client:
        for name, method in methods_of(client).items():
            if name.endswith("watch"):
                continue  # a generator of records
            try:
                result = method(**arguments_of(method))
                if hasattr(result, "pages"):
                    result = next(iter(result.pages()), None)
                    yield name, result
                    result = result and result.items[0]
            except VictorError as error:
                result = error if error.response is not None else None
            yield name, result


@pytest.mark.parametrize("system", CLIENTS)
def test_each_record_and_each_error_has_response_info_without_a_cookie(system):
    kinds = set()
    for name, result in results(system):
        if result is None or isinstance(result, str | bytes | Receipt):
            continue  # a write without a record: the events know its response
        info = result.response_info
        assert isinstance(info, ResponseInfo), name
        expected = None if system == "velo" else ID  # Velo's is in the bodies of its errors
        assert (info.request_id, info.attempts, info.status_code // 100) == (expected, 1, 2), name
        assert info.headers["x-request-id"] == ID
        assert "set-cookie" not in info.headers
        kinds |= {kind for kind in (Record, VictorError) if isinstance(result, kind)}
    assert kinds == {Record, VictorError}


RECORD = {"victor_payment_request_id": "a7ffd43c37c1", "status": "PENDING"}


def answer(status, id, **options):
    return httpx.Response(status, headers={"X-Request-Id": id, "Server": "edge"}, **options)


def get(victor):
    return victor.payment_requests.get("a7ffd43c37c1")


def test_the_attempts_are_counted_and_the_last_response_is_told():
    script = Script(answer(503, "first"), answer(200, "second", json=RECORD))
    info = called("victor", "blocking", get, script, retry=QUICK).response_info
    assert info.headers["server"] == "edge"
    assert repr(info) == "ResponseInfo(status_code=200, request_id='second', attempts=2)"


def test_a_search_without_a_result_has_response_info_too():
    script = Script(answer(200, ID, json={"results": []}))
    found = called(
        "victor",
        "blocking",
        lambda victor: victor.payment_requests.find("INV-1", start_datetime=NOW),
        script,
    )
    assert (found, found.response_info.request_id) == ([], ID)


def test_two_readings_of_one_state_are_equal_and_survive_a_pickle():
    one, two = (
        called("victor", "blocking", get, Script(answer(200, id, json=RECORD))) for id in "12"
    )
    assert one == two
    assert hash(one) == hash(two)
    for twin in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert (twin, twin.response_info.request_id) == (one, "1")


EMPTY_PAGE = {"results": [], "content": [], "items": []}
PINGED = [name for name in CLIENTS if hasattr(ADAPTERS[name], "PING")]


@pytest.mark.parametrize("system", PINGED)
def test_a_ping_is_one_signed_read_of_one_item(system, mode):
    date = {"Date": format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)}
    script = Script(httpx.Response(200, json=EMPTY_PAGE, headers=date))
    ping = called(system, mode, lambda client: client.ping(), script)
    assert isinstance(ping, Ping)
    assert (ping.response_info.status_code, ping.response_info.attempts) == (200, 1)
    assert abs(ping.clock_offset - 600) <= 5
    (read,) = script.requests
    assert (read.method, read.url.raw_path.decode()) == ("GET", ADAPTERS[system].PING)
    assert read.headers["Authorization"]


@pytest.mark.parametrize("system", PINGED)
def test_a_ping_without_a_date_knows_no_clock_and_one_that_is_refused_says_so(system):
    def ping(*lines):
        return called(system, MODES[0], lambda client: client.ping(), Script(*lines))

    assert ping(httpx.Response(200, json=EMPTY_PAGE)).clock_offset is None
    with pytest.raises(AuthenticationError):
        ping(httpx.Response(401))


def test_a_system_without_a_signed_read_of_one_item_has_no_ping():
    # EastPay's only read is that of one payment, by its id.
    assert not any(hasattr(client, "ping") for client in CLIENTS["eastpay"])
