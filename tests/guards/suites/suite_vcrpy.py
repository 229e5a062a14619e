from pathlib import Path

import pytest
import vcr
from paying import BOTH, URL
from vcr.errors import CannotOverwriteExistingCassetteException

RECORDED = Path(__file__).with_name("payment.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("pay", BOTH)
def test_a_recorded_cassette_answers_the_call(pay, tmp_path):
    cassette = tmp_path / "payment.yaml"
    cassette.write_text(RECORDED.replace("PROVIDER_URL", URL))
    with vcr.use_cassette(str(cassette), record_mode="none"):
        assert pay().id == "from-the-mock"


@pytest.mark.parametrize("pay", BOTH)
def test_without_a_recording_nothing_is_sent(pay, tmp_path):
    with (
        vcr.use_cassette(str(tmp_path / "none.json"), record_mode="none"),
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        pay()
