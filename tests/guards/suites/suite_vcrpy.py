import json

import pytest
import vcr
from paying import BOTH, CREATED, URL
from vcr.errors import CannotOverwriteExistingCassetteException

RECORDED = {
    "version": 1,
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": f"{URL}/v2/payment-requests/request-payment",
                "body": "",
                "headers": {},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"content-type": ["application/json"]},
                "body": {"string": json.dumps(CREATED)},
            },
        }
    ],
}


@pytest.mark.parametrize("pay", BOTH)
def test_a_cassette_answers(pay, tmp_path):
    cassette = tmp_path / "payment.json"
    cassette.write_text(json.dumps(RECORDED))
    with vcr.use_cassette(str(cassette), serializer="json", record_mode="none"):
        assert pay().id == "from-the-mock"


@pytest.mark.parametrize("pay", BOTH)
def test_without_a_recording_nothing_is_sent(pay, tmp_path):
    with (
        vcr.use_cassette(str(tmp_path / "none.json"), record_mode="none"),
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        pay()
