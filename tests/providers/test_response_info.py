"""`response_info` and `ping()`: what records, pages, errors and one signed read tell of a
response.
"""

import httpx
import pytest

from tests.providers.running import ONCE
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import (
    ResponseInfo,
    VictorError,
)
from victor_ext._runtime.client.records import Record

from .test_introspection import methods_of
from .test_operations_table import Recorder, arguments_of

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
        if result is None or isinstance(result, str | bytes):
            continue  # a write without a record: the events know its response
        info = result.response_info
        assert isinstance(info, ResponseInfo), name
        expected = None if system == "velo" else ID  # Velo's is in the bodies of its errors
        assert (info.request_id, info.attempts, info.status_code // 100) == (expected, 1, 2), name
        assert info.headers["x-request-id"] == ID
        assert "set-cookie" not in info.headers
        kinds |= {kind for kind in (Record, VictorError) if isinstance(result, kind)}
    assert kinds == {Record, VictorError}


def answer(status, id, **options):
    return httpx.Response(status, headers={"X-Request-Id": id, "Server": "edge"}, **options)
