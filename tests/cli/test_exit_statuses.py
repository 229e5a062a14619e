"""The exit status of a command that the client's error ends, which scripts decide by."""

import pytest

from victor_ext import (
    BadRequest,
    ConnectionFailed,
    InvalidRequest,
    Outcome,
    RateLimited,
    VictorError,
)
from victor_ext.bulk import StateLost, StateUnavailable
from victor_ext.cli._failures import exit_status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (VictorError("lost", outcome=Outcome.UNKNOWN), 3),
        (VictorError("not read", outcome=Outcome.ACCEPTED), 3),
        (InvalidRequest("its key cannot be read any more", outcome=Outcome.UNKNOWN), 3),
        (InvalidRequest("an argument is wrong"), 2),
        (BadRequest("refused", outcome=Outcome.REJECTED), 1),
        (RateLimited("too many", outcome=Outcome.REJECTED), 75),
    ],
)
def test_a_write_ends_with_3_if_it_may_have_been_done_and_else_with_the_status_of_its_error(
    error, status
):
    assert exit_status_of(error, wrote=True) == status


@pytest.mark.parametrize(
    ("outcome", "status"), [(Outcome.UNKNOWN, 1), (Outcome.REJECTED, 75), (Outcome.NOT_SENT, 75)]
)
def test_an_error_of_a_reading_command_ends_with_75_only_if_the_provider_did_nothing(
    outcome, status
):
    assert exit_status_of(ConnectionFailed("broken", outcome=outcome), wrote=False) == status


@pytest.mark.parametrize(("error", "status"), [(StateLost, 3), (StateUnavailable, 75)])
def test_a_lost_state_of_bulk_sending_ends_with_3_and_an_unavailable_state_with_75(error, status):
    assert exit_status_of(error("the state"), wrote=False) == status
